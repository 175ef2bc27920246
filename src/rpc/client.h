/* SPDX-License-Identifier: Apache-2.0 */
/* The command's side: ask the daemon and wait.
 *
 * What      connect, call a method, get its result or its errors.
 * Why so    blocking with a time-out is all that a command needs.
 * Threads   one.
 * Owns      its socket. */
#ifndef RPC_CLIENT_H
#define RPC_CLIENT_H

#include "base/err.h"

struct json_object;
struct rpc_client;

/* NULL with a sentence that says what to do about it. */
struct rpc_client *rpc_client_create(const char *path,
				     struct err *e) MUST_CHECK;
void rpc_client_destroy(struct rpc_client *c);

struct rpc_client_call {
	const char *method;
	struct json_object *params; /* taken; may be NULL */
	unsigned timeout_ms; /* without a word from the daemon; 0: none */
	/* Called for each progress message, or NULL. */
	void (*progress)(void *arg, struct json_object *value);
	/* Called for bytes that come between, or NULL. */
	void (*bytes)(void *arg, const char *bytes, size_t len);
	/* Called every `idle_ms` while no word comes, or NULL. */
	void (*idle)(void *arg);
	unsigned idle_ms;
	void *arg;
};

#define RPC_MAX_ERRORS 20u

struct rpc_client_reply {
	struct json_object *result; /* NULL when it failed */
	struct err errors[RPC_MAX_ERRORS];
	unsigned n_errors;
};

/* 0 with a result, -EINVAL when the daemon refused, another -errno when it
 * could not be asked; errors then say why. */
int rpc_client_call(struct rpc_client *c, const struct rpc_client_call *call,
		    struct rpc_client_reply *out) MUST_CHECK;
void rpc_client_reply_fini(struct rpc_client_reply *r);

#endif
