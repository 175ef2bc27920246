/* SPDX-License-Identifier: Apache-2.0 */
#include "overlay/note.h"

#include <stdlib.h>

#include "packet/cursor.h"
#include "packet/headers.h"

#define VERSION 1u

_Static_assert(NOTE_PARTS <= 32, "a bit each in `have`");

/* To whom and from whom says the tunnel. */
static const struct eth_addr anybody = { { 0x02, 0, 0, 0, 0, 0 } };

uint32_t note_encode(const struct note *n, unsigned part, uint8_t *out)
{
	uint32_t at = part * NOTE_PART, len = MIN(n->len - at, NOTE_PART);

	must(part < note_parts(n) && n->len <= NOTE_MAX);
	memcpy(out, anybody.b, sizeof(anybody.b));
	memcpy(out + 6, anybody.b, sizeof(anybody.b));
	put_be16(out + 12, NOTE_ETHERTYPE);
	out[14] = VERSION;
	out[15] = (uint8_t)n->kind;
	out[16] = (uint8_t)part;
	out[17] = (uint8_t)note_parts(n);
	put_be32(out + 18, (uint32_t)(n->id >> 32));
	put_be32(out + 22, (uint32_t)n->id);
	memcpy(out + NOTE_HEADER_LEN, n->text + at, len);
	return NOTE_HEADER_LEN + len;
}

static bool fits(const struct note_part *p)
{
	if (!p->kind || p->kind >= N_NOTE_KINDS || p->parts > NOTE_PARTS ||
	    p->part >= p->parts || !p->len || p->len > NOTE_PART)
		return false;
	return p->len == NOTE_PART || p->part == p->parts - 1;
}

bool note_decode(const void *frame, uint32_t len, struct note_part *out)
{
	struct cursor c = cursor_init(frame, len);

	cursor_skip(&c, 12);
	if (cursor_u16(&c) != NOTE_ETHERTYPE || cursor_u8(&c) != VERSION)
		return false;
	out->kind = cursor_u8(&c);
	out->part = cursor_u8(&c);
	out->parts = cursor_u8(&c);
	out->id = (uint64_t)cursor_u32(&c) << 32;
	out->id |= cursor_u32(&c);
	out->len = (uint32_t)cursor_left(&c);
	out->text = cursor_take(&c, out->len);
	return !c.failed && fits(out);
}

void note_join_fini(struct note_join *j)
{
	free(j->text);
	*j = (struct note_join){ 0 };
}

static bool belongs(const struct note_join *j, const struct note_part *p)
{
	return j->text && j->id == p->id && j->kind == p->kind &&
	       j->parts == p->parts;
}

static uint32_t all_of(unsigned parts)
{
	return parts == 32 ? UINT32_MAX : (1u << parts) - 1;
}

bool note_join_put(struct note_join *j, const struct note_part *p)
{
	if (!belongs(j, p)) {
		note_join_fini(j);
		*j = (struct note_join){ .kind = p->kind,
					 .id = p->id,
					 .parts = p->parts,
					 .text = xzalloc(p->parts * NOTE_PART +
							 1) };
	}
	if (j->have & 1u << p->part)
		return false;
	memcpy(j->text + p->part * NOTE_PART, p->text, p->len);
	j->have |= 1u << p->part;
	j->len += p->len;
	return j->have == all_of(j->parts);
}
