/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/env.h"
#include "sys/stream_inside.h"
#include "sys/tls.h"
#include "sys/unix_socket.h"

/* Texts that one system call sends, and reads that one event is good for. */
#define SEND_PARTS 64
#define READS_MAX 8
#define WHY_LEN 160

/*   CONNECTING --on_connected--> HANDSHAKE --on_handshake--> OPEN
 *   OPEN --stream_close_sent--> LINGER      any --stream_end--> DEAD */
enum state { CONNECTING, HANDSHAKE, OPEN, LINGER, DEAD };

struct stream {
	struct loop *loop;
	struct tls *tls;
	const struct stream_ops *ops;
	void *arg;
	struct stream_maker maker;
	struct list link; /* its maker's streams */
	struct watch watch;
	struct timer timer; /* until OPEN the handshake's, then the probe's */
	struct defer work;  /* flush, deliver what was kept, end */
	enum stream_kind kind;
	enum state state;
	int fd;
	unsigned busy; /* callbacks under way: freed after them */
	bool paused, probing;
	unsigned probe_ms;
	uint64_t heard_ms;
	/* TLS may have to write before it can read, and the other way round. */
	unsigned read_wants, write_wants;
	/* Output: a ring of texts, `sent` bytes of the first are gone. */
	struct stream_text **queue;
	unsigned queue_head, queue_n, queue_cap;
	size_t sent, queued, limit;
	char *keep; /* input that rx did not eat */
	size_t keep_n;
	char doom[WHY_LEN]; /* not empty: ends for this in the next round */
	char peer[STREAM_NAME_LEN];
};

/* --- texts ------------------------------------------------------------------ */

struct stream_text *stream_text_alloc(size_t len)
{
	struct stream_text *t = xmalloc(sizeof(*t) + len);

	t->n_refs = 1;
	t->len = len;
	return t;
}

struct stream_text *stream_text_create(const void *bytes, size_t len)
{
	struct stream_text *t = stream_text_alloc(len);

	memcpy(t->bytes, bytes, len);
	return t;
}

struct stream_text *stream_text_ref(struct stream_text *t)
{
	t->n_refs++;
	return t;
}

void stream_text_unref(struct stream_text *t)
{
	if (t && !--t->n_refs)
		free(t);
}

/* --- the queue ---------------------------------------------------------------- */

static struct stream_text *queue_at(const struct stream *s, unsigned i)
{
	return s->queue[(s->queue_head + i) & (s->queue_cap - 1)];
}

static void queue_grow(struct stream *s)
{
	unsigned cap = s->queue_cap ? s->queue_cap * 2 : 4;
	struct stream_text **q = xcalloc(cap, sizeof(struct stream_text *));

	for (unsigned i = 0; i < s->queue_n; i++)
		q[i] = queue_at(s, i);
	free(s->queue);
	s->queue = q;
	s->queue_cap = cap;
	s->queue_head = 0;
}

/* Takes the reference. */
static void queue_push(struct stream *s, struct stream_text *t)
{
	if (s->queue_n == s->queue_cap)
		queue_grow(s);
	s->queue[(s->queue_head + s->queue_n++) & (s->queue_cap - 1)] = t;
	s->queued += t->len;
}

static void queue_pop(struct stream *s)
{
	stream_text_unref(s->queue[s->queue_head]);
	s->queue_head = (s->queue_head + 1) & (s->queue_cap - 1);
	s->queue_n--;
	s->sent = 0;
}

/* Idle again: an idle connection holds no buffer. */
static void queue_free(struct stream *s)
{
	while (s->queue_n)
		queue_pop(s);
	free(s->queue);
	s->queue = NULL;
	s->queue_cap = s->queue_head = 0;
	s->queued = 0;
}

static void queue_sent(struct stream *s, size_t n)
{
	s->queued -= n;
	n += s->sent;
	while (s->queue_n && n >= queue_at(s, 0)->len) {
		n -= queue_at(s, 0)->len;
		queue_pop(s);
	}
	s->sent = n;
	if (!s->queue_n)
		queue_free(s);
}

/* --- reading and writing -------------------------------------------------------- */

static ssize_t write_tls(struct stream *s)
{
	struct stream_text *t = queue_at(s, 0);

	return tls_write(s->tls, t->bytes + s->sent, t->len - s->sent);
}

