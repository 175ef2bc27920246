/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a table: for table.c, txn*.c and db.c only.
 *
 * What      making rows, and changing them with their indexes.
 * Threads   the control thread.
 * Owns      a table its rows; who takes one out owns it. */
#ifndef OVSDB_TABLE_INSIDE_H
#define OVSDB_TABLE_INSIDE_H

#include "ovsdb/table.h"

void table_init(struct table *t, const struct table_schema *schema,
		uint64_t seed);
void table_fini(struct table *t);
/* With its defaults; in no table. */
struct row *row_create(const struct table_schema *t, const struct uuid *u);
void row_destroy(struct row *r);
/* Into and out of the table and its indexes. */
void table_put(struct table *t, struct row *r);
void table_del(struct table *t, struct row *r);
/* Takes the datum. */
void table_set_cell(struct table *t, struct row *r, unsigned column,
		    struct datum *d);
/* Another row with the same values in index i; NULL: none. */
struct row *table_find_twin(const struct table *t, unsigned i, struct row *r);

#endif
