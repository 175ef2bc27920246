/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/stream_name.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>

#include "sys/fail.h"

/* A host or a port as a word of its own. */
#define WORD_MAX 80

static const struct kind {
	const char *word; /* with its colon */
	enum stream_kind kind;
	bool listens;
} kinds[] = {
	{ "unix:", STREAM_UNIX, false }, { "tcp:", STREAM_TCP, false },
	{ "ssl:", STREAM_SSL, false },   { "punix:", STREAM_UNIX, true },
	{ "ptcp:", STREAM_TCP, true },   { "pssl:", STREAM_SSL, true },
};

static const struct kind *kind_find(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strncmp(text, kinds[i].word, strlen(kinds[i].word)))
			return &kinds[i];
	return NULL;
}

bool stream_name_listens(const char *text)
{
	const struct kind *k = kind_find(text);

	return k && k->listens;
}

static bool port_parse(const char *text, size_t n, bool zero, uint16_t *port)
{
	unsigned v = 0;

	if (!n || n > 5)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		v = v * 10 + (unsigned)(text[i] - '0');
	}
	if (v > UINT16_MAX || (!v && !zero))
		return false;
	*port = (uint16_t)v;
	return true;
}

/* With perhaps a scope, "fe80::1%eth0". */
static bool host6_parse(const char *host, uint16_t port,
			struct sockaddr_in6 *out)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST,
				  .ai_family = AF_INET6,
				  .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;

	if (getaddrinfo(host, NULL, &hints, &found))
		return false;
	memcpy(out, found->ai_addr, sizeof(*out));
	out->sin6_port = htons(port);
	freeaddrinfo(found);
	return true;
}

/* All four numbers, unlike the old shorthands of inet_aton(3). */
static bool host4_parse(const char *host, uint16_t port,
			struct sockaddr_in *out)
{
	out->sin_family = AF_INET;
	out->sin_port = htons(port);
	return inet_pton(AF_INET, host, &out->sin_addr) == 1;
}

/* "192.0.2.1", "[2001:db8::1]", "[fe80::1%eth0]" to a socket's address. */
static bool host_parse(const char *text, size_t n, uint16_t port,
		       struct stream_name *out)
{
	char host[WORD_MAX];
	bool v6 = n > 2 && text[0] == '[' && text[n - 1] == ']';

	if (v6) {
		text++;
		n -= 2;
	}
	if (!n || n >= sizeof(host))
		return false;
	memcpy(host, text, n);
	host[n] = '\0';
	out->address_len =
		v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	return v6 ? host6_parse(host, port,
				(struct sockaddr_in6 *)&out->address) :
		    host4_parse(host, port,
				(struct sockaddr_in *)&out->address);
}

/* Where the host in front of an optional ":PORT" ends. */
static size_t host_length(const char *text)
{
	const char *close = text[0] == '[' ? strchr(text, ']') : NULL;

	return close ? (size_t)(close - text) + 1 : strcspn(text, ":");
}

/* "HOST[:PORT]" */
static int dialled_parse(const char *text, const char *rest, uint16_t port,
			 struct stream_name *out, struct err *e)
{
	size_t n = host_length(rest);
	const char *after = rest + n;

	if (*after == ':' &&
	    !port_parse(after + 1, strlen(after + 1), false, &port))
		return err_set(e, "%s: the port is no number from 1 to 65535",
			       text);
	if ((*after && *after != ':') || !host_parse(rest, n, port, out))
		return err_set(e,
			       "%s: an IP address is wanted after the kind, "
			       "IPv6 in brackets, then perhaps a port, as in "
			       "tcp:192.0.2.1:6640 or tcp:[2001:db8::1]:6640",
			       text);
	if (!port)
		return err_set(e, "%s: names no port", text);
	return 0;
}

/* "[PORT][:HOST]" */
static int listened_parse(const char *text, const char *rest, uint16_t port,
			  struct stream_name *out, struct err *e)
{
	size_t n = strcspn(rest, ":");
	const char *host = rest[n] ? rest + n + 1 : "";

	if (n && !port_parse(rest, n, true, &port))
		return err_set(e, "%s: the port is no number from 0 to 65535",
			       text);
	if (!*host)
		host = "0.0.0.0";
	if (host_parse(host, strlen(host), port, out))
		return 0;
	return err_set(e,
		       "%s: an IP address is wanted behind the port, IPv6 in "
		       "brackets, as in ptcp:6640:192.0.2.1 or "
		       "ptcp:6640:[2001:db8::1]",
		       text);
}

int stream_name_parse(const char *text, uint16_t port, struct stream_name *out,
		      struct err *e)
{
	const struct kind *k = kind_find(text);
	const char *rest;

	*out = (struct stream_name){ 0 };
	if (!k)
		return err_set(e,
			       "%s: a connection is named unix:PATH, "
			       "tcp:HOST:PORT or ssl:HOST:PORT; punix:PATH, "
			       "ptcp:PORT:HOST or pssl:PORT:HOST to listen",
			       text);
	rest = text + strlen(k->word);
	out->kind = k->kind;
	out->listens = k->listens;
	if (k->kind != STREAM_UNIX)
		return k->listens ? listened_parse(text, rest, port, out, e) :
				    dialled_parse(text, rest, port, out, e);
	if (!*rest)
		return err_set(e, "%s: a path is wanted after the colon", text);
	out->path = xstrdup(rest);
	return 0;
}

void stream_name_fini(struct stream_name *n)
{
	free(n->path);
	n->path = NULL;
}

static uint16_t address_port(const struct sockaddr_storage *a)
{
	if (a->ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)a)->sin6_port);
	if (a->ss_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)a)->sin_port);
	return 0;
}

uint16_t stream_name_port(const struct stream_name *n)
{
	return address_port(&n->address);
}

void stream_name_format_peer(enum stream_kind kind,
			     const struct sockaddr_storage *address,
			     char text[STREAM_NAME_LEN])
{
	const char *word = kind == STREAM_SSL ? "ssl" : "tcp";
	bool v6 = address->ss_family == AF_INET6;
	char host[WORD_MAX];
	socklen_t len =
		v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);

	if (kind == STREAM_UNIX) {
		snprintf(text, STREAM_NAME_LEN, "unix");
		return;
	}
	if (getnameinfo((const struct sockaddr *)address, len, host,
			sizeof(host), NULL, 0, NI_NUMERICHOST))
		snprintf(host, sizeof(host), "?");
	snprintf(text, STREAM_NAME_LEN, v6 ? "%s:[%s]:%u" : "%s:%s:%u", word,
		 host, address_port(address));
}
