/* SPDX-License-Identifier: Apache-2.0 */
/* JSON-RPC 1.0 on a stream: what OVSDB and control sockets speak.
 *
 * What      reads messages as bytes arrive, says which of four kinds each is,
 *           and writes the four kinds. Answers echo and probes with it.
 * Why so    both ends may ask, so there is one session for servers and clients.
 *           A text that goes to many is made once (stream_text) and wrapped for
 *           each.
 * Invariant J1 what is no message ends the connection, with a sentence.  J2 a
 *           message costs its sender's limits at most.  J3 `rx` and `closed` are
 *           called from the loop only; after `closed` or jsonrpc_destroy nothing
 *           is called.
 * Threads   the loop's.
 * Owns      its stream and the message that is being read.
 * Refs      JSON-RPC 1.0; RFC 7047 4, 4.1.11 (echo). */
#ifndef JSONRPC_JSONRPC_H
#define JSONRPC_JSONRPC_H

#include "base/json.h"
#include "sys/stream.h"

/* What a message may cost where its sender is trusted, and where not: memory
 * counts the text's tree, which is what is kept of it. */
#define JSONRPC_TEXT_MAX (256u << 20)
#define JSONRPC_MEMORY_MAX (2048ull << 20)
#define JSONRPC_STRANGER_TEXT_MAX (4u << 20)
#define JSONRPC_STRANGER_MEMORY_MAX (8u << 20)

enum jsonrpc_kind {
	JSONRPC_REQUEST, /* method, params, id */
	JSONRPC_NOTIFY,  /* method, params */
	JSONRPC_REPLY,   /* result, id */
	JSONRPC_ERROR,   /* error, id */
};

/* Borrowed from a document. */
struct jsonrpc_message {
	enum jsonrpc_kind kind;
	const char *method;
	const struct json *params; /* an array */
	const struct json *result; /* also the error of a JSONRPC_ERROR */
	const struct json *id;     /* NULL in a JSONRPC_NOTIFY */
};

/* 0, or -EINVAL and a sentence. */
int jsonrpc_message_parse(const struct json *v, struct jsonrpc_message *out,
			  struct err *e) MUST_CHECK;

struct jsonrpc;

struct jsonrpc_ops {
	/* A message, but no echo. `*doc` holds it: the callee may keep it by
	 * setting *doc NULL, and then destroys it. May destroy the session. */
	void (*rx)(void *arg, const struct jsonrpc_message *m,
		   struct json_doc **doc);
	/* All that was sent is out; NULL: nobody asks. */
	void (*drained)(void *arg);
	/* The connection ended; the session is freed when this returns. */
	void (*closed)(void *arg, const char *why);
};

/* Takes the stream, which has no owner yet. */
struct jsonrpc *jsonrpc_create(struct stream *s,
			       const struct json_limits *limits,
			       const struct jsonrpc_ops *ops, void *arg);
/* Limits by how the peer came: over a unix socket or with a certificate it is
 * known, else a stranger. */
const struct json_limits *jsonrpc_limits_of(const struct stream *s);
/* Closes; NULL is fine. */
void jsonrpc_destroy(struct jsonrpc *j);
/* The same when all that was sent is out. */
void jsonrpc_destroy_sent(struct jsonrpc *j);
/* For names, limits and probes; its ops are the session's. */
struct stream *jsonrpc_stream(struct jsonrpc *j);
/* No rx until jsonrpc_resume, but perhaps the one under way. */
void jsonrpc_pause(struct jsonrpc *j);
void jsonrpc_resume(struct jsonrpc *j);

/* Params, results and errors are JSON texts. */
void jsonrpc_send_reply(struct jsonrpc *j, const struct json *id,
			const char *result, size_t n);
void jsonrpc_send_error(struct jsonrpc *j, const struct json *id,
			const char *error, size_t n);
void jsonrpc_send_notify(struct jsonrpc *j, const char *method,
			 const char *params, size_t n);
void jsonrpc_send_request(struct jsonrpc *j, uint64_t id, const char *method,
			  const char *params, size_t n);
/* The notification `method` with params [first,shared]. */
void jsonrpc_send_shared(struct jsonrpc *j, const char *method,
			 const struct json *first, struct stream_text *shared);

#endif
