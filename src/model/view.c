/* SPDX-License-Identifier: Apache-2.0 */
#include "model/view.h"

#include <errno.h>
#include <sys/socket.h>

#include "model/names.h"

#define DEFAULT_MTU 1500u
/* IP, UDP, VXLAN and the inner Ethernet header. */
#define OVERHEAD_IP4 50u
#define OVERHEAD_IP6 70u

static const char *keep(struct model_view *v, char *text)
{
	if (!(v->names.n & (v->names.n - 1)))
		v->names.items = xrealloc(v->names.items,
					  (v->names.n ? v->names.n * 2 : 1) *
						  sizeof(char *));
	return v->names.items[v->names.n++] = text;
}

/* What concerns this host comes from its own part and from the file's top. */
struct sources {
	const struct model_host *of[2];
	unsigned n;
};

/* --- underlay, MTU -------------------------------------------------------- */

static uint32_t overhead(const struct ip_addr *a)
{
	return a->family == AF_INET6 ? OVERHEAD_IP6 : OVERHEAD_IP4;
}

/* What every tunnel of the file can carry: the same on all hosts. */
static uint32_t tunnel_mtu(const struct model *m)
{
	uint32_t mtu = DEFAULT_MTU;
	bool any = false;

	for (unsigned i = 0; i <= m->hosts.n; i++) {
		const struct model_host *h =
			i ? &m->hosts.items[i - 1] : &m->local;
		const struct model_underlay *u = &h->underlay;

		if (!u->address.family)
			continue;
		if (!any || u->mtu - overhead(&u->address) < mtu)
			mtu = u->mtu - overhead(&u->address);
		any = true;
	}
	return mtu;
}

static uint32_t network_mtu(const struct model_view *v,
			    const struct model_network *n)
{
	if (n->mtu)
		return n->mtu;
	return n->vni ? tunnel_mtu(v->model) : DEFAULT_MTU;
}

/* --- bridges -------------------------------------------------------------- */

