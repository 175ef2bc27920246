/* SPDX-License-Identifier: Apache-2.0 */
#include "dp/fake.h"

#include <errno.h>

#include "base/list.h"
#include "dp/capture.h"
#include "dp/dp.h"
#include "flow/extract.h"
#include "flow/interp.h"
#include "packet/checksum.h"
#include "packet/offload.h"
#include "packet/segment.h"

#define FAKE_POOL 2048u
#define FAKE_FLOWS 65536u /* a port, and in all, when the caller does not say */
#define FAKE_IDLE_MS 10000u
#define NS 1000000000u

struct fake_port {
	struct list link;
	struct port *port;
	bool failed;
};

struct fake_flow {
	struct list link; /* the one put last is first */
	struct flow_key key;
	struct flow_mask mask;
	struct dep deps[VERDICT_MAX_DEPS];
	unsigned n_deps;
	struct act_list actions;
	uint64_t packets, bytes, used_ms;
};

/* A bucket of nanoseconds times packets a second: NS of them is a packet. */
struct fake_meter {
	uint64_t rate, burst;
	uint64_t level;
	uint64_t filled_ns; /* when the level was right */
};

struct fake {
	struct dp_config config;
	struct list ports, flows;
	struct fake_meter *meters; /* by id; lazily touched */
	struct packet_pool *pool;
	struct interp interp;
	const struct flow_key *key; /* of the packet being run */
	struct dp_stats stats;
	struct capture_set *captures; /* NULL: none */
	uint64_t wrong;
	struct verdict verdict;
};

static struct fake *fake_of(struct dp *base)
{
	return (struct fake *)(void *)base;
}

static uint64_t fake_now_ms(const struct fake *f)
{
	return env_now_ns(f->config.env) / 1000000u;
}

/* --- ports and counters --- */

static struct fake_port *fake_find(const struct fake *f, uint32_t id)
{
	struct fake_port *p;

	list_for_each(p, &f->ports, link)
		if (p->port->id == id)
			return p;
	return NULL;
}

static struct port_counters *fake_counters(const struct fake *f, uint32_t id)
{
	struct fake_port *p = fake_find(f, id);

	return p ? &p->port->counters[0] : NULL;
}

static void fake_see(const struct fake *f, const struct packet *p,
		     const struct capture_event *ev)
{
	if (f->captures)
		capture_packet(f->captures, 0, p, ev);
}

static void fake_count_drop(const struct fake *f, const struct packet *p,
			    enum drop reason)
{
	struct port_counters *c = fake_counters(f, p->in_port);

	if (c)
		c->drops[reason]++;
	fake_see(f, p,
		 &(struct capture_event){ .point = CAPTURE_DROP,
					  .drop = reason,
					  .port = p->in_port });
}

static void fake_refuse(const struct fake *f, struct packet *p,
			enum drop reason)
{
	fake_count_drop(f, p, reason);
	packet_free(p);
}

/* --- sending, one frame at a time --- */

/* Where a frame goes to. */
struct fake_target {
	struct fake *f;
	struct port *port;
};

static void fake_send(const struct fake_target *to, struct packet *p)
{
	struct packet_batch b = { .n = 1, .p = { p } };
	struct port *port = to->port;

	fake_see(to->f, p,
		 &(struct capture_event){ .point = CAPTURE_OUT,
					  .port = port->id });
	if (port_get_state(port) != PORT_UP)
		fake_see(to->f, p,
			 &(struct capture_event){ .point = CAPTURE_DROP,
						  .drop = DROP_PORT_DOWN,
						  .port = p->in_port });
	port->ops->tx(port, &b, &port->counters[0]);
}

static void fake_send_segment(void *ctx, struct packet *segment)
{
	fake_send(ctx, segment);
}

static void fake_cut(struct fake_target *to, struct packet *p)
{
	struct segment_plan plan;
	struct fake *f = to->f;

	if (!segment_plan_init(&plan, p))
		fake_count_drop(f, p, DROP_UNSUPPORTED);
	else if (!packet_segment(p, f->pool, fake_send_segment, to))
		fake_count_drop(f, p, DROP_POOL_EMPTY);
	packet_free(p);
}

