/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "ovsdb/monitor.h"
#include "ovsdb/txn.h"

#define ROUNDS 3000

/* Every kind of column, references of both kinds, an index, garbage. */
static const char schema_text[] =
	"{\"name\":\"T\",\"tables\":{"
	"\"root\":{\"isRoot\":true,\"indexes\":[[\"name\"]],\"columns\":{"
	"\"name\":{\"type\":\"string\"},"
	"\"n\":{\"type\":{\"key\":{\"type\":\"integer\",\"minInteger\":-100,"
	"\"maxInteger\":100}}},"
	"\"opt\":{\"type\":{\"key\":\"real\",\"min\":0}},"
	"\"set\":{\"type\":{\"key\":\"integer\",\"min\":0,"
	"\"max\":\"unlimited\"}},"
	"\"map\":{\"type\":{\"key\":\"string\",\"value\":\"string\",\"min\":0,"
	"\"max\":\"unlimited\"}},"
	"\"seen\":{\"type\":\"boolean\",\"ephemeral\":true},"
	"\"kids\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"kid\"},"
	"\"min\":0,\"max\":\"unlimited\"}},"
	"\"friend\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"kid\","
	"\"refType\":\"weak\"},\"min\":0,\"max\":\"unlimited\"}}}},"
	"\"kid\":{\"columns\":{\"age\":{\"type\":\"integer\"},"
	"\"next\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"kid\"},"
	"\"min\":0}}}}}}";

static struct env_test env;

static struct json_doc *doc_of(const char *text)
{
	struct json_doc *d;
	struct err e = ERR_INIT;

	if (json_parse(text, strlen(text), &d, &e))
		fail_msg("%s: %s", text, e.text);
	return d;
}

static struct db *db_new(void)
{
	struct json_doc *d = doc_of(schema_text);
	struct fault f = { 0 };
	struct schema *s = schema_parse(json_root(d), &f);

	if (!s)
		fail_msg("%s", f.details);
	json_doc_destroy(d);
	return db_create(s, &env.env);
}

static enum txn_state run(struct db *db, const char *text,
			  struct txn_outcome *out)
{
	struct json_doc *d = doc_of(text);
	const struct txn_request rq = { .params = json_root(d) };
	enum txn_state state = txn_run(db, &rq, out);

	json_doc_destroy(d);
	return state;
}

/* Runs and commits; the reply holds `part`. */
static void expect(struct db *db, const char *text, const char *part)
{
	struct txn_outcome out;
	enum txn_state state = run(db, text, &out);

	assert_int_not_equal(state, TXN_BLOCKED);
	if (!strstr(out.reply.s, part))
		fail_msg("%s gave %s, not %s", text, out.reply.s, part);
	if (state == TXN_READY)
		txn_commit(out.txn);
	str_fini(&out.reply);
}

static size_t rows(const struct db *db, const char *table)
{
	return table_n_rows(db_find_table(db, table));
}

/* --- one thing each ---------------------------------------------------------------- */

static void rows_that_nobody_wants_go(void **state UNUSED)
{
	struct db *db = db_new();

	expect(db, "[\"T\",{\"op\":\"insert\",\"table\":\"kid\",\"row\":{}}]",
	       "\"uuid\"");
	assert_int_equal(rows(db, "kid"), 0);
	expect(db,
	       "[\"T\",{\"op\":\"insert\",\"table\":\"root\",\"row\":"
	       "{\"name\":\"a\",\"kids\":[\"named-uuid\",\"k\"]}},"
	       "{\"op\":\"insert\",\"table\":\"kid\",\"uuid-name\":\"k\","
	       "\"row\":{\"next\":[\"named-uuid\",\"l\"]}},"
	       "{\"op\":\"insert\",\"table\":\"kid\",\"uuid-name\":\"l\","
	       "\"row\":{\"next\":[\"named-uuid\",\"l\"]}}]",
	       "\"uuid\"");
	assert_int_equal(rows(db, "kid"), 2);
	expect(db,
	       "[\"T\",{\"op\":\"update\",\"table\":\"root\",\"where\":[],"
	       "\"row\":{\"kids\":[\"set\",[]]}}]",
	       "{\"count\":1}");
	assert_int_equal(rows(db, "kid"), 0);
	db_destroy(db);
}

