/* SPDX-License-Identifier: Apache-2.0 */
/* The difference of two models, in the file's words.
 *
 * What      an ordered list: objects to add, to delete, to change, with the
 *           keys that change and both values.
 * Why so    `plan` shows what `apply` would do, in the words of the file.
 * Order     deletions first, from the ports inwards; then additions and changes
 *           from the bridges outwards: each change finds what it stands on.
 * Threads   a value. Points into both models: lives no longer than they. */
#ifndef MODEL_DIFF_H
#define MODEL_DIFF_H

#include "model/model.h"

struct json_object;

enum model_change_op { MODEL_ADD, MODEL_DEL, MODEL_CHANGE };

enum model_kind {
	MODEL_KIND_HOST, /* underlay and peers */
	MODEL_KIND_BRIDGE,
	MODEL_KIND_NETWORK,
	MODEL_KIND_ROUTER,
	MODEL_KIND_PORT,
	N_MODEL_KINDS,
};

struct model_key_change {
	const char *key; /* static: the schema's name */
	char *from, *to; /* values as the file would have them; NULL: default */
};

struct model_change {
	enum model_change_op op;
	enum model_kind kind;
	const char *name;
	const char
		*host; /* bridge, port: whose; "": of the file's top; or NULL */
	/* The struct of its kind (struct model_port, ...); NULL on that side
	 * when it is added or deleted. */
	const void *before, *after;
	struct model_key_change *keys;
	unsigned n_keys;
};

struct model_diff {
	struct model_change *items;
	unsigned n;
};

void model_diff_init(struct model_diff *d, const struct model *before,
		     const struct model *after);
void model_diff_fini(struct model_diff *d);

/* "+ port vm1 (host-a)", "~ network blue: mtu 1450 -> 1400", ... one a line. */
void model_diff_format(const struct model_diff *d, bool colour,
		       struct str *out);
/* An array of {op, kind, name, host, file, line, keys:[{key, from, to}]}. */
struct json_object *model_diff_json(const struct model_diff *d);

const char *model_kind_name(enum model_kind k);

#endif
