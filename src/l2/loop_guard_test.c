/* SPDX-License-Identifier: Apache-2.0 */
#include "l2/loop_guard.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/be.h"

#define T0 1000000u
#define MAX_PORTS 2000u

/* A bridge with its guard, and wires between its ports: wire[a] is the port a
 * frame sent out of a comes back in by; 0: nowhere. */
struct world {
	struct loop_guard *g;
	uint64_t now;
	uint32_t wire[MAX_PORTS];
	bool blocked[MAX_PORTS];
	unsigned n_sent, n_blocks, n_unblocks;
	uint64_t last_hold_ms;
	uint8_t last_frame[LOOP_FRAME_LEN];
};

static struct env_test env;

static struct world *world(unsigned n_ports)
{
	static struct world w;

	env_test_init(&env, 4);
	w = (struct world){ .now = T0 };
	w.g = loop_guard_create((struct eth_addr){ { 2, 0, 0, 0, 0, 1 } },
				&env.env);
	for (uint32_t p = 1; p <= n_ports; p++)
		assert_int_equal(loop_guard_port_add(w.g, p, 0, T0), 0);
	return &w;
}

static void world_do(struct world *w, const struct loop_out *o)
{
	switch (o->kind) {
	case LOOP_SEND:
		w->n_sent++;
		memcpy(w->last_frame, o->frame, sizeof(o->frame));
		if (w->wire[o->port])
			assert_true(loop_guard_rx(w->g, w->wire[o->port],
						  o->frame, LOOP_FRAME_LEN,
						  w->now));
		break;
	case LOOP_BLOCK:
		assert_false(w->blocked[o->port]);
		w->blocked[o->port] = true;
		w->last_hold_ms = o->hold_ms;
		w->n_blocks++;
		break;
	case LOOP_UNBLOCK:
		assert_true(w->blocked[o->port]);
		w->blocked[o->port] = false;
		w->n_unblocks++;
		break;
	}
}

static void drain(struct world *w)
{
	struct loop_out o;

	while (loop_guard_take(w->g, &o))
		world_do(w, &o);
	for (uint32_t p = 0; p < MAX_PORTS; p++)
		assert_int_equal(loop_guard_is_blocked(w->g, p), w->blocked[p]);
}

static void run(struct world *w, uint64_t ms)
{
	uint64_t end = w->now + ms;

	while (loop_guard_next_deadline(w->g) <= end) {
		w->now = MAX(w->now, loop_guard_next_deadline(w->g));
		loop_guard_tick(w->g, w->now);
		drain(w);
	}
	w->now = end;
}

static void connect_ports(struct world *w, uint32_t a, uint32_t b)
{
	w->wire[a] = b;
	w->wire[b] = a;
}

static void no_loop_blocks_nothing(void **state UNUSED)
{
	struct world *w = world(3);

	run(w, 60000);
	assert_int_equal(w->n_blocks, 0);
	assert_in_range(w->n_sent, 3 * 80, 3 * 90);
	loop_guard_destroy(w->g);
}

static void
a_loop_is_blocked_within_a_second_and_at_one_end(void **state UNUSED)
{
	struct world *w = world(3);

	run(w, 10000);
	connect_ports(w, 1, 3);
	run(w, 1000);
	assert_int_equal(w->n_blocks, 1);
	assert_true(w->blocked[3]);
	assert_false(w->blocked[1]);
	run(w, 3600000);
	assert_int_equal(w->n_blocks, 1);
	assert_int_equal(w->n_unblocks, 0);
	loop_guard_destroy(w->g);
}

static void the_port_with_the_higher_cost_is_blocked(void **state UNUSED)
{
	struct world *w = world(3);

	loop_guard_port_del(w->g, 1);
	assert_int_equal(loop_guard_port_add(w->g, 1, 7, w->now), 0);
	assert_int_equal(loop_guard_port_add(w->g, 1, 7, w->now), -EEXIST);
	connect_ports(w, 1, 3);
	run(w, 1000);
	assert_true(w->blocked[1]);
	assert_false(w->blocked[3]);
	loop_guard_destroy(w->g);
}

static void a_port_that_reflects_is_blocked_itself(void **state UNUSED)
{
	struct world *w = world(2);

	w->wire[1] = 1;
	run(w, 1000);
	assert_true(w->blocked[1]);
	assert_int_equal(w->n_blocks, 1);
	loop_guard_destroy(w->g);
}

static void when_the_loop_is_gone_the_port_opens_and_waits_longer_next_time(
	void **state UNUSED)
{
	struct world *w = world(2);
	uint64_t expect = LOOP_HOLD_MS;

	for (int i = 0; i < 10; i++) {
		connect_ports(w, 1, 2);
		run(w, 1000);
		assert_true(w->blocked[2]);
		assert_int_equal(w->last_hold_ms, expect);
		w->wire[1] = w->wire[2] = 0;
		run(w, expect - LOOP_INTERVAL_MS - 100);
		assert_true(w->blocked[2]);
		run(w, 1600);
		assert_false(w->blocked[2]);
		expect = MIN(expect * 2, LOOP_HOLD_MAX_MS);
	}
	run(w, LOOP_CALM_MS);
	connect_ports(w, 1, 2);
	run(w, 1000);
	assert_int_equal(w->last_hold_ms, LOOP_HOLD_MS);
	loop_guard_destroy(w->g);
}

