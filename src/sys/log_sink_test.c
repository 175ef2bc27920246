/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/log_sink.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static void expect_json(const char *line, const char *json)
{
	struct str s = STR_INIT;

	log_sink_json(LOG_LEVEL_WARN, line, 7, &s);
	assert_string_equal(str_text(&s), json);
	str_fini(&s);
}

static void json_says_whom_a_line_is_about(void **state UNUSED)
{
	expect_json("port vm1: gone",
		    "{\"time_ms\":7,\"level\":\"warning\",\"kind\":\"port\","
		    "\"object\":\"vm1\",\"message\":\"port vm1: gone\"}\n");
	expect_json("store: full",
		    "{\"time_ms\":7,\"level\":\"warning\",\"kind\":\"store\","
		    "\"message\":\"store: full\"}\n");
	expect_json("port of nobody: x",
		    "{\"time_ms\":7,\"level\":\"warning\","
		    "\"message\":\"port of nobody: x\"}\n");
	expect_json("portal: x", "{\"time_ms\":7,\"level\":\"warning\","
				 "\"message\":\"portal: x\"}\n");
}

static void nothing_in_a_line_ends_the_text(void **state UNUSED)
{
	expect_json("port a\"b\\: \n\x01",
		    "{\"time_ms\":7,\"level\":\"warning\",\"kind\":\"port\","
		    "\"object\":\"a\\\"b\\\\\",\"message\":"
		    "\"port a\\\"b\\\\: \\u000a\\u0001\"}\n");
}

static void the_journal_gets_fields_by_length(void **state UNUSED)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char buf[1024], *at;
	struct err e = ERR_INIT;
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	ssize_t n;

	snprintf(a.sun_path, sizeof(a.sun_path), "/tmp/weft-journal-%d",
		 getpid());
	assert_int_equal(bind(fd, (void *)&a, sizeof(a)), 0);
	assert_int_equal(log_sink_choose_at("journal", a.sun_path, &e), 0);
	log_error("port vm1: two\nPRIORITY=7");
	n = recv(fd, buf, sizeof(buf), 0);
	assert_true(n > 0);
	assert_memory_equal(buf, "MESSAGE\n\x18\0\0\0\0\0\0\0port vm1: two\n",
			    8 + 8 + 14);
	at = memmem(buf, (size_t)n, "WEFT_OBJECT\n\x03\0\0\0\0\0\0\0vm1\n", 24);
	assert_non_null(at);
	assert_non_null(memmem(buf, (size_t)n,
			       "\nPRIORITY\n\x01\0\0\0\0\0\0\0"
			       "3\n",
			       20));
	close(fd);
	unlink(a.sun_path);
	assert_int_equal(log_sink_choose_at("text", "", &e), 0);
}

static void what_cannot_be_is_refused_with_a_sentence(void **state UNUSED)
{
	struct err e = ERR_INIT;

	assert_int_equal(log_sink_choose_at("xml", "", &e), -EINVAL);
	assert_non_null(strstr(e.text, "text, json or journal"));
	err_fini(&e);
	assert_int_equal(log_sink_choose_at("journal", "/nonexistent/x", &e),
			 -ENOENT);
	assert_non_null(strstr(e.text, "no journal listens"));
	err_fini(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_says_whom_a_line_is_about),
		cmocka_unit_test(nothing_in_a_line_ends_the_text),
		cmocka_unit_test(the_journal_gets_fields_by_length),
		cmocka_unit_test(what_cannot_be_is_refused_with_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
