/* SPDX-License-Identifier: Apache-2.0 */
#include "ofwire/match_fixed.h"

#include "ofwire/wire.h"
#include "packet/headers.h"

#define WC_IN_PORT (1u << 0)

/* 1.0 */
#define WC10_VLAN (1u << 1)
#define WC10_SRC (1u << 2)
#define WC10_DST (1u << 3)
#define WC10_TYPE (1u << 4)
#define WC10_PROTO (1u << 5)
#define WC10_TP_SRC (1u << 6)
#define WC10_TP_DST (1u << 7)
#define WC10_NW_SRC_SHIFT 8u
#define WC10_NW_DST_SHIFT 14u
#define WC10_NW_BITS 0x3fu
#define WC10_PCP (1u << 20)
#define WC10_TOS (1u << 21)

/* 1.1 */
#define WC11_VLAN (1u << 1)
#define WC11_PCP (1u << 2)
#define WC11_TYPE (1u << 3)
#define WC11_TOS (1u << 4)
#define WC11_PROTO (1u << 5)
#define WC11_TP_SRC (1u << 6)
#define WC11_TP_DST (1u << 7)
#define WC11_LABEL (1u << 8)
#define WC11_TC (1u << 9)

#define VLAN_NONE 0xffffu
#define VLAN_ANY 0xfffeu /* 1.1 */
#define VID_MASK 0x0fffu
#define PCP_SHIFT 13u
#define PCP_MASK 0xe000u
#define LABEL_SHIFT 12u
#define LABEL_MASK 0xfffff000u
#define TC_SHIFT 9u
#define TC_MASK 0xe00u

/* Both layouts. Masks have ones where bits count; 1.1 has them inverted on the
 * wire. */
struct fixed {
	uint32_t wildcards, in_port;
	uint8_t src[6], src_mask[6], dst[6], dst_mask[6];
	uint16_t vlan;
	uint8_t pcp;
	uint16_t type;
	uint8_t tos, proto;
	uint32_t nw_src, nw_src_mask, nw_dst, nw_dst_mask;
	uint16_t tp_src, tp_dst;
	uint32_t label;
	uint8_t tc;
	uint64_t metadata, metadata_mask;
};

static const struct wire wire10[] = {
	W_INT(struct fixed, wildcards, 4),
	W_PORT(struct fixed, in_port, 2),
	W_BYTES(struct fixed, src, 6),
	W_BYTES(struct fixed, dst, 6),
	W_INT(struct fixed, vlan, 2),
	W_INT(struct fixed, pcp, 1),
	W_PAD(1),
	W_INT(struct fixed, type, 2),
	W_INT(struct fixed, tos, 1),
	W_INT(struct fixed, proto, 1),
	W_PAD(2),
	W_INT(struct fixed, nw_src, 4),
	W_INT(struct fixed, nw_dst, 4),
	W_INT(struct fixed, tp_src, 2),
	W_INT(struct fixed, tp_dst, 2),
	W_END,
};

static const struct wire wire11[] = {
	W_INT(struct fixed, in_port, 4),
	W_INT(struct fixed, wildcards, 4),
	W_BYTES(struct fixed, src, 6),
	W_BYTES(struct fixed, src_mask, 6),
	W_BYTES(struct fixed, dst, 6),
	W_BYTES(struct fixed, dst_mask, 6),
	W_INT(struct fixed, vlan, 2),
	W_INT(struct fixed, pcp, 1),
	W_PAD(1),
	W_INT(struct fixed, type, 2),
	W_INT(struct fixed, tos, 1),
	W_INT(struct fixed, proto, 1),
	W_INT(struct fixed, nw_src, 4),
	W_INT(struct fixed, nw_src_mask, 4),
	W_INT(struct fixed, nw_dst, 4),
	W_INT(struct fixed, nw_dst_mask, 4),
	W_INT(struct fixed, tp_src, 2),
	W_INT(struct fixed, tp_dst, 2),
	W_INT(struct fixed, label, 4),
	W_INT(struct fixed, tc, 1),
	W_PAD(3),
	W_INT(struct fixed, metadata, 8),
	W_INT(struct fixed, metadata_mask, 8),
	W_END,
};

