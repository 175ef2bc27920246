/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <strings.h>

#include "base/log.h"
#include "jsonrpc/unixctl.h"

#define SPEC_MAX 128

/* What their levels mean to ours: emer and off are as near as error. */
static const struct word {
	const char *name;
	enum log_level level;
} words[] = {
	{ "off", LOG_LEVEL_ERROR }, { "emer", LOG_LEVEL_ERROR },
	{ "err", LOG_LEVEL_ERROR }, { "warn", LOG_LEVEL_WARN },
	{ "info", LOG_LEVEL_INFO }, { "dbg", LOG_LEVEL_DEBUG },
};

static enum log_level level_set = LOG_LEVEL_INFO;

static const struct word *word_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcasecmp(words[i].name, name))
			return &words[i];
	return NULL;
}

static void vlog_list(struct unixctl_call *call, unsigned n UNUSED,
		      const char *const w[] UNUSED, void *arg UNUSED)
{
	char text[256];
	const char *name = words[level_set + 2].name;

	snprintf(text, sizeof(text),
		 "                 console    syslog    file\n"
		 "                 -------    ------    ------\n"
		 "weft              %4s       OFF        OFF\n",
		 name);
	unixctl_reply(call, text);
}

/* "[module]:[destination]:[level]" in any order; a module of others' is taken
 * for granted. The level, when it is for all of ours, or NULL. */
static const struct word *spec_parse(const char *spec)
{
	const struct word *level = NULL;
	bool other = false;
	char copy[SPEC_MAX], *rest = copy, *part;

	snprintf(copy, sizeof(copy), "%s", spec);
	while ((part = strsep(&rest, ":, ")) != NULL) {
		const struct word *w = word_find(part);

		if (w)
			level = w;
		else if (*part && strcasecmp(part, "any") &&
			 strcasecmp(part, "weft") &&
			 strcasecmp(part, "console"))
			other = true; /* syslog, file, their modules */
	}
	return other ? NULL : level;
}

static void vlog_set(struct unixctl_call *call, unsigned n,
		     const char *const w[], void *arg UNUSED)
{
	for (unsigned i = 0; i < n; i++) {
		const struct word *level = spec_parse(w[i]);

		if (!level)
			continue;
		level_set = level->level;
		log_set_level(level_set);
	}
	unixctl_reply(call, "");
}

/* Our log is whoever reads our standard error: there is no file of ours. */
static void vlog_nothing(struct unixctl_call *call, unsigned n UNUSED,
			 const char *const w[] UNUSED, void *arg UNUSED)
{
	unixctl_reply(call, "");
}

void unixctl_put_log(struct unixctl *u)
{
	static const struct unixctl_command commands[] = {
		{ "vlog/list", "", 0, 0, vlog_list, NULL },
		{ "vlog/set", "{spec | PATTERN:destination:pattern}", 0, 64,
		  vlog_set, NULL },
		{ "vlog/reopen", "", 0, 0, vlog_nothing, NULL },
		{ "vlog/close", "", 0, 0, vlog_nothing, NULL },
		{ "vlog/enable-rate-limit", "[module]...", 0, 64, vlog_nothing,
		  NULL },
		{ "vlog/disable-rate-limit", "[module]...", 0, 64, vlog_nothing,
		  NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		unixctl_put(u, &commands[i]);
}
