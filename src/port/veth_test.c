/* SPDX-License-Identifier: Apache-2.0 */
/* veth ports: what the far end gets, and namespaces that come and go.
 *
 *   port c1 (wv1) ---- eth0 in namespace "c"
 *   port c2 (wv2) ---- eth0 in namespace "d"; both ports joined by the test */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "packet/segment.h"
#include "port/devio.h"
#include "port/link.h"
#include "port/test_net.h"
#include "port/veth.h"
#include "sys/loop.h"
#include "sys/netns.h"

struct net {
	struct ip_prefix addresses[2];
	struct netconf_route routes[2];
	struct netconf conf;
};

static void net_init(struct net *n, const char *ip4, const char *ip6)
{
	memset(n, 0, sizeof(*n));
	assert_int_equal(ip_prefix_parse(ip4, &n->addresses[0]), 0);
	assert_int_equal(ip_prefix_parse(ip6, &n->addresses[1]), 0);
	assert_int_equal(ip_prefix_parse("0.0.0.0/0", &n->routes[0].to), 0);
	assert_int_equal(ip_addr_parse("192.0.2.254", &n->routes[0].via), 0);
	assert_int_equal(ip_prefix_parse("::/0", &n->routes[1].to), 0);
	assert_int_equal(ip_addr_parse("2001:db8::fe", &n->routes[1].via), 0);
	n->conf = (struct netconf){ .addresses = n->addresses,
				    .n_addresses = 2,
				    .routes = n->routes,
				    .n_routes = 2,
				    .nodad = true };
}

static struct veth_config config(const char *ns, const struct net *n)
{
	return (struct veth_config){ .device = "wv1",
				     .make = true,
				     .mtu = 1450,
				     .netns = ns,
				     .mac = { { 2, 0, 0, 0, 0, 0x77 } },
				     .netconf = n->conf };
}

static void attach(struct port *p)
{
	struct err e = ERR_INIT;

	if (p->ops->attach(p, &e))
		fail_msg("%s", e.text);
}

static int tear_down(void **state)
{
	(void)state;
	port_settle();
	test_net_leave();
	return 0;
}

/* --- the far end -------------------------------------------------------------- */
static void the_far_end_is_as_asked(void **state)
{
	const char *ns = test_net_ns("c");
	struct veth_config c;
	struct port *p;
	struct net n;

	(void)state;
	net_init(&n, "192.0.2.1/24", "2001:db8::1/64");
	c = config(ns, &n);
	p = veth_port_create("c1", &c);
	attach(p);
	assert_int_equal(p->mtu, 1450);
	test_run("ip -n %s addr show eth0 | grep -q 192.0.2.1/24", ns);
	test_run("ip -n %s addr show eth0 | grep -q 2001:db8::1/64", ns);
	test_run("ip -n %s link show eth0 | grep -q 02:00:00:00:00:77", ns);
	test_run("ip -n %s link show eth0 | grep -q 'mtu 1450'", ns);
	test_run("ip -n %s route show default | grep -q 192.0.2.254", ns);
	test_run("ip -n %s -6 route show default | grep -q 2001:db8::fe", ns);
	test_run("ip -n %s link show lo | grep -q 'LOOPBACK,UP'", ns);
	/* The near end has no address of its own, not even a link-local. */
	assert_false(test_try("ip addr show wv1 | grep -q inet"));
	p->ops->detach(p, false);
	port_settle();
	assert_false(test_try("ip link show wv1 2>/dev/null"));
	p->ops->destroy(p);
}

static void a_pair_left_behind_is_taken_over(void **state)
{
	const char *ns = test_net_ns("c");
	struct veth_config c;
	struct port *p;
	struct net n;
	uint32_t ifindex;

	(void)state;
	net_init(&n, "192.0.2.1/24", "2001:db8::1/64");
	c = config(ns, &n);
	p = veth_port_create("c1", &c);
	attach(p);
	ifindex = p->ifindex;
	/* As a daemon that was killed leaves it. */
	p->ops->detach(p, true);
	p->ops->destroy(p);
	c.peer = "eth7";
	p = veth_port_create("c1", &c);
	attach(p);
	assert_int_equal(p->ifindex, ifindex);
	test_run("ip -n %s addr show eth7 | grep -q 192.0.2.1/24", ns);
	p->ops->detach(p, false);
	p->ops->destroy(p);
}

/* Frames that are heard while the far end sends for a while. */
static unsigned heard(struct port *p, const char *ns)
{
	struct packet_pool *pool = packet_pool_create(64);
	struct packet_batch b = { .n = 0 };
	unsigned n;

	test_run("ip netns exec %s ping -q -b -c 3 -i 0.02 -W 0.05 "
		 "192.0.2.255 >/dev/null 2>&1; true",
		 ns);
	p->ops->rx(p, 0, &b, pool);
	n = b.n;
	packet_batch_free(&b);
	packet_pool_destroy(pool);
	return n;
}

