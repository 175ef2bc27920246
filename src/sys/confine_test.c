/* SPDX-License-Identifier: Apache-2.0 */
/* Each case in a process of its own, since what is given up is gone: the child
 * tries, and says by its exit status. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if_packet.h>
#include <linux/reboot.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cap-ng.h>
#include <cmocka.h>

#include "sys/confine.h"
#include "sys/netns.h"
#include "sys/sandbox_test.h"
#include "sys/thread.h"

#define CONFINED_S 60u /* who hangs is ended */

/* Runs fn confined, in a child; true when it said so. */
static bool confined(bool (*fn)(void))
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (!child) {
		alarm(CONFINED_S);
		_exit(!confine(NULL) && fn() ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

#define SERVICE_USER 65534u

/* What dist/weftd.service gives its user. */
static bool become_service_user(void)
{
	static const unsigned given[] = { CAP_NET_ADMIN,        CAP_NET_RAW,
					  CAP_NET_BIND_SERVICE, CAP_SYS_ADMIN,
					  CAP_SYS_PTRACE,       CAP_BPF };

	capng_clear(CAPNG_SELECT_BOTH);
	for (unsigned i = 0; i < ARRAY_SIZE(given); i++)
		capng_update(CAPNG_ADD,
			     CAPNG_EFFECTIVE | CAPNG_PERMITTED |
				     CAPNG_BOUNDING_SET,
			     given[i]);
	return !capng_apply(CAPNG_SELECT_BOUNDS) &&
	       !capng_change_id(SERVICE_USER, SERVICE_USER,
				CAPNG_DROP_SUPP_GRP);
}

/* As confined, as the user of the unit. */
static bool confined_as_user(bool (*fn)(void))
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (!child) {
		alarm(CONFINED_S);
		_exit(become_service_user() && !confine(NULL) && fn() ? 0 : 1);
	}
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
	return refused(syscall(__NR_process_vm_readv, 1, NULL, 0, NULL, 0,
			       0)) &&
	       refused(syscall(__NR_userfaultfd, 0)) &&
	       refused(syscall(__NR_perf_event_open, NULL, 0, 0, -1, 0));
}

static bool try_processes(void)
{
	struct {
		uint64_t flags, rest[7];
	} args = { 0 };

#ifndef __SANITIZE_ADDRESS__ /* the leak checker needs clone itself */
	if (!refused(syscall(__NR_clone, SIGCHLD, NULL, NULL, NULL, 0)))
		return false;
#endif
	return syscall(__NR_clone3, &args, sizeof(args)) < 0 && errno == ENOSYS;
}

static bool try_namespaces(void)
{
	int mnt = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);

	return mnt >= 0 && refused(setns(mnt, CLONE_NEWNS)) &&
	       refused(setns(mnt, 0)) && refused(unshare(CLONE_NEWNET)) &&
	       refused(unshare(CLONE_NEWUSER)) &&
	       refused(mount("none", "/mnt", "tmpfs", 0, NULL)) &&
	       refused(umount2("/run", MNT_DETACH));
}

