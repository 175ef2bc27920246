/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of dp.h: what is captured is what passed, and nothing waits for it.
 *
 *      test --> [port 1] --> datapath under test --> [2] ... [8] --> test */
#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

#include "dp/capture.h"
#include "dp/contract_rig.h"

#define WHOLE 70000u
#define N_FLOOD 3000u

static void note(void *ctx)
{
	__atomic_add_fetch((unsigned *)ctx, 1, __ATOMIC_RELAXED);
}

static unsigned notified;

static struct capture_spec spec_of(struct rig *r, unsigned points)
{
	return (struct capture_spec){ .env = &r->env.env,
				      .points = points,
				      .snap = WHOLE,
				      .all_ports = true,
				      .notify = note,
				      .ctx = &notified };
}

static struct capture *start(struct rig *r, const struct capture_spec *s)
{
	struct capture *c = r->ops->capture_start(r->dp, s);

	assert_non_null(c);
	return c;
}

/* The oldest record is of this point, port and frame number; it is taken. */
static void expect_record(struct capture *c, enum capture_point point,
			  uint32_t port, uint32_t number)
{
	const struct capture_record *rec = capture_peek(c);
	static uint8_t room[FRAME_MAX];
	struct packet p = { .data = room };

	assert_non_null(rec);
	assert_int_equal(rec->point, point);
	assert_int_equal(rec->port, port);
	memcpy(room, capture_record_bytes(rec), rec->kept);
	p.len = rec->kept;
	assert_int_equal(rig_number(&p), number);
	capture_next(c);
}

static void expect_no_record(struct capture *c)
{
	assert_null(capture_peek(c));
}

static void a_packet_is_seen_once_at_each_point(void **state)
{
	struct rig *r = *state;
	struct capture_spec s =
		spec_of(r, CAPTURE_IN | CAPTURE_OUT | CAPTURE_DROP);
	struct capture *c = start(r, &s);

	rig_say(r, "output:2,output:3");
	rig_send_n(r, 1, 3);
	rig_settle(r);
	/* All came in and left twice, in an order that makes sense. */
	for (unsigned in = 0, out = 0; in + out < 9;) {
		const struct capture_record *rec = capture_peek(c);

		assert_non_null(rec);
		in += rec->point == CAPTURE_IN;
		out += rec->point == CAPTURE_OUT;
		assert_true(out <= 2 * in);
		assert_int_equal(rec->in_port, 1);
		capture_next(c);
	}
	expect_no_record(c);
	assert_true(notified > 0);
	r->ops->capture_stop(r->dp, c);
	rig_drain(r, 2);
	rig_drain(r, 3);
}

static void the_verdict_is_told_with_what_came_in(void **state)
{
	struct rig *r = *state;
	struct capture_spec s = spec_of(r, CAPTURE_IN);
	struct str text = STR_INIT;
	struct capture *c;

	s.with_keys = true;
	c = start(r, &s);
	rig_say(r, "output:2,output:3");
	for (unsigned i = 0; i < 2; i++) { /* a miss and a hit */
		const struct capture_record *rec;

		rig_send(r, 1, 1, 2);
		rig_settle(r);
		rec = capture_peek(c);
		assert_non_null(rec);
		str_clear(&text);
		acts_format(capture_record_actions(rec), NULL, &text);
		assert_non_null(strstr(str_text(&text), "output:2"));
		assert_int_equal(capture_record_key(rec)->in_port, 1);
		assert_int_equal(capture_record_key(rec)->eth_type, 0x0800);
		capture_next(c);
	}
	str_fini(&text);
	r->ops->capture_stop(r->dp, c);
	rig_drain(r, 2);
	rig_drain(r, 3);
}

static void a_drop_is_seen_with_its_reason(void **state)
{
	struct rig *r = *state;
	struct capture_spec s = spec_of(r, CAPTURE_DROP);
	struct capture *c = start(r, &s);
	const struct capture_record *rec;

	rig_say(r, "drop:vlan-ingress");
	rig_send(r, 1, 1, 2);
	rig_settle(r);
	rec = capture_peek(c);
	assert_non_null(rec);
	assert_int_equal(rec->drop, DROP_VLAN_INGRESS);
	assert_int_equal(rec->port, 1);
	capture_next(c);
	rig_say(r, "output:99");
	rig_send(r, 1, 1, 2);
	rig_settle(r);
	rec = capture_peek(c);
	assert_non_null(rec);
	assert_int_equal(rec->drop, DROP_NO_PORT);
	capture_next(c);
	expect_no_record(c);
	assert_int_equal(rig_drops_all(r), 2);
	r->ops->capture_stop(r->dp, c);
}

