/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/rcu.h"

#define LOOP_MAX_SIGNALS 8u

struct loop {
	struct event_base *base;
	bool stopped; /* atomic */

	struct list defers;
	struct event *defer_ev;

	int wake_fd;
	struct event *wake_ev;
	struct loop_call *calls; /* atomic; a stack, newest first */

	struct loop_signal {
		struct event *ev;
		loop_fn *fn;
		void *arg;
	} signals[LOOP_MAX_SIGNALS];
	unsigned n_signals;
};

/* Callbacks run inside RCU; the thread is outside while it sleeps, so that
 * nobody's grace period waits for an idle loop. */
static void loop_call_inside(loop_fn *fn, void *arg)
{
	rcu_online();
	fn(arg);
	rcu_offline();
}

static void loop_run_defers(evutil_socket_t fd UNUSED, short what UNUSED,
			    void *arg)
{
	struct loop *loop = arg;
	struct list due = LIST_INIT(due);

	/* Those set from now on belong to the next round (L3). */
	if (!list_is_empty(&loop->defers)) {
		due = loop->defers;
		due.next->prev = due.prev->next = &due;
		list_init(&loop->defers);
	}
	while (!list_is_empty(&due)) {
		struct defer *d =
			list_entry(list_pop_front(&due), struct defer, link);

		loop_call_inside(d->fn, d->arg);
	}
}

static struct loop_call *loop_take_calls(struct loop *loop)
{
	struct loop_call *c, *next, *ordered = NULL;

	c = __atomic_exchange_n(&loop->calls, NULL, __ATOMIC_ACQUIRE);
	for (; c; c = next) {
		next = c->next;
		c->next = ordered;
		ordered = c;
	}
	return ordered;
}

static void loop_run_calls(evutil_socket_t fd, short what UNUSED, void *arg)
{
	struct loop_call *c, *next;
	uint64_t n;

	if (read(fd, &n, sizeof(n)) < 0 && errno != EAGAIN && errno != EINTR)
		must(!"the loop's own eventfd cannot be read");
	for (c = loop_take_calls(arg); c; c = next) {
		next = c->next;
		__atomic_store_n(&c->pending, false, __ATOMIC_RELEASE);
		loop_call_inside(c->fn, c->arg);
	}
}

struct loop *loop_create(void)
{
	struct loop *loop = xzalloc(sizeof(*loop));
	struct event_config *config = event_config_new();

	must(config);
	/* Times count from the call, not from when the loop last woke. */
	event_config_set_flag(config, EVENT_BASE_FLAG_NO_CACHE_TIME);
	event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
	loop->base = event_base_new_with_config(config);
	event_config_free(config);
	must(loop->base);
	list_init(&loop->defers);
	loop->defer_ev = evtimer_new(loop->base, loop_run_defers, loop);
	loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	must(loop->defer_ev && loop->wake_fd >= 0);
	loop->wake_ev = event_new(loop->base, loop->wake_fd,
				  EV_READ | EV_PERSIST, loop_run_calls, loop);
	must(loop->wake_ev && !event_add(loop->wake_ev, NULL));
	return loop;
}

/* Takes all that wait and puts the others back, in their order. */
void loop_call_cancel(struct loop *loop, struct loop_call *call)
{
	struct loop_call *c, *next;

	for (c = loop_take_calls(loop); c; c = next) {
		next = c->next;
		__atomic_store_n(&c->pending, false, __ATOMIC_RELEASE);
		if (c != call)
			loop_wake(loop, c);
	}
}

static void loop_drop_calls(struct loop *loop)
{
	struct loop_call *c, *next;

	for (c = loop_take_calls(loop); c; c = next) {
		next = c->next;
		c->pending = false;
	}
}

void loop_destroy(struct loop *loop)
{
	if (!loop)
		return;
	must(list_is_empty(&loop->defers));
	loop_drop_calls(loop);
	for (unsigned i = 0; i < loop->n_signals; i++)
		event_free(loop->signals[i].ev);
	event_free(loop->defer_ev);
	event_free(loop->wake_ev);
	close(loop->wake_fd);
	event_base_free(loop->base);
	free(loop);
}

static void loop_turn(struct loop *loop, const bool *enough)
{
	rcu_offline();
	while (!__atomic_load_n(&loop->stopped, __ATOMIC_ACQUIRE) && !*enough)
		must(event_base_loop(loop->base, EVLOOP_ONCE) == 0);
	rcu_online();
}

void loop_run(struct loop *loop)
{
	const bool never = false;

	loop_turn(loop, &never);
	__atomic_store_n(&loop->stopped, false, __ATOMIC_RELEASE);
}

static void loop_set_true(void *arg)
{
	*(bool *)arg = true;
}

void loop_run_ms(struct loop *loop, unsigned ms)
{
	struct timer t;
	bool over = false;

	timer_init(&t, loop, loop_set_true, &over);
	timer_set(&t, ms);
	loop_turn(loop, &over);
	timer_fini(&t);
	__atomic_store_n(&loop->stopped, false, __ATOMIC_RELEASE);
}

