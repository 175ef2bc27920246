/* SPDX-License-Identifier: Apache-2.0 */
/* A packet in one line, for people.
 *
 * What      addresses, tags, protocol, ports, flags, what ARP, ND and ICMP say,
 *           what is inside a tunnel: as tcpdump -e tells it, but shorter.
 * Why so    one text for a packet wherever weft shows one, so that two places can
 *           be compared by eye and by grep. Any bytes may be given; what cannot
 *           be read is said to be cut short or malformed, and the line ends.
 * Bounds    PRINT_MAX bytes of text, PRINT_DEPTH tunnels.
 * Threads   any; it allocates, so not on the packet path. */
#ifndef PACKET_PRINT_H
#define PACKET_PRINT_H

#include "base/str.h"

#define PRINT_MAX 2048u
#define PRINT_DEPTH 3u
#define PRINT_TAGS 4u
#define PRINT_LABELS 4u

/* Adds the line, without a newline. packet_type: PACKET_TYPE_*. */
void packet_format(const void *bytes, uint32_t len, uint32_t packet_type,
		   struct str *out);

#endif
