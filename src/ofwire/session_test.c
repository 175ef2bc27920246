/* SPDX-License-Identifier: Apache-2.0 */
#include "ofwire/session.h"

#include "ofwire/error.h"
#include "ofwire/testing_test.h"

static enum of_error open_hex(const char *hex)
{
	uint8_t b[512];
	struct of_msg m;

	return of_msg_open(b, test_hex(hex, b, sizeof(b)), &m);
}

static void hello_carries_every_version_it_names(void **state)
{
	(void)state;
	for (uint32_t set = 2; set <= OF_VERSIONS_ALL; set += 2) {
		struct of_out o = OF_OUT_INIT;
		struct of_msg m;

		of_hello_encode(&o, set, 7);
		m = test_open(o.b, o.len);
		assert_int_equal(m.kind, OF_HELLO);
		assert_int_equal(of_hello_decode(&m), set);
		of_out_fini(&o);
	}
}

static void hello_of_a_later_version_still_opens(void **state)
{
	uint8_t b[64];
	size_t n = test_hex("09 00 0010 00000001 0001 0008 00000070", b, 64);
	struct of_msg m = test_open(b, n);

	(void)state;
	assert_int_equal(of_hello_decode(&m), 0x70);
	assert_int_equal(of_versions_agree(0x70, 0x30), OF14);
	assert_int_equal(of_versions_agree(0x80, 0x30), 0);
}

static void broken_hello_counts_by_its_header(void **state)
{
	uint8_t b[64];
	size_t n = test_hex("04 00 000c 00000001 0001 0040", b, 64);
	struct of_msg m = test_open(b, n);

	(void)state;
	assert_int_equal(of_hello_decode(&m), 0x1e);
}

