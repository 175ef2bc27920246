/* SPDX-License-Identifier: Apache-2.0 */
/* The datapath's callbacks: translate, apply effects, take punts. On workers. */
#include "switch/internal.h"

static struct vswitch *sw_of(void *ctx)
{
	return ctx;
}

static void cb_translate(void *ctx, const struct flow_key *key,
			 struct verdict *v)
{
	pipeline_translate(rcu_load(sw_of(ctx)->snapshot), key, v, NULL);
}

/* A new or moved station may start a timer (its age): the control thread arms
 * it. Calls that come faster than it runs are one call. */
static void apply_learn(struct vswitch *sw, const struct snapshot *s,
			const struct effect *e, uint64_t now_ms)
{
	enum mac_learn how;

	if (e->id >= s->n_bridges || !s->bridges[e->id])
		return;
	how = mac_table_learn(s->bridges[e->id]->macs, e->vid, e->mac, e->port,
			      now_ms);
	if (how == MAC_MOVED)
		moves_put(&sw->moves,
			  &(struct move){ .bridge = e->id,
					  .port = e->port,
					  .vid = e->vid,
					  .mac = e->mac },
			  now_ms);
	if (how == MAC_NEW || how == MAC_MOVED || how == MAC_HELD)
		loop_wake(sw->loop, &sw->tick_call);
}

static void apply_neigh(struct vswitch *sw, const struct snapshot *s,
			const struct effect *e, uint64_t now_ms)
{
	const struct snap_domain *d = snapshot_domain(s, e->port);

	if (d && d->neigh && neigh_used(d->neigh, e->id, now_ms))
		loop_wake(sw->loop, &sw->tick_call);
}

static void apply_count(struct vswitch *sw, const struct effect *e,
			const struct dp_use *use)
{
	struct sw_counter *c;

	if (e->id >= SWITCH_COUNTERS)
		return;
	c = &sw->counters[e->id];
	__atomic_add_fetch(&c->packets, use->packets, __ATOMIC_RELAXED);
	__atomic_add_fetch(&c->bytes, use->bytes, __ATOMIC_RELAXED);
	__atomic_store_n(&c->used_ms, use->used_ms, __ATOMIC_RELAXED);
}

static void cb_apply(void *ctx, const struct effect *effects, unsigned n,
		     const struct dp_use *use)
{
	struct vswitch *sw = sw_of(ctx);
	const struct snapshot *s = rcu_load(sw->snapshot);

	for (unsigned i = 0; i < n; i++) {
		switch ((enum effect_kind)effects[i].kind) {
		case EFFECT_LEARN:
			if (!use->past)
				apply_learn(sw, s, &effects[i], use->used_ms);
			break;
		case EFFECT_NEIGH:
			if (!use->past)
				apply_neigh(sw, s, &effects[i], use->used_ms);
			break;
		case EFFECT_COUNT:
			apply_count(sw, &effects[i], use);
			break;
		case EFFECT_GROUP:
			break;
		}
	}
}

static bool cb_punt(void *ctx, const struct packet *p,
		    const struct flow_key *key, const struct act_punt *a)
{
	struct vswitch *sw = sw_of(ctx);

	return punt_queue_put(&sw->punts, p, key, a, sw_now(sw));
}

/* Once in the life of an attached port, so an allocation is fine here. */
static void cb_port_failed(void *ctx, uint32_t port, int error)
{
	struct vswitch *sw = sw_of(ctx);

	failed_ports_add(&sw->failed, port, error);
}

const struct dp_callbacks sw_callbacks = {
	.translate = cb_translate,
	.apply = cb_apply,
	.punt = cb_punt,
	.port_failed = cb_port_failed,
};
