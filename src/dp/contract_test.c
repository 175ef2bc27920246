/* SPDX-License-Identifier: Apache-2.0 */
/* Every datapath keeps the contract of dp.h: the same tests for all.
 *
 *      test --> [port 1] --> datapath under test --> [port 2..8] --> test */
#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "dp/contract_rig.h"

/* --- frames travel ----------------------------------------------------------- */

static void a_frame_goes_where_the_verdict_says(void **state)
{
	struct rig *r = *state;
	uint32_t len = rig_frame(r, 1, 2, 77);
	struct packet *p;

	rig_say(r, "output:2");
	rig_give_bytes(r, 1, r->frame, len);
	rig_settle(r);
	p = rig_take(r, 2);
	assert_non_null(p);
	frame_assert_equal(p->data, p->len, r->frame, len);
	packet_free(p);
	assert_int_equal(rig_counters(r, 1).rx_packets, 1);
	assert_int_equal(rig_counters(r, 1).rx_bytes, len);
	assert_int_equal(rig_counters(r, 2).tx_packets, 1);
	assert_int_equal(rig_counters(r, 2).tx_bytes, len);
	assert_int_equal(rig_drops_all(r), 0);
}

/* What stands between two outputs is done to the later one only. */
static void a_list_is_run_from_its_front(void **state)
{
	struct rig *r = *state;
	struct packet *p;

	rig_say(r, "output:2,push_vlan(vid=5),output:3,"
		   "clone(pop_vlan,output:4),output:5");
	for (unsigned i = 0; i < 3; i++)
		rig_send(r, 1, 1, 2);
	rig_settle(r);
	for (uint32_t port = 2; port <= 5; port++) {
		bool tagged = port == 3 || port == 5;

		for (unsigned i = 0; i < 3; i++) {
			p = rig_take(r, port);
			assert_non_null(p);
			assert_int_equal(p->len, tagged ? 68 : 64);
			assert_int_equal(p->data[12], tagged ? 0x81 : 0x08);
			assert_int_equal(rig_number(p), i);
			packet_free(p);
		}
	}
}

/* Known flows, new flows and stale ones between each other. */
static void frames_leave_in_the_order_they_came(void **state)
{
	struct rig *r = *state;
	uint64_t seed = 1;

	rig_say(r, "output:2,output:3");
	for (uint32_t i = 0; i < 600; i++) {
		rig_send(r, 1, frame_random(&seed, 40), 2);
		if (i % 200 == 99)
			rig_say(r, "output:3,output:2");
	}
	rig_settle(r);
	for (uint32_t port = 2; port <= 3; port++)
		for (uint32_t i = 0; i < 600; i++) {
			struct packet *p = rig_take(r, port);

			assert_non_null(p);
			assert_int_equal(rig_number(p), i);
			packet_free(p);
		}
}

static void say_next_port(const struct policy *p UNUSED,
			  const struct flow_key *key, struct verdict *v)
{
	MASK_SET(&v->mask, eth_src);
	acts_output(&v->actions, key->in_port % RIG_PORTS + 1);
}

static void ports_do_not_mix_their_frames(void **state)
{
	struct rig *r = *state;

	rig_decide(r, say_next_port);
	for (unsigned round = 0; round < 50; round++) {
		for (uint32_t i = 1; i <= RIG_PORTS; i++)
			rig_send(r, i, i, 2);
		if (round < 3)
			rig_settle(r); /* till all are known */
	}
	rig_settle(r);
	for (uint32_t i = 1; i <= RIG_PORTS; i++)
		for (unsigned round = 0; round < 50; round++) {
			struct packet *p = rig_take(r, i % RIG_PORTS + 1);

			assert_non_null(p);
			assert_int_equal(p->data[11], i);
			assert_int_equal(rig_number(p), round);
			packet_free(p);
		}
	for (uint32_t i = 1; i <= RIG_PORTS; i++)
		rig_expect(r, i, 0);
}

