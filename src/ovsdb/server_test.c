/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "ovsdb/server.h"
#include "sys/unix_socket.h"

#define NAME "@weft-server-test"
#define PEERS 4

static const char schema_text[] =
	"{\"name\":\"D\",\"tables\":{\"T\":{\"isRoot\":true,\"columns\":{"
	"\"k\":{\"type\":\"string\"},\"n\":{\"type\":\"integer\"},"
	"\"s\":{\"type\":{\"key\":\"integer\",\"min\":0,\"max\":9}}},"
	"\"indexes\":[[\"k\"]]}}}";

/* A log that is as slow, and as broken, as the test says. */
#define SLOW_LOG_MAX 64u

struct slow_log {
	server_done_fn *done[SLOW_LOG_MAX];
	void *arg[SLOW_LOG_MAX];
	unsigned n;
	bool at_once;
	struct defer defer;
};

struct peer {
	int fd;
	struct json_parser *parser;
	char rest[65536];
	size_t at, n;
	struct json_doc *last;
};

struct fixture {
	struct loop *loop;
	struct server *server;
	struct server_db *db;
	struct slow_log log;
	struct peer peers[PEERS];
};

static void log_tell_all(struct slow_log *l, const char *why)
{
	unsigned n = l->n;

	for (unsigned i = 0; i < n; i++) {
		unsigned k = why ? n - 1 - i : i;

		l->n = why ? k : l->n;
		l->done[k](l->arg[k], why);
	}
	l->n = 0;
}

static void log_later(void *arg)
{
	log_tell_all(arg, NULL);
}

static void log_put(void *log, const char *json UNUSED, size_t n UNUSED,
		    server_done_fn *done, void *arg)
{
	struct slow_log *l = log;

	assert_true(l->n < SLOW_LOG_MAX);
	l->done[l->n] = done;
	l->arg[l->n++] = arg;
	if (l->at_once)
		defer_set(&l->defer);
}

static int log_replace(void *log UNUSED, const struct db *db UNUSED,
		       struct err *e UNUSED)
{
	return 0;
}

static const struct server_log_ops log_ops = { log_put, log_replace };

static struct json_doc *doc_of(const char *text)
{
	struct json_doc *d;
	struct err e = ERR_INIT;

	if (json_parse(text, strlen(text), &d, &e))
		fail_msg("%s: %s", text, e.text);
	return d;
}

static void setup(struct fixture *f)
{
	const struct server_remote_spec spec = { .name = "punix:" NAME };
	struct json_doc *d = doc_of(schema_text);
	struct fault fault = { 0 };
	struct err e = ERR_INIT;

	*f = (struct fixture){ .log.at_once = true };
	f->loop = loop_create();
	f->server = server_create(f->loop, env_system());
	defer_init(&f->log.defer, f->loop, log_later, &f->log);
	f->db = server_put_db(
		f->server,
		db_create(schema_parse(json_root(d), &fault), env_system()),
		&log_ops, &f->log);
	json_doc_destroy(d);
	assert_non_null(server_add_remote(f->server, &spec, &e));
	for (unsigned i = 0; i < PEERS; i++) {
		f->peers[i].fd = unix_socket_connect(NAME, &e);
		f->peers[i].parser = json_parser_create(NULL);
		assert_true(f->peers[i].fd >= 0);
		loop_run_ms(f->loop, 1);
	}
}

static void peer_close(struct peer *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
	json_parser_destroy(p->parser);
	json_doc_destroy(p->last);
	p->parser = NULL;
	p->last = NULL;
}

static void teardown(struct fixture *f)
{
	for (unsigned i = 0; i < PEERS; i++)
		peer_close(&f->peers[i]);
	loop_run_ms(f->loop, 5);
	log_tell_all(&f->log, NULL);
	defer_fini(&f->log.defer);
	server_destroy(f->server);
	loop_destroy(f->loop);
}

static void say(struct peer *p, const char *text)
{
	assert_int_equal(write(p->fd, text, strlen(text)), strlen(text));
}

