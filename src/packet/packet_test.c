/* SPDX-License-Identifier: Apache-2.0 */
#include "packet/packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "packet/cursor.h"
#include "packet/drop.h"
#include "packet/headers.h"
#include "packet/ip_view.h"
#include "packet/test_frame.h"

#define N 40u

static void last_freed_is_first_given(void **state)
{
	struct packet_pool *pool = packet_pool_create(4);
	struct packet *a = packet_alloc(pool), *b = packet_alloc(pool);

	(void)state;
	packet_free(a);
	packet_free(b);
	assert_ptr_equal(packet_alloc(pool), b);
	assert_ptr_equal(packet_alloc(pool), a);
	packet_free(a);
	packet_free(b);
	packet_pool_destroy(pool);
}

static void empty_pool_gives_nothing(void **state)
{
	struct packet_pool *pool = packet_pool_create(2);
	struct packet *a = packet_alloc(pool), *b = packet_alloc(pool);

	(void)state;
	assert_int_equal(packet_pool_free_count(pool), 0);
	assert_null(packet_alloc(pool));
	assert_null(packet_clone(a, pool));
	packet_free(a);
	assert_int_equal(packet_pool_free_count(pool), 1);
	assert_non_null(a = packet_clone(b, pool));
	packet_free(a);
	packet_free(b);
	packet_pool_destroy(pool);
}

static void buffers_do_not_overlap(void **state)
{
	struct packet_pool *pool = packet_pool_create(N);
	struct packet *p[N];

	(void)state;
	for (unsigned i = 0; i < N; i++) {
		p[i] = packet_alloc(pool);
		assert_true(p[i]->cap >= PACKET_HEADROOM + PACKET_MAX_LEN);
		assert_int_equal(packet_headroom(p[i]), PACKET_HEADROOM);
		memset(p[i]->buf, (int)i + 1, p[i]->cap);
	}
	for (unsigned i = 0; i < N; i++) {
		assert_int_equal(p[i]->buf[0], i + 1);
		assert_int_equal(p[i]->buf[p[i]->cap - 1], i + 1);
		packet_free(p[i]);
	}
	packet_pool_destroy(pool);
}

static void trimming_takes_nothing_from_packets_in_use(void **state)
{
	struct packet_pool *pool = packet_pool_create(N);
	struct packet *p[N];

	(void)state;
	for (unsigned i = 0; i < N; i++) {
		p[i] = packet_alloc(pool);
		memset(p[i]->buf, 0x5a, p[i]->cap);
	}
	for (unsigned i = 0; i < N; i += 2)
		packet_free(p[i]);
	packet_pool_trim(pool);
	for (unsigned i = 1; i < N; i += 2) {
		assert_int_equal(p[i]->buf[0], 0x5a);
		assert_false(memcmp(p[i]->buf, p[i]->buf + 1, p[i]->cap - 1));
		packet_free(p[i]);
	}
	for (unsigned i = 0; i < N; i += 2)
		assert_int_equal(p[i]->buf[PACKET_HEADROOM], 0);
	packet_pool_destroy(pool);
}

/* Batches of small packets: no cache set of 64 may have more than its ways. */
static void first_lines_spread_over_cache_sets(void **state)
{
	struct packet_pool *pool = packet_pool_create(PACKET_BATCH_MAX);
	struct packet_batch b = { 0 };
	unsigned set[64] = { 0 };

	(void)state;
	for (unsigned i = 0; i < PACKET_BATCH_MAX; i++) {
		struct packet *p = packet_alloc(pool);

		b.p[b.n++] = p;
		set[(uintptr_t)p->data / CACHE_LINE % 64]++;
	}
	for (unsigned i = 0; i < 64; i++)
		assert_true(set[i] <= 4);
	packet_batch_free(&b);
	assert_int_equal(b.n, 0);
	packet_pool_destroy(pool);
}

