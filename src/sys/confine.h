/* SPDX-License-Identifier: Apache-2.0 */
/* Giving up what is not needed, for good.
 *
 * What      drops every capability but those that weft uses, forbids gaining new
 *           ones, and refuses the system calls that it does not make
 *           (confine_calls.h).
 * Why so    who finds a way into a process that parses strangers' packets shall
 *           find little there (decision D16): no program to start, no module to
 *           load, no other process to trace, no user to become. What is refused
 *           fails with EPERM and is told.
 * Threads   before the first thread is started: all inherit it.
 * Refs      capabilities(7), seccomp(2), prctl(2) PR_SET_NO_NEW_PRIVS. */
#ifndef SYS_CONFINE_H
#define SYS_CONFINE_H

#include "base/err.h"

/* What could be given up is given up. 0, or -errno with a sentence: the rest
 * stays as it is, and the caller may go on. */
int confine(struct err *e) MUST_CHECK;

#endif
