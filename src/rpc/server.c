/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/server.h"

#include <errno.h>
#include <json-c/json.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/list.h"
#include "base/log.h"
#include "base/str.h"
#include "rpc/frame.h"
#include "rpc/message.h"
#include "sys/loop.h"

#define ACCEPT_PAUSE_MS 1000u
#define READ_ROUNDS 16u /* of one client before others have their turn */

struct client {
	struct list link;
	struct rpc_server *server;
	int fd;
	struct watch watch;
	struct timer stall;
	struct defer again; /* more requests are in the buffer */
	struct unix_socket_peer peer;
	bool trusted;
	struct frame_reader in;
	struct str out;        /* frames not yet taken by the kernel */
	size_t out_sent;       /* of them */
	struct rpc_call *call; /* the one that is open, or NULL */
};

struct rpc_call {
	struct client *client; /* NULL: gone */
	struct unix_socket_peer peer;
	bool trusted;
	int64_t id;
};

struct rpc_server {
	struct loop *loop;
	struct rpc_server_spec spec;
	char *path;
	int fd;
	struct watch watch;
	struct timer accept_again;
	struct list clients;
	unsigned n_clients, n_untrusted;
};

static void client_ready(void *arg, unsigned ready);
static void client_again(void *arg);

/* --- clients come and go -------------------------------------------------- */

static void client_close(struct client *c)
{
	struct rpc_server *s = c->server;

	if (c->call)
		c->call->client = NULL;
	watch_fini(&c->watch);
	timer_fini(&c->stall);
	defer_fini(&c->again);
	frame_reader_fini(&c->in);
	str_fini(&c->out);
	close(c->fd);
	list_del(&c->link);
	s->n_clients--;
	s->n_untrusted -= !c->trusted;
	free(c);
}

static void client_stalled(void *arg)
{
	struct client *c = arg;

	log_info("rpc: client of process %d closed: it %s for %u s",
		 c->peer.pid,
		 c->out.len ? "did not read its answer" :
			      "left a request unfinished",
		 RPC_STALL_MS / 1000);
	client_close(c);
}

/* Waits for what can happen next: see S2. While a call is open, for the client's
 * end. */
static void client_wait(struct client *c)
{
	bool amid = frame_reader_is_amid(&c->in);

	watch_set(&c->watch, c->out.len ? WATCH_WRITE : WATCH_READ);
	if (!c->out.len && (c->call || !amid))
		timer_cancel(&c->stall);
	else if (!timer_is_set(&c->stall))
		timer_set(&c->stall, RPC_STALL_MS);
}

static void client_create(struct rpc_server *s, int fd,
			  const struct unix_socket_peer *peer, bool trusted)
{
	struct client *c = xzalloc(sizeof(*c));

	c->server = s;
	c->fd = fd;
	c->peer = *peer;
	c->trusted = trusted;
	frame_reader_init(&c->in,
			  trusted ? FRAME_MAX_REQUEST : RPC_UNTRUSTED_REQUEST);
	watch_init(&c->watch, s->loop, fd, client_ready, c);
	timer_init(&c->stall, s->loop, client_stalled, c);
	defer_init(&c->again, s->loop, client_again, c);
	list_push_back(&s->clients, &c->link);
	s->n_clients++;
	s->n_untrusted += !trusted;
	client_wait(c);
}

static bool is_trusted(const struct rpc_server *s, int fd,
		       const struct unix_socket_peer *peer)
{
	return !peer->uid || peer->uid == geteuid() ||
	       (s->spec.has_operators &&
		unix_socket_peer_is_in(fd, peer, getegid()));
}

static void accept_one(struct rpc_server *s, int fd)
{
	struct unix_socket_peer peer;
	bool trusted;

	if (unix_socket_peer(fd, &peer)) {
		close(fd);
		return;
	}
	trusted = is_trusted(s, fd, &peer);
	if (s->n_clients >= RPC_MAX_CLIENTS ||
	    (!trusted && s->n_untrusted >= RPC_MAX_UNTRUSTED)) {
		log_info("rpc: client of process %d refused: %u are connected",
			 peer.pid, s->n_clients);
		close(fd);
		return;
	}
	client_create(s, fd, &peer, trusted);
}

static void accept_resume(void *arg)
{
	struct rpc_server *s = arg;

	watch_set(&s->watch, WATCH_READ);
}

static void server_ready(void *arg, unsigned ready UNUSED)
{
	struct rpc_server *s = arg;
	int fd;

	for (unsigned i = 0; i < READ_ROUNDS; i++) {
		fd = unix_socket_accept(s->fd);
		if (fd >= 0) {
			accept_one(s, fd);
			continue;
		}
		if (fd == -EAGAIN)
			return;
		/* out of descriptors: the client waits in the queue */
		log_warn("rpc: no client can be accepted: %s; trying again",
			 err_name(fd));
		watch_set(&s->watch, WATCH_NONE);
		timer_set(&s->accept_again, ACCEPT_PAUSE_MS);
		return;
	}
}