static void only_the_asked_ports_are_seen(void **state)
{
	struct rig *r = *state;
	struct capture_spec s = spec_of(r, CAPTURE_IN | CAPTURE_OUT);
	struct capture *c;

	s.all_ports = false;
	c = start(r, &s);
	capture_set_port(c, 3, true);
	rig_say(r, "output:2,output:3");
	rig_send(r, 1, 1, 2);
	rig_settle(r);
	assert_non_null(capture_peek(c));
	assert_int_equal(capture_peek(c)->port, 3);
	assert_int_equal(capture_peek(c)->point, CAPTURE_OUT);
	capture_next(c);
	expect_no_record(c);
	capture_set_port(c, 3, false);
	rig_send(r, 1, 1, 2);
	rig_settle(r);
	expect_no_record(c);
	capture_set_port(c, 3, true);
	capture_end(c);
	rig_send(r, 1, 1, 2);
	rig_settle(r);
	expect_no_record(c);
	r->ops->capture_stop(r->dp, c);
	rig_drain(r, 2);
	rig_drain(r, 3);
}

static void a_filter_and_a_snap_length_choose_what_is_kept(void **state)
{
	/* ether[11] == 2 ? all : nothing: the last byte of the source */
	static const struct filter_op ops[] = { { 0x30, 0, 0, 11 },
						{ 0x15, 0, 1, 2 },
						{ 0x06, 0, 0, 0xffff },
						{ 0x06, 0, 0, 0 } };
	struct rig *r = *state;
	struct capture_spec s = spec_of(r, CAPTURE_IN);
	struct capture *c;

	s.ethernet = (struct filter){ 4, ops };
	s.snap = 20;
	c = start(r, &s);
	rig_say(r, "output:2");
	rig_send(r, 1, 1, 3);
	rig_send(r, 1, 2, 3);
	rig_settle(r);
	assert_non_null(capture_peek(c));
	assert_int_equal(capture_peek(c)->kept, 20);
	assert_true(capture_peek(c)->len > 20);
	assert_int_equal(capture_record_bytes(capture_peek(c))[11], 2);
	capture_next(c);
	expect_no_record(c);
	r->ops->capture_stop(r->dp, c);
	rig_drain(r, 2);
}

static void offloads_are_kept_as_they_are(void **state)
{
	static uint8_t payload[20000];
	struct rig *r = *state;
	const struct dummy_config all = { .record = true, .caps = 0xff };
	struct capture_spec s = spec_of(r, CAPTURE_OUT);
	const struct frame_spec f = { .payload = payload,
				      .payload_len = sizeof(payload) };
	struct packet *p = packet_alloc(r->pool), *q;
	const struct capture_record *rec;
	struct capture *c;

	s.snap = 64;
	s.offloads_whole = true;
	rig_port_replace(r, 3, &all);
	c = start(r, &s);
	frame_gso(&f, 1448, p);
	rig_say(r, "output:3");
	rig_give(r, 1, p);
	rig_settle(r);
	rec = capture_peek(c);
	assert_non_null(rec);
	assert_int_equal(rec->kept, p->len);
	q = packet_alloc(r->pool);
	capture_record_packet(rec, q);
	frame_assert_equal(q->data, q->len, p->data, p->len);
	assert_int_equal(q->gso_size, 1448);
	assert_int_equal(q->csum_start, p->csum_start);
	packet_free(q);
	packet_free(p);
	capture_next(c);
	r->ops->capture_stop(r->dp, c);
	rig_drain(r, 3);
}

