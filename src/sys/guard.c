/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/guard.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/netns.h"
#include "sys/nl_link.h"
#include "sys/nl_message.h"

/* tcx came with 6.6, after Debian 12's headers; the numbers are the ABI. */
#define GUARD_BPF_TCX_INGRESS 46u
#define GUARD_BPF_F_BEFORE (1u << 3)
#define GUARD_NFT_TABLE_F_OWNER 0x2u

/* Our filter's place on clsact: nobody else's, so that taking it off after a
 * crash cannot hit another's. "WE", "WEFT". */
#define GUARD_TC_PRIO 0x5745u
#define GUARD_TC_HANDLE 0x57454654u

const char *guard_kind_name(enum guard_kind k)
{
	static const char *const names[] = {
		[GUARD_NONE] = "none",
		[GUARD_TCX] = "tcx",
		[GUARD_CLSACT] = "clsact",
		[GUARD_NFT] = "nftables",
	};

	return names[k];
}

/* --- BPF ----------------------------------------------------------------- */
static int guard_bpf(unsigned cmd, union bpf_attr *attr)
{
	long ret = syscall(__NR_bpf, cmd, attr, sizeof(*attr));

	return ret < 0 ? -errno : (int)ret;
}

/* One for the process: what guards do is the datapath's choice, not a port's. */
static const struct guard_programs no_programs = { -1, -1, -1 };
static struct guard_programs guard_programs = { -1, -1, -1 };

void guard_use_programs(const struct guard_programs *p)
{
	guard_programs = p ? *p : no_programs;
}

int guard_hear_program(void)
{
	return guard_programs.hear;
}

/* The whole program: drop. TC_ACT_SHOT and TCX_DROP are both 2. */
static int guard_load(void)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K,
		  .dst_reg = BPF_REG_0,
		  .imm = TC_ACT_SHOT },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_SCHED_CLS,
		.insn_cnt = ARRAY_SIZE(insns),
		.insns = (uint64_t)(uintptr_t)insns,
		.license = (uint64_t)(uintptr_t) "GPL",
		.prog_name = "weft_guard",
	};

	if (guard_programs.ingress >= 0)
		return fcntl(guard_programs.ingress, F_DUPFD_CLOEXEC, 0);
	return guard_bpf(BPF_PROG_LOAD, &attr);
}

struct guard_tcx {
	int prog_fd;
	uint32_t ifindex;
};

/* Inside the namespace: the device is looked up in the caller's. */
static int guard_link_tcx(void *arg)
{
	const struct guard_tcx *t = arg;
	union bpf_attr attr = {
		.link_create = {
			.prog_fd = (uint32_t)t->prog_fd,
			.target_ifindex = t->ifindex,
			.attach_type = GUARD_BPF_TCX_INGRESS,
			.flags = GUARD_BPF_F_BEFORE,
		},
	};

	return guard_bpf(BPF_LINK_CREATE, &attr);
}

static int guard_install_tcx(struct guard *g)
{
	struct guard_tcx t = { guard_load(), g->ifindex };
	int fd;

	if (t.prog_fd < 0)
		return t.prog_fd;
	fd = netns_run(g->netns_fd, guard_link_tcx, &t, NULL);
	close(t.prog_fd);
	if (fd < 0)
		return fd;
	g->fd = fd;
	return 0;
}

/* --- clsact -------------------------------------------------------------- */
static struct tcmsg *guard_tc_req(struct nl_req *r, uint16_t type,
				  uint16_t flags, uint32_t ifindex)
{
	struct tcmsg *t = nl_req_init(r, type, flags, sizeof(*t));

	t->tcm_ifindex = (int)ifindex;
	return t;
}

static int guard_qdisc(struct nl *nl, uint16_t type, uint16_t flags,
		       uint32_t ifindex)
{
	struct nl_req r;
	struct tcmsg *t = guard_tc_req(&r, type, flags, ifindex);

	t->tcm_parent = TC_H_CLSACT;
	t->tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
	mnl_attr_put_strz(r.h, TCA_KIND, "clsact");
	return nl_do(nl, &r, NULL, "clsact");
}

static void guard_filter_key(struct tcmsg *t, bool egress)
{
	t->tcm_parent = TC_H_MAKE(TC_H_CLSACT,
				  egress ? TC_H_MIN_EGRESS : TC_H_MIN_INGRESS);
	t->tcm_info = TC_H_MAKE(GUARD_TC_PRIO << 16, htons(ETH_P_ALL));
	t->tcm_handle = GUARD_TC_HANDLE;
}

