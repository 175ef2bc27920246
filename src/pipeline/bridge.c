/* SPDX-License-Identifier: Apache-2.0 */
/* The learning bridge: learn, resolve, snoop, forward. */
#include "l2/reserved.h"
#include "l3/arp.h"
#include "l3/nd.h"
#include "overlay/suppress.h"
#include "pipeline/xlate.h"

#define ICMP6_MLD_QUERY 130u
#define ICMP6_MLD_DONE 132u
#define ICMP6_MLD2_REPORT 143u
#define IP_PROTO_IGMP 2u
#define IGMP_QUERY 0x11u
#define IP_PROTO_ICMP6 58u
#define ND_HOP_LIMIT 255u

/* The source's place is noted as an effect; a static entry elsewhere, or a
 * router's own address as source, ends the frame. */
static bool learn(struct xlate *x, const struct snap_domain *d)
{
	struct effect e = { .kind = EFFECT_LEARN,
			    .id = d->bridge->id,
			    .vid = d->vid,
			    .port = x->in->id,
			    .mac = x->key.eth_src };
	struct mac_found at;
	struct dep dep;

	xlate_look(x, eth_src);
	if (eth_addr_is_multicast(x->key.eth_src)) {
		xlate_drop(x, DROP_SOURCE_MULTICAST);
		return false;
	}
	if (d->iface && eth_addr_equal(x->key.eth_src, d->iface->router->mac))
		return true; /* another host's share of the same router */
	at = mac_table_find(d->bridge->macs, d->vid, x->key.eth_src, &dep);
	verdict_add_dep(x->v, dep);
	if (at.found && at.is_static) {
		if (at.port == x->in->id)
			return true;
		xlate_drop(x, DROP_MAC_STATIC);
		return false;
	}
	verdict_add_effect(x->v, &e);
	return true;
}

/* Does the neighbour table already say that `ip` has `mac`? */
static bool neigh_agrees(struct xlate *x, const struct snap_domain *d,
			 const struct ip_addr *ip, struct eth_addr mac)
{
	struct neigh_found n;
	struct dep dep;

	n = neigh_find(d->neigh, ip, &dep);
	verdict_add_dep(x->v, dep);
	return n.found && n.usable && eth_addr_equal(n.mac, mac);
}

/* Does the neighbour table know the target of a question? */
static bool target_known(struct xlate *x, const struct snap_domain *d,
			 const struct ip_addr *ip, bool *is_asker)
{
	struct neigh_found n;
	struct dep dep;

	n = neigh_find(d->neigh, ip, &dep);
	verdict_add_dep(x->v, dep);
	*is_asker = eth_addr_equal(n.mac, x->key.eth_src);
	return n.found && n.usable;
}

/* Says what to do with a question for `target` and punts it when it is answered
 * here; true when nobody else needs to hear it. */
static bool resolve_question(struct xlate *x, const struct snap_domain *d,
			     enum punt_reason reason,
			     const struct ip_addr *target,
			     struct suppress_question q)
{
	q.for_router = d->iface && snap_iface_has(d->iface, target);
	q.from_peer = xlate_from_peer(x);
	q.enabled = d->suppress_arp;
	if (!q.for_router)
		q.target_known = target_known(x, d, target, &q.target_is_asker);
	xlate_note(x, TRACE_BRIDGE, d, "%s", suppress_reason(&q));
	if (suppress_decide(&q) != SUPPRESS_ANSWER)
		return false;
	xlate_punt(x, reason, d, d->iface);
	return true;
}

/* An answer to the router is every host's: the copy goes to the peers when it
 * came in here. True when it was for the router. */
static bool resolve_answer(struct xlate *x, const struct snap_domain *d,
			   enum punt_reason reason)
{
	xlate_look(x, eth_dst);
	if (!d->iface || !eth_addr_equal(x->key.eth_dst, d->iface->router->mac))
		return false;
	xlate_punt(x, reason, d, d->iface);
	output_peers(x, d);
	return true;
}

static void resolve_snoop(struct xlate *x, const struct snap_domain *d,
			  enum punt_reason reason, const struct ip_addr *ip,
			  struct eth_addr mac)
{
	if (!neigh_agrees(x, d, ip, mac))
		xlate_punt(x, reason, d, d->iface);
}

