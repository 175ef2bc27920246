/* SPDX-License-Identifier: Apache-2.0 */
#include "ovsdb/monitor_filter.h"

#define SEED 0x9e3779b97f4a7c15u

/* A clause "column == value". */
struct value {
	struct hmap_node node;
	const struct clause *clause;
};

struct monitor_filter {
	unsigned n_refs;
	bool all;
	struct condition cond;
	struct hmap by_value; /* struct value */
	struct value *values;
	unsigned n_values;
	unsigned *columns; /* distinct, of the values */
	unsigned n_columns;
	const struct clause **rest; /* clauses that are no value */
	unsigned n_rest;
};

/* --- making --------------------------------------------------------------------- */

static struct monitor_filter *filter_create(void)
{
	struct monitor_filter *f = xzalloc(sizeof(*f));

	f->n_refs = 1;
	hmap_init(&f->by_value);
	return f;
}

struct monitor_filter *monitor_filter_all(void)
{
	struct monitor_filter *f = filter_create();

	f->all = true;
	return f;
}

struct monitor_filter *monitor_filter_ref(struct monitor_filter *f)
{
	f->n_refs++;
	return f;
}

void monitor_filter_unref(struct monitor_filter *f)
{
	if (!f || --f->n_refs)
		return;
	hmap_fini(&f->by_value);
	free(f->values);
	free(f->columns);
	free(f->rest);
	condition_fini(&f->cond);
	free(f);
}

static uint64_t value_hash(unsigned column, const struct datum *d)
{
	return datum_hash(d, SEED + column);
}

static const struct clause *value_find(const struct monitor_filter *f,
				       unsigned column, const struct datum *d)
{
	struct value *v;

	hmap_for_each_same(v, &f->by_value, value_hash(column, d), node) {
		if (v->clause->column == column &&
		    datum_equal(v->clause->arg, d))
			return v->clause;
	}
	return NULL;
}

static void column_put(struct monitor_filter *f, unsigned column)
{
	for (unsigned i = 0; i < f->n_columns; i++)
		if (f->columns[i] == column)
			return;
	f->columns[f->n_columns++] = column;
}

static void clause_put(struct monitor_filter *f, const struct clause *c)
{
	struct value *v;

	switch (c->function) {
	case COND_FALSE:
		return;
	case COND_TRUE:
		f->all = true;
		return;
	case COND_EQ:
		if (value_find(f, c->column, c->arg))
			return;
		v = &f->values[f->n_values++];
		v->clause = c;
		hmap_put(&f->by_value, &v->node, value_hash(c->column, c->arg));
		column_put(f, c->column);
		return;
	case COND_LT:
	case COND_LE:
	case COND_NE:
	case COND_GE:
	case COND_GT:
	case COND_INCLUDES:
	case COND_EXCLUDES:
		f->rest[f->n_rest++] = c;
		return;
	}
}

struct monitor_filter *monitor_filter_parse(const struct table_schema *t,
					    const struct json *where,
					    struct fault *fault)
{
	struct monitor_filter *f = filter_create();
	unsigned n;

	if (condition_parse(&f->cond, t, where, NULL, fault)) {
		f->cond = (struct condition){ 0 };
		monitor_filter_unref(f);
		return NULL;
	}
	n = f->cond.n;
	f->all = !n;
	f->values = xcalloc(n + 1, sizeof(*f->values));
	f->columns = xcalloc(t->n_columns, sizeof(*f->columns));
	f->rest = xcalloc(n + 1, sizeof(struct clause *));
	for (unsigned i = 0; i < n; i++)
		clause_put(f, &f->cond.clauses[i]);
	return f;
}

void monitor_filter_add_json(struct str *s, const struct table_schema *t,
			     const struct monitor_filter *f)
{
	if (f->all)
		json_add_bool(s, true);
	else
		condition_add_json(s, t, &f->cond);
}

/* --- judging --------------------------------------------------------------------- */

