/* SPDX-License-Identifier: Apache-2.0 */
/* A guest's virtio-net header and frame: what is accepted can be finished, wrapped
 * into a tunnel, cut and said onwards; every segment has right checksums.
 *
 * Input: one byte (bit 0: layer 3, bits 1-2: tunnel), the header, the frame. */
#include "packet/checksum.h"
#include "packet/offload.h"
#include "packet/outer.h"
#include "packet/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct packet_pool *pool;

struct sum {
	const struct packet *whole;
	uint32_t payload, header;
	unsigned n;
};

static void check_segment(void *ctx, struct packet *s)
{
	struct sum *sum = ctx;

	must(!(s->flags & PACKET_CSUM_PARTIAL) && !packet_is_gso(s));
	must(s->len > sum->header &&
	     s->len <= sum->header + sum->whole->gso_size);
	must(!memcmp(s->data + sum->header,
		     sum->whole->data + sum->header + sum->payload,
		     s->len - sum->header));
	must(packet_l3_len_max(s) <= packet_l3_len_max(sum->whole));
	sum->payload += s->len - sum->header;
	sum->n++;
	packet_free(s);
}

static void check_cut(const struct packet *p)
{
	struct sum sum = { .whole = p, .header = packet_gso_header_len(p) };

	if (!packet_segment(p, pool, check_segment, &sum))
		return;
	must(sum.payload == p->len - sum.header);
	must(sum.n <= SEGMENT_MAX);
}

static void wrap(struct packet *p, enum outer_kind kind)
{
	static const struct eth_addr mac = { { 2 } };
	struct packet_tunnel t = {
		.id = 7,
		.src = ip_addr_from_ip4(0xc0000201),
		.dst = ip_addr_from_ip4(0xc0000202),
		.flags = TUNNEL_F_KEY | TUNNEL_F_CSUM,
		.options_len = 8,
	};
	uint8_t headers[OUTER_MAX];
	uint32_t n = outer_build(kind, (struct eth_addr[]){ mac, mac }, &t,
				 headers, OUTER_MAX);
	enum drop d = packet_push_outer(p, kind, headers, n);

	must(d == DROP_NONE || d == DROP_TOO_BIG);
}

static void check_onwards(const struct packet *p)
{
	struct packet *q = packet_clone(p, pool);
	struct vnet_header h;

	packet_offload_to_vnet(p, &h);
	packet_reset_metadata(q);
	q->packet_type = p->packet_type;
	must(packet_offload_from_vnet(q, &h) == DROP_NONE);
	must(q->gso_size == p->gso_size && q->gso_type == p->gso_type);
	must(q->flags == p->flags && q->csum_start == p->csum_start);
	packet_free(q);
}

static void check_packet(struct packet *p, const struct vnet_header *h,
			 unsigned tunnel)
{
	if (packet_offload_from_vnet(p, h) != DROP_NONE) {
		must(!p->flags && !packet_is_gso(p));
		return;
	}
	check_onwards(p);
	if (tunnel && p->packet_type == PACKET_TYPE_ETHERNET && p->len >= 14)
		wrap(p, tunnel - 1);
	if (packet_is_gso(p))
		check_cut(p);
	packet_csum_finish(p);
	must(!(p->flags & PACKET_CSUM_PARTIAL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vnet_header h;
	struct packet *p;

	if (size < 1 + sizeof(h) + 1 || size - 1 - sizeof(h) > PACKET_MAX_LEN)
		return 0;
	if (!pool)
		pool = packet_pool_create(4);
	memcpy(&h, data + 1, sizeof(h));
	p = packet_alloc(pool);
	packet_fill(p, data + 1 + sizeof(h), (uint32_t)(size - 1 - sizeof(h)));
	if (data[0] & 1)
		p->packet_type = p->data[0] >> 4 == 4 ? PACKET_TYPE_IP4 :
							PACKET_TYPE_IP6;
	check_packet(p, &h, data[0] >> 1 & 3);
	packet_free(p);
	must(packet_pool_free_count(pool) == 4);
	return 0;
}
