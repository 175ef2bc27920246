/* SPDX-License-Identifier: Apache-2.0 */
/* What was wrong with what a user or a peer gave us.
 *
 * What      one sentence (what, why, what to do) and, for text, its place.
 * Why so    the caller is shown the error itself, never a hint to a log file.
 * Owns      its text; err_fini frees. A zeroed struct err means no error.
 * Threads   none of its own. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/defs.h"

struct err {
	char *text;      /* the sentence, without place; NULL: no error */
	char *file;      /* where it stands, or NULL */
	unsigned line;   /* from 1; 0 unknown */
	unsigned column; /* from 1; 0 unknown */
};

#define ERR_INIT                                                               \
	{                                                                      \
		0                                                              \
	}

/* Sets the error; an earlier one stays (the first cause is the one to tell).
 * Returns -EINVAL, so that `return err_set(e, ...)` reads well. */
int err_set(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Names the place of an error already set, when it has none yet. */
void err_place(struct err *e, const char *file, unsigned line, unsigned column);
/* Puts "context: " in front of the sentence. */
void err_wrap(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);
void err_fini(struct err *e);
/* "file:line:column: sentence", to be freed by the caller. */
char *err_format(const struct err *e);

static inline bool err_is_set(const struct err *e)
{
	return e->text;
}

/* errno's text for a negative or positive errno; thread-safe, never NULL. */
const char *err_name(int errnum);

#endif
