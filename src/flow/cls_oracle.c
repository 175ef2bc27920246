/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/cls_oracle.h"

void cls_oracle_init(struct cls_oracle *o)
{
	list_init(&o->rules);
}

void cls_oracle_insert(struct cls_oracle *o, struct cls_oracle_rule *r)
{
	list_push_back(&o->rules, &r->link);
}

void cls_oracle_remove(struct cls_oracle_rule *r)
{
	list_del(&r->link);
}

long cls_oracle_lookup(const struct cls_oracle *o, const struct flow_key *key)
{
	const struct cls_oracle_rule *r;
	long best = -1;

	list_for_each(r, &o->rules, link)
		if (match_covers(&r->match, key))
			best = MAX(best, (long)r->priority);
	return best;
}

bool cls_oracle_overlaps(const struct cls_oracle *o, const struct match *m,
			 unsigned priority)
{
	const struct cls_oracle_rule *r;

	list_for_each(r, &o->rules, link) {
		struct flow_mask both = m->mask;
		const uint64_t *a = key_words_const(&r->match.mask.bits);
		uint64_t *b = key_words(&both.bits);

		for (unsigned i = 0; i < KEY_WORDS; i++)
			b[i] &= a[i];
		if (r->priority == priority &&
		    key_equal_under(&r->match.key, &m->key, &both))
			return true;
	}
	return false;
}
