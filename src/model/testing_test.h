/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of this room share.
 *
 * What      a model from text that must be right; the examples as text.
 * Threads   none of its own. */
#ifndef MODEL_TESTING_TEST_H
#define MODEL_TESTING_TEST_H

#include <stdio.h>

#include "model/model.h"

/* A model that must be right; called net.yaml. */
static inline struct model *testing_parse(const char *text)
{
	struct model_errors es = MODEL_ERRORS_INIT;
	struct model *m = model_parse(text, strlen(text), "net.yaml", &es);
	char *said = model_errors_format(&es);

	if (!m)
		fprintf(stderr, "%s\n", said);
	free(said);
	model_errors_fini(&es);
	must(m);
	return m;
}

/* The text of examples/NAME.yaml, found beside this source. */
static inline char *testing_example(const char *name)
{
	const char *here = __FILE__, *src = strstr(here, "src/model/");
	struct str s = STR_INIT;
	char buf[4096];
	char *path;
	size_t n;
	FILE *f;

	path = xasprintf("%.*sexamples/%s.yaml", (int)(src - here), here, name);
	f = fopen(path, "r");
	if (!f)
		fprintf(stderr, "no %s: run from the build folder\n", path);
	must(f);
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
		str_add_n(&s, buf, n);
	fclose(f);
	free(path);
	return str_take(&s);
}

#endif
