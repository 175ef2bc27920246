/* SPDX-License-Identifier: Apache-2.0 */
/* The loop guard at work: blocked, told, and opened again. */
#include "switch/test_rig.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "l2/loop_guard.h"

/* A cable joins these two; the higher number is the one that is blocked. */
#define END_A 2u
#define END_B 3u
#define ROUND_MS (2 * LOOP_INTERVAL_MS)

static void guard(struct rig *r)
{
	r->house.bridges[RIG_BLUE].loop_guard = true;
	rig_apply(r);
}

static bool is_probe(const struct seen *s)
{
	return seen_16(s, 12) == LOOP_ETHERTYPE;
}

/* The newest probe that left by the port, to r->frame; its length. */
static uint32_t catch_probe(struct rig *r, uint32_t port)
{
	const struct seen *s;
	uint32_t len = 0;

	while ((s = rig_take(r, port)))
		if (is_probe(s)) {
			len = s->len;
			memcpy(r->frame, s->b, len);
		}
	return len;
}

/* The cable: one probe a time, enough to be caught, too little for a storm. */
static void carry(struct rig *r, uint32_t from, uint32_t to)
{
	uint32_t len = catch_probe(r, from);

	if (len)
		rig_send(r, to, r->frame, len);
}

static void close_loop(struct rig *r)
{
	guard(r);
	rig_pass_ms(r, ROUND_MS);
	carry(r, END_A, END_B);
	rig_drain(r, 0);
}

static unsigned flood_ports(struct rig *r)
{
	unsigned ports = 0;
	const struct seen *s;

	rig_drain(r, 0);
	rig_send_arp(r, 1,
		     &(struct rig_arp){ .spa = "198.51.100.1",
					.tpa = "198.51.100.77" });
	for (uint32_t i = 1; i <= RIG_BLUE_PORTS; i++)
		while ((s = rig_take(r, i)))
			if (!is_probe(s))
				ports |= 1u << i;
	return ports;
}

#define ALL_OPEN (1u << 2 | 1u << 3 | 1u << 4)
#define B_BLOCKED (1u << 2 | 1u << 4)

static void every_port_is_probed(void **state)
{
	struct rig *r = *state;

	guard(r);
	rig_pass_ms(r, ROUND_MS);
	for (uint32_t i = 1; i <= RIG_BLUE_PORTS; i++)
		assert_true(is_probe(rig_must_take(r, i)));
	rig_must_be_quiet(r, 5); /* the other bridge has no guard */
}

static void a_loop_is_blocked_and_told(void **state)
{
	struct rig *r = *state;

	close_loop(r);
	assert_int_equal(r->heard.blocks, 1);
	assert_int_equal(r->heard.port, END_B);
	assert_int_equal(r->heard.other, END_A);
	assert_int_equal(r->heard.rebuilds, 1);
	assert_int_equal(flood_ports(r), B_BLOCKED);
	rig_send_arp(r, END_B,
		     &(struct rig_arp){ .spa = "198.51.100.3",
					.tpa = "198.51.100.1" });
	assert_int_equal(rig_drops(r, END_B, DROP_LOOP), 1);
	rig_must_be_quiet(r, 1);
	assert_int_equal(rig_stats(r).punts[PUNT_LOOP_PROBE], 1);
}

static void a_blocked_port_stays_so_while_the_loop_lasts(void **state)
{
	struct rig *r = *state;

	close_loop(r);
	for (uint64_t ms = 0; ms < 4 * LOOP_HOLD_MS; ms += LOOP_INTERVAL_MS) {
		rig_pass_ms(r, LOOP_INTERVAL_MS);
		carry(r, END_A, END_B);
	}
	assert_int_equal(r->heard.blocks, 1);
	assert_int_equal(r->heard.unblocks, 0);
	assert_int_equal(flood_ports(r), B_BLOCKED);
}

static void a_loop_that_is_gone_is_opened_and_told(void **state)
{
	struct rig *r = *state;

	close_loop(r);
	rig_pass_ms(r, LOOP_HOLD_MS + LOOP_INTERVAL_MS);
	assert_int_equal(r->heard.unblocks, 1);
	assert_int_equal(r->heard.port, END_B);
	assert_int_equal(flood_ports(r), ALL_OPEN);
}

static void stations_behind_a_blocked_port_are_forgotten(void **state)
{
	struct rig *r = *state;

	guard(r);
	rig_send_arp(r, END_B,
		     &(struct rig_arp){ .spa = "198.51.100.3",
					.tpa = "198.51.100.1" });
	assert_int_equal(rig_where(r, RIG_BLUE, END_B), END_B);
	rig_pass_ms(r, ROUND_MS);
	carry(r, END_A, END_B);
	assert_int_equal(r->heard.blocks, 1);
	assert_int_equal(rig_where(r, RIG_BLUE, END_B), 0);
}

