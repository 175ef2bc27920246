/* SPDX-License-Identifier: Apache-2.0 */
/* Slabs: memory for a cache's entries, preallocated and lazily touched.
 *
 * What      blocks in steps of 64 bytes up to 2 kB, then in powers of two up to
 *           64 kB, from one reserved range of address space.
 * Why so    the packet path must not call malloc; pages that were never needed
 *           cost nothing. A freed block goes to its own size's list.
 * Bounds    the range given at init; slab_alloc says NULL when it is used up.
 * Threads   one owner. */
#ifndef DP_SLAB_H
#define DP_SLAB_H

#include "base/defs.h"

#define SLAB_STEP 64u
#define SLAB_SMALL_MAX 2048u
#define SLAB_LARGE_MAX 65536u
#define SLAB_CLASSES (SLAB_SMALL_MAX / SLAB_STEP + 5u)

struct slab_free {
	struct slab_free *next;
};

struct slab {
	char *base;
	size_t size, used;
	struct slab_free *free[SLAB_CLASSES];
};

/* 0, or -ENOMEM when the kernel refuses the address space. */
int slab_init(struct slab *s, size_t size) MUST_CHECK;
void slab_fini(struct slab *s);
/* 64-byte aligned, not cleared; n <= SLAB_LARGE_MAX. */
void *slab_alloc(struct slab *s, size_t n);
/* n as it was asked for. */
void slab_free(struct slab *s, void *p, size_t n);

/* A block's place in steps from the base, and back. */
static inline uint32_t slab_index(const struct slab *s, const void *p)
{
	return (uint32_t)((size_t)((const char *)p - s->base) / SLAB_STEP);
}

static inline void *slab_at(const struct slab *s, uint32_t index)
{
	return s->base + (size_t)index * SLAB_STEP;
}

#endif
