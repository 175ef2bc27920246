/* SPDX-License-Identifier: Apache-2.0 */
/* Captures: the methods "capture" and "capture_stop".
 *
 * What      starts a capture in the datapath for a call, sends what it sees as
 *           bytes of the call, ends it when asked, when it has enough, or when
 *           its client is gone.
 * Why so    the rings hold what the client is slow to take, and count what finds
 *           no room: neither the daemon's memory nor a worker waits for it.
 * Invariant K1 a capture lives exactly as long as its call. K2 a client that went
 *           away is noticed within CAPTURES_LOOK_MS.
 * Threads   the control thread; woken by workers.
 * Owns      captures, and their calls until they are answered. */
#ifndef CONTROL_CAPTURES_H
#define CONTROL_CAPTURES_H

#include "base/list.h"

#define CAPTURES_PORTS_MAX 1024u /* named in one capture */
#define CAPTURES_LOOK_MS 500u
#define CAPTURES_RETRY_MS 5u

struct control;
struct json_object;
struct rpc_call;

struct captures {
	struct list running;
	unsigned last_id;
};

void captures_init(struct captures *all);
/* Ends all. */
void captures_fini(struct captures *all);
/* Answer the call, now or when the capture ends. */
void captures_start(struct control *c, struct rpc_call *call,
		    struct json_object *params);
void captures_stop(struct control *c, struct rpc_call *call,
		   struct json_object *params);
/* How many run; packets they look at are not forwarded by the kernel. */
unsigned captures_count(const struct captures *all);
/* Ports came or went: names mean other numbers. */
void captures_ports_changed(struct captures *all);

#endif
