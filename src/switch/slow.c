/* SPDX-License-Identifier: Apache-2.0 */
/* What was punted: ARP, ND, membership, probes; and sending frames of our own. */
#include "switch/of_inside.h"

#include "flow/extract.h"
#include "l3/arp.h"
#include "l3/nd.h"
#include "overlay/note.h"

/* --- sending --- */

static struct packet *own_packet(struct vswitch *sw, const void *bytes,
				 uint32_t len)
{
	struct packet *p = packet_alloc(sw->pool);

	if (p)
		packet_fill(p, bytes, len);
	return p;
}

static void own_key(struct packet *p, struct flow_key *key)
{
	flow_key_init(key);
	(void)flow_extract(p, key); /* what does not parse stays zero */
}

static void run_verdict(struct vswitch *sw, struct packet *p)
{
	sw->config.dp->execute(sw->dp, p, acts_list(&sw->verdict->actions));
}

void sw_send_in_domain(struct vswitch *sw, uint32_t domain, const void *frame,
		       uint32_t len)
{
	struct packet *p = own_packet(sw, frame, len);
	struct flow_key key;

	if (!p)
		return;
	own_key(p, &key);
	pipeline_originate(sw->snapshot, domain, &key, sw->verdict, NULL);
	run_verdict(sw, p);
}

void sw_send_on_port(struct vswitch *sw, uint32_t port, const void *frame,
		     uint32_t len)
{
	struct packet *p = own_packet(sw, frame, len);

	if (!p)
		return;
	acts_clear(&sw->verdict->actions);
	acts_output(&sw->verdict->actions, port);
	run_verdict(sw, p);
}

void switch_send_note(struct vswitch *sw, const struct ip_addr *peer,
		      const void *frame, uint32_t len)
{
	const struct snap_port *to = snapshot_peer(sw->snapshot, peer);
	struct packet_tunnel t = { .id = NOTE_VNI,
				   .dst = *peer,
				   .flags = TUNNEL_F_DF };
	struct packet *p = to ? own_packet(sw, frame, len) : NULL;

	if (!p)
		return;
	acts_clear(&sw->verdict->actions);
	acts_set_tunnel(&sw->verdict->actions, &t);
	acts_output(&sw->verdict->actions, to->tunnel_port);
	run_verdict(sw, p);
}

void sw_send_routed(struct vswitch *sw, uint32_t router, const void *ip,
		    uint32_t len)
{
	struct packet *p = own_packet(sw, ip, len);
	struct flow_key key;

	if (!p)
		return;
	p->packet_type = *(const uint8_t *)ip >> 4 == 6 ? PACKET_TYPE_IP6 :
							  PACKET_TYPE_IP4;
	own_key(p, &key);
	pipeline_route_own(sw->snapshot, router, &key, sw->verdict, NULL);
	run_verdict(sw, p);
}

/* --- address resolution --- */

static bool from_peer(const struct vswitch *sw, uint32_t in_port)
{
	const struct snap_port *p = snapshot_port(sw->snapshot, in_port);

	return p && p->kind == SNAP_PORT_TUNNEL;
}

static const struct snap_domain *punt_domain(const struct vswitch *sw,
					     const struct punt *p)
{
	return snapshot_domain(sw->snapshot,
			       p->action.userdata[PUNT_WORD_DOMAIN]);
}

static const uint8_t *punt_l3(const struct punt *p, uint32_t *len)
{
	const struct packet *k = p->packet;

	if (k->l3 == PACKET_NO_LAYER || k->l3 >= k->len) {
		*len = 0;
		return k->data;
	}
	*len = k->len - k->l3;
	return k->data + k->l3;
}

static void tell_conflict(struct vswitch *sw, const struct snap_domain *d,
			  const struct ip_addr *ip, struct eth_addr mac)
{
	const struct switch_events *ev = &sw->config.events;

	if (ev->conflict)
		ev->conflict(ev->ctx, d->name, ip, mac);
}

static void tell_neighbour(struct vswitch *sw, const struct snap_domain *d,
			   const struct ip_addr *ip, struct eth_addr mac)
{
	const struct switch_events *ev = &sw->config.events;

	if (ev->neighbour)
		ev->neighbour(ev->ctx, d->name, ip, mac);
}

static void learn_news(struct vswitch *sw, const struct snap_domain *d,
		       const struct neigh_news *news)
{
	if (neigh_learn(d->neigh, news, sw_now(sw)) == NEIGH_LEARNED)
		tell_neighbour(sw, d, &news->ip, news->mac);
	sw_drain_neigh(sw, d->id);
}

