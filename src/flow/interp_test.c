/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/be.h"
#include "base/str.h"
#include "flow/extract.h"
#include "flow/interp.h"
#include "flow/packet_model.h"
#include "packet/checksum.h"
#include "packet/outer.h"
#include "packet/segment.h"

#define POOL 8u

/* Writes down what it is asked, as text, and gives packets back. */
struct bench {
	struct packet_pool *pool;
	struct acts *list;
	struct packet *p, *last; /* last: where the latest output was */
	struct str log;
	uint32_t random;
	bool meter_open;
	struct model m;
};

static void note_output(void *ctx, struct packet *p, uint32_t port)
{
	struct bench *b = ctx;

	str_addf(&b->log, "out %u len %u vlan %x; ", port, p->len,
		 p->data[12] == 0x81 ? get_be16(p->data + 14) : 0);
	assert_int_equal(p->max_len, 0);
	b->last = p;
	packet_free(p);
}

static void note_punt(void *ctx, const struct packet *p,
		      const struct act_punt *a)
{
	struct bench *b = ctx;

	str_addf(&b->log, "punt %s len %u word %x; ",
		 punt_reason_name((enum punt_reason)a->reason), p->len,
		 a->userdata[0]);
}

static bool note_meter(void *ctx, uint32_t id, const struct packet *p)
{
	struct bench *b = ctx;

	(void)p;
	str_addf(&b->log, "meter %u; ", id);
	return b->meter_open;
}

static void note_drop(void *ctx, const struct packet *p, enum drop reason)
{
	struct bench *b = ctx;

	(void)p;
	str_addf(&b->log, "drop %s; ", drop_name(reason));
}

static uint32_t note_random(void *ctx)
{
	struct bench *b = ctx;

	return b->random;
}

static const struct interp_ops ops = {
	.output = note_output,
	.punt = note_punt,
	.meter = note_meter,
	.drop = note_drop,
	.random = note_random,
};

static int setup(void **state)
{
	struct bench *b = xzalloc(sizeof(*b));

	b->pool = packet_pool_create(POOL);
	b->list = xzalloc(sizeof(*b->list));
	b->meter_open = true;
	b->m = (struct model){ .ttl = 64,
			       .proto = 17,
			       .ip4_src = 1,
			       .ip4_dst = 2,
			       .tp_dst = 9,
			       .payload_len = 58 };
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	assert_int_equal(packet_pool_free_count(b->pool), POOL);
	packet_pool_destroy(b->pool);
	str_fini(&b->log);
	free(b->list);
	free(b);
	return 0;
}

/* Runs a list on a packet of 100 bytes and compares what was noted. */
static void check(struct bench *b, const char *list, const char *want)
{
	struct interp in = { &ops, b, b->pool };
	struct err e = ERR_INIT;

	str_clear(&b->log);
	if (acts_parse(list, NULL, b->list, &e))
		fail_msg("%s: %s", list, e.text);
	b->p = packet_alloc(b->pool);
	assert_non_null(b->p);
	model_fill(&b->m, b->p);
	interp_run(&in, b->p, acts_list(b->list));
	assert_string_equal(str_text(&b->log), want);
}

static void the_packet_itself_leaves_last(void **state)
{
	struct bench *b = *state;

	check(b, "output:1", "out 1 len 100 vlan 0; ");
	assert_ptr_equal(b->last, b->p);
	check(b, "output:1,output:2,output:3",
	      "out 1 len 100 vlan 0; out 2 len 100 vlan 0; "
	      "out 3 len 100 vlan 0; ");
	assert_ptr_equal(b->last, b->p);
	check(b, "clone(clone(output:7))", "out 7 len 100 vlan 0; ");
	assert_ptr_equal(b->last, b->p);
	check(b, "output:1,pop_eth", "out 1 len 100 vlan 0; ");
	assert_ptr_not_equal(b->last, b->p);
}

static void a_copy_is_as_the_packet_was_at_that_point(void **state)
{
	struct bench *b = *state;

	check(b, "output:1,push_vlan(vid=5),output:2,pop_vlan,output:3",
	      "out 1 len 100 vlan 0; out 2 len 104 vlan 5; "
	      "out 3 len 100 vlan 0; ");
	check(b, "clone(push_vlan(vid=5),output:1),output:2",
	      "out 1 len 104 vlan 5; out 2 len 100 vlan 0; ");
}

