/* SPDX-License-Identifier: Apache-2.0 */
/* The methods that clients call; docs/rpc.md describes them. */
#include <errno.h>
#include <json-c/json.h>
#include <unistd.h>

#include "control/history.h"
#include "control/internal.h"
#include "model/edit.h"
#include "rpc/server.h"
#include "store/store.h"

#define SOCKET_FILE "weft.sock"
#define SOCKET_MODE 0660
#define EDITS_MAX 1024u

/* --- parameters --- */

static const char *text_of(struct json_object *params, const char *key,
			   const char *otherwise)
{
	struct json_object *v;

	if (!params || !json_object_object_get_ex(params, key, &v) ||
	    !json_object_is_type(v, json_type_string))
		return otherwise;
	return json_object_get_string(v);
}

static uint64_t number_of(struct json_object *params, const char *key)
{
	struct json_object *v;

	if (!params || !json_object_object_get_ex(params, key, &v))
		return 0;
	return json_object_get_uint64(v);
}

static bool flag_of(struct json_object *params, const char *key)
{
	struct json_object *v;

	return params && json_object_object_get_ex(params, key, &v) &&
	       json_object_get_boolean(v);
}

static void refuse(struct rpc_call *call, struct err *e)
{
	rpc_call_error(call, e);
	err_fini(e);
}

static void refuse_errors(struct rpc_call *call, struct model_errors *es)
{
	rpc_call_errors(call, es->items, es->n);
	model_errors_fini(es);
}

/* Looking is for all who may connect; changing is for root, the daemon's own user
 * and operators. */
static bool may_change(struct rpc_call *call)
{
	struct err e = ERR_INIT;

	if (rpc_call_is_trusted(call))
		return true;
	err_set(&e,
		"changing the network is for root and operators; user %u may "
		"look only: use sudo",
		rpc_call_peer(call)->uid);
	refuse(call, &e);
	return false;
}

/* --- looking --- */

static void m_version(void *arg UNUSED, struct rpc_call *call,
		      struct json_object *params UNUSED)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "version",
			       json_object_new_string(WEFT_VERSION));
	rpc_call_result(call, o);
}

static void m_status(void *arg, struct rpc_call *call,
		     struct json_object *params UNUSED)
{
	rpc_call_result(call, show_status(arg));
}

static void m_show(void *arg, struct rpc_call *call, struct json_object *params)
{
	const char *kind = text_of(params, "kind", "");
	struct json_object *o = show_kind(arg, kind);
	struct err e = ERR_INIT;

	if (o) {
		rpc_call_result(call, o);
		return;
	}
	err_set(&e,
		"there is nothing called \"%s\" to show; there are ports, "
		"networks, bridges, routers, neighbours, macs, flows, "
		"tunnels and drops",
		kind);
	refuse(call, &e);
}

static void m_drops(void *arg, struct rpc_call *call,
		    struct json_object *params UNUSED)
{
	rpc_call_result(call, show_kind(arg, "drops"));
}

static void m_model(void *arg, struct rpc_call *call,
		    struct json_object *params UNUSED)
{
	struct json_object *o = json_object_new_object();
	struct str text = STR_INIT;

	model_print(control_model(arg), &text);
	json_object_object_add(o, "text",
			       json_object_new_string(str_text(&text)));
	str_fini(&text);
	rpc_call_result(call, o);
}

static void m_doctor(void *arg, struct rpc_call *call,
		     struct json_object *params UNUSED)
{
	examine_start(arg, call);
}

static void m_host(void *arg, struct rpc_call *call,
		   struct json_object *params UNUSED)
{
	rpc_call_result(call, show_host(arg));
}

static void m_metrics(void *arg, struct rpc_call *call,
		      struct json_object *params UNUSED)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(
		o, "text", json_object_new_string(str_text(metrics_text(arg))));
	rpc_call_result(call, o);
}

/* With `follow`, events are told until the client goes. */
static void m_events(void *arg, struct rpc_call *call,
		     struct json_object *params)
{
	struct control *c = arg;
	struct json_object *v = NULL;
	uint64_t since = 0;

