/* SPDX-License-Identifier: Apache-2.0 */
/* Network namespaces whose file lies where we may not look.
 *
 * What      finds the namespace that is mounted on a path by the list of mounts,
 *           and opens it through a process that lives in it.
 * Why so    /run/docker/netns may be closed to all but root. CAP_DAC_READ_SEARCH
 *           would open it, and every other file of the machine, too; the list of
 *           mounts names the namespace, and CAP_SYS_PTRACE, which weft has for
 *           {pid: N}, opens it.
 * Invariant H1 what is opened is the namespace that the list named, whatever
 *           process bears which number meanwhile.
 * Threads   any.
 * Refs      proc_pid_mountinfo(5), namespaces(7). */
#ifndef SYS_NETNS_HIDDEN_H
#define SYS_NETNS_HIDDEN_H

#include "base/err.h"

#define NETNS_HIDDEN_PIDS_MAX 65536u /* looked at, for one who lives in it */

/* A descriptor to close(2). -ENOENT: nothing is mounted there, or nobody lives in
 * it (yet). */
int netns_open_hidden(const char *path) MUST_CHECK;

#endif
