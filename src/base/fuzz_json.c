/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: JSON. What parses prints, and what was printed parses to the
 * same value; in chunks as in one piece; within the memory that is allowed. */
#include "base/json.h"

#define MEMORY_BYTES 65536u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print_again(const struct json *v)
{
	struct json_doc *d = NULL, *clone = json_doc_clone(v);
	struct err e = ERR_INIT;
	struct str s = STR_INIT;

	json_add(&s, v);
	must(!json_parse(s.s, s.len, &d, &e));
	must(json_equal(v, json_root(d)));
	must(json_equal(v, json_root(clone)));
	must(json_hash(v, 1) == json_hash(json_root(d), 1));
	json_doc_destroy(d);
	json_doc_destroy(clone);
	str_fini(&s);
}

/* Every document of a stream, in chunks of `step` bytes. Returns how many. */
static unsigned stream(const char *text, size_t size, size_t step,
		       struct json_limits limits)
{
	struct json_parser *p = json_parser_create(&limits);
	unsigned n = 0;

	for (size_t at = 0; at < size;) {
		size_t left = MIN(step, size - at);

		at += json_parser_feed(p, text + at, left);
		if (json_parser_state(p) == JSON_FAILED) {
			must(json_parser_error(p));
			break;
		}
		if (json_parser_state(p) == JSON_DONE) {
			json_doc_destroy(json_parser_take(p));
			n++;
		}
	}
	json_parser_destroy(p);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct json_limits small = { size / 2 + 1, MEMORY_BYTES };
	struct json_limits none = { 0 };
	struct json_doc *d = NULL;
	struct err e = ERR_INIT;

	must(stream(text, size, 1, none) == stream(text, size, 7, none));
	stream(text, size, 3, small);
	if (!json_parse(text, size, &d, &e)) {
		print_again(json_root(d));
		json_doc_destroy(d);
	}
	err_fini(&e);
	return 0;
}
