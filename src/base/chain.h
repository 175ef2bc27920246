/* SPDX-License-Identifier: Apache-2.0 */
/* Chains: a hash table whose readers take no lock and whose entries never move.
 *
 * What      buckets and links over a pool of entries of the owner's; a link is
 *           an entry's number plus one.
 * Why so    an entry may be reused at once, with no grace period: each chain ends
 *           in a mark that names its bucket, so a reader who stood on an entry
 *           that went over to another chain arrives at a foreign mark, and
 *           starts again. So nothing is allocated or deferred per entry.
 * Invariant C1 an entry is in at most one chain. C2 `match` has to verify that
 *           the entry was not reused while it was read (key or id read twice).
 *           C3 an entry that is free keeps its link.
 * Bounds    a reader takes CHAIN_STEPS steps and starts CHAIN_TRIES times; then
 *           it is lost, and has to treat its answer as stale.
 * Threads   find: any. put, del: one at a time, under the owner's lock.
 * Owns      the buckets. The pool is the owner's, and outlives the readers. */
#ifndef BASE_CHAIN_H
#define BASE_CHAIN_H

#include <errno.h>

#include "base/defs.h"

#define CHAIN_END 0x80000000u
#define CHAIN_TRIES 8u
#define CHAIN_STEPS 1024u
#define CHAIN_MIN_BUCKETS 16u

struct chain {
	uint32_t *buckets; /* lazily in memory */
	uint32_t mask;     /* of buckets */
	char *pool;
	size_t stride;  /* bytes of an entry */
	size_t next_at; /* offset of its link, a uint32_t */
};

static inline size_t chain_bytes(const struct chain *c)
{
	return (c->mask + 1ul) * sizeof(*c->buckets);
}

/* Buckets for `n` entries of `pool`. 0, or -ENOMEM. */
static inline int MUST_CHECK chain_init(struct chain *c, void *pool,
					size_t stride, size_t next_at,
					uint32_t n)
{
	*c = (struct chain){ .pool = pool,
			     .stride = stride,
			     .next_at = next_at };
	c->mask = CHAIN_MIN_BUCKETS - 1;
	while (c->mask + 1 < n)
		c->mask = c->mask * 2 + 1;
	c->buckets = lazy_alloc(chain_bytes(c));
	return c->buckets ? 0 : -ENOMEM;
}

static inline void chain_fini(struct chain *c)
{
	if (c->buckets)
		lazy_free(c->buckets, chain_bytes(c));
	c->buckets = NULL;
}

static inline void *chain_entry(const struct chain *c, uint32_t link)
{
	return c->pool + (link - 1) * c->stride;
}

static inline uint32_t *chain_next(const struct chain *c, uint32_t link)
{
	return (uint32_t *)(void *)((char *)chain_entry(c, link) + c->next_at);
}

static inline uint32_t chain_link_of(const struct chain *c, const void *entry)
{
	return (uint32_t)((size_t)((const char *)entry - c->pool) / c->stride) +
	       1;
}

/* The entry that `match` accepts, or NULL; *lost: there may be one after all. */
static inline __attribute__((always_inline)) void *
chain_find(const struct chain *c, uint64_t hash,
	   bool (*match)(void *entry, void *want), void *want, bool *lost)
{
	uint32_t bucket = (uint32_t)hash & c->mask, steps = 0, at;

	*lost = false;
	for (unsigned i = 0; i < CHAIN_TRIES; i++) {
		at = __atomic_load_n(&c->buckets[bucket], __ATOMIC_ACQUIRE);
		while (at && !(at & CHAIN_END) && steps++ < CHAIN_STEPS) {
			if (match(chain_entry(c, at), want))
				return chain_entry(c, at);
			at = __atomic_load_n(chain_next(c, at),
					     __ATOMIC_ACQUIRE);
		}
		if (!at || at == (CHAIN_END | bucket))
			return NULL;
	}
	*lost = true;
	return NULL;
}

/* Readers may find it from here on: its key is set. */
static inline void chain_put(struct chain *c, void *entry, uint64_t hash)
{
	uint32_t bucket = (uint32_t)hash & c->mask;
	uint32_t head = c->buckets[bucket], self = chain_link_of(c, entry);

	__atomic_store_n(chain_next(c, self), head ? head : CHAIN_END | bucket,
			 __ATOMIC_RELEASE);
	__atomic_store_n(&c->buckets[bucket], self, __ATOMIC_RELEASE);
}

/* It must be in the chain of `hash`. */
static inline void chain_del(struct chain *c, void *entry, uint64_t hash)
{
	uint32_t *link = &c->buckets[(uint32_t)hash & c->mask];
	uint32_t self = chain_link_of(c, entry);

	while (*link != self) {
		must(*link && !(*link & CHAIN_END));
		link = chain_next(c, *link);
	}
	__atomic_store_n(link, *chain_next(c, self), __ATOMIC_RELEASE);
}

#endif
