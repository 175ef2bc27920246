/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of the host's kernel and firewall. */
#include <inttypes.h>
#include <stdio.h>

#include "doctor/checks.h"

static char *this_host(void)
{
	return xstrdup("this host");
}

/* --- firewalls ------------------------------------------------------------- */

/* A device of weft in a Linux bridge: its frames pass the kernel's hands. */
static const struct subject_port *port_in_bridge(const struct doctor *d)
{
	for (unsigned i = 0; i < d->s->n_ports; i++) {
		const struct subject_port *p = &d->s->ports[i];
		const struct fact_device *dev =
			*p->device ? fact_device(d->f, p->device) : NULL;
		const struct fact_device *far =
			d->f->far[i].there && !*p->netns ?
				fact_device(d->f, p->far) :
				NULL;

		if ((dev && dev->link.master) || (far && far->link.master))
			return p;
	}
	return NULL;
}

static bool bridges_are_filtered(const struct doctor *d)
{
	return d->f->bridge_nf_ip > 0 || d->f->bridge_nf_ip6 > 0;
}

/* The host forwards between a network of weft and the rest. */
static bool host_forwards(const struct doctor *d)
{
	return doctor_host_takes_part(d) &&
	       (d->f->ip_forward > 0 || d->f->ip6_forward > 0);
}

static void policy_fix(struct doctor_finding *f, const struct nf_chain *c,
		       const char *device)
{
	if (c->legacy || !strcmp(c->chain, "FORWARD"))
		finding_fix(f,
			    "%s -I FORWARD -i %s -j ACCEPT, and the same "
			    "with -o",
			    !strcmp(c->family, "ip6") ? "ip6tables" :
							"iptables",
			    device);
	else
		finding_fix(f,
			    "nft insert rule %s %s %s iifname %s accept, "
			    "and the same with oifname",
			    c->family, c->table, c->chain, device);
}

static const char *host_device(const struct doctor *d)
{
	for (unsigned i = 0; i < d->s->n_ports; i++)
		if (d->s->ports[i].kind == SUBJECT_HOST ||
		    d->s->ports[i].kind == SUBJECT_TUN)
			return d->s->ports[i].device;
	return "DEVICE";
}

void check_forward_policy(struct doctor *d)
{
	const struct subject_port *bridged = port_in_bridge(d);
	bool by_bridge = bridged && bridges_are_filtered(d);

	if (!by_bridge && !host_forwards(d))
		return;
	for (int i = 0; i < d->f->n_forward_drops; i++) {
		const struct nf_chain *c = &d->f->forward_drops[i];

		policy_fix(finding(d,
				   d->f->forward_seen[i] ? DOCTOR_NOTE :
							   DOCTOR_WARNING,
				   this_host(),
				   "the policy of chain %s in table %s %s is "
				   "drop: what %s is thrown away unless a rule "
				   "lets it pass",
				   c->chain, c->family, c->table,
				   by_bridge ? "passes Linux bridges" :
					       "this host forwards"),
			   c, by_bridge ? bridged->device : host_device(d));
	}
}

void check_bridge_netfilter(struct doctor *d)
{
	const struct subject_port *p = port_in_bridge(d);

	if (!p || !bridges_are_filtered(d))
		return;
	finding_fix(finding(d, DOCTOR_WARNING, xasprintf("port %s", p->name),
			    "it is in a Linux bridge, and br_netfilter sends "
			    "what passes bridges through the firewall"),
		    "sysctl -w net.bridge.bridge-nf-call-iptables=0 "
		    "net.bridge.bridge-nf-call-ip6tables=0");
}

/* --- settings -------------------------------------------------------------- */

/* The stricter of "all" and the device's own counts (ip-sysctl.rst): 1 strict,
 * 2 loose, and 2 is the larger. */
static bool is_strict(const struct doctor *d, const struct fact_device *dev)
{
	return MAX(d->f->rp_filter_all, dev->rp_filter) == 1;
}

