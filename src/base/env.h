/* SPDX-License-Identifier: Apache-2.0 */
/* The world, injected: clock and random numbers.
 *
 * What      an interface that says what time it is and draws random numbers.
 * Why so    protocol machines tested with a clock of the test's own run hours
 *           in milliseconds, and every failure has a seed (decision D11).
 * Threads   an env given to several threads must be safe for them; env_system
 *           is, env_test belongs to one thread. */
#ifndef BASE_ENV_H
#define BASE_ENV_H

#include "base/defs.h"

struct env {
	/* Monotonic milliseconds and nanoseconds since an arbitrary start. */
	uint64_t (*now_ms)(struct env *env);
	uint64_t (*now_ns)(struct env *env);
	/* Wall clock, seconds since the epoch: for logs and leases shown only. */
	uint64_t (*wall_s)(struct env *env);
	uint64_t (*random)(struct env *env);
	/* Wall clock in nanoseconds, for captures; NULL: seconds are all. */
	uint64_t (*wall_ns)(struct env *env);
};

/* The machine's own clock and getrandom(2). */
struct env *env_system(void);

/* A clock that stands until moved, and a seeded generator (splitmix64). */
struct env_test {
	struct env env;
	uint64_t time_ns;
	uint64_t seed;
};

void env_test_init(struct env_test *t, uint64_t seed);
void env_test_advance_ms(struct env_test *t, uint64_t ms);

static inline uint64_t env_now_ms(struct env *env)
{
	return env->now_ms(env);
}

static inline uint64_t env_now_ns(struct env *env)
{
	return env->now_ns(env);
}

static inline uint64_t env_wall_ns(struct env *env)
{
	return env->wall_ns ? env->wall_ns(env) :
			      env->wall_s(env) * 1000000000u;
}

static inline uint64_t env_random(struct env *env)
{
	return env->random(env);
}

#endif
