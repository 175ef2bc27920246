/* SPDX-License-Identifier: Apache-2.0 */
/* Changes that undo themselves unless somebody confirms them.
 *
 * What      remembers, durably, which state to go back to and until when; watches
 *           the hosts that answered before the change.
 * Why so    who changes the network he sits behind may cut himself off: then
 *           nobody is left to undo it but the daemon. A gateway or a caller that
 *           answered before and no longer does is reason enough, without
 *           waiting for the time to pass.
 * Invariant K1 the file is written before the change and removed after the
 *           confirmation or the undo: a daemon that is killed in between undoes
 *           at its next start, or goes on waiting.
 * Bounds    CONFIRM_MAX_S; CONFIRM_WATCHED hosts, CONFIRM_SILENT seconds without
 *           an answer.
 * Threads   the control thread. */
#ifndef CONTROL_CONFIRM_H
#define CONTROL_CONFIRM_H

#include "base/addr.h"
#include "base/err.h"
#include "sys/loop.h"
#include "sys/ping.h"

#define CONFIRM_MAX_S 86400u
#define CONFIRM_WATCHED 4u
#define CONFIRM_SILENT 3u

struct control;
struct json_object;

struct confirm_host {
	struct ip_addr address;
	const char *what; /* "the gateway" */
	struct ping ping;
	unsigned silent; /* seconds */
	uint16_t seq;
};

struct confirm {
	struct timer timer;
	bool pending;
	uint64_t serial;  /* to go back to */
	uint64_t until_s; /* wall clock */
	struct confirm_host hosts[CONFIRM_WATCHED];
	unsigned n_hosts;
	bool verifying; /* undone: do they answer again? */
	unsigned verify_left;
	char *outcome; /* of the last one, a sentence; or NULL */
};

void confirm_init(struct control *c);
void confirm_fini(struct control *c);
/* Before the change: finds out who answers (takes up to half a second), writes it
 * down. `caller`: who called from elsewhere, or NULL. */
int confirm_begin(struct control *c, uint64_t seconds, const char *caller,
		  struct err *e) MUST_CHECK;
/* The change failed and is undone already: as if nothing had been. */
void confirm_abandon(struct control *c);
/* It stays. -ENOENT with the sentence of what became of the last. */
int confirm_accept(struct control *c, struct err *e) MUST_CHECK;
/* Back now, at the caller's wish. */
int confirm_undo(struct control *c, const char *why, struct err *e) MUST_CHECK;
/* At start: what a killed daemon was waiting for. */
void confirm_recover(struct control *c);
/* {pending, seconds_left, serial, watched, outcome} */
struct json_object *confirm_json(const struct control *c);

#endif