static void rp_finding(struct doctor *d, const struct fact_device *dev)
{
	if (!dev || !is_strict(d, dev))
		return;
	finding_fix(finding(d, DOCTOR_WARNING,
			    xasprintf("device %s", dev->link.name),
			    "rp_filter is strict there, and the kernel dropped "
			    "%" PRIu64 " packets for their source address",
			    d->f->rp_dropped),
		    "sysctl -w net.ipv4.conf.%s.rp_filter=2", dev->link.name);
}

void check_rp_filter(struct doctor *d)
{
	if (!d->f->rp_dropped)
		return;
	if (d->s->underlay.family)
		rp_finding(d, fact_device_of_address(d->f, &d->s->underlay));
	for (unsigned i = 0; i < d->s->n_ports; i++)
		if (d->s->ports[i].kind == SUBJECT_HOST ||
		    d->s->ports[i].kind == SUBJECT_TUN)
			rp_finding(d, fact_device(d->f, d->s->ports[i].device));
}

static bool forwards(const struct doctor *d, const struct ip_addr *a)
{
	return (ip_addr_is_ip4(a) ? d->f->ip_forward : d->f->ip6_forward) != 0;
}

/* A router's next hop is this host, but this host does not forward. */
void check_ip_forward(struct doctor *d)
{
	char text[IP_STR_LEN];

	for (unsigned i = 0; i < d->s->n_vias; i++) {
		const struct subject_via *v = &d->s->vias[i];

		if (!fact_device_of_address(d->f, &v->address) ||
		    forwards(d, &v->address))
			continue;
		finding_fix(finding(d, DOCTOR_ERROR,
				    xasprintf("router %s", v->router),
				    "it routes by way of %s, which is this "
				    "host, but this host does not forward",
				    ip_addr_format(&v->address, text)),
			    "sysctl -w %s=1",
			    ip_addr_is_ip4(&v->address) ?
				    "net.ipv4.ip_forward" :
				    "net.ipv6.conf.all.forwarding");
	}
}

/* --- addresses of the host -------------------------------------------------- */

static bool is_weft_device(const struct doctor *d, const char *device)
{
	for (unsigned i = 0; i < d->s->n_ports; i++)
		if (!strcmp(d->s->ports[i].device, device) ||
		    (!*d->s->ports[i].netns &&
		     !strcmp(d->s->ports[i].far, device)))
			return true;
	return false;
}

static void overlap_with(struct doctor *d, const struct subject_network *n,
			 const struct ip_prefix *subnet)
{
	char a[PREFIX_STR_LEN], b[PREFIX_STR_LEN];

	for (size_t i = 0; i < d->f->addrs.n; i++) {
		const struct nl_addr *x = &d->f->addrs.v[i];
		const struct fact_device *dev =
			fact_device_by_index(d->f, x->ifindex);

		if (!dev || is_weft_device(d, dev->link.name) ||
		    !ip_prefix_overlap(&x->local, subnet))
			continue;
		finding_fix(finding(d, DOCTOR_WARNING,
				    xasprintf("network %s", n->name),
				    "its subnet %s is also behind this host's "
				    "%s (%s): the host's own packets take one "
				    "of the two ways only",
				    ip_prefix_format(subnet, a), dev->link.name,
				    ip_prefix_format(&x->local, b)),
			    "give the network another subnet");
	}
}

/* It matters where the host is in the network itself. */
void check_overlap(struct doctor *d)
{
	if (!doctor_host_takes_part(d))
		return;
	for (unsigned i = 0; i < d->s->n_networks; i++)
		for (unsigned k = 0; k < d->s->networks[i].n_subnets; k++)
			overlap_with(d, &d->s->networks[i],
				     &d->s->networks[i].subnets[k]);
}

/* --- tables ---------------------------------------------------------------- */

void check_conntrack(struct doctor *d)
{
	long n = d->f->conntrack, max = d->f->conntrack_max;

	if (n < 0 || max <= 0 || n < max - max / 10)
		return;
	finding_fix(finding(d, n >= max ? DOCTOR_ERROR : DOCTOR_WARNING,
			    this_host(),
			    "the kernel tracks %ld connections of at most %ld: "
			    "new ones are dropped when it is full",
			    n, max),
		    "sysctl -w net.netfilter.nf_conntrack_max=%ld", max * 2);
}

