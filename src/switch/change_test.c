/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of configuration: what stays, what goes, what is refused. */
#include "switch/test_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "switch/internal.h"

#define STATION5 "203.0.113.5"

static void to_green(struct rig *r)
{
	rig_send_ip(r, 1,
		    &(struct rig_ip){ .from = "198.51.100.1", .to = STATION5 });
}

static void station5_is_known(struct rig *r)
{
	to_green(r);
	rig_send_arp(r, 5,
		     &(struct rig_arp){ .spa = STATION5,
					.tpa = "203.0.113.254",
					.reply = true });
	rig_drain(r, 0);
}

/* Routed at once, by one port, with no question before. */
static void station5_is_still_known(struct rig *r)
{
	to_green(r);
	assert_memory_equal(rig_must_take(r, 5)->b, rig_mac(5).b, 6);
	assert_int_equal(rig_drain(r, 0), 0);
}

static void stations_and_neighbours_outlive_a_change(void **state)
{
	struct rig *r = *state;

	station5_is_known(r);
	r->house.domains[RIG_GREEN].mtu = 1280;
	r->house.ifaces[RIG_GREEN].mtu = 1280;
	r->house.ports[3].isolated = true;
	rig_apply(r);
	station5_is_still_known(r);
	assert_int_equal(rig_where(r, RIG_BLUE, 1), 1);
}

static void a_network_renamed_keeps_what_it_learned(void **state)
{
	struct rig *r = *state;

	station5_is_known(r);
	r->house.domains[RIG_GREEN].name = "verdant";
	rig_apply(r);
	station5_is_still_known(r);
}

static void other_bridges_coming_and_going_change_nothing(void **state)
{
	struct desired_bridge more[3] = { { .name = "b2" } };
	struct rig *r = *state;

	station5_is_known(r);
	more[1] = r->house.bridges[0];
	more[2] = r->house.bridges[1];
	/* All indices move; the names are what counts. */
	for (unsigned i = 0; i < RIG_PORTS; i++)
		r->house.ports[i].bridge++;
	for (unsigned i = 0; i < RIG_NETS; i++)
		r->house.domains[i].bridge++;
	r->house.d.bridges = more;
	r->house.d.n_bridges = 3;
	rig_apply(r);
	station5_is_still_known(r);
	for (unsigned i = 0; i < RIG_PORTS; i++)
		r->house.ports[i].bridge--;
	for (unsigned i = 0; i < RIG_NETS; i++)
		r->house.domains[i].bridge--;
	r->house.d.bridges = r->house.bridges;
	r->house.d.n_bridges = RIG_NETS;
	rig_apply(r);
	station5_is_still_known(r);
}

static void a_port_that_moves_takes_no_frames_along(void **state)
{
	struct rig *r = *state;
	unsigned known = 0;

	rig_send_arp(r, 2,
		     &(struct rig_arp){ .spa = "198.51.100.2",
					.tpa = "198.51.100.1" });
	assert_int_equal(rig_where(r, RIG_BLUE, 2), 2);
	r->house.ports[1].mac_limit = 5;
	r->house.ports[1].bridge = RIG_GREEN;
	rig_apply(r);
	rig_drain(r, 0);
	assert_int_equal(rig_where(r, RIG_BLUE, 2), 0);
	rig_send_ip(r, 1,
		    &(struct rig_ip){ .from = "198.51.100.1",
				      .to = "198.51.100.2",
				      .to_station = 2 });
	rig_must_be_quiet(r, 2);
	assert_int_equal(rig_drain(r, 3), 1); /* unknown here: flooded */
	/* Its limit came along. */
	for (uint32_t i = 0; i < 20; i++)
		rig_send_ip(r, 2,
			    &(struct rig_ip){ .from = "203.0.113.2",
					      .to = "203.0.113.3",
					      .station = 100 + i,
					      .to_station = 90 });
	for (uint32_t i = 0; i < 20; i++)
		known += rig_where(r, RIG_GREEN, 100 + i) == 2;
	assert_int_equal(known, 5);
}

