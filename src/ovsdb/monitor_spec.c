/* SPDX-License-Identifier: Apache-2.0 */
#include "ovsdb/monitor.h"

#include <errno.h>

/* A table's request under way. */
struct request {
	const struct table_schema *schema;
	struct monitor_table *table;
	enum monitor_kind kind;
	struct str where; /* clauses of all conditions of the table */
	bool all;         /* one of its requests has no condition */
};

/* --- one request -------------------------------------------------------------------- */

static int select_parse(const struct json *v, unsigned *select, struct fault *f)
{
	static const struct {
		const char *name;
		unsigned bit;
	} words[] = { { "initial", MONITOR_INITIAL },
		      { "insert", MONITOR_INSERT },
		      { "delete", MONITOR_DELETE },
		      { "modify", MONITOR_MODIFY } };
	unsigned known = 0;

	*select = MONITOR_ALL;
	if (!v)
		return 0;
	if (!json_is_type(v, JSON_OBJECT))
		return fault_set_syntax(f, v, "\"select\" must be an object");
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const struct json *b = json_find(v, words[i].name);

		if (b && !json_is_bool(b))
			return fault_set_syntax(f, v,
						"\"%s\" must be a boolean",
						words[i].name);
		if (json_is_type(b, JSON_FALSE))
			*select &= ~words[i].bit;
		known += b != NULL;
	}
	if (known < v->n)
		return fault_set_syntax(f, v, "a kind of change is unknown");
	return 0;
}

static int column_put(struct monitor_table *t, const struct column *c,
		      unsigned select, const struct json *v, struct fault *f)
{
	for (unsigned i = 0; i < t->n_columns; i++)
		if (t->columns[i].column == c)
			return fault_set_syntax(
				f, v, "column %s mentioned more than once",
				c->name);
	t->columns[t->n_columns++] = (struct monitor_column){ c, select };
	return 0;
}

/* All but _uuid. */
static int columns_put_all(struct request *r, unsigned select, struct fault *f)
{
	int err = 0;

	for (unsigned i = 0; i < r->schema->n_columns && !err; i++)
		if (r->schema->columns[i].index != COLUMN_UUID)
			err = column_put(r->table, &r->schema->columns[i],
					 select, NULL, f);
	return err;
}

static int columns_parse(struct request *r, const struct json *v,
			 unsigned select, struct fault *f)
{
	if (!v)
		return columns_put_all(r, select, f);
	if (!json_is_type(v, JSON_ARRAY))
		return fault_set_syntax(f, v, "array of column names expected");
	json_for_each(name, v) {
		const struct column *c;

		if (name->type != JSON_STRING)
			return fault_set_syntax(
				f, v, "array of column names expected");
		c = schema_find_column(r->schema, name->s);
		if (!c)
			return fault_set_syntax(
				f, v, "%s is not a valid column name", name->s);
		if (column_put(r->table, c, select, v, f))
			return -EINVAL;
	}
	return 0;
}

/* Adds the clauses to those of the table. */
static int where_parse(struct request *r, const struct json *v, struct fault *f)
{
	if (!v) {
		r->all = true;
		return 0;
	}
	if (!json_is_type(v, JSON_ARRAY))
		return fault_set_syntax(f, v, "array of conditions expected");
	if (!v->n)
		r->all = true;
	json_for_each(clause, v)
		json_add(&r->where, clause);
	return 0;
}

static int request_parse(struct request *r, const struct json *v,
			 struct fault *f)
{
	const struct json *columns = json_find(v, "columns");
	const struct json *select_json = json_find(v, "select");
	const struct json *where =
		r->kind == MONITOR_UPDATE ? NULL : json_find(v, "where");
	unsigned select;

	if (!json_is_type(v, JSON_OBJECT))
		return fault_set_syntax(f, v, "table %s: object expected",
					r->schema->name);
	if (v->n > (unsigned)(!!columns + !!select_json + !!where))
		return fault_set_syntax(
			f, v, "table %s: a member of the request is unknown",
			r->schema->name);
	if (select_parse(select_json, &select, f))
		return -EINVAL;
	r->table->select |= select;
	if (columns_parse(r, columns, select, f))
		return -EINVAL;
	return where_parse(r, where, f);
}

/* --- one table ------------------------------------------------------------------------ */

static struct monitor_filter *filter_make(struct request *r, struct fault *f)
{
	struct monitor_filter *filter;
	struct json_doc *doc;
	struct err e = ERR_INIT;

	json_add_close(&r->where, ']');
	/* It was JSON a moment ago. */
	must(!json_parse(r->where.s, r->where.len, &doc, &e));
	filter = monitor_filter_parse(r->schema, json_root(doc), f);
	json_doc_destroy(doc);
	if (!filter || !r->all)
		return filter;
	monitor_filter_unref(filter);
	return monitor_filter_all();
}

static int requests_parse(struct request *r, const struct json *v,
			  struct fault *f)
{
	if (!json_is_type(v, JSON_ARRAY))
		return request_parse(r, v, f);
	json_for_each(one, v) {
		if (request_parse(r, one, f))
			return -EINVAL;
	}
	return 0;
}

static int table_parse(struct monitor_table *t, enum monitor_kind kind,
		       const struct json *v, struct fault *f)
{
	struct request r = { .schema = t->schema, .table = t, .kind = kind };
	int err;

	t->columns = xcalloc(t->schema->n_columns, sizeof(*t->columns));
	json_add_open(&r.where, '[');
	err = requests_parse(&r, v, f);
	if (!err) {
		t->filter = filter_make(&r, f);
		err = t->filter ? 0 : -EINVAL;
	}
	str_fini(&r.where);
	return err;
}

