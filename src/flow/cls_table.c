/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/cls_table.h"

#define SLOTS_MIN 4u
#define SLOTS_MAX (1u << 30)

/* Slots for so many: between a quarter and a half of them are used. */
static uint32_t slots_for(uint32_t n)
{
	uint32_t slots = SLOTS_MIN;

	while (slots / 2 < n)
		slots *= 2;
	must(slots <= SLOTS_MAX);
	return slots;
}

static bool is_full(uint32_t used, uint32_t mask)
{
	return used + 1 > mask / 4 * 3 + 2;
}

static bool is_sparse(uint32_t live, uint32_t mask)
{
	return mask >= SLOTS_MIN * 4 && live < mask / 8;
}

/* --- rules --- */

static struct cls_table *table_create(uint32_t slots)
{
	struct cls_table *t =
		xzalloc(sizeof(*t) +
			slots * (sizeof(t->rules[0]) + sizeof(t->tags[0])));

	t->mask = slots - 1;
	t->tags = (uint32_t *)(void *)&t->rules[slots];
	return t;
}

struct cls_table *cls_table_create(void)
{
	return table_create(SLOTS_MIN);
}

void cls_table_destroy(struct cls_table *t)
{
	free(t);
}

static void table_free(struct rcu_head *head)
{
	free(container_of(head, struct cls_table, rcu));
}

static void table_add(struct cls_table *t, uint32_t tag, struct cls_rule *r)
{
	uint32_t i = tag & t->mask;

	while (t->tags[i] != CLS_TAG_FREE)
		i = (i + 1) & t->mask;
	rcu_publish(t->rules[i], r);
	rcu_publish(t->tags[i], tag);
	t->used++;
	t->live++;
	t->first = MIN(t->first, i);
}

static void table_rebuild(struct cls_table **tp)
{
	struct cls_table *old = *tp,
			 *t = table_create(slots_for(old->live + 1));

	t->first = t->mask;
	for (uint32_t i = old->first; i <= old->mask; i++)
		if (old->tags[i] > CLS_TAG_DEAD)
			table_add(t, old->tags[i], old->rules[i]);
	rcu_publish(*tp, t);
	rcu_defer(&old->rcu, table_free);
}

void cls_table_put(struct cls_table **t, uint32_t tag, struct cls_rule *r)
{
	if (is_full((*t)->used, (*t)->mask))
		table_rebuild(t);
	table_add(*t, tag, r);
}

void cls_table_replace(struct cls_table **tp, uint32_t tag, struct cls_rule *r,
		       struct cls_rule *with)
{
	struct cls_table *t = *tp;
	uint32_t i = tag & t->mask;

	while (t->rules[i] != r) {
		must(t->tags[i] != CLS_TAG_FREE);
		i = (i + 1) & t->mask;
	}
	rcu_publish(t->rules[i], with);
	if (with)
		return;
	rcu_publish(t->tags[i], CLS_TAG_DEAD);
	if (is_sparse(--t->live, t->mask))
		table_rebuild(tp);
}

struct cls_rule *cls_table_walk(struct cls_table *t, uint32_t *at)
{
	bool from_start = *at <= t->first;

	for (uint32_t i = MAX(*at, t->first); i <= t->mask; i++) {
		if (t->tags[i] <= CLS_TAG_DEAD)
			continue;
		if (from_start)
			t->first = i;
		*at = i + 1;
		return t->rules[i];
	}
	return NULL;
}

/* --- counted tags --- */

static struct cls_set *set_create(uint32_t slots)
{
	struct cls_set *s = xzalloc(sizeof(*s) + slots * sizeof(s->slots[0]));

	s->mask = slots - 1;
	return s;
}

struct cls_set *cls_set_create(void)
{
	return set_create(SLOTS_MIN);
}

void cls_set_destroy(struct cls_set *s)
{
	free(s);
}

static void set_free(struct rcu_head *head)
{
	free(container_of(head, struct cls_set, rcu));
}

/* The tag's slot, or the free one where it would go. */
static struct cls_count *set_slot(struct cls_set *s, uint32_t tag)
{
	uint32_t i = tag & s->mask;

	while (s->slots[i].tag != tag && s->slots[i].tag != CLS_TAG_FREE)
		i = (i + 1) & s->mask;
	return &s->slots[i];
}

static void set_count(struct cls_set *s, struct cls_count *c, uint32_t n)
{
	s->live += !c->n && n;
	s->live -= c->n && !n;
	__atomic_store_n(&c->n, n, __ATOMIC_RELAXED);
}

static void set_add(struct cls_set *s, struct cls_count *c, uint32_t tag,
		    uint32_t n)
{
	set_count(s, c, n);
	rcu_publish(c->tag, tag);
	s->used++;
}

static void set_rebuild(struct cls_set **sp)
{
	struct cls_set *old = *sp, *s = set_create(slots_for(old->live + 1));

	for (uint32_t i = 0; i <= old->mask; i++) {
		struct cls_count *c = &old->slots[i];

		if (c->n)
			set_add(s, set_slot(s, c->tag), c->tag, c->n);
	}
	rcu_publish(*sp, s);
	rcu_defer(&old->rcu, set_free);
}

void cls_set_put(struct cls_set **sp, uint32_t tag)
{
	struct cls_count *c = set_slot(*sp, tag);

	if (c->tag == tag) {
		set_count(*sp, c, c->n + 1);
		return;
	}
	if (is_full((*sp)->used, (*sp)->mask)) {
		set_rebuild(sp);
		c = set_slot(*sp, tag);
	}
	set_add(*sp, c, tag, 1);
}

void cls_set_del(struct cls_set **sp, uint32_t tag)
{
	struct cls_count *c = set_slot(*sp, tag);

	must(c->tag == tag && c->n);
	set_count(*sp, c, c->n - 1);
	if (is_sparse((*sp)->live, (*sp)->mask))
		set_rebuild(sp);
}
