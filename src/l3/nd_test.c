/* SPDX-License-Identifier: Apache-2.0 */
#include "l3/nd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "l3/wire.h"

static struct stamps stamps;
static struct env_test env;
static const struct eth_addr router = { { 2, 0, 0, 0, 0, 0xfe } };
static const struct eth_addr host = { { 2, 0, 0, 0, 0, 2 } };
static const struct eth_addr other = { { 2, 0, 0, 0, 0, 3 } };

static struct ip6_addr ip6(const char *text)
{
	struct ip_addr a;

	assert_int_equal(ip_addr_parse(text, &a), 0);
	return a.a;
}

static struct ip_prefix own_prefix(void)
{
	return (struct ip_prefix){ ip_addr_from_ip6(ip6("2001:db8::1")), 64 };
}

static struct nd_ctx ctx(const struct ip_prefix *own)
{
	return (struct nd_ctx){
		.own = own, .n_own = own ? 1 : 0, .mac = router, .in_port = 5
	};
}

static enum drop decode(const uint8_t frame[ND_FRAME_LEN], struct nd_msg *m)
{
	return nd_decode(frame + ETH_HEADER_LEN, ND_FRAME_LEN - ETH_HEADER_LEN,
			 true, m);
}

/* The host asks for `target`. */
static struct nd_msg solicitation(const char *src, const char *target)
{
	uint8_t frame[ND_FRAME_LEN];
	struct nd_msg m;

	nd_solicit(host, ip6(src), ip6(target), NULL, frame);
	assert_int_equal(decode(frame, &m), DROP_NONE);
	return m;
}

static struct nd_msg dad(const char *target)
{
	return (struct nd_msg){
		.type = ND_NS,
		.dst = ip6_addr_solicited_node(ip6(target)),
		.target = ip6(target),
	};
}

static struct neigh_table *knows_other(void)
{
	struct neigh_config c = { .env = &env.env };
	struct ip_addr a = ip_addr_from_ip6(ip6("2001:db8::3"));
	struct neigh_table *t;

	env_test_init(&env, 1);
	t = neigh_create(&c, &stamps);
	assert_int_equal(neigh_put_static(t, &a, other), 0);
	return t;
}

static void a_solicitation_is_read_as_it_was_written(void **state UNUSED)
{
	uint8_t frame[ND_FRAME_LEN];
	struct nd_msg m;

	nd_solicit(host, ip6("2001:db8::2"), ip6("2001:db8::1"), NULL, frame);
	assert_memory_equal(frame, "\x33\x33\xff\x00\x00\x01", 6);
	assert_int_equal(decode(frame, &m), DROP_NONE);
	assert_int_equal(m.type, ND_NS);
	assert_true(m.has_source && eth_addr_equal(m.source, host));
	assert_true(ip6_addr_equal(m.target, ip6("2001:db8::1")));
	nd_solicit(host, ip6("2001:db8::2"), ip6("2001:db8::1"), &router,
		   frame);
	assert_memory_equal(frame, router.b, 6);
	assert_int_equal(decode(frame, &m), DROP_NONE);
	assert_true(ip6_addr_equal(m.dst, ip6("2001:db8::1")));
}

static void a_question_for_the_router_is_answered(void **state UNUSED)
{
	struct ip_prefix own = own_prefix();
	struct nd_ctx c = ctx(&own);
	struct nd_msg m = solicitation("2001:db8::2", "2001:db8::1"), answer;
	struct nd_decision d = nd_decide(&m, &c, NULL);
	uint8_t frame[ND_FRAME_LEN];

	assert_true(d.answer && d.learn && d.news.create);
	assert_int_equal(d.news.kind, NEIGH_ASKS);
	nd_answer(&m, &d, host, frame);
	assert_memory_equal(frame, host.b, 6);
	assert_memory_equal(frame + 6, router.b, 6);
	assert_int_equal(decode(frame, &answer), DROP_NONE);
	assert_int_equal(answer.type, ND_NA);
	assert_true(answer.na_router && answer.na_solicited &&
		    answer.na_override);
	assert_true(answer.has_target &&
		    eth_addr_equal(answer.target_mac, router));
	assert_true(ip6_addr_equal(answer.dst, ip6("2001:db8::2")));
}

static void
duplicate_detection_of_our_address_is_answered_to_all(void **state UNUSED)
{
	struct ip_prefix own = own_prefix();
	struct nd_ctx c = ctx(&own);
	struct nd_msg m = dad("2001:db8::1"), answer;
	struct nd_decision d = nd_decide(&m, &c, NULL);
	uint8_t frame[ND_FRAME_LEN];

	assert_true(d.answer && d.conflict);
	assert_false(d.learn);
	nd_answer(&m, &d, host, frame);
	assert_memory_equal(frame, "\x33\x33\x00\x00\x00\x01", 6);
	assert_int_equal(decode(frame, &answer), DROP_NONE);
	assert_false(answer.na_solicited);
}

static void
a_known_neighbour_is_answered_for_without_override(void **state UNUSED)
{
	struct neigh_table *t = knows_other();
	struct nd_ctx c = ctx(NULL);
	struct nd_msg m = solicitation("2001:db8::2", "2001:db8::3");
	struct nd_msg test = dad("2001:db8::3");
	struct nd_decision d;

	assert_false(nd_decide(&m, &c, t).answer);
	c.for_others = true;
	d = nd_decide(&m, &c, t);
	assert_true(d.answer && !d.answer_override && !d.answer_router);
	assert_true(eth_addr_equal(d.answer_mac, other));
	assert_false(nd_decide(&test, &c, t).answer);
	c.from_peer = true;
	assert_false(nd_decide(&m, &c, t).answer);
	neigh_destroy(t, NULL);
}

