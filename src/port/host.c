/* SPDX-License-Identifier: Apache-2.0 */
#include "port/host.h"

#include "port/fdio.h"
#include "port/link.h"
#include "sys/guard.h"
#include "sys/fail.h"

struct host_port {
	struct fdio fd;
	struct guard egress;
	struct host_config config;
};

static struct host_port *host_of(struct port *p)
{
	return container_of(p, struct host_port, fd.port);
}

static int host_set_link(struct nl *nl, struct port *p,
			 const struct host_config *c, struct err *e)
{
	struct nl_link_change change = { .mac = c->mac, .mtu = c->mtu };

	if (!eth_addr_is_zero(c->mac))
		change.set |= NL_LINK_MAC;
	if (c->mtu)
		change.set |= NL_LINK_MTU;
	return change.set ? nl_link_set(nl, p->ifindex, &change, e) : 0;
}

/* `from` NULL: nothing is known to be set. */
static int host_configure(struct port *p, const struct host_config *from,
			  const struct host_config *to, struct err *e)
{
	struct nl_link link;
	struct nl *nl;
	int err = nl_open(&nl, NL_CURRENT_NS, e);

	if (err)
		return err;
	err = host_set_link(nl, p, to, e);
	if (!err)
		err = netconf_change(nl, p->ifindex,
				     from ? &from->netconf : NULL, &to->netconf,
				     e);
	if (!err)
		err = nl_link_get(nl, p->ifindex, &link, e);
	if (!err)
		port_link_set(p, &link);
	nl_close(nl);
	return err;
}

static int host_attach(struct port *p, struct err *e)
{
	struct host_port *h = host_of(p);
	struct tuntap_spec s = { .name = p->device,
				 .mode = TUNTAP_EITHER,
				 .vnet_hdr = true,
				 .n_queues = h->config.queues,
				 .netns_fd = NL_CURRENT_NS,
				 .offload = tuntap_offload_all(0),
				 .persist = true };
	int err = fdio_open(&h->fd, &s, e);

	if (err)
		return err;
	err = host_configure(p, NULL, &h->config, e);
	if (err) {
		fdio_close(&h->fd, !h->fd.tt.made);
		return err;
	}
	guard_watch_egress(&h->egress, p->ifindex);
	p->hook = h->egress.kind ? PORT_HOOK_EGRESS : PORT_HOOK_NONE;
	return 0;
}

static void host_detach(struct port *p, bool keep)
{
	if (keep)
		guard_leave(&host_of(p)->egress);
	else
		guard_remove(&host_of(p)->egress);
	p->hook = PORT_HOOK_NONE;
	fdio_close(&host_of(p)->fd, keep);
}

static bool host_mend(struct port *p, bool told)
{
	return guard_mend(&host_of(p)->egress, told);
}

static void host_destroy(struct port *p)
{
	struct host_port *h = host_of(p);

	host_detach(p, true);
	netconf_fini(&h->config.netconf);
	free(h);
}

static const struct port_ops host_ops = {
	.type = "host",
	.attach = host_attach,
	.detach = host_detach,
	.destroy = host_destroy,
	.rx_fd = fdio_rx_fd,
	.rx = fdio_rx,
	.tx = fdio_tx,
	.mend = host_mend,
};

static void host_keep_config(struct host_port *h, const struct host_config *c)
{
	struct netconf n = netconf_copy(&c->netconf);

	netconf_fini(&h->config.netconf);
	h->config = *c;
	h->config.device = NULL;
	h->config.netconf = n;
}

struct port *host_port_create(const char *name, const struct host_config *c)
{
	struct host_port *h = xzalloc(sizeof(*h));

	port_init(&h->fd.port, &host_ops, name);
	port_set_device(&h->fd.port, c->device ? c->device : name);
	host_keep_config(h, c);
	return &h->fd.port;
}

int host_port_set(struct port *p, const struct host_config *c, struct err *e)
{
	struct host_port *h = host_of(p);
	int err = 0;

	must(p->ops == &host_ops);
	if (h->fd.attached)
		err = host_configure(p, &h->config, c, e);
	if (!err)
		host_keep_config(h, c);
	return err;
}
