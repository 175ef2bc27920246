/* SPDX-License-Identifier: Apache-2.0 */
/* The oracle: coalescing what segmentation made gives the packet that was cut,
 * and segmentation of what coalescing made gives the frames that came. */
#include "packet/test_gro.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "packet/headers.h"
#include "packet/segment.h"
#include "packet/test_frame.h"

#define MSS 1000u

static struct packet_pool *pool;
static uint8_t payload[FRAME_MAX];

static struct frame_spec stream(void)
{
	return (struct frame_spec){ .proto = IP_PROTO_TCP,
				    .host = 1,
				    .sport = 1234,
				    .dport = 80,
				    .seq = 0xfffffa00u, /* wraps soon */
				    .ack = 9,
				    .id = 0xfffe,
				    .window = 500,
				    .timestamps = 3,
				    .payload = payload,
				    .payload_len = MSS };
}

static struct packet *frame(const struct frame_spec *s)
{
	struct packet *p = packet_alloc(pool);

	frame_packet(s, p);
	p->l3 = p->l4 = PACKET_NO_LAYER;
	return p;
}

static void collect(void *ctx, struct packet *s)
{
	struct packet_batch *b = ctx;

	assert_true(b->n < PACKET_BATCH_MAX);
	b->p[b->n++] = s;
}

/* Segment i of a stream, `len` bytes of it. */
static struct frame_spec next_of(const struct frame_spec *first, unsigned i,
				 uint32_t len)
{
	struct frame_spec s = *first;

	s.seq += i * MSS;
	s.id = (uint16_t)(s.id + i);
	s.payload = payload + i * MSS;
	s.payload_len = len;
	return s;
}

static void coalescing_segments_gives_the_packet(void **state)
{
	static uint8_t want[FRAME_MAX];
	uint64_t seed = 21;

	(void)state;
	for (unsigned i = 0; i < 600; i++) {
		struct frame_spec s = stream();
		struct packet_batch b = { 0 };
		struct packet *p = packet_alloc(pool);
		uint16_t step = (uint16_t)(1 + frame_random(&seed, 2500));
		struct frame_layout f;

		s.ip6 = i & 1;
		s.n_tags = i / 2 % 2;
		s.df = i / 4 % 2;
		s.flags = TCP_ACK | (i & 8 ? TCP_PSH : 0);
		s.timestamps = (uint8_t)(i / 16 % 2);
		s.payload_len = step + 1 + frame_random(&seed, step * 25u);
		f = frame_gso(&s, step, p);
		memcpy(want, p->data, p->len);
		assert_true(packet_segment(p, pool, collect, &b));
		packet_free(p);
		for (unsigned k = 0; k < b.n; k++)
			b.p[k]->flags = i & 32 ? PACKET_CSUM_VALID : 0;
		gro_batch(&b);
		assert_int_equal(b.n, 1);
		p = b.p[0];
		frame_assert_equal(p->data, p->len, want, f.len);
		assert_int_equal(p->gso_size, step);
		assert_int_equal(p->gso_type, s.ip6 ? GSO_TCP6 : GSO_TCP4);
		assert_int_equal(p->flags, PACKET_CSUM_PARTIAL);
		assert_int_equal(p->csum_start, f.l4);
		assert_int_equal(p->l3, f.l3);
		packet_batch_free(&b);
	}
}

/* Two frames, the second changed: must they stay two? */
static void check_pair(const struct frame_spec *second, bool merged)
{
	struct frame_spec first = stream();
	struct packet_batch b = { 2, { frame(&first), frame(second) } };

	gro_batch(&b);
	assert_int_equal(b.n, merged ? 1 : 2);
	packet_batch_free(&b);
}

#define CHANGED(change, merged)                                                \
	do {                                                                   \
		struct frame_spec s = stream();                                \
		s = next_of(&s, 1, MSS);                                       \
		change;                                                        \
		check_pair(&s, merged);                                        \
	} while (0)

