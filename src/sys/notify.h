/* SPDX-License-Identifier: Apache-2.0 */
/* Telling the service manager how we are, and leaving descriptors with it.
 *
 * What      systemd's notification socket, its watchdog and its descriptor store,
 *           without its library.
 * Why so    a descriptor that cannot be opened again (a machine that is connected
 *           to us) outlives the process in the store: the next daemon takes it,
 *           and the machine feels nothing (decision D14).
 * Threads   notify_send, notify_store, notify_unstore: any. The rest: the control
 *           thread.
 * Owns      what was handed to us, until it is taken.
 * Refs      sd_notify(3), sd_listen_fds(3), sd_watchdog_enabled(3). */
#ifndef SYS_NOTIFY_H
#define SYS_NOTIFY_H

#include "base/defs.h"

#define NOTIFY_NAME_MAX 80u   /* of a stored descriptor */
#define NOTIFY_FDS_MAX 65536u /* handed to us; more are left alone */

/* "READY=1", "STATUS=..."; several by '\n'. 1 sent, 0 nobody asked (no
 * NOTIFY_SOCKET), or -errno. */
int notify_send(const char *state) MUST_CHECK;

/* How long the manager waits for a sign of life before it restarts us; 0: it does
 * not. */
uint64_t notify_watchdog_ms(void);

/* Leaves a copy of fd with the manager under a name (letters, digits, '-', '.',
 * '_'; others become '_'); it goes by itself when the far end closes. As
 * notify_send. */
int notify_store(const char *name, int fd) MUST_CHECK;
int notify_unstore(const char *name) MUST_CHECK;
/* What a predecessor left under the name, ours from now on; -1: nothing. */
int notify_take(const char *name);
/* Closes, here and in the store, what nobody took. */
void notify_forget_rest(void);

#endif
