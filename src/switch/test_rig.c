/* SPDX-License-Identifier: Apache-2.0 */
#include "switch/test_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/rcu.h"
#include "dp/fake.h"
#include "switch/internal.h"

#define POOL 64u
#define SEED 20u
/* More rounds than this without rest: something chases its own tail. */
#define ROUNDS_MAX 10000u

#define ETH 14u
#define ICMP4 1u
#define IGMP 2u
#define UDP 17u
#define ICMP6 58u
#define HOP_BY_HOP 8u

/* --- who is who --- */

struct eth_addr rig_mac(uint32_t station)
{
	return eth_addr_from_u64(0x020000000000ull | station);
}

struct eth_addr rig_router_mac(void)
{
	return eth_addr_from_u64(0x02aa00000001ull);
}

struct ip_addr rig_addr(const char *text)
{
	struct ip_addr a;

	assert_int_equal(ip_addr_parse(text, &a), 0);
	return a;
}

struct ip_prefix rig_prefix(const char *text)
{
	struct ip_prefix p;

	assert_int_equal(ip_prefix_parse(text, &p), 0);
	return p;
}

/* --- the house --- */

static void house_ports(struct house *h)
{
	static const char *const names[RIG_PORTS] = { "p1", "p2", "p3",
						      "p4", "p5", "p6" };

	for (uint32_t i = 0; i < RIG_PORTS; i++)
		h->ports[i] = (struct desired_port){
			.name = names[i],
			.id = i + 1,
			.bridge = i < RIG_BLUE_PORTS ? RIG_BLUE : RIG_GREEN,
			.vlan = { .mode = VLAN_NATIVE_UNTAGGED },
			.loop_guard = true,
			.loop_cost = 100,
			.mtu = UINT32_MAX,
		};
}

static void house_router(struct house *h)
{
	static const char *const addresses[RIG_NETS][2] = {
		{ "198.51.100.254/24", "2001:db8:1::ff/64" },
		{ "203.0.113.254/24", "2001:db8:2::ff/64" },
	};

	for (uint32_t i = 0; i < RIG_NETS; i++) {
		h->addresses[i][0] = rig_prefix(addresses[i][0]);
		h->addresses[i][1] = rig_prefix(addresses[i][1]);
		h->ifaces[i] =
			(struct desired_iface){ .domain = i,
						.port = DESIRED_NONE,
						.addresses = h->addresses[i],
						.n_addresses = 2,
						.mtu = h->domains[i].mtu };
	}
	h->router = (struct desired_router){ .name = "r1",
					     .mac = rig_router_mac(),
					     .ifaces = h->ifaces,
					     .n_ifaces = RIG_NETS };
}

static void house_init(struct house *h)
{
	h->bridges[RIG_BLUE] = (struct desired_bridge){ .name = "b0" };
	h->bridges[RIG_GREEN] = (struct desired_bridge){ .name = "b1" };
	h->domains[RIG_BLUE] = (struct desired_domain){ .name = "blue",
							.bridge = RIG_BLUE,
							.mtu = 1500 };
	h->domains[RIG_GREEN] = (struct desired_domain){ .name = "green",
							 .bridge = RIG_GREEN,
							 .mtu = 1300 };
	h->peers[0] = (struct desired_peer){ "peer-a", RIG_PEER_A,
					     rig_addr("192.0.2.10"), 1450 };
	h->peers[1] = (struct desired_peer){ "peer-b", RIG_PEER_B,
					     rig_addr("192.0.2.11"), 1450 };
	house_ports(h);
	house_router(h);
	h->d = (struct desired){
		.bridges = h->bridges,
		.n_bridges = RIG_NETS,
		.domains = h->domains,
		.n_domains = RIG_NETS,
		.ports = h->ports,
		.n_ports = RIG_PORTS,
		.routers = &h->router,
		.n_routers = 1,
	};
}

void rig_apply(struct rig *r)
{
	struct err e = ERR_INIT;

	if (switch_check(&r->house.d, &e))
		fail_msg("%s", e.text);
	switch_apply(r->sw, &r->house.d);
	rig_settle(r);
}

void rig_apply_overlay(struct rig *r)
{
	r->house.domains[RIG_BLUE].vni = RIG_VNI;
	r->house.d.peers = r->house.peers;
	r->house.d.n_peers = RIG_N_PEERS;
	r->house.d.tunnel_port = RIG_TUNNEL;
	rig_apply(r);
}

