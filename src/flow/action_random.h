/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: random lists of actions, well formed, every op among them.
 *
 * What      what acts_check accepts (in a rule, or in a verdict only), to show
 *           that whatever it accepts can be printed, parsed and run.
 * Threads   values. */
#ifndef FLOW_ACTION_RANDOM_H
#define FLOW_ACTION_RANDOM_H

#include "flow/action.h"

/* Appends up to a dozen ops; nested lists only above `depth` ACTS_MAX_DEPTH. */
void action_random(struct acts *out, uint64_t *seed, unsigned depth,
		   bool in_rule);

#endif
