/* SPDX-License-Identifier: Apache-2.0 */
/* Control: makes the host what the model says.
 *
 * What      the applied model, durable; the difference to a new one as ordered
 *           steps, all undone when one fails; devices followed as they come and
 *           go; the methods that `weft` calls.
 * Why so    starting, applying, undoing and rolling back are one path: bring the
 *           real ports and the switch from what they are to a view.
 * Invariant N1 what was acknowledged is in the store, synced, before the answer.
 *           N2 the switch points into `model` and `view`: they are freed only
 *           after the switch was given others.
 *           N3 a failed apply leaves ports, switch and store as they were.
 * Threads   the control thread. */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include "base/env.h"
#include "base/err.h"
#include "model/diff.h"
#include "model/model.h"

struct control;
struct loop;
struct rpc_call;
struct vswitch;

struct control_config {
	struct env *env;
	struct loop *loop;
	const char *host;  /* our name in the file */
	const char *state; /* folder of what must survive */
	const char *run;   /* folder of sockets */
	unsigned n_workers;
	uint32_t flows_max;
	const char *metrics; /* "127.0.0.1:9469", or NULL: the socket alone */
	bool operators;      /* members of our own group may command us */
	bool accel; /* keep flows in the kernel too, where it is permitted */
};

/* Opens the store, realises what it holds, listens. NULL with a sentence. */
struct control *control_create(const struct control_config *c,
			       struct err *e) MUST_CHECK;
/* Takes everything down in reverse. Devices stay, as they would after a crash,
 * for the next daemon to find. */
void control_destroy(struct control *c);

/* What goes into the history with a model. */
struct control_change {
	const char *who, *why;
	const char *text, *file; /* as a person wrote it, or NULL */
	struct rpc_call *call;   /* who hears of each step, or NULL */
};

/* Takes the model when it succeeds. */
int control_apply(struct control *c, struct model *m,
		  const struct control_change *ch, struct err *e) MUST_CHECK;
const struct model *control_model(const struct control *c);

#endif