/* --- sending -------------------------------------------------------------- */

/* Sends what the kernel takes now. False: the client is gone. */
static bool client_flush(struct client *c)
{
	while (c->out_sent < c->out.len) {
		ssize_t n = send(c->fd, c->out.s + c->out_sent,
				 c->out.len - c->out_sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n <= 0)
			return false;
		c->out_sent += (size_t)n;
		timer_cancel(&c->stall);
	}
	str_fini(&c->out);
	c->out_sent = 0;
	return true;
}

static const char *json_text(struct json_object *o, size_t *len)
{
	return json_object_to_json_string_length(
		o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE,
		len);
}

static void client_send(struct client *c, struct json_object *msg)
{
	size_t len, total;
	const char *text = json_text(msg, &len);
	char *frame = frame_build(text, len, &total);

	str_add_n(&c->out, frame, total);
	free(frame);
	json_object_put(msg);
}

static bool is_too_long(const struct client *c, struct json_object *msg)
{
	size_t len;

	json_text(msg, &len);
	return len > (c->trusted ? FRAME_MAX_REPLY : RPC_UNTRUSTED_REPLY);
}

/* --- answering ------------------------------------------------------------ */

const struct unix_socket_peer *rpc_call_peer(const struct rpc_call *c)
{
	return &c->peer;
}

bool rpc_call_is_trusted(const struct rpc_call *c)
{
	return c->trusted;
}

bool rpc_call_is_abandoned(const struct rpc_call *c)
{
	return !c->client;
}

void rpc_call_progress(struct rpc_call *call, struct json_object *value)
{
	struct json_object *msg = message_progress(call->id, value);
	struct client *c = call->client;

	if (!c || c->out.len > RPC_MAX_QUEUE || is_too_long(c, msg)) {
		json_object_put(msg);
		return;
	}
	client_send(c, msg);
	/* a client that is gone is noticed by its watch, not under the feet of
	 * the handler */
	watch_set(&c->watch, WATCH_WRITE);
	if (!timer_is_set(&c->stall))
		timer_set(&c->stall, RPC_STALL_MS);
}

void rpc_call_flush(struct rpc_call *call)
{
	/* one that is gone is seen by its watch */
	if (call->client)
		(void)client_flush(call->client);
}

bool rpc_call_bytes(struct rpc_call *call, const void *bytes, size_t len)
{
	struct client *c = call->client;
	char head[FRAME_BYTES_HEADER_LEN];

	must(len <= RPC_MAX_BYTES);
	if (!c || c->out.len > RPC_MAX_BYTES)
		return false;
	frame_bytes_header(head, len);
	str_add_n(&c->out, head, sizeof(head));
	str_add_n(&c->out, bytes, len);
	watch_set(&c->watch, WATCH_WRITE);
	if (!timer_is_set(&c->stall))
		timer_set(&c->stall, RPC_STALL_MS);
	return true;
}

/* Ends the call; takes `msg`. The answer leaves when the loop turns. */
static void call_end(struct rpc_call *call, struct json_object *msg)
{
	struct client *c = call->client;
	struct err e = ERR_INIT;
	size_t len;

	if (c && is_too_long(c, msg)) {
		json_text(msg, &len);
		err_set(&e,
			"the answer has %zu bytes, more than this user may "
			"have: ask for less, or as root",
			len);
		json_object_put(msg);
		msg = message_error(call->id, &e, 1);
		err_fini(&e);
	}
	if (c) {
		c->call = NULL;
		client_send(c, msg);
		client_wait(c);
	} else {
		json_object_put(msg);
	}
	free(call);
}

void rpc_call_result(struct rpc_call *c, struct json_object *value)
{
	call_end(c, message_result(c->id, value));
}

void rpc_call_errors(struct rpc_call *c, const struct err *items, unsigned n)
{
	call_end(c, message_error(c->id, items, n));
}

void rpc_call_error(struct rpc_call *c, const struct err *e)
{
	rpc_call_errors(c, e, 1);
}

/* --- requests ------------------------------------------------------------- */

static const struct rpc_method *find_method(const struct rpc_server *s,
					    const char *name, struct err *e)
{
	const char *names[64], *near;
	unsigned n = MIN(s->spec.n_methods, (unsigned)ARRAY_SIZE(names));

	for (unsigned i = 0; i < s->spec.n_methods; i++) {
		if (!strcmp(s->spec.methods[i].name, name))
			return &s->spec.methods[i];
	}
	for (unsigned i = 0; i < n; i++)
		names[i] = s->spec.methods[i].name;
	near = str_nearest(name, names, n);
	if (near)
		err_set(e, "there is no method \"%s\"; did you mean \"%s\"?",
			name, near);
	else
		err_set(e, "there is no method \"%s\"", name);
	return NULL;
}

