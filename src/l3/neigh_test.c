/* SPDX-License-Identifier: Apache-2.0 */
#include "l3/neigh.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/rcu.h"

#define T0 1000000u
#define OWN_MAC 0x0200000000feull

static struct stamps stamps;
static struct env_test env;
static char packets[4096]; /* their addresses serve as packets */

static struct packet *packet(unsigned n)
{
	return (struct packet *)(void *)&packets[n];
}

static struct eth_addr mac(uint32_t n)
{
	return eth_addr_from_u64(0x020000000000ull | n << 8);
}

/* 10.0.0.0/8 by number. */
static struct ip_addr ip(uint32_t n)
{
	return ip_addr_from_ip4(0x0a000000u + n);
}

static struct neigh_table *table(uint32_t limit)
{
	struct neigh_config c = {
		.id = 1, .limit = limit, .seed = 7, .env = &env.env
	};
	struct ip_prefix own = { ip(254), 8 };
	struct neigh_table *t;

	env_test_init(&env, 1);
	t = neigh_create(&c, &stamps);
	assert_non_null(t);
	neigh_set_own(t, &own, 1, eth_addr_from_u64(OWN_MAC));
	return t;
}

static void no_packet_left(struct packet *p UNUSED)
{
	fail_msg("a packet was left in the table");
}

static void ignore_packet(struct packet *p UNUSED)
{
}

static struct neigh_found find(const struct neigh_table *t, uint32_t n)
{
	struct ip_addr a = ip(n);
	struct dep dep;

	return neigh_find(t, &a, &dep);
}

static enum neigh_resolve resolve(struct neigh_table *t, uint32_t n,
				  struct packet *p, uint64_t now)
{
	struct ip_addr a = ip(n);

	return neigh_resolve(t, &a, 1, p, now);
}

static struct neigh_news news(enum neigh_news_kind kind, uint32_t n,
			      struct eth_addr m)
{
	return (struct neigh_news){
		.kind = kind,
		.override = true,
		.has_mac = true,
		.in_port = 5,
		.ip = ip(n),
		.mac = m,
	};
}

static enum neigh_learn learn(struct neigh_table *t, enum neigh_news_kind kind,
			      uint32_t n, struct eth_addr m, uint64_t now)
{
	struct neigh_news w = news(kind, n, m);

	return neigh_learn(t, &w, now);
}

static enum neigh_learn overhear(struct neigh_table *t, uint32_t n,
				 uint64_t now)
{
	struct neigh_news w = news(NEIGH_ASKS, n, mac(n));

	w.create = true;
	return neigh_learn(t, &w, now);
}

static enum neigh_state state_of(struct neigh_table *t, uint32_t n)
{
	struct neigh_row row;
	struct ip_addr a = ip(n);
	uint32_t cursor = 0;

	while (neigh_list(t, &cursor, &row, 1, T0))
		if (ip_addr_equal(&row.ip, &a))
			return row.state;
	return NEIGH_NONE;
}

static void expect_out(struct neigh_table *t, enum neigh_out_kind kind,
		       uint32_t n, struct packet *p)
{
	struct ip_addr a = ip(n);
	struct neigh_out o;

	assert_true(neigh_take(t, &o));
	assert_int_equal(o.kind, kind);
	assert_true(ip_addr_equal(&o.ip, &a));
	assert_ptr_equal(o.packet, p);
}

static void expect_no_out(struct neigh_table *t)
{
	struct neigh_out o;

	assert_false(neigh_take(t, &o));
}

static uint64_t tick_next(struct neigh_table *t)
{
	uint64_t now = neigh_next_deadline(t);

	assert_true(now != UINT64_MAX);
	neigh_tick(t, now);
	return now;
}

