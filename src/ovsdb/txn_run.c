/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "ovsdb/condition.h"
#include "ovsdb/mutation.h"
#include "ovsdb/txn_inside.h"

/* A name that an insert gives, or will give, to its row. */
struct symbol {
	struct hmap_node node;
	char *name;
	struct uuid uuid;
	bool inserted;
};

struct run {
	struct named_uuids names;
	struct db *db;
	struct txn *txn;
	const struct txn_request *rq;
	struct hmap symbols;
	struct str *reply;
	bool blocked;
	uint64_t wait_ms;
};

/* --- names ------------------------------------------------------------------------------ */

static struct symbol *symbol_get(struct run *r, const char *name)
{
	uint64_t h = hash_string(name, r->db->seed);
	struct symbol *s;

	hmap_for_each_same(s, &r->symbols, h, node) {
		if (!strcmp(s->name, name))
			return s;
	}
	s = xzalloc(sizeof(*s));
	s->name = xstrdup(name);
	s->uuid = uuid_random(r->db->env);
	hmap_put(&r->symbols, &s->node, h);
	return s;
}

static bool symbol_find(const struct named_uuids *n, const char *name,
			struct uuid *u)
{
	struct run *r =
		container_of((struct named_uuids *)n, struct run, names);

	if (!schema_name_is_valid(name))
		return false;
	*u = symbol_get(r, name)->uuid;
	return true;
}

/* --- members of an operation ---------------------------------------------------------------- */

static const char *text_member(const struct json *op, const char *name)
{
	return json_find(op, name)->s;
}

/* operation_check found that it is there. */
static struct table *table_member(struct run *r, const struct json *op)
{
	return db_find_table(r->db, text_member(op, "table"));
}

static struct table *changed_table(struct run *r, const struct json *op,
				   struct fault *f)
{
	struct table *t = table_member(r, op);

	if (r->rq->read_only) {
		fault_set(f, FAULT_NOT_ALLOWED,
			  "%s operation not allowed when database server is "
			  "in read only mode",
			  json_find(op, "op")->s);
		return NULL;
	}
	if (!t->schema->mutable) {
		fault_set(f, FAULT_CONSTRAINT,
			  "%s operation not allowed on immutable table %s.",
			  json_find(op, "op")->s, t->schema->name);
		return NULL;
	}
	return t;
}

static int where_member(struct run *r, struct table *t, const struct json *op,
			struct condition *c, struct fault *f)
{
	return condition_parse(c, t->schema, json_find(op, "where"), &r->names,
			       f);
}

struct columns {
	unsigned list[2 * (SCHEMA_MAX_COLUMNS + COLUMN_FIRST)];
	unsigned n;
	unsigned skip; /* so many in front are for sorting only */
};

static bool columns_have(const struct columns *c, unsigned column)
{
	for (unsigned i = 0; i < c->n; i++)
		if (c->list[i] == column)
			return true;
	return false;
}

static int columns_parse(const struct table_schema *t, const struct json *v,
			 struct columns *c, struct fault *f)
{
	c->n = c->skip = 0;
	while (!v && c->n < t->n_columns) {
		c->list[c->n] = c->n;
		c->n++;
	}
	for (unsigned i = 0; v && i < v->n; i++) {
		const char *name = json_at(v, i)->type == JSON_STRING ?
					   json_at(v, i)->s :
					   NULL;
		const struct column *col =
			name ? schema_find_column(t, name) : NULL;

		if (name && !col)
			return fault_set_syntax(
				f, v, "%s is not a valid column name", name);
		if (!name || columns_have(c, col->index))
			return fault_set_syntax(f, v,
						"array of distinct column "
						"names expected");
		c->list[c->n++] = col->index;
	}
	return 0;
}

/* --- rows from JSON ---------------------------------------------------------------------------- */

struct setting {
	const struct column *column;
	struct datum *datum;
};

struct settings {
	struct setting *list;
	unsigned n;
};

static void settings_fini(struct settings *s)
{
	for (unsigned i = 0; i < s->n; i++)
		datum_unref(s->list[i].datum);
	free(s->list);
}

