/* SPDX-License-Identifier: Apache-2.0 */
/* The running state as JSON, for `weft`, `weft show` and whoever asks. */
#include <json-c/json.h>

#include "control/internal.h"
#include "port/stream.h"
#include "flow/match.h"
#include "l2/mac_table.h"

#define ROWS 256u
#define FLOWS_SHOWN 1000u
#define MACS_SHOWN 100000u

static void put(struct json_object *o, const char *key, struct json_object *v)
{
	json_object_object_add(o, key, v);
}

static void put_text(struct json_object *o, const char *key, const char *text)
{
	put(o, key, text ? json_object_new_string(text) : NULL);
}

static void put_int(struct json_object *o, const char *key, uint64_t v)
{
	put(o, key, json_object_new_uint64(v));
}

static void put_bool(struct json_object *o, const char *key, bool v)
{
	put(o, key, json_object_new_boolean(v));
}

static void put_mac(struct json_object *o, const char *key, struct eth_addr m)
{
	char text[ETH_STR_LEN];

	put_text(o, key, eth_addr_format(m, text));
}

static void put_ip(struct json_object *o, const char *key,
		   const struct ip_addr *a)
{
	char text[IP_STR_LEN];

	put_text(o, key, a->family ? ip_addr_format(a, text) : NULL);
}

static struct json_object *prefixes(const struct ip_prefix *p, unsigned n)
{
	struct json_object *a = json_object_new_array();
	char text[PREFIX_STR_LEN];

	for (unsigned i = 0; i < n; i++)
		json_object_array_add(
			a,
			json_object_new_string(ip_prefix_format(&p[i], text)));
	return a;
}

static void put_origin(struct json_object *o, const struct snap_origin *at)
{
	if (!at->line)
		return;
	put_text(o, "file", at->file);
	put_int(o, "line", at->line);
}

/* The name of a port, a peer or the tunnel by its number. */
static const char *number_name(const struct control *c, uint32_t id)
{
	const struct snap_port *p = snapshot_port(switch_snapshot(c->sw), id);

	return p ? p->name : NULL;
}

/* --- ports --- */

static struct json_object *drops_of(const uint64_t *drops)
{
	struct json_object *o = json_object_new_object();

	for (unsigned d = 0; d < N_DROPS; d++)
		if (drops[d])
			put_int(o, drop_name((enum drop)d), drops[d]);
	return o;
}

static const char *state_of(const struct real_port *p,
			    const struct snap_port *s)
{
	if (s && s->blocked)
		return "blocked";
	return port_state_name(p->attached ? port_get_state(p->port) :
					     PORT_ABSENT);
}

/* Brings what the kernel counted into the ports' counters. */
static void sync_counters(const struct control *c)
{
	struct dp_stats s;

	switch_dp_ops(c->sw)->stats(switch_dp(c->sw), &s);
}

static void put_fast(struct json_object *o, const struct control *c,
		     const struct real_port *p)
{
	const char *why = p->port->accel_off ? "switched off by the file" :
					       switch_accel(c->sw, p->id);

	put_bool(o, "fast", !why);
	if (why)
		put_text(o, "slow_because", why);
}

static void put_counters(struct json_object *o, const struct real_port *p)
{
	struct port_counters k;

	port_counters_sum(p->port, &k);
	put_int(o, "rx_packets", k.rx_packets);
	put_int(o, "rx_bytes", k.rx_bytes);
	put_int(o, "rx_errors", k.rx_errors);
	put_int(o, "tx_packets", k.tx_packets);
	put_int(o, "tx_bytes", k.tx_bytes);
	put_int(o, "tx_errors", k.tx_errors);
	put(o, "drops", drops_of(k.drops));
}

static const struct view_port *view_port_of(const struct control *c,
					    const char *name)
{
	uint32_t i = c->view ? model_view_port(c->view, name) : VIEW_NONE;

	return i == VIEW_NONE ? NULL : &c->view->ports[i];
}

static void put_place(struct json_object *o, const struct control *c,
		      const struct real_port *p)
{
	const struct view_port *v = view_port_of(c, p->name);

	if (!v) {
		if (p->kind == REAL_HOST)
			put_text(o, "bridge", p->name);
		return;
	}
	if (v->port->network)
		put_text(o, "network", v->port->network);
	if (v->bridge != VIEW_NONE)
		put_text(o, "bridge", c->view->bridges[v->bridge].name);
	if (v->router != VIEW_NONE)
		put_text(o, "router",
			 c->view->routers[v->router].router->o.name);
	put(o, "addresses",
	    prefixes(v->port->addresses.items, v->port->addresses.n));
	if (!eth_addr_is_zero(v->mac))
		put_mac(o, "mac", v->mac);
}