static void
an_unknown_neighbour_is_asked_for_and_packets_wait(void **state UNUSED)
{
	struct neigh_table *t = table(0);

	assert_int_equal(resolve(t, 1, packet(0), T0), NEIGH_WAITS);
	assert_int_equal(resolve(t, 1, packet(1), T0), NEIGH_WAITS);
	assert_true(find(t, 1).found);
	assert_false(find(t, 1).usable);
	expect_out(t, NEIGH_SOLICIT, 1, NULL);
	expect_no_out(t);
	assert_int_equal(learn(t, NEIGH_ANSWERS, 1, mac(1), T0 + 10),
			 NEIGH_LEARNED);
	expect_out(t, NEIGH_SEND, 1, packet(0));
	expect_out(t, NEIGH_SEND, 1, packet(1));
	expect_no_out(t);
	assert_true(find(t, 1).usable);
	assert_true(eth_addr_equal(find(t, 1).mac, mac(1)));
	assert_int_equal(state_of(t, 1), NEIGH_REACHABLE);
	neigh_destroy(t, no_packet_left);
}

static void a_neighbour_that_is_silent_is_given_up_after_three_questions(
	void **state UNUSED)
{
	struct neigh_table *t = table(0);

	resolve(t, 1, packet(0), T0);
	expect_out(t, NEIGH_SOLICIT, 1, NULL);
	for (int i = 1; i < 3; i++) {
		assert_int_equal(tick_next(t), T0 + i * 1000);
		expect_out(t, NEIGH_SOLICIT, 1, NULL);
	}
	assert_int_equal(tick_next(t), T0 + 3000);
	expect_out(t, NEIGH_UNREACHABLE, 1, packet(0));
	expect_no_out(t);
	assert_true(find(t, 1).failed);
	assert_int_equal(resolve(t, 1, packet(1), T0 + 3001), NEIGH_NO);
	assert_int_equal(tick_next(t), T0 + 6000);
	assert_false(find(t, 1).found);
	assert_int_equal(neigh_next_deadline(t), UINT64_MAX);
	neigh_destroy(t, no_packet_left);
}

static void
a_reachable_neighbour_is_verified_only_when_used(void **state UNUSED)
{
	struct neigh_table *t = table(0);
	struct neigh_out o;
	uint64_t now;

	resolve(t, 1, NULL, T0);
	learn(t, NEIGH_ANSWERS, 1, mac(1), T0);
	expect_out(t, NEIGH_SOLICIT, 1, NULL);
	now = tick_next(t);
	assert_in_range(now, T0 + 15000, T0 + 45000);
	assert_int_equal(state_of(t, 1), NEIGH_STALE);
	assert_true(find(t, 1).usable && find(t, 1).stale);
	assert_true(neigh_next_deadline(t) > now + 1000000);
	assert_true(neigh_used(t, find(t, 1).id, now));
	assert_int_equal(state_of(t, 1), NEIGH_DELAY);
	assert_false(neigh_used(t, find(t, 1).id, now));
	assert_int_equal(tick_next(t), now + NEIGH_DELAY_MS);
	assert_true(neigh_take(t, &o));
	assert_int_equal(o.kind, NEIGH_SOLICIT);
	assert_true(o.unicast && eth_addr_equal(o.mac, mac(1)));
	assert_int_equal(learn(t, NEIGH_ANSWERS, 1, mac(1), now + 6000),
			 NEIGH_SAME);
	assert_int_equal(state_of(t, 1), NEIGH_REACHABLE);
	neigh_destroy(t, no_packet_left);
}

static void a_dead_neighbour_is_noticed_and_forgotten(void **state UNUSED)
{
	struct neigh_table *t = table(0);
	unsigned n = 0;

	overhear(t, 1, T0);
	neigh_used(t, find(t, 1).id, T0);
	while (find(t, 1).usable) {
		assert_true(tick_next(t) <= T0 + 8000);
		assert_in_range(++n, 1, 5);
	}
	assert_true(find(t, 1).failed);
	neigh_destroy(t, no_packet_left);
}

static void
an_unused_neighbour_is_forgotten_without_a_question(void **state UNUSED)
{
	struct neigh_table *t = table(0);

	overhear(t, 1, T0);
	assert_int_equal(tick_next(t), T0 + NEIGH_STALE_MS);
	assert_false(find(t, 1).found);
	expect_no_out(t);
	neigh_destroy(t, no_packet_left);
}