static ssize_t write_plain(struct stream *s)
{
	struct iovec iov[SEND_PARTS];
	struct msghdr msg = { .msg_iov = iov };
	ssize_t n;

	while (msg.msg_iovlen < SEND_PARTS && msg.msg_iovlen < s->queue_n) {
		struct stream_text *t = queue_at(s, (unsigned)msg.msg_iovlen);
		size_t skip = msg.msg_iovlen ? 0 : s->sent;

		iov[msg.msg_iovlen].iov_base = t->bytes + skip;
		iov[msg.msg_iovlen++].iov_len = t->len - skip;
	}
	n = sendmsg(s->fd, &msg, MSG_NOSIGNAL);
	return n < 0 ? -errno : n;
}

/* 0 when all is out or the socket is full; otherwise -errno. */
static int stream_flush(struct stream *s)
{
	while (s->queue_n) {
		ssize_t n = s->tls ? write_tls(s) : write_plain(s);

		if (n == -EINTR)
			continue;
		if (n == -EAGAIN) {
			s->write_wants = s->tls ? tls_wants(s->tls) : 0;
			return 0;
		}
		if (n < 0)
			return (int)n;
		queue_sent(s, (size_t)n);
	}
	return 0;
}

static ssize_t stream_read(struct stream *s, char *buf, size_t n)
{
	ssize_t got;

	if (s->tls) {
		got = tls_read(s->tls, buf, n);
		s->read_wants = got == -EAGAIN ? tls_wants(s->tls) : 0;
		return got;
	}
	got = recv(s->fd, buf, n, 0);
	return got < 0 ? -errno : got;
}

/* --- the end --------------------------------------------------------------------- */

static void stream_free(struct stream *s)
{
	if (!s->busy)
		free(s);
}

/* Closes what there is; true when it was alive. Memory goes with stream_free. */
static bool stream_end(struct stream *s, const char *why)
{
	if (s->state == DEAD)
		return false;
	s->state = DEAD;
	list_del(&s->link);
	watch_fini(&s->watch);
	timer_fini(&s->timer);
	defer_fini(&s->work);
	tls_destroy(s->tls);
	s->tls = NULL;
	close(s->fd);
	queue_free(s);
	free(s->keep);
	s->keep = NULL;
	s->keep_n = 0;
	if (s->maker.gone)
		s->maker.gone(s->maker.arg, s, why);
	return true;
}

/* The world ended it, within on_ready, on_work or on_time, which frees it. */
static void stream_fail(struct stream *s, const char *why)
{
	bool told = s->state == OPEN && s->ops;
	char copy[WHY_LEN];

	snprintf(copy, sizeof(copy), "%s", why);
	if (stream_end(s, copy) && told)
		s->ops->closed(s->arg, copy);
}

static void stream_fail_errno(struct stream *s, int err)
{
	if (s->tls && err == -EPROTO)
		stream_fail(s, tls_error(s->tls));
	else
		stream_fail(s, err_name(err));
}

void stream_close(struct stream *s)
{
	if (!s)
		return;
	if (s->state == OPEN || s->state == LINGER)
		(void)stream_flush(s);
	stream_end(s, NULL);
	stream_free(s);
}

void stream_close_sent(struct stream *s)
{
	if (s->state != OPEN || !s->queue_n || stream_flush(s) || !s->queue_n) {
		stream_close(s);
		return;
	}
	s->state = LINGER;
	watch_set(&s->watch, WATCH_WRITE);
	timer_set(&s->timer, STREAM_HANDSHAKE_MS);
}

/* --- events ------------------------------------------------------------------------ */

static void stream_watch(struct stream *s)
{
	unsigned want = 0;

	if (s->state == DEAD)
		return;
	if (s->state == OPEN && !s->paused)
		want |= WATCH_READ | s->read_wants;
	if (s->queue_n)
		want |= s->write_wants ? s->write_wants : WATCH_WRITE;
	watch_set(&s->watch, want);
}

/* Shows bytes to the owner. Returns how many are left, 0 also when it ended. */
static size_t stream_show(struct stream *s, const char *bytes, size_t n)
{
	size_t eaten = 0, now = 1;

	while (eaten < n && now && !s->paused && s->state == OPEN) {
		now = s->ops->rx(s->arg, bytes + eaten, n - eaten);
		eaten += now;
	}
	return s->state == OPEN ? n - eaten : 0;
}

static void keep_set(struct stream *s, const char *bytes, size_t n)
{
	char *keep = n ? xmemdup(bytes, n) : NULL;

	free(s->keep);
	s->keep = keep;
	s->keep_n = n;
}

/* Bytes came, behind those that were kept. */
static void stream_take(struct stream *s, const char *bytes, size_t n)
{
	size_t left;
	char *all = NULL;

	if (s->keep_n) {
		all = xmalloc(s->keep_n + n);
		memcpy(all, s->keep, s->keep_n);
		memcpy(all + s->keep_n, bytes, n);
		n += s->keep_n;
		bytes = all;
	}
	left = stream_show(s, bytes, n);
	if (s->state == OPEN)
		keep_set(s, bytes + n - left, left);
	free(all);
}

