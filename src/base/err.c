/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <errno.h>

#include "base/str.h"

int err_set(struct err *e, const char *fmt, ...)
{
	struct str s = STR_INIT;
	va_list ap;

	if (e->text)
		return -EINVAL;
	va_start(ap, fmt);
	str_addv(&s, fmt, ap);
	va_end(ap);
	e->text = str_take(&s);
	return -EINVAL;
}

void err_place(struct err *e, const char *file, unsigned line, unsigned column)
{
	if (!e->text || e->line)
		return;
	free(e->file);
	e->file = file ? xstrdup(file) : NULL;
	e->line = line;
	e->column = column;
}

void err_wrap(struct err *e, const char *fmt, ...)
{
	struct str s = STR_INIT;
	va_list ap;

	if (!e->text)
		return;
	va_start(ap, fmt);
	str_addv(&s, fmt, ap);
	va_end(ap);
	str_addf(&s, ": %s", e->text);
	free(e->text);
	e->text = str_take(&s);
}

void err_fini(struct err *e)
{
	free(e->text);
	free(e->file);
	*e = (struct err)ERR_INIT;
}

char *err_format(const struct err *e)
{
	struct str s = STR_INIT;

	if (e->file)
		str_addf(&s, "%s:", e->file);
	if (e->line)
		str_addf(&s, "%u:%u:", e->line, e->column);
	if (s.len)
		str_add_char(&s, ' ');
	str_add(&s, e->text ? e->text : "no error");
	return str_take(&s);
}

const char *err_name(int errnum)
{
	const char *text = strerrordesc_np(errnum < 0 ? -errnum : errnum);

	return text ? text : "unknown error";
}
