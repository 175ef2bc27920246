/* SPDX-License-Identifier: Apache-2.0 */
/* The system calls that weft makes; every other is refused, and said.
 *
 * What      a seccomp filter that knows what may be called, some of it only with
 *           certain arguments, and a handler for what may not.
 * Why so    a list of what is forbidden ages: each kernel brings calls that it
 *           does not have. What is not listed here fails with EPERM, so that a
 *           mistake of ours is an error and not a death; the first refusal of
 *           each call is told on the standard error (so in the journal), since a
 *           call that silently fails is found by nobody.
 * Invariant S1 no process can be started: only threads are cloned.
 *           S2 no namespace but network namespaces is entered, none is made.
 *           S3 memory is never writable and executable, at once or in turn.
 *           S4 sockets only of the families that weft speaks.
 * Threads   confine_calls before the first thread is started: all inherit it.
 *           SIGSYS stays deliverable in all of them (sys/thread.c); who blocks
 *           it is killed by the kernel at its first refused call.
 * Refs      seccomp(2), SECCOMP_RET_TRAP; sigaction(2), SIGSYS. */
#ifndef SYS_CONFINE_CALLS_H
#define SYS_CONFINE_CALLS_H

#include "base/err.h"

/* 0, or -errno with a sentence: nothing is refused then. Needs no_new_privs or
 * CAP_SYS_ADMIN. */
int confine_calls(struct err *e) MUST_CHECK;

#endif
