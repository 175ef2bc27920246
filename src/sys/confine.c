/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/confine.h"

#include <cap-ng.h>
#include <errno.h>
#include <seccomp.h>
#include <sys/prctl.h>

#include "sys/fail.h"

/* What each is for. */
static const unsigned kept_caps[] = {
	CAP_NET_ADMIN,        /* devices, addresses, routes, filters */
	CAP_NET_RAW,          /* packet sockets */
	CAP_NET_BIND_SERVICE, /* services below port 1024 */
	CAP_SYS_ADMIN,        /* entering network namespaces */
	CAP_SYS_PTRACE,       /* ... of another user's process */
	CAP_BPF,              /* the kernel cache, the guard */
	CAP_CHOWN,            /* the command socket's group */
	CAP_DAC_OVERRIDE,     /* a state folder of another user */
};

/* Never made by weft or its libraries. */
static const int refused_calls[] = {
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load),
	SCMP_SYS(reboot),
	SCMP_SYS(swapon),
	SCMP_SYS(swapoff),
	SCMP_SYS(pivot_root),
	SCMP_SYS(chroot),
	SCMP_SYS(acct),
	SCMP_SYS(quotactl),
	SCMP_SYS(settimeofday),
	SCMP_SYS(clock_settime),
	SCMP_SYS(adjtimex),
	SCMP_SYS(clock_adjtime),
	SCMP_SYS(iopl),
	SCMP_SYS(ioperm),
	SCMP_SYS(setuid),
	SCMP_SYS(setgid),
	SCMP_SYS(setreuid),
	SCMP_SYS(setregid),
	SCMP_SYS(setresuid),
	SCMP_SYS(setresgid),
	SCMP_SYS(setgroups),
	SCMP_SYS(add_key),
	SCMP_SYS(request_key),
	SCMP_SYS(keyctl),
	SCMP_SYS(open_by_handle_at),
	SCMP_SYS(perf_event_open),
	SCMP_SYS(userfaultfd),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(syslog),
	SCMP_SYS(sethostname),
	SCMP_SYS(setdomainname),
#ifndef __SANITIZE_ADDRESS__ /* the leak checker traces its own threads */
	SCMP_SYS(ptrace),
#endif
};

static int keep_caps(struct err *e)
{
	capng_select_t set = CAPNG_SELECT_BOTH;

	if (capng_get_caps_process())
		return fail_say(e, EPERM, "the capabilities cannot be read");
	/* Without CAP_SETPCAP the bounding set stays: no_new_privs makes up. */
	if (!capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP))
		set = CAPNG_SELECT_CAPS;
	for (unsigned c = 0; c <= CAP_LAST_CAP; c++) {
		bool keep = false;

		for (unsigned i = 0; i < ARRAY_SIZE(kept_caps); i++)
			keep |= kept_caps[i] == c;
		if (!keep &&
		    capng_update(CAPNG_DROP,
				 CAPNG_EFFECTIVE | CAPNG_PERMITTED |
					 CAPNG_INHERITABLE | CAPNG_BOUNDING_SET,
				 c))
			return fail_say(e, EINVAL,
					"capability %u cannot be dropped", c);
	}
	return capng_apply(set) ?
		       fail_say(e, EPERM,
				"the capabilities that are not needed cannot "
				"be dropped") :
		       0;
}

static int refuse_calls(struct err *e)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int err = ctx ? 0 : -ENOMEM;

	for (unsigned i = 0; !err && i < ARRAY_SIZE(refused_calls); i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM),
				       refused_calls[i], 0);
	if (!err)
		err = seccomp_load(ctx);
	seccomp_release(ctx);
	return err ? fail_errno(e, err, "system calls cannot be refused") : 0;
}

int confine(struct err *e)
{
	int err = keep_caps(e);

	if (err)
		return err;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return fail_errno(e, -errno, "cannot give up new privileges");
	return refuse_calls(e);
}
