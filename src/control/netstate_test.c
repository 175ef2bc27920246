/* SPDX-License-Identifier: Apache-2.0 */
#include "control/netstate.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sys/sandbox_test.h"

#define TOLD 8u

static struct nl *nl;
static bool has_sandbox;

static void expect_told(const char *before, const char *now, unsigned n,
			const char *told)
{
	struct str s = STR_INIT;

	assert_int_equal(netstate_compare(before, now, TOLD, &s), n);
	assert_string_equal(str_text(&s), told);
	str_fini(&s);
}

static void what_differs_is_named(void **state UNUSED)
{
	expect_told("", "", 0, "");
	expect_told("a\nb\nc\n", "a\nb\nc\n", 0, "");
	expect_told("a\nb\nc\n", "a\nc\n", 1, "b is missing");
	expect_told("a\nc\n", "a\nb\nc\n", 1, "b is new");
	expect_told("a\n", "b\n", 2, "a is missing, b is new");
	expect_told("", "a\nb\n", 2, "a is new, b is new");
	expect_told("ab\n", "a\nabc\n", 3,
		    "a is new, ab is missing, abc is new");
}

static void more_than_is_told_is_counted(void **state UNUSED)
{
	struct str s = STR_INIT;

	assert_int_equal(netstate_compare("a\nb\nc\n", "d\n", 2, &s), 4);
	assert_string_equal(str_text(&s), "a is missing, b is missing");
	str_fini(&s);
}

static uint32_t add_device(void)
{
	struct nl_link_change c = { .set = NL_LINK_NAME | NL_LINK_UP,
				    .name = "d0",
				    .up = true };
	struct nl_link_change peer = { .set = NL_LINK_NAME | NL_LINK_UP,
				       .name = "d1",
				       .up = true };
	struct nl_link l;

	must(!nl_link_add_veth(nl, &c, &peer, NULL));
	must(!nl_link_find(nl, "d0", &l, NULL));
	return l.ifindex;
}

static void put_back(const struct ip_prefix *p, uint32_t ifindex)
{
	struct nl_addr a = nl_addr_plain(ifindex, p, true);

	must(!nl_addr_put(nl, &a, NULL));
}

/* A device's number changes when it is made anew; its state does not. */
static void a_device_made_anew_is_as_before(void **state UNUSED)
{
	char *before, *without, *again;
	uint32_t first, second;
	struct ip_prefix p;

	if (!has_sandbox)
		skip();
	must(!ip_prefix_parse("192.0.2.1/24", &p));
	first = add_device();
	put_back(&p, first);
	before = netstate_take(nl);
	must(!nl_link_del(nl, first, NULL));
	without = netstate_take(nl);
	second = add_device();
	put_back(&p, second);
	again = netstate_take(nl);
	assert_int_not_equal(first, second);
	assert_non_null(strstr(before, "device d0, up"));
	expect_told(before, again, 0, "");
	expect_told(before, without, 4,
		    "address 192.0.2.1/24 on d0 is missing, device d0, up, "
		    "MTU 1500 is missing, device d1, up, MTU 1500 is missing, "
		    "route 192.0.2.0/24 on d0 is missing");
	must(!nl_link_del(nl, second, NULL));
	free(before);
	free(without);
	free(again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_differs_is_named),
		cmocka_unit_test(more_than_is_told_is_counted),
		cmocka_unit_test(a_device_made_anew_is_as_before),
	};
	int rc;

	has_sandbox = sandbox_enter();
	if (has_sandbox)
		must(!nl_open(&nl, NL_CURRENT_NS, NULL));
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	if (nl)
		nl_close(nl);
	return rc;
}
