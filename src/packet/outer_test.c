/* SPDX-License-Identifier: Apache-2.0 */
#include "packet/outer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "packet/checksum.h"
#include "packet/headers.h"
#include "packet/test_frame.h"

static const struct eth_addr dst = { { 2, 0, 0, 0, 0, 1 } };
static const struct eth_addr src = { { 2, 0, 0, 0, 0, 2 } };
static struct packet_pool *pool;
static uint8_t payload[FRAME_MAX];

static struct packet_tunnel tunnel(bool ip6)
{
	struct packet_tunnel t = { .id = 0xabcde, .ttl = 9, .tos = 0x10 };

	if (ip6) {
		t.src = ip_addr_from_ip6((struct ip6_addr){ { 0xfd, 1 } });
		t.dst = ip_addr_from_ip6((struct ip6_addr){ { 0xfd, 2 } });
	} else {
		t.src = ip_addr_from_ip4(0xc0000201);
		t.dst = ip_addr_from_ip4(0xc0000202);
	}
	return t;
}

static struct packet *inner_packet(uint8_t tos)
{
	struct frame_spec s = {
		.n_tags = 1, .tos = tos, .payload = payload, .payload_len = 700
	};
	struct packet *p = packet_alloc(pool);

	frame_packet(&s, p);
	return p;
}

static enum drop push(struct packet *p, enum outer_kind kind,
		      const struct packet_tunnel *t)
{
	uint8_t headers[OUTER_MAX];
	uint32_t n = outer_build(kind, (struct eth_addr[]){ dst, src }, t,
				 headers, sizeof(headers));

	assert_int_not_equal(n, 0);
	return packet_push_outer(p, kind, headers, n);
}

static void check_came_back(const struct packet *p, enum outer_kind kind,
			    const struct packet_tunnel *t)
{
	const struct packet_tunnel *got = &p->tun;

	assert_true(p->flags & PACKET_TUNNEL);
	assert_false(p->flags & PACKET_CSUM_VALID);
	assert_int_equal(got->id, t->id);
	assert_true(ip_addr_equal(&got->src, &t->src));
	assert_true(ip_addr_equal(&got->dst, &t->dst));
	assert_int_equal(got->ttl, t->ttl);
	assert_int_equal(got->tos & ~3, t->tos & ~3);
	assert_int_equal(got->options_len, t->options_len);
	assert_memory_equal(got->options, t->options, t->options_len);
	assert_int_equal(got->flags & (TUNNEL_F_KEY | TUNNEL_F_OAM),
			 t->flags & (TUNNEL_F_KEY | TUNNEL_F_OAM));
	if (kind != OUTER_GRE) {
		assert_int_equal(got->tp_dst,
				 kind == OUTER_VXLAN ? 4789 : 6081);
		assert_true(got->tp_src >= 49152);
	}
}

static void what_was_pushed_comes_off(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3 * 2 * 2 * 64; i++) {
		enum outer_kind kind = i % 3;
		struct packet_tunnel t = tunnel(i / 3 % 2);
		struct packet *p = inner_packet(2), *want = inner_packet(2);

		if (i / 6 % 2)
			t.flags |= TUNNEL_F_CSUM;
		if (kind == OUTER_GENEVE) {
			t.options_len = (uint8_t)(i / 12 * 4);
			frame_pattern(t.options, t.options_len, i);
			t.flags |= i & 8 ? TUNNEL_F_OAM : 0;
		}
		if (kind == OUTER_GRE)
			t.flags |= TUNNEL_F_KEY;
		p->flags = PACKET_CSUM_VALID;
		assert_int_equal(push(p, kind, &t), DROP_NONE);
		assert_int_equal(p->inner, p->len - want->len);
		if (kind != OUTER_GRE && (t.flags & TUNNEL_F_CSUM || i / 3 % 2))
			assert_int_equal(packet_csum_verify(p), CSUM_RIGHT);
		assert_int_equal(packet_pop_outer(p), DROP_NONE);
		assert_int_equal(p->inner, PACKET_NO_LAYER);
		frame_assert_equal(p->data, p->len, want->data, want->len);
		check_came_back(p, kind, &t);
		packet_free(want);
		packet_free(p);
	}
}

static void gre_checksum_is_made_and_looked_at(void **state)
{
	struct packet_tunnel t = tunnel(false);
	struct packet *p = inner_packet(0);

	(void)state;
	t.flags = TUNNEL_F_CSUM;
	assert_int_equal(push(p, OUTER_GRE, &t), DROP_NONE);
	assert_int_equal(frame_sum(p->data + p->l4, p->len - p->l4, 0), 0xffff);
	p->data[p->len - 1] ^= 1;
	assert_int_equal(packet_pop_outer(p), DROP_MALFORMED);
	packet_free(p);
}

