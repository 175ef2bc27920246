/* SPDX-License-Identifier: Apache-2.0 */
/* Changes that undo themselves unless somebody confirms them.
 *
 * What      remembers, durably, which state to go back to and until when; goes
 *           back at once when the lookout says that somebody is cut off; then
 *           looks whether all is as it was, and says so.
 * Why so    who changes the network he sits behind may cut himself off: then
 *           nobody is left to undo it but the daemon.
 * Invariant K1 the file is written before the change and removed after the
 *           confirmation or the undo: a daemon that is killed in between undoes
 *           at its next start, or goes on waiting; what was watched it no
 *           longer knows.
 * Bounds    CONFIRM_MAX_S; an undo is verified for CONFIRM_VERIFY_S at most.
 * Threads   the control thread. */
#ifndef CONTROL_CONFIRM_H
#define CONTROL_CONFIRM_H

#include "base/err.h"
#include "control/lookout.h"
#include "sys/loop.h"

#define CONFIRM_MAX_S 86400u
#define CONFIRM_VERIFY_S 20u

struct control;
struct json_object;

struct confirm {
	struct timer timer;
	bool pending;
	uint64_t serial;  /* to go back to */
	uint64_t until_s; /* wall clock */
	struct lookout lookout;
	bool verifying; /* undone: is all as it was? */
	unsigned verify_left;
	char *outcome;             /* of the last one, a sentence; or NULL */
	bool is_verified, is_back; /* is_back: all was as before */
};

/* Who made the change, from elsewhere; either may be NULL. */
struct confirm_caller {
	const char *address;
	const char *connection; /* as in SSH_CONNECTION */
};

void confirm_init(struct control *c);
void confirm_fini(struct control *c);
/* Before the change: finds out what works (takes up to a second), writes down
 * what to go back to. */
int confirm_begin(struct control *c, uint64_t seconds,
		  const struct confirm_caller *caller,
		  struct err *e) MUST_CHECK;
/* The change failed and is undone already: as if nothing had been. */
void confirm_abandon(struct control *c);
/* It stays. -ENOENT with the sentence of what became of the last. */
int confirm_accept(struct control *c, struct err *e) MUST_CHECK;
/* Back now, at the caller's wish. */
int confirm_undo(struct control *c, const char *why, struct err *e) MUST_CHECK;
/* Another change is about to be made: what the undo before it has brought back is
 * said now. */
void confirm_settle(struct control *c);
/* At start: what a killed daemon was waiting for. */
void confirm_recover(struct control *c);
/* {pending, seconds_left, serial, watched, outcome, as_before} */
struct json_object *confirm_json(const struct control *c);

#endif
