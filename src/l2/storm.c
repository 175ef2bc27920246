/* SPDX-License-Identifier: Apache-2.0 */
#include "l2/storm.h"

#include <errno.h>

struct storm_limits storm_limits_default(void)
{
	return (struct
		storm_limits){ .of = {
				       [STORM_BROADCAST] = { STORM_BROADCAST_RATE,
							     STORM_BROADCAST_RATE },
				       [STORM_UNKNOWN] = { STORM_UNKNOWN_RATE,
							   STORM_UNKNOWN_RATE },
			       } };
}

const char *storm_kind_name(enum storm_kind k)
{
	static const char *const names[] = {
		[STORM_BROADCAST] = "broadcast",
		[STORM_MULTICAST] = "multicast",
		[STORM_UNKNOWN] = "unknown",
	};

	return names[k];
}

void storm_init(struct storm *s, uint32_t first, uint32_t n)
{
	must(first && first + n <= STORM_MAX_METERS);
	*s = (struct storm){ .first = first, .n = n };
}

static bool is_used(const struct storm *s, uint32_t id)
{
	return s->used[id / 64] >> (id % 64) & 1;
}

/* 0 when all are given away. */
static uint32_t take_id(struct storm *s)
{
	for (uint32_t i = 0; i < s->n; i++) {
		uint32_t id = s->first + (s->hint + i) % s->n;

		if (is_used(s, id))
			continue;
		s->used[id / 64] |= 1ull << (id % 64);
		s->hint = id - s->first + 1;
		return id;
	}
	return 0;
}

static void give_id(struct storm *s, uint32_t id)
{
	s->used[id / 64] &= ~(1ull << (id % 64));
}

int storm_assign(struct storm *s, const struct storm_limits *l,
		 struct storm_meters *m)
{
	struct storm_meters fresh = *m;

	for (int k = 0; k < N_STORM_KINDS; k++) {
		if (!l->of[k].rate || m->id[k])
			continue;
		fresh.id[k] = take_id(s);
		if (fresh.id[k])
			continue;
		while (k-- > 0)
			if (fresh.id[k] != m->id[k])
				give_id(s, fresh.id[k]);
		return -ENOSPC;
	}
	for (int k = 0; k < N_STORM_KINDS; k++) {
		if (l->of[k].rate || !fresh.id[k])
			continue;
		give_id(s, fresh.id[k]);
		fresh.id[k] = 0;
	}
	*m = fresh;
	return 0;
}

void storm_release(struct storm *s, struct storm_meters *m)
{
	for (int k = 0; k < N_STORM_KINDS; k++)
		if (m->id[k])
			give_id(s, m->id[k]);
	*m = (struct storm_meters){ 0 };
}
