/* SPDX-License-Identifier: Apache-2.0 */
/* Groups that controllers change and ask for. */
#include "switch/of_inside.h"

#define CHAIN_MAX 32u

/* --- judging --- */

static bool leads_to(const struct switch_of *of, struct of_act_list acts,
		     uint32_t id, unsigned depth);

static bool group_leads_to(const struct switch_of *of, const struct of_group *g,
			   uint32_t id, unsigned depth)
{
	for (size_t i = 0; i < g->n_buckets; i++)
		if (leads_to(of, of_acts_list(&g->buckets[i].acts), id, depth))
			return true;
	return false;
}

/* Chains deeper than CHAIN_MAX count as loops. */
static bool leads_to(const struct switch_of *of, struct of_act_list acts,
		     uint32_t id, unsigned depth)
{
	of_act_for_each(a, acts) {
		const struct of_act_int *v = (const void *)a;
		const struct flow_group *g;

		if (a->kind != OFA_GROUP) {
			if (leads_to(of, of_act_nested(a), id, depth))
				return true;
			continue;
		}
		g = flows_group(of->flows, (uint32_t)v->v);
		if (v->v == id || depth > CHAIN_MAX ||
		    (g && group_leads_to(of, &g->g, id, depth + 1)))
			return true;
	}
	return false;
}

static bool has_id_twice(const struct of_group *g)
{
	for (size_t i = 0; i < g->n_buckets; i++)
		for (size_t k = 0; k < i; k++)
			if (g->buckets[i].id == g->buckets[k].id)
				return true;
	return false;
}

static enum of_error check_group(const struct switch_of *of,
				 const struct of_group *g)
{
	if (g->n_buckets > FLOWS_BUCKETS_MAX)
		return OF_OFPGMFC_OUT_OF_BUCKETS;
	if (g->type == OF_GROUP_TYPE_INDIRECT && g->n_buckets != 1)
		return OF_OFPGMFC_INVALID_GROUP;
	if (has_id_twice(g))
		return OF_OFPGMFC_BUCKET_EXISTS;
	if (group_leads_to(of, g, g->id, 0))
		return OF_OFPGMFC_LOOP;
	for (size_t i = 0; i < g->n_buckets; i++) {
		enum of_error e = switch_of_check(
			of, of_acts_list(&g->buckets[i].acts), 0);

		if (e)
			return e;
	}
	return OF_OK;
}

/* --- changing --- */

static void give_counters(struct switch_of *of, const struct flow_group *g)
{
	sw_of_give_counter(of, g->counter);
	for (size_t i = 0; i < g->g.n_buckets; i++)
		sw_of_give_counter(of, g->counters[i]);
}

/* Puts *g, whose buckets it takes; what it replaces keeps its age. */
static enum of_error put(struct switch_of *of, struct of_group *g)
{
	const struct flow_group *old = flows_group(of->flows, g->id);
	enum of_error e = check_group(of, g);
	struct flow_group *fg;

	if (e)
		return e;
	sw_of_note_group(of, g->id);
	fg = flow_group_create(g);
	fg->created_ms = old ? old->created_ms : sw_now(of->sw);
	if (old)
		give_counters(of, old);
	fg->counter = sw_counter_take(of->sw);
	for (size_t i = 0; i < fg->g.n_buckets; i++)
		fg->counters[i] = sw_counter_take(of->sw);
	flows_group_put(of->flows, fg);
	return OF_OK;
}

static enum of_error add(struct switch_of *of, struct of_group *g)
{
	if (flows_group(of->flows, g->id))
		return OF_OFPGMFC_GROUP_EXISTS;
	if (of->flows->groups && of->flows->groups->n >= FLOWS_GROUPS_MAX)
		return OF_OFPGMFC_OUT_OF_GROUPS;
	return put(of, g);
}

static void delete_one(struct switch_of *of, uint32_t id)
{
	sw_of_group_gone(of, id);
	sw_of_note_group(of, id);
	give_counters(of, flows_group(of->flows, id));
	flows_group_del(of->flows, id);
}

static void delete (struct switch_of *of, uint32_t id)
{
	if (id != OF_GROUP_ALL) {
		if (flows_group(of->flows, id))
			delete_one(of, id);
		return;
	}
	while (of->flows->groups && of->flows->groups->n)
		delete_one(of, of->flows->groups->v[0]->g.id);
}

/* --- buckets --- */

static void bucket_copy(struct of_group *to, const struct of_bucket *from)
{
	struct of_bucket *b = of_group_bucket(to);
	struct of_acts acts = OF_ACTS_INIT;

	of_acts_append(&acts, of_acts_list(&from->acts));
	*b = *from;
	b->acts = acts;
}

/* As the group is, without buckets. */
static struct of_group head_of(const struct of_group *g)
{
	struct of_group out = *g;

	out.buckets = NULL;
	out.n_buckets = 0;
	return out;
}

