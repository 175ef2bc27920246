/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/extract.h"

#include "packet/cursor.h"
#include "packet/headers.h"

#define ND_OPT_SOURCE 1u
#define ND_OPT_TARGET 2u
#define ND_OPT_ETH_LEN 8u
#define NSH_LEN_MIN 8u
#define NSH_MD1_LEN 24u
/* Up to the end of a TCP header; a shorter UDP frame goes the long way. */
#define PLAIN_LEN (ETH_HEADER_LEN + IP4_HEADER_LEN + TCP_HEADER_LEN)

void flow_key_init(struct flow_key *key)
{
	memset(key, 0, sizeof(*key));
}

static struct ip6_addr ip6_of(const void *p)
{
	struct ip6_addr a;

	memcpy(a.b, p, sizeof(a.b));
	return a;
}

/* Where a layer starts; at the packet's end there is none (P3). */
static uint16_t layer_at(const struct packet *p, const struct cursor *c)
{
	size_t at = (size_t)(c->at - p->data);

	return at < p->len ? (uint16_t)at : PACKET_NO_LAYER;
}

/* --- layer 4 --- */

static void extract_tcp(struct cursor c, struct flow_key *k)
{
	const struct tcp_header *h = cursor_peek(&c, TCP_HEADER_LEN);

	if (!h || tcp_header_len(h) < TCP_HEADER_LEN ||
	    tcp_header_len(h) > cursor_left(&c))
		return;
	k->tp_src = from_be16(h->src);
	k->tp_dst = from_be16(h->dst);
	k->tcp_flags = (uint16_t)((h->offset & 0xfu) << 8 | h->flags);
}

static void extract_ports(struct cursor c, struct flow_key *k, size_t header)
{
	const uint8_t *h = cursor_peek(&c, header);

	if (!h)
		return;
	k->tp_src = get_be16(h);
	k->tp_dst = get_be16(h + 2);
}

static void extract_type(struct cursor c, struct flow_key *k)
{
	const uint8_t *h = cursor_peek(&c, ICMP_HEADER_LEN);

	if (!h)
		return;
	k->tp_src = h[0];
	k->tp_dst = h[1];
	if (k->ip_proto == IP_PROTO_IGMP)
		k->igmp_group = get_be32(h + 4);
}

/* Source and target address options of ND, each at most once; any option of
 * length zero or beyond the end spoils the lot (RFC 4861 7.1). */
static bool extract_nd_options(struct cursor *c, struct flow_key *k)
{
	while (cursor_left(c)) {
		const uint8_t *o = cursor_peek(c, ND_OPT_ETH_LEN);
		struct eth_addr *to = NULL;

		if (!o || !o[1] || !cursor_skip(c, (size_t)o[1] * 8))
			return false;
		if (o[1] != 1)
			continue;
		if (o[0] == ND_OPT_SOURCE)
			to = &k->arp_sha;
		else if (o[0] == ND_OPT_TARGET)
			to = &k->arp_tha;
		if (!to)
			continue;
		if (!eth_addr_is_zero(*to))
			return false;
		memcpy(to->b, o + 2, sizeof(to->b));
		k->nd_options = o[0];
	}
	return true;
}

static void extract_icmp6(struct cursor c, struct flow_key *k)
{
	const uint8_t *h = cursor_take(&c, ICMP_HEADER_LEN);
	const void *target;

	if (!h)
		return;
	k->tp_src = h[0];
	k->tp_dst = h[1];
	if ((h[0] != ICMP6_NS && h[0] != ICMP6_NA) || h[1])
		return;
	target = cursor_take(&c, 16);
	if (!target)
		return;
	k->nd_reserved = get_be32(h + 4);
	k->nd_target = ip6_of(target);
	if (extract_nd_options(&c, k))
		return;
	k->nd_target = (struct ip6_addr){ { 0 } };
	k->arp_sha = k->arp_tha = (struct eth_addr){ { 0 } };
	k->nd_options = 0;
	k->nd_reserved = 0;
}

static void extract_l4(struct cursor c, struct flow_key *k, bool ip6)
{
	switch (k->ip_proto) {
	case IP_PROTO_TCP:
		extract_tcp(c, k);
		break;
	case IP_PROTO_UDP:
	case IP_PROTO_UDPLITE:
		extract_ports(c, k, UDP_HEADER_LEN);
		break;
	case IP_PROTO_SCTP:
		extract_ports(c, k, SCTP_HEADER_LEN);
		break;
	case IP_PROTO_ICMP:
	case IP_PROTO_IGMP:
		if (!ip6)
			extract_type(c, k);
		break;
	case IP_PROTO_ICMP6:
		if (ip6)
			extract_icmp6(c, k);
		break;
	}
}

