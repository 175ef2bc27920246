/* SPDX-License-Identifier: Apache-2.0 */
/* A very small HTTP server: GET of a page, and the connection ends.
 *
 * What      HTTP/1.0 and 1.1 requests without a body, on a listening socket of
 *           any kind; one handler makes the page.
 * Why so    metrics need no more. libevent's own server has no limit on how many
 *           connect (2.1), and whoever may connect here is not trusted.
 * Invariant H1 at most HTTP_MAX_CLIENTS at once; the next waits in the kernel.
 *           H2 a request is at most HTTP_REQUEST_MAX bytes and has HTTP_MS to
 *           come and to be answered in.
 * Threads   the loop's.
 * Owns      the listening socket it was given, and its clients.
 * Refs      RFC 9110, RFC 9112. */
#ifndef SYS_HTTP_H
#define SYS_HTTP_H

#include "base/addr.h"
#include "base/err.h"
#include "base/str.h"

#define HTTP_MAX_CLIENTS 16u
#define HTTP_REQUEST_MAX 4096u
#define HTTP_PATH_MAX 256u
#define HTTP_MS 5000u

struct loop;
struct http_server;

struct http_page {
	const char *type; /* of content; "text/plain" */
	struct str body;  /* freed by the server */
};

struct http_spec {
	int fd; /* listening and non-blocking; taken */
	/* Fills the page; false: there is none of this path (404). */
	bool (*get)(void *arg, const char *path, struct http_page *out);
	void *arg;
};

/* NULL is fine for destroy. */
struct http_server *http_server_create(struct loop *loop,
				       const struct http_spec *s);
void http_server_destroy(struct http_server *s);

/* "127.0.0.1:9469" or "[::1]:9469". A listening socket, or -errno: -EINVAL when
 * it is not an address of this machine alone. */
int http_listen(const char *address, struct err *e) MUST_CHECK;

enum http_parse {
	HTTP_INCOMPLETE,
	HTTP_GET,
	HTTP_OTHER, /* well-formed, but no GET */
	HTTP_BAD,
};
/* What came so far. GET: the path without what follows '?'. */
enum http_parse http_request_parse(const char *bytes, size_t len,
				   char path[HTTP_PATH_MAX]);

#endif
