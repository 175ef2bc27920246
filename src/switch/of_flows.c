/* SPDX-License-Identifier: Apache-2.0 */
/* Rules that controllers change, ask for, and that end by themselves. */
#include "switch/of_inside.h"

#define SCAN_MS 1000u
#define STATE_FLAGS                                                            \
	(OF_FLOW_SEND_REM | OF_FLOW_NO_PKT_COUNTS | OF_FLOW_NO_BYT_COUNTS)

/* --- which rules are meant --- */

struct rules {
	struct flow_rule **v;
	size_t n, cap;
	struct of_flow_query q;
};

static bool is_empty(const struct flow_mask *m)
{
	struct flow_words w = mask_words(m);

	return !(w.w[0] | w.w[1]);
}

static bool is_meant(const struct of_flow_query *q, const struct flow_rule *r)
{
	struct match m;

	if ((r->cookie ^ q->cookie) & q->cookie_mask)
		return false;
	if ((q->out_port != OF_PORT_NONE || q->out_group != OF_GROUP_ANY) &&
	    !sw_of_acts_name(flow_rule_acts(r), q->out_port, q->out_group))
		return false;
	if (is_empty(&q->match.mask))
		return true;
	cls_rule_match(&r->cls, &m);
	return mask_is_subset(&q->match.mask, &m.mask) &&
	       key_equal_under(&q->match.key, &m.key, &q->match.mask);
}

static void collect(void *ctx, struct flow_rule *r)
{
	struct rules *out = ctx;

	if (!is_meant(&out->q, r))
		return;
	if (out->n == out->cap) {
		out->cap = out->cap * 2 + 16;
		out->v = xrealloc(out->v, out->cap * sizeof(*out->v));
	}
	out->v[out->n++] = r;
}

/* Of one table, or of all. The caller frees v. */
static struct rules find_loose(const struct switch_of *of,
			       const struct of_flow_query *q)
{
	struct rules out = { .q = *q };

	for (unsigned t = 0; t < FLOWS_TABLES; t++)
		if (q->table == OF_TABLE_ALL || q->table == t)
			flows_for_each(of->flows, (uint8_t)t, collect, &out);
	return out;
}

static struct rules find_strict(const struct switch_of *of,
				const struct of_flow_mod *fm,
				const struct of_flow_query *q)
{
	struct rules out = { .q = *q }; /* any match: it is the match already */

	for (unsigned t = 0; t < FLOWS_TABLES; t++) {
		struct flow_rule *r;

		if (q->table != OF_TABLE_ALL && q->table != t)
			continue;
		r = flows_find_exactly(of->flows, (uint8_t)t, &fm->match,
				       fm->priority);
		if (r)
			collect(&out, r);
	}
	return out;
}

static struct rules find_rules(const struct switch_of *of,
			       const struct of_flow_mod *fm, bool strict)
{
	struct of_flow_query q = { .table = fm->table,
				   .out_port = fm->out_port,
				   .out_group = fm->out_group,
				   .cookie = fm->cookie,
				   .cookie_mask = fm->cookie_mask };

	if (strict)
		return find_strict(of, fm, &q);
	q.match = fm->match;
	return find_loose(of, &q);
}

/* --- what a rule counted --- */

static uint64_t used_ms(const struct switch_of *of, const struct flow_rule *r)
{
	return MAX(switch_used_ms(of->sw, r->counter), r->changed_ms);
}

static struct of_counts counts_of(const struct switch_of *of,
				  const struct flow_rule *r)
{
	uint64_t now = sw_now(of->sw), age = now - r->created_ms;
	struct of_counts c = { .flows = 1 };

	switch_count(of->sw, r->counter, &c.packets, &c.bytes);
	c.duration_sec = (uint32_t)(age / 1000);
	c.duration_nsec = (uint32_t)(age % 1000 * 1000000);
	c.idle_sec = (uint32_t)((now - MIN(now, used_ms(of, r))) / 1000);
	return c;
}

void sw_of_rule_gone(struct switch_of *of, struct flow_rule *r, uint8_t reason)
{
	struct of_flow_removed fr = { .reason = reason,
				      .table = r->table,
				      .priority = (uint16_t)r->cls.priority,
				      .idle = r->idle,
				      .hard = r->hard,
				      .cookie = r->cookie };
	bool told =
		r->flags & OF_FLOW_SEND_REM && of->ops && of->ops->flow_removed;
	uint32_t counter = r->counter;

	if (told)
		cls_rule_match(&r->cls, &fr.match);
	fr.counts = counts_of(of, r);
	sw_of_note_rule(of, r, NULL);
	list_del(&r->timed);
	flows_del(of->flows, r);
	sw_of_give_counter(of, counter);
	if (told)
		of->ops->flow_removed(of->ctx, &fr);
}