static int settings_parse(struct run *r, const struct table_schema *t,
			  const struct json *row, struct settings *s,
			  struct fault *f)
{
	*s = (struct settings){ 0 };
	if (!json_is_type(row, JSON_OBJECT))
		return fault_set_syntax(f, row, "row must be JSON object");
	s->list = xcalloc(row->n + 1, sizeof(*s->list));
	json_for_each_member(m, row) {
		const struct column *c = schema_find_column(t, m->name);
		struct datum *d;

		if (!c)
			return fault_set_about(f, FAULT_UNKNOWN_COLUMN, row,
					       "No column %s in table %s.",
					       m->name, t->name);
		d = datum_parse(&c->type, &m->value, &r->names, f);
		if (!d)
			return -EINVAL;
		s->list[s->n++] = (struct setting){ c, d };
	}
	return 0;
}

static void settings_apply(struct run *r, struct table *t, struct row *row,
			   const struct settings *s)
{
	for (unsigned i = 0; i < s->n; i++)
		txn_set(r->txn, t, row, s->list[i].column,
			datum_ref(s->list[i].datum));
}

/* --- insert ---------------------------------------------------------------------------------------- */

static int insert_uuid(struct run *r, const struct table *t,
		       const struct json *op, struct uuid *u, struct fault *f)
{
	const struct json *name = json_find(op, "uuid-name");
	const struct json *uuid = json_find(op, "uuid");
	struct symbol *s;

	if (!uuid)
		*u = uuid_random(r->db->env);
	else if (!uuid_parse(uuid->s, u))
		return fault_set_syntax(f, uuid, "bad uuid");
	else if (!txn_may_insert(r->txn, t, u))
		return fault_set_about(
			f, FAULT_DUPLICATE_ROW, uuid,
			"This UUID would duplicate a UUID already present "
			"within the table or deleted within the same "
			"transaction.");
	if (!name)
		return 0;
	s = symbol_get(r, name->s);
	if (s->inserted)
		return fault_set_about(
			f, FAULT_DUPLICATE_NAME, name,
			"This \"uuid-name\" appeared on an earlier \"insert\" "
			"operation.");
	s->inserted = true;
	if (uuid)
		s->uuid = *u;
	else
		*u = s->uuid;
	return 0;
}

static int settings_immutable(const struct settings *s,
			      const struct table_schema *t,
			      const struct json *op, bool inserts,
			      struct fault *f)
{
	for (unsigned i = 0; i < s->n; i++) {
		const struct column *c = s->list[i].column;

		if (c->index < COLUMN_FIRST)
			return fault_set_about(
				f, FAULT_CONSTRAINT, op,
				"Cannot %s immutable column %s in table %s.",
				inserts ? "set" : "update", c->name, t->name);
		if (!inserts && !c->mutable)
			return fault_set_about(
				f, FAULT_CONSTRAINT, op,
				"Cannot update immutable column %s in table "
				"%s.",
				c->name, t->name);
	}
	return 0;
}

static void insert_row(struct run *r, struct table *t, const struct uuid *u,
		       const struct settings *s)
{
	struct row *row = txn_insert(r->txn, t, u);
	char name[UUID_LEN + 1];

	must(row);
	settings_apply(r, t, row, s);
	json_add_open(r->reply, '{');
	json_add_name(r->reply, "uuid");
	json_add_open(r->reply, '[');
	json_add_string(r->reply, "uuid");
	json_add_string(r->reply, uuid_format(u, name));
	json_add_close(r->reply, ']');
	json_add_close(r->reply, '}');
}

/* The defaults of what is not set must be allowed, too. */
static int defaults_check(const struct table_schema *t,
			  const struct settings *s, struct fault *f)
{
	for (unsigned i = COLUMN_FIRST; i < t->n_columns; i++) {
		const struct column *c = &t->columns[i];
		bool set = false;

		for (unsigned k = 0; k < s->n; k++)
			set |= s->list[k].column == c;
		if (!set && c->type.n_min && type_check(&c->type, c->empty, f))
			return -EINVAL;
	}
	return 0;
}

