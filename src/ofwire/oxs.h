/* SPDX-License-Identifier: Apache-2.0 */
/* Statistics of a flow as 1.5 writes them.
 *
 * What      struct of_counts <-> a list of OXS fields behind a length.
 * Why so    flow statistics, aggregates and removals share it.
 * Invariant S1 what is not said is zero.
 * Threads   values.
 * Refs      OpenFlow 1.5.1 7.2.4 (Flow Stats Structures). */
#ifndef OFWIRE_OXS_H
#define OFWIRE_OXS_H

#include "ofwire/message.h"

/* Which are written: one bit a field, by its number. */
#define OXS_DURATION 0x01u
#define OXS_IDLE 0x02u
#define OXS_FLOWS 0x08u
#define OXS_PACKETS 0x10u
#define OXS_BYTES 0x20u
#define OXS_FLOW (OXS_DURATION | OXS_IDLE | OXS_PACKETS | OXS_BYTES)
#define OXS_AGGREGATE (OXS_FLOWS | OXS_PACKETS | OXS_BYTES)

struct of_counts {
	uint64_t packets, bytes;
	uint32_t duration_sec, duration_nsec;
	uint32_t idle_sec;
	uint32_t flows;
};

enum of_error oxs_get(struct cursor *c, struct of_counts *counts) MUST_CHECK;
void oxs_put(struct of_out *o, const struct of_counts *counts, unsigned which);

#endif
