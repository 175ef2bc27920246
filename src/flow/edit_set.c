/* SPDX-License-Identifier: Apache-2.0 */
/* Setting fields: a table from field to the place in the packet. */
#include "flow/edit.h"

#include "flow/edit_l3.h"
#include "packet/checksum.h"
#include "packet/cursor.h"
#include "packet/headers.h"

#define SET_MAX 16u
#define VLAN_AT 12u
#define ND_LEN 24u /* ICMPv6 header and target, RFC 4861 4.3 */
#define ND_OPT_LEN 8u
#define ND_OPT_SOURCE 1u
#define ND_OPT_TARGET 2u

/* `at`: offset in the header that the setter knows. */
typedef enum drop setter_fn(struct packet *p, const struct act_set *a,
			    uint32_t at);

struct setter {
	setter_fn *fn;
	uint32_t at;
};

static const uint8_t *set_value(const struct act_set *a)
{
	return (const uint8_t *)(a + 1);
}

static const uint8_t *set_mask(const struct act_set *a)
{
	return set_value(a) + ROUND_UP(a->n, 8u);
}

static bool is_bytes(const struct act_set *a)
{
	uint8_t form = field_get((enum field_id)a->field)->form;

	return form == FIELD_FORM_MAC || form == FIELD_FORM_IP6 ||
	       form == FIELD_FORM_BYTES;
}

/* The n bytes `was` of the packet as they are after the edit. Integers stand the
 * other way round in the key. */
static void merge(const struct act_set *a, const uint8_t *was, uint8_t *now)
{
	const uint8_t *value = set_value(a), *mask = set_mask(a);
	bool bytes = is_bytes(a);

	for (unsigned i = 0; i < a->n; i++) {
		unsigned k = bytes ? i : a->n - 1u - i;

		now[i] = (uint8_t)((was[i] & ~mask[k]) | (value[k] & mask[k]));
	}
}

/* The same for a member in host order, which has `size` bytes. */
static void merge_host(const struct act_set *a, void *member, unsigned size)
{
	const uint8_t *value = set_value(a), *mask = set_mask(a);
	unsigned n = MIN(a->n, size);
	uint8_t *m = member;

	for (unsigned i = 0; i < n; i++)
		m[i] = (uint8_t)((m[i] & ~mask[i]) | (value[i] & mask[i]));
}

/* The lowest eight bits, of a member of any width. */
static uint8_t merge_u8(const struct act_set *a, uint8_t was)
{
	return (uint8_t)((was & ~*set_mask(a)) |
			 (*set_value(a) & *set_mask(a)));
}

static enum drop set_nothing(struct packet *p, const struct act_set *a,
			     uint32_t at)
{
	(void)p;
	(void)a;
	(void)at;
	return DROP_NONE;
}

/* --- layer 2 --- */

static enum drop set_eth(struct packet *p, const struct act_set *a, uint32_t at)
{
	if (p->packet_type != PACKET_TYPE_ETHERNET || p->len < ETH_HEADER_LEN)
		return DROP_ACTION;
	merge(a, p->data + at, p->data + at);
	return DROP_NONE;
}

static bool is_tagged(const struct packet *p)
{
	return p->packet_type == PACKET_TYPE_ETHERNET &&
	       p->len >= ETH_HEADER_LEN + VLAN_HEADER_LEN &&
	       eth_type_is_vlan(get_be16(p->data + VLAN_AT));
}

/* The key's "present" bit is the drop eligible bit on the wire: not ours. */
static enum drop set_tag(struct packet *p, const struct act_set *a, uint32_t at)
{
	uint16_t was, now;

	if (!is_tagged(p))
		return DROP_ACTION;
	was = get_be16(p->data + at);
	merge(a, p->data + at, p->data + at);
	now = get_be16(p->data + at);
	now = (uint16_t)((now & ~KEY_VLAN_PRESENT) | (was & KEY_VLAN_PRESENT));
	put_be16(p->data + at, now);
	return DROP_NONE;
}

