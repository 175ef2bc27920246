/* SPDX-License-Identifier: Apache-2.0 */
#include "ovsdb/server_inside.h"

static const char *const update_method[] = {
	[MONITOR_UPDATE] = "update",
	[MONITOR_UPDATE2] = "update2",
	[MONITOR_UPDATE3] = "update3",
};

/* --- groups ------------------------------------------------------------------------- */

/* The group of those who want the same; takes the spec. */
static struct group *group_get(struct server_db *d, struct monitor_spec *spec)
{
	struct str key = STR_INIT;
	struct group *g;

	monitor_spec_add_key(&key, spec);
	list_for_each(g, &d->groups, node) {
		if (strcmp(g->key, key.s))
			continue;
		str_fini(&key);
		monitor_spec_destroy(spec);
		return g;
	}
	g = xzalloc(sizeof(*g));
	g->db = d;
	g->spec = spec;
	g->key = str_take(&key);
	list_init(&g->members);
	list_push_back(&d->groups, &g->node);
	return g;
}

static void group_put(struct group *g)
{
	if (!list_is_empty(&g->members))
		return;
	list_del(&g->node);
	monitor_spec_destroy(g->spec);
	free(g->key);
	free(g);
}

static void member_join(struct member *m, struct group *g)
{
	struct group *old = m->group;

	if (old)
		list_del(&m->node);
	m->group = g;
	list_push_back(&g->members, &m->node);
	if (old)
		group_put(old);
}

static void member_lag(struct member *m, uint64_t number)
{
	m->lags = true;
	m->lag = number;
	m->group->db->n_lagging++;
}

static void member_caught_up(struct member *m)
{
	if (!m->lags)
		return;
	m->lags = false;
	m->group->db->n_lagging--;
}

/* Its group lives on, perhaps without members. */
static void member_leave(struct member *m)
{
	member_caught_up(m);
	list_del(&m->node);
	list_del(&m->by_session);
	m->session->n_members--;
	json_doc_destroy(m->id);
	free(m);
}

static void member_free(struct member *m)
{
	struct group *g = m->group;

	member_leave(m);
	group_put(g);
}

static struct member *member_find(const struct session *s,
				  const struct json *id)
{
	struct member *m;

	list_for_each(m, &s->members, by_session) {
		if (json_equal(json_root(m->id), id))
			return m;
	}
	return NULL;
}

/* --- updates ---------------------------------------------------------------------------- */

/* What goes behind the monitor's id: updates, of a since-monitor the name of
 * the state in front. */
static struct stream_text *update_text(const struct group *g,
				       const struct str *updates)
{
	struct str name = STR_INIT;
	char uuid[UUID_LEN + 1];
	struct stream_text *t;

	if (g->spec->kind == MONITOR_UPDATE3) {
		uuid_format(monitor_history_last(g->db->history), uuid);
		str_addf(&name, "\"%s\",", uuid);
	}
	str_add_n(&name, updates->s, updates->len);
	t = stream_text_create(name.s, name.len);
	str_fini(&name);
	return t;
}

static void member_send(const struct member *m, struct stream_text *t)
{
	jsonrpc_send_shared(m->session->rpc,
			    update_method[m->group->spec->kind],
			    json_root(m->id), t);
}

static void member_send_updates(const struct member *m,
				const struct str *updates)
{
	struct stream_text *t = update_text(m->group, updates);

	member_send(m, t);
	stream_text_unref(t);
}

static void group_send(struct group *g, const struct str *updates)
{
	struct stream_text *t = update_text(g, updates);
	uint64_t now = monitor_history_now(g->db->history);
	struct member *m;

	list_for_each(m, &g->members, node) {
		struct stream *stream = jsonrpc_stream(m->session->rpc);

		if (m->lags)
			continue;
		if (stream_queued(stream) > SERVER_LAG_BYTES)
			member_lag(m, now - 1);
		else
			member_send(m, t);
	}
	stream_text_unref(t);
}

void monitor_tell(struct server_db *d, const struct txn *t)
{
	struct str updates = STR_INIT;
	struct group *g;
	size_t n;
	const struct change *changes = txn_changes(t, &n);

	monitor_history_put(d->history, t, d->n_lagging);
	list_for_each(g, &d->groups, node) {
		str_clear(&updates);
		if (monitor_add_changes(&updates, g->spec, changes, n))
			group_send(g, &updates);
	}
	str_fini(&updates);
}

