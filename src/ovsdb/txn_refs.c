/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "ovsdb/txn_inside.h"

#define SEED 0x8cb92ba72f3d8dd7u

/* --- counts ------------------------------------------------------------------------ */

static struct row *find_alive_or_gone(struct txn *t, struct table *table,
				      const struct uuid *u)
{
	struct row *r = table_find(table, u);
	struct txn_row *g;

	if (r)
		return r;
	g = txn_find_gone(t, table, u);
	return g ? g->row : NULL;
}

static void count_add(struct txn *t, struct row *r, int delta)
{
	if (t->n_counts == t->cap_counts) {
		t->cap_counts = t->cap_counts ? t->cap_counts * 2 : 16;
		t->counts =
			xrealloc(t->counts, t->cap_counts * sizeof(*t->counts));
	}
	t->counts[t->n_counts++] = (struct count_op){ r, delta };
	r->n_strong += (uint32_t)delta;
}

struct ref_walk {
	struct txn *t;
	const struct table_schema *schema;
	const struct column *column;
	const struct uuid *source;
	int delta;
	struct fault *f;
};

static int nonexistent(const struct ref_walk *w, const struct base_type *b,
		       const struct uuid *to)
{
	char source[UUID_LEN + 1], target[UUID_LEN + 1];

	return fault_set(w->f, FAULT_INTEGRITY,
			 "Table %s column %s row %s references nonexistent row "
			 "%s in table %s.",
			 w->schema->name, w->column->name,
			 uuid_format(w->source, source),
			 uuid_format(to, target), b->uuid.table);
}

static int count_atom(const struct ref_walk *w, const struct base_type *b,
		      const struct uuid *to)
{
	struct table *table = &w->t->db->tables[b->uuid.table_index];
	struct row *r;

	if (uuid_equal(to, w->source) && table->schema == w->schema)
		return 0; /* nobody keeps itself */
	r = w->delta > 0 ? table_find(table, to) :
			   find_alive_or_gone(w->t, table, to);
	if (!r)
		return w->delta > 0 ? nonexistent(w, b, to) : 0;
	count_add(w->t, r, w->delta);
	return 0;
}

static bool is_ref(const struct base_type *b, enum ref_kind kind)
{
	return b->type == ATOM_UUID && b->uuid.table && b->uuid.kind == kind;
}

static int count_datum(const struct ref_walk *w, const struct datum *d)
{
	const struct type *t = &w->column->type;

	for (size_t i = 0; i < d->n; i++) {
		struct atom a = datum_key(d, i);

		if (is_ref(&t->key, REF_STRONG) &&
		    count_atom(w, &t->key, &a.uuid))
			return -EINVAL;
		if (!is_ref(&t->value, REF_STRONG))
			continue;
		a = datum_value(d, i);
		if (count_atom(w, &t->value, &a.uuid))
			return -EINVAL;
	}
	return 0;
}

/* Counts the references that are in `cells`, but not those of `same`. */
static int count_cells(struct txn *t, const struct txn_row *tr,
		       struct datum *const *cells, struct datum *const *same,
		       struct ref_walk w)
{
	w.t = t;
	w.schema = tr->table->schema;
	w.source = &tr->row->uuid;
	for (unsigned i = 0; i < tr->row->n_cells; i++) {
		w.column = &w.schema->columns[i + COLUMN_FIRST];
		if (same && same[i] == cells[i])
			continue;
		if (count_datum(&w, cells[i]))
			return -EINVAL;
	}
	return 0;
}

static int count_row(struct txn *t, struct txn_row *tr, struct fault *f)
{
	const struct ref_walk up = { .delta = 1, .f = f };
	const struct ref_walk down = { .delta = -1, .f = f };
	int err = 0;

	if (!tr->table->schema->has_refs)
		return 0;
	if (tr->old)
		err = count_cells(t, tr, tr->old,
				  tr->deleted ? NULL : tr->row->cells, down);
	if (!err && !tr->deleted)
		err = count_cells(t, tr, tr->row->cells, tr->old, up);
	return err;
}

/* --- garbage -------------------------------------------------------------------------- */

static bool is_garbage(const struct table *table, const struct row *r)
{
	return !table->schema->is_root && !r->n_strong;
}

static struct table *table_of(struct txn *t, const struct row *r)
{
	for (unsigned i = 0; i < t->db->schema->n_tables; i++) {
		struct table *table = &t->db->tables[i];

		if (!table->schema->is_root && table_find(table, &r->uuid) == r)
			return table;
	}
	return NULL;
}

static int collect(struct txn *t, struct table *table, struct row *r,
		   struct fault *f)
{
	const struct ref_walk down = { .delta = -1, .f = f };

	txn_delete(t, table, r);
	return count_cells(t, r->touched, r->cells, NULL, down);
}

