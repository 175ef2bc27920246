/* SPDX-License-Identifier: Apache-2.0 */
#include "ofwire/group.h"
#include "ofwire/meter.h"
#include "ofwire/monitor.h"
#include "ofwire/packet.h"
#include "ofwire/port.h"
#include "ofwire/prop.h"
#include "ofwire/recode.h"
#include "ofwire/table.h"
#include "ofwire/testing_test.h"

#define BYTES_MAX 2048u
#define N_VERSIONS (OF_VERSION_MAX - OF_VERSION_MIN + 1u)

static const struct golden {
	const char *command, *hex;
} goldens[] = {
#define GOLDEN(command, hex) { command, hex },
#include "ofwire/message_golden.def"
#undef GOLDEN
};

static void what_ovs_ofctl_writes_is_read_and_written_alike(void **state)
{
	uint8_t b[BYTES_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(goldens); i++) {
		size_t n = test_hex(goldens[i].hex, b, sizeof(b));
		struct of_msg m = test_open(b, n);
		struct of_out o = OF_OUT_INIT;

		assert_int_equal(recode(&m, &o), OF_OK);
		if (o.len != n || memcmp(o.b, b, n))
			fail_msg("%s", goldens[i].command);
		of_out_fini(&o);
	}
}

static void cut_messages_are_refused_or_read_within_bounds(void **state)
{
	uint8_t b[BYTES_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(goldens); i++) {
		size_t n = test_hex(goldens[i].hex, b, sizeof(b));

		for (size_t cut = OF_HEADER_LEN; cut < n; cut++) {
			uint8_t *copy = xmemdup(b, cut);
			struct of_out o = OF_OUT_INIT;
			struct of_msg m;

			put_be16(copy + 2, (uint16_t)cut);
			if (of_msg_open(copy, cut, &m) == OF_OK)
				assert_true(recode(&m, &o) < N_OF_ERRORS);
			of_out_fini(&o);
			free(copy);
		}
	}
}

/* --- what a switch says --- */

static const struct of_port port = {
	.number = OF_PORT_LOCAL,
	.mac = { { 2, 0, 0, 0, 0, 1 } },
	.name = "br0",
	.config = OF_PORT_DOWN,
	.state = OF_PORT_LINK_DOWN,
	.curr = 0xa840, /* 10GB-FD, other, copper, autoneg, pause asym */
	.supported = 0x2820,
};

static void put_port_desc(struct of_out *o, unsigned v)
{
	struct of_parts p;

	of_parts_init(&p, o, of_msg_begin(o, OF_PORT_DESC_STATS_REPLY, v, 1));
	of_parts_begin(&p);
	of_port_put(o, v, &port);
	assert_true(of_parts_end(&p));
	of_parts_fini(&p);
}

static void put_port_status(struct of_out *o, unsigned v)
{
	of_port_status_encode(o, v, 1, OF_PORT_MODIFIED, &port);
}

static void put_port_stats(struct of_out *o, unsigned v)
{
	struct of_port_stats s = { .number = 5,
				   .rx_packets = 1ull << 33,
				   .collisions = UINT64_MAX,
				   .duration_sec = 7 };
	size_t at = of_msg_begin(o, OF_PORT_STATS_REPLY, v, 1);

	of_port_stats_put(o, v, &s);
	of_port_stats_put(o, v, &s);
	of_msg_end(o, at);
}

static void put_queue_stats(struct of_out *o, unsigned v)
{
	struct of_queue_stats s = { .port = 2, .queue = 9, .tx_bytes = 77 };
	size_t at = of_msg_begin(o, OF_QUEUE_STATS_REPLY, v, 1);

	of_queue_stats_put(o, v, &s);
	of_msg_end(o, at);
}

static void put_queues(struct of_out *o, unsigned v)
{
	struct of_queue q = { 3, 4, 500, OF_QUEUE_NO_RATE };
	size_t at = of_queues_begin(o, v, 1, 3);

	of_queue_put(o, v, &q);
	q.max_rate = 700;
	of_queue_put(o, v, &q);
	of_msg_end(o, at);
}

