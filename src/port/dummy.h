/* SPDX-License-Identifier: Apache-2.0 */
/* A dummy port: for tests, and a place where frames end.
 *
 * What      frames are put in by hand and what is sent is kept to look at.
 * Why so    the datapath, the switch and the contract of ports are tested
 *           without a kernel device.
 * Bounded   DUMMY_QUEUE frames each way; beyond, TX_FULL. Sent frames are kept
 *           only when `record` says so.
 * Threads   dummy_* functions: any; a mutex guards the queues. */
#ifndef PORT_DUMMY_H
#define PORT_DUMMY_H

#include "port/port.h"

#define DUMMY_QUEUE 1024u

struct dummy_config {
	bool record;
	bool layer3;
	uint32_t caps; /* enum port_cap */
	uint32_t mtu;  /* 0: 1500 */
	struct eth_addr mac;
};

struct port *dummy_port_create(const char *name, const struct dummy_config *c);

/* What rx will give next: these bytes; with the metadata (offload, tunnel) of
 * `like` when not NULL. False when the queue is full. */
bool dummy_inject(struct port *p, const void *bytes, uint32_t len,
		  const struct packet *like);
/* Frames sent and not yet taken. */
unsigned dummy_sent(struct port *p);
/* The oldest of them, with its metadata, from `pool`; NULL when there is none. */
struct packet *dummy_take(struct port *p, struct packet_pool *pool);
/* What rx and tx do from now on: 0 works, -errno as if the device failed. */
void dummy_fail(struct port *p, int error);

#endif