static void gre_sequence_number_is_skipped(void **state)
{
	struct packet_tunnel t = tunnel(false);
	struct packet *p = inner_packet(0);
	uint32_t len = p->len;
	uint8_t *gre;

	(void)state;
	t.flags = TUNNEL_F_CSUM | TUNNEL_F_KEY;
	assert_int_equal(push(p, OUTER_GRE, &t), DROP_NONE);
	/* The checksum's word becomes the key, the key the sequence number. */
	gre = p->data + p->l4;
	put_be16(gre, GRE_F_KEY | GRE_F_SEQ);
	put_be32(gre + 4, 77);
	assert_int_equal(packet_pop_outer(p), DROP_NONE);
	assert_int_equal(p->tun.id, 77);
	assert_int_equal(p->len, len);
	packet_free(p);
}

static void
unfinished_checksum_is_finished_when_the_outer_one_covers_it(void **state)
{
	struct frame_spec s = { .payload = payload,
				.payload_len = 99,
				.partial = true };
	struct packet_tunnel t = tunnel(false);
	struct packet *p = packet_alloc(pool);

	(void)state;
	t.flags = TUNNEL_F_CSUM;
	frame_packet(&s, p);
	assert_int_equal(push(p, OUTER_VXLAN, &t), DROP_NONE);
	assert_false(p->flags & PACKET_CSUM_PARTIAL);
	assert_int_equal(packet_csum_verify(p), CSUM_RIGHT);
	/* Without an outer one it may stay as it is. */
	t.flags = 0;
	frame_packet(&s, p);
	assert_int_equal(push(p, OUTER_VXLAN, &t), DROP_NONE);
	assert_int_equal(p->csum_start, 14 + 20 + 8 + 8 + 14 + 20);
	packet_csum_finish(p);
	assert_int_equal(packet_pop_outer(p), DROP_NONE);
	p->l3 = 14;
	assert_int_equal(packet_csum_verify(p), CSUM_RIGHT);
	packet_free(p);
}

/* RFC 6040 figure 4: rows inner, columns outer; not-ECT, ECT(0), ECT(1), CE. */
static void congestion_marks_cross_as_rfc_6040_says(void **state)
{
	static const uint8_t mark[4] = { 0, 2, 1, 3 };
	static const int want[4][4] = {
		{ 0, 0, 0, -1 }, { 2, 2, 1, 3 }, { 1, 1, 1, 3 }, { 3, 3, 3, 3 }
	};

	(void)state;
	for (unsigned i = 0; i < 16; i++) {
		uint8_t inner = mark[i / 4], outer = mark[i % 4], got = 9;
		struct packet_tunnel t = tunnel(false);
		struct packet *p = inner_packet(inner);
		uint8_t *ip;
		uint8_t tos;

		assert_int_equal(outer_ecn_combine(outer, inner, &got),
				 want[i / 4][i % 4] >= 0);
		if (want[i / 4][i % 4] >= 0)
			assert_int_equal(got, want[i / 4][i % 4]);
		assert_int_equal(push(p, OUTER_VXLAN, &t), DROP_NONE);
		ip = p->data + p->l3;
		assert_int_equal(ip[1], 0x10 | inner); /* normal mode, 4.1 */
		tos = (uint8_t)(0x10 | outer);
		ip[1] = tos;
		if (want[i / 4][i % 4] < 0) {
			assert_int_equal(packet_pop_outer(p), DROP_MALFORMED);
		} else {
			assert_int_equal(packet_pop_outer(p), DROP_NONE);
			assert_int_equal(p->data[18 + 1], want[i / 4][i % 4]);
			assert_int_equal(frame_sum(p->data + 18, 20, 0),
					 0xffff);
		}
		packet_free(p);
	}
}

static void headers_that_do_not_parse_are_not_pushed(void **state)
{
	struct packet_tunnel t = tunnel(false);
	uint8_t good[OUTER_MAX], bad[OUTER_MAX + 1] = { 0 };
	uint32_t n = outer_build(OUTER_GENEVE, (struct eth_addr[]){ dst, src },
				 &t, good, OUTER_MAX);
	struct packet *p = inner_packet(0);
	uint32_t len = p->len;

	(void)state;
	for (uint32_t cut = 0; cut < n; cut++)
		assert_int_equal(packet_push_outer(p, OUTER_GENEVE, good, cut),
				 DROP_ACTION);
	memcpy(bad, good, n);
	assert_int_equal(packet_push_outer(p, OUTER_GENEVE, bad, n + 1),
			 DROP_ACTION);
	assert_int_equal(packet_push_outer(p, OUTER_VXLAN, good, n),
			 DROP_ACTION);
	assert_int_equal(packet_push_outer(p, OUTER_GRE, good, n), DROP_ACTION);
	bad[14] = 0x46; /* IP options */
	assert_int_equal(packet_push_outer(p, OUTER_GENEVE, bad, n),
			 DROP_ACTION);
	bad[14] = 0x45;
	bad[42] = 1; /* says that options follow */
	assert_int_equal(packet_push_outer(p, OUTER_GENEVE, bad, n),
			 DROP_ACTION);
	assert_int_equal(p->len, len);
	assert_int_equal(packet_push_outer(p, OUTER_GENEVE, good, n),
			 DROP_NONE);
	/* One at a time. */
	assert_int_equal(packet_push_outer(p, OUTER_GENEVE, good, n),
			 DROP_ACTION);
	packet_free(p);
}

