/* SPDX-License-Identifier: Apache-2.0 */
#include "l2/mcast.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "base/env.h"
#include "base/rcu.h"
#include "l2/mcast_wire.h"
#include "packet/checksum.h"
#include "packet/headers.h"

#define T0 1000000u
#define SETTLED (T0 + MCAST_SETTLE_MS + 1000)
#define GROUP "239.1.1.1"
#define GROUP6 "ff15::1"
#define ROUTER_PORT 90u

static struct stamps stamps;

static struct ip_addr addr(const char *text)
{
	struct ip_addr a;

	assert_int_equal(ip_addr_parse(text, &a), 0);
	return a;
}

static struct mcast *machine(uint32_t limit, bool querier)
{
	struct mcast_config c = { .id = 3,
				  .limit = limit,
				  .seed = 5,
				  .querier = querier,
				  .mac = { { 2, 0, 0, 0, 0, 9 } } };

	return mcast_create(&c, &stamps, T0);
}

static void done(struct mcast *m)
{
	rcu_barrier_wait();
	mcast_destroy(m);
}

/* --- messages ------------------------------------------------------------ */

struct message {
	uint8_t b[2048];
	uint32_t len;
};

static void finish4(struct message *m, uint32_t payload)
{
	memset(m->b, 0, 24);
	m->b[0] = 0x46;
	put_be16(m->b + 2, (uint16_t)(24 + payload));
	m->b[8] = 1;
	m->b[9] = IP_PROTO_IGMP;
	put_be32(m->b + 12, 0xc0000201);
	put_be32(m->b + 20, 0x94040000);
	put_be16(m->b + 26, 0);
	put_be16(m->b + 26, checksum(m->b + 24, payload));
	m->len = 24 + payload;
}

static struct message igmp2(uint8_t type, const char *group)
{
	struct message m = { 0 };
	struct ip_addr g = addr(group);

	m.b[24] = type;
	put_be32(m.b + 28, ip_addr_ip4(&g));
	finish4(&m, 8);
	return m;
}

/* One record of n sources. */
static struct message igmp3(uint8_t record, const char *group, unsigned n)
{
	struct message m = { 0 };
	struct ip_addr g = addr(group);

	m.b[24] = 0x22;
	put_be16(m.b + 30, 1);
	m.b[32] = record;
	put_be16(m.b + 34, (uint16_t)n);
	put_be32(m.b + 36, ip_addr_ip4(&g));
	finish4(&m, 16 + 4 * n);
	return m;
}

static void finish6(struct message *m, uint32_t payload)
{
	struct ip6_addr src = addr("fe80::2").a, dst = addr("ff02::16").a;
	uint64_t sum;

	put_be32(m->b, 0x60000000);
	put_be16(m->b + 4, (uint16_t)(8 + payload));
	m->b[6] = IP_PROTO_HOPOPTS;
	m->b[7] = 1;
	memcpy(m->b + 8, src.b, 16);
	memcpy(m->b + 24, dst.b, 16);
	memcpy(m->b + 40, (uint8_t[]){ 58, 0, 5, 2, 0, 0, 1, 0 }, 8);
	put_be16(m->b + 50, 0);
	sum = checksum_pseudo6(src, dst, 58, payload);
	sum = checksum_add(sum, m->b + 48, payload);
	put_be16(m->b + 50, (uint16_t)~checksum_fold(sum));
	m->len = 48 + payload;
}

static struct message mld1(uint8_t type, const char *group)
{
	struct message m = { 0 };

	m.b[48] = type;
	memcpy(m.b + 56, addr(group).a.b, 16);
	finish6(&m, 24);
	return m;
}

static struct message mld2(uint8_t record, const char *group)
{
	struct message m = { 0 };

	m.b[48] = 143;
	put_be16(m.b + 54, 1);
	m.b[56] = record;
	memcpy(m.b + 60, addr(group).a.b, 16);
	finish6(&m, 28);
	return m;
}

static enum mcast_rx rx(struct mcast *m, uint32_t port,
			const struct message *msg, uint64_t now)
{
	return mcast_rx(m, port, msg->b, msg->len, now);
}

