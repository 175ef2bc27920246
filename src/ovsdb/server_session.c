/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "ovsdb/server_inside.h"

#define UNKNOWN_METHOD "\"unknown method\""
/* Over a network a silent client is asked whether it is there. */
#define PROBE_MS 5000

/* --- answers ------------------------------------------------------------------------ */

void session_refuse(struct session *s, const struct json *id, struct fault *f)
{
	struct str text = STR_INIT;

	fault_add_json(f, &text);
	jsonrpc_send_error(s->rpc, id, text.s, text.len);
	str_fini(&text);
	fault_fini(f);
}

void session_reply(struct session *s, const struct json *id,
		   const struct str *result)
{
	struct stream *stream = jsonrpc_stream(s->rpc);

	/* However much was asked for, what comes behind it has room. */
	if (result->len > SERVER_LAG_BYTES)
		stream_set_limit(stream, stream_queued(stream) + result->len +
						 SERVER_QUEUE_BYTES);
	jsonrpc_send_reply(s->rpc, id, result->s, result->len);
}

static void session_reply_text(struct session *s, const struct json *id,
			       const char *text)
{
	jsonrpc_send_reply(s->rpc, id, text, strlen(text));
}

void session_pace(struct session *s)
{
	bool pause = s->n_commits >= SERVER_COMMITS_MAX ||
		     stream_queued(jsonrpc_stream(s->rpc)) > SERVER_LAG_BYTES;

	if (pause == s->paused)
		return;
	s->paused = pause;
	if (pause)
		jsonrpc_pause(s->rpc);
	else
		jsonrpc_resume(s->rpc);
}

/* --- small methods ---------------------------------------------------------------------- */

static void list_dbs(struct session *s, const struct jsonrpc_message *m)
{
	struct str result = STR_INIT;
	size_t n;
	const char **names = server_db_names(s->server, &n);

	json_add_open(&result, '[');
	for (size_t i = 0; i < n; i++)
		json_add_string(&result, names[i]);
	json_add_close(&result, ']');
	session_reply(s, m->id, &result);
	str_fini(&result);
	free(names);
}

static void get_server_id(struct session *s, const struct jsonrpc_message *m)
{
	struct str text = STR_INIT;
	char id[UUID_LEN + 1];

	json_add_string(&text, uuid_format(&s->server->id, id));
	session_reply(s, m->id, &text);
	str_fini(&text);
}

static void set_db_change_aware(struct session *s,
				const struct jsonrpc_message *m)
{
	const struct json *v = json_at(m->params, 0);
	struct fault f = { 0 };

	if (m->params->n == 1 && json_is_bool(v)) {
		s->aware = v->type == JSON_TRUE;
		session_reply_text(s, m->id, "{}");
		return;
	}
	fault_set_syntax(&f, m->params, "%s: true or false parameter expected",
			 m->method);
	session_refuse(s, m->id, &f);
}

static const struct method {
	const char *name;
	void (*fn)(struct session *s, const struct jsonrpc_message *m);
} methods[] = {
	{ "list_dbs", list_dbs },
	{ "get_server_id", get_server_id },
	{ "set_db_change_aware", set_db_change_aware },
	{ "lock", lock_request },
	{ "steal", lock_request },
	{ "unlock", lock_release },
	{ "monitor_cancel", monitor_cancel },
};

/* --- methods of a database ------------------------------------------------------------- */

static void get_schema(struct session *s, struct server_db *d,
		       const struct jsonrpc_message *m,
		       struct json_doc **doc UNUSED)
{
	struct str result = STR_INIT;

	schema_add_json(&result, d->db->schema);
	session_reply(s, m->id, &result);
	str_fini(&result);
}

static const struct db_method {
	const char *name;
	void (*fn)(struct session *s, struct server_db *d,
		   const struct jsonrpc_message *m, struct json_doc **doc);
} db_methods[] = {
	{ "transact", request_transact },
	{ "get_schema", get_schema },
	{ "monitor", monitor_request },
	{ "monitor_cond", monitor_request },
	{ "monitor_cond_since", monitor_request },
	{ "convert", request_convert },
};

