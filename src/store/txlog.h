/* SPDX-License-Identifier: Apache-2.0 */
/* The log of a database's transactions: append, and know that it is there.
 *
 * What      records (record.h) put by one thread, written and synced in batches,
 *           told back when they are durable; read back at the next start; the
 *           file made small in the background.
 * Why so    many clients share one fsync (group commit): while a batch is on its
 *           way to the disk the next is gathered. A thread of its own waits for
 *           the disk, so the loop never does. The small file is made from what
 *           the log itself holds, by another thread: nothing that is alive need
 *           be copied or held still for it.
 * Invariant X1 a put that was told 0 survives a power cut, and so does all that
 *           was put before it. X2 one that was told an error is not in the log
 *           (only if the machine dies before the next good one may it be found).
 *           When one fails all that were put after it fail too, and are told so
 *           newest first: who applied them can undo them in that order.
 *           X3 a batch is one write: its records but the first are joined, so
 *           what a power cut tore is known from what was damaged later.
 *           X4 a good record is never destroyed: what is cut off is kept aside
 *           first, and damage before durable records makes txlog_open refuse
 *           and leave the file as it is. X5 after a failure of the disk the
 *           next put opens the file anew and cuts it to its durable end.
 * Threads   all calls: the owner's (the loop's). Inside: a writer and, at times,
 *           one that compacts. Without a loop there are none, and only
 *           txlog_flush writes.
 * Owns      the file, PATH.small while it compacts, PATH.cut-N (X4).
 * Refs      ovsdb(5), "Standalone Format"; decision D13. */
#ifndef STORE_TXLOG_H
#define STORE_TXLOG_H

#include "base/err.h"
#include "base/str.h"
#include "sys/disk.h"

#define TXLOG_MAX_ASIDE 8u                  /* pieces kept */
#define TXLOG_MAX_QUEUE_BYTES (64u << 20)   /* see txlog_is_full */
#define TXLOG_COMPACT_MIN_BYTES (10u << 20) /* smaller is small enough */
#define TXLOG_COMPACT_GROWTH 4u             /* since it was compacted */

struct loop;
struct txlog;

/* What stands in one record, in order; false and a sentence: it makes no sense
 * (the log is then refused as it is). */
typedef bool txlog_read_fn(void *ctx, const char *json, size_t len,
			   struct err *e);

/* Makes of all that was read one small log. Runs in a thread of its own and may
 * touch nothing but what begin made. */
struct txlog_small_ops {
	void *(*begin)(void);
	txlog_read_fn *read; /* ctx: what begin made */
	/* The JSON of record `i`, without newline: true, or false behind the
	 * last. */
	bool (*write)(void *ctx, unsigned i, struct str *json);
	void (*end)(void *ctx);
};

struct txlog_spec {
	struct disk *disk;
	const char *path;
	unsigned mode;     /* permissions of a new file */
	struct loop *loop; /* NULL: no threads (tests, tools) */
	const struct txlog_small_ops *small; /* NULL: never compacted */
};

/* Reads all records there are (none: the log is new). `said` gets sentences about
 * what was cut off (to be freed), or NULL. NULL with a sentence when the file
 * cannot be read, is in use, is damaged (X4) or `read` refused. */
struct txlog *txlog_open(const struct txlog_spec *s, txlog_read_fn *read,
			 void *ctx, char **said, struct err *e) MUST_CHECK;
/* Waits for what is under way and tells all who put. */
void txlog_close(struct txlog *l);

/* Who is told. `why` is NULL when it is durable, else a sentence. */
typedef void txlog_done_fn(void *arg, const char *why);

/* `json` is one JSON object without newline; it is copied. `done` (may be NULL)
 * is called later, never from inside. */
void txlog_put(struct txlog *l, const char *json, size_t len,
	       txlog_done_fn *done, void *arg);
/* Waits until all that was put is durable or failed, and was told. 0, or the
 * error of the last batch. */
int txlog_flush(struct txlog *l);
/* So much waits for the disk that its owner shall take nothing more. */
bool txlog_is_full(const struct txlog *l);

/* Bytes known durable, and records put or read since it was last small. */
uint64_t txlog_bytes(const struct txlog *l);
uint64_t txlog_records(const struct txlog *l);

/* Begins to make it small (done by itself when it has grown). Without a loop it
 * is small on return, or the error is. */
int txlog_compact(struct txlog *l, struct err *e) MUST_CHECK;
bool txlog_is_compacting(const struct txlog *l);

#endif
