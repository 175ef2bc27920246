/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of dp.h: what is kept of verdicts, for whom, and for how long.
 *
 *      test --> [port 1] --> datapath under test --> [port 2..8] --> test */
#include <setjmp.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "dp/contract_rig.h"
#include "dp/fake.h"

#define FRAME 64u /* bytes of rig_send's */

/* --- dumps and statistics ---------------------------------------------------- */

struct dumped {
	struct rig *r;
	unsigned n, of_port[RIG_PORTS + 1];
	struct flow_key key; /* of the last */
	struct flow_mask mask;
	struct dp_flow last;
	bool outputs_only; /* every list was what the policy says */
};

static void note_flow(void *ctx, const struct dp_flow *f)
{
	struct dumped *d = ctx;

	d->n++;
	d->of_port[f->key->in_port]++;
	d->key = *f->key;
	d->mask = *f->mask;
	d->last = *f;
	d->outputs_only &=
		act_list_equal(f->actions, acts_list(&d->r->policy->acts));
}

static struct dumped dump(struct rig *r, uint32_t max)
{
	struct dumped d = { .r = r, .outputs_only = true };

	r->ops->flow_dump(r->dp, max, note_flow, &d);
	return d;
}

static void a_flow_is_dumped_as_it_is(void **state)
{
	struct rig *r = *state;
	struct flow_mask mask = { 0 };
	struct flow_key key = { .in_port = 4,
				.eth_src = { { 2, 0, 0, 0, 1, 0 } },
				.eth_dst = { { 2, 0, 0, 0, 0, 9 } } };
	struct dumped d;

	MASK_SET(&mask, in_port);
	MASK_SET(&mask, eth_dst);
	MASK_SET(&mask, eth_src);
	rig_say(r, "output:2,push_vlan(vid=3),output:3");
	for (unsigned i = 0; i < 3; i++)
		rig_send(r, 4, 256, 9);
	rig_settle(r);
	rig_pass_ms(r, 70);
	rig_send(r, 4, 256, 9);
	rig_settle(r);
	d = dump(r, 100);
	assert_int_equal(d.n, 1);
	assert_memory_equal(&d.key, &key, sizeof(key));
	assert_memory_equal(&d.mask, &mask, sizeof(mask));
	assert_true(d.outputs_only);
	assert_int_equal(d.last.packets, 4);
	assert_int_equal(d.last.bytes, 4 * FRAME);
	assert_int_equal(d.last.used_ms, RIG_START_NS / 1000000 + 70);
	assert_true(d.last.fresh);
	assert_true(d.last.worker < 3);
	stamp_bump(r->stamps, STAMP_SNAPSHOT);
	assert_false(dump(r, 100).last.fresh);
}

static void a_dump_gives_no_more_than_asked(void **state)
{
	struct rig *r = *state;

	rig_say(r, "output:2");
	for (uint32_t i = 0; i < 60; i++)
		rig_send(r, 1 + i % RIG_PORTS, i, 9);
	rig_settle(r);
	assert_int_equal(dump(r, 0).n, 0);
	assert_int_equal(dump(r, 1).n, 1);
	assert_int_equal(dump(r, 59).n, 59);
	assert_int_equal(dump(r, UINT32_MAX).n, 60);
	assert_int_equal(dump(r, UINT32_MAX).of_port[1], 8);
	assert_true(dump(r, UINT32_MAX).outputs_only);
}

static void every_packet_is_a_hit_a_miss_or_stale(void **state)
{
	struct rig *r = *state;
	struct dp_stats s;

	rig_say(r, "output:2");
	rig_send_n(r, 1, 5);
	rig_settle(r);
	rig_say(r, "output:3");
	rig_send_n(r, 1, 3);
	rig_send_n(r, 4, 2);
	rig_settle(r);
	s = rig_stats(r);
	assert_int_equal(s.misses, 2);
	assert_int_equal(s.stale, 1);
	assert_int_equal(s.hits, 4 + 2 + 1);
	assert_int_equal(s.flows, 2);
	assert_int_equal(s.masks, 2);
	assert_int_equal(s.uncacheable, 0);
	assert_int_equal(s.replaced, 0);
	assert_int_equal(s.merged, 0);
	/* What a flow had counted stays its own when it is translated anew. */
	rig_port_del(r, 4);
	assert_int_equal(dump(r, 9).n, 1);
	assert_int_equal(dump(r, 9).last.packets, 8);
	assert_int_equal(dump(r, 9).last.bytes, 8 * FRAME);
	rig_expect(r, 2, 5);
	rig_expect(r, 3, 5);
}

