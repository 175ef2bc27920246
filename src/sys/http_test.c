/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/http.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys/loop.h"
#include "sys/unix_socket.h"

#define SOCKET "@weft-http-test"

static struct loop *loop;
static struct http_server *server;
static size_t page_len;

static bool get(void *arg UNUSED, const char *path, struct http_page *out)
{
	if (strcmp(path, "/page"))
		return false;
	out->type = "text/plain; version=1";
	for (size_t i = 0; i < page_len; i++)
		str_add_char(&out->body, 'x');
	return true;
}

static int setup(void **state UNUSED)
{
	struct unix_socket_spec s = { .path = SOCKET, .mode = 0600 };
	struct http_spec spec = { .get = get };

	loop = loop_create();
	spec.fd = unix_socket_listen(&s, NULL);
	must(spec.fd >= 0);
	server = http_server_create(loop, &spec);
	page_len = 5;
	return 0;
}

static int teardown(void **state UNUSED)
{
	http_server_destroy(server);
	loop_destroy(loop);
	return 0;
}

static int connect_to(void)
{
	int fd = unix_socket_connect(SOCKET, NULL);

	must(fd >= 0);
	return fd;
}

static void say(int fd, const char *text)
{
	must(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

/* Until the server ends the connection. */
static char *hear(int fd)
{
	struct str s = STR_INIT;
	char buf[4096];

	for (unsigned i = 0; i < 1000; i++) {
		ssize_t n;

		loop_run_ms(loop, 1);
		while ((n = read(fd, buf, sizeof(buf))) > 0)
			str_add_n(&s, buf, (size_t)n);
		if (!n)
			break;
	}
	close(fd);
	return s.len ? str_take(&s) : xstrdup("");
}

static void expect(const char *request, const char *status)
{
	int fd = connect_to();
	char *got;

	say(fd, request);
	got = hear(fd);
	if (strncmp(got, status, strlen(status)))
		fail_msg("%s: %s", request, got);
	free(got);
}

static void a_page_comes_whole(void **state UNUSED)
{
	int fd = connect_to();
	char *got;

	page_len = 3 << 20; /* more than the kernel takes at once */
	say(fd, "GET /page?x=1 HTTP/1.1\r\nHo");
	loop_run_ms(loop, 5);
	say(fd, "st: y\r\n\r\n");
	got = hear(fd);
	assert_non_null(strstr(got, "HTTP/1.1 200 OK\r\n"));
	assert_non_null(strstr(got, "Content-Type: text/plain; version=1\r\n"));
	assert_non_null(strstr(got, "Content-Length: 3145728\r\n"));
	assert_int_equal(strlen(strstr(got, "\r\n\r\n") + 4), page_len);
	free(got);
}

static void what_is_no_get_of_a_page_is_refused(void **state UNUSED)
{
	char *long_path = xzalloc(HTTP_PATH_MAX + 64);

	expect("GET /other HTTP/1.1\r\n\r\n", "HTTP/1.1 404");
	expect("POST /page HTTP/1.1\r\n\r\n", "HTTP/1.1 405");
	expect("GET page HTTP/1.1\r\n\r\n", "HTTP/1.1 400");
	expect("GET /page\r\n\r\n", "HTTP/1.1 400");
	expect("\r\n\r\n", "HTTP/1.1 400");
	memset(long_path, 'a', HTTP_PATH_MAX + 32);
	memcpy(long_path, "GET /", 5);
	memcpy(long_path + HTTP_PATH_MAX + 32, " HTTP/1.1\r\n\r\n", 13);
	expect(long_path, "HTTP/1.1 400");
	free(long_path);
}

static void a_request_without_end_is_cut_off(void **state UNUSED)
{
	char *text = xzalloc(HTTP_REQUEST_MAX + 1);

	memset(text, 'a', HTTP_REQUEST_MAX);
	memcpy(text, "GET / HTTP/1.1\r\n", 16);
	expect(text, "HTTP/1.1 431");
	free(text);
}

static void clients_beyond_the_limit_wait_and_get_in(void **state UNUSED)
{
	int idle[HTTP_MAX_CLIENTS], fd;
	char *got;

	for (unsigned i = 0; i < HTTP_MAX_CLIENTS; i++)
		idle[i] = connect_to();
	loop_run_ms(loop, 5);
	fd = connect_to();
	say(fd, "GET /page HTTP/1.0\r\n\r\n");
	loop_run_ms(loop, 5);
	close(idle[0]);
	got = hear(fd);
	assert_non_null(strstr(got, "xxxxx"));
	free(got);
	for (unsigned i = 1; i < HTTP_MAX_CLIENTS; i++)
		close(idle[i]);
	loop_run_ms(loop, 5);
}

static void only_loopback_addresses_are_listened_on(void **state UNUSED)
{
	static const char *const bad[] = { "0.0.0.0:9469",   "192.0.2.1:80",
					   "[::]:9469",      "127.0.0.1",
					   "127.0.0.1:0",    "127.0.0.1:65536",
					   "localhost:9469", ":9469",
					   "127.0.0.1:9x",   "" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err e = ERR_INIT;

		assert_int_equal(http_listen(bad[i], &e), -EINVAL);
		assert_non_null(strstr(e.text, "127.0.0.1:9469"));
		err_fini(&e);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_page_comes_whole, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			what_is_no_get_of_a_page_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_request_without_end_is_cut_off, setup, teardown),
		cmocka_unit_test_setup_teardown(
			clients_beyond_the_limit_wait_and_get_in, setup,
			teardown),
		cmocka_unit_test(only_loopback_addresses_are_listened_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
