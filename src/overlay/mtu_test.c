/* SPDX-License-Identifier: Apache-2.0 */
#include "overlay/mtu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <cmocka.h>

static void the_inside_is_the_underlay_less_the_headers(void **state UNUSED)
{
	assert_int_equal(mtu_inside(1500, AF_INET, false), 1450);
	assert_int_equal(mtu_inside(1500, AF_INET6, false), 1430);
	assert_int_equal(mtu_inside(1500, AF_INET, true), 1446);
	assert_int_equal(mtu_inside(9000, AF_INET6, true), 8926);
	assert_int_equal(mtu_inside(1u << 20, AF_INET, false), 65485);
}

static void an_underlay_that_is_too_small_carries_nothing(void **state UNUSED)
{
	assert_int_equal(mtu_inside(0, AF_INET, false), 0);
	assert_int_equal(mtu_inside(625, AF_INET, false), 0);
	assert_int_equal(mtu_inside(626, AF_INET, false), 576);
}

static void needed_and_inside_are_inverse(void **state UNUSED)
{
	for (uint32_t m = 700; m < 10000; m += 37)
		for (int v6 = 0; v6 < 2; v6++)
			for (int vlan = 0; vlan < 2; vlan++) {
				uint16_t f = v6 ? AF_INET6 : AF_INET;

				assert_int_equal(
					mtu_needed(mtu_inside(m, f, vlan), f,
						   vlan),
					m);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_inside_is_the_underlay_less_the_headers),
		cmocka_unit_test(an_underlay_that_is_too_small_carries_nothing),
		cmocka_unit_test(needed_and_inside_are_inverse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
