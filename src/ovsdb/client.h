/* SPDX-License-Identifier: Apache-2.0 */
/* Client: one database of a server, or of a cluster of servers, kept in reach.
 *
 * What      connects to one of several remotes, again and again; learns what the
 *           server is and the database's schema; monitors; transacts; wants a
 *           lock. Its owner hears of content and changes as <table-updates2>.
 * Why so    what a client must do to follow a cluster (leave members that are cut
 *           off, find the leader, resume a monitor where it was) is in one
 *           place; what rows mean is its owner's.
 *
 *             dial -> _Server -> schema -> monitor -> UP
 *              ^---- cut off, not the leader, gone, schema changed ----'
 *
 * Invariant C1 `up` comes before the first `update` of a connection, `down` ends
 *           what `up` began.  C2 a transaction's `done` is called exactly once,
 *           from the loop or from client_destroy.  C3 after an update that is not
 *           fresh, what was told before it still holds.
 * Threads   the loop's.
 * Owns      its connection.
 * Refs      RFC 7047 4; ovsdb-server(7) 4.1.12 to 4.1.20; ovsdb-server(5). */
#ifndef OVSDB_CLIENT_H
#define OVSDB_CLIENT_H

#include "base/json.h"
#include "base/env.h"
#include "sys/stream.h"

/* Transactions under way; one more is refused. */
#define CLIENT_TRANSACTIONS_MAX 4096

struct client;

struct client_ops {
	/* Connected; the database's schema as get_schema gives it. */
	void (*up)(void *arg, const struct json *schema);
	/* {"table":{"uuid":{"insert":row}...}}. Fresh: it is all there is, with
	 * "initial" in place of "insert"; what was told before is void. */
	void (*update)(void *arg, const struct json *updates, bool fresh);
	/* NULL: nobody asks. */
	void (*lock)(void *arg, bool owned);
	void (*down)(void *arg, const char *why);
};

struct client_spec {
	const char *const *remotes; /* "unix:...", "tcp:..." ... */
	unsigned n_remotes;
	const char *db;
	bool leader_only;    /* of a cluster */
	const char *monitor; /* <monitor-cond-requests> as JSON, or NULL */
	const char *lock;    /* wanted for all transactions, or NULL */
	unsigned backoff_max_ms;
	unsigned probe_ms; /* 0: never */
	struct tls_config *tls;
	const struct client_ops *ops;
	void *arg;
};

/* NULL and the sentence when a remote's name is wrong. */
struct client *client_create(struct loop *loop, const struct client_spec *spec,
			     struct err *e) MUST_CHECK;
void client_destroy(struct client *c);
bool client_is_up(const struct client *c);
bool client_owns_lock(const struct client *c);
/* The remote that is connected, or is tried. */
const char *client_remote(const struct client *c);

/* `result` is what RFC 7047 4.1.3 answers, an array; NULL with `why` when there
 * is no answer, or an error instead: then nobody knows whether it happened. */
typedef void client_done_fn(void *arg, const struct json *result,
			    const char *why);
/* `operations` is a JSON array. -ENOTCONN or -EBUSY: not sent, `done` will not
 * be called. */
int client_transact(struct client *c, const char *operations,
		    client_done_fn *done, void *arg) MUST_CHECK;
/* Other conditions: {"table":[{"where":...}]...}, from now on, also behind a
 * reconnection when the spec's are changed alike by its owner: `monitor` is the
 * whole of them. -ENOTCONN. */
int client_change(struct client *c, const char *changes,
		  const char *monitor) MUST_CHECK;

#endif
