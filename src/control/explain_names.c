/* SPDX-License-Identifier: Apache-2.0 */
/* From one name or address to another: the packet that would be sent. */
#include <errno.h>

#include "control/explain.h"
#include "packet/headers.h"

#define SOURCE_PORT 40000u
#define TTL 64u

/* --- reading what was asked --- */

static const struct model_port *port_by_name(const struct model_host *h,
					     const char *name)
{
	return model_host_port(h, name);
}

static const struct model_port *port_by_ip(const struct model_host *h,
					   const struct ip_addr *ip)
{
	for (unsigned i = 0; i < h->ports.n; i++) {
		const struct model_port *p = &h->ports.items[i];

		for (unsigned a = 0; a < p->addresses.n; a++)
			if (ip_addr_equal(&p->addresses.items[a].addr, ip))
				return p;
	}
	return NULL;
}

const struct model_port *explain_find_port(const struct model *m,
					   const char *name,
					   const struct ip_addr *ip)
{
	const struct model_port *p =
		ip ? port_by_ip(&m->local, ip) : port_by_name(&m->local, name);

	for (unsigned i = 0; i < m->hosts.n && !p; i++)
		p = ip ? port_by_ip(&m->hosts.items[i], ip) :
			 port_by_name(&m->hosts.items[i], name);
	return p;
}

void endpoint_take_address(struct endpoint *ep, const struct ip_addr *a)
{
	struct ip_addr *to = ip_addr_is_ip4(a) ? &ep->ip4 : &ep->ip6;

	if (!to->family)
		*to = *a;
}

/* "name", "address", "name:80", "10.0.0.1:80", "[fd00::1]:80" */
static int split_port(const char *text, struct endpoint *ep, struct err *e)
{
	const char *start = text, *end = text + strlen(text);
	const char *colon = strrchr(text, ':');
	unsigned long tp;
	char *stop;

	if (*text == '[') {
		start++;
		end = strchr(text, ']');
		if (!end || (end[1] && end[1] != ':'))
			return err_set(e,
				       "\"%s\": an IPv6 address with a port "
				       "is written [ADDRESS]:PORT",
				       text);
		colon = end[1] ? end + 1 : NULL;
	} else if (colon && strchr(text, ':') != colon) {
		colon = NULL; /* a bare IPv6 address */
	} else if (colon) {
		end = colon;
	}
	if ((size_t)(end - start) >= sizeof(ep->name))
		return err_set(e, "\"%s\": too long for a name", text);
	memcpy(ep->name, start, (size_t)(end - start));
	if (!colon)
		return 0;
	tp = strtoul(colon + 1, &stop, 10);
	if (*stop || stop == colon + 1 || tp > 65535)
		return err_set(e, "\"%s\": a port is a number from 0 to 65535",
			       colon + 1);
	ep->has_tp = true;
	ep->tp = (uint16_t)tp;
	return 0;
}

static int read_endpoint(struct control *c, const char *text,
			 struct endpoint *ep, struct err *e)
{
	struct ip_addr ip;

	*ep = (struct endpoint){ 0 };
	if (split_port(text, ep, e))
		return -EINVAL;
	if (!ip_addr_parse(ep->name, &ip)) {
		ep->port = explain_find_port(c->model, NULL, &ip);
		endpoint_take_address(ep, &ip);
		return 0;
	}
	ep->port = explain_find_port(c->model, ep->name, NULL);
	if (!ep->port)
		return err_set(e,
			       "\"%s\" is neither an address nor a port of "
			       "the applied file; weft show ports lists "
			       "them",
			       ep->name);
	for (unsigned i = 0; i < ep->port->addresses.n; i++)
		endpoint_take_address(ep, &ep->port->addresses.items[i].addr);
	return 0;
}

/* --- the packet --- */

static int choose_family(struct question *q, struct err *e)
{
	if (q->from.ip4.family && q->to.ip4.family) {
		q->src = q->from.ip4;
		q->dst = q->to.ip4;
	} else if (q->from.ip6.family && q->to.ip6.family) {
		q->src = q->from.ip6;
		q->dst = q->to.ip6;
	} else {
		return err_set(e,
			       "%s and %s have no addresses of the same "
			       "family that are known here; ask with "
			       "addresses, or say them in the file",
			       q->from.name, q->to.name);
	}
	return 0;
}

/* The port a station is behind, by what was learned of it. */
static const struct snap_port *learned_port(struct question *q,
					    struct eth_addr *mac)
{
	for (unsigned i = 0; i < q->s->n_domains; i++) {
		const struct snap_domain *d = q->s->domains[i];
		struct neigh_found n;
		struct mac_found at;
		struct dep dep;

		if (!d || !d->neigh)
			continue;
		n = neigh_find(d->neigh, &q->src, &dep);
		if (!n.found || !n.usable)
			continue;
		at = mac_table_find(d->bridge->macs, d->vid, n.mac, &dep);
		if (!at.found)
			continue;
		*mac = n.mac;
		q->domain = d;
		return snapshot_port(q->s, at.port);
	}
	return NULL;
}

const struct snap_domain *explain_port_domain(const struct question *q,
					      const struct snap_port *p)
{
	for (unsigned i = 0; i < q->s->n_domains; i++) {
		const struct snap_domain *d = q->s->domains[i];

		for (unsigned m = 0; d && m < d->n_members; m++)
			if (d->members[m].port == p && !d->members[m].tagged)
				return d;
	}
	return NULL;
}

