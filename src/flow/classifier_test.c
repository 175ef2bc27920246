/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/classifier.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/rcu.h"
#include "flow/cls_oracle.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PAIRS 60000u
#else
#define PAIRS 1200000u
#endif

#define SEED 20240229ull
#define RULES_MAX 400u

/* --- random matches and keys, from domains so small that they meet --- */

static uint64_t seed;

static uint64_t draw(void)
{
	uint64_t z = (seed += 0x9e3779b97f4a7c15ull);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static unsigned below(unsigned n)
{
	return (unsigned)(draw() % n);
}

/* Addresses that share their first bits with others, more or less. */
static uint32_t draw_ip4(void)
{
	uint32_t a = 0x0a000000u;

	return below(4) ? a ^ 1u << below(32) ^ below(4) << below(30) :
			  a | (uint32_t)draw() >> below(32);
}

static struct ip6_addr draw_ip6(void)
{
	struct ip6_addr a = { { 0x20, 1, 0x0d, 0xb8 } };

	for (unsigned i = below(3); i; i--) {
		unsigned bit = below(128);

		a.b[bit / 8] = (uint8_t)(a.b[bit / 8] ^ 1u << (bit % 8));
	}
	return a;
}

static void draw_key(struct flow_key *k)
{
	static const uint16_t types[] = { 0x0800, 0x0800, 0x86dd, 0x0806 };
	static const uint8_t protos[] = { 6, 6, 17, 1 };

	memset(k, 0, sizeof(*k));
	k->in_port = 1 + below(3);
	k->metadata = below(3);
	k->reg[3] = below(2);
	k->ct_state = below(2);
	k->eth_dst.b[5] = (uint8_t)below(3);
	k->eth_src.b[0] = (uint8_t)(below(2) * 2);
	k->eth_type = types[below(4)];
	k->vlan[0].tci = (uint16_t)(below(2) * 0x1001);
	k->ip_proto = protos[below(4)];
	k->ip_frag = (uint8_t)below(2);
	k->ip4_src = draw_ip4();
	k->ip4_dst = draw_ip4();
	k->ip6_src = draw_ip6();
	k->ip6_dst = draw_ip6();
	k->tcp_flags = (uint16_t)below(4);
	k->tp_src = (uint16_t)(below(2) ? 1u << below(16) : below(4));
	k->tp_dst = (uint16_t)(below(2) ? 80 : 1u << below(16));
	k->arp_op = (uint16_t)below(3);
	k->igmp_group = below(2);
	k->mpls[2] = below(2);
	k->nd_target.b[15] = (uint8_t)below(2);
}

static uint32_t draw_mask32(unsigned width)
{
	unsigned n = 1 + below(width);

	if (!below(8))
		return (uint32_t)draw() & (width == 32 ? ~0u : 0xffffu);
	if (below(2))
		n = below(2) ? width : width / 2;
	return (~0u << (32 - n)) >> (32 - width);
}

static void draw_mask6(struct ip6_addr *a)
{
	unsigned n = below(2) ? 1 + below(128) : 64;

	for (unsigned i = 0; i < n; i++)
		a->b[i / 8] = (uint8_t)(a->b[i / 8] | 0x80u >> (i % 8));
	if (!below(8))
		a->b[15] |= 1;
}

/* One of a few dozen shapes, so that subtables have many rules. */
static void draw_mask(struct flow_mask *m)
{
	memset(m, 0, sizeof(*m));
	if (below(2))
		MASK_SET(m, in_port);
	if (!below(4))
		MASK_SET(m, metadata);
	if (!below(6))
		MASK_SET(m, reg[3]);
	if (!below(6))
		m->bits.ct_state = 1;
	if (!below(3))
		MASK_SET(m, eth_dst);
	if (!below(8))
		m->bits.eth_src.b[0] = 2;
	if (below(2))
		MASK_SET(m, eth_type);
	if (!below(4))
		m->bits.vlan[0].tci = 0x1fff;
	if (below(2))
		MASK_SET(m, ip_proto);
	if (!below(3))
		m->bits.ip4_src = draw_mask32(32);
	if (!below(3))
		m->bits.ip4_dst = draw_mask32(32);
	if (!below(6))
		draw_mask6(&m->bits.ip6_src);
	if (!below(6))
		draw_mask6(&m->bits.ip6_dst);
	if (!below(3))
		m->bits.tp_src = (uint16_t)draw_mask32(16);
	if (!below(3))
		m->bits.tp_dst = (uint16_t)draw_mask32(16);
	if (!below(8))
		m->bits.tcp_flags = 3;
	if (!below(16))
		MASK_SET(m, igmp_group);
	if (!below(16))
		MASK_SET(m, mpls[2]);
	if (!below(16))
		MASK_SET(m, nd_target);
}

struct pair {
	struct cls_rule rule;
	struct cls_oracle_rule twin;
	struct rcu_head rcu;
};

/* A classifier and its oracle, with the same rules. */
struct world {
	struct classifier cls;
	struct cls_oracle oracle;
	struct flow_mask shapes[24];
	struct pair *rules[RULES_MAX];
	unsigned n;
};

static struct pair *pair_of(const struct cls_rule *r)
{
	return r ? container_of((struct cls_rule *)(uintptr_t)r, struct pair,
				rule) :
		   NULL;
}

static void pair_free(struct rcu_head *head)
{
	struct pair *p = container_of(head, struct pair, rcu);

	cls_rule_fini(&p->rule);
	free(p);
}

static struct pair *world_put(struct world *w, const struct match *m,
			      unsigned priority)
{
	struct pair *p = xzalloc(sizeof(*p));

	must(w->n < RULES_MAX);
	p->twin.match = *m;
	p->twin.priority = priority;
	cls_rule_init(&p->rule, m, priority);
	classifier_insert(&w->cls, &p->rule);
	cls_oracle_insert(&w->oracle, &p->twin);
	w->rules[w->n++] = p;
	return p;
}

static void world_del(struct world *w, unsigned i)
{
	struct pair *p = w->rules[i];

	classifier_remove(&w->cls, &p->rule);
	cls_oracle_remove(&p->twin);
	w->rules[i] = w->rules[--w->n];
	rcu_defer(&p->rcu, pair_free);
}

/* A rule of the same match and priority comes in its place. */
static void world_replace(struct world *w, unsigned i)
{
	struct pair *old = w->rules[i], *p = xzalloc(sizeof(*p));

	p->twin.match = old->twin.match;
	p->twin.priority = old->twin.priority;
	cls_rule_init(&p->rule, &p->twin.match, p->twin.priority);
	classifier_replace(&w->cls, &old->rule, &p->rule);
	cls_oracle_remove(&old->twin);
	cls_oracle_insert(&w->oracle, &p->twin);
	w->rules[i] = p;
	rcu_defer(&old->rcu, pair_free);
}

static void world_init(struct world *w)
{
	classifier_init(&w->cls);
	cls_oracle_init(&w->oracle);
	w->n = 0;
	for (unsigned i = 0; i < ARRAY_SIZE(w->shapes); i++)
		draw_mask(&w->shapes[i]);
}

static void world_fini(struct world *w)
{
	while (w->n)
		world_del(w, w->n - 1);
	classifier_fini(&w->cls);
	rcu_barrier_wait();
}

static void draw_match(const struct world *w, struct match *m)
{
	struct flow_key k;

	m->mask = w->shapes[below(ARRAY_SIZE(w->shapes))];
	if (!below(16))
		draw_mask(&m->mask);
	draw_key(&k);
	key_apply_mask(&k, &m->mask, &m->key);
}

static void world_put_random(struct world *w)
{
	/* Priorities never repeat across overlapping rules: the lower digits
	 * are the rule's own, and even, so that the oracle has one answer. */
	static unsigned serial;
	struct match m;

	draw_match(w, &m);
	world_put(w, &m, below(30) * 1000000 + serial++ % 500000 * 2);
}

static long priority_of(const struct cls_rule *r)
{
	return r ? (long)r->priority : -1;
}

/* A key that a rule is for, or nearly; or any. */
static void draw_probe(const struct world *w, struct flow_key *k)
{
	const struct match *m;
	uint64_t *out = key_words(k);

	draw_key(k);
	if (!w->n || !below(4))
		return;
	m = &w->rules[below(w->n)]->twin.match;
	for (unsigned i = 0; i < KEY_WORDS; i++) {
		uint64_t bits = key_words_const(&m->mask.bits)[i];

		out[i] = (out[i] & ~bits) | key_words_const(&m->key)[i];
	}
	if (below(2))
		k->ip4_dst ^= 1u << below(32);
	if (!below(4))
		k->in_port = 1 + below(3);
}

/* --- properties --- */

static void check_lookup(const struct world *w, const struct flow_key *k)
{
	struct flow_mask looked = { { 0 } };
	const struct cls_rule *r = classifier_lookup(&w->cls, k, &looked);

	assert_int_equal(priority_of(r), cls_oracle_lookup(&w->oracle, k));
	if (!r)
		return;
	assert_true(match_covers(&pair_of(r)->twin.match, k));
	assert_true(mask_is_subset(&pair_of(r)->twin.match.mask, &looked));
}

static void check_questions(const struct world *w)
{
	struct match m, own;
	struct cls_rule *r;
	struct pair *p;

	if (w->n) {
		p = w->rules[below(w->n)];
		r = classifier_find_exactly(&w->cls, &p->twin.match,
					    p->twin.priority);
		assert_ptr_equal(r, &p->rule);
		assert_null(classifier_find_exactly(&w->cls, &p->twin.match,
						    p->twin.priority + 1));
		cls_rule_match(r, &own);
		assert_true(match_equal(&own, &p->twin.match));
		draw_match(w, &m);
		r = classifier_find_overlap(&w->cls, &m, p->twin.priority);
		assert_int_equal(
			r != NULL,
			cls_oracle_overlaps(&w->oracle, &m, p->twin.priority));
	}
}

static void it_answers_as_a_list_does(void **state UNUSED)
{
	struct world w;
	struct flow_key k;

	seed = SEED;
	world_init(&w);
	for (unsigned step = 0; step < PAIRS / 20; step++) {
		unsigned target = step / 2000 % 2 ? 30 : RULES_MAX - 1;

		if (w.n < target && below(3))
			world_put_random(&w);
		else if (w.n)
			world_del(&w, below(w.n));
		if (w.n && !below(4))
			world_replace(&w, below(w.n));
		draw_probe(&w, &k);
		check_lookup(&w, &k);
		check_questions(&w);
		assert_int_equal(classifier_count(&w.cls), w.n);
	}
	world_fini(&w);
}

/* Another key that the lookup may not tell from the first: all its other bits
 * are somebody else's, or a few are turned. */
static void disguise(const struct world *w, const struct flow_mask *looked,
		     struct flow_key *k)
{
	uint64_t *out = key_words(k);
	struct flow_key other;

	draw_probe(w, &other);
	if (below(2)) {
		other = *k;
		for (unsigned i = 0; i < 8; i++)
			key_words(&other)[below(KEY_WORDS)] ^= 1ull
							       << below(64);
		other.ip4_src ^= 1u << below(32);
		other.ip4_dst ^= 1u << below(32);
		other.tp_dst = (uint16_t)(other.tp_dst ^ 1u << below(16));
		other.ip6_dst.b[below(16)] ^= 0x10;
	}
	for (unsigned i = 0; i < KEY_WORDS; i++) {
		uint64_t bits = key_words_const(&looked->bits)[i];

		out[i] = (out[i] & bits) | (key_words_const(&other)[i] & ~bits);
	}
}

static void keys_equal_where_it_looked_have_the_same_rule(void **state UNUSED)
{
	struct flow_mask looked, again;
	const struct cls_rule *r;
	struct flow_key k;
	struct world w;

	seed = SEED + 1;
	world_init(&w);
	for (unsigned i = 0; i < PAIRS; i++) {
		if (i % 64 == 0 && w.n && (w.n == RULES_MAX || !below(3)))
			world_del(&w, below(w.n));
		else if (i % 64 == 0)
			world_put_random(&w);
		if (i % 4 == 0) {
			draw_probe(&w, &k);
			memset(&looked, 0, sizeof(looked));
			r = classifier_lookup(&w.cls, &k, &looked);
		}
		disguise(&w, &looked, &k);
		memset(&again, 0, sizeof(again));
		assert_ptr_equal(classifier_lookup(&w.cls, &k, &again), r);
	}
	world_fini(&w);
}

static void bits_looked_at_before_stay(void **state UNUSED)
{
	struct flow_mask looked = { { 0 } };
	struct flow_key k = { 0 };
	struct classifier cls;

	classifier_init(&cls);
	MASK_SET(&looked, arp_tha);
	assert_null(classifier_lookup(&cls, &k, &looked));
	assert_int_equal(looked.bits.arp_tha.b[3], 0xff);
	classifier_fini(&cls);
}

/* --- what is looked at --- */

static void put_text(struct world *w, const char *text, unsigned priority)
{
	struct err e = { 0 };
	struct match m;

	if (match_parse(text, &m, &e))
		fail_msg("%s: %s", text, e.text);
	world_put(w, &m, priority);
}

/* Priority of the answer; the mask it looked at in *out. */
static long ask(const struct world *w, const char *text, struct flow_mask *out)
{
	struct err e = { 0 };
	struct flow_key k;

	if (key_parse(text, &k, &e))
		fail_msg("%s: %s", text, e.text);
	memset(out, 0, sizeof(*out));
	return priority_of(classifier_lookup(&w->cls, &k, out));
}

static void assert_looked(const struct flow_mask *looked, const char *text)
{
	struct err e = { 0 };
	struct match m;

	if (match_parse(text, &m, &e))
		fail_msg("%s: %s", text, e.text);
	for (unsigned i = 0; i < KEY_WORDS; i++)
		assert_int_equal(key_words_const(&looked->bits)[i],
				 key_words_const(&m.mask.bits)[i]);
}

/* Where the address alone is reason enough, the type is not looked at. */
static void assert_looked_address(struct flow_mask looked, const char *text)
{
	assert_int_equal(looked.bits.eth_type, 0);
	MASK_SET(&looked, eth_type);
	assert_looked(&looked, text);
}

static void a_wrong_port_is_reason_enough(void **state UNUSED)
{
	struct flow_mask looked;
	struct world w;

	world_init(&w);
	put_text(&w, "in_port=1,tcp,nw_dst=10.0.0.1,tp_dst=80", 1);
	assert_int_equal(ask(&w, "in_port=2,tcp,tp_dst=80", &looked), -1);
	assert_looked(&looked, "in_port=1");
	world_fini(&w);
}

static void a_wrong_type_hides_the_addresses(void **state UNUSED)
{
	struct flow_mask looked;
	struct world w;

	world_init(&w);
	put_text(&w, "in_port=1,tcp,nw_dst=10.0.0.1,tp_dst=80", 1);
	assert_int_equal(ask(&w, "in_port=1,arp", &looked), -1);
	assert_looked(&looked, "in_port=1,arp");
	world_fini(&w);
}

static void a_prefix_is_told_by_the_bits_that_differ(void **state UNUSED)
{
	struct flow_mask looked;
	struct world w;

	world_init(&w);
	put_text(&w, "ip,nw_dst=10.1.0.0/16", 2);
	put_text(&w, "ip,nw_dst=10.0.0.0/8", 1);
	/* 00001010 is the table's, 11000000 the packet's. */
	assert_int_equal(ask(&w, "ip,nw_dst=192.0.2.1", &looked), -1);
	assert_looked_address(looked, "ip,nw_dst=128.0.0.0/1");
	assert_int_equal(ask(&w, "ip,nw_dst=10.128.0.1", &looked), 1);
	assert_looked(&looked, "ip,nw_dst=10.0.0.0/9");
	assert_int_equal(ask(&w, "ip,nw_dst=10.1.0.1", &looked), 2);
	assert_looked(&looked, "ip,nw_dst=10.0.0.0/16");
	world_fini(&w);
}

static void a_port_is_told_by_the_bits_that_differ(void **state UNUSED)
{
	struct flow_mask looked;
	struct world w;

	world_init(&w);
	put_text(&w, "tcp,tp_dst=80", 2);
	put_text(&w, "tcp", 1);
	assert_int_equal(ask(&w, "tcp,tp_dst=40000", &looked), 1);
	assert_looked(&looked, "tcp,tp_dst=0x8000/0x8000");
	world_fini(&w);
}

static void an_ip6_prefix_longer_than_a_node_narrows(void **state UNUSED)
{
	struct flow_mask looked;
	struct world w;

	world_init(&w);
	put_text(&w, "ipv6,ipv6_dst=2001:db8:1:2::/64", 1);
	assert_int_equal(ask(&w, "ipv6,ipv6_dst=2001:db8:1:3::1", &looked), -1);
	assert_looked_address(looked, "ipv6,ipv6_dst=::/64");
	assert_int_equal(ask(&w, "ipv6,ipv6_dst=2001:db8:1:8000::", &looked),
			 -1);
	assert_looked_address(looked, "ipv6,ipv6_dst=::/49");
	assert_int_equal(ask(&w, "ipv6,ipv6_dst=2001:db8:1:2::9", &looked), 1);
	world_fini(&w);
}

static void a_better_rule_ends_the_lookup(void **state UNUSED)
{
	struct flow_mask looked;
	struct world w;

	world_init(&w);
	put_text(&w, "tcp,tp_dst=80", 1);
	put_text(&w, "in_port=1", 9);
	assert_int_equal(ask(&w, "in_port=1,tcp,tp_dst=80", &looked), 9);
	assert_looked(&looked, "in_port=1");
	world_fini(&w);
}

/* Its subtable goes back to where the rules that are left belong. */
static void a_removed_rule_no_longer_leads(void **state UNUSED)
{
	struct flow_mask looked;
	struct world w;

	world_init(&w);
	put_text(&w, "in_port=1", 5);
	put_text(&w, "udp,tp_dst=53", 1);
	put_text(&w, "udp,tp_dst=67", 9);
	assert_int_equal(ask(&w, "in_port=1,udp,tp_dst=53", &looked), 5);
	assert_int_not_equal(looked.bits.eth_type, 0);
	world_del(&w, 2);
	assert_int_equal(ask(&w, "in_port=1,udp,tp_dst=53", &looked), 5);
	assert_looked(&looked, "in_port=1");
	world_fini(&w);
}

static void the_same_match_has_many_priorities(void **state UNUSED)
{
	static const unsigned order[] = { 5, 9, 1, 7, 3 };
	struct flow_mask looked;
	struct world w;

	world_init(&w);
	for (unsigned i = 0; i < ARRAY_SIZE(order); i++)
		put_text(&w, "in_port=1", order[i]);
	assert_int_equal(ask(&w, "in_port=1", &looked), 9);
	world_del(&w, 1); /* 9; the last, 3, takes its place in the list */
	assert_int_equal(ask(&w, "in_port=1", &looked), 7);
	world_del(&w, 0); /* 5 */
	world_del(&w, 1); /* 3 */
	assert_int_equal(ask(&w, "in_port=1", &looked), 7);
	world_fini(&w);
}

static void a_replaced_rule_hands_its_place_on(void **state UNUSED)
{
	struct flow_mask looked;
	struct flow_key k = { .in_port = 1 };
	struct pair *old;
	struct world w;

	world_init(&w);
	for (unsigned priority = 5; priority < 8; priority++)
		put_text(&w, "in_port=1", priority);
	for (unsigned i = 0; i < w.n; i++) {
		old = w.rules[i];
		world_replace(&w, i);
		assert_false(old->rule.inserted);
		assert_int_equal(classifier_count(&w.cls), 3);
	}
	/* The new ones are found, each in its turn. */
	for (unsigned i = w.n; i; i--) {
		memset(&looked, 0, sizeof(looked));
		assert_ptr_equal(classifier_lookup(&w.cls, &k, &looked),
				 &w.rules[i - 1]->rule);
		world_del(&w, i - 1);
	}
	assert_null(classifier_lookup(&w.cls, &k, &looked));
	world_fini(&w);
}

static void the_match_of_everything_looks_at_nothing(void **state UNUSED)
{
	struct flow_mask looked;
	struct world w;

	world_init(&w);
	put_text(&w, "any", 0);
	assert_int_equal(ask(&w, "in_port=3,tcp", &looked), 0);
	assert_looked(&looked, "any");
	world_fini(&w);
}

/* --- size --- */

static void iteration_meets_each_rule_once(void **state UNUSED)
{
	struct classifier_iter it;
	struct world w;
	unsigned n = 0;

	seed = SEED + 2;
	world_init(&w);
	for (unsigned i = 0; i < RULES_MAX; i++)
		world_put_random(&w);
	for (struct cls_rule *r = classifier_iter_first(&it, &w.cls); r;
	     r = classifier_iter_next(&it)) {
		assert_int_not_equal(pair_of(r)->twin.priority, ~0u);
		pair_of(r)->twin.priority = ~0u; /* met */
		n++;
	}
	assert_int_equal(n, RULES_MAX);
	world_fini(&w);
}

/* A hundred thousand rules of descending priority, emptied from the best on:
 * quadratic work would not end within the test's time. */
static void a_large_table_empties_in_linear_time(void **state UNUSED)
{
	enum { N = 100000 };
	struct cls_rule *rules = xcalloc(N, sizeof(*rules)), *r;
	struct flow_mask looked = { { 0 } };
	struct classifier cls;
	struct match m;

	classifier_init(&cls);
	match_init(&m);
	MASK_SET(&m.mask, ip4_dst);
	for (unsigned i = 0; i < N; i++) {
		m.key.ip4_dst = i * 2654435761u;
		cls_rule_init(&rules[i], &m, N - i);
		classifier_insert(&cls, &rules[i]);
	}
	m.key.ip4_dst = 500 * 2654435761u;
	assert_ptr_equal(classifier_lookup(&cls, &m.key, &looked), &rules[500]);
	for (unsigned i = 0; i < N / 2; i++)
		classifier_remove(&cls, &rules[i]);
	assert_null(classifier_lookup(&cls, &m.key, &looked));
	while ((r = classifier_first(&cls)))
		classifier_remove(&cls, r);
	classifier_fini(&cls);
	rcu_barrier_wait();
	for (unsigned i = 0; i < N; i++)
		cls_rule_fini(&rules[i]);
	free(rules);
}

/* --- threads --- */

struct reader {
	const struct world *w;
	bool stop;
	unsigned n_lost, n;
};

#define TOP 4000000000u

/* Which of the two rules that stay does a random address find? */
static bool reader_finds(const struct reader *rd, uint32_t in_port,
			 uint32_t random)
{
	struct flow_mask looked = { { 0 } };
	struct flow_key k = { .in_port = in_port, .eth_type = 0x800 };
	const struct cls_rule *r;

	k.ip4_dst = 0x0a000000u | random >> 9;
	r = classifier_lookup(&rd->w->cls, &k, &looked);
	return r && r->priority == TOP + in_port;
}

static void *reader_run(void *arg)
{
	struct reader *rd = arg;
	uint64_t z = 1;

	rcu_thread_register();
	while (!__atomic_load_n(&rd->stop, __ATOMIC_ACQUIRE)) {
		z = z * 6364136223846793005ull + 1442695040888963407ull;
		rd->n_lost += !reader_finds(rd, 1, (uint32_t)(z >> 32));
		rd->n_lost += !reader_finds(rd, 9, (uint32_t)(z >> 32));
		__atomic_add_fetch(&rd->n, 1, __ATOMIC_RELAXED);
		rcu_quiescent();
	}
	rcu_thread_unregister();
	return NULL;
}

static void reader_stop(struct reader *rd, pthread_t thread)
{
	__atomic_store_n(&rd->stop, true, __ATOMIC_RELEASE);
	rcu_offline();
	pthread_join(thread, NULL);
	rcu_online();
}

static void readers_meet_a_replaced_rule_or_its_successor(void **state UNUSED)
{
	struct reader rd = { 0 };
	pthread_t thread;
	struct world w;

	seed = SEED + 4;
	world_init(&w);
	put_text(&w, "in_port=1", TOP + 1);
	put_text(&w, "in_port=9,ip,nw_dst=10.0.0.0/9", TOP + 9);
	for (unsigned i = 0; i < 30; i++)
		world_put_random(&w);
	rd.w = &w;
	pthread_create(&thread, NULL, reader_run, &rd);
	while (__atomic_load_n(&rd.n, __ATOMIC_RELAXED) < PAIRS / 20) {
		world_replace(&w, below(4));
		rcu_quiescent();
	}
	reader_stop(&rd, thread);
	assert_int_equal(rd.n_lost, 0);
	world_fini(&w);
}

static void readers_never_lose_a_rule_that_stays(void **state UNUSED)
{
	struct reader rd = { 0 };
	pthread_t thread;
	struct world w;

	seed = SEED + 3;
	world_init(&w);
	put_text(&w, "in_port=1", TOP + 1);
	put_text(&w, "in_port=9,ip,nw_dst=10.0.0.0/9", TOP + 9);
	rd.w = &w;
	pthread_create(&thread, NULL, reader_run, &rd);
	for (unsigned i = 0; i < PAIRS / 20; i++) {
		if (w.n == RULES_MAX || (w.n > 2 && below(2)))
			world_del(&w, 2 + below(w.n - 2));
		else
			world_put_random(&w);
		rcu_quiescent();
	}
	reader_stop(&rd, thread);
	assert_true(rd.n > 0);
	assert_int_equal(rd.n_lost, 0);
	world_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_answers_as_a_list_does),
		cmocka_unit_test(keys_equal_where_it_looked_have_the_same_rule),
		cmocka_unit_test(bits_looked_at_before_stay),
		cmocka_unit_test(a_wrong_port_is_reason_enough),
		cmocka_unit_test(a_wrong_type_hides_the_addresses),
		cmocka_unit_test(a_prefix_is_told_by_the_bits_that_differ),
		cmocka_unit_test(a_port_is_told_by_the_bits_that_differ),
		cmocka_unit_test(an_ip6_prefix_longer_than_a_node_narrows),
		cmocka_unit_test(a_better_rule_ends_the_lookup),
		cmocka_unit_test(a_removed_rule_no_longer_leads),
		cmocka_unit_test(the_same_match_has_many_priorities),
		cmocka_unit_test(a_replaced_rule_hands_its_place_on),
		cmocka_unit_test(the_match_of_everything_looks_at_nothing),
		cmocka_unit_test(iteration_meets_each_rule_once),
		cmocka_unit_test(a_large_table_empties_in_linear_time),
		cmocka_unit_test(readers_never_lose_a_rule_that_stays),
		cmocka_unit_test(readers_meet_a_replaced_rule_or_its_successor),
	};
	int rc;

	rcu_thread_register();
	printf("seed %llu\n", (unsigned long long)SEED);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	rcu_thread_unregister();
	return rc;
}
