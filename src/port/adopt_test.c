/* SPDX-License-Identifier: Apache-2.0 */
/* Adopting a NIC and giving it back.
 *
 *   lan (namespace)                     this namespace
 *   wfar 192.0.2.254 ---- veth ---- wnic 192.0.2.1   wbr0 (host port)
 *        2001:db8::fe                    2001:db8::1 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "port/adopt.h"
#include "port/adopt_journal.h"
#include "port/host.h"
#include "port/nic.h"
#include "port/test_net.h"
#include "sys/disk_test.h"
#include "sys/netns.h"

static struct {
	const char *lan;
	struct port *host;
	struct nl *nl;
	struct disk *disk;
	struct adopt a;
} t;

/* --- the network ---------------------------------------------------------------- */
static void nic_make(void)
{
	test_run("ip link add wnic address 02:00:00:00:00:11 type veth "
		 "peer name wfar netns %s address 02:00:00:00:00:fe",
		 t.lan);
	test_run("ip -n %s addr add 192.0.2.254/24 dev wfar", t.lan);
	test_run("ip -n %s addr add 2001:db8::fe/64 dev wfar nodad", t.lan);
	test_run("ip -n %s link set wfar up", t.lan);
}

/* As rich as a host's NIC gets. */
static void nic_configure(void)
{
	test_run("echo 0 > /proc/sys/net/ipv6/conf/wnic/disable_ipv6");
	test_run("echo 2 > /proc/sys/net/ipv6/conf/wnic/accept_ra");
	test_run("echo 1 > /proc/sys/net/ipv4/conf/wnic/rp_filter");
	test_run("ip link set wnic up");
	test_run("ip addr add 192.0.2.1/24 brd + dev wnic");
	test_run("ip addr add 192.0.2.10/24 dev wnic label wnic:1");
	test_run("ip addr add 198.51.100.1/25 dev wnic noprefixroute "
		 "valid_lft 5000 preferred_lft 4000");
	test_run("ip addr add 2001:db8::1/64 dev wnic nodad");
	test_run("ip addr add 2001:db8::99/64 dev wnic nodad "
		 "valid_lft 5000 preferred_lft 4000");
	test_run("ip route add 198.51.100.0/25 dev wnic proto kernel "
		 "scope link src 198.51.100.1 metric 77");
	test_run("ip route add default via 192.0.2.254 dev wnic metric 100 "
		 "proto dhcp src 192.0.2.1 mtu 1400");
	test_run("ip route add 203.0.113.0/24 proto static metric 5 "
		 "nexthop via 192.0.2.254 dev wnic weight 2 "
		 "nexthop via 192.0.2.253 dev wnic weight 1");
	test_run("ip route add default via 192.0.2.254 dev wnic table 77");
	test_run("ip -6 route add default via 2001:db8::fe dev wnic "
		 "metric 512 proto ra");
	test_run("ip -6 route add 2001:db8:1::/48 via 2001:db8::fe dev wnic "
		 "table 77");
	test_run("ip rule add iif wnic table 77 priority 500");
	test_run("ip neigh add 192.0.2.50 lladdr 02:00:00:00:00:50 dev wnic "
		 "nud permanent");
}

/* What people would look at, without what runs (lifetimes, neighbours learnt). */
static char *snapshot(const char *device)
{
	return test_output(
		"d=%s; { ip -o addr show dev $d scope global"
		"    | sed 's/^[0-9]*: //; s/_lft [0-9]*sec/_lft N/g';"
		"  ip -4 route show table all | grep $d;"
		"  ip -6 route show table all | grep $d | grep -v fe80"
		"    | grep -v ff00 | sed 's/expires [0-9]*sec//';"
		"  ip rule; ip neigh show dev $d nud permanent;"
		"  cat /proc/sys/net/ipv6/conf/$d/accept_ra"
		"    /proc/sys/net/ipv6/conf/$d/disable_ipv6"
		"    /proc/sys/net/ipv4/conf/$d/rp_filter; } 2>&1 | sort",
		device);
}

/* Shows the lines that differ. */
static void assert_same(const char *now, const char *before)
{
	if (!strcmp(now, before))
		return;
	fprintf(stderr, "was:\n%s\nis:\n%s\n", before, now);
	fail();
}

static void assert_nic_is(const char *before)
{
	char *now = snapshot("wnic");

	assert_same(now, before);
	free(now);
}

