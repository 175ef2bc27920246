/* SPDX-License-Identifier: Apache-2.0 */
/* Storm control: how much broadcast, multicast and unknown unicast a port may
 * send into its bridge.
 *
 * What      limits of a port, and the numbers of the datapath meters that count
 *           against them.
 * Why so    the datapath's meters do the counting, on the worker, per packet;
 *           this only decides which meter a port uses and how it is set. Two
 *           ports never share a meter: one port's storm does not use up
 *           another's allowance.
 * Invariant T1 a meter number is in [first, first + n) and has one holder.
 * Threads   the control thread. */
#ifndef L2_STORM_H
#define L2_STORM_H

#include "base/defs.h"

enum storm_kind {
	STORM_BROADCAST,
	STORM_MULTICAST,
	STORM_UNKNOWN, /* unicast to a station nobody has seen */
	N_STORM_KINDS
};

/* Packets a second and in a burst; rate 0: no limit, no meter. */
struct storm_limit {
	uint64_t rate, burst;
};

struct storm_limits {
	struct storm_limit of[N_STORM_KINDS];
};

/* Far above what a healthy port broadcasts (ARP for a /16 swept in ten seconds
 * is 6500 a second), far below what hurts. Multicast is not limited by default:
 * one video stream is more than any limit that would protect. */
#define STORM_BROADCAST_RATE 10000u
#define STORM_UNKNOWN_RATE 100000u

struct storm_limits storm_limits_default(void);
const char *storm_kind_name(enum storm_kind k);

/* Meter numbers of one port; 0: none. */
struct storm_meters {
	uint32_t id[N_STORM_KINDS];
};

#define STORM_MAX_METERS 65536u
struct storm {
	uint32_t first, n; /* numbers that may be given; first is not 0 */
	uint32_t hint;
	uint64_t used[STORM_MAX_METERS / 64];
};

/* `n` numbers from `first` (at least 1) on; first + n <= STORM_MAX_METERS. */
void storm_init(struct storm *s, uint32_t first, uint32_t n);
/* Gives a meter for each limit that has a rate and takes back the others.
 * `m` starts zeroed and stays with the port. 0, or -ENOSPC with `m` as it was. */
int storm_assign(struct storm *s, const struct storm_limits *l,
		 struct storm_meters *m) MUST_CHECK;
void storm_release(struct storm *s, struct storm_meters *m);

#endif
