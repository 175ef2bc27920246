/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts, bridges and ports: what they refer to, and what they take. */
#include <sys/socket.h>

#include "model/check.h"
#include "model/names.h"
#include "model/schema.h"

/* " on host-a", or nothing in the file's top. */
static char *on_host(const struct model_host *h)
{
	return *h->o.name ? xasprintf(" on %s", h->o.name) : xstrdup("");
}

/* --- underlay ------------------------------------------------------------- */

static void check_underlay(struct check *c, const struct model_host *h,
			   uint16_t *family)
{
	const struct model_underlay *u = &h->underlay;
	struct check_place place = AT(&u->o, "address");
	char text[IP_STR_LEN];

	place.owner = h->o.name;
	if (!u->address.family) {
		if (h->peers.n)
			check_bad(
				c, AT(&h->o, "peers"),
				"peers need an underlay: where do the tunnels "
				"to them start?");
		return;
	}
	ip_addr_format(&u->address, text);
	if (!check_is_station(&u->address))
		check_bad(c, AT(&u->o, "address"),
			  "%s is not an address for a machine", text);
	if (!*family)
		*family = u->address.family;
	else if (*family != u->address.family)
		check_bad(c, AT(&u->o, "address"),
			  "all tunnel ends must be of one family; others are "
			  "%s",
			  *family == AF_INET ? "IPv4" : "IPv6");
	check_claim(c, "host", place, "tunnel end %s port %u", text, u->port);
	for (unsigned i = 0; i < h->peers.n; i++) {
		const struct ip_addr *a = &h->peers.items[i];

		if (a->family != u->address.family || !check_is_station(a) ||
		    ip_addr_equal(a, &u->address))
			check_bad(c, AT_N(&h->o, "peers", i),
				  "%s cannot be a peer of %s",
				  ip_addr_format(a, text), h->o.name);
	}
}

/* --- bridges -------------------------------------------------------------- */

static void check_bridge_host(struct check *c, const struct model_host *h,
			      const struct model_bridge *b)
{
	const struct model_bridge_host *d = b->host;
	char text[PREFIX_STR_LEN], *where = on_host(h);

	if (!schema_is_device(b->o.name))
		check_bad(c, AT(&b->o, NULL),
			  "bridge %s has a host device, which cannot be named "
			  "so: use at most %u letters and digits",
			  b->o.name, MODEL_DEVICE_MAX);
	check_claim(c, "bridge", AT(&b->o, NULL), "device %s%s", b->o.name,
		    where);
	for (unsigned i = 0; i < d->addresses.n; i++) {
		if (!check_is_station(&d->addresses.items[i].addr))
			check_bad(
				c, AT_N(&d->o, "addresses", i),
				"%s is not an address for a machine",
				ip_prefix_format(&d->addresses.items[i], text));
	}
	for (unsigned i = 0; i < d->routes.n; i++)
		check_route(c, &d->routes.items[i]);
	free(where);
}

static const char *port_bridge(const struct check *c,
			       const struct model_port *p)
{
	const struct model_network *n = model_network(c->m, p->network);

	if (p->bridge)
		return p->bridge;
	if (n)
		return n->bridge ? n->bridge : n->o.name;
	return "";
}

/* A port that this host has: its own or one of the file's top. */
static const struct model_port *
host_port(const struct check *c, const struct model_host *h, const char *name)
{
	const struct model_port *p = model_host_port(h, name);

	return p ? p : model_host_port(&c->m->local, name);
}

static void check_static_macs(struct check *c, const struct model_host *h,
			      const struct model_bridge *b)
{
	char text[ETH_STR_LEN];

	for (unsigned i = 0; i < b->static_macs.n; i++) {
		const struct model_static_mac *s = &b->static_macs.items[i];
		const struct model_port *p = host_port(c, h, s->port);
		struct check_place place = AT(&s->o, "mac");

		if (!p || strcmp(port_bridge(c, p), b->o.name))
			check_bad(c, AT(&s->o, "port"),
				  "bridge %s has no port \"%s\"", b->o.name,
				  s->port);
		place.owner = b->o.name;
		check_claim(c, "bridge", place,
			    "static address %s in VLAN %u of bridge %s of %s",
			    eth_addr_format(s->mac, text), s->vlan, b->o.name,
			    *h->o.name ? h->o.name : "this host");
	}
}

