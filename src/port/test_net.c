/* SPDX-License-Identifier: Apache-2.0 */
#include "port/test_net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/be.h"
#include "base/str.h"
#include "packet/checksum.h"
#include "packet/headers.h"
#include "sys/netns.h"

#define TEST_NS_MAX 8u
#define TEST_HDR 10u

static char test_ns_names[TEST_NS_MAX][TEST_NET_NAME_MAX];
static unsigned test_n_ns;

/* --- namespaces ------------------------------------------------------------ */
void test_net_enter(void)
{
	if (unshare(CLONE_NEWNET)) {
		fprintf(stderr, "skipped: no right to make namespaces\n");
		exit(77);
	}
	test_run("ip link set lo up");
	test_run("echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6");
}

const char *test_net_ns(const char *suffix)
{
	char *name = test_ns_names[test_n_ns];

	assert_true(test_n_ns < TEST_NS_MAX);
	snprintf(name, TEST_NET_NAME_MAX, "weft-%d-%s", getpid(), suffix);
	assert_int_equal(netns_create(name, NULL), 0);
	test_n_ns++;
	return name;
}

void test_net_ns_del(const char *name)
{
	assert_int_equal(netns_delete(name, NULL), 0);
	for (unsigned i = 0; i < test_n_ns; i++)
		if (test_ns_names[i] == name)
			test_ns_names[i][0] = 0;
}

void test_net_leave(void)
{
	while (test_n_ns) {
		const char *name = test_ns_names[--test_n_ns];

		if (name[0])
			assert_int_equal(netns_delete(name, NULL), 0);
	}
}

/* The shell's status; `out` (may be NULL) gets what it says. */
static int test_shell(const char *command, struct str *out)
{
	int fds[2], status;
	char buf[4096];
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		if (out)
			dup2(fds[1], STDOUT_FILENO);
		close(fds[0]);
		close(fds[1]);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	close(fds[1]);
	while (out && (n = read(fds[0], buf, sizeof(buf))) > 0)
		str_add_n(out, buf, (size_t)n);
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

void test_run(const char *fmt, ...)
{
	struct str command = STR_INIT;
	va_list ap;
	int status;

	va_start(ap, fmt);
	str_addv(&command, fmt, ap);
	va_end(ap);
	status = test_shell(str_text(&command), NULL);
	if (status)
		fail_msg("%s: status %d", str_text(&command), status);
	str_fini(&command);
}

bool test_try(const char *fmt, ...)
{
	struct str command = STR_INIT;
	va_list ap;
	int status;

	va_start(ap, fmt);
	str_addv(&command, fmt, ap);
	va_end(ap);
	status = test_shell(str_text(&command), NULL);
	str_fini(&command);
	return !status;
}

char *test_output(const char *fmt, ...)
{
	struct str command = STR_INIT, out = STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	str_addv(&command, fmt, ap);
	va_end(ap);
	(void)test_shell(str_text(&command), &out);
	str_fini(&command);
	str_add(&out, "");
	return str_take(&out);
}

/* --- raw ends ---------------------------------------------------------------- */
struct test_raw {
	const char *device;
};

static int test_raw_open_here(void *arg)
{
	const struct test_raw *r = arg;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0), one = 1;
	int size = 8 << 20;
	struct sockaddr_ll sll = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(r->device),
	};

	assert_true(fd >= 0);
	assert_true(sll.sll_ifindex > 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	assert_int_equal(
		setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)),
		0);
	assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING,
				    &one, sizeof(one)),
			 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sll, sizeof(sll)), 0);
	return fd;
}

int test_raw_open(const char *ns, const char *device)
{
	struct test_raw r = { device };
	int ns_fd = NL_CURRENT_NS, fd;

	if (ns) {
		ns_fd = netns_open(ns, NULL);
		assert_true(ns_fd >= 0);
	}
	fd = netns_run(ns_fd, test_raw_open_here, &r, NULL);
	assert_true(fd >= 0);
	if (ns_fd >= 0)
		netns_close(ns_fd);
	return fd;
}

int test_tap_open(const char *device, bool tun)
{
	struct ifreq ifr = { .ifr_flags = IFF_NO_PI | IFF_VNET_HDR };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	assert_true(fd >= 0);
	ifr.ifr_flags |= tun ? IFF_TUN : IFF_TAP;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", device);
	assert_int_equal(ioctl(fd, TUNSETIFF, &ifr), 0);
	assert_int_equal(
		ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6),
		0);
	return fd;
}

int test_raw_send(int fd, const void *frame, size_t len,
		  const struct vnet_header *h)
{
	struct vnet_header none = { 0 };
	struct iovec iov[2] = { { (void *)(h ? h : &none), TEST_HDR },
				{ (void *)frame, len } };

	return writev(fd, iov, 2) < 0 ? -errno : 0;
}

int test_raw_recv(int fd, void *frame, size_t cap, struct vnet_header *h,
		  int ms)
{
	struct vnet_header none;
	struct iovec iov[2] = { { h ? h : &none, TEST_HDR }, { frame, cap } };
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	ssize_t n;

	if (poll(&pfd, 1, ms) <= 0)
		return -EAGAIN;
	n = readv(fd, iov, 2);
	return n < 0 ? -errno : (int)n - (int)TEST_HDR;
}

