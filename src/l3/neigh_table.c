/* SPDX-License-Identifier: Apache-2.0 */
#include "l3/neigh_table.h"

#include <errno.h>

#define ID_INDEX_BITS 20
#define ID_INDEX_MASK 0xfffffu
#define ID_GENERATIONS (1u << (32 - ID_INDEX_BITS))
_Static_assert(NEIGH_LIMIT_MAX - 1 <= ID_INDEX_MASK, "an id holds an index");

/* --- life ---------------------------------------------------------------- */

int neigh_store_init(struct neigh_table *t, uint32_t limit)
{
	t->limit = limit;
	t->due_ms = UINT64_MAX;
	must(pthread_mutex_init(&t->lock, NULL) == 0);
	t->pool = lazy_alloc(limit * sizeof(*t->pool));
	t->heap = lazy_alloc(limit * sizeof(*t->heap));
	if (!t->pool || !t->heap ||
	    chain_init(&t->chain, t->pool, sizeof(*t->pool),
		       offsetof(struct neigh_entry, next), limit) < 0)
		return -ENOMEM;
	return fair_init(&t->shares);
}

void neigh_store_fini(struct neigh_table *t)
{
	chain_fini(&t->chain);
	if (t->pool)
		lazy_free(t->pool, t->limit * sizeof(*t->pool));
	if (t->heap)
		lazy_free(t->heap, t->limit * sizeof(*t->heap));
	fair_fini(&t->shares);
	pthread_mutex_destroy(&t->lock);
}

/* --- finding ------------------------------------------------------------- */

static void ip_words(const struct ip_addr *ip, uint64_t w[2])
{
	memcpy(w, ip->a.b, 16);
}

uint64_t neigh_store_hash(const struct neigh_table *t, const struct ip_addr *ip)
{
	uint64_t w[2];

	ip_words(ip, w);
	return hash_add(hash_u64(w[0], t->seed), w[1]);
}

struct store_want {
	uint64_t ip[2];
	uint64_t value;
	uint32_t id;
};

static inline bool entry_match(void *entry, void *want)
{
	struct neigh_entry *e = entry;
	struct store_want *w = want;

	w->id = NEIGH_LOAD(e->id);
	if (!w->id || NEIGH_LOAD(e->ip[0]) != w->ip[0] ||
	    NEIGH_LOAD(e->ip[1]) != w->ip[1])
		return false;
	w->value = NEIGH_LOAD(e->value);
	return NEIGH_LOAD(e->id) == w->id;
}

struct neigh_hit neigh_store_find(const struct neigh_table *t, uint64_t hash,
				  const struct ip_addr *ip)
{
	struct store_want want = { 0 };
	struct neigh_hit hit;

	ip_words(ip, want.ip);
	hit.entry = chain_find(&t->chain, hash, entry_match, &want, &hit.lost);
	hit.value = want.value;
	hit.id = want.id;
	return hit;
}

struct ip_addr neigh_entry_ip(const struct neigh_entry *e)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct ip6_addr a;

	memcpy(a.b, e->ip, sizeof(a.b));
	if (memcmp(a.b, mapped, sizeof(mapped)))
		return ip_addr_from_ip6(a);
	return ip_addr_from_ip4(get_be32(&a.b[12]));
}

/* --- the heap of deadlines ----------------------------------------------- */

static uint64_t heap_deadline(const struct neigh_table *t, uint32_t place)
{
	return t->pool[t->heap[place]].deadline_ms;
}

static void heap_set(struct neigh_table *t, uint32_t place, uint32_t index)
{
	t->heap[place] = index;
	t->pool[index].heap_at = place + 1;
}

static void heap_swap(struct neigh_table *t, uint32_t a, uint32_t b)
{
	uint32_t index_a = t->heap[a];

	heap_set(t, a, t->heap[b]);
	heap_set(t, b, index_a);
}

static void heap_rise(struct neigh_table *t, uint32_t at)
{
	while (at && heap_deadline(t, at) < heap_deadline(t, (at - 1) / 2)) {
		heap_swap(t, at, (at - 1) / 2);
		at = (at - 1) / 2;
	}
}

