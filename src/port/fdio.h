/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of a TAP or TUN whose descriptors weft holds: rx and tx by read, write.
 *
 * What      what host and tun (device side) have in common.
 * Why so    what the host sends on the device is read here with its offload
 *           state (virtio-net header), and what is written here the host's stack
 *           receives with it.
 * Invariant F1 `port` is the first member.
 *           F2 the same promises about tags and offload fields as devio.h.
 * Threads   open, close: the control thread. rx: one worker a queue. tx: any.
 * Owns      the descriptors. */
#ifndef PORT_FDIO_H
#define PORT_FDIO_H

#include "port/port.h"
#include "sys/tuntap.h"

struct fdio {
	struct port port;
	struct tuntap tt;
	bool attached;
};

/* Makes or attaches to the port's device as `s` says; brings it up. */
int fdio_open(struct fdio *f, const struct tuntap_spec *s,
	      struct err *e) MUST_CHECK;
/* The device goes too, unless `keep`. Harmless when not open. */
void fdio_close(struct fdio *f, bool keep);

/* For port_ops. */
int fdio_rx_fd(struct port *p, unsigned queue);
int fdio_rx(struct port *p, unsigned queue, struct packet_batch *b,
	    struct packet_pool *pool);
void fdio_tx(struct port *p, struct packet_batch *b, struct port_counters *c);

#endif
