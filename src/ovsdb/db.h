/* SPDX-License-Identifier: Apache-2.0 */
/* Database: a schema, its tables, and who wants to know of changes.
 *
 * What      one database in memory. txn.h changes it; the log, the monitors and
 *           weft's own face listen.
 * Why so    a commit is in two halves, so that one fsync can serve many
 *           transactions: what is prepared is in the tables (the next
 *           transaction must see it), but no listener and no client hears of it
 *           before it is durable.
 * Invariant G1 listeners are called once for each committed transaction that
 *           changed something, in the order of txn_prepare, before txn_commit
 *           returns, so before any answer is sent.  G2 a listener neither runs
 *           a transaction nor adds or removes listeners while it is called.
 *           G3 who reads rows for somebody outside (the first answer of a
 *           monitor) does so only when db_is_settled, or makes it so first.
 * Threads   the control thread.
 * Owns      schema and rows. Listeners are the caller's memory. */
#ifndef OVSDB_DB_H
#define OVSDB_DB_H

#include "base/list.h"
#include "ovsdb/table.h"

struct db;
struct txn;

struct db_listener {
	struct list node; /* in the database's list */
	/* A transaction is committed: see struct change in txn.h. */
	void (*committed)(struct db_listener *l, const struct txn *t);
	/* The whole content is another, perhaps under another schema: what the
	 * listener holds of rows, tables, columns (pointers, indexes) is void.
	 * `old` is still whole. NULL: the listener does not mind. */
	void (*replaced)(struct db_listener *l, const struct db *old);
};

struct db {
	struct schema *schema;
	struct table *tables; /* schema->n_tables, by the schema's index */
	struct env *env;      /* draws UUIDs */
	uint64_t seed;        /* of hashes */
	uint64_t next_version;
	struct hmap weak_refs; /* struct weak_ref of txn_refs.c */
	struct list listeners;
	struct list prepared; /* transactions, the oldest first */
};

/* An empty database; takes the schema. */
struct db *db_create(struct schema *s, struct env *env);
void db_destroy(struct db *db);

static inline struct table *db_table(const struct db *db,
				     const struct table_schema *t)
{
	return &db->tables[t->index];
}

/* NULL: there is none. */
struct table *db_find_table(const struct db *db, const char *name);

void db_listen(struct db *db, struct db_listener *l);
void db_unlisten(struct db *db, struct db_listener *l);

/* No transaction is prepared and not yet committed. */
static inline bool db_is_settled(const struct db *db)
{
	return list_is_empty(&db->prepared);
}

/* The same rows under another schema (the `convert` request): columns that it
 * lacks are dropped, new ones have their default, all constraints are checked.
 * A database of its own, or NULL with the fault; takes the schema in any case. */
struct db *db_convert(const struct db *db, struct schema *s,
		      struct fault *f) MUST_CHECK;
/* Gives `db` the content of `other`, which is destroyed, and tells listeners.
 * `db` must be settled. */
void db_replace(struct db *db, struct db *other);

#endif
