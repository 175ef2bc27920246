/* SPDX-License-Identifier: Apache-2.0 */
#include "ovsdb/txn.h"

#include <errno.h>

#include "ovsdb/txn_inside.h"

#define SEED 0x8cb92ba72f3d8dd7u

/* --- touching rows --------------------------------------------------------------------- */

static struct datum **cells_ref(const struct row *r)
{
	struct datum **c = xcalloc(r->n_cells + 1, sizeof(struct datum *));

	for (unsigned i = 0; i < r->n_cells; i++)
		c[i] = datum_ref(r->cells[i]);
	return c;
}

static void cells_unref(struct datum **c, unsigned n)
{
	if (!c)
		return;
	for (unsigned i = 0; i < n; i++)
		datum_unref(c[i]);
	free(c);
}

static struct txn_row *touch(struct txn *t, struct table *table, struct row *r)
{
	struct txn_row *tr = xzalloc(sizeof(*tr));

	tr->table = table;
	tr->row = r;
	tr->old_version = r->version;
	r->touched = tr;
	list_push_back(&t->rows, &tr->node);
	return tr;
}

struct txn_row *txn_touch(struct txn *t, struct table *table, struct row *r)
{
	struct txn_row *tr = r->touched;

	if (tr)
		return tr;
	tr = touch(t, table, r);
	tr->old = cells_ref(r);
	r->version = ++t->db->next_version;
	return tr;
}

struct txn *txn_begin(struct db *db)
{
	struct txn *t = xzalloc(sizeof(*t));

	t->db = db;
	list_init(&t->node);
	list_init(&t->rows);
	hmap_init(&t->gone);
	return t;
}

struct txn_row *txn_find_gone(const struct txn *t, const struct table *table,
			      const struct uuid *u)
{
	struct txn_row *g, *made = NULL;

	hmap_for_each_same(g, &t->gone, uuid_hash(u, SEED), gone) {
		if (g->table != table || !uuid_equal(&g->row->uuid, u))
			continue;
		if (g->old)
			return g;
		made = g;
	}
	return made;
}

bool txn_may_insert(const struct txn *t, const struct table *table,
		    const struct uuid *u)
{
	const struct txn_row *gone = txn_find_gone(t, table, u);

	return !table_find(table, u) && (!gone || !gone->old);
}

struct row *txn_insert(struct txn *t, struct table *table,
		       const struct uuid *uuid)
{
	struct uuid u = uuid ? *uuid : uuid_random(t->db->env);
	struct row *r;

	if (!txn_may_insert(t, table, &u))
		return NULL;
	r = row_create(table->schema, &u);
	r->version = ++t->db->next_version;
	table_put(table, r);
	touch(t, table, r);
	return r;
}

void txn_set(struct txn *t, struct table *table, struct row *r,
	     const struct column *c, struct datum *d)
{
	txn_touch(t, table, r);
	table_set_cell(table, r, c->index, d);
}

void txn_delete(struct txn *t, struct table *table, struct row *r)
{
	struct txn_row *tr = txn_touch(t, table, r);

	must(!tr->deleted);
	tr->deleted = true;
	table_del(table, r);
	hmap_put(&t->gone, &tr->gone, uuid_hash(&r->uuid, SEED));
}

void txn_add_comment(struct txn *t, const char *text)
{
	if (t->comment.len)
		str_add_char(&t->comment, '\n');
	str_add(&t->comment, text);
}

/* --- preparing ---------------------------------------------------------------------------- */

static int rows_check(const struct txn *t, struct fault *f)
{
	struct txn_row *tr;

	list_for_each(tr, &t->rows, node) {
		const struct table_schema *s = tr->table->schema;

		if (!tr->old && table_n_rows(tr->table) > s->max_rows)
			return fault_set(
				f, FAULT_CONSTRAINT,
				"transaction causes \"%s\" table to contain "
				"%zu rows, greater than the schema-defined "
				"limit of %u row(s)",
				s->name, table_n_rows(tr->table), s->max_rows);
	}
	return 0;
}

static void add_key(struct str *s, const struct table_schema *t,
		    const struct schema_index *x, struct datum *const *cells)
{
	for (unsigned k = 0; k < x->n; k++) {
		if (k)
			str_add(s, ", ");
		if (cells)
			datum_format(s, cells[x->columns[k] - COLUMN_FIRST]);
		else
			str_addf(s, "\"%s\"", t->columns[x->columns[k]].name);
	}
}

