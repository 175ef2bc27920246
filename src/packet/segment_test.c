/* SPDX-License-Identifier: Apache-2.0 */
/* The oracle: segment i of a packet is the frame that building from the fields
 * gives, with the sequence number, id, flags and payload of segment i. */
#include "packet/segment.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "packet/checksum.h"
#include "packet/headers.h"
#include "packet/outer.h"
#include "packet/test_frame.h"

#define N_PACKETS 1500u

static struct packet_pool *pool;
static uint8_t payload[FRAME_MAX];

/* A GSO packet and what it was made of. */
struct cut {
	struct frame_spec spec;
	uint16_t step;
	bool outer;
	enum outer_kind kind;
	struct packet_tunnel t;
	struct packet *p;
	unsigned n; /* segments seen */
};

/* Fields of segment i. */
static struct frame_spec cut_spec(const struct cut *c, unsigned i)
{
	struct frame_spec s = c->spec;
	uint32_t at = i * c->step;
	bool last = at + c->step >= s.payload_len;

	s.payload = payload + at;
	s.payload_len = MIN(c->step, s.payload_len - at);
	s.seq += at;
	s.id = (uint16_t)(s.id + i);
	if (!last)
		s.flags &= (uint8_t) ~(TCP_FIN | TCP_PSH);
	if (i)
		s.flags &= (uint8_t)~TCP_CWR;
	return s;
}

static uint32_t put_tunnel(const struct cut *c, uint8_t *out)
{
	uint32_t vni = (uint32_t)c->t.id << 8;

	switch (c->kind) {
	case OUTER_VXLAN:
		put_be32(out, 0x08000000u);
		put_be32(out + 4, vni);
		return 8;
	case OUTER_GENEVE:
		put_be32(out, (uint32_t)c->t.options_len / 4 << 24 | 0x6558);
		put_be32(out + 4, vni);
		memcpy(out + 8, c->t.options, c->t.options_len);
		return 8u + c->t.options_len;
	default:
		put_be32(out, 0x20006558u);
		put_be32(out + 4, (uint32_t)c->t.id);
		return 8;
	}
}

/* The outer frame around `inner`, from fields. */
static struct frame_layout wrap(const struct cut *c, unsigned i,
				const uint8_t *inner, uint32_t len,
				uint8_t *out)
{
	static uint8_t body[FRAME_MAX];
	uint32_t n = put_tunnel(c, body);
	struct frame_spec s = {
		.ip6 = !ip_addr_is_ip4(&c->t.dst),
		.proto = c->kind == OUTER_GRE ? IP_PROTO_GRE : IP_PROTO_UDP,
		.id = (uint16_t)i,
		.tos = c->spec.tos & 3,
		.sport = c->t.tp_src,
		.dport = c->kind == OUTER_VXLAN ? 4789 : 6081,
		.no_csum = !(c->t.flags & TUNNEL_F_CSUM),
		.payload = body,
		.payload_len = n + len,
	};

	if (s.ip6)
		s.no_csum = false;
	memcpy(body + n, inner, len);
	return frame_build(&s, out);
}

static void check_segment(void *ctx, struct packet *s)
{
	static uint8_t inner[FRAME_MAX], outer[FRAME_MAX];
	struct cut *c = ctx;
	struct frame_spec spec = cut_spec(c, c->n);
	struct frame_layout f = frame_build(&spec, inner);
	const uint8_t *want = inner;

	assert_false(packet_is_gso(s));
	assert_false(s->flags & PACKET_CSUM_PARTIAL);
	assert_int_equal(s->l3, c->p->l3);
	assert_int_equal(s->in_port, c->p->in_port);
	if (c->outer) {
		f = wrap(c, c->n, inner, f.len, outer);
		want = outer;
	}
	frame_assert_equal(s->data, s->len, want, f.len);
	c->n++;
	packet_free(s);
}

static struct packet_tunnel any_tunnel(uint64_t *seed)
{
	struct packet_tunnel t = { .id = 1 + frame_random(seed, 0xffffff),
				   .tp_src = 50000,
				   .flags = TUNNEL_F_KEY };
	bool ip6 = frame_random(seed, 2);
	struct frame_spec s = { .ip6 = ip6, .layer3 = true };
	uint8_t ip[100];
	struct ip6_addr a;

