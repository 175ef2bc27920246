/* SPDX-License-Identifier: Apache-2.0 */
#include "l3/nd.h"

#include "l3/wire.h"
#include "packet/ip_view.h"

#define OPT_SOURCE 1u
#define OPT_TARGET 2u
#define NA_ROUTER 0x80u
#define NA_SOLICITED 0x40u
#define NA_OVERRIDE 0x20u
#define ND_NS_LEN 24u
#define ND_WITH_ADDR_LEN (ND_NS_LEN + 8u)
_Static_assert(ND_FRAME_LEN ==
		       ETH_HEADER_LEN + IP6_HEADER_LEN + ND_WITH_ADDR_LEN,
	       "an NS or NA with one address");

static const struct ip6_addr all_nodes = { { 0xff, 0x02, [15] = 1 } };

/* --- reading ------------------------------------------------------------- */

/* Options up to the end; false when one has length 0 or is cut. */
static bool read_options(struct cursor *c, struct nd_msg *m)
{
	for (unsigned n = 0; cursor_left(c) && n < ND_MAX_OPTIONS; n++) {
		uint8_t type = cursor_u8(c), words = cursor_u8(c);
		struct cursor o;

		if (c->failed || !words)
			return false;
		o = cursor_sub(c, words * 8u - 2u);
		if (o.failed)
			return false;
		if (type == OPT_SOURCE && words == 1) {
			cursor_copy(&o, m->source.b, 6);
			m->has_source = true;
		} else if (type == OPT_TARGET && words == 1) {
			cursor_copy(&o, m->target_mac.b, 6);
			m->has_target = true;
		}
	}
	return true;
}

/* What stands between the ICMPv6 header and the options. */
static void read_fixed(struct cursor *c, struct nd_msg *m)
{
	uint8_t flags;

	switch (m->type) {
	case ND_RS:
		cursor_skip(c, 4);
		break;
	case ND_RA:
		cursor_skip(c, 2);
		m->ra_lifetime_s = cursor_u16(c);
		cursor_skip(c, 8);
		break;
	case ND_NA:
		flags = cursor_u8(c);
		m->na_router = flags & NA_ROUTER;
		m->na_solicited = flags & NA_SOLICITED;
		m->na_override = flags & NA_OVERRIDE;
		cursor_skip(c, 3);
		cursor_copy(c, m->target.b, 16);
		break;
	case ND_NS:
		cursor_skip(c, 4);
		cursor_copy(c, m->target.b, 16);
		break;
	case ND_REDIRECT:
		cursor_skip(c, 4);
		cursor_copy(c, m->target.b, 16);
		cursor_skip(c, 16);
		break;
	}
}

static bool is_solicited_node(struct ip6_addr a)
{
	static const struct ip6_addr group = {
		{ 0xff, 0x02, [11] = 0x01, [12] = 0xff }
	};

	return !memcmp(a.b, group.b, 13);
}

/* RFC 4861 6.1.1, 6.1.2, 7.1.1, 7.1.2, 8.1: what each type has to obey. */
static bool msg_is_valid(const struct nd_msg *m)
{
	bool from_nobody = ip6_addr_is_zero(m->src);

	if (ip6_addr_is_multicast(m->src) ||
	    (m->has_source && eth_addr_is_multicast(m->source)) ||
	    (m->has_target && eth_addr_is_multicast(m->target_mac)))
		return false;
	switch (m->type) {
	case ND_RS:
		return !from_nobody || !m->has_source;
	case ND_RA:
		return ip6_addr_is_link_local(m->src);
	case ND_NS:
		return !ip6_addr_is_multicast(m->target) &&
		       (!from_nobody ||
			(is_solicited_node(m->dst) && !m->has_source));
	case ND_NA:
		return !from_nobody && !ip6_addr_is_multicast(m->target) &&
		       (!ip6_addr_is_multicast(m->dst) || !m->na_solicited);
	}
	return ip6_addr_is_link_local(m->src);
}

