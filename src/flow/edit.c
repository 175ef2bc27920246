/* SPDX-License-Identifier: Apache-2.0 */
/* Edits of what stands in front of layer 3, of the TTL, and of the length. */
#include "flow/edit.h"

#include "flow/edit_l3.h"
#include "flow/extract.h"
#include "packet/checksum.h"
#include "packet/cursor.h"
#include "packet/headers.h"
#include "packet/outer.h"

#define TYPE_AT 12u
#define TTL_AT_IP4 8u
#define TTL_AT_IP6 7u
#define TTL_DEFAULT 64u
#define MPLS_TTL_MASK 0xffu

static bool is_ethernet(const struct packet *p)
{
	return p->packet_type == PACKET_TYPE_ETHERNET &&
	       p->len >= ETH_HEADER_LEN;
}

/* IEEE 802.3 with a SNAP header: a type, but none that an edit may change. */
static void find_llc(struct cursor *c, struct edit_at *at)
{
	static const uint8_t snap[6] = { 0xaa, 0xaa, 0x03, 0, 0, 0 };
	const uint8_t *h = cursor_peek(c, 8);

	at->type_at = 0;
	at->type = ETH_TYPE_NONE;
	if (!h || memcmp(h, snap, sizeof(snap)) ||
	    get_be16(h + 6) < ETH_TYPE_MIN)
		return;
	at->type = get_be16(h + 6);
	cursor_skip(c, 8);
}

bool edit_find(const struct packet *p, struct edit_at *at)
{
	struct cursor c = cursor_init(p->data, p->len);

	*at = (struct edit_at){ .type = (uint16_t)p->packet_type };
	if (p->packet_type != PACKET_TYPE_ETHERNET)
		return true;
	cursor_skip(&c, TYPE_AT);
	at->type = cursor_u16(&c);
	if (c.failed)
		return false;
	at->type_at = TYPE_AT;
	for (unsigned i = 0; i < KEY_N_VLANS && eth_type_is_vlan(at->type) &&
			     cursor_peek(&c, VLAN_HEADER_LEN);
	     i++) {
		at->type_at += VLAN_HEADER_LEN;
		cursor_skip(&c, 2);
		at->type = cursor_u16(&c);
	}
	if (unlikely(at->type < ETH_TYPE_MIN))
		find_llc(&c, at);
	at->l3 = (uint32_t)(c.at - p->data);
	return true;
}

void edit_relocate(struct packet *p)
{
	struct flow_key key;

	flow_key_init(&key);
	if (flow_extract(p, &key) != DROP_NONE)
		p->l3 = p->l4 = PACKET_NO_LAYER;
}

/* --- tags and labels --- */

/* Makes room for n bytes at offset `at`, by moving what is in front of it. */
static bool insert(struct packet *p, uint32_t at, uint32_t n)
{
	if (!packet_push(p, n))
		return false;
	memmove(p->data, p->data + n, at);
	return true;
}

/* Takes out n bytes at offset `at`. */
static bool take_out(struct packet *p, uint32_t at, uint32_t n)
{
	if (p->flags & PACKET_CSUM_PARTIAL && p->csum_start < at + n)
		return false;
	memmove(p->data + n, p->data, at);
	return packet_pull(p, n);
}

enum drop edit_push_vlan(struct packet *p, uint16_t tpid, uint16_t tci)
{
	if (!is_ethernet(p) || !insert(p, TYPE_AT, VLAN_HEADER_LEN))
		return DROP_ACTION;
	put_be16(p->data + TYPE_AT, tpid);
	put_be16(p->data + TYPE_AT + 2, tci);
	return DROP_NONE;
}

enum drop edit_pop_vlan(struct packet *p)
{
	if (!is_ethernet(p) || p->len < ETH_HEADER_LEN + VLAN_HEADER_LEN ||
	    !eth_type_is_vlan(get_be16(p->data + TYPE_AT)) ||
	    !take_out(p, TYPE_AT, VLAN_HEADER_LEN))
		return DROP_ACTION;
	/* A frame with more tags than the key holds has its layer 3 come into
	 * view. */
	if (unlikely(eth_type_is_vlan(get_be16(p->data + TYPE_AT))))
		edit_relocate(p);
	return DROP_NONE;
}

