/* SPDX-License-Identifier: Apache-2.0 */
/* What a shell completes: scripts made of the tables of commands, options and
 * keys. Names (of ports, states ...) are asked of the daemon when they are needed. */
#include "cli/cli.h"
#include "cli/table.h"
#include "model/doc.h"

/* The first column of what `weft ...` prints, without its head. */
#define COLUMN "2>/dev/null | sed -n '2,$s/^[ *]*\\([^ ]*\\).*/\\1/p'"

static const struct {
	const char *kind, *named; /* port; weft show ports */
} edited[] = { { "port", "ports" },
	       { "network", "networks" },
	       { "bridge", "bridges" },
	       { "router", "routers" } };

/* What else may stand behind a command. */
static const struct {
	const char *commands, *asked, *words;
} asked[] = {
	{ "explain", "show ports", "" },
	{ "capture", "show ports", "in out both" },
	{ "diff rollback", "history", "" },
	{ "trace", NULL, "live" },
	{ "completion", NULL, "bash zsh fish" },
};

static const char files_of[] = "apply plan check";

static void words_of_commands(struct str *out)
{
	for (unsigned i = 1; i < cli_n_commands; i++)
		str_addf(out, "%s%s", i > 1 ? " " : "", cli_commands[i].name);
}

static void words_of_options(struct str *out)
{
	for (unsigned i = 0; i < cli_n_options; i++)
		str_addf(out, "%s%s", i ? " " : "", cli_options[i].name);
}

static void words_of_kinds(struct str *out)
{
	for (unsigned i = 0; cli_kinds[i]; i++)
		str_addf(out, "%s%s", i ? " " : "", cli_kinds[i]);
}

/* "type= network= ..." */
static void words_of_keys(const char *kind, struct str *out)
{
	const char *key;

	for (unsigned i = 0; (key = doc_key(kind, i)); i++)
		str_addf(out, "%s%s=", i ? " " : "", key);
}

/* --- bash and zsh: one function says what may stand there ------------------- */

/* "a b" -> "a|b" */
static void pattern(struct str *out, const char *commands)
{
	for (; *commands; commands++)
		str_addf(out, "%c", *commands == ' ' ? '|' : *commands);
}

static void case_of_asked(struct str *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		str_add(out, "\t");
		pattern(out, asked[i].commands);
		str_add(out, ") ");
		if (*asked[i].words)
			str_addf(out, "echo %s;", asked[i].words);
		if (asked[i].asked)
			str_addf(out, "_weft_column %s;", asked[i].asked);
		str_add(out, ";\n");
	}
}

static void case_of_edited(struct str *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(edited); i++) {
		str_addf(out,
			 "\t%s) case $1 in 2) echo add set del;; "
			 "3) _weft_column show %s;; *) echo ",
			 edited[i].kind, edited[i].named);
		words_of_keys(edited[i].kind, out);
		str_add(out, ";; esac;;\n");
	}
}

static void function_of_words(struct str *out)
{
	str_add(out, "_weft_column() { weft \"$@\" " COLUMN "; }\n"
		     "# the number of the word, the command\n"
		     "_weft_words() {\n"
		     "\t[ $1 -eq 1 ] && echo ");
	words_of_commands(out);
	str_add(out, " && return\n\tcase $2 in\n");
	case_of_edited(out);
	for (unsigned i = 0; i < cli_n_commands; i++)
		if (cli_commands[i].words)
			str_addf(out, "\t%s) echo %s;;\n", cli_commands[i].name,
				 cli_commands[i].words);
	case_of_asked(out);
	str_add(out, "\tshow) echo ");
	words_of_kinds(out);
	str_add(out, ";;\n\t");
	pattern(out, files_of);
	str_add(out, ") echo @files;;\n\tesac\n}\n");
}

static void complete_bash(struct str *out)
{
	function_of_words(out);
	str_add(out, "_weft() {\n"
		     "\tlocal cur=${COMP_WORDS[COMP_CWORD]} words\n"
		     "\tcase $cur in\n\t-*) words='");
	words_of_options(out);
	str_add(out,
		"';;\n"
		"\t*) words=$(_weft_words $COMP_CWORD \"${COMP_WORDS[1]}\");;\n"
		"\tesac\n"
		"\tcase \"$3 $words\" in -w\\ * | --pcap\\ * | *@files*)\n"
		"\t\tCOMPREPLY=($(compgen -f -- \"$cur\")); return;; esac\n"
		"\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
		"\tcase ${COMPREPLY[0]} in *=) compopt -o nospace;; esac\n"
		"}\n"
		"complete -F _weft weft\n");
}

