/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/nl.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/be.h"
#include "base/str.h"
#include "sys/netns.h"
#include "sys/nl_message.h"

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

/* Requests sent with one call: as many as their answers surely fit into the
 * receive buffer. */
#define NL_BATCH_MAX 64u
#define NL_BATCH_BYTES 65536u
#define NL_RCVBUF (1 << 20)
#define NL_WHY_MAX 256u

struct nl_pending {
	uint32_t seq;
	char *what;
};

struct nl {
	struct mnl_socket *sock;
	uint32_t seq;
	char why[NL_WHY_MAX]; /* the kernel's sentence about the last failure */
	char *recv;           /* NL_RECV_MAX bytes */

	bool batching;
	char *batch; /* NL_BATCH_BYTES, while batching */
	size_t batch_len;
	struct nl_pending pending[NL_BATCH_MAX];
	unsigned n_pending;
	/* Failures of the batch so far, kept for nl_batch_end. */
	struct nl_failure {
		char *what, *why;
		int err;
	} * failures;
	size_t n_failures;
	int batch_err; /* the socket itself failed */
	/* What follows once the devices are made. */
	struct nl_after {
		uint32_t seq; /* of the request that makes it */
		bool failed;  /* it did not: a namesake must not be touched */
		struct nl_link_change change; /* netns_fd: own copy, or -1 */
	} * afters;
	size_t n_afters;
};

static void nl_set_option(struct nl *nl, int option)
{
	int on = 1;

	/* Kernels before 4.20 lack strictness and answer all the same. */
	(void)!mnl_socket_setsockopt(nl->sock, option, &on, sizeof(on));
}

static int nl_open_socket(void *arg)
{
	struct nl *nl = arg;
	int fd, bytes = NL_RCVBUF;

	nl->sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!nl->sock)
		return -errno;
	if (mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	fd = mnl_socket_get_fd(nl->sock);
	/* A smaller buffer only makes ENOBUFS likelier, which is handled. */
	(void)!setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes,
			  sizeof(bytes));
	nl_set_option(nl, NETLINK_EXT_ACK);
	nl_set_option(nl, NETLINK_CAP_ACK);
	nl_set_option(nl, NETLINK_GET_STRICT_CHK);
	return 0;
}

int nl_open(struct nl **out, int netns_fd, struct err *e)
{
	struct nl *nl = xzalloc(sizeof(*nl));
	int err = netns_run(netns_fd, nl_open_socket, nl, e);

	if (err) {
		nl_close(nl);
		return fail_errno(e, err, "cannot open a netlink socket");
	}
	nl->recv = xmalloc(NL_RECV_MAX);
	nl->seq = 1;
	*out = nl;
	return 0;
}

static void nl_forget_failures(struct nl *nl)
{
	for (size_t i = 0; i < nl->n_failures; i++) {
		free(nl->failures[i].what);
		free(nl->failures[i].why);
	}
	free(nl->failures);
	nl->failures = NULL;
	nl->n_failures = 0;
}

static void nl_forget_pending(struct nl *nl)
{
	for (unsigned i = 0; i < nl->n_pending; i++)
		free(nl->pending[i].what);
	nl->n_pending = 0;
	nl->batch_len = 0;
}

void nl_close(struct nl *nl)
{
	if (!nl)
		return;
	if (nl->sock)
		mnl_socket_close(nl->sock);
	nl_forget_pending(nl);
	nl_forget_failures(nl);
	free(nl->batch);
	free(nl->recv);
	free(nl);
}

void nl_raw_fini(struct nl_raw *r)
{
	free(r->data);
	*r = (struct nl_raw){ 0 };
}

/* --- requests ------------------------------------------------------------ */
void *nl_req_init(struct nl_req *r, uint16_t type, uint16_t flags, size_t size)
{
	r->h = mnl_nlmsg_put_header(r->buf);
	r->h->nlmsg_type = type;
	r->h->nlmsg_flags = NLM_F_REQUEST | flags;
	return mnl_nlmsg_put_extra_header(r->h, size);
}

