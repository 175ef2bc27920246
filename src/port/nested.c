/* SPDX-License-Identifier: Apache-2.0 */
#include "port/nested.h"

#include "packet/cursor.h"
#include "packet/headers.h"

#define NESTED_TAGS_MAX 2u
#define NESTED_IP6_MIN 40u

/* Layer 2 (if any) and layer 3 read, the cursor stands behind them. */
struct nested_ip {
	uint32_t l3;
	uint16_t type;
	uint8_t proto;
};

static uint32_t nested_at(const struct packet *p, const struct cursor *c)
{
	return (uint32_t)(c->at - p->data);
}

static uint16_t nested_read_ethernet(struct cursor *c)
{
	uint16_t type;

	cursor_skip(c, 12);
	type = cursor_u16(c);
	for (unsigned i = 0; i < NESTED_TAGS_MAX && eth_type_is_vlan(type);
	     i++) {
		cursor_skip(c, 2);
		type = cursor_u16(c);
	}
	return type;
}

static bool nested_read_ip4(struct cursor *c, struct nested_ip *ip)
{
	const struct ip4_header *h = cursor_take(c, IP4_HEADER_LEN);

	if (!h || h->version_ihl >> 4 != 4 ||
	    ip4_header_len(h) < IP4_HEADER_LEN ||
	    from_be16(h->frag) & (IP4_MF | IP4_OFFSET_MASK))
		return false;
	ip->proto = h->proto;
	return cursor_skip(c, ip4_header_len(h) - IP4_HEADER_LEN);
}

static bool nested_read_ip6(struct cursor *c, struct nested_ip *ip)
{
	const struct ip6_header *h = cursor_take(c, NESTED_IP6_MIN);

	if (!h || from_be32(h->flow) >> 28 != 6)
		return false;
	ip->proto = h->next;
	return true;
}

static bool nested_read_ip(const struct packet *p, struct cursor *c,
			   struct nested_ip *ip)
{
	ip->l3 = nested_at(p, c);
	if (ip->type == ETH_TYPE_IP4)
		return nested_read_ip4(c, ip);
	return ip->type == ETH_TYPE_IP6 && nested_read_ip6(c, ip);
}

/* Bytes of the tunnel's header behind UDP; 0: none that is known. */
static uint32_t nested_udp_tunnel(struct cursor c)
{
	uint16_t port;
	uint8_t first;

	cursor_skip(&c, 2);
	port = cursor_u16(&c);
	cursor_skip(&c, 4);
	first = cursor_u8(&c);
	if (c.failed)
		return 0;
	return port == PORT_GENEVE ? GENEVE_HEADER_LEN + 4u * (first & 0x3fu) :
				     VXLAN_HEADER_LEN;
}

/* Bytes of a GRE header that carries Ethernet; 0: it does not. */
static uint32_t nested_gre(struct cursor c)
{
	uint16_t flags = cursor_u16(&c), type = cursor_u16(&c);
	uint32_t len = GRE_HEADER_LEN;

	len += flags & GRE_F_CSUM ? 4 : 0;
	len += flags & GRE_F_KEY ? 4 : 0;
	len += flags & GRE_F_SEQ ? 4 : 0;
	if (c.failed || type != ETH_TYPE_TEB || flags & GRE_F_RESERVED)
		return 0;
	return len;
}

/* Moves the cursor from the outer layer 4 to the inner frame. */
static bool nested_enter(struct cursor *c, uint8_t proto)
{
	uint32_t len;

	if (proto == IP_PROTO_UDP) {
		len = nested_udp_tunnel(*c);
		return len && cursor_skip(c, UDP_HEADER_LEN + len);
	}
	len = proto == IP_PROTO_GRE ? nested_gre(*c) : 0;
	return len && cursor_skip(c, len);
}

/* The inner packet is what the header says; GSO_NONE: it is not. */
static enum gso_type nested_gso_type(const struct nested_ip *ip,
				     const struct vnet_header *h)
{
	uint8_t type = h->gso_type & (uint8_t)~VNET_GSO_ECN;
	bool ip4 = ip->type == ETH_TYPE_IP4;

	if (type == (ip4 ? VNET_GSO_TCP4 : VNET_GSO_TCP6) &&
	    ip->proto == IP_PROTO_TCP && h->csum_offset == 16)
		return ip4 ? GSO_TCP4 : GSO_TCP6;
	if (type == VNET_GSO_UDP_L4 && ip->proto == IP_PROTO_UDP &&
	    h->csum_offset == 6)
		return ip4 ? GSO_UDP4 : GSO_UDP6;
	return GSO_NONE;
}

/* All of the inner transport header is there, and some payload. */
static bool nested_transport(struct cursor *c, uint8_t proto)
{
	const struct tcp_header *tcp;

	if (proto == IP_PROTO_UDP)
		return cursor_skip(c, UDP_HEADER_LEN) && !cursor_at_end(c);
	tcp = cursor_take(c, TCP_HEADER_LEN);
	return tcp && tcp_header_len(tcp) >= TCP_HEADER_LEN &&
	       cursor_skip(c, tcp_header_len(tcp) - TCP_HEADER_LEN) &&
	       !cursor_at_end(c);
}

bool nested_accept(struct packet *p, const struct vnet_header *h)
{
	struct cursor c = cursor_init(p->data, p->len);
	struct nested_ip outer = { 0 }, inner = { 0 };
	enum gso_type type;
	uint32_t l4, frame;

	if (!(h->flags & VNET_F_NEEDS_CSUM) || !h->gso_size)
		return false;
	outer.type = p->packet_type == PACKET_TYPE_ETHERNET ?
			     nested_read_ethernet(&c) :
			     (uint16_t)p->packet_type;
	if (!nested_read_ip(p, &c, &outer))
		return false;
	l4 = nested_at(p, &c);
	if (!nested_enter(&c, outer.proto))
		return false;
	frame = nested_at(p, &c);
	inner.type = nested_read_ethernet(&c);
	if (!nested_read_ip(p, &c, &inner) || nested_at(p, &c) != h->csum_start)
		return false;
	type = nested_gso_type(&inner, h);
	if (type == GSO_NONE || !nested_transport(&c, inner.proto))
		return false;
	p->l3 = (uint16_t)outer.l3;
	p->l4 = (uint16_t)l4;
	p->inner = (uint16_t)frame;
	p->flags |= PACKET_CSUM_PARTIAL;
	p->csum_start = h->csum_start;
	p->csum_offset = h->csum_offset;
	p->gso_type = (uint8_t)type;
	p->gso_size = h->gso_size;
	p->gso_ecn = h->gso_type & VNET_GSO_ECN;
	return true;
}
