/* SPDX-License-Identifier: Apache-2.0 */
/* Rules: which one applies, what their actions do, where they end. */
#include "pipeline/rule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/err.h"
#include "pipeline/test_net.h"

#define FRAME(port)                                                            \
	"in_port=" #port ",eth_src=02:00:00:00:00:01,"                         \
	"eth_dst=02:00:00:00:00:02"
#define TO_2 FRAME(1)
#define TAG(vid) ",vlan_tpid=0x8100,dl_vlan=" #vid
#define ROUTER "02:00:00:00:fe:00"

/* p1 to p3 on a bridge with rules; station 2 is behind p2. */
struct ruled {
	struct net *n;
	struct snap_bridge *b;
	struct snap_domain *d;
};

static struct ruled ruled(const char *rule)
{
	struct ruled t = { .n = net_create() };

	t.b = net_bridge(t.n, false);
	t.d = net_domain(t.n, t.b, 0, 0);
	for (uint32_t i = 1; i < 4; i++)
		net_port(t.n, i, t.b, "");
	net_rule(t.n, t.b, rule);
	net_freeze(t.n);
	net_learn(t.n, t.d, 2, 2);
	return t;
}

static void without_a_rule_it_is_forwarded_as_ever(void **state UNUSED)
{
	struct ruled t = ruled("tcp,tp_dst=23 actions=drop");

	net_expect(t.n, TO_2 ",tcp,tp_dst=22", "output:2");
	assert_true(net_has_effect(t.n, EFFECT_LEARN));
	assert_false(net_has_effect(t.n, EFFECT_COUNT));
	net_destroy(t.n);
}

static void a_rule_that_does_not_say_normal_learns_nothing(void **state UNUSED)
{
	struct ruled t = ruled("tcp,tp_dst=23 actions=output:3");
	struct effect want = { .kind = EFFECT_COUNT, .id = 1 };

	net_expect(t.n, TO_2 ",tcp,tp_dst=23", "output:3");
	assert_int_equal(t.n->v.n_effects, 1);
	assert_memory_equal(&t.n->v.effects[0], &want, sizeof(want));
	assert_string_equal(str_text(&t.n->told),
			    "0 port p1: enters\n"
			    "0 rule br0: priority 32768\n");
	net_destroy(t.n);
}

static void the_highest_priority_decides(void **state UNUSED)
{
	struct ruled t = ruled("priority=5,ip actions=output:3");

	net_rule(t.n, t.b, "priority=9,tcp actions=drop");
	net_rule(t.n, t.b, "priority=7,tcp,tp_dst=22 actions=output:1");
	net_expect(t.n, TO_2 ",tcp,tp_dst=22", "drop(rule)");
	net_expect(t.n, TO_2 ",udp", "output:3");
	net_expect(t.n, TO_2 ",arp", "output:2");
	net_destroy(t.n);
}

static void what_a_rule_looks_at_is_in_the_mask(void **state UNUSED)
{
	struct ruled t = ruled("tcp,tp_dst=23 actions=drop");

	net_translate(t.n, TO_2 ",tcp,tp_dst=23");
	assert_true(net_looked_at(t.n, "tcp,tp_dst=23"));
	assert_false(net_looked_at(t.n, "tcp,tp_src=1"));
	net_destroy(t.n);
}

static void bits_of_an_address_come_with_its_type(void **state UNUSED)
{
	struct ruled t = ruled("ip,nw_dst=10.1.0.0/16 actions=drop");
	struct str text = STR_INIT;
	struct match m;

	net_rule(t.n, t.b, "udp,nw_dst=10.2.0.0/16,tp_src=53 actions=drop");
	m.key = net_key(TO_2 ",udp,nw_dst=192.0.2.1,tp_src=80");
	net_translate(t.n, TO_2 ",udp,nw_dst=192.0.2.1,tp_src=80");
	m.mask = t.n->v.mask;
	key_apply_mask(&m.key, &m.mask, &m.key);
	match_format(&m, &text);
	assert_non_null(strstr(str_text(&text), "ip,"));
	assert_non_null(strstr(str_text(&text), "ip_dst=128.0.0.0/1"));
	str_fini(&text);
	net_destroy(t.n);
}