static int op_insert(struct run *r, const struct json *op, struct fault *f)
{
	struct table *t = changed_table(r, op, f);
	const struct json *row = json_find(op, "row");
	struct settings s = { 0 };
	struct uuid u;
	int err;

	if (!t || insert_uuid(r, t, op, &u, f))
		return -EINVAL;
	err = settings_parse(r, t->schema, row, &s, f);
	if (!err)
		err = settings_immutable(&s, t->schema, op, true, f);
	if (!err)
		err = defaults_check(t->schema, &s, f);
	if (!err)
		insert_row(r, t, &u, &s);
	settings_fini(&s);
	return err;
}

/* --- rows that a condition means ---------------------------------------------------------------------- */

struct found {
	struct row **rows;
	size_t n, cap;
};

static bool found_put(struct row *r, void *aux)
{
	struct found *f = aux;

	if (f->n == f->cap) {
		f->cap = f->cap ? f->cap * 2 : 16;
		f->rows = xrealloc(f->rows, f->cap * sizeof(struct row *));
	}
	f->rows[f->n++] = r;
	return true;
}

static int rows_find(struct run *r, struct table *t, const struct json *op,
		     struct found *found, struct fault *f)
{
	struct condition c;

	*found = (struct found){ 0 };
	if (where_member(r, t, op, &c, f))
		return -EINVAL;
	condition_for_each(&c, t, found_put, found);
	condition_fini(&c);
	return 0;
}

static void reply_count(struct run *r, size_t n)
{
	json_add_open(r->reply, '{');
	json_add_name(r->reply, "count");
	json_add_int(r->reply, (int64_t)n);
	json_add_close(r->reply, '}');
}

static void reply_empty(struct run *r)
{
	json_add_open(r->reply, '{');
	json_add_close(r->reply, '}');
}

/* --- select --------------------------------------------------------------------------------------------- */

struct picture {
	struct datum **cells;
};

static _Thread_local unsigned picture_n;

static int picture_compare(const void *a, const void *b)
{
	const struct picture *x = a, *y = b;

	for (unsigned i = 0; i < picture_n; i++) {
		int c = datum_compare(x->cells[i], y->cells[i]);

		if (c)
			return c;
	}
	return 0;
}

static void pictures_free(struct picture *p, size_t n, unsigned n_columns)
{
	for (size_t i = 0; i < n; i++) {
		for (unsigned k = 0; k < n_columns; k++)
			datum_unref(p[i].cells[k]);
		free(p[i].cells);
	}
	free(p);
}

/* Sorted by the columns' values; those of equal rows stay beside each other. */
static struct picture *pictures_take(const struct table *t,
				     const struct found *found,
				     const struct columns *c)
{
	struct picture *p = xcalloc(found->n + 1, sizeof(*p));

	for (size_t i = 0; i < found->n; i++) {
		struct row_view v = row_view(t, found->rows[i]);

		p[i].cells = xcalloc(c->n + 1, sizeof(struct datum *));
		for (unsigned k = 0; k < c->n; k++)
			p[i].cells[k] = row_view_ref(&v, c->list[k]);
	}
	picture_n = c->n;
	qsort(p, found->n, sizeof(*p), picture_compare);
	return p;
}

/* Equal ones are shown once. */
static void reply_rows(struct run *r, const struct table *t,
		       const struct picture *p, size_t n,
		       const struct columns *c)
{
	json_add_open(r->reply, '{');
	json_add_name(r->reply, "rows");
	json_add_open(r->reply, '[');
	for (size_t i = 0; i < n; i++) {
		if (i && !picture_compare(&p[i - 1], &p[i]))
			continue;
		json_add_open(r->reply, '{');
		for (unsigned k = c->skip; k < c->n; k++) {
			json_add_name(r->reply,
				      t->schema->columns[c->list[k]].name);
			datum_add_json(r->reply, p[i].cells[k]);
		}
		json_add_close(r->reply, '}');
	}
	json_add_close(r->reply, ']');
	json_add_close(r->reply, '}');
}

/* The columns of "sort" in front of those that are shown. */
static int sort_parse(const struct table_schema *t, const struct json *v,
		      struct columns *c, struct fault *f)
{
	struct columns shown = *c;