	if (params && json_object_object_get_ex(params, "since", &v))
		since = json_object_get_uint64(v);
	if (flag_of(params, "follow"))
		events_follow(&c->events, call, since);
	else
		rpc_call_result(call, events_json(&c->events, since));
}

static void m_capture(void *arg, struct rpc_call *call,
		      struct json_object *params)
{
	captures_start(arg, call, params);
}

static void m_capture_stop(void *arg, struct rpc_call *call,
			   struct json_object *params)
{
	captures_stop(arg, call, params);
}

static void m_explain(void *arg, struct rpc_call *call,
		      struct json_object *params)
{
	explain_start(arg, call, params);
}

/* --- changing --- */

static struct json_object *changes_of(struct control *c, const struct model *m,
				      bool applied)
{
	struct json_object *o = json_object_new_object();
	struct model_diff d;

	model_diff_init(&d, control_model(c), m);
	json_object_object_add(o, "changes", model_diff_json(&d));
	json_object_object_add(o, "applied", json_object_new_boolean(applied));
	model_diff_fini(&d);
	return o;
}

/* Nothing is changed on top of a change that may yet be undone. */
static bool may_change_now(struct control *c, struct rpc_call *call)
{
	struct err e = ERR_INIT;

	if (!may_change(call))
		return false;
	if (!c->confirm.pending)
		return true;
	err_set(&e, "the last change waits for its confirmation: weft confirm, "
		    "or weft rollback, first");
	refuse(call, &e);
	return false;
}

/* Takes the model. `ch` says all but who. False: refused. */
static bool apply_model(struct control *c, struct rpc_call *call,
			struct model *m, struct control_change ch)
{
	const struct unix_socket_peer *peer = rpc_call_peer(call);
	char *who = xasprintf("user %u (process %d)", peer->uid, peer->pid);
	struct json_object *o = changes_of(c, m, true);
	struct err e = ERR_INIT;
	int rc;

	ch.who = who;
	ch.call = call;
	confirm_settle(c);
	rc = control_apply(c, m, &ch, &e);
	if (rc) {
		json_object_put(o);
		model_destroy(m);
		refuse(call, &e);
	} else {
		json_object_object_add(o, "serial",
				       json_object_new_uint64(history_now(c)));
		rpc_call_result(call, o);
	}
	free(who);
	return !rc;
}

/* With "confirm" it is undone by itself unless it is confirmed in time. */
static void apply_file(struct control *c, struct rpc_call *call,
		       struct model *m, struct json_object *params)
{
	const struct confirm_caller caller = {
		.address = text_of(params, "caller", NULL),
		.connection = text_of(params, "connection", NULL),
	};
	uint64_t seconds = number_of(params, "confirm");
	struct err e = ERR_INIT;
	bool applied;

	if (seconds && confirm_begin(c, seconds, &caller, &e)) {
		model_destroy(m);
		refuse(call, &e);
		return;
	}
	applied =
		apply_model(c, call, m,
			    (struct control_change){
				    .why = text_of(params, "comment", "a file"),
				    .text = text_of(params, "text", ""),
				    .file = text_of(params, "file", NULL) });
	if (seconds && !applied)
		confirm_abandon(c);
}

static struct model *parse_params(struct json_object *params,
				  struct model_errors *es)
{
	const char *text = text_of(params, "text", "");

	return model_parse(text, strlen(text), text_of(params, "file", "-"),
			   es);
}

static void m_apply(void *arg, struct rpc_call *call,
		    struct json_object *params)
{
	struct model_errors es = MODEL_ERRORS_INIT;
	struct control *c = arg;
	struct model *m;

	if (!may_change_now(c, call))
		return;
	m = parse_params(params, &es);
	if (!m) {
		refuse_errors(call, &es);
		return;
	}
	if (flag_of(params, "dry_run")) {
		rpc_call_result(call, changes_of(c, m, false));
		model_destroy(m);
		return;
	}
	apply_file(c, call, m, params);
}

