/* SPDX-License-Identifier: Apache-2.0 */
#include "l2/mac_table.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/env.h"
#include "base/rcu.h"

#define T0 1000000u

static struct stamps stamps;

static struct eth_addr station(uint32_t n)
{
	return eth_addr_from_u64(0x020000000000ull | n);
}

static struct mac_table *table(uint32_t limit, uint32_t port_limit)
{
	struct mac_config c = {
		.id = 1, .limit = limit, .port_limit = port_limit, .seed = 7
	};
	struct mac_table *t = mac_table_create(&c, &stamps);

	assert_non_null(t);
	return t;
}

static uint32_t port_of(const struct mac_table *t, uint32_t n)
{
	struct dep dep;
	struct mac_found f = mac_table_find(t, 1, station(n), &dep);

	return f.found ? f.port : 0;
}

static void a_station_is_found_where_it_was_seen_last(void **state UNUSED)
{
	struct mac_table *t = table(0, 0);

	assert_int_equal(port_of(t, 1), 0);
	assert_int_equal(mac_table_learn(t, 1, station(1), 4, T0), MAC_NEW);
	assert_int_equal(mac_table_learn(t, 1, station(1), 4, T0), MAC_SAME);
	assert_int_equal(port_of(t, 1), 4);
	assert_int_equal(mac_table_learn(t, 1, station(1), 5, T0), MAC_MOVED);
	assert_int_equal(port_of(t, 1), 5);
	mac_table_destroy(t);
}

static void the_same_address_in_two_vlans_is_two_stations(void **state UNUSED)
{
	struct mac_table *t = table(0, 0);
	struct dep dep;

	mac_table_learn(t, 1, station(1), 4, T0);
	mac_table_learn(t, 2, station(1), 5, T0);
	assert_int_equal(mac_table_find(t, 1, station(1), &dep).port, 4);
	assert_int_equal(mac_table_find(t, 2, station(1), &dep).port, 5);
	assert_false(mac_table_find(t, 3, station(1), &dep).found);
	mac_table_destroy(t);
}

static void nonsense_is_not_learned(void **state UNUSED)
{
	struct mac_table *t = table(0, 0);
	struct eth_addr group = { { 1, 0, 0x5e, 0, 0, 1 } }, zero = { { 0 } };

	assert_int_equal(mac_table_learn(t, 1, group, 1, T0), MAC_REFUSED);
	assert_int_equal(mac_table_learn(t, 1, zero, 1, T0), MAC_REFUSED);
	assert_int_equal(mac_table_learn(t, 1, station(1), 0, T0), MAC_REFUSED);
	assert_int_equal(mac_table_put_static(t, 1, group, 1), -EINVAL);
	mac_table_destroy(t);
}

/* Does whoever asked before learn of what is done now? */
#define ASSERT_STALE_AFTER(t, what)                                            \
	do {                                                                   \
		struct dep d_;                                                 \
		mac_table_find(t, 1, station(1), &d_);                         \
		assert_true(stamp_is_fresh(&stamps, d_));                      \
		what;                                                          \
		assert_false(stamp_is_fresh(&stamps, d_));                     \
	} while (0)

static void every_change_of_an_answer_bumps_its_stamp(void **state UNUSED)
{
	struct mac_table *t = table(0, 0);
	struct dep dep;

	ASSERT_STALE_AFTER(t, mac_table_learn(t, 1, station(1), 4, T0));
	ASSERT_STALE_AFTER(t, mac_table_learn(t, 1, station(1), 5, T0));
	ASSERT_STALE_AFTER(t, mac_table_flush(t, 5, MAC_ANY_VID));
	ASSERT_STALE_AFTER(
		t,
		assert_int_equal(mac_table_put_static(t, 1, station(1), 2), 0));
	ASSERT_STALE_AFTER(t, mac_table_del(t, 1, station(1)));
	ASSERT_STALE_AFTER(t, mac_table_learn(t, 1, station(1), 4, T0));
	mac_table_find(t, 1, station(1), &dep);
	mac_table_learn(t, 1, station(1), 4, T0 + 5000);
	assert_true(stamp_is_fresh(&stamps, dep));
	ASSERT_STALE_AFTER(t, mac_table_tick(t, T0 + 400000));
	assert_int_equal(port_of(t, 1), 0);
	mac_table_destroy(t);
}

