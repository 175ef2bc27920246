/* SPDX-License-Identifier: Apache-2.0 */
/* Each case in a process of its own, since what is given up is gone: the child
 * tries, and says by its exit status. */
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/reboot.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cap-ng.h>
#include <cmocka.h>

#include "sys/confine.h"
#include "sys/netns.h"
#include "sys/sandbox_test.h"

/* Runs fn confined, in a child; true when it said so. */
static bool confined(bool (*fn)(void))
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (!child)
		_exit(!confine(NULL) && fn() ? 0 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

static bool refused(long rc)
{
	return rc < 0 && errno == EPERM;
}

static bool try_exec(void)
{
	return refused(execl("/bin/true", "true", (char *)NULL));
}

static bool try_module(void)
{
	return refused(syscall(__NR_finit_module, -1, "", 0)) &&
	       refused(syscall(__NR_init_module, NULL, 0, ""));
}

static bool try_users(void)
{
	return refused(setuid(1)) && refused(setgid(1)) &&
	       refused(setresuid(1, 1, 1));
}

static bool try_machine(void)
{
	struct timeval now = { 0, 0 };

	return refused(chroot("/")) && refused(settimeofday(&now, NULL)) &&
	       refused(sethostname("x", 1)) &&
	       /* Harmless even if it were not refused. */
	       refused(reboot(LINUX_REBOOT_CMD_CAD_OFF));
}

static bool try_memory_of_others(void)
{
	return refused(syscall(__NR_process_vm_readv, getppid(), NULL, 0, NULL,
			       0, 0)) &&
	       refused(syscall(__NR_userfaultfd, 0)) &&
	       refused(syscall(__NR_perf_event_open, NULL, 0, 0, -1, 0));
}

static bool only_kept_caps(void)
{
	static const unsigned gone[] = { CAP_SYS_MODULE, CAP_SYS_BOOT,
					 CAP_SETUID,     CAP_SYS_RAWIO,
					 CAP_KILL,       CAP_MKNOD };

	capng_get_caps_process();
	for (unsigned i = 0; i < ARRAY_SIZE(gone); i++)
		if (capng_have_capability(CAPNG_EFFECTIVE, gone[i]) ||
		    capng_have_capability(CAPNG_BOUNDING_SET, gone[i]))
			return false;
	return capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN) &&
	       capng_have_capability(CAPNG_EFFECTIVE, CAP_BPF);
}

static bool what_is_needed(void)
{
	struct nl *nl;
	int self = netns_open_self(NULL);
	int raw = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	return raw >= 0 && self >= 0 && !setns(self, CLONE_NEWNET) &&
	       !nl_open(&nl, NL_CURRENT_NS, NULL) &&
	       !nl_link_set_up(nl, 1, true, NULL);
}

static void no_program_can_be_started(void **state)
{
	(void)state;
	assert_true(confined(try_exec));
}

static void no_module_can_be_loaded(void **state)
{
	(void)state;
	assert_true(confined(try_module));
}

static void nobody_else_can_be_become(void **state)
{
	(void)state;
	assert_true(confined(try_users));
}

static void the_machine_cannot_be_changed(void **state)
{
	(void)state;
	assert_true(confined(try_machine));
}

static void other_processes_cannot_be_read(void **state)
{
	(void)state;
	assert_true(confined(try_memory_of_others));
}

static void only_the_capabilities_that_are_needed_are_left(void **state)
{
	(void)state;
	assert_true(confined(only_kept_caps));
}

static void what_weft_does_still_works(void **state)
{
	(void)state;
	assert_true(confined(what_is_needed));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_program_can_be_started),
		cmocka_unit_test(no_module_can_be_loaded),
		cmocka_unit_test(nobody_else_can_be_become),
		cmocka_unit_test(the_machine_cannot_be_changed),
		cmocka_unit_test(other_processes_cannot_be_read),
		cmocka_unit_test(
			only_the_capabilities_that_are_needed_are_left),
		cmocka_unit_test(what_weft_does_still_works),
	};

	if (!sandbox_enter())
		return SANDBOX_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