static void
only_what_was_asked_for_or_is_to_be_kept_makes_an_entry(void **state UNUSED)
{
	struct neigh_table *t = table(0);

	assert_int_equal(learn(t, NEIGH_CLAIMS, 1, mac(1), T0), NEIGH_IGNORED);
	assert_int_equal(learn(t, NEIGH_ANSWERS, 1, mac(1), T0), NEIGH_IGNORED);
	assert_false(find(t, 1).found);
	assert_int_equal(overhear(t, 1, T0), NEIGH_LEARNED);
	assert_true(find(t, 1).usable);
	neigh_destroy(t, no_packet_left);
}

static void nobody_can_claim_the_routers_address(void **state UNUSED)
{
	struct neigh_table *t = table(0);
	struct neigh_out o;

	assert_int_equal(overhear(t, 254, T0), NEIGH_OWN);
	assert_true(neigh_take(t, &o));
	assert_int_equal(o.kind, NEIGH_CONFLICT);
	assert_true(eth_addr_equal(o.mac, mac(254)));
	assert_false(find(t, 254).found);
	/* The same router on another host. */
	assert_int_equal(
		learn(t, NEIGH_ASKS, 254, eth_addr_from_u64(OWN_MAC), T0),
		NEIGH_IGNORED);
	expect_no_out(t);
	assert_int_equal(resolve(t, 254, NULL, T0), NEIGH_REFUSED);
	neigh_destroy(t, no_packet_left);
}

static void an_entry_goes_when_the_router_takes_its_address(void **state UNUSED)
{
	struct neigh_table *t = table(0);
	struct ip_prefix own = { ip(1), 8 };

	overhear(t, 1, T0);
	neigh_set_own(t, &own, 1, eth_addr_from_u64(OWN_MAC));
	assert_false(find(t, 1).found);
	neigh_destroy(t, no_packet_left);
}

static void nonsense_is_not_learned(void **state UNUSED)
{
	struct neigh_table *t = table(0);
	struct neigh_news w = news(NEIGH_ASKS, 1, mac(1));
	static const char *const bad[] = {
		"0.0.0.0",   "127.0.0.1", "224.0.0.1", "10.0.0.254",
		"192.0.2.1", "::",        "ff02::1",   "2001:db8::1"
	};

	w.create = true;
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(ip_addr_parse(bad[i], &w.ip), 0);
		assert_int_not_equal(neigh_learn(t, &w, T0), NEIGH_LEARNED);
	}
	w.ip = ip(1);
	w.mac = eth_addr_from_u64(0xffffffffffffull);
	assert_int_equal(neigh_learn(t, &w, T0), NEIGH_IGNORED);
	w.mac = eth_addr_from_u64(OWN_MAC);
	assert_int_equal(neigh_learn(t, &w, T0), NEIGH_IGNORED);
	assert_int_equal(ip_addr_parse("fe80::1", &w.ip), 0);
	w.mac = mac(1);
	assert_int_equal(neigh_learn(t, &w, T0), NEIGH_LEARNED);
	neigh_destroy(t, no_packet_left);
}

static void
a_confirmed_neighbour_is_not_overwritten_by_a_quick_lie(void **state UNUSED)
{
	struct neigh_table *t = table(0);

	resolve(t, 1, NULL, T0);
	learn(t, NEIGH_ANSWERS, 1, mac(1), T0);
	assert_int_equal(learn(t, NEIGH_CLAIMS, 1, mac(2), T0 + 500),
			 NEIGH_IGNORED);
	assert_true(eth_addr_equal(find(t, 1).mac, mac(1)));
	/* Nobody asks now: an answer is a claim like any other. */
	assert_int_equal(learn(t, NEIGH_ANSWERS, 1, mac(2), T0 + 500),
			 NEIGH_IGNORED);
	assert_int_equal(learn(t, NEIGH_CLAIMS, 1, mac(2), T0 + 2000),
			 NEIGH_LEARNED);
	assert_int_equal(state_of(t, 1), NEIGH_STALE);
	neigh_destroy(t, ignore_packet);
}

static void
an_answer_without_override_makes_one_doubt_not_believe(void **state UNUSED)
{
	struct neigh_table *t = table(0);
	struct neigh_news w = news(NEIGH_CLAIMS, 1, mac(2));

	w.override = false;
	resolve(t, 1, NULL, T0);
	learn(t, NEIGH_ANSWERS, 1, mac(1), T0);
	assert_int_equal(neigh_learn(t, &w, T0 + 5000), NEIGH_IGNORED);
	assert_true(eth_addr_equal(find(t, 1).mac, mac(1)));
	assert_int_equal(state_of(t, 1), NEIGH_STALE);
	neigh_destroy(t, ignore_packet);
}

