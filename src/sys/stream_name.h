/* SPDX-License-Identifier: Apache-2.0 */
/* Names of connections, as Open vSwitch's users write them.
 *
 * What      unix:PATH, tcp:HOST[:PORT] and ssl:HOST[:PORT] are dialled;
 *           punix:PATH, ptcp:[PORT][:HOST] and pssl:[PORT][:HOST] listen.
 * Why so    managers, controllers and --remote share one grammar, so there is
 *           one parser with one set of sentences.
 * Invariant N1 HOST is a number: nothing here asks a name server. An IPv6
 *           address stands in brackets, with a %scope where it needs one.
 *           N2 port 0 only in a listening name: the kernel chooses.
 * Owns      the path; stream_name_fini frees.
 * Threads   none of its own.
 * Refs      ovsdb(7) "Connection Methods", RFC 4007 11 (scope). */
#ifndef SYS_STREAM_NAME_H
#define SYS_STREAM_NAME_H

#include <sys/socket.h>

#include "base/err.h"

/* IPv6 address, scope, brackets, "pssl:" and a port. */
#define STREAM_NAME_LEN 96

enum stream_kind { STREAM_UNIX, STREAM_TCP, STREAM_SSL };

struct stream_name {
	enum stream_kind kind;
	bool listens;
	char *path; /* STREAM_UNIX */
	struct sockaddr_storage address;
	socklen_t address_len;
};

/* `port` stands where the text names none. 0, or -EINVAL and the sentence. */
int stream_name_parse(const char *text, uint16_t port, struct stream_name *out,
		      struct err *e) MUST_CHECK;
void stream_name_fini(struct stream_name *n);
/* True for what starts like a name of this kind, whatever follows. */
bool stream_name_listens(const char *text);
uint16_t stream_name_port(const struct stream_name *n);
/* "tcp:192.0.2.1:6640", "ssl:[2001:db8::1]:6640": how a peer is called. */
void stream_name_format_peer(enum stream_kind kind,
			     const struct sockaddr_storage *address,
			     char text[STREAM_NAME_LEN]);

#endif
