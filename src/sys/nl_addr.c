/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/nl_addr.h"

#include <linux/if_addr.h>
#include <linux/neighbour.h>

#include "sys/nl_message.h"

/* Not in every header that Debian 12 has; the numbers are the kernel's ABI. */
#define NL_IFA_PROTO 11
#define NL_NDA_FLAGS_EXT 15

/* The flags that are a wish; the others are the kernel's findings. */
#define NL_ADDR_FLAGS                                                          \
	(IFA_F_NODAD | IFA_F_OPTIMISTIC | IFA_F_HOMEADDRESS |                  \
	 IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN)

/* --- addresses ----------------------------------------------------------- */
static void nl_addr_parse_attr(const struct nlattr *a, struct nl_addr *out,
			       uint16_t family)
{
	struct ifa_cacheinfo ci;

	switch (mnl_attr_get_type(a)) {
	case IFA_BROADCAST:
		out->broadcast = nl_attr_ip(a, family);
		break;
	case IFA_LABEL:
		nl_attr_name(a, out->label);
		break;
	case IFA_FLAGS:
		out->flags = nl_attr_u32(a);
		break;
	case IFA_RT_PRIORITY:
		out->metric = nl_attr_u32(a);
		break;
	case NL_IFA_PROTO:
		out->proto = nl_attr_u8(a);
		break;
	case IFA_CACHEINFO:
		if (mnl_attr_get_payload_len(a) < sizeof(ci))
			break;
		memcpy(&ci, mnl_attr_get_payload(a), sizeof(ci));
		out->valid_s = ci.ifa_valid;
		out->preferred_s = ci.ifa_prefered;
		break;
	}
}

bool nl_addr_parse(const struct nlmsghdr *h, void *item)
{
	const struct ifaddrmsg *m = mnl_nlmsg_get_payload(h);
	struct ip_addr address = { 0 }, local = { 0 };
	struct nl_addr *out = item;
	const struct nlattr *a;

	if ((h->nlmsg_type != RTM_NEWADDR && h->nlmsg_type != RTM_DELADDR) ||
	    mnl_nlmsg_get_payload_len(h) < sizeof(*m) ||
	    (m->ifa_family != AF_INET && m->ifa_family != AF_INET6))
		return false;
	*out = (struct nl_addr){ .ifindex = m->ifa_index,
				 .flags = m->ifa_flags,
				 .scope = m->ifa_scope,
				 .valid_s = NL_FOREVER,
				 .preferred_s = NL_FOREVER };
	nl_for_each_attr(a, h, sizeof(*m)) {
		if (mnl_attr_get_type(a) == IFA_ADDRESS)
			address = nl_attr_ip(a, m->ifa_family);
		else if (mnl_attr_get_type(a) == IFA_LOCAL)
			local = nl_attr_ip(a, m->ifa_family);
		else
			nl_addr_parse_attr(a, out, m->ifa_family);
	}
	/* IFA_ADDRESS is the peer's where there is an IFA_LOCAL beside. */
	out->local = (struct ip_prefix){ local.family ? local : address,
					 m->ifa_prefixlen };
	if (local.family && address.family && !ip_addr_equal(&local, &address))
		out->peer = address;
	return out->local.addr.family;
}

int nl_addr_list(struct nl *nl, uint32_t ifindex, struct nl_addrs *out,
		 struct err *e)
{
	struct ifaddrmsg *m;
	struct nl_array a;
	struct nl_req r;
	int err;

	nl_array_init(&a, sizeof(struct nl_addr), nl_addr_parse);
	m = nl_req_init(&r, RTM_GETADDR, NLM_F_DUMP, sizeof(*m));
	m->ifa_index = ifindex;
	err = nl_array_ask(&a, nl, &r);
	if (err) {
		nl_array_fini(&a);
		return fail_errno(e, err, "cannot list the addresses");
	}
	*out = (struct nl_addrs){ a.v, a.n };
	return 0;
}

void nl_addrs_fini(struct nl_addrs *a)
{
	free(a->v);
	*a = (struct nl_addrs){ 0 };
}

