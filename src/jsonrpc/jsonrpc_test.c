/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "jsonrpc/jsonrpc.h"
#include "sys/unix_socket.h"

#define NAME "@weft-jsonrpc-test"
#define WAIT_MS 5000

/* --- messages ------------------------------------------------------------------ */

static void messages_are_told_by_their_members(void **state UNUSED)
{
	static const struct {
		const char *text;
		enum jsonrpc_kind kind;
	} good[] = {
		{ "{\"id\":1,\"method\":\"x\",\"params\":[]}",
		  JSONRPC_REQUEST },
		{ "{\"id\":null,\"method\":\"x\",\"params\":[]}",
		  JSONRPC_NOTIFY },
		{ "{\"method\":\"x\",\"params\":[1]}", JSONRPC_NOTIFY },
		{ "{\"id\":\"a\",\"result\":{},\"error\":null}",
		  JSONRPC_REPLY },
		{ "{\"id\":\"a\",\"result\":null,\"error\":null}",
		  JSONRPC_REPLY },
		{ "{\"id\":[1],\"result\":null,\"error\":\"no\"}",
		  JSONRPC_ERROR },
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct jsonrpc_message m;
		struct err e = ERR_INIT;
		struct json_doc *d;

		assert_int_equal(
			json_parse(good[i].text, strlen(good[i].text), &d, &e),
			0);
		assert_int_equal(jsonrpc_message_parse(json_root(d), &m, &e),
				 0);
		assert_int_equal(m.kind, good[i].kind);
		json_doc_destroy(d);
	}
}

static void what_is_no_message_is_refused_with_a_sentence(void **state UNUSED)
{
	static const char *const bad[] = {
		"[]",
		"{}",
		"{\"method\":1,\"params\":[]}",
		"{\"method\":\"x\",\"params\":{}}",
		"{\"method\":\"x\"}",
		"{\"id\":1,\"params\":[]}",
		"{\"id\":1,\"result\":1,\"error\":2}",
		"{\"result\":1,\"error\":null}",
		"{\"id\":1,\"method\":\"x\",\"params\":[],\"error\":1}",
		"{\"id\":1,\"method\":\"x\",\"params\":[],\"more\":1}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct jsonrpc_message m;
		struct err e = ERR_INIT;
		struct json_doc *d;

		assert_int_equal(json_parse(bad[i], strlen(bad[i]), &d, &e), 0);
		if (!jsonrpc_message_parse(json_root(d), &m, &e))
			fail_msg("%s was taken", bad[i]);
		assert_true(err_is_set(&e));
		err_fini(&e);
		json_doc_destroy(d);
	}
}

/* --- a server and its clients ---------------------------------------------------- */

struct server {
	struct loop *loop;
	struct stream_listener *listener;
	struct jsonrpc *rpc;
	struct json_limits limits;
	struct str got; /* "method params;" of each message */
	unsigned n, n_closed;
	bool pause, hang_up;
	char why[200];
};

static void server_rx(void *arg, const struct jsonrpc_message *m,
		      struct json_doc **doc UNUSED)
{
	struct server *s = arg;

	s->n++;
	str_addf(&s->got, "%s ", m->method ? m->method : "-");
	json_add(&s->got, m->params ? m->params : m->result);
	str_add_char(&s->got, ';');
	if (m->kind == JSONRPC_REQUEST)
		jsonrpc_send_reply(s->rpc, m->id, "[1,2]", 5);
	if (s->pause)
		jsonrpc_pause(s->rpc);
	if (s->hang_up) {
		jsonrpc_destroy(s->rpc);
		s->rpc = NULL;
	}
	loop_stop(s->loop);
}

static void server_closed(void *arg, const char *why)
{
	struct server *s = arg;

	s->rpc = NULL;
	s->n_closed++;
	snprintf(s->why, sizeof(s->why), "%s", why);
	loop_stop(s->loop);
}

