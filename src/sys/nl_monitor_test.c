/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sys/sandbox_test.h"

#define MAX_KNOWN 4096u

/* A listener as others will write it: what it knows, kept by the events. */
struct view {
	struct loop *loop;
	struct nl_monitor *m;
	bool known[MAX_KNOWN], seen[MAX_KNOWN];
	unsigned begins, ends, addrs, routes, neighs;
	unsigned filters_gone; /* of the loopback device */
	bool syncing;
	bool destroy_at_link;
};

static void view_link(struct view *v, uint32_t ifindex, bool there)
{
	must(ifindex < MAX_KNOWN);
	v->known[ifindex] = there;
	v->seen[ifindex] = there;
	if (v->destroy_at_link) {
		nl_monitor_destroy(v->m);
		v->m = NULL;
	}
}

static void view_sync(struct view *v, bool end)
{
	v->syncing = !end;
	if (!end) {
		v->begins++;
		memset(v->seen, 0, sizeof(v->seen));
		return;
	}
	v->ends++;
	for (unsigned i = 0; i < MAX_KNOWN; i++)
		v->known[i] = v->known[i] && v->seen[i];
}

static void view_event(void *arg, const struct nl_event *ev)
{
	struct view *v = arg;

	switch (ev->type) {
	case NL_EVENT_LINK_NEW:
	case NL_EVENT_LINK_DEL:
		view_link(v, ev->link->ifindex, ev->type == NL_EVENT_LINK_NEW);
		break;
	case NL_EVENT_ADDR_NEW:
		v->addrs++;
		break;
	case NL_EVENT_ADDR_DEL:
		v->addrs--;
		break;
	case NL_EVENT_ROUTE_NEW:
		v->routes++;
		break;
	case NL_EVENT_ROUTE_DEL:
		v->routes--;
		break;
	case NL_EVENT_NEIGH_NEW:
	case NL_EVENT_NEIGH_DEL:
		v->neighs++;
		break;
	case NL_EVENT_FILTER_DEL:
		v->filters_gone += ev->ifindex == 1;
		break;
	case NL_EVENT_RESYNC_BEGIN:
	case NL_EVENT_RESYNC_END:
		view_sync(v, ev->type == NL_EVENT_RESYNC_END);
		break;
	}
}

static struct view *view_create(unsigned groups)
{
	struct view *v = xzalloc(sizeof(*v));

	v->loop = loop_create();
	assert_int_equal(
		nl_monitor_create(&v->m, v->loop, NL_CURRENT_NS, groups, NULL),
		0);
	nl_monitor_listen(v->m, view_event, v);
	return v;
}

static void view_destroy(struct view *v)
{
	nl_monitor_destroy(v->m);
	loop_destroy(v->loop);
	free(v);
}

static void assert_view_is_right(struct view *v, struct nl *nl)
{
	unsigned known = 0;
	struct nl_links l;

	assert_int_equal(nl_link_list(nl, &l, NULL), 0);
	for (size_t i = 0; i < l.n; i++)
		assert_true(v->known[l.v[i].ifindex]);
	for (unsigned i = 0; i < MAX_KNOWN; i++)
		known += v->known[i];
	assert_int_equal(known, l.n);
	nl_links_fini(&l);
}

static void add_pair(struct nl *nl, unsigned i)
{
	struct nl_link_change a = { .set = NL_LINK_NAME | NL_LINK_GROUP };
	struct nl_link_change b = { .set = NL_LINK_NAME };

	snprintf(a.name, sizeof(a.name), "p%u", i);
	snprintf(b.name, sizeof(b.name), "q%u", i);
	a.group = 5;
	must(!nl_link_add_veth(nl, &a, &b, NULL));
}

static struct nl *nl;

static int enter(void **state UNUSED)
{
	return nl_open(&nl, NL_CURRENT_NS, NULL);
}

static int leave(void **state UNUSED)
{
	nl_close(nl);
	return 0;
}

static void what_is_there_is_told_first_then_what_changes(void **s UNUSED)
{
	struct view *v = view_create(NL_GROUP_LINK);

	assert_int_equal(v->begins, 0); /* from the loop only */
	loop_run_ms(v->loop, 10);
	assert_int_equal(v->begins, 1);
	assert_int_equal(v->ends, 1);
	assert_true(v->known[1]); /* the loopback */
	add_pair(nl, 1);
	loop_run_ms(v->loop, 10);
	assert_view_is_right(v, nl);
	assert_int_equal(nl_link_del_group(nl, 5, NULL), 0);
	loop_run_ms(v->loop, 10);
	assert_view_is_right(v, nl);
	assert_int_equal(v->ends, 1);
	view_destroy(v);
}

