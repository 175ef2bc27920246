/* SPDX-License-Identifier: Apache-2.0 */
/* The lookout: does a change cut somebody off?
 *
 * What      before the change: which gateways and which caller's host answer, the
 *           caller's own connection, the host's devices, addresses and routes.
 *           After it, once a second: does all of that still work? After an
 *           undo: is all as it was?
 * Why so    a ping tells of hosts that answer pings; a gateway that answers none
 *           is known by its neighbour entry, and so is a new one; the default
 *           route is looked at itself; and the connection the caller types over
 *           tells of callers behind walls that let no ping through.
 * Invariant L1 what did not answer before says nothing afterwards. L2 a gateway
 *           counts only while a default route names it.
 * Bounds    LOOKOUT_HOSTS; LOOKOUT_SILENT seconds without an answer.
 * Threads   the control thread.
 * Owns      its sockets and its text. */
#ifndef CONTROL_LOOKOUT_H
#define CONTROL_LOOKOUT_H

#include "base/addr.h"
#include "base/str.h"
#include "sys/ping.h"
#include "sys/tcp_state.h"

#define LOOKOUT_HOSTS 8u
#define LOOKOUT_SILENT 3u
#define LOOKOUT_TOLD 3u /* differences that are named */

struct nl;

struct lookout_host {
	struct ip_addr address;
	struct ping ping;
	unsigned silent; /* seconds */
	uint16_t seq;
	bool is_gateway;
	bool is_new;       /* of the change: it has no part in "as before" */
	bool by_neighbour; /* answers no ping: its neighbour entry decides */
};

struct lookout {
	struct lookout_host hosts[LOOKOUT_HOSTS];
	unsigned n_hosts;
	struct ip_addr mute[LOOKOUT_HOSTS]; /* gateways that did not answer */
	unsigned n_mute;
	bool has_flow, has_address; /* the caller's connection; our end of it */
	struct tcp_flow flow;
	bool has_default[2]; /* IPv4, IPv6 */
	unsigned stuck;      /* seconds in which nothing was acknowledged */
	unsigned homeless;   /* seconds without our end's address */
	unsigned routeless;  /* seconds without a default route */
	char *before;        /* devices, addresses, routes, a line each */
};

/* Takes up to a quarter of a second for each that does not answer. `connection`:
 * "ADDRESS PORT ADDRESS PORT", the caller's first, as in SSH_CONNECTION; both
 * texts may be NULL or wrong. */
void lookout_begin(struct lookout *l, struct nl *nl, const char *caller,
		   const char *connection);
/* How many things are watched. */
unsigned lookout_n_watched(const struct lookout *l);
/* What has been cut off for LOOKOUT_SILENT seconds, as a sentence to be freed;
 * NULL: nothing. Call it once a second. */
char *lookout_lost(struct lookout *l, struct nl *nl);
/* After an undo, once a second: is all as it was? `said` gets what is and what
 * is not. */
bool lookout_is_back(struct lookout *l, struct nl *nl, struct str *said);
/* A zeroed one and a second call are harmless. */
void lookout_end(struct lookout *l);

#endif