/* --- ports ---------------------------------------------------------------- */

static void check_port_devices(struct check *c, const struct model_host *h,
			       const struct model_port *p)
{
	char *where = on_host(h);
	struct names names;

	names_of_port(p, &names);
	if (!*names.near && p->type != MODEL_PORT_PATCH &&
	    p->type != MODEL_PORT_STREAM)
		check_bad(c, AT(&p->o, NULL),
			  "\"%s\" cannot be a device's name (at most %u "
			  "characters): give the port a \"device\"",
			  p->o.name, MODEL_DEVICE_MAX);
	if (*names.near)
		check_claim(
			c, "port",
			AT(&p->o, p->host_device ? "host_device" : "device"),
			"device %s%s", names.near, where);
	if (*names.far && p->ns.kind == MODEL_NETNS_NONE)
		check_claim(c, "port", AT(&p->o, "device"), "device %s%s",
			    names.far, where);
	else if (*names.far && p->ns.kind == MODEL_NETNS_PID)
		check_claim(c, "port", AT(&p->o, "device"),
			    "device %s in the namespace of process %u%s",
			    names.far, p->ns.pid, where);
	else if (*names.far)
		check_claim(c, "port", AT(&p->o, "device"),
			    "device %s in namespace %s%s", names.far,
			    p->ns.text, where);
	free(where);
}

static void check_veth(struct check *c, const struct model_port *p)
{
	bool ns = p->ns.kind != MODEL_NETNS_NONE;

	if (!p->create && ns)
		check_bad(c, AT(&p->o, "namespace"),
			  "with \"create: false\" weft attaches to a device "
			  "that is there; it puts nothing into a namespace");
	if (!p->create && p->host_device)
		check_bad(c, AT(&p->o, "host_device"),
			  "with \"create: false\" name the device by "
			  "\"device\"");
	if (p->create && !ns && !p->device)
		check_bad(c, AT(&p->o, NULL),
			  "port %s needs a \"namespace\" for its far end, or a "
			  "\"device\" to call that end here",
			  p->o.name);
	if (!ns && p->gateway.mode == MODEL_GATEWAY_GIVEN)
		check_bad(c, AT(&p->o, "gateway"),
			  "a gateway is set in a namespace only: this port has "
			  "none");
}

static void check_gateway(struct check *c, const struct model_port *p)
{
	char text[IP_STR_LEN];

	for (unsigned i = 0; i < p->gateway.addrs.n; i++) {
		const struct ip_addr *g = &p->gateway.addrs.items[i];
		bool near =
			g->family == AF_INET6 && ip6_addr_is_link_local(g->a);

		for (unsigned j = 0; j < p->addresses.n; j++)
			near |= ip_prefix_contains(&p->addresses.items[j], g);
		if (!near)
			check_bad(c, AT_N(&p->o, "gateway", i),
				  "%s cannot be reached from the addresses of "
				  "port %s",
				  ip_addr_format(g, text), p->o.name);
	}
}

static void check_patch(struct check *c, const struct model_host *h,
			const struct model_port *p)
{
	const struct model_port *q;

	if (!p->peer) {
		check_bad(c, AT(&p->o, NULL),
			  "patch port %s needs a \"peer\": the patch port at "
			  "the other bridge",
			  p->o.name);
		return;
	}
	q = host_port(c, h, p->peer);
	if (!q || q->type != MODEL_PORT_PATCH)
		check_bad(c, AT(&p->o, "peer"),
			  "there is no patch port \"%s\" on this host",
			  p->peer);
	else if (q == p || !q->peer || strcmp(q->peer, p->o.name))
		check_bad(c, AT(&p->o, "peer"),
			  "port %s must name %s as its peer, too", q->o.name,
			  p->o.name);
	else if (!strcmp(port_bridge(c, p), port_bridge(c, q)))
		check_bad(c, AT(&p->o, "peer"),
			  "both ends of the patch are on bridge %s: a loop",
			  port_bridge(c, p));
}

