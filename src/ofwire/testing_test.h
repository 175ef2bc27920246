/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests of this room: bytes as hex, messages opened.
 *
 * What      test_hex fills from text with blanks; test_open opens what must open.
 * Why so    golden messages read as the specification's tables do.
 * Threads   tests only. */
#ifndef OFWIRE_TESTING_TEST_H
#define OFWIRE_TESTING_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ofwire/message.h"

static inline size_t test_hex(const char *text, uint8_t *out, size_t cap)
{
	size_t n = 0;
	int high = -1;

	for (; *text; text++) {
		const char *digits = "0123456789abcdef";
		const char *d = strchr(digits, *text);

		if (!d)
			continue;
		if (high < 0) {
			high = (int)(d - digits);
			continue;
		}
		assert_true(n < cap);
		out[n++] = (uint8_t)(high << 4 | (int)(d - digits));
		high = -1;
	}
	assert_int_equal(high, -1);
	return n;
}

static inline struct of_msg test_open(const void *data, size_t len)
{
	struct of_msg m;

	assert_int_equal(of_msg_open(data, len, &m), OF_OK);
	return m;
}

static inline void test_bytes(const struct of_out *o, const char *hex)
{
	uint8_t want[4096];
	size_t n = test_hex(hex, want, sizeof(want));

	assert_int_equal(o->len, n);
	assert_memory_equal(o->b, want, n);
}

#endif