/* The whole word: its "present" bit says whether there is a tag at all. */
static enum drop set_tci(struct packet *p, const struct act_set *a, uint32_t at)
{
	uint16_t value, mask;

	memcpy(&value, set_value(a), sizeof(value));
	memcpy(&mask, set_mask(a), sizeof(mask));
	value &= mask;
	if (mask & KEY_VLAN_PRESENT && !(value & KEY_VLAN_PRESENT))
		return is_tagged(p) ? edit_pop_vlan(p) : DROP_NONE;
	if (mask & KEY_VLAN_PRESENT && !is_tagged(p))
		return edit_push_vlan(p, ETH_TYPE_VLAN,
				      (uint16_t)(value & ~KEY_VLAN_PRESENT));
	return set_tag(p, a, at);
}

static enum drop set_tpid(struct packet *p, const struct act_set *a,
			  uint32_t at)
{
	uint8_t now[2];

	if (!is_tagged(p))
		return DROP_ACTION;
	merge(a, p->data + at, now);
	if (!eth_type_is_vlan(get_be16(now)))
		return DROP_ACTION;
	memcpy(p->data + at, now, sizeof(now));
	return DROP_NONE;
}

/* The n bytes at `at` behind the Ethertype; NULL when the frame is not of that
 * type or too short. */
static uint8_t *find_behind(struct packet *p, uint16_t type, uint32_t at,
			    uint32_t n)
{
	struct edit_at l2;

	if (!edit_find(p, &l2) || l2.type != type || p->len - l2.l3 < at + n)
		return NULL;
	return p->data + l2.l3 + at;
}

static enum drop set_mpls(struct packet *p, const struct act_set *a,
			  uint32_t at)
{
	uint8_t *lse = find_behind(p, ETH_TYPE_MPLS, at, MPLS_LSE_LEN);

	if (!lse)
		lse = find_behind(p, ETH_TYPE_MPLS_MCAST, at, MPLS_LSE_LEN);
	if (!lse)
		return DROP_ACTION;
	merge(a, lse, lse);
	return DROP_NONE;
}

static enum drop set_pbb(struct packet *p, const struct act_set *a, uint32_t at)
{
	uint8_t *tag = find_behind(p, ETH_TYPE_PBB, at, 4);

	if (!tag)
		return DROP_ACTION;
	merge(a, tag, tag);
	return DROP_NONE;
}

/* --- ARP --- */

static enum drop set_arp(struct packet *p, const struct act_set *a, uint32_t at)
{
	static const uint8_t start[] = { 0, 1, 0x08, 0x00, 6, 4 };
	uint8_t *arp = find_behind(p, ETH_TYPE_ARP, 0, ARP_ETH_LEN);

	if (!arp)
		arp = find_behind(p, ETH_TYPE_RARP, 0, ARP_ETH_LEN);
	if (!arp || memcmp(arp, start, sizeof(start)))
		return DROP_ACTION;
	merge(a, arp + at, arp + at);
	return DROP_NONE;
}

/* --- NSH (RFC 8300 2) --- */

static uint8_t *find_nsh(struct packet *p, uint32_t need)
{
	uint8_t *nsh = find_behind(p, ETH_TYPE_NSH, 0, 8);
	uint32_t len = nsh ? (get_be32(nsh) >> 16 & 0x3fu) * 4u : 0;

	if (len < need || len > (uint32_t)(p->data + p->len - nsh))
		return NULL;
	return nsh;
}

static enum drop set_nsh_word(struct packet *p, const struct act_set *a,
			      uint32_t at)
{
	bool context = at >= 8;
	uint8_t *nsh = find_nsh(p, context ? 24 : 8);

	if (!nsh || (context && (nsh[2] & 0xfu) != 1)) /* MD type 1 */
		return DROP_ACTION;
	merge(a, nsh + at, nsh + at);
	return DROP_NONE;
}