/* --- events --- */

static void on_rebuild(void *ctx)
{
	struct rig *r = ctx;

	r->heard.rebuilds++;
	r->rebuild = true;
}

static void on_failed(void *ctx, uint32_t port, int error)
{
	struct rig *r = ctx;

	r->heard.failures++;
	r->heard.port = port;
	r->heard.error = error;
}

static void on_loop(void *ctx, uint32_t port, uint32_t other, bool blocked)
{
	struct rig *r = ctx;

	if (blocked)
		r->heard.blocks++;
	else
		r->heard.unblocks++;
	r->heard.port = port;
	r->heard.other = other;
}

static void on_conflict(void *ctx, const char *domain UNUSED,
			const struct ip_addr *ip, struct eth_addr mac)
{
	struct rig *r = ctx;

	r->heard.conflicts++;
	r->heard.ip = *ip;
	r->heard.mac = mac;
}

/* --- life --- */

static void rig_port(struct rig *r, uint32_t id, bool tunnel)
{
	struct dummy_config c = { .record = true,
				  .caps = tunnel ? PORT_CAP_TUNNEL : 0,
				  .mtu = 9000 };
	struct err e = ERR_INIT;
	char name[16];

	snprintf(name, sizeof(name), "p%u", id);
	r->port[id] = dummy_port_create(name, &c);
	r->port[id]->id = id;
	assert_int_equal(r->port[id]->ops->attach(r->port[id], &e), 0);
	assert_int_equal(switch_port_add(r->sw, r->port[id]), 0);
}

static struct switch_config rig_config(struct rig *r)
{
	return (struct switch_config){ .env = &r->env.env,
				       .loop = r->loop,
				       .dp = &dp_fake_ops,
				       .events = { .rebuild = on_rebuild,
						   .port_failed = on_failed,
						   .loop = on_loop,
						   .conflict = on_conflict,
						   .ctx = r } };
}

int rig_setup(void **state)
{
	struct rig *r = xzalloc(sizeof(*r));
	struct switch_config c;

	rcu_thread_register();
	env_test_init(&r->env, SEED);
	r->loop = loop_create();
	r->pool = packet_pool_create(POOL);
	c = rig_config(r);
	r->sw = switch_create(&c);
	assert_non_null(r->sw);
	for (uint32_t i = 1; i <= RIG_PORTS; i++)
		rig_port(r, i, false);
	rig_port(r, RIG_TUNNEL, true);
	house_init(&r->house);
	rig_apply(r);
	rig_drain(r, 0);
	*state = r;
	return 0;
}

int rig_teardown(void **state)
{
	struct rig *r = *state;
	uint64_t wrong = dp_fake_wrong(switch_dp(r->sw));

	for (uint32_t i = 1; i <= RIG_TUNNEL; i++)
		if (r->port[i])
			switch_port_del(r->sw, r->port[i]);
	switch_destroy(r->sw);
	for (uint32_t i = 1; i <= RIG_TUNNEL; i++)
		if (r->port[i])
			r->port[i]->ops->destroy(r->port[i]);
	packet_pool_destroy(r->pool);
	loop_destroy(r->loop);
	rcu_thread_unregister();
	free(r);
	assert_int_equal(wrong, 0);
	return 0;
}

/* --- time --- */

uint64_t rig_now(struct rig *r)
{
	return env_now_ms(&r->env.env);
}

static bool rig_is_busy(const struct rig *r)
{
	return r->rebuild || r->sw->punts.call.pending ||
	       r->sw->tick_call.pending;
}

void rig_settle(struct rig *r)
{
	for (unsigned i = 0; i < ROUNDS_MAX; i++) {
		unsigned n = dp_fake_poll(switch_dp(r->sw));

		loop_run_ms(r->loop, 0);
		if (r->rebuild) {
			r->rebuild = false;
			switch_apply(r->sw, &r->house.d);
		}
		if (!n && !rig_is_busy(r))
			return;
	}
	fail_msg("the switch does not come to rest");
}

void rig_poll(struct rig *r)
{
	while (dp_fake_poll(switch_dp(r->sw)))
		;
}

static void rig_clock(struct rig *r, uint64_t ms)
{
	if (ms > rig_now(r))
		env_test_advance_ms(&r->env, ms - rig_now(r));
}

