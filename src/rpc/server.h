/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's side: methods that clients call.
 *
 * What      a unix socket in the event loop, many clients, a table of methods.
 * Why so    a handler gets a call, and answers it then or later; whether the
 *           client is still there is not its concern.
 * Invariant S1 each call is answered exactly once by its handler, and is gone
 *           then. S2 a client has one call at a time: its next request is read
 *           when the answer left. S3 a client that is not trusted (not root, not
 *           the daemon's own user, no operator) costs at most 8 MB, whatever it
 *           sends and however slowly it reads. S4 clients of others never take
 *           the last places: root gets in.
 * Threads   the loop's.
 * Owns      its clients and their calls. */
#ifndef RPC_SERVER_H
#define RPC_SERVER_H

#include "base/err.h"
#include "sys/unix_socket.h"

struct json_object;
struct loop;
struct rpc_call;
struct rpc_server;

#define RPC_MAX_CLIENTS 64u
#define RPC_MAX_UNTRUSTED 32u
#define RPC_UNTRUSTED_REQUEST (1u << 20)
#define RPC_UNTRUSTED_REPLY (2u << 20)
#define RPC_MAX_QUEUE (1u << 20) /* progress beyond it is dropped */
#define RPC_MAX_BYTES (4u << 20) /* bytes beyond it are refused */
#define RPC_STALL_MS 30000u      /* a message half sent, an answer not read */

struct rpc_method {
	const char *name;
	/* Answers `call`, now or later. `params` is an object, or NULL, and is
	 * gone when the handler returns. */
	void (*fn)(void *arg, struct rpc_call *call,
		   struct json_object *params);
};

struct rpc_server_spec {
	struct unix_socket_spec socket;
	bool has_operators; /* members of the process's own group are trusted */
	const struct rpc_method *methods;
	unsigned n_methods;
	void *arg; /* for the methods */
};

/* NULL with a sentence. The spec's methods must outlive the server. */
struct rpc_server *rpc_server_create(struct loop *loop,
				     const struct rpc_server_spec *s,
				     struct err *e) MUST_CHECK;
/* Calls still open may be answered afterwards: into nothing. */
void rpc_server_destroy(struct rpc_server *s);
unsigned rpc_server_n_clients(const struct rpc_server *s);

/* Who calls. */
const struct unix_socket_peer *rpc_call_peer(const struct rpc_call *c);
/* Is it root, our own user, or an operator? */
bool rpc_call_is_trusted(const struct rpc_call *c);
/* Nobody waits for the answer any more. It must be given all the same. */
bool rpc_call_is_abandoned(const struct rpc_call *c);
/* The three take `value`; all but progress end the call. */
void rpc_call_progress(struct rpc_call *c, struct json_object *value);
/* Sends what was told so far, as far as the client takes it now: for a handler
 * that keeps the loop waiting. */
void rpc_call_flush(struct rpc_call *c);
/* Bytes that are no JSON (a capture), in their place among the progress. False,
 * and nothing was taken: the client has not read what it was sent before, or is
 * gone. `len` is at most RPC_MAX_BYTES. */
bool rpc_call_bytes(struct rpc_call *c, const void *bytes,
		    size_t len) MUST_CHECK;
void rpc_call_result(struct rpc_call *c, struct json_object *value);
void rpc_call_error(struct rpc_call *c, const struct err *e);
void rpc_call_errors(struct rpc_call *c, const struct err *items, unsigned n);

#endif