static void only_the_very_next_of_the_same_connection_is_merged(void **state)
{
	(void)state;
	CHANGED((void)s, true);
	CHANGED(s.seq++, false);
	CHANGED(s.seq -= MSS, false);
	CHANGED(s.id++, false);
	CHANGED(s.ack++, false);
	CHANGED(s.window++, false);
	CHANGED(s.sport++, false);
	CHANGED(s.dport++, false);
	CHANGED(s.host++, false);
	CHANGED(s.tos = 3, false); /* a congestion mark */
	CHANGED(s.ttl = 63, false);
	CHANGED(s.df = true, false);
	CHANGED(s.timestamps++, false);
	CHANGED(s.timestamps = 0, false);
	CHANGED(s.n_tags = 1, false);
	CHANGED(s.ip6 = true, false);
	CHANGED(s.ip4_options = 1, false);
	CHANGED(s.payload_len = MSS - 1, true);
	CHANGED(s.payload_len = MSS + 1, false);
	CHANGED(s.payload_len = 0, false);
	CHANGED(s.flags = TCP_ACK | TCP_PSH, true);
	CHANGED(s.flags = TCP_ACK | TCP_FIN, false);
	CHANGED(s.flags = TCP_ACK | TCP_RST, false);
	CHANGED(s.flags = TCP_ACK | TCP_URG, false);
	CHANGED(s.flags = TCP_ACK | TCP_CWR, false);
	CHANGED(s.flags = TCP_ACK | TCP_ECE, false);
	CHANGED(s.flags = TCP_PSH, false);
}

static void short_or_pushed_segment_ends_the_run(void **state)
{
	(void)state;
	for (unsigned push = 0; push < 2; push++) {
		struct frame_spec a = stream(), s[3];
		struct packet_batch b = { .n = 3 };

		s[0] = a;
		s[1] = next_of(&a, 1, push ? MSS : MSS - 1);
		if (push)
			s[1].flags = TCP_ACK | TCP_PSH;
		s[2] = next_of(&a, 2, MSS);
		s[2].seq -= push ? 0 : 1;
		for (unsigned i = 0; i < 3; i++)
			b.p[i] = frame(&s[i]);
		gro_batch(&b);
		assert_int_equal(b.n, 2);
		assert_true(packet_is_gso(b.p[0]));
		assert_false(packet_is_gso(b.p[1]));
		packet_batch_free(&b);
	}
}

/* Both frames with a bit flipped anywhere: never one packet. */
static void damaged_frames_are_not_merged(void **state)
{
	struct frame_spec first = stream(), second = next_of(&first, 1, MSS);
	uint64_t seed = 22;

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		struct packet_batch b = { 2,
					  { frame(&first), frame(&second) } };
		struct packet *hit = b.p[i & 1];
		uint32_t at = i < 2400 ? i / 2 % (hit->len - 14) + 14 :
					 14 + frame_random(&seed, 60);

		hit->data[at] ^= (uint8_t)(1u << frame_random(&seed, 8));
		gro_batch(&b);
		assert_int_equal(b.n, 2);
		packet_batch_free(&b);
	}
}

/* A port may vouch for the transport's checksum, never for IP's. */
static void wrong_ip_checksum_does_not_become_right(void **state)
{
	struct frame_spec first = stream(), second = next_of(&first, 1, MSS);

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct packet_batch b = { 2,
					  { frame(&first), frame(&second) } };

		b.p[0]->flags = b.p[1]->flags = PACKET_CSUM_VALID;
		b.p[i]->data[14 + 10] ^= 1;
		gro_batch(&b);
		assert_int_equal(b.n, 2);
		packet_batch_free(&b);
	}
}

static void padded_frames_pass_as_they_are(void **state)
{
	struct frame_spec first = stream(), second = next_of(&first, 1, MSS);
	struct packet_batch b = { 2, { frame(&first), frame(&second) } };

	(void)state;
	b.p[1]->data[b.p[1]->len++] = 0;
	gro_batch(&b);
	assert_int_equal(b.n, 2);
	packet_batch_free(&b);
}

static void packets_of_other_ports_and_tunnels_stay_apart(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct frame_spec first = stream();
		struct frame_spec second = next_of(&first, 1, MSS);
		struct packet_batch b = { 2,
					  { frame(&first), frame(&second) } };

		for (unsigned k = 0; k < 2; k++) {
			b.p[k]->flags |= PACKET_TUNNEL;
			b.p[k]->tun = (struct packet_tunnel){ .id = 7 };
		}
		if (i == 1)
			b.p[1]->in_port = 2;
		else if (i == 2)
			b.p[1]->tun.id = 8;
		else if (i == 3)
			b.p[1]->flags &= ~(uint32_t)PACKET_TUNNEL;
		gro_batch(&b);
		assert_int_equal(b.n, i ? 2 : 1);
		packet_batch_free(&b);
	}
}

static void merged_packet_fits_ip(void **state)
{
	struct frame_spec s = stream(), next;
	struct packet *p;
	struct gro g;
	unsigned n = 0;

	(void)state;
	s.timestamps = 0;
	s.payload_len = 100;
	p = frame(&s);
	assert_true(gro_start(&g, p, false));
	do {
		static uint8_t bytes[FRAME_MAX];
		struct frame_layout f;

		next = next_of(&s, 0, 100);
		next.seq += ++n * 100;
		next.id = (uint16_t)(next.id + n);
		f = frame_build(&next, bytes);
		if (!gro_add(&g, bytes, f.len, false))
			break;
	} while (n < 1000);
	gro_finish(&g);
	/* 40 bytes of headers and 654 times 100 of payload. */
	assert_int_equal(n, 654);
	assert_int_equal(p->len, 14 + 40 + 65400);
	assert_int_equal(get_be16(p->data + 16), 65440);
	packet_free(p);
}

/* As a tunnel socket gives them: wire-size frames one behind the other. */
static void frames_in_the_heads_own_buffer_are_moved_up(void **state)
{
	static uint8_t want[FRAME_MAX];
	struct frame_spec s = stream(), whole = s;
	struct packet *p = packet_alloc(pool);
	struct frame_layout f, one = { 0 };
	uint32_t gap = 8, at = 0;
	struct gro g;

	(void)state;
	whole.payload_len = 20 * MSS;
	whole.partial = true;
	f = frame_build(&whole, want);
	for (unsigned i = 0; i < 20; i++) {
		static uint8_t bytes[FRAME_MAX];
		struct frame_spec n = next_of(&s, i, MSS);

		one = frame_build(&n, bytes);
		memcpy(p->data + at, bytes, one.len);
		at += one.len + gap;
	}
	p->len = one.len;
	assert_true(gro_start(&g, p, false));
	for (unsigned i = 1; i < 20; i++)
		assert_true(gro_add(&g, p->data + i * (one.len + gap), one.len,
				    false));
	gro_finish(&g);
	frame_assert_equal(p->data, p->len, want, f.len);
	packet_free(p);
}

static void what_is_not_tcp_in_ethernet_passes(void **state)
{
	struct frame_spec s = stream();
	struct packet *p;
	struct gro g;

	(void)state;
	s.proto = IP_PROTO_UDP;
	p = frame(&s);
	assert_false(gro_start(&g, p, true));
	packet_free(p);
	s = stream();
	s.layer3 = true;
	p = frame(&s);
	assert_false(gro_start(&g, p, true));
	packet_free(p);
	s = stream();
	s.partial = true;
	p = frame(&s);
	assert_false(gro_start(&g, p, true));
	packet_free(p);
	s.eth_type = ETH_TYPE_ARP;
	p = frame(&s);
	p->flags = 0;
	assert_false(gro_start(&g, p, true));
	packet_free(p);
}

/* Cut at each byte, with the next one out of reach. */
static void cut_frames_are_read_to_their_end_only(void **state)
{
	static uint8_t bytes[FRAME_MAX];
	struct frame_spec s = stream();

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct frame_spec first, second;
		struct frame_layout f;

		s.ip6 = i & 1;
		s.n_tags = i / 2;
		first = next_of(&s, 0, 30);
		second = first;
		second.seq += 30;
		second.id++;
		f = frame_build(&second, bytes);
		for (uint32_t len = 0; len <= f.len; len++) {
			struct frame_guard guard = frame_guard_make(bytes, len);
			struct packet *p = frame(&first);
			struct gro g;

			assert_true(gro_start(&g, p, false));
			assert_int_equal(gro_add(&g, guard.at, len, false),
					 len == f.len);
			packet_free(p);
			frame_guard_free(&guard);
		}
	}
}

static int setup(void **state)
{
	(void)state;
	pool = packet_pool_create(PACKET_BATCH_MAX + 2);
	frame_pattern(payload, sizeof(payload), 20);
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
		cmocka_unit_test(coalescing_segments_gives_the_packet),
		cmocka_unit_test(
			only_the_very_next_of_the_same_connection_is_merged),
		cmocka_unit_test(short_or_pushed_segment_ends_the_run),
		cmocka_unit_test(damaged_frames_are_not_merged),
		cmocka_unit_test(wrong_ip_checksum_does_not_become_right),
		cmocka_unit_test(padded_frames_pass_as_they_are),
		cmocka_unit_test(packets_of_other_ports_and_tunnels_stay_apart),
		cmocka_unit_test(merged_packet_fits_ip),
		cmocka_unit_test(frames_in_the_heads_own_buffer_are_moved_up),
		cmocka_unit_test(what_is_not_tcp_in_ethernet_passes),
		cmocka_unit_test(cut_frames_are_read_to_their_end_only),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
