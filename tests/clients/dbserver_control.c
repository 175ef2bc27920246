/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/str.h"
#include "dbserver.h"
#include "jsonrpc/unixctl.h"
#include "ovsdb/server.h"
#include "ovsdb/server_file.h"
#include "sys/loop.h"

static void answer_err(struct unixctl_call *call, struct err *e)
{
	unixctl_refuse(call, e->text);
	err_fini(e);
}

static void cmd_exit(struct unixctl_call *call, unsigned n UNUSED,
		     const char *const words[] UNUSED, void *arg)
{
	struct dbserver *s = arg;

	unixctl_reply(call, "");
	loop_stop(s->loop);
}

static void cmd_add_db(struct unixctl_call *call, unsigned n UNUSED,
		       const char *const words[], void *arg)
{
	struct err e = ERR_INIT;

	if (dbserver_add_file(arg, words[0], &e))
		answer_err(call, &e);
	else
		unixctl_reply(call, "");
}

static struct dbfile *file_find(const struct dbserver *s, const char *name)
{
	struct dbfile *f;

	list_for_each(f, &s->files, node) {
		if (!strcmp(server_db_get(f->db)->schema->name, name))
			return f;
	}
	return NULL;
}

static void refuse_name(struct unixctl_call *call, const char *name)
{
	char text[256];

	snprintf(text, sizeof(text), "Failed to find the database %s.", name);
	unixctl_refuse(call, text);
}

static void cmd_remove_db(struct unixctl_call *call, unsigned n UNUSED,
			  const char *const words[], void *arg)
{
	struct dbserver *s = arg;
	struct dbfile *f = file_find(s, words[0]);

	if (!f) {
		refuse_name(call, words[0]);
		return;
	}
	dbserver_del_file(s, f);
	unixctl_reply(call, "");
}

static void cmd_list_dbs(struct unixctl_call *call, unsigned n UNUSED,
			 const char *const words[] UNUSED, void *arg)
{
	struct dbserver *s = arg;
	struct str text = STR_INIT;
	size_t n_names;
	const char **names = server_db_names(s->server, &n_names);

	for (size_t i = 0; i < n_names; i++)
		str_addf(&text, "%s\n", names[i]);
	unixctl_reply(call, str_text(&text));
	str_fini(&text);
	free(names);
}

static void cmd_add_remote(struct unixctl_call *call, unsigned n UNUSED,
			   const char *const words[], void *arg)
{
	struct err e = ERR_INIT;

	if (dbserver_add_remote(arg, words[0], &e))
		answer_err(call, &e);
	else
		unixctl_reply(call, "");
}

static void cmd_remove_remote(struct unixctl_call *call, unsigned n UNUSED,
			      const char *const words[], void *arg)
{
	struct dbserver *s = arg;
	struct dbremote *r;

	list_for_each(r, &s->remotes, node) {
		if (strcmp(r->name, words[0]))
			continue;
		dbserver_del_remote(s, r);
		unixctl_reply(call, "");
		return;
	}
	unixctl_refuse(call, "no such remote");
}

static int name_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void cmd_list_remotes(struct unixctl_call *call, unsigned n UNUSED,
			     const char *const words[] UNUSED, void *arg)
{
	struct dbserver *s = arg;
	struct str text = STR_INIT;
	const char **names =
		xcalloc(list_count(&s->remotes) + 1, sizeof(char *));
	struct dbremote *r;
	size_t n_names = 0;

	list_for_each(r, &s->remotes, node)
		names[n_names++] = r->name;
	qsort(names, n_names, sizeof(char *), name_compare);
	for (size_t i = 0; i < n_names; i++)
		str_addf(&text, "%s\n", names[i]);
	unixctl_reply(call, str_text(&text));
	str_fini(&text);
	free(names);
}

static void cmd_compact(struct unixctl_call *call, unsigned n,
			const char *const words[], void *arg)
{
	struct dbserver *s = arg;
	struct err e = ERR_INIT;
	struct dbfile *f;
	int err = 0;

	if (n && !file_find(s, words[0])) {
		refuse_name(call, words[0]);
		return;
	}
	list_for_each(f, &s->files, node) {
		if (!err && (!n || f == file_find(s, words[0])))
			err = server_file_compact(f->file, &e);
	}
	if (err)
		answer_err(call, &e);
	else
		unixctl_reply(call, "");
}

static void cmd_reconnect(struct unixctl_call *call, unsigned n UNUSED,
			  const char *const words[] UNUSED, void *arg)
{
	struct dbserver *s = arg;

	server_disconnect(s->server);
	unixctl_reply(call, "");
}

static void cmd_sync_status(struct unixctl_call *call, unsigned n UNUSED,
			    const char *const words[] UNUSED, void *arg UNUSED)
{
	unixctl_reply(call, "state: active\n");
}

static void cmd_memory(struct unixctl_call *call, unsigned n UNUSED,
		       const char *const words[] UNUSED, void *arg)
{
	struct dbserver *s = arg;
	struct server_counts c = server_count(s->server);
	char text[128];

	snprintf(text, sizeof(text),
		 "backlog:%zu monitors:%u sessions:%u triggers:%u\n", c.queued,
		 c.monitors, c.sessions, c.blocked);
	unixctl_reply(call, text);
}

void dbserver_control(struct dbserver *s)
{
	static const struct {
		const char *name, *usage;
		unsigned min, max;
		unixctl_fn *fn;
	} commands[] = {
		{ "exit", "", 0, 0, cmd_exit },
		{ "ovsdb-server/add-db", "DB", 1, 1, cmd_add_db },
		{ "ovsdb-server/remove-db", "DB", 1, 1, cmd_remove_db },
		{ "ovsdb-server/list-dbs", "", 0, 0, cmd_list_dbs },
		{ "ovsdb-server/add-remote", "REMOTE", 1, 1, cmd_add_remote },
		{ "ovsdb-server/remove-remote", "REMOTE", 1, 1,
		  cmd_remove_remote },
		{ "ovsdb-server/list-remotes", "", 0, 0, cmd_list_remotes },
		{ "ovsdb-server/compact", "", 0, 1, cmd_compact },
		{ "ovsdb-server/reconnect", "", 0, 0, cmd_reconnect },
		{ "ovsdb-server/sync-status", "", 0, 0, cmd_sync_status },
		{ "memory/show", "", 0, 0, cmd_memory },
	};

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		unixctl_put(s->ctl, &(struct unixctl_command){
					    commands[i].name, commands[i].usage,
					    commands[i].min, commands[i].max,
					    commands[i].fn, s });
	unixctl_put_log(s->ctl);
}