static struct nd_msg advertisement(const char *dst, bool solicited)
{
	return (struct nd_msg){
		.type = ND_NA,
		.src = ip6("2001:db8::2"),
		.dst = ip6(dst),
		.target = ip6("2001:db8::2"),
		.na_solicited = solicited,
		.na_override = true,
		.has_target = true,
		.target_mac = host,
	};
}

static void only_a_solicited_answer_to_us_counts_as_one(void **state UNUSED)
{
	struct ip_prefix own = own_prefix();
	struct nd_ctx c = ctx(&own);
	struct nd_msg m = advertisement("2001:db8::1", true);

	assert_int_equal(nd_decide(&m, &c, NULL).news.kind, NEIGH_ANSWERS);
	m = advertisement("2001:db8::1", false);
	assert_int_equal(nd_decide(&m, &c, NULL).news.kind, NEIGH_CLAIMS);
	m = advertisement("2001:db8::9", true);
	assert_int_equal(nd_decide(&m, &c, NULL).news.kind, NEIGH_CLAIMS);
	m.has_target = false;
	assert_false(nd_decide(&m, &c, NULL).news.has_mac);
}

static void a_claim_to_the_routers_address_is_a_conflict(void **state UNUSED)
{
	struct ip_prefix own = own_prefix();
	struct nd_ctx c = ctx(&own);
	struct nd_msg m = advertisement("ff02::1", false);

	m.target = ip6("2001:db8::1");
	assert_true(nd_decide(&m, &c, NULL).conflict);
	assert_false(nd_decide(&m, &c, NULL).learn);
	m.target_mac = router; /* the router on another host */
	assert_false(nd_decide(&m, &c, NULL).conflict);
}

static void a_router_solicitation_is_for_the_ra_machine(void **state UNUSED)
{
	struct ip_prefix own = own_prefix();
	struct nd_ctx c = ctx(&own);
	struct nd_msg m = { .type = ND_RS };

	assert_true(nd_decide(&m, &c, NULL).solicits_ra);
	assert_false(nd_decide(&m, &c, NULL).learn);
}

/* Spoils byte `at` of a right solicitation and mends its checksum. */
static enum drop spoiled(unsigned at, uint8_t value)
{
	uint8_t frame[ND_FRAME_LEN], *p = frame + ETH_HEADER_LEN;
	struct nd_msg m;
	struct ip6_addr src, dst;

	nd_solicit(host, ip6("2001:db8::2"), ip6("2001:db8::1"), NULL, frame);
	p[at] = value;
	memcpy(src.b, p + 8, 16);
	memcpy(dst.b, p + 24, 16);
	wire_icmp6_csum(p + 40, 32, src, dst);
	return decode(frame, &m);
}

static void what_breaks_the_rules_is_dropped(void **state UNUSED)
{
	uint8_t frame[ND_FRAME_LEN];
	struct nd_msg m;

	assert_int_equal(spoiled(7, 254), DROP_MALFORMED);   /* hop limit */
	assert_int_equal(spoiled(8, 0xff), DROP_MALFORMED);  /* from a group */
	assert_int_equal(spoiled(41, 1), DROP_MALFORMED);    /* code */
	assert_int_equal(spoiled(48, 0xff), DROP_MALFORMED); /* target */
	assert_int_equal(spoiled(65, 0), DROP_MALFORMED);    /* option of 0 */
	assert_int_equal(spoiled(65, 2), DROP_MALFORMED);    /* too long */
	assert_int_equal(spoiled(66, 0x03), DROP_MALFORMED); /* a group's MAC */
	assert_int_equal(spoiled(40, 128), DROP_UNSUPPORTED);
	assert_int_equal(spoiled(6, 17), DROP_UNSUPPORTED);
	nd_solicit(host, ip6("2001:db8::2"), ip6("2001:db8::1"), NULL, frame);
	frame[85] ^= 1;
	assert_int_equal(decode(frame, &m), DROP_IP_CSUM);
	assert_int_equal(nd_decode(frame + ETH_HEADER_LEN, 72, false, &m),
			 DROP_NONE);
	for (uint32_t len = 0; len < 72; len++)
		assert_int_not_equal(
			nd_decode(frame + ETH_HEADER_LEN, len, false, &m),
			DROP_NONE);
}

static void duplicate_detection_names_no_sender(void **state UNUSED)
{
	uint8_t frame[ND_FRAME_LEN];
	struct nd_msg m;

	/* From :: with a source address option: against 7.1.1. */
	nd_solicit(host, ip6("::"), ip6("2001:db8::1"), NULL, frame);
	assert_int_equal(decode(frame, &m), DROP_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_solicitation_is_read_as_it_was_written),
		cmocka_unit_test(a_question_for_the_router_is_answered),
		cmocka_unit_test(
			duplicate_detection_of_our_address_is_answered_to_all),
		cmocka_unit_test(
			a_known_neighbour_is_answered_for_without_override),
		cmocka_unit_test(only_a_solicited_answer_to_us_counts_as_one),
		cmocka_unit_test(a_claim_to_the_routers_address_is_a_conflict),
		cmocka_unit_test(a_router_solicitation_is_for_the_ra_machine),
		cmocka_unit_test(what_breaks_the_rules_is_dropped),
		cmocka_unit_test(duplicate_detection_names_no_sender),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