/* --- drops ------------------------------------------------------------------- */

static void expect_drop(struct rig *r, const char *actions, enum drop reason)
{
	uint64_t before = rig_drops(r, 1, reason), all = rig_drops_all(r);

	rig_say(r, actions);
	rig_send_n(r, 1, 3); /* a miss, and hits */
	rig_settle(r);
	if (rig_drops(r, 1, reason) != before + 3 ||
	    rig_drops_all(r) != all + 3)
		fail_msg("%s: not dropped 3 times as %s", actions,
			 drop_name(reason));
}

static void a_drop_is_counted_where_the_frame_came_in(void **state)
{
	struct rig *r = *state;

	expect_drop(r, "drop(isolated)", DROP_ISOLATED);
	expect_drop(r, "output:2,drop(storm)", DROP_STORM);
	expect_drop(r, "push_vlan(vid=5)", DROP_RULE);
	expect_drop(r, "output:77", DROP_NO_PORT);
	expect_drop(r, "output:65536", DROP_NO_PORT);
	expect_drop(r, "output:4294967295", DROP_NO_PORT);
	expect_drop(r, "pop_vlan,output:2", DROP_ACTION);
	expect_drop(r, "", DROP_NO_RULE);
}

static void an_empty_list_drops_as_the_verdict_says(void **state)
{
	struct rig *r = *state;
	struct policy *p = rig_policy("");

	p->drop = DROP_NO_MEMBERS;
	rig_publish(r, p);
	rig_send_n(r, 1, 5);
	rig_settle(r);
	assert_int_equal(rig_drops(r, 1, DROP_NO_MEMBERS), 5);
	assert_int_equal(rig_drops_all(r), 5);
}

static void a_frame_without_a_header_is_not_asked_about(void **state)
{
	struct rig *r = *state;

	rig_say(r, "output:2");
	rig_give_bytes(r, 1, "short", 5);
	rig_send(r, 1, 1, 2);
	rig_settle(r);
	assert_int_equal(rig_drops(r, 1, DROP_TRUNCATED), 1);
	assert_int_equal(rig_told(r).translated, 1);
	assert_int_equal(rig_counters(r, 1).rx_packets, 2);
	rig_expect(r, 2, 1);
}

static void a_port_that_is_down_counts_what_it_should_send(void **state)
{
	struct rig *r = *state;

	rig_say(r, "output:2");
	port_set_state(r->port[2], PORT_DOWN);
	rig_send_n(r, 1, 4);
	rig_settle(r);
	assert_int_equal(rig_drops(r, 2, DROP_PORT_DOWN), 4);
	assert_int_equal(rig_drops_all(r), 4);
}

/* --- ports come and go ------------------------------------------------------- */

static void a_number_is_given_once(void **state)
{
	const struct dummy_config c = { .record = true };
	struct rig *r = *state;
	struct port *p = rig_port_create(1, &c);

	assert_int_equal(r->ops->port_add(r->dp, p), -EEXIST);
	p->id = 0;
	assert_int_equal(r->ops->port_add(r->dp, p), -ENOSPC);
	p->id = DP_MAX_PORTS + 1;
	assert_int_equal(r->ops->port_add(r->dp, p), -ENOSPC);
	p->id = DP_MAX_PORTS;
	assert_int_equal(r->ops->port_add(r->dp, p), 0);
	rig_say(r, "output:65535");
	rig_send(r, 1, 1, 2);
	rig_settle(r);
	assert_int_equal(dummy_sent(p), 1);
	r->ops->port_del(r->dp, DP_MAX_PORTS);
	r->ops->port_del(r->dp, DP_MAX_PORTS); /* is gone: harmless */
	r->ops->port_del(r->dp, DP_MAX_PORTS + 1);
	r->ops->port_del(r->dp, UINT32_MAX);
	p->ops->destroy(p);
}

