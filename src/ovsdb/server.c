/* SPDX-License-Identifier: Apache-2.0 */
#include "ovsdb/server.h"

#include "base/log.h"
#include "ovsdb/server_inside.h"
#include "sys/tls.h"

/* --- remotes ------------------------------------------------------------------------ */

static void on_stream(void *arg, struct stream *s)
{
	session_create(arg, s);
}

static void on_failed(void *arg, const char *name UNUSED, const char *why)
{
	struct server_remote *r = arg;

	free(r->error);
	r->error = xstrdup(why);
}

static int remote_listen(struct server_remote *r,
			 const struct server_remote_spec *spec, struct err *e)
{
	const struct stream_listen_spec listen = {
		.name = spec->name,
		.port = SERVER_PORT,
		.mode = spec->mode,
		.has_group = spec->has_group,
		.group = spec->group,
		.tls = spec->tls,
		.accepted = on_stream,
		.arg = r,
	};

	r->listener = stream_listener_create(r->server->loop, &listen, e);
	return r->listener ? 0 : -1;
}

static int remote_dial(struct server_remote *r,
		       const struct server_remote_spec *spec, struct err *e)
{
	const struct stream_dial_spec dial = {
		.names = &spec->name,
		.n_names = 1,
		.port = SERVER_PORT,
		.backoff_max_ms = spec->backoff_max_ms,
		.tls = spec->tls,
		.connected = on_stream,
		.failed = on_failed,
		.arg = r,
	};

	r->dial = stream_dial_create(r->server->loop, &dial, e);
	return r->dial ? 0 : -1;
}

struct server_remote *server_add_remote(struct server *s,
					const struct server_remote_spec *spec,
					struct err *e)
{
	struct server_remote *r = xzalloc(sizeof(*r));
	int err;

	r->server = s;
	r->name = xstrdup(spec->name);
	r->has_probe = spec->has_probe;
	r->probe_ms = spec->probe_ms;
	r->read_only = spec->read_only;
	list_init(&r->sessions);
	list_push_back(&s->remotes, &r->node);
	err = stream_name_listens(spec->name) ? remote_listen(r, spec, e) :
						remote_dial(r, spec, e);
	if (!err)
		return r;
	server_del_remote(r);
	return NULL;
}

static void remote_disconnect(struct server_remote *r)
{
	struct session *s, *tmp;

	list_for_each_safe(s, tmp, &r->sessions, node)
		session_destroy(s);
}

void server_del_remote(struct server_remote *r)
{
	if (!r)
		return;
	remote_disconnect(r);
	stream_listener_destroy(r->listener);
	stream_dial_destroy(r->dial);
	list_del(&r->node);
	free(r->name);
	free(r->error);
	free(r);
}

const char *server_remote_name(const struct server_remote *r)
{
	return r->name;
}

uint16_t server_remote_port(const struct server_remote *r)
{
	return r->listener ? stream_listener_port(r->listener) : 0;
}

unsigned server_remote_n_sessions(const struct server_remote *r)
{
	return r->n_sessions;
}

const char *server_remote_error(const struct server_remote *r)
{
	return r->error;
}

/* --- the server ---------------------------------------------------------------------- */

struct server *server_create(struct loop *loop, struct env *env)
{
	struct server *s = xzalloc(sizeof(*s));

	s->loop = loop;
	s->env = env;
	s->id = uuid_random(env);
	list_init(&s->dbs);
	list_init(&s->remotes);
	hmap_init(&s->locks);
	about_create(s);
	return s;
}

void server_destroy(struct server *s)
{
	struct server_remote *r, *rtmp;
	struct server_db *d, *dtmp;

	if (!s)
		return;
	list_for_each_safe(r, rtmp, &s->remotes, node)
		server_del_remote(r);
	server_del_db(s->about);
	list_for_each_safe(d, dtmp, &s->dbs, node)
		server_del_db(d);
	hmap_fini(&s->locks);
	free(s);
}

const struct uuid *server_id(const struct server *s)
{
	return &s->id;
}

void server_disconnect(struct server *s)
{
	struct server_remote *r;

	list_for_each(r, &s->remotes, node)
		remote_disconnect(r);
}

static void session_count(const struct session *s, struct server_counts *c)
{
	c->sessions++;
	c->monitors += s->n_members;
	c->blocked += s->n_blocked;
	c->queued += stream_queued(jsonrpc_stream(s->rpc));
}

struct server_counts server_count(const struct server *s)
{
	struct server_counts c = { 0 };
	struct server_remote *r;
	struct session *session;
	struct server_db *d;

	list_for_each(d, &s->dbs, node)
		c.groups += (unsigned)list_count(&d->groups);
	list_for_each(r, &s->remotes, node) {
		list_for_each(session, &r->sessions, node)
			session_count(session, &c);
	}
	return c;
}
