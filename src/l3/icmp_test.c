/* SPDX-License-Identifier: Apache-2.0 */
#include "l3/icmp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "l3/wire.h"

#define SRC 0xc0000202u
#define DST 0xc6336401u

static struct ip_addr addr(const char *text)
{
	struct ip_addr a;

	assert_int_equal(ip_addr_parse(text, &a), 0);
	return a;
}

/* A packet of `n` payload bytes, of this protocol. */
struct sample {
	uint8_t b[2000];
	uint32_t len;
};

static struct sample packet4(uint8_t proto, uint32_t n)
{
	struct sample s = { .len = 20 + n };

	wire_ip4(s.b, SRC, DST, 0, s.len);
	s.b[9] = proto;
	s.b[20] = ICMP_ECHO_REQUEST;
	return s;
}

static struct sample packet6(uint8_t proto, uint32_t n)
{
	struct sample s = { .len = 40 + n };

	wire_ip6(s.b, addr("2001:db8::2").a, addr("2001:db8:1::1").a, 64, n);
	s.b[6] = proto;
	s.b[40] = ICMP6_ECHO_REQUEST;
	return s;
}

static enum icmp_silence may(enum icmp_kind kind, const struct sample *s)
{
	return icmp_may_answer(kind, s->b, s->len, false);
}

static void an_ordinary_packet_may_be_answered(void **state UNUSED)
{
	struct sample udp = packet4(17, 8), udp6 = packet6(17, 8);
	struct sample ping = packet4(1, 8), ping6 = packet6(58, 8);

	assert_int_equal(may(ICMP_TTL, &udp), ICMP_ALLOWED);
	assert_int_equal(may(ICMP_TTL, &udp6), ICMP_ALLOWED);
	assert_int_equal(may(ICMP_TTL, &ping), ICMP_ALLOWED);
	assert_int_equal(may(ICMP_TTL, &ping6), ICMP_ALLOWED);
}

static void no_error_about_an_error(void **state UNUSED)
{
	static const uint8_t errors4[] = { 3, 4, 5, 11, 12 };
	static const uint8_t errors6[] = { 1, 2, 3, 4, 100, 127, 137 };
	struct sample s = packet4(1, 8), s6 = packet6(58, 8);

	for (unsigned i = 0; i < sizeof(errors4); i++) {
		s.b[20] = errors4[i];
		assert_int_equal(may(ICMP_TTL, &s), ICMP_ABOUT_ERROR);
	}
	for (unsigned i = 0; i < sizeof(errors6); i++) {
		s6.b[40] = errors6[i];
		assert_int_equal(may(ICMP_TTL, &s6), ICMP_ABOUT_ERROR);
	}
	s = packet4(1, 0);
	assert_int_equal(may(ICMP_TTL, &s), ICMP_ABOUT_ERROR);
}

static void no_error_about_groups_or_broadcast(void **state UNUSED)
{
	struct sample s = packet4(17, 8), s6 = packet6(17, 8);

	assert_int_equal(icmp_may_answer(ICMP_TTL, s.b, s.len, true),
			 ICMP_LINK_GROUP);
	put_be32(s.b + 16, 0xe0000105);
	assert_int_equal(may(ICMP_TTL, &s), ICMP_TO_GROUP);
	put_be32(s.b + 16, UINT32_MAX);
	assert_int_equal(may(ICMP_TTL, &s), ICMP_TO_GROUP);
	s6.b[24] = 0xff;
	assert_int_equal(may(ICMP_TTL, &s6), ICMP_TO_GROUP);
	/* Path MTU discovery of a group needs it (RFC 4443 2.4 e.3). */
	assert_int_equal(icmp_may_answer(ICMP_TOO_BIG, s6.b, s6.len, true),
			 ICMP_ALLOWED);
}

