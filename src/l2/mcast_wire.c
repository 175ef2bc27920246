/* SPDX-License-Identifier: Apache-2.0 */
#include "l2/mcast_wire.h"

#include <sys/socket.h>

#include "packet/checksum.h"
#include "packet/ip_view.h"

#define IGMP_QUERY 0x11u
#define IGMP1_REPORT 0x12u
#define IGMP2_REPORT 0x16u
#define IGMP2_LEAVE 0x17u
#define IGMP3_REPORT 0x22u
#define MLD_QUERY 130u
#define MLD1_REPORT 131u
#define MLD1_DONE 132u
#define MLD2_REPORT 143u

/* Record types of IGMPv3 and MLDv2 (RFC 3376 4.2.12). */
#define RECORD_IS_INCLUDE 1u
#define RECORD_IS_EXCLUDE 2u
#define RECORD_TO_INCLUDE 3u
#define RECORD_TO_EXCLUDE 4u
#define RECORD_ALLOW 5u
#define RECORD_BLOCK 6u

bool mcast_group_is_local(const struct ip_addr *group)
{
	if (ip_addr_is_ip4(group))
		return ip_addr_ip4(group) >> 8 == 0xe00000;
	/* Scopes: 1 interface, 2 link (RFC 7346 2). */
	return (group->a.b[1] & 0xf) <= 2;
}

static bool group_is_valid(const struct ip_addr *g)
{
	return ip_addr_is_ip4(g) ? ip_addr_ip4(g) >> 28 == 0xe :
				   ip6_addr_is_multicast(g->a);
}

/* --- reading ------------------------------------------------------------- */

static struct ip_addr read_addr(struct cursor *c, uint16_t family)
{
	struct ip6_addr a = { { 0 } };

	if (family == AF_INET)
		return ip_addr_from_ip4(cursor_u32(c));
	cursor_copy(c, a.b, sizeof(a.b));
	return ip_addr_from_ip6(a);
}

static void add_change(struct mcast_msg *m, const struct ip_addr *group,
		       bool joins)
{
	if (m->n_changes == MCAST_MAX_CHANGES || !group_is_valid(group))
		return;
	m->changes[m->n_changes++] = (struct mcast_change){ *group, joins };
}

/* What a record means for the port as a whole. */
static void add_record(struct mcast_msg *m, const struct ip_addr *group,
		       uint8_t type, unsigned n_sources)
{
	switch (type) {
	case RECORD_IS_EXCLUDE:
	case RECORD_TO_EXCLUDE:
		add_change(m, group, true);
		break;
	case RECORD_IS_INCLUDE:
	case RECORD_ALLOW:
		if (n_sources)
			add_change(m, group, true);
		break;
	case RECORD_TO_INCLUDE:
		add_change(m, group, n_sources);
		break;
	}
}

/* Behind the count of records. */
static bool read_records(struct cursor *c, struct mcast_msg *m, unsigned n)
{
	size_t addr_len = m->family == AF_INET ? 4 : 16;

	for (; n && !c->failed; n--) {
		uint8_t type = cursor_u8(c), aux_words = cursor_u8(c);
		uint16_t n_sources = cursor_u16(c);
		struct ip_addr group = read_addr(c, m->family);

		cursor_skip(c, n_sources * addr_len + aux_words * 4u);
		if (!c->failed)
			add_record(m, &group, type, n_sources);
	}
	return !c->failed;
}

static enum mcast_rx read_query(struct cursor *c, struct mcast_msg *m)
{
	struct ip_addr group = read_addr(c, m->family);

	if (c->failed)
		return MCAST_BAD;
	if (group_is_valid(&group))
		m->group = group;
	return MCAST_QUERY;
}

static enum mcast_rx read_simple(struct cursor *c, struct mcast_msg *m,
				 bool joins)
{
	struct ip_addr group = read_addr(c, m->family);

	if (c->failed || !group_is_valid(&group))
		return MCAST_BAD;
	add_change(m, &group, joins);
	return MCAST_REPORT;
}

static enum mcast_rx read_report(struct cursor *c, struct mcast_msg *m)
{
	unsigned n;

	cursor_skip(c, 2);
	n = cursor_u16(c);
	return read_records(c, m, n) ? MCAST_REPORT : MCAST_BAD;
}