static void clone_has_bytes_and_metadata(void **state)
{
	struct packet_pool *pool = packet_pool_create(2);
	struct packet *p = packet_alloc(pool), *c;

	(void)state;
	packet_fill(p, "frame", 5);
	p->flags = PACKET_TUNNEL | PACKET_CSUM_PARTIAL;
	p->in_port = 7;
	p->l3 = 14;
	p->l4 = 34;
	p->csum_start = 34;
	p->csum_offset = 16;
	p->gso_size = 1400;
	p->gso_type = GSO_TCP6;
	p->gso_ecn = true;
	p->max_len = 99;
	p->tun = (struct packet_tunnel){ .id = 5, .options_len = 8 };
	memset(p->tun.options, 3, 8);
	assert_non_null(packet_push(p, 4));
	c = packet_clone(p, pool);
	assert_int_equal(c->len, 9);
	assert_memory_equal(c->data, p->data, 9);
	assert_int_equal(packet_headroom(c), packet_headroom(p));
	assert_int_equal(c->flags, p->flags);
	assert_int_equal(c->in_port, 7);
	assert_int_equal(c->l3, 18);
	assert_int_equal(c->l4, 38);
	assert_int_equal(c->inner, PACKET_NO_LAYER);
	assert_int_equal(c->csum_start, 38);
	assert_int_equal(c->csum_offset, 16);
	assert_int_equal(c->gso_size, 1400);
	assert_int_equal(c->gso_type, GSO_TCP6);
	assert_true(c->gso_ecn);
	assert_int_equal(c->max_len, 99);
	assert_int_equal(c->tun.id, 5);
	assert_memory_equal(c->tun.options, p->tun.options, 8);
	packet_free(c);
	packet_free(p);
	packet_pool_destroy(pool);
}

static void fresh_packet_remembers_nothing(void **state)
{
	struct packet_pool *pool = packet_pool_create(1);
	struct packet *p = packet_alloc(pool);

	(void)state;
	memset(&p->len, 0xff,
	       offsetof(struct packet, buf) - offsetof(struct packet, len));
	packet_free(p);
	p = packet_alloc(pool);
	assert_int_equal(p->len, 0);
	assert_int_equal(p->flags, 0);
	assert_int_equal(p->in_port, 0);
	assert_int_equal(p->packet_type, PACKET_TYPE_ETHERNET);
	assert_int_equal(p->l3, PACKET_NO_LAYER);
	assert_int_equal(p->l4, PACKET_NO_LAYER);
	assert_int_equal(p->inner, PACKET_NO_LAYER);
	assert_int_equal(p->gso_type, GSO_NONE);
	assert_int_equal(p->max_len, 0);
	assert_false(packet_is_gso(p));
	packet_free(p);
	packet_pool_destroy(pool);
}

static void layers_move_with_push_and_pull(void **state)
{
	struct packet_pool *pool = packet_pool_create(1);
	struct packet *p = packet_alloc(pool);

	(void)state;
	p->len = 100;
	p->l3 = 14;
	p->l4 = 34;
	p->flags = PACKET_CSUM_PARTIAL;
	p->csum_start = 34;
	assert_null(packet_push(p, PACKET_HEADROOM + 1));
	assert_int_equal(p->len, 100);
	assert_ptr_equal(packet_push(p, PACKET_HEADROOM), p->buf);
	assert_int_equal(p->l3, 14 + PACKET_HEADROOM);
	assert_true(packet_pull(p, PACKET_HEADROOM + 14));
	assert_int_equal(p->len, 86);
	assert_int_equal(p->l3, 0);
	assert_int_equal(p->l4, 20);
	assert_int_equal(p->csum_start, 20);
	/* An unfinished checksum cannot be cut in two. */
	assert_false(packet_pull(p, 21));
	assert_true(packet_pull(p, 4));
	assert_int_equal(p->l3, PACKET_NO_LAYER);
	assert_false(packet_pull(p, 83));
	packet_free(p);
	packet_pool_destroy(pool);
}

static void every_drop_has_a_name_and_a_sentence(void **state)
{
	(void)state;
	for (enum drop d = DROP_NONE; d < N_DROPS; d++) {
		assert_true(strlen(drop_name(d)) > 1);
		assert_true(strlen(drop_sentence(d)) > 5);
		for (enum drop e = DROP_NONE; e < d; e++)
			assert_string_not_equal(drop_name(d), drop_name(e));
	}
}

