/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/udp_socket.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/fail.h"
#include "sys/netns.h"

#ifndef UDP_NO_CHECK6_TX
#define UDP_NO_CHECK6_TX 101
#define UDP_NO_CHECK6_RX 102
#endif

union udp_addr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static socklen_t udp_addr_set(union udp_addr *u, const struct ip_addr *ip,
			      uint16_t port, uint32_t scope_id)
{
	memset(u, 0, sizeof(*u));
	if (ip_addr_is_ip4(ip)) {
		u->in.sin_family = AF_INET;
		u->in.sin_port = htons(port);
		u->in.sin_addr.s_addr = htonl(ip_addr_ip4(ip));
		return sizeof(u->in);
	}
	u->in6.sin6_family = AF_INET6;
	u->in6.sin6_port = htons(port);
	memcpy(&u->in6.sin6_addr, ip->a.b, sizeof(ip->a.b));
	if (ip6_addr_is_link_local(ip->a))
		u->in6.sin6_scope_id = scope_id;
	return sizeof(u->in6);
}

static int udp_set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) ? -errno :
								      0;
}

/* Beyond the administrator's limit when we may, up to it when not. */
static int udp_set_buffer(int fd, int force, int plain, unsigned bytes)
{
	if (!bytes || !udp_set(fd, SOL_SOCKET, force, (int)bytes))
		return 0;
	return udp_set(fd, SOL_SOCKET, plain, (int)bytes);
}

static int udp_set_ip4(int fd, const struct udp_socket_spec *s)
{
	static const int discover[] = {
		[UDP_SOCKET_DF_CLEAR] = IP_PMTUDISC_DONT,
		[UDP_SOCKET_DF_SET] = IP_PMTUDISC_DO,
		[UDP_SOCKET_DF_PROBE] = IP_PMTUDISC_PROBE,
	};
	int err = udp_set(fd, IPPROTO_IP, IP_PKTINFO, 1);

	if (!err)
		err = udp_set(fd, IPPROTO_IP, IP_RECVTOS, 1);
	if (!err)
		err = udp_set(fd, IPPROTO_IP, IP_MTU_DISCOVER, discover[s->df]);
	if (!err && s->zero_checksum)
		err = udp_set(fd, SOL_SOCKET, SO_NO_CHECK, 1);
	return err;
}

static int udp_set_ip6(int fd, const struct udp_socket_spec *s)
{
	static const int discover[] = {
		[UDP_SOCKET_DF_CLEAR] = IPV6_PMTUDISC_DONT,
		[UDP_SOCKET_DF_SET] = IPV6_PMTUDISC_DO,
		[UDP_SOCKET_DF_PROBE] = IPV6_PMTUDISC_PROBE,
	};
	int err = udp_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);

	if (!err)
		err = udp_set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	if (!err)
		err = udp_set(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
	if (!err)
		err = udp_set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER,
			      discover[s->df]);
	if (!err)
		err = udp_set(fd, IPPROTO_IPV6, IPV6_DONTFRAG,
			      s->df != UDP_SOCKET_DF_CLEAR);
	if (!err)
		err = udp_set(fd, SOL_UDP, UDP_NO_CHECK6_RX, 1);
	if (!err && s->zero_checksum)
		err = udp_set(fd, SOL_UDP, UDP_NO_CHECK6_TX, 1);
	return err;
}

static int udp_set_common(int fd, const struct udp_socket_spec *s)
{
	int err = udp_set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, s->rcvbuf);

	if (!err)
		err = udp_set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, s->sndbuf);
	if (!err && s->reuse_port)
		err = udp_set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (!err && s->device &&
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, s->device,
		       (socklen_t)strlen(s->device) + 1))
		err = -errno;
	if (!err && s->gro)
		err = udp_set(fd, SOL_UDP, UDP_GRO, 1);
	return err;
}

