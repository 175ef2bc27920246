/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a message about the session: what decodes is written again, and
 * the second reading says what the first did. */
#include "ofwire/error.h"
#include "ofwire/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct of_msg reopened(const struct of_out *o)
{
	struct of_msg m;

	must(of_msg_open(o->b, o->len, &m) == OF_OK);
	return m;
}

static void check_role(const struct of_msg *m, struct of_out *o)
{
	struct of_role_msg a, b;
	struct of_msg again;

	if (of_role_decode(m, &a) != OF_OK)
		return;
	of_role_encode(o, m->kind, m->h.version, 1, &a);
	again = reopened(o);
	must(of_role_decode(&again, &b) == OF_OK && a.role == b.role);
	must(m->h.version < OF12 || a.generation_id == b.generation_id);
}

static void check_async(const struct of_msg *m, struct of_out *o)
{
	struct of_async a = { 0 }, b = { 0 };
	struct of_msg again;

	if (of_async_decode(m, &a) != OF_OK || m->family == OF_FAMILY_NX)
		return;
	of_async_encode(o, m->kind, m->h.version, 1, &a);
	again = reopened(o);
	must(of_async_decode(&again, &b) == OF_OK);
	must(!memcmp(&a, &b, sizeof(a)));
}

static void check_bundle(const struct of_msg *m, struct of_out *o)
{
	struct of_bundle a, b;
	struct of_msg again;

	if (of_bundle_decode(m, &a) != OF_OK)
		return;
	of_bundle_encode(o, m->kind, m->h.version, m->h.xid, &a);
	again = reopened(o);
	must(of_bundle_decode(&again, &b) == OF_OK);
	must(a.id == b.id && a.type == b.type && a.len == b.len);
}

static void check_number(const struct of_msg *m, struct of_out *o)
{
	struct of_msg again;
	uint32_t a, b;

	if (of_number_decode(m, &a) != OF_OK)
		return;
	of_number_encode(o, m->kind, m->h.version, 1, a);
	again = reopened(o);
	must(of_number_decode(&again, &b) == OF_OK && a == b);
}

static void check_rest(const struct of_msg *m, const void *data, size_t size)
{
	struct of_out o = OF_OUT_INIT;
	struct of_error_msg error;
	struct of_features features;
	struct of_config config;
	const void *inner;
	enum of_error e = OF_OK;
	size_t len;

	if (m->kind == OF_HELLO)
		(void)of_hello_decode(m);
	else if (m->kind == OF_ERROR)
		e = of_error_decode(m, &error);
	else if (m->kind == OF_FEATURES_REPLY)
		e = of_features_decode(m, &features);
	else if (m->kind == OF_SET_CONFIG || m->kind == OF_GET_CONFIG_REPLY)
		e = of_config_decode(m, &config);
	else if (m->kind == OF_REQUESTFORWARD)
		e = of_forward_decode(m, &inner, &len);
	of_error_encode(&o, e ? e : OF_OFPBRC_BAD_LEN, data, size);
	of_out_fini(&o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct of_out o = OF_OUT_INIT;
	struct of_msg m;

	if (of_msg_open(data, size, &m) != OF_OK)
		return 0;
	if (m.kind == OF_ROLE_REQUEST || m.kind == OF_ROLE_STATUS ||
	    m.kind == OF_ROLE_REPLY)
		check_role(&m, &o);
	else if (m.kind == OF_SET_ASYNC_CONFIG || m.kind == OF_GET_ASYNC_REPLY)
		check_async(&m, &o);
	else if (m.kind == OF_BUNDLE_CONTROL || m.kind == OF_BUNDLE_ADD_MESSAGE)
		check_bundle(&m, &o);
	else if (m.kind == OF_SET_PACKET_IN_FORMAT ||
		 m.kind == OF_SET_CONTROLLER_ID ||
		 m.kind == OF_FLOW_MOD_TABLE_ID || m.kind == OF_CT_FLUSH_ZONE ||
		 m.kind == OF_FLOW_MONITOR_CANCEL)
		check_number(&m, &o);
	else
		check_rest(&m, data, size);
	of_out_fini(&o);
	return 0;
}