/* The TTL of what a label is pushed upon (RFC 3443 3.2: pipe and uniform start
 * alike). */
static uint32_t ttl_below(const struct packet *p, const struct edit_at *at)
{
	const uint8_t *l3 = p->data + at->l3;
	uint32_t left = p->len - at->l3;

	if (eth_type_is_mpls(at->type) && left >= MPLS_LSE_LEN)
		return l3[3];
	if (at->type == ETH_TYPE_IP4 && left >= IP4_HEADER_LEN)
		return l3[TTL_AT_IP4];
	if (at->type == ETH_TYPE_IP6 && left >= IP6_HEADER_LEN)
		return l3[TTL_AT_IP6];
	return TTL_DEFAULT;
}

enum drop edit_push_mpls(struct packet *p, uint16_t eth_type, uint32_t lse)
{
	struct edit_at at;

	if (!edit_find(p, &at) || !at.type_at || eth_type_is_vlan(at.type))
		return DROP_ACTION;
	if (packet_is_gso(p)) /* nobody segments behind a label */
		return DROP_UNSUPPORTED;
	lse &= ~ACT_MPLS_BOTTOM;
	if (!eth_type_is_mpls(at.type))
		lse |= ACT_MPLS_BOTTOM;
	if (!(lse & MPLS_TTL_MASK))
		lse |= ttl_below(p, &at);
	if (!insert(p, at.l3, MPLS_LSE_LEN))
		return DROP_ACTION;
	put_be16(p->data + at.type_at, eth_type);
	put_be32(p->data + at.l3, lse);
	p->l3 = (uint16_t)at.l3;
	p->l4 = PACKET_NO_LAYER;
	return DROP_NONE;
}

enum drop edit_pop_mpls(struct packet *p, uint16_t eth_type)
{
	struct edit_at at;
	bool last;

	if (!edit_find(p, &at) || !at.type_at || !eth_type_is_mpls(at.type) ||
	    p->len - at.l3 < MPLS_LSE_LEN)
		return DROP_ACTION;
	last = get_be32(p->data + at.l3) & ACT_MPLS_BOTTOM;
	if (last == eth_type_is_mpls(eth_type) ||
	    !take_out(p, at.l3, MPLS_LSE_LEN))
		return DROP_ACTION;
	put_be16(p->data + at.type_at, eth_type);
	edit_relocate(p);
	return DROP_NONE;
}

/* --- Ethernet --- */

enum drop edit_set_eth(struct packet *p, struct eth_addr dst,
		       struct eth_addr src)
{
	if (unlikely(!is_ethernet(p)))
		return DROP_ACTION;
	memcpy(p->data, dst.b, sizeof(dst.b));
	memcpy(p->data + 6, src.b, sizeof(src.b));
	return DROP_NONE;
}

enum drop edit_push_eth(struct packet *p, const struct act_eth *a)
{
	if (p->packet_type == PACKET_TYPE_ETHERNET ||
	    a->eth_type != (uint16_t)p->packet_type ||
	    !packet_push(p, ETH_HEADER_LEN))
		return DROP_ACTION;
	p->packet_type = PACKET_TYPE_ETHERNET;
	put_be16(p->data + TYPE_AT, a->eth_type);
	return edit_set_eth(p, a->dst, a->src);
}

enum drop edit_pop_eth(struct packet *p)
{
	struct edit_at at;

	if (p->packet_type != PACKET_TYPE_ETHERNET || !edit_find(p, &at) ||
	    at.l3 != ETH_HEADER_LEN || !at.type_at ||
	    (at.type != ETH_TYPE_IP4 && at.type != ETH_TYPE_IP6) ||
	    !packet_pull(p, ETH_HEADER_LEN))
		return DROP_ACTION;
	p->packet_type =
		at.type == ETH_TYPE_IP4 ? PACKET_TYPE_IP4 : PACKET_TYPE_IP6;
	p->l3 = p->len ? 0 : PACKET_NO_LAYER;
	return DROP_NONE;
}

/* --- layer 3 --- */

static enum drop dec_ttl4(struct packet *p, uint32_t l3)
{
	uint8_t *ip = p->data + l3;
	uint16_t old = get_be16(ip + TTL_AT_IP4);

