/* SPDX-License-Identifier: Apache-2.0 */
#include "control/history.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>

#include "control/internal.h"
#include "store/store.h"

uint64_t history_now(const struct control *c)
{
	const struct store_state *st = store_last(c->store);

	return st ? st->serial : 0;
}

static void put_text(struct json_object *o, const char *key, const char *text)
{
	if (text && *text)
		json_object_object_add(o, key, json_object_new_string(text));
}

static struct json_object *state_json(const struct store_state *st,
				      bool current)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "serial", json_object_new_uint64(st->serial));
	json_object_object_add(o, "time", json_object_new_uint64(st->wall_s));
	put_text(o, "who", st->who);
	put_text(o, "why", st->comment);
	put_text(o, "file", st->file);
	json_object_object_add(o, "current", json_object_new_boolean(current));
	return o;
}

struct json_object *history_json(struct control *c)
{
	struct json_object *a = json_object_new_array();
	uint64_t now = history_now(c);

	for (unsigned i = 0; i < store_n_states(c->store); i++) {
		struct store_state st;

		/* One that cannot be read is no reason to hide the others. */
		if (store_get(c->store, i, &st, NULL))
			continue;
		json_object_array_add(a, state_json(&st, st.serial == now));
		store_state_fini(&st);
	}
	return a;
}

int history_state(struct control *c, uint64_t serial, struct store_state *out,
		  struct err *e)
{
	unsigned n = store_n_states(c->store);
	uint64_t oldest = 0;

	for (unsigned i = 0; i < n; i++) {
		int rc = store_get(c->store, i, out, e);

		if (rc)
			return rc;
		if (out->serial == serial)
			return 0;
		if (!i)
			oldest = out->serial;
		store_state_fini(out);
	}
	if (!n)
		err_set(e, "nothing was applied yet");
	else
		err_set(e,
			"there is no state %" PRIu64 "; kept are %" PRIu64
			" to %" PRIu64 " (weft history)",
			serial, oldest, history_now(c));
	return -ENOENT;
}

struct model *history_model(const struct store_state *st, struct err *e)
{
	struct model_errors es = MODEL_ERRORS_INIT;
	struct model *m = model_parse(st->text, strlen(st->text),
				      st->file ? st->file : "state", &es);
	char *why;

	if (!m) {
		why = model_errors_format(&es);
		err_set(e, "state %" PRIu64 " cannot be read: %s", st->serial,
			why);
		free(why);
	}
	model_errors_fini(&es);
	return m;
}
