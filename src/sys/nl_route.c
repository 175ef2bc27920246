/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/nl_route.h"

#include "base/be.h"
#include "base/str.h"
#include "sys/nl_message.h"

/* A nexthop object's id; older headers lack the name. */
#define NL_RTA_NH_ID 30

/* The wishes among the flags; the others are the kernel's findings, and it
 * refuses to be told them. */
#define NL_HOP_FLAGS (RTNH_F_ONLINK | RTNH_F_PERVASIVE)
#define NL_CLOCK_TICKS_PER_S 100u /* USER_HZ, the ABI's clock_t */

/* A route's message and how to walk it. */
static struct rtmsg *nl_route_header(const struct nl_raw *raw)
{
	return raw->data;
}

#define nl_raw_for_each(a, raw, head)                                          \
	for ((a) = (void *)((char *)(raw)->data + MNL_ALIGN(head));            \
	     mnl_attr_ok((a), (int)((char *)(raw)->data + (raw)->len -         \
				    (char *)(a)));                             \
	     (a) = mnl_attr_next(a))

static struct nl_raw nl_raw_of(const struct nlmsghdr *h)
{
	uint32_t len = (uint32_t)mnl_nlmsg_get_payload_len(h);

	return (struct nl_raw){ xmemdup(mnl_nlmsg_get_payload(h), len), len };
}

/* --- multipath: a list of hops in one attribute --------------------------- */
/* The next hop at *at, which is stepped past it; NULL at the end. */
static struct rtnexthop *nl_hop_next(const struct nlattr *a, size_t *at)
{
	size_t left = mnl_attr_get_payload_len(a);
	struct rtnexthop *hop = (void *)((char *)mnl_attr_get_payload(a) + *at);

	if (*at + sizeof(*hop) > left || hop->rtnh_len < sizeof(*hop) ||
	    hop->rtnh_len > left - *at)
		return NULL;
	*at += RTNH_ALIGN(hop->rtnh_len);
	return hop;
}

/* --- parsing ------------------------------------------------------------- */
static struct ip_addr nl_route_via(const struct nlattr *a)
{
	const struct rtvia *via = mnl_attr_get_payload(a);
	size_t len = mnl_attr_get_payload_len(a);
	struct ip6_addr ip6;

	if (len == sizeof(*via) + 4 && via->rtvia_family == AF_INET)
		return ip_addr_from_ip4(get_be32(via->rtvia_addr));
	if (len != sizeof(*via) + 16 || via->rtvia_family != AF_INET6)
		return (struct ip_addr){ 0 };
	memcpy(ip6.b, via->rtvia_addr, sizeof(ip6.b));
	return ip_addr_from_ip6(ip6);
}

static void nl_route_parse_first_hop(const struct rtnexthop *hop,
				     struct nl_route *r)
{
	const void *p = RTNH_DATA(hop);
	size_t len = hop->rtnh_len - sizeof(*hop);
	const struct nlattr *attr;

	r->oif = (uint32_t)hop->rtnh_ifindex;
	nl_for_each_in(attr, p, len) {
		if (mnl_attr_get_type(attr) == RTA_GATEWAY)
			r->gateway = nl_attr_ip(attr, r->family);
		else if (mnl_attr_get_type(attr) == RTA_VIA)
			r->gateway = nl_route_via(attr);
	}
}

static void nl_route_parse_hops(const struct nlattr *a, struct nl_route *r)
{
	const struct rtnexthop *hop;
	size_t at = 0;

	r->n_hops = 0;
	while ((hop = nl_hop_next(a, &at)))
		if (!r->n_hops++)
			nl_route_parse_first_hop(hop, r);
}

static void nl_route_parse_metrics(const struct nlattr *metrics,
				   struct nl_route *r)
{
	const struct nlattr *a;

	nl_for_each_nested(a, metrics) {
		if (mnl_attr_get_type(a) == RTAX_MTU)
			r->mtu = nl_attr_u32(a);
	}
}

static void nl_route_parse_cacheinfo(const struct nlattr *a, struct nl_route *r)
{
	struct rta_cacheinfo ci;

	if (mnl_attr_get_payload_len(a) < sizeof(ci))
		return;
	memcpy(&ci, mnl_attr_get_payload(a), sizeof(ci));
	if (ci.rta_expires > 0)
		r->expires_s = DIV_ROUND_UP((uint32_t)ci.rta_expires,
					    NL_CLOCK_TICKS_PER_S);
}

