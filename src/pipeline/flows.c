/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/flows.h"

static struct flow_rule *rule_of(const struct cls_rule *c)
{
	return c ? container_of((struct cls_rule *)(uintptr_t)c,
				struct flow_rule, cls) :
		   NULL;
}

struct flows *flows_create(struct stamps *stamps, uint64_t id)
{
	struct flows *f = xzalloc(sizeof(*f));

	f->stamps = stamps;
	f->slot = stamp_slot(hash_u64(id, 0x666c6f7773ull));
	return f;
}

void flows_touch(struct flows *f)
{
	stamp_bump(f->stamps, f->slot);
}

/* --- rules --- */

struct flow_rule *flow_rule_create(const struct match *m, unsigned priority,
				   struct of_act_list acts)
{
	struct flow_rule *r = xzalloc(sizeof(*r) + acts.len);

	cls_rule_init(&r->cls, m, priority);
	list_init(&r->timed);
	r->acts_len = (uint32_t)acts.len;
	if (acts.len)
		memcpy(r->acts, acts.first, acts.len);
	return r;
}

void flow_rule_destroy(struct flow_rule *r)
{
	cls_rule_fini(&r->cls);
	free(r);
}

static void rule_free(struct rcu_head *head)
{
	flow_rule_destroy(container_of(head, struct flow_rule, rcu));
}

static struct classifier *table_get(struct flows *f, uint8_t table)
{
	struct classifier *c = f->tables[table];

	if (c)
		return c;
	c = xzalloc(sizeof(*c));
	classifier_init(c);
	rcu_publish(f->tables[table], c);
	return c;
}

void flows_put(struct flows *f, struct flow_rule *r, struct flow_rule *old)
{
	struct classifier *c = table_get(f, r->table);

	if (old) {
		classifier_replace(c, &old->cls, &r->cls);
		rcu_defer(&old->rcu, rule_free);
	} else {
		classifier_insert(c, &r->cls);
		f->n++;
	}
	flows_touch(f);
}

void flows_del(struct flows *f, struct flow_rule *r)
{
	classifier_remove(f->tables[r->table], &r->cls);
	f->n--;
	flows_touch(f);
	rcu_defer(&r->rcu, rule_free);
}

struct flow_rule *flows_find_exactly(const struct flows *f, uint8_t table,
				     const struct match *m, unsigned priority)
{
	const struct classifier *c = f->tables[table];

	return c ? rule_of(classifier_find_exactly(c, m, priority)) : NULL;
}

bool flows_overlap(const struct flows *f, uint8_t table, const struct match *m,
		   unsigned priority)
{
	const struct classifier *c = f->tables[table];

	return c && classifier_find_overlap(c, m, priority);
}

size_t flows_table_count(const struct flows *f, uint8_t table)
{
	return f->tables[table] ? classifier_count(f->tables[table]) : 0;
}

void flows_for_each(const struct flows *f, uint8_t table,
		    void (*fn)(void *ctx, struct flow_rule *r), void *ctx)
{
	const struct classifier *c = f->tables[table];
	struct classifier_iter i;

	if (!c)
		return;
	for (struct cls_rule *r = classifier_iter_first(&i, c); r;
	     r = classifier_iter_next(&i))
		fn(ctx, rule_of(r));
}

const struct flow_rule *flows_find(const struct flows *f, uint8_t table,
				   const struct flow_key *key,
				   struct flow_mask *mask)
{
	const struct classifier *c = rcu_load(f->tables[table]);

	return c ? rule_of(classifier_lookup(c, key, mask)) : NULL;
}

/* --- groups --- */

struct flow_group *flow_group_create(struct of_group *g)
{
	struct flow_group *fg = xzalloc(sizeof(*fg));

	fg->g = *g;
	fg->counters = xcalloc(g->n_buckets, sizeof(*fg->counters));
	memset(g, 0, sizeof(*g));
	return fg;
}

void flow_group_destroy(struct flow_group *g)
{
	of_group_fini(&g->g);
	free(g->counters);
	free(g);
}

static void group_free(struct rcu_head *head)
{
	flow_group_destroy(container_of(head, struct flow_group, rcu));
}

static void groups_free(struct rcu_head *head)
{
	free(container_of(head, struct flow_groups, rcu));
}

/* The place of the first whose id is not below. */
static size_t group_place(const struct flow_groups *g, uint32_t id)
{
	size_t low = 0, high = g ? g->n : 0;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (g->v[mid]->g.id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct flow_group *flows_group(const struct flows *f, uint32_t id)
{
	const struct flow_groups *g = rcu_load(f->groups);
	size_t at = group_place(g, id);

	return g && at < g->n && g->v[at]->g.id == id ? g->v[at] : NULL;
}

/* Publishes the groups with `with` (or nothing) in the place of `id`. */
static void groups_change(struct flows *f, uint32_t id, struct flow_group *with)
{
	struct flow_groups *old = f->groups, *g;
	struct flow_group *was = flows_group(f, id);
	size_t n = old ? old->n : 0, at = group_place(old, id);
	size_t rest = n - at - (was != NULL);

	g = xzalloc(sizeof(*g) + (n + 1) * sizeof(struct flow_group *));
	if (old)
		memcpy(g->v, old->v, at * sizeof(struct flow_group *));
	g->n = at;
	if (with)
		g->v[g->n++] = with;
	if (old)
		memcpy(g->v + g->n, old->v + n - rest,
		       rest * sizeof(struct flow_group *));
	g->n += rest;
	rcu_publish(f->groups, g);
	flows_touch(f);
	if (old)
		rcu_defer(&old->rcu, groups_free);
	if (was)
		rcu_defer(&was->rcu, group_free);
}

void flows_group_put(struct flows *f, struct flow_group *g)
{
	groups_change(f, g->g.id, g);
}

void flows_group_del(struct flows *f, uint32_t id)
{
	if (flows_group(f, id))
		groups_change(f, id, NULL);
}

void flows_destroy(struct flows *f)
{
	struct cls_rule *c;

	if (!f)
		return;
	for (unsigned t = 0; t < FLOWS_TABLES; t++) {
		if (!f->tables[t])
			continue;
		while ((c = classifier_first(f->tables[t])))
			flows_del(f, rule_of(c));
		classifier_fini(f->tables[t]);
		free(f->tables[t]);
	}
	while (f->groups && f->groups->n)
		flows_group_del(f, f->groups->v[0]->g.id);
	if (f->groups)
		rcu_defer(&f->groups->rcu, groups_free);
	free(f);
}
