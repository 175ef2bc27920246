/* SPDX-License-Identifier: Apache-2.0 */
/* The reference of the file, made from the table that parses it.
 *
 * What      the keys of every object as Markdown (docs/file.md), as scdoc
 *           (weft.yaml(5)) and as a JSON Schema; the names of keys for completion.
 * Why so    a page that is written by hand is wrong one day.
 * Threads   none of its own. */
#ifndef MODEL_DOC_H
#define MODEL_DOC_H

#include "base/str.h"

void doc_markdown(struct str *out);
void doc_scdoc(struct str *out);
/* A JSON Schema (draft 7), for editors. */
void doc_json_schema(struct str *out);
/* The keys of "port", "network", "bridge", "router": NULL behind the last one,
 * or when there is no such kind. */
const char *doc_key(const char *kind, unsigned i);

#endif
