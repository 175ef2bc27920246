/* SPDX-License-Identifier: Apache-2.0 */
/* A worker: sleeps until frames come, moves them, looks after its cache. */
#include <errno.h>
#include <stdio.h>

#include "dp/user.h"

#define TOKEN_WAKE 0u

/* --- calls from the control thread --- */

static void worker_serve_call(struct worker *w)
{
	if (!__atomic_load_n(&w->call_pending, __ATOMIC_ACQUIRE))
		return;
	w->call_fn(w, w->call_arg);
	pthread_mutex_lock(&w->call_lock);
	__atomic_store_n(&w->call_pending, false, __ATOMIC_RELEASE);
	pthread_cond_signal(&w->call_done);
	pthread_mutex_unlock(&w->call_lock);
}

void worker_call(struct worker *w, void (*fn)(struct worker *w, void *arg),
		 void *arg)
{
	w->call_fn = fn;
	w->call_arg = arg;
	__atomic_store_n(&w->call_pending, true, __ATOMIC_RELEASE);
	wake_signal(&w->wake);
	pthread_mutex_lock(&w->call_lock);
	while (__atomic_load_n(&w->call_pending, __ATOMIC_ACQUIRE))
		pthread_cond_wait(&w->call_done, &w->call_lock);
	pthread_mutex_unlock(&w->call_lock);
}

/* --- the cache's upkeep --- */

static void report(struct dp_thread *t, const struct flow *f, bool past)
{
	const struct dp_config *c = &t->dp->config;
	struct dp_use use = { .in_port = f->port,
			      .past = past,
			      .packets = f->new_packets,
			      .bytes = f->new_bytes,
			      .used_ms = f->used_ms };

	if (f->n_effects)
		c->cb->apply(c->ctx, flow_effects(f), f->n_effects, &use);
}

static void report_used(void *ctx, struct flow *f)
{
	struct dp_thread *t = ctx;

	report(t, f, !flow_is_fresh(f, t->dp->config.stamps));
}

static void report_going(void *ctx, struct flow *f)
{
	report(ctx, f, true);
}

static void worker_sweep(struct worker *w)
{
	uint64_t n = cache_buckets(&w->cache) / SWEEP_STEPS + 1;

	if (!w->cache.n_flows || w->t.now_ms < w->next_sweep_ms)
		return;
	cache_sweep(&w->cache, (unsigned)n, w->t.now_ms, report_used, &w->t);
	w->next_sweep_ms = w->t.now_ms + SWEEP_MS / SWEEP_STEPS;
}

/* Without flows there is nothing to look after, and no reason to wake. */
static int worker_timeout_ms(const struct worker *w)
{
	if (w->n_active)
		return 0;
	if (!w->cache.n_flows)
		return POLLER_FOREVER;
	if (w->next_sweep_ms <= w->t.now_ms)
		return 1;
	return (int)(w->next_sweep_ms - w->t.now_ms) + 1;
}

/* --- receiving --- */

static void queue_failed(struct worker *w, struct rx_queue *q, int error)
{
	const struct dp_config *c = &w->t.dp->config;

	q->failed = true;
	poller_del(&w->poller, q->port->ops->rx_fd(q->port, q->queue));
	c->cb->port_failed(c->ctx, q->port->id, error);
}

/* One batch of a queue. True when there may be more at once. */
static bool queue_serve(struct worker *w, struct rx_queue *q)
{
	struct packet_batch b = { 0 };
	int n = q->port->ops->rx(q->port, q->queue, &b, w->t.pool);

	if (n < 0) {
		queue_failed(w, q, n);
		return false;
	}
	if (b.n) {
		dp_receive(&w->t, q->port->id, &b, w->keys);
		dp_flush(&w->t);
	}
	return (unsigned)n >= PACKET_BATCH_MAX;
}

static void queue_activate(struct worker *w, struct rx_queue *q)
{
	if (q->active || q->failed || w->n_active >= DP_MAX_ACTIVE)
		return; /* level-triggered: it comes again */
	q->active = true;
	w->active[w->n_active++] = q;
}

/* A turn for each queue that has frames: nobody waits longer than one batch of
 * each of the others. */
