/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the daemon's JSON without fear: what is not there is a default.
 *
 * What      members of objects as text, numbers, lists.
 * Why so    a command of another version than the daemon shows what it knows.
 * Threads   none of its own. */
#ifndef CLI_JS_H
#define CLI_JS_H

#include <json-c/json.h>

#include "base/str.h"

/* "" when absent; in the JSON. */
const char *js_text(struct json_object *o, const char *key);
uint64_t js_number(struct json_object *o, const char *key);
bool js_flag(struct json_object *o, const char *key);
bool js_has(struct json_object *o, const char *key);
/* A list's length (0 when absent) and members. */
unsigned js_count(struct json_object *o, const char *key);
struct json_object *js_at(struct json_object *o, const char *key, unsigned i);
/* The same for a JSON that is a list itself. */
unsigned js_length(struct json_object *list);
struct json_object *js_item(struct json_object *list, unsigned i);
/* "a, b, c" of a list of texts, to be freed. */
char *js_join(struct json_object *o, const char *key);
/* "net.yaml:7", or "". To be freed. */
char *js_origin(struct json_object *o);

/* 1234567 -> "1.2M", to be freed. */
char *js_human(uint64_t n);
/* 75000 ms -> "1 min". To be freed. */
char *js_age(uint64_t ms);

#endif
