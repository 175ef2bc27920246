/* SPDX-License-Identifier: Apache-2.0 */
/* Flows: the OpenFlow tables and groups of one bridge.
 *
 * What      255 tables of rules, each with match, priority, actions, cookie,
 *           timeouts and a counter; and the groups that actions name.
 * Why so    a rule is kept as the controller said it (ofwire/action.h), so that
 *           a dump says the same back; translation runs it (flow_run.c). Rules
 *           change by the hundred thousand: they live beside the snapshot, in
 *           classifiers of their own, under one stamp a bridge.
 * Invariant F1 a rule or group that readers can find is never edited: a change
 *           puts another in its place. F2 the stamp is bumped after each change
 *           (stamp.h S1). F3 `n` counts the rules of all tables.
 * Threads   find: any inside RCU. All else: the control thread.
 * Owns      its rules and groups.
 * Refs      OpenFlow 1.5.1 5. */
#ifndef PIPELINE_FLOWS_H
#define PIPELINE_FLOWS_H

#include "base/list.h"
#include "base/rcu.h"
#include "base/stamp.h"
#include "flow/classifier.h"
#include "ofwire/acts.h"
#include "ofwire/group.h"

#define FLOWS_TABLES 255u
#define FLOWS_MAX 1000000u
#define FLOWS_GROUPS_MAX 65536u
/* Buckets of a group; packets are copied to each of them at most. */
#define FLOWS_BUCKETS_MAX 256u

struct flow_rule {
	struct cls_rule cls;
	struct list timed; /* the switch's: those that end by themselves */
	struct rcu_head rcu;
	uint64_t cookie, created_ms, changed_ms;
	uint32_t counter;
	uint16_t idle, hard, importance, flags;
	uint8_t table;
	uint32_t acts_len;
	uint64_t acts[];
};

struct flow_group {
	struct of_group g; /* as it was said */
	uint32_t counter;
	uint32_t *counters; /* of the buckets */
	uint64_t created_ms;
	struct rcu_head rcu;
};

/* By id; replaced as a whole. */
struct flow_groups {
	struct rcu_head rcu;
	size_t n;
	struct flow_group *v[];
};

struct flows {
	struct stamps *stamps;
	uint32_t slot;
	struct classifier *tables[FLOWS_TABLES]; /* NULL: no rule yet */
	struct flow_groups *groups;              /* NULL: none */
	size_t n;
};

struct flows *flows_create(struct stamps *stamps, uint64_t id);
/* No reader may be in it; rules and groups go after a grace period. */
void flows_destroy(struct flows *f);
/* What was translated by it is stale. */
void flows_touch(struct flows *f);

/* A rule that nobody can find yet. */
struct flow_rule *flow_rule_create(const struct match *m, unsigned priority,
				   struct of_act_list acts);
void flow_rule_destroy(struct flow_rule *r);
static inline struct of_act_list flow_rule_acts(const struct flow_rule *r)
{
	return (struct of_act_list){
		(const struct of_act *)(const void *)r->acts, r->acts_len
	};
}

/* Into r->table; in the place of `old`, of the same match and priority, when
 * there is one: that one goes after a grace period. */
void flows_put(struct flows *f, struct flow_rule *r, struct flow_rule *old);
void flows_del(struct flows *f, struct flow_rule *r);
struct flow_rule *flows_find_exactly(const struct flows *f, uint8_t table,
				     const struct match *m, unsigned priority);
bool flows_overlap(const struct flows *f, uint8_t table, const struct match *m,
		   unsigned priority);
size_t flows_table_count(const struct flows *f, uint8_t table);
/* All rules of a table; they must not change meanwhile. */
void flows_for_each(const struct flows *f, uint8_t table,
		    void (*fn)(void *ctx, struct flow_rule *r), void *ctx);

/* The best rule for the key, or NULL; ORs the bits looked at into `mask`. */
const struct flow_rule *flows_find(const struct flows *f, uint8_t table,
				   const struct flow_key *key,
				   struct flow_mask *mask);

struct flow_group *flows_group(const struct flows *f, uint32_t id);
/* Takes it; one of the same id goes after a grace period. */
void flows_group_put(struct flows *f, struct flow_group *g);
void flows_group_del(struct flows *f, uint32_t id);
/* One that nobody can find yet; takes what *g owns. */
struct flow_group *flow_group_create(struct of_group *g);
void flow_group_destroy(struct flow_group *g);

#endif
