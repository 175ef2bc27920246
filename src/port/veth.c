/* SPDX-License-Identifier: Apache-2.0 */
#include "port/veth.h"

#include <errno.h>
#include <stdio.h>

#include "port/devio.h"
#include "port/link.h"
#include "port/reaper.h"
#include "sys/fail.h"
#include "sys/netns.h"

/* The largest GSO frame that the far end makes, bytes. A frame of it fits one
 * UDP_SEGMENT send of a tunnel (65507 bytes) with 1450 bytes of MTU inside, where
 * the kernel's 65536 needs a second send for two segments: 10 % of the stream. */
#define VETH_GSO_MAX 61900u
#define VETH_NEAR_MTU 65535u

struct veth_port {
	struct devio dev;
	struct veth_config config; /* its strings are ours */
};

/* What an attach works with: both namespaces. */
struct veth_work {
	const struct veth_config *c;
	const char *device;
	int ns;        /* the far end's, or NL_CURRENT_NS */
	struct nl *nl; /* ours */
	struct nl *far_nl;
	struct nl_link near, far;
};

static struct veth_port *veth_of(struct port *p)
{
	return container_of(p, struct veth_port, dev.port);
}

static const char *veth_peer(const struct veth_config *c)
{
	return c->peer ? c->peer : "eth0";
}

/* --- the work's namespaces ------------------------------------------------- */
static void veth_work_close(struct veth_work *w)
{
	nl_close(w->far_nl);
	nl_close(w->nl);
	if (w->ns >= 0)
		netns_close(w->ns);
}

static int veth_work_open(struct veth_work *w, const struct veth_port *v,
			  struct err *e)
{
	int err;

	*w = (struct veth_work){ .c = &v->config,
				 .device = v->dev.port.device,
				 .ns = NL_CURRENT_NS };
	if (w->c->make && w->c->netns) {
		w->ns = netns_open(w->c->netns, e);
		if (w->ns < 0)
			return w->ns == -ENOENT ? -ENODEV : w->ns;
	}
	err = nl_open(&w->nl, NL_CURRENT_NS, e);
	if (!err)
		err = nl_open(&w->far_nl, w->ns, e);
	if (err)
		veth_work_close(w);
	return err;
}

/* --- the pair ---------------------------------------------------------------- */
/* Is the near end's peer in the far namespace? Sets w->far then. */
static bool veth_peer_is_there(struct veth_work *w)
{
	int32_t nsid = NL_NO_NSID;

	if (w->ns >= 0 && nl_nsid_of(w->nl, w->ns, &nsid, NULL))
		return false;
	if (w->near.link_nsid != nsid ||
	    nl_link_get(w->far_nl, w->near.link, &w->far, NULL))
		return false;
	return !strcmp(w->far.kind, "veth") && w->far.link == w->near.ifindex;
}

static int veth_make(struct veth_work *w, struct err *e)
{
	struct nl_link_change near = { .set = NL_LINK_NAME |
					      NL_LINK_ADDRGEN_NONE };
	struct nl_link_change far = { .set = NL_LINK_NAME |
					     NL_LINK_GSO_MAX_SIZE,
				      .gso_max_size = VETH_GSO_MAX,
				      .mac = w->c->mac,
				      .netns_fd = w->ns };
	int err;

	snprintf(near.name, sizeof(near.name), "%s", w->device);
	snprintf(far.name, sizeof(far.name), "%s", veth_peer(w->c));
	if (w->ns >= 0)
		far.set |= NL_LINK_NETNS;
	if (!eth_addr_is_zero(w->c->mac))
		far.set |= NL_LINK_MAC;
	err = nl_link_add_veth(w->nl, &near, &far, e);
	if (err == -EEXIST && e)
		err_wrap(e, "%s in namespace %s", veth_peer(w->c),
			 w->c->netns ? w->c->netns : "of the daemon");
	if (!err)
		err = nl_link_find(w->nl, w->device, &w->near, e);
	if (!err)
		err = nl_link_find(w->far_nl, veth_peer(w->c), &w->far, e);
	return err;
}

