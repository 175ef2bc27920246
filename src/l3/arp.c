/* SPDX-License-Identifier: Apache-2.0 */
#include "l3/arp.h"

#include "l3/wire.h"
#include "packet/cursor.h"

#define HW_ETHERNET 1u

enum drop arp_decode(const void *arp, uint32_t len, struct arp_msg *out)
{
	struct cursor c = cursor_init(arp, len);
	const struct arp_header *h = cursor_take(&c, sizeof(*h));

	if (!h)
		return DROP_TRUNCATED;
	if (from_be16(h->hw_type) != HW_ETHERNET ||
	    from_be16(h->proto_type) != ETH_TYPE_IP4 || h->hw_len != 6 ||
	    h->proto_len != 4)
		return DROP_MALFORMED;
	*out = (struct arp_msg){
		.op = from_be16(h->op),
		.sha = h->sha,
		.tha = h->tha,
		.spa = from_be32(h->spa),
		.tpa = from_be32(h->tpa),
	};
	if (out->op != ARP_REQUEST && out->op != ARP_REPLY)
		return DROP_MALFORMED;
	return DROP_NONE;
}

static bool is_own(const struct arp_ctx *c, uint32_t ip4)
{
	struct ip_addr a = ip_addr_from_ip4(ip4);

	for (unsigned i = 0; i < c->n_own; i++)
		if (ip_addr_equal(&c->own[i].addr, &a))
			return true;
	return false;
}

/* Who is to be named as the target's holder? False: no answer from here. */
static bool find_answer(const struct arp_msg *m, const struct arp_ctx *c,
			const struct neigh_table *neigh, struct eth_addr *mac)
{
	struct ip_addr target = ip_addr_from_ip4(m->tpa);
	struct neigh_found f;
	struct dep unused;

	if (m->op != ARP_REQUEST || arp_is_gratuitous(m))
		return false;
	if (is_own(c, m->tpa)) {
		*mac = c->mac;
		return true;
	}
	if (!c->for_others || c->from_peer || arp_is_probe(m) || !neigh)
		return false;
	f = neigh_find(neigh, &target, &unused);
	*mac = f.mac;
	return f.usable && !eth_addr_equal(f.mac, m->sha);
}

static enum neigh_news_kind news_kind(const struct arp_msg *m,
				      const struct arp_ctx *c)
{
	if (arp_is_gratuitous(m))
		return NEIGH_CLAIMS;
	if (m->op == ARP_REQUEST)
		return NEIGH_ASKS;
	return eth_addr_equal(m->tha, c->mac) ? NEIGH_ANSWERS : NEIGH_CLAIMS;
}

struct arp_decision arp_decide(const struct arp_msg *m, const struct arp_ctx *c,
			       const struct neigh_table *neigh)
{
	struct arp_decision d = { 0 };

	/* The router itself, on another host. */
	if (c->n_own && eth_addr_equal(m->sha, c->mac))
		return d;
	if (eth_addr_is_multicast(m->sha) || eth_addr_is_zero(m->sha))
		return d;
	d.answer = find_answer(m, c, neigh, &d.answer_mac);
	d.conflict = m->spa && is_own(c, m->spa);
	d.learn = m->spa && !d.conflict;
	d.news = (struct neigh_news){
		.kind = news_kind(m, c),
		.override = true,
		.has_mac = true,
		/* RFC 826: who asks us will be answered, and likely talked to. */
		.create = c->for_others ||
			  (m->op == ARP_REQUEST && is_own(c, m->tpa)),
		.in_port = c->in_port,
		.ip = ip_addr_from_ip4(m->spa),
		.mac = m->sha,
	};
	return d;
}

/* --- writing ------------------------------------------------------------- */

static void put_frame(struct eth_addr dst, const struct arp_msg *m,
		      uint8_t frame[ARP_FRAME_LEN])
{
	struct arp_header h = {
		.hw_type = to_be16(HW_ETHERNET),
		.proto_type = to_be16(ETH_TYPE_IP4),
		.hw_len = 6,
		.proto_len = 4,
		.op = to_be16(m->op),
		.sha = m->sha,
		.spa = to_be32(m->spa),
		.tha = m->tha,
		.tpa = to_be32(m->tpa),
	};
	uint8_t *p;

	memset(frame, 0, ARP_FRAME_LEN);
	p = wire_eth(frame, dst, m->sha, ETH_TYPE_ARP);
	memcpy(p, &h, sizeof(h));
}

void arp_answer(const struct arp_msg *request, struct eth_addr mac,
		uint8_t frame[ARP_FRAME_LEN])
{
	struct arp_msg m = {
		.op = ARP_REPLY,
		.sha = mac,
		.spa = request->tpa,
		.tha = request->sha,
		.tpa = request->spa,
	};

	put_frame(request->sha, &m, frame);
}

void arp_request(struct eth_addr src, uint32_t from, uint32_t target,
		 const struct eth_addr *dst, uint8_t frame[ARP_FRAME_LEN])
{
	static const struct eth_addr broadcast = { { 0xff, 0xff, 0xff, 0xff,
						     0xff, 0xff } };
	struct arp_msg m = {
		.op = ARP_REQUEST,
		.sha = src,
		.spa = from,
		.tpa = target,
	};

	put_frame(dst ? *dst : broadcast, &m, frame);
}
