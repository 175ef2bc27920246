/* SPDX-License-Identifier: Apache-2.0 */
/* Messages about flows: changes, statistics, removals.
 *
 * What      FLOW_MOD, FLOW_STATS and AGGREGATE both ways, FLOW_REMOVED, in the
 *           forms of all versions and Nicira's.
 * Why so    one struct a purpose; version and dialect choose the layout.
 * Owns      a decoded struct owns its actions: the _fini function frees.
 * Threads   values.
 * Refs      OpenFlow 1.0.0 5.3.3, 5.3.5, 5.4.2; 1.5.1 7.3.4.2, 7.3.5.2,
 *           7.4.2; nicira-ext.h (nx_flow_mod, nx_flow_stats). */
#ifndef OFWIRE_FLOW_H
#define OFWIRE_FLOW_H

#include "ofwire/acts.h"
#include "ofwire/match.h"
#include "ofwire/oxs.h"

enum of_flow_command {
	OF_FLOW_ADD,
	OF_FLOW_MODIFY,
	OF_FLOW_MODIFY_STRICT,
	OF_FLOW_DELETE,
	OF_FLOW_DELETE_STRICT,
};

#define OF_FLOW_SEND_REM 1u
#define OF_FLOW_CHECK_OVERLAP 2u
#define OF_FLOW_RESET_COUNTS 4u  /* 1.2 on */
#define OF_FLOW_NO_PKT_COUNTS 8u /* 1.3 on */
#define OF_FLOW_NO_BYT_COUNTS 16u
#define OF_FLOW_EMERG 0x8000u /* 1.0's 4: emergency flows, refused */
#define OF_COOKIE_KEEP UINT64_MAX

struct of_flow_mod {
	uint8_t command; /* enum of_flow_command */
	uint8_t table;   /* OF_TABLE_ALL: not said, or all */
	uint16_t priority, idle, hard, importance, flags;
	uint32_t buffer_id, out_port, out_group;
	uint64_t cookie, cookie_mask; /* which flows are meant */
	uint64_t new_cookie; /* what they get; OF_COOKIE_KEEP: as it is */
	struct match match;
	struct of_acts acts; /* instructions among them */
};

void of_flow_mod_fini(struct of_flow_mod *fm);
/* `d` says whether 1.0's command has a table in it. */
enum of_error of_flow_mod_decode(const struct of_msg *m,
				 const struct of_dialect *d,
				 struct of_flow_mod *fm) MUST_CHECK;
/* False when the version could not say all of it (then o is as before). */
bool of_flow_mod_encode(struct of_out *o, const struct of_dialect *d,
			uint32_t xid, const struct of_flow_mod *fm);

/* Which flows are asked for: FLOW_STATS_REQUEST, AGGREGATE_STATS_REQUEST. */
struct of_flow_query {
	uint8_t table;
	uint32_t out_port, out_group;
	uint64_t cookie, cookie_mask;
	struct match match;
};

enum of_error of_flow_query_decode(const struct of_msg *m,
				   struct of_flow_query *q) MUST_CHECK;
void of_flow_query_encode(struct of_out *o, enum of_kind kind,
			  const struct of_dialect *d, uint32_t xid,
			  const struct of_flow_query *q);

struct of_flow_stats {
	uint8_t table;
	uint16_t priority, idle, hard, importance, flags;
	uint64_t cookie;
	struct of_counts counts;
	/* Seconds since used and changed, in Nicira's form; -1 unknown. */
	int32_t idle_age, hard_age;
	struct match match;
	struct of_acts acts;
};

/* One part of a FLOW_STATS_REPLY, written between of_parts_begin and _end.
 * `nxm` of the dialect is the form of the reply. */
void of_flow_stats_encode(struct of_out *o, const struct of_dialect *d,
			  const struct of_flow_stats *fs);
/* Takes the next part off m->body. */
enum of_error of_flow_stats_decode(struct of_msg *m,
				   struct of_flow_stats *fs) MUST_CHECK;
void of_flow_stats_fini(struct of_flow_stats *fs);

/* In the form of the request (nxm of the dialect). */
void of_aggregate_encode(struct of_out *o, const struct of_dialect *d,
			 uint32_t xid, const struct of_counts *counts);
enum of_error of_aggregate_decode(const struct of_msg *m,
				  struct of_counts *counts) MUST_CHECK;

enum of_flow_removed_reason {
	OF_REMOVED_IDLE,
	OF_REMOVED_HARD,
	OF_REMOVED_DELETE,
	OF_REMOVED_GROUP,
	OF_REMOVED_METER,    /* 1.4 on */
	OF_REMOVED_EVICTION, /* 1.4 on */
};

struct of_flow_removed {
	uint8_t reason, table; /* OF_TABLE_ALL: not said */
	uint16_t priority, idle, hard;
	uint64_t cookie;
	struct of_counts counts;
	struct match match;
};

void of_flow_removed_encode(struct of_out *o, const struct of_dialect *d,
			    uint32_t xid, const struct of_flow_removed *fr);
enum of_error of_flow_removed_decode(const struct of_msg *m,
				     struct of_flow_removed *fr) MUST_CHECK;

#endif