static void a_port_taken_out_moves_nothing_more(void **state)
{
	struct rig *r = *state;

	rig_say(r, "output:2");
	rig_send_n(r, 1, 10);
	rig_settle(r);
	rig_expect(r, 2, 10);
	assert_int_equal(rig_stats(r).flows, 1);
	rig_port_del(r, 1);
	assert_int_equal(rig_stats(r).flows, 0);
	rig_send_n(r, 1, 10);
	rig_send_n(r, 3, 10);
	rig_settle(r);
	rig_expect(r, 2, 10);
	assert_int_equal(rig_counters(r, 1).rx_packets, 10);
	/* They waited for it. */
	rig_port_add(r, 1);
	rig_settle(r);
	rig_expect(r, 2, 10);
	/* And the way to a port that is gone. */
	rig_port_del(r, 2);
	rig_send_n(r, 1, 10);
	rig_settle(r);
	assert_int_equal(rig_drops(r, 1, DROP_NO_PORT), 10);
	rig_expect(r, 2, 0);
	rig_port_add(r, 2);
	rig_send_n(r, 1, 10);
	rig_settle(r);
	rig_expect(r, 2, 10);
}

/* Its memory is gone when port_del has returned: who is still inside shows. */
static void a_port_may_be_destroyed_amid_its_traffic(void **state)
{
	const struct dummy_config c = { .record = true };
	struct rig *r = *state;

	rig_say(r, "output:2,output:3");
	for (unsigned round = 0; round < 60; round++) {
		unsigned i = 1 + round % 3;

		rig_send_n(r, 1, 40);
		rig_send_n(r, 2, 40);
		rig_port_replace(r, i, &c);
		rig_drain(r, 2);
		rig_drain(r, 3);
	}
	rig_settle(r);
}

static void a_port_that_fails_is_left_alone(void **state)
{
	const struct dummy_config c = { .record = true };
	struct rig *r = *state;

	rig_port_replace(r, 1, &c); /* that can be told to fail */
	rig_say(r, "output:2");
	rig_send_n(r, 1, 1);
	rig_settle(r);
	dummy_fail(r->port[1], -ENODEV);
	rig_send_n(r, 1, 1);
	for (unsigned i = 0; !rig_told(r).failed && i < 20000; i++)
		r->is->poll ? (void)r->is->poll(r->dp) : (void)usleep(100);
	rig_send_n(r, 1, 1);
	rig_pass_ms(r, 500);
	assert_int_equal(rig_told(r).failed, 1);
	assert_int_equal(rig_told(r).failed_port, 1);
	assert_int_equal(rig_told(r).failed_error, -ENODEV);
	/* Works again, but nobody asks it before it is added again. */
	dummy_fail(r->port[1], 0);
	rig_pass_ms(r, 200);
	assert_int_equal(rig_counters(r, 1).rx_packets, 1);
	rig_port_del(r, 1);
	rig_port_add(r, 1);
	rig_settle(r);
	rig_expect(r, 2, 3);
	assert_int_equal(rig_told(r).failed, 1);
}

/* --- what the control thread does -------------------------------------------- */

static struct packet *control_packet(struct rig *r, uint32_t in_port)
{
	struct packet *p = r->ops->packet_alloc(r->dp);
	uint32_t len = rig_frame(r, 1, 2, 9);

	assert_non_null(p);
	packet_fill(p, r->frame, len);
	p->in_port = in_port;
	return p;
}

static void execute(struct rig *r, uint32_t in_port, const char *actions)
{
	struct policy *p = rig_policy(actions);

	r->ops->execute(r->dp, control_packet(r, in_port), acts_list(&p->acts));
	free(p);
}

