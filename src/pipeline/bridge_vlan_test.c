/* SPDX-License-Identifier: Apache-2.0 */
/* A bridge with VLANs: which one a frame is in, and with which tag it leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "pipeline/test_net.h"

#define UNKNOWN "eth_src=02:00:00:00:00:01,eth_dst=02:00:00:00:00:02"
#define TAG(vid, pcp) ",vlan_tpid=0x8100,dl_vlan=" #vid ",dl_vlan_pcp=" #pcp
#define PUSH(vid, pcp) "push_vlan(tpid=0x8100,vid=" #vid ",pcp=" #pcp ")"

/* p1 and p2 access 10; p3 trunk 10, 20; p4 native 10, untagged; p5 native 20,
 * tagged; p6 dot1q-tunnel 30. */
struct tagged {
	struct net *n;
	struct snap_bridge *b;
	struct snap_domain *d10, *d20, *d30;
};

static struct tagged tagged(void)
{
	struct tagged t = { .n = net_create() };

	t.b = net_bridge(t.n, true);
	t.d20 = net_domain(t.n, t.b, 20, 0);
	t.d10 = net_domain(t.n, t.b, 10, 0);
	t.d30 = net_domain(t.n, t.b, 30, 0);
	net_port(t.n, 1, t.b, "access 10");
	net_port(t.n, 2, t.b, "access 10");
	net_port(t.n, 3, t.b, "trunk 10 20 40");
	net_port(t.n, 4, t.b, "native-untagged 10 20");
	net_port(t.n, 5, t.b, "native-tagged 20 30");
	net_port(t.n, 6, t.b, "dot1q-tunnel 30");
	net_freeze(t.n);
	return t;
}

static void
untagged_members_come_first_and_one_push_serves_the_rest(void **state UNUSED)
{
	struct tagged t = tagged();

	net_expect(t.n, "in_port=1," UNKNOWN,
		   "output:2,output:4," PUSH(10, 0) ",output:3");
	net_expect(t.n, "in_port=3," UNKNOWN TAG(20, 0), "output:4,output:5");
	net_destroy(t.n);
}

static void a_tag_goes_where_the_port_wants_none(void **state UNUSED)
{
	struct tagged t = tagged();

	net_learn(t.n, t.d10, 2, 2);
	net_expect(t.n, "in_port=3," UNKNOWN TAG(10, 5), "pop_vlan,output:2");
	net_expect(t.n, "in_port=1," UNKNOWN, "output:2");
	net_destroy(t.n);
}

static void a_tag_comes_where_the_port_wants_one(void **state UNUSED)
{
	struct tagged t = tagged();

	net_learn(t.n, t.d10, 2, 3);
	net_expect(t.n, "in_port=1," UNKNOWN, PUSH(10, 0) ",output:3");
	net_destroy(t.n);
}

static void a_tag_that_is_right_already_stays(void **state UNUSED)
{
	struct tagged t = tagged();

	net_learn(t.n, t.d20, 2, 4);
	net_expect(t.n, "in_port=3," UNKNOWN TAG(20, 6), "output:4");
	net_destroy(t.n);
}

static void the_priority_survives_a_change_of_tags(void **state UNUSED)
{
	struct tagged t = tagged();

	/* A priority tag: VLAN 0. */
	net_learn(t.n, t.d10, 2, 3);
	net_expect(t.n, "in_port=1," UNKNOWN TAG(0, 5),
		   "pop_vlan," PUSH(10, 5) ",output:3");
	/* A flood takes the tag off for some before others get one. */
	mac_table_flush(t.b->macs, MAC_ANY_PORT, MAC_ANY_VID);
	net_expect(t.n, "in_port=1," UNKNOWN TAG(0, 5),
		   "pop_vlan,output:2,output:4," PUSH(10, 5) ",output:3");
	net_expect(t.n, "in_port=4," UNKNOWN TAG(10, 3),
		   "pop_vlan,output:1,output:2," PUSH(10, 3) ",output:3");
	net_destroy(t.n);
}

static void a_vlan_that_the_port_is_not_in_is_refused(void **state UNUSED)
{
	struct tagged t = tagged();

	net_expect(t.n, "in_port=1," UNKNOWN TAG(20, 0), "drop(vlan-ingress)");
	net_expect(t.n, "in_port=3," UNKNOWN TAG(30, 0), "drop(vlan-ingress)");
	net_expect(t.n, "in_port=3," UNKNOWN TAG(4095, 0),
		   "drop(vlan-ingress)");
	/* The port is in it, but no network is. */
	net_expect(t.n, "in_port=3," UNKNOWN TAG(40, 0), "drop(vlan-ingress)");
	assert_int_equal(t.n->v.n_effects, 0);
	net_destroy(t.n);
}