static void a_rule_with_no_actions_drops(void **state UNUSED)
{
	struct ruled t = ruled("in_port=1 actions=");

	net_expect(t.n, TO_2, "drop(rule)");
	assert_int_equal(t.n->v.drop, DROP_RULE);
	net_destroy(t.n);
}

static void normal_sees_what_the_rule_has_edited(void **state UNUSED)
{
	struct ruled t = ruled("in_port=1 actions="
			       "set(eth_dst=02:00:00:00:00:03),normal");

	net_learn(t.n, t.d, 3, 3);
	net_expect(t.n, TO_2, "set(eth_dst=02:00:00:00:00:03),output:3");
	net_rule(t.n, t.b,
		 "in_port=2 actions=set_eth(dst=02:00:00:00:00:03,"
		 "src=02:00:00:00:00:07),normal");
	net_expect(t.n, FRAME(2),
		   "set_eth(dst=02:00:00:00:00:03,"
		   "src=02:00:00:00:00:07),output:3");
	assert_int_equal(t.n->v.effects[1].mac.b[5], 7);
	net_destroy(t.n);
}

static void normal_sees_the_tags_that_the_rule_left(void **state UNUSED)
{
	struct net *n = net_create();
	struct snap_bridge *b = net_bridge(n, true);
	struct snap_domain *d = net_domain(n, b, 10, 0);

	net_domain(n, b, 20, 0);
	net_port(n, 1, b, "native-untagged 10 20");
	net_port(n, 2, b, "trunk 10 20");
	net_rule(n, b, "dl_vlan=20 actions=pop_vlan,normal");
	net_rule(n, b,
		 "in_port=1,vlan_tci=0x0/0x1fff actions="
		 "push_vlan(tpid=0x8100,vid=20,pcp=1),normal");
	net_freeze(n);
	net_expect(n, FRAME(1) TAG(20),
		   "pop_vlan,push_vlan(tpid=0x8100,vid=10,pcp=0),output:2");
	net_expect(n, FRAME(1), "push_vlan(tpid=0x8100,vid=20,pcp=1),output:2");
	net_learn(n, d, 2, 1);
	net_expect(n, FRAME(2) TAG(20), "pop_vlan,drop(vlan-none)");
	net_destroy(n);
}

static void a_ttl_that_a_rule_took_down_is_down(void **state UNUSED)
{
	struct ruled t = ruled("ip actions=dec_ttl,normal");
	struct snap_router *r = net_router(t.n);

	net_iface(t.n, r, t.d, "10.0.0.1/24");
	net_route(t.n, r, "10.9.0.0/16", "10.0.0.9", t.d->iface);
	r->routes = route_table_build(t.n->routes[0], t.n->n_routes[0]);
	net_expect(t.n,
		   "in_port=1,eth_src=02:00:00:00:00:01,eth_dst=" ROUTER
		   ",ip,nw_src=10.0.0.5,nw_dst=10.9.0.9,nw_ttl=2",
		   "dec_ttl,punt(ttl),drop(ttl)");
	net_destroy(t.n);
}

static void what_follows_normal_gets_the_packet_as_it_was(void **state UNUSED)
{
	struct net *n = net_create();
	struct snap_bridge *b = net_bridge(n, true);
	struct snap_domain *d = net_domain(n, b, 10, 0);

	net_port(n, 1, b, "trunk 10");
	net_port(n, 2, b, "access 10");
	net_port(n, 3, b, "trunk 20");
	net_rule(n, b, "in_port=1 actions=normal,output:3");
	net_rule(n, b, "in_port=3 actions=normal,normal");
	net_freeze(n);
	net_learn(n, d, 2, 2);
	net_expect(n, FRAME(1) TAG(10), "clone(pop_vlan,output:2),output:3");
	/* Its end is not the rule's end. */
	net_learn(n, d, 2, 1);
	net_expect(n, FRAME(1) TAG(10), "clone(drop(same-port)),output:3");
	net_expect(n, FRAME(3) TAG(20),
		   "clone(drop(vlan-ingress)),drop(vlan-ingress)");
	net_destroy(n);
}