void rig_pass_ms(struct rig *r, uint64_t ms)
{
	uint64_t end = rig_now(r) + ms;

	rig_settle(r);
	for (unsigned i = 0; r->sw->armed_ms <= end; i++) {
		if (i > ROUNDS_MAX)
			fail_msg("a timer is due again and again");
		rig_clock(r, r->sw->armed_ms);
		sw_tick(r->sw);
		rig_settle(r);
	}
	rig_clock(r, end);
	rig_settle(r);
}

/* --- frames in --- */

void rig_give(struct rig *r, uint32_t port, const void *frame, uint32_t len)
{
	assert_true(dummy_inject(r->port[port], frame, len, NULL));
}

void rig_send(struct rig *r, uint32_t port, const void *frame, uint32_t len)
{
	rig_give(r, port, frame, len);
	rig_settle(r);
}

void rig_send_tunnel(struct rig *r, uint32_t peer, const void *frame,
		     uint32_t len)
{
	struct packet *like = packet_alloc(r->pool);

	assert_non_null(like);
	like->flags |= PACKET_TUNNEL;
	like->tun = (struct packet_tunnel){
		.id = RIG_VNI, .src = r->house.peers[peer - RIG_PEER_A].address
	};
	assert_true(dummy_inject(r->port[RIG_TUNNEL], frame, len, like));
	packet_free(like);
	rig_settle(r);
}

static void store16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void store32(uint8_t *p, uint32_t v)
{
	store16(p, v >> 16);
	store16(p + 2, v);
}

static void write_eth(uint8_t *p, struct eth_addr to, struct eth_addr from,
		      uint16_t type)
{
	memcpy(p, to.b, 6);
	memcpy(p + 6, from.b, 6);
	store16(p + 12, type);
}

/* Sum of the pseudo header, addresses wherever they stand. */
static uint32_t pseudo_sum(const uint8_t *addresses, uint32_t n, uint8_t proto,
			   uint32_t len)
{
	return frame_sum(addresses, n, proto + len);
}

static uint32_t write_ip4(uint8_t *p, const struct rig_ip *ip, uint32_t l4)
{
	uint32_t header = 20;
	struct ip_addr a = rig_addr(ip->from), b = rig_addr(ip->to);

	memset(p, 0, 24);
	if (ip->router_alert) {
		store32(p + 20, 0x94040000u);
		header = 24;
	}
	p[0] = (uint8_t)(0x40 | header / 4);
	store16(p + 2, header + l4);
	store16(p + 4, 7);
	store16(p + 6, ip->df ? 0x4000 : 0);
	p[8] = ip->ttl ? ip->ttl : 64;
	p[9] = ip->proto ? ip->proto : UDP;
	store32(p + 12, ip_addr_ip4(&a));
	store32(p + 16, ip_addr_ip4(&b));
	store16(p + 10, ~frame_sum(p, header, 0));
	return header;
}

static uint32_t write_ip6(uint8_t *p, const struct rig_ip *ip, uint32_t l4)
{
	static const uint8_t alert[8] = { ICMP6, 0, 5, 2, 0, 0, 1, 0 };
	struct ip_addr a = rig_addr(ip->from), b = rig_addr(ip->to);
	uint32_t extra = ip->router_alert ? HOP_BY_HOP : 0;

	memset(p, 0, 40);
	p[0] = 0x60;
	store16(p + 4, l4 + extra);
	p[6] = extra ? 0 : ip->proto ? ip->proto : UDP;
	p[7] = ip->ttl ? ip->ttl : 64;
	memcpy(p + 8, a.a.b, 16);
	memcpy(p + 24, b.a.b, 16);
	memcpy(p + 40, alert, extra);
	return 40 + extra;
}

/* The transport's checksum, where its protocol has it. */
static void write_sum(uint8_t *l3, uint8_t *l4, uint32_t len, uint8_t proto)
{
	bool v6 = l3[0] >> 4 == 6;
	uint32_t at = proto == UDP ? 6 : 2, sum;

	if (proto != UDP && proto != ICMP4 && proto != ICMP6 && proto != IGMP)
		return;
	sum = pseudo_sum(l3 + (v6 ? 8 : 12), v6 ? 32 : 8, proto, len);
	if (proto == ICMP4 || proto == IGMP)
		sum = 0;
	store16(l4 + at, 0);
	store16(l4 + at, ~frame_sum(l4, len, sum));
}

static struct eth_addr group_mac(const struct ip_addr *a)
{
	if (!ip_addr_is_ip4(a))
		return ip6_addr_multicast_mac(a->a);
	return eth_addr_from_u64(0x01005e000000ull |
				 (ip_addr_ip4(a) & 0x7fffffu));
}

