/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/server.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <json-c/json.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/be.h"
#include "base/str.h"
#include "rpc/client.h"
#include "rpc/frame.h"
#include "rpc/message.h"
#include "sys/loop.h"

/* --- a server in a thread ------------------------------------------------- */

#define PIECE 10007u

struct fixture {
	char path[64];
	struct loop *loop;
	struct rpc_server *server;
	pthread_t thread;
	struct rpc_call *parked;
};

static void echo(void *arg UNUSED, struct rpc_call *call,
		 struct json_object *params)
{
	rpc_call_result(call, json_object_get(params));
}

static void refuse(void *arg UNUSED, struct rpc_call *call,
		   struct json_object *params UNUSED)
{
	struct err e[2] = { ERR_INIT, ERR_INIT };

	err_set(&e[0], "no such thing");
	err_place(&e[0], "net.yaml", 3, 7);
	err_set(&e[1], "nor this");
	rpc_call_errors(call, e, 2);
	err_fini(&e[0]);
	err_fini(&e[1]);
}

static void count(void *arg UNUSED, struct rpc_call *call,
		  struct json_object *params UNUSED)
{
	for (int i = 1; i <= 3; i++)
		rpc_call_progress(call, json_object_new_int(i));
	rpc_call_result(call, json_object_new_string("done"));
}

static void park(void *arg, struct rpc_call *call,
		 struct json_object *params UNUSED)
{
	struct fixture *f = arg;

	f->parked = call;
}

/* Answers the parked call of a client that went away. */
static void unpark(void *arg, struct rpc_call *call,
		   struct json_object *params UNUSED)
{
	struct fixture *f = arg;
	bool gone = rpc_call_is_abandoned(f->parked);

	rpc_call_progress(f->parked, NULL);
	rpc_call_result(f->parked, json_object_new_string("late"));
	rpc_call_result(call, json_object_new_boolean(gone));
}

static void who(void *arg UNUSED, struct rpc_call *call,
		struct json_object *params UNUSED)
{
	rpc_call_result(call, json_object_new_int(rpc_call_peer(call)->pid));
}

static void trusted(void *arg UNUSED, struct rpc_call *call,
		    struct json_object *params UNUSED)
{
	rpc_call_result(call,
			json_object_new_boolean(rpc_call_is_trusted(call)));
}

static void big(void *arg UNUSED, struct rpc_call *call,
		struct json_object *params UNUSED)
{
	char *text = xmalloc(6u << 20);

	memset(text, 'x', 6u << 20);
	rpc_call_result(call, json_object_new_string_len(text, 6 << 20));
	free(text);
}

static void clients(void *arg, struct rpc_call *call,
		    struct json_object *params UNUSED)
{
	struct fixture *f = arg;

	rpc_call_result(call, json_object_new_int(
				      (int)rpc_server_n_clients(f->server)));
}

/* As many bytes as are taken, each piece with its number; answers how many. */
static void pour(void *arg UNUSED, struct rpc_call *call,
		 struct json_object *params UNUSED)
{
	static char piece[PIECE];
	int n = 0;

	do {
		memset(piece, n % 256, sizeof(piece));
		n++;
	} while (rpc_call_bytes(call, piece, sizeof(piece)));
	rpc_call_progress(call, json_object_new_int(1));
	rpc_call_result(call, json_object_new_int(n - 1));
}

static const struct rpc_method methods[] = {
	{ "echo", echo },       { "fail", refuse },     { "count", count },
	{ "park", park },       { "unpark", unpark },   { "who", who },
	{ "big", big },         { "clients", clients }, { "pour", pour },
	{ "trusted", trusted },
};

static void *run(void *arg)
{
	loop_run(((struct fixture *)arg)->loop);
	return NULL;
}

