/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of stations: addresses that two have, loops, tables. */
#include <inttypes.h>
#include <linux/if_addr.h>
#include <netinet/in.h>

#include "doctor/checks.h"

/* --- MACs ------------------------------------------------------------------ */

/* What a port's station has: as seen at the far end, else as configured. */
static struct eth_addr mac_of(const struct doctor *d, unsigned port)
{
	const struct fact_far *far = &d->f->far[port];

	return far->there ? far->link.mac : d->s->ports[port].mac;
}

static bool share_bridge(const struct subject_port *a,
			 const struct subject_port *b)
{
	return *a->bridge && !strcmp(a->bridge, b->bridge);
}

static void mac_of_two_ports(struct doctor *d, unsigned a, unsigned b)
{
	const struct subject_port *p = &d->s->ports[a], *q = &d->s->ports[b];
	char text[ETH_STR_LEN];

	finding_fix(finding(d, DOCTOR_ERROR, xasprintf("port %s", p->name),
			    "its station and that of port %s both have %s",
			    q->name, eth_addr_format(mac_of(d, a), text)),
		    "give one of them another: weft port set %s mac=...",
		    q->name);
}

/* Quadratic in ports would not do for thousands: sorted by address first. */
struct mac_at {
	uint64_t mac;
	unsigned port;
};

static int by_mac(const void *a, const void *b)
{
	const struct mac_at *x = a, *y = b;

	if (x->mac != y->mac)
		return x->mac < y->mac ? -1 : 1;
	return x->port < y->port ? -1 : x->port > y->port;
}

static void macs_of_ports(struct doctor *d)
{
	struct mac_at *v = xcalloc(d->s->n_ports + 1, sizeof(*v));
	unsigned n = 0;

	for (unsigned i = 0; i < d->s->n_ports; i++)
		if (!eth_addr_is_zero(mac_of(d, i)))
			v[n++] = (struct mac_at){ eth_addr_to_u64(mac_of(d, i)),
						  i };
	qsort(v, n, sizeof(*v), by_mac);
	for (unsigned i = 1; i < n; i++)
		if (v[i].mac == v[i - 1].mac &&
		    share_bridge(&d->s->ports[v[i].port],
				 &d->s->ports[v[i - 1].port]))
			mac_of_two_ports(d, v[i - 1].port, v[i].port);
	free(v);
}

/* A router's MAC as a sender behind a port: somebody took it. */
static void macs_of_routers(struct doctor *d)
{
	char text[ETH_STR_LEN];

	for (unsigned r = 0; r < d->s->n_routers; r++)
		for (unsigned i = 0; i < d->s->n_stations; i++) {
			const struct subject_station *st = &d->s->stations[i];
			const struct subject_router *ro = &d->s->routers[r];

			if (!eth_addr_equal(st->mac, ro->mac))
				continue;
			finding_fix(finding(d, DOCTOR_ERROR,
					    xasprintf("router %s", ro->name),
					    "a station behind port %s sends "
					    "from the router's MAC %s",
					    st->port,
					    eth_addr_format(ro->mac, text)),
				    "give that station another MAC, or the "
				    "router: weft router set %s mac=...",
				    ro->name);
		}
}

/* The host's own cards as senders behind a port: their frames come back. */
static void mac_of_host(struct doctor *d, const struct subject_port *p)
{
	const struct fact_device *dev = fact_device(d->f, p->device);

	for (unsigned i = 0; dev && i < d->s->n_stations; i++) {
		const struct subject_station *st = &d->s->stations[i];

		if (!strcmp(st->port, p->name) ||
		    strcmp(st->bridge, p->bridge) ||
		    !eth_addr_equal(st->mac, dev->link.mac))
			continue;
		finding_fix(finding(d, DOCTOR_ERROR,
				    xasprintf("device %s", p->device),
				    "its own MAC is seen behind port %s: "
				    "another has it too, or frames come back",
				    st->port),
			    "ip link set %s address ..., or look for a loop "
			    "behind port %s",
			    p->device, st->port);
	}
}

static void macs_of_hosts(struct doctor *d)
{
	for (unsigned i = 0; i < d->s->n_ports; i++)
		if (d->s->ports[i].kind == SUBJECT_HOST)
			mac_of_host(d, &d->s->ports[i]);
}

void check_duplicate_mac(struct doctor *d)
{
	macs_of_ports(d);
	macs_of_routers(d);
	macs_of_hosts(d);
	for (unsigned i = 0; i < d->s->n_bridges; i++) {
		const struct subject_bridge *b = &d->s->bridges[i];

		if (b->held)
			finding_fix(finding(d, DOCTOR_WARNING,
					    xasprintf("bridge %s", b->name),
					    "stations jumped between its ports "
					    "%" PRIu64 " times: a loop, or two "
					    "with one MAC",
					    b->held),
				    "weft watch shows which; give one of them "
				    "another MAC");
	}
}

/* --- addresses ------------------------------------------------------------- */

struct addr_at {
	struct ip_addr addr;
	unsigned port;
};

static int by_addr(const void *a, const void *b)
{
	const struct addr_at *x = a, *y = b;
	int c = memcmp(x->addr.a.b, y->addr.a.b, sizeof(x->addr.a.b));

	return c ? c : x->port < y->port ? -1 : x->port > y->port;
}

static bool share_network(const struct subject_port *a,
			  const struct subject_port *b)
{
	return *a->network ? !strcmp(a->network, b->network) :
			     !*b->network && share_bridge(a, b);
}

