/* SPDX-License-Identifier: Apache-2.0 */
/* Route table of one router.
 *
 * What      routes (connected, via next hops, blackhole, unreachable) and the
 *           one that applies to a destination.
 * Why so    built whole and frozen with the snapshot; find says how many bits
 *           of the destination decided, and whether a flow hash was used, so
 *           that translation knows what to put into the mask.
 * Invariant R1 of several routes to one prefix the lowest metric counts, then
 *           connected before others, then the first of the list.
 * Threads   build: the control thread. find: any thread.
 * Owns      a copy of the routes.
 * Refs      RFC 1812 5.2.4, RFC 2992 (choosing among equal next hops). */
#ifndef L3_ROUTE_H
#define L3_ROUTE_H

#include "base/addr.h"

#define ROUTE_MAX_HOPS 8u

enum route_kind {
	ROUTE_CONNECTED,   /* the destination is itself a neighbour */
	ROUTE_VIA,         /* by a gateway */
	ROUTE_BLACKHOLE,   /* dropped without a word */
	ROUTE_UNREACHABLE, /* dropped with ICMP unreachable */
};

struct route_hop {
	uint32_t iface;         /* interface id */
	struct ip_addr gateway; /* family 0: the destination itself (an L3 port,
				 * or a connected route) */
};

struct route {
	struct ip_prefix prefix;
	enum route_kind kind;
	uint32_t metric;
	uint32_t cookie; /* the builder's own: where it stands in the file */
	uint8_t n_hops;
	struct route_hop hops[ROUTE_MAX_HOPS];
};

struct route_table;

/* Copies. Routes of kind connected and via need at least one hop. */
struct route_table *route_table_build(const struct route *routes, size_t n);
void route_table_destroy(struct route_table *t);
size_t route_table_count(const struct route_table *t);
/* The routes as given, in order of prefix, for dumps. */
const struct route *route_table_at(const struct route_table *t, size_t i);

struct route_found {
	const struct route *route;   /* NULL: none */
	const struct route_hop *hop; /* NULL for blackhole and unreachable */
	struct ip_addr next_hop;     /* whose MAC is needed; family 0 without */
	uint8_t bits;                /* leading bits of dst that decided */
	bool used_hash;              /* flow_hash chose among several hops */
};

/* flow_hash picks the hop when there are several; the same flow, the same hop;
 * a hop that goes moves only its own flows (RFC 2992). */
struct route_found route_table_find(const struct route_table *t,
				    const struct ip_addr *dst,
				    uint64_t flow_hash);
const char *route_kind_name(enum route_kind k);

#endif
