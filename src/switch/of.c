/* SPDX-License-Identifier: Apache-2.0 */
/* Bridges that are OpenFlow's: their life, their ports. */
#include "switch/of_inside.h"

#include <stdio.h>

#include "port/port.h"

struct switch_of *switch_of_find(const struct vswitch *sw, const char *bridge)
{
	for (unsigned i = 0; i < sw->bridges.n; i++) {
		const struct sw_bridge *b = sw->bridges.at[i];

		if (b && b->of && !strcmp(b->name, bridge))
			return b->of;
	}
	return NULL;
}

void switch_of_watch(struct switch_of *of, const struct switch_of_ops *ops,
		     void *ctx)
{
	of->ops = ops;
	of->ctx = ctx;
}

void switch_of_barrier(struct switch_of *of)
{
	of->sw->config.dp->barrier(of->sw->dp);
}

/* --- life --- */

static void port_free(struct rcu_head *head)
{
	struct sw_of_port *p = container_of(head, struct sw_of_port, rcu);

	free(p->name);
	free(p);
}

static void of_free(struct rcu_head *head)
{
	struct switch_of *of = container_of(head, struct switch_of, rcu);
	struct sw_of_port *p, *next;

	list_for_each_safe(p, next, &of->ports, link) {
		free(p->name);
		free(p);
	}
	flows_destroy(of->flows);
	free(of);
}

static struct switch_of *of_create(struct vswitch *sw, uint32_t bridge)
{
	struct switch_of *of = xzalloc(sizeof(*of));

	of->sw = sw;
	of->bridge = bridge;
	of->flows = flows_create(sw->stamps, bridge);
	of->next_ms = UINT64_MAX;
	list_init(&of->timed);
	list_init(&of->ports);
	switch_of_reset(of);
	return of;
}

/* Counters are given back now; the rest goes behind the grace period. */
void sw_of_retire(struct switch_of *of)
{
	struct of_flow_mod none = { .command = OF_FLOW_DELETE,
				    .table = OF_TABLE_ALL,
				    .out_port = OF_PORT_NONE,
				    .out_group = OF_GROUP_ANY };
	struct of_group all = { .command = OF_GROUP_DELETE,
				.id = OF_GROUP_ALL };

	of->ops = NULL;
	must(!switch_of_flow_mod(of, &none));
	must(!switch_of_group_mod(of, &all));
	rcu_defer(&of->rcu, of_free);
}

void sw_of_configure(struct vswitch *sw, struct sw_bridge *b, bool on)
{
	if (on && !b->of)
		b->of = of_create(sw, b->id);
	if (!on && b->of) {
		b->of_retired = b->of;
		b->of = NULL;
	}
}

/* --- ports --- */

static struct sw_of_port *port_by_number(const struct switch_of *of,
					 uint32_t number)
{
	struct sw_of_port *p;

	list_for_each(p, &of->ports, link)
		if (p->number == number)
			return p;
	return NULL;
}

static struct sw_of_port *port_by_name(const struct switch_of *of,
				       const char *name)
{
	struct sw_of_port *p;

	list_for_each(p, &of->ports, link)
		if (!strcmp(p->name, name))
			return p;
	return NULL;
}

/* The lowest that is free, beginning behind the last given. */
static uint32_t free_number(struct switch_of *of)
{
	for (uint32_t i = 0; i < OF_PORTS_MAX; i++) {
		uint32_t n = (of->port_hint + i) % OF_PORTS_MAX + 1;

		if (port_by_number(of, n))
			continue;
		of->port_hint = n;
		return n;
	}
	return 0;
}

static struct sw_of_port *port_get(struct switch_of *of, const char *bridge,
				   const struct desired_port *d)
{
	struct sw_of_port *p = port_by_name(of, d->name);

	if (p)
		return p;
	p = xzalloc(sizeof(*p));
	p->name = xstrdup(d->name);
	p->number = !strcmp(d->name, bridge) ? OF_PORT_LOCAL : free_number(of);
	p->since_ms = sw_now(of->sw);
	list_push_back(&of->ports, &p->link);
	return p;
}

static int by_number(const void *a, const void *b)
{
	const struct snap_port *const *x = a, *const *y = b;

	return ((*x)->of_port > (*y)->of_port) -
	       ((*x)->of_port < (*y)->of_port);
}

void sw_of_number(struct switch_of *of, const struct desired *d,
		  struct snap_bridge *s, struct snap_port *const *ports)
{
	struct sw_of_port *p;

	list_for_each(p, &of->ports, link)
		p->wanted = false;
	s->of_ports = xcalloc(d->n_ports, sizeof(*s->of_ports));
	for (unsigned i = 0; i < d->n_ports; i++) {
		if (ports[i]->bridge != s)
			continue;
		p = port_get(of, s->name, &d->ports[i]);
		p->wanted = true;
		p->id = ports[i]->id;
		ports[i]->of_port = p->number;
		ports[i]->of_config = &p->config;
		s->of_ports[s->n_of_ports++] = ports[i];
	}
	if (s->n_of_ports)
		qsort(s->of_ports, s->n_of_ports, sizeof(*s->of_ports),
		      by_number);
}

static const struct port *device_of(const struct switch_of *of, uint32_t id)
{
	return of->sw->attached[id];
}

static bool has_link(const struct port *dev)
{
	return dev && port_get_state(dev) == PORT_UP;
}

/* False: as it was. */
static bool note_link(const struct switch_of *of, struct sw_of_port *p)
{
	uint32_t config = p->config & ~SNAP_OF_LINK_DOWN;

	if (!has_link(device_of(of, p->id)))
		config |= SNAP_OF_LINK_DOWN;
	if (config == p->config)
		return false;
	__atomic_store_n(&p->config, config, __ATOMIC_RELAXED);
	return true;
}

