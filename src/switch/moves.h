/* SPDX-License-Identifier: Apache-2.0 */
/* Moves: stations that changed their port, on their way to whoever watches.
 *
 * What      a small queue from workers, who see a station move, to the control
 *           thread, which tells of it.
 * Why so    telling must cost the packet path nothing: what does not fit, or
 *           comes faster than MOVES_RATE, is counted and told as a number.
 * Invariant V1 put never waits and never allocates. V2 at most MOVES_RATE a
 *           second are told, whoever moves how often.
 * Threads   put: any. take: the control thread.
 * Owns      nothing but itself. */
#ifndef SWITCH_MOVES_H
#define SWITCH_MOVES_H

#include "base/addr.h"

#define MOVES_MAX 64u
#define MOVES_RATE 100u /* a second */

struct move {
	uint32_t bridge; /* id */
	uint32_t port;   /* where it is now */
	uint16_t vid;
	struct eth_addr mac;
};

struct moves {
	bool busy; /* atomic */
	unsigned n;
	unsigned this_second; /* put in `second` */
	uint64_t second;
	uint64_t lost;
	struct move v[MOVES_MAX];
};

void moves_put(struct moves *m, const struct move *v, uint64_t now_ms);
/* Copies out what waits; *lost is how many more there were. */
unsigned moves_take(struct moves *m, struct move out[MOVES_MAX],
		    uint64_t *lost);

#endif
