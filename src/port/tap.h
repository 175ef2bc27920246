/* SPDX-License-Identifier: Apache-2.0 */
/* A TAP port: a virtual machine's network interface.
 *
 * What      the machine (QEMU, libvirt, any program) holds the TAP's descriptor;
 *           weft is at the device's side, by packet socket.
 * Why so    so it does not matter who made the device, nor who came first: weft
 *           makes it persistent and the machine opens it by name, or the machine
 *           makes it (vnet3) and weft finds it. The host's own device, where the
 *           descriptor is ours, is another kind: port/host.h.
 * State     DOWN while nobody holds the descriptor (no carrier).
 * Threads   as port.h. */
#ifndef PORT_TAP_H
#define PORT_TAP_H

#include "port/port.h"

struct tap_config {
	const char *device; /* NULL: named as the port */
	bool make;          /* else somebody makes it; -ENODEV until then */
	unsigned queues;    /* when made: > 1 multi-queue, 0 one */
	bool has_owner, has_group; /* who may open it, when made */
	uint32_t owner, group;
	uint32_t mtu; /* 0: as it is */
};

struct port *tap_port_create(const char *name, const struct tap_config *c);

#endif
