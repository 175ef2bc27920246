/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/str.h"
#include "flow/action.h"
#include "flow/action_random.h"
#include "flow/verdict.h"

static struct acts list;

static const char *port_name(void *ctx, uint32_t port)
{
	(void)ctx;
	return port == 3 ? "vm1" : port == 4 ? "my, port" : NULL;
}

static int64_t port_number(void *ctx, const char *name)
{
	(void)ctx;
	return !strcmp(name, "vm1") ? 3 : !strcmp(name, "my, port") ? 4 : -1;
}

static const struct act_names names = { port_name, port_number, NULL };

static void check_text(const char *text, const char *want)
{
	struct str out = STR_INIT;
	struct err e = ERR_INIT;

	if (acts_parse(text, &names, &list, &e))
		fail_msg("%s: %u: %s", text, e.column, e.text);
	if (acts_check(acts_list(&list), true, &e))
		fail_msg("%s: %s", text, e.text);
	acts_format(acts_list(&list), &names, &out);
	assert_string_equal(str_text(&out), want);
	str_fini(&out);
}

static void text_comes_back_as_it_went_in(void **state)
{
	static const char *const texts[] = {
		"",
		"output:1",
		"output:vm1,output:\"my, port\"",
		"drop(rule)",
		"drop(vlan-ingress)",
		"push_vlan(tpid=0x88a8,vid=10,pcp=7),pop_vlan",
		"push_mpls(type=0x8848,label=1048575,tc=7,ttl=255)",
		"pop_mpls(0x0800)",
		"set(ip_dst=10.0.0.1)",
		"set(vlan_vid=7),set(ip_dscp=46),set(tcp_dst=80)",
		"set(ipv6_src=2001:db8::1),set(reg3=0x5)",
		"set_eth(dst=02:00:00:00:00:01,src=02:00:00:00:00:02)",
		"push_eth(dst=02:00:00:00:00:01,src=02:00:00:00:00:02,"
		"type=0x86dd),pop_eth,dec_ttl,pop_outer",
		"tunnel(id=100)",
		"tunnel(id=16777215,src=192.0.2.1,dst=192.0.2.2,tp_dst=4789,"
		"tos=4,ttl=64,df,csum,key,oam,options=0x0102030405060708)",
		"tunnel(id=1,dst=2001:db8::2,df)",
		"push_outer(vxlan,0x0102030405)",
		"truncate(64),output:2",
		"clone()",
		"clone(clone(output:2),output:3),output:5",
		"sample(p=10%,output:2),sample(p=100%,drop(rule))",
		"sample(p=0.1%,output:2),sample(p=0%)",
		"meter:5",
		"check_len(1450,punt(too-big,0x0,0x5,0xffffffff)),output:1",
		"check_len(1450)",
		"punt(arp),punt(rule,max_len=128),"
		"punt(nd,0x1,0x2,0x3,0x4,0x5,0x6)",
		"normal,resubmit(2)",
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(texts); i++) {
		char want[512];

		snprintf(want, sizeof(want), "%s", texts[i]);
		/* A port that has a name is shown by it. */
		if (!strcmp(texts[i], "clone(clone(output:2),output:3),"
				      "output:5"))
			snprintf(want, sizeof(want),
				 "clone(clone(output:2),output:vm1),output:5");
		check_text(texts[i], want);
	}
}

static void other_spellings_are_understood(void **state)
{
	(void)state;
	check_text(" output : 1 , output(2) ", "output:1,output:2");
	check_text("output( \"my, port\" )", "output:\"my, port\"");
	check_text("strip_vlan,push_vlan:0x8100",
		   "pop_vlan,push_vlan(tpid=0x8100,vid=0,pcp=0)");
	check_text("push_vlan(vid=5)", "push_vlan(tpid=0x8100,vid=5,pcp=0)");
	check_text("drop,controller", "drop(rule),punt(rule)");
	check_text("set(nw_src=10.1.2.3/8,tp_dst=0x50)",
		   "set(ip_src=10.0.0.0/8),set(tcp_dst=80)");
	check_text("meter(7),truncate:64,resubmit:1",
		   "meter:7,truncate(64),resubmit(1)");
	check_text("push_mpls", "push_mpls(type=0x8847,label=0,tc=0,ttl=0)");
	check_text("sample(p=0x80000000,output:1)", "sample(p=50%,output:1)");
	check_text("set_tunnel(5,df)", "tunnel(id=5,df)");
}

