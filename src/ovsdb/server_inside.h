/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of the server: for server*.c only.
 *
 * What      how databases, sessions, monitors and locks hang together.
 *
 *               server --< server_db --< group --< member >-- session
 *                 |           '-- commits, blocked requests     |
 *                 '--< remote --< session                    locks
 *
 * Threads   the loop's.
 * Owns      as server.h says; a request is its session's while it is blocked, and
 *           the commit's after that. */
#ifndef OVSDB_SERVER_INSIDE_H
#define OVSDB_SERVER_INSIDE_H

#include "jsonrpc/jsonrpc.h"
#include "ovsdb/monitor.h"
#include "ovsdb/monitor_history.h"
#include "ovsdb/server.h"

struct lock_waiter;

struct server {
	struct loop *loop;
	struct env *env;
	struct uuid id;
	struct list dbs;         /* struct server_db, by name */
	struct list remotes;     /* struct server_remote */
	struct hmap locks;       /* struct lock: those that somebody wants */
	struct server_db *about; /* _Server */
};

struct server_db {
	struct list node; /* in server->dbs */
	struct server *server;
	struct db *db;
	const struct server_log_ops *ops;
	void *log;
	struct db_listener listener;
	struct list commits; /* struct commit, the oldest first */
	struct list spent;   /* those that are over, to be freed */
	bool draining;
	unsigned n_barriers; /* commits before which nothing new is run */
	struct list blocked; /* struct request */
	struct defer retry;  /* runs the blocked again */
	struct list groups;  /* struct group */
	struct monitor_history *history;
	unsigned n_lagging; /* members */
};

struct server_remote {
	struct list node; /* in server->remotes */
	struct server *server;
	char *name;
	struct stream_listener *listener; /* or dial */
	struct stream_dial *dial;
	bool has_probe, read_only;
	unsigned probe_ms;
	struct list sessions;
	unsigned n_sessions;
	char *error;
};

/* --- server_db.c --------------------------------------------------------------- */

/* Tells `done` when nothing is prepared, and lets nothing be until then. */
void server_db_settle(struct server_db *d, server_done_fn *done, void *arg);

/* --- server_session.c: one client ------------------------------------------------- */

struct session {
	struct list node; /* in remote->sessions */
	struct server *server;
	struct server_remote *remote;
	struct jsonrpc *rpc;
	struct list requests; /* struct request: blocked or committing */
	unsigned n_blocked, n_commits;
	size_t blocked_bytes;
	struct list members; /* its monitors */
	unsigned n_members;
	struct list waiters; /* its locks */
	unsigned n_waiters;
	bool aware;       /* set_db_change_aware */
	bool paused;      /* see session_pace */
	const char *doom; /* not NULL: ends for this in the next round */
	struct defer end;
};

void session_create(struct server_remote *r, struct stream *s);
void session_destroy(struct session *s);
/* The same in the next round, for whoever is in the middle of something; `why`
 * is a constant. */
void session_doom(struct session *s, const char *why);
/* {"error":...} in place of a result; consumes the fault. */
void session_refuse(struct session *s, const struct json *id, struct fault *f);
void session_reply(struct session *s, const struct json *id,
		   const struct str *result);
/* Reads the client, or not: who does not read, or has much to commit, waits. */
void session_pace(struct session *s);

/* --- server_request.c: transact, convert, cancel ------------------------------------- */

struct request;

typedef void settled_fn(struct session *s, struct server_db *d,
			const struct jsonrpc_message *m);
/* Calls fn, perhaps at once, when nothing is prepared. */
void request_when_settled(struct session *s, struct server_db *d,
			  const struct jsonrpc_message *m,
			  struct json_doc **doc, settled_fn *fn);

void request_transact(struct session *s, struct server_db *d,
		      const struct jsonrpc_message *m, struct json_doc **doc);
void request_convert(struct session *s, struct server_db *d,
		     const struct jsonrpc_message *m, struct json_doc **doc);
void request_cancel(struct session *s, const struct json *params);
/* The session goes. */
void request_forget(struct session *s);
/* The database goes: what waits is refused. */
void request_drop_blocked(struct server_db *d);
void request_retry(struct server_db *d);

/* --- server_monitor.c -------------------------------------------------------------- */

/* Those who want the same of a database. */
struct group {
	struct list node; /* in server_db->groups */
	struct server_db *db;
	struct monitor_spec *spec;
	char *key;
	struct list members;
};

/* A client's monitor. */
struct member {
	struct list node; /* in group->members */
	struct list by_session;
	struct group *group;
	struct session *session;
	struct json_doc *id;
	bool lags;
	uint64_t lag; /* the number in the history it has seen */
};

void monitor_request(struct session *s, struct server_db *d,
		     const struct jsonrpc_message *m, struct json_doc **doc);
void monitor_cond_change(struct session *s, const struct jsonrpc_message *m,
			 struct json_doc **doc);
void monitor_cancel(struct session *s, const struct jsonrpc_message *m);
void monitor_forget(struct session *s);
/* All that was sent is out: those who lag catch up. */
void monitor_catch_up(struct session *s);
/* A transaction is committed: tells all who want to know. */
void monitor_tell(struct server_db *d, const struct txn *t);
/* The database is another, or goes: ends its monitors, and the sessions that do
 * not understand that. */
void monitor_end_all(struct server_db *d);

/* --- server_lock.c ------------------------------------------------------------------ */

void lock_request(struct session *s, const struct jsonrpc_message *m);
void lock_release(struct session *s, const struct jsonrpc_message *m);
void lock_forget(struct session *s);
/* For the operation "assert". */
bool lock_is_owned(void *session, const char *name);

/* --- server_about.c: _Server --------------------------------------------------------- */

void about_create(struct server *s);
void about_put(struct server *s, const struct server_db *d);
void about_del(struct server *s, const struct server_db *d);

#endif