/* A flat table of attributes. */
static void nl_route_parse_attr(const struct nlattr *a, struct nl_route *r)
{
	switch (mnl_attr_get_type(a)) {
	case RTA_DST:
		r->dst.addr = nl_attr_ip(a, r->family);
		break;
	case RTA_SRC:
		r->src.addr = nl_attr_ip(a, r->family);
		break;
	case RTA_GATEWAY:
		r->gateway = nl_attr_ip(a, r->family);
		break;
	case RTA_VIA:
		r->gateway = nl_route_via(a);
		break;
	case RTA_PREFSRC:
		r->prefsrc = nl_attr_ip(a, r->family);
		break;
	case RTA_OIF:
		r->oif = nl_attr_u32(a);
		break;
	case RTA_TABLE:
		r->table = nl_attr_u32(a);
		break;
	case RTA_PRIORITY:
		r->metric = nl_attr_u32(a);
		break;
	case RTA_PREF:
		r->pref = nl_attr_u8(a);
		break;
	case NL_RTA_NH_ID:
		r->nexthop_id = nl_attr_u32(a);
		break;
	case RTA_METRICS:
		nl_route_parse_metrics(a, r);
		break;
	case RTA_MULTIPATH:
		nl_route_parse_hops(a, r);
		break;
	case RTA_CACHEINFO:
		nl_route_parse_cacheinfo(a, r);
		break;
	}
}

static struct ip_addr nl_ip_any(uint16_t family)
{
	return family == AF_INET ? ip_addr_from_ip4(0) :
				   ip_addr_from_ip6((struct ip6_addr){ { 0 } });
}

static void nl_route_read(struct nl_route *r)
{
	const struct rtmsg *m = nl_route_header(&r->raw);
	struct nlattr *a;

	r->family = m->rtm_family;
	r->dst = (struct ip_prefix){ nl_ip_any(r->family), m->rtm_dst_len };
	r->src = (struct ip_prefix){ nl_ip_any(r->family), m->rtm_src_len };
	r->table = m->rtm_table;
	r->type = m->rtm_type;
	r->scope = m->rtm_scope;
	r->proto = m->rtm_protocol;
	r->n_hops = 1;
	nl_raw_for_each(a, &r->raw, sizeof(*m))
		nl_route_parse_attr(a, r);
}

bool nl_route_parse(const struct nlmsghdr *h, void *item)
{
	const struct rtmsg *m = mnl_nlmsg_get_payload(h);
	struct nl_route *r = item;

	if ((h->nlmsg_type != RTM_NEWROUTE && h->nlmsg_type != RTM_DELROUTE) ||
	    mnl_nlmsg_get_payload_len(h) < sizeof(*m) ||
	    (m->rtm_family != AF_INET && m->rtm_family != AF_INET6) ||
	    m->rtm_flags & RTM_F_CLONED)
		return false;
	*r = (struct nl_route){ .raw = nl_raw_of(h) };
	nl_route_read(r);
	return true;
}

void nl_route_fini(struct nl_route *r)
{
	nl_raw_fini(&r->raw);
}

static void nl_route_fini_item(void *item)
{
	nl_route_fini(item);
}

struct nl_route nl_route_copy(const struct nl_route *r)
{
	struct nl_route copy = *r;

	copy.raw.data = xmemdup(r->raw.data, r->raw.len);
	return copy;
}

/* --- lists --------------------------------------------------------------- */
static bool nl_route_wants(const struct nl_array *a, const void *item)
{
	return !a->ifindex || nl_route_names(item, a->ifindex);
}

static int nl_route_dump(struct nl *nl, uint8_t family, struct nl_array *a)
{
	struct nl_req r;
	struct rtmsg *m = nl_req_init(&r, RTM_GETROUTE, NLM_F_DUMP, sizeof(*m));

	m->rtm_family = family;
	/* The kernel filters where it can (4.20); wants() makes it certain. */
	if (a->ifindex)
		mnl_attr_put_u32(r.h, RTA_OIF, a->ifindex);
	return nl_array_ask(a, nl, &r);
}

/* Directly connected ones first (R2), otherwise in the kernel's order. */
static void nl_route_sort(struct nl_route *v, size_t n)
{
	struct nl_route *sorted = xcalloc(MAX(n, 1u), sizeof(*sorted));
	size_t at = 0;

	for (size_t i = 0; i < n; i++)
		if (!v[i].gateway.family)
			sorted[at++] = v[i];
	for (size_t i = 0; i < n; i++)
		if (v[i].gateway.family)
			sorted[at++] = v[i];
	if (n)
		memcpy(v, sorted, n * sizeof(*v));
	free(sorted);
}

