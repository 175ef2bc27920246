/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as a list of actions, run on bytes as a packet.
 *
 * Input     two bytes: how long the list is (0xffff: made from the next eight as
 *           a seed); the list; a virtio-net header; a byte of packet type; the
 *           frame.
 * Property  what acts_check accepts is printed and parsed back to the same bytes,
 *           and run on any packet without a byte touched outside it; every
 *           packet is given back; what leaves has its layers inside. */
#include <stdlib.h>

#include "base/err.h"
#include "base/str.h"
#include "flow/action_random.h"
#include "flow/extract.h"
#include "flow/interp.h"
#include "packet/checksum.h"
#include "packet/cursor.h"
#include "packet/offload.h"
#include "packet/segment.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#endif
#endif
#ifndef ASAN_POISON_MEMORY_REGION
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

#define POOL 64u
#define SEEDED 0xffffu

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct packet_pool *pool;
static struct acts list, back;

static void check_layer(const struct packet *p, uint16_t layer)
{
	must(layer == PACKET_NO_LAYER || layer <= p->len);
}

/* As a port would: segment, finish, or say it to a device. */
static void send(struct packet *p)
{
	uint8_t headers[SEGMENT_HEADERS_MAX];
	struct segment_plan sp;
	struct vnet_header h;
	const uint8_t *payload;
	uint32_t len;

	packet_offload_to_vnet(p, &h);
	if (packet_is_gso(p) && segment_plan_init(&sp, p))
		segment_plan_at(&sp, sp.n - 1, headers, &payload, &len);
	else
		packet_csum_finish(p);
}

static void on_output(void *ctx, struct packet *p, uint32_t port)
{
	(void)ctx;
	(void)port;
	must(p->data >= p->buf && p->data + p->len <= p->buf + p->cap);
	must(!p->max_len);
	check_layer(p, p->l3);
	check_layer(p, p->l4);
	check_layer(p, p->inner);
	if (p->flags & PACKET_CSUM_PARTIAL)
		must(p->csum_start + p->csum_offset + 2u <= p->len);
	send(p);
	packet_free(p);
}

static void on_punt(void *ctx, const struct packet *p, const struct act_punt *a)
{
	(void)ctx;
	(void)p;
	must(punt_reason_name((enum punt_reason)a->reason));
}

static bool on_meter(void *ctx, uint32_t id, const struct packet *p)
{
	(void)ctx;
	(void)p;
	return id % 8;
}

static void on_drop(void *ctx, const struct packet *p, enum drop reason)
{
	(void)ctx;
	(void)p;
	must(reason > DROP_NONE && reason < N_DROPS);
}

static uint32_t on_random(void *ctx)
{
	uint32_t *n = ctx;

	return *n += 0x55555555u;
}

static const struct interp_ops ops = { on_output, on_punt, on_meter, on_drop,
				       on_random };

static bool read_list(struct cursor *c)
{
	uint32_t n = cursor_u16(c);
	uint64_t seed;

	acts_clear(&list);
	if (n == SEEDED) {
		cursor_copy(c, &seed, sizeof(seed));
		action_random(&list, &seed, 0, false);
		return !list.overflow;
	}
	n = MIN(n, (uint32_t)MIN(cursor_left(c), ACTS_MAX_LEN));
	cursor_copy(c, list.room, n);
	list.len = n;
	return true;
}

static bool read_packet(struct cursor *c, struct packet *p)
{
	static const uint32_t types[] = { PACKET_TYPE_ETHERNET, PACKET_TYPE_IP4,
					  PACKET_TYPE_IP6 };
	struct vnet_header h;
	uint32_t n;

	cursor_copy(c, &h, sizeof(h));
	n = cursor_u8(c) % 3u;
	packet_fill(p, c->at, (uint32_t)MIN(cursor_left(c), 2000u));
	p->packet_type = types[n];
	return packet_offload_from_vnet(p, &h) == DROP_NONE;
}

static void check_text(void)
{
	struct str text = STR_INIT;
	struct err e = ERR_INIT;

	acts_format(acts_list(&list), NULL, &text);
	must(!acts_parse(str_text(&text), NULL, &back, &e));
	must(act_list_equal(acts_list(&list), acts_list(&back)));
	str_fini(&text);
}

static void run(struct packet *p)
{
	uint32_t n = 0;
	struct interp in = { &ops, &n, pool };
	uint8_t *end = p->data + p->len;
	size_t room = (size_t)(p->buf + p->cap - end);

	ASAN_POISON_MEMORY_REGION(end, room);
	interp_run(&in, p, acts_list(&list));
	ASAN_UNPOISON_MEMORY_REGION(end, room);
	must(packet_pool_free_count(pool) == POOL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_init(data, size);
	struct err e = ERR_INIT;
	struct flow_key key;
	struct packet *p;

	if (!pool)
		pool = packet_pool_create(POOL);
	if (!read_list(&c) || acts_check(acts_list(&list), false, &e)) {
		err_fini(&e);
		return 0;
	}
	check_text();
	p = packet_alloc(pool);
	flow_key_init(&key);
	if (read_packet(&c, p) && flow_extract(p, &key) == DROP_NONE)
		run(p);
	else
		packet_free(p);
	return 0;
}
