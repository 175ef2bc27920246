/* SPDX-License-Identifier: Apache-2.0 */
#include "ovsdb/table_inside.h"

/* --- rows ------------------------------------------------------------------------ */

static unsigned cells_of(const struct table_schema *t)
{
	return t->n_columns - COLUMN_FIRST;
}

static struct hmap_node *row_index_node(struct row *r, unsigned i)
{
	return (struct hmap_node *)(void *)&r->cells[r->n_cells] + i;
}

struct row *row_create(const struct table_schema *t, const struct uuid *u)
{
	struct row *r =
		xzalloc(sizeof(*r) + cells_of(t) * sizeof(struct datum *) +
			t->n_indexes * sizeof(struct hmap_node));

	r->uuid = *u;
	r->n_cells = cells_of(t);
	for (unsigned i = 0; i < r->n_cells; i++)
		r->cells[i] = datum_ref(t->columns[i + COLUMN_FIRST].empty);
	return r;
}

void row_destroy(struct row *r)
{
	for (unsigned i = 0; i < r->n_cells; i++)
		datum_unref(r->cells[i]);
	free(r);
}

/* The version as a UUID that no other state of a row has had. */
static struct uuid version_uuid(const struct row_view *v)
{
	uint64_t h = hash_u64(v->version, 0x9e3779b9);
	struct uuid u = { { (uint32_t)(h >> 32), (uint32_t)h,
			    (uint32_t)(v->version >> 32),
			    (uint32_t)v->version } };

	return u;
}

struct datum *row_view_ref(const struct row_view *v, unsigned column)
{
	struct uuid version;

	if (column == COLUMN_UUID)
		return datum_from_uuid(&v->uuid);
	if (column >= COLUMN_FIRST)
		return datum_ref(row_view_get(v, column));
	version = version_uuid(v);
	return datum_from_uuid(&version);
}

static void add_cell(struct str *s, const struct row_view *v, unsigned i)
{
	struct datum *d = row_view_ref(v, i);

	json_add_name(s, v->table->columns[i].name);
	datum_add_json(s, d);
	datum_unref(d);
}

void row_view_add_json(struct str *s, const struct row_view *v,
		       const unsigned *columns, unsigned n)
{
	json_add_open(s, '{');
	for (unsigned i = 0; columns && i < n; i++)
		add_cell(s, v, columns[i]);
	for (unsigned i = COLUMN_FIRST; !columns && i < v->table->n_columns;
	     i++)
		if (v->table->columns[i].persistent)
			add_cell(s, v, i);
	json_add_close(s, '}');
}

/* --- indexes ----------------------------------------------------------------------- */

static uint64_t key_hash(const struct table *t, unsigned i,
			 const struct datum *const *key)
{
	uint64_t h = t->seed + i;

	for (unsigned k = 0; k < t->schema->indexes[i].n; k++)
		h = datum_hash(key[k], h);
	return h;
}

static void row_key(const struct table *t, unsigned i, struct row *r,
		    const struct datum **key)
{
	const struct schema_index *x = &t->schema->indexes[i];

	for (unsigned k = 0; k < x->n; k++)
		key[k] = r->cells[x->columns[k] - COLUMN_FIRST];
}

static struct row *row_of(const struct table *t, struct hmap_node *n,
			  unsigned i)
{
	struct hmap_node *first = n - i;
	struct datum **cells = (struct datum **)(void *)first;

	return container_of(cells - cells_of(t->schema), struct row, cells[0]);
}

static bool row_has_key(const struct table *t, unsigned i, struct row *r,
			const struct datum *const *key)
{
	const struct datum *own[SCHEMA_MAX_COLUMNS];

	row_key(t, i, r, own);
	for (unsigned k = 0; k < t->schema->indexes[i].n; k++)
		if (!datum_equal(own[k], key[k]))
			return false;
	return true;
}

struct row *table_find_by_index(const struct table *t, unsigned i,
				const struct datum *const *key)
{
	struct hmap_node *n =
		hmap_first_same(&t->by_index[i], key_hash(t, i, key));

	for (; n; n = hmap_next_same(n)) {
		struct row *r = row_of(t, n, i);

		if (row_has_key(t, i, r, key))
			return r;
	}
	return NULL;
}

struct row *table_find_twin(const struct table *t, unsigned i, struct row *r)
{
	const struct datum *key[SCHEMA_MAX_COLUMNS];
	struct hmap_node *n;

	row_key(t, i, r, key);
	n = hmap_first_same(&t->by_index[i], key_hash(t, i, key));
	for (; n; n = hmap_next_same(n)) {
		struct row *other = row_of(t, n, i);

		if (other != r && row_has_key(t, i, other, key))
			return other;
	}
	return NULL;
}

static void index_put(struct table *t, struct row *r, unsigned i)
{
	const struct datum *key[SCHEMA_MAX_COLUMNS];

	row_key(t, i, r, key);
	hmap_put(&t->by_index[i], row_index_node(r, i), key_hash(t, i, key));
}

void table_put(struct table *t, struct row *r)
{
	hmap_put(&t->rows, &r->by_uuid, uuid_hash(&r->uuid, t->seed));
	for (unsigned i = 0; i < t->schema->n_indexes; i++)
		index_put(t, r, i);
}

void table_del(struct table *t, struct row *r)
{
	hmap_del(&t->rows, &r->by_uuid);
	for (unsigned i = 0; i < t->schema->n_indexes; i++)
		hmap_del(&t->by_index[i], row_index_node(r, i));
}

static bool index_has(const struct schema_index *x, unsigned column)
{
	for (unsigned k = 0; k < x->n; k++)
		if (x->columns[k] == column)
			return true;
	return false;
}

void table_set_cell(struct table *t, struct row *r, unsigned column,
		    struct datum *d)
{
	unsigned cell = column - COLUMN_FIRST;

	for (unsigned i = 0; i < t->schema->n_indexes; i++)
		if (index_has(&t->schema->indexes[i], column))
			hmap_del(&t->by_index[i], row_index_node(r, i));
	datum_unref(r->cells[cell]);
	r->cells[cell] = d;
	for (unsigned i = 0; i < t->schema->n_indexes; i++)
		if (index_has(&t->schema->indexes[i], column))
			index_put(t, r, i);
}

struct row *table_find(const struct table *t, const struct uuid *u)
{
	struct row *r;

	hmap_for_each_same(r, &t->rows, uuid_hash(u, t->seed), by_uuid) {
		if (uuid_equal(&r->uuid, u))
			return r;
	}
	return NULL;
}

void table_init(struct table *t, const struct table_schema *schema,
		uint64_t seed)
{
	*t = (struct table){ .schema = schema, .seed = seed };
	hmap_init(&t->rows);
	t->by_index = xcalloc(schema->n_indexes + 1, sizeof(*t->by_index));
	for (unsigned i = 0; i < schema->n_indexes; i++)
		hmap_init(&t->by_index[i]);
}

void table_fini(struct table *t)
{
	struct row *r;

	hmap_for_each_safe(r, &t->rows, by_uuid)
		row_destroy(r);
	hmap_fini(&t->rows);
	for (unsigned i = 0; i < t->schema->n_indexes; i++)
		hmap_fini(&t->by_index[i]);
	free(t->by_index);
}