static bool try_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *both = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return both == MAP_FAILED && errno == EPERM && p != MAP_FAILED &&
	       refused(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

static bool try_families(void)
{
	static const int families[] = { AF_VSOCK, AF_ALG, AF_BLUETOOTH, AF_XDP,
					AF_TIPC };

	for (unsigned i = 0; i < ARRAY_SIZE(families); i++)
		if (!refused(socket(families[i], SOCK_RAW, 0)))
			return false;
	return true;
}

/* Calls that nobody thought of when the list was written. */
static bool try_new_calls(void)
{
	return refused(syscall(__NR_io_uring_setup, 1, NULL)) &&
	       refused(syscall(__NR_memfd_create, "x", 0)) &&
	       refused(syscall(510)) && refused(syscall(100000));
}

static void try_in_thread(void *arg)
{
	*(bool *)arg = try_exec() && try_machine();
}

static bool try_thread(void)
{
	struct thread t;
	bool ok = false;

	if (thread_start(&t, "confined", THREAD_ANY_CPU, try_in_thread, &ok))
		return false;
	thread_join(&t);
	return ok;
}

/* What is refused is told once, by name. */
static bool try_telling(void)
{
	char said[512], *told;
	int fd[2];
	ssize_t n;

	if (pipe(fd) || dup2(fd[1], STDERR_FILENO) < 0)
		return false;
	for (unsigned i = 0; i < 3; i++)
		if (!try_exec())
			return false;
	n = read(fd[0], said, sizeof(said) - 1);
	if (n <= 0)
		return false;
	said[n] = '\0';
	told = strstr(said, " execve,");
	return told && !strstr(told + strlen(" execve,"), "execve");
}

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>

static void sleep_in_thread(void *arg)
{
	char go;

	(void)!read(*(int *)arg, &go, 1);
}

/* It stops the process from a clone and looks into all its threads. */
static bool try_leak_check(void)
{
	void *volatile lost = malloc(77);
	struct thread t;
	int fd[2];
	bool found;

	if (!lost || pipe(fd) ||
	    thread_start(&t, "sleeper", THREAD_ANY_CPU, sleep_in_thread, fd))
		return false;
	if (dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO) < 0)
		return false;
	lost = NULL;
	found = __lsan_do_recoverable_leak_check();
	close(fd[1]);
	thread_join(&t);
	return found;
}
#endif

static bool is_kept(unsigned cap)
{
	static const unsigned kept[] = {
		CAP_NET_ADMIN,       CAP_NET_RAW,    CAP_NET_BIND_SERVICE,
		CAP_SYS_ADMIN,       CAP_SYS_PTRACE, CAP_BPF,
		CAP_DAC_READ_SEARCH,
	};

	for (unsigned i = 0; i < ARRAY_SIZE(kept); i++)
		if (kept[i] == cap)
			return true;
	return false;
}

static bool only_kept_caps(void)
{
	capng_get_caps_process();
	for (unsigned c = 0; c <= CAP_LAST_CAP; c++)
		if (capng_have_capability(CAPNG_EFFECTIVE, c) != is_kept(c) ||
		    capng_have_capability(CAPNG_PERMITTED, c) != is_kept(c) ||
		    (capng_have_capability(CAPNG_BOUNDING_SET, c) &&
		     !is_kept(c)))
			return false;
	return true;
}

/* What the capabilities that are gone would permit. */
static bool try_rights(void)
{
	return refused(mknod("/run/null", S_IFCHR | 0600, makedev(1, 3))) &&
	       refused(chown("/run", 1, 1)) &&
#ifndef __SANITIZE_ADDRESS__ /* the leak checker needs it */
	       refused(kill(1, 0)) &&
#endif
	       refused(link("/bin/true", "/run/true"));
}

static bool forbidden(long rc)
{
	return rc < 0 && (errno == EACCES || errno == EPERM);
}

/* What is root's stays root's, though there are capabilities. */
static bool try_files_of_root(void)
{
	return forbidden(open("/etc/shadow", O_RDONLY | O_CLOEXEC)) &&
	       forbidden(open("/etc/hosts", O_WRONLY | O_CLOEXEC)) &&
	       forbidden(open("/etc/weft-test", O_WRONLY | O_CREAT | O_CLOEXEC,
			      0600)) &&
	       forbidden(mkdir("/usr/weft-test", 0700)) &&
	       forbidden(unlink("/bin/sh")) &&
	       forbidden(rename("/bin/sh", "/bin/weft-test")) &&
	       forbidden(chmod("/etc/passwd", 0666)) &&
	       forbidden(open("/proc/sys/kernel/core_pattern",
			      O_WRONLY | O_CLOEXEC));
}

static bool try_raising(void)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2] = { { ~0u, ~0u, ~0u },
					       { ~0u, ~0u, ~0u } };

#ifndef __SANITIZE_ADDRESS__ /* the leak checker needs prctl */
	if (!refused(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0,
			   0)) ||
	    !refused(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)) ||
	    !refused(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)))
		return false;
#endif
	return refused(syscall(__NR_capset, &h, d)) && try_users();
}

