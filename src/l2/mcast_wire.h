/* SPDX-License-Identifier: Apache-2.0 */
/* IGMP and MLD on the wire.
 *
 * What      a message -> who joins or leaves which groups, or who queries; and
 *           the queries of our own.
 * Why so    the machine (mcast.h) sees one kind of change for five protocols.
 *           Source lists are not kept: a port that wants some sources of a group
 *           gets the group (RFC 4541 leaves that to the switch).
 * Rules     a wrong checksum, a TTL that is not 1, an MLD source that is not
 *           link-local (or unspecified, in a report): the message is bad.
 * Threads   values.
 * Refs      RFC 1112 I, 2236 2, 3376 4, 2710 3, 3810 5. */
#ifndef L2_MCAST_WIRE_H
#define L2_MCAST_WIRE_H

#include "l2/mcast.h"

#define MCAST_MAX_CHANGES 256u

struct mcast_change {
	struct ip_addr group;
	bool joins; /* else leaves */
};

struct mcast_msg {
	enum mcast_rx kind;
	uint16_t family;
	struct ip_addr src;
	struct ip_addr group; /* QUERY about one group; family 0: all */
	unsigned n_changes;   /* REPORT */
	struct mcast_change changes[MCAST_MAX_CHANGES];
};

/* `ip`: from the IP header on. kind says what was found. */
void mcast_decode(const void *ip, uint32_t len, struct mcast_msg *m);

/* Groups that are never narrowed: 224.0.0.0/24, and IPv6 scopes up to link. */
bool mcast_group_is_local(const struct ip_addr *group);

/* A query from `c`'s addresses, a whole Ethernet frame: IGMPv3 or MLDv2, about
 * `group`, or about all groups of `family` when NULL. */
void mcast_query_build(const struct mcast_config *c, uint16_t family,
		       const struct ip_addr *group, struct mcast_frame *out);

#endif
