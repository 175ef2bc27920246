/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/thread.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void *thread_main(void *arg)
{
	struct thread *t = arg;

	pthread_setname_np(pthread_self(), t->name);
	t->fn(t->arg);
	return NULL;
}

static void thread_prefer(pthread_t id, int cpu)
{
	cpu_set_t set;

	if (cpu < 0 || cpu >= CPU_SETSIZE)
		return;
	CPU_ZERO(&set);
	CPU_SET((unsigned)cpu, &set);
	/* A wish: the thread runs elsewhere when the CPU is not ours. */
	(void)!pthread_setaffinity_np(id, sizeof(set), &set);
}

int thread_start(struct thread *t, const char *name, int cpu,
		 void (*fn)(void *arg), void *arg)
{
	sigset_t all, before;
	int err;

	*t = (struct thread){ .fn = fn, .arg = arg };
	snprintf(t->name, sizeof(t->name), "%s", name);
	sigfillset(&all);
	sigdelset(&all, SIGSYS); /* blocked, it kills (confine_calls.h) */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&t->id, NULL, thread_main, t);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err)
		return -err;
	t->running = true;
	thread_prefer(t->id, cpu);
	return 0;
}

void thread_join(struct thread *t)
{
	if (!t->running)
		return;
	must(!pthread_join(t->id, NULL));
	t->running = false;
}

unsigned thread_n_cpus(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		return 1;
	return (unsigned)MAX(CPU_COUNT(&set), 1);
}

int thread_cpu(unsigned n)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		return THREAD_ANY_CPU;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET((unsigned)cpu, &set) && !n--)
			return cpu;
	return THREAD_ANY_CPU;
}

/* --- wake ---------------------------------------------------------------- */
int wake_init(struct wake *w)
{
	w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return w->fd < 0 ? -errno : 0;
}

void wake_fini(struct wake *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

void wake_signal(struct wake *w)
{
	const uint64_t one = 1;

	/* EAGAIN: it is signalled as much as it can be. */
	while (write(w->fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

void wake_clear(struct wake *w)
{
	uint64_t n;

	while (read(w->fd, &n, sizeof(n)) < 0 && errno == EINTR)
		;
}

/* --- poller -------------------------------------------------------------- */
int poller_init(struct poller *p)
{
	p->fd = epoll_create1(EPOLL_CLOEXEC);
	return p->fd < 0 ? -errno : 0;
}

void poller_fini(struct poller *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

static int poller_ctl(struct poller *p, int op, int fd, struct epoll_event *ev)
{
	return epoll_ctl(p->fd, op, fd, ev) < 0 ? -errno : 0;
}

static struct epoll_event poller_epoll(unsigned interest, uint64_t token)
{
	struct epoll_event ev = { .data.u64 = token };

	if (interest & POLLER_READ)
		ev.events |= EPOLLIN;
	if (interest & POLLER_WRITE)
		ev.events |= EPOLLOUT;
	return ev;
}

int poller_add(struct poller *p, int fd, unsigned interest, uint64_t token)
{
	struct epoll_event ev = poller_epoll(interest, token);

	return poller_ctl(p, EPOLL_CTL_ADD, fd, &ev);
}

int poller_mod(struct poller *p, int fd, unsigned interest, uint64_t token)
{
	struct epoll_event ev = poller_epoll(interest, token);

	return poller_ctl(p, EPOLL_CTL_MOD, fd, &ev);
}

void poller_del(struct poller *p, int fd)
{
	/* A descriptor that is closed left the set by itself. */
	(void)!poller_ctl(p, EPOLL_CTL_DEL, fd, NULL);
}

unsigned poller_wait(struct poller *p, struct poller_event *ev, unsigned max,
		     int timeout_ms)
{
	struct epoll_event got[POLLER_MAX_EVENTS];
	int n;

	must(max && max <= POLLER_MAX_EVENTS);
	n = epoll_wait(p->fd, got, (int)max, timeout_ms);
	must(n >= 0 || errno == EINTR);
	for (int i = 0; i < n; i++) {
		ev[i] = (struct poller_event){ .token = got[i].data.u64 };
		if (got[i].events & EPOLLIN)
			ev[i].ready |= POLLER_READ;
		if (got[i].events & EPOLLOUT)
			ev[i].ready |= POLLER_WRITE;
		if (got[i].events & (EPOLLERR | EPOLLHUP))
			ev[i].ready |= POLLER_ERROR;
	}
	return n > 0 ? (unsigned)n : 0;
}
