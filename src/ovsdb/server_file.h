/* SPDX-License-Identifier: Apache-2.0 */
/* Database files: what keeps a served database between starts.
 *
 * What      reads a standalone database's file (store/txlog.h) into a database,
 *           and is the log that server_put_db wants; makes the file small while
 *           it is used; writes it anew for another schema.
 * Invariant K1 the first record is the schema, each other one a transaction.
 *           K2 after server_file_replace failed the old file is in use.
 * Threads   the loop's; compaction reads the log in a thread of its own into a
 *           database of its own.
 * Owns      the log; not the database.
 * Refs      ovsdb(5), "Standalone Format". */
#ifndef OVSDB_SERVER_FILE_H
#define OVSDB_SERVER_FILE_H

#include "ovsdb/server.h"

struct disk;
struct server_file;

struct server_file_spec {
	struct loop *loop;
	struct env *env;
	struct disk *disk;
	const char *path;
	unsigned mode; /* of a new file */
	/* The schema of a new file, JSON; NULL: there must be one. */
	const char *schema;
};

/* Gives the file and its database; `said` as txlog_open. NULL with a
 * sentence. */
struct server_file *server_file_open(const struct server_file_spec *s,
				     struct db **db, char **said,
				     struct err *e) MUST_CHECK;
/* For server_put_db, with the file as its log. */
extern const struct server_log_ops server_file_ops;
/* All that was put is durable or failed, and was told: before server_del_db. */
void server_file_flush(struct server_file *f);
int server_file_compact(struct server_file *f, struct err *e) MUST_CHECK;
void server_file_close(struct server_file *f);

#endif