static void copy_all(struct of_group *to, const struct of_group *from)
{
	for (size_t i = 0; i < from->n_buckets; i++)
		bucket_copy(to, &from->buckets[i]);
}

void sw_of_group_copy(struct of_group *to, const struct of_group *from)
{
	*to = head_of(from);
	copy_all(to, from);
}

static bool has_bucket(const struct of_group *g, uint32_t id)
{
	for (size_t i = 0; i < g->n_buckets; i++)
		if (g->buckets[i].id == id)
			return true;
	return false;
}

static enum of_error insert(struct switch_of *of, const struct of_group *g)
{
	const struct flow_group *old = flows_group(of->flows, g->id);
	uint32_t at = g->command_bucket;
	struct of_group out;
	enum of_error e;

	if (!old)
		return OF_OFPGMFC_UNKNOWN_GROUP;
	if (at < OF_BUCKET_MAX && !has_bucket(&old->g, at))
		return OF_OFPGMFC_UNKNOWN_BUCKET;
	out = head_of(&old->g);
	if (at == OF_BUCKET_FIRST)
		copy_all(&out, g);
	for (size_t i = 0; i < old->g.n_buckets; i++) {
		bucket_copy(&out, &old->g.buckets[i]);
		if (old->g.buckets[i].id == at)
			copy_all(&out, g);
	}
	if (at == OF_BUCKET_LAST)
		copy_all(&out, g);
	e = put(of, &out);
	of_group_fini(&out);
	return e;
}

static bool is_removed(const struct of_group *g, size_t i, uint32_t which)
{
	switch (which) {
	case OF_BUCKET_ALL:
		return true;
	case OF_BUCKET_FIRST:
		return i == 0;
	case OF_BUCKET_LAST:
		return i + 1 == g->n_buckets;
	default:
		return g->buckets[i].id == which;
	}
}

static enum of_error take_out(struct switch_of *of, const struct of_group *g)
{
	const struct flow_group *old = flows_group(of->flows, g->id);
	uint32_t which = g->command_bucket;
	struct of_group out;
	enum of_error e;

	if (!old)
		return OF_OFPGMFC_UNKNOWN_GROUP;
	if (which < OF_BUCKET_MAX && !has_bucket(&old->g, which))
		return OF_OFPGMFC_UNKNOWN_BUCKET;
	out = head_of(&old->g);
	for (size_t i = 0; i < old->g.n_buckets; i++)
		if (!is_removed(&old->g, i, which))
			bucket_copy(&out, &old->g.buckets[i]);
	e = put(of, &out);
	of_group_fini(&out);
	return e;
}

enum of_error switch_of_group_mod(struct switch_of *of, struct of_group *g)
{
	switch (g->command) {
	case OF_GROUP_ADD:
		return add(of, g);
	case OF_GROUP_MODIFY:
		return flows_group(of->flows, g->id) ? put(of, g) :
						       OF_OFPGMFC_UNKNOWN_GROUP;
	case OF_GROUP_ADD_OR_MODIFY:
		return flows_group(of->flows, g->id) ? put(of, g) : add(of, g);
	case OF_GROUP_DELETE:
		delete (of, g->id);
		return OF_OK;
	case OF_GROUP_INSERT_BUCKET:
		return insert(of, g);
	case OF_GROUP_REMOVE_BUCKET:
		return take_out(of, g);
	default: /* a number from the wire */
		return OF_OFPGMFC_BAD_COMMAND;
	}
}

/* --- asking --- */

static void stats_of(const struct switch_of *of, const struct flow_group *g,
		     struct of_group_stats *s)
{
	uint64_t age = sw_now(of->sw) - g->created_ms;

	*s = (struct of_group_stats){
		.id = g->g.id,
		.duration_sec = (uint32_t)(age / 1000),
		.duration_nsec = (uint32_t)(age % 1000 * 1000000),
		.buckets = xcalloc(g->g.n_buckets, sizeof(*s->buckets)),
		.n_buckets = g->g.n_buckets,
	};
	switch_count(of->sw, g->counter, &s->packets, &s->bytes);
	for (size_t i = 0; i < g->g.n_buckets; i++)
		switch_count(of->sw, g->counters[i], &s->buckets[i].packets,
			     &s->buckets[i].bytes);
}

void switch_of_groups(const struct switch_of *of, uint32_t id,
		      void (*fn)(void *ctx, const struct of_group *g,
				 const struct of_group_stats *s),
		      void *ctx)
{
	const struct flow_groups *all = of->flows->groups;

	for (size_t i = 0; all && i < all->n; i++) {
		const struct flow_group *g = all->v[i];
		struct of_group_stats s;

		if (id != OF_GROUP_ALL && id != OF_GROUP_ANY && id != g->g.id)
			continue;
		stats_of(of, g, &s);
		fn(ctx, &g->g, &s);
		of_group_stats_fini(&s);
	}
}
