/* SPDX-License-Identifier: Apache-2.0 */
#include "model/fragments.h"

#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

#include "model/testing_test.h"

struct part {
	const char *name, *text;
};

static void join(struct str *out, const struct part *parts)
{
	for (; parts->name; parts++)
		fragments_add(out, parts->name, parts->text,
			      strlen(parts->text));
}

static struct model *parse(const struct part *parts, char **said)
{
	struct model_errors es = MODEL_ERRORS_INIT;
	struct str s = STR_INIT;
	struct model *m;

	join(&s, parts);
	m = model_parse(str_text(&s), s.len, "net.d", &es);
	*said = model_errors_format(&es);
	model_errors_fini(&es);
	str_fini(&s);
	return m;
}

static void expect_right(const struct part *parts, const char *as_one)
{
	struct model *want = testing_parse(as_one), *m;
	char *said;

	m = parse(parts, &said);
	assert_string_equal(said, "");
	assert_non_null(m);
	assert_true(model_equal(m, want));
	model_destroy(m);
	model_destroy(want);
	free(said);
}

static void expect_wrong(const struct part *parts, const char *want)
{
	char *said;

	assert_null(parse(parts, &said));
	if (!strstr(said, want))
		fail_msg("said: %s\nwanted: %s", said, want);
	free(said);
}

/* clang-format off */
static const struct part whole[] = {
	{ "net.d/10-nets.yaml", "weft: 1\nnetworks:\n  blue: {vni: 7}\n" },
	{ "net.d/20-a.yaml",
	  "---\n# with a beginning of its own\nweft: 1\nnetworks: {red: }\n"
	  "hosts:\n  a:\n    ports:\n      vm1: {type: tap, network: blue}\n" },
	{ "net.d/25-none.yaml", "" },
	{ "net.d/26-empty.yaml", "ports:\n" },
	{ "net.d/30-a.yaml",
	  "hosts:\n  a:\n    ports: {vm2: {type: tap, network: red}}\n"
	  "    underlay: {address: 192.0.2.1}\n  b:\n" },
	{ 0 }
};
/* clang-format on */

static void sections_of_a_folder_merge(void **state UNUSED)
{
	expect_right(whole, "weft: 1\n"
			    "networks: {blue: {vni: 7}, red: }\n"
			    "hosts:\n"
			    "  a:\n"
			    "    underlay: {address: 192.0.2.1}\n"
			    "    ports:\n"
			    "      vm1: {type: tap, network: blue}\n"
			    "      vm2: {type: tap, network: red}\n"
			    "  b:\n");
}

static void every_object_knows_its_file(void **state UNUSED)
{
	const struct model_host *a;
	struct model *m, *copy;
	char *said;

	m = parse(whole, &said);
	assert_non_null(m);
	copy = model_copy(m);
	model_destroy(m);
	a = model_host(copy, "a");
	assert_string_equal(a->ports.items[0].o.origin.file, "net.d/20-a.yaml");
	assert_int_equal(a->ports.items[0].o.origin.line, 8);
	assert_string_equal(a->ports.items[1].o.origin.file, "net.d/30-a.yaml");
	assert_int_equal(a->ports.items[1].o.origin.line, 3);
	assert_string_equal(copy->networks.items[0].o.origin.file,
			    "net.d/10-nets.yaml");
	model_destroy(copy);
	free(said);
}

static void what_is_defined_twice_names_both_places(void **state UNUSED)
{
	static const struct part ports[] = {
		{ "a.yaml", "weft: 1\nnetworks: {n: }\nports:\n"
			    "  p: {type: tap, network: n}\n" },
		{ "b.yaml", "ports:\n\n  p: {type: tap, network: n}\n" },
		{ 0 }
	};
	static const struct part peers[] = {
		{ "a.yaml", "weft: 1\npeers: [192.0.2.1]\n" },
		{ "b.yaml", "peers: [192.0.2.2]\n" },
		{ 0 }
	};
	static const struct part hosts[] = {
		{ "a.yaml", "weft: 1\nhosts: {h: {bridges: {b: }}}\n" },
		{ "b.yaml", "hosts: {h: {bridges: {b: }}}\n" },
		{ 0 }
	};

	expect_wrong(ports, "b.yaml:3:3: \"p\" is defined twice; first in "
			    "a.yaml, line 4");
	expect_wrong(peers, "b.yaml:1:1: \"peers\" is defined twice; first in "
			    "a.yaml, line 2");
	expect_wrong(hosts, "b.yaml:1:23: \"b\" is defined twice; first in "
			    "a.yaml, line 2");
}

static void errors_name_the_fragment_they_are_in(void **state UNUSED)
{
	static const struct part claims[] = {
		{ "a.yaml",
		  "weft: 1\nnetworks: {n: }\n"
		  "ports: {p: {type: tap, network: n, device: vm0}}\n" },
		{ "b.yaml",
		  "\n\nports: {q: {type: tap, network: n, device: vm0}}\n" },
		{ 0 }
	};
	static const struct part broken[] = { { "a.yaml",
						"weft: 1\nbridges: [\n" },
					      { "b.yaml", "bridgs:\n" },
					      { "c.yaml", "- 1\n" },
					      { 0 } };
	static const struct part versions[] = { { "a.yaml", "weft: 1\n" },
						{ "b.yaml", "weft: 2\n" },
						{ 0 } };
	static const struct part keys[] = { { "a.yaml", "weft: 1\n" },
					    { "b.yaml",
					      "networks:\n  n: {vnii: 4}\n" },
					    { 0 } };

	expect_wrong(claims, "b.yaml:3:44: ");
	expect_wrong(claims, "too (a.yaml, line 3)");
	expect_wrong(broken, "a.yaml:");
	expect_wrong(broken, "c.yaml:1:1: the file must be a mapping of keys, "
			     "not a list");
	expect_wrong(versions, "b.yaml:1:1: \"weft\" is defined twice");
	expect_wrong(keys, "b.yaml:2:7: unknown key \"vnii\" in network n; did "
			   "you mean \"vni\"?");
}

static void a_folder_has_a_limit(void **state UNUSED)
{
	struct part parts[FRAGMENTS_MAX + 2] = { 0 };
	struct model *m;
	char *said;

	for (unsigned i = 0; i <= FRAGMENTS_MAX; i++)
		parts[i] = (struct part){ "x.yaml", "weft: 1\n" };
	expect_wrong(parts, "more than 256 files");
	parts[FRAGMENTS_MAX].name = NULL;
	m = parse(parts, &said);
	assert_non_null(m);
	model_destroy(m);
	free(said);
}

static void a_file_with_two_documents_is_still_refused(void **state UNUSED)
{
	static const char text[] = "weft: 1\n--- # file: b.yaml\nweft: 1\n";
	struct model_errors es = MODEL_ERRORS_INIT;

	assert_null(model_parse(text, strlen(text), "a.yaml", &es));
	assert_non_null(strstr(es.items[0].text, "a second document"));
	model_errors_fini(&es);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sections_of_a_folder_merge),
		cmocka_unit_test(every_object_knows_its_file),
		cmocka_unit_test(what_is_defined_twice_names_both_places),
		cmocka_unit_test(errors_name_the_fragment_they_are_in),
		cmocka_unit_test(a_folder_has_a_limit),
		cmocka_unit_test(a_file_with_two_documents_is_still_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
