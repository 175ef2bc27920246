/* SPDX-License-Identifier: Apache-2.0 */
#include "packet/outer.h"

#include "base/hash.h"
#include "packet/checksum.h"
#include "packet/cursor.h"
#include "packet/headers.h"

#define OUTER_TTL 64u
#define SOURCE_PORT_MIN 49152u
#define IP_LEN_MAX 65535u

const char *outer_kind_name(enum outer_kind k)
{
	static const char *const names[] = { "vxlan", "geneve", "gre" };

	return names[k];
}

uint16_t outer_source_port(uint64_t flow_hash)
{
	return (uint16_t)(SOURCE_PORT_MIN | (hash_u64(flow_hash, 1) & 0x3fffu));
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
	    !cursor_peek(&c, type == ETH_TYPE_IP4 ? IP4_HEADER_LEN :
						    IP6_HEADER_LEN))
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
		new = (uint16_t)((old & ~(IP_ECN_MASK << 4)) | (uint32_t)ecn
								       << 4);
		put_be16(ip, new);
	}
}

uint64_t packet_flow_hash(const struct packet *p)
{
	uint32_t l3 =
		p->packet_type == PACKET_TYPE_ETHERNET ? frame_l3(p, 0) : 0;
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
	bool key = t->flags & TUNNEL_F_KEY, csum = t->flags & TUNNEL_F_CSUM;
	uint32_t n = GRE_HEADER_LEN;

	put_be16(out,
		 (uint16_t)((key ? GRE_F_KEY : 0) | (csum ? GRE_F_CSUM : 0)));
	put_be16(out + 2, ETH_TYPE_TEB);
	if (csum) {
		put_be32(out + n, 0);
		n += 4;
	}
	if (key) {
		put_be32(out + n, (uint32_t)t->id);
		n += 4;
	}
	return n;
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
	put_be16(out + 6, t->flags & TUNNEL_F_CSUM || !ip_addr_is_ip4(&t->dst) ?
				  0xffff :
				  0);
	return UDP_HEADER_LEN;
}

