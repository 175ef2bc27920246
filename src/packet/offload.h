/* SPDX-License-Identifier: Apache-2.0 */
/* Offload metadata: in from a virtio-net header, out to one, and what a port
 * that cannot do something needs done first.
 *
 * What      packet_offload_from_vnet validates what a device or guest claims and
 *           notes it in the packet; packet_offload_to_vnet says it onwards;
 *           packet_tx_need tells what is missing for a port.
 * Why so    guests are hostile: after from_vnet every offset lies inside the
 *           frame and the GSO type agrees with the headers, so nobody behind it
 *           has to check again (invariant P2).
 * Threads   values.
 * Refs      virtio 1.2 5.1.6.2 and 5.1.6.4. */
#ifndef PACKET_OFFLOAD_H
#define PACKET_OFFLOAD_H

#include "packet/drop.h"
#include "packet/packet.h"

/* struct virtio_net_hdr, little-endian as on this machine (TUNSETVNETLE). */
struct vnet_header {
	uint8_t flags, gso_type;
	uint16_t hdr_len, gso_size, csum_start, csum_offset;
};
#define VNET_F_NEEDS_CSUM 1u
#define VNET_F_DATA_VALID 2u
#define VNET_GSO_NONE 0u
#define VNET_GSO_TCP4 1u
#define VNET_GSO_UDP 3u /* fragmentation of old; refused */
#define VNET_GSO_TCP6 4u
#define VNET_GSO_UDP_L4 5u
#define VNET_GSO_ECN 0x80u

/* What a port takes; the same bits as enum port_cap. */
#define OFFLOAD_CSUM 0x01u
#define OFFLOAD_TSO4 0x02u
#define OFFLOAD_TSO6 0x04u
#define OFFLOAD_USO4 0x08u
#define OFFLOAD_USO6 0x10u
#define OFFLOAD_ECN 0x20u

/* Sets csum, gso and l3/l4 members from the header; the frame is in p already.
 * DROP_NONE, or DROP_MALFORMED when it contradicts the frame: p is then as
 * without offloads and is to be dropped. */
enum drop packet_offload_from_vnet(struct packet *p,
				   const struct vnet_header *h) MUST_CHECK;
/* The other way; p must fit what the receiver takes. */
void packet_offload_to_vnet(const struct packet *p, struct vnet_header *h);

enum tx_need {
	TX_AS_IS,
	TX_CSUM,    /* packet_csum_finish first */
	TX_SEGMENT, /* packet_segment first */
	TX_TOO_BIG, /* larger than the MTU, and no GSO: cannot be sent */
};
/* caps: OFFLOAD_*; mtu in bytes of layer 3, 0: any. */
enum tx_need packet_tx_need(const struct packet *p, uint32_t caps,
			    uint32_t mtu);
/* Layer 3 length of the largest packet it will be on the wire; 0 when p->l3 is
 * not known. */
uint32_t packet_l3_len_max(const struct packet *p);
/* Bytes in front of the payload that each segment repeats (of a GSO packet). */
uint32_t packet_gso_header_len(const struct packet *p);

#endif