/* --- layer 3 --- */

static void extract_ip4(struct packet *p, struct cursor c, struct flow_key *k)
{
	const struct ip4_header *h = cursor_peek(&c, IP4_HEADER_LEN);
	uint32_t header, total;
	uint16_t frag;

	if (!h || h->version_ihl >> 4 != 4)
		return;
	header = ip4_header_len(h);
	total = from_be16(h->total_len);
	if (header < IP4_HEADER_LEN || total < header ||
	    total > cursor_left(&c))
		return;
	frag = from_be16(h->frag);
	k->ip4_src = from_be32(h->src);
	k->ip4_dst = from_be32(h->dst);
	k->ip_proto = h->proto;
	k->ip_tos = h->tos;
	k->ip_ttl = h->ttl;
	if (frag & IP4_OFFSET_MASK)
		k->ip_frag = KEY_FRAG_ANY | KEY_FRAG_LATER;
	else if (frag & IP4_MF)
		k->ip_frag = KEY_FRAG_ANY;
	c = cursor_sub(&c, total); /* what is behind is padding */
	cursor_skip(&c, header);
	if (k->ip_frag & KEY_FRAG_LATER)
		return;
	p->l4 = layer_at(p, &c);
	extract_l4(c, k, false);
}

/* Walks the extension headers; false when they do not parse. */
static bool walk_ip6(struct cursor *c, struct flow_key *k)
{
	for (unsigned i = 0; i < IP6_MAX_EXTENSIONS; i++) {
		const uint8_t *h = cursor_peek(c, 8);
		size_t len;

		switch (k->ip_proto) {
		case IP_PROTO_HOPOPTS:
		case IP_PROTO_ROUTING:
		case IP_PROTO_DSTOPTS:
		case IP_PROTO_MOBILITY:
			len = h ? ((size_t)h[1] + 1) * 8 : 8;
			break;
		case IP_PROTO_AH:
			len = h ? ((size_t)h[1] + 2) * 4 : 8;
			break;
		case IP_PROTO_FRAGMENT:
			len = 8;
			break;
		default:
			return true;
		}
		if (!h || !cursor_skip(c, len))
			return false;
		if (k->ip_proto == IP_PROTO_FRAGMENT) {
			uint16_t off = get_be16(h + 2);

			if (off & (IP6_FRAG_OFFSET_MASK | IP6_FRAG_MORE))
				k->ip_frag |= KEY_FRAG_ANY;
			if (off & IP6_FRAG_OFFSET_MASK) {
				k->ip_frag |= KEY_FRAG_LATER;
				k->ip_proto = h[0];
				return true;
			}
		}
		k->ip_proto = h[0];
	}
	return false;
}

static void extract_ip6(struct packet *p, struct cursor c, struct flow_key *k)
{
	const struct ip6_header *h = cursor_take(&c, IP6_HEADER_LEN);
	uint32_t flow, len;

	if (!h)
		return;
	flow = from_be32(h->flow);
	len = from_be16(h->payload_len);
	if (flow >> 28 != 6 || len > cursor_left(&c))
		return;
	k->ip6_src = h->src;
	k->ip6_dst = h->dst;
	k->ip6_label = flow & 0xfffffu;
	k->ip_tos = (uint8_t)(flow >> 20);
	k->ip_ttl = h->hop_limit;
	k->ip_proto = h->next;
	c = cursor_sub(&c, len);
	if (!walk_ip6(&c, k)) {
		/* Nothing is known of what it carries. */
		k->ip_proto = IP_PROTO_NONE;
		return;
	}
	if (k->ip_frag & KEY_FRAG_LATER)
		return;
	p->l4 = layer_at(p, &c);
	extract_l4(c, k, true);
}

static void extract_arp(struct cursor c, struct flow_key *k)
{
	const struct arp_header *h = cursor_peek(&c, ARP_ETH_LEN);

	if (!h || from_be16(h->hw_type) != 1 ||
	    from_be16(h->proto_type) != ETH_TYPE_IP4 || h->hw_len != 6 ||
	    h->proto_len != 4)
		return;
	k->arp_op = from_be16(h->op);
	k->ip4_src = from_be32(h->spa);
	k->ip4_dst = from_be32(h->tpa);
	k->arp_sha = h->sha;
	k->arp_tha = h->tha;
}