static void rx_arp(struct vswitch *sw, const struct punt *p)
{
	const struct snap_domain *d = punt_domain(sw, p);
	uint8_t frame[ARP_FRAME_LEN];
	struct arp_decision dec;
	struct arp_ctx c = { .in_port = p->in_port };
	struct arp_msg m;
	uint32_t len;
	const uint8_t *arp = punt_l3(p, &len);

	if (!d || !d->neigh || arp_decode(arp, len, &m) != DROP_NONE)
		return;
	if (d->iface) {
		c.own = d->iface->addresses;
		c.n_own = d->iface->n_addresses;
		c.mac = d->iface->router->mac;
	}
	c.for_others = d->suppress_arp;
	c.from_peer = from_peer(sw, p->in_port);
	dec = arp_decide(&m, &c, d->neigh);
	if (dec.conflict) {
		struct ip_addr ip = ip_addr_from_ip4(m.spa);

		tell_conflict(sw, d, &ip, m.sha);
	}
	if (dec.learn)
		learn_news(sw, d, &dec.news);
	if (dec.answer) {
		arp_answer(&m, dec.answer_mac, frame);
		sw_send_in_domain(sw, d->id, frame, sizeof(frame));
		sw->stats.arp_answered++;
	}
}

static void nd_reply(struct vswitch *sw, const struct snap_domain *d,
		     const struct punt *p, const struct nd_msg *m,
		     const struct nd_decision *dec)
{
	uint8_t frame[ND_FRAME_LEN];

	nd_answer(m, dec, p->key.eth_src, frame);
	sw_send_in_domain(sw, d->id, frame, sizeof(frame));
	sw->stats.nd_answered++;
}

static void rx_nd(struct vswitch *sw, const struct punt *p)
{
	const struct snap_domain *d = punt_domain(sw, p);
	bool check =
		!(p->packet->flags & (PACKET_CSUM_PARTIAL | PACKET_CSUM_VALID));
	struct nd_ctx c = { .in_port = p->in_port };
	struct nd_decision dec;
	struct nd_msg m;
	uint32_t len;
	const uint8_t *ip6 = punt_l3(p, &len);

	if (!d || !d->neigh || nd_decode(ip6, len, check, &m) != DROP_NONE)
		return;
	if (d->iface) {
		c.own = d->iface->addresses;
		c.n_own = d->iface->n_addresses;
		c.mac = d->iface->router->mac;
	}
	c.for_others = d->suppress_arp;
	c.from_peer = from_peer(sw, p->in_port);
	dec = nd_decide(&m, &c, d->neigh);
	if (dec.conflict) {
		struct ip_addr ip = ip_addr_from_ip6(m.target);

		tell_conflict(sw, d, &ip, p->key.eth_src);
	}
	if (dec.learn)
		learn_news(sw, d, &dec.news);
	if (dec.answer)
		nd_reply(sw, d, p, &m, &dec);
	if (dec.solicits_ra && d->iface && sw_iface(sw, d->iface->id)) {
		ra_solicited(&sw_iface(sw, d->iface->id)->ra, sw_now(sw));
		sw_arm(sw);
	}
}

/* --- routed, but the next hop's MAC is not known --- */

static struct ip_addr punt_addr(const struct punt *p)
{
	struct ip_addr a = { .family = 10 };
	static const uint8_t v4_mapped[12] = { [10] = 0xff, [11] = 0xff };

	memcpy(a.a.b, &p->action.userdata[PUNT_WORD_ADDR], 16);
	if (!memcmp(a.a.b, v4_mapped, sizeof(v4_mapped)))
		a.family = 2;
	return a;
}

static void resume(struct vswitch *sw, uint32_t iface,
		   const struct ip_addr *next_hop, struct packet *p)
{
	struct flow_key key;

	own_key(p, &key);
	pipeline_resume(sw->snapshot, iface, next_hop, &key, sw->verdict);
	run_verdict(sw, p);
}

static void rx_neigh_miss(struct vswitch *sw, const struct punt *p)
{
	const struct snap_domain *d = punt_domain(sw, p);
	uint32_t iface = p->action.userdata[PUNT_WORD_IFACE];
	struct ip_addr ip = punt_addr(p);
	struct packet *copy;

	if (!d || !d->neigh)
		return;
	copy = packet_clone(p->packet, sw->pool);
	if (!copy)
		return;
	switch (neigh_resolve(d->neigh, &ip, p->in_port, copy, sw_now(sw))) {
	case NEIGH_READY:
		resume(sw, iface, &ip, copy);
		break;
	case NEIGH_WAITS:
		break;
	case NEIGH_NO:
		packet_free(copy);
		sw_icmp_error(sw, p, ICMP_HOST, 0);
		break;
	case NEIGH_REFUSED:
		packet_free(copy);
		break;
	}
	sw_drain_neigh(sw, d->id);
}

/* --- the rest --- */

static void rx_snoop(struct vswitch *sw, const struct punt *p)
{
	const struct snap_domain *d = punt_domain(sw, p);
	uint32_t len, port = p->in_port;
	const uint8_t *ip = punt_l3(p, &len);

	if (!d || !d->mcast)
		return;
	/* A peer is asked of as the port it is to the pipeline. */
	if (from_peer(sw, port)) {
		const struct snap_port *peer =
			snapshot_peer(sw->snapshot, &p->packet->tun.src);

		if (!peer)
			return;
		port = peer->id;
	}
	mcast_rx(d->mcast, port, ip, len, sw_now(sw));
	sw_arm(sw);
}