static void a_static_entry_stays_whatever_is_claimed(void **state UNUSED)
{
	struct neigh_table *t = table(0);
	struct ip_addr a = ip(1), own = ip(254);

	overhear(t, 1, T0);
	assert_int_equal(neigh_put_static(t, &a, mac(9)), 0);
	assert_int_equal(learn(t, NEIGH_CLAIMS, 1, mac(2), T0), NEIGH_FIXED);
	neigh_flush(t);
	neigh_tick(t, T0 + 100000000);
	assert_true(eth_addr_equal(find(t, 1).mac, mac(9)));
	assert_false(neigh_used(t, find(t, 1).id, T0));
	assert_int_equal(neigh_put_static(t, &own, mac(9)), -EINVAL);
	assert_true(neigh_del(t, &a));
	assert_false(neigh_del(t, &a));
	neigh_destroy(t, no_packet_left);
}

static void a_full_queue_keeps_the_newest_packets(void **state UNUSED)
{
	struct neigh_table *t = table(0);

	for (unsigned i = 0; i < NEIGH_WAIT_ENTRY; i++)
		resolve(t, 1, packet(i), T0);
	expect_out(t, NEIGH_SOLICIT, 1, NULL);
	expect_no_out(t);
	assert_int_equal(resolve(t, 1, packet(99), T0), NEIGH_WAITS);
	expect_out(t, NEIGH_DROP, 1, packet(0));
	learn(t, NEIGH_ANSWERS, 1, mac(1), T0);
	for (unsigned i = 1; i < NEIGH_WAIT_ENTRY; i++)
		expect_out(t, NEIGH_SEND, 1, packet(i));
	expect_out(t, NEIGH_SEND, 1, packet(99));
	neigh_destroy(t, no_packet_left);
}

static void
a_port_that_scans_uses_up_only_its_own_allowance(void **state UNUSED)
{
	struct neigh_table *t = table(0);
	struct ip_addr a;
	unsigned refused = 0;

	for (uint32_t i = 0; i < 5000; i++)
		refused += resolve(t, 1000 + i, packet(i % 4096), T0) ==
			   NEIGH_REFUSED;
	assert_in_range(refused, 4000, 4950);
	a = ip(1);
	assert_int_equal(neigh_resolve(t, &a, 2, packet(1), T0), NEIGH_WAITS);
	neigh_destroy(t, ignore_packet);
}

static void a_flooder_evicts_only_its_own_neighbours(void **state UNUSED)
{
	struct neigh_table *t = table(64);
	struct neigh_news w = news(NEIGH_ASKS, 0, mac(1));

	w.create = true;
	for (uint32_t i = 1; i <= 20; i++)
		overhear(t, i, T0);
	w.in_port = 9;
	for (uint32_t i = 0; i < 10000; i++) {
		w.ip = ip(1000 + i);
		neigh_learn(t, &w, T0 + i);
	}
	for (uint32_t i = 1; i <= 20; i++)
		assert_true(find(t, i).usable);
	neigh_destroy(t, no_packet_left);
}

#define ASSERT_STALE_AFTER(what)                                               \
	do {                                                                   \
		struct ip_addr a_ = ip(1);                                     \
		struct dep d_;                                                 \
		neigh_find(t, &a_, &d_);                                       \
		what;                                                          \
		assert_false(stamp_is_fresh(&stamps, d_));                     \
	} while (0)

static void every_change_of_an_answer_bumps_its_stamp(void **state UNUSED)
{
	struct neigh_table *t = table(0);
	struct ip_addr a = ip(1);
	struct dep dep;

	ASSERT_STALE_AFTER(resolve(t, 1, NULL, T0));
	ASSERT_STALE_AFTER(learn(t, NEIGH_ANSWERS, 1, mac(1), T0));
	neigh_find(t, &a, &dep);
	neigh_tick(t, T0 + 50000);
	assert_true(find(t, 1).stale);
	assert_true(stamp_is_fresh(&stamps, dep));
	ASSERT_STALE_AFTER(learn(t, NEIGH_CLAIMS, 1, mac(2), T0 + 60000));
	ASSERT_STALE_AFTER(neigh_del(t, &a));
	neigh_destroy(t, ignore_packet);
}

