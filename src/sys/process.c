/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/process.h"

#include <errno.h>
#include <poll.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "sys/fail.h"

/* A pidfd is readable from the end of its process on, for ever. */
static void process_ended(void *arg, unsigned ready UNUSED)
{
	struct process *p = arg;

	watch_set(&p->watch, WATCH_NONE);
	p->fn(p->arg);
}

void process_init(struct process *p, loop_fn *fn, void *arg)
{
	*p = (struct process){ .fn = fn, .arg = arg };
}

int process_hold(struct process *p, struct loop *loop, int pid, struct err *e)
{
	int fd = pidfd_open(pid, 0);

	if (fd < 0 && errno == ESRCH)
		return fail_say(e, ESRCH, "there is no process %d", pid);
	if (fd < 0)
		return fail_errno(e, errno, "cannot watch process %d", pid);
	p->pid = pid;
	p->fd = fd;
	watch_init(&p->watch, loop, fd, process_ended, p);
	watch_set(&p->watch, WATCH_READ);
	return 0;
}

bool process_has_ended(const struct process *p)
{
	struct pollfd poll_fd = { .fd = p->fd, .events = POLLIN };

	return poll(&poll_fd, 1, 0) > 0;
}

void process_drop(struct process *p)
{
	if (!p->pid)
		return;
	watch_fini(&p->watch);
	close(p->fd);
	p->pid = 0;
}
