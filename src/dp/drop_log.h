/* SPDX-License-Identifier: Apache-2.0 */
/* Drop log: the last packet of each kind of drop.
 *
 * What      for each in-port and reason: since when, the last time, and the head
 *           of the last packet; DROP_LOG_SLOTS kinds a thread.
 * Why so    a count says how many, the packet says which. Of a flood one packet
 *           a millisecond and kind is kept, so a drop costs one comparison more
 *           than its count.
 * Invariant L1 memory is bounded; of two kinds with one slot the newer stays
 *           (its `first_ms` is then when it came back). L2 the writer never
 *           waits: while a reader copies a slot, packets of that kind pass
 *           unkept.
 * Threads   note: the thread that owns the log. dump: the control thread.
 * Owns      its slots. */
#ifndef DP_DROP_LOG_H
#define DP_DROP_LOG_H

#include "packet/drop.h"
#include "packet/packet.h"

#define DROP_LOG_SLOTS 256u
#define DROP_LOG_BYTES 128u

struct drop_note {
	uint32_t in_port;
	uint32_t reason;            /* enum drop */
	uint64_t first_ms, last_ms; /* of the datapath's clock */
	uint32_t len;               /* of the last packet, in bytes */
	uint16_t kept;              /* bytes of it in `data` */
	uint32_t packet_type;
	uint8_t data[DROP_LOG_BYTES];
};

struct drop_slot {
	uint64_t kind;    /* 0: empty; the writer's */
	uint64_t last_ms; /* the writer's */
	bool busy;        /* atomic */
	struct drop_note note;
};

struct drop_log {
	struct drop_slot slots[DROP_LOG_SLOTS];
};

void drop_log_keep(struct drop_slot *s, uint64_t kind, const struct packet *p,
		   uint64_t now_ms);
/* Calls fn with a copy of each note. */
void drop_log_dump(struct drop_log *log,
		   void (*fn)(void *ctx, const struct drop_note *n), void *ctx);

static inline void drop_log_note(struct drop_log *log, const struct packet *p,
				 enum drop reason, uint64_t now_ms)
{
	uint64_t kind = (uint64_t)p->in_port << 16 | (uint16_t)reason;
	struct drop_slot *s =
		&log->slots[(p->in_port * 31 + reason) % DROP_LOG_SLOTS];

	if (s->kind != kind || s->last_ms != now_ms)
		drop_log_keep(s, kind, p, now_ms);
}

#endif
