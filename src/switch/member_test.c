/* SPDX-License-Identifier: Apache-2.0 */
/* Membership: reports to routers and peers, groups to their members, queriers that
 * come and go. */
#include "switch/test_rig.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define GROUP "233.252.0.1"
#define OTHER_GROUP "233.252.0.2"
#define GROUP_6 "ff3e::8000:1"
#define ALL_HOSTS "224.0.0.1"
#define ALL_NODES "ff02::1"

#define QUERIER 1u /* port behind which the multicast router is */
#define MEMBER 2u
#define SOURCE 3u
#define STRANGER 4u

static void send_igmp(struct rig *r, uint32_t port, uint8_t type,
		      const char *group, const char *to)
{
	struct ip_addr g = rig_addr(group);
	uint8_t igmp[8] = { type, type == 0x11 ? 100 : 0 };

	memcpy(igmp + 4, g.a.b + 12, 4);
	rig_send_ip(r, port,
		    &(struct rig_ip){ .from = "198.51.100.9",
				      .to = to,
				      .to_group = true,
				      .router_alert = true,
				      .ttl = 1,
				      .proto = 2,
				      .payload = igmp,
				      .len = sizeof(igmp) });
}

static void send_query(struct rig *r)
{
	send_igmp(r, QUERIER, 0x11, "0.0.0.0", ALL_HOSTS);
}

static void send_report(struct rig *r, uint32_t port, const char *group)
{
	send_igmp(r, port, 0x16, group, group);
}

static void send_mld(struct rig *r, uint32_t port, uint8_t type,
		     const char *group)
{
	struct ip_addr g = rig_addr(type == 130 ? "::" : group);
	uint8_t mld[24] = { type };

	memcpy(mld + 8, g.a.b, 16);
	mld[4] = type == 130 ? 10000 >> 8 : 0;
	rig_send_ip(r, port,
		    &(struct rig_ip){ .from = "fe80::9",
				      .to = type == 130 ? ALL_NODES : group,
				      .to_group = true,
				      .router_alert = true,
				      .ttl = 1,
				      .proto = 58,
				      .payload = mld,
				      .len = sizeof(mld) });
}

static void send_data(struct rig *r, const char *group)
{
	rig_send_ip(r, SOURCE,
		    &(struct rig_ip){ .from = strchr(group, ':') ?
						      "2001:db8:1::3" :
						      "198.51.100.3",
				      .to = group,
				      .to_group = true,
				      .len = 100 });
}

/* Which local ports a packet to the group leaves by, as bits. */
static unsigned data_ports(struct rig *r, const char *group)
{
	unsigned ports = 0;

	rig_drain(r, 0);
	send_data(r, group);
	for (uint32_t i = 1; i <= RIG_BLUE_PORTS; i++)
		if (rig_take(r, i)) {
			ports |= 1u << i;
			rig_must_be_quiet(r, i);
		}
	return ports;
}

#define BIT(port) (1u << (port))
#define FLOOD (BIT(QUERIER) | BIT(MEMBER) | BIT(STRANGER))

/* Snooping, with a querier that has been there long enough. */
static void snoop(struct rig *r)
{
	r->house.domains[RIG_BLUE].snooping = true;
	rig_apply_overlay(r);
	send_query(r);
	send_mld(r, QUERIER, 130, NULL);
	rig_pass_ms(r, MCAST_SETTLE_MS);
	rig_drain(r, 0);
}

static void groups_are_flooded_while_nobody_asks_for_members(void **state)
{
	struct rig *r = *state;

	r->house.domains[RIG_BLUE].snooping = true;
	rig_apply(r);
	send_report(r, MEMBER, GROUP);
	assert_int_equal(data_ports(r, GROUP), FLOOD);
	send_query(r);
	rig_pass_ms(r, MCAST_SETTLE_MS - 1);
	assert_int_equal(data_ports(r, GROUP), FLOOD);
	rig_pass_ms(r, 2);
	assert_int_equal(data_ports(r, GROUP), BIT(QUERIER) | BIT(MEMBER));
}

static void a_query_goes_to_everybody(void **state)
{
	struct rig *r = *state;

	snoop(r);
	send_query(r);
	assert_int_equal(rig_drain(r, MEMBER), 1);
	assert_int_equal(rig_drain(r, STRANGER), 1);
	assert_int_equal(rig_drain(r, RIG_TUNNEL), RIG_N_PEERS);
	assert_int_equal(rig_drain(r, QUERIER), 0);
}

static void a_report_goes_to_the_router_and_to_each_peer(void **state)
{
	struct rig *r = *state;
	unsigned told = 0;
	const struct seen *s;

	snoop(r);
	send_report(r, MEMBER, GROUP);
	assert_int_equal(rig_drain(r, QUERIER), 1);
	rig_must_be_quiet(r, SOURCE);
	rig_must_be_quiet(r, STRANGER);
	while ((s = rig_take(r, RIG_TUNNEL))) {
		assert_true(s->has_tunnel);
		assert_int_equal(s->tun.id, RIG_VNI);
		for (unsigned i = 0; i < RIG_N_PEERS; i++)
			if (ip_addr_equal(&s->tun.dst,
					  &r->house.peers[i].address))
				told |= 1u << i;
	}
	assert_int_equal(told, 3);
	assert_int_equal(rig_stats(r).punts[PUNT_SNOOP], 3);
}