static void check_error(const char *text, unsigned column, const char *want)
{
	struct err e = ERR_INIT;

	assert_int_equal(acts_parse(text, &names, &list, &e), -EINVAL);
	if (e.column != column || !strstr(e.text, want))
		fail_msg("%s: %u: %s", text, e.column, e.text);
	assert_int_equal(list.len, 0);
	err_fini(&e);
}

static void an_error_says_what_where_and_what_was_meant(void **state)
{
	(void)state;
	check_error("outptu:1", 1, "did you mean `output`?");
	check_error("output:1,3", 10, "a port is written as output:3");
	check_error("output:1,", 10, "an action is wanted here");
	check_error("output:vm9", 8, "there is no port `vm9`");
	check_error("output:0", 1, "numbered from 1");
	check_error("output:5000000000", 8, "too large");
	check_error("output", 7, "needs a port");
	check_error("output:\"vm1", 12, "`\"` is wanted at the end");
	check_error("drop(storn)", 6, "did you mean `storm`?");
	check_error("set(ip_dts=1.2.3.4)", 5, "did you mean `ip_dst`?");
	check_error("set(ip_dst=1.2.3)", 5, "IPv4 address");
	check_error("set(ip_proto=6)", 1, "not set");
	check_error("set(tun_metadata0=6)", 1, "not supported yet");
	check_error("set", 1, "set(ip_dst=10.0.0.1)");
	check_error("push_vlan(vid=4096)", 11, "at most 4095");
	check_error("push_vlan(vd=5)", 11, "did you mean `vid`?");
	check_error("push_vlan(vid=5,vid=6)", 17, "twice");
	check_error("push_vlan(tpid=0x800)", 1, "no VLAN tag type");
	check_error("push_eth(dst=02:00:00:00:00:01)", 1, "needs src");
	check_error("set_eth(dst=02:00,src=1)", 9, "Ethernet address");
	check_error("pop_mpls", 1, "needs type");
	check_error("truncate(13)", 1, "at least 14");
	check_error("tunnel(id=1,src=1.2.3.4,dst=::1)", 1, "both be IPv4");
	check_error("tunnel(id=1,options=0x010203)", 1, "whole words");
	check_error("push_outer(vxlan)", 1, "needs the encapsulation");
	check_error("push_outer(vxlna,0x00)", 12, "did you mean `vxlan`?");
	check_error("clone(output:1", 15, "`)` is wanted at the end");
	check_error("sample(output:1)", 8, "begins with p=");
	check_error("sample(p=101%)", 8, "from 0% to 100%");
	check_error("punt(arp,1,2,3,4,5,6,7)", 22, "at most 6 words");
	check_error("output:1 output:2", 8, "there is no port");
	check_error("pop_vlan(1)", 9, "a comma is wanted");
	check_error("output:1)", 9, "a comma is wanted");
	check_error("ct(commit)", 1, "connection tracking is not there yet");
	check_error("output:1,nat", 10, "connection tracking is not there");
	check_error("clone(clone(clone(clone(clone(clone(clone(clone("
		    "clone(drop)))))))))",
		    55, "more than 8 deep");
}

static void a_list_too_long_overflows_and_is_refused(void **state)
{
	struct str text = STR_INIT;
	struct err e = ERR_INIT;

	(void)state;
	for (unsigned i = 0; i <= ACTS_MAX_LEN / 8; i++)
		str_addf(&text, "%spop_vlan", i ? "," : "");
	assert_int_equal(acts_parse(str_text(&text), NULL, &list, &e), -EINVAL);
	assert_non_null(strstr(e.text, "more than 32768 bytes"));
	err_fini(&e);
	str_fini(&text);
	acts_clear(&list);
	for (unsigned i = 0; i < ACTS_MAX_LEN / 8; i++)
		acts_pop_vlan(&list);
	assert_false(list.overflow);
	acts_pop_vlan(&list);
	assert_true(list.overflow);
	assert_null(acts_punt(&list, PUNT_ARP));
	acts_end(&list, acts_begin(&list, ACT_CLONE, 0));
	acts_append(&list, (struct act_list){ NULL, 0 });
	assert_int_equal(list.len, ACTS_MAX_LEN);
}