static void wanted_row_cannot_be_deleted(void **state UNUSED)
{
	struct db *db = db_new();

	expect(db,
	       "[\"T\",{\"op\":\"insert\",\"table\":\"root\",\"row\":"
	       "{\"kids\":[\"named-uuid\",\"k\"]}},"
	       "{\"op\":\"insert\",\"table\":\"kid\",\"uuid-name\":\"k\","
	       "\"row\":{}}]",
	       "uuid");
	expect(db, "[\"T\",{\"op\":\"delete\",\"table\":\"kid\",\"where\":[]}]",
	       "because of 1 remaining reference(s)");
	assert_int_equal(rows(db, "kid"), 1);
	expect(db,
	       "[\"T\",{\"op\":\"delete\",\"table\":\"kid\",\"where\":[]},"
	       "{\"op\":\"delete\",\"table\":\"root\",\"where\":[]}]",
	       "[{\"count\":1},{\"count\":1}]");
	expect(db,
	       "[\"T\",{\"op\":\"insert\",\"table\":\"root\",\"row\":{\"kids\":"
	       "[\"uuid\",\"11111111-1111-1111-1111-111111111111\"]}}]",
	       "references nonexistent row");
	db_destroy(db);
}

static void weak_reference_goes_with_its_row(void **state UNUSED)
{
	struct db *db = db_new();

	expect(db,
	       "[\"T\",{\"op\":\"insert\",\"table\":\"root\",\"row\":"
	       "{\"name\":\"a\",\"kids\":[\"named-uuid\",\"k\"]}},"
	       "{\"op\":\"insert\",\"table\":\"root\",\"row\":"
	       "{\"name\":\"b\",\"friend\":[\"named-uuid\",\"k\"]}},"
	       "{\"op\":\"insert\",\"table\":\"kid\",\"uuid-name\":\"k\","
	       "\"row\":{}}]",
	       "uuid");
	expect(db,
	       "[\"T\",{\"op\":\"delete\",\"table\":\"root\",\"where\":"
	       "[[\"name\",\"==\",\"a\"]]}]",
	       "{\"count\":1}");
	expect(db,
	       "[\"T\",{\"op\":\"select\",\"table\":\"root\",\"where\":[],"
	       "\"columns\":[\"name\",\"friend\"]}]",
	       "{\"name\":\"b\",\"friend\":[\"set\",[]]}");
	db_destroy(db);
}

static void index_refuses_twins_but_not_in_between(void **state UNUSED)
{
	struct db *db = db_new();

	expect(db,
	       "[\"T\",{\"op\":\"insert\",\"table\":\"root\",\"row\":"
	       "{\"name\":\"a\"}},{\"op\":\"insert\",\"table\":\"root\","
	       "\"row\":{\"name\":\"b\"}}]",
	       "uuid");
	expect(db,
	       "[\"T\",{\"op\":\"insert\",\"table\":\"root\",\"row\":"
	       "{\"name\":\"a\"}}]",
	       "identical values (a) for index on column \\\"name\\\"");
	/* They change places. */
	expect(db,
	       "[\"T\",{\"op\":\"update\",\"table\":\"root\",\"where\":"
	       "[[\"name\",\"==\",\"a\"]],\"row\":{\"name\":\"c\"}},"
	       "{\"op\":\"update\",\"table\":\"root\",\"where\":"
	       "[[\"name\",\"==\",\"b\"]],\"row\":{\"name\":\"a\"}},"
	       "{\"op\":\"update\",\"table\":\"root\",\"where\":"
	       "[[\"name\",\"==\",\"c\"]],\"row\":{\"name\":\"b\"}}]",
	       "[{\"count\":1},{\"count\":1},{\"count\":1}]");
	assert_int_equal(rows(db, "root"), 2);
	db_destroy(db);
}

static unsigned count_of(const char *text, const char *part)
{
	unsigned n = 0;

	for (const char *at = text; (at = strstr(at, part)); at++)
		n++;
	return n;
}

/* Both are found by the index while a transaction has two of a kind, whichever
 * of them stands first in it. */
static void twins_in_between_are_both_found(void **state UNUSED)
{
	struct db *db = db_new();
	struct str s = STR_INIT;
	struct txn_outcome out;

	expect(db,
	       "[\"T\",{\"op\":\"insert\",\"table\":\"root\",\"row\":"
	       "{\"name\":\"a\"}},{\"op\":\"insert\",\"table\":\"root\","
	       "\"row\":{\"name\":\"b\"}}]",
	       "uuid");
	str_add(&s, "[\"T\",{\"op\":\"update\",\"table\":\"root\","
		    "\"where\":[[\"name\",\"==\",\"b\"]],"
		    "\"row\":{\"name\":\"a\"}}");
	for (unsigned i = 0; i < 40; i++) /* the hash grows meanwhile */
		str_addf(&s,
			 ",{\"op\":\"insert\",\"table\":\"root\",\"row\":"
			 "{\"name\":\"x%u\"}},{\"op\":\"select\","
			 "\"table\":\"root\",\"columns\":[\"_uuid\"],"
			 "\"where\":[[\"name\",\"==\",\"a\"]]}",
			 i);
	str_add(&s, ",{\"op\":\"delete\",\"table\":\"root\",\"where\":"
		    "[[\"name\",\"==\",\"a\"]]}]");
	assert_int_equal(run(db, s.s, &out), TXN_READY);
	assert_int_equal(count_of(out.reply.s, "\"_uuid\""), 80);
	txn_commit(out.txn);
	assert_int_equal(rows(db, "root"), 40);
	str_fini(&out.reply);
	str_fini(&s);
	db_destroy(db);
}

