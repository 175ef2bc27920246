/* SPDX-License-Identifier: Apache-2.0 */
/* Networks over several hosts: into tunnels, out of them, never in circles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "pipeline/test_net.h"

#define FRAME(src, dst)                                                        \
	"eth_src=02:00:00:00:00:0" #src ",eth_dst=02:00:00:00:00:0" #dst
#define BROADCAST "eth_src=02:00:00:00:00:01,eth_dst=ff:ff:ff:ff:ff:ff"
#define FROM(host, vni) ",in_port=20,tun_src=192.0.2." #host ",tun_id=" #vni
#define VIA(host, vni) "tunnel(id=" #vni ",dst=192.0.2." #host ",df),output:20"
#define ROUTER "02:00:00:00:fe:00"

/* p1 and p2; two peers; VNI 100 on a bridge without VLANs. */
struct overlay {
	struct net *n;
	struct snap_domain *d;
	struct snap_port *near, *far;
};

static struct overlay prepare(void)
{
	struct overlay t = { .n = net_create() };
	struct snap_bridge *b = net_bridge(t.n, false);

	t.d = net_domain(t.n, b, 0, 100);
	net_port(t.n, 1, b, "");
	net_port(t.n, 2, b, "");
	net_tunnel(t.n, 20);
	t.near = net_peer(t.n, 21, "192.0.2.2");
	t.far = net_peer(t.n, 22, "192.0.2.3");
	return t;
}

static struct overlay overlay(void)
{
	struct overlay t = prepare();

	net_freeze(t.n);
	return t;
}

static void what_all_must_hear_goes_to_each_peer(void **state UNUSED)
{
	struct overlay t = overlay();

	net_expect(t.n, "in_port=1," BROADCAST,
		   "output:2," VIA(2, 100) "," VIA(3, 100));
	net_expect(t.n, "in_port=1," FRAME(1, 2),
		   "output:2," VIA(2, 100) "," VIA(3, 100));
	assert_non_null(strstr(str_text(&t.n->told),
			       "flooded to 1 ports and 2 peers\n"));
	net_destroy(t.n);
}

static void a_known_station_is_reached_through_its_peer(void **state UNUSED)
{
	struct overlay t = overlay();

	net_learn(t.n, t.d, 2, 22);
	net_expect(t.n, "in_port=1," FRAME(1, 2), VIA(3, 100));
	assert_non_null(strstr(str_text(&t.n->told),
			       "tunnel p22: through the tunnel, VNI 100\n"));
	net_destroy(t.n);
}

static void what_a_peer_sends_is_learned_behind_it(void **state UNUSED)
{
	struct overlay t = overlay();

	net_learn(t.n, t.d, 2, 2);
	net_expect(t.n, FRAME(1, 2) FROM(2, 100), "output:2");
	assert_int_equal(t.n->v.n_effects, 1);
	assert_int_equal(t.n->v.effects[0].kind, EFFECT_LEARN);
	assert_int_equal(t.n->v.effects[0].port, 21);
	assert_true(net_looked_at(t.n, "tun_src=1.1.1.1,tun_id=1"));
	assert_true(net_looked_at(t.n, "tun_ipv6_src=::1"));
	assert_false(net_looked_at(t.n, "tun_dst=1.1.1.1"));
	assert_false(net_looked_at(t.n, "tun_tp_src=1"));
	assert_non_null(strstr(str_text(&t.n->told),
			       "tunnel p21: came through the tunnel, VNI "
			       "100\n"));
	net_destroy(t.n);
}

static void no_frame_goes_from_peer_to_peer(void **state UNUSED)
{
	struct overlay t = overlay();

	net_expect(t.n, BROADCAST FROM(2, 100), "output:1,output:2");
	net_learn(t.n, t.d, 2, 22);
	net_expect(t.n, FRAME(1, 2) FROM(2, 100), "drop(tunnel-loop)");
	net_learn(t.n, t.d, 2, 21);
	net_expect(t.n, FRAME(1, 2) FROM(2, 100), "drop(same-port)");
	net_destroy(t.n);
}

static void strangers_are_not_let_in(void **state UNUSED)
{
	struct overlay t = overlay();

	net_expect(t.n, FRAME(1, 2) FROM(9, 100), "drop(not-a-peer)");
	net_expect(t.n, "in_port=20," FRAME(1, 2), "drop(not-a-peer)");
	net_expect(t.n, FRAME(1, 2) FROM(2, 101), "drop(no-network)");
	net_expect(t.n, FRAME(1, 2) FROM(2, 0x100000064), "drop(no-network)");
	assert_int_equal(t.n->v.n_effects, 0);
	/* A peer is no port to come in by. */
	net_expect(t.n, "in_port=21," FRAME(1, 2), "drop(no-port)");
	net_destroy(t.n);
}

static void a_peer_is_known_by_either_family(void **state UNUSED)
{
	struct overlay t = prepare();

	net_peer(t.n, 23, "2001:db8::3");
	net_freeze(t.n);
	net_learn(t.n, t.d, 2, 2);
	net_expect(t.n,
		   FRAME(1, 2) ",in_port=20,tun_ipv6_src=2001:db8::3,tun_id="
			       "100",
		   "output:2");
	assert_int_equal(t.n->v.effects[0].port, 23);
	net_learn(t.n, t.d, 3, 23);
	net_expect(t.n, "in_port=1," FRAME(1, 3),
		   "tunnel(id=100,dst=2001:db8::3,df),output:20");
	net_destroy(t.n);
}

