/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/fib_rules.h>
#include <stdio.h>

#include "sys/nl_message.h"

static void nl_rule_parse_attr(const struct nlattr *a, struct nl_rule *r)
{
	switch (mnl_attr_get_type(a)) {
	case FRA_DST:
		r->dst.addr = nl_attr_ip(a, r->family);
		break;
	case FRA_SRC:
		r->src.addr = nl_attr_ip(a, r->family);
		break;
	case FRA_IIFNAME:
		nl_attr_name(a, r->iif);
		break;
	case FRA_OIFNAME:
		nl_attr_name(a, r->oif);
		break;
	case FRA_PRIORITY:
		r->priority = nl_attr_u32(a);
		break;
	case FRA_TABLE:
		r->table = nl_attr_u32(a);
		break;
	case FRA_FWMARK:
		r->fwmark = nl_attr_u32(a);
		break;
	case FRA_FWMASK:
		r->fwmask = nl_attr_u32(a);
		break;
	}
}

bool nl_rule_parse(const struct nlmsghdr *h, void *item)
{
	const struct fib_rule_hdr *m = mnl_nlmsg_get_payload(h);
	uint32_t len = (uint32_t)mnl_nlmsg_get_payload_len(h);
	struct nl_rule *r = item;
	const struct nlattr *a;

	if (h->nlmsg_type != RTM_NEWRULE || len < sizeof(*m) ||
	    (m->family != AF_INET && m->family != AF_INET6))
		return false;
	*r = (struct nl_rule){ .family = m->family,
			       .table = m->table,
			       .action = m->action,
			       .dst.len = m->dst_len,
			       .src.len = m->src_len };
	r->raw = (struct nl_raw){ xmemdup(m, len), len };
	nl_for_each_attr(a, h, sizeof(*m))
		nl_rule_parse_attr(a, r);
	return true;
}

static void nl_rule_fini_item(void *item)
{
	nl_raw_fini(&((struct nl_rule *)item)->raw);
}

static int nl_rule_dump(struct nl *nl, uint8_t family, struct nl_array *a)
{
	struct nl_req r;
	struct fib_rule_hdr *m =
		nl_req_init(&r, RTM_GETRULE, NLM_F_DUMP, sizeof(*m));

	m->family = family;
	return nl_array_ask(a, nl, &r);
}

int nl_rule_list(struct nl *nl, struct nl_rules *out, struct err *e)
{
	struct nl_array a;
	int err;

	nl_array_init(&a, sizeof(struct nl_rule), nl_rule_parse);
	a.fini = nl_rule_fini_item;
	err = nl_rule_dump(nl, AF_INET, &a);
	if (!err)
		err = nl_rule_dump(nl, AF_INET6, &a);
	/* A kernel without policy routing, or without IPv6: no such rules. */
	if (err == -EOPNOTSUPP || err == -EAFNOSUPPORT)
		err = 0;
	if (err) {
		nl_array_fini(&a);
		return fail_errno(e, err, "cannot list the routing rules");
	}
	*out = (struct nl_rules){ a.v, a.n };
	return 0;
}

void nl_rules_fini(struct nl_rules *r)
{
	for (size_t i = 0; i < r->n; i++)
		nl_raw_fini(&r->v[i].raw);
	free(r->v);
	*r = (struct nl_rules){ 0 };
}

static bool nl_name_swap(char name[NL_NAME_MAX], const char *from,
			 const char *to)
{
	if (strcmp(name, from))
		return false;
	snprintf(name, NL_NAME_MAX, "%s", to);
	return true;
}

bool nl_rule_retarget(struct nl_rule *r, const char *from, const char *to)
{
	bool iif = nl_name_swap(r->iif, from, to);
	bool oif = nl_name_swap(r->oif, from, to);

	return iif || oif;
}

/* The raw message with the names as the members have them. */
static int nl_rule_req(struct nl_req *req, uint16_t type, uint16_t flags,
		       const struct nl_rule *r)
{
	struct fib_rule_hdr *m = nl_req_init(req, type, flags, sizeof(*m));
	const void *p = (const char *)r->raw.data + sizeof(*m);
	size_t len = r->raw.len - sizeof(*m);
	const struct nlattr *attr;

	memcpy(m, r->raw.data, sizeof(*m));
	/* "Device not there now" and the like are the kernel's findings. */
	m->flags &= FIB_RULE_INVERT;
	nl_for_each_in(attr, p, len) {
		uint16_t t = mnl_attr_get_type(attr);

		if (t != FRA_IIFNAME && t != FRA_OIFNAME &&
		    !mnl_attr_put_check(req->h, NL_REQ_MAX - 64, attr->nla_type,
					mnl_attr_get_payload_len(attr),
					mnl_attr_get_payload(attr)))
			return -EMSGSIZE;
	}
	if (r->iif[0])
		mnl_attr_put_strz(req->h, FRA_IIFNAME, r->iif);
	if (r->oif[0])
		mnl_attr_put_strz(req->h, FRA_OIFNAME, r->oif);
	return 0;
}

int nl_rule_add(struct nl *nl, const struct nl_rule *r, struct err *e)
{
	struct nl_req req;
	int err = nl_rule_req(&req, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, r);

	if (err)
		return fail_errno(e, err, "routing rule %u", r->priority);
	return nl_do(nl, &req, e, "add routing rule %u", r->priority);
}

int nl_rule_del(struct nl *nl, const struct nl_rule *r, struct err *e)
{
	struct nl_req req;
	int err = nl_rule_req(&req, RTM_DELRULE, 0, r);

	if (err)
		return fail_errno(e, err, "routing rule %u", r->priority);
	return nl_do(nl, &req, e, "delete routing rule %u", r->priority);
}
