/* SPDX-License-Identifier: Apache-2.0 */
/* GSO frames that carry a tunnel of their own: a VXLAN inside a container.
 *
 * What      recognises that the offload fields of a received frame speak of a
 *           packet inside an encapsulation, and notes where it is.
 * Why so    the kernel hands such frames to packet sockets uncut, and the
 *           virtio-net header has no word for it: its checksum starts at the
 *           inner transport header, and only looking tells. Dropping them would
 *           stop every stream in the inner tunnel, while its ping passes.
 * Rules     Ethernet in VXLAN, Geneve or GRE, over IPv4 or IPv6 without
 *           fragments and extension headers; anything else is refused.
 * Threads   a packet's owner.
 * Refs      RFC 7348 5, RFC 8926 3, RFC 2784, RFC 2890; virtio 1.2 5.1.6. */
#ifndef PORT_NESTED_H
#define PORT_NESTED_H

#include "packet/offload.h"

/* The frame is in p, without offloads. True: inner, csum, gso and layer members
 * are set, as if the encapsulation had been pushed here. */
bool nested_accept(struct packet *p, const struct vnet_header *h);

#endif
