/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "model/testing_test.h"
#include "model/view.h"

/* --- right files ---------------------------------------------------------- */

static void every_example_parses_and_prints_itself(void **state UNUSED)
{
	static const char *const names[] = { "two-hosts", "one-host",
					     "bridge-vlans" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char *text = testing_example(names[i]);
		struct str s = STR_INIT, again = STR_INIT;
		struct model *m = testing_parse(text), *n, *c;

		model_print(m, &s);
		n = testing_parse(str_text(&s));
		model_print(n, &again);
		assert_string_equal(str_text(&s), str_text(&again));
		assert_true(model_equal(m, n));
		c = model_copy(m);
		model_destroy(m);
		assert_true(model_equal(c, n));
		assert_string_equal(c->networks.items[0].o.origin.file,
				    "net.yaml");
		model_destroy(n);
		model_destroy(c);
		str_fini(&s);
		str_fini(&again);
		free(text);
	}
}

static void defaults_are_not_printed(void **state UNUSED)
{
	struct model *m = testing_parse("weft: 1\n"
					"networks:\n"
					"  blue: {mac_ageing: 5m, "
					"arp_suppression: true}\n"
					"ports:\n"
					"  p: {type: tap, network: blue, "
					"queues: 1, enabled: true}\n");
	struct str s = STR_INIT;

	model_print(m, &s);
	assert_string_equal(str_text(&s), "weft: 1\n"
					  "networks:\n"
					  "  blue: {}\n"
					  "ports:\n"
					  "  p:\n"
					  "    type: tap\n"
					  "    network: blue\n");
	str_fini(&s);
	model_destroy(m);
}

static void values_arrive_in_the_structs(void **state UNUSED)
{
	char *text = testing_example("two-hosts");
	struct model *m = testing_parse(text);
	const struct model_host *h = model_host(m, "host-a");
	const struct model_port *p = model_host_port(h, "c-a");
	char buf[PREFIX_STR_LEN];

	assert_int_equal(model_network(m, "green")->vni, 200);
	assert_int_equal(p->type, MODEL_PORT_VETH);
	assert_int_equal(p->ns.kind, MODEL_NETNS_NAME);
	assert_string_equal(p->ns.text, "c-a");
	assert_int_equal(p->addresses.n, 2);
	assert_string_equal(ip_prefix_format(&p->addresses.items[0], buf),
			    "10.2.0.12/24");
	assert_true(model_host_port(h, "eth0")->adopt);
	assert_int_equal(h->underlay.port, 4789);
	assert_null(model_host_port(h, "vm-b"));
	assert_int_equal(p->o.origin.line, 42);
	assert_int_equal(p->o.origin.column, 7);
	model_destroy(m);
	free(text);
}

static void aliases_are_expanded(void **state UNUSED)
{
	struct model *m =
		testing_parse("weft: 1\nnetworks: {blue: }\nports:\n"
			      "  a: &a {type: tap, network: blue}\n  b: *a\n");

	assert_int_equal(m->local.ports.n, 2);
	assert_string_equal(m->local.ports.items[1].network, "blue");
	model_destroy(m);
}

static void json_is_read_too(void **state UNUSED)
{
	struct model *m = testing_parse("{\"weft\": 1, \"networks\": {\"n\": "
					"{\"vni\": 7, \"mtu\": 1400}}}");

	assert_int_equal(model_network(m, "n")->vni, 7);
	model_destroy(m);
}

static void router_mac_is_the_same_everywhere(void **state UNUSED)
{
	char text[ETH_STR_LEN];

	assert_string_equal(eth_addr_format(model_mac("router", "r1"), text),
			    "02:7d:28:e8:09:86");
}

/* --- wrong files ---------------------------------------------------------- */

struct wrong {
	const char *text, *error;
};

#define TOP "weft: 1\n"
#define NETS                                                                   \
	TOP "networks:\n"                                                      \
	    "  blue: {subnets: 10.1.0.0/24}\n"                                 \
	    "  green: {subnets: 10.2.0.0/24}\n"