static void a_held_pair_is_taken_over_at_the_release(void **state)
{
	const char *ns = test_net_ns("c");
	struct veth_config c;
	struct net n;
	struct port *p;

	(void)state;
	net_init(&n, "192.0.2.1/24", "2001:db8::1/64");
	c = config(ns, &n);
	p = veth_port_create("c1", &c);
	devio_hold(); /* nobody has left it: nothing to hold */
	attach(p);
	devio_release();
	assert_true(heard(p, ns));
	p->ops->detach(p, true);
	p->ops->destroy(p);

	devio_hold();
	p = veth_port_create("c1", &c);
	attach(p);
	assert_false(heard(p, ns));
	assert_true(guard_is_left(p->ifindex));
	devio_release();
	assert_true(heard(p, ns));
	p->ops->detach(p, true);

	devio_hold();
	attach(p);
	p->ops->detach(p, false); /* while it is held */
	devio_release();
	p->ops->destroy(p);
}

static void a_pair_in_the_wrong_namespace_is_made_anew(void **state)
{
	const char *old = test_net_ns("c"), *new = test_net_ns("d");
	struct veth_config c;
	struct port *p;
	struct net n;

	(void)state;
	net_init(&n, "192.0.2.1/24", "2001:db8::1/64");
	c = config(old, &n);
	p = veth_port_create("c1", &c);
	attach(p);
	p->ops->detach(p, true);
	p->ops->destroy(p);
	c = config(new, &n);
	p = veth_port_create("c1", &c);
	attach(p);
	test_run("ip -n %s addr show eth0 | grep -q 192.0.2.1/24", new);
	assert_false(test_try("ip -n %s link show eth0 2>/dev/null", old));
	p->ops->detach(p, false);
	p->ops->destroy(p);
}

static void a_change_touches_only_what_it_names(void **state)
{
	const char *ns = test_net_ns("c");
	struct veth_config c;
	struct port *p;
	struct net n;

	(void)state;
	net_init(&n, "192.0.2.1/24", "2001:db8::1/64");
	c = config(ns, &n);
	p = veth_port_create("c1", &c);
	attach(p);
	test_run("ip -n %s addr add 192.0.2.99/24 dev eth0", ns);
	net_init(&n, "192.0.2.2/24", "2001:db8::1/64");
	c = config(ns, &n);
	c.mtu = 1400;
	assert_int_equal(veth_port_set(p, &c, NULL), 0);
	assert_int_equal(p->mtu, 1400);
	test_run("ip -n %s addr show eth0 | grep -q 192.0.2.2/24", ns);
	test_run("ip -n %s addr show eth0 | grep -q 192.0.2.99/24", ns);
	assert_false(
		test_try("ip -n %s addr show eth0 | grep -q 192.0.2.1/", ns));
	test_run("ip -n %s route show default | grep -q 192.0.2.254", ns);
	p->ops->detach(p, false);
	p->ops->destroy(p);
}

/* --- names and namespaces -------------------------------------------------------- */
static void a_namespace_that_is_missing_is_waited_for(void **state)
{
	struct veth_config c = { .device = "wv1",
				 .make = true,
				 .netns = "weft-no-such" };
	struct port *p = veth_port_create("c1", &c);
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(p->ops->attach(p, &e), -ENODEV);
	assert_non_null(strstr(e.text, "weft-no-such"));
	err_fini(&e);
	assert_int_equal(port_get_state(p), PORT_ABSENT);
	p->ops->destroy(p);
}

static void a_name_that_is_taken_is_said(void **state)
{
	const char *ns = test_net_ns("c");
	struct veth_config c = { .device = "wv1", .make = true, .netns = ns };
	struct port *p = veth_port_create("c1", &c);
	struct err e = ERR_INIT;

	(void)state;
	test_run("ip -n %s link add eth0 type bridge", ns);
	assert_int_equal(p->ops->attach(p, &e), -EEXIST);
	assert_non_null(strstr(e.text, "eth0"));
	err_fini(&e);
	assert_false(test_try("ip link show wv1 2>/dev/null"));
	test_run("ip link add wv1 type bridge");
	assert_int_equal(p->ops->attach(p, &e), -EEXIST);
	assert_non_null(strstr(e.text, "wv1"));
	err_fini(&e);
	test_run("ip link del wv1");
	p->ops->destroy(p);
}

