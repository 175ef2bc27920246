/* SPDX-License-Identifier: Apache-2.0 */
#include "l3/lpm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "base/env.h"

static struct lpm_entry entry(const char *prefix, uint32_t value)
{
	struct lpm_entry e = { .value = value };

	assert_int_equal(ip_prefix_parse(prefix, &e.prefix), 0);
	return e;
}

static struct lpm_found find(const struct lpm *l, const char *addr)
{
	struct ip_addr a;

	assert_int_equal(ip_addr_parse(addr, &a), 0);
	return lpm_find(l, &a);
}

static void the_longest_prefix_wins(void **state UNUSED)
{
	struct lpm_entry e[] = {
		entry("0.0.0.0/0", 1),     entry("10.0.0.0/8", 2),
		entry("10.1.0.0/16", 3),   entry("10.1.2.3/32", 4),
		entry("2001:db8::/32", 5), entry("::/0", 6),
	};
	struct lpm *l = lpm_build(e, ARRAY_SIZE(e));

	assert_int_equal(find(l, "192.0.2.1").value, 1);
	assert_int_equal(find(l, "10.2.0.1").value, 2);
	assert_int_equal(find(l, "10.1.2.4").value, 3);
	assert_int_equal(find(l, "10.1.2.3").value, 4);
	assert_int_equal(find(l, "10.1.2.3").prefix_len, 32);
	assert_int_equal(find(l, "2001:db8::1").value, 5);
	assert_int_equal(find(l, "2001:db9::1").value, 6);
	lpm_destroy(l);
}

static void as_few_bits_as_possible_decide(void **state UNUSED)
{
	struct lpm_entry e[] = { entry("0.0.0.0/0", 1),
				 entry("10.0.0.0/8", 2) };
	struct lpm *l = lpm_build(e, ARRAY_SIZE(e));

	assert_int_equal(find(l, "10.1.2.3").bits, 8);
	assert_int_equal(find(l, "192.0.2.1").bits, 1);
	assert_int_equal(find(l, "11.0.0.1").bits, 8);
	lpm_destroy(l);
}

static void an_empty_table_finds_nothing_and_needs_no_bits(void **state UNUSED)
{
	struct lpm *l = lpm_build(NULL, 0);

	assert_false(find(l, "10.0.0.1").found);
	assert_int_equal(find(l, "10.0.0.1").bits, 0);
	assert_false(find(l, "::1").found);
	lpm_destroy(l);
	lpm_destroy(NULL);
}

static void of_two_entries_for_one_prefix_the_later_counts(void **state UNUSED)
{
	struct lpm_entry e[] = { entry("10.0.0.0/8", 1),
				 entry("10.9.9.9/8", 2) };
	struct lpm *l = lpm_build(e, ARRAY_SIZE(e));

	assert_int_equal(find(l, "10.0.0.1").value, 2);
	lpm_destroy(l);
}

/* --- against a linear oracle --------------------------------------------- */

static struct lpm_found oracle(const struct lpm_entry *e, size_t n,
			       const struct ip_addr *a)
{
	struct lpm_found f = { 0 };

	for (size_t i = 0; i < n; i++) {
		if (!ip_prefix_contains(&e[i].prefix, a))
			continue;
		if (f.found && e[i].prefix.len < f.prefix_len)
			continue;
		f = (struct lpm_found){ .found = true,
					.prefix_len = e[i].prefix.len,
					.value = e[i].value };
	}
	return f;
}

/* Few distinct bytes, so that prefixes nest and part at every place. */
static struct ip_addr random_addr(struct env *env, bool is_ip4)
{
	static const uint8_t bytes[] = { 0, 0xff, 10, 11, 0x80, 0x20 };
	struct ip6_addr a;

