/* SPDX-License-Identifier: Apache-2.0 */
/* Devices and namespaces that come and go, told by the kernel, never polled. */
#include <errno.h>
#include <net/if.h>

#include "base/log.h"
#include "base/str.h"
#include "control/internal.h"
#include "port/link.h"

/* Between two looks for what the kernel does not tell of. */
#define LOOK_MS 1000u

static void try_attach(struct control *c, struct real_port *p)
{
	struct err e = ERR_INIT;

	if (real_attach(&c->real, p, &e)) {
		log_warn("port %s: cannot be attached: %s; it is tried again "
			 "when its device changes",
			 p->name, p->missing);
		err_fini(&e);
		return;
	}
	if (!p->attached)
		return;
	events_port(&c->events, p->name, "attached to its device");
	log_info("port %s: attached to %s", p->name, p->port->device);
}

static void let_go(struct control *c, struct real_port *p, const char *why)
{
	log_warn("port %s: %s", p->name, why);
	events_port(&c->events, p->name, why);
	real_detach(&c->real, p, true);
	free(p->missing);
	p->missing = xstrdup(why);
	port_set_state(p->port, PORT_ABSENT);
}

/* Carrier and MTU of what is attached; what waits for a device of this name. */
static void link_changed(struct control *c, struct real_port *p,
			 const struct nl_link *l)
{
	bool was_up = port_get_state(p->port) == PORT_UP;
	uint32_t mtu = p->port->mtu;
	bool up;

	(void)port_link_new(p->port, l);
	up = port_get_state(p->port) == PORT_UP;
	if (up != was_up)
		events_port(&c->events, p->name, up ? "up" : "down");
	/* A worker may have seen before us that it is down. */
	if (mtu != p->port->mtu || up != was_up || !up)
		switch_port_touch(c->sw, p->port);
}

static void link_new(struct control *c, const struct nl_link *l)
{
	struct real_port *p;

	list_for_each(p, &c->real.ports, link) {
		if (p->attached && p->port->ifindex == l->ifindex) {
			link_changed(c, p, l);
		} else if (!p->attached && p->wanted &&
			   !strcmp(p->port->device, l->name)) {
			try_attach(c, p);
		}
	}
}

static void link_del(struct control *c, const struct nl_link *l)
{
	struct real_port *p;
	char *why;

	list_for_each(p, &c->real.ports, link) {
		if (!p->attached || p->port->ifindex != l->ifindex)
			continue;
		why = real_gone_text(p);
		let_go(c, p, why);
		free(why);
	}
}

static void mend(struct control *c, struct real_port *p, bool told)
{
	if (!p->attached || !p->port->ops->mend ||
	    !p->port->ops->mend(p->port, told))
		return;
	log_warn("port %s: somebody took weft's program off %s; it is back "
		 "there (look for what removes tc filters, or qdiscs)",
		 p->name, p->port->device);
	events_port(&c->events, p->name,
		    "its program was taken off, and is back");
}

static void filter_del(struct control *c, uint32_t ifindex)
{
	struct real_port *p;

	list_for_each(p, &c->real.ports, link)
		if (p->port->ifindex == ifindex)
			mend(c, p, true);
}

static void mend_all(struct control *c, bool told)
{
	struct real_port *p;

	list_for_each(p, &c->real.ports, link)
		mend(c, p, told);
}

/* A namespace by path may come by a mount in any folder. */
static void try_paths(struct control *c)
{
	struct real_port *p;

	list_for_each(p, &c->real.ports, link)
		if (!p->attached && p->wanted && p->netns && p->netns[0] == '/')
			try_attach(c, p);
}

/* The kernel tells of no machine that connects to a socket, or leaves. */
static void look_at_streams(struct control *c)
{
	struct real_port *p;
	bool up;

	list_for_each(p, &c->real.ports, link) {
		up = port_get_state(p->port) == PORT_UP;
		if (p->kind == REAL_STREAM && p->was_up != up) {
			events_port(&c->events, p->name, up ? "up" : "down");
			switch_port_touch(c->sw, p->port);
		}
		p->was_up = up;
	}
}

