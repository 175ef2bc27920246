/* SPDX-License-Identifier: Apache-2.0 */
#include "model/view.h"

#include <setjmp.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "model/testing_test.h"

static struct model_view *view_of(const struct model *m, const char *host)
{
	struct err e = ERR_INIT;
	struct model_view *v = model_view_create(m, host, &e);

	assert_non_null(v);
	err_fini(&e);
	return v;
}

static void two_hosts_see_each_other_as_peers(void **state UNUSED)
{
	char *text = testing_example("two-hosts"), buf[IP_STR_LEN];
	struct model *m = testing_parse(text);
	struct model_view *v = view_of(m, "host-a");
	const struct view_port *p;

	assert_int_equal(v->n_bridges, 3); /* blue br0 green */
	assert_string_equal(v->bridges[1].name, "br0");
	assert_true(v->bridges[1].has_host && v->bridges[1].adopts);
	assert_true(eth_addr_is_zero(v->bridges[1].host_mac));
	assert_int_equal(v->bridges[1].host_mtu, 0);
	assert_int_equal(v->n_domains, 3);
	assert_int_equal(v->domains[0].vni, 100);
	assert_int_equal(v->domains[0].mtu, 1450);
	assert_int_equal(v->n_ports, 4);
	assert_int_equal(v->n_peers, 1);
	assert_string_equal(ip_addr_format(&v->peers[0].address, buf),
			    "192.0.2.2");
	assert_string_equal(v->peers[0].name, "host-b");

	p = &v->ports[model_view_port(v, "c-a")];
	assert_string_equal(p->device, "c-a");
	assert_string_equal(p->far_device, "eth0");
	assert_int_equal(p->mtu, 1450);
	assert_int_equal(p->n_gateways, 2);
	assert_string_equal(ip_addr_format(&p->gateways[0], buf), "10.2.0.1");
	assert_string_equal(ip_addr_format(&p->gateways[1], buf),
			    "fd00:0:0:2::1");
	assert_int_equal(p->domain, 2);

	p = &v->ports[model_view_port(v, "prog-a")];
	assert_int_equal(p->bridge, VIEW_NONE);
	assert_int_equal(p->router, 0);
	assert_int_equal(v->routers[0].n_ifaces, 2);
	assert_int_equal(v->n_remotes, 2); /* prog-b, both families */
	assert_int_equal(v->remotes[0].peer, 0);
	model_view_destroy(v);
	model_destroy(m);
	free(text);
}

static void macs_of_containers_differ_between_hosts(void **state UNUSED)
{
	struct model *m = testing_parse("weft: 1\nnetworks: {n: }\nports:\n"
					"  c: {type: veth, network: n, "
					"namespace: c}\n");
	struct model_view *a = view_of(m, "a"), *b = view_of(m, "b");

	assert_false(eth_addr_is_zero(a->ports[0].mac));
	assert_false(eth_addr_equal(a->ports[0].mac, b->ports[0].mac));
	model_view_destroy(a);
	model_view_destroy(b);
	model_destroy(m);
}

static void vlans_of_a_bridge_are_domains(void **state UNUSED)
{
	char *text = testing_example("bridge-vlans");
	struct model *m = testing_parse(text);
	struct model_view *v = view_of(m, "any");
	const struct view_port *p;
	bool tagged;

	assert_int_equal(v->n_bridges, 1);
	assert_true(v->bridges[0].vlan_aware);
	/* untagged, 10, 20, 30-39 */
	assert_int_equal(v->bridges[0].n_domains, 13);
	assert_int_equal(model_view_domain(v, 0, 20), 2);
	assert_string_equal(v->domains[2].network->o.name, "lab");
	assert_int_equal(model_view_domain(v, 0, 21), VIEW_NONE);
	p = &v->ports[model_view_port(v, "firewall")];
	assert_true(model_vlan_carries(&p->vlan, 10, &tagged) && !tagged);
	assert_true(model_vlan_carries(&p->vlan, 35, &tagged) && tagged);
	assert_false(model_vlan_carries(&p->vlan, 0, &tagged));
	assert_false(model_vlan_carries(&p->vlan, 40, &tagged));
	p = &v->ports[model_view_port(v, "desk1")];
	assert_true(model_vlan_carries(&p->vlan, 10, &tagged) && !tagged);
	assert_false(model_vlan_carries(&p->vlan, 0, &tagged));
	p = &v->ports[model_view_port(v, "eth0")];
	assert_true(model_vlan_carries(&p->vlan, 0, &tagged) && !tagged);
	assert_true(model_vlan_carries(&p->vlan, 20, &tagged) && tagged);
	model_view_destroy(v);
	model_destroy(m);
	free(text);
}

static void a_host_that_the_file_does_not_name_is_told_so(void **state UNUSED)
{
	char *text = testing_example("two-hosts");
	struct model *m = testing_parse(text);
	struct err e = ERR_INIT;

	assert_null(model_view_create(m, "host-c", &e));
	assert_string_equal(e.text,
			    "this host is called \"host-c\", but the file has "
			    "host-a, host-b; start weftd with --host NAME, or "
			    "name this host in the file");
	err_fini(&e);
	model_destroy(m);
	free(text);
}

static void network_lives_only_where_its_bridge_is(void **state UNUSED)
{
	struct model *m = testing_parse(
		"weft: 1\n"
		"networks: {n: {bridge: br0, vni: 5}}\n"
		"hosts:\n"
		"  a: {bridges: {br0: }, underlay: {address: 192.0.2.1}}\n"
		"  b: {underlay: {address: 192.0.2.2, mtu: 9000}}\n");
	struct model_view *a = view_of(m, "a"), *b = view_of(m, "b");

	assert_int_equal(a->n_domains, 1);
	assert_int_equal(a->domains[0].vni, 5);
	/* the smallest underlay decides, on every host */
	assert_int_equal(a->domains[0].mtu, 1450);
	assert_int_equal(b->n_bridges, 0);
	assert_int_equal(b->n_domains, 0);
	model_view_destroy(a);
	model_view_destroy(b);
	model_destroy(m);
}

static void long_port_name_gets_a_device_name_that_fits(void **state UNUSED)
{
	struct model *m =
		testing_parse("weft: 1\nnetworks: {n: }\nports:\n"
			      "  container-of-the-web-server: {type: veth, "
			      "network: n, namespace: web}\n");
	struct model_view *v = view_of(m, "a");

	assert_int_equal(strlen(v->ports[0].device), 14);
	assert_memory_equal(v->ports[0].device, "con-", 4);
	model_view_destroy(v);
	model_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_hosts_see_each_other_as_peers),
		cmocka_unit_test(macs_of_containers_differ_between_hosts),
		cmocka_unit_test(vlans_of_a_bridge_are_domains),
		cmocka_unit_test(a_host_that_the_file_does_not_name_is_told_so),
		cmocka_unit_test(network_lives_only_where_its_bridge_is),
		cmocka_unit_test(long_port_name_gets_a_device_name_that_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