static void no_error_to_who_is_not_one_host(void **state UNUSED)
{
	static const uint32_t bad[] = { 0, 0x7f000001, 0xe0000001, UINT32_MAX };
	struct sample s = packet4(17, 8), s6 = packet6(17, 8);

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		put_be32(s.b + 12, bad[i]);
		assert_int_equal(may(ICMP_TTL, &s), ICMP_FROM_GROUP);
	}
	memset(s6.b + 8, 0, 16);
	assert_int_equal(may(ICMP_TTL, &s6), ICMP_FROM_GROUP);
	s6.b[8] = 0xff;
	assert_int_equal(may(ICMP_TTL, &s6), ICMP_FROM_GROUP);
}

static void no_error_about_a_later_fragment(void **state UNUSED)
{
	struct sample s = packet4(17, 8), s6 = packet6(44, 16);

	put_be16(s.b + 6, 0x2000);
	assert_int_equal(may(ICMP_TTL, &s), ICMP_ALLOWED);
	put_be16(s.b + 6, 0x0001);
	assert_int_equal(may(ICMP_TTL, &s), ICMP_LATER_FRAGMENT);
	s6.b[40] = 17;
	put_be16(s6.b + 42, 8);
	assert_int_equal(may(ICMP_TTL, &s6), ICMP_LATER_FRAGMENT);
}

static void too_big_needs_dont_fragment_in_ip4(void **state UNUSED)
{
	struct sample s = packet4(17, 8);

	assert_int_equal(may(ICMP_TOO_BIG, &s), ICMP_DF_CLEAR);
	put_be16(s.b + 6, 0x4000);
	assert_int_equal(may(ICMP_TOO_BIG, &s), ICMP_ALLOWED);
}

static void an_error_quotes_what_fits_and_sums_up(void **state UNUSED)
{
	struct icmp_error e = { .kind = ICMP_TOO_BIG,
				.from = addr("192.0.2.1"),
				.mtu = 1450 };
	struct sample s = packet4(17, 1480);
	uint8_t out[ICMP_ERROR_MAX];
	uint32_t len;

	put_be16(s.b + 6, 0x4000);
	len = icmp_error(&e, s.b, s.len, out);
	assert_int_equal(len, 576);
	assert_int_equal(checksum(out, 20), 0);
	assert_int_equal(checksum(out + 20, len - 20), 0);
	assert_int_equal(out[20], 3);
	assert_int_equal(out[21], 4);
	assert_int_equal(get_be16(out + 26), 1450);
	assert_int_equal(get_be32(out + 12), 0xc0000201);
	assert_int_equal(get_be32(out + 16), SRC);
	assert_memory_equal(out + 28, s.b, 576 - 28);
	s = packet4(17, 8);
	e.kind = ICMP_HOST;
	assert_int_equal(icmp_error(&e, s.b, s.len, out), 28 + 28);
}

static void an_error_of_ip6_quotes_what_fits_and_sums_up(void **state UNUSED)
{
	struct icmp_error e = { .kind = ICMP_TOO_BIG,
				.from = addr("2001:db8::1"),
				.mtu = 1430 };
	struct sample s = packet6(17, 1440);
	uint8_t out[ICMP_ERROR_MAX];
	uint32_t len = icmp_error(&e, s.b, s.len, out);

	assert_int_equal(len, 1280);
	assert_true(wire_icmp6_is_right(out + 40, len - 40, e.from.a,
					addr("2001:db8::2").a));
	assert_int_equal(out[40], 2);
	assert_int_equal(get_be32(out + 44), 1430);
	e.from = addr("192.0.2.1");
	assert_int_equal(icmp_error(&e, s.b, s.len, out), 0);
}

static void a_parameter_problem_points_at_the_header(void **state UNUSED)
{
	struct icmp_error e = { .kind = ICMP_PROTOCOL,
				.from = addr("2001:db8::1") };
	struct sample s = packet6(99, 16);
	uint8_t out[ICMP_ERROR_MAX];

	icmp_error(&e, s.b, s.len, out);
	assert_int_equal(out[40], 4);
	assert_int_equal(get_be32(out + 44), 6);
	s = packet6(60, 16);
	s.b[40] = 99;
	icmp_error(&e, s.b, s.len, out);
	assert_int_equal(get_be32(out + 44), 40);
}

