/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ovsdb/client.h"
#include "ovsdb/server.h"

#define REMOTE "punix:@weft-client-test"

static const char schema_text[] =
	"{\"name\":\"D\",\"tables\":{\"T\":{\"isRoot\":true,\"columns\":{"
	"\"n\":{\"type\":\"integer\"}}}}}";

struct fixture {
	struct loop *loop;
	struct server *server;
	struct server_db *db;
	struct client *client;
	unsigned n_up, n_down, n_fresh, n_updates, n_done, n_unsure;
	bool owned;
	struct str said; /* updates and results */
};

static void on_up(void *arg, const struct json *schema)
{
	struct fixture *f = arg;

	assert_true(json_is(json_find(schema, "name"), "D"));
	f->n_up++;
}

static void on_update(void *arg, const struct json *updates, bool fresh)
{
	struct fixture *f = arg;

	assert_int_equal(f->n_up, f->n_down + 1);
	f->n_updates++;
	f->n_fresh += fresh;
	str_clear(&f->said);
	json_add(&f->said, updates);
}

static void on_lock(void *arg, bool owned)
{
	((struct fixture *)arg)->owned = owned;
}

static void on_down(void *arg, const char *why UNUSED)
{
	((struct fixture *)arg)->n_down++;
}

static void on_done(void *arg, const struct json *result, const char *why)
{
	struct fixture *f = arg;

	assert_true(!result == !!why);
	f->n_done += result != NULL;
	f->n_unsure += why != NULL;
}

static void setup(struct fixture *f)
{
	static const struct client_ops ops = { on_up, on_update, on_lock,
					       on_down };
	static const char *const remotes[] = { "unix:@weft-nobody-there",
					       "unix:@weft-client-test" };
	const struct server_remote_spec remote = { .name = REMOTE };
	struct client_spec spec = { .remotes = remotes,
				    .n_remotes = 2,
				    .db = "D",
				    .monitor =
					    "{\"T\":[{\"columns\":[\"n\"]}]}",
				    .lock = "L",
				    .backoff_max_ms = 5,
				    .ops = &ops,
				    .arg = f };
	struct fault fault = { 0 };
	struct err e = ERR_INIT;
	struct json_doc *d;

	*f = (struct fixture){ 0 };
	assert_int_equal(
		json_parse(schema_text, sizeof(schema_text) - 1, &d, &e), 0);
	f->loop = loop_create();
	f->server = server_create(f->loop, env_system());
	f->db = server_put_db(
		f->server,
		db_create(schema_parse(json_root(d), &fault), env_system()),
		NULL, NULL);
	json_doc_destroy(d);
	assert_non_null(server_add_remote(f->server, &remote, &e));
	f->client = client_create(f->loop, &spec, &e);
	assert_non_null(f->client);
}

static void teardown(struct fixture *f)
{
	client_destroy(f->client);
	server_destroy(f->server);
	loop_destroy(f->loop);
	str_fini(&f->said);
}

/* Until a count has come to `n`. */
static void until(struct fixture *f, const unsigned *count, unsigned n)
{
	for (unsigned i = 0; i < 2000 && *count < n; i++)
		loop_run_ms(f->loop, 5);
	assert_int_equal(*count, n);
}

static void insert(struct fixture *f, const char *row)
{
	struct str s = STR_INIT;

	str_addf(&s, "[{\"op\":\"insert\",\"table\":\"T\",\"row\":%s}]", row);
	assert_int_equal(client_transact(f->client, s.s, on_done, f), 0);
	str_fini(&s);
}

static void content_comes_first_and_then_changes(void **state UNUSED)
{
	struct fixture f;

	setup(&f);
	assert_int_not_equal(client_transact(f.client, "[]", on_done, &f), 0);
	until(&f, &f.n_updates, 1);
	assert_int_equal(f.n_fresh, 1);
	assert_string_equal(f.said.s, "{}");
	assert_true(client_is_up(f.client) && client_owns_lock(f.client));
	insert(&f, "{\"n\":7}");
	until(&f, &f.n_done, 1);
	until(&f, &f.n_updates, 2);
	assert_non_null(strstr(f.said.s, "{\"insert\":{\"n\":7}}"));
	assert_int_equal(f.n_fresh, 1);
	teardown(&f);
}

static void who_was_cut_off_comes_back_where_it_was(void **state UNUSED)
{
	struct fixture f;

	setup(&f);
	until(&f, &f.n_updates, 1);
	insert(&f, "{\"n\":7}");
	until(&f, &f.n_updates, 2);
	server_disconnect(f.server);
	until(&f, &f.n_down, 1);
	assert_false(f.owned);
	until(&f, &f.n_updates, 3);
	/* Nothing new, and nothing again. */
	assert_int_equal(f.n_fresh, 1);
	assert_string_equal(f.said.s, "{}");
	until(&f, &f.n_up, 2);
	teardown(&f);
}

static void conditions_change_while_it_runs(void **state UNUSED)
{
	struct fixture f;

	setup(&f);
	until(&f, &f.n_updates, 1);
	insert(&f, "{\"n\":7}");
	until(&f, &f.n_updates, 2);
	assert_int_equal(client_change(f.client,
				       "{\"T\":[{\"where\":[[\"n\",\"==\",8]]"
				       "}]}",
				       "{\"T\":[{\"where\":[[\"n\",\"==\",8]]"
				       "}]}"),
			 0);
	until(&f, &f.n_updates, 3);
	assert_non_null(strstr(f.said.s, "{\"delete\":null}"));
	insert(&f, "{\"n\":8}");
	until(&f, &f.n_updates, 4);
	teardown(&f);
}

static void unanswered_transaction_is_told_so(void **state UNUSED)
{
	struct fixture f;

	setup(&f);
	until(&f, &f.n_updates, 1);
	insert(&f, "{\"n\":7}");
	client_destroy(f.client);
	f.client = NULL;
	assert_int_equal(f.n_unsure, 1);
	teardown(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(content_comes_first_and_then_changes),
		cmocka_unit_test(who_was_cut_off_comes_back_where_it_was),
		cmocka_unit_test(conditions_change_while_it_runs),
		cmocka_unit_test(unanswered_transaction_is_told_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