/* A message that never ends is no message. */
static bool keep_is_full(const struct stream *s)
{
	return s->keep_n + STREAM_READ_BYTES > STREAM_KEEP_MAX;
}

static void stream_rx(struct stream *s)
{
	char buf[STREAM_READ_BYTES];
	unsigned reads = 0;

	do {
		ssize_t n;

		if (keep_is_full(s)) {
			stream_fail(s, "sent a message that is too long");
			return;
		}
		n = stream_read(s, buf, sizeof(buf));
		if (n == -EAGAIN || n == -EINTR)
			return;
		if (n <= 0) {
			if (n)
				stream_fail_errno(s, (int)n);
			else
				stream_fail(s, "closed by the peer");
			return;
		}
		s->heard_ms = env_now_ms(env_system());
		s->probing = false;
		stream_take(s, buf, (size_t)n);
	} while (s->state == OPEN && !s->paused && s->tls &&
		 tls_has_pending(s->tls) && ++reads < READS_MAX);
	if (s->state == OPEN && s->tls && tls_has_pending(s->tls))
		defer_set(&s->work);
}

static void stream_tx(struct stream *s)
{
	bool was_full = s->queue_n;
	int err = stream_flush(s);

	if (err) {
		stream_fail_errno(s, err);
		return;
	}
	if (s->queue_n || !was_full)
		return;
	if (s->state == LINGER)
		stream_end(s, NULL);
	else if (s->ops->drained)
		s->ops->drained(s->arg);
}

static void stream_up(struct stream *s)
{
	s->state = OPEN;
	timer_cancel(&s->timer);
	s->heard_ms = env_now_ms(env_system());
	s->maker.up(s->maker.arg, s);
	if (s->state == OPEN) {
		must(s->ops);
		stream_set_probe(s, s->probe_ms);
		if (s->tls)
			defer_set(&s->work);
	}
}

static void on_handshake(struct stream *s)
{
	int err = s->tls ? tls_handshake(s->tls) : 0;

	if (err == -EAGAIN)
		watch_set(&s->watch, tls_wants(s->tls));
	else if (err)
		stream_fail_errno(s, err);
	else
		stream_up(s);
}

static void on_connected(struct stream *s)
{
	int err = 0;
	socklen_t len = sizeof(err);

	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &err, &len))
		err = errno;
	if (err) {
		stream_fail(s, err_name(err));
		return;
	}
	s->state = HANDSHAKE;
	on_handshake(s);
}

static void stream_event(struct stream *s, unsigned ready)
{
	switch (s->state) {
	case CONNECTING:
		on_connected(s);
		return;
	case HANDSHAKE:
		on_handshake(s);
		return;
	case OPEN:
		/* TLS may need either to do the other. */
		if ((ready & WATCH_WRITE || s->tls) && s->queue_n)
			stream_tx(s);
		if (s->state == OPEN && !s->paused &&
		    (ready & WATCH_READ || s->read_wants))
			stream_rx(s);
		return;
	case LINGER:
		stream_tx(s);
		return;
	case DEAD:
		return;
	}
}

static void on_ready(void *arg, unsigned ready)
{
	struct stream *s = arg;

	s->busy++;
	stream_event(s, ready);
	if (s->state == OPEN)
		stream_watch(s);
	s->busy--;
	if (s->state == DEAD)
		stream_free(s);
}

static void stream_work(struct stream *s)
{
	if (s->state == CONNECTING)
		return;
	if (s->state == HANDSHAKE) {
		on_handshake(s);
		return;
	}
	if (s->doom[0]) {
		stream_fail(s, s->doom);
		return;
	}
	if (s->queue_n)
		stream_tx(s);
	if (s->state == OPEN && !s->paused && s->keep_n)
		stream_take(s, "", 0);
	if (s->state == OPEN && !s->paused && s->tls)
		stream_rx(s);
}

static void on_work(void *arg)
{
	struct stream *s = arg;

	s->busy++;
	stream_work(s);
	if (s->state == OPEN)
		stream_watch(s);
	s->busy--;
	if (s->state == DEAD)
		stream_free(s);
}

/* --- time ---------------------------------------------------------------------------- */

static void stream_late(struct stream *s)
{
	uint64_t quiet = env_now_ms(env_system()) - s->heard_ms;

	if (s->state != OPEN) {
		stream_fail(s, "took too long");
		return;
	}
	if (s->paused) { /* what it says waits for us */
		s->probing = false;
		timer_set(&s->timer, s->probe_ms);
	} else if (!s->probing && quiet < s->probe_ms) {
		timer_set(&s->timer, s->probe_ms - quiet);
	} else if (s->probing || !s->ops->probe) {
		stream_fail(s, "does not answer");
	} else {
		s->probing = true;
		timer_set(&s->timer, s->probe_ms);
		s->ops->probe(s->arg);
	}
}