static void extract_nsh(struct cursor c, struct flow_key *k)
{
	const uint8_t *h = cursor_peek(&c, NSH_LEN_MIN);
	uint32_t first, len;

	if (!h)
		return;
	first = get_be32(h);
	len = (first >> 16 & 0x3fu) * 4u;
	if (len < NSH_LEN_MIN || len > cursor_left(&c))
		return;
	k->nsh_flags = (uint8_t)(first >> 28 & 3u);
	k->nsh_ttl = (uint8_t)(first >> 22 & 0x3fu);
	k->nsh_mdtype = (uint8_t)(first >> 8 & 0xfu);
	k->nsh_np = (uint8_t)first;
	k->nsh_path = get_be32(h + 4);
	for (unsigned i = 0; k->nsh_mdtype == 1 && len == NSH_MD1_LEN && i < 4;
	     i++)
		k->nsh_c[i] = get_be32(h + 8 + i * 4);
}

/* Up to KEY_N_MPLS labels; layer 3 of what they carry is not guessed. */
static void extract_mpls(struct cursor c, struct flow_key *k)
{
	for (unsigned i = 0; i < KEY_N_MPLS; i++) {
		const void *lse = cursor_take(&c, MPLS_LSE_LEN);

		if (!lse)
			return;
		k->mpls[i] = get_be32(lse);
		if (k->mpls[i] & 0x100u) /* bottom of stack, RFC 3032 2.1 */
			break;
	}
}

static void extract_l3(struct packet *p, struct cursor c, struct flow_key *k)
{
	p->l3 = layer_at(p, &c);
	switch (k->eth_type) {
	case ETH_TYPE_IP4:
		extract_ip4(p, c, k);
		break;
	case ETH_TYPE_IP6:
		extract_ip6(p, c, k);
		break;
	case ETH_TYPE_ARP:
	case ETH_TYPE_RARP:
		extract_arp(c, k);
		break;
	case ETH_TYPE_MPLS:
	case ETH_TYPE_MPLS_MCAST:
		extract_mpls(c, k);
		break;
	case ETH_TYPE_PBB:
		if (cursor_peek(&c, 4))
			k->pbb_isid = get_be32(c.at) & 0x8ffffffu;
		break;
	case ETH_TYPE_NSH:
		extract_nsh(c, k);
		break;
	}
}

/* --- layer 2 --- */

/* The tags that the key has room for; more stay behind as eth_type. */
static uint16_t extract_tags(struct cursor *c, uint16_t type,
			     struct flow_key *k)
{
	for (unsigned i = 0; i < KEY_N_VLANS && eth_type_is_vlan(type); i++) {
		const struct vlan_header *h = cursor_peek(c, VLAN_HEADER_LEN);

		if (!h)
			break;
		k->vlan[i].tpid = type;
		k->vlan[i].tci =
			(uint16_t)(from_be16(h->tci) | KEY_VLAN_PRESENT);
		type = from_be16(h->type);
		cursor_skip(c, VLAN_HEADER_LEN);
	}
	return type;
}

/* IEEE 802.3 length instead of a type: a SNAP header with OUI 0 has the type. */
static uint16_t extract_llc(struct cursor *c)
{
	static const uint8_t snap[6] = { 0xaa, 0xaa, 0x03, 0, 0, 0 };
	const uint8_t *h = cursor_peek(c, 8);
	uint16_t type;

	if (!h || memcmp(h, snap, sizeof(snap)))
		return ETH_TYPE_NONE;
	type = get_be16(h + 6);
	if (type < ETH_TYPE_MIN)
		return ETH_TYPE_NONE;
	cursor_skip(c, 8);
	return type;
}

/* The words that extract_tunnel writes. */
#define TUNNEL_WORDS                                                           \
	((offsetof(struct flow_key, tun_gbp_id) -                              \
	  offsetof(struct flow_key, tun_id)) /                                 \
	 8)

/* Did the packet before leave anything in this key? An address alone does not
 * say: a tunnel's metadata may have none. */
static bool has_tunnel(const struct flow_key *k)
{
	const uint64_t *w = key_words_const(k) + KEY_PACKET_WORDS;
	uint64_t any = 0;

	for (unsigned i = 0; i < TUNNEL_WORDS; i++)
		any |= w[i];
	return any;
}

static void clear_tunnel(struct flow_key *k)
{
	memset(&k->tun_id, 0,
	       offsetof(struct flow_key, ct_state) -
		       offsetof(struct flow_key, tun_id));
}