static const struct wrong wrongs[] = {
	/* YAML itself */
	{ "weft: 1\nweft: 1\n",
	  "net.yaml:2:1: \"weft\" is here twice; first in line 1" },
	{ "weft: 1\n--- \nweft: 1\n",
	  "net.yaml:2:1: a second document (---); one is enough" },
	{ "weft: !!int 1\n", "net.yaml:1:13: tags (!...) are not used here" },
	{ "weft: *x\n", "net.yaml:1:8: alias *x names no anchor before it" },
	{ "", "\"weft\" is missing: a number" },
	{ "a string", "net.yaml:1:1: the file must be a mapping of keys, not "
		      "a value" },
	{ "weft: 1\nports: {p: \"a\\0b\"}\n",
	  "net.yaml:2:12: a NUL character in a value" },
	/* keys and types */
	{ TOP "netwroks:\n",
	  "net.yaml:2:1: unknown key \"netwroks\"; did you mean "
	  "\"networks\"?" },
	{ TOP "networks:\n  blue:\n    subents: [10.1.0.0/24]\n",
	  "net.yaml:4:5: unknown key \"subents\" in network blue; did you "
	  "mean \"subnets\"?" },
	{ TOP "networks: [blue]\n", "net.yaml:2:11: \"networks\" must be a "
				    "mapping of names, not a list" },
	{ "weft: 2\n", "net.yaml:1:7: \"weft\" must be a number from 1 to 1, "
		       "not \"2\"" },
	{ TOP "networks: {blue: {mtu: big}}\n",
	  "net.yaml:2:24: \"mtu\" of network blue must be a number from 576 "
	  "to 65535, not \"big\"" },
	{ TOP "networks: {blue: {mac_ageing: 300}}\n",
	  "net.yaml:2:31: \"mac_ageing\" of network blue must be a time with "
	  "its unit (ms, s, m, h) from 1s to 1h, not \"300\"" },
	{ TOP "networks: {blue: {subnets: [10.1.0.0]}}\n",
	  "net.yaml:2:29: \"subnets\" of network blue must be a list of "
	  "addresses with prefix length, as [10.1.0.1/24], not "
	  "\"10.1.0.0\"" },
	{ TOP "networks: {\"a b\": }\n",
	  "net.yaml:2:12: \"a b\" cannot be the name of a network: use "
	  "letters, digits, - _ . and at most 63 of them" },
	{ NETS "ports: {p: {type: tab, network: blue}}\n",
	  "net.yaml:5:19: \"type\" of port p must be one of tap, tun, veth, "
	  "nic, patch, dummy, stream (did you mean \"tap\"?), not \"tab\"" },
	{ NETS "ports: {p: {network: blue}}\n",
	  "net.yaml:5:12: \"type\" is missing in port p: one of tap, "
	  "tun, veth, nic, patch, dummy" },
	{ NETS "ports: {p: {type: veth, namespace: c, network: blue, queues: "
	       "2}}\n",
	  "net.yaml:5:54: key \"queues\" is for a port of type tap, tun, not "
	  "veth" },
	{ NETS "ports: {p: {type: tap, network: blue, enabled: yes}}\n",
	  "net.yaml:5:48: \"enabled\" of port p must be true or false, not "
	  "\"yes\"" },
	/* networks */
	{ TOP "networks: {blue: {subnets: [10.1.0.1/24]}}\n",
	  "net.yaml:2:29: subnet 10.1.0.1/24 has host bits; write "
	  "10.1.0.0/24" },
	{ TOP "networks:\n  blue: {subnets: [10.1.0.0/16]}\n"
	      "  green: {subnets: [10.2.0.0/24, 10.1.3.0/24]}\n",
	  "net.yaml:4:34: 10.1.3.0/24 of network green overlaps 10.1.0.0/16 "
	  "of network blue" },
	{ TOP "networks:\n  blue: {vni: 5}\n  green: {vni: 5}\n",
	  "net.yaml:4:16: VNI 5 is used twice: by network blue too (line "
	  "3)" },
	{ TOP "networks: {blue: {vlan: 5}}\n",
	  "net.yaml:2:25: vlan needs bridge: network blue has a bridge of its "
	  "own, without VLANs" },
	{ TOP "networks: {blue: {bridge: br7}}\n",
	  "net.yaml:2:27: network blue is on bridge \"br7\", which no host "
	  "has" },
	{ TOP "networks: {blue: {vni: 5, mtu: 1500}}\n"
	      "underlay: {address: 192.0.2.1}\n",
	  "net.yaml:2:32: mtu 1500 does not fit the underlay, whose mtu 1500 "
	  "leaves 1450" },
	/* routers */
	{ NETS "routers: {r: {networks: {bleu: {addresses: [10.1.0.1/24]}}}}\n",
	  "net.yaml:5:26: router r joins network \"bleu\", which is not in "
	  "the file; did you mean \"blue\"?" },
	{ NETS "routers: {r: {networks: {blue: {addresses: [10.9.0.1/24]}}}}\n",
	  "net.yaml:5:45: 10.9.0.1/24 is in no subnet of network blue (the "
	  "prefix length must be the subnet's, too)" },
	{ NETS "routers: {r: {networks: {blue: {}}}}\n",
	  "net.yaml:5:32: \"addresses\" is missing in interface blue: a list "
	  "of addresses with prefix length, as [10.1.0.1/24]" },
	{ NETS "routers: {r: {routes: [{to: 0.0.0.0/0, via: 192.0.2.1}]}}\n",
	  "net.yaml:5:45: 192.0.2.1 is in no network of router r" },
	{ NETS "routers: {r: {routes: [{to: 10.9.0.0/16}]}}\n",
	  "net.yaml:5:24: a route needs either via or blackhole" },
	{ NETS "routers:\n  r: {networks: {blue: {addresses: [10.1.0.1/24]}}}\n"
	       "  s: {networks: {blue: {addresses: [10.1.0.2/24]}}}\n",
	  "net.yaml:7:18: network blue is joined by router r already; a "
	  "network has one router" },
	/* ports */
	{ NETS "ports: {p: {type: tap, network: grean}}\n",
	  "net.yaml:5:33: port p is on network \"grean\", which is not in the "
	  "file; did you mean \"green\"?" },
	{ NETS "ports: {p: {type: tap, bridge: blue}}\n",
	  "net.yaml:5:32: \"blue\" is a network: say \"network: blue\"" },
	{ NETS "ports: {p: {type: tap, network: blue, addresses: "
	       "[10.2.0.3/24]}}\n",
	  "net.yaml:5:51: 10.2.0.3/24 is in no subnet of network blue (the "
	  "prefix length must be the subnet's, too)" },
	{ NETS "ports: {p: {type: tap, network: blue, addresses: "
	       "[10.1.0.255/24]}}\n",
	  "net.yaml:5:51: 10.1.0.255/24 is not an address for a machine" },
	{ NETS "ports:\n"
	       "  p: {type: tap, network: blue, device: x}\n"
	       "  q: {type: tap, network: blue, device: x}\n",
	  "net.yaml:7:41: device x is used twice: by port p too (line 6)" },
	{ NETS "ports:\n"
	       "  p: {type: tap, network: blue, addresses: 10.1.0.5/24}\n"
	       "  q: {type: tap, network: blue, addresses: 10.1.0.5/24}\n",
	  "net.yaml:7:44: address 10.1.0.5 in network blue is used twice: by "
	  "port p too (line 6)" },
	{ NETS "ports: {p: {type: tap}}\n",
	  "net.yaml:5:9: port p needs either \"network\" or \"bridge\"" },
	{ NETS "ports: {a-port-with-a-long-name: {type: tap, network: "
	       "blue}}\n",
	  "net.yaml:5:9: \"a-port-with-a-long-name\" cannot be a device's "
	  "name (at most 15 characters): give the port a \"device\"" },
	{ NETS "ports: {p: {type: patch, network: blue, peer: q}}\n",
	  "net.yaml:5:47: there is no patch port \"q\" on this host" },
	{ NETS "ports: {p: {type: stream, network: blue, path: p.sock}}\n",
	  "net.yaml:5:48: the path of port p must begin with /, since weft and "
	  "QEMU need not run in one folder" },
	{ NETS "ports:\n"
	       "  p: {type: stream, network: blue, path: /run/x.sock}\n"
	       "  q: {type: stream, network: blue, path: /run/x.sock}\n",
	  "net.yaml:7:42: socket /run/x.sock is used twice: by port p too "
	  "(line "
	  "6)" },
	{ NETS "ports: {p: {type: tap, network: blue, path: /run/x.sock}}\n",
	  "net.yaml:5:39: key \"path\" is for a port of type stream, not tap" },
	{ NETS "ports: {p: {type: tap, network: blue, vlan: 7}}\n",
	  "net.yaml:5:45: port p is on network blue, which says the VLAN; "
	  "give \"bridge\" instead to choose VLANs" },
	{ TOP "bridges: {b: }\nports: {p: {type: tap, bridge: b, vlan: {trnk: "
	      "[5]}}}\n",
	  "net.yaml:3:42: unknown key \"trnk\" in vlan; did you mean "
	  "\"trunk\"?" },
	{ TOP "bridges: {b: }\nports: {p: {type: tap, bridge: b, vlan: {trunk: "
	      "[5-4095]}}}\n",
	  "net.yaml:3:50: \"vlan\" of port p must be VLANs from 1 to 4094, as "
	  "[10, 20-30], not \"5-4095\"" },
	{ NETS "ports: {p: {type: veth, network: blue, namespace: {pid: x}}}\n",
	  "net.yaml:5:51: \"namespace\" of port p must be a network namespace: "
	  "NAME, {pid: NUMBER} or {path: /run/...}, not a mapping" },
	{ NETS "ports: {p: {type: tun}}\n",
	  "net.yaml:5:9: tun port p needs a \"router\": it carries IP, not "
	  "Ethernet" },
	/* hosts */
	{ TOP "hosts:\n  a: {underlay: {address: 192.0.2.1}}\n"
	      "  b: {underlay: {address: 192.0.2.1}}\n",
	  "net.yaml:4:27: tunnel end 192.0.2.1 port 4789 is used twice: by "
	  "host a too (line 3)" },
	{ TOP "hosts: {a: {peers: [192.0.2.9]}}\n",
	  "net.yaml:2:21: peers need an underlay: where do the tunnels to them "
	  "start?" },
};

