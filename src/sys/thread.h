/* SPDX-License-Identifier: Apache-2.0 */
/* Threads, and what a worker sleeps on.
 *
 * What      named threads with a CPU to prefer; an eventfd to wake one; an
 *           epoll set to wait with.
 * Why so    workers sleep in the kernel when there is nothing to do and are
 *           woken by descriptors only. Signals stay with the control thread.
 * Threads   wake_signal: any, never blocks. poller_add/mod/del: any thread, also
 *           while another waits. The rest: the owner.
 * Owns      its descriptors. */
#ifndef SYS_THREAD_H
#define SYS_THREAD_H

#include <pthread.h>

#include "base/defs.h"

#define THREAD_ANY_CPU (-1)

struct thread {
	pthread_t id;
	char name[16]; /* cut to 15 bytes; shown by ps and gdb */
	void (*fn)(void *arg);
	void *arg;
	bool running;
};

/* All signals but SIGSYS are blocked inside. `cpu` is a wish: a CPU that is not
 * there or not ours is passed over. 0 or -errno. */
int thread_start(struct thread *t, const char *name, int cpu,
		 void (*fn)(void *arg), void *arg) MUST_CHECK;
/* Waits for its end; harmless when never started. */
void thread_join(struct thread *t);
/* CPUs this process may use (its affinity mask), at least 1. */
unsigned thread_n_cpus(void);
/* The n-th of them. */
int thread_cpu(unsigned n);

struct wake {
	int fd; /* polls readable when signalled */
};

int wake_init(struct wake *w) MUST_CHECK;
void wake_fini(struct wake *w);
void wake_signal(struct wake *w);
void wake_clear(struct wake *w);

enum poller_interest {
	POLLER_READ = 1 << 0,
	POLLER_WRITE = 1 << 1,
	POLLER_ERROR = 1 << 2, /* reported always: error or hang-up */
};

struct poller {
	int fd;
};

struct poller_event {
	uint64_t token;
	unsigned ready; /* enum poller_interest */
};

#define POLLER_MAX_EVENTS 64u
#define POLLER_FOREVER (-1)

int poller_init(struct poller *p) MUST_CHECK;
void poller_fini(struct poller *p);
/* Level-triggered; `token` comes back with each event. */
int poller_add(struct poller *p, int fd, unsigned interest,
	       uint64_t token) MUST_CHECK;
int poller_mod(struct poller *p, int fd, unsigned interest,
	       uint64_t token) MUST_CHECK;
void poller_del(struct poller *p, int fd);
/* Events, at most `max` <= POLLER_MAX_EVENTS; 0 on time-out or interruption. */
unsigned poller_wait(struct poller *p, struct poller_event *ev, unsigned max,
		     int timeout_ms);

#endif
