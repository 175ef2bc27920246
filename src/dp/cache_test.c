/* SPDX-License-Identifier: Apache-2.0 */
/* The cache says what full translation says, whatever is asked and whatever
 * changes, within its limits.
 *
 * The pipeline of these tests is a decision tree drawn from a seed: which bits it
 * looks at next depends on those it saw. Its mask is what it looked at, so it is
 * sound; there are thousands of different ones. */
#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/hash.h"
#include "dp/cache.h"
#include "flow/extract.h"
#include "packet/test_frame.h"

#define PLACES 64u
#define PLACE_SLOT 5000u

/* What translation knows: rules, and places that change one by one. */
struct world {
	uint64_t rules;
	unsigned depth; /* the tree's */
	bool wild;      /* any bits of any word; else whole fields */
	uint32_t place[PLACES];
	struct stamps *stamps;
	uint64_t random;
	struct verdict v;
};

struct tally {
	uint64_t packets, bytes, flows;
};

struct fixture {
	struct cache c;
	struct world w;
	struct tally hit, told, going;
	uint64_t now_ms, asked, found;
	uint64_t shadowed; /* put, but another one stale is found */
};

static uint32_t roll(struct world *w, uint32_t below)
{
	return frame_random(&w->random, below);
}

/* --- the pipeline ------------------------------------------------------------ */

/* Words that keys of these tests fill: look at some bits of one of them. */
static uint64_t look_wild(struct world *w, const struct flow_key *key,
			  uint64_t h)
{
	unsigned word = (unsigned)(h >> 8) % KEY_PACKET_WORDS;
	uint64_t bits = hash_mix(h, 0x9e3779b97f4a7c15ull);

	key_words(&w->v.mask.bits)[word] |= bits;
	return key_words_const(key)[word] & bits;
}

static uint64_t look_plain(struct world *w, const struct flow_key *key,
			   uint64_t h)
{
	struct flow_mask *m = &w->v.mask;

	switch (h >> 8 & 7) {
	case 0:
		MASK_SET(m, eth_src);
		return key->eth_src.b[5];
	case 1:
		MASK_SET(m, eth_dst);
		return key->eth_dst.b[5];
	case 2:
		MASK_SET(m, vlan);
		return key->vlan[0].tci;
	case 3:
		m->bits.ip4_src |= 0xffffff00u;
		return key->ip4_src >> 8;
	case 4:
		MASK_SET(m, ip4_dst);
		return key->ip4_dst;
	case 5:
		MASK_SET(m, tp_dst);
		return key->tp_dst;
	case 6:
		MASK_SET(m, ip_ttl);
		return key->ip_ttl;
	default:
		m->bits.tcp_flags |= 2;
		return key->tcp_flags & 2;
	}
}

static void leaf(struct world *w, uint64_t h)
{
	struct verdict *v = &w->v;
	struct effect e = { .kind = EFFECT_COUNT };
	uint32_t place = (uint32_t)(h >> 16) % PLACES;

	verdict_add_dep(v, stamp_read(w->stamps, PLACE_SLOT + place));
	for (unsigned i = 0; i < (h >> 40) % 4; i++) {
		e.id = i;
		verdict_add_effect(v, &e);
	}
	for (unsigned i = 0; i < (h >> 48) % 3; i++)
		acts_push_vlan(&v->actions, 0x8100, (uint16_t)(h >> 50));
	acts_output(&v->actions, 1 + w->place[place] + (uint32_t)(h >> 60));
	if ((h >> 24) % 64 == 0)
		v->cacheable = false;
}

static const struct verdict *translate(struct world *w,
				       const struct flow_key *key)
{
	uint64_t h = hash_u64(w->rules, key->in_port);

	verdict_init(&w->v);
	verdict_add_dep(&w->v, stamp_read(w->stamps, STAMP_SNAPSHOT));
	for (unsigned i = 0; i < w->depth; i++) {
		h = hash_u64(w->wild ? look_wild(w, key, h) :
				       look_plain(w, key, h),
			     h);
		if (h % 8 == 0)
			break;
	}
	leaf(w, h);
	return &w->v;
}

