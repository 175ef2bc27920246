/* SPDX-License-Identifier: Apache-2.0 */
#include "control/desire.h"

#include "overlay/mtu.h"

/* The loop guard blocks the dearer of two ports: a guest rather than the way out
 * of the host, and the host's own device last of all. */
#define COST_HOST 10u
#define COST_NIC 20u
#define COST_PATCH 50u
#define COST_GUEST 100u

/* --- peers --- */

static uint32_t peer_number(const struct peer_numbers *p,
			    const struct ip_addr *a)
{
	for (unsigned i = 0; i < p->n; i++)
		if (ip_addr_equal(&p->v[i].address, a))
			return p->v[i].id;
	return 0;
}

static bool is_peer(const struct model_view *v, const struct ip_addr *a)
{
	for (unsigned i = 0; i < v->n_peers; i++)
		if (ip_addr_equal(&v->peers[i].address, a))
			return true;
	return false;
}

void peer_numbers_update(struct peer_numbers *p, struct vswitch *sw,
			 const struct model_view *v)
{
	unsigned n = 0;

	for (unsigned i = 0; i < p->n; i++) {
		if (is_peer(v, &p->v[i].address))
			p->v[n++] = p->v[i];
		else
			switch_port_release(sw, p->v[i].id);
	}
	p->n = n;
	for (unsigned i = 0; i < v->n_peers; i++) {
		const struct ip_addr *a = &v->peers[i].address;

		if (peer_number(p, a))
			continue;
		p->v = xrealloc(p->v, (p->n + 1) * sizeof(*p->v));
		p->v[p->n++] =
			(struct peer_number){ *a, switch_port_number(sw) };
	}
}

void peer_numbers_fini(struct peer_numbers *p, struct vswitch *sw)
{
	for (unsigned i = 0; i < p->n; i++)
		switch_port_release(sw, p->v[i].id);
	free(p->v);
	*p = (struct peer_numbers){ 0 };
}

/* --- building --- */

struct making {
	struct desire *out;
	const struct model_view *v;
	const struct real *real;
	const struct peer_numbers *peers;
	uint32_t *port_of; /* view port -> desired port */
	uint32_t next_id;  /* of a check */
};

static struct snap_origin origin_of(struct model_origin o)
{
	return (struct snap_origin){ o.file, o.line };
}

static uint32_t real_id(struct making *m, const char *name)
{
	const struct real_port *p = m->real ? real_find(m->real, name) : NULL;

	return p ? p->id : m->real ? 0 : ++m->next_id;
}

static const char *keep_name(struct making *m, char *name)
{
	struct desire *o = m->out;

	o->names = xrealloc(o->names, (o->n_names + 1) * sizeof(*o->names));
	o->names[o->n_names++] = name;
	return name;
}

/* --- bridges and domains --- */

static const struct desired_mac *
static_macs(struct making *m, const struct model_bridge *b, unsigned *n)
{
	struct desired_mac *v = xcalloc(b->static_macs.n, sizeof(*v));

	*n = 0;
	for (unsigned i = 0; i < b->static_macs.n; i++) {
		const struct model_static_mac *s = &b->static_macs.items[i];
		uint32_t port = model_view_port(m->v, s->port);

		if (port == VIEW_NONE || m->port_of[port] == DESIRED_NONE)
			continue;
		v[(*n)++] = (struct desired_mac){ s->mac, (uint16_t)s->vlan,
						  m->port_of[port] };
	}
	return v;
}

static void make_bridges(struct making *m)
{
	for (unsigned i = 0; i < m->v->n_bridges; i++) {
		const struct view_bridge *b = &m->v->bridges[i];
		struct desired_bridge *d = &m->out->bridges[i];

		*d = (struct desired_bridge){
			.name = b->name,
			.origin = origin_of(b->origin),
			.mac_limit = b->mac_table_size,
			.mac_age_ms = b->mac_ageing_ms,
			.vlan_aware = b->vlan_aware,
			.loop_guard = b->loop_guard,
			.forward_bpdu = b->forward_bpdu,
		};
		if (!b->bridge)
			continue;
		d->openflow = b->bridge->openflow;
		d->rules = (const char *const *)b->bridge->rules.items;
		d->rule_lines = b->bridge->rules.lines;
		d->n_rules = b->bridge->rules.n;
		d->macs = static_macs(m, b->bridge, &d->n_macs);
	}
}

