/* SPDX-License-Identifier: Apache-2.0 */
#include "packet/print.h"

#include <stdio.h>

#include "packet/cursor.h"
#include "packet/headers.h"
#include "packet/ip_view.h"
#include "packet/outer.h"

#define SAP_SNAP 0xaau
#define PROTO_ETHERNET 0x6558u

/* A line under construction. */
struct print {
	struct str *out;
	unsigned depth; /* tunnels gone through */
};

static void print_frame(struct print *w, struct cursor c);

static void print_cut(struct print *w)
{
	str_add(w->out, " [cut short]");
}

static void print_eth(struct print *w, struct eth_addr a)
{
	char text[ETH_STR_LEN];

	str_add(w->out, eth_addr_format(a, text));
}

static void print_ip4(struct print *w, uint32_t a)
{
	char text[IP_STR_LEN];

	str_add(w->out, ip4_format(a, text));
}

static void print_ip6(struct print *w, struct ip6_addr a)
{
	char text[IP_STR_LEN];

	str_add(w->out, ip6_addr_format(a, text));
}

/* 192.0.2.1:80, [2001:db8::1]:80; without a port when it is negative. */
static void print_endpoint(struct print *w, const struct ip_addr *a, int port)
{
	bool brackets = port >= 0 && !ip_addr_is_ip4(a);
	char text[IP_STR_LEN];

	str_addf(w->out, brackets ? "[%s]" : "%s", ip_addr_format(a, text));
	if (port >= 0)
		str_addf(w->out, ":%d", port);
}

static void print_endpoints(struct print *w, const struct ip_view *v, int src,
			    int dst)
{
	print_endpoint(w, &v->src, src);
	str_add(w->out, " > ");
	print_endpoint(w, &v->dst, dst);
}

/* --- transport --- */

static void print_tcp(struct print *w, const struct ip_view *v, struct cursor c)
{
	static const char letters[] = "FSRP.UEW";
	const struct tcp_header *t = cursor_take(&c, sizeof(*t));
	uint32_t header;

	if (!t) {
		print_endpoints(w, v, -1, -1);
		str_add(w->out, " TCP");
		print_cut(w);
		return;
	}
	print_endpoints(w, v, from_be16(t->src), from_be16(t->dst));
	str_add(w->out, " TCP [");
	for (unsigned i = 0; i < 8; i++)
		if (t->flags >> i & 1)
			str_add_char(w->out, letters[i]);
	str_addf(w->out, "] seq %u", from_be32(t->seq));
	if (t->flags & TCP_ACK)
		str_addf(w->out, " ack %u", from_be32(t->ack));
	header = tcp_header_len(t);
	str_addf(w->out, " win %u", from_be16(t->window));
	if (header < sizeof(*t) || !cursor_skip(&c, header - sizeof(*t)))
		print_cut(w);
	else
		str_addf(w->out, " data %zu", cursor_left(&c));
}

static void print_inner(struct print *w, struct cursor c)
{
	if (++w->depth > PRINT_DEPTH) {
		str_add(w->out, " ...");
		return;
	}
	str_add(w->out, " { ");
	print_frame(w, c);
	str_add(w->out, " }");
}

static void print_vxlan(struct print *w, struct cursor c)
{
	const void *h = cursor_take(&c, VXLAN_HEADER_LEN);
	uint32_t vni;

	str_add(w->out, " VXLAN");
	if (!h || !vxlan_decode(h, VXLAN_HEADER_LEN, &vni)) {
		str_add(w->out, h ? " [malformed]" : " [cut short]");
		return;
	}
	str_addf(w->out, " vni %u", vni);
	print_inner(w, c);
}