static void cursor_fails_for_good(void **state)
{
	static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	struct cursor c = cursor_init(bytes, sizeof(bytes)), s;
	uint8_t out[4] = { 9, 9, 9, 9 };

	(void)state;
	assert_int_equal(cursor_u8(&c), 1);
	assert_int_equal(cursor_u16(&c), 0x0203);
	assert_int_equal(cursor_u32(&c), 0x04050607);
	assert_ptr_equal(cursor_peek(&c, 2), bytes + 7);
	assert_null(cursor_peek(&c, 3));
	assert_false(c.failed);
	assert_int_equal(cursor_u32(&c), 0);
	assert_true(c.failed);
	assert_int_equal(cursor_u8(&c), 0);
	assert_null(cursor_take(&c, 0));
	cursor_copy(&c, out, sizeof(out));
	assert_int_equal(out[0] | out[3], 0);
	s = cursor_sub(&c, 1);
	assert_true(s.failed);
	assert_int_equal(cursor_left(&s), 0);
}

static void sub_cursor_ends_where_it_was_told(void **state)
{
	static const uint8_t bytes[8] = { 1, 2, 3, 4 };
	struct cursor c = cursor_init(bytes, sizeof(bytes));
	struct cursor s = cursor_sub(&c, 3);

	(void)state;
	assert_int_equal(cursor_left(&s), 3);
	assert_int_equal(cursor_left(&c), 5);
	assert_int_equal(cursor_u8(&c), 4);
	assert_false(cursor_skip(&s, 4));
	assert_false(cursor_skip(&c, (size_t)-1));
	assert_true(c.failed);
}

static void view_of(const struct frame_spec *s, enum drop want, uint32_t cut)
{
	static uint8_t bytes[FRAME_MAX];
	struct frame_layout f = frame_build(s, bytes);
	uint32_t len = f.len - f.l3 - cut;
	struct frame_guard g = frame_guard_make(bytes + f.l3, len);
	struct ip_view v;

	assert_int_equal(ip_view_read(g.at, len, &v), want);
	if (want == DROP_NONE) {
		assert_int_equal(v.total_len, f.len - f.l3);
		assert_int_equal(v.proto, s->proto);
		assert_ptr_equal(v.payload, g.at + f.l4 - f.l3);
		assert_int_equal(v.payload_len, len - (f.l4 - f.l3));
		assert_int_equal(v.cut, cut > 0);
		assert_int_equal(v.ttl, 64);
	}
	frame_guard_free(&g);
}

static void view_reads_no_byte_behind_the_end(void **state)
{
	uint8_t payload[40];
	struct frame_spec s = { .proto = IP_PROTO_UDP,
				.layer3 = true,
				.payload = payload,
				.payload_len = sizeof(payload) };

	(void)state;
	frame_pattern(payload, sizeof(payload), 1);
	for (unsigned kind = 0; kind < 4; kind++) {
		uint32_t header = 20, cut = 0;

		s.ip6 = kind & 1;
		s.dst_options = kind == 3;
		s.ip4_options = kind == 2 ? 10 : 0;
		header = s.ip6 ? 40 : 20 + s.ip4_options * 4u;
		header += s.dst_options ? 8 : 0;
		for (; cut <= 48; cut++)
			view_of(&s, DROP_NONE, cut);
		for (; cut <= 48 + header; cut++)
			view_of(&s, DROP_TRUNCATED, cut);
	}
}

static void view_follows_extension_headers_to_a_limit(void **state)
{
	uint8_t ip[IP6_HEADER_LEN + 8 * (IP6_MAX_EXTENSIONS + 2)] = { 0x60 };
	struct ip_view v;

	(void)state;
	put_be16(ip + 4, sizeof(ip) - IP6_HEADER_LEN);
	ip[6] = IP_PROTO_DSTOPTS;
	for (unsigned i = 0; i < IP6_MAX_EXTENSIONS + 2; i++)
		ip[IP6_HEADER_LEN + 8 * i] = IP_PROTO_DSTOPTS;
	assert_int_equal(ip_view_read(ip, sizeof(ip), &v), DROP_MALFORMED);
	ip[IP6_HEADER_LEN + 8 * (IP6_MAX_EXTENSIONS - 1)] = IP_PROTO_UDP;
	assert_int_equal(ip_view_read(ip, sizeof(ip), &v), DROP_NONE);
	assert_int_equal(v.proto, IP_PROTO_UDP);
	assert_int_equal(v.payload_len, 16);
	/* One that says it is longer than the packet. */
	ip[IP6_HEADER_LEN + 1] = 40;
	assert_int_equal(ip_view_read(ip, sizeof(ip), &v), DROP_TRUNCATED);
}