static int bridge_cmp(const void *a, const void *b)
{
	const struct view_bridge *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void add_bridge(struct model_view *v, const struct model_bridge *b)
{
	v->bridges[v->n_bridges++] = (struct view_bridge){
		.name = b->o.name,
		.bridge = b,
		.origin = b->o.origin,
		.mac_table_size = b->mac_table_size,
		.mac_ageing_ms = b->mac_ageing_ms,
		.multicast_snooping = b->multicast_snooping,
		.loop_guard = b->loop_guard,
		.forward_bpdu = b->forward_bpdu,
		.has_host = b->host,
		.host = b->host,
		.vlan_aware = b->host && b->host->vlan,
	};
}

static void add_own_bridge(struct model_view *v, const struct model_network *n)
{
	v->bridges[v->n_bridges++] = (struct view_bridge){
		.name = n->o.name,
		.network = n,
		.origin = n->o.origin,
		.mac_table_size = n->mac_table_size,
		.mac_ageing_ms = n->mac_ageing_ms,
		.multicast_snooping = n->multicast_snooping,
		.loop_guard = true,
	};
}

static void build_bridges(struct model_view *v, const struct sources *s)
{
	const struct model *m = v->model;
	unsigned n = m->networks.n;

	for (unsigned i = 0; i < s->n; i++)
		n += s->of[i]->bridges.n;
	v->bridges = xcalloc(n + 1, sizeof(*v->bridges));
	for (unsigned i = 0; i < s->n; i++) {
		for (unsigned j = 0; j < s->of[i]->bridges.n; j++)
			add_bridge(v, &s->of[i]->bridges.items[j]);
	}
	for (unsigned i = 0; i < m->networks.n; i++) {
		if (!m->networks.items[i].bridge)
			add_own_bridge(v, &m->networks.items[i]);
	}
	qsort(v->bridges, v->n_bridges, sizeof(*v->bridges), bridge_cmp);
}

static int bridge_name_cmp(const void *name, const void *b)
{
	return strcmp(name, ((const struct view_bridge *)b)->name);
}

uint32_t model_view_bridge(const struct model_view *v, const char *name)
{
	const struct view_bridge *b = NULL;

	if (name && v->n_bridges)
		b = bsearch(name, v->bridges, v->n_bridges, sizeof(*b),
			    bridge_name_cmp);
	return b ? (uint32_t)(b - v->bridges) : VIEW_NONE;
}

static uint32_t network_bridge(const struct model_view *v,
			       const struct model_network *n)
{
	return model_view_bridge(v, n->bridge ? n->bridge : n->o.name);
}

/* --- ports ---------------------------------------------------------------- */

static int port_cmp(const void *a, const void *b)
{
	const struct view_port *x = a, *y = b;

	return strcmp(x->port->o.name, y->port->o.name);
}

static int port_name_cmp(const void *name, const void *p)
{
	return strcmp(name, ((const struct view_port *)p)->port->o.name);
}

uint32_t model_view_port(const struct model_view *v, const char *name)
{
	const struct view_port *p = NULL;

	if (name && v->n_ports)
		p = bsearch(name, v->ports, v->n_ports, sizeof(*p),
			    port_name_cmp);
	return p ? (uint32_t)(p - v->ports) : VIEW_NONE;
}

static void port_names(struct model_view *v, struct view_port *p)
{
	const struct model_port *mp = p->port;
	struct names names;

	names_of_port(mp, &names);
	if (*names.near)
		p->device = keep(v, xstrdup(names.near));
	if (*names.far)
		p->far_device = keep(v, xstrdup(names.far));
}

/* The same name on two hosts of one network must not give the same MAC. */
static struct eth_addr host_mac(const struct model_view *v, const char *kind,
				const char *name)
{
	char *full = xasprintf("%s/%s", v->host, name);
	struct eth_addr mac = model_mac(kind, full);

	free(full);
	return mac;
}

static void add_port(struct model_view *v, const struct model_port *mp)
{
	const struct model_network *n = model_network(v->model, mp->network);
	struct view_port *p = &v->ports[v->n_ports++];

	*p = (struct view_port){ .port = mp,
				 .bridge = VIEW_NONE,
				 .domain = VIEW_NONE,
				 .router = VIEW_NONE,
				 .peer = VIEW_NONE,
				 .vlan = mp->vlan,
				 .mac = mp->mac };
	port_names(v, p);
	if (mp->bridge)
		p->bridge = model_view_bridge(v, mp->bridge);
	else if (n)
		p->bridge = network_bridge(v, n);
	if (mp->type == MODEL_PORT_VETH && mp->create &&
	    eth_addr_is_zero(mp->mac))
		p->mac = host_mac(v, "veth", mp->o.name);
	if (p->bridge != VIEW_NONE &&
	    (mp->vlan.mode != MODEL_VLAN_ALL || (n && n->vlan)))
		v->bridges[p->bridge].vlan_aware = true;
	if (mp->adopt && p->bridge != VIEW_NONE)
		v->bridges[p->bridge].has_host = v->bridges[p->bridge].adopts =
			true;
}

static void build_ports(struct model_view *v, const struct sources *s)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->n; i++)
		n += s->of[i]->ports.n;
	v->ports = xcalloc(n + 1, sizeof(*v->ports));
	for (unsigned i = 0; i < s->n; i++) {
		for (unsigned j = 0; j < s->of[i]->ports.n; j++)
			add_port(v, &s->of[i]->ports.items[j]);
	}
	if (n)
		qsort(v->ports, n, sizeof(*v->ports), port_cmp);
}

/* --- domains -------------------------------------------------------------- */

static int domain_cmp(const void *a, const void *b)
{
	const struct view_domain *x = a, *y = b;

	if (x->bridge != y->bridge)
		return x->bridge < y->bridge ? -1 : 1;
	if (x->vid != y->vid)
		return x->vid < y->vid ? -1 : 1;
	/* those with a network first: the others are dropped as doubles */
	return !x->network - !y->network;
}

uint32_t model_view_domain(const struct model_view *v, uint32_t bridge,
			   uint16_t vid)
{
	struct view_domain want = { .bridge = bridge, .vid = vid };
	unsigned lo = 0, hi = v->n_domains;

	while (lo < hi) {
		unsigned mid = lo + (hi - lo) / 2;
		const struct view_domain *d = &v->domains[mid];

		if (d->bridge == want.bridge && d->vid == want.vid)
			return mid;
		if (d->bridge < want.bridge ||
		    (d->bridge == want.bridge && d->vid < want.vid))
			lo = mid + 1;
		else
			hi = mid;
	}
	return VIEW_NONE;
}

