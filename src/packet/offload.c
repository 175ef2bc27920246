/* SPDX-License-Identifier: Apache-2.0 */
#include "packet/offload.h"

#include "packet/checksum.h"
#include "packet/cursor.h"
#include "packet/headers.h"

#define TAGS_MAX 4u
/* So far in that headers pushed in front never carry it over 16 bits. */
#define CSUM_START_MAX (0xffffu - PACKET_HEADROOM)

/* Where the frame's layer 3 starts and what it is; false when it is not IP. */
static bool find_l3(const struct packet *p, uint32_t *l3, uint16_t *type)
{
	struct cursor c = cursor_init(p->data, p->len);

	if (p->packet_type != PACKET_TYPE_ETHERNET) {
		*l3 = 0;
		*type = (uint16_t)p->packet_type;
		return p->len > 0;
	}
	cursor_skip(&c, 12);
	*type = cursor_u16(&c);
	for (unsigned i = 0; i < TAGS_MAX && eth_type_is_vlan(*type); i++) {
		cursor_skip(&c, 2);
		*type = cursor_u16(&c);
	}
	*l3 = (uint32_t)(c.at - p->data);
	return !c.failed && (*type == ETH_TYPE_IP4 || *type == ETH_TYPE_IP6);
}

/* Transport protocol and offset; false for fragments and what is cut short. */
static bool find_l4(const struct packet *p, uint32_t l3, uint16_t type,
		    uint32_t *l4, uint8_t *proto)
{
	struct cursor c = cursor_init(p->data + l3, p->len - l3);

	if (type == ETH_TYPE_IP4) {
		const struct ip4_header *ip = cursor_take(&c, IP4_HEADER_LEN);

		if (!ip || ip->version_ihl >> 4 != 4 ||
		    ip4_header_len(ip) < IP4_HEADER_LEN ||
		    from_be16(ip->frag) & (IP4_MF | IP4_OFFSET_MASK))
			return false;
		cursor_skip(&c, ip4_header_len(ip) - IP4_HEADER_LEN);
		*proto = ip->proto;
	} else {
		const struct ip6_header *ip = cursor_take(&c, IP6_HEADER_LEN);

		if (!ip || from_be32(ip->flow) >> 28 != 6)
			return false;
		*proto = ip->next;
		for (unsigned i = 0;
		     i < IP6_MAX_EXTENSIONS &&
		     (*proto == IP_PROTO_HOPOPTS ||
		      *proto == IP_PROTO_DSTOPTS || *proto == IP_PROTO_ROUTING);
		     i++) {
			*proto = cursor_u8(&c);
			cursor_skip(&c, 8u * cursor_u8(&c) + 6u);
		}
	}
	*l4 = (uint32_t)(c.at - p->data);
	return !c.failed;
}

static enum drop set_csum(struct packet *p, uint32_t start, uint32_t offset)
{
	if (start < IP4_HEADER_LEN || start > CSUM_START_MAX)
		return DROP_MALFORMED;
	p->csum_start = (uint16_t)start;
	p->csum_offset = (uint16_t)offset;
	p->flags |= PACKET_CSUM_PARTIAL;
	return packet_csum_fits(p) ? DROP_NONE : DROP_MALFORMED;
}

static enum gso_type gso_of(uint8_t vnet_type, uint16_t l3_type, uint8_t proto)
{
	bool ip4 = l3_type == ETH_TYPE_IP4;

	switch (vnet_type) {
	case VNET_GSO_TCP4:
		return ip4 && proto == IP_PROTO_TCP ? GSO_TCP4 : GSO_NONE;
	case VNET_GSO_TCP6:
		return !ip4 && proto == IP_PROTO_TCP ? GSO_TCP6 : GSO_NONE;
	case VNET_GSO_UDP_L4:
		if (proto != IP_PROTO_UDP)
			return GSO_NONE;
		return ip4 ? GSO_UDP4 : GSO_UDP6;
	default:
		return GSO_NONE;
	}
}

