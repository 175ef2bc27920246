/* SPDX-License-Identifier: Apache-2.0 */
#include "ovsdb/server_managers.h"

#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "sys/tls.h"

#define STATUS_MS 5000
#define NAME_MAX_BYTES 256

/* What a row, or a string, asks for. */
struct wish {
	const char *target; /* borrowed from the database */
	bool has_probe;
	unsigned probe_ms, backoff_max_ms;
	bool has_row;
	struct uuid row;
};

struct manager {
	struct list node;
	char *key;                    /* all of the wish, as text */
	struct server_remote *remote; /* NULL: it could not be */
	char *error;                  /* why */
	bool has_row, wanted;
	struct uuid row;
};

struct server_managers {
	struct server *server;
	struct tls_config *tls;
	unsigned mode;
	char *db, *table, *column;
	struct db *listened; /* whose listener we are, or NULL */
	struct db_listener listener;
	struct defer sync;
	struct timer status;
	struct list managers;
	unsigned n_managers;
};

/* --- reading rows ---------------------------------------------------------------------- */

static const struct datum *cell_find(const struct row_view *v, const char *name,
				     enum atom_type type)
{
	const struct column *c = schema_find_column(v->table, name);
	const struct datum *d;

	if (!c || c->index < COLUMN_FIRST || c->type.key.type != type)
		return NULL;
	d = row_view_get(v, c->index);
	return d->n ? d : NULL;
}

static bool uint_find(const struct row_view *v, const char *name, unsigned *out)
{
	const struct datum *d = cell_find(v, name, ATOM_INT);

	if (!d || datum_key(d, 0).i < 0 || datum_key(d, 0).i > INT32_MAX)
		return false;
	*out = (unsigned)datum_key(d, 0).i;
	return true;
}

static bool wish_of_row(const struct row_view *v, struct wish *w)
{
	const struct datum *target = cell_find(v, "target", ATOM_STRING);

	*w = (struct wish){ .has_row = true, .row = v->uuid };
	if (!target)
		return false;
	w->target = datum_key(target, 0).s;
	w->has_probe = uint_find(v, "inactivity_probe", &w->probe_ms);
	uint_find(v, "max_backoff", &w->backoff_max_ms);
	return true;
}

static char *wish_key(const struct wish *w)
{
	char row[UUID_LEN + 1] = "";

	if (w->has_row)
		uuid_format(&w->row, row);
	return xasprintf("%s %d %u %u %s", w->target, w->has_probe, w->probe_ms,
			 w->backoff_max_ms, row);
}

/* --- remotes ----------------------------------------------------------------------------- */

static void manager_destroy(struct server_managers *m, struct manager *a)
{
	server_del_remote(a->remote);
	list_del(&a->node);
	m->n_managers--;
	free(a->key);
	free(a->error);
	free(a);
}

static void manager_create(struct server_managers *m, const struct wish *w,
			   char *key)
{
	struct manager *a = xzalloc(sizeof(*a));
	struct err e = ERR_INIT;
	const struct server_remote_spec spec = {
		.name = w->target,
		.tls = m->tls,
		.mode = m->mode,
		.has_probe = w->has_probe,
		.probe_ms = w->probe_ms,
		.backoff_max_ms = w->backoff_max_ms,
	};

	a->key = key;
	a->wanted = true;
	a->has_row = w->has_row;
	a->row = w->row;
	a->remote = server_add_remote(m->server, &spec, &e);
	if (!a->remote) {
		log_warn("%s, table %s: %s: nobody can connect by it", m->db,
			 m->table, e.text);
		a->error = xstrdup(e.text);
	}
	err_fini(&e);
	list_push_back(&m->managers, &a->node);
	m->n_managers++;
}

static void wish_come_true(struct server_managers *m, const struct wish *w)
{
	char *key = wish_key(w);
	struct manager *a;

	list_for_each(a, &m->managers, node) {
		if (strcmp(a->key, key))
			continue;
		a->wanted = true;
		free(key);
		return;
	}
	if (m->n_managers < SERVER_MANAGERS_MAX)
		manager_create(m, w, key);
	else
		free(key);
}

/* --- what the database says ----------------------------------------------------------------- */

static const struct column *column_of(const struct server_managers *m,
				      const struct db *db)
{
	const struct table_schema *t = schema_find_table(db->schema, m->table);

	return t ? schema_find_column(t, m->column) : NULL;
}