/* Few values of each field, so that keys come again. */
static void random_key(struct world *w, uint32_t n_ports, struct flow_key *key)
{
	flow_key_init(key);
	key->in_port = 1 + roll(w, n_ports);
	key->eth_type = 0x0800;
	key->eth_src.b[5] = (uint8_t)roll(w, 3);
	key->eth_dst.b[5] = (uint8_t)roll(w, 3);
	key->vlan[0].tci = (uint16_t)roll(w, 2);
	key->ip4_src = 0xc0000200u + roll(w, 3) * 129;
	key->ip4_dst = 0xc6336400u + roll(w, 3);
	key->ip_ttl = (uint8_t)(63 + roll(w, 2));
	key->tp_dst = (uint16_t)roll(w, 3);
	key->tcp_flags = (uint16_t)roll(w, 4);
}

static void wild_key(struct world *w, uint32_t port, struct flow_key *key)
{
	uint64_t *words = key_words(key);

	flow_key_init(key);
	for (unsigned i = 0; i < KEY_PACKET_WORDS; i++)
		words[i] = hash_u64(w->random++, 7);
	key->in_port = port;
}

/* --- the fixture ------------------------------------------------------------- */

static void add(struct tally *t, const struct flow *f)
{
	t->packets += f->new_packets;
	t->bytes += f->new_bytes;
	t->flows++;
}

static void note_going(void *ctx, struct flow *f)
{
	struct fixture *x = ctx;

	assert_true(f->new_packets);
	add(&x->going, f);
}

static void note_used(void *ctx, struct flow *f)
{
	struct fixture *x = ctx;

	assert_true(f->new_packets);
	add(&x->told, f);
}

static void fixture_init(struct fixture *x, struct cache_config c)
{
	*x = (struct fixture){ .now_ms = 1000 };
	x->w.stamps = xzalloc(sizeof(*x->w.stamps));
	x->w.depth = 6;
	x->w.random = 1;
	c.going = note_going;
	c.ctx = x;
	c.idle_ms = c.idle_ms ? c.idle_ms : 1000000;
	assert_int_equal(cache_init(&x->c, &c), 0);
}

static void fixture_fini(struct fixture *x)
{
	cache_fini(&x->c);
	free(x->w.stamps);
}

static void hit(struct fixture *x, struct flow *f, uint32_t len)
{
	x->hit.packets++;
	x->hit.bytes += len;
	f->packets++;
	f->bytes += len;
	f->new_packets++;
	f->new_bytes += len;
	f->used_ms = x->now_ms;
}

/* A flow covers what is equal under its mask: C2. */
static void check_found(struct fixture *x, const struct flow *f,
			const struct flow_key *key)
{
	const struct verdict *v = translate(&x->w, key);
	struct flow_key kept;

	flow_key_of(f, &kept);
	assert_true(key_equal_under(key, &kept, &f->mask->mask));
	assert_true(mask_is_subset(&v->mask, &f->mask->mask));
	if (!act_list_equal(program_list(f->program), acts_list(&v->actions)))
		fail_msg("a fresh flow says something else than translation");
	assert_int_equal(f->n_effects, v->n_effects);
	assert_memory_equal(flow_effects(f), v->effects,
			    v->n_effects * sizeof(v->effects[0]));
}

/* As a worker does. */
static void ask(struct fixture *x, const struct flow_key *key)
{
	struct flow *f = cache_find_one(&x->c, key);

	x->asked++;
	if (f && flow_is_fresh(f, x->w.stamps)) {
		check_found(x, f, key);
		hit(x, f, 60 + roll(&x->w, 1400));
		x->found++;
		return;
	}
	f = cache_put(&x->c, key, translate(&x->w, key), f, x->now_ms);
	if (!f) {
		assert_false(x->w.v.cacheable);
		return;
	}
	check_found(x, f, key);
	f = cache_find_one(&x->c, key);
	assert_non_null(f);
	x->shadowed += !flow_is_fresh(f, x->w.stamps);
}

/* To the end of the round that is under way, and a whole one. */
static void sweep_all(struct fixture *x)
{
	for (unsigned rounds = 0; rounds < 2;)
		rounds += cache_sweep(&x->c, 16, x->now_ms, note_used, x);
}

