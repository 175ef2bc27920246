/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/js.h"
#include "cli/steps.h"
#include "rpc/client.h"
#include "sys/folders.h"

/* Without a word from the daemon: an apply of thousands of ports takes less. */
#define TIMEOUT_MS 60000u

const struct cli_command *cli_find(const char *name)
{
	for (unsigned i = 0; i < cli_n_commands; i++) {
		if (!strcmp(cli_commands[i].name, name))
			return &cli_commands[i];
	}
	return NULL;
}

int cli_usage(const struct cli *c, const char *fmt, ...)
{
	struct str s = STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	str_addv(&s, fmt, ap);
	va_end(ap);
	fprintf(stderr, "weft: %s\n", str_text(&s));
	if (c->command && *c->command->name)
		fprintf(stderr, "usage: weft %s %s\n", c->command->name,
			c->command->args);
	else
		fputs("usage: weft [COMMAND]; see weft help\n", stderr);
	str_fini(&s);
	return CLI_USAGE;
}

/* --- telling -------------------------------------------------------------- */

const char *cli_colour(const struct cli *c, const char *name)
{
	static const struct {
		const char *name, *code;
	} codes[] = { { "red", "\033[31m" },    { "green", "\033[32m" },
		      { "yellow", "\033[33m" }, { "bold", "\033[1m" },
		      { "dim", "\033[2m" },     { "end", "\033[0m" } };

	for (size_t i = 0; c->colour && i < ARRAY_SIZE(codes); i++) {
		if (!strcmp(codes[i].name, name))
			return codes[i].code;
	}
	return "";
}

void cli_print(struct cli *c, const struct str *text)
{
	fputs(str_text(text), c->out);
}

bool cli_print_json(struct cli *c, struct json_object *o)
{
	if (!(c->flags & CLI_JSON))
		return false;
	fprintf(c->out, "%s\n",
		json_object_to_json_string_ext(
			o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
				   JSON_C_TO_STRING_NOSLASHESCAPE));
	return true;
}

static struct json_object *error_json(const struct err *e)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "text", json_object_new_string(e->text));
	if (e->file)
		json_object_object_add(o, "file",
				       json_object_new_string(e->file));
	if (e->line) {
		json_object_object_add(o, "line",
				       json_object_new_int64(e->line));
		json_object_object_add(o, "column",
				       json_object_new_int64(e->column));
	}
	return o;
}

void cli_tell(struct cli *c, const struct err *items, unsigned n)
{
	struct json_object *o, *list;

	if (c->flags & CLI_JSON) {
		o = json_object_new_object();
		list = json_object_new_array();
		for (unsigned i = 0; i < n; i++)
			json_object_array_add(list, error_json(&items[i]));
		json_object_object_add(o, "errors", list);
		cli_print_json(c, o);
		json_object_put(o);
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		char *text = err_format(&items[i]);

		/* a place stands by itself, so that editors find it */
		fprintf(stderr, "%s%s\n", items[i].line ? "" : "weft: ", text);
		free(text);
	}
}

/* --- asking --------------------------------------------------------------- */

/* Asks; `call` has everything but how long to wait. */
static struct json_object *ask(struct cli *c, struct rpc_client_call call,
			       int *status)
{
	struct json_object *result = NULL;
	struct rpc_client_reply reply;
	struct rpc_client *client;
	struct err e = ERR_INIT;
	int rc;

	call.timeout_ms = TIMEOUT_MS;
	client = rpc_client_create(c->socket, &e);
	if (!client) {
		json_object_put(call.params);
		cli_tell(c, &e, 1);
		err_fini(&e);
		*status = CLI_UNREACHABLE;
		return NULL;
	}
	rc = rpc_client_call(client, &call, &reply);
	if (reply.n_errors) {
		cli_tell(c, reply.errors, reply.n_errors);
		*status = rc == -EINVAL ? CLI_FAILED : CLI_UNREACHABLE;
	} else {
		result = reply.result ? json_object_get(reply.result) :
					json_object_new_object();
		*status = CLI_OK;
	}
	rpc_client_reply_fini(&reply);
	rpc_client_destroy(client);
	return result;
}

struct json_object *cli_ask(struct cli *c, const char *method,
			    struct json_object *params, int *status)
{
	return ask(
		c,
		(struct rpc_client_call){ .method = method, .params = params },
		status);
}

struct json_object *cli_ask_long(struct cli *c, const char *method,
				 struct json_object *params, int *status)
{
	struct rpc_client_call call = { .method = method, .params = params };
	struct json_object *o;
	struct steps s;

	steps_begin(&s, c, &call);
	o = ask(c, call, status);
	steps_end(&s);
	return o;
}

/* --- arguments ------------------------------------------------------------ */

static int unknown_option(const struct cli *c, const char *arg)
{
	const char *names[32], *near;
	unsigned n = 0;

	for (unsigned i = 0; i < cli_n_options; i++)
		names[n++] = cli_options[i].name;
	near = str_nearest(arg, names, n);
	return cli_usage(c, "unknown option %s%s%s%s", arg,
			 near ? "; did you mean " : "", near ? near : "",
			 near ? "?" : "");
}

