/* SPDX-License-Identifier: Apache-2.0 */
#include "switch/moves.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void what_was_put_comes_out_once_in_order(void **state UNUSED)
{
	struct moves m = { 0 };
	struct move out[MOVES_MAX];
	uint64_t lost;

	for (uint32_t i = 0; i < 3; i++)
		moves_put(&m, &(struct move){ .port = i }, 1000);
	assert_int_equal(moves_take(&m, out, &lost), 3);
	assert_int_equal(out[2].port, 2);
	assert_int_equal(lost, 0);
	assert_int_equal(moves_take(&m, out, &lost), 0);
}

static void a_flood_is_counted_not_told(void **state UNUSED)
{
	struct moves m = { 0 };
	struct move out[MOVES_MAX];
	uint64_t lost, told = 0, counted = 0;

	for (uint32_t i = 0; i < 100000; i++) {
		moves_put(&m, &(struct move){ .port = i }, 1000);
		if (i % 10)
			continue;
		told += moves_take(&m, out, &lost);
		counted += lost;
	}
	told += moves_take(&m, out, &lost);
	counted += lost;
	assert_int_equal(told, MOVES_RATE);
	assert_int_equal(told + counted, 100000);
	moves_put(&m, &(struct move){ .port = 1 }, 2000);
	assert_int_equal(moves_take(&m, out, &lost), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_put_comes_out_once_in_order),
		cmocka_unit_test(a_flood_is_counted_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