/* Rows whose count fell to nothing, and those that were made and that nobody
 * wants; what falls with them is counted behind them. */
static int collect_all(struct txn *t, struct fault *f)
{
	struct txn_row *tr, *tmp;

	list_for_each_safe(tr, tmp, &t->rows, node) {
		if (!tr->old && !tr->deleted &&
		    is_garbage(tr->table, tr->row) &&
		    collect(t, tr->table, tr->row, f))
			return -EINVAL;
	}
	for (size_t i = 0; i < t->n_counts; i++) {
		struct row *r = t->counts[i].row;
		struct table *table;

		if (r->n_strong || t->counts[i].delta > 0)
			continue;
		table = table_of(t, r);
		if (table && collect(t, table, r, f))
			return -EINVAL;
	}
	return 0;
}

static int deleted_check(const struct txn *t, struct fault *f)
{
	struct txn_row *tr;
	char name[UUID_LEN + 1];

	list_for_each(tr, &t->rows, node) {
		if (tr->deleted && tr->row->n_strong)
			return fault_set(
				f, FAULT_INTEGRITY,
				"cannot delete %s row %s because of %u "
				"remaining reference(s)",
				tr->table->schema->name,
				uuid_format(&tr->row->uuid, name),
				tr->row->n_strong);
	}
	return 0;
}

/* --- weak references ----------------------------------------------------------------------- */

static uint64_t weak_hash(const struct uuid *target)
{
	return uuid_hash(target, SEED);
}

static struct weak_ref *weak_find(struct db *db, const struct weak_ref *w)
{
	struct weak_ref *x;

	hmap_for_each_same(x, &db->weak_refs, weak_hash(&w->target), node) {
		if (uuid_equal(&x->target, &w->target) &&
		    uuid_equal(&x->source, &w->source) &&
		    x->source_table == w->source_table &&
		    x->target_table == w->target_table &&
		    x->column == w->column)
			return x;
	}
	return NULL;
}

static void weak_change(struct db *db, const struct weak_ref *w, bool add)
{
	struct weak_ref *x;

	if (add) {
		x = xmemdup(w, sizeof(*w));
		hmap_put(&db->weak_refs, &x->node, weak_hash(&w->target));
		return;
	}
	x = weak_find(db, w);
	must(x);
	hmap_del(&db->weak_refs, &x->node);
	free(x);
}

static void weak_do(struct txn *t, const struct weak_ref *w, bool add)
{
	weak_change(t->db, w, add);
	if (t->n_weaks == t->cap_weaks) {
		t->cap_weaks = t->cap_weaks ? t->cap_weaks * 2 : 16;
		t->weaks = xrealloc(t->weaks, t->cap_weaks * sizeof(*t->weaks));
	}
	t->weaks[t->n_weaks++] = (struct weak_op){ add, *w };
}

static void weak_datum(struct txn *t, struct weak_ref *w,
		       const struct column *c, const struct datum *d, bool add)
{
	const struct base_type *sides[] = { &c->type.key, &c->type.value };

	w->column = c->index;
	for (size_t i = 0; i < d->n; i++) {
		for (unsigned k = 0; k < 2; k++) {
			if (!is_ref(sides[k], REF_WEAK))
				continue;
			w->target = k ? datum_value(d, i).uuid :
					datum_key(d, i).uuid;
			w->target_table = sides[k]->uuid.table_index;
			weak_do(t, w, add);
		}
	}
}

static void weak_cells(struct txn *t, const struct txn_row *tr,
		       struct datum *const *cells, struct datum *const *same,
		       bool add)
{
	struct weak_ref w = { .source = tr->row->uuid,
			      .source_table = tr->table->schema->index };

	for (unsigned i = 0; i < tr->row->n_cells; i++) {
		if (!same || same[i] != cells[i])
			weak_datum(
				t, &w,
				&tr->table->schema->columns[i + COLUMN_FIRST],
				cells[i], add);
	}
}

static bool is_dead(struct db *db, const struct base_type *b,
		    const struct atom *a)
{
	return is_ref(b, REF_WEAK) &&
	       !table_find(&db->tables[b->uuid.table_index], &a->uuid);
}

/* The datum without references to rows that are not there; NULL: all are. */
static struct datum *weak_prune(struct db *db, const struct column *c,
				const struct datum *d)
{
	struct atom *keys = xcalloc(d->n + 1, sizeof(*keys));
	struct atom *values = xcalloc(d->n + 1, sizeof(*values));
	struct datum *pruned = NULL;
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++) {
		keys[n] = datum_key(d, i);
		if (datum_is_map(d))
			values[n] = datum_value(d, i);
		if (!is_dead(db, &c->type.key, &keys[n]) &&
		    !is_dead(db, &c->type.value, &values[n]))
			n++;
	}
	if (n < d->n)
		pruned =
			datum_create((enum atom_type)d->key,
				     (enum atom_type)d->value, keys, values, n);
	free(keys);
	free(values);
	return pruned;
}

