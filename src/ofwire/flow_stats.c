/* SPDX-License-Identifier: Apache-2.0 */
#include "ofwire/flow.h"

#include "ofwire/wire.h"

#define NXST_FLOW 0u
#define NXST_AGGREGATE 1u
#define NXT_FLOW_REMOVED 14u

/* --- which flows --- */

struct query {
	struct of_flow_query q;
	uint16_t match_len;
};

static const struct wire query10[] = {
	W_INT(struct query, q.table, 1),
	W_PAD(1),
	W_PORT(struct query, q.out_port, 2),
	W_END,
};
static const struct wire query_nx[] = {
	W_PORT(struct query, q.out_port, 2),
	W_INT(struct query, match_len, 2),
	W_INT(struct query, q.table, 1),
	W_PAD(3),
	W_END,
};
static const struct wire query11[] = {
	W_INT(struct query, q.table, 1),
	W_PAD(3),
	W_PORT(struct query, q.out_port, 4),
	W_INT(struct query, q.out_group, 4),
	W_PAD(4),
	W_INT(struct query, q.cookie, 8),
	W_INT(struct query, q.cookie_mask, 8),
	W_END,
};

static enum of_error query_nx_get(struct cursor *c, struct query *q)
{
	struct of_cookie cookie;
	enum of_error e;

	wire_read(c, query_nx, q);
	e = of_nxm_get(c, q->match_len, OF_MATCH_STRICT, &q->q.match, &cookie);
	q->q.cookie = cookie.value;
	q->q.cookie_mask = cookie.mask;
	return e;
}

enum of_error of_flow_query_decode(const struct of_msg *m,
				   struct of_flow_query *q)
{
	struct query all = { .q.out_group = OF_GROUP_ANY };
	struct cursor c = m->body;
	unsigned v = m->h.version;
	enum of_error e;

	if (m->family == OF_FAMILY_NXSTAT) {
		e = query_nx_get(&c, &all);
	} else if (v == OF10) {
		e = of_match_get(&c, v, OF_MATCH_STRICT, &all.q.match);
		wire_read(&c, query10, &all);
	} else {
		wire_read(&c, query11, &all);
		e = of_match_get(&c, v, OF_MATCH_STRICT, &all.q.match);
		all.q.cookie &= all.q.cookie_mask;
	}
	*q = all.q;
	return e ? e : of_msg_done(&c);
}

void of_flow_query_encode(struct of_out *o, enum of_kind kind,
			  const struct of_dialect *d, uint32_t xid,
			  const struct of_flow_query *q)
{
	struct of_cookie cookie = { q->cookie, q->cookie_mask };
	uint16_t number = NXST_AGGREGATE;
	struct query all = { .q = *q };
	size_t at, head, len;

	if (kind == OF_FLOW_STATS_REQUEST)
		number = NXST_FLOW;
	if (d->version == OF10 && d->nxm) {
		at = of_msg_begin_as(o, OF_FAMILY_NXSTAT, number, OF10, xid);
		head = o->len;
		wire_write(o, query_nx, &all);
		len = of_nxm_put(o, &q->match, &cookie);
		of_out_patch16(o, head + 2, len);
	} else {
		at = of_msg_begin(o, kind, d->version, xid);
		if (d->version > OF10)
			wire_write(o, query11, &all);
		of_match_put(o, d->version, &q->match);
		if (d->version == OF10)
			wire_write(o, query10, &all);
	}
	of_msg_end(o, at);
}

/* --- one flow --- */

struct stats {
	struct of_flow_stats s;
	uint16_t len, match_len, idle_age, hard_age;
};

#define STATS_TIMES                                                            \
	W_INT(struct stats, s.counts.duration_sec, 4),                         \
		W_INT(struct stats, s.counts.duration_nsec, 4),                \
		W_INT(struct stats, s.priority, 2),                            \
		W_INT(struct stats, s.idle, 2), W_INT(struct stats, s.hard, 2)
#define STATS_COUNTS                                                           \
	W_INT(struct stats, s.cookie, 8),                                      \
		W_INT(struct stats, s.counts.packets, 8),                      \
		W_INT(struct stats, s.counts.bytes, 8)

static const struct wire stats_head[] = {
	W_INT(struct stats, len, 2),
	W_INT(struct stats, s.table, 1),
	W_PAD(1),
	W_END,
};
static const struct wire stats10[] = { STATS_TIMES, W_PAD(6), STATS_COUNTS,
				       W_END };
static const struct wire stats11[] = { STATS_TIMES, W_PAD(6), STATS_COUNTS,
				       W_END };
