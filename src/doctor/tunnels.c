/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of the way to other hosts. */
#include <inttypes.h>
#include <netinet/in.h>

#include "doctor/checks.h"

#define CLOCK_MAX_MS 2000 /* beyond it logs and leases no longer fit */

static bool has_overlay(const struct doctor *d)
{
	return d->s->underlay.family != 0;
}

static char *peer_object(const struct subject_peer *p)
{
	return xasprintf("peer %s", p->name);
}

/* --- this end --------------------------------------------------------------- */

void check_underlay(struct doctor *d)
{
	const struct fact_device *dev;
	char text[IP_STR_LEN];

	if (!has_overlay(d) || !d->f->n_devices)
		return;
	ip_addr_format(&d->s->underlay, text);
	dev = fact_device_of_address(d->f, &d->s->underlay);
	if (!dev)
		finding_fix(finding(d, DOCTOR_ERROR, xstrdup("underlay"),
				    "no device of this host has the address "
				    "%s that its tunnels leave from",
				    text),
			    "ip addr add %s/24 dev ..., or mend underlay: in "
			    "the file",
			    text);
	else if (!nl_link_is_up(&dev->link))
		finding_fix(finding(d, DOCTOR_ERROR, xstrdup("underlay"),
				    "%s, which has the address %s, is down",
				    dev->link.name, text),
			    "ip link set %s up", dev->link.name);
	else if (dev->link.mtu < d->s->underlay_mtu)
		finding_fix(finding(d, DOCTOR_ERROR, xstrdup("underlay"),
				    "%s takes packets of %u bytes, the file "
				    "says the underlay takes %u",
				    dev->link.name, dev->link.mtu,
				    d->s->underlay_mtu),
			    "ip link set %s mtu %u, or underlay: {mtu: %u} in "
			    "the file",
			    dev->link.name, d->s->underlay_mtu, dev->link.mtu);
}

/* --- the others ------------------------------------------------------------- */

static void peer_away(struct doctor *d, const struct subject_peer *p,
		      const struct fact_peer *x)
{
	char text[IP_STR_LEN];

	ip_addr_format(&p->address, text);
	if (x->reach == FACT_NO_ROUTE)
		finding_fix(finding(d, DOCTOR_ERROR, peer_object(p),
				    "this host has no route to %s", text),
			    "ip route get %s; then add the route that is "
			    "missing",
			    text);
	else if (x->reach == FACT_REFUSED)
		finding_fix(finding(d, DOCTOR_ERROR, peer_object(p),
				    "the network says that %s cannot be "
				    "reached",
				    text),
			    "is the host on? ping %s", text);
	else if (x->reach == FACT_SILENT)
		finding_fix(
			finding(d, DOCTOR_ERROR, peer_object(p),
				"%s does not answer pings: the host is off, "
				"its address is another, or a firewall is "
				"between",
				text),
			"ping %s; both ways must be open for UDP %u and "
			"ICMP",
			text, p->udp_port);
}

void check_peer(struct doctor *d)
{
	for (unsigned i = 0; i < d->s->n_peers; i++)
		peer_away(d, &d->s->peers[i], &d->f->peers[i]);
}

void check_tunnel_mtu(struct doctor *d)
{
	for (unsigned i = 0; i < d->s->n_peers; i++) {
		const struct subject_peer *p = &d->s->peers[i];
		const struct fact_peer *x = &d->f->peers[i];
		struct doctor_finding *f;
		uint32_t fits;

		if (x->reach != FACT_ANSWERS || !x->mtu_asked ||
		    x->mtu >= d->s->underlay_mtu)
			continue;
		/* a router's word is exact, what passed is the nearest below */
		fits = MAX(x->mtu, x->told_mtu);
		f = finding(d, DOCTOR_ERROR, peer_object(p),
			    "packets of %u bytes do not get there whole, the "
			    "largest that passed had %u%s: small ones pass, "
			    "large ones vanish",
			    d->s->underlay_mtu, x->mtu,
			    x->told_mtu ? " (a router on the way said so)" :
					  "");
		finding_fix(f,
			    "underlay: {mtu: %u} in the file on every host, or "
			    "raise the MTU on the way",
			    fits);
	}
}

