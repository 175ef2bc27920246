/* SPDX-License-Identifier: Apache-2.0 */
/* How a batch travels: extract, look up, translate what is missing, run, group
 * by destination, send. */
#include "dp/user.h"

#include <errno.h>

#include "flow/extract.h"
#include "packet/checksum.h"
#include "packet/offload.h"
#include "packet/segment.h"

/* --- counting --- */

struct port_counters *dp_counters(struct dp_thread *t, uint32_t port)
{
	struct port *p = dp_port(t->dp, port);

	return p ? &p->counters[t->index] : NULL;
}

void dp_count_drop(struct dp_thread *t, uint32_t in_port, enum drop reason)
{
	struct port_counters *c = dp_counters(t, in_port);

	if (c)
		c->drops[reason]++;
}

/* --- those who capture see it --- */

static void see_in(struct dp_thread *t, const struct packet *p,
		   const struct flow_key *key, struct act_list list)
{
	capture_packet(t->captures, t->index, p,
		       &(struct capture_event){ .point = CAPTURE_IN,
						.port = p->in_port,
						.key = key,
						.actions = list });
}

static void see_out(struct dp_thread *t, const struct packet *p, uint32_t port)
{
	capture_packet(
		t->captures, t->index, p,
		&(struct capture_event){ .point = CAPTURE_OUT, .port = port });
}

static void see_drop(struct dp_thread *t, const struct packet *p, enum drop why)
{
	capture_packet(t->captures, t->index, p,
		       &(struct capture_event){ .point = CAPTURE_DROP,
						.drop = why,
						.port = p->in_port });
}

/* The packet stays the caller's. */
static void count_drop(struct dp_thread *t, const struct packet *p,
		       enum drop why)
{
	dp_count_drop(t, p->in_port, why);
	drop_log_note(t->drops, p, why, t->now_ms);
	if (unlikely(t->captures))
		see_drop(t, p, why);
}

/* A port that is down frees what it is given. */
static void see_down(struct dp_thread *t, const struct port *p,
		     const struct packet_batch *b)
{
	for (unsigned i = 0; port_get_state(p) != PORT_UP && i < b->n; i++)
		see_drop(t, b->p[i], DROP_PORT_DOWN);
}

/* --- sending --- */

static struct tx_queue *tx_queue(struct dp_thread *t, uint32_t port)
{
	struct tx_queue *q = t->tx[port];

	if (unlikely(!q)) {
		/* Once a port and thread; the packet path allocates no more. */
		q = xzalloc(sizeof(*q));
		q->port = port;
		t->tx[port] = q;
	}
	return q;
}

static void tx_send(struct dp_thread *t, struct tx_queue *q)
{
	struct port *p = dp_port(t->dp, q->port);

	if (!q->batch.n)
		return;
	t->n_queued -= q->batch.n;
	if (unlikely(!p)) {
		for (unsigned i = 0; i < q->batch.n; i++)
			count_drop(t, q->batch.p[i], DROP_NO_PORT);
		packet_batch_free(&q->batch);
		return;
	}
	if (unlikely(t->captures))
		see_down(t, p, &q->batch);
	p->ops->tx(p, &q->batch, &p->counters[t->index]);
	q->batch.n = 0;
}

static void tx_put(struct dp_thread *t, struct tx_queue *q, struct packet *p)
{
	if (!q->touched) {
		q->touched = true;
		q->next_touched = t->touched;
		t->touched = q;
	}
	if (unlikely(t->captures))
		see_out(t, p, q->port);
	q->batch.p[q->batch.n++] = p;
	t->n_queued++;
	if (q->batch.n == PACKET_BATCH_MAX)
		tx_send(t, q);
	/* A burst flooded to many ports must not empty the pool. */
	else if (unlikely(t->n_queued >= TX_QUEUED_MAX))
		dp_flush(t);
}

struct tx_target {
	struct dp_thread *t;
	struct tx_queue *q;
};

static void tx_segment(void *ctx, struct packet *s)
{
	struct tx_target *to = ctx;

	tx_put(to->t, to->q, s);
}

static void tx_refuse(struct dp_thread *t, struct packet *p, enum drop why)
{
	count_drop(t, p, why);
	packet_free(p);
}

/* Segments are sent a batch at a time, so that a 64 kB packet does not drain the
 * pool. */
static void tx_cut(struct dp_thread *t, struct packet *p, struct tx_target *to)
{
	struct segment_plan plan;

	if (!segment_plan_init(&plan, p))
		count_drop(t, p, DROP_UNSUPPORTED);
	else if (!packet_segment(p, t->pool, tx_segment, to))
		count_drop(t, p, DROP_POOL_EMPTY);
	packet_free(p);
}

