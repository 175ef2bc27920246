/* SPDX-License-Identifier: Apache-2.0 */
#include "jsonrpc/unixctl.h"

#include <stdio.h>

#include "jsonrpc/jsonrpc.h"

#define SOCKET_MODE 0700
#define WORDS_MAX 1024

struct unixctl {
	struct stream_listener *listener;
	struct unixctl_command *commands; /* sorted by name */
	unsigned n_commands;
	const char *version;
	struct list conns, calls;
};

struct conn {
	struct list node;
	struct unixctl *u;
	struct jsonrpc *rpc;
};

struct unixctl_call {
	struct list node;
	struct conn *conn; /* NULL: gone */
	struct json_doc *doc;
	const struct json *id; /* in doc */
};

/* --- answers -------------------------------------------------------------------- */

static void call_end(struct unixctl_call *call)
{
	list_del(&call->node);
	json_doc_destroy(call->doc);
	free(call);
}

static void call_answer(struct unixctl_call *call, bool ok, const char *text)
{
	struct str s = STR_INIT;

	json_add_string(&s, text);
	if (!call->conn)
		;
	else if (ok)
		jsonrpc_send_reply(call->conn->rpc, call->id, s.s, s.len);
	else
		jsonrpc_send_error(call->conn->rpc, call->id, s.s, s.len);
	str_fini(&s);
	call_end(call);
}

void unixctl_reply(struct unixctl_call *call, const char *text)
{
	call_answer(call, true, text);
}

void unixctl_refuse(struct unixctl_call *call, const char *text)
{
	call_answer(call, false, text);
}

/* --- commands ---------------------------------------------------------------------- */

static int command_compare(const void *a, const void *b)
{
	const struct unixctl_command *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static struct unixctl_command *command_find(const struct unixctl *u,
					    const char *name)
{
	struct unixctl_command key = { .name = name };

	return u->n_commands ? bsearch(&key, u->commands, u->n_commands,
				       sizeof(key), command_compare) :
			       NULL;
}

void unixctl_put(struct unixctl *u, const struct unixctl_command *c)
{
	struct unixctl_command *old = command_find(u, c->name);

	if (old) {
		*old = *c;
		return;
	}
	u->commands = xrealloc(u->commands,
			       (u->n_commands + 1) * sizeof(*u->commands));
	u->commands[u->n_commands++] = *c;
	qsort(u->commands, u->n_commands, sizeof(*c), command_compare);
}

static void list_commands(struct unixctl_call *call, unsigned n UNUSED,
			  const char *const words[] UNUSED, void *arg)
{
	struct unixctl *u = arg;
	struct str s = STR_INIT;

	str_add(&s, "The available commands are:\n");
	for (unsigned i = 0; i < u->n_commands; i++)
		str_addf(&s, "  %-23s %s\n", u->commands[i].name,
			 u->commands[i].usage);
	unixctl_reply(call, str_text(&s));
	str_fini(&s);
}

static void version(struct unixctl_call *call, unsigned n UNUSED,
		    const char *const words[] UNUSED, void *arg)
{
	struct unixctl *u = arg;

	unixctl_reply(call, u->version);
}

/* --- calls ---------------------------------------------------------------------------- */

static bool words_take(const struct json *params,
		       const char *words[static WORDS_MAX])
{
	for (unsigned i = 0; i < params->n; i++) {
		if (params->elements[i].type != JSON_STRING)
			return false;
		words[i] = params->elements[i].s;
	}
	return true;
}

static void refusef(struct unixctl_call *call, const char *fmt, ...)
	PRINTF_LIKE(2, 3);

static void refusef(struct unixctl_call *call, const char *fmt, ...)
{
	struct str s = STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	str_addv(&s, fmt, ap);
	va_end(ap);
	unixctl_refuse(call, str_text(&s));
	str_fini(&s);
}

static void call_run(struct unixctl *u, struct unixctl_call *call,
		     const struct jsonrpc_message *m)
{
	const struct unixctl_command *c = command_find(u, m->method);
	const char *words[WORDS_MAX];
	unsigned n = m->params->n;

	if (!c)
		refusef(call,
			"\"%.100s\" is not a valid command (use "
			"\"list-commands\" to see a list of valid "
			"commands)",
			m->method);
	else if (n < c->min_words)
		refusef(call, "\"%s\" command requires at least %u arguments",
			m->method, c->min_words);
	else if (n > c->max_words)
		refusef(call, "\"%s\" command takes at most %u arguments",
			m->method, c->max_words);
	else if (n > WORDS_MAX || !words_take(m->params, words))
		refusef(call, "\"%s\" command has non-string argument",
			m->method);
	else
		c->fn(call, n, words, c->arg);
}

static void on_message(void *arg, const struct jsonrpc_message *m,
		       struct json_doc **doc)
{
	struct conn *conn = arg;
	struct unixctl_call *call;

	if (m->kind != JSONRPC_REQUEST)
		return;
	call = xzalloc(sizeof(*call));
	call->conn = conn;
	call->doc = *doc;
	call->id = m->id;
	*doc = NULL;
	list_push_back(&conn->u->calls, &call->node);
	call_run(conn->u, call, m);
}

static void conn_end(struct conn *conn)
{
	struct unixctl_call *call;

	list_for_each(call, &conn->u->calls, node)
		if (call->conn == conn)
			call->conn = NULL;
	list_del(&conn->node);
	free(conn);
}

static void on_closed(void *arg, const char *why UNUSED)
{
	conn_end(arg);
}

static void on_accepted(void *arg, struct stream *s)
{
	static const struct jsonrpc_ops ops = { .rx = on_message,
						.closed = on_closed };
	static const struct json_limits limits = { UNIXCTL_REQUEST_MAX,
						   UNIXCTL_REQUEST_MAX * 32 };
	struct unixctl *u = arg;
	struct conn *conn = xzalloc(sizeof(*conn));

	conn->u = u;
	conn->rpc = jsonrpc_create(s, &limits, &ops, conn);
	list_push_back(&u->conns, &conn->node);
}

/* --- the socket ------------------------------------------------------------------------ */

struct unixctl *unixctl_create(struct loop *loop, const struct unixctl_spec *s,
			       struct err *e)
{
	struct unixctl *u = xzalloc(sizeof(*u));
	char *name = xasprintf("punix:%s", s->path);
	struct stream_listen_spec listen = {
		.name = name,
		.mode = s->mode ? s->mode : SOCKET_MODE,
		.max_clients = UNIXCTL_CLIENTS_MAX,
		.accepted = on_accepted,
		.arg = u,
	};

	list_init(&u->conns);
	list_init(&u->calls);
	u->version = s->version;
	u->listener = stream_listener_create(loop, &listen, e);
	free(name);
	if (!u->listener) {
		free(u);
		return NULL;
	}
	unixctl_put(u, &(struct unixctl_command){ "list-commands", "", 0, 0,
						  list_commands, u });
	unixctl_put(u, &(struct unixctl_command){ "version", "", 0, 0, version,
						  u });
	return u;
}

void unixctl_destroy(struct unixctl *u)
{
	struct unixctl_call *call, *next_call;
	struct conn *conn, *tmp;

	if (!u)
		return;
	stream_listener_destroy(u->listener);
	list_for_each_safe(conn, tmp, &u->conns, node) {
		jsonrpc_destroy_sent(conn->rpc);
		conn_end(conn);
	}
	list_for_each_safe(call, next_call, &u->calls, node)
		call_end(call);
	free(u->commands);
	free(u);
}