static void a_group_goes_to_its_members_and_the_router(void **state)
{
	struct rig *r = *state;

	snoop(r);
	send_report(r, MEMBER, GROUP);
	send_mld(r, MEMBER, 131, GROUP_6);
	assert_int_equal(data_ports(r, GROUP), BIT(QUERIER) | BIT(MEMBER));
	assert_int_equal(data_ports(r, OTHER_GROUP), BIT(QUERIER));
	assert_int_equal(data_ports(r, GROUP_6), BIT(QUERIER) | BIT(MEMBER));
	assert_int_equal(data_ports(r, "224.0.0.251"), FLOOD);
	assert_int_equal(data_ports(r, "ff02::fb"), FLOOD);
}

static void only_the_peer_that_asked_gets_the_group(void **state)
{
	struct rig *r = *state;
	const struct seen *s;
	uint32_t len;

	snoop(r);
	/* The report as the other host's weft would send it. */
	send_report(r, MEMBER, GROUP);
	rig_drain(r, 0);
	send_report(r, MEMBER, OTHER_GROUP);
	s = rig_must_take(r, RIG_TUNNEL);
	len = s->len;
	memcpy(r->frame, s->b, len);
	r->frame[11] = 99; /* another station's */
	rig_drain(r, 0);
	rig_send_tunnel(r, RIG_PEER_B, r->frame, len);
	assert_int_equal(rig_drain(r, RIG_TUNNEL), 0); /* told on to no peer */
	assert_int_equal(rig_drain(r, QUERIER), 1);
	data_ports(r, GROUP);
	rig_must_be_quiet(r, RIG_TUNNEL);
	data_ports(r, OTHER_GROUP);
	s = rig_must_take(r, RIG_TUNNEL);
	assert_true(ip_addr_equal(&s->tun.dst, &r->house.peers[1].address));
	rig_must_be_quiet(r, RIG_TUNNEL);
}

static void a_member_that_is_silent_is_forgotten(void **state)
{
	struct rig *r = *state;

	snoop(r);
	send_report(r, MEMBER, GROUP);
	send_report(r, STRANGER, GROUP);
	for (uint64_t ms = 0; ms < MCAST_MEMBER_MS; ms += MCAST_QUERY_MS / 2) {
		send_query(r);
		send_report(r, STRANGER, GROUP);
		rig_pass_ms(r, MCAST_QUERY_MS / 2);
	}
	assert_int_equal(data_ports(r, GROUP), BIT(QUERIER) | BIT(STRANGER));
}

static void a_member_that_leaves_is_forgotten_soon(void **state)
{
	struct rig *r = *state;

	snoop(r);
	send_report(r, MEMBER, GROUP);
	send_report(r, STRANGER, GROUP);
	send_igmp(r, MEMBER, 0x17, GROUP, "224.0.0.2");
	send_igmp(r, STRANGER, 0x17, GROUP, "224.0.0.2");
	assert_int_equal(data_ports(r, GROUP), FLOOD);
	/* The querier asks who else is there, and one behind the same port
	 * says so. */
	send_igmp(r, QUERIER, 0x11, GROUP, GROUP);
	send_report(r, STRANGER, GROUP);
	rig_pass_ms(r, (MCAST_ROBUSTNESS + 1) * MCAST_LAST_MEMBER_MS);
	assert_int_equal(data_ports(r, GROUP), BIT(QUERIER) | BIT(STRANGER));
}

static void without_a_querier_groups_are_flooded_again(void **state)
{
	struct rig *r = *state;

	snoop(r);
	assert_int_equal(data_ports(r, GROUP), BIT(QUERIER));
	rig_pass_ms(r, MCAST_OTHER_QUERIER_MS);
	assert_int_equal(data_ports(r, GROUP), FLOOD);
}

static void a_port_that_is_gone_is_no_member(void **state)
{
	struct rig *r = *state;

	snoop(r);
	send_report(r, MEMBER, GROUP);
	switch_port_del(r->sw, r->port[MEMBER]);
	assert_int_equal(switch_port_add(r->sw, r->port[MEMBER]), 0);
	assert_int_equal(data_ports(r, GROUP), BIT(QUERIER));
}

static void what_was_learned_outlives_a_change(void **state)
{
	struct rig *r = *state;

	snoop(r);
	send_report(r, MEMBER, GROUP);
	r->house.domains[RIG_BLUE].mtu = 1400;
	rig_apply(r);
	assert_int_equal(data_ports(r, GROUP), BIT(QUERIER) | BIT(MEMBER));
	r->house.domains[RIG_BLUE].snooping = false;
	rig_apply(r);
	assert_int_equal(data_ports(r, GROUP), FLOOD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(groups_are_flooded_while_nobody_asks_for_members),
		RIG_TEST(a_query_goes_to_everybody),
		RIG_TEST(a_report_goes_to_the_router_and_to_each_peer),
		RIG_TEST(a_group_goes_to_its_members_and_the_router),
		RIG_TEST(only_the_peer_that_asked_gets_the_group),
		RIG_TEST(a_member_that_is_silent_is_forgotten),
		RIG_TEST(a_member_that_leaves_is_forgotten_soon),
		RIG_TEST(without_a_querier_groups_are_flooded_again),
		RIG_TEST(a_port_that_is_gone_is_no_member),
		RIG_TEST(what_was_learned_outlives_a_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
