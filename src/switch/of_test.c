/* SPDX-License-Identifier: Apache-2.0 */
/* What controllers change on a bridge, and what its packets make of it. */
#include "switch/test_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/err.h"
#include "flow/match.h"
#include "ofwire/acts_text.h"
#include "port/port.h"
#include "switch/of.h"

/* What the watcher was told. */
struct told {
	unsigned removed, packets, ports;
	struct of_flow_removed fr;
	struct switch_packet_in pi;
	struct of_port port;
};
static struct told told;

static void on_removed(void *ctx UNUSED, const struct of_flow_removed *fr)
{
	told.removed++;
	told.fr = *fr;
}

static void on_packet(void *ctx UNUSED, const struct switch_packet_in *pi)
{
	told.packets++;
	told.pi = *pi;
}

static void on_port(void *ctx UNUSED, uint8_t reason UNUSED,
		    const struct of_port *p)
{
	told.ports++;
	told.port = *p;
}

static const struct switch_of_ops ops = {
	.flow_removed = on_removed,
	.packet_in = on_packet,
	.port_status = on_port,
};

static int setup(void **state)
{
	struct rig *r;
	int rc = rig_setup(state);

	if (rc)
		return rc;
	r = *state;
	memset(&told, 0, sizeof(told));
	r->house.bridges[RIG_BLUE].openflow = true;
	rig_apply(r);
	switch_of_watch(switch_of_find(r->sw, "b0"), &ops, r);
	rig_drain(r, 0);
	return 0;
}

static struct switch_of *of(struct rig *r)
{
	return switch_of_find(r->sw, "b0");
}

static struct of_flow_mod change(enum of_flow_command command,
				 const char *match, const char *acts)
{
	struct of_flow_mod fm = { .command = command,
				  .priority = 32768,
				  .buffer_id = OF_BUFFER_NONE,
				  .out_port = OF_PORT_NONE,
				  .out_group = OF_GROUP_ANY };
	struct err e = ERR_INIT;

	if (match_parse(match, &fm.match, &e) ||
	    of_acts_parse(acts, NULL, &fm.acts, &e))
		fail_msg("%s", e.text);
	return fm;
}

static enum of_error apply(struct rig *r, struct of_flow_mod fm)
{
	enum of_error e = switch_of_flow_mod(of(r), &fm);

	of_flow_mod_fini(&fm);
	return e;
}

static void rule(struct rig *r, const char *match, const char *acts)
{
	assert_int_equal(apply(r, change(OF_FLOW_ADD, match, acts)), OF_OK);
}

static struct of_counts counts(struct rig *r, const char *match)
{
	struct of_flow_query q = { .table = OF_TABLE_ALL,
				   .out_port = OF_PORT_NONE,
				   .out_group = OF_GROUP_ANY };
	struct of_counts c;
	struct err e = ERR_INIT;

	assert_int_equal(match_parse(match, &q.match, &e), 0);
	switch_of_aggregate(of(r), &q, &c);
	return c;
}

static void send(struct rig *r)
{
	rig_send_ip(r, 1,
		    &(struct rig_ip){ .from = "198.51.100.1",
				      .to = "198.51.100.2",
				      .to_station = 2 });
}

static void a_new_bridge_is_normal(void **state)
{
	struct rig *r = *state;

	assert_int_equal(counts(r, "").flows, 1);
	send(r);
	rig_must_take(r, 2);
	rig_must_take(r, 3);
}

static void a_rule_sends_where_it_says(void **state)
{
	struct rig *r = *state;

	rule(r, "in_port=1", "output:4");
	send(r);
	rig_must_be_quiet(r, 2);
	rig_must_take(r, 4);
	rule(r, "in_port=1", "output:3");
	send(r);
	rig_must_be_quiet(r, 4);
	rig_must_take(r, 3);
}

static void what_passed_is_counted(void **state)
{
	struct rig *r = *state;

	rule(r, "in_port=1", "output:4");
	for (unsigned i = 0; i < 5; i++)
		send(r);
	rig_pass_ms(r, 2000);
	assert_int_equal(counts(r, "in_port=1").packets, 5);
	rule(r, "in_port=1", "output:3");
	assert_int_equal(counts(r, "in_port=1").packets, 5);
}

static void counts_are_reset_when_asked(void **state)
{
	struct rig *r = *state;
	struct of_flow_mod fm = change(OF_FLOW_ADD, "in_port=1", "output:3");

	rule(r, "in_port=1", "output:4");
	send(r);
	rig_pass_ms(r, 2000);
	fm.flags = OF_FLOW_RESET_COUNTS;
	assert_int_equal(apply(r, fm), OF_OK);
	assert_int_equal(counts(r, "in_port=1").packets, 0);
}