static void add_domain(struct model_view *v, uint32_t bridge, uint16_t vid,
		       const struct model_network *n)
{
	if (!(v->n_domains & (v->n_domains - 1)))
		v->domains = xrealloc(v->domains,
				      (v->n_domains ? v->n_domains * 2 : 1) *
					      sizeof(*v->domains));
	v->domains[v->n_domains++] = (struct view_domain){
		.bridge = bridge,
		.vid = vid,
		.network = n,
		.vni = n && v->underlay.address.family ? n->vni : 0,
		.mtu = n ? network_mtu(v, n) : DEFAULT_MTU,
		.arp_suppression = n && n->arp_suppression,
	};
}

static void network_domains(struct model_view *v)
{
	for (unsigned i = 0; i < v->model->networks.n; i++) {
		const struct model_network *n = &v->model->networks.items[i];
		uint32_t b = network_bridge(v, n);

		if (b == VIEW_NONE)
			continue;
		add_domain(v, b, (uint16_t)n->vlan, n);
		v->bridges[b].vlan_aware |= n->vlan != 0;
	}
}

static void port_vids(const struct model_vlan *vlan, uint8_t *vids)
{
	vids[vlan->vid] = 1;
	for (unsigned j = 0; j < vlan->ranges.n; j++) {
		const struct model_vlan_range *r = &vlan->ranges.items[j];

		memset(vids + r->from, 1, r->to - r->from + 1u);
	}
}

/* VLANs that only ports speak of. A set first: trunks are wide, and many. */
static void vlan_domains(struct model_view *v, uint32_t b)
{
	const struct model_bridge_host *host = v->bridges[b].host;
	uint8_t vids[MODEL_VLAN_MAX + 1] = { 0 };

	for (unsigned i = 0; i < v->n_ports; i++) {
		if (v->ports[i].bridge == b)
			port_vids(&v->ports[i].vlan, vids);
	}
	if (host)
		vids[host->vlan] = 1;
	for (unsigned vid = 1; vid <= MODEL_VLAN_MAX; vid++) {
		if (vids[vid])
			add_domain(v, b, (uint16_t)vid, NULL);
	}
}

static void bridge_domains(struct model_view *v)
{
	for (uint32_t b = 0; b < v->n_bridges; b++) {
		add_domain(v, b, 0, NULL);
		if (v->bridges[b].vlan_aware)
			vlan_domains(v, b);
	}
}

/* Each bridge's domains lie side by side after sorting. */
static void link_domains(struct model_view *v)
{
	unsigned n = 0;

	qsort(v->domains, v->n_domains, sizeof(*v->domains), domain_cmp);
	for (unsigned i = 0; i < v->n_domains; i++) {
		struct view_domain *d = &v->domains[i];

		if (!n || v->domains[n - 1].bridge != d->bridge ||
		    v->domains[n - 1].vid != d->vid)
			v->domains[n++] = *d;
	}
	v->n_domains = n;
	for (uint32_t i = 0; i < n; i++) {
		struct view_bridge *b = &v->bridges[v->domains[i].bridge];
		size_t size = (b->n_domains + 1) * sizeof(*b->domains);

		b->domains = xrealloc(b->domains, size);
		b->domains[b->n_domains++] = i;
		b->mtu = MAX(b->mtu, v->domains[i].mtu);
	}
}

static void build_domains(struct model_view *v)
{
	network_domains(v);
	bridge_domains(v);
	if (v->n_domains)
		link_domains(v);
}

bool model_vlan_carries(const struct model_vlan *vlan, uint16_t vid,
			bool *tagged)
{
	bool native = vlan->mode != MODEL_VLAN_TRUNK || vlan->vid;

	*tagged = false;
	if (vlan->mode == MODEL_VLAN_ALL) {
		*tagged = vid;
		return true;
	}
	if (vlan->vid == vid && native) {
		*tagged = vlan->native_tagged;
		return true;
	}
	for (unsigned i = 0; i < vlan->ranges.n; i++) {
		const struct model_vlan_range *r = &vlan->ranges.items[i];

		if (vid < r->from || vid > r->to)
			continue;
		*tagged = true;
		return true;
	}
	return false;
}

/* --- what needs bridges, domains and ports -------------------------------- */

static void finish_bridges(struct model_view *v)
{
	for (unsigned i = 0; i < v->n_bridges; i++) {
		struct view_bridge *b = &v->bridges[i];

		b->host_mtu = b->adopts ? 0 : b->mtu;
		if (b->host && b->host->mtu)
			b->host_mtu = b->host->mtu;
		if (b->host && !eth_addr_is_zero(b->host->mac))
			b->host_mac = b->host->mac;
		else if (!b->adopts)
			b->host_mac = host_mac(v, "bridge", b->name);
	}
}