/* The database that the first parameter names; NULL: refused. */
static struct server_db *db_of(struct session *s,
			       const struct jsonrpc_message *m)
{
	const struct json *name = json_at(m->params, 0);
	struct fault f = { 0 };
	struct server_db *d = NULL;

	if (!json_is_type(name, JSON_STRING)) {
		fault_set_syntax(&f, m->params,
				 "%s request params must begin with <db-name>",
				 m->method);
	} else {
		d = server_find_db(s->server, name->s);
		if (!d) {
			fault_set_about(
				&f, FAULT_UNKNOWN_DATABASE, m->params,
				"%s request specifies unknown database %s",
				m->method, name->s);
		}
	}
	if (!d)
		session_refuse(s, m->id, &f);
	return d;
}

static bool db_method_call(struct session *s, const struct jsonrpc_message *m,
			   struct json_doc **doc)
{
	for (size_t i = 0; i < ARRAY_SIZE(db_methods); i++) {
		struct server_db *d;

		if (strcmp(db_methods[i].name, m->method))
			continue;
		d = db_of(s, m);
		if (d)
			db_methods[i].fn(s, d, m, doc);
		return true;
	}
	return false;
}

static void request_call(struct session *s, const struct jsonrpc_message *m,
			 struct json_doc **doc)
{
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		if (strcmp(methods[i].name, m->method))
			continue;
		methods[i].fn(s, m);
		return;
	}
	if (!strcmp(m->method, "monitor_cond_change"))
		monitor_cond_change(s, m, doc);
	else if (!db_method_call(s, m, doc))
		jsonrpc_send_error(s->rpc, m->id, UNKNOWN_METHOD,
				   sizeof(UNKNOWN_METHOD) - 1);
}

/* --- the connection ---------------------------------------------------------------------- */

static void on_message(void *arg, const struct jsonrpc_message *m,
		       struct json_doc **doc)
{
	struct session *s = arg;

	switch (m->kind) {
	case JSONRPC_REQUEST:
		request_call(s, m, doc);
		break;
	case JSONRPC_NOTIFY:
		if (!strcmp(m->method, "cancel"))
			request_cancel(s, m->params);
		break;
	case JSONRPC_REPLY:
	case JSONRPC_ERROR:
		session_doom(s, "answers what was not asked");
		break;
	}
	session_pace(s);
}

static void on_drained(void *arg)
{
	struct session *s = arg;

	stream_set_limit(jsonrpc_stream(s->rpc), SERVER_QUEUE_BYTES);
	monitor_catch_up(s);
	session_pace(s);
}

static void session_note(struct session *s, const char *why)
{
	free(s->remote->error);
	s->remote->error = xstrdup(why);
}

static void session_free(struct session *s)
{
	request_forget(s);
	monitor_forget(s);
	lock_forget(s);
	defer_fini(&s->end);
	list_del(&s->node);
	s->remote->n_sessions--;
	free(s);
}

static void on_closed(void *arg, const char *why)
{
	struct session *s = arg;

	log_debug("%s: %s", s->remote->name, why);
	session_note(s, why);
	session_free(s);
}

void session_destroy(struct session *s)
{
	struct jsonrpc *rpc = s->rpc;

	session_free(s);
	jsonrpc_destroy_sent(rpc);
}

static void on_end(void *arg)
{
	struct session *s = arg;

	log_info("%s: %s: the session ends: %s", s->remote->name,
		 stream_peer(jsonrpc_stream(s->rpc)), s->doom);
	session_note(s, s->doom);
	session_destroy(s);
}

void session_doom(struct session *s, const char *why)
{
	if (s->doom)
		return;
	s->doom = why;
	defer_set(&s->end);
}

static unsigned probe_of(const struct server_remote *r, const struct stream *s)
{
	if (r->has_probe)
		return r->probe_ms;
	return stream_kind(s) == STREAM_UNIX ? 0 : PROBE_MS;
}

void session_create(struct server_remote *r, struct stream *stream)
{
	static const struct jsonrpc_ops ops = { on_message, on_drained,
						on_closed };
	struct session *s = xzalloc(sizeof(*s));

	s->server = r->server;
	s->remote = r;
	s->rpc = jsonrpc_create(stream, jsonrpc_limits_of(stream), &ops, s);
	list_init(&s->requests);
	list_init(&s->members);
	list_init(&s->waiters);
	defer_init(&s->end, r->server->loop, on_end, s);
	list_push_back(&r->sessions, &s->node);
	r->n_sessions++;
	stream_set_limit(stream, SERVER_QUEUE_BYTES);
	stream_set_probe(stream, probe_of(r, stream));
}
