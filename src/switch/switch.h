/* SPDX-License-Identifier: Apache-2.0 */
/* The switch: binds ports, datapath and pipeline, and keeps what they learn.
 *
 * What      runs misses (translate), applies effects (MACs, neighbours,
 *           counters), answers what needs thought (ARP, ND, ICMP, membership,
 *           loop probes), ticks the protocol machines, publishes snapshots.
 * Why so    control says what should be (desired.h); the switch owns everything
 *           that runs. It parses no configuration and speaks no wire protocol.
 * Invariant W1 learned tables outlive every snapshot that points to them.
 *           W2 a port is in the datapath exactly while it is attached.
 *           W3 the punt queue holds at most PUNT_SLOTS packets, PUNT_PORT_SLOTS
 *           of one in-port, PUNT_PORT_RATE a second of one in-port.
 * Threads   everything here: the control thread. The datapath's callbacks run on
 *           workers inside RCU.
 * Owns      datapath, learned tables, snapshots; ports from switch_port_add to
 *           switch_port_del. */
#ifndef SWITCH_SWITCH_H
#define SWITCH_SWITCH_H

#include "base/env.h"
#include "dp/dp.h"
#include "pipeline/pipeline.h"
#include "switch/desired.h"
#include "switch/moves.h"

#define PUNT_SLOTS 512u
#define PUNT_PORT_SLOTS 64u
#define PUNT_PORT_RATE 2000u
#define PUNT_PORT_BURST 200u

struct loop;
struct vswitch;

/* What happened; each may be NULL. On the control thread. */
struct switch_events {
	/* Ports were blocked or opened: the same configuration is to be applied
	 * again, from the loop, not from inside the call. */
	void (*rebuild)(void *ctx);
	void (*port_failed)(void *ctx, uint32_t port, int error);
	void (*loop)(void *ctx, uint32_t port, uint32_t other, bool blocked);
	void (*conflict)(void *ctx, const char *domain,
			 const struct ip_addr *ip, struct eth_addr mac);
	/* A station is behind another port now; `lost` more moved. */
	void (*moved)(void *ctx, const char *bridge, const struct move *m,
		      uint64_t lost);
	/* It jumps between two ports and is held where it is. */
	void (*flap)(void *ctx, const char *bridge, const struct mac_flap *f);
	/* A neighbour is new, or has another MAC; zero: it does not answer. */
	void (*neighbour)(void *ctx, const char *domain,
			  const struct ip_addr *ip, struct eth_addr mac);
	/* The daemon of a peer sent part of a note (overlay/note.h). */
	void (*note)(void *ctx, const struct ip_addr *peer, const void *frame,
		     uint32_t len);
	void *ctx;
};

struct switch_config {
	struct env *env;
	struct loop *loop;
	const struct dp_ops *dp;
	bool accel; /* keep flows in the kernel too, where it is permitted */
	unsigned n_workers;
	uint32_t flows_max; /* 0: the datapath's default */
	struct switch_events events;
};

/* NULL when memory or threads are refused. */
struct vswitch *switch_create(const struct switch_config *config);
/* Before the end: what the kernel holds stays there, for the next daemon. */
void switch_leave(struct vswitch *sw);
/* Ports must be gone. */
void switch_destroy(struct vswitch *sw);

/* A number that no port has, never 0; 0 when all are taken. */
uint32_t switch_port_number(struct vswitch *sw);
void switch_port_release(struct vswitch *sw, uint32_t id);
/* An attached port (its id from switch_port_number) starts to move packets. */
int switch_port_add(struct vswitch *sw, struct port *port) MUST_CHECK;
/* The port's MTU or state is another. */
void switch_port_touch(struct vswitch *sw, struct port *port);
/* Out of the datapath: no thread is inside it any more. Learned stations behind
 * it are forgotten. */
void switch_port_del(struct vswitch *sw, struct port *port);

/* Is it sound (rules parse, numbers fit)? Changes nothing. */
int switch_check(const struct desired *d, struct err *e) MUST_CHECK;
/* Becomes it; `d` passed switch_check. On return every packet meets it. */
void switch_apply(struct vswitch *sw, const struct desired *d);

/* The newest snapshot; valid until the next switch_apply. */
const struct snapshot *switch_snapshot(const struct vswitch *sw);
struct dp *switch_dp(const struct vswitch *sw);
const struct dp_ops *switch_dp_ops(const struct vswitch *sw);
/* Why the kernel refused to keep flows; NULL: it does, or was not asked. */
const char *switch_accel_refusal(const struct vswitch *sw);
/* NULL: frames of this port may stay in the kernel; else why they do not. */
const char *switch_accel(const struct vswitch *sw, uint32_t port);

/* Rules' counters (rule.counter). */
void switch_count(const struct vswitch *sw, uint32_t counter, uint64_t *packets,
		  uint64_t *bytes);
/* When it last counted; 0: never. */
uint64_t switch_used_ms(const struct vswitch *sw, uint32_t counter);
/* Translates as a worker would, telling `t`; for explain. */
void switch_explain(struct vswitch *sw, const struct flow_key *key,
		    struct verdict *v, struct trace *t);

/* One frame of a note for the daemon of a peer, by the tunnel; nothing when there
 * is no tunnel. It may be lost. */
void switch_send_note(struct vswitch *sw, const struct ip_addr *peer,
		      const void *frame, uint32_t len);

struct switch_stats {
	uint64_t punts[N_PUNT_REASONS];
	uint64_t punt_dropped;
	uint64_t arp_answered, nd_answered, icmp_errors, icmp_limited,
		echo_replies, ra_sent, fragmented;
};
void switch_stats(const struct vswitch *sw, struct switch_stats *out);

#endif
