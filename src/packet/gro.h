/* SPDX-License-Identifier: Apache-2.0 */
/* Coalescing: consecutive TCP segments become one GSO packet again.
 *
 * What      a merge under way: a head packet, and frames that are appended when
 *           each is the very next segment of the same connection.
 * Why so    what comes out of a tunnel socket is wire-sized; a receiver that is
 *           handed 64 kB at a time is several times as fast. Frames are given as
 *           bytes, so that each payload byte is copied once.
 * Rules     merged only what segmentation would make of the result again: same
 *           headers, sequence numbers in a row, equal sizes but for a shorter
 *           last one, only ACK and PSH set, PSH ends; IPv4 ids counting up or DF
 *           set; equal TCP options (timestamps may differ only by value of the
 *           echo that is the same: they must be equal); right checksums.
 * Bounds    the result is at most 65535 bytes of IP.
 * Threads   values.
 * Refs      RFC 9293; virtio 1.2 5.1.6.2. */
#ifndef PACKET_GRO_H
#define PACKET_GRO_H

#include "packet/packet.h"

struct gro {
	struct packet *head;
	uint32_t l3, l4, header_len; /* of every segment */
	uint32_t next_seq;
	uint32_t payload; /* of all segments but the last */
	unsigned n;
	uint16_t next_id;
	bool ip6, ended;
};

/* `p` (an Ethernet frame) may be the first of a run. False: it cannot, and
 * passes as it is. `verified`: a lower layer has checked the bytes' transport
 * checksum, so it need not be looked at again. */
bool gro_start(struct gro *g, struct packet *p, bool verified);
/* Appends the frame when it is next; false: it is not, finish the run. The frame
 * may lie behind the head in the head's own buffer: it is moved up then. */
bool gro_add(struct gro *g, const uint8_t *frame, uint32_t len, bool verified);
/* Makes the head a GSO packet when anything was appended. */
void gro_finish(struct gro *g);

#endif