/* True when a message is whole; what follows it waits. */
static bool peer_eat(struct peer *p)
{
	p->at += json_parser_feed(p->parser, p->rest + p->at, p->n - p->at);
	if (json_parser_state(p->parser) != JSON_DONE)
		return false;
	json_doc_destroy(p->last);
	p->last = json_parser_take(p->parser);
	return true;
}

/* The next message, or NULL when none comes for a while or it is over. */
static const struct json *hear_within(struct fixture *f, struct peer *p,
				      unsigned rounds)
{
	for (unsigned i = 0; i < rounds; i++) {
		ssize_t n;

		if (p->at < p->n && peer_eat(p))
			return json_root(p->last);
		if (p->at == p->n) {
			n = read(p->fd, p->rest, sizeof(p->rest));
			p->at = 0;
			p->n = n > 0 ? (size_t)n : 0;
			if (!n)
				return NULL;
			if (n > 0)
				continue;
		}
		loop_run_ms(f->loop, 2);
	}
	return NULL;
}

static const struct json *hear(struct fixture *f, struct peer *p)
{
	return hear_within(f, p, 2000);
}

static void nothing_comes(struct fixture *f, struct peer *p)
{
	assert_null(hear_within(f, p, 10));
}

/* The next message, as canonical text, holds the part. */
static void hears(struct fixture *f, struct peer *p, const char *part)
{
	const struct json *v = hear(f, p);
	struct str s = STR_INIT;

	if (!v)
		fail_msg("nothing came, not %s", part);
	json_add(&s, v);
	if (!strstr(s.s, part))
		fail_msg("%s came, not %s", s.s, part);
	str_fini(&s);
}

static void ask(struct fixture *f, struct peer *p, const char *method,
		const char *params, const char *part)
{
	struct str s = STR_INIT;

	str_addf(&s, "{\"id\":1,\"method\":\"%s\",\"params\":%s}", method,
		 params);
	say(p, s.s);
	str_fini(&s);
	if (part)
		hears(f, p, part);
}

#define INSERT(k, n)                                                           \
	"[\"D\",{\"op\":\"insert\",\"table\":\"T\",\"row\":{\"k\":\"" k        \
	"\",\"n\":" n "}}]"
#define WAIT(n, timeout)                                                       \
	"[\"D\",{\"op\":\"wait\",\"table\":\"T\"," timeout                     \
	"\"where\":[],\"columns\":[\"n\"],\"until\":\"==\",\"rows\":[{"        \
	"\"n\":" n "}]}]"

/* --- small methods -------------------------------------------------------------------- */

static void small_methods_are_answered(void **state UNUSED)
{
	struct fixture f;
	struct peer *p = f.peers;

	setup(&f);
	ask(&f, p, "list_dbs", "[]", "\"result\":[\"D\",\"_Server\"]");
	ask(&f, p, "get_schema", "[\"D\"]", "\"name\":\"D\"");
	ask(&f, p, "get_schema", "[\"X\"]",
	    "\"details\":\"get_schema request specifies unknown database X\","
	    "\"error\":\"unknown database\",\"syntax\":\"[\\\"X\\\"]\"");
	ask(&f, p, "get_server_id", "[]", "-4");
	ask(&f, p, "set_db_change_aware", "[true]", "\"result\":{}");
	ask(&f, p, "set_db_change_aware", "[1]", "true or false parameter");
	ask(&f, p, "nonsense", "[]", "\"error\":\"unknown method\"");
	ask(&f, p, "transact",
	    "[\"_Server\",{\"op\":\"select\",\"table\":\"Database\","
	    "\"where\":[[\"name\",\"==\",\"D\"]],\"columns\":[\"model\"]}]",
	    "\"standalone\"");
	ask(&f, p, "transact",
	    "[\"_Server\",{\"op\":\"delete\",\"table\":\"Database\","
	    "\"where\":[]}]",
	    "\"error\":\"not allowed\"");
	teardown(&f);
}

