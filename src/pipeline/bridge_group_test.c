/* SPDX-License-Identifier: Apache-2.0 */
/* Multicast in a domain: memberships are told, groups go to who asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "pipeline/test_net.h"

#define GROUP "239.1.1.1"
#define GROUP6 "ff15::1"
#define TO_GROUP(port, dst)                                                    \
	"in_port=" #port ",eth_src=02:00:00:00:00:01"                          \
	",eth_dst=01:00:5e:01:01:01,udp,nw_src=10.0.0.1,nw_dst=" dst
#define TO_GROUP6(port, dst)                                                   \
	"in_port=" #port ",eth_src=02:00:00:00:00:01"                          \
	",eth_dst=33:33:00:00:00:01,udp6,ipv6_src=fe80::1,ipv6_dst=" dst
#define IGMP(port, type)                                                       \
	"in_port=" #port ",eth_src=02:00:00:00:00:01"                          \
	",eth_dst=01:00:5e:01:01:01,ip,nw_proto=2,nw_dst=" GROUP               \
	",igmp_type=" #type
#define ICMP6(port, type)                                                      \
	"in_port=" #port ",eth_src=02:00:00:00:00:01"                          \
	",eth_dst=33:33:00:00:00:01,icmp6,ipv6_dst=" GROUP6                    \
	",icmpv6_type=" #type
#define TOLD "punt(snoop,0x0,0xffffffff)"
#define FITS "check_len(1500,punt(too-big,0x0,0xffffffff,0x5dc)),"
#define PEER FITS "tunnel(id=100,dst=192.0.2.2,df),output:20"
#define UNDERLAY "tun_src=192.0.2.2,tun_id=100"

/* p1 to p4, and a peer; snooping, with a querier. */
struct snooping {
	struct net *n;
	struct snap_bridge *b;
	struct snap_domain *d;
};

static struct snooping snooping(uint32_t vni)
{
	struct snooping t = { .n = net_create() };

	t.b = net_bridge(t.n, false);
	t.d = net_domain(t.n, t.b, 0, vni);
	net_snoop(t.n, t.d);
	for (uint32_t i = 1; i < 5; i++)
		net_port(t.n, i, t.b, "");
	net_tunnel(t.n, 20);
	net_peer(t.n, 21, "192.0.2.2");
	net_freeze(t.n);
	return t;
}

static void join(const struct snooping *t, uint32_t port, const char *group)
{
	struct ip_addr a = net_ip(group);

	net_join(t->n, t->d, port, &a);
}

static void a_group_goes_to_who_asked_for_it(void **state UNUSED)
{
	struct snooping t = snooping(0);

	join(&t, 2, GROUP);
	join(&t, 3, GROUP6);
	net_expect(t.n, TO_GROUP(1, GROUP), "output:2");
	net_expect(t.n, TO_GROUP6(1, GROUP6), "output:3");
	assert_non_null(strstr(str_text(&t.n->told),
			       "net0: to those who asked for the group\n"));
	net_destroy(t.n);
}

static void a_new_member_makes_the_groups_verdicts_stale(void **state UNUSED)
{
	struct snooping t = snooping(0);

	join(&t, 2, GROUP);
	net_translate(t.n, TO_GROUP(1, GROUP));
	join(&t, 3, "239.1.1.7");
	assert_true(net_is_fresh(t.n, &t.n->v));
	join(&t, 3, GROUP);
	assert_false(net_is_fresh(t.n, &t.n->v));
	net_expect(t.n, TO_GROUP(1, GROUP), "output:2,output:3");
	net_destroy(t.n);
}

static void the_sender_and_closed_ports_get_no_copy(void **state UNUSED)
{
	struct snooping t = snooping(0);

	join(&t, 1, GROUP);
	net_expect(t.n, TO_GROUP(1, GROUP), "drop(no-members)");
	join(&t, 2, GROUP);
	join(&t, 3, GROUP);
	t.n->s->ports[2]->blocked = true;
	t.n->s->ports[1]->isolated = t.n->s->ports[3]->isolated = true;
	net_expect(t.n, TO_GROUP(1, GROUP), "drop(no-members)");
	net_expect(t.n, TO_GROUP(4, GROUP), "output:1,output:3");
	net_destroy(t.n);
}

static void a_group_nobody_asked_for_goes_to_routers_alone(void **state UNUSED)
{
	struct snooping t = snooping(0);

	net_expect(t.n, TO_GROUP(1, GROUP), "drop(no-members)");
	mcast_set_router_port(t.d->mcast, 4, true);
	assert_false(net_is_fresh(t.n, &t.n->v));
	net_expect(t.n, TO_GROUP(1, GROUP), "output:4");
	net_destroy(t.n);
}

static void local_groups_reach_everybody_always(void **state UNUSED)
{
	struct snooping t = snooping(0);

	/* Neighbour discovery and the like: RFC 4541 2.1.2, 3. */
	net_expect(t.n, TO_GROUP(1, "224.0.0.251"),
		   "output:2,output:3,output:4");
	net_expect(t.n, TO_GROUP6(1, "ff02::1"), "output:2,output:3,output:4");
	net_expect(t.n,
		   "in_port=1,eth_src=02:00:00:00:00:01,"
		   "eth_dst=33:33:ff:00:00:01,icmp6,ipv6_dst=ff02::1:ff00:1,"
		   "icmpv6_type=135,icmpv6_code=0",
		   "output:2,output:3,output:4");
	net_destroy(t.n);
}

