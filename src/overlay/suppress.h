/* SPDX-License-Identifier: Apache-2.0 */
/* ARP and ND suppression: is a question answered here or carried to all hosts?
 *
 * What      one decision over what is known about the question and its target.
 * Why so    in a network of many hosts most broadcast is ARP; the host that
 *           knows the answer gives it. What tests whether somebody lives (a
 *           probe, duplicate detection) must reach everybody, always.
 * Threads   values.
 * Refs      RFC 826, 4861, 5227 2.1.1, 4862 5.4; RFC 9161 (proxy ARP/ND). */
#ifndef OVERLAY_SUPPRESS_H
#define OVERLAY_SUPPRESS_H

#include "base/defs.h"

struct suppress_question {
	bool is_probe;        /* ARP from 0.0.0.0, NS from :: */
	bool is_gratuitous;   /* sender and target are the same address */
	bool is_answer;       /* not a question at all */
	bool for_router;      /* target is an address of the router */
	bool target_known;    /* the neighbour table has a usable MAC */
	bool target_is_asker; /* ... which is the asker's own */
	bool from_peer;       /* came out of a tunnel */
	bool enabled;         /* suppression is on for this network */
};

enum suppress {
	SUPPRESS_FLOOD, /* to all, peers included */
	SUPPRESS_LOCAL, /* to local ports only; peers were asked by the sender */
	SUPPRESS_ANSWER, /* answered here, goes nowhere */
};

enum suppress suppress_decide(const struct suppress_question *q);
/* Why, in words, for explain. */
const char *suppress_reason(const struct suppress_question *q);

#endif
