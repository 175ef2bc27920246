/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions as records of a standalone log: ovsdb(5). */
#include <errno.h>

#include "ovsdb/txn_inside.h"

/* --- writing ---------------------------------------------------------------- */

static bool change_persists(const struct change *c,
			    const struct table_schema *s)
{
	if (!c->new.cells || !c->old.cells)
		return true;
	for (unsigned i = COLUMN_FIRST; i < s->n_columns; i++)
		if (s->columns[i].persistent && change_has(c, i))
			return true;
	return false;
}

static void add_change(struct str *s, const struct change *c,
		       const struct table_schema *t)
{
	unsigned columns[SCHEMA_MAX_COLUMNS], n = 0;
	char name[UUID_LEN + 1];

	json_add_name(s, uuid_format(c->new.cells ? &c->new.uuid : &c->old.uuid,
				     name));
	if (!c->new.cells) {
		json_add_null(s);
		return;
	}
	for (unsigned i = COLUMN_FIRST; i < t->n_columns; i++)
		if (t->columns[i].persistent && change_has(c, i))
			columns[n++] = i;
	row_view_add_json(s, &c->new, columns, n);
}

bool txn_add_record(const struct txn *t, uint64_t wall_ms, struct str *s)
{
	const struct table_schema *open = NULL;
	size_t start = s->len;

	json_add_open(s, '{');
	for (size_t i = 0; i < t->n_changes; i++) {
		const struct change *c = &t->changes[i];
		const struct table_schema *ts =
			c->new.cells ? c->new.table : c->old.table;

		must(ts);
		if (!change_persists(c, ts))
			continue;
		if (open != ts) {
			if (open)
				json_add_close(s, '}');
			json_add_name(s, ts->name);
			json_add_open(s, '{');
		}
		open = ts;
		add_change(s, c, ts);
	}
	if (!open) {
		str_truncate(s, start);
		return false;
	}
	json_add_close(s, '}');
	if (t->comment.len) {
		json_add_name(s, "_comment");
		json_add_string(s, t->comment.s);
	}
	json_add_name(s, "_date");
	json_add_int(s, (int64_t)wall_ms);
	json_add_close(s, '}');
	return true;
}

/* --- reading ---------------------------------------------------------------- */

struct reading {
	struct txn *txn;
	bool is_diff; /* sets and maps are differences */
	struct fault *f;
};

/* Where a difference is meant, the value that it makes of the old one. */
static struct datum *value_read(const struct reading *g, const struct row *row,
				const struct column *c, const struct json *v)
{
	struct datum *d = datum_parse_loose(&c->type, v, NULL, g->f), *whole;

	if (!d || !g->is_diff || (!type_is_map(&c->type) && c->type.n_max <= 1))
		return d;
	whole = datum_apply(row->cells[c->index - COLUMN_FIRST], d);
	datum_unref(d);
	return whole;
}

static int cells_read(const struct reading *g, struct table *t, struct row *row,
		      const struct json *v)
{
	if (v->type != JSON_OBJECT)
		return fault_set_syntax(g->f, v, "no row");
	json_for_each_member(m, v) {
		const struct column *c = schema_find_column(t->schema, m->name);
		struct datum *d;

		if (!c || c->index < COLUMN_FIRST)
			return fault_set(g->f, FAULT_UNKNOWN_COLUMN,
					 "No column %s in table %s.", m->name,
					 t->schema->name);
		d = value_read(g, row, c, &m->value);
		if (!d)
			return -EINVAL;
		txn_set(g->txn, t, row, c, d);
	}
	return 0;
}

static int row_read(const struct reading *g, struct table *t,
		    const struct json_member *m)
{
	struct reading whole = *g;
	struct uuid u;
	struct row *row;

	if (!uuid_parse(m->name, &u))
		return fault_set_syntax(g->f, NULL, "%s is no UUID", m->name);
	row = table_find(t, &u);
	if (row && m->value.type != JSON_NULL)
		return cells_read(g, t, row, &m->value);
	if (row) {
		txn_delete(g->txn, t, row);
		return 0;
	}
	if (m->value.type == JSON_NULL)
		return fault_set_syntax(
			g->f, NULL, "%s: a row that is not there is deleted",
			m->name);
	whole.is_diff = false;
	row = txn_insert(g->txn, t, &u);
	/* Two spellings of one UUID. */
	if (!row)
		return fault_set_syntax(g->f, NULL, "%s is there twice",
					m->name);
	return cells_read(&whole, t, row, &m->value);
}

static int table_read(const struct reading *g, const struct json_member *m)
{
	struct table *t = db_find_table(g->txn->db, m->name);

	if (!strcmp(m->name, "_comment") && m->value.type == JSON_STRING)
		txn_add_comment(g->txn, m->value.s);
	if (m->name[0] == '_')
		return 0;
	if (!t)
		return fault_set(g->f, FAULT_UNKNOWN_TABLE,
				 "No table named %s.", m->name);
	if (m->value.type != JSON_OBJECT)
		return fault_set_syntax(g->f, &m->value, "no table");
	json_for_each_member(row, &m->value) {
		if (row_read(g, t, row))
			return -EINVAL;
	}
	return 0;
}

static int record_read(const struct reading *g, const struct json *record)
{
	if (!json_is_type(record, JSON_OBJECT))
		return fault_set_syntax(g->f, record, "no transaction");
	json_for_each_member(m, record) {
		if (table_read(g, m))
			return -EINVAL;
	}
	return 0;
}

struct txn *txn_read_record(struct db *db, const struct json *record,
			    struct fault *f)
{
	const struct json *is_diff = json_find(record, "_is_diff");
	const struct reading g = { .txn = txn_begin(db),
				   .is_diff = json_is_type(is_diff, JSON_TRUE),
				   .f = f };

	if (!record_read(&g, record) && !txn_prepare(g.txn, f))
		return g.txn;
	txn_abort(g.txn);
	return NULL;
}
