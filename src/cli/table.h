/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of text.
 *
 * What      rows of cells, columns as wide as their widest cell; empty columns
 *           are left out.
 * Why so    80 columns hold what there is to say, not what there could be.
 * Threads   none of its own.
 * Owns      its cells. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include "base/str.h"

#define TABLE_MAX_COLUMNS 12u

struct table {
	char **cells; /* row by row; the first row is the head */
	unsigned n_cells, cap;
	unsigned n_columns;
	bool right[TABLE_MAX_COLUMNS]; /* numbers */
};

/* `head` names the columns, separated by '|'; a '>' in front of a name aligns
 * right. */
void table_init(struct table *t, const char *head);
void table_fini(struct table *t);
/* The next cell. _take owns `text`. */
void table_add(struct table *t, const char *text);
void table_take(struct table *t, char *text);
void table_format(const struct table *t, bool colour, struct str *out);
/* Width of UTF-8 text in characters. */
size_t table_width(const char *text);

#endif