static void sums_need_one_number(void **state UNUSED)
{
	struct db *db = db_new();

	expect(db,
	       "[\"T\",{\"op\":\"insert\",\"table\":\"root\",\"row\":"
	       "{\"set\":[\"set\",[1,2]]}}]",
	       "uuid");
	expect(db,
	       "[\"T\",{\"op\":\"mutate\",\"table\":\"root\",\"where\":"
	       "[],\"mutations\":[[\"set\",\"+=\",[\"set\",[]]]]}]",
	       "set must have exactly one member but 0 are present");
	db_destroy(db);
}

/* Neither would a change set have it twice, nor could a client tell them
 * apart. */
static void uuid_of_a_deleted_row_is_not_taken_at_once(void **state UNUSED)
{
	static const char insert[] =
		"{\"op\":\"insert\",\"table\":\"root\",\"row\":{},\"uuid\":"
		"\"11111111-1111-1111-1111-111111111111\"}";
	struct db *db = db_new();
	struct str s = STR_INIT;

	str_addf(&s, "[\"T\",%s]", insert);
	expect(db, s.s, "\"uuid\"");
	str_clear(&s);
	str_addf(&s,
		 "[\"T\",{\"op\":\"delete\",\"table\":\"root\",\"where\":"
		 "[]},%s]",
		 insert);
	expect(db, s.s, "deleted within the same transaction");
	assert_int_equal(rows(db, "root"), 1);
	str_fini(&s);
	db_destroy(db);
}

static void record_does_not_rename_a_row(void **state UNUSED)
{
	static const char text[] =
		"{\"root\":{\"11111111-1111-1111-1111-111111111111\":"
		"{\"_uuid\":[\"uuid\","
		"\"22222222-2222-2222-2222-222222222222\"]}}}";
	struct db *db = db_new();
	struct json_doc *d = doc_of(text);
	struct fault f = { 0 };

	assert_null(txn_read_record(db, json_root(d), &f));
	assert_string_equal(f.tag, FAULT_UNKNOWN_COLUMN);
	fault_fini(&f);
	json_doc_destroy(d);
	db_destroy(db);
}

static void wait_blocks_until_rows_are_there(void **state UNUSED)
{
	static const char wait[] =
		"[\"T\",{\"op\":\"wait\",\"table\":\"root\",\"timeout\":500,"
		"\"where\":[],\"columns\":[\"n\"],\"until\":\"==\","
		"\"rows\":[{\"n\":7}]}]";
	struct db *db = db_new();
	struct json_doc *d = doc_of(wait);
	struct txn_request rq = { .params = json_root(d) };
	struct txn_outcome out;

	assert_int_equal(txn_run(db, &rq, &out), TXN_BLOCKED);
	assert_int_equal(out.wait_ms, 500);
	rq.elapsed_ms = 500;
	assert_int_equal(txn_run(db, &rq, &out), TXN_FAILED);
	assert_non_null(strstr(out.reply.s, "timed out after 500 ms"));
	str_fini(&out.reply);
	expect(db,
	       "[\"T\",{\"op\":\"insert\",\"table\":\"root\",\"row\":"
	       "{\"n\":7}}]",
	       "uuid");
	expect(db, wait, "[{}]");
	json_doc_destroy(d);
	db_destroy(db);
}

static void failed_operation_ends_the_rest(void **state UNUSED)
{
	struct db *db = db_new();

	expect(db,
	       "[\"T\",{\"op\":\"insert\",\"table\":\"root\",\"row\":{}},"
	       "{\"op\":\"abort\"},{\"op\":\"comment\",\"comment\":\"x\"}]",
	       "{\"details\":\"aborted by request\",\"error\":\"aborted\"},"
	       "null]");
	assert_int_equal(rows(db, "root"), 0);
	expect(db,
	       "[\"T\",{\"op\":\"mutate\",\"table\":\"root\",\"where\":[],"
	       "\"mutations\":[[\"n\",\"/=\",0]]}]",
	       "{\"count\":0}");
	expect(db,
	       "[\"T\",{\"op\":\"insert\",\"table\":\"root\",\"row\":"
	       "{\"n\":101}}]",
	       "not in the valid range -100 to 100");
	db_destroy(db);
}

