/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/top.h"

static struct top_look look(uint64_t at_ms, const char *ports,
			    const char *flows, const char *drops)
{
	struct top_answers a = {
		.ports = json_tokener_parse(ports),
		.flows = json_tokener_parse(flows),
		.drops = json_tokener_parse(drops),
		.neighbours = json_tokener_parse(
			"[{\"mac\":\"02:00:00:00:00:01\",\"address\":"
			"\"10.1.0.1\"}]"),
	};
	struct top_look l = { .at_ms = at_ms };

	top_look_read(&l, &a);
	json_object_put(a.ports);
	json_object_put(a.flows);
	json_object_put(a.drops);
	json_object_put(a.neighbours);
	return l;
}

static const struct top_row *row(const struct top_look *l, enum top_view v,
				 unsigned i)
{
	assert_true(i < l->tables[v].n);
	return &l->tables[v].rows[i];
}

static void rates_are_per_second_whatever_passed(void **state UNUSED)
{
	struct top_look a = look(1000,
				 "[{\"name\":\"vm1\",\"rx_packets\":100,"
				 "\"tx_bytes\":5000,\"drops\":{\"ttl\":1}}]",
				 "[]", "[]");
	struct top_look b = look(3000,
				 "[{\"name\":\"vm1\",\"rx_packets\":300,"
				 "\"tx_bytes\":9000,\"drops\":{\"ttl\":5,"
				 "\"rule\":6}}]",
				 "[]", "[]");

	top_rates(&b, &a);
	assert_int_equal(row(&b, TOP_PORTS, 0)->rate[TOP_RX_P], 100);
	assert_int_equal(row(&b, TOP_PORTS, 0)->rate[TOP_TX_B], 2000);
	assert_int_equal(row(&b, TOP_PORTS, 0)->rate[TOP_DROP], 5);
	top_look_fini(&a);
	top_look_fini(&b);
}

static void what_is_new_or_began_anew_counts_from_zero(void **state UNUSED)
{
	struct top_look a =
		look(0, "[{\"name\":\"b\",\"rx_packets\":1000}]", "[]", "[]");
	struct top_look b = look(1000,
				 "[{\"name\":\"a\",\"rx_packets\":7},"
				 "{\"name\":\"b\",\"rx_packets\":9}]",
				 "[]", "[]");

	top_rates(&b, &a);
	assert_int_equal(row(&b, TOP_PORTS, 0)->rate[TOP_RX_P], 7);
	assert_int_equal(row(&b, TOP_PORTS, 1)->rate[TOP_RX_P], 9);
	top_look_fini(&a);
	top_look_fini(&b);
}

#define FLOWS                                                                  \
	"[{\"port\":\"p\",\"match\":\"eth_src=02:00:00:00:00:01,ip\","         \
	"\"packets\":5,\"worker\":0},"                                         \
	"{\"port\":\"p\",\"match\":\"tcp,ip_src=10.1.0.1,tp_dst=80\","         \
	"\"packets\":6,\"worker\":0},"                                         \
	"{\"port\":\"p\",\"match\":\"ip,ip_src=10.0.0.0/8\",\"packets\":1,"    \
	"\"worker\":0},"                                                       \
	"{\"port\":\"q\",\"match\":\"arp,eth_src=02:00:00:00:00:02\","         \
	"\"packets\":2,\"worker\":1}]"

static void talkers_are_senders_by_address_then_mac(void **state UNUSED)
{
	struct top_look l = look(0, "[]", FLOWS, "[]");

	assert_int_equal(l.tables[TOP_FLOWS].n, 4);
	assert_int_equal(l.tables[TOP_TALKERS].n, 3);
	assert_string_equal(row(&l, TOP_TALKERS, 0)->what, "02:00:00:00:00:02");
	assert_string_equal(row(&l, TOP_TALKERS, 1)->what, "10.0.0.0/8");
	assert_string_equal(row(&l, TOP_TALKERS, 2)->what, "10.1.0.1");
	assert_int_equal(row(&l, TOP_TALKERS, 2)->count[TOP_RX_P], 11);
	assert_int_equal(row(&l, TOP_TALKERS, 2)->n_flows, 2);
	top_look_fini(&l);
}

static void order_and_filter_are_obeyed(void **state UNUSED)
{
	struct top_look a = look(0, "[]", "[]", "[]");
	struct top_look l = look(1000,
				 "[{\"name\":\"a\",\"rx_packets\":1,"
				 "\"tx_packets\":9},{\"name\":\"b\","
				 "\"rx_packets\":5,\"tx_packets\":2}]",
				 "[]", "[]");

	top_rates(&l, &a);
	top_sort(&l.tables[TOP_PORTS], TOP_PORTS, "rx");
	assert_string_equal(row(&l, TOP_PORTS, 0)->name, "b");
	top_sort(&l.tables[TOP_PORTS], TOP_PORTS, "tx");
	assert_string_equal(row(&l, TOP_PORTS, 0)->name, "a");
	top_sort(&l.tables[TOP_PORTS], TOP_PORTS, "nonsense");
	assert_string_equal(row(&l, TOP_PORTS, 0)->name, "a");
	assert_true(top_matches(row(&l, TOP_PORTS, 0), "a"));
	assert_false(top_matches(row(&l, TOP_PORTS, 0), "b"));
	assert_true(top_matches(row(&l, TOP_PORTS, 0), NULL));
	top_look_fini(&a);
	top_look_fini(&l);
}

static void lines_fit_and_what_is_left_out_is_counted(void **state UNUSED)
{
	struct top_shape shape = { .max = 2, .width = 30 };
	struct top_look l = look(0, "[]", FLOWS, "[]");
	struct str s = STR_INIT;

	top_sort(&l.tables[TOP_FLOWS], TOP_FLOWS, NULL);
	top_format(&l.tables[TOP_FLOWS], TOP_FLOWS, &shape, &s);
	assert_non_null(strstr(str_text(&s), "... and 2 more\n"));
	for (const char *at = str_text(&s); *at;) {
		size_t n = strcspn(at, "\n");

		assert_true(n <= 30);
		at += n + 1;
	}
	str_fini(&s);
	top_look_fini(&l);
}

static void an_empty_table_says_so(void **state UNUSED)
{
	struct top_shape shape = { .max = 2, .width = 30 };
	struct top_look l = look(0, "[]", FLOWS, "[]");
	struct str s = STR_INIT;

	top_format(&l.tables[TOP_PORTS], TOP_PORTS, &shape, &s);
	assert_string_equal(str_text(&s), "no ports\n");
	str_fini(&s);
	shape.filter = "nobody";
	top_format(&l.tables[TOP_FLOWS], TOP_FLOWS, &shape, &s);
	assert_string_equal(str_text(&s), "no flows that match\n");
	str_fini(&s);
	top_look_fini(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates_are_per_second_whatever_passed),
		cmocka_unit_test(what_is_new_or_began_anew_counts_from_zero),
		cmocka_unit_test(talkers_are_senders_by_address_then_mac),
		cmocka_unit_test(order_and_filter_are_obeyed),
		cmocka_unit_test(lines_fit_and_what_is_left_out_is_counted),
		cmocka_unit_test(an_empty_table_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