static void a_list_that_sends_nothing_is_a_drop(void **state)
{
	struct bench *b = *state;

	check(b, "", "drop rule; ");
	check(b, "dec_ttl", "drop rule; ");
	check(b, "drop", "drop rule; ");
	check(b, "drop(storm),output:1", "drop storm; ");
	check(b, "punt(arp,0x9)", "punt arp len 100 word 9; ");
	check(b, "output:1,drop(loop)", "out 1 len 100 vlan 0; drop loop; ");
	check(b, "clone(drop(loop)),output:1",
	      "drop loop; out 1 len 100 vlan 0; ");
}

static void what_does_not_fit_drops(void **state)
{
	struct bench *b = *state;

	check(b, "pop_vlan,output:1", "drop action; ");
	check(b, "set(tcp_dst=80),output:1", "drop action; ");
	check(b, "clone(pop_mpls(0x0800),output:1),output:2",
	      "drop action; out 2 len 100 vlan 0; ");
	b->m.ttl = 1;
	check(b, "dec_ttl,output:1", "drop ttl; ");
	check(b, "output:1,dec_ttl,output:2",
	      "out 1 len 100 vlan 0; drop ttl; ");
}

static void a_cut_is_for_the_next_output_only(void **state)
{
	struct bench *b = *state;

	check(b, "truncate(64),output:1,output:2",
	      "out 1 len 64 vlan 0; out 2 len 100 vlan 0; ");
	check(b, "truncate(64),output:1", "out 1 len 64 vlan 0; ");
	check(b, "truncate(64),push_vlan(vid=5),output:1",
	      "out 1 len 64 vlan 5; ");
	check(b, "truncate(64),clone(output:1,output:3),output:2",
	      "out 1 len 64 vlan 0; out 3 len 100 vlan 0; "
	      "out 2 len 100 vlan 0; ");
}

static void a_sample_is_taken_with_its_probability(void **state)
{
	struct bench *b = *state;

	b->random = UINT32_MAX / 2;
	check(b, "sample(p=50%,output:9),output:1",
	      "out 9 len 100 vlan 0; out 1 len 100 vlan 0; ");
	b->random++;
	check(b, "sample(p=50%,output:9),output:1", "out 1 len 100 vlan 0; ");
	check(b, "sample(p=0%,output:9)", "drop rule; ");
	b->random = UINT32_MAX;
	check(b, "sample(p=100%,output:9)", "out 9 len 100 vlan 0; ");
	assert_ptr_equal(b->last, b->p);
}

static void a_meter_that_is_full_ends_the_list(void **state)
{
	struct bench *b = *state;

	check(b, "meter:3,output:1", "meter 3; out 1 len 100 vlan 0; ");
	b->meter_open = false;
	check(b, "meter:3,output:1", "meter 3; drop meter; ");
	check(b, "clone(meter:3,output:1),output:2",
	      "meter 3; drop meter; out 2 len 100 vlan 0; ");
}

static void too_long_a_packet_takes_the_other_way(void **state)
{
	struct bench *b = *state;

	check(b, "check_len(86,punt(too-big)),output:1",
	      "out 1 len 100 vlan 0; ");
	check(b, "check_len(85,punt(too-big,0x55)),output:1",
	      "punt too-big len 100 word 55; ");
	check(b, "output:2,check_len(85,output:3),output:1",
	      "out 2 len 100 vlan 0; out 3 len 100 vlan 0; ");
	assert_ptr_equal(b->last, b->p);
	check(b, "check_len(85),output:1", "drop too-big; ");
	b->m.n_vlans = 1;
	b->m.vlan[0] = (struct key_vlan){ 0x8100, 7 };
	check(b, "check_len(86),output:1", "out 1 len 104 vlan 7; ");
}

/* The packet that a large frame will be cut into is what has to fit. */
static void a_large_frame_is_as_long_as_its_segments(void **state)
{
	struct bench *b = *state;
	struct interp in = { &ops, b, b->pool };
	struct err e = ERR_INIT;

	b->m.proto = 6;
	b->m.partial = true;
	b->m.payload_len = 500;
	for (uint32_t max = 139; max <= 140; max++) {
		struct packet *p = packet_alloc(b->pool);

		model_fill(&b->m, p);
		p->gso_size = 100;
		p->gso_type = GSO_TCP4;
		acts_clear(b->list);
		acts_end(b->list, acts_begin(b->list, ACT_CHECK_LEN, max));
		acts_output(b->list, 1);
		assert_int_equal(acts_check(acts_list(b->list), false, &e), 0);
		str_clear(&b->log);
		interp_run(&in, p, acts_list(b->list));
		assert_string_equal(str_text(&b->log),
				    max < 140 ? "drop too-big; " :
						"out 1 len 554 vlan 0; ");
	}
}

