/* SPDX-License-Identifier: Apache-2.0 */
/* Between networks: routes, next hops, what a router answers itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "pipeline/test_net.h"

#define STATION "02:00:00:00:00:01"
#define ROUTER "02:00:00:00:fe:00"
#define IP4(src, dst, ttl)                                                     \
	"in_port=1,eth_src=" STATION ",eth_dst=" ROUTER ",ip,nw_src=" src      \
	",nw_dst=" dst ",nw_ttl=" #ttl
#define IP6(src, dst, ttl)                                                     \
	"in_port=1,eth_src=" STATION ",eth_dst=" ROUTER ",ipv6,ipv6_src=" src  \
	",ipv6_dst=" dst ",nw_ttl=" #ttl
#define BARE(src, dst, ttl)                                                    \
	"in_port=8,packet_type=0x10800,ip,nw_src=" src ",nw_dst=" dst          \
	",nw_ttl=" #ttl
#define A "10.0.1.5"
#define B "10.0.2.5"
#define FITS "check_len(1500,punt(too-big,0x0,0x0,0x5dc)),"
#define TO_MAC(n) "set_eth(dst=02:00:00:00:00:0" #n ",src=" ROUTER ")"

/* Two bridges, a router between: p1 in 10.0.1.0/24, p2 and p3 in 10.0.2.0/24,
 * p8 a layer 3 port in 10.0.8.0/24. */
struct routed {
	struct net *n;
	struct snap_router *r;
	struct snap_domain *a, *b;
	struct snap_iface *ia, *ib, *i8;
};

static struct routed prepare(void)
{
	struct routed t = { .n = net_create() };
	struct snap_bridge *ba = net_bridge(t.n, false);
	struct snap_bridge *bb = net_bridge(t.n, false);

	t.a = net_domain(t.n, ba, 0, 0);
	t.b = net_domain(t.n, bb, 0, 0);
	net_port(t.n, 1, ba, "");
	net_port(t.n, 2, bb, "");
	net_port(t.n, 3, bb, "");
	t.r = net_router(t.n);
	t.ia = net_iface(t.n, t.r, t.a, "10.0.1.1/24");
	net_address(t.n, t.ia, "2001:db8:1::1/64");
	t.ib = net_iface(t.n, t.r, t.b, "10.0.2.1/24");
	net_address(t.n, t.ib, "2001:db8:2::1/64");
	t.i8 = net_iface_on(t.n, t.r, net_routed(t.n, 8), "10.0.8.1/24");
	return t;
}

static void start(const struct routed *t)
{
	net_freeze(t->n);
	net_neigh(t->n, t->b, B, 5);
	net_neigh(t->n, t->b, "2001:db8:2::5", 5);
	net_neigh(t->n, t->b, "10.0.2.9", 9);
	net_learn(t->n, t->b, 5, 2);
	net_learn(t->n, t->b, 9, 3);
}

static struct routed routed(void)
{
	struct routed t = prepare();

	start(&t);
	return t;
}

static void a_packet_crosses_to_the_other_network(void **state UNUSED)
{
	struct routed t = routed();

	net_expect(t.n, IP4(A, B, 64), FITS "dec_ttl," TO_MAC(5) ",output:2");
	assert_true(net_has_effect(t.n, EFFECT_NEIGH));
	assert_true(net_has_effect(t.n, EFFECT_LEARN));
	net_expect(t.n, IP6("2001:db8:1::5", "2001:db8:2::5", 64),
		   FITS "dec_ttl," TO_MAC(5) ",output:2");
	net_destroy(t.n);
}

static void it_leaves_with_the_tag_of_its_new_network(void **state UNUSED)
{
	struct net *n = net_create();
	struct snap_bridge *b = net_bridge(n, true);
	struct snap_domain *d10 = net_domain(n, b, 10, 0);
	struct snap_domain *d20 = net_domain(n, b, 20, 0);
	struct snap_router *r = net_router(n);

	net_port(n, 1, b, "trunk 10 20");
	net_iface(n, r, d10, "10.0.1.1/24");
	net_iface(n, r, d20, "10.0.2.1/24");
	net_freeze(n);
	net_neigh(n, d20, B, 5);
	net_learn(n, d20, 5, 1);
	/* A router on a stick: out of the port it came from. */
	net_expect(n,
		   IP4(A, B, 64) ",vlan_tpid=0x8100,dl_vlan=10,dl_vlan_pcp=5",
		   FITS "pop_vlan,dec_ttl," TO_MAC(5) ",push_vlan(tpid=0x8100,"
						      "vid=20,pcp=0),output:1");
	/* ... also while the bridge does not know the station. */
	mac_table_flush(b->macs, MAC_ANY_PORT, MAC_ANY_VID);
	net_expect(n,
		   IP4(A, B, 64) ",vlan_tpid=0x8100,dl_vlan=10,dl_vlan_pcp=5",
		   FITS "pop_vlan,dec_ttl," TO_MAC(5) ",push_vlan(tpid=0x8100,"
						      "vid=20,pcp=0),output:1");
	net_destroy(n);
}

