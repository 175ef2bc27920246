/* SPDX-License-Identifier: Apache-2.0 */
/* Inside edits: where IP and transport are, and keeping their checksums.
 *
 * What      edit_ip_find reads an IP packet as extraction does; edit_l4_changed
 *           carries a change of covered bytes into the transport checksum.
 * Partial   a checksum that is not finished holds the folded sum of the
 *           pseudo-header, not complemented: addresses change it, bytes behind
 *           csum_start do not.
 * Threads   values.
 * Refs      RFC 1624 (eqn 3), RFC 768, RFC 8200 8.1, RFC 9260 6.8. */
#ifndef FLOW_EDIT_L3_H
#define FLOW_EDIT_L3_H

#include "flow/edit.h"

struct edit_ip {
	uint32_t l3, l4, end; /* end: of the IP packet, without padding */
	uint8_t proto;
	bool is_ip6;
	bool has_l4; /* not a later fragment, extensions understood */
	bool is_fragment;
	bool routed_away; /* a routing header names another destination */
};

/* False when it is no IP packet, or one that extraction would not believe. */
bool edit_ip_find(const struct packet *p, struct edit_ip *ip);

/* Bytes of the pseudo-header (n even) went from `old` to `now`. False when the
 * checksum is there but out of reach, in another fragment. */
bool edit_pseudo_changed(struct packet *p, const struct edit_ip *ip,
			 const void *old, const void *now, uint32_t n);

/* Overwrites n bytes (even) of the transport header at offset `at` from l4, and
 * keeps its checksum. False when they are not there, or when the checksum is out
 * of reach: in another fragment, or SCTP's, which covers the others. */
bool edit_l4_write(struct packet *p, const struct edit_ip *ip, uint32_t at,
		   const void *now, uint32_t n);

/* Overwrites n bytes (even) of an IPv4 header at offset `at`. */
void edit_ip4_write(struct packet *p, const struct edit_ip *ip, uint32_t at,
		    const void *now, uint32_t n);

#endif