/* Takes over the pair that is there, or makes one. */
static int veth_find_or_make(struct veth_work *w, struct err *e)
{
	int err = nl_link_find(w->nl, w->device, &w->near, NULL);

	if (err == -ENODEV)
		return veth_make(w, e);
	if (err)
		return fail_errno(e, err, "cannot look up device %s",
				  w->device);
	if (strcmp(w->near.kind, "veth"))
		return fail_say(e, EEXIST,
				"there is a device %s already, and it is no "
				"veth: choose another name",
				w->device);
	if (veth_peer_is_there(w))
		return 0;
	/* Left from an earlier life, its far end in a namespace that is not the
	 * one asked for. */
	err = nl_link_del(w->nl, w->near.ifindex, e);
	return err ? err : veth_make(w, e);
}

/* --- the far end ------------------------------------------------------------- */
/* A device that is up is not renamed on every kernel. */
static int veth_rename_far(struct veth_work *w, struct err *e)
{
	int err;

	if (!strcmp(w->far.name, veth_peer(w->c)))
		return 0;
	err = nl_link_set_up(w->far_nl, w->far.ifindex, false, e);
	if (err)
		return err;
	return nl_link_set_name(w->far_nl, w->far.ifindex, veth_peer(w->c), e);
}

static int veth_set_far(struct veth_work *w, struct err *e)
{
	struct nl_link_change c = { .set = NL_LINK_UP,
				    .up = true,
				    .mac = w->c->mac,
				    .mtu = w->c->mtu };
	struct nl_link lo;
	int err = veth_rename_far(w, e);

	if (err)
		return err;
	/* An address that is set again, even the same, costs the far end its
	 * neighbours: after a restart it would be silent for a second. */
	if (!eth_addr_is_zero(c.mac) && !eth_addr_equal(c.mac, w->far.mac))
		c.set |= NL_LINK_MAC;
	if (c.mtu && c.mtu != w->far.mtu)
		c.set |= NL_LINK_MTU;
	err = nl_link_set(w->far_nl, w->far.ifindex, &c, e);
	/* A namespace without loopback surprises everybody in it. */
	if (!err && w->ns >= 0 && !nl_link_find(w->far_nl, "lo", &lo, NULL))
		err = nl_link_set_up(w->far_nl, lo.ifindex, true, e);
	return err;
}

/* Our end of a pair takes any frame: what is larger than the network's MTU has to
 * reach the pipeline, which tells its sender so; the kernel would drop it without
 * a word. The port's own MTU stays what was asked for. */
static int veth_set_near(struct veth_work *w, struct err *e)
{
	struct nl_link_change c = { .set = NL_LINK_UP,
				    .up = true,
				    .mtu = w->c->make ? VETH_NEAR_MTU :
							w->c->mtu };
	int err;

	if (c.mtu)
		c.set |= NL_LINK_MTU;
	if (w->c->make)
		c.set |= NL_LINK_ADDRGEN_NONE;
	err = nl_link_set(w->nl, w->near.ifindex, &c, e);
	if (!err)
		err = nl_link_get(w->nl, w->near.ifindex, &w->near, e);
	if (!err && w->c->make && w->c->mtu)
		w->near.mtu = w->c->mtu;
	return err;
}

/* `from`: what the far end was given before, or NULL. */
static int veth_configure(struct veth_work *w, const struct netconf *from,
			  struct err *e)
{
	int err = veth_set_far(w, e);

	/* Routes need the link up, which takes both ends. */
	if (!err)
		err = veth_set_near(w, e);
	if (!err)
		err = netconf_change(w->far_nl, w->far.ifindex, from,
				     &w->c->netconf, e);
	return err;
}

