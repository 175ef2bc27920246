/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/nl_monitor.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "sys/netns.h"
#include "sys/nl_message.h"

/* Messages handled in one round of the loop, at most. */
#define NL_MONITOR_BUDGET 64u
#define NL_MONITOR_RCVBUF (4 << 20)
/* Datagrams thrown away at once: more than the receive buffer holds. */
#define NL_MONITOR_DRAIN 65536u
/* Between two resyncs, so that a storm of changes cannot make them all we do. */
#define NL_RESYNC_MS 50u
#define NL_RESYNC_RETRY_MS 1000u

/* States: settled (following), and resyncing, from a lost message (or the
 * start) in nl_monitor_lose until nl_monitor_resync ends; what arrives in
 * between is older than the dump that follows, so it is thrown away. */
struct nl_monitor {
	struct mnl_socket *sock;
	struct nl *nl; /* for the dumps */
	struct watch watch;
	struct timer resync;
	nl_event_fn *fn;
	void *arg;
	unsigned groups;
	bool lost;
	bool *destroyed; /* set when a callback destroys us */
	char *recv;
};

struct nl_membership {
	struct mnl_socket **sock;
	unsigned groups;
};

static int nl_monitor_join(struct mnl_socket *sock, unsigned groups)
{
	static const struct {
		unsigned group;
		int multicast;
	} table[] = {
		{ NL_GROUP_LINK, RTNLGRP_LINK },
		{ NL_GROUP_ADDR, RTNLGRP_IPV4_IFADDR },
		{ NL_GROUP_ADDR, RTNLGRP_IPV6_IFADDR },
		{ NL_GROUP_ROUTE, RTNLGRP_IPV4_ROUTE },
		{ NL_GROUP_ROUTE, RTNLGRP_IPV6_ROUTE },
		{ NL_GROUP_NEIGH, RTNLGRP_NEIGH },
		{ NL_GROUP_FILTER, RTNLGRP_TC },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(table); i++) {
		int group = table[i].multicast;

		if (groups & table[i].group &&
		    mnl_socket_setsockopt(sock, NETLINK_ADD_MEMBERSHIP, &group,
					  sizeof(group)) < 0)
			return -errno;
	}
	return 0;
}

static int nl_monitor_open(void *arg)
{
	const struct nl_membership *m = arg;
	int bytes = NL_MONITOR_RCVBUF, err;
	struct mnl_socket *sock =
		mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (!sock)
		return -errno;
	/* A smaller buffer only means more resyncs. */
	(void)!setsockopt(mnl_socket_get_fd(sock), SOL_SOCKET, SO_RCVBUFFORCE,
			  &bytes, sizeof(bytes));
	err = mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) < 0 ? -errno : 0;
	if (!err)
		err = nl_monitor_join(sock, m->groups);
	if (err)
		mnl_socket_close(sock);
	else
		*m->sock = sock;
	return err;
}

/* --- telling ------------------------------------------------------------- */
/* False when the listener destroyed the monitor. */
static bool nl_monitor_tell(struct nl_monitor *m, const struct nl_event *ev)
{
	bool destroyed = false;
	bool *outer = m->destroyed;

	if (!m->fn)
		return true;
	m->destroyed = &destroyed;
	m->fn(m->arg, ev);
	if (destroyed) {
		if (outer)
			*outer = true;
		return false;
	}
	m->destroyed = outer;
	return true;
}

static bool nl_monitor_tell_link(struct nl_monitor *m, const struct nlmsghdr *h)
{
	struct nl_event ev = { .type = h->nlmsg_type == RTM_NEWLINK ?
					       NL_EVENT_LINK_NEW :
					       NL_EVENT_LINK_DEL };
	struct nl_link link;

	ev.link = &link;
	return !nl_link_parse(h, &link) || nl_monitor_tell(m, &ev);
}

static bool nl_monitor_tell_addr(struct nl_monitor *m, const struct nlmsghdr *h)
{
	struct nl_event ev = { .type = h->nlmsg_type == RTM_NEWADDR ?
					       NL_EVENT_ADDR_NEW :
					       NL_EVENT_ADDR_DEL };
	struct nl_addr addr;

	ev.addr = &addr;
	return !nl_addr_parse(h, &addr) || nl_monitor_tell(m, &ev);
}

