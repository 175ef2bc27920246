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

static bool has_properties(const char *text)
{
	return strstr(text, "encap(nsh(");
}

static void what_is_printed_parses_to_what_prints_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(goldens); i++) {
		struct of_acts acts = OF_ACTS_INIT;
		struct str out = STR_INIT;
		struct err e = ERR_INIT;

		if (has_properties(goldens[i].text))
			continue;
		if (of_acts_parse(goldens[i].text, NULL, &acts, &e))
			fail_msg("%s: %s", goldens[i].text, e.text);
		of_acts_format(of_acts_list(&acts), NULL, &out);
		assert_string_equal(str_text(&out), goldens[i].text);
		str_fini(&out);
		of_acts_fini(&acts);
	}
}

/* The bytes that ovs-ofctl made of the same words. */
static void what_is_parsed_is_written_as_ovs_ofctl_writes_it(void **state)
{
	static const struct golden cases[] = {
		{ "output:1", "0000 0010 00000001 0000 000000000000" },
		{ "push:reg0[]", "ffff 0018 00002320 001b 0000 00010004 0020"
				 "000000000000" },
		{ "resubmit(,5)", "ffff 0010 00002320 000e fff8 05 000000" },
		{ "dec_ttl", "0018 0008 00000000" },
		{ "note:01", "ffff 0010 00002320 0008 010000000000" },
		{ "set_field:4098->vlan_vid",
		  "0019 0010 80000c02 1002 000000000000" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct of_acts acts = OF_ACTS_INIT;
		struct of_out o = OF_OUT_INIT;
		struct err e = ERR_INIT;

		assert_int_equal(of_acts_parse(cases[i].text, NULL, &acts, &e),
				 0);
		assert_true(of_acts_encode(&o, OF13, of_acts_list(&acts)));
		test_bytes(&o, cases[i].hex);
		of_out_fini(&o);
		of_acts_fini(&acts);
	}
}

static void wrong_words_are_told_and_leave_nothing(void **state)
{
	static const char *const wrong[] = {
		"outptu:1",
		"output:",
		"output:70000000000",
		"load:5->reg99",
		"load:8->reg0[0..2]",
		"load:1->reg0[30..33]",
		"set_field:1->in_nowhere",
		"set_field:zz->eth_src",
		"move:reg0[0..3]->reg1[0..7]",
		"resubmit(,300)",
		"learn(reg0[0..3]=99)",
		"learn(table=1,load:x->reg0)",
		"conjunction(1,3/2)",
		"multipath(eth_src,50,modulo_n,0,0,reg0[])",
		"bundle(eth_src,0,hrw,ofport)",
		"bundle(nothing,0,hrw,ofport,members:1)",
		"ct(alg=http)",
		"ct(commit,zone=reg0[0..3])",
		"nat(src=1.2.3.4-fe80::1)",
		"check_pkt_larger(1500)",
		"note:0",
		"sample(probability=0)",
		"clone(clone(clone(clone(clone(clone(clone(clone(clone(clone("
		"clone(clone(clone(clone(clone(clone(clone(output:1))))))))))"
		")))))))",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct of_acts acts = OF_ACTS_INIT;
		struct err e = ERR_INIT;

		if (!of_acts_parse(wrong[i], NULL, &acts, &e))
			fail_msg("%s", wrong[i]);
		assert_true(err_is_set(&e));
		assert_int_equal(acts.len, 0);
		err_fini(&e);
		of_acts_fini(&acts);
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
		cmocka_unit_test(
			what_is_printed_parses_to_what_prints_the_same),
		cmocka_unit_test(
			what_is_parsed_is_written_as_ovs_ofctl_writes_it),
		cmocka_unit_test(wrong_words_are_told_and_leave_nothing),
		cmocka_unit_test(ports_print_by_their_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