static void heap_sink(struct neigh_table *t, uint32_t at)
{
	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child >= t->n_heap)
			return;
		if (child + 1 < t->n_heap &&
		    heap_deadline(t, child + 1) < heap_deadline(t, child))
			child++;
		if (heap_deadline(t, child) >= heap_deadline(t, at))
			return;
		heap_swap(t, at, child);
		at = child;
	}
}

static void heap_remove(struct neigh_table *t, struct neigh_entry *e)
{
	uint32_t at = e->heap_at - 1, last = --t->n_heap;

	e->heap_at = 0;
	if (at == last)
		return;
	heap_set(t, at, t->heap[last]);
	heap_rise(t, at);
	heap_sink(t, at);
}

static void publish_due(struct neigh_table *t)
{
	NEIGH_STORE(t->due_ms, t->n_heap ? heap_deadline(t, 0) : UINT64_MAX);
}

void neigh_store_set_deadline(struct neigh_table *t, struct neigh_entry *e,
			      uint64_t deadline_ms)
{
	if (e->heap_at)
		heap_remove(t, e);
	e->deadline_ms = deadline_ms;
	if (deadline_ms != UINT64_MAX) {
		heap_set(t, t->n_heap++, (uint32_t)(e - t->pool));
		heap_rise(t, t->n_heap - 1);
	}
	publish_due(t);
}

struct neigh_entry *neigh_store_due(struct neigh_table *t, uint64_t now_ms)
{
	if (!t->n_heap || heap_deadline(t, 0) > now_ms)
		return NULL;
	return &t->pool[t->heap[0]];
}

/* --- entries come and go ------------------------------------------------- */

static struct neigh_entry *entry_alloc(struct neigh_table *t)
{
	if (t->pool_free) {
		struct neigh_entry *e = &t->pool[t->pool_free - 1];

		t->pool_free = e->free_next;
		return e;
	}
	must(t->pool_used < t->limit);
	return &t->pool[t->pool_used++];
}

static uint32_t entry_next_id(struct neigh_table *t, struct neigh_entry *e)
{
	e->gen = e->gen % (ID_GENERATIONS - 1) + 1;
	return e->gen << ID_INDEX_BITS | (uint32_t)(e - t->pool);
}

struct neigh_entry *neigh_store_add(struct neigh_table *t,
				    const struct ip_addr *ip, uint32_t in_port,
				    bool permanent)
{
	struct neigh_entry *e = entry_alloc(t);
	uint64_t hash = neigh_store_hash(t, ip), w[2];

	ip_words(ip, w);
	NEIGH_STORE(e->ip[0], w[0]);
	NEIGH_STORE(e->ip[1], w[1]);
	NEIGH_STORE(e->value, 0);
	NEIGH_STORE(e->state, NEIGH_NONE);
	e->n_solicits = e->n_waiting = 0;
	e->is_router = false;
	e->heard_ms = e->confirmed_ms = 0;
	e->mac = (struct eth_addr){ 0 };
	e->first = e->last = NULL;
	list_init(&e->share.link);
	if (!permanent)
		fair_put(&t->shares, &e->share, in_port);
	t->n++;
	NEIGH_STORE(e->id, entry_next_id(t, e));
	chain_put(&t->chain, e, hash);
	stamp_bump(t->stamps, stamp_slot(hash));
	return e;
}

void neigh_store_del(struct neigh_table *t, struct neigh_entry *e)
{
	struct ip_addr ip = neigh_entry_ip(e);
	uint64_t hash = neigh_store_hash(t, &ip);

	must(!e->n_waiting);
	neigh_store_set_deadline(t, e, UINT64_MAX);
	chain_del(&t->chain, e, hash);
	NEIGH_STORE(e->id, 0);
	if (!list_is_empty(&e->share.link))
		fair_del(&t->shares, &e->share);
	e->free_next = t->pool_free;
	t->pool_free = (uint32_t)(e - t->pool) + 1;
	t->n--;
	stamp_bump(t->stamps, stamp_slot(hash));
}

void neigh_store_show(struct neigh_table *t, struct neigh_entry *e,
		      uint64_t value)
{
	uint64_t change = e->value ^ value;
	struct ip_addr ip = neigh_entry_ip(e);

	NEIGH_STORE(e->value, value);
	if (change & ~NEIGH_V_UNSTAMPED)
		stamp_bump(t->stamps, stamp_slot(neigh_store_hash(t, &ip)));
}