static const struct wire stats13[] = {
	STATS_TIMES, W_INT(struct stats, s.flags, 2), W_PAD(4), STATS_COUNTS,
	W_END,
};
static const struct wire stats14[] = {
	STATS_TIMES,
	W_INT(struct stats, s.flags, 2),
	W_INT(struct stats, s.importance, 2),
	W_PAD(2),
	STATS_COUNTS,
	W_END,
};
static const struct wire stats_nx[] = {
	STATS_TIMES,
	W_INT(struct stats, match_len, 2),
	W_INT(struct stats, idle_age, 2),
	W_INT(struct stats, hard_age, 2),
	STATS_COUNTS,
	W_END,
};
static const struct wire stats15[] = {
	W_INT(struct stats, len, 2),
	W_PAD(2),
	W_INT(struct stats, s.table, 1),
	W_PAD(1),
	W_INT(struct stats, s.priority, 2),
	W_INT(struct stats, s.idle, 2),
	W_INT(struct stats, s.hard, 2),
	W_INT(struct stats, s.flags, 2),
	W_INT(struct stats, s.importance, 2),
	W_INT(struct stats, s.cookie, 8),
	W_END,
};

static const struct wire *stats_table(unsigned version)
{
	if (version <= OF12)
		return stats11;
	return version == OF13 ? stats13 : stats14;
}

void of_flow_stats_fini(struct of_flow_stats *fs)
{
	of_acts_fini(&fs->acts);
}

/* Nicira's ages are one more than they say; 0: not known. */
static uint16_t age_out(int32_t age)
{
	return age < 0 ? 0 : (uint16_t)MIN((uint32_t)age + 1u, 0xffffu);
}

void of_flow_stats_encode(struct of_out *o, const struct of_dialect *d,
			  const struct of_flow_stats *fs)
{
	struct stats all = { .s = *fs,
			     .idle_age = age_out(fs->idle_age),
			     .hard_age = age_out(fs->hard_age) };
	struct of_act_list list = of_acts_list(&fs->acts);
	unsigned v = d->version;
	size_t begin = o->len;

	wire_write(o, v == OF15 ? stats15 : stats_head, &all);
	if (v == OF10 && d->nxm) {
		wire_write(o, stats_nx, &all);
		of_out_patch16(o, begin + 18, of_nxm_put(o, &fs->match, NULL));
	} else if (v == OF10) {
		of_match_put(o, v, &fs->match);
		wire_write(o, stats10, &all);
	} else {
		if (v < OF15)
			wire_write(o, stats_table(v), &all);
		of_match_put(o, v, &fs->match);
		if (v == OF15)
			oxs_put(o, &fs->counts, OXS_FLOW);
	}
	if (v == OF10)
		(void)of_acts_encode(o, v, list);
	else
		(void)of_insts_encode(o, v, list);
	/* One too long for its length is too long for a message as well, and
	 * of_parts_end drops it. */
	of_out_patch16(o, begin, MIN(o->len - begin, UINT16_MAX));
}

static enum of_error stats_get(struct cursor *c, const struct of_msg *m,
			       struct stats *all)
{
	unsigned v = m->h.version;
	struct match *match = &all->s.match;
	enum of_error e;

	wire_read(c, v == OF15 ? stats15 : stats_head, all);
	if (m->family == OF_FAMILY_NXSTAT_REPLY) {
		wire_read(c, stats_nx, all);
		return of_nxm_get(c, all->match_len, OF_MATCH_LOOSE, match,
				  NULL);
	}
	if (v == OF10) {
		e = of_match_get(c, v, OF_MATCH_LOOSE, match);
		wire_read(c, stats10, all);
		return e;
	}
	if (v < OF15)
		wire_read(c, stats_table(v), all);
	e = of_match_get(c, v, OF_MATCH_LOOSE, match);
	return !e && v == OF15 ? oxs_get(c, &all->s.counts) : e;
}

enum of_error of_flow_stats_decode(struct of_msg *m, struct of_flow_stats *fs)
{
	struct cursor peek = m->body, part;
	struct stats all = { 0 };
	enum of_error e;

	part = cursor_sub(&m->body, cursor_u16(&peek));
	if (part.failed || cursor_at_end(&part))
		return OF_OFPBRC_BAD_LEN;
	e = stats_get(&part, m, &all);
	if (!e && part.failed)
		e = OF_OFPBRC_BAD_LEN;
	if (e)
		return e;
	all.s.idle_age = (int32_t)all.idle_age - 1;
	all.s.hard_age = (int32_t)all.hard_age - 1;
	e = m->h.version == OF10 ?
		    of_acts_decode(part, OF10, &all.s.acts) :
		    of_insts_decode(part, m->h.version, &all.s.acts);
	if (e)
		of_flow_stats_fini(&all.s);
	*fs = all.s;
	return e;
}

/* --- aggregates --- */

static const struct wire aggregate[] = {
	W_INT(struct of_counts, packets, 8),
	W_INT(struct of_counts, bytes, 8),
	W_INT(struct of_counts, flows, 4),
	W_PAD(4),
	W_END,
};

void of_aggregate_encode(struct of_out *o, const struct of_dialect *d,
			 uint32_t xid, const struct of_counts *counts)
{
	bool nx = d->version == OF10 && d->nxm;
	size_t at =
		nx ? of_msg_begin_as(o, OF_FAMILY_NXSTAT_REPLY, NXST_AGGREGATE,
				     OF10, xid) :
		     of_msg_begin(o, OF_AGGREGATE_STATS_REPLY, d->version, xid);

	if (d->version == OF15)
		oxs_put(o, counts, OXS_AGGREGATE);
	else
		wire_write(o, aggregate, counts);
	of_msg_end(o, at);
}

