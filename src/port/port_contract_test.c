/* SPDX-License-Identifier: Apache-2.0 */
/* Every kind of port keeps the contract of port.h: the same tests for all.
 *
 *      test (far end) ---- device, TAP, pair or process ---- port under test */
#include <errno.h>
#include <net/if.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/be.h"
#include "port/dummy.h"
#include "port/host.h"
#include "port/link.h"
#include "port/nic.h"
#include "port/patch.h"
#include "port/stream.h"
#include "port/tap.h"
#include "port/test_net.h"
#include "port/test_stream.h"
#include "port/tun.h"
#include "port/tunnel.h"
#include "port/veth.h"

/* How a kind is made and reached from its far end. */
struct rig {
	const char *kind;
	bool tun;     /* layer 3 */
	bool virtual; /* no device: far ends are functions */
	bool whole;   /* offloads of TCP cross both ways */
	bool stream;  /* far ends are connections */
	struct port *(*create)(struct rig *r);
	void (*far_open)(struct rig *r);
	/* The device (or what it hangs on) is deleted behind our back. */
	void (*kill)(struct rig *r);
	/* ... and is there again, where weft does not make it itself. */
	void (*revive)(struct rig *r);

	struct port *port, *other;
	struct packet_pool *pool, *far_pool;
	const char *ns;
	int fd;
};

#define QUIET 50      /* ms to be sure that nothing comes */
#define PATIENCE 2000 /* ms for what has to come */

/* --- the kinds --------------------------------------------------------------- */
static struct port *make_tap(struct rig *r UNUSED)
{
	struct tap_config c = { .device = "wtap", .make = true, .mtu = 1500 };

	return tap_port_create("vm1", &c);
}

static void open_tap(struct rig *r)
{
	r->fd = test_tap_open("wtap", false);
}

static void kill_tap(struct rig *r UNUSED)
{
	test_run("ip link del wtap");
}

/* As libvirt does: the machine makes the device, weft finds it. */
static struct port *make_foreign_tap(struct rig *r UNUSED)
{
	struct tap_config c = { .device = "wtap" };

	return tap_port_create("vm2", &c);
}

static void revive_tap(struct rig *r UNUSED)
{
	test_run("ip tuntap add wtap mode tap vnet_hdr");
}

static struct port *make_veth(struct rig *r)
{
	struct ip_prefix address;
	struct veth_config c = { .device = "wveth",
				 .make = true,
				 .mtu = 1500,
				 .peer = "eth0",
				 .netconf = { .addresses = &address,
					      .n_addresses = 1 } };

	if (!r->ns)
		r->ns = test_net_ns("c1");
	c.netns = r->ns;
	assert_int_equal(ip_prefix_parse("192.0.2.9/24", &address), 0);
	return veth_port_create("c1", &c);
}

static void open_veth(struct rig *r)
{
	r->fd = test_raw_open(r->ns, "eth0");
}

static void kill_veth(struct rig *r UNUSED)
{
	test_run("ip link del wveth");
}

static void revive_pair(struct rig *r UNUSED)
{
	test_run("ip link add wveth type veth peer name wfar");
	test_run("ip link set wfar up");
}

static struct port *make_foreign_veth(struct rig *r UNUSED)
{
	struct veth_config c = { .device = "wveth" };

	return veth_port_create("c2", &c);
}

static void open_far(struct rig *r)
{
	r->fd = test_raw_open(NULL, "wfar");
}

static struct port *make_nic(struct rig *r UNUSED)
{
	struct nic_config c = { .device = "wveth" };

	return nic_port_create("uplink", &c);
}

static struct port *make_host(struct rig *r UNUSED)
{
	struct host_config c = { .device = "wbr0", .mtu = 1500 };

	return host_port_create("br0", &c);
}

static void open_host(struct rig *r)
{
	r->fd = test_raw_open(NULL, "wbr0");
}

static void kill_host(struct rig *r UNUSED)
{
	test_run("ip link del wbr0");
}

static struct port *make_tun(struct rig *r UNUSED)
{
	struct tun_config c = { .device = "wtun", .make = true };

	return tun_port_create("vpn", &c);
}

static void open_tun(struct rig *r)
{
	r->fd = test_tap_open("wtun", true);
}

static void kill_tun(struct rig *r UNUSED)
{
	test_run("ip link del wtun");
}

