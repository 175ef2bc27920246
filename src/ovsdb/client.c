/* SPDX-License-Identifier: Apache-2.0 */
#include "ovsdb/client.h"

#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "jsonrpc/jsonrpc.h"
#include "sys/tls.h"

#define UUID_TEXT 36
#define ZERO_ID "00000000-0000-0000-0000-000000000000"
#define SERVER_DB "_Server"
#define PORT 6640

/* Each state but UP waits for the answer to one request. */
enum state { DOWN, ASKED_SERVER, ASKED_SCHEMA, ASKED_MONITOR, UP };

struct transaction {
	struct list node;
	uint64_t id;
	client_done_fn *done;
	void *arg;
};

struct client {
	struct client_spec spec;
	char *db, *monitor, *lock_name;
	struct stream_dial *dial;
	struct jsonrpc *rpc; /* NULL: not connected */
	enum state state;
	bool told_up;
	bool follows_server; /* _Server is monitored */
	bool plain_cond;     /* monitor_cond_since is not known there */
	bool owns_lock, lock_asked;
	struct json_doc *server_row; /* of our database in _Server, or NULL */
	uint64_t next_id, waiting_id, lock_id;
	char last_txn[UUID_TEXT + 1];
	struct list transactions;
	unsigned n_transactions;
};

/* --- the end of a connection ----------------------------------------------------------- */

static void transactions_end(struct client *c, const char *why)
{
	struct transaction *t, *tmp;

	list_for_each_safe(t, tmp, &c->transactions, node) {
		list_del(&t->node);
		c->n_transactions--;
		t->done(t->arg, NULL, why);
		free(t);
	}
}

static void lock_set(struct client *c, bool owned)
{
	if (c->owns_lock == owned)
		return;
	c->owns_lock = owned;
	if (c->spec.ops->lock)
		c->spec.ops->lock(c->spec.arg, owned);
}

/* The connection is gone already. */
static void client_down(struct client *c, const char *why)
{
	bool told = c->told_up;

	c->rpc = NULL;
	c->state = DOWN;
	c->told_up = c->follows_server = c->lock_asked = false;
	json_doc_destroy(c->server_row);
	c->server_row = NULL;
	lock_set(c, false);
	transactions_end(c, why);
	if (told)
		c->spec.ops->down(c->spec.arg, why);
}

/* This server is of no use: the dial tries the next. */
static void client_leave(struct client *c, const char *why)
{
	struct jsonrpc *rpc = c->rpc;

	log_info("%s: %s: %s", stream_dial_name(c->dial), c->db, why);
	jsonrpc_destroy(rpc);
	client_down(c, why);
}

/* --- asking ----------------------------------------------------------------------------- */

static uint64_t client_ask(struct client *c, const char *method,
			   const struct str *params)
{
	uint64_t id = c->next_id++;

	jsonrpc_send_request(c->rpc, id, method, params->s, params->len);
	return id;
}

static void ask_server(struct client *c)
{
	struct str p = STR_INIT;

	str_add(&p, "[\"" SERVER_DB "\",\"" SERVER_DB "\",{\"Database\":[{"
		    "\"columns\":[\"name\",\"model\",\"connected\","
		    "\"leader\",\"schema\"]}]}]");
	c->state = ASKED_SERVER;
	c->waiting_id = client_ask(c, "monitor", &p);
	str_clear(&p);
	str_add(&p, "[true]");
	(void)client_ask(c, "set_db_change_aware", &p);
	str_fini(&p);
}

static void ask_schema(struct client *c)
{
	struct str p = STR_INIT;

	json_add_open(&p, '[');
	json_add_string(&p, c->db);
	json_add_close(&p, ']');
	c->state = ASKED_SCHEMA;
	c->waiting_id = client_ask(c, "get_schema", &p);
	str_fini(&p);
}