static void a_list_is_executed_without_asking(void **state)
{
	struct rig *r = *state;

	rig_say(r, "drop(rule)");
	execute(r, 0, "output:2,push_vlan(vid=1),output:3");
	rig_expect(r, 2, 1);
	rig_expect(r, 3, 1);
	execute(r, 4, "drop(ttl)");
	execute(r, 4, "");
	assert_int_equal(rig_drops(r, 4, DROP_TTL), 1);
	assert_int_equal(rig_drops(r, 4, DROP_NO_RULE), 1);
	execute(r, 0, "drop(ttl)"); /* came in nowhere: counted nowhere */
	execute(r, 0, "");
	execute(r, DP_MAX_PORTS + 1, "output:77");
	execute(r, UINT32_MAX, "drop(ttl)");
	execute(r, 5, "output:77");
	assert_int_equal(rig_drops(r, 5, DROP_NO_PORT), 1);
	assert_int_equal(rig_drops_all(r), 3);
	assert_int_equal(rig_told(r).translated, 0);
	assert_int_equal(rig_told(r).applied, 0);
	assert_int_equal(rig_stats(r).flows, 0);
}

static void what_is_executed_need_not_be_a_frame(void **state)
{
	struct rig *r = *state;
	struct policy *p = rig_policy("output:2");
	struct packet *k = r->ops->packet_alloc(r->dp);

	packet_fill(k, "abc", 3);
	r->ops->execute(r->dp, k, acts_list(&p->acts));
	free(p);
	rig_expect(r, 2, 1);
}

/* So that what is not set is not zero by chance. */
static __attribute__((noinline)) void leave_dirt_on_the_stack(void)
{
	volatile uint8_t dirt[8192];

	for (size_t i = 0; i < sizeof(dirt); i++)
		dirt[i] = 0xff;
}

static void an_injected_packet_is_as_one_received(void **state)
{
	struct rig *r = *state;
	struct told t;

	rig_decide(r, say_next_port);
	leave_dirt_on_the_stack();
	r->ops->inject(r->dp, control_packet(r, 4));
	rig_expect(r, 5, 1);
	rig_say(r, "output:2,drop(storm)");
	rig_pass_ms(r, 70);
	for (unsigned i = 0; i < 3; i++)
		r->ops->inject(r->dp, control_packet(r, 4));
	rig_expect(r, 2, 3);
	assert_int_equal(rig_drops(r, 4, DROP_STORM), 3);
	t = rig_told(r);
	assert_int_equal(t.translated, 4);
	assert_int_equal(t.packets, 3);
	assert_int_equal(t.last.in_port, 4);
	assert_int_equal(t.last.bytes, 64);
	assert_int_equal(t.last.used_ms, RIG_START_NS / 1000000 + 70);
	assert_int_equal(rig_counters(r, 4).rx_packets, 0);
}

static void a_broken_packet_may_be_injected(void **state)
{
	struct rig *r = *state;
	struct packet *p = r->ops->packet_alloc(r->dp);

	rig_say(r, "output:2");
	packet_fill(p, "abc", 3);
	p->in_port = 4;
	r->ops->inject(r->dp, p);
	assert_int_equal(rig_drops(r, 4, DROP_TRUNCATED), 1);
	assert_int_equal(rig_told(r).translated, 0);
}

/* Ten times what any pool has. */
static void every_packet_of_the_control_thread_comes_back(void **state)
{
	struct rig *r = *state;

	rig_say(r, "drop(rule)");
	for (unsigned i = 0; i < 20000; i++)
		if (i % 2)
			r->ops->inject(r->dp, control_packet(r, 1));
		else
			execute(r, 1, i % 4 ? "output:77" : "");
}

/* --- punts ------------------------------------------------------------------- */

