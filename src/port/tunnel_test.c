/* SPDX-License-Identifier: Apache-2.0 */
/* The tunnel port on the wire.
 *
 *   port a (192.0.2.1) ---- veth, MTU 1500 ---- port b (192.0.2.2)
 *   this namespace                              namespace "b" */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
#include <setjmp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/be.h"
#include "packet/checksum.h"
#include "packet/headers.h"
#include "port/test_net.h"
#include "port/tunnel.h"
#include "sys/netns.h"

#define PATIENCE 1000
#define TEST_MSS 1380 /* fits the underlay, IPv6 too */

static struct {
	const char *ns;
	struct port *a, *b;
	struct packet_pool *pool;
	bool ip6;
} t;

static struct ip_addr address(const char *text)
{
	struct ip_addr ip;

	assert_int_equal(ip_addr_parse(text, &ip), 0);
	return ip;
}

static struct ip_addr address_of(bool b)
{
	return address(t.ip6 ? (b ? "2001:db8::2" : "2001:db8::1") :
			       (b ? "192.0.2.2" : "192.0.2.1"));
}

static int attach_here(void *arg)
{
	struct port *p = arg;

	return p->ops->attach(p, NULL);
}

static void ports_start(const struct tunnel_config *c)
{
	int ns = netns_open(t.ns, NULL);

	t.pool = packet_pool_create(256);
	t.a = tunnel_port_create("a", c);
	t.b = tunnel_port_create("b", c);
	t.a->id = 1;
	t.b->id = 2;
	assert_int_equal(t.a->ops->attach(t.a, NULL), 0);
	assert_int_equal(netns_run(ns, attach_here, t.b, NULL), 0);
	netns_close(ns);
}

static void ports_stop(void)
{
	t.a->ops->destroy(t.a);
	t.b->ops->destroy(t.b);
	packet_pool_destroy(t.pool);
}

static int set_up(void **state)
{
	const struct tunnel_config c = { .mtu = 1500 };

	(void)state;
	t.ip6 = false;
	ports_start(&c);
	return 0;
}

static int set_up_ip6(void **state)
{
	(void)set_up(state);
	t.ip6 = true;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	ports_stop();
	return 0;
}

/* a's packet of these bytes for b. */
static void send_to_b(const void *frame, size_t len,
		      const struct vnet_header *h, uint32_t vni)
{
	struct packet_batch b = { .n = 1, .p = { packet_alloc(t.pool) } };

	packet_fill(b.p[0], frame, (uint32_t)len);
	if (h)
		assert_int_equal(packet_offload_from_vnet(b.p[0], h),
				 DROP_NONE);
	b.p[0]->flags |= PACKET_TUNNEL;
	b.p[0]->tun = (struct packet_tunnel){ .id = vni, .tos = 0x02 };
	b.p[0]->tun.dst = address_of(true);
	t.a->ops->tx(t.a, &b, &t.a->counters[0]);
}

static int rx_b(struct packet_batch *b, int ms)
{
	unsigned queue = t.ip6 ? 1 : 0;

	b->n = 0;
	for (; ms >= 0; ms--) {
		int n = t.b->ops->rx(t.b, queue, b, t.pool);

		if (n)
			return n;
		usleep(1000);
	}
	return 0;
}

static uint64_t drops_of(struct port *p, enum drop d)
{
	struct port_counters sum;

	port_counters_sum(p, &sum);
	return sum.drops[d];
}

/* --- tests ------------------------------------------------------------------------ */
static void a_frame_arrives_with_its_tunnel_metadata(void **state)
{
	uint8_t frame[2000];
	size_t len = test_frame_udp(frame, 100, 1, false);
	struct ip_addr src = address_of(false), dst = address_of(true);
	struct packet_batch b;

	(void)state;
	send_to_b(frame, len, NULL, 0xabcdef);
	assert_int_equal(rx_b(&b, PATIENCE), 1);
	assert_int_equal(b.p[0]->len, len);
	assert_memory_equal(b.p[0]->data, frame, len);
	assert_true(b.p[0]->flags & PACKET_TUNNEL);
	assert_int_equal(b.p[0]->in_port, 2);
	assert_int_equal(b.p[0]->tun.id, 0xabcdef);
	assert_true(ip_addr_equal(&b.p[0]->tun.src, &src));
	assert_true(ip_addr_equal(&b.p[0]->tun.dst, &dst));
	assert_int_equal(b.p[0]->tun.tp_dst, TUNNEL_UDP_PORT);
	assert_int_equal(b.p[0]->tun.tos, 0x02);
	packet_batch_free(&b);
}

/* Takes what b receives until `payload` bytes of TCP came; checks that they are
 * those of test_frame_tcp in order. Returns the number of packets. */
