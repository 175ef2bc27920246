/* SPDX-License-Identifier: Apache-2.0 */
#include "ovsdb/monitor_history.h"

#define SEED 0x2545f4914f6cdd1du

struct past {
	const struct table_schema *table;
	struct uuid uuid;
	uint64_t old_version, new_version;
	struct datum **old, **new; /* or NULL: there was, there is none */
};

struct entry {
	struct uuid id;
	struct past *changes;
	size_t n;
};

struct monitor_history {
	struct env *env;
	/* A ring; the newest is number `now`, the oldest now - n_entries + 1. */
	struct entry entries[MONITOR_HISTORY_TXNS];
	unsigned n_entries;
	size_t n_changes;
	uint64_t now;
	struct uuid last;
};

static struct entry *entry_at(struct monitor_history *h, uint64_t number)
{
	return &h->entries[number % MONITOR_HISTORY_TXNS];
}

static const struct entry *entry_get(const struct monitor_history *h,
				     uint64_t number)
{
	return &h->entries[number % MONITOR_HISTORY_TXNS];
}

/* --- what was ----------------------------------------------------------------------- */

static struct datum **cells_ref(const struct row_view *v)
{
	unsigned n = v->table->n_columns - COLUMN_FIRST;
	struct datum **cells;

	if (!v->cells)
		return NULL;
	cells = xcalloc(n, sizeof(struct datum *));
	for (unsigned i = 0; i < n; i++)
		cells[i] = datum_ref(v->cells[i]);
	return cells;
}

static void cells_unref(const struct table_schema *t, struct datum **cells)
{
	if (!cells)
		return;
	for (unsigned i = 0; i < t->n_columns - COLUMN_FIRST; i++)
		datum_unref(cells[i]);
	free(cells);
}

static void past_init(struct past *p, const struct change *c)
{
	const struct row_view *v = c->new.cells ? &c->new : &c->old;

	p->table = v->table;
	p->uuid = v->uuid;
	p->old_version = c->old.version;
	p->new_version = c->new.version;
	p->old = c->old.cells ? cells_ref(&c->old) : NULL;
	p->new = c->new.cells ? cells_ref(&c->new) : NULL;
}

static void entry_fini(struct entry *e)
{
	for (size_t i = 0; i < e->n; i++) {
		cells_unref(e->changes[i].table, e->changes[i].old);
		cells_unref(e->changes[i].table, e->changes[i].new);
	}
	free(e->changes);
	*e = (struct entry){ 0 };
}

static void history_drop(struct monitor_history *h)
{
	struct entry *e = entry_at(h, h->now - h->n_entries + 1);

	h->n_changes -= e->n;
	h->n_entries--;
	entry_fini(e);
}

struct monitor_history *monitor_history_create(struct env *env)
{
	struct monitor_history *h = xzalloc(sizeof(*h));

	h->env = env;
	h->last = uuid_random(env);
	return h;
}

void monitor_history_clear(struct monitor_history *h)
{
	while (h->n_entries)
		history_drop(h);
	h->now++;
	h->last = uuid_random(h->env);
}

void monitor_history_destroy(struct monitor_history *h)
{
	if (!h)
		return;
	monitor_history_clear(h);
	free(h);
}

void monitor_history_put(struct monitor_history *h, const struct txn *t,
			 bool lags)
{
	size_t n, limit = lags ? MONITOR_HISTORY_LAG : MONITOR_HISTORY_CHANGES;
	const struct change *changes = txn_changes(t, &n);
	struct entry *e;

	if (h->n_entries == MONITOR_HISTORY_TXNS)
		history_drop(h);
	h->last = uuid_random(h->env);
	h->n_entries++;
	e = entry_at(h, ++h->now);
	e->id = h->last;
	e->n = n;
	e->changes = xcalloc(n + 1, sizeof(*e->changes));
	for (size_t i = 0; i < n; i++)
		past_init(&e->changes[i], &changes[i]);
	h->n_changes += n;
	while (h->n_changes > limit && h->n_entries > 1)
		history_drop(h);
}

const struct uuid *monitor_history_last(const struct monitor_history *h)
{
	return &h->last;
}

uint64_t monitor_history_now(const struct monitor_history *h)
{
	return h->now;
}

