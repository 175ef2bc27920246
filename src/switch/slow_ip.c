/* SPDX-License-Identifier: Apache-2.0 */
/* The router's own IP traffic: errors, echo replies, fragments. */
#include "flow/extract.h"
#include "packet/checksum.h"
#include "packet/headers.h"
#include "switch/internal.h"

static const struct snap_iface *punt_iface(const struct vswitch *sw,
					   const struct punt *p)
{
	return snapshot_iface(sw->snapshot,
			      p->action.userdata[PUNT_WORD_IFACE]);
}

static bool l3_of(const struct punt *p, const uint8_t **ip, uint32_t *len)
{
	const struct packet *k = p->packet;

	if (k->l3 == PACKET_NO_LAYER || k->l3 >= k->len)
		return false;
	*ip = k->data + k->l3;
	*len = k->len - k->l3;
	return true;
}

/* An address of the interface in the family of the packet, preferably one that
 * is not link-local. */
static bool iface_source(const struct snap_iface *i, uint16_t family,
			 struct ip_addr *from)
{
	bool found = false;

	for (unsigned n = 0; n < i->n_addresses; n++) {
		const struct ip_addr *a = &i->addresses[n].addr;

		if (a->family != family)
			continue;
		if (!found || ip6_addr_is_link_local(from->a))
			*from = *a;
		found = true;
	}
	return found;
}

void sw_icmp_error(struct vswitch *sw, const struct punt *p,
		   enum icmp_kind kind, uint32_t mtu)
{
	const struct snap_iface *i = punt_iface(sw, p);
	struct icmp_error e = { .kind = kind, .mtu = mtu };
	struct sw_router *r = i ? sw_router(sw, i->router->id) : NULL;
	bool group = eth_addr_is_multicast(p->key.eth_dst);
	uint8_t out[ICMP_ERROR_MAX];
	struct ip_addr to;
	const uint8_t *ip;
	uint32_t len;

	if (!r || !l3_of(p, &ip, &len) || !icmp_source(ip, len, &to) ||
	    !iface_source(i, to.family, &e.from) ||
	    icmp_may_answer(kind, ip, len, group) != ICMP_ALLOWED)
		return;
	if (!icmp_limiter_take(&r->icmp, &to, sw_now(sw))) {
		sw->stats.icmp_limited++;
		return;
	}
	len = icmp_error(&e, ip, len, out);
	if (!len)
		return;
	sw->stats.icmp_errors++;
	sw_send_routed(sw, r->id, out, len);
}

void sw_to_router(struct vswitch *sw, const struct punt *p)
{
	const struct snap_iface *i = punt_iface(sw, p);
	bool check =
		!(p->packet->flags & (PACKET_CSUM_PARTIAL | PACKET_CSUM_VALID));
	static uint8_t out[PACKET_MAX_LEN]; /* the control thread's alone */
	const uint8_t *ip;
	uint32_t len;

	if (!i || !l3_of(p, &ip, &len))
		return;
	len = icmp_echo_reply(ip, len, check, out);
	if (len) {
		sw->stats.echo_replies++;
		sw_send_routed(sw, i->router->id, out, len);
		return;
	}
	/* Nothing listens on the router: say so to those who ask by UDP or TCP,
	 * or by a protocol it does not have; never about ICMP itself. */
	if (p->key.ip_proto == IP_PROTO_UDP || p->key.ip_proto == IP_PROTO_TCP)
		sw_icmp_error(sw, p, ICMP_PORT, 0);
	else if (p->key.ip_proto != IP_PROTO_ICMP &&
		 p->key.ip_proto != IP_PROTO_ICMP6)
		sw_icmp_error(sw, p, ICMP_PROTOCOL, 0);
}

/* A bridge has no address of its own to complain from. Where a network without
 * router is too narrow for a packet, the error carries the destination's own
 * address: it is the one path of the packet that its sender knows, and without
 * the error the path is a black hole (RFC 1191 3 asks no more than the quote). */
static void bridge_too_big(struct vswitch *sw, const struct punt *p,
			   uint32_t mtu)
{
	uint32_t domain = p->action.userdata[PUNT_WORD_DOMAIN];
	uint8_t out[ETH_HEADER_LEN + ICMP_ERROR_MAX];
	struct icmp_error e = { .kind = ICMP_TOO_BIG, .mtu = mtu };
	const uint8_t *ip;
	uint32_t len;

	if (!l3_of(p, &ip, &len) ||
	    icmp_may_answer(ICMP_TOO_BIG, ip, len,
			    eth_addr_is_multicast(p->key.eth_dst)) !=
		    ICMP_ALLOWED)
		return;
	e.from = p->key.eth_type == ETH_TYPE_IP6 ?
			 ip_addr_from_ip6(p->key.ip6_dst) :
			 ip_addr_from_ip4(p->key.ip4_dst);
	len = icmp_error(&e, ip, len, out + ETH_HEADER_LEN);
	if (!len)
		return;
	memcpy(out, p->key.eth_src.b, 6);
	memcpy(out + 6, p->key.eth_dst.b, 6);
	put_be16(out + 12, p->key.eth_type);
	sw->stats.icmp_errors++;
	sw_send_in_domain(sw, domain, out, ETH_HEADER_LEN + len);
}

