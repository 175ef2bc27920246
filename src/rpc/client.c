/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/client.h"

#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rpc/frame.h"
#include "rpc/message.h"
#include "sys/unix_socket.h"

struct rpc_client {
	char *path;
	int fd;
	int64_t next_id;
	struct frame_reader in;
};

struct rpc_client *rpc_client_create(const char *path, struct err *e)
{
	const char *or_yours =
		geteuid() ? ", or one of your own with \"weftd\"" : "";
	struct err why = ERR_INIT;
	struct rpc_client *c;
	int fd;

	fd = unix_socket_connect(path, &why);
	if (fd == -ENOENT)
		err_set(e,
			"weftd is not running (no socket at %s): start it with "
			"\"systemctl start weftd\" or \"sudo weftd\"%s",
			path, or_yours);
	else if (fd == -ECONNREFUSED)
		err_set(e,
			"weftd is not running (nobody answers at %s): start it "
			"with \"systemctl start weftd\" or \"sudo weftd\"%s",
			path, or_yours);
	else if (fd == -EACCES)
		err_set(e,
			"this user may not talk to weftd (%s): use sudo, or "
			"join the group that owns the socket",
			path);
	else if (fd < 0)
		err_set(e, "%s", why.text ? why.text : err_name(fd));
	err_fini(&why);
	if (fd < 0)
		return NULL;
	c = xzalloc(sizeof(*c));
	c->path = xstrdup(path);
	c->fd = fd;
	frame_reader_init(&c->in, FRAME_MAX_REPLY);
	return c;
}

void rpc_client_destroy(struct rpc_client *c)
{
	if (!c)
		return;
	close(c->fd);
	frame_reader_fini(&c->in);
	free(c->path);
	free(c);
}

