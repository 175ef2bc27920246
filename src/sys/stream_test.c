/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/stream_test_pair.h"
#include "sys/unix_socket.h"

#define N_IDLE 2000

/* --- names ---------------------------------------------------------------- */

static void names_are_read_as_their_users_write_them(void **state UNUSED)
{
	static const struct {
		const char *text, *peer;
		bool listens;
	} good[] = {
		{ "tcp:192.0.2.1:6641", "tcp:192.0.2.1:6641", false },
		{ "tcp:192.0.2.1", "tcp:192.0.2.1:6640", false },
		{ "ssl:[2001:db8::1]", "ssl:[2001:db8::1]:6640", false },
		{ "ssl:[2001:db8::1]:1", "ssl:[2001:db8::1]:1", false },
		{ "ptcp:", "tcp:0.0.0.0:6640", true },
		{ "ptcp:0:127.0.0.1", "tcp:127.0.0.1:0", true },
		{ "pssl:6641:[::1]", "ssl:[::1]:6641", true },
		{ "ptcp::192.0.2.1", "tcp:192.0.2.1:6640", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		char text[STREAM_NAME_LEN];
		struct err e = ERR_INIT;
		struct stream_name n;

		assert_int_equal(stream_name_parse(good[i].text, 6640, &n, &e),
				 0);
		stream_name_format_peer(n.kind, &n.address, text);
		assert_string_equal(text, good[i].peer);
		assert_int_equal(n.listens, good[i].listens);
		stream_name_fini(&n);
	}
}

static void wrong_names_are_refused_with_a_sentence(void **state UNUSED)
{
	static const char *const bad[] = {
		"",
		"tcp",
		"udp:1.2.3.4",
		"tcp:",
		"tcp:1.2.3",
		"tcp:host",
		"tcp:1.2.3.4:0",
		"tcp:1.2.3.4:66000",
		"tcp:::1:1",
		"tcp:[::1",
		"tcp:[::1]x",
		"ptcp:x",
		"ptcp:1:[",
		"unix:",
		"punix:",
		"ptcp:1:2001:db8::1",
		"tcp:1.2.3.4:",
		"ssl:[]:1",
		"tcp:1.2.3.4:1:2",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err e = ERR_INIT;
		struct stream_name n;

		if (stream_name_parse(bad[i], 6640, &n, &e) != -EINVAL)
			fail_msg("%s was taken", bad[i]);
		assert_true(err_is_set(&e));
		err_fini(&e);
		stream_name_fini(&n);
	}
}

/* --- two ends --- */

static void carry(struct pair *p, size_t n)
{
	char *text = xmalloc(n);

	for (size_t i = 0; i < n; i++)
		text[i] = (char)(i * 7 + i / 1000);
	stream_set_limit(p->client.stream, 8u << 20);
	for (size_t at = 0; at < n; at += 1000)
		stream_send(p->client.stream, text + at, MIN(1000, n - at));
	p->server.want = n;
	loop_run_ms(p->loop, PAIR_WAIT_MS);
	assert_int_equal(p->server.got.len, n);
	assert_memory_equal(p->server.got.s, text, n);
	free(text);
}

static void long_texts_arrive_whole_over_tcp_and_unix(void **state UNUSED)
{
	struct pair tcp = { 0 }, local = { 0 };

	pair_open(&tcp, "ptcp:0:127.0.0.1", NULL);
	carry(&tcp, 3000000);
	assert_int_equal(
		strncmp(stream_peer(tcp.server.stream), "tcp:127.0.0.1:", 14),
		0);
	pair_close(&tcp);
	pair_open(&local, PAIR_NAME, NULL);
	carry(&local, 3000000);
	pair_close(&local);
}

static void what_is_not_eaten_is_shown_again(void **state UNUSED)
{
	struct pair p = { .server.eat = 777 };

	pair_open(&p, PAIR_NAME, NULL);
	carry(&p, 200000);
	pair_close(&p);
}

static void slow_reader_is_closed_and_said_so(void **state UNUSED)
{
	struct pair p = { .server.deaf = true };
	char chunk[65536] = "";

	pair_open(&p, PAIR_NAME, NULL);
	stream_set_limit(p.client.stream, 1u << 20);
	for (unsigned i = 0; i < 100 && p.client.stream; i++) {
		stream_send(p.client.stream, chunk, sizeof(chunk));
		loop_run_ms(p.loop, 1);
	}
	assert_int_equal(p.client.n_closed, 1);
	assert_non_null(strstr(p.client.why, "reads too slowly"));
	pair_close(&p);
}

static void silent_peer_is_probed_then_closed(void **state UNUSED)
{
	struct pair p = { .server.silent = true };

	pair_open(&p, PAIR_NAME, NULL);
	stream_set_probe(p.server.stream, 30);
	loop_run_ms(p.loop, PAIR_WAIT_MS);
	assert_int_equal(p.server.n_probes, 1);
	assert_string_equal(p.server.why, "does not answer");
	pair_close(&p);
}

static void closed_client_comes_back(void **state UNUSED)
{
	struct pair p = { 0 };

	pair_open(&p, PAIR_NAME, NULL);
	stream_close(p.server.stream);
	p.server.stream = NULL;
	for (unsigned i = 0; i < 10 && p.client.n_up < 2; i++)
		loop_run_ms(p.loop, PAIR_WAIT_MS);
	assert_int_equal(p.client.n_closed, 1);
	assert_string_equal(p.client.why, "closed by the peer");
	assert_int_equal(p.client.n_up, 2);
	pair_close(&p);
}

static void next_name_is_tried_when_one_fails(void **state UNUSED)
{
	const char *names[] = { "unix:@weft-nobody", "tcp:127.0.0.1:1",
				"unix:@weft-stream-test" };
	struct pair p = { 0 };

	pair_listen(&p, PAIR_NAME, NULL);
	pair_dial(&p, names, 3, NULL);
	for (unsigned i = 0; i < 10 && !p.client.n_up; i++)
		loop_run_ms(p.loop, PAIR_WAIT_MS);
	assert_int_equal(p.client.n_up, 1);
	assert_string_equal(stream_dial_name(p.dial), names[2]);
	assert_int_equal(stream_dial_state(p.dial), STREAM_DIAL_ACTIVE);
	pair_close(&p);
}

static void last_words_are_sent_before_the_end(void **state UNUSED)
{
	struct pair p = { 0 };
	char *text = xzalloc(2000000);

	pair_open(&p, PAIR_NAME, NULL);
	stream_send(p.client.stream, text, 2000000);
	stream_close_sent(p.client.stream);
	p.client.stream = NULL;
	p.server.want = 2000000;
	loop_run_ms(p.loop, PAIR_WAIT_MS);
	assert_int_equal(p.server.got.len, 2000000);
	free(text);
	pair_close(&p);
}

static void listener_takes_no_more_than_its_limit(void **state UNUSED)
{
	struct end end = { 0 };
	struct err e = ERR_INIT;
	struct stream_listen_spec spec = { .name = PAIR_NAME,
					   .accepted = end_up,
					   .arg = &end,
					   .max_clients = 1 };
	const char *names[] = { "unix:@weft-stream-test" };
	struct end a = { 0 }, b = { 0 };
	struct stream_dial_spec dial = {
		.names = names, .n_names = 1, .connected = end_up, .arg = &a
	};
	struct stream_listener *l;
	struct stream_dial *da, *db;

	end.loop = a.loop = b.loop = loop_create();
	l = stream_listener_create(end.loop, &spec, &e);
	da = stream_dial_create(end.loop, &dial, &e);
	dial.arg = &b;
	db = stream_dial_create(end.loop, &dial, &e);
	for (unsigned i = 0; i < 10; i++)
		loop_run_ms(end.loop, 10);
	assert_int_equal(end.n_up, 1);
	assert_int_equal(stream_listener_n_clients(l), 1);
	stream_close(end.stream);
	end.stream = NULL;
	for (unsigned i = 0; i < 100 && end.n_up < 2; i++)
		loop_run_ms(end.loop, 100);
	assert_int_equal(end.n_up, 2);
	stream_close(end.stream);
	stream_close(a.stream);
	stream_close(b.stream);
	stream_dial_destroy(da);
	stream_dial_destroy(db);
	stream_listener_destroy(l);
	loop_destroy(end.loop);
}

static int connect_raw(const char *path)
{
	struct err e = ERR_INIT;
	int fd = unix_socket_connect(path, &e);

	assert_true(fd >= 0);
	return fd;
}

/* Until the listener has `n` clients. */
static void wait_clients(struct pair *p, unsigned n)
{
	for (unsigned i = 0;
	     i < 500 && stream_listener_n_clients(p->listener) != n; i++)
		loop_run_ms(p->loop, 10);
	assert_int_equal(stream_listener_n_clients(p->listener), n);
}

struct many {
	struct loop *loop;
	struct stream *streams[N_IDLE];
	unsigned n;
};

static size_t many_rx(void *arg UNUSED, const char *bytes UNUSED, size_t n)
{
	return n;
}

static void many_closed(void *arg, const char *why UNUSED)
{
	((struct many *)arg)->n--;
}

static void many_up(void *arg, struct stream *s)
{
	static const struct stream_ops ops = { .rx = many_rx,
					       .closed = many_closed };
	struct many *m = arg;

	stream_set_ops(s, &ops, m);
	m->streams[m->n++] = s;
}

static size_t heap_bytes(void)
{
	return mallinfo2().uordblks;
}

static void idle_connections_cost_next_to_nothing(void **state UNUSED)
{
	struct many *m = xzalloc(sizeof(*m));
	struct pair p = { 0 };
	struct err e = ERR_INIT;
	struct stream_listen_spec spec = { .name = PAIR_NAME,
					   .accepted = many_up,
					   .arg = m };
	int *fds = xcalloc(N_IDLE, sizeof(int));
	size_t before;

	p.loop = m->loop = loop_create();
	p.listener = stream_listener_create(p.loop, &spec, &e);
	assert_non_null(p.listener);
	before = heap_bytes();
	for (unsigned i = 0; i < N_IDLE; i++) {
		fds[i] = connect_raw("@weft-stream-test");
		assert_int_equal(write(fds[i], "x", 1), 1);
		if (i % 64 == 63)
			loop_run_ms(p.loop, 1);
	}
	wait_clients(&p, N_IDLE);
	assert_int_equal(m->n, N_IDLE);
	/* Nothing where the sanitizer's allocator counts. */
	assert_true(heap_bytes() - before < (size_t)N_IDLE * 2048);
	for (unsigned i = 0; i < N_IDLE; i++)
		close(fds[i]);
	wait_clients(&p, 0);
	assert_int_equal(m->n, 0);
	free(fds);
	pair_close(&p);
	free(m);
}

static void endless_message_ends_the_connection(void **state UNUSED)
{
	struct pair p = { .server.refuse = true };
	char chunk[60000] = "";

	pair_open(&p, PAIR_NAME, NULL);
	for (unsigned i = 0; i < 100 && p.server.stream; i++) {
		if (p.client.stream)
			stream_send(p.client.stream, chunk, sizeof(chunk));
		loop_run_ms(p.loop, 1);
	}
	assert_int_equal(p.server.n_closed, 1);
	assert_string_equal(p.server.why, "sent a message that is too long");
	pair_close(&p);
}

static void paused_end_is_not_taken_for_silent(void **state UNUSED)
{
	struct pair p = { .server.deaf = true };

	pair_open(&p, PAIR_NAME, NULL);
	stream_set_probe(p.server.stream, 10);
	loop_run_ms(p.loop, 100);
	assert_int_equal(p.server.n_closed, 0);
	stream_send(p.client.stream, "hello", 5);
	stream_resume(p.server.stream);
	p.server.want = 5;
	loop_run_ms(p.loop, PAIR_WAIT_MS);
	assert_int_equal(p.server.got.len, 5);
	pair_close(&p);
}

static void socket_file_has_its_mode_and_goes_at_the_end(void **state UNUSED)
{
	struct end end = { 0 };
	struct err e = ERR_INIT;
	char path[64], name[80];
	struct stream_listen_spec spec = {
		.name = name, .accepted = end_up, .arg = &end, .mode = 0600
	};
	struct stream_listener *l;
	struct stat st;

	snprintf(path, sizeof(path), "/tmp/weft-stream-%d", (int)getpid());
	snprintf(name, sizeof(name), "punix:%s", path);
	end.loop = loop_create();
	l = stream_listener_create(end.loop, &spec, &e);
	assert_non_null(l);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_null(stream_listener_create(end.loop, &spec, &e));
	assert_non_null(strstr(e.text, "in use"));
	err_fini(&e);
	stream_listener_destroy(l);
	assert_int_equal(stat(path, &st), -1);
	loop_destroy(end.loop);
}

static void peer_of_a_unix_socket_is_named_by_its_process(void **state UNUSED)
{
	struct pair p = { 0 };
	struct unix_socket_peer who;
	char text[64];

	pair_open(&p, PAIR_NAME, NULL);
	assert_int_equal(unix_socket_peer(stream_fd(p.server.stream), &who), 0);
	assert_int_equal(who.uid, getuid());
	snprintf(text, sizeof(text), "unix:pid %d", (int)getpid());
	assert_string_equal(stream_peer(p.server.stream), text);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_read_as_their_users_write_them),
		cmocka_unit_test(wrong_names_are_refused_with_a_sentence),
		cmocka_unit_test(long_texts_arrive_whole_over_tcp_and_unix),
		cmocka_unit_test(what_is_not_eaten_is_shown_again),
		cmocka_unit_test(slow_reader_is_closed_and_said_so),
		cmocka_unit_test(silent_peer_is_probed_then_closed),
		cmocka_unit_test(closed_client_comes_back),
		cmocka_unit_test(next_name_is_tried_when_one_fails),
		cmocka_unit_test(last_words_are_sent_before_the_end),
		cmocka_unit_test(listener_takes_no_more_than_its_limit),
		cmocka_unit_test(idle_connections_cost_next_to_nothing),
		cmocka_unit_test(endless_message_ends_the_connection),
		cmocka_unit_test(paused_end_is_not_taken_for_silent),
		cmocka_unit_test(socket_file_has_its_mode_and_goes_at_the_end),
		cmocka_unit_test(peer_of_a_unix_socket_is_named_by_its_process),
	};

	struct rlimit many = { N_IDLE * 2 + 100, N_IDLE * 2 + 100 };

	/* As many as we may; the test says when they are too few. */
	(void)!setrlimit(RLIMIT_NOFILE, &many);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