static unsigned take_stream(size_t payload)
{
	static uint8_t frame[TEST_FRAME_MAX];
	struct packet_batch b;
	struct vnet_header h;
	unsigned n_packets = 0;
	size_t done = 0;

	(void)test_frame_tcp(frame, payload, TEST_MSS, false, &h);
	while (done < payload) {
		if (rx_b(&b, PATIENCE) <= 0)
			fail_msg("%zu of %zu bytes came", done, payload);
		for (unsigned i = 0; i < b.n; i++) {
			struct packet *p = b.p[i];

			assert_true(p->len > 54);
			if (!packet_is_gso(p)) {
				p->l3 = 14;
				assert_int_equal(packet_csum_verify(p),
						 CSUM_RIGHT);
			}
			assert_int_equal(get_be32(p->data + 38), done);
			assert_memory_equal(p->data + 54, frame + 54 + done,
					    p->len - 54);
			done += p->len - 54;
		}
		n_packets += b.n;
		packet_batch_free(&b);
	}
	return n_packets;
}

static void a_gso_frame_crosses_in_few_pieces(void **state)
{
	static const size_t payloads[] = { 1401, 2800, 20000, 60000 };
	uint8_t frame[TEST_FRAME_MAX];
	struct vnet_header h;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(payloads); i++) {
		size_t len =
			test_frame_tcp(frame, payloads[i], TEST_MSS, false, &h);

		send_to_b(frame, len, &h, 7);
		assert_true(take_stream(payloads[i]) <= 2);
	}
	assert_int_equal(drops_of(t.a, DROP_TX_ERROR), 0);
}

static void an_unfinished_checksum_is_finished(void **state)
{
	uint8_t frame[2000];
	struct packet_batch b;
	struct vnet_header h;
	size_t len = test_frame_tcp(frame, 333, 0, false, &h);

	(void)state;
	send_to_b(frame, len, &h, 7);
	assert_int_equal(rx_b(&b, PATIENCE), 1);
	b.p[0]->l3 = 14;
	assert_int_equal(packet_csum_verify(b.p[0]), CSUM_RIGHT);
	packet_batch_free(&b);
}

static void what_is_too_big_for_the_underlay_is_dropped_so(void **state)
{
	uint8_t frame[TEST_FRAME_MAX];
	struct packet_batch b;
	struct vnet_header h;
	size_t len = test_frame_udp(frame, 1472, 1, false);

	(void)state;
	send_to_b(frame, len, NULL, 7);
	assert_int_equal(drops_of(t.a, DROP_TOO_BIG), 1);
	len = test_frame_tcp(frame, 20000, 1480, false, &h);
	send_to_b(frame, len, &h, 7);
	assert_int_equal(drops_of(t.a, DROP_TOO_BIG), 2);
	assert_int_equal(rx_b(&b, 20), 0);
	/* And it goes on. */
	len = test_frame_udp(frame, 100, 1, false);
	send_to_b(frame, len, NULL, 7);
	assert_int_equal(rx_b(&b, PATIENCE), 1);
	packet_batch_free(&b);
}

static void nobody_listening_does_not_stop_the_port(void **state)
{
	uint8_t frame[2000];
	size_t len = test_frame_udp(frame, 100, 1, false);
	struct packet_batch b;

	(void)state;
	t.b->ops->detach(t.b, true);
	for (unsigned i = 0; i < 10; i++) {
		send_to_b(frame, len, NULL, 7);
		usleep(1000);
		b.n = 0;
		assert_int_equal(t.a->ops->rx(t.a, 0, &b, t.pool), 0);
	}
	assert_int_equal(port_get_state(t.a), PORT_UP);
	assert_int_equal(drops_of(t.a, DROP_TX_ERROR), 0);
}

/* --- what strangers send ------------------------------------------------------------ */
static int stranger(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons(TUNNEL_UDP_PORT) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	inet_pton(AF_INET, "192.0.2.2", &in.sin_addr);
	assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	return fd;
}

static void datagrams_that_are_not_vxlan_are_counted(void **state)
{
	uint8_t bad[100] = { 0 };
	struct packet_batch b;
	int fd = stranger();

	(void)state;
	for (unsigned len = 0; len < 30; len++)
		assert_int_equal(send(fd, bad, len, 0), len);
	assert_int_equal(rx_b(&b, 30), 0);
	assert_int_equal(drops_of(t.b, DROP_MALFORMED), 30);
	/* No VNI said (RFC 7348 5). */
	assert_int_equal(send(fd, bad, 100, 0), 100);
	assert_int_equal(rx_b(&b, 30), 0);
	assert_int_equal(drops_of(t.b, DROP_MALFORMED), 31);
	close(fd);
}

