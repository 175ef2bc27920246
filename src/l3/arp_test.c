/* SPDX-License-Identifier: Apache-2.0 */
#include "l3/arp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "packet/headers.h"

#define ROUTER_IP 0x0a000001u
#define HOST_IP 0x0a000002u
#define OTHER_IP 0x0a000003u

static struct stamps stamps;
static struct env_test env;
static const struct eth_addr router = { { 2, 0, 0, 0, 0, 0xfe } };
static const struct eth_addr host = { { 2, 0, 0, 0, 0, 2 } };
static const struct eth_addr other = { { 2, 0, 0, 0, 0, 3 } };

static struct neigh_table *knows_other(void)
{
	struct neigh_config c = { .env = &env.env };
	struct neigh_table *t;
	struct ip_addr a = ip_addr_from_ip4(OTHER_IP);

	env_test_init(&env, 1);
	t = neigh_create(&c, &stamps);
	assert_int_equal(neigh_put_static(t, &a, other), 0);
	return t;
}

static struct arp_ctx ctx(const struct ip_prefix *own)
{
	return (struct arp_ctx){
		.own = own, .n_own = own ? 1 : 0, .mac = router, .in_port = 5
	};
}

static struct ip_prefix own_prefix(void)
{
	return (struct ip_prefix){ ip_addr_from_ip4(ROUTER_IP), 24 };
}

static struct arp_msg request(uint32_t spa, uint32_t tpa)
{
	return (struct arp_msg){
		.op = ARP_REQUEST, .sha = host, .spa = spa, .tpa = tpa
	};
}

static void a_frame_is_read_as_it_was_written(void **state UNUSED)
{
	uint8_t frame[ARP_FRAME_LEN];
	struct arp_msg m;

	arp_request(router, ROUTER_IP, HOST_IP, NULL, frame);
	assert_memory_equal(frame, "\xff\xff\xff\xff\xff\xff", 6);
	assert_int_equal(arp_decode(frame + ETH_HEADER_LEN,
				    ARP_FRAME_LEN - ETH_HEADER_LEN, &m),
			 DROP_NONE);
	assert_int_equal(m.op, ARP_REQUEST);
	assert_int_equal(m.spa, ROUTER_IP);
	assert_int_equal(m.tpa, HOST_IP);
	assert_true(eth_addr_equal(m.sha, router));
	arp_answer(&m, host, frame);
	assert_memory_equal(frame, router.b, 6);
	assert_memory_equal(frame + 6, host.b, 6);
	assert_int_equal(arp_decode(frame + ETH_HEADER_LEN, ARP_ETH_LEN, &m),
			 DROP_NONE);
	assert_int_equal(m.op, ARP_REPLY);
	assert_int_equal(m.spa, HOST_IP);
	assert_int_equal(m.tpa, ROUTER_IP);
}

static void what_is_no_arp_of_ethernet_and_ip_is_refused(void **state UNUSED)
{
	uint8_t frame[ARP_FRAME_LEN], *arp = frame + ETH_HEADER_LEN;
	static const uint8_t spoil[] = { 1, 3, 4, 5, 7 };
	struct arp_msg m;

	arp_request(router, ROUTER_IP, HOST_IP, NULL, frame);
	for (uint32_t len = 0; len < ARP_ETH_LEN; len++)
		assert_int_equal(arp_decode(arp, len, &m), DROP_TRUNCATED);
	for (unsigned i = 0; i < sizeof(spoil); i++) {
		arp[spoil[i]] ^= 0x40;
		assert_int_equal(arp_decode(arp, ARP_ETH_LEN, &m),
				 DROP_MALFORMED);
		arp[spoil[i]] ^= 0x40;
	}
}

static void
a_question_for_the_router_is_answered_and_the_asker_learned(void **state UNUSED)
{
	struct ip_prefix own = own_prefix();
	struct arp_ctx c = ctx(&own);
	struct arp_msg m = request(HOST_IP, ROUTER_IP);
	struct arp_decision d = arp_decide(&m, &c, NULL);

	assert_true(d.answer);
	assert_true(eth_addr_equal(d.answer_mac, router));
	assert_true(d.learn && d.news.create);
	assert_int_equal(d.news.kind, NEIGH_ASKS);
	assert_int_equal(d.news.in_port, 5);
	assert_false(d.conflict);
}

