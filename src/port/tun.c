/* SPDX-License-Identifier: Apache-2.0 */
#include "port/tun.h"

#include "port/devio.h"
#include "port/fdio.h"
#include "port/link.h"
#include "port/made.h"
#include "port/reaper.h"
#include "sys/fail.h"

/* Which of the two it is, `config.side` says for good. */
struct tun_port {
	union {
		struct port port;
		struct devio dev; /* TUN_FOR_PROGRAM */
		struct fdio fd;   /* TUN_FOR_HOST */
	};
	struct tun_config config;
};

static struct tun_port *tun_of(struct port *p)
{
	return container_of(p, struct tun_port, port);
}

/* --- for a program: we are at the device's side --------------------------- */
static int tun_program_attach(struct port *p, struct err *e)
{
	struct tun_port *t = tun_of(p);
	const struct tun_config *c = &t->config;
	struct made_spec m = { .name = p->device,
			       .tun = true,
			       .make = c->make,
			       .queues = c->queues,
			       .has_owner = c->has_owner,
			       .has_group = c->has_group,
			       .owner = c->owner,
			       .group = c->group,
			       .mtu = c->mtu };
	struct devio_spec s = { .made = c->make };
	struct nl_link link;
	int err = made_find(&m, &link, e);

	return err ? err : devio_open(&t->dev, &link, &s, e);
}

static void tun_program_detach(struct port *p, bool keep)
{
	struct tun_port *t = tun_of(p);
	uint32_t ifindex = p->ifindex;

	devio_close(&t->dev, keep);
	if (!keep && t->config.make && ifindex)
		reaper_del(ifindex);
}

/* --- for the host: we hold the descriptor --------------------------------- */
static int tun_host_configure(struct port *p, const struct tun_config *c,
			      struct err *e)
{
	struct nl_link link;
	struct nl *nl;
	int err = nl_open(&nl, NL_CURRENT_NS, e);

	if (err)
		return err;
	if (c->mtu)
		err = nl_link_set_mtu(nl, p->ifindex, c->mtu, e);
	if (!err)
		err = netconf_change(nl, p->ifindex, NULL, &c->netconf, e);
	if (!err)
		err = nl_link_get(nl, p->ifindex, &link, e);
	if (!err)
		port_link_set(p, &link);
	nl_close(nl);
	return err;
}

static int tun_host_attach(struct port *p, struct err *e)
{
	struct tun_port *t = tun_of(p);
	const struct tun_config *c = &t->config;
	struct tuntap_spec s = { .name = p->device,
				 .mode = TUNTAP_EITHER,
				 .tun = true,
				 .vnet_hdr = true,
				 .n_queues = c->queues,
				 .netns_fd = NL_CURRENT_NS,
				 .offload = tuntap_offload_all(0),
				 .persist = true };
	int err = fdio_open(&t->fd, &s, e);

	if (err)
		return err;
	err = tun_host_configure(p, c, e);
	if (err)
		fdio_close(&t->fd, !t->fd.tt.made);
	return err;
}

static void tun_host_detach(struct port *p, bool keep)
{
	fdio_close(&tun_of(p)->fd, keep);
}

/* --- both ------------------------------------------------------------------- */
static void tun_destroy(struct port *p)
{
	struct tun_port *t = tun_of(p);

	p->ops->detach(p, true);
	netconf_fini(&t->config.netconf);
	free(t);
}

static const struct port_ops tun_program_ops = {
	.type = "tun",
	.layer3 = true,
	.attach = tun_program_attach,
	.detach = tun_program_detach,
	.destroy = tun_destroy,
	.rx_fd = devio_rx_fd,
	.rx = devio_rx,
	.tx = devio_tx,
	.mend = devio_mend,
};

static const struct port_ops tun_host_ops = {
	.type = "tun",
	.layer3 = true,
	.attach = tun_host_attach,
	.detach = tun_host_detach,
	.destroy = tun_destroy,
	.rx_fd = fdio_rx_fd,
	.rx = fdio_rx,
	.tx = fdio_tx,
};

struct port *tun_port_create(const char *name, const struct tun_config *c)
{
	struct tun_port *t = xzalloc(sizeof(*t));
	bool program = c->side == TUN_FOR_PROGRAM;

	port_init(&t->port, program ? &tun_program_ops : &tun_host_ops, name);
	port_set_device(&t->port, c->device ? c->device : name);
	if (program)
		t->dev.ring = (struct packet_ring)PACKET_RING_INIT;
	t->config = *c;
	t->config.device = NULL;
	t->config.netconf = netconf_copy(&c->netconf);
	return &t->port;
}