static void put_socket(struct json_object *o, const struct real_port *p)
{
	const char *path = stream_port_path(p->port);
	char *why;

	put_text(o, "socket", path);
	if (!p->attached || port_get_state(p->port) == PORT_UP)
		return;
	why = xasprintf("no virtual machine is connected to %s", path);
	put_text(o, "missing", why);
	free(why);
}

static struct json_object *show_port(const struct control *c,
				     const struct real_port *p)
{
	const struct snap_port *s =
		snapshot_port(switch_snapshot(c->sw), p->id);
	struct json_object *o = json_object_new_object();

	put_text(o, "name", p->name);
	put_text(o, "type", p->port->ops->type);
	put_int(o, "number", p->id);
	put_text(o, "device", p->port->device[0] ? p->port->device : NULL);
	if (p->netns)
		put_text(o, "namespace", p->netns);
	put_text(o, "state", state_of(p, s));
	if (p->missing)
		put_text(o, "missing", p->missing);
	if (p->kind == REAL_STREAM)
		put_socket(o, p);
	put_int(o, "mtu", s && s->mtu != UINT32_MAX ? s->mtu : p->port->mtu);
	put_place(o, c, p);
	put_fast(o, c, p);
	if (s)
		put_origin(o, &s->origin);
	put_counters(o, p);
	return o;
}

static struct json_object *show_ports(struct control *c)
{
	struct json_object *a = json_object_new_array();
	struct real_port *p;

	sync_counters(c);
	list_for_each(p, &c->real.ports, link)
		json_object_array_add(a, show_port(c, p));
	return a;
}

/* --- networks, bridges, routers --- */

static struct json_object *member_names(const struct snap_domain *d)
{
	struct json_object *a = json_object_new_array();

	for (unsigned i = 0; i < d->n_members; i++)
		json_object_array_add(
			a, json_object_new_string(d->members[i].port->name));
	return a;
}

static struct json_object *show_network(const struct snap_domain *d,
					const struct view_domain *v)
{
	struct json_object *o = json_object_new_object();

	put_text(o, "name", d->name);
	put_text(o, "bridge", d->bridge->name);
	put_int(o, "vlan", d->vid);
	if (d->vni)
		put_int(o, "vni", d->vni);
	put_int(o, "mtu", d->mtu);
	put(o, "subnets",
	    v->network ?
		    prefixes(v->network->subnets.items, v->network->subnets.n) :
		    json_object_new_array());
	put_text(o, "router", d->iface ? d->iface->router->name : NULL);
	put(o, "ports", member_names(d));
	put_int(o, "peers", d->n_peers);
	put_origin(o, &d->origin);
	return o;
}

static const struct snap_domain *domain_of(const struct control *c,
					   const struct view_domain *v)
{
	const struct snapshot *s = switch_snapshot(c->sw);
	const char *bridge = c->view->bridges[v->bridge].name;

	for (unsigned i = 0; i < s->n_domains; i++) {
		const struct snap_domain *d = s->domains[i];

		if (d && d->vid == v->vid && !strcmp(d->bridge->name, bridge))
			return d;
	}
	return NULL;
}

static struct json_object *show_networks(struct control *c)
{
	struct json_object *a = json_object_new_array();

	for (unsigned i = 0; i < c->view->n_domains; i++) {
		const struct snap_domain *d =
			domain_of(c, &c->view->domains[i]);

		if (d)
			json_object_array_add(
				a, show_network(d, &c->view->domains[i]));
	}
	return a;
}

static struct json_object *show_bridge(const struct snap_bridge *b)
{
	struct json_object *o = json_object_new_object();
	struct mac_stats m;

	mac_table_stats(b->macs, &m);
	put_text(o, "name", b->name);
	put_bool(o, "vlan_aware", b->vlan_aware);
	put_bool(o, "loop_guard", b->loop_guard);
	put_int(o, "macs", m.n);
	put_int(o, "mac_limit", m.limit);
	put_int(o, "mac_moves", m.moved);
	put_int(o, "mac_evictions", m.evicted);
	put_int(o, "rules", b->rules ? 1 : 0);
	put_origin(o, &b->origin);
	return o;
}

static struct json_object *show_bridges(struct control *c)
{
	const struct snapshot *s = switch_snapshot(c->sw);
	struct json_object *a = json_object_new_array();

	for (unsigned i = 0; i < s->n_bridges; i++)
		if (s->bridges[i])
			json_object_array_add(a, show_bridge(s->bridges[i]));
	return a;
}