/* Both a file of $fpath and something to be sourced. */
static void complete_zsh(struct str *out)
{
	str_add(out, "#compdef weft\n");
	function_of_words(out);
	str_add(out, "_weft() {\n"
		     "\tlocal found\n"
		     "\tcase ${words[CURRENT]} in\n\t-*) found='");
	words_of_options(out);
	str_add(out,
		"';;\n"
		"\t*) found=$(_weft_words $((CURRENT - 1)) \"${words[2]}\");;\n"
		"\tesac\n"
		"\tcase \"${words[CURRENT-1]} $found\" in\n"
		"\t-w\\ * | --pcap\\ * | *@files*) _files; return;; esac\n"
		"\tcompadd -S '' -- ${(M)${=found}:#*=}\n"
		"\tcompadd -- ${${=found}:#*=}\n"
		"}\n"
		"if [ \"$funcstack[1]\" = _weft ]; then _weft; "
		"else compdef _weft weft; fi\n");
}

/* --- fish ------------------------------------------------------------------- */

static void fish_commands(struct str *out)
{
	for (unsigned i = 1; i < cli_n_commands; i++)
		str_addf(out,
			 "complete -c weft -n __fish_use_subcommand -a %s -d "
			 "'%s'\n",
			 cli_commands[i].name, cli_commands[i].help);
	for (unsigned i = 0; i < cli_n_options; i++)
		str_addf(out, "complete -c weft -l %s%s\n",
			 cli_options[i].name + 2,
			 cli_options[i].value ? " -r" : "");
}

static void fish_behind(struct str *out, const char *commands)
{
	str_addf(out, "complete -c weft -n '__fish_seen_subcommand_from %s' ",
		 commands);
}

static void fish_edited(struct str *out)
{
	static const char place[] =
		"complete -c weft -n '__fish_seen_subcommand_from %s; and test "
		"(count (commandline -opc)) -%s' -a '";

	for (size_t i = 0; i < ARRAY_SIZE(edited); i++) {
		str_addf(out, place, edited[i].kind, "eq 2");
		str_add(out, "add set del'\n");
		str_addf(out, place, edited[i].kind, "eq 3");
		str_addf(out, "(_weft_column show %s)'\n", edited[i].named);
		str_addf(out, place, edited[i].kind, "ge 4");
		words_of_keys(edited[i].kind, out);
		str_add(out, "'\n");
	}
}

static void complete_fish(struct str *out)
{
	str_add(out, "function _weft_column; weft $argv " COLUMN "; end\n"
		     "complete -c weft -f\n");
	fish_commands(out);
	for (unsigned i = 0; i < cli_n_commands; i++) {
		if (!cli_commands[i].words)
			continue;
		fish_behind(out, cli_commands[i].name);
		str_addf(out, "-a '%s'\n", cli_commands[i].words);
	}
	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		fish_behind(out, asked[i].commands);
		str_addf(out, "-a '%s", asked[i].words);
		if (asked[i].asked)
			str_addf(out, " (_weft_column %s)", asked[i].asked);
		str_add(out, "'\n");
	}
	fish_behind(out, "show");
	str_add(out, "-a '");
	words_of_kinds(out);
	str_add(out, "'\n");
	fish_behind(out, files_of);
	str_add(out, "-F\n");
	fish_edited(out);
}

/* --- which ------------------------------------------------------------------ */

static const struct {
	const char *shell;
	void (*write)(struct str *out);
} shells[] = { { "bash", complete_bash },
	       { "zsh", complete_zsh },
	       { "fish", complete_fish } };

void cli_complete(const char *shell, struct str *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(shells); i++) {
		if (!strcmp(shells[i].shell, shell))
			shells[i].write(out);
	}
}

int cli_completion(struct cli *c)
{
	struct str s = STR_INIT;

	cli_complete(c->args[0], &s);
	if (!s.len)
		return cli_usage(c, "\"%s\" is none of bash, zsh, fish",
				 c->args[0]);
	cli_print(c, &s);
	str_fini(&s);
	return CLI_OK;
}