static int setup_for(void **state, bool has_operators)
{
	struct fixture *f = xzalloc(sizeof(*f));
	struct rpc_server_spec spec = { .methods = methods,
					.n_methods = ARRAY_SIZE(methods),
					.has_operators = has_operators,
					.arg = f };
	struct err e = ERR_INIT;

	snprintf(f->path, sizeof(f->path), "/tmp/weft-rpc-test.%d", getpid());
	spec.socket.path = f->path;
	spec.socket.mode = 0600;
	f->loop = loop_create();
	f->server = rpc_server_create(f->loop, &spec, &e);
	must(f->server);
	pthread_create(&f->thread, NULL, run, f);
	*state = f;
	return 0;
}

static int setup(void **state)
{
	return setup_for(state, false);
}

static int setup_with_operators(void **state)
{
	return setup_for(state, true);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	loop_stop(f->loop);
	pthread_join(f->thread, NULL);
	rpc_server_destroy(f->server);
	loop_destroy(f->loop);
	free(f);
	return 0;
}

static struct rpc_client *client_of(const struct fixture *f)
{
	struct err e = ERR_INIT;
	struct rpc_client *c = rpc_client_create(f->path, &e);

	must(c);
	return c;
}

static int ask(struct rpc_client *c, const char *method,
	       struct json_object *params, struct rpc_client_reply *out)
{
	const struct rpc_client_call call = { .method = method,
					      .params = params,
					      .timeout_ms = 10000 };

	return rpc_client_call(c, &call, out);
}

/* --- tests ---------------------------------------------------------------- */

static void request_gets_its_result(void **state)
{
	struct rpc_client *c = client_of(*state);
	struct json_object *p = json_object_new_object(), *v;
	struct rpc_client_reply r;

	json_object_object_add(p, "a", json_object_new_string("\"\n\xc3\xbc"));
	assert_int_equal(ask(c, "echo", p, &r), 0);
	assert_true(json_object_object_get_ex(r.result, "a", &v));
	assert_string_equal(json_object_get_string(v), "\"\n\xc3\xbc");
	rpc_client_reply_fini(&r);
	assert_int_equal(ask(c, "who", NULL, &r), 0);
	assert_int_equal(json_object_get_int(r.result), getpid());
	rpc_client_reply_fini(&r);
	rpc_client_destroy(c);
}

static void errors_keep_their_place(void **state)
{
	struct rpc_client *c = client_of(*state);
	struct rpc_client_reply r;
	char *text;

	assert_int_equal(ask(c, "fail", NULL, &r), -EINVAL);
	assert_int_equal(r.n_errors, 2);
	text = err_format(&r.errors[0]);
	assert_string_equal(text, "net.yaml:3:7: no such thing");
	free(text);
	text = err_format(&r.errors[1]);
	assert_string_equal(text, "nor this");
	free(text);
	rpc_client_reply_fini(&r);
	assert_int_equal(ask(c, "ecko", NULL, &r), -EINVAL);
	assert_string_equal(r.errors[0].text, "there is no method \"ecko\"; "
					      "did you mean \"echo\"?");
	rpc_client_reply_fini(&r);
	rpc_client_destroy(c);
}

static void add_up(void *arg, struct json_object *value)
{
	*(int *)arg = *(int *)arg * 10 + json_object_get_int(value);
}

static void progress_comes_before_the_result(void **state)
{
	struct rpc_client *c = client_of(*state);
	int seen = 0;
	const struct rpc_client_call call = { .method = "count",
					      .timeout_ms = 10000,
					      .progress = add_up,
					      .arg = &seen };
	struct rpc_client_reply r;

	assert_int_equal(rpc_client_call(c, &call, &r), 0);
	assert_int_equal(seen, 123);
	assert_string_equal(json_object_get_string(r.result), "done");
	rpc_client_reply_fini(&r);
	rpc_client_destroy(c);
}

struct poured {
	int pieces;
	bool wrong;
};

static void drink(void *arg, const char *bytes, size_t len)
{
	struct poured *p = arg;

	p->wrong |= len != PIECE;
	for (size_t i = 0; i < len; i++)
		p->wrong |= bytes[i] != (char)(p->pieces % 256);
	p->pieces++;
}

