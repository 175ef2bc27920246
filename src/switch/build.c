/* SPDX-License-Identifier: Apache-2.0 */
/* From desired configuration to running objects and a snapshot. */
#include <errno.h>

#include "base/log.h"
#include "base/str.h"
#include "switch/of_inside.h"

/* --- slots: objects by id --- */

static uint32_t slot_free(struct slots *s)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (!s->at[i])
			return i;
	s->at = xrealloc(s->at, (s->n * 2 + 8) * sizeof(*s->at));
	memset(s->at + s->n, 0, (s->n + 8) * sizeof(*s->at));
	s->n = s->n * 2 + 8;
	return slot_free(s);
}

/* --- running objects: found by name or made --- */

static struct sw_bridge *bridge_get(struct vswitch *sw,
				    const struct desired_bridge *d)
{
	struct sw_bridge *b;

	for (unsigned i = 0; i < sw->bridges.n; i++) {
		b = sw->bridges.at[i];
		if (b && !strcmp(b->name, d->name))
			return b;
	}
	b = xzalloc(sizeof(*b));
	b->id = slot_free(&sw->bridges);
	b->name = xstrdup(d->name);
	sw->bridges.at[b->id] = b;
	return b;
}

static struct mac_config mac_config_of(const struct vswitch *sw, uint32_t id,
				       const struct desired_bridge *d)
{
	return (struct mac_config){ .id = id,
				    .limit = d->mac_limit,
				    .age_ms = d->mac_age_ms,
				    .seed = sw->seed };
}

static void bridge_set_guard(struct vswitch *sw, struct sw_bridge *b, bool on)
{
	struct eth_addr mac = eth_addr_from_u64(
		0x020000000000ull |
		(hash_string(b->name, sw->seed) & 0xffffffffffull));

	if (on && !b->guard)
		b->guard = loop_guard_create(mac, sw->env);
	if (!on && b->guard) {
		loop_guard_destroy(b->guard);
		b->guard = NULL;
	}
}

/* The last given is the last to be given again: a flow of a rule that is gone may
 * still be counted. When all are taken one is shared. */
uint32_t sw_counter_take(struct vswitch *sw)
{
	for (uint32_t i = 0; i < SWITCH_COUNTERS; i++) {
		uint32_t id = (sw->counter_hint + i) % SWITCH_COUNTERS;

		if (sw->counters[id].used)
			continue;
		sw->counter_hint = id + 1;
		__atomic_store_n(&sw->counters[id].packets, 0,
				 __ATOMIC_RELAXED);
		__atomic_store_n(&sw->counters[id].bytes, 0, __ATOMIC_RELAXED);
		__atomic_store_n(&sw->counters[id].used_ms, 0,
				 __ATOMIC_RELAXED);
		sw->counters[id].used = true;
		return id;
	}
	return 0;
}

void sw_counter_free(struct vswitch *sw, uint32_t id)
{
	sw->counters[id].used = false;
}

/* Takes the counter along that a rule of this text had; its text there is spent. */
static struct sw_rule rule_count(struct vswitch *sw, struct sw_bridge *b,
				 const char *text)
{
	struct sw_rule r;

	for (unsigned i = 0; i < b->n_rules; i++) {
		if (!b->rule_counts[i].text ||
		    strcmp(b->rule_counts[i].text, text))
			continue;
		r = b->rule_counts[i];
		b->rule_counts[i].text = NULL;
		return r;
	}
	return (struct sw_rule){ xstrdup(text), sw_counter_take(sw) };
}

/* Where rule `i` stands: its own line, when that is known. */
static struct snap_origin rule_origin(const struct desired_bridge *d,
				      unsigned i)
{
	struct snap_origin o = d->origin;

	if (o.line && d->rule_lines && d->rule_lines[i])
		o.line = d->rule_lines[i];
	return o;
}

/* A port by its name, for `output:NAME`. */
static int64_t rule_port(void *ctx, const char *name)
{
	const struct desired *d = ctx;

	for (unsigned i = 0; i < d->n_ports; i++)
		if (!strcmp(d->ports[i].name, name))
			return d->ports[i].id;
	return -1;
}

/* A port that the file has and the host could not make: the rule stays, and what
 * it sends there is dropped. */