static struct of_group make_group(void)
{
	struct of_group g = { .type = OF_GROUP_TYPE_SELECT, .id = 7 };
	struct of_bucket *b = of_group_bucket(&g);

	g.command_bucket = OF_BUCKET_ALL;
	b->weight = 3;
	of_acts_output(&b->acts, 1, 0);
	b = of_group_bucket(&g);
	b->id = 1;
	b->weight = 4;
	b->watch_port = 6;
	of_acts_output(&b->acts, OF_PORT_CONTROLLER, 128);
	return g;
}

static void put_group_desc(struct of_out *o, unsigned v)
{
	struct of_group g = make_group();
	size_t at = of_msg_begin(o, OF_GROUP_DESC_STATS_REPLY, v, 1);

	of_group_desc_put(o, v, &g);
	of_group_fini(&g);
	of_msg_end(o, at);
}

static void put_group_stats(struct of_out *o, unsigned v)
{
	struct of_bucket_stats b[2] = { { 1, 2 }, { 3, 4 } };
	struct of_group_stats s = {
		.id = 7, .refs = 1, .packets = 4, .buckets = b, .n_buckets = 2
	};
	size_t at = of_msg_begin(o, OF_GROUP_STATS_REPLY, v, 1);

	of_group_stats_put(o, v, &s);
	of_msg_end(o, at);
}

static void put_group_features(struct of_out *o, unsigned v)
{
	struct of_group_features f = { .types = 15,
				       .max_groups = { 1, 2, 3, 4 } };

	of_group_features_encode(o, v, 1, &f);
}

static void put_meter_config(struct of_out *o, unsigned v)
{
	struct of_band bands[2] = { { OF_BAND_DROP, 0, 100, 10 },
				    { OF_BAND_DSCP, 2, 50, 5 } };
	struct of_meter m = { .flags = OF_METER_KBPS | OF_METER_BURST,
			      .id = 5,
			      .bands = bands,
			      .n_bands = 2 };
	size_t at = of_msg_begin(o, OF_METER_CONFIG_STATS_REPLY, v, 1);

	of_meter_config_put(o, &m);
	of_msg_end(o, at);
}

static void put_meter_stats(struct of_out *o, unsigned v)
{
	struct of_band_stats b = { 5, 6 };
	struct of_meter_stats s = {
		.id = 5, .flows = 2, .packets = 9, .bands = &b, .n_bands = 1
	};
	size_t at = of_msg_begin(o, OF_METER_STATS_REPLY, v, 1);

	of_meter_stats_put(o, &s);
	of_msg_end(o, at);
}

static void put_meter_features(struct of_out *o, unsigned v)
{
	struct of_meter_features f = { .max_meters = 100,
				       .band_types = 6,
				       .capabilities = 15,
				       .max_bands = 8 };

	of_meter_features_encode(o, v, 1, &f);
}

static const struct of_table table = { .id = 3,
				       .config = OF_TABLE_EVICTION,
				       .has_eviction = true,
				       .eviction = OF_EVICT_IMPORTANCE,
				       .has_vacancy = true,
				       .vacancy_down = 20,
				       .vacancy_up = 80,
				       .vacancy = 50 };

static void put_table_desc(struct of_out *o, unsigned v)
{
	size_t at = of_msg_begin(o, OF_TABLE_DESC_REPLY, v, 1);

	of_table_desc_put(o, &table);
	of_msg_end(o, at);
}

static void put_table_status(struct of_out *o, unsigned v)
{
	of_table_status_encode(o, v, 1, 3, &table);
}

static void put_table_stats(struct of_out *o, unsigned v)
{
	struct of_table_stats s = { .id = 2,
				    .name = "classifier",
				    .max = 1000000,
				    .active = 5,
				    .lookups = 99 };
	size_t at = of_msg_begin(o, OF_TABLE_STATS_REPLY, v, 1);

	of_table_stats_put(o, v, &s);
	of_msg_end(o, at);
}