/* What is more than a client has read is refused, not dropped. */
static void bytes_come_whole_or_are_refused(void **state)
{
	struct rpc_client *c = client_of(*state);
	struct poured seen = { 0 };
	const struct rpc_client_call call = { .method = "pour",
					      .timeout_ms = 10000,
					      .bytes = drink,
					      .arg = &seen };
	struct rpc_client_reply r;

	assert_int_equal(rpc_client_call(c, &call, &r), 0);
	assert_int_equal(json_object_get_int(r.result), seen.pieces);
	assert_in_range(seen.pieces, RPC_MAX_BYTES / PIECE,
			RPC_MAX_BYTES / PIECE + 1);
	assert_false(seen.wrong);
	rpc_client_reply_fini(&r);
	rpc_client_destroy(c);
}

static void silent_daemon_is_waited_for_no_longer_than_told(void **state)
{
	struct rpc_client *c = client_of(*state);
	const struct rpc_client_call call = { .method = "park",
					      .timeout_ms = 50 };
	struct rpc_client_reply r;

	assert_int_equal(rpc_client_call(c, &call, &r), -ETIMEDOUT);
	assert_non_null(strstr(r.errors[0].text, "did not answer \"park\""));
	rpc_client_reply_fini(&r);
	rpc_client_destroy(c);
	/* the call outlives its client */
	usleep(50000);
	c = client_of(*state);
	assert_int_equal(ask(c, "unpark", NULL, &r), 0);
	assert_true(json_object_get_boolean(r.result));
	rpc_client_reply_fini(&r);
	rpc_client_destroy(c);
}

static void missing_daemon_is_said_with_what_to_do(void **state UNUSED)
{
	struct err e = ERR_INIT;

	assert_null(rpc_client_create("/tmp/no-such-weft.sock", &e));
	assert_string_equal(e.text,
			    "weftd is not running (no socket at "
			    "/tmp/no-such-weft.sock): start it with "
			    "\"systemctl start weftd\" or \"sudo weftd\"");
	err_fini(&e);
}

static void message_of_megabytes_crosses(void **state)
{
	struct rpc_client *c = client_of(*state);
	struct json_object *p = json_object_new_object();
	char *text = xmalloc(8u << 20);
	struct rpc_client_reply r;

	memset(text, '\n', 4u << 20); /* doubles in JSON */
	json_object_object_add(p, "t",
			       json_object_new_string_len(text, 4 << 20));
	assert_int_equal(ask(c, "echo", p, &r), 0);
	rpc_client_reply_fini(&r);
	assert_int_equal(ask(c, "big", NULL, &r), 0);
	assert_int_equal(json_object_get_string_len(r.result), 6 << 20);
	rpc_client_reply_fini(&r);
	free(text);
	rpc_client_destroy(c);
}

/* --- hostile clients ------------------------------------------------------ */

static int raw(const struct fixture *f)
{
	int fd = unix_socket_connect(f->path, NULL);

	must(fd >= 0);
	fcntl(fd, F_SETFL, 0);
	return fd;
}

static void raw_send(int fd, const char *text)
{
	size_t total;
	char *frame = frame_build(text, strlen(text), &total);

	assert_int_equal(write(fd, frame, total), total);
	free(frame);
}

/* The text of the next message, or NULL when the server closed. */
static char *raw_receive(int fd)
{
	char header[FRAME_HEADER_LEN], *text;
	size_t len;

	if (recv(fd, header, sizeof(header), MSG_WAITALL) != sizeof(header))
		return NULL;
	len = get_be32(header);
	text = xzalloc(len + 1);
	assert_int_equal(recv(fd, text, len, MSG_WAITALL), len);
	return text;
}

static void nonsense_is_answered_and_harms_nobody(void **state)
{
	static const char *const texts[] = {
		"",
		"null",
		"[]",
		"{\"id\": 1}",
		"{\"id\": \"x\", \"method\": \"echo\"}",
		"{\"id\": 1, \"method\": \"echo\", \"params\": []}",
		"{\"id\": 1, \"method\": \"echo\"} x",
		"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
		"\"\xff\"",
	};
	int fd = raw(*state);
	char *answer;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		raw_send(fd, texts[i]);
		answer = raw_receive(fd);
		assert_non_null(answer);
		assert_non_null(strstr(answer, "\"error\":{\"text\":"));
		free(answer);
	}
	raw_send(fd, "{\"id\": 1, \"method\": \"echo\", \"params\": {}}");
	answer = raw_receive(fd);
	assert_string_equal(answer, "{\"id\":1,\"result\":{}}");
	free(answer);
	close(fd);
}

