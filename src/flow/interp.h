/* SPDX-License-Identifier: Apache-2.0 */
/* The interpreter: runs an action list on one packet.
 *
 * What      walks a list that acts_check accepted, edits the packet, and hands
 *           it (or copies of it) to the sinks that the datapath supplies.
 * Why so    the packet itself leaves by the last op that sends it: no copy is
 *           made unless something follows. Checksums are updated incrementally,
 *           finished ones and partial ones (decision D8); frames larger than
 *           the MTU stay whole.
 * Invariant I1 a packet given to interp_run is given back exactly once: to
 *           `output`, or to its pool. I2 every packet that is not sent and not
 *           punted is counted by `drop` with a reason. I3 an op that does not
 *           fit the bytes it meets drops the packet with DROP_ACTION; nothing
 *           outside data..data + len is read or written. I4 after each op the
 *           packet's l3, l4, inner and csum_start are right; checksums that
 *           were right stay right.
 * Copies    GSO frames are copied whole; when the pool is empty the copy is
 *           counted DROP_POOL_EMPTY and the list goes on.
 * Truncate  is done by the interpreter as the copy leaves: a sink never sees
 *           max_len set.
 * Threads   one thread an interp. */
#ifndef FLOW_INTERP_H
#define FLOW_INTERP_H

#include "flow/action.h"

struct interp_ops {
	/* Takes p: the packet leaves by the port. Tunnel metadata, when there
	 * is any, is in p->tun (PACKET_TUNNEL). */
	void (*output)(void *ctx, struct packet *p, uint32_t port);
	/* p stays the interpreter's. a->max_len is for the sink to obey. */
	void (*punt)(void *ctx, const struct packet *p,
		     const struct act_punt *a);
	/* May p pass the meter? False: dropped with DROP_METER. */
	bool (*meter)(void *ctx, uint32_t id, const struct packet *p);
	/* Counts; p stays the interpreter's, which frees it. */
	void (*drop)(void *ctx, const struct packet *p, enum drop reason);
	/* 32 random bits, for sample. */
	uint32_t (*random)(void *ctx);
};

struct interp {
	const struct interp_ops *ops;
	void *ctx;
	struct packet_pool *pool; /* where copies come from */
};

/* Runs the list. Takes p. */
void interp_run(struct interp *in, struct packet *p, struct act_list list);

#endif
