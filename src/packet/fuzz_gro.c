/* SPDX-License-Identifier: Apache-2.0 */
/* Frames in a row through coalescing and segmentation: the same frames come out,
 * but for the ids of those that must not be fragmented (RFC 6864 4.1).
 *
 * Input: each frame behind its length in two bytes; the top bit: verified. */
#include "packet/checksum.h"
#include "packet/cursor.h"
#include "packet/test_gro.h"
#include "packet/headers.h"
#include "packet/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct packet_pool *pool;

struct frames {
	struct cursor in;
	unsigned n;
};

static bool next_frame(struct cursor *c, struct cursor *frame, bool *verified)
{
	uint16_t n = cursor_u16(c);

	*verified = n >> 15;
	*frame = cursor_sub(c, n & 0x7fffu);
	return !c->failed && cursor_left(frame) > 0;
}

/* Ids and the checksums over them; a transport checksum that was vouched for is
 * made anew, and zero may have become minus zero. */
static bool may_differ(const uint8_t *frame, uint32_t at, bool verified)
{
	uint32_t l3 = eth_type_is_vlan(get_be16(frame + 12)) ? 18 : 14;
	uint32_t l4 = l3 + (frame[l3] >> 4 == 6 ? 40 : 20);

	if (frame[l3] >> 4 == 4 && get_be16(frame + l3 + 6) & IP4_DF &&
	    (at == l3 + 4 || at == l3 + 5))
		return true;
	if (frame[l3] >> 4 == 4 && (at == l3 + 10 || at == l3 + 11))
		return true;
	if (at != l4 + 16 && at != l4 + 17)
		return false;
	return verified || get_be16(frame + l4 + 16) == 0 ||
	       get_be16(frame + l4 + 16) == 0xffff;
}

static void check_frame(void *ctx, struct packet *p)
{
	struct frames *f = ctx;
	struct cursor frame;
	bool verified,
		gso = p->flags & PACKET_CSUM_VALID && p->l3 != PACKET_NO_LAYER;
	const uint8_t *want;

	must(next_frame(&f->in, &frame, &verified));
	must(cursor_left(&frame) == p->len);
	want = cursor_peek(&frame, p->len);
	for (uint32_t i = 0; i < p->len; i++)
		must(p->data[i] == want[i] ||
		     (gso && may_differ(want, i, verified)));
	f->n++;
	packet_free(p);
}

static void check_batch(struct packet_batch *b, struct cursor in)
{
	struct frames f = { .in = in };
	unsigned n = b->n;

	gro_batch(b);
	for (unsigned i = 0; i < b->n; i++) {
		if (packet_is_gso(b->p[i])) {
			must(packet_segment(b->p[i], pool, check_frame, &f));
			packet_free(b->p[i]);
		} else {
			check_frame(&f, b->p[i]);
		}
	}
	must(f.n == n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_init(data, size), frame;
	struct packet_batch b = { 0 };
	bool verified;

	if (!pool)
		pool = packet_pool_create(PACKET_BATCH_MAX + 1);
	while (b.n < PACKET_BATCH_MAX && next_frame(&c, &frame, &verified)) {
		struct packet *p = packet_alloc(pool);
		uint32_t len = (uint32_t)cursor_left(&frame);

		packet_fill(p, cursor_peek(&frame, len), len);
		if (verified)
			p->flags = PACKET_CSUM_VALID;
		b.p[b.n++] = p;
	}
	check_batch(&b, cursor_init(data, size));
	must(packet_pool_free_count(pool) == PACKET_BATCH_MAX + 1);
	return 0;
}
