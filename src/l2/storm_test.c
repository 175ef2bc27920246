/* SPDX-License-Identifier: Apache-2.0 */
#include "l2/storm.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static struct storm storm;

static void a_port_gets_a_meter_for_each_limit_it_has(void **state UNUSED)
{
	struct storm_limits l = storm_limits_default();
	struct storm_meters m = { 0 };

	storm_init(&storm, 100, 10);
	assert_int_equal(storm_assign(&storm, &l, &m), 0);
	assert_in_range(m.id[STORM_BROADCAST], 100, 109);
	assert_int_equal(m.id[STORM_MULTICAST], 0);
	assert_in_range(m.id[STORM_UNKNOWN], 100, 109);
	assert_int_not_equal(m.id[STORM_UNKNOWN], m.id[STORM_BROADCAST]);
}

static void a_changed_limit_keeps_its_meter_and_a_dropped_one_gives_it_back(
	void **state UNUSED)
{
	struct storm_limits l = storm_limits_default();
	struct storm_meters m = { 0 }, before, other = { 0 };

	storm_init(&storm, 1, 2);
	assert_int_equal(storm_assign(&storm, &l, &m), 0);
	before = m;
	l.of[STORM_BROADCAST].rate = 5;
	l.of[STORM_UNKNOWN].rate = 0;
	assert_int_equal(storm_assign(&storm, &l, &m), 0);
	assert_int_equal(m.id[STORM_BROADCAST], before.id[STORM_BROADCAST]);
	assert_int_equal(m.id[STORM_UNKNOWN], 0);
	assert_int_equal(storm_assign(&storm, &l, &other), 0);
	assert_int_equal(other.id[STORM_BROADCAST], before.id[STORM_UNKNOWN]);
}

static void when_meters_run_out_nothing_is_changed(void **state UNUSED)
{
	struct storm_limits l = storm_limits_default();
	struct storm_meters a = { 0 }, b = { 0 }, c = { 0 };

	storm_init(&storm, 1, 3);
	assert_int_equal(storm_assign(&storm, &l, &a), 0);
	assert_int_equal(storm_assign(&storm, &l, &b), -ENOSPC);
	for (int k = 0; k < N_STORM_KINDS; k++)
		assert_int_equal(b.id[k], 0);
	storm_release(&storm, &a);
	assert_int_equal(a.id[STORM_BROADCAST], 0);
	assert_int_equal(storm_assign(&storm, &l, &c), 0);
	l.of[STORM_UNKNOWN].rate = 0;
	assert_int_equal(storm_assign(&storm, &l, &b), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_port_gets_a_meter_for_each_limit_it_has),
		cmocka_unit_test(
			a_changed_limit_keeps_its_meter_and_a_dropped_one_gives_it_back),
		cmocka_unit_test(when_meters_run_out_nothing_is_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