static void addresses_routes_and_neighbours_are_told(void **s UNUSED)
{
	struct view *v =
		view_create(NL_GROUP_ADDR | NL_GROUP_ROUTE | NL_GROUP_NEIGH);
	struct ip_prefix p;
	struct nl_neigh n = { .ifindex = 1, .has_mac = true, .state = 0x80 };
	unsigned addrs, routes, neighs;
	struct nl_addr a;

	assert_int_equal(ip_prefix_parse("192.0.2.1/24", &p), 0);
	a = nl_addr_plain(1, &p, false);
	n.addr = a.broadcast;
	loop_run_ms(v->loop, 10);
	addrs = v->addrs;
	routes = v->routes;
	neighs = v->neighs;
	assert_true(addrs >= 2 && routes >= 2); /* 127.0.0.1, ::1 */
	assert_int_equal(nl_addr_add(nl, &a, NULL), 0);
	assert_int_equal(nl_neigh_put(nl, &n, NULL), 0);
	loop_run_ms(v->loop, 10);
	assert_int_equal(v->addrs, addrs + 1);
	assert_true(v->routes > routes);
	assert_true(v->neighs > neighs);
	assert_int_equal(nl_addr_del(nl, &a, NULL), 0);
	loop_run_ms(v->loop, 10);
	assert_int_equal(v->addrs, addrs);
	assert_int_equal(v->routes, routes);
	view_destroy(v);
}

static void a_filter_that_goes_is_told(void **s UNUSED)
{
	struct view *v = view_create(NL_GROUP_FILTER);

	loop_run_ms(v->loop, 10);
	if (system("tc qdisc add dev lo clsact && tc filter add dev lo ingress "
		   "prio 7 protocol all bpf bytecode '1,6 0 0 0'"))
		skip();
	loop_run_ms(v->loop, 20);
	assert_int_equal(v->filters_gone, 0);
	assert_int_equal(system("tc filter del dev lo ingress"), 0);
	loop_run_ms(v->loop, 20);
	assert_true(v->filters_gone);
	v->filters_gone = 0;
	assert_int_equal(system("tc qdisc del dev lo clsact"), 0);
	loop_run_ms(v->loop, 20);
	assert_true(v->filters_gone);
	view_destroy(v);
}

/* Two thousand devices come while nobody listens: far more than the socket
 * holds. The view must be right in the end, deletions that were lost included. */
static void a_flood_of_changes_is_survived_by_a_resync(void **s UNUSED)
{
	struct view *v = view_create(NL_GROUP_LINK);

	add_pair(nl, 0);
	loop_run_ms(v->loop, 10);
	assert_view_is_right(v, nl);
	for (unsigned round = 0; round < 3; round++) {
		assert_int_equal(nl_link_del_group(nl, 5, NULL), 0);
		nl_batch_begin(nl);
		for (unsigned i = 0; i < 600; i++)
			add_pair(nl, i);
		assert_int_equal(nl_batch_end(nl, NULL, NULL, NULL), 0);
	}
	assert_int_equal(nl_link_del_group(nl, 5, NULL), 0);
	loop_run_ms(v->loop, 400);
	assert_true(v->ends >= 2); /* it did overflow */
	assert_false(v->syncing);
	assert_view_is_right(v, nl);
	view_destroy(v);
}

static void the_listener_may_destroy_the_monitor(void **s UNUSED)
{
	struct view *v = view_create(NL_GROUP_LINK);

	v->destroy_at_link = true; /* in the middle of the first resync */
	loop_run_ms(v->loop, 10);
	assert_null(v->m);
	assert_int_equal(v->ends, 0);
	view_destroy(v);

	v = view_create(NL_GROUP_LINK);
	loop_run_ms(v->loop, 10);
	v->destroy_at_link = true;
	add_pair(nl, 1);
	loop_run_ms(v->loop, 10);
	assert_null(v->m);
	assert_int_equal(nl_link_del_group(nl, 5, NULL), 0);
	view_destroy(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_there_is_told_first_then_what_changes),
		cmocka_unit_test(addresses_routes_and_neighbours_are_told),
		cmocka_unit_test(a_filter_that_goes_is_told),
		cmocka_unit_test(a_flood_of_changes_is_survived_by_a_resync),
		cmocka_unit_test(the_listener_may_destroy_the_monitor),
	};

	if (!sandbox_enter())
		return SANDBOX_SKIPPED;
	return cmocka_run_group_tests(tests, enter, leave);
}
