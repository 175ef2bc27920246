/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/folders.h"

#include <pwd.h>
#include <unistd.h>

#include "base/defs.h"

#define ROOT_STATE "/var/lib/weft"
#define ROOT_RUN "/run/weft"

/* NULL when it is empty, or no whole path: the specification says to pass it
 * over. */
static const char *folder_variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value == '/' ? value : NULL;
}

static const char *home(void)
{
	const char *value = folder_variable("HOME");
	const struct passwd *pw = value ? NULL : getpwuid(geteuid());

	if (value)
		return value;
	return pw && *pw->pw_dir == '/' ? pw->pw_dir : "/";
}

static char *user_state(void)
{
	const char *base = folder_variable("XDG_STATE_HOME");

	return base ? xasprintf("%s/weft", base) :
		      xasprintf("%s/.local/state/weft", home());
}

static char *user_run(void)
{
	const char *base = folder_variable("XDG_RUNTIME_DIR");
	char *state, *run;

	if (base)
		return xasprintf("%s/weft", base);
	state = user_state();
	run = xasprintf("%s/run", state);
	free(state);
	return run;
}

char *folders_state(void)
{
	const char *given = folder_variable("STATE_DIRECTORY");

	if (given)
		return xstrdup(given);
	return geteuid() ? user_state() : xstrdup(ROOT_STATE);
}

char *folders_run(void)
{
	const char *given = folder_variable("RUNTIME_DIRECTORY");

	if (given)
		return xstrdup(given);
	return geteuid() ? user_run() : xstrdup(ROOT_RUN);
}

char *folders_run_to_ask(void)
{
	const char *given = getenv("WEFT_RUN");
	char *own, *socket;
	bool there;

	if (given && *given)
		return xstrdup(given);
	if (!geteuid())
		return xstrdup(ROOT_RUN);
	own = user_run();
	socket = xasprintf("%s/weft.sock", own);
	there = !access(socket, F_OK);
	free(socket);
	if (there)
		return own;
	free(own);
	return xstrdup(ROOT_RUN);
}