	if (!v)
		return 0;
	if (columns_parse(t, v, c, f))
		return -EINVAL;
	if (c->n + shown.n > ARRAY_SIZE(c->list))
		return fault_set_syntax(f, v, "too many columns");
	c->skip = c->n;
	for (unsigned i = 0; i < shown.n; i++)
		c->list[c->n++] = shown.list[i];
	return 0;
}

static int op_select(struct run *r, const struct json *op, struct fault *f)
{
	struct table *t = table_member(r, op);
	struct columns c;
	struct found found;
	struct picture *p;

	if (rows_find(r, t, op, &found, f))
		return -EINVAL;
	if (columns_parse(t->schema, json_find(op, "columns"), &c, f) ||
	    sort_parse(t->schema, json_find(op, "sort"), &c, f)) {
		free(found.rows);
		return -EINVAL;
	}
	p = pictures_take(t, &found, &c);
	reply_rows(r, t, p, found.n, &c);
	pictures_free(p, found.n, c.n);
	free(found.rows);
	return 0;
}

/* --- update, mutate, delete ----------------------------------------------------------------------------------- */

static int op_update(struct run *r, const struct json *op, struct fault *f)
{
	struct table *t = changed_table(r, op, f);
	const struct json *row = json_find(op, "row");
	struct settings s = { 0 };
	struct found found = { 0 };
	int err;

	if (!t)
		return -EINVAL;
	err = settings_parse(r, t->schema, row, &s, f);
	if (!err)
		err = settings_immutable(&s, t->schema, op, false, f);
	if (!err)
		err = rows_find(r, t, op, &found, f);
	for (size_t i = 0; i < found.n && !err; i++)
		settings_apply(r, t, found.rows[i], &s);
	if (!err)
		reply_count(r, found.n);
	free(found.rows);
	settings_fini(&s);
	return err;
}

static int mutate_row(struct run *r, struct table *t, struct row *row,
		      const struct mutations *m, struct fault *f)
{
	for (unsigned i = 0; i < m->n; i++) {
		const struct column *c = m->list[i].column;
		struct datum *d = mutation_apply(
			&m->list[i], row->cells[c->index - COLUMN_FIRST], f);

		if (!d)
			return -EINVAL;
		txn_set(r->txn, t, row, c, d);
	}
	return 0;
}

static int op_mutate(struct run *r, const struct json *op, struct fault *f)
{
	struct table *t = changed_table(r, op, f);
	const struct json *list = json_find(op, "mutations");
	struct mutations m = { 0 };
	struct found found = { 0 };
	int err;

	if (!t)
		return -EINVAL;
	err = mutations_parse(&m, t->schema, list, &r->names, f);
	if (!err)
		err = rows_find(r, t, op, &found, f);
	for (size_t i = 0; i < found.n && !err; i++)
		err = mutate_row(r, t, found.rows[i], &m, f);
	if (!err)
		reply_count(r, found.n);
	free(found.rows);
	mutations_fini(&m);
	return err;
}

static int op_delete(struct run *r, const struct json *op, struct fault *f)
{
	struct table *t = changed_table(r, op, f);
	struct found found;

	if (!t || rows_find(r, t, op, &found, f))
		return -EINVAL;
	for (size_t i = 0; i < found.n; i++)
		txn_delete(r->txn, t, found.rows[i]);
	reply_count(r, found.n);
	free(found.rows);
	return 0;
}

/* --- wait ---------------------------------------------------------------------------------------------------- */

/* The rows that are waited for, as pictures. */
static struct picture *expected_parse(struct run *r, const struct table *t,
				      const struct json *rows,
				      const struct columns *c, struct fault *f)
{
	struct picture *p = xcalloc(rows->n + 1, sizeof(*p));

	for (size_t i = 0; i < rows->n; i++) {
		struct settings s;
		int err =
			settings_parse(r, t->schema, &rows->elements[i], &s, f);

		p[i].cells = xcalloc(c->n + 1, sizeof(struct datum *));
		for (unsigned k = 0; k < c->n && !err; k++) {
			const struct datum *d =
				t->schema->columns[c->list[k]].empty;

			for (unsigned j = 0; j < s.n; j++)
				if (s.list[j].column->index == c->list[k])
					d = s.list[j].datum;
			p[i].cells[k] = datum_ref(d);
		}
		settings_fini(&s);
		if (!err)
			continue;
		pictures_free(p, i + 1, c->n);
		return NULL;
	}
	picture_n = c->n;
	qsort(p, rows->n, sizeof(*p), picture_compare);
	return p;
}

