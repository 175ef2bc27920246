/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

uint64_t hash_bytes(const void *p, size_t len, uint64_t seed)
{
	const char *at = p;
	uint64_t h = seed ^ hash_u64(len, seed);
	uint64_t w;

	for (; len >= 8; len -= 8, at += 8) {
		memcpy(&w, at, 8);
		h = hash_add(h, w);
	}
	w = 0;
	memcpy(&w, at, len);
	return hash_add(h, w);
}
