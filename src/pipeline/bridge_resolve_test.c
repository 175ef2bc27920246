/* SPDX-License-Identifier: Apache-2.0 */
/* ARP and neighbour discovery in a domain: answered, suppressed or bridged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "pipeline/test_net.h"

#define STATION(n) "02:00:00:00:00:0" #n
#define ROUTER "02:00:00:00:fe:00"
#define BROADCAST "ff:ff:ff:ff:ff:ff"
#define ASK(port, src, spa, tpa)                                               \
	"in_port=" #port ",eth_src=" STATION(                                  \
		src) ",eth_dst=" BROADCAST                                     \
		     ",arp,arp_op=1,arp_sha=" STATION(src) ",arp_spa=" spa     \
							   ",arp_tpa=" tpa
#define REPLY(port, src, dst, spa, tpa)                                        \
	"in_port=" #port ",eth_src=" STATION(                                  \
		src) ",eth_dst=" dst                                           \
		     ",arp,arp_op=2,arp_sha=" STATION(src) ",arp_spa=" spa     \
							   ",arp_tpa=" tpa
#define ND(port, src, dst, hops, type)                                         \
	"in_port=" #port                                                       \
	",eth_src=" STATION(src) ",eth_dst=" dst ",icmp6,nw_ttl=" #hops        \
				 ",icmpv6_type=" #type ",icmpv6_code=0"
#define SOLICITED "33:33:ff:00:00:01"
#define NS(port, src, saddr, target)                                           \
	ND(port, src, SOLICITED, 255, 135)                                     \
	",ipv6_src=" saddr ",nd_target=" target
#define NA(port, src, dst, target)                                             \
	ND(port, src, dst, 255, 136)                                           \
	",nd_target=" target ",nd_tll=" STATION(src)
#define PUNT_ARP_NET "punt(arp,0x0,0xffffffff)"
#define PUNT_ND_NET "punt(nd,0x0,0xffffffff)"
#define FLOOD "output:2"
/* ND is IP, and so is measured before it goes into a tunnel. */
#define FITS "check_len(1500,punt(too-big,0x0,0xffffffff,0x5dc)),"
#define FITS_ROUTED "check_len(1500,punt(too-big,0x0,0x0,0x5dc)),"
#define REPLICATED                                                             \
	"tunnel(id=100,dst=192.0.2.2,df),output:20,"                           \
	"tunnel(id=100,dst=192.0.2.3,df),output:20"

/* p1 and p2; a tunnel with two peers; suppression, and a router if asked. */
struct resolving {
	struct net *n;
	struct snap_domain *d;
};

static struct resolving resolving(bool with_router)
{
	struct resolving t = { .n = net_create() };
	struct snap_bridge *b = net_bridge(t.n, false);
	struct snap_iface *i;

	t.d = net_domain(t.n, b, 0, 100);
	t.d->suppress_arp = true;
	net_resolve(t.n, t.d);
	net_port(t.n, 1, b, "");
	net_port(t.n, 2, b, "");
	net_tunnel(t.n, 20);
	net_peer(t.n, 21, "192.0.2.2");
	net_peer(t.n, 22, "192.0.2.3");
	if (with_router) {
		i = net_iface(t.n, net_router(t.n), t.d, "10.0.0.1/24");
		net_address(t.n, i, "2001:db8::1/64");
	}
	net_freeze(t.n);
	return t;
}

static void a_question_for_the_router_is_answered_here(void **state UNUSED)
{
	struct resolving t = resolving(true);

	net_expect(t.n, ASK(1, 1, "10.0.0.7", "10.0.0.1"), "punt(arp)");
	net_expect(t.n, NS(1, 1, "2001:db8::7", "2001:db8::1"), "punt(nd)");
	net_expect(t.n, NS(1, 1, "fe80::7", "fe80::ff:fe00:fe00"), "punt(nd)");
	assert_true(net_has_effect(t.n, EFFECT_LEARN));
	/* From another host too, and a probe of that very address. */
	net_expect(t.n,
		   ASK(20, 1, "10.0.0.7",
		       "10.0.0.1") ",tun_src=192.0.2.2,tun_id=100",
		   "punt(arp)");
	net_expect(t.n, ASK(1, 1, "0.0.0.0", "10.0.0.1"), "punt(arp)");
	net_destroy(t.n);
}

static void what_is_known_is_answered_and_carried_nowhere(void **state UNUSED)
{
	struct resolving t = resolving(false);

	net_neigh(t.n, t.d, "10.0.0.8", 2);
	net_neigh(t.n, t.d, "2001:db8::8", 2);
	net_expect(t.n, ASK(1, 1, "10.0.0.7", "10.0.0.8"), PUNT_ARP_NET);
	assert_string_equal(
		str_text(&t.n->told),
		"0 port p1: enters\n"
		"0 bridge net0: in VLAN 0 of bridge br0\n"
		"0 bridge net0: answered from the neighbour table\n"
		"0 control arp: a copy goes to the control thread\n");
	net_expect(t.n, NS(1, 1, "2001:db8::7", "2001:db8::8"), PUNT_ND_NET);
	net_destroy(t.n);
}

