/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/test_random.h"

#include <stdio.h>

#include "flow/extract.h"
#include "packet/headers.h"

#define PORTS 9u
#define PEER_PORT 41u
#define ROUTED_PORT 30u
#define NOW_STEP_MS 400u
#define NOW_LONG_MS 200000u
#define IP4_LEN 60u

void random_init(struct random *r, uint64_t seed)
{
	r->seed = seed;
	r->pool = packet_pool_create(RANDOM_PACKETS);
	must(r->pool);
}

void random_fini(struct random *r)
{
	packet_pool_destroy(r->pool);
}

static uint64_t draw(struct random *r)
{
	uint64_t z = (r->seed += 0x9e3779b97f4a7c15ull);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

unsigned random_below(struct random *r, unsigned n)
{
	return (unsigned)(draw(r) % n);
}

/* --- addresses --- */

static const uint16_t vids[] = { 10, 20, 30 };
static const char *const remotes[] = { "192.0.2.2", "192.0.2.3",
				       "2001:db8::2" };

#define PICK(r, array) ((array)[random_below(r, ARRAY_SIZE(array))])

/* Hosts of net 1 to 3, the router's own, the wide world, and odd ones. */
static uint32_t ip4(struct random *r)
{
	static const uint32_t odd[] = { 0,          0xffffffff, 0x7f000001,
					0xe0000001, 0xe8010101, 0xef010101,
					0xef010102, 0x0affffff };

	if (random_one_in(r, 8))
		return PICK(r, odd);
	if (random_one_in(r, 6))
		return 0x0a090000u | random_below(r, 4) << 8 |
		       random_below(r, 4);
	return 0x0a000000u | (1 + random_below(r, 3)) << 16 |
	       (1 + random_below(r, RANDOM_STATIONS));
}

static struct eth_addr router_mac(struct random *r)
{
	return eth_addr_from_u64(0x02000000fe00ull | random_below(r, 2));
}

static struct ip6_addr ip6(struct random *r)
{
	static const char *const odd[] = {
		"::",      "::1",     "ff02::1",       "ff02::16",
		"ff15::1", "ff15::2", "ff02::1:ff00:1"
	};
	struct ip_addr a = net_ip("2001:db8::");

	if (random_one_in(r, 6))
		return net_ip(PICK(r, odd)).a;
	if (random_one_in(r, 6))
		return ip6_addr_link_local(
			random_one_in(r, 3) ?
				router_mac(r) :
				net_mac(random_below(r, RANDOM_STATIONS)));
	a.a.b[5] = (uint8_t)(random_one_in(r, 6) ? 9 : 1 + random_below(r, 3));
	a.a.b[15] = (uint8_t)(1 + random_below(r, RANDOM_STATIONS));
	return a.a;
}

static struct eth_addr source_mac(struct random *r)
{
	if (random_one_in(r, 24))
		return eth_addr_from_u64(draw(r) >> 16 | 1ull << 40);
	if (random_one_in(r, 16))
		return router_mac(r);
	return net_mac(random_below(r, RANDOM_STATIONS));
}

static struct eth_addr destination_mac(struct random *r)
{
	static const uint64_t odd[] = { 0x0180c2000000, 0x0180c2000001,
					0x0180c200000e, 0x0180c2000010,
					0x030000000000, 0x030000000001 };

	switch (random_below(r, 12)) {
	case 0:
		return eth_addr_from_u64(PICK(r, odd));
	case 1:
	case 2:
		return eth_addr_from_u64(0xffffffffffff);
	case 3:
		return eth_addr_from_u64(0x01005e010101);
	case 4:
		return ip6_addr_multicast_mac(net_ip("ff15::1").a);
	case 5:
	case 6:
	case 7:
		return router_mac(r);
	default:
		return net_mac(random_below(r, RANDOM_STATIONS));
	}
}

/* --- networks --- */

static void random_port(struct random *r, struct net *n, uint32_t id)
{
	static const char *const modes[] = {
		"access 10",
		"access 20",
		"trunk 10 20 30",
		"trunk 20",
		"native-untagged 10 20",
		"native-tagged 20 10 30",
		"dot1q-tunnel 30",
	};
	static const uint32_t mtus[] = { 1500, 1500, 1400, 9000 };
	struct snap_bridge *b = n->s->bridges[random_below(r, n->s->n_bridges)];
	struct snap_port *p =
		net_port(n, id, b, b->vlan_aware ? PICK(r, modes) : "");

	p->isolated = random_one_in(r, 4);
	p->blocked = random_one_in(r, 8);
	p->mtu = PICK(r, mtus);
	if (random_one_in(r, 3))
		p->meter_broadcast = 1;
	if (random_one_in(r, 3))
		p->meter_multicast = 2;
	if (random_one_in(r, 3))
		p->meter_unknown = 3;
	if (b->vlan_aware && random_one_in(r, 8))
		p->vlan.tpid = VLAN_TPID_S;
}

static void random_domain(struct random *r, struct net *n,
			  struct snap_bridge *b, uint16_t vid)
{
	uint32_t vni = random_below(r, 2) ? 100 + n->s->n_domains : 0;
	struct snap_domain *d = net_domain(n, b, vid, vni);

	if (random_below(r, 3))
		net_resolve(n, d);
	if (random_below(r, 2))
		net_snoop(n, d);
	d->suppress_arp = d->neigh && random_below(r, 2);
}

static void random_bridge(struct random *r, struct net *n)
{
	struct snap_bridge *b = net_bridge(n, random_below(r, 3));

	b->forward_bpdu = random_one_in(r, 3);
	b->loop_guard = random_below(r, 2);
	if (!b->vlan_aware) {
		random_domain(r, n, b, 0);
		return;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(vids); i++)
		if (random_below(r, 4))
			random_domain(r, n, b, vids[i]);
}

/* Network i of the router is 10.i.0.0/16 and 2001:db8:i::/64 or /48. */
static struct snap_iface *random_iface(struct random *r, struct net *n,
				       struct snap_router *router, unsigned i)
{
	struct snap_domain *d = n->s->domains[random_below(r, n->s->n_domains)];
	struct snap_iface *f;
	char text[64];

	if (d->iface)
		return NULL;
	snprintf(text, sizeof(text), "10.%u.0.1/16", i);
	f = net_iface(n, router, d, text);
	snprintf(text, sizeof(text), "2001:db8:%u::1/%s", i,
		 random_below(r, 2) ? "64" : "48");
	net_address(n, f, text);
	f->mtu = random_below(r, 2) ? 1500 : 1300;
	return f;
}

static void random_routes(struct random *r, struct net *n,
			  struct snap_router *router,
			  const struct snap_iface *f, unsigned i)
{
	char via[32], via6[32];

	snprintf(via, sizeof(via), "10.%u.0.%u", i, 2 + random_below(r, 3));
	snprintf(via6, sizeof(via6), "2001:db8:%u::%u", i,
		 2 + random_below(r, 3));
	if (random_below(r, 2))
		net_route(n, router, "0.0.0.0/0", via, f);
	if (random_below(r, 2))
		net_route(n, router, "10.9.1.0/24", via, f);
	if (random_below(r, 2))
		net_route(n, router, "2001:db8:9::/48", via6, f);
	if (random_one_in(r, 4))
		net_route(n, router, "10.9.2.0/24", NULL, NULL);
	if (random_one_in(r, 4))
		net_route(n, router, "10.9.3.0/30", "unreachable", NULL);
}

static void random_router(struct random *r, struct net *n)
{
	struct snap_router *router = net_router(n);
	struct snap_port *p = n->s->ports[ROUTED_PORT + router->id];

	for (unsigned i = 1; i <= 3; i++) {
		struct snap_iface *f = random_iface(r, n, router, i);

		if (!f)
			continue;
		random_routes(r, n, router, f, i);
		if (f->domain->vni && random_one_in(r, 3))
			net_remote(n, router, f->domain, n->s->ports[PEER_PORT],
				   "10.9.0.0/28");
	}
	net_iface_on(n, router, p, "10.9.0.17/28");
	if (random_below(r, 2))
		net_route(n, router, "10.9.1.0/24", "10.9.0.18", p->iface);
}

static void random_rules(struct random *r, struct net *n)
{
	static const char *const rules[] = {
		"priority=10,ip,nw_dst=10.1.0.0/16 actions=normal",
		"priority=20,ip,nw_src=10.2.0.1 actions=drop",
		"priority=21,tcp,tp_dst=80 actions=output:2,output:3",
		"priority=22,udp actions=meter:9,normal",
		"priority=30,ipv6,ipv6_dst=2001:db8:1::/48 actions=normal",
		"priority=40,arp,arp_op=2 actions=normal,output:1",
		"priority=50,in_port=3 actions=set(eth_dst=02:00:00:00:00:02),"
		"normal",
		"priority=51,in_port=4,ip actions=set(ip_dst=10.1.0.3),"
		"resubmit(0)",
		"priority=52,in_port=5,dl_vlan=10 actions=pop_vlan,normal",
		"priority=53,in_port=6,ip actions=dec_ttl,normal",
		"priority=54,in_port=7 actions=push_vlan(tpid=0x8100,vid=20,"
		"pcp=0),normal,output:2",
		"priority=55,in_port=8,ip actions=clone(set(ip_dst=10.2.0.2),"
		"normal),check_len(1000,normal),resubmit(0)",
		"priority=56,in_port=9,dl_vlan=20 actions=pop_vlan,resubmit(0)"
		",output:1",
		"priority=57,in_port=2 actions=pop_vlan,pop_vlan,normal",
		"priority=58,tp_src=0x1/0x1,udp actions=set_eth(dst=02:00:00:"
		"00:fe:00,src=02:00:00:00:00:01),normal",
		"priority=59,in_port=1,tcp actions=sample(p=50%,push_mpls("
		"type=0x8847,label=1,tc=0,ttl=1),resubmit(0)),normal",
		"priority=60,in_port=7,dl_vlan=10 actions=push_vlan(tpid="
		"0x8100,vid=10,pcp=0),resubmit(0)",
		"priority=0 actions=normal",
	};

	for (unsigned b = 0; b < n->s->n_bridges; b++)
		for (unsigned i = 0; i < ARRAY_SIZE(rules); i++)
			if (b == 0 && random_one_in(r, 4))
				net_rule(n, n->s->bridges[b], rules[i]);
}

/* What rules of OpenFlow do, in few tables that lead to each other. */
static void random_flows(struct random *r, struct net *n)
{
	static const char *const flows[] = {
		"priority=9,ip,nw_dst=10.1.0.0/16,actions=normal",
		"priority=20,ip,nw_src=10.2.0.1,actions=dec_ttl,goto_table:1",
		"priority=21,tcp,tp_dst=80,actions=output:2,group:1",
		"priority=22,udp,actions=move:NXM_OF_UDP_SRC[0..7]->"
		"NXM_NX_REG0[8..15],resubmit(,1),output:3",
		"priority=30,ipv6,ipv6_dst=2001:db8:1::/48,actions=group:2",
		"priority=40,arp,arp_op=2,actions=flood,"
		"move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],"
		"mod_dl_src:02:00:00:00:00:01,in_port",
		"priority=41,in_port=3,actions=write_metadata:0x5,"
		"write_actions(output:1,dec_ttl,mod_nw_tos:32),goto_table:1",
		"priority=42,in_port=4,ip,actions=mod_nw_dst:10.1.0.3,"
		"mod_tp_dst:80,resubmit(,0)",
		"priority=43,in_port=5,dl_vlan=10,actions=strip_vlan,normal",
		"priority=44,in_port=7,actions=push_vlan:0x8100,"
		"set_field:4116->vlan_vid,normal,output:2",
		"priority=45,in_port=8,ip,actions=clone(mod_nw_dst:10.2.0.2,"
		"normal),controller:64,resubmit(5,0)",
		"priority=46,in_port=2,actions=push:NXM_OF_ETH_DST[0..31],"
		"pop:NXM_NX_REG1[],resubmit(,2)",
		"priority=47,in_port=1,actions=mod_vlan_vid:20,all",
		"priority=48,mpls,actions=dec_mpls_ttl,output:4",
		"priority=49,in_port=6,tcp,actions=push_mpls:0x8847,"
		"set_mpls_label:7,output:5,pop_mpls:0x0800,output:6",
		"table=1,priority=10,metadata=0x5,actions=output:5,group:1",
		"table=1,priority=11,reg0=0x100/0x100,actions=output:6",
		"table=1,priority=5,ip,nw_tos=32,actions=resubmit(,2),group:3",
		"table=1,priority=4,tcp,tcp_flags=+syn,actions=output:1",
		"table=1,priority=0,actions=normal",
		"table=2,priority=7,reg1=0x2/0x7,actions=output:7,exit",
		"table=2,priority=6,dl_dst=01:00:00:00:00:00/"
		"01:00:00:00:00:00,actions=flood",
		"table=2,priority=1,vlan_tci=0x1000/0x1000,actions="
		"strip_vlan,strip_vlan,goto_table:3",
		"table=3,actions=resubmit(,0),output:8",
		"priority=0,actions=normal",
	};
	struct snap_bridge *b = n->s->bridges[0];

	for (unsigned i = 0; i < ARRAY_SIZE(flows); i++)
		if (random_one_in(r, 2))
			net_flow(n, b, flows[i]);
	net_group(n, b,
		  (struct of_group){ .id = 1, .type = OF_GROUP_TYPE_SELECT },
		  "output:1|output:2|mod_nw_dst:10.1.0.3,output:3");
	net_group(n, b, (struct of_group){ .id = 2 },
		  "normal|dec_ttl,output:3|group:1");
	net_group(n, b, (struct of_group){ .id = 3, .type = OF_GROUP_TYPE_FF },
		  "output:1|group:2");
}

struct net *random_net(struct random *r)
{
	struct net *n = net_create();

	net_tunnel(n, RANDOM_TUNNEL);
	for (unsigned i = 0; i < ARRAY_SIZE(remotes) - 1; i++)
		net_peer(n, PEER_PORT + i, remotes[2 * i])->mtu =
			random_below(r, 2) ? 1450 : 1500;
	for (unsigned i = 1 + random_below(r, 2); i; i--)
		random_bridge(r, n);
	while (!n->s->n_domains)
		random_bridge(r, n);
	for (uint32_t id = 1; id <= PORTS; id++)
		random_port(r, n, id);
	for (unsigned i = 0; i < 2; i++) {
		net_routed(n, ROUTED_PORT + i);
		random_router(r, n);
	}
	if (random_below(r, 2))
		random_rules(r, n);
	else if (random_below(r, 2))
		random_flows(r, n);
	net_freeze(n);
	return n;
}

/* --- learning --- */

static void random_station(struct random *r, struct net *n,
			   const struct snap_domain *d)
{
	unsigned station = random_below(r, RANDOM_STATIONS);
	uint32_t port = 1 + random_below(r, PORTS);

	if (d->vni && random_one_in(r, 4))
		port = PEER_PORT + random_below(r, 2);
	if (random_one_in(r, 6))
		mac_table_del(d->bridge->macs, d->vid, net_mac(station));
	else if (random_one_in(r, 12))
		must(!mac_table_put_static(d->bridge->macs, d->vid,
					   net_mac(station), port));
	else
		net_learn(n, d, station, port);
}

static void random_neighbour(struct random *r, struct net *n,
			     const struct snap_domain *d)
{
	struct ip_addr ip = random_below(r, 2) ? ip_addr_from_ip4(ip4(r)) :
						 ip_addr_from_ip6(ip6(r));
	char text[IP_STR_LEN];

	if (random_one_in(r, 4))
		neigh_del(d->neigh, &ip);
	else
		net_neigh(n, d, ip_addr_format(&ip, text),
			  random_below(r, RANDOM_STATIONS));
}

static void random_group(struct random *r, struct net *n,
			 const struct snap_domain *d)
{
	static const char *const groups[] = { "239.1.1.1", "239.1.1.2",
					      "ff15::1", "ff15::2" };
	struct ip_addr group = net_ip(PICK(r, groups));
	uint32_t port = 1 + random_below(r, PORTS);

	if (random_one_in(r, 4))
		mcast_forget_port(d->mcast, port);
	else if (random_one_in(r, 6))
		mcast_set_router_port(d->mcast, port, random_below(r, 2));
	else
		net_join(n, d, port, &group);
}

/* Ages everything by a moment, seldom by a long time. */
static void random_time(struct random *r, struct net *n)
{
	uint64_t now;

	env_test_advance_ms(&n->env,
			    random_one_in(r, 64) ? NOW_LONG_MS : NOW_STEP_MS);
	now = env_now_ms(&n->env.env);
	for (unsigned i = 0; i < n->s->n_bridges; i++)
		mac_table_tick(n->s->bridges[i]->macs, now);
	for (unsigned i = 0; i < n->s->n_domains; i++) {
		if (n->s->domains[i]->neigh)
			neigh_tick(n->s->domains[i]->neigh, now);
		if (n->s->domains[i]->mcast)
			mcast_tick(n->s->domains[i]->mcast, now);
	}
}

void random_learning(struct random *r, struct net *n)
{
	const struct snap_domain *d =
		n->s->domains[random_below(r, n->s->n_domains)];

	random_time(r, n);
	if (d->neigh && random_below(r, 2))
		random_neighbour(r, n, d);
	else if (d->mcast && random_below(r, 2))
		random_group(r, n, d);
	else
		random_station(r, n, d);
}

/* --- packets --- */

struct frame {
	uint8_t b[256];
	unsigned len;
};

static void add(struct frame *f, const void *p, size_t n)
{
	must(f->len + n <= sizeof(f->b));
	memcpy(f->b + f->len, p, n);
	f->len += (unsigned)n;
}

static void add8(struct frame *f, unsigned v)
{
	f->b[f->len++] = (uint8_t)v;
}

static void add16(struct frame *f, unsigned v)
{
	add8(f, v >> 8);
	add8(f, v & 0xff);
}

static void add32(struct frame *f, uint32_t v)
{
	add16(f, v >> 16);
	add16(f, v & 0xffff);
}

static void add_tags(struct random *r, struct frame *f)
{
	static const uint16_t ids[] = { 0, 10, 10, 20, 20, 30, 99, 4095 };
	unsigned n = random_below(r, 2) ? 0 : 1 + random_below(r, 8) / 6;

	for (n += random_one_in(r, 24); n; n--) {
		add16(f, random_one_in(r, 6) ? VLAN_TPID_S : VLAN_TPID_C);
		add16(f, PICK(r, ids) | random_below(r, 3) << 13);
	}
}

static void add_arp(struct random *r, struct frame *f)
{
	struct eth_addr sha = source_mac(r), tha = destination_mac(r);
	uint32_t spa = ip4(r);

	add16(f, 0x0806);
	add32(f, 0x00010800);
	add16(f, 0x0604);
	add16(f, 1 + random_below(r, 8) / 3);
	add(f, &sha, 6);
	add32(f, spa);
	add(f, &tha, 6);
	add32(f, random_one_in(r, 6) ? spa : ip4(r));
}

static void add_ports(struct random *r, struct frame *f, uint8_t proto)
{
	static const uint16_t ports[] = { 22, 80, 443, 53 };

	add16(f, PICK(r, ports));
	add16(f, PICK(r, ports));
	if (proto == IP_PROTO_TCP) {
		add32(f, 1);
		add32(f, 2);
		add32(f, 0x50100200);
		add32(f, 0);
	} else {
		add32(f, 0x00080000);
	}
}

static void add_ip4(struct random *r, struct frame *f)
{
	static const uint8_t protos[] = { 6, 6, 17, 1, 2, 2, 89 };
	static const uint8_t types[] = { 8, 0, 0x11, 0x16, 0x17, 0x22 };
	static const uint8_t ttls[] = { 0, 1, 2, 64, 64, 64, 255 };
	static const uint16_t frags[] = { 0, 0, 0, 0, 0x4000, 0x2000, 0x20b0 };
	uint8_t proto = PICK(r, protos);

	add16(f, 0x0800);
	add32(f, 0x45000000u | random_below(r, 3) << 16 | IP4_LEN);
	add32(f, 0x00010000u | PICK(r, frags));
	add8(f, PICK(r, ttls));
	add8(f, proto);
	add16(f, 0);
	add32(f, ip4(r));
	add32(f, ip4(r));
	if (proto == IP_PROTO_TCP || proto == IP_PROTO_UDP) {
		add_ports(r, f, proto);
		return;
	}
	add8(f, PICK(r, types));
	add8(f, 0);
	add16(f, 0);
	add32(f, 0xef010101);
}

static void add_icmp6(struct random *r, struct frame *f)
{
	static const uint8_t types[] = { 128, 130, 131, 132, 143, 133,
					 134, 135, 135, 136, 136 };
	uint8_t type = PICK(r, types);
	struct ip6_addr target = ip6(r);
	struct eth_addr mac = source_mac(r);

	add8(f, type);
	add8(f, random_one_in(r, 12));
	add16(f, 0);
	add32(f, random_below(r, 2) << 30);
	if (type != 133)
		add(f, &target, 16);
	if (random_one_in(r, 4))
		return;
	add8(f, type == 136 ? 2 : 1);
	add8(f, 1);
	add(f, &mac, 6);
}

static void add_ip6(struct random *r, struct frame *f)
{
	static const uint8_t hop_limits[] = { 0, 1, 2, 64, 255, 255, 255 };
	struct ip6_addr src = ip6(r), dst = ip6(r);
	bool icmp = random_below(r, 3), options = random_one_in(r, 3);
	bool fragment = random_one_in(r, 12);
	uint8_t proto = icmp ? 58 : 6, next = fragment ? 44 : proto;
	unsigned begin;

	add16(f, 0x86dd);
	add32(f, 0x60000000u | random_below(r, 3) << 20);
	add16(f, 0);
	add8(f, options ? 0 : next);
	add8(f, PICK(r, hop_limits));
	add(f, &src, 16);
	add(f, &dst, 16);
	begin = f->len;
	if (options) {
		add8(f, next);
		add8(f, 0);
		add32(f, 0x05020000);
		add16(f, 0x0100);
	}
	if (fragment) {
		add8(f, proto);
		add8(f, 0);
		add16(f, random_below(r, 2) << 3 | 1);
		add32(f, 77);
	}
	if (icmp)
		add_icmp6(r, f);
	else
		add_ports(r, f, proto);
	put_be16(f->b + begin - 36, (uint16_t)(f->len - begin));
}

static void add_payload(struct random *r, struct frame *f)
{
	switch (random_below(r, 8)) {
	case 0:
	case 1:
		add_arp(r, f);
		break;
	case 2:
	case 3:
	case 4:
		add_ip4(r, f);
		break;
	case 5:
	case 6:
		add_ip6(r, f);
		break;
	default:
		add16(f, random_below(r, 2) ? 0x88cc : 0x0027);
	}
	f->len = MIN(f->len + 46, (unsigned)sizeof(f->b));
	if (random_one_in(r, 16))
		f->len = MAX(14u, random_below(r, f->len));
}

static void set_tunnel(struct random *r, struct packet *p)
{
	p->flags |= PACKET_TUNNEL;
	p->tun = (struct packet_tunnel){
		.id = 100 + random_below(r, 8),
		.src = net_ip(PICK(r, remotes)),
		.dst = net_ip("192.0.2.1"),
		.tp_src = (uint16_t)draw(r),
		.ttl = 64,
	};
	if (random_one_in(r, 16))
		p->tun.id = draw(r) >> random_below(r, 64);
}

static uint32_t random_in_port(struct random *r)
{
	switch (random_below(r, 12)) {
	case 0:
		return ROUTED_PORT + random_below(r, 2);
	case 1:
	case 2:
		return RANDOM_TUNNEL;
	case 3:
		return random_below(r, NET_PORTS + 2);
	default:
		return 1 + random_below(r, PORTS);
	}
}

/* Without Ethernet: the header that add_payload begins with goes. */
static void bare(struct packet *p, const struct frame *f)
{
	bool is_ip6 = f->b[0] == 0x86;

	packet_fill(p, f->b + 2, f->len - 2);
	p->packet_type = is_ip6 ? PACKET_TYPE_IP6 : PACKET_TYPE_IP4;
}

static void fill_packet(struct random *r, struct packet *p, uint32_t in_port)
{
	struct eth_addr dst = destination_mac(r), src = source_mac(r);
	struct frame f = { .len = 0 };

	if (in_port / 2 == ROUTED_PORT / 2) {
		if (random_below(r, 2))
			add_ip4(r, &f);
		else
			add_ip6(r, &f);
		bare(p, &f);
	} else {
		add(&f, &dst, 6);
		add(&f, &src, 6);
		add_tags(r, &f);
		add_payload(r, &f);
		packet_fill(p, f.b, f.len);
	}
	p->in_port = in_port;
	if (in_port == RANDOM_TUNNEL || random_one_in(r, 64))
		set_tunnel(r, p);
}

struct packet *random_packet(struct random *r)
{
	struct packet *p = packet_alloc(r->pool);

	if (p)
		fill_packet(r, p, random_in_port(r));
	return p;
}

void random_key(struct random *r, struct flow_key *key)
{
	struct packet *p = random_packet(r);

	must(p);
	flow_key_init(key);
	(void)flow_extract(p, key); /* what does not parse stays zero */
	packet_free(p);
}
