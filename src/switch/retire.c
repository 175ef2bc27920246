/* SPDX-License-Identifier: Apache-2.0 */
/* Out with the old: objects that no configuration names any more, and what is
 * known of ports that are gone. */
#include "switch/of_inside.h"

void sw_mark_unwanted(struct vswitch *sw)
{
	for (unsigned i = 0; i < sw->bridges.n; i++)
		if (sw->bridges.at[i])
			sw_bridge(sw, i)->wanted = false;
	for (unsigned i = 0; i < sw->domains.n; i++)
		if (sw->domains.at[i])
			sw_domain(sw, i)->wanted = false;
	for (unsigned i = 0; i < sw->ifaces.n; i++)
		if (sw->ifaces.at[i])
			sw_iface(sw, i)->wanted = false;
	for (unsigned i = 0; i < sw->routers.n; i++)
		if (sw->routers.at[i])
			sw_router(sw, i)->wanted = false;
}

static void bridge_free(struct rcu_head *head)
{
	struct sw_bridge *b = container_of(head, struct sw_bridge, rcu);

	mac_table_destroy(b->macs);
	loop_guard_destroy(b->guard);
	rule_table_destroy(b->rules);
	free(b->statics);
	free(b->name);
	free(b);
}

static void domain_free(struct rcu_head *head)
{
	struct sw_domain *d = container_of(head, struct sw_domain, rcu);

	neigh_destroy(d->neigh, NULL);
	mcast_destroy(d->mcast);
	free(d->statics);
	free(d->key);
	free(d);
}

static void iface_free(struct rcu_head *head)
{
	struct sw_iface *i = container_of(head, struct sw_iface, rcu);

	free(i->key);
	free(i);
}

static void router_free(struct rcu_head *head)
{
	struct sw_router *r = container_of(head, struct sw_router, rcu);

	free(r->name);
	free(r);
}

static void old_snapshot_free(struct rcu_head *head)
{
	snapshot_free(container_of(head, struct snapshot, rcu));
}

/* Packets that wait go back to their pool here, on the control thread; what is
 * left is freed behind the grace period. */
static void domain_quiet(struct sw_domain *d)
{
	struct neigh_out o;

	if (!d->neigh)
		return;
	neigh_flush(d->neigh);
	while (neigh_take(d->neigh, &o))
		if (o.kind == NEIGH_SEND || o.kind == NEIGH_UNREACHABLE ||
		    o.kind == NEIGH_DROP)
			packet_free(o.packet);
}

void sw_free_rule_counts(struct vswitch *sw, struct sw_bridge *b)
{
	for (unsigned i = 0; i < b->n_rules; i++) {
		const struct sw_rule *r = &b->rule_counts[i];

		if (r->text)
			sw->counters[r->counter].used = false;
		free(r->text);
	}
	free(b->rule_counts);
	b->rule_counts = NULL;
	b->n_rules = 0;
}

static void retire_bridges(struct vswitch *sw)
{
	for (unsigned i = 0; i < sw->bridges.n; i++) {
		struct sw_bridge *b = sw->bridges.at[i];

		if (b && b->retired) {
			rule_table_destroy(b->retired);
			b->retired = NULL;
		}
		if (b && !b->wanted && b->of) {
			b->of_retired = b->of;
			b->of = NULL;
		}
		if (b && b->of_retired) {
			sw_of_retire(b->of_retired);
			b->of_retired = NULL;
		}
		if (b && !b->wanted) {
			sw->bridges.at[i] = NULL;
			sw_free_rule_counts(sw, b);
			rcu_defer(&b->rcu, bridge_free);
		}
	}
}

static void retire_domains(struct vswitch *sw)
{
	for (unsigned i = 0; i < sw->domains.n; i++) {
		struct sw_domain *d = sw->domains.at[i];

		if (d && !(d->wanted && d->resolves))
			domain_quiet(d);
		if (d && !d->wanted) {
			sw->domains.at[i] = NULL;
			rcu_defer(&d->rcu, domain_free);
		}
	}
}

static void retire_ifaces(struct vswitch *sw)
{
	for (unsigned i = 0; i < sw->ifaces.n; i++) {
		struct sw_iface *f = sw->ifaces.at[i];

		if (f && !f->wanted) {
			sw->ifaces.at[i] = NULL;
			rcu_defer(&f->rcu, iface_free);
		}
	}
}

static void retire_routers(struct vswitch *sw)
{
	for (unsigned i = 0; i < sw->routers.n; i++) {
		struct sw_router *r = sw->routers.at[i];

		if (r && !r->wanted) {
			sw->routers.at[i] = NULL;
			rcu_defer(&r->rcu, router_free);
		}
	}
}

/* --- ports that are gone, or are another bridge's now --- */

static bool port_stays(const struct snap_port *was, const struct snap_port *is)
{
	if (!is || is->kind != was->kind)
		return false;
	return !was->bridge ||
	       (is->bridge && is->bridge->id == was->bridge->id);
}

/* What is known of it anywhere but where it is now (`is`, or NULL): the next of
 * its number starts afresh. */
static void port_forget(struct vswitch *sw, uint32_t port,
			const struct snap_port *is)
{
	for (unsigned i = 0; i < sw->bridges.n; i++) {
		struct sw_bridge *b = sw->bridges.at[i];

		if (!b || (is && is->bridge && is->bridge->id == i))
			continue;
		mac_table_forget_port(b->macs, port);
		if (b->guard)
			loop_guard_port_del(b->guard, port);
	}
	for (unsigned i = 0; i < sw->domains.n; i++) {
		struct sw_domain *d = sw->domains.at[i];

		if (d && d->mcast)
			mcast_forget_port(d->mcast, port);
	}
}

static void retire_ports(struct vswitch *sw, const struct snapshot *old)
{
	for (uint32_t i = 1; i < old->n_ports; i++) {
		const struct snap_port *is = snapshot_port(sw->snapshot, i);

		if (!old->ports[i])
			continue;
		if (!port_stays(old->ports[i], is))
			port_forget(sw, i, is);
		if (!is)
			storm_release(&sw->storm, &sw->meters[i]);
	}
}

void sw_retire(struct vswitch *sw, struct snapshot *old)
{
	if (old)
		retire_ports(sw, old);
	retire_bridges(sw);
	retire_domains(sw);
	retire_ifaces(sw);
	retire_routers(sw);
	if (old)
		rcu_defer(&old->rcu, old_snapshot_free);
}
