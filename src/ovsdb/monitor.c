/* SPDX-License-Identifier: Apache-2.0 */
#include "ovsdb/monitor.h"

#include <stdio.h>

/* An object of updates under way: tables open when their first row comes. */
struct writer {
	struct str *s;
	const struct monitor_spec *spec;
	const struct monitor_table *open;
};

/* One row's way from old to new; NULL cells where there is none. */
struct step {
	struct row_view old, new;
	const uint64_t *changed; /* of a modify */
	unsigned type;           /* MONITOR_INITIAL ... */
};

/* --- rows ------------------------------------------------------------------------- */

static bool step_changes(const struct step *p, const struct column *c)
{
	if (c->index < COLUMN_FIRST)
		return c->index == COLUMN_VERSION;
	return p->changed[c->index / 64] >> c->index % 64 & 1;
}

static bool step_shows(const struct step *p, const struct monitor_table *t)
{
	if (!(t->select & p->type))
		return false;
	if (p->type != MONITOR_MODIFY)
		return true;
	for (unsigned i = 0; i < t->n_columns; i++)
		if (step_changes(p, t->columns[i].column))
			return true;
	return false;
}

static void add_column(struct str *s, const struct row_view *v,
		       const struct column *c)
{
	struct datum *d;

	json_add_name(s, c->name);
	if (c->index >= COLUMN_FIRST) {
		datum_add_json(s, row_view_get(v, c->index));
		return;
	}
	d = row_view_ref(v, c->index);
	datum_add_json(s, d);
	datum_unref(d);
}

/* "old" of RFC 7047 4.1.6: of a modify what changed, of a delete all. */
static void add_old(struct str *s, const struct step *p,
		    const struct monitor_table *t)
{
	json_add_name(s, "old");
	json_add_open(s, '{');
	for (unsigned i = 0; i < t->n_columns; i++) {
		const struct monitor_column *c = &t->columns[i];

		if (!(c->select & p->type))
			continue;
		if (p->type == MONITOR_DELETE || step_changes(p, c->column))
			add_column(s, &p->old, c->column);
	}
	json_add_close(s, '}');
}

static void add_new(struct str *s, const struct step *p,
		    const struct monitor_table *t)
{
	json_add_name(s, "new");
	json_add_open(s, '{');
	for (unsigned i = 0; i < t->n_columns; i++)
		if (t->columns[i].select & p->type)
			add_column(s, &p->new, t->columns[i].column);
	json_add_close(s, '}');
}

static void add_row_update(struct str *s, const struct step *p,
			   const struct monitor_table *t)
{
	json_add_open(s, '{');
	if (p->type & (MONITOR_DELETE | MONITOR_MODIFY))
		add_old(s, p, t);
	if (p->type != MONITOR_DELETE)
		add_new(s, p, t);
	json_add_close(s, '}');
}

/* One element: its new value; sets and maps: what differs. */
static void add_difference(struct str *s, const struct step *p,
			   const struct column *c)
{
	struct datum *d;

	if (c->type.n_max == 1 && !type_is_map(&c->type)) {
		add_column(s, &p->new, c);
		return;
	}
	d = datum_diff(row_view_get(&p->old, c->index),
		       row_view_get(&p->new, c->index));
	json_add_name(s, c->name);
	datum_add_json(s, d);
	datum_unref(d);
}

static bool is_default(const struct row_view *v, const struct column *c)
{
	const struct datum *d;

	if (c->index < COLUMN_FIRST)
		return false;
	d = row_view_get(v, c->index);
	return d == c->empty || datum_equal(d, c->empty);
}

static void add_columns2(struct str *s, const struct step *p,
			 const struct monitor_table *t)
{
	json_add_open(s, '{');
	for (unsigned i = 0; i < t->n_columns; i++) {
		const struct column *c = t->columns[i].column;

		if (!(t->columns[i].select & p->type))
			continue;
		if (p->type == MONITOR_MODIFY) {
			if (step_changes(p, c))
				add_difference(s, p, c);
		} else if (!is_default(&p->new, c)) {
			add_column(s, &p->new, c);
		}
	}
	json_add_close(s, '}');
}