static const char *iface_name(const struct snap_iface *i)
{
	if (i->peer)
		return i->peer->name;
	if (i->domain)
		return i->domain->name;
	return i->port ? i->port->name : NULL;
}

static struct json_object *show_routes(const struct snapshot *s,
				       const struct snap_router *r)
{
	struct json_object *a = json_object_new_array();
	char text[PREFIX_STR_LEN];

	for (size_t i = 0; i < route_table_count(r->routes); i++) {
		const struct route *route = route_table_at(r->routes, i);
		const struct route_hop *h =
			route->n_hops ? &route->hops[0] : NULL;
		const struct snap_iface *out =
			h ? snapshot_iface(s, h->iface) : NULL;
		struct json_object *o = json_object_new_object();

		put_text(o, "to", ip_prefix_format(&route->prefix, text));
		put_text(o, "kind",
			 route->cookie == ROUTE_COOKIE_LOCAL ?
				 "local" :
				 route_kind_name(route->kind));
		if (h)
			put_ip(o, "via", &h->gateway);
		if (out)
			put_text(o, "out", iface_name(out));
		json_object_array_add(a, o);
	}
	return a;
}

static struct json_object *show_router(const struct snapshot *s,
				       const struct snap_router *r)
{
	struct json_object *o = json_object_new_object();
	struct json_object *ifaces = json_object_new_array();

	put_text(o, "name", r->name);
	put_mac(o, "mac", r->mac);
	for (unsigned i = 0; i < s->n_ifaces; i++) {
		const struct snap_iface *f = s->ifaces[i];
		struct json_object *fo;

		if (!f || f->router != r || f->peer)
			continue;
		fo = json_object_new_object();
		put_text(fo, "network", f->domain ? f->domain->name : NULL);
		put_text(fo, "port", f->port ? f->port->name : NULL);
		put_int(fo, "mtu", f->mtu);
		put(fo, "addresses", prefixes(f->addresses, f->n_addresses));
		json_object_array_add(ifaces, fo);
	}
	put(o, "interfaces", ifaces);
	put(o, "routes", show_routes(s, r));
	put_origin(o, &r->origin);
	return o;
}

static struct json_object *show_routers(struct control *c)
{
	const struct snapshot *s = switch_snapshot(c->sw);
	struct json_object *a = json_object_new_array();

	for (unsigned i = 0; i < s->n_routers; i++)
		if (s->routers[i])
			json_object_array_add(a, show_router(s, s->routers[i]));
	return a;
}

/* --- learned state --- */

static void neighbours_of(struct control *c, const struct snap_domain *d,
			  struct json_object *a)
{
	struct neigh_row rows[ROWS];
	uint32_t cursor = 0;
	unsigned n;

	while ((n = neigh_list(d->neigh, &cursor, rows, ROWS,
			       env_now_ms(c->config.env)))) {
		for (unsigned i = 0; i < n; i++) {
			struct json_object *o = json_object_new_object();

			put_text(o, "network", d->name);
			put_ip(o, "address", &rows[i].ip);
			put_mac(o, "mac", rows[i].mac);
			put_text(o, "state", neigh_state_name(rows[i].state));
			put_text(o, "port", number_name(c, rows[i].in_port));
			put_int(o, "waiting", rows[i].n_waiting);
			put_int(o, "age_ms", rows[i].age_ms);
			json_object_array_add(a, o);
		}
	}
}

static struct json_object *show_neighbours(struct control *c)
{
	const struct snapshot *s = switch_snapshot(c->sw);
	struct json_object *a = json_object_new_array();

	for (unsigned i = 0; i < s->n_domains; i++)
		if (s->domains[i] && s->domains[i]->neigh)
			neighbours_of(c, s->domains[i], a);
	return a;
}

static void macs_of(struct control *c, const struct snap_bridge *b,
		    struct json_object *a)
{
	struct mac_row rows[ROWS];
	uint32_t cursor = 0;
	unsigned n;

	while ((n = mac_table_list(b->macs, &cursor, rows, ROWS,
				   env_now_ms(c->config.env))) &&
	       json_object_array_length(a) < MACS_SHOWN) {
		for (unsigned i = 0; i < n; i++) {
			struct json_object *o = json_object_new_object();

			put_text(o, "bridge", b->name);
			put_int(o, "vlan", rows[i].vid);
			put_mac(o, "mac", rows[i].mac);
			put_text(o, "port", number_name(c, rows[i].port));
			put_bool(o, "static", rows[i].is_static);
			put_int(o, "age_ms", rows[i].age_ms);
			json_object_array_add(a, o);
		}
	}
}

