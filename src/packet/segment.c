/* SPDX-License-Identifier: Apache-2.0 */
#include "packet/segment.h"

#include "packet/checksum.h"
#include "packet/headers.h"
#include "packet/offload.h"

static bool is_tcp(const struct packet *p)
{
	return p->gso_type == GSO_TCP4 || p->gso_type == GSO_TCP6;
}

/* Layer 3 of the packet that is cut: behind an encapsulation, if there is one,
 * and the inner Ethernet header with its tags. */
static uint32_t innermost_l3(const struct packet *p)
{
	uint32_t at = p->inner + 12u;

	if (p->inner == PACKET_NO_LAYER)
		return p->l3;
	while (at + 4 < p->csum_start &&
	       eth_type_is_vlan(get_be16(p->data + at)))
		at += VLAN_HEADER_LEN;
	return at + 2;
}

/* Is there a whole IP header in [at, end)? */
static bool ip_fits(const struct packet *p, uint32_t at, uint32_t end)
{
	const uint8_t *ip = p->data + at;

	if (at + IP4_HEADER_LEN > end)
		return false;
	if (ip[0] >> 4 == 6)
		return at + IP6_HEADER_LEN <= end;
	return (ip[0] & 0xfu) >= 5 && at + (ip[0] & 0xfu) * 4u <= end;
}

static bool outer_fits(const struct packet *p)
{
	return p->inner == PACKET_NO_LAYER ||
	       (p->l4 != PACKET_NO_LAYER &&
		p->l4 + UDP_HEADER_LEN <= p->inner && ip_fits(p, p->l3, p->l4));
}

bool segment_plan_init(struct segment_plan *sp, const struct packet *p)
{
	uint32_t header, l4_len = is_tcp(p) ? TCP_HEADER_LEN : UDP_HEADER_LEN;

	if (!packet_is_gso(p) || !(p->flags & PACKET_CSUM_PARTIAL) ||
	    p->l3 == PACKET_NO_LAYER || p->csum_start + l4_len >= p->len)
		return false;
	header = packet_gso_header_len(p);
	if (header >= p->len || header > SEGMENT_HEADERS_MAX ||
	    header < p->csum_start + l4_len)
		return false;
	*sp = (struct segment_plan){ .p = p,
				     .header_len = header,
				     .payload_len = p->len - header,
				     .step = p->gso_size,
				     .ip = innermost_l3(p) };
	sp->n = DIV_ROUND_UP(sp->payload_len, sp->step);
	return sp->n <= SEGMENT_MAX && outer_fits(p) &&
	       ip_fits(p, sp->ip, p->csum_start);
}

/* One IP header at `ip`: its length, its id when it is IPv4, its checksum. */
static void fix_ip(uint8_t *ip, uint32_t len, unsigned i)
{
	if (ip[0] >> 4 == 6) {
		put_be16(ip + 4, (uint16_t)(len - IP6_HEADER_LEN));
		return;
	}
	put_be16(ip + 2, (uint16_t)len);
	put_be16(ip + 4, (uint16_t)(get_be16(ip + 4) + i));
	put_be16(ip + 10, 0);
	put_be16(ip + 10, checksum(ip, (ip[0] & 0xfu) * 4u));
}

static void fix_tcp(const struct segment_plan *sp, uint8_t *tcp, unsigned i)
{
	uint8_t flags = tcp[13];

	put_be32(tcp + 4, get_be32(tcp + 4) + i * sp->step);
	if (i + 1 < sp->n)
		flags &= (uint8_t) ~(TCP_FIN | TCP_PSH);
	if (i > 0)
		flags &= (uint8_t)~TCP_CWR;
	tcp[13] = flags;
}

static uint64_t pseudo_of(const uint8_t *ip, uint8_t proto, uint32_t len)
{
	struct ip6_addr src, dst;

	if (ip[0] >> 4 == 4)
		return checksum_pseudo4(get_be32(ip + 12), get_be32(ip + 16),
					proto, len);
	memcpy(src.b, ip + 8, 16);
	memcpy(dst.b, ip + 24, 16);
	return checksum_pseudo6(src, dst, proto, len);
}

