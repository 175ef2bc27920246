/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of a change, told while it takes longer than a second.
 *
 * What      on a terminal one line that is written anew; elsewhere a line a
 *           second; on stderr, so that the answer stays clean.
 * Why so    what is quick needs no words; what is slow shall not look dead.
 * Threads   one. */
#ifndef CLI_STEPS_H
#define CLI_STEPS_H

#include "base/str.h"

struct cli;
struct rpc_client_call;

struct steps {
	bool is_terminal, is_shown;
	uint64_t began_ms, told_ms;
	unsigned width;  /* of the terminal */
	struct str line; /* what is at work */
};

/* Sets what `call` does while it waits; `s` must stay until steps_end. */
void steps_begin(struct steps *s, const struct cli *c,
		 struct rpc_client_call *call);
void steps_end(struct steps *s);

#endif