enum drop nd_decode(const void *ip6, uint32_t len, bool check_csum,
		    struct nd_msg *out)
{
	struct ip_view v;
	enum drop d = ip_view_read(ip6, len, &v);
	struct cursor c;
	uint8_t code;

	*out = (struct nd_msg){ 0 };
	if (d != DROP_NONE)
		return d;
	if (ip_addr_is_ip4(&v.src) || v.proto != IP_PROTO_ICMP6 ||
	    v.is_later_fragment)
		return DROP_UNSUPPORTED;
	c = cursor_init(v.payload, v.payload_len);
	out->type = cursor_u8(&c);
	code = cursor_u8(&c);
	cursor_skip(&c, 2);
	out->src = v.src.a;
	out->dst = v.dst.a;
	if (out->type < ND_RS || out->type > ND_REDIRECT)
		return DROP_UNSUPPORTED;
	if (v.cut || c.failed)
		return DROP_TRUNCATED;
	/* No fragments: RFC 6980. */
	if (v.ttl != ND_HOP_LIMIT || code || v.is_fragment)
		return DROP_MALFORMED;
	if (check_csum &&
	    !wire_icmp6_is_right(v.payload, v.payload_len, out->src, out->dst))
		return DROP_IP_CSUM;
	read_fixed(&c, out);
	if (c.failed)
		return DROP_TRUNCATED;
	return read_options(&c, out) && msg_is_valid(out) ? DROP_NONE :
							    DROP_MALFORMED;
}

/* --- deciding ------------------------------------------------------------ */

static bool is_own(const struct nd_ctx *c, struct ip6_addr a)
{
	struct ip_addr addr = ip_addr_from_ip6(a);

	for (unsigned i = 0; i < c->n_own; i++)
		if (ip_addr_equal(&c->own[i].addr, &addr))
			return true;
	return false;
}

static bool is_router_mac(const struct nd_ctx *c, struct eth_addr mac)
{
	return c->n_own && eth_addr_equal(mac, c->mac);
}

static void set_news(struct nd_decision *d, enum neigh_news_kind kind,
		     struct ip6_addr ip, const struct nd_ctx *c)
{
	d->learn = true;
	d->news = (struct neigh_news){
		.kind = kind,
		.override = true,
		.create = c->for_others,
		.in_port = c->in_port,
		.ip = ip_addr_from_ip6(ip),
	};
}

static void set_news_mac(struct nd_decision *d, struct eth_addr mac)
{
	d->news.has_mac = true;
	d->news.mac = mac;
}

static void answer_for_other(const struct nd_msg *m, const struct nd_ctx *c,
			     const struct neigh_table *neigh,
			     struct nd_decision *d)
{
	struct ip_addr target = ip_addr_from_ip6(m->target);
	struct neigh_found f;
	struct dep unused;

	if (!c->for_others || c->from_peer || nd_is_dad(m) || !neigh)
		return;
	f = neigh_find(neigh, &target, &unused);
	if (!f.usable || (m->has_source && eth_addr_equal(f.mac, m->source)))
		return;
	d->answer = true;
	d->answer_mac = f.mac;
	d->answer_router = f.router;
}

static void decide_ns(const struct nd_msg *m, const struct nd_ctx *c,
		      const struct neigh_table *neigh, struct nd_decision *d)
{
	bool own = is_own(c, m->target);

	/* The router itself, on another host. */
	if (m->has_source && is_router_mac(c, m->source))
		return;
	if (own) {
		d->answer = d->answer_router = d->answer_override = true;
		d->answer_mac = c->mac;
	} else {
		answer_for_other(m, c, neigh, d);
	}
	if (nd_is_dad(m)) {
		d->conflict = own;
		return;
	}
	if (!m->has_source)
		return;
	if (is_own(c, m->src)) {
		d->conflict = true;
		return;
	}
	set_news(d, NEIGH_ASKS, m->src, c);
	set_news_mac(d, m->source);
	d->news.create |= own;
}

