/* SPDX-License-Identifier: Apache-2.0 */
/* Matches and keys as text: what is written is what is meant, and it comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/match.h"
#include "packet/headers.h"

static struct match parsed(const char *text)
{
	struct err e = ERR_INIT;
	struct match m;

	if (match_parse(text, &m, &e))
		fail_msg("%s: %s", text, e.text);
	return m;
}

static void assert_text(const char *text, const char *canonical)
{
	struct match m = parsed(text), back;
	struct str out = STR_INIT;

	match_format(&m, &out);
	assert_string_equal(str_text(&out), canonical);
	back = parsed(str_text(&out));
	assert_true(match_equal(&m, &back));
	str_fini(&out);
}

static void assert_refused(const char *text, const char *why)
{
	struct err e = ERR_INIT;
	struct match m;

	if (!match_parse(text, &m, &e))
		fail_msg("%s was accepted", text);
	if (!strstr(e.text, why))
		fail_msg("%s: \"%s\" does not say \"%s\"", text, e.text, why);
	err_fini(&e);
}

static void what_is_written_comes_back(void **state)
{
	static const char *const texts[][2] = {
		{ "", "any" },
		{ "tcp,nw_src=10.1.2.3/8,tp_dst=80",
		  "tcp,ip_src=10.0.0.0/8,tcp_dst=80" },
		{ "udp6,tp_src=53", "udp6,udp_src=53" },
		{ "sctp,tp_dst=9", "sctp,sctp_dst=9" },
		{ "icmp,icmp_type=8,icmp_code=0",
		  "icmp,icmp_type=8,icmp_code=0" },
		{ "arp,arp_op=1,arp_spa=10.0.0.1",
		  "arp,arp_op=1,arp_spa=10.0.0.1" },
		{ "tcp,tcp_flags=+syn-ack", "tcp,tcp_flags=+syn-ack" },
		{ "dl_vlan=10", "vlan_tci=0x100a/0x1fff" },
		{ "ip,nw_frag=later", "ip,ip_frag=later" },
		{ "ip,nw_frag=not_later", "ip,ip_frag=not_later" },
		{ "xreg0=0x123456789", "reg0=0x1,reg1=0x23456789" },
		{ "mpls,mpls_label=5", "mpls,mpls_label=5" },
		{ "dl_dst=01:00:00:00:00:00/01:00:00:00:00:00",
		  "eth_dst=01:00:00:00:00:00/01:00:00:00:00:00" },
		{ "ct_label=0x1234/0xffff", "ct_label=0x1234/0xffff" },
		{ "ip,nw_frag=no", "ip,ip_frag=no" },
		{ "ip,nw_frag=yes", "ip,ip_frag=yes" },
		{ "ip,nw_frag=first", "ip,ip_frag=first" },
		{ "ip,nw_tos=184", "ip,ip_tos=184/252" },
		{ "ip,ip_tos=185", "ip,ip_tos=185" },
		{ "icmp6,icmp_type=128,icmp_code=0",
		  "icmp6,icmpv6_type=128,icmpv6_code=0" },
		{ "nw_dst=192.0.2.1", "ip,ip_dst=192.0.2.1" },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(texts); i++)
		assert_text(texts[i][0], texts[i][1]);
}

static void every_maskable_field_comes_back_with_half_its_bits(void **state)
{
	(void)state;
	for (int id = 0; id < N_FIELDS; id++) {
		const struct field *f = field_get((enum field_id)id);
		struct field_value mask = field_all_ones(f), v = mask, v2, m2;
		struct str out = STR_INIT;
		struct err e = ERR_INIT;

		if (f->mask == FIELD_MASK_NONE || f->form == FIELD_FORM_FRAG)
			continue;
		for (unsigned i = 0; i < FIELD_VALUE_MAX; i++) {
			mask.b[i] &= 0x5b;
			v.b[i] = mask.b[i] & 0x4a;
		}
		field_format(f, &v, &mask, &out);
		if (field_parse(f, str_text(&out), &v2, &m2, &e))
			fail_msg("%s: %s", f->name, e.text);
		assert_memory_equal(&v, &v2, sizeof(v));
		assert_memory_equal(&mask, &m2, sizeof(mask));
		str_fini(&out);
	}
}

static void the_order_of_words_does_not_matter(void **state)
{
	(void)state;
	assert_text("tp_dst=80,tcp", "tcp,tcp_dst=80");
	assert_text("tp_dst=53,nw_proto=17,ip", "udp,udp_dst=53");
	assert_text(
		"nd_target=2001:db8::1,icmpv6_type=135,icmp6",
		"icmp6,icmpv6_type=135,icmpv6_code=0,nd_target=2001:db8::1");
}

static void neighbour_discovery_can_be_matched(void **state)
{
	struct match m =
		parsed("icmp6,icmpv6_type=135,nd_target=2001:db8::/32");
	struct flow_key k = { 0 };

	(void)state;
	k.eth_type = ETH_TYPE_IP6;
	k.ip_proto = IP_PROTO_ICMP6;
	k.tp_src = ICMP6_NS;
	memcpy(k.nd_target.b, "\x20\x01\x0d\xb8", 4);
	assert_true(match_covers(&m, &k));
	/* Another code is no solicitation (CVE-2023-5366's ground). */
	k.tp_dst = 1;
	assert_false(match_covers(&m, &k));
	assert_refused("icmp6,nd_target=::1", "icmpv6_type=135");
	assert_refused("icmp6,icmpv6_type=134,nd_target=::1",
		       "icmpv6_type=135");
}