static void a_bridge_that_is_removed_forgets(void **state)
{
	struct rig *r = *state;

	station5_is_known(r);
	r->house.d.n_routers = 0;
	r->house.d.n_domains = r->house.d.n_bridges = 1;
	r->house.d.n_ports = RIG_BLUE_PORTS;
	rig_apply(r);
	assert_int_equal(rig_where(r, RIG_GREEN, 5), 0);
	r->house.d.n_routers = 1;
	r->house.d.n_domains = r->house.d.n_bridges = RIG_NETS;
	r->house.d.n_ports = RIG_PORTS;
	rig_apply(r);
	to_green(r);
	seen_is_arp_request(rig_must_take(r, 5), STATION5, 0);
}

static void
packets_that_wait_are_given_back_when_their_network_goes(void **state)
{
	struct rig *r = *state;
	unsigned before = packet_pool_free_count(r->sw->pool);

	for (unsigned i = 0; i < 5; i++)
		to_green(r);
	assert_int_equal(packet_pool_free_count(r->sw->pool), before - 5);
	r->house.d.n_routers = 0;
	rig_apply(r);
	assert_int_equal(packet_pool_free_count(r->sw->pool), before);
}

/* --- storm limits --- */

static uint32_t largest_meter(struct rig *r)
{
	const struct snapshot *s = switch_snapshot(r->sw);
	uint32_t n = 0;

	for (uint32_t i = 1; i < s->n_ports; i++)
		if (s->ports[i])
			n = MAX(n, s->ports[i]->meter_broadcast);
	return n;
}

static void meters_of_ports_that_are_gone_are_free(void **state)
{
	struct rig *r = *state;
	unsigned used = 0;

	for (unsigned i = 0; i < RIG_PORTS; i++)
		r->house.ports[i].storm.of[STORM_BROADCAST] =
			(struct storm_limit){ 10, 10 };
	for (uint32_t i = 0; i < 50; i++) {
		/* Each time all have other numbers. */
		for (uint32_t n = 0; n < RIG_PORTS; n++)
			r->house.ports[n].id = 20 + i * RIG_PORTS + n;
		rig_apply(r);
		assert_true(largest_meter(r) > 0);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(r->sw->storm.used); i++)
		used += (unsigned)__builtin_popcountll(r->sw->storm.used[i]);
	assert_int_equal(used, RIG_PORTS);
}

static void a_storm_is_cut_to_its_limit(void **state)
{
	struct rig *r = *state;

	r->house.ports[0].storm.of[STORM_BROADCAST] =
		(struct storm_limit){ 10, 10 };
	rig_apply(r);
	for (unsigned i = 0; i < 100; i++)
		rig_send_arp(r, 1,
			     &(struct rig_arp){ .spa = "198.51.100.1",
						.tpa = "198.51.100.77" });
	assert_int_equal(rig_drain(r, 2), 10);
	assert_int_equal(rig_drops(r, 1, DROP_METER), 90);
}

/* --- rules --- */

static const char *const drop_arp[] = { "priority=10,arp actions=drop" };
static const char *const keep_order[] = { "priority=20,tcp actions=drop",
					  "priority=10,arp actions=drop" };

static void broadcast_arp(struct rig *r)
{
	rig_send_arp(r, 1,
		     &(struct rig_arp){ .spa = "198.51.100.1",
					.tpa = "198.51.100.77" });
}

/* What the rule of this text counted. */
static uint64_t counted(struct rig *r, const char *text)
{
	const struct sw_bridge *b = sw_bridge(r->sw, 0);
	uint64_t packets, bytes;

	for (unsigned i = 0; i < b->n_rules; i++)
		if (!strcmp(b->rule_counts[i].text, text)) {
			switch_count(r->sw, b->rule_counts[i].counter, &packets,
				     &bytes);
			assert_int_equal(bytes, packets * 60);
			return packets;
		}
	fail_msg("there is no rule %s", text);
	return 0;
}

static void a_rule_goes_on_counting_over_a_change(void **state)
{
	struct rig *r = *state;

	r->house.bridges[RIG_BLUE].rules = drop_arp;
	r->house.bridges[RIG_BLUE].n_rules = 1;
	rig_apply(r);
	broadcast_arp(r);
	broadcast_arp(r);
	assert_int_equal(rig_drain(r, 0), 0);
	assert_int_equal(counted(r, drop_arp[0]), 2);
	r->house.bridges[RIG_BLUE].rules = keep_order;
	r->house.bridges[RIG_BLUE].n_rules = 2;
	rig_apply(r);
	broadcast_arp(r);
	assert_int_equal(counted(r, drop_arp[0]), 3);
	assert_int_equal(counted(r, keep_order[0]), 0);
}