/* Named, and not our own by another name. */
static bool is_elsewhere(int ns)
{
	int own;
	bool same;

	if (ns == NL_CURRENT_NS)
		return false;
	own = netns_open_self(NULL);
	same = own < 0 || netns_is_same(ns, own);
	netns_close(own);
	return !same;
}

/* --- port_ops ------------------------------------------------------------------ */
static int veth_attach(struct port *p, struct err *e)
{
	struct veth_port *v = veth_of(p);
	struct devio_spec s = { .promiscuous = true, .made = v->config.make };
	struct veth_work w;
	int err;

	reaper_settle();
	err = veth_work_open(&w, v, e);
	if (err)
		return err;
	if (v->config.make) {
		err = veth_find_or_make(&w, e);
		if (!err)
			err = veth_configure(&w, NULL, e);
	} else {
		err = nl_link_find(w.nl, p->device, &w.near, e);
		if (!err)
			err = veth_set_near(&w, e);
	}
	if (!err)
		err = devio_open(&v->dev, &w.near, &s, e);
	p->far_elsewhere = is_elsewhere(w.ns);
	veth_work_close(&w);
	return err;
}

static void veth_detach(struct port *p, bool keep)
{
	struct veth_port *v = veth_of(p);
	uint32_t ifindex = p->ifindex;

	devio_close(&v->dev, keep);
	if (!keep && v->config.make && ifindex)
		reaper_del(ifindex);
}

static void veth_forget_config(struct veth_config *c)
{
	free((char *)c->netns);
	free((char *)c->peer);
	netconf_fini(&c->netconf);
}

static void veth_keep_config(struct veth_port *v, const struct veth_config *c)
{
	v->config = *c;
	v->config.device = NULL;
	v->config.netns = c->netns ? xstrdup(c->netns) : NULL;
	v->config.peer = c->peer ? xstrdup(c->peer) : NULL;
	v->config.netconf = netconf_copy(&c->netconf);
}

static void veth_destroy(struct port *p)
{
	struct veth_port *v = veth_of(p);

	veth_detach(p, true);
	veth_forget_config(&v->config);
	free(v);
}

static const struct port_ops veth_ops = {
	.type = "veth",
	.attach = veth_attach,
	.detach = veth_detach,
	.destroy = veth_destroy,
	.rx_fd = devio_rx_fd,
	.rx = devio_rx,
	.tx = devio_tx,
	.mend = devio_mend,
};

struct port *veth_port_create(const char *name, const struct veth_config *c)
{
	struct veth_port *v = xzalloc(sizeof(*v));

	port_init(&v->dev.port, &veth_ops, name);
	port_set_device(&v->dev.port, c->device ? c->device : name);
	v->dev.ring = (struct packet_ring)PACKET_RING_INIT;
	veth_keep_config(v, c);
	return &v->dev.port;
}

/* --- changing an attached pair --------------------------------------------------- */
static int veth_change(struct veth_port *v, const struct netconf *from,
		       struct err *e)
{
	struct veth_work w;
	int err = veth_work_open(&w, v, e);

	if (err)
		return err;
	err = nl_link_get(w.nl, v->dev.port.ifindex, &w.near, e);
	if (!err && v->config.make && !veth_peer_is_there(&w))
		err = fail_say(e, ENODEV, "the far end of %s is gone",
			       v->dev.port.device);
	if (!err)
		err = v->config.make ? veth_configure(&w, from, e) :
				       veth_set_near(&w, e);
	if (!err)
		port_link_set(&v->dev.port, &w.near);
	veth_work_close(&w);
	return err;
}

int veth_port_set(struct port *p, const struct veth_config *c, struct err *e)
{
	struct veth_port *v = veth_of(p);
	struct veth_config before = v->config;
	int err = 0;

	must(p->ops == &veth_ops);
	veth_keep_config(v, c);
	if (v->dev.attached)
		err = veth_change(v, &before.netconf, e);
	if (err) {
		veth_forget_config(&v->config);
		v->config = before;
	} else {
		veth_forget_config(&before);
	}
	return err;
}