/* 0 when ready; what is waited for never comes back EINTR. */
static int wait_for(struct rpc_client *c, short events, unsigned timeout_ms)
{
	struct pollfd p = { .fd = c->fd, .events = events };
	int n;

	do {
		n = poll(&p, 1, timeout_ms ? (int)timeout_ms : -1);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n ? 0 : -ETIMEDOUT;
}

static int send_all(struct rpc_client *c, const char *data, size_t len,
		    unsigned timeout_ms)
{
	size_t sent = 0;
	int rc = 0;

	while (sent < len && !rc) {
		ssize_t n = send(c->fd, data + sent, len - sent, MSG_NOSIGNAL);

		if (n > 0)
			sent += (size_t)n;
		else if (n < 0 && errno == EAGAIN)
			rc = wait_for(c, POLLOUT, timeout_ms);
		else if (n < 0 && errno != EINTR)
			rc = -errno;
	}
	return rc;
}

static int send_request(struct rpc_client *c, int64_t id,
			const struct rpc_client_call *call)
{
	struct json_object *o = message_request(id, call->method, call->params);
	size_t len, total;
	const char *text;
	char *frame;
	int rc;

	text = json_object_to_json_string_length(
		o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE,
		&len);
	frame = frame_build(text, len, &total);
	rc = send_all(c, frame, total, call->timeout_ms);
	free(frame);
	json_object_put(o);
	return rc;
}

/* For a word, with what the caller does meanwhile. */
static int wait_word(struct rpc_client *c, const struct rpc_client_call *call)
{
	unsigned waited = 0, slice;
	int rc;

	if (!call->idle)
		return wait_for(c, POLLIN, call->timeout_ms);
	for (;;) {
		slice = call->idle_ms;
		if (call->timeout_ms)
			slice = MIN(slice, call->timeout_ms - waited);
		rc = wait_for(c, POLLIN, slice);
		waited += slice;
		if (rc != -ETIMEDOUT || waited == call->timeout_ms)
			return rc;
		call->idle(call->arg);
	}
}

static int fill(struct rpc_client *c, const struct rpc_client_call *call)
{
	size_t room;
	char *at;
	ssize_t n;
	int rc;

	rc = wait_word(c, call);
	if (rc)
		return rc;
	at = frame_reader_room(&c->in, &room);
	n = recv(c->fd, at, room, 0);
	if (n > 0)
		frame_reader_filled(&c->in, (size_t)n);
	if (!n)
		return -ECONNRESET;
	return n < 0 && errno != EAGAIN && errno != EINTR ? -errno : 0;
}

/* The next message that is JSON, to be put. */
static int receive(struct rpc_client *c, const struct rpc_client_call *call,
		   struct json_object **out)
{
	struct err e = ERR_INIT;
	const char *msg;
	size_t len;
	int rc;

	for (;;) {
		rc = frame_reader_next(&c->in, &msg, &len);
		if (rc < 0 || (rc && !frame_is_bytes(msg, len)))
			break;
		if (rc && call->bytes)
			call->bytes(call->arg, msg + 1, len - 1);
		rc = rc ? 0 : fill(c, call);
		if (rc)
			return rc;
	}
	if (rc < 0)
		return rc;
	*out = message_parse(msg, len, MESSAGE_MAX_REPLY_VALUES, &e);
	err_fini(&e);
	return *out ? 0 : -EPROTO;
}

/* 0 while more is to come, 1 when `out` has the answer, -errno. */
static int handle(const struct rpc_client_call *call, int64_t id,
		  struct json_object *msg, struct rpc_client_reply *out)
{
	struct json_object *value = NULL;
	int64_t of = -1;

	switch (message_reply_decode(msg, &of, &value)) {
	case MESSAGE_RESULT:
		if (of != id)
			return 0;
		out->result = json_object_get(value);
		return 1;
	case MESSAGE_ERROR:
		/* id 0: the daemon could not even read the request */
		if (of != id && of)
			return 0;
		out->n_errors = message_error_decode(value, out->errors,
						     RPC_MAX_ERRORS);
		return 1;
	case MESSAGE_PROGRESS:
		if (of == id && call->progress)
			call->progress(call->arg, value);
		return 0;
	case MESSAGE_BAD:
		break;
	}
	return -EPROTO;
}

static int explain(struct rpc_client *c, const struct rpc_client_call *call,
		   int rc, struct rpc_client_reply *out)
{
	struct err *e = &out->errors[out->n_errors++];

	if (rc == -ETIMEDOUT)
		err_set(e, "weftd did not answer \"%s\" within %u s (%s)",
			call->method, call->timeout_ms / 1000, c->path);
	else if (rc == -ECONNRESET || rc == -EPIPE)
		err_set(e,
			"weftd closed the connection before it answered "
			"\"%s\": "
			"see its log (journalctl -u weftd)",
			call->method);
	else if (rc == -EPROTO || rc == -EMSGSIZE)
		err_set(e,
			"what answers at %s does not speak weft's language; is "
			"it weftd, and of the same version?",
			c->path);
	else
		err_set(e, "weftd cannot be asked (%s): %s", c->path,
			err_name(rc));
	return rc;
}

int rpc_client_call(struct rpc_client *c, const struct rpc_client_call *call,
		    struct rpc_client_reply *out)
{
	int64_t id = ++c->next_id;
	struct json_object *msg;
	int rc, done = 0;

	*out = (struct rpc_client_reply){ 0 };
	rc = send_request(c, id, call);
	/* a daemon that refused while we were sending has said why */
	if (rc == -EPIPE || rc == -ECONNRESET)
		rc = 0;
	while (!rc && !done) {
		rc = receive(c, call, &msg);
		if (rc)
			break;
		done = handle(call, id, msg, out);
		json_object_put(msg);
		rc = MIN(done, 0);
	}
	if (rc)
		return explain(c, call, rc, out);
	return out->n_errors ? -EINVAL : 0;
}

void rpc_client_reply_fini(struct rpc_client_reply *r)
{
	json_object_put(r->result);
	for (unsigned i = 0; i < r->n_errors; i++)
		err_fini(&r->errors[i]);
	*r = (struct rpc_client_reply){ 0 };
}