enum of_error of_aggregate_decode(const struct of_msg *m,
				  struct of_counts *counts)
{
	struct cursor c = m->body;

	memset(counts, 0, sizeof(*counts));
	if (m->h.version == OF15)
		return oxs_get(&c, counts);
	wire_read(&c, aggregate, counts);
	return of_msg_done(&c);
}

/* --- removals --- */

struct removed {
	struct of_flow_removed r;
	uint16_t match_len;
	uint8_t table_plus; /* Nicira's: one more than the table; 0 not said */
};

#define REMOVED_COUNTS                                                         \
	W_INT(struct removed, r.counts.packets, 8),                            \
		W_INT(struct removed, r.counts.bytes, 8), W_END
#define REMOVED_TIMES                                                          \
	W_INT(struct removed, r.counts.duration_sec, 4),                       \
		W_INT(struct removed, r.counts.duration_nsec, 4),              \
		W_INT(struct removed, r.idle, 2)

static const struct wire removed10[] = {
	W_INT(struct removed, r.cookie, 8),
	W_INT(struct removed, r.priority, 2),
	W_INT(struct removed, r.reason, 1),
	W_PAD(1),
	REMOVED_TIMES,
	W_PAD(2),
	REMOVED_COUNTS,
};
static const struct wire removed11[] = {
	W_INT(struct removed, r.cookie, 8),
	W_INT(struct removed, r.priority, 2),
	W_INT(struct removed, r.reason, 1),
	W_INT(struct removed, r.table, 1),
	REMOVED_TIMES,
	W_INT(struct removed, r.hard, 2),
	REMOVED_COUNTS,
};
static const struct wire removed_nx[] = {
	W_INT(struct removed, r.cookie, 8),
	W_INT(struct removed, r.priority, 2),
	W_INT(struct removed, r.reason, 1),
	W_INT(struct removed, table_plus, 1),
	REMOVED_TIMES,
	W_INT(struct removed, match_len, 2),
	REMOVED_COUNTS,
};
static const struct wire removed15[] = {
	W_INT(struct removed, r.table, 1),
	W_INT(struct removed, r.reason, 1),
	W_INT(struct removed, r.priority, 2),
	W_INT(struct removed, r.idle, 2),
	W_INT(struct removed, r.hard, 2),
	W_INT(struct removed, r.cookie, 8),
	W_END,
};

void of_flow_removed_encode(struct of_out *o, const struct of_dialect *d,
			    uint32_t xid, const struct of_flow_removed *fr)
{
	struct removed all = { .r = *fr,
			       .table_plus = (uint8_t)(fr->table + 1) };
	unsigned v = d->version;
	size_t at, head;

	if (v == OF11)
		all.r.hard = 0;
	if (v == OF10 && d->nxm) {
		at = of_msg_begin_as(o, OF_FAMILY_NX, NXT_FLOW_REMOVED, v, xid);
		head = o->len;
		wire_write(o, removed_nx, &all);
		of_out_patch16(o, head + 22, of_nxm_put(o, &fr->match, NULL));
	} else {
		at = of_msg_begin(o, OF_FLOW_REMOVED, v, xid);
		if (v > OF10)
			wire_write(o, v == OF15 ? removed15 : removed11, &all);
		of_match_put(o, v, &fr->match);
		if (v == OF10)
			wire_write(o, removed10, &all);
		else if (v == OF15)
			oxs_put(o, &fr->counts, OXS_FLOW);
	}
	of_msg_end(o, at);
}

static enum of_error removed_get(struct cursor *c, const struct of_msg *m,
				 struct removed *all)
{
	unsigned v = m->h.version;
	enum of_error e;

	if (m->family == OF_FAMILY_NX) {
		wire_read(c, removed_nx, all);
		all->r.table = (uint8_t)(all->table_plus - 1);
		return of_nxm_get(c, all->match_len, OF_MATCH_LOOSE,
				  &all->r.match, NULL);
	}
	if (v > OF10)
		wire_read(c, v == OF15 ? removed15 : removed11, all);
	e = of_match_get(c, v, OF_MATCH_LOOSE, &all->r.match);
	if (e)
		return e;
	if (v == OF15)
		return oxs_get(c, &all->r.counts);
	if (v == OF10) {
		wire_read(c, removed10, all);
		all->r.table = OF_TABLE_ALL;
	}
	return OF_OK;
}

enum of_error of_flow_removed_decode(const struct of_msg *m,
				     struct of_flow_removed *fr)
{
	struct removed all = { 0 };
	struct cursor c = m->body;
	enum of_error e = removed_get(&c, m, &all);

	if (m->h.version == OF11)
		all.r.hard = 0;
	*fr = all.r;
	return e ? e : of_msg_done(&c);
}