static size_t pictures_unique(struct picture *p, size_t n, unsigned n_columns)
{
	size_t kept = 0;

	picture_n = n_columns;
	for (size_t i = 0; i < n; i++) {
		if (!kept || picture_compare(&p[kept - 1], &p[i])) {
			struct picture swap = p[kept];

			p[kept++] = p[i];
			if (kept - 1 != i)
				p[i] = swap;
		}
	}
	return kept;
}

static bool pictures_equal(struct picture *a, size_t n, struct picture *b,
			   size_t m, unsigned n_columns)
{
	size_t x = pictures_unique(a, n, n_columns);
	size_t y = pictures_unique(b, m, n_columns);

	if (x != y)
		return false;
	for (size_t i = 0; i < x; i++)
		if (picture_compare(&a[i], &b[i]))
			return false;
	return true;
}

static int wait_over(struct run *r, const struct json *op, struct fault *f)
{
	const struct json *timeout = json_find(op, "timeout");
	uint64_t ms = timeout ? (uint64_t)timeout->i : UINT64_MAX;

	if (r->rq->elapsed_ms < ms) {
		r->blocked = true;
		r->wait_ms = ms;
		return -EAGAIN;
	}
	if (!r->rq->elapsed_ms)
		return fault_set(f, FAULT_TIMED_OUT,
				 "\"where\" clause test failed");
	return fault_set(f, FAULT_TIMED_OUT, "\"wait\" timed out after %llu ms",
			 (unsigned long long)r->rq->elapsed_ms);
}

static int wait_check(const struct json *op, struct fault *f)
{
	const struct json *timeout = json_find(op, "timeout");
	const struct json *until = json_find(op, "until");

	if (timeout && timeout->i < 0)
		return fault_set_syntax(f, timeout,
					"timeout must be nonnegative");
	if (!json_is(until, "==") && !json_is(until, "!="))
		return fault_set_syntax(f, until,
					"\"until\" must be \"==\" or \"!=\"");
	return 0;
}

static int op_wait(struct run *r, const struct json *op, struct fault *f)
{
	struct table *t = table_member(r, op);
	const struct json *rows = json_find(op, "rows");
	struct picture *expected = NULL, *there;
	struct columns c;
	struct found found;
	bool equal;

	if (rows_find(r, t, op, &found, f))
		return -EINVAL;
	if (!columns_parse(t->schema, json_find(op, "columns"), &c, f) &&
	    !wait_check(op, f))
		expected = expected_parse(r, t, rows, &c, f);
	if (!expected) {
		free(found.rows);
		return -EINVAL;
	}
	there = pictures_take(t, &found, &c);
	equal = pictures_equal(there, found.n, expected, rows->n, c.n);
	pictures_free(there, found.n, c.n);
	pictures_free(expected, rows->n, c.n);
	free(found.rows);
	if (equal != json_is(json_find(op, "until"), "=="))
		return wait_over(r, op, f);
	reply_empty(r);
	return 0;
}

/* --- the small ones ------------------------------------------------------------------------------------------- */

static int op_commit(struct run *r, const struct json *op,
		     struct fault *f UNUSED)
{
	r->txn->durable |= json_is_type(json_find(op, "durable"), JSON_TRUE);
	reply_empty(r);
	return 0;
}

static int op_abort(struct run *r UNUSED, const struct json *op UNUSED,
		    struct fault *f)
{
	return fault_set(f, FAULT_ABORTED, "aborted by request");
}

static int op_comment(struct run *r, const struct json *op,
		      struct fault *f UNUSED)
{
	txn_add_comment(r->txn, text_member(op, "comment"));
	reply_empty(r);
	return 0;
}

