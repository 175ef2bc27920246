/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions: the one way in which a database changes.
 *
 * What      runs the operations of a `transact` request, or calls of our own,
 *           against a database; checks everything; then waits to be committed.
 *
 *               txn_run ---------> READY --txn_commit--> listeners, freed
 *               txn_begin, txn_set,   \---txn_abort----> undone, freed
 *               txn_prepare ------/
 *
 * Why so    prepare does all that can be refused; what is between the halves is
 *           the disk's. The log writes txn_add_record of each prepared
 *           transaction in order, syncs once, and commits them in that order; or,
 *           when the disk failed, aborts them, the newest first.
 * Invariant X1 the cost follows the rows touched, never a table's size: counts
 *           of references are kept, garbage is looked for where a count fell,
 *           indexes are checked for touched rows.  X2 one transaction runs at a
 *           time; any number may be prepared.  X3 txn_commit takes the oldest
 *           prepared, txn_abort the one that runs or the newest prepared.  X4
 *           an answer of any transaction, also one that only reads, leaves only
 *           when every transaction prepared before it is committed.
 * Threads   the control thread.
 * Owns      itself, its change set and the undo.
 * Refs      RFC 7047 4.1.3, 5.2. */
#ifndef OVSDB_TXN_H
#define OVSDB_TXN_H

#include "ovsdb/db.h"

/* Operations in one request. */
#define TXN_MAX_OPERATIONS 1000000

/* -- The change set ------------------------------------------------------- */

/* One row, before and after. Of each table a row is in a change set at most
 * once, and only when it really differs: an insert has old.cells NULL, a delete
 * new.cells NULL. Rows that fell to garbage collection and columns that lost a
 * weak reference are in it like any other. Views stay as they were at
 * txn_prepare whatever is prepared later; they live as long as the txn. */
struct change {
	struct row_view old, new;
	/* A bit for each column index whose datum differs; for an insert the
	 * columns that are not the default, for a delete none. _uuid and
	 * _version have no bit. */
	const uint64_t *changed;
};

static inline bool change_has(const struct change *c, unsigned column)
{
	return c->changed[column / 64] >> column % 64 & 1;
}

/* By table index; of one table in the order in which they were touched. Valid
 * from txn_prepare (or a txn_run that is READY) to the end of the txn. */
const struct change *txn_changes(const struct txn *t, size_t *n);

/* Nothing changed: there is nothing to log, listeners will not be called. */
bool txn_is_empty(const struct txn *t);
/* The client asked for "commit" with durable true: it may not be answered
 * before the record is on the disk even where durability is relaxed. */
bool txn_is_durable(const struct txn *t);
/* What `comment` operations said, a line each; "" when nothing. */
const char *txn_comment(const struct txn *t);
/* The database's listeners may keep one note with the transaction (a log's
 * position, say). */
void txn_set_note(struct txn *t, uint64_t note);
uint64_t txn_note(const struct txn *t);

/* The record of a standalone log: {"Table":{"uuid":{"column":value},...},
 * "_comment":...,"_date":wall_ms}. Ephemeral columns are not in it. Returns
 * false, with nothing added, when there is nothing that persists. */
bool txn_add_record(const struct txn *t, uint64_t wall_ms, struct str *s);

/* -- A client's request --------------------------------------------------- */

struct txn_request {
	const struct json *params; /* ["database", operation, ...] */
	uint64_t elapsed_ms;       /* since it came; 0 the first time */
	bool read_only;            /* refuse what would change rows */
	/* Does the client own this lock (operation assert)? NULL: none. */
	bool (*owns_lock)(void *aux, const char *lock);
	void *aux;
};

enum txn_state {
	TXN_READY,   /* prepared: commit or abort it */
	TXN_FAILED,  /* refused: nothing changed, the reply says why */
	TXN_BLOCKED, /* a wait does not hold yet: run it again when the database
		      * changed or the time is over */
};

struct txn_outcome {
	struct txn *txn;  /* READY only */
	struct str reply; /* READY and FAILED: the "result" as JSON */
	uint64_t wait_ms; /* BLOCKED: until when, at most, counted as
				* elapsed_ms is; UINT64_MAX: for ever */
};

/* Runs the operations and prepares. The reply's text is the caller's. */
enum txn_state txn_run(struct db *db, const struct txn_request *rq,
		       struct txn_outcome *out) MUST_CHECK;

/* What a log's record says (also with _is_diff), prepared: for opening a file.
 * NULL with the fault. */
struct txn *txn_read_record(struct db *db, const struct json *record,
			    struct fault *f) MUST_CHECK;

/* -- Our own changes ------------------------------------------------------ */

struct txn *txn_begin(struct db *db);
/* A row with its defaults, under a UUID given or drawn; NULL when the UUID is
 * taken. */
struct row *txn_insert(struct txn *t, struct table *table,
		       const struct uuid *uuid);
/* Gives the column this value; takes the datum, whose type must be right. */
void txn_set(struct txn *t, struct table *table, struct row *r,
	     const struct column *c, struct datum *d);
void txn_delete(struct txn *t, struct table *table, struct row *r);
void txn_add_comment(struct txn *t, const char *text);
/* Checks all; -EINVAL with the fault, after which only txn_abort is left. */
int txn_prepare(struct txn *t, struct fault *f) MUST_CHECK;

/* -- The end -------------------------------------------------------------- */

void txn_commit(struct txn *t);
/* Everything is as it was before. NULL is fine. */
void txn_abort(struct txn *t);

#endif