static void messages_that_lie_get_the_error_named_for_it(void **state)
{
	static const struct {
		const char *hex;
		enum of_error want;
	} cases[] = {
		{ "01 05 0008 0000", OF_OFPBRC_BAD_LEN },
		{ "01 05 0009 00000000", OF_OFPBRC_BAD_LEN },
		{ "01 05 0007 00000000", OF_OFPBRC_BAD_LEN },
		{ "00 05 0008 00000000", OF_OFPBRC_BAD_VERSION },
		{ "07 05 0008 00000000", OF_OFPBRC_BAD_VERSION },
		{ "01 63 0008 00000000", OF_OFPBRC_BAD_TYPE },
		{ "01 05 000c 00000000 00000000", OF_OFPBRC_BAD_LEN },
		{ "01 04 000c 00000000 00002320", OF_OFPBRC_BAD_LEN },
		{ "01 04 0010 00000000 00001234 00000001",
		  OF_OFPBRC_BAD_VENDOR },
		{ "01 04 0010 00000000 00002320 0000ffff",
		  OF_OFPBRC_BAD_SUBTYPE },
		{ "01 04 0010 00000000 00002320 00010012",
		  OF_OFPBRC_BAD_SUBTYPE },
		{ "01 10 000c 00000000 00aa 0000", OF_OFPBRC_BAD_STAT },
		{ "04 12 0010 00000000 00aa 0000 00000000",
		  OF_OFPBRC_BAD_STAT },
		{ "04 12 000c 00000000 0000 0000", OF_OFPBRC_BAD_LEN },
		{ "04 12 0014 00000000 ffff 0000 00000000 12345678",
		  OF_OFPBRC_BAD_VENDOR },
		{ "01 18 0008 00000000", OF_OFPBRC_BAD_TYPE },
		{ "03 18 0018 00000000 00000001 00000000 0000000000000000",
		  OF_OK },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(open_hex(cases[i].hex), cases[i].want);
}

static void every_kind_opens_as_it_was_begun(void **state)
{
	(void)state;
	for (unsigned kind = 1; kind < N_OF_KINDS; kind++)
		for (unsigned v = OF_VERSION_MIN; v <= OF_VERSION_MAX; v++) {
			struct of_out o = OF_OUT_INIT;
			struct of_msg m = { .kind = OF_KIND_NONE };
			enum of_error e = OF_OFPBRC_BAD_LEN;
			size_t at;

			if (!of_kind_exists((enum of_kind)kind, v))
				continue;
			at = of_msg_begin(&o, (enum of_kind)kind, v, 0x12345);
			for (unsigned i = 0; e && i < 2048; i += 4) {
				of_msg_end(&o, at);
				e = of_msg_open(o.b, o.len, &m);
				of_out_add(&o, 4);
			}
			assert_int_equal(e, OF_OK);
			assert_int_equal(m.kind, kind);
			assert_int_equal(m.h.xid, 0x12345);
			of_out_fini(&o);
		}
}

/* Checked with `ovs-ofctl encode-error-reply` and `ofp-print`. */
static void errors_are_said_as_each_version_has_them(void **state)
{
	static const struct {
		enum of_error e;
		const char *request, *reply;
	} cases[] = {
		{ OF_OFPBRC_BAD_LEN, "01 05 0008 00000009",
		  "01 01 0014 00000009 0001 0006 0105000800000009" },
		{ OF_OFPFMFC_OVERLAP, "01 0e 0008 00000009",
		  "01 01 0014 00000009 0003 0001 010e000800000009" },
		{ OF_OFPFMFC_OVERLAP, "04 0e 0008 00000009",
		  "04 01 0014 00000009 0005 0003 040e000800000009" },
		{ OF_NXBRC_MUST_BE_ZERO, "01 05 0008 00000009",
		  "01 01 001c 00000009 b0c2 0000 00002320 0001 0203"
		  "0105000800000009" },
		{ OF_NXBRC_MUST_BE_ZERO, "04 05 0008 00000009",
		  "04 01 0018 00000009 ffff 0004 00002320 0405000800000009" },
		{ OF_OFPBFC_MSG_FAILED, "04 05 0008 00000009",
		  "04 01 0018 00000009 ffff 0909 4f4e4600 0405000800000009" },
		{ OF_OFPBFC_MSG_FAILED, "05 05 0008 00000009",
		  "05 01 0014 00000009 0011 000d 0505000800000009" },
		/* 1.0 has no meters, nor an extension that has. */
		{ OF_OFPMMFC_BAD_RATE, "01 05 0008 00000009",
		  "01 01 001c 00000009 b0c2 0000 00002320 0001 0209"
		  "0105000800000009" },
	};
	uint8_t b[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t n = test_hex(cases[i].request, b, sizeof(b));
		struct of_out o = OF_OUT_INIT;
		struct of_error_msg back;
		struct of_msg m;

		of_error_encode(&o, cases[i].e, b, n);
		test_bytes(&o, cases[i].reply);
		m = test_open(o.b, o.len);
		assert_int_equal(of_error_decode(&m, &back), OF_OK);
		if (cases[i].e != OF_OFPMMFC_BAD_RATE)
			assert_int_equal(back.error, cases[i].e);
		assert_int_equal(back.len, n);
		assert_memory_equal(back.data, b, n);
		of_out_fini(&o);
	}
}

static void every_error_has_a_name_and_comes_back_by_it(void **state)
{
	(void)state;
	for (unsigned e = 1; e < N_OF_ERRORS; e++)
		assert_int_equal(
			of_error_by_name(of_error_name((enum of_error)e)), e);
	assert_int_equal(of_error_by_name("OFPXX"), OF_OK);
	assert_null(of_error_name(OF_OK));
	assert_int_equal(of_error_by_code(OF10, 0, 1, 6), OF_OFPBRC_BAD_LEN);
	assert_int_equal(of_error_by_code(OF13, 0, 99, 6), OF_OK);
}

static void roles_travel_in_every_version(void **state)
{
	(void)state;
	for (unsigned v = OF_VERSION_MIN; v <= OF_VERSION_MAX; v++)
		for (uint8_t role = OF_ROLE_EQUAL; role <= OF_ROLE_SLAVE;
		     role++) {
			struct of_role_msg in = { .role = role,
						  .has_generation = v >= OF12,
						  .generation_id =
							  5 * (v >= OF12) },
					   back;
			struct of_out o = OF_OUT_INIT;
			struct of_msg m;

			of_role_encode(&o, OF_ROLE_REQUEST, v, 1, &in);
			m = test_open(o.b, o.len);
			assert_int_equal(of_role_decode(&m, &back), OF_OK);
			assert_int_equal(back.role, role);
			assert_int_equal(back.has_generation, v >= OF12);
			assert_int_equal(back.generation_id, in.generation_id);
			of_out_fini(&o);
		}
}

static void unknown_role_is_refused(void **state)
{
	uint8_t b[64];
	struct of_role_msg role;
	struct of_msg m =
		test_open(b, test_hex("04 18 0018 00000001 00000004 00000000"
				      "0000000000000001",
				      b, 64));

	(void)state;
	assert_int_equal(of_role_decode(&m, &role), OF_OFPRRFC_BAD_ROLE);
	m = test_open(b, test_hex("01 04 0014 00000001 00002320 0000000a"
				  "00000003",
				  b, 64));
	assert_int_equal(of_role_decode(&m, &role), OF_OFPRRFC_BAD_ROLE);
}

static void async_masks_travel_in_every_version(void **state)
{
	struct of_async in = { .master = { 5, 3, 9, 1, 8, 2 },
			       .slave = { 1, 7, 2, 4, 16, 1 } };

	(void)state;
	for (unsigned v = OF_VERSION_MIN; v <= OF_VERSION_MAX; v++) {
		struct of_out o = OF_OUT_INIT;
		struct of_async back = { 0 };
		struct of_msg m;

		of_async_encode(&o, OF_SET_ASYNC_CONFIG, v, 1, &in);
		m = test_open(o.b, o.len);
		assert_int_equal(of_async_decode(&m, &back), OF_OK);
		if (v >= OF14)
			assert_memory_equal(&back, &in, sizeof(in));
		else
			assert_memory_equal(back.master, in.master,
					    3 * sizeof(uint32_t));
		of_out_fini(&o);
	}
}

static void async_reason_that_is_none_changes_nothing(void **state)
{
	uint8_t b[64];
	struct of_async a = { .master = { 1 } };
	struct of_msg m =
		test_open(b, test_hex("05 1c 0018 00000001 0001 0008 00000003"
				      "0000 0008 00001000",
				      b, 64));

	(void)state;
	assert_int_equal(of_async_decode(&m, &a), OF_OFPACFC_INVALID);
	assert_int_equal(a.master[0], 1);
}

static void bundles_carry_messages_of_their_own_version_and_xid(void **state)
{
	static const uint8_t echo13[8] = { 4, 2, 0, 8, 0, 0, 0, 1 };
	struct of_bundle in = { .id = 9,
				.flags = OF_BUNDLE_ATOMIC,
				.message = echo13,
				.len = sizeof(echo13) },
			 back;
	struct of_out o = OF_OUT_INIT;
	struct of_msg m;

	(void)state;
	of_bundle_encode(&o, OF_BUNDLE_ADD_MESSAGE, OF13, 1, &in);
	test_bytes(&o, "04 04 0020 00000001 4f4e4600 000008fd"
		       "00000009 0000 0001 04 02 0008 00000001");
	m = test_open(o.b, o.len);
	assert_int_equal(of_bundle_decode(&m, &back), OF_OK);
	assert_int_equal(back.len, 8);
	assert_memory_equal(back.message, echo13, 8);
	o.b[7] = 2;
	m = test_open(o.b, o.len);
	assert_int_equal(of_bundle_decode(&m, &back), OF_OFPBFC_MSG_BAD_XID);
	o.b[27] = 9;
	assert_int_equal(of_bundle_decode(&m, &back), OF_OFPBFC_MSG_BAD_LEN);
	of_out_fini(&o);
}

static void numbers_keep_their_place(void **state)
{
	static const struct {
		enum of_kind kind;
		uint32_t n;
	} cases[] = { { OF_SET_PACKET_IN_FORMAT, 2 },
		      { OF_SET_CONTROLLER_ID, 0x1234 },
		      { OF_FLOW_MOD_TABLE_ID, 1 },
		      { OF_CT_FLUSH_ZONE, 0xfffe },
		      { OF_SET_FLOW_FORMAT, 2 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct of_out o = OF_OUT_INIT;
		struct of_msg m;
		uint32_t n;

		of_number_encode(&o, cases[i].kind, OF10, 1, cases[i].n);
		m = test_open(o.b, o.len);
		assert_int_equal(of_number_decode(&m, &n), OF_OK);
		assert_int_equal(n, cases[i].n);
		of_out_fini(&o);
	}
}

static void config_refuses_flags_of_another_version(void **state)
{
	struct of_config in = { OF_CONFIG_INVALID_TTL, 128 }, back;
	struct of_out o = OF_OUT_INIT;
	struct of_msg m;

	(void)state;
	of_config_encode(&o, OF_SET_CONFIG, OF12, 1, &in);
	m = test_open(o.b, o.len);
	assert_int_equal(of_config_decode(&m, &back), OF_OK);
	assert_int_equal(back.miss_send_len, 128);
	m.h.version = OF13;
	assert_int_equal(of_config_decode(&m, &back), OF_OFPSCFC_BAD_FLAGS);
	of_out_fini(&o);
}

/* Each part is 1000 bytes of its own number. */
static void long_answers_are_cut_between_parts(void **state)
{
	struct of_out o = OF_OUT_INIT;
	struct of_parts p;
	unsigned seen = 0;
	size_t at = 0;

	(void)state;
	of_parts_init(&p, &o, of_msg_begin(&o, OF_FLOW_STATS_REPLY, OF13, 77));
	for (unsigned i = 0; i < 200; i++) {
		of_parts_begin(&p);
		memset(of_out_add(&o, 1000), (int)i, 1000);
		assert_true(of_parts_end(&p));
	}
	of_parts_begin(&p);
	of_out_add(&o, 70000);
	assert_false(of_parts_end(&p));
	of_parts_fini(&p);
	while (at < o.len) {
		size_t len = get_be16(o.b + at + 2);
		struct of_msg m = test_open(o.b + at, len);

		assert_int_equal(m.h.xid, 77);
		assert_int_equal(cursor_left(&m.body) % 1000, 0);
		while (!cursor_at_end(&m.body)) {
			assert_int_equal(cursor_u8(&m.body), seen++);
			cursor_skip(&m.body, 999);
		}
		at += len;
		assert_int_equal(m.flags, at < o.len ? OF_STAT_MORE : 0);
	}
	assert_int_equal(seen, 200);
	of_out_fini(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hello_carries_every_version_it_names),
		cmocka_unit_test(hello_of_a_later_version_still_opens),
		cmocka_unit_test(broken_hello_counts_by_its_header),
		cmocka_unit_test(messages_that_lie_get_the_error_named_for_it),
		cmocka_unit_test(every_kind_opens_as_it_was_begun),
		cmocka_unit_test(errors_are_said_as_each_version_has_them),
		cmocka_unit_test(every_error_has_a_name_and_comes_back_by_it),
		cmocka_unit_test(roles_travel_in_every_version),
		cmocka_unit_test(unknown_role_is_refused),
		cmocka_unit_test(async_masks_travel_in_every_version),
		cmocka_unit_test(async_reason_that_is_none_changes_nothing),
		cmocka_unit_test(
			bundles_carry_messages_of_their_own_version_and_xid),
		cmocka_unit_test(numbers_keep_their_place),
		cmocka_unit_test(config_refuses_flags_of_another_version),
		cmocka_unit_test(long_answers_are_cut_between_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