	/* The addresses that frame_build writes. */
	frame_build(&s, ip);
	if (ip6) {
		memcpy(a.b, ip + 8, 16);
		t.src = ip_addr_from_ip6(a);
		memcpy(a.b, ip + 24, 16);
		t.dst = ip_addr_from_ip6(a);
	} else {
		t.src = ip_addr_from_ip4(get_be32(ip + 12));
		t.dst = ip_addr_from_ip4(get_be32(ip + 16));
	}
	if (frame_random(seed, 2))
		t.flags |= TUNNEL_F_CSUM;
	return t;
}

static void push_tunnel(struct cut *c, uint64_t *seed)
{
	static const struct eth_addr dst = { { 2, 0, 0, 0, 0, 1 } };
	static const struct eth_addr src = { { 2, 0, 0, 0, 0, 2 } };
	uint8_t headers[OUTER_MAX];
	uint32_t n;

	c->outer = true;
	c->kind = frame_random(seed, N_OUTER_KINDS);
	c->t = any_tunnel(seed);
	if (c->kind == OUTER_GENEVE) {
		c->t.options_len = (uint8_t)(frame_random(seed, 64) * 4);
		frame_pattern(c->t.options, c->t.options_len, 1);
	}
	if (c->kind == OUTER_GRE)
		c->t.flags &= (uint16_t)~TUNNEL_F_CSUM;
	n = outer_build(c->kind, (struct eth_addr[]){ dst, src }, &c->t,
			headers, sizeof(headers));
	assert_int_not_equal(n, 0);
	assert_int_equal(packet_push_outer(c->p, c->kind, headers, n),
			 DROP_NONE);
}

static struct frame_spec any_spec(uint64_t *seed)
{
	bool tcp = frame_random(seed, 2);
	struct frame_spec s = {
		.n_tags = frame_random(seed, 3),
		.tci = { 5, 6 },
		.tpid = { 0x88a8, 0x8100 },
		.ip6 = frame_random(seed, 2),
		.tos = (uint8_t)frame_random(seed, 256),
		.df = frame_random(seed, 2),
		.id = (uint16_t)frame_random(seed, 0x10000),
		.host = 1,
		.proto = tcp ? IP_PROTO_TCP : IP_PROTO_UDP,
		.sport = 1234,
		.dport = 80,
		.seq = frame_random(seed, 0xffffffff),
		.ack = 77,
		.flags = (uint8_t)(TCP_ACK | frame_random(seed, 256)),
		.window = 500,
		.timestamps = (uint8_t)frame_random(seed, 2),
		.payload = payload,
		.payload_len = 2 + frame_random(seed, 60000),
	};

	s.ip4_options = s.ip6 ? 0 : (uint8_t)frame_random(seed, 3);
	s.dst_options = s.ip6 && frame_random(seed, 2);
	return s;
}

static void cut_and_check(struct cut *c)
{
	c->n = 0;
	assert_true(packet_segment(c->p, pool, check_segment, c));
	assert_int_equal(c->n, DIV_ROUND_UP(c->spec.payload_len, c->step));
}

static uint16_t any_step(const struct frame_spec *s, uint64_t *seed)
{
	uint32_t least = s->payload_len / SEGMENT_MAX + 1;
	uint32_t most = MIN(s->payload_len - 1, 9000u);

	return (uint16_t)(least +
			  frame_random(seed, MAX(most, least + 1) - least));
}

static void each_segment_is_what_building_it_gives(void **state)
{
	uint64_t seed = 11;

	(void)state;
	for (unsigned i = 0; i < N_PACKETS; i++) {
		struct cut c = { .spec = any_spec(&seed) };

		if (i % 3 == 0)
			c.spec.payload_len = 2 + frame_random(&seed, 100);
		c.step = any_step(&c.spec, &seed);
		c.p = packet_alloc(pool);
		frame_gso(&c.spec, c.step, c.p);
		c.p->in_port = i;
		if (i % 2)
			push_tunnel(&c, &seed);
		cut_and_check(&c);
		packet_free(c.p);
	}
}

static void layer_3_packets_are_cut_too(void **state)
{
	uint64_t seed = 12;

	(void)state;
	for (unsigned i = 0; i < 50; i++) {
		struct cut c = { .spec = any_spec(&seed), .step = 1400 };

		c.spec.layer3 = true;
		c.spec.n_tags = 0;
		c.p = packet_alloc(pool);
		frame_gso(&c.spec, c.step, c.p);
		cut_and_check(&c);
		packet_free(c.p);
	}
}

