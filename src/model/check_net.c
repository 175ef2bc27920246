/* SPDX-License-Identifier: Apache-2.0 */
/* Networks and routers: subnets, identifiers, addresses, routes. */
#include <sys/socket.h>

#include "model/check.h"

/* Outer Ethernet is not counted: IP, UDP, VXLAN and the inner Ethernet. */
#define OVERHEAD_IP4 50u
#define OVERHEAD_IP6 70u

/* --- networks ------------------------------------------------------------- */

static bool any_host_has(const struct check *c, const char *bridge)
{
	for (unsigned i = 0; i < check_n_hosts(c->m); i++) {
		if (model_host_bridge(check_host(c->m, i), bridge))
			return true;
	}
	return false;
}

static void check_own_bridge(struct check *c, const struct model_network *n)
{
	if (n->vlan)
		check_bad(c, AT(&n->o, "vlan"),
			  "vlan needs bridge: network %s has a bridge of its "
			  "own, without VLANs",
			  n->o.name);
	if (any_host_has(c, n->o.name))
		check_bad(c, AT(&n->o, NULL),
			  "network %s needs a bridge of that name, but there "
			  "is one: say \"bridge: %s\", or rename one of them",
			  n->o.name, n->o.name);
}

static void check_on_bridge(struct check *c, const struct model_network *n)
{
	if (!any_host_has(c, n->bridge))
		check_bad(c, AT(&n->o, "bridge"),
			  "network %s is on bridge \"%s\", which no host has",
			  n->o.name, n->bridge);
	if (n->mac_table_size != 8192)
		check_bad(c, AT(&n->o, "mac_table_size"),
			  "set mac_table_size on bridge %s", n->bridge);
	if (n->mac_ageing_ms != 300000)
		check_bad(c, AT(&n->o, "mac_ageing"),
			  "set mac_ageing on bridge %s", n->bridge);
	if (!n->multicast_snooping)
		check_bad(c, AT(&n->o, "multicast_snooping"),
			  "set multicast_snooping on bridge %s", n->bridge);
	if (n->vlan)
		check_claim(c, "network", AT(&n->o, "vlan"),
			    "VLAN %u of bridge %s", n->vlan, n->bridge);
	else
		check_claim(c, "network", AT(&n->o, "bridge"),
			    "the untagged part of bridge %s", n->bridge);
}

static void check_subnet(struct check *c, const struct model_network *n,
			 unsigned i)
{
	const struct ip_prefix *p = &n->subnets.items[i];
	struct ip_prefix net = ip_prefix_network(p);
	char text[PREFIX_STR_LEN], right[PREFIX_STR_LEN];

	ip_prefix_format(p, text);
	if (!ip_prefix_equal(p, &net))
		check_bad(c, AT_N(&n->o, "subnets", i),
			  "subnet %s has host bits; write %s", text,
			  ip_prefix_format(&net, right));
	else if (!p->len || !check_is_station(&p->addr))
		check_bad(c, AT_N(&n->o, "subnets", i), "%s cannot be a subnet",
			  text);
	if (p->addr.family == AF_INET6 && n->mtu && n->mtu < 1280)
		check_bad(c, AT(&n->o, "mtu"),
			  "mtu %u is too small for IPv6, which needs 1280",
			  n->mtu);
}

static void check_network_mtu(struct check *c, const struct model_network *n)
{
	for (unsigned i = 0; i < check_n_hosts(c->m) && n->vni && n->mtu; i++) {
		const struct model_host *h = check_host(c->m, i);
		const struct ip_addr *a = &h->underlay.address;
		uint32_t room =
			h->underlay.mtu -
			(a->family == AF_INET ? OVERHEAD_IP4 : OVERHEAD_IP6);

		if (!a->family || n->mtu <= room)
			continue;
		check_bad(c, AT(&n->o, "mtu"),
			  "mtu %u does not fit the underlay%s%s, whose mtu %u "
			  "leaves %u",
			  n->mtu, *h->o.name ? " of " : "", h->o.name,
			  h->underlay.mtu, room);
		return;
	}
}

/* All ranges of addresses, sorted: what overlaps is then side by side or inside
 * a wider one shortly before. */
struct range {
	struct ip_prefix p;
	struct check_place at;
	const char *what; /* "network", "port" */
	const struct model_router *router;
};

static int range_cmp(const void *a, const void *b)
{
	const struct range *x = a, *y = b;
	const struct model_origin *p = &x->at.o->origin;
	const struct model_origin *q = &y->at.o->origin;
	int c;

	if (x->p.addr.family != y->p.addr.family)
		return x->p.addr.family < y->p.addr.family ? -1 : 1;
	c = memcmp(x->p.addr.a.b, y->p.addr.a.b, sizeof(x->p.addr.a.b));
	if (c)
		return c;
	if (x->p.len != y->p.len)
		return x->p.len < y->p.len ? -1 : 1;
	if (p->line != q->line)
		return p->line < q->line ? -1 : 1;
	return x->at.index < y->at.index ? -1 : x->at.index > y->at.index;
}

