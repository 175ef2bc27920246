/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets: unix streams for those who command us, UDP for tunnels, systemd.
 *
 * What      open, listen, connect, accept; who is at the other end; control
 *           messages of UDP (addresses, ECN, GSO) in and out.
 * Why so    every option that matters to a tunnel (whole GSO batches both ways,
 *           don't-fragment choice, the address a packet came to) is set here
 *           once, for both families.
 * Threads   any; a descriptor is its owner's.
 * Refs      unix(7), udp(7), ip(7), ipv6(7), sd_notify(3), rfc8085. */
#ifndef SYS_SOCKET_H
#define SYS_SOCKET_H

#include "base/addr.h"
#include "base/err.h"
#include "sys/nl.h"

struct msghdr;

/* --- unix stream: all descriptors non-blocking, close-on-exec -------------- */
struct socket_unix {
	const char *path; /* any length; '@...' is abstract */
	unsigned mode;    /* permissions of the socket file: 0660 */
	bool has_group;
	uint32_t group;
};

/* A socket file left by a dead process is replaced; a living one gives
 * -EADDRINUSE. Never for a moment open to more than it will be. */
int socket_unix_listen(const struct socket_unix *s, struct err *e) MUST_CHECK;
/* -ENOENT, -ECONNREFUSED: nobody there, and the sentence says so. */
int socket_unix_connect(const char *path, struct err *e) MUST_CHECK;
/* The next client, -EAGAIN when none waits. On -EMFILE and the like the caller
 * waits before it tries again: the client stays in the queue. */
int socket_accept(int fd) MUST_CHECK;

struct socket_peer {
	int pid;
	uint32_t uid, gid;
};

int socket_peer(int fd, struct socket_peer *out) MUST_CHECK;

/* --- UDP for tunnels ------------------------------------------------------- */
enum socket_df {
	SOCKET_DF_CLEAR,  /* may be fragmented on the way */
	SOCKET_DF_SET,    /* -EMSGSIZE above the path's MTU as the kernel knows it */
	SOCKET_DF_PROBE,  /* DF set, path MTU ignored: we do that ourselves */
};

struct socket_udp {
	int netns_fd;          /* NL_CURRENT_NS */
	struct ip_addr local;  /* may be the unspecified of its family */
	uint16_t port;         /* 0: the kernel's choice */
	const char *device;    /* bound to it, or NULL */
	enum socket_df df;
	bool gro;              /* receive coalesced (UDP_GRO) */
	bool zero_checksum;    /* send without checksum (rfc6935, rfc7348) */
	bool reuse_port;
	unsigned rcvbuf, sndbuf; /* bytes; 0 the kernel's default */
};

/* A descriptor, or -errno: -EADDRINUSE says who may hold the port. An IPv6
 * socket takes IPv6 only. Zero checksums are accepted on receipt. */
int socket_udp_open(const struct socket_udp *s, struct err *e) MUST_CHECK;
int socket_local_port(int fd, uint16_t *port) MUST_CHECK;

/* What travels beside a datagram's bytes. */
struct socket_udp_info {
	struct ip_addr remote;
	uint16_t remote_port;
	struct ip_addr local; /* in: where it was sent to; out: from, family 0 any */
	uint32_t ifindex;     /* in: came by; out: leave by, 0 routing decides */
	uint8_t tos;          /* TOS or traffic class, ECN in the low two bits */
	bool has_tos;
	uint16_t segment_len; /* GRO: each datagram's length in bytes; out: cut so
			       * (UDP_SEGMENT). 0: one datagram */
};

#define SOCKET_UDP_CMSG_LEN 256u  /* control buffer, at least, suitably aligned */
#define SOCKET_UDP_MAX_SEGMENTS 64u /* the kernel's UDP_MAX_SEGMENTS of 4.18 */

/* Reads a received message's name and control data. False: not of IP. */
bool socket_udp_decode(const struct msghdr *msg, struct socket_udp_info *out);
/* Writes msg_name and msg_control, into the buffers `msg` names already
 * (sockaddr_storage, SOCKET_UDP_CMSG_LEN bytes), and their lengths. */
void socket_udp_encode(struct msghdr *msg, const struct socket_udp_info *in);

/* --- systemd ----------------------------------------------------------------
 * "READY=1", "STATUS=..."; several by '\n'. 1 sent, 0 nobody asked (no
 * NOTIFY_SOCKET), or -errno. */
int socket_notify(const char *state) MUST_CHECK;

#endif
