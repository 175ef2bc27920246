/* SPDX-License-Identifier: Apache-2.0 */
#include "ofwire/flow.h"

#include "ofwire/testing_test.h"

#define BYTES_MAX 2048u

static const struct golden {
	const char *text, *hex;
} goldens[] = {
#define GOLDEN(text, hex) { text, hex },
#include "ofwire/flow_golden.def"
#undef GOLDEN
};

static struct of_dialect dialect_of(const struct of_msg *m)
{
	return (struct of_dialect){ .version = m->h.version,
				    .nxm = m->family == OF_FAMILY_NX };
}

static void what_ovs_ofctl_writes_is_read_and_written_alike(void **state)
{
	uint8_t b[BYTES_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(goldens); i++) {
		size_t n = test_hex(goldens[i].hex, b, sizeof(b));
		struct of_msg m = test_open(b, n);
		struct of_dialect d = dialect_of(&m);
		struct of_out o = OF_OUT_INIT;
		struct of_flow_mod fm;

		assert_int_equal(of_flow_mod_decode(&m, &d, &fm), OF_OK);
		assert_true(of_flow_mod_encode(&o, &d, m.h.xid, &fm));
		assert_int_equal(o.len, n);
		if (memcmp(o.b, b, n))
			fail_msg("%s", goldens[i].text);
		of_flow_mod_fini(&fm);
		of_out_fini(&o);
	}
}

/* Each message cut at each byte, its length made to agree: an error, and never
 * a read behind the end (the copy is as long as the message). */
static void cut_messages_are_refused_or_read_within_bounds(void **state)
{
	uint8_t b[BYTES_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(goldens); i++) {
		size_t n = test_hex(goldens[i].hex, b, sizeof(b));

		for (size_t cut = OF_HEADER_LEN; cut < n; cut++) {
			uint8_t *copy = xmemdup(b, cut);
			struct of_flow_mod fm;
			struct of_dialect d;
			struct of_msg m;

			put_be16(copy + 2, (uint16_t)cut);
			if (of_msg_open(copy, cut, &m) == OF_OK) {
				d = dialect_of(&m);
				if (of_flow_mod_decode(&m, &d, &fm) == OF_OK)
					of_flow_mod_fini(&fm);
			}
			free(copy);
		}
	}
}

static void check_version(const struct of_flow_mod *fm, uint8_t version)
{
	struct of_dialect d = { .version = version, .nxm = true };
	struct of_out o = OF_OUT_INIT, again = OF_OUT_INIT;
	struct of_flow_mod back;
	struct of_msg m;

	if (!of_match_fits(&fm->match, version == OF10 ? OF12 : version) ||
	    !of_flow_mod_encode(&o, &d, 1, fm)) {
		of_out_fini(&o);
		return;
	}
	m = test_open(o.b, o.len);
	assert_int_equal(of_flow_mod_decode(&m, &d, &back), OF_OK);
	assert_true(match_equal(&fm->match, &back.match));
	assert_true(of_flow_mod_encode(&again, &d, 1, &back));
	assert_int_equal(o.len, again.len);
	assert_memory_equal(o.b, again.b, o.len);
	of_flow_mod_fini(&back);
	of_out_fini(&again);
	of_out_fini(&o);
}

static void flows_of_one_version_are_said_in_each_other(void **state)
{
	uint8_t b[BYTES_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(goldens); i++) {
		size_t n = test_hex(goldens[i].hex, b, sizeof(b));
		struct of_msg m = test_open(b, n);
		struct of_dialect d = dialect_of(&m);
		struct of_flow_mod fm;

		assert_int_equal(of_flow_mod_decode(&m, &d, &fm), OF_OK);
		for (uint8_t v = OF_VERSION_MIN; v <= OF_VERSION_MAX; v++)
			check_version(&fm, v);
		of_flow_mod_fini(&fm);
	}
}

static enum of_error oxm(const char *hex)
{
	uint8_t b[256];
	struct cursor c = cursor_init(b, test_hex(hex, b, sizeof(b)));
	struct match m;

	return of_oxm_decode(c, OF_MATCH_STRICT, &m, NULL);
}

