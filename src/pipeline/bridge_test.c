/* SPDX-License-Identifier: Apache-2.0 */
/* The learning bridge without VLANs: learn, forward, flood, refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "pipeline/test_net.h"

#define STATION(n) "02:00:00:00:00:0" #n
#define FRAME(port, src, dst)                                                  \
	"in_port=" #port ",eth_src=" STATION(src) ",eth_dst=" STATION(dst)
#define TO(port, src, dst)                                                     \
	"in_port=" #port ",eth_src=" STATION(src) ",eth_dst=" dst
#define BROADCAST "ff:ff:ff:ff:ff:ff"
#define STATIC 9u

/* p1, p2 and p3 on a bridge. */
struct bridged {
	struct net *n;
	struct snap_bridge *b;
	struct snap_domain *d;
	struct snap_port *p[4];
};

static struct bridged bridged(void)
{
	struct bridged t = { .n = net_create() };

	t.b = net_bridge(t.n, false);
	t.d = net_domain(t.n, t.b, 0, 0);
	for (uint32_t i = 1; i < 4; i++)
		t.p[i] = net_port(t.n, i, t.b, "");
	net_freeze(t.n);
	return t;
}

static void an_unknown_station_is_looked_for_everywhere(void **state UNUSED)
{
	struct bridged t = bridged();

	net_expect(t.n, FRAME(1, 1, 2), "output:2,output:3");
	net_expect(t.n, FRAME(3, 1, 2), "output:1,output:2");
	net_destroy(t.n);
}

static void a_known_station_is_reached_by_its_port(void **state UNUSED)
{
	struct bridged t = bridged();

	net_learn(t.n, t.d, 2, 3);
	net_expect(t.n, FRAME(1, 1, 2), "output:3");
	assert_true(t.n->v.cacheable);
	net_destroy(t.n);
}

static void a_frame_does_not_go_back(void **state UNUSED)
{
	struct bridged t = bridged();

	net_learn(t.n, t.d, 2, 1);
	net_expect(t.n, FRAME(1, 1, 2), "drop(same-port)");
	assert_int_equal(t.n->v.drop, DROP_SAME_PORT);
	net_destroy(t.n);
}

static void learning_is_told_and_not_done(void **state UNUSED)
{
	struct bridged t = bridged();
	struct effect want = { .kind = EFFECT_LEARN,
			       .id = t.b->id,
			       .port = 1,
			       .mac = net_mac(1) };
	struct dep dep;

	net_translate(t.n, FRAME(1, 1, 2));
	assert_int_equal(t.n->v.n_effects, 1);
	assert_memory_equal(&t.n->v.effects[0], &want, sizeof(want));
	assert_false(mac_table_find(t.b->macs, 0, net_mac(1), &dep).found);
	net_destroy(t.n);
}

static void
a_station_that_comes_or_moves_makes_verdicts_stale(void **state UNUSED)
{
	struct bridged t = bridged();

	net_translate(t.n, FRAME(1, 1, 2));
	net_learn(t.n, t.d, 3, 3);
	assert_true(net_is_fresh(t.n, &t.n->v));
	net_learn(t.n, t.d, 2, 3);
	assert_false(net_is_fresh(t.n, &t.n->v));
	net_expect(t.n, FRAME(1, 1, 2), "output:3");
	net_learn(t.n, t.d, 2, 2);
	assert_false(net_is_fresh(t.n, &t.n->v));
	net_expect(t.n, FRAME(1, 1, 2), "output:2");
	net_destroy(t.n);
}

static void a_new_snapshot_makes_verdicts_stale(void **state UNUSED)
{
	struct bridged t = bridged();

	net_translate(t.n, FRAME(1, 1, 2));
	assert_true(net_is_fresh(t.n, &t.n->v));
	stamp_bump(&t.n->stamps, STAMP_SNAPSHOT);
	assert_false(net_is_fresh(t.n, &t.n->v));
	/* Whoever still has the old snapshot makes nothing that is fresh. */
	net_translate(t.n, FRAME(1, 1, 2));
	assert_false(net_is_fresh(t.n, &t.n->v));
	net_destroy(t.n);
}

static void a_static_station_is_believed_at_its_port_only(void **state UNUSED)
{
	struct bridged t = bridged();

	assert_int_equal(mac_table_put_static(t.b->macs, 0, net_mac(STATIC), 2),
			 0);
	net_expect(t.n, FRAME(1, 9, 2), "drop(mac-static)");
	assert_false(net_has_effect(t.n, EFFECT_LEARN));
	net_expect(t.n, FRAME(2, 9, 1), "output:1,output:3");
	assert_false(net_has_effect(t.n, EFFECT_LEARN));
	net_expect(t.n, FRAME(1, 1, 9), "output:2");
	mac_table_del(t.b->macs, 0, net_mac(STATIC));
	assert_false(net_is_fresh(t.n, &t.n->v));
	net_destroy(t.n);
}

