/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a frame: the key is that of the frame's bytes alone, whatever
 * stands behind them and whatever the key held before; layers lie inside; no
 * field is there without what it belongs to. The first byte of the input picks
 * the kind of packet. */
#include "flow/extract.h"

#include "packet/headers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void packet_over(struct packet *p, uint8_t *bytes, uint32_t len,
			uint8_t kind)
{
	static const uint32_t types[] = { PACKET_TYPE_ETHERNET,
					  PACKET_TYPE_ETHERNET, PACKET_TYPE_IP4,
					  PACKET_TYPE_IP6 };

	memset(p, 0, sizeof(*p));
	p->data = p->buf = bytes;
	p->len = p->cap = len;
	p->in_port = 1;
	p->packet_type = types[kind & 3];
	if (kind & 4)
		p->flags = PACKET_TUNNEL;
	p->tun.id = kind;
}

static void check_layers(const struct packet *p)
{
	must(p->l3 == PACKET_NO_LAYER || p->l3 < p->len);
	must(p->l4 == PACKET_NO_LAYER || (p->l4 < p->len && p->l3 < p->l4));
}

static bool is_nd(const struct flow_key *k)
{
	return k->eth_type == ETH_TYPE_IP6 && k->ip_proto == IP_PROTO_ICMP6 &&
	       (k->tp_src == ICMP6_NS || k->tp_src == ICMP6_NA) && !k->tp_dst;
}

static void check_belongs(const struct flow_key *k)
{
	bool arp = k->eth_type == ETH_TYPE_ARP || k->eth_type == ETH_TYPE_RARP;
	bool ip4 = k->eth_type == ETH_TYPE_IP4;
	bool ip6 = k->eth_type == ETH_TYPE_IP6;

	must(ip4 || arp || (!k->ip4_src && !k->ip4_dst));
	must(ip6 || (ip6_addr_is_zero(k->ip6_src) &&
		     ip6_addr_is_zero(k->ip6_dst) && !k->ip6_label));
	must(ip4 || ip6 || (!k->ip_proto && !k->ip_tos && !k->ip_ttl));
	must(ip4 || ip6 || (!k->ip_frag && !k->tp_src && !k->tp_dst));
	must(!(k->ip_frag & KEY_FRAG_LATER) || (!k->tp_src && !k->tp_dst));
	must(k->ip_proto == IP_PROTO_TCP || !k->tcp_flags);
	must(arp || is_nd(k) ||
	     (eth_addr_is_zero(k->arp_sha) && eth_addr_is_zero(k->arp_tha)));
	must(is_nd(k) || (ip6_addr_is_zero(k->nd_target) && !k->nd_options &&
			  !k->nd_reserved));
	must(arp || !k->arp_op);
}

/* A plain packet has a short way to its key, a tagged one has not: a tag more
 * changes nothing but the tags. */
static void check_tagged(const struct packet *p, const struct flow_key *key)
{
	static const uint8_t tag[VLAN_HEADER_LEN] = { 0x81, 0, 0, 5 };
	uint32_t len = p->len + VLAN_HEADER_LEN;
	struct flow_key tagged;
	struct packet q = *p;

	if (p->packet_type || key->vlan[1].tpid ||
	    eth_type_is_vlan(key->eth_type))
		return;
	q.data = q.buf = xmalloc(len);
	q.len = q.cap = len;
	memcpy(q.data, p->data, 12);
	memcpy(q.data + 12, tag, sizeof(tag));
	memcpy(q.data + 12 + sizeof(tag), p->data + 12, p->len - 12);
	flow_key_init(&tagged);
	must(flow_extract(&q, &tagged) == DROP_NONE);
	must(tagged.vlan[0].tpid == ETH_TYPE_VLAN);
	must(!memcmp(&tagged.vlan[1], &key->vlan[0], sizeof(key->vlan[0])));
	memcpy(tagged.vlan, key->vlan, sizeof(tagged.vlan));
	must(!memcmp(&tagged, key, sizeof(tagged)));
	must(q.l4 == PACKET_NO_LAYER ? p->l4 == PACKET_NO_LAYER :
				       q.l4 == p->l4 + VLAN_HEADER_LEN);
	free(q.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct flow_key key, again;
	struct packet p, q;
	uint8_t *longer, *exact;
	uint32_t len;
	enum drop d;

	if (!size || size > 65536)
		return 0;
	len = (uint32_t)size - 1;
	exact = xmalloc(MAX(len, 1u));
	longer = xmalloc(len + 64);
	memcpy(exact, data + 1, len);
	memcpy(longer, data + 1, len);
	memset(longer + len, data[0], 64);
	packet_over(&p, exact, len, data[0]);
	packet_over(&q, longer, len, data[0]);
	flow_key_init(&key);
	d = flow_extract(&p, &key);
	/* A key that served another packet. */
	flow_key_init(&again);
	memset(&again, 0xa5, KEY_PACKET_WORDS * 8);
	again.tun_id = 1;
	must(flow_extract(&q, &again) == d);
	if (d == DROP_NONE) {
		must(!memcmp(&key, &again, sizeof(key)));
		must(p.l3 == q.l3 && p.l4 == q.l4);
		check_layers(&p);
		check_belongs(&key);
		check_tagged(&p, &key);
	}
	free(exact);
	free(longer);
	return 0;
}
