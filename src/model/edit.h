/* SPDX-License-Identifier: Apache-2.0 */
/* Small changes to a model, as commands make them.
 *
 * What      `port add vm1 type=tap network=blue` becomes edits: a path of keys
 *           and a value in the file's own syntax; the result is checked as a
 *           file is.
 * Why so    what can be said by command and by file is the same language with
 *           the same messages.
 * Threads   a value. */
#ifndef MODEL_EDIT_H
#define MODEL_EDIT_H

#include "model/model.h"

#define MODEL_EDIT_MAX_DEPTH 8u

enum model_edit_op {
	MODEL_EDIT_ADD, /* the object of this path must be new */
	MODEL_EDIT_SET, /* it, or the object that holds the key, must be there */
	MODEL_EDIT_DEL, /* object or key; a key goes back to its default */
};

/* {"ports", "vm1", "network"} = "blue". A path that starts with "ports" or
 * "bridges" is of the host given to model_edit. */
struct model_edit {
	enum model_edit_op op;
	const char *path[MODEL_EDIT_MAX_DEPTH];
	unsigned depth;
	const char *value; /* YAML; NULL: an empty object (add), or del */
};

/* All of them or none: a new valid model, or NULL with what is wrong. `host` is
 * whose ports and bridges are meant (may be ""). */
struct model *model_edit(const struct model *m, const char *host,
			 const struct model_edit *edits, unsigned n,
			 struct model_errors *es) MUST_CHECK;

#endif