int nl_route_list(struct nl *nl, uint32_t ifindex, struct nl_routes *out,
		  struct err *e)
{
	struct nl_array a;
	int err;

	nl_array_init(&a, sizeof(struct nl_route), nl_route_parse);
	a.fini = nl_route_fini_item;
	a.wants = nl_route_wants;
	a.ifindex = ifindex;
	err = nl_route_dump(nl, AF_INET, &a);
	if (!err)
		err = nl_route_dump(nl, AF_INET6, &a);
	/* IPv6 switched off at boot: no such routes. */
	if (err == -EOPNOTSUPP || err == -EAFNOSUPPORT)
		err = 0;
	if (err) {
		nl_array_fini(&a);
		return fail_errno(e, err, "cannot list the routes");
	}
	nl_route_sort(a.v, a.n);
	*out = (struct nl_routes){ a.v, a.n };
	return 0;
}

void nl_routes_fini(struct nl_routes *r)
{
	for (size_t i = 0; i < r->n; i++)
		nl_route_fini(&r->v[i]);
	free(r->v);
	*r = (struct nl_routes){ 0 };
}

/* --- building and changing ----------------------------------------------- */
struct nl_route nl_route_plain(const struct ip_prefix *dst,
			       const struct ip_addr *via, uint32_t oif)
{
	bool direct = !via || !via->family;
	struct ip_prefix net = ip_prefix_network(dst);
	struct nl_route r = { 0 };
	struct nl_req req;
	struct rtmsg *m = nl_req_init(&req, RTM_NEWROUTE, 0, sizeof(*m));

	*m = (struct rtmsg){
		.rtm_family = (uint8_t)dst->addr.family,
		.rtm_dst_len = dst->len,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_STATIC,
		.rtm_scope = direct && dst->addr.family == AF_INET ?
				     RT_SCOPE_LINK :
				     RT_SCOPE_UNIVERSE,
		.rtm_type = RTN_UNICAST,
	};
	if (dst->len)
		nl_req_put_ip(&req, RTA_DST, &net.addr);
	if (!direct)
		nl_req_put_ip(&req, RTA_GATEWAY, via);
	mnl_attr_put_u32(req.h, RTA_OIF, oif);
	r.raw = nl_raw_of(req.h);
	nl_route_read(&r);
	return r;
}

/* Takes every attribute of a type out of the raw copy. */
static void nl_raw_drop(struct nl_raw *raw, size_t head, uint16_t type)
{
	struct nl_raw kept = { xmemdup(raw->data, raw->len),
			       (uint32_t)MNL_ALIGN(head) };
	struct nlattr *a;

	nl_raw_for_each(a, raw, head) {
		size_t len = MNL_ALIGN(mnl_attr_get_len(a));

		if (mnl_attr_get_type(a) == type)
			continue;
		memcpy((char *)kept.data + kept.len, a, mnl_attr_get_len(a));
		kept.len += (uint32_t)len;
	}
	nl_raw_fini(raw);
	*raw = kept;
}

static bool nl_retarget_u32(struct nlattr *a, uint32_t from, uint32_t to)
{
	if (mnl_attr_get_payload_len(a) < sizeof(to) || nl_attr_u32(a) != from)
		return false;
	memcpy(mnl_attr_get_payload(a), &to, sizeof(to));
	return true;
}

static bool nl_retarget_hops(struct nlattr *a, uint32_t from, uint32_t to)
{
	struct rtnexthop *hop;
	bool changed = false;
	size_t at = 0;

	while ((hop = nl_hop_next(a, &at))) {
		if ((uint32_t)hop->rtnh_ifindex != from)
			continue;
		hop->rtnh_ifindex = (int)to;
		changed = true;
	}
	return changed;
}

bool nl_route_retarget(struct nl_route *r, uint32_t from, uint32_t to)
{
	bool changed = false;
	struct nlattr *a;

	nl_raw_for_each(a, &r->raw, sizeof(struct rtmsg)) {
		uint16_t type = mnl_attr_get_type(a);

		if (type == RTA_OIF || type == RTA_IIF)
			changed |= nl_retarget_u32(a, from, to);
		else if (type == RTA_MULTIPATH)
			changed |= nl_retarget_hops(a, from, to);
	}
	if (!changed)
		return false;
	if (r->nexthop_id)
		nl_raw_drop(&r->raw, sizeof(struct rtmsg), NL_RTA_NH_ID);
	r->nexthop_id = 0;
	nl_route_read(r);
	return true;
}

