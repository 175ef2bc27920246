/* SPDX-License-Identifier: Apache-2.0 */
/* The punt queue: packets on their way from workers to the control thread.
 *
 * What      a fixed number of slots, each with a buffer; a share and a rate for
 *           each in-port.
 * Why so    a flood of one port that wants thought (an ARP storm, a scan) uses
 *           up its own share; the others' packets still get through (D15).
 * Invariant Q1 slots in use of a port <= PUNT_PORT_SLOTS. Q2 order is kept.
 * Threads   put: any worker, under a mutex: several workers fill one queue, and
 *           the critical section is a list operation; the copy is made outside.
 *           take, done: the control thread.
 * Owns      its buffers. */
#ifndef SWITCH_PUNT_H
#define SWITCH_PUNT_H

#include <pthread.h>

#include "base/bucket.h"
#include "base/list.h"
#include "flow/action.h"
#include "flow/key.h"
#include "sys/loop.h"

struct punt {
	struct list link;
	struct packet *packet; /* a copy; the slot's own buffer */
	struct act_punt action;
	uint32_t in_port;
	struct flow_key key; /* as the packet came in */
};

struct punt_share {
	struct bucket rate;
	uint16_t n; /* slots in use */
	bool known;
};

struct punt_queue {
	pthread_mutex_t lock;
	struct list free, full;
	struct punt *slots;
	struct packet_pool *pool;
	struct punt_share *shares; /* by in-port; lazily touched */
	struct loop *loop;
	struct loop_call call;
	uint64_t dropped; /* atomic */
};

/* fn(arg) runs on the loop's thread when there is something to take. */
int punt_queue_init(struct punt_queue *q, struct loop *loop, loop_fn *fn,
		    void *arg) MUST_CHECK;
void punt_queue_fini(struct punt_queue *q);
/* False: over the port's share or rate, or no slot is free. */
bool punt_queue_put(struct punt_queue *q, const struct packet *p,
		    const struct flow_key *key, const struct act_punt *a,
		    uint64_t now_ms);
/* The oldest, or NULL. It stays in use until punt_queue_done. */
struct punt *punt_queue_take(struct punt_queue *q);
void punt_queue_done(struct punt_queue *q, struct punt *p);

#endif
