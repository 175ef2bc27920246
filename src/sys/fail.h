/* SPDX-License-Identifier: Apache-2.0 */
/* How this room reports that the world failed.
 *
 * What      a negative errno as the result, and the sentence for whoever gave a
 *           struct err.
 * Why so    a system call's failure has both a number for the program and a
 *           sentence for its user; one line makes both.
 * Threads   any. */
#ifndef SYS_FAIL_H
#define SYS_FAIL_H

#include <errno.h>

#include "base/err.h"

/* "FMT...: text of errnum". Returns -errnum; `e` may be NULL. */
int fail_errno(struct err *e, int errnum, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
/* "FMT..." as it stands. Returns -errnum; `e` may be NULL. */
int fail_say(struct err *e, int errnum, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif
