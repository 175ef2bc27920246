/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of dp.h: what a port cannot take is done before, and only then.
 *
 *      test --> [port 1] --> datapath under test --> [2: plain] [3: all] --> */
#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

#include "dp/contract_rig.h"

#define ALL_CAPS                                                               \
	(PORT_CAP_CSUM | PORT_CAP_TSO4 | PORT_CAP_TSO6 | PORT_CAP_USO4 |       \
	 PORT_CAP_USO6 | PORT_CAP_ECN | PORT_CAP_TUNNEL)
#define TCP 6
#define UDP 17

static uint8_t payload[65000];

static struct rig *offload_rig(void **state)
{
	const struct dummy_config all = { .record = true, .caps = ALL_CAPS };
	const struct dummy_config csum = {
		.record = true, .caps = PORT_CAP_CSUM | PORT_CAP_TSO4
	};
	const struct dummy_config jumbo = { .record = true, .mtu = 9000 };
	struct rig *r = *state;

	rig_port_replace(r, 3, &all);
	rig_port_replace(r, 4, &csum);
	rig_port_replace(r, 5, &jumbo);
	frame_pattern(payload, sizeof(payload), 1);
	return r;
}

static struct packet *new_packet(struct rig *r)
{
	struct packet *p = packet_alloc(r->pool);

	assert_non_null(p);
	return p;
}

/* Three times: a miss and two hits. */
static void send_thrice(struct rig *r, struct packet *p, const char *actions)
{
	rig_say(r, actions);
	for (unsigned i = 0; i < 3; i++)
		rig_give(r, 1, p);
	rig_settle(r);
}

static void expect_finished(struct packet *p, const struct frame_spec *s)
{
	static uint8_t want[FRAME_MAX];
	struct frame_layout f = frame_build(s, want);

	assert_non_null(p);
	frame_assert_equal(p->data, p->len, want, f.len);
	assert_int_equal(p->flags & PACKET_CSUM_PARTIAL, 0);
	assert_int_equal(p->gso_size, 0);
	packet_free(p);
}

/* As it came: bytes and what is said about them. */
static void expect_whole(struct packet *p, const struct packet *sent)
{
	assert_non_null(p);
	frame_assert_equal(p->data, p->len, sent->data, sent->len);
	assert_int_equal(p->flags & PACKET_CSUM_PARTIAL,
			 sent->flags & PACKET_CSUM_PARTIAL);
	assert_int_equal(p->csum_start, sent->csum_start);
	assert_int_equal(p->csum_offset, sent->csum_offset);
	assert_int_equal(p->gso_size, sent->gso_size);
	assert_int_equal(p->gso_type, sent->gso_type);
	packet_free(p);
}

/* The segments of a frame of `s`, as if built one by one. */
static void expect_segments(struct rig *r, uint32_t port,
			    const struct frame_spec *s, uint16_t size)
{
	unsigned n = DIV_ROUND_UP(s->payload_len, size);

	for (unsigned i = 0; i < n; i++) {
		struct frame_spec one = *s;
		uint32_t at = i * size;

		one.seq += at;
		one.id = (uint16_t)(one.id + i);
		one.payload = payload + at;
		one.payload_len = MIN(size, s->payload_len - at);
		expect_finished(rig_take(r, port), &one);
	}
}

static void tags_stay_in_the_frame(void **state)
{
	struct rig *r = offload_rig(state);
	struct frame_spec s = { .proto = UDP,
				.n_tags = 2,
				.tpid = { 0x88a8 },
				.tci = { 100, 0x2007 },
				.payload = payload,
				.payload_len = 600 };
	struct frame_spec bare = s;
	struct packet *p = new_packet(r);

	bare.n_tags = 0;
	frame_packet(&s, p);
	send_thrice(r, p, "output:2,output:3,pop_vlan,pop_vlan,output:4");
	for (unsigned i = 0; i < 3; i++) {
		expect_whole(rig_take(r, 2), p);
		expect_whole(rig_take(r, 3), p);
		expect_finished(rig_take(r, 4), &bare);
	}
	packet_free(p);
}

