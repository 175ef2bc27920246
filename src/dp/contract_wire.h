/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: a port with a real device, and a test at its far end.
 *
 *      test --> [far end ==== device, guard, packet socket: port] --> datapath
 *
 * What      a veth pair in a namespace of the test's own. What is put in goes
 *           through the kernel, and so through its cache; what comes out, by
 *           the kernel's hand or by userspace's, is read at the far end.
 * Order     the kernel hands frames over by a queue a CPU: the whole test runs
 *           on one, so that a frame which marks the end comes last.
 * Threads   the test's. */
#ifndef DP_CONTRACT_WIRE_H
#define DP_CONTRACT_WIRE_H

#include "port/port.h"

struct wire;

/* Into a namespace of one's own; false when not permitted. */
bool wire_enter(void);
/* This thread, and those it starts, on one CPU from now on, or on all again. */
void wire_one_cpu(bool on);

/* The port is attached, with this number. */
struct wire *wire_create(uint32_t id);
/* The port is in no datapath any more. */
void wire_destroy(struct wire *w);
struct port *wire_port(struct wire *w);
/* False when the device refuses it. */
bool wire_give(struct wire *w, const void *bytes, uint32_t len,
	       const struct packet *like);
/* The oldest that the port has sent until now, from `pool`; NULL when there is
 * none. */
struct packet *wire_take(struct wire *w, struct packet_pool *pool);

#endif