static void ask_lock(struct client *c)
{
	struct str p = STR_INIT;

	if (!c->lock_name)
		return;
	json_add_open(&p, '[');
	json_add_string(&p, c->lock_name);
	json_add_close(&p, ']');
	c->lock_asked = true;
	c->lock_id = client_ask(c, "lock", &p);
	str_fini(&p);
}

static void ask_monitor(struct client *c)
{
	struct str p = STR_INIT;

	if (!c->monitor) {
		c->state = UP;
		return;
	}
	json_add_open(&p, '[');
	json_add_string(&p, c->db);
	json_add_string(&p, c->db);
	json_add_raw(&p, c->monitor, strlen(c->monitor));
	if (!c->plain_cond)
		json_add_string(&p, c->last_txn);
	json_add_close(&p, ']');
	c->state = ASKED_MONITOR;
	c->waiting_id = client_ask(
		c, c->plain_cond ? "monitor_cond" : "monitor_cond_since", &p);
	str_fini(&p);
}

/* --- _Server ------------------------------------------------------------------------------ */

static bool row_is(const struct json *row, const char *column, const char *s)
{
	return json_is(json_find(row, column), s);
}

static bool row_true(const struct json *row, const char *column)
{
	return json_is_type(json_find(row, column), JSON_TRUE);
}

/* Keeps our database's row, as the updates have it. */
static void server_update(struct client *c, const struct json *updates)
{
	const struct json *rows = json_find(updates, "Database");

	if (!json_is_type(rows, JSON_OBJECT))
		return;
	json_for_each_member(r, rows) {
		const struct json *row = json_find(&r->value, "new");

		if (!row_is(row, "name", c->db))
			continue;
		json_doc_destroy(c->server_row);
		c->server_row = json_doc_clone(row);
	}
}

/* A sentence when another member of the cluster must be asked. */
static const char *server_why_not(const struct client *c)
{
	const struct json *row =
		c->server_row ? json_root(c->server_row) : NULL;

	if (!c->follows_server)
		return NULL;
	if (!row)
		return "the server does not have the database";
	if (!row_is(row, "model", "clustered"))
		return row_is(row, "model", "relay") &&
				       !row_true(row, "connected") ?
			       "the relay has lost its source" :
			       NULL;
	if (!row_true(row, "connected"))
		return "the server is cut off from its cluster";
	if (c->spec.leader_only && !row_true(row, "leader"))
		return "the server is not the cluster's leader";
	return NULL;
}

/* --- answers ------------------------------------------------------------------------------- */

static void on_server(struct client *c, const struct jsonrpc_message *m)
{
	const char *why;

	/* An old server has no _Server; it is no member of a cluster. */
	c->follows_server = m->kind == JSONRPC_REPLY;
	if (c->follows_server)
		server_update(c, m->result);
	why = server_why_not(c);
	if (why)
		client_leave(c, why);
	else
		ask_schema(c);
}

static void on_schema(struct client *c, const struct jsonrpc_message *m)
{
	if (m->kind == JSONRPC_ERROR) {
		client_leave(c, "the server does not have the database");
		return;
	}
	ask_lock(c);
	ask_monitor(c);
	c->told_up = true;
	c->spec.ops->up(c->spec.arg, m->result);
}

static void txn_note(struct client *c, const struct json *id)
{
	if (json_is_type(id, JSON_STRING) && id->n == UUID_TEXT)
		memcpy(c->last_txn, id->s, UUID_TEXT);
}

static void on_monitor(struct client *c, const struct jsonrpc_message *m)
{
	bool found = json_is_type(json_at(m->result, 0), JSON_TRUE);

	if (m->kind == JSONRPC_ERROR && !c->plain_cond) {
		c->plain_cond = true;
		ask_monitor(c);
		return;
	}
	if (m->kind == JSONRPC_ERROR) {
		client_leave(c, "the server refuses the monitor");
		return;
	}
	c->state = UP;
	if (c->plain_cond) {
		c->spec.ops->update(c->spec.arg, m->result, true);
		return;
	}
	txn_note(c, json_at(m->result, 1));
	c->spec.ops->update(c->spec.arg, json_at(m->result, 2), !found);
}

