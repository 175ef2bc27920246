/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fair.h"

#include <errno.h>

int fair_init(struct fair *f)
{
	*f = (struct fair){ 0 };
	f->owners = lazy_alloc(FAIR_MAX_OWNERS * sizeof(*f->owners));
	f->heap = lazy_alloc(FAIR_MAX_OWNERS * sizeof(*f->heap));
	if (f->owners && f->heap)
		return 0;
	fair_fini(f);
	return -ENOMEM;
}

void fair_fini(struct fair *f)
{
	if (f->owners)
		lazy_free(f->owners, FAIR_MAX_OWNERS * sizeof(*f->owners));
	if (f->heap)
		lazy_free(f->heap, FAIR_MAX_OWNERS * sizeof(*f->heap));
	*f = (struct fair){ 0 };
}

static struct fair_owner *owner_of(const struct fair *f, uint32_t owner)
{
	return &f->owners[owner % FAIR_MAX_OWNERS];
}

static uint32_t count_at(const struct fair *f, uint32_t place)
{
	return f->owners[f->heap[place]].n;
}

static void heap_set(struct fair *f, uint32_t place, uint32_t owner)
{
	f->heap[place] = owner;
	f->owners[owner].heap_at = place + 1;
}

static void heap_swap(struct fair *f, uint32_t a, uint32_t b)
{
	uint32_t owner_a = f->heap[a];

	heap_set(f, a, f->heap[b]);
	heap_set(f, b, owner_a);
}

static void heap_rise(struct fair *f, uint32_t at)
{
	while (at && count_at(f, at) > count_at(f, (at - 1) / 2)) {
		heap_swap(f, at, (at - 1) / 2);
		at = (at - 1) / 2;
	}
}

static void heap_sink(struct fair *f, uint32_t at)
{
	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child >= f->n_heap)
			return;
		if (child + 1 < f->n_heap &&
		    count_at(f, child + 1) > count_at(f, child))
			child++;
		if (count_at(f, child) <= count_at(f, at))
			return;
		heap_swap(f, at, child);
		at = child;
	}
}

static void heap_add(struct fair *f, uint32_t owner)
{
	list_init(&f->owners[owner].members);
	heap_set(f, f->n_heap++, owner);
}

/* The owner at `at` has no members left. */
static void heap_remove(struct fair *f, uint32_t at)
{
	uint32_t last = --f->n_heap;

	f->owners[f->heap[at]].heap_at = 0;
	if (at == last)
		return;
	heap_set(f, at, f->heap[last]);
	heap_rise(f, at);
	heap_sink(f, at);
}

void fair_put(struct fair *f, struct fair_member *m, uint32_t owner)
{
	struct fair_owner *o = owner_of(f, owner);

	if (!o->heap_at)
		heap_add(f, owner % FAIR_MAX_OWNERS);
	m->owner = owner;
	list_push_back(&o->members, &m->link);
	o->n++;
	f->n++;
	heap_rise(f, o->heap_at - 1);
}

void fair_del(struct fair *f, struct fair_member *m)
{
	struct fair_owner *o = owner_of(f, m->owner);

	must(o->n);
	list_del(&m->link);
	o->n--;
	f->n--;
	if (o->n)
		heap_sink(f, o->heap_at - 1);
	else
		heap_remove(f, o->heap_at - 1);
}

void fair_renew(struct fair *f, struct fair_member *m)
{
	list_del(&m->link);
	list_push_back(&owner_of(f, m->owner)->members, &m->link);
}

uint32_t fair_count(const struct fair *f, uint32_t owner)
{
	return owner_of(f, owner)->n;
}

struct fair_member *fair_oldest(const struct fair *f, uint32_t owner)
{
	const struct fair_owner *o = owner_of(f, owner);

	if (!o->n)
		return NULL;
	return list_entry(o->members.next, struct fair_member, link);
}

struct fair_member *fair_loser(const struct fair *f, uint32_t owner)
{
	if (!f->n_heap)
		return NULL;
	if (fair_count(f, owner) >= count_at(f, 0))
		return fair_oldest(f, owner);
	return fair_oldest(f, f->heap[0]);
}
