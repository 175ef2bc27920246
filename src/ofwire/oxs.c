/* SPDX-License-Identifier: Apache-2.0 */
#include "ofwire/oxs.h"

#include "ofwire/wire.h"

#define OXS_CLASS 0x8002u
#define HEADER 4u

static const struct wire duration[] = {
	W_INT(struct of_counts, duration_sec, 4),
	W_INT(struct of_counts, duration_nsec, 4),
	W_END,
};
static const struct wire idle[] = {
	W_INT(struct of_counts, idle_sec, 4),
	W_PAD(4),
	W_END,
};
static const struct wire flows[] = { W_INT(struct of_counts, flows, 4), W_END };
static const struct wire packets[] = {
	W_INT(struct of_counts, packets, 8),
	W_END,
};
static const struct wire bytes[] = { W_INT(struct of_counts, bytes, 8), W_END };

static const struct wire *const fields[] = { duration, idle,    NULL,
					     flows,    packets, bytes };

static enum of_error field_get(struct cursor *c, struct of_counts *counts)
{
	uint16_t class = cursor_u16(c);
	uint8_t number = cursor_u8(c) >> 1, len = cursor_u8(c);
	struct cursor body = cursor_sub(c, len);

	if (c->failed)
		return OF_OFPBMC_BAD_LEN;
	/* An unknown statistic is no reason to lose the others. */
	if (class != OXS_CLASS || number >= ARRAY_SIZE(fields) ||
	    !fields[number])
		return OF_OK;
	if (len != wire_len(fields[number]))
		return OF_OFPBMC_BAD_LEN;
	wire_read(&body, fields[number], counts);
	return OF_OK;
}

enum of_error oxs_get(struct cursor *c, struct of_counts *counts)
{
	uint16_t len;
	struct cursor list;
	enum of_error e = OF_OK;

	memset(counts, 0, sizeof(*counts));
	cursor_skip(c, 2);
	len = cursor_u16(c);
	if (c->failed || len < HEADER)
		return OF_OFPBMC_BAD_LEN;
	list = cursor_sub(c, len - HEADER);
	cursor_skip(c, ROUND_UP(len, 8u) - len);
	if (c->failed)
		return OF_OFPBMC_BAD_LEN;
	while (!e && !cursor_at_end(&list))
		e = field_get(&list, counts);
	return e;
}

void oxs_put(struct of_out *o, const struct of_counts *counts, unsigned which)
{
	size_t begin = o->len;

	of_out_add(o, HEADER);
	for (unsigned i = 0; i < ARRAY_SIZE(fields); i++) {
		if (!fields[i] || !(which >> i & 1))
			continue;
		of_out_int(o, OXS_CLASS, 2);
		of_out_int(o, i << 1, 1);
		of_out_int(o, wire_len(fields[i]), 1);
		wire_write(o, fields[i], counts);
	}
	of_out_patch16(o, begin + 2, o->len - begin);
	of_out_pad(o, begin, 8);
}
