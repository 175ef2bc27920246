/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of ports and their devices. */
#include <inttypes.h>
#include <net/if.h>
#include <net/if_arp.h>

#include "doctor/checks.h"

static char *port_object(const struct subject_port *p)
{
	return xasprintf("port %s", p->name);
}

static const struct fact_device *device_of(const struct doctor *d,
					   const struct subject_port *p)
{
	return *p->device ? fact_device(d->f, p->device) : NULL;
}

/* --- devices that are not there, or down ----------------------------------- */

static void missing_fix(struct doctor_finding *f, const struct subject_port *p,
			bool device_there)
{
	if (*p->netns && !device_there)
		finding_fix(f,
			    "start what owns the namespace, or: ip netns "
			    "add %s",
			    p->netns);
	else if (p->kind == SUBJECT_NIC)
		finding_fix(f,
			    "ip link show; then put the card's name into "
			    "the file as device: of port %s",
			    p->name);
	else
		finding_fix(f, "weft port del %s, when it is not to come back",
			    p->name);
}

void check_port_missing(struct doctor *d)
{
	for (unsigned i = 0; i < d->s->n_ports; i++) {
		const struct subject_port *p = &d->s->ports[i];

		if (p->attached || !p->missing)
			continue;
		missing_fix(finding(d, DOCTOR_ERROR, port_object(p),
				    "it has no device: %s", p->missing),
			    p, device_of(d, p) != NULL);
	}
}

static void far_down(struct doctor *d, const struct subject_port *p,
		     const struct fact_far *far)
{
	char ip[DOCTOR_IP_LEN];

	if (!far->there)
		finding_fix(finding(d, DOCTOR_ERROR, port_object(p),
				    "its far end %s is not in %s%s", p->far,
				    *p->netns ? "namespace " : "this namespace",
				    p->netns),
			    "weft port del %s and add it again", p->name);
	else if (!(far->link.flags & IFF_UP))
		finding_fix(finding(d, DOCTOR_WARNING, port_object(p),
				    "its far end %s is down", p->far),
			    "%s link set %s up", doctor_ip(p, ip), p->far);
}

void check_port_down(struct doctor *d)
{
	for (unsigned i = 0; i < d->s->n_ports; i++) {
		const struct subject_port *p = &d->s->ports[i];
		const struct fact_device *dev = device_of(d, p);

		if (!p->attached)
			continue;
		if (p->kind == SUBJECT_VETH && *p->far)
			far_down(d, p, &d->f->far[i]);
		if (!dev)
			continue;
		if (!(dev->link.flags & IFF_UP))
			finding_fix(finding(d, DOCTOR_WARNING, port_object(p),
					    "its device %s is down", p->device),
				    "ip link set %s up", p->device);
		else if (p->kind == SUBJECT_NIC && !dev->link.carrier)
			finding_fix(finding(d, DOCTOR_WARNING, port_object(p),
					    "the card %s has no carrier",
					    p->device),
				    "look at the cable and the switch it "
				    "leads to");
	}
}

/* --- MTU ------------------------------------------------------------------ */

static void mtu_finding(struct doctor *d, const struct subject_port *p,
			const char *device, uint32_t mtu)
{
	char buf[DOCTOR_IP_LEN];
	const char *ip = device == p->far ? doctor_ip(p, buf) : "ip";
	struct doctor_finding *f = finding(
		d, DOCTOR_WARNING, port_object(p),
		"%s takes packets of %u bytes, but its network sends up to %u: "
		"small ones pass, large ones do not (%" PRIu64
		" were too big so far)",
		device, mtu, p->mtu, p->drops[DROP_TOO_BIG]);

	if (*p->network)
		finding_fix(f,
			    "weft network set %s mtu=%u, or: %s link set %s "
			    "mtu %u",
			    p->network, mtu, ip, device, p->mtu);
	else
		finding_fix(f, "%s link set %s mtu %u", ip, device, p->mtu);
}