/* Flags and TTL lie across the bytes of the first word; at: their shift. */
static enum drop set_nsh_first(struct packet *p, const struct act_set *a,
			       uint32_t at)
{
	uint8_t *nsh = find_nsh(p, 8);
	uint32_t bits = at == 28 ? 0x3u : 0x3fu, word, now;

	if (!nsh)
		return DROP_ACTION;
	word = get_be32(nsh);
	now = merge_u8(a, (uint8_t)(word >> at & bits));
	put_be32(nsh, (word & ~(bits << at)) | (now & bits) << at);
	return DROP_NONE;
}

/* --- IP --- */

static enum drop set_ip4_addr(struct packet *p, const struct act_set *a,
			      uint32_t at)
{
	uint8_t was[4], now[4];
	struct edit_ip ip;

	if (!edit_ip_find(p, &ip) || ip.is_ip6)
		return DROP_ACTION;
	memcpy(was, p->data + ip.l3 + at, sizeof(was));
	merge(a, was, now);
	if (!edit_pseudo_changed(p, &ip, was, now, sizeof(now)))
		return DROP_ACTION;
	edit_ip4_write(p, &ip, at, now, sizeof(now));
	return DROP_NONE;
}

static enum drop set_ip6_addr(struct packet *p, const struct act_set *a,
			      uint32_t at)
{
	uint8_t was[16], now[16];
	struct edit_ip ip;

	if (!edit_ip_find(p, &ip) || !ip.is_ip6)
		return DROP_ACTION;
	memcpy(was, p->data + ip.l3 + at, sizeof(was));
	merge(a, was, now);
	if (!(ip.routed_away && a->field == FIELD_IPV6_DST) &&
	    !edit_pseudo_changed(p, &ip, was, now, sizeof(now)))
		return DROP_ACTION;
	memcpy(p->data + ip.l3 + at, now, sizeof(now));
	return DROP_NONE;
}

static enum drop set_label(struct packet *p, const struct act_set *a,
			   uint32_t at)
{
	struct edit_ip ip;

	if (!edit_ip_find(p, &ip) || !ip.is_ip6)
		return DROP_ACTION;
	merge(a, p->data + ip.l3 + at, p->data + ip.l3 + at);
	return DROP_NONE;
}

static enum drop set_tos(struct packet *p, const struct act_set *a, uint32_t at)
{
	uint8_t *h, now[2];
	struct edit_ip ip;
	uint32_t flow, tos;

	if (!edit_ip_find(p, &ip))
		return DROP_ACTION;
	h = p->data + ip.l3 + at;
	if (!ip.is_ip6) {
		now[0] = h[0];
		now[1] = merge_u8(a, h[1]);
		edit_ip4_write(p, &ip, at, now, sizeof(now));
		return DROP_NONE;
	}
	flow = get_be32(h);
	tos = merge_u8(a, (uint8_t)(flow >> 20));
	put_be32(h, (flow & ~(0xffu << 20)) | tos << 20);
	return DROP_NONE;
}

static enum drop set_ttl(struct packet *p, const struct act_set *a, uint32_t at)
{
	uint8_t *h, now[2];
	struct edit_ip ip;

	if (!edit_ip_find(p, &ip))
		return DROP_ACTION;
	h = p->data + ip.l3;
	if (ip.is_ip6) {
		h[7] = merge_u8(a, h[7]);
		return DROP_NONE;
	}
	now[0] = merge_u8(a, h[at]);
	now[1] = h[at + 1];
	edit_ip4_write(p, &ip, at, now, sizeof(now));
	return DROP_NONE;
}

/* --- layer 4 --- */

/* Finds the IP packet and demands that the field's protocol is what it carries.
 * A later fragment is found, without layer 4. */
