/* SPDX-License-Identifier: Apache-2.0 */
#include "base/env.h"

#include <sys/random.h>
#include <time.h>

static uint64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	must(clock_gettime(id, &ts) == 0);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static uint64_t system_now_ns(struct env *env UNUSED)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static uint64_t system_now_ms(struct env *env UNUSED)
{
	return clock_ns(CLOCK_MONOTONIC) / 1000000u;
}

static uint64_t system_wall_s(struct env *env UNUSED)
{
	return clock_ns(CLOCK_REALTIME) / 1000000000u;
}

static uint64_t system_wall_ns(struct env *env UNUSED)
{
	return clock_ns(CLOCK_REALTIME);
}

static uint64_t system_random(struct env *env UNUSED)
{
	uint64_t v;

	while (getrandom(&v, sizeof(v), 0) != sizeof(v))
		;
	return v;
}

struct env *env_system(void)
{
	static struct env env = {
		.now_ms = system_now_ms,
		.now_ns = system_now_ns,
		.wall_s = system_wall_s,
		.random = system_random,
		.wall_ns = system_wall_ns,
	};

	return &env;
}

static struct env_test *env_test_of(struct env *env)
{
	return container_of(env, struct env_test, env);
}

static uint64_t test_now_ns(struct env *env)
{
	return env_test_of(env)->time_ns;
}

static uint64_t test_now_ms(struct env *env)
{
	return env_test_of(env)->time_ns / 1000000u;
}

static uint64_t test_wall_s(struct env *env)
{
	return 1700000000u + env_test_of(env)->time_ns / 1000000000u;
}

static uint64_t test_random(struct env *env)
{
	uint64_t z = env_test_of(env)->seed += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

void env_test_init(struct env_test *t, uint64_t seed)
{
	*t = (struct env_test){
		.env = { .now_ms = test_now_ms,
			 .now_ns = test_now_ns,
			 .wall_s = test_wall_s,
			 .random = test_random },
		.time_ns = 1000000000u,
		.seed = seed,
	};
}

void env_test_advance_ms(struct env_test *t, uint64_t ms)
{
	t->time_ns += ms * 1000000u;
}