/* --- what always holds ------------------------------------------------------- */

struct census {
	struct fixture *x;
	struct flow *all[4096];
	uint32_t n;
};

static bool note_flow(void *ctx, struct flow *f)
{
	struct census *s = ctx;
	struct flow_key kept;

	assert_true(s->n < ARRAY_SIZE(s->all));
	/* It lies under its mask as that is now. */
	assert_int_equal(f->n_words, f->mask->plan.n);
	flow_key_of(f, &kept);
	assert_true(f->hash ==
		    key_hash_plan(&kept, &f->mask->plan, s->x->c.config.seed));
	s->all[s->n++] = f;
	return true;
}

static void check_port(const struct cache *c, uint32_t id,
		       const struct census *s)
{
	const struct cache_port *p = c->ports[id];
	uint32_t n = 0, of_masks = 0;

	for (uint32_t i = 0; i < s->n; i++) {
		const struct flow *f = s->all[i];
		bool ours = false;

		if (f->port != id)
			continue;
		n++;
		for (unsigned m = 0; m < p->n_masks; m++)
			ours |= p->masks[m] == f->mask;
		assert_true(ours); /* C1 */
	}
	if (!p) {
		assert_int_equal(n, 0);
		return;
	}
	for (unsigned m = 0; m < p->n_masks; m++)
		of_masks += p->masks[m]->n_flows;
	assert_true(p->n_masks <= DP_MAX_MASKS);
	assert_int_equal(p->n_flows, n);
	assert_int_equal(of_masks, n);
	assert_true(n <= c->config.flows_per_port); /* C3 */
}

/* No two of the same mask cover the same packets. */
static void check_once(const struct census *s)
{
	for (uint32_t i = 0; i < s->n; i++)
		for (uint32_t k = 0; k < i; k++) {
			const struct flow *a = s->all[i], *b = s->all[k];

			if (a->mask == b->mask && a->hash == b->hash)
				assert_memory_not_equal(a->tail, b->tail,
							a->n_words * 8u);
		}
}

static void check_whole(struct fixture *x)
{
	struct census *s = xzalloc(sizeof(*s));
	bool known = false;

	s->x = x;
	cache_each(&x->c, note_flow, s);
	assert_int_equal(s->n, x->c.n_flows);
	assert_true(s->n <= x->c.config.flows_max); /* C3 */
	for (uint32_t id = 0; id < 16; id++) {
		check_port(&x->c, id, s);
		known |= x->c.fullest == x->c.ports[id];
	}
	assert_true(known); /* or NULL, as some are */
	check_once(s);
	free(s);
}

/* --- the tests --------------------------------------------------------------- */

/* What may happen between two packets. */
static void something_happens(struct fixture *x)
{
	struct world *w = &x->w;
	uint32_t place = roll(w, PLACES);

	switch (roll(w, 3000)) {
	case 0:
		w->rules++;
		stamp_bump(w->stamps, STAMP_SNAPSHOT);
		break;
	case 1:
		cache_forget_port(&x->c, 1 + roll(w, 6));
		break;
	case 2:
		x->now_ms += roll(w, 400);
		sweep_all(x);
		break;
	case 3 ... 20:
		w->place[place]++;
		stamp_bump(w->stamps, PLACE_SLOT + place);
		break;
	case 21 ... 60:
		x->now_ms += roll(w, 20);
		(void)cache_sweep(&x->c, 1 + roll(w, 8), x->now_ms, note_used,
				  x);
		break;
	}
}

static void random_life(struct cache_config c, uint64_t seed)
{
	struct flow_key keys[200];
	struct fixture x;

	c.seed = seed;
	fixture_init(&x, c);
	x.w.random = seed;
	for (unsigned i = 0; i < ARRAY_SIZE(keys); i++)
		random_key(&x.w, 6, &keys[i]);
	for (unsigned i = 0; i < 15000; i++) {
		struct flow_key *key = &keys[roll(&x.w, ARRAY_SIZE(keys))];

		something_happens(&x);
		if (roll(&x.w, 20) == 0)
			random_key(&x.w, 6, key);
		ask(&x, key);
		if (i % 500 == 0)
			check_whole(&x);
	}
	check_whole(&x);
	sweep_all(&x);
	if (c.flows_max > 10)
		assert_true(x.found > x.asked / 4);
	assert_true(x.shadowed < x.asked / 1000);
	assert_int_equal(x.told.packets + x.going.packets, x.hit.packets);
	assert_int_equal(x.told.bytes + x.going.bytes, x.hit.bytes);
	fixture_fini(&x);
}

