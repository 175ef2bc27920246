/* SPDX-License-Identifier: Apache-2.0 */
/* Router advertisements: what they say, when, and the last one. */
#include "switch/test_rig.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "l3/ra.h"

#define RA 134u
#define RS 133u
#define MTU 1400u

static void advertise(struct rig *r)
{
	r->house.ifaces[RIG_BLUE].advertise = true;
	r->house.ifaces[RIG_BLUE].mtu = MTU;
	rig_apply(r);
}

/* Its lifetime in seconds; fails when the frame is no advertisement of blue. */
static uint16_t is_advertisement(const struct seen *s)
{
	uint32_t at = seen_is_icmp(s, RA, 0);
	struct ip6_addr from = ip6_addr_link_local(rig_router_mac());
	const uint8_t *o = s->b + at + 16;

	assert_memory_equal(s->b, "\x33\x33\0\0\0\1", 6);
	assert_memory_equal(s->b + 14 + 8, from.b, 16);
	assert_int_equal(s->b[14 + 7], 255);
	assert_int_equal(s->len, at + 16 + 8 + 8 + 32);
	assert_int_equal(o[0], 1); /* source address */
	assert_memory_equal(o + 2, rig_router_mac().b, 6);
	assert_int_equal(o[8], 5);
	assert_int_equal(seen_32(s, at + 16 + 8 + 4), MTU);
	assert_int_equal(o[16], 3);
	assert_int_equal(o[18], 64);
	assert_int_equal(o[19], 0xc0); /* on link, autonomous */
	assert_memory_equal(o + 32, rig_addr("2001:db8:1::").a.b, 16);
	return seen_16(s, at + 6);
}

static void solicit(struct rig *r, uint32_t port)
{
	static const uint8_t rs[8] = { RS };

	rig_send_ip(r, port,
		    &(struct rig_ip){ .from = "fe80::1",
				      .to = "ff02::2",
				      .to_group = true,
				      .ttl = 255,
				      .proto = 58,
				      .payload = rs,
				      .len = sizeof(rs) });
}

static void all_stations_of_the_network_hear_the_advertisement(void **state)
{
	struct rig *r = *state;

	advertise(r);
	rig_pass_ms(r, RA_DELAY_MAX_MS);
	for (uint32_t i = 1; i <= RIG_BLUE_PORTS; i++)
		assert_int_equal(is_advertisement(rig_must_take(r, i)),
				 RA_LIFETIME_S);
	assert_int_equal(rig_drain(r, 0), 0);
	assert_int_equal(rig_stats(r).ra_sent, 1);
}

static void the_first_three_come_soon_and_the_others_seldom(void **state)
{
	struct rig *r = *state;

	advertise(r);
	rig_pass_ms(r, RA_DELAY_MAX_MS + 2 * RA_INITIAL_MAX_MS);
	assert_true(rig_drain(r, 1) >= RA_INITIAL_COUNT);
	rig_pass_ms(r, RA_INTERVAL_MAX_MS);
	rig_drain(r, 0);
	rig_pass_ms(r, 6 * RA_INTERVAL_MAX_MS);
	assert_in_range(rig_drain(r, 1), 6,
			6 * RA_INTERVAL_MAX_MS / RA_INTERVAL_MIN_MS);
}

static void who_asks_is_answered_at_once_but_not_for_each_question(void **state)
{
	struct rig *r = *state;

	advertise(r);
	rig_pass_ms(r, 3 * RA_INITIAL_MAX_MS + RA_INTERVAL_MIN_MS / 2);
	rig_drain(r, 0);
	for (unsigned i = 0; i < 50; i++)
		solicit(r, 2);
	rig_drain(r, 1);
	rig_pass_ms(r, RA_DELAY_MAX_MS);
	assert_int_equal(is_advertisement(rig_must_take(r, 2)), RA_LIFETIME_S);
	rig_must_be_quiet(r, 2);
	solicit(r, 2);
	rig_pass_ms(r, RA_DELAY_MAX_MS);
	rig_must_be_quiet(r, 2);
	rig_pass_ms(r, RA_MIN_GAP_MS);
	assert_int_equal(is_advertisement(rig_must_take(r, 2)), RA_LIFETIME_S);
}

