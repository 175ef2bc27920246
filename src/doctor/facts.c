/* SPDX-License-Identifier: Apache-2.0 */
#include "doctor/facts.h"

#include <stdio.h>
#include <unistd.h>

/* --- settings ------------------------------------------------------------- */

static long number_of(const struct facts_world *w, const char *path)
{
	long v;

	return proc_number(w->root, path, &v) ? FACT_UNKNOWN : v;
}

static void text_of(const struct facts_world *w, const char *path,
		    char out[PROC_NAME_MAX])
{
	struct str s = STR_INIT;

	out[0] = '\0';
	if (!proc_read(w->root, path, &s))
		snprintf(out, PROC_NAME_MAX, "%s", str_text(&s));
	str_fini(&s);
}

static void gather_settings(struct facts *f, const struct facts_world *w)
{
	static const char snmp[] = "/proc/net/snmp";

	text_of(w, "/proc/sys/kernel/osrelease", f->kernel);
	text_of(w, "/sys/class/dmi/id/sys_vendor", f->vendor);
	text_of(w, "/sys/class/dmi/id/product_name", f->product);
	f->ip_forward = number_of(w, "/proc/sys/net/ipv4/ip_forward");
	f->ip6_forward = number_of(w, "/proc/sys/net/ipv6/conf/all/forwarding");
	f->rp_filter_all =
		number_of(w, "/proc/sys/net/ipv4/conf/all/rp_filter");
	f->bridge_nf_ip =
		number_of(w, "/proc/sys/net/bridge/bridge-nf-call-iptables");
	f->bridge_nf_ip6 =
		number_of(w, "/proc/sys/net/bridge/bridge-nf-call-ip6tables");
	f->conntrack =
		number_of(w, "/proc/sys/net/netfilter/nf_conntrack_count");
	f->conntrack_max =
		number_of(w, "/proc/sys/net/netfilter/nf_conntrack_max");
	f->rp_dropped = proc_counter(w->root, "/proc/net/netstat", "TcpExt",
				     "IPReversePathFilter");
	f->bad_checksums = proc_counter(w->root, snmp, "Tcp", "InCsumErrors") +
			   proc_counter(w->root, snmp, "Udp", "InCsumErrors");
	f->received = proc_counter(w->root, snmp, "Tcp", "InSegs") +
		      proc_counter(w->root, snmp, "Udp", "InDatagrams");
	f->dev_net_tun = proc_exists(w->root, "/dev/net/tun");
}

/* --- devices -------------------------------------------------------------- */

/* Who thinks the device is his? Both keep a file a device, by its number. */
static void find_manager(struct fact_device *d, const struct facts_world *w)
{
	char *nm = xasprintf("/run/NetworkManager/devices/%u", d->link.ifindex);
	char *networkd =
		xasprintf("/run/systemd/netif/links/%u", d->link.ifindex);
	char value[PROC_NAME_MAX];

	if (proc_setting(w->root, nm, "managed", value) &&
	    !strcmp(value, "true"))
		snprintf(d->manager, sizeof(d->manager), "NetworkManager");
	else if (proc_setting(w->root, networkd, "ADMIN_STATE", value) &&
		 strcmp(value, "unmanaged"))
		snprintf(d->manager, sizeof(d->manager), "systemd-networkd");
	free(nm);
	free(networkd);
}

static bool sys_has(const struct facts_world *w, const char *device,
		    const char *what)
{
	char *path = xasprintf("/sys/class/net/%s/%s", device, what);
	bool there = proc_exists(w->root, path);

	free(path);
	return there;
}

/* "0x1103" */
static long device_flags(const struct facts_world *w, const char *device)
{
	char *path = xasprintf("/sys/class/net/%s/flags", device), *end;
	char text[PROC_NAME_MAX];
	long v;

	text_of(w, path, text);
	free(path);
	v = strtol(text, &end, 16);
	return end == text ? FACT_UNKNOWN : v;
}

static void gather_device(struct fact_device *d, const struct facts_world *w)
{
	char *path =
		xasprintf("/proc/sys/net/ipv4/conf/%s/rp_filter", d->link.name);

	d->rp_filter = number_of(w, path);
	free(path);
	d->flags = device_flags(w, d->link.name);
	d->wireless = sys_has(w, d->link.name, "phy80211") ||
		      sys_has(w, d->link.name, "wireless");
	if (ethtool_read(d->link.name, &d->offload))
		d->offload = (struct ethtool_info){ 0 };
	find_manager(d, w);
}

