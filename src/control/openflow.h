/* SPDX-License-Identifier: Apache-2.0 */
/* OpenFlow's sockets: BRIDGE.mgmt and BRIDGE.snoop of each bridge that is
 * programmed.
 *
 * What      listeners and their streams, joined to the hub of the bridge.
 * Why so    sessions are pure (openflow/hub.h); somebody has to hold sockets.
 * Invariant O1 a bridge has a hub exactly while its configuration says
 *           `openflow`.
 * Threads   the control thread.
 * Owns      hubs, listeners, streams. */
#ifndef CONTROL_OPENFLOW_H
#define CONTROL_OPENFLOW_H

#include "base/defs.h"

struct control;
struct model_view;

/* Zeroed is none. */
struct openflow_sockets {
	struct openflow_bridge *v;
	unsigned n;
};

/* After an apply: bridges that are new, and those that are no more. */
void openflow_follow(struct control *c, const struct model_view *v);
void openflow_end(struct control *c);

#endif