static void what_is_not_known_is_asked_of_everybody(void **state UNUSED)
{
	struct resolving t = resolving(false);

	net_expect(t.n, ASK(1, 1, "10.0.0.7", "10.0.0.8"),
		   PUNT_ARP_NET "," FLOOD "," REPLICATED);
	net_expect(t.n, NS(1, 1, "2001:db8::7", "2001:db8::8"),
		   PUNT_ND_NET "," FLOOD "," FITS REPLICATED);
	/* The answer comes: the verdict is no longer right. */
	net_neigh(t.n, t.d, "2001:db8::8", 2);
	assert_false(net_is_fresh(t.n, &t.n->v));
	net_destroy(t.n);
}

static void
without_suppression_known_ones_are_asked_as_well(void **state UNUSED)
{
	struct resolving t = resolving(false);

	t.d->suppress_arp = false;
	net_neigh(t.n, t.d, "10.0.0.7", 1);
	net_neigh(t.n, t.d, "10.0.0.8", 2);
	net_expect(t.n, ASK(1, 1, "10.0.0.7", "10.0.0.8"),
		   FLOOD "," REPLICATED);
	net_destroy(t.n);
}

static void whoever_tests_an_address_is_heard_by_all(void **state UNUSED)
{
	struct resolving t = resolving(false);

	net_neigh(t.n, t.d, "10.0.0.8", 2);
	net_neigh(t.n, t.d, "2001:db8::8", 2);
	/* RFC 5227 2.1.1, RFC 4862 5.4. */
	net_expect(t.n, ASK(1, 1, "0.0.0.0", "10.0.0.8"), FLOOD "," REPLICATED);
	net_expect(t.n, NS(1, 1, "::", "2001:db8::8"),
		   PUNT_ND_NET "," FLOOD "," FITS REPLICATED);
	/* Announcements. */
	net_expect(t.n, ASK(1, 1, "10.0.0.8", "10.0.0.8"),
		   PUNT_ARP_NET "," FLOOD "," REPLICATED);
	/* A station that asks for its own: somebody else may have it. */
	net_expect(t.n, ASK(1, 2, "10.0.0.9", "10.0.0.8"),
		   PUNT_ARP_NET "," FLOOD "," REPLICATED);
	net_destroy(t.n);
}

static void a_question_from_another_host_stays_on_this_one(void **state UNUSED)
{
	struct resolving t = resolving(false);

	net_neigh(t.n, t.d, "10.0.0.7", 1);
	net_expect(t.n,
		   ASK(20, 1, "10.0.0.7",
		       "10.0.0.8") ",tun_src=192.0.2.2,tun_id=100",
		   "output:1,output:2");
	net_destroy(t.n);
}

static void what_is_overheard_is_told_until_it_is_known(void **state UNUSED)
{
	struct resolving t = resolving(false);

	net_learn(t.n, t.d, 2, 2);
	net_expect(t.n, REPLY(1, 1, STATION(2), "10.0.0.7", "10.0.0.8"),
		   PUNT_ARP_NET ",output:2");
	net_neigh(t.n, t.d, "10.0.0.7", 1);
	assert_false(net_is_fresh(t.n, &t.n->v));
	net_expect(t.n, REPLY(1, 1, STATION(2), "10.0.0.7", "10.0.0.8"),
		   "output:2");
	/* Somebody else says it is his. */
	net_expect(t.n, REPLY(1, 3, STATION(2), "10.0.0.7", "10.0.0.8"),
		   PUNT_ARP_NET ",output:2");
	net_expect(t.n, NA(1, 1, STATION(2), "2001:db8::7"),
		   PUNT_ND_NET ",output:2");
	net_neigh(t.n, t.d, "2001:db8::7", 1);
	net_expect(t.n, NA(1, 1, STATION(2), "2001:db8::7"), "output:2");
	net_destroy(t.n);
}

static void an_answer_to_the_router_is_every_hosts(void **state UNUSED)
{
	struct resolving t = resolving(true);

	net_expect(t.n, REPLY(1, 1, ROUTER, "10.0.0.7", "10.0.0.1"),
		   "punt(arp)," REPLICATED);
	net_expect(t.n, NA(1, 1, ROUTER, "2001:db8::7"),
		   "punt(nd)," FITS_ROUTED REPLICATED);
	/* What another host hands on ends here. */
	net_expect(t.n,
		   REPLY(20, 1, ROUTER, "10.0.0.7",
			 "10.0.0.1") ",tun_src=192.0.2.2,tun_id=100",
		   "punt(arp)");
	net_destroy(t.n);
}

