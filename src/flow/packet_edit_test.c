/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/str.h"
#include "flow/edit.h"
#include "flow/extract.h"
#include "flow/interp.h"
#include "flow/packet_model.h"
#include "packet/checksum.h"
#include "packet/headers.h"
#include "packet/outer.h"

#define ROUNDS 40000u
#define EDITS 12u

/* --- a datapath that keeps what it is given --- */

struct sink {
	struct packet_pool *pool;
	struct packet *out;
	enum drop reason;
};

static void sink_output(void *ctx, struct packet *p, uint32_t port)
{
	struct sink *s = ctx;

	(void)port;
	assert_null(s->out);
	s->out = p;
}

static void sink_drop(void *ctx, const struct packet *p, enum drop reason)
{
	struct sink *s = ctx;

	(void)p;
	s->reason = reason;
}

static const struct interp_ops sink_ops = { .output = sink_output,
					    .drop = sink_drop };

/* Runs one edit; the packet comes back in s->out, or s->reason says why not. */
static void run(struct sink *s, struct packet *p, struct acts *edit)
{
	struct interp in = { &sink_ops, s, s->pool };
	struct err e = ERR_INIT;

	s->out = NULL;
	s->reason = DROP_NONE;
	acts_output(edit, 1);
	assert_int_equal(acts_check(acts_list(edit), false, &e), 0);
	interp_run(&in, p, acts_list(edit));
}

static void print_failure(uint64_t seed, const struct acts *edit,
			  const struct packet *p, const uint8_t *want,
			  uint32_t n)
{
	struct str text = STR_INIT;

	acts_format(acts_list(edit), NULL, &text);
	print_message("seed %llx: %s\n", (unsigned long long)seed,
		      str_text(&text));
	str_fini(&text);
	for (uint32_t i = 0; p && i < MAX(n, p->len); i++)
		print_message("%02x/%02x%s", i < p->len ? p->data[i] : 0,
			      i < n ? want[i] : 0, i % 16 == 15 ? "\n" : " ");
	print_message("\n");
}

static bool same_layers(struct packet *p, const struct model *m)
{
	uint16_t l3 = p->l3, l4 = p->l4;
	struct flow_key key;

	if (m->partial && p->csum_start != m->l4_at)
		return false;
	if (m->n_vlans > KEY_N_VLANS)
		return true; /* extraction would not find IP so deep */
	flow_key_init(&key);
	(void)flow_extract(p, &key);
	return l3 == p->l3 && l4 == p->l4;
}

/* How often each op, and each field, was done and not refused. */
struct tally {
	unsigned op[N_ACT_OPS], field[N_FIELDS];
};

static void count(struct tally *t, const struct act *a)
{
	const struct act_set *set = (const void *)a;

	t->op[a->op]++;
	if (a->op == ACT_SET_FIELD)
		t->field[set->field]++;
}

static struct packet *fresh(struct sink *s, struct model *m)
{
	struct packet *p = packet_alloc(s->pool);
	struct flow_key key;

	model_fill(m, p);
	flow_key_init(&key);
	assert_int_equal(flow_extract(p, &key), DROP_NONE);
	return p;
}

static void compare(struct sink *s, struct model *m, enum drop want,
		    const struct acts *edit, uint64_t seed)
{
	uint8_t bytes[MODEL_MAX];
	uint32_t n = model_build(m, bytes);
	struct packet *p = s->out;

	if (s->reason == want &&
	    (!p ||
	     (p->len == n && !memcmp(p->data, bytes, n) && same_layers(p, m))))
		return;
	print_message("got %s, want %s\n", drop_name(s->reason),
		      drop_name(want));
	print_failure(seed, edit, p, bytes, n);
	fail();
}

/* One random packet through random edits; after each it is what the model says,
 * bytes, checksums, layers and all. Where the edit did not fit the packet went,
 * and the next edit meets one like it. */
static void edit_and_compare(struct sink *s, struct acts *edit, uint64_t start,
			     struct tally *t)
{
	uint64_t seed = start;
	struct packet *p;
	struct model m;
	enum drop d;

	model_random(&m, &seed);
	p = fresh(s, &m);
	for (unsigned i = 0; i < EDITS; i++) {
		acts_clear(edit);
		model_random_edit(&m, edit, &seed);
		d = model_apply(&m, acts_list(edit).first);
		run(s, p, edit);
		compare(s, &m, d, edit, start);
		if (d == DROP_NONE)
			count(t, acts_list(edit).first);
		p = s->out ? s->out : fresh(s, &m);
	}
	packet_free(p);
}

