/* SPDX-License-Identifier: Apache-2.0 */
#include "ovsdb/server_inside.h"

#define SEED 0x5851f42d4c957f2du

/* A name, and who wants it: the first has it. Gone when nobody wants it. */
struct lock {
	struct hmap_node node; /* in server->locks */
	char *name;
	struct list waiters;
};

struct lock_waiter {
	struct list node;       /* in lock->waiters */
	struct list by_session; /* in session->waiters */
	struct lock *lock;
	struct session *session;
};

/* --- locks ------------------------------------------------------------------------ */

static uint64_t name_hash(const char *name)
{
	return hash_string(name, SEED);
}

static struct lock *lock_find(const struct server *s, const char *name)
{
	struct lock *l;

	hmap_for_each_same(l, &s->locks, name_hash(name), node) {
		if (!strcmp(l->name, name))
			return l;
	}
	return NULL;
}

static struct lock *lock_get(struct server *s, const char *name)
{
	struct lock *l = lock_find(s, name);

	if (l)
		return l;
	l = xzalloc(sizeof(*l));
	l->name = xstrdup(name);
	list_init(&l->waiters);
	hmap_put(&s->locks, &l->node, name_hash(name));
	return l;
}

static struct lock_waiter *lock_owner(const struct lock *l)
{
	return list_is_empty(&l->waiters) ?
		       NULL :
		       list_entry(l->waiters.next, struct lock_waiter, node);
}

static struct lock_waiter *waiter_find(const struct session *s,
				       const char *name)
{
	struct lock_waiter *w;

	list_for_each(w, &s->waiters, by_session) {
		if (!strcmp(w->lock->name, name))
			return w;
	}
	return NULL;
}

static void waiter_tell(const struct lock_waiter *w, const char *method)
{
	struct str params = STR_INIT;

	json_add_open(&params, '[');
	json_add_string(&params, w->lock->name);
	json_add_close(&params, ']');
	jsonrpc_send_notify(w->session->rpc, method, params.s, params.len);
	str_fini(&params);
}

static void waiter_free(struct lock_waiter *w)
{
	struct lock *l = w->lock;
	struct server *s = w->session->server;
	bool owned = lock_owner(l) == w;

	list_del(&w->node);
	list_del(&w->by_session);
	w->session->n_waiters--;
	free(w);
	if (!list_is_empty(&l->waiters)) {
		if (owned)
			waiter_tell(lock_owner(l), "locked");
		return;
	}
	hmap_del(&s->locks, &l->node);
	free(l->name);
	free(l);
}

/* --- methods ------------------------------------------------------------------------ */

static const char *name_parse(const struct jsonrpc_message *m, struct fault *f)
{
	const struct json *name = json_at(m->params, 0);

	if (m->params->n == 1 && json_is_type(name, JSON_STRING) &&
	    schema_name_is_valid(name->s))
		return name->s;
	fault_set_syntax(f, m->params, "%s request params must be <id>",
			 m->method);
	return NULL;
}

/* Whose lock is stolen is told, and waits for it as of now. */
static struct lock_waiter *waiter_create(struct session *s, const char *name,
					 bool steals)
{
	struct lock_waiter *w = xzalloc(sizeof(*w));
	struct lock_waiter *victim;

	w->session = s;
	w->lock = lock_get(s->server, name);
	victim = lock_owner(w->lock);
	list_push_back(&s->waiters, &w->by_session);
	s->n_waiters++;
	if (!steals) {
		list_push_back(&w->lock->waiters, &w->node);
		return w;
	}
	list_push_front(&w->lock->waiters, &w->node);
	if (victim)
		waiter_tell(victim, "stolen");
	return w;
}

/* Sets the fault when the client may not have, or want, one more. */
static int lock_check(struct session *s, const struct jsonrpc_message *m,
		      const char *name, struct fault *f)
{
	if (waiter_find(s, name))
		return fault_set_syntax(f, m->params,
					"must issue \"unlock\" before new "
					"\"%s\"",
					m->method);
	if (s->n_waiters >= SERVER_LOCKS_MAX)
		return fault_set(f, FAULT_RESOURCES, "too many locks");
	if (s->remote->read_only)
		return fault_set(f, FAULT_NOT_ALLOWED,
				 "%s: this remote is read-only", m->method);
	return 0;
}

void lock_request(struct session *s, const struct jsonrpc_message *m)
{
	struct fault f = { 0 };
	const char *name = name_parse(m, &f);
	struct str result = STR_INIT;
	struct lock_waiter *w;

	if (!name || lock_check(s, m, name, &f)) {
		session_refuse(s, m->id, &f);
		return;
	}
	w = waiter_create(s, name, !strcmp(m->method, "steal"));
	json_add_open(&result, '{');
	json_add_name(&result, "locked");
	json_add_bool(&result, lock_owner(w->lock) == w);
	json_add_close(&result, '}');
	session_reply(s, m->id, &result);
	str_fini(&result);
}

void lock_release(struct session *s, const struct jsonrpc_message *m)
{
	struct fault f = { 0 };
	const char *name = name_parse(m, &f);
	struct lock_waiter *w = name ? waiter_find(s, name) : NULL;
	struct str result = STR_INIT;

	if (!w) {
		fault_set_syntax(&f, m->params,
				 "\"unlock\" without \"lock\" or \"steal\"");
		session_refuse(s, m->id, &f);
		return;
	}
	waiter_free(w);
	str_add(&result, "{}");
	session_reply(s, m->id, &result);
	str_fini(&result);
}

void lock_forget(struct session *s)
{
	struct lock_waiter *w, *tmp;

	list_for_each_safe(w, tmp, &s->waiters, by_session)
		waiter_free(w);
}

bool lock_is_owned(void *session, const char *name)
{
	const struct lock_waiter *w = waiter_find(session, name);

	return w && lock_owner(w->lock) == w;
}
