/* SPDX-License-Identifier: Apache-2.0 */
/* The two hash tables of a classifier: rules by tag, and counted tags.
 *
 * What      open addressing with linear probing over an array of 32-bit tags;
 *           twelve bytes a slot of rules, eight of counts.
 * Why so    a lookup that fails, which most are, reads tags that lie side by
 *           side and no rule. Tags alone suffice to build the next table.
 * Invariant C1 at most three quarters of the slots are used, so a probe ends.
 *           C2 a slot's tag is written once, after its rule; then it may only
 *           die. Dead slots go when the table is built anew.
 * Threads   one writer; readers inside RCU, through a pointer that the writer
 *           publishes.
 * Owns      its arrays, which go after a grace period; not the rules. */
#ifndef FLOW_CLS_TABLE_H
#define FLOW_CLS_TABLE_H

#include "base/rcu.h"

#define CLS_TAG_FREE 0u
#define CLS_TAG_DEAD 1u

struct cls_rule;

static inline uint32_t cls_tag(uint64_t hash)
{
	uint32_t tag = (uint32_t)(hash ^ hash >> 32);

	return tag <= CLS_TAG_DEAD ? tag + 2 : tag;
}

struct cls_table {
	struct rcu_head rcu;
	uint32_t mask;              /* slots - 1 */
	uint32_t used, live, first; /* nothing is alive before `first` */
	uint32_t *tags;             /* in the same piece of memory */
	struct cls_rule *rules[];
};

struct cls_count {
	uint32_t tag, n;
};

struct cls_set {
	struct rcu_head rcu;
	uint32_t mask, used, live;
	struct cls_count slots[];
};

struct cls_table *cls_table_create(void);
/* At once: nobody may read it. */
void cls_table_destroy(struct cls_table *t);
void cls_table_put(struct cls_table **t, uint32_t tag, struct cls_rule *r);
/* Puts `with` in the place of `r`, or takes r out when it is NULL. */
void cls_table_replace(struct cls_table **t, uint32_t tag, struct cls_rule *r,
		       struct cls_rule *with);
/* Slots from *at on, for the writer: the next rule, or NULL. */
struct cls_rule *cls_table_walk(struct cls_table *t, uint32_t *at);

struct cls_set *cls_set_create(void);
void cls_set_destroy(struct cls_set *s);
void cls_set_put(struct cls_set **s, uint32_t tag);
void cls_set_del(struct cls_set **s, uint32_t tag);

/* For i = tag at first: the next rule with this tag, or NULL. */
static inline struct cls_rule *cls_table_probe(const struct cls_table *t,
					       uint32_t tag, uint32_t *i)
{
	for (;;) {
		uint32_t at = (*i)++ & t->mask;
		uint32_t found = rcu_load(t->tags[at]);
		struct cls_rule *r;

		if (found == CLS_TAG_FREE)
			return NULL;
		if (found != tag)
			continue;
		r = rcu_load(t->rules[at]);
		if (r)
			return r;
	}
}

static inline bool cls_set_has(const struct cls_set *s, uint32_t tag)
{
	for (uint32_t i = tag;; i++) {
		const struct cls_count *c = &s->slots[i & s->mask];
		uint32_t found = rcu_load(c->tag);

		if (found == CLS_TAG_FREE)
			return false;
		if (found == tag)
			return __atomic_load_n(&c->n, __ATOMIC_RELAXED);
	}
}

#endif
