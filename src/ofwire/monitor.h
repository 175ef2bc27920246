/* SPDX-License-Identifier: Apache-2.0 */
/* Flow monitors: what is watched, and what happened to it.
 *
 * What      FLOW_MONITOR requests and updates in Nicira's form (to 1.2), ONF's
 *           (1.3) and the standard's (1.4 on).
 * Why so    one struct each; the flags and events are the standard's.
 * Owns      an update its actions.
 * Threads   values.
 * Refs      nicira-ext.h (nx_flow_monitor_request), OpenFlow 1.4.1 7.3.5.17. */
#ifndef OFWIRE_MONITOR_H
#define OFWIRE_MONITOR_H

#include "ofwire/acts.h"
#include "ofwire/match.h"

#define OF_MONITOR_INITIAL 1u
#define OF_MONITOR_ADD 2u
#define OF_MONITOR_REMOVED 4u
#define OF_MONITOR_MODIFY 8u
#define OF_MONITOR_ACTIONS 16u
#define OF_MONITOR_NO_ABBREV 32u /* Nicira: "own" */
#define OF_MONITOR_ONLY_OWN 64u

enum of_monitor_command {
	OF_MONITOR_COMMAND_ADD,
	OF_MONITOR_COMMAND_MODIFY,
	OF_MONITOR_COMMAND_DELETE,
};

struct of_monitor {
	uint32_t id, out_port, out_group;
	uint16_t flags;
	uint8_t table, command;
	struct match match;
};

/* One part of FLOW_MONITOR_STATS_REQUEST: a request may hold several. */
void of_monitor_put(struct of_out *o, unsigned version,
		    const struct of_monitor *mon);
enum of_error of_monitor_get(struct cursor *c, unsigned version,
			     struct of_monitor *mon) MUST_CHECK;

enum of_update_event {
	OF_UPDATE_INITIAL, /* 1.4's; Nicira says ADDED */
	OF_UPDATE_ADDED,
	OF_UPDATE_REMOVED,
	OF_UPDATE_MODIFIED,
	OF_UPDATE_ABBREV, /* the receiver's own change `xid` */
	OF_UPDATE_PAUSED, /* 1.4 */
	OF_UPDATE_RESUMED,
};

struct of_update {
	uint8_t event, reason, table;
	uint16_t idle, hard, priority;
	uint32_t xid;
	uint64_t cookie;
	struct match match;
	struct of_acts acts;
};

/* One part of FLOW_MONITOR_STATS_REPLY. False when the version cannot say the
 * actions; what can be said is written. */
bool of_update_put(struct of_out *o, unsigned version,
		   const struct of_update *u);
enum of_error of_update_get(struct cursor *c, unsigned version,
			    struct of_update *u) MUST_CHECK;
void of_update_fini(struct of_update *u);

#endif
