/* SPDX-License-Identifier: Apache-2.0 */
/* How far a change is: told to whoever waits for it.
 *
 * What      the step that is at work, of how many, in the file's words, sent
 *           before it begins.
 * Why so    a change of thousands of ports, or one device that the kernel takes
 *           its time over, keeps the control thread: the caller sees where it is.
 * Threads   the control thread.
 * Owns      nothing; the call is the caller's. */
#ifndef CONTROL_PROGRESS_H
#define CONTROL_PROGRESS_H

#include "base/defs.h"

struct rpc_call;

struct progress {
	struct rpc_call *call; /* who is told, or NULL */
	unsigned at, of;       /* steps; 0: none yet */
	bool undoing;
};

/* A change of `of` steps begins; with `undoing`, the undo of one. */
void progress_begin(struct progress *p, unsigned of, bool undoing);
/* The next one: "port" "vm1". */
void progress_step(struct progress *p, const char *kind, const char *name);

#endif