/* All at once of what it has not seen; false when that is not known any more. */
static bool member_catch_up(struct member *m)
{
	struct server_db *d = m->group->db;
	struct monitor_merge merge;
	struct str updates = STR_INIT;

	if (!m->lags)
		return true;
	if (!monitor_history_merge(d->history, m->lag, &merge))
		return false;
	member_caught_up(m);
	if (monitor_add_changes(&updates, m->group->spec, merge.changes,
				merge.n))
		member_send_updates(m, &updates);
	str_fini(&updates);
	monitor_merge_fini(&merge);
	return true;
}

void monitor_catch_up(struct session *s)
{
	struct member *m;

	list_for_each(m, &s->members, by_session) {
		if (member_catch_up(m))
			continue;
		session_doom(s, "reads too slowly to be told of all changes");
		return;
	}
}

/* --- monitor, monitor_cond, monitor_cond_since --------------------------------------------- */

static enum monitor_kind kind_of(const struct jsonrpc_message *m)
{
	if (!strcmp(m->method, "monitor"))
		return MONITOR_UPDATE;
	return strcmp(m->method, "monitor_cond") ? MONITOR_UPDATE3 :
						   MONITOR_UPDATE2;
}

/* The state that the client has seen; 0 when it is not known. */
static int since_parse(const struct server_db *d, const struct json *v,
		       bool *found, uint64_t *number, struct fault *f)
{
	struct uuid u;

	if (!json_is_type(v, JSON_STRING))
		return fault_set_syntax(f, v, "last-txn-id must be string");
	if (!uuid_parse(v->s, &u))
		return fault_set_syntax(f, v,
					"last-txn-id must be UUID format.");
	*found = monitor_history_find(d->history, &u, number);
	return 0;
}

/* The group, or NULL with the fault. */
static struct group *monitor_parse(struct session *s, struct server_db *d,
				   const struct jsonrpc_message *m,
				   struct fault *f)
{
	enum monitor_kind kind = kind_of(m);
	const struct json *id = json_at(m->params, 1);
	struct monitor_spec *spec;

	if (m->params->n != (kind == MONITOR_UPDATE3 ? 4 : 3)) {
		fault_set_syntax(f, m->params, "invalid parameters");
		return NULL;
	}
	if (member_find(s, id)) {
		fault_set_syntax(f, id, "duplicate monitor ID");
		return NULL;
	}
	if (s->n_members >= SERVER_MONITORS_MAX) {
		fault_set(f, FAULT_RESOURCES, "too many monitors");
		return NULL;
	}
	spec = monitor_spec_parse(d->db->schema, kind, json_at(m->params, 2),
				  f);
	return spec ? group_get(d, spec) : NULL;
}

/* What there is; or what is new, to who says what it has seen. */
static void add_initial(struct str *result, const struct group *g, bool since,
			uint64_t number)
{
	struct monitor_merge merge;

	if (since && monitor_history_merge(g->db->history, number, &merge)) {
		monitor_add_changes(result, g->spec, merge.changes, merge.n);
		monitor_merge_fini(&merge);
		return;
	}
	monitor_add_initial(result, g->spec, g->db->db);
}

static void add_first(struct str *result, const struct group *g, bool found,
		      uint64_t number)
{
	char name[UUID_LEN + 1];

	if (g->spec->kind != MONITOR_UPDATE3) {
		add_initial(result, g, false, 0);
		return;
	}
	uuid_format(monitor_history_last(g->db->history), name);
	json_add_open(result, '[');
	json_add_bool(result, found);
	json_add_string(result, name);
	add_initial(result, g, found, number);
	json_add_close(result, ']');
}

static void member_create(struct session *s, struct group *g,
			  const struct json *id)
{
	struct member *member = xzalloc(sizeof(*member));

	member->session = s;
	member->id = json_doc_clone(id);
	list_push_back(&s->members, &member->by_session);
	s->n_members++;
	member_join(member, g);
}

static void monitor_start(struct session *s, struct server_db *d,
			  const struct jsonrpc_message *m)
{
	struct fault f = { 0 };
	struct group *g = monitor_parse(s, d, m, &f);
	bool found = false;
	uint64_t number = 0;
	struct str result = STR_INIT;

	if (g && g->spec->kind == MONITOR_UPDATE3 &&
	    since_parse(d, json_at(m->params, 3), &found, &number, &f)) {
		group_put(g);
		g = NULL;
	}
	if (!g) {
		session_refuse(s, m->id, &f);
		return;
	}
	member_create(s, g, json_at(m->params, 1));
	add_first(&result, g, found, number);
	session_reply(s, m->id, &result);
	str_fini(&result);
}