static struct transaction *transaction_find(struct client *c, int64_t id)
{
	struct transaction *t;

	list_for_each(t, &c->transactions, node) {
		if ((int64_t)t->id == id)
			return t;
	}
	return NULL;
}

static void on_transacted(struct client *c, const struct jsonrpc_message *m)
{
	struct transaction *t = transaction_find(c, m->id->i);
	struct str why = STR_INIT;

	if (!t)
		return; /* of set_db_change_aware, monitor_cond_change */
	list_del(&t->node);
	c->n_transactions--;
	if (m->kind == JSONRPC_ERROR)
		json_add(&why, m->result);
	t->done(t->arg, m->kind == JSONRPC_REPLY ? m->result : NULL, why.s);
	str_fini(&why);
	free(t);
}

static void on_answer(struct client *c, const struct jsonrpc_message *m)
{
	enum state state = c->state;

	if (!json_is_type(m->id, JSON_INT))
		return;
	if (c->lock_asked && (uint64_t)m->id->i == c->lock_id) {
		lock_set(c, row_true(m->result, "locked"));
		return;
	}
	if ((uint64_t)m->id->i != c->waiting_id) {
		on_transacted(c, m);
		return;
	}
	switch (state) {
	case ASKED_SERVER:
		on_server(c, m);
		return;
	case ASKED_SCHEMA:
		on_schema(c, m);
		return;
	case ASKED_MONITOR:
		on_monitor(c, m);
		return;
	case DOWN:
	case UP:
		return;
	}
}

/* --- notifications ---------------------------------------------------------------------------- */

static void on_server_changed(struct client *c, const struct json *updates)
{
	const char *why;

	server_update(c, updates);
	why = c->state == ASKED_SERVER ? NULL : server_why_not(c);
	if (why)
		client_leave(c, why);
}

static void on_update(struct client *c, const struct jsonrpc_message *m)
{
	bool since = !strcmp(m->method, "update3");

	if (json_is(json_at(m->params, 0), SERVER_DB)) {
		on_server_changed(c, json_at(m->params, 1));
		return;
	}
	if (since)
		txn_note(c, json_at(m->params, 1));
	if (c->state == UP)
		c->spec.ops->update(c->spec.arg,
				    json_at(m->params, since ? 2 : 1), false);
}

static void on_notify(struct client *c, const struct jsonrpc_message *m)
{
	if (!strncmp(m->method, "update", 6)) {
		on_update(c, m);
	} else if (!strcmp(m->method, "monitor_canceled")) {
		/* Another schema: nothing that was seen helps there. */
		memcpy(c->last_txn, ZERO_ID, sizeof(ZERO_ID));
		client_leave(c, "the database is another one now");
	} else if (!strcmp(m->method, "locked") ||
		   !strcmp(m->method, "stolen")) {
		if (c->lock_name &&
		    json_is(json_at(m->params, 0), c->lock_name))
			lock_set(c, m->method[0] == 'l');
	}
}

static void on_message(void *arg, const struct jsonrpc_message *m,
		       struct json_doc **doc UNUSED)
{
	struct client *c = arg;

	switch (m->kind) {
	case JSONRPC_REPLY:
	case JSONRPC_ERROR:
		on_answer(c, m);
		return;
	case JSONRPC_NOTIFY:
		on_notify(c, m);
		return;
	case JSONRPC_REQUEST:
		jsonrpc_send_error(c->rpc, m->id, "\"unknown method\"", 16);
		return;
	}
}

static void on_closed(void *arg, const char *why)
{
	client_down(arg, why);
}