/* What the port cannot do is done here, at the last moment. */
static void tx_packet(struct dp_thread *t, struct packet *p, uint32_t port)
{
	struct tx_target to = { t, NULL };
	const struct port *out =
		likely(port <= DP_MAX_PORTS) ? dp_port(t->dp, port) : NULL;

	if (unlikely(!out)) {
		tx_refuse(t, p, DROP_NO_PORT);
		return;
	}
	to.q = tx_queue(t, port);
	switch (packet_tx_need(p, out->caps, port_mtu(out))) {
	case TX_CSUM:
		packet_csum_finish(p);
		/* fall through */
	case TX_AS_IS:
		tx_put(t, to.q, p);
		return;
	case TX_SEGMENT:
		tx_cut(t, p, &to);
		return;
	case TX_TOO_BIG:
		tx_refuse(t, p, DROP_TOO_BIG);
		return;
	}
}

void dp_flush(struct dp_thread *t)
{
	struct tx_queue *q = t->touched;

	t->touched = NULL;
	while (q) {
		struct tx_queue *next = q->next_touched;

		q->touched = false;
		tx_send(t, q);
		q = next;
	}
}

/* --- the interpreter's sinks --- */

static void sink_output(void *ctx, struct packet *p, uint32_t port)
{
	tx_packet(ctx, p, port);
}

static void sink_punt(void *ctx, const struct packet *p,
		      const struct act_punt *a)
{
	struct dp_thread *t = ctx;
	const struct dp_config *c = &t->dp->config;

	if (!c->cb->punt(c->ctx, p, t->key, a))
		count_drop(t, p, DROP_PUNT_QUOTA);
}

static bool sink_meter(void *ctx, uint32_t id, const struct packet *p UNUSED)
{
	struct dp_thread *t = ctx;

	return id >= DP_MAX_METERS || meter_pass(&t->dp->meters[id], t->now_ns);
}

static void sink_drop(void *ctx, const struct packet *p, enum drop reason)
{
	count_drop(ctx, p, reason);
}

static uint32_t sink_random(void *ctx)
{
	struct dp_thread *t = ctx;

	return (uint32_t)env_random(t->dp->config.env);
}

static const struct interp_ops sinks = {
	.output = sink_output,
	.punt = sink_punt,
	.meter = sink_meter,
	.drop = sink_drop,
	.random = sink_random,
};

/* --- running --- */

void dp_run_list(struct dp_thread *t, struct packet *p,
		 const struct flow_key *key, struct act_list list)
{
	t->key = key;
	if (unlikely(!list.len)) {
		tx_refuse(t, p, DROP_NO_RULE);
		return;
	}
	interp_run(&t->interp, p, list);
}

static void run_program(struct dp_thread *t, struct packet *p,
			const struct flow_key *key, const struct program *prog)
{
	if (prog->only_output && !p->max_len)
		tx_packet(t, p, prog->only_output);
	else if (prog->only_drop)
		tx_refuse(t, p, prog->only_drop);
	else
		dp_run_list(t, p, key, program_list(prog));
}

static void apply_once(struct dp_thread *t, const struct packet *p,
		       uint32_t in_port)
{
	const struct dp_config *c = &t->dp->config;
	const struct verdict *v = t->verdict;
	struct dp_use use = { .in_port = in_port,
			      .packets = 1,
			      .bytes = p->len,
			      .used_ms = t->now_ms };

	if (v->n_effects)
		c->cb->apply(c->ctx, v->effects, v->n_effects, &use);
}

/* An empty list says why in the verdict (V3); in the cache, in the list. */
static void translate(struct dp_thread *t, const struct flow_key *key)
{
	const struct dp_config *c = &t->dp->config;
	struct verdict *v = t->verdict;

	c->cb->translate(c->ctx, key, v);
	if (unlikely(!v->actions.len))
		acts_drop(&v->actions,
			  v->drop ? (enum drop)v->drop : DROP_NO_RULE);
}

/* The miss, inline: translate, apply, keep, run. */
static void run_miss(struct dp_thread *t, struct packet *p,
		     const struct flow_key *key, struct flow *stale)
{
	struct flow *f = NULL;

	translate(t, key);
	apply_once(t, p, key->in_port);
	if (t->cache)
		f = cache_put(t->cache, key, t->verdict, stale, t->now_ms);
	if (f) {
		f->packets++;
		f->bytes += p->len;
		offload_consider(t, f, key);
	} else {
		t->stats.uncacheable++;
	}
	if (unlikely(t->captures))
		see_in(t, p, key, acts_list(&t->verdict->actions));
	dp_run_list(t, p, key, acts_list(&t->verdict->actions));
}