static void view_tells_first_fragments_from_later_ones(void **state)
{
	uint8_t ip[IP6_HEADER_LEN + 24] = { 0x60 }, ip4[28] = { 0x45 };
	struct ip_view v;

	(void)state;
	put_be16(ip + 4, 24);
	ip[6] = IP_PROTO_FRAGMENT;
	ip[40] = IP_PROTO_UDP;
	put_be16(ip + 42, IP6_FRAG_MORE);
	assert_int_equal(ip_view_read(ip, sizeof(ip), &v), DROP_NONE);
	assert_true(v.is_fragment && !v.is_later_fragment);
	put_be16(ip + 42, 8);
	assert_int_equal(ip_view_read(ip, sizeof(ip), &v), DROP_NONE);
	assert_true(v.is_fragment && v.is_later_fragment);
	/* Atomic (RFC 6946): a fragment header, but whole. */
	put_be16(ip + 42, 0);
	assert_int_equal(ip_view_read(ip, sizeof(ip), &v), DROP_NONE);
	assert_false(v.is_fragment || v.is_later_fragment);
	put_be16(ip4 + 2, sizeof(ip4));
	put_be16(ip4 + 6, IP4_MF);
	assert_int_equal(ip_view_read(ip4, sizeof(ip4), &v), DROP_NONE);
	assert_true(v.is_fragment && !v.is_later_fragment && !v.dont_fragment);
	put_be16(ip4 + 6, 1);
	assert_int_equal(ip_view_read(ip4, sizeof(ip4), &v), DROP_NONE);
	assert_true(v.is_fragment && v.is_later_fragment);
}

static void view_refuses_what_contradicts_itself(void **state)
{
	uint8_t ip[60] = { 0x45 };
	struct ip_view v;

	(void)state;
	put_be16(ip + 2, 19);
	assert_int_equal(ip_view_read(ip, 60, &v), DROP_MALFORMED);
	put_be16(ip + 2, 60);
	ip[0] = 0x44;
	assert_int_equal(ip_view_read(ip, 60, &v), DROP_MALFORMED);
	ip[0] = 0x4f;
	assert_int_equal(ip_view_read(ip, 60, &v), DROP_NONE);
	assert_int_equal(v.payload_len, 0);
	assert_int_equal(ip_view_read(ip, 59, &v), DROP_TRUNCATED);
	ip[0] = 0x55;
	assert_int_equal(ip_view_read(ip, 60, &v), DROP_MALFORMED);
	assert_int_equal(ip_view_read(ip, 0, &v), DROP_TRUNCATED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(last_freed_is_first_given),
		cmocka_unit_test(empty_pool_gives_nothing),
		cmocka_unit_test(buffers_do_not_overlap),
		cmocka_unit_test(trimming_takes_nothing_from_packets_in_use),
		cmocka_unit_test(first_lines_spread_over_cache_sets),
		cmocka_unit_test(clone_has_bytes_and_metadata),
		cmocka_unit_test(fresh_packet_remembers_nothing),
		cmocka_unit_test(layers_move_with_push_and_pull),
		cmocka_unit_test(every_drop_has_a_name_and_a_sentence),
		cmocka_unit_test(cursor_fails_for_good),
		cmocka_unit_test(sub_cursor_ends_where_it_was_told),
		cmocka_unit_test(view_reads_no_byte_behind_the_end),
		cmocka_unit_test(view_follows_extension_headers_to_a_limit),
		cmocka_unit_test(view_tells_first_fragments_from_later_ones),
		cmocka_unit_test(view_refuses_what_contradicts_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