static void a_group_is_nobodys_source(void **state UNUSED)
{
	struct bridged t = bridged();

	net_expect(t.n,
		   "in_port=1,eth_src=03:00:00:00:00:01,eth_dst=" STATION(2),
		   "drop(source-multicast)");
	assert_int_equal(t.n->v.n_effects, 0);
	net_destroy(t.n);
}

static void reserved_groups_stay_on_their_link(void **state UNUSED)
{
	struct bridged t = bridged();

	net_expect(t.n, TO(1, 1, "01:80:c2:00:00:00"), "drop(reserved-mac)");
	net_expect(t.n, TO(1, 1, "01:80:c2:00:00:0e"), "drop(reserved-mac)");
	assert_int_equal(t.n->v.n_effects, 0);
	net_expect(t.n, TO(1, 1, "01:80:c2:00:00:10"), "output:2,output:3");
	net_destroy(t.n);
}

static void a_transparent_bridge_forwards_all_but_pause(void **state UNUSED)
{
	struct bridged t = bridged();

	t.b->forward_bpdu = true;
	net_expect(t.n, TO(1, 1, "01:80:c2:00:00:00"), "output:2,output:3");
	net_expect(t.n, TO(1, 1, "01:80:c2:00:00:01"), "drop(reserved-mac)");
	net_destroy(t.n);
}

static void a_port_that_is_not_there_brings_nothing(void **state UNUSED)
{
	struct bridged t = bridged();

	net_expect(t.n, FRAME(9, 1, 2), "drop(no-bridge)");
	net_expect(t.n, "in_port=4000000000", "drop(no-bridge)");
	net_routed(t.n, 8);
	net_expect(t.n, "in_port=8,packet_type=0x10800,ip,nw_dst=10.0.0.1",
		   "drop(no-bridge)");
	net_destroy(t.n);
}

static void a_blocked_port_passes_nothing_either_way(void **state UNUSED)
{
	struct bridged t = bridged();

	t.p[2]->blocked = true;
	net_expect(t.n, FRAME(2, 1, 3), "drop(loop)");
	assert_int_equal(t.n->v.n_effects, 0);
	net_expect(t.n, FRAME(1, 1, 3), "output:3");
	net_learn(t.n, t.d, 2, 2);
	net_expect(t.n, FRAME(1, 1, 2), "drop(loop)");
	net_destroy(t.n);
}

static void a_loop_probe_is_taken_even_at_a_blocked_port(void **state UNUSED)
{
	struct bridged t = bridged();

	t.b->loop_guard = true;
	t.p[2]->blocked = true;
	net_expect(t.n, TO(2, 1, "03:00:00:00:00:00"),
		   "punt(loop-probe,0xffffffff,0xffffffff)");
	t.b->loop_guard = false;
	net_expect(t.n, TO(1, 1, "03:00:00:00:00:00"), "output:3");
	net_destroy(t.n);
}

static void isolated_ports_reach_all_but_each_other(void **state UNUSED)
{
	struct bridged t = bridged();

	t.p[1]->isolated = t.p[2]->isolated = true;
	net_expect(t.n, TO(1, 1, BROADCAST), "output:3");
	net_expect(t.n, TO(3, 1, BROADCAST), "output:1,output:2");
	net_learn(t.n, t.d, 2, 2);
	net_learn(t.n, t.d, 3, 3);
	net_expect(t.n, FRAME(1, 1, 2), "drop(isolated)");
	net_expect(t.n, FRAME(1, 1, 3), "output:3");
	net_expect(t.n, FRAME(3, 3, 2), "output:2");
	net_destroy(t.n);
}

static void where_nobody_else_is_a_frame_is_dropped(void **state UNUSED)
{
	struct bridged t = bridged();

	t.p[2]->blocked = t.p[3]->blocked = true;
	net_expect(t.n, TO(1, 1, BROADCAST), "drop(no-members)");
	net_expect(t.n, FRAME(1, 1, 2), "drop(no-members)");
	net_destroy(t.n);
}

static void a_storm_is_metered_by_its_kind(void **state UNUSED)
{
	struct bridged t = bridged();

	t.p[1]->meter_broadcast = 7;
	t.p[1]->meter_multicast = 8;
	t.p[1]->meter_unknown = 9;
	net_expect(t.n, TO(1, 1, BROADCAST), "meter:7,output:2,output:3");
	net_expect(t.n, TO(1, 1, "01:00:5e:01:01:01"),
		   "meter:8,output:2,output:3");
	net_expect(t.n, FRAME(1, 1, 2), "meter:9,output:2,output:3");
	net_learn(t.n, t.d, 2, 2);
	net_expect(t.n, FRAME(1, 1, 2), "output:2");
	net_expect(t.n, TO(2, 2, BROADCAST), "output:1,output:3");
	net_destroy(t.n);
}

