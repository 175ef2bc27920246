/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that take or give a whole file. */
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/js.h"
#include "cli/source.h"

int cli_check(struct cli *c)
{
	struct source src;
	int rc = source_read(&src, c);

	if (!rc && !(c->flags & CLI_JSON))
		fprintf(c->out, "%s is right\n", src.name);
	else if (!rc)
		fputs("{\"errors\": []}\n", c->out);
	source_fini(&src);
	return rc;
}

/* --- changes -------------------------------------------------------------- */

static void keys_text(struct json_object *change, bool add, struct str *out)
{
	for (unsigned i = 0; i < js_count(change, "keys"); i++) {
		struct json_object *k = js_at(change, "keys", i);
		const char *from = js_text(k, "from"), *to = js_text(k, "to");

		str_addf(out, "%s%s ", i ? ", " : ": ", js_text(k, "key"));
		if (!add)
			str_addf(out, "%s -> ", *from ? from : "default");
		str_add(out, *to ? to : "default");
	}
}

/* With fragments: which of them says so. */
static void place_text(struct cli *c, struct json_object *change,
		       struct str *out)
{
	char *place = js_origin(change);

	if (c->show_places && *place)
		str_addf(out, "  %s# %s%s", cli_colour(c, "dim"), place,
			 cli_colour(c, "end"));
	free(place);
}

static void change_text(struct cli *c, struct json_object *change,
			struct str *out)
{
	const char *op = js_text(change, "op"), *host = js_text(change, "host");
	bool add = !strcmp(op, "add"), del = !strcmp(op, "del");
	const char *name = js_text(change, "name");

	str_addf(out, "%s%s %s",
		 cli_colour(c, add ? "green" :
			       del ? "red" :
				     "yellow"),
		 add ? "+" :
		 del ? "-" :
		       "~",
		 js_text(change, "kind"));
	if (*name)
		str_addf(out, " %s", name);
	if (*host && strcmp(js_text(change, "kind"), "host"))
		str_addf(out, " (%s)", host);
	if (!del)
		keys_text(change, add, out);
	str_add(out, cli_colour(c, "end"));
	place_text(c, change, out);
	str_add_char(out, '\n');
}

static unsigned count_op(struct json_object *result, const char *op)
{
	unsigned n = 0;

	for (unsigned i = 0; i < js_count(result, "changes"); i++)
		n += !strcmp(js_text(js_at(result, "changes", i), "op"), op);
	return n;
}

static void print_changes(struct cli *c, struct json_object *result)
{
	unsigned n = js_count(result, "changes");
	struct str s = STR_INIT;

	for (unsigned i = 0; i < n; i++)
		change_text(c, js_at(result, "changes", i), &s);
	if (!n)
		str_add(&s, "nothing to change\n");
	else if (js_flag(result, "applied"))
		str_addf(&s, "applied: %u added, %u changed, %u deleted\n",
			 count_op(result, "add"), count_op(result, "change"),
			 count_op(result, "del"));
	else
		str_addf(&s, "%u to add, %u to change, %u to delete\n",
			 count_op(result, "add"), count_op(result, "change"),
			 count_op(result, "del"));
	cli_print(c, &s);
	str_fini(&s);
}

int cli_finish_changes(struct cli *c, struct json_object *result, int status)
{
	if (!result)
		return status;
	if (!cli_print_json(c, result))
		print_changes(c, result);
	json_object_put(result);
	return status;
}

/* "60s", "5m", "1h" or plain seconds; 0: none of these. */
static uint64_t seconds_of(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (end == text || *text == '-' || n > UINT32_MAX)
		return 0;
	if (!strcmp(end, "m"))
		return n * 60;
	if (!strcmp(end, "h"))
		return n * 3600;
	return !*end || !strcmp(end, "s") ? n : 0;
}

/* Who is logged in from elsewhere has its host in SSH_CONNECTION's first word, and
 * in all four the connection. */
static void add_caller(struct json_object *p)
{
	const char *ssh = getenv("SSH_CONNECTION");

	if (!ssh)
		return;
	json_object_object_add(
		p, "caller",
		json_object_new_string_len(ssh, (int)strcspn(ssh, " ")));
	json_object_object_add(p, "connection", json_object_new_string(ssh));
}

static int add_wishes(struct cli *c, struct json_object *p)
{
	uint64_t seconds = c->confirm ? seconds_of(c->confirm) : 0;

	if (c->comment)
		json_object_object_add(p, "comment",
				       json_object_new_string(c->comment));
	if (!c->confirm)
		return CLI_OK;
	if (!seconds)
		return cli_usage(c, "--confirm %s: a time like 60s or 5m",
				 c->confirm);
	json_object_object_add(p, "confirm", json_object_new_uint64(seconds));
	add_caller(p);
	return CLI_OK;
}