	for (unsigned i = 0; i < 16; i++)
		a.b[i] = bytes[env_random(env) % ARRAY_SIZE(bytes)];
	if (env_random(env) % 4 == 0)
		a.b[env_random(env) % 16] = (uint8_t)env_random(env);
	if (!is_ip4)
		return ip_addr_from_ip6(a);
	return ip_addr_from_ip4((uint32_t)a.b[0] << 24 | a.b[1] << 16 |
				a.b[2] << 8 | a.b[3]);
}

static void flip_bit(struct ip_addr *a, unsigned bit)
{
	unsigned at = ip_addr_is_ip4(a) ? 96 + bit : bit;

	a->a.b[at / 8] ^= (uint8_t)(0x80 >> (at % 8));
}

/* Bits behind `bits` may be anything: the answer is the same. */
static void check_soundness(const struct lpm *l, struct ip_addr a,
			    struct lpm_found f, struct env *env)
{
	unsigned width = ip_addr_is_ip4(&a) ? 32 : 128;
	struct lpm_found other;

	assert_true(f.bits <= width);
	assert_true(!f.found || f.bits >= f.prefix_len);
	for (unsigned bit = f.bits; bit < width; bit++)
		if (env_random(env) & 1)
			flip_bit(&a, bit);
	other = lpm_find(l, &a);
	assert_int_equal(other.found, f.found);
	assert_int_equal(other.value, f.value);
	assert_int_equal(other.bits, f.bits);
}

static void compare(const struct lpm_entry *e, size_t n, struct env *env)
{
	struct lpm *l = lpm_build(e, n);

	for (unsigned i = 0; i < 400; i++) {
		struct ip_addr a = random_addr(env, i & 1);
		struct lpm_found got = lpm_find(l, &a), want = oracle(e, n, &a);

		assert_int_equal(got.found, want.found);
		assert_int_equal(got.value, want.value);
		assert_int_equal(got.prefix_len, want.prefix_len);
		for (unsigned j = 0; j < 4; j++)
			check_soundness(l, a, got, env);
	}
	lpm_destroy(l);
}

static void any_table_agrees_with_a_linear_oracle(void **state UNUSED)
{
	static struct lpm_entry e[200];
	struct env_test t;

	env_test_init(&t, 3);
	for (unsigned round = 0; round < 40; round++) {
		size_t n = env_random(&t.env) % ARRAY_SIZE(e);

		for (size_t i = 0; i < n; i++) {
			bool is_ip4 = env_random(&t.env) & 1;

			e[i].prefix.addr = random_addr(&t.env, is_ip4);
			e[i].prefix.len = (uint8_t)(env_random(&t.env) %
						    (is_ip4 ? 33 : 129));
			e[i].value = (uint32_t)i + 1;
		}
		compare(e, n, &t.env);
	}
}

static void a_million_routes_fit(void **state UNUSED)
{
	size_t n = 1000000;
	struct lpm_entry *e = xcalloc(n, sizeof(*e));
	struct env_test t;
	struct lpm *l;

	env_test_init(&t, 5);
	for (size_t i = 0; i < n; i++) {
		e[i].prefix.addr =
			ip_addr_from_ip4((uint32_t)env_random(&t.env));
		e[i].prefix.len = (uint8_t)(16 + env_random(&t.env) % 9);
		e[i].value = (uint32_t)i;
	}
	l = lpm_build(e, n);
	assert_true(lpm_bytes(l) < 100u * 1000 * 1000);
	for (size_t i = 0; i < n; i += 1009)
		assert_true(lpm_find(l, &e[i].prefix.addr).prefix_len >=
			    e[i].prefix.len);
	lpm_destroy(l);
	free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_prefix_wins),
		cmocka_unit_test(as_few_bits_as_possible_decide),
		cmocka_unit_test(
			an_empty_table_finds_nothing_and_needs_no_bits),
		cmocka_unit_test(
			of_two_entries_for_one_prefix_the_later_counts),
		cmocka_unit_test(any_table_agrees_with_a_linear_oracle),
		cmocka_unit_test(a_million_routes_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
