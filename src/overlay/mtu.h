/* SPDX-License-Identifier: Apache-2.0 */
/* How large may a packet inside a tunnel be?
 *
 * What      underlay MTU -> MTU of the network it carries, and back.
 * Why so    a network whose MTU is not lowered is a black hole: ping works, the
 *           web does not. So it is computed, in one place, and ports, RA and
 *           ICMP errors follow.
 * Shapes    outer IP (20 or 40) + UDP 8 + VXLAN 8 + inner Ethernet 14, + 4 when
 *           frames may keep a VLAN tag inside.
 * Threads   values.
 * Refs      RFC 7348 4.3 and 5; RFC 8200 5 (1280), RFC 791 (576). */
#ifndef OVERLAY_MTU_H
#define OVERLAY_MTU_H

#include "base/defs.h"

#define MTU_IP4_MIN 576u
#define MTU_IP6_MIN 1280u
#define MTU_MAX 65535u

/* Bytes that the tunnel adds to a packet inside. family: AF_INET, AF_INET6. */
uint32_t mtu_overhead(uint16_t family, bool inner_vlan);
/* Largest IP packet of a station in the network; 0 when the underlay is too
 * small to carry IPv4's least of 576. */
uint32_t mtu_inside(uint32_t underlay, uint16_t family, bool inner_vlan);
/* What the underlay must carry for stations to send `inside`. */
uint32_t mtu_needed(uint32_t inside, uint16_t family, bool inner_vlan);

#endif