/* Three ports on one foreign switch: whatever leaves one comes in by both
 * others. */
static void hub_run(struct world *w, uint64_t ms, bool with_1)
{
	uint64_t end = w->now + ms;
	struct loop_out o;

	for (; w->now < end; w->now += 50) {
		loop_guard_tick(w->g, w->now);
		while (loop_guard_take(w->g, &o)) {
			world_do(w, &o);
			for (uint32_t p = with_1 ? 1 : 2; p <= 3; p++)
				if (o.kind == LOOP_SEND && o.port != p &&
				    (with_1 || o.port != 1))
					loop_guard_rx(w->g, p, o.frame,
						      LOOP_FRAME_LEN, w->now);
		}
	}
}

static void of_three_ports_on_one_switch_one_stays_open(void **state UNUSED)
{
	struct world *w = world(3);

	hub_run(w, 20000, true);
	assert_false(w->blocked[1]);
	assert_true(w->blocked[2]);
	assert_true(w->blocked[3]);
	/* The open one is pulled out: another takes over. */
	hub_run(w, 20000, false);
	assert_false(w->blocked[2]);
	assert_true(w->blocked[3]);
	loop_guard_destroy(w->g);
}

static void jumping_stations_make_ports_probe_at_once(void **state UNUSED)
{
	struct world *w = world(300);

	run(w, 10000);
	connect_ports(w, 250, 299);
	loop_guard_flap(w->g, 250, 299, w->now);
	run(w, 60);
	assert_true(w->blocked[299]);
	loop_guard_destroy(w->g);
}

static void jumping_stations_alone_block_nothing(void **state UNUSED)
{
	struct world *w = world(2);

	for (int i = 0; i < 1000; i++) {
		loop_guard_flap(w->g, 1, 2, w->now);
		run(w, 10);
	}
	assert_int_equal(w->n_blocks, 0);
	assert_true(w->n_sent <= 2 * 10 * 11);
	loop_guard_destroy(w->g);
}

static void many_ports_are_probed_at_a_bounded_rate(void **state UNUSED)
{
	struct world *w = world(1000);

	run(w, 10000);
	assert_in_range(w->n_sent, 1800, 2100);
	connect_ports(w, 17, 900);
	run(w, 12000);
	assert_true(w->blocked[900]);
	loop_guard_destroy(w->g);
}

static void a_forged_foreign_or_old_probe_blocks_nothing(void **state UNUSED)
{
	struct world *w = world(2);
	uint8_t frame[LOOP_FRAME_LEN];

	run(w, 100);
	memcpy(frame, w->last_frame, sizeof(frame));
	for (unsigned bit = 12 * 8; bit < 46 * 8; bit++) {
		if (bit / 8 >= 19 && bit / 8 <= 21)
			continue; /* reserved bytes */
		frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(
			loop_guard_rx(w->g, 1, frame, sizeof(frame), w->now));
		frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_false(loop_guard_rx(w->g, 1, frame, 45, w->now));
	run(w, 5000);
	assert_true(loop_guard_rx(w->g, 1, frame, sizeof(frame), w->now));
	drain(w);
	assert_int_equal(w->n_blocks, 0);
	loop_guard_destroy(w->g);
}

static void a_guard_without_ports_never_wakes(void **state UNUSED)
{
	struct world *w = world(1);

	loop_guard_port_del(w->g, 1);
	loop_guard_port_del(w->g, 1);
	assert_int_equal(loop_guard_next_deadline(w->g), UINT64_MAX);
	loop_guard_destroy(w->g);
	loop_guard_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_loop_blocks_nothing),
		cmocka_unit_test(
			a_loop_is_blocked_within_a_second_and_at_one_end),
		cmocka_unit_test(the_port_with_the_higher_cost_is_blocked),
		cmocka_unit_test(a_port_that_reflects_is_blocked_itself),
		cmocka_unit_test(
			when_the_loop_is_gone_the_port_opens_and_waits_longer_next_time),
		cmocka_unit_test(of_three_ports_on_one_switch_one_stays_open),
		cmocka_unit_test(jumping_stations_make_ports_probe_at_once),
		cmocka_unit_test(jumping_stations_alone_block_nothing),
		cmocka_unit_test(many_ports_are_probed_at_a_bounded_rate),
		cmocka_unit_test(a_forged_foreign_or_old_probe_blocks_nothing),
		cmocka_unit_test(a_guard_without_ports_never_wakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
