/* SPDX-License-Identifier: Apache-2.0 */
/* ICMP and ICMPv6 of a router: errors, when to keep silent, echo replies.
 *
 * What      icmp_may_answer (is an error about this packet allowed?),
 *           icmp_limiter (is it allowed now?), icmp_error, icmp_echo_reply. What
 *           they write is an IP packet without Ethernet header, to be routed by
 *           the router's own table.
 * Why so    errors are what keeps path MTU discovery alive, and what an attacker
 *           makes a router flood others with: so all rules are in one place.
 * Bounds    the v4 error quotes as much as fits 576 bytes (RFC 1812 4.3.2.3), the
 *           v6 one as fits 1280 (RFC 4443 2.4(c)).
 * Threads   limiter: the control thread. The rest: values.
 * Refs      RFC 792, 1122 3.2.2, 1191, 1812 4.3, 4443 2.4 and 3, 8201. */
#ifndef L3_ICMP_H
#define L3_ICMP_H

#include "base/addr.h"
#include "base/bucket.h"

#define ICMP4_ERROR_MAX 576u
#define ICMP6_ERROR_MAX 1280u
#define ICMP_ERROR_MAX ICMP6_ERROR_MAX
#define ICMP_HOP_LIMIT 64u
/* Errors a second, of a router and to one destination. */
#define ICMP_ROUTER_RATE 1000u
#define ICMP_ROUTER_BURST 1000u
#define ICMP_DEST_RATE 10u
#define ICMP_DEST_BURST 20u
#define ICMP_DEST_BUCKETS 1024u

enum icmp_kind {
	ICMP_TTL,        /* time exceeded in transit */
	ICMP_TOO_BIG,    /* fragmentation needed; packet too big */
	ICMP_NO_ROUTE,   /* network unreachable; no route */
	ICMP_HOST,       /* host unreachable; address unreachable */
	ICMP_PROHIBITED, /* communication administratively prohibited */
	ICMP_PORT,       /* port unreachable: for the router's own addresses */
	ICMP_PROTOCOL, /* protocol unreachable (v4); unrecognised next header */
};

/* Why no error is sent. */
enum icmp_silence {
	ICMP_ALLOWED,
	ICMP_ABOUT_ERROR,    /* it is itself an ICMP error (or a redirect) */
	ICMP_TO_GROUP,       /* its destination is multicast or broadcast */
	ICMP_FROM_GROUP,     /* its source does not name one host */
	ICMP_LATER_FRAGMENT, /* not the first fragment */
	ICMP_LINK_GROUP,     /* it came in a link-layer broadcast */
	ICMP_UNREADABLE,     /* its header cannot be read */
	ICMP_DF_CLEAR,       /* too big, but it may be fragmented */
};
const char *icmp_silence_reason(enum icmp_silence s);

/* `ip` from the IP header on. link_group: its Ethernet destination was a group
 * address. RFC 4443 2.4(e.3) allows packet too big to groups: honoured. */
enum icmp_silence icmp_may_answer(enum icmp_kind kind, const void *ip,
				  uint32_t len, bool link_group);

struct icmp_limiter {
	struct bucket router;
	struct bucket dest[ICMP_DEST_BUCKETS];
	uint64_t seed;
};

void icmp_limiter_init(struct icmp_limiter *l, uint64_t seed, uint64_t now_ms);
/* May one more go to `dst`? Destinations share buckets by hash. */
bool icmp_limiter_take(struct icmp_limiter *l, const struct ip_addr *dst,
		       uint64_t now_ms);

/* Writes the error about `ip` to its source. `from`: the router's address on the
 * interface it came in by, same family. mtu: for TOO_BIG. Returns the length, 0
 * when icmp_may_answer forbids it or `ip` cannot be read. link_group is false. */
struct icmp_error {
	enum icmp_kind kind;
	struct ip_addr from;
	uint32_t mtu;
};
uint32_t icmp_error(const struct icmp_error *e, const void *ip, uint32_t len,
		    uint8_t out[ICMP_ERROR_MAX]);

/* The answer to an echo request to one of the router's addresses, into `out` of
 * at least `len` bytes. 0: it is no echo request, is a fragment, or its checksum
 * is wrong (check_csum false: known right, or an unfinished offload). */
uint32_t icmp_echo_reply(const void *ip, uint32_t len, bool check_csum,
			 void *out);

/* Where the router's answer goes: the source address of `ip`. */
bool icmp_source(const void *ip, uint32_t len, struct ip_addr *src);

#endif