static void put_table_features(struct of_out *o, unsigned v)
{
	struct of_table_features f = { .id = 2,
				       .name = "classifier",
				       .max = 5,
				       .has_props = true,
				       .hit.instructions = 0x3e,
				       .hit.apply_actions = 0xff0001 };
	size_t at = of_msg_begin(o, OF_TABLE_FEATURES_STATS_REPLY, v, 1);

	f.hit.next[0] = 0xf8;
	of_field_set_put(&f.match, FIELD_ETH_DST);
	of_field_set_put(&f.match, FIELD_IP_PROTO);
	of_field_set_put(&f.mask, FIELD_ETH_DST);
	of_field_set_put(&f.hit.write_fields, FIELD_REG3);
	f.miss = f.hit;
	of_table_features_put(o, v, &f);
	of_msg_end(o, at);
}

static void put_desc(struct of_out *o, unsigned v)
{
	struct of_desc d = { "made by", "hard", "soft", "1", "br0" };

	of_desc_encode(o, v, 1, &d);
}

static void put_packet_in(struct of_out *o, unsigned v)
{
	static const uint8_t frame[60] = { 1, 2, 3, 4 };
	static const uint8_t continuation[16] = { 0xff, 0xff, 0,    16,
						  0,    0,    0x23, 0x20 };
	struct of_packet_in pi = {
		.packet = frame,
		.len = sizeof(frame),
		.total_len = 1500,
		.buffer_id = OF_BUFFER_NONE,
		.reason = OF_REASON_ACTION,
		.table = 4,
		.cookie = 9,
		.userdata = cursor_init("abc", 3),
		.continuation = cursor_init(continuation, sizeof(continuation)),
		.has_continuation = true,
	};
	enum of_packet_in_form form = v % 3;

	match_init(&pi.metadata);
	pi.metadata.key.in_port = 6;
	MASK_SET(&pi.metadata.mask, in_port);
	pi.metadata.key.reg[2] = 0x1234;
	MASK_SET(&pi.metadata.mask, reg[2]);
	of_packet_in_encode(o, form, v, 1, &pi);
}

static void put_update(struct of_out *o, unsigned v)
{
	struct of_update u = { .event = OF_UPDATE_ADDED,
			       .table = 2,
			       .priority = 5,
			       .cookie = 77 };
	struct err e = ERR_INIT;
	size_t at = of_msg_begin(o, OF_FLOW_MONITOR_STATS_REPLY, v, 1);

	assert_int_equal(match_parse("ip,ip_dst=10.0.0.1", &u.match, &e), 0);
	of_acts_output(&u.acts, 3, 0);
	assert_true(of_update_put(o, v, &u));
	u.event = OF_UPDATE_ABBREV;
	u.xid = 0x1234;
	assert_true(of_update_put(o, v, &u));
	of_update_fini(&u);
	of_msg_end(o, at);
}

static const struct said {
	enum of_kind kind;
	void (*put)(struct of_out *o, unsigned version);
} said[] = {
	{ OF_PORT_DESC_STATS_REPLY, put_port_desc },
	{ OF_PORT_STATUS, put_port_status },
	{ OF_PORT_STATS_REPLY, put_port_stats },
	{ OF_QUEUE_STATS_REPLY, put_queue_stats },
	{ OF_QUEUE_GET_CONFIG_REPLY, put_queues },
	{ OF_GROUP_DESC_STATS_REPLY, put_group_desc },
	{ OF_GROUP_STATS_REPLY, put_group_stats },
	{ OF_GROUP_FEATURES_STATS_REPLY, put_group_features },
	{ OF_METER_CONFIG_STATS_REPLY, put_meter_config },
	{ OF_METER_STATS_REPLY, put_meter_stats },
	{ OF_METER_FEATURES_STATS_REPLY, put_meter_features },
	{ OF_TABLE_DESC_REPLY, put_table_desc },
	{ OF_TABLE_STATUS, put_table_status },
	{ OF_TABLE_STATS_REPLY, put_table_stats },
	{ OF_TABLE_FEATURES_STATS_REPLY, put_table_features },
	{ OF_DESC_STATS_REPLY, put_desc },
	{ OF_PACKET_IN, put_packet_in },
	{ OF_FLOW_MONITOR_STATS_REPLY, put_update },
};

