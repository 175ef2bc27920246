/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/ping.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "sys/fail.h"

#define ICMP_LEN 8u
#define IP4_LEN 20u
#define IP6_LEN 40u
#define TIME_LEN 20u

/* --- life ----------------------------------------------------------------- */

static socklen_t to_sockaddr(const struct ip_addr *a,
			     struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (void *)out;
	struct sockaddr_in6 *v6 = (void *)out;

	memset(out, 0, sizeof(*out));
	if (ip_addr_is_ip4(a)) {
		v4->sin_family = AF_INET;
		v4->sin_addr.s_addr = htonl(ip_addr_ip4(a));
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	memcpy(&v6->sin6_addr, a->a.b, sizeof(v6->sin6_addr));
	return sizeof(*v6);
}

static int set_int(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) ? -errno :
								      0;
}

static int set_options(struct ping *p)
{
	struct icmp6_filter f;

	if (p->family == AF_INET)
		return set_int(p->fd, IPPROTO_IP, IP_MTU_DISCOVER,
			       IP_PMTUDISC_PROBE);
	ICMP6_FILTER_SETBLOCKALL(&f);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &f);
	ICMP6_FILTER_SETPASS(ICMP6_PACKET_TOO_BIG, &f);
	ICMP6_FILTER_SETPASS(ICMP6_DST_UNREACH, &f);
	if (setsockopt(p->fd, IPPROTO_ICMPV6, ICMP6_FILTER, &f, sizeof(f)))
		return -errno;
	return set_int(p->fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER,
		       IPV6_PMTUDISC_PROBE);
}

int ping_open(struct ping *p, uint16_t family, uint16_t id,
	      const struct ip_addr *from, struct err *e)
{
	struct sockaddr_storage sa;
	int rc;

	*p = (struct ping){ .family = family, .id = id };
	p->fd = socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	if (p->fd < 0)
		return fail_errno(e, errno, "no socket for pings");
	rc = set_options(p);
	if (!rc && from->family == family) {
		socklen_t n = to_sockaddr(from, &sa);

		rc = bind(p->fd, (void *)&sa, n) ? -errno : 0;
	}
	if (!rc)
		return 0;
	ping_close(p);
	return fail_errno(e, -rc, "a socket for pings cannot be set up");
}

