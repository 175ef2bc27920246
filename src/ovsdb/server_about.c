/* SPDX-License-Identifier: Apache-2.0 */
#include "ovsdb/server_inside.h"

/* What the manual says of it, ovsdb-server(5). */
static const char schema_text[] =
	"{\"name\":\"_Server\",\"version\":\"1.2.0\",\"tables\":{"
	"\"Database\":{\"isRoot\":true,\"columns\":{"
	"\"name\":{\"type\":\"string\"},"
	"\"model\":{\"type\":{\"key\":{\"type\":\"string\",\"enum\":[\"set\","
	"[\"clustered\",\"relay\",\"standalone\"]]}}},"
	"\"connected\":{\"type\":\"boolean\"},"
	"\"leader\":{\"type\":\"boolean\"},"
	"\"schema\":{\"type\":{\"key\":\"string\",\"min\":0,\"max\":1}},"
	"\"cid\":{\"type\":{\"key\":\"uuid\",\"min\":0,\"max\":1}},"
	"\"sid\":{\"type\":{\"key\":\"uuid\",\"min\":0,\"max\":1}},"
	"\"index\":{\"type\":{\"key\":\"integer\",\"min\":0,\"max\":1}}}}}}";

static struct table *about_table(const struct server *s)
{
	return db_find_table(s->about->db, "Database");
}

static const struct column *about_column(const struct table *t,
					 const char *name)
{
	const struct column *c = schema_find_column(t->schema, name);

	must(c);
	return c;
}

static struct row *row_find(const struct table *t, const char *name)
{
	unsigned column = about_column(t, "name")->index;
	struct row *r;

	table_for_each(r, t) {
		struct row_view v = row_view(t, r);
		struct atom a = datum_key(row_view_get(&v, column), 0);

		if (!strcmp(a.s, name))
			return r;
	}
	return NULL;
}

static void row_set(struct txn *txn, struct table *t, struct row *r,
		    const char *column, struct datum *d)
{
	txn_set(txn, t, r, about_column(t, column), d);
}

static void about_commit(struct server *s, struct txn *txn)
{
	struct fault f = { 0 };

	/* All values are ours. */
	must(!txn_prepare(txn, &f));
	server_db_commit(s->about, txn, NULL, NULL);
}

void about_put(struct server *s, const struct server_db *d)
{
	struct table *t = about_table(s);
	const char *name = d->db->schema->name;
	struct row *r = row_find(t, name);
	struct txn *txn = txn_begin(s->about->db);
	struct str schema = STR_INIT;

	if (!r)
		r = txn_insert(txn, t, NULL);
	schema_add_json(&schema, d->db->schema);
	row_set(txn, t, r, "name", datum_from_string(name));
	row_set(txn, t, r, "model", datum_from_string("standalone"));
	row_set(txn, t, r, "connected", datum_from_bool(true));
	row_set(txn, t, r, "leader", datum_from_bool(true));
	row_set(txn, t, r, "schema", datum_from_optional(schema.s));
	str_fini(&schema);
	about_commit(s, txn);
}

void about_del(struct server *s, const struct server_db *d)
{
	struct table *t = about_table(s);
	struct row *r = row_find(t, d->db->schema->name);
	struct txn *txn = txn_begin(s->about->db);

	must(r);
	txn_delete(txn, t, r);
	about_commit(s, txn);
}

void about_create(struct server *s)
{
	struct json_doc *doc;
	struct fault f = { 0 };
	struct err e = ERR_INIT;
	struct schema *schema;

	must(!json_parse(schema_text, sizeof(schema_text) - 1, &doc, &e));
	schema = schema_parse(json_root(doc), &f);
	must(schema);
	json_doc_destroy(doc);
	s->about = server_put_db(s, db_create(schema, s->env), NULL, NULL);
	about_put(s, s->about);
}
