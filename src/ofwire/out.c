/* SPDX-License-Identifier: Apache-2.0 */
#include "ofwire/out.h"

#define OUT_FIRST 256u

void of_out_fini(struct of_out *o)
{
	free(o->b);
	memset(o, 0, sizeof(*o));
}

void *of_out_take(struct of_out *o, size_t *len)
{
	void *b = o->b;

	*len = o->len;
	memset(o, 0, sizeof(*o));
	return b;
}

void *of_out_add(struct of_out *o, size_t n)
{
	void *p;

	if (o->cap - o->len < n) {
		size_t cap = MAX(o->cap * 2, OUT_FIRST);

		o->cap = MAX(cap, o->len + n);
		o->b = xrealloc(o->b, o->cap);
	}
	p = o->b + o->len;
	memset(p, 0, n);
	o->len += n;
	return p;
}

void of_out_bytes(struct of_out *o, const void *p, size_t n)
{
	if (n)
		memcpy(of_out_add(o, n), p, n);
}

void of_out_int(struct of_out *o, uint64_t v, unsigned n)
{
	uint8_t *p = of_out_add(o, n);

	for (unsigned i = 0; i < n; i++)
		p[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
}

void of_out_pad(struct of_out *o, size_t start, size_t align)
{
	size_t used = o->len - start;

	of_out_add(o, ROUND_UP(used, align) - used);
}

void of_out_patch16(struct of_out *o, size_t at, size_t v)
{
	must(at + 2 <= o->len);
	put_be16(o->b + at, (uint16_t)v);
}

void of_out_truncate(struct of_out *o, size_t len)
{
	must(len <= o->len);
	o->len = len;
}