/* The fields behind the Ethernet header: magic, port, number, id, mark. */
#define PROBE_SIGNED_LEN 46u

static void a_forged_probe_blocks_nothing(void **state)
{
	struct rig *r = *state;
	uint32_t len;

	guard(r);
	rig_pass_ms(r, ROUND_MS);
	len = catch_probe(r, END_A);
	assert_true(len);
	for (uint32_t i = 14; i < PROBE_SIGNED_LEN; i++) {
		if (i >= 19 && i < 22)
			continue; /* zeroes that nobody reads */
		r->frame[i] ^= 1;
		rig_send(r, END_B, r->frame, len);
		r->frame[i] ^= 1;
	}
	assert_int_equal(r->heard.blocks, 0);
	rig_send(r, END_B, r->frame, len);
	assert_int_equal(r->heard.blocks, 1);
}

/* Nor does one that was kept: a probe counts for two rounds. */
static void a_probe_that_was_kept_blocks_nothing(void **state)
{
	struct rig *r = *state;
	uint32_t len;

	guard(r);
	rig_pass_ms(r, ROUND_MS);
	len = catch_probe(r, END_A);
	assert_true(len);
	rig_pass_ms(r, 3 * ROUND_MS);
	rig_send(r, END_B, r->frame, len);
	assert_int_equal(r->heard.blocks, 0);
}

static void switching_the_guard_off_opens_what_it_blocked(void **state)
{
	struct rig *r = *state;

	close_loop(r);
	r->house.bridges[RIG_BLUE].loop_guard = false;
	rig_apply(r);
	assert_int_equal(flood_ports(r), ALL_OPEN);
	r->house.bridges[RIG_BLUE].loop_guard = true;
	rig_apply(r);
	assert_int_equal(flood_ports(r), ALL_OPEN);
}

static void a_port_that_is_guarded_no_more_is_open(void **state)
{
	struct rig *r = *state;

	close_loop(r);
	r->house.ports[END_B - 1].loop_guard = false;
	rig_apply(r);
	assert_int_equal(flood_ports(r), ALL_OPEN);
}

/* A loop is found sooner when a station seems to be behind both its ends. */
static void a_station_that_jumps_hurries_the_probes(void **state)
{
	struct rig *r = *state;

	guard(r);
	rig_pass_ms(r, ROUND_MS + LOOP_INTERVAL_MS / 4);
	rig_drain(r, 0);
	for (unsigned i = 0; i < 4 * MAC_MOVES_MAX; i++)
		rig_send_ip(r, i & 1 ? END_A : END_B,
			    &(struct rig_ip){ .from = "198.51.100.7",
					      .to = "198.51.100.8",
					      .station = 50,
					      .to_station = 60 });
	rig_pass_ms(r, 20);
	assert_true(catch_probe(r, END_A));
	assert_true(catch_probe(r, END_B));
	assert_false(catch_probe(r, 4));
}

static void the_next_of_a_blocked_ports_number_is_open(void **state)
{
	struct rig *r = *state;
	struct desired_port last = r->house.ports[END_B - 1];

	close_loop(r);
	r->house.ports[END_B - 1] = r->house.ports[RIG_PORTS - 1];
	r->house.d.n_ports = RIG_PORTS - 1;
	rig_apply(r);
	rig_pass_ms(r, ROUND_MS);
	/* It is not probed any more either. */
	rig_must_be_quiet(r, END_B);
	r->house.ports[RIG_PORTS - 1] = last;
	r->house.d.n_ports = RIG_PORTS;
	rig_apply(r);
	assert_int_equal(flood_ports(r), ALL_OPEN);
}

static void a_port_that_is_not_to_be_guarded_is_not(void **state)
{
	struct rig *r = *state;

	r->house.ports[END_A - 1].loop_guard = false;
	guard(r);
	rig_pass_ms(r, ROUND_MS);
	rig_must_be_quiet(r, END_A);
	carry(r, END_B, END_A);
	/* It came back, though by a port that is not watched. */
	assert_int_equal(flood_ports(r) & 1u << END_A, 1u << END_A);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(every_port_is_probed),
		RIG_TEST(a_loop_is_blocked_and_told),
		RIG_TEST(a_blocked_port_stays_so_while_the_loop_lasts),
		RIG_TEST(a_loop_that_is_gone_is_opened_and_told),
		RIG_TEST(stations_behind_a_blocked_port_are_forgotten),
		RIG_TEST(a_forged_probe_blocks_nothing),
		RIG_TEST(a_probe_that_was_kept_blocks_nothing),
		RIG_TEST(switching_the_guard_off_opens_what_it_blocked),
		RIG_TEST(a_port_that_is_guarded_no_more_is_open),
		RIG_TEST(a_station_that_jumps_hurries_the_probes),
		RIG_TEST(the_next_of_a_blocked_ports_number_is_open),
		RIG_TEST(a_port_that_is_not_to_be_guarded_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
