/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/compose.h"

#include "flow/extract.h"
#include "packet/checksum.h"
#include "packet/headers.h"

#define ND_OPT_SOURCE 1u
#define ND_OPT_TARGET 2u
#define ND_OPT_LEN 8u
#define ND_LEN 24u
#define WINDOW 65535u
/* Of what says nothing about its inside. */
#define FILL_LEN 8u
#define FRAG_OFFSET 8u /* of a later fragment, in bytes */
/* Behind the length of a frame without a type: an LLC test command. */
#define LLC_LEN 3u

/* Adds n zeroed bytes at the end. The frames made here are far smaller than the
 * buffer. */
static uint8_t *add(struct packet *p, uint32_t n)
{
	uint8_t *at = p->data + p->len;

	memset(at, 0, n);
	p->len += n;
	return at;
}

/* --- layer 4 --- */

static void add_tcp(const struct flow_key *k, struct packet *p)
{
	struct tcp_header *h = (void *)add(p, TCP_HEADER_LEN);

	h->src = to_be16(k->tp_src);
	h->dst = to_be16(k->tp_dst);
	h->offset = (uint8_t)(TCP_HEADER_LEN / 4 << 4 | k->tcp_flags >> 8);
	h->flags = (uint8_t)k->tcp_flags;
	h->window = to_be16(WINDOW);
}

static void add_udp(const struct flow_key *k, struct packet *p)
{
	struct udp_header *h = (void *)add(p, UDP_HEADER_LEN);

	h->src = to_be16(k->tp_src);
	h->dst = to_be16(k->tp_dst);
	h->len = to_be16(UDP_HEADER_LEN);
}

static void add_sctp(const struct flow_key *k, struct packet *p)
{
	uint8_t *h = add(p, SCTP_HEADER_LEN);
	uint32_t sum;

	put_be16(h, k->tp_src);
	put_be16(h + 2, k->tp_dst);
	sum = crc32c_sctp(h, SCTP_HEADER_LEN);
	memcpy(h + SCTP_CSUM_OFFSET, &sum, sizeof(sum));
}

static void add_nd_option(struct packet *p, uint8_t type, struct eth_addr mac)
{
	uint8_t *o;

	if (eth_addr_is_zero(mac))
		return;
	o = add(p, ND_OPT_LEN);
	o[0] = type;
	o[1] = 1;
	memcpy(o + 2, mac.b, sizeof(mac.b));
}

static bool is_nd(const struct flow_key *k)
{
	return k->ip_proto == IP_PROTO_ICMP6 && !k->tp_dst &&
	       (k->tp_src == ICMP6_NS || k->tp_src == ICMP6_NA);
}

/* The option that the key names last is the last. */
static void add_nd(const struct flow_key *k, struct packet *p)
{
	uint8_t *h = add(p, ND_LEN);

	h[0] = (uint8_t)k->tp_src;
	put_be32(h + 4, k->nd_reserved);
	memcpy(h + 8, k->nd_target.b, sizeof(k->nd_target.b));
	if (k->nd_options == ND_OPT_SOURCE)
		add_nd_option(p, ND_OPT_TARGET, k->arp_tha);
	add_nd_option(p, ND_OPT_SOURCE, k->arp_sha);
	if (k->nd_options != ND_OPT_SOURCE)
		add_nd_option(p, ND_OPT_TARGET, k->arp_tha);
}

static void add_icmp(const struct flow_key *k, struct packet *p)
{
	uint8_t *h = add(p, ICMP_HEADER_LEN);

	h[0] = (uint8_t)k->tp_src;
	h[1] = (uint8_t)k->tp_dst;
	if (k->ip_proto == IP_PROTO_IGMP)
		put_be32(h + 4, k->igmp_group);
}

/* Where its checksum stands in the header; 0: it has none of this kind. */
static unsigned add_l4(const struct flow_key *k, struct packet *p)
{
	switch (k->ip_proto) {
	case IP_PROTO_TCP:
		add_tcp(k, p);
		return offsetof(struct tcp_header, csum);
	case IP_PROTO_UDP:
		add_udp(k, p);
		return offsetof(struct udp_header, csum);
	case IP_PROTO_UDPLITE: /* the field is the coverage: 0, all of it */
		add_udp(k, p);
		memset(p->data + p->len - 4, 0, 2);
		return offsetof(struct udp_header, csum);
	case IP_PROTO_SCTP:
		add_sctp(k, p);
		return 0;
	case IP_PROTO_ICMP:
	case IP_PROTO_IGMP:
		add_icmp(k, p);
		return offsetof(struct icmp_header, csum);
	case IP_PROTO_ICMP6:
		if (is_nd(k))
			add_nd(k, p);
		else
			add_icmp(k, p);
		return offsetof(struct icmp_header, csum);
	default:
		add(p, FILL_LEN);
		return 0;
	}
}

static uint64_t pseudo_sum(const struct flow_key *k, uint32_t len)
{
	if (k->ip_proto == IP_PROTO_ICMP || k->ip_proto == IP_PROTO_IGMP)
		return 0;
	if (k->eth_type == ETH_TYPE_IP4)
		return checksum_pseudo4(k->ip4_src, k->ip4_dst, k->ip_proto,
					len);
	return checksum_pseudo6(k->ip6_src, k->ip6_dst, k->ip_proto, len);
}

