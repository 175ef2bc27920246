/* SPDX-License-Identifier: Apache-2.0 */
/* Composing: from a key to a packet that has it.
 *
 * What      the smallest frame, with every length and checksum right, whose
 *           extraction gives the key.
 * Why so    a packet that people tell in words can then be run like any other,
 *           and sent.
 * Invariant C1 flow_extract of what was composed gives the key's packet section
 *           back, or nothing was composed.
 * Knows     Ethernet and bare IP, tags, labels, ARP, IPv4, IPv6 with fragments,
 *           TCP, UDP, SCTP, ICMP, IGMP, ND. Not PBB and NSH.
 * Threads   values.
 * Refs      as flow/extract.h. */
#ifndef FLOW_COMPOSE_H
#define FLOW_COMPOSE_H

#include "flow/key.h"
#include "packet/packet.h"

/* Into `p`, an empty packet of a pool: bytes, packet_type and in_port. False when
 * there is no such packet, or none that is known here; `p` is then of no use. */
bool compose_packet(const struct flow_key *key, struct packet *p);

#endif
