/* SPDX-License-Identifier: Apache-2.0 */
/* The schema: every key of the file, once.
 *
 * What      objects (what), their keys (name, type, default, sentence, place in
 *           the struct), and the engine that reads, formats, copies and frees
 *           objects by walking them.
 * Why so    a key that is not here does not exist; one that is here is parsed,
 *           printed, compared and documented the same way as all others.
 * Invariant S1 each struct that a schema_object describes starts with a struct
 *           model_object. S2 a vector's struct is {items, n}. S3 `format` gives
 *           NULL for the default, so that what is printed is what differs.
 * Threads   tables are constant. */
#ifndef MODEL_SCHEMA_H
#define MODEL_SCHEMA_H

#include "model/model.h"
#include "model/yaml.h"

struct schema_key;
struct schema_object;

/* Any of the {items, n} structs. */
struct schema_vec {
	void *items;
	unsigned n;
};

/* Reading: where errors go and how the object at hand is called. */
struct schema_reader {
	struct model *model; /* keeps the names of files */
	struct model_errors *errors;
	const char *what, *name;     /* "port" "vm1" */
	const struct yaml_node *key; /* of the value that is being parsed */
};

/* A type of value. `field` is its place in the struct. */
struct schema_type {
	const char *name; /* for the reference page: "address" */
	const char *want; /* "must be WANT": what a right value looks like */
	/* Errors go to the reader; the field then stays as it was. */
	void (*parse)(struct schema_reader *r, const struct schema_key *k,
		      const struct yaml_node *n, void *field);
	struct yaml_node *(*format)(const struct schema_key *k,
				    const void *field);
	/* The struct was copied bytewise: make own copies of what it points
	 * to. NULL: nothing to do. */
	void (*copy)(const struct schema_key *k, void *field);
	void (*fini)(const struct schema_key *k, void *field);
	/* NULL: zero. */
	void (*init)(const struct schema_key *k, void *field);
};

struct schema_key {
	const char *name;
	const struct schema_type *type;
	size_t offset;
	bool required;
	uint32_t min, max, def;             /* numbers, durations, booleans */
	const char *const *words;           /* choice */
	const struct schema_object *object; /* map, list, inline, optional */
	uint32_t only;    /* of ports: 1 << type that have it; 0 all */
	const char *dflt; /* the default in words, where `def` does not say */
	const char *doc;
};

struct schema_object {
	const char *what; /* "port" */
	size_t size;
	const struct schema_key *keys;
	unsigned n_keys;
	const struct schema_key *variant; /* the key that `only` speaks of */
	const char *doc;
};

extern const struct schema_object schema_model, schema_network, schema_router,
	schema_interface, schema_route, schema_host, schema_underlay,
	schema_bridge, schema_bridge_host, schema_static_mac, schema_port,
	schema_storm;

extern const struct schema_type schema_bool, schema_number, schema_duration,
	schema_text, schema_name, schema_device, schema_mac, schema_addr,
	schema_prefix, schema_choice, schema_texts, schema_addrs,
	schema_prefixes, schema_vlan, schema_netns, schema_gateway, schema_map,
	schema_list, schema_inline, schema_optional;

void schema_init(const struct schema_object *o, void *obj);
void schema_fini(const struct schema_object *o, void *obj);
/* After a bytewise copy: own copies of all that is pointed to. Origins' file
 * names stay the original's: see model_copy. */
void schema_own(const struct schema_object *o, void *obj);
void schema_read(struct schema_reader *r, const struct schema_object *o,
		 const struct yaml_node *n, void *obj);
struct yaml_node *schema_format(const struct schema_object *o, const void *obj);
/* One key's value, on one line, or NULL when it is the default. */
char *schema_format_key(const struct schema_key *k, const void *obj);
const struct schema_key *schema_find(const struct schema_object *o,
				     const char *name);
/* Calls fn for every object at and below `obj`. */
typedef void schema_walk_fn(struct model_object *obj, void *arg);
void schema_walk(const struct schema_object *o, void *obj, schema_walk_fn *fn,
		 void *arg);

/* Adds "SENTENCE" at the node's place. */
void schema_bad(struct schema_reader *r, const struct yaml_node *n,
		const char *fmt, ...) PRINTF_LIKE(3, 4);

static inline void *schema_field(const struct schema_key *k, const void *obj)
{
	return (char *)(uintptr_t)obj + k->offset;
}

/* A word made of letters, digits, '_', '-', '.', starting with one of the first
 * two kinds, of at most MODEL_NAME_MAX bytes. */
bool schema_is_name(const char *s);
bool schema_is_device(const char *s);

#endif