static void an_edit_is_what_a_rebuild_of_the_fields_is(void **state)
{
	static const enum act_op ops[] = {
		ACT_PUSH_VLAN, ACT_POP_VLAN,  ACT_PUSH_MPLS,
		ACT_POP_MPLS,  ACT_SET_FIELD, ACT_SET_ETH,
		ACT_DEC_TTL,   ACT_PUSH_ETH,  ACT_POP_ETH,
	};
	struct sink s = { .pool = packet_pool_create(8) };
	struct acts *edit = xmalloc(sizeof(*edit));
	struct tally *t = xzalloc(sizeof(*t));

	(void)state;
	for (uint64_t i = 0; i < ROUNDS; i++)
		edit_and_compare(&s, edit, i * 0x1234567, t);
	for (unsigned i = 0; i < ARRAY_SIZE(ops); i++)
		assert_true(t->op[ops[i]] > 1000);
	for (unsigned i = 0; i < model_n_fields; i++)
		if (t->field[model_fields[i]] <= 100)
			fail_msg("%s was set only %u times",
				 field_get(model_fields[i])->name,
				 t->field[model_fields[i]]);
	assert_int_equal(packet_pool_free_count(s.pool), 8);
	packet_pool_destroy(s.pool);
	free(edit);
	free(t);
}

/* --- single edits that the model does not know --- */

struct bench {
	struct sink s;
	struct acts *edit;
	struct model m;
	struct packet *p;
	uint8_t was[MODEL_MAX];
	uint32_t was_len;
};

/* A TCP packet over IPv4 with 100 bytes, untagged. */
static int setup(void **state)
{
	struct bench *b = xzalloc(sizeof(*b));

	b->s.pool = packet_pool_create(4);
	b->edit = xzalloc(sizeof(*b->edit));
	b->m = (struct model){ .ip4_src = 0xc0000201,
			       .ip4_dst = 0xc6336401,
			       .dst = { { 2, 0, 0, 0, 0, 1 } },
			       .src = { { 2, 0, 0, 0, 0, 2 } },
			       .ttl = 64,
			       .proto = 6,
			       .tp_src = 1234,
			       .tp_dst = 80,
			       .payload_len = 100 };
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	if (b->p)
		packet_free(b->p);
	assert_int_equal(packet_pool_free_count(b->s.pool), 4);
	packet_pool_destroy(b->s.pool);
	free(b->edit);
	free(b);
	return 0;
}

static void bench_packet(struct bench *b)
{
	if (b->p)
		packet_free(b->p);
	b->p = fresh(&b->s, &b->m);
	b->was_len = b->p->len;
	memcpy(b->was, b->p->data, b->p->len);
}

/* Runs one edit written as text; the drop reason, the packet in b->p. */
static enum drop bench_run(struct bench *b, const char *text)
{
	struct err e = ERR_INIT;

	if (acts_parse(text, NULL, b->edit, &e))
		fail_msg("%s: %s", text, e.text);
	run(&b->s, b->p, b->edit);
	b->p = b->s.out;
	return b->s.reason;
}

static uint64_t key_field(struct bench *b, enum field_id id)
{
	struct field_value v;
	struct flow_key key;

	flow_key_init(&key);
	assert_int_equal(flow_extract(b->p, &key), DROP_NONE);
	v = field_read(field_get(id), &key);
	return field_to_u64(&v);
}

static void setting_the_tag_word_makes_and_removes_the_tag(void **state)
{
	struct bench *b = *state;

	bench_packet(b);
	assert_int_equal(bench_run(b, "set(vlan_tci=0x300a)"), DROP_NONE);
	assert_int_equal(get_be16(b->p->data + 12), 0x8100);
	assert_int_equal(get_be16(b->p->data + 14), 0x200a);
	assert_int_equal(bench_run(b, "set(vlan_tci=0x1014)"), DROP_NONE);
	assert_int_equal(get_be16(b->p->data + 14), 0x0014);
	assert_int_equal(bench_run(b, "set(vlan_tpid=0x88a8)"), DROP_NONE);
	assert_int_equal(key_field(b, FIELD_VLAN_TPID), 0x88a8);
	assert_int_equal(bench_run(b, "set(vlan_tci=0)"), DROP_NONE);
	assert_int_equal(b->p->len, b->was_len);
	assert_memory_equal(b->p->data, b->was, b->was_len);
	assert_int_equal(bench_run(b, "set(vlan_tci=0)"), DROP_NONE);
}