static void each_mistake_has_its_place_and_sentence(void **state UNUSED)
{
	unsigned n_bad = 0;

	for (size_t i = 0; i < ARRAY_SIZE(wrongs); i++) {
		struct model_errors es = MODEL_ERRORS_INIT;
		struct model *m;
		char *said;

		m = model_parse(wrongs[i].text, strlen(wrongs[i].text),
				"net.yaml", &es);
		assert_null(m);
		said = model_errors_format(&es);
		if (!strstr(said, wrongs[i].error)) {
			print_error("for:\n%ssaid: %s\nwant: %s\n",
				    wrongs[i].text, said, wrongs[i].error);
			n_bad++;
		}
		free(said);
		model_errors_fini(&es);
	}
	assert_int_equal(n_bad, 0);
}

static void several_errors_are_told_at_once_in_order(void **state UNUSED)
{
	static const char text[] = "weft: 1\n"
				   "networks:\n"
				   "  blue: {vnii: 5}\n"
				   "  green: {mtu: x}\n"
				   "prots:\n";
	struct model_errors es = MODEL_ERRORS_INIT;

	assert_null(model_parse(text, strlen(text), "f", &es));
	assert_int_equal(es.n, 3);
	assert_int_equal(es.items[0].line, 3);
	assert_int_equal(es.items[1].line, 4);
	assert_int_equal(es.items[2].line, 5);
	model_errors_fini(&es);
}

