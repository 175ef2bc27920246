/* SPDX-License-Identifier: Apache-2.0 */
/* Notes: what the daemons of two hosts say to each other.
 *
 * What      a text of some kilobytes, cut to frames of an Ethertype of their own
 *           that travel through the tunnel in VNI 0, which no network has.
 * Why so    the tunnel is there wherever the question can come up, and its far
 *           end is known: no listener, key or open port more, no more trust in
 *           anybody than the tunnel has already. Nothing that a guest sends is in
 *           VNI 0. A note that is lost is lost: who waits for an answer waits a
 *           second.
 * Invariant N1 a join holds at most NOTE_MAX bytes, and only those that came.
 *           N2 a note is whole when each part came once, of one id and kind.
 * Threads   values.
 * Refs      RFC 7348 5; IEEE 802-2014 9.2.3 (local experimental Ethertype). */
#ifndef OVERLAY_NOTE_H
#define OVERLAY_NOTE_H

#include "base/defs.h"

#define NOTE_VNI 0u
#define NOTE_ETHERTYPE 0x88b6u
#define NOTE_PART 1024u /* bytes of text in a frame */
#define NOTE_PARTS 32u
#define NOTE_MAX (NOTE_PART * NOTE_PARTS)
#define NOTE_HEADER_LEN 26u /* Ethernet, version, kind, part, parts, id */
#define NOTE_FRAME_MAX (NOTE_HEADER_LEN + NOTE_PART)

enum note_kind {
	NOTE_ASK = 1,
	NOTE_ANSWER,
	NOTE_REFUSAL, /* the answer is a sentence that says why not */
	N_NOTE_KINDS,
};

struct note {
	enum note_kind kind;
	uint64_t id; /* of the question; drawn by who asks */
	const char *text;
	uint32_t len; /* 1 to NOTE_MAX */
};

/* How many frames it takes. */
static inline unsigned note_parts(const struct note *n)
{
	return DIV_ROUND_UP(n->len, NOTE_PART);
}

/* Frame number `part`, into NOTE_FRAME_MAX bytes; returns its length. */
uint32_t note_encode(const struct note *n, unsigned part, uint8_t *out);

struct note_part {
	enum note_kind kind;
	uint64_t id;
	unsigned part, parts; /* part < parts <= NOTE_PARTS */
	const char *text;     /* in the frame */
	uint32_t len;         /* NOTE_PART, but of the last: 1 and more */
};

/* False: it is none, or of another version. */
bool note_decode(const void *frame, uint32_t len, struct note_part *out);

/* Parts on their way to being a note; zeroed: none. */
struct note_join {
	enum note_kind kind;
	uint64_t id;
	unsigned parts;
	uint32_t have; /* a bit a part */
	uint32_t len;
	char *text; /* NUL-terminated; NULL while there is none */
};

void note_join_fini(struct note_join *j);
/* True when the note is whole: j->text, until the next call. A part of another
 * note begins that one. */
bool note_join_put(struct note_join *j, const struct note_part *p);

#endif