static void check_tun(struct check *c, const struct model_port *p)
{
	char text[PREFIX_STR_LEN], *near;

	if (!p->router) {
		check_bad(c, AT(&p->o, NULL),
			  "tun port %s needs a \"router\": it carries IP, not "
			  "Ethernet",
			  p->o.name);
		return;
	}
	if (!model_router(c->m, p->router)) {
		near = check_nearest(p->router, &c->m->routers,
				     sizeof(struct model_router));
		check_bad(c, AT(&p->o, "router"),
			  "port %s is on router \"%s\", which is not in the "
			  "file%s",
			  p->o.name, p->router, near);
		free(near);
	}
	if (!p->addresses.n)
		check_bad(c, AT(&p->o, "addresses"),
			  "tun port %s needs \"addresses\": the router's on "
			  "this link",
			  p->o.name);
	for (unsigned i = 0; i < p->addresses.n; i++) {
		if (!check_is_station(&p->addresses.items[i].addr))
			check_bad(
				c, AT_N(&p->o, "addresses", i),
				"%s is not an address for a machine",
				ip_prefix_format(&p->addresses.items[i], text));
	}
}

static void bad_network(struct check *c, const struct model_port *p)
{
	char *near = check_nearest(p->network, &c->m->networks,
				   sizeof(struct model_network));

	check_bad(c, AT(&p->o, "network"),
		  "port %s is on network \"%s\", which is not in the file%s",
		  p->o.name, p->network, near);
	free(near);
}

static void bad_bridge(struct check *c, const struct model_host *h,
		       const struct model_port *p)
{
	const struct model_network *n = model_network(c->m, p->bridge);
	char *near;

	if (n) {
		check_bad(c, AT(&p->o, "bridge"),
			  "\"%s\" is a network: say \"network: %s\"", p->bridge,
			  p->bridge);
		return;
	}
	near = check_nearest(p->bridge, &h->bridges,
			     sizeof(struct model_bridge));
	check_bad(c, AT(&p->o, "bridge"),
		  "port %s is on bridge \"%s\", which %s does not have%s",
		  p->o.name, p->bridge, *h->o.name ? h->o.name : "the file",
		  near);
	free(near);
}

static void check_on_network(struct check *c, const struct model_host *h,
			     const struct model_port *p)
{
	const struct model_network *n = model_network(c->m, p->network);
	char text[ETH_STR_LEN];

	if (!n) {
		bad_network(c, p);
		return;
	}
	if (n->bridge && !check_bridge(c, h, n->bridge))
		check_bad(c, AT(&p->o, "network"),
			  "network %s is on bridge %s, which %s does not have",
			  n->o.name, n->bridge,
			  *h->o.name ? h->o.name : "the file");
	if (p->vlan.mode != MODEL_VLAN_ALL)
		check_bad(c, AT(&p->o, "vlan"),
			  "port %s is on network %s, which says the VLAN; give "
			  "\"bridge\" instead to choose VLANs",
			  p->o.name, n->o.name);
	if (n->mtu && p->mtu > n->mtu)
		check_bad(c, AT(&p->o, "mtu"),
			  "mtu %u is above that of network %s, %u", p->mtu,
			  n->o.name, n->mtu);
	for (unsigned i = 0; i < p->addresses.n; i++)
		check_network_address(c, n, AT_N(&p->o, "addresses", i),
				      &p->addresses.items[i]);
	if (!eth_addr_is_zero(p->mac))
		check_claim(c, "port", AT(&p->o, "mac"),
			    "MAC address %s in network %s",
			    eth_addr_format(p->mac, text), n->o.name);
}

static void check_place_of_port(struct check *c, const struct model_host *h,
				const struct model_port *p)
{
	if (p->type == MODEL_PORT_TUN)
		check_tun(c, p);
	else if (!!p->network == !!p->bridge)
		check_bad(c, AT(&p->o, p->network ? "bridge" : NULL),
			  "port %s needs either \"network\" or \"bridge\"",
			  p->o.name);
	else if (p->network)
		check_on_network(c, h, p);
	else if (!check_bridge(c, h, p->bridge))
		bad_bridge(c, h, p);
}