static void an_old_id_is_harmless(void **state UNUSED)
{
	struct neigh_table *t = table(0);
	struct ip_addr a = ip(1);
	uint32_t id;

	overhear(t, 1, T0);
	id = find(t, 1).id;
	assert_int_not_equal(id, 0);
	neigh_del(t, &a);
	overhear(t, 2, T0);
	assert_int_not_equal(find(t, 2).id, id);
	assert_false(neigh_used(t, id, T0));
	assert_false(neigh_used(t, 0, T0));
	assert_false(neigh_used(t, UINT32_MAX, T0));
	assert_int_equal(state_of(t, 2), NEIGH_STALE);
	neigh_destroy(t, no_packet_left);
}

/* --- random sequences ---------------------------------------------------- */

#define R_ADDRS 100u
#define R_LIMIT 40u

struct ledger {
	bool inside[ARRAY_SIZE(packets)];
	unsigned n_inside;
};

static void ledger_drain(struct ledger *l, struct neigh_table *t)
{
	struct neigh_out o;

	while (neigh_take(t, &o)) {
		size_t at;

		if (!o.packet)
			continue;
		at = (size_t)((char *)o.packet - packets);
		assert_true(l->inside[at]);
		l->inside[at] = false;
		l->n_inside--;
	}
}

static void ledger_resolve(struct ledger *l, struct neigh_table *t, unsigned at,
			   uint64_t now)
{
	struct ip_addr a = ip(1 + (uint32_t)(env_random(&env.env) % R_ADDRS));

	if (l->inside[at])
		return;
	if (neigh_resolve(t, &a, 1 + at % 3, packet(at), now) != NEIGH_WAITS)
		return;
	l->inside[at] = true;
	l->n_inside++;
}

static void random_learn(struct neigh_table *t, uint64_t now)
{
	uint64_t r = env_random(&env.env);
	uint32_t n = 1 + (uint32_t)(r % R_ADDRS);
	struct neigh_news w =
		news((enum neigh_news_kind)(r >> 8 & 1 ? NEIGH_ANSWERS :
							 NEIGH_CLAIMS),
		     n, mac(n + (r >> 10 & 1)));

	w.override = r >> 11 & 1;
	w.has_mac = r >> 12 & 3;
	w.create = r >> 14 & 1;
	w.in_port = 1 + (r >> 16) % 5;
	neigh_learn(t, &w, now);
}

static void random_step(struct ledger *l, struct neigh_table *t, uint64_t now)
{
	uint64_t r = env_random(&env.env);
	uint32_t n = 1 + (uint32_t)(r >> 8) % R_ADDRS;
	struct ip_addr a = ip(n);

	switch (r % 8) {
	case 0:
	case 1:
	case 2:
		ledger_resolve(l, t, (unsigned)(r >> 32) % 4096, now);
		break;
	case 3:
	case 4:
		random_learn(t, now);
		break;
	case 5:
		neigh_used(t, find(t, n).id, now);
		break;
	case 6:
		neigh_tick(t, now);
		break;
	case 7:
		if (r >> 40 & 3)
			break;
		neigh_del(t, &a);
		break;
	}
}

static unsigned count_rows(struct neigh_table *t)
{
	struct neigh_row row;
	uint32_t cursor = 0;
	unsigned n = 0;

	for (; neigh_list(t, &cursor, &row, 1, T0); n++) {
		struct dep dep;
		struct neigh_found f = neigh_find(t, &row.ip, &dep);

		assert_true(f.found);
		assert_int_equal(f.failed, row.state == NEIGH_FAILED);
		if (f.usable)
			assert_true(eth_addr_equal(f.mac, row.mac));
	}
	return n;
}

