/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/snapshot.h"

const struct snap_domain *snap_bridge_domain(const struct snap_bridge *b,
					     uint16_t vid)
{
	unsigned lo = 0, hi = b->n_domains;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;

		if (b->domains[mid]->vid < vid)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < b->n_domains && b->domains[lo]->vid == vid)
		return b->domains[lo];
	return NULL;
}

const struct snap_port *snap_bridge_of_port(const struct snap_bridge *b,
					    uint32_t of_port)
{
	unsigned lo = 0, hi = b->n_of_ports;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;

		if (b->of_ports[mid]->of_port < of_port)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < b->n_of_ports && b->of_ports[lo]->of_port == of_port)
		return b->of_ports[lo];
	return NULL;
}

const struct snap_port *snapshot_peer(const struct snapshot *s,
				      const struct ip_addr *remote)
{
	uint32_t port = s->peers ? peers_find(s->peers, remote) : 0;

	return port ? snapshot_port(s, port) : NULL;
}

const struct snap_domain *snapshot_vni(const struct snapshot *s, uint32_t vni)
{
	uint32_t id = s->peers ? peers_domain(s->peers, vni) : PEERS_NONE;

	return id == PEERS_NONE ? NULL : snapshot_domain(s, id);
}

bool snap_iface_has(const struct snap_iface *i, const struct ip_addr *a)
{
	for (unsigned n = 0; n < i->n_addresses; n++)
		if (ip_addr_equal(&i->addresses[n].addr, a))
			return true;
	return false;
}

static void domain_free(struct snap_domain *d)
{
	free(d->members);
	free(d->peers);
	free(d);
}

static void bridge_free(struct snap_bridge *b)
{
	free(b->domains);
	free(b->of_ports);
	free(b);
}

static void iface_free(struct snap_iface *i)
{
	free(i->addresses);
	free(i);
}

static void router_free(struct snap_router *r)
{
	route_table_destroy(r->routes);
	free(r->origins);
	free(r);
}

void snapshot_free(struct snapshot *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < s->n_ports; i++)
		free(s->ports[i]);
	for (unsigned i = 0; i < s->n_bridges; i++)
		if (s->bridges[i])
			bridge_free(s->bridges[i]);
	for (unsigned i = 0; i < s->n_domains; i++)
		if (s->domains[i])
			domain_free(s->domains[i]);
	for (unsigned i = 0; i < s->n_routers; i++)
		if (s->routers[i])
			router_free(s->routers[i]);
	for (unsigned i = 0; i < s->n_ifaces; i++)
		if (s->ifaces[i])
			iface_free(s->ifaces[i]);
	free(s->ports);
	free(s->bridges);
	free(s->domains);
	free(s->routers);
	free(s->ifaces);
	peers_destroy(s->peers);
	free(s);
}