static void a_plain_trunk_takes_tagged_frames_only(void **state UNUSED)
{
	struct tagged t = tagged();

	net_expect(t.n, "in_port=3," UNKNOWN, "drop(vlan-none)");
	net_expect(t.n, "in_port=3," UNKNOWN TAG(0, 3), "drop(vlan-none)");
	net_destroy(t.n);
}

static void
native_ports_take_untagged_frames_into_their_own(void **state UNUSED)
{
	struct tagged t = tagged();

	net_learn(t.n, t.d10, 2, 1);
	net_expect(t.n, "in_port=4," UNKNOWN, "output:1");
	net_learn(t.n, t.d20, 2, 5);
	net_expect(t.n, "in_port=4," UNKNOWN TAG(20, 0), "output:5");
	net_learn(t.n, t.d20, 2, 3);
	net_expect(t.n, "in_port=5," UNKNOWN, PUSH(20, 0) ",output:3");
	net_destroy(t.n);
}

static void a_customers_tag_stays_inside(void **state UNUSED)
{
	struct tagged t = tagged();

	net_expect(t.n, "in_port=6," UNKNOWN TAG(10, 1),
		   PUSH(30, 0) ",output:5");
	net_expect(t.n, "in_port=5," UNKNOWN TAG(30, 0), "pop_vlan,output:6");
	net_destroy(t.n);
}

static void a_port_writes_its_own_type_of_tag(void **state UNUSED)
{
	struct tagged t = tagged();

	t.n->s->ports[4]->vlan.tpid = VLAN_TPID_S;
	net_learn(t.n, t.d20, 2, 4);
	net_expect(t.n, "in_port=3," UNKNOWN TAG(20, 2),
		   "pop_vlan,push_vlan(tpid=0x88a8,vid=20,pcp=2),output:4");
	/* To it, a tag of the other type is none. */
	net_learn(t.n, t.d10, 2, 1);
	net_expect(t.n, "in_port=4," UNKNOWN TAG(20, 2), "output:1");
	net_destroy(t.n);
}

static void one_address_in_two_vlans_is_two_stations(void **state UNUSED)
{
	struct tagged t = tagged();

	net_learn(t.n, t.d10, 2, 2);
	net_learn(t.n, t.d20, 2, 3);
	net_expect(t.n, "in_port=1," UNKNOWN, "output:2");
	net_expect(t.n, "in_port=4," UNKNOWN TAG(20, 0), "output:3");
	assert_int_equal(t.n->v.effects[0].vid, 20);
	net_destroy(t.n);
}

static void a_bridge_without_vlans_takes_tags_as_they_are(void **state UNUSED)
{
	struct net *n = net_create();
	struct snap_bridge *b = net_bridge(n, false);

	net_domain(n, b, 0, 0);
	net_port(n, 1, b, "");
	net_port(n, 2, b, "");
	net_freeze(n);
	net_expect(n, "in_port=1," UNKNOWN TAG(10, 5), "output:2");
	net_destroy(n);
}

static void a_trace_tells_the_vlan(void **state UNUSED)
{
	struct tagged t = tagged();

	net_learn(t.n, t.d10, 2, 3);
	net_translate(t.n, "in_port=1," UNKNOWN);
	assert_string_equal(str_text(&t.n->told),
			    "0 port p1: enters\n"
			    "0 bridge net10: in VLAN 10 of bridge br0\n"
			    "0 bridge net10: knows the station behind p3\n"
			    "0 output p3: leaves with its VLAN tag\n");
	net_translate(t.n, "in_port=1," UNKNOWN TAG(20, 0));
	assert_non_null(strstr(str_text(&t.n->told), "0 drop vlan-ingress: "));
	net_destroy(t.n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			untagged_members_come_first_and_one_push_serves_the_rest),
		cmocka_unit_test(a_tag_goes_where_the_port_wants_none),
		cmocka_unit_test(a_tag_comes_where_the_port_wants_one),
		cmocka_unit_test(a_tag_that_is_right_already_stays),
		cmocka_unit_test(the_priority_survives_a_change_of_tags),
		cmocka_unit_test(a_vlan_that_the_port_is_not_in_is_refused),
		cmocka_unit_test(a_plain_trunk_takes_tagged_frames_only),
		cmocka_unit_test(
			native_ports_take_untagged_frames_into_their_own),
		cmocka_unit_test(a_customers_tag_stays_inside),
		cmocka_unit_test(a_port_writes_its_own_type_of_tag),
		cmocka_unit_test(one_address_in_two_vlans_is_two_stations),
		cmocka_unit_test(a_bridge_without_vlans_takes_tags_as_they_are),
		cmocka_unit_test(a_trace_tells_the_vlan),
	};

	return cmocka_run_group_tests(tests, net_enter, net_leave);
}