static struct json_object *show_macs(struct control *c)
{
	const struct snapshot *s = switch_snapshot(c->sw);
	struct json_object *a = json_object_new_array();

	for (unsigned i = 0; i < s->n_bridges; i++)
		if (s->bridges[i])
			macs_of(c, s->bridges[i], a);
	return a;
}

/* --- flows --- */

static const char *act_port_name(void *ctx, uint32_t port)
{
	return number_name(ctx, port);
}

struct flow_dump {
	struct control *c;
	struct json_object *a;
};

/* On a worker, while the control thread waits: only reads. */
static void flow_row(void *ctx, const struct dp_flow *f)
{
	struct flow_dump *d = ctx;
	struct act_names names = { .port_name = act_port_name, .ctx = d->c };
	struct json_object *o = json_object_new_object();
	struct match m = { .key = *f->key, .mask = *f->mask };
	struct str text = STR_INIT;
	uint64_t now = env_now_ms(d->c->config.env);

	put_text(o, "port", number_name(d->c, f->key->in_port));
	m.mask.bits.in_port = 0;
	match_format(&m, &text);
	put_text(o, "match", str_text(&text));
	str_clear(&text);
	acts_format(f->actions, &names, &text);
	put_text(o, "actions", str_text(&text));
	str_fini(&text);
	put_int(o, "packets", f->packets);
	put_int(o, "bytes", f->bytes);
	put_int(o, "idle_ms", now > f->used_ms ? now - f->used_ms : 0);
	put_bool(o, "fresh", f->fresh);
	put_bool(o, "in_kernel", f->in_kernel);
	put_text(o, "not_in_kernel", f->not_in_kernel);
	put_int(o, "worker", f->worker);
	json_object_array_add(d->a, o);
}

static struct json_object *show_flows(struct control *c)
{
	struct flow_dump d = { c, json_object_new_array() };

	switch_dp_ops(c->sw)->flow_dump(switch_dp(c->sw), FLOWS_SHOWN, flow_row,
					&d);
	return d.a;
}

/* --- tunnels and drops --- */

static struct json_object *show_tunnels(struct control *c)
{
	const struct snapshot *s = switch_snapshot(c->sw);
	struct json_object *a = json_object_new_array();

	for (unsigned i = 0; i < s->n_ports; i++) {
		const struct snap_port *p = s->ports[i];
		struct json_object *o;

		if (!p || p->kind != SNAP_PORT_PEER)
			continue;
		o = json_object_new_object();
		put_text(o, "peer", p->name);
		put_ip(o, "address", &p->remote);
		put_ip(o, "local", &c->view->underlay.address);
		put_int(o, "udp_port", c->view->underlay.port);
		put_int(o, "mtu", p->mtu);
		json_object_array_add(a, o);
	}
	return a;
}

/* --- the doors --- */

static const struct {
	const char *kind;
	struct json_object *(*show)(struct control *c);
} kinds[] = {
	{ "ports", show_ports },           { "networks", show_networks },
	{ "bridges", show_bridges },       { "routers", show_routers },
	{ "neighbours", show_neighbours }, { "macs", show_macs },
	{ "flows", show_flows },           { "tunnels", show_tunnels },
	{ "drops", show_drops },
};

struct json_object *show_kind(struct control *c, const char *kind)
{
	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].kind, kind))
			return kinds[i].show(c);
	return NULL;
}

static struct json_object *show_datapath(struct control *c)
{
	struct json_object *o = json_object_new_object();
	struct dp_stats s;

	switch_dp_ops(c->sw)->stats(switch_dp(c->sw), &s);
	put_text(o, "kind", switch_dp_ops(c->sw)->name);
	put_int(o, "flows", s.flows);
	put_int(o, "masks", s.masks);
	put_int(o, "hits", s.hits);
	put_int(o, "in_kernel", s.in_kernel);
	put_int(o, "kernel_hits", s.kernel_hits);
	put_int(o, "misses", s.misses);
	put_int(o, "stale", s.stale);
	put_int(o, "replaced", s.replaced);
	put_int(o, "merged", s.merged);
	return o;
}

struct json_object *show_status(struct control *c)
{
	struct json_object *o = json_object_new_object();

	put_text(o, "version", WEFT_VERSION);
	put_text(o, "host", c->config.host);
	put_int(o, "uptime_ms", env_now_ms(c->config.env) - c->started_ms);
	put(o, "datapath", show_datapath(c));
	put(o, "confirm", confirm_json(c));
	put_int(o, "captures", captures_count(&c->captures));
	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].show != show_flows && kinds[i].show != show_macs)
			put(o, kinds[i].kind, kinds[i].show(c));
	return o;
}