static void check_adopt(struct check *c, const struct model_host *h,
			const struct model_port *p)
{
	const char *name = port_bridge(c, p);
	const struct model_bridge *b = check_bridge(c, h, name);
	char *where = on_host(h);

	check_claim(c, "port", AT(&p->o, "adopt"),
		    "the host's place on bridge %s%s", name, where);
	if (*name && !schema_is_device(name))
		check_bad(c, AT(&p->o, "adopt"),
			  "the host's device would be called %s, which is no "
			  "device's name (at most %u characters)",
			  name, MODEL_DEVICE_MAX);
	else if (*name && (!b || !b->host))
		check_claim(c, "bridge", AT(&p->o, "adopt"), "device %s%s",
			    name, where);
	free(where);
}

/* sun_path's, with the NUL: unix(7). */
#define STREAM_PATH_MAX 107u

/* Two at one path: QEMU could reach but one of them. */
static void check_stream(struct check *c, const struct model_host *h,
			 const struct model_port *p)
{
	char *where = on_host(h);

	if (p->path && p->path[0] != '/')
		check_bad(c, AT(&p->o, "path"),
			  "the path of port %s must begin with /, since weft "
			  "and QEMU need not run in one folder",
			  p->o.name);
	else if (p->path && strlen(p->path) > STREAM_PATH_MAX)
		check_bad(c, AT(&p->o, "path"),
			  "the path of port %s has more than %u characters, "
			  "which is the most that a socket's may have; choose "
			  "a shorter one",
			  p->o.name, STREAM_PATH_MAX);
	else if (p->path)
		check_claim(c, "port", AT(&p->o, "path"), "socket %s%s",
			    p->path, where);
	free(where);
}

static void check_port(struct check *c, const struct model_host *h,
		       const struct model_port *p)
{
	check_place_of_port(c, h, p);
	check_port_devices(c, h, p);
	switch (p->type) {
	case MODEL_PORT_VETH:
		check_veth(c, p);
		check_gateway(c, p);
		break;
	case MODEL_PORT_PATCH:
		check_patch(c, h, p);
		break;
	case MODEL_PORT_NIC:
		if (p->adopt)
			check_adopt(c, h, p);
		break;
	case MODEL_PORT_STREAM:
		check_stream(c, h, p);
		break;
	case MODEL_PORT_TAP:
	case MODEL_PORT_TUN:
	case MODEL_PORT_DUMMY:
	case N_MODEL_PORT_TYPES:
		break;
	}
}

/* The file's top is part of every host: no name may be in both. */
static void check_shadow(struct check *c, const struct model_host *h)
{
	for (unsigned i = 0; i < c->m->local.ports.n; i++) {
		const struct model_port *p = &c->m->local.ports.items[i];

		if (model_host_port(h, p->o.name))
			check_bad(c, AT(&p->o, NULL),
				  "port %s is also a port of host %s",
				  p->o.name, h->o.name);
	}
	for (unsigned i = 0; i < c->m->local.bridges.n; i++) {
		const struct model_bridge *b = &c->m->local.bridges.items[i];

		if (model_host_bridge(h, b->o.name))
			check_bad(c, AT(&b->o, NULL),
				  "bridge %s is also a bridge of host %s",
				  b->o.name, h->o.name);
	}
	if (c->m->local.underlay.address.family && h->underlay.address.family)
		check_bad(c, AT(&c->m->local.underlay.o, NULL),
			  "host %s has an underlay of its own", h->o.name);
}

/* Two hands on one wheel. */
static void check_programmed(struct check *c, const struct model_bridge *b)
{
	if (b->openflow && b->rules.n)
		check_bad(c, AT(&b->o, "rules"),
			  "bridge %s is programmed by OpenFlow, so it has no "
			  "rules of the file: leave out `rules` or `openflow`",
			  b->o.name);
}

void check_hosts(struct check *c)
{
	uint16_t family = 0;

	for (unsigned i = 0; i < check_n_hosts(c->m); i++) {
		const struct model_host *h = check_host(c->m, i);

		check_underlay(c, h, &family);
		for (unsigned j = 0; j < h->bridges.n; j++) {
			if (h->bridges.items[j].host)
				check_bridge_host(c, h, &h->bridges.items[j]);
			check_programmed(c, &h->bridges.items[j]);
			check_static_macs(c, h, &h->bridges.items[j]);
		}
		for (unsigned j = 0; j < h->ports.n; j++)
			check_port(c, h, &h->ports.items[j]);
		if (i)
			check_shadow(c, h);
	}
}
