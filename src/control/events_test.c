/* SPDX-License-Identifier: Apache-2.0 */
#include "control/events.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct env_test env;
static struct events ev;

static int setup(void **state UNUSED)
{
	env_test_init(&env, 1);
	events_init(&ev, &env.env);
	return 0;
}

static int teardown(void **state UNUSED)
{
	events_fini(&ev);
	return 0;
}

static void the_ring_keeps_the_newest(void **state UNUSED)
{
	char name[16];

	for (unsigned i = 1; i <= 3 * EVENTS_KEPT; i++) {
		snprintf(name, sizeof(name), "p%u", i);
		events_port(&ev, name, "up");
		env_test_advance_ms(&env, 1000);
	}
	assert_string_equal(events_at(&ev, 0)->object, "p3072");
	assert_int_equal(events_at(&ev, 0)->seq, 3 * EVENTS_KEPT);
	assert_string_equal(events_at(&ev, EVENTS_KEPT - 1)->object, "p2049");
	assert_null(events_at(&ev, EVENTS_KEPT));
	assert_null(events_last(&ev, EVENT_PORT, "p2048"));
	assert_non_null(events_last(&ev, EVENT_PORT, "p2049"));
	assert_null(events_last(&ev, EVENT_LOOP, "p3000"));
}

static void a_shower_of_one_kind_is_counted(void **state UNUSED)
{
	struct event_move m = { .bridge = "br", .port = "p", .lost = 5 };

	for (unsigned i = 0; i < EVENTS_RATE + 10; i++)
		events_move(&ev, &m);
	events_loop(&ev, "p", "q", true);
	assert_int_equal(ev.n, EVENTS_RATE + 1);
	env_test_advance_ms(&env, 1000);
	m.lost = 0;
	events_move(&ev, &m);
	assert_int_equal(events_at(&ev, 0)->more, 10 * 6);
	events_move(&ev, &m);
	assert_int_equal(events_at(&ev, 0)->more, 0);
}

static void a_list_begins_where_it_is_asked_to(void **state UNUSED)
{
	struct json_object *a, *o;

	for (unsigned i = 0; i < 5; i++)
		events_apply(&ev, "me", "a file");
	a = events_json(&ev, 3);
	assert_int_equal(json_object_array_length(a), 2);
	o = json_object_array_get_idx(a, 0);
	assert_int_equal(
		json_object_get_uint64(json_object_object_get(o, "seq")), 4);
	assert_string_equal(
		json_object_get_string(json_object_object_get(o, "kind")),
		"apply");
	json_object_put(a);
	a = events_json(&ev, 5);
	assert_int_equal(json_object_array_length(a), 0);
	json_object_put(a);
}

static void events_say_what_happened_in_words(void **state UNUSED)
{
	struct eth_addr mac = { { 2, 0, 0, 0, 0, 1 } };
	struct ip_addr ip = ip_addr_from_ip4(0x0a000001);
	struct event_move m = {
		.bridge = "br", .port = "p", .other = "q", .mac = mac
	};

	events_conflict(&ev, "blue", &ip, mac);
	assert_string_equal(events_at(&ev, 0)->text,
			    "02:00:00:00:00:01 claims the router's address "
			    "10.0.0.1");
	events_neighbour(&ev, "blue", &ip, mac);
	assert_string_equal(events_at(&ev, 0)->text,
			    "10.0.0.1 is at 02:00:00:00:00:01");
	events_move(&ev, &m);
	assert_int_equal(events_at(&ev, 0)->kind, EVENT_FLAP);
	events_loop(&ev, "p", "q", true);
	assert_string_equal(events_at(&ev, 0)->text,
			    "blocked: it brings back what left by q");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_ring_keeps_the_newest,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_shower_of_one_kind_is_counted,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_list_begins_where_it_is_asked_to, setup, teardown),
		cmocka_unit_test_setup_teardown(
			events_say_what_happened_in_words, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
