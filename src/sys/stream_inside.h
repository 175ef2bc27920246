/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a stream: for stream*.c only.
 *
 * What      how a descriptor becomes a stream, and who is told when it is one
 *           and when it is none any more: its listener or its dial.
 * Threads   the loop's.
 * Owns      the descriptor, from stream_begin on. */
#ifndef SYS_STREAM_INSIDE_H
#define SYS_STREAM_INSIDE_H

#include "sys/stream.h"

struct stream_maker {
	/* Connected and the handshake done. */
	void (*up)(void *arg, struct stream *s);
	/* Ended, however; `why` is NULL when its owner closed it. */
	void (*gone)(void *arg, struct stream *s, const char *why);
	void *arg;
	struct list *streams; /* it is in this list as long as it lives */
};

struct stream_begin {
	int fd;
	enum stream_kind kind;
	struct tls_config *tls;
	bool is_server;
	bool connecting; /* connect(2) said EINPROGRESS */
	struct stream_maker maker;
};

struct stream *stream_begin(struct loop *loop, const struct stream_begin *b);
/* Their maker goes: those with an owner live on, the others end. */
void stream_forget_maker(struct list *streams);
/* Nothing may go out late: request and answer, in small pieces. */
void stream_set_nodelay(int fd);

#endif