/* --- transactions ------------------------------------------------------------------------ */

static void blocked_wait_ends_by_change_time_or_cancel(void **state UNUSED)
{
	struct fixture f;
	struct peer *p = f.peers;

	setup(&f);
	ask(&f, &p[0], "transact", WAIT("5", ""), NULL);
	ask(&f, &p[2], "transact", WAIT("6", "\"timeout\":30,"), NULL);
	ask(&f, &p[3], "transact", WAIT("7", ""), NULL);
	hears(&f, &p[2], "\"error\":\"timed out\"");
	nothing_comes(&f, &p[0]);
	ask(&f, &p[1], "transact", INSERT("a", "5"), "\"uuid\"");
	hears(&f, &p[0], "\"result\":[{}]");
	say(&p[3], "{\"method\":\"cancel\",\"params\":[1],\"id\":null}");
	hears(&f, &p[3], "\"error\":\"canceled\"");
	assert_int_equal(server_count(f.server).blocked, 0);
	teardown(&f);
}

static void nothing_leaves_before_it_is_durable(void **state UNUSED)
{
	struct fixture f;
	struct peer *p = f.peers;

	setup(&f);
	f.log.at_once = false;
	ask(&f, &p[0], "transact", INSERT("a", "1"), NULL);
	loop_run_ms(f.loop, 5);
	/* It sees the row, so it waits, too; so does a monitor. */
	ask(&f, &p[1], "transact",
	    "[\"D\",{\"op\":\"select\",\"table\":\"T\",\"where\":[],"
	    "\"columns\":[\"n\"]}]",
	    NULL);
	ask(&f, &p[2], "monitor", "[\"D\",1,{\"T\":{\"columns\":[\"n\"]}}]",
	    NULL);
	for (unsigned i = 0; i < 3; i++)
		nothing_comes(&f, &p[i]);
	/* Behind the monitor nothing is begun. */
	ask(&f, &p[3], "transact", INSERT("b", "2"), NULL);
	loop_run_ms(f.loop, 5);
	assert_int_equal(f.log.n, 1);
	f.log.at_once = true;
	log_tell_all(&f.log, NULL);
	hears(&f, &p[0], "\"uuid\"");
	hears(&f, &p[1], "[{\"rows\":[{\"n\":1}]}]");
	hears(&f, &p[2], "{\"new\":{\"n\":1}}");
	hears(&f, &p[3], "\"uuid\"");
	hears(&f, &p[2], "{\"new\":{\"n\":2}}");
	teardown(&f);
}

static void broken_log_undoes_and_says_so(void **state UNUSED)
{
	struct fixture f;
	struct peer *p = f.peers;

	setup(&f);
	log_set_level(LOG_LEVEL_ERROR);
	f.log.at_once = false;
	ask(&f, &p[0], "transact", INSERT("a", "1"), NULL);
	loop_run_ms(f.loop, 5);
	ask(&f, &p[1], "transact", INSERT("b", "2"), NULL);
	loop_run_ms(f.loop, 5);
	ask(&f, &p[2], "transact",
	    "[\"D\",{\"op\":\"select\",\"table\":\"T\",\"where\":[]}]", NULL);
	loop_run_ms(f.loop, 5);
	log_tell_all(&f.log, "the disk is full");
	for (unsigned i = 0; i < 3; i++)
		hears(&f, &p[i],
		      "{\"details\":\"the disk is full\",\"error\":\"I/O "
		      "error\"}]");
	f.log.at_once = true;
	ask(&f, &p[3], "transact",
	    "[\"D\",{\"op\":\"select\",\"table\":\"T\",\"where\":[]}]",
	    "\"result\":[{\"rows\":[]}]");
	teardown(&f);
}

