/* SPDX-License-Identifier: Apache-2.0 */
#include "ovsdb/condition.h"

#include <errno.h>

#include "ovsdb/table_inside.h"

static const char *const words[] = {
	[COND_FALSE] = "false",
	[COND_TRUE] = "true",
	[COND_LT] = "<",
	[COND_LE] = "<=",
	[COND_EQ] = "==",
	[COND_NE] = "!=",
	[COND_GE] = ">=",
	[COND_GT] = ">",
	[COND_INCLUDES] = "includes",
	[COND_EXCLUDES] = "excludes",
};

enum condition_function condition_function_find(const char *name, bool *ok)
{
	*ok = true;
	for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(words[i], name))
			return (enum condition_function)i;
	*ok = false;
	return COND_FALSE;
}

/* --- reading ------------------------------------------------------------------------- */

static bool is_ordering(enum condition_function fn)
{
	return fn == COND_LT || fn == COND_LE || fn == COND_GE || fn == COND_GT;
}

/* Numbers, and optional numbers, can be ordered. */
static bool is_ordered(const struct type *t)
{
	return (t->key.type == ATOM_INT || t->key.type == ATOM_REAL) &&
	       t->value.type == ATOM_VOID && t->n_max == 1;
}

static int mismatch(struct fault *f, const struct json *v, const char *fn,
		    const struct column *c)
{
	struct str type = STR_INIT;

	type_describe(&type, &c->type);
	fault_set_syntax(f, v,
			 "Type mismatch: \"%s\" operator may not be applied to "
			 "column %s of type %s.",
			 fn, c->name, type.s);
	str_fini(&type);
	return -EINVAL;
}

static struct datum *arg_parse(enum condition_function fn, const struct type *t,
			       const struct json *v,
			       const struct named_uuids *names, struct fault *f)
{
	bool part = fn == COND_INCLUDES || fn == COND_EXCLUDES;
	struct type arg = *t;

	if (is_ordering(fn))
		arg.n_min = 1;
	else if (part && !type_is_scalar(t))
		arg.n_min = 0;
	if (fn == COND_EXCLUDES && !type_is_scalar(t))
		arg.n_max = TYPE_UNLIMITED;
	return datum_parse(&arg, v, names, f);
}

static int clause_read(struct clause *c, const struct table_schema *t,
		       const struct json *v, const struct named_uuids *names,
		       struct fault *f)
{
	const struct json *column_name = json_at(v, 0), *fn = json_at(v, 1);
	const struct column *column;
	bool ok;

	if (json_is_bool(v)) {
		c->function = v->type == JSON_TRUE ? COND_TRUE : COND_FALSE;
		return 0;
	}
	if (!json_is_type(v, JSON_ARRAY) || v->n != 3 ||
	    !json_is_type(column_name, JSON_STRING) ||
	    !json_is_type(fn, JSON_STRING))
		return fault_set_syntax(f, v, "Parse error in condition.");
	column = schema_find_column(t, column_name->s);
	if (!column)
		return fault_set_about(f, FAULT_UNKNOWN_COLUMN, v,
				       "No column %s in table %s.",
				       column_name->s, t->name);
	c->column = column->index;
	c->function = condition_function_find(fn->s, &ok);
	if (!ok || c->function == COND_TRUE || c->function == COND_FALSE)
		return fault_set_about(f, FAULT_UNKNOWN_FUNCTION, NULL,
				       "No function named %s.", fn->s);
	if (is_ordering(c->function) && !is_ordered(&column->type))
		return mismatch(f, v, fn->s, column);
	c->arg = arg_parse(c->function, &column->type, json_at(v, 2), names, f);
	return c->arg ? 0 : -EINVAL;
}

int condition_parse(struct condition *c, const struct table_schema *t,
		    const struct json *v, const struct named_uuids *names,
		    struct fault *f)
{
	*c = (struct condition){ 0 };
	if (!json_is_type(v, JSON_ARRAY))
		return fault_set_syntax(f, v, "array of conditions expected");
	c->clauses = xcalloc(v->n + 1, sizeof(*c->clauses));
	json_for_each(one, v) {
		if (!clause_read(&c->clauses[c->n++], t, one, names, f))
			continue;
		condition_fini(c);
		return -EINVAL;
	}
	return 0;
}

void condition_fini(struct condition *c)
{
	for (unsigned i = 0; i < c->n; i++)
		datum_unref(c->clauses[i].arg);
	free(c->clauses);
	*c = (struct condition){ 0 };
}

void condition_add_json(struct str *s, const struct table_schema *t,
			const struct condition *c)
{
	json_add_open(s, '[');
	for (unsigned i = 0; i < c->n; i++) {
		const struct clause *one = &c->clauses[i];

		if (!one->arg) {
			json_add_bool(s, one->function == COND_TRUE);
			continue;
		}
		json_add_open(s, '[');
		json_add_string(s, t->columns[one->column].name);
		json_add_string(s, words[one->function]);
		datum_add_json(s, one->arg);
		json_add_close(s, ']');
	}
	json_add_close(s, ']');
}