static bool find_l4(const struct packet *p, const struct act_set *a,
		    struct edit_ip *ip)
{
	static const uint8_t protos[] = {
		[FIELD_PREREQ_TCP] = IP_PROTO_TCP,
		[FIELD_PREREQ_UDP] = IP_PROTO_UDP,
		[FIELD_PREREQ_SCTP] = IP_PROTO_SCTP,
		[FIELD_PREREQ_ICMP] = IP_PROTO_ICMP,
		[FIELD_PREREQ_ICMP6] = IP_PROTO_ICMP6,
		[FIELD_PREREQ_ND] = IP_PROTO_ICMP6,
	};
	uint8_t prereq = field_get((enum field_id)a->field)->prereq;

	if (!edit_ip_find(p, ip) || ip->proto != protos[prereq])
		return false;
	if (prereq == FIELD_PREREQ_ICMP)
		return !ip->is_ip6;
	return ip->is_ip6 || ip->proto != IP_PROTO_ICMP6;
}

static enum drop l4_write(struct packet *p, const struct edit_ip *ip,
			  uint32_t at, const void *now, uint32_t n)
{
	return edit_l4_write(p, ip, at, now, n) ? DROP_NONE : DROP_ACTION;
}

static enum drop set_l4_port(struct packet *p, const struct act_set *a,
			     uint32_t at)
{
	struct edit_ip ip;
	uint8_t now[2];

	if (!find_l4(p, a, &ip))
		return DROP_ACTION;
	if (!ip.has_l4)
		return ip.is_fragment ? DROP_NONE : DROP_ACTION;
	if (ip.end - ip.l4 < at + sizeof(now))
		return DROP_ACTION;
	merge(a, p->data + ip.l4 + at, now);
	return l4_write(p, &ip, at, now, sizeof(now));
}

/* Type and code share the word that is written. */
static enum drop set_icmp(struct packet *p, const struct act_set *a,
			  uint32_t at)
{
	struct edit_ip ip;
	uint8_t now[2];

	if (!find_l4(p, a, &ip))
		return DROP_ACTION;
	if (!ip.has_l4)
		return ip.is_fragment ? DROP_NONE : DROP_ACTION;
	if (ip.end - ip.l4 < sizeof(now))
		return DROP_ACTION;
	memcpy(now, p->data + ip.l4, sizeof(now));
	now[at] = merge_u8(a, now[at]);
	return l4_write(p, &ip, 0, now, sizeof(now));
}

/* --- neighbour discovery --- */

static bool find_nd(const struct packet *p, const struct act_set *a,
		    struct edit_ip *ip)
{
	const uint8_t *nd;

	if (!find_l4(p, a, ip) || !ip->has_l4 || ip->is_fragment ||
	    ip->end - ip->l4 < ND_LEN)
		return false; /* fragments: RFC 6980 5 */
	nd = p->data + ip->l4;
	return (nd[0] == ICMP6_NS || nd[0] == ICMP6_NA) && !nd[1];
}

static enum drop set_nd(struct packet *p, const struct act_set *a, uint32_t at)
{
	uint8_t now[SET_MAX];
	struct edit_ip ip;

	if (!find_nd(p, a, &ip))
		return DROP_ACTION;
	merge(a, p->data + ip.l4 + at, now);
	return l4_write(p, &ip, at, now, a->n);
}

/* Offset from l4 of the first link address option whose type is in `types` (one
 * bit each); 0 when there is none, or an option before it is broken. */
static uint32_t find_nd_option(const struct packet *p, const struct edit_ip *ip,
			       uint32_t types)
{
	const uint8_t *l4 = p->data + ip->l4;
	struct cursor c = cursor_init(l4 + ND_LEN, ip->end - ip->l4 - ND_LEN);

	for (;;) {
		const uint8_t *o = cursor_peek(&c, ND_OPT_LEN);

		if (!o || !o[1])
			return 0;
		if (o[1] == 1 && o[0] < 32 && types >> o[0] & 1)
			return (uint32_t)(o - l4);
		if (!cursor_skip(&c, o[1] * ND_OPT_LEN))
			return 0;
	}
}

