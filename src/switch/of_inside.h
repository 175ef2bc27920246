/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the switch: a bridge that is OpenFlow's.
 *
 * What      its tables, its ports' numbers and configuration, its watcher.
 * Why so    it lives from the apply that first says `openflow` to the one that
 *           no longer does, whatever else changes.
 * Invariant N1 a port keeps its number while its name is on the bridge.
 * Threads   the control thread; readers see flows and port configurations.
 * Owns      all of it; freed behind a grace period. */
#ifndef SWITCH_OF_INSIDE_H
#define SWITCH_OF_INSIDE_H

#include "pipeline/flows.h"
#include "switch/internal.h"
#include "switch/of.h"

#define OF_PORTS_MAX 0xfeffu /* what 1.0 can say */

struct sw_of_port {
	struct list link;
	char *name;
	uint32_t number;
	uint32_t id;     /* the datapath's */
	uint32_t config; /* atomic: OFPPC bits, SNAP_OF_LINK_DOWN */
	uint64_t since_ms;
	bool wanted, told;
	struct rcu_head rcu;
};

struct switch_of {
	struct vswitch *sw;
	uint32_t bridge;
	struct flows *flows;
	struct list timed; /* rules that end by themselves */
	uint64_t next_ms;  /* when they are looked at again */
	struct list ports;
	uint32_t port_hint;
	struct switch_of_undo *undo; /* NULL: no bundle is being made */
	const struct switch_of_ops *ops;
	void *ctx;
	struct rcu_head rcu;
};

/* build.c, retire.c */
void sw_of_configure(struct vswitch *sw, struct sw_bridge *b, bool on);
void sw_of_number(struct switch_of *of, const struct desired *d,
		  struct snap_bridge *s, struct snap_port *const *ports);
/* After the snapshot is published: ports that came and went are told of. */
void sw_of_settled(struct switch_of *of);
/* switch.c: the device of this port came, went, has a link or none. */
void sw_of_look(struct vswitch *sw, uint32_t id);
void sw_of_retire(struct switch_of *of);
/* tick.c */
uint64_t sw_of_deadline(const struct switch_of *of);
void sw_of_tick(struct switch_of *of);
/* slow.c */
void sw_of_punted(struct vswitch *sw, const struct punt *p);

void sw_of_rule_gone(struct switch_of *of, struct flow_rule *r, uint8_t reason);
/* Rules that send to the group go with it. */
void sw_of_group_gone(struct switch_of *of, uint32_t group);
/* Takes r; in the place of `old` when there is one. */
void sw_of_rule_put(struct switch_of *of, struct flow_rule *r,
		    struct flow_rule *old);
bool sw_of_acts_name(struct of_act_list acts, uint32_t port, uint32_t group);
/* of_undo.c: before a change. `old` NULL: `now` is new. */
void sw_of_note_rule(struct switch_of *of, const struct flow_rule *old,
		     const struct flow_rule *now);
void sw_of_note_group(struct switch_of *of, uint32_t id);
void sw_of_give_counter(struct switch_of *of, uint32_t counter);
void sw_of_group_copy(struct of_group *to, const struct of_group *from);

#endif
