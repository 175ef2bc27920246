/* SPDX-License-Identifier: Apache-2.0 */
#include "l2/reserved.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static struct eth_addr group(uint8_t last)
{
	return (struct eth_addr){ { 0x01, 0x80, 0xc2, 0, 0, last } };
}

static void reserved_groups_stay_on_the_link(void **state UNUSED)
{
	for (uint8_t i = 0; i < 16; i++) {
		assert_int_equal(reserved_check(group(i), false),
				 DROP_RESERVED_MAC);
		assert_non_null(reserved_name(group(i)));
	}
}

static void a_transparent_bridge_forwards_all_but_pause(void **state UNUSED)
{
	for (uint8_t i = 0; i < 16; i++)
		assert_int_equal(reserved_check(group(i), true),
				 i == 1 ? DROP_RESERVED_MAC : DROP_NONE);
}

static void neighbours_of_the_range_are_ordinary_groups(void **state UNUSED)
{
	struct eth_addr lower = { { 0x01, 0x80, 0xc1, 0xff, 0xff, 0xff } };

	assert_int_equal(reserved_check(group(16), false), DROP_NONE);
	assert_int_equal(reserved_check(group(0x21), false), DROP_NONE);
	assert_int_equal(reserved_check(lower, false), DROP_NONE);
	assert_null(reserved_name(group(16)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reserved_groups_stay_on_the_link),
		cmocka_unit_test(a_transparent_bridge_forwards_all_but_pause),
		cmocka_unit_test(neighbours_of_the_range_are_ordinary_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
