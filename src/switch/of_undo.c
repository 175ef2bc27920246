/* SPDX-License-Identifier: Apache-2.0 */
/* Changes that can be taken back: all of a bundle, or none of it.
 *
 * Between begin and commit each change notes what was there before. Counters that
 * a change gives up stay taken until then, so that what comes back still counts
 * where it did. */
#include "switch/of_inside.h"

/* What was at one place: a rule (its like, told by match and priority), or a
 * group. */
struct undo {
	struct flow_rule *rule;
	struct flow_group *group;
	uint32_t group_id;
	bool was_there;
};

struct switch_of_undo {
	struct undo *v;
	size_t n, cap;
	uint32_t *counters; /* given up meanwhile */
	size_t n_counters, cap_counters;
};

void switch_of_begin(struct switch_of *of)
{
	must(!of->undo);
	of->undo = xzalloc(sizeof(*of->undo));
}

static struct undo *note(struct switch_of *of)
{
	struct switch_of_undo *u = of->undo;

	if (u->n == u->cap) {
		u->cap = u->cap * 2 + 16;
		u->v = xrealloc(u->v, u->cap * sizeof(*u->v));
	}
	u->v[u->n] = (struct undo){ 0 };
	return &u->v[u->n++];
}

static struct flow_rule *rule_copy(const struct flow_rule *r, bool acts)
{
	struct of_act_list none = flow_rule_acts(r);
	struct flow_rule *copy;
	struct match m;

	if (!acts)
		none.len = 0;
	cls_rule_match(&r->cls, &m);
	copy = flow_rule_create(&m, r->cls.priority, none);
	copy->cookie = r->cookie;
	copy->created_ms = r->created_ms;
	copy->changed_ms = r->changed_ms;
	copy->counter = r->counter;
	copy->idle = r->idle;
	copy->hard = r->hard;
	copy->importance = r->importance;
	copy->flags = r->flags;
	copy->table = r->table;
	return copy;
}

void sw_of_note_rule(struct switch_of *of, const struct flow_rule *old,
		     const struct flow_rule *now)
{
	struct undo *u;

	if (!of->undo)
		return;
	u = note(of);
	u->was_there = old;
	u->rule = rule_copy(old ? old : now, old);
}

void sw_of_note_group(struct switch_of *of, uint32_t id)
{
	const struct flow_group *old = flows_group(of->flows, id);
	struct of_group g;
	struct undo *u;

	if (!of->undo)
		return;
	u = note(of);
	u->group_id = id;
	u->was_there = old;
	if (!old)
		return;
	sw_of_group_copy(&g, &old->g);
	u->group = flow_group_create(&g);
	u->group->counter = old->counter;
	u->group->created_ms = old->created_ms;
	for (size_t i = 0; i < old->g.n_buckets; i++)
		u->group->counters[i] = old->counters[i];
}

void sw_of_give_counter(struct switch_of *of, uint32_t counter)
{
	struct switch_of_undo *u = of->undo;

	if (!u) {
		sw_counter_free(of->sw, counter);
		return;
	}
	if (u->n_counters == u->cap_counters) {
		u->cap_counters = u->cap_counters * 2 + 16;
		u->counters = xrealloc(u->counters,
				       u->cap_counters * sizeof(uint32_t));
	}
	u->counters[u->n_counters++] = counter;
}

static void undo_free(struct switch_of_undo *u)
{
	free(u->counters);
	free(u->v);
	free(u);
}

void switch_of_commit(struct switch_of *of)
{
	struct switch_of_undo *u = of->undo;

	of->undo = NULL;
	for (size_t i = 0; i < u->n; i++) {
		if (u->v[i].rule)
			flow_rule_destroy(u->v[i].rule);
		if (u->v[i].group)
			flow_group_destroy(u->v[i].group);
	}
	for (size_t i = 0; i < u->n_counters; i++)
		sw_counter_free(of->sw, u->counters[i]);
	undo_free(u);
}

static void undo_rule(struct switch_of *of, struct undo *u)
{
	struct flow_rule *now;
	struct match m;

	cls_rule_match(&u->rule->cls, &m);
	now = flows_find_exactly(of->flows, u->rule->table, &m,
				 u->rule->cls.priority);
	if (u->was_there) {
		if (now && now->counter != u->rule->counter)
			sw_counter_free(of->sw, now->counter);
		sw_of_rule_put(of, u->rule, now);
		return;
	}
	must(now);
	sw_counter_free(of->sw, now->counter);
	list_del(&now->timed);
	flows_del(of->flows, now);
	flow_rule_destroy(u->rule);
}

static void undo_group(struct switch_of *of, const struct undo *u)
{
	const struct flow_group *now = flows_group(of->flows, u->group_id);

	if (now) {
		sw_counter_free(of->sw, now->counter);
		for (size_t i = 0; i < now->g.n_buckets; i++)
			sw_counter_free(of->sw, now->counters[i]);
	}
	if (u->group)
		flows_group_put(of->flows, u->group);
	else
		flows_group_del(of->flows, u->group_id);
}

/* The last first: each finds what it left. Counters that were given up are in use
 * again; those that were taken meanwhile are not. */
void switch_of_rollback(struct switch_of *of)
{
	struct switch_of_undo *u = of->undo;

	of->undo = NULL;
	while (u->n) {
		struct undo *one = &u->v[--u->n];

		if (one->rule)
			undo_rule(of, one);
		else
			undo_group(of, one);
	}
	undo_free(u);
}
