/* SPDX-License-Identifier: Apache-2.0 */
/* What was applied before: `weft history`, `diff`, `rollback`, `confirm`. */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/js.h"
#include "cli/table.h"

static char *when(uint64_t seconds)
{
	time_t t = (time_t)seconds;
	struct tm tm;
	char text[32];

	if (!localtime_r(&t, &tm) ||
	    !strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm))
		return xstrdup("?");
	return xstrdup(text);
}

static void print_history(struct cli *c, struct json_object *list)
{
	struct str out = STR_INIT;
	struct table t;

	if (!json_object_array_length(list)) {
		fputs("nothing was applied yet: weft apply FILE\n", c->out);
		return;
	}
	table_init(&t, ">STATE|WHEN|WHO|WHY|FILE|NOW");
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);

		table_take(&t, xasprintf("%" PRIu64, js_number(o, "serial")));
		table_take(&t, when(js_number(o, "time")));
		table_add(&t, js_text(o, "who"));
		table_add(&t, js_text(o, "why"));
		table_add(&t, js_text(o, "file"));
		table_add(&t, js_flag(o, "current") ? "*" : "");
	}
	table_format(&t, c->colour, &out);
	cli_print(c, &out);
	str_fini(&out);
	table_fini(&t);
}

int cli_history(struct cli *c)
{
	int rc;
	struct json_object *list = cli_ask(c, "history", NULL, &rc);

	if (!list)
		return rc;
	if (!cli_print_json(c, list))
		print_history(c, list);
	json_object_put(list);
	return rc;
}

/* A state's number; 0 and a sentence when it is none. */
static uint64_t state_of(struct cli *c, const char *word)
{
	char *end;
	uint64_t n = strtoull(word, &end, 10);

	if (!*end && end != word && *word != '-' && n)
		return n;
	cli_usage(c, "\"%s\" is no number of a state (weft history)", word);
	return 0;
}

static bool add_state(struct cli *c, struct json_object *p, const char *key,
		      unsigned arg)
{
	uint64_t n;

	if (arg >= c->n_args)
		return true;
	n = state_of(c, c->args[arg]);
	json_object_object_add(p, key, json_object_new_uint64(n));
	return n;
}

int cli_diff(struct cli *c)
{
	struct json_object *p = json_object_new_object();
	int rc;

	if (!add_state(c, p, "from", 0) || !add_state(c, p, "to", 1)) {
		json_object_put(p);
		return CLI_USAGE;
	}
	p = cli_ask(c, "diff", p, &rc);
	if (js_count(p, "changes"))
		rc = CLI_DIFFERENT;
	return cli_finish_changes(c, p, rc);
}

int cli_rollback(struct cli *c)
{
	struct json_object *p = json_object_new_object();
	int rc;

	if (!add_state(c, p, "serial", 0)) {
		json_object_put(p);
		return CLI_USAGE;
	}
	p = cli_ask_long(c, "rollback", p, &rc);
	if (!js_flag(p, "undone") || c->flags & CLI_JSON)
		return cli_finish_changes(c, p, rc);
	fputs("the change that waited for its confirmation is undone\n",
	      c->out);
	json_object_put(p);
	return rc;
}

int cli_confirm(struct cli *c)
{
	int rc;
	struct json_object *o = cli_ask(c, "confirm", NULL, &rc);

	if (o && !cli_print_json(c, o))
		fputs("confirmed: it stays\n", c->out);
	json_object_put(o);
	return rc;
}