static void worker_serve_active(struct worker *w)
{
	unsigned n = 0;

	for (unsigned i = 0; i < w->n_active; i++) {
		struct rx_queue *q = w->active[i];

		if (queue_serve(w, q))
			w->active[n++] = q;
		else
			q->active = false;
	}
	w->n_active = n;
}

static void worker_poll(struct worker *w)
{
	struct poller_event ev[POLLER_MAX_EVENTS];
	int timeout = worker_timeout_ms(w);
	unsigned n;

	if (timeout)
		rcu_offline();
	n = poller_wait(&w->poller, ev, ARRAY_SIZE(ev), timeout);
	if (timeout)
		rcu_online();
	for (unsigned i = 0; i < n; i++) {
		if (ev[i].token == TOKEN_WAKE)
			wake_clear(&w->wake);
		else
			queue_activate(
				w, (struct rx_queue *)(uintptr_t)ev[i].token);
	}
}

static void worker_main(void *arg)
{
	struct worker *w = arg;

	rcu_thread_register();
	while (!__atomic_load_n(&w->stop, __ATOMIC_ACQUIRE)) {
		worker_poll(w);
		dp_thread_clock(&w->t);
		worker_serve_active(w);
		worker_serve_call(w);
		worker_sweep(w);
		rcu_quiescent();
	}
	worker_serve_call(w);
	rcu_thread_unregister();
}

/* --- life --- */

static int worker_open(struct worker *w)
{
	int rc = wake_init(&w->wake);

	if (rc)
		return rc;
	rc = poller_init(&w->poller);
	if (rc)
		return rc;
	return poller_add(&w->poller, w->wake.fd, POLLER_READ, TOKEN_WAKE);
}

int worker_start(struct worker *w, struct dp_user *dp, unsigned index)
{
	const struct dp_config *c = &dp->config;
	struct cache_config cache = { .flows_per_port = c->flows_per_port,
				      .flows_max = c->flows_max,
				      .idle_ms = c->flow_idle_ms,
				      .seed = env_random(c->env),
				      .going = report_going,
				      .mirror =
					      c->accel ? &offload_mirror : NULL,
				      .ctx = &w->t };
	char name[16];
	int rc;

	*w = (struct worker){ .wake = { -1 }, .poller = { -1 } };
	pthread_mutex_init(&w->call_lock, NULL);
	pthread_cond_init(&w->call_done, NULL);
	w->keys = xcalloc(PACKET_BATCH_MAX, sizeof(*w->keys));
	rc = cache_init(&w->cache, &cache);
	if (!rc)
		rc = dp_thread_init(&w->t, dp, index, &w->cache);
	if (!rc)
		rc = worker_open(w);
	snprintf(name, sizeof(name), "worker-%u", index);
	if (!rc)
		rc = thread_start(&w->thread, name, THREAD_ANY_CPU, worker_main,
				  w);
	return rc;
}

void worker_stop(struct worker *w)
{
	__atomic_store_n(&w->stop, true, __ATOMIC_RELEASE);
	if (w->thread.running)
		wake_signal(&w->wake);
	thread_join(&w->thread);
	poller_fini(&w->poller);
	wake_fini(&w->wake);
	dp_thread_fini(&w->t);
	cache_fini(&w->cache);
	free(w->keys);
	pthread_mutex_destroy(&w->call_lock);
	pthread_cond_destroy(&w->call_done);
}

int worker_add(struct worker *w, struct rx_queue *q)
{
	int fd = q->port->ops->rx_fd(q->port, q->queue);

	if (fd < 0)
		return 0;
	return poller_add(&w->poller, fd, POLLER_READ, (uintptr_t)q);
}

static void forget_queue(struct worker *w, void *arg)
{
	struct rx_queue *q = arg;
	unsigned n = 0;

	for (unsigned i = 0; i < w->n_active; i++)
		if (w->active[i] != q)
			w->active[n++] = w->active[i];
	w->n_active = n;
	cache_forget_port(&w->cache, q->port->id);
}

void worker_del(struct worker *w, struct rx_queue *q)
{
	int fd = q->port->ops->rx_fd(q->port, q->queue);

	if (fd >= 0)
		poller_del(&w->poller, fd);
	/* Events already fetched are served before the call is. */
	worker_call(w, forget_queue, q);
}
