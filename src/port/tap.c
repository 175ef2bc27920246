/* SPDX-License-Identifier: Apache-2.0 */
#include "port/tap.h"

#include "port/devio.h"
#include "port/made.h"
#include "port/reaper.h"
#include "sys/fail.h"

struct tap_port {
	struct devio dev;
	struct tap_config config;
};

static struct tap_port *tap_of(struct port *p)
{
	return container_of(p, struct tap_port, dev.port);
}

static int tap_attach(struct port *p, struct err *e)
{
	struct tap_port *t = tap_of(p);
	const struct tap_config *c = &t->config;
	struct made_spec m = { .name = p->device,
			       .make = c->make,
			       .queues = c->queues,
			       .has_owner = c->has_owner,
			       .has_group = c->has_group,
			       .owner = c->owner,
			       .group = c->group,
			       .mtu = c->mtu };
	struct devio_spec s = { .promiscuous = true, .made = c->make };
	struct nl_link link;
	int err = made_find(&m, &link, e);

	return err ? err : devio_open(&t->dev, &link, &s, e);
}

static void tap_detach(struct port *p, bool keep)
{
	struct tap_port *t = tap_of(p);
	uint32_t ifindex = p->ifindex;

	devio_close(&t->dev, keep);
	if (!keep && t->config.make && ifindex)
		reaper_del(ifindex);
}

static void tap_destroy(struct port *p)
{
	tap_detach(p, true);
	free(tap_of(p));
}

static const struct port_ops tap_ops = {
	.type = "tap",
	.attach = tap_attach,
	.detach = tap_detach,
	.destroy = tap_destroy,
	.rx_fd = devio_rx_fd,
	.rx = devio_rx,
	.tx = devio_tx,
	.mend = devio_mend,
};

struct port *tap_port_create(const char *name, const struct tap_config *c)
{
	struct tap_port *t = xzalloc(sizeof(*t));

	port_init(&t->dev.port, &tap_ops, name);
	port_set_device(&t->dev.port, c->device ? c->device : name);
	t->dev.ring = (struct packet_ring)PACKET_RING_INIT;
	t->config = *c;
	t->config.device = NULL;
	return &t->dev.port;
}