static int64_t rule_port_or_none(void *ctx, const char *name)
{
	int64_t port = rule_port(ctx, name);

	return port < 0 ? UINT32_MAX : port;
}

static void put_rule(struct sw_bridge *b, const struct rule_spec *spec,
		     const struct sw_rule *count, struct snap_origin origin)
{
	struct rule_what what = { .priority = spec->priority,
				  .actions = acts_list(&spec->actions),
				  .counter = count->counter,
				  .origin = origin };

	rule_table_put(b->rules, &spec->match, &what);
}

/* Rules are read anew: the table is replaced as a whole, so that no packet meets
 * half of the old and half of the new. */
static void bridge_set_rules(struct vswitch *sw, struct sw_bridge *b,
			     const struct desired *all,
			     const struct desired_bridge *d)
{
	struct act_names names = { .port_number = rule_port_or_none,
				   .ctx = (void *)(uintptr_t)all };
	struct sw_rule *counts = xcalloc(d->n_rules, sizeof(*counts));
	struct rule_spec *spec = xmalloc(sizeof(*spec));
	unsigned n = 0;

	b->retired = b->rules;
	b->rules = d->n_rules ? rule_table_create() : NULL;
	for (unsigned i = 0; i < d->n_rules; i++) {
		struct err e = ERR_INIT;

		acts_clear(&spec->actions);
		if (rule_parse(d->rules[i], &names, spec, &e)) {
			err_fini(&e); /* switch_check told it before */
			continue;
		}
		counts[n] = rule_count(sw, b, d->rules[i]);
		put_rule(b, spec, &counts[n++], rule_origin(d, i));
	}
	free(spec);
	sw_free_rule_counts(sw, b);
	b->rule_counts = counts;
	b->n_rules = n;
}

static void bridge_configure(struct vswitch *sw, struct sw_bridge *b,
			     const struct desired *all,
			     const struct desired_bridge *d)
{
	struct mac_config c = mac_config_of(sw, b->id, d);

	b->wanted = true;
	if (!b->macs)
		b->macs = mac_table_create(&c, sw->stamps);
	else
		must(mac_table_configure(b->macs, &c) == 0);
	must(b->macs);
	bridge_set_guard(sw, b, d->loop_guard);
	bridge_set_rules(sw, b, all, d);
	sw_of_configure(sw, b, d->openflow);
}

/* A domain is known by its bridge and VLAN: a network renamed keeps what it has
 * learned. */
static struct sw_domain *domain_get(struct vswitch *sw, const struct desired *d,
				    const struct desired_domain *dd)
{
	char *key = xasprintf("%s/%u", d->bridges[dd->bridge].name, dd->vid);
	struct sw_domain *o;

	for (unsigned i = 0; i < sw->domains.n; i++) {
		o = sw->domains.at[i];
		if (o && !strcmp(o->key, key)) {
			free(key);
			return o;
		}
	}
	o = xzalloc(sizeof(*o));
	o->id = slot_free(&sw->domains);
	o->key = key;
	sw->domains.at[o->id] = o;
	return o;
}

static bool has_iface(const struct desired *d, uint32_t domain)
{
	for (unsigned r = 0; r < d->n_routers; r++)
		for (unsigned i = 0; i < d->routers[r].n_ifaces; i++)
			if (d->routers[r].ifaces[i].domain == domain)
				return true;
	return false;
}

static void domain_set_statics(struct sw_domain *o,
			       const struct desired_domain *dd)
{
	for (unsigned i = 0; i < o->n_statics; i++)
		neigh_del(o->neigh, &o->statics[i]);
	free(o->statics);
	o->statics = xcalloc(dd->n_neighs, sizeof(*o->statics));
	o->n_statics = 0;
	for (unsigned i = 0; i < dd->n_neighs; i++)
		if (!neigh_put_static(o->neigh, &dd->neighs[i].ip,
				      dd->neighs[i].mac))
			o->statics[o->n_statics++] = dd->neighs[i].ip;
}