static void a_tag_type_that_is_none_is_refused(void **state)
{
	struct bench *b = *state;

	b->m.n_vlans = 1;
	b->m.vlan[0] = (struct key_vlan){ 0x8100, 5 };
	bench_packet(b);
	assert_int_equal(bench_run(b, "set(vlan_tpid=0x0800)"), DROP_ACTION);
}

static void tunnel_fields_land_in_the_metadata(void **state)
{
	struct bench *b = *state;

	bench_packet(b);
	assert_int_equal(bench_run(b, "set(tun_id=0x64,tun_dst=192.0.2.9,"
				      "tun_ttl=9,tun_tos=4,tun_tp_dst=4789,"
				      "tun_flags=+df)"),
			 DROP_NONE);
	assert_true(b->p->flags & PACKET_TUNNEL);
	assert_int_equal(b->p->tun.id, 100);
	assert_int_equal(ip_addr_ip4(&b->p->tun.dst), 0xc0000209);
	assert_int_equal(b->p->tun.src.family, 0);
	assert_int_equal(b->p->tun.options_len, 0);
	assert_int_equal(b->p->tun.ttl, 9);
	assert_int_equal(b->p->tun.tp_dst, 4789);
	assert_int_equal(b->p->tun.flags, TUNNEL_F_DF);
	assert_int_equal(bench_run(b, "set(tun_dst=0.0.3.0/0.0.255.0,"
				      "tun_ipv6_src=2001:db8::1)"),
			 DROP_NONE);
	assert_int_equal(ip_addr_ip4(&b->p->tun.dst), 0xc0000309);
	assert_int_equal(b->p->tun.src.family, 10);
	assert_int_equal(key_field(b, FIELD_TUN_ID), 100);
}

static void what_only_the_pipeline_has_leaves_the_packet_alone(void **state)
{
	struct bench *b = *state;

	bench_packet(b);
	assert_int_equal(bench_run(b, "set(reg0=5,xreg3=6,metadata=7,"
				      "pkt_mark=8,skb_priority=9,in_port=4)"),
			 DROP_NONE);
	assert_memory_equal(b->p->data, b->was, b->was_len);
	assert_int_equal(b->p->in_port, 0);
}

static void nsh_and_pbb_fields_are_set_in_their_headers(void **state)
{
	static const uint8_t nsh[] = { 0x0f, 0xc6, 1, 3, 0, 0, 1, 255 };
	struct bench *b = *state;

	b->m.l3 = MODEL_OTHER;
	bench_packet(b);
	put_be16(b->p->data + 12, ETH_TYPE_NSH);
	memcpy(b->p->data + 14, nsh, sizeof(nsh));
	assert_int_equal(bench_run(b, "set(nsh_ttl=5,nsh_flags=2,nsh_spi=0x77,"
				      "nsh_si=9,nsh_c3=0xabcdef01)"),
			 DROP_NONE);
	assert_int_equal(key_field(b, FIELD_NSH_TTL), 5);
	assert_int_equal(key_field(b, FIELD_NSH_FLAGS), 2);
	assert_int_equal(key_field(b, FIELD_NSH_SPI), 0x77);
	assert_int_equal(key_field(b, FIELD_NSH_SI), 9);
	assert_int_equal(key_field(b, FIELD_NSH_C3), 0xabcdef01);
	assert_int_equal(key_field(b, FIELD_NSH_C2), 0);
	put_be16(b->p->data + 12, ETH_TYPE_PBB);
	assert_int_equal(bench_run(b, "set(pbb_isid=0x123456,pbb_uca=1)"),
			 DROP_NONE);
	assert_int_equal(get_be32(b->p->data + 14) & 0x8ffffff, 0x8123456);
	assert_int_equal(key_field(b, FIELD_PBB_ISID), 0x123456);
	assert_int_equal(key_field(b, FIELD_PBB_UCA), 1);
	assert_int_equal(bench_run(b, "set(nsh_ttl=5)"), DROP_ACTION);
}

/* UDP 4789 over IPv4 with the given flags; VNI 100. */
static uint32_t outer_headers(uint16_t flags, bool ip6, uint8_t *out)
{
	static const struct eth_addr dst = { { 2, 1, 1, 1, 1, 1 } };
	static const struct eth_addr src = { { 2, 2, 2, 2, 2, 2 } };
	struct packet_tunnel t = { .id = 100, .flags = flags };

	t.src = ip_addr_from_ip4(0xc0000201);
	t.dst = ip_addr_from_ip4(0xc0000202);
	if (ip6) {
		t.src = ip_addr_from_ip6((struct ip6_addr){ { 0x20, 1 } });
		t.dst = ip_addr_from_ip6((struct ip6_addr){ { 0x20, 2 } });
	}
	return outer_build(OUTER_VXLAN, (struct eth_addr[]){ dst, src }, &t,
			   out, OUTER_MAX);
}

