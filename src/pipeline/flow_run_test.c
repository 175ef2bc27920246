/* SPDX-License-Identifier: Apache-2.0 */
/* What OpenFlow rules make of a packet. */
#include "pipeline/test_net.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "ofwire/port.h"

#define PACKET                                                                 \
	"in_port=1,tcp,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02,"     \
	"nw_src=10.0.0.1,nw_dst=10.0.0.2,nw_ttl=64,tp_src=1000,tp_dst=80"

struct house {
	struct net *net;
	struct snap_bridge *b;
};

/* A bridge of OpenFlow with ports 1 to 4 and no rules. */
static struct house house(void)
{
	struct net *n = net_create();
	struct snap_bridge *b = net_bridge(n, false);

	net_domain(n, b, 0, 0);
	for (uint32_t i = 1; i <= 4; i++)
		net_port(n, i, b, "");
	return (struct house){ n, b };
}

/* One rule, and what it makes of the packet. */
static void expect(const char *const *flows, const char *key,
		   const char *actions)
{
	struct house h = house();

	for (; *flows; flows++)
		net_flow(h.net, h.b, *flows);
	net_freeze(h.net);
	net_expect(h.net, key, actions);
	net_destroy(h.net);
}

#define EXPECT(key, actions, ...)                                              \
	expect((const char *const[]){ __VA_ARGS__, NULL }, key, actions)

static void no_rule_drops(void **state UNUSED)
{
	EXPECT(PACKET, "drop(rule)", "priority=1,udp,actions=output:2");
	EXPECT(PACKET, "drop(rule)", "actions=drop");
}

static void outputs_go_where_they_say_but_not_back(void **state UNUSED)
{
	EXPECT(PACKET, "output:3,output:2", "actions=output:3,output:1,2");
	EXPECT(PACKET, "output:1", "actions=in_port");
	EXPECT(PACKET, "output:2,output:3,output:4", "actions=flood");
	EXPECT(PACKET, "output:2,output:3,output:4", "actions=all");
	EXPECT(PACKET, "truncate(100),output:2",
	       "actions=output(port=2,max_len=100)");
	EXPECT(PACKET, "output:1", "actions=load:0->NXM_OF_IN_PORT[],output:1");
}

static void normal_is_the_learning_bridge(void **state UNUSED)
{
	struct house h = house();

	net_flow(h.net, h.b, "actions=normal");
	net_freeze(h.net);
	net_expect(h.net, PACKET, "output:2,output:3,output:4");
	assert_true(net_has_effect(h.net, EFFECT_LEARN));
	net_learn(h.net, h.net->s->domains[0], 2, 3);
	net_expect(h.net, PACKET, "output:3");
	net_destroy(h.net);
}

static void fields_are_set_where_the_packet_has_them(void **state UNUSED)
{
	EXPECT(PACKET, "set(ip_dst=192.0.2.1),output:2",
	       "actions=mod_nw_dst:192.0.2.1,output:2");
	EXPECT("in_port=1,arp", "output:2",
	       "actions=mod_nw_dst:192.0.2.1,mod_tp_dst:5,dec_ttl,output:2");
	EXPECT(PACKET, "set(tcp_dst=5),output:2",
	       "actions=mod_tp_dst:5,output:2");
}

static void edits_without_an_output_are_a_drop(void **state UNUSED)
{
	EXPECT(PACKET, "drop(rule)", "actions=mod_nw_dst:192.0.2.1");
}

static void tables_lead_to_each_other(void **state UNUSED)
{
	EXPECT(PACKET, "output:4",
	       "actions=write_metadata:0x7/0xf,goto_table:9",
	       "table=9,metadata=0x7/0x7,actions=output:4");
	EXPECT(PACKET, "output:2,output:3",
	       "actions=load:5->NXM_NX_REG3[],resubmit(,20),output:3",
	       "table=20,reg3=5,actions=output:2");
	EXPECT(PACKET, "output:4", "in_port=1,actions=resubmit(2,0)",
	       "in_port=2,actions=output:4");
}

static void the_action_set_runs_last_and_in_order(void **state UNUSED)
{
	EXPECT(PACKET, "output:3,dec_ttl,output:2",
	       "actions=write_actions(output:2,dec_ttl),goto_table:1",
	       "table=1,actions=output:3");
	EXPECT(PACKET, "output:3",
	       "actions=write_actions(output:2),goto_table:1",
	       "table=1,actions=clear_actions,write_actions(output:3)");
}

