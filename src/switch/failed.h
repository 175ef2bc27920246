/* SPDX-License-Identifier: Apache-2.0 */
/* Ports that failed under a worker, on their way to the control thread.
 *
 * What      a queue of (port, error); any thread adds, the loop's thread is called
 *           and takes.
 * Why so    a device goes while a worker reads it, and what follows (undo, wait
 *           for it to come back) is the control thread's.
 * Bounds    a port fails once while it is attached, so DP_MAX_PORTS of them.
 * Threads   failed_ports_add on any; the rest on the loop's.
 * Owns      its queue. */
#ifndef SWITCH_FAILED_H
#define SWITCH_FAILED_H

#include <pthread.h>

#include "sys/loop.h"

struct failed_port {
	uint32_t port;
	int error; /* a negative errno */
};

struct failed_ports {
	struct loop *loop;
	struct loop_call call;
	pthread_mutex_t lock;
	struct failed_port *at; /* under the lock */
	size_t n, room;
};

/* `fn` is called when there is something to take. */
void failed_ports_init(struct failed_ports *f, struct loop *loop, loop_fn *fn,
		       void *arg);
/* When nobody adds any more. */
void failed_ports_fini(struct failed_ports *f);
void failed_ports_add(struct failed_ports *f, uint32_t port, int error);
/* The oldest, or false. */
bool failed_ports_take(struct failed_ports *f, struct failed_port *out);

#endif