void nl_req_put_ip(struct nl_req *r, uint16_t type, const struct ip_addr *ip)
{
	uint8_t ip4[4];

	if (!ip_addr_is_ip4(ip)) {
		mnl_attr_put(r->h, type, sizeof(ip->a.b), ip->a.b);
		return;
	}
	memcpy(ip4, ip->a.b + 12, sizeof(ip4));
	mnl_attr_put(r->h, type, sizeof(ip4), ip4);
}

static int nl_send(struct nl *nl, const void *data, size_t len)
{
	ssize_t n;

	do {
		n = mnl_socket_sendto(nl->sock, data, len);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* Reads one datagram into nl->recv; its length or -errno. */
static int nl_receive(struct nl *nl)
{
	ssize_t n;

	do {
		n = mnl_socket_recvfrom(nl->sock, nl->recv, NL_RECV_MAX);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : (int)n;
}

/* Keeps the kernel's sentence, which follows the (capped) failed request. */
static void nl_keep_why(struct nl *nl, const struct nlmsghdr *h)
{
	size_t skip = sizeof(struct nlmsgerr);
	const struct nlmsgerr *m = mnl_nlmsg_get_payload(h);
	const struct nlattr *a;

	nl->why[0] = '\0';
	if (!(h->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(h->nlmsg_flags & NLM_F_CAPPED))
		skip += mnl_nlmsg_get_payload_len(&m->msg);
	nl_for_each_attr(a, h, (unsigned)skip) {
		if (mnl_attr_get_type(a) != NLMSGERR_ATTR_MSG ||
		    mnl_attr_validate(a, MNL_TYPE_NUL_STRING) < 0)
			continue;
		snprintf(nl->why, sizeof(nl->why), "%s", mnl_attr_get_str(a));
	}
}

const char *nl_why(const struct nl *nl)
{
	return nl->why[0] ? nl->why : NULL;
}

/* The error of an acknowledgement (0 or -errno). */
static int nl_ack_error(struct nl *nl, const struct nlmsghdr *h)
{
	const struct nlmsgerr *m = mnl_nlmsg_get_payload(h);

	nl->why[0] = '\0';
	if (mnl_nlmsg_get_payload_len(h) < sizeof(*m))
		return -EPROTO;
	if (m->error)
		nl_keep_why(nl, h);
	return m->error > 0 ? -EPROTO : m->error;
}

static char *nl_explain(const struct nl *nl, int err)
{
	if (nl->why[0])
		return xasprintf("%s (%s)", nl->why, err_name(err));
	return xstrdup(err_name(err));
}

/* --- questions ----------------------------------------------------------- */
struct nl_answer {
	struct nl_sink *sink;
	uint32_t seq;
	bool over, interrupted;
	int err;
};

static int nl_done_error(const struct nlmsghdr *h)
{
	int err = 0;

	if (mnl_nlmsg_get_payload_len(h) >= sizeof(err))
		memcpy(&err, mnl_nlmsg_get_payload(h), sizeof(err));
	return MIN(err, 0);
}

static void nl_answer_message(struct nl *nl, struct nl_answer *a,
			      const struct nlmsghdr *h)
{
	/* An answer to a question that was given up. */
	if (h->nlmsg_seq != a->seq)
		return;
	if (h->nlmsg_flags & NLM_F_DUMP_INTR)
		a->interrupted = true;
	switch (h->nlmsg_type) {
	case NLMSG_ERROR:
		a->err = nl_ack_error(nl, h);
		a->over = true;
		break;
	case NLMSG_DONE:
		a->err = nl_done_error(h);
		a->over = true;
		break;
	case NLMSG_NOOP:
	case NLMSG_OVERRUN:
		break;
	default:
		if (a->sink)
			a->sink->each(a->sink, h);
	}
}

/* Reads until the answer to `a->seq` is complete. */
static int nl_read_answer(struct nl *nl, struct nl_answer *a)
{
	while (!a->over) {
		const struct nlmsghdr *h = (void *)nl->recv;
		int len = nl_receive(nl);

		if (len < 0)
			return len;
		for (; mnl_nlmsg_ok(h, len); h = mnl_nlmsg_next(h, &len))
			nl_answer_message(nl, a, h);
	}
	return a->interrupted && !a->err ? -EINTR : a->err;
}

static int nl_ask_once(struct nl *nl, struct nl_req *r, struct nl_sink *s)
{
	struct nl_answer a = { .sink = s, .seq = nl->seq++ };
	int err;

	r->h->nlmsg_seq = a.seq;
	err = nl_send(nl, r->h, r->h->nlmsg_len);
	return err ? err : nl_read_answer(nl, &a);
}

int nl_ask(struct nl *nl, struct nl_req *r, struct nl_sink *s)
{
	int err = -EINTR;

	must(!nl->n_pending);
	nl->why[0] = '\0';
	if (!(r->h->nlmsg_flags & NLM_F_DUMP))
		r->h->nlmsg_flags |= NLM_F_ACK;
	for (unsigned i = 0; i < NL_DUMP_TRIES; i++) {
		err = nl_ask_once(nl, r, s);
		if (err != -EINTR && err != -ENOBUFS)
			return err;
		if (s && s->reset)
			s->reset(s);
	}
	return err;
}

/* --- changes ------------------------------------------------------------- */
static void nl_note_failure(struct nl *nl, const char *what, const char *why,
			    int err)
{
	struct nl_failure *f;

	nl->failures = xrealloc(nl->failures,
				(nl->n_failures + 1) * sizeof(*nl->failures));
	f = &nl->failures[nl->n_failures++];
	f->what = xstrdup(what);
	f->why = xstrdup(why);
	f->err = err;
}

static void nl_batch_failed(struct nl *nl, const struct nl_pending *p, int err)
{
	char *why = nl_explain(nl, err);

	nl_note_failure(nl, p->what, why, err);
	free(why);
	for (size_t i = 0; i < nl->n_afters; i++)
		if (nl->afters[i].seq == p->seq)
			nl->afters[i].failed = true;
}

static void nl_batch_answer(struct nl *nl, const struct nlmsghdr *h,
			    unsigned *n_answered)
{
	unsigned i = *n_answered;
	int err;

	if (h->nlmsg_type != NLMSG_ERROR || i >= nl->n_pending ||
	    h->nlmsg_seq != nl->pending[i].seq)
		return;
	err = nl_ack_error(nl, h);
	if (err)
		nl_batch_failed(nl, &nl->pending[i], err);
	++*n_answered;
}

/* Sends what waits and reads the answers, which come in order. */
static int nl_batch_flush(struct nl *nl)
{
	unsigned n_answered = 0;
	int err = nl_send(nl, nl->batch, nl->batch_len);

	while (!err && n_answered < nl->n_pending) {
		const struct nlmsghdr *h = (void *)nl->recv;
		int len = nl_receive(nl);

		if (len < 0)
			err = len;
		for (; len > 0 && mnl_nlmsg_ok(h, len);
		     h = mnl_nlmsg_next(h, &len))
			nl_batch_answer(nl, h, &n_answered);
	}
	nl_forget_pending(nl);
	if (err && !nl->batch_err)
		nl->batch_err = err;
	return err;
}

static void nl_batch_add(struct nl *nl, const struct nlmsghdr *h,
			 const char *what)
{
	size_t len = MNL_ALIGN(h->nlmsg_len);

	if (nl->n_pending == NL_BATCH_MAX ||
	    nl->batch_len + len > NL_BATCH_BYTES)
		(void)!nl_batch_flush(nl); /* kept for nl_batch_end */
	memcpy(nl->batch + nl->batch_len, h, h->nlmsg_len);
	nl->batch_len += len;
	nl->pending[nl->n_pending++] =
		(struct nl_pending){ h->nlmsg_seq, xstrdup(what) };
}

static int nl_do_now(struct nl *nl, const struct nlmsghdr *h, const char *what,
		     struct err *e)
{
	struct nl_answer a = { .seq = h->nlmsg_seq };
	int err;
	char *why;

	nl->why[0] = '\0';
	err = nl_send(nl, h, h->nlmsg_len);
	if (!err)
		err = nl_read_answer(nl, &a);
	if (!err)
		return 0;
	why = nl_explain(nl, err);
	fail_say(e, -err, "cannot %s: %s", what, why);
	free(why);
	return err;
}

int nl_do(struct nl *nl, struct nl_req *r, struct err *e, const char *fmt, ...)
{
	struct str what = STR_INIT;
	va_list ap;
	int err = 0;

	va_start(ap, fmt);
	str_addv(&what, fmt, ap);
	va_end(ap);
	r->h->nlmsg_flags |= NLM_F_ACK;
	r->h->nlmsg_seq = nl->seq++;
	if (nl->batching)
		nl_batch_add(nl, r->h, str_text(&what));
	else
		err = nl_do_now(nl, r->h, str_text(&what), e);
	str_fini(&what);
	return err;
}

void nl_batch_begin(struct nl *nl)
{
	must(!nl->batching);
	nl->batching = true;
	nl->batch_err = 0;
	nl->batch = xmalloc(NL_BATCH_BYTES);
}

static void nl_batch_report(const struct nl *nl, nl_batch_fail_fn *fail,
			    void *arg, struct err *e)
{
	for (size_t i = 0; i < nl->n_failures; i++) {
		const struct nl_failure *f = &nl->failures[i];

		if (fail)
			fail(arg, f->what, f->err, f->why);
		if (!i)
			fail_say(e, -f->err, "cannot %s: %s", f->what, f->why);
	}
}

bool nl_batch_after(struct nl *nl, const struct nl_link_change *c)
{
	struct nl_after *a;

	if (!nl->batching)
		return false;
	nl->afters =
		xrealloc(nl->afters, (nl->n_afters + 1) * sizeof(*nl->afters));
	a = &nl->afters[nl->n_afters++];
	*a = (struct nl_after){ .seq = nl->seq - 1, .change = *c };
	/* The caller may close its descriptor before the batch ends. */
	if (c->netns_fd != NL_CURRENT_NS)
		a->change.netns_fd = fcntl(c->netns_fd, F_DUPFD_CLOEXEC, 0);
	a->failed = c->netns_fd != NL_CURRENT_NS && a->change.netns_fd < 0;
	if (a->failed)
		nl_note_failure(nl, "keep a namespace open", err_name(errno),
				-errno);
	return true;
}

static void nl_after_elsewhere(struct nl *nl, const struct nl_after *a)
{
	struct err e = ERR_INIT;
	int err = nl_link_finish_in(a->change.netns_fd, &a->change, &e);

	if (err)
		nl_note_failure(nl, "finish a device", e.text, err);
	err_fini(&e);
}

/* All devices are made, or known not to be: now what follows. */
static void nl_batch_finish(struct nl *nl)
{
	for (size_t i = 0; i < nl->n_afters; i++) {
		struct nl_after *a = &nl->afters[i];

		if (!a->failed && a->change.netns_fd == NL_CURRENT_NS)
			(void)!nl_link_finish(nl, &a->change, NULL);
		else if (!a->failed)
			nl_after_elsewhere(nl, a);
		netns_close(a->change.netns_fd);
	}
	free(nl->afters);
	nl->afters = NULL;
	nl->n_afters = 0;
	if (nl->n_pending)
		(void)!nl_batch_flush(nl); /* its error is in batch_err */
}

int nl_batch_end(struct nl *nl, nl_batch_fail_fn *fail, void *arg,
		 struct err *e)
{
	int ret;

	must(nl->batching);
	if (nl->n_pending)
		(void)!nl_batch_flush(nl); /* its error is in batch_err */
	nl_batch_finish(nl);
	nl->batching = false;
	free(nl->batch);
	nl->batch = NULL;
	nl_batch_report(nl, fail, arg, e);
	ret = (int)nl->n_failures;
	nl_forget_failures(nl);
	if (nl->batch_err)
		return fail_errno(e, nl->batch_err,
				  "the kernel's answers to a batch were lost");
	return ret;
}

/* --- attributes ---------------------------------------------------------- */
uint8_t nl_attr_u8(const struct nlattr *a)
{
	return mnl_attr_get_payload_len(a) < 1 ? 0 : mnl_attr_get_u8(a);
}

uint16_t nl_attr_u16(const struct nlattr *a)
{
	return mnl_attr_get_payload_len(a) < 2 ? 0 : mnl_attr_get_u16(a);
}

uint32_t nl_attr_u32(const struct nlattr *a)
{
	return mnl_attr_get_payload_len(a) < 4 ? 0 : mnl_attr_get_u32(a);
}

void nl_attr_name(const struct nlattr *a, char out[NL_NAME_MAX])
{
	size_t len = MIN(mnl_attr_get_payload_len(a), NL_NAME_MAX - 1u);

	memset(out, 0, NL_NAME_MAX);
	memcpy(out, mnl_attr_get_payload(a), len);
}

struct ip_addr nl_attr_ip(const struct nlattr *a, uint16_t family)
{
	struct ip6_addr ip6;

	if (family == AF_INET && mnl_attr_get_payload_len(a) == 4)
		return ip_addr_from_ip4(get_be32(mnl_attr_get_payload(a)));
	if (family != AF_INET6 || mnl_attr_get_payload_len(a) != sizeof(ip6))
		return (struct ip_addr){ 0 };
	memcpy(ip6.b, mnl_attr_get_payload(a), sizeof(ip6.b));
	return ip_addr_from_ip6(ip6);
}

struct eth_addr nl_attr_eth(const struct nlattr *a)
{
	struct eth_addr eth = { { 0 } };

	if (mnl_attr_get_payload_len(a) == sizeof(eth.b))
		memcpy(eth.b, mnl_attr_get_payload(a), sizeof(eth.b));
	return eth;
}

/* --- lists --------------------------------------------------------------- */
static void nl_array_each(struct nl_sink *s, const struct nlmsghdr *h)
{
	struct nl_array *a = container_of(s, struct nl_array, sink);
	char *item;

	if (a->n == a->cap) {
		a->cap = MAX(a->cap * 2, 16u);
		a->v = xrealloc(a->v, a->cap * a->size);
	}
	item = (char *)a->v + a->n * a->size;
	memset(item, 0, a->size);
	if (!a->parse(h, item))
		return;
	if (!a->wants || a->wants(a, item))
		a->n++;
	else if (a->fini)
		a->fini(item);
}

static void nl_array_reset(struct nl_sink *s)
{
	struct nl_array *a = container_of(s, struct nl_array, sink);

	for (size_t i = a->base; a->fini && i < a->n; i++)
		a->fini((char *)a->v + i * a->size);
	a->n = a->base;
}

void nl_array_init(struct nl_array *a, size_t size,
		   bool (*parse)(const struct nlmsghdr *h, void *out))
{
	*a = (struct nl_array){
		.sink = { nl_array_each, nl_array_reset },
		.size = size,
		.parse = parse,
	};
}

int nl_array_ask(struct nl_array *a, struct nl *nl, struct nl_req *r)
{
	a->base = a->n;
	return nl_ask(nl, r, &a->sink);
}

void nl_array_fini(struct nl_array *a)
{
	a->base = 0;
	nl_array_reset(&a->sink);
	free(a->v);
}
