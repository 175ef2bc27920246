/* SPDX-License-Identifier: Apache-2.0 */
/* The router: validate, look up, resolve, rewrite, hand to the next domain. */
#include "base/hash.h"
#include "pipeline/xlate.h"

/* Source addresses that no router may forward (RFC 1812 5.3.7, RFC 4291 2.5):
 * loopback, multicast and above, "this network"; link-local. */
static bool source_is_martian(struct xlate *x)
{
	static const struct ip6_addr loopback = { { [15] = 1 } };
	struct flow_mask *m = &x->v->mask;

	if (x->key.eth_type == ETH_TYPE_IP4) {
		uint32_t net = x->key.ip4_src >> 24;

		m->bits.ip4_src |= 0xff000000u;
		return net == 0 || net == 127 || net >= 224;
	}
	xlate_look(x, ip6_src);
	return ip6_addr_is_multicast(x->key.ip6_src) ||
	       ip6_addr_is_zero(x->key.ip6_src) ||
	       ip6_addr_equal(x->key.ip6_src, loopback) ||
	       ip6_addr_is_link_local(x->key.ip6_src);
}

/* To a group or a link-local address: for the router itself or for nobody. */
static bool is_link_scope(const struct xlate *x)
{
	if (x->key.eth_type == ETH_TYPE_IP6)
		return ip6_addr_is_multicast(x->key.ip6_dst) ||
		       ip6_addr_is_link_local(x->key.ip6_dst);
	return x->key.ip4_dst >> 28 >= 14 || x->key.ip4_dst >> 24 == 127;
}

static void look_at_destination(struct xlate *x, unsigned bits)
{
	struct flow_key *m = &x->v->mask.bits;

	if (x->key.eth_type == ETH_TYPE_IP4) {
		m->ip4_dst |= bits ? ~0u << (32 - MIN(bits, 32u)) : 0;
		return;
	}
	for (unsigned i = 0; i < 16 && i * 8 < bits; i++)
		m->ip6_dst.b[i] |=
			(uint8_t)(bits - i * 8 >= 8 ? 0xff :
						      0xff00 >> (bits - i * 8));
}

/* What the router sends itself it does not answer: no ICMP about ICMP, no packet
 * to its own addresses. */
static void router_ends(struct xlate *x, enum punt_reason reason,
			enum drop drop, const struct snap_iface *in)
{
	if (in)
		xlate_punt(x, reason, in->domain, in);
	if (drop)
		xlate_drop(x, drop);
	else if (!in)
		xlate_drop(x, DROP_NOT_FOR_ROUTER);
}

/* Packets of the router's own leave with the TTL that they were given. */
static void pass_on(struct xlate *x)
{
	if (x->in)
		acts_op(&x->v->actions, ACT_DEC_TTL);
}

static void send_on_port(struct xlate *x, const struct snap_iface *out)
{
	xlate_look(x, packet_type);
	if (x->key.packet_type == PACKET_TYPE_ETHERNET && x->in &&
	    x->in->kind != SNAP_PORT_ROUTED)
		acts_op(&x->v->actions, ACT_POP_ETH);
	pass_on(x);
	acts_output(&x->v->actions, out->port->id);
	xlate_note(x, TRACE_OUTPUT, out->port, "leaves as a bare IP packet");
}

static void readdress(struct xlate *x, struct eth_addr dst, struct eth_addr src)
{
	xlate_look(x, packet_type);
	if (x->key.packet_type != PACKET_TYPE_ETHERNET) {
		acts_push_eth(&x->v->actions, dst, src, x->key.eth_type);
		x->key.packet_type = PACKET_TYPE_ETHERNET;
	} else {
		acts_set_eth(&x->v->actions, dst, src);
	}
	x->key.eth_dst = dst;
	x->key.eth_src = src;
}

static void send_in_domain(struct xlate *x, const struct snap_iface *out,
			   const struct ip_addr *next_hop)
{
	struct effect used = { .kind = EFFECT_NEIGH, .port = out->domain->id };
	struct neigh_found n;
	struct dep dep;
	char text[IP_STR_LEN];

	n = neigh_find(out->domain->neigh, next_hop, &dep);
	verdict_add_dep(x->v, dep);
	if (!n.found || !n.usable) {
		xlate_note(x, TRACE_ROUTER, out->router,
			   "asks who has %s in %s",
			   ip_addr_format(next_hop, text), out->domain->name);
		xlate_punt_addr(
			xlate_punt(x, PUNT_NEIGH_MISS, out->domain, out),
			next_hop);
		return;
	}
	used.id = n.id;
	verdict_add_effect(x->v, &used);
	pass_on(x);
	readdress(x, n.mac, out->router->mac);
	x->key.ip_ttl--;
	x->routed = true;
	bridge_forward(x, out->domain);
}

/* The same router on another host goes on from here. */
static void send_to_peer(struct xlate *x, const struct snap_iface *out)
{
	struct eth_addr mac = out->router->mac;

	pass_on(x);
	readdress(x, mac, mac);
	output_to_peer(x, out->domain, out->peer);
}

/* The route's own line rather than the router's, when it has one. */
static struct trace_at route_at(enum trace_kind kind, const char *name,
				const struct snap_router *r,
				const struct route *f)
{
	struct trace_at at = { kind, name, r->origin };

	if (f->cookie < r->n_origins && r->origins[f->cookie].line)
		at.origin = r->origins[f->cookie];
	return at;
}