/* --- reading: each sets what the layout says and the match can hold --- */

static void set_mac(uint8_t *key, uint8_t *mask, const uint8_t *value,
		    const uint8_t *bits)
{
	for (unsigned i = 0; i < 6; i++) {
		mask[i] = bits[i];
		key[i] = value[i] & bits[i];
	}
}

static void set_ethernet(struct match *m, const struct fixed *f)
{
	set_mac(m->key.eth_src.b, m->mask.bits.eth_src.b, f->src, f->src_mask);
	set_mac(m->key.eth_dst.b, m->mask.bits.eth_dst.b, f->dst, f->dst_mask);
}

static void set_type(struct match *m, uint16_t type)
{
	m->key.eth_type = type;
	MASK_SET(&m->mask, eth_type);
}

static void set_tci(struct match *m, uint16_t value, uint16_t mask)
{
	m->key.vlan[0].tci |= value;
	m->mask.bits.vlan[0].tci |= mask;
}

static void set_pcp(struct match *m, uint8_t pcp)
{
	set_tci(m, (uint16_t)((pcp & 7u) << PCP_SHIFT | KEY_VLAN_PRESENT),
		PCP_MASK | KEY_VLAN_PRESENT);
}

static bool is_arp(const struct match *m)
{
	return m->key.eth_type == ETH_TYPE_ARP ||
	       m->key.eth_type == ETH_TYPE_RARP;
}

static bool is_ip4(const struct match *m)
{
	return m->key.eth_type == ETH_TYPE_IP4;
}

static void set_addresses(struct match *m, const struct fixed *f)
{
	m->key.ip4_src = f->nw_src & f->nw_src_mask;
	m->mask.bits.ip4_src = f->nw_src_mask;
	m->key.ip4_dst = f->nw_dst & f->nw_dst_mask;
	m->mask.bits.ip4_dst = f->nw_dst_mask;
}

static void set_proto(struct match *m, uint8_t proto)
{
	if (is_arp(m)) {
		m->key.arp_op = proto;
		MASK_SET(&m->mask, arp_op);
	} else {
		m->key.ip_proto = proto;
		MASK_SET(&m->mask, ip_proto);
	}
}

/* Ports of TCP, UDP, SCTP; type and code of ICMP. */
static enum of_error set_ports(struct match *m, const struct fixed *f, bool src,
			       bool dst)
{
	uint16_t bits = 0xffff;

	switch (is_ip4(m) ? m->key.ip_proto : 0) {
	case IP_PROTO_ICMP:
		if ((src && f->tp_src > 0xff) || (dst && f->tp_dst > 0xff))
			return OF_OFPBMC_BAD_FIELD;
		bits = 0xff;
		break;
	case IP_PROTO_TCP:
	case IP_PROTO_UDP:
	case IP_PROTO_SCTP:
		break;
	default:
		return OF_OK;
	}
	m->key.tp_src = src ? f->tp_src : 0;
	m->mask.bits.tp_src = src ? bits : 0;
	m->key.tp_dst = dst ? f->tp_dst : 0;
	m->mask.bits.tp_dst = dst ? bits : 0;
	return OF_OK;
}

static void set_in_port(struct match *m, uint32_t port)
{
	m->key.in_port = port;
	MASK_SET(&m->mask, in_port);
}

static void set_tos(struct match *m, uint8_t tos)
{
	m->key.ip_tos = tos & OXM_DSCP;
	m->mask.bits.ip_tos = OXM_DSCP;
}

