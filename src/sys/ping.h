/* SPDX-License-Identifier: Apache-2.0 */
/* Asking another host's kernel: are you there, how large may a packet be, what
 * time is it?
 *
 * What      ICMP and ICMPv6 echo with Don't Fragment and a length of choice,
 *           ICMP timestamp; answers and "too big" errors as they come.
 * Why so    every host answers these without a program of ours, so a path is
 *           proved, not assumed.
 * Invariant P1 an answer is only taken for a question of this socket: same id,
 *           which is random. P2 the kernel's own path MTU is ignored: what is
 *           sent is as long as was asked, or -EMSGSIZE by the device.
 * Threads   one; blocking only in ping_wait.
 * Refs      RFC 792, 4443, 1191, 8201. */
#ifndef SYS_PING_H
#define SYS_PING_H

#include "base/addr.h"
#include "base/err.h"

#define PING_LEN_MAX 65535u
#define PING_NO_TIME UINT32_MAX

struct ping {
	int fd;
	uint16_t family;
	uint16_t id;
};

/* Needs CAP_NET_RAW. `from` (family 0: any) is the address to ask from. */
int ping_open(struct ping *p, uint16_t family, uint16_t id,
	      const struct ip_addr *from, struct err *e) MUST_CHECK;
void ping_close(struct ping *p);

/* An echo that makes an IP packet of `len` bytes (at least 48). 0 or -errno:
 * -EMSGSIZE larger than the device takes, -ENETUNREACH no route. */
int ping_echo(struct ping *p, const struct ip_addr *to, uint32_t len,
	      uint16_t seq) MUST_CHECK;
/* ICMP timestamp; -EAFNOSUPPORT for IPv6, which has none. */
int ping_time(struct ping *p, const struct ip_addr *to,
	      uint16_t seq) MUST_CHECK;

enum ping_kind {
	PING_ECHO,        /* answered */
	PING_TIME,        /* answered; time_ms is the other's */
	PING_TOO_BIG,     /* `mtu` is what the next hop takes (0: not said) */
	PING_UNREACHABLE, /* a router or the host says so; `code` */
};

struct ping_answer {
	enum ping_kind kind;
	struct ip_addr from; /* who says so */
	uint16_t seq;
	uint32_t mtu;
	uint8_t code;
	uint32_t time_ms; /* since midnight UTC; PING_NO_TIME: not standard */
};

/* The next answer within `ms`; false: none came. */
bool ping_wait(struct ping *p, unsigned ms, struct ping_answer *out);

/* A message as received (an IPv4 one with its IP header). For tests too. */
bool ping_decode(const struct ping *p, const uint8_t *m, size_t len,
		 struct ping_answer *out);

#endif