/* A segment must have all its headers in front of some payload, and a checksum
 * that is finished per segment where the transport has it. */
static bool gso_is_sound(const struct packet *p, uint32_t l4)
{
	bool tcp = p->gso_type == GSO_TCP4 || p->gso_type == GSO_TCP6;
	uint32_t header = UDP_HEADER_LEN, offset = 6;

	if (tcp) {
		const struct tcp_header *h = (const void *)(p->data + l4);

		if (p->len < l4 + TCP_HEADER_LEN)
			return false;
		header = tcp_header_len(h);
		offset = 16;
		if (header < TCP_HEADER_LEN)
			return false;
	}
	return p->len > l4 + header && p->flags & PACKET_CSUM_PARTIAL &&
	       p->csum_start == l4 && p->csum_offset == offset;
}

static void clear_gso(struct packet *p)
{
	p->gso_type = GSO_NONE;
	p->gso_size = 0;
	p->gso_ecn = false;
}

/* A device that merged what it had verified (LRO) hands over segments with the
 * first one's checksum. Each that is cut needs its own: it becomes unfinished. */
static void redo_csum(struct packet *p, uint32_t l3, uint32_t l4, uint8_t proto)
{
	const uint8_t *ip = p->data + l3;
	uint32_t len = p->len - l4;
	struct ip6_addr src, dst;
	uint64_t sum;

	if (ip[0] >> 4 == 4) {
		sum = checksum_pseudo4(get_be32(ip + 12), get_be32(ip + 16),
				       proto, len);
	} else {
		memcpy(src.b, ip + 8, sizeof(src.b));
		memcpy(dst.b, ip + 24, sizeof(dst.b));
		sum = checksum_pseudo6(src, dst, proto, len);
	}
	if (set_csum(p, l4, proto == IP_PROTO_TCP ? 16 : 6) != DROP_NONE)
		return;
	put_be16(p->data + l4 + p->csum_offset, checksum_fold(sum));
	p->flags &= ~(uint32_t)PACKET_CSUM_VALID;
}

static enum drop set_gso(struct packet *p, const struct vnet_header *h)
{
	uint8_t type = h->gso_type & (uint8_t)~VNET_GSO_ECN, proto;
	uint32_t l3, l4;
	uint16_t l3_type;

	if (!h->gso_size || !find_l3(p, &l3, &l3_type) ||
	    !find_l4(p, l3, l3_type, &l4, &proto))
		return DROP_MALFORMED;
	p->gso_type = (uint8_t)gso_of(type, l3_type, proto);
	p->gso_size = h->gso_size;
	p->gso_ecn = h->gso_type & VNET_GSO_ECN;
	if (p->flags & PACKET_CSUM_VALID && p->gso_type != GSO_NONE)
		redo_csum(p, l3, l4, proto);
	if (p->gso_type == GSO_NONE || !gso_is_sound(p, l4) ||
	    (p->gso_ecn && proto != IP_PROTO_TCP))
		return DROP_MALFORMED;
	p->l3 = (uint16_t)l3;
	p->l4 = (uint16_t)l4;
	/* The kernel refuses to cut what makes one segment only. */
	if (p->len - packet_gso_header_len(p) <= p->gso_size)
		clear_gso(p);
	return DROP_NONE;
}

static void clear_offload(struct packet *p)
{
	p->flags &= ~(uint32_t)(PACKET_CSUM_PARTIAL | PACKET_CSUM_VALID);
	clear_gso(p);
}

enum drop packet_offload_from_vnet(struct packet *p,
				   const struct vnet_header *h)
{
	enum drop d = DROP_NONE;

	if (likely(!h->flags && h->gso_type == VNET_GSO_NONE))
		return DROP_NONE;
	if (h->flags & VNET_F_NEEDS_CSUM)
		d = set_csum(p, h->csum_start, h->csum_offset);
	else if (h->flags & VNET_F_DATA_VALID)
		p->flags |= PACKET_CSUM_VALID;
	if (d == DROP_NONE && h->gso_type != VNET_GSO_NONE)
		d = set_gso(p, h);
	if (d != DROP_NONE)
		clear_offload(p);
	return d;
}

