/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of a device whose other side others hold: a packet socket's rx and tx.
 *
 * What      what tap, veth, nic and tun (program side) have in common: the ring,
 *           the guard that keeps the host's stack out, rx and tx of port_ops.
 * Why so    small frames lie in a ring shared with the kernel: no system call,
 *           no allocation; large ones (GSO) are read by one call straight into
 *           the packet's buffer, so nothing is copied twice by us. Measured on
 *           two cores between two veths: 0.71 million frames of 60 bytes a
 *           second, where recvmmsg makes 0.48; streams are the same.
 * Invariant V1 `port` is the first member: a struct port of these kinds is a
 *           struct devio.
 *           V2 the VLAN tag the kernel took off is back in the frame, with its
 *           TPID, before anybody sees it.
 *           V3 a packet leaves rx with offload fields that fit the frame, or
 *           not at all.
 *           V4 a held device is sent to, and not heard.
 * Threads   open, close, hold, release: the control thread. rx: one worker. tx: any.
 * Owns      socket, guard. */
#ifndef PORT_DEVIO_H
#define PORT_DEVIO_H

#include "base/list.h"
#include "port/port.h"
#include "sys/guard.h"
#include "sys/nl_link.h"
#include "sys/packet_ring.h"

struct devio {
	struct port port;
	struct packet_ring ring;
	struct guard guard;
	uint32_t empty; /* times in a row that rx found nothing */
	bool layer3;
	bool made; /* the device is weft's own */
	bool attached;
	struct list held; /* self-linked: it is not */
};

struct devio_spec {
	bool promiscuous;
	bool busy; /* a link of many machines: a larger ring */
	bool made; /* the device is weft's own, nobody else's */
};

/* Guards the device, then listens: no frame is heard twice, and of a device that
 * a killed daemon's program still serves hardly one is missed. Sets the port's
 * link members, caps and n_queues. */
int devio_open(struct devio *d, const struct nl_link *link,
	       const struct devio_spec *s, struct err *e) MUST_CHECK;
/* Harmless when not open. The device is left as it was found; one that weft made
 * and that stays (`keep`) keeps its guard: what the datapath's programs know goes
 * on until the next daemon takes it over. */
void devio_close(struct devio *d, bool keep);
/* From now on devices that an earlier daemon's programs still serve are opened but
 * not taken over, until the release takes them all: none is taken from the old
 * flows before the others can be reached by the new. At start. */
void devio_hold(void);
void devio_release(void);
/* Finds the port's device: -ENODEV with a sentence when there is none. */
int devio_find(struct devio *d, struct nl_link *out, struct err *e) MUST_CHECK;

/* For port_ops. */
int devio_rx_fd(struct port *p, unsigned queue);
int devio_rx(struct port *p, unsigned queue, struct packet_batch *b,
	     struct packet_pool *pool);
bool devio_mend(struct port *p, bool told);
void devio_tx(struct port *p, struct packet_batch *b, struct port_counters *c);

#endif
