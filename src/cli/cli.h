/* SPDX-License-Identifier: Apache-2.0 */
/* The command `weft`: what all commands share.
 *
 * What      the table of commands, the options, asking the daemon, telling its
 *           errors.
 * Why so    help, completion and the manual page are made from the same table
 *           that runs the commands.
 * Threads   one.
 * Exit      CLI_OK and the others below; documented in weft(1). */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdio.h>

#include "base/err.h"
#include "base/str.h"

struct json_object;

enum cli_exit {
	CLI_OK = 0,
	CLI_FAILED = 1,      /* refused, or it did not work */
	CLI_DIFFERENT = 2,   /* plan: there is something to change */
	CLI_UNREACHABLE = 3, /* the daemon cannot be asked */
	CLI_USAGE = 64,
};

enum cli_option {
	CLI_JSON = 1 << 0,
	CLI_DRY_RUN = 1 << 1,
	CLI_UDP = 1 << 2,
	CLI_NO_COLOUR = 1 << 3,
	CLI_HELP = 1 << 4,
	CLI_VERSION = 1 << 5,
	CLI_ONCE = 1 << 6,
	CLI_LOOK = 1 << 7,   /* --sort, --filter, --interval */
	CLI_CHANGE = 1 << 8, /* --confirm, --comment */
	CLI_QUIET = 1 << 9,
};

/* Those of capture. */
#define CLI_OUTER (1u << 16)
#define CLI_INNER (1u << 17)
#define CLI_DROPS (1u << 18)
#define CLI_WIRE (1u << 19)
#define CLI_TEXT (1u << 20)

struct cli;

struct cli_command {
	const char *name;
	const char *args; /* as help shows them */
	unsigned min_args, max_args;
	unsigned options; /* of its own, beside those that all have */
	int (*run)(struct cli *c);
	const char *help;    /* one sentence */
	const char *more;    /* what else is to be known, or NULL */
	const char *example; /* a line, or NULL */
	const char *words;   /* its arguments, for completion, or NULL */
};

/* The rows; the first, without a name, is `weft` alone. */
extern const struct cli_command cli_commands[];
extern const unsigned cli_n_commands;

struct cli_option_row {
	const char *name, *value; /* "--run", "DIR"; NULL: a flag */
	unsigned flag;
	const char *help;
	bool global; /* every command has it */
};

extern const struct cli_option_row cli_options[];
extern const unsigned cli_n_options;

#define CLI_MAX_ARGS 512u

struct cli {
	const struct cli_command *command;
	const char *args[CLI_MAX_ARGS];
	unsigned n_args;
	unsigned flags; /* enum cli_option */
	char *socket;
	const char *host;   /* --host, or NULL */
	const char *packet; /* --packet, or NULL */
	const char *pcap;   /* --pcap, or NULL */
	/* top: --sort, --filter, --interval, or NULL */
	const char *sort, *filter, *interval;
	const char *confirm, *comment; /* apply, or NULL */
	bool show_places; /* of changes: several files are looked at */
	bool colour;      /* of what goes to stdout */
	bool utf8;
	FILE *out;
};

/* main() without its name. */
int cli_main(int argc, const char *const *argv);

const struct cli_command *cli_find(const char *name);
/* "weft: usage ...", with the nearest right word; returns CLI_USAGE. */
int cli_usage(const struct cli *c, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Asks; `params` is taken. NULL after telling why, and *status says what to
 * exit with. */
struct json_object *cli_ask(struct cli *c, const char *method,
			    struct json_object *params, int *status);
/* The same for what may take its time: after a second the steps are told on
 * stderr, unless --quiet or --json. */
struct json_object *cli_ask_long(struct cli *c, const char *method,
				 struct json_object *params, int *status);
/* With --json: prints `o` and is true. */
bool cli_print_json(struct cli *c, struct json_object *o);
/* Errors on stderr, or as JSON. */
void cli_tell(struct cli *c, const struct err *items, unsigned n);
void cli_print(struct cli *c, const struct str *text);
/* Prints the changes of an answer (NULL: none came), frees it; returns status. */
int cli_finish_changes(struct cli *c, struct json_object *result, int status);
/* A colour's beginning or end; "" without colour. */
const char *cli_colour(const struct cli *c, const char *name);

/* The commands. */
int cli_status(struct cli *c);
int cli_show(struct cli *c);
int cli_drops(struct cli *c);
int cli_doctor(struct cli *c);
int cli_watch(struct cli *c);
int cli_top(struct cli *c);
int cli_graph(struct cli *c);
int cli_metrics(struct cli *c);
int cli_bundle(struct cli *c);
int cli_apply(struct cli *c);
int cli_plan(struct cli *c);
int cli_check(struct cli *c);
int cli_down(struct cli *c);
int cli_confirm(struct cli *c);
int cli_history(struct cli *c);
int cli_diff(struct cli *c);
int cli_rollback(struct cli *c);
int cli_export(struct cli *c);
int cli_edit(struct cli *c);
int cli_explain(struct cli *c);
int cli_capture(struct cli *c);
int cli_trace(struct cli *c);
/* The way of a packet as explain tells it, drawn. */
void cli_draw_path(struct cli *c, struct json_object *o, struct str *out);
int cli_help(struct cli *c);
int cli_completion(struct cli *c);
int cli_version(struct cli *c);

/* What can be shown; the last is NULL. */
extern const char *const cli_kinds[];

/* Pages made from the tables: "file.md", "weft.1.scd", "weft.yaml.5.scd".
 * False: there is no such page. */
bool cli_page(const char *name, struct str *out);
void cli_complete(const char *shell, struct str *out);

#endif
