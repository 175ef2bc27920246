/* SPDX-License-Identifier: Apache-2.0 */
/* A port: where frames enter and leave the datapath.
 *
 * What      the contract between a kind of port (tap, tun, veth, nic, host,
 *           tunnel, patch, dummy) and the datapath.
 * Why so    the datapath sees batches and capabilities, never a device. The
 *           port object persists while its device comes and goes (decision D6):
 *           `state` says what is missing, rx gives nothing, tx drops PORT_DOWN.
 * Life      port_create (no device yet) -> attach -> [dp uses it] -> detach ->
 *           destroy. attach/detach may be repeated; both on the control thread
 *           and never while a worker is inside rx or tx: the datapath takes the
 *           port out of its workers first (dp_port_del, dp_port_add).
 * Threads   rx of one queue: one worker. tx: any worker and the control thread
 *           at once (the kernel's sockets allow it); statistics are per thread.
 * May block nothing in rx/tx; attach and detach may take milliseconds. */
#ifndef PORT_PORT_H
#define PORT_PORT_H

#include <stdatomic.h>

#include "base/addr.h"
#include "base/err.h"
#include "packet/drop.h"
#include "packet/packet.h"

#define PORT_NAME_MAX 64u
#define PORT_DEVICE_MAX 16u /* a device's name, with the NUL */
#define PORT_MAX_QUEUES 8u
#define PORT_MAX_THREADS 16u

/* What tx takes without help; the rest is finished in software before. */
enum port_cap {
	PORT_CAP_CSUM = 1 << 0, /* PACKET_CSUM_PARTIAL */
	PORT_CAP_TSO4 = 1 << 1,
	PORT_CAP_TSO6 = 1 << 2,
	PORT_CAP_USO4 = 1 << 3,
	PORT_CAP_USO6 = 1 << 4,
	PORT_CAP_ECN = 1 << 5,
	PORT_CAP_TUNNEL = 1 << 6, /* sends by packet_tunnel metadata */
};

enum port_state {
	PORT_ABSENT, /* its device does not exist (yet, or any more) */
	PORT_DOWN,   /* device there, but down or without carrier */
	PORT_UP,
};

/* Where the datapath's programs see the frames that come in by the port. */
enum port_hook {
	PORT_HOOK_NONE,
	/* On its device's way in: the guard, after rx_fd's socket had its copy. */
	PORT_HOOK_INGRESS,
	/* On its device's way out: the host's own, which rx_fd reads. */
	PORT_HOOK_EGRESS,
};

struct port_counters {
	uint64_t rx_packets, rx_bytes, rx_errors;
	uint64_t tx_packets, tx_bytes, tx_errors;
	/* Drops of packets that came in here, and of those that were to leave
	 * here (the port's own reasons: PORT_DOWN, TX_FULL, TX_ERROR). */
	uint64_t drops[N_DROPS];
};

struct port;
struct port_ops {
	const char *type;
	bool layer3; /* frames carry no Ethernet header */

	/* Makes or finds the device and opens what rx and tx need. 0; -ENODEV
	 * when the device is not there (state ABSENT; try again when it comes);
	 * another -errno with a sentence in `e`. */
	int (*attach)(struct port *p, struct err *e);
	/* Closes; a device that attach made goes too unless `keep`. */
	void (*detach)(struct port *p, bool keep);
	void (*destroy)(struct port *p);

	/* The descriptor that polls readable when rx of `queue` has frames, or
	 * when the device failed; -1 when there is none. */
	int (*rx_fd)(struct port *p, unsigned queue);
	/* Appends received frames to `b` (which has room for at least one),
	 * from `pool`; returns how many, 0 when there are none now, -errno when
	 * the device is gone. Asking in vain is cheap (no system call) for the
	 * kinds behind a packet socket: a worker may ask again for some
	 * microseconds before it sleeps. Sets every metadata member of each
	 * packet; GSO and checksum fields are validated against the frame
	 * (P2). */
	int (*rx)(struct port *p, unsigned queue, struct packet_batch *b,
		  struct packet_pool *pool);
	/* Sends the batch in order and frees every packet, sent or not. What
	 * was not sent is counted with its reason in c->drops. */
	void (*tx)(struct port *p, struct packet_batch *b,
		   struct port_counters *c);

	/* NULL: there is nothing to mend. Puts programs back that somebody else
	 * took off the device; true when it had to. `told`: as guard_mend. */
	bool (*mend)(struct port *p, bool told);
};

/* What rx itself had to drop; one queue's, written by its worker only. */
struct port_rx_drops {
	uint64_t full;      /* the kernel's queue was: we were too late */
	uint64_t malformed; /* offload fields that lie about the frame */
	uint64_t pool_empty;
};

struct port {
	const struct port_ops *ops;
	char name[PORT_NAME_MAX];
	/* The device it stands for, in the daemon's namespace: its name ("" when
	 * there is none; fixed at creation), its number while attached. */
	char device[PORT_DEVICE_MAX];
	uint32_t ifindex;
	uint32_t id;   /* the datapath's number, 1 and up; 0 is no port */
	uint32_t caps; /* enum port_cap; valid while attached */
	uint32_t mtu;  /* largest L3 packet in bytes; workers: port_mtu() */
	unsigned n_queues;
	struct eth_addr mac;
	enum port_hook hook; /* while attached */
	bool accel_off;      /* its frames are to come to userspace, all */
	bool far_elsewhere;  /* a veth whose far end is in another namespace */
	_Atomic(int) state;  /* enum port_state */
	struct port_counters counters[PORT_MAX_THREADS]; /* by thread index */
	struct port_rx_drops rx_drops[PORT_MAX_QUEUES];
};

void port_init(struct port *p, const struct port_ops *ops, const char *name);
/* device NULL: the kind has none. */
void port_set_device(struct port *p, const char *device);
/* Devices that ports made and gave up (detach without `keep`) are deleted in the
 * background, many at once, and their sockets closed. Waits until they are gone:
 * before the process ends. An attach waits by itself. */
void port_settle(void);
/* Sum over the threads, with what rx dropped. */
void port_counters_sum(const struct port *p, struct port_counters *sum);
const char *port_state_name(enum port_state s);

/* The device may be given another while it is attached. */
static inline uint32_t port_mtu(const struct port *p)
{
	return __atomic_load_n(&p->mtu, __ATOMIC_RELAXED);
}

static inline void port_set_state(struct port *p, enum port_state s)
{
	atomic_store_explicit(&p->state, (int)s, memory_order_relaxed);
}

static inline enum port_state port_get_state(const struct port *p)
{
	return (enum port_state)atomic_load_explicit(&p->state,
						     memory_order_relaxed);
}

#endif