static void congestion_window_reduced_is_said_once(void **state)
{
	struct cut c = { .spec = { .flags = TCP_ACK | TCP_CWR | TCP_FIN |
					    TCP_PSH,
				   .proto = IP_PROTO_TCP,
				   .payload = payload,
				   .payload_len = 3000 },
			 .step = 1000 };

	(void)state;
	assert_int_equal(cut_spec(&c, 0).flags, TCP_ACK | TCP_CWR);
	assert_int_equal(cut_spec(&c, 1).flags, TCP_ACK);
	assert_int_equal(cut_spec(&c, 2).flags, TCP_ACK | TCP_FIN | TCP_PSH);
	c.p = packet_alloc(pool);
	frame_gso(&c.spec, c.step, c.p);
	cut_and_check(&c);
	packet_free(c.p);
}

static void plan_leaves_the_packet_as_it_is(void **state)
{
	static uint8_t before[FRAME_MAX];
	struct frame_spec s = { .payload = payload, .payload_len = 5000 };
	struct packet *p = packet_alloc(pool);
	struct frame_layout f = frame_gso(&s, 1448, p);
	uint8_t headers[SEGMENT_HEADERS_MAX];
	struct segment_plan sp;
	const uint8_t *at;
	uint32_t len;

	(void)state;
	memcpy(before, p->data, p->len);
	assert_true(segment_plan_init(&sp, p));
	assert_int_equal(sp.n, 4);
	assert_int_equal(sp.header_len, f.payload);
	/* In any order. */
	for (unsigned i = sp.n; i--;) {
		segment_plan_at(&sp, i, headers, &at, &len);
		assert_ptr_equal(at, p->data + f.payload + i * 1448);
		assert_int_equal(len, i == 3 ? 5000 - 3 * 1448 : 1448);
		assert_int_equal(get_be32(headers + f.l4 + 4), i * 1448);
	}
	frame_assert_equal(p->data, p->len, before, f.len);
	packet_free(p);
}

/* A routing header: the pseudo-header has the final destination, which is not
 * the IP header's, so that it must be taken from the field. */
static void routing_header_keeps_its_checksum(void **state)
{
	struct frame_spec s = { .ip6 = true,
				.payload = payload,
				.payload_len = 3000 };
	struct packet *p = packet_alloc(pool);
	uint8_t headers[SEGMENT_HEADERS_MAX];
	const uint8_t *at;
	struct segment_plan sp;
	uint64_t sum;
	uint32_t len;

	(void)state;
	frame_gso(&s, 1000, p);
	p->data[p->l3 + 39] ^= 0x55; /* the next hop */
	assert_true(segment_plan_init(&sp, p));
	segment_plan_at(&sp, 0, headers, &at, &len);
	headers[p->l3 + 39] ^= 0x55;
	sum = frame_sum(headers + p->l3 + 8, 32, IP_PROTO_TCP + 20u + 1000u);
	sum = frame_sum(headers + p->l4, 20, (uint32_t)sum);
	assert_int_equal(frame_sum(at, len, (uint32_t)sum), 0xffff);
	packet_free(p);
}

static void keep_checksums(void *ctx, struct packet *s)
{
	uint16_t *field = ctx;
	uint32_t l4 = s->inner == PACKET_NO_LAYER ? 34 : s->inner + 34;

	field[0] = get_be16(s->data + l4 + 6);
	field[1] = get_be16(s->data + s->l4 + 6);
	packet_free(s);
}

/* A word of the payload is chosen so that the last segment's sum comes to zero. */
static void zero_sums_of_udp_are_written_as_ones(void **state)
{
	static uint8_t body[300];
	struct cut c = { .spec = { .proto = IP_PROTO_UDP,
				   .payload = body,
				   .payload_len = sizeof(body) },
			 .step = 100 };
	uint16_t field[2];

	(void)state;
	c.p = packet_alloc(pool);
	for (unsigned i = 0; i < 2; i++) {
		frame_gso(&c.spec, c.step, c.p);
		assert_true(packet_segment(c.p, pool, keep_checksums, field));
		put_be16(body + 298, field[0]);
	}
	assert_int_equal(field[0], 0xffff);
	packet_free(c.p);
}

/* What is inside sums to a constant once its own checksum is right: the outer sum
 * is steered by the inner Ethernet address. */
