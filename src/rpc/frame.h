/* SPDX-License-Identifier: Apache-2.0 */
/* Frames: messages on a stream.
 *
 * What      4 bytes of length, big-endian, then that many bytes of JSON; or a
 *           zero byte and bytes that are none (a capture).
 * Why so    a reader knows what comes before it comes, and refuses early.
 * Invariant F1 memory follows what was received, not what was announced: a
 *           length that lies costs nothing. F2 an announced length above the
 *           limit ends the stream at once.
 * Threads   none of its own.
 * Owns      its buffer. */
#ifndef RPC_FRAME_H
#define RPC_FRAME_H

#include "base/defs.h"

#define FRAME_HEADER_LEN 4u
/* What a peer sends in one message at most: a whole file as a string. */
#define FRAME_MAX_REQUEST (16u << 20)
#define FRAME_MAX_REPLY (256u << 20)

struct frame_reader {
	char *buf;
	size_t len, cap;
	size_t max;  /* bytes of a message */
	size_t done; /* bytes of the message given out last */
};

void frame_reader_init(struct frame_reader *r, size_t max);
void frame_reader_fini(struct frame_reader *r);
/* Where the next bytes go: at least one fits. Tell how many came by
 * frame_reader_filled. */
char *frame_reader_room(struct frame_reader *r, size_t *size);
void frame_reader_filled(struct frame_reader *r, size_t n);
/* 1 and the message (valid until the next call of any of these), 0 when it is
 * not whole yet, -EMSGSIZE when it is longer than allowed. */
int frame_reader_next(struct frame_reader *r, const char **msg,
		      size_t *len) MUST_CHECK;
/* Has it part of a message? */
bool frame_reader_is_amid(const struct frame_reader *r);

/* In front of `len` bytes that are no JSON. */
#define FRAME_BYTES_HEADER_LEN (FRAME_HEADER_LEN + 1)
void frame_bytes_header(char *out, size_t len);
/* Are they? JSON never begins with a zero. */
static inline bool frame_is_bytes(const char *msg, size_t len)
{
	return len && !msg[0];
}

/* Header and message as one block, to be freed. */
char *frame_build(const char *msg, size_t len, size_t *total);

#endif
