/* SPDX-License-Identifier: Apache-2.0 */
#include "l3/ra.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/be.h"

#define T0 1000000u

static struct env_test env;

static struct ra_config config(void)
{
	struct ra_config c = { .mac = { { 2, 0, 0, 0, 0, 1 } },
			       .mtu = 1450,
			       .lifetime_s = RA_LIFETIME_S,
			       .n_prefixes = 1 };
	struct ip_prefix p;

	env_test_init(&env, 6);
	c.from = ip6_addr_link_local(c.mac);
	assert_int_equal(ip_prefix_parse("2001:db8:7::9/64", &p), 0);
	c.prefixes[0] =
		(struct ra_prefix){ p.addr.a, p.len, .autonomous = true };
	return c;
}

static uint64_t next(struct ra *r, struct ra_frame *f)
{
	uint64_t now = ra_next_deadline(r);

	ra_tick(r, now);
	assert_true(ra_take(r, now, f));
	assert_false(ra_take(r, now, f));
	return now;
}

static void the_frame_says_what_the_network_is(void **state UNUSED)
{
	struct ra_config c = config();
	struct ra_frame f;
	struct nd_msg m;
	struct ra r;

	ra_start(&r, &c, &env.env, T0);
	next(&r, &f);
	assert_int_equal(f.len, 14 + 40 + 16 + 8 + 8 + 32);
	assert_int_equal(nd_decode(f.bytes + 14, f.len - 14, true, &m),
			 DROP_NONE);
	assert_int_equal(m.type, ND_RA);
	assert_int_equal(m.ra_lifetime_s, RA_LIFETIME_S);
	assert_true(m.has_source && eth_addr_equal(m.source, c.mac));
	assert_memory_equal(f.bytes, "\x33\x33\x00\x00\x00\x01", 6);
	assert_int_equal(f.bytes[78], 5);
	assert_int_equal(get_be32(f.bytes + 82), 1450);
	assert_int_equal(f.bytes[86], 3);
	assert_int_equal(f.bytes[88], 64);
	assert_int_equal(f.bytes[89], 0xc0);
	/* Host bits are gone. */
	assert_memory_equal(f.bytes + 102,
			    "\x20\x01\x0d\xb8\x00\x07\0\0\0\0\0\0\0\0\0\0", 16);
}

static void
stations_do_not_build_addresses_below_odd_prefixes(void **state UNUSED)
{
	struct ra_config c = config();
	struct ra_frame f;
	struct ra r;

	c.prefixes[0].len = 80;
	ra_start(&r, &c, &env.env, T0);
	next(&r, &f);
	assert_int_equal(f.bytes[89], 0x80);
}

static void the_first_three_come_soon_and_then_seldom(void **state UNUSED)
{
	struct ra_config c = config();
	struct ra_frame f;
	uint64_t at, before;
	struct ra r;

	ra_start(&r, &c, &env.env, T0);
	before = next(&r, &f);
	assert_true(before <= T0 + RA_DELAY_MAX_MS);
	for (int i = 0; i < 2; i++) {
		at = next(&r, &f);
		assert_in_range(at - before, RA_MIN_GAP_MS, RA_INITIAL_MAX_MS);
		before = at;
	}
	for (int i = 0; i < 100; i++) {
		at = next(&r, &f);
		assert_in_range(at - before, RA_INTERVAL_MIN_MS,
				RA_INTERVAL_MAX_MS);
		before = at;
	}
}

static void a_question_is_answered_soon_but_a_flood_only_each_three_seconds(
	void **state UNUSED)
{
	struct ra_config c = config();
	struct ra_frame f;
	uint64_t now = T0;
	unsigned n = 0;
	struct ra r;

	ra_start(&r, &c, &env.env, now);
	for (int i = 0; i < 5; i++)
		now = next(&r, &f);
	now += 10000;
	ra_solicited(&r, now);
	assert_true(ra_next_deadline(&r) <= now + RA_DELAY_MAX_MS);
	for (uint64_t end = now + 60000; now < end; now += 10) {
		ra_solicited(&r, now);
		ra_tick(&r, now);
		n += ra_take(&r, now, &f);
	}
	assert_in_range(n, 17, 21);
}

static void the_last_word_is_lifetime_zero(void **state UNUSED)
{
	struct ra_config c = config();
	struct ra_frame f;
	struct nd_msg m;
	struct ra r;

	ra_start(&r, &c, &env.env, T0);
	next(&r, &f);
	ra_stop(&r);
	assert_true(ra_take(&r, T0 + 5000, &f));
	assert_int_equal(nd_decode(f.bytes + 14, f.len - 14, true, &m),
			 DROP_NONE);
	assert_int_equal(m.ra_lifetime_s, 0);
	assert_false(ra_take(&r, T0 + 5000, &f));
	assert_int_equal(ra_next_deadline(&r), UINT64_MAX);
	ra_solicited(&r, T0 + 6000);
	ra_tick(&r, T0 + 100000000);
	assert_false(ra_take(&r, T0 + 100000000, &f));
}

static void a_change_is_told_soon(void **state UNUSED)
{
	struct ra_config c = config();
	struct ra_frame f;
	uint64_t now = 0;
	struct ra r;

	ra_start(&r, &c, &env.env, T0);
	for (int i = 0; i < 6; i++)
		now = next(&r, &f);
	c.mtu = 0;
	ra_change(&r, &c, now + 5000);
	assert_true(next(&r, &f) <= now + 5000 + RA_DELAY_MAX_MS);
	assert_int_equal(f.len, 14 + 40 + 16 + 8 + 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_frame_says_what_the_network_is),
		cmocka_unit_test(
			stations_do_not_build_addresses_below_odd_prefixes),
		cmocka_unit_test(the_first_three_come_soon_and_then_seldom),
		cmocka_unit_test(
			a_question_is_answered_soon_but_a_flood_only_each_three_seconds),
		cmocka_unit_test(the_last_word_is_lifetime_zero),
		cmocka_unit_test(a_change_is_told_soon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