static void the_cache_says_what_translation_says(void **state UNUSED)
{
	const struct cache_config roomy = { .flows_per_port = 1000,
					    .flows_max = 3000,
					    .idle_ms = 500 };
	const struct cache_config tight = { .flows_per_port = 60,
					    .flows_max = 150,
					    .idle_ms = 200 };
	const struct cache_config tiny = { .flows_per_port = 1,
					   .flows_max = 3,
					   .idle_ms = 50 };

	for (uint64_t seed = 1; seed <= 3; seed++) {
		random_life(roomy, seed);
		random_life(tight, seed);
	}
	random_life(tiny, 9);
}

static void a_batch_finds_what_each_would(void **state UNUSED)
{
	const struct cache_config c = { .flows_per_port = 500,
					.flows_max = 500 };
	struct flow_key keys[PACKET_BATCH_MAX];
	struct flow *found[PACKET_BATCH_MAX];
	struct fixture x;

	fixture_init(&x, c);
	for (unsigned round = 0; round < 2000; round++) {
		unsigned n = roll(&x.w, PACKET_BATCH_MAX + 1);

		for (unsigned i = 0; i < n; i++)
			random_key(&x.w, 1, &keys[i]);
		cache_find(&x.c, 1, keys, n, found);
		for (unsigned i = 0; i < n; i++) {
			assert_ptr_equal(found[i],
					 cache_find_one(&x.c, &keys[i]));
			x.found += found[i] != NULL;
		}
		random_key(&x.w, 1, &keys[0]);
		ask(&x, &keys[0]);
	}
	assert_true(x.found > 1000);
	fixture_fini(&x);
}

static unsigned quiet_found(struct fixture *x, const struct flow_key *keys,
			    unsigned n)
{
	unsigned found = 0;

	for (unsigned i = 0; i < n; i++) {
		struct flow *f = cache_find_one(&x->c, &keys[i]);

		if (f)
			check_found(x, f, &keys[i]);
		found += f != NULL;
	}
	return found;
}

/* Decision D3: whatever one port sends, it has four masks, the answers are right,
 * and its neighbours have what they had. */
static void thousands_of_masks_are_four(void **state UNUSED)
{
	const struct cache_config c = { .flows_per_port = 300,
					.flows_max = 2000 };
	struct flow_mask *seen = xcalloc(4000, sizeof(*seen));
	struct flow_key quiet[100], key;
	struct fixture x;
	unsigned different = 0, found;

	fixture_init(&x, c);
	for (unsigned i = 0; i < ARRAY_SIZE(quiet); i++) {
		random_key(&x.w, 1, &quiet[i]);
		quiet[i].in_port = 2;
		ask(&x, &quiet[i]);
	}
	found = quiet_found(&x, quiet, ARRAY_SIZE(quiet));
	assert_true(found > ARRAY_SIZE(quiet) / 2);
	x.w.wild = true;
	x.w.depth = 12;
	x.asked = x.found = 0;
	for (unsigned i = 0; i < 4000; i++) {
		bool is_new = true;

		wild_key(&x.w, 1, &key);
		seen[i] = translate(&x.w, &key)->mask;
		for (unsigned k = i; is_new && k-- > 0 && k + 50 > i;)
			is_new = !mask_equal(&seen[i], &seen[k]);
		different += is_new;
		ask(&x, &key);
		ask(&x, &key);
		assert_true(x.c.ports[1]->n_masks <= DP_MAX_MASKS);
	}
	assert_true(different > 3000);
	assert_true(x.c.stats.merged > 0);
	check_whole(&x);
	/* A union of enough of them covers what comes: it need not grow often, and
	 * packets are found again. */
	assert_true(x.c.stats.merged < 4000 / 8);
	assert_true(x.found > 4000 * 7 / 8);
	x.w.wild = false;
	x.w.depth = 6;
	assert_int_equal(quiet_found(&x, quiet, ARRAY_SIZE(quiet)), found);
	assert_true(cache_mask_count(&x.c) <= 2 * DP_MAX_MASKS);
	fixture_fini(&x);
	free(seen);
}