uint32_t outer_build(enum outer_kind kind, const struct eth_addr ends[2],
		     const struct packet_tunnel *t, uint8_t *out, uint32_t room)
{
	bool ip6 = t->dst.family && !ip_addr_is_ip4(&t->dst);
	uint8_t proto = kind == OUTER_GRE ? IP_PROTO_GRE : IP_PROTO_UDP;
	uint32_t n = ETH_HEADER_LEN;

	if (!t->dst.family || t->src.family != t->dst.family ||
	    room < ETH_HEADER_LEN + IP6_HEADER_LEN + UDP_HEADER_LEN +
			    GENEVE_HEADER_LEN + t->options_len)
		return 0;
	memcpy(out, ends[0].b, 6);
	memcpy(out + 6, ends[1].b, 6);
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

/* --- reading tunnel headers --- */

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

/* --- pushing --- */

static bool tunnel_read(struct cursor *c, enum outer_kind kind,
			struct packet_tunnel *t)
{
	switch (kind) {
	case OUTER_VXLAN:
		return cursor_skip(c, UDP_HEADER_LEN) && pop_vxlan(c, t);
	case OUTER_GENEVE:
		return cursor_skip(c, UDP_HEADER_LEN) && pop_geneve(c, t);
	case OUTER_GRE:
		return pop_gre(c, t);
	case N_OUTER_KINDS:
		break;
	}
	return false;
}

/* Do these bytes make whole outer headers of that kind, without IP options or
 * extensions? Where the transport begins. */
static bool outer_find(const uint8_t *h, uint32_t n, enum outer_kind kind,
		       uint32_t *l4)
{
	uint8_t want = kind == OUTER_GRE ? IP_PROTO_GRE : IP_PROTO_UDP, proto;
	struct cursor c = cursor_init(h, n);
	struct packet_tunnel scrap = { 0 };
	const uint8_t *ip;
	uint16_t type;

	cursor_skip(&c, 12);
	type = cursor_u16(&c);
	*l4 = ETH_HEADER_LEN +
	      (type == ETH_TYPE_IP4 ? IP4_HEADER_LEN : IP6_HEADER_LEN);
	ip = cursor_take(&c, *l4 - ETH_HEADER_LEN);
	if (!ip)
		return false;
	if (type == ETH_TYPE_IP4 && ip[0] == 0x45)
		proto = ip[9];
	else if (type == ETH_TYPE_IP6 && ip[0] >> 4 == 6)
		proto = ip[6];
	else
		return false;
	return proto == want && tunnel_read(&c, kind, &scrap) &&
	       cursor_at_end(&c);
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

static uint64_t outer_pseudo(const uint8_t *ip, uint32_t len)
{
	struct ip6_addr src, dst;

	if (ip[0] >> 4 == 4)
		return checksum_pseudo4(get_be32(ip + 12), get_be32(ip + 16),
					IP_PROTO_UDP, len);
	memcpy(src.b, ip + 8, 16);
	memcpy(dst.b, ip + 24, 16);
	return checksum_pseudo6(src, dst, IP_PROTO_UDP, len);
}

/* The outer checksum of a packet whose bytes are final. A GSO packet gets it per
 * segment. */
static void outer_csum(struct packet *p, bool udp)
{
	uint8_t *ip = p->data + p->l3, *l4 = p->data + p->l4;
	uint8_t *field = l4 + (udp ? 6 : 4);
	uint32_t len = p->len - p->l4;
	uint64_t sum = 0;
	uint16_t csum;

	if (packet_is_gso(p) ||
	    (udp ? !get_be16(field) : !(get_be16(l4) & GRE_F_CSUM)))
		return;
	packet_csum_finish(p);
	put_be16(field, 0);
	if (udp)
		sum = outer_pseudo(ip, len);
	csum = (uint16_t)~checksum_fold(checksum_add(sum, l4, len));
	put_be16(field, csum || !udp ? csum : 0xffff);
}

enum drop packet_push_outer(struct packet *p, enum outer_kind kind,
			    const void *headers, uint32_t n)
{
	uint32_t l4, inner_ip;
	bool udp = kind != OUTER_GRE;
	uint64_t hash;
	uint8_t ecn;

	if (p->inner != PACKET_NO_LAYER ||
	    p->packet_type != PACKET_TYPE_ETHERNET || n > OUTER_MAX ||
	    !outer_find(headers, n, kind, &l4))
		return DROP_ACTION;
	if (!packet_is_gso(p) && p->len + n - ETH_HEADER_LEN > IP_LEN_MAX)
		return DROP_TOO_BIG;
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
	outer_lengths(p, udp);
	if (udp && !get_be16(p->data + l4))
		put_be16(p->data + l4, outer_source_port(hash));
	outer_csum(p, udp);
	return DROP_NONE;
}

/* --- popping --- */

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

static bool outer_is_located(const struct packet *p)
{
	uint32_t least = IP4_HEADER_LEN;

	if (p->l3 == PACKET_NO_LAYER || p->l4 == PACKET_NO_LAYER ||
	    p->l4 >= p->len || p->l3 >= p->l4)
		return false;
	if (p->data[p->l3] >> 4 == 6)
		least = IP6_HEADER_LEN;
	return p->l4 >= p->l3 + least;
}

/* RFC 2784 2.3: of all from the GRE header on. What is not finished yet comes
 * from this host. */
static bool gre_csum_right(const struct packet *p)
{
	const uint8_t *gre = p->data + p->l4;

	return p->len - p->l4 < 8 || !(get_be16(gre) & GRE_F_CSUM) ||
	       p->flags & PACKET_CSUM_PARTIAL || !checksum(gre, p->len - p->l4);
}

static enum drop pop_transport(const struct packet *p, struct cursor *c,
			       struct packet_tunnel *t)
{
	switch (pop_ip(p->data + p->l3, t)) {
	case IP_PROTO_UDP:
		return pop_udp(c, t);
	case IP_PROTO_GRE:
		if (!pop_gre(c, t))
			return DROP_ACTION;
		return gre_csum_right(p) ? DROP_NONE : DROP_MALFORMED;
	default:
		return DROP_ACTION;
	}
}

enum drop packet_pop_outer(struct packet *p)
{
	struct packet_tunnel t = { 0 };
	struct cursor c;
	enum drop d;
	uint32_t ip;
	uint8_t ecn;

	if (!outer_is_located(p))
		return DROP_ACTION;
	c = cursor_init(p->data + p->l4, p->len - p->l4);
	d = pop_transport(p, &c, &t);
	if (d != DROP_NONE)
		return d;
	if (cursor_left(&c) < ETH_HEADER_LEN ||
	    !packet_pull(p, (uint32_t)(c.at - p->data)))
		return DROP_MALFORMED;
	p->inner = p->l3 = p->l4 = PACKET_NO_LAYER;
	p->tun = t;
	p->flags |= PACKET_TUNNEL;
	p->flags &= ~(uint32_t)PACKET_CSUM_VALID; /* that was the outer one */
	ip = frame_l3(p, 0);
	if (ip && !outer_ecn_combine(t.tos, tos_at(p->data + ip), &ecn))
		return DROP_MALFORMED;
	if (ip)
		set_ecn(p->data + ip, ecn);
	return DROP_NONE;
}