/* --- kernel and rights ------------------------------------------------------ */

static const struct {
	unsigned major, minor;
	enum doctor_severity severity;
	const char *lost;
} versions[] = {
	{ 5, 4, DOCTOR_ERROR,
	  "packet sockets and UDP offloads as weft uses them are missing" },
	{ 6, 2, DOCTOR_NOTE,
	  "large UDP packets of guests are cut by weft (no USO in TAP)" },
};

static void check_version(struct doctor *d)
{
	unsigned major, minor;

	if (sscanf(d->f->kernel, "%u.%u", &major, &minor) != 2)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		if (major > versions[i].major ||
		    (major == versions[i].major && minor >= versions[i].minor))
			continue;
		finding_fix(finding(d, versions[i].severity, this_host(),
				    "its kernel is %s: %s", d->f->kernel,
				    versions[i].lost),
			    "a kernel of %u.%u or newer", versions[i].major,
			    versions[i].minor);
		return;
	}
}

static bool wants_tun(const struct doctor *d)
{
	for (unsigned i = 0; i < d->s->n_ports; i++)
		if (d->s->ports[i].kind == SUBJECT_TAP ||
		    d->s->ports[i].kind == SUBJECT_TUN ||
		    d->s->ports[i].kind == SUBJECT_HOST)
			return true;
	return false;
}

void check_kernel(struct doctor *d)
{
	check_version(d);
	if (!d->f->dev_net_tun)
		finding_fix(
			finding(d, wants_tun(d) ? DOCTOR_ERROR : DOCTOR_WARNING,
				this_host(),
				"/dev/net/tun is missing: no tap, tun or "
				"host device can be made"),
			"modprobe tun");
}

/* Ports of kernel devices; without any, weft runs with no privilege on purpose. */
static bool has_devices(const struct doctor *d)
{
	for (unsigned i = 0; i < d->s->n_ports; i++)
		if (d->s->ports[i].kind != SUBJECT_PATCH &&
		    d->s->ports[i].kind != SUBJECT_DUMMY &&
		    d->s->ports[i].kind != SUBJECT_TUNNEL)
			return true;
	return false;
}

/* How much it matters that it is not there. */
static enum doctor_severity severity_of_right(const struct doctor *d,
					      enum priv_cap c)
{
	switch (c) {
	case PRIV_NET_ADMIN:
	case PRIV_NET_RAW:
	case PRIV_SYS_ADMIN:
		return has_devices(d) ? DOCTOR_WARNING : DOCTOR_NOTE;
	case PRIV_BPF:
	case PRIV_NET_BIND:
	case N_PRIVS:
		break;
	}
	return DOCTOR_NOTE;
}

/* An ordinary user's daemon: on purpose, so that it is said once. */
static bool has_no_rights(const struct doctor *d)
{
	for (unsigned i = 0; i < N_PRIVS; i++)
		if (d->f->priv.has[i])
			return false;
	return !has_devices(d);
}

void check_rights(struct doctor *d)
{
	if (has_no_rights(d)) {
		finding_fix(finding(d, DOCTOR_NOTE, xstrdup("weftd"),
				    "it runs without privilege: its ports are "
				    "of type stream, patch and dummy"),
			    "for other ports, start it by systemctl start "
			    "weftd, or as root");
		return;
	}
	for (unsigned i = 0; i < N_PRIVS; i++) {
		enum priv_cap c = (enum priv_cap)i;

		if (!d->f->priv.has[i])
			finding_fix(finding(d, severity_of_right(d, c),
					    xstrdup("weftd"),
					    "it runs without %s: %s",
					    priv_name(c), priv_loss(c)),
				    "start it by systemctl start weftd, or as "
				    "root");
	}
}

void check_kernel_cache(struct doctor *d)
{
	if (d->s->no_kernel_cache && has_devices(d))
		finding_fix(finding(d, DOCTOR_NOTE, xstrdup("weftd"),
				    "every packet passes through it: %s",
				    d->s->no_kernel_cache),
			    "start it by systemctl start weftd, or as root, on "
			    "a kernel with BPF (5.15 or later)");
}