void check_port_mtu(struct doctor *d)
{
	for (unsigned i = 0; i < d->s->n_ports; i++) {
		const struct subject_port *p = &d->s->ports[i];
		const struct fact_device *dev = device_of(d, p);
		const struct fact_far *far = &d->f->far[i];

		if (!p->attached || p->mtu == UINT32_MAX)
			continue;
		if (far->there && far->link.mtu < p->mtu)
			mtu_finding(d, p, p->far, far->link.mtu);
		else if (dev && dev->link.mtu < p->mtu)
			mtu_finding(d, p, p->device, dev->link.mtu);
	}
}

/* --- who else holds the device --------------------------------------------- */

void check_device_master(struct doctor *d)
{
	for (unsigned i = 0; i < d->s->n_ports; i++) {
		const struct subject_port *p = &d->s->ports[i];
		const struct fact_device *dev = device_of(d, p), *master;

		if (!dev || !dev->link.master || p->kind == SUBJECT_HOST)
			continue;
		master = fact_device_by_index(d->f, dev->link.master);
		finding_fix(finding(d, DOCTOR_ERROR, port_object(p),
				    "its device %s is also in the %s %s: every "
				    "frame is taken twice",
				    p->device,
				    master ? master->link.kind : "device",
				    master ? master->link.name : "?"),
			    "ip link set %s nomaster", p->device);
	}
}

static void manager_fix(struct doctor_finding *f, const char *manager,
			const char *device)
{
	if (!strcmp(manager, "NetworkManager"))
		finding_fix(f, "nmcli device set %s managed no", device);
	else
		finding_fix(f,
			    "put [Match] Name=%s and [Link] Unmanaged=yes "
			    "into /etc/systemd/network/00-weft.network, "
			    "then: networkctl reload; and its addresses into "
			    "the file, under `host` of its bridge: nobody else "
			    "brings them at the next start",
			    device);
}

void check_manager(struct doctor *d)
{
	for (unsigned i = 0; i < d->s->n_ports; i++) {
		const struct subject_port *p = &d->s->ports[i];
		const struct fact_device *dev = device_of(d, p);

		if (!dev || !*dev->manager)
			continue;
		manager_fix(finding(d, DOCTOR_WARNING, port_object(p),
				    "%s manages %s, too, and will take away "
				    "what weft sets there",
				    dev->manager, p->device),
			    dev->manager, p->device);
	}
}

/* --- cards that filter ------------------------------------------------------ */

static const struct {
	const char *vendor, *product; /* beginnings of what DMI says */
	const char *fix;
} clouds[] = {
	{ "Amazon EC2", "",
	  "use a routed network with a tunnel instead: EC2 passes only the "
	  "card's own MAC" },
	{ "Google", "Google Compute",
	  "use a routed network with a tunnel instead: Google's network "
	  "passes only the card's own MAC" },
	{ "Microsoft Corporation", "Virtual Machine",
	  "in Hyper-V: Set-VMNetworkAdapter -MacAddressSpoofing On; in Azure "
	  "use a tunnel" },
	{ "VMware, Inc.", "",
	  "on the port group: accept promiscuous mode, forged transmits and "
	  "MAC changes" },
	{ "innotek GmbH", "VirtualBox",
	  "VBoxManage modifyvm NAME --nicpromisc1 allow-all" },
	{ "OpenStack Foundation", "",
	  "openstack port set --disable-port-security PORT" },
};

static void filter_by_host(struct doctor *d, const struct subject_port *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(clouds); i++) {
		if (strncmp(d->f->vendor, clouds[i].vendor,
			    strlen(clouds[i].vendor)) ||
		    strncmp(d->f->product, clouds[i].product,
			    strlen(clouds[i].product)))
			continue;
		finding_fix(finding(d, DOCTOR_WARNING, port_object(p),
				    "this machine is a guest of %s (%s), whose "
				    "cards usually pass no frames of other "
				    "MACs than their own",
				    d->f->vendor, d->f->product),
			    "%s", clouds[i].fix);
	}
}

