/* SPDX-License-Identifier: Apache-2.0 */
#include "dp/slab.h"

#include <errno.h>

int slab_init(struct slab *s, size_t size)
{
	*s = (struct slab){ .size = size };
	s->base = lazy_alloc(size);
	if (!s->base)
		return -ENOMEM;
	s->used = SLAB_STEP; /* index 0 stays free: it means none */
	return 0;
}

void slab_fini(struct slab *s)
{
	lazy_free(s->base, s->size);
	*s = (struct slab){ 0 };
}

static unsigned slab_class(size_t n, size_t *block)
{
	unsigned c = SLAB_SMALL_MAX / SLAB_STEP;

	if (n <= SLAB_SMALL_MAX) {
		*block = ROUND_UP(MAX(n, 1u), SLAB_STEP);
		return (unsigned)(*block / SLAB_STEP - 1);
	}
	for (*block = SLAB_SMALL_MAX * 2; *block < n; *block *= 2)
		c++;
	must(*block <= SLAB_LARGE_MAX);
	return c;
}

void *slab_alloc(struct slab *s, size_t n)
{
	size_t block;
	unsigned c = slab_class(n, &block);
	struct slab_free *f = s->free[c];

	if (f) {
		s->free[c] = f->next;
		return f;
	}
	if (s->size - s->used < block)
		return NULL;
	f = (struct slab_free *)(void *)(s->base + s->used);
	s->used += block;
	return f;
}

void slab_free(struct slab *s, void *p, size_t n)
{
	struct slab_free *f = p;
	size_t block;
	unsigned c = slab_class(n, &block);

	f->next = s->free[c];
	s->free[c] = f;
}