uint32_t packet_gso_header_len(const struct packet *p)
{
	const struct tcp_header *tcp = (const void *)(p->data + p->csum_start);

	if (p->gso_type == GSO_TCP4 || p->gso_type == GSO_TCP6)
		return p->csum_start + tcp_header_len(tcp);
	return p->csum_start + UDP_HEADER_LEN;
}

void packet_offload_to_vnet(const struct packet *p, struct vnet_header *h)
{
	static const uint8_t types[] = {
		[GSO_NONE] = VNET_GSO_NONE,   [GSO_TCP4] = VNET_GSO_TCP4,
		[GSO_TCP6] = VNET_GSO_TCP6,   [GSO_UDP4] = VNET_GSO_UDP_L4,
		[GSO_UDP6] = VNET_GSO_UDP_L4,
	};

	*h = (struct vnet_header){ 0 };
	if (p->flags & PACKET_CSUM_PARTIAL) {
		h->flags = VNET_F_NEEDS_CSUM;
		h->csum_start = p->csum_start;
		h->csum_offset = p->csum_offset;
	} else if (p->flags & PACKET_CSUM_VALID) {
		h->flags = VNET_F_DATA_VALID;
	}
	if (!packet_is_gso(p))
		return;
	h->gso_type = types[p->gso_type];
	if (p->gso_ecn)
		h->gso_type |= VNET_GSO_ECN;
	h->gso_size = p->gso_size;
	h->hdr_len = (uint16_t)packet_gso_header_len(p);
}

uint32_t packet_l3_len_max(const struct packet *p)
{
	uint32_t header;

	if (p->l3 == PACKET_NO_LAYER || p->l3 >= p->len)
		return 0;
	if (!packet_is_gso(p))
		return p->len - p->l3;
	header = packet_gso_header_len(p);
	return header - p->l3 + MIN(p->gso_size, p->len - header);
}

static uint32_t gso_cap(const struct packet *p)
{
	static const uint32_t caps[] = {
		[GSO_TCP4] = OFFLOAD_TSO4,
		[GSO_TCP6] = OFFLOAD_TSO6,
		[GSO_UDP4] = OFFLOAD_USO4,
		[GSO_UDP6] = OFFLOAD_USO6,
	};
	uint32_t need = caps[p->gso_type] | OFFLOAD_CSUM;

	return p->gso_ecn ? need | OFFLOAD_ECN : need;
}

/* Layer 3 length for the MTU: where extraction did not say, the frame less its
 * Ethernet header and tags. */
static uint32_t l3_len_for_mtu(const struct packet *p)
{
	uint32_t len = packet_l3_len_max(p), l3;
	uint16_t type;

	if (len)
		return len;
	if (!find_l3(p, &l3, &type))
		l3 = p->packet_type == PACKET_TYPE_ETHERNET ? ETH_HEADER_LEN :
							      0;
	return p->len > l3 ? p->len - l3 : 0;
}

enum tx_need packet_tx_need(const struct packet *p, uint32_t caps, uint32_t mtu)
{
	if (mtu && unlikely(p->len > mtu) && l3_len_for_mtu(p) > mtu)
		return TX_TOO_BIG;
	if (packet_is_gso(p)) {
		uint32_t need = gso_cap(p);

		/* An encapsulation pushed in front is cut here, not there. */
		if ((caps & need) == need && p->inner == PACKET_NO_LAYER)
			return TX_AS_IS;
		return TX_SEGMENT;
	}
	if (p->flags & PACKET_CSUM_PARTIAL &&
	    (!(caps & OFFLOAD_CSUM) || packet_csum_is_crc32c(p)))
		return TX_CSUM;
	return TX_AS_IS;
}
