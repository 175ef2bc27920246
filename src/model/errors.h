/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with a file: several errors at once.
 *
 * What      the first MODEL_MAX_ERRORS errors, each with its place, and how many
 *           there are.
 * Why so    who writes a file wants to see all mistakes of it, not one a try.
 * Threads   a value; whoever holds it.
 * Owns      its errors. */
#ifndef MODEL_ERRORS_H
#define MODEL_ERRORS_H

#include "base/err.h"

#define MODEL_MAX_ERRORS 20u

struct model_errors {
	struct err items[MODEL_MAX_ERRORS];
	unsigned n;       /* kept */
	unsigned n_total; /* found */
};

#define MODEL_ERRORS_INIT                                                      \
	{                                                                      \
		0                                                              \
	}
/* The next error to fill, or NULL when there are enough. */
struct err *model_errors_next(struct model_errors *es);
void model_errors_fini(struct model_errors *es);
/* One a line, "file:line:column: sentence"; to be freed. */
char *model_errors_format(const struct model_errors *es);

#endif
