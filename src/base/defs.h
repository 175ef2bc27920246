/* SPDX-License-Identifier: Apache-2.0 */
/* The few words that every file knows.
 *
 * What      must(), sizes, minima, alignment, attributes, allocation.
 * Why so    `must` is for our own bugs only and is always on: it prints the
 *           condition and its place and aborts. What a peer, a packet or a
 *           user sends never reaches it.
 * Threads   all of it may be used from any thread. */
#ifndef BASE_DEFS_H
#define BASE_DEFS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define CLAMP(v, lo, hi) ((v) < (lo) ? (lo) : (v) > (hi) ? (hi) : (v))
#define ROUND_UP(x, n) (((x) + (n)-1) / (n) * (n))
#define DIV_ROUND_UP(x, n) (((x) + (n)-1) / (n))

#define container_of(ptr, type, member)                                        \
	((type *)((char *)(ptr)-offsetof(type, member)))

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define MUST_CHECK __attribute__((warn_unused_result))
#define UNUSED __attribute__((unused))
#define CACHE_LINE 64
#define CACHE_ALIGNED __attribute__((aligned(CACHE_LINE)))

/* Our own bug: says what was expected and where, then aborts. */
#define must(cond)                                                             \
	do {                                                                   \
		if (unlikely(!(cond)))                                         \
			must_fail(#cond, __FILE__, __LINE__);                  \
	} while (0)

void must_fail(const char *cond, const char *file, int line)
	__attribute__((noreturn, cold));

/* Allocation for the control plane: aborts when memory is out, so callers have
 * no error path to get wrong. Never used on the packet path. xzalloc zeroes. */
void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xzalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *p, size_t size) __attribute__((returns_nonnull));
void *xaligned_alloc(size_t align, size_t size)
	__attribute__((malloc, returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *s, size_t n)
	__attribute__((malloc, returns_nonnull));
void *xmemdup(const void *p, size_t size)
	__attribute__((malloc, returns_nonnull));
char *xasprintf(const char *fmt, ...) PRINTF_LIKE(1, 2)
	__attribute__((malloc, returns_nonnull));

/* Address space of `size` bytes whose pages cost memory only once touched and
 * read as zero: the way fixed pools stay preallocated without being resident.
 * Returns NULL when the kernel refuses. */
void *lazy_alloc(size_t size);
void lazy_free(void *p, size_t size);

#endif