static void a_punt_brings_the_packet_as_it_is_then(void **state)
{
	struct rig *r = *state;
	struct told t;

	rig_say(r, "output:2,push_vlan(vid=5),punt(too-big,0x9),pop_vlan,"
		   "output:3");
	rig_send_n(r, 4, 2);
	rig_settle(r);
	rig_send_n(r, 7, 2); /* the same worker's */
	rig_settle(r);
	rig_expect(r, 2, 4);
	rig_expect(r, 3, 4);
	t = rig_told(r);
	assert_int_equal(t.punted, 4);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(t.punt[i].in_port, i < 2 ? 4 : 7);
		assert_int_equal(t.punt[i].key_port, i < 2 ? 4 : 7);
		assert_int_equal(t.punt[i].len, 68);
		assert_int_equal(t.punt[i].head[12], 0x81);
		assert_int_equal(t.punt[i].action.reason, PUNT_TOO_BIG);
		assert_int_equal(t.punt[i].action.userdata[0], 9);
	}
	/* A packet that was only punted was not dropped. */
	rig_say(r, "punt(arp)");
	rig_send_n(r, 4, 2);
	execute(r, 4, "punt(arp)");
	rig_settle(r);
	assert_int_equal(rig_told(r).punted, 7);
	assert_int_equal(rig_drops_all(r), 0);
}

/* Its own key, not that of another packet of the batch. */
static void a_punt_brings_the_key_of_its_packet(void **state)
{
	struct rig *r = *state;
	struct told t;

	rig_say(r, "output:2,punt(arp)");
	rig_port_del(r, 4);
	for (uint32_t i = 0; i < 20; i++)
		rig_send(r, 4, 1 + i % 7, 9);
	rig_port_add(r, 4);
	rig_settle(r);
	t = rig_told(r);
	assert_int_equal(t.punted, 20);
	for (uint32_t i = 0; i < 20; i++) {
		assert_int_equal(t.punt[i].key_src, 1 + i % 7);
		assert_int_equal(t.punt[i].head[11], 1 + i % 7);
	}
}

static void a_punt_over_the_quota_is_a_drop_of_its_port(void **state)
{
	struct rig *r = *state;

	r->punts_allowed = 3;
	rig_say(r, "punt(arp),output:2");
	rig_send_n(r, 4, 10);
	rig_settle(r);
	rig_expect(r, 2, 10); /* the list goes on */
	assert_int_equal(rig_told(r).punted, 3);
	assert_int_equal(rig_drops(r, 4, DROP_PUNT_QUOTA), 7);
	assert_int_equal(rig_drops_all(r), 7);
}

/* --- meters ------------------------------------------------------------------ */

static unsigned passes(struct rig *r, unsigned n)
{
	rig_send_n(r, 1, n);
	rig_settle(r);
	return rig_drain(r, 2);
}

static void meter(struct rig *r, uint64_t rate, uint64_t burst)
{
	assert_int_equal(r->ops->meter_set(r->dp, 5, rate, burst), 0);
}

static void a_meter_lets_its_rate_and_its_burst_pass(void **state)
{
	struct rig *r = *state;

	rig_say(r, "meter:5,output:2");
	assert_int_equal(passes(r, 30), 30); /* never set: no limit */
	meter(r, 20, 7);
	assert_int_equal(passes(r, 30), 7);
	assert_int_equal(rig_drops(r, 1, DROP_METER), 23);
	assert_int_equal(passes(r, 5), 0);
	rig_pass_ms(r, 50);
	assert_int_equal(passes(r, 5), 1);
	rig_pass_ms(r, 200);
	assert_int_equal(passes(r, 5), 4);
	rig_pass_ms(r, 60000);
	assert_int_equal(passes(r, 30), 7); /* saves no more than a burst */
	/* One that passes nothing at once lets one packet pass at least. */
	meter(r, 20, 0);
	assert_int_equal(passes(r, 5), 1);
}

