/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/env.h"

#define N_MEMBERS 400
#define N_OWNERS 23

static void the_owner_with_most_members_loses_its_oldest(void **state UNUSED)
{
	struct fair_member m[6];
	struct fair f;

	assert_int_equal(fair_init(&f), 0);
	assert_null(fair_loser(&f, 1));
	for (int i = 0; i < 4; i++)
		fair_put(&f, &m[i], 7);
	fair_put(&f, &m[4], 9);
	assert_ptr_equal(fair_loser(&f, 9), &m[0]);
	assert_ptr_equal(fair_loser(&f, 1000), &m[0]);
	fair_renew(&f, &m[0]);
	assert_ptr_equal(fair_loser(&f, 9), &m[1]);
	fair_fini(&f);
}

static void who_has_as_many_as_anybody_loses_its_own(void **state UNUSED)
{
	struct fair_member m[2];
	struct fair f;

	assert_int_equal(fair_init(&f), 0);
	fair_put(&f, &m[0], 1);
	fair_put(&f, &m[1], 2);
	assert_ptr_equal(fair_loser(&f, 1), &m[0]);
	assert_ptr_equal(fair_loser(&f, 2), &m[1]);
	fair_fini(&f);
}

static void
owner_numbers_beyond_the_limit_are_counted_together(void **state UNUSED)
{
	struct fair_member m[2];
	struct fair f;

	assert_int_equal(fair_init(&f), 0);
	fair_put(&f, &m[0], 5);
	fair_put(&f, &m[1], 5 + FAIR_MAX_OWNERS);
	assert_int_equal(fair_count(&f, 5), 2);
	fair_del(&f, &m[1]);
	fair_del(&f, &m[0]);
	assert_int_equal(fair_count(&f, 5), 0);
	fair_fini(&f);
}

/* The oracle: an array of who was put when. */
struct oracle {
	bool in[N_MEMBERS];
	uint32_t owner[N_MEMBERS];
	uint64_t put_at[N_MEMBERS];
};

static unsigned oracle_count(const struct oracle *o, uint32_t owner)
{
	unsigned n = 0;

	for (int i = 0; i < N_MEMBERS; i++)
		n += o->in[i] && o->owner[i] == owner;
	return n;
}

static int oracle_oldest(const struct oracle *o, uint32_t owner)
{
	int best = -1;

	for (int i = 0; i < N_MEMBERS; i++)
		if (o->in[i] && o->owner[i] == owner &&
		    (best < 0 || o->put_at[i] < o->put_at[best]))
			best = i;
	return best;
}

static void check_loser(const struct fair *f, const struct fair_member *m,
			const struct oracle *o, uint32_t owner)
{
	const struct fair_member *loser = fair_loser(f, owner);
	unsigned most = 0;

	for (uint32_t i = 0; i < N_OWNERS; i++)
		most = MAX(most, oracle_count(o, i));
	if (!most) {
		assert_null(loser);
		return;
	}
	if (oracle_count(o, owner) == most)
		assert_int_equal(loser->owner, owner);
	assert_int_equal(oracle_count(o, loser->owner), most);
	assert_int_equal(loser - m, oracle_oldest(o, loser->owner));
}

static void random_step(struct fair *f, struct fair_member *m, struct oracle *o,
			struct env *env, uint64_t now)
{
	uint32_t i = (uint32_t)(env_random(env) % N_MEMBERS);
	/* Small owner numbers get most members. */
	uint32_t owner =
		(uint32_t)(env_random(env) % (1 + env_random(env) % N_OWNERS));

	if (!o->in[i]) {
		fair_put(f, &m[i], owner);
		o->in[i] = true;
		o->owner[i] = owner;
		o->put_at[i] = now;
	} else if (env_random(env) % 3 == 0) {
		fair_renew(f, &m[i]);
		o->put_at[i] = now;
	} else {
		fair_del(f, &m[i]);
		o->in[i] = false;
	}
	check_loser(f, m, o, owner);
	assert_int_equal(fair_count(f, owner), oracle_count(o, owner));
}

static void any_sequence_agrees_with_a_dumb_oracle(void **state UNUSED)
{
	static struct fair_member m[N_MEMBERS];
	static struct oracle o;
	struct env_test t;
	struct fair f;

	env_test_init(&t, 42);
	assert_int_equal(fair_init(&f), 0);
	for (uint64_t now = 1; now < 8000; now++)
		random_step(&f, m, &o, &t.env, now);
	fair_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_owner_with_most_members_loses_its_oldest),
		cmocka_unit_test(who_has_as_many_as_anybody_loses_its_own),
		cmocka_unit_test(
			owner_numbers_beyond_the_limit_are_counted_together),
		cmocka_unit_test(any_sequence_agrees_with_a_dumb_oracle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