static void domain_configure(struct vswitch *sw, struct sw_domain *o,
			     const struct desired *d, uint32_t index)
{
	const struct desired_domain *dd = &d->domains[index];
	struct neigh_config nc = { .id = o->id,
				   .seed = sw->seed,
				   .env = sw->env };
	struct mcast_config mc = { .id = o->id, .seed = sw->seed };

	bool routed = has_iface(d, index);

	o->wanted = true;
	o->resolves = dd->suppress_arp || routed;
	if (!o->neigh && o->resolves)
		o->neigh = neigh_create(&nc, sw->stamps);
	if (o->neigh && !routed)
		neigh_set_own(o->neigh, NULL, 0, (struct eth_addr){ 0 });
	if (o->neigh)
		domain_set_statics(o, dd);
	o->snooping = dd->snooping;
	if (!o->mcast && dd->snooping)
		o->mcast = mcast_create(&mc, sw->stamps, sw_now(sw));
}

static struct sw_router *router_get(struct vswitch *sw,
				    const struct desired_router *d)
{
	struct sw_router *r;

	for (unsigned i = 0; i < sw->routers.n; i++) {
		r = sw->routers.at[i];
		if (r && !strcmp(r->name, d->name))
			return r;
	}
	r = xzalloc(sizeof(*r));
	r->id = slot_free(&sw->routers);
	r->name = xstrdup(d->name);
	icmp_limiter_init(&r->icmp, sw->seed, sw_now(sw));
	sw->routers.at[r->id] = r;
	return r;
}

static struct sw_iface *iface_get(struct vswitch *sw, char *key)
{
	struct sw_iface *o;

	for (unsigned i = 0; i < sw->ifaces.n; i++) {
		o = sw->ifaces.at[i];
		if (o && !strcmp(o->key, key)) {
			free(key);
			return o;
		}
	}
	o = xzalloc(sizeof(*o));
	o->id = slot_free(&sw->ifaces);
	o->key = key;
	sw->ifaces.at[o->id] = o;
	return o;
}

/* --- the snapshot --- */

/* One building under way: the objects of each index of `d`. */
struct build {
	struct vswitch *sw;
	const struct desired *d;
	struct snapshot *s;
	struct snap_bridge **bridges;
	struct snap_domain **domains;
	struct snap_port **ports;
	struct snap_port **peers;
	struct route *routes;        /* of the router at hand */
	struct snap_origin *origins; /* of each */
	unsigned n_routes;
};

static void build_bridges(struct build *b)
{
	for (unsigned i = 0; i < b->d->n_bridges; i++) {
		const struct desired_bridge *d = &b->d->bridges[i];
		struct sw_bridge *o = bridge_get(b->sw, d);
		struct snap_bridge *s = xzalloc(sizeof(*s));

		bridge_configure(b->sw, o, b->d, d);
		*s = (struct snap_bridge){ .id = o->id,
					   .name = o->name,
					   .origin = d->origin,
					   .vlan_aware = d->vlan_aware,
					   .forward_bpdu = d->forward_bpdu,
					   .macs = o->macs,
					   .rules = o->rules,
					   .flows = o->of ? o->of->flows : NULL,
					   .loop_guard = o->guard };
		if (o->guard)
			s->probe_mac = loop_guard_probe_mac(o->guard);
		b->bridges[i] = s;
	}
	b->s->n_bridges = b->sw->bridges.n;
	b->s->bridges = xcalloc(b->s->n_bridges, sizeof(*b->s->bridges));
	for (unsigned i = 0; i < b->d->n_bridges; i++)
		b->s->bridges[b->bridges[i]->id] = b->bridges[i];
}

static void build_domains(struct build *b)
{
	for (unsigned i = 0; i < b->d->n_domains; i++) {
		const struct desired_domain *d = &b->d->domains[i];
		struct sw_domain *o = domain_get(b->sw, b->d, d);
		struct snap_domain *s = xzalloc(sizeof(*s));

		domain_configure(b->sw, o, b->d, i);
		*s = (struct snap_domain){ .id = o->id,
					   .name = d->name,
					   .origin = d->origin,
					   .bridge = b->bridges[d->bridge],
					   .vid = d->vid,
					   .vni = d->vni,
					   .mtu = d->mtu };
		if (o->resolves)
			s->neigh = o->neigh;
		s->suppress_arp = d->suppress_arp && s->neigh;
		if (o->snooping)
			s->mcast = o->mcast;
		b->domains[i] = s;
	}
	b->s->n_domains = b->sw->domains.n;
	b->s->domains = xcalloc(b->s->n_domains, sizeof(*b->s->domains));
	for (unsigned i = 0; i < b->d->n_domains; i++)
		b->s->domains[b->domains[i]->id] = b->domains[i];
}