static bool nl_monitor_tell_route(struct nl_monitor *m,
				  const struct nlmsghdr *h)
{
	struct nl_event ev = { .type = h->nlmsg_type == RTM_NEWROUTE ?
					       NL_EVENT_ROUTE_NEW :
					       NL_EVENT_ROUTE_DEL };
	struct nl_route route;
	bool alive;

	if (!nl_route_parse(h, &route))
		return true;
	ev.route = &route;
	alive = nl_monitor_tell(m, &ev);
	nl_route_fini(&route);
	return alive;
}

static bool nl_monitor_tell_neigh(struct nl_monitor *m,
				  const struct nlmsghdr *h)
{
	struct nl_event ev = { .type = h->nlmsg_type == RTM_NEWNEIGH ?
					       NL_EVENT_NEIGH_NEW :
					       NL_EVENT_NEIGH_DEL };
	struct nl_neigh neigh;

	ev.neigh = &neigh;
	return !nl_neigh_parse(h, &neigh) || nl_monitor_tell(m, &ev);
}

static bool nl_monitor_tell_filter(struct nl_monitor *m,
				   const struct nlmsghdr *h)
{
	const struct tcmsg *t = mnl_nlmsg_get_payload(h);
	struct nl_event ev = { .type = NL_EVENT_FILTER_DEL };

	if (mnl_nlmsg_get_payload_len(h) < sizeof(*t) || t->tcm_ifindex <= 0)
		return true;
	ev.ifindex = (uint32_t)t->tcm_ifindex;
	return nl_monitor_tell(m, &ev);
}

static bool nl_monitor_message(struct nl_monitor *m, const struct nlmsghdr *h)
{
	switch (h->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return nl_monitor_tell_link(m, h);
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return nl_monitor_tell_addr(m, h);
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return nl_monitor_tell_route(m, h);
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		return nl_monitor_tell_neigh(m, h);
	case RTM_DELTFILTER:
	case RTM_DELQDISC:
		return nl_monitor_tell_filter(m, h);
	}
	return true;
}

/* --- following ----------------------------------------------------------- */
static void nl_monitor_lose(struct nl_monitor *m, unsigned after_ms)
{
	m->lost = true;
	if (!timer_is_set(&m->resync))
		timer_set(&m->resync, after_ms);
}

/* One datagram. False: nothing more for now, or the monitor is no more. */
static bool nl_monitor_step(struct nl_monitor *m)
{
	ssize_t n = mnl_socket_recvfrom(m->sock, m->recv, NL_RECV_MAX);
	const struct nlmsghdr *h = (void *)m->recv;
	int len = (int)n;

	if (n < 0 && (errno == ENOBUFS || errno == ENOSPC)) {
		nl_monitor_lose(m, NL_RESYNC_MS);
		return true;
	}
	if (n < 0)
		return errno == EINTR;
	if (m->lost)
		return true;
	for (; mnl_nlmsg_ok(h, len); h = mnl_nlmsg_next(h, &len))
		if (!nl_monitor_message(m, h))
			return false;
	return true;
}

static void nl_monitor_ready(void *arg, unsigned ready UNUSED)
{
	struct nl_monitor *m = arg;

	for (unsigned i = 0; i < NL_MONITOR_BUDGET; i++)
		if (!nl_monitor_step(m))
			return;
}

/* --- resync -------------------------------------------------------------- */
/* Messages of a dump, kept until the dump is known to be whole. */
struct nl_kept {
	struct nl_sink sink;
	char *data;
	size_t len, cap;
};

static void nl_kept_each(struct nl_sink *s, const struct nlmsghdr *h)
{
	struct nl_kept *k = container_of(s, struct nl_kept, sink);
	size_t len = MNL_ALIGN(h->nlmsg_len);

	if (k->len + len > k->cap) {
		k->cap = MAX(k->cap * 2, MAX(len, 65536u));
		k->data = xrealloc(k->data, k->cap);
	}
	memcpy(k->data + k->len, h, h->nlmsg_len);
	k->len += len;
}

static void nl_kept_reset(struct nl_sink *s)
{
	container_of(s, struct nl_kept, sink)->len = 0;
}

/* 0, -errno, or 1 when the listener destroyed the monitor. */
static int nl_monitor_dump(struct nl_monitor *m, struct nl_req *r)
{
	struct nl_kept k = { .sink = { nl_kept_each, nl_kept_reset } };
	int err = nl_ask(m->nl, r, &k.sink);
	const struct nlmsghdr *h = (void *)k.data;
	int len = (int)k.len;

	for (; !err && len && mnl_nlmsg_ok(h, len); h = mnl_nlmsg_next(h, &len))
		if (!nl_monitor_message(m, h))
			err = 1;
	free(k.data);
	return err;
}

