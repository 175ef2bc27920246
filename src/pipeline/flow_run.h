/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the pipeline: OpenFlow rules under way.
 *
 * What      what is known while the rules of one packet run: where it is, its
 *           action set, its stack. Not for other rooms.
 * Why so    flow_run.c walks tables, lists and groups; flow_act.c does what
 *           changes the packet or the pipeline's own fields.
 * Invariant R1 look-ups nest at most PIPELINE_MAX_DEPTH deep, and are at most
 *           PIPELINE_MAX_LOOKUPS. R2 key.in_port is OpenFlow's number.
 * Threads   the translating one; lives on its stack. */
#ifndef PIPELINE_FLOW_RUN_H
#define PIPELINE_FLOW_RUN_H

#include "pipeline/flows.h"
#include "pipeline/xlate.h"

#define FLOW_RUN_STACK 32u
#define FLOW_RUN_FIELDS 48u
#define FLOW_RUN_NO_TABLE 0xffu

/* OpenFlow 1.5.1 5.6: one of a kind; one set-field a field. */
struct flow_set {
	const struct of_act *one[N_OFA];
	const struct of_act *fields[FLOW_RUN_FIELDS];
	unsigned n_fields, n;
};

struct flow_run {
	struct xlate *x;
	const struct snap_bridge *b;
	const struct flow_rule *rule; /* NULL: of a packet-out */
	unsigned depth, lookups;
	uint8_t table, next;
	uint8_t reason; /* enum of_packet_in_reason of a punt from here */
	bool over;      /* exit, or a TTL ran out: nothing more is done */
	bool sent;      /* it went somewhere */
	struct flow_set set;
	unsigned n_stack;
	struct field_value stack[FLOW_RUN_STACK];
};

/* A copy for the controllers. */
void flow_run_punt(struct flow_run *r, uint16_t id, uint16_t max_len,
		   uint8_t reason);

/* Looks at all of a field, and at what says that it is there. */
void flow_act_look(struct flow_run *r, uint16_t field);
struct field_value flow_act_read(struct flow_run *r, const struct of_sub *sub);
/* Actions that change the packet or what the pipeline knows of it. */
void flow_act(struct flow_run *r, const struct of_act *a);

#endif
