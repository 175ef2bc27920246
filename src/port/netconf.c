/* SPDX-License-Identifier: Apache-2.0 */
#include "port/netconf.h"

#include <errno.h>

#include "sys/nl_addr.h"
#include "sys/nl_route.h"

static void *netconf_dup(const void *v, size_t size)
{
	return size ? xmemdup(v, size) : NULL;
}

struct netconf netconf_copy(const struct netconf *c)
{
	struct netconf n = *c;

	n.addresses = netconf_dup(c->addresses,
				  c->n_addresses * sizeof(*c->addresses));
	n.routes = netconf_dup(c->routes, c->n_routes * sizeof(*c->routes));
	return n;
}

void netconf_fini(struct netconf *c)
{
	free(c->addresses);
	free(c->routes);
	*c = (struct netconf){ 0 };
}

static bool netconf_route_equal(const struct netconf_route *a,
				const struct netconf_route *b)
{
	return ip_prefix_equal(&a->to, &b->to) &&
	       ip_addr_equal(&a->via, &b->via);
}

static bool netconf_has_address(const struct netconf *c,
				const struct ip_prefix *p)
{
	for (unsigned i = 0; i < c->n_addresses; i++)
		if (ip_prefix_equal(&c->addresses[i], p))
			return true;
	return false;
}

static bool netconf_has_route(const struct netconf *c,
			      const struct netconf_route *r)
{
	for (unsigned i = 0; i < c->n_routes; i++)
		if (netconf_route_equal(&c->routes[i], r))
			return true;
	return false;
}

/* Equal as sets, which is what they are. */
bool netconf_equal(const struct netconf *a, const struct netconf *b)
{
	if (a->n_addresses != b->n_addresses || a->n_routes != b->n_routes ||
	    a->nodad != b->nodad)
		return false;
	for (unsigned i = 0; i < a->n_addresses; i++)
		if (!netconf_has_address(b, &a->addresses[i]))
			return false;
	for (unsigned i = 0; i < a->n_routes; i++)
		if (!netconf_has_route(b, &a->routes[i]))
			return false;
	return true;
}

static int netconf_add_addresses(struct nl *nl, uint32_t ifindex,
				 const struct netconf *to, struct err *e)
{
	for (unsigned i = 0; i < to->n_addresses; i++) {
		struct nl_addr a =
			nl_addr_plain(ifindex, &to->addresses[i], to->nodad);
		int err = nl_addr_put(nl, &a, e);

		if (err && err != -EEXIST)
			return err;
	}
	return 0;
}

static int netconf_put_route(struct nl *nl, uint32_t ifindex,
			     const struct netconf_route *r, struct err *e)
{
	struct nl_route route = nl_route_plain(&r->to, &r->via, ifindex);
	int err = nl_route_put(nl, &route, e);

	nl_route_fini(&route);
	return err;
}

static int netconf_add_routes(struct nl *nl, uint32_t ifindex,
			      const struct netconf *to, struct err *e)
{
	int err = 0;

	for (unsigned i = 0; !err && i < to->n_routes; i++)
		err = netconf_put_route(nl, ifindex, &to->routes[i], e);
	return err;
}

/* --- taking away ------------------------------------------------------------- */
static bool netconf_is_among(const struct nl_addr *a,
			     const struct nl_addr *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ip_prefix_equal(&a->local, &list[i].local))
			return true;
	return false;
}

/* With the first IPv4 address of a subnet the kernel takes all others of it off
 * the device (unless promote_secondaries is set): they are put back. */
static void netconf_put_back(struct nl *nl, uint32_t ifindex,
			     const struct nl_addrs *before,
			     const struct nl_addr *gone, unsigned n)
{
	struct nl_addrs now;

	if (nl_addr_list(nl, ifindex, &now, NULL))
		return;
	for (size_t i = 0; i < before->n; i++)
		if (!netconf_is_among(&before->v[i], gone, n) &&
		    !netconf_is_among(&before->v[i], now.v, now.n))
			(void)!nl_addr_put(nl, &before->v[i], NULL);
	nl_addrs_fini(&now);
}

void netconf_addresses_del(struct nl *nl, uint32_t ifindex,
			   const struct nl_addr *gone, unsigned n)
{
	struct nl_addrs before;

	if (!n || nl_addr_list(nl, ifindex, &before, NULL))
		return;
	for (unsigned i = n; i--;)
		(void)!nl_addr_del(nl, &gone[i], NULL);
	netconf_put_back(nl, ifindex, &before, gone, n);
	nl_addrs_fini(&before);
}

/* What is gone already, by somebody else's hand or with an address, is fine. */
static void netconf_del_routes(struct nl *nl, uint32_t ifindex,
			       const struct netconf *from,
			       const struct netconf *to)
{
	for (unsigned i = 0; i < from->n_routes; i++) {
		struct nl_route r;

		if (netconf_has_route(to, &from->routes[i]))
			continue;
		r = nl_route_plain(&from->routes[i].to, &from->routes[i].via,
				   ifindex);
		(void)!nl_route_del(nl, &r, NULL);
		nl_route_fini(&r);
	}
}

static void netconf_del_addresses(struct nl *nl, uint32_t ifindex,
				  const struct netconf *from,
				  const struct netconf *to)
{
	struct nl_addr *gone = xcalloc(from->n_addresses + 1, sizeof(*gone));
	unsigned n = 0;

	for (unsigned i = 0; i < from->n_addresses; i++)
		if (!netconf_has_address(to, &from->addresses[i]))
			gone[n++] = nl_addr_plain(ifindex, &from->addresses[i],
						  from->nodad);
	netconf_addresses_del(nl, ifindex, gone, n);
	free(gone);
}

int netconf_change(struct nl *nl, uint32_t ifindex, const struct netconf *from,
		   const struct netconf *to, struct err *e)
{
	int err = netconf_add_addresses(nl, ifindex, to, e);

	if (!err)
		err = netconf_add_routes(nl, ifindex, to, e);
	if (err || !from)
		return err;
	netconf_del_routes(nl, ifindex, from, to);
	netconf_del_addresses(nl, ifindex, from, to);
	/* With an address went the routes that named it: what stays is said
	 * once more. */
	return netconf_add_routes(nl, ifindex, to, e);
}