static void add_gateway(struct view_port *p, const struct model_prefixes *of)
{
	for (unsigned i = 0; i < of->n; i++) {
		const struct ip_prefix *g = &of->items[i];

		for (unsigned j = 0; j < p->port->addresses.n; j++) {
			const struct ip_prefix *own =
				&p->port->addresses.items[j];

			if (!ip_prefix_contains(own, &g->addr))
				continue;
			for (unsigned k = 0; k < p->n_gateways; k++) {
				if (p->gateways[k].family == g->addr.family)
					goto next;
			}
			p->gateways[p->n_gateways++] = g->addr;
			break;
		}
next:;
	}
}

static void port_gateways(struct model_view *v, struct view_port *p)
{
	const struct model_gateway *g = &p->port->gateway;

	if (p->port->type != MODEL_PORT_VETH || !p->far_device ||
	    p->port->ns.kind == MODEL_NETNS_NONE)
		return;
	for (unsigned i = 0; g->mode == MODEL_GATEWAY_GIVEN && i < g->addrs.n;
	     i++)
		p->gateways[p->n_gateways++] = g->addrs.items[i];
	if (g->mode != MODEL_GATEWAY_AUTO || !p->port->network)
		return;
	for (unsigned i = 0; i < v->model->routers.n; i++) {
		const struct model_interface *f = model_router_interface(
			&v->model->routers.items[i], p->port->network);

		if (f)
			add_gateway(p, &f->addresses);
	}
}

static uint32_t router_index(const struct model_view *v, const char *name)
{
	const struct model_router *r = model_router(v->model, name);

	return r ? (uint32_t)(r - v->model->routers.items) : VIEW_NONE;
}

static void finish_port(struct model_view *v, struct view_port *p)
{
	const struct model_port *mp = p->port;
	const struct model_network *n = model_network(v->model, mp->network);
	uint32_t mtu = DEFAULT_MTU;

	if (n && p->bridge != VIEW_NONE) {
		p->domain = model_view_domain(v, p->bridge, (uint16_t)n->vlan);
		if (v->bridges[p->bridge].vlan_aware)
			p->vlan = (struct model_vlan){
				.mode = MODEL_VLAN_ACCESS,
				.vid = (uint16_t)n->vlan,
			};
		mtu = v->domains[p->domain].mtu;
	} else if (p->bridge != VIEW_NONE) {
		mtu = v->bridges[p->bridge].mtu;
	}
	p->mtu = mp->mtu;
	if (!mp->mtu && mp->type != MODEL_PORT_NIC)
		p->mtu = mtu;
	p->router = router_index(v, mp->router);
	p->peer = model_view_port(v, mp->peer);
	port_gateways(v, p);
}

static void build_routers(struct model_view *v)
{
	const struct model *m = v->model;

	v->routers = xcalloc(m->routers.n + 1, sizeof(*v->routers));
	for (unsigned i = 0; i < m->routers.n; i++) {
		const struct model_router *r = &m->routers.items[i];
		struct view_router *vr = &v->routers[v->n_routers++];

		vr->router = r;
		vr->mac = model_router_mac(r);
		vr->ifaces = xcalloc(r->networks.n + 1, sizeof(*vr->ifaces));
		for (unsigned j = 0; j < r->networks.n; j++) {
			const struct model_network *n =
				model_network(m, r->networks.items[j].o.name);
			uint32_t b = network_bridge(v, n);

			if (b == VIEW_NONE)
				continue;
			vr->ifaces[vr->n_ifaces++] = (struct view_iface){
				&r->networks.items[j],
				model_view_domain(v, b, (uint16_t)n->vlan)
			};
		}
	}
}

/* --- peers ---------------------------------------------------------------- */

static uint32_t find_peer(const struct model_view *v, const struct ip_addr *a)
{
	for (uint32_t i = 0; i < v->n_peers; i++) {
		if (ip_addr_equal(&v->peers[i].address, a))
			return i;
	}
	return VIEW_NONE;
}

static void add_peer(struct model_view *v, const struct ip_addr *a,
		     uint16_t port, const char *name)
{
	if (!a->family || a->family != v->underlay.address.family ||
	    ip_addr_equal(a, &v->underlay.address) ||
	    find_peer(v, a) != VIEW_NONE)
		return;
	v->peers[v->n_peers++] = (struct view_peer){ *a, port, name };
}

