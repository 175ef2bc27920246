/* SPDX-License-Identifier: Apache-2.0 */
/* A place for tests that touch the network: nothing of the machine's own.
 *
 * What      puts the calling process into fresh network and mount namespaces,
 *           with an empty /run and its loopback up.
 * Why so    the machine's real namespaces stay untouched, and names cannot
 *           collide with those of other tests.
 * Threads   the test's only one. */
#ifndef SYS_SANDBOX_TEST_H
#define SYS_SANDBOX_TEST_H

#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

#include "sys/netlink.h"

/* False, with a message, when this machine does not permit it. */
static inline bool sandbox_enter(void)
{
	struct nl *nl;

	if (unshare(CLONE_NEWNET | CLONE_NEWNS) ||
	    mount("", "/", "none", MS_PRIVATE | MS_REC, NULL) ||
	    mount("none", "/run", "tmpfs", 0, NULL)) {
		printf("skipped: needs root for namespaces of its own\n");
		return false;
	}
	must(!nl_open(&nl, NL_CURRENT_NS, NULL));
	must(!nl_link_set_up(nl, 1, true, NULL));
	nl_close(nl);
	return true;
}

/* For meson: the whole test was skipped. */
#define SANDBOX_SKIPPED 77

#endif
