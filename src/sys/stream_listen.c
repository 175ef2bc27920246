/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

#include "base/log.h"
#include "sys/fail.h"
#include "sys/stream_inside.h"
#include "sys/tls.h"
#include "sys/unix_socket.h"

#define BACKLOG 128
#define UNIX_MODE 0660
/* Out of descriptors: tried again after this. */
#define RETRY_MS 1000
/* Accepted in one round, so that a flood leaves time for the rest. */
#define ACCEPTS_MAX 64

struct stream_listener {
	struct loop *loop;
	struct stream_listen_spec spec;
	struct stream_name name;
	struct watch watch;
	struct timer retry;
	struct list clients;
	unsigned n_clients;
	uint16_t port;
	int fd;
};

/* --- clients -------------------------------------------------------------------- */

static unsigned listener_limit(const struct stream_listener *l)
{
	return l->spec.max_clients ? l->spec.max_clients : STREAM_CLIENTS_MAX;
}

static void on_up(void *arg, struct stream *s)
{
	struct stream_listener *l = arg;

	l->spec.accepted(l->spec.arg, s);
}

static void on_gone(void *arg, struct stream *s UNUSED, const char *why UNUSED)
{
	struct stream_listener *l = arg;

	l->n_clients--;
	if (!timer_is_set(&l->retry))
		watch_set(&l->watch, WATCH_READ);
}

static void listener_begin(struct stream_listener *l, int fd)
{
	struct stream_begin b = {
		.fd = fd,
		.kind = l->name.kind,
		.tls = l->spec.tls,
		.is_server = true,
		.maker = { on_up, on_gone, l, &l->clients },
	};

	stream_begin(l->loop, &b);
	l->n_clients++;
}

static void on_connect(void *arg, unsigned ready UNUSED)
{
	struct stream_listener *l = arg;

	for (unsigned i = 0; i < ACCEPTS_MAX; i++) {
		int fd;

		if (l->n_clients >= listener_limit(l)) {
			watch_set(&l->watch, WATCH_NONE); /* until one ends */
			return;
		}
		fd = unix_socket_accept(l->fd);
		if (fd >= 0) {
			listener_begin(l, fd);
			continue;
		}
		if (fd == -EAGAIN)
			return;
		log_warn("%s: cannot accept: %s: next try in %u ms",
			 l->spec.name, err_name(fd), RETRY_MS);
		watch_set(&l->watch, WATCH_NONE);
		timer_set(&l->retry, RETRY_MS);
		return;
	}
}

static void on_retry(void *arg)
{
	struct stream_listener *l = arg;

	watch_set(&l->watch, WATCH_READ);
}

/* --- the socket ------------------------------------------------------------------- */

static int bind_to(int fd, const struct stream_name *n)
{
	int one = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, (const struct sockaddr *)&n->address, n->address_len) ||
	    listen(fd, BACKLOG))
		return -errno;
	return 0;
}

static int listen_inet(const struct stream_name *n, const char *text,
		       struct err *e)
{
	int fd, err;

	fd = socket(n->address.ss_family,
		    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail_errno(e, errno, "no socket for %s", text);
	err = bind_to(fd, n);
	if (!err)
		return fd;
	close(fd);
	return fail_errno(e, err, "cannot listen on %s", text);
}

static int listen_unix(const struct stream_listen_spec *spec, const char *path,
		       struct err *e)
{
	struct unix_socket_spec u = {
		.path = path,
		.mode = spec->mode ? spec->mode : UNIX_MODE,
		.has_group = spec->has_group,
		.group = spec->group,
	};

	return unix_socket_listen(&u, e);
}

static int listener_open(const struct stream_listen_spec *spec,
			 struct stream_name *name, struct err *e)
{
	int err = stream_name_parse(spec->name, spec->port, name, e);

	if (err)
		return err;
	if (!name->listens)
		return err_set(e,
			       "%s: is dialled, not listened on: that would be "
			       "p%s",
			       spec->name, spec->name);
	if (name->kind == STREAM_SSL && !spec->tls)
		return err_set(e,
			       "%s: TLS wants a private key, a certificate and "
			       "a CA certificate",
			       spec->name);
	if (name->kind == STREAM_UNIX)
		return listen_unix(spec, name->path, e);
	return listen_inet(name, spec->name, e);
}

static uint16_t bound_port(int fd)
{
	struct stream_name n = { 0 };

	n.address_len = sizeof(n.address);
	if (getsockname(fd, (struct sockaddr *)&n.address, &n.address_len))
		return 0;
	return stream_name_port(&n);
}

struct stream_listener *
stream_listener_create(struct loop *loop, const struct stream_listen_spec *spec,
		       struct err *e)
{
	struct stream_name name;
	struct stream_listener *l;
	int fd = listener_open(spec, &name, e);

	if (fd < 0) {
		stream_name_fini(&name);
		return NULL;
	}
	l = xzalloc(sizeof(*l));
	l->loop = loop;
	list_init(&l->clients);
	l->spec = *spec;
	l->spec.name = xstrdup(spec->name);
	l->name = name;
	l->fd = fd;
	l->port = bound_port(fd);
	if (spec->tls)
		tls_config_ref(spec->tls);
	watch_init(&l->watch, loop, fd, on_connect, l);
	watch_set(&l->watch, WATCH_READ);
	timer_init(&l->retry, loop, on_retry, l);
	return l;
}

void stream_listener_destroy(struct stream_listener *l)
{
	if (!l)
		return;
	stream_forget_maker(&l->clients);
	watch_fini(&l->watch);
	timer_fini(&l->retry);
	if (l->name.kind == STREAM_UNIX && l->name.path[0] != '@')
		unlink(l->name.path);
	close(l->fd);
	tls_config_unref(l->spec.tls);
	stream_name_fini(&l->name);
	free((char *)l->spec.name);
	free(l);
}

uint16_t stream_listener_port(const struct stream_listener *l)
{
	return l->port;
}

unsigned stream_listener_n_clients(const struct stream_listener *l)
{
	return l->n_clients;
}
