/* SPDX-License-Identifier: Apache-2.0 */
/* Packet sockets: the way into devices whose descriptor others hold.
 *
 * What      a raw AF_PACKET socket on one device: whole frames in and out, each
 *           with a virtio-net header of 10 bytes that keeps GSO and partial
 *           checksums, and the VLAN tag the kernel took off as auxiliary data.
 * Why so    it works on any device, needs no driver's help, keeps 64 kB frames
 *           whole, and hears everything before tc and netfilter do (guard.h).
 * Invariant K1 what we send we do not hear (PACKET_IGNORE_OUTGOING, 4.20).
 *           K2 nothing of another device is ever received: the socket is bound
 *           before it is given a protocol.
 * Threads   open and close: the control thread; send and receive: anyone's.
 * Owns      the descriptor.
 * Refs      packet(7). */
#ifndef SYS_PACKET_SOCKET_H
#define SYS_PACKET_SOCKET_H

#include "base/err.h"
#include "sys/nl.h"

#define PACKET_SOCKET_HDR_LEN 10u /* struct virtio_net_hdr before each frame */
#define PACKET_SOCKET_RCVBUF (8u << 20)

struct packet_socket_spec {
	uint32_t ifindex;
	int netns_fd;      /* where the device is; NL_CURRENT_NS */
	bool promiscuous;  /* gone with the socket, by itself */
	bool qdisc_bypass; /* straight to the driver: no shaping, no tcpdump */
	unsigned rcvbuf;   /* bytes; 0: PACKET_SOCKET_RCVBUF */
	unsigned sndbuf;   /* bytes; 0: the kernel's default */
};

struct packet_socket {
	int fd; /* non-blocking, close-on-exec */
	uint32_t ifindex;
};

int packet_socket_open(struct packet_socket *ps,
		       const struct packet_socket_spec *s,
		       struct err *e) MUST_CHECK;
void packet_socket_close(struct packet_socket *ps);

struct packet_socket_stats {
	uint32_t received, dropped; /* since the last call */
};

int packet_socket_stats(struct packet_socket *ps,
			struct packet_socket_stats *out) MUST_CHECK;

/* The tag the kernel took off, from a received message's control data. False:
 * the frame had none. tpid is 0x8100 or 0x88a8. */
struct msghdr;
bool packet_socket_vlan(const struct msghdr *msg, uint16_t *tci,
			uint16_t *tpid);
#define PACKET_SOCKET_CMSG_LEN 64u /* control buffer, at least */

#endif