static void a_list_inside_a_list_is_translated_too(void **state UNUSED)
{
	struct ruled t =
		ruled("in_port=1 actions=clone(set(eth_dst=02:00:00:00:00:03),"
		      "normal),sample(p=50%,output:3),check_len(1000,normal),"
		      "normal");

	net_learn(t.n, t.d, 3, 3);
	net_expect(t.n, TO_2,
		   "clone(set(eth_dst=02:00:00:00:00:03),output:3),"
		   "sample(p=50%,output:3),check_len(1000,output:2),output:2");
	net_destroy(t.n);
}

static void another_look_at_the_table_sees_the_edits(void **state UNUSED)
{
	struct ruled t = ruled("priority=1,tcp,tp_dst=80 actions="
			       "set(tcp_dst=8080),resubmit(0),output:1");

	net_rule(t.n, t.b, "priority=2,tcp,tp_dst=8080 actions=output:3");
	net_expect(t.n, TO_2 ",tcp,tp_dst=80",
		   "set(tcp_dst=8080),output:3,output:1");
	assert_int_equal(t.n->v.n_effects, 2);
	/* No rule there: normal, and on with the first. */
	net_rule(t.n, t.b,
		 "priority=3,tcp,tp_dst=81 actions="
		 "set(tcp_dst=82),resubmit(0),output:1");
	net_expect(t.n, TO_2 ",tcp,tp_dst=81",
		   "set(tcp_dst=82),clone(output:2),output:1");
	net_destroy(t.n);
}

static void going_in_circles_ends(void **state UNUSED)
{
	struct ruled t = ruled("in_port=1 actions=output:3,resubmit(0)");
	const char *text = net_translate(t.n, TO_2);
	unsigned n = 0;

	for (const char *at = text; (at = strstr(at, "output:3")); at++)
		n++;
	assert_int_equal(n, PIPELINE_MAX_RESUBMITS);
	assert_string_equal(text + strlen(text) - strlen(",drop(recursion)"),
			    ",drop(recursion)");
	/* Breadth is bounded as depth is. */
	net_rule(t.n, t.b, "in_port=3 actions=resubmit(0),resubmit(0)");
	net_translate(t.n, FRAME(3));
	assert_int_equal(t.n->v.drop, DROP_RECURSION);
	net_rule(t.n, t.b, "in_port=2 actions=resubmit(1)");
	net_expect(t.n, FRAME(2), "drop(recursion)");
	net_destroy(t.n);
}

static void lists_do_not_nest_without_end(void **state UNUSED)
{
	struct ruled t = ruled("in_port=1 actions=clone(resubmit(0),output:3)");
	struct err e = ERR_INIT;

	net_translate(t.n, TO_2);
	assert_int_equal(t.n->v.drop, DROP_RECURSION);
	assert_int_equal(acts_check(acts_list(&t.n->v.actions), false, &e), 0);
	net_destroy(t.n);
}