static void say_for_this_packet_only(const struct policy *p UNUSED,
				     const struct flow_key *key UNUSED,
				     struct verdict *v)
{
	v->cacheable = false;
	acts_output(&v->actions, 2);
}

static void a_verdict_may_be_for_one_packet_only(void **state)
{
	struct rig *r = *state;

	rig_decide(r, say_for_this_packet_only);
	rig_send_n(r, 1, 50);
	rig_settle(r);
	rig_expect(r, 2, 50);
	assert_int_equal(rig_told(r).translated, 50);
	assert_int_equal(rig_stats(r).uncacheable, 50);
	assert_int_equal(rig_stats(r).misses, 50);
	assert_int_equal(rig_stats(r).flows, 0);
}

/* --- fresh and stale --------------------------------------------------------- */

/* Frames are on their way all the time; those that came after the barrier meet
 * what was published. */
static void after_the_barrier_all_meet_what_was_published(void **state)
{
	struct rig *r = *state;
	struct packet *p;

	rig_say(r, "output:2");
	for (unsigned round = 0; round < 40; round++) {
		uint32_t to = 2 + (round + 1) % 2, old = 2 + round % 2;
		uint32_t since;

		rig_send_n(r, 1, 50);
		rig_say(r, to == 2 ? "output:2" : "output:3");
		since = (uint32_t)r->given[1];
		rig_send_n(r, 1, 50);
		rig_settle(r);
		while ((p = rig_take(r, old))) {
			assert_true(rig_number(p) < since);
			packet_free(p);
		}
		assert_true(rig_drain(r, to) >= 50);
	}
}

/* One packet is amid its translation, by what was published before. */
static void the_barrier_waits_for_who_is_inside(void **state)
{
	struct rig *r = *state;

	rig_say(r, "output:2");
	rig_gate_shut(r, 1);
	rig_send_n(r, 1, 1);
	rig_gate_reached(r);
	rig_gate_open_soon(r);
	rig_say(r, "output:3");
	assert_true(rig_gate_was_open(r));
	rig_expect(r, 2, 1); /* sent already */
	rig_send_n(r, 1, 1);
	rig_settle(r);
	rig_expect(r, 3, 1);
}

static void change_the_world(struct rig *r)
{
	stamp_bump(r->stamps, STAMP_SNAPSHOT);
}

static void what_changes_amid_translation_makes_it_stale(void **state)
{
	struct rig *r = *state;

	rig_say(r, "output:2");
	__atomic_store_n(&r->on_translate, change_the_world, __ATOMIC_RELEASE);
	rig_send_n(r, 1, 10);
	rig_settle(r);
	assert_int_equal(rig_stats(r).misses, 1);
	assert_int_equal(rig_stats(r).stale, 9);
	assert_int_equal(rig_stats(r).hits, 0);
	rig_expect(r, 2, 10);
}

/* Where each station is; who looks notes the stamp of the station. */
static struct stamps *place_stamps;
static uint32_t place[256]; /* atomic */

static uint32_t place_slot(uint8_t station)
{
	return 1000u + station;
}

static void say_place(const struct policy *p UNUSED, const struct flow_key *key,
		      struct verdict *v)
{
	uint8_t station = key->eth_dst.b[5];

	MASK_SET(&v->mask, eth_dst);
	verdict_add_dep(v, stamp_read(place_stamps, place_slot(station)));
	acts_output(&v->actions,
		    __atomic_load_n(&place[station], __ATOMIC_RELAXED));
}

