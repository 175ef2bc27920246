/* SPDX-License-Identifier: Apache-2.0 */
#include "ovsdb/schema.h"

#include <errno.h>

bool schema_name_is_valid(const char *name)
{
	for (const char *p = name; *p; p++) {
		bool letter = (*p >= 'a' && *p <= 'z') ||
			      (*p >= 'A' && *p <= 'Z') || *p == '_';

		if (!letter && (p == name || *p < '0' || *p > '9'))
			return false;
	}
	return *name;
}

static int bool_parse(const struct json *v, const char *name, bool *out,
		      struct fault *f)
{
	const struct json *b = json_find(v, name);

	if (b && !json_is_bool(b))
		return fault_set_syntax(f, v, "%s must be a boolean", name);
	if (b)
		*out = b->type == JSON_TRUE;
	return 0;
}

/* --- columns ------------------------------------------------------------------------- */

static int column_parse(struct column *c, const struct json_member *m,
			struct fault *f)
{
	bool ephemeral = false;

	c->name = xstrdup(m->name);
	c->mutable = true;
	if (!schema_name_is_valid(m->name) || m->name[0] == '_')
		return fault_set_syntax(f, &m->value, "%s: no name of a column",
					m->name);
	if (bool_parse(&m->value, "mutable", &c->mutable, f) ||
	    bool_parse(&m->value, "ephemeral", &ephemeral, f) ||
	    type_parse(&c->type, json_find(&m->value, "type"), f))
		return -EINVAL;
	c->persistent = !ephemeral;
	c->empty = type_default(&c->type);
	return 0;
}

static void column_uuid(struct column *c, const char *name)
{
	c->name = xstrdup(name);
	c->type = (struct type){ .n_min = 1, .n_max = 1 };
	c->type.key.type = ATOM_UUID;
	c->type.value.type = ATOM_VOID;
	c->empty = type_default(&c->type);
}

static int columns_parse(struct table_schema *t, const struct json *v,
			 struct fault *f)
{
	const struct json *columns = json_find(v, "columns");

	if (!json_is_type(columns, JSON_OBJECT) || !columns->n)
		return fault_set_syntax(f, v,
					"table must have at least one "
					"column");
	if (columns->n > SCHEMA_MAX_COLUMNS)
		return fault_set_syntax(f, NULL, "%s: too many columns",
					t->name);
	t->columns = xcalloc(columns->n + COLUMN_FIRST, sizeof(*t->columns));
	t->n_columns = COLUMN_FIRST;
	column_uuid(&t->columns[COLUMN_UUID], "_uuid");
	column_uuid(&t->columns[COLUMN_VERSION], "_version");
	t->columns[COLUMN_VERSION].index = COLUMN_VERSION;
	json_for_each_member(m, columns) {
		struct column *c = &t->columns[t->n_columns];

		c->index = t->n_columns++;
		if (column_parse(c, m, f))
			return -EINVAL;
	}
	return 0;
}

/* --- tables --------------------------------------------------------------------------- */

static int index_parse(struct table_schema *t, const struct json *v,
		       struct fault *f)
{
	struct schema_index *x = &t->indexes[t->n_indexes++];

	if (!json_is_type(v, JSON_ARRAY) || !v->n)
		return fault_set_syntax(f, v,
					"array of distinct column names "
					"expected");
	x->columns = xcalloc(v->n, sizeof(*x->columns));
	json_for_each(name, v) {
		const struct column *c =
			name->type == JSON_STRING ?
				schema_find_column(t, name->s) :
				NULL;

		if (!c || c->index < COLUMN_FIRST)
			return fault_set_syntax(
				f, v,
				"%s is not a valid "
				"column name",
				name->type == JSON_STRING ? name->s : "this");
		if (!c->persistent)
			return fault_set_syntax(
				f, v,
				"ephemeral columns (such as %s) may not be "
				"indexed",
				c->name);
		x->columns[x->n++] = c->index;
	}
	return 0;
}

static int indexes_parse(struct table_schema *t, const struct json *v,
			 struct fault *f)
{
	const struct json *list = json_find(v, "indexes");

