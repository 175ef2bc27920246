/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "ovsdb/condition.h"
#include "ovsdb/mutation.h"
#include "ovsdb/txn_inside.h"

/* A name that an insert gives, or will give, to its row. */
struct symbol {
	char *name;
	struct uuid uuid;
	bool inserted;
};

struct run {
	struct named_uuids names;
	struct db *db;
	struct txn *txn;
	const struct txn_request *rq;
	struct symbol *symbols;
	unsigned n_symbols;
	struct str *reply;
	bool blocked;
	uint64_t wait_ms;
};

/* --- names ------------------------------------------------------------------------------ */

static struct symbol *symbol_get(struct run *r, const char *name)
{
	for (unsigned i = 0; i < r->n_symbols; i++)
		if (!strcmp(r->symbols[i].name, name))
			return &r->symbols[i];
	r->symbols =
		xrealloc(r->symbols, (r->n_symbols + 1) * sizeof(*r->symbols));
	r->symbols[r->n_symbols] =
		(struct symbol){ .name = xstrdup(name),
				 .uuid = uuid_random(r->db->env) };
	return &r->symbols[r->n_symbols++];
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

static const char *string_member(const struct json *op, const char *name,
				 struct fault *f)
{
	const struct json *v = json_find(op, name);

	if (json_is_type(v, JSON_STRING))
		return v->s;
	if (v)
		fault_set_syntax(f, op, "Type mismatch for member '%s'.", name);
	else
		fault_set_syntax(f, op, "Required '%s' member is missing.",
				 name);
	return NULL;
}

static struct table *table_member(struct run *r, const struct json *op,
				  struct fault *f)
{
	const char *name = string_member(op, "table", f);
	struct table *t = name ? db_find_table(r->db, name) : NULL;

	if (name && !t)
		fault_set_syntax(f, op, "No table named %s.", name);
	return t;
}

static struct table *changed_table(struct run *r, const struct json *op,
				   struct fault *f)
{
	struct table *t = table_member(r, op, f);

	if (!t)
		return NULL;
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
	const struct json *where = json_find(op, "where");