	if (ip[TTL_AT_IP4] <= 1)
		return DROP_TTL;
	ip[TTL_AT_IP4]--;
	put_be16(ip + 10, checksum_update16(get_be16(ip + 10), old,
					    get_be16(ip + TTL_AT_IP4)));
	return DROP_NONE;
}

static enum drop dec_ttl6(struct packet *p, uint32_t l3)
{
	uint8_t *ttl = p->data + l3 + TTL_AT_IP6;

	if (*ttl <= 1)
		return DROP_TTL;
	(*ttl)--;
	return DROP_NONE;
}

enum drop edit_dec_ttl(struct packet *p)
{
	struct edit_at at;
	uint32_t left;

	if (!edit_find(p, &at))
		return DROP_ACTION;
	left = p->len - at.l3;
	if (at.type == ETH_TYPE_IP4 && left >= IP4_HEADER_LEN &&
	    p->data[at.l3] >> 4 == 4)
		return dec_ttl4(p, at.l3);
	if (at.type == ETH_TYPE_IP6 && left >= IP6_HEADER_LEN &&
	    p->data[at.l3] >> 4 == 6)
		return dec_ttl6(p, at.l3);
	return DROP_ACTION;
}

/* --- encapsulations --- */

enum drop edit_push_outer(struct packet *p, const struct act_outer *a)
{
	if (p->inner != PACKET_NO_LAYER) {
		/* Only one encapsulation can be repeated for each segment. */
		if (packet_is_gso(p))
			return DROP_UNSUPPORTED;
		packet_csum_finish(p);
		p->inner = PACKET_NO_LAYER;
	}
	return packet_push_outer(p, (enum outer_kind)a->kind, a + 1, a->n);
}

/* What the outer transport left to be done goes away with it. */
static enum drop outer_forget(struct packet *p, const struct edit_ip *ip)
{
	bool partial = p->flags & PACKET_CSUM_PARTIAL;

	if (ip->is_fragment || !ip->has_l4)
		return DROP_ACTION;
	if (partial && p->csum_start == ip->l4) {
		if (packet_is_gso(p)) /* many datagrams, not one */
			return DROP_UNSUPPORTED;
		p->flags &= ~(uint32_t)PACKET_CSUM_PARTIAL;
		partial = false;
	}
	if (!partial)
		p->len = ip->end; /* padding is not the inner frame's */
	p->flags &= ~(uint32_t)PACKET_CSUM_VALID;
	p->l3 = (uint16_t)ip->l3;
	p->l4 = (uint16_t)ip->l4;
	return DROP_NONE;
}

enum drop edit_pop_outer(struct packet *p)
{
	struct edit_ip ip;
	enum drop d;

	if (p->packet_type != PACKET_TYPE_ETHERNET || !edit_ip_find(p, &ip))
		return DROP_ACTION;
	d = outer_forget(p, &ip);
	if (d == DROP_NONE)
		d = packet_pop_outer(p);
	if (d == DROP_NONE)
		edit_relocate(p);
	return d;
}

/* --- the rest --- */

static uint16_t kept(uint16_t layer, uint32_t len)
{
	return layer < len ? layer : PACKET_NO_LAYER;
}

void edit_truncate(struct packet *p, uint32_t n)
{
	if (p->len <= n)
		return;
	packet_csum_finish(p);
	p->gso_size = 0;
	p->gso_type = GSO_NONE;
	p->gso_ecn = false;
	p->len = n;
	p->l3 = kept(p->l3, n);
	p->l4 = kept(p->l4, n);
	p->inner = PACKET_NO_LAYER;
}

void edit_set_tunnel(struct packet *p, const struct act_tunnel *a)
{
	struct packet_tunnel *t = &p->tun;

	t->id = a->id;
	t->src = a->src;
	t->dst = a->dst;
	t->tp_src = 0;
	t->tp_dst = a->tp_dst;
	t->flags = a->flags;
	t->tos = a->tos;
	t->ttl = a->ttl;
	t->options_len = a->options_len;
	memcpy(t->options, a + 1, a->options_len);
	p->flags |= PACKET_TUNNEL;
}