bool nl_route_names(const struct nl_route *r, uint32_t ifindex)
{
	const struct rtnexthop *hop;
	struct nlattr *a;
	size_t at = 0;

	if (r->oif == ifindex)
		return true;
	nl_raw_for_each(a, &r->raw, sizeof(struct rtmsg)) {
		if (mnl_attr_get_type(a) != RTA_MULTIPATH)
			continue;
		while ((hop = nl_hop_next(a, &at)))
			if ((uint32_t)hop->rtnh_ifindex == ifindex)
				return true;
	}
	return false;
}

bool nl_route_is_automatic(const struct nl_route *r)
{
	return r->proto == RTPROT_KERNEL;
}

static bool nl_route_skips(const struct nl_route *r, uint16_t type)
{
	if (type == RTA_CACHEINFO)
		return true;
	/* The object stands for its hops; both together are refused. */
	if (!r->nexthop_id)
		return false;
	return type == RTA_OIF || type == RTA_GATEWAY || type == RTA_VIA ||
	       type == RTA_MULTIPATH || type == RTA_ENCAP ||
	       type == RTA_ENCAP_TYPE;
}

static void nl_clean_hops(struct nlattr *a)
{
	struct rtnexthop *hop;
	size_t at = 0;

	while ((hop = nl_hop_next(a, &at)))
		hop->rtnh_flags &= NL_HOP_FLAGS;
}

/* The route's own message as a request. */
static int nl_route_req(struct nl_req *req, uint16_t type, uint16_t flags,
			const struct nl_route *r)
{
	struct rtmsg *m = nl_req_init(req, type, flags, sizeof(*m));
	struct nlattr *a;

	*m = *nl_route_header(&r->raw);
	m->rtm_flags &= NL_HOP_FLAGS;
	nl_raw_for_each(a, &r->raw, sizeof(*m)) {
		struct nlattr *put = mnl_nlmsg_get_payload_tail(req->h);

		if (nl_route_skips(r, mnl_attr_get_type(a)))
			continue;
		if (!mnl_attr_put_check(req->h, NL_REQ_MAX - 64, a->nla_type,
					mnl_attr_get_payload_len(a),
					mnl_attr_get_payload(a)))
			return -EMSGSIZE;
		if (mnl_attr_get_type(a) == RTA_MULTIPATH)
			nl_clean_hops(put);
	}
	if (type == RTM_NEWROUTE && r->expires_s && r->family == AF_INET6)
		mnl_attr_put_u32(req->h, RTA_EXPIRES, r->expires_s);
	return 0;
}

static int nl_route_do(struct nl *nl, struct nl_req *req,
		       const struct nl_route *r, const char *verb,
		       struct err *e)
{
	char dst[PREFIX_STR_LEN], via[IP_STR_LEN];
	struct str what = STR_INIT;
	int err;

	str_addf(&what, "%s route %s", verb, ip_prefix_format(&r->dst, dst));
	if (r->gateway.family)
		str_addf(&what, " via %s", ip_addr_format(&r->gateway, via));
	if (r->oif)
		str_addf(&what, " on device %u", r->oif);
	err = nl_do(nl, req, e, "%s in table %u", str_text(&what), r->table);
	str_fini(&what);
	return err;
}

static int nl_route_too_long(struct err *e)
{
	return fail_say(e, EMSGSIZE,
			"a route has more next hops than one "
			"request can carry");
}

int nl_route_add(struct nl *nl, const struct nl_route *r, struct err *e)
{
	struct nl_req req;

	if (nl_route_req(&req, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, r))
		return nl_route_too_long(e);
	return nl_route_do(nl, &req, r, "add", e);
}

int nl_route_put(struct nl *nl, const struct nl_route *r, struct err *e)
{
	struct nl_req req;

	if (nl_route_req(&req, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, r))
		return nl_route_too_long(e);
	return nl_route_do(nl, &req, r, "set", e);
}

int nl_route_del(struct nl *nl, const struct nl_route *r, struct err *e)
{
	struct nl_req req;

	if (nl_route_req(&req, RTM_DELROUTE, 0, r))
		return nl_route_too_long(e);
	return nl_route_do(nl, &req, r, "delete", e);
}