static void address_of_two(struct doctor *d, const struct addr_at *a,
			   const struct addr_at *b)
{
	const struct subject_port *p = &d->s->ports[a->port];
	const struct subject_port *q = &d->s->ports[b->port];
	char text[IP_STR_LEN], ip[DOCTOR_IP_LEN];

	if (a->port == b->port || !share_network(p, q))
		return;
	finding_fix(finding(d, DOCTOR_ERROR, xasprintf("port %s", p->name),
			    "%s in %s and %s in %s both have %s", p->far,
			    p->netns, q->far, q->netns,
			    ip_addr_format(&a->addr, text)),
		    "%s addr del %s dev %s", doctor_ip(q, ip), text, q->far);
}

/* What stands at far ends now, whoever put it there. */
static void addresses_of_far_ends(struct doctor *d)
{
	struct addr_at *v = NULL;
	size_t n = 0;

	for (unsigned i = 0; i < d->s->n_ports; i++)
		n += d->f->far[i].n_addrs;
	v = xcalloc(n + 1, sizeof(*v));
	n = 0;
	for (unsigned i = 0; i < d->s->n_ports; i++)
		for (size_t k = 0; k < d->f->far[i].n_addrs; k++)
			v[n++] = (struct addr_at){
				d->f->far[i].addrs[k].local.addr, i
			};
	qsort(v, n, sizeof(*v), by_addr);
	for (size_t i = 1; i < n; i++)
		if (ip_addr_equal(&v[i].addr, &v[i - 1].addr))
			address_of_two(d, &v[i - 1], &v[i]);
	free(v);
}

static void refused(struct doctor *d, const struct nl_addr *a,
		    const char *device, const char *ip)
{
	char text[IP_STR_LEN];

	if (!(a->flags & IFA_F_DADFAILED))
		return;
	finding_fix(finding(d, DOCTOR_ERROR, xasprintf("device %s", device),
			    "its address %s is another station's already (the "
			    "kernel found that out and does not use it)",
			    ip_addr_format(&a->local.addr, text)),
		    "%s addr del %s/%u dev %s, then add another", ip, text,
		    a->local.len, device);
}

static void addresses_refused(struct doctor *d)
{
	char ip[DOCTOR_IP_LEN];

	for (size_t i = 0; i < d->f->addrs.n; i++) {
		const struct nl_addr *a = &d->f->addrs.v[i];
		const struct fact_device *dev =
			fact_device_by_index(d->f, a->ifindex);

		if (dev)
			refused(d, a, dev->link.name, "ip");
	}
	for (unsigned i = 0; i < d->s->n_ports; i++)
		for (size_t k = 0; k < d->f->far[i].n_addrs; k++)
			refused(d, &d->f->far[i].addrs[k], d->s->ports[i].far,
				doctor_ip(&d->s->ports[i], ip));
}

void check_duplicate_address(struct doctor *d)
{
	char ip[IP_STR_LEN], mac[ETH_STR_LEN];

	for (unsigned i = 0; i < d->s->n_conflicts; i++) {
		const struct subject_conflict *c = &d->s->conflicts[i];

		finding_fix(finding(d, DOCTOR_ERROR,
				    xasprintf("network %s", c->network),
				    "the station %s claims the router's "
				    "address %s",
				    eth_addr_format(c->mac, mac),
				    ip_addr_format(&c->address, ip)),
			    "give that station another address");
	}
	addresses_of_far_ends(d);
	addresses_refused(d);
}

/* --- loops and tables ------------------------------------------------------ */

static const char *other_of(const struct doctor *d, const char *port)
{
	for (unsigned i = 0; i < d->s->n_loops; i++)
		if (!strcmp(d->s->loops[i].port, port))
			return d->s->loops[i].other;
	return NULL;
}

void check_loop(struct doctor *d)
{
	for (unsigned i = 0; i < d->s->n_ports; i++) {
		const struct subject_port *p = &d->s->ports[i];
		const char *other = other_of(d, p->name);

		if (!p->blocked)
			continue;
		finding_fix(finding(d, DOCTOR_ERROR,
				    xasprintf("port %s", p->name),
				    "it is blocked: it brings back what leaves "
				    "by %s%s",
				    other ? "port " : "another port",
				    other ? other : ""),
			    "take one of the two ways out (weft port del %s); "
			    "it opens by itself when the loop is gone",
			    p->name);
	}
}

void check_mac_table(struct doctor *d)
{
	for (unsigned i = 0; i < d->s->n_bridges; i++) {
		const struct subject_bridge *b = &d->s->bridges[i];

		if (b->macs < b->mac_limit - b->mac_limit / 10)
			continue;
		finding_fix(finding(d, DOCTOR_WARNING,
				    xasprintf("bridge %s", b->name),
				    "its table holds %u of %u stations and "
				    "%" PRIu64 " had to give way: frames to "
				    "them are flooded",
				    b->macs, b->mac_limit, b->evicted),
			    "weft bridge set %s mac_table_size=%u", b->name,
			    b->mac_limit * 2);
	}
	for (unsigned i = 0; i < d->s->n_ports; i++)
		if (d->s->ports[i].drops[DROP_MAC_LIMIT])
			finding_fix(
				finding(d, DOCTOR_WARNING,
					xasprintf("port %s",
						  d->s->ports[i].name),
					"it has as many stations as its "
					"mac_limit allows; %" PRIu64
					" frames of others were dropped",
					d->s->ports[i].drops[DROP_MAC_LIMIT]),
				"weft port set %s mac_limit=...",
				d->s->ports[i].name);
}