static void client_may_leave_in_the_middle(void **state UNUSED)
{
	struct fixture f;
	struct peer *p = f.peers;

	setup(&f);
	f.log.at_once = false;
	ask(&f, &p[0], "transact", WAIT("9", ""), NULL);
	ask(&f, &p[0], "transact", INSERT("a", "1"), NULL);
	ask(&f, &p[0], "lock", "[\"L\"]", NULL);
	ask(&f, &p[0], "monitor", "[\"D\",1,{\"T\":{}}]", NULL);
	loop_run_ms(f.loop, 5);
	peer_close(&p[0]);
	loop_run_ms(f.loop, 5);
	log_tell_all(&f.log, NULL);
	f.log.at_once = true;
	ask(&f, &p[1], "lock", "[\"L\"]", "{\"locked\":true}");
	ask(&f, &p[1], "transact",
	    "[\"D\",{\"op\":\"select\",\"table\":\"T\",\"where\":[],"
	    "\"columns\":[\"n\"]}]",
	    "[{\"n\":1}]");
	teardown(&f);
}

static void too_many_waits_are_refused(void **state UNUSED)
{
	struct fixture f;
	struct peer *p = f.peers;

	setup(&f);
	for (unsigned i = 0; i < SERVER_BLOCKED_MAX; i++) {
		ask(&f, p, "transact", WAIT("5", ""), NULL);
		if (i % 64 == 63)
			loop_run_ms(f.loop, 1);
	}
	ask(&f, p, "transact", WAIT("5", ""),
	    "\"error\":\"resources exhausted\"");
	teardown(&f);
}

/* --- monitors ------------------------------------------------------------------------------- */

static void three_kinds_tell_one_change(void **state UNUSED)
{
	struct fixture f;
	struct peer *p = f.peers;

	setup(&f);
	ask(&f, &p[0], "transact", INSERT("a", "1"), "uuid");
	ask(&f, &p[1], "monitor",
	    "[\"D\",\"m\",{\"T\":[{\"columns\":[\"n\",\"s\"]}]}]",
	    "{\"new\":{\"n\":1,\"s\":[\"set\",[]]}}");
	ask(&f, &p[2], "monitor_cond",
	    "[\"D\",\"m\",{\"T\":[{\"columns\":[\"n\",\"s\"]}]}]",
	    "{\"initial\":{\"n\":1}}");
	ask(&f, &p[3], "monitor_cond_since",
	    "[\"D\",\"m\",{\"T\":[{\"columns\":[\"n\",\"s\"]}]},"
	    "\"00000000-0000-0000-0000-000000000000\"]",
	    "[false,");
	ask(&f, &p[0], "transact",
	    "[\"D\",{\"op\":\"mutate\",\"table\":\"T\",\"where\":[],"
	    "\"mutations\":[[\"s\",\"insert\",[\"set\",[3,4]]]]}]",
	    "{\"count\":1}");
	hears(&f, &p[1],
	      "{\"new\":{\"n\":1,\"s\":[\"set\",[3,4]]},"
	      "\"old\":{\"s\":[\"set\",[]]}}");
	hears(&f, &p[2], "\"update2\",\"params\":[\"m\",{\"T\":{");
	hears(&f, &p[3], "{\"modify\":{\"s\":[\"set\",[3,4]]}}");
	ask(&f, &p[0], "transact",
	    "[\"D\",{\"op\":\"mutate\",\"table\":\"T\",\"where\":[],"
	    "\"mutations\":[[\"s\",\"delete\",3],[\"n\",\"+=\",1]]}]",
	    "{\"count\":1}");
	hears(&f, &p[1], "\"old\":{\"n\":1,\"s\":[\"set\",[3,4]]}");
	hears(&f, &p[2], "{\"modify\":{\"n\":2,\"s\":3}}");
	ask(&f, &p[0], "transact",
	    "[\"D\",{\"op\":\"update\",\"table\":\"T\",\"where\":[],"
	    "\"row\":{\"k\":\"z\"}}]",
	    "{\"count\":1}");
	nothing_comes(&f, &p[1]); /* k is not asked for */
	ask(&f, &p[0], "transact",
	    "[\"D\",{\"op\":\"delete\",\"table\":\"T\",\"where\":[]}]",
	    "{\"count\":1}");
	hears(&f, &p[1], "{\"old\":{\"n\":2,\"s\":4}}");
	hears(&f, &p[2], "{\"delete\":null}");
	ask(&f, &p[2], "monitor_cancel", "[\"m\"]", "\"result\":{}");
	ask(&f, &p[2], "monitor_cancel", "[\"m\"]",
	    "\"error\":\"unknown monitor\"");
	teardown(&f);
}