static int set_up(void **state)
{
	struct host_config c = { .device = "wbr0" };
	struct err e = ERR_INIT;

	(void)state;
	t.lan = test_net_ns("lan");
	nic_make();
	nic_configure();
	t.host = host_port_create("br0", &c);
	if (t.host->ops->attach(t.host, &e))
		fail_msg("%s", e.text);
	assert_int_equal(nl_open(&t.nl, NL_CURRENT_NS, NULL), 0);
	t.disk = disk_test_create(1);
	assert_int_equal(t.disk->ops->mkdir(t.disk, "/state", 0700), 0);
	t.a = (struct adopt){ .disk = t.disk, .nl = t.nl, .folder = "/state" };
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	disk_test_destroy(t.disk);
	nl_close(t.nl);
	t.host->ops->detach(t.host, false);
	t.host->ops->destroy(t.host);
	while (test_try("ip rule del priority 500 2>/dev/null"))
		;
	(void)!test_try("ip link del wnic 2>/dev/null");
	test_net_leave();
	return 0;
}

static void take(void)
{
	struct adopt_report r;
	struct err e = ERR_INIT;

	if (adopt_take(&t.a, "wnic", "wbr0", &r, &e))
		fail_msg("%s", e.text);
	adopt_report_fini(&r);
}

static void release(void)
{
	struct err e = ERR_INIT;

	if (adopt_release(&t.a, "wnic", &e))
		fail_msg("%s", e.text);
}

/* --- tests -------------------------------------------------------------------------- */
static void everything_moves_and_comes_back_as_it_was(void **state)
{
	char *before = snapshot("wnic"), *host = snapshot("wbr0"), *now;
	struct adopt_report r;

	(void)state;
	assert_int_equal(adopt_take(&t.a, "wnic", "wbr0", &r, NULL), 0);
	assert_true(r.addresses >= 5);
	assert_true(r.routes >= 6);
	assert_int_equal(r.rules, 1);
	assert_true(r.neighbours >= 1);
	adopt_report_fini(&r);
	/* Nothing is left on the NIC... */
	assert_false(test_try("ip addr show dev wnic | grep -q inet"));
	assert_false(test_try("ip route show table all | grep -q wnic"));
	assert_false(test_try("ip rule | grep -q wnic"));
	/* ... and the host lives on its bridge's device. */
	test_run("ip addr show dev wbr0 | grep -q '192.0.2.1/24'");
	test_run("ip addr show dev wbr0 | grep -q 'wbr0:1'");
	test_run("ip addr show dev wbr0 | grep -q '2001:db8::1/64'");
	test_run("ip route show default | grep 'dev wbr0' | grep 'mtu 1400' "
		 "| grep -q 'proto dhcp'");
	test_run("ip route show 203.0.113.0/24 | grep -c 'dev wbr0' "
		 "| grep -q 2");
	test_run("ip -6 route show default | grep -q 'dev wbr0'");
	test_run("ip rule | grep -q 'iif wbr0 lookup 77'");
	test_run("ip neigh show dev wbr0 | grep -q 192.0.2.50");
	test_run("ip link show wbr0 | grep -q 02:00:00:00:00:11");
	release();
	assert_nic_is(before);
	now = snapshot("wbr0");
	assert_same(now, host);
	free(now);
	free(before);
	free(host);
}

static void taking_and_releasing_twice_changes_nothing(void **state)
{
	char *before = snapshot("wnic");

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		char *taken, *again;

		take();
		taken = snapshot("wbr0");
		take();
		again = snapshot("wbr0");
		assert_same(again, taken);
		free(taken);
		free(again);
		release();
		release();
		assert_nic_is(before);
	}
	free(before);
}

static void what_came_to_the_target_goes_back_with_it(void **state)
{
	struct ip_prefix own;
	struct netconf n = { .addresses = &own, .n_addresses = 1 };

	(void)state;
	assert_int_equal(ip_prefix_parse("10.9.9.1/24", &own), 0);
	t.a.own = &n;
	take();
	test_run("ip addr add 10.9.9.1/24 dev wbr0");
	test_run("ip addr add 192.0.2.77/24 dev wbr0");
	test_run("ip addr del 192.0.2.10/24 dev wbr0");
	test_run("ip route add 10.8.0.0/16 via 192.0.2.254 dev wbr0");
	release();
	test_run("ip addr show dev wnic | grep -q 192.0.2.77/24");
	assert_false(test_try("ip addr show dev wnic | grep -q 192.0.2.10/"));
	test_run("ip route show 10.8.0.0/16 | grep -q 'dev wnic'");
	assert_false(test_try("ip addr show dev wnic | grep -q 10.9.9.1"));
	test_run("ip addr show dev wbr0 | grep -q 10.9.9.1/24");
}

static void a_nic_that_is_gone_keeps_its_journal(void **state)
{
	char *before = snapshot("wnic");
	struct err e = ERR_INIT;

	(void)state;
	take();
	test_run("ip link del wnic");
	assert_int_equal(adopt_release(&t.a, "wnic", &e), -ENODEV);
	assert_true(err_is_set(&e));
	err_fini(&e);
	nic_make();
	release();
	assert_nic_is(before);
	free(before);
}