static void a_change_makes_stale_what_looked_at_it_alone(void **state)
{
	struct rig *r = *state;
	struct dp_stats before, s;

	place_stamps = r->stamps;
	for (unsigned i = 0; i < 256; i++)
		place[i] = 2;
	rig_decide(r, say_place);
	for (uint32_t i = 0; i < 200; i++)
		rig_send(r, 1, 7, i);
	rig_settle(r);
	rig_expect(r, 2, 200);
	before = rig_stats(r);
	__atomic_store_n(&place[42], 3, __ATOMIC_RELAXED);
	stamp_bump(r->stamps, place_slot(42));
	for (uint32_t i = 0; i < 200; i++)
		rig_send(r, 1, 7, i);
	rig_settle(r);
	rig_expect(r, 2, 199);
	rig_expect(r, 3, 1);
	s = rig_stats(r);
	assert_int_equal(s.stale, before.stale + 1);
	assert_int_equal(s.hits, before.hits + 199);
	assert_int_equal(s.misses, before.misses);
	assert_int_equal(s.flows, 200);
}

/* Looks at less when the rules are other ones. */
static void say_looking_narrowly(const struct policy *p UNUSED,
				 const struct flow_key *key UNUSED,
				 struct verdict *v)
{
	MASK_SET(&v->mask, eth_src);
	MASK_SET(&v->mask, eth_dst);
	acts_output(&v->actions, 2);
}

static void say_looking_broadly(const struct policy *p UNUSED,
				const struct flow_key *key UNUSED,
				struct verdict *v)
{
	acts_output(&v->actions, 3);
}

/* What is stale is in nobody's way: one packet is translated anew, not all. */
static void a_stale_flow_is_translated_anew_once(void **state)
{
	struct rig *r = *state;

	for (unsigned round = 0; round < 6; round++) {
		rig_decide(r, round % 2 ? say_looking_broadly :
					  say_looking_narrowly);
		rig_send_n(r, 1, 20);
		rig_settle(r);
		assert_int_equal(rig_stats(r).flows, 1);
	}
	assert_int_equal(rig_stats(r).misses, 1);
	assert_int_equal(rig_stats(r).stale, 5);
	assert_int_equal(rig_stats(r).hits, 6 * 19);
	rig_expect(r, 2, 60);
	rig_expect(r, 3, 60);
}

static void say_what_it_does_not_tell(const struct policy *p UNUSED,
				      const struct flow_key *key,
				      struct verdict *v)
{
	acts_output(&v->actions, key->eth_src.b[5] ? 2 : 3);
}

/* Of the fake alone: that is what it is for. */
static void a_mask_that_lacks_something_is_noticed(void **state)
{
	struct rig *r = *state;

	rig_decide(r, say_what_it_does_not_tell);
	rig_send(r, 1, 0, 1);
	rig_settle(r);
	assert_int_equal(dp_fake_wrong(r->dp), 0);
	rig_send(r, 1, 1, 1);
	rig_settle(r);
	assert_int_equal(dp_fake_wrong(r->dp), 1);
	rig_expect(r, 2, 1); /* what translation says is done */
}

/* --- what is told of use ----------------------------------------------------- */

static void a_miss_is_told_at_once(void **state)
{
	struct rig *r = *state;
	struct told t;

	rig_say(r, "output:2");
	rig_send_n(r, 4, 1);
	rig_settle(r);
	t = rig_told(r);
	assert_int_equal(t.applied, 1);
	assert_int_equal(t.last.in_port, 4);
	assert_int_equal(t.last.packets, 1);
	assert_int_equal(t.last.bytes, FRAME);
	assert_int_equal(t.last.used_ms, RIG_START_NS / 1000000);
	assert_false(t.last.past);
	/* The rest by the next sweep; then nothing, as nothing passed. */
	rig_pass_ms(r, 50);
	rig_send_n(r, 4, 9);
	rig_settle(r);
	rig_pass_ms(r, 1500);
	t = rig_told(r);
	assert_int_equal(t.packets, 10);
	assert_int_equal(t.bytes, 10 * FRAME);
	assert_int_equal(t.last.in_port, 4);
	assert_int_equal(t.last.used_ms, RIG_START_NS / 1000000 + 50);
	assert_int_equal(t.past, 0);
	rig_pass_ms(r, 1500);
	assert_int_equal(rig_told(r).applied, t.applied);
}

static void no_effects_nothing_told(void **state)
{
	struct rig *r = *state;

	place_stamps = r->stamps;
	rig_decide(r, say_place);
	rig_send_n(r, 1, 5);
	rig_settle(r);
	rig_pass_ms(r, 1500);
	assert_int_equal(rig_told(r).applied, 0);
}

