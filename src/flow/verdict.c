/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/verdict.h"

void verdict_init(struct verdict *v)
{
	memset(&v->mask, 0, sizeof(v->mask));
	MASK_SET(&v->mask, in_port);
	v->n_deps = 0;
	v->n_effects = 0;
	v->cacheable = true;
	v->drop = DROP_NONE;
	acts_clear(&v->actions);
}

/* The same slot asked twice: the older value is the one that must stand, for a
 * change between the two reads has to show (stamp.h S2). */
void verdict_add_dep(struct verdict *v, struct dep d)
{
	for (unsigned i = 0; i < v->n_deps; i++)
		if (v->deps[i].slot == d.slot)
			return;
	if (v->n_deps < VERDICT_MAX_DEPS)
		v->deps[v->n_deps++] = d;
	else
		v->cacheable = false;
}

void verdict_add_effect(struct verdict *v, const struct effect *e)
{
	for (unsigned i = 0; i < v->n_effects; i++)
		if (!memcmp(&v->effects[i], e, sizeof(*e)))
			return;
	if (v->n_effects < VERDICT_MAX_EFFECTS)
		v->effects[v->n_effects++] = *e;
	else
		v->cacheable = false;
}