static void conditions_show_rows_come_and_go(void **state UNUSED)
{
	struct fixture f;
	struct peer *p = f.peers;

	setup(&f);
	ask(&f, &p[0], "transact", INSERT("a", "1"), "uuid");
	ask(&f, &p[0], "transact", INSERT("b", "2"), "uuid");
	ask(&f, &p[1], "monitor_cond",
	    "[\"D\",1,{\"T\":[{\"columns\":[\"k\"],\"where\":"
	    "[[\"n\",\"==\",1],[\"n\",\"==\",7]]}]}]",
	    "{\"initial\":{\"k\":\"a\"}}");
	/* Into the filter, out of it, within it, without it. */
	ask(&f, &p[0], "transact",
	    "[\"D\",{\"op\":\"update\",\"table\":\"T\",\"where\":"
	    "[[\"k\",\"==\",\"b\"]],\"row\":{\"n\":7}}]",
	    "count");
	hears(&f, &p[1], "{\"insert\":{\"k\":\"b\"}}");
	ask(&f, &p[0], "transact",
	    "[\"D\",{\"op\":\"update\",\"table\":\"T\",\"where\":"
	    "[[\"k\",\"==\",\"b\"]],\"row\":{\"n\":3}}]",
	    "count");
	hears(&f, &p[1], "{\"delete\":null}");
	ask(&f, &p[0], "transact",
	    "[\"D\",{\"op\":\"update\",\"table\":\"T\",\"where\":"
	    "[[\"k\",\"==\",\"b\"]],\"row\":{\"n\":4}}]",
	    "count");
	nothing_comes(&f, &p[1]);
	ask(&f, &p[1], "monitor_cond_change",
	    "[1,2,{\"T\":[{\"where\":[[\"k\",\"==\",\"b\"]]}]}]",
	    "\"params\":[2,{\"T\":{");
	hears(&f, &p[1], "\"result\":{}");
	ask(&f, &p[1], "monitor_cond_change",
	    "[1,2,{\"T\":[{\"where\":[false]}]}]", "unknown monitor session");
	ask(&f, &p[1], "monitor_cond_change",
	    "[2,2,{\"T\":[{\"where\":[false]}]}]", "{\"delete\":null}");
	hears(&f, &p[1], "\"result\":{}");
	ask(&f, &p[1], "monitor_cond_change", "[2,2,{\"T\":[{\"where\":[]}]}]",
	    "{\"insert\":{\"k\":");
	hears(&f, &p[1], "\"result\":{}");
	teardown(&f);
}