	if (!list)
		return 0;
	if (!json_is_type(list, JSON_ARRAY) || list->n > SCHEMA_MAX_INDEXES)
		return fault_set_syntax(f, list,
					"array of at most %d indexes "
					"expected",
					SCHEMA_MAX_INDEXES);
	t->indexes = xcalloc(list->n + 1, sizeof(*t->indexes));
	json_for_each(x, list) {
		if (index_parse(t, x, f))
			return -EINVAL;
	}
	return 0;
}

static int table_parse(struct table_schema *t, const struct json_member *m,
		       struct fault *f)
{
	int64_t max = UINT32_MAX;
	const struct json *rows = json_find(&m->value, "maxRows");

	t->name = xstrdup(m->name);
	t->mutable = true;
	if (!schema_name_is_valid(m->name) || m->name[0] == '_')
		return fault_set_syntax(f, &m->value, "%s: no name of a table",
					m->name);
	if (rows)
		max = rows->type == JSON_INT ? rows->i : 0;
	if (max < 1 || max > UINT32_MAX)
		return fault_set_syntax(f, &m->value,
					"maxRows must be a positive integer");
	t->max_rows = (uint32_t)max;
	if (bool_parse(&m->value, "mutable", &t->mutable, f) ||
	    bool_parse(&m->value, "isRoot", &t->is_root, f) ||
	    columns_parse(t, &m->value, f))
		return -EINVAL;
	return indexes_parse(t, &m->value, f);
}

static void table_fini(struct table_schema *t)
{
	for (unsigned i = 0; i < t->n_columns; i++) {
		free(t->columns[i].name);
		type_fini(&t->columns[i].type);
		datum_unref(t->columns[i].empty);
	}
	for (unsigned i = 0; i < t->n_indexes; i++)
		free(t->indexes[i].columns);
	free(t->indexes);
	free(t->columns);
	free(t->name);
}

/* --- the schema -------------------------------------------------------------------------- */

static int ref_resolve(const struct schema *s, struct table_schema *t,
		       struct column *c, struct base_type *b, struct fault *f)
{
	const struct table_schema *to;

	if (b->type != ATOM_UUID || !b->uuid.table)
		return 0;
	to = schema_find_table(s, b->uuid.table);
	if (!to)
		return fault_set_syntax(f, NULL,
					"table %s column %s references "
					"undefined table %s",
					t->name, c->name, b->uuid.table);
	b->uuid.table_index = to->index;
	t->has_refs = true;
	t->has_weak_refs |= b->uuid.kind == REF_WEAK;
	return 0;
}

static int refs_resolve(struct schema *s, struct fault *f)
{
	for (unsigned i = 0; i < s->n_tables; i++) {
		struct table_schema *t = &s->tables[i];

		for (unsigned k = COLUMN_FIRST; k < t->n_columns; k++) {
			struct column *c = &t->columns[k];

			if (ref_resolve(s, t, c, &c->type.key, f) ||
			    ref_resolve(s, t, c, &c->type.value, f))
				return -EINVAL;
		}
	}
	return 0;
}

/* A schema of before there were roots: all tables are. */
static void roots_resolve(struct schema *s)
{
	for (unsigned i = 0; i < s->n_tables; i++)
		if (s->tables[i].is_root)
			return;
	for (unsigned i = 0; i < s->n_tables; i++)
		s->tables[i].is_root = true;
}

static int head_parse(struct schema *s, const struct json *v, struct fault *f)
{
	const struct json *name = json_find(v, "name");
	const struct json *version = json_find(v, "version");
	const struct json *cksum = json_find(v, "cksum");
	const struct json *tables = json_find(v, "tables");

	if (!json_is_type(name, JSON_STRING) || !schema_name_is_valid(name->s))
		return fault_set_syntax(f, v, "name must be an <id>");
	if (!json_is_type(tables, JSON_OBJECT) || tables->n > SCHEMA_MAX_TABLES)
		return fault_set_syntax(f, v,
					"tables must be an object of at "
					"most %d members",
					SCHEMA_MAX_TABLES);
	if ((version && version->type != JSON_STRING) ||
	    (cksum && cksum->type != JSON_STRING))
		return fault_set_syntax(f, v,
					"version and cksum must be "
					"strings");
	s->name = xstrdup(name->s);
	s->version = version ? xstrdup(version->s) : NULL;
	s->cksum = cksum ? xstrdup(cksum->s) : NULL;
	s->tables = xcalloc(tables->n + 1, sizeof(*s->tables));
	return 0;
}