static void a_target_that_is_gone_gives_back_what_was_noted(void **state)
{
	char *before = snapshot("wnic");

	(void)state;
	take();
	t.host->ops->detach(t.host, false);
	release();
	assert_nic_is(before);
	free(before);
	assert_int_equal(t.host->ops->attach(t.host, NULL), 0);
}

/* Each call of the disk fails in turn: refused, and all is as before. */
static void a_failing_disk_changes_nothing(void **state)
{
	char *before = snapshot("wnic");
	struct adopt_report r;
	unsigned n = 1;

	(void)state;
	for (;; n++) {
		struct err e = ERR_INIT;
		int err;

		disk_test_fail_at(t.disk, n, EIO);
		err = adopt_take(&t.a, "wnic", "wbr0", &r, &e);
		disk_test_fail_at(t.disk, 0, 0);
		if (!err)
			break;
		assert_true(err_is_set(&e));
		err_fini(&e);
		release();
		assert_nic_is(before);
	}
	adopt_report_fini(&r);
	assert_true(n > 4);
	release();
	assert_nic_is(before);
	free(before);
}

/* --- kill -9 ---------------------------------------------------------------------------- */
struct killed {
	char folder[64];
	bool release;
};

/* In a child of its own; gone at any moment. */
static void killed_run(const struct killed *k)
{
	struct adopt a = { .disk = disk_system(), .folder = k->folder };
	struct adopt_report r;

	if (nl_open(&a.nl, NL_CURRENT_NS, NULL))
		_exit(1);
	if (k->release)
		_exit(adopt_release(&a, "wnic", NULL) ? 1 : 0);
	_exit(adopt_take(&a, "wnic", "wbr0", &r, NULL) ? 1 : 0);
}

/* True: it was through before the end came. */
static bool killed_after(const struct killed *k, unsigned us)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid)
		killed_run(k);
	usleep(us);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

static void killed_at_any_moment_is_undone(void **state)
{
	struct killed k = { .folder = "/tmp/weft-adopt-XXXXXX" };
	char *before = snapshot("wnic");
	bool through = false;

	(void)state;
	assert_non_null(mkdtemp(k.folder));
	t.a.disk = disk_system();
	t.a.folder = k.folder;
	for (unsigned us = 0; us < 60000 && !through; us += 500) {
		k.release = false;
		through = killed_after(&k, us);
		release();
		assert_nic_is(before);
		take();
		k.release = true;
		through &= killed_after(&k, us);
		/* Carried on in either direction. */
		if (us % 1000)
			take();
		release();
		assert_nic_is(before);
	}
	free(before);
	test_run("rm -rf %s", k.folder);
}

/* --- a connection through it all -------------------------------------------------------- */
struct bridge {
	struct port *a, *b;
	struct packet_pool *pool;
	pthread_t id;
	_Atomic(bool) stop;
};

static int bridge_move(struct bridge *br, struct port *from, struct port *to,
		       struct port_counters *c)
{
	struct packet_batch b = { 0 };
	int n = from->ops->rx(from, 0, &b, br->pool);

	if (n > 0)
		to->ops->tx(to, &b, c);
	return n;
}

static void *bridge_run(void *arg)
{
	struct bridge *br = arg;
	struct pollfd fds[2] = {
		{ .fd = br->a->ops->rx_fd(br->a, 0), .events = POLLIN },
		{ .fd = br->b->ops->rx_fd(br->b, 0), .events = POLLIN },
	};

	while (!br->stop) {
		poll(fds, 2, 10);
		while (bridge_move(br, br->a, br->b, &br->b->counters[0]) > 0 ||
		       bridge_move(br, br->b, br->a, &br->a->counters[0]) > 0)
			;
	}
	return NULL;
}

static void bridge_start(struct bridge *br, struct port *a, struct port *b)
{
	br->a = a;
	br->b = b;
	br->stop = false;
	br->pool = packet_pool_create(128);
	assert_int_equal(pthread_create(&br->id, NULL, bridge_run, br), 0);
}

static void bridge_stop(struct bridge *br)
{
	br->stop = true;
	assert_int_equal(pthread_join(br->id, NULL), 0);
	packet_pool_destroy(br->pool);
}

static int listen_in_lan(void *arg)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons(5001) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)arg;
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

struct session {
	int client, server;
	uint8_t sent, got; /* the next byte of an endless count */
};

