/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/confine_calls.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

#include "sys/fail.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||     \
	__has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* By name, since not every architecture and not every libseccomp knows each:
 * what is not known here cannot be called here. */
/* clang-format off */
static const char *const allowed[] = {
	/* memory; mmap, mprotect: see with_conditions */
	"brk", "madvise", "membarrier", "mremap", "munmap",
	/* threads; clone, prctl, prlimit64: see with_conditions */
	"arch_prctl", "exit", "exit_group", "futex", "futex_requeue",
	"futex_time64", "futex_wait", "futex_waitv", "futex_wake",
	"get_robust_list", "getcpu", "getpid", "gettid", "restart_syscall",
	"rseq", "sched_getaffinity", "sched_setaffinity", "sched_yield",
	"set_robust_list", "set_tid_address",
	/* signals; tgkill: see filter_allow_abort */
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack",
	"sigreturn",
	/* time */
	"clock_getres", "clock_getres_time64", "clock_gettime",
	"clock_gettime64", "clock_nanosleep", "clock_nanosleep_time64",
	"gettimeofday", "nanosleep", "time", "timerfd_create",
	"timerfd_gettime", "timerfd_gettime64", "timerfd_settime",
	"timerfd_settime64",
	/* waiting */
	"_newselect", "epoll_create1", "epoll_ctl", "epoll_pwait",
	"epoll_pwait2", "epoll_wait", "eventfd2", "poll", "ppoll",
	"ppoll_time64", "pselect6", "pselect6_time64", "select",
	/* descriptors */
	"_llseek", "close", "dup", "dup2", "dup3", "fcntl", "fcntl64", "ioctl",
	"lseek", "pipe", "pipe2", "pread64", "pwrite64", "read", "readv",
	"write", "writev",
	/* files */
	"access", "arm_fadvise64_64", "chmod", "faccessat", "faccessat2",
	"fadvise64", "fadvise64_64", "fchmod", "fchmodat", "fchmodat2",
	"fdatasync", "flock", "fstat", "fstat64", "fstatat64", "fsync",
	"ftruncate", "ftruncate64", "getcwd", "getdents", "getdents64",
	"inotify_add_watch", "inotify_init1", "inotify_rm_watch", "lstat",
	"lstat64", "mkdir", "mkdirat", "newfstatat", "open", "openat",
	"readlink", "readlinkat", "rename", "renameat", "renameat2", "setxattr",
	"stat", "stat64", "statx", "unlink", "unlinkat",
	/* sockets; socket, socketpair: see with_conditions */
	"accept", "accept4", "bind", "connect", "getpeername", "getsockname",
	"getsockopt", "listen", "recv", "recvfrom", "recvmmsg",
	"recvmmsg_time64", "recvmsg", "send", "sendmmsg", "sendmsg", "sendto",
	"setsockopt", "shutdown",
	/* who and where we are */
	"capget", "getegid", "getegid32", "geteuid", "geteuid32", "getgid",
	"getgid32", "getrandom", "getuid", "getuid32", "sysinfo", "uname",
	/* the kernel cache, the guard, a port's process; setns: below */
	"bpf", "pidfd_open",
#if SANITIZED
	/* The leak checker stops and reads its own process from a clone. */
	"clone", "getppid", "kill", "personality", "prctl", "prlimit64",
	"ptrace", "sched_getparam", "sched_getscheduler",
	"setrlimit", "tgkill", "wait4",
#endif
};
/* clang-format on */

/* At most two conditions on its arguments, all to hold; several rows of one call
 * are alternatives. */
struct conditioned {
	const char *name;
	unsigned n;
	struct scmp_arg_cmp arg[2];
};

/* The kernel looks at 32 bits of them. */
#define ARG_IS(nr, value) SCMP_CMP(nr, SCMP_CMP_MASKED_EQ, 0xffffffffu, (value))
#define ARG_HAS(nr, mask, bits) SCMP_CMP(nr, SCMP_CMP_MASKED_EQ, (mask), (bits))

/* What a thread of ours is cloned with, and nothing that makes a namespace. */
#define THREAD_MASK                                                            \
	(CLONE_THREAD | CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |         \
	 CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)
#ifdef __s390__
#define CLONE_FLAGS 1
#else
#define CLONE_FLAGS 0
#endif

static const struct conditioned with_conditions[] = {
	{ "clone", 1, { ARG_HAS(CLONE_FLAGS, THREAD_MASK, CLONE_THREAD) } },
	{ "setns", 1, { ARG_IS(1, CLONE_NEWNET) } },
	/* Executable and not writable: a library that is loaded late. */
	{ "mmap", 1, { ARG_HAS(2, PROT_EXEC, 0) } },
	{ "mmap", 1, { ARG_HAS(2, PROT_EXEC | PROT_WRITE, PROT_EXEC) } },
	{ "mmap2", 1, { ARG_HAS(2, PROT_EXEC, 0) } },
	{ "mmap2", 1, { ARG_HAS(2, PROT_EXEC | PROT_WRITE, PROT_EXEC) } },
	{ "mprotect", 1, { ARG_HAS(2, PROT_EXEC, 0) } },
	{ "socket", 1, { ARG_IS(0, AF_UNIX) } },
	{ "socket", 1, { ARG_IS(0, AF_INET) } },
	{ "socket", 1, { ARG_IS(0, AF_INET6) } },
	{ "socket", 1, { ARG_IS(0, AF_NETLINK) } },
	{ "socket", 1, { ARG_IS(0, AF_PACKET) } },
	{ "socketpair", 1, { ARG_IS(0, AF_UNIX) } },
	{ "prctl", 1, { ARG_IS(0, PR_SET_NAME) } },
	{ "prctl", 1, { ARG_IS(0, PR_GET_NAME) } },
	/* libcap-ng and libbpf look around; glibc names its heaps. */
	{ "prctl", 1, { ARG_IS(0, PR_CAPBSET_READ) } },
	{ "prctl", 1, { ARG_IS(0, PR_SET_VMA) } },
	/* Our own limits: looking at them; memory for the kernel cache, which
	 * libbpf raises on kernels before 5.11. */
	{ "prlimit64", 2, { ARG_IS(0, 0), ARG_HAS(2, ~0ULL, 0) } },
	{ "prlimit64", 2, { ARG_IS(0, 0), ARG_IS(1, RLIMIT_MEMLOCK) } },
};