static bool index_differs(const struct txn_row *tr,
			  const struct schema_index *x)
{
	for (unsigned k = 0; k < x->n; k++) {
		unsigned cell = x->columns[k] - COLUMN_FIRST;

		if (!datum_equal(tr->old[cell], tr->row->cells[cell]))
			return true;
	}
	return false;
}

static void add_story(struct str *s, const struct table_schema *t,
		      const struct schema_index *x, const struct row *r)
{
	const struct txn_row *tr = r->touched;

	if (!tr) {
		str_add(s, "existed in the database before this transaction "
			   "and was not modified by the transaction.");
	} else if (!tr->old) {
		str_add(s, "was inserted by this transaction.");
	} else if (!index_differs(tr, x)) {
		str_add(s, "existed in the database before this transaction, "
			   "which modified some of the row's columns but not "
			   "any columns in this index.");
	} else {
		str_add(s, "had the following index values before the "
			   "transaction: ");
		add_key(s, t, x, tr->old);
		str_add_char(s, '.');
	}
}

/* By all columns: so that a sentence says the same each time. */
static int row_compare(const struct row *a, const struct row *b)
{
	int c = 0;

	for (unsigned i = 0; i < a->n_cells && !c; i++)
		c = datum_compare(a->cells[i], b->cells[i]);
	return c;
}

static int twin_fault(const struct table_schema *s, unsigned i,
		      const struct row *x1, const struct row *x2,
		      struct fault *f)
{
	const struct schema_index *x = &s->indexes[i];
	const struct row *a = row_compare(x1, x2) < 0 ? x1 : x2;
	const struct row *b = a == x1 ? x2 : x1;
	struct str values = STR_INIT, names = STR_INIT, first = STR_INIT,
		   second = STR_INIT;
	char ua[UUID_LEN + 1], ub[UUID_LEN + 1];

	add_key(&values, s, x, a->cells);
	add_key(&names, s, x, NULL);
	add_story(&first, s, x, b);
	add_story(&second, s, x, a);
	fault_set(f, FAULT_CONSTRAINT,
		  "Transaction causes multiple rows in \"%s\" table to have "
		  "identical values (%s) for index on column%s %s.  First "
		  "row, with UUID %s, %s  Second row, with UUID %s, %s",
		  s->name, str_text(&values), x->n > 1 ? "s" : "",
		  str_text(&names), uuid_format(&b->uuid, ub), first.s,
		  uuid_format(&a->uuid, ua), second.s);
	str_fini(&values);
	str_fini(&names);
	str_fini(&first);
	str_fini(&second);
	return -EINVAL;
}

static int indexes_check(const struct txn *t, struct fault *f)
{
	struct txn_row *tr;

	list_for_each(tr, &t->rows, node) {
		const struct table_schema *s = tr->table->schema;

		for (unsigned i = 0; i < s->n_indexes && !tr->deleted; i++) {
			struct row *twin =
				table_find_twin(tr->table, i, tr->row);

			if (twin)
				return twin_fault(s, i, tr->row, twin, f);
		}
	}
	return 0;
}

static size_t words_of(const struct txn_row *tr)
{
	return tr->table->schema->n_columns / 64 + 1;
}

/* Which columns differ; false: none does. */
static bool bits_set(const struct txn_row *tr, uint64_t *bits)
{
	const struct table_schema *s = tr->table->schema;
	bool any = false;

	for (unsigned i = 0; i < tr->row->n_cells && !tr->deleted; i++) {
		unsigned c = i + COLUMN_FIRST;
		const struct datum *old =
			tr->old ? tr->old[i] : s->columns[c].empty;
		const struct datum *new = tr->row->cells[i];

		if (old == new || datum_equal(old, new))
			continue;
		bits[c / 64] |= (uint64_t)1 << c % 64;
		any = true;
	}
	return any;
}

static void change_put(struct txn *t, struct txn_row *tr, uint64_t *bits)
{
	struct change *c = &t->changes[t->n_changes];
	const struct row *r = tr->row;
	bool differs = bits_set(tr, bits);

	if (!tr->old && tr->deleted)
		return;
	if (tr->old && !tr->deleted && !differs) {
		tr->row->version = tr->old_version;
		return;
	}
	t->n_changes++;
	c->old = (struct row_view){ tr->table->schema, r->uuid, tr->old_version,
				    tr->old };
	c->new = (struct row_view){ tr->table->schema, r->uuid, r->version,
				    tr->deleted ? NULL : cells_ref(r) };
	c->changed = bits;
}