static void a_static_entry_is_not_moved_aged_or_flushed(void **state UNUSED)
{
	struct mac_table *t = table(0, 0);
	struct dep dep;

	mac_table_learn(t, 1, station(1), 9, T0);
	assert_int_equal(mac_table_put_static(t, 1, station(1), 4), 0);
	assert_int_equal(mac_table_learn(t, 1, station(1), 5, T0), MAC_FIXED);
	mac_table_tick(t, T0 + 10000000);
	assert_int_equal(mac_table_flush(t, MAC_ANY_PORT, MAC_ANY_VID), 0);
	assert_int_equal(port_of(t, 1), 4);
	assert_true(mac_table_find(t, 1, station(1), &dep).is_static);
	assert_int_equal(mac_table_forget_port(t, 4), 1);
	assert_int_equal(port_of(t, 1), 0);
	mac_table_destroy(t);
}

static void
static_entries_that_fill_the_table_leave_no_room(void **state UNUSED)
{
	struct mac_table *t = table(2, 0);

	mac_table_learn(t, 1, station(9), 4, T0);
	assert_int_equal(mac_table_put_static(t, 1, station(1), 4), 0);
	assert_int_equal(mac_table_put_static(t, 1, station(2), 4), 0);
	assert_int_equal(port_of(t, 9), 0);
	assert_int_equal(mac_table_put_static(t, 1, station(3), 4), -ENOSPC);
	assert_int_equal(mac_table_learn(t, 1, station(9), 4, T0), MAC_FULL);
	mac_table_destroy(t);
}

static void an_unseen_station_ages_out_and_a_seen_one_stays(void **state UNUSED)
{
	struct mac_table *t = table(0, 0);
	uint64_t now = T0;

	mac_table_learn(t, 1, station(1), 4, now);
	mac_table_learn(t, 1, station(2), 4, now);
	for (; now < T0 + 299000; now += 1000) {
		mac_table_tick(t, now);
		mac_table_learn(t, 1, station(2), 4, now);
	}
	assert_int_equal(port_of(t, 1), 4);
	for (; now < T0 + 303000; now += 1000)
		mac_table_tick(t, now);
	assert_int_equal(port_of(t, 1), 0);
	assert_int_equal(port_of(t, 2), 4);
	mac_table_destroy(t);
}

static void a_quiet_table_seldom_wants_to_be_ticked(void **state UNUSED)
{
	struct mac_table *t = table(0, 0);
	uint64_t now = T0;
	unsigned n = 0;

	mac_table_learn(t, 1, station(1), 4, now);
	while (port_of(t, 1)) {
		now = MAX(now, mac_table_next_deadline(t));
		mac_table_tick(t, now);
		assert_in_range(++n, 1, 4);
	}
	assert_in_range(now, T0 + 300000, T0 + 302000);
	mac_table_destroy(t);
}

static void flooder_evicts_only_its_own_stations(void **state UNUSED)
{
	struct mac_table *t = table(64, 0);
	struct mac_stats s;

	for (uint32_t i = 0; i < 20; i++)
		mac_table_learn(t, 1, station(i), 1 + i % 2, T0);
	for (uint32_t i = 0; i < 100000; i++)
		mac_table_learn(t, 1, station(1000 + i), 3, T0 + i);
	for (uint32_t i = 0; i < 20; i++)
		assert_int_equal(port_of(t, i), 1 + i % 2);
	mac_table_stats(t, &s);
	assert_int_equal(s.n, 64);
	assert_int_equal(mac_table_port_count(t, 3), 44);
	assert_int_equal(port_of(t, 1000 + 99999), 3);
	mac_table_destroy(t);
}

static void the_flooder_gives_way_to_a_newcomer(void **state UNUSED)
{
	struct mac_table *t = table(64, 0);

	for (uint32_t i = 0; i < 64; i++)
		mac_table_learn(t, 1, station(i), 3, T0);
	assert_int_equal(mac_table_learn(t, 1, station(99), 1, T0), MAC_NEW);
	assert_int_equal(port_of(t, 0), 0);
	assert_int_equal(port_of(t, 1), 3);
	mac_table_destroy(t);
}