static void set_meters(struct build *b, const struct desired_port *d,
		       struct snap_port *s)
{
	struct vswitch *sw = b->sw;
	struct storm_meters *m = &sw->meters[d->id];

	if (storm_assign(&sw->storm, &d->storm, m))
		return;
	s->meter_broadcast = m->id[STORM_BROADCAST];
	s->meter_multicast = m->id[STORM_MULTICAST];
	s->meter_unknown = m->id[STORM_UNKNOWN];
	for (unsigned k = 0; k < N_STORM_KINDS; k++)
		if (m->id[k])
			must(!sw->config.dp->meter_set(sw->dp, m->id[k],
						       d->storm.of[k].rate,
						       d->storm.of[k].burst));
}

static bool port_is_blocked(const struct build *b, const struct desired_port *d)
{
	const struct sw_bridge *o = sw_bridge(b->sw, b->bridges[d->bridge]->id);

	return d->loop_guard && o->guard &&
	       loop_guard_is_blocked(o->guard, d->id);
}

static void build_port(struct build *b, unsigned i)
{
	const struct desired_port *d = &b->d->ports[i];
	bool bridged = d->bridge != DESIRED_NONE;
	struct snap_port *s = xzalloc(sizeof(*s));

	*s = (struct snap_port){ .id = d->id,
				 .kind = bridged ? SNAP_PORT_BRIDGED :
						   SNAP_PORT_ROUTED,
				 .name = d->name,
				 .origin = d->origin,
				 .vlan = d->vlan,
				 .isolated = d->isolated,
				 .mtu = d->mtu };
	if (bridged) {
		s->bridge = b->bridges[d->bridge];
		s->blocked = port_is_blocked(b, d);
		mac_table_set_port_limit(s->bridge->macs, d->id, d->mac_limit);
	}
	set_meters(b, d, s);
	b->ports[i] = s;
	b->s->ports[d->id] = s;
}

static void build_peer(struct build *b, unsigned i)
{
	const struct desired_peer *d = &b->d->peers[i];
	struct snap_port *s = xzalloc(sizeof(*s));

	*s = (struct snap_port){ .id = d->id,
				 .kind = SNAP_PORT_PEER,
				 .name = d->name,
				 .remote = d->address,
				 .mtu = d->mtu,
				 .tunnel_port = b->d->tunnel_port };
	b->peers[i] = s;
	b->s->ports[d->id] = s;
}

static void build_tunnel_port(struct build *b)
{
	struct snap_port *s;

	if (!b->d->tunnel_port)
		return;
	s = xzalloc(sizeof(*s));
	*s = (struct snap_port){ .id = b->d->tunnel_port,
				 .kind = SNAP_PORT_TUNNEL,
				 .name = "tunnel",
				 .mtu = UINT32_MAX };
	b->s->ports[s->id] = s;
}

static uint32_t largest_port_id(const struct desired *d)
{
	uint32_t n = d->tunnel_port;

	for (unsigned i = 0; i < d->n_ports; i++)
		n = MAX(n, d->ports[i].id);
	for (unsigned i = 0; i < d->n_peers; i++)
		n = MAX(n, d->peers[i].id);
	return n;
}

static void build_ports(struct build *b)
{
	b->s->n_ports = largest_port_id(b->d) + 1;
	b->s->ports = xcalloc(b->s->n_ports, sizeof(*b->s->ports));
	for (unsigned i = 0; i < b->d->n_ports; i++)
		build_port(b, i);
	for (unsigned i = 0; i < b->d->n_peers; i++)
		build_peer(b, i);
	build_tunnel_port(b);
}

static void number_ports(struct build *b)
{
	for (unsigned i = 0; i < b->d->n_bridges; i++) {
		struct sw_bridge *o = sw_bridge(b->sw, b->bridges[i]->id);

		if (o->of)
			sw_of_number(o->of, b->d, b->bridges[i], b->ports);
	}
}