static void client_that_was_away_gets_the_difference(void **state UNUSED)
{
	struct fixture f;
	struct peer *p = f.peers;
	const struct json *v;
	char *request;

	setup(&f);
	ask(&f, &p[0], "transact", INSERT("a", "1"), "uuid");
	ask(&f, &p[1], "monitor_cond_since",
	    "[\"D\",1,{\"T\":[{\"columns\":[\"k\",\"n\"]}]},"
	    "\"00000000-0000-0000-0000-000000000000\"]",
	    "[false,");
	v = json_at(json_find(json_root(p[1].last), "result"), 1);
	request = xasprintf(
		"[\"D\",2,{\"T\":[{\"columns\":[\"k\",\"n\"]}]},\"%s\"]", v->s);
	ask(&f, &p[2], "monitor_cond_since", request, ",{}]");
	ask(&f, &p[0], "transact", INSERT("b", "1"), "uuid");
	ask(&f, &p[0], "transact",
	    "[\"D\",{\"op\":\"mutate\",\"table\":\"T\",\"where\":[],"
	    "\"mutations\":[[\"n\",\"+=\",1]]}]",
	    "{\"count\":2}");
	ask(&f, &p[0], "transact", INSERT("c", "1"), "uuid");
	ask(&f, &p[0], "transact",
	    "[\"D\",{\"op\":\"delete\",\"table\":\"T\",\"where\":"
	    "[[\"k\",\"==\",\"c\"]]}]",
	    "{\"count\":1}");
	/* One of a is new, b is new with its last value, c was never there. */
	ask(&f, &p[3], "monitor_cond_since", request, "[true,");
	v = json_at(json_find(json_root(p[3].last), "result"), 2);
	assert_int_equal(json_find(v, "T")->n, 2);
	json_for_each_member(row, json_find(v, "T")) {
		const struct json *insert = json_find(&row->value, "insert");
		const struct json *modify = json_find(&row->value, "modify");

		assert_true(!insert != !modify);
		assert_int_equal(json_find(insert ? insert : modify, "n")->i,
				 2);
	}
	ask(&f, &p[3], "monitor_cond_since",
	    "[\"D\",3,{\"T\":[{}]},\"not a uuid\"]",
	    "last-txn-id must be UUID format.");
	free(request);
	teardown(&f);
}

static void slow_reader_gets_fewer_and_larger_updates(void **state UNUSED)
{
	struct fixture f;
	struct peer *p = f.peers;
	unsigned n_updates = 0;
	int64_t last = 0;
	char *text = xmalloc(300000), *request;

	setup(&f);
	memset(text, 'x', 299999);
	text[299999] = '\0';
	request = xasprintf("[\"D\",{\"op\":\"insert\",\"table\":\"T\","
			    "\"row\":{\"k\":\"%s\"}}]",
			    text);
	ask(&f, &p[1], "monitor_cond", "[\"D\",1,{\"T\":[{}]}]", "{}");
	/* A row that is long, then many changes of it. */
	for (size_t at = 0, n = strlen(request) + 40; !at; at = n) {
		struct str s = STR_INIT;

		str_addf(&s, "{\"id\":1,\"method\":\"transact\",\"params\":%s}",
			 request);
		for (size_t put = 0; put < s.len;) {
			ssize_t w = write(p[0].fd, s.s + put, s.len - put);

			put += w > 0 ? (size_t)w : 0;
			loop_run_ms(f.loop, 1);
		}
		str_fini(&s);
	}
	hears(&f, &p[0], "uuid");
	for (unsigned i = 0; i < 40; i++) {
		char change[256];

		text[i] = 'y';
		snprintf(change, sizeof(change),
			 "[\"D\",{\"op\":\"update\",\"table\":\"T\",\"where\":"
			 "[],\"row\":{\"n\":%u}},{\"op\":\"mutate\",\"table\":"
			 "\"T\",\"where\":[],\"mutations\":[]}]",
			 i + 1);
		ask(&f, &p[0], "transact", change, "count");
		/* Inserted and deleted again: long texts for who looks on. */
		ask(&f, &p[2], "monitor", "[\"D\",1,{\"T\":[{}]}]", NULL);
		ask(&f, &p[2], "monitor_cancel", "[1]", NULL);
	}
	for (const struct json *v; (v = hear_within(&f, &p[1], 50)) != NULL;) {
		const struct json *t =
			json_find(json_at(json_find(v, "params"), 1), "T");

		n_updates++;
		json_for_each_member(row, t) {
			const struct json *m = json_find(&row->value, "modify");

			if (json_find(m, "n"))
				last = json_find(m, "n")->i;
		}
	}
	assert_int_equal(last, 40);
	assert_true(n_updates >= 2);
	/* Who never read is not read either, and costs what is bounded. */
	assert_true(server_count(f.server).queued <
		    SERVER_LAG_BYTES + 2 * 700000);
	free(text);
	free(request);
	teardown(&f);
}

