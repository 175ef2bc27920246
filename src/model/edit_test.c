/* SPDX-License-Identifier: Apache-2.0 */
#include "model/edit.h"

#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

#include "model/testing_test.h"

static const char base[] = "weft: 1\n"
			   "networks: {blue: {vni: 5}, green: }\n"
			   "hosts:\n"
			   "  a: {ports: {vm1: {type: tap, network: blue}}}\n"
			   "ports: {any: {type: tap, network: blue}}\n";

/* The text of the result, or of the error. */
static char *edited(const char *host, const struct model_edit *e, unsigned n)
{
	struct model_errors es = MODEL_ERRORS_INIT;
	struct model *m = testing_parse(base), *out;
	struct str s = STR_INIT;
	char *said;

	out = model_edit(m, host, e, n, &es);
	if (out) {
		model_print(out, &s);
		said = str_take(&s);
	} else {
		said = model_errors_format(&es);
	}
	model_destroy(out);
	model_destroy(m);
	model_errors_fini(&es);
	return said;
}

static void expect(const struct model_edit *e, unsigned n, const char *want)
{
	char *said = edited("a", e, n);

	if (!strstr(said, want))
		print_error("said: %s\nwant: %s\n", said, want);
	assert_non_null(strstr(said, want));
	free(said);
}

#define ADD(v, ...)                                                            \
	{                                                                      \
		MODEL_EDIT_ADD, { __VA_ARGS__ }, 2, v                          \
	}
#define SET(v, ...)                                                            \
	{                                                                      \
		MODEL_EDIT_SET, { __VA_ARGS__ }, 3, v                          \
	}

static void port_is_added_to_its_host(void **state UNUSED)
{
	const struct model_edit e[] = {
		ADD(NULL, "ports", "vm2"),
		SET("veth", "ports", "vm2", "type"),
		SET("green", "ports", "vm2", "network"),
		SET("{pid: 7}", "ports", "vm2", "namespace"),
	};

	expect(e, 4,
	       "hosts:\n  a:\n    ports:\n      vm1:\n        type: tap\n"
	       "        network: blue\n      vm2:\n        type: veth\n"
	       "        network: green\n        namespace: {pid: 7}\n");
}

static void port_of_a_host_without_a_part_goes_to_the_top(void **state UNUSED)
{
	const struct model_edit e[] = {
		ADD("{type: tap, network: green}", "ports", "x"),
	};
	char *said = edited("", e, 1);

	assert_non_null(strstr(said, "\nports:\n  any:\n    type: tap\n    "
				     "network: blue\n  x:\n    type: tap\n    "
				     "network: green\n"));
	free(said);
}

static void key_is_set_and_goes_back_to_its_default(void **state UNUSED)
{
	const struct model_edit set = SET("1400", "networks", "blue", "mtu");
	const struct model_edit top = SET("3", "ports", "any", "queues");
	const struct model_edit del = {
		MODEL_EDIT_DEL, { "networks", "blue", "vni" }, 3, NULL
	};

	expect(&set, 1, "blue:\n    vni: 5\n    mtu: 1400\n");
	expect(&top, 1,
	       "  any:\n    type: tap\n    network: blue\n    queues: 3");
	expect(&del, 1, "networks:\n  blue: {}\n");
}

static void object_is_deleted(void **state UNUSED)
{
	const struct model_edit e = {
		MODEL_EDIT_DEL, { "networks", "green" }, 2, NULL
	};
	char *said = edited("a", &e, 1);

	assert_null(strstr(said, "green"));
	free(said);
}

static void mistakes_are_told_as_in_a_file(void **state UNUSED)
{
	const struct model_edit twice = ADD(NULL, "ports", "vm1");
	const struct model_edit none = SET("1", "ports", "vm7", "queues");
	const struct model_edit key = SET("1", "ports", "vm1", "queue");
	const struct model_edit value = SET("1", "ports", "vm1", "enabled");
	const struct model_edit yaml = SET("[", "ports", "vm1", "enabled");
	const struct model_edit gone = {
		MODEL_EDIT_DEL, { "networks", "blue" }, 2, NULL
	};

	expect(&twice, 1, "port vm1 is there already; \"set\" changes it");
	expect(&none, 1, "there is no port vm7; weft show ports lists them");
	expect(&key, 1,
	       "unknown key \"queue\" in port vm1; did you mean "
	       "\"queues\"?");
	expect(&value, 1,
	       "\"enabled\" of port vm1 must be true or false, not "
	       "\"1\"");
	expect(&yaml, 1, "enabled: \"[\" is not valid YAML");
	expect(&gone, 1,
	       "port vm1 is on network \"blue\", which is not in the "
	       "file");
}

static void origins_outlive_an_edit(void **state UNUSED)
{
	const struct model_edit e = SET("2", "ports", "vm1", "queues");
	struct model_errors es = MODEL_ERRORS_INIT;
	struct model *m = testing_parse(base), *out;
	const struct model_port *p;

	out = model_edit(m, "a", &e, 1, &es);
	model_destroy(m);
	p = model_host_port(model_host(out, "a"), "vm1");
	assert_string_equal(p->o.origin.file, "net.yaml");
	assert_int_equal(p->o.origin.line, 4);
	model_destroy(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(port_is_added_to_its_host),
		cmocka_unit_test(port_of_a_host_without_a_part_goes_to_the_top),
		cmocka_unit_test(key_is_set_and_goes_back_to_its_default),
		cmocka_unit_test(object_is_deleted),
		cmocka_unit_test(mistakes_are_told_as_in_a_file),
		cmocka_unit_test(origins_outlive_an_edit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
