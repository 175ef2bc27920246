/* SPDX-License-Identifier: Apache-2.0 */
/* The userspace datapath: the contract of dp.h. */
#include <errno.h>

#include "dp/user.h"
#include "flow/extract.h"

#define MAX_WORKERS (PORT_MAX_THREADS - 1)
#define DEFAULT_WORKERS_MAX 4u

/* Half the CPUs: the other half is whom we work for. */
static unsigned choose_workers(unsigned asked)
{
	unsigned n = thread_n_cpus() / 2;

	return asked ? MIN(asked, MAX_WORKERS) :
		       CLAMP(n, 1u, DEFAULT_WORKERS_MAX);
}

static struct dp_config with_defaults(const struct dp_config *config)
{
	struct dp_config c = *config;

	if (!c.flows_per_port)
		c.flows_per_port = FLOWS_PER_PORT_DEFAULT;
	if (!c.flows_max)
		c.flows_max = FLOWS_MAX_DEFAULT;
	if (!c.flow_idle_ms)
		c.flow_idle_ms = FLOW_IDLE_MS_DEFAULT;
	return c;
}

static void user_destroy(struct dp *base)
{
	struct dp_user *dp = (struct dp_user *)(void *)base;

	for (unsigned i = 0; i < dp->n_workers; i++)
		worker_stop(&dp->workers[i]);
	for (unsigned i = 0; dp->ports && i <= DP_MAX_PORTS; i++)
		free(dp->ports[i]);
	dp_thread_fini(&dp->control);
	lazy_free(dp->ports, (DP_MAX_PORTS + 1) * sizeof(*dp->ports));
	lazy_free(dp->meters, DP_MAX_METERS * sizeof(*dp->meters));
	capture_set_destroy(dp->captures);
	free(dp->workers);
	free(dp);
}

static struct dp *user_create(const struct dp_config *config)
{
	struct dp_user *dp = xzalloc(sizeof(*dp));
	unsigned n = choose_workers(config->n_workers);

	dp->ops = &dp_user_ops;
	dp->config = with_defaults(config);
	dp->ports = lazy_alloc((DP_MAX_PORTS + 1) * sizeof(*dp->ports));
	dp->meters = lazy_alloc(DP_MAX_METERS * sizeof(*dp->meters));
	dp->workers = xaligned_alloc(CACHE_LINE, n * sizeof(*dp->workers));
	memset(dp->workers, 0, n * sizeof(*dp->workers));
	if (!dp->ports || !dp->meters ||
	    dp_thread_init(&dp->control, dp, n, NULL))
		goto fail;
	for (; dp->n_workers < n; dp->n_workers++) {
		struct worker *w = &dp->workers[dp->n_workers];

		if (worker_start(w, dp, dp->n_workers)) {
			worker_stop(w);
			goto fail;
		}
	}
	return (struct dp *)(void *)dp;
fail:
	user_destroy((struct dp *)(void *)dp);
	return NULL;
}

static struct dp_user *user_of(struct dp *base)
{
	return (struct dp_user *)(void *)base;
}

static struct worker *worker_of(struct dp_user *dp, uint32_t port,
				unsigned queue)
{
	return &dp->workers[(port + queue) % dp->n_workers];
}

static void queues_del(struct dp_user *dp, struct dp_user_port *p, unsigned n)
{
	for (unsigned q = 0; q < n; q++)
		worker_del(worker_of(dp, p->port->id, q), &p->rx[q]);
}

static int user_port_add(struct dp *base, struct port *port)
{
	struct dp_user *dp = user_of(base);
	struct dp_user_port *p;

	if (!port->id || port->id > DP_MAX_PORTS)
		return -ENOSPC;
	if (dp->ports[port->id])
		return -EEXIST;
	p = xzalloc(sizeof(*p));
	p->port = port;
	rcu_publish(dp->ports[port->id], p);
	if (dp->config.accel)
		accel_port_add(dp->config.accel, port);
	for (unsigned q = 0; q < port->n_queues; q++) {
		int rc;

		p->rx[q] = (struct rx_queue){ .port = port, .queue = q };
		rc = worker_add(worker_of(dp, port->id, q), &p->rx[q]);
		if (rc) {
			rcu_publish(dp->ports[port->id], NULL);
			queues_del(dp, p, q);
			if (dp->config.accel)
				accel_port_del(dp->config.accel, port);
			rcu_synchronize();
			free(p);
			return rc;
		}
	}
	return 0;
}

static void user_port_del(struct dp *base, uint32_t id)
{
	struct dp_user *dp = user_of(base);
	struct dp_user_port *p = id <= DP_MAX_PORTS ? dp->ports[id] : NULL;

	if (!p)
		return;
	rcu_publish(dp->ports[id], NULL);
	queues_del(dp, p, p->port->n_queues);
	if (dp->config.accel)
		accel_port_del(dp->config.accel, p->port);
	rcu_synchronize();
	free(p);
}

static int user_meter_set(struct dp *base, uint32_t id, uint64_t rate,
			  uint64_t burst)
{
	if (!id || id >= DP_MAX_METERS)
		return -EINVAL;
	meter_set(&user_of(base)->meters[id], rate, burst);
	return 0;
}