/* Sweeps, stale flows, full quotas, idle flows, a port that goes. */
static void every_packet_is_told_once(void **state)
{
	const struct dp_config c = { .n_workers = 2,
				     .flows_per_port = 16,
				     .flows_max = 40,
				     .flow_idle_ms = 1500 };
	struct rig *r = rig_again(state, &c);
	uint64_t seed = 3, n = 0;
	struct told t;

	for (unsigned round = 0; round < 30; round++) {
		rig_say(r, round % 2 ? "output:2" : "output:3,output:4");
		for (unsigned i = 0; i < 150; i++, n++)
			rig_send(r, 1 + i % 5, frame_random(&seed, 24), 9);
		rig_settle(r);
		if (round % 3 == 0)
			rig_pass_ms(r, 100 * frame_random(&seed, 30));
		if (round % 4 == 0) {
			rig_port_del(r, 5);
			rig_port_add(r, 5);
		}
		for (uint32_t i = 2; i <= 4; i++)
			rig_drain(r, i);
	}
	rig_pass_ms(r, 1500);
	t = rig_told(r);
	assert_int_equal(t.packets, n);
	assert_int_equal(t.bytes, n * FRAME);
}

/* Only one that keeps flows has anything to tell late. */
static void nothing_is_learned_from_what_is_past(void **state)
{
	struct rig *r = *state;
	struct told t;

	rig_say(r, "output:2");
	rig_send_n(r, 1, 5);
	rig_settle(r);
	rig_say(r, "output:3");
	rig_send_n(r, 1, 1); /* translated anew: the four hits are told */
	rig_settle(r);
	t = rig_told(r);
	assert_int_equal(t.packets, 6);
	assert_int_equal(t.past, 4);
	rig_send_n(r, 1, 3);
	rig_settle(r);
	stamp_bump(r->stamps, STAMP_SNAPSHOT);
	rig_pass_ms(r, 1500); /* stale when the sweep comes */
	assert_int_equal(rig_told(r).packets, 9);
	assert_int_equal(rig_told(r).past, 7);
	assert_true(rig_told(r).last.past);
}

/* --- limits ------------------------------------------------------------------ */

static void a_full_port_replaces_its_own_flows(void **state)
{
	const struct dp_config c = { .n_workers = 1, .flows_per_port = 16 };
	struct rig *r = rig_again(state, &c);
	struct dumped d;

	rig_say(r, "output:3");
	for (uint32_t i = 0; i < 10; i++)
		rig_send(r, 2, i, 9);
	rig_settle(r);
	for (uint32_t i = 0; i < 300; i++)
		rig_send(r, 1, i, 9);
	rig_settle(r);
	rig_expect(r, 3, 310);
	d = dump(r, UINT32_MAX);
	assert_int_equal(d.of_port[1], 16);
	assert_int_equal(d.of_port[2], 10);
	assert_int_equal(rig_stats(r).flows, 26);
	assert_int_equal(rig_stats(r).replaced, 300 - 16);
	/* Who was there first is there still. */
	for (uint32_t i = 0; i < 10; i++)
		rig_send(r, 2, i, 9);
	rig_settle(r);
	assert_int_equal(rig_stats(r).hits, 10);
}

static void a_full_datapath_has_room_for_a_new_port(void **state)
{
	const struct dp_config c = { .n_workers = 1,
				     .flows_per_port = 30,
				     .flows_max = 40 };
	struct rig *r = rig_again(state, &c);

	rig_say(r, "output:3");
	for (uint32_t i = 0; i < 30; i++) {
		rig_send(r, 1, i, 9);
		rig_send(r, 2, i, 9);
	}
	rig_settle(r);
	assert_int_equal(rig_stats(r).flows, 40);
	rig_send(r, 4, 1, 9);
	rig_send(r, 4, 1, 9);
	rig_settle(r);
	assert_int_equal(dump(r, 100).of_port[4], 1);
	assert_int_equal(rig_stats(r).hits, 1);
	assert_int_equal(rig_stats(r).flows, 40);
	rig_expect(r, 3, 62);
}