static void m_plan(void *arg, struct rpc_call *call, struct json_object *params)
{
	struct model_errors es = MODEL_ERRORS_INIT;
	struct model *m = parse_params(params, &es);

	if (!m) {
		refuse_errors(call, &es);
		return;
	}
	rpc_call_result(call, changes_of(arg, m, false));
	model_destroy(m);
}

static void m_down(void *arg, struct rpc_call *call,
		   struct json_object *params UNUSED)
{
	if (may_change_now(arg, call))
		apply_model(arg, call, model_create(),
			    (struct control_change){ .why = "down" });
}

/* --- what was --- */

static void m_history(void *arg, struct rpc_call *call,
		      struct json_object *params UNUSED)
{
	rpc_call_result(call, history_json(arg));
}

/* The state before the last one. */
static uint64_t previous(struct control *c)
{
	unsigned n = store_n_states(c->store);
	struct store_state st;
	uint64_t serial = 0;

	if (n >= 2 && !store_get(c->store, n - 2, &st, NULL)) {
		serial = st.serial;
		store_state_fini(&st);
	}
	return serial;
}

static void undo_pending(struct control *c, struct rpc_call *call)
{
	struct json_object *o = json_object_new_object();
	struct err e = ERR_INIT;

	if (confirm_undo(c, "weft rollback", &e)) {
		json_object_put(o);
		refuse(call, &e);
		return;
	}
	json_object_object_add(o, "undone", json_object_new_boolean(true));
	rpc_call_result(call, o);
}

static void m_rollback(void *arg, struct rpc_call *call,
		       struct json_object *params)
{
	uint64_t serial = number_of(params, "serial");
	struct control *c = arg;
	struct err e = ERR_INIT;
	struct store_state st;
	struct model *m;
	char *why;

	if (!may_change(call))
		return;
	if (c->confirm.pending) {
		undo_pending(c, call);
		return;
	}
	if (history_state(c, serial ? serial : previous(c), &st, &e)) {
		refuse(call, &e);
		return;
	}
	m = history_model(&st, &e);
	why = xasprintf("rollback to %llu", (unsigned long long)st.serial);
	if (m)
		apply_model(c, call, m,
			    (struct control_change){ .why = why,
						     .text = st.text,
						     .file = st.file });
	else
		refuse(call, &e);
	free(why);
	store_state_fini(&st);
}

/* The model of a state; NULL after refusing. */
static struct model *model_of(struct control *c, struct rpc_call *call,
			      uint64_t serial)
{
	struct err e = ERR_INIT;
	struct store_state st;
	struct model *m;

	if (history_state(c, serial, &st, &e)) {
		refuse(call, &e);
		return NULL;
	}
	m = history_model(&st, &e);
	store_state_fini(&st);
	if (!m)
		refuse(call, &e);
	return m;
}

/* From one state to another; `to` left out: to what is applied now. */
static void m_diff(void *arg, struct rpc_call *call, struct json_object *params)
{
	uint64_t to = number_of(params, "to");
	struct control *c = arg;
	struct model *a = model_of(c, call, number_of(params, "from")), *b;
	struct json_object *o;
	struct model_diff d;

	if (!a)
		return;
	b = model_of(c, call, to ? to : history_now(c));
	if (b) {
		o = json_object_new_object();
		model_diff_init(&d, a, b);
		json_object_object_add(o, "changes", model_diff_json(&d));
		model_diff_fini(&d);
		rpc_call_result(call, o);
	}
	model_destroy(a);
	model_destroy(b);
}

static void m_confirm(void *arg, struct rpc_call *call,
		      struct json_object *params UNUSED)
{
	struct err e = ERR_INIT;

	if (!may_change(call))
		return;
	if (confirm_accept(arg, &e))
		refuse(call, &e);
	else
		rpc_call_result(call, confirm_json(arg));
}

/* --- edits --- */

static int edit_op(const char *text, enum model_edit_op *op, struct err *e)
{
	if (!strcmp(text, "add"))
		*op = MODEL_EDIT_ADD;
	else if (!strcmp(text, "set"))
		*op = MODEL_EDIT_SET;
	else if (!strcmp(text, "del"))
		*op = MODEL_EDIT_DEL;
	else
		return err_set(e, "an edit is add, set or del, not \"%s\"",
			       text);
	return 0;
}

