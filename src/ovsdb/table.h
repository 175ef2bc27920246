/* SPDX-License-Identifier: Apache-2.0 */
/* Tables and rows in memory.
 *
 * What      a table is a hash of rows by UUID, and one for each index of the
 *           schema; a row is one block: its name, its counts and a pointer to a
 *           shared datum for each column.
 * Why so    a row costs 64 bytes, 8 a column and 16 an index; what equals the
 *           default, and what did not change, costs nothing more.
 * Invariant B1 rows change only through txn.h, which keeps the indexes, the
 *           references' counts and the undo.  B2 between transactions a row is
 *           in every index of its table, and alone there with its values.
 *           B3 row->n_strong counts the strong references to it from other
 *           rows of the database.
 * Threads   the control thread.
 * Owns      a table its rows, a row a reference to each datum. */
#ifndef OVSDB_TABLE_H
#define OVSDB_TABLE_H

#include "base/hmap.h"
#include "ovsdb/schema.h"

struct txn_row;
struct weak_ref;

struct row {
	struct hmap_node by_uuid;
	struct uuid uuid;
	uint64_t version; /* drawn anew by every change */
	uint32_t n_strong;
	uint32_t n_cells;         /* cells that follow, for table.c */
	struct txn_row *touched;  /* by a transaction that runs; else NULL */
	struct weak_ref *weak_in; /* references to it that do not keep it */
	struct datum *cells[];    /* column index - COLUMN_FIRST; then the nodes
				    * of the indexes */
};

struct table {
	const struct table_schema *schema;
	struct hmap rows;
	struct hmap *by_index; /* schema->n_indexes */
	uint64_t seed;
};

/* What a row holds, or held: the one way to read rows that live and rows of the
 * past. cells is indexed by column index - COLUMN_FIRST; NULL: there is no row
 * (the old side of an insert, the new side of a delete). */
struct row_view {
	const struct table_schema *table;
	struct uuid uuid;
	uint64_t version;
	struct datum *const *cells;
};

static inline struct row_view row_view(const struct table *t,
				       const struct row *r)
{
	return (struct row_view){ t->schema, r->uuid, r->version, r->cells };
}

/* Borrowed; `column` is not _uuid and not _version. */
static inline const struct datum *row_view_get(const struct row_view *v,
					       unsigned column)
{
	must(column >= COLUMN_FIRST);
	return v->cells[column - COLUMN_FIRST];
}

/* Any column, also _uuid and _version; the caller unrefs. */
struct datum *row_view_ref(const struct row_view *v, unsigned column);
/* {"column":value,...} of the columns, by name; NULL: all that persist. */
void row_view_add_json(struct str *s, const struct row_view *v,
		       const unsigned *columns, unsigned n);

/* NULL: there is none. O(1). */
struct row *table_find(const struct table *t, const struct uuid *u);

static inline size_t table_n_rows(const struct table *t)
{
	return hmap_count(&t->rows);
}

/* Any order. Rows may not come or go meanwhile. */
#define table_for_each(pos, t) hmap_for_each(pos, &(t)->rows, by_uuid)

/* The first row (any one) whose columns of index i equal these datums, in the
 * index's order, and the next; NULL at the end. O(1). */
struct row *table_find_by_index(const struct table *t, unsigned i,
				const struct datum *const *key);

#endif