static bool resolve_arp(struct xlate *x, const struct snap_domain *d)
{
	struct ip_addr target = ip_addr_from_ip4(x->key.ip4_dst);
	struct ip_addr source = ip_addr_from_ip4(x->key.ip4_src);
	struct suppress_question q = {
		.is_probe = !x->key.ip4_src,
		.is_gratuitous = x->key.ip4_src == x->key.ip4_dst,
	};

	xlate_look(x, arp_op);
	xlate_look(x, ip4_src);
	xlate_look(x, ip4_dst);
	xlate_look(x, arp_sha);
	if (!x->in)
		return false;
	if (x->key.arp_op == ARP_REQUEST &&
	    resolve_question(x, d, PUNT_ARP, &target, q))
		return true;
	if (x->key.arp_op == ARP_REPLY && resolve_answer(x, d, PUNT_ARP))
		return true;
	if (x->key.ip4_src)
		resolve_snoop(x, d, PUNT_ARP, &source, x->key.arp_sha);
	return false;
}

static bool resolve_nd(struct xlate *x, const struct snap_domain *d)
{
	struct ip_addr target = ip_addr_from_ip6(x->key.nd_target);
	struct suppress_question q = {
		.is_probe = ip6_addr_is_zero(x->key.ip6_src),
		.is_gratuitous =
			ip6_addr_equal(x->key.ip6_src, x->key.nd_target),
	};

	xlate_look(x, ip_ttl);
	if (x->key.ip_ttl != ND_HOP_LIMIT || !x->in)
		return false;
	xlate_look(x, nd_target);
	xlate_look(x, ip6_src);
	switch (x->key.tp_src) {
	case ND_NS:
		if (resolve_question(x, d, PUNT_ND, &target, q))
			return true;
		xlate_punt(x, PUNT_ND, d, d->iface);
		return false;
	case ND_NA:
		xlate_look(x, arp_tha);
		if (resolve_answer(x, d, PUNT_ND))
			return true;
		resolve_snoop(x, d, PUNT_ND, &target, x->key.arp_tha);
		return false;
	case ND_RS:
		if (d->iface)
			xlate_punt(x, PUNT_ND, d, d->iface);
		return false;
	default:
		return false;
	}
}

bool bridge_resolve(struct xlate *x, const struct snap_domain *d)
{
	if (!d->neigh || !x->plain)
		return false;
	xlate_look(x, eth_type);
	if (x->key.eth_type == ETH_TYPE_ARP)
		return resolve_arp(x, d);
	if (x->key.eth_type != ETH_TYPE_IP6)
		return false;
	xlate_look(x, ip_proto);
	if (x->key.ip_proto != IP_PROTO_ICMP6)
		return false;
	xlate_look(x, ip_frag);
	xlate_look(x, tp_src);
	xlate_look(x, tp_dst);
	return !x->key.ip_frag && !x->key.tp_dst && resolve_nd(x, d);
}

enum membership { MEMBERSHIP_NONE, MEMBERSHIP_QUERY, MEMBERSHIP_REPORT };

/* IGMP or MLD, by protocol and type (extraction puts both into tp_src). */
static enum membership membership(struct xlate *x)
{
	bool query;

	if (!x->in || !xlate_is_ip(x))
		return MEMBERSHIP_NONE;
	xlate_look(x, ip_proto);
	xlate_look(x, tp_src);
	if (x->key.eth_type == ETH_TYPE_IP4) {
		if (x->key.ip_proto != IP_PROTO_IGMP)
			return MEMBERSHIP_NONE;
		query = x->key.tp_src == IGMP_QUERY;
	} else {
		if (x->key.ip_proto != IP_PROTO_ICMP6 ||
		    !((x->key.tp_src >= ICMP6_MLD_QUERY &&
		       x->key.tp_src <= ICMP6_MLD_DONE) ||
		      x->key.tp_src == ICMP6_MLD2_REPORT))
			return MEMBERSHIP_NONE;
		query = x->key.tp_src == ICMP6_MLD_QUERY;
	}
	return query ? MEMBERSHIP_QUERY : MEMBERSHIP_REPORT;
}

static void meter_group(struct xlate *x, bool broadcast)
{
	uint32_t meter;

	if (!x->in || x->in->kind != SNAP_PORT_BRIDGED)
		return;
	meter = broadcast ? x->in->meter_broadcast : x->in->meter_multicast;
	if (meter)
		acts_u32(&x->v->actions, ACT_METER, meter);
}

static bool to_group(struct xlate *x, const struct snap_domain *d,
		     const struct mcast_found *f, bool all_peers)
{
	if (!f->flood)
		output_group(x, d, f, all_peers);
	return !f->flood;
}

/* Only those who asked for the group, and the routers, when that is known. A
 * report goes to routers alone: a host that hears one may keep its own back
 * (RFC 4541 2.1.1). True when it was sent. */
