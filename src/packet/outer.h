/* SPDX-License-Identifier: Apache-2.0 */
/* Encapsulations: VXLAN, Geneve and GRE headers in front of a frame.
 *
 * What      builds the outer headers, pushes them in front of a packet with the
 *           lengths, ids and checksums made right, finds and takes them off
 *           again, leaving what they said in p->tun.
 * Why so    one place knows the shapes, for the tunnel socket (which needs only
 *           the VXLAN header) and for actions that push whole headers.
 * Rules     the inner ECN mark goes to the outer header and a congestion mark of
 *           the outer one comes back in (RFC 6040 4.1, 4.2); the UDP source port
 *           is made of the flow, so that paths and queues spread (RFC 7348 5).
 * Bounds    OUTER_MAX bytes of headers; a packet with one encapsulation pushed
 *           and not yet sent takes no second (its offloads could not be kept).
 * Threads   values.
 * Refs      RFC 7348 5, 8926 3, 2784, 2890, 6040, 768. */
#ifndef PACKET_OUTER_H
#define PACKET_OUTER_H

#include "packet/drop.h"
#include "packet/packet.h"

#define OUTER_MAX (PACKET_HEADROOM - 48u)
#define VNI_MASK 0xffffffu

enum outer_kind { OUTER_VXLAN, OUTER_GENEVE, OUTER_GRE, N_OUTER_KINDS };

const char *outer_kind_name(enum outer_kind k);

/* The VXLAN header alone. decode: false when the I flag is missing. */
void vxlan_encode(uint32_t vni, uint8_t out[8]);
bool vxlan_decode(const void *header, size_t len, uint32_t *vni) MUST_CHECK;

/* Outer Ethernet (ends: to, from), IP (version by src's family), UDP or GRE, and the tunnel header
 * for t; t->src and t->dst must be set. Lengths and checksums stay zero. UDP over
 * IPv6 always has a checksum (RFC 8200 8.1), else TUNNEL_F_CSUM says so. Returns the
 * bytes written, 0 when they do not fit or the families differ. */
uint32_t outer_build(enum outer_kind kind, const struct eth_addr ends[2],
		     const struct packet_tunnel *t, uint8_t *out,
		     uint32_t room);

/* Pushes headers of that kind (Ethernet first) in front of an Ethernet frame.
 * p->l3 and l4 become the outer ones, p->inner the frame. DROP_ACTION when they
 * do not parse, do not fit, or p carries an encapsulation already; DROP_TOO_BIG
 * when IP cannot say the length. */
enum drop packet_push_outer(struct packet *p, enum outer_kind kind,
			    const void *headers, uint32_t n);
/* Takes the encapsulation off that p->l3/l4 show: UDP to 4789 or 6081, or GRE
 * carrying Ethernet. p->tun gets what it said. DROP_ACTION when there is none,
 * DROP_MALFORMED when it is wrong. */
enum drop packet_pop_outer(struct packet *p);

/* A source port from 49152 to 65535 for this flow hash (RFC 6335). */
uint16_t outer_source_port(uint64_t flow_hash);
/* A hash of the innermost addresses and ports, the same for a whole flow. */
uint64_t packet_flow_hash(const struct packet *p);
/* ECN of the inner packet after decapsulation; false: drop it (RFC 6040 4.2). */
bool outer_ecn_combine(uint8_t outer, uint8_t inner, uint8_t *result);

#endif
