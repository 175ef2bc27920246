/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/message.h"

#include <errno.h>
#include <json-c/json.h>

/* An upper bound on the values that the text makes: each one but the first is
 * behind one of , : [ {. Counting those inside strings too would refuse files
 * that are sent as strings. */
static bool has_at_most(const char *text, size_t len, unsigned max)
{
	unsigned n = 1;
	bool in = false;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (in && c == '\\')
			i++;
		else if (c == '"')
			in = !in;
		else if (!in && (c == ',' || c == ':' || c == '[' || c == '{'))
			n++;
		if (n > max)
			return false;
	}
	return true;
}

struct json_object *message_parse(const char *text, size_t len,
				  unsigned max_values, struct err *e)
{
	struct json_tokener *t;
	struct json_object *o;

	if (len > INT32_MAX || !has_at_most(text, len, max_values)) {
		err_set(e, "the message has more than %u values", max_values);
		return NULL;
	}
	t = json_tokener_new_ex(MESSAGE_DEPTH);
	must(t);
	json_tokener_set_flags(t, JSON_TOKENER_STRICT |
					  JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(t, text, (int)len);
	if (!o || json_tokener_get_error(t) != json_tokener_success ||
	    json_tokener_get_parse_end(t) != len) {
		err_set(e, "the message is not valid JSON: %s",
			json_tokener_error_desc(json_tokener_get_error(t)));
		json_object_put(o);
		o = NULL;
	}
	json_tokener_free(t);
	return o;
}

int message_request_decode(struct json_object *o, struct message_request *out,
			   struct err *e)
{
	struct json_object *id, *method, *params = NULL;

	if (!json_object_is_type(o, json_type_object) ||
	    !json_object_object_get_ex(o, "id", &id) ||
	    !json_object_is_type(id, json_type_int) ||
	    !json_object_object_get_ex(o, "method", &method) ||
	    !json_object_is_type(method, json_type_string))
		return err_set(e, "a request is {\"id\": NUMBER, \"method\": "
				  "NAME, \"params\": {...}}");
	json_object_object_get_ex(o, "params", &params);
	if (params && !json_object_is_type(params, json_type_object))
		return err_set(e, "params must be an object");
	out->id = json_object_get_int64(id);
	out->method = json_object_get_string(method);
	out->params = params;
	return 0;
}

static struct json_object *message_new(int64_t id)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "id", json_object_new_int64(id));
	return o;
}

struct json_object *message_request(int64_t id, const char *method,
				    struct json_object *params)
{
	struct json_object *o = message_new(id);

	json_object_object_add(o, "method", json_object_new_string(method));
	if (params)
		json_object_object_add(o, "params", params);
	return o;
}

struct json_object *message_result(int64_t id, struct json_object *value)
{
	struct json_object *o = message_new(id);

	json_object_object_add(o, "result", value);
	return o;
}

struct json_object *message_progress(int64_t id, struct json_object *value)
{
	struct json_object *o = message_new(id);

	json_object_object_add(o, "progress", value);
	return o;
}

static struct json_object *error_json(const struct err *e)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(
		o, "text",
		json_object_new_string(e->text ? e->text : "failed"));
	if (e->file)
		json_object_object_add(o, "file",
				       json_object_new_string(e->file));
	if (e->line) {
		json_object_object_add(o, "line",
				       json_object_new_int64(e->line));
		json_object_object_add(o, "column",
				       json_object_new_int64(e->column));
	}
	return o;
}

struct json_object *message_error(int64_t id, const struct err *items,
				  unsigned n)
{
	struct json_object *o = message_new(id);
	struct json_object *error = error_json(&items[0]);
	struct json_object *more;

	if (n > 1) {
		more = json_object_new_array();
		for (unsigned i = 1; i < n && i <= MESSAGE_MAX_MORE; i++)
			json_object_array_add(more, error_json(&items[i]));
		json_object_object_add(error, "more", more);
	}
	json_object_object_add(o, "error", error);
	return o;
}

enum message_kind message_reply_decode(struct json_object *o, int64_t *id,
				       struct json_object **value)
{
	struct json_object *i;

	if (!json_object_is_type(o, json_type_object) ||
	    !json_object_object_get_ex(o, "id", &i) ||
	    !json_object_is_type(i, json_type_int))
		return MESSAGE_BAD;
	*id = json_object_get_int64(i);
	if (json_object_object_get_ex(o, "result", value))
		return MESSAGE_RESULT;
	if (json_object_object_get_ex(o, "error", value))
		return MESSAGE_ERROR;
	if (json_object_object_get_ex(o, "progress", value))
		return MESSAGE_PROGRESS;
	return MESSAGE_BAD;
}

static unsigned get_number(struct json_object *o, const char *key)
{
	struct json_object *v;
	int64_t n = 0;

	if (json_object_object_get_ex(o, key, &v))
		n = json_object_get_int64(v);
	return n > 0 && n <= INT32_MAX ? (unsigned)n : 0;
}

static void error_from(struct json_object *o, struct err *e)
{
	struct json_object *v;
	const char *file = NULL;

	*e = (struct err)ERR_INIT;
	if (!json_object_object_get_ex(o, "text", &v)) {
		err_set(e, "failed");
		return;
	}
	err_set(e, "%s", json_object_get_string(v));
	if (json_object_object_get_ex(o, "file", &v))
		file = json_object_get_string(v);
	if (file || get_number(o, "line"))
		err_place(e, file, get_number(o, "line"),
			  get_number(o, "column"));
}

unsigned message_error_decode(struct json_object *error, struct err *items,
			      unsigned max)
{
	struct json_object *more;
	unsigned n = 0;

	if (!max)
		return 0;
	error_from(error, &items[n++]);
	if (!json_object_object_get_ex(error, "more", &more) ||
	    !json_object_is_type(more, json_type_array))
		return n;
	for (size_t i = 0; i < json_object_array_length(more) && n < max; i++)
		error_from(json_object_array_get_idx(more, i), &items[n++]);
	return n;
}