static void addresses_of_arp_are_meant_by_nw_src_with_arp(void **state)
{
	(void)state;
	assert_text("arp,nw_src=10.0.0.1,nw_dst=10.0.0.2",
		    "arp,arp_spa=10.0.0.1,arp_tpa=10.0.0.2");
}

static void words_that_contradict_each_other_are_refused(void **state)
{
	static const char *const texts[] = {
		"tcp,udp",
		"ip,arp",
		"in_port=1,in_port=2",
		"tcp,tp_dst=80,udp",
		"ip,nw_src=10.0.0.0/8,nw_src=192.0.2.1",
		"dl_vlan=5,vlan_tci=0x1006/0x1fff",
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(texts); i++)
		assert_refused(texts[i], "contradicts");
	/* Two that agree hold together. */
	assert_text("ip,nw_src=10.1.1.1,nw_src=10.0.0.0/8",
		    "ip,ip_src=10.1.1.1");
}

static void what_is_wrong_is_said(void **state)
{
	(void)state;
	assert_refused("tcp,tcp_dts=1", "did you mean \"tcp_dst\"");
	assert_refused("tcp,tp_dst=70000", "16 bits");
	assert_refused("nw_src=banana", "an IPv4 address is wanted");
	assert_refused("in_port=5/7", "cannot be masked");
	assert_refused("tp_dst=80", "needs tcp");
	assert_refused("ip_proto=6", "needs ip");
	assert_refused("tcp,tcp_flags=+foo", "flags are written");
	assert_refused("tcp,tcp_flags=+syn-syn", "twice");
	assert_refused("ip,nw_tos=185", "ECN");
	assert_refused("ip,nw_frag=maybe", "first, later");
	assert_refused("eth_dst", "unknown field");
}

static void assert_key_text(const struct flow_key *k, const char *text)
{
	struct str out = STR_INIT;
	struct err e = ERR_INIT;
	struct flow_key back;

	key_format(k, &out);
	assert_string_equal(str_text(&out), text);
	if (key_parse(text, &back, &e))
		fail_msg("%s: %s", text, e.text);
	assert_memory_equal(k, &back, sizeof(back));
	str_fini(&out);
}

static void a_key_comes_back_as_it_was(void **state)
{
	struct flow_key k = { .in_port = 1 };

	(void)state;
	k.eth_type = ETH_TYPE_IP4;
	k.ip_proto = IP_PROTO_TCP;
	k.ip_frag = KEY_FRAG_ANY;
	k.tp_dst = 80;
	assert_key_text(&k, "tcp,in_port=1,ip_frag=first,tcp_dst=80");
	k.ip_frag |= KEY_FRAG_LATER;
	k.tp_dst = 0;
	assert_key_text(&k, "tcp,in_port=1,ip_frag=later");
	k = (struct flow_key){ .in_port = 2 };
	k.eth_type = ETH_TYPE_IP6;
	k.ip_proto = IP_PROTO_ICMP6;
	k.tp_src = ICMP6_NA;
	k.nd_target.b[15] = 1;
	assert_key_text(&k, "icmp6,in_port=2,icmpv6_type=136,nd_target=::1");
}

/* Masks of fragments that a lookup makes, and no text does. */
static void part_of_a_fragment_mask_is_told_by_what_it_means(void **state)
{
	const struct field *f = field_get(FIELD_IP_FRAG);
	struct field_value none = field_from_u64(0);
	struct field_value any = field_from_u64(KEY_FRAG_ANY);
	struct str out = STR_INIT;

	(void)state;
	field_format(f, &none, &any, &out);
	assert_string_equal(str_text(&out), "no");
	str_fini(&out);
}

static void a_key_has_no_masks(void **state)
{
	struct err e = ERR_INIT;
	struct flow_key k;

	(void)state;
	assert_int_not_equal(key_parse("ip,nw_src=10.0.0.0/8", &k, &e), 0);
	assert_non_null(strstr(e.text, "without a mask"));
	err_fini(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_comes_back),
		cmocka_unit_test(
			every_maskable_field_comes_back_with_half_its_bits),
		cmocka_unit_test(the_order_of_words_does_not_matter),
		cmocka_unit_test(neighbour_discovery_can_be_matched),
		cmocka_unit_test(addresses_of_arp_are_meant_by_nw_src_with_arp),
		cmocka_unit_test(words_that_contradict_each_other_are_refused),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(a_key_comes_back_as_it_was),
		cmocka_unit_test(
			part_of_a_fragment_mask_is_told_by_what_it_means),
		cmocka_unit_test(a_key_has_no_masks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
