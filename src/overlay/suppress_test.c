/* SPDX-License-Identifier: Apache-2.0 */
#include "overlay/suppress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const struct suppress_question plain = { .target_known = true,
						.enabled = true };

static void a_known_target_is_answered_here(void **state UNUSED)
{
	struct suppress_question q = plain;

	assert_int_equal(suppress_decide(&q), SUPPRESS_ANSWER);
	q.target_known = false;
	assert_int_equal(suppress_decide(&q), SUPPRESS_FLOOD);
	q = plain;
	q.enabled = false;
	assert_int_equal(suppress_decide(&q), SUPPRESS_FLOOD);
	q = plain;
	q.target_is_asker = true;
	assert_int_equal(suppress_decide(&q), SUPPRESS_FLOOD);
}

static void what_tests_who_lives_reaches_everybody(void **state UNUSED)
{
	struct suppress_question q = plain;

	q.is_probe = true;
	assert_int_equal(suppress_decide(&q), SUPPRESS_FLOOD);
	q = plain;
	q.is_gratuitous = true;
	assert_int_equal(suppress_decide(&q), SUPPRESS_FLOOD);
	q = plain;
	q.is_answer = true;
	assert_int_equal(suppress_decide(&q), SUPPRESS_FLOOD);
}

static void a_question_for_the_router_goes_nowhere(void **state UNUSED)
{
	for (unsigned bits = 0; bits < 16; bits++) {
		struct suppress_question q = {
			.for_router = true,
			.is_probe = bits & 1,
			.target_known = bits & 2,
			.from_peer = bits & 4,
			.enabled = bits & 8,
		};

		assert_int_equal(suppress_decide(&q), SUPPRESS_ANSWER);
	}
}

static void a_question_from_a_peer_goes_to_local_ports_only(void **state UNUSED)
{
	struct suppress_question q = plain;

	q.from_peer = true;
	assert_int_equal(suppress_decide(&q), SUPPRESS_LOCAL);
}

static void every_decision_has_a_reason(void **state UNUSED)
{
	for (unsigned bits = 0; bits < 256; bits++) {
		struct suppress_question q = {
			.is_probe = bits & 1,
			.is_gratuitous = bits & 2,
			.is_answer = bits & 4,
			.for_router = bits & 8,
			.target_known = bits & 16,
			.from_peer = bits & 32,
			.target_is_asker = bits & 64,
			.enabled = bits & 128,
		};

		assert_true(strlen(suppress_reason(&q)) > 5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_known_target_is_answered_here),
		cmocka_unit_test(what_tests_who_lives_reaches_everybody),
		cmocka_unit_test(a_question_for_the_router_goes_nowhere),
		cmocka_unit_test(
			a_question_from_a_peer_goes_to_local_ports_only),
		cmocka_unit_test(every_decision_has_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
