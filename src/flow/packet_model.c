/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/packet_model.h"

#include "base/be.h"

/* --- bytes, one after the other --- */

struct out {
	uint8_t *b;
	uint32_t n;
};

static void w8(struct out *o, uint32_t v)
{
	o->b[o->n++] = (uint8_t)v;
}

static void w16(struct out *o, uint32_t v)
{
	w8(o, v >> 8 & 255);
	w8(o, v & 255);
}

static void w32(struct out *o, uint32_t v)
{
	w16(o, v >> 16);
	w16(o, v & 0xffff);
}

static void wn(struct out *o, const void *p, uint32_t n)
{
	memcpy(o->b + o->n, p, n);
	o->n += n;
}

uint16_t model_sum(const uint8_t *p, uint32_t len, uint32_t sum)
{
	for (uint32_t i = 0; i < len; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static uint32_t slow_crc32c(const uint8_t *p, uint32_t len)
{
	uint32_t crc = UINT32_MAX;

	for (uint32_t i = 0; i < len; i++) {
		crc ^= p[i];
		for (int k = 0; k < 8; k++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
	}
	return ~crc;
}

static uint16_t l3_type(const struct model *m)
{
	static const uint16_t types[] = { 0x0800, 0x86dd, 0x0806, 0x88b5 };

	return types[m->l3];
}

bool model_is_nd(const struct model *m)
{
	return m->nd_body && m->tp_dst == 0;
}

/* --- layer 4 --- */

static bool is_icmp(const struct model *m)
{
	return m->proto == (m->l3 == MODEL_IP4 ? 1 : 58);
}

/* Offset of the checksum in the transport header; 0: none. */
static uint32_t csum_offset(const struct model *m)
{
	if (m->proto == 6)
		return 16;
	if (m->proto == 17)
		return 6;
	if (m->proto == 132)
		return 8;
	return is_icmp(m) ? 2 : 0;
}

static void write_nd(const struct model *m, struct out *o)
{
	wn(o, m->target.b, 16);
	if (m->sll) {
		w8(o, m->sll_type);
		w8(o, 1);
		wn(o, m->sll_mac.b, 6);
	}
	if (m->tll) {
		w8(o, m->tll_type);
		w8(o, 1);
		wn(o, m->tll_mac.b, 6);
	}
}

/* The whole transport segment, checksum zero. */
static uint32_t write_l4(const struct model *m, uint8_t *b)
{
	struct out o = { b, 0 };

	if (is_icmp(m)) {
		w8(&o, m->tp_src);
		w8(&o, m->tp_dst);
		w16(&o, 0);
		w32(&o, m->word);
		if (m->nd_body) {
			write_nd(m, &o);
			return o.n;
		}
	} else if (m->proto == 6 || m->proto == 17 || m->proto == 132) {
		w16(&o, m->tp_src);
		w16(&o, m->tp_dst);
	}
	if (m->proto == 6) {
		w32(&o, 1000);
		w32(&o, 2000);
		w16(&o, 0x5010);
		w16(&o, 500);
		w32(&o, 0);
	} else if (m->proto == 17) {
		w16(&o, 8 + m->payload_len);
		w16(&o, 0);
	} else if (m->proto == 132) {
		w32(&o, 77);
		w32(&o, 0);
	}
	wn(&o, m->payload, m->payload_len);
	return o.n;
}

static uint32_t pseudo(const struct model *m, uint32_t len)
{
	const struct ip6_addr *to =
		m->routing && m->segments_left ? &m->ip6_final : &m->ip6_dst;
	uint8_t b[64];
	struct out o = { b, 0 };

	if (is_icmp(m) && m->l3 == MODEL_IP4)
		return 0;
	if (m->l3 == MODEL_IP4) {
		w32(&o, m->ip4_src);
		w32(&o, m->ip4_dst);
	} else {
		wn(&o, m->ip6_src.b, 16);
		wn(&o, to->b, 16);
	}
	w32(&o, m->proto);
	w32(&o, len);
	return model_sum(b, o.n, 0);
}

static void write_csum(struct model *m, uint8_t *l4, uint32_t len)
{
	uint32_t at = csum_offset(m), crc;
	uint16_t sum;

	if (!at || (m->proto == 17 && m->no_csum))
		return;
	if (m->proto == 132) {
		crc = m->partial ? 0 : slow_crc32c(l4, len);
		memcpy(l4 + at, &crc, 4); /* little-endian, RFC 9260 6.8 */
		return;
	}
	sum = (uint16_t)pseudo(m, len);
	if (!m->partial) {
		sum = (uint16_t)~model_sum(l4, len, sum);
		if (!sum && (m->proto == 17 || m->proto == 1))
			sum = 0xffff;
	}
	put_be16(l4 + at, sum);
}

/* What of the segment is in this packet. */
static uint32_t cut_fragment(const struct model *m, uint8_t *l4, uint32_t len)
{
	if (!m->fragment)
		return len;
	if (m->frag_offset) { /* of a segment far longer than ours */
		memcpy(l4, m->payload, m->payload_len);
		return m->payload_len;
	}
	return MIN(len, m->frag_len);
}

/* --- layer 3 --- */

static void write_ip4(const struct model *m, struct out *o, uint32_t l4_len)
{
	uint32_t start = o->n, len = 20u + m->options * 4u;

	w8(o, 0x40u | (5u + m->options));
	w8(o, m->tos);
	w16(o, len + l4_len);
	w16(o, 4242);
	w16(o, m->fragment ? 0x2000u | m->frag_offset : 0x4000u);
	w8(o, m->ttl);
	w8(o, m->proto);
	w16(o, 0);
	w32(o, m->ip4_src);
	w32(o, m->ip4_dst);
	for (unsigned i = 0; i < m->options; i++)
		w32(o, 0x01010101);
	put_be16(o->b + start + 10, (uint16_t)~model_sum(o->b + start, len, 0));
}

static void write_extension(struct out *o, uint8_t next, uint32_t len)
{
	w8(o, next);
	w8(o, len / 8 - 1);
	w16(o, 0x0104); /* PadN */
	for (uint32_t i = 4; i < len; i++)
		w8(o, 0);
}

/* The numbers of the headers that follow the fixed one, and of what is last. */
static unsigned chain(const struct model *m, uint8_t *next)
{
	unsigned n = 0;

	if (m->hop_options)
		next[n++] = 0;
	if (m->dst_options)
		next[n++] = 60;
	if (m->routing)
		next[n++] = 43;
	if (m->auth)
		next[n++] = 51;
	if (m->fragment)
		next[n++] = 44;
	next[n] = m->proto;
	return n;
}

static void write_ip6_extensions(const struct model *m, struct out *o)
{
	uint8_t next[8];
	unsigned n = chain(m, next);

	for (unsigned i = 0; i < n; i++) {
		if (next[i] == 43) {
			w8(o, next[i + 1]);
			w8(o, 2);
			w8(o, 0);
			w8(o, m->segments_left);
			w32(o, 0);
			wn(o, m->ip6_final.b, 16);
		} else if (next[i] == 51) {
			w8(o, next[i + 1]);
			w8(o, 4);
			for (int k = 0; k < 22; k++)
				w8(o, 0x55);
		} else if (next[i] == 44) {
			w8(o, next[i + 1]);
			w8(o, 0);
			w16(o, m->frag_offset * 8u | 1u);
			w32(o, 99);
		} else {
			write_extension(o, next[i + 1], 16);
		}
	}
}

static void write_ip6(const struct model *m, struct out *o, uint32_t l4_len)
{
	uint8_t next[8], ext[256];
	struct out e = { ext, 0 };

	chain(m, next);
	write_ip6_extensions(m, &e);
	w32(o, 6u << 28 | (uint32_t)m->tos << 20 | m->flow_label);
	w16(o, e.n + l4_len);
	w8(o, next[0]);
	w8(o, m->ttl);
	wn(o, m->ip6_src.b, 16);
	wn(o, m->ip6_dst.b, 16);
	wn(o, ext, e.n);
}

static void write_ip(struct model *m, struct out *o)
{
	uint8_t l4[1024] = { 0 };
	uint32_t len = write_l4(m, l4);

	write_csum(m, l4, len);
	len = cut_fragment(m, l4, len);
	if (m->l3 == MODEL_IP4)
		write_ip4(m, o, len);
	else
		write_ip6(m, o, len);
	m->l4_at = o->n;
	m->csum_at = csum_offset(m);
	wn(o, l4, len);
}

static void write_arp(const struct model *m, struct out *o)
{
	w16(o, 1);
	w16(o, 0x0800);
	w16(o, 0x0604);
	w16(o, m->arp_op);
	wn(o, m->sha.b, 6);
	w32(o, m->ip4_src);
	wn(o, m->tha.b, 6);
	w32(o, m->ip4_dst);
}

static void write_l2(const struct model *m, struct out *o)
{
	wn(o, m->dst.b, 6);
	wn(o, m->src.b, 6);
	for (unsigned i = 0; i < m->n_vlans; i++) {
		w16(o, m->vlan[i].tpid);
		w16(o, m->vlan[i].tci);
	}
	w16(o, m->n_labels ? m->mpls_type : l3_type(m));
	for (unsigned i = 0; i < m->n_labels; i++)
		w32(o, m->label[i]);
}

uint32_t model_build(struct model *m, uint8_t *out)
{
	struct out o = { out, 0 };

	if (!m->no_eth)
		write_l2(m, &o);
	if (m->l3 == MODEL_IP4 || m->l3 == MODEL_IP6)
		write_ip(m, &o);
	else if (m->l3 == MODEL_ARP)
		write_arp(m, &o);
	else
		wn(&o, m->payload, m->payload_len);
	for (uint32_t i = 0; i < m->padding; i++)
		w8(&o, 0xee);
	return o.n;
}

void model_fill(struct model *m, struct packet *p)
{
	uint8_t b[MODEL_MAX];
	uint32_t n = model_build(m, b);

	packet_fill(p, b, n);
	if (m->no_eth)
		p->packet_type =
			m->l3 == MODEL_IP4 ? PACKET_TYPE_IP4 : PACKET_TYPE_IP6;
	if (m->partial) {
		p->flags |= PACKET_CSUM_PARTIAL;
		p->csum_start = (uint16_t)m->l4_at;
		p->csum_offset = (uint16_t)m->csum_at;
	}
}

/* --- actions on fields --- */

static void merge(const struct act_set *a, void *member, uint32_t n)
{
	const uint8_t *v = (const uint8_t *)(a + 1);
	const uint8_t *mask = v + (a->n + 7u) / 8u * 8u;
	uint8_t *b = member;

	for (uint32_t i = 0; i < n; i++)
		b[i] = (uint8_t)((b[i] & ~mask[i]) | (v[i] & mask[i]));
}

static bool in_view(const struct model *m)
{
	return m->n_vlans <= KEY_N_VLANS && !m->n_labels;
}

/* A first fragment that does not reach its own checksum. */
static bool csum_is_behind(const struct model *m)
{
	return m->fragment && !m->frag_offset &&
	       m->frag_len < csum_offset(m) + 2 && csum_offset(m) &&
	       m->proto != 132;
}

static enum drop set_address(struct model *m, const struct act_set *a,
			     enum model_l3 family, void *member)
{
	bool covered =
		!(m->proto == 132 || (m->proto == 1 && family == MODEL_IP4) ||
		  (m->routing && m->segments_left && member == &m->ip6_dst));

	if (!in_view(m) || m->l3 != family || (covered && csum_is_behind(m)))
		return DROP_ACTION;
	merge(a, member, a->n);
	return DROP_NONE;
}

static enum drop set_l3(struct model *m, const struct act_set *a,
			unsigned families, void *member)
{
	if (!in_view(m) || !(families >> m->l3 & 1))
		return DROP_ACTION;
	merge(a, member, a->n);
	return DROP_NONE;
}

static enum drop set_l4(struct model *m, const struct act_set *a, uint8_t proto,
			uint16_t *member)
{
	if (!in_view(m) || m->proto != proto || m->l3 > MODEL_IP6 ||
	    ((proto == 1 || proto == 58) && !is_icmp(m)))
		return DROP_ACTION;
	if (m->fragment && m->frag_offset)
		return DROP_NONE;
	if (m->fragment && (csum_is_behind(m) || proto == 132))
		return DROP_ACTION;
	merge(a, member, proto == 1 || proto == 58 ? 1 : 2);
	return DROP_NONE;
}

static enum drop set_nd(struct model *m, const struct act_set *a, bool there,
			void *member, uint32_t n)
{
	if (!in_view(m) || !model_is_nd(m) || m->fragment)
		return DROP_ACTION;
	if (there)
		merge(a, member, n);
	return DROP_NONE;
}

static enum drop set_option_type(struct model *m, const struct act_set *a)
{
	bool first = m->sll && (m->sll_type == 1 || m->sll_type == 2);
	bool second = m->tll && (m->tll_type == 1 || m->tll_type == 2);

	return set_nd(m, a, first || second,
		      first ? &m->sll_type : &m->tll_type, 1);
}

/* Which of the two options has that type, the first one first. */
static enum drop set_option_mac(struct model *m, const struct act_set *a,
				uint8_t type)
{
	if (m->sll && m->sll_type == type)
		return set_nd(m, a, true, &m->sll_mac, 6);
	return set_nd(m, a, m->tll && m->tll_type == type, &m->tll_mac, 6);
}

static enum drop set_tag(struct model *m, const struct act_set *a)
{
	uint16_t dei;

	if (m->no_eth || !m->n_vlans)
		return DROP_ACTION;
	dei = m->vlan[0].tci & 0x1000;
	merge(a, &m->vlan[0].tci, 2);
	m->vlan[0].tci = (uint16_t)((m->vlan[0].tci & 0xefff) | dei);
	return DROP_NONE;
}

static enum drop set_label(struct model *m, const struct act_set *a)
{
	if (!m->n_labels || m->n_vlans > KEY_N_VLANS)
		return DROP_ACTION;
	merge(a, &m->label[0], 4);
	return DROP_NONE;
}

static enum drop set_mac(struct model *m, const struct act_set *a,
			 struct eth_addr *member)
{
	if (m->no_eth)
		return DROP_ACTION;
	merge(a, member, 6);
	return DROP_NONE;
}

#define IP_ANY (1u << MODEL_IP4 | 1u << MODEL_IP6)
#define ARP (1u << MODEL_ARP)

static enum drop apply_set(struct model *m, const struct act_set *a)
{
	switch (a->field) {
	case FIELD_ETH_DST:
		return set_mac(m, a, &m->dst);
	case FIELD_ETH_SRC:
		return set_mac(m, a, &m->src);
	case FIELD_VLAN_VID:
	case FIELD_VLAN_PCP:
		return set_tag(m, a);
	case FIELD_MPLS_LABEL:
	case FIELD_MPLS_TC:
	case FIELD_MPLS_TTL:
		return set_label(m, a);
	case FIELD_IP_SRC:
		return set_address(m, a, MODEL_IP4, &m->ip4_src);
	case FIELD_IP_DST:
		return set_address(m, a, MODEL_IP4, &m->ip4_dst);
	case FIELD_IPV6_SRC:
		return set_address(m, a, MODEL_IP6, &m->ip6_src);
	case FIELD_IPV6_DST:
		return set_address(m, a, MODEL_IP6, &m->ip6_dst);
	case FIELD_IPV6_LABEL:
		return set_l3(m, a, 1u << MODEL_IP6, &m->flow_label);
	case FIELD_IP_TOS:
	case FIELD_IP_DSCP:
	case FIELD_IP_ECN:
		return set_l3(m, a, IP_ANY, &m->tos);
	case FIELD_IP_TTL:
		return set_l3(m, a, IP_ANY, &m->ttl);
	case FIELD_ARP_OP:
		return set_l3(m, a, ARP, &m->arp_op);
	case FIELD_ARP_SPA:
		return set_l3(m, a, ARP, &m->ip4_src);
	case FIELD_ARP_TPA:
		return set_l3(m, a, ARP, &m->ip4_dst);
	case FIELD_ARP_SHA:
		return set_l3(m, a, ARP, &m->sha);
	case FIELD_ARP_THA:
		return set_l3(m, a, ARP, &m->tha);
	case FIELD_TCP_SRC:
		return set_l4(m, a, 6, &m->tp_src);
	case FIELD_TCP_DST:
		return set_l4(m, a, 6, &m->tp_dst);
	case FIELD_UDP_SRC:
		return set_l4(m, a, 17, &m->tp_src);
	case FIELD_UDP_DST:
		return set_l4(m, a, 17, &m->tp_dst);
	case FIELD_SCTP_SRC:
		return set_l4(m, a, 132, &m->tp_src);
	case FIELD_SCTP_DST:
		return set_l4(m, a, 132, &m->tp_dst);
	case FIELD_ICMP_TYPE:
		return set_l4(m, a, 1, &m->tp_src);
	case FIELD_ICMP_CODE:
		return set_l4(m, a, 1, &m->tp_dst);
	case FIELD_ICMPV6_CODE:
		return set_l4(m, a, 58, &m->tp_dst);
	case FIELD_ND_TARGET:
		return set_nd(m, a, true, &m->target, 16);
	case FIELD_ND_RESERVED:
		return set_nd(m, a, true, &m->word, 4);
	case FIELD_ND_OPTIONS_TYPE:
		return set_option_type(m, a);
	case FIELD_ND_SLL:
		return set_option_mac(m, a, 1);
	case FIELD_ND_TLL:
		return set_option_mac(m, a, 2);
	}
	return DROP_UNSUPPORTED;
}

static enum drop apply_push_vlan(struct model *m, const struct act_vlan *a)
{
	if (m->no_eth)
		return DROP_ACTION;
	memmove(&m->vlan[1], &m->vlan[0], m->n_vlans++ * sizeof(m->vlan[0]));
	m->vlan[0] = (struct key_vlan){ a->tpid, a->tci };
	return DROP_NONE;
}

static enum drop apply_pop_vlan(struct model *m)
{
	if (!m->n_vlans)
		return DROP_ACTION;
	memmove(&m->vlan[0], &m->vlan[1], --m->n_vlans * sizeof(m->vlan[0]));
	return DROP_NONE;
}

static uint32_t ttl_below(const struct model *m)
{
	if (m->n_labels)
		return m->label[0] & 255;
	return m->l3 <= MODEL_IP6 ? m->ttl : 64;
}

static enum drop apply_push_mpls(struct model *m, const struct act_mpls *a)
{
	uint32_t lse = a->lse | (m->n_labels ? 0 : 0x100);

	if (m->no_eth || m->n_vlans > KEY_N_VLANS)
		return DROP_ACTION;
	if (!(lse & 255))
		lse |= ttl_below(m);
	memmove(&m->label[1], &m->label[0],
		m->n_labels++ * sizeof(m->label[0]));
	m->label[0] = lse;
	m->mpls_type = a->eth_type;
	return DROP_NONE;
}

static enum drop apply_pop_mpls(struct model *m, const struct act_mpls *a)
{
	bool to_label = a->eth_type == 0x8847 || a->eth_type == 0x8848;

	if (!m->n_labels || m->n_vlans > KEY_N_VLANS ||
	    to_label != (m->n_labels > 1))
		return DROP_ACTION;
	memmove(&m->label[0], &m->label[1],
		--m->n_labels * sizeof(m->label[0]));
	m->mpls_type = a->eth_type;
	return DROP_NONE;
}

static enum drop apply_eth(struct model *m, const struct act_eth *a)
{
	if (a->op == ACT_PUSH_ETH && (!m->no_eth || a->eth_type != l3_type(m)))
		return DROP_ACTION;
	if (a->op == ACT_SET_ETH && m->no_eth)
		return DROP_ACTION;
	m->no_eth = false;
	m->dst = a->dst;
	m->src = a->src;
	return DROP_NONE;
}

static enum drop apply_pop_eth(struct model *m)
{
	if (m->no_eth || m->n_vlans || m->n_labels || m->l3 > MODEL_IP6)
		return DROP_ACTION;
	m->no_eth = true;
	return DROP_NONE;
}

static enum drop apply_dec_ttl(struct model *m)
{
	if (!in_view(m) || m->l3 > MODEL_IP6)
		return DROP_ACTION;
	if (m->ttl <= 1)
		return DROP_TTL;
	m->ttl--;
	return DROP_NONE;
}

enum drop model_apply(struct model *m, const struct act *a)
{
	const void *v = a;

	switch (a->op) {
	case ACT_PUSH_VLAN:
		return apply_push_vlan(m, v);
	case ACT_POP_VLAN:
		return apply_pop_vlan(m);
	case ACT_PUSH_MPLS:
		return apply_push_mpls(m, v);
	case ACT_POP_MPLS:
		return apply_pop_mpls(m, v);
	case ACT_SET_ETH:
	case ACT_PUSH_ETH:
		return apply_eth(m, v);
	case ACT_POP_ETH:
		return apply_pop_eth(m);
	case ACT_DEC_TTL:
		return apply_dec_ttl(m);
	case ACT_SET_FIELD:
		return apply_set(m, v);
	}
	return DROP_UNSUPPORTED;
}

/* --- random packets and edits --- */

uint32_t model_rand(uint64_t *seed, uint32_t below)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return (uint32_t)((z ^ z >> 31) % below);
}

/* Often all zero or all one: where sums go around. */
static void rand_bytes(uint64_t *seed, void *p, uint32_t n)
{
	uint32_t kind = model_rand(seed, 8);
	uint8_t *b = p;

	for (uint32_t i = 0; i < n; i++)
		b[i] = kind == 0 ? 0 :
		       kind == 1 ? 0xff :
				   (uint8_t)model_rand(seed, 256);
}

static void random_ip(struct model *m, uint64_t *seed)
{
	static const uint8_t protos[] = { 6, 17, 132, 1, 58, 58, 99, 17 };

	rand_bytes(seed, &m->ip4_src, 4);
	rand_bytes(seed, &m->ip4_dst, 4);
	rand_bytes(seed, &m->ip6_src, 16);
	rand_bytes(seed, &m->ip6_dst, 16);
	rand_bytes(seed, &m->ip6_final, 16);
	m->flow_label = model_rand(seed, 1u << 20);
	m->tos = (uint8_t)model_rand(seed, 256);
	m->ttl = (uint8_t)model_rand(seed, model_rand(seed, 2) ? 4 : 256);
	m->options = (uint8_t)(model_rand(seed, 4) ? 0 : model_rand(seed, 11));
	m->hop_options = !model_rand(seed, 6);
	m->dst_options = !model_rand(seed, 6);
	m->routing = !model_rand(seed, 6);
	m->segments_left = (uint8_t)model_rand(seed, 2);
	m->auth = !model_rand(seed, 8);
	m->proto = protos[model_rand(seed, ARRAY_SIZE(protos))];
	m->no_csum = !model_rand(seed, 4);
}

static void random_l4(struct model *m, uint64_t *seed)
{
	rand_bytes(seed, &m->tp_src, 2);
	rand_bytes(seed, &m->tp_dst, 2);
	if (m->proto == 1 || m->proto == 58) {
		m->tp_src &= 0xff;
		m->tp_dst &= 0xff;
	}
	m->nd_body =
		m->l3 == MODEL_IP6 && m->proto == 58 && model_rand(seed, 3);
	if (m->nd_body) {
		m->tp_src = (uint16_t)(135 + model_rand(seed, 2));
		m->tp_dst = 0;
	} else if (m->tp_src == 135 || m->tp_src == 136) {
		m->tp_src = 128;
	}
	rand_bytes(seed, &m->word, 4);
	rand_bytes(seed, &m->target, 16);
	m->sll = model_rand(seed, 2);
	m->tll = model_rand(seed, 2);
	m->sll_type = 1;
	m->tll_type = (uint8_t)(model_rand(seed, 3) ? 2 : 14);
	rand_bytes(seed, &m->sll_mac, 6);
	rand_bytes(seed, &m->tll_mac, 6);
}

void model_random(struct model *m, uint64_t *seed)
{
	bool ip;

	memset(m, 0, sizeof(*m));
	m->l3 = (enum model_l3)model_rand(seed, 8);
	if (m->l3 >= N_MODEL_L3)
		m->l3 = (enum model_l3)(m->l3 & 1);
	ip = m->l3 <= MODEL_IP6;
	rand_bytes(seed, &m->dst, 6);
	rand_bytes(seed, &m->src, 6);
	m->no_eth = ip && !model_rand(seed, 5);
	rand_bytes(seed, &m->sha, 6);
	rand_bytes(seed, &m->tha, 6);
	m->arp_op = (uint16_t)(1 + model_rand(seed, 2));
	random_ip(m, seed);
	random_l4(m, seed);
	m->payload_len = model_rand(seed, model_rand(seed, 2) ? 9 : 513);
	rand_bytes(seed, m->payload, m->payload_len);
	m->fragment = ip && !model_rand(seed, 5);
	m->frag_len = (uint16_t)(8 * (1 + model_rand(seed, 8)));
	m->frag_offset =
		(uint16_t)(model_rand(seed, 2) ? 0 : model_rand(seed, 8192));
	m->partial = ip && !m->fragment && csum_offset(m) &&
		     !(m->proto == 17 && m->no_csum) && !(m->proto == 1) &&
		     !model_rand(seed, 3);
	if (ip && !m->partial && !model_rand(seed, 4))
		m->padding = model_rand(seed, 40);
}

static void random_set(struct acts *out, enum field_id id, uint64_t *seed)
{
	const struct field *f = field_get(id);
	uint8_t value[16], mask[16], own[16];

	field_mask_in_key(f, own);
	rand_bytes(seed, value, f->n);
	rand_bytes(seed, mask, f->n);
	for (unsigned i = 0; i < f->n; i++)
		mask[i] &= own[i];
	acts_set_field(out, id, value, model_rand(seed, 2) ? mask : NULL);
}

const enum field_id model_fields[] = {
	FIELD_ETH_DST,     FIELD_ETH_SRC,         FIELD_VLAN_VID,
	FIELD_VLAN_PCP,    FIELD_MPLS_LABEL,      FIELD_MPLS_TC,
	FIELD_MPLS_TTL,    FIELD_IP_SRC,          FIELD_IP_DST,
	FIELD_IPV6_SRC,    FIELD_IPV6_DST,        FIELD_IPV6_LABEL,
	FIELD_IP_TOS,      FIELD_IP_DSCP,         FIELD_IP_ECN,
	FIELD_IP_TTL,      FIELD_ARP_OP,          FIELD_ARP_SPA,
	FIELD_ARP_TPA,     FIELD_ARP_SHA,         FIELD_ARP_THA,
	FIELD_TCP_SRC,     FIELD_TCP_DST,         FIELD_UDP_SRC,
	FIELD_UDP_DST,     FIELD_SCTP_SRC,        FIELD_SCTP_DST,
	FIELD_ICMP_TYPE,   FIELD_ICMP_CODE,       FIELD_ICMPV6_CODE,
	FIELD_ND_TARGET,   FIELD_ND_SLL,          FIELD_ND_TLL,
	FIELD_ND_RESERVED, FIELD_ND_OPTIONS_TYPE,
};
const unsigned model_n_fields = ARRAY_SIZE(model_fields);

static void random_settable(const struct model *m, struct acts *out,
			    uint64_t *seed)
{
	static const enum field_id nd[] = {
		FIELD_ND_TARGET,   FIELD_ND_SLL,          FIELD_ND_TLL,
		FIELD_ND_RESERVED, FIELD_ND_OPTIONS_TYPE, FIELD_IPV6_SRC,
		FIELD_IPV6_DST
	};
	static const enum field_id ip4[] = { FIELD_IP_SRC,   FIELD_IP_DST,
					     FIELD_IP_TOS,   FIELD_IP_TTL,
					     FIELD_TCP_SRC,  FIELD_UDP_DST,
					     FIELD_SCTP_SRC, FIELD_ICMP_TYPE,
					     FIELD_ICMP_CODE };
	uint32_t pick = model_rand(seed, 3);

	if (pick && model_is_nd(m) && !m->n_labels)
		random_set(out, nd[model_rand(seed, ARRAY_SIZE(nd))], seed);
	else if (pick && m->l3 == MODEL_IP4 && !m->n_labels)
		random_set(out, ip4[model_rand(seed, ARRAY_SIZE(ip4))], seed);
	else
		random_set(out, model_fields[model_rand(seed, model_n_fields)],
			   seed);
}

static void random_eth(const struct model *m, struct acts *out, uint64_t *seed)
{
	struct eth_addr dst, src;

	rand_bytes(seed, &dst, 6);
	rand_bytes(seed, &src, 6);
	if (m->no_eth)
		acts_push_eth(out, dst, src,
			      model_rand(seed, 8) ? l3_type(m) : 0x88b5);
	else
		acts_set_eth(out, dst, src);
}

static void random_mpls(const struct model *m, struct acts *out, uint64_t *seed)
{
	if (m->n_labels + 1 < MODEL_LABELS && model_rand(seed, 2))
		acts_push_mpls(out, (uint16_t)(0x8847 + model_rand(seed, 2)),
			       model_rand(seed, UINT32_MAX) &
				       (model_rand(seed, 2) ? ~0u : ~255u));
	else if (model_rand(seed, 6))
		acts_pop_mpls(out, m->n_labels > 1 ? 0x8847 : l3_type(m));
	else
		acts_pop_mpls(out, m->n_labels > 1 ? l3_type(m) : 0x8848);
}

void model_random_edit(const struct model *m, struct acts *out, uint64_t *seed)
{
	static const uint16_t tpids[] = { 0x8100, 0x88a8, 0x9100 };

	switch (model_rand(seed, 12)) {
	case 0:
		if (m->n_vlans + 1 >= MODEL_VLANS)
			break;
		acts_push_vlan(out, tpids[model_rand(seed, 3)],
			       (uint16_t)model_rand(seed, 65536));
		return;
	case 1:
		acts_pop_vlan(out);
		return;
	case 2:
		random_mpls(m, out, seed);
		return;
	case 3:
		random_eth(m, out, seed);
		return;
	case 4:
		acts_op(out, ACT_POP_ETH);
		return;
	case 5:
		acts_op(out, ACT_DEC_TTL);
		return;
	}
	random_settable(m, out, seed);
}