static int guard_filter_add(struct nl *nl, const struct guard *g, int prog_fd)
{
	struct nlattr *options;
	struct nl_req r;

	guard_filter_key(guard_tc_req(&r, RTM_NEWTFILTER,
				      NLM_F_CREATE | NLM_F_REPLACE, g->ifindex),
			 g->egress);
	mnl_attr_put_strz(r.h, TCA_KIND, "bpf");
	options = mnl_attr_nest_start(r.h, TCA_OPTIONS);
	mnl_attr_put_u32(r.h, TCA_BPF_FD, (uint32_t)prog_fd);
	mnl_attr_put_strz(r.h, TCA_BPF_NAME, "weft_guard");
	mnl_attr_put_u32(r.h, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
	mnl_attr_nest_end(r.h, options);
	return nl_do(nl, &r, NULL, "filter");
}

static int guard_filter_del(struct nl *nl, uint32_t ifindex, bool egress)
{
	struct nl_req r;

	guard_filter_key(guard_tc_req(&r, RTM_DELTFILTER, 0, ifindex), egress);
	mnl_attr_put_strz(r.h, TCA_KIND, "bpf");
	return nl_do(nl, &r, NULL, "filter");
}

static int guard_install_clsact(struct guard *g)
{
	int prog = g->egress ?
			   fcntl(guard_programs.egress, F_DUPFD_CLOEXEC, 0) :
			   guard_load();
	int err;
	struct nl *nl;

	if (prog < 0)
		return prog;
	err = nl_open(&nl, g->netns_fd, NULL);
	if (err)
		goto out;
	err = guard_qdisc(nl, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL,
			  g->ifindex);
	g->made_qdisc = !err;
	if (!err || err == -EEXIST)
		err = guard_filter_add(nl, g, prog);
	if (err && g->made_qdisc)
		(void)!guard_qdisc(nl, RTM_DELQDISC, 0, g->ifindex);
	nl_close(nl);
out:
	close(prog);
	return err;
}

struct guard_count {
	struct nl_sink sink;
	unsigned n;
};

static void guard_count_each(struct nl_sink *s, const struct nlmsghdr *h UNUSED)
{
	container_of(s, struct guard_count, sink)->n++;
}

static bool guard_filter_is_there(int netns_fd, uint32_t ifindex, bool egress)
{
	struct guard_count c = { .sink = { guard_count_each, NULL } };
	struct nl_req r;
	struct nl *nl;
	int err = nl_open(&nl, netns_fd, NULL);

	if (err)
		return false;
	guard_filter_key(guard_tc_req(&r, RTM_GETTFILTER, 0, ifindex), egress);
	mnl_attr_put_strz(r.h, TCA_KIND, "bpf");
	err = nl_ask(nl, &r, &c.sink);
	nl_close(nl);
	return !err && c.n;
}

bool guard_is_left(uint32_t ifindex)
{
	return guard_filter_is_there(NL_CURRENT_NS, ifindex, false);
}

/* Are there filters of others on the clsact we made? Unsure counts as yes. */
static bool guard_is_shared(struct nl *nl, uint32_t ifindex)
{
	static const uint32_t hooks[] = { TC_H_MIN_INGRESS, TC_H_MIN_EGRESS };
	struct guard_count c = { .sink = { guard_count_each, NULL } };
	struct nl_req r;

	for (unsigned i = 0; i < ARRAY_SIZE(hooks); i++) {
		guard_tc_req(&r, RTM_GETTFILTER, NLM_F_DUMP, ifindex)
			->tcm_parent = TC_H_MAKE(TC_H_CLSACT, hooks[i]);
		if (nl_ask(nl, &r, &c.sink))
			return true;
	}
	return c.n;
}

static void guard_remove_clsact(struct guard *g)
{
	struct nl *nl;

	if (nl_open(&nl, g->netns_fd, NULL))
		return;
	/* Whatever fails here fails because the device is gone. */
	(void)!guard_filter_del(nl, g->ifindex, g->egress);
	if (g->made_qdisc && !guard_is_shared(nl, g->ifindex))
		(void)!guard_qdisc(nl, RTM_DELQDISC, 0, g->ifindex);
	nl_close(nl);
}

/* --- nftables ------------------------------------------------------------ */
#define GUARD_NFT_BUF 1024u

struct guard_batch {
	char buf[GUARD_NFT_BUF] __attribute__((aligned(8)));
	size_t len;
	uint32_t seq, n_acks;
};

static struct nlmsghdr *guard_nft_begin(struct guard_batch *b, uint16_t type,
					uint16_t flags, uint8_t family)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(b->buf + b->len);
	struct nfgenmsg *nf;

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	h->nlmsg_seq = ++b->seq;
	nf = mnl_nlmsg_put_extra_header(h, sizeof(*nf));
	nf->nfgen_family = family;
	nf->version = NFNETLINK_V0;
	/* The batch says which subsystem it is for; others leave it 0. */
	if (type == NFNL_MSG_BATCH_BEGIN || type == NFNL_MSG_BATCH_END)
		nf->res_id = htons(NFNL_SUBSYS_NFTABLES);
	if (flags & NLM_F_ACK)
		b->n_acks++;
	return h;
}