static struct packet *user_packet_alloc(struct dp *base)
{
	return packet_alloc(user_of(base)->control.pool);
}

static void user_execute(struct dp *base, struct packet *p,
			 struct act_list list)
{
	struct dp_thread *t = &user_of(base)->control;
	struct flow_key key;

	dp_thread_clock(t);
	flow_key_init(&key);
	if (flow_extract(p, &key) != DROP_NONE)
		flow_key_init(&key);
	dp_run_list(t, p, &key, list);
	dp_flush(t);
}

static void user_inject(struct dp *base, struct packet *p)
{
	struct dp_thread *t = &user_of(base)->control;

	dp_thread_clock(t);
	dp_translate_one(t, p);
	dp_flush(t);
}

struct dump {
	void (*fn)(void *ctx, const struct dp_flow *f);
	void *ctx;
	uint32_t left;
	struct worker *w;
};

static bool dump_flow(void *ctx, struct flow *f)
{
	struct dump *d = ctx;
	struct dp_thread *t = &d->w->t;
	struct flow_key key;
	struct dp_flow out;

	if (!d->left)
		return false;
	d->left--;
	offload_sync(t, f);
	flow_key_of(f, &key);
	out = (struct dp_flow){ .key = &key,
				.mask = &f->mask->mask,
				.actions = program_list(f->program),
				.packets = f->packets,
				.bytes = f->bytes,
				.used_ms = f->used_ms,
				.fresh = flow_is_fresh(f, t->dp->config.stamps),
				.in_kernel = f->mirrored == FLOW_MIRRORED,
				.not_in_kernel = offload_why_not(t, f),
				.worker = t->index };
	d->fn(d->ctx, &out);
	return true;
}

static void dump_worker(struct worker *w, void *arg)
{
	struct dump *d = arg;

	d->w = w;
	cache_each(&w->cache, dump_flow, d);
}

static void user_flow_dump(struct dp *base, uint32_t max,
			   void (*fn)(void *ctx, const struct dp_flow *f),
			   void *ctx)
{
	struct dp_user *dp = user_of(base);
	struct dump d = { .fn = fn, .ctx = ctx, .left = max };

	for (unsigned i = 0; i < dp->n_workers; i++)
		worker_call(&dp->workers[i], dump_worker, &d);
}

static bool sync_flow(void *ctx, struct flow *f)
{
	offload_sync(ctx, f);
	return true;
}

static void add_stats(struct worker *w, void *arg)
{
	struct dp_stats *s = arg;
	const struct dp_stats *t = &w->t.stats;

	if (t->in_kernel)
		cache_each(&w->cache, sync_flow, &w->t);
	s->hits += t->hits;
	s->misses += t->misses;
	s->stale += t->stale;
	s->uncacheable += t->uncacheable;
	s->flows += w->cache.n_flows;
	s->masks += cache_mask_count(&w->cache);
	s->in_kernel += t->in_kernel;
	s->kernel_hits += t->kernel_hits;
	s->replaced += w->cache.stats.replaced;
	s->merged += w->cache.stats.merged;
}

static void user_stats(struct dp *base, struct dp_stats *out)
{
	struct dp_user *dp = user_of(base);

	*out = (struct dp_stats){ 0 };
	for (unsigned i = 0; i < dp->n_workers; i++)
		worker_call(&dp->workers[i], add_stats, out);
}

static void user_drop_dump(struct dp *base,
			   void (*fn)(void *ctx, const struct drop_note *n),
			   void *ctx)
{
	struct dp_user *dp = user_of(base);

	for (unsigned i = 0; i < dp->n_workers; i++)
		drop_log_dump(dp->workers[i].t.drops, fn, ctx);
	drop_log_dump(dp->control.drops, fn, ctx);
}

static void user_barrier(struct dp *base UNUSED)
{
	rcu_synchronize();
}

static void publish_captures(struct dp_user *dp, struct capture_set *to)
{
	struct capture_set *old = dp->captures;

	rcu_publish(dp->captures, to);
	if (dp->config.accel)
		accel_pause(dp->config.accel, to);
	rcu_synchronize();
	free(old);
}

static struct capture *user_capture_start(struct dp *base,
					  const struct capture_spec *spec)
{
	struct dp_user *dp = user_of(base);
	struct capture *c;

	if (dp->captures && dp->captures->n == CAPTURE_MAX)
		return NULL;
	c = capture_create(spec, dp->n_workers + 1);
	if (c)
		publish_captures(dp, capture_set_with(dp->captures, c));
	return c;
}

static void user_capture_stop(struct dp *base, struct capture *c)
{
	struct dp_user *dp = user_of(base);

	publish_captures(dp, capture_set_without(dp->captures, c));
	capture_destroy(c);
}

const struct dp_ops dp_user_ops = {
	.name = "user",
	.create = user_create,
	.destroy = user_destroy,
	.port_add = user_port_add,
	.port_del = user_port_del,
	.meter_set = user_meter_set,
	.execute = user_execute,
	.inject = user_inject,
	.packet_alloc = user_packet_alloc,
	.flow_dump = user_flow_dump,
	.stats = user_stats,
	.drop_dump = user_drop_dump,
	.barrier = user_barrier,
	.capture_start = user_capture_start,
	.capture_stop = user_capture_stop,
};