static void gather_devices(struct facts *f, const struct facts_world *w)
{
	struct nl_links links = { 0 };
	struct nl *nl;

	if (nl_open(&nl, NL_CURRENT_NS, NULL))
		return;
	if (!nl_link_list(nl, &links, NULL)) {
		f->devices = xcalloc(links.n, sizeof(*f->devices));
		f->n_devices = (unsigned)links.n;
		for (unsigned i = 0; i < f->n_devices; i++) {
			f->devices[i].link = links.v[i];
			gather_device(&f->devices[i], w);
		}
		nl_links_fini(&links);
	}
	if (nl_addr_list(nl, 0, &f->addrs, NULL))
		f->addrs = (struct nl_addrs){ 0 };
	nl_close(nl);
}

const struct fact_device *fact_device(const struct facts *f, const char *device)
{
	for (unsigned i = 0; i < f->n_devices; i++)
		if (!strcmp(f->devices[i].link.name, device))
			return &f->devices[i];
	return NULL;
}

const struct fact_device *fact_device_by_index(const struct facts *f,
					       uint32_t ifindex)
{
	for (unsigned i = 0; i < f->n_devices; i++)
		if (f->devices[i].link.ifindex == ifindex)
			return &f->devices[i];
	return NULL;
}

const struct fact_device *fact_device_of_address(const struct facts *f,
						 const struct ip_addr *a)
{
	for (size_t i = 0; i < f->addrs.n; i++)
		if (ip_addr_equal(&f->addrs.v[i].local.addr, a))
			return fact_device_by_index(f, f->addrs.v[i].ifindex);
	return NULL;
}

/* --- ports of programs ---------------------------------------------------- */

static void ask_holder(struct facts *f, const struct facts_world *w,
		       const char *protocol, uint16_t port)
{
	char *six = xasprintf("%s6", protocol);
	struct fact_held *h;
	struct proc_holder by;

	if (f->n_held < FACT_HELD_MAX &&
	    (proc_port_holder(w->root, protocol, port, &by) ||
	     proc_port_holder(w->root, six, port, &by))) {
		h = &f->held[f->n_held++];
		*h = (struct fact_held){ .port = port,
					 .protocol = protocol,
					 .by = by };
	}
	free(six);
}

static void gather_holders(struct facts *f, const struct subject *s,
			   const struct facts_world *w)
{
	f->self = (int)getpid();
	ask_holder(f, w, "udp", 4789);
	ask_holder(f, w, "udp", 6081);
	ask_holder(f, w, "tcp", 6640);
	ask_holder(f, w, "tcp", 6653);
	if (s->underlay.family && s->udp_port != 4789 && s->udp_port != 6081)
		ask_holder(f, w, "udp", s->udp_port);
}

/* The host's own devices in networks: a handful. */
#define DEVICES_ASKED 16u

static bool names_a_device(const struct nf_chain *c, const struct subject *s)
{
	unsigned asked = 0;

	for (unsigned i = 0; i < s->n_ports && asked < DEVICES_ASKED; i++) {
		if (s->ports[i].kind != SUBJECT_HOST &&
		    s->ports[i].kind != SUBJECT_TUN)
			continue;
		asked++;
		if (nf_chain_names(c, s->ports[i].device))
			return true;
	}
	return false;
}

static void gather_firewalls(struct facts *f, const struct subject *s)
{
	int n = nf_chain_forward_drops(f->forward_drops, NF_CHAINS_MAX);

	f->n_forward_drops = n < 0 ? FACT_UNKNOWN : n;
	for (int i = 0; i < n; i++)
		f->forward_seen[i] = names_a_device(&f->forward_drops[i], s);
}

/* --- all ------------------------------------------------------------------ */

void facts_gather(struct facts *f, const struct subject *s,
		  const struct facts_world *w)
{
	*f = (struct facts){ .n_ports = s->n_ports, .n_peers = s->n_peers };
	f->far = xcalloc(s->n_ports + 1, sizeof(*f->far));
	f->peers = xcalloc(s->n_peers + 1, sizeof(*f->peers));
	gather_settings(f, w);
	gather_devices(f, w);
	priv_probe(&f->priv);
	gather_firewalls(f, s);
	gather_holders(f, s, w);
	facts_look_far(f, s, w);
	facts_ask_peers(f, s, w->seed);
}

void facts_fini(struct facts *f)
{
	for (unsigned i = 0; i < f->n_ports; i++)
		free(f->far[i].addrs);
	free(f->far);
	free(f->peers);
	free(f->devices);
	nl_addrs_fini(&f->addrs);
	*f = (struct facts){ 0 };
}
