/* SPDX-License-Identifier: Apache-2.0 */
#include "dp/drop_log.h"

#include <sched.h>

static bool take(struct drop_slot *s)
{
	return !__atomic_exchange_n(&s->busy, true, __ATOMIC_ACQUIRE);
}

static void give(struct drop_slot *s)
{
	__atomic_store_n(&s->busy, false, __ATOMIC_RELEASE);
}

void drop_log_keep(struct drop_slot *s, uint64_t kind, const struct packet *p,
		   uint64_t now_ms)
{
	struct drop_note *n = &s->note;

	if (!take(s))
		return;
	if (s->kind != kind)
		n->first_ms = now_ms;
	s->kind = kind;
	s->last_ms = now_ms;
	n->in_port = (uint32_t)(kind >> 16);
	n->reason = (uint16_t)kind;
	n->last_ms = now_ms;
	n->len = p->len;
	n->packet_type = p->packet_type;
	n->kept = (uint16_t)MIN(p->len, DROP_LOG_BYTES);
	memcpy(n->data, p->data, n->kept);
	give(s);
}

void drop_log_dump(struct drop_log *log,
		   void (*fn)(void *ctx, const struct drop_note *n), void *ctx)
{
	for (unsigned i = 0; i < DROP_LOG_SLOTS; i++) {
		struct drop_slot *s = &log->slots[i];
		struct drop_note copy;
		bool used;

		while (!take(s))
			sched_yield(); /* the writer copies some bytes */
		used = s->kind != 0;
		copy = s->note;
		give(s);
		if (used)
			fn(ctx, &copy);
	}
}