/* --- verdicts told apart by their source address ----------------------------- */

static const struct verdict *plain_verdict(struct world *w, uint32_t port)
{
	verdict_init(&w->v);
	MASK_SET(&w->v.mask, eth_src);
	acts_output(&w->v.actions, port);
	return &w->v;
}

static struct flow_key plain_key(uint32_t port, uint32_t n)
{
	struct flow_key key;

	flow_key_init(&key);
	key.in_port = port;
	for (unsigned i = 0; i < 4; i++)
		key.eth_src.b[5 - i] = (uint8_t)(n >> 8 * i);
	return key;
}

static struct flow *plain_put(struct fixture *x, uint32_t port, uint32_t n)
{
	struct flow_key key = plain_key(port, n);

	return cache_put(&x->c, &key, plain_verdict(&x->w, n % 100 + 1), NULL,
			 x->now_ms);
}

static struct flow *plain_find(struct fixture *x, uint32_t port, uint32_t n)
{
	struct flow_key key = plain_key(port, n);

	return cache_find_one(&x->c, &key);
}

static void used_flows_outlive_unused_ones(void **state UNUSED)
{
	const struct cache_config c = { .flows_per_port = 100,
					.flows_max = 1000 };
	struct fixture x;

	fixture_init(&x, c);
	for (uint32_t i = 0; i < 100; i++)
		assert_non_null(plain_put(&x, 1, i));
	for (uint32_t i = 100; i < 400; i++) {
		x.now_ms++;
		if (i % 10 == 0)
			for (uint32_t k = 0; k < 5; k++)
				hit(&x, plain_find(&x, 1, k), 60);
		assert_non_null(plain_put(&x, 1, i));
		assert_int_equal(x.c.n_flows, 100);
	}
	for (uint32_t k = 0; k < 5; k++)
		assert_non_null(plain_find(&x, 1, k));
	assert_null(plain_find(&x, 1, 5));
	assert_non_null(plain_find(&x, 1, 399));
	assert_int_equal(x.c.stats.replaced, 300);
	fixture_fini(&x);
}

/* Ports that flood have all of the cache; one that sends little comes late. */
static void a_full_cache_is_shared_evenly(void **state UNUSED)
{
	const struct cache_config c = { .flows_per_port = 100,
					.flows_max = 400 };
	uint32_t next = 1000, lost = 0;
	struct fixture x;

	fixture_init(&x, c);
	for (uint32_t i = 0; i < 2000; i++)
		plain_put(&x, 1 + i % 4, next++);
	assert_int_equal(x.c.n_flows, 400);
	for (uint32_t round = 0; round < 50; round++) {
		x.now_ms += 10;
		for (uint32_t i = 0; i < 40; i++) {
			struct flow *f = plain_find(&x, 5, i);

			if (f)
				hit(&x, f, 60);
			else
				plain_put(&x, 5, i);
			lost += !f && round;
			for (uint32_t k = 1; k <= 4; k++)
				plain_put(&x, k, next++);
		}
	}
	assert_true(lost < 20); /* of 1960; one may come to lie behind a gap */
	assert_int_equal(x.c.ports[5]->n_flows, 40);
	for (uint32_t k = 1; k <= 4; k++)
		assert_true(x.c.ports[k]->n_flows >= 85);
	/* It goes, and so does its share. */
	cache_forget_port(&x.c, 5);
	for (uint32_t i = 0; i < 400; i++)
		plain_put(&x, 1 + i % 4, next++);
	assert_int_equal(x.c.n_flows, 400);
	for (uint32_t k = 1; k <= 4; k++)
		assert_int_equal(x.c.ports[k]->n_flows, 100);
	check_whole(&x);
	/* And so do the fullest ones', whoever goes first. */
	for (uint32_t round = 0; round < 4; round++) {
		for (uint32_t k = 1; k <= 6; k++)
			cache_forget_port(&x.c, round % 2 ? k : 7 - k);
		assert_int_equal(x.c.n_flows, 0);
		check_whole(&x);
		for (uint32_t i = 0; i < 1000; i++)
			plain_put(&x, 1 + i % 6, next++);
		check_whole(&x);
	}
	assert_int_equal(x.c.n_flows, 400);
	fixture_fini(&x);
}

