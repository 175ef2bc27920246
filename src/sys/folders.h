/* SPDX-License-Identifier: Apache-2.0 */
/* Where the daemon keeps its things, for root and for everybody else.
 *
 * What      the folder of what must survive, and that of the sockets.
 * Why so    daemon and command find each other without being told, and a daemon of
 *           an ordinary user (decision D10) needs nothing of root's.
 * Threads   any.
 * Refs      XDG Base Directory Specification 0.8; systemd.exec(5) on
 *           STATE_DIRECTORY and RUNTIME_DIRECTORY. */
#ifndef SYS_FOLDERS_H
#define SYS_FOLDERS_H

/* The daemon's own, to be freed: what the service manager says, else root's
 * (/var/lib/weft, /run/weft), else the user's ($XDG_STATE_HOME or ~/.local/state,
 * and $XDG_RUNTIME_DIR or `run` below the former). */
char *folders_state(void);
char *folders_run(void);
/* Where the daemon to be spoken to has its sockets, to be freed: $WEFT_RUN, else
 * that of the user's own daemon where there is one, else root's. */
char *folders_run_to_ask(void);

#endif