static void an_unfinished_sum_is_finished_where_it_must_be(void **state)
{
	struct rig *r = offload_rig(state);

	for (unsigned kind = 0; kind < 4; kind++) {
		struct frame_spec done = { .proto = kind & 1 ? UDP : TCP,
					   .ip6 = kind & 2,
					   .n_tags = kind & 1,
					   .payload = payload,
					   .payload_len = 901 };
		struct frame_spec partial = done;
		struct packet *p = new_packet(r);

		partial.partial = true;
		frame_packet(&partial, p);
		send_thrice(r, p, "output:3,output:2,output:4");
		for (unsigned i = 0; i < 3; i++) {
			expect_whole(rig_take(r, 3), p);
			expect_finished(rig_take(r, 2), &done);
			expect_whole(rig_take(r, 4), p);
		}
		send_thrice(r, p, "output:2"); /* the list that is shortest */
		for (unsigned i = 0; i < 3; i++)
			expect_finished(rig_take(r, 2), &done);
		packet_free(p);
	}
	assert_int_equal(rig_drops_all(r), 0);
}

static void a_large_frame_is_cut_where_it_must_be(void **state)
{
	struct rig *r = offload_rig(state);

	for (unsigned kind = 0; kind < 4; kind++) {
		struct frame_spec s = { .proto = kind & 1 ? UDP : TCP,
					.ip6 = kind & 2,
					.payload = payload,
					.payload_len = 5000 };
		struct packet *p = new_packet(r);

		frame_gso(&s, 1400, p);
		send_thrice(r, p, "output:2,output:3,output:4,output:5");
		for (unsigned i = 0; i < 3; i++) {
			expect_segments(r, 2, &s, 1400);
			expect_whole(rig_take(r, 3), p);
			if (p->gso_type == GSO_TCP4) /* all that it takes */
				expect_whole(rig_take(r, 4), p);
			else
				expect_segments(r, 4, &s, 1400);
			expect_segments(r, 5, &s, 1400);
		}
		packet_free(p);
	}
	for (uint32_t i = 1; i <= RIG_PORTS; i++)
		rig_expect(r, i, 0);
	assert_int_equal(rig_drops_all(r), 0);
}

/* The pool of a thread has fewer buffers. */
static void a_frame_of_very_many_segments_is_sent(void **state)
{
	struct rig *r = offload_rig(state);
	struct frame_spec s = { .payload = payload, .payload_len = 64000 };
	struct packet *p = new_packet(r);

	frame_gso(&s, 100, p);
	rig_say(r, "output:2");
	rig_give(r, 1, p);
	rig_settle(r);
	expect_segments(r, 2, &s, 100);
	packet_free(p);
	assert_int_equal(rig_drops_all(r), 0);
}

static void what_cannot_be_cut_says_so(void **state)
{
	struct rig *r = offload_rig(state);
	struct frame_spec s = { .payload = payload, .payload_len = 64000 };
	struct packet *p = new_packet(r);

	frame_gso(&s, 10, p); /* more segments than anybody makes */
	send_thrice(r, p, "output:3,output:2");
	for (unsigned i = 0; i < 3; i++)
		expect_whole(rig_take(r, 3), p);
	rig_expect(r, 2, 0);
	assert_int_equal(rig_drops(r, 1, DROP_UNSUPPORTED), 3);
	assert_int_equal(rig_drops_all(r), 3);
	packet_free(p);
}

static void too_large_is_said_not_sent(void **state)
{
	struct rig *r = offload_rig(state);
	struct frame_spec s = { .payload = payload, .payload_len = 1461 };
	struct packet *p = new_packet(r);

	frame_packet(&s, p); /* an IP packet of 1501 bytes */
	send_thrice(r, p, "output:2,output:5");
	rig_expect(r, 2, 0);
	for (unsigned i = 0; i < 3; i++)
		expect_whole(rig_take(r, 5), p);
	assert_int_equal(rig_drops(r, 1, DROP_TOO_BIG), 3);
	/* Nor would its segments fit. */
	s.payload_len = 5000;
	frame_gso(&s, 1461, p);
	send_thrice(r, p, "output:2,output:3");
	rig_expect(r, 2, 0);
	rig_expect(r, 3, 0);
	assert_int_equal(rig_drops(r, 1, DROP_TOO_BIG), 9);
	assert_int_equal(rig_drops_all(r), 9);
	/* One byte less does, tag or no tag. */
	s.payload_len = 1460;
	s.n_tags = 1;
	frame_packet(&s, p);
	send_thrice(r, p, "output:2");
	rig_expect(r, 2, 3);
	packet_free(p);
}

