/* SPDX-License-Identifier: Apache-2.0 */
/* Messages: requests, results, errors, progress, as JSON.
 *
 * What      {"id", "method", "params"} is asked; {"id", "result"} or {"id",
 *           "error"} is answered, after any number of {"id", "progress"}.
 * Why so    readable with any tool; docs/rpc.md has the methods.
 * Invariant M1 what is parsed has at most `max_values` values and MESSAGE_DEPTH
 *           levels: a small message cannot become a large tree.
 * Threads   none of its own.
 * Refs      RFC 8259. */
#ifndef RPC_MESSAGE_H
#define RPC_MESSAGE_H

#include "base/err.h"

struct json_object;

#define MESSAGE_DEPTH 32
#define MESSAGE_MAX_VALUES 16384u /* in a request */
#define MESSAGE_MAX_REPLY_VALUES (8u << 20)
#define MESSAGE_MAX_MORE 19u /* errors beside the first */

/* Strict JSON, valid UTF-8, nothing behind it. NULL with a sentence. */
struct json_object *message_parse(const char *text, size_t len,
				  unsigned max_values,
				  struct err *e) MUST_CHECK;

struct message_request {
	int64_t id;
	const char *method;         /* in the JSON */
	struct json_object *params; /* an object; in the JSON, or NULL */
};

int message_request_decode(struct json_object *o, struct message_request *out,
			   struct err *e) MUST_CHECK;
/* Takes `params` (may be NULL). */
struct json_object *message_request(int64_t id, const char *method,
				    struct json_object *params);
/* Take `value`. */
struct json_object *message_result(int64_t id, struct json_object *value);
struct json_object *message_progress(int64_t id, struct json_object *value);
/* {"text", "file", "line", "column", "more": [the same, ...]} of the `n` >= 1
 * errors. */
struct json_object *message_error(int64_t id, const struct err *items,
				  unsigned n);

/* What a message from the server is. */
enum message_kind {
	MESSAGE_RESULT,
	MESSAGE_ERROR,
	MESSAGE_PROGRESS,
	MESSAGE_BAD,
};

/* `value`, in the JSON, is the result, error or progress. */
enum message_kind message_reply_decode(struct json_object *o, int64_t *id,
				       struct json_object **value);
/* The errors of an error reply: at most `max`; returns how many. */
unsigned message_error_decode(struct json_object *error, struct err *items,
			      unsigned max);

#endif
