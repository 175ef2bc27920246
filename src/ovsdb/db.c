/* SPDX-License-Identifier: Apache-2.0 */
#include "ovsdb/db.h"

#include <errno.h>

#include "ovsdb/txn_inside.h"

struct db *db_create(struct schema *s, struct env *env)
{
	struct db *db = xzalloc(sizeof(*db));

	db->schema = s;
	db->env = env;
	db->seed = env_random(env);
	db->next_version = env_random(env);
	db->tables = xcalloc(s->n_tables + 1, sizeof(*db->tables));
	for (unsigned i = 0; i < s->n_tables; i++)
		table_init(&db->tables[i], &s->tables[i], db->seed);
	hmap_init(&db->weak_refs);
	list_init(&db->listeners);
	list_init(&db->prepared);
	return db;
}

static void content_fini(struct db *db)
{
	for (unsigned i = 0; i < db->schema->n_tables; i++)
		table_fini(&db->tables[i]);
	free(db->tables);
	weak_refs_fini(&db->weak_refs);
	schema_destroy(db->schema);
}

void db_destroy(struct db *db)
{
	if (!db)
		return;
	must(db_is_settled(db));
	content_fini(db);
	free(db);
}

struct table *db_find_table(const struct db *db, const char *name)
{
	const struct table_schema *t = schema_find_table(db->schema, name);

	return t ? db_table(db, t) : NULL;
}

void db_listen(struct db *db, struct db_listener *l)
{
	list_push_back(&db->listeners, &l->node);
}

void db_unlisten(struct db *db UNUSED, struct db_listener *l)
{
	list_del(&l->node);
}

/* --- another schema -------------------------------------------------------------------- */

/* The value under another type; NULL with the fault. */
static struct datum *datum_convert(const struct datum *d,
				   const struct column *c, struct fault *f)
{
	struct str s = STR_INIT;
	struct json_doc *doc;
	struct err e = ERR_INIT;
	struct datum *next;

	datum_add_json(&s, d);
	/* It is our own print. */
	must(!json_parse(s.s, s.len, &doc, &e));
	next = datum_parse(&c->type, json_root(doc), NULL, f);
	json_doc_destroy(doc);
	str_fini(&s);
	return next;
}

static int convert_row(struct txn *t, struct table *to,
		       const struct table *from, const struct row *r,
		       struct fault *f)
{
	struct row *next = txn_insert(t, to, &r->uuid);

	for (unsigned i = COLUMN_FIRST; i < from->schema->n_columns; i++) {
		const struct column *c = schema_find_column(
			to->schema, from->schema->columns[i].name);
		struct datum *d;

		if (!c)
			continue;
		d = datum_convert(r->cells[i - COLUMN_FIRST], c, f);
		if (!d)
			return -EINVAL;
		txn_set(t, to, next, c, d);
	}
	return 0;
}

static int convert_rows(struct txn *t, const struct db *from, struct fault *f)
{
	for (unsigned i = 0; i < from->schema->n_tables; i++) {
		const struct table *table = &from->tables[i];
		struct table *to = db_find_table(t->db, table->schema->name);
		struct row *r;

		if (!to)
			continue;
		table_for_each(r, table) {
			if (convert_row(t, to, table, r, f))
				return -EINVAL;
		}
	}
	return 0;
}

struct db *db_convert(const struct db *db, struct schema *s, struct fault *f)
{
	struct db *next = db_create(s, db->env);
	struct txn *t = txn_begin(next);

	if (!convert_rows(t, db, f) && !txn_prepare(t, f)) {
		txn_commit(t);
		return next;
	}
	txn_abort(t);
	db_destroy(next);
	return NULL;
}

void db_replace(struct db *db, struct db *other)
{
	struct db old = *db;
	struct db_listener *l, *tmp;

	must(db_is_settled(db));
	db->schema = other->schema;
	db->tables = other->tables;
	db->seed = other->seed;
	db->weak_refs = other->weak_refs;
	db->next_version = other->next_version;
	free(other);
	list_for_each_safe(l, tmp, &db->listeners, node) {
		if (l->replaced)
			l->replaced(l, &old);
	}
	content_fini(&old);
}