static struct rpc_call *call_create(struct client *c, int64_t id)
{
	struct rpc_call *call = xzalloc(sizeof(*call));

	*call = (struct rpc_call){
		.client = c, .peer = c->peer, .trusted = c->trusted, .id = id
	};
	c->call = call;
	return call;
}

/* An answer, if only that it was no request, there always is. */
static void client_request(struct client *c, const char *text, size_t len)
{
	const struct rpc_method *m = NULL;
	struct message_request r = { 0 };
	struct err e = ERR_INIT;
	struct json_object *o;
	struct rpc_call *call;

	o = message_parse(text, len, MESSAGE_MAX_VALUES, &e);
	if (o && !message_request_decode(o, &r, &e))
		m = find_method(c->server, r.method, &e);
	call = call_create(c, r.id);
	if (m)
		m->fn(c->server->spec.arg, call, r.params);
	else
		rpc_call_error(call, &e);
	json_object_put(o);
	err_fini(&e);
}

static void client_too_long(struct client *c)
{
	struct err e = ERR_INIT;

	err_set(&e, "the request has more than %zu bytes%s", c->in.max,
		c->trusted ? "" : ", the most that is taken from this user");
	rpc_call_error(call_create(c, 0), &e);
	err_fini(&e);
}

/* Bytes from the client into the reader: 1, 0 when none came, -1 when it is
 * gone. */
static int client_fill(struct client *c)
{
	size_t room;
	char *at = frame_reader_room(&c->in, &room);
	ssize_t n = recv(c->fd, at, room, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -1;
	frame_reader_filled(&c->in, (size_t)n);
	timer_cancel(&c->stall);
	return 1;
}

/* While a call is open nothing is read; but is the client still there? */
static bool client_peek(struct client *c)
{
	char byte;
	ssize_t n = recv(c->fd, &byte, 1, MSG_PEEK);

	if (n > 0)
		/* requests in advance: they and the end are seen later */
		watch_set(&c->watch, WATCH_NONE);
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* One step: send, or a request, or bytes. 1: go on; 0: wait; -1: close. */
static int client_step(struct client *c)
{
	const char *msg;
	size_t len;
	int rc;

	if (c->out.len)
		return !client_flush(c) ? -1 : !c->out.len;
	if (c->call)
		return 0;
	rc = frame_reader_next(&c->in, &msg, &len);
	if (!rc)
		return client_fill(c);
	if (rc > 0) {
		client_request(c, msg, len);
		return 1;
	}
	client_too_long(c);
	client_flush(c);
	return -1;
}

static void client_turn(struct client *c)
{
	int rc = 1;

	for (unsigned i = 0; i < READ_ROUNDS && rc > 0; i++)
		rc = client_step(c);
	if (rc < 0) {
		client_close(c);
		return;
	}
	client_wait(c);
	if (rc > 0)
		defer_set(&c->again);
}

static void client_again(void *arg)
{
	client_turn(arg);
}

static void client_ready(void *arg, unsigned ready UNUSED)
{
	struct client *c = arg;

	if (c->call && !c->out.len) {
		if (!client_peek(c))
			client_close(c);
		return;
	}
	client_turn(c);
}

/* --- the server ----------------------------------------------------------- */

struct rpc_server *rpc_server_create(struct loop *loop,
				     const struct rpc_server_spec *spec,
				     struct err *e)
{
	struct rpc_server *s;
	int fd;

	fd = unix_socket_listen(&spec->socket, e);
	if (fd < 0)
		return NULL;
	s = xzalloc(sizeof(*s));
	s->loop = loop;
	s->spec = *spec;
	s->path = xstrdup(spec->socket.path);
	s->fd = fd;
	list_init(&s->clients);
	watch_init(&s->watch, loop, fd, server_ready, s);
	watch_set(&s->watch, WATCH_READ);
	timer_init(&s->accept_again, loop, accept_resume, s);
	return s;
}

void rpc_server_destroy(struct rpc_server *s)
{
	struct client *c, *next;

	if (!s)
		return;
	list_for_each_safe(c, next, &s->clients, link)
		client_close(c);
	watch_fini(&s->watch);
	timer_fini(&s->accept_again);
	close(s->fd);
	if (s->path[0] != '@')
		unlink(s->path);
	free(s->path);
	free(s);
}

unsigned rpc_server_n_clients(const struct rpc_server *s)
{
	return s->n_clients;
}