static void frame_too_long_for_ip_is_not_wrapped(void **state)
{
	struct packet_tunnel t = tunnel(false);
	struct packet *p = packet_alloc(pool);

	(void)state;
	packet_fill(p, payload, 65535 - 36);
	assert_int_equal(push(p, OUTER_VXLAN, &t), DROP_NONE);
	assert_int_equal(get_be16(p->data + 16), 65535);
	packet_fill(p, payload, 65535 - 35);
	assert_int_equal(push(p, OUTER_VXLAN, &t), DROP_TOO_BIG);
	packet_free(p);
}

static void addresses_must_be_known_and_of_one_family(void **state)
{
	struct packet_tunnel t = tunnel(false);
	uint8_t out[OUTER_MAX];

	(void)state;
	assert_int_not_equal(outer_build(OUTER_VXLAN,
					 (struct eth_addr[]){ dst, src }, &t,
					 out, OUTER_MAX),
			     0);
	assert_int_equal(outer_build(OUTER_VXLAN,
				     (struct eth_addr[]){ dst, src }, &t, out,
				     40),
			 0);
	t.src = tunnel(true).src;
	assert_int_equal(outer_build(OUTER_VXLAN,
				     (struct eth_addr[]){ dst, src }, &t, out,
				     OUTER_MAX),
			 0);
	t.src.family = t.dst.family = 0;
	assert_int_equal(outer_build(OUTER_VXLAN,
				     (struct eth_addr[]){ dst, src }, &t, out,
				     OUTER_MAX),
			 0);
}

/* Every length of every kind, with the next byte out of reach. */
static void truncated_tunnels_are_refused(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		enum outer_kind kind = i % 3;
		struct packet_tunnel t = tunnel(i / 3);
		struct packet *p = inner_packet(0);
		uint32_t n;

		t.flags = TUNNEL_F_KEY;
		t.options_len = kind == OUTER_GENEVE ? 12 : 0;
		assert_int_equal(push(p, kind, &t), DROP_NONE);
		n = p->inner;
		for (uint32_t len = 1; len < n + ETH_HEADER_LEN; len++) {
			struct frame_guard g = frame_guard_make(p->data, len);
			struct packet cut = { .data = g.at,
					      .buf = g.at,
					      .len = len };

			packet_reset_metadata(&cut);
			cut.l3 = p->l3;
			cut.l4 = p->l4;
			assert_int_not_equal(packet_pop_outer(&cut), DROP_NONE);
			frame_guard_free(&g);
		}
		packet_free(p);
	}
}

/* Layers that somebody located wrongly: too near for an IP header. */
static void layers_too_near_are_refused(void **state)
{
	static const uint8_t first[2] = { 0x45, 0x60 };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		uint32_t header = i ? 40 : 20;
		uint8_t ip[60] = { first[i] };

		ip[i ? 6 : 9] = IP_PROTO_UDP;
		for (uint32_t l4 = 0; l4 < header; l4++) {
			struct frame_guard g = frame_guard_make(ip, l4 + 1);
			struct packet p = { .data = g.at,
					    .buf = g.at,
					    .len = l4 + 1 };

			packet_reset_metadata(&p);
			p.l3 = 0;
			p.l4 = (uint16_t)l4;
			assert_int_equal(packet_pop_outer(&p), DROP_ACTION);
			frame_guard_free(&g);
		}
	}
}

/* The frame whose outer sum comes to zero: UDP writes it as ones. */
static void outer_zero_is_written_as_ones(void **state)
{
	struct packet_tunnel t = tunnel(false);
	uint8_t frame[60] = { 2, [12] = 0x88, 0xcc };
	struct packet *p = packet_alloc(pool);

	(void)state;
	t.flags = TUNNEL_F_CSUM;
	packet_fill(p, frame, sizeof(frame));
	t.tp_src = 50000;
	assert_int_equal(push(p, OUTER_VXLAN, &t), DROP_NONE);
	put_be16(frame + 40, get_be16(p->data + p->l4 + 6));
	packet_fill(p, frame, sizeof(frame));
	assert_int_equal(push(p, OUTER_VXLAN, &t), DROP_NONE);
	assert_int_equal(get_be16(p->data + p->l4 + 6), 0xffff);
	assert_int_equal(packet_csum_verify(p), CSUM_RIGHT);
	packet_free(p);
}

