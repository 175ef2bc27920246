/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/frame_pass.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "sys/netns.h"
#include "sys/packet_socket.h"

#define ETH_LEN 14u
#define IP_LEN 20u
#define UDP_LEN 8u
#define PAYLOAD 32u
#define FRAME_LEN (ETH_LEN + IP_LEN + UDP_LEN + PAYLOAD)
#define L4 (ETH_LEN + IP_LEN)
#define FRAMES_SEEN_MAX 4096u /* of others, before giving up */

/* From and to stations that are nobody (locally administered), TTL 1, to the
 * discard port of a documentation address: whoever gets it throws it away. */
static const uint8_t head[ETH_LEN + IP_LEN + UDP_LEN] = {
	0x02, 0x77, 0x65, 0x66, 0x74, 0x02, 0x02, 0x77, 0x65, 0x66, 0x74,
	0x01, 0x08, 0x00, 0x45, 0x00, 0x00, 60,   0x00, 0x00, 0x40, 0x00,
	0x01, 0x11, 0,    0,    192,  0,    2,    1,    192,  0,    2,
	2,    0x00, 0x09, 0x00, 0x09, 0x00, 40,   0,    0
};

/* What the payload says; no text, so without an end. */
static const uint8_t mark[] = { 'w', 'e', 'f', 't', '-', 'd',
				'o', 'c', 't', 'o', 'r' };

static uint32_t add(uint32_t sum, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* Of the pseudo-header: addresses, protocol, length. */
static uint32_t pseudo(const uint8_t *f)
{
	return add(0, f + ETH_LEN + 12, 8) + IPPROTO_UDP + UDP_LEN + PAYLOAD;
}

static void build(uint8_t f[FRAME_LEN], uint32_t tag)
{
	memset(f, 0, FRAME_LEN);
	memcpy(f, head, sizeof(head));
	put16(f + ETH_LEN + 10, (uint16_t)~fold(add(0, f + ETH_LEN, IP_LEN)));
	memcpy(f + L4 + UDP_LEN, mark, sizeof(mark));
	memcpy(f + FRAME_LEN - sizeof(tag), &tag, sizeof(tag));
	/* left open: the device has to finish it */
	put16(f + L4 + 6, fold(pseudo(f)));
}

static int send_open(int fd, const uint8_t *f)
{
	uint8_t m[PACKET_SOCKET_HDR_LEN + FRAME_LEN] = { 0 };
	struct virtio_net_hdr h = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
				    .csum_start = L4,
				    .csum_offset = 6 };

	memcpy(m, &h, sizeof(h));
	memcpy(m + PACKET_SOCKET_HDR_LEN, f, FRAME_LEN);
	return send(fd, m, sizeof(m), 0) < 0 ? -errno : 0;
}

/* One received message: is it ours, and how does it look? */
static bool judge(const uint8_t *m, size_t len, const uint8_t *sent,
		  enum frame_pass_result *result)
{
	const uint8_t *f = m + PACKET_SOCKET_HDR_LEN;
	struct virtio_net_hdr h;
	uint32_t sum;

	if (len != PACKET_SOCKET_HDR_LEN + FRAME_LEN ||
	    memcmp(f + FRAME_LEN - 4, sent + FRAME_LEN - 4, 4) ||
	    memcmp(f + 12, sent + 12, 2))
		return false;
	memcpy(&h, m, sizeof(h));
	if (memcmp(f + L4 + UDP_LEN, sent + L4 + UDP_LEN, PAYLOAD)) {
		*result = FRAME_PASS_CHANGED;
	} else if (h.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
		*result = FRAME_PASS_WHOLE;
	} else {
		sum = add(pseudo(f), f + L4, UDP_LEN + PAYLOAD);
		*result = fold(sum) == 0xffff ? FRAME_PASS_WHOLE :
						FRAME_PASS_WRONG;
	}
	return true;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void await(int fd, const uint8_t *sent, unsigned ms,
		  enum frame_pass_result *result)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t end = now_ms() + ms, now;
	uint8_t m[2048];

	*result = FRAME_PASS_LOST;
	for (unsigned i = 0; i < FRAMES_SEEN_MAX; i++) {
		ssize_t n = recv(fd, m, sizeof(m), MSG_TRUNC);

		if (n > 0 && (size_t)n <= sizeof(m) &&
		    judge(m, (size_t)n, sent, result))
			return;
		if (n >= 0)
			continue;
		now = now_ms();
		if (errno != EAGAIN || now >= end ||
		    poll(&p, 1, (int)(end - now)) <= 0)
			return;
	}
}

int frame_pass_try(const struct frame_pass_end *out,
		   const struct frame_pass_end *in, uint32_t tag, unsigned ms,
		   enum frame_pass_result *result)
{
	struct packet_socket_spec so = { .netns_fd = out->netns_fd,
					 .ifindex = out->ifindex };
	struct packet_socket_spec si = { .netns_fd = in->netns_fd,
					 .ifindex = in->ifindex };
	struct packet_socket a, b;
	uint8_t f[FRAME_LEN];
	int rc = packet_socket_open(&b, &si, NULL);

	if (rc)
		return rc;
	rc = packet_socket_open(&a, &so, NULL);
	if (!rc) {
		build(f, tag);
		rc = send_open(a.fd, f);
		/* thrown away on the way out, says the kernel */
		*result = FRAME_PASS_LOST;
		if (!rc)
			await(b.fd, f, ms, result);
		packet_socket_close(&a);
	}
	if (rc == -ENOBUFS)
		rc = 0;
	packet_socket_close(&b);
	return rc;
}
