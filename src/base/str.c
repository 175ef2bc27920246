/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <stdio.h>

void str_fini(struct str *s)
{
	free(s->s);
	*s = (struct str)STR_INIT;
}

void str_clear(struct str *s)
{
	str_truncate(s, 0);
}

const char *str_text(const struct str *s)
{
	return s->s ? s->s : "";
}

char *str_take(struct str *s)
{
	char *text = s->s ? s->s : xstrdup("");

	*s = (struct str)STR_INIT;
	return text;
}

static void str_reserve(struct str *s, size_t more)
{
	if (s->len + more + 1 <= s->cap)
		return;
	s->cap = MAX(s->cap * 2, s->len + more + 32);
	s->s = xrealloc(s->s, s->cap);
}

void str_add_n(struct str *s, const char *text, size_t n)
{
	str_reserve(s, n);
	memcpy(s->s + s->len, text, n);
	s->len += n;
	s->s[s->len] = '\0';
}

void str_add(struct str *s, const char *text)
{
	str_add_n(s, text, strlen(text));
}

void str_add_char(struct str *s, char c)
{
	str_add_n(s, &c, 1);
}

void str_addv(struct str *s, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	must(n >= 0);
	str_reserve(s, (size_t)n);
	vsnprintf(s->s + s->len, (size_t)n + 1, fmt, again);
	s->len += (size_t)n;
	va_end(again);
}

void str_addf(struct str *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	str_addv(s, fmt, ap);
	va_end(ap);
}

void str_truncate(struct str *s, size_t len)
{
	if (s->len > len) {
		s->len = len;
		s->s[len] = '\0';
	}
}

void str_pad(struct str *s, size_t column)
{
	size_t width = 0;

	for (size_t i = s->len; i > 0 && s->s[i - 1] != '\n'; i--)
		width += ((unsigned char)s->s[i - 1] & 0xc0) != 0x80;
	for (; width < column; width++)
		str_add_char(s, ' ');
}

unsigned str_distance(const char *a, const char *b)
{
	size_t na = MIN(strlen(a), (size_t)STR_MAX_WORD);
	size_t nb = MIN(strlen(b), (size_t)STR_MAX_WORD);
	unsigned row[STR_MAX_WORD + 1];

	for (size_t j = 0; j <= nb; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= na; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			unsigned change = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = MIN(change, MIN(row[j], row[j - 1]) + 1);
		}
	}
	return row[nb];
}

const char *str_nearest(const char *word, const char *const *candidates,
			size_t n)
{
	unsigned best = (unsigned)(strlen(word) + 2) / 3;
	const char *found = NULL;

	for (size_t i = 0; i < n; i++) {
		unsigned d = str_distance(word, candidates[i]);

		if (d <= best && (!found || d < best)) {
			best = d;
			found = candidates[i];
		}
	}
	return found;
}
