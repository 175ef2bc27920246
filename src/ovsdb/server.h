/* SPDX-License-Identifier: Apache-2.0 */
/* Server: databases, spoken to by RFC 7047 and what ovsdb-server adds.
 *
 * What      databases (db.h) under their names; remotes that clients come by;
 *           for each client a session with its monitors, locks and transactions
 *           that wait. `_Server` describes the databases, itself one.
 * Why so    the server owns the two halves of each commit: what clients and our
 *           own code prepared goes to the log together, and is made known in
 *           order when it is durable. Clients that ask for the same updates share
 *           them; one that reads slowly gets fewer and larger ones.
 * Invariant V1 no answer leaves before all that it could see is durable.  V2 the
 *           updates of a transaction leave before its answer.  V3 what a client
 *           may have waiting is bounded: SERVER_* below, jsonrpc_limits_of.
 * Threads   the loop's.
 * Owns      databases that were put, sessions, remotes; logs are borrowed.
 * Refs      RFC 7047 4; ovsdb-server(7); ovsdb-server(5) (_Server). */
#ifndef OVSDB_SERVER_H
#define OVSDB_SERVER_H

#include "ovsdb/txn.h"
#include "sys/stream.h"

/* Transactions of a session that wait for the log: then it is read no more. */
#define SERVER_COMMITS_MAX 64
/* Transactions of a session that wait for rows: then one more is refused. */
#define SERVER_BLOCKED_MAX 1024
/* Monitors and locks of a session. */
#define SERVER_MONITORS_MAX 1024
#define SERVER_LOCKS_MAX 1024
/* Bytes that wait for a client: behind that its updates are gathered. */
#define SERVER_LAG_BYTES (1u << 20)
/* Bytes that wait for a client whatever they are: then it is let go. */
#define SERVER_QUEUE_BYTES (64u << 20)

struct server;
struct server_db;
struct server_remote;
struct jsonrpc;

struct server *server_create(struct loop *loop, struct env *env);
/* Sessions, remotes and databases end; logs must have told all they took. */
void server_destroy(struct server *s);
const struct uuid *server_id(const struct server *s);

/* --- databases -------------------------------------------------------------------- */

/* `why` is NULL when it is durable, else a sentence (as txlog_done_fn). */
typedef void server_done_fn(void *arg, const char *why);

/* What keeps a database: txlog.h, or a test's. NULL: nothing is kept. */
struct server_log_ops {
	/* Tells `done` later, never from inside, in the order of the puts; of
	 * failures the newest first, and all that was put after one fails. */
	void (*put)(void *log, const char *json, size_t n, server_done_fn *done,
		    void *arg);
	/* The database is about to be another: all of it is written anew, at
	 * once. 0 or -errno and a sentence, and the old one stays. */
	int (*replace)(void *log, const struct db *db, struct err *e);
};

/* Takes the database; one of its name must not be there. */
struct server_db *server_put_db(struct server *s, struct db *db,
				const struct server_log_ops *ops, void *log);
/* Its clients' monitors are cancelled; waits for nothing: the log must be
 * flushed. */
void server_del_db(struct server_db *d);
struct server_db *server_find_db(const struct server *s, const char *name);
struct db *server_db_get(const struct server_db *d);
/* Names, sorted; to be freed. */
const char **server_db_names(const struct server *s, size_t *n);

/* Commits a transaction that was prepared just now when it is durable, and then
 * tells `done` (may be NULL), perhaps at once. NULL for `t`: tells when all that was prepared by
 * now is committed. The transaction is not there any more then. */
void server_db_commit(struct server_db *d, struct txn *t, server_done_fn *done,
		      void *arg);

/* --- remotes ------------------------------------------------------------------------ */

struct server_remote_spec {
	const char *name; /* "punix:...", "ptcp:...", "ssl:..." ... */
	struct tls_config *tls;
	unsigned mode; /* of a unix socket's file; 0: its default */
	bool has_group;
	uint32_t group;
	bool has_probe; /* else by kind: none over unix sockets */
	unsigned probe_ms;
	unsigned backoff_max_ms; /* 0: its default */
	bool read_only;          /* clients may not change rows, nor lock */
};

#define SERVER_PORT 6640

struct server_remote *server_add_remote(struct server *s,
					const struct server_remote_spec *spec,
					struct err *e) MUST_CHECK;
/* Its sessions end. */
void server_del_remote(struct server_remote *r);
const char *server_remote_name(const struct server_remote *r);
/* The port that is listened on, or 0. */
uint16_t server_remote_port(const struct server_remote *r);

/* Sessions that came by it; a dialled one has one at most. */
unsigned server_remote_n_sessions(const struct server_remote *r);
/* Why the last attempt of a dialled one failed, or its session ended; NULL. */
const char *server_remote_error(const struct server_remote *r);

/* Ends all sessions: clients come back by themselves. */
void server_disconnect(struct server *s);

struct server_counts {
	unsigned sessions, monitors, groups, blocked;
	size_t queued; /* bytes */
};

struct server_counts server_count(const struct server *s);

#endif
