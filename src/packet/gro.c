/* SPDX-License-Identifier: Apache-2.0 */
#include "packet/gro.h"

#include "packet/checksum.h"
#include "packet/headers.h"

#define IP_LEN_MAX 65535u

struct segment {
	const uint8_t *data;
	uint32_t len, l3, l4, header_len;
	bool ip6;
};

/* Ethernet (one tag at most), IP without options or extensions, TCP with some
 * payload, no padding, no fragment: else it is not looked at further. */
static bool segment_parse(const uint8_t *d, uint32_t len, struct segment *s)
{
	uint32_t l3 = ETH_HEADER_LEN, ip_len;
	uint16_t type;

	*s = (struct segment){ .data = d, .len = len };
	if (len <
	    ETH_HEADER_LEN + VLAN_HEADER_LEN + IP4_HEADER_LEN + TCP_HEADER_LEN)
		return false;
	type = get_be16(d + 12);
	if (eth_type_is_vlan(type)) {
		type = get_be16(d + 16);
		l3 += VLAN_HEADER_LEN;
	}
	s->l3 = l3;
	if (type == ETH_TYPE_IP4) {
		if (d[l3] != 0x45 || d[l3 + 9] != IP_PROTO_TCP ||
		    get_be16(d + l3 + 6) & (IP4_MF | IP4_OFFSET_MASK))
			return false;
		s->l4 = l3 + IP4_HEADER_LEN;
		ip_len = get_be16(d + l3 + 2);
		/* It will be made anew: a wrong one must not become right. */
		if (checksum(d + l3, IP4_HEADER_LEN))
			return false;
	} else if (type == ETH_TYPE_IP6) {
		if (len < l3 + IP6_HEADER_LEN + TCP_HEADER_LEN ||
		    d[l3] >> 4 != 6 || d[l3 + 6] != IP_PROTO_TCP)
			return false;
		s->ip6 = true;
		s->l4 = l3 + IP6_HEADER_LEN;
		ip_len = get_be16(d + l3 + 4) + IP6_HEADER_LEN;
	} else {
		return false;
	}
	s->header_len = s->l4 + (uint32_t)(d[s->l4 + 12] >> 4) * 4u;
	return s->header_len >= s->l4 + TCP_HEADER_LEN && s->header_len < len &&
	       l3 + ip_len == len;
}

/* ACK, perhaps PSH; nothing else may be merged. */
static bool flags_fit(const struct segment *s)
{
	uint8_t flags = s->data[s->l4 + 13];

	return (flags & (uint8_t)~TCP_PSH) == TCP_ACK;
}

static uint64_t segment_pseudo(const struct segment *s, uint32_t tcp_len)
{
	const uint8_t *ip = s->data + s->l3;
	struct ip6_addr src, dst;

	if (!s->ip6)
		return checksum_pseudo4(get_be32(ip + 12), get_be32(ip + 16),
					IP_PROTO_TCP, tcp_len);
	memcpy(src.b, ip + 8, 16);
	memcpy(dst.b, ip + 24, 16);
	return checksum_pseudo6(src, dst, IP_PROTO_TCP, tcp_len);
}

static bool csum_right(const struct segment *s)
{
	uint32_t len = s->len - s->l4;
	uint64_t sum = segment_pseudo(s, len);

	return checksum_fold(checksum_add(sum, s->data + s->l4, len)) == 0xffff;
}

static uint16_t ip_id(const struct segment *s)
{
	return s->ip6 ? 0 : get_be16(s->data + s->l3 + 4);
}

bool gro_start(struct gro *g, struct packet *p, bool verified)
{
	struct segment s;

	*g = (struct gro){ .head = p, .n = 1 };
	if (p->flags & PACKET_CSUM_PARTIAL || packet_is_gso(p) ||
	    p->packet_type != PACKET_TYPE_ETHERNET ||
	    !segment_parse(p->data, p->len, &s) || !flags_fit(&s) ||
	    s.data[s.l4 + 13] & TCP_PSH || (!verified && !csum_right(&s)))
		return false;
	g->l3 = s.l3;
	g->l4 = s.l4;
	g->header_len = s.header_len;
	g->payload = s.len - s.header_len;
	g->next_seq = get_be32(s.data + s.l4 + 4) + g->payload;
	g->next_id = (uint16_t)(ip_id(&s) + 1);
	g->ip6 = s.ip6;
	return true;
}

