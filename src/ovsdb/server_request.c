/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "ovsdb/server_inside.h"

/* A request's text larger than this is let go as soon as it is not needed. */
#define KEEP_BYTES 4096
#define CANCELED "\"canceled\""

/*   (run) --> blocked --(row changed, time over, run)--> committing --> answered
 *      '-------------------------------------------------^
 * or: (settled) --> waiting for the barrier --> handled */
struct request {
	struct list node;        /* in session->requests */
	struct list by_db;       /* in db->blocked, while it is */
	struct session *session; /* NULL: gone */
	struct server_db *db;
	struct json_doc *doc; /* holds all of the message */
	struct jsonrpc_message m;
	settled_fn *settled; /* or a transaction */
	bool blocked;
	bool committing;
	uint64_t began_ms;
	struct timer timer;
	struct str reply;
};

static uint64_t now_ms(const struct request *r)
{
	return env_now_ms(r->db->server->env);
}

static size_t request_bytes(const struct request *r)
{
	return json_doc_bytes(r->doc);
}

/* --- life ----------------------------------------------------------------------------- */

static struct request *request_create(struct session *s, struct server_db *d,
				      const struct jsonrpc_message *m,
				      struct json_doc **doc)
{
	struct request *r = xzalloc(sizeof(*r));

	r->session = s;
	r->db = d;
	r->m = *m;
	r->doc = *doc;
	*doc = NULL;
	list_push_back(&s->requests, &r->node);
	list_init(&r->by_db);
	r->began_ms = now_ms(r);
	return r;
}

static void request_unblock(struct request *r)
{
	if (!r->blocked)
		return;
	r->blocked = false;
	list_del(&r->by_db);
	timer_cancel(&r->timer);
	if (!r->session)
		return;
	r->session->n_blocked--;
	r->session->blocked_bytes -= request_bytes(r);
}

static void request_free(struct request *r)
{
	request_unblock(r);
	if (r->committing && r->session)
		r->session->n_commits--;
	list_del(&r->node);
	timer_fini(&r->timer);
	str_fini(&r->reply);
	json_doc_destroy(r->doc);
	free(r);
}

static void request_refuse(struct request *r, const char *tag, const char *why)
{
	struct fault f = { 0 };

	fault_set(&f, tag, "%s", why);
	session_refuse(r->session, r->m.id, &f);
	request_free(r);
}

/* --- transact --------------------------------------------------------------------------- */

/* The results as they were, and what became of them (RFC 7047 4.1.3). */
static void add_failure(struct str *reply, const char *why)
{
	struct fault f = { 0 };

	fault_set(&f, FAULT_IO, "%s", why);
	str_truncate(reply, reply->len - 1);
	if (reply->len > 1)
		str_add_char(reply, ',');
	fault_add_json(&f, reply);
	str_add_char(reply, ']');
	fault_fini(&f);
}

static void on_transacted(void *arg, const char *why)
{
	struct request *r = arg;
	struct session *s = r->session;

	if (why && s)
		add_failure(&r->reply, why);
	if (s)
		session_reply(s, r->m.id, &r->reply);
	request_free(r);
	if (s)
		session_pace(s);
}

/* Only the id is needed from now on. */
static void request_shrink(struct request *r)
{
	struct json_doc *id;

	if (request_bytes(r) <= KEEP_BYTES)
		return;
	id = json_doc_clone(r->m.id);
	json_doc_destroy(r->doc);
	r->doc = id;
	r->m = (struct jsonrpc_message){ .id = json_root(id) };
}

static void request_commit(struct request *r, struct txn_outcome *out)
{
	struct session *s = r->session;

	request_unblock(r);
	r->committing = true;
	r->reply = out->reply;
	request_shrink(r);
	s->n_commits++;
	/* May answer, and free it, at once. */
	server_db_commit(r->db, out->txn, on_transacted, r);
	session_pace(s);
}

static void request_run(struct request *r);

static void on_time(void *arg)
{
	struct request *r = arg;

	if (r->db->n_barriers)
		timer_set(&r->timer, 1);
	else
		request_run(r);
}

/* True when the client has too many of them. */
static bool blocks_too_much(const struct request *r)
{
	const struct session *s = r->session;
	size_t limit = jsonrpc_limits_of(jsonrpc_stream(s->rpc))->memory_bytes;

	return s->n_blocked >= SERVER_BLOCKED_MAX ||
	       s->blocked_bytes + request_bytes(r) > limit;
}

static void request_block(struct request *r, uint64_t wait_ms)
{
	uint64_t gone = now_ms(r) - r->began_ms;

	if (!r->blocked) {
		if (blocks_too_much(r)) {
			request_refuse(r, FAULT_RESOURCES,
				       "too many transactions of this client "
				       "wait");
			return;
		}
		r->blocked = true;
		r->session->n_blocked++;
		r->session->blocked_bytes += request_bytes(r);
		list_push_back(&r->db->blocked, &r->by_db);
		timer_init(&r->timer, r->db->server->loop, on_time, r);
	}
	if (wait_ms != UINT64_MAX)
		timer_set(&r->timer, wait_ms > gone ? wait_ms - gone : 0);
}

