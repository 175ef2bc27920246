/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/frame.h"

#include <errno.h>

#include "base/be.h"

#define FIRST_ROOM 4096u

void frame_reader_init(struct frame_reader *r, size_t max)
{
	*r = (struct frame_reader){ .max = max };
}

void frame_reader_fini(struct frame_reader *r)
{
	free(r->buf);
	*r = (struct frame_reader){ 0 };
}

/* Drops the message that was given out. A buffer grown for a big one goes. */
static void drop_done(struct frame_reader *r)
{
	if (!r->done)
		return;
	r->len -= r->done;
	memmove(r->buf, r->buf + r->done, r->len);
	r->done = 0;
	if (r->cap > 16 * FIRST_ROOM && r->len < FIRST_ROOM) {
		r->cap = FIRST_ROOM;
		r->buf = xrealloc(r->buf, r->cap);
	}
}

char *frame_reader_room(struct frame_reader *r, size_t *size)
{
	drop_done(r);
	if (r->len == r->cap) {
		r->cap = r->cap ? r->cap * 2 : FIRST_ROOM;
		r->cap = MIN(r->cap, r->max + FRAME_HEADER_LEN);
		must(r->cap > r->len);
		r->buf = xrealloc(r->buf, r->cap);
	}
	*size = r->cap - r->len;
	return r->buf + r->len;
}

void frame_reader_filled(struct frame_reader *r, size_t n)
{
	must(n <= r->cap - r->len);
	r->len += n;
}

int frame_reader_next(struct frame_reader *r, const char **msg, size_t *len)
{
	size_t n;

	drop_done(r);
	if (r->len < FRAME_HEADER_LEN)
		return 0;
	n = get_be32(r->buf);
	if (n > r->max)
		return -EMSGSIZE;
	if (r->len - FRAME_HEADER_LEN < n)
		return 0;
	*msg = r->buf + FRAME_HEADER_LEN;
	*len = n;
	r->done = FRAME_HEADER_LEN + n;
	return 1;
}

bool frame_reader_is_amid(const struct frame_reader *r)
{
	return r->len > r->done;
}

void frame_bytes_header(char *out, size_t len)
{
	put_be32(out, (uint32_t)len + 1);
	out[FRAME_HEADER_LEN] = '\0';
}

char *frame_build(const char *msg, size_t len, size_t *total)
{
	char *out = xmalloc(FRAME_HEADER_LEN + len);

	must(len <= UINT32_MAX);
	put_be32(out, (uint32_t)len);
	memcpy(out + FRAME_HEADER_LEN, msg, len);
	*total = FRAME_HEADER_LEN + len;
	return out;
}
