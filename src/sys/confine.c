/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/confine.h"

#include <cap-ng.h>
#include <errno.h>
#include <sys/prctl.h>

#include "sys/confine_calls.h"
#include "sys/fail.h"

/* What each is for. */
static const unsigned kept_caps[] = {
	CAP_NET_ADMIN,        /* devices, addresses, routes, filters */
	CAP_NET_RAW,          /* packet sockets */
	CAP_NET_BIND_SERVICE, /* services below port 1024 */
	CAP_SYS_ADMIN,        /* entering network namespaces */
	CAP_SYS_PTRACE,       /* ... of another user's process */
	CAP_BPF,              /* the kernel cache, the guard */
	/* Only when started by root: who holds a port (/proc/PID/fd), and
	 * namespaces in a folder of root's in which nobody lives. */
	CAP_DAC_READ_SEARCH,
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

int confine(struct err *e)
{
	int err = keep_caps(e);

	if (err)
		return err;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return fail_errno(e, -errno, "cannot give up new privileges");
	return confine_calls(e);
}
