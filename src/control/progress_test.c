/* SPDX-License-Identifier: Apache-2.0 */
#include "control/progress.h"

#include <json-c/json.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "rpc/client.h"
#include "rpc/server.h"
#include "sys/loop.h"

#define TIMEOUT_MS 30000u

/* Told before the second step begins: it ends when the caller has heard of it. */
struct fixture {
	int heard[2];
	struct str said;
};

static void change(void *arg, struct rpc_call *call,
		   struct json_object *params UNUSED)
{
	struct progress p = { .call = call };
	struct fixture *f = arg;
	char byte;

	progress_begin(&p, 2, false);
	progress_step(&p, "bridge", "br0");
	progress_step(&p, "port", "vm1");
	must(read(f->heard[0], &byte, 1) == 1 &&
	     read(f->heard[0], &byte, 1) == 1);
	progress_begin(&p, 1, true);
	progress_step(&p, "underlay", "");
	rpc_call_result(call, NULL);
}

static void hear(void *arg, struct json_object *o)
{
	struct fixture *f = arg;

	str_addf(&f->said, "%s\n",
		 json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	must(write(f->heard[1], "", 1) == 1);
}

static void *serve(void *arg)
{
	loop_run(arg);
	return NULL;
}

static void each_step_is_told_before_it_is_made(void **state UNUSED)
{
	static const struct rpc_method methods[] = { { "change", change } };
	struct fixture f = { .said = STR_INIT };
	struct rpc_client_call call = { .method = "change",
					.timeout_ms = TIMEOUT_MS,
					.progress = hear,
					.arg = &f };
	char *path = xasprintf("/tmp/weft-progress-test-%d", (int)getpid());
	struct rpc_server_spec spec = {
		.socket = { .path = path, .mode = 0600 },
		.methods = methods,
		.n_methods = 1,
		.arg = &f,
	};
	struct loop *loop = loop_create();
	struct rpc_client_reply reply;
	struct rpc_server *server;
	struct rpc_client *client;
	pthread_t thread;

	must(!pipe(f.heard));
	server = rpc_server_create(loop, &spec, NULL);
	must(server && !pthread_create(&thread, NULL, serve, loop));
	client = rpc_client_create(path, NULL);
	must(client);
	assert_int_equal(rpc_client_call(client, &call, &reply), 0);
	assert_string_equal(
		str_text(&f.said),
		"{\"step\":1,\"of\":2,\"kind\":\"bridge\",\"name\":\"br0\"}\n"
		"{\"step\":2,\"of\":2,\"kind\":\"port\",\"name\":\"vm1\"}\n"
		"{\"step\":1,\"of\":1,\"kind\":\"underlay\",\"name\":\"\","
		"\"undoing\":true}\n");
	rpc_client_reply_fini(&reply);
	rpc_client_destroy(client);
	loop_stop(loop);
	pthread_join(thread, NULL);
	rpc_server_destroy(server);
	loop_destroy(loop);
	str_fini(&f.said);
	close(f.heard[0]);
	close(f.heard[1]);
	unlink(path);
	free(path);
}

static void without_a_listener_steps_are_counted(void **state UNUSED)
{
	struct progress p = { 0 };

	progress_begin(&p, 3, false);
	progress_step(&p, "port", "a");
	progress_step(&p, "port", "b");
	assert_int_equal(p.at, 2);
	progress_begin(&p, 7, true);
	assert_int_equal(p.at, 0);
	assert_int_equal(p.of, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_step_is_told_before_it_is_made),
		cmocka_unit_test(without_a_listener_steps_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
