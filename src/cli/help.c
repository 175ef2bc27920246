/* SPDX-License-Identifier: Apache-2.0 */
/* Help and manual page: all from the table of commands. */
#include "cli/cli.h"
#include "cli/js.h"
#include "model/doc.h"

#define WRAP 78u
#define INDENT 18u

/* --- help ----------------------------------------------------------------- */

/* Words of `text`, wrapped, each line at `indent`. */
static void wrap(const char *text, size_t indent, struct str *out)
{
	size_t column = indent;

	str_pad(out, indent);
	while (*text) {
		size_t n = strcspn(text, " ");

		if (column > indent && column + n > WRAP) {
			str_add_char(out, '\n');
			str_pad(out, indent);
			column = indent;
		}
		str_add_n(out, text, n);
		column += n + 1;
		text += n;
		if (*text == ' ')
			text++;
		if (*text && column + strcspn(text, " ") <= WRAP)
			str_add_char(out, ' ');
	}
	str_add_char(out, '\n');
}

/* The option's row, its help beside or below. */
static void option_row(const struct cli_option_row *o, struct str *out)
{
	str_addf(out, "  %s%s%s", o->name, o->value ? " " : "",
		 o->value ? o->value : "");
	wrap(o->help, INDENT, out);
}

static void options_text(unsigned of_command, struct str *out)
{
	str_add(out, "\nOptions:\n");
	for (unsigned i = 0; i < cli_n_options; i++) {
		const struct cli_option_row *o = &cli_options[i];

		if (o->global || o->flag & of_command)
			option_row(o, out);
	}
}

static void overview(struct str *out)
{
	str_add(out, "weft: virtual networks on this host and between hosts\n\n"
		     "usage: weft [COMMAND] [OPTIONS]\n\n");
	for (unsigned i = 0; i < cli_n_commands; i++) {
		const struct cli_command *k = &cli_commands[i];

		str_addf(out, "  %s", *k->name ? k->name : "(none)");
		wrap(k->help, INDENT, out);
	}
	options_text(0, out);
	str_add(out, "\nMore: weft help COMMAND, weft help file, weft(1), "
		     "weft.yaml(5)\n");
}

static void command_text(const struct cli_command *k, struct str *out)
{
	str_addf(out, "usage: weft%s%s %s\n\n", *k->name ? " " : "", k->name,
		 k->args);
	wrap(k->help, 0, out);
	if (k->more) {
		str_add_char(out, '\n');
		wrap(k->more, 0, out);
	}
	if (k->example)
		str_addf(out, "\nExample: %s\n", k->example);
	options_text(k->options, out);
}

int cli_help(struct cli *c)
{
	const struct cli_command *k = NULL;
	struct str s = STR_INIT;

	if (c->n_args && !strcmp(c->args[0], "file")) {
		doc_markdown(&s);
	} else if (c->n_args && cli_page(c->args[0], &s)) {
		/* one of the pages that tools/gen-docs writes */
	} else if (c->n_args && *c->args[0]) {
		k = cli_find(c->args[0]);
		if (!k)
			return cli_usage(c, "there is no command \"%s\"",
					 c->args[0]);
		command_text(k, &s);
	} else {
		overview(&s);
	}
	cli_print(c, &s);
	str_fini(&s);
	return CLI_OK;
}

/* --- version -------------------------------------------------------------- */

/* The daemon need not run to say which command this is. */
int cli_version(struct cli *c)
{
	struct json_object *o;
	int rc;

	if (!(c->flags & CLI_JSON))
		fprintf(c->out, "weft %s\n", WEFT_VERSION);
	if (c->flags & CLI_VERSION && !(c->flags & CLI_JSON))
		return CLI_OK;
	o = cli_ask(c, "version", NULL, &rc);
	if (!o)
		return rc;
	json_object_object_add(o, "command",
			       json_object_new_string(WEFT_VERSION));
	if (!cli_print_json(c, o))
		fprintf(c->out, "weftd %s\n", js_text(o, "version"));
	json_object_put(o);
	return rc;
}

/* --- pages ---------------------------------------------------------------- */

/* scdoc reads _ and * as marks. */
static void escape(const char *text, struct str *out)
{
	for (; *text; text++) {
		if (strchr("_*\\[]<>#", *text))
			str_add_char(out, '\\');
		str_add_char(out, *text);
	}
}

static void man_command(const struct cli_command *k, struct str *out)
{
	str_addf(out, "*weft%s%s* ", *k->name ? " " : "", k->name);
	escape(k->args, out);
	str_add(out, "\n\t");
	escape(k->help, out);
	if (k->more) {
		str_add_char(out, ' ');
		escape(k->more, out);
	}
	if (k->example) {
		str_add(out, "\n\n\tExample: *");
		escape(k->example, out);
		str_add_char(out, '*');
	}
	str_add(out, "\n\n");
}

static void man_page(struct str *out)
{
	str_add(out,
		"weft(1)\n\n# NAME\n\nweft - virtual networks on this host "
		"and between hosts\n\n# SYNOPSIS\n\n*weft* \\[COMMAND\\] "
		"\\[OPTIONS\\]\n\n# DESCRIPTION\n\n*weft* asks the daemon "
		"*weftd*(8) to make the network what a file says, to change "
		"it, to show it and to explain it.\n\n# COMMANDS\n\n");
	for (unsigned i = 0; i < cli_n_commands; i++)
		man_command(&cli_commands[i], out);
	str_add(out, "# OPTIONS\n\n");
	for (unsigned i = 0; i < cli_n_options; i++) {
		const struct cli_option_row *o = &cli_options[i];

		str_addf(out, "*%s*%s%s\n\t", o->name, o->value ? " " : "",
			 o->value ? o->value : "");
		escape(o->help, out);
		str_add(out, "\n\n");
	}
	str_add(out, "# EXIT STATUS\n\n"
		     "*0*\n\tIt is done.\n\n"
		     "*1*\n\tIt was refused, or failed; nothing is changed.\n\n"
		     "*2*\n\t*weft plan*: there is something to change. *weft "
		     "doctor*: something is wrong.\n\n"
		     "*3*\n\tThe daemon cannot be asked.\n\n"
		     "*64*\n\tThe command line is wrong.\n\n"
		     "# ENVIRONMENT\n\n"
		     "*WEFT\\_RUN*\n\tThe daemon's folder of sockets.\n\n"
		     "*NO\\_COLOR*\n\tWhen set, nothing is coloured.\n\n"
		     "# SEE ALSO\n\n*weftd*(8), *weft.yaml*(5)\n");
}

bool cli_page(const char *name, struct str *out)
{
	if (!strcmp(name, "file.md"))
		doc_markdown(out);
	else if (!strcmp(name, "weft.yaml.5.scd"))
		doc_scdoc(out);
	else if (!strcmp(name, "weft.schema.json"))
		doc_json_schema(out);
	else if (!strcmp(name, "weft.1.scd"))
		man_page(out);
	else
		return false;
	return true;
}