static int udp_setup(int fd, const struct udp_socket_spec *s)
{
	union udp_addr local;
	socklen_t len = udp_addr_set(&local, &s->local, s->port, 0);
	int err = udp_set_common(fd, s);

	if (!err)
		err = ip_addr_is_ip4(&s->local) ? udp_set_ip4(fd, s) :
						  udp_set_ip6(fd, s);
	if (!err && bind(fd, &local.sa, len))
		err = -errno;
	return err;
}

static int udp_explain(const struct udp_socket_spec *s, int err, struct err *e)
{
	char ip[IP_STR_LEN];

	ip_addr_format(&s->local, ip);
	if (err == -EADDRINUSE)
		return fail_say(e, err,
				"UDP port %u is taken: another tunnel "
				"program or a kernel tunnel device holds it; "
				"choose another port",
				s->port);
	if (err == -EADDRNOTAVAIL)
		return fail_say(e, err, "no device has the address %s", ip);
	if (err == -ENODEV)
		return fail_say(e, err, "there is no device %s", s->device);
	return fail_errno(e, err, "cannot open UDP %s port %u", ip, s->port);
}

int udp_socket_open(const struct udp_socket_spec *s, struct err *e)
{
	int type = SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
	int fd, err;

	fd = netns_socket(s->netns_fd, s->local.family, type, 0, e);
	if (fd < 0)
		return fd;
	err = udp_setup(fd, s);
	if (!err)
		return fd;
	close(fd);
	return udp_explain(s, err, e);
}

int udp_socket_local_port(int fd, uint16_t *port)
{
	union udp_addr a = { 0 };
	socklen_t len = sizeof(a);

	if (getsockname(fd, &a.sa, &len))
		return -errno;
	*port = ntohs(a.sa.sa_family == AF_INET ? a.in.sin_port :
						  a.in6.sin6_port);
	return 0;
}

/* --- control messages ---------------------------------------------------- */
static struct ip_addr udp_ip4(struct in_addr a)
{
	return ip_addr_from_ip4(ntohl(a.s_addr));
}

static struct ip_addr udp_ip6(const struct in6_addr *a)
{
	struct ip6_addr ip6;

	memcpy(ip6.b, a, sizeof(ip6.b));
	return ip_addr_from_ip6(ip6);
}

static bool udp_decode_name(const struct msghdr *msg,
			    struct udp_socket_info *out)
{
	const union udp_addr *a = msg->msg_name;

	if (msg->msg_namelen >= sizeof(a->in) && a->sa.sa_family == AF_INET) {
		out->remote = udp_ip4(a->in.sin_addr);
		out->remote_port = ntohs(a->in.sin_port);
		return true;
	}
	if (msg->msg_namelen >= sizeof(a->in6) && a->sa.sa_family == AF_INET6) {
		out->remote = udp_ip6(&a->in6.sin6_addr);
		out->remote_port = ntohs(a->in6.sin6_port);
		return true;
	}
	return false;
}

/* Bytes from here to the end of the control data. */
static size_t udp_room(const struct msghdr *m, const struct cmsghdr *c)
{
	return m->msg_controllen -
	       (size_t)((const char *)c - (const char *)m->msg_control);
}

/* The data of a control message, when all of it is there. */
static bool udp_get(const struct cmsghdr *c, void *out, size_t len)
{
	if (c->cmsg_len < CMSG_LEN(len))
		return false;
	memcpy(out, CMSG_DATA(c), len);
	return true;
}

static void udp_decode_ip4(const struct cmsghdr *c, struct udp_socket_info *out)
{
	struct in_pktinfo i;

	if (c->cmsg_type == IP_PKTINFO && udp_get(c, &i, sizeof(i))) {
		out->local = udp_ip4(i.ipi_addr);
		out->ifindex = (uint32_t)i.ipi_ifindex;
	} else if (c->cmsg_type == IP_TOS) {
		out->has_tos = udp_get(c, &out->tos, sizeof(out->tos));
	}
}