static void rx_probe(struct vswitch *sw, const struct punt *p)
{
	const struct snap_port *in = snapshot_port(sw->snapshot, p->in_port);
	struct sw_bridge *b =
		in && in->bridge ? sw_bridge(sw, in->bridge->id) : NULL;

	if (!b || !b->guard)
		return;
	loop_guard_rx(b->guard, p->in_port, p->packet->data, p->packet->len,
		      sw_now(sw));
	sw_drain_guard(sw, b);
	sw_arm(sw);
}

static void rx_note(struct vswitch *sw, const struct punt *p)
{
	const struct switch_events *ev = &sw->config.events;
	const struct packet *k = p->packet;

	if (ev->note && k->flags & PACKET_TUNNEL)
		ev->note(ev->ctx, &k->tun.src, k->data, k->len);
}

void sw_punted(struct vswitch *sw, struct punt *p)
{
	sw->stats.punts[p->action.reason]++;
	switch ((enum punt_reason)p->action.reason) {
	case PUNT_ARP:
		rx_arp(sw, p);
		break;
	case PUNT_ND:
		rx_nd(sw, p);
		break;
	case PUNT_NEIGH_MISS:
		rx_neigh_miss(sw, p);
		break;
	case PUNT_TO_ROUTER:
		sw_to_router(sw, p);
		break;
	case PUNT_TTL:
		sw_icmp_error(sw, p, ICMP_TTL, 0);
		break;
	case PUNT_TOO_BIG:
		sw_too_big(sw, p);
		break;
	case PUNT_NO_ROUTE:
		sw_icmp_error(sw, p, ICMP_NO_ROUTE, 0);
		break;
	case PUNT_SNOOP:
		rx_snoop(sw, p);
		break;
	case PUNT_LOOP_PROBE:
		rx_probe(sw, p);
		break;
	case PUNT_NOTE:
		rx_note(sw, p);
		break;
	case PUNT_RULE:
		sw_of_punted(sw, p);
		break;
	case N_PUNT_REASONS:
		break;
	}
}

/* --- what the neighbour table wants --- */

static bool own_address(const struct snap_iface *i, const struct ip_addr *to,
			struct ip_addr *from)
{
	const struct ip_prefix *best = NULL;

	for (unsigned n = 0; n < i->n_addresses; n++) {
		const struct ip_prefix *a = &i->addresses[n];

		if (a->addr.family != to->family)
			continue;
		if (!best || ip_prefix_contains(a, to))
			best = a;
	}
	if (best)
		*from = best->addr;
	return best;
}

static void solicit(struct vswitch *sw, const struct snap_domain *d,
		    const struct neigh_out *o)
{
	const struct eth_addr *to = o->unicast ? &o->mac : NULL;
	uint8_t frame[MAX(ARP_FRAME_LEN, ND_FRAME_LEN)];
	struct ip_addr from;

	if (!d->iface || !own_address(d->iface, &o->ip, &from))
		return;
	if (ip_addr_is_ip4(&o->ip)) {
		arp_request(d->iface->router->mac, ip_addr_ip4(&from),
			    ip_addr_ip4(&o->ip), to, frame);
		sw_send_in_domain(sw, d->id, frame, ARP_FRAME_LEN);
	} else {
		nd_solicit(d->iface->router->mac, from.a, o->ip.a, to, frame);
		sw_send_in_domain(sw, d->id, frame, ND_FRAME_LEN);
	}
}

/* The ICMP error goes back by the router of the domain that has no answer. */
static void unreachable(struct vswitch *sw, const struct snap_domain *d,
			const struct neigh_out *o, struct ip_addr *told)
{
	struct packet *p = o->packet;
	struct punt about = { .packet = p, .in_port = p->in_port };

	/* Once, however many packets waited for it. */
	if (!ip_addr_equal(told, &o->ip))
		tell_neighbour(sw, d, &o->ip, (struct eth_addr){ 0 });
	*told = o->ip;
	about.action.userdata[PUNT_WORD_DOMAIN] = d->id;
	about.action.userdata[PUNT_WORD_IFACE] =
		d->iface ? d->iface->id : PUNT_NONE;
	own_key(p, &about.key);
	sw_icmp_error(sw, &about, ICMP_HOST, 0);
	packet_free(p);
}

void sw_drain_neigh(struct vswitch *sw, uint32_t domain)
{
	const struct snap_domain *d = snapshot_domain(sw->snapshot, domain);
	struct ip_addr told = { 0 };
	struct neigh_out o;

	if (!d || !d->neigh)
		return;
	while (neigh_take(d->neigh, &o)) {
		switch (o.kind) {
		case NEIGH_SOLICIT:
			solicit(sw, d, &o);
			break;
		case NEIGH_SEND:
			if (d->iface)
				resume(sw, d->iface->id, &o.ip, o.packet);
			else
				packet_free(o.packet);
			break;
		case NEIGH_UNREACHABLE:
			unreachable(sw, d, &o, &told);
			break;
		case NEIGH_DROP:
			packet_free(o.packet);
			break;
		case NEIGH_CONFLICT:
			tell_conflict(sw, d, &o.ip, o.mac);
			break;
		}
	}
	sw_arm(sw);
}