static void on_connected(void *arg, struct stream *s)
{
	static const struct jsonrpc_ops ops = { .rx = on_message,
						.closed = on_closed };
	/* Whom we chose to dial may say as much as it has. */
	static const struct json_limits limits = { JSONRPC_TEXT_MAX,
						   JSONRPC_MEMORY_MAX };
	struct client *c = arg;

	stream_set_probe(s, c->spec.probe_ms);
	c->rpc = jsonrpc_create(s, &limits, &ops, c);
	c->plain_cond = false;
	ask_server(c);
}

/* --- the owner's calls --------------------------------------------------------------------------- */

static char *dup_or_null(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

struct client *client_create(struct loop *loop, const struct client_spec *spec,
			     struct err *e)
{
	struct client *c = xzalloc(sizeof(*c));
	const struct stream_dial_spec dial = {
		.names = spec->remotes,
		.n_names = spec->n_remotes,
		.port = PORT,
		.backoff_max_ms = spec->backoff_max_ms,
		.tls = spec->tls,
		.connected = on_connected,
		.arg = c,
	};

	c->spec = *spec;
	c->db = xstrdup(spec->db);
	c->monitor = dup_or_null(spec->monitor);
	c->lock_name = dup_or_null(spec->lock);
	c->next_id = 1;
	memcpy(c->last_txn, ZERO_ID, sizeof(ZERO_ID));
	list_init(&c->transactions);
	c->dial = stream_dial_create(loop, &dial, e);
	if (c->dial)
		return c;
	client_destroy(c);
	return NULL;
}

void client_destroy(struct client *c)
{
	if (!c)
		return;
	c->told_up = false;
	if (c->rpc)
		jsonrpc_destroy(c->rpc);
	c->owns_lock = false;
	client_down(c, "the client ends");
	stream_dial_destroy(c->dial);
	free(c->db);
	free(c->monitor);
	free(c->lock_name);
	free(c);
}

bool client_is_up(const struct client *c)
{
	return c->state == UP;
}

bool client_owns_lock(const struct client *c)
{
	return c->owns_lock;
}

const char *client_remote(const struct client *c)
{
	return stream_dial_name(c->dial);
}

/* `operations` without its opening bracket, behind the database and the lock. */
static void transact_params(const struct client *c, const char *operations,
			    struct str *p)
{
	json_add_open(p, '[');
	json_add_string(p, c->db);
	if (c->lock_name) {
		json_add_open(p, '{');
		json_add_name(p, "lock");
		json_add_string(p, c->lock_name);
		json_add_name(p, "op");
		json_add_string(p, "assert");
		json_add_close(p, '}');
	}
	operations += strspn(operations, " \t\r\n[");
	if (*operations != ']')
		str_add_char(p, ',');
	str_add(p, operations);
}

int client_transact(struct client *c, const char *operations,
		    client_done_fn *done, void *arg)
{
	struct transaction *t;
	struct str p = STR_INIT;

	if (!c->told_up)
		return -ENOTCONN;
	if (c->n_transactions >= CLIENT_TRANSACTIONS_MAX)
		return -EBUSY;
	t = xzalloc(sizeof(*t));
	t->done = done;
	t->arg = arg;
	transact_params(c, operations, &p);
	t->id = client_ask(c, "transact", &p);
	str_fini(&p);
	list_push_back(&c->transactions, &t->node);
	c->n_transactions++;
	return 0;
}

int client_change(struct client *c, const char *changes, const char *monitor)
{
	struct str p = STR_INIT;

	free(c->monitor);
	c->monitor = xstrdup(monitor);
	if (c->state != UP)
		return -ENOTCONN;
	json_add_open(&p, '[');
	json_add_string(&p, c->db);
	json_add_string(&p, c->db);
	json_add_raw(&p, changes, strlen(changes));
	json_add_close(&p, ']');
	(void)client_ask(c, "monitor_cond_change", &p);
	str_fini(&p);
	return 0;
}
