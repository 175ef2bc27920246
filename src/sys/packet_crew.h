/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of packet_ring: threads that wait for the kernel in its place.
 *
 * What      a stock of PACKET_CREW_STOCK sockets with their rings made ahead,
 *           and sockets to close.
 * Why so    both wait for an RCU grace period each time; waiting side by side
 *           makes a thousand take as long as a hundred.
 * Invariant W1 a stocked socket belongs to the namespace of whoever takes it.
 *           W2 there is no thread while there is nothing to do.
 * Threads   any. The mutex is never held over a system call that waits. */
#ifndef SYS_PACKET_CREW_H
#define SYS_PACKET_CREW_H

#include "base/defs.h"

#define PACKET_CREW_STOCK 8u
#define PACKET_CREW_THREADS 16u
#define PACKET_CREW_CLOSING 4096u

/* A socket of packet_ring_make(false), or -errno. */
int packet_crew_take(void);
/* Closes it, soon; at once when too many wait. */
void packet_crew_close(int fd);
/* Waits until all are closed, the stock too: a process that ends closes what is
 * left one after the other, 20 ms each. */
void packet_crew_settle(void);

/* packet_ring.c's: an unbound socket with its ring, or -errno. */
int packet_ring_make(bool busy);

#endif