static enum mcast_rx decode_igmp(const struct ip_view *v, struct mcast_msg *m)
{
	struct cursor c = cursor_init(v->payload, v->payload_len);
	uint8_t type = cursor_u8(&c);

	cursor_skip(&c, 3);
	if (c.failed || v->cut || v->is_fragment || v->ttl != 1 ||
	    checksum(v->payload, v->payload_len))
		return MCAST_BAD;
	switch (type) {
	case IGMP_QUERY:
		return read_query(&c, m);
	case IGMP1_REPORT:
	case IGMP2_REPORT:
		return read_simple(&c, m, true);
	case IGMP2_LEAVE:
		return read_simple(&c, m, false);
	case IGMP3_REPORT:
		return read_report(&c, m);
	}
	return MCAST_OTHER;
}

static bool mld_is_sound(const struct ip_view *v, uint8_t type)
{
	uint64_t sum = checksum_pseudo6(v->src.a, v->dst.a, IP_PROTO_ICMP6,
					v->payload_len);
	uint16_t folded =
		checksum_fold(checksum_add(sum, v->payload, v->payload_len));
	bool from_nobody = ip6_addr_is_zero(v->src.a) && type != MLD_QUERY;

	return !v->cut && !v->is_fragment && v->ttl == 1 && folded == 0xffff &&
	       (from_nobody || ip6_addr_is_link_local(v->src.a));
}

static enum mcast_rx decode_icmp6(const struct ip_view *v, struct mcast_msg *m)
{
	struct cursor c = cursor_init(v->payload, v->payload_len);
	uint8_t type = cursor_u8(&c);

	if (type != MLD_QUERY && type != MLD1_REPORT && type != MLD1_DONE &&
	    type != MLD2_REPORT)
		return MCAST_OTHER;
	cursor_skip(&c, 3);
	if (c.failed || !mld_is_sound(v, type))
		return MCAST_BAD;
	if (type == MLD2_REPORT)
		return read_report(&c, m);
	cursor_skip(&c, 4); /* maximum response delay, reserved */
	if (type == MLD_QUERY)
		return read_query(&c, m);
	return read_simple(&c, m, type == MLD1_REPORT);
}

void mcast_decode(const void *ip, uint32_t len, struct mcast_msg *m)
{
	struct ip_view v;

	m->kind = MCAST_BAD;
	m->n_changes = 0;
	m->group = (struct ip_addr){ 0 };
	if (ip_view_read(ip, len, &v) != DROP_NONE)
		return;
	m->src = v.src;
	m->family = v.src.family;
	m->kind = MCAST_OTHER;
	if (m->family == AF_INET && v.proto == IP_PROTO_IGMP)
		m->kind = decode_igmp(&v, m);
	else if (m->family == AF_INET6 && v.proto == IP_PROTO_ICMP6 &&
		 !v.is_later_fragment)
		m->kind = decode_icmp6(&v, m);
	if (m->kind != MCAST_REPORT)
		m->n_changes = 0;
}

/* --- our own queries ----------------------------------------------------- */

/* 8.8 and 4.1.1 of RFC 3376: values up to 127 stand for themselves. */
#define RESPONSE_TENTHS (MCAST_RESPONSE_MS / 100)
#define LAST_MEMBER_TENTHS (MCAST_LAST_MEMBER_MS / 100)
_Static_assert(RESPONSE_TENTHS < 128, "no floating point needed");
#define QQIC 125u
#define ROUTER_ALERT4 0x94040000u
#define IP4_WITH_ALERT_LEN 24u
#define IGMP3_QUERY_LEN 12u
#define MLD2_QUERY_LEN 28u
#define HOPOPTS_LEN 8u

static uint8_t *put_eth(uint8_t *p, struct eth_addr dst, struct eth_addr src,
			uint16_t type)
{
	memcpy(p, dst.b, 6);
	memcpy(p + 6, src.b, 6);
	put_be16(p + 12, type);
	return p + ETH_HEADER_LEN;
}

static struct eth_addr group_mac4(uint32_t group)
{
	return eth_addr_from_u64(0x01005e000000ull | (group & 0x7fffff));
}

