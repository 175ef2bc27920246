/* SPDX-License-Identifier: Apache-2.0 */
#include "switch/moves.h"

#include <sched.h>

static bool take(struct moves *m)
{
	return !__atomic_exchange_n(&m->busy, true, __ATOMIC_ACQUIRE);
}

static void give(struct moves *m)
{
	__atomic_store_n(&m->busy, false, __ATOMIC_RELEASE);
}

void moves_put(struct moves *m, const struct move *v, uint64_t now_ms)
{
	if (!take(m))
		return; /* another tells of one just now: that is enough */
	if (m->second != now_ms / 1000) {
		m->second = now_ms / 1000;
		m->this_second = 0;
	}
	if (m->n < MOVES_MAX && m->this_second < MOVES_RATE) {
		m->v[m->n++] = *v;
		m->this_second++;
	} else {
		m->lost++;
	}
	give(m);
}

unsigned moves_take(struct moves *m, struct move out[MOVES_MAX], uint64_t *lost)
{
	unsigned n;

	while (!take(m))
		sched_yield(); /* a worker copies some bytes */
	n = m->n;
	memcpy(out, m->v, n * sizeof(*out));
	*lost = m->lost;
	m->n = 0;
	m->lost = 0;
	give(m);
	return n;
}
