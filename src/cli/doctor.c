/* SPDX-License-Identifier: Apache-2.0 */
/* `weft doctor`: what is wrong here, the evidence, and what to type. */
#include <inttypes.h>

#include "cli/cli.h"
#include "cli/js.h"

#define WIDTH 78u

static const char *colour_of(const char *severity)
{
	return !strcmp(severity, "error")   ? "red" :
	       !strcmp(severity, "warning") ? "yellow" :
					      "dim";
}

/* Words of `text`, wrapped, each line at `indent`. */
static void wrap(const char *text, size_t indent, struct str *out)
{
	size_t column = indent;

	while (*text) {
		size_t n = strcspn(text, " ");

		if (column > indent && column + n + 1 > WIDTH) {
			str_add_char(out, '\n');
			str_pad(out, indent);
			column = indent;
		} else if (column > indent) {
			str_add_char(out, ' ');
			column++;
		}
		str_add_n(out, text, n);
		column += n;
		text += n + strspn(text + n, " ");
	}
	str_add_char(out, '\n');
}

/* A fix is to be typed: it is not wrapped. */
static void finding_text(const struct cli *c, struct json_object *f,
			 struct str *out)
{
	const char *severity = js_text(f, "severity");

	str_addf(out, "%s%-7s%s  %s%s%s  %s[%s]%s\n",
		 cli_colour(c, colour_of(severity)), severity,
		 cli_colour(c, "end"), cli_colour(c, "bold"),
		 js_text(f, "object"), cli_colour(c, "end"),
		 cli_colour(c, "dim"), js_text(f, "check"),
		 cli_colour(c, "end"));
	str_pad(out, 9);
	wrap(js_text(f, "evidence"), 9, out);
	if (*js_text(f, "fix"))
		str_addf(out, "         -> %s\n", js_text(f, "fix"));
}

static void left_out(struct json_object *report, struct str *out)
{
	for (unsigned i = 0; i < js_count(report, "checks"); i++) {
		struct json_object *k = js_at(report, "checks", i);

		if (js_number(k, "left_out"))
			str_addf(out,
				 "... and %" PRIu64 " more of the kind [%s]\n",
				 js_number(k, "left_out"), js_text(k, "id"));
	}
}

static void report_text(const struct cli *c, struct json_object *report,
			struct str *out)
{
	unsigned n = js_count(report, "findings");

	for (unsigned i = 0; i < n; i++)
		finding_text(c, js_at(report, "findings", i), out);
	left_out(report, out);
	if (n)
		str_add_char(out, '\n');
	str_addf(out, "%s: %u checks, ", js_text(report, "host"),
		 js_count(report, "checks"));
	if (js_flag(report, "healthy"))
		str_addf(out, "%shealthy%s\n", cli_colour(c, "green"),
			 cli_colour(c, "end"));
	else
		str_addf(out, "%u finding%s\n", n, n == 1 ? "" : "s");
}

int cli_doctor(struct cli *c)
{
	struct str text = STR_INIT;
	struct json_object *report;
	int rc;

	report = cli_ask(c, "doctor", NULL, &rc);
	if (!report)
		return rc;
	if (!js_flag(report, "healthy"))
		rc = CLI_DIFFERENT;
	if (!cli_print_json(c, report)) {
		report_text(c, report, &text);
		cli_print(c, &text);
	}
	str_fini(&text);
	json_object_put(report);
	return rc;
}
