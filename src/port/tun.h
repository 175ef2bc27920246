/* SPDX-License-Identifier: Apache-2.0 */
/* A TUN port: layer 3, packets without Ethernet headers, for a router.
 *
 * What      either a program holds the TUN's descriptor and weft is at the
 *           device's side (TUN_FOR_PROGRAM, a packet socket), or weft holds the
 *           descriptor and the host uses the device with addresses and routes of
 *           its own (TUN_FOR_HOST).
 * Why so    the first is a VPN's or a user-space stack's place in a virtual
 *           network, the second is the host as a station of a router.
 * Threads   as port.h. */
#ifndef PORT_TUN_H
#define PORT_TUN_H

#include "port/netconf.h"
#include "port/port.h"

enum tun_side {
	TUN_FOR_PROGRAM,
	TUN_FOR_HOST,
};

struct tun_config {
	enum tun_side side;
	const char *device; /* NULL: named as the port */
	bool make;          /* for a program: else the program makes it */
	unsigned queues;    /* when made: > 1 multi-queue, 0 one */
	bool has_owner, has_group; /* who may open it, when made */
	uint32_t owner, group;
	uint32_t mtu;           /* 0: as it is */
	struct netconf netconf; /* of the device; for the host's side only */
};

struct port *tun_port_create(const char *name, const struct tun_config *c);

#endif