static void what_the_key_cannot_tell_is_not_forwarded(void **state UNUSED)
{
	struct ruled t = ruled("in_port=1 actions=push_mpls(type=0x8847,"
			       "label=5,tc=0,ttl=9),normal");

	net_expect(t.n, TO_2 ",ip",
		   "push_mpls(type=0x8847,label=5,tc=0,ttl=9),"
		   "drop(unsupported)");
	net_rule(t.n, t.b, "in_port=2 actions=pop_outer,resubmit(0)");
	net_expect(t.n, FRAME(2), "pop_outer,drop(unsupported)");
	/* A third tag is below the two of the key. */
	net_rule(t.n, t.b,
		 "in_port=3 actions=push_vlan(tpid=0x8100,vid=1,"
		 "pcp=0),push_vlan(tpid=0x8100,vid=2,pcp=0),normal");
	net_expect(t.n, FRAME(3) TAG(10),
		   "push_vlan(tpid=0x8100,vid=1,pcp=0),"
		   "push_vlan(tpid=0x8100,vid=2,pcp=0),drop(unsupported)");
	/* In a copy it harms nobody. */
	net_rule(t.n, t.b,
		 "in_port=2 actions=clone(pop_outer,output:3),"
		 "normal");
	net_expect(t.n, FRAME(2), "clone(pop_outer,output:3),drop(same-port)");
	net_destroy(t.n);
}

static void a_list_too_long_is_dropped_whole(void **state UNUSED)
{
	struct str text = STR_INIT;
	struct ruled t;

	str_add(&text, "in_port=1 actions=normal");
	for (unsigned i = 0; i < 3000; i++)
		str_add(&text, ",normal");
	t = ruled(str_text(&text));
	net_expect(t.n, TO_2, "drop(unsupported)");
	assert_false(t.n->v.cacheable);
	assert_int_equal(t.n->v.drop, DROP_UNSUPPORTED);
	str_fini(&text);
	net_destroy(t.n);
}

static void too_many_routed_hops_end(void **state UNUSED)
{
	struct ruled t = ruled("ip actions=normal,normal,normal,normal,normal,"
			       "normal,normal,normal,normal");
	struct snap_router *r = net_router(t.n);

	net_iface(t.n, r, t.d, "10.0.0.1/24");
	r->routes = route_table_build(t.n->routes[0], t.n->n_routes[0]);
	net_translate(t.n, "in_port=1,eth_src=02:00:00:00:00:01,eth_dst=" ROUTER
			   ",ip,nw_src=10.0.0.5,nw_dst=10.0.0.1,nw_ttl=64");
	assert_int_equal(t.n->v.drop, DROP_RECURSION);
	net_destroy(t.n);
}

static void more_effects_than_fit_are_not_cached(void **state UNUSED)
{
	struct ruled t = ruled("priority=100,tcp,tp_dst=1 actions=normal");
	char text[128];

	for (unsigned i = 2; i <= VERDICT_MAX_EFFECTS; i++) {
		snprintf(text, sizeof(text),
			 "priority=100,tcp,tp_dst=%u actions=set(tcp_dst=%u),"
			 "resubmit(0)",
			 i, i - 1);
		net_rule(t.n, t.b, text);
	}
	net_translate(t.n, TO_2 ",tcp,tp_dst=3");
	assert_true(t.n->v.cacheable);
	/* One for each rule, and what is learned. */
	snprintf(text, sizeof(text), "%s%u",
		 TO_2 ",tcp,tp_dst=", VERDICT_MAX_EFFECTS);
	net_translate(t.n, text);
	assert_false(t.n->v.cacheable);
	net_destroy(t.n);
}

/* --- the table --- */

static struct rule *put(struct rule_table *t, const char *text)
{
	struct rule_spec *spec = xmalloc(sizeof(*spec));
	struct err e = ERR_INIT;
	struct rule *r;

	acts_clear(&spec->actions);
	assert_int_equal(rule_parse(text, NULL, spec, &e), 0);
	r = rule_table_put(
		t, &spec->match,
		&(struct rule_what){ .priority = spec->priority,
				     .actions = acts_list(&spec->actions) });
	free(spec);
	return r;
}

static void assert_actions(const struct rule_table *t, const char *key,
			   const char *actions)
{
	struct flow_mask mask = { { 0 } };
	struct flow_key k = net_key(key);
	const struct rule *r = rule_table_find(t, &k, &mask);
	struct str text = STR_INIT;

	assert_non_null(r);
	acts_format(rule_actions(r), NULL, &text);
	assert_string_equal(str_text(&text), actions);
	str_fini(&text);
}