static int apply_source(struct cli *c, const struct source *src)
{
	struct json_object *p = source_params(src);
	int rc;

	if (c->flags & CLI_DRY_RUN)
		json_object_object_add(p, "dry_run",
				       json_object_new_boolean(true));
	rc = add_wishes(c, p);
	if (rc) {
		json_object_put(p);
		return rc;
	}
	p = cli_ask_long(c, "apply", p, &rc);
	rc = cli_finish_changes(c, p, rc);
	if (!rc && c->confirm && !(c->flags & CLI_JSON))
		fprintf(c->out,
			"it is undone in %s unless you say: weft confirm\n",
			c->confirm);
	return rc;
}

int cli_apply(struct cli *c)
{
	struct source src;
	int rc = source_read(&src, c);

	if (!rc)
		rc = apply_source(c, &src);
	source_fini(&src);
	return rc;
}

int cli_plan(struct cli *c)
{
	struct json_object *o;
	struct source src;
	int rc = source_read(&src, c);

	if (!rc) {
		c->show_places = src.is_folder;
		o = cli_ask(c, "plan", source_params(&src), &rc);
		if (js_count(o, "changes"))
			rc = CLI_DIFFERENT;
		rc = cli_finish_changes(c, o, rc);
	}
	source_fini(&src);
	return rc;
}

int cli_down(struct cli *c)
{
	int rc;
	struct json_object *o = cli_ask_long(c, "down", NULL, &rc);

	return cli_finish_changes(c, o, rc);
}

int cli_export(struct cli *c)
{
	int rc;
	struct json_object *o = cli_ask(c, "model", NULL, &rc);

	if (o && !cli_print_json(c, o))
		fputs(js_text(o, "text"), c->out);
	json_object_put(o);
	return rc;
}

/* --- edits ---------------------------------------------------------------- */

static struct json_object *edit_new(const char *op, const char *kind,
				    const char *name)
{
	struct json_object *e = json_object_new_object();
	struct json_object *path = json_object_new_array();
	char *plural = xasprintf("%ss", kind);

	json_object_array_add(path, json_object_new_string(plural));
	json_object_array_add(path, json_object_new_string(name));
	json_object_object_add(e, "op", json_object_new_string(op));
	json_object_object_add(e, "path", path);
	free(plural);
	return e;
}

/* KEY=VALUE, or KEY=, or for del KEY. False: neither. */
static bool add_key(struct json_object *edits, const char *kind,
		    const char *name, const char *arg, bool del)
{
	const char *eq = strchr(arg, '=');
	struct json_object *e, *path;
	char *key, *word, *rest;

	if (del ? eq != NULL : !eq || eq == arg)
		return false;
	e = edit_new(del || !eq[1] ? "del" : "set", kind, name);
	json_object_object_get_ex(e, "path", &path);
	key = rest = eq ? xstrndup(arg, (size_t)(eq - arg)) : xstrdup(arg);
	while ((word = strsep(&rest, ".")))
		json_object_array_add(path, json_object_new_string(word));
	free(key);
	if (!del && eq[1])
		json_object_object_add(e, "value",
				       json_object_new_string(eq + 1));
	json_object_array_add(edits, e);
	return true;
}

int cli_edit(struct cli *c)
{
	const char *op = c->args[0], *name = c->args[1];
	const char *kind = c->command->name;
	struct json_object *edits, *p;
	bool add = !strcmp(op, "add"), del = !strcmp(op, "del");
	int rc;

	if (!add && !del && strcmp(op, "set"))
		return cli_usage(c, "\"%s\" is none of add, set, del", op);
	if (!add && !del && c->n_args < 3)
		return cli_usage(c, "what is to be set?");
	edits = json_object_new_array();
	if (add || (del && c->n_args == 2))
		json_object_array_add(edits, edit_new(op, kind, name));
	for (unsigned i = 2; i < c->n_args; i++) {
		if (add_key(edits, kind, name, c->args[i], del))
			continue;
		json_object_put(edits);
		return cli_usage(c,
				 del ? "\"%s\": name the keys that go back to "
				       "their defaults, without a value" :
				       "\"%s\": KEY=VALUE is wanted",
				 c->args[i]);
	}
	p = json_object_new_object();
	json_object_object_add(p, "edits", edits);
	if (c->host)
		json_object_object_add(p, "host",
				       json_object_new_string(c->host));
	p = cli_ask_long(c, "edit", p, &rc);
	return cli_finish_changes(c, p, rc);
}
