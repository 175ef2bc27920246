/* SPDX-License-Identifier: Apache-2.0 */
/* UUIDs, the names of rows.
 *
 * What      a value of 16 bytes: parse, format, compare, hash, draw.
 * Threads   values.
 * Refs      RFC 9562 (version 4); RFC 7047 3.1 <uuid>. */
#ifndef OVSDB_UUID_H
#define OVSDB_UUID_H

#include "base/env.h"
#include "base/hash.h"

/* Text without NUL. */
#define UUID_LEN 36

/* parts[0] is the first eight hexadecimal digits, and so on. */
struct uuid {
	uint32_t parts[4];
};

/* Exactly 36 characters, upper or lower case. */
bool uuid_parse(const char *text, struct uuid *u) MUST_CHECK;
/* Writes 36 characters and a NUL and returns out. */
char *uuid_format(const struct uuid *u, char out[UUID_LEN + 1]);
struct uuid uuid_random(struct env *env);

static inline int uuid_compare(const struct uuid *a, const struct uuid *b)
{
	for (int i = 0; i < 4; i++)
		if (a->parts[i] != b->parts[i])
			return a->parts[i] < b->parts[i] ? -1 : 1;
	return 0;
}

static inline bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static inline uint64_t uuid_hash(const struct uuid *u, uint64_t seed)
{
	uint64_t w[2];

	memcpy(w, u, sizeof(w));
	return hash_add(hash_u64(w[0], seed), w[1]);
}

#endif
