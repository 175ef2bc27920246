/* SPDX-License-Identifier: Apache-2.0 */
/* JSON: the text that is read, refused and written. */
#include "base/json.h"

#include <setjmp.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/env.h"

#define N_RANDOM 3000

static struct json_doc *parsed(const char *text)
{
	struct json_doc *d = NULL;
	struct err e = ERR_INIT;

	if (json_parse(text, strlen(text), &d, &e))
		fail_msg("%s: %s", text, e.text);
	return d;
}

static void prints_as(const char *text, const char *want)
{
	struct json_doc *d = parsed(text);
	struct str s = STR_INIT;

	json_add(&s, json_root(d));
	assert_string_equal(str_text(&s), want);
	str_fini(&s);
	json_doc_destroy(d);
}

static void is_refused(const char *text, const char *why)
{
	struct json_doc *d = NULL;
	struct err e = ERR_INIT;

	if (!json_parse(text, strlen(text), &d, &e))
		fail_msg("%s was not refused", text);
	if (!strstr(e.text, why))
		fail_msg("%s: %s (wanted: %s)", text, e.text, why);
	err_fini(&e);
}

static void values_are_read_and_printed(void **state)
{
	(void)state;
	prints_as(" null ", "null");
	prints_as("[ ]", "[]");
	prints_as("{ }", "{}");
	prints_as("[true,false,null]", "[true,false,null]");
	prints_as("{\"b\":1,\"a\":[{},[[]]]}", "{\"a\":[{},[[]]],\"b\":1}");
	prints_as("\"\"", "\"\"");
}

static void names_are_sorted_and_the_last_of_equal_ones_wins(void **state)
{
	struct json_doc *d =
		parsed("{\"b\":1,\"c\":2,\"a\":3,\"b\":4,\"b\":5}");
	const struct json *v = json_root(d);

	(void)state;
	assert_int_equal(v->n, 3);
	assert_int_equal(json_find(v, "b")->i, 5);
	assert_int_equal(json_find(v, "c")->i, 2);
	assert_null(json_find(v, "d"));
	assert_null(json_find(NULL, "d"));
	assert_null(json_find(json_find(v, "b"), "d"));
	json_doc_destroy(d);
}

static void integers_are_exact_however_written(void **state)
{
	(void)state;
	prints_as("9223372036854775807", "9223372036854775807");
	prints_as("-9223372036854775808", "-9223372036854775808");
	prints_as("9223372036854775808", "9.223372036854776e+18");
	prints_as("1.0", "1");
	prints_as("1e3", "1000");
	prints_as("100e-2", "1");
	prints_as("1234567890123456789.0", "1234567890123456789");
	prints_as("-0", "0");
	prints_as("-0.0e5", "0");
	prints_as("0.1", "0.1");
	prints_as("-1.5e-7", "-1.5e-07");
	prints_as("0.30000000000000004", "0.30000000000000004");
	prints_as("0.99999999999999999999", "1");
	prints_as("1e17", "100000000000000000");
}