struct nl_addr nl_addr_plain(uint32_t ifindex, const struct ip_prefix *p,
			     bool nodad)
{
	struct nl_addr a = { .ifindex = ifindex,
			     .local = *p,
			     .flags = nodad ? IFA_F_NODAD : 0,
			     .scope = RT_SCOPE_UNIVERSE,
			     .valid_s = NL_FOREVER,
			     .preferred_s = NL_FOREVER };

	/* RFC 3021: /31 and /32 have no broadcast address. */
	if (ip_addr_is_ip4(&p->addr) && p->len < 31)
		a.broadcast = ip_addr_from_ip4(ip_addr_ip4(&p->addr) |
					       (UINT32_MAX >> p->len));
	if (!ip_addr_is_ip4(&p->addr) && ip6_addr_is_link_local(p->addr.a))
		a.scope = RT_SCOPE_LINK;
	return a;
}

static void nl_addr_put_attrs(struct nl_req *r, const struct nl_addr *a)
{
	struct ifa_cacheinfo ci = { .ifa_prefered = a->preferred_s,
				    .ifa_valid = a->valid_s };

	nl_req_put_ip(r, IFA_LOCAL, &a->local.addr);
	nl_req_put_ip(r, IFA_ADDRESS,
		      a->peer.family ? &a->peer : &a->local.addr);
	if (a->broadcast.family)
		nl_req_put_ip(r, IFA_BROADCAST, &a->broadcast);
	if (a->label[0])
		mnl_attr_put_strz(r->h, IFA_LABEL, a->label);
	if (a->metric)
		mnl_attr_put_u32(r->h, IFA_RT_PRIORITY, a->metric);
	if (a->proto)
		mnl_attr_put_u8(r->h, NL_IFA_PROTO, a->proto);
	mnl_attr_put_u32(r->h, IFA_FLAGS, a->flags & NL_ADDR_FLAGS);
	if (a->valid_s != NL_FOREVER || a->preferred_s != NL_FOREVER)
		mnl_attr_put(r->h, IFA_CACHEINFO, sizeof(ci), &ci);
}

static void nl_addr_req(struct nl_req *r, uint16_t type, uint16_t flags,
			const struct nl_addr *a)
{
	struct ifaddrmsg *m = nl_req_init(r, type, flags, sizeof(*m));

	*m = (struct ifaddrmsg){ .ifa_family = (uint8_t)a->local.addr.family,
				 .ifa_prefixlen = a->local.len,
				 .ifa_scope = a->scope,
				 .ifa_index = a->ifindex };
	nl_addr_put_attrs(r, a);
}

static int nl_addr_do(struct nl *nl, struct nl_req *r, const struct nl_addr *a,
		      const char *verb, struct err *e)
{
	char text[PREFIX_STR_LEN];

	return nl_do(nl, r, e, "%s %s on device %u", verb,
		     ip_prefix_format(&a->local, text), a->ifindex);
}

int nl_addr_add(struct nl *nl, const struct nl_addr *a, struct err *e)
{
	struct nl_req r;

	nl_addr_req(&r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, a);
	return nl_addr_do(nl, &r, a, "add address", e);
}

int nl_addr_put(struct nl *nl, const struct nl_addr *a, struct err *e)
{
	struct nl_req r;

	nl_addr_req(&r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, a);
	return nl_addr_do(nl, &r, a, "set address", e);
}

int nl_addr_del(struct nl *nl, const struct nl_addr *a, struct err *e)
{
	struct nl_req r;

	nl_addr_req(&r, RTM_DELADDR, 0, a);
	return nl_addr_do(nl, &r, a, "delete address", e);
}

