/* SPDX-License-Identifier: Apache-2.0 */
/* What a command is given to read: a file, a folder, the standard input.
 *
 * What      its text (fragments of a folder joined, model/fragments.h), checked.
 * Why so    it is parsed here first: the same errors, and nothing is sent that is
 *           wrong.
 * Threads   none of its own.
 * Owns      its text. */
#ifndef CLI_SOURCE_H
#define CLI_SOURCE_H

#include "cli/cli.h"

struct source {
	const char *name; /* as messages call it */
	bool is_folder;
	struct str text;
};

/* The first argument. CLI_OK, or what to exit with after telling why. */
int source_read(struct source *s, struct cli *c) MUST_CHECK;
void source_fini(struct source *s);
/* {text, file} */
struct json_object *source_params(const struct source *s);

#endif