static int schema_read(struct schema *s, const struct json *v, struct fault *f)
{
	if (!json_is_type(v, JSON_OBJECT))
		return fault_set_syntax(f, v, "schema must be an object");
	if (head_parse(s, v, f))
		return -EINVAL;
	json_for_each_member(m, json_find(v, "tables")) {
		struct table_schema *t = &s->tables[s->n_tables];

		t->index = s->n_tables++;
		if (table_parse(t, m, f))
			return -EINVAL;
	}
	roots_resolve(s);
	return refs_resolve(s, f);
}

struct schema *schema_parse(const struct json *v, struct fault *f)
{
	struct schema *s = xzalloc(sizeof(*s));

	if (!schema_read(s, v, f))
		return s;
	schema_destroy(s);
	return NULL;
}

void schema_destroy(struct schema *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < s->n_tables; i++)
		table_fini(&s->tables[i]);
	free(s->tables);
	free(s->name);
	free(s->version);
	free(s->cksum);
	free(s);
}

static void column_add_json(struct str *s, const struct column *c)
{
	json_add_name(s, c->name);
	json_add_open(s, '{');
	if (!c->persistent) {
		json_add_name(s, "ephemeral");
		json_add_bool(s, true);
	}
	if (!c->mutable) {
		json_add_name(s, "mutable");
		json_add_bool(s, false);
	}
	json_add_name(s, "type");
	type_add_json(s, &c->type);
	json_add_close(s, '}');
}

static void indexes_add_json(struct str *s, const struct table_schema *t)
{
	if (!t->n_indexes)
		return;
	json_add_name(s, "indexes");
	json_add_open(s, '[');
	for (unsigned i = 0; i < t->n_indexes; i++) {
		json_add_open(s, '[');
		for (unsigned k = 0; k < t->indexes[i].n; k++)
			json_add_string(
				s, t->columns[t->indexes[i].columns[k]].name);
		json_add_close(s, ']');
	}
	json_add_close(s, ']');
}

static void table_add_json(struct str *s, const struct table_schema *t)
{
	json_add_name(s, t->name);
	json_add_open(s, '{');
	json_add_name(s, "columns");
	json_add_open(s, '{');
	for (unsigned i = COLUMN_FIRST; i < t->n_columns; i++)
		column_add_json(s, &t->columns[i]);
	json_add_close(s, '}');
	indexes_add_json(s, t);
	if (t->is_root) {
		json_add_name(s, "isRoot");
		json_add_bool(s, true);
	}
	if (t->max_rows != UINT32_MAX) {
		json_add_name(s, "maxRows");
		json_add_int(s, t->max_rows);
	}
	if (!t->mutable) {
		json_add_name(s, "mutable");
		json_add_bool(s, false);
	}
	json_add_close(s, '}');
}

void schema_add_json(struct str *out, const struct schema *s)
{
	json_add_open(out, '{');
	if (s->cksum) {
		json_add_name(out, "cksum");
		json_add_string(out, s->cksum);
	}
	json_add_name(out, "name");
	json_add_string(out, s->name);
	json_add_name(out, "tables");
	json_add_open(out, '{');
	for (unsigned i = 0; i < s->n_tables; i++)
		table_add_json(out, &s->tables[i]);
	json_add_close(out, '}');
	if (s->version) {
		json_add_name(out, "version");
		json_add_string(out, s->version);
	}
	json_add_close(out, '}');
}

bool schema_equal(const struct schema *a, const struct schema *b)
{
	struct str x = STR_INIT, y = STR_INIT;
	bool equal;

	schema_add_json(&x, a);
	schema_add_json(&y, b);
	equal = !strcmp(x.s, y.s);
	str_fini(&x);
	str_fini(&y);
	return equal;
}

const struct table_schema *schema_find_table(const struct schema *s,
					     const char *name)
{
	for (unsigned i = 0; i < s->n_tables; i++)
		if (!strcmp(s->tables[i].name, name))
			return &s->tables[i];
	return NULL;
}

const struct column *schema_find_column(const struct table_schema *t,
					const char *name)
{
	for (unsigned i = 0; i < t->n_columns; i++)
		if (!strcmp(t->columns[i].name, name))
			return &t->columns[i];
	return NULL;
}