static void a_full_datapath_is_shared_evenly(void **state)
{
	const struct dp_config c = { .n_workers = 1,
				     .flows_per_port = 30,
				     .flows_max = 40 };
	struct rig *r = rig_again(state, &c);

	rig_say(r, "output:3");
	for (uint32_t i = 0; i < 25; i++)
		rig_send(r, 1, i, 9);
	rig_settle(r);
	for (uint32_t i = 0; i < 60; i++)
		rig_send(r, 2, i, 9);
	rig_settle(r);
	assert_int_equal(dump(r, 100).of_port[1], 20);
	assert_int_equal(dump(r, 100).of_port[2], 20);
	rig_expect(r, 3, 85);
}

static void an_idle_flow_goes(void **state)
{
	const struct dp_config c = { .n_workers = 2, .flow_idle_ms = 3000 };
	struct rig *r = rig_again(state, &c);

	rig_say(r, "output:2");
	rig_send(r, 1, 1, 9);
	rig_send(r, 1, 2, 9);
	rig_settle(r);
	for (unsigned i = 0; i < 5; i++) {
		rig_pass_ms(r, 900);
		if (i == 1)
			assert_int_equal(rig_stats(r).flows, 2);
		rig_send(r, 1, 2, 9);
		rig_settle(r);
	}
	assert_int_equal(rig_stats(r).flows, 1);
	assert_int_equal(dump(r, 9).key.eth_src.b[5], 2);
	assert_int_equal(rig_stats(r).misses, 2);
	rig_pass_ms(r, 4200);
	assert_int_equal(rig_stats(r).flows, 0);
}

/* A few bits of the source say what else is looked at: up to 256 masks. */
static void say_with_many_masks(const struct policy *p UNUSED,
				const struct flow_key *key, struct verdict *v)
{
	uint8_t bits = key->eth_src.b[5];

	MASK_SET(&v->mask, eth_src);
	if (bits & 1)
		MASK_SET(&v->mask, eth_dst);
	if (bits & 2)
		MASK_SET(&v->mask, ip4_src);
	if (bits & 4)
		MASK_SET(&v->mask, ip4_dst);
	if (bits & 8)
		MASK_SET(&v->mask, ip_ttl);
	if (bits & 16)
		MASK_SET(&v->mask, tp_src);
	if (bits & 32)
		MASK_SET(&v->mask, tp_dst);
	if (bits & 64)
		MASK_SET(&v->mask, vlan);
	acts_output(&v->actions,
		    bits & 1 ? 4 + key->eth_dst.b[5] % 4u : 2 + bits % 8 / 4u);
}

static void a_port_has_a_few_masks_at_most(void **state)
{
	const struct dp_config c = { .n_workers = 1 };
	struct rig *r = rig_again(state, &c);
	unsigned want[RIG_PORTS + 1] = { 0 };
	uint64_t seed = 5;

	rig_decide(r, say_with_many_masks);
	rig_send(r, 2, 64, 0); /* a quiet neighbour */
	want[2]++;
	rig_settle(r);
	for (unsigned i = 0; i < 900; i++) {
		uint8_t from = (uint8_t)frame_random(&seed, 256);
		uint8_t to = (uint8_t)frame_random(&seed, 256);

		rig_send(r, 1, from, to);
		want[from & 1 ? 4 + to % 4u : 2 + from % 8 / 4u]++;
	}
	rig_settle(r);
	for (uint32_t i = 1; i <= RIG_PORTS; i++)
		rig_expect(r, i, want[i]);
	assert_true(rig_stats(r).masks <= 2 * DP_MAX_MASKS);
	assert_true(rig_stats(r).masks >= 2);
	assert_true(rig_stats(r).merged > 0);
	assert_int_equal(dump(r, UINT32_MAX).of_port[2], 1);
	if (r->is->poll)
		assert_int_equal(dp_fake_wrong(r->dp), 0);
}

/* --- the kernel's part --------------------------------------------------------- */

/* How many of twenty frames stayed in the kernel. */
static uint64_t kept_by_the_kernel(struct rig *r)
{
	uint64_t before = rig_stats(r).kernel_hits;

	for (unsigned i = 0; i < 20; i++) {
		rig_send(r, 1, 1, 2);
		rig_settle(r);
	}
	return rig_stats(r).kernel_hits - before;
}

static void set_state(struct rig *r, enum port_state s)
{
	port_set_state(r->port[2], s);
	accel_port_touch(r->accel, r->port[2]);
}

