/* SPDX-License-Identifier: Apache-2.0 */
/* The far host: where a packet goes into a tunnel, the daemon there goes on.
 *
 * What      asks the next host, by a note through that very tunnel, what becomes
 *           of the packet as it arrives there; and answers such questions.
 * Why so    the tunnel is what the packet would take, so it proves the way, and it
 *           needs no listener and no trust in anybody new: only hosts of the
 *           applied file are asked and answered, and the answer goes to where the
 *           file says that host is, never to where a datagram claims to be from.
 * Invariant E1 answering changes nothing. E2 each host is answered FAR_RATE times
 *           a second at most. E3 a question has its answer, or the reason why it
 *           has none, within FAR_WAIT_MS; FAR_ASKS hosts are asked at most.
 * Threads   the control thread.
 * Owns      the calls that wait, and what other hosts have said so far. */
#ifndef CONTROL_EXPLAIN_FAR_H
#define CONTROL_EXPLAIN_FAR_H

#include "base/addr.h"
#include "base/list.h"

#define FAR_WAIT_MS 1000u
#define FAR_RATE 100u
#define FAR_BURST 50u
#define FAR_ASKS 16u    /* of one call */
#define FAR_CALLS 32u   /* that wait at once */
#define FAR_ASKERS 256u /* hosts whose questions are remembered */

struct control;

struct explain_far {
	struct list waiting; /* calls */
	struct list askers;  /* hosts that ask us */
	unsigned n_waiting, n_askers;
};

void explain_far_init(struct explain_far *f);
/* Answers what waits. */
void explain_far_fini(struct explain_far *f);
/* switch_events.note */
void explain_far_note(void *ctx, const struct ip_addr *peer, const void *frame,
		      uint32_t len);

#endif
