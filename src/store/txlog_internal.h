/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the log: what its files share.
 *
 * What      the struct, and what opening, writing and making it small offer each
 *           other.
 * Threads   `file`, `durable` and `why` belong to whoever writes: the writer's
 *           thread while `busy`, else the owner's; all behind `lock` are
 *           handed over under it. The rest is the owner's. */
#ifndef STORE_TXLOG_INTERNAL_H
#define STORE_TXLOG_INTERNAL_H

#include <pthread.h>

#include "base/list.h"
#include "store/txlog.h"
#include "sys/file_io.h"
#include "sys/loop.h"
#include "sys/thread.h"

/* Somebody who waits for his record. */
struct txlog_wait {
	struct list link;
	txlog_done_fn *done;
	void *arg;
};

enum txlog_small_state {
	SMALL_NONE,
	SMALL_MAKING, /* its thread reads and writes PATH.small */
	SMALL_MADE,   /* the writer shall put it in PATH's place */
	SMALL_FAILED,
};

struct txlog_small {
	enum txlog_small_state state;
	bool running; /* the thread must be joined */
	struct thread thread;
	char *path;
	struct file_log file;
	uint64_t covers; /* bytes of the old file that it stands for */
	uint64_t body;   /* bytes of it without what was copied behind */
	struct err err;
};

struct txlog {
	struct txlog_spec spec;
	char *path;
	struct list waits; /* in the order of their records */
	struct str next;   /* the batch that is gathered */
	unsigned n_next;
	struct defer start;
	struct loop_call finished;

	/* The disk's side. */
	struct file_log file;
	bool is_open;
	uint64_t durable, n_records, small_bytes;
	struct err why; /* of the last batch */
	int rc;

	/* A mutex and not a mailbox: the writer sleeps on it, and either side
	 * holds it for a few instructions only. */
	pthread_mutex_t lock;
	pthread_cond_t cond;
	struct thread writer;
	struct str batch;
	unsigned n_batch;
	bool busy, done, stop, swap;
	int last_rc; /* of the last batch that was told */

	struct txlog_small small;
};

/* txlog_open.c: the file as it is; its durable end is set. */
int txlog_load(struct txlog *l, txlog_read_fn *read, void *ctx, char **said,
	       struct err *e) MUST_CHECK;

/* txlog_small.c: both on the side of who writes, between batches. */
void small_take_place(struct txlog *l);
/* The owner's: begins one when it is time; ends one that is over. */
void small_tick(struct txlog *l);
void small_stop(struct txlog *l);

#endif