static void a_known_flow_stays_in_the_kernel(void **state)
{
	struct rig *r = *state;

	rig_say(r, "output:2");
	assert_int_equal(kept_by_the_kernel(r), 18);
	assert_int_equal(rig_stats(r).in_kernel, 1);
	assert_int_equal(kept_by_the_kernel(r), 20);
	rig_expect(r, 2, 40);
	assert_true(dump(r, 1).last.in_kernel);
	assert_null(dump(r, 1).last.not_in_kernel);
}

static void what_is_not_in_the_kernel_has_its_reason(void **state)
{
	struct rig *r = *state;

	rig_say(r, "meter:5,output:2");
	rig_send_n(r, 1, 1);
	rig_settle(r);
	assert_int_equal(kept_by_the_kernel(r), 0);
	assert_false(dump(r, 1).last.in_kernel);
	assert_string_equal(dump(r, 1).last.not_in_kernel,
			    accel_no_text(ACCEL_NO_ACTION));
	/* Another verdict, another answer. */
	rig_say(r, "output:2");
	assert_true(kept_by_the_kernel(r) >= 18);
	assert_null(dump(r, 1).last.not_in_kernel);
	set_state(r, PORT_DOWN);
	assert_int_equal(kept_by_the_kernel(r), 0);
	assert_string_equal(dump(r, 1).last.not_in_kernel,
			    accel_no_text(ACCEL_NO_OUT));
}

static void a_port_that_was_down_is_served_by_the_kernel_again(void **state)
{
	struct rig *r = *state;

	rig_say(r, "output:2");
	kept_by_the_kernel(r);
	set_state(r, PORT_DOWN);
	assert_int_equal(kept_by_the_kernel(r), 0);
	assert_int_equal(rig_drops(r, 2, DROP_PORT_DOWN), 20);
	set_state(r, PORT_UP);
	assert_true(kept_by_the_kernel(r) >= 18);
	rig_expect(r, 2, 40);
	assert_int_equal(rig_stats(r).in_kernel, 1);
}

static void an_mtu_that_grows_brings_the_flow_back(void **state)
{
	struct rig *r = *state;

	rig_say(r, "output:2");
	kept_by_the_kernel(r);
	r->port[2]->mtu = 40; /* the frames have 50 bytes of layer 3 */
	accel_port_touch(r->accel, r->port[2]);
	assert_int_equal(kept_by_the_kernel(r), 0);
	assert_int_equal(rig_drops(r, 1, DROP_TOO_BIG), 20);
	r->port[2]->mtu = 1500;
	accel_port_touch(r->accel, r->port[2]);
	assert_true(kept_by_the_kernel(r) >= 18);
	rig_expect(r, 2, 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(a_flow_is_dumped_as_it_is),
		RIG_TEST(a_dump_gives_no_more_than_asked),
		RIG_TEST(every_packet_is_a_hit_a_miss_or_stale),
		RIG_TEST(a_verdict_may_be_for_one_packet_only),
		RIG_TEST(after_the_barrier_all_meet_what_was_published),
		RIG_TEST_OF(the_barrier_waits_for_who_is_inside, user),
		RIG_TEST(what_changes_amid_translation_makes_it_stale),
		RIG_TEST(a_change_makes_stale_what_looked_at_it_alone),
		RIG_TEST(a_stale_flow_is_translated_anew_once),
		RIG_TEST_OF(a_mask_that_lacks_something_is_noticed, fake),
		RIG_TEST(a_miss_is_told_at_once),
		RIG_TEST(no_effects_nothing_told),
		RIG_TEST(every_packet_is_told_once),
		RIG_TEST_OF(nothing_is_learned_from_what_is_past, user),
		RIG_TEST(a_full_port_replaces_its_own_flows),
		RIG_TEST(a_full_datapath_has_room_for_a_new_port),
		RIG_TEST(a_full_datapath_is_shared_evenly),
		RIG_TEST(an_idle_flow_goes),
		RIG_TEST(a_port_has_a_few_masks_at_most),
		RIG_TEST_OF(a_known_flow_stays_in_the_kernel, bpf),
		RIG_TEST_OF(what_is_not_in_the_kernel_has_its_reason, bpf),
		RIG_TEST_OF(a_port_that_was_down_is_served_by_the_kernel_again,
			    bpf),
		RIG_TEST_OF(an_mtu_that_grows_brings_the_flow_back, bpf),
	};

	return RIG_RUN(tests);
}