static void server_accepted(void *arg, struct stream *stream)
{
	static const struct jsonrpc_ops ops = { .rx = server_rx,
						.closed = server_closed };
	struct server *s = arg;

	s->rpc = jsonrpc_create(stream, &s->limits, &ops, s);
	loop_stop(s->loop);
}

static int server_open(struct server *s)
{
	struct err e = ERR_INIT;
	struct stream_listen_spec spec = { .name = "punix:" NAME,
					   .accepted = server_accepted,
					   .arg = s };
	int fd;

	s->loop = loop_create();
	s->listener = stream_listener_create(s->loop, &spec, &e);
	assert_non_null(s->listener);
	fd = unix_socket_connect(NAME, &e);
	assert_true(fd >= 0);
	loop_run_ms(s->loop, WAIT_MS);
	assert_non_null(s->rpc);
	return fd;
}

static void server_close(struct server *s, int fd)
{
	jsonrpc_destroy(s->rpc);
	stream_listener_destroy(s->listener);
	loop_destroy(s->loop);
	str_fini(&s->got);
	close(fd);
}

static void say(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void hear(struct server *s, int fd, const char *text)
{
	char got[4096] = "";
	size_t n = 0;

	for (unsigned i = 0; i < 500 && n < strlen(text); i++) {
		ssize_t now = read(fd, got + n, sizeof(got) - 1 - n);

		n += now > 0 ? (size_t)now : 0;
		loop_run_ms(s->loop, 5);
	}
	assert_string_equal(got, text);
}

static void requests_are_answered_by_their_id(void **state UNUSED)
{
	struct server s = { 0 };
	int fd = server_open(&s);

	say(fd, "{\"id\":[7,\"x\"],\"method\":\"list_dbs\",\"params\":[]}");
	hear(&s, fd, "{\"id\":[7,\"x\"],\"result\":[1,2],\"error\":null}");
	assert_string_equal(str_text(&s.got), "list_dbs [];");
	server_close(&s, fd);
}

static void echo_is_answered_by_the_session(void **state UNUSED)
{
	struct server s = { 0 };
	int fd = server_open(&s);

	say(fd, "{\"id\":\"e\",\"method\":\"echo\",\"params\":[1,{}]}");
	hear(&s, fd, "{\"id\":\"e\",\"result\":[1,{}],\"error\":null}");
	assert_int_equal(s.n, 0);
	server_close(&s, fd);
}

static void silence_is_probed_with_an_echo(void **state UNUSED)
{
	struct server s = { 0 };
	int fd = server_open(&s);

	stream_set_probe(jsonrpc_stream(s.rpc), 100);
	hear(&s, fd, "{\"id\":\"echo\",\"method\":\"echo\",\"params\":[]}");
	say(fd, "{\"id\":\"echo\",\"result\":[],\"error\":null}");
	loop_run_ms(s.loop, 20);
	assert_int_equal(s.n + s.n_closed, 0);
	loop_run_ms(s.loop, WAIT_MS);
	assert_string_equal(s.why, "does not answer");
	server_close(&s, fd);
}

static void bytes_may_come_one_at_a_time(void **state UNUSED)
{
	static const char text[] =
		"{\"method\":\"a\",\"params\":[\"\\u00e9\"]} \n"
		"{\"method\":\"b\",\"params\":[]}";
	struct server s = { 0 };
	int fd = server_open(&s);

	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		assert_int_equal(write(fd, text + i, 1), 1);
		loop_run_ms(s.loop, 1);
	}
	for (unsigned i = 0; i < 100 && s.n < 2; i++)
		loop_run_ms(s.loop, 10);
	assert_string_equal(str_text(&s.got), "a [\"\xc3\xa9\"];b [];");
	server_close(&s, fd);
}

