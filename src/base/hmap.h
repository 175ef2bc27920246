/* SPDX-License-Identifier: Apache-2.0 */
/* Hash map, intrusive, chained, growing.
 *
 * What      nodes live inside the members' structs; the caller computes the
 *           hash and compares keys.
 * Why so    no allocation per entry, one map type for every key.
 * Invariant H1 n_buckets is a power of two.  H2 load factor stays <= 1 after an
 *           insertion.
 * Threads   the map belongs to whoever owns the struct; no concurrent use. */
#ifndef BASE_HMAP_H
#define BASE_HMAP_H

#include "base/defs.h"

struct hmap_node {
	struct hmap_node *next;
	uint64_t hash;
};

struct hmap {
	struct hmap_node **buckets;
	size_t n_buckets;
	size_t n;
};

void hmap_init(struct hmap *m);
/* Frees the table; the members are the caller's. */
void hmap_fini(struct hmap *m);
void hmap_put(struct hmap *m, struct hmap_node *n, uint64_t hash);
/* `n` must be in the map. */
void hmap_del(struct hmap *m, struct hmap_node *n);

static inline size_t hmap_count(const struct hmap *m)
{
	return m->n;
}

/* First node with `hash`, or NULL; hmap_next_same goes on along the chain. */
struct hmap_node *hmap_first_same(const struct hmap *m, uint64_t hash);
struct hmap_node *hmap_next_same(const struct hmap_node *n);

/* Any order; hmap_next may be called after the current node was freed only when
 * the next one was fetched before (see hmap_for_each_safe). */
struct hmap_node *hmap_first(const struct hmap *m);
struct hmap_node *hmap_next(const struct hmap *m, const struct hmap_node *n);

#define hmap_entry_or_null(n, type, member)                                    \
	((n) ? container_of(n, type, member) : NULL)

#define hmap_for_each_same(pos, map, h, member)                                \
	for (struct hmap_node *pos##_n = hmap_first_same(map, h);              \
	     pos##_n &&                                                        \
	     (pos = container_of(pos##_n, __typeof__(*pos), member), true);    \
	     pos##_n = hmap_next_same(pos##_n))

#define hmap_for_each(pos, map, member)                                        \
	for (struct hmap_node *pos##_n = hmap_first(map);                      \
	     pos##_n &&                                                        \
	     (pos = container_of(pos##_n, __typeof__(*pos), member), true);    \
	     pos##_n = hmap_next(map, pos##_n))

#define hmap_for_each_safe(pos, map, member)                                   \
	for (struct hmap_node *pos##_n = hmap_first(map), *pos##_x = NULL;     \
	     pos##_n &&                                                        \
	     (pos##_x = hmap_next(map, pos##_n),                               \
	     pos = container_of(pos##_n, __typeof__(*pos), member), true);     \
	     pos##_n = pos##_x)

#endif