/* --- who is in which domain --- */

static void add_members(struct build *b, struct snap_domain *d, bool tagged)
{
	for (unsigned i = 0; i < b->d->n_ports; i++) {
		struct snap_port *p = b->ports[i];
		enum vlan_out out = VLAN_OUT_UNTAGGED;

		if (p->bridge != d->bridge)
			continue;
		if (d->bridge->vlan_aware)
			out = vlan_egress(&p->vlan, d->vid);
		if (out == (tagged ? VLAN_OUT_TAGGED : VLAN_OUT_UNTAGGED))
			d->members[d->n_members++] =
				(struct snap_member){ p, tagged };
	}
}

static int by_vid(const void *a, const void *b)
{
	const struct snap_domain *const *x = a, *const *y = b;

	return (int)(*x)->vid - (int)(*y)->vid;
}

static void build_members(struct build *b)
{
	for (unsigned i = 0; i < b->d->n_domains; i++) {
		struct snap_domain *d = b->domains[i];
		struct snap_bridge *br = d->bridge;

		d->members = xcalloc(b->d->n_ports, sizeof(*d->members));
		add_members(b, d, false);
		add_members(b, d, true);
		br->domains = xrealloc(br->domains, (br->n_domains +
						     1) * sizeof(*br->domains));
		br->domains[br->n_domains++] = d;
		if (!d->vni)
			continue;
		d->peers = xcalloc(b->d->n_peers, sizeof(*d->peers));
		for (unsigned p = 0; p < b->d->n_peers; p++)
			d->peers[d->n_peers++] = b->peers[p];
	}
	for (unsigned i = 0; i < b->d->n_bridges; i++)
		if (b->bridges[i]->n_domains)
			qsort(b->bridges[i]->domains, b->bridges[i]->n_domains,
			      sizeof(*b->bridges[i]->domains), by_vid);
}

static void build_overlay(struct build *b)
{
	struct peer_spec *ps = xcalloc(b->d->n_peers, sizeof(*ps));
	struct vni_spec *vs = xcalloc(b->d->n_domains, sizeof(*vs));
	uint32_t *ports = xcalloc(b->d->n_peers, sizeof(*ports));
	struct err e = ERR_INIT;
	unsigned n = 0;

	for (unsigned i = 0; i < b->d->n_peers; i++) {
		ps[i] = (struct peer_spec){ b->d->peers[i].address,
					    b->d->peers[i].id };
		ports[i] = b->d->peers[i].id;
	}
	for (unsigned i = 0; i < b->d->n_domains; i++)
		if (b->domains[i]->vni)
			vs[n++] = (struct vni_spec){ b->domains[i]->vni,
						     b->domains[i]->id, ports,
						     b->d->n_peers };
	if (b->d->tunnel_port)
		b->s->peers = peers_build(ps, b->d->n_peers, vs, n, &e);
	err_fini(&e); /* switch_check told it before */
	free(ports);
	free(vs);
	free(ps);
}

/* --- routers --- */

static struct snap_iface *new_iface(struct build *b, struct snap_router *r,
				    char *key)
{
	struct sw_iface *o = iface_get(b->sw, key);
	struct snap_iface *s = xzalloc(sizeof(*s));

	o->wanted = true;
	s->id = o->id;
	s->router = r;
	if (o->id >= b->s->n_ifaces) {
		unsigned n = b->sw->ifaces.n;

		b->s->ifaces =
			xrealloc(b->s->ifaces, n * sizeof(*b->s->ifaces));
		memset(b->s->ifaces + b->s->n_ifaces, 0,
		       (n - b->s->n_ifaces) * sizeof(*b->s->ifaces));
		b->s->n_ifaces = n;
	}
	b->s->ifaces[s->id] = s;
	return s;
}

static struct route *add_route(struct build *b, const struct ip_prefix *prefix,
			       enum route_kind kind, uint32_t iface,
			       struct snap_origin origin)
{
	struct route r = { .prefix = *prefix,
			   .kind = kind,
			   .cookie = b->n_routes,
			   .n_hops = 1 };
	unsigned n = b->n_routes++;