static void set_vlan10(struct match *m, const struct fixed *f)
{
	bool pcp = !(f->wildcards & WC10_PCP);

	if (f->wildcards & WC10_VLAN) {
		if (pcp)
			set_pcp(m, f->pcp);
		return;
	}
	if (f->vlan == VLAN_NONE) {
		set_tci(m, 0, 0xffff);
		return;
	}
	set_tci(m, (f->vlan & VID_MASK) | KEY_VLAN_PRESENT,
		VID_MASK | KEY_VLAN_PRESENT);
	if (pcp)
		set_pcp(m, f->pcp);
}

static uint32_t mask10(uint32_t wildcards, unsigned shift)
{
	uint32_t wild = wildcards >> shift & WC10_NW_BITS;

	return wild >= 32 ? 0 : UINT32_MAX << wild;
}

enum of_error of_match10_get(struct cursor *c, struct match *m)
{
	struct fixed f = { 0 };

	match_init(m);
	wire_read(c, wire10, &f);
	if (c->failed)
		return OF_OFPBMC_BAD_LEN;
	f.nw_src_mask = mask10(f.wildcards, WC10_NW_SRC_SHIFT);
	f.nw_dst_mask = mask10(f.wildcards, WC10_NW_DST_SHIFT);
	memset(f.src_mask, f.wildcards & WC10_SRC ? 0 : 0xff, 6);
	memset(f.dst_mask, f.wildcards & WC10_DST ? 0 : 0xff, 6);
	if (!(f.wildcards & WC_IN_PORT))
		set_in_port(m, f.in_port);
	set_ethernet(m, &f);
	set_vlan10(m, &f);
	if (!(f.wildcards & WC10_TYPE))
		set_type(m, f.type);
	if (!is_ip4(m) && !is_arp(m))
		return OF_OK;
	set_addresses(m, &f);
	if (is_ip4(m) && !(f.wildcards & WC10_TOS))
		set_tos(m, f.tos);
	if (f.wildcards & WC10_PROTO)
		return OF_OK;
	set_proto(m, f.proto);
	return set_ports(m, &f, !(f.wildcards & WC10_TP_SRC),
			 !(f.wildcards & WC10_TP_DST));
}

static enum of_error set_vlan11(struct match *m, const struct fixed *f)
{
	if (f->wildcards & WC11_VLAN)
		return OF_OK;
	if (f->vlan == VLAN_NONE) {
		set_tci(m, 0, 0xffff);
		return OF_OK;
	}
	if (f->vlan != VLAN_ANY && f->vlan > VID_MASK)
		return OF_OFPBMC_BAD_VALUE;
	set_tci(m, KEY_VLAN_PRESENT, KEY_VLAN_PRESENT);
	if (f->vlan != VLAN_ANY)
		set_tci(m, f->vlan, VID_MASK);
	if (f->wildcards & WC11_PCP)
		return OF_OK;
	if (f->pcp > 7)
		return OF_OFPBMC_BAD_VALUE;
	set_pcp(m, f->pcp);
	return OF_OK;
}

static enum of_error set_mpls11(struct match *m, const struct fixed *f)
{
	if (m->key.eth_type != ETH_TYPE_MPLS &&
	    m->key.eth_type != ETH_TYPE_MPLS_MCAST)
		return OF_OK;
	if (!(f->wildcards & WC11_LABEL)) {
		if (f->label > LABEL_MASK >> LABEL_SHIFT)
			return OF_OFPBMC_BAD_VALUE;
		m->key.mpls[0] |= f->label << LABEL_SHIFT;
		m->mask.bits.mpls[0] |= LABEL_MASK;
	}
	if (!(f->wildcards & WC11_TC)) {
		if (f->tc > 7)
			return OF_OFPBMC_BAD_VALUE;
		m->key.mpls[0] |= (uint32_t)f->tc << TC_SHIFT;
		m->mask.bits.mpls[0] |= TC_MASK;
	}
	return OF_OK;
}

