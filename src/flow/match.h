/* SPDX-License-Identifier: Apache-2.0 */
/* A match: which keys a rule is for.
 *
 * What      a key and a mask: a packet's key matches when it equals in the bits
 *           of the mask. And its text, as the field's own tools write it:
 *           "tcp,nw_src=10.0.0.0/8,tp_dst=80".
 * Why so    text in and out of one table (fields.def); parse(format(m)) == m.
 * Invariant T1 bits of the key outside the mask are zero. T2 the prerequisites
 *           of every field it names are part of it.
 * Threads   values.
 * Refs      ovs-fields(7), ovs-ofctl(8) for the words. */
#ifndef FLOW_MATCH_H
#define FLOW_MATCH_H

#include "base/err.h"
#include "base/str.h"
#include "flow/field.h"
#include "flow/key.h"

struct match {
	struct flow_key key;
	struct flow_mask mask;
};

void match_init(struct match *m); /* matches everything */
static inline bool match_covers(const struct match *m, const struct flow_key *k)
{
	return key_equal_under(&m->key, k, &m->mask);
}
bool match_equal(const struct match *a, const struct match *b);

int match_parse(const char *text, struct match *m, struct err *e) MUST_CHECK;
/* "" becomes "any". */
void match_format(const struct match *m, struct str *out);
/* A whole key in the same words; fields that are zero are left out. */
void key_format(const struct flow_key *k, struct str *out);
/* "in_port=1,tcp,..." -> key; masks are refused. */
int key_parse(const char *text, struct flow_key *k, struct err *e) MUST_CHECK;

#endif
