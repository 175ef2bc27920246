/* SPDX-License-Identifier: Apache-2.0 */
/* The Internet checksum, and CRC32c for SCTP.
 *
 * What      sums over memory, incremental updates, pseudo-headers, finishing and
 *           verifying the transport checksum of a packet.
 * Shapes    a `sum` is the unfolded sum of 16-bit words read big-endian;
 *           checksums are host-order values, stored with put_be16.
 * Threads   any.
 * Refs      RFC 1071, 1624 (eqn 3), 768 (zero), 9260 6.8, 8200 8.1. */
#ifndef PACKET_CHECKSUM_H
#define PACKET_CHECKSUM_H

#include "packet/packet.h"

/* Sum of len bytes added to `sum`; a piece of odd length must be the last. */
uint64_t checksum_add(uint64_t sum, const void *p, size_t len);
/* Folds to 16 bits, host order; not complemented. */
uint16_t checksum_fold(uint64_t sum);
/* The complement of the sum of a piece: what a header's field has to hold, host
 * order (store with put_be16). */
uint16_t checksum(const void *p, size_t len);

/* A checksum field `old` (host order) after 16 bits went from a to b. */
uint16_t checksum_update16(uint16_t old, uint16_t a, uint16_t b);
uint16_t checksum_update32(uint16_t old, uint32_t a, uint32_t b);
/* ... after n bytes (even) went from a to b. */
uint16_t checksum_update(uint16_t old, const void *a, const void *b, size_t n);

/* Sums of the pseudo-headers (RFC 9293 3.1, RFC 8200 8.1). */
uint64_t checksum_pseudo4(uint32_t src, uint32_t dst, uint8_t proto,
			  uint32_t len);
uint64_t checksum_pseudo6(struct ip6_addr src, struct ip6_addr dst,
			  uint8_t proto, uint32_t len);

uint32_t crc32c(const void *p, size_t len);
/* Of a whole SCTP packet (len >= 12), its checksum field counted as zero; stored
 * little-endian, that is by memcpy of the value on this machine. */
uint32_t crc32c_sctp(const uint8_t *sctp, uint32_t len);

/* SCTP's is the only checksum 8 bytes into its header. virtio-net has no word for
 * it: the kernel hands it over as if it were an Internet checksum, and would
 * finish it as one (DEVIATES: it is always finished here). */
#define SCTP_CSUM_OFFSET 8u
static inline bool packet_csum_is_crc32c(const struct packet *p)
{
	return p->flags & PACKET_CSUM_PARTIAL &&
	       p->csum_offset == SCTP_CSUM_OFFSET;
}

/* Does the unfinished checksum lie inside the frame (invariant P2)? */
static inline bool packet_csum_fits(const struct packet *p)
{
	uint32_t width = packet_csum_is_crc32c(p) ? 4 : 2;

	return (uint32_t)p->csum_start + p->csum_offset + width <= p->len;
}

/* Finishes a PACKET_CSUM_PARTIAL checksum: sums from csum_start to the end and
 * clears the flag. Nothing when the flag is not set. */
void packet_csum_finish(struct packet *p);

enum csum_state {
	CSUM_RIGHT,
	CSUM_WRONG,
	CSUM_UNKNOWN, /* no checksum there: not TCP, UDP, ICMPv6, SCTP, ICMP; a
		       * fragment; UDP over IPv4 with zero; unfinished */
};
/* Looks at the transport checksum behind p->l3 (must be set). */
enum csum_state packet_csum_verify(const struct packet *p);

#endif
