/* SPDX-License-Identifier: Apache-2.0 */
#include "l3/icmp.h"

#include "base/hash.h"
#include "l3/wire.h"
#include "packet/ip_view.h"

#define TOS_PRECEDENCE_6 0xc0u /* RFC 1812 4.3.2.5 */
#define ICMP6_REDIRECT 137u
#define ICMP6_FIRST_INFO 128u

/* --- when not to --------------------------------------------------------- */

const char *icmp_silence_reason(enum icmp_silence s)
{
	static const char *const reasons[] = {
		[ICMP_ALLOWED] = "an error may be sent",
		[ICMP_ABOUT_ERROR] = "no error about an ICMP error",
		[ICMP_TO_GROUP] = "no error about a packet to a group",
		[ICMP_FROM_GROUP] = "its source does not name one host",
		[ICMP_LATER_FRAGMENT] = "no error about a later fragment",
		[ICMP_LINK_GROUP] = "no error about a link-layer broadcast",
		[ICMP_UNREADABLE] = "its header cannot be read",
		[ICMP_DF_CLEAR] = "it may be fragmented",
	};

	return reasons[s];
}

static bool is_error4(uint8_t type)
{
	/* Unreachable, quench, redirect, time exceeded, parameter problem
	 * (RFC 1122 3.2.2). */
	return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

/* Its ICMP type says "error", or cannot be read. */
static bool is_about_error(const struct ip_view *v)
{
	struct cursor c = cursor_init(v->payload, v->payload_len);
	uint8_t type = cursor_u8(&c);

	if (ip_addr_is_ip4(&v->src))
		return v->proto == IP_PROTO_ICMP &&
		       (c.failed || is_error4(type));
	return v->proto == IP_PROTO_ICMP6 &&
	       (c.failed || type < ICMP6_FIRST_INFO || type == ICMP6_REDIRECT);
}

static bool names_one_host(const struct ip_addr *a)
{
	uint32_t ip4;

	if (!ip_addr_is_ip4(a))
		return !ip6_addr_is_zero(a->a) && !ip6_addr_is_multicast(a->a);
	ip4 = ip_addr_ip4(a);
	return ip4 >> 24 && ip4 >> 24 != 127 && ip4 >> 28 < 0xe;
}

static bool is_group(const struct ip_addr *a)
{
	if (!ip_addr_is_ip4(a))
		return ip6_addr_is_multicast(a->a);
	return ip_addr_ip4(a) >> 28 == 0xe || ip_addr_ip4(a) == UINT32_MAX;
}

static enum icmp_silence may_answer(enum icmp_kind kind,
				    const struct ip_view *v, bool link_group)
{
	bool is_ip4 = ip_addr_is_ip4(&v->src);
	bool to_groups_too = kind == ICMP_TOO_BIG && !is_ip4;

	if (v->is_later_fragment)
		return ICMP_LATER_FRAGMENT;
	if (is_about_error(v))
		return ICMP_ABOUT_ERROR;
	if (!names_one_host(&v->src))
		return ICMP_FROM_GROUP;
	if (is_group(&v->dst) && !to_groups_too)
		return ICMP_TO_GROUP;
	if (link_group && !to_groups_too)
		return ICMP_LINK_GROUP;
	if (kind == ICMP_TOO_BIG && !v->dont_fragment)
		return ICMP_DF_CLEAR;
	return ICMP_ALLOWED;
}

enum icmp_silence icmp_may_answer(enum icmp_kind kind, const void *ip,
				  uint32_t len, bool link_group)
{
	struct ip_view v;

	if (ip_view_read(ip, len, &v) != DROP_NONE)
		return ICMP_UNREADABLE;
	return may_answer(kind, &v, link_group);
}

/* --- how often ----------------------------------------------------------- */

void icmp_limiter_init(struct icmp_limiter *l, uint64_t seed, uint64_t now_ms)
{
	bucket_init(&l->router, ICMP_ROUTER_RATE, ICMP_ROUTER_BURST, now_ms);
	for (unsigned i = 0; i < ICMP_DEST_BUCKETS; i++)
		bucket_init(&l->dest[i], ICMP_DEST_RATE, ICMP_DEST_BURST,
			    now_ms);
	l->seed = seed;
}

bool icmp_limiter_take(struct icmp_limiter *l, const struct ip_addr *dst,
		       uint64_t now_ms)
{
	uint64_t h = hash_bytes(dst->a.b, sizeof(dst->a.b), l->seed);

	/* The destination first: one that is over its own rate must not use up
	 * the router's. */
	return bucket_take(&l->dest[h % ICMP_DEST_BUCKETS], 1, now_ms) &&
	       bucket_take(&l->router, 1, now_ms);
}

/* --- errors -------------------------------------------------------------- */

struct type_code {
	uint8_t type, code;
};

static const struct type_code error4[] = {
	[ICMP_TTL] = { 11, 0 },        [ICMP_TOO_BIG] = { 3, 4 },
	[ICMP_NO_ROUTE] = { 3, 0 },    [ICMP_HOST] = { 3, 1 },
	[ICMP_PROHIBITED] = { 3, 13 }, [ICMP_PORT] = { 3, 3 },
	[ICMP_PROTOCOL] = { 3, 2 },
};

static const struct type_code error6[] = {
	[ICMP_TTL] = { 3, 0 },        [ICMP_TOO_BIG] = { 2, 0 },
	[ICMP_NO_ROUTE] = { 1, 0 },   [ICMP_HOST] = { 1, 3 },
	[ICMP_PROHIBITED] = { 1, 1 }, [ICMP_PORT] = { 1, 4 },
	[ICMP_PROTOCOL] = { 4, 1 },
};

static uint32_t error_ip4(const struct icmp_error *e, const struct ip_view *v,
			  const void *ip, uint32_t len, uint8_t *out)
{
	uint32_t room = ICMP4_ERROR_MAX - IP4_HEADER_LEN - ICMP_HEADER_LEN;
	uint32_t quote = MIN(MIN(len, v->total_len), room);
	uint32_t icmp_len = ICMP_HEADER_LEN + quote;
	uint8_t *p = wire_ip4(out, ip_addr_ip4(&e->from), ip_addr_ip4(&v->src),
			      TOS_PRECEDENCE_6, IP4_HEADER_LEN + icmp_len);

	memset(p, 0, ICMP_HEADER_LEN);
	p[0] = error4[e->kind].type;
	p[1] = error4[e->kind].code;
	if (e->kind == ICMP_TOO_BIG) /* RFC 1191 4 */
		put_be16(p + 6, (uint16_t)MIN(e->mtu, 65535u));
	memcpy(p + ICMP_HEADER_LEN, ip, quote);
	put_be16(p + 2, checksum(p, icmp_len));
	return IP4_HEADER_LEN + icmp_len;
}

/* Where in the packet the number of the last header stands (RFC 4443 3.4). */
static uint32_t next_header_offset(const uint8_t *ip, uint32_t len,
				   uint8_t proto)
{
	struct cursor c = cursor_init(ip, len);
	uint32_t offset = offsetof(struct ip6_header, next);
	uint8_t next = ip[offset];

	cursor_skip(&c, IP6_HEADER_LEN);
	while (next != proto && !c.failed) {
		uint8_t words;

		offset = len - (uint32_t)cursor_left(&c);
		next = cursor_u8(&c);
		words = cursor_u8(&c);
		cursor_skip(&c, 6u + words * 8u);
	}
	return offset;
}

static uint32_t error_ip6(const struct icmp_error *e, const struct ip_view *v,
			  const void *ip, uint32_t len, uint8_t *out)
{
	uint32_t room = ICMP6_ERROR_MAX - IP6_HEADER_LEN - ICMP_HEADER_LEN;
	uint32_t quote = MIN(MIN(len, v->total_len), room);
	uint32_t icmp_len = ICMP_HEADER_LEN + quote;
	uint8_t *p =
		wire_ip6(out, e->from.a, v->src.a, ICMP_HOP_LIMIT, icmp_len);

	memset(p, 0, ICMP_HEADER_LEN);
	p[0] = error6[e->kind].type;
	p[1] = error6[e->kind].code;
	if (e->kind == ICMP_TOO_BIG)
		put_be32(p + 4, e->mtu);
	if (e->kind == ICMP_PROTOCOL)
		put_be32(p + 4, next_header_offset(ip, len, v->proto));
	memcpy(p + ICMP_HEADER_LEN, ip, quote);
	wire_icmp6_csum(p, icmp_len, e->from.a, v->src.a);
	return IP6_HEADER_LEN + icmp_len;
}

uint32_t icmp_error(const struct icmp_error *e, const void *ip, uint32_t len,
		    uint8_t out[ICMP_ERROR_MAX])
{
	struct ip_view v;

	if (ip_view_read(ip, len, &v) != DROP_NONE ||
	    may_answer(e->kind, &v, false) != ICMP_ALLOWED ||
	    e->from.family != v.src.family)
		return 0;
	return ip_addr_is_ip4(&v.src) ? error_ip4(e, &v, ip, len, out) :
					error_ip6(e, &v, ip, len, out);
}

/* --- echo ---------------------------------------------------------------- */

static uint32_t echo_ip4(const struct ip_view *v, bool check_csum, uint8_t *out)
{
	uint32_t total = IP4_HEADER_LEN + v->payload_len;
	uint8_t *p;

	if (v->payload[0] != ICMP_ECHO_REQUEST ||
	    (check_csum && checksum(v->payload, v->payload_len)))
		return 0;
	p = wire_ip4(out, ip_addr_ip4(&v->dst), ip_addr_ip4(&v->src), 0, total);
	memcpy(p, v->payload, v->payload_len);
	p[0] = ICMP_ECHO_REPLY;
	put_be16(p + 2, 0);
	put_be16(p + 2, checksum(p, v->payload_len));
	return total;
}

static uint32_t echo_ip6(const struct ip_view *v, bool check_csum, uint8_t *out)
{
	uint8_t *p;

	if (v->payload[0] != ICMP6_ECHO_REQUEST ||
	    (check_csum && !wire_icmp6_is_right(v->payload, v->payload_len,
						v->src.a, v->dst.a)))
		return 0;
	p = wire_ip6(out, v->dst.a, v->src.a, ICMP_HOP_LIMIT, v->payload_len);
	memcpy(p, v->payload, v->payload_len);
	p[0] = ICMP6_ECHO_REPLY;
	wire_icmp6_csum(p, v->payload_len, v->dst.a, v->src.a);
	return IP6_HEADER_LEN + v->payload_len;
}

uint32_t icmp_echo_reply(const void *ip, uint32_t len, bool check_csum,
			 void *out)
{
	struct ip_view v;

	if (ip_view_read(ip, len, &v) != DROP_NONE || v.cut || v.is_fragment ||
	    v.payload_len < ICMP_HEADER_LEN || is_group(&v.dst) ||
	    !names_one_host(&v.src))
		return 0;
	if (ip_addr_is_ip4(&v.src) && v.proto == IP_PROTO_ICMP)
		return echo_ip4(&v, check_csum, out);
	if (!ip_addr_is_ip4(&v.src) && v.proto == IP_PROTO_ICMP6)
		return echo_ip6(&v, check_csum, out);
	return 0;
}

bool icmp_source(const void *ip, uint32_t len, struct ip_addr *src)
{
	struct ip_view v;

	if (ip_view_read(ip, len, &v) != DROP_NONE)
		return false;
	*src = v.src;
	return true;
}
