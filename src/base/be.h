/* SPDX-License-Identifier: Apache-2.0 */
/* Big-endian integers as types of their own.
 *
 * What      be16, be32, be64: values as they stand on the wire.
 * Why so    a wrapper struct cannot be added, compared or assigned to an
 *           integer by mistake, so a forgotten byte swap does not compile.
 * Note      only wire structures hold them; the flow key and everything above
 *           it is in host order. */
#ifndef BASE_BE_H
#define BASE_BE_H

#include <stdint.h>
#include <string.h>

typedef struct {
	uint16_t v;
} be16;
typedef struct {
	uint32_t v;
} be32;
typedef struct {
	uint64_t v;
} be64;

static inline be16 to_be16(uint16_t h)
{
	return (be16){ __builtin_bswap16(h) };
}

static inline uint16_t from_be16(be16 b)
{
	return __builtin_bswap16(b.v);
}

static inline be32 to_be32(uint32_t h)
{
	return (be32){ __builtin_bswap32(h) };
}

static inline uint32_t from_be32(be32 b)
{
	return __builtin_bswap32(b.v);
}

static inline be64 to_be64(uint64_t h)
{
	return (be64){ __builtin_bswap64(h) };
}

static inline uint64_t from_be64(be64 b)
{
	return __builtin_bswap64(b.v);
}

/* Unaligned access to big-endian integers in memory already bounds-checked. */
static inline uint16_t get_be16(const void *p)
{
	be16 b;

	memcpy(&b, p, sizeof(b));
	return from_be16(b);
}

static inline uint32_t get_be32(const void *p)
{
	be32 b;

	memcpy(&b, p, sizeof(b));
	return from_be32(b);
}

static inline uint64_t get_be64(const void *p)
{
	be64 b;

	memcpy(&b, p, sizeof(b));
	return from_be64(b);
}

static inline void put_be16(void *p, uint16_t h)
{
	be16 b = to_be16(h);

	memcpy(p, &b, sizeof(b));
}

static inline void put_be32(void *p, uint32_t h)
{
	be32 b = to_be32(h);

	memcpy(p, &b, sizeof(b));
}

static inline void put_be64(void *p, uint64_t h)
{
	be64 b = to_be64(h);

	memcpy(p, &b, sizeof(b));
}

#endif
