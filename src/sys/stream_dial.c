/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <unistd.h>

#include "base/env.h"
#include "sys/fail.h"
#include "sys/stream_inside.h"
#include "sys/tls.h"
#include "sys/unix_socket.h"

struct stream_dial {
	struct loop *loop;
	struct stream_dial_spec spec;
	struct stream_name *names;
	char **texts;
	unsigned at; /* the name that is connected, or tried next */
	struct timer timer;
	struct list streams; /* none or one */
	unsigned backoff_ms;
	uint64_t up_ms; /* since when connected; 0: not */
};

static void dial_later(struct stream_dial *d)
{
	timer_set(&d->timer, d->backoff_ms);
	d->backoff_ms = MIN(d->backoff_ms * 2, d->spec.backoff_max_ms);
}

static void dial_failed(struct stream_dial *d, const char *why)
{
	if (d->spec.failed)
		d->spec.failed(d->spec.arg, d->texts[d->at], why);
	d->at = (d->at + 1) % d->spec.n_names;
	dial_later(d);
}

static void on_up(void *arg, struct stream *s)
{
	struct stream_dial *d = arg;

	d->up_ms = env_now_ms(env_system());
	d->spec.connected(d->spec.arg, s);
}

static void on_gone(void *arg, struct stream *s UNUSED, const char *why)
{
	struct stream_dial *d = arg;
	uint64_t up = d->up_ms ? env_now_ms(env_system()) - d->up_ms : 0;

	if (!d->up_ms) {
		dial_failed(d, why ? why : "closed");
		return;
	}
	/* One that lasted longer than the wait before it was worth it. */
	if (up > d->backoff_ms)
		d->backoff_ms = STREAM_BACKOFF_MIN_MS;
	d->up_ms = 0;
	d->at = (d->at + 1) % d->spec.n_names;
	dial_later(d);
}

/* The descriptor, *connecting when it is not through yet; or -errno. */
static int dial_inet(const struct stream_name *n, bool *connecting)
{
	int fd = socket(n->address.ss_family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return -errno;
	if (!connect(fd, (const struct sockaddr *)&n->address, n->address_len))
		return fd;
	err = -errno;
	*connecting = err == -EINPROGRESS;
	if (*connecting)
		return fd;
	close(fd);
	return err;
}

static void on_time(void *arg)
{
	struct stream_dial *d = arg;
	const struct stream_name *n = &d->names[d->at];
	struct stream_begin b = {
		.kind = n->kind,
		.tls = d->spec.tls,
		.maker = { on_up, on_gone, d, &d->streams },
	};

	if (n->kind == STREAM_UNIX)
		b.fd = unix_socket_connect(n->path, NULL);
	else
		b.fd = dial_inet(n, &b.connecting);
	if (b.fd < 0)
		dial_failed(d, err_name(b.fd));
	else
		stream_begin(d->loop, &b);
}

static int dial_parse(struct stream_dial *d, const char *text, unsigned i,
		      struct err *e)
{
	int err = stream_name_parse(text, d->spec.port, &d->names[i], e);

	d->texts[i] = xstrdup(text);
	if (err)
		return err;
	if (d->names[i].listens)
		return err_set(e,
			       "%s: listens, it is not dialled: leave the "
			       "first letter off",
			       text);
	if (d->names[i].kind == STREAM_SSL && !d->spec.tls)
		return err_set(e,
			       "%s: TLS wants a private key, a certificate and "
			       "a CA certificate",
			       text);
	return 0;
}

struct stream_dial *stream_dial_create(struct loop *loop,
				       const struct stream_dial_spec *spec,
				       struct err *e)
{
	struct stream_dial *d = xzalloc(sizeof(*d));
	int err = 0;

	must(spec->n_names);
	d->loop = loop;
	d->spec = *spec;
	if (!d->spec.backoff_max_ms)
		d->spec.backoff_max_ms = STREAM_BACKOFF_MAX_MS;
	d->backoff_ms = MIN(STREAM_BACKOFF_MIN_MS, d->spec.backoff_max_ms);
	if (spec->tls)
		tls_config_ref(spec->tls);
	list_init(&d->streams);
	timer_init(&d->timer, loop, on_time, d);
	d->names = xcalloc(spec->n_names, sizeof(*d->names));
	d->texts = xcalloc(spec->n_names, sizeof(char *));
	for (unsigned i = 0; i < spec->n_names && !err; i++)
		err = dial_parse(d, spec->names[i], i, e);
	d->spec.names = NULL;
	if (err) {
		stream_dial_destroy(d);
		return NULL;
	}
	timer_set(&d->timer, 0);
	return d;
}

void stream_dial_destroy(struct stream_dial *d)
{
	if (!d)
		return;
	stream_forget_maker(&d->streams);
	timer_fini(&d->timer);
	for (unsigned i = 0; i < d->spec.n_names; i++) {
		stream_name_fini(&d->names[i]);
		free(d->texts[i]);
	}
	free(d->names);
	free(d->texts);
	tls_config_unref(d->spec.tls);
	free(d);
}

enum stream_dial_state stream_dial_state(const struct stream_dial *d)
{
	if (d->up_ms)
		return STREAM_DIAL_ACTIVE;
	return list_is_empty(&d->streams) ? STREAM_DIAL_BACKOFF :
					    STREAM_DIAL_CONNECTING;
}

const char *stream_dial_name(const struct stream_dial *d)
{
	return d->texts[d->at];
}