static void a_search_for_routers_is_told_where_there_is_one(void **state UNUSED)
{
	struct resolving with = resolving(true), without = resolving(false);
	const char *rs = ND(1, 1, "33:33:00:00:00:02", 255, 133);

	net_expect(with.n, rs, "punt(nd)," FLOOD "," FITS_ROUTED REPLICATED);
	net_expect(without.n, rs, FLOOD "," FITS REPLICATED);
	net_expect(with.n, ND(1, 1, "33:33:00:00:00:01", 255, 134),
		   FLOOD "," FITS_ROUTED REPLICATED);
	net_destroy(with.n);
	net_destroy(without.n);
}

static void what_may_come_from_afar_is_not_believed(void **state UNUSED)
{
	struct resolving t = resolving(true);

	/* RFC 4861 7.1.1: a hop limit below 255 has passed a router. */
	net_expect(t.n, ND(1, 1, SOLICITED, 254, 135) ",nd_target=2001:db8::1",
		   FLOOD "," FITS_ROUTED REPLICATED);
	net_expect(t.n,
		   "in_port=1,eth_src=" STATION(
			   1) ",eth_dst=" SOLICITED
			      ",icmp6,nw_ttl=255,icmpv6_type=135,icmpv6_code=1",
		   FLOOD "," FITS_ROUTED REPLICATED);
	/* RFC 6980 5: never in fragments. */
	net_expect(t.n,
		   "in_port=1,eth_src=" STATION(
			   1) ",eth_dst=" SOLICITED
			      ",icmp6,nw_frag=first,nw_ttl=255,icmpv6_type=135",
		   FLOOD "," FITS_ROUTED REPLICATED);
	net_destroy(t.n);
}

static void questions_inside_a_foreign_tag_are_not_ours(void **state UNUSED)
{
	struct resolving t = resolving(true);

	net_expect(
		t.n,
		ASK(1, 1, "10.0.0.7", "10.0.0.1") ",vlan_tpid=0x8100,dl_vlan=5",
		FLOOD "," REPLICATED);
	net_destroy(t.n);
}

static void without_a_table_it_is_bridged_as_any_frame(void **state UNUSED)
{
	struct net *n = net_create();
	struct snap_bridge *b = net_bridge(n, false);

	net_domain(n, b, 0, 0);
	net_port(n, 1, b, "");
	net_port(n, 2, b, "");
	net_freeze(n);
	net_expect(n, ASK(1, 1, "10.0.0.7", "10.0.0.1"), "output:2");
	assert_false(net_looked_at(n, "arp"));
	net_destroy(n);
}

static void it_looks_at_what_decided(void **state UNUSED)
{
	struct resolving t = resolving(false);

	net_translate(t.n, ASK(1, 1, "10.0.0.7", "10.0.0.8"));
	assert_true(net_looked_at(t.n, "arp,arp_op=1,arp_spa=1.1.1.1,"
				       "arp_tpa=1.1.1.1,arp_sha=" STATION(1)));
	net_translate(t.n, NS(1, 1, "2001:db8::7", "2001:db8::8"));
	assert_true(net_looked_at(t.n, "icmp6,icmpv6_type=135,icmpv6_code=0,"
				       "nw_ttl=255,nd_target=::1,"
				       "ipv6_src=::1"));
	assert_false(net_looked_at(t.n, "icmp6,icmpv6_type=135,icmpv6_code=0,"
					"nd_sll=" STATION(1)));
	net_translate(t.n, "in_port=1,eth_src=" STATION(1) ",eth_dst=" STATION(
				   2) ",tcp,tp_dst=80");
	assert_false(net_looked_at(t.n, "ip,nw_proto=6"));
	net_destroy(t.n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_for_the_router_is_answered_here),
		cmocka_unit_test(what_is_known_is_answered_and_carried_nowhere),
		cmocka_unit_test(what_is_not_known_is_asked_of_everybody),
		cmocka_unit_test(
			without_suppression_known_ones_are_asked_as_well),
		cmocka_unit_test(whoever_tests_an_address_is_heard_by_all),
		cmocka_unit_test(
			a_question_from_another_host_stays_on_this_one),
		cmocka_unit_test(what_is_overheard_is_told_until_it_is_known),
		cmocka_unit_test(an_answer_to_the_router_is_every_hosts),
		cmocka_unit_test(
			a_search_for_routers_is_told_where_there_is_one),
		cmocka_unit_test(what_may_come_from_afar_is_not_believed),
		cmocka_unit_test(questions_inside_a_foreign_tag_are_not_ours),
		cmocka_unit_test(without_a_table_it_is_bridged_as_any_frame),
		cmocka_unit_test(it_looks_at_what_decided),
	};

	return cmocka_run_group_tests(tests, net_enter, net_leave);
}