static enum of_error set_network11(struct match *m, const struct fixed *f)
{
	if (!is_ip4(m) && !is_arp(m))
		return set_mpls11(m, f);
	set_addresses(m, f);
	if (is_ip4(m) && !(f->wildcards & WC11_TOS)) {
		if (f->tos & ~OXM_DSCP)
			return OF_OFPBMC_BAD_VALUE;
		set_tos(m, f->tos);
	}
	if (f->wildcards & WC11_PROTO)
		return OF_OK;
	set_proto(m, f->proto);
	return set_ports(m, f, !(f->wildcards & WC11_TP_SRC),
			 !(f->wildcards & WC11_TP_DST));
}

static void invert(struct fixed *f)
{
	for (unsigned i = 0; i < 6; i++) {
		f->src_mask[i] = (uint8_t)~f->src_mask[i];
		f->dst_mask[i] = (uint8_t)~f->dst_mask[i];
	}
	f->nw_src_mask = ~f->nw_src_mask;
	f->nw_dst_mask = ~f->nw_dst_mask;
	f->metadata_mask = ~f->metadata_mask;
}

enum of_error of_match11_get(struct cursor *c, struct match *m)
{
	uint16_t type = cursor_u16(c), len = cursor_u16(c);
	struct fixed f = { 0 };
	enum of_error e;

	match_init(m);
	wire_read(c, wire11, &f);
	if (c->failed || type || len != OF_MATCH11_LEN)
		return OF_OFPBMC_BAD_LEN;
	invert(&f);
	if (!(f.wildcards & WC_IN_PORT))
		set_in_port(m, f.in_port);
	set_ethernet(m, &f);
	e = set_vlan11(m, &f);
	if (e)
		return e;
	if (!(f.wildcards & WC11_TYPE))
		set_type(m, f.type);
	m->key.metadata = f.metadata & f.metadata_mask;
	m->mask.bits.metadata = f.metadata_mask;
	return set_network11(m, &f);
}

/* --- writing --- */

static void get_addresses(const struct match *m, struct fixed *f)
{
	if (!is_ip4(m) && !is_arp(m))
		return;
	f->nw_src = m->key.ip4_src;
	f->nw_src_mask = m->mask.bits.ip4_src;
	f->nw_dst = m->key.ip4_dst;
	f->nw_dst_mask = m->mask.bits.ip4_dst;
	f->proto = is_arp(m) ? (uint8_t)m->key.arp_op : m->key.ip_proto;
	f->tos = m->key.ip_tos & OXM_DSCP;
	if (!is_ip4(m))
		return;
	f->tp_src = m->key.tp_src;
	f->tp_dst = m->key.tp_dst;
}

static void get_common(const struct match *m, struct fixed *f)
{
	const struct flow_key *bits = &m->mask.bits;

	memset(f, 0, sizeof(*f));
	if (bits->in_port)
		f->in_port = m->key.in_port;
	memcpy(f->src, m->key.eth_src.b, 6);
	memcpy(f->src_mask, bits->eth_src.b, 6);
	memcpy(f->dst, m->key.eth_dst.b, 6);
	memcpy(f->dst_mask, bits->eth_dst.b, 6);
	f->type = m->key.eth_type;
	f->pcp = (uint8_t)(m->key.vlan[0].tci >> PCP_SHIFT);
	f->vlan = m->key.vlan[0].tci & VID_MASK;
	get_addresses(m, f);
}

static bool is_untagged(const struct match *m)
{
	return m->mask.bits.vlan[0].tci & KEY_VLAN_PRESENT &&
	       !(m->key.vlan[0].tci & KEY_VLAN_PRESENT);
}

/* The wildcard of each member that both layouts have. */
struct wild_bits {
	uint32_t type, tos, proto, tp_src, tp_dst;
};