static void a_ping_is_answered(void **state UNUSED)
{
	struct sample s = packet4(1, 64), s6 = packet6(58, 64);
	struct ip6_addr src = addr("2001:db8::2").a;
	struct ip6_addr dst = addr("2001:db8:1::1").a;
	uint8_t out[2000];

	memset(s.b + 28, 0xa5, 56);
	put_be16(s.b + 22, checksum(s.b + 20, 64));
	assert_int_equal(icmp_echo_reply(s.b, s.len, true, out), 84);
	assert_int_equal(out[20], 0);
	assert_int_equal(checksum(out, 20), 0);
	assert_int_equal(checksum(out + 20, 64), 0);
	assert_int_equal(get_be32(out + 12), DST);
	assert_memory_equal(out + 28, s.b + 28, 56);
	wire_icmp6_csum(s6.b + 40, 64, src, dst);
	assert_int_equal(icmp_echo_reply(s6.b, s6.len, true, out), 104);
	assert_true(wire_icmp6_is_right(out + 40, 64, dst, src));
	assert_int_equal(out[40], ICMP6_ECHO_REPLY);
}

static void what_is_no_sound_ping_is_not_answered(void **state UNUSED)
{
	struct sample s = packet4(1, 64);
	uint8_t out[2000];

	put_be16(s.b + 22, checksum(s.b + 20, 64));
	s.b[50] ^= 1;
	assert_int_equal(icmp_echo_reply(s.b, s.len, true, out), 0);
	assert_int_equal(icmp_echo_reply(s.b, s.len, false, out), 84);
	s.b[20] = ICMP_ECHO_REPLY;
	assert_int_equal(icmp_echo_reply(s.b, s.len, false, out), 0);
	s.b[20] = ICMP_ECHO_REQUEST;
	put_be16(s.b + 6, 0x2000);
	assert_int_equal(icmp_echo_reply(s.b, s.len, false, out), 0);
	put_be16(s.b + 6, 0);
	for (uint32_t len = 0; len < s.len; len++)
		assert_int_equal(icmp_echo_reply(s.b, len, false, out), 0);
	put_be32(s.b + 16, 0xe0000001);
	assert_int_equal(icmp_echo_reply(s.b, s.len, false, out), 0);
}

static void errors_are_limited_to_one_host_and_in_all(void **state UNUSED)
{
	static struct icmp_limiter l;
	struct ip_addr one = addr("192.0.2.7");
	unsigned n = 0, all = 0;

	icmp_limiter_init(&l, 3, 1000);
	for (unsigned i = 0; i < 5000; i++)
		n += icmp_limiter_take(&l, &one, 1000 + i);
	assert_in_range(n, ICMP_DEST_BURST + 48, ICMP_DEST_BURST + 52);
	for (uint32_t i = 0; i < 100000; i++) {
		struct ip_addr a = ip_addr_from_ip4(0x0a000000 + i);

		all += icmp_limiter_take(&l, &a, 10000);
	}
	assert_in_range(all, ICMP_ROUTER_BURST - 20, ICMP_ROUTER_BURST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ordinary_packet_may_be_answered),
		cmocka_unit_test(no_error_about_an_error),
		cmocka_unit_test(no_error_about_groups_or_broadcast),
		cmocka_unit_test(no_error_to_who_is_not_one_host),
		cmocka_unit_test(no_error_about_a_later_fragment),
		cmocka_unit_test(too_big_needs_dont_fragment_in_ip4),
		cmocka_unit_test(an_error_quotes_what_fits_and_sums_up),
		cmocka_unit_test(an_error_of_ip6_quotes_what_fits_and_sums_up),
		cmocka_unit_test(a_parameter_problem_points_at_the_header),
		cmocka_unit_test(a_ping_is_answered),
		cmocka_unit_test(what_is_no_sound_ping_is_not_answered),
		cmocka_unit_test(errors_are_limited_to_one_host_and_in_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
