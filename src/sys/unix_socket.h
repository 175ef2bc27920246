/* SPDX-License-Identifier: Apache-2.0 */
/* Unix stream sockets: the way of those who command us.
 *
 * What      listen, connect, accept, and who is at the other end.
 * Why so    who may speak to us is decided by the file's owner, group and mode,
 *           and by the kernel's word on who the peer is.
 * Invariant U1 every descriptor is non-blocking and close-on-exec.
 * Threads   any; a descriptor is its owner's.
 * Refs      unix(7). */
#ifndef SYS_UNIX_SOCKET_H
#define SYS_UNIX_SOCKET_H

#include "base/err.h"

struct unix_socket_spec {
	const char *path; /* any length; '@...' is abstract */
	unsigned mode;    /* permissions of the socket file: 0660 */
	bool has_group; /* who may connect besides: by the file's ACL, acl(5) */
	uint32_t group;
};

/* A socket file left by a dead process is replaced; a living one gives
 * -EADDRINUSE. Never for a moment open to more than it will be. */
int unix_socket_listen(const struct unix_socket_spec *s,
		       struct err *e) MUST_CHECK;
/* -ENOENT, -ECONNREFUSED: nobody there, and the sentence says so. */
int unix_socket_connect(const char *path, struct err *e) MUST_CHECK;
/* The next client, -EAGAIN when none waits. On -EMFILE and the like the caller
 * waits before it tries again: the client stays in the queue. */
int unix_socket_accept(int fd) MUST_CHECK;

struct unix_socket_peer {
	int pid;
	uint32_t uid, gid;
};

int unix_socket_peer(int fd, struct unix_socket_peer *out) MUST_CHECK;
/* Was the peer of this group, first or further, when it connected? What cannot
 * be found out is a no. */
bool unix_socket_peer_is_in(int fd, const struct unix_socket_peer *p,
			    uint32_t group);

#endif