static void print_geneve(struct print *w, struct cursor c)
{
	uint8_t first = cursor_u8(&c), options = (first & 0x3fu) * 4u;
	uint16_t type;
	uint32_t vni;

	cursor_skip(&c, 1);
	type = cursor_u16(&c);
	vni = cursor_u32(&c) >> 8;
	cursor_skip(&c, options);
	str_add(w->out, " Geneve");
	if (c.failed) {
		print_cut(w);
		return;
	}
	str_addf(w->out, " vni %u", vni);
	if (options)
		str_addf(w->out, " options %u", options);
	if (type == PROTO_ETHERNET)
		print_inner(w, c);
	else
		str_addf(w->out, " type 0x%04x", type);
}

static void print_udp(struct print *w, const struct ip_view *v, struct cursor c)
{
	const struct udp_header *u = cursor_take(&c, sizeof(*u));
	uint16_t dst;

	if (!u) {
		print_endpoints(w, v, -1, -1);
		str_add(w->out, " UDP");
		print_cut(w);
		return;
	}
	dst = from_be16(u->dst);
	print_endpoints(w, v, from_be16(u->src), dst);
	str_addf(w->out, " UDP data %zu", cursor_left(&c));
	if (dst == PORT_VXLAN)
		print_vxlan(w, c);
	else if (dst == PORT_GENEVE)
		print_geneve(w, c);
}

static void print_sctp(struct print *w, const struct ip_view *v,
		       struct cursor c)
{
	const struct sctp_header *s = cursor_take(&c, sizeof(*s));

	if (s)
		print_endpoints(w, v, from_be16(s->src), from_be16(s->dst));
	else
		print_endpoints(w, v, -1, -1);
	str_add(w->out, " SCTP");
	if (!s)
		print_cut(w);
}

static void print_gre(struct print *w, struct cursor c)
{
	uint16_t flags = cursor_u16(&c), type = cursor_u16(&c);

	str_add(w->out, " GRE");
	if (flags & GRE_F_CSUM)
		cursor_skip(&c, 4);
	if (flags & GRE_F_KEY)
		str_addf(w->out, " key %u", cursor_u32(&c));
	if (flags & GRE_F_SEQ)
		str_addf(w->out, " seq %u", cursor_u32(&c));
	if (c.failed)
		print_cut(w);
	else if (type == PROTO_ETHERNET && !(flags & GRE_VERSION))
		print_inner(w, c);
	else
		str_addf(w->out, " type 0x%04x", type);
}

/* --- ICMP --- */

struct icmp_name {
	uint8_t type;
	const char *name;
};

static const struct icmp_name icmp_names[] = {
	{ 0, "echo reply" },     { 3, "unreachable" },
	{ 4, "source quench" },  { 5, "redirect" },
	{ 8, "echo request" },   { 9, "router advertisement" },
	{ 11, "time exceeded" }, { 12, "parameter problem" },
};

static const struct icmp_name icmp6_names[] = {
	{ 1, "unreachable" },
	{ 2, "packet too big" },
	{ 3, "time exceeded" },
	{ 4, "parameter problem" },
	{ 128, "echo request" },
	{ 129, "echo reply" },
	{ 130, "listener query" },
	{ 131, "listener report" },
	{ 132, "listener done" },
	{ 133, "router solicitation" },
	{ 134, "router advertisement" },
	{ 135, "neighbour solicitation" },
	{ 136, "neighbour advertisement" },
	{ 137, "redirect" },
	{ 143, "listener report v2" },
};

static void print_icmp_name(struct print *w, const struct icmp_name *names,
			    size_t n, const struct icmp_header *h)
{
	for (size_t i = 0; i < n; i++)
		if (names[i].type == h->type) {
			str_addf(w->out, " %s", names[i].name);
			if (h->code)
				str_addf(w->out, " code %u", h->code);
			return;
		}
	str_addf(w->out, " type %u code %u", h->type, h->code);
}

static void print_echo(struct print *w, const struct icmp_header *h)
{
	uint32_t rest = from_be32(h->rest);

	str_addf(w->out, " id %u seq %u", rest >> 16, rest & 0xffffu);
}

