/* SPDX-License-Identifier: Apache-2.0 */
/* A trace: what translation did and why, step by step, for people.
 *
 * What      a sink that is told each step: which object, what it decided, where
 *           it stands in the user's file.
 * Why so    explain is the very function that forwards, asked with a sink
 *           (promise 6); with no sink a step costs one test of a pointer.
 * Threads   the translating one. */
#ifndef PIPELINE_TRACE_H
#define PIPELINE_TRACE_H

#include "base/defs.h"
#include "pipeline/snapshot.h"

enum trace_kind {
	TRACE_PORT,
	TRACE_RULE,
	TRACE_BRIDGE,
	TRACE_ROUTER,
	TRACE_TUNNEL,
	TRACE_SLOW, /* goes to the control thread */
	TRACE_DROP,
	TRACE_OUTPUT,
};

struct trace_step {
	enum trace_kind kind;
	unsigned depth;     /* routed hops so far */
	const char *object; /* name of the port, bridge, router, ... */
	const char *text;   /* what it decided and why */
	struct snap_origin origin;
};

struct trace {
	void (*step)(struct trace *t, const struct trace_step *step);
};

const char *trace_kind_name(enum trace_kind k);

#endif