static struct of_port port_said(const struct switch_of *of,
				const struct sw_of_port *p)
{
	const struct port *dev = device_of(of, p->id);
	struct of_port out = { .number = p->number,
			       .config = p->config & ~SNAP_OF_LINK_DOWN };

	snprintf(out.name, sizeof(out.name), "%s", p->name);
	if (dev)
		out.mac = dev->mac;
	out.state = has_link(dev) ? OF_PORT_LIVE : OF_PORT_LINK_DOWN;
	return out;
}

static void tell_port(const struct switch_of *of, const struct sw_of_port *p,
		      uint8_t reason)
{
	struct of_port said = port_said(of, p);

	if (of->ops && of->ops->port_status)
		of->ops->port_status(of->ctx, reason, &said);
}

void sw_of_settled(struct switch_of *of)
{
	struct list *next;

	for (struct list *l = of->ports.next; l != &of->ports; l = next) {
		struct sw_of_port *p = list_entry(l, struct sw_of_port, link);

		next = l->next;
		if (!p->wanted) {
			tell_port(of, p, OF_PORT_DELETED);
			list_del(&p->link);
			rcu_defer(&p->rcu, port_free);
		} else if (!p->told) {
			(void)note_link(of, p);
			p->told = true;
			tell_port(of, p, OF_PORT_ADDED);
		}
	}
}

void sw_of_look(struct vswitch *sw, uint32_t id)
{
	for (unsigned i = 0; i < sw->bridges.n; i++) {
		struct sw_bridge *b = sw->bridges.at[i];
		struct sw_of_port *p;

		if (!b || !b->of)
			continue;
		list_for_each(p, &b->of->ports, link) {
			if (p->id != id || !p->told || !note_link(b->of, p))
				continue;
			flows_touch(b->of->flows);
			tell_port(b->of, p, OF_PORT_MODIFIED);
		}
	}
}

bool switch_of_ports(const struct switch_of *of, uint32_t number,
		     void (*fn)(void *ctx, const struct of_port *p), void *ctx)
{
	bool any = number == OF_PORT_NONE;
	const struct sw_of_port *p;

	list_for_each(p, &of->ports, link) {
		struct of_port said;

		if (number != OF_PORT_NONE && p->number != number)
			continue;
		said = port_said(of, p);
		fn(ctx, &said);
		any = true;
	}
	return any;
}

static void add_stats(const struct switch_of *of, const struct sw_of_port *p,
		      struct of_port_stats *s)
{
	const struct port *dev = device_of(of, p->id);
	uint64_t age = sw_now(of->sw) - p->since_ms;
	struct port_counters c = { 0 };

	if (dev)
		port_counters_sum(dev, &c);
	*s = (struct of_port_stats){
		.number = p->number,
		.duration_sec = (uint32_t)(age / 1000),
		.duration_nsec = (uint32_t)(age % 1000 * 1000000),
		.rx_packets = c.rx_packets,
		.tx_packets = c.tx_packets,
		.rx_bytes = c.rx_bytes,
		.tx_bytes = c.tx_bytes,
		.rx_errors = c.rx_errors,
		.tx_errors = c.tx_errors,
		.rx_frame = UINT64_MAX,
		.rx_over = UINT64_MAX,
		.rx_crc = UINT64_MAX,
		.collisions = UINT64_MAX,
		.tx_dropped = c.drops[DROP_PORT_DOWN] + c.drops[DROP_TX_FULL] +
			      c.drops[DROP_TX_ERROR],
	};
	for (unsigned i = 0; i < N_DROPS; i++)
		s->rx_dropped += c.drops[i];
	s->rx_dropped -= s->tx_dropped;
}

bool switch_of_port_stats(const struct switch_of *of, uint32_t number,
			  void (*fn)(void *ctx, const struct of_port_stats *s),
			  void *ctx)
{
	bool any = number == OF_PORT_NONE;
	const struct sw_of_port *p;
	struct dp_stats
		kernel; /* asked for so that the ports have its counts */

	of->sw->config.dp->stats(of->sw->dp, &kernel);
	list_for_each(p, &of->ports, link) {
		struct of_port_stats s;

		if (number != OF_PORT_NONE && p->number != number)
			continue;
		add_stats(of, p, &s);
		fn(ctx, &s);
		any = true;
	}
	return any;
}

/* What may be changed; the others are as they are. */
#define CONFIG_CHANGES                                                         \
	(OF_PORT_DOWN | OF_PORT_NO_RECV | OF_PORT_NO_FLOOD | OF_PORT_NO_FWD |  \
	 OF_PORT_NO_PACKET_IN | OF_PORT_NO_STP | OF_PORT_NO_RECV_STP)

enum of_error switch_of_port_mod(struct switch_of *of,
				 const struct of_port_mod *pm)
{
	struct sw_of_port *p = port_by_number(of, pm->number);
	const struct port *dev;
	uint32_t config, mask = pm->mask & CONFIG_CHANGES;

	if (!p)
		return OF_OFPPMFC_BAD_PORT;
	dev = device_of(of, p->id);
	if (dev && !eth_addr_is_zero(pm->mac) &&
	    !eth_addr_equal(pm->mac, dev->mac))
		return OF_OFPPMFC_BAD_HW_ADDR;
	config = (p->config & ~mask) | (pm->config & mask);
	if (config == p->config)
		return OF_OK;
	__atomic_store_n(&p->config, config, __ATOMIC_RELAXED);
	flows_touch(of->flows);
	tell_port(of, p, OF_PORT_MODIFIED);
	return OF_OK;
}