static void paused_session_shows_one_message(void **state UNUSED)
{
	struct server s = { .pause = true };
	int fd = server_open(&s);

	say(fd, "{\"method\":\"a\",\"params\":[]}{\"method\":\"b\","
		"\"params\":[]}{\"method\":\"c\",\"params\":[]}");
	for (unsigned i = 0; i < 5; i++)
		loop_run_ms(s.loop, 10);
	assert_string_equal(str_text(&s.got), "a [];");
	jsonrpc_resume(s.rpc);
	for (unsigned i = 0; i < 5; i++)
		loop_run_ms(s.loop, 10);
	assert_string_equal(str_text(&s.got), "a [];b [];");
	s.pause = false;
	jsonrpc_resume(s.rpc);
	for (unsigned i = 0; i < 100 && s.n < 3; i++)
		loop_run_ms(s.loop, 10);
	assert_string_equal(str_text(&s.got), "a [];b [];c [];");
	server_close(&s, fd);
}

static void session_may_be_destroyed_from_its_message(void **state UNUSED)
{
	struct server s = { .hang_up = true };
	int fd = server_open(&s);

	say(fd, "{\"method\":\"a\",\"params\":[]}{\"method\":\"b\","
		"\"params\":[]}");
	loop_run_ms(s.loop, WAIT_MS);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.n_closed, 0);
	assert_null(s.rpc);
	server_close(&s, fd);
}

static void shared_text_is_wrapped_for_each(void **state UNUSED)
{
	struct server s = { 0 };
	int fd = server_open(&s);
	struct stream_text *t = stream_text_create("{\"T\":1}", 7);
	const struct json id = { .type = JSON_INT, .i = 5 };

	jsonrpc_send_shared(s.rpc, "update", &id, t);
	stream_text_unref(t);
	hear(&s, fd,
	     "{\"id\":null,\"method\":\"update\",\"params\":[5,{\"T\":1}]}");
	server_close(&s, fd);
}

/* --- hostile peers ------------------------------------------------------------------ */

static void nonsense_ends_the_session(void **state UNUSED)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "GET / HTTP/1.1\r\n\r\n", "no JSON" },
		{ "[1]", "no JSON-RPC message" },
		{ "{\"method\":\"a\",\"params\":[]}}", "no JSON" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct server s = { 0 };
		int fd = server_open(&s);

		say(fd, bad[i].text);
		for (unsigned k = 0; k < 100 && !s.n_closed; k++)
			loop_run_ms(s.loop, 10);
		assert_int_equal(s.n_closed, 1);
		assert_non_null(strstr(s.why, bad[i].why));
		server_close(&s, fd);
	}
}

static void message_over_its_limit_ends_the_session(void **state UNUSED)
{
	struct server s = { .limits = { 100000, 1000000 } };
	int fd = server_open(&s);
	char chunk[4096];

	memset(chunk, '[', sizeof(chunk));
	chunk[0] = '"';
	memset(chunk + 1, 'x', sizeof(chunk) - 1);
	say(fd, "{\"method\":");
	assert_true(write(fd, chunk, sizeof(chunk)) > 0);
	memset(chunk, 'x', sizeof(chunk));
	for (unsigned i = 0; i < 100 && !s.n_closed; i++) {
		if (write(fd, chunk, sizeof(chunk)) < 0)
			break;
		loop_run_ms(s.loop, 1);
	}
	assert_int_equal(s.n_closed, 1);
	server_close(&s, fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_are_told_by_their_members),
		cmocka_unit_test(what_is_no_message_is_refused_with_a_sentence),
		cmocka_unit_test(requests_are_answered_by_their_id),
		cmocka_unit_test(echo_is_answered_by_the_session),
		cmocka_unit_test(silence_is_probed_with_an_echo),
		cmocka_unit_test(bytes_may_come_one_at_a_time),
		cmocka_unit_test(paused_session_shows_one_message),
		cmocka_unit_test(session_may_be_destroyed_from_its_message),
		cmocka_unit_test(shared_text_is_wrapped_for_each),
		cmocka_unit_test(nonsense_ends_the_session),
		cmocka_unit_test(message_over_its_limit_ends_the_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
