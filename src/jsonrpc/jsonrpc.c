/* SPDX-License-Identifier: Apache-2.0 */
#include "jsonrpc/jsonrpc.h"

#include <stdio.h>

/* The id of an echo that is a probe. */
#define PROBE_ID "echo"

struct jsonrpc {
	struct stream *stream;      /* NULL: it is over */
	struct json_parser *parser; /* NULL: between messages */
	struct json_limits limits;
	const struct jsonrpc_ops *ops;
	void *arg;
	bool busy; /* in rx: freed behind it */
	bool paused;
	char why[160]; /* not empty: what the peer sent wrong */
};

/* --- messages ----------------------------------------------------------------- */

static const char *member_parse(struct jsonrpc_message *m, const char *name,
				const struct json *v)
{
	if (!strcmp(name, "method")) {
		if (!json_is_type(v, JSON_STRING))
			return "method must be a string";
		m->method = v->s;
	} else if (!strcmp(name, "params")) {
		if (!json_is_type(v, JSON_ARRAY))
			return "params must be an array";
		m->params = v;
	} else if (!strcmp(name, "id")) {
		m->id = json_is_type(v, JSON_NULL) ? NULL : v;
	} else if (strcmp(name, "result") && strcmp(name, "error")) {
		return "a member is unknown";
	}
	return NULL;
}

/* The kind, when just the members of one are there. */
static const char *message_classify(const struct json *v,
				    struct jsonrpc_message *m)
{
	const struct json *result = json_find(v, "result");
	const struct json *error = json_find(v, "error");
	bool failed = error && !json_is_type(error, JSON_NULL);

	if (m->method) {
		if (!m->params)
			return "a method wants params";
		if (failed || (result && !json_is_type(result, JSON_NULL)))
			return "a method has no result";
		m->kind = m->id ? JSONRPC_REQUEST : JSONRPC_NOTIFY;
		return NULL;
	}
	if (m->params)
		return "params want a method";
	if (!m->id)
		return "an answer wants an id";
	if (failed && result && !json_is_type(result, JSON_NULL))
		return "result and error exclude each other";
	if (!failed && !result)
		return "neither method, result nor error is there";
	m->kind = failed ? JSONRPC_ERROR : JSONRPC_REPLY;
	m->result = failed ? error : result;
	return NULL;
}

int jsonrpc_message_parse(const struct json *v, struct jsonrpc_message *out,
			  struct err *e)
{
	const char *wrong = NULL;

	*out = (struct jsonrpc_message){ 0 };
	if (!json_is_type(v, JSON_OBJECT))
		return err_set(e, "no JSON-RPC message: a %s and no object",
			       json_type_name(v));
	json_for_each_member(m, v) {
		wrong = wrong ? wrong : member_parse(out, m->name, &m->value);
	}
	if (!wrong)
		wrong = message_classify(v, out);
	if (wrong)
		return err_set(e, "no JSON-RPC message: %s", wrong);
	return 0;
}

/* --- sending ------------------------------------------------------------------- */

/* One text of up to three parts. */
static void send_parts(struct jsonrpc *j, const struct str *head,
		       const char *body, size_t n, const char *tail)
{
	size_t tail_n = strlen(tail);
	struct stream_text *t;

	if (!j->stream)
		return;
	t = stream_text_alloc(head->len + n + tail_n);
	memcpy(t->bytes, head->s, head->len);
	memcpy(t->bytes + head->len, body, n);
	memcpy(t->bytes + head->len + n, tail, tail_n);
	stream_send_text(j->stream, t);
	stream_text_unref(t);
}

static void send_answer(struct jsonrpc *j, const struct json *id,
			const char *member, const char *value, size_t n)
{
	bool failed = !strcmp(member, "error");
	struct str head = STR_INIT;

	str_add(&head, "{\"id\":");
	json_add(&head, id);
	str_addf(&head, ",\"%s\":", member);
	send_parts(j, &head, value, n,
		   failed ? ",\"result\":null}" : ",\"error\":null}");
	str_fini(&head);
}

void jsonrpc_send_reply(struct jsonrpc *j, const struct json *id,
			const char *result, size_t n)
{
	send_answer(j, id, "result", result, n);
}

void jsonrpc_send_error(struct jsonrpc *j, const struct json *id,
			const char *error, size_t n)
{
	send_answer(j, id, "error", error, n);
}

static void send_method(struct jsonrpc *j, const char *id, const char *method,
			const char *params, size_t n)
{
	struct str head = STR_INIT;

	str_addf(&head, "{\"id\":%s,\"method\":", id);
	json_add_string(&head, method);
	str_add(&head, ",\"params\":");
	send_parts(j, &head, params, n, "}");
	str_fini(&head);
}

void jsonrpc_send_notify(struct jsonrpc *j, const char *method,
			 const char *params, size_t n)
{
	send_method(j, "null", method, params, n);
}

void jsonrpc_send_request(struct jsonrpc *j, uint64_t id, const char *method,
			  const char *params, size_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)id);
	send_method(j, text, method, params, n);
}

void jsonrpc_send_shared(struct jsonrpc *j, const char *method,
			 const struct json *first, struct stream_text *shared)
{
	struct str head = STR_INIT;

	if (!j->stream)
		return;
	str_add(&head, "{\"id\":null,\"method\":");
	json_add_string(&head, method);
	str_add(&head, ",\"params\":[");
	json_add(&head, first);
	str_add(&head, ",");
	stream_send(j->stream, head.s, head.len);
	stream_send_text(j->stream, shared);
	stream_send(j->stream, "]}", 2);
	str_fini(&head);
}

