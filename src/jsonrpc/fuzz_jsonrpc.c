/* SPDX-License-Identifier: Apache-2.0 */
/* JSON-RPC messages: what is one has the members of its kind, and printed again
 * it is the same one. */
#include "jsonrpc/jsonrpc.h"

#define TEXT_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_members(const struct jsonrpc_message *m)
{
	bool asks = m->kind == JSONRPC_REQUEST || m->kind == JSONRPC_NOTIFY;

	must(asks == !!m->method);
	must(asks == json_is_type(m->params, JSON_ARRAY));
	must(asks == !m->result);
	must((m->kind == JSONRPC_NOTIFY) == !m->id);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct json_limits limits = { TEXT_MAX, TEXT_MAX * 32 };
	struct json_parser *p = json_parser_create(&limits);
	size_t at = 0;

	while (at < size && json_parser_state(p) != JSON_FAILED) {
		struct jsonrpc_message m;
		struct err e = ERR_INIT;
		struct json_doc *doc;

		at += json_parser_feed(p, (const char *)data + at, size - at);
		if (json_parser_state(p) != JSON_DONE)
			continue;
		doc = json_parser_take(p);
		if (jsonrpc_message_parse(json_root(doc), &m, &e))
			must(err_is_set(&e));
		else
			check_members(&m);
		err_fini(&e);
		json_doc_destroy(doc);
	}
	json_parser_destroy(p);
	return 0;
}
