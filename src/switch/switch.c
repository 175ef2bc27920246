/* SPDX-License-Identifier: Apache-2.0 */
#include "switch/switch.h"

#include <errno.h>

#include "dp/accel.h"
#include "switch/of_inside.h"

/* The first meter number; each port may have one of each kind. */
#define METER_FIRST 1u
#define N_PORTS (DP_MAX_PORTS + 1u)

static void serve_punts(void *arg)
{
	struct vswitch *sw = arg;
	struct punt *p;

	/* At most what was there at first, so that a flood cannot hold the
	 * control thread: the rest is woken for again. */
	for (unsigned i = 0; i < PUNT_SLOTS; i++) {
		p = punt_queue_take(&sw->punts);
		if (!p)
			return;
		sw_punted(sw, p);
		punt_queue_done(&sw->punts, p);
	}
	loop_wake(sw->loop, &sw->punts.call);
}

static struct dp *create_dp(struct vswitch *sw)
{
	struct dp_config c = {
		.env = sw->env,
		.accel = sw->accel,
		.stamps = sw->stamps,
		.cb = &sw_callbacks,
		.ctx = sw,
		.n_workers = sw->config.n_workers,
		.flows_max = sw->config.flows_max,
	};

	return sw->config.dp->create(&c);
}

static void tell_failed(void *arg)
{
	struct vswitch *sw = arg;
	const struct switch_events *ev = &sw->config.events;
	struct failed_port f;

	while (failed_ports_take(&sw->failed, &f))
		if (ev->port_failed)
			ev->port_failed(ev->ctx, f.port, f.error);
}

static int alloc_tables(struct vswitch *sw)
{
	sw->stamps = sw->accel ? accel_stamps(sw->accel) :
				 lazy_alloc(sizeof(*sw->stamps));
	sw->counters = lazy_alloc(SWITCH_COUNTERS * sizeof(*sw->counters));
	sw->meters = lazy_alloc(N_PORTS * sizeof(*sw->meters));
	sw->attached = lazy_alloc(N_PORTS * sizeof(*sw->attached));
	sw->pool = packet_pool_create(SWITCH_POOL);
	failed_ports_init(&sw->failed, sw->loop, tell_failed, sw);
	if (!sw->stamps || !sw->counters || !sw->meters || !sw->attached ||
	    !sw->pool)
		return -ENOMEM;
	return punt_queue_init(&sw->punts, sw->loop, serve_punts, sw);
}

static void free_tables(struct vswitch *sw)
{
	failed_ports_fini(&sw->failed);
	punt_queue_fini(&sw->punts);
	if (sw->pool)
		packet_pool_destroy(sw->pool);
	lazy_free(sw->attached, N_PORTS * sizeof(*sw->attached));
	lazy_free(sw->meters, N_PORTS * sizeof(*sw->meters));
	lazy_free(sw->counters, SWITCH_COUNTERS * sizeof(*sw->counters));
	if (!sw->accel)
		lazy_free(sw->stamps, sizeof(*sw->stamps));
	accel_destroy(sw->accel);
}

struct vswitch *switch_create(const struct switch_config *config)
{
	static const struct desired nothing;
	struct vswitch *sw = xzalloc(sizeof(*sw));

	sw->config = *config;
	sw->env = config->env;
	sw->loop = config->loop;
	sw->seed = env_random(sw->env);
	sw->verdict = xzalloc(sizeof(*sw->verdict));
	sw->spare = xzalloc(sizeof(*sw->spare));
	storm_init(&sw->storm, METER_FIRST, STORM_MAX_METERS - METER_FIRST);
	timer_init(&sw->timer, sw->loop, sw_tick, sw);
	loop_call_init(&sw->tick_call, sw_tick, sw);
	sw->ports_used[0] = 1; /* 0 is no port */
	if (config->accel)
		sw->accel = accel_create(&sw->accel_refusal);
	if (alloc_tables(sw))
		goto fail;
	sw_rebuild(sw, &nothing);
	sw->dp = create_dp(sw);
	if (sw->dp)
		return sw;
fail:
	switch_destroy(sw);
	return NULL;
}

void switch_port_touch(struct vswitch *sw, struct port *port)
{
	if (sw->accel)
		accel_port_touch(sw->accel, port);
	sw_of_look(sw, port->id);
}