static void loop_ring(struct loop *loop)
{
	const uint64_t one = 1;

	/* Only a counter about to overflow refuses, and then it is readable. */
	while (write(loop->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

void loop_stop(struct loop *loop)
{
	__atomic_store_n(&loop->stopped, true, __ATOMIC_RELEASE);
	loop_ring(loop);
}

/* --- file descriptors ---------------------------------------------------- */
static void watch_ready(evutil_socket_t fd UNUSED, short what, void *arg)
{
	struct watch *w = arg;
	unsigned ready = WATCH_NONE;

	if (what & EV_READ)
		ready |= WATCH_READ;
	if (what & EV_WRITE)
		ready |= WATCH_WRITE;
	rcu_online();
	w->fn(w->arg, ready);
	rcu_offline();
}

void watch_init(struct watch *w, struct loop *loop, int fd, watch_fn *fn,
		void *arg)
{
	*w = (struct watch){ .loop = loop, .fn = fn, .arg = arg, .fd = fd };
	w->ev = event_new(loop->base, fd, EV_PERSIST, watch_ready, w);
	must(w->ev);
}

void watch_set(struct watch *w, unsigned interest)
{
	short what = EV_PERSIST;

	if (interest == w->interest)
		return;
	if (w->interest)
		must(!event_del(w->ev));
	w->interest = interest;
	if (!interest)
		return;
	if (interest & WATCH_READ)
		what |= EV_READ;
	if (interest & WATCH_WRITE)
		what |= EV_WRITE;
	must(!event_assign(w->ev, w->loop->base, w->fd, what, watch_ready, w));
	must(!event_add(w->ev, NULL));
}

void watch_fini(struct watch *w)
{
	if (!w->ev)
		return;
	event_free(w->ev);
	w->ev = NULL;
	w->interest = WATCH_NONE;
}

/* --- timers -------------------------------------------------------------- */
static void timer_due(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct timer *t = arg;

	loop_call_inside(t->fn, t->arg);
}

void timer_init(struct timer *t, struct loop *loop, loop_fn *fn, void *arg)
{
	*t = (struct timer){ .fn = fn, .arg = arg };
	t->ev = evtimer_new(loop->base, timer_due, t);
	must(t->ev);
}

void timer_set(struct timer *t, uint64_t ms)
{
	struct timeval tv = { (time_t)(ms / 1000),
			      (suseconds_t)(ms % 1000 * 1000) };

	must(!evtimer_add(t->ev, &tv));
}

void timer_cancel(struct timer *t)
{
	must(!evtimer_del(t->ev));
}

bool timer_is_set(const struct timer *t)
{
	return t->ev && evtimer_pending(t->ev, NULL);
}

void timer_fini(struct timer *t)
{
	if (!t->ev)
		return;
	event_free(t->ev);
	t->ev = NULL;
}

/* --- deferred calls ------------------------------------------------------ */
void defer_init(struct defer *d, struct loop *loop, loop_fn *fn, void *arg)
{
	*d = (struct defer){ .loop = loop, .fn = fn, .arg = arg };
	list_init(&d->link);
}

void defer_set(struct defer *d)
{
	static const struct timeval now = { 0, 0 };

	if (!list_is_empty(&d->link))
		return;
	list_push_back(&d->loop->defers, &d->link);
	must(!evtimer_add(d->loop->defer_ev, &now));
}

void defer_fini(struct defer *d)
{
	if (d->loop)
		list_del(&d->link);
}

/* --- signals ------------------------------------------------------------- */
static void loop_signalled(evutil_socket_t fd UNUSED, short what UNUSED,
			   void *arg)
{
	struct loop_signal *s = arg;

	loop_call_inside(s->fn, s->arg);
}

int loop_signal(struct loop *loop, int signum, loop_fn *fn, void *arg)
{
	struct loop_signal *s = &loop->signals[loop->n_signals];

	must(loop->n_signals < LOOP_MAX_SIGNALS);
	s->fn = fn;
	s->arg = arg;
	s->ev = evsignal_new(loop->base, signum, loop_signalled, s);
	if (!s->ev)
		return -EINVAL;
	if (evsignal_add(s->ev, NULL)) {
		event_free(s->ev);
		return -EINVAL;
	}
	loop->n_signals++;
	return 0;
}

/* --- from other threads -------------------------------------------------- */
void loop_call_init(struct loop_call *c, loop_fn *fn, void *arg)
{
	*c = (struct loop_call){ .fn = fn, .arg = arg };
}

void loop_wake(struct loop *loop, struct loop_call *c)
{
	struct loop_call *head;

	if (__atomic_exchange_n(&c->pending, true, __ATOMIC_ACQ_REL))
		return;
	head = __atomic_load_n(&loop->calls, __ATOMIC_RELAXED);
	do {
		c->next = head;
	} while (!__atomic_compare_exchange_n(&loop->calls, &head, c, true,
					      __ATOMIC_RELEASE,
					      __ATOMIC_RELAXED));
	/* Whoever found the stack empty rings for all that follow. */
	if (!head)
		loop_ring(loop);
}
