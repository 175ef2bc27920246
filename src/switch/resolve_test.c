/* SPDX-License-Identifier: Apache-2.0 */
/* Neighbours: packets that wait for them, answers for the router's addresses. */
#include "switch/test_rig.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define STATION5 "203.0.113.5"
#define STATION5_6 "2001:db8:2::5"
#define ROUTER_BLUE "198.51.100.254"
#define ROUTER_GREEN "203.0.113.254"
#define ROUTER_GREEN_6 "2001:db8:2::ff"

/* From station 1 to one of green, numbered by its port. */
static void send_routed(struct rig *r, const char *to, uint16_t number)
{
	bool v6 = strchr(to, ':');

	rig_send_ip(
		r, 1,
		&(struct rig_ip){ .from = v6 ? "2001:db8:1::1" : "198.51.100.1",
				  .to = to,
				  .dport = number,
				  .len = 20 });
}

static void station5_answers(struct rig *r)
{
	rig_send_arp(r, 5,
		     &(struct rig_arp){ .spa = STATION5,
					.tpa = ROUTER_GREEN,
					.reply = true });
}

static void is_routed(const struct seen *s, uint16_t number)
{
	assert_memory_equal(s->b, rig_mac(5).b, 6);
	assert_memory_equal(s->b + 6, rig_router_mac().b, 6);
	assert_int_equal(s->b[14 + 8], 63); /* the time to live went down */
	assert_int_equal(seen_16(s, 14 + 22), number);
}

static void packets_wait_for_the_neighbour_and_leave_in_order(void **state)
{
	struct rig *r = *state;

	for (uint16_t i = 1; i <= 3; i++)
		send_routed(r, STATION5, i);
	seen_is_arp_request(rig_must_take(r, 5), STATION5, 0);
	seen_is_arp_request(rig_must_take(r, 6), STATION5, 0);
	rig_must_be_quiet(r, 5); /* one question is enough */
	station5_answers(r);
	for (uint16_t i = 1; i <= 3; i++)
		is_routed(rig_must_take(r, 5), i);
	rig_must_be_quiet(r, 5);
	rig_must_be_quiet(r, 6);
	send_routed(r, STATION5, 4);
	is_routed(rig_must_take(r, 5), 4);
	assert_int_equal(rig_stats(r).punts[PUNT_NEIGH_MISS], 3);
}

static void no_more_than_a_few_packets_wait_for_one_neighbour(void **state)
{
	struct rig *r = *state;
	unsigned n;

	for (uint16_t i = 1; i <= 3 * NEIGH_WAIT_ENTRY; i++)
		send_routed(r, STATION5, i);
	rig_drain(r, 0);
	station5_answers(r);
	n = rig_drain(r, 5);
	assert_int_equal(n, NEIGH_WAIT_ENTRY);
	assert_int_equal(rig_drain(r, 0), 0);
}

static void an_unanswered_question_is_asked_thrice_and_reported(void **state)
{
	struct rig *r = *state;
	uint32_t at;

	send_routed(r, STATION5, 1);
	rig_pass_ms(r, NEIGH_SOLICITS_MAX * NEIGH_RETRANS_MS - 1);
	assert_int_equal(rig_drain(r, 6), NEIGH_SOLICITS_MAX);
	rig_must_be_quiet(r, 1);
	rig_pass_ms(r, 2);
	/* The station itself has to be found first: it was never heard. */
	seen_is_arp_request(rig_must_take(r, 1), "198.51.100.1", 0);
	rig_send_arp(r, 1,
		     &(struct rig_arp){ .spa = "198.51.100.1",
					.tpa = ROUTER_BLUE,
					.reply = true });
	at = seen_is_icmp(rig_must_take(r, 1), 3, 1);
	assert_int_equal(at, 34);
	assert_int_equal(rig_stats(r).icmp_errors, 1);
}

static void a_neighbour_that_is_found_by_nd_gets_its_packets(void **state)
{
	struct rig *r = *state;
	const struct seen *s;
	uint32_t at;

	send_routed(r, STATION5_6, 7);
	s = rig_must_take(r, 5);
	at = seen_is_icmp(s, 135, 0);
	assert_memory_equal(s->b + at + 8, rig_addr(STATION5_6).a.b, 16);
	assert_int_equal(s->b[14 + 7], 255);
	rig_send_na(r, 5, STATION5_6, ROUTER_GREEN_6);
	s = rig_must_take(r, 5);
	assert_memory_equal(s->b, rig_mac(5).b, 6);
	assert_int_equal(s->b[14 + 7], 63);
	assert_int_equal(seen_16(s, 14 + 42), 7);
}

