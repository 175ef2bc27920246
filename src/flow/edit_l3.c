/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/edit_l3.h"

#include "packet/checksum.h"
#include "packet/cursor.h"
#include "packet/headers.h"

#define NO_CSUM UINT32_MAX
#define IP4_CSUM_AT 10u
#define EDIT_MAX 16u /* bytes that one write changes at most */

static bool find_ip4(struct cursor c, struct edit_ip *ip)
{
	const struct ip4_header *h = cursor_peek(&c, IP4_HEADER_LEN);
	uint32_t header, total;
	uint16_t frag;

	if (!h || h->version_ihl >> 4 != 4)
		return false;
	header = ip4_header_len(h);
	total = from_be16(h->total_len);
	if (header < IP4_HEADER_LEN || total < header ||
	    total > cursor_left(&c))
		return false;
	frag = from_be16(h->frag);
	ip->proto = h->proto;
	ip->end = ip->l3 + total;
	ip->l4 = ip->l3 + header;
	ip->has_l4 = !(frag & IP4_OFFSET_MASK);
	ip->is_fragment = frag & (IP4_OFFSET_MASK | IP4_MF);
	return true;
}

static uint32_t extension_len(uint8_t proto, const uint8_t *h)
{
	switch (proto) {
	case IP_PROTO_HOPOPTS:
	case IP_PROTO_ROUTING:
	case IP_PROTO_DSTOPTS:
	case IP_PROTO_MOBILITY:
		return (h[1] + 1u) * 8u;
	case IP_PROTO_AH:
		return (h[1] + 2u) * 4u;
	case IP_PROTO_FRAGMENT:
		return 8;
	}
	return 0;
}

/* Notes what an extension header says. False when nothing follows it. */
static bool note_extension(struct edit_ip *ip, const uint8_t *h)
{
	uint16_t frag;

	if (ip->proto == IP_PROTO_ROUTING && h[3])
		ip->routed_away = true; /* segments left, RFC 8200 8.1 */
	if (ip->proto != IP_PROTO_FRAGMENT)
		return true;
	frag = get_be16(h + 2);
	if (frag & (IP6_FRAG_OFFSET_MASK | IP6_FRAG_MORE))
		ip->is_fragment = true;
	return !(frag & IP6_FRAG_OFFSET_MASK);
}

/* Walks to the transport header; without it when that is not there. */
static void find_ip6_l4(struct cursor c, struct edit_ip *ip)
{
	static const uint8_t none[8];

	for (unsigned i = 0; i < IP6_MAX_EXTENSIONS; i++) {
		const uint8_t *h = cursor_peek(&c, 8);
		uint32_t len = extension_len(ip->proto, h ? h : none);
		bool last;

		if (!len) {
			ip->has_l4 = true;
			return;
		}
		if (!h || !cursor_skip(&c, len))
			return;
		last = !note_extension(ip, h);
		ip->proto = h[0];
		ip->l4 += len;
		if (last)
			return;
	}
}

static bool find_ip6(struct cursor c, struct edit_ip *ip)
{
	const struct ip6_header *h = cursor_take(&c, IP6_HEADER_LEN);
	uint32_t len;

	if (!h || from_be32(h->flow) >> 28 != 6)
		return false;
	len = from_be16(h->payload_len);
	if (len > cursor_left(&c))
		return false;
	ip->is_ip6 = true;
	ip->proto = h->next;
	ip->l4 = ip->l3 + IP6_HEADER_LEN;
	ip->end = ip->l4 + len;
	find_ip6_l4(cursor_init(c.at, len), ip);
	return true;
}

bool edit_ip_find(const struct packet *p, struct edit_ip *ip)
{
	struct edit_at at;

	if (!edit_find(p, &at))
		return false;
	*ip = (struct edit_ip){ .l3 = at.l3 };
	if (at.type == ETH_TYPE_IP4)
		return find_ip4(cursor_init(p->data + at.l3, p->len - at.l3),
				ip);
	if (at.type == ETH_TYPE_IP6)
		return find_ip6(cursor_init(p->data + at.l3, p->len - at.l3),
				ip);
	return false;
}

/* Where the Internet checksum of the transport is, from its header on. */
static uint32_t csum_place(const struct edit_ip *ip)
{
	switch (ip->proto) {
	case IP_PROTO_TCP:
		return 16;
	case IP_PROTO_UDP:
	case IP_PROTO_UDPLITE:
		return 6;
	case IP_PROTO_ICMP:
		return ip->is_ip6 ? NO_CSUM : 2;
	case IP_PROTO_ICMP6:
		return ip->is_ip6 ? 2 : NO_CSUM;
	}
	return NO_CSUM;
}