static void guard_nft_end(struct guard_batch *b, const struct nlmsghdr *h)
{
	b->len += MNL_ALIGN(h->nlmsg_len);
	must(b->len <= sizeof(b->buf));
}

static uint16_t guard_nft_type(unsigned message)
{
	return (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | message);
}

/* A table that belongs to our socket: it goes when the socket does, and
 * `nft flush ruleset` of others passes over it. */
static void guard_nft_table(struct guard_batch *b, const char *table)
{
	struct nlmsghdr *h = guard_nft_begin(
		b, guard_nft_type(NFT_MSG_NEWTABLE),
		NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, NFPROTO_NETDEV);

	mnl_attr_put_strz(h, NFTA_TABLE_NAME, table);
	mnl_attr_put_u32(h, NFTA_TABLE_FLAGS, htonl(GUARD_NFT_TABLE_F_OWNER));
	guard_nft_end(b, h);
}

/* A base chain without rules, whose policy is to drop. */
static void guard_nft_chain(struct guard_batch *b, const char *table,
			    const char *device)
{
	struct nlmsghdr *h =
		guard_nft_begin(b, guard_nft_type(NFT_MSG_NEWCHAIN),
				NLM_F_CREATE | NLM_F_ACK, NFPROTO_NETDEV);
	struct nlattr *hook;

	mnl_attr_put_strz(h, NFTA_CHAIN_TABLE, table);
	mnl_attr_put_strz(h, NFTA_CHAIN_NAME, "ingress");
	mnl_attr_put_strz(h, NFTA_CHAIN_TYPE, "filter");
	hook = mnl_attr_nest_start(h, NFTA_CHAIN_HOOK);
	mnl_attr_put_u32(h, NFTA_HOOK_HOOKNUM, htonl(NF_NETDEV_INGRESS));
	mnl_attr_put_u32(h, NFTA_HOOK_PRIORITY, htonl((uint32_t)-500));
	mnl_attr_put_strz(h, NFTA_HOOK_DEV, device);
	mnl_attr_nest_end(h, hook);
	mnl_attr_put_u32(h, NFTA_CHAIN_POLICY, htonl(NF_DROP));
	guard_nft_end(b, h);
}

/* The first error among the answers, 0 when all are well. */
static int guard_nft_answers(int fd, uint32_t n)
{
	char buf[4096] __attribute__((aligned(8)));
	int err = 0;

	while (n) {
		const struct nlmsghdr *h = (void *)buf;
		int len = (int)recv(fd, buf, sizeof(buf), 0);

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return -errno;
		for (; mnl_nlmsg_ok(h, len); h = mnl_nlmsg_next(h, &len)) {
			const struct nlmsgerr *m = mnl_nlmsg_get_payload(h);

			if (h->nlmsg_type != NLMSG_ERROR)
				continue;
			if (m->error)
				return m->error;
			n--;
		}
	}
	return err;
}

static int guard_nft_send(int fd, const char *device, uint32_t ifindex)
{
	struct guard_batch b = { .len = 0 };
	char table[32];

	snprintf(table, sizeof(table), "weft-guard-%u", ifindex);
	guard_nft_end(&b,
		      guard_nft_begin(&b, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC));
	guard_nft_table(&b, table);
	guard_nft_chain(&b, table, device);
	guard_nft_end(&b,
		      guard_nft_begin(&b, NFNL_MSG_BATCH_END, 0, AF_UNSPEC));
	if (send(fd, b.buf, b.len, 0) < 0)
		return -errno;
	return guard_nft_answers(fd, b.n_acks);
}

static int guard_install_nft(struct guard *g)
{
	struct nl_link link;
	struct nl *nl;
	int fd, err = nl_open(&nl, g->netns_fd, NULL);

	if (err)
		return err;
	err = nl_link_get(nl, g->ifindex, &link, NULL);
	nl_close(nl);
	if (err)
		return err;
	fd = netns_socket(g->netns_fd, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC,
			  NETLINK_NETFILTER, NULL);
	if (fd < 0)
		return fd;
	err = guard_nft_send(fd, link.name, g->ifindex);
	if (err)
		close(fd);
	else
		g->fd = fd;
	return err;
}