static bool value_passes(const struct monitor_filter *f, unsigned column,
			 const struct row_view *v)
{
	struct datum *d = row_view_ref(v, column);
	bool passes = value_find(f, column, d);

	datum_unref(d);
	return passes;
}

bool monitor_filter_passes(const struct monitor_filter *f,
			   const struct row_view *v)
{
	if (f->all)
		return true;
	for (unsigned i = 0; i < f->n_columns; i++)
		if (value_passes(f, f->columns[i], v))
			return true;
	for (unsigned i = 0; i < f->n_rest; i++)
		if (clause_holds(f->rest[i], v))
			return true;
	return false;
}

/* --- two filters ------------------------------------------------------------------- */

struct diff {
	const struct monitor_filter *a, *b;
	struct table *table;
	void (*each)(const struct row_view *v, bool passes_b, void *aux);
	void *aux;
	struct hmap seen; /* struct seen: rows that two clauses mean */
};

struct seen {
	struct hmap_node node;
	struct uuid uuid;
};

static void diff_row(struct diff *d, const struct row *r)
{
	struct row_view v = row_view(d->table, r);
	bool b = monitor_filter_passes(d->b, &v);

	if (monitor_filter_passes(d->a, &v) != b)
		d->each(&v, b, d->aux);
}

static bool seen_before(struct diff *d, const struct uuid *u)
{
	uint64_t hash = uuid_hash(u, SEED);
	struct seen *s;

	hmap_for_each_same(s, &d->seen, hash, node) {
		if (uuid_equal(&s->uuid, u))
			return true;
	}
	s = xzalloc(sizeof(*s));
	s->uuid = *u;
	hmap_put(&d->seen, &s->node, hash);
	return false;
}

static bool diff_found(struct row *r, void *aux)
{
	struct diff *d = aux;

	if (!seen_before(d, &r->uuid))
		diff_row(d, r);
	return true;
}

/* Rows that clauses of `a` mean which `b` has not. */
static void diff_clauses(struct diff *d, const struct monitor_filter *a,
			 const struct monitor_filter *b)
{
	for (unsigned i = 0; i < a->n_values; i++) {
		struct clause c = *a->values[i].clause;
		struct condition one = { &c, 1 };

		if (!value_find(b, c.column, c.arg))
			condition_for_each(&one, d->table, diff_found, d);
	}
}

static void diff_by_clauses(struct diff *d)
{
	struct seen *s;

	hmap_init(&d->seen);
	diff_clauses(d, d->a, d->b);
	diff_clauses(d, d->b, d->a);
	hmap_for_each_safe(s, &d->seen, node)
		free(s);
	hmap_fini(&d->seen);
}

static bool column_is_indexed(const struct table_schema *t, unsigned column)
{
	if (column == COLUMN_UUID)
		return true;
	for (unsigned i = 0; i < t->n_indexes; i++)
		if (t->indexes[i].n == 1 && t->indexes[i].columns[0] == column)
			return true;
	return false;
}

/* Only clauses that find their row at once: no need to look at all. */
static bool filter_is_indexed(const struct monitor_filter *f,
			      const struct table_schema *t)
{
	if (f->all || f->n_rest)
		return false;
	for (unsigned i = 0; i < f->n_columns; i++)
		if (!column_is_indexed(t, f->columns[i]))
			return false;
	return true;
}

void monitor_filter_diff(const struct monitor_filter *a,
			 const struct monitor_filter *b, struct table *t,
			 void (*each)(const struct row_view *v, bool passes_b,
				      void *aux),
			 void *aux)
{
	struct diff d = {
		.a = a, .b = b, .table = t, .each = each, .aux = aux
	};
	struct row *r;

	if (a == b || (a->all && b->all))
		return;
	if (filter_is_indexed(a, t->schema) && filter_is_indexed(b, t->schema))
		diff_by_clauses(&d);
	else
		table_for_each(r, t)
			diff_row(&d, r);
}
