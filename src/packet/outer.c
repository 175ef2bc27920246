/* SPDX-License-Identifier: Apache-2.0 */
#include "packet/outer.h"

#include "base/hash.h"
#include "packet/checksum.h"
#include "packet/cursor.h"
#include "packet/headers.h"

#define OUTER_TTL 64u
#define SOURCE_PORT_MIN 49152u

const char *outer_kind_name(enum outer_kind k)
{
	static const char *const names[] = { "vxlan", "geneve", "gre" };

	return names[k];
}

uint16_t outer_source_port(uint64_t flow_hash)
{
	return (uint16_t)(SOURCE_PORT_MIN |
			  (hash_u64(flow_hash, 1) & 0x3fffu));
}

void vxlan_encode(uint32_t vni, uint8_t out[8])
{
	put_be32(out, VXLAN_F_VNI);
	put_be32(out + 4, vni << 8);
}

bool vxlan_decode(const void *header, size_t len, uint32_t *vni)
{
	struct cursor c = cursor_init(header, len);
	uint32_t flags = cursor_u32(&c), id = cursor_u32(&c);

	if (c.failed || !(flags & VXLAN_F_VNI))
		return false;
	*vni = id >> 8;
	return true;
}

/* RFC 6040 figure 4. */
bool outer_ecn_combine(uint8_t outer, uint8_t inner, uint8_t *result)
{
	outer &= IP_ECN_MASK;
	inner &= IP_ECN_MASK;
	*result = inner;
	if (outer == IP_ECN_CE) {
		if (!inner)
			return false;
		*result = IP_ECN_CE;
	} else if (outer == 1 && inner == 2) {
		*result = 1;
	}
	return true;
}

/* --- what is inside --- */

/* Offset of the IP header of the Ethernet frame at `at`; 0 when it is not IP. */
static uint32_t frame_l3(const struct packet *p, uint32_t at)
{
	struct cursor c = cursor_init(p->data, p->len);
	uint16_t type;

	cursor_skip(&c, at + 12);
	type = cursor_u16(&c);
	for (unsigned i = 0; i < 2 && eth_type_is_vlan(type); i++) {
		cursor_skip(&c, 2);
		type = cursor_u16(&c);
	}
	if (c.failed || (type != ETH_TYPE_IP4 && type != ETH_TYPE_IP6) ||
	    !cursor_peek(&c, type == ETH_TYPE_IP4 ? IP4_HEADER_LEN
						  : IP6_HEADER_LEN))
		return 0;
	return (uint32_t)(c.at - p->data);
}

static uint8_t tos_at(const uint8_t *ip)
{
	return ip[0] >> 4 == 4 ? ip[1] : (uint8_t)(get_be16(ip) >> 4);
}

static void set_ecn(uint8_t *ip, uint8_t ecn)
{
	uint16_t old = get_be16(ip), new;

	if (ip[0] >> 4 == 4) {
		new = (uint16_t)((old & ~IP_ECN_MASK) | ecn);
		put_be16(ip, new);
		put_be16(ip + 10,
			 checksum_update16(get_be16(ip + 10), old, new));
	} else {
		new = (uint16_t)((old & ~(IP_ECN_MASK << 4)) | (uint32_t)ecn << 4);
		put_be16(ip, new);
	}
}

uint64_t packet_flow_hash(const struct packet *p)
{
	uint32_t l3 = p->packet_type == PACKET_TYPE_ETHERNET ? frame_l3(p, 0)
							     : 0;
	const uint8_t *ip = p->data + l3;
	uint32_t left = p->len - l3, at;
	uint8_t proto;
	uint64_t h;

	if (!l3 && p->packet_type == PACKET_TYPE_ETHERNET)
		return hash_bytes(p->data, MIN(p->len, 12u), 0);
	if (left < IP4_HEADER_LEN)
		return 0;
	if (ip[0] >> 4 == 4) {
		h = hash_bytes(ip + 12, 8, 0);
		at = (ip[0] & 0xfu) * 4u;
		proto = ip[9];
		if (get_be16(ip + 6) & (IP4_MF | IP4_OFFSET_MASK))
			return h;
	} else {
		if (left < IP6_HEADER_LEN)
			return 0;
		h = hash_bytes(ip + 8, 32, 0);
		at = IP6_HEADER_LEN;
		proto = ip[6];
	}
	if ((proto == IP_PROTO_TCP || proto == IP_PROTO_UDP ||
	     proto == IP_PROTO_SCTP) &&
	    left >= at + 4)
		h = hash_bytes(ip + at, 4, h);
	return h;
}

