/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions, byte by byte. */
#include "switch/test_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/err.h"
#include "flow/match.h"
#include "ofwire/acts_text.h"
#include "ofwire/error.h"
#include "ofwire/session.h"
#include "openflow/hub.h"

/* The controller's end of a connection. */
struct peer {
	struct of_conn *c;
	struct of_dialect d;
	struct of_out heard;
	size_t at; /* what was looked at */
	const char *why;
};

static struct of_hub *hub;

static void on_send(void *ctx, const void *bytes, size_t n)
{
	of_out_bytes(&((struct peer *)ctx)->heard, bytes, n);
}

static void on_end(void *ctx, const char *why)
{
	struct peer *p = ctx;

	p->c = NULL;
	p->why = why;
}

static const struct of_conn_ops ops = { .send = on_send, .end = on_end };

static int setup(void **state)
{
	struct of_hub_config config = { .bridge = "b0", .datapath_id = 0x77 };
	struct rig *r;
	int rc = rig_setup(state);

	if (rc)
		return rc;
	r = *state;
	r->house.bridges[RIG_BLUE].openflow = true;
	rig_apply(r);
	rig_drain(r, 0);
	config.env = &r->env.env;
	config.sw = r->sw;
	hub = of_hub_create(&config);
	return 0;
}

static int teardown(void **state)
{
	of_hub_destroy(hub);
	return rig_teardown(state);
}

/* --- the controller's end --- */

static void say(struct peer *p, struct of_out *o)
{
	bool over;

	assert_int_equal(of_conn_rx(p->c, o->b, o->len, &over), o->len);
	assert_int_equal(over, p->why != NULL);
	of_out_fini(o);
	*o = (struct of_out)OF_OUT_INIT;
}

/* The next message that was heard; NULL's kind when there is none. */
static struct of_msg hear(struct peer *p)
{
	struct of_header h;
	struct of_msg m = { .kind = OF_KIND_NONE };

	if (!of_header_read(p->heard.b + p->at, p->heard.len - p->at, &h))
		return m;
	assert_int_equal(of_msg_open(p->heard.b + p->at, h.length, &m), OF_OK);
	p->at += h.length;
	return m;
}

static void must_hear(struct peer *p, enum of_kind kind)
{
	if (kind == OF_KIND_NONE) {
		assert_int_equal(hear(p).kind, kind);
		return;
	}
	assert_string_equal(of_kind_name(hear(p).kind), of_kind_name(kind));
}

static void must_hear_error(struct peer *p, enum of_error want)
{
	struct of_msg m = hear(p);
	struct of_error_msg e;

	assert_string_equal(of_kind_name(m.kind), "ERROR");
	assert_int_equal(of_error_decode(&m, &e), OF_OK);
	assert_string_equal(of_error_name(e.error), of_error_name(want));
}

/* In place: the connection knows where. */
static void begin(struct peer *p, enum of_conn_kind kind, unsigned version)
{
	struct of_out o = OF_OUT_INIT;

	*p = (struct peer){ .d = { .version = (uint8_t)version } };
	p->c = of_conn_create(hub, kind, &ops, p);
	must_hear(p, OF_HELLO);
	of_hello_encode(&o, 1u << version, 1);
	say(p, &o);
}

static void end(struct peer *p)
{
	if (p->c)
		of_conn_destroy(p->c);
	of_out_fini(&p->heard);
}

static void ask(struct peer *p, enum of_kind kind)
{
	struct of_out o = OF_OUT_INIT;

	of_msg_encode_empty(&o, kind, p->d.version, 9);
	say(p, &o);
}

static struct of_out flow_mod(const struct peer *p, const char *match,
			      const char *acts)
{
	struct of_flow_mod fm = { .priority = 100,
				  .buffer_id = OF_BUFFER_NONE,
				  .out_port = OF_PORT_NONE,
				  .out_group = OF_GROUP_ANY };
	struct of_out o = OF_OUT_INIT;
	struct err e = ERR_INIT;

	assert_int_equal(match_parse(match, &fm.match, &e), 0);
	assert_int_equal(of_acts_parse(acts, NULL, &fm.acts, &e), 0);
	assert_true(of_flow_mod_encode(&o, &p->d, 9, &fm));
	of_flow_mod_fini(&fm);
	return o;
}

static size_t n_rules(struct rig *r)
{
	return switch_of_table_count(switch_of_find(r->sw, "b0"), 0);
}

/* --- tests --- */