static void fake_output(void *ctx, struct packet *p, uint32_t port)
{
	struct fake *f = ctx;
	struct fake_port *out = fake_find(f, port);
	struct fake_target to = { f, out ? out->port : NULL };

	if (!out) {
		fake_refuse(f, p, DROP_NO_PORT);
		return;
	}
	switch (packet_tx_need(p, to.port->caps, to.port->mtu)) {
	case TX_AS_IS:
		fake_send(&to, p);
		return;
	case TX_CSUM:
		packet_csum_finish(p);
		fake_send(&to, p);
		return;
	case TX_SEGMENT:
		fake_cut(&to, p);
		return;
	case TX_TOO_BIG:
		fake_refuse(f, p, DROP_TOO_BIG);
		return;
	}
}

/* --- the other sinks --- */

static void fake_punt(void *ctx, const struct packet *p,
		      const struct act_punt *a)
{
	struct fake *f = ctx;

	if (!f->config.cb->punt(f->config.ctx, p, f->key, a))
		fake_count_drop(f, p, DROP_PUNT_QUOTA);
}

static void fake_drop(void *ctx, const struct packet *p, enum drop reason)
{
	fake_count_drop(ctx, p, reason);
}

static uint32_t fake_random(void *ctx)
{
	struct fake *f = ctx;

	return (uint32_t)env_random(f->config.env);
}

static bool fake_meter_pass(void *ctx, uint32_t id,
			    const struct packet *p UNUSED)
{
	struct fake *f = ctx;
	struct fake_meter *m = f->meters + (id < DP_MAX_METERS ? id : 0);
	uint64_t now = env_now_ns(f->config.env), room;

	if (!m->rate) /* nor has meter 0 */
		return true;
	room = m->burst * NS - m->level;
	/* Beyond this it would be full many times over, and overflow. */
	if (now - m->filled_ns > room / m->rate)
		m->level += room;
	else
		m->level += (now - m->filled_ns) * m->rate;
	m->filled_ns = now;
	if (m->level < NS)
		return false;
	m->level -= NS;
	return true;
}

static const struct interp_ops fake_sinks = {
	.output = fake_output,
	.punt = fake_punt,
	.meter = fake_meter_pass,
	.drop = fake_drop,
	.random = fake_random,
};

/* --- flows --- */

static bool flow_is_of(const struct fake_flow *w, uint32_t port)
{
	return w->key.in_port == port;
}

static bool fake_is_fresh(const struct fake *f, const struct fake_flow *w)
{
	for (unsigned i = 0; i < w->n_deps; i++)
		if (!stamp_is_fresh(f->config.stamps, w->deps[i]))
			return false;
	return true;
}

static struct fake_flow *flow_find(const struct fake *f,
				   const struct flow_key *key)
{
	struct fake_flow *w;

	list_for_each(w, &f->flows, link)
		if (key_equal_under(key, &w->key, &w->mask))
			return w;
	return NULL;
}

static void flow_remove(struct fake_flow *w)
{
	list_del(&w->link);
	free((void *)(uintptr_t)w->actions.first);
	free(w);
}

static void flows_forget(struct fake *f, uint32_t port)
{
	struct fake_flow *w, *next;

	list_for_each_safe(w, next, &f->flows, link)
		if (flow_is_of(w, port))
			flow_remove(w);
}

/* How many of the port; the oldest of them in `oldest`. */
static uint32_t flows_of(const struct fake *f, uint32_t port,
			 struct fake_flow **oldest)
{
	struct fake_flow *w;
	uint32_t n = 0;

	*oldest = NULL;
	list_for_each(w, &f->flows, link) {
		if (!flow_is_of(w, port))
			continue;
		*oldest = w;
		n++;
	}
	return n;
}

static bool mask_is_first(const struct fake *f, const struct fake_flow *of)
{
	struct fake_flow *w;

	list_for_each(w, &f->flows, link) {
		if (w == of)
			return true;
		if (flow_is_of(w, of->key.in_port) &&
		    mask_equal(&w->mask, &of->mask))
			return false;
	}
	return false;
}

/* Different masks of the port, 0 for all ports. */
static unsigned masks_of(const struct fake *f, uint32_t port)
{
	struct fake_flow *w;
	unsigned n = 0;

	list_for_each(w, &f->flows, link)
		if ((!port || flow_is_of(w, port)) && mask_is_first(f, w))
			n++;
	return n;
}

