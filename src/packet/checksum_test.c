/* SPDX-License-Identifier: Apache-2.0 */
#include "packet/checksum.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "packet/headers.h"
#include "packet/test_frame.h"

#define BUFFER 70000u

static uint8_t bytes[BUFFER];

static void sum_equals_the_naive_sum_at_any_length_and_alignment(void **state)
{
	(void)state;
	frame_pattern(bytes, BUFFER, 1);
	for (uint32_t len = 0; len < 600; len++)
		for (uint32_t at = 0; at < 8; at++)
			assert_int_equal(
				checksum_fold(checksum_add(0, bytes + at, len)),
				frame_sum(bytes + at, len, 0));
	for (uint32_t len = 65000; len < BUFFER; len += 777)
		assert_int_equal(checksum(bytes, len),
				 (uint16_t)~frame_sum(bytes, len, 0));
	/* Carries from every word. */
	memset(bytes, 0xff, BUFFER);
	assert_int_equal(checksum_fold(checksum_add(0, bytes, BUFFER)), 0xffff);
	assert_int_equal(checksum_fold(checksum_add(1, bytes, BUFFER)), 1);
}

static void sum_is_a_sum_of_pieces(void **state)
{
	uint64_t seed = 2;

	(void)state;
	frame_pattern(bytes, BUFFER, 2);
	for (unsigned i = 0; i < 1000; i++) {
		uint32_t a = frame_random(&seed, 1000) * 2;
		uint32_t b = frame_random(&seed, 2000);
		uint64_t sum = checksum_add(0, bytes, a);

		sum = checksum_add(sum, bytes + a, b);
		assert_int_equal(checksum_fold(sum),
				 frame_sum(bytes, a + b, 0));
	}
}

static void sum_reads_no_byte_behind_the_end(void **state)
{
	(void)state;
	frame_pattern(bytes, 64, 3);
	for (uint32_t len = 0; len <= 64; len++) {
		struct frame_guard g = frame_guard_make(bytes, len);

		assert_int_equal(checksum(g.at, len),
				 (uint16_t)~frame_sum(bytes, len, 0));
		frame_guard_free(&g);
	}
}

/* RFC 1624 is about the two zeros: an updated field must verify. */
static void update_equals_summing_anew(void **state)
{
	uint64_t seed = 4;

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		uint8_t m[20], old[20];
		uint16_t field;
		uint32_t n = 2 + frame_random(&seed, 5) * 2;

		frame_pattern(m, sizeof(m), frame_random(&seed, 1u << 30));
		if (!(i % 5))
			memset(m, i % 2 ? 0xff : 0, 16);
		put_be16(m + 18, 0);
		field = checksum(m, 18);
		memcpy(old, m, sizeof(m));
		frame_pattern(m, n, i);
		if (!(i % 7))
			memset(m, 0, n);
		field = checksum_update(field, old, m, n);
		put_be16(m + 18, field);
		assert_int_equal(frame_sum(m, 20, 0), 0xffff);
	}
}

static void narrow_updates_equal_the_wide_one(void **state)
{
	uint64_t seed = 5;

	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		uint32_t a = frame_random(&seed, 0xffffffffu);
		uint32_t b = frame_random(&seed, 0xffffffffu);
		uint16_t old = (uint16_t)frame_random(&seed, 0x10000);
		uint8_t wa[4], wb[4];

		put_be32(wa, a);
		put_be32(wb, b);
		assert_int_equal(checksum_update32(old, a, b),
				 checksum_update(old, wa, wb, 4));
		assert_int_equal(
			checksum_update16(old, (uint16_t)a, (uint16_t)b),
			checksum_update(old, wa + 2, wb + 2, 2));
	}
}

/* RFC 3720 B.4, and one with a tail of odd length. */
static void crc32c_is_castagnolis(void **state)
{
	uint8_t m[48];

	(void)state;
	memset(m, 0, 32);
	assert_int_equal(crc32c(m, 32), 0x8a9136aa);
	memset(m, 0xff, 32);
	assert_int_equal(crc32c(m, 32), 0x62a8ab43);
	for (unsigned i = 0; i < 32; i++)
		m[i] = (uint8_t)i;
	assert_int_equal(crc32c(m, 32), 0x46dd794e);
	assert_int_equal(crc32c("123456789", 9), 0xe3069283);
}