	r.hops[0].iface = iface;
	b->routes = xrealloc(b->routes, b->n_routes * sizeof(*b->routes));
	b->origins = xrealloc(b->origins, b->n_routes * sizeof(*b->origins));
	b->origins[n] = origin;
	b->routes[n] = r;
	return &b->routes[n];
}

static void add_local(struct build *b, const struct ip_addr *a,
		      const struct snap_iface *s)
{
	struct ip_prefix p = { *a, ip_addr_is_ip4(a) ? 32 : 128 };

	add_route(b, &p, ROUTE_CONNECTED, s->id, s->origin)->cookie =
		ROUTE_COOKIE_LOCAL;
}

static void set_addresses(struct build *b, struct snap_iface *s,
			  const struct desired_iface *d)
{
	struct ip_addr ll =
		ip_addr_from_ip6(ip6_addr_link_local(s->router->mac));

	s->addresses = xcalloc(d->n_addresses + 1, sizeof(*s->addresses));
	for (unsigned i = 0; i < d->n_addresses; i++) {
		struct ip_prefix net = ip_prefix_network(&d->addresses[i]);

		s->addresses[i] = d->addresses[i];
		add_route(b, &net, ROUTE_CONNECTED, s->id, s->origin);
		add_local(b, &d->addresses[i].addr, s);
	}
	s->n_addresses = d->n_addresses + 1;
	s->addresses[d->n_addresses] = (struct ip_prefix){ ll, 64 };
}

static void advertise(struct build *b, const struct snap_iface *s, bool on)
{
	struct sw_iface *o = sw_iface(b->sw, s->id);
	struct ra_config c = { .mac = s->router->mac,
			       .from = ip6_addr_link_local(s->router->mac),
			       .mtu = s->mtu,
			       .lifetime_s = RA_LIFETIME_S };

	for (unsigned i = 0; i < s->n_addresses; i++) {
		const struct ip_prefix *a = &s->addresses[i];
		struct ip_prefix net = ip_prefix_network(a);

		if (ip_addr_is_ip4(&a->addr) ||
		    ip6_addr_is_link_local(a->addr.a) ||
		    c.n_prefixes >= RA_MAX_PREFIXES)
			continue;
		c.prefixes[c.n_prefixes++] =
			(struct ra_prefix){ net.addr.a, a->len, a->len == 64 };
	}
	on = on && c.n_prefixes;
	if (on && o->advertises)
		ra_change(&o->ra, &c, sw_now(b->sw));
	else if (on)
		ra_start(&o->ra, &c, b->sw->env, sw_now(b->sw));
	else if (o->advertises)
		ra_stop(&o->ra);
	o->advertises = on;
}

static void own_addresses(struct snap_domain *d, const struct snap_iface *s)
{
	neigh_set_own(d->neigh, s->addresses, s->n_addresses, s->router->mac);
}

static void build_iface(struct build *b, struct snap_router *r,
			const struct desired_iface *d)
{
	const char *place = d->domain != DESIRED_NONE ?
				    b->d->domains[d->domain].name :
				    b->d->ports[d->port].name;
	struct snap_iface *s =
		new_iface(b, r, xasprintf("%s/%s", r->name, place));

	s->origin = d->origin;
	s->mtu = d->mtu;
	set_addresses(b, s, d);
	if (d->domain != DESIRED_NONE) {
		s->domain = b->domains[d->domain];
		s->domain->iface = s;
		own_addresses(s->domain, s);
		advertise(b, s, d->advertise);
	} else {
		s->port = b->ports[d->port];
		b->ports[d->port]->iface = s;
		advertise(b, s, false);
	}
}

/* The interface whose network has the gateway in it. */
static const struct snap_iface *iface_towards(const struct build *b,
					      const struct snap_router *r,
					      const struct ip_addr *via)
{
	for (unsigned i = 0; i < b->s->n_ifaces; i++) {
		const struct snap_iface *s = b->s->ifaces[i];

		if (!s || s->router != r)
			continue;
		for (unsigned a = 0; a < s->n_addresses; a++)
			if (ip_prefix_contains(&s->addresses[a], via))
				return s;
	}
	return NULL;
}