void ping_close(struct ping *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

/* --- asking --------------------------------------------------------------- */

static uint16_t sum_of(const uint8_t *b, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i += 2)
		sum += (uint32_t)b[i] << 8 | (i + 1 < len ? b[i + 1] : 0u);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

/* The message with its header written; IPv6's checksum is the kernel's work. */
static int ask(struct ping *p, const struct ip_addr *to, uint8_t *m, size_t len)
{
	struct sockaddr_storage sa;
	socklen_t n = to_sockaddr(to, &sa);

	if (p->family == AF_INET)
		put16(m + 2, sum_of(m, len));
	return sendto(p->fd, m, len, 0, (void *)&sa, n) < 0 ? -errno : 0;
}

int ping_echo(struct ping *p, const struct ip_addr *to, uint32_t len,
	      uint16_t seq)
{
	uint32_t header = p->family == AF_INET ? IP4_LEN : IP6_LEN;
	uint8_t *m;
	int rc;

	if (len < header + ICMP_LEN || len > PING_LEN_MAX)
		return -EINVAL;
	len -= header;
	m = xzalloc(len);
	m[0] = p->family == AF_INET ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
	put16(m + 4, p->id);
	put16(m + 6, seq);
	rc = ask(p, to, m, len);
	free(m);
	return rc;
}

int ping_time(struct ping *p, const struct ip_addr *to, uint16_t seq)
{
	uint8_t m[TIME_LEN] = { ICMP_TIMESTAMP };

	if (p->family != AF_INET)
		return -EAFNOSUPPORT;
	put16(m + 4, p->id);
	put16(m + 6, seq);
	return ask(p, to, m, sizeof(m));
}

/* --- answers -------------------------------------------------------------- */

/* Where the ICMP message begins behind an IPv4 header; 0: nowhere. */
static size_t ip4_payload(const uint8_t *m, size_t len)
{
	size_t header = len ? (size_t)(m[0] & 15) * 4 : 0;

	return header >= IP4_LEN && len >= header + ICMP_LEN ? header : 0;
}

/* An error quotes what it is about: was it ours? */
static bool quotes_us(const struct ping *p, const uint8_t *q, size_t len,
		      uint16_t *seq)
{
	size_t at = p->family == AF_INET ? ip4_payload(q, len) : IP6_LEN;
	uint8_t want = p->family == AF_INET ? ICMP_ECHO : ICMP6_ECHO_REQUEST;

	if (!at || len < at + ICMP_LEN)
		return false;
	if ((q[at] != want && q[at] != ICMP_TIMESTAMP) ||
	    get16(q + at + 4) != p->id)
		return false;
	*seq = get16(q + at + 6);
	return true;
}

static bool decode4(const struct ping *p, const uint8_t *m, size_t len,
		    struct ping_answer *out)
{
	uint32_t when;

	out->seq = get16(m + 6);
	switch (m[0]) {
	case ICMP_ECHOREPLY:
		out->kind = PING_ECHO;
		return get16(m + 4) == p->id;
	case ICMP_TIMESTAMPREPLY:
		if (len < TIME_LEN || get16(m + 4) != p->id)
			return false;
		when = get32(m + 16);
		out->kind = PING_TIME;
		out->time_ms = when >> 31 ? PING_NO_TIME : when;
		return true;
	case ICMP_DEST_UNREACH:
		out->code = m[1];
		out->kind = m[1] == ICMP_FRAG_NEEDED ? PING_TOO_BIG :
						       PING_UNREACHABLE;
		out->mtu = m[1] == ICMP_FRAG_NEEDED ? get16(m + 6) : 0;
		return quotes_us(p, m + ICMP_LEN, len - ICMP_LEN, &out->seq);
	default:
		return false;
	}
}

static bool decode6(const struct ping *p, const uint8_t *m, size_t len,
		    struct ping_answer *out)
{
	out->seq = get16(m + 6);
	switch (m[0]) {
	case ICMP6_ECHO_REPLY:
		out->kind = PING_ECHO;
		return get16(m + 4) == p->id;
	case ICMP6_PACKET_TOO_BIG:
		out->kind = PING_TOO_BIG;
		out->mtu = get32(m + 4);
		return quotes_us(p, m + ICMP_LEN, len - ICMP_LEN, &out->seq);
	case ICMP6_DST_UNREACH:
		out->kind = PING_UNREACHABLE;
		out->code = m[1];
		return quotes_us(p, m + ICMP_LEN, len - ICMP_LEN, &out->seq);
	default:
		return false;
	}
}

bool ping_decode(const struct ping *p, const uint8_t *m, size_t len,
		 struct ping_answer *out)
{
	size_t at = 0;

	*out = (struct ping_answer){ .time_ms = PING_NO_TIME };
	if (p->family == AF_INET) {
		at = ip4_payload(m, len);
		return at && decode4(p, m + at, len - at, out);
	}
	return len >= ICMP_LEN && decode6(p, m, len, out);
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void sender(const struct sockaddr_storage *sa, struct ip_addr *out)
{
	const struct sockaddr_in *v4 = (const void *)sa;
	const struct sockaddr_in6 *v6 = (const void *)sa;
	struct ip6_addr a;

	if (sa->ss_family == AF_INET) {
		*out = ip_addr_from_ip4(ntohl(v4->sin_addr.s_addr));
		return;
	}
	memcpy(a.b, &v6->sin6_addr, sizeof(a.b));
	*out = ip_addr_from_ip6(a);
}

bool ping_wait(struct ping *p, unsigned ms, struct ping_answer *out)
{
	uint64_t end = now_ms() + ms, now;
	struct pollfd f = { .fd = p->fd, .events = POLLIN };
	struct sockaddr_storage sa = { 0 };
	uint8_t buf[2048]; /* the head of an answer says it all */

	while ((now = now_ms()) <= end) {
		socklen_t n = sizeof(sa);
		ssize_t len =
			recvfrom(p->fd, buf, sizeof(buf), 0, (void *)&sa, &n);

		if (len > 0 && ping_decode(p, buf, (size_t)len, out)) {
			sender(&sa, &out->from);
			return true;
		}
		if (len < 0 && errno == EAGAIN)
			(void)!poll(&f, 1, (int)(end - now));
		if (len < 0 && errno == EAGAIN && now == end)
			break;
	}
	return false;
}