static void route_on(struct xlate *x, const struct snap_router *r,
		     const struct snap_iface *in, const struct route_found *f)
{
	const struct snap_iface *out = snapshot_iface(x->s, f->hop->iface);

	if (!out) {
		router_ends(x, PUNT_NO_ROUTE, DROP_NO_ROUTE, in);
		return;
	}
	if (x->in && x->key.ip_ttl <= 1) {
		router_ends(x, PUNT_TTL, DROP_TTL, in);
		return;
	}
	if (unlikely(x->t))
		xlate_trace(x, route_at(TRACE_ROUTER, r->name, r, f->route),
			    "routes to %s",
			    out->peer   ? out->peer->name :
			    out->domain ? out->domain->name :
					  out->port->name);
	output_check_len(x, out->mtu, in ? in->domain : NULL, in);
	output_untag(x);
	x->pcp = 0;
	/* On a connected route the neighbour is the destination itself. */
	if (out->domain && !out->peer && !f->hop->gateway.family)
		look_at_destination(x, 128);
	if (out->peer)
		send_to_peer(x, out);
	else if (out->domain)
		send_in_domain(x, out, &f->next_hop);
	else
		send_on_port(x, out);
}

static void obey(struct xlate *x, const struct snap_router *r,
		 const struct snap_iface *in, const struct route_found *f)
{
	if (f->route->cookie == ROUTE_COOKIE_LOCAL) {
		xlate_note(x, TRACE_ROUTER, r, "owns the address");
		router_ends(x, PUNT_TO_ROUTER, DROP_NONE, in);
		return;
	}
	switch (f->route->kind) {
	case ROUTE_BLACKHOLE:
		if (unlikely(x->t))
			xlate_trace(
				x, route_at(TRACE_ROUTER, r->name, r, f->route),
				"has a blackhole for it");
		xlate_drop(x, DROP_ROUTE_BLACKHOLE);
		return;
	case ROUTE_UNREACHABLE:
		router_ends(x, PUNT_NO_ROUTE, DROP_NO_ROUTE, in);
		return;
	case ROUTE_CONNECTED:
	case ROUTE_VIA:
		route_on(x, r, in, f);
		return;
	}
}

/* What chooses among several next hops: the addresses, so that packets of a
 * flow, fragments too, stay together. */
static uint64_t flow_hash(const struct xlate *x)
{
	struct ip_addr src = xlate_ip_src(x), dst = xlate_ip_dst(x);

	return hash_bytes(&src.a, sizeof(src.a),
			  hash_bytes(&dst.a, sizeof(dst.a), 0));
}

static void look_at_addresses(struct xlate *x)
{
	look_at_destination(x, 128);
	if (x->key.eth_type == ETH_TYPE_IP4)
		xlate_look(x, ip4_src);
	else
		xlate_look(x, ip6_src);
}

void router_forward(struct xlate *x, const struct snap_router *r,
		    const struct snap_iface *in)
{
	struct ip_addr dst = xlate_ip_dst(x);
	struct route_found f;

	if (x->hops++ >= PIPELINE_MAX_HOPS) {
		xlate_drop(x, DROP_RECURSION);
		return;
	}
	f = route_table_find(r->routes, &dst, flow_hash(x));
	look_at_destination(x, f.bits);
	if (f.used_hash)
		look_at_addresses(x);
	if (f.route) {
		obey(x, r, in, &f);
		return;
	}
	xlate_note(x, TRACE_ROUTER, r, "has no route");
	router_ends(x, PUNT_NO_ROUTE, DROP_NO_ROUTE, in);
}

void router_rx(struct xlate *x, const struct snap_iface *in)
{
	struct ip_addr dst;

	if (!xlate_is_ip(x)) {
		xlate_drop(x, DROP_NOT_FOR_ROUTER);
		return;
	}
	dst = xlate_ip_dst(x);
	xlate_look(x, ip_ttl);
	if (is_link_scope(x)) {
		look_at_destination(x, 128);
		if (snap_iface_has(in, &dst))
			router_ends(x, PUNT_TO_ROUTER, DROP_NONE, in);
		else
			xlate_drop(x, DROP_NOT_FOR_ROUTER);
		return;
	}
	look_at_destination(x, x->key.eth_type == ETH_TYPE_IP4 ? 8 : 16);
	if (source_is_martian(x)) {
		xlate_drop(x, DROP_MARTIAN);
		return;
	}
	router_forward(x, in->router, in);
}

void pipeline_resume(const struct snapshot *s, uint32_t iface,
		     const struct ip_addr *next_hop, const struct flow_key *key,
		     struct verdict *v)
{
	const struct snap_iface *out = snapshot_iface(s, iface);
	struct xlate x = { .s = s,
			   .v = v,
			   .key = *key,
			   .plain = true,
			   .mtu_seen = UINT32_MAX };

	verdict_init(v);
	v->cacheable = false;
	x.in = snapshot_port(s, key->in_port);
	if (out && out->domain)
		send_in_domain(&x, out, next_hop);
	else
		xlate_drop(&x, DROP_NO_ROUTE);
	xlate_end(&x);
}