static void join(struct mcast *m, uint32_t port, const char *group,
		 uint64_t now)
{
	struct message msg = addr(group).family == AF_INET ?
				     igmp2(0x16, group) :
				     mld1(131, group);

	assert_int_equal(rx(m, port, &msg, now), MCAST_REPORT);
}

/* A querier at ROUTER_PORT; `ip4` 0.0.0.0 for a switch that only asks. */
static void query(struct mcast *m, const char *ip4, uint64_t now)
{
	struct ip_addr a4 = addr(ip4);
	struct mcast_config c = { .ip4 = ip_addr_ip4(&a4),
				  .mac = { { 2, 0, 0, 0, 0, 1 } } };
	struct mcast_frame f;

	for (int i = 0; i < 2; i++) {
		mcast_query_build(&c, i ? AF_INET6 : AF_INET, NULL, &f);
		assert_int_equal(mcast_rx(m, ROUTER_PORT,
					  f.bytes + ETH_HEADER_LEN,
					  f.len - ETH_HEADER_LEN, now),
				 MCAST_QUERY);
	}
}

static struct mcast *settled(void)
{
	struct mcast *m = machine(0, false);

	query(m, "192.0.2.9", T0);
	mcast_tick(m, SETTLED);
	return m;
}

static struct mcast_found find(const struct mcast *m, const char *group)
{
	struct ip_addr g = addr(group);
	struct dep dep;

	return mcast_find(m, &g, &dep);
}

static bool goes_to(const struct mcast *m, const char *group, uint32_t port)
{
	struct mcast_found f = find(m, group);

	return mcast_found_has(&f, port);
}

/* --- tests --------------------------------------------------------------- */

static void without_a_querier_everything_is_flooded(void **state UNUSED)
{
	struct mcast *m = machine(0, false);

	join(m, 1, GROUP, T0);
	join(m, 1, GROUP6, T0);
	mcast_tick(m, SETTLED);
	assert_true(find(m, GROUP).flood);
	assert_true(find(m, GROUP6).flood);
	done(m);
}

static void
with_a_querier_only_members_and_routers_get_a_group(void **state UNUSED)
{
	struct mcast *m = settled();

	join(m, 1, GROUP, SETTLED);
	join(m, 2, GROUP6, SETTLED);
	assert_false(find(m, GROUP).flood);
	assert_true(goes_to(m, GROUP, 1));
	assert_true(goes_to(m, GROUP, ROUTER_PORT));
	assert_false(goes_to(m, GROUP, 2));
	assert_true(goes_to(m, GROUP6, 2));
	assert_false(goes_to(m, GROUP6, 1));
	assert_int_equal(find(m, "239.9.9.9").n_ports, 1);
	done(m);
}

static void
nothing_is_narrowed_before_members_had_time_to_answer(void **state UNUSED)
{
	struct mcast *m = machine(0, false);

	query(m, "192.0.2.9", T0);
	assert_true(find(m, GROUP).flood);
	assert_true(mcast_next_deadline(m) <= T0 + MCAST_SETTLE_MS);
	mcast_tick(m, mcast_next_deadline(m));
	assert_false(find(m, GROUP).flood);
	done(m);
}

static void when_the_querier_goes_all_is_flooded_again(void **state UNUSED)
{
	struct mcast *m = settled();

	join(m, 1, GROUP, SETTLED);
	for (uint64_t now = SETTLED; now < T0 + MCAST_OTHER_QUERIER_MS + 2000;
	     now += 1000)
		mcast_tick(m, now);
	assert_true(find(m, GROUP).flood);
	done(m);
}

static void link_local_groups_are_always_flooded(void **state UNUSED)
{
	static const char *const local[] = { "224.0.0.1",         "224.0.0.251",
					     "ff02::1",           "ff02::fb",
					     "ff02::1:ff00:1234", "ff01::1" };
	struct mcast *m = settled();

	for (unsigned i = 0; i < ARRAY_SIZE(local); i++) {
		join(m, 1, local[i], SETTLED);
		assert_true(find(m, local[i]).flood);
	}
	done(m);
}