/* What was found stale makes the room itself. */
static void a_flow_in_place_of_a_stale_one_costs_no_other(void **state UNUSED)
{
	const struct cache_config c = { .flows_per_port = 50, .flows_max = 50 };
	struct fixture x;

	fixture_init(&x, c);
	for (uint32_t i = 0; i < 50; i++)
		plain_put(&x, 1, i)->packets = i;
	for (uint32_t i = 0; i < 50; i++) {
		struct flow_key key = plain_key(1, i);
		struct flow *f = plain_find(&x, 1, i);

		assert_non_null(f);
		hit(&x, f, 60);
		f = cache_put(&x.c, &key, plain_verdict(&x.w, 7), f, 1);
		assert_non_null(f);
		assert_int_equal(f->packets, i + 1); /* goes on counting */
		assert_int_equal(f->new_packets, 0);
	}
	assert_int_equal(x.c.n_flows, 50);
	assert_int_equal(x.c.stats.replaced, 0);
	assert_int_equal(x.going.packets, 50);
	fixture_fini(&x);
}

static void a_stale_flow_goes_even_if_none_comes(void **state UNUSED)
{
	const struct cache_config c = { .flows_per_port = 50, .flows_max = 50 };
	struct flow_key key = plain_key(1, 1);
	struct fixture x;
	struct flow *f;

	fixture_init(&x, c);
	f = plain_put(&x, 1, 1);
	(void)plain_verdict(&x.w, 1);
	x.w.v.cacheable = false;
	assert_null(cache_put(&x.c, &key, &x.w.v, f, 1));
	assert_null(plain_find(&x, 1, 1));
	assert_int_equal(x.c.n_flows, 0);
	fixture_fini(&x);
}

/* The n-th of some verdicts that look at different bits. */
static const struct verdict *narrow_verdict(struct world *w, unsigned n)
{
	(void)plain_verdict(w, 1);
	key_words(&w->v.mask.bits)[5 + n] |= 0xffu;
	return &w->v;
}

/* Far from all of those. */
static const struct verdict *wide_verdict(struct world *w, unsigned n)
{
	(void)plain_verdict(w, 1);
	for (unsigned i = 0; i < 3; i++)
		key_words(&w->v.mask.bits)[8 + n * 3 + i] = UINT64_MAX;
	return &w->v;
}

/* What was counted for some packets is not said of others. */
static void what_was_counted_goes_to_the_same_packets_only(void **state UNUSED)
{
	const struct cache_config c = { .flows_per_port = 50, .flows_max = 50 };
	struct flow_key key = plain_key(1, 1);
	struct fixture x;
	struct flow *f;

	fixture_init(&x, c);
	plain_put(&x, 1, 2); /* keeps the mask in use */
	f = plain_put(&x, 1, 1);
	f->packets = 7;
	f = cache_put(&x.c, &key, narrow_verdict(&x.w, 0), f, 1);
	assert_int_equal(f->packets, 0);
	f->packets = 8;
	f = cache_put(&x.c, &key, narrow_verdict(&x.w, 0), f, 1);
	assert_int_equal(f->packets, 8);
	cache_forget_port(&x.c, 1);
	plain_put(&x, 1, 2);
	/* Masks are used up; the flow's own is merged, as it is the nearest. */
	for (uint32_t n = 1; n < DP_MAX_MASKS; n++) {
		key = plain_key(1, 10 + n);
		assert_non_null(
			cache_put(&x.c, &key, wide_verdict(&x.w, n), NULL, 1));
	}
	plain_put(&x, 1, 1)->packets = 9;
	assert_int_equal(cache_mask_count(&x.c), DP_MAX_MASKS);
	key = plain_key(1, 1);
	f = cache_find_one(&x.c, &key);
	assert_int_equal(f->packets, 9);
	f = cache_put(&x.c, &key, narrow_verdict(&x.w, 1), f, 1);
	assert_int_equal(x.c.stats.merged, 1);
	assert_int_equal(f->packets, 0);
	for (uint32_t n = 1; n < DP_MAX_MASKS; n++)
		assert_non_null(plain_find(&x, 1, 10 + n)); /* far ones stay */
	check_whole(&x);
	fixture_fini(&x);
}

