/* SPDX-License-Identifier: Apache-2.0 */
/* Fair shares: who loses an entry when a bounded table is full?
 *
 * What      members belong to owners (ports). Each owner has a list of its
 *           members, oldest first; a heap orders the owners by how many they
 *           have. The owner with most members loses its oldest.
 * Why so    a flooder fills its own share and then evicts only itself; nobody
 *           with fewer members is touched (decision D15). Cost O(log owners).
 * Invariant F1 a linked member is in exactly one owner's list. F2 the heap holds
 *           exactly the owners that have members; the root has most. F3 n is
 *           the sum of the owners' counts.
 * Bounds    FAIR_MAX_OWNERS; higher numbers share the place of number modulo
 *           that: they are counted together, never refused. Address space for
 *           the owners is reserved at once, memory is used as they appear.
 * Threads   none of its own: under the lock of the table that uses it.
 * Owns      nothing but its arrays; members live inside the table's entries. */
#ifndef BASE_FAIR_H
#define BASE_FAIR_H

#include "base/list.h"

#define FAIR_MAX_OWNERS 131072u

struct fair_member {
	struct list link;
	uint32_t owner;
};

struct fair_owner {
	struct list members; /* oldest first; unset while heap_at is 0 */
	uint32_t n;
	uint32_t heap_at; /* place in the heap plus one; 0: not in it */
};

struct fair {
	struct fair_owner *owners; /* FAIR_MAX_OWNERS, lazily in memory */
	uint32_t *heap;            /* owners, most members first */
	uint32_t n_heap;
	size_t n;
};

/* 0, or -ENOMEM when the kernel refuses the address space. */
int fair_init(struct fair *f) MUST_CHECK;
void fair_fini(struct fair *f);
/* `m` must not be linked. It becomes the youngest of `owner`. */
void fair_put(struct fair *f, struct fair_member *m, uint32_t owner);
void fair_del(struct fair *f, struct fair_member *m);
/* Makes it the youngest of its owner. */
void fair_renew(struct fair *f, struct fair_member *m);
/* How many the owner has. */
uint32_t fair_count(const struct fair *f, uint32_t owner);
/* The oldest member of `owner`, or NULL. */
struct fair_member *fair_oldest(const struct fair *f, uint32_t owner);
/* Who has to give way when `owner` wants one more and the table is full: the
 * oldest of `owner` itself when nobody has more than it, else the oldest of
 * the owner with most. NULL when there are no members. */
struct fair_member *fair_loser(const struct fair *f, uint32_t owner);

#endif