bool monitor_history_find(const struct monitor_history *h, const struct uuid *u,
			  uint64_t *number)
{
	if (uuid_equal(u, &h->last)) {
		*number = h->now;
		return true;
	}
	for (unsigned i = 0; i < h->n_entries; i++) {
		if (!uuid_equal(&entry_get(h, h->now - i)->id, u))
			continue;
		*number = h->now - i;
		return true;
	}
	return false;
}

/* --- merging -------------------------------------------------------------------------- */

struct merged {
	struct hmap_node node;
	const struct past *first, *last;
};

struct merger {
	struct hmap rows;
	struct merged *list; /* in the order of their first change */
	size_t n;
};

static struct merged *merged_find(const struct merger *m, const struct past *p)
{
	struct merged *r;

	hmap_for_each_same(r, &m->rows, uuid_hash(&p->uuid, SEED), node) {
		if (r->first->table == p->table &&
		    uuid_equal(&r->first->uuid, &p->uuid))
			return r;
	}
	return NULL;
}

static void merger_put(struct merger *m, const struct past *p)
{
	struct merged *r = merged_find(m, p);

	if (r) {
		r->last = p;
		return;
	}
	r = &m->list[m->n++];
	r->first = r->last = p;
	hmap_put(&m->rows, &r->node, uuid_hash(&p->uuid, SEED));
}

static int merged_compare(const void *a, const void *b)
{
	const struct merged *x = a, *y = b;
	unsigned i = x->first->table->index, k = y->first->table->index;

	if (i != k)
		return i < k ? -1 : 1;
	return uuid_compare(&x->first->uuid, &y->first->uuid);
}

static bool cell_differs(struct datum *const *old, struct datum *const *new,
			 const struct column *c)
{
	unsigned i = c->index - COLUMN_FIRST;

	if (!new)
		return false;
	if (!old)
		return !datum_equal(new[i], c->empty);
	return old[i] != new[i] && !datum_equal(old[i], new[i]);
}

/* False when in the end nothing differs. */
static bool change_set(struct change *c, const struct merged *r, uint64_t *bits)
{
	const struct table_schema *t = r->first->table;
	bool differs = !r->first->old != !r->last->new;

	c->old = (struct row_view){ t, r->first->uuid, r->first->old_version,
				    r->first->old };
	c->new = (struct row_view){ t, r->first->uuid, r->last->new_version,
				    r->last->new };
	c->changed = bits;
	if (!r->first->old && !r->last->new)
		return false;
	for (unsigned i = COLUMN_FIRST; i < t->n_columns; i++) {
		if (!cell_differs(c->old.cells, c->new.cells, &t->columns[i]))
			continue;
		bits[i / 64] |= (uint64_t)1 << i % 64;
		differs = true;
	}
	return differs;
}

static void merger_give(struct merger *m, struct monitor_merge *out)
{
	size_t words = 0, at = 0;

	qsort(m->list, m->n, sizeof(*m->list), merged_compare);
	for (size_t i = 0; i < m->n; i++)
		words += m->list[i].first->table->n_columns / 64 + 1;
	*out = (struct monitor_merge){ 0 };
	out->changes = xcalloc(m->n + 1, sizeof(*out->changes));
	out->bits = xcalloc(words + 1, sizeof(*out->bits));
	for (size_t i = 0; i < m->n; i++) {
		const struct merged *r = &m->list[i];

		if (change_set(&out->changes[out->n], r, out->bits + at))
			out->n++;
		at += r->first->table->n_columns / 64 + 1;
	}
}

bool monitor_history_merge(const struct monitor_history *h, uint64_t number,
			   struct monitor_merge *out)
{
	struct merger m = { 0 };
	size_t n = 0;

	if (number > h->now || h->now - number > h->n_entries)
		return false;
	for (uint64_t i = number + 1; i <= h->now; i++)
		n += entry_get(h, i)->n;
	hmap_init(&m.rows);
	m.list = xcalloc(n + 1, sizeof(*m.list));
	for (uint64_t i = number + 1; i <= h->now; i++)
		for (size_t k = 0; k < entry_get(h, i)->n; k++)
			merger_put(&m, &entry_get(h, i)->changes[k]);
	hmap_fini(&m.rows);
	merger_give(&m, out);
	free(m.list);
	return true;
}

void monitor_merge_fini(struct monitor_merge *m)
{
	free(m->changes);
	free(m->bits);
	*m = (struct monitor_merge){ 0 };
}
