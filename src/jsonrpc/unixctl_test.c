/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "jsonrpc/unixctl.h"
#include "sys/loop.h"
#include "sys/unix_socket.h"

#define PATH "@weft-unixctl-test"

struct fixture {
	struct loop *loop;
	struct unixctl *u;
	struct unixctl_call *waiting;
	int fd;
};

static void cmd_join(struct unixctl_call *call, unsigned n,
		     const char *const words[], void *arg UNUSED)
{
	struct str s = STR_INIT;

	for (unsigned i = 0; i < n; i++)
		str_addf(&s, "%s\n", words[i]);
	unixctl_reply(call, str_text(&s));
	str_fini(&s);
}

static void cmd_wait(struct unixctl_call *call, unsigned n UNUSED,
		     const char *const words[] UNUSED, void *arg)
{
	struct fixture *f = arg;

	f->waiting = call;
}

static void setup(struct fixture *f)
{
	const struct unixctl_spec spec = { .path = PATH,
					   .version = "weft 1.2.3" };
	struct err e = ERR_INIT;

	f->loop = loop_create();
	f->u = unixctl_create(f->loop, &spec, &e);
	assert_non_null(f->u);
	unixctl_put_log(f->u);
	unixctl_put(f->u, &(struct unixctl_command){ "join", "A [B]", 1, 2,
						     cmd_join, f });
	unixctl_put(f->u,
		    &(struct unixctl_command){ "wait", "", 0, 0, cmd_wait, f });
	f->fd = unix_socket_connect(PATH, &e);
	assert_true(f->fd >= 0);
}

static void teardown(struct fixture *f)
{
	unixctl_destroy(f->u);
	loop_destroy(f->loop);
	close(f->fd);
}

/* What is answered contains `text`. */
static void hear(struct fixture *f, const char *text)
{
	char got[4096] = "";
	size_t n = 0;

	for (unsigned i = 0; i < 200 && !strstr(got, text); i++) {
		ssize_t now = read(f->fd, got + n, sizeof(got) - 1 - n);

		n += now > 0 ? (size_t)now : 0;
		loop_run_ms(f->loop, 5);
	}
	if (!strstr(got, text))
		fail_msg("got %s", got);
}

static void ask(struct fixture *f, const char *method, const char *params,
		const char *answer)
{
	dprintf(f->fd, "{\"id\":0,\"method\":\"%s\",\"params\":[%s]}", method,
		params);
	hear(f, answer);
}

static void commands_are_called_with_their_words(void **state UNUSED)
{
	struct fixture f = { 0 };

	setup(&f);
	ask(&f, "version", "", "{\"id\":0,\"result\":\"weft 1.2.3\"");
	ask(&f, "list-commands", "", "join                    A [B]\\n");
	ask(&f, "join", "\"a\"", "\"a\\n\",\"error\":null}");
	ask(&f, "join", "\"a\",\"b\"", "\"a\\nb\\n\",\"error\":null}");
	ask(&f, "vlog/set", "\"dbg\"", "\"result\":\"\"");
	ask(&f, "vlog/list", "", " dbg ");
	ask(&f, "vlog/set", "\"ANY:console:info\"", "\"result\":\"\"");
	ask(&f, "vlog/list", "", " info ");
	teardown(&f);
}

static void wrong_calls_are_refused_with_a_sentence(void **state UNUSED)
{
	struct fixture f = { 0 };

	setup(&f);
	ask(&f, "nothing", "",
	    "\"error\":\"\\\"nothing\\\" is not a valid command");
	ask(&f, "join", "", "requires at least 1 arguments");
	ask(&f, "join", "\"a\",\"b\",\"c\"", "takes at most 2 arguments");
	ask(&f, "join", "1", "has non-string argument");
	teardown(&f);
}

static void answer_may_come_later_or_too_late(void **state UNUSED)
{
	struct fixture f = { 0 };

	setup(&f);
	dprintf(f.fd, "{\"id\":0,\"method\":\"wait\",\"params\":[]}");
	for (unsigned i = 0; i < 200 && !f.waiting; i++)
		loop_run_ms(f.loop, 5);
	assert_non_null(f.waiting);
	unixctl_reply(f.waiting, "done");
	hear(&f, "\"result\":\"done\"");
	f.waiting = NULL;
	dprintf(f.fd, "{\"id\":0,\"method\":\"wait\",\"params\":[]}");
	for (unsigned i = 0; i < 200 && !f.waiting; i++)
		loop_run_ms(f.loop, 5);
	close(f.fd);
	loop_run_ms(f.loop, 20);
	unixctl_refuse(f.waiting, "nobody hears it");
	f.fd = -1;
	teardown(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_are_called_with_their_words),
		cmocka_unit_test(wrong_calls_are_refused_with_a_sentence),
		cmocka_unit_test(answer_may_come_later_or_too_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
