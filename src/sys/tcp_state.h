/* SPDX-License-Identifier: Apache-2.0 */
/* How a TCP connection of this host fares, whoever holds it.
 *
 * What      asks the kernel about one connection by its addresses and ports.
 * Why so    a connection that somebody types over tells whether the way to him
 *           still works even where his host answers no ping: what was sent and
 *           is not acknowledged is sent again.
 * Threads   any.
 * Refs      sock_diag(7), linux/inet_diag.h. */
#ifndef SYS_TCP_STATE_H
#define SYS_TCP_STATE_H

#include "base/addr.h"

struct tcp_flow {
	struct ip_addr local, remote;
	uint16_t local_port, remote_port;
};

struct tcp_state {
	bool established;
	uint32_t unacked;     /* segments on their way */
	uint32_t retransmits; /* of the oldest, in a row */
};

/* In the namespace of the caller. -ENOENT: there is no such connection. */
int tcp_state_ask(const struct tcp_flow *f, struct tcp_state *out) MUST_CHECK;

#endif