/* Networks of different routers are worlds apart and may use the same. */
static bool may_overlap(const struct range *a, const struct range *b)
{
	return a->router && b->router && a->router != b->router;
}

static void bad_overlap(struct check *c, const struct range *a,
			const struct range *b)
{
	char x[PREFIX_STR_LEN], y[PREFIX_STR_LEN];

	check_bad(c, b->at, "%s of %s %s overlaps %s of %s %s",
		  ip_prefix_format(&b->p, x), b->what, b->at.o->name,
		  ip_prefix_format(&a->p, y), a->what, a->at.o->name);
}

#define MAX_NESTED 8u /* wider ranges looked back at; deeper is wrong anyway */

static void check_overlaps(struct check *c, struct range *v, unsigned n)
{
	if (n)
		qsort(v, n, sizeof(*v), range_cmp);
	for (unsigned i = 1; i < n; i++) {
		for (unsigned j = i; j > 0 && i - j < MAX_NESTED; j--) {
			if (!ip_prefix_overlap(&v[j - 1].p, &v[i].p) ||
			    may_overlap(&v[j - 1], &v[i]))
				continue;
			bad_overlap(c, &v[j - 1], &v[i]);
			break;
		}
	}
}

static unsigned ranges_of_networks(struct check *c, struct range *out)
{
	const struct model *m = c->m;
	unsigned n = 0;

	for (unsigned i = 0; i < m->networks.n; i++) {
		const struct model_network *net = &m->networks.items[i];
		const struct model_router *r =
			check_network_router(m, net->o.name);

		for (unsigned j = 0; j < net->subnets.n; j++, n++) {
			if (out)
				out[n] = (struct range){
					ip_prefix_network(
						&net->subnets.items[j]),
					AT_N(&net->o, "subnets", j), "network",
					r
				};
		}
	}
	return n;
}

/* The links that tun ports are. */
static unsigned ranges_of_ports(struct check *c, struct range *out)
{
	unsigned n = 0;

	for (unsigned i = 0; i < check_n_hosts(c->m); i++) {
		const struct model_host *h = check_host(c->m, i);

		for (unsigned j = 0; j < h->ports.n; j++) {
			const struct model_port *p = &h->ports.items[j];
			const struct model_prefixes *v = &p->addresses;

			if (p->type != MODEL_PORT_TUN)
				continue;
			for (unsigned k = 0; k < v->n; k++, n++) {
				if (out)
					out[n] = (struct range){
						ip_prefix_network(&v->items[k]),
						AT_N(&p->o, "addresses", k),
						"port",
						model_router(c->m, p->router)
					};
			}
		}
	}
	return n;
}

static void check_ranges(struct check *c)
{
	unsigned nets = ranges_of_networks(c, NULL);
	unsigned ports = ranges_of_ports(c, NULL);
	struct range *all = xcalloc(nets + ports + 1, sizeof(*all));

	ranges_of_networks(c, all);
	ranges_of_ports(c, all + nets);
	check_overlaps(c, all, nets + ports);
	free(all);
}

void check_networks(struct check *c)
{
	for (unsigned i = 0; i < c->m->networks.n; i++) {
		const struct model_network *n = &c->m->networks.items[i];

		if (n->bridge)
			check_on_bridge(c, n);
		else
			check_own_bridge(c, n);
		if (n->vni)
			check_claim(c, "network", AT(&n->o, "vni"), "VNI %u",
				    n->vni);
		check_network_mtu(c, n);
		for (unsigned j = 0; j < n->subnets.n; j++)
			check_subnet(c, n, j);
	}
	check_ranges(c);
}

/* --- routers -------------------------------------------------------------- */

static const struct ip_prefix *subnet_of(const struct model_network *n,
					 const struct ip_prefix *p)
{
	for (unsigned i = 0; i < n->subnets.n; i++) {
		if (n->subnets.items[i].len == p->len &&
		    ip_prefix_contains(&n->subnets.items[i], &p->addr))
			return &n->subnets.items[i];
	}
	return NULL;
}

/* The first and last address of an IPv4 subnet are not for machines. */
static bool is_edge(const struct ip_prefix *p)
{
	uint32_t mask, v;

	if (p->addr.family != AF_INET || p->len >= 31)
		return false;
	mask = UINT32_MAX >> p->len;
	v = ip_addr_ip4(&p->addr) & mask;
	return !v || v == mask;
}