static void message_too_long_is_refused_and_the_client_closed(void **state)
{
	int fd = raw(*state);
	char header[4], *answer;

	put_be32(header, FRAME_MAX_REQUEST + 1);
	assert_int_equal(write(fd, header, 4), 4);
	answer = raw_receive(fd);
	assert_non_null(strstr(answer, "the request has more than 16777216"));
	free(answer);
	assert_null(raw_receive(fd));
	close(fd);
}

static void many_small_values_are_refused(void **state)
{
	struct str s = STR_INIT;
	int fd = raw(*state);
	char *answer;

	str_add(&s, "{\"id\":1,\"method\":\"echo\",\"params\":{\"a\":[0");
	for (int i = 0; i < 20000; i++)
		str_add(&s, ",0");
	str_add(&s, "]}}");
	raw_send(fd, s.s);
	answer = raw_receive(fd);
	assert_non_null(strstr(answer, "more than 16384 values"));
	free(answer);
	str_fini(&s);
	close(fd);
}

static void requests_in_a_row_are_answered_in_order(void **state)
{
	int fd = raw(*state);
	char text[64], want[32], *answer;

	for (int i = 0; i < 50; i++) {
		snprintf(text, sizeof(text), "{\"id\":%d,\"method\":\"who\"}",
			 i);
		raw_send(fd, text);
	}
	for (int i = 0; i < 50; i++) {
		answer = raw_receive(fd);
		snprintf(want, sizeof(want), "{\"id\":%d,", i);
		assert_memory_equal(answer, want, strlen(want));
		free(answer);
	}
	close(fd);
}

static void reader_that_never_reads_is_not_read_from(void **state)
{
	struct rpc_client *c = client_of(*state);
	struct rpc_client_reply r;
	int fd = raw(*state);

	/* asks for 60 MB, reads nothing: one answer waits, no more */
	for (int i = 0; i < 10; i++)
		raw_send(fd, "{\"id\":1,\"method\":\"big\"}");
	for (int i = 0; i < 10; i++) {
		assert_int_equal(ask(c, "echo", NULL, &r), 0);
		rpc_client_reply_fini(&r);
	}
	for (int i = 0; i < 10; i++) {
		char *answer = raw_receive(fd);

		assert_int_equal(strlen(answer), (6 << 20) + 20);
		free(answer);
	}
	close(fd);
	rpc_client_destroy(c);
}

static void clients_beyond_the_limit_are_turned_away(void **state)
{
	int fds[RPC_MAX_CLIENTS + 4];
	struct rpc_client_reply r;
	struct rpc_client *c;
	char *answer;

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = raw(*state);
	raw_send(fds[63], "{\"id\":1,\"method\":\"clients\"}");
	answer = raw_receive(fds[63]);
	assert_string_equal(answer, "{\"id\":1,\"result\":64}");
	free(answer);
	assert_null(raw_receive(fds[ARRAY_SIZE(fds) - 1]));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	c = client_of(*state);
	assert_int_equal(ask(c, "echo", NULL, &r), 0);
	rpc_client_reply_fini(&r);
	rpc_client_destroy(c);
}

/* As the user nobody: 0 when the daemon is as strict as S3 says. */
static int ask_as_nobody(const struct fixture *f)
{
	char header[4], *answer;
	int fd, bad = 0;

	if (setresuid(65534, 65534, 65534))
		return 1;
	fd = raw(f);
	raw_send(fd, "{\"id\":1,\"method\":\"big\"}");
	answer = raw_receive(fd);
	bad |= !strstr(answer, "more than this user may have") << 1;
	free(answer);
	put_be32(header, RPC_UNTRUSTED_REQUEST + 1);
	bad |= (write(fd, header, 4) != 4) << 2;
	answer = raw_receive(fd);
	bad |= !strstr(answer, "the most that is taken from this user") << 3;
	free(answer);
	return bad;
}

