/* SPDX-License-Identifier: Apache-2.0 */
/* Any frame with layers anywhere: taken out of its tunnel, or refused; and any
 * headers in front of a frame: what was pushed comes off.
 *
 * Input: l3, l4, kind, bytes. */
#include "packet/headers.h"
#include "packet/outer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct packet_pool *pool;

static void check_pop(const uint8_t *data, uint32_t len, uint16_t l3,
		      uint16_t l4)
{
	struct packet *p = packet_alloc(pool);

	packet_fill(p, data, len);
	p->l3 = l3 < len ? l3 : PACKET_NO_LAYER;
	p->l4 = l4 < len ? l4 : PACKET_NO_LAYER;
	if (packet_pop_outer(p) == DROP_NONE) {
		must(p->len >= ETH_HEADER_LEN && p->len < len);
		must(p->flags & PACKET_TUNNEL && p->l3 == PACKET_NO_LAYER);
		must(!(p->tun.options_len & 3));
		(void)packet_flow_hash(p);
	}
	packet_free(p);
}

static void check_push(const uint8_t *data, uint32_t len, enum outer_kind kind)
{
	static const uint8_t frame[60] = { 2, [12] = 0x88, 0xcc };
	struct packet *p = packet_alloc(pool);
	enum drop d;

	packet_fill(p, frame, sizeof(frame));
	if (packet_push_outer(p, kind, data, len) == DROP_NONE) {
		must(p->len == len + sizeof(frame) && p->inner == len);
		d = packet_pop_outer(p);
		/* Another port than the standard's is pushed, not known. */
		must(d == DROP_NONE || kind != OUTER_GRE);
		if (d == DROP_NONE) {
			must(p->len == sizeof(frame));
			must(!memcmp(p->data, frame, sizeof(frame)));
		}
	} else {
		must(p->len == sizeof(frame));
	}
	packet_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 4 || size - 3 > PACKET_MAX_LEN)
		return 0;
	if (!pool)
		pool = packet_pool_create(1);
	check_pop(data + 3, (uint32_t)size - 3, data[0], data[1]);
	check_push(data + 3, (uint32_t)size - 3, data[2] % N_OUTER_KINDS);
	must(packet_pool_free_count(pool) == 1);
	return 0;
}
