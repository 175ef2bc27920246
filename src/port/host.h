/* SPDX-License-Identifier: Apache-2.0 */
/* A host port: the bridge's own device in the host, as br0 is.
 *
 * What      a TAP whose descriptor weft holds; the host's stack uses the device
 *           with its addresses, routes and firewall.
 * Why so    the device is persistent: it outlives the daemon with all that the
 *           host put on it, and the next one attaches to it again.
 * Threads   as port.h; several queues when asked. */
#ifndef PORT_HOST_H
#define PORT_HOST_H

#include "port/netconf.h"
#include "port/port.h"

struct host_config {
	const char *device;  /* NULL: named as the port */
	unsigned queues;     /* 0: one */
	struct eth_addr mac; /* zero: as it is */
	uint32_t mtu;        /* 0: as it is */
	struct netconf netconf;
};

struct port *host_port_create(const char *name, const struct host_config *c);
/* Changes MAC, MTU, addresses and routes in place; queues must be as before. */
int host_port_set(struct port *p, const struct host_config *c,
		  struct err *e) MUST_CHECK;

#endif