static void strangers_get_smaller_limits(void **state)
{
	struct fixture *f = *state;
	int status;
	pid_t pid;

	if (geteuid())
		skip();
	assert_int_equal(chmod(f->path, 0666), 0);
	pid = fork();
	if (!pid)
		_exit(ask_as_nobody(f));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

#define N_GROUPS 300u /* further ones, more than fit a small buffer */
#define STRANGER 65534u

struct caller {
	gid_t first, further; /* its groups; `further` is the last of many */
};

/* What the daemon thinks of such a caller: 1, it is trusted. */
static int ask_as(const struct fixture *f, const struct caller *who)
{
	gid_t groups[N_GROUPS];
	char *answer;
	int fd, yes;

	for (unsigned i = 0; i < N_GROUPS; i++)
		groups[i] = STRANGER - 1 - i;
	groups[N_GROUPS - 1] = who->further;
	if (setgroups(N_GROUPS, groups) ||
	    setresgid(who->first, who->first, who->first) ||
	    setresuid(STRANGER, STRANGER, STRANGER))
		return 2;
	fd = raw(f);
	raw_send(fd, "{\"id\":1,\"method\":\"trusted\"}");
	answer = raw_receive(fd);
	yes = strstr(answer, "true") ? 1 : 0;
	free(answer);
	return yes;
}

static int is_trusted(const struct fixture *f, const struct caller *who)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(ask_as(f, who));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

static void members_of_our_group_are_operators(void **state)
{
	struct fixture *f = *state;
	gid_t ours = getegid();

	if (geteuid())
		skip();
	assert_int_equal(chmod(f->path, 0666), 0);
	assert_int_equal(is_trusted(f, &(struct caller){ ours, 7 }), 1);
	assert_int_equal(is_trusted(f, &(struct caller){ 7, ours }), 1);
	assert_int_equal(is_trusted(f, &(struct caller){ 7, 8 }), 0);
}

static void nobody_is_an_operator_unasked(void **state)
{
	struct fixture *f = *state;
	gid_t ours = getegid();

	if (geteuid())
		skip();
	assert_int_equal(chmod(f->path, 0666), 0);
	assert_int_equal(is_trusted(f, &(struct caller){ ours, ours }), 0);
}

static void client_that_leaves_amid_a_message_is_forgotten(void **state)
{
	struct rpc_client_reply r;
	struct rpc_client *c;
	int fd = raw(*state), n = 0;

	assert_int_equal(write(fd, "\0\0\1\0half", 8), 8);
	close(fd);
	c = client_of(*state);
	for (int i = 0; i < 500 && n != 1; i++) {
		assert_int_equal(ask(c, "clients", NULL, &r), 0);
		n = json_object_get_int(r.result);
		rpc_client_reply_fini(&r);
		usleep(1000);
	}
	assert_int_equal(n, 1);
	rpc_client_destroy(c);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(request_gets_its_result),
		T(errors_keep_their_place),
		T(progress_comes_before_the_result),
		T(bytes_come_whole_or_are_refused),
		T(silent_daemon_is_waited_for_no_longer_than_told),
		T(missing_daemon_is_said_with_what_to_do),
		T(message_of_megabytes_crosses),
		T(nonsense_is_answered_and_harms_nobody),
		T(message_too_long_is_refused_and_the_client_closed),
		T(many_small_values_are_refused),
		T(requests_in_a_row_are_answered_in_order),
		T(reader_that_never_reads_is_not_read_from),
		T(clients_beyond_the_limit_are_turned_away),
		T(strangers_get_smaller_limits),
		T(nobody_is_an_operator_unasked),
		cmocka_unit_test_setup_teardown(
			members_of_our_group_are_operators,
			setup_with_operators, teardown),
		T(client_that_leaves_amid_a_message_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
