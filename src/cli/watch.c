/* SPDX-License-Identifier: Apache-2.0 */
/* `weft watch`: events as they happen, a line each. */
#include <time.h>

#include "cli/cli.h"
#include "cli/js.h"
#include "rpc/client.h"

static const char *colour_of(const char *kind)
{
	if (!strcmp(kind, "loop") || !strcmp(kind, "conflict") ||
	    !strcmp(kind, "flap"))
		return "red";
	return !strcmp(kind, "apply") ? "green" : "dim";
}

static bool is_wanted(const struct cli *c, struct json_object *ev)
{
	for (unsigned i = 0; i < c->n_args; i++)
		if (!strcmp(js_text(ev, "kind"), c->args[i]))
			return true;
	return !c->n_args;
}

static void event_line(const struct cli *c, struct json_object *ev)
{
	time_t when = (time_t)js_number(ev, "time_s");
	const char *kind = js_text(ev, "kind");
	char clock[16] = "";
	struct tm tm;

	if (localtime_r(&when, &tm))
		strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	fprintf(c->out, "%s  %s%-9s%s  %s%s%s: %s", clock,
		cli_colour(c, colour_of(kind)), kind, cli_colour(c, "end"),
		cli_colour(c, "bold"), js_text(ev, "object"),
		cli_colour(c, "end"), js_text(ev, "text"));
	if (js_number(ev, "more"))
		fprintf(c->out, " (and %llu more)",
			(unsigned long long)js_number(ev, "more"));
	fputc('\n', c->out);
}

/* In JSON one object a line, so that it can be read as it comes. */
static void tell(void *arg, struct json_object *ev)
{
	const struct cli *c = arg;

	if (!is_wanted(c, ev))
		return;
	if (c->flags & CLI_JSON)
		fprintf(c->out, "%s\n",
			json_object_to_json_string_ext(
				ev, JSON_C_TO_STRING_PLAIN |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	else
		event_line(c, ev);
	fflush(c->out);
}

static int past(struct cli *c)
{
	struct json_object *list;
	int rc;

	list = cli_ask(c, "events", NULL, &rc);
	for (unsigned i = 0; i < js_length(list); i++)
		tell(c, js_item(list, i));
	json_object_put(list);
	return rc;
}

/* Until the daemon goes, or the user has seen enough. */
static int follow(struct cli *c)
{
	struct json_object *params = json_object_new_object();
	struct rpc_client_call call = {
		.method = "events", .params = params, .progress = tell, .arg = c
	};
	struct rpc_client_reply reply;
	struct rpc_client *client;
	struct err e = ERR_INIT;
	int rc = CLI_OK;

	json_object_object_add(params, "follow", json_object_new_boolean(true));
	client = rpc_client_create(c->socket, &e);
	if (!client) {
		json_object_put(params);
		cli_tell(c, &e, 1);
		err_fini(&e);
		return CLI_UNREACHABLE;
	}
	if (rpc_client_call(client, &call, &reply)) {
		cli_tell(c, reply.errors, reply.n_errors);
		rc = CLI_UNREACHABLE;
	}
	rpc_client_reply_fini(&reply);
	rpc_client_destroy(client);
	return rc;
}

int cli_watch(struct cli *c)
{
	return c->flags & CLI_ONCE ? past(c) : follow(c);
}