static void a_mask_without_flows_makes_room_for_another(void **state UNUSED)
{
	const struct cache_config c = { .flows_per_port = 50, .flows_max = 50 };
	struct flow_key key = plain_key(1, 1);
	struct fixture x;

	fixture_init(&x, c);
	for (unsigned n = 0; n < 12; n++) {
		struct flow *f =
			cache_put(&x.c, &key, narrow_verdict(&x.w, n), NULL, 1);

		assert_non_null(f);
		assert_true(mask_equal(&f->mask->mask, &x.w.v.mask));
		cache_del(&x.c, f);
	}
	assert_int_equal(x.c.stats.merged, 0);
	fixture_fini(&x);
}

/* A run of buckets has gaps when a flow in it went: a flow that lies behind is
 * not found, but put again it is still one. */
static void a_flow_behind_a_gap_is_not_doubled(void **state UNUSED)
{
	const struct cache_config c = { .flows_per_port = 200,
					.flows_max = 200 };
	struct fixture x;
	uint32_t behind = 0;

	fixture_init(&x, c);
	for (uint32_t i = 0; i < 200; i++)
		plain_put(&x, 1, i);
	for (uint32_t i = 0; i < 200; i++) {
		struct flow *f = plain_find(&x, 1, i);

		if (f && i % 2)
			cache_del(&x.c, f);
		behind += !f;
	}
	assert_true(behind > 0); /* else this shows nothing */
	for (uint32_t i = 0; i < 200; i++)
		plain_put(&x, 1, i);
	check_whole(&x);
	assert_int_equal(x.c.n_flows, 200);
	fixture_fini(&x);
}

static void a_sweep_visits_every_flow_once(void **state UNUSED)
{
	const struct cache_config c = { .flows_per_port = 5000,
					.flows_max = 5000,
					.idle_ms = 1000 };
	struct fixture x;
	unsigned steps = 1;

	fixture_init(&x, c);
	for (uint32_t i = 0; i < 3000; i++)
		hit(&x, plain_put(&x, 1 + i % 9, i), 60);
	while (!cache_sweep(&x.c, 100, x.now_ms, note_used, &x))
		steps++;
	assert_int_equal(steps, DIV_ROUND_UP(cache_buckets(&x.c), 100));
	assert_int_equal(x.told.flows, 3000);
	assert_int_equal(x.told.packets, 3000);
	sweep_all(&x);
	assert_int_equal(x.told.flows, 3000); /* nothing passed since */
	x.now_ms += 999;
	for (uint32_t i = 0; i < 3000; i += 3)
		hit(&x, plain_find(&x, 1 + i % 9, i), 60);
	x.now_ms++;
	sweep_all(&x);
	assert_int_equal(x.told.flows, 4000);
	assert_int_equal(x.c.n_flows, 1000);
	assert_int_equal(x.going.flows, 0);
	fixture_fini(&x);
}

static void a_million_flows_are_found(void **state UNUSED)
{
	const uint32_t n = 1000000;
	const struct cache_config c = { .flows_per_port = n, .flows_max = n };
	struct fixture x;
	uint64_t lost = 0;

	fixture_init(&x, c);
	for (uint32_t i = 0; i < n; i++)
		assert_non_null(plain_put(&x, 1 + i % 4, i));
	for (uint32_t i = 0; i < n; i++) {
		struct flow *f = plain_find(&x, 1 + i % 4, i);
		struct act_list l;

		if (!f) {
			lost++;
			continue;
		}
		l = program_list(f->program);
		assert_int_equal(
			((const struct act_port *)(const void *)l.first)->port,
			i % 100 + 1);
	}
	/* Where too many fell to the same place, one had to go. */
	assert_int_equal(lost, x.c.stats.replaced);
	assert_int_equal(x.c.n_flows, n - lost);
	assert_true(lost < n / 1000);
	assert_true(x.c.slab.used < (uint64_t)n * 300);
	cache_forget_port(&x.c, 1);
	assert_true(x.c.n_flows < n * 3 / 4 + 1);
	assert_null(plain_find(&x, 1, 0));
	assert_non_null(plain_find(&x, 2, n - 3));
	fixture_fini(&x);
}

