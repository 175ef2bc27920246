/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/secrets.h"

#include <json-c/json.h>
#include <strings.h>

static const char *const names[] = { "password", "passphrase", "secret",
				     "token",    "psk",        "key" };

bool secrets_is_name(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		size_t n = strlen(names[i]);

		if (len < n || strncasecmp(name + len - n, names[i], n))
			continue;
		/* "key", "tls_key", "tls-key", but not "monkey" */
		if (len == n || strchr("_-.", name[len - n - 1]) ||
		    strcmp(names[i], "key"))
			return true;
	}
	return false;
}

/* --- JSON ---------------------------------------------------------------------- */

static void clear(struct json_object *o, unsigned depth);

static void clear_member(struct json_object *o, const char *key,
			 struct json_object *v, unsigned depth)
{
	if (secrets_is_name(key, strlen(key)) || !strcmp(key, "head") ||
	    depth >= SECRETS_DEPTH_MAX)
		json_object_object_add_ex(
			o, key, json_object_new_string(SECRETS_LEFT_OUT), 0);
	else
		clear(v, depth + 1);
}

/* Replacing a member's value while walking is allowed by json-c; adding is not,
 * and none is added. */
static void clear(struct json_object *o, unsigned depth)
{
	if (json_object_is_type(o, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(o); i++)
			clear(json_object_array_get_idx(o, i), depth + 1);
		return;
	}
	if (!json_object_is_type(o, json_type_object))
		return;
	json_object_object_foreach(o, key, v)
	{
		clear_member(o, key, v, depth);
	}
}

void secrets_clear_json(struct json_object *o)
{
	clear(o, 0);
}

/* --- text ------------------------------------------------------------------------ */

static size_t indent_of(const char *line)
{
	return strspn(line, " -");
}

/* The name before the first ':' of a line; its length, 0: there is none. */
static size_t name_of(const char *line, size_t len, const char **name)
{
	size_t from = indent_of(line), to = from;

	while (to < len && line[to] != ':')
		to++;
	if (to == len)
		return 0;
	while (from < to && strchr("\"'", line[from]))
		from++;
	*name = line + from;
	while (to > from && strchr("\"' ", line[to - 1]))
		to--;
	return to - from;
}

/* {psk: x, ...} and "a: {psk: x}": any secret name before a ':' counts. */
static bool holds_secret(const char *line, size_t len)
{
	const char *name;
	size_t n = name_of(line, len, &name);

	if (n && secrets_is_name(name, n))
		return true;
	for (size_t i = 0; i < len; i++) {
		size_t k = i;

		if (line[i] != ':')
			continue;
		while (k && strchr("\"' ", line[k - 1]))
			k--;
		n = k;
		while (k && !strchr("{, \"'", line[k - 1]))
			k--;
		if (n > k && secrets_is_name(line + k, n - k))
			return true;
	}
	return false;
}

void secrets_clear_text(const char *text, struct str *out)
{
	size_t below = SIZE_MAX; /* lines deeper than this belong to a secret */

	while (*text) {
		size_t len = strcspn(text, "\n"), indent = indent_of(text);

		if (below != SIZE_MAX && (indent > below || !len)) {
			text += len + (text[len] == '\n');
			continue;
		}
		below = SIZE_MAX;
		if (holds_secret(text, len)) {
			below = indent;
			str_add_n(out, text, indent);
			str_add(out, "# " SECRETS_LEFT_OUT "\n");
		} else {
			str_add_n(out, text, len);
			str_add_char(out, '\n');
		}
		text += len + (text[len] == '\n');
	}
}