/* Is the outermost UDP checksum right, summed the slow way? */
static bool outer_csum_is_right(const struct packet *p, bool ip6)
{
	const uint8_t *ip = p->data + 14, *udp = ip + (ip6 ? 40 : 20);
	uint32_t len = (uint32_t)(p->data + p->len - udp);
	uint32_t sum = model_sum(ip6 ? ip + 8 : ip + 12, ip6 ? 32 : 8, 0);

	return model_sum(udp, len, sum + 17 + len) == 0xffff;
}

static void push_and_pop(struct bench *b, uint16_t flags, bool ip6)
{
	uint8_t headers[OUTER_MAX];
	uint32_t n = outer_headers(flags, ip6, headers);

	bench_packet(b);
	acts_clear(b->edit);
	acts_push_outer(b->edit, OUTER_VXLAN, headers, (uint16_t)n);
	run(&b->s, b->p, b->edit);
	b->p = b->s.out;
	assert_non_null(b->p);
	assert_int_equal(b->p->len, b->was_len + n);
	assert_int_equal(b->p->inner, n);
	if (flags & TUNNEL_F_CSUM)
		assert_true(outer_csum_is_right(b->p, ip6));
	assert_int_equal(bench_run(b, "set(udp_dst=4789)"), DROP_NONE);
	assert_int_equal(bench_run(b, ip6 ? "set(ipv6_dst=2001:db8::5)" :
					    "set(ip_dst=192.0.2.77)"),
			 DROP_NONE);
	if (flags & TUNNEL_F_CSUM)
		assert_true(outer_csum_is_right(b->p, ip6));
	assert_int_equal(bench_run(b, "pop_outer"), DROP_NONE);
	assert_int_equal(b->p->tun.id, 100);
	assert_int_equal(b->p->l3, 14);
	assert_int_equal(b->p->l4, 34);
	assert_int_equal(b->p->inner, PACKET_NO_LAYER);
	packet_csum_finish(b->p);
	b->m.partial = false;
	assert_int_equal(b->p->len, model_build(&b->m, b->was));
	assert_memory_equal(b->p->data, b->was, b->p->len);
}

static void an_encapsulation_comes_off_as_it_went_on(void **state)
{
	struct bench *b = *state;

	for (unsigned i = 0; i < 8; i++) {
		b->m.partial = i & 1;
		push_and_pop(b, i & 2 ? TUNNEL_F_CSUM : 0, i & 4);
	}
}

static void a_second_encapsulation_finishes_the_inner_checksum(void **state)
{
	struct bench *b = *state;
	uint8_t headers[OUTER_MAX];
	uint32_t n = outer_headers(0, false, headers);

	b->m.partial = true;
	bench_packet(b);
	acts_clear(b->edit);
	acts_push_outer(b->edit, OUTER_VXLAN, headers, (uint16_t)n);
	acts_push_outer(b->edit, OUTER_VXLAN, headers, (uint16_t)n);
	run(&b->s, b->p, b->edit);
	b->p = b->s.out;
	assert_non_null(b->p);
	assert_false(b->p->flags & PACKET_CSUM_PARTIAL);
	b->m.partial = false;
	model_build(&b->m, b->was);
	assert_memory_equal(b->p->data + 2 * n, b->was, b->was_len);
}

static void a_large_frame_takes_one_encapsulation(void **state)
{
	struct bench *b = *state;
	uint8_t headers[OUTER_MAX];
	uint32_t n = outer_headers(0, false, headers);

	b->m.partial = true;
	bench_packet(b);
	b->p->gso_size = 50;
	b->p->gso_type = GSO_TCP4;
	acts_clear(b->edit);
	acts_push_outer(b->edit, OUTER_VXLAN, headers, (uint16_t)n);
	run(&b->s, b->p, b->edit);
	b->p = b->s.out;
	assert_non_null(b->p);
	assert_int_equal(b->p->gso_size, 50);
	assert_int_equal(b->p->csum_start, n + 34);
	assert_int_equal(
		edit_push_outer(b->p, (const void *)acts_list(b->edit).first),
		DROP_UNSUPPORTED);
	assert_int_equal(edit_push_mpls(b->p, 0x8847, 0), DROP_UNSUPPORTED);
	assert_int_equal(b->p->len, b->was_len + n);
	assert_memory_equal(b->p->data + n, b->was, b->was_len);
}

