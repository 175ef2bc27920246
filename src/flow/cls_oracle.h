/* SPDX-License-Identifier: Apache-2.0 */
/* A classifier that cannot be wrong, for tests.
 *
 * What      the rules in a list, each lookup reads it to its end.
 * Threads   one.
 * Owns      nothing: the rules are the caller's. */
#ifndef FLOW_CLS_ORACLE_H
#define FLOW_CLS_ORACLE_H

#include "base/list.h"
#include "flow/match.h"

struct cls_oracle_rule {
	struct list link;
	struct match match;
	unsigned priority;
};

struct cls_oracle {
	struct list rules;
};

void cls_oracle_init(struct cls_oracle *o);
/* No two rules have the same match and priority. */
void cls_oracle_insert(struct cls_oracle *o, struct cls_oracle_rule *r);
void cls_oracle_remove(struct cls_oracle_rule *r);
/* The highest priority that matches, or -1. */
long cls_oracle_lookup(const struct cls_oracle *o, const struct flow_key *key);
bool cls_oracle_overlaps(const struct cls_oracle *o, const struct match *m,
			 unsigned priority);

#endif
