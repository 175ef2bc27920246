/* SPDX-License-Identifier: Apache-2.0 */
/* Extraction: from a packet to its key.
 *
 * What      reads the headers of a packet into words 0..KEY_PACKET_WORDS - 1 of
 *           a key, and the tunnel section when the packet has tunnel metadata;
 *           notes where layers 3 and 4 start in the packet.
 * Why so    a header that does not parse leaves its fields, and those of the
 *           layers behind it, zero: the frame can still be bridged, and is never
 *           taken for something that it is not. Bytes behind the end of the IP
 *           packet (padding) are never looked at.
 * Invariant X1 the key depends on the frame's bytes and metadata alone.
 *           X2 the sections of connections and of the pipeline must be zero
 *           already: flow_key_init once, then reuse for packet after packet.
 * Fields    ICMP, ICMPv6 and IGMP put type and code into tp_src and tp_dst. A
 *           later fragment has no layer 4; a first fragment has.
 * Threads   values.
 * Refs      RFC 791, 8200 4, 4861 4.6, 826; OpenFlow 1.5.1 7.2.3. */
#ifndef FLOW_EXTRACT_H
#define FLOW_EXTRACT_H

#include "flow/key.h"
#include "packet/drop.h"
#include "packet/packet.h"

/* All zero. */
void flow_key_init(struct flow_key *key);
/* DROP_NONE, or DROP_TRUNCATED for a frame without a whole Ethernet header. */
enum drop flow_extract(struct packet *p, struct flow_key *key);

#endif