static void request_run(struct request *r)
{
	const struct server_db *d = r->db;
	struct txn_request rq = {
		.params = r->m.params,
		.elapsed_ms = now_ms(r) - r->began_ms,
		.read_only =
			r->session->remote->read_only || d == d->server->about,
		.owns_lock = lock_is_owned,
		.aux = r->session,
	};
	struct txn_outcome out = { 0 };

	if (d->n_barriers) {
		request_block(r, UINT64_MAX);
		return;
	}
	switch (txn_run(d->db, &rq, &out)) {
	case TXN_READY:
	case TXN_FAILED:
		request_commit(r, &out);
		return;
	case TXN_BLOCKED:
		str_fini(&out.reply);
		request_block(r, out.wait_ms);
		return;
	}
}

void request_transact(struct session *s, struct server_db *d,
		      const struct jsonrpc_message *m, struct json_doc **doc)
{
	request_run(request_create(s, d, m, doc));
}

void request_retry(struct server_db *d)
{
	struct request *r, *tmp;

	list_for_each_safe(r, tmp, &d->blocked, by_db) {
		if (!d->n_barriers)
			request_run(r);
	}
}

/* --- what wants a settled database ------------------------------------------------------- */

static void on_settled(void *arg, const char *why)
{
	struct request *r = arg;
	struct session *s = r->session;

	if (s && why)
		request_refuse(r, FAULT_IO, why);
	else if (s)
		r->settled(s, r->db, &r->m);
	if (!s || !why)
		request_free(r);
	if (s)
		session_pace(s);
}

void request_when_settled(struct session *s, struct server_db *d,
			  const struct jsonrpc_message *m,
			  struct json_doc **doc, settled_fn *fn)
{
	struct request *r;

	if (db_is_settled(d->db)) {
		fn(s, d, m);
		return;
	}
	r = request_create(s, d, m, doc);
	r->settled = fn;
	r->committing = true;
	s->n_commits++;
	server_db_settle(d, on_settled, r);
}

/* --- convert ------------------------------------------------------------------------------ */

static struct db *convert_make(struct server_db *d, const struct json *schema,
			       struct fault *f)
{
	struct schema *s = schema_parse(schema, f);

	if (s && strcmp(s->name, d->db->schema->name)) {
		fault_set_syntax(f, NULL,
				 "the schema is of database %s, not of %s",
				 s->name, d->db->schema->name);
		schema_destroy(s);
		return NULL;
	}
	return s ? db_convert(d->db, s, f) : NULL;
}

static int convert_keep(struct server_db *d, const struct db *next,
			struct fault *f)
{
	struct err e = ERR_INIT;

	if (!d->ops)
		return 0;
	if (!d->ops->replace)
		return fault_set(f, FAULT_NOT_SUPPORTED,
				 "this database keeps its schema");
	if (d->ops->replace(d->log, next, &e))
		fault_set(f, FAULT_IO, "%s", e.text);
	err_fini(&e);
	return fault_is_set(f) ? -EINVAL : 0;
}

static void convert_run(struct session *s, struct server_db *d,
			const struct jsonrpc_message *m)
{
	struct str result = STR_INIT;
	struct fault f = { 0 };
	struct db *next = NULL;

	if (m->params->n != 2)
		fault_set_syntax(&f, m->params,
				 "convert request params must be [<db-name>, "
				 "<database-schema>]");
	else if (s->remote->read_only || d == d->server->about)
		fault_set(&f, FAULT_NOT_ALLOWED, "the database is read-only");
	else
		next = convert_make(d, &m->params->elements[1], &f);
	if (next && convert_keep(d, next, &f)) {
		db_destroy(next);
		next = NULL;
	}
	if (!next) {
		session_refuse(s, m->id, &f);
		return;
	}
	str_add(&result, "{}");
	session_reply(s, m->id, &result);
	str_fini(&result);
	db_replace(d->db, next);
	if (d->server->about)
		about_put(d->server, d);
}

void request_convert(struct session *s, struct server_db *d,
		     const struct jsonrpc_message *m, struct json_doc **doc)
{
	request_when_settled(s, d, m, doc, convert_run);
}

/* --- the end of requests -------------------------------------------------------------------- */

void request_cancel(struct session *s, const struct json *params)
{
	const struct json *id = json_at(params, 0);
	struct request *r;

	if (!id)
		return;
	list_for_each(r, &s->requests, node) {
		if (!r->blocked || !json_equal(r->m.id, id))
			continue;
		jsonrpc_send_error(s->rpc, r->m.id, CANCELED,
				   sizeof(CANCELED) - 1);
		request_free(r);
		return;
	}
}

void request_forget(struct session *s)
{
	struct request *r, *tmp;

	list_for_each_safe(r, tmp, &s->requests, node) {
		if (r->blocked) {
			request_free(r);
			continue;
		}
		list_del(&r->node);
		r->session = NULL;
	}
}

void request_drop_blocked(struct server_db *d)
{
	struct request *r, *tmp;

	list_for_each_safe(r, tmp, &d->blocked, by_db) {
		request_refuse(r, FAULT_UNKNOWN_DATABASE,
			       "the database is not served any more");
	}
}
