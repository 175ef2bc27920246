/* SPDX-License-Identifier: Apache-2.0 */
/* YAML as a tree with places.
 *
 * What      text -> tree of mappings, sequences and scalars, each with line and
 *           column; tree -> text.
 * Why so    the library's events are turned into our own nodes, so that limits
 *           (size, depth, nodes after aliases were expanded) and duplicate keys
 *           are ours to check, and edits work on the same tree as files.
 * Invariant Y1 keys of a mapping are unique scalars. Y2 no scalar holds a NUL.
 *           Y3 at most YAML_MAX_NODES nodes, YAML_MAX_DEPTH deep.
 * Threads   none of its own.
 * Owns      a node owns its children. `file` is the caller's.
 * Refs      YAML 1.2.2. */
#ifndef MODEL_YAML_H
#define MODEL_YAML_H

#include "base/err.h"
#include "base/str.h"

#define YAML_MAX_DEPTH 16u
#define YAML_MAX_NODES (1u << 19)

enum yaml_kind { YAML_SCALAR, YAML_MAP, YAML_SEQ };

struct yaml_node;
struct yaml_item {
	struct yaml_node *key; /* NULL in a sequence */
	struct yaml_node *value;
};

struct yaml_node {
	enum yaml_kind kind;
	bool quoted;           /* a scalar in quotes: never null */
	bool flow;             /* emit on one line */
	unsigned line, column; /* from 1; 0 unknown */
	const char *file;
	char *text; /* scalar */
	struct yaml_item *items;
	unsigned n, cap;
};

/* One document; empty text is an empty mapping. NULL with a sentence. */
struct yaml_node *yaml_parse(const char *text, size_t len, const char *file,
			     struct err *e) MUST_CHECK;
void yaml_destroy(struct yaml_node *n);
/* Block style; what is marked `flow`, and lists of scalars, on one line. */
void yaml_emit(const struct yaml_node *n, struct str *out);
/* The whole on one line. */
void yaml_emit_flow(const struct yaml_node *n, struct str *out);

struct yaml_node *yaml_scalar(const char *text);
struct yaml_node *yaml_new(enum yaml_kind kind);
/* Takes `value` (and makes the key). The key must be new. */
void yaml_map_put(struct yaml_node *map, const char *key,
		  struct yaml_node *value);
/* The same with a key that has a place of its own; takes both. */
void yaml_map_take(struct yaml_node *map, struct yaml_node *key,
		   struct yaml_node *value);
void yaml_seq_put(struct yaml_node *seq, struct yaml_node *value);
struct yaml_item *yaml_map_item(const struct yaml_node *map, const char *key);
/* The value, or NULL. */
struct yaml_node *yaml_map_find(const struct yaml_node *map, const char *key);
void yaml_map_del(struct yaml_node *map, const char *key);
/* Nothing, ~ or null. */
bool yaml_is_null(const struct yaml_node *n);
/* "a mapping", "a list", "a value". */
const char *yaml_kind_name(enum yaml_kind k);

#endif