/* --- telling what was refused ---------------------------------------------------- */

#define CALLS_MAX 1024u
static const char *call_names[CALLS_MAX]; /* set once, before the filter is */
static _Atomic(bool) call_told[CALLS_MAX];

/* In a signal's handler: no more than one system call. */
static void say_refused(unsigned nr)
{
	static char space[] = " ",
		    before[] = "weftd: refused itself the system call ",
		    after[] = ", which it never makes: please report this\n";
	char digits[12], *at = digits + sizeof(digits);
	const char *name = nr < CALLS_MAX ? call_names[nr] : NULL;
	unsigned n = nr;

	do
		*--at = (char)('0' + n % 10);
	while (n /= 10);

	struct iovec line[] = {
		{ before, sizeof(before) - 1 },
		{ at, (size_t)(digits + sizeof(digits) - at) },
		{ space, name ? 1 : 0 },
		{ (char *)(uintptr_t)name, name ? strlen(name) : 0 },
		{ after, sizeof(after) - 1 },
	};

	(void)!writev(STDERR_FILENO, line, ARRAY_SIZE(line));
}

/* Makes the call return -EPERM. */
static bool refuse_in(ucontext_t *uc)
{
#if defined(__x86_64__)
	uc->uc_mcontext.gregs[REG_RAX] = -EPERM;
#elif defined(__i386__)
	uc->uc_mcontext.gregs[REG_EAX] = -EPERM;
#elif defined(__aarch64__)
	uc->uc_mcontext.regs[0] = (unsigned long)-EPERM;
#elif defined(__riscv)
	uc->uc_mcontext.__gregs[REG_A0] = (unsigned long)-EPERM;
#else
	(void)uc;
	return false;
#endif
	return true;
}

static void on_refused(int sig UNUSED, siginfo_t *info, void *context)
{
	int saved = errno;
	unsigned nr = (unsigned)info->si_syscall;

	if (nr >= CALLS_MAX || !atomic_exchange(&call_told[nr], true))
		say_refused(nr);
	must(refuse_in(context));
	errno = saved;
}

/* False where a refusal cannot be told: then it is only refused. */
static bool prepare_to_tell(void)
{
	struct sigaction sa = { .sa_sigaction = on_refused,
				.sa_flags = SA_SIGINFO | SA_ONSTACK };
	ucontext_t probe = { 0 };

	if (!refuse_in(&probe) || sigaction(SIGSYS, &sa, NULL))
		return false;
	/* The names are the library's and stay for good. */
	for (unsigned i = 0; i < CALLS_MAX; i++)
		call_names[i] = seccomp_syscall_resolve_num_arch(
			SCMP_ARCH_NATIVE, (int)i);
	return true;
}

/* --- the filter -------------------------------------------------------------------- */

static int filter_allow(scmp_filter_ctx ctx, const char *name, unsigned n,
			const struct scmp_arg_cmp *arg)
{
	int nr = seccomp_syscall_resolve_name(name);

	if (nr == __NR_SCMP_ERROR)
		return 0;
	return seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, nr, n, arg);
}

#if !SANITIZED
/* Only to end ourselves (abort). */
static int filter_allow_abort(scmp_filter_ctx ctx)
{
	struct scmp_arg_cmp self = ARG_IS(0, (scmp_datum_t)getpid());

	return filter_allow(ctx, "tgkill", 1, &self);
}
#else
static int filter_allow_abort(scmp_filter_ctx ctx UNUSED)
{
	return 0;
}
#endif

static int filter_fill(scmp_filter_ctx ctx)
{
	/* Its flags cannot be seen; who is told that it does not exist takes
	 * clone, whose flags can. */
	int err = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS),
				   seccomp_syscall_resolve_name("clone3"), 0);

	for (unsigned i = 0; !err && i < ARRAY_SIZE(allowed); i++)
		err = filter_allow(ctx, allowed[i], 0, NULL);
	for (unsigned i = 0; !err && i < ARRAY_SIZE(with_conditions); i++) {
		const struct conditioned *c = &with_conditions[i];

		err = filter_allow(ctx, c->name, c->n, c->arg);
	}
	return err ? err : filter_allow_abort(ctx);
}

int confine_calls(struct err *e)
{
	bool telling = prepare_to_tell();
	scmp_filter_ctx ctx =
		seccomp_init(telling ? SCMP_ACT_TRAP : SCMP_ACT_ERRNO(EPERM));
	int err = ctx ? filter_fill(ctx) : -ENOMEM;

	/* A tree: the hot calls cost the same as the rare ones. */
	if (!err)
		err = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (!err)
		err = seccomp_load(ctx);
	seccomp_release(ctx);
	return err ? fail_errno(e, err, "system calls cannot be refused") : 0;
}
