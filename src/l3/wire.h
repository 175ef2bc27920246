/* SPDX-License-Identifier: Apache-2.0 */
/* Writing the frames of the router's own: Ethernet, IPv4, IPv6, ICMPv6.
 *
 * What      small writers over the wire structs that arp, nd, icmp and ra share.
 * Why so    each returns where the next header goes, so that a frame reads from
 *           top to bottom as it is written.
 * Threads   values. */
#ifndef L3_WIRE_H
#define L3_WIRE_H

#include "packet/checksum.h"
#include "packet/headers.h"

#define ND_HOP_LIMIT 255u /* RFC 4861 3.1 */

static inline uint8_t *wire_eth(uint8_t *p, struct eth_addr dst,
				struct eth_addr src, uint16_t type)
{
	struct eth_header eth = { dst, src, to_be16(type) };

	memcpy(p, &eth, sizeof(eth));
	return p + sizeof(eth);
}

static inline uint8_t *wire_ip6(uint8_t *p, struct ip6_addr src,
				struct ip6_addr dst, uint8_t hop_limit,
				uint32_t payload_len)
{
	struct ip6_header ip = {
		.flow = to_be32(6u << 28),
		.payload_len = to_be16((uint16_t)payload_len),
		.next = IP_PROTO_ICMP6,
		.hop_limit = hop_limit,
		.src = src,
		.dst = dst,
	};

	memcpy(p, &ip, sizeof(ip));
	return p + sizeof(ip);
}

/* Fills in the checksum of the ICMPv6 message at `p` of `len` bytes. */
static inline void wire_icmp6_csum(uint8_t *p, uint32_t len,
				   struct ip6_addr src, struct ip6_addr dst)
{
	uint64_t sum = checksum_pseudo6(src, dst, IP_PROTO_ICMP6, len);

	put_be16(p + 2, 0);
	sum = checksum_add(sum, p, len);
	put_be16(p + 2, (uint16_t)~checksum_fold(sum));
}

/* Is the checksum of the ICMPv6 message right? */
static inline bool wire_icmp6_is_right(const uint8_t *p, uint32_t len,
				       struct ip6_addr src, struct ip6_addr dst)
{
	uint64_t sum = checksum_pseudo6(src, dst, IP_PROTO_ICMP6, len);

	return checksum_fold(checksum_add(sum, p, len)) == 0xffff;
}

static inline uint8_t *wire_ip4(uint8_t *p, uint32_t src, uint32_t dst,
				uint8_t tos, uint32_t total_len)
{
	struct ip4_header ip = {
		.version_ihl = 0x45,
		.tos = tos,
		.total_len = to_be16((uint16_t)total_len),
		.ttl = 64, /* RFC 1700 */
		.proto = IP_PROTO_ICMP,
		.src = to_be32(src),
		.dst = to_be32(dst),
	};

	ip.csum = to_be16(checksum(&ip, sizeof(ip)));
	memcpy(p, &ip, sizeof(ip));
	return p + sizeof(ip);
}

#endif