/* The addresses that the file says its ports have: no need to ask for them. */
static const struct desired_neigh *known_stations(struct making *m,
						  uint32_t domain, unsigned *n)
{
	struct desired_neigh *v = NULL;

	*n = 0;
	for (unsigned i = 0; i < m->v->n_ports; i++) {
		const struct view_port *p = &m->v->ports[i];

		if (p->domain != domain || eth_addr_is_zero(p->mac))
			continue;
		for (unsigned a = 0; a < p->port->addresses.n; a++) {
			v = xrealloc(v, (*n + 1) * sizeof(*v));
			v[(*n)++] = (struct desired_neigh){
				p->port->addresses.items[a].addr, p->mac
			};
		}
	}
	return v;
}

static void make_domains(struct making *m)
{
	for (unsigned i = 0; i < m->v->n_domains; i++) {
		const struct view_domain *v = &m->v->domains[i];
		const struct view_bridge *b = &m->v->bridges[v->bridge];
		const struct model_network *net = v->network;
		struct desired_domain *d = &m->out->domains[i];

		*d = (struct desired_domain){
			.name = net ? net->o.name : b->name,
			.origin = origin_of(net ? net->o.origin : b->origin),
			.bridge = v->bridge,
			.vid = v->vid,
			.vni = v->vni,
			.mtu = v->mtu,
			.suppress_arp = v->arp_suppression,
			.snooping = b->multicast_snooping,
		};
		if (net)
			d->neighs = known_stations(m, i, &d->n_neighs);
	}
}

/* --- ports --- */

static struct vlan_port vlan_of(const struct model_vlan *v)
{
	struct vlan_port p = { .mode = VLAN_ACCESS, .pvid = v->vid };

	switch (v->mode) {
	case MODEL_VLAN_ACCESS:
		return p;
	case MODEL_VLAN_ALL:
		p.mode = VLAN_NATIVE_UNTAGGED;
		p.pvid = 0;
		vlan_set_fill(&p.allowed);
		return p;
	case MODEL_VLAN_TRUNK:
		p.mode = !v->vid          ? VLAN_TRUNK :
			 v->native_tagged ? VLAN_NATIVE_TAGGED :
					    VLAN_NATIVE_UNTAGGED;
		break;
	}
	for (unsigned i = 0; i < v->ranges.n; i++)
		for (uint32_t id = v->ranges.items[i].from;
		     id <= v->ranges.items[i].to; id++)
			vlan_set_add(&p.allowed, (uint16_t)id);
	if (v->vid)
		vlan_set_add(&p.allowed, (uint16_t)v->vid);
	return p;
}

static struct storm_limits storm_of(const struct model_storm *s)
{
	struct storm_limits l = { .of = {
					  [STORM_BROADCAST] = { s->broadcast,
								s->broadcast },
					  [STORM_MULTICAST] = { s->multicast,
								s->multicast },
					  [STORM_UNKNOWN] = { s->unknown,
							      s->unknown },
				  } };

	return l;
}

/* What the file does not say is the device's own; unknown while there is none. */
static uint32_t mtu_of(const struct making *m, const char *name, uint32_t mtu)
{
	const struct real_port *p =
		m->real && !mtu ? real_find(m->real, name) : NULL;

	if (!mtu && p)
		mtu = p->port->mtu;
	return mtu ? mtu : UINT32_MAX;
}

static uint32_t loop_cost(const struct model_port *p)
{
	switch (p->type) {
	case MODEL_PORT_NIC:
		return COST_NIC;
	case MODEL_PORT_PATCH:
		return COST_PATCH;
	default:
		return COST_GUEST;
	}
}

