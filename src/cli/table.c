/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/table.h"

#define GAP 2u

size_t table_width(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

void table_take(struct table *t, char *text)
{
	if (t->n_cells == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 64;
		t->cells = xrealloc(t->cells, t->cap * sizeof(*t->cells));
	}
	t->cells[t->n_cells++] = text;
}

void table_add(struct table *t, const char *text)
{
	table_take(t, xstrdup(text));
}

void table_init(struct table *t, const char *head)
{
	*t = (struct table){ 0 };
	for (;;) {
		const char *end = strchrnul(head, '|');

		must(t->n_columns < TABLE_MAX_COLUMNS);
		t->right[t->n_columns] = *head == '>';
		head += *head == '>';
		table_take(t, xstrndup(head, (size_t)(end - head)));
		t->n_columns++;
		if (!*end)
			return;
		head = end + 1;
	}
}

void table_fini(struct table *t)
{
	for (unsigned i = 0; i < t->n_cells; i++)
		free(t->cells[i]);
	free(t->cells);
	*t = (struct table){ 0 };
}

static void widths(const struct table *t, size_t *w)
{
	bool used[TABLE_MAX_COLUMNS] = { false };

	memset(w, 0, TABLE_MAX_COLUMNS * sizeof(*w));
	for (unsigned i = 0; i < t->n_cells; i++) {
		unsigned col = i % t->n_columns;

		used[col] |= i >= t->n_columns && *t->cells[i];
		w[col] = MAX(w[col], table_width(t->cells[i]));
	}
	for (unsigned i = 0; i < t->n_columns; i++) {
		if (!used[i])
			w[i] = 0;
	}
}

static void add_spaces(struct str *out, size_t n)
{
	while (n--)
		str_add_char(out, ' ');
}

static void format_row(const struct table *t, unsigned row, const size_t *w,
		       struct str *out)
{
	size_t pending = 0;

	for (unsigned i = 0; i < t->n_columns; i++) {
		const char *cell = t->cells[row * t->n_columns + i];
		size_t pad;

		if (!w[i])
			continue;
		pad = w[i] - MIN(w[i], table_width(cell));
		/* spaces only in front of something */
		if (*cell) {
			add_spaces(out, pending + (t->right[i] ? pad : 0));
			str_add(out, cell);
			pending = GAP + (t->right[i] ? 0 : pad);
		} else {
			pending += GAP + pad;
		}
	}
	str_add_char(out, '\n');
}

void table_format(const struct table *t, bool colour, struct str *out)
{
	unsigned n_rows = t->n_cells / t->n_columns;
	size_t w[TABLE_MAX_COLUMNS];

	widths(t, w);
	if (colour)
		str_add(out, "\033[1m");
	format_row(t, 0, w, out);
	if (colour)
		str_add(out, "\033[0m");
	for (unsigned i = 1; i < n_rows; i++)
		format_row(t, i, w, out);
}