static void a_used_station_outlives_an_older_unused_one(void **state UNUSED)
{
	struct mac_table *t = table(3, 0);

	for (uint32_t i = 0; i < 3; i++)
		mac_table_learn(t, 1, station(i), 3, T0);
	mac_table_learn(t, 1, station(0), 3, T0 + 5000);
	mac_table_learn(t, 1, station(3), 3, T0 + 6000);
	assert_int_equal(port_of(t, 0), 3);
	assert_int_equal(port_of(t, 1), 0);
	mac_table_destroy(t);
}

static void a_port_at_its_own_limit_learns_no_more(void **state UNUSED)
{
	struct mac_table *t = table(0, 2);

	mac_table_set_port_limit(t, 9, 1);
	mac_table_learn(t, 1, station(1), 4, T0);
	mac_table_learn(t, 1, station(2), 4, T0);
	assert_int_equal(mac_table_learn(t, 1, station(3), 4, T0), MAC_FULL);
	mac_table_learn(t, 1, station(4), 9, T0);
	assert_int_equal(mac_table_learn(t, 1, station(5), 9, T0), MAC_FULL);
	mac_table_set_port_limit(t, 9, 0);
	assert_int_equal(mac_table_learn(t, 1, station(5), 9, T0), MAC_NEW);
	assert_int_equal(port_of(t, 1), 4);
	mac_table_destroy(t);
}

static void a_station_that_jumps_is_held_and_reported(void **state UNUSED)
{
	struct mac_table *t = table(0, 0);
	struct mac_flap flap;
	unsigned moved = 0;

	for (uint32_t i = 0; i < 50; i++)
		moved += mac_table_learn(t, 1, station(1), 1 + i % 2, T0 + i) ==
			 MAC_MOVED;
	assert_int_equal(moved, MAC_MOVES_MAX);
	assert_true(mac_table_take_flap(t, &flap));
	assert_true(eth_addr_equal(flap.mac, station(1)));
	assert_int_equal(flap.vid, 1);
	assert_int_equal(flap.port_a + flap.port_b, 3);
	assert_false(mac_table_take_flap(t, &flap));
	mac_table_destroy(t);
}

static void a_held_station_may_move_later(void **state UNUSED)
{
	struct mac_table *t = table(0, 0);

	for (uint32_t i = 0; i < 50; i++)
		mac_table_learn(t, 1, station(1), 1 + i % 2, T0 + i);
	assert_int_equal(mac_table_learn(t, 1, station(1), 7, T0 + 1000),
			 MAC_HELD);
	assert_int_equal(
		mac_table_learn(t, 1, station(1), 7, T0 + 100 + MAC_HOLD_MS),
		MAC_MOVED);
	mac_table_destroy(t);
}

static void slow_moves_are_never_held(void **state UNUSED)
{
	struct mac_table *t = table(0, 0);

	mac_table_learn(t, 1, station(1), 9, T0);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(mac_table_learn(t, 1, station(1), 1 + i % 2,
						 T0 + i * 300),
				 MAC_MOVED);
	mac_table_destroy(t);
}

static void flush_takes_a_port_a_vlan_or_both(void **state UNUSED)
{
	struct mac_table *t = table(0, 0);
	struct mac_row rows[8];
	uint32_t cursor = 0;

	for (uint16_t vid = 1; vid <= 2; vid++)
		for (uint32_t i = 1; i <= 4; i++)
			mac_table_learn(t, vid, station(i), i % 2 + 1, T0);
	assert_int_equal(mac_table_flush(t, 1, 2), 2);
	assert_int_equal(mac_table_flush(t, 1, MAC_ANY_VID), 2);
	assert_int_equal(mac_table_flush(t, MAC_ANY_PORT, 2), 2);
	assert_int_equal(mac_table_list(t, &cursor, rows, 8, T0 + 3000), 2);
	assert_int_equal(rows[0].vid, 1);
	assert_int_equal(rows[0].port, 2);
	assert_int_equal(rows[0].age_ms, 3000);
	assert_int_equal(mac_table_list(t, &cursor, rows, 8, T0), 0);
	mac_table_destroy(t);
}