static void a_stale_neighbour_is_probed_and_then_forgotten(void **state)
{
	struct rig *r = *state;
	unsigned probes = 0;
	const struct seen *s;

	station5_answers(r); /* nobody asked: heard only */
	send_routed(r, STATION5, 1);
	seen_is_arp_request(rig_must_take(r, 5), STATION5, 0);
	station5_answers(r);
	is_routed(rig_must_take(r, 5), 1);
	rig_drain(r, 0);
	rig_pass_ms(r, NEIGH_REACHABLE_MS * 3 / 2 + 1);
	assert_int_equal(rig_drain(r, 0), 0); /* stale costs nothing */
	send_routed(r, STATION5, 2);
	is_routed(rig_must_take(r, 5), 2);
	rig_pass_ms(r, NEIGH_DELAY_MS + 2 * NEIGH_RETRANS_MS + 500);
	while ((s = rig_take(r, 5))) {
		seen_is_arp_request(s, STATION5, 5); /* to it alone */
		probes++;
	}
	assert_int_equal(probes, NEIGH_SOLICITS_MAX);
	rig_must_be_quiet(r, 6);
	rig_pass_ms(r, NEIGH_RETRANS_MS);
	send_routed(r, STATION5, 3);
	rig_pass_ms(r, 2 * NEIGH_FAILED_MS);
	assert_int_equal(rig_stats(r).icmp_errors, 1);
}

static void a_probed_neighbour_that_answers_stays(void **state)
{
	struct rig *r = *state;

	send_routed(r, STATION5, 1);
	station5_answers(r);
	rig_pass_ms(r, NEIGH_REACHABLE_MS * 3 / 2 + 1);
	rig_drain(r, 0);
	send_routed(r, STATION5, 2);
	is_routed(rig_must_take(r, 5), 2);
	rig_pass_ms(r, NEIGH_DELAY_MS + 1);
	seen_is_arp_request(rig_must_take(r, 5), STATION5, 5);
	station5_answers(r);
	rig_pass_ms(r, NEIGH_REACHABLE_MS / 2 - 1);
	rig_must_be_quiet(r, 5);
	send_routed(r, STATION5, 3);
	is_routed(rig_must_take(r, 5), 3);
}

static void arp_for_the_routers_address_is_answered(void **state)
{
	struct rig *r = *state;
	const struct seen *s;

	rig_send_arp(
		r, 2,
		&(struct rig_arp){ .spa = "198.51.100.2", .tpa = ROUTER_BLUE });
	s = rig_must_take(r, 2);
	assert_memory_equal(s->b, rig_mac(2).b, 6);
	assert_int_equal(seen_16(s, 20), 2);
	assert_memory_equal(s->b + 22, rig_router_mac().b, 6);
	rig_must_be_quiet(r, 2);
	rig_must_be_quiet(r, 1); /* nobody else hears of it */
	assert_int_equal(rig_stats(r).arp_answered, 1);
}

static void arp_for_another_station_is_flooded_unanswered(void **state)
{
	struct rig *r = *state;

	rig_send_arp(r, 2,
		     &(struct rig_arp){ .spa = "198.51.100.2",
					.tpa = "198.51.100.3" });
	rig_must_be_quiet(r, 2);
	assert_int_equal(rig_drain(r, 1), 1);
	assert_int_equal(rig_drain(r, 3), 1);
	assert_int_equal(rig_drain(r, 4), 1);
	assert_int_equal(rig_drain(r, 0), 0);
	assert_int_equal(rig_stats(r).arp_answered, 0);
}

static void a_solicitation_of_the_routers_address_is_answered(void **state)
{
	struct rig *r = *state;
	const struct seen *s;
	uint32_t at;

	rig_send_ns(r, 5, STATION5_6, ROUTER_GREEN_6);
	s = rig_must_take(r, 5);
	at = seen_is_icmp(s, 136, 0);
	assert_int_equal(s->b[at + 4], 0xe0); /* router, solicited, override */
	assert_memory_equal(s->b + at + 8, rig_addr(ROUTER_GREEN_6).a.b, 16);
	assert_memory_equal(s->b + at + 26, rig_router_mac().b, 6);
	assert_int_equal(rig_stats(r).nd_answered, 1);
	rig_must_be_quiet(r, 6);
}