/* The table that the column's references lead to, or NULL. */
static struct table *target_table(const struct db *db, const struct column *c)
{
	const struct base_type *t = &c->type.key;

	if (t->type != ATOM_UUID || !t->uuid.table)
		return NULL;
	return &db->tables[t->uuid.table_index];
}

static void sync_atom(struct server_managers *m, const struct db *db,
		      const struct column *c, const struct atom *a)
{
	struct table *t = target_table(db, c);
	struct row *r = t ? table_find(t, &a->uuid) : NULL;
	struct wish w = { 0 };

	if (c->type.key.type == ATOM_STRING) {
		w.target = a->s;
		wish_come_true(m, &w);
	} else if (r) {
		struct row_view v = row_view(t, r);

		if (wish_of_row(&v, &w))
			wish_come_true(m, &w);
	}
}

static void sync_rows(struct server_managers *m, const struct db *db)
{
	const struct column *c = column_of(m, db);
	struct table *t = db_find_table(db, m->table);
	struct row *r;

	if (!c || !t)
		return;
	table_for_each(r, t) {
		struct row_view v = row_view(t, r);
		const struct datum *d = row_view_get(&v, c->index);

		for (size_t i = 0; i < d->n; i++) {
			struct atom a = datum_key(d, i);

			sync_atom(m, db, c, &a);
		}
	}
}

static void follow(struct server_managers *m, struct db *db)
{
	if (m->listened == db)
		return;
	if (m->listened)
		db_unlisten(m->listened, &m->listener);
	m->listened = db;
	if (db)
		db_listen(db, &m->listener);
}

static void on_sync(void *arg)
{
	struct server_managers *m = arg;
	struct server_db *d = server_find_db(m->server, m->db);
	struct manager *a, *tmp;

	follow(m, d ? server_db_get(d) : NULL);
	list_for_each(a, &m->managers, node)
		a->wanted = false;
	if (d)
		sync_rows(m, server_db_get(d));
	list_for_each_safe(a, tmp, &m->managers, node) {
		if (!a->wanted)
			manager_destroy(m, a);
	}
	timer_set(&m->status, 0);
}

/* --- status ------------------------------------------------------------------------------------ */

static void text_put(struct atom *a, const char *s)
{
	*a = (struct atom){ .s = s, .len = (uint32_t)strlen(s) };
}

static struct datum *status_of(const struct manager *a)
{
	struct atom keys[3], values[3];
	char n_text[16], port_text[16];
	const char *error =
		a->remote ? server_remote_error(a->remote) : a->error;
	size_t n = 0;

	if (error) {
		text_put(&keys[n], "last_error");
		text_put(&values[n++], error);
	}
	if (a->remote && server_remote_port(a->remote)) {
		snprintf(port_text, sizeof(port_text), "%u",
			 server_remote_port(a->remote));
		text_put(&keys[n], "bound_port");
		text_put(&values[n++], port_text);
	}
	if (a->remote && server_remote_n_sessions(a->remote) > 1) {
		snprintf(n_text, sizeof(n_text), "%u",
			 server_remote_n_sessions(a->remote));
		text_put(&keys[n], "n_connections");
		text_put(&values[n++], n_text);
	}
	return datum_create(ATOM_STRING, ATOM_STRING, keys, values, n);
}

/* Sets a column when there is one and it says something else; takes the datum. */
static bool cell_update(struct txn *txn, struct table *t, struct row *r,
			const char *name, struct datum *d)
{
	const struct column *c = schema_find_column(t->schema, name);
	struct row_view v = row_view(t, r);

	if (!c || c->type.key.type != d->key ||
	    c->type.value.type != d->value ||
	    datum_equal(row_view_get(&v, c->index), d)) {
		datum_unref(d);
		return false;
	}
	txn_set(txn, t, r, c, d);
	return true;
}

static bool status_set(struct txn *txn, struct table *t,
		       const struct manager *a)
{
	struct row *r = a->has_row ? table_find(t, &a->row) : NULL;
	bool up = a->remote && server_remote_n_sessions(a->remote), any;

	if (!r)
		return false;
	any = cell_update(txn, t, r, "is_connected", datum_from_bool(up));
	return cell_update(txn, t, r, "status", status_of(a)) || any;
}

