/* SPDX-License-Identifier: Apache-2.0 */
#include "ovsdb/uuid.h"

#include <stdio.h>

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool is_dash(size_t i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

bool uuid_parse(const char *text, struct uuid *u)
{
	struct uuid out = { { 0 } };
	unsigned n = 0;

	if (strlen(text) != UUID_LEN)
		return false;
	for (size_t i = 0; i < UUID_LEN; i++) {
		int v = hex_value(text[i]);

		if (is_dash(i)) {
			if (text[i] != '-')
				return false;
			continue;
		}
		if (v < 0)
			return false;
		out.parts[n / 8] = out.parts[n / 8] << 4 | (uint32_t)v;
		n++;
	}
	*u = out;
	return true;
}

char *uuid_format(const struct uuid *u, char out[UUID_LEN + 1])
{
	snprintf(out, UUID_LEN + 1, "%08x-%04x-%04x-%04x-%04x%08x", u->parts[0],
		 u->parts[1] >> 16, u->parts[1] & 0xffff, u->parts[2] >> 16,
		 u->parts[2] & 0xffff, u->parts[3]);
	return out;
}

struct uuid uuid_random(struct env *env)
{
	uint64_t a = env_random(env), b = env_random(env);
	struct uuid u = { { (uint32_t)(a >> 32), (uint32_t)a,
			    (uint32_t)(b >> 32), (uint32_t)b } };

	/* RFC 9562 5.4: version 4, variant 10. */
	u.parts[1] = (u.parts[1] & 0xffff0fffu) | 0x4000;
	u.parts[2] = (u.parts[2] & 0x3fffffffu) | 0x80000000u;
	return u;
}
