/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: frames with a virtio-net header in front, as a port receives them.
 * What is accepted can be cut, and its pieces are whole. */
#include "packet/segment.h"
#include "port/nested.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void segment_is_whole(void *ctx, struct packet *s)
{
	const struct packet *p = ctx;

	must(s->len <= p->len && s->inner == p->inner);
	packet_free(s);
}

static void frame_is_sound(struct packet *p, struct packet_pool *pool)
{
	must(p->csum_start + p->csum_offset + 2u <= p->len);
	must(p->l3 < p->l4 && p->l4 < p->inner && p->inner < p->csum_start);
	(void)!packet_segment(p, pool, segment_is_whole, p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct packet_pool *pool;
	struct vnet_header h;
	struct packet *p;

	if (!pool)
		pool = packet_pool_create(4);
	if (size < sizeof(h) || size - sizeof(h) > PACKET_MAX_LEN)
		return 0;
	memcpy(&h, data, sizeof(h));
	p = packet_alloc(pool);
	packet_fill(p, data + sizeof(h), (uint32_t)(size - sizeof(h)));
	if (nested_accept(p, &h))
		frame_is_sound(p, pool);
	packet_free(p);
	return 0;
}
