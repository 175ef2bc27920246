/* SPDX-License-Identifier: Apache-2.0 */
/* A meter passes what a bucket of tokens would, from many threads as from one. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "dp/meter.h"
#include "packet/test_frame.h"

/* The oracle: tokens in nanoseconds times rate, 1e9 of them a packet. */
#define TOKEN 1000000000ull

struct bucket {
	uint64_t rate, burst, level, at_ns;
};

static bool bucket_pass(struct bucket *b, uint64_t now)
{
	b->level += (now - b->at_ns) * b->rate;
	b->level = MIN(b->level, b->burst * TOKEN);
	b->at_ns = now;
	if (b->level < TOKEN)
		return false;
	b->level -= TOKEN;
	return true;
}

/* Rates whose interval is whole nanoseconds: equal to the packet. */
static void a_meter_is_a_bucket_of_tokens(void **state UNUSED)
{
	const uint64_t rates[] = { 1, 8, 1000, 15625, 1000000, 500000000 };
	uint64_t seed = 1;

	for (unsigned round = 0; round < 200; round++) {
		uint64_t rate = rates[frame_random(&seed, ARRAY_SIZE(rates))];
		uint64_t burst = 1 + frame_random(&seed, 50);
		uint64_t now = 1000000000ull * (1 + frame_random(&seed, 9));
		uint64_t gap = TOKEN / rate;
		struct bucket b = { rate, burst, burst * TOKEN, now };
		struct meter m = { 0 };

		meter_set(&m, rate, burst);
		for (unsigned i = 0; i < 500; i++) {
			uint64_t r = frame_random(&seed, 1000);

			/* Bursts, single steps, long pauses. */
			now += r < 500 ? 0 :
			       r < 990 ? gap * r / 900 :
					 gap * (r - 950);
			assert_int_equal(meter_pass(&m, now),
					 bucket_pass(&b, now));
		}
	}
}

static void a_rate_is_met_whatever_it_is(void **state UNUSED)
{
	uint64_t seed = 2;

	for (unsigned round = 0; round < 50; round++) {
		uint64_t rate = 100000 + frame_random(&seed, 9900000);
		uint64_t passed = 0, want = rate / 1000;
		struct meter m = { 0 };

		meter_set(&m, rate, 10);
		for (uint64_t ns = 0; ns < 1000000; ns += 40)
			passed += meter_pass(&m, TOKEN + ns);
		/* Rounded to whole nanoseconds, and the burst. */
		assert_true(passed >= want);
		assert_true(passed <= want + want / 100 + 12);
	}
}

#define THREADS 4u
#define TRIES 20000u

struct shared {
	struct meter m;
	uint64_t passed; /* atomic */
};

static void *try_often(void *arg)
{
	struct shared *s = arg;
	uint64_t passed = 0;

	for (unsigned i = 0; i < TRIES; i++)
		passed += meter_pass(&s->m, TOKEN);
	__atomic_add_fetch(&s->passed, passed, __ATOMIC_RELAXED);
	return NULL;
}

static void no_thread_passes_what_another_took(void **state UNUSED)
{
	pthread_t threads[THREADS];
	struct shared s = { 0 };

	meter_set(&s.m, 1, 30000);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, try_often, &s), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(s.passed, 30000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_meter_is_a_bucket_of_tokens),
		cmocka_unit_test(a_rate_is_met_whatever_it_is),
		cmocka_unit_test(no_thread_passes_what_another_took),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