/* --- without memory ---------------------------------------------------------- */

/* So many bytes are left; how many of 40 flows are kept in them? */
static unsigned kept_in(size_t room)
{
	const struct cache_config c = { .flows_per_port = 500,
					.flows_max = 500 };
	struct fixture x;
	unsigned kept;

	fixture_init(&x, c);
	assert_non_null(plain_put(&x, 2, 1));
	x.c.slab.size = x.c.slab.used + room;
	for (uint32_t i = 0; i < 40; i++) {
		struct flow *f = plain_put(&x, 1, i);

		assert_ptr_equal(plain_find(&x, 1, i), f);
		/* Two have room: then one makes room for the next. */
		if (x.c.n_flows > 2)
			assert_non_null(f);
	}
	check_whole(&x);
	kept = x.c.n_flows - 1;
	assert_non_null(plain_find(&x, 2, 1));
	/* What one gives back the next may have. */
	cache_forget_port(&x.c, 2);
	if (room)
		assert_non_null(plain_put(&x, 2, 1));
	cache_forget_port(&x.c, 1);
	cache_forget_port(&x.c, 2);
	assert_int_equal(x.c.n_flows, 0);
	assert_int_equal(x.c.programs.n, 0);
	fixture_fini(&x);
	return kept;
}

static void with_less_memory_less_is_kept(void **state UNUSED)
{
	unsigned before = 0, different = 0;

	for (size_t room = 0; room < 24000; room += 64) {
		unsigned kept = kept_in(room);

		assert_true(kept >= before);
		different += kept != before;
		before = kept;
	}
	assert_int_equal(before, 40);
	assert_true(different > 20);
}

static void what_is_for_one_packet_is_not_kept(void **state UNUSED)
{
	const struct cache_config c = { .flows_per_port = 50, .flows_max = 50 };
	struct fixture x;
	struct flow_key key = plain_key(1, 1), far = plain_key(70000, 1);
	struct verdict *v = &x.w.v;

	fixture_init(&x, c);
	(void)plain_verdict(&x.w, 1);
	v->cacheable = false;
	assert_null(cache_put(&x.c, &key, v, NULL, 1));
	v->cacheable = true;
	assert_null(cache_put(&x.c, &far, v, NULL, 1));
	assert_null(cache_find_one(&x.c, &far));
	cache_forget_port(&x.c, 70000);
	cache_forget_port(&x.c, 3);
	assert_int_equal(x.c.n_flows, 0);
	assert_int_equal(cache_mask_count(&x.c), 0);
	fixture_fini(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_cache_says_what_translation_says),
		cmocka_unit_test(a_batch_finds_what_each_would),
		cmocka_unit_test(thousands_of_masks_are_four),
		cmocka_unit_test(used_flows_outlive_unused_ones),
		cmocka_unit_test(a_full_cache_is_shared_evenly),
		cmocka_unit_test(a_flow_in_place_of_a_stale_one_costs_no_other),
		cmocka_unit_test(a_stale_flow_goes_even_if_none_comes),
		cmocka_unit_test(
			what_was_counted_goes_to_the_same_packets_only),
		cmocka_unit_test(a_mask_without_flows_makes_room_for_another),
		cmocka_unit_test(a_flow_behind_a_gap_is_not_doubled),
		cmocka_unit_test(a_sweep_visits_every_flow_once),
		cmocka_unit_test(a_million_flows_are_found),
		cmocka_unit_test(with_less_memory_less_is_kept),
		cmocka_unit_test(what_is_for_one_packet_is_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