static void build_route(struct build *b, const struct snap_router *r,
			const struct desired_route *d)
{
	const struct snap_iface *s;

	if (d->blackhole) {
		add_route(b, &d->to, ROUTE_BLACKHOLE, 0, d->origin)->n_hops = 0;
		return;
	}
	s = iface_towards(b, r, &d->via);
	if (s)
		add_route(b, &d->to, ROUTE_VIA, s->id, d->origin)
			->hops[0]
			.gateway = d->via;
}

/* A network of the router that crosses to other hosts: the way to its share
 * there. */
static struct snap_domain *transit(const struct build *b,
				   const struct snap_router *r)
{
	for (unsigned i = 0; i < b->s->n_ifaces; i++) {
		const struct snap_iface *s = b->s->ifaces[i];

		if (s && s->router == r && s->domain && !s->peer &&
		    s->domain->vni)
			return s->domain;
	}
	return NULL;
}

static void build_remote(struct build *b, struct snap_router *r,
			 const struct desired_remote *d)
{
	struct snap_domain *via = transit(b, r);
	struct snap_iface *s;

	if (!via)
		return;
	s = new_iface(b, r,
		      xasprintf("%s//%s", r->name, b->d->peers[d->peer].name));
	s->origin = d->origin;
	s->domain = via;
	s->peer = b->peers[d->peer];
	s->mtu = s->peer->mtu;
	add_route(b, &d->to, ROUTE_CONNECTED, s->id, s->origin);
}

static void build_router(struct build *b, const struct desired_router *d)
{
	struct sw_router *o = router_get(b->sw, d);
	struct snap_router *r = xzalloc(sizeof(*r));

	o->wanted = true;
	*r = (struct snap_router){
		.id = o->id, .name = o->name, .origin = d->origin, .mac = d->mac
	};
	if (r->id >= b->s->n_routers) {
		b->s->routers =
			xrealloc(b->s->routers,
				 b->sw->routers.n * sizeof(*b->s->routers));
		memset(b->s->routers + b->s->n_routers, 0,
		       (b->sw->routers.n - b->s->n_routers) *
			       sizeof(*b->s->routers));
		b->s->n_routers = b->sw->routers.n;
	}
	b->s->routers[r->id] = r;
	b->n_routes = 0;
	for (unsigned i = 0; i < d->n_ifaces; i++)
		build_iface(b, r, &d->ifaces[i]);
	for (unsigned i = 0; i < d->n_remotes; i++)
		build_remote(b, r, &d->remotes[i]);
	for (unsigned i = 0; i < d->n_routes; i++)
		build_route(b, r, &d->routes[i]);
	r->routes = route_table_build(b->routes, b->n_routes);
	r->origins = b->origins;
	r->n_origins = b->n_routes;
	b->origins = NULL;
}

/* --- publishing --- */

/* Each guard watches its bridge's ports and no others. */
static void set_guards(struct build *b)
{
	uint64_t now = sw_now(b->sw);

	for (unsigned i = 0; i < b->d->n_ports; i++) {
		const struct desired_port *d = &b->d->ports[i];

		for (unsigned n = 0; n < b->d->n_bridges; n++) {
			struct sw_bridge *o =
				sw_bridge(b->sw, b->bridges[n]->id);
			bool here = d->bridge == n && d->loop_guard;

			if (!o->guard)
				continue;
			if (!here)
				loop_guard_port_del(o->guard, d->id);
			else if (loop_guard_port_add(o->guard, d->id,
						     d->loop_cost, now))
				continue; /* it is there already */
		}
	}
}

static bool is_static(const struct desired_bridge *d, const struct sw_static *s)
{
	for (unsigned i = 0; i < d->n_macs; i++)
		if (d->macs[i].vid == s->vid &&
		    eth_addr_equal(d->macs[i].mac, s->mac))
			return true;
	return false;
}

static void put_static_mac(struct build *b, struct sw_bridge *o,
			   const struct desired_mac *m)
{
	int rc = mac_table_put_static(o->macs, m->vid, m->mac,
				      b->d->ports[m->port].id);

	if (rc)
		log_warn("bridge %s: static station refused: %s; it will be "
			 "learned instead",
			 o->name, err_name(rc));
	else
		o->statics[o->n_statics++] =
			(struct sw_static){ m->mac, m->vid };
}

