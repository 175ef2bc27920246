/* SPDX-License-Identifier: Apache-2.0 */
/* A view of an IP packet: what its headers say, and where its payload is.
 *
 * What      IPv4 with options or IPv6 with extension headers, read once through
 *           a cursor into plain values.
 * Why so    protocol machines (ND, ICMP, IGMP, MLD) are handed an IP packet and
 *           want its addresses and payload, not its offsets.
 * Invariant W1 payload .. payload + payload_len lies inside what was given.
 * Threads   values; the view points into the packet.
 * Refs      RFC 791 3.1, RFC 8200 4. */
#ifndef PACKET_IP_VIEW_H
#define PACKET_IP_VIEW_H

#include "packet/cursor.h"
#include "packet/drop.h"
#include "packet/headers.h"

struct ip_view {
	struct ip_addr src, dst; /* their family is the packet's */
	uint8_t proto;           /* of the payload, extension headers skipped */
	uint8_t ttl;
	bool is_fragment, is_later_fragment;
	bool dont_fragment; /* IPv4; always for IPv6 */
	bool cut;           /* the headers say there is more */
	uint32_t total_len; /* as the header says */
	const uint8_t *payload;
	uint32_t payload_len;
};

static inline enum drop ip_view_read4(struct cursor c, struct ip_view *v)
{
	uint32_t len = (uint32_t)cursor_left(&c);
	const struct ip4_header *ip = cursor_take(&c, sizeof(*ip));
	uint32_t header_len;

	if (!ip)
		return DROP_TRUNCATED;
	header_len = ip4_header_len(ip);
	v->total_len = from_be16(ip->total_len);
	if (ip->version_ihl >> 4 != 4 || header_len < sizeof(*ip) ||
	    v->total_len < header_len)
		return DROP_MALFORMED;
	if (!cursor_skip(&c, header_len - sizeof(*ip)))
		return DROP_TRUNCATED;
	v->src = ip_addr_from_ip4(from_be32(ip->src));
	v->dst = ip_addr_from_ip4(from_be32(ip->dst));
	v->proto = ip->proto;
	v->ttl = ip->ttl;
	v->is_later_fragment = from_be16(ip->frag) & IP4_OFFSET_MASK;
	v->is_fragment = from_be16(ip->frag) & (IP4_OFFSET_MASK | IP4_MF);
	v->dont_fragment = from_be16(ip->frag) & IP4_DF;
	v->cut = v->total_len > len;
	v->payload = c.at;
	v->payload_len = MIN(v->total_len, len) - header_len;
	return DROP_NONE;
}

/* One extension header; false when `next` is none, or was the last to read. */
static inline bool ip_view_skip6(struct cursor *c, struct ip_view *v)
{
	const struct ip6_frag_header *f;
	uint8_t next;

	switch (v->proto) {
	case IP_PROTO_FRAGMENT:
		f = cursor_take(c, sizeof(*f));
		if (!f)
			return false;
		v->proto = f->next;
		v->is_later_fragment =
			from_be16(f->offset) & IP6_FRAG_OFFSET_MASK;
		v->is_fragment = v->is_later_fragment ||
				 from_be16(f->offset) & IP6_FRAG_MORE;
		return !v->is_later_fragment;
	case IP_PROTO_HOPOPTS:
	case IP_PROTO_ROUTING:
	case IP_PROTO_DSTOPTS:
		next = cursor_u8(c);
		cursor_skip(c, 6u + cursor_u8(c) * 8u);
		break;
	case IP_PROTO_AH:
		next = cursor_u8(c);
		cursor_skip(c, cursor_u8(c) * 4u + 6u);
		break;
	default:
		return false;
	}
	v->proto = next;
	return !c->failed;
}

static inline enum drop ip_view_read6(struct cursor c, struct ip_view *v)
{
	uint32_t len = (uint32_t)cursor_left(&c);
	const struct ip6_header *ip = cursor_take(&c, sizeof(*ip));
	unsigned n = 0;

	if (!ip)
		return DROP_TRUNCATED;
	if (from_be32(ip->flow) >> 28 != 6)
		return DROP_MALFORMED;
	v->total_len = from_be16(ip->payload_len) + IP6_HEADER_LEN;
	v->src = ip_addr_from_ip6(ip->src);
	v->dst = ip_addr_from_ip6(ip->dst);
	v->proto = ip->next;
	v->ttl = ip->hop_limit;
	v->dont_fragment = true;
	v->cut = v->total_len > len;
	c = cursor_init(c.at, MIN(v->total_len, len) - IP6_HEADER_LEN);
	while (ip_view_skip6(&c, v))
		if (++n > IP6_MAX_EXTENSIONS)
			return DROP_MALFORMED;
	if (c.failed)
		return DROP_TRUNCATED;
	v->payload = c.at;
	v->payload_len = (uint32_t)cursor_left(&c);
	return DROP_NONE;
}

/* `ip`: from the IP header on. DROP_NONE, DROP_TRUNCATED or DROP_MALFORMED. */
static inline enum drop ip_view_read(const void *ip, uint32_t len,
				     struct ip_view *v)
{
	struct cursor c = cursor_init(ip, len);
	const uint8_t *first = cursor_peek(&c, 1);

	*v = (struct ip_view){ 0 };
	if (!first)
		return DROP_TRUNCATED;
	switch (*first >> 4) {
	case 4:
		return ip_view_read4(c, v);
	case 6:
		return ip_view_read6(c, v);
	}
	return DROP_MALFORMED;
}

#endif
