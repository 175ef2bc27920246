/* SPDX-License-Identifier: Apache-2.0 */
/* Multicast snooping: which ports of a domain want a group?
 *
 * What      listens to IGMPv1-3 and MLDv1-2, keeps per group the ports that
 *           asked for it, and the ports behind which a multicast router is;
 *           one machine per domain (bridge and VLAN).
 * Why so    a group is narrowed to its members only while a querier of its
 *           family is there to keep memberships alive: without one, reports
 *           stop and a switch that narrows goes deaf. Link-local groups
 *           (224.0.0.0/24, all of ff02::/16 and narrower scopes: solicited-node
 *           groups, all-nodes) are always flooded, so that IPv6 neighbour
 *           discovery cannot break.
 * Overflow  when more groups are asked for than the limit, all are flooded again
 *           until there is room: too much traffic, never a deaf member. One port
 *           can have a quarter of the limit; what it asks beyond is not heard.
 * Invariant G1 what find answers for a group is an immutable set, replaced as a
 *           whole. G2 whatever changes an answer bumps its stamp afterwards.
 *           G3 groups <= limit, and a port has at most its share of them.
 * Threads   find, routers: any thread inside RCU. All else: the control thread.
 * Owns      its groups and sets.
 * Refs      RFC 4541 (snooping), 1112, 2236, 3376 (IGMP), 2710, 3810 (MLD). */
#ifndef L2_MCAST_H
#define L2_MCAST_H

#include "base/addr.h"
#include "base/stamp.h"

#define MCAST_LIMIT_DEFAULT 1024u
#define MCAST_LIMIT_MAX 65536u
#define MCAST_MAX_PORTS 4096u /* ports of one group */
#define MCAST_FRAME_MAX 128u

/* RFC 3376 8, RFC 3810 9: robustness 2, query interval 125 s, response 10 s. */
#define MCAST_ROBUSTNESS 2u
#define MCAST_QUERY_MS 125000u
#define MCAST_RESPONSE_MS 10000u
#define MCAST_LAST_MEMBER_MS 1000u
#define MCAST_MEMBER_MS (MCAST_ROBUSTNESS * MCAST_QUERY_MS + MCAST_RESPONSE_MS)
/* Nothing is narrowed before a querier has been there this long: time for every
 * member to have answered. */
#define MCAST_SETTLE_MS (2 * MCAST_RESPONSE_MS)
#define MCAST_OTHER_QUERIER_MS                                                 \
	(MCAST_ROBUSTNESS * MCAST_QUERY_MS + MCAST_RESPONSE_MS / 2)

struct mcast_config {
	uint32_t id;    /* of the domain: keeps stamps apart */
	uint32_t limit; /* groups; 0: the default */
	uint64_t seed;
	bool querier;        /* ask ourselves when nobody else does */
	struct eth_addr mac; /* source of our queries */
	uint32_t ip4;        /* ... 0.0.0.0 is allowed (RFC 4541 2.1.1) */
	struct ip6_addr ip6; /* ... zero: made from mac */
};

struct mcast;

struct mcast *mcast_create(const struct mcast_config *c, struct stamps *stamps,
			   uint64_t now_ms);
/* No reader may be left. NULL is fine. */
void mcast_destroy(struct mcast *m);

/* flood: to all of the domain, and ports is empty. Else to these ports only,
 * ascending; routers included. Valid inside this RCU section. */
struct mcast_found {
	bool flood;
	const uint32_t *ports;
	unsigned n_ports;
};

/* Where do packets to this group go? */
struct mcast_found mcast_find(const struct mcast *m,
			      const struct ip_addr *group, struct dep *dep);
/* Where do reports of this family (AF_INET, AF_INET6) go? To the routers, so
 * that no host hears another's report and keeps its own back; flood while no
 * querier is known. A report of a local port has to go to all peers besides:
 * every host must know who listens, since no host forwards for another. */
struct mcast_found mcast_routers(const struct mcast *m, uint16_t family,
				 struct dep *dep);
bool mcast_found_has(const struct mcast_found *f, uint32_t port);

enum mcast_rx {
	MCAST_REPORT, /* somebody joins, stays or leaves */
	MCAST_QUERY,  /* a querier: goes to everybody */
	MCAST_OTHER,  /* not about membership: bridged like any other */
	MCAST_BAD,    /* malformed, or against the rules; not learned from */
};

/* What kind is it? `ip` is the IPv4 or IPv6 header, `len` bytes from there.
 * Pure. */
enum mcast_rx mcast_classify(const void *ip, uint32_t len);
/* Control thread: an IGMP or MLD packet came in by `port` (a peer port too). */
enum mcast_rx mcast_rx(struct mcast *m, uint32_t port, const void *ip,
		       uint32_t len, uint64_t now_ms);
/* The port is no more. */
void mcast_forget_port(struct mcast *m, uint32_t port);
/* A multicast router is behind it by the user's word; lasts. */
void mcast_set_router_port(struct mcast *m, uint32_t port, bool on);

void mcast_tick(struct mcast *m, uint64_t now_ms);
uint64_t mcast_next_deadline(const struct mcast *m);

/* A query of our own, a whole Ethernet frame, to be flooded in the domain. */
struct mcast_frame {
	uint32_t len;
	uint8_t bytes[MCAST_FRAME_MAX];
};
bool mcast_take(struct mcast *m, struct mcast_frame *out);

struct mcast_row {
	struct ip_addr group;
	uint32_t port;
	uint64_t expires_ms; /* from now */
};
/* Up to `max` (group, port) pairs; returns how many there are in all. */
unsigned mcast_list(const struct mcast *m, struct mcast_row *rows, unsigned max,
		    uint64_t now_ms);

struct mcast_stats {
	uint32_t groups;
	uint32_t routers;
	bool querier4, querier6; /* somebody asks, or we do */
	uint64_t reports, queries, bad, refused;
};
void mcast_stats(const struct mcast *m, struct mcast_stats *out);

#endif