static void a_probe_for_the_routers_address_is_answered_but_teaches_nothing(
	void **state UNUSED)
{
	struct ip_prefix own = own_prefix();
	struct arp_ctx c = ctx(&own);
	struct arp_msg m = request(0, ROUTER_IP);
	struct arp_decision d = arp_decide(&m, &c, NULL);

	assert_true(d.answer);
	assert_false(d.learn);
}

static void
a_known_neighbour_is_answered_for_only_where_that_is_asked(void **state UNUSED)
{
	struct neigh_table *t = knows_other();
	struct arp_ctx c = ctx(NULL);
	struct arp_msg m = request(HOST_IP, OTHER_IP);

	assert_false(arp_decide(&m, &c, t).answer);
	c.for_others = true;
	assert_true(arp_decide(&m, &c, t).answer);
	assert_true(eth_addr_equal(arp_decide(&m, &c, t).answer_mac, other));
	assert_true(arp_decide(&m, &c, t).news.create);
	c.from_peer = true;
	assert_false(arp_decide(&m, &c, t).answer);
	c.from_peer = false;
	m.tpa = HOST_IP + 100;
	assert_false(arp_decide(&m, &c, t).answer);
	neigh_destroy(t, NULL);
}

static void
what_tests_who_lives_is_never_answered_for_others(void **state UNUSED)
{
	struct neigh_table *t = knows_other();
	struct arp_ctx c = ctx(NULL);
	struct arp_msg probe = request(0, OTHER_IP);
	struct arp_msg gratuitous = request(OTHER_IP, OTHER_IP);
	struct arp_msg about_itself = request(HOST_IP, OTHER_IP);

	c.for_others = true;
	assert_false(arp_decide(&probe, &c, t).answer);
	assert_false(arp_decide(&gratuitous, &c, t).answer);
	assert_int_equal(arp_decide(&gratuitous, &c, t).news.kind,
			 NEIGH_CLAIMS);
	about_itself.sha = other;
	assert_false(arp_decide(&about_itself, &c, t).answer);
	neigh_destroy(t, NULL);
}

static void only_an_answer_to_the_router_counts_as_one(void **state UNUSED)
{
	struct ip_prefix own = own_prefix();
	struct arp_ctx c = ctx(&own);
	struct arp_msg m = { .op = ARP_REPLY,
			     .sha = host,
			     .spa = HOST_IP,
			     .tha = router,
			     .tpa = ROUTER_IP };

	assert_int_equal(arp_decide(&m, &c, NULL).news.kind, NEIGH_ANSWERS);
	assert_false(arp_decide(&m, &c, NULL).news.create);
	m.tha = other;
	assert_int_equal(arp_decide(&m, &c, NULL).news.kind, NEIGH_CLAIMS);
}

static void a_claim_to_the_routers_address_is_a_conflict(void **state UNUSED)
{
	struct ip_prefix own = own_prefix();
	struct arp_ctx c = ctx(&own);
	struct arp_msg m = request(ROUTER_IP, ROUTER_IP);
	struct arp_decision d = arp_decide(&m, &c, NULL);

	assert_true(d.conflict);
	assert_false(d.learn || d.answer);
	m.sha = router; /* the router on another host */
	d = arp_decide(&m, &c, NULL);
	assert_false(d.conflict || d.learn || d.answer);
}

static void a_group_address_teaches_nothing(void **state UNUSED)
{
	struct ip_prefix own = own_prefix();
	struct arp_ctx c = ctx(&own);
	struct arp_msg m = request(HOST_IP, ROUTER_IP);
	struct arp_decision d;

	m.sha.b[0] |= 1;
	d = arp_decide(&m, &c, NULL);
	assert_false(d.learn || d.answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_is_read_as_it_was_written),
		cmocka_unit_test(what_is_no_arp_of_ethernet_and_ip_is_refused),
		cmocka_unit_test(
			a_question_for_the_router_is_answered_and_the_asker_learned),
		cmocka_unit_test(
			a_probe_for_the_routers_address_is_answered_but_teaches_nothing),
		cmocka_unit_test(
			a_known_neighbour_is_answered_for_only_where_that_is_asked),
		cmocka_unit_test(
			what_tests_who_lives_is_never_answered_for_others),
		cmocka_unit_test(only_an_answer_to_the_router_counts_as_one),
		cmocka_unit_test(a_claim_to_the_routers_address_is_a_conflict),
		cmocka_unit_test(a_group_address_teaches_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
