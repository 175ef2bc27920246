/* SPDX-License-Identifier: Apache-2.0 */
/* Inside action text: what printing and parsing share.
 *
 * What      the words: names of ops, of tunnel flags, the characters of a name.
 * Why so    two files that must agree read one table.
 * Threads   read-only. */
#ifndef FLOW_ACTION_TEXT_H
#define FLOW_ACTION_TEXT_H

#include "flow/action.h"

/* A port name of other characters is written in quotes. */
#define ACT_WORD_CHARS                                                         \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-@"
#define ACT_PROBABILITY_ONE 4294967296.0

/* TUNNEL_F_ bits, from the lowest. */
extern const char *const act_tunnel_flags[4];

/* NULL when there is no such op. */
const char *act_op_name(enum act_op op);

static inline uint32_t act_probability(double percent)
{
	double p = percent / 100 * ACT_PROBABILITY_ONE + 0.5;

	return p >= UINT32_MAX ? UINT32_MAX : (uint32_t)p;
}

#endif