static void a_switch_that_asks_from_nobody_is_no_router(void **state UNUSED)
{
	struct mcast *m = machine(0, false);

	query(m, "0.0.0.0", T0);
	mcast_tick(m, SETTLED);
	assert_false(find(m, GROUP).flood);
	assert_false(goes_to(m, GROUP, ROUTER_PORT));
	done(m);
}

static void a_membership_that_is_not_renewed_ends(void **state UNUSED)
{
	struct mcast *m = settled();
	uint64_t now = SETTLED;

	join(m, 1, GROUP, now);
	join(m, 2, GROUP, now);
	for (; now < SETTLED + MCAST_MEMBER_MS + 2000; now += 1000) {
		if (now % 100000 == 0) {
			query(m, "192.0.2.9", now);
			join(m, 2, GROUP, now);
		}
		mcast_tick(m, now);
	}
	assert_false(goes_to(m, GROUP, 1));
	assert_true(goes_to(m, GROUP, 2));
	done(m);
}

static void a_leave_ends_it_unless_another_member_stays(void **state UNUSED)
{
	struct mcast *m = settled();
	struct message leave = igmp2(0x17, GROUP);

	join(m, 1, GROUP, SETTLED);
	join(m, 2, GROUP, SETTLED);
	rx(m, 1, &leave, SETTLED);
	rx(m, 2, &leave, SETTLED);
	assert_true(goes_to(m, GROUP, 1));
	join(m, 2, GROUP, SETTLED + 500);
	mcast_tick(m, SETTLED + 3000);
	assert_false(goes_to(m, GROUP, 1));
	assert_true(goes_to(m, GROUP, 2));
	done(m);
}

struct record_case {
	uint8_t type;
	unsigned n_sources;
	bool joins;
};

static const struct record_case record_cases[] = {
	{ 1, 0, false }, { 1, 2, true },  { 2, 0, true }, { 2, 1, true },
	{ 3, 0, false }, { 3, 1, true },  { 4, 0, true }, { 5, 0, false },
	{ 5, 1, true },  { 6, 1, false },
};

static void
version_3_records_join_and_leave_as_the_rfc_says(void **state UNUSED)
{
	for (unsigned i = 0; i < ARRAY_SIZE(record_cases); i++) {
		const struct record_case *c = &record_cases[i];
		struct message msg = igmp3(c->type, GROUP, c->n_sources);
		struct mcast *m = settled();

		assert_int_equal(rx(m, 1, &msg, SETTLED), MCAST_REPORT);
		assert_int_equal(goes_to(m, GROUP, 1), c->joins);
		done(m);
	}
}

static void version_2_of_mld_joins_and_leaves(void **state UNUSED)
{
	struct message join6 = mld2(4, GROUP6), leave6 = mld2(3, GROUP6);
	struct mcast *m = settled();

	rx(m, 1, &join6, SETTLED);
	assert_true(goes_to(m, GROUP6, 1));
	rx(m, 1, &leave6, SETTLED);
	mcast_tick(m, SETTLED + 3000);
	assert_false(goes_to(m, GROUP6, 1));
	done(m);
}

static void a_wrong_checksum_or_ttl_or_source_is_bad(void **state UNUSED)
{
	struct mcast *m = settled();
	struct message a = igmp2(0x16, GROUP), b = a, c = mld1(131, GROUP6),
		       d = c;

	a.b[31] ^= 1;
	assert_int_equal(rx(m, 1, &a, SETTLED), MCAST_BAD);
	b.b[8] = 2;
	assert_int_equal(rx(m, 1, &b, SETTLED), MCAST_BAD);
	c.b[8] = 0x20;
	assert_int_equal(rx(m, 1, &c, SETTLED), MCAST_BAD);
	d.b[7] = 64;
	assert_int_equal(rx(m, 1, &d, SETTLED), MCAST_BAD);
	assert_false(goes_to(m, GROUP, 1));
	done(m);
}