static void each_station_of_a_network_has_its_own_verdict(void **state UNUSED)
{
	struct routed t = routed();

	net_translate(t.n, IP4(A, B, 64));
	assert_true(net_looked_at(t.n, "ip,nw_dst=10.0.2.5"));
	net_expect(t.n, IP4(A, "10.0.2.9", 64),
		   FITS "dec_ttl," TO_MAC(9) ",output:3");
	net_translate(t.n, IP6("2001:db8:1::5", "2001:db8:2::5", 64));
	assert_true(net_looked_at(t.n, "ipv6,ipv6_dst=::1"));
	net_destroy(t.n);
}

static void behind_a_gateway_the_route_is_all_that_counts(void **state UNUSED)
{
	struct routed t = prepare();

	net_route(t.n, t.r, "10.9.0.0/16", "10.0.2.9", t.ib);
	start(&t);
	net_expect(t.n, IP4(A, "10.9.77.3", 64),
		   FITS "dec_ttl," TO_MAC(9) ",output:3");
	assert_true(net_looked_at(t.n, "ip,nw_dst=10.9.0.0/16"));
	assert_false(net_looked_at(t.n, "ip,nw_dst=10.9.0.0/17"));
	assert_false(net_looked_at(t.n, "ip,nw_src=10.0.0.0/9"));
	net_destroy(t.n);
}

static void the_longest_route_wins(void **state UNUSED)
{
	struct routed t = prepare();

	net_route(t.n, t.r, "10.9.0.0/16", "10.0.2.9", t.ib);
	net_route(t.n, t.r, "10.9.1.0/24", B, t.ib);
	net_route(t.n, t.r, "10.9.1.7/32", NULL, NULL);
	net_route(t.n, t.r, "10.9.2.0/24", "unreachable", NULL);
	start(&t);
	net_expect(t.n, IP4(A, "10.9.9.9", 64),
		   FITS "dec_ttl," TO_MAC(9) ",output:3");
	net_expect(t.n, IP4(A, "10.9.1.9", 64),
		   FITS "dec_ttl," TO_MAC(5) ",output:2");
	net_expect(t.n, IP4(A, "10.9.1.7", 64), "drop(blackhole)");
	net_expect(t.n, IP4(A, "10.9.2.7", 64),
		   "punt(no-route),drop(no-route)");
	net_destroy(t.n);
}

static void without_a_route_the_sender_is_told(void **state UNUSED)
{
	struct routed t = routed();

	net_expect(t.n, IP4(A, "192.0.2.1", 64),
		   "punt(no-route),drop(no-route)");
	assert_int_equal(t.n->v.drop, DROP_NO_ROUTE);
	net_expect(t.n, IP6("2001:db8:1::5", "2001:db8:7::1", 64),
		   "punt(no-route),drop(no-route)");
	net_destroy(t.n);
}

static void a_route_to_an_interface_that_went_is_none(void **state UNUSED)
{
	struct routed t = prepare();
	struct snap_iface gone = { .id = 77 };

	net_route(t.n, t.r, "10.9.0.0/16", "10.0.2.9", &gone);
	start(&t);
	net_expect(t.n, IP4(A, "10.9.9.9", 64),
		   "punt(no-route),drop(no-route)");
	net_destroy(t.n);
}

static void equal_next_hops_share_the_flows(void **state UNUSED)
{
	struct routed t = prepare();
	unsigned n[2] = { 0, 0 };
	char key[256];

	net_route(t.n, t.r, "10.9.0.0/16", "10.0.2.9", t.ib);
	net_route(t.n, t.r, "10.9.0.0/16", B, t.ib);
	start(&t);
	for (unsigned i = 0; i < 200; i++) {
		snprintf(key, sizeof(key), IP4(A, "10.9.0.%u", 64), i);
		n[strstr(net_translate(t.n, key), "output:2") != NULL]++;
		/* Ports are not looked at: fragments go the same way. */
		assert_true(net_looked_at(t.n, "ip,nw_src=1.1.1.1,"
					       "nw_dst=1.1.1.1"));
		assert_false(net_looked_at(t.n, "ip,nw_proto=6"));
	}
	assert_in_range(n[0], 70, 130);
	assert_int_equal(n[0] + n[1], 200);
	net_destroy(t.n);
}

