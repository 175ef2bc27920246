/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/stream_test_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

static size_t end_rx(void *arg, const char *bytes, size_t n)
{
	struct end *e = arg;

	if (e->refuse)
		return 0;
	if (e->eat)
		n = MIN(n, e->eat);
	str_add_n(&e->got, bytes, n);
	if (e->got.len >= e->want)
		loop_stop(e->loop);
	return n;
}

static void end_probe(void *arg)
{
	struct end *e = arg;

	e->n_probes++;
	if (!e->silent)
		stream_send(e->stream, "?", 1);
}

static void end_drained(void *arg)
{
	((struct end *)arg)->n_drained++;
}

static void end_closed(void *arg, const char *why)
{
	struct end *e = arg;

	e->n_closed++;
	e->stream = NULL;
	snprintf(e->why, sizeof(e->why), "%s", why);
	loop_stop(e->loop);
}

static const struct stream_ops end_ops = { end_rx, end_probe, end_drained,
					   end_closed };

void end_up(void *arg, struct stream *s)
{
	struct end *e = arg;

	e->stream = s;
	e->n_up++;
	stream_set_ops(s, &end_ops, e);
	if (e->deaf)
		stream_pause(s);
	loop_stop(e->loop);
}

void end_failed(void *arg, const char *name UNUSED, const char *why)
{
	struct end *e = arg;

	snprintf(e->why, sizeof(e->why), "%s", why);
	loop_stop(e->loop);
}

void pair_listen(struct pair *p, const char *name, struct tls_config *tls)
{
	struct err e = ERR_INIT;
	struct stream_listen_spec spec = {
		.name = name, .accepted = end_up, .arg = &p->server, .tls = tls
	};

	p->loop = p->server.loop = p->client.loop = loop_create();
	p->listener = stream_listener_create(p->loop, &spec, &e);
	if (!p->listener)
		fail_msg("%s", e.text);
}

void pair_dial(struct pair *p, const char *const *names, unsigned n,
	       struct tls_config *tls)
{
	struct err e = ERR_INIT;
	struct stream_dial_spec spec = { .names = names,
					 .n_names = n,
					 .connected = end_up,
					 .failed = end_failed,
					 .arg = &p->client,
					 .backoff_max_ms = 20,
					 .tls = tls };

	p->dial = stream_dial_create(p->loop, &spec, &e);
	if (!p->dial)
		fail_msg("%s", e.text);
}

void pair_open(struct pair *p, const char *name, struct tls_config *tls)
{
	char dialled[STREAM_NAME_LEN];
	const char *names[] = { dialled };

	pair_listen(p, name, tls);
	if (stream_listener_port(p->listener))
		snprintf(dialled, sizeof(dialled), "%.4s127.0.0.1:%u", name + 1,
			 stream_listener_port(p->listener));
	else
		snprintf(dialled, sizeof(dialled), "%s", name + 1);
	pair_dial(p, names, 1, tls);
	for (unsigned i = 0; i < 10 && (!p->server.n_up || !p->client.n_up);
	     i++)
		loop_run_ms(p->loop, PAIR_WAIT_MS);
	assert_int_equal(p->server.n_up, 1);
	assert_int_equal(p->client.n_up, 1);
}

void pair_close(struct pair *p)
{
	stream_close(p->server.stream);
	stream_close(p->client.stream);
	stream_dial_destroy(p->dial);
	stream_listener_destroy(p->listener);
	str_fini(&p->server.got);
	str_fini(&p->client.got);
	loop_destroy(p->loop);
}
