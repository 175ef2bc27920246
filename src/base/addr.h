/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses as values: Ethernet, IPv4, IPv6, and either.
 *
 * What      struct eth_addr (6 bytes), struct ip6_addr (16 bytes), IPv4 as a
 *           host-order uint32_t (10.0.0.1 is 0x0a000001), struct ip_addr (an
 *           IPv4 or IPv6 address), struct ip_prefix (address and length).
 * Why so    values are copied, never pointed to; parse and format live here so
 *           that every message prints an address the same way.
 * Refs      RFC 4291, RFC 5952 (text form of IPv6), IEEE 802-2014 8.2. */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include "base/defs.h"

struct eth_addr {
	uint8_t b[6];
};

struct ip6_addr {
	uint8_t b[16];
};

/* An address of either family. IPv4 is held as ::ffff:a.b.c.d so that one
 * comparison serves both; `family` is AF_INET or AF_INET6, 0 when unset. */
struct ip_addr {
	uint16_t family;
	struct ip6_addr a;
};

struct ip_prefix {
	struct ip_addr addr; /* host bits kept as written */
	uint8_t len;         /* in bits of its own family: 0-32 or 0-128 */
};

#define ETH_STR_LEN 18
#define IP_STR_LEN 46
#define PREFIX_STR_LEN 50

static inline uint64_t eth_addr_to_u64(struct eth_addr e)
{
	return (uint64_t)e.b[0] << 40 | (uint64_t)e.b[1] << 32 |
	       (uint64_t)e.b[2] << 24 | (uint64_t)e.b[3] << 16 |
	       (uint64_t)e.b[4] << 8 | e.b[5];
}

static inline struct eth_addr eth_addr_from_u64(uint64_t v)
{
	return (struct eth_addr){ { (uint8_t)(v >> 40), (uint8_t)(v >> 32),
				    (uint8_t)(v >> 24), (uint8_t)(v >> 16),
				    (uint8_t)(v >> 8), (uint8_t)v } };
}

static inline bool eth_addr_equal(struct eth_addr a, struct eth_addr b)
{
	return !memcmp(a.b, b.b, sizeof(a.b));
}

static inline bool eth_addr_is_zero(struct eth_addr e)
{
	return !eth_addr_to_u64(e);
}

/* The group bit: multicast and broadcast. */
static inline bool eth_addr_is_multicast(struct eth_addr e)
{
	return e.b[0] & 1;
}

static inline bool eth_addr_is_broadcast(struct eth_addr e)
{
	return eth_addr_to_u64(e) == 0xffffffffffffull;
}

static inline bool ip6_addr_equal(struct ip6_addr a, struct ip6_addr b)
{
	return !memcmp(a.b, b.b, sizeof(a.b));
}

static inline bool ip6_addr_is_zero(struct ip6_addr a)
{
	static const struct ip6_addr zero;

	return ip6_addr_equal(a, zero);
}

static inline bool ip6_addr_is_multicast(struct ip6_addr a)
{
	return a.b[0] == 0xff;
}

static inline bool ip6_addr_is_link_local(struct ip6_addr a)
{
	return a.b[0] == 0xfe && (a.b[1] & 0xc0) == 0x80;
}

/* fe80::/64 with the modified EUI-64 of `mac` (RFC 4291 2.5.1). */
struct ip6_addr ip6_addr_link_local(struct eth_addr mac);
/* ff02::1:ffXX:XXXX for `a` (RFC 4291 2.7.1). */
struct ip6_addr ip6_addr_solicited_node(struct ip6_addr a);
/* 33:33:xx:xx:xx:xx of an IPv6 group (RFC 2464 7). */
struct eth_addr ip6_addr_multicast_mac(struct ip6_addr group);

struct ip_addr ip_addr_from_ip4(uint32_t ip4);
struct ip_addr ip_addr_from_ip6(struct ip6_addr ip6);
static inline bool ip_addr_is_ip4(const struct ip_addr *a)
{
	return a->family == 2;
}
/* The IPv4 address in host order; must be of family AF_INET. */
uint32_t ip_addr_ip4(const struct ip_addr *a);
bool ip_addr_equal(const struct ip_addr *a, const struct ip_addr *b);

/* Is `a` inside `p`? Families must match, else false. */
bool ip_prefix_contains(const struct ip_prefix *p, const struct ip_addr *a);
bool ip_prefix_overlap(const struct ip_prefix *a, const struct ip_prefix *b);
bool ip_prefix_equal(const struct ip_prefix *a, const struct ip_prefix *b);
/* The same prefix with its host bits zeroed. */
struct ip_prefix ip_prefix_network(const struct ip_prefix *p);

/* Text. parse returns 0, or -EINVAL with *out untouched; format writes into
 * `buf` of at least the named size and returns it. */
int eth_addr_parse(const char *s, struct eth_addr *out) MUST_CHECK;
int ip_addr_parse(const char *s, struct ip_addr *out) MUST_CHECK;
int ip_prefix_parse(const char *s, struct ip_prefix *out) MUST_CHECK;
char *eth_addr_format(struct eth_addr e, char buf[ETH_STR_LEN]);
char *ip4_format(uint32_t ip4, char buf[IP_STR_LEN]);
char *ip6_addr_format(struct ip6_addr a, char buf[IP_STR_LEN]);
char *ip_addr_format(const struct ip_addr *a, char buf[IP_STR_LEN]);
char *ip_prefix_format(const struct ip_prefix *p, char buf[PREFIX_STR_LEN]);

#endif