static void what_a_switch_says_is_read_and_said_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(said) * N_VERSIONS; i++) {
		const struct said *s = &said[i / N_VERSIONS];
		unsigned v = OF_VERSION_MIN + (unsigned)(i % N_VERSIONS);
		struct of_out o = OF_OUT_INIT, again = OF_OUT_INIT;
		struct of_msg m;

		if (!of_kind_exists(s->kind, v))
			continue;
		s->put(&o, v);
		m = test_open(o.b, o.len);
		assert_int_equal(m.kind, s->kind);
		assert_int_equal(recode(&m, &again), OF_OK);
		assert_int_equal(o.len, again.len);
		if (memcmp(o.b, again.b, o.len))
			fail_msg("%s in version %u", of_kind_name(s->kind), v);
		of_out_fini(&o);
		of_out_fini(&again);
	}
}

static void features_of_a_link_keep_their_meaning_in_1_0(void **state)
{
	(void)state;
	for (unsigned v = OF_VERSION_MIN; v <= OF_VERSION_MAX; v++) {
		struct of_out o = OF_OUT_INIT;
		struct of_port back;
		struct cursor c;

		of_port_put(&o, v, &port);
		c = cursor_init(o.b, o.len);
		assert_int_equal(of_port_get(&c, v, &back), OF_OK);
		/* 1.0 has no "other". */
		assert_int_equal(back.curr,
				 port.curr & (v == OF10 ? ~0x400u : ~0u));
		assert_int_equal(back.number, OF_PORT_LOCAL);
		assert_string_equal(back.name, "br0");
		of_out_fini(&o);
	}
}

static enum of_error decode(const char *hex)
{
	uint8_t b[512];
	size_t n = test_hex(hex, b, sizeof(b));
	struct of_out o = OF_OUT_INIT;
	struct of_msg m;
	enum of_error e = of_msg_open(b, n, &m);

	if (!e)
		e = recode(&m, &o);
	of_out_fini(&o);
	return e;
}