void monitor_request(struct session *s, struct server_db *d,
		     const struct jsonrpc_message *m, struct json_doc **doc)
{
	request_when_settled(s, d, m, doc, monitor_start);
}

/* --- monitor_cond_change -------------------------------------------------------------------- */

/* NULL with the fault. */
static struct member *
change_find(struct session *s, const struct jsonrpc_message *m, struct fault *f)
{
	const struct json *id = json_at(m->params, 0);
	const struct json *next = json_at(m->params, 1);
	struct member *member;

	if (m->params->n != 3) {
		fault_set_syntax(f, m->params, "invalid parameters");
		return NULL;
	}
	member = member_find(s, id);
	if (!member || member->group->spec->kind == MONITOR_UPDATE) {
		fault_set_syntax(f, id, "unknown monitor session");
		return NULL;
	}
	if (!json_equal(id, next) && member_find(s, next)) {
		fault_set_syntax(f, next, "duplicate monitor ID");
		return NULL;
	}
	return member;
}

static void member_change(struct member *member, struct monitor_spec *next,
			  const struct json *id)
{
	struct server_db *d = member->group->db;
	struct str updates = STR_INIT;
	bool any;

	/* Behind what it has not seen yet, under the filters of then. */
	if (!member_catch_up(member))
		session_doom(member->session, "reads too slowly to be told of "
					      "all changes");
	any = monitor_add_filters(&updates, member->group->spec, next, d->db);
	json_doc_destroy(member->id);
	member->id = json_doc_clone(id);
	member_caught_up(member);
	member_join(member, group_get(d, next));
	if (any)
		member_send_updates(member, &updates);
	str_fini(&updates);
}

static void change_run(struct session *s, struct server_db *d,
		       const struct jsonrpc_message *m)
{
	struct str result = STR_INIT;
	struct fault f = { 0 };
	struct member *member = change_find(s, m, &f);
	struct monitor_spec *next = NULL;

	if (member)
		next = monitor_spec_change(member->group->spec, d->db->schema,
					   json_at(m->params, 2), &f);
	if (!next) {
		session_refuse(s, m->id, &f);
		return;
	}
	member_change(member, next, json_at(m->params, 1));
	str_add(&result, "{}");
	session_reply(s, m->id, &result);
	str_fini(&result);
}

void monitor_cond_change(struct session *s, const struct jsonrpc_message *m,
			 struct json_doc **doc)
{
	struct fault f = { 0 };
	struct member *member = change_find(s, m, &f);

	if (member)
		request_when_settled(s, member->group->db, m, doc, change_run);
	else
		session_refuse(s, m->id, &f);
}

/* --- the end --------------------------------------------------------------------------------- */

static void refuse_text(struct session *s, const struct json *id,
			const char *text)
{
	struct str error = STR_INIT;

	json_add_string(&error, text);
	jsonrpc_send_error(s->rpc, id, error.s, error.len);
	str_fini(&error);
}

void monitor_cancel(struct session *s, const struct jsonrpc_message *m)
{
	struct member *member;

	if (m->params->n != 1) {
		refuse_text(s, m->id, "invalid parameters");
		return;
	}
	member = member_find(s, json_at(m->params, 0));
	if (!member) {
		refuse_text(s, m->id, "unknown monitor");
		return;
	}
	member_free(member);
	jsonrpc_send_reply(s->rpc, m->id, "{}", 2);
}

void monitor_forget(struct session *s)
{
	struct member *m, *tmp;

	list_for_each_safe(m, tmp, &s->members, by_session)
		member_free(m);
}

static void member_end(struct member *m)
{
	struct str params = STR_INIT;

	json_add_open(&params, '[');
	json_add(&params, json_root(m->id));
	json_add_close(&params, ']');
	jsonrpc_send_notify(m->session->rpc, "monitor_canceled", params.s,
			    params.len);
	str_fini(&params);
	if (!m->session->aware)
		session_doom(m->session, "its database is another one now");
	member_leave(m);
}

static void group_end(struct group *g)
{
	struct member *m, *tmp;

	list_for_each_safe(m, tmp, &g->members, node) {
		member_end(m);
	}
	group_put(g);
}

void monitor_end_all(struct server_db *d)
{
	struct group *g, *tmp;

	list_for_each_safe(g, tmp, &d->groups, node)
		group_end(g);
}