static uint32_t wild(const struct match *m, const struct wild_bits *b)
{
	const struct flow_key *bits = &m->mask.bits;
	bool ip = is_ip4(m), arp = is_arp(m);
	uint32_t w = 0;

	w |= bits->in_port ? 0 : WC_IN_PORT;
	w |= bits->eth_type ? 0 : b->type;
	w |= ip && bits->ip_tos & OXM_DSCP ? 0 : b->tos;
	w |= (ip && bits->ip_proto) || (arp && bits->arp_op) ? 0 : b->proto;
	w |= ip && bits->tp_src ? 0 : b->tp_src;
	w |= ip && bits->tp_dst ? 0 : b->tp_dst;
	return w;
}

/* The number of address bits that do not count, of a mask that is a prefix. */
static uint32_t wild_address(uint32_t mask, unsigned shift)
{
	uint32_t n = mask ? (uint32_t)__builtin_ctz(mask) : 32;

	return n << shift;
}

static bool is_zero6(const uint8_t *p)
{
	static const uint8_t zero[6];

	return !memcmp(p, zero, sizeof(zero));
}

void of_match10_put(struct of_out *o, const struct match *m)
{
	static const struct wild_bits bits = { WC10_TYPE, WC10_TOS, WC10_PROTO,
					       WC10_TP_SRC, WC10_TP_DST };
	uint16_t tci = m->mask.bits.vlan[0].tci;
	struct fixed f;

	get_common(m, &f);
	f.wildcards = wild(m, &bits);
	f.wildcards |= wild_address(f.nw_src_mask, WC10_NW_SRC_SHIFT);
	f.wildcards |= wild_address(f.nw_dst_mask, WC10_NW_DST_SHIFT);
	f.wildcards |= is_zero6(f.src_mask) ? WC10_SRC : 0;
	f.wildcards |= is_zero6(f.dst_mask) ? WC10_DST : 0;
	if (is_untagged(m)) {
		f.vlan = VLAN_NONE;
		f.pcp = 0;
	} else {
		f.wildcards |= tci & VID_MASK ? 0 : WC10_VLAN;
		f.wildcards |= tci & PCP_MASK ? 0 : WC10_PCP;
	}
	wire_write(o, wire10, &f);
}

static void get_vlan11(const struct match *m, struct fixed *f)
{
	uint16_t tci = m->mask.bits.vlan[0].tci;

	if (!tci) {
		f->wildcards |= WC11_VLAN | WC11_PCP;
		return;
	}
	if (is_untagged(m)) {
		f->vlan = VLAN_NONE;
		f->wildcards |= WC11_PCP;
		return;
	}
	if (!(tci & VID_MASK))
		f->vlan = VLAN_ANY;
	if (!(tci & PCP_MASK))
		f->wildcards |= WC11_PCP;
}

static void get_mpls11(const struct match *m, struct fixed *f)
{
	uint32_t bits = m->mask.bits.mpls[0];

	f->label = m->key.mpls[0] >> LABEL_SHIFT;
	f->tc = (uint8_t)((m->key.mpls[0] & TC_MASK) >> TC_SHIFT);
	f->wildcards |= bits & LABEL_MASK ? 0 : WC11_LABEL;
	f->wildcards |= bits & TC_MASK ? 0 : WC11_TC;
}

void of_match11_put(struct of_out *o, const struct match *m)
{
	static const struct wild_bits bits = { WC11_TYPE, WC11_TOS, WC11_PROTO,
					       WC11_TP_SRC, WC11_TP_DST };
	struct fixed f;

	get_common(m, &f);
	f.wildcards = wild(m, &bits);
	get_vlan11(m, &f);
	get_mpls11(m, &f);
	f.metadata = m->key.metadata;
	f.metadata_mask = m->mask.bits.metadata;
	invert(&f);
	of_out_int(o, 0, 2);
	of_out_int(o, OF_MATCH11_LEN, 2);
	wire_write(o, wire11, &f);
}