static void a_frame_is_cut_short_for_one_output(void **state)
{
	struct rig *r = offload_rig(state);
	struct frame_spec s = { .payload = payload, .payload_len = 900 };
	struct packet *p = new_packet(r);

	frame_packet(&s, p);
	send_thrice(r, p, "truncate(100),output:2,output:3");
	for (unsigned i = 0; i < 3; i++) {
		struct packet *cut = rig_take(r, 2);

		assert_non_null(cut);
		frame_assert_equal(cut->data, cut->len, p->data, 100);
		packet_free(cut);
		expect_whole(rig_take(r, 3), p);
	}
	packet_free(p);
}

/* --- beside the frame -------------------------------------------------------- */

static void say_by_kind(const struct policy *p UNUSED,
			const struct flow_key *key, struct verdict *v)
{
	const struct eth_addr a = { { 2, 0, 0, 0, 0, 1 } },
			      b = { { 2, 0, 0, 0, 0, 2 } };

	MASK_SET(&v->mask, packet_type);
	MASK_SET(&v->mask, tun_id);
	if (key->packet_type == PACKET_TYPE_IP4) {
		acts_output(&v->actions, 7);
		acts_push_eth(&v->actions, a, b, 0x0800);
	}
	acts_output(&v->actions, key->tun_id == 100 ? 3 : 2);
}

static void a_packet_without_ethernet_gets_one(void **state)
{
	const struct dummy_config l3 = { .record = true, .layer3 = true };
	struct rig *r = offload_rig(state);
	struct frame_spec s = { .layer3 = true,
				.payload = payload,
				.payload_len = 400 };
	struct packet *p = new_packet(r);

	rig_port_replace(r, 6, &l3);
	rig_port_replace(r, 7, &l3);
	frame_packet(&s, p);
	rig_decide(r, say_by_kind);
	for (unsigned i = 0; i < 3; i++)
		rig_give(r, 6, p);
	rig_settle(r);
	s.layer3 = false;
	for (unsigned i = 0; i < 3; i++) {
		struct packet *q = rig_take(r, 7);

		assert_non_null(q);
		assert_int_equal(q->packet_type, PACKET_TYPE_IP4);
		expect_whole(q, p);
		q = rig_take(r, 2);
		assert_non_null(q);
		assert_int_equal(q->packet_type, PACKET_TYPE_ETHERNET);
		frame_assert_equal(q->data + 14, q->len - 14, p->data, p->len);
		packet_free(q);
	}
	packet_free(p);
}

static void tunnel_metadata_travel_along(void **state)
{
	struct rig *r = offload_rig(state);
	struct frame_spec s = { .payload = payload, .payload_len = 40 };
	struct packet *p = new_packet(r), *q;

	frame_packet(&s, p);
	send_thrice(r, p, "output:2,tunnel(id=100,dst=192.0.2.9),output:3");
	for (unsigned i = 0; i < 3; i++) {
		q = rig_take(r, 2);
		assert_non_null(q);
		assert_int_equal(q->flags & PACKET_TUNNEL, 0);
		packet_free(q);
		q = rig_take(r, 3);
		assert_non_null(q);
		assert_int_equal(q->flags & PACKET_TUNNEL, PACKET_TUNNEL);
		assert_int_equal(q->tun.id, 100);
		if (i < 2)
			packet_free(q);
	}
	/* And in again: the key has them. Frames without lie between. */
	rig_decide(r, say_by_kind);
	for (unsigned i = 0; i < 10; i++)
		rig_give(r, 1, i % 2 ? p : q);
	rig_settle(r);
	rig_expect(r, 2, 5);
	rig_expect(r, 3, 5);
	packet_free(p);
	packet_free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(tags_stay_in_the_frame),
		RIG_TEST(a_frame_is_cut_short_for_one_output),
		RIG_TEST(a_packet_without_ethernet_gets_one),
		/* Of ports that can do less than a device, or that say more. */
		RIG_TEST_HERE(an_unfinished_sum_is_finished_where_it_must_be),
		RIG_TEST_HERE(a_large_frame_is_cut_where_it_must_be),
		RIG_TEST_HERE(a_frame_of_very_many_segments_is_sent),
		RIG_TEST_HERE(what_cannot_be_cut_says_so),
		RIG_TEST_HERE(too_large_is_said_not_sent),
		RIG_TEST_HERE(tunnel_metadata_travel_along),
	};

	return RIG_RUN(tests);
}