static void changes_make(struct txn *t)
{
	size_t words = 0, at = 0;
	struct txn_row *tr;

	list_for_each(tr, &t->rows, node)
		words += words_of(tr);
	t->changes = xcalloc(list_count(&t->rows) + 1, sizeof(*t->changes));
	t->bits = xcalloc(words + 1, sizeof(*t->bits));
	for (unsigned i = 0; i < t->db->schema->n_tables; i++) {
		list_for_each(tr, &t->rows, node) {
			if (tr->table != &t->db->tables[i])
				continue;
			change_put(t, tr, t->bits + at);
			at += words_of(tr);
		}
	}
	list_for_each(tr, &t->rows, node)
		tr->row->touched = NULL;
}

int txn_prepare(struct txn *t, struct fault *f)
{
	if (txn_refs_check(t, f) || rows_check(t, f) || indexes_check(t, f))
		return -EINVAL;
	changes_make(t);
	t->prepared = true;
	list_push_back(&t->db->prepared, &t->node);
	return 0;
}

/* --- the end ---------------------------------------------------------------------------------- */

static void txn_free(struct txn *t)
{
	struct txn_row *tr, *tmp;

	for (size_t i = 0; i < t->n_changes; i++)
		cells_unref((struct datum **)t->changes[i].new.cells,
			    t->changes[i].new.table->n_columns - COLUMN_FIRST);
	list_for_each_safe(tr, tmp, &t->rows, node) {
		cells_unref(tr->old,
			    tr->table->schema->n_columns - COLUMN_FIRST);
		free(tr);
	}
	hmap_fini(&t->gone);
	free(t->changes);
	free(t->bits);
	free(t->counts);
	free(t->weaks);
	str_fini(&t->comment);
	free(t);
}

void txn_commit(struct txn *t)
{
	struct db_listener *l, *tmp;
	struct txn_row *tr;

	must(t->prepared && t->db->prepared.next == &t->node);
	list_del(&t->node);
	if (t->n_changes)
		list_for_each_safe(l, tmp, &t->db->listeners, node)
			l->committed(l, t);
	list_for_each(tr, &t->rows, node) {
		if (tr->deleted)
			row_destroy(tr->row);
	}
	txn_free(t);
}

static void cells_restore(struct txn_row *tr)
{
	struct row *r = tr->row;

	r->version = tr->old_version;
	for (unsigned i = 0; i < r->n_cells; i++) {
		if (r->cells[i] == tr->old[i])
			continue;
		if (tr->deleted) {
			datum_unref(r->cells[i]);
			r->cells[i] = datum_ref(tr->old[i]);
		} else {
			table_set_cell(tr->table, r, i + COLUMN_FIRST,
				       datum_ref(tr->old[i]));
		}
	}
}

static void row_undo(struct txn_row *tr)
{
	tr->row->touched = NULL;
	if (!tr->old) {
		if (!tr->deleted)
			table_del(tr->table, tr->row);
		row_destroy(tr->row);
		return;
	}
	cells_restore(tr);
	if (tr->deleted)
		table_put(tr->table, tr->row);
}

void txn_abort(struct txn *t)
{
	if (!t)
		return;
	must(!t->prepared || t->db->prepared.prev == &t->node);
	list_del(&t->node);
	txn_refs_undo(t);
	for (struct list *l = t->rows.prev; l != &t->rows; l = l->prev)
		row_undo(list_entry(l, struct txn_row, node));
	txn_free(t);
}

/* --- what is asked of it ------------------------------------------------------------------------ */

const struct change *txn_changes(const struct txn *t, size_t *n)
{
	*n = t->n_changes;
	return t->changes;
}

bool txn_is_empty(const struct txn *t)
{
	return !t->n_changes;
}

bool txn_is_durable(const struct txn *t)
{
	return t->durable;
}

const char *txn_comment(const struct txn *t)
{
	return str_text(&t->comment);
}

void txn_set_note(struct txn *t, uint64_t note)
{
	t->note = note;
}

uint64_t txn_note(const struct txn *t)
{
	return t->note;
}