/* The oldest flow of the port that has the most, if that is more than `n`. */
static struct fake_flow *oldest_of_fuller(const struct fake *f, uint32_t n)
{
	struct fake_flow *oldest, *found = NULL;
	struct fake_port *p;

	list_for_each(p, &f->ports, link) {
		uint32_t has = flows_of(f, p->port->id, &oldest);

		if (has > n) {
			found = oldest;
			n = has;
		}
	}
	return found;
}

/* At most so many flows of a port, and in all, and so many masks: a port that
 * would have more masks starts again; one too many flow is taken from the port
 * itself, or from one that has more when all together are too many. */
static void flows_limit(struct fake *f, uint32_t port)
{
	const struct dp_config *c = &f->config;
	struct fake_flow *oldest, *other = NULL;
	uint32_t n = flows_of(f, port, &oldest);

	if (masks_of(f, port) > DP_MAX_MASKS) {
		f->stats.merged++;
		while (flows_of(f, port, &oldest) > 1)
			flow_remove(oldest);
		return;
	}
	if (n <= c->flows_per_port) {
		if (list_count(&f->flows) <= c->flows_max)
			return;
		/* The new one is counted already. */
		other = oldest_of_fuller(f, n - 1);
	}
	f->stats.replaced++;
	flow_remove(other ? other : oldest);
}

static struct fake_flow *flow_put(struct fake *f, const struct flow_key *key)
{
	const struct verdict *v = &f->verdict;
	struct act_list list = acts_list(&v->actions);
	struct fake_flow *w = xzalloc(sizeof(*w));

	w->mask = v->mask;
	key_apply_mask(key, &v->mask, &w->key);
	w->n_deps = v->n_deps;
	memcpy(w->deps, v->deps, v->n_deps * sizeof(w->deps[0]));
	w->actions =
		(struct act_list){ xmemdup(list.first, list.len), list.len };
	list_push_front(&f->flows, &w->link);
	flows_limit(f, key->in_port);
	return w;
}

/* What the flow that covered the packet had counted goes on in the new one when
 * it stands for the same packets. */
static void flow_count(struct fake *f, const struct flow_key *key,
		       struct fake_flow *old, const struct packet *p)
{
	bool same = old && mask_equal(&old->mask, &f->verdict.mask);
	uint64_t packets = same ? old->packets : 0;
	uint64_t bytes = same ? old->bytes : 0;
	struct fake_flow *w;

	if (old && f->verdict.cacheable)
		flow_remove(old);
	if (!f->verdict.cacheable) {
		f->stats.uncacheable++;
		return;
	}
	w = flow_put(f, key);
	w->packets = packets + 1;
	w->bytes = bytes + p->len;
	w->used_ms = fake_now_ms(f);
}

/* A fresh flow that says something else than translation just did is wrong. */
static void flow_judge(struct fake *f, const struct fake_flow *w)
{
	if (!w)
		f->stats.misses++;
	else if (!fake_is_fresh(f, w))
		f->stats.stale++;
	else
		f->stats.hits++;
	if (w && fake_is_fresh(f, w) &&
	    !act_list_equal(w->actions, acts_list(&f->verdict.actions)))
		f->wrong++;
}

/* --- a packet's way --- */

static void fake_see_in(const struct fake *f, const struct packet *p,
			const struct flow_key *key, struct act_list list)
{
	fake_see(f, p,
		 &(struct capture_event){ .point = CAPTURE_IN,
					  .port = p->in_port,
					  .key = key,
					  .actions = list });
}

static void fake_translate(struct fake *f, const struct flow_key *key)
{
	struct verdict *v = &f->verdict;

	f->config.cb->translate(f->config.ctx, key, v);
	if (!v->actions.len) /* V3 */
		acts_drop(&v->actions,
			  v->drop ? (enum drop)v->drop : DROP_NO_RULE);
}