static void print_icmp4(struct print *w, struct cursor c)
{
	const struct icmp_header *h = cursor_take(&c, sizeof(*h));

	str_add(w->out, " ICMP");
	if (!h) {
		print_cut(w);
		return;
	}
	print_icmp_name(w, icmp_names, ARRAY_SIZE(icmp_names), h);
	if (h->type == ICMP_ECHO_REQUEST || h->type == ICMP_ECHO_REPLY)
		print_echo(w, h);
	else if (h->type == 3 && h->code == 4)
		str_addf(w->out, " mtu %u", from_be32(h->rest) & 0xffffu);
}

static void print_target(struct print *w, struct cursor c)
{
	struct ip6_addr target;

	cursor_copy(&c, &target, sizeof(target));
	if (c.failed) {
		print_cut(w);
		return;
	}
	str_add(w->out, " of ");
	print_ip6(w, target);
}

static void print_icmp6(struct print *w, struct cursor c)
{
	const struct icmp_header *h = cursor_take(&c, sizeof(*h));

	str_add(w->out, " ICMPv6");
	if (!h) {
		print_cut(w);
		return;
	}
	print_icmp_name(w, icmp6_names, ARRAY_SIZE(icmp6_names), h);
	if (h->type == ICMP6_ECHO_REQUEST || h->type == ICMP6_ECHO_REPLY)
		print_echo(w, h);
	else if (h->type == ICMP6_NS || h->type == ICMP6_NA)
		print_target(w, c);
	else if (h->type == 2)
		str_addf(w->out, " mtu %u", from_be32(h->rest));
}

/* --- layer 3 --- */

static void print_payload(struct print *w, const struct ip_view *v)
{
	struct cursor c = cursor_init(v->payload, v->payload_len);

	switch (v->proto) {
	case IP_PROTO_TCP:
		print_tcp(w, v, c);
		return;
	case IP_PROTO_UDP:
		print_udp(w, v, c);
		return;
	case IP_PROTO_SCTP:
		print_sctp(w, v, c);
		return;
	}
	print_endpoints(w, v, -1, -1);
	if (v->proto == IP_PROTO_ICMP)
		print_icmp4(w, c);
	else if (v->proto == IP_PROTO_ICMP6)
		print_icmp6(w, c);
	else if (v->proto == IP_PROTO_GRE)
		print_gre(w, c);
	else
		str_addf(w->out, " protocol %u", v->proto);
}

static void print_ip(struct print *w, struct cursor c)
{
	uint32_t len = (uint32_t)cursor_left(&c);
	const uint8_t *ip = cursor_peek(&c, 1);
	struct ip_view v;
	enum drop d;

	d = ip ? ip_view_read(ip, len, &v) : DROP_TRUNCATED;
	if (d != DROP_NONE) {
		str_addf(w->out, "IP [%s]",
			 d == DROP_TRUNCATED ? "cut short" : "malformed");
		return;
	}
	if (v.is_later_fragment) {
		print_endpoints(w, &v, -1, -1);
		str_addf(w->out, " protocol %u later fragment", v.proto);
		return;
	}
	print_payload(w, &v);
	if (v.is_fragment)
		str_add(w->out, " first fragment");
	if (v.ttl <= 1)
		str_addf(w->out, " ttl %u", v.ttl);
}

static void print_arp(struct print *w, struct cursor c)
{
	const struct arp_header *a = cursor_take(&c, sizeof(*a));
	uint16_t op;

	str_add(w->out, "ARP");
	if (!a) {
		print_cut(w);
		return;
	}
	op = from_be16(a->op);
	if (op == 1) {
		str_add(w->out, " who has ");
		print_ip4(w, from_be32(a->tpa));
		str_add(w->out, " tell ");
		print_ip4(w, from_be32(a->spa));
	} else if (op == 2) {
		str_add(w->out, " ");
		print_ip4(w, from_be32(a->spa));
		str_add(w->out, " is at ");
		print_eth(w, a->sha);
	} else {
		str_addf(w->out, " operation %u", op);
	}
}