static void other_traffic_is_no_tunnel(void **state)
{
	struct frame_spec s = { .payload = payload, .payload_len = 90 };
	struct packet *p = packet_alloc(pool);

	(void)state;
	frame_packet(&s, p);
	assert_int_equal(packet_pop_outer(p), DROP_ACTION);
	s.proto = IP_PROTO_UDP;
	s.dport = 53;
	frame_packet(&s, p);
	assert_int_equal(packet_pop_outer(p), DROP_ACTION);
	s.dport = PORT_VXLAN; /* without the I flag */
	memset(payload, 0, 8);
	frame_packet(&s, p);
	assert_int_equal(packet_pop_outer(p), DROP_MALFORMED);
	p->l4 = PACKET_NO_LAYER;
	assert_int_equal(packet_pop_outer(p), DROP_ACTION);
	packet_free(p);
}

static void vxlan_header_is_as_rfc_7348_draws_it(void **state)
{
	static const uint8_t want[8] = { 8, 0, 0, 0, 0x12, 0x34, 0x56, 0 };
	uint8_t h[8];
	uint32_t vni = 0;

	(void)state;
	vxlan_encode(0x123456, h);
	assert_memory_equal(h, want, 8);
	assert_true(vxlan_decode(h, 8, &vni));
	assert_int_equal(vni, 0x123456);
	assert_false(vxlan_decode(h, 7, &vni));
	h[0] = 0x80;
	assert_false(vxlan_decode(h, 8, &vni));
}

static void flows_spread_over_source_ports(void **state)
{
	struct frame_spec s = { .payload = payload, .payload_len = 20 };
	struct packet *p = packet_alloc(pool);
	unsigned low = 0;
	uint64_t same;

	(void)state;
	frame_packet(&s, p);
	same = packet_flow_hash(p);
	s.seq = 99;
	s.payload_len = 10;
	frame_packet(&s, p);
	assert_true(packet_flow_hash(p) == same);
	for (unsigned i = 0; i < 1000; i++) {
		uint16_t port;

		s.sport = (uint16_t)i;
		s.ip6 = i & 1;
		s.n_tags = i / 2 % 2;
		frame_packet(&s, p);
		port = outer_source_port(packet_flow_hash(p));
		assert_true(port >= 49152);
		low += !(port & 64);
	}
	assert_in_range(low, 400, 600);
	packet_free(p);
}

static void flow_hash_reads_no_byte_behind_the_end(void **state)
{
	static uint8_t bytes[FRAME_MAX];
	struct frame_spec s = { .n_tags = 2 };

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct frame_layout f;

		s.ip6 = i & 1;
		s.ip4_options = i == 2 ? 10 : 0;
		f = frame_build(&s, bytes);
		for (uint32_t len = 0; len <= f.len; len++) {
			struct frame_guard g = frame_guard_make(bytes, len);
			struct packet p = { .data = g.at, .len = len };

			(void)packet_flow_hash(&p);
			p.packet_type = PACKET_TYPE_IP4;
			(void)packet_flow_hash(&p);
			frame_guard_free(&g);
		}
	}
}

static int setup(void **state)
{
	(void)state;
	pool = packet_pool_create(4);
	frame_pattern(payload, sizeof(payload), 40);
	return !pool;
}

static int teardown(void **state)
{
	(void)state;
	packet_pool_destroy(pool);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_pushed_comes_off),
		cmocka_unit_test(gre_checksum_is_made_and_looked_at),
		cmocka_unit_test(gre_sequence_number_is_skipped),
		cmocka_unit_test(
			unfinished_checksum_is_finished_when_the_outer_one_covers_it),
		cmocka_unit_test(congestion_marks_cross_as_rfc_6040_says),
		cmocka_unit_test(headers_that_do_not_parse_are_not_pushed),
		cmocka_unit_test(frame_too_long_for_ip_is_not_wrapped),
		cmocka_unit_test(addresses_must_be_known_and_of_one_family),
		cmocka_unit_test(truncated_tunnels_are_refused),
		cmocka_unit_test(layers_too_near_are_refused),
		cmocka_unit_test(outer_zero_is_written_as_ones),
		cmocka_unit_test(other_traffic_is_no_tunnel),
		cmocka_unit_test(vxlan_header_is_as_rfc_7348_draws_it),
		cmocka_unit_test(flows_spread_over_source_ports),
		cmocka_unit_test(flow_hash_reads_no_byte_behind_the_end),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
