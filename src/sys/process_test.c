/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/process.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void count(void *arg)
{
	++*(unsigned *)arg;
}

static pid_t sleeper(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid)
		pause();
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void the_end_of_a_process_is_told_once(void **state UNUSED)
{
	struct loop *loop = loop_create();
	pid_t pid = sleeper();
	struct process p;
	unsigned told = 0;

	process_init(&p, count, &told);
	assert_int_equal(process_hold(&p, loop, pid, NULL), 0);
	loop_run_ms(loop, 20);
	assert_int_equal(told, 0);
	assert_false(process_has_ended(&p));
	end(pid);
	loop_run_ms(loop, 20);
	loop_run_ms(loop, 20);
	assert_int_equal(told, 1);
	assert_true(process_has_ended(&p));
	process_drop(&p);
	process_drop(&p);
	loop_destroy(loop);
}

static void one_that_ends_before_the_loop_looks_is_told_too(void **state UNUSED)
{
	struct loop *loop = loop_create();
	pid_t pid = sleeper();
	struct process p;
	unsigned told = 0;

	process_init(&p, count, &told);
	assert_int_equal(process_hold(&p, loop, pid, NULL), 0);
	end(pid);
	assert_true(process_has_ended(&p));
	loop_run_ms(loop, 20);
	assert_int_equal(told, 1);
	process_drop(&p);
	loop_destroy(loop);
}

static void one_that_is_not_there_is_refused(void **state UNUSED)
{
	struct loop *loop = loop_create();
	struct err e = ERR_INIT;
	pid_t pid = sleeper();
	struct process p;

	end(pid);
	process_init(&p, count, NULL);
	assert_int_equal(process_hold(&p, loop, pid, &e), -ESRCH);
	assert_non_null(strstr(e.text, "no process"));
	err_fini(&e);
	process_drop(&p);
	loop_destroy(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_end_of_a_process_is_told_once),
		cmocka_unit_test(
			one_that_ends_before_the_loop_looks_is_told_too),
		cmocka_unit_test(one_that_is_not_there_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