static void a_network_that_does_not_advertise_is_silent(void **state)
{
	struct rig *r = *state;

	solicit(r, 2);
	rig_drain(r, 0); /* the question itself goes to the neighbours */
	rig_pass_ms(r, RA_INTERVAL_MAX_MS);
	assert_int_equal(rig_drain(r, 0), 0);
	assert_int_equal(rig_stats(r).ra_sent, 0);
}

static void the_same_configuration_again_says_nothing_new(void **state)
{
	struct rig *r = *state;

	advertise(r);
	rig_pass_ms(r, 3 * RA_INITIAL_MAX_MS + RA_INTERVAL_MIN_MS / 2);
	rig_drain(r, 0);
	rig_apply(r);
	rig_pass_ms(r, 2 * RA_DELAY_MAX_MS + RA_MIN_GAP_MS);
	rig_must_be_quiet(r, 1);
	/* Another MTU is news. */
	r->house.ifaces[RIG_BLUE].mtu = 1280;
	rig_apply(r);
	rig_pass_ms(r, RA_DELAY_MAX_MS);
	seen_is_icmp(rig_must_take(r, 1), RA, 0);
}

static void started(struct rig *r)
{
	advertise(r);
	rig_pass_ms(r, RA_DELAY_MAX_MS);
	rig_drain(r, 0);
}

/* Exactly one frame to each station, and it says: no router any more. */
static void is_goodbye(struct rig *r)
{
	for (uint32_t i = 1; i <= RIG_BLUE_PORTS; i++)
		assert_int_equal(is_advertisement(rig_must_take(r, i)), 0);
	rig_pass_ms(r, RA_INTERVAL_MAX_MS);
	assert_int_equal(rig_drain(r, 0), 0);
}

static void who_advertises_no_more_says_goodbye(void **state)
{
	struct rig *r = *state;

	started(r);
	r->house.ifaces[RIG_BLUE].advertise = false;
	rig_apply(r);
	is_goodbye(r);
}

static void a_router_that_leaves_a_network_says_goodbye(void **state)
{
	struct rig *r = *state;

	started(r);
	r->house.router.ifaces = &r->house.ifaces[RIG_GREEN];
	r->house.router.n_ifaces = 1;
	rig_apply(r);
	is_goodbye(r);
}

static void a_router_that_is_removed_says_goodbye(void **state)
{
	struct rig *r = *state;

	started(r);
	r->house.d.n_routers = 0;
	rig_apply(r);
	is_goodbye(r);
}

static void a_change_just_before_does_not_keep_the_goodbye_back(void **state)
{
	struct rig *r = *state;

	started(r);
	r->house.ifaces[RIG_BLUE].mtu = MTU - 100;
	rig_apply(r);
	r->house.ifaces[RIG_BLUE].mtu = MTU;
	rig_apply(r);
	r->house.ifaces[RIG_BLUE].advertise = false;
	rig_apply(r);
	is_goodbye(r);
}

static void who_never_advertised_needs_no_goodbye(void **state)
{
	struct rig *r = *state;

	advertise(r);
	r->house.ifaces[RIG_BLUE].advertise = false;
	rig_apply(r);
	rig_pass_ms(r, RA_INTERVAL_MAX_MS);
	assert_int_equal(rig_drain(r, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(all_stations_of_the_network_hear_the_advertisement),
		RIG_TEST(the_first_three_come_soon_and_the_others_seldom),
		RIG_TEST(
			who_asks_is_answered_at_once_but_not_for_each_question),
		RIG_TEST(a_network_that_does_not_advertise_is_silent),
		RIG_TEST(the_same_configuration_again_says_nothing_new),
		RIG_TEST(who_advertises_no_more_says_goodbye),
		RIG_TEST(a_router_that_leaves_a_network_says_goodbye),
		RIG_TEST(a_router_that_is_removed_says_goodbye),
		RIG_TEST(a_change_just_before_does_not_keep_the_goodbye_back),
		RIG_TEST(who_never_advertised_needs_no_goodbye),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