static void a_namespace_that_goes_and_comes_is_followed(void **state)
{
	struct packet_pool *pool = packet_pool_create(64);
	struct veth_config c;
	struct packet_batch b;
	struct port *p = NULL;
	struct net n;

	(void)state;
	net_init(&n, "192.0.2.1/24", "2001:db8::1/64");
	for (unsigned i = 0; i < 3; i++) {
		const char *ns = test_net_ns("c");
		int err = 0;

		c = config(ns, &n);
		if (!i)
			p = veth_port_create("c1", &c);
		attach(p);
		assert_int_equal(port_get_state(p), PORT_UP);
		test_net_ns_del(ns);
		/* The kernel takes a namespace down in its own time. */
		for (unsigned k = 0; k < 2000 && !err; k++) {
			b.n = 0;
			err = p->ops->rx(p, 0, &b, pool);
			packet_batch_free(&b);
			if (err > 0)
				err = 0;
			if (k % 100 == 99)
				usleep(10000);
		}
		assert_int_equal(err, -ENODEV);
		assert_int_equal(port_get_state(p), PORT_ABSENT);
		p->ops->detach(p, true);
		assert_int_equal(p->ops->attach(p, NULL), -ENODEV);
		test_net_leave();
	}
	p->ops->destroy(p);
	packet_pool_destroy(pool);
}

/* --- netlink's events ---------------------------------------------------------------- */
static void events_of_a_link_say_what_to_do(void **state)
{
	struct veth_config c = { .device = "wv1" };
	struct port *p = veth_port_create("c1", &c);
	struct nl_link l = { .ifindex = 9, .name = "other", .flags = 1 };

	(void)state;
	assert_int_equal(port_link_new(p, &l), PORT_LINK_NOTHING);
	snprintf(l.name, sizeof(l.name), "wv1");
	assert_int_equal(port_link_new(p, &l), PORT_LINK_ATTACH);
	port_link_set(p, &l);
	assert_int_equal(port_get_state(p), PORT_DOWN);
	/* Renamed, and with a carrier now: it is the same device. */
	snprintf(l.name, sizeof(l.name), "renamed");
	l.carrier = true;
	l.mtu = 9000;
	assert_int_equal(port_link_new(p, &l), PORT_LINK_NOTHING);
	assert_int_equal(port_get_state(p), PORT_UP);
	assert_int_equal(p->mtu, 9000);
	/* Another of the old name is not ours. */
	l.ifindex = 10;
	snprintf(l.name, sizeof(l.name), "wv1");
	assert_int_equal(port_link_new(p, &l), PORT_LINK_NOTHING);
	assert_int_equal(port_link_del(p, &l), PORT_LINK_NOTHING);
	l.ifindex = 9;
	assert_int_equal(port_link_del(p, &l), PORT_LINK_LOST);
	assert_int_equal(port_get_state(p), PORT_ABSENT);
	p->ops->destroy(p);
}

/* --- two containers talk ------------------------------------------------------------- */
struct joint {
	struct port *p[2];
	struct packet_pool *pool;
	pthread_t id;
	_Atomic(bool) stop;
};

static void joint_send_segment(void *ctx, struct packet *segment)
{
	struct port *to = ctx;
	struct packet_batch b = { .n = 1, .p = { segment } };

	to->ops->tx(to, &b, &to->counters[0]);
}

/* As the datapath does: what the port cannot cut is cut here. */
static void joint_send(struct joint *j, struct port *to, struct packet *p)
{
	struct packet_batch b = { .n = 1, .p = { p } };

	if (packet_tx_need(p, to->caps, 0) != TX_SEGMENT) {
		to->ops->tx(to, &b, &to->counters[0]);
		return;
	}
	(void)!packet_segment(p, j->pool, joint_send_segment, to);
	packet_free(p);
}

static void *joint_run(void *arg)
{
	struct joint *j = arg;
	struct pollfd fds[2];

	for (unsigned i = 0; i < 2; i++)
		fds[i] = (struct pollfd){ .fd = j->p[i]->ops->rx_fd(j->p[i], 0),
					  .events = POLLIN };
	while (!j->stop) {
		poll(fds, 2, 10);
		for (unsigned i = 0; i < 2; i++) {
			struct port *from = j->p[i], *to = j->p[!i];
			struct packet_batch b = { 0 };

			(void)from->ops->rx(from, 0, &b, j->pool);
			for (unsigned k = 0; k < b.n; k++)
				joint_send(j, to, b.p[k]);
		}
	}
	return NULL;
}

struct containers {
	const char *ns[2];
	struct joint j;
};

static void containers_start(struct containers *c)
{
	static const char *const ip4[] = { "192.0.2.1/24", "192.0.2.2/24" };
	static const char *const ip6[] = { "2001:db8::1/64", "2001:db8::2/64" };

	memset(c, 0, sizeof(*c));
	c->j.pool = packet_pool_create(256);
	for (unsigned i = 0; i < 2; i++) {
		struct veth_config v;
		struct net n;

		c->ns[i] = test_net_ns(i ? "d" : "c");
		net_init(&n, ip4[i], ip6[i]);
		v = config(c->ns[i], &n);
		v.device = i ? "wv2" : "wv1";
		v.mac.b[5] = (uint8_t)(0x70 + i);
		c->j.p[i] = veth_port_create(v.device, &v);
		attach(c->j.p[i]);
	}
	assert_int_equal(pthread_create(&c->j.id, NULL, joint_run, &c->j), 0);
	test_run("ip netns exec %s ping -c 1 -W 2 192.0.2.2 > /dev/null",
		 c->ns[0]);
}