/* A VXLAN packet as the model's UDP, with an Ethernet frame inside. */
static void bench_vxlan(struct bench *b)
{
	b->m.proto = 17;
	b->m.tp_dst = PORT_VXLAN;
	vxlan_encode(7, b->m.payload);
	put_be16(b->m.payload + 8 + 12, 0x88b5);
	bench_packet(b);
}

static void an_outer_checksum_left_undone_goes_with_the_header(void **state)
{
	struct bench *b = *state;

	b->m.partial = true;
	b->m.padding = 0;
	bench_vxlan(b);
	assert_int_equal(bench_run(b, "pop_outer"), DROP_NONE);
	assert_false(b->p->flags & PACKET_CSUM_PARTIAL);
	assert_int_equal(b->p->tun.id, 7);
	assert_int_equal(b->p->len, 92);
	b->m.partial = false;
	b->m.padding = 9;
	bench_vxlan(b);
	assert_int_equal(bench_run(b, "pop_outer"), DROP_NONE);
	assert_int_equal(b->p->len, 92);
}

static void fragments_and_batches_are_not_decapsulated(void **state)
{
	struct bench *b = *state;

	b->m.fragment = true;
	b->m.frag_len = 400;
	bench_vxlan(b);
	assert_int_equal(bench_run(b, "pop_outer"), DROP_ACTION);
	b->m.fragment = false;
	b->m.partial = true;
	bench_vxlan(b);
	b->p->gso_size = 48;
	b->p->gso_type = GSO_UDP4;
	assert_int_equal(edit_pop_outer(b->p), DROP_UNSUPPORTED);
	assert_memory_equal(b->p->data, b->was, b->was_len);
}

static void a_cut_packet_has_its_checksum_finished_first(void **state)
{
	struct bench *b = *state;

	b->m.partial = true;
	bench_packet(b);
	b->m.partial = false;
	model_build(&b->m, b->was);
	assert_int_equal(bench_run(b, "truncate(60)"), DROP_NONE);
	assert_int_equal(b->p->len, 60);
	assert_false(b->p->flags & PACKET_CSUM_PARTIAL);
	assert_memory_equal(b->p->data, b->was, 60);
	assert_int_equal(bench_run(b, "truncate(64)"), DROP_NONE);
	assert_int_equal(b->p->len, 60);
}

static void a_cut_takes_the_offloads_away(void **state)
{
	struct bench *b = *state;

	b->m.partial = true;
	bench_packet(b);
	b->p->gso_size = 50;
	b->p->gso_type = GSO_TCP4;
	assert_int_equal(bench_run(b, "truncate(20)"), DROP_NONE);
	assert_int_equal(b->p->gso_size, 0);
	assert_int_equal(b->p->l3, 14);
	assert_int_equal(b->p->l4, PACKET_NO_LAYER);
	assert_int_equal(b->p->max_len, 0);
}

static void a_tiny_first_fragment_keeps_its_addresses(void **state)
{
	struct bench *b = *state;

	b->m.fragment = true;
	b->m.frag_len = 8;
	bench_packet(b);
	assert_int_equal(bench_run(b, "set(ip_dst=192.0.2.1)"), DROP_ACTION);
}

int main(void)
{
#define EDIT_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_edit_is_what_a_rebuild_of_the_fields_is),
		EDIT_TEST(setting_the_tag_word_makes_and_removes_the_tag),
		EDIT_TEST(a_tag_type_that_is_none_is_refused),
		EDIT_TEST(tunnel_fields_land_in_the_metadata),
		EDIT_TEST(what_only_the_pipeline_has_leaves_the_packet_alone),
		EDIT_TEST(nsh_and_pbb_fields_are_set_in_their_headers),
		EDIT_TEST(an_encapsulation_comes_off_as_it_went_on),
		EDIT_TEST(a_second_encapsulation_finishes_the_inner_checksum),
		EDIT_TEST(a_large_frame_takes_one_encapsulation),
		EDIT_TEST(an_outer_checksum_left_undone_goes_with_the_header),
		EDIT_TEST(fragments_and_batches_are_not_decapsulated),
		EDIT_TEST(a_cut_packet_has_its_checksum_finished_first),
		EDIT_TEST(a_cut_takes_the_offloads_away),
		EDIT_TEST(a_tiny_first_fragment_keeps_its_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