/* --- building --- */

static uint32_t build_ip(const struct packet_tunnel *t, uint8_t proto,
			 uint8_t *out)
{
	uint8_t ttl = t->ttl ? t->ttl : OUTER_TTL;

	if (ip_addr_is_ip4(&t->dst)) {
		memset(out, 0, IP4_HEADER_LEN);
		out[0] = 0x45;
		out[1] = t->tos;
		put_be16(out + 6, t->flags & TUNNEL_F_DF ? IP4_DF : 0);
		out[8] = ttl;
		out[9] = proto;
		put_be32(out + 12, ip_addr_ip4(&t->src));
		put_be32(out + 16, ip_addr_ip4(&t->dst));
		return IP4_HEADER_LEN;
	}
	put_be32(out, 6u << 28 | (uint32_t)t->tos << 20);
	put_be16(out + 4, 0);
	out[6] = proto;
	out[7] = ttl;
	memcpy(out + 8, t->src.a.b, 16);
	memcpy(out + 24, t->dst.a.b, 16);
	return IP6_HEADER_LEN;
}

static uint32_t build_geneve(const struct packet_tunnel *t, uint8_t *out)
{
	out[0] = (uint8_t)(t->options_len / 4);
	out[1] = t->flags & TUNNEL_F_OAM ? GENEVE_F_OAM : 0;
	put_be16(out + 2, ETH_TYPE_TEB);
	put_be32(out + 4, (uint32_t)(t->id & VNI_MASK) << 8);
	memcpy(out + 8, t->options, t->options_len);
	return GENEVE_HEADER_LEN + t->options_len;
}

static uint32_t build_gre(const struct packet_tunnel *t, uint8_t *out)
{
	bool key = t->flags & TUNNEL_F_KEY;

	put_be16(out, key ? GRE_F_KEY : 0);
	put_be16(out + 2, ETH_TYPE_TEB);
	if (key)
		put_be32(out + 4, (uint32_t)t->id);
	return key ? 8 : 4;
}

static uint32_t build_udp(enum outer_kind kind, const struct packet_tunnel *t,
			  uint8_t *out)
{
	uint16_t port = t->tp_dst;

	if (!port)
		port = kind == OUTER_VXLAN ? PORT_VXLAN : PORT_GENEVE;
	put_be16(out, t->tp_src);
	put_be16(out + 2, port);
	put_be16(out + 4, 0);
	/* Not zero: "has a checksum", until it is computed. */
	put_be16(out + 6, t->flags & TUNNEL_F_CSUM ? 0xffff : 0);
	return UDP_HEADER_LEN;
}

uint32_t outer_build(enum outer_kind kind, struct eth_addr dst,
		     struct eth_addr src, const struct packet_tunnel *t,
		     uint8_t *out, uint32_t room)
{
	bool ip6 = t->dst.family && !ip_addr_is_ip4(&t->dst);
	uint8_t proto = kind == OUTER_GRE ? IP_PROTO_GRE : IP_PROTO_UDP;
	uint32_t n = ETH_HEADER_LEN;

	if (!t->dst.family || t->src.family != t->dst.family ||
	    room < ETH_HEADER_LEN + IP6_HEADER_LEN + UDP_HEADER_LEN +
		       GENEVE_HEADER_LEN + t->options_len)
		return 0;
	memcpy(out, dst.b, 6);
	memcpy(out + 6, src.b, 6);
	put_be16(out + 12, ip6 ? ETH_TYPE_IP6 : ETH_TYPE_IP4);
	n += build_ip(t, proto, out + n);
	if (kind == OUTER_GRE)
		return n + build_gre(t, out + n);
	n += build_udp(kind, t, out + n);
	if (kind == OUTER_GENEVE)
		return n + build_geneve(t, out + n);
	vxlan_encode((uint32_t)(t->id & VNI_MASK), out + n);
	return n + VXLAN_HEADER_LEN;
}

/* --- pushing --- */