static int unknown_command(const struct cli *c, const char *arg)
{
	const char *names[64], *near;
	unsigned n = 0;

	for (unsigned i = 1; i < cli_n_commands; i++)
		names[n++] = cli_commands[i].name;
	near = str_nearest(arg, names, n);
	return cli_usage(c, "there is no command \"%s\"%s%s%s", arg,
			 near ? "; did you mean \"" : "", near ? near : "",
			 near ? "\"?" : "");
}

static void take_value(struct cli *c, const char *option, const char *value)
{
	if (!strcmp(option, "--run")) {
		free(c->socket);
		c->socket = xasprintf("%s/weft.sock", value);
	} else if (!strcmp(option, "--socket")) {
		free(c->socket);
		c->socket = xstrdup(value);
	} else if (!strcmp(option, "--host")) {
		c->host = value;
	} else if (!strcmp(option, "--packet")) {
		c->packet = value;
	} else if (!strcmp(option, "--pcap")) {
		c->pcap = value;
	} else if (!strcmp(option, "--sort")) {
		c->sort = value;
	} else if (!strcmp(option, "--filter")) {
		c->filter = value;
	} else if (!strcmp(option, "--interval")) {
		c->interval = value;
	} else if (!strcmp(option, "--confirm")) {
		c->confirm = value;
	} else if (!strcmp(option, "--comment")) {
		c->comment = value;
	}
}

/* --name, --name=value or --name value; *i moves on. */
static int take_option(struct cli *c, int argc, const char *const *argv, int *i)
{
	const char *arg = argv[*i], *eq = strchr(arg, '=');
	size_t len = eq ? (size_t)(eq - arg) : strlen(arg);

	for (unsigned k = 0; k < cli_n_options; k++) {
		const struct cli_option_row *o = &cli_options[k];

		if (strlen(o->name) != len || strncmp(o->name, arg, len))
			continue;
		c->flags |= o->flag;
		if (!o->value)
			return eq ? cli_usage(c, "%s takes no value", o->name) :
				    CLI_OK;
		if (!eq && ++*i >= argc)
			return cli_usage(c, "%s needs a %s", o->name, o->value);
		take_value(c, o->name, eq ? eq + 1 : argv[*i]);
		return CLI_OK;
	}
	return unknown_option(c, arg);
}

static int take_word(struct cli *c, const char *word)
{
	if (!c->command) {
		c->command = *word ? cli_find(word) : NULL;
		return c->command ? CLI_OK : unknown_command(c, word);
	}
	if (c->n_args == CLI_MAX_ARGS)
		return cli_usage(c, "more than %u arguments", CLI_MAX_ARGS);
	c->args[c->n_args++] = word;
	return CLI_OK;
}

static int take_all(struct cli *c, int argc, const char *const *argv)
{
	bool words_only = false;
	int rc = CLI_OK;

	for (int i = 1; i < argc && rc == CLI_OK; i++) {
		const char *arg = argv[i];

		if (!words_only && !strcmp(arg, "--"))
			words_only = true;
		else if (!words_only && !strcmp(arg, "-h"))
			c->flags |= CLI_HELP;
		else if (!words_only && !strncmp(arg, "--", 2))
			rc = take_option(c, argc, argv, &i);
		else
			rc = take_word(c, arg);
	}
	return rc;
}

static int check_args(struct cli *c)
{
	unsigned all = CLI_JSON | CLI_NO_COLOUR | CLI_HELP | CLI_VERSION;

	if (c->n_args < c->command->min_args)
		return cli_usage(c, "%s needs %s", c->command->name,
				 c->command->args);
	if (c->n_args > c->command->max_args)
		return cli_usage(c, "%s: one argument too many",
				 c->args[c->command->max_args]);
	for (unsigned i = 0; i < cli_n_options; i++) {
		unsigned flag = cli_options[i].flag;

		if (c->flags & flag & ~all & ~c->command->options)
			return cli_usage(c, "%s is not for this command",
					 cli_options[i].name);
	}
	return CLI_OK;
}

static void look_around(struct cli *c)
{
	char *run = folders_run_to_ask();

	setlocale(LC_ALL, "");
	c->utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	c->colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	c->out = stdout;
	c->socket = xasprintf("%s/weft.sock", run);
	free(run);
}

static int run(struct cli *c)
{
	int rc;

	if (!c->command)
		c->command = cli_find("");
	if (c->flags & CLI_NO_COLOUR)
		c->colour = false;
	if (c->flags & CLI_VERSION) {
		c->command = cli_find("version");
		c->n_args = 0;
		return cli_version(c);
	}
	if (c->flags & CLI_HELP) {
		c->args[0] = c->command->name;
		c->n_args = *c->command->name ? 1 : 0;
		return cli_help(c);
	}
	rc = check_args(c);
	return rc ? rc : c->command->run(c);
}

int cli_main(int argc, const char *const *argv)
{
	struct cli c = { 0 };
	int rc;

	look_around(&c);
	rc = take_all(&c, argc, argv);
	if (rc == CLI_OK)
		rc = run(&c);
	/* a full disk or a closed pipe is a failure, too */
	if (fflush(c.out) && rc == CLI_OK) {
		fputs("weft: the output could not be written\n", stderr);
		rc = CLI_FAILED;
	}
	free(c.socket);
	return rc;
}
