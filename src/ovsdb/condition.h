/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions: which rows does a `where` mean?
 *
 * What      a list of clauses [column, function, value] and of true and false;
 *           in transactions all must hold, in monitors any (monitor_cond).
 * Why so    a clause that pins _uuid or an index finds its row by hash; only
 *           what is left looks at rows.
 * Owns      its clauses; condition_fini.
 * Threads   the control thread.
 * Refs      RFC 7047 5.1 <condition>; ovsdb-server(7) 4.1.12 (booleans). */
#ifndef OVSDB_CONDITION_H
#define OVSDB_CONDITION_H

#include "ovsdb/table.h"

enum condition_function {
	COND_FALSE,
	COND_TRUE,
	COND_LT,
	COND_LE,
	COND_EQ,
	COND_NE,
	COND_GE,
	COND_GT,
	COND_INCLUDES,
	COND_EXCLUDES,
};

struct clause {
	enum condition_function function;
	unsigned column; /* index; not for COND_TRUE and COND_FALSE */
	struct datum *arg;
};

struct condition {
	struct clause *clauses;
	unsigned n;
};

/* "<", "includes", "true" and so on; COND_FALSE when there is no such one, with
 * *ok false. */
enum condition_function condition_function_find(const char *name, bool *ok);

/* A JSON array of clauses. -EINVAL with the fault. Names may be NULL. */
int condition_parse(struct condition *c, const struct table_schema *t,
		    const struct json *v, const struct named_uuids *names,
		    struct fault *f) MUST_CHECK;
void condition_fini(struct condition *c);
void condition_add_json(struct str *s, const struct table_schema *t,
			const struct condition *c);

bool clause_holds(const struct clause *c, const struct row_view *v);
/* True when every clause holds, so for an empty condition. */
bool condition_all(const struct condition *c, const struct row_view *v);
/* True when one holds, so never for an empty condition. */
bool condition_any(const struct condition *c, const struct row_view *v);

/* Calls `each` for every row for which all clauses hold, until it says false.
 * Rows may be changed by `each`, or deleted, but not inserted. */
void condition_for_each(const struct condition *c, struct table *t,
			bool (*each)(struct row *r, void *aux), void *aux);

#endif