static void wrong_matches_get_the_error_named_for_it(void **state)
{
	static const struct {
		const char *hex;
		enum of_error want;
	} cases[] = {
		{ "80000004 00000001", OF_OK },
		{ "80000004 0000", OF_OFPBMC_BAD_LEN },
		{ "800000", OF_OFPBMC_BAD_LEN },
		{ "8000fe04 00000001", OF_OFPBMC_BAD_FIELD },
		{ "80000003 000001", OF_OFPBMC_BAD_FIELD },
		{ "12340001 01", OF_OFPBMC_BAD_FIELD },
		/* TCP port without a protocol, address without a type */
		{ "80001a02 0050", OF_OFPBMC_BAD_PREREQ },
		{ "80001604 0a000001", OF_OFPBMC_BAD_PREREQ },
		/* a mask where there is none, bits outside a mask */
		{ "80000108 00000001 ffffff00", OF_OFPBMC_BAD_WILDCARDS },
		{ "80000108 00000100 ffffff00", OF_OFPBMC_BAD_MASK },
		{ "80000108 00000100 ffffffff", OF_OK },
		{ "80000a02 0800 80000a02 0800", OF_OFPBMC_DUP_FIELD },
		{ "80000a02 0800 80001001 40", OF_OFPBMC_BAD_VALUE },
		{ "80000a02 0800 80001001 3f", OF_OK },
		/* more than a VLAN id, a priority without a tag */
		{ "80000c02 2005", OF_OFPBMC_BAD_VALUE },
		{ "80000c02 1005 80000e01 07", OF_OK },
		{ "80000c02 0000 80000e01 07", OF_OFPBMC_BAD_PREREQ },
		{ "80000e01 07", OF_OFPBMC_BAD_PREREQ },
		/* ND: the source's address stands in a solicitation only */
		{ "80000a02 86dd 80001401 3a 80003a01 88 80003c01 00"
		  "80004006 001122334455",
		  OF_OFPBMC_BAD_PREREQ },
		{ "80000a02 86dd 80001401 3a 80003a01 87 80003c01 00"
		  "80004006 001122334455",
		  OF_OK },
		/* experimenters: ONF's TCP flags, Nicira's hash, NSH */
		{ "80000a02 0800 80001401 06 ffff5406 4f4e4600 0002", OF_OK },
		{ "ffff0008 00002320 00000001", OF_OK },
		{ "ffff0003 000023", OF_OFPBMC_BAD_LEN },
		{ "ffff0008 12345678 00000001", OF_OFPBMC_BAD_FIELD },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (oxm(cases[i].hex) != cases[i].want)
			fail_msg("%s", cases[i].hex);
}

static void loose_matches_pass_over_what_is_unknown(void **state)
{
	uint8_t b[64];
	struct match m;
	size_t n = test_hex("8000fe04 00000001 80001a02 0050", b, sizeof(b));

	(void)state;
	assert_int_equal(
		of_oxm_decode(cursor_init(b, n), OF_MATCH_LOOSE, &m, NULL),
		OF_OK);
	assert_int_equal(m.key.tp_src, 0x50);
}

static enum of_error acts(unsigned version, const char *hex)
{
	uint8_t b[256];
	struct cursor c = cursor_init(b, test_hex(hex, b, sizeof(b)));
	struct of_acts list = OF_ACTS_INIT;
	enum of_error e = of_acts_decode(c, version, &list);

	if (e)
		assert_int_equal(list.len, 0);
	of_acts_fini(&list);
	return e;
}

static void wrong_actions_get_the_error_named_for_it(void **state)
{
	static const struct {
		unsigned version;
		const char *hex;
		enum of_error want;
	} cases[] = {
		{ OF10, "0000 0008 0001 0000", OF_OK },
		{ OF10, "0000 0004", OF_OFPBAC_BAD_LEN },
		{ OF10, "0000 0009 0001 0000 00", OF_OFPBAC_BAD_LEN },
		{ OF10, "0000 0010 0001 0000", OF_OFPBAC_BAD_LEN },
		{ OF10, "0000 0010 0001 0000 0000000000000000",
		  OF_OFPBAC_BAD_LEN },
		{ OF10, "00aa 0008 0000 0000", OF_OFPBAC_BAD_TYPE },
		{ OF13, "0000 0008 0001 0000", OF_OFPBAC_BAD_LEN },
		{ OF10, "ffff 0008 1234 5678", OF_OFPBAC_BAD_VENDOR },
		{ OF10, "ffff 0010 0000 2320 7fff 000000000000",
		  OF_OFPBAC_BAD_VENDOR_TYPE },
		{ OF10, "ffff 0008 0000 2320", OF_OFPBAC_BAD_LEN },
		{ OF10, "0001 0008 1000 0000", OF_OFPBAC_BAD_ARGUMENT },
		{ OF10, "0002 0008 0800 0000", OF_OFPBAC_BAD_ARGUMENT },
		{ OF13, "0011 0008 0800 0000", OF_OFPBAC_BAD_ARGUMENT },
		/* set-field: the in-port, an unknown field, a mask in 1.3 */
		{ OF13, "0019 0010 80000004 00000001 00000000",
		  OF_OFPBAC_BAD_SET_ARGUMENT },
		{ OF13, "0019 0010 8000fe04 00000001 00000000",
		  OF_OFPBAC_BAD_SET_TYPE },
		{ OF13,
		  "0019 0018 8000070c 000000000001 ffffffffffff 0000 0000",
		  OF_OFPBAC_BAD_SET_MASK },
		{ OF15,
		  "0019 0018 8000070c 000000000001 ffffffffffff 0000 0000",
		  OF_OK },
		{ OF13, "0019 0010 80000c02 0005 0000 00000000",
		  OF_OFPBAC_BAD_SET_ARGUMENT },
		/* load past the end of a register; more than fits its bits */
		{ OF10,
		  "ffff 0018 00002320 0007 0420 00010004"
		  "0000000000000000",
		  OF_OFPBAC_BAD_SET_LEN },
		{ OF10,
		  "ffff 0018 00002320 0007 0001 00010004"
		  "0000000000000004",
		  OF_OFPBAC_BAD_ARGUMENT },
		{ OF15,
		  "ffff 0018 00002320 0007 0001 00010004"
		  "0000000000000001",
		  OF_OFPBAC_BAD_VENDOR_TYPE },
		/* dec_ttl of no controller, of more than are there */
		{ OF10, "ffff 0010 00002320 0015 0000 00000000",
		  OF_OFPBAC_BAD_ARGUMENT },
		{ OF10, "ffff 0010 00002320 0015 0009 00000000",
		  OF_OFPBAC_BAD_LEN },
		/* ct with an output in it; nat to both sides at once */
		{ OF10,
		  "ffff 0020 00002320 0023 0000 00000000 0000 ff 000000"
		  "0000 0000 0008 0001 0000",
		  OF_OFPBAC_BAD_ARGUMENT },
		{ OF10, "ffff 0010 00002320 0024 0000 0003 0000",
		  OF_OFPBAC_BAD_ARGUMENT },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (acts(cases[i].version, cases[i].hex) != cases[i].want)
			fail_msg("%s: %u", cases[i].hex,
				 acts(cases[i].version, cases[i].hex));
}

static void nesting_has_an_end(void **state)
{
	uint8_t b[64 * 16];
	struct of_acts list = OF_ACTS_INIT;
	size_t n = sizeof(b);

	(void)state;
	for (size_t i = 0; i < 64; i++) {
		test_hex("ffff 0000 00002320 002a 000000000000", b + i * 16,
			 16);
		put_be16(b + i * 16 + 2, (uint16_t)(n - i * 16));
	}
	assert_int_equal(of_acts_decode(cursor_init(b, n), OF13, &list),
			 OF_OFPBAC_TOO_MANY);
	of_acts_fini(&list);
}

static enum of_error insts(const char *hex)
{
	uint8_t b[256];
	struct cursor c = cursor_init(b, test_hex(hex, b, sizeof(b)));
	struct of_acts list = OF_ACTS_INIT;
	enum of_error e = of_insts_decode(c, OF13, &list);

	of_acts_fini(&list);
	return e;
}

static void wrong_instructions_get_the_error_named_for_it(void **state)
{
	(void)state;
	assert_int_equal(insts("0001 0008 05 000000"), OF_OK);
	assert_int_equal(insts("0001 0008 05 000000 0001 0008 06 000000"),
			 OF_OFPBIC_DUP_INST);
	assert_int_equal(insts("0009 0008 00000000"), OF_OFPBIC_UNKNOWN_INST);
	assert_int_equal(insts("ffff 0008 00000000"),
			 OF_OFPBIC_BAD_EXPERIMENTER);
	assert_int_equal(insts("0001 0010 05 000000 0000000000000000"),
			 OF_OFPBIC_BAD_LEN);
	assert_int_equal(insts("0004 0010 00000000"), OF_OFPBIC_BAD_LEN);
	assert_int_equal(insts("0004 0007 000000"), OF_OFPBIC_BAD_LEN);
}

/* goto, write, apply on the wire: meter, apply, write, goto in the list. */
static void instructions_are_held_in_the_order_they_work(void **state)
{
	static const uint16_t want[] = { OFA_METER,          OFA_OUTPUT,
					 OFA_CLEAR_ACTIONS,  OFA_WRITE_ACTIONS,
					 OFA_WRITE_METADATA, OFA_GOTO_TABLE };
	uint8_t b[256];
	size_t n = test_hex("0001 0008 05 000000"
			    "0002 0018 00000000 0000000000000001"
			    "00000000000000ff"
			    "0003 0018 00000000 0000 0010 00000002 0000"
			    "000000000000"
			    "0004 0018 00000000 0000 0010 00000001 0000"
			    "000000000000"
			    "0005 0008 00000000 0006 0008 00000007",
			    b, sizeof(b));
	struct of_acts list = OF_ACTS_INIT;
	size_t i = 0;

	(void)state;
	assert_int_equal(of_insts_decode(cursor_init(b, n), OF13, &list),
			 OF_OK);
	of_act_for_each(a, of_acts_list(&list)) {
		assert_true(i < ARRAY_SIZE(want));
		assert_int_equal(a->kind, want[i++]);
	}
	assert_int_equal(i, ARRAY_SIZE(want));
	of_acts_fini(&list);
}

static void stats_travel_in_every_form(void **state)
{
	struct of_flow_stats in = {
		.table = 3,
		.priority = 7,
		.idle = 5,
		.hard = 6,
		.cookie = 0x1234,
		.counts = { .packets = 9,
			    .bytes = 1ull << 40,
			    .duration_sec = 8,
			    .duration_nsec = 77 },
		.idle_age = 4,
		.hard_age = -1,
	};
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(match_parse("tcp,tcp_dst=80", &in.match, &e), 0);
	of_acts_output(&in.acts, 5, 0);
	for (unsigned form = 0; form <= OF15; form++) {
		struct of_dialect d = { .version = (uint8_t)MAX(form, 1u),
					.nxm = !form };
		struct of_out o = OF_OUT_INIT;
		struct of_flow_stats back;
		struct of_parts p;
		struct of_msg m;
		size_t at = d.nxm ? of_msg_begin_as(&o, OF_FAMILY_NXSTAT_REPLY,
						    0, OF10, 1) :
				    of_msg_begin(&o, OF_FLOW_STATS_REPLY,
						 d.version, 1);

		of_parts_init(&p, &o, at);
		of_parts_begin(&p);
		of_flow_stats_encode(&o, &d, &in);
		assert_true(of_parts_end(&p));
		of_parts_fini(&p);
		m = test_open(o.b, o.len);
		assert_int_equal(of_flow_stats_decode(&m, &back), OF_OK);
		assert_true(cursor_at_end(&m.body));
		assert_true(match_equal(&in.match, &back.match));
		assert_memory_equal(&in.counts, &back.counts,
				    sizeof(in.counts));
		assert_int_equal(back.cookie, in.cookie);
		assert_int_equal(back.priority, in.priority);
		assert_true(of_act_list_equal(of_acts_list(&in.acts),
					      of_acts_list(&back.acts)));
		assert_int_equal(back.idle_age, d.nxm ? 4 : -1);
		of_flow_stats_fini(&back);
		of_out_fini(&o);
	}
	of_flow_stats_fini(&in);
}

static void queries_and_removals_travel_in_every_form(void **state)
{
	struct of_flow_query q = { .table = 4,
				   .out_port = OF_PORT_LOCAL,
				   .out_group = OF_GROUP_ANY };
	struct of_flow_removed r = { .reason = OF_REMOVED_HARD,
				     .table = 5,
				     .priority = 6,
				     .cookie = 7,
				     .counts = { .packets = 1, .bytes = 2 } };
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(match_parse("udp,udp_src=53", &q.match, &e), 0);
	r.match = q.match;
	for (unsigned form = 0; form <= OF15; form++) {
		struct of_dialect d = { .version = (uint8_t)MAX(form, 1u),
					.nxm = !form };
		struct of_out o = OF_OUT_INIT;
		struct of_flow_removed r2;
		struct of_flow_query q2;
		struct of_msg m;
		size_t n;

		of_flow_query_encode(&o, OF_AGGREGATE_STATS_REQUEST, &d, 1, &q);
		n = o.len;
		of_flow_removed_encode(&o, &d, 1, &r);
		m = test_open(o.b, n);
		assert_int_equal(of_flow_query_decode(&m, &q2), OF_OK);
		assert_memory_equal(&q2, &q, sizeof(q));
		m = test_open(o.b + n, o.len - n);
		assert_int_equal(of_flow_removed_decode(&m, &r2), OF_OK);
		assert_true(match_equal(&r.match, &r2.match));
		assert_int_equal(r2.cookie, 7);
		assert_int_equal(r2.counts.bytes, 2);
		assert_int_equal(r2.table, form == OF10 ? OF_TABLE_ALL : 5);
		of_out_fini(&o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			what_ovs_ofctl_writes_is_read_and_written_alike),
		cmocka_unit_test(
			cut_messages_are_refused_or_read_within_bounds),
		cmocka_unit_test(flows_of_one_version_are_said_in_each_other),
		cmocka_unit_test(wrong_matches_get_the_error_named_for_it),
		cmocka_unit_test(loose_matches_pass_over_what_is_unknown),
		cmocka_unit_test(wrong_actions_get_the_error_named_for_it),
		cmocka_unit_test(nesting_has_an_end),
		cmocka_unit_test(wrong_instructions_get_the_error_named_for_it),
		cmocka_unit_test(instructions_are_held_in_the_order_they_work),
		cmocka_unit_test(stats_travel_in_every_form),
		cmocka_unit_test(queries_and_removals_travel_in_every_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