/* What IP carries; a later fragment has no header in it. */
static void add_ip_payload(const struct flow_key *k, struct packet *p)
{
	uint32_t at = p->len, len;
	uint16_t sum;
	unsigned csum;

	if (k->ip_frag & KEY_FRAG_LATER) {
		add(p, FILL_LEN);
		return;
	}
	csum = add_l4(k, p);
	len = p->len - at;
	if (!csum)
		return;
	sum = (uint16_t)~checksum_fold(
		checksum_add(pseudo_sum(k, len), p->data + at, len));
	if (!sum && k->ip_proto == IP_PROTO_UDP)
		sum = 0xffff; /* RFC 768: zero says that there is none */
	put_be16(p->data + at + csum, sum);
}

/* --- layer 3 --- */

static void add_ip4(const struct flow_key *k, struct packet *p)
{
	uint32_t at = p->len;
	struct ip4_header *h = (void *)add(p, IP4_HEADER_LEN);

	h->version_ihl = 0x45;
	h->tos = k->ip_tos;
	if (k->ip_frag & KEY_FRAG_LATER)
		h->frag = to_be16(FRAG_OFFSET / 8);
	else if (k->ip_frag)
		h->frag = to_be16(IP4_MF);
	h->ttl = k->ip_ttl;
	h->proto = k->ip_proto;
	h->src = to_be32(k->ip4_src);
	h->dst = to_be32(k->ip4_dst);
	add_ip_payload(k, p);
	h->total_len = to_be16((uint16_t)(p->len - at));
	h->csum = to_be16(checksum(h, IP4_HEADER_LEN));
}

static void add_ip6(const struct flow_key *k, struct packet *p)
{
	struct ip6_header *h = (void *)add(p, IP6_HEADER_LEN);
	uint32_t at = p->len;

	h->flow = to_be32(6u << 28 | (uint32_t)k->ip_tos << 20 | k->ip6_label);
	h->hop_limit = k->ip_ttl;
	h->src = k->ip6_src;
	h->dst = k->ip6_dst;
	h->next = k->ip_proto;
	if (k->ip_frag) {
		struct ip6_frag_header *f = (void *)add(p, sizeof(*f));

		h->next = IP_PROTO_FRAGMENT;
		f->next = k->ip_proto;
		f->offset =
			to_be16(k->ip_frag & KEY_FRAG_LATER ? FRAG_OFFSET :
							      IP6_FRAG_MORE);
	}
	add_ip_payload(k, p);
	h->payload_len = to_be16((uint16_t)(p->len - at));
}

static void add_arp(const struct flow_key *k, struct packet *p)
{
	struct arp_header *h = (void *)add(p, ARP_ETH_LEN);

	h->hw_type = to_be16(1);
	h->proto_type = to_be16(ETH_TYPE_IP4);
	h->hw_len = 6;
	h->proto_len = 4;
	h->op = to_be16(k->arp_op);
	h->sha = k->arp_sha;
	h->spa = to_be32(k->ip4_src);
	h->tha = k->arp_tha;
	h->tpa = to_be32(k->ip4_dst);
}

static void add_mpls(const struct flow_key *k, struct packet *p)
{
	for (unsigned i = 0; i < KEY_N_MPLS; i++) {
		put_be32(add(p, MPLS_LSE_LEN), k->mpls[i]);
		if (k->mpls[i] & 0x100u) /* bottom of stack, RFC 3032 2.1 */
			break;
	}
	add(p, FILL_LEN);
}

static void add_l3(const struct flow_key *k, struct packet *p)
{
	switch (k->eth_type) {
	case ETH_TYPE_IP4:
		add_ip4(k, p);
		break;
	case ETH_TYPE_IP6:
		add_ip6(k, p);
		break;
	case ETH_TYPE_ARP:
	case ETH_TYPE_RARP:
		add_arp(k, p);
		break;
	case ETH_TYPE_MPLS:
	case ETH_TYPE_MPLS_MCAST:
		add_mpls(k, p);
		break;
	case ETH_TYPE_NONE:
		add(p, LLC_LEN)[2] = 0xe3;
		break;
	default:
		add(p, FILL_LEN);
	}
}

/* --- layer 2 --- */

static void add_eth(const struct flow_key *k, struct packet *p)
{
	uint8_t *h = add(p, ETH_HEADER_LEN - 2);

	memcpy(h, k->eth_dst.b, sizeof(k->eth_dst.b));
	memcpy(h + 6, k->eth_src.b, sizeof(k->eth_src.b));
	for (unsigned i = 0; i < KEY_N_VLANS && k->vlan[i].tpid; i++) {
		uint8_t *tag = add(p, VLAN_HEADER_LEN);

		put_be16(tag, k->vlan[i].tpid);
		put_be16(tag + 2,
			 (uint16_t)(k->vlan[i].tci & ~KEY_VLAN_PRESENT));
	}
	put_be16(add(p, 2),
		 k->eth_type == ETH_TYPE_NONE ? LLC_LEN : k->eth_type);
}

static bool has_key(struct packet *p, const struct flow_key *k)
{
	struct flow_key got;

	flow_key_init(&got);
	return flow_extract(p, &got) == DROP_NONE &&
	       !memcmp(&got, k, KEY_PACKET_WORDS * 8);
}

bool compose_packet(const struct flow_key *key, struct packet *p)
{
	p->in_port = key->in_port;
	p->packet_type = key->packet_type;
	if (key->packet_type == PACKET_TYPE_ETHERNET)
		add_eth(key, p);
	add_l3(key, p);
	return has_key(p, key);
}
