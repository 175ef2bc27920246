/* SPDX-License-Identifier: Apache-2.0 */
/* The one timer: asks every machine when it wants to be called, sleeps till the
 * first of them, and carries out what they put into their outboxes. */
#include "switch/of_inside.h"

static uint64_t bridges_deadline(const struct vswitch *sw)
{
	uint64_t at = UINT64_MAX;

	for (unsigned i = 0; i < sw->bridges.n; i++) {
		const struct sw_bridge *b = sw->bridges.at[i];

		if (!b)
			continue;
		at = MIN(at, mac_table_next_deadline(b->macs));
		if (b->of)
			at = MIN(at, sw_of_deadline(b->of));
		if (b->guard)
			at = MIN(at, loop_guard_next_deadline(b->guard));
	}
	return at;
}

static uint64_t domains_deadline(const struct vswitch *sw)
{
	uint64_t at = UINT64_MAX;

	for (unsigned i = 0; i < sw->domains.n; i++) {
		const struct sw_domain *d = sw->domains.at[i];

		if (d && d->neigh)
			at = MIN(at, neigh_next_deadline(d->neigh));
		if (d && d->mcast)
			at = MIN(at, mcast_next_deadline(d->mcast));
	}
	return at;
}

static uint64_t ifaces_deadline(const struct vswitch *sw)
{
	uint64_t at = UINT64_MAX;

	for (unsigned i = 0; i < sw->ifaces.n; i++) {
		const struct sw_iface *f = sw->ifaces.at[i];

		if (f && f->advertises)
			at = MIN(at, ra_next_deadline(&f->ra));
	}
	return at;
}

void sw_arm(struct vswitch *sw)
{
	uint64_t now = sw_now(sw), at = bridges_deadline(sw);

	at = MIN(at, domains_deadline(sw));
	at = MIN(at, ifaces_deadline(sw));
	sw->armed_ms = at;
	if (at == UINT64_MAX)
		timer_cancel(&sw->timer);
	else
		timer_set(&sw->timer, at > now ? at - now : 0);
}

static void send_probe(struct vswitch *sw, const struct loop_out *o)
{
	sw_send_on_port(sw, o->port, o->frame, sizeof(o->frame));
}

static void tell_loop(struct vswitch *sw, const struct loop_out *o)
{
	const struct switch_events *ev = &sw->config.events;

	if (ev->loop)
		ev->loop(ev->ctx, o->port, o->other, o->kind == LOOP_BLOCK);
}

void sw_drain_guard(struct vswitch *sw, struct sw_bridge *b)
{
	bool changed = false;
	struct loop_out o;

	while (loop_guard_take(b->guard, &o)) {
		if (o.kind == LOOP_SEND) {
			send_probe(sw, &o);
			continue;
		}
		tell_loop(sw, &o);
		changed = true;
		if (o.kind == LOOP_BLOCK)
			mac_table_flush(b->macs, o.port, MAC_ANY_VID);
	}
	if (changed && sw->config.events.rebuild)
		sw->config.events.rebuild(sw->config.events.ctx);
}

/* Stations that workers saw move. */
static void tell_moves(struct vswitch *sw)
{
	const struct switch_events *ev = &sw->config.events;
	struct move v[MOVES_MAX];
	uint64_t lost;
	unsigned n = moves_take(&sw->moves, v, &lost);

	for (unsigned i = 0; ev->moved && i < n; i++) {
		const struct sw_bridge *b = sw_bridge(sw, v[i].bridge);

		if (b)
			ev->moved(ev->ctx, b->name, &v[i],
				  i + 1 == n ? lost : 0);
	}
}

static void tick_bridge(struct vswitch *sw, struct sw_bridge *b, uint64_t now)
{
	struct mac_flap flap;

	mac_table_tick(b->macs, now);
	if (b->of)
		sw_of_tick(b->of);
	while (mac_table_take_flap(b->macs, &flap)) {
		if (sw->config.events.flap)
			sw->config.events.flap(sw->config.events.ctx, b->name,
					       &flap);
		if (b->guard)
			loop_guard_flap(b->guard, flap.port_a, flap.port_b,
					now);
	}
	if (!b->guard)
		return;
	loop_guard_tick(b->guard, now);
	sw_drain_guard(sw, b);
}

static void tick_domain(struct vswitch *sw, struct sw_domain *d, uint64_t now)
{
	struct mcast_frame query;

	if (d->neigh) {
		neigh_tick(d->neigh, now);
		sw_drain_neigh(sw, d->id);
	}
	if (!d->mcast)
		return;
	mcast_tick(d->mcast, now);
	while (mcast_take(d->mcast, &query))
		sw_send_in_domain(sw, d->id, query.bytes, query.len);
}

static void send_ra(struct vswitch *sw, struct sw_iface *i, uint64_t now)
{
	const struct snap_iface *s = snapshot_iface(sw->snapshot, i->id);
	struct ra_frame f;

	if (!s || !s->domain || !ra_take(&i->ra, now, &f))
		return;
	sw_send_in_domain(sw, s->domain->id, f.bytes, f.len);
	sw->stats.ra_sent++;
}

static void tick_iface(struct vswitch *sw, struct sw_iface *i, uint64_t now)
{
	if (!i->advertises)
		return;
	ra_tick(&i->ra, now);
	send_ra(sw, i, now);
}

void sw_say_goodbye(struct vswitch *sw)
{
	for (unsigned n = 0; n < sw->ifaces.n; n++) {
		struct sw_iface *i = sw->ifaces.at[n];

		if (!i)
			continue;
		if (i->advertises && !i->wanted) {
			ra_stop(&i->ra);
			i->advertises = false;
		}
		if (!i->advertises)
			send_ra(sw, i, sw_now(sw));
	}
}

void sw_tick(void *arg)
{
	struct vswitch *sw = arg;
	uint64_t now = sw_now(sw);

	tell_moves(sw);
	for (unsigned i = 0; i < sw->bridges.n; i++)
		if (sw->bridges.at[i])
			tick_bridge(sw, sw->bridges.at[i], now);
	for (unsigned i = 0; i < sw->domains.n; i++)
		if (sw->domains.at[i])
			tick_domain(sw, sw->domains.at[i], now);
	for (unsigned i = 0; i < sw->ifaces.n; i++)
		if (sw->ifaces.at[i])
			tick_iface(sw, sw->ifaces.at[i], now);
	sw_arm(sw);
}
