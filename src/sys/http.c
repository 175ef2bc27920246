/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/http.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/fail.h"
#include "sys/loop.h"

#define BACKLOG 16

struct http_client {
	struct http_server *server;
	struct watch watch;
	struct timer timer;
	int fd; /* -1: a free place */
	char request[HTTP_REQUEST_MAX];
	size_t n;
	struct str answer;
	size_t sent;
};

struct http_server {
	struct loop *loop;
	struct http_spec spec;
	struct watch watch;
	unsigned n_clients;
	struct http_client clients[HTTP_MAX_CLIENTS];
};

/* --- requests ---------------------------------------------------------------- */

static bool has_end(const char *bytes, size_t len)
{
	return memmem(bytes, len, "\r\n\r\n", 4) ||
	       memmem(bytes, len, "\n\n", 2);
}

/* "GET /metrics?x HTTP/1.1" */
static enum http_parse parse_line(const char *line, size_t len,
				  char path[HTTP_PATH_MAX])
{
	const char *end = line + len, *from, *to, *query;

	from = memchr(line, ' ', len);
	if (!from || from == line)
		return HTTP_BAD;
	from++;
	to = memchr(from, ' ', (size_t)(end - from));
	if (!to || to == from || *from != '/' || end - to < 9 ||
	    strncmp(to, " HTTP/1.", 8))
		return HTTP_BAD;
	query = memchr(from, '?', (size_t)(to - from));
	if (query)
		to = query;
	if ((size_t)(to - from) >= HTTP_PATH_MAX ||
	    memchr(from, '\0', (size_t)(to - from)))
		return HTTP_BAD;
	memcpy(path, from, (size_t)(to - from));
	path[to - from] = '\0';
	return from - line == 4 && !strncmp(line, "GET ", 4) ? HTTP_GET :
							       HTTP_OTHER;
}

enum http_parse http_request_parse(const char *bytes, size_t len,
				   char path[HTTP_PATH_MAX])
{
	const char *eol;

	if (!has_end(bytes, len))
		return HTTP_INCOMPLETE;
	eol = memchr(bytes, '\n', len);
	len = (size_t)(eol - bytes);
	if (len && bytes[len - 1] == '\r')
		len--;
	return parse_line(bytes, len, path);
}

/* --- clients ------------------------------------------------------------------ */

static void client_end(struct http_client *k)
{
	struct http_server *s = k->server;

	watch_fini(&k->watch);
	timer_fini(&k->timer);
	close(k->fd);
	k->fd = -1;
	str_fini(&k->answer);
	s->n_clients--;
	watch_set(&s->watch, WATCH_READ);
}

static void on_late(void *arg)
{
	client_end(arg);
}

static void client_send(struct http_client *k)
{
	while (k->sent < k->answer.len) {
		ssize_t n = send(k->fd, k->answer.s + k->sent,
				 k->answer.len - k->sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN) {
			watch_set(&k->watch, WATCH_WRITE);
			return;
		}
		if (n <= 0)
			break;
		k->sent += (size_t)n;
	}
	client_end(k);
}

static void answer(struct http_client *k, const char *status,
		   const struct http_page *page)
{
	str_addf(&k->answer,
		 "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
		 "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
		 status, page->type, page->body.len);
	str_add_n(&k->answer, str_text(&page->body), page->body.len);
	client_send(k);
}

static void answer_plain(struct http_client *k, const char *status)
{
	struct http_page page = { .type = "text/plain" };

	str_addf(&page.body, "%s\n", status);
	answer(k, status, &page);
	str_fini(&page.body);
}

static void client_get(struct http_client *k, const char *path)
{
	struct http_server *s = k->server;
	struct http_page page = { .type = "text/plain" };

	if (s->spec.get(s->spec.arg, path, &page))
		answer(k, "200 OK", &page);
	else
		answer_plain(k, "404 Not Found");
	str_fini(&page.body);
}

static void client_parse(struct http_client *k)
{
	char path[HTTP_PATH_MAX];

	switch (http_request_parse(k->request, k->n, path)) {
	case HTTP_GET:
		client_get(k, path);
		return;
	case HTTP_OTHER:
		answer_plain(k, "405 Method Not Allowed");
		return;
	case HTTP_BAD:
		answer_plain(k, "400 Bad Request");
		return;
	case HTTP_INCOMPLETE:
		if (k->n == sizeof(k->request))
			answer_plain(k, "431 Request Header Fields Too Large");
		return;
	}
}