uint32_t rig_ip_build(struct rig *r, uint32_t port, const struct rig_ip *ip)
{
	uint8_t *l3 = r->frame + ETH, *l4;
	uint8_t proto = ip->proto ? ip->proto : UDP;
	uint32_t head = proto == UDP ? 8 : 0, len = head + ip->len;
	struct ip_addr to = rig_addr(ip->to);
	struct eth_addr dst = ip->to_group   ? group_mac(&to) :
			      ip->to_station ? rig_mac(ip->to_station) :
					       rig_router_mac();
	bool v6 = !ip_addr_is_ip4(&to);

	write_eth(r->frame, dst, rig_mac(ip->station ? ip->station : port),
		  v6 ? 0x86dd : 0x0800);
	l4 = l3 + (v6 ? write_ip6(l3, ip, len) : write_ip4(l3, ip, len));
	if (head) {
		store16(l4, ip->sport ? ip->sport : 1000);
		store16(l4 + 2, ip->dport ? ip->dport : 2000);
		store16(l4 + 4, len);
	}
	if (ip->payload)
		memcpy(l4 + head, ip->payload, ip->len);
	else
		memset(l4 + head, 0, ip->len);
	write_sum(l3, l4, len, proto);
	if (ip->bad_csum)
		l4[len - 1] ^= 1;
	return (uint32_t)(l4 + len - r->frame);
}

void rig_send_ip(struct rig *r, uint32_t port, const struct rig_ip *ip)
{
	rig_send(r, port, r->frame, rig_ip_build(r, port, ip));
}

void rig_send_echo(struct rig *r, uint32_t port, const struct rig_ip *ip)
{
	static uint8_t echo[FRAME_MAX];
	struct ip_addr to = rig_addr(ip->to);
	struct rig_ip whole = *ip;
	bool v6 = !ip_addr_is_ip4(&to);

	frame_pattern(echo, 8 + ip->len, 5);
	echo[0] = v6 ? 128 : 8;
	echo[1] = 0;
	whole.proto = v6 ? ICMP6 : ICMP4;
	whole.payload = echo;
	whole.len = 8 + ip->len;
	rig_send_ip(r, port, &whole);
}

void rig_send_arp(struct rig *r, uint32_t port, const struct rig_arp *a)
{
	static const uint8_t head[8] = { 0, 1, 8, 0, 6, 4, 0, 1 };
	struct eth_addr from = rig_mac(a->from ? a->from : port);
	struct eth_addr all = eth_addr_from_u64(0xffffffffffffull);
	struct ip_addr spa = rig_addr(a->spa), tpa = rig_addr(a->tpa);
	uint8_t f[60] = { 0 };

	write_eth(f, a->reply ? rig_router_mac() : all, from, 0x0806);
	memcpy(f + 14, head, 8);
	f[21] = a->reply ? 2 : 1;
	memcpy(f + 22, from.b, 6);
	store32(f + 28, ip_addr_ip4(&spa));
	if (a->reply)
		memcpy(f + 32, rig_router_mac().b, 6);
	store32(f + 38, ip_addr_ip4(&tpa));
	rig_send(r, port, f, sizeof(f));
}

static uint32_t nd_body(uint8_t *b, uint8_t type, uint8_t flags,
			const char *target, uint32_t station)
{
	struct ip_addr a = rig_addr(target);

	memset(b, 0, 32);
	b[0] = type;
	b[4] = flags;
	memcpy(b + 8, a.a.b, 16);
	b[24] = type == 135 ? 1 : 2;
	b[25] = 1;
	memcpy(b + 26, rig_mac(station).b, 6);
	return 32;
}

void rig_send_ns(struct rig *r, uint32_t port, const char *from,
		 const char *target)
{
	struct ip_addr group = rig_addr(target);
	char to[IP_STR_LEN];
	uint8_t b[32];
	uint32_t n = nd_body(b, 135, 0, target, port);

	ip6_addr_format(ip6_addr_solicited_node(group.a), to);
	rig_send_ip(r, port,
		    &(struct rig_ip){ .from = from,
				      .to = to,
				      .to_group = true,
				      .ttl = 255,
				      .proto = ICMP6,
				      .payload = b,
				      .len = n });
}