static void put_igmp3_query(uint8_t *p, uint32_t group)
{
	p[0] = IGMP_QUERY;
	p[1] = group ? LAST_MEMBER_TENTHS : RESPONSE_TENTHS;
	put_be32(p + 4, group);
	p[8] = MCAST_ROBUSTNESS;
	p[9] = QQIC;
	put_be16(p + 2, checksum(p, IGMP3_QUERY_LEN));
}

static void build_query4(const struct mcast_config *c, uint32_t group,
			 struct mcast_frame *out)
{
	uint32_t dst = group ? group : 0xe0000001u; /* all systems */
	uint8_t *ip =
		put_eth(out->bytes, group_mac4(dst), c->mac, ETH_TYPE_IP4);

	ip[0] = 0x40 | IP4_WITH_ALERT_LEN / 4;
	ip[1] = 0xc0; /* Internetwork control (RFC 3376 4) */
	put_be16(ip + 2, IP4_WITH_ALERT_LEN + IGMP3_QUERY_LEN);
	ip[8] = 1;
	ip[9] = IP_PROTO_IGMP;
	put_be32(ip + 12, c->ip4);
	put_be32(ip + 16, dst);
	put_be32(ip + 20, ROUTER_ALERT4);
	put_be16(ip + 10, checksum(ip, IP4_WITH_ALERT_LEN));
	put_igmp3_query(ip + IP4_WITH_ALERT_LEN, group);
	out->len = ETH_HEADER_LEN + IP4_WITH_ALERT_LEN + IGMP3_QUERY_LEN;
}

static void put_mld2_query(uint8_t *p, struct ip6_addr src, struct ip6_addr dst,
			   const struct ip6_addr *group)
{
	uint64_t sum =
		checksum_pseudo6(src, dst, IP_PROTO_ICMP6, MLD2_QUERY_LEN);

	p[0] = MLD_QUERY;
	put_be16(p + 4, group ? MCAST_LAST_MEMBER_MS : MCAST_RESPONSE_MS);
	if (group)
		memcpy(p + 8, group->b, 16);
	p[24] = MCAST_ROBUSTNESS;
	p[25] = QQIC;
	sum = checksum_add(sum, p, MLD2_QUERY_LEN);
	put_be16(p + 2, (uint16_t)~checksum_fold(sum));
}

static void build_query6(const struct mcast_config *c,
			 const struct ip6_addr *group, struct mcast_frame *out)
{
	static const struct ip6_addr all_nodes = { { 0xff,
						     0x02, [15] = 0x01 } };
	/* Router alert for MLD, padded (RFC 2711, RFC 3810 5). */
	static const uint8_t hopopts[HOPOPTS_LEN] = {
		IP_PROTO_ICMP6, 0, 5, 2, 0, 0, 1, 0
	};
	struct ip6_addr dst = group ? *group : all_nodes;
	struct ip6_addr src =
		ip6_addr_is_zero(c->ip6) ? ip6_addr_link_local(c->mac) : c->ip6;
	uint8_t *ip = put_eth(out->bytes, ip6_addr_multicast_mac(dst), c->mac,
			      ETH_TYPE_IP6);

	put_be32(ip, 0x60000000u);
	put_be16(ip + 4, HOPOPTS_LEN + MLD2_QUERY_LEN);
	ip[6] = IP_PROTO_HOPOPTS;
	ip[7] = 1;
	memcpy(ip + 8, src.b, 16);
	memcpy(ip + 24, dst.b, 16);
	memcpy(ip + IP6_HEADER_LEN, hopopts, sizeof(hopopts));
	put_mld2_query(ip + IP6_HEADER_LEN + HOPOPTS_LEN, src, dst, group);
	out->len =
		ETH_HEADER_LEN + IP6_HEADER_LEN + HOPOPTS_LEN + MLD2_QUERY_LEN;
}

void mcast_query_build(const struct mcast_config *c, uint16_t family,
		       const struct ip_addr *group, struct mcast_frame *out)
{
	memset(out, 0, sizeof(*out));
	if (family == AF_INET)
		build_query4(c, group ? ip_addr_ip4(group) : 0, out);
	else
		build_query6(c, group ? &group->a : NULL, out);
}