static void broadcasts_and_what_is_not_ip_are_flooded(void **state UNUSED)
{
	struct snooping t = snooping(0);

	net_expect(t.n,
		   "in_port=1,eth_src=02:00:00:00:00:01,"
		   "eth_dst=ff:ff:ff:ff:ff:ff,udp,nw_dst=" GROUP,
		   "output:2,output:3,output:4");
	net_expect(t.n,
		   "in_port=1,eth_src=02:00:00:00:00:01,"
		   "eth_dst=01:00:5e:01:01:01,eth_type=0x88cc",
		   "output:2,output:3,output:4");
	net_destroy(t.n);
}

static void a_report_goes_to_routers_and_to_us(void **state UNUSED)
{
	struct snooping t = snooping(0);

	mcast_set_router_port(t.d->mcast, 4, true);
	join(&t, 2, GROUP);
	/* RFC 4541 2.1.1: no other host may hear it. */
	net_expect(t.n, IGMP(1, 0x16), TOLD ",output:4");
	net_expect(t.n, IGMP(1, 0x22), TOLD ",output:4");
	net_expect(t.n, IGMP(1, 0x17), TOLD ",output:4");
	net_expect(t.n, ICMP6(1, 131), TOLD ",output:4");
	net_expect(t.n, ICMP6(1, 132), TOLD ",output:4");
	net_expect(t.n, ICMP6(1, 143), TOLD ",output:4");
	net_destroy(t.n);
}

static void a_query_is_heard_by_everybody(void **state UNUSED)
{
	struct snooping t = snooping(0);

	net_expect(t.n, IGMP(1, 0x11), TOLD ",output:2,output:3,output:4");
	net_expect(t.n, ICMP6(1, 130), TOLD ",output:2,output:3,output:4");
	net_destroy(t.n);
}

static void every_peer_hears_reports_and_who_asked_groups(void **state UNUSED)
{
	struct snooping t = snooping(100);

	join(&t, 2, GROUP);
	net_expect(t.n, IGMP(1, 0x16), TOLD "," PEER);
	net_expect(t.n, TO_GROUP(1, GROUP), "output:2");
	join(&t, 21, GROUP);
	net_expect(t.n, TO_GROUP(1, GROUP), "output:2," PEER);
	net_expect(t.n, TO_GROUP(20, GROUP) "," UNDERLAY, "output:2");
	net_expect(t.n, IGMP(20, 0x16) "," UNDERLAY, TOLD ",drop(no-members)");
	net_destroy(t.n);
}

static void without_snooping_a_report_is_a_frame(void **state UNUSED)
{
	struct net *n = net_create();
	struct snap_bridge *b = net_bridge(n, false);

	net_domain(n, b, 0, 0);
	net_port(n, 1, b, "");
	net_port(n, 2, b, "");
	net_freeze(n);
	net_expect(n, IGMP(1, 0x16), "output:2");
	assert_false(net_looked_at(n, "ip"));
	net_destroy(n);
}

static void a_query_of_our_own_is_flooded(void **state UNUSED)
{
	struct snooping t = snooping(0);
	struct flow_key k = net_key(IGMP(0, 0x11));

	k.ip4_dst = 0xe0000001u;
	pipeline_originate(t.n->s, t.d->id, &k, &t.n->v, NULL);
	assert_string_equal(net_actions(t.n),
			    "output:1,output:2,output:3,output:4");
	net_destroy(t.n);
}

static void it_looks_at_what_decided(void **state UNUSED)
{
	struct snooping t = snooping(0);

	net_translate(t.n, TO_GROUP(1, GROUP));
	assert_true(net_looked_at(t.n, "udp,nw_dst=1.1.1.1"));
	assert_false(net_looked_at(t.n, "ip,nw_src=0.0.0.0/1"));
	net_translate(t.n, TO_GROUP6(1, GROUP6));
	assert_true(net_looked_at(t.n, "udp6,ipv6_dst=::1"));
	net_destroy(t.n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_group_goes_to_who_asked_for_it),
		cmocka_unit_test(a_new_member_makes_the_groups_verdicts_stale),
		cmocka_unit_test(the_sender_and_closed_ports_get_no_copy),
		cmocka_unit_test(
			a_group_nobody_asked_for_goes_to_routers_alone),
		cmocka_unit_test(local_groups_reach_everybody_always),
		cmocka_unit_test(broadcasts_and_what_is_not_ip_are_flooded),
		cmocka_unit_test(a_report_goes_to_routers_and_to_us),
		cmocka_unit_test(a_query_is_heard_by_everybody),
		cmocka_unit_test(every_peer_hears_reports_and_who_asked_groups),
		cmocka_unit_test(without_snooping_a_report_is_a_frame),
		cmocka_unit_test(a_query_of_our_own_is_flooded),
		cmocka_unit_test(it_looks_at_what_decided),
	};

	return cmocka_run_group_tests(tests, net_enter, net_leave);
}
