/* SPDX-License-Identifier: Apache-2.0 */
/* Rule tables: match, priority, actions.
 *
 * What      a rule and the table that finds the best one for a key.
 * Why so    the programmable part of a bridge: what its rules do not send to
 *           `normal` never meets the learning bridge.
 * Actions   an edit shows to what follows, also to `normal` and `resubmit`, which
 *           drop what the key cannot describe any more (MPLS, outer headers, a
 *           third tag). `normal` forwards a copy, unless it is last: what
 *           follows gets the packet as it was. `drop` ends the list.
 * Threads   put and del: the control thread. find: any thread inside RCU.
 * Owns      the table owns its rules. */
#ifndef PIPELINE_RULE_H
#define PIPELINE_RULE_H

#include "flow/action.h"
#include "flow/classifier.h"
#include "flow/match.h"
#include "pipeline/snapshot.h"

#define RULE_PRIORITY_DEFAULT 32768u

struct rule {
	struct cls_rule cls;
	uint32_t counter; /* id in EFFECT_COUNT */
	struct snap_origin origin;
	struct rcu_head rcu;
	uint32_t actions_len;
	uint64_t actions[];
};

struct rule_table;

struct rule_table *rule_table_create(void);
/* Rules go after a grace period. */
void rule_table_destroy(struct rule_table *t);
/* What a rule is beside its match. */
struct rule_what {
	unsigned priority;
	struct act_list actions;
	uint32_t counter;
	struct snap_origin origin;
};
/* Adds, or replaces the rule of the same match and priority: readers find the
 * one or the other, whole. */
struct rule *rule_table_put(struct rule_table *t, const struct match *m,
			    const struct rule_what *what);
bool rule_table_del(struct rule_table *t, const struct match *m,
		    unsigned priority);
unsigned rule_table_count(const struct rule_table *t);
/* The best rule for the key, or NULL; ORs the bits looked at into `mask`. */
const struct rule *rule_table_find(const struct rule_table *t,
				   const struct flow_key *key,
				   struct flow_mask *mask);

static inline struct act_list rule_actions(const struct rule *r)
{
	return (struct act_list){ (const struct act *)(const void *)r->actions,
				  r->actions_len };
}

/* A rule as text says it: "priority=100,tcp,tp_dst=23 actions=drop". Large: not
 * for the stack. */
struct rule_spec {
	struct match match;
	unsigned priority;
	struct acts actions;
};

int rule_parse(const char *text, const struct act_names *names,
	       struct rule_spec *out, struct err *e) MUST_CHECK;

#endif