static void make_port(struct making *m, uint32_t i)
{
	const struct view_port *v = &m->v->ports[i];
	const struct model_port *p = v->port;
	uint32_t id = p->enabled ? real_id(m, p->o.name) : 0;

	m->port_of[i] = DESIRED_NONE;
	if (!id)
		return;
	m->port_of[i] = m->out->d.n_ports;
	m->out->ports[m->out->d.n_ports++] = (struct desired_port){
		.name = p->o.name,
		.origin = origin_of(p->o.origin),
		.id = id,
		.bridge = v->bridge == VIEW_NONE ? DESIRED_NONE : v->bridge,
		.vlan = vlan_of(&v->vlan),
		.isolated = p->isolated,
		.loop_guard = p->loop_guard,
		.loop_cost = loop_cost(p),
		.mac_limit = p->mac_limit,
		.mtu = mtu_of(m, p->o.name, v->mtu),
		.storm = storm_of(&p->storm),
	};
}

/* The bridge's own device: untagged, or in the VLAN the file says. */
static void make_host_port(struct making *m, uint32_t bridge)
{
	const struct view_bridge *b = &m->v->bridges[bridge];
	struct model_vlan all = { .mode = MODEL_VLAN_ALL };
	uint32_t id;

	if (!b->has_host)
		return;
	if (b->host && b->host->vlan)
		all = (struct model_vlan){ .mode = MODEL_VLAN_ACCESS,
					   .vid = (uint16_t)b->host->vlan };
	id = real_id(m, b->name);
	if (!id)
		return;
	m->out->ports[m->out->d.n_ports++] = (struct desired_port){
		.name = b->name,
		.origin = origin_of(b->origin),
		.id = id,
		.bridge = bridge,
		.vlan = vlan_of(&all),
		.loop_guard = true,
		.loop_cost = COST_HOST,
		.mtu = mtu_of(m, b->name,
			      b->host && b->host->mtu ? b->host->mtu : b->mtu),
		.storm = storm_limits_default(),
	};
}

static void make_ports(struct making *m)
{
	for (unsigned i = 0; i < m->v->n_ports; i++)
		make_port(m, i);
	for (unsigned i = 0; i < m->v->n_bridges; i++)
		make_host_port(m, i);
}

static void make_peers(struct making *m)
{
	const struct model_underlay *u = &m->v->underlay;

	if (!u->address.family)
		return;
	m->out->d.tunnel_port = real_id(m, "tunnel");
	for (unsigned i = 0; i < m->v->n_peers; i++) {
		const struct view_peer *p = &m->v->peers[i];
		char text[IP_STR_LEN];
		uint32_t id = m->peers ? peer_number(m->peers, &p->address) :
					 ++m->next_id;

		m->out->peers[i] = (struct desired_peer){
			.name = p->name ? p->name :
					  keep_name(m, xstrdup(ip_addr_format(
							       &p->address,
							       text))),
			.id = id,
			.address = p->address,
			.mtu = mtu_inside(u->mtu, p->address.family, false),
		};
	}
	m->out->d.n_peers = m->v->n_peers;
}

/* --- routers --- */

static void make_ifaces(struct making *m, const struct view_router *r,
			struct desired_router *d, uint32_t router)
{
	struct desired_iface *v =
		xcalloc(r->n_ifaces + m->v->n_ports, sizeof(*v));

	for (unsigned i = 0; i < r->n_ifaces; i++) {
		const struct model_interface *f = r->ifaces[i].iface;
		uint32_t domain = r->ifaces[i].domain;

		v[d->n_ifaces++] = (struct desired_iface){
			.origin = origin_of(f->o.origin),
			.domain = domain,
			.port = DESIRED_NONE,
			.addresses = f->addresses.items,
			.n_addresses = f->addresses.n,
			.mtu = m->v->domains[domain].mtu,
			.advertise = f->advertise,
		};
	}
	for (unsigned i = 0; i < m->v->n_ports; i++) {
		const struct view_port *p = &m->v->ports[i];

		if (p->router != router || m->port_of[i] == DESIRED_NONE)
			continue;
		v[d->n_ifaces++] = (struct desired_iface){
			.origin = origin_of(p->port->o.origin),
			.domain = DESIRED_NONE,
			.port = m->port_of[i],
			.addresses = p->port->addresses.items,
			.n_addresses = p->port->addresses.n,
			.mtu = mtu_of(m, p->port->o.name, p->mtu),
		};
	}
	d->ifaces = v;
}