/* --- frames -------------------------------------------------------------------- */
static size_t test_ip(uint8_t *out, uint8_t proto, size_t len, bool l3)
{
	static const uint8_t eth[ETH_HEADER_LEN] = { 2, 0, 0, 0, 0, 2, 2,
						     0, 0, 0, 0, 1, 8, 0 };
	uint8_t *ip = out + (l3 ? 0 : ETH_HEADER_LEN);

	if (!l3)
		memcpy(out, eth, sizeof(eth));
	memset(ip, 0, IP4_HEADER_LEN);
	ip[0] = 0x45;
	put_be16(ip + 2, (uint16_t)(IP4_HEADER_LEN + len));
	ip[8] = 64;
	ip[9] = proto;
	memcpy(ip + 12, (uint8_t[]){ 192, 0, 2, 1, 192, 0, 2, 2 }, 8);
	put_be16(ip + 10, checksum(ip, IP4_HEADER_LEN));
	return (size_t)(ip - out) + IP4_HEADER_LEN;
}

static void test_fill(uint8_t *at, size_t len, uint8_t seed)
{
	for (size_t i = 0; i < len; i++)
		at[i] = (uint8_t)(seed + i * 7);
}

size_t test_frame_udp(uint8_t *out, size_t payload, uint8_t seed, bool l3)
{
	size_t len = UDP_HEADER_LEN + payload;
	size_t at = test_ip(out, IP_PROTO_UDP, len, l3);
	uint8_t *udp = out + at;
	uint64_t sum = checksum_pseudo4(0xc0000201, 0xc0000202, IP_PROTO_UDP,
					(uint32_t)len);

	put_be16(udp, 4000);
	put_be16(udp + 2, 7);
	put_be16(udp + 4, (uint16_t)len);
	put_be16(udp + 6, 0);
	test_fill(udp + UDP_HEADER_LEN, payload, seed);
	put_be16(udp + 6,
		 (uint16_t)~checksum_fold(checksum_add(sum, udp, len)));
	return at + len;
}

size_t test_frame_tcp(uint8_t *out, size_t payload, uint16_t mss, bool l3,
		      struct vnet_header *h)
{
	size_t len = TCP_HEADER_LEN + payload;
	size_t at = test_ip(out, IP_PROTO_TCP, len, l3);
	uint8_t *tcp = out + at;
	uint64_t sum = checksum_pseudo4(0xc0000201, 0xc0000202, IP_PROTO_TCP,
					(uint32_t)len);

	memset(tcp, 0, TCP_HEADER_LEN);
	put_be16(tcp, 4000);
	put_be16(tcp + 2, 7);
	tcp[12] = 0x50;
	tcp[13] = TCP_ACK;
	put_be16(tcp + 16, checksum_fold(sum));
	test_fill(tcp + TCP_HEADER_LEN, payload, 1);
	*h = (struct vnet_header){
		.flags = VNET_F_NEEDS_CSUM,
		.gso_type = mss ? VNET_GSO_TCP4 : VNET_GSO_NONE,
		.hdr_len = (uint16_t)(at + TCP_HEADER_LEN),
		.gso_size = mss,
		.csum_start = (uint16_t)at,
		.csum_offset = 16,
	};
	return at + len;
}

/* --- ports ----------------------------------------------------------------------- */
int test_rx(struct port *p, struct packet_batch *b, struct packet_pool *pool,
	    int ms)
{
	struct pollfd pfd = { .fd = p->ops->rx_fd(p, 0), .events = POLLIN };
	int n;

	b->n = 0;
	for (; ms >= 0; ms -= 5) {
		n = p->ops->rx(p, 0, b, pool);
		if (n)
			return n;
		poll(&pfd, pfd.fd >= 0, 5);
	}
	return 0;
}

static void test_tunnel_to_other(const struct port *p, struct packet *pkt)
{
	bool first = !strcmp(p->name, "127.0.0.1");

	pkt->flags |= PACKET_TUNNEL;
	pkt->tun = (struct packet_tunnel){ .id = 42, .tos = 0x12 };
	pkt->tun.dst = ip_addr_from_ip4(first ? 0x7f000002 : 0x7f000001);
}

void test_tx(struct port *p, struct packet_pool *pool, const void *frame,
	     size_t len, const struct vnet_header *h)
{
	struct packet_batch b = { .n = 1, .p = { packet_alloc(pool) } };

	assert_non_null(b.p[0]);
	packet_fill(b.p[0], frame, (uint32_t)len);
	if (p->ops->layer3)
		b.p[0]->packet_type = PACKET_TYPE_IP4;
	if (h)
		assert_int_equal(packet_offload_from_vnet(b.p[0], h),
				 DROP_NONE);
	if (p->caps & PORT_CAP_TUNNEL)
		test_tunnel_to_other(p, b.p[0]);
	p->ops->tx(p, &b, &p->counters[0]);
	assert_int_equal(b.n, 0);
}