/* --- random ------------------------------------------------------------------------- */

static uint64_t draw(uint64_t n)
{
	return env_random(&env.env) % n;
}

static void add_dump(struct str *s, const struct db *db, bool ephemeral)
{
	for (unsigned i = 0; i < db->schema->n_tables; i++) {
		const struct table *t = &db->tables[i];
		struct str *lines =
			xcalloc(table_n_rows(t) + 1, sizeof(*lines));
		char name[UUID_LEN + 1];
		size_t n = 0;
		struct row *r;

		table_for_each(r, t) {
			struct row_view v = row_view(t, r);

			str_addf(&lines[n], "%s %u ",
				 uuid_format(&r->uuid, name), r->n_strong);
			row_view_add_json(&lines[n], &v, NULL, 0);
			for (unsigned c = COLUMN_FIRST;
			     ephemeral && c < t->schema->n_columns; c++)
				if (!t->schema->columns[c].persistent)
					datum_add_json(&lines[n],
						       row_view_get(&v, c));
			n++;
		}
		for (size_t a = 0; a < n; a++) { /* sorted */
			for (size_t b = a + 1; b < n; b++) {
				struct str swap = lines[a];

				if (strcmp(lines[a].s, lines[b].s) <= 0)
					continue;
				lines[a] = lines[b];
				lines[b] = swap;
			}
			str_addf(s, "%s\n", lines[a].s);
			str_fini(&lines[a]);
		}
		free(lines);
	}
}

static void add_random_set(struct str *s)
{
	size_t n = draw(4);

	str_add(s, "[\"set\",[");
	for (size_t i = 0; i < n; i++)
		str_addf(s, "%s%zu", i ? "," : "", i * 3 + draw(3));
	str_add(s, "]]");
}

static void add_random_row(struct str *s, unsigned i)
{
	str_addf(s, "{\"n\":%d", (int)draw(205) - 102);
	if (draw(2))
		str_addf(s, ",\"name\":\"x%d\"", (int)draw(40));
	if (draw(2)) {
		str_add(s, ",\"set\":");
		add_random_set(s);
	}
	if (draw(3) == 0)
		str_addf(s, ",\"map\":[\"map\",[[\"k%d\",\"v%d\"]]]",
			 (int)draw(3), (int)draw(3));
	if (draw(3) == 0)
		str_addf(s, ",\"opt\":%d.5", (int)draw(9));
	if (draw(4) == 0)
		str_addf(s, ",\"seen\":%s", draw(2) ? "true" : "false");
	if (draw(2))
		str_addf(s, ",\"kids\":[\"set\",[[\"named-uuid\",\"k%u\"]]]",
			 i);
	if (draw(4) == 0)
		str_addf(s, ",\"friend\":[\"named-uuid\",\"k%d\"]",
			 (int)draw(4));
	str_add(s, "}");
}

static void add_where(struct str *s)
{
	switch (draw(4)) {
	case 0:
		str_addf(s, "\"where\":[[\"n\",\"<\",%d]]",
			 (int)draw(200) - 100);
		return;
	case 1:
		str_addf(s, "\"where\":[[\"set\",\"includes\",%d]]",
			 (int)draw(12));
		return;
	default:
		str_addf(s, "\"where\":[[\"name\",\"==\",\"x%d\"]]",
			 (int)draw(40));
		return;
	}
}

static void add_random_op(struct str *s, unsigned i)
{
	switch (draw(6)) {
	case 0:
	case 1:
		str_add(s, ",{\"op\":\"insert\",\"table\":\"root\",\"row\":");
		add_random_row(s, i);
		str_addf(s,
			 "},{\"op\":\"insert\",\"table\":\"kid\","
			 "\"uuid-name\":\"k%u\",\"row\":{\"age\":%d}}",
			 i, (int)draw(90));
		return;
	case 2:
		str_add(s, ",{\"op\":\"update\",\"table\":\"root\",");
		add_where(s);
		str_add(s, ",\"row\":{\"set\":");
		add_random_set(s);
		str_add(s, "}}");
		return;
	case 3:
		str_add(s, ",{\"op\":\"delete\",\"table\":\"root\",");
		add_where(s);
		str_add(s, "}");
		return;
	case 4:
		str_add(s, ",{\"op\":\"mutate\",\"table\":\"root\",");
		add_where(s);
		str_addf(s,
			 ",\"mutations\":[[\"n\",\"+=\",%d],"
			 "[\"set\",\"insert\",%d],[\"map\",\"delete\","
			 "[\"set\",[\"k1\"]]]]}",
			 (int)draw(30) - 15, (int)draw(12));
		return;
	default:
		str_addf(s,
			 ",{\"op\":\"mutate\",\"table\":\"kid\",\"where\":"
			 "[[\"age\",\">\",%d]],\"mutations\":"
			 "[[\"age\",\"-=\",1]]}",
			 (int)draw(90));
		return;
	}
}

