/* SPDX-License-Identifier: Apache-2.0 */
/* Schema: the tables of a database and their columns.
 *
 * What      <database-schema>, read from JSON, checked, printed again.
 * Invariant S1 tables and columns are sorted by name; a column's index is its
 *           place, after the two that every table has: _uuid and _version.
 *           S2 a refTable names a table of the schema.
 * Owns      all it points to; schema_destroy.
 * Threads   immutable after it was read.
 * Refs      RFC 7047 3.2 <database-schema>, <table-schema>, <column-schema>. */
#ifndef OVSDB_SCHEMA_H
#define OVSDB_SCHEMA_H

#include "ovsdb/type.h"

/* Limits: more is refused as a syntax error. */
#define SCHEMA_MAX_TABLES 1000
#define SCHEMA_MAX_COLUMNS 1000
#define SCHEMA_MAX_INDEXES 16

/* Indexes of the columns that every table has. They are not in rows' arrays of
 * datums as such: see struct row_view. */
enum { COLUMN_UUID, COLUMN_VERSION, COLUMN_FIRST };

struct column {
	char *name;
	unsigned index;
	bool mutable, persistent; /* not persistent: ephemeral */
	struct type type;
	struct datum *empty; /* the default */
};

/* A set of columns that no two rows may have alike. */
struct schema_index {
	unsigned *columns; /* column indexes, as the schema lists them */
	unsigned n;
};

struct table_schema {
	char *name;
	unsigned index; /* in the schema */
	struct column *columns;
	unsigned n_columns; /* with the two of every table */
	struct schema_index *indexes;
	unsigned n_indexes;
	uint32_t max_rows; /* UINT32_MAX: no limit */
	bool mutable;
	bool is_root; /* rows live without being referred to */
	bool has_refs, has_weak_refs;
};

struct schema {
	char *name;
	char *version; /* "x.y.z", or NULL */
	char *cksum;   /* or NULL */
	struct table_schema *tables;
	unsigned n_tables;
};

/* NULL with the fault. */
struct schema *schema_parse(const struct json *v, struct fault *f) MUST_CHECK;
void schema_destroy(struct schema *s);
/* As get_schema answers: canonical, nothing that is the default. */
void schema_add_json(struct str *out, const struct schema *s);
bool schema_equal(const struct schema *a, const struct schema *b);

/* NULL: there is none. */
const struct table_schema *schema_find_table(const struct schema *s,
					     const char *name);
const struct column *schema_find_column(const struct table_schema *t,
					const char *name);
/* An <id>: letters, digits and underscores, not starting with a digit. */
bool schema_name_is_valid(const char *name);

#endif
