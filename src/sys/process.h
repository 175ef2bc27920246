/* SPDX-License-Identifier: Apache-2.0 */
/* A process that something of ours leans on: is it still the same, has it ended?
 *
 * What      a pidfd: held, asked, watched.
 * Why so    a number names another process as soon as the first has ended. Who
 *           was told "process 1234" means the one that was there then; what
 *           bears the number later may live in anybody's namespace.
 * Threads   the loop's.
 * Owns      its descriptor.
 * Refs      pidfd_open(2). */
#ifndef SYS_PROCESS_H
#define SYS_PROCESS_H

#include "base/err.h"
#include "sys/loop.h"

struct process {
	struct watch watch;
	loop_fn *fn;
	void *arg;
	int pid; /* 0: none is held */
	int fd;
};

/* None is held yet. fn(arg) runs once when the one that is held ends. */
void process_init(struct process *p, loop_fn *fn, void *arg);
/* Holds the process. 0; -ESRCH when there is none, with a sentence. */
int process_hold(struct process *p, struct loop *loop, int pid,
		 struct err *e) MUST_CHECK;
bool process_has_ended(const struct process *p);
/* A zeroed one and a second call are harmless. */
void process_drop(struct process *p);

#endif