void rig_send_na(struct rig *r, uint32_t port, const char *target,
		 const char *to)
{
	uint8_t b[32];
	uint32_t n = nd_body(b, 136, 0x60, target, port);

	rig_send_ip(r, port,
		    &(struct rig_ip){ .from = target,
				      .to = to,
				      .ttl = 255,
				      .proto = ICMP6,
				      .payload = b,
				      .len = n });
}

/* --- frames out --- */

const struct seen *rig_take(struct rig *r, uint32_t port)
{
	struct packet *p = dummy_take(r->port[port], r->pool);
	struct seen *s = &r->seen;

	if (!p)
		return NULL;
	must(p->len <= sizeof(s->b));
	s->len = p->len;
	s->has_tunnel = p->flags & PACKET_TUNNEL;
	s->tun = p->tun;
	memcpy(s->b, p->data, p->len);
	packet_free(p);
	return s;
}

const struct seen *rig_must_take(struct rig *r, uint32_t port)
{
	const struct seen *s = rig_take(r, port);

	if (!s)
		fail_msg("nothing left by port %u", port);
	return s;
}

void rig_must_be_quiet(struct rig *r, uint32_t port)
{
	const struct seen *s = rig_take(r, port);

	if (s)
		fail_msg("a frame of %u bytes of type %04x left by port %u",
			 s->len, seen_16(s, 12), port);
}

unsigned rig_drain(struct rig *r, uint32_t port)
{
	unsigned n = 0;

	for (uint32_t i = 1; i <= RIG_TUNNEL; i++)
		while (r->port[i] && (!port || i == port) && rig_take(r, i))
			n++;
	return n;
}

uint16_t seen_16(const struct seen *s, uint32_t at)
{
	assert_true(at + 2 <= s->len);
	return (uint16_t)(s->b[at] << 8 | s->b[at + 1]);
}

uint32_t seen_32(const struct seen *s, uint32_t at)
{
	return (uint32_t)seen_16(s, at) << 16 | seen_16(s, at + 2);
}

bool seen_is_ip6(const struct seen *s)
{
	return seen_16(s, 12) == 0x86dd;
}

void seen_is_arp_request(const struct seen *s, const char *target,
			 uint32_t to_station)
{
	struct ip_addr a = rig_addr(target);
	struct eth_addr to = to_station ? rig_mac(to_station) :
					  eth_addr_from_u64(0xffffffffffffull);

	assert_int_equal(seen_16(s, 12), 0x0806);
	assert_int_equal(seen_16(s, 20), 1);
	assert_memory_equal(s->b, to.b, 6);
	assert_memory_equal(s->b + 22, rig_router_mac().b, 6);
	assert_int_equal(seen_32(s, 38), ip_addr_ip4(&a));
}

uint32_t seen_is_icmp(const struct seen *s, uint8_t type, uint8_t code)
{
	bool v6 = seen_is_ip6(s);
	uint32_t at = v6 ? ETH + 40 : ETH + 20;
	uint32_t len = v6 ? seen_16(s, ETH + 4) : seen_16(s, ETH + 2) - 20u;
	uint32_t sum = v6 ? pseudo_sum(s->b + ETH + 8, 32, ICMP6, len) : 0;

	assert_int_equal(s->b[v6 ? ETH + 6 : ETH + 9], v6 ? ICMP6 : ICMP4);
	assert_true(at + len <= s->len);
	assert_int_equal(s->b[at], type);
	assert_int_equal(s->b[at + 1], code);
	assert_int_equal(frame_sum(s->b + at, len, sum), 0xffff);
	if (!v6)
		assert_int_equal(frame_sum(s->b + ETH, 20, 0), 0xffff);
	return at;
}

/* --- the switch's own account --- */

struct switch_stats rig_stats(struct rig *r)
{
	struct switch_stats st;

	switch_stats(r->sw, &st);
	return st;
}

uint64_t rig_drops(struct rig *r, uint32_t port, enum drop reason)
{
	struct port_counters sum;

	port_counters_sum(r->port[port], &sum);
	return sum.drops[reason];
}

uint32_t rig_where(struct rig *r, unsigned bridge, uint32_t station)
{
	const struct snapshot *s = switch_snapshot(r->sw);
	struct dep dep;

	for (unsigned i = 0; i < s->n_bridges; i++) {
		const struct snap_bridge *b = s->bridges[i];

		if (b && !strcmp(b->name, r->house.bridges[bridge].name))
			return mac_table_find(b->macs, 0, rig_mac(station),
					      &dep)
				.port;
	}
	return 0;
}