static void containers_stop(struct containers *c)
{
	c->j.stop = true;
	assert_int_equal(pthread_join(c->j.id, NULL), 0);
	for (unsigned i = 0; i < 2; i++) {
		c->j.p[i]->ops->detach(c->j.p[i], false);
		c->j.p[i]->ops->destroy(c->j.p[i]);
	}
	packet_pool_destroy(c->j.pool);
}

/* 64 MB within 10 seconds, and no segment with a wrong checksum. */
static void containers_stream(const struct containers *c, const char *to)
{
	char *out;

	test_run("ip netns exec %s iperf3 -s -1 -D -p 5202 > /dev/null",
		 c->ns[1]);
	usleep(200000);
	test_run("ip netns exec %s timeout 10 iperf3 -c %s -p 5202 -n 64M "
		 "-C cubic > /dev/null",
		 c->ns[0], to);
	out = test_output("ip netns exec %s cat /proc/net/snmp | "
			  "awk '/^Tcp:/ {n++; if (n == 2) print $14 + $16}'",
			  c->ns[1]);
	assert_string_equal(out, "0\n");
	free(out);
}

/* With every offload as the kernel sets it. */
static void tcp_with_default_offloads_works_at_once(void **state)
{
	struct containers c;

	(void)state;
	containers_start(&c);
	containers_stream(&c, "192.0.2.2");
	containers_stream(&c, "2001:db8::2");
	containers_stop(&c);
}

/* A tunnel of the containers' own: its frames come uncut, too. */
static void tcp_in_a_tunnel_of_the_containers_works(void **state)
{
	static const char *const kinds[] = {
		"vxlan id 9 dstport 4789 dev eth0",
		"vxlan id 9 dstport 8472 dev eth0 udpcsum",
	};
	struct containers c;

	(void)state;
	containers_start(&c);
	for (unsigned k = 0; k < ARRAY_SIZE(kinds); k++) {
		for (unsigned i = 0; i < 2; i++) {
			test_run("ip -n %s link add vx type %s remote "
				 "192.0.2.%u",
				 c.ns[i], kinds[k], 2 - i);
			test_run("ip -n %s addr add 198.51.100.%u/24 dev vx",
				 c.ns[i], 1 + i);
			test_run("ip -n %s link set vx up", c.ns[i]);
		}
		containers_stream(&c, "198.51.100.2");
		for (unsigned i = 0; i < 2; i++)
			test_run("ip -n %s link del vx", c.ns[i]);
	}
	containers_stop(&c);
}

/* --- many ------------------------------------------------------------------------------ */
/* A thousand at once is a figure of the whole; here, that neither end waits for a
 * grace period of the kernel each time. */
static void many_ports_come_and_go_quickly(void **state)
{
	enum { N = 50 };
	const char *ns = test_net_ns("c");
	struct port *ports[N];

	(void)state;
	for (unsigned i = 0; i < N; i++) {
		char name[16], peer[16];
		struct veth_config c = {
			.device = name, .make = true, .netns = ns, .peer = peer
		};

		snprintf(name, sizeof(name), "wm%u", i);
		snprintf(peer, sizeof(peer), "eth%u", i);
		ports[i] = veth_port_create(name, &c);
		attach(ports[i]);
	}
	test_run("test $(ip -n %s -o link | grep -c eth) = %d", ns, N);
	for (unsigned i = 0; i < N; i++) {
		ports[i]->ops->detach(ports[i], false);
		ports[i]->ops->destroy(ports[i]);
	}
	port_settle();
	assert_false(test_try("ip link | grep -q wm"));
}

int main(void)
{
#define CASE(f) cmocka_unit_test_teardown(f, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(the_far_end_is_as_asked),
		CASE(a_pair_left_behind_is_taken_over),
		CASE(a_held_pair_is_taken_over_at_the_release),
		CASE(a_pair_in_the_wrong_namespace_is_made_anew),
		CASE(a_change_touches_only_what_it_names),
		CASE(a_namespace_that_is_missing_is_waited_for),
		CASE(a_name_that_is_taken_is_said),
		CASE(a_namespace_that_goes_and_comes_is_followed),
		CASE(events_of_a_link_say_what_to_do),
		CASE(tcp_with_default_offloads_works_at_once),
		CASE(tcp_in_a_tunnel_of_the_containers_works),
		CASE(many_ports_come_and_go_quickly),
	};

	test_net_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
