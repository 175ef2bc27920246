/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include <linux/rtnetlink.h>

#include "sys/file_io.h"
#include "sys/netns.h"
#include "sys/sandbox_test.h"

static struct nl *nl;

static struct nl_link_change named(const char *name)
{
	struct nl_link_change c = { .set = NL_LINK_NAME };

	snprintf(c.name, sizeof(c.name), "%s", name);
	return c;
}

static struct nl_link link_of(struct nl *in, const char *name)
{
	struct err e = ERR_INIT;
	struct nl_link l;

	if (nl_link_find(in, name, &l, &e))
		fail_msg("%s", e.text);
	return l;
}

#define ok(call)                                                               \
	do {                                                                   \
		struct err e = ERR_INIT;                                       \
		int ret_ = (call);                                             \
		if (ret_)                                                      \
			fail_msg("%s: %d: %s", #call, ret_,                    \
				 e.text ? e.text : "");                        \
		err_fini(&e);                                                  \
	} while (0)

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p;

	assert_int_equal(ip_prefix_parse(text, &p), 0);
	return p;
}

static struct ip_addr addr(const char *text)
{
	struct ip_addr a;

	assert_int_equal(ip_addr_parse(text, &a), 0);
	return a;
}

/* A pair "v0" up with an address, and its far end "v1" up. */
static uint32_t make_pair(void)
{
	struct nl_link_change a = named("v0"), b = named("v1");

	a.set |= NL_LINK_UP;
	b.set |= NL_LINK_UP;
	a.up = b.up = true;
	ok(nl_link_add_veth(nl, &a, &b, &e));
	return link_of(nl, "v0").ifindex;
}

static void del_pair(uint32_t ifindex)
{
	ok(nl_link_del(nl, ifindex, &e));
}

static int enter(void **state UNUSED)
{
	return nl_open(&nl, NL_CURRENT_NS, NULL);
}

static int leave(void **state UNUSED)
{
	nl_close(nl);
	return 0;
}

/* --- links --------------------------------------------------------------- */
static void a_veth_pair_is_made_whole_in_one_request(void **state UNUSED)
{
	struct nl_link_change a = named("host0"), b = named("eth0");
	struct nl *inside;
	struct nl_link l;
	int32_t nsid;
	int ns;

	ok(netns_create("box", &e));
	ns = netns_open("box", NULL);
	assert_return_code(ns, 0);
	a.set |= NL_LINK_UP | NL_LINK_MTU | NL_LINK_MAC | NL_LINK_ADDRGEN_NONE;
	a.up = true;
	a.mtu = 1400;
	a.mac = (struct eth_addr){ { 2, 0, 0, 0, 0, 1 } };
	b.set |= NL_LINK_NETNS | NL_LINK_UP | NL_LINK_MTU;
	b.up = true;
	b.mtu = 1400;
	b.netns_fd = ns;
	ok(nl_link_add_veth(nl, &a, &b, &e));
	l = link_of(nl, "host0");
	assert_string_equal(l.kind, "veth");
	assert_int_equal(l.mtu, 1400);
	assert_true(eth_addr_equal(l.mac, a.mac));
	assert_true(nl_link_is_up(&l) && l.carrier);
	assert_true(l.gso_max_size >= 65536);
	ok(nl_nsid_of(nl, ns, &nsid, &e));
	assert_int_equal(l.link_nsid, nsid);
	ok(nl_open(&inside, ns, &e));
	assert_int_equal(link_of(inside, "eth0").ifindex, l.link);
	assert_int_equal(link_of(inside, "eth0").mtu, 1400);
	nl_close(inside);
	ok(nl_link_del(nl, l.ifindex, &e));
	netns_close(ns);
	ok(netns_delete("box", &e));
}

static void addrgen_none_leaves_no_link_local_address(void **state UNUSED)
{
	struct nl_link_change a = named("v0"), b = named("v1");
	struct nl_addrs addrs;
	uint32_t quiet, chatty;

	a.set |= NL_LINK_ADDRGEN_NONE | NL_LINK_UP;
	b.set |= NL_LINK_UP;
	a.up = b.up = true;
	ok(nl_link_add_veth(nl, &a, &b, &e));
	quiet = link_of(nl, "v0").ifindex;
	chatty = link_of(nl, "v1").ifindex;
	ok(nl_addr_list(nl, quiet, &addrs, &e));
	assert_int_equal(addrs.n, 0);
	nl_addrs_fini(&addrs);
	ok(nl_addr_list(nl, chatty, &addrs, &e));
	assert_int_equal(addrs.n, 1);
	nl_addrs_fini(&addrs);
	del_pair(quiet);
}