static void a_claim_of_the_routers_address_is_told_not_believed(void **state)
{
	struct rig *r = *state;

	rig_send_arp(
		r, 3,
		&(struct rig_arp){ .spa = ROUTER_BLUE, .tpa = ROUTER_BLUE });
	assert_int_equal(r->heard.conflicts, 1);
	assert_memory_equal(r->heard.mac.b, rig_mac(3).b, 6);
	rig_drain(r, 0);
	rig_send_arp(
		r, 2,
		&(struct rig_arp){ .spa = "198.51.100.2", .tpa = ROUTER_BLUE });
	assert_memory_equal(rig_must_take(r, 2)->b + 22, rig_router_mac().b, 6);
}

static void suppression_answers_for_a_known_station(void **state)
{
	struct rig *r = *state;
	struct desired_neigh n = { rig_addr("198.51.100.3"), rig_mac(3) };

	r->house.domains[RIG_BLUE].suppress_arp = true;
	r->house.domains[RIG_BLUE].neighs = &n;
	r->house.domains[RIG_BLUE].n_neighs = 1;
	rig_apply(r);
	rig_send_arp(r, 2,
		     &(struct rig_arp){ .spa = "198.51.100.2",
					.tpa = "198.51.100.3" });
	assert_memory_equal(rig_must_take(r, 2)->b + 22, rig_mac(3).b, 6);
	assert_int_equal(rig_drain(r, 0), 0);
	/* Taken out of the configuration, it is unknown again. */
	r->house.domains[RIG_BLUE].n_neighs = 0;
	rig_apply(r);
	rig_send_arp(r, 2,
		     &(struct rig_arp){ .spa = "198.51.100.2",
					.tpa = "198.51.100.3" });
	rig_must_be_quiet(r, 2);
	assert_int_equal(rig_drain(r, 3), 1);
}

static void a_network_whose_router_left_is_left_alone(void **state)
{
	struct rig *r = *state;

	r->house.d.n_routers = 0;
	rig_apply(r);
	rig_send_arp(
		r, 2,
		&(struct rig_arp){ .spa = "198.51.100.2", .tpa = ROUTER_BLUE });
	rig_must_be_quiet(r, 2);
	/* Its address may be another's now. */
	rig_send_arp(
		r, 3,
		&(struct rig_arp){ .spa = ROUTER_BLUE, .tpa = ROUTER_BLUE });
	assert_int_equal(r->heard.conflicts, 0);
	assert_int_equal(rig_stats(r).punts[PUNT_ARP], 0);
}

static void suppression_goes_on_where_the_router_left(void **state)
{
	struct rig *r = *state;

	r->house.domains[RIG_BLUE].suppress_arp = true;
	rig_apply(r);
	r->house.d.n_routers = 0;
	rig_apply(r);
	/* The router's address is a station's now, and answered for as one. */
	rig_send_arp(
		r, 3,
		&(struct rig_arp){ .spa = ROUTER_BLUE, .tpa = ROUTER_BLUE });
	assert_int_equal(r->heard.conflicts, 0);
	rig_drain(r, 0);
	rig_send_arp(
		r, 2,
		&(struct rig_arp){ .spa = "198.51.100.2", .tpa = ROUTER_BLUE });
	assert_memory_equal(rig_must_take(r, 2)->b + 22, rig_mac(3).b, 6);
	assert_int_equal(rig_drain(r, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(packets_wait_for_the_neighbour_and_leave_in_order),
		RIG_TEST(no_more_than_a_few_packets_wait_for_one_neighbour),
		RIG_TEST(an_unanswered_question_is_asked_thrice_and_reported),
		RIG_TEST(a_neighbour_that_is_found_by_nd_gets_its_packets),
		RIG_TEST(a_stale_neighbour_is_probed_and_then_forgotten),
		RIG_TEST(a_probed_neighbour_that_answers_stays),
		RIG_TEST(arp_for_the_routers_address_is_answered),
		RIG_TEST(arp_for_another_station_is_flooded_unanswered),
		RIG_TEST(a_solicitation_of_the_routers_address_is_answered),
		RIG_TEST(a_claim_of_the_routers_address_is_told_not_believed),
		RIG_TEST(suppression_answers_for_a_known_station),
		RIG_TEST(a_network_whose_router_left_is_left_alone),
		RIG_TEST(suppression_goes_on_where_the_router_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