static void set_static_macs(struct build *b)
{
	for (unsigned i = 0; i < b->d->n_bridges; i++) {
		const struct desired_bridge *d = &b->d->bridges[i];
		struct sw_bridge *o = sw_bridge(b->sw, b->bridges[i]->id);

		for (unsigned n = 0; n < o->n_statics; n++)
			if (!is_static(d, &o->statics[n]))
				mac_table_del(o->macs, o->statics[n].vid,
					      o->statics[n].mac);
		free(o->statics);
		o->statics = xcalloc(d->n_macs, sizeof(*o->statics));
		o->n_statics = 0;
		for (unsigned n = 0; n < d->n_macs; n++)
			put_static_mac(b, o, &d->macs[n]);
	}
}

/* The order matters: published first, then the stamp, then the wait. Returns the
 * snapshot before. */
static struct snapshot *publish(struct vswitch *sw, struct snapshot *s)
{
	struct snapshot *old = sw->snapshot;

	s->generation = sw->stamps->v[STAMP_SNAPSHOT] + 1;
	rcu_publish(sw->snapshot, s);
	stamp_bump(sw->stamps, STAMP_SNAPSHOT);
	if (sw->dp)
		sw->config.dp->barrier(sw->dp);
	return old;
}

void sw_rebuild(struct vswitch *sw, const struct desired *d)
{
	struct build b = { .sw = sw, .d = d, .s = xzalloc(sizeof(*b.s)) };

	b.bridges = xcalloc(d->n_bridges, sizeof(*b.bridges));
	b.domains = xcalloc(d->n_domains, sizeof(*b.domains));
	b.ports = xcalloc(d->n_ports, sizeof(*b.ports));
	b.peers = xcalloc(d->n_peers, sizeof(*b.peers));
	sw_mark_unwanted(sw);
	build_bridges(&b);
	build_domains(&b);
	build_ports(&b);
	number_ports(&b);
	build_members(&b);
	build_overlay(&b);
	for (unsigned i = 0; i < d->n_routers; i++)
		build_router(&b, &d->routers[i]);
	sw_say_goodbye(sw);
	sw_retire(sw, publish(sw, b.s));
	for (unsigned i = 0; i < sw->bridges.n; i++)
		if (sw->bridges.at[i] && sw_bridge(sw, i)->of)
			sw_of_settled(sw_bridge(sw, i)->of);
	set_static_macs(&b);
	set_guards(&b);
	free(b.bridges);
	free(b.domains);
	free(b.ports);
	free(b.peers);
	free(b.routes);
	sw_tick(sw);
}

/* --- the door from control --- */

static int check_bridge(const struct desired *d, const struct desired_bridge *b,
			struct rule_spec *scratch, struct err *e)
{
	struct act_names names = { .port_number = rule_port,
				   .ctx = (void *)(uintptr_t)d };

	for (unsigned i = 0; i < b->n_rules; i++) {
		acts_clear(&scratch->actions);
		if (rule_parse(b->rules[i], &names, scratch, e)) {
			err_wrap(e, "bridge %s, rule %u", b->name, i + 1);
			err_place(e, b->origin.file, rule_origin(b, i).line, 1);
			return -EINVAL;
		}
	}
	return 0;
}

static int check_peers(const struct desired *d, struct err *e)
{
	for (unsigned i = 0; i < d->n_peers; i++)
		for (unsigned n = 0; n < i; n++)
			if (ip_addr_equal(&d->peers[i].address,
					  &d->peers[n].address))
				return err_set(e,
					       "peers %s and %s have the "
					       "same address; each host "
					       "needs its own",
					       d->peers[n].name,
					       d->peers[i].name);
	return 0;
}

int switch_check(const struct desired *d, struct err *e)
{
	struct rule_spec *scratch = xmalloc(sizeof(*scratch));
	int rc = check_peers(d, e);

	for (unsigned i = 0; i < d->n_bridges && !rc; i++)
		rc = check_bridge(d, &d->bridges[i], scratch, e);
	free(scratch);
	return rc;
}

void switch_apply(struct vswitch *sw, const struct desired *d)
{
	sw_rebuild(sw, d);
}
