/* SPDX-License-Identifier: Apache-2.0 */
/* Control sockets: commands to a running daemon, as ovs-appctl sends them.
 *
 * What      a registry of named commands, and a unix socket on which they are
 *           called: the method is the command, params are its words, the result
 *           is text. list-commands and version are built in.
 * Why so    scripts of the field look for this socket beside the pid file and
 *           speak to it with ovs-appctl; one registry serves every daemon of
 *           ours that has one.
 * Invariant U1 a command is called with as many words as it said it takes.  U2
 *           each call is answered exactly once, at once or later; when its
 *           caller is gone by then, nothing happens.
 * Threads   the loop's.
 * Owns      socket and connections; names and usages are borrowed.
 * Refs      ovs-appctl(8), ovsdb(7). */
#ifndef JSONRPC_UNIXCTL_H
#define JSONRPC_UNIXCTL_H

#include "base/err.h"
#include "base/str.h"

/* Connections at once, and bytes of one request. */
#define UNIXCTL_CLIENTS_MAX 64
#define UNIXCTL_REQUEST_MAX 65536

struct loop;
struct unixctl;
struct unixctl_call;

typedef void unixctl_fn(struct unixctl_call *call, unsigned n_words,
			const char *const words[], void *arg);

struct unixctl_command {
	const char *name;
	const char *usage; /* of its words; "" when it takes none */
	unsigned min_words, max_words;
	/* Answers through unixctl_reply or unixctl_refuse; `words` are gone when
	 * it returns. */
	unixctl_fn *fn;
	void *arg;
};

struct unixctl_spec {
	const char *path;
	unsigned mode;       /* of the socket's file; 0: 0700 */
	const char *version; /* what `version` prints; borrowed */
};

/* NULL and the sentence when the socket cannot be had. */
struct unixctl *unixctl_create(struct loop *loop, const struct unixctl_spec *s,
			       struct err *e) MUST_CHECK;
/* Calls that wait are dropped; their owners must not answer any more. */
void unixctl_destroy(struct unixctl *u);
/* A later one of the same name takes the place. */
void unixctl_put(struct unixctl *u, const struct unixctl_command *c);
/* vlog/list, vlog/set, vlog/reopen ... over base/log.h. */
void unixctl_put_log(struct unixctl *u);

void unixctl_reply(struct unixctl_call *call, const char *text);
/* ovs-appctl prints the text and fails. */
void unixctl_refuse(struct unixctl_call *call, const char *text);

#endif