/* Everything in front of the payload, but for what segmentation counts up. */
static bool same_headers(const struct gro *g, const struct segment *s)
{
	const uint8_t *a = g->head->data, *b = s->data;
	uint32_t l3 = g->l3, l4 = g->l4;

	if (s->l3 != l3 || s->l4 != l4 || s->ip6 != g->ip6 ||
	    s->header_len != g->header_len || memcmp(a, b, l3))
		return false;
	if (g->ip6) {
		if (memcmp(a + l3, b + l3, 4) ||
		    memcmp(a + l3 + 6, b + l3 + 6, 34))
			return false;
	} else if (memcmp(a + l3, b + l3, 2) ||
		   memcmp(a + l3 + 6, b + l3 + 6, 4) ||
		   memcmp(a + l3 + 12, b + l3 + 12, 8)) {
		return false;
	}
	/* Ports; acknowledgement and offset; window; urgent, options. */
	return !memcmp(a + l4, b + l4, 4) &&
	       !memcmp(a + l4 + 8, b + l4 + 8, 5) &&
	       !memcmp(a + l4 + 14, b + l4 + 14, 2) &&
	       !memcmp(a + l4 + 18, b + l4 + 18, g->header_len - l4 - 18);
}

bool gro_add(struct gro *g, const uint8_t *frame, uint32_t len, bool verified)
{
	struct packet *h = g->head;
	struct segment s;
	uint8_t push;
	uint32_t n;

	if (g->ended || !segment_parse(frame, len, &s) || !flags_fit(&s) ||
	    !same_headers(g, &s) || get_be32(frame + s.l4 + 4) != g->next_seq)
		return false;
	if (!g->ip6 && !(get_be16(frame + s.l3 + 6) & IP4_DF) &&
	    ip_id(&s) != g->next_id)
		return false;
	n = len - s.header_len;
	if (n > g->payload || h->len - g->l3 + n > IP_LEN_MAX ||
	    packet_tailroom(h) < n || (!verified && !csum_right(&s)))
		return false;
	push = frame[s.l4 + 13] & TCP_PSH;
	memmove(h->data + h->len, frame + s.header_len, n);
	h->len += n;
	g->n++;
	g->next_seq += n;
	g->next_id = (uint16_t)(g->next_id + 1);
	h->data[g->l4 + 13] |= push;
	g->ended = n < g->payload || push;
	return true;
}

void gro_finish(struct gro *g)
{
	struct packet *p = g->head;
	uint8_t *ip = p->data + g->l3;
	struct segment s = { .data = p->data,
			     .len = p->len,
			     .l3 = g->l3,
			     .l4 = g->l4,
			     .ip6 = g->ip6 };

	if (g->n < 2)
		return;
	if (g->ip6) {
		put_be16(ip + 4, (uint16_t)(p->len - g->l3 - IP6_HEADER_LEN));
	} else {
		put_be16(ip + 2, (uint16_t)(p->len - g->l3));
		put_be16(ip + 10, 0);
		put_be16(ip + 10, checksum(ip, IP4_HEADER_LEN));
	}
	p->flags =
		(p->flags & ~(uint32_t)PACKET_CSUM_VALID) | PACKET_CSUM_PARTIAL;
	p->csum_start = (uint16_t)g->l4;
	p->csum_offset = 16;
	p->gso_type = g->ip6 ? GSO_TCP6 : GSO_TCP4;
	p->gso_size = (uint16_t)g->payload;
	p->l3 = (uint16_t)g->l3;
	p->l4 = (uint16_t)g->l4;
	/* What a partial checksum starts from: the pseudo-header's sum. */
	put_be16(p->data + g->l4 + 16,
		 checksum_fold(segment_pseudo(&s, p->len - g->l4)));
}