static void on_time(void *arg)
{
	struct stream *s = arg;

	s->busy++;
	stream_late(s);
	s->busy--;
	if (s->state == DEAD)
		stream_free(s);
}

void stream_set_probe(struct stream *s, unsigned ms)
{
	s->probe_ms = ms;
	s->probing = false;
	if (s->state != OPEN)
		return;
	if (ms)
		timer_set(&s->timer, ms);
	else
		timer_cancel(&s->timer);
}

/* --- the owner's calls --------------------------------------------------------------- */

void stream_set_ops(struct stream *s, const struct stream_ops *ops, void *arg)
{
	s->ops = ops;
	s->arg = arg;
}

void stream_set_limit(struct stream *s, size_t queue_bytes)
{
	s->limit = queue_bytes;
}

/* False when nothing more may be queued. */
static bool stream_has_room(struct stream *s)
{
	if (s->state != OPEN || s->doom[0])
		return false;
	if (s->queued <= s->limit)
		return true;
	snprintf(s->doom, sizeof(s->doom),
		 "reads too slowly: %zu bytes wait for it", s->queued);
	defer_set(&s->work);
	return false;
}

void stream_send(struct stream *s, const void *bytes, size_t n)
{
	if (!n || !stream_has_room(s))
		return;
	queue_push(s, stream_text_create(bytes, n));
	defer_set(&s->work);
}

void stream_send_text(struct stream *s, struct stream_text *t)
{
	if (!t->len || !stream_has_room(s))
		return;
	queue_push(s, stream_text_ref(t));
	defer_set(&s->work);
}

size_t stream_queued(const struct stream *s)
{
	return s->queued;
}

void stream_pause(struct stream *s)
{
	s->paused = true;
	if (s->state == OPEN)
		stream_watch(s);
}

void stream_resume(struct stream *s)
{
	if (!s->paused)
		return;
	s->paused = false;
	if (s->state != OPEN)
		return;
	stream_watch(s);
	defer_set(&s->work);
}

const char *stream_peer(const struct stream *s)
{
	return s->peer;
}

enum stream_kind stream_kind(const struct stream *s)
{
	return s->kind;
}

int stream_fd(const struct stream *s)
{
	return s->fd;
}

const char *stream_peer_cn(const struct stream *s)
{
	return s->tls ? tls_peer_cn(s->tls) : NULL;
}

/* --- the beginning --------------------------------------------------------------------- */

void stream_set_nodelay(int fd)
{
	int one = 1;

	/* Only delays when it fails. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static void stream_name_peer(struct stream *s)
{
	struct sockaddr_storage a = { 0 };
	struct unix_socket_peer who;
	socklen_t len = sizeof(a);

	if (s->kind == STREAM_UNIX && !unix_socket_peer(s->fd, &who))
		snprintf(s->peer, sizeof(s->peer), "unix:pid %d", who.pid);
	else if (!getpeername(s->fd, (struct sockaddr *)&a, &len))
		stream_name_format_peer(s->kind, &a, s->peer);
}

struct stream *stream_begin(struct loop *loop, const struct stream_begin *b)
{
	struct stream *s = xzalloc(sizeof(*s));

	s->loop = loop;
	s->fd = b->fd;
	s->kind = b->kind;
	s->maker = b->maker;
	list_push_back(b->maker.streams, &s->link);
	s->limit = STREAM_QUEUE_MAX;
	s->state = b->connecting ? CONNECTING : HANDSHAKE;
	if (b->kind == STREAM_SSL)
		s->tls = tls_create(b->tls, b->fd, b->is_server);
	if (b->kind != STREAM_UNIX)
		stream_set_nodelay(b->fd);
	stream_name_peer(s);
	watch_init(&s->watch, loop, s->fd, on_ready, s);
	timer_init(&s->timer, loop, on_time, s);
	defer_init(&s->work, loop, on_work, s);
	timer_set(&s->timer, STREAM_HANDSHAKE_MS);
	if (b->connecting)
		watch_set(&s->watch, WATCH_WRITE);
	else
		defer_set(&s->work);
	return s;
}

void stream_forget_maker(struct list *streams)
{
	struct stream *s, *next;

	list_for_each_safe(s, next, streams, link) {
		list_del(&s->link);
		s->maker = (struct stream_maker){ 0 };
		if (s->state < OPEN)
			stream_close(s);
	}
}
