/* SPDX-License-Identifier: Apache-2.0 */
/* History: the last changes of a database, for who was away or is slow.
 *
 * What      a ring of committed transactions with a name each (a UUID) and a
 *           number; what happened since one of them, merged: of each row the
 *           first old and the last new state.
 * Why so    a client that comes back says the last name it saw and gets the
 *           difference instead of everything; a client that reads slowly gets
 *           one update for many. Datums are shared with the rows, so the past
 *           costs pointers and what is no longer there.
 * Invariant Y1 at most MONITOR_HISTORY_TXNS transactions and, but for the newest,
 *           MONITOR_HISTORY_CHANGES changes; while somebody lags,
 *           MONITOR_HISTORY_LAG changes.  Y2 numbers grow by one.
 * Threads   the control thread.
 * Owns      references to datums.
 * Refs      ovsdb-server(7) 4.1.15 (monitor_cond_since). */
#ifndef OVSDB_MONITOR_HISTORY_H
#define OVSDB_MONITOR_HISTORY_H

#include "ovsdb/txn.h"

#define MONITOR_HISTORY_TXNS 1000u
#define MONITOR_HISTORY_CHANGES 8192u
#define MONITOR_HISTORY_LAG 65536u

struct monitor_history;

struct monitor_history *monitor_history_create(struct env *env);
void monitor_history_destroy(struct monitor_history *h);
/* Forgets all, under a new name: the schema is another. */
void monitor_history_clear(struct monitor_history *h);

/* A transaction was committed. */
void monitor_history_put(struct monitor_history *h, const struct txn *t,
			 bool lags);
/* The name and the number of the newest. */
const struct uuid *monitor_history_last(const struct monitor_history *h);
uint64_t monitor_history_now(const struct monitor_history *h);
/* False: it is not, or no longer, known. */
bool monitor_history_find(const struct monitor_history *h, const struct uuid *u,
			  uint64_t *number);

/* What changed after `number`, merged, by table index; to be freed with
 * monitor_merge_fini before the next put. False: it is too long ago. */
struct monitor_merge {
	struct change *changes;
	size_t n;
	uint64_t *bits; /* of all changes */
};

bool monitor_history_merge(const struct monitor_history *h, uint64_t number,
			   struct monitor_merge *out);
void monitor_merge_fini(struct monitor_merge *m);

#endif
