/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys/folders.h"
#include "base/defs.h"

/* Tests end with the process that was forked for them. */
static void must_be(char *folder, const char *wanted)
{
	if (strcmp(folder, wanted)) {
		fprintf(stderr, "%s, not %s\n", folder, wanted);
		_exit(1);
	}
	free(folder);
}

static void as_user(void (*fn)(void))
{
	static const char *const names[] = {
		"HOME",     "XDG_STATE_HOME",  "XDG_RUNTIME_DIR",
		"WEFT_RUN", "STATE_DIRECTORY", "RUNTIME_DIRECTORY"
	};
	pid_t pid = fork();
	int status;

	if (!pid) {
		for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
			unsetenv(names[i]);
		setenv("HOME", "/home/anna", 1);
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void become_anna(void)
{
	if (!geteuid() && setuid(4343))
		_exit(2);
}

static void root(void)
{
	if (geteuid())
		return; /* it cannot be tried */
	setenv("XDG_RUNTIME_DIR", "/run/user/0", 1);
	must_be(folders_state(), "/var/lib/weft");
	must_be(folders_run(), "/run/weft");
	must_be(folders_run_to_ask(), "/run/weft");
}

static void user(void)
{
	become_anna();
	must_be(folders_state(), "/home/anna/.local/state/weft");
	must_be(folders_run(), "/home/anna/.local/state/weft/run");
	setenv("XDG_STATE_HOME", "not/whole", 1);
	must_be(folders_state(), "/home/anna/.local/state/weft");
	setenv("XDG_STATE_HOME", "/state", 1);
	must_be(folders_state(), "/state/weft");
	setenv("XDG_RUNTIME_DIR", "/run/user/1000", 1);
	must_be(folders_run(), "/run/user/1000/weft");
}

static void service(void)
{
	become_anna();
	setenv("STATE_DIRECTORY", "/var/lib/weft", 1);
	setenv("RUNTIME_DIRECTORY", "/run/weft", 1);
	setenv("XDG_RUNTIME_DIR", "/run/user/1000", 1);
	must_be(folders_state(), "/var/lib/weft");
	must_be(folders_run(), "/run/weft");
}

static void asking(void)
{
	char folder[] = "/tmp/weft-folders-XXXXXX", path[64], file[96];

	become_anna();
	if (!mkdtemp(folder))
		_exit(3);
	setenv("XDG_RUNTIME_DIR", folder, 1);
	must_be(folders_run_to_ask(), "/run/weft");
	snprintf(path, sizeof(path), "%s/weft", folder);
	snprintf(file, sizeof(file), "%s/weft.sock", path);
	mkdir(path, 0700);
	fclose(fopen(file, "w"));
	must_be(folders_run_to_ask(), path);
	setenv("WEFT_RUN", "/elsewhere", 1);
	must_be(folders_run_to_ask(), "/elsewhere");
	unlink(file);
	rmdir(path);
	rmdir(folder);
}

static void root_has_the_systems_folders(void **state UNUSED)
{
	as_user(root);
}

static void a_user_has_folders_of_their_own(void **state UNUSED)
{
	as_user(user);
}

static void the_service_manager_is_obeyed(void **state UNUSED)
{
	as_user(service);
}

static void the_own_daemon_is_asked_where_there_is_one(void **state UNUSED)
{
	as_user(asking);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(root_has_the_systems_folders),
		cmocka_unit_test(a_user_has_folders_of_their_own),
		cmocka_unit_test(the_service_manager_is_obeyed),
		cmocka_unit_test(the_own_daemon_is_asked_where_there_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