static void a_neighbour_not_known_is_asked_for(void **state UNUSED)
{
	struct routed t = routed();

	net_expect(t.n, IP4(A, "10.0.2.7", 64),
		   FITS "punt(neigh-miss,0x1,0x1,0x0,0x0,0xffff0000,"
			"0x702000a)");
	assert_non_null(strstr(str_text(&t.n->told),
			       "router r0: asks who has 10.0.2.7 in net0\n"));
	net_neigh(t.n, t.b, "10.0.2.7", 5);
	assert_false(net_is_fresh(t.n, &t.n->v));
	net_expect(t.n, IP4(A, "10.0.2.7", 64),
		   FITS "dec_ttl," TO_MAC(5) ",output:2");
	net_destroy(t.n);
}

static void
a_neighbour_that_changes_makes_its_verdicts_stale(void **state UNUSED)
{
	struct routed t = routed();

	net_translate(t.n, IP4(A, B, 64));
	net_neigh(t.n, t.b, "10.0.2.6", 6);
	net_learn(t.n, t.b, 6, 3);
	assert_true(net_is_fresh(t.n, &t.n->v));
	net_neigh(t.n, t.b, B, 6);
	assert_false(net_is_fresh(t.n, &t.n->v));
	net_expect(t.n, IP4(A, B, 64), FITS "dec_ttl," TO_MAC(6) ",output:3");
	/* The address stays, the station moves. */
	net_learn(t.n, t.b, 6, 2);
	assert_false(net_is_fresh(t.n, &t.n->v));
	net_destroy(t.n);
}

static void
a_station_not_known_is_looked_for_in_its_network(void **state UNUSED)
{
	struct routed t = routed();

	mac_table_flush(t.b->bridge->macs, MAC_ANY_PORT, MAC_ANY_VID);
	net_expect(t.n, IP4(A, B, 64),
		   FITS "dec_ttl," TO_MAC(5) ",output:2,output:3");
	net_destroy(t.n);
}

static void a_packet_that_lived_long_enough_ends(void **state UNUSED)
{
	struct routed t = routed();

	net_expect(t.n, IP4(A, B, 1), "punt(ttl),drop(ttl)");
	net_expect(t.n, IP4(A, B, 0), "punt(ttl),drop(ttl)");
	net_expect(t.n, IP6("2001:db8:1::5", "2001:db8:2::5", 1),
		   "punt(ttl),drop(ttl)");
	net_expect(t.n, IP4(A, B, 2), FITS "dec_ttl," TO_MAC(5) ",output:2");
	assert_true(net_looked_at(t.n, "ip,nw_ttl=255"));
	/* To the router itself any will do. */
	net_expect(t.n, IP4(A, "10.0.1.1", 1), "punt(to-router)");
	net_destroy(t.n);
}

static void the_routers_own_addresses_are_its_own(void **state UNUSED)
{
	struct routed t = routed();

	net_expect(t.n, IP4(A, "10.0.1.1", 64), "punt(to-router)");
	assert_non_null(
		strstr(str_text(&t.n->told), "router r0: owns the address\n"));
	net_expect(t.n, IP4(A, "10.0.2.1", 64), "punt(to-router)");
	net_expect(t.n, IP6("2001:db8:1::5", "2001:db8:2::1", 64),
		   "punt(to-router)");
	net_expect(t.n, IP6("fe80::5", "fe80::ff:fe00:fe00", 64),
		   "punt(to-router)");
	assert_int_equal(t.n->v.drop, DROP_NONE);
	net_destroy(t.n);
}

static void what_belongs_to_a_link_stays_on_it(void **state UNUSED)
{
	struct routed t = routed();

	net_expect(t.n, IP6("fe80::5", "fe80::9", 64), "drop(not-for-router)");
	net_expect(t.n, IP6("2001:db8:1::5", "ff05::2", 64),
		   "drop(not-for-router)");
	net_expect(t.n, IP4(A, "224.1.1.1", 64), "drop(not-for-router)");
	net_expect(t.n, IP4(A, "255.255.255.255", 64), "drop(not-for-router)");
	net_expect(t.n, IP4(A, "127.0.0.1", 64), "drop(not-for-router)");
	/* RFC 4291 2.5.6: nor by its source. */
	net_expect(t.n, IP6("fe80::5", "2001:db8:2::5", 64), "drop(martian)");
	net_destroy(t.n);
}