static void errors_beyond_the_limit_are_counted(void **state UNUSED)
{
	struct model_errors es = MODEL_ERRORS_INIT;
	struct str s = STR_INIT;
	char *said;

	str_add(&s, "weft: 1\n");
	for (int i = 0; i < 100; i++)
		str_addf(&s, "x%d: 1\n", i);
	assert_null(model_parse(s.s, s.len, "f", &es));
	assert_int_equal(es.n, MODEL_MAX_ERRORS);
	assert_int_equal(es.n_total, 100);
	said = model_errors_format(&es);
	assert_non_null(strstr(said, "\n... and 80 more"));
	free(said);
	str_fini(&s);
	model_errors_fini(&es);
}

static void alias_bomb_ends_at_the_limit(void **state UNUSED)
{
	struct model_errors es = MODEL_ERRORS_INIT;
	struct str s = STR_INIT;

	str_add(&s, "a0: &a0 [x, x, x, x, x, x, x, x]\n");
	for (int i = 1; i < 12; i++) {
		str_addf(&s, "a%d: &a%d [", i, i);
		for (int j = 0; j < 8; j++)
			str_addf(&s, "%s*a%d", j ? ", " : "", i - 1);
		str_add(&s, "]\n");
	}
	assert_null(model_parse(s.s, s.len, "f", &es));
	assert_non_null(strstr(es.items[0].text, "values"));
	str_fini(&s);
	model_errors_fini(&es);
}