/* --- changes --- */

/* In the place of `old`, or new. */
void sw_of_rule_put(struct switch_of *of, struct flow_rule *r,
		    struct flow_rule *old)
{
	if (old)
		list_del(&old->timed);
	flows_put(of->flows, r, old);
	if (!r->idle && !r->hard)
		return;
	list_push_back(&of->timed, &r->timed);
	if (of->next_ms != UINT64_MAX)
		return;
	of->next_ms = sw_now(of->sw) + SCAN_MS;
	sw_arm(of->sw);
}

static enum of_error add(struct switch_of *of, const struct of_flow_mod *fm)
{
	uint8_t table = fm->table == OF_TABLE_ALL ? 0 : fm->table;
	struct flow_rule *old, *r;

	if (fm->flags & OF_FLOW_CHECK_OVERLAP &&
	    flows_overlap(of->flows, table, &fm->match, fm->priority))
		return OF_OFPFMFC_OVERLAP;
	old = flows_find_exactly(of->flows, table, &fm->match, fm->priority);
	if (!old && of->flows->n >= FLOWS_MAX)
		return OF_OFPFMFC_TABLE_FULL;
	r = flow_rule_create(&fm->match, fm->priority, of_acts_list(&fm->acts));
	r->table = table;
	r->cookie = fm->new_cookie == OF_COOKIE_KEEP ? 0 : fm->new_cookie;
	r->idle = fm->idle;
	r->hard = fm->hard;
	r->importance = fm->importance;
	r->flags = fm->flags & STATE_FLAGS;
	r->created_ms = r->changed_ms = sw_now(of->sw);
	if (old && !(fm->flags & OF_FLOW_RESET_COUNTS)) {
		r->counter = old->counter;
	} else {
		if (old)
			sw_of_give_counter(of, old->counter);
		r->counter = sw_counter_take(of->sw);
	}
	sw_of_note_rule(of, old, r);
	sw_of_rule_put(of, r, old);
	return OF_OK;
}

/* Its actions (and cookie) are others; the rest stays. */
static void modify_one(struct switch_of *of, const struct of_flow_mod *fm,
		       struct flow_rule *old)
{
	struct flow_rule *r;
	struct match m;

	cls_rule_match(&old->cls, &m);
	r = flow_rule_create(&m, old->cls.priority, of_acts_list(&fm->acts));
	r->table = old->table;
	r->cookie =
		fm->new_cookie == OF_COOKIE_KEEP ? old->cookie : fm->new_cookie;
	r->idle = old->idle;
	r->hard = old->hard;
	r->importance = old->importance;
	r->flags = old->flags;
	r->created_ms = old->created_ms;
	r->changed_ms = sw_now(of->sw);
	r->counter = old->counter;
	if (fm->flags & OF_FLOW_RESET_COUNTS) {
		sw_of_give_counter(of, old->counter);
		r->counter = sw_counter_take(of->sw);
	}
	sw_of_note_rule(of, old, r);
	sw_of_rule_put(of, r, old);
}

/* Before 1.2 what nothing matches is added (1.1.0 B.6.12). */
static enum of_error modify(struct switch_of *of, const struct of_flow_mod *fm,
			    bool strict)
{
	struct rules rules = find_rules(of, fm, strict);

	for (size_t i = 0; i < rules.n; i++)
		modify_one(of, fm, rules.v[i]);
	free(rules.v);
	if (rules.n || fm->cookie_mask || fm->new_cookie == OF_COOKIE_KEEP)
		return OF_OK;
	return add(of, fm);
}

static void delete (struct switch_of *of, const struct of_flow_mod *fm,
		    bool strict)
{
	struct rules rules = find_rules(of, fm, strict);

	for (size_t i = 0; i < rules.n; i++)
		sw_of_rule_gone(of, rules.v[i], OF_REMOVED_DELETE);
	free(rules.v);
}

enum of_error switch_of_flow_mod(struct switch_of *of,
				 const struct of_flow_mod *fm)
{
	uint8_t table = fm->table == OF_TABLE_ALL ? 0 : fm->table;
	enum of_error e = OF_OK;

	if (fm->flags & OF_FLOW_EMERG)
		return OF_OFPFMFC_BAD_FLAGS;
	if (fm->command < OF_FLOW_DELETE)
		e = switch_of_check(of, of_acts_list(&fm->acts), table);
	if (e)
		return e;
	switch ((enum of_flow_command)fm->command) {
	case OF_FLOW_ADD:
		return add(of, fm);
	case OF_FLOW_MODIFY:
		return modify(of, fm, false);
	case OF_FLOW_MODIFY_STRICT:
		return modify(of, fm, true);
	case OF_FLOW_DELETE:
		delete (of, fm, false);
		return OF_OK;
	case OF_FLOW_DELETE_STRICT:
		delete (of, fm, true);
		return OF_OK;
	}
	return OF_OFPFMFC_BAD_COMMAND;
}

