/* SPDX-License-Identifier: Apache-2.0 */
/* Managers: remotes that are set in a database, "db:DATABASE,TABLE,COLUMN".
 *
 * What      follows a column that names remotes, as strings or as references to
 *           rows with a "target" and its options, and keeps the server's remotes
 *           as it says. Writes into such rows whether somebody is connected.
 * Why so    ovs-vsctl set-manager and every controller configure remotes so; the
 *           database says where they stand, the server need not know its schema.
 * Invariant M1 a remote that did not change keeps its sessions.  M2 what cannot
 *           be is said in the row's status and in the log, and tried no more
 *           until the row changes.
 * Threads   the loop's.
 * Owns      the remotes it added. Gone before its database is.
 * Refs      ovsdb-server(1) --remote; ovs-vswitchd.conf.db(5) Manager. */
#ifndef OVSDB_SERVER_MANAGERS_H
#define OVSDB_SERVER_MANAGERS_H

#include "ovsdb/server.h"

#define SERVER_MANAGERS_MAX 256

struct server_managers;

struct server_managers_spec {
	const char *name; /* "db:Open_vSwitch,Open_vSwitch,manager_options" */
	struct tls_config *tls;
	unsigned mode; /* of unix sockets' files */
};

/* NULL and the sentence: no such database, table or column, or one that names
 * no remotes. */
struct server_managers *
server_managers_create(struct loop *loop, struct server *s,
		       const struct server_managers_spec *spec,
		       struct err *e) MUST_CHECK;
void server_managers_destroy(struct server_managers *m);

#endif