static void deep_nesting_is_refused(void **state UNUSED)
{
	struct model_errors es = MODEL_ERRORS_INIT;
	struct str s = STR_INIT;

	for (int i = 0; i < 100000; i++)
		str_add_char(&s, '[');
	assert_null(model_parse(s.s, s.len, "f", &es));
	assert_int_equal(es.n, 1);
	str_fini(&s);
	model_errors_fini(&es);
}

static void a_file_of_more_than_8_megabytes_is_refused(void **state UNUSED)
{
	struct model_errors es = MODEL_ERRORS_INIT;
	char *text = xzalloc(MODEL_MAX_BYTES + 1);

	assert_null(model_parse(text, MODEL_MAX_BYTES + 1, "f", &es));
	assert_non_null(strstr(es.items[0].text, "at most 8388608 are read"));
	free(text);
	model_errors_fini(&es);
}

static void thousands_of_ports_parse(void **state UNUSED)
{
	struct str s = STR_INIT;
	struct model *m;

	str_add(&s,
		"weft: 1\nnetworks: {blue: {subnets: 10.0.0.0/8}}\nports:\n");
	for (int i = 0; i < 4000; i++)
		str_addf(&s,
			 "  p%d: {type: veth, network: blue, namespace: n%d, "
			 "addresses: 10.0.%d.%d/8}\n",
			 i, i, i / 250 + 1, i % 250 + 1);
	m = testing_parse(s.s);
	assert_int_equal(m->local.ports.n, 4000);
	model_destroy(m);
	str_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_example_parses_and_prints_itself),
		cmocka_unit_test(defaults_are_not_printed),
		cmocka_unit_test(values_arrive_in_the_structs),
		cmocka_unit_test(aliases_are_expanded),
		cmocka_unit_test(json_is_read_too),
		cmocka_unit_test(router_mac_is_the_same_everywhere),
		cmocka_unit_test(each_mistake_has_its_place_and_sentence),
		cmocka_unit_test(several_errors_are_told_at_once_in_order),
		cmocka_unit_test(errors_beyond_the_limit_are_counted),
		cmocka_unit_test(alias_bomb_ends_at_the_limit),
		cmocka_unit_test(deep_nesting_is_refused),
		cmocka_unit_test(a_file_of_more_than_8_megabytes_is_refused),
		cmocka_unit_test(thousands_of_ports_parse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