static struct port *make_tun_host(struct rig *r UNUSED)
{
	struct tun_config c = { .side = TUN_FOR_HOST, .device = "wtun" };

	return tun_port_create("self", &c);
}

static void open_tun_host(struct rig *r)
{
	r->fd = test_raw_open(NULL, "wtun");
}

static struct port *make_dummy(struct rig *r UNUSED)
{
	struct dummy_config c = { .record = true,
				  .caps = PORT_CAP_CSUM | PORT_CAP_TSO4 };

	return dummy_port_create("d1", &c);
}

static struct port *make_patch(struct rig *r)
{
	struct patch_config c = { 0 };

	r->other = patch_port_create("p2", &c);
	assert_int_equal(r->other->ops->attach(r->other, NULL), 0);
	c.peer = r->other;
	return patch_port_create("p1", &c);
}

/* Two hosts' tunnel ends, on loopback addresses. */
static struct port *make_tunnel_end(const char *local)
{
	struct tunnel_config c = { .mtu = 1500 };

	assert_int_equal(ip_addr_parse(local, &c.local), 0);
	return tunnel_port_create(local, &c);
}

static struct port *make_tunnel(struct rig *r)
{
	r->other = make_tunnel_end("127.0.0.2");
	assert_int_equal(r->other->ops->attach(r->other, NULL), 0);
	return make_tunnel_end("127.0.0.1");
}

static struct port *make_stream(struct rig *r UNUSED)
{
	struct stream_config c = { .path = test_stream_path() };

	return stream_port_create("vm3", &c);
}

static struct rig rigs[] = {
	{ .kind = "stream",
	  .virtual = true,
	  .stream = true,
	  .create = make_stream },
	{ .kind = "dummy",
	  .virtual = true,
	  .whole = true,
	  .create = make_dummy },
	{ .kind = "patch",
	  .virtual = true,
	  .whole = true,
	  .create = make_patch },
	{ .kind = "tunnel", .virtual = true, .create = make_tunnel },
	{ .kind = "tap",
	  .whole = true,
	  .create = make_tap,
	  .far_open = open_tap,
	  .kill = kill_tap },
	{ .kind = "tap of others",
	  .whole = true,
	  .create = make_foreign_tap,
	  .far_open = open_tap,
	  .kill = kill_tap,
	  .revive = revive_tap },
	{ .kind = "veth",
	  .whole = true,
	  .create = make_veth,
	  .far_open = open_veth,
	  .kill = kill_veth },
	{ .kind = "veth of others",
	  .whole = true,
	  .create = make_foreign_veth,
	  .far_open = open_far,
	  .kill = kill_veth,
	  .revive = revive_pair },
	{ .kind = "nic",
	  .whole = true,
	  .create = make_nic,
	  .far_open = open_far,
	  .kill = kill_veth,
	  .revive = revive_pair },
	{ .kind = "host",
	  .whole = true,
	  .create = make_host,
	  .far_open = open_host,
	  .kill = kill_host },
	{ .kind = "tun",
	  .tun = true,
	  .whole = true,
	  .create = make_tun,
	  .far_open = open_tun,
	  .kill = kill_tun },
	{ .kind = "tun for the host",
	  .tun = true,
	  .whole = true,
	  .create = make_tun_host,
	  .far_open = open_tun_host,
	  .kill = kill_tun },
};