/* Whether an error could be sent is not asked: a later fragment is cut as well. */
static bool may_fragment(const struct punt *p)
{
	const uint8_t *ip;
	uint32_t len;

	return p->key.eth_type == ETH_TYPE_IP4 && l3_of(p, &ip, &len) &&
	       len >= 20 && !(get_be16(ip + 6) & IP4_DF);
}

/* Was it flooded in a network that peers share? Then its own host's stations have
 * it as a whole, and the peers have nothing yet. */
static bool was_flooded(const struct vswitch *sw, const struct punt *p)
{
	const struct snap_port *in = snapshot_port(sw->snapshot, p->in_port);
	const struct snap_domain *d = snapshot_domain(
		sw->snapshot, p->action.userdata[PUNT_WORD_DOMAIN]);
	struct dep dep;

	if (!d || !d->n_peers || !in || in->bridge != d->bridge)
		return false;
	if (d->iface && eth_addr_equal(p->key.eth_dst, d->iface->router->mac))
		return false;
	return !mac_table_find(d->bridge->macs, d->vid, p->key.eth_dst, &dep)
			.found;
}

void sw_too_big(struct vswitch *sw, struct punt *p)
{
	uint32_t mtu = p->action.userdata[PUNT_WORD_ADDR];

	if (may_fragment(p)) {
		sw->stats.fragmented++;
		sw_fragment(sw, p->packet, mtu, was_flooded(sw, p));
		return;
	}
	if (punt_iface(sw, p))
		sw_icmp_error(sw, p, ICMP_TOO_BIG, mtu);
	else
		bridge_too_big(sw, p, mtu);
}

/* --- IPv4 fragments (RFC 791 2.3, RFC 1812 4.2.2.7) --- */

/* A piece of a datagram: `n` bytes of its data from `at` on. */
struct piece {
	const struct packet *whole;
	uint32_t header; /* bytes of the IPv4 header */
	uint32_t at, n;
	bool more;    /* others follow, of this cut */
	bool flooded; /* for the peers alone */
};

/* Of a translation, what goes into the tunnel. */
static void keep_peers(struct vswitch *sw, struct act_list list)
{
	acts_clear(sw->spare);
	act_list_for_each(a, list) {
		const struct act_port *o = (const void *)a;
		const struct snap_port *out = NULL;

		if (a->op == ACT_OUTPUT)
			out = snapshot_port(sw->snapshot, o->port);
		if (a->op == ACT_METER ||
		    (out && out->kind != SNAP_PORT_TUNNEL))
			continue;
		acts_append(sw->spare, (struct act_list){ a, a->len });
	}
}

static void send_to_peers(struct vswitch *sw, struct packet *piece)
{
	struct flow_key key;

	flow_key_init(&key);
	if (flow_extract(piece, &key) != DROP_NONE) {
		packet_free(piece);
		return;
	}
	pipeline_translate(sw->snapshot, &key, sw->verdict, NULL);
	keep_peers(sw, acts_list(&sw->verdict->actions));
	sw->config.dp->execute(sw->dp, piece, acts_list(sw->spare));
}

static void send_fragment(struct vswitch *sw, const struct piece *p)
{
	const struct packet *whole = p->whole;
	struct packet *f = packet_alloc(sw->pool);
	uint32_t front = whole->l3 + p->header;
	uint16_t flags;
	uint8_t *ip;

	if (!f)
		return;
	packet_fill(f, whole->data, front + p->n);
	ip = f->data + whole->l3;
	memcpy(f->data + front, whole->data + front + p->at, p->n);
	flags = get_be16(ip + 6);
	flags = (uint16_t)((flags & ~IP4_OFFSET_MASK) |
			   ((flags & IP4_OFFSET_MASK) + p->at / 8));
	put_be16(ip + 2, (uint16_t)(p->header + p->n));
	put_be16(ip + 6, p->more ? flags | IP4_MF : flags);
	put_be16(ip + 10, 0);
	put_be16(ip + 10, checksum(ip, p->header));
	f->in_port = whole->in_port;
	f->packet_type = whole->packet_type;
	f->tun = whole->tun;
	f->flags |= whole->flags & PACKET_TUNNEL;
	if (p->flooded)
		send_to_peers(sw, f);
	else
		sw->config.dp->inject(sw->dp, f);
}

/* Pieces that fit, treated as if the sender had sent them so. Options are
 * copied into each: more than RFC 791 asks for, never less. */
void sw_fragment(struct vswitch *sw, struct packet *p, uint32_t mtu,
		 bool flooded)
{
	const uint8_t *ip = p->data + p->l3;
	uint32_t header = (ip[0] & 0xfu) * 4u;
	uint32_t total = MIN(get_be16(ip + 2), p->len - p->l3);
	uint32_t step;

	if (header < 20 || total < header || mtu < header + 8)
		return;
	packet_csum_finish(p);
	step = (mtu - header) & ~7u;
	for (uint32_t at = 0; at < total - header; at += step) {
		struct piece piece = { .whole = p,
				       .header = header,
				       .at = at,
				       .flooded = flooded };

		piece.n = MIN(step, total - header - at);
		piece.more = at + piece.n < total - header;
		send_fragment(sw, &piece);
	}
}
