/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a JSON document: for json.c and json_parse.c only.
 *
 * What      an arena of chunks that double in size, and the root value in it.
 * Owns      the chunks; nothing in them is freed alone.
 * Threads   none of its own. */
#ifndef BASE_JSON_DOC_H
#define BASE_JSON_DOC_H

#include "base/json.h"

struct json_chunk {
	struct json_chunk *next;
	size_t size, used;
	max_align_t data[];
};

struct json_doc {
	struct json_chunk *chunks; /* the newest first */
	size_t bytes;
	struct json root;
};

struct json_doc *json_doc_create(void);
/* Memory for values or, through json_doc_text, for `n` bytes and a NUL. */
void *json_doc_alloc(struct json_doc *d, size_t size);
const char *json_doc_text(struct json_doc *d, const char *text, size_t n);

/* What an empty array or object points to. */
extern const struct json_member json_nothing[1];

#endif
