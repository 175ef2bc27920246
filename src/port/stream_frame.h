/* SPDX-License-Identifier: Apache-2.0 */
/* Frames in a stream of bytes, as QEMU's stream netdev writes them.
 *
 * What      finds the next frame in what was received so far: a length of four
 *           bytes in network order, then that many bytes.
 * Why so    a stream has no ends but those that are counted; who counts wrongly
 *           once is not understood ever after, so the connection is given up.
 * Threads   a value.
 * Refs      QEMU's net/stream.c and net_fill_rstate. */
#ifndef PORT_STREAM_FRAME_H
#define PORT_STREAM_FRAME_H

#include "packet/cursor.h"
#include "packet/packet.h"

#define STREAM_LENGTH_LEN 4u

enum stream_got {
	STREAM_MORE,   /* not all of it is here yet: nothing was taken */
	STREAM_FRAME,  /* *frame, *len: taken */
	STREAM_BROKEN, /* a length that no frame has */
};

static inline enum stream_got
stream_frame_decode(struct cursor *c, const uint8_t **frame, uint32_t *len)
{
	struct cursor ahead = *c;

	if (cursor_left(c) < STREAM_LENGTH_LEN)
		return STREAM_MORE;
	*len = cursor_u32(&ahead);
	if (!*len || *len > PACKET_MAX_LEN)
		return STREAM_BROKEN;
	*frame = cursor_peek(&ahead, *len);
	if (!*frame)
		return STREAM_MORE;
	(void)!cursor_skip(c, STREAM_LENGTH_LEN + *len);
	return STREAM_FRAME;
}

#endif
