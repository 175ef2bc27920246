/* SPDX-License-Identifier: Apache-2.0 */
/* A fixed layout as a table: one description reads and writes.
 *
 * What      rows that say, in the order of the wire, how many bytes each member
 *           of a struct has there. Integers widen and narrow; names and
 *           addresses are bytes; ports of 16 bits become ours.
 * Why so    a layout written once for both directions cannot disagree with
 *           itself, and six versions of a message are six tables.
 * Invariant W1 what does not fit an integer on the wire is written as all ones.
 * Threads   read-only. */
#ifndef OFWIRE_WIRE_H
#define OFWIRE_WIRE_H

#include "ofwire/out.h"
#include "packet/cursor.h"

enum wire_kind {
	WIRE_END,
	WIRE_PAD,   /* zeros, not looked at */
	WIRE_INT,   /* unsigned */
	WIRE_PORT,  /* a port number: 2 bytes in 1.0 */
	WIRE_BYTES, /* as they are */
};

struct wire {
	uint8_t kind;
	uint8_t size; /* of the member: 1, 2, 4, 8; bytes: not used */
	uint16_t n;   /* on the wire */
	uint16_t off;
};

#define WIRE_MEMBER(kind_, type, member, n_)                                   \
	{                                                                      \
		.kind = kind_, .size = (uint8_t)sizeof(((type *)0)->member),   \
		.n = n_, .off = offsetof(type, member)                         \
	}
#define W_INT(type, member, n) WIRE_MEMBER(WIRE_INT, type, member, n)
#define W_PORT(type, member, n) WIRE_MEMBER(WIRE_PORT, type, member, n)
#define W_BYTES(type, member, n) WIRE_MEMBER(WIRE_BYTES, type, member, n)
#define W_PAD(n_)                                                              \
	{                                                                      \
		.kind = WIRE_PAD, .n = n_                                      \
	}
#define W_END                                                                  \
	{                                                                      \
		.kind = WIRE_END                                               \
	}

/* Fills the members a table names; the cursor fails when bytes are missing. */
void wire_read(struct cursor *c, const struct wire *w, void *into);
void wire_write(struct of_out *o, const struct wire *w, const void *from);
size_t wire_len(const struct wire *w);

#endif