static int prune_fault(const struct table *table, const struct row *r,
		       const struct column *c, uint32_t n, struct fault *f)
{
	static const struct uuid zero;
	const struct datum *old = r->cells[c->index - COLUMN_FIRST];
	bool inserted = !r->touched || !r->touched->old;
	char name[UUID_LEN + 1];
	struct atom a = datum_key(old, 0);

	uuid_format(&r->uuid, name);
	if (inserted && old->n == 1 && uuid_equal(&a.uuid, &zero))
		return fault_set(
			f, FAULT_CONSTRAINT,
			"Weak reference column \"%s\" in \"%s\" row %s "
			"(inserted within this transaction) contained "
			"all-zeros UUID (probably as the default value for "
			"this column) but deleting this value caused a "
			"constraint volation because this column is not "
			"allowed to be empty.",
			c->name, table->schema->name, name);
	return fault_set(f, FAULT_CONSTRAINT,
			 "Deletion of %u weak reference(s) to deleted (or "
			 "never-existing) rows from column \"%s\" in \"%s\" "
			 "row %s %scaused this column to become empty, but "
			 "constraints on this column disallow an empty column.",
			 old->n - n, c->name, table->schema->name, name,
			 inserted ? "(inserted within this transaction) " : "");
}

static int prune_cell(struct txn *t, struct table *table, struct row *r,
		      unsigned column, struct fault *f)
{
	const struct column *c = &table->schema->columns[column];
	struct datum *d = weak_prune(t->db, c, r->cells[column - COLUMN_FIRST]);

	if (!d)
		return 0;
	if (d->n < c->type.n_min) {
		prune_fault(table, r, c, d->n, f);
		datum_unref(d);
		return -EINVAL;
	}
	txn_set(t, table, r, c, d);
	return 0;
}

static bool has_weak(const struct column *c)
{
	return is_ref(&c->type.key, REF_WEAK) ||
	       is_ref(&c->type.value, REF_WEAK);
}

/* What a row that was set refers to, without what is not there. */
static int prune_row(struct txn *t, struct txn_row *tr, struct fault *f)
{
	const struct table_schema *s = tr->table->schema;

	if (!s->has_weak_refs || tr->deleted)
		return 0;
	for (unsigned i = COLUMN_FIRST; i < s->n_columns; i++)
		if (has_weak(&s->columns[i]) &&
		    prune_cell(t, tr->table, tr->row, i, f))
			return -EINVAL;
	return 0;
}

/* Who refers to a row that goes is touched, too, and looked at as above. */
static void touch_referrers(struct txn *t, const struct txn_row *gone)
{
	struct weak_ref *w;

	hmap_for_each_same(w, &t->db->weak_refs, weak_hash(&gone->row->uuid),
			   node) {
		struct table *table = &t->db->tables[w->source_table];
		struct row *r;

		if (!uuid_equal(&w->target, &gone->row->uuid) ||
		    w->target_table != gone->table->schema->index)
			continue;
		r = table_find(table, &w->source);
		if (r)
			txn_touch(t, table, r);
	}
}

static int weak_check(struct txn *t, struct fault *f)
{
	struct txn_row *tr;

	list_for_each(tr, &t->rows, node) {
		if (tr->deleted)
			touch_referrers(t, tr);
	}
	list_for_each(tr, &t->rows, node) {
		if (prune_row(t, tr, f))
			return -EINVAL;
	}
	list_for_each(tr, &t->rows, node) {
		if (!tr->table->schema->has_weak_refs)
			continue;
		if (tr->old)
			weak_cells(t, tr, tr->old,
				   tr->deleted ? NULL : tr->row->cells, false);
		if (!tr->deleted)
			weak_cells(t, tr, tr->row->cells, tr->old, true);
	}
	return 0;
}

/* --- all ------------------------------------------------------------------------------------ */

int txn_refs_check(struct txn *t, struct fault *f)
{
	struct txn_row *tr;

	list_for_each(tr, &t->rows, node) {
		if (count_row(t, tr, f))
			return -EINVAL;
	}
	if (collect_all(t, f) || deleted_check(t, f))
		return -EINVAL;
	return weak_check(t, f);
}

void txn_refs_undo(struct txn *t)
{
	while (t->n_weaks) {
		const struct weak_op *op = &t->weaks[--t->n_weaks];

		weak_change(t->db, &op->ref, !op->added);
	}
	while (t->n_counts) {
		const struct count_op *op = &t->counts[--t->n_counts];

		op->row->n_strong -= (uint32_t)op->delta;
	}
}

void weak_refs_fini(struct hmap *weak_refs)
{
	struct weak_ref *w;

	hmap_for_each_safe(w, weak_refs, node)
		free(w);
	hmap_fini(weak_refs);
}