/* Runs the list on a TCP frame of 500 bytes, to be cut into 200 and the rest. */
static void check_large(struct bench *b, const char *list, const char *want)
{
	struct interp in = { &ops, b, b->pool };
	struct packet *p = packet_alloc(b->pool);
	struct err e = ERR_INIT;
	struct flow_key key;

	b->m.proto = 6;
	b->m.partial = true;
	b->m.payload_len = 500;
	model_fill(&b->m, p);
	p->gso_size = 200;
	p->gso_type = GSO_TCP4;
	flow_key_init(&key);
	assert_int_equal(flow_extract(p, &key), DROP_NONE);
	str_clear(&b->log);
	if (acts_parse(list, NULL, b->list, &e))
		fail_msg("%s: %s", list, e.text);
	interp_run(&in, p, acts_list(b->list));
	assert_string_equal(str_text(&b->log), want);
}

static void what_a_large_frame_cannot_have_its_segments_get(void **state)
{
	struct bench *b = *state;

	check_large(b, "output:1,push_vlan(vid=5),output:2",
		    "out 1 len 554 vlan 0; out 2 len 558 vlan 5; ");
	check_large(b, "output:1,push_mpls,output:2",
		    "out 1 len 554 vlan 0; out 2 len 258 vlan 0; "
		    "out 2 len 258 vlan 0; out 2 len 158 vlan 0; ");
	check_large(b, "normal",
		    "drop unsupported; drop unsupported; "
		    "drop unsupported; ");
}

static void without_a_buffer_the_copy_is_lost_not_the_packet(void **state)
{
	struct bench *b = *state;
	struct packet *held[POOL];

	for (unsigned i = 0; i < POOL - 1; i++)
		held[i] = packet_alloc(b->pool);
	check(b, "output:1,clone(output:3),output:2",
	      "drop pool-empty; drop pool-empty; out 2 len 100 vlan 0; ");
	for (unsigned i = 0; i < POOL - 1; i++)
		packet_free(held[i]);
}

static void what_nobody_resolved_is_not_run(void **state)
{
	struct bench *b = *state;

	check(b, "normal,output:1", "drop unsupported; ");
	check(b, "resubmit(3)", "drop unsupported; ");
}

/* --- whatever the list, sums that were right are right --- */

struct judge {
	struct packet_pool *pool;
	struct acts *list;
	uint64_t seed;
	bool is_ip;
	unsigned n_right, n_wrong, n_segments, n_outer;
};

static uint16_t under_labels(const struct packet *p)
{
	uint16_t at = p->l3;

	while (!(get_be32(p->data + at) & ACT_MPLS_BOTTOM))
		at += 4;
	return at + 4;
}

/* Of the outermost packet: the IPv4 header's sum, and the transport's. */
static void judge_one(struct judge *j, struct packet *p)
{
	enum csum_state state;
	struct flow_key key;
	const uint8_t *ip;

	packet_csum_finish(p);
	flow_key_init(&key);
	(void)flow_extract(p, &key);
	if (!j->is_ip || p->l3 == PACKET_NO_LAYER)
		return;
	if (key.eth_type == 0x8847 || key.eth_type == 0x8848)
		p->l3 = under_labels(p);
	else if (key.eth_type != 0x0800 && key.eth_type != 0x86dd)
		return;
	state = packet_csum_verify(p);
	j->n_right += state == CSUM_RIGHT;
	j->n_wrong += state == CSUM_WRONG;
	ip = p->data + p->l3;
	if (ip[0] >> 4 == 4)
		j->n_wrong += model_sum(ip, (ip[0] & 0xfu) * 4u, 0) != 0xffff;
}

/* The packet, and what it carries. */
static void judge_layers(struct judge *j, struct packet *p)
{
	uint16_t inner = p->inner;

	judge_one(j, p);
	if (inner == PACKET_NO_LAYER)
		return;
	j->n_outer++;
	assert_true(packet_pull(p, inner));
	judge_one(j, p);
}

static void judge_segment(void *ctx, struct packet *p)
{
	struct judge *j = ctx;

	j->n_segments++;
	judge_layers(j, p);
	packet_free(p);
}

static void judge_output(void *ctx, struct packet *p, uint32_t port)
{
	struct judge *j = ctx;

	(void)port;
	if (packet_is_gso(p))
		assert_true(packet_segment(p, j->pool, judge_segment, j));
	else
		judge_layers(j, p);
	packet_free(p);
}

static void judge_drop(void *ctx, const struct packet *p, enum drop reason)
{
	(void)ctx;
	(void)p;
	(void)reason;
}

