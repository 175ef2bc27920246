/* SPDX-License-Identifier: Apache-2.0 */
/* What is being written: bytes that grow.
 *
 * What      a buffer to which big-endian integers, bytes and padding are added
 *           at the end, and in which lengths are patched afterwards.
 * Why so    a length is known once what it covers is written; an offset stays
 *           true when the buffer moves, a pointer does not.
 * Owns      its memory; of_out_take hands it to the caller (free() it).
 * Threads   a value. */
#ifndef OFWIRE_OUT_H
#define OFWIRE_OUT_H

#include "base/be.h"
#include "base/defs.h"

struct of_out {
	uint8_t *b; /* NULL while nothing was written */
	size_t len, cap;
};

#define OF_OUT_INIT                                                            \
	{                                                                      \
		0                                                              \
	}

void of_out_fini(struct of_out *o);
void *of_out_take(struct of_out *o, size_t *len);
/* n zeroed bytes; valid until the next call that adds. */
void *of_out_add(struct of_out *o, size_t n);
void of_out_bytes(struct of_out *o, const void *p, size_t n);
/* The low n bytes of v, big-endian; n <= 8. */
void of_out_int(struct of_out *o, uint64_t v, unsigned n);
/* Zeros until a multiple of `align` bytes (a power of two) since `start`. */
void of_out_pad(struct of_out *o, size_t start, size_t align);
/* 16 bits at an offset written before. */
void of_out_patch16(struct of_out *o, size_t at, size_t v);
/* Throws away all from `len` on. */
void of_out_truncate(struct of_out *o, size_t len);

#endif