static const struct {
	const char *hex;
	enum of_error want;
} wrong[] = {
	/* meters: command, flags, id, band */
	{ "041d 0010 00000001 0003 0001 00000001", OF_OFPMMFC_BAD_COMMAND },
	{ "041d 0010 00000001 0000 0003 00000001", OF_OFPMMFC_BAD_FLAGS },
	{ "041d 0010 00000001 0000 0001 00000000", OF_OFPMMFC_INVALID_METER },
	{ "041d 0020 00000001 0000 0001 00000001 0005 0010 00000001"
	  "00000000 00000000",
	  OF_OFPMMFC_BAD_BAND },
	/* groups: command, type, buckets, liveness, weight */
	{ "040f 0010 00000001 0009 00 00 00000001", OF_OFPGMFC_BAD_COMMAND },
	{ "040f 0010 00000001 0003 00 00 00000001", OF_OFPGMFC_BAD_COMMAND },
	{ "040f 0010 00000001 0000 09 00 00000001", OF_OFPGMFC_BAD_TYPE },
	{ "040f 0010 00000001 0000 02 00 00000001", OF_OFPGMFC_INVALID_GROUP },
	{ "040f 0018 00000001 0000 00 00 00000001 0040 0000 00000000",
	  OF_OFPGMFC_BAD_BUCKET },
	{ "040f 0020 00000001 0000 03 00 00000001 0010 0000 ffffffff"
	  "ffffffff 00000000",
	  OF_OFPGMFC_INVALID_GROUP },
	{ "040f 0020 00000001 0000 00 00 00000001 0010 0001 ffffffff"
	  "ffffffff 00000000",
	  OF_OFPGMFC_INVALID_GROUP },
	{ "040f 0020 00000001 0000 00 00 00000001 0010 0000 00000001"
	  "ffffffff 00000000",
	  OF_OFPGMFC_WATCH_UNSUPPORTED },
	/* ports: bits outside the mask, bits that are none */
	{ "0410 0028 00000001 00000001 00000000 020000000001 0000"
	  "00000001 00000000 00000000 00000000",
	  OF_OFPPMFC_BAD_CONFIG },
	{ "0410 0028 00000001 00000001 00000000 020000000001 0000"
	  "00000000 00000010 00000000 00000000",
	  OF_OFPPMFC_BAD_CONFIG },
	/* tables: configuration, vacancy upside down */
	{ "0511 0010 00000001 03000000 00000001", OF_OFPTMFC_BAD_CONFIG },
	{ "0511 0018 00000001 03000000 00000008 0003 0008 50140000",
	  OF_OFPBPC_BAD_VALUE },
	{ "0511 0018 00000001 03000000 00000008 0007 0008 00000000",
	  OF_OFPBPC_BAD_TYPE },
	{ "0511 0018 00000001 03000000 00000008 0003 0040 00000000",
	  OF_OFPBPC_BAD_LEN },
	/* packet-out: from a port that is none, actions too long */
	{ "010d 0010 00000001 ffffffff fff8 0000", OF_OFPBRC_BAD_PORT },
	{ "010d 0010 00000001 ffffffff 0001 0008", OF_OFPBRC_BAD_LEN },
	/* monitors */
	{ "0512 0028 00000001 0010 0000 00000000 00000001 ffffffff"
	  "ffffffff 0000 ff 07 0001 0004 00000000",
	  OF_OFPMOFC_BAD_COMMAND },
	{ "0512 0028 00000001 0010 0000 00000000 00000001 ffffffff"
	  "ffffffff 8000 ff 00 0001 0004 00000000",
	  OF_OFPMOFC_BAD_FLAGS },
	/* tunnel options */
	{ "0104 0020 00000001 00002320 00000018 0000 000000000000"
	  "ffff 00 05 0000 0000",
	  OF_NXTTMFC_BAD_OPT_LEN },
	{ "0104 0020 00000001 00002320 00000018 0000 000000000000"
	  "ffff 00 04 0040 0000",
	  OF_NXTTMFC_BAD_FIELD_IDX },
	{ "0104 0018 00000001 00002320 00000018 0009 000000000000",
	  OF_NXTTMFC_BAD_COMMAND },
};

static void wrong_requests_get_the_error_named_for_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		if (decode(wrong[i].hex) != wrong[i].want)
			fail_msg("%s: %u", wrong[i].hex, decode(wrong[i].hex));
}

static void packet_in_keeps_userdata_and_continuation(void **state)
{
	struct of_out o = OF_OUT_INIT;
	struct of_packet_in pi;
	struct of_msg m;

	(void)state;
	put_packet_in(&o, OF11 + OF12); /* 5: the form is NXT2 */
	m = test_open(o.b, o.len);
	assert_int_equal(of_packet_in_decode(&m, &pi), OF_OK);
	assert_int_equal(pi.len, 60);
	assert_int_equal(pi.total_len, 1500);
	assert_int_equal(pi.cookie, 9);
	assert_int_equal(pi.metadata.key.reg[2], 0x1234);
	assert_int_equal(cursor_left(&pi.userdata), 3);
	assert_true(pi.has_continuation);
	assert_int_equal(cursor_left(&pi.continuation), 16);
	assert_int_equal(cursor_u16(&pi.continuation), OF_PROP_EXPERIMENTER);
	of_out_fini(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			what_ovs_ofctl_writes_is_read_and_written_alike),
		cmocka_unit_test(
			cut_messages_are_refused_or_read_within_bounds),
		cmocka_unit_test(what_a_switch_says_is_read_and_said_again),
		cmocka_unit_test(features_of_a_link_keep_their_meaning_in_1_0),
		cmocka_unit_test(wrong_requests_get_the_error_named_for_them),
		cmocka_unit_test(packet_in_keeps_userdata_and_continuation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