static void a_network_of_this_host_alone_enters_no_tunnel(void **state UNUSED)
{
	struct overlay t = prepare();
	struct snap_bridge *b = net_bridge(t.n, false);

	net_domain(t.n, b, 0, 0);
	net_port(t.n, 3, b, "");
	net_port(t.n, 4, b, "");
	net_freeze(t.n);
	net_expect(t.n, "in_port=3," BROADCAST, "output:4");
	net_destroy(t.n);
}

static void the_tag_of_a_network_stays_on_its_host(void **state UNUSED)
{
	struct net *n = net_create();
	struct snap_bridge *b = net_bridge(n, true);
	struct snap_domain *d = net_domain(n, b, 10, 100);

	net_port(n, 1, b, "trunk 10");
	net_tunnel(n, 20);
	net_peer(n, 21, "192.0.2.2");
	net_freeze(n);
	net_learn(n, d, 2, 21);
	net_expect(n, "in_port=1," FRAME(1, 2) ",vlan_tpid=0x8100,dl_vlan=10",
		   "pop_vlan," VIA(2, 100));
	net_expect(n, FRAME(2, 1) FROM(2, 100),
		   "push_vlan(tpid=0x8100,vid=10,pcp=0),output:1");
	net_destroy(n);
}

static void what_does_not_fit_the_tunnel_is_told(void **state UNUSED)
{
	struct overlay t = overlay();

	t.near->mtu = 1450;
	t.far->mtu = 1400;
	net_learn(t.n, t.d, 2, 21);
	net_expect(t.n, "in_port=1," FRAME(1, 2) ",ip",
		   "check_len(1450,punt(too-big,0x0,0xffffffff,0x5aa))," VIA(
			   2, 100));
	/* To both: one check is inside the other's bound. */
	net_expect(t.n, "in_port=1," BROADCAST ",ip",
		   "output:2,"
		   "check_len(1450,punt(too-big,0x0,0xffffffff,0x5aa)),"
		   "check_len(1400,punt(too-big,0x0,0xffffffff,0x578))," VIA(
			   2, 100) "," VIA(3, 100));
	net_destroy(t.n);
}

static void a_router_elsewhere_is_reached_as_a_router(void **state UNUSED)
{
	struct overlay t = prepare();
	struct snap_router *r = net_router(t.n);

	net_iface(t.n, r, t.d, "10.0.1.1/24");
	net_remote(t.n, r, t.d, t.near, "10.0.7.0/24");
	net_freeze(t.n);
	net_expect(t.n,
		   "in_port=1,eth_src=02:00:00:00:00:01,eth_dst=" ROUTER
		   ",ip,nw_src=10.0.1.5,nw_dst=10.0.7.5,nw_ttl=64",
		   "check_len(1500,punt(too-big,0x0,0x0,0x5dc)),dec_ttl,"
		   "set_eth(dst=" ROUTER ",src=" ROUTER ")," VIA(2, 100));
	/* One verdict for all of that network. */
	assert_true(net_looked_at(t.n, "ip,nw_dst=10.0.7.0/24"));
	assert_false(net_looked_at(t.n, "ip,nw_dst=10.0.7.5"));
	net_destroy(t.n);
}

static void what_was_routed_may_go_on_to_any_peer(void **state UNUSED)
{
	struct overlay t = prepare();
	struct snap_router *r = net_router(t.n);
	struct snap_bridge *b = net_bridge(t.n, false);
	struct snap_domain *other = net_domain(t.n, b, 0, 200);
	const char *key =
		"eth_src=" ROUTER ",eth_dst=" ROUTER
		",ip,nw_src=10.0.7.5,nw_dst=10.0.2.5,nw_ttl=64" FROM(2, 100);
	const char *routed =
		"check_len(1500,punt(too-big,0x0,0x0,0x5dc)),"
		"dec_ttl,set_eth(dst=02:00:00:00:00:05,src=" ROUTER "),";
	char want[512];

	net_port(t.n, 3, b, "");
	net_iface(t.n, r, t.d, "10.0.1.1/24");
	net_iface(t.n, r, other, "10.0.2.1/24");
	net_freeze(t.n);
	net_neigh(t.n, other, "10.0.2.5", 5);
	net_learn(t.n, other, 5, 22);
	snprintf(want, sizeof(want), "%s%s", routed, VIA(3, 200));
	net_expect(t.n, key, want);
	assert_false(net_has_effect(t.n, EFFECT_LEARN));
	/* Also when it has to look for the station. */
	mac_table_flush(b->macs, MAC_ANY_PORT, MAC_ANY_VID);
	snprintf(want, sizeof(want), "%soutput:3,%s,%s", routed, VIA(2, 200),
		 VIA(3, 200));
	net_expect(t.n, key, want);
	net_destroy(t.n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_all_must_hear_goes_to_each_peer),
		cmocka_unit_test(a_known_station_is_reached_through_its_peer),
		cmocka_unit_test(what_a_peer_sends_is_learned_behind_it),
		cmocka_unit_test(no_frame_goes_from_peer_to_peer),
		cmocka_unit_test(strangers_are_not_let_in),
		cmocka_unit_test(a_peer_is_known_by_either_family),
		cmocka_unit_test(a_network_of_this_host_alone_enters_no_tunnel),
		cmocka_unit_test(the_tag_of_a_network_stays_on_its_host),
		cmocka_unit_test(what_does_not_fit_the_tunnel_is_told),
		cmocka_unit_test(a_router_elsewhere_is_reached_as_a_router),
		cmocka_unit_test(what_was_routed_may_go_on_to_any_peer),
	};

	return cmocka_run_group_tests(tests, net_enter, net_leave);
}