static unsigned counters_used(struct rig *r)
{
	unsigned n = 0;

	for (unsigned i = 0; i < SWITCH_COUNTERS; i++)
		n += r->sw->counters[i].used;
	return n;
}

static void a_new_rule_counts_from_zero(void **state)
{
	struct rig *r = *state;

	for (unsigned i = 0; i < 3; i++) {
		r->house.bridges[RIG_BLUE].rules = drop_arp;
		r->house.bridges[RIG_BLUE].n_rules = 1;
		rig_apply(r);
		assert_int_equal(counted(r, drop_arp[0]), 0);
		broadcast_arp(r);
		assert_int_equal(counted(r, drop_arp[0]), 1);
		assert_int_equal(counters_used(r), 1);
		r->house.bridges[RIG_BLUE].n_rules = 0;
		rig_apply(r);
		assert_int_equal(counters_used(r), 0);
		r->sw->counter_hint = 0;
	}
	broadcast_arp(r);
	assert_int_equal(rig_drain(r, 2), 1);
}

static void a_rule_names_a_port(void **state)
{
	static const char *const to_2[] = { "arp actions=output:p2" };
	struct rig *r = *state;

	r->house.bridges[RIG_BLUE].rules = to_2;
	r->house.bridges[RIG_BLUE].n_rules = 1;
	rig_apply(r);
	broadcast_arp(r);
	assert_int_equal(rig_drain(r, 2), 1);
	assert_int_equal(rig_drain(r, 0), 0);
}

/* --- what is refused --- */

static void two_peers_of_one_address_are_refused(void **state)
{
	struct rig *r = *state;
	struct err e = ERR_INIT;

	r->house.peers[1].address = r->house.peers[0].address;
	r->house.d.peers = r->house.peers;
	r->house.d.n_peers = RIG_N_PEERS;
	assert_int_equal(switch_check(&r->house.d, &e), -EINVAL);
	assert_non_null(strstr(e.text, "peer-a and peer-b"));
	err_fini(&e);
}

static void a_rule_that_does_not_parse_is_refused_with_its_place(void **state)
{
	static const char *const rules[] = { "priority=1,arp actions=drop",
					     "fly" };
	struct rig *r = *state;
	struct err e = ERR_INIT;

	r->house.bridges[0].rules = rules;
	r->house.bridges[0].n_rules = 2;
	r->house.bridges[0].origin = (struct snap_origin){ "net.yaml", 12 };
	assert_int_equal(switch_check(&r->house.d, &e), -EINVAL);
	assert_non_null(strstr(e.text, "bridge b0, rule 2"));
	assert_int_equal(e.line, 12);
	err_fini(&e);
}

/* --- numbers --- */

static void port_numbers_are_used_once_until_released(void **state)
{
	struct rig *r = *state;
	uint32_t a = switch_port_number(r->sw), b = switch_port_number(r->sw);

	assert_true(a && b && a != b);
	switch_port_release(r->sw, a);
	/* The others come first: a number rests as long as it can. */
	assert_int_not_equal(switch_port_number(r->sw), a);
	for (uint32_t i = 0; i < DP_MAX_PORTS - 2; i++)
		assert_true(switch_port_number(r->sw));
	assert_int_equal(switch_port_number(r->sw), 0);
	switch_port_release(r->sw, b);
	assert_int_equal(switch_port_number(r->sw), b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(stations_and_neighbours_outlive_a_change),
		RIG_TEST(a_network_renamed_keeps_what_it_learned),
		RIG_TEST(other_bridges_coming_and_going_change_nothing),
		RIG_TEST(a_port_that_moves_takes_no_frames_along),
		RIG_TEST(a_bridge_that_is_removed_forgets),
		RIG_TEST(
			packets_that_wait_are_given_back_when_their_network_goes),
		RIG_TEST(meters_of_ports_that_are_gone_are_free),
		RIG_TEST(a_storm_is_cut_to_its_limit),
		RIG_TEST(a_rule_goes_on_counting_over_a_change),
		RIG_TEST(a_new_rule_counts_from_zero),
		RIG_TEST(a_rule_names_a_port),
		RIG_TEST(two_peers_of_one_address_are_refused),
		RIG_TEST(a_rule_that_does_not_parse_is_refused_with_its_place),
		RIG_TEST(port_numbers_are_used_once_until_released),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