/* Many small frames in one coalesced message: more than a batch holds. */
static void a_message_of_many_frames_is_given_in_batches(void **state)
{
	enum { N = 60, FRAME = 60, STEP = 8 + FRAME };
	uint8_t bytes[N * STEP];
	struct iovec iov = { bytes, sizeof(bytes) };
	char control[CMSG_SPACE(sizeof(uint16_t))] = { 0 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	struct packet_batch b;
	unsigned n = 0;
	int fd = stranger();
	uint16_t step = STEP;

	(void)state;
	c->cmsg_level = SOL_UDP;
	c->cmsg_type = UDP_SEGMENT;
	c->cmsg_len = CMSG_LEN(sizeof(step));
	memcpy(CMSG_DATA(c), &step, sizeof(step));
	for (unsigned i = 0; i < N; i++) {
		uint8_t *at = bytes + i * STEP;

		memset(at, 0, 8);
		at[0] = 8;
		(void)test_frame_udp(at + 8, FRAME - 42, (uint8_t)i, false);
	}
	assert_int_equal(sendmsg(fd, &m, 0), sizeof(bytes));
	while (n < N) {
		if (rx_b(&b, PATIENCE) <= 0)
			fail_msg("%u of %u frames came", n, N);
		for (unsigned i = 0; i < b.n; i++)
			assert_memory_equal(b.p[i]->data,
					    bytes + (n + i) * STEP + 8, FRAME);
		n += b.n;
		packet_batch_free(&b);
	}
	assert_int_equal(n, N);
	close(fd);
}

static void flows_leave_by_several_source_ports(void **state)
{
	uint16_t seen[64] = { 0 };
	unsigned n_seen = 0;
	uint8_t frame[200];

	(void)state;
	for (uint16_t flow = 0; flow < 64; flow++) {
		size_t len = test_frame_udp(frame, 20, 1, false);
		struct packet_batch b;
		bool known = false;

		put_be16(frame + 34, (uint16_t)(1000 + flow));
		send_to_b(frame, len, NULL, 7);
		assert_int_equal(rx_b(&b, PATIENCE), 1);
		for (unsigned i = 0; i < n_seen; i++)
			known |= seen[i] == b.p[0]->tun.tp_src;
		if (!known)
			seen[n_seen++] = b.p[0]->tun.tp_src;
		packet_batch_free(&b);
	}
	assert_in_range(n_seen, TUNNEL_SOURCES / 2, TUNNEL_SOURCES);
}

static void a_taken_port_is_said(void **state)
{
	struct tunnel_config c = { 0 };
	struct port *p = tunnel_port_create("c", &c);
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(p->ops->attach(p, &e), -EADDRINUSE);
	assert_non_null(strstr(e.text, "4789"));
	err_fini(&e);
	assert_int_equal(port_get_state(p), PORT_ABSENT);
	p->ops->destroy(p);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
#define CASE6(f)                                                               \
	{                                                                      \
#f "_over_ip6", f, set_up_ip6, tear_down, NULL                 \
	}
	const struct CMUnitTest tests[] = {
		CASE(a_frame_arrives_with_its_tunnel_metadata),
		CASE6(a_frame_arrives_with_its_tunnel_metadata),
		CASE(a_gso_frame_crosses_in_few_pieces),
		CASE6(a_gso_frame_crosses_in_few_pieces),
		CASE(an_unfinished_checksum_is_finished),
		CASE(what_is_too_big_for_the_underlay_is_dropped_so),
		CASE6(what_is_too_big_for_the_underlay_is_dropped_so),
		CASE(nobody_listening_does_not_stop_the_port),
		CASE(datagrams_that_are_not_vxlan_are_counted),
		CASE(a_message_of_many_frames_is_given_in_batches),
		CASE(flows_leave_by_several_source_ports),
		CASE(a_taken_port_is_said),
	};
	int failed;

	test_net_enter();
	t.ns = test_net_ns("b");
	test_run("echo 0 > /proc/sys/net/ipv6/conf/default/disable_ipv6");
	test_run("ip link add wa type veth peer name wb netns %s", t.ns);
	test_run("ip addr add 192.0.2.1/24 dev wa");
	test_run(
		"ip addr add 2001:db8::1/64 dev wa nodad && ip link set wa up");
	test_run("ip -n %s addr add 192.0.2.2/24 dev wb", t.ns);
	test_run("ip -n %s addr add 2001:db8::2/64 dev wb nodad", t.ns);
	test_run("ip -n %s link set wb up", t.ns);
	/* Until both know each other. */
	test_run("for i in 1 2 3 4 5; do "
		 "ping -c 1 -W 1 2001:db8::2 > /dev/null && exit 0; done; "
		 "exit 1");
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	test_net_leave();
	return failed;
}