static void errors_say_what_failed_and_why(void **state UNUSED)
{
	struct nl_link_change a = named("v0"), b = named("v1");
	struct err e = ERR_INIT;
	struct nl_link l;
	uint32_t v0 = make_pair();

	assert_int_equal(nl_link_add_veth(nl, &a, &b, &e), -EEXIST);
	assert_non_null(strstr(e.text, "add veth v0 with peer v1"));
	err_fini(&e);
	assert_int_equal(nl_link_find(nl, "nothere", &l, &e), -ENODEV);
	assert_string_equal(e.text, "there is no device nothere");
	err_fini(&e);
	assert_int_equal(nl_link_set_mtu(nl, v0, 70000, &e), -EINVAL);
	/* the kernel's own words */
	assert_non_null(strstr(e.text, "mtu greater than device maximum"));
	err_fini(&e);
	assert_int_equal(nl_link_set_name(nl, v0, "a/b", &e), -EINVAL);
	err_fini(&e);
	assert_int_equal(nl_link_find(nl, "sixteen-letters-", &l, &e), -EINVAL);
	err_fini(&e);
	del_pair(v0);
}

static void every_setter_sets(void **state UNUSED)
{
	struct nl_link_change br = named("br0");
	struct eth_addr mac = { { 2, 9, 9, 9, 9, 9 } };
	uint32_t v0 = make_pair(), bridge;
	struct nl_link l;

	ok(nl_link_add(nl, "bridge", &br, &e));
	bridge = link_of(nl, "br0").ifindex;
	ok(nl_link_set_up(nl, v0, false, &e));
	ok(nl_link_set_name(nl, v0, "renamed", &e));
	ok(nl_link_set_mac(nl, v0, mac, &e));
	ok(nl_link_set_mtu(nl, v0, 9000, &e));
	ok(nl_link_set_master(nl, v0, bridge, &e));
	ok(nl_link_set_addrgen_none(nl, v0, &e));
	ok(nl_link_get(nl, v0, &l, &e));
	assert_string_equal(l.name, "renamed");
	assert_true(eth_addr_equal(l.mac, mac));
	assert_int_equal(l.mtu, 9000);
	assert_int_equal(l.master, bridge);
	assert_false(nl_link_is_up(&l));
	ok(nl_link_set_master(nl, v0, 0, &e));
	assert_int_equal(link_of(nl, "renamed").master, 0);
	ok(nl_link_del(nl, bridge, &e));
	del_pair(v0);
}

