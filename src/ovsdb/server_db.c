/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "ovsdb/server_inside.h"

#define MS_NS 1000000u

/* Somebody who waits for what is prepared up to now. */
struct commit {
	struct list node;
	struct server_db *db;
	struct txn *txn; /* or NULL */
	bool waits;      /* for the log */
	bool is_barrier;
	server_done_fn *done;
	void *arg;
};

/* --- commits ------------------------------------------------------------------------ */

static void commit_end(struct commit *c, const char *why)
{
	struct server_db *d = c->db;

	list_del(&c->node);
	if (c->txn && why)
		txn_abort(c->txn);
	else if (c->txn)
		txn_commit(c->txn);
	if (c->is_barrier && !--d->n_barriers)
		defer_set(&d->retry);
	list_push_back(&d->spent, &c->node);
	if (c->done)
		c->done(c->arg, why);
}

static void spent_free(struct server_db *d)
{
	struct commit *c, *tmp;

	if (d->draining)
		return;
	list_for_each_safe(c, tmp, &d->spent, node) {
		list_del(&c->node);
		free(c);
	}
}

/* Our own code prepares while a barrier stands: that is behind it, and first. */
static bool barrier_must_wait(const struct commit *c)
{
	bool waits = c->is_barrier && !db_is_settled(c->db->db);

	must(!waits || c->node.next != &c->db->commits);
	return waits;
}

static void db_drain(struct server_db *d)
{
	if (d->draining)
		return;
	d->draining = true;
	while (!list_is_empty(&d->commits)) {
		struct commit *c =
			list_entry(d->commits.next, struct commit, node);

		if (c->waits)
			break;
		if (barrier_must_wait(c)) {
			list_del(&c->node);
			list_push_back(&d->commits, &c->node);
		} else {
			commit_end(c, NULL);
		}
	}
	d->draining = false;
}

/* The newest fail first; what came behind the last of them without a record saw
 * what is not to be, and fails with it. */
static void commit_fail(struct commit *c, const char *why)
{
	struct server_db *d = c->db;
	bool is_last = false;

	log_error("%s: a transaction is not kept: %s: its client is told",
		  d->db->schema->name, why);
	while (!is_last) {
		struct commit *last =
			list_entry(d->commits.prev, struct commit, node);

		is_last = last == c;
		must(is_last || !last->waits);
		commit_end(last, why);
	}
	defer_set(&d->retry);
}

static void on_logged(void *arg, const char *why)
{
	struct commit *c = arg;
	struct server_db *d = c->db;

	c->waits = false;
	if (why)
		commit_fail(c, why);
	db_drain(d);
	spent_free(d);
}

static struct commit *commit_put(struct server_db *d, struct txn *t,
				 server_done_fn *done, void *arg)
{
	struct commit *c = xzalloc(sizeof(*c));

	c->db = d;
	c->txn = t;
	c->done = done;
	c->arg = arg;
	list_push_back(&d->commits, &c->node);
	return c;
}

void server_db_commit(struct server_db *d, struct txn *t, server_done_fn *done,
		      void *arg)
{
	struct commit *c = commit_put(d, t, done, arg);
	uint64_t wall_ms = env_wall_ns(d->server->env) / MS_NS;
	struct str record = STR_INIT;

	if (t && !txn_is_empty(t))
		defer_set(&d->retry);
	c->waits = t && d->ops && txn_add_record(t, wall_ms, &record);
	if (c->waits)
		d->ops->put(d->log, record.s, record.len, on_logged, c);
	else
		db_drain(d);
	spent_free(d);
	str_fini(&record);
}

void server_db_settle(struct server_db *d, server_done_fn *done, void *arg)
{
	struct commit *c = commit_put(d, NULL, done, arg);

	c->is_barrier = true;
	d->n_barriers++;
	db_drain(d);
	spent_free(d);
}

/* --- changes -------------------------------------------------------------------------- */

static void on_committed(struct db_listener *l, const struct txn *t)
{
	struct server_db *d = container_of(l, struct server_db, listener);

	monitor_tell(d, t);
}

static void on_replaced(struct db_listener *l, const struct db *old UNUSED)
{
	struct server_db *d = container_of(l, struct server_db, listener);

	monitor_end_all(d);
	monitor_history_clear(d->history);
	defer_set(&d->retry);
}

static void on_retry(void *arg)
{
	struct server_db *d = arg;

	if (!d->n_barriers)
		request_retry(d);
}

/* --- databases -------------------------------------------------------------------------- */

static void db_insert(struct server *s, struct server_db *d)
{
	struct server_db *at;

	list_for_each(at, &s->dbs, node) {
		if (strcmp(at->db->schema->name, d->db->schema->name) > 0)
			break;
	}
	list_insert_before(&at->node, &d->node);
}

struct server_db *server_put_db(struct server *s, struct db *db,
				const struct server_log_ops *ops, void *log)
{
	struct server_db *d = xzalloc(sizeof(*d));

	must(!server_find_db(s, db->schema->name));
	d->server = s;
	d->db = db;
	d->ops = ops;
	d->log = log;
	d->listener = (struct db_listener){ .committed = on_committed,
					    .replaced = on_replaced };
	list_init(&d->commits);
	list_init(&d->spent);
	list_init(&d->blocked);
	list_init(&d->groups);
	defer_init(&d->retry, s->loop, on_retry, d);
	d->history = monitor_history_create(s->env);
	db_listen(db, &d->listener);
	db_insert(s, d);
	if (s->about)
		about_put(s, d);
	return d;
}

void server_del_db(struct server_db *d)
{
	struct server *s = d->server;

	must(list_is_empty(&d->commits));
	if (s->about == d)
		s->about = NULL;
	if (s->about)
		about_del(s, d);
	monitor_end_all(d);
	request_drop_blocked(d);
	db_unlisten(d->db, &d->listener);
	defer_fini(&d->retry);
	list_del(&d->node);
	monitor_history_destroy(d->history);
	db_destroy(d->db);
	free(d);
}

struct server_db *server_find_db(const struct server *s, const char *name)
{
	struct server_db *d;

	list_for_each(d, &s->dbs, node) {
		if (!strcmp(d->db->schema->name, name))
			return d;
	}
	return NULL;
}

struct db *server_db_get(const struct server_db *d)
{
	return d->db;
}

const char **server_db_names(const struct server *s, size_t *n)
{
	const char **names =
		xcalloc(list_count(&s->dbs) + 1, sizeof(const char *));
	struct server_db *d;

	*n = 0;
	list_for_each(d, &s->dbs, node)
		names[(*n)++] = d->db->schema->name;
	return names;
}
