/* SPDX-License-Identifier: Apache-2.0 */
/* Examinations: the doctor's visits, each on a thread of its own.
 *
 * What      copies what weft knows, has the doctor look at it beside the loop,
 *           answers the call that asked.
 * Why so    other hosts may take seconds to answer, or not answer: the control
 *           thread must not wait for them.
 * Invariant X1 at most EXAMINE_MAX at once; each ends by itself within seconds
 *           (doctor/facts.h), and examine_fini waits for that.
 * Threads   the control thread; the doctor's thread sees its copy only.
 * Owns      its threads and the calls they will answer. */
#ifndef CONTROL_EXAMINE_H
#define CONTROL_EXAMINE_H

#include "base/list.h"

#define EXAMINE_MAX 4u

struct control;
struct json_object;
struct rpc_call;
struct subject;

struct examinations {
	struct list running;
	unsigned n;
};

void examine_init(struct examinations *x);
void examine_fini(struct examinations *x);
/* The method "doctor". */
void examine_start(struct control *c, struct rpc_call *call);
/* What weft knows now; subject_fini frees. */
void examine_subject(struct control *c, struct subject *s);

#endif