static void a_rule_put_again_takes_the_others_place(void **state UNUSED)
{
	struct rule_table *t = rule_table_create();
	struct match m;

	put(t, "priority=5,tcp actions=output:1");
	put(t, "priority=6,tcp actions=output:2");
	put(t, "priority=5,tcp actions=output:3");
	assert_int_equal(rule_table_count(t), 2);
	assert_actions(t, "tcp", "output:2");
	m = (struct match){ .key = net_key("tcp") };
	MASK_SET(&m.mask, eth_type);
	MASK_SET(&m.mask, ip_proto);
	assert_true(rule_table_del(t, &m, 6));
	assert_false(rule_table_del(t, &m, 6));
	assert_actions(t, "tcp", "output:3");
	rule_table_destroy(t);
	rcu_barrier_wait();
}

/* --- text --- */

static void assert_refused(const char *text, const char *why)
{
	struct rule_spec *spec = xmalloc(sizeof(*spec));
	struct err e = ERR_INIT;

	acts_clear(&spec->actions);
	assert_int_not_equal(rule_parse(text, NULL, spec, &e), 0);
	if (!strstr(e.text, why))
		fail_msg("%s: %s", text, e.text);
	err_fini(&e);
	free(spec);
}

static void what_is_no_rule_is_refused_with_a_reason(void **state UNUSED)
{
	assert_refused("tcp", "says no actions");
	assert_refused("priority=65536,tcp actions=drop", "from 0 to 65535");
	assert_refused("priority=x actions=drop", "from 0 to 65535");
	assert_refused("priority=5tcp actions=drop", "from 0 to 65535");
	assert_refused("nonsense actions=drop", "nonsense");
	assert_refused("tcp actions=nonsense", "nonsense");
}

static void a_rule_may_be_for_everything(void **state UNUSED)
{
	struct rule_table *t = rule_table_create();

	put(t, "actions=output:1");
	put(t, "priority=7 actions=output:2");
	put(t, "priority=65535, actions=output:3");
	assert_actions(t, "arp", "output:3");
	assert_int_equal(rule_table_count(t), 3);
	rule_table_destroy(t);
	rcu_barrier_wait();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_rule_it_is_forwarded_as_ever),
		cmocka_unit_test(
			a_rule_that_does_not_say_normal_learns_nothing),
		cmocka_unit_test(the_highest_priority_decides),
		cmocka_unit_test(what_a_rule_looks_at_is_in_the_mask),
		cmocka_unit_test(bits_of_an_address_come_with_its_type),
		cmocka_unit_test(a_rule_with_no_actions_drops),
		cmocka_unit_test(normal_sees_what_the_rule_has_edited),
		cmocka_unit_test(normal_sees_the_tags_that_the_rule_left),
		cmocka_unit_test(a_ttl_that_a_rule_took_down_is_down),
		cmocka_unit_test(what_follows_normal_gets_the_packet_as_it_was),
		cmocka_unit_test(a_list_inside_a_list_is_translated_too),
		cmocka_unit_test(another_look_at_the_table_sees_the_edits),
		cmocka_unit_test(going_in_circles_ends),
		cmocka_unit_test(lists_do_not_nest_without_end),
		cmocka_unit_test(what_the_key_cannot_tell_is_not_forwarded),
		cmocka_unit_test(a_list_too_long_is_dropped_whole),
		cmocka_unit_test(too_many_routed_hops_end),
		cmocka_unit_test(more_effects_than_fit_are_not_cached),
		cmocka_unit_test(a_rule_put_again_takes_the_others_place),
		cmocka_unit_test(what_is_no_rule_is_refused_with_a_reason),
		cmocka_unit_test(a_rule_may_be_for_everything),
	};

	return cmocka_run_group_tests(tests, net_enter, net_leave);
}
