/* SPDX-License-Identifier: Apache-2.0 */
/* A verdict: what translation says about one packet, and for whom it holds.
 *
 * What      actions; the mask of bits that were looked at; the effects that
 *           each packet of the flow has on learned state, as data; the stamps
 *           of everything changeable that was asked.
 * Why so    translation has no side effects (decision D2): the switch applies
 *           effects, the caches replay them when statistics come, explain
 *           prints them. A cached verdict holds for every packet equal under
 *           `mask`, while all `deps` are fresh.
 * Invariant V1 in_port is always in the mask. V2 more dependencies or effects
 *           than fit: cacheable is false and the verdict serves this packet
 *           only. V3 an empty action list drops with `drop` as the reason.
 * Threads   a value; scratch of the thread that translates. */
#ifndef FLOW_VERDICT_H
#define FLOW_VERDICT_H

#include "base/stamp.h"
#include "flow/action.h"
#include "flow/key.h"

#define VERDICT_MAX_EFFECTS 64u
#define VERDICT_MAX_DEPS 12u

enum effect_kind {
	EFFECT_LEARN, /* station `mac` of domain `id` is behind `port` */
	EFFECT_NEIGH, /* neighbour entry `id` was used to forward */
	EFFECT_COUNT, /* counter `id` (a rule, route, ...) counts this packet */
	EFFECT_GROUP, /* multicast group entry `id` was used */
};

struct effect {
	uint32_t kind; /* enum effect_kind */
	uint32_t id;
	uint32_t port;
	struct eth_addr mac;
	uint16_t vid;
	uint32_t zero;
};

struct verdict {
	struct flow_mask mask;
	struct dep deps[VERDICT_MAX_DEPS];
	struct effect effects[VERDICT_MAX_EFFECTS];
	uint8_t n_deps, n_effects;
	bool cacheable;
	uint16_t drop; /* enum drop, when nothing is sent */
	struct acts actions;
};

/* Clears for a new translation: empty list, mask with in_port only. */
void verdict_init(struct verdict *v);
void verdict_add_dep(struct verdict *v, struct dep d);
void verdict_add_effect(struct verdict *v, const struct effect *e);

#endif