/* Where IP and what is behind it stand in outer headers; false: not such. */
static bool outer_find(const uint8_t *h, uint32_t n, enum outer_kind kind,
		       uint32_t *l4)
{
	uint8_t want = kind == OUTER_GRE ? IP_PROTO_GRE : IP_PROTO_UDP, proto;

	if (n < ETH_HEADER_LEN + IP4_HEADER_LEN + GRE_HEADER_LEN)
		return false;
	if (get_be16(h + 12) == ETH_TYPE_IP4 && h[14] == 0x45) {
		*l4 = ETH_HEADER_LEN + IP4_HEADER_LEN;
		proto = h[14 + 9];
	} else if (get_be16(h + 12) == ETH_TYPE_IP6 && h[14] >> 4 == 6) {
		*l4 = ETH_HEADER_LEN + IP6_HEADER_LEN;
		proto = h[14 + 6];
	} else {
		return false;
	}
	return proto == want &&
	       n >= *l4 + (kind == OUTER_GRE ? GRE_HEADER_LEN
					     : UDP_HEADER_LEN +
						   VXLAN_HEADER_LEN);
}

static void outer_lengths(struct packet *p, bool udp)
{
	uint8_t *ip = p->data + p->l3, *l4 = p->data + p->l4;
	uint32_t len = p->len - p->l3;

	if (ip[0] >> 4 == 4) {
		put_be16(ip + 2, (uint16_t)len);
		put_be16(ip + 10, 0);
		put_be16(ip + 10, checksum(ip, IP4_HEADER_LEN));
	} else {
		put_be16(ip + 4, (uint16_t)(len - IP6_HEADER_LEN));
	}
	if (udp)
		put_be16(l4 + 4, (uint16_t)(p->len - p->l4));
}

/* The outer UDP checksum of a packet whose bytes are final. A GSO packet gets
 * it per segment. */
static void outer_udp_csum(struct packet *p)
{
	uint8_t *ip = p->data + p->l3, *udp = p->data + p->l4;
	uint32_t len = p->len - p->l4;
	struct ip6_addr src, dst;
	uint64_t sum;
	uint16_t csum;

	if (!get_be16(udp + 6) || packet_is_gso(p))
		return;
	packet_csum_finish(p);
	put_be16(udp + 6, 0);
	if (ip[0] >> 4 == 4) {
		sum = checksum_pseudo4(get_be32(ip + 12), get_be32(ip + 16),
				       IP_PROTO_UDP, len);
	} else {
		memcpy(src.b, ip + 8, 16);
		memcpy(dst.b, ip + 24, 16);
		sum = checksum_pseudo6(src, dst, IP_PROTO_UDP, len);
	}
	csum = (uint16_t)~checksum_fold(checksum_add(sum, udp, len));
	put_be16(udp + 6, csum ? csum : 0xffff);
}

enum drop packet_push_outer(struct packet *p, enum outer_kind kind,
			    const void *headers, uint32_t n)
{
	uint32_t l4, inner_ip;
	uint64_t hash;
	uint8_t ecn;

	if (p->inner != PACKET_NO_LAYER ||
	    p->packet_type != PACKET_TYPE_ETHERNET || n > OUTER_MAX ||
	    p->len + n > PACKET_MAX_LEN || !outer_find(headers, n, kind, &l4))
		return DROP_ACTION;
	hash = packet_flow_hash(p);
	inner_ip = frame_l3(p, 0);
	ecn = inner_ip ? tos_at(p->data + inner_ip) & IP_ECN_MASK : 0;
	if (!packet_push(p, n))
		return DROP_ACTION;
	memcpy(p->data, headers, n);
	p->inner = (uint16_t)n;
	p->l3 = ETH_HEADER_LEN;
	p->l4 = (uint16_t)l4;
	set_ecn(p->data + p->l3, ecn);
	outer_lengths(p, kind != OUTER_GRE);
	if (kind == OUTER_GRE)
		return DROP_NONE;
	if (!get_be16(p->data + l4))
		put_be16(p->data + l4, outer_source_port(hash));
	outer_udp_csum(p);
	return DROP_NONE;
}

/* --- popping --- */