/* --- neighbours ---------------------------------------------------------- */
bool nl_neigh_parse(const struct nlmsghdr *h, void *item)
{
	const struct ndmsg *m = mnl_nlmsg_get_payload(h);
	struct nl_neigh *out = item;
	const struct nlattr *a;

	if ((h->nlmsg_type != RTM_NEWNEIGH && h->nlmsg_type != RTM_DELNEIGH) ||
	    mnl_nlmsg_get_payload_len(h) < sizeof(*m) ||
	    (m->ndm_family != AF_INET && m->ndm_family != AF_INET6))
		return false;
	*out = (struct nl_neigh){ .ifindex = (uint32_t)m->ndm_ifindex,
				  .state = m->ndm_state,
				  .flags = m->ndm_flags };
	nl_for_each_attr(a, h, sizeof(*m))
		switch (mnl_attr_get_type(a)) {
		case NDA_DST:
			out->addr = nl_attr_ip(a, m->ndm_family);
			break;
		case NDA_LLADDR:
			out->has_mac = mnl_attr_get_payload_len(a) == 6;
			out->mac = nl_attr_eth(a);
			break;
		case NDA_PROTOCOL:
			out->proto = nl_attr_u8(a);
			break;
		case NL_NDA_FLAGS_EXT:
			out->ext_flags = nl_attr_u32(a);
			break;
		}
	return out->addr.family;
}

static struct ndmsg *nl_neigh_req(struct nl_req *r, uint16_t type,
				  uint16_t flags)
{
	return nl_req_init(r, type, flags, sizeof(struct ndmsg));
}

static bool nl_neigh_wants(const struct nl_array *a, const void *item)
{
	const struct nl_neigh *n = item;

	return !a->ifindex || n->ifindex == a->ifindex;
}

int nl_neigh_list(struct nl *nl, uint32_t ifindex, struct nl_neighs *out,
		  struct err *e)
{
	struct nl_array all;
	struct nl_req r;
	int err;

	nl_array_init(&all, sizeof(struct nl_neigh), nl_neigh_parse);
	all.ifindex = ifindex;
	all.wants = nl_neigh_wants;
	nl_neigh_req(&r, RTM_GETNEIGH, NLM_F_DUMP);
	err = nl_array_ask(&all, nl, &r);
	if (!err) {
		nl_neigh_req(&r, RTM_GETNEIGH, NLM_F_DUMP)->ndm_flags =
			NTF_PROXY;
		err = nl_array_ask(&all, nl, &r);
	}
	if (err) {
		nl_array_fini(&all);
		return fail_errno(e, err, "cannot list the neighbours");
	}
	*out = (struct nl_neighs){ all.v, all.n };
	return 0;
}

void nl_neighs_fini(struct nl_neighs *a)
{
	free(a->v);
	*a = (struct nl_neighs){ 0 };
}

static void nl_neigh_put_key(struct nl_req *r, struct ndmsg *m,
			     const struct nl_neigh *n)
{
	m->ndm_family = (uint8_t)n->addr.family;
	m->ndm_ifindex = (int)n->ifindex;
	m->ndm_flags = n->flags;
	nl_req_put_ip(r, NDA_DST, &n->addr);
}

static uint16_t nl_neigh_state(const struct nl_neigh *n)
{
	const uint16_t given = NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE;

	return n->state & given ? n->state & given : NUD_STALE;
}

int nl_neigh_put(struct nl *nl, const struct nl_neigh *n, struct err *e)
{
	char text[IP_STR_LEN];
	struct nl_req r;
	struct ndmsg *m =
		nl_neigh_req(&r, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE);

	nl_neigh_put_key(&r, m, n);
	m->ndm_state = nl_neigh_state(n);
	if (n->has_mac)
		mnl_attr_put(r.h, NDA_LLADDR, sizeof(n->mac.b), n->mac.b);
	if (n->proto)
		mnl_attr_put_u8(r.h, NDA_PROTOCOL, n->proto);
	if (n->ext_flags)
		mnl_attr_put_u32(r.h, NL_NDA_FLAGS_EXT, n->ext_flags);
	return nl_do(nl, &r, e, "set neighbour %s on device %u",
		     ip_addr_format(&n->addr, text), n->ifindex);
}

int nl_neigh_del(struct nl *nl, const struct nl_neigh *n, struct err *e)
{
	char text[IP_STR_LEN];
	struct nl_req r;

	nl_neigh_put_key(&r, nl_neigh_req(&r, RTM_DELNEIGH, 0), n);
	return nl_do(nl, &r, e, "delete neighbour %s on device %u",
		     ip_addr_format(&n->addr, text), n->ifindex);
}
