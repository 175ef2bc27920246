/* SPDX-License-Identifier: Apache-2.0 */
#include "base/defs.h"

#include <stdio.h>
#include <sys/mman.h>

void must_fail(const char *cond, const char *file, int line)
{
	fprintf(stderr, "weft: bug: %s:%d: expected %s\n", file, line, cond);
	abort();
}

static void *alloc_checked(void *p)
{
	if (!p) {
		fputs("weft: out of memory\n", stderr);
		abort();
	}
	return p;
}

void *xmalloc(size_t size)
{
	return alloc_checked(malloc(size ? size : 1));
}

void *xzalloc(size_t size)
{
	return xcalloc(1, size);
}

void *xcalloc(size_t n, size_t size)
{
	return alloc_checked(calloc(n ? n : 1, size ? size : 1));
}

void *xrealloc(void *p, size_t size)
{
	return alloc_checked(realloc(p, size ? size : 1));
}

void *xaligned_alloc(size_t align, size_t size)
{
	return alloc_checked(aligned_alloc(align, ROUND_UP(size, align)));
}

char *xstrdup(const char *s)
{
	return alloc_checked(strdup(s));
}

char *xstrndup(const char *s, size_t n)
{
	return alloc_checked(strndup(s, n));
}

void *xmemdup(const void *p, size_t size)
{
	return memcpy(xmalloc(size), p, size);
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s = NULL;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	va_end(ap);
	return alloc_checked(s);
}

void *lazy_alloc(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	/* One touched byte must not cost 2 MB; a kernel without huge pages
	 * refuses, which is as good. */
	(void)madvise(p, size, MADV_NOHUGEPAGE);
	return p;
}

void lazy_free(void *p, size_t size)
{
	if (p)
		must(munmap(p, size) == 0);
}