static bool is_kind(const struct fact_device *dev, const char *kind)
{
	return !strcmp(dev->link.kind, kind);
}

static void filter_by_device(struct doctor *d, const struct subject_port *p,
			     const struct fact_device *dev)
{
	if (dev->wireless)
		finding_fix(finding(d, DOCTOR_ERROR, port_object(p),
				    "%s is a wireless card: access points take "
				    "only frames of its own MAC",
				    p->device),
			    "route instead of bridging: give the network a "
			    "router with a tun port, or use 4addr mode (iw dev "
			    "%s set 4addr on)",
			    p->device);
	else if (is_kind(dev, "macvlan") || is_kind(dev, "ipvlan"))
		finding_fix(finding(d, DOCTOR_ERROR, port_object(p),
				    "%s is a %s device: it gets only frames to "
				    "its own MAC",
				    p->device, dev->link.kind),
			    "give weft the card below it instead");
	else if (dev->link.hw_type != ARPHRD_ETHER)
		finding_fix(finding(d, DOCTOR_ERROR, port_object(p),
				    "%s is no Ethernet device (type %u)",
				    p->device, dev->link.hw_type),
			    "give weft an Ethernet card");
	else if (p->attached && dev->flags != FACT_UNKNOWN &&
		 !(dev->flags & IFF_PROMISC))
		finding_fix(finding(d, DOCTOR_ERROR, port_object(p),
				    "%s is not in promiscuous mode: the card "
				    "throws frames to other stations away",
				    p->device),
			    "ip link set %s promisc on", p->device);
}

void check_mac_filter(struct doctor *d)
{
	for (unsigned i = 0; i < d->s->n_ports; i++) {
		const struct subject_port *p = &d->s->ports[i];
		const struct fact_device *dev = device_of(d, p);

		if (p->kind != SUBJECT_NIC || !dev)
			continue;
		filter_by_device(d, p, dev);
		/* hardware as the guest sees it, not a veth inside of it */
		if (!*dev->link.kind)
			filter_by_host(d, p);
	}
}

/* --- checksums and offloads ------------------------------------------------ */

static void passed_badly(struct doctor *d, const struct subject_port *p,
			 const struct fact_far *far)
{
	const char *ns = *p->netns ? p->netns : "this namespace";

	switch (far->passed) {
	case FRAME_PASS_WHOLE:
		return;
	case FRAME_PASS_LOST:
		finding_fix(finding(d, DOCTOR_WARNING, port_object(p),
				    "a frame sent to it did not come out at %s "
				    "in %s",
				    p->far, ns),
			    "look for tc filters and XDP programs: tc filter "
			    "show dev %s egress; ip -d link show %s",
			    p->device, p->device);
		return;
	case FRAME_PASS_WRONG:
		finding_fix(finding(d, DOCTOR_ERROR, port_object(p),
				    "a frame sent to it comes out at %s in %s "
				    "with a wrong checksum",
				    p->far, ns),
			    "ethtool -K %s tx off", p->device);
		return;
	case FRAME_PASS_CHANGED:
		finding_fix(finding(d, DOCTOR_ERROR, port_object(p),
				    "a frame sent to it comes out at %s in %s "
				    "with other bytes",
				    p->far, ns),
			    "look for tc filters and XDP programs: tc filter "
			    "show dev %s egress; ip -d link show %s",
			    p->device, p->device);
		return;
	}
}

/* Counted by stacks since they began: one in a thousand says that something is
 * wrong, a single one does not. */
#define BAD_MIN 20u

static bool is_much(uint64_t bad, uint64_t of)
{
	return bad >= BAD_MIN && bad > of / 1000;
}