static void print_mpls(struct print *w, struct cursor c)
{
	uint32_t lse = 0;

	str_add(w->out, "MPLS");
	for (unsigned i = 0; i < PRINT_LABELS && !(lse & 0x100u); i++) {
		lse = cursor_u32(&c);
		if (c.failed) {
			print_cut(w);
			return;
		}
		str_addf(w->out, " label %u ttl %u", lse >> 12, lse & 0xffu);
	}
	if (!(lse & 0x100u))
		str_add(w->out, " ...");
}

/* --- layer 2 --- */

static void print_type(struct print *w, uint16_t type, struct cursor c)
{
	if (type == ETH_TYPE_IP4 || type == ETH_TYPE_IP6)
		print_ip(w, c);
	else if (type == ETH_TYPE_ARP)
		print_arp(w, c);
	else if (eth_type_is_mpls(type))
		print_mpls(w, c);
	else
		str_addf(w->out, "type 0x%04x data %zu", type, cursor_left(&c));
}

/* A length instead of a type: IEEE 802.2. */
static void print_llc(struct print *w, uint16_t len, struct cursor c)
{
	uint8_t dsap, ssap;
	uint16_t type;

	if (len <= cursor_left(&c))
		c = cursor_sub(&c, len);
	dsap = cursor_u8(&c);
	ssap = cursor_u8(&c);
	cursor_skip(&c, 1);
	if (c.failed) {
		str_add(w->out, "LLC");
		print_cut(w);
	} else if (dsap == SAP_SNAP && ssap == SAP_SNAP &&
		   cursor_left(&c) >= 5) {
		cursor_skip(&c, 3);
		type = cursor_u16(&c);
		str_add(w->out, "SNAP ");
		print_type(w, type, c);
	} else {
		str_addf(w->out, "LLC 0x%02x > 0x%02x data %zu", ssap, dsap,
			 cursor_left(&c));
	}
}

static uint16_t print_tag(struct print *w, uint16_t tpid, struct cursor *c)
{
	uint16_t tci = cursor_u16(c), type = cursor_u16(c);

	if (c->failed)
		return 0;
	str_addf(w->out, "%s %u", tpid == ETH_TYPE_VLAN ? "vlan" : "svlan",
		 tci & 0xfffu);
	if (tci >> 13)
		str_addf(w->out, " pcp %u", tci >> 13);
	str_add(w->out, ", ");
	return type;
}

static void print_frame(struct print *w, struct cursor c)
{
	const struct eth_header *eth = cursor_take(&c, sizeof(*eth));
	uint16_t type;

	if (!eth) {
		str_add(w->out, "Ethernet");
		print_cut(w);
		return;
	}
	print_eth(w, eth->src);
	str_add(w->out, " > ");
	print_eth(w, eth->dst);
	str_add(w->out, ", ");
	type = from_be16(eth->type);
	for (unsigned i = 0; i < PRINT_TAGS && eth_type_is_vlan(type); i++) {
		type = print_tag(w, type, &c);
		if (c.failed) {
			str_add(w->out, "vlan");
			print_cut(w);
			return;
		}
	}
	if (type < ETH_TYPE_MIN)
		print_llc(w, type, c);
	else
		print_type(w, type, c);
}

void packet_format(const void *bytes, uint32_t len, uint32_t packet_type,
		   struct str *out)
{
	struct print w = { .out = out };
	size_t start = out->len;

	if (packet_type == PACKET_TYPE_ETHERNET)
		print_frame(&w, cursor_init(bytes, len));
	else
		print_ip(&w, cursor_init(bytes, len));
	str_addf(out, ", %u bytes", len);
	if (out->len - start > PRINT_MAX)
		str_truncate(out, start + PRINT_MAX);
}