/* --- the far end --------------------------------------------------------------- */
static void far_close(struct rig *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

static void far_send(struct rig *r, const void *frame, size_t len,
		     const struct vnet_header *h)
{
	struct packet *like;

	if (!r->virtual) {
		assert_int_equal(test_raw_send(r->fd, frame, len, h), 0);
		return;
	}
	if (r->stream) {
		test_stream_send(r->fd, frame, len);
		return;
	}
	if (r->other) {
		test_tx(r->other, r->far_pool, frame, len, h);
		return;
	}
	like = packet_alloc(r->far_pool);
	packet_fill(like, frame, (uint32_t)len);
	if (h)
		assert_int_equal(packet_offload_from_vnet(like, h), DROP_NONE);
	assert_true(dummy_inject(r->port, frame, (uint32_t)len, like));
	packet_free(like);
}

static int far_recv_virtual(struct rig *r, void *frame, struct vnet_header *h)
{
	struct packet_batch b = { 0 };
	struct packet *p;
	int len;

	if (r->stream)
		return test_stream_recv(r->port, r->pool, r->fd, frame);
	if (r->other) {
		if (test_rx(r->other, &b, r->far_pool, QUIET) <= 0)
			return -EAGAIN;
		p = b.p[0];
	} else {
		p = dummy_take(r->port, r->far_pool);
		if (!p)
			return -EAGAIN;
	}
	len = (int)p->len;
	memcpy(frame, p->data, p->len);
	packet_offload_to_vnet(p, h);
	packet_free(p);
	return len;
}

/* The next frame of ours (the kernel says things of its own on devices). */
static int far_recv(struct rig *r, uint8_t *frame, struct vnet_header *h,
		    int ms)
{
	size_t at = r->tun ? 12 : 26;
	int len;

	do {
		len = r->virtual ? far_recv_virtual(r, frame, h) :
				   test_raw_recv(r->fd, frame, TEST_FRAME_MAX,
						 h, ms);
	} while (len >= 0 &&
		 (len < (int)at + 8 || (get_be16(frame + at) != 0xc000 &&
					get_be16(frame + at + 4) != 0xc000)));
	return len;
}

/* Opens the far end and waits until the kernel lets frames through, telling the
 * port as whoever follows netlink does. */
static void far_open(struct rig *r)
{
	struct nl_link link;
	struct nl *nl;

	if (r->stream)
		r->fd = test_stream_connect(r->port, r->pool);
	if (!r->far_open)
		return;
	r->far_open(r);
	assert_int_equal(nl_open(&nl, NL_CURRENT_NS, NULL), 0);
	for (int i = 0; i < PATIENCE; i++) {
		assert_int_equal(nl_link_get(nl, r->port->ifindex, &link, NULL),
				 0);
		port_link_new(r->port, &link);
		usleep(1000);
		if (link.flags & IFF_RUNNING)
			break;
	}
	nl_close(nl);
	assert_int_equal(port_get_state(r->port), PORT_UP);
}

/* --- set-up ------------------------------------------------------------------------ */
static void rig_start(struct rig *r)
{
	struct err e = ERR_INIT;

	r->fd = -1;
	r->pool = packet_pool_create(128);
	r->far_pool = packet_pool_create(128);
	assert_non_null(r->pool);
	if (r->revive)
		r->revive(r);
	r->port = r->create(r);
	r->port->id = 7;
	assert_int_equal(port_get_state(r->port), PORT_ABSENT);
	if (r->port->ops->attach(r->port, &e))
		fail_msg("%s: %s", r->kind, e.text);
	far_open(r);
}

static void rig_stop(struct rig *r)
{
	far_close(r);
	r->port->ops->detach(r->port, false);
	assert_int_equal(port_get_state(r->port), PORT_ABSENT);
	r->port->ops->destroy(r->port);
	if (r->other)
		r->other->ops->destroy(r->other);
	r->other = NULL;
	if (r->revive)
		(void)!test_try("ip link del wtap 2>/dev/null || "
				"ip link del wveth 2>/dev/null");
	/* Every packet came back. */
	packet_pool_destroy(r->pool);
	packet_pool_destroy(r->far_pool);
}

/* Receives until a frame of ours comes; the kernel's are freed. */
static struct packet *rx_ours(struct rig *r, int ms)
{
	unsigned at = r->tun ? 12 : 26;
	struct packet *found = NULL;
	struct packet_batch b;

	while (!found && test_rx(r->port, &b, r->pool, ms) > 0)
		for (unsigned i = 0; i < b.n; i++) {
			struct packet *p = b.p[i];

			if (!found && p->len >= at + 8 &&
			    (get_be16(p->data + at) == 0xc000 ||
			     get_be16(p->data + at + 4) == 0xc000))
				found = p;
			else
				packet_free(p);
		}
	return found;
}

static void assert_crosses_in(struct rig *r, size_t payload, uint8_t seed)
{
	uint8_t frame[TEST_FRAME_MAX];
	size_t len = test_frame_udp(frame, payload, seed, r->tun);
	struct packet *p;

	far_send(r, frame, len, NULL);
	p = rx_ours(r, PATIENCE);
	if (!p)
		fail_msg("%s: nothing received", r->kind);
	assert_int_equal(p->len, len);
	assert_memory_equal(p->data, frame, len);
	assert_int_equal(p->in_port, 7);
	assert_int_equal(p->packet_type,
			 r->tun ? PACKET_TYPE_IP4 : PACKET_TYPE_ETHERNET);
	assert_false(p->flags & PACKET_CSUM_PARTIAL);
	assert_int_equal(!!(p->flags & PACKET_TUNNEL),
			 !!(r->port->caps & PORT_CAP_TUNNEL));
	packet_free(p);
}

static void assert_crosses_out(struct rig *r, size_t payload, uint8_t seed)
{
	uint8_t frame[TEST_FRAME_MAX], got[TEST_FRAME_MAX];
	size_t len = test_frame_udp(frame, payload, seed, r->tun);
	struct vnet_header h;
	int n;

	test_tx(r->port, r->pool, frame, len, NULL);
	n = far_recv(r, got, &h, PATIENCE);
	if (n != (int)len)
		fail_msg("%s: %d bytes came out", r->kind, n);
	assert_memory_equal(got, frame, len);
}

static struct rig *rig_of(void **state)
{
	return *state;
}

/* --- the contract ------------------------------------------------------------------- */
static void frames_cross_unchanged_both_ways(void **state)
{
	static const size_t payloads[] = { 0, 18, 100, 138, 139, 1000, 1472 };
	struct rig *r = rig_of(state);

	rig_start(r);
	for (unsigned i = 0; i < ARRAY_SIZE(payloads); i++) {
		assert_crosses_in(r, payloads[i], (uint8_t)i);
		assert_crosses_out(r, payloads[i], (uint8_t)(i + 50));
	}
	rig_stop(r);
}

static void what_is_sent_is_counted(void **state)
{
	struct rig *r = rig_of(state);
	struct port_counters sum;

	rig_start(r);
	assert_crosses_out(r, 100, 1);
	assert_crosses_out(r, 200, 2);
	port_counters_sum(r->port, &sum);
	assert_int_equal(sum.tx_packets, 2);
	assert_int_equal(sum.tx_bytes, 300 + 2 * (r->tun ? 28 : 42));
	assert_int_equal(sum.tx_errors, 0);
	for (unsigned i = 0; i < N_DROPS; i++)
		assert_int_equal(sum.drops[i], 0);
	rig_stop(r);
}

static void a_gso_frame_comes_in_whole(void **state)
{
	uint8_t frame[TEST_FRAME_MAX];
	struct rig *r = rig_of(state);
	struct vnet_header h;
	struct packet *p;
	size_t len;

	if (!r->whole)
		return;
	rig_start(r);
	len = test_frame_tcp(frame, 60000, 1400, r->tun, &h);
	far_send(r, frame, len, &h);
	p = rx_ours(r, PATIENCE);
	if (!p)
		fail_msg("%s: nothing received", r->kind);
	assert_int_equal(p->len, len);
	assert_memory_equal(p->data, frame, len);
	assert_int_equal(p->gso_type, GSO_TCP4);
	assert_int_equal(p->gso_size, 1400);
	assert_true(p->flags & PACKET_CSUM_PARTIAL);
	assert_int_equal(p->csum_start, h.csum_start);
	assert_int_equal(p->csum_offset, 16);
	packet_free(p);
	rig_stop(r);
}

static void a_gso_frame_goes_out_whole(void **state)
{
	uint8_t frame[TEST_FRAME_MAX], got[TEST_FRAME_MAX];
	struct rig *r = rig_of(state);
	struct vnet_header h, got_h;
	size_t len;
	int n;

	if (!r->whole)
		return;
	rig_start(r);
	len = test_frame_tcp(frame, 60000, 1400, r->tun, &h);
	test_tx(r->port, r->pool, frame, len, &h);
	n = far_recv(r, got, &got_h, PATIENCE);
	assert_int_equal(n, len);
	assert_memory_equal(got, frame, len);
	assert_int_equal(got_h.gso_type, VNET_GSO_TCP4);
	assert_int_equal(got_h.gso_size, 1400);
	assert_int_equal(got_h.flags & VNET_F_NEEDS_CSUM, VNET_F_NEEDS_CSUM);
	assert_int_equal(got_h.csum_start, h.csum_start);
	rig_stop(r);
}

static void an_unfinished_checksum_stays_unfinished(void **state)
{
	uint8_t frame[2000];
	struct rig *r = rig_of(state);
	struct vnet_header h;
	struct packet *p;
	size_t len;

	if (!r->whole)
		return;
	rig_start(r);
	len = test_frame_tcp(frame, 20, 0, r->tun, &h);
	far_send(r, frame, len, &h);
	p = rx_ours(r, PATIENCE);
	assert_non_null(p);
	assert_true(p->flags & PACKET_CSUM_PARTIAL);
	assert_int_equal(p->csum_start, h.csum_start);
	assert_int_equal(p->gso_size, 0);
	packet_free(p);
	rig_stop(r);
}

/* Puts a tag into a frame: the length grows by 4. */
static size_t tag(uint8_t *frame, size_t len, uint16_t tpid, uint16_t tci)
{
	memmove(frame + 16, frame + 12, len - 12);
	put_be16(frame + 12, tpid);
	put_be16(frame + 14, tci);
	return len + 4;
}

static void tags_are_in_the_frame_both_ways(void **state)
{
	static const uint16_t tpids[] = { 0x8100, 0x88a8 };
	uint8_t frame[2000], got[TEST_FRAME_MAX];
	struct rig *r = rig_of(state);
	struct packet_batch b;

	if (r->tun)
		return;
	rig_start(r);
	for (unsigned i = 0; i < ARRAY_SIZE(tpids); i++) {
		size_t len = test_frame_udp(frame, 64, 3, false);
		bool found = false;

		len = tag(frame, len, 0x8100, 5);
		len = tag(frame, len, tpids[i], 0x6123);
		far_send(r, frame, len, NULL);
		while (!found && test_rx(r->port, &b, r->pool, PATIENCE) > 0) {
			for (unsigned k = 0; k < b.n; k++)
				found |= b.p[k]->len == len &&
					 !memcmp(b.p[k]->data, frame, len);
			packet_batch_free(&b);
		}
		assert_true(found);
		test_tx(r->port, r->pool, frame, len, NULL);
		if (r->virtual) {
			struct vnet_header h;

			assert_int_equal(far_recv_virtual(r, got, &h), len);
			assert_memory_equal(got, frame, len);
		}
	}
	rig_stop(r);
}

static void attaching_again_works(void **state)
{
	struct rig *r = rig_of(state);

	rig_start(r);
	for (unsigned i = 0; i < 3; i++) {
		assert_crosses_in(r, 64, (uint8_t)i);
		far_close(r);
		r->port->ops->detach(r->port, i & 1);
		assert_int_equal(port_get_state(r->port), PORT_ABSENT);
		if (r->revive && r->virtual)
			r->revive(r);
		assert_int_equal(r->port->ops->attach(r->port, NULL), 0);
		far_open(r);
	}
	assert_crosses_in(r, 64, 9);
	assert_crosses_out(r, 64, 9);
	rig_stop(r);
}

static void a_port_that_is_down_drops_with_its_reason(void **state)
{
	uint8_t frame[200];
	struct rig *r = rig_of(state);
	struct port_counters sum;
	size_t len;

	rig_start(r);
	r->port->ops->detach(r->port, true);
	len = test_frame_udp(frame, 64, 1, r->tun);
	test_tx(r->port, r->pool, frame, len, NULL);
	port_counters_sum(r->port, &sum);
	assert_int_equal(sum.drops[DROP_PORT_DOWN], 1);
	assert_int_equal(sum.tx_packets, 0);
	rig_stop(r);
}

static void an_empty_pool_drops_with_its_reason(void **state)
{
	uint8_t frame[200];
	struct rig *r = rig_of(state);
	struct packet_pool *pool = packet_pool_create(1);
	struct packet *held = packet_alloc(pool);
	struct port_counters sum;
	struct packet_batch b;
	size_t len;

	rig_start(r);
	len = test_frame_udp(frame, 64, 1, r->tun);
	far_send(r, frame, len, NULL);
	assert_int_equal(test_rx(r->port, &b, pool, QUIET), 0);
	port_counters_sum(r->port, &sum);
	assert_true(sum.drops[DROP_POOL_EMPTY] >= 1);
	packet_free(held);
	packet_pool_destroy(pool);
	/* And it goes on. */
	assert_crosses_in(r, 64, 2);
	rig_stop(r);
}

/* --- a burst ----------------------------------------------------------------------- */
struct burst {
	struct rig *r;
	pthread_t id;
	_Atomic(bool) stop;
};

static void *burst_run(void *arg)
{
	struct burst *b = arg;
	uint8_t frame[TEST_FRAME_MAX];
	struct vnet_header h;
	size_t len = test_frame_tcp(frame, 20000, 1400, b->r->tun, &h);

	while (!b->stop)
		(void)!test_raw_send(b->r->fd, frame, len, &h);
	return NULL;
}

static void burst_start(struct burst *b, struct rig *r)
{
	b->r = r;
	b->stop = false;
	assert_int_equal(pthread_create(&b->id, NULL, burst_run, b), 0);
}

static void burst_stop(struct burst *b)
{
	b->stop = true;
	assert_int_equal(pthread_join(b->id, NULL), 0);
}

/* Receives and sends back for a while: rx's first failure, or 0. */
static int reflect(struct rig *r, int rounds)
{
	struct packet_batch b;

	for (int i = 0; i < rounds; i++) {
		int n = test_rx(r->port, &b, r->pool, 5);

		if (n < 0)
			return n;
		if (n > 0)
			r->port->ops->tx(r->port, &b, &r->port->counters[1]);
	}
	return 0;
}

static void detaching_in_a_burst_loses_only_frames(void **state)
{
	struct rig *r = rig_of(state);
	struct burst b;

	if (r->virtual)
		return;
	rig_start(r);
	burst_start(&b, r);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(reflect(r, 100), 0);
		r->port->ops->detach(r->port, true);
		assert_int_equal(r->port->ops->attach(r->port, NULL), 0);
	}
	burst_stop(&b);
	assert_int_equal(reflect(r, 10), 0);
	rig_stop(r);
}

