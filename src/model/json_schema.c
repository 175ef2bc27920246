/* SPDX-License-Identifier: Apache-2.0 */
/* The table of keys as a JSON Schema (draft 7), which editors read. */
#include <json-c/json.h>

#include "model/doc.h"
#include "model/schema.h"

static struct json_object *object_schema(const struct schema_object *o);

static void put(struct json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, json_object_new_string(text));
}

static struct json_object *of_type(const char *type)
{
	struct json_object *o = json_object_new_object();

	put(o, "type", type);
	return o;
}

/* Any of these types. */
static struct json_object *of_types(const char *a, const char *b)
{
	struct json_object *o = json_object_new_object();
	struct json_object *both = json_object_new_array();

	json_object_array_add(both, json_object_new_string(a));
	json_object_array_add(both, json_object_new_string(b));
	json_object_object_add(o, "type", both);
	return o;
}

static struct json_object *list_of(struct json_object *items)
{
	struct json_object *o = of_type("array");

	json_object_object_add(o, "items", items);
	return o;
}

static struct json_object *number_schema(const struct schema_key *k)
{
	struct json_object *o = of_type("integer");

	json_object_object_add(o, "minimum", json_object_new_uint64(k->min));
	if (k->max)
		json_object_object_add(o, "maximum",
				       json_object_new_uint64(k->max));
	return o;
}

static struct json_object *choice_schema(const struct schema_key *k)
{
	struct json_object *o = of_type("string");
	struct json_object *words = json_object_new_array();

	for (unsigned i = 0; k->words[i]; i++)
		json_object_array_add(words,
				      json_object_new_string(k->words[i]));
	json_object_object_add(o, "enum", words);
	return o;
}

/* Names of one's own, each an object of the kind, or nothing behind the name. */
static struct json_object *map_schema(const struct schema_key *k)
{
	struct json_object *o = of_types("object", "null");

	json_object_object_add(o, "additionalProperties",
			       object_schema(k->object));
	return o;
}

static struct json_object *type_schema(const struct schema_key *k)
{
	const struct schema_type *t = k->type;

	if (t == &schema_bool)
		return of_type("boolean");
	if (t == &schema_number)
		return number_schema(k);
	if (t == &schema_choice)
		return choice_schema(k);
	if (t == &schema_map)
		return map_schema(k);
	if (t == &schema_list)
		return list_of(object_schema(k->object));
	if (t == &schema_inline || t == &schema_optional)
		return object_schema(k->object);
	if (t == &schema_texts || t == &schema_addrs || t == &schema_prefixes)
		return list_of(of_type("string"));
	if (t == &schema_vlan)
		return of_type("object");
	if (t == &schema_netns)
		return of_types("string", "object");
	if (t == &schema_gateway)
		return of_types("string", "array");
	/* A text that looks like a number is one to YAML. */
	return of_types("string", "number");
}

static struct json_object *key_schema(const struct schema_key *k)
{
	struct json_object *o = type_schema(k);

	if (k->doc)
		put(o, "description", k->doc);
	if (k->type == &schema_bool)
		json_object_object_add(o, "default",
				       json_object_new_boolean((int)k->def));
	return o;
}

static struct json_object *object_schema(const struct schema_object *obj)
{
	struct json_object *o = of_types("object", "null");
	struct json_object *keys = json_object_new_object();
	struct json_object *required = json_object_new_array();

	for (unsigned i = 0; i < obj->n_keys; i++) {
		const struct schema_key *k = &obj->keys[i];

		json_object_object_add(keys, k->name, key_schema(k));
		if (k->required)
			json_object_array_add(required,
					      json_object_new_string(k->name));
	}
	if (obj->doc)
		put(o, "description", obj->doc);
	json_object_object_add(o, "properties", keys);
	json_object_object_add(o, "required", required);
	json_object_object_add(o, "additionalProperties",
			       json_object_new_boolean(false));
	return o;
}

void doc_json_schema(struct str *out)
{
	struct json_object *o = object_schema(&schema_model);

	put(o, "$schema", "http://json-schema.org/draft-07/schema#");
	put(o, "title", "weft.yaml");
	str_add(out, json_object_to_json_string_ext(
			     o, JSON_C_TO_STRING_PRETTY |
					JSON_C_TO_STRING_NOSLASHESCAPE));
	str_add(out, "\n");
	json_object_put(o);
}