static bool pop_geneve(struct cursor *c, struct packet_tunnel *t)
{
	const uint8_t *h = cursor_take(c, GENEVE_HEADER_LEN);
	const void *options;

	if (!h || h[0] >> 6 || get_be16(h + 2) != ETH_TYPE_TEB)
		return false;
	t->options_len = (uint8_t)((h[0] & 0x3fu) * 4u);
	options = cursor_take(c, t->options_len);
	if (!options)
		return false;
	memcpy(t->options, options, t->options_len);
	t->id = get_be32(h + 4) >> 8;
	if (h[1] & GENEVE_F_OAM)
		t->flags |= TUNNEL_F_OAM;
	return true;
}

static bool pop_gre(struct cursor *c, struct packet_tunnel *t)
{
	uint16_t flags = cursor_u16(c), type = cursor_u16(c);

	if (c->failed || flags & (GRE_F_RESERVED | GRE_VERSION) ||
	    type != ETH_TYPE_TEB)
		return false;
	if (flags & GRE_F_CSUM)
		cursor_skip(c, 4);
	if (flags & GRE_F_KEY) {
		t->id = cursor_u32(c);
		t->flags |= TUNNEL_F_KEY;
	}
	if (flags & GRE_F_SEQ)
		cursor_skip(c, 4);
	return !c->failed;
}

static bool pop_vxlan(struct cursor *c, struct packet_tunnel *t)
{
	const void *h = cursor_take(c, VXLAN_HEADER_LEN);
	uint32_t vni;

	if (!h || !vxlan_decode(h, VXLAN_HEADER_LEN, &vni))
		return false;
	t->id = vni;
	return true;
}

static enum drop pop_udp(struct cursor *c, struct packet_tunnel *t)
{
	const uint8_t *udp = cursor_take(c, UDP_HEADER_LEN);

	if (!udp)
		return DROP_MALFORMED;
	t->tp_src = get_be16(udp);
	t->tp_dst = get_be16(udp + 2);
	if (get_be16(udp + 6))
		t->flags |= TUNNEL_F_CSUM;
	if (t->tp_dst == PORT_VXLAN)
		return pop_vxlan(c, t) ? DROP_NONE : DROP_MALFORMED;
	if (t->tp_dst == PORT_GENEVE)
		return pop_geneve(c, t) ? DROP_NONE : DROP_MALFORMED;
	return DROP_ACTION;
}

static uint8_t pop_ip(const uint8_t *ip, struct packet_tunnel *t)
{
	struct ip6_addr a;

	t->tos = tos_at(ip);
	if (ip[0] >> 4 == 4) {
		t->src = ip_addr_from_ip4(get_be32(ip + 12));
		t->dst = ip_addr_from_ip4(get_be32(ip + 16));
		t->ttl = ip[8];
		return ip[9];
	}
	memcpy(a.b, ip + 8, 16);
	t->src = ip_addr_from_ip6(a);
	memcpy(a.b, ip + 24, 16);
	t->dst = ip_addr_from_ip6(a);
	t->ttl = ip[7];
	return ip[6];
}

enum drop packet_pop_outer(struct packet *p)
{
	struct packet_tunnel t = { 0 };
	struct cursor c;
	enum drop d;
	uint32_t ip;
	uint8_t proto, ecn;

	if (p->l3 == PACKET_NO_LAYER || p->l4 == PACKET_NO_LAYER ||
	    p->l4 >= p->len || p->l4 < p->l3 + IP4_HEADER_LEN)
		return DROP_ACTION;
	proto = pop_ip(p->data + p->l3, &t);
	c = cursor_init(p->data + p->l4, p->len - p->l4);
	if (proto == IP_PROTO_UDP)
		d = pop_udp(&c, &t);
	else
		d = proto == IP_PROTO_GRE && pop_gre(&c, &t) ? DROP_NONE
							     : DROP_ACTION;
	if (d != DROP_NONE)
		return d;
	if (cursor_left(&c) < ETH_HEADER_LEN ||
	    !packet_pull(p, (uint32_t)(c.at - p->data)))
		return DROP_MALFORMED;
	p->inner = p->l3 = p->l4 = PACKET_NO_LAYER;
	p->tun = t;
	p->flags |= PACKET_TUNNEL;
	ip = frame_l3(p, 0);
	if (ip && !outer_ecn_combine(t.tos, tos_at(p->data + ip), &ecn))
		return DROP_MALFORMED;
	if (ip)
		set_ecn(p->data + ip, ecn);
	return DROP_NONE;
}
