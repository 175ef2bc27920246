/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "flow/key.h"
#include "flow/keyhash.h"

#define ROUNDS 20000u
#define SEED 99ull

static uint64_t seed = SEED;

static uint64_t draw(void)
{
	uint64_t z = (seed += 0x9e3779b97f4a7c15ull);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

/* A few words have bits, and some of them many. */
static void draw_mask(struct flow_mask *m)
{
	memset(m, 0, sizeof(*m));
	for (unsigned n = (unsigned)(draw() % 12); n; n--)
		key_words(&m->bits)[draw() % KEY_WORDS] |=
			draw() & (draw() | draw());
}

static void draw_key(struct flow_key *k)
{
	for (unsigned i = 0; i < KEY_WORDS; i++)
		key_words(k)[i] = draw();
}

/* Another key that differs in one bit. */
static void draw_near(const struct flow_key *k, struct flow_key *near)
{
	*near = *k;
	key_words(near)[draw() % KEY_WORDS] ^= 1ull << draw() % 64;
}

/* Byte by byte: what equal under a mask means. */
static bool plainly_equal(const struct flow_key *a, const struct flow_key *b,
			  const struct flow_mask *m)
{
	const uint8_t *x = (const uint8_t *)a, *y = (const uint8_t *)b;
	const uint8_t *w = (const uint8_t *)m;

	for (size_t i = 0; i < sizeof(*a); i++)
		if ((x[i] & w[i]) != (y[i] & w[i]))
			return false;
	return true;
}

static void a_plan_compares_as_bytes_do(void **state UNUSED)
{
	uint64_t words[KEY_WORDS];
	unsigned n_differ = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		struct flow_key a, b;
		struct mask_plan plan;
		struct flow_mask m;
		bool equal;

		draw_mask(&m);
		draw_key(&a);
		draw_near(&a, &b);
		equal = plainly_equal(&a, &b, &m);
		n_differ += !equal;
		mask_plan_init(&plan, &m);
		key_compact(&a, &plan, words);
		assert_true(key_equal_plan(words, &a, &plan));
		assert_int_equal(key_equal_plan(words, &b, &plan), equal);
		assert_int_equal(key_equal_under(&a, &b, &m), equal);
	}
	assert_true(n_differ > ROUNDS / 100);
}

/* A mixer of 64 bits: two keys of these few thousand that differ do not meet. */
static void hashes_are_equal_when_the_masked_keys_are(void **state UNUSED)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct flow_key a, b;
		struct mask_plan plan;
		struct flow_mask m;
		uint64_t h;

		draw_mask(&m);
		draw_key(&a);
		draw_near(&a, &b);
		mask_plan_init(&plan, &m);
		h = key_hash_plan(&a, &plan, 5);
		assert_int_equal(h == key_hash_plan(&b, &plan, 5),
				 plainly_equal(&a, &b, &m));
		assert_int_not_equal(h, key_hash_plan(&a, &plan, 6));
	}
}

static void a_plan_lists_the_words_that_count(void **state UNUSED)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct flow_words words;
		struct mask_plan plan;
		struct flow_mask m;
		unsigned at = 0;

		draw_mask(&m);
		mask_plan_init(&plan, &m);
		words = mask_words(&m);
		for (unsigned w = 0; w < KEY_WORDS; w++) {
			bool counts = words.w[w / 64] >> (w % 64) & 1;

			assert_int_equal(counts,
					 key_words_const(&m.bits)[w] != 0);
			if (!counts)
				continue;
			assert_int_equal(plan.word[at], w);
			assert_int_equal(plan.bits[at++],
					 key_words_const(&m.bits)[w]);
		}
		assert_int_equal(plan.n, at);
	}
}

static void a_union_is_the_least_mask_above_both(void **state UNUSED)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct flow_mask a, b, both;

		draw_mask(&a);
		draw_mask(&b);
		both = a;
		mask_union(&both, &b);
		assert_true(mask_is_subset(&a, &both));
		assert_true(mask_is_subset(&b, &both));
		assert_int_equal(mask_is_subset(&both, &a),
				 mask_equal(&both, &a));
		for (unsigned w = 0; w < KEY_WORDS; w++)
			assert_int_equal(key_words(&both.bits)[w],
					 key_words(&a.bits)[w] |
						 key_words(&b.bits)[w]);
	}
}

static void a_masked_key_equals_the_key_where_the_mask_is(void **state UNUSED)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct flow_key k, masked;
		struct flow_mask m;

		draw_mask(&m);
		draw_key(&k);
		key_apply_mask(&k, &m, &masked);
		assert_true(plainly_equal(&k, &masked, &m));
		for (unsigned w = 0; w < KEY_WORDS; w++)
			assert_int_equal(key_words(&masked)[w] &
						 ~key_words(&m.bits)[w],
					 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plan_compares_as_bytes_do),
		cmocka_unit_test(hashes_are_equal_when_the_masked_keys_are),
		cmocka_unit_test(a_plan_lists_the_words_that_count),
		cmocka_unit_test(a_union_is_the_least_mask_above_both),
		cmocka_unit_test(a_masked_key_equals_the_key_where_the_mask_is),
	};

	printf("seed %llu\n", (unsigned long long)SEED);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
