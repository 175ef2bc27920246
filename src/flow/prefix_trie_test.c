/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/prefix_trie.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#ifdef __SANITIZE_ADDRESS__
#define STEPS 20000u
#else
#define STEPS 200000u
#endif

#define SEED 71077ull
#define PREFIXES_MAX 200u

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

struct entry {
	struct prefix_bits v;
	unsigned len;
};

static bool bit_of(struct prefix_bits v, unsigned at)
{
	return (at < 64 ? v.hi << at : v.lo << (at - 64)) >> 63;
}

static unsigned same_bits(struct prefix_bits a, struct prefix_bits b)
{
	unsigned n = 0;

	while (n < PREFIX_BITS_MAX && bit_of(a, n) == bit_of(b, n))
		n++;
	return n;
}

static struct prefix_bits turn_bit(struct prefix_bits v, unsigned at)
{
	if (at < 64)
		v.hi ^= 1ull << (63 - at);
	else
		v.lo ^= 1ull << (127 - at);
	return v;
}

/* Values of a few families, whose members part late or early. */
static struct prefix_bits draw_value(unsigned width)
{
	struct prefix_bits v = { 0x20010db8ull << 32, 0 };

	for (unsigned i = below(4); i; i--)
		v = turn_bit(v, below(width));
	if (!below(8))
		v = (struct prefix_bits){ draw(), draw() };
	if (width <= 64) {
		v.hi &= ~0ull << (64 - width);
		v.lo = 0;
	}
	return v;
}

static void check_found(const struct prefix_trie *t, const struct entry *e,
			unsigned n, unsigned width)
{
	struct prefix_bits v = draw_value(width), w;
	uint64_t want[2] = { 0 };
	struct prefix_found found, other;

	for (unsigned i = 0; i < n; i++)
		if (same_bits(e[i].v, v) >= e[i].len)
			want[(e[i].len - 1) / 64] |= 1ull
						     << ((e[i].len - 1) % 64);
	prefix_trie_lookup(t, v, width, &found);
	assert_memory_equal(found.lens, want, sizeof(want));
	assert_true(found.n_bits <= width);
	/* Whatever stands behind those bits, the answer is the same. */
	w = draw_value(width);
	for (unsigned i = 0; i < found.n_bits; i++)
		if (bit_of(w, i) != bit_of(v, i))
			w = turn_bit(w, i);
	prefix_trie_lookup(t, w, width, &other);
	assert_memory_equal(&other, &found, sizeof(found));
}

static void check_width(unsigned width)
{
	static struct entry e[PREFIXES_MAX];
	struct prefix_trie t = { NULL };
	unsigned n = 0;

	for (unsigned step = 0; step < STEPS; step++) {
		unsigned target = step / 1000 % 2 ? 5 : PREFIXES_MAX;

		if (n < target && below(3)) {
			e[n].v = draw_value(width);
			e[n].len = below(3) ? 1 + below(width) : width;
			prefix_trie_put(&t, e[n].v, e[n].len);
			n++;
		} else if (n) {
			unsigned i = below(n);

			prefix_trie_del(&t, e[i].v, e[i].len);
			e[i] = e[--n];
		}
		check_found(&t, e, n, width);
	}
	while (n--)
		prefix_trie_del(&t, e[n].v, e[n].len);
	assert_null(t.root);
	rcu_barrier_wait();
}

static void ports_are_found_as_a_list_finds_them(void **state UNUSED)
{
	seed = SEED;
	check_width(16);
}

static void ip4_prefixes_are_found_as_a_list_finds_them(void **state UNUSED)
{
	seed = SEED + 1;
	check_width(32);
}

static void ip6_prefixes_are_found_as_a_list_finds_them(void **state UNUSED)
{
	seed = SEED + 2;
	check_width(128);
}

static void an_empty_trie_looks_at_nothing(void **state UNUSED)
{
	struct prefix_trie t = { NULL };
	struct prefix_found f;

	prefix_trie_lookup(&t, (struct prefix_bits){ 1, 2 }, 128, &f);
	assert_int_equal(f.n_bits, 0);
	assert_int_equal(f.lens[0] | f.lens[1], 0);
}

static void
the_first_bit_that_differs_is_the_last_looked_at(void **state UNUSED)
{
	struct prefix_bits ten = { 0x0a000000ull << 32, 0 };
	struct prefix_trie t = { NULL };
	struct prefix_found f;

	prefix_trie_put(&t, ten, 8);
	for (unsigned i = 0; i < 8; i++) {
		prefix_trie_lookup(&t, turn_bit(ten, i), 32, &f);
		assert_int_equal(f.n_bits, i + 1);
		assert_false(prefix_found_has(&f, 8));
	}
	prefix_trie_lookup(&t, turn_bit(ten, 8), 32, &f);
	assert_int_equal(f.n_bits, 8);
	assert_true(prefix_found_has(&f, 8));
	prefix_trie_del(&t, ten, 8);
	assert_null(t.root);
	rcu_barrier_wait();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_are_found_as_a_list_finds_them),
		cmocka_unit_test(ip4_prefixes_are_found_as_a_list_finds_them),
		cmocka_unit_test(ip6_prefixes_are_found_as_a_list_finds_them),
		cmocka_unit_test(an_empty_trie_looks_at_nothing),
		cmocka_unit_test(
			the_first_bit_that_differs_is_the_last_looked_at),
	};
	int rc;

	rcu_thread_register();
	printf("seed %llu\n", (unsigned long long)SEED);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	rcu_thread_unregister();
	return rc;
}