static void extract_tunnel(const struct packet_tunnel *t, struct flow_key *k)
{
	k->tun_id = t->id;
	if (t->src.family && ip_addr_is_ip4(&t->src))
		k->tun_src = ip_addr_ip4(&t->src);
	else if (t->src.family)
		k->tun6_src = t->src.a;
	if (t->dst.family && ip_addr_is_ip4(&t->dst))
		k->tun_dst = ip_addr_ip4(&t->dst);
	else if (t->dst.family)
		k->tun6_dst = t->dst.a;
	k->tun_flags = t->flags;
	k->tun_tp_src = t->tp_src;
	k->tun_tp_dst = t->tp_dst;
	k->tun_tos = t->tos;
	k->tun_ttl = t->ttl;
}

/* --- what most packets are --- */

/* Ethernet, IPv4 without options, whole, TCP or UDP: one look at the length
 * covers every read below. False, and nothing but what the long way would have
 * written too, when it is anything else. */
static inline bool extract_plain(struct packet *p, struct flow_key *k)
{
	const struct eth_header *eth = (const void *)p->data;
	const struct ip4_header *ip = (const void *)(eth + 1);
	const struct tcp_header *l4 = (const void *)(ip + 1);
	uint32_t total, need = UDP_HEADER_LEN;

	if (p->len < PLAIN_LEN || from_be16(eth->type) != ETH_TYPE_IP4 ||
	    ip->version_ihl != 0x45 ||
	    from_be16(ip->frag) & (IP4_MF | IP4_OFFSET_MASK))
		return false;
	if (ip->proto == IP_PROTO_TCP)
		need = MAX(tcp_header_len(l4), TCP_HEADER_LEN);
	else if (ip->proto != IP_PROTO_UDP)
		return false;
	total = from_be16(ip->total_len);
	if (total > p->len - ETH_HEADER_LEN || total < IP4_HEADER_LEN + need)
		return false;
	if (ip->proto == IP_PROTO_TCP) {
		if (tcp_header_len(l4) < TCP_HEADER_LEN)
			return false;
		k->tcp_flags = (uint16_t)((l4->offset & 0xfu) << 8 | l4->flags);
	}
	p->l3 = ETH_HEADER_LEN;
	p->l4 = ETH_HEADER_LEN + IP4_HEADER_LEN;
	k->eth_dst = eth->dst;
	k->eth_src = eth->src;
	k->eth_type = ETH_TYPE_IP4;
	k->ip_proto = ip->proto;
	k->ip4_src = from_be32(ip->src);
	k->ip4_dst = from_be32(ip->dst);
	k->ip_tos = ip->tos;
	k->ip_ttl = ip->ttl;
	k->tp_src = from_be16(l4->src);
	k->tp_dst = from_be16(l4->dst);
	return true;
}

/* Sixteen bytes a store: for this size compilers emit a string instruction,
 * whose start alone takes longer. */
static inline void clear_packet_words(struct flow_key *k)
{
	typedef uint64_t pair __attribute__((vector_size(16), aligned(8)));
	uint64_t *w = key_words(k);
	unsigned i = 0;

#pragma GCC unroll 16
	for (; i + 2 <= KEY_PACKET_WORDS; i += 2)
		*(pair *)(void *)(w + i) = (pair){ 0, 0 };
	if (i < KEY_PACKET_WORDS)
		w[i] = 0;
}

enum drop flow_extract(struct packet *p, struct flow_key *k)
{
	struct cursor c = cursor_init(p->data, p->len);
	const struct eth_header *eth;

	clear_packet_words(k);
	k->in_port = p->in_port;
	k->packet_type = p->packet_type;
	p->l3 = p->l4 = PACKET_NO_LAYER;
	if (unlikely(has_tunnel(k)))
		clear_tunnel(k);
	if (p->flags & PACKET_TUNNEL)
		extract_tunnel(&p->tun, k);
	if (unlikely(p->packet_type != PACKET_TYPE_ETHERNET)) {
		k->eth_type = (uint16_t)p->packet_type;
		extract_l3(p, c, k);
		return DROP_NONE;
	}
	if (likely(extract_plain(p, k)))
		return DROP_NONE;
	eth = cursor_take(&c, ETH_HEADER_LEN);
	if (unlikely(!eth))
		return DROP_TRUNCATED;
	k->eth_dst = eth->dst;
	k->eth_src = eth->src;
	k->eth_type = from_be16(eth->type);
	if (eth_type_is_vlan(k->eth_type))
		k->eth_type = extract_tags(&c, k->eth_type, k);
	if (unlikely(k->eth_type < ETH_TYPE_MIN))
		k->eth_type = extract_llc(&c);
	extract_l3(p, c, k);
	return DROP_NONE;
}