static void a_meter_set_anew_holds_at_once(void **state)
{
	struct rig *r = *state;

	rig_say(r, "meter:5,output:2");
	meter(r, 1, 100);
	assert_int_equal(passes(r, 150), 100);
	meter(r, 1, 100);
	assert_int_equal(passes(r, 50), 0); /* the same as before */
	/* No debt of the slow one is left. */
	meter(r, 1000, 10);
	assert_int_equal(passes(r, 50), 10);
	rig_pass_ms(r, 5);
	assert_int_equal(passes(r, 50), 5);
	meter(r, 0, 0);
	assert_int_equal(passes(r, 50), 50);
	meter(r, UINT64_MAX, UINT64_MAX);
	assert_int_equal(passes(r, 50), 50);
	meter(r, 1, UINT64_MAX);
	assert_int_equal(passes(r, 50), 50);
}

static void meters_have_numbers(void **state)
{
	struct rig *r = *state;

	assert_int_equal(r->ops->meter_set(r->dp, 0, 1, 1), -EINVAL);
	assert_int_equal(r->ops->meter_set(r->dp, DP_MAX_METERS, 1, 1),
			 -EINVAL);
	assert_int_equal(r->ops->meter_set(r->dp, DP_MAX_METERS - 1, 1, 1), 0);
	rig_say(r, "meter:65535,output:2");
	assert_int_equal(passes(r, 5), 1);
	rig_say(r, "meter:65536,meter:4294967295,output:2");
	assert_int_equal(passes(r, 5), 5);
}

static void a_meter_holds_for_what_is_executed(void **state)
{
	struct rig *r = *state;

	meter(r, 10, 2);
	for (unsigned i = 0; i < 5; i++)
		execute(r, 4, "meter:5,output:2");
	rig_expect(r, 2, 2);
	assert_int_equal(rig_drops(r, 4, DROP_METER), 3);
	rig_pass_ms(r, 100);
	execute(r, 4, "meter:5,output:2");
	rig_expect(r, 2, 1);
}

/* Shared by all ports, whichever thread serves them. */
static void a_meter_is_one_for_all(void **state)
{
	struct rig *r = *state;

	rig_say(r, "meter:5,output:2");
	meter(r, 1, 40);
	for (uint32_t i = 3; i <= RIG_PORTS; i++)
		rig_send_n(r, i, 20);
	rig_settle(r);
	rig_expect(r, 2, 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(a_frame_goes_where_the_verdict_says),
		RIG_TEST(a_list_is_run_from_its_front),
		/* Who waits for userspace may be overtaken in the kernel. */
		RIG_TEST_HERE(frames_leave_in_the_order_they_came),
		RIG_TEST(ports_do_not_mix_their_frames),
		RIG_TEST(a_drop_is_counted_where_the_frame_came_in),
		RIG_TEST(an_empty_list_drops_as_the_verdict_says),
		/* No device takes such. */
		RIG_TEST_HERE(what_is_executed_need_not_be_a_frame),
		RIG_TEST_HERE(a_frame_without_a_header_is_not_asked_about),
		RIG_TEST(a_port_that_is_down_counts_what_it_should_send),
		RIG_TEST(a_number_is_given_once),
		RIG_TEST(a_port_taken_out_moves_nothing_more),
		RIG_TEST(a_port_may_be_destroyed_amid_its_traffic),
		RIG_TEST(a_port_that_fails_is_left_alone),
		RIG_TEST(a_list_is_executed_without_asking),
		RIG_TEST(an_injected_packet_is_as_one_received),
		RIG_TEST(a_broken_packet_may_be_injected),
		RIG_TEST(every_packet_of_the_control_thread_comes_back),
		RIG_TEST(a_punt_brings_the_packet_as_it_is_then),
		RIG_TEST(a_punt_brings_the_key_of_its_packet),
		RIG_TEST(a_punt_over_the_quota_is_a_drop_of_its_port),
		RIG_TEST(a_meter_lets_its_rate_and_its_burst_pass),
		RIG_TEST(a_meter_set_anew_holds_at_once),
		RIG_TEST(meters_have_numbers),
		RIG_TEST(a_meter_holds_for_what_is_executed),
		RIG_TEST(a_meter_is_one_for_all),
	};

	return RIG_RUN(tests);
}