static void a_device_moves_to_another_namespace(void **state UNUSED)
{
	uint32_t v0 = make_pair();
	struct nl_links all;
	struct nl *inside;
	int ns;

	ok(netns_create("box", &e));
	ns = netns_open("box", NULL);
	ok(nl_link_set_netns(nl, link_of(nl, "v1").ifindex, ns, &e));
	ok(nl_open(&inside, ns, &e));
	assert_string_equal(link_of(inside, "v1").kind, "veth");
	ok(nl_link_list(nl, &all, &e));
	for (size_t i = 0; i < all.n; i++)
		assert_string_not_equal(all.v[i].name, "v1");
	nl_links_fini(&all);
	nl_close(inside);
	netns_close(ns);
	ok(netns_delete("box", &e));
	del_pair(v0);
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void queue_pair(unsigned i)
{
	struct nl_link_change a = named(""), b = named("");

	snprintf(a.name, sizeof(a.name), "p%u", i);
	snprintf(b.name, sizeof(b.name), "q%u", i);
	a.set |= NL_LINK_UP | NL_LINK_GROUP | NL_LINK_ADDRGEN_NONE;
	b.set |= NL_LINK_UP;
	a.up = b.up = true;
	a.group = 77;
	ok(nl_link_add_veth(nl, &a, &b, &e));
}

static void a_thousand_veths_are_made_and_gone_in_seconds(void **s UNUSED)
{
	uint64_t start = now_ms(), made;
	struct nl_links all;

	nl_batch_begin(nl);
	for (unsigned i = 0; i < 1000; i++)
		queue_pair(i);
	ok(nl_batch_end(nl, NULL, NULL, &e));
	made = now_ms();
	ok(nl_link_list(nl, &all, &e));
	assert_int_equal(all.n, 2001);
	nl_links_fini(&all);
	ok(nl_link_del_group(nl, 77, &e));
	print_message("1000 veth pairs: made in %d ms, gone in %d ms\n",
		      (int)(made - start), (int)(now_ms() - made));
	assert_in_range(made - start, 0, 5000);
	assert_in_range(now_ms() - made, 0, 5000);
}

struct heard {
	unsigned n;
	char what[128];
	int err;
};

static void hear_failure(void *arg, const char *what, int err,
			 const char *why UNUSED)
{
	struct heard *h = arg;

	h->n++;
	h->err = err;
	snprintf(h->what, sizeof(h->what), "%s", what);
}

static void a_batch_tells_exactly_which_requests_failed(void **state UNUSED)
{
	struct heard h = { .n = 0 };
	struct err first = ERR_INIT;
	struct nl_link l;

	nl_batch_begin(nl);
	queue_pair(1);
	queue_pair(2);
	assert_int_equal(nl_link_del(nl, 99999, NULL), 0);
	queue_pair(3);
	assert_int_equal(nl_batch_end(nl, hear_failure, &h, &first), 1);
	assert_int_equal(h.n, 1);
	assert_int_equal(h.err, -ENODEV);
	assert_string_equal(h.what, "delete device 99999");
	assert_non_null(strstr(first.text, "cannot delete device 99999"));
	err_fini(&first);
	l = link_of(nl, "p3");
	assert_true(nl_link_is_up(&l));
	ok(nl_link_del_group(nl, 77, &e));
}

/* --- addresses ----------------------------------------------------------- */
static const struct nl_addr *find_addr(const struct nl_addrs *l,
				       const struct ip_prefix *p)
{
	for (size_t i = 0; i < l->n; i++)
		if (ip_prefix_equal(&l->v[i].local, p))
			return &l->v[i];
	fail_msg("no such address");
	return NULL;
}

static void an_address_goes_back_as_it_was(void **state UNUSED)
{
	struct ip_prefix p4 = prefix("192.0.2.7/24");
	struct ip_prefix p6 = prefix("2001:db8::7/64");
	uint32_t v0 = make_pair();
	struct nl_addr a4 = nl_addr_plain(v0, &p4, false);
	struct nl_addr a6 = nl_addr_plain(v0, &p6, true);
	struct nl_addrs before, after;

	snprintf(a4.label, sizeof(a4.label), "v0:dhcp");
	a4.valid_s = 3600;
	a4.preferred_s = 1800;
	a4.metric = 50;
	a6.valid_s = 7200;
	a6.preferred_s = 0;
	ok(nl_addr_add(nl, &a4, &e));
	ok(nl_addr_add(nl, &a6, &e));
	assert_int_equal(nl_addr_add(nl, &a4, NULL), -EEXIST);
	ok(nl_addr_list(nl, v0, &before, &e));
	for (unsigned round = 0; round < 2; round++) {
		const struct nl_addr *x = find_addr(&before, &p4);
		const struct nl_addr *y = find_addr(&before, &p6);

		assert_string_equal(x->label, "v0:dhcp");
		assert_true(x->broadcast.family &&
			    ip_addr_ip4(&x->broadcast) == 0xc00002ff);
		assert_in_range(x->valid_s, 3590, 3600);
		assert_in_range(x->preferred_s, 1790, 1800);
		assert_int_equal(x->metric, 50);
		assert_in_range(y->valid_s, 7190, 7200);
		assert_int_equal(y->preferred_s, 0);
		ok(nl_addr_del(nl, x, &e));
		ok(nl_addr_del(nl, y, &e));
		assert_int_equal(nl_addr_del(nl, x, NULL), -EADDRNOTAVAIL);
		ok(nl_addr_add(nl, x, &e));
		ok(nl_addr_put(nl, y, &e));
		ok(nl_addr_list(nl, v0, &after, &e));
		nl_addrs_fini(&before);
		before = after;
	}
	nl_addrs_fini(&before);
	del_pair(v0);
}

static void a_point_to_point_address_keeps_its_peer(void **state UNUSED)
{
	struct ip_prefix p = prefix("198.51.100.1/32");
	struct ip_addr peer = addr("198.51.100.2");
	uint32_t v0 = make_pair();
	struct nl_addr a = nl_addr_plain(v0, &p, false);
	struct nl_addrs l;

	a.peer = peer;
	ok(nl_addr_add(nl, &a, &e));
	ok(nl_addr_list(nl, v0, &l, &e));
	assert_true(ip_addr_equal(&find_addr(&l, &p)->peer, &peer));
	ok(nl_addr_del(nl, find_addr(&l, &p), &e));
	nl_addrs_fini(&l);
	del_pair(v0);
}

/* --- neighbours ---------------------------------------------------------- */
static void neighbours_are_put_listed_and_deleted(void **state UNUSED)
{
	uint32_t v0 = make_pair();
	struct nl_neigh n = { .ifindex = v0,
			      .addr = addr("192.0.2.9"),
			      .mac = { { 2, 1, 1, 1, 1, 1 } },
			      .has_mac = true,
			      .state = NUD_PERMANENT };
	struct nl_neigh proxy = { .ifindex = v0,
				  .addr = addr("2001:db8::9"),
				  .flags = NTF_PROXY };
	struct nl_neighs l;
	unsigned seen = 0;

	ok(nl_neigh_put(nl, &n, &e));
	ok(nl_neigh_put(nl, &proxy, &e));
	ok(nl_neigh_list(nl, v0, &l, &e));
	for (size_t i = 0; i < l.n; i++) {
		if (ip_addr_equal(&l.v[i].addr, &n.addr))
			seen += l.v[i].has_mac &&
				eth_addr_equal(l.v[i].mac, n.mac) &&
				l.v[i].state == NUD_PERMANENT;
		if (ip_addr_equal(&l.v[i].addr, &proxy.addr))
			seen += !!(l.v[i].flags & NTF_PROXY);
	}
	assert_int_equal(seen, 2);
	nl_neighs_fini(&l);
	ok(nl_neigh_del(nl, &n, &e));
	assert_int_equal(nl_neigh_del(nl, &n, NULL), -ENOENT);
	ok(nl_neigh_del(nl, &proxy, &e));
	del_pair(v0);
}

/* --- routes -------------------------------------------------------------- */
/* Runs a shell command of the test's own; routes with everything on them are
 * most honestly made by somebody else. */
static void run(const char *command)
{
	if (system(command))
		fail_msg("%s", command);
}

/* What ip(8) shows, as text; its files live in the sandbox's own /run. */
static char *routes_text(void)
{
	struct str s = STR_INIT;

	run("(ip -d route show table all; ip -6 -d route show table all; "
	    "ip rule; ip -6 rule) >/run/routes");
	assert_int_equal(
		file_read(disk_system(), "/run/routes", 1 << 20, &s, NULL), 0);
	return str_take(&s);
}

static bool have_ip_command(void)
{
	return !system("ip -V >/dev/null 2>&1");
}

static void make_routes(void)
{
	run("ip addr add 192.0.2.2/24 dev v0");
	run("ip -6 addr add 2001:db8:1::2/64 dev v0 nodad");
	run("ip addr add 203.0.113.2/24 dev v1");
	run("ip route add default via 192.0.2.1 dev v0 proto dhcp metric 100 "
	    "src 192.0.2.2 mtu 1400 advmss 1300");
	run("ip route add 198.51.100.0/24 proto 99 table 500 "
	    "nexthop via 192.0.2.1 dev v0 weight 3 "
	    "nexthop via 203.0.113.1 dev v1 weight 1");
	run("ip route add 198.51.100.128/25 via 10.9.9.9 dev v0 onlink");
	run("ip route add blackhole 10.66.0.0/16");
	run("ip route add 10.7.0.0/16 dev v0 scope link congctl cubic");
	run("ip -6 route add default via 2001:db8:1::1 dev v0 metric 512 "
	    "pref high mtu 1380 expires 3000");
	run("ip -6 route add 2001:db8:2::/48 metric 7 "
	    "nexthop via 2001:db8:1::1 dev v0 weight 2 "
	    "nexthop via 2001:db8:1::3 dev v0 weight 5");
	run("ip route add 10.8.0.0/16 via inet6 fe80::1 dev v0");
	run("ip rule add iif v0 lookup 500 priority 900");
}

/* Times left tick while the test runs. */
static void blank_times(char *text)
{
	for (char *p = text; (p = strstr(p, "expires ")); p++)
		for (char *c = p + 8; *c && *c != ' '; c++)
			*c = '#';
}

static void routes_go_back_exactly_as_they_were(void **state UNUSED)
{
	char *before, *between, *after;
	struct nl_routes l;
	size_t put = 0;
	uint32_t v0;

	if (!have_ip_command())
		skip();
	v0 = make_pair();
	make_routes();
	before = routes_text();
	ok(nl_route_list(nl, v0, &l, &e));
	for (size_t i = 0; i < l.n; i++)
		if (!nl_route_is_automatic(&l.v[i]))
			ok(nl_route_del(nl, &l.v[i], &e));
	between = routes_text();
	assert_null(strstr(between, "default via"));
	assert_null(strstr(between, "198.51.100"));
	assert_non_null(strstr(between, "blackhole 10.66"));
	for (size_t i = 0; i < l.n; i++)
		if (!nl_route_is_automatic(&l.v[i])) {
			ok(nl_route_add(nl, &l.v[i], &e));
			put++;
		}
	assert_int_equal(put, 7);
	after = routes_text();
	blank_times(before);
	blank_times(after);
	assert_string_equal(after, before);
	nl_routes_fini(&l);
	free(before);
	free(between);
	free(after);
	del_pair(v0);
	run("ip rule del priority 900; ip route flush table 500; "
	    "ip route del blackhole 10.66.0.0/16");
}

static void members_of_a_route_are_read(void **state UNUSED)
{
	bool seen4 = false, seen6 = false, seen_many = false;
	struct nl_routes l;
	uint32_t v0;

	if (!have_ip_command())
		skip();
	v0 = make_pair();
	make_routes();
	ok(nl_route_list(nl, 0, &l, &e));
	for (size_t i = 0; i < l.n; i++) {
		const struct nl_route *r = &l.v[i];

		if (r->family == AF_INET && !r->dst.len && r->metric == 100)
			seen4 = r->mtu == 1400 && r->oif == v0 &&
				r->proto == RTPROT_DHCP &&
				ip_addr_ip4(&r->gateway) == 0xc0000201 &&
				ip_addr_ip4(&r->prefsrc) == 0xc0000202;
		if (r->family == AF_INET6 && !r->dst.len && r->metric == 512)
			seen6 = r->mtu == 1380 && r->expires_s > 2990 &&
				r->expires_s <= 3000 && r->pref == 1;
		if (r->table == 500)
			seen_many =
				r->n_hops == 2 && r->oif == v0 &&
				nl_route_names(r, link_of(nl, "v1").ifindex);
	}
	assert_true(seen4);
	assert_true(seen6);
	assert_true(seen_many);
	nl_routes_fini(&l);
	del_pair(v0);
	run("ip rule del priority 900; ip route flush table 500; "
	    "ip route del blackhole 10.66.0.0/16");
}

static void what_needs_no_gateway_comes_first(void **state UNUSED)
{
	bool gateways = false;
	struct nl_routes l;
	uint32_t v0;

	if (!have_ip_command())
		skip();
	v0 = make_pair();
	make_routes();
	ok(nl_route_list(nl, v0, &l, &e));
	for (size_t i = 0; i < l.n; i++) {
		assert_false(gateways && !l.v[i].gateway.family);
		gateways = l.v[i].gateway.family;
		assert_true(nl_route_names(&l.v[i], v0));
	}
	assert_true(gateways);
	nl_routes_fini(&l);
	del_pair(v0);
	run("ip rule del priority 900; ip route flush table 500; "
	    "ip route del blackhole 10.66.0.0/16");
}

/* What adopting a NIC does: addresses and routes move to another device. */
static void routes_move_to_another_device(void **state UNUSED)
{
	struct nl_link_change br = named("br0");
	uint32_t v0, bridge;
	struct nl_addrs addrs;
	struct nl_routes l;
	char *text;

	if (!have_ip_command())
		skip();
	v0 = make_pair();
	make_routes();
	br.set |= NL_LINK_UP;
	br.up = true;
	ok(nl_link_add(nl, "bridge", &br, &e));
	bridge = link_of(nl, "br0").ifindex;
	ok(nl_route_list(nl, v0, &l, &e));
	ok(nl_addr_list(nl, v0, &addrs, &e));
	for (size_t i = 0; i < addrs.n; i++) {
		if (addrs.v[i].scope == RT_SCOPE_LINK)
			continue;
		ok(nl_addr_del(nl, &addrs.v[i], &e));
		addrs.v[i].ifindex = bridge;
		addrs.v[i].label[0] = '\0';
		ok(nl_addr_add(nl, &addrs.v[i], &e));
	}
	for (size_t i = 0; i < l.n; i++) {
		struct nl_route *r = &l.v[i];

		/* the address' going took some along */
		(void)!nl_route_del(nl, r, NULL);
		assert_true(nl_route_retarget(r, v0, bridge));
		assert_false(nl_route_retarget(r, v0, bridge));
		if (!nl_route_is_automatic(r))
			ok(nl_route_put(nl, r, &e));
	}
	text = routes_text();
	assert_non_null(strstr(text, "default via 192.0.2.1 dev br0 table main "
				     "proto dhcp "
				     "scope global src 192.0.2.2 metric 100 "
				     "mtu 1400 advmss 1300"));
	assert_non_null(strstr(text, "nexthop via 192.0.2.1 dev br0 weight 3"));
	assert_non_null(strstr(text, "nexthop via 203.0.113.1 dev v1"));
	assert_non_null(strstr(text, "via inet6 fe80::1 dev br0"));
	free(text);
	nl_routes_fini(&l);
	nl_addrs_fini(&addrs);
	del_pair(v0);
	ok(nl_link_del(nl, bridge, &e));
	run("ip rule del priority 900; ip route flush table 500; "
	    "ip route del blackhole 10.66.0.0/16");
}

static void plain_routes_work(void **state UNUSED)
{
	struct ip_prefix net = prefix("198.51.100.77/24"),
			 p = prefix("192.0.2.2/24");
	struct ip_addr via = addr("192.0.2.1");
	uint32_t v0 = make_pair();
	struct nl_addr a = nl_addr_plain(v0, &p, false);
	struct nl_route direct = nl_route_plain(&net, NULL, v0);
	struct nl_route by = nl_route_plain(&net, &via, v0);

	ok(nl_addr_add(nl, &a, &e));
	ok(nl_route_add(nl, &direct, &e));
	assert_int_equal(nl_route_add(nl, &direct, NULL), -EEXIST);
	ok(nl_route_put(nl, &by, &e));
	assert_int_equal(nl_route_del(nl, &direct, NULL), -ESRCH);
	ok(nl_route_del(nl, &by, &e));
	nl_route_fini(&direct);
	nl_route_fini(&by);
	del_pair(v0);
}

static void rules_follow_a_device_to_another_name(void **state UNUSED)
{
	struct nl_rules l;
	char *text;

	if (!have_ip_command())
		skip();
	run("ip rule add not from 192.0.2.0/24 iif v0 fwmark 0x5/0xff "
	    "lookup 500 priority 900");
	ok(nl_rule_list(nl, &l, &e));
	for (size_t i = 0; i < l.n; i++) {
		struct nl_rule *r = &l.v[i];

		if (r->priority != 900)
			continue;
		assert_int_equal(r->table, 500);
		assert_int_equal(r->fwmark, 5);
		assert_int_equal(r->fwmask, 255);
		assert_int_equal(r->src.len, 24);
		ok(nl_rule_del(nl, r, &e));
		assert_true(nl_rule_retarget(r, "v0", "longer-name0"));
		ok(nl_rule_add(nl, r, &e));
	}
	nl_rules_fini(&l);
	text = routes_text();
	assert_non_null(strstr(text, "not from 192.0.2.0/24 fwmark 0x5/0xff "
				     "iif longer-name0"));
	free(text);
	run("ip rule del priority 900");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_veth_pair_is_made_whole_in_one_request),
		cmocka_unit_test(addrgen_none_leaves_no_link_local_address),
		cmocka_unit_test(errors_say_what_failed_and_why),
		cmocka_unit_test(every_setter_sets),
		cmocka_unit_test(a_device_moves_to_another_namespace),
		cmocka_unit_test(a_thousand_veths_are_made_and_gone_in_seconds),
		cmocka_unit_test(a_batch_tells_exactly_which_requests_failed),
		cmocka_unit_test(an_address_goes_back_as_it_was),
		cmocka_unit_test(a_point_to_point_address_keeps_its_peer),
		cmocka_unit_test(neighbours_are_put_listed_and_deleted),
		cmocka_unit_test(routes_go_back_exactly_as_they_were),
		cmocka_unit_test(members_of_a_route_are_read),
		cmocka_unit_test(what_needs_no_gateway_comes_first),
		cmocka_unit_test(routes_move_to_another_device),
		cmocka_unit_test(plain_routes_work),
		cmocka_unit_test(rules_follow_a_device_to_another_name),
	};

	if (!sandbox_enter())
		return SANDBOX_SKIPPED;
	return cmocka_run_group_tests(tests, enter, leave);
}
