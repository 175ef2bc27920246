/* SPDX-License-Identifier: Apache-2.0 */
#include "base/chain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define N_ENTRIES 64u

struct entry {
	uint32_t key;
	uint32_t next;
};

struct want {
	uint32_t key;
	/* Done once, when the reader stands on `on`: as another thread may. */
	struct chain *chain;
	struct entry *on;
	/* It takes the other's place, each time. */
	struct entry *other;
	unsigned n_visits;
};

static struct entry pool[N_ENTRIES];

/* The entry goes over to the neighbouring chain, for another key. */
static void go_over(struct chain *c, struct entry *e)
{
	chain_del(c, e, e->key);
	e->key ^= 1;
	chain_put(c, e, e->key);
}

static bool match(void *entry, void *want)
{
	struct entry *e = entry, *next_on = NULL;
	struct want *w = want;

	w->n_visits++;
	if (e->key == w->key)
		return true;
	if (w->on != e)
		return false;
	go_over(w->chain, e);
	if (w->other) {
		go_over(w->chain, w->other);
		next_on = w->other;
		w->other = e;
	}
	w->on = next_on;
	return false;
}

/* Keys are hashes: 16, 32, ... share bucket 0; odd ones bucket 1. */
static void fill(struct chain *c, unsigned n)
{
	assert_int_equal(chain_init(c, pool, sizeof(pool[0]),
				    offsetof(struct entry, next), 8),
			 0);
	for (unsigned i = 0; i < n; i++) {
		pool[i] = (struct entry){ .key = 16 * (i + 1) };
		chain_put(c, &pool[i], pool[i].key);
	}
}

static struct entry *find(const struct chain *c, struct want *w)
{
	struct entry *e;
	bool lost;

	e = chain_find(c, w->key, match, w, &lost);
	assert_false(lost);
	return e;
}

static void what_is_put_is_found_until_it_is_deleted(void **state UNUSED)
{
	struct chain c;

	fill(&c, N_ENTRIES);
	for (unsigned i = 0; i < N_ENTRIES; i++) {
		struct want w = { .key = pool[i].key };

		assert_ptr_equal(find(&c, &w), &pool[i]);
		chain_del(&c, &pool[i], w.key);
		assert_null(find(&c, &w));
	}
	chain_fini(&c);
}

static void a_reader_led_into_another_chain_starts_again(void **state UNUSED)
{
	struct want w = { .key = 16, .on = &pool[3], .chain = NULL };
	struct chain c;

	fill(&c, 5);
	w.chain = &c;
	/* It stands on the second of five when that one goes elsewhere. */
	assert_ptr_equal(find(&c, &w), &pool[0]);
	assert_int_equal(w.n_visits, 2 + 4);
	chain_fini(&c);
}

static void a_reader_that_is_led_astray_for_ever_says_so(void **state UNUSED)
{
	struct want w = { .key = 160, .on = &pool[0], .other = &pool[1] };
	struct entry *e;
	struct chain c;
	bool lost;

	/* Two entries change places whenever the reader stands on one. */
	fill(&c, 2);
	go_over(&c, &pool[1]);
	w.chain = &c;
	e = chain_find(&c, 160, match, &w, &lost);
	assert_null(e);
	assert_true(lost);
	assert_int_equal(w.n_visits, CHAIN_TRIES);
	chain_fini(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_put_is_found_until_it_is_deleted),
		cmocka_unit_test(a_reader_led_into_another_chain_starts_again),
		cmocka_unit_test(a_reader_that_is_led_astray_for_ever_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