static void session_open(struct session *s)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons(5001) };
	int ns = netns_open(t.lan, NULL);
	int fd = netns_run(ns, listen_in_lan, NULL, NULL);

	netns_close(ns);
	assert_true(fd >= 0);
	inet_pton(AF_INET, "192.0.2.254", &in.sin_addr);
	s->sent = s->got = 0;
	s->client = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(s->client, (struct sockaddr *)&in, sizeof(in)),
			 0);
	s->server = accept(fd, NULL, NULL);
	assert_true(s->server >= 0);
	close(fd);
}

/* A megabyte crosses, unchanged, within seconds. */
static void session_check(struct session *s)
{
	static uint8_t buf[1 << 20];
	struct pollfd in = { .fd = s->server, .events = POLLIN };
	size_t sent = 0, got = 0;

	while (got < sizeof(buf)) {
		ssize_t n = 0;

		for (size_t i = sent; i < sizeof(buf); i++)
			buf[i] = (uint8_t)(s->sent + (i - sent));
		if (sent < sizeof(buf))
			n = send(s->client, buf + sent, sizeof(buf) - sent,
				 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0) {
			sent += (size_t)n;
			s->sent = (uint8_t)(s->sent + n);
		}
		if (poll(&in, 1, 3000) <= 0)
			fail_msg("the connection is stuck at %zu", got);
		n = recv(s->server, buf, sizeof(buf) - got, 0);
		if (n <= 0)
			fail_msg("the connection broke at %zu", got);
		for (ssize_t i = 0; i < n; i++)
			assert_int_equal(buf[i], s->got++);
		got += (size_t)n;
	}
}

static void a_tcp_connection_lives_through_take_and_release(void **state)
{
	struct nic_config c = { .device = "wnic" };
	struct port *nic = nic_port_create("uplink", &c);
	struct err e = ERR_INIT;
	struct session s;
	struct bridge br;

	(void)state;
	session_open(&s);
	session_check(&s);
	/* Attaching first would cut the host off. */
	assert_int_equal(nic->ops->attach(nic, &e), -EADDRINUSE);
	assert_non_null(strstr(e.text, "192.0.2.1"));
	err_fini(&e);
	for (unsigned i = 0; i < 2; i++) {
		take();
		if (nic->ops->attach(nic, &e))
			fail_msg("%s", e.text);
		bridge_start(&br, nic, t.host);
		session_check(&s);
		session_check(&s);
		bridge_stop(&br);
		nic->ops->detach(nic, false);
		release();
		session_check(&s);
	}
	nic->ops->destroy(nic);
	close(s.client);
	close(s.server);
}

/* --- the journal -------------------------------------------------------------------------- */
static void a_journal_reads_back_and_nothing_else_does(void **state)
{
	struct adopt_journal j, back;
	struct str text = STR_INIT, again = STR_INIT;
	struct nl_link link;

	(void)state;
	memset(&j, 0, sizeof(j));
	j.phase = ADOPT_TAKEN;
	assert_int_equal(nl_link_find(t.nl, "wnic", &link, NULL), 0);
	assert_int_equal(adopt_image_take(t.nl, &link, &j.nic, NULL), 0);
	assert_int_equal(nl_link_find(t.nl, "wbr0", &link, NULL), 0);
	assert_int_equal(adopt_image_take(t.nl, &link, &j.own, NULL), 0);
	adopt_journal_format(&j, &text);
	assert_int_equal(adopt_journal_parse(text.s, text.len, &back), 0);
	assert_int_equal(back.phase, ADOPT_TAKEN);
	assert_int_equal(back.nic.n_addrs, j.nic.n_addrs);
	assert_int_equal(back.nic.n_routes, j.nic.n_routes);
	adopt_journal_format(&back, &again);
	assert_int_equal(again.len, text.len);
	adopt_journal_fini(&back);
	for (size_t i = 0; i < text.len; i++) {
		text.s[i] ^= 0x04;
		assert_int_not_equal(
			adopt_journal_parse(text.s, text.len, &back), 0);
		text.s[i] ^= 0x04;
		assert_int_not_equal(adopt_journal_parse(text.s, i, &back), 0);
	}
	str_fini(&text);
	str_fini(&again);
	adopt_journal_fini(&j);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(everything_moves_and_comes_back_as_it_was),
		CASE(taking_and_releasing_twice_changes_nothing),
		CASE(what_came_to_the_target_goes_back_with_it),
		CASE(a_nic_that_is_gone_keeps_its_journal),
		CASE(a_target_that_is_gone_gives_back_what_was_noted),
		CASE(a_failing_disk_changes_nothing),
		CASE(killed_at_any_moment_is_undone),
		CASE(a_tcp_connection_lives_through_take_and_release),
		CASE(a_journal_reads_back_and_nothing_else_does),
	};

	test_net_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