static void
a_raised_limit_keeps_all_and_a_lowered_one_evicts(void **state UNUSED)
{
	struct mac_table *t = table(16, 0);
	struct mac_config c = { .id = 1, .limit = 1000 };

	assert_int_equal(mac_table_put_static(t, 1, station(99), 9), 0);
	for (uint32_t i = 0; i < 15; i++)
		mac_table_learn(t, 1, station(i), 1 + i % 3, T0);
	assert_int_equal(mac_table_configure(t, &c), 0);
	for (uint32_t i = 0; i < 15; i++)
		assert_int_equal(port_of(t, i), 1 + i % 3);
	assert_int_equal(port_of(t, 99), 9);
	for (uint32_t i = 15; i < 999; i++)
		mac_table_learn(t, 1, station(i), 1 + i % 3, T0);
	assert_int_equal(port_of(t, 0), 1);
	c.limit = 4;
	assert_int_equal(mac_table_configure(t, &c), 0);
	assert_int_equal(mac_table_port_count(t, 1) +
				 mac_table_port_count(t, 2) +
				 mac_table_port_count(t, 3),
			 3);
	assert_int_equal(port_of(t, 99), 9);
	mac_table_destroy(t);
}

static void a_million_stations_fit(void **state UNUSED)
{
	struct mac_table *t = table(1u << 20, 0);
	struct mac_stats s;

	for (uint32_t i = 0; i < 1u << 20; i++)
		mac_table_learn(t, 1, station(i), 1 + i % 50, T0);
	for (uint32_t i = 0; i < 1u << 20; i += 97)
		assert_int_equal(port_of(t, i), 1 + i % 50);
	mac_table_stats(t, &s);
	assert_int_equal(s.n, 1u << 20);
	for (uint64_t now = T0 + 301000; s.n; now += 100) {
		mac_table_tick(t, now);
		mac_table_stats(t, &s);
		assert_in_range(now, T0, T0 + 310000);
	}
	mac_table_destroy(t);
}

/* --- against a dumb oracle ---------------------------------------------- */

#define O_STATIONS 300u
#define O_PORTS 9u
#define O_LIMIT 64u

struct oracle {
	uint32_t port[O_STATIONS]; /* 0: not there */
	uint64_t seen[O_STATIONS];
};

static unsigned oracle_count(const struct oracle *o, uint32_t port)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < O_STATIONS; i++)
		n += port ? o->port[i] == port : o->port[i] != 0;
	return n;
}

static unsigned oracle_most(const struct oracle *o)
{
	unsigned most = 0;

	for (uint32_t p = 1; p <= O_PORTS; p++)
		most = MAX(most, oracle_count(o, p));
	return most;
}

/* The table had to make room for `port`: whoever is missing now was of a port
 * that had most. */
static void oracle_sync_eviction(struct oracle *o, const struct mac_table *t,
				 uint32_t port)
{
	unsigned most = oracle_most(o), evicted = 0;
	bool port_had_most = oracle_count(o, port) == most;

	for (uint32_t i = 0; i < O_STATIONS; i++) {
		if (!o->port[i] || port_of(t, i))
			continue;
		evicted++;
		assert_int_equal(oracle_count(o, o->port[i]), most);
		if (port_had_most)
			assert_int_equal(o->port[i], port);
		o->port[i] = 0;
	}
	assert_int_equal(evicted, 1);
}

static void oracle_learn(struct oracle *o, struct mac_table *t, uint32_t n,
			 uint32_t port, uint64_t now)
{
	bool full = oracle_count(o, 0) == O_LIMIT;
	enum mac_learn did = mac_table_learn(t, 1, station(n), port, now);

	if (o->port[n])
		assert_int_equal(did,
				 o->port[n] == port ? MAC_SAME : MAC_MOVED);
	else
		assert_int_equal(did, MAC_NEW);
	if (!o->port[n] && full)
		oracle_sync_eviction(o, t, port);
	o->port[n] = port;
	o->seen[n] = now;
}

static void oracle_age(struct oracle *o, uint64_t now)
{
	for (uint32_t i = 0; i < O_STATIONS; i++)
		if (o->port[i] && now / 1000 - o->seen[i] / 1000 > 300)
			o->port[i] = 0;
}

static void oracle_compare(const struct oracle *o, const struct mac_table *t)
{
	for (uint32_t i = 0; i < O_STATIONS; i++)
		assert_int_equal(port_of(t, i), o->port[i]);
}

