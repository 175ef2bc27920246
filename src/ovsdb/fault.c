/* SPDX-License-Identifier: Apache-2.0 */
#include "ovsdb/fault.h"

#include <errno.h>

static void fault_setv(struct fault *f, const char *tag, const char *fmt,
		       va_list ap) PRINTF_LIKE(3, 0);

static void fault_setv(struct fault *f, const char *tag, const char *fmt,
		       va_list ap)
{
	struct str s = STR_INIT;

	f->tag = tag;
	str_addv(&s, fmt, ap);
	f->details = str_take(&s);
}

int fault_set(struct fault *f, const char *tag, const char *fmt, ...)
{
	va_list ap;

	if (f->tag)
		return -EINVAL;
	va_start(ap, fmt);
	fault_setv(f, tag, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static void fault_mean(struct fault *f, const struct json *v)
{
	struct str s = STR_INIT;

	if (!v)
		return;
	json_add(&s, v);
	f->syntax = str_take(&s);
}

int fault_set_syntax(struct fault *f, const struct json *v, const char *fmt,
		     ...)
{
	va_list ap;

	if (f->tag)
		return -EINVAL;
	va_start(ap, fmt);
	fault_setv(f, FAULT_SYNTAX, fmt, ap);
	va_end(ap);
	fault_mean(f, v);
	return -EINVAL;
}

int fault_set_about(struct fault *f, const char *tag, const struct json *v,
		    const char *fmt, ...)
{
	va_list ap;

	if (f->tag)
		return -EINVAL;
	va_start(ap, fmt);
	fault_setv(f, tag, fmt, ap);
	va_end(ap);
	fault_mean(f, v);
	return -EINVAL;
}

void fault_fini(struct fault *f)
{
	free(f->details);
	free(f->syntax);
	*f = (struct fault){ 0 };
}

void fault_add_json(const struct fault *f, struct str *s)
{
	json_add_open(s, '{');
	if (f->details) {
		json_add_name(s, "details");
		json_add_string(s, f->details);
	}
	json_add_name(s, "error");
	json_add_string(s, f->tag);
	if (f->syntax) {
		json_add_name(s, "syntax");
		json_add_string(s, f->syntax);
	}
	json_add_close(s, '}');
}

char *fault_format(const struct fault *f)
{
	struct str s = STR_INIT;

	if (f->syntax)
		str_addf(&s, "syntax \"%s\": ", f->syntax);
	str_addf(&s, "%s: %s", f->tag, f->details ? f->details : "");
	return str_take(&s);
}