static int op_assert(struct run *r, const struct json *op, struct fault *f)
{
	const char *lock = text_member(op, "lock");

	if (!r->rq->owns_lock || !r->rq->owns_lock(r->rq->aux, lock))
		return fault_set(f, FAULT_NOT_OWNER,
				 "Asserted lock %s not held.", lock);
	reply_empty(r);
	return 0;
}

/* --- what an operation may say ----------------------------------------------------------------------------------- */

enum member_type {
	MEMBER_ID,
	MEMBER_TABLE, /* the name of one that there is */
	MEMBER_STRING,
	MEMBER_OBJECT,
	MEMBER_ARRAY,
	MEMBER_BOOL,
	MEMBER_INT,
};

struct member {
	const char *name;
	enum member_type type;
	bool optional;
};

#define MAX_MEMBERS 6

static const struct operation {
	const char *name;
	int (*fn)(struct run *r, const struct json *op, struct fault *f);
	struct member members[MAX_MEMBERS]; /* besides "op" */
} operations[] = {
	{ "insert",
	  op_insert,
	  { { "table", MEMBER_TABLE, false },
	    { "uuid", MEMBER_STRING, true },
	    { "uuid-name", MEMBER_ID, true },
	    { "row", MEMBER_OBJECT, false } } },
	{ "select",
	  op_select,
	  { { "table", MEMBER_TABLE, false },
	    { "where", MEMBER_ARRAY, false },
	    { "columns", MEMBER_ARRAY, true },
	    { "sort", MEMBER_ARRAY, true } } },
	{ "update",
	  op_update,
	  { { "table", MEMBER_TABLE, false },
	    { "where", MEMBER_ARRAY, false },
	    { "row", MEMBER_OBJECT, false } } },
	{ "mutate",
	  op_mutate,
	  { { "table", MEMBER_TABLE, false },
	    { "where", MEMBER_ARRAY, false },
	    { "mutations", MEMBER_ARRAY, false } } },
	{ "delete",
	  op_delete,
	  { { "where", MEMBER_ARRAY, false },
	    { "table", MEMBER_TABLE, false } } },
	{ "wait",
	  op_wait,
	  { { "timeout", MEMBER_INT, true },
	    { "where", MEMBER_ARRAY, false },
	    { "columns", MEMBER_ARRAY, true },
	    { "until", MEMBER_STRING, false },
	    { "rows", MEMBER_ARRAY, false },
	    { "table", MEMBER_TABLE, false } } },
	{ "commit", op_commit, { { "durable", MEMBER_BOOL, false } } },
	{ "abort", op_abort, { { 0 } } },
	{ "comment", op_comment, { { "comment", MEMBER_STRING, false } } },
	{ "assert", op_assert, { { "lock", MEMBER_ID, false } } },
};

static bool member_fits(const struct json *v, enum member_type type)
{
	switch (type) {
	case MEMBER_ID:
	case MEMBER_TABLE:
		return v->type == JSON_STRING && schema_name_is_valid(v->s);
	case MEMBER_STRING:
		return v->type == JSON_STRING;
	case MEMBER_OBJECT:
		return v->type == JSON_OBJECT;
	case MEMBER_ARRAY:
		return v->type == JSON_ARRAY;
	case MEMBER_BOOL:
		return json_is_bool(v);
	case MEMBER_INT:
		return v->type == JSON_INT;
	}
	return false;
}

/* NULL, or a sentence that is the caller's. */
static char *member_wrong(const struct run *r, const struct json *op,
			  const struct member *m)
{
	const struct json *v = json_find(op, m->name);

	if (!v)
		return m->optional ? NULL :
				     xasprintf("Required '%s' member is "
					       "missing.",
					       m->name);
	if (!member_fits(v, m->type))
		return xasprintf("Type mismatch for member '%s'.", m->name);
	if (m->type == MEMBER_TABLE && !db_find_table(r->db, v->s))
		return xasprintf("No table named %s.", v->s);
	return NULL;
}