static void udp_decode_ip6(const struct cmsghdr *c, struct udp_socket_info *out)
{
	struct in6_pktinfo i;
	int tclass;

	if (c->cmsg_type == IPV6_PKTINFO && udp_get(c, &i, sizeof(i))) {
		out->local = udp_ip6(&i.ipi6_addr);
		out->ifindex = i.ipi6_ifindex;
	} else if (c->cmsg_type == IPV6_TCLASS &&
		   udp_get(c, &tclass, sizeof(tclass))) {
		out->tos = (uint8_t)tclass;
		out->has_tos = true;
	}
}

static void udp_decode_gro(const struct cmsghdr *c, struct udp_socket_info *out)
{
	int len;

	if (c->cmsg_type == UDP_GRO && udp_get(c, &len, sizeof(len)) &&
	    len > 0 && len <= UINT16_MAX)
		out->segment_len = (uint16_t)len;
}

bool udp_socket_decode(const struct msghdr *msg, struct udp_socket_info *out)
{
	struct msghdr *m = (struct msghdr *)msg; /* CMSG_NXTHDR's signature */

	memset(out, 0, sizeof(*out));
	if (!udp_decode_name(msg, out))
		return false;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_len > udp_room(m, c))
			break;
		if (c->cmsg_level == IPPROTO_IP)
			udp_decode_ip4(c, out);
		else if (c->cmsg_level == IPPROTO_IPV6)
			udp_decode_ip6(c, out);
		else if (c->cmsg_level == SOL_UDP)
			udp_decode_gro(c, out);
	}
	return true;
}

/* Appends one control message; the buffer's size was checked before. */
static void udp_put(struct msghdr *msg, const struct cmsghdr *head,
		    const void *data, size_t len)
{
	struct cmsghdr *c = (struct cmsghdr *)((char *)msg->msg_control +
					       msg->msg_controllen);

	memset(c, 0, CMSG_SPACE(len));
	c->cmsg_level = head->cmsg_level;
	c->cmsg_type = head->cmsg_type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), data, len);
	msg->msg_controllen += CMSG_SPACE(len);
}

static void udp_put_source(struct msghdr *msg, const struct udp_socket_info *in)
{
	static const struct cmsghdr head4 = { .cmsg_level = IPPROTO_IP,
					      .cmsg_type = IP_PKTINFO };
	static const struct cmsghdr head6 = { .cmsg_level = IPPROTO_IPV6,
					      .cmsg_type = IPV6_PKTINFO };
	struct in_pktinfo i4 = { .ipi_ifindex = (int)in->ifindex };
	struct in6_pktinfo i6 = { .ipi6_ifindex = in->ifindex };

	if (!in->local.family && !in->ifindex)
		return;
	if (ip_addr_is_ip4(&in->remote)) {
		if (in->local.family)
			i4.ipi_spec_dst.s_addr = htonl(ip_addr_ip4(&in->local));
		udp_put(msg, &head4, &i4, sizeof(i4));
		return;
	}
	if (in->local.family)
		memcpy(&i6.ipi6_addr, in->local.a.b, sizeof(in->local.a.b));
	udp_put(msg, &head6, &i6, sizeof(i6));
}

void udp_socket_encode(struct msghdr *msg, const struct udp_socket_info *in)
{
	static const struct cmsghdr tos4 = { .cmsg_level = IPPROTO_IP,
					     .cmsg_type = IP_TOS };
	static const struct cmsghdr tos6 = { .cmsg_level = IPPROTO_IPV6,
					     .cmsg_type = IPV6_TCLASS };
	static const struct cmsghdr segment = { .cmsg_level = SOL_UDP,
						.cmsg_type = UDP_SEGMENT };
	int tos = in->tos;

	msg->msg_namelen = udp_addr_set(msg->msg_name, &in->remote,
					in->remote_port, in->ifindex);
	msg->msg_controllen = 0;
	udp_put_source(msg, in);
	if (in->has_tos)
		udp_put(msg, ip_addr_is_ip4(&in->remote) ? &tos4 : &tos6, &tos,
			sizeof(tos));
	if (in->segment_len)
		udp_put(msg, &segment, &in->segment_len,
			sizeof(in->segment_len));
}
