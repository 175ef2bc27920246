/* SPDX-License-Identifier: Apache-2.0 */
/* Event loop of a control thread.
 *
 * What      file descriptors, timers, signals, deferred calls, and calls that
 *           other threads hand over, all run on the one thread in loop_run.
 * Why so    one thread owns all configuration (D7), so nothing here locks. The
 *           handed-over calls come through a lock-free stack and one eventfd.
 * Invariant L1 with nothing due the thread sleeps in the kernel for ever.
 *           L2 a callback may fini or free what it was called for, and any
 *           other watch, timer or defer; none is called after its fini.
 *           L3 a round runs what was due when it began: what callbacks add
 *           waits for the next, so descriptors are never starved.
 *           L4 callbacks run inside RCU (base/rcu.h), the loop sleeps outside.
 * Threads   the thread in loop_run calls everything; any thread may call
 *           loop_stop and loop_wake.
 * Owns      nothing of others: watches, timers, defers and calls are the
 *           caller's memory and must be finished before loop_destroy. */
#ifndef SYS_LOOP_H
#define SYS_LOOP_H

#include "base/defs.h"
#include "base/list.h"

struct event;
struct loop;

typedef void loop_fn(void *arg);

struct loop *loop_create(void);
/* Runs no callback. */
void loop_destroy(struct loop *loop);
/* Until loop_stop. */
void loop_run(struct loop *loop);
/* At most `ms`, or until loop_stop; for tests and orderly ends. */
void loop_run_ms(struct loop *loop, unsigned ms);
void loop_stop(struct loop *loop);

/* --- file descriptors: level-triggered ---------------------------------- */
enum watch_interest {
	WATCH_NONE = 0,
	WATCH_READ = 1 << 0, /* also: closed by the peer */
	WATCH_WRITE = 1 << 1,
};

typedef void watch_fn(void *arg, unsigned ready);

struct watch {
	struct loop *loop;
	struct event *ev;
	watch_fn *fn;
	void *arg;
	int fd;
	unsigned interest;
};

/* The descriptor stays the caller's; fini before closing it. */
void watch_init(struct watch *w, struct loop *loop, int fd, watch_fn *fn,
		void *arg);
/* What to be called for: WATCH_READ | WATCH_WRITE, or WATCH_NONE. */
void watch_set(struct watch *w, unsigned interest);
/* A zeroed watch and a second call are harmless. */
void watch_fini(struct watch *w);

/* --- timers: one shot, set again by whoever wants it to recur ------------ */
struct timer {
	struct event *ev;
	loop_fn *fn;
	void *arg;
};

void timer_init(struct timer *t, struct loop *loop, loop_fn *fn, void *arg);
/* Runs fn once, `ms` from now; replaces an earlier setting. */
void timer_set(struct timer *t, uint64_t ms);
void timer_cancel(struct timer *t);
bool timer_is_set(const struct timer *t);
/* A zeroed timer and a second call are harmless. */
void timer_fini(struct timer *t);

/* --- deferred calls: later on this thread, before it sleeps --------------- */
struct defer {
	struct list link;
	struct loop *loop;
	loop_fn *fn;
	void *arg;
};

void defer_init(struct defer *d, struct loop *loop, loop_fn *fn, void *arg);
/* Runs fn once in the next round; setting it twice runs it once. */
void defer_set(struct defer *d);
void defer_fini(struct defer *d);

/* --- signals ---------------------------------------------------------------
 * Calls fn for each arrival (arrivals may merge). Lives until loop_destroy.
 * One loop per process may have signals. 0 or -errno. */
int loop_signal(struct loop *loop, int signum, loop_fn *fn,
		void *arg) MUST_CHECK;

/* --- from other threads ----------------------------------------------------
 * A call embedded in its owner: loop_wake allocates nothing and never blocks,
 * so workers may use it. A call woken again before it ran runs once. The owner
 * keeps it alive until it ran or the loop is destroyed. */
struct loop_call {
	struct loop_call *next;
	loop_fn *fn;
	void *arg;
	bool pending; /* atomic */
};

void loop_call_init(struct loop_call *c, loop_fn *fn, void *arg);
void loop_wake(struct loop *loop, struct loop_call *c);
/* The loop's thread, when nobody wakes it any more: it will not run. */
void loop_call_cancel(struct loop *loop, struct loop_call *c);

#endif
