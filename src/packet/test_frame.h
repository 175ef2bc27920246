/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: a frame as plain fields, built byte by byte.
 *
 * What      frame_build writes the frame that a frame_spec describes, all lengths
 *           and checksums right (or the transport's left partial).
 * Why so    the oracle of segmentation, coalescing and encapsulation: their
 *           result must be what building from changed fields gives. It shares no
 *           code with what it judges: sums go byte by byte.
 * Threads   values. */
#ifndef PACKET_TEST_FRAME_H
#define PACKET_TEST_FRAME_H

#include "packet/packet.h"

#define FRAME_MAX 66000u
#define FRAME_TAGS 4u

struct frame_spec {
	bool layer3; /* no Ethernet header */
	unsigned n_tags;
	uint16_t tpid[FRAME_TAGS], tci[FRAME_TAGS];
	uint16_t eth_type; /* of a frame that is not IP; 0: IP */
	bool ip6, df;
	uint8_t tos, ttl; /* ttl 0: 64 */
	uint16_t id;
	uint8_t ip4_options; /* words of no-operation */
	bool dst_options;    /* an IPv6 extension header of 8 bytes */
	uint8_t host;        /* last byte of the source address */
	uint8_t proto;       /* 0: TCP */
	uint16_t sport, dport;
	uint32_t seq, ack;
	uint8_t flags; /* TCP's; 0: ACK */
	uint16_t window;
	uint8_t timestamps; /* TCP option with this in it; 0: none */
	bool no_csum;       /* UDP without */
	uint16_t udp_len;   /* 0: the right one */
	const void *payload;
	uint32_t payload_len;
	bool partial;
};

struct frame_layout {
	uint32_t len, l3, l4, payload, csum; /* offsets; csum: of the field */
};

/* Returns where things are; `out` has FRAME_MAX bytes. */
struct frame_layout frame_build(const struct frame_spec *s, uint8_t *out);
/* The same in a packet, with packet_type, l3, l4 and what is partial noted. */
struct frame_layout frame_packet(const struct frame_spec *s, struct packet *p);
/* frame_packet for segments of gso_size, of the right GSO type. */
struct frame_layout frame_gso(const struct frame_spec *s, uint16_t gso_size,
			      struct packet *p);

/* The sum of 16-bit words, not complemented, the slow way. */
uint16_t frame_sum(const uint8_t *p, size_t len, uint32_t sum);
/* Bytes that differ everywhere. */
void frame_pattern(uint8_t *p, size_t len, uint32_t seed);
uint32_t frame_random(uint64_t *state, uint32_t below);
/* Fails the test, telling the first byte that differs. */
void frame_assert_equal(const uint8_t *got, uint32_t got_len,
			const uint8_t *want, uint32_t want_len);
/* `len` bytes that end where the next page must not be touched. */
struct frame_guard {
	uint8_t *map, *at;
	size_t map_len;
};
struct frame_guard frame_guard_make(const void *bytes, size_t len);
void frame_guard_free(struct frame_guard *g);

#endif
