/* SPDX-License-Identifier: Apache-2.0 */
/* Token bucket.
 *
 * What      how many things a second, with how large a burst.
 * Units     tokens are counted in thousandths so that slow rates are exact;
 *           time is monotonic milliseconds given by the caller.
 * Threads   none of its own. */
#ifndef BASE_BUCKET_H
#define BASE_BUCKET_H

#include "base/defs.h"

struct bucket {
	uint64_t rate;    /* tokens a second; 0 = unlimited */
	uint64_t burst;   /* tokens */
	uint64_t milli;   /* thousandths of tokens at hand */
	uint64_t last_ms; /* when `milli` was brought up to date */
};

static inline void bucket_init(struct bucket *b, uint64_t rate, uint64_t burst,
			       uint64_t now_ms)
{
	*b = (struct bucket){ rate, burst, burst * 1000, now_ms };
}

/* Takes `n` tokens when they are there: true. Never goes below zero. */
static inline bool bucket_take(struct bucket *b, uint64_t n, uint64_t now_ms)
{
	if (!b->rate)
		return true;
	if (now_ms > b->last_ms) {
		uint64_t fill_ms = MIN(now_ms - b->last_ms, 1000000u);

		b->milli = MIN(b->milli + fill_ms * b->rate, b->burst * 1000);
		b->last_ms = now_ms;
	}
	if (b->milli < n * 1000)
		return false;
	b->milli -= n * 1000;
	return true;
}

#endif
