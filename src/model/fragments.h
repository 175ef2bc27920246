/* SPDX-License-Identifier: Apache-2.0 */
/* Fragments: a folder of files that is read as one file.
 *
 * What      several files joined into one text, each behind a line
 *           "--- # file: NAME"; that text parsed and merged into one tree.
 * Why so    the text travels, is stored and is gone back to as the text of a
 *           single file does, and still every line knows the file it is of.
 *           A line that starts with "---" stands inside no YAML value, so
 *           nothing that a fragment says can be taken for its end.
 * Invariant F1 sections merge (networks, routers, bridges, ports, hosts, and
 *           the sections of a host); any other key, and any name in a section,
 *           is there once, but for `weft`, which every fragment may say.
 * Threads   none of its own. */
#ifndef MODEL_FRAGMENTS_H
#define MODEL_FRAGMENTS_H

#include "model/model.h"
#include "model/yaml.h"

#define FRAGMENTS_MAX 256u

/* Puts a fragment behind those that are there. `name` has no line break. */
void fragments_add(struct str *out, const char *name, const char *text,
		   size_t len);
/* Is this text made of fragments? */
bool fragments_are(const char *text, size_t len);
/* NULL with what is wrong. The tree points into `names` for its files: to be
 * freed after it, by fragments_names_fini. */
struct yaml_node *fragments_parse(const char *text, size_t len,
				  struct model_strings *names,
				  struct model_errors *es) MUST_CHECK;
void fragments_names_fini(struct model_strings *names);

#endif