static void make_routes(const struct view_router *r, struct desired_router *d)
{
	const struct model_router *mr = r->router;
	struct desired_route *v = xcalloc(mr->routes.n, sizeof(*v));

	for (unsigned i = 0; i < mr->routes.n; i++) {
		const struct model_route *s = &mr->routes.items[i];

		v[d->n_routes++] =
			(struct desired_route){ origin_of(s->o.origin), s->to,
						s->via, s->blackhole };
	}
	d->routes = v;
}

static void make_remotes(struct making *m, struct desired_router *d,
			 uint32_t router)
{
	struct desired_remote *v = xcalloc(m->v->n_remotes, sizeof(*v));

	for (unsigned i = 0; i < m->v->n_remotes; i++) {
		const struct view_remote *s = &m->v->remotes[i];

		if (s->router != router || s->peer == VIEW_NONE ||
		    !m->out->d.n_peers)
			continue;
		v[d->n_remotes++] =
			(struct desired_remote){ origin_of(s->port->o.origin),
						 s->prefix, s->peer };
	}
	d->remotes = v;
}

static void make_routers(struct making *m)
{
	for (unsigned i = 0; i < m->v->n_routers; i++) {
		const struct view_router *r = &m->v->routers[i];
		struct desired_router *d = &m->out->routers[i];

		*d = (struct desired_router){
			.name = r->router->o.name,
			.origin = origin_of(r->router->o.origin),
			.mac = r->mac,
		};
		make_ifaces(m, r, d, i);
		make_routes(r, d);
		make_remotes(m, d, i);
	}
}

void desire_init(struct desire *out, const struct model_view *v,
		 const struct real *real, const struct peer_numbers *peers)
{
	struct making m = { .out = out, .v = v, .real = real, .peers = peers };

	*out = (struct desire){ 0 };
	out->bridges = xcalloc(v->n_bridges, sizeof(*out->bridges));
	out->domains = xcalloc(v->n_domains, sizeof(*out->domains));
	out->ports = xcalloc(v->n_ports + v->n_bridges, sizeof(*out->ports));
	out->peers = xcalloc(v->n_peers, sizeof(*out->peers));
	out->routers = xcalloc(v->n_routers, sizeof(*out->routers));
	m.port_of = xcalloc(v->n_ports, sizeof(*m.port_of));
	make_ports(&m);
	make_bridges(&m);
	make_domains(&m);
	make_peers(&m);
	make_routers(&m);
	free(m.port_of);
	out->d.bridges = out->bridges;
	out->d.n_bridges = v->n_bridges;
	out->d.domains = out->domains;
	out->d.n_domains = v->n_domains;
	out->d.ports = out->ports;
	out->d.peers = out->peers;
	out->d.routers = out->routers;
	out->d.n_routers = v->n_routers;
}

void desire_fini(struct desire *d)
{
	for (unsigned i = 0; i < d->d.n_bridges; i++)
		free((void *)(uintptr_t)d->bridges[i].macs);
	for (unsigned i = 0; i < d->d.n_domains; i++)
		free((void *)(uintptr_t)d->domains[i].neighs);
	for (unsigned i = 0; i < d->d.n_routers; i++) {
		free((void *)(uintptr_t)d->routers[i].ifaces);
		free((void *)(uintptr_t)d->routers[i].routes);
		free((void *)(uintptr_t)d->routers[i].remotes);
	}
	for (unsigned i = 0; i < d->n_names; i++)
		free(d->names[i]);
	free(d->names);
	free(d->bridges);
	free(d->domains);
	free(d->ports);
	free(d->peers);
	free(d->routers);
}
