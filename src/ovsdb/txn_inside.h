/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a transaction: for txn*.c and db.c only.
 *
 * What      the rows it touched, as they were; what it did to references.
 * Threads   the control thread.
 * Owns      references to old cells, rows that it took out of their tables. */
#ifndef OVSDB_TXN_INSIDE_H
#define OVSDB_TXN_INSIDE_H

#include "ovsdb/table_inside.h"
#include "ovsdb/txn.h"

struct txn_row {
	struct list node; /* in txn->rows, in the order of touching */
	struct table *table;
	struct row *row;
	struct datum **old; /* NULL: inserted here */
	uint64_t old_version;
	bool deleted;
	struct hmap_node gone; /* in txn->gone when deleted */
};

/* A weak reference: in db->weak_refs under the row it leads to. */
struct weak_ref {
	struct hmap_node node;
	struct uuid target, source;
	unsigned target_table, source_table, column;
};

/* What is to be taken back by an abort. */
struct count_op {
	struct row *row;
	int delta;
};

struct weak_op {
	bool added;
	struct weak_ref ref;
};

struct txn {
	struct list node; /* in db->prepared */
	struct db *db;
	struct list rows;
	struct hmap gone;
	struct change *changes;
	size_t n_changes;
	uint64_t *bits;
	struct count_op *counts;
	size_t n_counts, cap_counts;
	struct weak_op *weaks;
	size_t n_weaks, cap_weaks;
	struct str comment;
	bool durable, prepared;
	uint64_t note;
};

/* txn.c */
struct txn_row *txn_touch(struct txn *t, struct table *table, struct row *r);
/* What the transaction deleted, rather a row that was there before than one
 * that it had made; NULL: neither. */
struct txn_row *txn_find_gone(const struct txn *t, const struct table *table,
			      const struct uuid *u);
/* No such row is there, nor was there one before this transaction. */
bool txn_may_insert(const struct txn *t, const struct table *table,
		    const struct uuid *u);
/* txn_refs.c: counts, garbage, weak references. */
int txn_refs_check(struct txn *t, struct fault *f) MUST_CHECK;
void txn_refs_undo(struct txn *t);
void weak_refs_fini(struct hmap *weak_refs);

#endif
