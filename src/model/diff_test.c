/* SPDX-License-Identifier: Apache-2.0 */
#include "model/diff.h"

#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "model/testing_test.h"

static const char before[] =
	"weft: 1\n"
	"networks:\n"
	"  blue: {subnets: [10.1.0.0/24], mtu: 1450}\n"
	"  old: {}\n"
	"hosts:\n"
	"  a:\n"
	"    bridges: {br0: }\n"
	"    ports:\n"
	"      vm1: {type: tap, network: blue, queues: 2}\n"
	"      vm2: {type: tap, network: old}\n";

static const char after[] =
	"weft: 1\n"
	"networks:\n"
	"  blue: {subnets: [10.1.0.0/24, 10.2.0.0/24]}\n"
	"  new: {vni: 7}\n"
	"routers: {r1: {networks: {blue: {addresses: [10.1.0.1/24]}}}}\n"
	"hosts:\n"
	"  a:\n"
	"    underlay: {address: 192.0.2.1}\n"
	"    bridges: {br0: {mac_ageing: 10m}}\n"
	"    ports:\n"
	"      vm1: {type: veth, network: new, namespace: c}\n"
	"      vm3: {type: tap, network: new}\n";

static void diff_is_ordered_and_in_the_words_of_the_file(void **state UNUSED)
{
	struct model *a = testing_parse(before), *b = testing_parse(after);
	struct str s = STR_INIT;
	struct model_diff d;

	model_diff_init(&d, a, b);
	model_diff_format(&d, false, &s);
	assert_string_equal(
		str_text(&s),
		"- port vm2 (a)\n"
		"- network old\n"
		"~ host a: underlay default -> {address: 192.0.2.1}\n"
		"~ bridge br0 (a): mac_ageing default -> 10m\n"
		"~ network blue: subnets [10.1.0.0/24] -> [10.1.0.0/24, "
		"10.2.0.0/24], mtu 1450 -> default\n"
		"+ network new: vni 7\n"
		"+ router r1: networks {blue: {addresses: [10.1.0.1/24]}}\n"
		"~ port vm1 (a): type tap -> veth, network blue -> new, "
		"namespace "
		"default -> c, queues 2 -> default\n"
		"+ port vm3 (a): type tap, network new\n");
	model_diff_fini(&d);
	str_fini(&s);
	model_destroy(a);
	model_destroy(b);
}

static void equal_models_have_no_difference(void **state UNUSED)
{
	struct model *a = testing_parse(before), *b = testing_parse(before);
	struct model_diff d;

	model_diff_init(&d, a, b);
	assert_int_equal(d.n, 0);
	model_diff_fini(&d);
	model_destroy(a);
	model_destroy(b);
}

static void from_and_to_nothing_is_all(void **state UNUSED)
{
	struct model *a = model_create(), *b = testing_parse(before);
	struct model_diff d;

	model_diff_init(&d, a, b);
	assert_int_equal(d.n, 5); /* a host without an end is no change */
	for (unsigned i = 0; i < d.n; i++)
		assert_int_equal(d.items[i].op, MODEL_ADD);
	assert_int_equal(d.items[0].kind, MODEL_KIND_BRIDGE);
	assert_int_equal(d.items[4].kind, MODEL_KIND_PORT);
	model_diff_fini(&d);
	model_diff_init(&d, b, a);
	assert_int_equal(d.n, 5);
	assert_int_equal(d.items[0].kind, MODEL_KIND_PORT);
	assert_int_equal(d.items[0].op, MODEL_DEL);
	model_diff_fini(&d);
	model_destroy(a);
	model_destroy(b);
}

static void json_names_file_and_line(void **state UNUSED)
{
	struct model *a = model_create(), *b = testing_parse(before);
	struct json_object *all, *o;
	struct model_diff d;

	model_diff_init(&d, a, b);
	all = model_diff_json(&d);
	o = json_object_array_get_idx(all, 3);
	assert_string_equal(
		json_object_to_json_string_ext(
			o, JSON_C_TO_STRING_PLAIN |
				   JSON_C_TO_STRING_NOSLASHESCAPE),
		"{\"op\":\"add\",\"kind\":\"port\",\"name\":\"vm1\",\"host\":"
		"\"a\","
		"\"file\":\"net.yaml\",\"line\":9,\"keys\":[{\"key\":\"type\","
		"\"to\":\"tap\"},{\"key\":\"network\",\"to\":\"blue\"},{"
		"\"key\":"
		"\"queues\",\"to\":\"2\"}]}");
	json_object_put(all);
	model_diff_fini(&d);
	model_destroy(a);
	model_destroy(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(diff_is_ordered_and_in_the_words_of_the_file),
		cmocka_unit_test(equal_models_have_no_difference),
		cmocka_unit_test(from_and_to_nothing_is_all),
		cmocka_unit_test(json_names_file_and_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