static bool has_pseudo(const struct edit_ip *ip)
{
	return ip->proto != IP_PROTO_ICMP;
}

/* Is this transport's own checksum the unfinished one? */
static bool is_partial(const struct packet *p, const struct edit_ip *ip)
{
	return p->flags & PACKET_CSUM_PARTIAL && p->csum_start == ip->l4;
}

/* The checksum's bytes; NULL when there is none to keep: none in the protocol,
 * cut off, or UDP without one (RFC 768; RFC 6935 for IPv6). */
static uint8_t *csum_find(struct packet *p, const struct edit_ip *ip)
{
	uint32_t at = ip->has_l4 ? csum_place(ip) : NO_CSUM;
	uint8_t *csum;

	if (at == NO_CSUM || ip->l4 + at + 2 > ip->end)
		return NULL;
	csum = p->data + ip->l4 + at;
	if (ip->proto == IP_PROTO_UDP && !is_partial(p, ip) && !get_be16(csum))
		return NULL;
	return csum;
}

/* A first fragment so short that the checksum is in the next: what it covers
 * cannot be changed (and RFC 1858 3 says what such fragments are for). */
static bool csum_elsewhere(const struct edit_ip *ip)
{
	uint32_t at = csum_place(ip);

	return ip->is_fragment && ip->has_l4 && at != NO_CSUM &&
	       ip->l4 + at + 2 > ip->end;
}

/* Zero and 0xffff are the same sum. UDP's zero says "none"; of ICMP a message
 * that is all zero has to have 0xffff (RFC 1624 3). */
static void csum_store(const struct edit_ip *ip, uint8_t *csum, uint16_t v)
{
	bool not_zero = ip->proto == IP_PROTO_UDP ||
			ip->proto == IP_PROTO_UDPLITE ||
			ip->proto == IP_PROTO_ICMP;

	put_be16(csum, !v && not_zero ? 0xffff : v);
}

bool edit_pseudo_changed(struct packet *p, const struct edit_ip *ip,
			 const void *old, const void *now, uint32_t n)
{
	uint8_t *csum = csum_find(p, ip);
	uint16_t v;

	if (!has_pseudo(ip))
		return true;
	if (!csum)
		return !csum_elsewhere(ip);
	v = get_be16(csum);
	if (is_partial(p, ip)) {
		v = (uint16_t)~checksum_update((uint16_t)~v, old, now, n);
		put_be16(csum, v);
	} else {
		csum_store(ip, csum, checksum_update(v, old, now, n));
	}
	return true;
}

/* CRC32c is linear: what the change does to the sum over the whole packet is
 * what it does to the stored one, be that right or wrong. */
static bool sctp_write(struct packet *p, const struct edit_ip *ip, uint32_t at,
		       const void *now, uint32_t n)
{
	uint8_t *sctp = p->data + ip->l4;
	uint32_t len = ip->end - ip->l4, sum, before, after;

	if (is_partial(p, ip)) {
		memcpy(sctp + at, now, n);
		return true;
	}
	if (ip->is_fragment || len < SCTP_HEADER_LEN)
		return false;
	before = crc32c_sctp(sctp, len);
	memcpy(sctp + at, now, n);
	after = crc32c_sctp(sctp, len);
	memcpy(&sum, sctp + 8, sizeof(sum));
	sum ^= before ^ after;
	memcpy(sctp + 8, &sum, sizeof(sum));
	return true;
}

bool edit_l4_write(struct packet *p, const struct edit_ip *ip, uint32_t at,
		   const void *now, uint32_t n)
{
	uint8_t old[EDIT_MAX], *bytes = p->data + ip->l4 + at, *csum;

	must(n <= sizeof(old) && !(at & 1) && !(n & 1));
	if (!ip->has_l4 || ip->l4 + at + n > ip->end || csum_elsewhere(ip))
		return false;
	if (ip->proto == IP_PROTO_SCTP)
		return sctp_write(p, ip, at, now, n);
	csum = csum_find(p, ip);
	memcpy(old, bytes, n);
	memcpy(bytes, now, n);
	if (csum && !is_partial(p, ip))
		csum_store(ip, csum,
			   checksum_update(get_be16(csum), old, now, n));
	return true;
}

void edit_ip4_write(struct packet *p, const struct edit_ip *ip, uint32_t at,
		    const void *now, uint32_t n)
{
	uint8_t *h = p->data + ip->l3;
	uint16_t csum = get_be16(h + IP4_CSUM_AT);

	put_be16(h + IP4_CSUM_AT, checksum_update(csum, h + at, now, n));
	memcpy(h + at, now, n);
}
