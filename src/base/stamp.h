/* SPDX-License-Identifier: Apache-2.0 */
/* Stamps: what a cached verdict depended on, as numbers to compare.
 *
 * What      a table of counters. Whoever looks something up that may change
 *           (a MAC, a neighbour, the snapshot) notes the counter of what it
 *           asked and its value; whoever changes the thing bumps its counter.
 *           A verdict is fresh while all the counters it noted still stand.
 * Why so    invalidation is exact, immediate and lazy: no sweep over the cache
 *           when one MAC moves. Two things that share a counter cost a needless
 *           re-translation, never a wrong verdict.
 * Invariant S1 a counter only grows, and is bumped after the change is visible
 *           to readers. S2 a dependency notes the value read *before* the
 *           lookup, so a change in between shows.
 * Threads   any. */
#ifndef BASE_STAMP_H
#define BASE_STAMP_H

#include "base/defs.h"
#include "base/hash.h"

#define STAMP_SLOTS 65536u
/* Slot 0 is the snapshot's generation; hashed things use the others. */
#define STAMP_SNAPSHOT 0u

struct stamps {
	uint32_t v[STAMP_SLOTS];
};

/* One dependency: this counter had this value. */
struct dep {
	uint32_t slot;
	uint32_t value;
};

/* The slot of something named by a 64-bit hash. */
static inline uint32_t stamp_slot(uint64_t hash)
{
	return 1u + (uint32_t)((hash >> 32) % (STAMP_SLOTS - 1));
}

static inline struct dep stamp_read(const struct stamps *s, uint32_t slot)
{
	return (struct dep){ slot,
			     __atomic_load_n(&s->v[slot], __ATOMIC_ACQUIRE) };
}

static inline void stamp_bump(struct stamps *s, uint32_t slot)
{
	__atomic_add_fetch(&s->v[slot], 1, __ATOMIC_RELEASE);
}

static inline bool stamp_is_fresh(const struct stamps *s, struct dep d)
{
	return __atomic_load_n(&s->v[d.slot], __ATOMIC_ACQUIRE) == d.value;
}

#endif
