/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/nf_chain.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

struct found {
	struct nf_chain *v;
	unsigned n, max;
};

static const char *family_name(uint8_t family)
{
	switch (family) {
	case NFPROTO_IPV4:
		return "ip";
	case NFPROTO_IPV6:
		return "ip6";
	case NFPROTO_INET:
		return "inet";
	case NFPROTO_BRIDGE:
		return "bridge";
	default:
		return "?";
	}
}

/* --- nf_tables ------------------------------------------------------------ */

struct chain_attrs {
	const char *table, *name;
	uint32_t hook, policy;
};

static void hook_attr(const struct nlattr *nest, struct chain_attrs *c)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested(
		a, nest) if (mnl_attr_get_type(a) == NFTA_HOOK_HOOKNUM &&
			     mnl_attr_validate(a, MNL_TYPE_U32) >= 0) c->hook =
		__builtin_bswap32(mnl_attr_get_u32(a));
}

static int on_attr(const struct nlattr *a, void *arg)
{
	struct chain_attrs *c = arg;

	switch (mnl_attr_get_type(a)) {
	case NFTA_CHAIN_TABLE:
		if (mnl_attr_validate(a, MNL_TYPE_NUL_STRING) >= 0)
			c->table = mnl_attr_get_str(a);
		break;
	case NFTA_CHAIN_NAME:
		if (mnl_attr_validate(a, MNL_TYPE_NUL_STRING) >= 0)
			c->name = mnl_attr_get_str(a);
		break;
	case NFTA_CHAIN_HOOK:
		hook_attr(a, c);
		break;
	case NFTA_CHAIN_POLICY:
		if (mnl_attr_validate(a, MNL_TYPE_U32) >= 0)
			c->policy = __builtin_bswap32(mnl_attr_get_u32(a));
		break;
	}
	return MNL_CB_OK;
}

static int on_chain(const struct nlmsghdr *h, void *arg)
{
	const struct nfgenmsg *g = mnl_nlmsg_get_payload(h);
	struct chain_attrs c = { .hook = UINT32_MAX, .policy = NF_ACCEPT };
	struct found *f = arg;
	struct nf_chain *out;

	mnl_attr_parse(h, sizeof(*g), on_attr, &c);
	if (c.hook != NF_INET_FORWARD || c.policy != NF_DROP || !c.table ||
	    !c.name || f->n == f->max)
		return MNL_CB_OK;
	out = &f->v[f->n++];
	*out = (struct nf_chain){ .family = family_name(g->nfgen_family) };
	snprintf(out->table, sizeof(out->table), "%s", c.table);
	snprintf(out->chain, sizeof(out->chain), "%s", c.name);
	return MNL_CB_OK;
}

struct dump {
	uint16_t what;     /* NFT_MSG_GET... */
	const char *table; /* NULL: all */
	mnl_cb_t each;
	void *arg;
};

static int dump_on(struct mnl_socket *s, const struct dump *d)
{
	char buf[32768] __attribute__((aligned(8)));
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *g;
	int rc = 1;

	h->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | d->what);
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	h->nlmsg_seq = 1;
	g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
	g->nfgen_family = NFPROTO_UNSPEC;
	g->version = NFNETLINK_V0;
	if (d->table)
		mnl_attr_put_strz(h, NFTA_RULE_TABLE, d->table);
	if (mnl_socket_sendto(s, h, h->nlmsg_len) < 0)
		return -errno;
	while (rc > 0) {
		ssize_t n = mnl_socket_recvfrom(s, buf, sizeof(buf));

		if (n < 0)
			return -errno;
		rc = mnl_cb_run(buf, (size_t)n, 1, mnl_socket_get_portid(s),
				d->each, d->arg);
	}
	return rc < 0 ? -errno : 0;
}

static int dump(const struct dump *d)
{
	struct mnl_socket *s = mnl_socket_open(NETLINK_NETFILTER);
	int rc;

	if (!s)
		return -errno;
	rc = mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) ? -errno : dump_on(s, d);
	mnl_socket_close(s);
	return rc;
}

static int nft_chains(struct found *f)
{
	struct dump d = { NFT_MSG_GETCHAIN, NULL, on_chain, f };
	int rc = dump(&d);

	if (rc == -EPROTONOSUPPORT)
		return 0;
	/* a kernel without nf_tables has no chains */
	return rc == -EINVAL || rc == -EOPNOTSUPP ? 0 : rc;
}

struct named {
	char bytes[NF_NAME_MAX]; /* the device's name with its NUL */
	size_t len;
	bool found;
};

/* A rule holds the name as it compares it: as bytes with a NUL. */
static int on_rule(const struct nlmsghdr *h, void *arg)
{
	struct named *n = arg;

	if (memmem(h, h->nlmsg_len, n->bytes, n->len))
		n->found = true;
	return MNL_CB_OK;
}

bool nf_chain_names(const struct nf_chain *c, const char *device)
{
	struct named n = { .len = strlen(device) + 1 };
	struct dump d = { NFT_MSG_GETRULE, c->table, on_rule, &n };

	if (n.len == 1 || n.len > sizeof(n.bytes))
		return false;
	memcpy(n.bytes, device, n.len);
	return !dump(&d) && n.found;
}

/* --- the older iptables --------------------------------------------------- */

#define VERDICT_DROP (-NF_DROP - 1)

/* The policy of the forward chain is the verdict of its last entry. */
static bool legacy_drops(int fd, const struct ipt_getinfo *info)
{
	size_t len = sizeof(struct ipt_get_entries) + info->size;
	struct ipt_get_entries *all = xzalloc(len);
	uint32_t at = info->underflow[NF_INET_FORWARD];
	const struct ipt_entry *e;
	const struct xt_standard_target *t;
	socklen_t n = (socklen_t)len;
	bool drops = false;

	memcpy(all->name, info->name, sizeof(all->name));
	all->size = info->size;
	if (!getsockopt(fd, IPPROTO_IP, IPT_SO_GET_ENTRIES, all, &n) &&
	    at + sizeof(*e) + sizeof(*t) <= info->size) {
		e = (const void *)((const char *)all->entrytable + at);
		if (e->target_offset + sizeof(*t) <= info->size - at) {
			t = (const void *)((const char *)e + e->target_offset);
			drops = t->verdict == VERDICT_DROP;
		}
	}
	free(all);
	return drops;
}

#define LEGACY_BYTES_MAX (16u << 20)

/* Asking for a table would load its module: only where iptables is in use. */
static void legacy_chain(struct found *f)
{
	struct ipt_getinfo info = { .name = "filter" };
	socklen_t n = sizeof(info);
	int fd;

	if (access("/proc/net/ip_tables_names", F_OK))
		return;
	fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (fd < 0)
		return;
	if (!getsockopt(fd, IPPROTO_IP, IPT_SO_GET_INFO, &info, &n) &&
	    info.valid_hooks & 1u << NF_INET_FORWARD &&
	    info.size <= LEGACY_BYTES_MAX && f->n < f->max &&
	    legacy_drops(fd, &info))
		f->v[f->n++] = (struct nf_chain){ .family = "ip",
						  .table = "filter",
						  .chain = "FORWARD",
						  .legacy = true };
	close(fd);
}

int nf_chain_forward_drops(struct nf_chain *out, unsigned max)
{
	struct found f = { .v = out, .max = max };
	int rc = nft_chains(&f);

	if (rc)
		return rc;
	legacy_chain(&f);
	return (int)f.n;
}
