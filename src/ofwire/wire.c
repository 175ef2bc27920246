/* SPDX-License-Identifier: Apache-2.0 */
#include "ofwire/wire.h"

#include "ofwire/ofp.h"

static uint64_t int_read(struct cursor *c, unsigned n)
{
	uint8_t b[8];
	uint64_t v = 0;

	must(n <= sizeof(b));
	cursor_copy(c, b, n);
	for (unsigned i = 0; i < n; i++)
		v = v << 8 | b[i];
	return v;
}

static void member_set(void *p, unsigned size, uint64_t v)
{
	uint8_t v8 = (uint8_t)v;
	uint16_t v16 = (uint16_t)v;
	uint32_t v32 = (uint32_t)v;

	switch (size) {
	case 1:
		memcpy(p, &v8, size);
		return;
	case 2:
		memcpy(p, &v16, size);
		return;
	case 4:
		memcpy(p, &v32, size);
		return;
	default:
		must(size == 8);
		memcpy(p, &v, size);
	}
}

static uint64_t member_get(const void *p, unsigned size)
{
	uint8_t v8;
	uint16_t v16;
	uint32_t v32;
	uint64_t v;

	switch (size) {
	case 1:
		memcpy(&v8, p, size);
		return v8;
	case 2:
		memcpy(&v16, p, size);
		return v16;
	case 4:
		memcpy(&v32, p, size);
		return v32;
	default:
		must(size == 8);
		memcpy(&v, p, size);
		return v;
	}
}

void wire_read(struct cursor *c, const struct wire *w, void *into)
{
	for (; w->kind != WIRE_END; w++) {
		char *p = (char *)into + w->off;
		uint64_t v;

		if (w->kind == WIRE_PAD) {
			cursor_skip(c, w->n);
		} else if (w->kind == WIRE_BYTES) {
			cursor_copy(c, p, w->n);
		} else {
			v = int_read(c, w->n);
			if (w->kind == WIRE_PORT && w->n == 2)
				v = of_port_from_16((uint16_t)v);
			member_set(p, w->size, v);
		}
	}
}

static uint64_t narrowed(uint64_t v, const struct wire *w)
{
	if (w->kind == WIRE_PORT)
		return w->n == 2 ? of_port_to_16((uint32_t)v) : v;
	return w->n < 8 && v >> (8 * w->n) ? UINT64_MAX : v;
}

void wire_write(struct of_out *o, const struct wire *w, const void *from)
{
	for (; w->kind != WIRE_END; w++) {
		const char *p = (const char *)from + w->off;

		if (w->kind == WIRE_PAD)
			of_out_add(o, w->n);
		else if (w->kind == WIRE_BYTES)
			of_out_bytes(o, p, w->n);
		else
			of_out_int(o, narrowed(member_get(p, w->size), w),
				   w->n);
	}
}

size_t wire_len(const struct wire *w)
{
	size_t len = 0;

	for (; w->kind != WIRE_END; w++)
		len += w->n;
	return len;
}