void check_network_number(struct doctor *d)
{
	uint64_t n = doctor_drops(d, DROP_NO_NETWORK);

	if (n)
		finding_fix(finding(d, DOCTOR_ERROR, xstrdup("tunnel"),
				    "%" PRIu64
				    " packets of other hosts carry a "
				    "network number (vni) that no network here "
				    "has",
				    n),
			    "apply the same file on all hosts, or compare: "
			    "weft show networks on each");
}

void check_unknown_peer(struct doctor *d)
{
	uint64_t n = doctor_drops(d, DROP_NOT_A_PEER);

	if (n)
		finding_fix(finding(d, DOCTOR_WARNING, xstrdup("tunnel"),
				    "%" PRIu64
				    " tunnel packets came from hosts "
				    "that are no peers here",
				    n),
			    "weft drops shows the last one; add its host to "
			    "the file, or its address to peers:");
}

static void clock_finding(struct doctor *d, const struct subject_peer *p,
			  const struct fact_peer *x)
{
	int64_t off = x->clock_ms < 0 ? -x->clock_ms : x->clock_ms;

	if (!x->clock_known || off <= CLOCK_MAX_MS + x->rtt_ms)
		return;
	finding_fix(finding(d, DOCTOR_WARNING, peer_object(p),
			    "its clock is %" PRId64 ".%" PRId64
			    " s %s this host's",
			    off / 1000, off % 1000 / 100,
			    x->clock_ms < 0 ? "behind" : "ahead of"),
		    "timedatectl set-ntp true, on both");
}

void check_clock(struct doctor *d)
{
	for (unsigned i = 0; i < d->s->n_peers; i++)
		clock_finding(d, &d->s->peers[i], &d->f->peers[i]);
}

/* --- ports of programs ------------------------------------------------------ */

/* A socket without a process is the kernel's: a device of these kinds. */
static const char *kernel_holder(const struct doctor *d, uint16_t port)
{
	const char *kind = port == 6081 ? "geneve" : "vxlan";

	for (unsigned i = 0; i < d->f->n_devices; i++)
		if (!strcmp(d->f->devices[i].link.kind, kind))
			return d->f->devices[i].link.name;
	return NULL;
}

static void held_by_kernel(struct doctor *d, const struct fact_held *h,
			   enum doctor_severity sev)
{
	const char *device = kernel_holder(d, h->port);

	if (device)
		finding_fix(
			finding(d, sev,
				xasprintf("%s port %u", h->protocol, h->port),
				"the kernel's own tunnel device %s holds "
				"it",
				device),
			"ip link del %s, or another port in the file: "
			"underlay: {port: ...}",
			device);
	else
		finding_fix(
			finding(d, sev,
				xasprintf("%s port %u", h->protocol, h->port),
				"a socket whose program weftd may not see "
				"holds it"),
			"ss -lunpt | grep %u", h->port);
}

static void held_by_program(struct doctor *d, const struct fact_held *h,
			    enum doctor_severity sev)
{
	finding_fix(finding(d, sev,
			    xasprintf("%s port %u", h->protocol, h->port),
			    "the program %s (process %d) holds it", h->by.name,
			    h->by.pid),
		    "stop %s, or another port in the file: underlay: {port: "
		    "...}",
		    h->by.name);
}

/* Who else is there matters where weft wants the port itself. */
static bool tunnel_is_attached(const struct doctor *d)
{
	for (unsigned i = 0; i < d->s->n_ports; i++)
		if (d->s->ports[i].kind == SUBJECT_TUNNEL)
			return d->s->ports[i].attached;
	return false;
}

void check_port_in_use(struct doctor *d)
{
	for (unsigned i = 0; i < d->f->n_held; i++) {
		const struct fact_held *h = &d->f->held[i];
		bool wanted = has_overlay(d) && h->port == d->s->udp_port &&
			      h->protocol[0] == 'u';
		enum doctor_severity sev = wanted ? DOCTOR_ERROR : DOCTOR_NOTE;

		if (h->by.pid == d->f->self)
			continue;
		if (h->by.pid)
			held_by_program(d, h, sev);
		else if (!wanted || !tunnel_is_attached(d))
			held_by_kernel(d, h, sev);
	}
}