static const uint8_t protos[] = { IP_PROTO_TCP, IP_PROTO_UDP, IP_PROTO_SCTP };

static void each_transport(void (*fn)(const struct frame_spec *s))
{
	static uint8_t payload[3000];

	frame_pattern(payload, sizeof(payload), 6);
	for (unsigned i = 0; i < 3 * 2 * 2 * 100; i++) {
		struct frame_spec s = { .proto = protos[i % 3],
					.ip6 = i / 3 % 2,
					.n_tags = i / 6 % 2,
					.sport = (uint16_t)(1000 + i),
					.dport = 53,
					.payload = payload,
					.payload_len = i / 12 * 29 };

		s.dst_options = s.ip6 && s.payload_len & 1;
		s.ip4_options = s.ip6 ? 0 : i % 5;
		fn(&s);
	}
}

static struct packet_pool *pool;

static void check_finish(const struct frame_spec *s)
{
	static uint8_t want[FRAME_MAX];
	struct packet *p = packet_alloc(pool);
	struct frame_spec partial = *s;
	struct frame_layout f = frame_build(s, want);

	partial.partial = true;
	frame_packet(&partial, p);
	assert_int_equal(packet_csum_verify(p), CSUM_UNKNOWN);
	packet_csum_finish(p);
	assert_false(p->flags & PACKET_CSUM_PARTIAL);
	assert_int_equal(packet_csum_verify(p), CSUM_RIGHT);
	frame_assert_equal(p->data, p->len, want, f.len);
	packet_csum_finish(p); /* finished: nothing happens */
	frame_assert_equal(p->data, p->len, want, f.len);
	packet_free(p);
}

static void finishing_equals_building_with_a_checksum(void **state)
{
	(void)state;
	each_transport(check_finish);
}

static void check_flips(const struct frame_spec *s)
{
	struct packet *p = packet_alloc(pool);
	struct frame_layout f;
	uint64_t seed = s->sport;

	f = frame_packet(s, p);
	assert_int_equal(packet_csum_verify(p), CSUM_RIGHT);
	for (unsigned i = 0; i < 8; i++) {
		uint32_t at = f.l4 + frame_random(&seed, f.len - f.l4);
		uint8_t bit = (uint8_t)(1u << frame_random(&seed, 8));

		/* A length of UDP that changes decides what is summed. */
		if (s->proto == IP_PROTO_UDP && at - f.l4 - 4 < 2)
			continue;
		p->data[at] ^= bit;
		assert_int_equal(packet_csum_verify(p), CSUM_WRONG);
		p->data[at] ^= bit;
	}
	packet_free(p);
}

static void a_flipped_bit_is_seen(void **state)
{
	(void)state;
	each_transport(check_flips);
}

/* The field of a transport whose bytes sum up to a field of zero. */
static uint16_t zero_field(uint8_t proto)
{
	uint8_t payload[2] = { 0, 0 };
	struct frame_spec s = { .proto = proto,
				.payload = payload,
				.payload_len = 2,
				.partial = true };
	struct packet *p = packet_alloc(pool);
	struct frame_layout f = frame_packet(&s, p);
	uint16_t field;

	put_be16(p->data + f.payload,
		 (uint16_t)~frame_sum(p->data + f.l4, f.len - f.l4, 0));
	packet_csum_finish(p);
	field = get_be16(p->data + f.csum);
	assert_int_equal(packet_csum_verify(p), CSUM_RIGHT);
	packet_free(p);
	return field;
}

static void zero_is_written_as_ones_by_udp_alone(void **state)
{
	(void)state;
	assert_int_equal(zero_field(IP_PROTO_UDP), 0xffff);
	assert_int_equal(zero_field(IP_PROTO_TCP), 0);
}