static void the_highest_version_of_both_is_spoken(void **state UNUSED)
{
	for (unsigned v = OF10; v <= OF15; v++) {
		struct peer p;

		begin(&p, OF_CONN_SERVICE, v);
		ask(&p, OF_FEATURES_REQUEST);
		must_hear(&p, OF_FEATURES_REPLY);
		ask(&p, v >= OF11 ? OF_BARRIER_REQUEST : OF_FEATURES_REQUEST);
		assert_int_equal(hear(&p).h.version, v);
		end(&p);
	}
}

static void no_common_version_ends_it(void **state UNUSED)
{
	static const uint8_t hello[] = { 9, 0, 0, 16, 0, 0, 0, 1,
					 0, 1, 0, 8,  0, 0, 2, 0 };
	struct peer p = { 0 };
	bool over;

	p.c = of_conn_create(hub, OF_CONN_SERVICE, &ops, &p);
	must_hear(&p, OF_HELLO);
	assert_int_equal(of_conn_rx(p.c, hello, sizeof(hello), &over),
			 sizeof(hello));
	assert_true(over && p.why);
	must_hear_error(&p, OF_OFPHFC_INCOMPATIBLE);
	end(&p);
}

static void who_says_no_hello_is_let_go(void **state UNUSED)
{
	struct peer p = { .d = { .version = OF13 } };

	p.c = of_conn_create(hub, OF_CONN_SERVICE, &ops, &p);
	ask(&p, OF_FEATURES_REQUEST);
	assert_non_null(p.why);
	end(&p);
}

static void a_message_shorter_than_its_header_ends_it(void **state UNUSED)
{
	static const uint8_t lie[] = { 4, 2, 0, 7, 0, 0, 0, 1 };
	struct peer p;
	bool over;

	begin(&p, OF_CONN_SERVICE, OF13);
	(void)of_conn_rx(p.c, lie, sizeof(lie), &over);
	assert_true(over);
	assert_non_null(p.why);
	end(&p);
}

static void half_a_message_waits(void **state)
{
	struct rig *r = *state;
	struct peer p;
	struct of_out o;
	bool over;

	begin(&p, OF_CONN_SERVICE, OF13);
	o = flow_mod(&p, "tcp", "drop");
	for (size_t n = 0; n < o.len; n++) {
		assert_int_equal(of_conn_rx(p.c, o.b, n, &over), 0);
		assert_int_equal(n_rules(r), 1);
	}
	say(&p, &o);
	assert_int_equal(n_rules(r), 2);
	end(&p);
}

static void what_is_not_understood_is_answered(void **state UNUSED)
{
	static const uint8_t unknown[] = { 4, 99, 0, 8, 0, 0, 0, 1 };
	static const uint8_t other[] = { 1, 5, 0, 8, 0, 0, 0, 1 };
	struct peer p;
	bool over;

	begin(&p, OF_CONN_SERVICE, OF13);
	assert_int_equal(of_conn_rx(p.c, unknown, 8, &over), 8);
	must_hear_error(&p, OF_OFPBRC_BAD_TYPE);
	assert_int_equal(of_conn_rx(p.c, other, 8, &over), 8);
	must_hear_error(&p, OF_OFPBRC_BAD_VERSION);
	assert_false(over);
	end(&p);
}

static struct of_out role(const struct peer *p, uint8_t want, uint64_t gen)
{
	struct of_role_msg m = { .role = want,
				 .has_generation = true,
				 .generation_id = gen };
	struct of_out o = OF_OUT_INIT;

	of_role_encode(&o, OF_ROLE_REQUEST, p->d.version, 9, &m);
	return o;
}

static void there_is_one_master_and_slaves_change_nothing(void **state)
{
	struct rig *r = *state;
	struct peer a, b;
	struct of_out o;

	begin(&a, OF_CONN_CONTROLLER, OF14);
	begin(&b, OF_CONN_CONTROLLER, OF13);
	o = role(&a, OF_ROLE_MASTER, 5);
	say(&a, &o);
	must_hear(&a, OF_ROLE_REPLY);
	o = role(&b, OF_ROLE_MASTER, 4);
	say(&b, &o);
	must_hear_error(&b, OF_OFPRRFC_STALE);
	o = role(&b, OF_ROLE_MASTER, 6);
	say(&b, &o);
	must_hear(&b, OF_ROLE_REPLY);
	must_hear(&a, OF_ROLE_STATUS);
	o = flow_mod(&a, "tcp", "drop");
	say(&a, &o);
	must_hear_error(&a, OF_OFPBRC_IS_SECONDARY);
	o = flow_mod(&b, "tcp", "drop");
	say(&b, &o);
	assert_int_equal(n_rules(r), 2);
	end(&a);
	end(&b);
}