/* The transport header at csum_start: lengths, flags and the whole checksum. The
 * field holds the pseudo-header's sum, its length that of the uncut packet; a
 * routing header may have named another destination than the IP header's. */
static void fix_transport(const struct segment_plan *sp, uint8_t *headers,
			  unsigned i, const uint8_t *payload, uint32_t len)
{
	const struct packet *p = sp->p;
	uint8_t *l4 = headers + p->csum_start;
	uint32_t l4_header = sp->header_len - p->csum_start;
	uint32_t uncut = p->len - p->csum_start;
	uint64_t sum = get_be16(l4 + p->csum_offset);
	uint16_t csum;

	sum += (uint16_t)~checksum_fold(uncut);
	sum += l4_header + len;
	if (is_tcp(p))
		fix_tcp(sp, l4, i);
	else
		put_be16(l4 + 4, (uint16_t)(l4_header + len));
	put_be16(l4 + p->csum_offset, 0);
	sum = checksum_add(sum, l4, l4_header);
	csum = (uint16_t)~checksum_fold(checksum_add(sum, payload, len));
	if (!csum && !is_tcp(p))
		csum = 0xffff;
	put_be16(l4 + p->csum_offset, csum);
}

/* The outer transport: UDP's length, and the checksum, when there is one, of
 * everything behind it (RFC 768, RFC 2784 2.3). */
static void fix_outer(const struct segment_plan *sp, uint8_t *headers,
		      const uint8_t *payload, uint32_t len)
{
	const struct packet *p = sp->p;
	uint8_t *l4 = headers + p->l4, *field;
	uint32_t l4_len = sp->header_len - p->l4;
	const uint8_t *ip = headers + p->l3;
	bool udp = (ip[0] >> 4 == 6 ? ip[6] : ip[9]) == IP_PROTO_UDP;
	uint64_t sum = 0;
	uint16_t csum;

	if (udp) {
		put_be16(l4 + 4, (uint16_t)(l4_len + len));
		sum = pseudo_of(ip, IP_PROTO_UDP, l4_len + len);
	}
	field = l4 + (udp ? 6 : 4);
	if (udp ? !get_be16(field) : !(get_be16(l4) & GRE_F_CSUM))
		return;
	put_be16(field, 0);
	sum = checksum_add(sum, l4, l4_len);
	csum = (uint16_t)~checksum_fold(checksum_add(sum, payload, len));
	put_be16(field, csum || !udp ? csum : 0xffff);
}

void segment_plan_at(const struct segment_plan *sp, unsigned i,
		     uint8_t *headers, const uint8_t **payload, uint32_t *len)
{
	const struct packet *p = sp->p;
	uint32_t at = i * sp->step;

	*len = MIN(sp->step, sp->payload_len - at);
	*payload = p->data + sp->header_len + at;
	memcpy(headers, p->data, sp->header_len);
	fix_ip(headers + sp->ip, sp->header_len - sp->ip + *len, i);
	fix_transport(sp, headers, i, *payload, *len);
	if (p->inner == PACKET_NO_LAYER)
		return;
	fix_ip(headers + p->l3, sp->header_len - p->l3 + *len, i);
	fix_outer(sp, headers, *payload, *len);
}

static void segment_metadata(struct packet *s, const struct packet *p)
{
	s->in_port = p->in_port;
	s->packet_type = p->packet_type;
	s->l3 = p->l3;
	s->l4 = p->l4;
	s->inner = p->inner;
	s->max_len = p->max_len;
	s->flags |= PACKET_CSUM_VALID | (p->flags & PACKET_TUNNEL);
	if (p->flags & PACKET_TUNNEL)
		s->tun = p->tun;
}

bool packet_segment(const struct packet *p, struct packet_pool *pool,
		    segment_fn *fn, void *ctx)
{
	struct segment_plan sp;

	if (!segment_plan_init(&sp, p))
		return false;
	for (unsigned i = 0; i < sp.n; i++) {
		struct packet *s = packet_alloc(pool);
		const uint8_t *payload;
		uint32_t len;

		if (!s)
			return false;
		segment_plan_at(&sp, i, s->data, &payload, &len);
		memcpy(s->data + sp.header_len, payload, len);
		s->len = sp.header_len + len;
		segment_metadata(s, p);
		fn(ctx, s);
	}
	return true;
}