static void on_client(void *arg, unsigned ready)
{
	struct http_client *k = arg;
	ssize_t n;

	if (k->answer.len) {
		client_send(k);
		return;
	}
	if (!(ready & WATCH_READ))
		return;
	n = recv(k->fd, k->request + k->n, sizeof(k->request) - k->n, 0);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		client_end(k);
		return;
	}
	k->n += (size_t)n;
	client_parse(k);
}

static void client_begin(struct http_server *s, int fd)
{
	struct http_client *k = s->clients;

	while (k->fd >= 0)
		k++;
	*k = (struct http_client){ .server = s, .fd = fd };
	watch_init(&k->watch, s->loop, fd, on_client, k);
	watch_set(&k->watch, WATCH_READ);
	timer_init(&k->timer, s->loop, on_late, k);
	timer_set(&k->timer, HTTP_MS);
	s->n_clients++;
}

/* --- the server ---------------------------------------------------------------- */

static void on_connect(void *arg, unsigned ready UNUSED)
{
	struct http_server *s = arg;

	while (s->n_clients < HTTP_MAX_CLIENTS) {
		int fd = accept4(s->spec.fd, NULL, NULL,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
			return;
		client_begin(s, fd);
	}
	watch_set(&s->watch, WATCH_NONE); /* until one ends (H1) */
}

struct http_server *http_server_create(struct loop *loop,
				       const struct http_spec *spec)
{
	struct http_server *s = xzalloc(sizeof(*s));

	s->loop = loop;
	s->spec = *spec;
	for (unsigned i = 0; i < HTTP_MAX_CLIENTS; i++)
		s->clients[i].fd = -1;
	watch_init(&s->watch, loop, spec->fd, on_connect, s);
	watch_set(&s->watch, WATCH_READ);
	return s;
}

void http_server_destroy(struct http_server *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < HTTP_MAX_CLIENTS; i++)
		if (s->clients[i].fd >= 0)
			client_end(&s->clients[i]);
	watch_fini(&s->watch);
	close(s->spec.fd);
	free(s);
}

/* --- listening ------------------------------------------------------------------ */

static int parse_address(const char *text, struct ip_addr *ip, uint16_t *port)
{
	const char *colon = strrchr(text, ':');
	char host[IP_STR_LEN + 2], *end;
	size_t n = colon ? (size_t)(colon - text) : 0;
	unsigned long v;

	if (!n || n >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, n);
	host[n] = '\0';
	v = strtoul(colon + 1, &end, 10);
	if (end == colon + 1 || *end || !v || v > UINT16_MAX)
		return -EINVAL;
	*port = (uint16_t)v;
	if (host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		return ip_addr_parse(host + 1, ip);
	}
	return ip_addr_parse(host, ip);
}

static bool is_loopback(const struct ip_addr *a)
{
	static const struct ip6_addr one = { { [15] = 1 } };

	return ip_addr_is_ip4(a) ? ip_addr_ip4(a) >> 24 == 127 :
				   ip6_addr_equal(a->a, one);
}

static int bind_to(int fd, const struct ip_addr *ip, uint16_t port)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
				   .sin6_port = htons(port),
				   .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in v4 = { .sin_family = AF_INET,
				  .sin_port = htons(port) };
	int one = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)))
		return -errno;
	if (!ip_addr_is_ip4(ip))
		return bind(fd, (void *)&v6, sizeof(v6)) ? -errno : 0;
	v4.sin_addr.s_addr = htonl(ip_addr_ip4(ip));
	return bind(fd, (void *)&v4, sizeof(v4)) ? -errno : 0;
}

int http_listen(const char *address, struct err *e)
{
	struct ip_addr ip;
	uint16_t port;
	int fd, rc;

	if (parse_address(address, &ip, &port) || !is_loopback(&ip))
		return fail_say(e, EINVAL,
				"%s: an address of this machine alone and a "
				"port are wanted, as 127.0.0.1:9469 or "
				"[::1]:9469; put a proxy in front to let "
				"others in",
				address);
	fd = socket(ip.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail_errno(e, errno, "no socket for %s", address);
	rc = bind_to(fd, &ip, port);
	if (!rc && listen(fd, BACKLOG))
		rc = -errno;
	if (!rc)
		return fd;
	close(fd);
	return fail_errno(e, -rc, "cannot listen on %s", address);
}