static void a_ring_that_is_full_loses_copies_and_never_packets(void **state)
{
	struct rig *r = *state;
	struct capture_spec s = spec_of(r, CAPTURE_IN);
	struct capture_spec small = spec_of(r, CAPTURE_IN);
	static uint8_t payload[60000];
	const struct frame_spec f = { .payload = payload,
				      .payload_len = sizeof(payload) };
	const struct dummy_config all = { .record = true, .caps = 0xff };
	struct packet *p = packet_alloc(r->pool);
	struct capture *c, *other;
	unsigned taken = 0;

	rig_port_replace(r, 3, &all);
	frame_gso(&f, 1448, p);
	small.snap = 60;
	c = start(r, &s);
	other = start(r, &small);
	rig_say(r, "output:3");
	for (unsigned i = 0; i < N_FLOOD; i++) {
		rig_give(r, 1, p);
		if (i % 16)
			continue;
		rig_settle(r);
		assert_int_not_equal(rig_drain(r, 3), 0);
	}
	rig_settle(r);
	for (; capture_peek(c); taken++)
		capture_next(c);
	assert_true(capture_lost(c) > 0);
	assert_int_equal(taken + capture_lost(c), N_FLOOD);
	/* Who keeps little is not hurt by who keeps much. */
	for (taken = 0; capture_peek(other); taken++)
		capture_next(other);
	assert_int_equal(taken + capture_lost(other), N_FLOOD);
	assert_int_equal(capture_lost(other), 0);
	assert_int_equal(rig_drops_all(r), 0);
	packet_free(p);
	r->ops->capture_stop(r->dp, c);
	r->ops->capture_stop(r->dp, other);
	rig_drain(r, 3);
}

/* Written around the end many times, with sizes that never fit it evenly. */
static void a_ring_goes_round_whole(void **state)
{
	struct rig *r = *state;
	struct capture_spec s = spec_of(r, CAPTURE_IN);
	struct capture *c = start(r, &s);
	struct packet *p = packet_alloc(r->pool);
	uint64_t seed = 3;

	rig_say(r, "drop");
	for (unsigned i = 0; i < 600; i++) {
		static uint8_t bytes[60000];
		uint32_t len = 100 + frame_random(&seed, 59000);
		const struct capture_record *rec;

		frame_pattern(bytes, len, i);
		bytes[0] = 2;
		bytes[6] = 2;
		packet_fill(p, bytes, len);
		rig_give(r, 1, p);
		rig_settle(r);
		rec = capture_peek(c);
		assert_non_null(rec);
		assert_int_equal(rec->kept, len);
		assert_memory_equal(capture_record_bytes(rec), bytes, len);
		capture_next(c);
		expect_no_record(c);
	}
	assert_int_equal(capture_lost(c), 0);
	packet_free(p);
	r->ops->capture_stop(r->dp, c);
}

static void there_are_so_many_captures_and_no_more(void **state)
{
	struct rig *r = *state;
	struct capture_spec s = spec_of(r, CAPTURE_IN);
	struct capture *c[CAPTURE_MAX];

	for (unsigned i = 0; i < CAPTURE_MAX; i++)
		c[i] = start(r, &s);
	assert_null(r->ops->capture_start(r->dp, &s));
	rig_say(r, "output:2");
	rig_send(r, 1, 1, 2);
	rig_settle(r);
	for (unsigned i = 0; i < CAPTURE_MAX; i++) {
		expect_record(c[i], CAPTURE_IN, 1, 0);
		expect_no_record(c[i]);
		r->ops->capture_stop(r->dp, c[i]);
	}
	rig_send(r, 1, 1, 2);
	rig_settle(r);
	rig_expect(r, 2, 2);
}

static void captures_come_and_go_under_traffic(void **state)
{
	struct rig *r = *state;
	struct capture_spec s = spec_of(r, CAPTURE_IN | CAPTURE_OUT);

	rig_say(r, "output:2");
	for (unsigned i = 0; i < 100; i++) {
		struct capture *c;

		rig_send_n(r, 1, 20);
		c = start(r, &s);
		rig_send_n(r, 1, 20);
		while (capture_peek(c))
			capture_next(c);
		r->ops->capture_stop(r->dp, c);
		rig_settle(r);
		rig_drain(r, 2);
	}
	assert_int_equal(rig_drops_all(r), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(a_packet_is_seen_once_at_each_point),
		RIG_TEST(the_verdict_is_told_with_what_came_in),
		RIG_TEST(a_drop_is_seen_with_its_reason),
		RIG_TEST(only_the_asked_ports_are_seen),
		RIG_TEST(a_filter_and_a_snap_length_choose_what_is_kept),
		RIG_TEST(offloads_are_kept_as_they_are),
		RIG_TEST(a_ring_that_is_full_loses_copies_and_never_packets),
		RIG_TEST_HERE(a_ring_goes_round_whole) /* any size */,
		RIG_TEST(there_are_so_many_captures_and_no_more),
		RIG_TEST(captures_come_and_go_under_traffic),
	};

	return RIG_RUN(tests);
}
