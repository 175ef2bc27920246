/* SPDX-License-Identifier: Apache-2.0 */
/* The store: a durable log of the states that were applied.
 *
 * What      put a state, and know that it survives; on start, the last one; the
 *           ones before it, to look at or to go back to.
 * Why so    append and fsync, one record a state: nothing that is in the file is
 *           ever overwritten, so nothing acknowledged can be half there.
 * Invariant T1 when store_put returned 0 that state survives a power cut and is
 *           the last one after it. When not, the last one is the state before;
 *           only if the machine dies may the failed one be found instead.
 *           T2 damage in the middle costs the damaged records only; what was
 *           damaged is kept aside. T3 after a failure of the disk every put
 *           first writes the good records anew (heals), and fails while that
 *           fails.
 * Format    record.h. The first record is the schema of a database with one
 *           table, State, of one row; each further one sets that row.
 * Threads   one.
 * Owns      its files in `dir`: weft.db, its lock, and damaged copies.
 * Refs      decision D13. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/err.h"
#include "sys/disk.h"

#define STORE_MAX_STATES 256u /* in the file, before it is compacted to ... */
#define STORE_KEEP_STATES 32u /* ... the newest of them, and of at most ... */
#define STORE_KEEP_BYTES (8u << 20) /* ... so many bytes (but the newest) */
#define STORE_MAX_BYTES                                                        \
	(64u << 20)        /* compacted above; refused above the double */
#define STORE_MAX_ASIDE 8u /* damaged copies kept */

struct store_state {
	uint64_t serial;  /* grows by one; 0 when put: the next */
	uint64_t wall_s;  /* when, seconds since the epoch */
	const char *text; /* the model, as text */
	const char *file; /* what the text was called by its author, or NULL */
	const char *who;  /* "root, weft apply", or NULL */
	const char *comment; /* or NULL */
};

struct store;

/* Makes `dir` when it is not there. `said` gets sentences about what was found
 * wrong and what was done about it (to be freed), or NULL. NULL with a sentence
 * when the store cannot be read or is in use. */
struct store *store_open(const char *dir, struct disk *d, char **said,
			 struct err *e) MUST_CHECK;
void store_close(struct store *s);

/* The last state, or NULL when there never was one. Valid until the next put. */
const struct store_state *store_last(const struct store *s);
/* Several at once are one write and one fsync: group commit. On failure none of
 * them is there. */
int store_put(struct store *s, const struct store_state *states, unsigned n,
	      struct err *e) MUST_CHECK;

/* History: 0 is the oldest kept. The copy is the caller's. */
unsigned store_n_states(const struct store *s);
int store_get(struct store *s, unsigned index, struct store_state *out,
	      struct err *e) MUST_CHECK;
/* Of a copy that store_get made. */
void store_state_fini(struct store_state *st);

#endif