static struct of_out bundle(const struct peer *p, unsigned type)
{
	struct of_bundle b = { .id = 3,
			       .type = (uint16_t)type,
			       .flags = OF_BUNDLE_ATOMIC };
	struct of_out o = OF_OUT_INIT;

	of_bundle_encode(&o, OF_BUNDLE_CONTROL, p->d.version, 9, &b);
	return o;
}

static struct of_out bundled(const struct peer *p, struct of_out message)
{
	struct of_bundle b = { .id = 3,
			       .flags = OF_BUNDLE_ATOMIC,
			       .message = message.b,
			       .len = message.len };
	struct of_out o = OF_OUT_INIT;

	of_bundle_encode(&o, OF_BUNDLE_ADD_MESSAGE, p->d.version, 9, &b);
	of_out_fini(&message);
	return o;
}

static void a_bundle_is_made_whole_or_not_at_all(void **state)
{
	static const char *const last[] = { "output:2", "group:9" };

	for (unsigned i = 0; i < 2; i++) {
		struct rig *r = *state;
		struct peer p;
		struct of_out o;

		begin(&p, OF_CONN_SERVICE, OF14);
		o = bundle(&p, OF_BUNDLE_OPEN_REQUEST);
		say(&p, &o);
		must_hear(&p, OF_BUNDLE_CONTROL);
		o = bundled(&p, flow_mod(&p, "arp", "drop"));
		say(&p, &o);
		o = bundled(&p, flow_mod(&p, "", last[i]));
		say(&p, &o);
		assert_int_equal(n_rules(r), i ? 4 : 1);
		o = bundle(&p, OF_BUNDLE_COMMIT_REQUEST);
		say(&p, &o);
		if (i) {
			must_hear_error(&p, OF_OFPBAC_BAD_OUT_GROUP);
			must_hear_error(&p, OF_OFPBFC_MSG_FAILED);
		} else {
			must_hear(&p, OF_BUNDLE_CONTROL);
		}
		must_hear(&p, OF_KIND_NONE);
		assert_int_equal(n_rules(r), i ? 4 : 3);
		o = flow_mod(&p, "udp", "drop");
		say(&p, &o);
		end(&p);
	}
}

static void who_did_not_ask_hears_nothing(void **state)
{
	struct rig *r = *state;
	struct peer quiet, listens, snoops;
	struct of_out o;

	begin(&quiet, OF_CONN_SERVICE, OF13);
	begin(&listens, OF_CONN_CONTROLLER, OF13);
	begin(&snoops, OF_CONN_SNOOP, OF13);
	o = flow_mod(&quiet, "in_port=1", "controller:60");
	say(&quiet, &o);
	must_hear(&snoops, OF_FLOW_MOD);
	rig_send_arp(r, 1,
		     &(struct rig_arp){ .spa = "198.51.100.1",
					.tpa = "198.51.100.2" });
	must_hear(&quiet, OF_KIND_NONE);
	must_hear(&listens, OF_PACKET_IN);
	must_hear(&snoops, OF_PACKET_IN);
	end(&quiet);
	end(&listens);
	end(&snoops);
}

static void a_bridge_that_goes_takes_its_sessions_along(void **state)
{
	struct rig *r = *state;
	struct peer p;

	begin(&p, OF_CONN_SERVICE, OF13);
	r->house.bridges[RIG_BLUE].openflow = false;
	rig_apply(r);
	ask(&p, OF_FEATURES_REQUEST);
	must_hear_error(&p, OF_OFPBRC_EPERM);
	of_hub_destroy(hub);
	hub = NULL;
	assert_non_null(p.why);
	end(&p);
}

#define CONN_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONN_TEST(the_highest_version_of_both_is_spoken),
		CONN_TEST(no_common_version_ends_it),
		CONN_TEST(who_says_no_hello_is_let_go),
		CONN_TEST(a_message_shorter_than_its_header_ends_it),
		CONN_TEST(half_a_message_waits),
		CONN_TEST(what_is_not_understood_is_answered),
		CONN_TEST(there_is_one_master_and_slaves_change_nothing),
		CONN_TEST(a_bundle_is_made_whole_or_not_at_all),
		CONN_TEST(who_did_not_ask_hears_nothing),
		CONN_TEST(a_bridge_that_goes_takes_its_sessions_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
