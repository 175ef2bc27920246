/* SPDX-License-Identifier: Apache-2.0 */
/* Software segmentation: a GSO packet becomes what the wire carries.
 *
 * What      packet_segment makes packets of their own, checksums finished;
 *           segment_plan writes only the headers of each segment and refers to
 *           the payload where it lies, for one gathered send.
 * Why so    the last moment before a port that cannot do it: everywhere else a
 *           64 kB packet stays one packet (decision D8).
 * Rules     TCP: sequence numbers, IPv4 ids counting up, FIN and PSH on the last
 *           segment only, CWR on the first only; UDP: a datagram a segment.
 *           An encapsulation in front (p->inner) is repeated with its lengths,
 *           ids and UDP or GRE checksum made right.
 * Bounds    SEGMENT_MAX segments a packet.
 * Threads   values.
 * Refs      RFC 9293, RFC 3168 6.1.2 (CWR), virtio 1.2 5.1.6.2. */
#ifndef PACKET_SEGMENT_H
#define PACKET_SEGMENT_H

#include "packet/packet.h"

/* 65535 bytes in segments of 48 bytes of payload each. What would make more
 * packets of one is refused. */
#define SEGMENT_MAX 1366u
#define SEGMENT_HEADERS_MAX 512u

typedef void segment_fn(void *ctx, struct packet *segment);

/* Calls fn with each segment in order (fn takes it). `p` stays the caller's. False
 * when the pool ran dry or p cannot be cut: some segments may have been given. */
bool packet_segment(const struct packet *p, struct packet_pool *pool,
		    segment_fn *fn, void *ctx) MUST_CHECK;

/* The segments of one packet as {headers, payload} pairs. The checksum of each
 * inner packet is finished. */
struct segment_plan {
	const struct packet *p;
	uint32_t header_len;  /* of each segment, from p->data */
	uint32_t payload_len; /* behind all headers */
	uint32_t step;        /* payload of all but the last */
	uint32_t ip;          /* where the innermost layer 3 starts */
	unsigned n;
};

/* False when p cannot be cut. */
bool segment_plan_init(struct segment_plan *sp,
		       const struct packet *p) MUST_CHECK;
/* Writes segment i's headers (header_len bytes) and says where its payload is. */
void segment_plan_at(const struct segment_plan *sp, unsigned i,
		     uint8_t *headers, const uint8_t **payload, uint32_t *len);

#endif
