/* SPDX-License-Identifier: Apache-2.0 */
/* Monitors: what a client wants to be told of changes, and telling it.
 *
 * What      a monitor_spec is the parsed request of monitor, monitor_cond or
 *           monitor_cond_since: tables, columns, kinds of change, filters. The
 *           rest turns rows and change sets into <table-updates> of its kind.
 * Why so    a spec knows no client, so clients that ask the same share one, and
 *           each update is made once for all of them.
 * Invariant O1 cost follows the changes and the columns asked for.  O2 a spec
 *           never changes: monitor_spec_change gives another.
 * Threads   the control thread.
 * Owns      its tables; filters are shared.
 * Refs      RFC 7047 4.1.5, 4.1.6; ovsdb-server(7) 4.1.12 to 4.1.15. */
#ifndef OVSDB_MONITOR_H
#define OVSDB_MONITOR_H

#include "ovsdb/monitor_filter.h"
#include "ovsdb/txn.h"

enum monitor_kind {
	MONITOR_UPDATE,  /* monitor: old and new values */
	MONITOR_UPDATE2, /* monitor_cond: differences */
	MONITOR_UPDATE3, /* monitor_cond_since: the same, and a name */
};

/* Kinds of change that may be asked for. */
enum {
	MONITOR_INITIAL = 1 << 0,
	MONITOR_INSERT = 1 << 1,
	MONITOR_DELETE = 1 << 2,
	MONITOR_MODIFY = 1 << 3,
	MONITOR_ALL = 15,
};

struct monitor_column {
	const struct column *column;
	unsigned select;
};

struct monitor_table {
	const struct table_schema *schema;
	struct monitor_column *columns;
	unsigned n_columns;
	unsigned select; /* of any column */
	struct monitor_filter *filter;
};

struct monitor_spec {
	enum monitor_kind kind;
	struct monitor_table *tables;
	unsigned n_tables;
	/* By the schema's index; NULL: not monitored. */
	const struct monitor_table **by_index;
	unsigned n_by_index;
};

/* `requests` is {"table": request or [request...]...}. NULL with the fault. */
struct monitor_spec *monitor_spec_parse(const struct schema *s,
					enum monitor_kind kind,
					const struct json *requests,
					struct fault *f) MUST_CHECK;
/* The same with other filters: {"table": [{"where": condition}]...}. */
struct monitor_spec *monitor_spec_change(const struct monitor_spec *m,
					 const struct schema *s,
					 const struct json *requests,
					 struct fault *f) MUST_CHECK;
void monitor_spec_destroy(struct monitor_spec *m);
/* Specs with equal keys make equal updates. */
void monitor_spec_add_key(struct str *s, const struct monitor_spec *m);

/* All add one object of <table-updates>; false when it is empty ("{}"). */

/* The rows there are. The database is settled. */
bool monitor_add_initial(struct str *s, const struct monitor_spec *m,
			 const struct db *db);
/* `changes` by table index. */
bool monitor_add_changes(struct str *s, const struct monitor_spec *m,
			 const struct change *changes, size_t n);
/* The rows that come and go when the filters of `m` give way to those of
 * `next`, which monitor_spec_change made of it. The database is settled. */
bool monitor_add_filters(struct str *s, const struct monitor_spec *m,
			 const struct monitor_spec *next, const struct db *db);

#endif