void check_network_address(struct check *c, const struct model_network *n,
			   struct check_place at, const struct ip_prefix *p)
{
	const char *what = at.owner ? "router" : "port";
	char text[PREFIX_STR_LEN], addr[IP_STR_LEN];

	ip_prefix_format(p, text);
	if (n->subnets.n && !subnet_of(n, p))
		check_bad(c, at,
			  "%s is in no subnet of network %s (the prefix length "
			  "must be the subnet's, too)",
			  text, n->o.name);
	else if (is_edge(p) || !check_is_station(&p->addr))
		check_bad(c, at, "%s is not an address for a machine", text);
	else
		check_claim(c, what, at, "address %s in network %s",
			    ip_addr_format(&p->addr, addr), n->o.name);
}

static void check_interface(struct check *c, const struct model_router *r,
			    const struct model_interface *f)
{
	const struct model_network *n = model_network(c->m, f->o.name);
	char *near;

	if (!n) {
		near = check_nearest(f->o.name, &c->m->networks,
				     sizeof(struct model_network));
		check_bad(c, AT(&f->o, NULL),
			  "router %s joins network \"%s\", which is not in the "
			  "file%s",
			  r->o.name, f->o.name, near);
		free(near);
		return;
	}
	if (!f->addresses.n)
		check_bad(c, AT(&f->o, "addresses"),
			  "router %s needs an address in network %s", r->o.name,
			  n->o.name);
	for (unsigned i = 0; i < f->addresses.n; i++) {
		struct check_place at = AT_N(&f->o, "addresses", i);

		at.owner = r->o.name;
		check_network_address(c, n, at, &f->addresses.items[i]);
	}
	if (check_network_router(c->m, n->o.name) != r)
		check_bad(
			c, AT(&f->o, NULL),
			"network %s is joined by router %s already; a network "
			"has one router",
			n->o.name,
			check_network_router(c->m, n->o.name)->o.name);
}

static bool reaches(const struct model_prefixes *v, const struct ip_addr *a)
{
	for (unsigned i = 0; i < v->n; i++) {
		if (ip_prefix_contains(&v->items[i], a))
			return true;
	}
	return false;
}

/* Is `a` next to the router: in a network of it, or across a tun port? */
static bool is_neighbour(const struct check *c, const struct model_router *r,
			 const struct ip_addr *a)
{
	for (unsigned i = 0; i < r->networks.n; i++) {
		if (reaches(&r->networks.items[i].addresses, a))
			return true;
	}
	for (unsigned i = 0; i < check_n_hosts(c->m); i++) {
		const struct model_host *h = check_host(c->m, i);

		for (unsigned j = 0; j < h->ports.n; j++) {
			const struct model_port *p = &h->ports.items[j];

			if (p->router && !strcmp(p->router, r->o.name) &&
			    reaches(&p->addresses, a))
				return true;
		}
	}
	return a->family == AF_INET6 && ip6_addr_is_link_local(a->a);
}

void check_route(struct check *c, const struct model_route *r)
{
	struct ip_prefix net = ip_prefix_network(&r->to);
	char right[PREFIX_STR_LEN];

	if (!ip_prefix_equal(&net, &r->to))
		check_bad(c, AT(&r->o, "to"),
			  "the destination has host bits; write %s",
			  ip_prefix_format(&net, right));
	if (!!r->via.family == r->blackhole)
		check_bad(c, AT(&r->o, NULL),
			  "a route needs either via or blackhole");
	else if (r->via.family && r->via.family != r->to.addr.family)
		check_bad(c, AT(&r->o, "via"),
			  "the next router is not of the destination's "
			  "family");
}

static void check_router_routes(struct check *c, const struct model_router *r)
{
	char text[IP_STR_LEN], to[PREFIX_STR_LEN];
	struct check_place place;

	for (unsigned i = 0; i < r->routes.n; i++) {
		const struct model_route *t = &r->routes.items[i];

		check_route(c, t);
		if (t->via.family && !is_neighbour(c, r, &t->via))
			check_bad(c, AT(&t->o, "via"),
				  "%s is in no network of router %s",
				  ip_addr_format(&t->via, text), r->o.name);
		place = AT(&t->o, "to");
		place.owner = r->o.name;
		check_claim(c, "router", place, "the route to %s of router %s",
			    ip_prefix_format(&t->to, to), r->o.name);
	}
}

void check_routers(struct check *c)
{
	char text[ETH_STR_LEN];

	for (unsigned i = 0; i < c->m->routers.n; i++) {
		const struct model_router *r = &c->m->routers.items[i];

		for (unsigned j = 0; j < r->networks.n; j++)
			check_interface(c, r, &r->networks.items[j]);
		check_router_routes(c, r);
		check_claim(c, "router", AT(&r->o, "mac"), "MAC address %s",
			    eth_addr_format(model_router_mac(r), text));
	}
}