static void build_peers(struct model_view *v, const struct sources *s)
{
	const struct model *m = v->model;
	unsigned n = m->hosts.n;

	for (unsigned i = 0; i < s->n; i++)
		n += s->of[i]->peers.n;
	v->peers = xcalloc(n + 1, sizeof(*v->peers));
	for (unsigned i = 0; i < m->hosts.n; i++) {
		const struct model_host *h = &m->hosts.items[i];

		if (strcmp(h->o.name, v->host))
			add_peer(v, &h->underlay.address,
				 (uint16_t)h->underlay.port, h->o.name);
	}
	for (unsigned i = 0; i < s->n; i++) {
		for (unsigned j = 0; j < s->of[i]->peers.n; j++)
			add_peer(v, &s->of[i]->peers.items[j],
				 (uint16_t)v->underlay.port, NULL);
	}
}

static void add_remote(struct model_view *v, const struct model_host *h,
		       const struct model_port *p)
{
	for (unsigned i = 0; i < p->addresses.n; i++) {
		if (!(v->n_remotes & (v->n_remotes - 1)))
			v->remotes =
				xrealloc(v->remotes,
					 (v->n_remotes ? v->n_remotes * 2 : 1) *
						 sizeof(*v->remotes));
		v->remotes[v->n_remotes++] = (struct view_remote){
			router_index(v, p->router),
			ip_prefix_network(&p->addresses.items[i]),
			find_peer(v, &h->underlay.address), p
		};
	}
}

static void build_remotes(struct model_view *v)
{
	for (unsigned i = 0; i < v->model->hosts.n; i++) {
		const struct model_host *h = &v->model->hosts.items[i];

		for (unsigned j = 0; j < h->ports.n; j++) {
			if (h->ports.items[j].type == MODEL_PORT_TUN &&
			    strcmp(h->o.name, v->host))
				add_remote(v, h, &h->ports.items[j]);
		}
	}
}

/* --- the whole ------------------------------------------------------------ */

static int no_host(const struct model *m, const char *host, struct err *e)
{
	struct str names = STR_INIT;

	for (unsigned i = 0; i < m->hosts.n && i < 8; i++)
		str_addf(&names, "%s%s", i ? ", " : "",
			 m->hosts.items[i].o.name);
	if (m->hosts.n > 8)
		str_add(&names, ", ...");
	err_set(e,
		"this host is called \"%s\", but the file has %s; start weftd "
		"with --host NAME, or name this host in the file",
		host, str_text(&names));
	str_fini(&names);
	return -ENOENT;
}

static int find_sources(const struct model *m, const char *host,
			struct sources *s, struct err *e)
{
	const struct model_host *h = model_host(m, host);

	if (m->hosts.n && !h)
		return no_host(m, host, e);
	s->of[s->n++] = &m->local;
	if (h)
		s->of[s->n++] = h;
	return 0;
}

struct model_view *model_view_create(const struct model *m, const char *host,
				     struct err *e)
{
	struct sources s = { .n = 0 };
	struct model_view *v;

	if (find_sources(m, host, &s, e))
		return NULL;
	v = xzalloc(sizeof(*v));
	v->model = m;
	v->host = keep(v, xstrdup(host));
	v->underlay = m->local.underlay;
	for (unsigned i = 0; i < s.n; i++) {
		if (s.of[i]->underlay.address.family)
			v->underlay = s.of[i]->underlay;
	}
	v->overhead = overhead(&v->underlay.address);
	build_bridges(v, &s);
	build_ports(v, &s);
	build_domains(v);
	finish_bridges(v);
	for (unsigned i = 0; i < v->n_ports; i++)
		finish_port(v, &v->ports[i]);
	build_routers(v);
	build_peers(v, &s);
	build_remotes(v);
	return v;
}

void model_view_destroy(struct model_view *v)
{
	if (!v)
		return;
	for (unsigned i = 0; i < v->n_bridges; i++)
		free(v->bridges[i].domains);
	for (unsigned i = 0; i < v->n_routers; i++)
		free(v->routers[i].ifaces);
	for (unsigned i = 0; i < v->names.n; i++)
		free(v->names.items[i]);
	free(v->names.items);
	free(v->bridges);
	free(v->domains);
	free(v->ports);
	free(v->routers);
	free(v->peers);
	free(v->remotes);
	free(v);
}