static enum drop set_nd_address(struct packet *p, const struct act_set *a,
				uint32_t at)
{
	struct edit_ip ip;
	uint8_t now[6];
	uint32_t o;

	if (!find_nd(p, a, &ip))
		return DROP_ACTION;
	o = find_nd_option(p, &ip, 1u << at);
	if (!o)
		return DROP_NONE;
	merge(a, p->data + ip.l4 + o + 2, now);
	return l4_write(p, &ip, o + 2, now, sizeof(now));
}

static enum drop set_nd_option(struct packet *p, const struct act_set *a,
			       uint32_t at)
{
	struct edit_ip ip;
	uint8_t now[2];
	uint32_t o;

	if (!find_nd(p, a, &ip))
		return DROP_ACTION;
	o = find_nd_option(p, &ip, at);
	if (!o)
		return DROP_NONE;
	now[0] = merge_u8(a, p->data[ip.l4 + o]);
	now[1] = p->data[ip.l4 + o + 1];
	return l4_write(p, &ip, o, now, sizeof(now));
}

/* --- tunnel metadata --- */

static struct packet_tunnel *tunnel_of(struct packet *p)
{
	if (!(p->flags & PACKET_TUNNEL)) {
		memset(&p->tun, 0, offsetof(struct packet_tunnel, options));
		p->flags |= PACKET_TUNNEL;
	}
	return &p->tun;
}

static enum drop set_tunnel(struct packet *p, const struct act_set *a,
			    uint32_t at)
{
	merge_host(a, (uint8_t *)tunnel_of(p) + at, sizeof(p->tun) - at);
	return DROP_NONE;
}

static enum drop set_tunnel_ip4(struct packet *p, const struct act_set *a,
				uint32_t at)
{
	struct ip_addr *addr = (void *)((uint8_t *)tunnel_of(p) + at);
	uint32_t ip4 = ip_addr_is_ip4(addr) ? ip_addr_ip4(addr) : 0;

	merge_host(a, &ip4, sizeof(ip4));
	*addr = ip_addr_from_ip4(ip4);
	return DROP_NONE;
}

static enum drop set_tunnel_ip6(struct packet *p, const struct act_set *a,
				uint32_t at)
{
	struct ip_addr *addr = (void *)((uint8_t *)tunnel_of(p) + at);
	struct ip6_addr ip6 = { { 0 } };

	if (addr->family && !ip_addr_is_ip4(addr))
		ip6 = addr->a;
	merge_host(a, &ip6, sizeof(ip6));
	*addr = ip_addr_from_ip6(ip6);
	return DROP_NONE;
}

#define TUNNEL_AT(member) offsetof(struct packet_tunnel, member)