static void fake_apply(struct fake *f, const struct packet *p,
		       const struct flow_key *key)
{
	const struct dp_config *c = &f->config;
	struct dp_use use = { .in_port = key->in_port,
			      .packets = 1,
			      .bytes = p->len,
			      .used_ms = fake_now_ms(f) };

	if (f->verdict.n_effects)
		c->cb->apply(c->ctx, f->verdict.effects, f->verdict.n_effects,
			     &use);
}

static void fake_run(struct fake *f, struct packet *p,
		     const struct flow_key *key, struct act_list list)
{
	f->key = key;
	if (list.len)
		interp_run(&f->interp, p, list);
	else
		fake_refuse(f, p, DROP_NO_RULE);
}

static void fake_receive(struct fake *f, struct packet *p)
{
	struct fake_flow *covers;
	struct flow_key key;
	enum drop d;

	flow_key_init(&key);
	d = flow_extract(p, &key);
	if (d != DROP_NONE) {
		fake_see_in(f, p, NULL, (struct act_list){ 0 });
		fake_refuse(f, p, d);
		return;
	}
	covers = flow_find(f, &key);
	fake_translate(f, &key);
	flow_judge(f, covers);
	fake_apply(f, p, &key);
	flow_count(f, &key, covers, p);
	fake_see_in(f, p, &key, acts_list(&f->verdict.actions));
	fake_run(f, p, &key, acts_list(&f->verdict.actions));
}

static unsigned fake_poll_queue(struct fake *f, struct fake_port *p, unsigned q)
{
	struct port_counters *c = &p->port->counters[0];
	struct packet_batch b = { 0 };
	int n = p->port->ops->rx(p->port, q, &b, f->pool);

	if (n < 0) {
		p->failed = true;
		f->config.cb->port_failed(f->config.ctx, p->port->id, n);
		return 0;
	}
	for (unsigned i = 0; i < b.n; i++) {
		c->rx_packets++;
		c->rx_bytes += b.p[i]->len;
		b.p[i]->in_port = p->port->id;
		fake_receive(f, b.p[i]);
	}
	return b.n;
}

unsigned dp_fake_poll(struct dp *dp)
{
	struct fake *f = fake_of(dp);
	struct fake_flow *w, *next;
	struct fake_port *p;
	unsigned n = 0;

	list_for_each(p, &f->ports, link)
		for (unsigned q = 0; q < p->port->n_queues && !p->failed; q++)
			n += fake_poll_queue(f, p, q);
	list_for_each_safe(w, next, &f->flows, link)
		if (fake_now_ms(f) - w->used_ms >= f->config.flow_idle_ms)
			flow_remove(w);
	return n;
}

uint64_t dp_fake_wrong(const struct dp *dp)
{
	return ((const struct fake *)(const void *)dp)->wrong;
}

/* --- the contract --- */

static struct dp *fake_create(const struct dp_config *config)
{
	struct fake *f = xzalloc(sizeof(*f));
	struct dp_config *c = &f->config;

	*c = *config;
	c->flows_per_port = c->flows_per_port ? c->flows_per_port : FAKE_FLOWS;
	c->flows_max = c->flows_max ? c->flows_max : FAKE_FLOWS;
	c->flow_idle_ms = c->flow_idle_ms ? c->flow_idle_ms : FAKE_IDLE_MS;
	list_init(&f->ports);
	list_init(&f->flows);
	f->meters = lazy_alloc(DP_MAX_METERS * sizeof(*f->meters));
	f->pool = packet_pool_create(FAKE_POOL);
	must(f->meters && f->pool);
	f->interp = (struct interp){ &fake_sinks, f, f->pool };
	return (struct dp *)(void *)f;
}

static void fake_destroy(struct dp *base)
{
	struct fake *f = fake_of(base);
	struct fake_port *p, *next_port;
	struct fake_flow *w, *next;

	list_for_each_safe(w, next, &f->flows, link)
		flow_remove(w);
	list_for_each_safe(p, next_port, &f->ports, link)
		free(p);
	lazy_free(f->meters, DP_MAX_METERS * sizeof(*f->meters));
	packet_pool_destroy(f->pool);
	capture_set_destroy(f->captures);
	free(f);
}

static int fake_port_add(struct dp *base, struct port *port)
{
	struct fake *f = fake_of(base);
	struct fake_port *p;

	if (!port->id || port->id > DP_MAX_PORTS)
		return -ENOSPC;
	if (fake_find(f, port->id))
		return -EEXIST;
	p = xzalloc(sizeof(*p));
	p->port = port;
	list_push_back(&f->ports, &p->link);
	return 0;
}

