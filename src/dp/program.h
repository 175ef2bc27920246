/* SPDX-License-Identifier: Apache-2.0 */
/* Programs: action lists, each kept once.
 *
 * What      interns action lists: equal lists are one object with a count.
 * Why so    a million flows to a thousand stations have a thousand programs;
 *           comparing two verdicts' actions is comparing two pointers.
 * Bounds    PROGRAMS_MAX, and the slab it is given.
 * Threads   one owner. */
#ifndef DP_PROGRAM_H
#define DP_PROGRAM_H

#include "dp/slab.h"
#include "flow/action.h"

#define PROGRAMS_MAX (1u << 20)

struct program {
	struct program *next;
	uint64_t hash;
	uint32_t refs;
	uint32_t len;
	/* The one thing most programs do, found out once: a single output. */
	uint32_t only_output; /* port, or 0 */
	uint16_t only_drop;   /* enum drop, or 0 */
	uint16_t zero;
	uint64_t actions[];
};

struct programs {
	struct slab *slab;
	struct program **buckets; /* lazily touched */
	size_t n_buckets;
	uint32_t n;
};

int programs_init(struct programs *ps, struct slab *slab) MUST_CHECK;
void programs_fini(struct programs *ps);
/* The program of the list, counted once more; NULL when there is no room. */
struct program *program_get(struct programs *ps, struct act_list list);
void program_put(struct programs *ps, struct program *p);

static inline struct act_list program_list(const struct program *p)
{
	return (struct act_list){ (const struct act *)(const void *)p->actions,
				  p->len };
}

#endif