static void loops_end(void **state UNUSED)
{
	struct house h = house();

	net_flow(h.net, h.b, "actions=output:2,resubmit(,0),resubmit(,0)");
	net_freeze(h.net);
	net_translate(h.net, PACKET);
	assert_in_range(h.net->v.actions.len, 1, 8192 * 8);
	net_destroy(h.net);
}

static void a_ttl_that_ran_out_goes_to_the_controllers(void **state UNUSED)
{
	struct house h = house();

	net_flow(h.net, h.b, "actions=output:3,dec_ttl,output:2");
	net_freeze(h.net);
	net_expect(h.net, PACKET, "output:3,dec_ttl,output:2");
	net_translate(h.net, "in_port=1,ip,nw_ttl=1");
	assert_non_null(strstr(net_actions(h.net), "punt(rule"));
	assert_null(strstr(net_actions(h.net), "output:2"));
	assert_true(net_looked_at(h.net, "ip,nw_ttl=1"));
	net_destroy(h.net);
}

static void what_a_clone_does_stays_there(void **state UNUSED)
{
	EXPECT(PACKET, "clone(set(ip_dst=192.0.2.1),output:2),output:3",
	       "actions=clone(mod_nw_dst:192.0.2.1,output:2),output:3");
	EXPECT(PACKET, "output:2",
	       "actions=clone(load:1->NXM_NX_REG0[]),resubmit(,1)",
	       "table=1,reg0=0,actions=output:2");
}

static void moves_tell_where_they_looked(void **state UNUSED)
{
	struct house h = house();

	net_flow(h.net, h.b,
		 "actions=move:NXM_OF_TCP_DST[]->NXM_NX_REG0[0..15],"
		 "output:NXM_NX_REG0[0..15]");
	net_freeze(h.net);
	net_expect(h.net, "in_port=1,tcp,tp_dst=3", "output:3");
	assert_true(net_looked_at(h.net, "tcp,tp_dst=3"));
	net_destroy(h.net);
}

static void tags_come_and_go(void **state UNUSED)
{
	EXPECT(PACKET,
	       "push_vlan(tpid=0x8100,vid=0,pcp=0),set(vlan_vid=20),"
	       "output:2,pop_vlan,output:3",
	       "actions=mod_vlan_vid:20,output:2,strip_vlan,output:3");
	EXPECT(PACKET, "output:2", "actions=strip_vlan,output:2");
}

static void an_all_group_sends_copies(void **state UNUSED)
{
	struct house h = house();

	net_group(h.net, h.b, (struct of_group){ .id = 7 },
		  "mod_nw_dst:192.0.2.1,output:2|output:3");
	net_flow(h.net, h.b, "actions=group:7,output:4");
	net_freeze(h.net);
	net_expect(h.net, PACKET,
		   "clone(set(ip_dst=192.0.2.1),output:2),clone(output:3),"
		   "output:4");
	net_destroy(h.net);
}

/* Chains of groups with many buckets: work is bounded, whatever they say. */
static void groups_of_groups_end(void **state UNUSED)
{
	struct house h = house();
	struct str buckets = STR_INIT;

	for (uint32_t id = 9; id; id--) {
		str_clear(&buckets);
		for (unsigned i = 0; i < 200; i++)
			str_addf(&buckets, "%sgroup:%u", i ? "|" : "", id + 1);
		net_group(h.net, h.b, (struct of_group){ .id = id },
			  id == 9 ? "drop" : str_text(&buckets));
	}
	net_flow(h.net, h.b, "actions=group:1");
	net_freeze(h.net);
	net_expect(h.net, PACKET, "drop(rule)");
	str_fini(&buckets);
	net_destroy(h.net);
}

static void fast_failover_takes_the_first_that_lives(void **state UNUSED)
{
	struct house h = house();
	uint32_t config = 0;

	net_group(h.net, h.b,
		  (struct of_group){ .id = 7, .type = OF_GROUP_TYPE_FF },
		  "output:4|output:2|output:3");
	net_flow(h.net, h.b, "actions=group:7");
	net_freeze(h.net);
	net_expect(h.net, PACKET, "output:4");
	h.net->s->ports[1]->of_config = &config;
	config = OF_PORT_NO_PACKET_IN;
	net_expect(h.net, PACKET, "output:4");
	h.net->s->ports[1]->of_config = NULL;
	h.net->s->ports[2]->of_config = &config;
	h.net->s->ports[1]->blocked = true;
	net_expect(h.net, PACKET, "output:2");
	config = OF_PORT_DOWN;
	net_expect(h.net, PACKET, "output:3");
	net_destroy(h.net);
}