static bool member_is_known(const struct operation *o, const char *name)
{
	if (!strcmp(name, "op"))
		return true;
	for (size_t i = 0; i < MAX_MEMBERS && o->members[i].name; i++)
		if (!strcmp(o->members[i].name, name))
			return true;
	return false;
}

static char *members_strange(const struct operation *o, const struct json *op)
{
	const char *first = NULL;
	unsigned n = 0;

	json_for_each_member(m, op) {
		if (member_is_known(o, m->name))
			continue;
		first = first ? first : m->name;
		n++;
	}
	if (!n)
		return NULL;
	if (n == 1)
		return xasprintf("Member '%s' is present but not allowed here.",
				 first);
	return xasprintf("Member '%s' and %u other member%s are present but "
			 "not allowed here.",
			 first, n - 1, n > 2 ? "s" : "");
}

static char *members_wrong(const struct run *r, const struct operation *o,
			   const struct json *op)
{
	for (size_t i = 0; i < MAX_MEMBERS && o->members[i].name; i++) {
		char *why = member_wrong(r, op, &o->members[i]);

		if (why)
			return why;
	}
	return members_strange(o, op);
}

static const struct operation *operation_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(operations); i++)
		if (!strcmp(operations[i].name, name))
			return &operations[i];
	return NULL;
}

/* The operation that `op` is; NULL with a sentence of what is wrong with it. */
static const struct operation *
operation_check(const struct run *r, const struct json *op, char **why)
{
	static const struct member name = { "op", MEMBER_ID, false };
	const struct operation *o;

	*why = op->type == JSON_OBJECT ? member_wrong(r, op, &name) :
					 xstrdup("Object expected.");
	if (*why)
		return NULL;
	o = operation_find(text_member(op, "op"));
	*why = o ? members_wrong(r, o, op) :
		   xasprintf("No operation \"%s\"", text_member(op, "op"));
	return *why ? NULL : o;
}

static int operation_run(struct run *r, size_t i, struct fault *f)
{
	const struct json *op = json_at(r->rq->params, i);
	char *why;
	const struct operation *o = operation_check(r, op, &why);

	if (o)
		return o->fn(r, op, f);
	fault_set_syntax(f, op->type == JSON_OBJECT ? op : NULL,
			 "Parsing ovsdb operation %zu of %u failed: %s", i,
			 r->rq->params->n - 1, why);
	free(why);
	return -EINVAL;
}

/* --- the request ------------------------------------------------------------------------------------------------ */

/* All operations; the reply has a result of each that was done. */
static int operations_run(struct run *r, struct fault *f)
{
	const struct json *p = r->rq->params;

	for (size_t i = 1; i < p->n; i++) {
		int err = operation_run(r, i, f);

		if (r->blocked)
			return -EAGAIN;
		if (!err)
			continue;
		fault_add_json(f, r->reply);
		while (++i < p->n)
			json_add_null(r->reply);
		return err;
	}
	if (!txn_prepare(r->txn, f))
		return 0;
	fault_add_json(f, r->reply);
	return -EINVAL;
}

static void run_fini(struct run *r)
{
	struct symbol *s;

	hmap_for_each_safe(s, &r->symbols, node) {
		free(s->name);
		free(s);
	}
	hmap_fini(&r->symbols);
}

enum txn_state txn_run(struct db *db, const struct txn_request *rq,
		       struct txn_outcome *out)
{
	struct run r = { .names = { symbol_find },
			 .db = db,
			 .rq = rq,
			 .reply = &out->reply };
	struct fault f = { 0 };
	int err;

	*out = (struct txn_outcome){ 0 };
	hmap_init(&r.symbols);
	r.txn = txn_begin(db);
	json_add_open(r.reply, '[');
	err = operations_run(&r, &f);
	json_add_close(r.reply, ']');
	run_fini(&r);
	fault_fini(&f);
	if (!err) {
		out->txn = r.txn;
		return TXN_READY;
	}
	txn_abort(r.txn);
	if (!r.blocked)
		return TXN_FAILED;
	str_fini(&out->reply);
	out->wait_ms = r.wait_ms;
	return TXN_BLOCKED;
}
