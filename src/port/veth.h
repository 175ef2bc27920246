/* SPDX-License-Identifier: Apache-2.0 */
/* A veth port: a container's link.
 *
 * What      a pair of devices: ours here, the far end in a namespace with name,
 *           MAC, MTU, addresses and routes as asked; or an existing device
 *           (of any kind, made by a container engine) attached by name.
 * Why so    attaching says again what should be, whatever is there already: a
 *           pair left by an earlier run is taken over, one whose far end sits in
 *           the wrong namespace is made anew.
 * State     a namespace that is not there (yet, or any more): -ENODEV, with the
 *           sentence that names it. With the namespace both ends go.
 * Threads   as port.h. */
#ifndef PORT_VETH_H
#define PORT_VETH_H

#include "port/netconf.h"
#include "port/port.h"

struct veth_config {
	const char *device; /* our end; NULL: named as the port */
	bool make;          /* else somebody makes it; -ENODEV until then */
	uint32_t mtu;       /* both ends; 0: as it is */
	/* All below: the far end, when made. */
	const char *netns;   /* "NAME", "pid:PID", "/a/path"; NULL: here */
	const char *peer;    /* its name; NULL: "eth0" */
	struct eth_addr mac; /* zero: the kernel's choice */
	struct netconf netconf;
};

struct port *veth_port_create(const char *name, const struct veth_config *c);
/* Changes what the far end is given, in place while attached. Name, namespace
 * and `make` must be as before. */
int veth_port_set(struct port *p, const struct veth_config *c,
		  struct err *e) MUST_CHECK;

#endif