static void impossible_sources_are_dropped(void **state UNUSED)
{
	struct routed t = routed();

	net_expect(t.n, IP4("0.0.0.0", B, 64), "drop(martian)");
	net_expect(t.n, IP4("127.0.0.1", B, 64), "drop(martian)");
	net_expect(t.n, IP4("224.0.0.1", B, 64), "drop(martian)");
	net_expect(t.n, IP4("255.255.255.255", B, 64), "drop(martian)");
	net_expect(t.n, IP6("::", "2001:db8:2::5", 64), "drop(martian)");
	net_expect(t.n, IP6("::1", "2001:db8:2::5", 64), "drop(martian)");
	net_expect(t.n, IP6("ff02::1", "2001:db8:2::5", 64), "drop(martian)");
	/* A header that did not parse has no addresses. */
	net_expect(t.n, IP4("0.0.0.0", "0.0.0.0", 0), "drop(martian)");
	net_destroy(t.n);
}

static void what_is_not_ip_is_not_for_a_router(void **state UNUSED)
{
	struct routed t = routed();
	const char *to = "in_port=1,eth_src=" STATION ",eth_dst=" ROUTER;
	char key[256];

	snprintf(key, sizeof(key), "%s,eth_type=0x88cc", to);
	net_expect(t.n, key, "drop(not-for-router)");
	/* Nor IP inside a tag that is not the bridge's. */
	snprintf(key, sizeof(key), "%s,ip,vlan_tpid=0x8100,dl_vlan=9", to);
	net_expect(t.n, key, "drop(not-for-router)");
	net_destroy(t.n);
}

static void what_is_too_big_is_told_to_its_sender(void **state UNUSED)
{
	struct routed t = routed();

	t.ib->mtu = 1300;
	net_expect(
		t.n, IP4(A, B, 64),
		"check_len(1300,punt(too-big,0x0,0x0,0x514)),dec_ttl," TO_MAC(
			5) ",output:2");
	/* The narrower port after it is checked as well. */
	t.n->s->ports[2]->mtu = 1200;
	net_expect(
		t.n, IP4(A, B, 64),
		"check_len(1300,punt(too-big,0x0,0x0,0x514)),dec_ttl," TO_MAC(
			5) ",check_len(1200,punt(too-big,0x1,0x1,0x4b0)),"
			   "output:2");
	net_destroy(t.n);
}

static void a_layer_3_port_takes_and_gives_bare_packets(void **state UNUSED)
{
	struct routed t = routed();

	net_expect(t.n, IP4(A, "10.0.8.7", 64),
		   FITS "pop_eth,dec_ttl,output:8");
	net_expect(t.n, BARE("10.0.8.7", B, 64),
		   "check_len(1500,punt(too-big,0xffffffff,0x2,0x5dc)),"
		   "dec_ttl,push_eth(dst=02:00:00:00:00:05,src=" ROUTER
		   ",type=0x0800),output:2");
	net_expect(t.n, BARE("10.0.8.7", "10.0.8.9", 64),
		   "check_len(1500,punt(too-big,0xffffffff,0x2,0x5dc)),"
		   "dec_ttl,output:8");
	net_expect(t.n, BARE("10.0.8.7", "10.0.8.1", 64),
		   "punt(to-router,0xffffffff,0x2)");
	net_destroy(t.n);
}

static void packets_of_its_own_keep_their_ttl(void **state UNUSED)
{
	struct routed t = routed();
	struct flow_key k = net_key("packet_type=0x10800,ip,nw_src=10.0.1.1,"
				    "nw_dst=" B ",nw_ttl=1");

	pipeline_route_own(t.n->s, t.r->id, &k, &t.n->v, NULL);
	assert_string_equal(net_actions(t.n),
			    "check_len(1500,punt(too-big,0xffffffff,"
			    "0xffffffff,0x5dc)),push_eth(dst=02:00:00:00:00:05,"
			    "src=" ROUTER ",type=0x0800),output:2");
	k.ip4_dst = 0x0a000807u;
	pipeline_route_own(t.n->s, t.r->id, &k, &t.n->v, NULL);
	assert_string_equal(net_actions(t.n),
			    "check_len(1500,punt(too-big,0xffffffff,"
			    "0xffffffff,0x5dc)),output:8");
	k.ip4_dst = 0xc0000207u;
	pipeline_route_own(t.n->s, t.r->id, &k, &t.n->v, NULL);
	assert_string_equal(net_actions(t.n), "drop(no-route)");
	k.ip4_dst = 0x0a000201u; /* the router itself */
	pipeline_route_own(t.n->s, t.r->id, &k, &t.n->v, NULL);
	assert_string_equal(net_actions(t.n), "drop(not-for-router)");
	pipeline_route_own(t.n->s, 77, &k, &t.n->v, NULL);
	assert_string_equal(net_actions(t.n), "drop(no-route)");
	net_destroy(t.n);
}

