/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/tcp_state.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MAX 8192u
#define TCP_IS_ESTABLISHED 1 /* include/net/tcp_states.h */

static void put_address(__be32 out[4], const struct ip_addr *a)
{
	uint32_t v4 = htonl(ip_addr_is_ip4(a) ? ip_addr_ip4(a) : 0);

	if (ip_addr_is_ip4(a))
		memcpy(out, &v4, sizeof(v4));
	else
		memcpy(out, a->a.b, sizeof(a->a.b));
}

static int send_question(int fd, const struct tcp_flow *f)
{
	char buf[MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof(struct inet_diag_req_v2))];
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct inet_diag_req_v2 *q;

	h->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	h->nlmsg_flags = NLM_F_REQUEST;
	q = mnl_nlmsg_put_extra_header(h, sizeof(*q));
	q->sdiag_family = (uint8_t)f->local.family;
	q->sdiag_protocol = IPPROTO_TCP;
	q->idiag_ext = 1u << (INET_DIAG_INFO - 1);
	q->idiag_states = ~0u;
	q->id.idiag_sport = htons(f->local_port);
	q->id.idiag_dport = htons(f->remote_port);
	put_address(q->id.idiag_src, &f->local);
	put_address(q->id.idiag_dst, &f->remote);
	q->id.idiag_cookie[0] = INET_DIAG_NOCOOKIE;
	q->id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	return send(fd, h, h->nlmsg_len, 0) < 0 ? -errno : 0;
}

/* Kernels differ in how long the struct is. */
static void take_info(const struct nlattr *a, struct tcp_state *out)
{
	struct tcp_info info = { 0 };

	memcpy(&info, mnl_attr_get_payload(a),
	       MIN(sizeof(info), (size_t)mnl_attr_get_payload_len(a)));
	out->unacked = info.tcpi_unacked;
	out->retransmits = info.tcpi_retransmits;
}

static int take_answer(const struct nlmsghdr *h, struct tcp_state *out)
{
	const struct inet_diag_msg *m = mnl_nlmsg_get_payload(h);
	const struct nlmsgerr *bad = mnl_nlmsg_get_payload(h);
	struct nlattr *a;

	if (h->nlmsg_type == NLMSG_ERROR)
		return mnl_nlmsg_get_payload_len(h) < sizeof(*bad) ? -EPROTO :
								     bad->error;
	if (mnl_nlmsg_get_payload_len(h) < sizeof(*m))
		return -EPROTO;
	*out = (struct tcp_state){ .established = m->idiag_state ==
						  TCP_IS_ESTABLISHED };
	mnl_attr_for_each(a, h, sizeof(*m)) if (mnl_attr_get_type(a) ==
						INET_DIAG_INFO)
		take_info(a, out);
	return 0;
}

int tcp_state_ask(const struct tcp_flow *f, struct tcp_state *out)
{
	char buf[ANSWER_MAX] __attribute__((aligned(8)));
	struct nlmsghdr *h = (void *)buf;
	ssize_t n;
	int fd, rc;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (fd < 0)
		return -errno;
	rc = send_question(fd, f);
	if (!rc) {
		n = recv(fd, buf, sizeof(buf), 0);
		rc = n < 0 ? -errno : 0;
		if (!rc && !mnl_nlmsg_ok(h, (int)n))
			rc = -EPROTO;
		if (!rc)
			rc = take_answer(h, out);
	}
	close(fd);
	return rc;
}
