/* SPDX-License-Identifier: Apache-2.0 */
/* The hub: all OpenFlow connections of one bridge.
 *
 * What      who is connected, who is master; what happens on the bridge, told to
 *           those who want to hear it.
 * Why so    a connection is a pure machine: bytes in, bytes out. Listeners and
 *           streams are whoever's owns them (control); tests and fuzzers give
 *           it bytes by hand.
 * Invariant H1 at most one connection is master. H2 nothing is kept of a bridge
 *           but its name: it may go and come.
 * Threads   the control thread.
 * Owns      its connections.
 * Refs      OpenFlow 1.5.1 6.3.6 (roles), 7.4 (asynchronous messages). */
#ifndef OPENFLOW_HUB_H
#define OPENFLOW_HUB_H

#include "base/env.h"
#include "switch/of.h"

/* Connections of one bridge. */
#define OF_HUB_CONNS 512u

struct of_conn;
struct of_hub;

struct of_hub_config {
	struct env *env;
	struct vswitch *sw;
	const char *bridge; /* copied */
	uint64_t datapath_id;
};

struct of_hub *of_hub_create(const struct of_hub_config *config);
/* Connections are told to end (of_conn_ops.end) before they are gone. */
void of_hub_destroy(struct of_hub *hub);
/* The bridge was made anew, perhaps: watches it again. */
void of_hub_refresh(struct of_hub *hub);
const char *of_hub_bridge(const struct of_hub *hub);
unsigned of_hub_n_conns(const struct of_hub *hub);

struct of_conn_ops {
	void (*send)(void *ctx, const void *bytes, size_t n);
	/* The connection is over; it is gone when this returns. */
	void (*end)(void *ctx, const char *why);
};

enum of_conn_kind {
	/* Hears of what happens once it asked for it (miss_send_len). */
	OF_CONN_SERVICE,
	OF_CONN_CONTROLLER,
	OF_CONN_SNOOP, /* gets a copy of what all others say and hear */
};

/* Says hello. NULL: OF_HUB_CONNS are there already. */
struct of_conn *of_conn_create(struct of_hub *hub, enum of_conn_kind kind,
			       const struct of_conn_ops *ops, void *ctx);
/* Without a call of `end`. */
void of_conn_destroy(struct of_conn *c);
/* Takes whole messages off the front; returns how many bytes they were. The
 * connection may be over then: *over says so, and c is gone. */
size_t of_conn_rx(struct of_conn *c, const void *bytes, size_t n, bool *over);
/* Something that is answered, to see whether the peer lives. */
void of_conn_probe(struct of_conn *c);

#endif
