/* SPDX-License-Identifier: Apache-2.0 */
/* Frames for benchmarks: makes, counts and pings, nothing else.
 *
 *   frames send IF SECONDS DST-MAC [FLOWS]   60-byte UDP frames by packet socket;
 *                                            prints frames a second sent
 *   frames tap-send IF SECONDS LEN           frames of LEN bytes written to a TAP
 *                                            with virtio headers (TSO when > 1514)
 *   frames tap-read IF SECONDS               bytes and frames a second read
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/be.h"
#include "packet/checksum.h"
#include "packet/headers.h"

#define BATCH 64
#define FRAME 60u

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "frames: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Ethernet, IPv4, UDP or TCP with `payload` bytes behind. */
static unsigned build(uint8_t *f, const uint8_t dst[6], const uint8_t src[6],
		      uint8_t proto, unsigned ip_len)
{
	memset(f, 0, 64);
	memcpy(f, dst, 6);
	memcpy(f + 6, src, 6);
	put_be16(f + 12, ETH_TYPE_IP4);
	f[14] = 0x45;
	put_be16(f + 16, (uint16_t)ip_len);
	f[22] = 64;
	f[23] = proto;
	put_be32(f + 26, 0x0a4d0001);
	put_be32(f + 30, 0x0a4d0002);
	put_be16(f + 24, checksum(f + 14, 20));
	put_be16(f + 34, 1000);
	put_be16(f + 36, 2000);
	return 14 + ip_len;
}

static int packet_socket(const char *device)
{
	struct sockaddr_ll a = { .sll_family = AF_PACKET,
				 .sll_ifindex = (int)if_nametoindex(device) };
	int fd = socket(AF_PACKET, SOCK_RAW, 0), one = 1;

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)))
		die(device);
	(void)setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one,
			 sizeof(one));
	return fd;
}

static int send_frames(const char *device, double seconds, const char *mac,
		       unsigned flows)
{
	static uint8_t frames[BATCH][FRAME];
	struct mmsghdr m[BATCH] = { 0 };
	struct iovec v[BATCH];
	uint8_t src[6] = { 2, 0, 0, 0, 0, 0x51 };
	struct eth_addr dst;
	int fd = packet_socket(device);
	double start = now(), end = start + seconds;
	unsigned long n = 0, port = 0;

	if (eth_addr_parse(mac, &dst))
		return 2;
	for (unsigned i = 0; i < BATCH; i++) {
		build(frames[i], dst.b, src, IP_PROTO_UDP, FRAME - 14);
		put_be16(frames[i] + 38, FRAME - 34);
		v[i] = (struct iovec){ frames[i], FRAME };
		m[i].msg_hdr.msg_iov = &v[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	while (now() < end) {
		int sent;

		for (unsigned i = 0; flows > 1 && i < BATCH; i++)
			put_be16(frames[i] + 34, (uint16_t)(port++ % flows));
		sent = sendmmsg(fd, m, BATCH, 0);
		if (sent > 0)
			n += (unsigned)sent;
	}
	printf("%.0f\n", (double)n / (now() - start));
	return 0;
}

static int open_tap(const char *name)
{
	struct ifreq r = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK), len = 12;

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &r) ||
	    ioctl(fd, TUNSETVNETHDRSZ, &len))
		die(name);
	if (ioctl(fd, TUNSETOFFLOAD,
		  TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN))
		die("TUNSETOFFLOAD");
	return fd;
}

static int tap_send(const char *device, double seconds, unsigned len)
{
	static uint8_t buf[12 + 65536];
	struct virtio_net_hdr *h = (void *)buf;
	uint8_t dst[6] = { 2, 0, 0, 0, 0, 0x52 };
	uint8_t src[6] = { 2, 0, 0, 0, 0, 0x51 };
	struct pollfd p = { .fd = open_tap(device), .events = POLLOUT };
	double start = now(), end = start + seconds;
	unsigned long n = 0;

	build(buf + 12, dst, src, IP_PROTO_TCP, len - 14);
	buf[12 + 46] = 0x50;
	buf[12 + 47] = 0x10;
	h->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	h->csum_start = 34;
	h->csum_offset = 16;
	if (len > 1514) {
		h->gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
		h->gso_size = 1448;
		h->hdr_len = 54;
	}
	while (now() < end) {
		if (write(p.fd, buf, 12 + len) > 0)
			n++;
		else
			poll(&p, 1, 10);
	}
	printf("%.0f\n", (double)n / (now() - start));
	return 0;
}

static int tap_read(const char *device, double seconds)
{
	static uint8_t buf[12 + 65536];
	struct pollfd p = { .fd = open_tap(device), .events = POLLIN };
	double first = 0, last = 0, end = now() + seconds;
	unsigned long n = 0, bytes = 0;

	printf("ready\n");
	fflush(stdout);
	while (now() < end) {
		ssize_t got = read(p.fd, buf, sizeof(buf));

		if (got < 0) {
			poll(&p, 1, 50);
			continue;
		}
		/* Only what tap-send makes: TCP to the port it uses. */
		if (got < 12 + 54 || buf[12 + 23] != IP_PROTO_TCP)
			continue;
		last = now();
		if (!n++)
			first = last;
		bytes += (unsigned long)got - 12;
	}
	printf("%.3f %.0f\n", n > 1 ? (double)bytes * 8e-9 / (last - first) : 0,
	       n > 1 ? (double)n / (last - first) : 0);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc >= 5 && !strcmp(argv[1], "send"))
		return send_frames(
			argv[2], atof(argv[3]), argv[4],
			argc > 5 ? (unsigned)strtoul(argv[5], NULL, 10) : 1);
	if (argc == 5 && !strcmp(argv[1], "tap-send"))
		return tap_send(argv[2], atof(argv[3]),
				(unsigned)strtoul(argv[4], NULL, 10));
	if (argc == 4 && !strcmp(argv[1], "tap-read"))
		return tap_read(argv[2], atof(argv[3]));
	fputs("usage: frames send|tap-send|tap-read ...\n", stderr);
	return 2;
}