static void deleting_takes_what_it_covers(void **state)
{
	struct rig *r = *state;

	rule(r, "in_port=1,tcp,tp_dst=80", "drop");
	rule(r, "in_port=1,tcp", "drop");
	rule(r, "udp", "drop");
	assert_int_equal(apply(r, change(OF_FLOW_DELETE_STRICT, "tcp", "")),
			 OF_OK);
	assert_int_equal(counts(r, "").flows, 4);
	assert_int_equal(apply(r, change(OF_FLOW_DELETE, "tcp", "")), OF_OK);
	assert_int_equal(counts(r, "").flows, 2);
	assert_int_equal(apply(r, change(OF_FLOW_DELETE_STRICT, "udp", "")),
			 OF_OK);
	assert_int_equal(counts(r, "").flows, 1);
}

static void deleting_minds_cookie_and_port(void **state)
{
	struct rig *r = *state;
	struct of_flow_mod fm = change(OF_FLOW_ADD, "udp", "output:2");

	fm.new_cookie = 0x1234;
	assert_int_equal(apply(r, fm), OF_OK);
	rule(r, "tcp", "output:3");
	fm = change(OF_FLOW_DELETE, "", "");
	fm.cookie = 0x1200;
	fm.cookie_mask = 0xff00;
	fm.out_port = 3;
	assert_int_equal(apply(r, fm), OF_OK);
	assert_int_equal(counts(r, "").flows, 3);
	fm = change(OF_FLOW_DELETE, "", "");
	fm.cookie = 0x1200;
	fm.cookie_mask = 0xff00;
	assert_int_equal(apply(r, fm), OF_OK);
	assert_int_equal(counts(r, "").flows, 2);
	fm = change(OF_FLOW_DELETE, "", "");
	fm.out_port = 3;
	assert_int_equal(apply(r, fm), OF_OK);
	assert_int_equal(counts(r, "").flows, 1);
}

static void modifying_keeps_the_rest(void **state)
{
	struct rig *r = *state;
	struct of_flow_mod fm;

	rule(r, "in_port=1", "output:4");
	send(r);
	rig_pass_ms(r, 2000);
	fm = change(OF_FLOW_MODIFY, "", "output:2");
	fm.new_cookie = OF_COOKIE_KEEP;
	assert_int_equal(apply(r, fm), OF_OK);
	assert_int_equal(counts(r, "in_port=1").packets, 1);
	assert_int_equal(counts(r, "").flows, 2);
	rig_drain(r, 0);
	send(r);
	rig_must_take(r, 2);
	assert_int_equal(apply(r, change(OF_FLOW_MODIFY, "udp", "output:2")),
			 OF_OK);
	assert_int_equal(counts(r, "").flows, 3);
}

static void overlap_is_refused_when_asked(void **state)
{
	struct rig *r = *state;
	struct of_flow_mod fm = change(OF_FLOW_ADD, "in_port=1", "output:3");

	rule(r, "udp", "drop");
	fm.flags = OF_FLOW_CHECK_OVERLAP;
	assert_int_equal(apply(r, fm), OF_OFPFMFC_OVERLAP);
	assert_int_equal(counts(r, "").flows, 2);
}

static void what_cannot_be_done_is_refused(void **state)
{
	struct rig *r = *state;
	struct of_flow_mod fm = change(OF_FLOW_ADD, "", "goto_table:3");

	fm.table = 3;
	assert_int_equal(apply(r, fm), OF_OFPBIC_BAD_TABLE_ID);
	assert_int_equal(apply(r, change(OF_FLOW_ADD, "", "group:9")),
			 OF_OFPBAC_BAD_OUT_GROUP);
	assert_int_equal(apply(r, change(OF_FLOW_ADD, "", "ct(commit)")),
			 OF_NXBAC_CT_DATAPATH_SUPPORT);
	assert_int_equal(counts(r, "").flows, 1);
}