static void what_is_too_long_for_a_port_is_told(void **state UNUSED)
{
	struct bridged t = bridged();

	t.p[3]->mtu = 1400;
	net_learn(t.n, t.d, 3, 3);
	net_expect(t.n, FRAME(1, 1, 3) ",ip",
		   "check_len(1400,punt(too-big,0x0,0xffffffff,0x578)),"
		   "output:3");
	/* No ICMP for what is not IP; none on the way to a larger port. */
	net_expect(t.n, FRAME(1, 1, 3) ",eth_type=0x88cc", "output:3");
	net_learn(t.n, t.d, 1, 1);
	net_expect(t.n, FRAME(3, 3, 1) ",ip", "output:1");
	net_destroy(t.n);
}

static void a_port_that_left_its_bridge_is_nowhere(void **state UNUSED)
{
	struct bridged t = bridged();

	net_learn(t.n, t.d, 2, 9);
	net_expect(t.n, FRAME(1, 1, 2), "output:2,output:3");
	net_routed(t.n, 9);
	net_expect(t.n, FRAME(1, 1, 2), "output:2,output:3");
	net_destroy(t.n);
}

static void it_looks_at_addresses_and_tags_only(void **state UNUSED)
{
	struct bridged t = bridged();
	struct flow_mask want = { { 0 } };

	net_translate(t.n, FRAME(1, 1, 2) ",tcp,tp_dst=80");
	MASK_SET(&want, in_port);
	MASK_SET(&want, eth_src);
	MASK_SET(&want, eth_dst);
	MASK_SET(&want, vlan);
	assert_true(mask_equal(&t.n->v.mask, &want));
	net_destroy(t.n);
}

static void a_frame_of_our_own_is_bridged_and_not_learned(void **state UNUSED)
{
	struct bridged t = bridged();
	struct flow_key k = net_key(FRAME(0, 1, 2));

	pipeline_originate(t.n->s, t.d->id, &k, &t.n->v, NULL);
	assert_string_equal(net_actions(t.n), "output:1,output:2,output:3");
	assert_int_equal(t.n->v.n_effects, 0);
	net_learn(t.n, t.d, 2, 2);
	pipeline_originate(t.n->s, t.d->id, &k, &t.n->v, NULL);
	assert_string_equal(net_actions(t.n), "output:2");
	pipeline_originate(t.n->s, 77, &k, &t.n->v, NULL);
	assert_string_equal(net_actions(t.n), "drop(no-bridge)");
	net_destroy(t.n);
}

static void a_trace_tells_each_step(void **state UNUSED)
{
	struct bridged t = bridged();

	net_learn(t.n, t.d, 2, 3);
	net_translate(t.n, FRAME(1, 1, 2));
	assert_string_equal(str_text(&t.n->told),
			    "0 port p1: enters\n"
			    "0 bridge net0: in VLAN 0 of bridge br0\n"
			    "0 bridge net0: knows the station behind p3\n"
			    "0 output p3: leaves\n");
	net_translate(t.n, FRAME(1, 1, 4));
	assert_string_equal(str_text(&t.n->told),
			    "0 port p1: enters\n"
			    "0 bridge net0: in VLAN 0 of bridge br0\n"
			    "0 bridge net0: does not know the station yet\n"
			    "0 bridge net0: flooded to 2 ports and 0 peers\n");
	net_translate(t.n, FRAME(3, 1, 2));
	assert_string_equal(str_text(&t.n->told),
			    "0 port p3: enters\n"
			    "0 bridge net0: in VLAN 0 of bridge br0\n"
			    "0 port p3: is where it would leave\n"
			    "0 drop same-port: its destination is where it "
			    "came from\n");
	net_destroy(t.n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unknown_station_is_looked_for_everywhere),
		cmocka_unit_test(a_known_station_is_reached_by_its_port),
		cmocka_unit_test(a_frame_does_not_go_back),
		cmocka_unit_test(learning_is_told_and_not_done),
		cmocka_unit_test(
			a_station_that_comes_or_moves_makes_verdicts_stale),
		cmocka_unit_test(a_new_snapshot_makes_verdicts_stale),
		cmocka_unit_test(a_static_station_is_believed_at_its_port_only),
		cmocka_unit_test(a_group_is_nobodys_source),
		cmocka_unit_test(reserved_groups_stay_on_their_link),
		cmocka_unit_test(a_transparent_bridge_forwards_all_but_pause),
		cmocka_unit_test(a_port_that_is_not_there_brings_nothing),
		cmocka_unit_test(a_blocked_port_passes_nothing_either_way),
		cmocka_unit_test(a_loop_probe_is_taken_even_at_a_blocked_port),
		cmocka_unit_test(isolated_ports_reach_all_but_each_other),
		cmocka_unit_test(where_nobody_else_is_a_frame_is_dropped),
		cmocka_unit_test(a_storm_is_metered_by_its_kind),
		cmocka_unit_test(what_is_too_long_for_a_port_is_told),
		cmocka_unit_test(a_port_that_left_its_bridge_is_nowhere),
		cmocka_unit_test(it_looks_at_addresses_and_tags_only),
		cmocka_unit_test(a_frame_of_our_own_is_bridged_and_not_learned),
		cmocka_unit_test(a_trace_tells_each_step),
	};

	return cmocka_run_group_tests(tests, net_enter, net_leave);
}