static void replay(struct db *copy, const struct txn *t)
{
	struct str record = STR_INIT;
	struct fault f = { 0 };
	struct json_doc *d;
	struct txn *again;

	if (!txn_add_record(t, 1, &record)) {
		str_fini(&record);
		return;
	}
	d = doc_of(record.s);
	again = txn_read_record(copy, json_root(d), &f);
	if (!again)
		fail_msg("%s: %s", record.s, f.details);
	txn_commit(again);
	json_doc_destroy(d);
	str_fini(&record);
}

static void equal_dumps(const struct db *a, const struct db *b)
{
	struct str x = STR_INIT, y = STR_INIT;

	add_dump(&x, a, false);
	add_dump(&y, b, false);
	assert_string_equal(str_text(&x), str_text(&y));
	str_fini(&x);
	str_fini(&y);
}

/* Aborted, a transaction leaves nothing; committed, its record makes another
 * database the same. Two are prepared at a time. */
static void random_transactions_undo_and_replay(void **state UNUSED)
{
	struct db *db = db_new(), *copy = db_new();
	unsigned ready = 0, failed = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		struct str before = STR_INIT, after = STR_INIT;
		struct txn *t[2] = { NULL };

		add_dump(&before, db, true);
		for (unsigned k = 0; k < 2; k++) {
			struct str s = STR_INIT;
			struct txn_outcome out;

			str_add(&s, "[\"T\"");
			for (unsigned j = 0; j < 3; j++)
				add_random_op(&s, j);
			str_add(&s, "]");
			if (run(db, s.s, &out) == TXN_READY)
				t[k] = out.txn;
			ready += t[k] != NULL;
			failed += t[k] == NULL;
			str_fini(&out.reply);
			str_fini(&s);
		}
		if (draw(3) == 0) {
			txn_abort(t[1]);
			txn_abort(t[0]);
			add_dump(&after, db, true);
			assert_string_equal(str_text(&before),
					    str_text(&after));
		} else {
			for (unsigned k = 0; k < 2; k++) {
				if (!t[k])
					continue;
				replay(copy, t[k]);
				txn_commit(t[k]);
			}
			equal_dumps(db, copy);
		}
		str_fini(&before);
		str_fini(&after);
	}
	assert_true(ready > ROUNDS / 2);
	assert_true(failed > ROUNDS / 20);
	assert_true(hmap_count(&db->weak_refs) == hmap_count(&copy->weak_refs));
	db_destroy(db);
	db_destroy(copy);
}

static void schema_is_printed_as_it_was_read(void **state UNUSED)
{
	struct db *db = db_new();
	struct str s = STR_INIT;
	struct json_doc *d;
	struct fault f = { 0 };
	struct schema *again;

	schema_add_json(&s, db->schema);
	d = doc_of(s.s);
	again = schema_parse(json_root(d), &f);
	assert_non_null(again);
	assert_true(schema_equal(again, db->schema));
	schema_destroy(again);
	json_doc_destroy(d);
	str_fini(&s);
	db_destroy(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_that_nobody_wants_go),
		cmocka_unit_test(wanted_row_cannot_be_deleted),
		cmocka_unit_test(weak_reference_goes_with_its_row),
		cmocka_unit_test(index_refuses_twins_but_not_in_between),
		cmocka_unit_test(twins_in_between_are_both_found),
		cmocka_unit_test(sums_need_one_number),
		cmocka_unit_test(uuid_of_a_deleted_row_is_not_taken_at_once),
		cmocka_unit_test(record_does_not_rename_a_row),
		cmocka_unit_test(wait_blocks_until_rows_are_there),
		cmocka_unit_test(failed_operation_ends_the_rest),
		cmocka_unit_test(schema_is_printed_as_it_was_read),
		cmocka_unit_test(random_transactions_undo_and_replay),
	};

	env_test_init(&env, 20261123);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