static void bad_numbers_are_refused(void **state)
{
	static const char *const bad[] = { "01",   "-",   "1.",  ".5",
					   "1e",   "+1",  "1e+", "--1",
					   "1.e5", "0x1", "1-1" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		is_refused(bad[i], "");
	is_refused("1e400", "too large");
}

static void escapes_become_utf_8(void **state)
{
	(void)state;
	prints_as("\"\\u00e9\\u20ac\\ud83d\\ude00\\/\"", "\"é€😀/\"");
	prints_as("\"\\b\\f\\n\\r\\t\\\"\\\\\\u001f\"",
		  "\"\\b\\f\\n\\r\\t\\\"\\\\\\u001f\"");
	is_refused("\"\\u0000\"", "\\u0000");
	is_refused("\"\\ud83d\"", "surrogate");
	is_refused("\"\\ud83d\\n\"", "surrogate");
	is_refused("\"\\ud83d\\u0041\"", "surrogate");
	is_refused("\"\\ude00\"", "surrogate");
	is_refused("\"\\u12g4\"", "hexadecimal");
	is_refused("\"\\x\"", "escape");
	is_refused("\"a\nb\"", "control");
}

static void text_that_is_no_utf_8_is_refused(void **state)
{
	static const char *const bad[] = {
		"\"\xff\"",
		"\"\xc0\x80\"",
		"\"\xe0\x80\x80\"",
		"\"\xed\xa0\x80\"",
		"\"\xf0\x80\x80\x80\"",
		"\"\xf4\x90\x80\x80\"",
		"\"\xc3\"",
		"\"\x80\"",
		"\"\xf5\x80\x80\x80\"",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		is_refused(bad[i], "UTF-8");
}

static void the_place_of_an_error_is_told(void **state)
{
	(void)state;
	is_refused("{\n  \"a\": 1,\n  b: 2}", "line 3, column 3: a name");
	is_refused("[1 2]", "column 4: a comma or ]");
	is_refused("[1,]", "column 4: a value");
	is_refused("{\"a\" 1}", "a colon");
	is_refused("{\"a\":1,}", "a name");
	is_refused("[nul]", "only words");
	is_refused("", "no value");
	is_refused("[", "inside");
	is_refused("\"abc", "inside");
	is_refused("1 2", "follows");
	is_refused("[1}", "a comma or ]");
}

static char *nested(size_t depth)
{
	char *text = xmalloc(2 * depth + 1);

	memset(text, '[', depth);
	memset(text + depth, ']', depth);
	text[2 * depth] = '\0';
	return text;
}

static void depth_is_limited(void **state)
{
	char *text = nested(JSON_DEPTH_MAX);

	(void)state;
	prints_as(text, text);
	free(text);
	text = nested(JSON_DEPTH_MAX + 1);
	is_refused(text, "too deeply");
	free(text);
}

static enum json_state fed(struct json_limits limits, const char *unit,
			   size_t times)
{
	struct json_parser *p = json_parser_create(&limits);
	enum json_state s;

	json_parser_feed(p, "[", 1);
	for (size_t i = 0; i < times; i++)
		json_parser_feed(p, unit, strlen(unit));
	s = json_parser_state(p);
	json_parser_destroy(p);
	return s;
}

static void text_and_memory_are_limited(void **state)
{
	struct json_limits text = { 1000, 0 }, memory = { 0, 20000 };

	(void)state;
	assert_int_equal(fed(text, "1,", 400), JSON_MORE);
	assert_int_equal(fed(text, "1,", 500), JSON_FAILED);
	assert_int_equal(fed(memory, "1,", 300), JSON_MORE);
	assert_int_equal(fed(memory, "1,", 2000), JSON_FAILED);
	assert_int_equal(fed(memory, "[],", 2000), JSON_FAILED);
	assert_int_equal(fed(memory, "[", 900), JSON_FAILED);
	assert_int_equal(fed(memory, "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaa\",", 1000),
			 JSON_FAILED);
}

static void a_stream_gives_one_document_after_the_other(void **state)
{
	const char *text = "{\"a\":[1,\"x\\u00e9y\"]}\n {} 12 [3]";
	static const char *const want[] = { "{\"a\":[1,\"xéy\"]}", "{}", "12",
					    "[3]" };
	struct json_parser *p = json_parser_create(NULL);
	size_t at = 0, n = 0;

	(void)state;
	while (text[at]) {
		at += json_parser_feed(p, text + at, 1);
		if (json_parser_state(p) == JSON_DONE) {
			struct json_doc *d = json_parser_take(p);
			struct str s = STR_INIT;

			json_add(&s, json_root(d));
			assert_string_equal(str_text(&s), want[n++]);
			str_fini(&s);
			json_doc_destroy(d);
			assert_true(json_parser_is_idle(p));
		}
	}
	assert_int_equal(n, ARRAY_SIZE(want));
	json_parser_destroy(p);
}

static void the_writer_sets_commas(void **state)
{
	struct str s = STR_INIT;

	(void)state;
	str_add(&s, "head\n");
	json_add_open(&s, '{');
	json_add_name(&s, "a[");
	json_add_open(&s, '[');
	json_add_string(&s, "[{:, ");
	json_add_bool(&s, true);
	json_add_int(&s, INT64_MIN);
	json_add_real(&s, 0.5);
	json_add_close(&s, ']');
	json_add_name(&s, "b");
	json_add_null(&s);
	json_add_name(&s, "c");
	json_add_raw(&s, "{}", 2);
	json_add_close(&s, '}');
	assert_string_equal(str_text(&s),
			    "head\n{\"a[\":[\"[{:, \",true,"
			    "-9223372036854775808,0.5],\"b\":null,\"c\":{}}");
	str_fini(&s);
}

static void random_string(struct str *s, struct env *env)
{
	static const char *const parts[] = { "a", "\"",   "\\",  "\n",  "é",
					     "😀", "\x01", "key", "\x7f" };
	struct str text = STR_INIT;

	for (uint64_t n = env_random(env) % 5; n; n--)
		str_add(&text, parts[env_random(env) % ARRAY_SIZE(parts)]);
	json_add_string_n(s, str_text(&text), text.len);
	str_fini(&text);
}

static double random_real(struct env *env)
{
	uint64_t bits = env_random(env);
	double d;

	memcpy(&d, &bits, sizeof(d));
	return d - d == 0 ? d : 0.25;
}

static void random_value(struct str *s, struct env *env, unsigned depth)
{
	uint64_t kind = env_random(env) % (depth ? 7 : 5);
	uint64_t n = env_random(env) % 5;

	if (kind == 0)
		json_add_null(s);
	else if (kind == 1)
		json_add_bool(s, n & 1);
	else if (kind == 2)
		json_add_int(s, (int64_t)(env_random(env) >> n * 13));
	else if (kind == 3)
		json_add_real(s, random_real(env));
	else if (kind == 4)
		random_string(s, env);
	if (kind < 5)
		return;
	json_add_open(s, kind == 5 ? '[' : '{');
	for (; n; n--) {
		if (kind == 6) {
			random_string(s, env);
			str_add_char(s, ':');
		}
		random_value(s, env, depth - 1);
	}
	json_add_close(s, kind == 5 ? ']' : '}');
}

static void what_is_printed_reads_back_the_same(void **state)
{
	struct env_test t;

	(void)state;
	env_test_init(&t, 7);
	for (int i = 0; i < N_RANDOM; i++) {
		struct str s = STR_INIT, again = STR_INIT;
		struct json_doc *a, *b;

		random_value(&s, &t.env, 5);
		a = parsed(str_text(&s));
		json_add(&again, json_root(a));
		b = parsed(str_text(&again));
		assert_true(json_equal(json_root(a), json_root(b)));
		assert_int_equal(json_hash(json_root(a), 5),
				 json_hash(json_root(b), 5));
		str_clear(&s);
		json_add(&s, json_root(b));
		assert_string_equal(str_text(&s), str_text(&again));
		json_doc_destroy(a);
		json_doc_destroy(b);
		str_fini(&s);
		str_fini(&again);
	}
}

static void different_values_are_not_equal(void **state)
{
	static const char *const v[] = {
		"null",      "true",      "0",         "0.5",   "\"\"",
		"[]",        "{}",        "[0]",       "[0,0]", "\"0\"",
		"{\"a\":0}", "{\"b\":0}", "{\"a\":1}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(v); j++) {
			struct json_doc *a = parsed(v[i]), *b = parsed(v[j]);

			assert_int_equal(json_equal(json_root(a), json_root(b)),
					 i == j);
			json_doc_destroy(a);
			json_doc_destroy(b);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_read_and_printed),
		cmocka_unit_test(
			names_are_sorted_and_the_last_of_equal_ones_wins),
		cmocka_unit_test(integers_are_exact_however_written),
		cmocka_unit_test(bad_numbers_are_refused),
		cmocka_unit_test(escapes_become_utf_8),
		cmocka_unit_test(text_that_is_no_utf_8_is_refused),
		cmocka_unit_test(the_place_of_an_error_is_told),
		cmocka_unit_test(depth_is_limited),
		cmocka_unit_test(text_and_memory_are_limited),
		cmocka_unit_test(a_stream_gives_one_document_after_the_other),
		cmocka_unit_test(the_writer_sets_commas),
		cmocka_unit_test(what_is_printed_reads_back_the_same),
		cmocka_unit_test(different_values_are_not_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
