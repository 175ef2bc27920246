/* SPDX-License-Identifier: Apache-2.0 */
/* Mutations: a column's new value computed from its old one.
 *
 * What      a list of [column, mutator, value]: += -= *= /= %= insert delete.
 * Owns      its list; mutation_fini.
 * Threads   the control thread.
 * Refs      RFC 7047 5.1 <mutation>. */
#ifndef OVSDB_MUTATION_H
#define OVSDB_MUTATION_H

#include "ovsdb/schema.h"

enum mutator {
	MUTATE_ADD,
	MUTATE_SUB,
	MUTATE_MUL,
	MUTATE_DIV,
	MUTATE_MOD,
	MUTATE_INSERT,
	MUTATE_DELETE,
};

struct mutation {
	enum mutator mutator;
	const struct column *column;
	struct datum *arg;
};

struct mutations {
	struct mutation *list;
	unsigned n;
};

int mutations_parse(struct mutations *m, const struct table_schema *t,
		    const struct json *v, const struct named_uuids *names,
		    struct fault *f) MUST_CHECK;
void mutations_fini(struct mutations *m);
/* The value after one mutation of `old`; NULL with the fault (domain error,
 * range error, constraint violation). */
struct datum *mutation_apply(const struct mutation *m, const struct datum *old,
			     struct fault *f) MUST_CHECK;

#endif
