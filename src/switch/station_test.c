/* SPDX-License-Identifier: Apache-2.0 */
/* Stations: learned, moved, aged, limited; and what waits in the punt queue. */
#include "switch/test_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "l2/mac_table.h"

static void talk(struct rig *r, uint32_t port, uint32_t station, uint32_t to)
{
	rig_send_ip(r, port,
		    &(struct rig_ip){ .from = "198.51.100.7",
				      .to = "198.51.100.8",
				      .station = station,
				      .to_station = to });
}

static void a_station_is_found_where_it_was_heard(void **state)
{
	struct rig *r = *state;

	talk(r, 2, 50, 60);
	assert_int_equal(rig_drain(r, 0), 3); /* 60 is unknown: flooded */
	talk(r, 1, 60, 50);
	assert_int_equal(rig_drain(r, 2), 1);
	assert_int_equal(rig_drain(r, 0), 0);
	assert_int_equal(rig_where(r, RIG_BLUE, 50), 2);
	assert_int_equal(rig_where(r, RIG_GREEN, 50), 0);
}

static void a_station_that_moves_is_followed(void **state)
{
	struct rig *r = *state;

	talk(r, 2, 50, 60);
	talk(r, 1, 60, 50);
	talk(r, 3, 50, 60);
	rig_drain(r, 0);
	talk(r, 1, 60, 50);
	assert_int_equal(rig_drain(r, 3), 1);
	assert_int_equal(rig_drain(r, 0), 0);
}

static void a_station_that_jumps_all_the_time_is_held(void **state)
{
	struct rig *r = *state;
	uint32_t at;

	for (unsigned i = 0; i < 4 * MAC_MOVES_MAX; i++)
		talk(r, i & 1 ? 2 : 3, 50, 60);
	at = rig_where(r, RIG_BLUE, 50);
	talk(r, at == 2 ? 3 : 2, 50, 60);
	assert_int_equal(rig_where(r, RIG_BLUE, 50), at);
	rig_pass_ms(r, MAC_HOLD_MS + 1000);
	talk(r, at == 2 ? 3 : 2, 50, 60);
	assert_int_equal(rig_where(r, RIG_BLUE, 50), at == 2 ? 3 : 2);
}

static void a_silent_station_is_forgotten(void **state)
{
	struct rig *r = *state;

	r->house.bridges[RIG_BLUE].mac_age_ms = 60000;
	rig_apply(r);
	talk(r, 2, 50, 60);
	talk(r, 3, 51, 60);
	rig_pass_ms(r, 40000);
	talk(r, 3, 51, 60);
	rig_pass_ms(r, 25000);
	assert_int_equal(rig_where(r, RIG_BLUE, 50), 0);
	assert_int_equal(rig_where(r, RIG_BLUE, 51), 3);
	rig_pass_ms(r, 60000);
	assert_int_equal(rig_where(r, RIG_BLUE, 51), 0);
}

static void a_port_has_no_more_stations_than_its_limit(void **state)
{
	struct rig *r = *state;
	unsigned known = 0;

	r->house.ports[1].mac_limit = 10;
	rig_apply(r);
	talk(r, 3, 49, 60);
	for (uint32_t i = 0; i < 40; i++)
		talk(r, 2, 100 + i, 60);
	for (uint32_t i = 0; i < 40; i++)
		known += rig_where(r, RIG_BLUE, 100 + i) == 2;
	assert_int_equal(known, 10);
	assert_int_equal(rig_where(r, RIG_BLUE, 49), 3);
	/* The limit is the port's, and it may rise. */
	r->house.ports[1].mac_limit = 0;
	rig_apply(r);
	talk(r, 2, 200, 60);
	assert_int_equal(rig_where(r, RIG_BLUE, 200), 2);
}

static void a_flooder_evicts_only_its_own_stations(void **state)
{
	struct rig *r = *state;

	r->house.bridges[RIG_BLUE].mac_limit = 64;
	rig_apply(r);
	for (uint32_t i = 0; i < 8; i++)
		talk(r, 1, 10 + i, 60);
	for (uint32_t i = 0; i < 300; i++)
		talk(r, 2, 1000 + i, 60);
	for (uint32_t i = 0; i < 8; i++)
		assert_int_equal(rig_where(r, RIG_BLUE, 10 + i), 1);
}

static void a_static_station_stays_where_the_file_says(void **state)
{
	struct desired_mac m = { rig_mac(50), 0, 1 };
	struct rig *r = *state;

	r->house.bridges[RIG_BLUE].macs = &m;
	r->house.bridges[RIG_BLUE].n_macs = 1;
	rig_apply(r);
	talk(r, 3, 50, 60);
	assert_int_equal(rig_drops(r, 3, DROP_MAC_STATIC), 1);
	assert_int_equal(rig_where(r, RIG_BLUE, 50), 2);
	m.port = 2;
	rig_apply(r);
	assert_int_equal(rig_where(r, RIG_BLUE, 50), 3);
	r->house.bridges[RIG_BLUE].n_macs = 0;
	rig_apply(r);
	assert_int_equal(rig_where(r, RIG_BLUE, 50), 0);
	talk(r, 4, 50, 60);
	assert_int_equal(rig_where(r, RIG_BLUE, 50), 4);
}