/* Some flow goes to each bucket, and all of a flow to one. */
static void select_spreads_flows(void **state UNUSED)
{
	struct house h = house();
	bool to[5] = { false };
	char key[256];

	net_group(h.net, h.b,
		  (struct of_group){ .id = 7, .type = OF_GROUP_TYPE_SELECT },
		  "output:2|output:3|output:4");
	net_flow(h.net, h.b, "actions=group:7");
	net_freeze(h.net);
	for (unsigned i = 0; i < 64; i++) {
		unsigned port;

		snprintf(key, sizeof(key), "%s%u",
			 "in_port=1,tcp,nw_src=10.0.0.1,tp_dst=", i + 1);
		assert_int_equal(
			sscanf(net_translate(h.net, key), "output:%u", &port),
			1);
		to[port] = true;
	}
	assert_true(to[2] && to[3] && to[4]);
	net_destroy(h.net);
}

static void a_change_makes_what_was_said_stale(void **state UNUSED)
{
	struct house h = house();
	struct verdict *v = xmalloc(sizeof(*v));

	net_flow(h.net, h.b, "actions=output:2");
	net_freeze(h.net);
	net_translate(h.net, PACKET);
	memcpy(v, &h.net->v, sizeof(*v));
	assert_true(v->cacheable && net_is_fresh(h.net, v));
	net_flow(h.net, h.b, "actions=output:3");
	assert_false(net_is_fresh(h.net, v));
	net_expect(h.net, PACKET, "output:3");
	free(v);
	net_destroy(h.net);
}

static void a_deep_pipeline_is_cacheable(void **state UNUSED)
{
	struct house h = house();
	char text[64];

	for (unsigned i = 0; i < 59; i++) {
		snprintf(text, sizeof(text), "table=%u,actions=goto_table:%u",
			 i, i + 1);
		net_flow(h.net, h.b, text)->counter = i;
	}
	net_flow(h.net, h.b, "table=59,actions=output:2")->counter = 59;
	net_freeze(h.net);
	net_expect(h.net, PACKET, "output:2");
	assert_int_equal(h.net->v.n_effects, 60);
	assert_true(h.net->v.cacheable);
	net_destroy(h.net);
}

static void a_packet_out_runs_its_actions(void **state UNUSED)
{
	struct house h = house();
	struct flow_key key = net_key(PACKET);
	struct of_acts acts = OF_ACTS_INIT;
	struct of_act_list list;
	struct pipeline_out out = { h.b, &list, OF_PORT_CONTROLLER };

	of_acts_output(&acts, 2, 0);
	of_acts_output(&acts, OF_PORT_TABLE, 0);
	list = of_acts_list(&acts);
	net_flow(h.net, h.b, "in_port=4294967293,actions=output:1,normal");
	net_freeze(h.net);
	key.in_port = 0;
	pipeline_packet_out(h.net->s, &out, &key, &h.net->v, NULL);
	assert_string_equal(net_actions(h.net),
			    "output:2,output:1,clone(output:1,output:2,"
			    "output:3,output:4)");
	assert_false(h.net->v.cacheable);
	of_acts_fini(&acts);
	net_destroy(h.net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_rule_drops),
		cmocka_unit_test(outputs_go_where_they_say_but_not_back),
		cmocka_unit_test(normal_is_the_learning_bridge),
		cmocka_unit_test(fields_are_set_where_the_packet_has_them),
		cmocka_unit_test(edits_without_an_output_are_a_drop),
		cmocka_unit_test(tables_lead_to_each_other),
		cmocka_unit_test(the_action_set_runs_last_and_in_order),
		cmocka_unit_test(loops_end),
		cmocka_unit_test(a_ttl_that_ran_out_goes_to_the_controllers),
		cmocka_unit_test(what_a_clone_does_stays_there),
		cmocka_unit_test(moves_tell_where_they_looked),
		cmocka_unit_test(tags_come_and_go),
		cmocka_unit_test(an_all_group_sends_copies),
		cmocka_unit_test(groups_of_groups_end),
		cmocka_unit_test(fast_failover_takes_the_first_that_lives),
		cmocka_unit_test(select_spreads_flows),
		cmocka_unit_test(a_change_makes_what_was_said_stale),
		cmocka_unit_test(a_deep_pipeline_is_cacheable),
		cmocka_unit_test(a_packet_out_runs_its_actions),
	};

	return cmocka_run_group_tests(tests, net_enter, net_leave);
}