static void zero_sums_of_tunnels_are_written_as_ones(void **state)
{
	uint64_t seed = 13;
	struct cut c = { .spec = { .payload = payload, .payload_len = 300 },
			 .step = 100 };
	uint8_t headers[OUTER_MAX];
	uint16_t word = 0, field[2];

	(void)state;
	c.p = packet_alloc(pool);
	c.t = any_tunnel(&seed);
	c.t.flags |= TUNNEL_F_CSUM;
	for (unsigned i = 0; i < 2; i++) {
		struct eth_addr mac = { { 2 } };
		uint32_t n = outer_build(OUTER_VXLAN,
					 (struct eth_addr[]){ mac, mac }, &c.t,
					 headers, sizeof(headers));

		frame_gso(&c.spec, c.step, c.p);
		put_be16(c.p->data + 4, word);
		assert_int_equal(
			packet_push_outer(c.p, OUTER_VXLAN, headers, n),
			DROP_NONE);
		assert_true(packet_segment(c.p, pool, keep_checksums, field));
		word = field[1];
		/* What the word was counts already. */
		if (!i)
			word = checksum_fold((uint64_t)word +
					     get_be16(c.p->data + n + 4));
	}
	assert_int_equal(field[1], 0xffff);
	packet_free(c.p);
}

static void headers_longer_than_the_scratch_are_refused(void **state)
{
	struct frame_spec s = { .payload = payload, .payload_len = 3000 };
	struct packet *p = packet_alloc(pool);
	struct segment_plan sp;

	(void)state;
	frame_gso(&s, 1000, p);
	p->csum_start = SEGMENT_HEADERS_MAX - 60;
	p->data[p->csum_start + 12] = 0xf0;
	assert_true(segment_plan_init(&sp, p));
	p->csum_start++;
	p->data[p->csum_start + 12] = 0xf0;
	assert_false(segment_plan_init(&sp, p));
	packet_free(p);
}

static void what_cannot_be_cut_is_refused(void **state)
{
	struct frame_spec s = { .payload = payload, .payload_len = 3000 };
	struct packet *p = packet_alloc(pool);
	struct frame_layout f = frame_gso(&s, 1000, p);
	struct segment_plan sp;

	(void)state;
	assert_true(segment_plan_init(&sp, p));
	p->gso_size = 2; /* 1500 segments */
	assert_false(segment_plan_init(&sp, p));
	p->gso_size = 3;
	assert_true(segment_plan_init(&sp, p));
	p->flags = 0;
	assert_false(segment_plan_init(&sp, p));
	p->flags = PACKET_CSUM_PARTIAL;
	p->l3 = PACKET_NO_LAYER;
	assert_false(segment_plan_init(&sp, p));
	p->l3 = (uint16_t)(f.l4 - 19); /* no room for an IP header */
	assert_false(segment_plan_init(&sp, p));
	p->l3 = (uint16_t)f.l3;
	p->data[f.l3] = 0x4f; /* a header that reaches over the transport */
	assert_false(segment_plan_init(&sp, p));
	p->data[f.l3] = 0x45;
	p->data[f.l4 + 12] = 0x40; /* TCP of 16 bytes */
	assert_false(segment_plan_init(&sp, p));
	p->data[f.l4 + 12] = 0x50;
	p->len = f.payload; /* nothing to cut */
	assert_false(segment_plan_init(&sp, p));
	p->len = f.payload + 1;
	assert_true(segment_plan_init(&sp, p));
	p->gso_size = 0;
	assert_false(segment_plan_init(&sp, p));
	packet_free(p);
}

static void count_and_keep(void *ctx, struct packet *s)
{
	struct packet_batch *b = ctx;

	b->p[b->n++] = s;
}

static void dry_pool_is_told_and_nothing_leaks(void **state)
{
	struct packet_pool *small = packet_pool_create(3);
	struct frame_spec s = { .payload = payload, .payload_len = 5000 };
	struct packet *p = packet_alloc(small);
	struct packet_batch b = { 0 };

	(void)state;
	frame_gso(&s, 1000, p);
	assert_false(packet_segment(p, small, count_and_keep, &b));
	assert_int_equal(b.n, 2);
	packet_batch_free(&b);
	packet_free(p);
	packet_pool_destroy(small);
}

static int setup(void **state)
{
	(void)state;
	pool = packet_pool_create(8);
	frame_pattern(payload, sizeof(payload), 10);
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
		cmocka_unit_test(each_segment_is_what_building_it_gives),
		cmocka_unit_test(layer_3_packets_are_cut_too),
		cmocka_unit_test(congestion_window_reduced_is_said_once),
		cmocka_unit_test(plan_leaves_the_packet_as_it_is),
		cmocka_unit_test(routing_header_keeps_its_checksum),
		cmocka_unit_test(zero_sums_of_udp_are_written_as_ones),
		cmocka_unit_test(zero_sums_of_tunnels_are_written_as_ones),
		cmocka_unit_test(headers_longer_than_the_scratch_are_refused),
		cmocka_unit_test(what_cannot_be_cut_is_refused),
		cmocka_unit_test(dry_pool_is_told_and_nothing_leaks),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
