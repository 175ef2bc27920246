/* SPDX-License-Identifier: Apache-2.0 */
/* The datapath: moves packets, knows no policy.
 *
 * What      ports, a cache of verdicts, meters, counters; the contract that
 *           dp/user (workers and caches), dp/fake (the linear oracle) and
 *           later dp/bpf fulfil alike, under the same tests.
 * Why so    what to do with a packet is asked through callbacks: `translate`
 *           is the pipeline, `apply` is the switch. The answer to a miss is
 *           inline: a function call, never a hand-over.
 * Fresh     a cached verdict is used only while its deps are fresh in `stamps`
 *           (base/stamp.h) and the snapshot's stamp stands; a stale entry is
 *           translated again at its next packet, inline.
 * Bounded   at most DP_MAX_MASKS masks an in-port: a new mask beyond is merged
 *           by union (decision D3). Entries per in-port are limited; a full
 *           port replaces its own. When all together are too many, the port that
 *           has the most gives.
 * Threads   everything here is called by the control thread unless said
 *           otherwise; callbacks say who calls them. */
#ifndef DP_DP_H
#define DP_DP_H

#include "base/env.h"
#include "base/stamp.h"
#include "dp/drop_log.h"
#include "flow/action.h"
#include "flow/key.h"
#include "flow/verdict.h"
#include "port/port.h"

#define DP_MAX_MASKS 4u
#define DP_MAX_PORTS 65535u
#define DP_MAX_METERS 65536u

/* What passed since the last report. */
struct dp_use {
	uint32_t in_port;
	/* The flow is stale or gone: count these packets, but learn nothing from
	 * them: what the effects say may not be so any more. */
	bool past;
	uint64_t packets, bytes;
	uint64_t used_ms;
};

struct dp_callbacks {
	/* A worker, inside RCU: fills `v` for this key. Must not block. */
	void (*translate)(void *ctx, const struct flow_key *key,
			  struct verdict *v);
	/* A worker, inside RCU: packets of a flow with these effects passed
	 * since the last call; used_ms is when the last did. Called at once for
	 * a miss (1 packet), at each sweep for flows that were used, and before
	 * a flow goes: the sums are exact. */
	void (*apply)(void *ctx, const struct effect *effects, unsigned n,
		      const struct dp_use *use);
	/* A worker: takes what it wants from the packet (which stays the
	 * caller's). False: over the in-port's quota, counted PUNT_QUOTA. */
	bool (*punt)(void *ctx, const struct packet *p,
		     const struct flow_key *key, const struct act_punt *a);
	/* A worker: the port's device failed with this -errno in rx. The port is
	 * polled no more until it is added again. */
	void (*port_failed)(void *ctx, uint32_t port, int error);
};

struct accel;

struct dp_config {
	struct env *env;
	struct accel *accel; /* NULL: none; `stamps` are its own otherwise */
	struct stamps *stamps;
	const struct dp_callbacks *cb;
	void *ctx;
	unsigned n_workers; /* 0: choose by the machine */
	/* 0 in these three: a default. */
	uint32_t flows_per_port; /* quota of cached entries of an in-port */
	uint32_t flows_max;      /* of a worker's cache in all */
	uint32_t flow_idle_ms;   /* unused this long: removed */
};

/* Counters of one cached flow, for dumps. */
struct dp_flow {
	const struct flow_key *key; /* masked */
	const struct flow_mask *mask;
	struct act_list actions;
	uint64_t packets, bytes, used_ms;
	bool fresh;
	bool in_kernel;
	const char *not_in_kernel; /* why; NULL where it is, or unknown */
	unsigned worker;
};

struct dp_stats {
	uint64_t hits, misses,
		stale; /* stale: hits that were translated anew */
	uint64_t flows, masks, replaced, merged;
	uint64_t uncacheable;
	/* Flows that the kernel has too, and packets that only it saw (counted
	 * with a second's delay; part of hits). */
	uint64_t in_kernel, kernel_hits;
};

struct capture;
struct capture_spec;
struct dp;
struct dp_ops {
	const char *name;
	struct dp *(*create)(const struct dp_config *config);
	void (*destroy)(struct dp *dp); /* with captures still running */
	/* The port (attached, id set, 1..DP_MAX_PORTS) starts to move packets.
	 * 0, -EEXIST, -ENOSPC. */
	int (*port_add)(struct dp *dp, struct port *port);
	/* On return no thread is inside the port and none will enter; its flows
	 * are gone. */
	void (*port_del)(struct dp *dp, uint32_t port);
	/* Rate in packets a second; `burst` packets (at least one) pass at once;
	 * rate 0: unlimited. Other numbers than before hold at once, the same
	 * change nothing. 0; -EINVAL unless 0 < id < DP_MAX_METERS. */
	int (*meter_set)(struct dp *dp, uint32_t id, uint64_t rate,
			 uint64_t burst);
	/* Runs a list on a packet as if it had come from in_port (0: none).
	 * Frees the packet. */
	void (*execute)(struct dp *dp, struct packet *p, struct act_list list);
	/* Treats a packet as received on p->in_port. Frees the packet. */
	void (*inject)(struct dp *dp, struct packet *p);
	/* A packet for execute and inject, from the control thread's pool. */
	struct packet *(*packet_alloc)(struct dp *dp);
	/* Calls fn for each cached flow, at most `max`, in no order; consistent
	 * per flow. On whichever thread has the flow, while the caller waits. */
	void (*flow_dump)(struct dp *dp, uint32_t max,
			  void (*fn)(void *ctx, const struct dp_flow *f),
			  void *ctx);
	/* Ports' counters have what the kernel counted, too, on return. */
	void (*stats)(struct dp *dp, struct dp_stats *out);
	/* Calls fn for each note of a drop; one kind may come once a thread.
	 * NULL: keeps none. */
	void (*drop_dump)(struct dp *dp,
			  void (*fn)(void *ctx, const struct drop_note *n),
			  void *ctx);
	/* Waits until no worker still works with what was translated before this
	 * call: after it, a published snapshot is what every packet meets. */
	void (*barrier)(struct dp *dp);
	/* Packets are captured from now on. NULL when CAPTURE_MAX run already or
	 * memory is refused. */
	struct capture *(*capture_start)(struct dp *dp,
					 const struct capture_spec *spec);
	/* On return nobody captures for it; it is gone. */
	void (*capture_stop)(struct dp *dp, struct capture *c);
};

extern const struct dp_ops dp_user_ops;
extern const struct dp_ops dp_fake_ops;

#endif