static void run_hit(struct dp_thread *t, struct packet *p,
		    const struct flow_key *key, struct flow *f)
{
	const struct accel *accel = t->dp->config.accel;

	t->stats.hits++;
	f->packets++;
	f->bytes += p->len;
	f->new_packets++;
	f->new_bytes += p->len;
	f->used_ms = t->now_ms;
	if (accel && unlikely(f->mirror_epoch != accel_epoch(accel)))
		offload_again(t, f, key);
	if (unlikely(f->mirrored == FLOW_MAY_MIRROR))
		offload_put(t, f);
	if (unlikely(t->captures))
		see_in(t, p, key, program_list(f->program));
	run_program(t, p, key, f->program);
}

static void run_packet(struct dp_thread *t, struct packet *p,
		       const struct flow_key *key, struct flow *f)
{
	if (likely(f && flow_is_fresh(f, t->dp->config.stamps))) {
		run_hit(t, p, key, f);
		return;
	}
	if (f)
		t->stats.stale++;
	else
		t->stats.misses++;
	run_miss(t, p, key, f);
}

static unsigned extract_batch(struct dp_thread *t, struct packet_batch *b,
			      struct port_counters *c, struct flow_key *keys)
{
	unsigned n = 0;

	for (unsigned i = 0; i < b->n; i++) {
		struct packet *p = b->p[i];
		enum drop d;

		if (i + 1 < b->n)
			__builtin_prefetch(b->p[i + 1]->data);
		c->rx_bytes += p->len;
		d = flow_extract(p, &keys[n]);
		if (unlikely(d != DROP_NONE)) {
			if (t->captures)
				see_in(t, p, NULL, (struct act_list){ 0 });
			tx_refuse(t, p, d);
			continue;
		}
		b->p[n++] = p;
	}
	c->rx_packets += b->n;
	return n;
}

void dp_receive(struct dp_thread *t, uint32_t in_port, struct packet_batch *b,
		struct flow_key *keys)
{
	struct port_counters *c = dp_counters(t, in_port);
	struct flow *found[PACKET_BATCH_MAX];
	uint64_t changes;

	if (unlikely(!c)) {
		packet_batch_free(b);
		return;
	}
	for (unsigned i = 0; i < b->n; i++)
		b->p[i]->in_port = in_port;
	b->n = extract_batch(t, b, c, keys);
	cache_find(t->cache, in_port, keys, b->n, found);
	changes = t->cache->changes;
	for (unsigned i = 0; i < b->n; i++) {
		/* What was found before a change of the cache is asked anew. */
		if (unlikely(t->cache->changes != changes))
			found[i] = cache_find_one(t->cache, &keys[i]);
		run_packet(t, b->p[i], &keys[i], found[i]);
	}
	b->n = 0;
}

void dp_translate_one(struct dp_thread *t, struct packet *p)
{
	struct flow_key key;

	flow_key_init(&key);
	if (flow_extract(p, &key) != DROP_NONE) {
		tx_refuse(t, p, DROP_TRUNCATED);
		return;
	}
	run_miss(t, p, &key, NULL);
}

/* --- life --- */

void dp_thread_clock(struct dp_thread *t)
{
	t->now_ns = env_now_ns(t->dp->config.env);
	t->now_ms = t->now_ns / 1000000u;
	t->captures = rcu_load(t->dp->captures);
}

int dp_thread_init(struct dp_thread *t, struct dp_user *dp, unsigned index,
		   struct cache *cache)
{
	*t = (struct dp_thread){ .dp = dp, .index = index, .cache = cache };
	t->pool = packet_pool_create(THREAD_POOL);
	t->tx = lazy_alloc((DP_MAX_PORTS + 1) * sizeof(*t->tx));
	t->verdict = xzalloc(sizeof(*t->verdict));
	t->drops = xzalloc(sizeof(*t->drops));
	t->interp = (struct interp){ .ops = &sinks, .ctx = t, .pool = t->pool };
	if (!t->pool || !t->tx)
		return -ENOMEM;
	dp_thread_clock(t);
	return 0;
}

void dp_thread_fini(struct dp_thread *t)
{
	for (unsigned i = 0; t->tx && i <= DP_MAX_PORTS; i++)
		free(t->tx[i]);
	lazy_free(t->tx, (DP_MAX_PORTS + 1) * sizeof(*t->tx));
	packet_pool_destroy(t->pool);
	free(t->verdict);
	free(t->drops);
}
