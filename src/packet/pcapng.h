/* SPDX-License-Identifier: Apache-2.0 */
/* pcapng: packets as other programs read them.
 *
 * What      blocks of the pcapng format, appended to a text buffer: a section, an
 *           interface a port, a packet with its direction and comments, what an
 *           interface counted.
 * Why so    the format has room for what weft knows beside the bytes: where, which
 *           way, what was decided, what was lost. Every block is whole: a stream
 *           may end behind any of them.
 * Order     one section, then the interfaces; an interface has its number by its
 *           place, from 0, and may come late, but before its first packet.
 * Times     nanoseconds since 1970, as each interface says.
 * Threads   values; it allocates, so not on the packet path.
 * Refs      draft-ietf-opsawg-pcapng (2024) 4.1 to 4.6; this machine's byte
 *           order, which the section tells. */
#ifndef PACKET_PCAPNG_H
#define PACKET_PCAPNG_H

#include "base/addr.h"
#include "base/str.h"

#define PCAPNG_LINK_ETHERNET 1u
#define PCAPNG_LINK_IP 101u /* IPv4 or IPv6, no header in front */
#define PCAPNG_COMMENT_MAX 4096u
#define PCAPNG_SNAP_MAX 262144u

/* `application` is who writes, as "weft 0.1". */
void pcapng_put_section(struct str *out, const char *application);

struct pcapng_interface {
	const char *name, *description, *filter; /* NULL: not said */
	uint16_t link_type;                      /* PCAPNG_LINK_* */
	uint32_t snap_len;                       /* 0: no limit */
	struct eth_addr mac;                     /* zero: not said */
};

void pcapng_put_interface(struct str *out, const struct pcapng_interface *i);

enum pcapng_direction { PCAPNG_UNKNOWN, PCAPNG_IN, PCAPNG_OUT };

struct pcapng_packet {
	uint32_t interface;
	uint64_t time_ns;
	const void *bytes;
	uint32_t len, wire_len; /* len <= wire_len */
	enum pcapng_direction direction;
	uint64_t n_lost;     /* between the packet before and this one */
	const char *comment; /* NULL: none */
};

void pcapng_put_packet(struct str *out, const struct pcapng_packet *p);

struct pcapng_counts {
	uint32_t interface;
	uint64_t time_ns;
	uint64_t start_ns, end_ns;
	uint64_t n_seen, n_lost, n_given;
};

void pcapng_put_counts(struct str *out, const struct pcapng_counts *c);

#endif
