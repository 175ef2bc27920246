/* SPDX-License-Identifier: Apache-2.0 */
/* What clients and files say to a database, a JSON value a line: an object with
 * "tables" is a schema, one with "monitor" a monitor's requests, another one a
 * record of the log; an array is a transaction. A schema that is taken is
 * printed as it was; a transaction that is refused or taken back leaves no
 * trace; what a monitor tells is JSON. */
#include "ovsdb/monitor.h"

#define MEMORY_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char schema_text[] =
	"{\"name\":\"T\",\"tables\":{\"a\":{\"isRoot\":true,\"indexes\":"
	"[[\"k\"]],\"columns\":{\"k\":{\"type\":\"string\"},\"i\":{\"type\":"
	"{\"key\":{\"type\":\"integer\",\"minInteger\":0},\"min\":0,\"max\":"
	"\"unlimited\"}},\"r\":{\"type\":{\"key\":\"real\",\"min\":0}},\"m\":"
	"{\"type\":{\"key\":\"string\",\"value\":\"boolean\",\"min\":0,\"max\":"
	"9}},\"c\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"b\"},"
	"\"min\":0,\"max\":\"unlimited\"}},\"w\":{\"type\":{\"key\":{\"type\":"
	"\"uuid\",\"refTable\":\"b\",\"refType\":\"weak\"},\"min\":0}}}},"
	"\"b\":{\"maxRows\":9,\"columns\":{\"n\":{\"type\":\"integer\"},"
	"\"next\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"b\"},"
	"\"min\":0}}}}}}";

static struct json_doc *doc_of(const char *text, size_t n)
{
	const struct json_limits limits = { MEMORY_MAX, MEMORY_MAX };
	struct json_parser *p = json_parser_create(&limits);
	struct json_doc *d = NULL;

	json_parser_feed(p, text, n);
	json_parser_finish(p);
	if (json_parser_state(p) == JSON_DONE)
		d = json_parser_take(p);
	json_parser_destroy(p);
	return d;
}

static void one_schema(const struct json *v)
{
	struct fault f = { 0 };
	struct schema *s = schema_parse(v, &f), *again;
	struct str text = STR_INIT;
	struct json_doc *d;

	must(!s == fault_is_set(&f));
	fault_fini(&f);
	if (!s)
		return;
	schema_add_json(&text, s);
	d = doc_of(text.s, text.len);
	if (d) { /* else it is over the limit of this target */
		again = schema_parse(json_root(d), &f);
		must(again && schema_equal(s, again));
		schema_destroy(again);
	}
	json_doc_destroy(d);
	str_fini(&text);
	schema_destroy(s);
}

static void one_monitor(struct db *db, const struct json *v)
{
	struct fault f = { 0 };
	struct monitor_spec *m = monitor_spec_parse(
		db->schema, MONITOR_UPDATE2, json_find(v, "monitor"), &f);
	struct str text = STR_INIT;
	struct json_doc *d;

	must(!m == fault_is_set(&f));
	fault_fini(&f);
	if (!m)
		return;
	monitor_add_initial(&text, m, db);
	d = doc_of(text.s, text.len);
	must(d || text.len > MEMORY_MAX / 64);
	json_doc_destroy(d);
	str_fini(&text);
	monitor_spec_destroy(m);
}

static size_t count_rows(const struct db *db)
{
	return table_n_rows(&db->tables[0]) + table_n_rows(&db->tables[1]);
}

static void one_transaction(struct db *db, const struct json *v, bool keep)
{
	const struct txn_request rq = { .params = v };
	struct txn_outcome out;
	size_t before = count_rows(db);

	switch (txn_run(db, &rq, &out)) {
	case TXN_READY:
		if (keep) {
			txn_commit(out.txn);
		} else {
			txn_abort(out.txn);
			must(count_rows(db) == before);
		}
		break;
	case TXN_FAILED:
	case TXN_BLOCKED:
		must(count_rows(db) == before);
		break;
	}
	str_fini(&out.reply);
}

static void one_record(struct db *db, const struct json *v)
{
	struct fault f = { 0 };
	struct txn *t = txn_read_record(db, v, &f);

	must(!t == fault_is_set(&f));
	if (t)
		txn_commit(t);
	fault_fini(&f);
}

static void one_line(struct db *db, const char *text, size_t n)
{
	struct json_doc *d = doc_of(text, n);
	const struct json *v = d ? json_root(d) : NULL;

	if (json_is_type(v, JSON_ARRAY) && v->n)
		one_transaction(db, v, n % 4);
	else if (json_find(v, "tables"))
		one_schema(v);
	else if (json_find(v, "monitor"))
		one_monitor(db, v);
	else if (v)
		one_record(db, v);
	json_doc_destroy(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_doc *d = doc_of(schema_text, sizeof(schema_text) - 1);
	struct fault f = { 0 };
	struct env_test env;
	struct db *db;
	size_t at = 0;

	env_test_init(&env, size);
	db = db_create(schema_parse(json_root(d), &f), &env.env);
	json_doc_destroy(d);
	while (at < size) {
		const char *line = (const char *)data + at;
		const char *end = memchr(line, '\n', size - at);
		size_t n = end ? (size_t)(end - line) : size - at;

		one_line(db, line, n);
		at += n + 1;
	}
	db_destroy(db);
	return 0;
}