static void stations_go_with_their_port(void **state)
{
	struct rig *r = *state;

	talk(r, 2, 50, 60);
	switch_port_del(r->sw, r->port[2]);
	assert_int_equal(rig_where(r, RIG_BLUE, 50), 0);
	assert_int_equal(switch_port_add(r->sw, r->port[2]), 0);
}

static void a_device_that_fails_is_told(void **state)
{
	struct rig *r = *state;

	dummy_fail(r->port[2], -EIO);
	rig_settle(r);
	assert_int_equal(r->heard.failures, 1);
	assert_int_equal(r->heard.port, 2);
	assert_int_equal(r->heard.error, -EIO);
	dummy_fail(r->port[2], 0);
}

/* --- punts --- */

/* `n` questions for the router from the port, none of them served yet. */
static void ask(struct rig *r, uint32_t port, unsigned n)
{
	static const uint8_t head[8] = { 0, 1, 8, 0, 6, 4, 0, 1 };
	struct ip_addr to = rig_addr("198.51.100.254");
	uint8_t f[60];

	memset(f, 0, sizeof(f));
	memset(f, 0xff, 6);
	memcpy(f + 6, rig_mac(port).b, 6);
	f[12] = 8;
	f[13] = 6;
	memcpy(f + 14, head, 8);
	memcpy(f + 22, rig_mac(port).b, 6);
	memcpy(f + 28, "\xc6\x33\x64", 3);
	f[31] = (uint8_t)port;
	memcpy(f + 38, to.a.b + 12, 4);
	for (unsigned i = 0; i < n; i++)
		rig_give(r, port, f, sizeof(f));
}

static void a_flood_of_questions_takes_its_own_share_only(void **state)
{
	struct rig *r = *state;

	ask(r, 1, 10 * PUNT_PORT_SLOTS);
	ask(r, 2, 1);
	rig_poll(r);
	assert_int_equal(rig_drops(r, 1, DROP_PUNT_QUOTA), 9 * PUNT_PORT_SLOTS);
	rig_settle(r);
	assert_int_equal(rig_drain(r, 1), PUNT_PORT_SLOTS);
	assert_int_equal(rig_drain(r, 2), 1);
	assert_int_equal(rig_stats(r).punt_dropped, 9 * PUNT_PORT_SLOTS);
	assert_int_equal(rig_stats(r).punts[PUNT_ARP], PUNT_PORT_SLOTS + 1);
}

static void a_port_is_heard_only_so_often(void **state)
{
	struct rig *r = *state;

	for (unsigned i = 0; i < 400; i++) {
		ask(r, 1, 1);
		rig_settle(r);
	}
	assert_int_equal(rig_drain(r, 1), PUNT_PORT_BURST);
	rig_pass_ms(r, 50);
	for (unsigned i = 0; i < 400; i++) {
		ask(r, 1, 1);
		rig_settle(r);
	}
	assert_int_equal(rig_drain(r, 1), PUNT_PORT_RATE * 50 / 1000);
	ask(r, 2, 1);
	rig_settle(r);
	assert_int_equal(rig_drain(r, 2), 1);
}

static void all_ports_together_cannot_overflow_the_queue(void **state)
{
	struct rig *r = *state;
	uint64_t dropped;

	for (uint32_t i = 1; i <= RIG_BLUE_PORTS; i++)
		ask(r, i, 500);
	rig_poll(r);
	dropped = rig_stats(r).punt_dropped;
	assert_int_equal(dropped,
			 RIG_BLUE_PORTS * (500 - (uint64_t)PUNT_PORT_SLOTS));
	rig_settle(r);
	assert_int_equal(rig_drain(r, 0), RIG_BLUE_PORTS * PUNT_PORT_SLOTS);
	/* Served, the slots are free again. */
	rig_pass_ms(r, 1000);
	ask(r, 1, 1);
	rig_settle(r);
	assert_int_equal(rig_drain(r, 1), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(a_station_is_found_where_it_was_heard),
		RIG_TEST(a_station_that_moves_is_followed),
		RIG_TEST(a_station_that_jumps_all_the_time_is_held),
		RIG_TEST(a_silent_station_is_forgotten),
		RIG_TEST(a_port_has_no_more_stations_than_its_limit),
		RIG_TEST(a_flooder_evicts_only_its_own_stations),
		RIG_TEST(a_static_station_stays_where_the_file_says),
		RIG_TEST(stations_go_with_their_port),
		RIG_TEST(a_device_that_fails_is_told),
		RIG_TEST(a_flood_of_questions_takes_its_own_share_only),
		RIG_TEST(a_port_is_heard_only_so_often),
		RIG_TEST(all_ports_together_cannot_overflow_the_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