static bool snooped(struct xlate *x, const struct snap_domain *d)
{
	enum membership m = membership(x);
	struct mcast_found f;
	struct ip_addr group;
	struct dep dep;

	if (m != MEMBERSHIP_NONE)
		xlate_punt(x, PUNT_SNOOP, d, NULL);
	if (m == MEMBERSHIP_QUERY || !xlate_is_ip(x))
		return false;
	group = xlate_ip_dst(x);
	if (m == MEMBERSHIP_REPORT) {
		f = mcast_routers(d->mcast, group.family, &dep);
		verdict_add_dep(x->v, dep);
		return to_group(x, d, &f, true);
	}
	if (x->key.eth_type == ETH_TYPE_IP6)
		xlate_look(x, ip6_dst);
	else
		xlate_look(x, ip4_dst);
	f = mcast_find(d->mcast, &group, &dep);
	verdict_add_dep(x->v, dep);
	return to_group(x, d, &f, false);
}

static void forward_group(struct xlate *x, const struct snap_domain *d)
{
	bool broadcast = eth_addr_is_broadcast(x->key.eth_dst);

	meter_group(x, broadcast);
	if (!broadcast && d->mcast && snooped(x, d))
		return;
	output_flood(x, d);
}

static void forward_unknown(struct xlate *x, const struct snap_domain *d)
{
	if (x->in && x->in->meter_unknown)
		acts_u32(&x->v->actions, ACT_METER, x->in->meter_unknown);
	xlate_note(x, TRACE_BRIDGE, d, "does not know the station yet");
	output_flood(x, d);
}

/* A frame that was routed may go back out of the port it came from. */
static bool may_leave(struct xlate *x, const struct snap_port *out)
{
	enum drop why = DROP_NONE;

	if (out == x->in && !x->routed)
		why = DROP_SAME_PORT;
	else if (x->in && x->in->isolated && out->isolated)
		why = DROP_ISOLATED;
	else if (out->blocked)
		why = DROP_LOOP;
	else if (out->kind == SNAP_PORT_PEER && xlate_from_peer(x) &&
		 !x->routed)
		why = DROP_TUNNEL_LOOP;
	if (why == DROP_ISOLATED)
		xlate_note(x, TRACE_PORT, out, "is isolated, as %s is",
			   x->in->name);
	else if (why)
		xlate_note(x, TRACE_PORT, out, "is where it would leave");
	if (why)
		xlate_drop(x, why);
	return !why;
}

static const struct snap_member *find_member(const struct snap_domain *d,
					     const struct snap_port *p)
{
	for (unsigned i = 0; i < d->n_members; i++)
		if (d->members[i].port == p)
			return &d->members[i];
	return NULL;
}

static void forward_station(struct xlate *x, const struct snap_domain *d)
{
	const struct snap_member *m;
	const struct snap_port *out;
	struct mac_found at;
	struct dep dep;

	at = mac_table_find(d->bridge->macs, d->vid, x->key.eth_dst, &dep);
	verdict_add_dep(x->v, dep);
	out = at.found ? snapshot_port(x->s, at.port) : NULL;
	if (!out) {
		forward_unknown(x, d);
		return;
	}
	if (!may_leave(x, out))
		return;
	xlate_note(x, TRACE_BRIDGE, d, "knows the station behind %s",
		   out->name);
	m = find_member(d, out);
	if (m)
		output_member(x, d, m);
	else if (out->kind == SNAP_PORT_PEER)
		output_to_peer(x, d, out);
	else
		forward_unknown(x, d); /* its port left the VLAN */
}

void bridge_forward(struct xlate *x, const struct snap_domain *d)
{
	xlate_look(x, eth_dst);
	if (eth_addr_is_multicast(x->key.eth_dst))
		forward_group(x, d);
	else
		forward_station(x, d);
}

/* IEEE 802.1Q-2018 table 8-1: not forwarded by any bridge. */
static bool is_reserved(struct xlate *x, const struct snap_bridge *b)
{
	xlate_look(x, eth_dst);
	return reserved_check(x->key.eth_dst, b->forward_bpdu) != DROP_NONE;
}

void bridge_rx(struct xlate *x, const struct snap_domain *d)
{
	xlate_note(x, TRACE_BRIDGE, d, "in VLAN %u of bridge %s", d->vid,
		   d->bridge->name);
	if (is_reserved(x, d->bridge)) {
		xlate_drop(x, DROP_RESERVED_MAC);
		return;
	}
	if (!learn(x, d) || bridge_resolve(x, d))
		return;
	if (d->iface && eth_addr_equal(x->key.eth_dst, d->iface->router->mac)) {
		router_rx(x, d->iface);
		return;
	}
	bridge_forward(x, d);
}