static void decide_na(const struct nd_msg *m, const struct nd_ctx *c,
		      struct nd_decision *d)
{
	bool for_us = m->na_solicited && is_own(c, m->dst);

	if (m->has_target && is_router_mac(c, m->target_mac))
		return;
	if (is_own(c, m->target)) {
		d->conflict = m->has_target;
		return;
	}
	set_news(d, for_us ? NEIGH_ANSWERS : NEIGH_CLAIMS, m->target, c);
	d->news.override = m->na_override;
	d->news.router = m->na_router;
	if (m->has_target)
		set_news_mac(d, m->target_mac);
}

/* RS and RA: who sends one is there. */
static void decide_other(const struct nd_msg *m, const struct nd_ctx *c,
			 struct nd_decision *d)
{
	if (!m->has_source || ip6_addr_is_zero(m->src) || is_own(c, m->src) ||
	    is_router_mac(c, m->source))
		return;
	set_news(d, NEIGH_ASKS, m->src, c);
	set_news_mac(d, m->source);
	d->news.router = m->type == ND_RA;
}

struct nd_decision nd_decide(const struct nd_msg *m, const struct nd_ctx *c,
			     const struct neigh_table *neigh)
{
	struct nd_decision d = { 0 };

	switch (m->type) {
	case ND_NS:
		decide_ns(m, c, neigh, &d);
		break;
	case ND_NA:
		decide_na(m, c, &d);
		break;
	case ND_RS:
		d.solicits_ra = true;
		decide_other(m, c, &d);
		break;
	case ND_RA:
		decide_other(m, c, &d);
		break;
	}
	return d;
}

/* --- writing ------------------------------------------------------------- */

/* An NS or NA: flags are the upper byte behind the checksum. */
static void put_message(uint8_t *p, uint8_t type, uint8_t flags,
			struct ip6_addr target, struct eth_addr mac)
{
	p[0] = type;
	p[4] = flags;
	memcpy(p + 8, target.b, 16);
	p[24] = type == ND_NS ? OPT_SOURCE : OPT_TARGET;
	p[25] = 1;
	memcpy(p + 26, mac.b, 6);
}

void nd_answer(const struct nd_msg *m, const struct nd_decision *d,
	       struct eth_addr to, uint8_t frame[ND_FRAME_LEN])
{
	bool dad = nd_is_dad(m);
	struct ip6_addr dst = dad ? all_nodes : m->src;
	uint8_t flags = (uint8_t)((d->answer_router ? NA_ROUTER : 0) |
				  (d->answer_override ? NA_OVERRIDE : 0) |
				  (dad ? 0 : NA_SOLICITED));
	uint8_t *p;

	memset(frame, 0, ND_FRAME_LEN);
	p = wire_eth(frame, dad ? ip6_addr_multicast_mac(dst) : to,
		     d->answer_mac, ETH_TYPE_IP6);
	p = wire_ip6(p, m->target, dst, ND_HOP_LIMIT, ND_WITH_ADDR_LEN);
	put_message(p, ND_NA, flags, m->target, d->answer_mac);
	wire_icmp6_csum(p, ND_WITH_ADDR_LEN, m->target, dst);
}

void nd_solicit(struct eth_addr src, struct ip6_addr from,
		struct ip6_addr target, const struct eth_addr *dst,
		uint8_t frame[ND_FRAME_LEN])
{
	struct ip6_addr to = dst ? target : ip6_addr_solicited_node(target);
	uint8_t *p;

	memset(frame, 0, ND_FRAME_LEN);
	p = wire_eth(frame, dst ? *dst : ip6_addr_multicast_mac(to), src,
		     ETH_TYPE_IP6);
	p = wire_ip6(p, from, to, ND_HOP_LIMIT, ND_WITH_ADDR_LEN);
	put_message(p, ND_NS, 0, target, src);
	wire_icmp6_csum(p, ND_WITH_ADDR_LEN, from, to);
}
