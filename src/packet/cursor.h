/* SPDX-License-Identifier: Apache-2.0 */
/* The cursor: the one way to read input.
 *
 * What      a position in a piece of memory that cannot pass its end.
 * Why so    every decoder reads through it (decision D12): a length that lies
 *           makes a read fail, never reach behind the input.
 * Invariant C1 at <= end. C2 once a read failed, `failed` stays set, and every
 *           later read fails or gives zero: a decoder may check once, at the end.
 * Threads   a value. */
#ifndef PACKET_CURSOR_H
#define PACKET_CURSOR_H

#include "base/be.h"
#include "base/defs.h"

struct cursor {
	const uint8_t *at, *end;
	bool failed;
};

static inline struct cursor cursor_init(const void *p, size_t len)
{
	return (struct cursor){ p, (const uint8_t *)p + len, false };
}

static inline size_t cursor_left(const struct cursor *c)
{
	return (size_t)(c->end - c->at);
}

static inline bool cursor_at_end(const struct cursor *c)
{
	return c->at == c->end;
}

/* The next n bytes, without taking them; NULL when there are fewer. */
static inline const void *cursor_peek(const struct cursor *c, size_t n)
{
	return !c->failed && cursor_left(c) >= n ? c->at : NULL;
}

/* Takes n bytes; NULL (and failed) when there are fewer. */
static inline const void *cursor_take(struct cursor *c, size_t n)
{
	const void *p = cursor_peek(c, n);

	if (unlikely(!p)) {
		c->failed = true;
		return NULL;
	}
	c->at += n;
	return p;
}

static inline bool cursor_skip(struct cursor *c, size_t n)
{
	return cursor_take(c, n) != NULL;
}

static inline uint8_t cursor_u8(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 1);

	return p ? *p : 0;
}

static inline uint16_t cursor_u16(struct cursor *c)
{
	const void *p = cursor_take(c, 2);

	return p ? get_be16(p) : 0;
}

static inline uint32_t cursor_u32(struct cursor *c)
{
	const void *p = cursor_take(c, 4);

	return p ? get_be32(p) : 0;
}

/* A cursor over the next n bytes, which are taken from this one. Failed when
 * there are fewer. */
static inline struct cursor cursor_sub(struct cursor *c, size_t n)
{
	const void *p = cursor_take(c, n);
	struct cursor s = cursor_init(p ? p : c->end, p ? n : 0);

	s.failed = !p;
	return s;
}

/* Copies n bytes out; zeros when there are fewer. */
static inline void cursor_copy(struct cursor *c, void *out, size_t n)
{
	const void *p = cursor_take(c, n);

	if (p)
		memcpy(out, p, n);
	else
		memset(out, 0, n);
}

#endif