static void fake_port_del(struct dp *base, uint32_t id)
{
	struct fake *f = fake_of(base);
	struct fake_port *p = fake_find(f, id);

	if (!p)
		return;
	flows_forget(f, id);
	list_del(&p->link);
	free(p);
}

static int fake_meter_set(struct dp *base, uint32_t id, uint64_t rate,
			  uint64_t burst)
{
	struct fake *f = fake_of(base);
	struct fake_meter *m = f->meters + id % DP_MAX_METERS;

	if (!id || id >= DP_MAX_METERS)
		return -EINVAL;
	burst = CLAMP(burst, 1u, UINT64_MAX / NS / 2);
	if (m->rate == rate && m->burst == burst)
		return 0;
	*m = (struct fake_meter){ .rate = rate,
				  .burst = burst,
				  .level = burst * NS,
				  .filled_ns = env_now_ns(f->config.env) };
	return 0;
}

static void fake_execute(struct dp *base, struct packet *p,
			 struct act_list list)
{
	struct flow_key key;

	flow_key_init(&key);
	if (flow_extract(p, &key) != DROP_NONE)
		flow_key_init(&key);
	fake_run(fake_of(base), p, &key, list);
}

static void fake_inject(struct dp *base, struct packet *p)
{
	struct fake *f = fake_of(base);
	struct flow_key key;
	enum drop d;

	flow_key_init(&key);
	d = flow_extract(p, &key);
	if (d != DROP_NONE) {
		fake_refuse(f, p, d);
		return;
	}
	fake_translate(f, &key);
	fake_apply(f, p, &key);
	fake_see_in(f, p, &key, acts_list(&f->verdict.actions));
	fake_run(f, p, &key, acts_list(&f->verdict.actions));
}

static struct packet *fake_packet_alloc(struct dp *base)
{
	return packet_alloc(fake_of(base)->pool);
}

static void fake_flow_dump(struct dp *base, uint32_t max,
			   void (*fn)(void *ctx, const struct dp_flow *f),
			   void *ctx)
{
	struct fake *f = fake_of(base);
	struct fake_flow *w;

	list_for_each(w, &f->flows, link) {
		struct dp_flow out = { .key = &w->key,
				       .mask = &w->mask,
				       .actions = w->actions,
				       .packets = w->packets,
				       .bytes = w->bytes,
				       .used_ms = w->used_ms,
				       .fresh = fake_is_fresh(f, w) };

		if (!max--)
			return;
		fn(ctx, &out);
	}
}

static void fake_stats(struct dp *base, struct dp_stats *out)
{
	struct fake *f = fake_of(base);

	*out = f->stats;
	out->flows = list_count(&f->flows);
	out->masks = masks_of(f, 0);
}

static void fake_barrier(struct dp *base UNUSED)
{
	/* Nobody else is there to wait for. */
}

static struct capture *fake_capture_start(struct dp *base,
					  const struct capture_spec *spec)
{
	struct fake *f = fake_of(base);
	struct capture_set *old = f->captures;
	struct capture *c;

	if (old && old->n == CAPTURE_MAX)
		return NULL;
	c = capture_create(spec, 1);
	must(c);
	f->captures = capture_set_with(old, c);
	free(old);
	return c;
}

static void fake_capture_stop(struct dp *base, struct capture *c)
{
	struct fake *f = fake_of(base);
	struct capture_set *old = f->captures;

	f->captures = capture_set_without(old, c);
	free(old);
	capture_destroy(c);
}

const struct dp_ops dp_fake_ops = {
	.name = "fake",
	.create = fake_create,
	.destroy = fake_destroy,
	.port_add = fake_port_add,
	.port_del = fake_port_del,
	.meter_set = fake_meter_set,
	.execute = fake_execute,
	.inject = fake_inject,
	.packet_alloc = fake_packet_alloc,
	.flow_dump = fake_flow_dump,
	.stats = fake_stats,
	.barrier = fake_barrier,
	.capture_start = fake_capture_start,
	.capture_stop = fake_capture_stop,
};