	*c = (struct condition){ 0 };
	if (!where)
		return fault_set_syntax(f, op,
					"Required 'where' member is missing.");
	return condition_parse(c, t->schema, where, &r->names, f);
}

struct columns {
	unsigned list[2 * (SCHEMA_MAX_COLUMNS + COLUMN_FIRST)];
	unsigned n;
	unsigned skip; /* so many in front are for sorting only */
};

static int columns_parse(const struct table_schema *t, const struct json *v,
			 struct columns *c, struct fault *f)
{
	c->n = c->skip = 0;
	if (!v) {
		while (c->n < t->n_columns) {
			c->list[c->n] = c->n;
			c->n++;
		}
		return 0;
	}
	if (!json_is_type(v, JSON_ARRAY))
		return fault_set_syntax(f, v,
					"array of distinct column names "
					"expected");
	json_for_each(name, v) {
		const struct column *col =
			name->type == JSON_STRING ?
				schema_find_column(t, name->s) :
				NULL;

		if (!col || c->n == t->n_columns)
			return fault_set_syntax(
				f, v, "%s is not a valid column name",
				name->type == JSON_STRING ? name->s : "this");
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
			return fault_set(f, FAULT_UNKNOWN_COLUMN,
					 "No column %s in table %s.", m->name,
					 t->name);
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

static int insert_uuid(struct run *r, const struct json *op, struct uuid *u,
		       struct fault *f)
{
	const struct json *name = json_find(op, "uuid-name");
	const struct json *uuid = json_find(op, "uuid");
	struct symbol *s;

	*u = uuid_random(r->db->env);
	if (uuid && (uuid->type != JSON_STRING || !uuid_parse(uuid->s, u)))
		return fault_set_syntax(f, uuid, "bad uuid");
	if (!name)
		return 0;
	if (name->type != JSON_STRING || !schema_name_is_valid(name->s))
		return fault_set_syntax(f, op, "uuid-name must be an <id>");
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

static int insert_row(struct run *r, struct table *t, const struct json *op,
		      const struct settings *s, struct fault *f)
{
	const struct json *uuid = json_find(op, "uuid");
	struct row *row;
	char name[UUID_LEN + 1];
	struct uuid u;

	if (insert_uuid(r, op, &u, f))
		return -EINVAL;
	row = txn_insert(r->txn, t, &u);

	if (!row)
		return fault_set_about(
			f, FAULT_DUPLICATE_ROW, uuid,
			"This UUID would duplicate a UUID already "
			"present within the table or deleted within "
			"the same transaction.");
	settings_apply(r, t, row, s);
	json_add_open(r->reply, '{');
	json_add_name(r->reply, "uuid");
	json_add_open(r->reply, '[');
	json_add_string(r->reply, "uuid");
	json_add_string(r->reply, uuid_format(&u, name));
	json_add_close(r->reply, ']');
	json_add_close(r->reply, '}');
	return 0;
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
	int err;

	if (!t)
		return -EINVAL;
	if (!row)
		return fault_set_syntax(f, op,
					"Required 'row' member is missing.");
	err = settings_parse(r, t->schema, row, &s, f);
	if (!err)
		err = settings_immutable(&s, t->schema, op, true, f);
	if (!err)
		err = defaults_check(t->schema, &s, f);
	if (!err)
		err = insert_row(r, t, op, &s, f);
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
	struct table *t = table_member(r, op, f);
	struct columns c;
	struct found found;
	struct picture *p;

	if (!t || columns_parse(t->schema, json_find(op, "columns"), &c, f) ||
	    sort_parse(t->schema, json_find(op, "sort"), &c, f) ||
	    rows_find(r, t, op, &found, f))
		return -EINVAL;
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
	if (!row)
		return fault_set_syntax(f, op,
					"Required 'row' member is missing.");
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
	if (!list)
		return fault_set_syntax(
			f, op, "Required 'mutations' member is missing.");
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
	const char *until = string_member(op, "until", f);

	if (!until)
		return -EINVAL;
	if (strcmp(until, "==") && strcmp(until, "!="))
		return fault_set_syntax(f, op,
					"\"until\" must be \"==\" or \"!=\"");
	if (timeout && (timeout->type != JSON_INT || timeout->i < 0))
		return fault_set_syntax(f, op,
					"\"timeout\" must be nonnegative");
	if (!json_is_type(json_find(op, "rows"), JSON_ARRAY))
		return fault_set_syntax(f, op,
					"Required 'rows' member is missing.");
	return 0;
}

static int op_wait(struct run *r, const struct json *op, struct fault *f)
{
	struct table *t = table_member(r, op, f);
	const struct json *rows = json_find(op, "rows");
	struct picture *expected, *there;
	struct columns c;
	struct found found;
	bool equal;

	if (!t || wait_check(op, f) ||
	    columns_parse(t->schema, json_find(op, "columns"), &c, f))
		return -EINVAL;
	expected = expected_parse(r, t, rows, &c, f);
	if (!expected)
		return -EINVAL;
	if (rows_find(r, t, op, &found, f)) {
		pictures_free(expected, rows->n, c.n);
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

static int op_commit(struct run *r, const struct json *op, struct fault *f)
{
	const struct json *durable = json_find(op, "durable");

	if (!json_is_bool(durable))
		return fault_set_syntax(
			f, op, "Required 'durable' member is missing.");
	r->txn->durable |= durable->type == JSON_TRUE;
	reply_empty(r);
	return 0;
}

static int op_abort(struct run *r UNUSED, const struct json *op UNUSED,
		    struct fault *f)
{
	return fault_set(f, FAULT_ABORTED, "aborted by request");
}

static int op_comment(struct run *r, const struct json *op, struct fault *f)
{
	const char *text = string_member(op, "comment", f);

	if (!text)
		return -EINVAL;
	txn_add_comment(r->txn, text);
	reply_empty(r);
	return 0;
}

static int op_assert(struct run *r, const struct json *op, struct fault *f)
{
	const char *lock = string_member(op, "lock", f);

	if (!lock)
		return -EINVAL;
	if (!r->rq->owns_lock || !r->rq->owns_lock(r->rq->aux, lock))
		return fault_set(f, FAULT_NOT_OWNER,
				 "Asserted lock %s not held.", lock);
	reply_empty(r);
	return 0;
}

static const struct operation {
	const char *name;
	int (*fn)(struct run *r, const struct json *op, struct fault *f);
} operations[] = {
	{ "insert", op_insert },   { "select", op_select },
	{ "update", op_update },   { "mutate", op_mutate },
	{ "delete", op_delete },   { "wait", op_wait },
	{ "commit", op_commit },   { "abort", op_abort },
	{ "comment", op_comment }, { "assert", op_assert },
};

static int operation_run(struct run *r, const struct json *op, struct fault *f)
{
	const char *name;

	if (!json_is_type(op, JSON_OBJECT))
		return fault_set_syntax(f, op,
					"Parsing ovsdb operation "
					"failed: object expected");
	name = string_member(op, "op", f);
	if (!name)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(operations); i++)
		if (!strcmp(operations[i].name, name))
			return operations[i].fn(r, op, f);
	return fault_set_syntax(f, op, "No operation named %s.", name);
}

/* --- the request ------------------------------------------------------------------------------------------------ */

/* All operations; the reply has a result of each that was done. */
static int operations_run(struct run *r, struct fault *f)
{
	const struct json *p = r->rq->params;

	for (size_t i = 1; i < p->n; i++) {
		int err = operation_run(r, &p->elements[i], f);

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
	for (unsigned i = 0; i < r->n_symbols; i++)
		free(r->symbols[i].name);
	free(r->symbols);
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

/* --- records ---------------------------------------------------------------------------------------------------- */

static int record_row(struct run *r, struct table *t,
		      const struct json_member *m, bool is_diff,
		      struct fault *f)
{
	struct uuid u;
	struct row *row;

	if (!uuid_parse(m->name, &u))
		return fault_set_syntax(f, NULL, "%s is no UUID", m->name);
	row = table_find(t, &u);
	if (m->value.type == JSON_NULL) {
		if (!row)
			return fault_set_syntax(
				f, NULL,
				"%s: a row that is not there is "
				"deleted",
				m->name);
		txn_delete(r->txn, t, row);
		return 0;
	}
	is_diff &= row != NULL;
	if (!row)
		row = txn_insert(r->txn, t, &u);
	if (m->value.type != JSON_OBJECT)
		return fault_set_syntax(f, &m->value, "no row");
	json_for_each_member(c, &m->value) {
		const struct column *col =
			schema_find_column(t->schema, c->name);
		struct datum *d;

		if (!col)
			return fault_set(f, FAULT_UNKNOWN_COLUMN,
					 "No column %s in table %s.", c->name,
					 t->schema->name);
		d = datum_parse_loose(&col->type, &c->value, NULL, f);
		if (!d)
			return -EINVAL;
		if (is_diff &&
		    (type_is_map(&col->type) || col->type.n_max > 1)) {
			struct datum *diff = d;

			d = datum_apply(row->cells[col->index - COLUMN_FIRST],
					diff);
			datum_unref(diff);
		}
		txn_set(r->txn, t, row, col, d);
	}
	return 0;
}

static int record_table(struct run *r, const struct json_member *m,
			bool is_diff, struct fault *f)
{
	struct table *t = db_find_table(r->db, m->name);

	if (!strcmp(m->name, "_comment") && m->value.type == JSON_STRING)
		txn_add_comment(r->txn, m->value.s);
	if (m->name[0] == '_')
		return 0;
	if (!t)
		return fault_set(f, FAULT_UNKNOWN_TABLE, "No table named %s.",
				 m->name);
	if (m->value.type != JSON_OBJECT)
		return fault_set_syntax(f, &m->value, "no table");
	json_for_each_member(row, &m->value) {
		if (record_row(r, t, row, is_diff, f))
			return -EINVAL;
	}
	return 0;
}

struct txn *txn_read_record(struct db *db, const struct json *record,
			    struct fault *f)
{
	struct run r = { .db = db, .txn = txn_begin(db) };
	bool is_diff = json_is_type(json_find(record, "_is_diff"), JSON_TRUE);
	int err = 0;

	if (!json_is_type(record, JSON_OBJECT))
		err = fault_set_syntax(f, record, "no transaction");
	else
		json_for_each_member(m, record) {
			err = err ? err : record_table(&r, m, is_diff, f);
		}
	if (!err && !txn_prepare(r.txn, f))
		return r.txn;
	txn_abort(r.txn);
	return NULL;
}