/* --- judging ---------------------------------------------------------------------------- */

static bool datum_includes(const struct datum *d, const struct datum *arg)
{
	for (size_t i = 0; i < arg->n; i++) {
		struct atom k = datum_key(arg, i), x, y;
		ptrdiff_t at = datum_find(d, &k);

		if (at < 0)
			return false;
		if (!datum_is_map(d))
			continue;
		x = datum_value(d, (size_t)at);
		y = datum_value(arg, i);
		if (atom_compare((enum atom_type)d->value, &x, &y))
			return false;
	}
	return true;
}

static bool datum_excludes(const struct datum *d, const struct datum *arg)
{
	for (size_t i = 0; i < arg->n; i++) {
		struct atom k = datum_key(arg, i), x, y;
		ptrdiff_t at = datum_find(d, &k);

		if (at < 0)
			continue;
		if (!datum_is_map(d))
			return false;
		x = datum_value(d, (size_t)at);
		y = datum_value(arg, i);
		if (!atom_compare((enum atom_type)d->value, &x, &y))
			return false;
	}
	return true;
}

static bool judge(enum condition_function fn, const struct datum *d,
		  const struct datum *arg)
{
	/* An optional number that is not there has no order. */
	if (is_ordering(fn) && (!d->n || !arg->n))
		return false;
	switch (fn) {
	case COND_FALSE:
		return false;
	case COND_TRUE:
		return true;
	case COND_LT:
		return datum_compare(d, arg) < 0;
	case COND_LE:
		return datum_compare(d, arg) <= 0;
	case COND_EQ:
		return datum_equal(d, arg);
	case COND_NE:
		return !datum_equal(d, arg);
	case COND_GE:
		return datum_compare(d, arg) >= 0;
	case COND_GT:
		return datum_compare(d, arg) > 0;
	case COND_INCLUDES:
		return datum_includes(d, arg);
	case COND_EXCLUDES:
		return datum_excludes(d, arg);
	}
	return false;
}

bool clause_holds(const struct clause *c, const struct row_view *v)
{
	struct datum *d;
	bool holds;

	if (!c->arg)
		return c->function == COND_TRUE;
	if (c->column >= COLUMN_FIRST)
		return judge(c->function, row_view_get(v, c->column), c->arg);
	d = row_view_ref(v, c->column);
	holds = judge(c->function, d, c->arg);
	datum_unref(d);
	return holds;
}

bool condition_all(const struct condition *c, const struct row_view *v)
{
	for (unsigned i = 0; i < c->n; i++)
		if (!clause_holds(&c->clauses[i], v))
			return false;
	return true;
}

bool condition_any(const struct condition *c, const struct row_view *v)
{
	for (unsigned i = 0; i < c->n; i++)
		if (clause_holds(&c->clauses[i], v))
			return true;
	return false;
}

/* --- looking ------------------------------------------------------------------------------ */

static const struct datum *pinned(const struct condition *c, unsigned column)
{
	for (unsigned i = 0; i < c->n; i++)
		if (c->clauses[i].column == column && c->clauses[i].arg &&
		    c->clauses[i].function == COND_EQ)
			return c->clauses[i].arg;
	return NULL;
}

/* True when there is at most one row that can be meant: *r, or NULL. */
static bool find_pinned(const struct condition *c, struct table *t,
			struct row **r)
{
	const struct datum *key[SCHEMA_MAX_COLUMNS];
	const struct datum *uuid = pinned(c, COLUMN_UUID);

	if (uuid) {
		struct atom a = datum_key(uuid, 0);

		*r = table_find(t, &a.uuid);
		return true;
	}
	for (unsigned i = 0; i < t->schema->n_indexes; i++) {
		const struct schema_index *x = &t->schema->indexes[i];
		bool all = true;

		for (unsigned k = 0; k < x->n && all; k++) {
			key[k] = pinned(c, x->columns[k]);
			all = key[k];
		}
		if (!all)
			continue;
		*r = table_find_by_index(t, i, key);
		/* In the middle of a transaction there may be another. */
		return !*r || !table_find_twin(t, i, *r);
	}
	return false;
}

void condition_for_each(const struct condition *c, struct table *t,
			bool (*each)(struct row *r, void *aux), void *aux)
{
	struct row *r;

	if (find_pinned(c, t, &r)) {
		struct row_view v;

		if (!r)
			return;
		v = row_view(t, r);
		if (condition_all(c, &v))
			each(r, aux);
		return;
	}
	hmap_for_each_safe(r, &t->rows, by_uuid) {
		struct row_view v = row_view(t, r);

		if (condition_all(c, &v) && !each(r, aux))
			return;
	}
}
