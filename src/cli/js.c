/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/js.h"

#include <inttypes.h>

static struct json_object *member(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	if (json_object_is_type(o, json_type_object))
		json_object_object_get_ex(o, key, &v);
	return v;
}

const char *js_text(struct json_object *o, const char *key)
{
	struct json_object *v = member(o, key);

	return json_object_is_type(v, json_type_string) ?
		       json_object_get_string(v) :
		       "";
}

uint64_t js_number(struct json_object *o, const char *key)
{
	struct json_object *v = member(o, key);

	return v ? json_object_get_uint64(v) : 0;
}

bool js_flag(struct json_object *o, const char *key)
{
	struct json_object *v = member(o, key);

	return v && json_object_get_boolean(v);
}

bool js_has(struct json_object *o, const char *key)
{
	return member(o, key) != NULL;
}

unsigned js_length(struct json_object *list)
{
	if (!json_object_is_type(list, json_type_array))
		return 0;
	return (unsigned)json_object_array_length(list);
}

struct json_object *js_item(struct json_object *list, unsigned i)
{
	return i < js_length(list) ? json_object_array_get_idx(list, i) : NULL;
}

unsigned js_count(struct json_object *o, const char *key)
{
	return js_length(member(o, key));
}

struct json_object *js_at(struct json_object *o, const char *key, unsigned i)
{
	return js_item(member(o, key), i);
}

char *js_join(struct json_object *o, const char *key)
{
	struct str s = STR_INIT;

	for (unsigned i = 0; i < js_count(o, key); i++) {
		struct json_object *v = js_at(o, key, i);

		str_addf(&s, "%s%s", i ? ", " : "",
			 v ? json_object_get_string(v) : "");
	}
	return str_take(&s);
}

char *js_origin(struct json_object *o)
{
	uint64_t line = js_number(o, "line");

	if (!line)
		return xstrdup("");
	return xasprintf("%s:%" PRIu64, js_text(o, "file"), line);
}

char *js_human(uint64_t n)
{
	static const char units[] = "kMGTPE";
	double v = (double)n;
	unsigned unit = 0;

	if (n < 10000)
		return xasprintf("%" PRIu64, n);
	for (v /= 1000; v >= 1000; v /= 1000)
		unit++; /* 2^64 is 18 E */
	return xasprintf(v < 10 ? "%.1f%c" : "%.0f%c", v, units[unit]);
}

char *js_age(uint64_t ms)
{
	static const struct {
		uint64_t ms;
		const char *unit;
	} units[] = { { 86400000, "d" },
		      { 3600000, "h" },
		      { 60000, "min" },
		      { 1000, "s" } };

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (ms >= units[i].ms)
			return xasprintf("%" PRIu64 " %s", ms / units[i].ms,
					 units[i].unit);
	}
	return xasprintf("%" PRIu64 " ms", ms);
}