/* --- life ---------------------------------------------------------------- */
static int guard_try(struct guard *g, enum guard_kind kind)
{
	switch (kind) {
	case GUARD_NONE:
		break;
	case GUARD_TCX:
		return guard_install_tcx(g);
	case GUARD_CLSACT:
		return guard_install_clsact(g);
	case GUARD_NFT:
		return guard_install_nft(g);
	}
	return 0;
}

static int guard_prepare(struct guard *g, int netns_fd, uint32_t ifindex)
{
	*g = (struct guard)GUARD_INIT;
	g->ifindex = ifindex;
	if (netns_fd == NL_CURRENT_NS)
		return 0;
	g->netns_fd = fcntl(netns_fd, F_DUPFD_CLOEXEC, 0);
	return g->netns_fd < 0 ? -errno : 0;
}

int guard_install_kind(struct guard *g, enum guard_kind kind, int netns_fd,
		       uint32_t ifindex, struct err *e)
{
	int err = guard_prepare(g, netns_fd, ifindex);

	if (!err)
		err = guard_try(g, kind);
	if (!err) {
		g->kind = kind;
		if (kind != GUARD_CLSACT) { /* the descriptor is the guard */
			netns_close(g->netns_fd);
			g->netns_fd = -1;
		}
		return 0;
	}
	guard_remove(g);
	return fail_errno(e, err,
			  "cannot keep the host's stack out of device "
			  "%u by %s",
			  ifindex, guard_kind_name(kind));
}

int guard_install(struct guard *g, int netns_fd, uint32_t ifindex,
		  struct err *e)
{
	int err = 0;

	for (enum guard_kind k = GUARD_TCX; k <= GUARD_NFT; k++) {
		err = guard_install_kind(g, k, netns_fd, ifindex, NULL);
		if (!err || err == -ENODEV)
			break;
	}
	if (err == -ENODEV)
		return fail_say(e, ENODEV, "there is no device with index %u",
				ifindex);
	if (err)
		return fail_errno(e, err,
				  "cannot keep the host's stack out of "
				  "device %u: neither BPF nor nftables works "
				  "here",
				  ifindex);
	return 0;
}

void guard_remove(struct guard *g)
{
	if (!g->ifindex)
		return;
	if (g->kind == GUARD_CLSACT)
		guard_remove_clsact(g);
	if (g->fd >= 0)
		close(g->fd);
	netns_close(g->netns_fd);
	*g = (struct guard)GUARD_INIT;
}

/* A link that was detached stands on no device. */
static bool guard_link_is_there(const struct guard *g)
{
	struct bpf_link_info info = { 0 };
	union bpf_attr attr = { .info = {
					.bpf_fd = (uint32_t)g->fd,
					.info_len = sizeof(info),
					.info = (uint64_t)(uintptr_t)&info,
				} };

	/* Of a tcx link the device is where it is of an XDP link. */
	return guard_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) < 0 || info.xdp.ifindex;
}

static bool guard_mend_tcx(struct guard *g)
{
	int fd = g->fd;

	if (fd < 0 || guard_link_is_there(g) || guard_install_tcx(g))
		return false;
	close(fd);
	return true;
}

bool guard_mend(struct guard *g, bool told)
{
	if (g->kind == GUARD_TCX)
		return guard_mend_tcx(g);
	return told && g->kind == GUARD_CLSACT &&
	       !guard_filter_is_there(g->netns_fd, g->ifindex, g->egress) &&
	       !guard_install_clsact(g);
}

void guard_leave(struct guard *g)
{
	if (g->kind != GUARD_CLSACT) {
		guard_remove(g);
		return;
	}
	netns_close(g->netns_fd);
	*g = (struct guard)GUARD_INIT;
}

void guard_sweep(int netns_fd, uint32_t ifindex)
{
	struct nl *nl;

	if (nl_open(&nl, netns_fd, NULL))
		return;
	/* Where our filter was, and no other is, the clsact was ours too. */
	if (!guard_filter_del(nl, ifindex, false) &&
	    !guard_is_shared(nl, ifindex))
		(void)!guard_qdisc(nl, RTM_DELQDISC, 0, ifindex);
	nl_close(nl);
}

static void guard_sweep_egress(uint32_t ifindex)
{
	struct nl *nl;

	if (nl_open(&nl, NL_CURRENT_NS, NULL))
		return;
	(void)!guard_filter_del(nl, ifindex, true);
	nl_close(nl);
}

void guard_watch_egress(struct guard *g, uint32_t ifindex)
{
	*g = (struct guard)GUARD_INIT;
	g->ifindex = ifindex;
	g->egress = true;
	if (guard_programs.egress >= 0 && !guard_install_clsact(g)) {
		g->kind = GUARD_CLSACT;
		return;
	}
	*g = (struct guard)GUARD_INIT;
	guard_sweep_egress(ifindex);
}