static const struct setter setters[N_FIELDS] = {
	[FIELD_IN_PORT] = { set_nothing, 0 },
	[FIELD_ETH_DST] = { set_eth, 0 },
	[FIELD_ETH_SRC] = { set_eth, 6 },
	[FIELD_VLAN_TCI] = { set_tci, VLAN_AT + 2 },
	[FIELD_VLAN_TPID] = { set_tpid, VLAN_AT },
	[FIELD_VLAN_VID] = { set_tag, VLAN_AT + 2 },
	[FIELD_VLAN_PCP] = { set_tag, VLAN_AT + 2 },
	[FIELD_IP_SRC] = { set_ip4_addr, 12 },
	[FIELD_IP_DST] = { set_ip4_addr, 16 },
	[FIELD_IPV6_SRC] = { set_ip6_addr, 8 },
	[FIELD_IPV6_DST] = { set_ip6_addr, 24 },
	[FIELD_IPV6_LABEL] = { set_label, 0 },
	[FIELD_IP_TOS] = { set_tos, 0 },
	[FIELD_IP_DSCP] = { set_tos, 0 },
	[FIELD_IP_ECN] = { set_tos, 0 },
	[FIELD_IP_TTL] = { set_ttl, 8 },
	[FIELD_ARP_OP] = { set_arp, 6 },
	[FIELD_ARP_SHA] = { set_arp, 8 },
	[FIELD_ARP_SPA] = { set_arp, 14 },
	[FIELD_ARP_THA] = { set_arp, 18 },
	[FIELD_ARP_TPA] = { set_arp, 24 },
	[FIELD_TCP_SRC] = { set_l4_port, 0 },
	[FIELD_TCP_DST] = { set_l4_port, 2 },
	[FIELD_UDP_SRC] = { set_l4_port, 0 },
	[FIELD_UDP_DST] = { set_l4_port, 2 },
	[FIELD_SCTP_SRC] = { set_l4_port, 0 },
	[FIELD_SCTP_DST] = { set_l4_port, 2 },
	[FIELD_ICMP_TYPE] = { set_icmp, 0 },
	[FIELD_ICMP_CODE] = { set_icmp, 1 },
	[FIELD_ICMPV6_TYPE] = { set_icmp, 0 },
	[FIELD_ICMPV6_CODE] = { set_icmp, 1 },
	[FIELD_ND_TARGET] = { set_nd, 8 },
	[FIELD_ND_SLL] = { set_nd_address, ND_OPT_SOURCE },
	[FIELD_ND_TLL] = { set_nd_address, ND_OPT_TARGET },
	[FIELD_ND_RESERVED] = { set_nd, 4 },
	[FIELD_ND_OPTIONS_TYPE] = { set_nd_option,
				    1u << ND_OPT_SOURCE | 1u << ND_OPT_TARGET },
	[FIELD_MPLS_LABEL] = { set_mpls, 0 },
	[FIELD_MPLS_TC] = { set_mpls, 0 },
	[FIELD_MPLS_TTL] = { set_mpls, 0 },
	[FIELD_PBB_ISID] = { set_pbb, 0 },
	[FIELD_PBB_UCA] = { set_pbb, 0 },
	[FIELD_NSH_FLAGS] = { set_nsh_first, 28 },
	[FIELD_NSH_TTL] = { set_nsh_first, 22 },
	[FIELD_NSH_SPI] = { set_nsh_word, 4 },
	[FIELD_NSH_SI] = { set_nsh_word, 4 },
	[FIELD_NSH_C1] = { set_nsh_word, 8 },
	[FIELD_NSH_C2] = { set_nsh_word, 12 },
	[FIELD_NSH_C3] = { set_nsh_word, 16 },
	[FIELD_NSH_C4] = { set_nsh_word, 20 },
	[FIELD_TUN_ID] = { set_tunnel, TUNNEL_AT(id) },
	[FIELD_TUN_SRC] = { set_tunnel_ip4, TUNNEL_AT(src) },
	[FIELD_TUN_DST] = { set_tunnel_ip4, TUNNEL_AT(dst) },
	[FIELD_TUN_IPV6_SRC] = { set_tunnel_ip6, TUNNEL_AT(src) },
	[FIELD_TUN_IPV6_DST] = { set_tunnel_ip6, TUNNEL_AT(dst) },
	[FIELD_TUN_FLAGS] = { set_tunnel, TUNNEL_AT(flags) },
	[FIELD_TUN_TOS] = { set_tunnel, TUNNEL_AT(tos) },
	[FIELD_TUN_TTL] = { set_tunnel, TUNNEL_AT(ttl) },
	[FIELD_TUN_TP_SRC] = { set_tunnel, TUNNEL_AT(tp_src) },
	[FIELD_TUN_TP_DST] = { set_tunnel, TUNNEL_AT(tp_dst) },
	[FIELD_METADATA... FIELD_XXREG3] = { set_nothing, 0 },
	[FIELD_SKB_PRIORITY] = { set_nothing, 0 },
	[FIELD_PKT_MARK] = { set_nothing, 0 },
};

bool edit_can_set(enum field_id field)
{
	return field < N_FIELDS && setters[field].fn;
}

enum drop edit_set_field(struct packet *p, const struct act_set *a)
{
	const struct setter *s;

	if (!edit_can_set((enum field_id)a->field))
		return DROP_UNSUPPORTED;
	s = &setters[a->field];
	return s->fn(p, a, s->at);
}
