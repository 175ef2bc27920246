/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded queue of frames between threads.
 *
 * What      frames are copied in by any thread and copied out by one; a
 *           descriptor polls readable while there are some.
 * Why so    a packet belongs to its thread and its thread's pool, so whoever
 *           hands one over copies it. The mutex is held for copies only, never
 *           over a system call.
 * Invariant Q1 while frames wait and nobody is inside queue_take, the descriptor
 *           is readable.
 * Threads   put: any. take: one at a time. open, close: with nobody inside.
 * Owns      its copies. */
#ifndef PORT_QUEUE_H
#define PORT_QUEUE_H

#include <pthread.h>

#include "port/port.h"
#include "sys/thread.h"

struct queue {
	pthread_mutex_t lock;
	struct packet_pool *pool;
	struct packet **ring;
	unsigned size, head, n;
	struct wake wake;
};

int queue_open(struct queue *q, unsigned size) MUST_CHECK;
void queue_close(struct queue *q);
int queue_fd(const struct queue *q);
/* Takes all packets of the batch in order and frees them; what does not fit is
 * counted TX_FULL, what fits as sent. */
void queue_put(struct queue *q, struct packet_batch *b,
	       struct port_counters *c);
/* Appends to `b` from `pool`; how many. What the pool has no buffer for is
 * dropped and counted. */
int queue_take(struct queue *q, struct packet_batch *b,
	       struct packet_pool *pool, uint64_t *pool_empty);
/* Frames waiting now. */
unsigned queue_length(struct queue *q);

#endif