static void a_hard_timeout_ends_a_rule(void **state)
{
	struct rig *r = *state;
	struct of_flow_mod fm = change(OF_FLOW_ADD, "in_port=1", "output:4");

	fm.hard = 3;
	fm.flags = OF_FLOW_SEND_REM;
	fm.new_cookie = 77;
	assert_int_equal(apply(r, fm), OF_OK);
	for (unsigned i = 0; i < 2; i++) {
		send(r);
		rig_pass_ms(r, 1000);
	}
	assert_int_equal(counts(r, "").flows, 2);
	rig_pass_ms(r, 3000);
	assert_int_equal(counts(r, "").flows, 1);
	assert_int_equal(told.removed, 1);
	assert_int_equal(told.fr.reason, OF_REMOVED_HARD);
	assert_int_equal(told.fr.cookie, 77);
	assert_int_equal(told.fr.counts.packets, 2);
}

static void an_idle_rule_ends_when_nothing_comes(void **state)
{
	struct rig *r = *state;
	struct of_flow_mod fm = change(OF_FLOW_ADD, "in_port=1", "output:4");

	fm.idle = 5;
	assert_int_equal(apply(r, fm), OF_OK);
	for (unsigned i = 0; i < 10; i++) {
		send(r);
		rig_pass_ms(r, 2000);
	}
	assert_int_equal(counts(r, "").flows, 2);
	rig_pass_ms(r, 8000);
	assert_int_equal(counts(r, "").flows, 1);
	assert_int_equal(told.removed, 0);
}

static void packets_go_to_the_controllers(void **state)
{
	struct rig *r = *state;
	struct of_flow_mod fm =
		change(OF_FLOW_ADD, "in_port=1", "controller(max_len=60,id=3)");

	fm.new_cookie = 0x123456789abcull;
	fm.table = 0;
	assert_int_equal(apply(r, fm), OF_OK);
	send(r);
	assert_int_equal(told.packets, 1);
	assert_int_equal(told.pi.of_port, 1);
	assert_int_equal(told.pi.max_len, 60);
	assert_int_equal(told.pi.controller, 3);
	assert_int_equal(told.pi.reason, OF_REASON_ACTION);
	assert_int_equal(told.pi.cookie, 0x123456789abcull);
}

static void a_packet_out_leaves(void **state)
{
	struct rig *r = *state;
	struct of_packet_out po = { .buffer_id = OF_BUFFER_NONE,
				    .packet = r->frame };

	po.len = rig_ip_build(r, 1,
			      &(struct rig_ip){ .from = "198.51.100.1",
						.to = "198.51.100.2",
						.to_station = 2 });
	po.metadata.key.in_port = OF_PORT_CONTROLLER;
	of_acts_output(&po.acts, 3, 0);
	assert_int_equal(switch_of_packet_out(of(r), &po), OF_OK);
	rig_settle(r);
	assert_int_equal(rig_must_take(r, 3)->len, po.len);
	po.metadata.key.in_port = 99;
	assert_int_equal(switch_of_packet_out(of(r), &po), OF_OFPBRC_BAD_PORT);
	of_packet_out_fini(&po);
}

static struct of_group group(uint16_t command, const char *acts)
{
	struct of_group g = { .command = command, .id = 5 };
	struct err e = ERR_INIT;

	assert_int_equal(
		of_acts_parse(acts, NULL, &of_group_bucket(&g)->acts, &e), 0);
	return g;
}

static enum of_error group_mod(struct rig *r, struct of_group g)
{
	enum of_error e = switch_of_group_mod(of(r), &g);

	of_group_fini(&g);
	return e;
}

static void groups_come_change_and_go(void **state)
{
	struct rig *r = *state;

	assert_int_equal(group_mod(r, group(OF_GROUP_MODIFY, "output:4")),
			 OF_OFPGMFC_UNKNOWN_GROUP);
	assert_int_equal(group_mod(r, group(OF_GROUP_ADD, "output:4")), OF_OK);
	assert_int_equal(group_mod(r, group(OF_GROUP_ADD, "output:4")),
			 OF_OFPGMFC_GROUP_EXISTS);
	assert_int_equal(group_mod(r, group(OF_GROUP_MODIFY, "group:5")),
			 OF_OFPGMFC_LOOP);
	rule(r, "in_port=1", "group:5");
	send(r);
	rig_must_take(r, 4);
	assert_int_equal(group_mod(r, group(OF_GROUP_MODIFY, "output:2")),
			 OF_OK);
	send(r);
	rig_must_take(r, 2);
	assert_int_equal(counts(r, "").flows, 2);
	assert_int_equal(
		group_mod(r, (struct of_group){ .command = OF_GROUP_DELETE,
						.id = OF_GROUP_ALL }),
		OF_OK);
	assert_int_equal(counts(r, "").flows, 1);
}