static void add_row_update2(struct str *s, const struct step *p,
			    const struct monitor_table *t)
{
	static const char *const words[] = { [MONITOR_INITIAL] = "initial",
					     [MONITOR_INSERT] = "insert",
					     [MONITOR_DELETE] = "delete",
					     [MONITOR_MODIFY] = "modify" };

	json_add_open(s, '{');
	json_add_name(s, words[p->type]);
	if (p->type == MONITOR_DELETE)
		json_add_null(s);
	else
		add_columns2(s, p, t);
	json_add_close(s, '}');
}

/* --- the object ---------------------------------------------------------------------- */

static void writer_table(struct writer *w, const struct monitor_table *t)
{
	if (w->open == t)
		return;
	if (w->open)
		json_add_close(w->s, '}');
	json_add_name(w->s, t->schema->name);
	json_add_open(w->s, '{');
	w->open = t;
}

static void writer_put(struct writer *w, const struct monitor_table *t,
		       const struct step *p)
{
	const struct row_view *v = p->new.cells ? &p->new : &p->old;
	char name[UUID_LEN + 1];

	if (!step_shows(p, t))
		return;
	writer_table(w, t);
	json_add_name(w->s, uuid_format(&v->uuid, name));
	if (w->spec->kind == MONITOR_UPDATE)
		add_row_update(w->s, p, t);
	else
		add_row_update2(w->s, p, t);
}

static void writer_begin(struct writer *w)
{
	json_add_open(w->s, '{');
}

static bool writer_end(struct writer *w)
{
	if (w->open)
		json_add_close(w->s, '}');
	json_add_close(w->s, '}');
	return w->open;
}

/* --- updates -------------------------------------------------------------------------- */

static void add_table(struct writer *w, const struct monitor_table *t,
		      const struct table *table)
{
	struct row *r;

	if (!(t->select & MONITOR_INITIAL))
		return;
	table_for_each(r, table) {
		struct step p = { .new = row_view(table, r),
				  .type = MONITOR_INITIAL };

		if (monitor_filter_passes(t->filter, &p.new))
			writer_put(w, t, &p);
	}
}

bool monitor_add_initial(struct str *s, const struct monitor_spec *m,
			 const struct db *db)
{
	struct writer w = { s, m, NULL };

	writer_begin(&w);
	for (unsigned i = 0; i < m->n_tables; i++)
		add_table(&w, &m->tables[i], db_table(db, m->tables[i].schema));
	return writer_end(&w);
}

/* What the change is to who sees but the rows that pass; 0: nothing. */
static unsigned change_type(const struct monitor_table *t,
			    const struct change *c)
{
	bool was = c->old.cells && monitor_filter_passes(t->filter, &c->old);
	bool is = c->new.cells &&monitor_filter_passes(t->filter, &c->new);

	if (was)
		return is ? MONITOR_MODIFY : MONITOR_DELETE;
	return is ? MONITOR_INSERT : 0;
}

bool monitor_add_changes(struct str *s, const struct monitor_spec *m,
			 const struct change *changes, size_t n)
{
	struct writer w = { s, m, NULL };

	writer_begin(&w);
	for (size_t i = 0; i < n; i++) {
		const struct change *c = &changes[i];
		const struct table_schema *ts =
			c->new.cells ? c->new.table : c->old.table;
		const struct monitor_table *t = m->by_index[ts->index];
		struct step p = { c->old, c->new, c->changed, 0 };

		if (t)
			p.type = change_type(t, c);
		if (p.type)
			writer_put(&w, t, &p);
	}
	return writer_end(&w);
}

struct refilter {
	struct writer w;
	const struct monitor_table *t;
};

static void add_refiltered(const struct row_view *v, bool passes, void *aux)
{
	struct refilter *r = aux;
	struct step p = { .type = passes ? MONITOR_INSERT : MONITOR_DELETE };

	if (passes)
		p.new = *v;
	else
		p.old = *v;
	writer_put(&r->w, r->t, &p);
}

bool monitor_add_filters(struct str *s, const struct monitor_spec *m,
			 const struct monitor_spec *next, const struct db *db)
{
	struct refilter r = { .w = { s, next, NULL } };

	writer_begin(&r.w);
	for (unsigned i = 0; i < m->n_tables; i++) {
		r.t = &next->tables[i];
		monitor_filter_diff(m->tables[i].filter, r.t->filter,
				    db_table(db, r.t->schema), add_refiltered,
				    &r);
	}
	return writer_end(&r.w);
}
