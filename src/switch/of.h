/* SPDX-License-Identifier: Apache-2.0 */
/* OpenFlow on a bridge: what a controller may change and ask.
 *
 * What      rules, groups, ports, packets of one bridge that is programmed; what
 *           happens there, told to one watcher.
 * Why so    the semantics of each change (strict or not, cookies, timeouts,
 *           overlap) are the switch's; sessions, versions and bytes are the
 *           openflow room's.
 * Invariant O1 on return of a change each packet that arrives from now on meets
 *           it; after switch_of_barrier those that were under way do, too.
 *           O2 a change that is refused changes nothing.
 * Threads   the control thread.
 * Owns      rules and groups. A struct switch_of is valid until the next
 *           switch_apply: ask by name again.
 * Refs      OpenFlow 1.5.1 6.4 to 6.7, 7.3.4. */
#ifndef SWITCH_OF_H
#define SWITCH_OF_H

#include "ofwire/flow.h"
#include "ofwire/group.h"
#include "ofwire/packet.h"
#include "ofwire/port.h"
#include "switch/switch.h"

struct switch_of;

/* A packet for the controllers. It points into what is gone on return. */
struct switch_packet_in {
	const void *packet;
	size_t len;       /* all of it */
	uint16_t max_len; /* 0: whole */
	uint16_t controller;
	uint32_t of_port;
	uint8_t reason, table;
	uint64_t cookie, metadata;
};

/* Each may be NULL. */
struct switch_of_ops {
	void (*flow_removed)(void *ctx, const struct of_flow_removed *fr);
	void (*packet_in)(void *ctx, const struct switch_packet_in *pi);
	void (*port_status)(void *ctx, uint8_t reason, const struct of_port *p);
};

/* NULL: no such bridge, or it is not OpenFlow's. */
struct switch_of *switch_of_find(const struct vswitch *sw, const char *bridge);
/* One watcher a bridge; ops NULL: none any more. */
void switch_of_watch(struct switch_of *of, const struct switch_of_ops *ops,
		     void *ctx);
/* Whatever was begun with what was before is done. */
void switch_of_barrier(struct switch_of *of);

/* Changes of rules and groups from begin on are kept by commit, and all taken back
 * by rollback. */
void switch_of_begin(struct switch_of *of);
void switch_of_commit(struct switch_of *of);
void switch_of_rollback(struct switch_of *of);

/* --- rules --- */
enum of_error switch_of_flow_mod(struct switch_of *of,
				 const struct of_flow_mod *fm) MUST_CHECK;
/* Could these actions be a rule's of that table (a packet-out's: 0)? */
enum of_error switch_of_check(const struct switch_of *of,
			      struct of_act_list acts,
			      uint8_t table) MUST_CHECK;
/* Calls fn for each rule that is asked for. */
void switch_of_flows(const struct switch_of *of, const struct of_flow_query *q,
		     void (*fn)(void *ctx, const struct of_flow_stats *fs),
		     void *ctx);
void switch_of_aggregate(const struct switch_of *of,
			 const struct of_flow_query *q,
			 struct of_counts *counts);
size_t switch_of_table_count(const struct switch_of *of, uint8_t table);
/* As it was made: nothing but one rule, NORMAL. */
void switch_of_reset(struct switch_of *of);

/* --- groups --- */
/* May take what *g owns; the rest stays the caller's. */
enum of_error switch_of_group_mod(struct switch_of *of,
				  struct of_group *g) MUST_CHECK;
/* id OF_GROUP_ALL or OF_GROUP_ANY: all. */
void switch_of_groups(const struct switch_of *of, uint32_t id,
		      void (*fn)(void *ctx, const struct of_group *g,
				 const struct of_group_stats *s),
		      void *ctx);

/* --- ports --- */
/* number OF_PORT_NONE: all. False when there is no such port. */
bool switch_of_ports(const struct switch_of *of, uint32_t number,
		     void (*fn)(void *ctx, const struct of_port *p), void *ctx);
bool switch_of_port_stats(const struct switch_of *of, uint32_t number,
			  void (*fn)(void *ctx, const struct of_port_stats *s),
			  void *ctx);
enum of_error switch_of_port_mod(struct switch_of *of,
				 const struct of_port_mod *pm) MUST_CHECK;

/* --- packets --- */
enum of_error switch_of_packet_out(struct switch_of *of,
				   const struct of_packet_out *po) MUST_CHECK;

#endif