static int nl_monitor_dump_all(struct nl_monitor *m)
{
	static const struct {
		unsigned group;
		uint16_t type;
		uint8_t family;
		size_t size;
	} table[] = {
		{ NL_GROUP_LINK, RTM_GETLINK, AF_UNSPEC,
		  sizeof(struct ifinfomsg) },
		{ NL_GROUP_ADDR, RTM_GETADDR, AF_UNSPEC,
		  sizeof(struct ifaddrmsg) },
		{ NL_GROUP_ROUTE, RTM_GETROUTE, AF_INET, sizeof(struct rtmsg) },
		{ NL_GROUP_ROUTE, RTM_GETROUTE, AF_INET6,
		  sizeof(struct rtmsg) },
		{ NL_GROUP_NEIGH, RTM_GETNEIGH, AF_UNSPEC,
		  sizeof(struct ndmsg) },
	};
	struct nl_req r;
	int err = 0;

	for (unsigned i = 0; !err && i < ARRAY_SIZE(table); i++) {
		if (!(m->groups & table[i].group))
			continue;
		/* Every family header begins with the family. */
		*(uint8_t *)nl_req_init(&r, table[i].type, NLM_F_DUMP,
					table[i].size) = table[i].family;
		err = nl_monitor_dump(m, &r);
		if (err == -EOPNOTSUPP || err == -EAFNOSUPPORT)
			err = 0; /* a kernel without IPv6 */
	}
	return err;
}

/* Throws away what is older than the dump to come. */
static void nl_monitor_drain(struct nl_monitor *m)
{
	for (unsigned i = 0; i < NL_MONITOR_DRAIN; i++) {
		ssize_t n = mnl_socket_recvfrom(m->sock, m->recv, NL_RECV_MAX);

		if (n < 0 && errno == EAGAIN)
			return;
	}
}

static void nl_monitor_resync(void *arg)
{
	static const struct nl_event begin = { .type = NL_EVENT_RESYNC_BEGIN };
	static const struct nl_event end = { .type = NL_EVENT_RESYNC_END };
	struct nl_monitor *m = arg;
	int err;

	nl_monitor_drain(m);
	m->lost = false;
	if (!nl_monitor_tell(m, &begin))
		return;
	err = nl_monitor_dump_all(m);
	if (err > 0)
		return;
	if (!err) {
		(void)!nl_monitor_tell(m, &end);
		return;
	}
	log_warn("netlink: cannot list what is there (%s): trying again in a "
		 "second",
		 err_name(err));
	nl_monitor_lose(m, NL_RESYNC_RETRY_MS);
}

/* --- life ---------------------------------------------------------------- */
int nl_monitor_create(struct nl_monitor **out, struct loop *loop, int netns_fd,
		      unsigned groups, struct err *e)
{
	struct mnl_socket *sock = NULL;
	struct nl_membership member = { &sock, groups };
	struct nl_monitor *m;
	struct nl *nl;
	int err = nl_open(&nl, netns_fd, e);

	if (err)
		return err;
	err = netns_run(netns_fd, nl_monitor_open, &member, e);
	if (err) {
		nl_close(nl);
		return fail_errno(e, err, "cannot follow the kernel's changes");
	}
	m = xzalloc(sizeof(*m));
	m->sock = sock;
	m->nl = nl;
	m->groups = groups;
	m->recv = xmalloc(NL_RECV_MAX);
	watch_init(&m->watch, loop, mnl_socket_get_fd(sock), nl_monitor_ready,
		   m);
	watch_set(&m->watch, WATCH_READ);
	timer_init(&m->resync, loop, nl_monitor_resync, m);
	nl_monitor_lose(m, 0);
	*out = m;
	return 0;
}

void nl_monitor_listen(struct nl_monitor *m, nl_event_fn *fn, void *arg)
{
	m->fn = fn;
	m->arg = arg;
}

void nl_monitor_destroy(struct nl_monitor *m)
{
	if (!m)
		return;
	if (m->destroyed)
		*m->destroyed = true;
	watch_fini(&m->watch);
	timer_fini(&m->resync);
	mnl_socket_close(m->sock);
	nl_close(m->nl);
	free(m->recv);
	free(m);
}