void switch_leave(struct vswitch *sw)
{
	if (sw->accel)
		accel_leave(sw->accel);
}

void switch_destroy(struct vswitch *sw)
{
	static const struct desired nothing;

	if (!sw)
		return;
	if (sw->snapshot)
		sw_rebuild(sw, &nothing);
	if (sw->dp)
		sw->config.dp->destroy(sw->dp);
	loop_call_cancel(sw->loop, &sw->tick_call);
	loop_call_cancel(sw->loop, &sw->punts.call);
	timer_fini(&sw->timer);
	rcu_barrier_wait();
	snapshot_free(sw->snapshot);
	free_tables(sw);
	free(sw->bridges.at);
	free(sw->domains.at);
	free(sw->ifaces.at);
	free(sw->routers.at);
	free(sw->verdict);
	free(sw->spare);
	err_fini(&sw->accel_refusal);
	free(sw);
}

const char *switch_accel_refusal(const struct vswitch *sw)
{
	return sw->accel_refusal.text;
}

const char *switch_accel(const struct vswitch *sw, uint32_t port)
{
	if (!sw->config.accel)
		return "switched off";
	if (!sw->accel)
		return sw->accel_refusal.text;
	return accel_has_port(sw->accel, port) ? NULL :
						 "no kernel device of its own";
}

/* --- port numbers --- */

uint32_t switch_port_number(struct vswitch *sw)
{
	for (uint32_t i = 0; i < N_PORTS; i++) {
		uint32_t id = (sw->port_hint + i) % N_PORTS;

		if (sw->ports_used[id / 64] >> (id % 64) & 1)
			continue;
		sw->ports_used[id / 64] |= 1ull << (id % 64);
		sw->port_hint = id + 1;
		return id;
	}
	return 0;
}

void switch_port_release(struct vswitch *sw, uint32_t id)
{
	must(id && id < N_PORTS);
	sw->ports_used[id / 64] &= ~(1ull << (id % 64));
}

int switch_port_add(struct vswitch *sw, struct port *port)
{
	int rc = sw->config.dp->port_add(sw->dp, port);

	if (rc)
		return rc;
	sw->attached[port->id] = port;
	sw_of_look(sw, port->id);
	return 0;
}

static void forget_stations(struct vswitch *sw, uint32_t port)
{
	for (unsigned i = 0; i < sw->bridges.n; i++) {
		struct sw_bridge *b = sw->bridges.at[i];

		if (b)
			mac_table_flush(b->macs, port, MAC_ANY_VID);
	}
	for (unsigned i = 0; i < sw->domains.n; i++) {
		struct sw_domain *d = sw->domains.at[i];

		if (d && d->mcast)
			mcast_forget_port(d->mcast, port);
	}
}

void switch_port_del(struct vswitch *sw, struct port *port)
{
	sw->config.dp->port_del(sw->dp, port->id);
	sw->attached[port->id] = NULL;
	sw_of_look(sw, port->id);
	forget_stations(sw, port->id);
}

/* --- asking --- */

const struct snapshot *switch_snapshot(const struct vswitch *sw)
{
	return sw->snapshot;
}

struct dp *switch_dp(const struct vswitch *sw)
{
	return sw->dp;
}

const struct dp_ops *switch_dp_ops(const struct vswitch *sw)
{
	return sw->config.dp;
}

void switch_count(const struct vswitch *sw, uint32_t counter, uint64_t *packets,
		  uint64_t *bytes)
{
	const struct sw_counter *c = &sw->counters[counter % SWITCH_COUNTERS];

	*packets = __atomic_load_n(&c->packets, __ATOMIC_RELAXED);
	*bytes = __atomic_load_n(&c->bytes, __ATOMIC_RELAXED);
}

uint64_t switch_used_ms(const struct vswitch *sw, uint32_t counter)
{
	return __atomic_load_n(&sw->counters[counter % SWITCH_COUNTERS].used_ms,
			       __ATOMIC_RELAXED);
}

void switch_explain(struct vswitch *sw, const struct flow_key *key,
		    struct verdict *v, struct trace *t)
{
	pipeline_translate(sw->snapshot, key, v, t);
}

void switch_stats(const struct vswitch *sw, struct switch_stats *out)
{
	*out = sw->stats;
	out->punt_dropped =
		__atomic_load_n(&sw->punts.dropped, __ATOMIC_RELAXED);
}