void check_checksum(struct doctor *d)
{
	for (unsigned i = 0; i < d->s->n_ports; i++) {
		const struct subject_port *p = &d->s->ports[i];
		const struct fact_far *far = &d->f->far[i];

		if (far->passed_known)
			passed_badly(d, p, far);
		if (is_much(far->bad_checksums, far->received))
			finding_fix(finding(d, DOCTOR_WARNING, port_object(p),
					    "the stack in namespace %s threw "
					    "away %" PRIu64 " packets with "
					    "wrong checksums",
					    p->netns, far->bad_checksums),
				    "find who sends them: weft capture %s; "
				    "there: ethtool -K DEVICE tx off",
				    p->name);
		if (p->drops[DROP_IP_CSUM] >= BAD_MIN)
			finding_fix(finding(d, DOCTOR_WARNING, port_object(p),
					    "%" PRIu64 " packets came in with "
					    "a wrong IP header checksum",
					    p->drops[DROP_IP_CSUM]),
				    "in the guest: ethtool -K DEVICE tx off");
	}
	if (doctor_host_takes_part(d) &&
	    is_much(d->f->bad_checksums, d->f->received))
		finding_fix(finding(d, DOCTOR_WARNING, xstrdup("this host"),
				    "its stack threw away %" PRIu64
				    " packets with wrong checksums",
				    d->f->bad_checksums),
			    "find who sends them: nstat -az | grep Csum; "
			    "there: ethtool -K DEVICE tx off");
}

static void offload_of_card(struct doctor *d, const struct subject_port *p,
			    const struct fact_device *dev)
{
	const struct ethtool_info *o = &dev->offload;

	if (o->lro)
		finding_fix(
			finding(d, DOCTOR_ERROR, port_object(p),
				"%s merges received packets for good (LRO): "
				"they cannot be forwarded as they were",
				p->device),
			"ethtool -K %s lro off", p->device);
	if (o->tso && !o->tx_csum)
		finding_fix(finding(d, DOCTOR_WARNING, port_object(p),
				    "%s cuts packets itself (TSO) but is told "
				    "not to finish checksums",
				    p->device),
			    "ethtool -K %s tso off, or: tx on", p->device);
}

void check_offload(struct doctor *d)
{
	for (unsigned i = 0; i < d->s->n_ports; i++) {
		const struct subject_port *p = &d->s->ports[i];
		const struct fact_device *dev = device_of(d, p);
		uint64_t lies = p->drops[DROP_MALFORMED];

		if (dev && p->kind == SUBJECT_NIC)
			offload_of_card(d, p, dev);
		if (is_much(lies, p->rx_packets))
			finding_fix(finding(d, DOCTOR_WARNING, port_object(p),
					    "%" PRIu64 " frames came in whose "
					    "headers or offload fields "
					    "contradict each other",
					    lies),
				    "in the guest: ethtool -K DEVICE tso off "
				    "gso off tx off");
	}
}

/* --- queues ---------------------------------------------------------------- */

#define FULL_MIN 100u /* ... and more than one in a thousand */

void check_queue(struct doctor *d)
{
	for (unsigned i = 0; i < d->s->n_ports; i++) {
		const struct subject_port *p = &d->s->ports[i];
		uint64_t rx = p->drops[DROP_RX_FULL];
		uint64_t tx = p->drops[DROP_TX_FULL];

		if (rx >= FULL_MIN && rx > p->rx_packets / 1000)
			finding_fix(finding(d, DOCTOR_WARNING, port_object(p),
					    "%" PRIu64 " frames came faster "
					    "than weft took them",
					    rx),
				    "give weftd more workers (weftd --workers "
				    "N), or limit the port's flood: weft port "
				    "set %s storm.broadcast=1000",
				    p->name);
		if (tx >= FULL_MIN && tx > p->tx_packets / 1000)
			finding_fix(finding(d, DOCTOR_WARNING, port_object(p),
					    "%" PRIu64
					    " frames found its queue "
					    "full: the guest takes them too "
					    "slowly",
					    tx),
				    "give the guest's card more queues or the "
				    "guest more CPU");
	}
}
