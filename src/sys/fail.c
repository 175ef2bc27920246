/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/fail.h"

#include "base/str.h"

static int PRINTF_LIKE(4, 0)
	fail_set(struct err *e, int errnum, const char *tail, const char *fmt,
		 va_list ap)
{
	struct str s = STR_INIT;

	if (e) {
		str_addv(&s, fmt, ap);
		if (tail)
			str_addf(&s, ": %s", tail);
		err_set(e, "%s", str_text(&s));
		str_fini(&s);
	}
	return errnum > 0 ? -errnum : errnum;
}

int fail_errno(struct err *e, int errnum, const char *fmt, ...)
{
	va_list ap;
	int ret;

	va_start(ap, fmt);
	ret = fail_set(e, errnum, err_name(errnum), fmt, ap);
	va_end(ap);
	return ret;
}

int fail_say(struct err *e, int errnum, const char *fmt, ...)
{
	va_list ap;
	int ret;

	va_start(ap, fmt);
	ret = fail_set(e, errnum, NULL, fmt, ap);
	va_end(ap);
	return ret;
}
