/* SPDX-License-Identifier: Apache-2.0 */
/* Classifier: which rule is the best for this key, and which bits tell so?
 *
 * What      up to millions of rules (match and priority); a lookup gives the
 *           rule of highest priority that matches and ORs the bits it had to
 *           look at into a mask. Between matching rules of the same priority
 *           the choice is open, but it is one and the same for a key.
 * Why so    a tuple space: one hash table for each mask, tried in the order of
 *           its highest priority, so that a lookup ends early. Each is read
 *           stage by stage (cls_mask.h) and left at the first that has no such
 *           values; a trie for each of six fields leaves it for a few leading
 *           bits instead. Few bits looked at make wide entries in a cache;
 *           an address may be looked at without the type that says it is one.
 * Invariant C1 a key that equals in the bits looked at has the same result.
 *           C2 a subtable is never empty. C3 the highest priority noted for a
 *           subtable is not below that of any rule in it.
 * Threads   one writer (the control thread); lookups and cls_rule_match from
 *           any thread inside RCU. A change under a lookup's feet gives the
 *           result of before or of after. The writer is registered with RCU.
 * Owns      tables and tries. Rules are the caller's: freed, or inserted again,
 *           a grace period after they were removed. */
#ifndef FLOW_CLASSIFIER_H
#define FLOW_CLASSIFIER_H

#include "base/hmap.h"
#include "flow/cls_mask.h"
#include "flow/match.h"

/* Embedded in the caller's rule; 32 bytes and 8 for each word of its mask. */
struct cls_rule {
	struct cls_mask *mask;
	uint64_t *words;        /* the values, mask->n of them */
	struct cls_rule *lower; /* the same match, the next lower priority */
	unsigned priority;
	bool inserted;
};

struct cls_vector;

struct classifier {
	struct cls_vector *vector; /* subtables, highest priority first */
	struct hmap subtables;     /* by mask; the writer's */
	struct prefix_trie tries[CLS_N_PREFIXES];
	size_t n;
};

void cls_rule_init(struct cls_rule *r, const struct match *m,
		   unsigned priority);
/* Any thread; the rule must not be in a classifier. */
void cls_rule_fini(struct cls_rule *r);
/* The match it was made with. */
void cls_rule_match(const struct cls_rule *r, struct match *out);

void classifier_init(struct classifier *cls);
/* It must be empty, and no reader may be in it. */
void classifier_fini(struct classifier *cls);
static inline size_t classifier_count(const struct classifier *cls)
{
	return cls->n;
}

/* There must be no rule with this match and priority. */
void classifier_insert(struct classifier *cls, struct cls_rule *r);
void classifier_remove(struct classifier *cls, struct cls_rule *r);
/* Puts `with` in the place of r, of the same match and priority, in one step: no
 * lookup misses both. r is out then, as if removed. */
void classifier_replace(struct classifier *cls, struct cls_rule *r,
			struct cls_rule *with);

/* The best rule, or NULL; never clears a bit of *looked_at. */
const struct cls_rule *classifier_lookup(const struct classifier *cls,
					 const struct flow_key *key,
					 struct flow_mask *looked_at);

/* --- the writer's questions --- */

struct cls_rule *classifier_find_exactly(const struct classifier *cls,
					 const struct match *m,
					 unsigned priority);
/* A rule of the same priority that shares a key with the match, or NULL. Reads
 * all rules of other masks: linear (OpenFlow 1.5.1 6.4, CHECK_OVERLAP). */
struct cls_rule *classifier_find_overlap(const struct classifier *cls,
					 const struct match *m,
					 unsigned priority);
/* Any rule, or NULL when empty: for emptying it, in linear time. */
struct cls_rule *classifier_first(const struct classifier *cls);

/* All rules, in any order; the classifier must not change meanwhile:
 * for (r = classifier_iter_first(&i, cls); r; r = classifier_iter_next(&i)) */
struct classifier_iter {
	const struct classifier *cls;
	unsigned subtable;
	uint32_t slot;
	struct cls_rule *lower;
};

struct cls_rule *classifier_iter_first(struct classifier_iter *i,
				       const struct classifier *cls);
struct cls_rule *classifier_iter_next(struct classifier_iter *i);

#endif