/* Who gives an adopted card an address adds routes to it in the next moments, and
 * would be refused them where the address is gone. */
#define LOOKS_TILL_READOPTED 2u

static void addr_new(struct control *c, uint32_t ifindex)
{
	struct real_port *p;

	list_for_each(p, &c->real.ports, link)
		if (p->adopted && p->attached && p->port->ifindex == ifindex)
			p->readopt_in = LOOKS_TILL_READOPTED;
}

static void readopt(struct control *c)
{
	struct real_port *p;
	struct err e = ERR_INIT;

	list_for_each(p, &c->real.ports, link) {
		if (!p->readopt_in || --p->readopt_in || !p->adopted)
			continue;
		if (real_readopt(&c->real, p, &e))
			log_warn("port %s: what %s was given stays there: %s",
				 p->name, p->port->device, e.text);
		else
			events_port(&c->events, p->name,
				    "was given addresses, which moved");
		err_fini(&e);
	}
}

static void on_look(void *arg)
{
	struct control *c = arg;

	mend_all(c, false);
	try_paths(c);
	readopt(c);
	look_at_streams(c);
	timer_set(&c->look, LOOK_MS);
}

static void on_event(void *arg, const struct nl_event *ev)
{
	struct control *c = arg;

	if (ev->type == NL_EVENT_LINK_NEW)
		link_new(c, ev->link);
	else if (ev->type == NL_EVENT_LINK_DEL)
		link_del(c, ev->link);
	else if (ev->type == NL_EVENT_ADDR_NEW)
		addr_new(c, ev->addr->ifindex);
	else if (ev->type == NL_EVENT_FILTER_DEL)
		filter_del(c, ev->ifindex);
	else if (ev->type == NL_EVENT_RESYNC_END)
		mend_all(c, true);
}

/* A namespace that appears may be what a veth port waits for. */
static void on_netns(void *arg, const char *name, bool present)
{
	struct control *c = arg;
	struct real_port *p;

	if (!present)
		return; /* its devices tell by themselves */
	list_for_each(p, &c->real.ports, link)
		if (!p->attached && p->wanted && p->netns &&
		    !strcmp(p->netns, name))
			try_attach(c, p);
}

/* Others in the namespace may keep it, and the port with it; else its device
 * goes, and the kernel tells. */
static void on_process_ended(void *arg UNUSED, struct real_port *p)
{
	if (!p->attached)
		return;
	log_warn("port %s: process %d, which named its namespace, has ended; "
		 "the port lasts as long as others keep the namespace",
		 p->name, p->process.pid);
}

void control_port_failed(void *arg, uint32_t port, int error)
{
	struct control *c = arg;
	struct real_port *p = real_by_id(&c->real, port);
	char *why;

	if (!p || !p->attached)
		return;
	why = xasprintf("%s; it waits for its device to come back",
			err_name(error));
	let_go(c, p, why);
	free(why);
	/* Down and up again in one breath: it may be back already. */
	try_attach(c, p);
}

void control_watch_processes(struct control *c)
{
	c->real.run = c->config.run;
	c->real.loop = c->config.loop;
	c->real.process_ended = on_process_ended;
	c->real.ctx = c;
}

int control_watch(struct control *c, struct err *e)
{
	int rc = nl_monitor_create(
		&c->monitor, c->config.loop, NL_CURRENT_NS,
		NL_GROUP_LINK | NL_GROUP_ADDR | NL_GROUP_FILTER, e);

	if (rc)
		return rc;
	nl_monitor_listen(c->monitor, on_event, c);
	timer_init(&c->look, c->config.loop, on_look, c);
	timer_set(&c->look, LOOK_MS);
	return netns_watch_create(&c->netns, c->config.loop, on_netns, c, e);
}

void control_unwatch(struct control *c)
{
	if (c->netns)
		netns_watch_destroy(c->netns);
	if (!c->monitor)
		return;
	timer_fini(&c->look);
	nl_monitor_destroy(c->monitor);
}
