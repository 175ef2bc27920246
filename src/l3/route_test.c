/* SPDX-License-Identifier: Apache-2.0 */
#include "l3/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/hash.h"

static struct ip_addr addr(const char *text)
{
	struct ip_addr a;

	assert_int_equal(ip_addr_parse(text, &a), 0);
	return a;
}

static struct route route(const char *prefix, enum route_kind kind,
			  uint32_t cookie)
{
	struct route r = { .kind = kind, .cookie = cookie };

	assert_int_equal(ip_prefix_parse(prefix, &r.prefix), 0);
	return r;
}

static void add_hop(struct route *r, uint32_t iface, const char *gateway)
{
	struct route_hop *h = &r->hops[r->n_hops++];

	h->iface = iface;
	if (gateway)
		h->gateway = addr(gateway);
}

static struct route_found find(const struct route_table *t, const char *dst)
{
	struct ip_addr a = addr(dst);

	return route_table_find(t, &a, 1);
}

static void the_next_hop_is_the_gateway_or_the_destination(void **state UNUSED)
{
	struct route r[4] = {
		route("10.1.0.0/24", ROUTE_CONNECTED, 1),
		route("0.0.0.0/0", ROUTE_VIA, 2),
		route("10.66.0.0/16", ROUTE_BLACKHOLE, 3),
		route("10.67.0.0/16", ROUTE_UNREACHABLE, 4),
	};
	struct route_table *t;
	struct route_found f;
	struct ip_addr gateway = addr("10.1.0.254"), dst = addr("10.1.0.9");

	add_hop(&r[0], 7, NULL);
	add_hop(&r[1], 7, "10.1.0.254");
	t = route_table_build(r, 4);
	f = find(t, "10.1.0.9");
	assert_int_equal(f.route->cookie, 1);
	assert_int_equal(f.hop->iface, 7);
	assert_true(ip_addr_equal(&f.next_hop, &dst));
	f = find(t, "192.0.2.1");
	assert_int_equal(f.route->cookie, 2);
	assert_true(ip_addr_equal(&f.next_hop, &gateway));
	assert_int_equal(find(t, "10.66.1.1").route->kind, ROUTE_BLACKHOLE);
	assert_null(find(t, "10.66.1.1").hop);
	assert_int_equal(find(t, "10.67.1.1").route->kind, ROUTE_UNREACHABLE);
	assert_null(find(t, "2001:db8::1").route);
	route_table_destroy(t);
}

static void lowest_metric_then_connected_then_first_counts(void **state UNUSED)
{
	struct route r[6] = {
		route("10.0.0.0/8", ROUTE_VIA, 1),
		route("10.0.0.0/8", ROUTE_VIA, 2),
		route("10.0.0.0/8", ROUTE_VIA, 3),
		route("11.0.0.0/8", ROUTE_VIA, 4),
		route("11.0.0.0/8", ROUTE_CONNECTED, 5),
		route("11.0.0.0/8", ROUTE_BLACKHOLE, 6),
	};
	struct route_table *t;

	for (int i = 0; i < 5; i++)
		add_hop(&r[i], 1, "192.0.2.1");
	r[0].metric = 10;
	t = route_table_build(r, 6);
	assert_int_equal(find(t, "10.1.1.1").route->cookie, 2);
	assert_int_equal(find(t, "11.1.1.1").route->cookie, 5);
	assert_int_equal(route_table_count(t), 6);
	assert_null(route_table_at(t, 6));
	route_table_destroy(t);
}

static const char *const gateways[] = { "192.0.2.1", "192.0.2.2", "192.0.2.3",
					"192.0.2.4" };

static struct route_table *ecmp(unsigned n_hops)
{
	struct route r = route("0.0.0.0/0", ROUTE_VIA, 1);

	for (unsigned i = 0; i < n_hops; i++)
		add_hop(&r, 1, gateways[i]);
	return route_table_build(&r, 1);
}

static void flows_spread_evenly_and_stay_when_a_hop_goes(void **state UNUSED)
{
	struct route_table *four = ecmp(4), *three = ecmp(3);
	struct ip_addr dst = addr("198.51.100.1"), lost = addr(gateways[3]);
	unsigned of_lost = 0;

	for (uint64_t i = 0; i < 4000; i++) {
		uint64_t h = hash_u64(i, 9);
		struct route_found a = route_table_find(four, &dst, h);
		struct route_found b = route_table_find(three, &dst, h);

		assert_true(a.used_hash);
		if (ip_addr_equal(&a.next_hop, &lost))
			of_lost++;
		else
			assert_true(ip_addr_equal(&a.next_hop, &b.next_hop));
	}
	assert_in_range(of_lost, 800, 1200);
	route_table_destroy(four);
	route_table_destroy(three);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			the_next_hop_is_the_gateway_or_the_destination),
		cmocka_unit_test(
			lowest_metric_then_connected_then_first_counts),
		cmocka_unit_test(flows_spread_evenly_and_stay_when_a_hop_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