static void no_sequence_loses_a_packet_or_breaks_a_bound(void **state UNUSED)
{
	struct neigh_table *t = table(R_LIMIT);
	static struct ledger l;
	struct neigh_stats s;
	uint64_t now = T0;

	for (unsigned i = 0; i < 60000; i++) {
		now += env_random(&env.env) % 200;
		random_step(&l, t, now);
		ledger_drain(&l, t);
		neigh_stats(t, &s);
		assert_int_equal(s.n_waiting, l.n_inside);
		assert_true(s.n <= R_LIMIT);
		if (i % 64 == 0)
			assert_int_equal(count_rows(t), s.n);
	}
	neigh_flush(t);
	ledger_drain(&l, t);
	assert_int_equal(l.n_inside, 0);
	neigh_destroy(t, no_packet_left);
}

/* --- threads ------------------------------------------------------------- */

#define RACE_FIXED 32u

struct race {
	struct neigh_table *t;
	bool stop;
	uint64_t found;
};

static void *race_reader(void *arg)
{
	struct race *r = arg;

	rcu_thread_register();
	while (!__atomic_load_n(&r->stop, __ATOMIC_RELAXED)) {
		for (uint32_t i = 1; i <= RACE_FIXED; i++) {
			struct ip_addr a = ip(i);
			struct dep dep;
			struct neigh_found f = neigh_find(r->t, &a, &dep);

			if (!f.found) {
				must(!stamp_is_fresh(&stamps, dep));
				continue;
			}
			must(f.usable && eth_addr_equal(f.mac, mac(i)));
			neigh_used(r->t, f.id, T0);
			r->found++;
		}
		rcu_quiescent();
	}
	rcu_thread_unregister();
	return NULL;
}

static void readers_never_miss_a_neighbour_that_stays(void **state UNUSED)
{
	struct race r = { .t = table(64) };
	struct neigh_news w = news(NEIGH_ASKS, 0, mac(7));
	pthread_t reader;

	for (uint32_t i = 1; i <= RACE_FIXED; i++)
		overhear(r.t, i, T0);
	assert_int_equal(pthread_create(&reader, NULL, race_reader, &r), 0);
	w.create = true;
	w.in_port = 9;
	for (uint32_t i = 0; i < 60000; i++) {
		w.ip = ip(1000 + i % 50000);
		neigh_learn(r.t, &w, T0);
	}
	__atomic_store_n(&r.stop, true, __ATOMIC_RELAXED);
	pthread_join(reader, NULL);
	assert_true(r.found > 0);
	neigh_destroy(r.t, no_packet_left);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			an_unknown_neighbour_is_asked_for_and_packets_wait),
		cmocka_unit_test(
			a_neighbour_that_is_silent_is_given_up_after_three_questions),
		cmocka_unit_test(
			a_reachable_neighbour_is_verified_only_when_used),
		cmocka_unit_test(a_dead_neighbour_is_noticed_and_forgotten),
		cmocka_unit_test(
			an_unused_neighbour_is_forgotten_without_a_question),
		cmocka_unit_test(
			only_what_was_asked_for_or_is_to_be_kept_makes_an_entry),
		cmocka_unit_test(nobody_can_claim_the_routers_address),
		cmocka_unit_test(
			an_entry_goes_when_the_router_takes_its_address),
		cmocka_unit_test(nonsense_is_not_learned),
		cmocka_unit_test(
			a_confirmed_neighbour_is_not_overwritten_by_a_quick_lie),
		cmocka_unit_test(
			an_answer_without_override_makes_one_doubt_not_believe),
		cmocka_unit_test(a_static_entry_stays_whatever_is_claimed),
		cmocka_unit_test(a_full_queue_keeps_the_newest_packets),
		cmocka_unit_test(
			a_port_that_scans_uses_up_only_its_own_allowance),
		cmocka_unit_test(a_flooder_evicts_only_its_own_neighbours),
		cmocka_unit_test(every_change_of_an_answer_bumps_its_stamp),
		cmocka_unit_test(an_old_id_is_harmless),
		cmocka_unit_test(no_sequence_loses_a_packet_or_breaks_a_bound),
		cmocka_unit_test(readers_never_miss_a_neighbour_that_stays),
	};
	int failed;

	rcu_thread_register();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rcu_thread_unregister();
	return failed;
}