/* --- locks, conversion ------------------------------------------------------------------------ */

static void locks_are_handed_on(void **state UNUSED)
{
	struct fixture f;
	struct peer *p = f.peers;

	setup(&f);
	ask(&f, &p[0], "lock", "[\"L\"]", "{\"locked\":true}");
	ask(&f, &p[1], "lock", "[\"L\"]", "{\"locked\":false}");
	ask(&f, &p[0], "lock", "[\"L\"]", "must issue \\\"unlock\\\"");
	ask(&f, &p[1], "transact", "[\"D\",{\"op\":\"assert\",\"lock\":\"L\"}]",
	    "\"error\":\"not owner\"");
	ask(&f, &p[0], "unlock", "[\"L\"]", "\"result\":{}");
	hears(&f, &p[1], "\"method\":\"locked\",\"params\":[\"L\"]");
	ask(&f, &p[1], "transact", "[\"D\",{\"op\":\"assert\",\"lock\":\"L\"}]",
	    "\"result\":[{}]");
	ask(&f, &p[2], "steal", "[\"L\"]", "{\"locked\":true}");
	hears(&f, &p[1], "\"method\":\"stolen\",\"params\":[\"L\"]");
	peer_close(&p[2]);
	hears(&f, &p[1], "\"method\":\"locked\"");
	ask(&f, &p[0], "unlock", "[\"L\"]", "without");
	ask(&f, &p[0], "lock", "[\"not an id\"]", "must be <id>");
	teardown(&f);
}

static void conversion_ends_monitors_of_the_old_schema(void **state UNUSED)
{
	struct fixture f;
	struct peer *p = f.peers;

	setup(&f);
	ask(&f, &p[0], "transact", INSERT("a", "1"), "uuid");
	ask(&f, &p[0], "set_db_change_aware", "[true]", "{}");
	ask(&f, &p[0], "monitor", "[\"D\",7,{\"T\":[{}]}]", "\"new\"");
	ask(&f, &p[1], "monitor", "[\"D\",8,{\"T\":[{}]}]", "\"new\"");
	ask(&f, &p[2], "convert", "[\"D\",{\"name\":\"X\",\"tables\":{}}]",
	    "the schema is of database X");
	ask(&f, &p[2], "convert",
	    "[\"D\",{\"name\":\"D\",\"tables\":{\"T\":{\"isRoot\":true,"
	    "\"columns\":{\"k\":{\"type\":\"string\"},"
	    "\"extra\":{\"type\":\"boolean\"}}}}}]",
	    "\"result\":{}");
	hears(&f, &p[0], "\"monitor_canceled\",\"params\":[7]");
	hears(&f, &p[1], "\"monitor_canceled\",\"params\":[8]");
	assert_null(hear_within(&f, &p[1], 100)); /* let go */
	ask(&f, &p[0], "transact",
	    "[\"D\",{\"op\":\"select\",\"table\":\"T\",\"where\":[],"
	    "\"columns\":[\"k\",\"extra\"]}]",
	    "{\"extra\":false,\"k\":\"a\"}");
	ask(&f, &p[0], "get_schema", "[\"D\"]", "extra");
	teardown(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_methods_are_answered),
		cmocka_unit_test(blocked_wait_ends_by_change_time_or_cancel),
		cmocka_unit_test(nothing_leaves_before_it_is_durable),
		cmocka_unit_test(broken_log_undoes_and_says_so),
		cmocka_unit_test(client_may_leave_in_the_middle),
		cmocka_unit_test(too_many_waits_are_refused),
		cmocka_unit_test(three_kinds_tell_one_change),
		cmocka_unit_test(conditions_show_rows_come_and_go),
		cmocka_unit_test(client_that_was_away_gets_the_difference),
		cmocka_unit_test(slow_reader_gets_fewer_and_larger_updates),
		cmocka_unit_test(locks_are_handed_on),
		cmocka_unit_test(conversion_ends_monitors_of_the_old_schema),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
