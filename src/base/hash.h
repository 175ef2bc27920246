/* SPDX-License-Identifier: Apache-2.0 */
/* Hashing: fast mixing of words, seeded so that peers cannot aim collisions.
 *
 * What      a 64x64->128 multiply-and-fold mixer over 64-bit words.
 * Why so    two words a multiply, one to two nanoseconds a key; the seed is
 *           drawn once per process (env_random), so tables that peers can fill
 *           are not predictable from outside.
 * Threads   any. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/defs.h"

#define HASH_K0 0xa0761d6478bd642full
#define HASH_K1 0xe7037ed1a0b428dbull

static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
	__uint128_t m = (__uint128_t)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* Adds one word to a running hash. */
static inline uint64_t hash_add(uint64_t h, uint64_t word)
{
	return hash_mix(h ^ word ^ HASH_K0, word + HASH_K1);
}

static inline uint64_t hash_u64(uint64_t v, uint64_t seed)
{
	return hash_mix(v ^ HASH_K0, seed ^ HASH_K1);
}

uint64_t hash_bytes(const void *p, size_t len, uint64_t seed);

static inline uint64_t hash_string(const char *s, uint64_t seed)
{
	return hash_bytes(s, strlen(s), seed);
}

#endif
