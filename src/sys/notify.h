/* SPDX-License-Identifier: Apache-2.0 */
/* Telling the service manager how we are.
 *
 * What      systemd's notification socket, without its library.
 * Threads   any.
 * Refs      sd_notify(3). */
#ifndef SYS_NOTIFY_H
#define SYS_NOTIFY_H

#include "base/defs.h"

/* "READY=1", "STATUS=..."; several by '\n'. 1 sent, 0 nobody asked (no
 * NOTIFY_SOCKET), or -errno. */
int notify_send(const char *state) MUST_CHECK;

#endif
