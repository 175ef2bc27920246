/* SPDX-License-Identifier: Apache-2.0 */
/* Growable string.
 *
 * What      text that is built piece by piece; always NUL-terminated.
 * Owns      its buffer; str_take hands it over to the caller (free() it).
 * Threads   none of its own. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/defs.h"

struct str {
	char *s; /* NULL while nothing was written */
	size_t len, cap;
};

#define STR_INIT                                                               \
	{                                                                      \
		0                                                              \
	}

void str_fini(struct str *s);
void str_clear(struct str *s);
/* Never NULL. */
const char *str_text(const struct str *s);
char *str_take(struct str *s);
void str_add(struct str *s, const char *text);
void str_add_n(struct str *s, const char *text, size_t n);
void str_add_char(struct str *s, char c);
void str_addf(struct str *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
void str_addv(struct str *s, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);
/* Cuts the text down to `len` bytes when longer. */
void str_truncate(struct str *s, size_t len);
/* Adds spaces until the last line is `column` characters wide (UTF-8 aware). */
void str_pad(struct str *s, size_t column);

/* Distance of Levenshtein between two words, for "did you mean"; at most
 * STR_MAX_WORD bytes of each are looked at. */
#define STR_MAX_WORD 64
unsigned str_distance(const char *a, const char *b);
/* The candidate nearest to `word`, or NULL when none is near enough to be
 * meant (more than a third of its letters would change). */
const char *str_nearest(const char *word, const char *const *candidates,
			size_t n);

#endif