static void a_packet_that_waited_goes_on_from_there(void **state UNUSED)
{
	struct routed t = routed();
	struct flow_key k = net_key(IP4(A, "10.0.2.7", 64));
	struct ip_addr hop = net_ip("10.0.2.7");

	pipeline_resume(t.n->s, t.ib->id, &hop, &k, &t.n->v);
	assert_string_equal(net_actions(t.n),
			    "punt(neigh-miss,0x1,0x1,0x0,0x0,0xffff0000,"
			    "0x702000a)");
	assert_false(t.n->v.cacheable);
	net_neigh(t.n, t.b, "10.0.2.7", 9);
	pipeline_resume(t.n->s, t.ib->id, &hop, &k, &t.n->v);
	assert_string_equal(net_actions(t.n), "dec_ttl," TO_MAC(9) ",output:3");
	pipeline_resume(t.n->s, t.i8->id, &hop, &k, &t.n->v);
	assert_string_equal(net_actions(t.n), "drop(no-route)");
	pipeline_resume(t.n->s, 77, &hop, &k, &t.n->v);
	assert_string_equal(net_actions(t.n), "drop(no-route)");
	net_destroy(t.n);
}

static void the_routers_address_is_never_learned(void **state UNUSED)
{
	struct routed t = routed();

	net_translate(t.n, "in_port=1,eth_src=" ROUTER ",eth_dst=" STATION);
	assert_false(net_has_effect(t.n, EFFECT_LEARN));
	net_destroy(t.n);
}

static void a_trace_tells_the_way_through(void **state UNUSED)
{
	struct routed t = routed();

	net_translate(t.n, IP4(A, B, 64));
	assert_string_equal(str_text(&t.n->told),
			    "0 port p1: enters\n"
			    "0 bridge net0: in VLAN 0 of bridge br0\n"
			    "1 router r0: routes to net0\n"
			    "1 bridge net0: knows the station behind p2\n"
			    "1 output p2: leaves\n");
	net_translate(t.n, IP4(A, "192.0.2.1", 64));
	assert_string_equal(
		str_text(&t.n->told),
		"0 port p1: enters\n"
		"0 bridge net0: in VLAN 0 of bridge br0\n"
		"1 router r0: has no route\n"
		"1 control no-route: a copy goes to the control thread\n"
		"1 drop no-route: the router has no route to its "
		"destination\n");
	net_destroy(t.n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_packet_crosses_to_the_other_network),
		cmocka_unit_test(it_leaves_with_the_tag_of_its_new_network),
		cmocka_unit_test(each_station_of_a_network_has_its_own_verdict),
		cmocka_unit_test(behind_a_gateway_the_route_is_all_that_counts),
		cmocka_unit_test(the_longest_route_wins),
		cmocka_unit_test(without_a_route_the_sender_is_told),
		cmocka_unit_test(a_route_to_an_interface_that_went_is_none),
		cmocka_unit_test(equal_next_hops_share_the_flows),
		cmocka_unit_test(a_neighbour_not_known_is_asked_for),
		cmocka_unit_test(
			a_neighbour_that_changes_makes_its_verdicts_stale),
		cmocka_unit_test(
			a_station_not_known_is_looked_for_in_its_network),
		cmocka_unit_test(a_packet_that_lived_long_enough_ends),
		cmocka_unit_test(the_routers_own_addresses_are_its_own),
		cmocka_unit_test(what_belongs_to_a_link_stays_on_it),
		cmocka_unit_test(impossible_sources_are_dropped),
		cmocka_unit_test(what_is_not_ip_is_not_for_a_router),
		cmocka_unit_test(what_is_too_big_is_told_to_its_sender),
		cmocka_unit_test(a_layer_3_port_takes_and_gives_bare_packets),
		cmocka_unit_test(packets_of_its_own_keep_their_ttl),
		cmocka_unit_test(a_packet_that_waited_goes_on_from_there),
		cmocka_unit_test(the_routers_address_is_never_learned),
		cmocka_unit_test(a_trace_tells_the_way_through),
	};

	return cmocka_run_group_tests(tests, net_enter, net_leave);
}
