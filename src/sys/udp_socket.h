/* SPDX-License-Identifier: Apache-2.0 */
/* UDP sockets for tunnels.
 *
 * What      open one with what a tunnel needs; control messages (addresses,
 *           ECN, segment length) in and out.
 * Why so    every option that matters to a tunnel (whole GSO batches both ways,
 *           don't-fragment choice, the address a packet came to) is set here
 *           once, for both families.
 * Threads   any; a descriptor is its owner's.
 * Refs      udp(7), ip(7), ipv6(7), rfc8085. */
#ifndef SYS_UDP_SOCKET_H
#define SYS_UDP_SOCKET_H

#include "base/addr.h"
#include "base/err.h"
#include "sys/nl.h"

struct msghdr;

enum udp_socket_df {
	UDP_SOCKET_DF_CLEAR, /* may be fragmented on the way */
	UDP_SOCKET_DF_SET, /* -EMSGSIZE above the path's MTU as the kernel knows it */
	UDP_SOCKET_DF_PROBE, /* DF set, path MTU ignored: we do that ourselves */
};

struct udp_socket_spec {
	int netns_fd;         /* NL_CURRENT_NS */
	struct ip_addr local; /* may be the unspecified of its family */
	uint16_t port;        /* 0: the kernel's choice */
	const char *device;   /* bound to it, or NULL */
	enum udp_socket_df df;
	bool gro;           /* receive coalesced (UDP_GRO) */
	bool zero_checksum; /* send without checksum (rfc6935, rfc7348); the
				* kernel then refuses segment_len: -EINVAL */
	bool reuse_port;
	unsigned rcvbuf, sndbuf; /* bytes; 0 the kernel's default */
};

/* A descriptor, or -errno: -EADDRINUSE says who may hold the port. An IPv6
 * socket takes IPv6 only. Zero checksums are accepted on receipt. */
int udp_socket_open(const struct udp_socket_spec *s, struct err *e) MUST_CHECK;
int udp_socket_local_port(int fd, uint16_t *port) MUST_CHECK;

/* What travels beside a datagram's bytes. */
struct udp_socket_info {
	struct ip_addr remote;
	uint16_t remote_port;
	struct ip_addr
		local; /* in: where it was sent to; out: from, family 0 any */
	uint32_t ifindex; /* in: came by; out: leave by, 0 routing decides */
	uint8_t tos;      /* TOS or traffic class, ECN in the low two bits */
	bool has_tos;
	uint16_t
		segment_len; /* GRO: each datagram's length in bytes; out: cut so
			       * (UDP_SEGMENT). 0: one datagram */
};

#define UDP_SOCKET_CMSG_LEN                                                    \
	256u /* control buffer, at least, suitably aligned */
#define UDP_SOCKET_MAX_SEGMENTS 64u /* the kernel's UDP_MAX_SEGMENTS of 4.18 */

/* Reads a received message's name and control data. False: not of IP. */
bool udp_socket_decode(const struct msghdr *msg, struct udp_socket_info *out);
/* Writes msg_name and msg_control, into the buffers `msg` names already
 * (sockaddr_storage, UDP_SOCKET_CMSG_LEN bytes), and their lengths. */
void udp_socket_encode(struct msghdr *msg, const struct udp_socket_info *in);

#endif