static void status_write(struct server_managers *m, struct server_db *d)
{
	struct db *db = server_db_get(d);
	const struct column *c = column_of(m, db);
	struct table *t = c ? target_table(db, c) : NULL;
	struct txn *txn = txn_begin(db);
	struct fault f = { 0 };
	struct manager *a;
	bool any = false;

	list_for_each(a, &m->managers, node)
		any |= t && status_set(txn, t, a);
	if (any && !txn_prepare(txn, &f)) {
		server_db_commit(d, txn, NULL, NULL);
		return;
	}
	txn_abort(txn);
	fault_fini(&f);
}

static void on_status(void *arg)
{
	struct server_managers *m = arg;
	struct server_db *d = server_find_db(m->server, m->db);

	if (d && !list_is_empty(&m->managers))
		status_write(m, d);
	timer_set(&m->status, STATUS_MS);
}

/* --- life --------------------------------------------------------------------------------------- */

static bool touches(const struct server_managers *m, const struct txn *t)
{
	const struct db *db = m->listened;
	const struct column *c = column_of(m, db);
	const struct table *table = db_find_table(db, m->table);
	const struct table *target = c ? target_table(db, c) : NULL;
	size_t n;
	const struct change *changes = txn_changes(t, &n);

	for (size_t i = 0; i < n; i++) {
		const struct table_schema *s = changes[i].new.cells ?
						       changes[i].new.table :
						       changes[i].old.table;

		if ((table && s == table->schema) ||
		    (target && s == target->schema))
			return true;
	}
	return false;
}

static void on_committed(struct db_listener *l, const struct txn *t)
{
	struct server_managers *m =
		container_of(l, struct server_managers, listener);

	if (touches(m, t))
		defer_set(&m->sync);
}

static void on_replaced(struct db_listener *l, const struct db *old UNUSED)
{
	defer_set(&container_of(l, struct server_managers, listener)->sync);
}

static int name_split(struct server_managers *m, const char *name,
		      struct err *e)
{
	char copy[NAME_MAX_BYTES], *rest = copy;
	char *db, *table, *column;

	snprintf(copy, sizeof(copy), "%s", name + 3);
	db = strsep(&rest, ",");
	table = rest ? strsep(&rest, ",") : NULL;
	column = rest;
	if (!table || !column)
		return err_set(e, "%s: db:DATABASE,TABLE,COLUMN is wanted",
			       name);
	m->db = xstrdup(db);
	m->table = xstrdup(table);
	m->column = xstrdup(column);
	return 0;
}

static int name_check(const struct server_managers *m, const char *name,
		      struct err *e)
{
	struct server_db *d = server_find_db(m->server, m->db);
	const struct db *db = d ? server_db_get(d) : NULL;
	const struct column *c = db ? column_of(m, db) : NULL;

	if (!db)
		return err_set(e, "%s: no database named %s", name, m->db);
	if (!schema_find_table(db->schema, m->table))
		return err_set(e, "%s: no table named %s", name, m->table);
	if (!c)
		return err_set(e, "%s: table %s has no column named %s", name,
			       m->table, m->column);
	if (c->index < COLUMN_FIRST ||
	    (c->type.key.type != ATOM_STRING && !target_table(db, c)))
		return err_set(e,
			       "%s: column %s holds neither strings nor "
			       "references",
			       name, m->column);
	return 0;
}

struct server_managers *
server_managers_create(struct loop *loop, struct server *s,
		       const struct server_managers_spec *spec, struct err *e)
{
	struct server_managers *m = xzalloc(sizeof(*m));

	m->server = s;
	m->tls = spec->tls ? tls_config_ref(spec->tls) : NULL;
	m->mode = spec->mode;
	m->listener = (struct db_listener){ .committed = on_committed,
					    .replaced = on_replaced };
	list_init(&m->managers);
	defer_init(&m->sync, loop, on_sync, m);
	timer_init(&m->status, loop, on_status, m);
	if (name_split(m, spec->name, e) || name_check(m, spec->name, e)) {
		server_managers_destroy(m);
		return NULL;
	}
	on_sync(m);
	return m;
}

void server_managers_destroy(struct server_managers *m)
{
	struct manager *a, *tmp;

	if (!m)
		return;
	list_for_each_safe(a, tmp, &m->managers, node)
		manager_destroy(m, a);
	follow(m, NULL);
	defer_fini(&m->sync);
	timer_fini(&m->status);
	tls_config_unref(m->tls);
	free(m->db);
	free(m->table);
	free(m->column);
	free(m);
}
