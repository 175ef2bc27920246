/* SPDX-License-Identifier: Apache-2.0 */
/* Filter: which rows of a table does a conditional monitor show?
 *
 * What      a row passes when one of the clauses holds for it; without clauses
 *           all rows pass.
 * Why so    clients ask for thousands of rows by "column == value": those clauses
 *           are in a hash, so a row is judged in as many look-ups as there are
 *           columns asked about, not clauses. When a filter is replaced only
 *           rows that the differing clauses mean are looked at.
 * Invariant F1 a filter never changes: a changed condition is another filter.
 * Threads   the control thread.
 * Owns      its conditions; counted.
 * Refs      ovsdb-server(7) 4.1.12 to 4.1.14. */
#ifndef OVSDB_MONITOR_FILTER_H
#define OVSDB_MONITOR_FILTER_H

#include "ovsdb/condition.h"

struct monitor_filter;

/* Shows all rows. */
struct monitor_filter *monitor_filter_all(void);
/* `where` is a condition of which one clause is enough. NULL with the fault. */
struct monitor_filter *monitor_filter_parse(const struct table_schema *t,
					    const struct json *where,
					    struct fault *f) MUST_CHECK;
struct monitor_filter *monitor_filter_ref(struct monitor_filter *f);
/* NULL is fine. */
void monitor_filter_unref(struct monitor_filter *f);

bool monitor_filter_passes(const struct monitor_filter *f,
			   const struct row_view *v);
/* For keys: equal texts mean equal filters. */
void monitor_filter_add_json(struct str *s, const struct table_schema *t,
			     const struct monitor_filter *f);

/* Calls `each` once for every row that passes one of the filters only. */
void monitor_filter_diff(const struct monitor_filter *a,
			 const struct monitor_filter *b, struct table *t,
			 void (*each)(const struct row_view *v, bool passes_b,
				      void *aux),
			 void *aux);

#endif