static void udp_length_decides_what_is_summed(void **state)
{
	uint8_t payload[30];
	struct frame_spec s = { .proto = IP_PROTO_UDP,
				.payload = payload,
				.payload_len = 20 };
	struct packet *p = packet_alloc(pool);
	struct frame_layout f = frame_packet(&s, p);

	(void)state;
	/* Ten bytes behind the datagram that belong to IP only. */
	memset(payload, 9, sizeof(payload));
	memcpy(p->data + f.payload, payload, 20);
	put_be16(p->data + f.csum, 0);
	put_be16(p->data + f.csum,
		 (uint16_t)~frame_sum(p->data + f.l4, 28,
				      frame_sum(p->data + f.l3 + 12, 8,
						IP_PROTO_UDP + 28u)));
	memset(p->data + p->len, 0x77, 10);
	p->len += 10;
	put_be16(p->data + f.l3 + 2, (uint16_t)(p->len - f.l3));
	assert_int_equal(packet_csum_verify(p), CSUM_RIGHT);
	/* One byte more than IP has, and a sum that would be right for it. */
	put_be16(p->data + f.l4 + 4, 39);
	p->data[p->len] = 0;
	put_be16(p->data + f.csum, 0);
	put_be16(p->data + f.csum,
		 (uint16_t)~frame_sum(p->data + f.l4, 39,
				      frame_sum(p->data + f.l3 + 12, 8,
						IP_PROTO_UDP + 39u)));
	assert_int_equal(packet_csum_verify(p), CSUM_WRONG);
	put_be16(p->data + f.l4 + 4, 7);
	assert_int_equal(packet_csum_verify(p), CSUM_WRONG);
	packet_free(p);
}

static void no_checksum_is_unknown_over_ip4_and_wrong_over_ip6(void **state)
{
	struct frame_spec s = { .proto = IP_PROTO_UDP, .no_csum = true };
	struct packet *p = packet_alloc(pool);

	(void)state;
	frame_packet(&s, p);
	assert_int_equal(packet_csum_verify(p), CSUM_UNKNOWN);
	s.ip6 = true; /* RFC 8200 8.1 */
	frame_packet(&s, p);
	assert_int_equal(packet_csum_verify(p), CSUM_WRONG);
	packet_free(p);
}

static void fragments_are_not_judged(void **state)
{
	struct frame_spec s = { .proto = IP_PROTO_TCP };
	struct packet *p = packet_alloc(pool);
	struct frame_layout f = frame_packet(&s, p);

	(void)state;
	put_be16(p->data + f.l3 + 6, IP4_MF);
	assert_int_equal(packet_csum_verify(p), CSUM_UNKNOWN);
	put_be16(p->data + f.l3 + 6, 5);
	assert_int_equal(packet_csum_verify(p), CSUM_UNKNOWN);
	packet_free(p);
}

/* Cut at each byte, at the end of memory: never read further, never "right". */
static void verify_reads_no_byte_behind_the_end(void **state)
{
	static uint8_t frame[FRAME_MAX];
	struct frame_spec s = { .payload = frame, .payload_len = 9 };

	(void)state;
	for (unsigned i = 0; i < 12; i++) {
		struct frame_layout f;

		s.proto = protos[i % 3];
		s.ip6 = i / 3 % 2;
		s.dst_options = i >= 6;
		s.ip4_options = i >= 6 ? 3 : 0;
		f = frame_build(&s, frame);
		for (uint32_t len = 1; len < f.len; len++) {
			struct frame_guard g = frame_guard_make(frame, len);
			struct packet p = { .data = g.at, .len = len };

			p.l3 = (uint16_t)f.l3;
			assert_int_equal(packet_csum_verify(&p), CSUM_UNKNOWN);
			frame_guard_free(&g);
		}
	}
}

static int setup(void **state)
{
	(void)state;
	pool = packet_pool_create(4);
	return !pool;
}

static int teardown(void **state)
{
	(void)state;
	packet_pool_destroy(pool);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			sum_equals_the_naive_sum_at_any_length_and_alignment),
		cmocka_unit_test(sum_is_a_sum_of_pieces),
		cmocka_unit_test(sum_reads_no_byte_behind_the_end),
		cmocka_unit_test(update_equals_summing_anew),
		cmocka_unit_test(narrow_updates_equal_the_wide_one),
		cmocka_unit_test(crc32c_is_castagnolis),
		cmocka_unit_test(finishing_equals_building_with_a_checksum),
		cmocka_unit_test(a_flipped_bit_is_seen),
		cmocka_unit_test(zero_is_written_as_ones_by_udp_alone),
		cmocka_unit_test(udp_length_decides_what_is_summed),
		cmocka_unit_test(
			no_checksum_is_unknown_over_ip4_and_wrong_over_ip6),
		cmocka_unit_test(fragments_are_not_judged),
		cmocka_unit_test(verify_reads_no_byte_behind_the_end),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
