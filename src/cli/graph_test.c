/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/graph.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define STATUS                                                                 \
	"{\"host\":\"a\",\"tunnels\":[{\"peer\":\"b\",\"address\":"            \
	"\"192.0.2.2\"}],\"ports\":[{\"name\":\"vm1\",\"type\":\"tap\","       \
	"\"state\":\"up\",\"addresses\":[\"10.1.0.2/24\"]},{\"name\":"         \
	"\"<x>\\\"&\",\"type\":\"veth\",\"state\":\"down\"},{\"name\":"        \
	"\"tunnel\",\"type\":\"tunnel\",\"state\":\"up\"}],\"networks\":[{"    \
	"\"name\":\"blue\",\"vni\":7,\"subnets\":[\"10.1.0.0/24\"],"           \
	"\"router\":\"r1\",\"ports\":[\"vm1\",\"<x>\\\"&\"]},{\"name\":"       \
	"\"empty\"}],\"routers\":[{\"name\":\"r1\",\"mac\":\"02:00\","         \
	"\"interfaces\":[{\"network\":\"blue\",\"addresses\":["                \
	"\"10.1.0.1/24\"]}]}]}"

static struct graph graph_of(const char *text)
{
	struct json_object *o = json_tokener_parse(text);
	struct graph g;

	assert_non_null(o);
	graph_read(&g, o);
	json_object_put(o);
	return g;
}

static void text_is_a_tree_from_the_router_down(void **state UNUSED)
{
	struct graph g = graph_of(STATUS);
	struct str s = STR_INIT;

	graph_text(&g, false, &s);
	assert_string_equal(str_text(&s),
			    "a\n"
			    "\n"
			    "router r1  02:00\n"
			    "`- 10.1.0.1/24 - blue  10.1.0.0/24, vni 7\n"
			    "   |- * vm1  tap, 10.1.0.2/24\n"
			    "   |- o <x>\"&  veth\n"
			    "   `- VXLAN - host b  192.0.2.2\n");
	str_fini(&s);
	graph_fini(&g);
}

static void each_language_escapes_names(void **state UNUSED)
{
	struct graph g = graph_of(STATUS);
	struct str s = STR_INIT;

	graph_mermaid(&g, &s);
	assert_non_null(strstr(str_text(&s),
			       "[\"&lt;x&gt;&quot;&amp;<br/>veth\"]:::down"));
	assert_non_null(strstr(str_text(&s), "---|\"10.1.0.1/24\"| n"));
	str_clear(&s);
	graph_dot(&g, &s);
	assert_non_null(strstr(str_text(&s),
			       "style=dashed, label=\"<x>\\\"&\\nveth\""));
	str_clear(&s);
	graph_svg(&g, &s);
	assert_non_null(strstr(str_text(&s), "&lt;x&gt;&quot;&amp;</text>"));
	assert_null(strstr(str_text(&s), "<x>"));
	str_fini(&s);
	graph_fini(&g);
}

static void boxes_of_a_drawing_do_not_overlap(void **state UNUSED)
{
	struct graph g = graph_of(STATUS);
	struct str s = STR_INIT;
	unsigned x[8] = { 0 }, y[8] = { 0 }, n = 0;

	graph_svg(&g, &s);
	for (const char *at = str_text(&s); (at = strstr(at, "<rect x=\""));
	     at++) {
		must(n < 8);
		x[n] = (unsigned)strtoul(at + 9, NULL, 10);
		y[n++] = (unsigned)strtoul(strstr(at, "y=\"") + 3, NULL, 10);
	}
	assert_int_equal(n, 5);
	for (unsigned i = 0; i < n; i++)
		for (unsigned k = 0; k < i; k++)
			assert_true(x[i] != x[k] || y[i] != y[k]);
	str_fini(&s);
	graph_fini(&g);
}

static void a_graph_beyond_the_limit_says_so(void **state UNUSED)
{
	struct str s = STR_INIT;
	struct graph g;

	str_add(&s, "{\"host\":\"a\",\"ports\":[{\"name\":\"p\"}");
	for (unsigned i = 0; i < GRAPH_MAX + 4; i++)
		str_addf(&s, ",{\"name\":\"p%u\",\"type\":\"tap\"}", i);
	str_add(&s, "]}");
	g = graph_of(str_text(&s));
	assert_int_equal(g.n_nodes, GRAPH_MAX);
	str_clear(&s);
	graph_dot(&g, &s);
	assert_non_null(strstr(str_text(&s), "// 5 more are left out"));
	str_fini(&s);
	graph_fini(&g);
}

static void a_network_with_nothing_to_say_has_no_label(void **state UNUSED)
{
	struct graph g =
		graph_of("{\"ports\":[{\"name\":\"p\"}],\"networks\":[{"
			 "\"name\":\"n\",\"ports\":[\"p\"]}]}");

	assert_int_equal(g.n_nodes, 2);
	assert_string_equal(g.nodes[1].label, "");
	graph_fini(&g);
}

static void nothing_is_a_graph_too(void **state UNUSED)
{
	struct graph g = graph_of("{}");
	struct str s = STR_INIT;

	graph_text(&g, true, &s);
	graph_svg(&g, &s);
	graph_mermaid(&g, &s);
	graph_dot(&g, &s);
	str_fini(&s);
	graph_fini(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_a_tree_from_the_router_down),
		cmocka_unit_test(each_language_escapes_names),
		cmocka_unit_test(boxes_of_a_drawing_do_not_overlap),
		cmocka_unit_test(a_graph_beyond_the_limit_says_so),
		cmocka_unit_test(a_network_with_nothing_to_say_has_no_label),
		cmocka_unit_test(nothing_is_a_graph_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