static bool is_refused(bool in_rule)
{
	struct err e = ERR_INIT;
	int rc = acts_check(acts_list(&list), in_rule, &e);

	assert_int_equal(rc, err_is_set(&e) ? -EINVAL : 0);
	err_fini(&e);
	return rc;
}

/* One bit wrong in any place that has to be just so. */
static void a_list_with_a_lie_in_it_is_refused(void **state)
{
	static const struct {
		const char *text;
		uint32_t at;
		uint8_t flip;
	} lies[] = {
		{ "pop_vlan", 0, 0x80 },          /* no such op */
		{ "pop_vlan", 2, 0x04 },          /* length in no eights */
		{ "pop_vlan", 2, 0x10 },          /* beyond the list */
		{ "pop_vlan", 2, 0x08 },          /* no length at all */
		{ "pop_vlan,pop_vlan", 2, 0x18 }, /* longer than its op */
		{ "pop_vlan", 5, 0x01 },          /* unused byte */
		{ "push_vlan(vid=1)", 7, 0x10 },  /* the "present" bit */
		{ "push_mpls", 6, 0x01 },
		{ "push_mpls", 9, 0x01 }, /* the bottom bit */
		{ "push_mpls", 12, 0x01 },
		{ "pop_mpls(0x800)", 8, 0x01 },
		{ "set(ip_dst=1.2.3.4)", 4, 0xff },
		{ "set(ip_dst=1.2.3.4)", 6, 0x01 },
		{ "set(ip_dst=1.2.3.4)", 13, 0x01 },
		{ "set(ip_dst=1.2.3.4)", 20, 0x01 },
		{ "set(ip_dst=1.2.3.4/31)", 8, 0x01 },
		{ "set(vlan_vid=1)", 17, 0x10 }, /* mask beyond the field */
		{ "set(vlan_tpid=0x8100)", 16, 0x01 }, /* no masks */
		{ "set_eth(dst=02:00:00:00:00:01,src=02:00:00:00:00:02)", 16,
		  0x01 },
		{ "set_eth(dst=02:00:00:00:00:01,src=02:00:00:00:00:02)", 18,
		  0x01 },
		{ "tunnel(dst=192.0.2.1)", 6, 0x10 },
		{ "tunnel(dst=192.0.2.1)", 16, 0x02 },
		{ "tunnel(dst=192.0.2.1)", 34, 0x03 },
		{ "tunnel(dst=192.0.2.1)", 36, 0x01 },
		{ "tunnel(dst=192.0.2.1)", 55, 0x01 },
		{ "tunnel(options=0x01020304)", 60, 0x01 },
		{ "tunnel(options=0x01020304)", 54, 0x08 },
		{ "push_outer(gre,0x0102)", 6, 0x40 },
		{ "push_outer(gre,0x0102)", 4, 0x10 },
		{ "push_outer(gre,0x0102)", 10, 0x01 },
		{ "punt(arp)", 4, 0x40 },
		{ "punt(arp)", 5, 0x40 },
		{ "clone(pop_vlan)", 4, 0x01 },
		{ "clone(pop_vlan)", 8, 0x80 },  /* inside, too */
		{ "clone(pop_vlan)", 10, 0x10 }, /* reaches out of its list */
		{ "drop", 4, 0x80 },
		{ "normal", 4, 0x01 },
	};
	struct err e = ERR_INIT;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(lies); i++) {
		if (acts_parse(lies[i].text, NULL, &list, &e))
			fail_msg("%s: %s", lies[i].text, e.text);
		assert_false(is_refused(true));
		((uint8_t *)list.room)[lies[i].at] ^= lies[i].flip;
		if (!is_refused(true))
			fail_msg("%s: byte %u is not checked", lies[i].text,
				 lies[i].at);
	}
}