static void a_report_that_lies_about_its_records_is_bad(void **state UNUSED)
{
	struct mcast *m = settled();
	struct message msg = igmp3(4, GROUP, 0);

	put_be16(msg.b + 30, 0xffff);
	finish4(&msg, 16);
	assert_int_equal(rx(m, 1, &msg, SETTLED), MCAST_BAD);
	assert_false(goes_to(m, GROUP, 1));
	done(m);
}

static void every_change_of_an_answer_bumps_its_stamp(void **state UNUSED)
{
	struct mcast *m = settled();
	struct ip_addr g = addr(GROUP);
	struct dep dep;

	mcast_find(m, &g, &dep);
	join(m, 1, GROUP, SETTLED);
	assert_false(stamp_is_fresh(&stamps, dep));
	mcast_find(m, &g, &dep);
	join(m, 1, GROUP, SETTLED + 1000);
	assert_true(stamp_is_fresh(&stamps, dep));
	mcast_set_router_port(m, 7, true);
	assert_false(stamp_is_fresh(&stamps, dep));
	mcast_find(m, &g, &dep);
	mcast_forget_port(m, 1);
	assert_false(stamp_is_fresh(&stamps, dep));
	mcast_find(m, &g, &dep);
	mcast_tick(m, T0 + 2 * MCAST_OTHER_QUERIER_MS);
	assert_false(stamp_is_fresh(&stamps, dep));
	assert_true(mcast_find(m, &g, &dep).flood);
	done(m);
}

static void a_router_port_by_the_users_word_lasts(void **state UNUSED)
{
	struct mcast *m = settled();
	uint64_t now = SETTLED;

	mcast_set_router_port(m, 7, true);
	for (unsigned i = 0; i < 10; i++, now += 100000) {
		query(m, "192.0.2.9", now);
		mcast_tick(m, now);
	}
	assert_true(goes_to(m, GROUP, 7));
	mcast_set_router_port(m, 7, false);
	assert_false(goes_to(m, GROUP, 7));
	done(m);
}

static void join_many(struct mcast *m, uint32_t port, unsigned n)
{
	char text[IP_STR_LEN];

	for (unsigned i = 0; i < n; i++)
		join(m, port, ip4_format(0xef020000u + (port << 8) + i, text),
		     SETTLED);
}

static void one_port_cannot_take_all_groups(void **state UNUSED)
{
	struct mcast *m = machine(64, false);
	struct mcast_stats s;

	query(m, "192.0.2.9", T0);
	mcast_tick(m, SETTLED);
	join_many(m, 1, 200);
	mcast_stats(m, &s);
	assert_int_equal(s.groups, 16);
	join(m, 2, GROUP, SETTLED);
	assert_true(goes_to(m, GROUP, 2));
	assert_false(find(m, GROUP).flood);
	done(m);
}

static void too_many_groups_make_it_flood_not_deaf(void **state UNUSED)
{
	struct mcast *m = machine(64, false);

	query(m, "192.0.2.9", T0);
	mcast_tick(m, SETTLED);
	for (uint32_t port = 1; port <= 4; port++)
		join_many(m, port, 16);
	assert_false(find(m, "239.2.1.1").flood);
	join(m, 9, GROUP, SETTLED);
	assert_true(goes_to(m, GROUP, 9));
	assert_true(find(m, GROUP).flood);
	mcast_forget_port(m, 1);
	mcast_tick(m, SETTLED + 100000);
	assert_false(find(m, GROUP).flood);
	done(m);
}

static void our_own_querier_asks_and_gives_way(void **state UNUSED)
{
	struct mcast *m = machine(0, true);
	struct mcast_frame f;
	struct mcast_msg msg;
	unsigned n = 0;

	mcast_tick(m, mcast_next_deadline(m));
	while (mcast_take(m, &f)) {
		mcast_decode(f.bytes + ETH_HEADER_LEN, f.len - ETH_HEADER_LEN,
			     &msg);
		assert_int_equal(msg.kind, MCAST_QUERY);
		n++;
	}
	assert_int_equal(n, 2);
	for (uint64_t now = T0; now < T0 + 200000; now += 1000)
		mcast_tick(m, now);
	assert_false(find(m, GROUP).flood);
	while (mcast_take(m, &f))
		n++;
	assert_int_equal(n, 6);
	query(m, "192.0.2.9", T0 + 200000);
	for (uint64_t now = T0 + 200000; now < T0 + 400000; now += 1000)
		mcast_tick(m, now);
	while (mcast_take(m, &f))
		n += f.bytes[12] == 0x08;
	assert_int_equal(n, 6);
	done(m);
}

