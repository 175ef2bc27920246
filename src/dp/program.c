/* SPDX-License-Identifier: Apache-2.0 */
#include "dp/program.h"

#include <errno.h>

#include "base/hash.h"

#define PROGRAM_BUCKETS 65536u

int programs_init(struct programs *ps, struct slab *slab)
{
	*ps = (struct programs){ .slab = slab, .n_buckets = PROGRAM_BUCKETS };
	ps->buckets = lazy_alloc(ps->n_buckets * sizeof(*ps->buckets));
	return ps->buckets ? 0 : -ENOMEM;
}

void programs_fini(struct programs *ps)
{
	lazy_free(ps->buckets, ps->n_buckets * sizeof(*ps->buckets));
	*ps = (struct programs){ 0 };
}

static struct program **bucket(struct programs *ps, uint64_t hash)
{
	return &ps->buckets[hash & (ps->n_buckets - 1)];
}

static struct program *program_find(struct programs *ps, struct act_list list,
				    uint64_t hash)
{
	struct program *p = *bucket(ps, hash);

	while (p && (p->hash != hash || p->len != list.len ||
		     memcmp(p->actions, list.first, list.len)))
		p = p->next;
	return p;
}

/* Notes the two shapes that the fast path takes without the interpreter. */
static void program_recognise(struct program *p)
{
	struct act_list list = program_list(p);

	p->only_output = 0;
	p->only_drop = 0;
	if (!list.len) {
		p->only_drop = DROP_NO_RULE;
	} else if (list.first->len == list.len) {
		const struct act_port *out = (const void *)list.first;
		const struct act_drop *drop = (const void *)list.first;

		if (list.first->op == ACT_OUTPUT)
			p->only_output = out->port;
		else if (list.first->op == ACT_DROP)
			p->only_drop = (uint16_t)drop->reason;
	}
}

struct program *program_get(struct programs *ps, struct act_list list)
{
	uint64_t hash = hash_bytes(list.first, list.len, 0);
	struct program *p = program_find(ps, list, hash), **b;

	if (p) {
		p->refs++;
		return p;
	}
	if (ps->n >= PROGRAMS_MAX)
		return NULL;
	p = slab_alloc(ps->slab, sizeof(*p) + list.len);
	if (!p)
		return NULL;
	b = bucket(ps, hash);
	*p = (struct program){
		.next = *b, .hash = hash, .refs = 1, .len = list.len
	};
	memcpy(p->actions, list.first, list.len);
	program_recognise(p);
	*b = p;
	ps->n++;
	return p;
}

void program_put(struct programs *ps, struct program *p)
{
	struct program **b;

	if (--p->refs)
		return;
	for (b = bucket(ps, p->hash); *b != p; b = &(*b)->next)
		;
	*b = p->next;
	ps->n--;
	slab_free(ps->slab, p, sizeof(*p) + p->len);
}