void sw_of_group_gone(struct switch_of *of, uint32_t group)
{
	struct of_flow_query q = { .table = OF_TABLE_ALL,
				   .out_port = OF_PORT_NONE,
				   .out_group = group };
	struct rules rules = find_loose(of, &q);

	for (size_t i = 0; i < rules.n; i++)
		sw_of_rule_gone(of, rules.v[i], OF_REMOVED_GROUP);
	free(rules.v);
}

void switch_of_reset(struct switch_of *of)
{
	struct of_flow_mod fm = { .command = OF_FLOW_DELETE,
				  .table = OF_TABLE_ALL,
				  .out_port = OF_PORT_NONE,
				  .out_group = OF_GROUP_ANY };

	delete (of, &fm, false);
	fm.command = OF_FLOW_ADD;
	fm.table = 0;
	of_acts_output(&fm.acts, OF_PORT_NORMAL, 0);
	must(!add(of, &fm));
	of_acts_fini(&fm.acts);
}

/* --- asking --- */

static int32_t seconds_since(uint64_t now, uint64_t then)
{
	return (int32_t)MIN((now - MIN(now, then)) / 1000, (uint64_t)INT32_MAX);
}

static struct of_flow_stats stats_of(const struct switch_of *of,
				     struct flow_rule *r)
{
	struct of_act_list acts = flow_rule_acts(r);
	uint64_t now = sw_now(of->sw);
	struct of_flow_stats fs = {
		.table = r->table,
		.priority = (uint16_t)r->cls.priority,
		.idle = r->idle,
		.hard = r->hard,
		.importance = r->importance,
		.flags = r->flags,
		.cookie = r->cookie,
		.counts = counts_of(of, r),
		.idle_age = seconds_since(now, used_ms(of, r)),
		.hard_age = seconds_since(now, r->changed_ms),
		/* Borrowed: nobody changes or frees it. */
		.acts = { (char *)(uintptr_t)acts.first, acts.len, acts.len },
	};

	cls_rule_match(&r->cls, &fs.match);
	return fs;
}

void switch_of_flows(const struct switch_of *of, const struct of_flow_query *q,
		     void (*fn)(void *ctx, const struct of_flow_stats *fs),
		     void *ctx)
{
	struct rules rules = find_loose(of, q);

	for (size_t i = 0; i < rules.n; i++) {
		struct of_flow_stats fs = stats_of(of, rules.v[i]);

		fn(ctx, &fs);
	}
	free(rules.v);
}

void switch_of_aggregate(const struct switch_of *of,
			 const struct of_flow_query *q,
			 struct of_counts *counts)
{
	struct rules rules = find_loose(of, q);

	*counts = (struct of_counts){ .flows = (uint32_t)rules.n };
	for (size_t i = 0; i < rules.n; i++) {
		struct of_counts c = counts_of(of, rules.v[i]);

		counts->packets += c.packets;
		counts->bytes += c.bytes;
	}
	free(rules.v);
}

size_t switch_of_table_count(const struct switch_of *of, uint8_t table)
{
	return table < FLOWS_TABLES ? flows_table_count(of->flows, table) : 0;
}

/* --- time --- */

uint64_t sw_of_deadline(const struct switch_of *of)
{
	return of->next_ms;
}

static bool has_ended(const struct switch_of *of, const struct flow_rule *r,
		      uint8_t *reason)
{
	uint64_t now = sw_now(of->sw);

	if (r->hard && now - r->changed_ms >= r->hard * 1000ull) {
		*reason = OF_REMOVED_HARD;
		return true;
	}
	*reason = OF_REMOVED_IDLE;
	return r->idle && now >= used_ms(of, r) + r->idle * 1000ull;
}

void sw_of_tick(struct switch_of *of)
{
	struct flow_rule *r, *next;
	uint8_t reason;

	if (sw_now(of->sw) < of->next_ms)
		return;
	list_for_each_safe(r, next, &of->timed, timed)
		if (has_ended(of, r, &reason))
			sw_of_rule_gone(of, r, reason);
	of->next_ms = list_is_empty(&of->timed) ? UINT64_MAX :
						  sw_now(of->sw) + SCAN_MS;
}
