/* SPDX-License-Identifier: Apache-2.0 */
#include "ofwire/acts_text.h"

#include "ofwire/flow.h"
#include "ofwire/testing_test.h"

#define BYTES_MAX 2048u

static const struct golden {
	const char *text, *hex;
} goldens[] = {
#define GOLDEN(text, hex) { text, hex },
#include "ofwire/acts_golden.def"
#undef GOLDEN
};

static void actions_print_as_ovs_ofctl_prints_them(void **state)
{
	uint8_t b[BYTES_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(goldens); i++) {
		size_t n = test_hex(goldens[i].hex, b, sizeof(b));
		struct of_msg m = test_open(b, n);
		struct of_dialect d = { .version = m.h.version };
		struct str out = STR_INIT;
		struct of_flow_mod fm;

		assert_int_equal(of_flow_mod_decode(&m, &d, &fm), OF_OK);
		of_acts_format(of_acts_list(&fm.acts), NULL, &out);
		assert_string_equal(str_text(&out), goldens[i].text);
		str_fini(&out);
		of_flow_mod_fini(&fm);
	}
}

static const char *name_of(void *ctx, uint32_t port)
{
	return port == 7 ? ctx : NULL;
}

static void ports_print_by_their_names(void **state)
{
	char eth0[] = "eth0";
	struct of_names names = { .port = name_of, .ctx = eth0 };
	struct of_acts acts = OF_ACTS_INIT;
	struct str out = STR_INIT;

	(void)state;
	of_acts_output(&acts, 7, 0);
	of_acts_output(&acts, 8, 0);
	of_acts_output(&acts, OF_PORT_LOCAL, 0);
	of_acts_format(of_acts_list(&acts), &names, &out);
	assert_string_equal(str_text(&out), "output:eth0,output:8,LOCAL");
	str_fini(&out);
	of_acts_fini(&acts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(actions_print_as_ovs_ofctl_prints_them),
		cmocka_unit_test(ports_print_by_their_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