/* --- receiving ------------------------------------------------------------------- */

static void jsonrpc_free(struct jsonrpc *j)
{
	json_parser_destroy(j->parser);
	free(j);
}

/* Echoes and what answers a probe are the session's own. */
static bool echo_handle(struct jsonrpc *j, const struct jsonrpc_message *m)
{
	struct str text = STR_INIT;

	if (m->kind == JSONRPC_REPLY || m->kind == JSONRPC_ERROR)
		return json_is(m->id, PROBE_ID);
	if (m->kind != JSONRPC_REQUEST)
		return false;
	must(m->method);
	if (strcmp(m->method, "echo"))
		return false;
	json_add(&text, m->params);
	jsonrpc_send_reply(j, m->id, text.s, text.len);
	str_fini(&text);
	return true;
}

static void message_take(struct jsonrpc *j)
{
	struct json_doc *doc = json_parser_take(j->parser);
	struct jsonrpc_message m;
	struct err e = ERR_INIT;

	if (jsonrpc_message_parse(json_root(doc), &m, &e))
		snprintf(j->why, sizeof(j->why), "%s", e.text);
	else if (!echo_handle(j, &m))
		j->ops->rx(j->arg, &m, &doc);
	json_doc_destroy(doc);
	err_fini(&e);
}

/* Bytes to messages, until the session pauses, ends, or there is nonsense. */
static size_t jsonrpc_eat(struct jsonrpc *j, const char *bytes, size_t n)
{
	size_t eaten = 0;

	while (eaten < n && j->stream && !j->paused && !j->why[0]) {
		eaten += json_parser_feed(j->parser, bytes + eaten, n - eaten);
		switch (json_parser_state(j->parser)) {
		case JSON_MORE:
			break;
		case JSON_DONE:
			message_take(j);
			break;
		case JSON_FAILED:
			snprintf(j->why, sizeof(j->why), "no JSON: %s",
				 json_parser_error(j->parser));
			break;
		}
	}
	return eaten;
}

static size_t on_rx(void *arg, const char *bytes, size_t n)
{
	struct jsonrpc *j = arg;
	size_t eaten;

	if (!j->parser)
		j->parser = json_parser_create(&j->limits);
	j->busy = true;
	eaten = jsonrpc_eat(j, bytes, n);
	j->busy = false;
	if (json_parser_is_idle(j->parser)) { /* who is idle holds nothing */
		json_parser_destroy(j->parser);
		j->parser = NULL;
	}
	if (!j->stream) {
		jsonrpc_free(j);
	} else if (j->why[0]) {
		stream_close(j->stream);
		j->stream = NULL;
		j->ops->closed(j->arg, j->why);
		jsonrpc_free(j);
	}
	return eaten;
}

static void on_probe(void *arg)
{
	struct jsonrpc *j = arg;

	send_method(j, "\"" PROBE_ID "\"", "echo", "[]", 2);
}

static void on_drained(void *arg)
{
	struct jsonrpc *j = arg;

	if (j->ops->drained)
		j->ops->drained(j->arg);
}

static void on_closed(void *arg, const char *why)
{
	struct jsonrpc *j = arg;

	j->stream = NULL;
	j->ops->closed(j->arg, why);
	jsonrpc_free(j);
}

/* --- the session ------------------------------------------------------------------ */

const struct json_limits *jsonrpc_limits_of(const struct stream *s)
{
	static const struct json_limits known = { JSONRPC_TEXT_MAX,
						  JSONRPC_MEMORY_MAX };
	static const struct json_limits stranger = {
		JSONRPC_STRANGER_TEXT_MAX, JSONRPC_STRANGER_MEMORY_MAX
	};

	return stream_kind(s) == STREAM_TCP ? &stranger : &known;
}

struct jsonrpc *jsonrpc_create(struct stream *s,
			       const struct json_limits *limits,
			       const struct jsonrpc_ops *ops, void *arg)
{
	static const struct stream_ops stream_ops = { on_rx, on_probe,
						      on_drained, on_closed };
	struct jsonrpc *j = xzalloc(sizeof(*j));

	j->stream = s;
	j->limits = *limits;
	j->ops = ops;
	j->arg = arg;
	stream_set_ops(s, &stream_ops, j);
	return j;
}

static void jsonrpc_end(struct jsonrpc *j)
{
	j->stream = NULL;
	if (!j->busy)
		jsonrpc_free(j);
}

void jsonrpc_destroy(struct jsonrpc *j)
{
	if (!j)
		return;
	stream_close(j->stream);
	jsonrpc_end(j);
}

void jsonrpc_destroy_sent(struct jsonrpc *j)
{
	if (!j)
		return;
	stream_close_sent(j->stream);
	jsonrpc_end(j);
}

struct stream *jsonrpc_stream(struct jsonrpc *j)
{
	return j->stream;
}

void jsonrpc_pause(struct jsonrpc *j)
{
	j->paused = true;
	stream_pause(j->stream);
}

void jsonrpc_resume(struct jsonrpc *j)
{
	j->paused = false;
	stream_resume(j->stream);
}
