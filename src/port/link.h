/* SPDX-License-Identifier: Apache-2.0 */
/* Following a port's device as netlink tells of it.
 *
 * What      brings a port's state, MTU and MAC up to date from a struct nl_link,
 *           and says what the caller has to do next.
 * Why so    devices come, go, are renamed and lose their carrier while ports
 *           stay (decision D6); whoever holds the monitor hands every link event
 *           to every port, and only this file knows what it means.
 * Threads   the control thread; workers see `state` at once.
 * Note      the number, not the name, identifies a device while the port is
 *           attached, so renaming it changes nothing. */
#ifndef PORT_LINK_H
#define PORT_LINK_H

#include "port/port.h"
#include "sys/nl_link.h"

enum port_link_next {
	PORT_LINK_NOTHING,
	PORT_LINK_ATTACH, /* the device it waits for is there: attach */
	PORT_LINK_LOST,   /* it is gone: take the port from the datapath, detach
			   * (keep), wait */
};

/* There is such a link now, or it changed. */
enum port_link_next port_link_new(struct port *p, const struct nl_link *link);
/* It is gone, or left for another namespace. */
enum port_link_next port_link_del(struct port *p, const struct nl_link *link);
/* Sets ifindex, state, MTU and MAC from the link; for the kinds' attach. */
void port_link_set(struct port *p, const struct nl_link *link);

#endif