static void a_device_deleted_in_a_burst_is_told_and_heals(void **state)
{
	struct rig *r = rig_of(state);
	struct burst b;
	int err = 0;

	if (r->virtual)
		return;
	rig_start(r);
	burst_start(&b, r);
	assert_int_equal(reflect(r, 100), 0);
	r->kill(r);
	for (int i = 0; i < 100 && !err; i++)
		err = reflect(r, 10);
	assert_int_equal(err, -ENODEV);
	assert_int_equal(port_get_state(r->port), PORT_ABSENT);
	burst_stop(&b);
	far_close(r);
	r->port->ops->detach(r->port, true);
	if (r->revive) {
		struct err e = ERR_INIT;

		assert_int_equal(r->port->ops->attach(r->port, &e), -ENODEV);
		assert_true(err_is_set(&e));
		err_fini(&e);
		assert_int_equal(port_get_state(r->port), PORT_ABSENT);
		r->revive(r);
	}
	assert_int_equal(r->port->ops->attach(r->port, NULL), 0);
	far_open(r);
	assert_crosses_in(r, 100, 1);
	assert_crosses_out(r, 100, 2);
	rig_stop(r);
}

static const struct {
	const char *name;
	CMUnitTestFunction fn;
} contract[] = {
#define CASE(fn)                                                               \
	{                                                                      \
#fn, fn                                                        \
	}
	CASE(frames_cross_unchanged_both_ways),
	CASE(what_is_sent_is_counted),
	CASE(a_gso_frame_comes_in_whole),
	CASE(a_gso_frame_goes_out_whole),
	CASE(an_unfinished_checksum_stays_unfinished),
	CASE(tags_are_in_the_frame_both_ways),
	CASE(attaching_again_works),
	CASE(a_port_that_is_down_drops_with_its_reason),
	CASE(an_empty_pool_drops_with_its_reason),
	CASE(detaching_in_a_burst_loses_only_frames),
	CASE(a_device_deleted_in_a_burst_is_told_and_heals),
};

/* An argument is a pattern of the names of tests to run: "tap: *burst*". */
int main(int argc, char **argv)
{
	struct CMUnitTest tests[ARRAY_SIZE(rigs) * ARRAY_SIZE(contract)];
	char names[ARRAY_SIZE(tests)][100];
	size_t n = 0;
	int failed;

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	test_net_enter();
	for (size_t i = 0; i < ARRAY_SIZE(rigs); i++)
		for (size_t k = 0; k < ARRAY_SIZE(contract); k++) {
			snprintf(names[n], sizeof(names[n]), "%s: %s",
				 rigs[i].kind, contract[k].name);
			tests[n] = (struct CMUnitTest){
				.name = names[n],
				.test_func = contract[k].fn,
				.initial_state = &rigs[i],
			};
			n++;
		}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	test_net_leave();
	return failed;
}