static int find_source(struct question *q, struct err *e)
{
	const struct model_port *p = q->from.port;
	struct real_port *r = p ? real_find(&q->c->real, p->o.name) : NULL;
	uint32_t i = r ? model_view_port(q->c->view, p->o.name) : VIEW_NONE;
	struct eth_addr mac = { { 0 } };

	if (i != VIEW_NONE) {
		q->in = snapshot_port(q->s, r->id);
		mac = q->c->view->ports[i].mac;
		q->domain = q->in ? explain_port_domain(q, q->in) : NULL;
	} else {
		q->in = learned_port(q, &mac);
	}
	if (!q->in && p)
		return err_set(e, "%s is on another host; ask there",
			       q->from.name);
	if (!q->in)
		return err_set(e,
			       "nobody here is known to have the address "
			       "%s; name the port it comes from",
			       q->from.name);
	if (eth_addr_is_zero(mac))
		mac = model_mac("explain", q->from.name);
	q->key.eth_src = mac;
	q->key.in_port = q->in->id;
	return 0;
}

/* The network that the source's domain is of; NULL: a plain bridge. */
static const struct model_network *network_of(const struct question *q)
{
	for (uint32_t i = 0; i < q->c->view->n_domains; i++) {
		const struct model_network *n = q->c->view->domains[i].network;

		if (n && !strcmp(n->o.name, q->domain->name))
			return n;
	}
	return NULL;
}

/* Without any, every station is on the link, as on a plain switch. */
static bool has_subnets(const struct question *q)
{
	const struct model_network *n = network_of(q);

	return n && n->subnets.n;
}

static bool on_link(const struct question *q)
{
	const struct model_network *n = network_of(q);

	for (unsigned s = 0; n && s < n->subnets.n; s++)
		if (ip_prefix_contains(&n->subnets.items[s], &q->dst))
			return true;
	return false;
}

/* What the file says of it, or what weft gives the far end of a veth it makes;
 * zero: not known. */
static struct eth_addr port_mac(const struct question *q,
				const struct model_port *p)
{
	const struct model *m = q->c->model;
	uint32_t i = model_view_port(q->c->view, p->o.name);
	struct eth_addr mac = p->mac;

	if (i != VIEW_NONE && q->c->view->ports[i].port == p)
		return q->c->view->ports[i].mac;
	for (i = 0; i < m->hosts.n && eth_addr_is_zero(mac); i++) {
		const struct model_host *h = &m->hosts.items[i];
		char *full;

		if (model_host_port(h, p->o.name) != p ||
		    p->type != MODEL_PORT_VETH || !p->create)
			continue;
		full = xasprintf("%s/%s", h->o.name, p->o.name);
		mac = model_mac("veth", full);
		free(full);
	}
	return mac;
}

static int station_mac(struct question *q)
{
	struct eth_addr mac = { { 0 } };
	struct neigh_found n = { 0 };
	struct dep dep;

	if (q->domain->neigh)
		n = neigh_find(q->domain->neigh, &q->dst, &dep);
	if (n.found && n.usable)
		mac = n.mac;
	else if (q->to.port)
		mac = port_mac(q, q->to.port);
	if (eth_addr_is_zero(mac))
		mac = model_mac("explain", q->to.name);
	q->key.eth_dst = mac;
	return 0;
}

/* The router itself, at an address of its own in this network. */
static bool is_router(const struct question *q)
{
	const struct snap_iface *i = q->domain->iface;

	for (unsigned n = 0; i && n < i->n_addresses; n++)
		if (ip_addr_equal(&i->addresses[n].addr, &q->dst))
			return true;
	return false;
}

/* Whom the source addresses the frame to: the station on its own network, else
 * the router. */
int explain_next(struct question *q, struct err *e)
{
	if (q->in->kind == SNAP_PORT_ROUTED)
		return 0;
	if (!q->domain)
		return err_set(e,
			       "port %s is in no network where an address "
			       "could be asked for",
			       q->in->name);
	if (!is_router(q) && (on_link(q) || !has_subnets(q)))
		return station_mac(q);
	if (!q->domain->iface)
		return err_set(e,
			       "%s is not on network %s and that network "
			       "has no router; give it one under routers:",
			       q->to.name, q->domain->name);
	q->key.eth_dst = q->domain->iface->router->mac;
	return 0;
}

static void fill_key(struct question *q, const char *proto)
{
	struct flow_key *k = &q->key;
	bool ip6 = !ip_addr_is_ip4(&q->dst);

	k->eth_type = ip6 ? ETH_TYPE_IP6 : ETH_TYPE_IP4;
	if (q->in->kind == SNAP_PORT_ROUTED) {
		k->packet_type = ip6 ? PACKET_TYPE_IP6 : PACKET_TYPE_IP4;
		k->eth_src = (struct eth_addr){ { 0 } };
	}
	k->ip_ttl = TTL;
	if (ip6) {
		k->ip6_src = q->src.a;
		k->ip6_dst = q->dst.a;
	} else {
		k->ip4_src = ip_addr_ip4(&q->src);
		k->ip4_dst = ip_addr_ip4(&q->dst);
	}
	if (!q->to.has_tp) {
		k->ip_proto = ip6 ? IP_PROTO_ICMP6 : IP_PROTO_ICMP;
		k->tp_src = ip6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO_REQUEST;
		return;
	}
	k->ip_proto = !strcmp(proto, "udp") ? IP_PROTO_UDP : IP_PROTO_TCP;
	k->tp_src = SOURCE_PORT;
	k->tp_dst = q->to.tp;
}

int explain_pair(struct question *q, const char *from, const char *to,
		 const char *proto, struct err *e)
{
	if (read_endpoint(q->c, from, &q->from, e) ||
	    read_endpoint(q->c, to, &q->to, e) || choose_family(q, e) ||
	    find_source(q, e) || explain_next(q, e))
		return -EINVAL;
	fill_key(q, proto);
	return 0;
}
