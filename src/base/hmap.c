/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hmap.h"

#define HMAP_MIN_BUCKETS 4

void hmap_init(struct hmap *m)
{
	*m = (struct hmap){ 0 };
}

void hmap_fini(struct hmap *m)
{
	free(m->buckets);
	hmap_init(m);
}

static struct hmap_node **hmap_bucket(const struct hmap *m, uint64_t hash)
{
	return &m->buckets[hash & (m->n_buckets - 1)];
}

static void hmap_link(struct hmap *m, struct hmap_node *n)
{
	struct hmap_node **b = hmap_bucket(m, n->hash);

	n->next = *b;
	*b = n;
}

static void hmap_grow(struct hmap *m)
{
	struct hmap_node **old = m->buckets;
	size_t n_old = m->n_buckets;

	m->n_buckets = n_old ? n_old * 2 : HMAP_MIN_BUCKETS;
	m->buckets = xcalloc(m->n_buckets, sizeof(*m->buckets));
	for (size_t i = 0; i < n_old; i++) {
		while (old[i]) {
			struct hmap_node *n = old[i];

			old[i] = n->next;
			hmap_link(m, n);
		}
	}
	free(old);
}

void hmap_put(struct hmap *m, struct hmap_node *n, uint64_t hash)
{
	if (m->n >= m->n_buckets)
		hmap_grow(m);
	n->hash = hash;
	hmap_link(m, n);
	m->n++;
}

void hmap_del(struct hmap *m, struct hmap_node *n)
{
	struct hmap_node **p = hmap_bucket(m, n->hash);

	while (*p != n) {
		must(*p);
		p = &(*p)->next;
	}
	*p = n->next;
	n->next = NULL;
	m->n--;
}

static struct hmap_node *same_from(struct hmap_node *n, uint64_t hash)
{
	while (n && n->hash != hash)
		n = n->next;
	return n;
}

struct hmap_node *hmap_first_same(const struct hmap *m, uint64_t hash)
{
	return m->n ? same_from(*hmap_bucket(m, hash), hash) : NULL;
}

struct hmap_node *hmap_next_same(const struct hmap_node *n)
{
	return same_from(n->next, n->hash);
}

static struct hmap_node *first_from(const struct hmap *m, size_t i)
{
	for (; i < m->n_buckets; i++)
		if (m->buckets[i])
			return m->buckets[i];
	return NULL;
}

struct hmap_node *hmap_first(const struct hmap *m)
{
	return first_from(m, 0);
}

struct hmap_node *hmap_next(const struct hmap *m, const struct hmap_node *n)
{
	if (n->next)
		return n->next;
	return first_from(m, (n->hash & (m->n_buckets - 1)) + 1);
}
