/* SPDX-License-Identifier: Apache-2.0 */
/* A database server of its own, for tests with other people's clients.
 *
 * What      weft's server with ovsdb-server's command line and control socket,
 *           as far as Open vSwitch's own tests use them.
 * Why so    the daemon serves its databases itself; judged alone, by their suite
 *           and their clients, the server needs a program around it.
 * Threads   the loop's.
 * Owns      everything; one of it in a process. */
#ifndef CLIENTS_DBSERVER_H
#define CLIENTS_DBSERVER_H

#include "base/err.h"
#include "base/list.h"

struct loop;
struct server;
struct server_db;
struct server_file;
struct server_managers;
struct server_remote;
struct tls_config;
struct unixctl;

/* A database and its file, by the path it was given. */
struct dbfile {
	struct list node;
	char *path;
	struct server_file *file;
	struct server_db *db;
};

/* A remote by its name: of its own, or what a column says. */
struct dbremote {
	struct list node;
	char *name;
	struct server_remote *remote;
	struct server_managers *managers;
};

struct dbserver {
	struct loop *loop;
	struct server *server;
	struct unixctl *ctl;
	struct tls_config *tls;
	struct list files, remotes;
};

/* 0, or -1 and the sentence. */
int dbserver_add_file(struct dbserver *s, const char *path,
		      struct err *e) MUST_CHECK;
void dbserver_del_file(struct dbserver *s, struct dbfile *f);
int dbserver_add_remote(struct dbserver *s, const char *name,
			struct err *e) MUST_CHECK;
void dbserver_del_remote(struct dbserver *s, struct dbremote *r);

/* dbserver_control.c: the commands of the control socket. */
void dbserver_control(struct dbserver *s);

#endif
