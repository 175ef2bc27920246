/* SPDX-License-Identifier: Apache-2.0 */
/* The test is the service manager. What was handed over is read once in a
 * process's life, so each case that is handed something has a process of its own. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys/notify.h"

#define MANAGER "@weft-notify-test-%d"

/* Listens where the process is told to tell. */
static int manager_open(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	char name[64];
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(name, sizeof(name), MANAGER, getpid());
	memcpy(at.sun_path + 1, name + 1, strlen(name) - 1);
	assert_true(fd >= 0);
	assert_false(bind(fd, (struct sockaddr *)&at,
			  (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				      strlen(name))));
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

/* The next message, "" when there is none; *fd what came with it, or -1. */
static const char *manager_read(int manager, int *fd)
{
	static char text[512];
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { text, sizeof(text) - 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control.bytes,
			    .msg_controllen = sizeof(control.bytes) };
	ssize_t n = recvmsg(manager, &m, MSG_CMSG_CLOEXEC);
	struct cmsghdr *c;

	*fd = -1;
	text[n < 0 ? 0 : n] = '\0';
	c = n < 0 ? NULL : CMSG_FIRSTHDR(&m);
	if (c)
		memcpy(fd, CMSG_DATA(c), sizeof(int));
	return text;
}

static void what_is_told_arrives(void **state)
{
	int manager = manager_open(), fd;

	(void)state;
	assert_int_equal(notify_send("READY=1"), 1);
	assert_string_equal(manager_read(manager, &fd), "READY=1");
	assert_int_equal(fd, -1);
	close(manager);
	assert_int_equal(notify_send("READY=1"), -ECONNREFUSED);
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(notify_send("READY=1"), 0);
	setenv("NOTIFY_SOCKET", "relative", 1);
	assert_int_equal(notify_send("READY=1"), -EINVAL);
	unsetenv("NOTIFY_SOCKET");
}

static void a_stored_descriptor_is_the_one_that_was_given(void **state)
{
	int manager = manager_open(), pipes[2], fd;
	char c = 0;

	(void)state;
	assert_false(pipe(pipes));
	assert_int_equal(notify_store("stream:vm 1", pipes[0]), 1);
	assert_string_equal(manager_read(manager, &fd),
			    "FDSTORE=1\nFDNAME=stream_vm_1");
	assert_true(fd >= 0);
	assert_int_equal(write(pipes[1], "x", 1), 1);
	assert_int_equal(read(fd, &c, 1), 1);
	assert_int_equal(c, 'x');
	close(fd);
	assert_int_equal(notify_unstore("stream:vm 1"), 1);
	assert_string_equal(manager_read(manager, &fd),
			    "FDSTOREREMOVE=1\nFDNAME=stream_vm_1");
	close(pipes[0]);
	close(pipes[1]);
	close(manager);
	unsetenv("NOTIFY_SOCKET");
}

static void set_number(const char *name, long n)
{
	char text[24];

	snprintf(text, sizeof(text), "%ld", n);
	setenv(name, text, 1);
}

/* True when fn said so in a process that has three descriptors handed to it, by
 * these names, for the process `pid` (0: itself). */
static bool handed(const char *names, long pid, bool (*fn)(void))
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (!child) {
		for (int fd = 3; fd < 6; fd++)
			dup2(0, fd);
		setenv("LISTEN_FDS", "3", 1);
		setenv("LISTEN_FDNAMES", names, 1);
		set_number("LISTEN_PID", pid ? pid : getpid());
		_exit(fn() ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static bool takes_each_once(void)
{
	return notify_take("vm2") == 4 && notify_take("vm2") == -1 &&
	       notify_take("no") == -1 && notify_take("vm3") == 5 &&
	       notify_take("vm1") == 3 && fcntl(3, F_GETFD) == FD_CLOEXEC;
}

static bool forgets_the_rest(void)
{
	int manager = manager_open(), fd;
	bool told;

	if (notify_take("vm2") != 4)
		return false;
	notify_forget_rest();
	told = !strcmp(manager_read(manager, &fd),
		       "FDSTOREREMOVE=1\nFDNAME=vm1") &&
	       !strcmp(manager_read(manager, &fd),
		       "FDSTOREREMOVE=1\nFDNAME=vm3") &&
	       !*manager_read(manager, &fd);
	return told && !is_open(3) && is_open(4) && !is_open(5) &&
	       notify_take("vm1") == -1;
}

static bool takes_nothing(void)
{
	bool nothing = notify_take("vm1") == -1;

	notify_forget_rest();
	return nothing && is_open(3);
}

static void what_was_left_is_taken_once_by_name(void **state)
{
	(void)state;
	assert_true(handed("vm1:vm2:vm3", 0, takes_each_once));
}

static void what_nobody_takes_is_given_back(void **state)
{
	(void)state;
	assert_true(handed("vm1:vm2:vm3", 0, forgets_the_rest));
}

static void what_is_for_another_process_is_left_alone(void **state)
{
	(void)state;
	assert_true(handed("vm1:vm2:vm3", 1, takes_nothing));
}

static bool waits_a_minute(void)
{
	setenv("WATCHDOG_USEC", "60000000", 1);
	set_number("WATCHDOG_PID", getpid());
	return notify_watchdog_ms() == 60000;
}

static bool waits_for_another(void)
{
	setenv("WATCHDOG_USEC", "60000000", 1);
	set_number("WATCHDOG_PID", 1);
	return notify_watchdog_ms() == 0;
}

static void the_watchdog_is_ours_when_it_names_us(void **state)
{
	(void)state;
	assert_int_equal(notify_watchdog_ms(), 0);
	assert_true(handed("", 0, waits_a_minute));
	assert_true(handed("", 0, waits_for_another));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_told_arrives),
		cmocka_unit_test(a_stored_descriptor_is_the_one_that_was_given),
		cmocka_unit_test(what_was_left_is_taken_once_by_name),
		cmocka_unit_test(what_nobody_takes_is_given_back),
		cmocka_unit_test(what_is_for_another_process_is_left_alone),
		cmocka_unit_test(the_watchdog_is_ours_when_it_names_us),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