/* --- the spec ---------------------------------------------------------------------------- */

static struct monitor_spec *spec_create(enum monitor_kind kind, unsigned n,
					unsigned n_by_index)
{
	struct monitor_spec *m = xzalloc(sizeof(*m));

	m->kind = kind;
	m->tables = xcalloc(n + 1, sizeof(*m->tables));
	m->by_index =
		xcalloc(n_by_index + 1, sizeof(const struct monitor_table *));
	m->n_by_index = n_by_index;
	return m;
}

static struct monitor_table *spec_table(struct monitor_spec *m,
					const struct table_schema *ts)
{
	struct monitor_table *t = &m->tables[m->n_tables++];

	t->schema = ts;
	m->by_index[ts->index] = t;
	return t;
}

struct monitor_spec *monitor_spec_parse(const struct schema *s,
					enum monitor_kind kind,
					const struct json *requests,
					struct fault *f)
{
	struct monitor_spec *m;
	int err = 0;

	if (!json_is_type(requests, JSON_OBJECT)) {
		fault_set_syntax(f, requests,
				 "monitor-requests must be object");
		return NULL;
	}
	m = spec_create(kind, requests->n, s->n_tables);
	json_for_each_member(r, requests) {
		const struct table_schema *ts = schema_find_table(s, r->name);

		if (!ts)
			err = fault_set_syntax(f, NULL, "no table named %s",
					       r->name);
		else
			err = table_parse(spec_table(m, ts), kind, &r->value,
					  f);
		if (err)
			break;
	}
	if (!err)
		return m;
	monitor_spec_destroy(m);
	return NULL;
}

void monitor_spec_destroy(struct monitor_spec *m)
{
	if (!m)
		return;
	for (unsigned i = 0; i < m->n_tables; i++) {
		free(m->tables[i].columns);
		monitor_filter_unref(m->tables[i].filter);
	}
	free(m->tables);
	free(m->by_index);
	free(m);
}

void monitor_spec_add_key(struct str *s, const struct monitor_spec *m)
{
	str_addf(s, "%d", m->kind);
	for (unsigned i = 0; i < m->n_tables; i++) {
		const struct monitor_table *t = &m->tables[i];

		str_addf(s, ";%u %u ", t->schema->index, t->select);
		for (unsigned k = 0; k < t->n_columns; k++)
			str_addf(s, "%u:%u ", t->columns[k].column->index,
				 t->columns[k].select);
		monitor_filter_add_json(s, t->schema, t->filter);
	}
}

/* --- other filters -------------------------------------------------------------------------- */

/* [{"where": condition}...] */
static struct monitor_filter *change_parse(const struct table_schema *ts,
					   const struct json *v,
					   struct fault *f)
{
	struct request r = { .schema = ts, .kind = MONITOR_UPDATE2 };
	struct monitor_filter *filter = NULL;
	int err = 0;

	json_add_open(&r.where, '[');
	json_for_each(one, v) {
		const struct json *where = json_find(one, "where");

		if (json_find(one, "columns"))
			err = fault_set_syntax(
				f, one, "changing columns is unsupported");
		else if (!json_is_type(one, JSON_OBJECT) || !where ||
			 one->n > 1)
			err = fault_set_syntax(
				f, one, "an object with \"where\" expected");
		else
			err = where_parse(&r, where, f);
		if (err)
			break;
	}
	if (!err)
		filter = filter_make(&r, f);
	str_fini(&r.where);
	return filter;
}

static struct monitor_spec *spec_clone(const struct monitor_spec *m)
{
	struct monitor_spec *c =
		spec_create(m->kind, m->n_tables, m->n_by_index);

	for (unsigned i = 0; i < m->n_tables; i++) {
		const struct monitor_table *from = &m->tables[i];
		struct monitor_table *t = spec_table(c, from->schema);

		t->select = from->select;
		t->n_columns = from->n_columns;
		t->columns = xcalloc(from->n_columns + 1, sizeof(*t->columns));
		memcpy(t->columns, from->columns,
		       from->n_columns * sizeof(*t->columns));
		t->filter = monitor_filter_ref(from->filter);
	}
	return c;
}

static int filter_change(struct monitor_spec *m, const struct schema *s,
			 const struct json_member *r, struct fault *f)
{
	const struct table_schema *ts = schema_find_table(s, r->name);
	struct monitor_filter *filter;
	struct monitor_table *t;

	if (!ts)
		return fault_set_syntax(f, NULL, "no table named %s", r->name);
	if (!m->by_index[ts->index])
		return fault_set_syntax(f, NULL,
					"no table named %s in monitor session",
					r->name);
	if (!json_is_type(&r->value, JSON_ARRAY))
		return fault_set_syntax(
			f, NULL, "table %s no monitor-cond-change JSON array",
			r->name);
	filter = change_parse(ts, &r->value, f);
	if (!filter)
		return -EINVAL;
	t = &m->tables[m->by_index[ts->index] - m->tables];
	monitor_filter_unref(t->filter);
	t->filter = filter;
	return 0;
}

struct monitor_spec *monitor_spec_change(const struct monitor_spec *m,
					 const struct schema *s,
					 const struct json *requests,
					 struct fault *f)
{
	struct monitor_spec *next;

	if (!json_is_type(requests, JSON_OBJECT)) {
		fault_set_syntax(f, NULL,
				 "monitor-cond-change-requests must be object");
		return NULL;
	}
	next = spec_clone(m);
	json_for_each_member(r, requests) {
		if (!filter_change(next, s, r, f))
			continue;
		monitor_spec_destroy(next);
		return NULL;
	}
	return next;
}
