/* SPDX-License-Identifier: Apache-2.0 */
#include "port/nic.h"

#include <errno.h>
#include <net/if_arp.h>

#include "port/devio.h"
#include "sys/fail.h"
#include "sys/nl_addr.h"

struct nic_port {
	struct devio dev;
	struct nic_config config;
	uint32_t mtu_before; /* as it was found; 0: not changed */
};

static struct nic_port *nic_of(struct port *p)
{
	return container_of(p, struct nic_port, dev.port);
}

/* Guarding a device that the host lives on would cut the host off. */
static int nic_check_addresses(struct nl *nl, const struct nl_link *l,
			       struct err *e)
{
	struct nl_addrs addrs;
	char text[PREFIX_STR_LEN] = "";
	int err = nl_addr_list(nl, l->ifindex, &addrs, e);

	if (err)
		return err;
	for (size_t i = 0; i < addrs.n && !text[0]; i++)
		if (addrs.v[i].local.addr.family == 2 ||
		    !ip6_addr_is_link_local(addrs.v[i].local.addr.a))
			ip_prefix_format(&addrs.v[i].local, text);
	nl_addrs_fini(&addrs);
	if (!text[0])
		return 0;
	return fail_say(e, EADDRINUSE,
			"%s has the host's address %s, which would be cut "
			"off: adopt the device (adopt: true), or move the "
			"address first",
			l->name, text);
}

static int nic_check(struct nl *nl, const struct nl_link *l, struct err *e)
{
	if (l->hw_type != ARPHRD_ETHER)
		return fail_say(e, EINVAL,
				"%s is not an Ethernet device: it cannot be a "
				"bridge's port",
				l->name);
	if (l->master)
		return fail_say(e, EBUSY,
				"%s belongs to a bridge or bond (device %u): "
				"take it out there first",
				l->name, l->master);
	return nic_check_addresses(nl, l, e);
}

static int nic_prepare(struct nl *nl, struct nic_port *n, struct nl_link *l,
		       struct err *e)
{
	struct nl_link_change c = { .set = NL_LINK_UP,
				    .up = true,
				    .mtu = n->config.mtu };
	int err = nl_link_find(nl, n->dev.port.device, l, e);

	if (!err)
		err = nic_check(nl, l, e);
	if (err)
		return err;
	if (c.mtu && c.mtu != l->mtu) {
		c.set |= NL_LINK_MTU;
		n->mtu_before = l->mtu;
	}
	err = nl_link_set(nl, l->ifindex, &c, e);
	return err ? err : nl_link_get(nl, l->ifindex, l, e);
}

static int nic_attach(struct port *p, struct err *e)
{
	struct devio_spec s = { .promiscuous = true, .busy = true };
	struct nic_port *n = nic_of(p);
	struct nl_link link;
	struct nl *nl;
	int err = nl_open(&nl, NL_CURRENT_NS, e);

	if (err)
		return err;
	err = nic_prepare(nl, n, &link, e);
	nl_close(nl);
	return err ? err : devio_open(&n->dev, &link, &s, e);
}

static void nic_restore_mtu(struct nic_port *n, uint32_t ifindex)
{
	struct nl *nl;

	if (!n->mtu_before || nl_open(&nl, NL_CURRENT_NS, NULL))
		return;
	/* When the device is gone there is nothing to put back. */
	(void)!nl_link_set_mtu(nl, ifindex, n->mtu_before, NULL);
	n->mtu_before = 0;
	nl_close(nl);
}

static void nic_detach(struct port *p, bool keep)
{
	struct nic_port *n = nic_of(p);
	uint32_t ifindex = p->ifindex;

	devio_close(&n->dev, keep);
	if (!keep && ifindex)
		nic_restore_mtu(n, ifindex);
}

static void nic_destroy(struct port *p)
{
	nic_detach(p, true);
	free(nic_of(p));
}

static const struct port_ops nic_ops = {
	.type = "nic",
	.attach = nic_attach,
	.detach = nic_detach,
	.destroy = nic_destroy,
	.rx_fd = devio_rx_fd,
	.rx = devio_rx,
	.tx = devio_tx,
	.mend = devio_mend,
};

struct port *nic_port_create(const char *name, const struct nic_config *c)
{
	struct nic_port *n = xzalloc(sizeof(*n));

	port_init(&n->dev.port, &nic_ops, name);
	port_set_device(&n->dev.port, c->device ? c->device : name);
	n->dev.ring = (struct packet_ring)PACKET_RING_INIT;
	n->config = *c;
	n->config.device = NULL;
	return &n->dev.port;
}