static void what_was_begun_can_be_taken_back(void **state)
{
	struct rig *r = *state;

	assert_int_equal(group_mod(r, group(OF_GROUP_ADD, "output:4")), OF_OK);
	rule(r, "in_port=1", "group:5");
	send(r);
	rig_must_take(r, 4);
	rig_pass_ms(r, 2000);
	switch_of_begin(of(r));
	rule(r, "udp", "drop");
	rule(r, "in_port=1", "output:3");
	assert_int_equal(group_mod(r, group(OF_GROUP_MODIFY, "output:2")),
			 OF_OK);
	assert_int_equal(apply(r, change(OF_FLOW_DELETE, "", "")), OF_OK);
	assert_int_equal(
		group_mod(r, (struct of_group){ .command = OF_GROUP_DELETE,
						.id = OF_GROUP_ALL }),
		OF_OK);
	assert_int_equal(counts(r, "").flows, 0);
	switch_of_rollback(of(r));
	assert_int_equal(counts(r, "").flows, 2);
	assert_int_equal(counts(r, "in_port=1").packets, 1);
	send(r);
	rig_must_take(r, 4);
	rig_must_be_quiet(r, 2);
}

static void a_port_that_is_down_neither_gives_nor_takes(void **state)
{
	struct rig *r = *state;
	struct of_port_mod pm = { .number = 4,
				  .config = OF_PORT_DOWN,
				  .mask = OF_PORT_DOWN };

	rule(r, "in_port=1", "output:4");
	send(r);
	rig_must_take(r, 4);
	assert_int_equal(switch_of_port_mod(of(r), &pm), OF_OK);
	assert_int_equal(told.ports, 1);
	assert_int_equal(told.port.config, OF_PORT_DOWN);
	send(r);
	rig_must_be_quiet(r, 4);
	pm.number = 40;
	assert_int_equal(switch_of_port_mod(of(r), &pm), OF_OFPPMFC_BAD_PORT);
}

static void a_group_fails_over_when_a_link_goes(void **state)
{
	struct rig *r = *state;
	struct of_group g = group(OF_GROUP_ADD, "output:4");
	struct err e = ERR_INIT;

	g.type = OF_GROUP_TYPE_FF;
	g.buckets[0].watch_port = 4;
	of_group_bucket(&g)->watch_port = 3;
	g.buckets[1].id = 1;
	assert_int_equal(
		of_acts_parse("output:3", NULL, &g.buckets[1].acts, &e), 0);
	assert_int_equal(group_mod(r, g), OF_OK);
	rule(r, "in_port=1", "group:5");
	send(r);
	rig_must_take(r, 4);
	port_set_state(r->port[4], PORT_DOWN);
	switch_port_touch(r->sw, r->port[4]);
	assert_int_equal(told.ports, 1);
	assert_int_equal(told.port.state, OF_PORT_LINK_DOWN);
	send(r);
	rig_must_take(r, 3);
	port_set_state(r->port[4], PORT_UP);
	switch_port_touch(r->sw, r->port[4]);
	send(r);
	rig_must_take(r, 4);
}

static void rules_outlive_an_apply(void **state)
{
	struct rig *r = *state;

	rule(r, "in_port=1", "output:4");
	rig_apply(r);
	send(r);
	rig_must_take(r, 4);
	r->house.bridges[RIG_BLUE].openflow = false;
	rig_apply(r);
	assert_null(of(r));
	rig_drain(r, 0);
	send(r);
	rig_must_take(r, 2);
}

#define OF_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OF_TEST(a_new_bridge_is_normal),
		OF_TEST(a_rule_sends_where_it_says),
		OF_TEST(what_passed_is_counted),
		OF_TEST(counts_are_reset_when_asked),
		OF_TEST(deleting_takes_what_it_covers),
		OF_TEST(deleting_minds_cookie_and_port),
		OF_TEST(modifying_keeps_the_rest),
		OF_TEST(overlap_is_refused_when_asked),
		OF_TEST(what_cannot_be_done_is_refused),
		OF_TEST(a_hard_timeout_ends_a_rule),
		OF_TEST(an_idle_rule_ends_when_nothing_comes),
		OF_TEST(packets_go_to_the_controllers),
		OF_TEST(a_packet_out_leaves),
		OF_TEST(groups_come_change_and_go),
		OF_TEST(what_was_begun_can_be_taken_back),
		OF_TEST(a_port_that_is_down_neither_gives_nor_takes),
		OF_TEST(a_group_fails_over_when_a_link_goes),
		OF_TEST(rules_outlive_an_apply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