static bool try_everything_as_user(void)
{
	return try_exec() && try_module() && try_machine() &&
	       try_memory_of_others() && try_namespaces() && try_families() &&
	       try_rights() && try_new_calls();
}

static bool only_the_users_caps(void)
{
	capng_get_caps_process();
	for (unsigned c = 0; c <= CAP_LAST_CAP; c++) {
		bool given = is_kept(c) && c != CAP_DAC_READ_SEARCH;

		if (capng_have_capability(CAPNG_EFFECTIVE, c) != given ||
		    capng_have_capability(CAPNG_PERMITTED, c) != given ||
		    capng_have_capability(CAPNG_BOUNDING_SET, c) != given)
			return false;
	}
	return getuid() == SERVICE_USER && geteuid() == SERVICE_USER;
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

static void no_process_can_be_started(void **state)
{
	(void)state;
	assert_true(confined(try_processes));
}

static void no_namespace_but_of_networks_can_be_entered(void **state)
{
	(void)state;
	assert_true(confined(try_namespaces));
}

static void memory_that_was_written_cannot_be_run(void **state)
{
	(void)state;
	assert_true(confined(try_code));
}

static void sockets_are_of_the_families_that_weft_speaks(void **state)
{
	(void)state;
	assert_true(confined(try_families));
}

static void calls_that_are_not_listed_are_refused(void **state)
{
	(void)state;
	assert_true(confined(try_new_calls));
}

static void threads_are_confined_and_live_on(void **state)
{
	(void)state;
	assert_true(confined(try_thread));
}

static void a_refusal_is_told_once_by_name(void **state)
{
	(void)state;
	assert_true(confined(try_telling));
}

static void rights_that_are_gone_are_refused(void **state)
{
	(void)state;
	assert_true(confined(try_rights));
}

static void what_weft_does_still_works(void **state)
{
	(void)state;
	assert_true(confined(what_is_needed));
}

static void a_sanitized_build_still_finds_its_leaks(void **state)
{
	(void)state;
#ifdef __SANITIZE_ADDRESS__
	assert_true(confined(try_leak_check));
#else
	print_message("this build is not sanitized\n");
	skip();
#endif
}

static void the_units_user_has_its_capabilities_and_no_other(void **state)
{
	(void)state;
	assert_true(confined_as_user(only_the_users_caps));
}

static void the_units_user_is_refused_what_is_roots(void **state)
{
	(void)state;
	assert_true(confined_as_user(try_files_of_root));
}

static void the_units_user_is_refused_all_the_rest(void **state)
{
	(void)state;
	assert_true(confined_as_user(try_everything_as_user));
}

static void the_units_user_cannot_rise(void **state)
{
	(void)state;
	assert_true(confined_as_user(try_raising));
}

static void the_units_user_can_do_its_work(void **state)
{
	(void)state;
	assert_true(confined_as_user(what_is_needed));
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
		cmocka_unit_test(no_process_can_be_started),
		cmocka_unit_test(no_namespace_but_of_networks_can_be_entered),
		cmocka_unit_test(memory_that_was_written_cannot_be_run),
		cmocka_unit_test(sockets_are_of_the_families_that_weft_speaks),
		cmocka_unit_test(calls_that_are_not_listed_are_refused),
		cmocka_unit_test(threads_are_confined_and_live_on),
		cmocka_unit_test(a_refusal_is_told_once_by_name),
		cmocka_unit_test(rights_that_are_gone_are_refused),
		cmocka_unit_test(what_weft_does_still_works),
		cmocka_unit_test(
			the_units_user_has_its_capabilities_and_no_other),
		cmocka_unit_test(the_units_user_is_refused_what_is_roots),
		cmocka_unit_test(the_units_user_is_refused_all_the_rest),
		cmocka_unit_test(the_units_user_cannot_rise),
		cmocka_unit_test(the_units_user_can_do_its_work),
		cmocka_unit_test(a_sanitized_build_still_finds_its_leaks),
	};

	if (!sandbox_enter())
		return SANDBOX_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