static void add_outer(struct judge *j)
{
	bool ip6 = model_rand(&j->seed, 2);
	struct packet_tunnel t = { .id = 5 };
	uint8_t headers[OUTER_MAX];
	struct eth_addr mac = { { 2 } };
	uint32_t n;

	t.src = ip6 ? ip_addr_from_ip6((struct ip6_addr){ { 0xfd } }) :
		      ip_addr_from_ip4(0x0a000001);
	t.dst = t.src;
	t.flags = ip6 || model_rand(&j->seed, 2) ? TUNNEL_F_CSUM : 0;
	n = outer_build(OUTER_VXLAN, (struct eth_addr[]){ mac, mac }, &t,
			headers, sizeof(headers));
	acts_push_outer(j->list, OUTER_VXLAN, headers, (uint16_t)n);
}

/* Edits that fit the packet, outputs between them, perhaps an encapsulation. */
static void random_list(struct judge *j, const struct model *start)
{
	struct model m = *start;
	unsigned n = model_rand(&j->seed, 8);

	acts_clear(j->list);
	for (unsigned i = 0; i < n; i++) {
		struct model next = m;
		uint32_t len = j->list->len;

		model_random_edit(&m, j->list, &j->seed);
		if (model_apply(&next, &acts_list(j->list).first[len / 8]))
			j->list->len = len;
		else
			m = next;
		if (!model_rand(&j->seed, 4))
			acts_output(j->list, 1);
	}
	if (!m.no_eth && !model_rand(&j->seed, 3))
		add_outer(j);
	acts_output(j->list, 2);
}

static void random_packet(struct judge *j, struct model *m)
{
	model_random(m, &j->seed);
	j->is_ip = m->l3 <= MODEL_IP6;
	m->segments_left = 0;
	m->no_csum &= m->l3 == MODEL_IP4; /* RFC 8200 8.1 */
	if (m->proto == 132)
		m->partial = false;
	if (m->l3 > MODEL_IP6 || m->proto != 6 || !model_rand(&j->seed, 2))
		return;
	m->partial = true;
	m->fragment = false;
	m->hop_options = m->dst_options = m->routing = m->auth = false;
	m->options = 0;
	m->padding = 0;
	m->payload_len = 400;
}

static void sums_that_were_right_stay_right(void **state)
{
	static const struct interp_ops judge_ops = { .output = judge_output,
						     .drop = judge_drop };
	struct judge j = { .pool = packet_pool_create(64) };
	struct interp in = { &judge_ops, &j, j.pool };

	(void)state;
	j.list = xzalloc(sizeof(*j.list));
	for (unsigned i = 0; i < 20000; i++) {
		struct packet *p = packet_alloc(j.pool);
		struct flow_key key;
		struct model m;

		random_packet(&j, &m);
		random_list(&j, &m);
		model_fill(&m, p);
		flow_key_init(&key);
		(void)flow_extract(p, &key);
		if (m.partial && m.proto == 6 && m.payload_len == 400) {
			p->gso_size = 150;
			p->gso_type = m.l3 == MODEL_IP4 ? GSO_TCP4 : GSO_TCP6;
		}
		interp_run(&in, p, acts_list(j.list));
		if (j.n_wrong) {
			struct str text = STR_INIT;

			acts_format(acts_list(j.list), NULL, &text);
			print_message("%u: gso %u l3 %d proto %u: %s\n", i,
				      m.payload_len == 400, m.l3, m.proto,
				      str_text(&text));
			fail();
		}
	}
	assert_true(j.n_right > 10000);
	assert_true(j.n_segments > 1000);
	assert_true(j.n_outer > 1000);
	assert_int_equal(packet_pool_free_count(j.pool), 64);
	packet_pool_destroy(j.pool);
	free(j.list);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(the_packet_itself_leaves_last),
		T(a_copy_is_as_the_packet_was_at_that_point),
		T(a_list_that_sends_nothing_is_a_drop),
		T(what_does_not_fit_drops),
		T(a_cut_is_for_the_next_output_only),
		T(a_sample_is_taken_with_its_probability),
		T(a_meter_that_is_full_ends_the_list),
		T(too_long_a_packet_takes_the_other_way),
		T(a_large_frame_is_as_long_as_its_segments),
		T(what_a_large_frame_cannot_have_its_segments_get),
		T(without_a_buffer_the_copy_is_lost_not_the_packet),
		T(what_nobody_resolved_is_not_run),
		cmocka_unit_test(sums_that_were_right_stay_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