static void any_sequence_agrees_with_a_dumb_oracle(void **state UNUSED)
{
	struct mac_table *t = table(O_LIMIT, 0);
	struct mac_config config = { .limit = O_LIMIT };
	static struct oracle o;
	struct env_test e;
	uint64_t now = T0;

	env_test_init(&e, 11);
	for (unsigned i = 0; i < 4000; i++) {
		uint64_t r = env_random(&e.env);
		uint32_t n = (uint32_t)(r % O_STATIONS);

		now += 1000 + r % 20 * (r >> 8) % 5000;
		if (r >> 20 & 15) {
			oracle_learn(&o, t, n,
				     1 + (uint32_t)(r >> 32) % O_PORTS, now);
		} else if (r >> 24 & 1) {
			assert_int_equal(mac_table_del(t, 1, station(n)),
					 o.port[n] != 0);
			o.port[n] = 0;
		}
		/* Makes the next tick due at once. */
		assert_int_equal(mac_table_configure(t, &config), 0);
		mac_table_tick(t, now);
		oracle_age(&o, now);
		if (i % 8 == 0)
			oracle_compare(&o, t);
	}
	mac_table_destroy(t);
}

/* --- threads ------------------------------------------------------------ */

#define RACE_FIXED 64u

struct race {
	struct mac_table *t;
	bool stop;
	uint64_t found;
};

static void *race_reader(void *arg)
{
	struct race *r = arg;

	rcu_thread_register();
	while (!__atomic_load_n(&r->stop, __ATOMIC_RELAXED)) {
		for (uint32_t i = 0; i < RACE_FIXED; i++) {
			struct dep dep;
			struct mac_found f =
				mac_table_find(r->t, 1, station(i), &dep);

			/* Lost is allowed, when it is said. */
			if (f.found)
				must(f.port == 1 + i);
			else
				must(!stamp_is_fresh(&stamps, dep));
			__atomic_add_fetch(&r->found, f.found,
					   __ATOMIC_RELAXED);
		}
		rcu_quiescent();
	}
	rcu_thread_unregister();
	return NULL;
}

static void race_churn(struct mac_table *t)
{
	struct mac_config c = { .id = 1 };

	for (uint32_t i = 0; i < 60000; i++) {
		mac_table_learn(t, 1, station(1000 + i), 999, T0 + i);
		if (i % 6000 == 5999) {
			c.limit = 256 + i / 50;
			assert_int_equal(mac_table_configure(t, &c), 0);
		}
	}
}

static void readers_never_miss_a_station_that_stays(void **state UNUSED)
{
	struct race r = { .t = table(256, 0) };
	pthread_t reader[2];

	for (uint32_t i = 0; i < RACE_FIXED; i++)
		mac_table_learn(r.t, 1, station(i), 1 + i, T0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(
			pthread_create(&reader[i], NULL, race_reader, &r), 0);
	race_churn(r.t);
	__atomic_store_n(&r.stop, true, __ATOMIC_RELAXED);
	for (int i = 0; i < 2; i++)
		pthread_join(reader[i], NULL);
	assert_true(r.found > 0);
	rcu_barrier_wait();
	mac_table_destroy(r.t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_station_is_found_where_it_was_seen_last),
		cmocka_unit_test(the_same_address_in_two_vlans_is_two_stations),
		cmocka_unit_test(nonsense_is_not_learned),
		cmocka_unit_test(every_change_of_an_answer_bumps_its_stamp),
		cmocka_unit_test(a_static_entry_is_not_moved_aged_or_flushed),
		cmocka_unit_test(
			static_entries_that_fill_the_table_leave_no_room),
		cmocka_unit_test(
			an_unseen_station_ages_out_and_a_seen_one_stays),
		cmocka_unit_test(a_quiet_table_seldom_wants_to_be_ticked),
		cmocka_unit_test(flooder_evicts_only_its_own_stations),
		cmocka_unit_test(the_flooder_gives_way_to_a_newcomer),
		cmocka_unit_test(a_used_station_outlives_an_older_unused_one),
		cmocka_unit_test(a_port_at_its_own_limit_learns_no_more),
		cmocka_unit_test(a_station_that_jumps_is_held_and_reported),
		cmocka_unit_test(a_held_station_may_move_later),
		cmocka_unit_test(slow_moves_are_never_held),
		cmocka_unit_test(flush_takes_a_port_a_vlan_or_both),
		cmocka_unit_test(
			a_raised_limit_keeps_all_and_a_lowered_one_evicts),
		cmocka_unit_test(a_million_stations_fit),
		cmocka_unit_test(any_sequence_agrees_with_a_dumb_oracle),
		cmocka_unit_test(readers_never_miss_a_station_that_stays),
	};
	int failed;

	rcu_thread_register();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rcu_thread_unregister();
	return failed;
}