static void
a_leave_is_followed_by_our_question_to_the_group(void **state UNUSED)
{
	struct mcast *m = machine(0, true);
	struct message leave = igmp2(0x17, GROUP);
	struct ip_addr g = addr(GROUP);
	struct mcast_frame f;
	struct mcast_msg msg;

	join(m, 1, GROUP, T0);
	rx(m, 1, &leave, T0 + 1);
	assert_true(mcast_take(m, &f));
	mcast_decode(f.bytes + ETH_HEADER_LEN, f.len - ETH_HEADER_LEN, &msg);
	assert_int_equal(msg.kind, MCAST_QUERY);
	assert_true(ip_addr_equal(&msg.group, &g));
	done(m);
}

/* --- random joins and leaves against a table of who wants what ----------- */

#define R_PORTS 12u
#define R_GROUPS 10u

static void random_joins_agree_with_a_dumb_table(void **state UNUSED)
{
	static uint64_t until[R_GROUPS][R_PORTS + 1];
	struct mcast *m = settled();
	uint64_t now = SETTLED;
	char text[IP_STR_LEN];
	struct env_test e;

	env_test_init(&e, 21);
	for (unsigned i = 0; i < 3000; i++) {
		uint64_t r = env_random(&e.env);
		uint32_t port = 1 + r % R_PORTS, g = (r >> 8) % R_GROUPS;
		struct message leave;

		/* Whole seconds, so that coalesced ticks agree. */
		now += 1000 * ((r >> 16) % 20);
		ip4_format(0xef000001u + g, text);
		leave = igmp2(0x17, text);
		query(m, "192.0.2.9", now);
		if (r >> 32 & 3) {
			join(m, port, text, now);
			until[g][port] = now + MCAST_MEMBER_MS;
		} else {
			rx(m, port, &leave, now);
			until[g][port] = MIN(until[g][port], now + 2000);
		}
		mcast_tick(m, now);
		for (uint32_t p = 1; p <= R_PORTS; p++)
			assert_int_equal(goes_to(m, text, p),
					 until[g][p] > now);
	}
	done(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_querier_everything_is_flooded),
		cmocka_unit_test(
			with_a_querier_only_members_and_routers_get_a_group),
		cmocka_unit_test(
			nothing_is_narrowed_before_members_had_time_to_answer),
		cmocka_unit_test(when_the_querier_goes_all_is_flooded_again),
		cmocka_unit_test(link_local_groups_are_always_flooded),
		cmocka_unit_test(a_switch_that_asks_from_nobody_is_no_router),
		cmocka_unit_test(a_membership_that_is_not_renewed_ends),
		cmocka_unit_test(a_leave_ends_it_unless_another_member_stays),
		cmocka_unit_test(
			version_3_records_join_and_leave_as_the_rfc_says),
		cmocka_unit_test(version_2_of_mld_joins_and_leaves),
		cmocka_unit_test(a_wrong_checksum_or_ttl_or_source_is_bad),
		cmocka_unit_test(a_report_that_lies_about_its_records_is_bad),
		cmocka_unit_test(every_change_of_an_answer_bumps_its_stamp),
		cmocka_unit_test(a_router_port_by_the_users_word_lasts),
		cmocka_unit_test(one_port_cannot_take_all_groups),
		cmocka_unit_test(too_many_groups_make_it_flood_not_deaf),
		cmocka_unit_test(our_own_querier_asks_and_gives_way),
		cmocka_unit_test(
			a_leave_is_followed_by_our_question_to_the_group),
		cmocka_unit_test(random_joins_agree_with_a_dumb_table),
	};
	int failed;

	rcu_thread_register();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rcu_thread_unregister();
	return failed;
}
