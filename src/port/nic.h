/* SPDX-License-Identifier: Apache-2.0 */
/* A NIC port: an existing device that leads out of this host.
 *
 * What      all frames of the device, promiscuously; the host's own stack is
 *           kept off it by a guard and back on it when the port detaches.
 * Why so    the host goes on through the bridge's own device (port/host.h), to
 *           which port/adopt.h moves addresses and routes: adopt first, then
 *           attach; detach, then give back.
 * Threads   as port.h. */
#ifndef PORT_NIC_H
#define PORT_NIC_H

#include "port/port.h"

struct nic_config {
	const char *device; /* NULL: named as the port */
	uint32_t mtu;       /* 0: as it is */
};

struct port *nic_port_create(const char *name, const struct nic_config *c);

#endif