static void pipeline_ops_stand_in_rules_only(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(acts_parse("clone(normal)", NULL, &list, &e), 0);
	assert_false(is_refused(true));
	assert_true(is_refused(false));
	assert_int_equal(acts_parse("resubmit(1)", NULL, &list, &e), 0);
	assert_true(is_refused(false));
}

static void every_random_list_survives_its_text(void **state)
{
	static struct acts back;
	uint64_t seed = 1;

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		struct str text = STR_INIT;
		struct err e = ERR_INIT;

		acts_clear(&list);
		action_random(&list, &seed, 0, true);
		assert_false(list.overflow);
		if (acts_check(acts_list(&list), true, &e))
			fail_msg("%u: %s", i, e.text);
		acts_format(acts_list(&list), &names, &text);
		if (acts_parse(str_text(&text), &names, &back, &e))
			fail_msg("%s: %s", str_text(&text), e.text);
		if (!act_list_equal(acts_list(&list), acts_list(&back)))
			fail_msg("%s: came back different", str_text(&text));
		assert_true(act_list_hash(acts_list(&list), 9) ==
			    act_list_hash(acts_list(&back), 9));
		str_fini(&text);
	}
}

static void nested_lists_are_found(void **state)
{
	struct err e = ERR_INIT;
	struct act_list l;

	(void)state;
	assert_int_equal(acts_parse("clone(output:1,output:2),pop_vlan", NULL,
				    &list, &e),
			 0);
	l = act_nested(acts_list(&list).first);
	assert_int_equal(l.len, 16);
	assert_int_equal(l.first->op, ACT_OUTPUT);
	assert_int_equal(act_nested(l.first).len, 0);
	assert_false(act_list_equal(l, acts_list(&list)));
}

static void every_punt_reason_has_its_own_name(void **state)
{
	(void)state;
	for (unsigned i = 0; i < N_PUNT_REASONS; i++)
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(
				punt_reason_name((enum punt_reason)i),
				punt_reason_name((enum punt_reason)k));
}

static void a_verdict_that_depends_on_too_much_is_not_cached(void **state)
{
	struct verdict *v = xzalloc(sizeof(*v));
	struct effect e = { .kind = EFFECT_COUNT };

	(void)state;
	verdict_init(v);
	assert_int_equal(v->mask.bits.in_port, UINT32_MAX);
	for (uint32_t i = 0; i < VERDICT_MAX_DEPS; i++)
		verdict_add_dep(v, (struct dep){ i, 7 });
	verdict_add_dep(v, (struct dep){ 3, 8 });
	assert_int_equal(v->n_deps, VERDICT_MAX_DEPS);
	assert_int_equal(v->deps[3].value, 7);
	assert_true(v->cacheable);
	verdict_add_dep(v, (struct dep){ 99, 8 });
	assert_false(v->cacheable);
	verdict_init(v);
	assert_true(v->cacheable);
	assert_int_equal(v->n_deps, 0);
	for (e.id = 0; e.id < VERDICT_MAX_EFFECTS; e.id++)
		verdict_add_effect(v, &e);
	e.id = 2;
	verdict_add_effect(v, &e);
	assert_true(v->cacheable);
	e.id = 200;
	verdict_add_effect(v, &e);
	assert_int_equal(v->n_effects, VERDICT_MAX_EFFECTS);
	assert_false(v->cacheable);
	free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_comes_back_as_it_went_in),
		cmocka_unit_test(other_spellings_are_understood),
		cmocka_unit_test(an_error_says_what_where_and_what_was_meant),
		cmocka_unit_test(a_list_too_long_overflows_and_is_refused),
		cmocka_unit_test(a_list_with_a_lie_in_it_is_refused),
		cmocka_unit_test(pipeline_ops_stand_in_rules_only),
		cmocka_unit_test(every_random_list_survives_its_text),
		cmocka_unit_test(nested_lists_are_found),
		cmocka_unit_test(every_punt_reason_has_its_own_name),
		cmocka_unit_test(
			a_verdict_that_depends_on_too_much_is_not_cached),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