static int edit_path(struct json_object *path, struct model_edit *out,
		     struct err *e)
{
	size_t n = json_object_is_type(path, json_type_array) ?
			   json_object_array_length(path) :
			   0;

	if (!n || n > MODEL_EDIT_MAX_DEPTH)
		return err_set(e,
			       "the path of an edit is a list of 1 to %u "
			       "words",
			       MODEL_EDIT_MAX_DEPTH);
	for (size_t i = 0; i < n; i++)
		out->path[i] = json_object_get_string(
			json_object_array_get_idx(path, i));
	out->depth = (unsigned)n;
	return 0;
}

static int edit_read(struct json_object *o, struct model_edit *out,
		     struct err *e)
{
	struct json_object *path = NULL;

	*out = (struct model_edit){ .value = text_of(o, "value", NULL) };
	json_object_object_get_ex(o, "path", &path);
	if (edit_op(text_of(o, "op", ""), &out->op, e))
		return -EINVAL;
	return edit_path(path, out, e);
}

static int edits_read(struct json_object *params, struct model_edit **out,
		      unsigned *n, struct err *e)
{
	struct json_object *list = NULL;
	size_t count;

	if (!params || !json_object_object_get_ex(params, "edits", &list) ||
	    !json_object_is_type(list, json_type_array))
		return err_set(e, "edits: a list is wanted");
	count = json_object_array_length(list);
	if (count > EDITS_MAX)
		return err_set(e,
			       "at most %u edits at once; apply a file "
			       "instead",
			       EDITS_MAX);
	*out = xcalloc(count, sizeof(**out));
	for (*n = 0; *n < count; (*n)++)
		if (edit_read(json_object_array_get_idx(list, *n), &(*out)[*n],
			      e))
			return -EINVAL;
	return 0;
}

static void m_edit(void *arg, struct rpc_call *call, struct json_object *params)
{
	struct model_errors es = MODEL_ERRORS_INIT;
	struct model_edit *edits = NULL;
	struct control *c = arg;
	struct err e = ERR_INIT;
	struct model *m;
	unsigned n = 0;

	if (!may_change_now(c, call))
		return;
	if (edits_read(params, &edits, &n, &e)) {
		refuse(call, &e);
		free(edits);
		return;
	}
	m = model_edit(control_model(c),
		       text_of(params, "host", c->config.host), edits, n, &es);
	free(edits);
	if (m)
		apply_model(c, call, m,
			    (struct control_change){ .why = "a command" });
	else
		refuse_errors(call, &es);
}

static const struct rpc_method methods[] = {
	{ "version", m_version }, { "status", m_status },
	{ "show", m_show },       { "drops", m_drops },
	{ "model", m_model },     { "explain", m_explain },
	{ "apply", m_apply },     { "plan", m_plan },
	{ "edit", m_edit },       { "down", m_down },
	{ "history", m_history }, { "rollback", m_rollback },
	{ "diff", m_diff },       { "confirm", m_confirm },
	{ "doctor", m_doctor },   { "events", m_events },
	{ "metrics", m_metrics }, { "host", m_host },
	{ "capture", m_capture }, { "capture_stop", m_capture_stop },
};

int control_listen(struct control *c, struct err *e)
{
	char *path = xasprintf("%s/%s", c->config.run, SOCKET_FILE);
	struct rpc_server_spec spec = {
		.socket = { .path = path, .mode = SOCKET_MODE },
		.has_operators = c->config.operators,
		.methods = methods,
		.n_methods = ARRAY_SIZE(methods),
		.arg = c,
	};

	c->rpc = rpc_server_create(c->config.loop, &spec, e);
	free(path);
	return c->rpc ? 0 : -EINVAL;
}

void control_unlisten(struct control *c)
{
	if (c->rpc)
		rpc_server_destroy(c->rpc);
	c->rpc = NULL;
}
