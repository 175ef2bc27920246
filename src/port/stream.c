/* SPDX-License-Identifier: Apache-2.0 */
#include "port/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "port/frame.h"
#include "port/stream_frame.h"
#include "sys/fail.h"
#include "sys/notify.h"
#include "sys/thread.h"
#include "sys/unix_socket.h"

#define MTU_DEFAULT 1500u
#define NOTHING (-1)
/* Flushes in one go, so that senders who never stop do not keep the worker. */
#define ROUNDS_MAX 16u

/* Frames with their lengths, one behind the other. Positions only grow. Senders
 * write behind `tail` under the lock, which is held for a copy; the worker reads
 * from `head` without it, and moves it under the lock. */
struct out_ring {
	pthread_mutex_t lock;
	uint8_t *bytes;
	uint64_t head, tail;
};

struct stream_port {
	struct port port;
	struct stream_config config;
	char *path;
	char stored[NOTIFY_NAME_MAX]; /* the connection's name in the store */
	bool attached;

	/* From the worker to the control thread (T4). */
	_Atomic(int) unstored;       /* a copy of the connection, or NOTHING */
	_Atomic(bool) accept_failed; /* nobody tells when it would succeed */

	/* The worker's (T1), but for attach and detach. */
	int poll; /* epoll: the three below */
	int listener, conn;
	struct wake wake;
	bool blocked; /* the client does not take more now */
	uint8_t *in;
	size_t in_at, in_end; /* received and not yet understood */
	uint32_t sent_part;   /* bytes of the frame at `head` that are out */
	struct out_ring out;
};

static struct stream_port *stream_of(struct port *p)
{
	return container_of(p, struct stream_port, port);
}

/* --- what waits to be sent ---------------------------------------------------- */

static void ring_write(struct out_ring *r, const void *bytes, uint32_t len)
{
	uint32_t at = (uint32_t)(r->tail % STREAM_OUT);
	uint32_t first = MIN(len, STREAM_OUT - at);

	memcpy(r->bytes + at, bytes, first);
	memcpy(r->bytes, (const uint8_t *)bytes + first, len - first);
	r->tail += len;
}

static bool ring_put(struct out_ring *r, const struct packet *p)
{
	uint8_t length[STREAM_LENGTH_LEN];

	if (STREAM_OUT - (r->tail - r->head) < STREAM_LENGTH_LEN + p->len)
		return false;
	put_be32(length, p->len);
	ring_write(r, length, STREAM_LENGTH_LEN);
	ring_write(r, p->data, p->len);
	return true;
}

/* The bytes [at, at + len) of the ring, in one piece or two. */
static unsigned ring_iov(struct out_ring *r, uint64_t at, uint32_t len,
			 struct iovec iov[2])
{
	uint32_t from = (uint32_t)(at % STREAM_OUT);
	uint32_t first = MIN(len, STREAM_OUT - from);

	iov[0] = (struct iovec){ r->bytes + from, first };
	iov[1] = (struct iovec){ r->bytes, len - first };
	return first < len ? 2 : 1;
}

/* How long the frame at `at` is, with its length in front. */
static uint32_t ring_frame_len(const struct out_ring *r, uint64_t at)
{
	uint8_t length[STREAM_LENGTH_LEN];

	for (unsigned i = 0; i < STREAM_LENGTH_LEN; i++)
		length[i] = r->bytes[(at + i) % STREAM_OUT];
	return STREAM_LENGTH_LEN + get_be32(length);
}

/* Up to where it is written now. Whoever finds it empty wakes the worker: so what
 * is put behind `head` after this is told. */
static uint64_t ring_free_to(struct out_ring *r, uint64_t head)
{
	uint64_t tail;

	pthread_mutex_lock(&r->lock);
	r->head = head;
	tail = r->tail;
	pthread_mutex_unlock(&r->lock);
	return tail;
}

static void ring_clear(struct out_ring *r)
{
	pthread_mutex_lock(&r->lock);
	r->head = r->tail;
	pthread_mutex_unlock(&r->lock);
}

/* --- connections --------------------------------------------------------------- */

static void poll_set(struct stream_port *s, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };

	if (epoll_ctl(s->poll, EPOLL_CTL_MOD, fd, &ev))
		must(!epoll_ctl(s->poll, EPOLL_CTL_ADD, fd, &ev));
}

/* The next client waits while there is one. */
static void stream_listen(struct stream_port *s, bool listen)
{
	poll_set(s, s->listener, listen ? (uint32_t)EPOLLIN : 0);
}

/* Of a connection: readable, and writable only while something waits for it. */
static void stream_interest(struct stream_port *s)
{
	poll_set(s, s->conn, EPOLLIN | (s->blocked ? (uint32_t)EPOLLOUT : 0));
}

static void stream_take_client(struct stream_port *s, int fd)
{
	s->conn = fd;
	s->in_at = s->in_end = 0;
	s->sent_part = 0;
	s->blocked = false;
	ring_clear(&s->out);
	stream_listen(s, false);
	stream_interest(s);
	port_set_state(&s->port, PORT_UP);
}

/* Hands a copy to the control thread, for the manager's store. */
static void stream_keep(struct stream_port *s, int fd)
{
	int old = atomic_exchange(&s->unstored, fd);

	if (old != NOTHING)
		close(old);
}

static void stream_accept(struct stream_port *s)
{
	int fd = unix_socket_accept(s->listener);

	/* No descriptors are left: a client who waits for one does not keep the
	 * worker awake. */
	if (fd < 0) {
		stream_listen(s, fd == -EAGAIN);
		atomic_store(&s->accept_failed, fd != -EAGAIN);
		return;
	}
	stream_take_client(s, fd);
	/* Nobody keeps it: then a restart is felt. */
	stream_keep(s, fcntl(fd, F_DUPFD_CLOEXEC, 0));
}

static void stream_drop_client(struct stream_port *s)
{
	if (s->conn < 0)
		return;
	port_set_state(&s->port, PORT_DOWN);
	stream_keep(s, NOTHING);
	/* The store may have a copy: closing ours would end neither; hung up, it
	 * goes from the store by itself. */
	(void)!epoll_ctl(s->poll, EPOLL_CTL_DEL, s->conn, NULL);
	shutdown(s->conn, SHUT_RDWR);
	close(s->conn);
	s->conn = -1;
	stream_listen(s, true);
}

/* The control thread, now and then. */
static bool stream_mend(struct port *p, bool told UNUSED)
{
	struct stream_port *s = stream_of(p);
	int fd = atomic_exchange(&s->unstored, NOTHING);

	if (fd != NOTHING) {
		(void)!notify_unstore(s->stored);
		(void)!notify_store(s->stored, fd);
		close(fd);
	}
	if (atomic_exchange(&s->accept_failed, false))
		wake_signal(&s->wake);
	return false;
}

/* --- sending --------------------------------------------------------------------- */

struct sends {
	struct mmsghdr msg[STREAM_SENDS];
	struct iovec iov[STREAM_SENDS][2];
	uint32_t len[STREAM_SENDS];
	unsigned n;
};

static void sends_fill(struct stream_port *s, uint64_t tail, struct sends *out)
{
	uint64_t at = s->out.head;
	uint32_t part = s->sent_part;

	out->n = 0;
	while (at < tail && out->n < STREAM_SENDS) {
		uint32_t len = ring_frame_len(&s->out, at) - part;
		struct mmsghdr *m = &out->msg[out->n];

		*m = (struct mmsghdr){ 0 };
		m->msg_hdr.msg_iov = out->iov[out->n];
		m->msg_hdr.msg_iovlen =
			ring_iov(&s->out, at + part, len, out->iov[out->n]);
		out->len[out->n++] = len;
		at += part + len;
		part = 0;
	}
}

/* Moves on behind what the kernel took of the first n messages: the ring's tail. */
static uint64_t sends_account(struct stream_port *s, const struct sends *out,
			      unsigned n)
{
	uint64_t head = s->out.head;

	for (unsigned i = 0; i < n; i++) {
		s->sent_part += out->msg[i].msg_len;
		if (out->msg[i].msg_len < out->len[i])
			break;
		head += s->sent_part;
		s->sent_part = 0;
	}
	return ring_free_to(&s->out, head);
}

/* 0, or -errno when the client is gone. */
static int stream_flush(struct stream_port *s)
{
	uint64_t tail = ring_free_to(&s->out, s->out.head);
	bool blocked = false;
	struct sends out;
	int n;

	for (unsigned i = 0; !blocked && s->out.head < tail; i++) {
		if (i == ROUNDS_MAX) {
			wake_signal(&s->wake); /* the others, then again */
			break;
		}
		sends_fill(s, tail, &out);
		n = sendmmsg(s->conn, out.msg, out.n,
			     MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN && errno != ENOBUFS &&
		    errno != EINTR)
			return -errno;
		blocked = n < (int)out.n;
		tail = sends_account(s, &out, n < 0 ? 0 : (unsigned)n);
		blocked = blocked || s->sent_part;
	}
	if (blocked != s->blocked) {
		s->blocked = blocked;
		stream_interest(s);
	}
	return 0;
}

static void stream_tx(struct port *p, struct packet_batch *b,
		      struct port_counters *c)
{
	struct stream_port *s = stream_of(p);
	bool wake;

	if (frame_tx_refuse(p, b, c))
		return;
	pthread_mutex_lock(&s->out.lock);
	wake = s->out.head == s->out.tail;
	for (unsigned i = 0; i < b->n; i++) {
		if (!ring_put(&s->out, b->p[i])) {
			c->drops[DROP_TX_FULL]++;
			continue;
		}
		c->tx_packets++;
		c->tx_bytes += b->p[i]->len;
	}
	pthread_mutex_unlock(&s->out.lock);
	if (wake)
		wake_signal(&s->wake);
	packet_batch_free(b);
}

/* --- receiving ------------------------------------------------------------------- */

static void stream_deliver(struct stream_port *s, const uint8_t *frame,
			   uint32_t len, struct packet_batch *b,
			   struct packet_pool *pool)
{
	struct packet *p;

	if (len < ETH_HEADER_LEN) {
		s->port.rx_drops[0].malformed++;
		return;
	}
	p = packet_alloc(pool);
	if (!p) {
		s->port.rx_drops[0].pool_empty++;
		return;
	}
	packet_fill(p, frame, len);
	p->in_port = s->port.id;
	b->p[b->n++] = p;
}

/* Takes frames out of what was received. False: it is no stream of frames. */
static bool stream_understand(struct stream_port *s, struct packet_batch *b,
			      struct packet_pool *pool)
{
	struct cursor c = cursor_init(s->in + s->in_at, s->in_end - s->in_at);
	enum stream_got got = STREAM_FRAME;
	const uint8_t *frame;
	uint32_t len;

	for (unsigned i = 0; got == STREAM_FRAME && i < PACKET_BATCH_MAX &&
			     b->n < PACKET_BATCH_MAX;
	     i++) {
		got = stream_frame_decode(&c, &frame, &len);
		if (got == STREAM_FRAME)
			stream_deliver(s, frame, len, b, pool);
	}
	s->in_at = s->in_end - cursor_left(&c);
	if (got == STREAM_BROKEN)
		s->port.rx_drops[0].malformed++;
	return got != STREAM_BROKEN;
}

/* Whether a whole frame waits in the buffer, or what will end the connection. */
static bool stream_has_frame(const struct stream_port *s)
{
	struct cursor c = cursor_init(s->in + s->in_at, s->in_end - s->in_at);
	const uint8_t *frame;
	uint32_t len;

	return stream_frame_decode(&c, &frame, &len) != STREAM_MORE;
}

/* Whether nothing was begun that a successor could not end. */
static bool stream_is_between_frames(const struct stream_port *s)
{
	struct cursor c = cursor_init(s->in + s->in_at, s->in_end - s->in_at);
	const uint8_t *frame;
	uint32_t len;

	while (stream_frame_decode(&c, &frame, &len) == STREAM_FRAME)
		;
	return cursor_at_end(&c) && !s->sent_part;
}

/* More bytes behind what is left of the last; a frame fits in any case. 0, or
 * -errno: the client is gone. */
static int stream_receive(struct stream_port *s)
{
	ssize_t n;

	if (s->in_at)
		memmove(s->in, s->in + s->in_at, s->in_end - s->in_at);
	s->in_end -= s->in_at;
	s->in_at = 0;
	if (s->in_end == STREAM_IN)
		return 0; /* whole frames wait: they come first */
	n = recv(s->conn, s->in + s->in_end, STREAM_IN - s->in_end,
		 MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	s->in_end += (size_t)n;
	return n ? 0 : -ECONNRESET;
}

static void stream_serve(struct stream_port *s, struct packet_batch *b,
			 struct packet_pool *pool)
{
	bool sound = stream_understand(s, b, pool);
	int err = 0;

	if (sound && b->n < PACKET_BATCH_MAX) {
		err = stream_receive(s);
		sound = stream_understand(s, b, pool);
	}
	if (sound && !err)
		err = stream_flush(s);
	if (!sound || err)
		stream_drop_client(s);
	else if (stream_has_frame(s))
		wake_signal(&s->wake); /* the batch was full: again */
}

static int stream_rx_fd(struct port *p, unsigned queue)
{
	return queue ? -1 : stream_of(p)->poll;
}

static int stream_rx(struct port *p, unsigned queue UNUSED,
		     struct packet_batch *b, struct packet_pool *pool)
{
	struct stream_port *s = stream_of(p);
	unsigned before = b->n;

	if (!s->attached)
		return 0;
	wake_clear(&s->wake);
	if (s->conn < 0)
		stream_accept(s);
	if (s->conn >= 0)
		stream_serve(s, b, pool);
	return (int)(b->n - before);
}

/* --- life ------------------------------------------------------------------------ */

static int stream_open(struct stream_port *s, struct err *e)
{
	struct unix_socket_spec spec = { .path = s->path,
					 .mode = s->config.has_group ? 0660 :
								       0600,
					 .has_group = s->config.has_group,
					 .group = s->config.group };
	int err;

	s->poll = epoll_create1(EPOLL_CLOEXEC);
	if (s->poll < 0)
		return fail_errno(e, -errno, "cannot make port %s",
				  s->port.name);
	err = wake_init(&s->wake);
	if (err) {
		close(s->poll);
		return fail_errno(e, err, "cannot make port %s", s->port.name);
	}
	s->listener = unix_socket_listen(&spec, e);
	if (s->listener >= 0)
		return 0;
	wake_fini(&s->wake);
	close(s->poll);
	return s->listener;
}

static int stream_attach(struct port *p, struct err *e)
{
	struct stream_port *s = stream_of(p);
	int err = stream_open(s, e), conn;

	if (err)
		return err;
	s->in = xmalloc(STREAM_IN);
	s->out.bytes = xmalloc(STREAM_OUT);
	s->attached = true;
	p->mtu = s->config.mtu ? s->config.mtu : MTU_DEFAULT;
	p->mtu = MIN(p->mtu, STREAM_MTU_MAX);
	port_set_state(p, PORT_DOWN);
	poll_set(s, s->wake.fd, EPOLLIN);
	stream_listen(s, true);
	conn = s->conn >= 0 ? s->conn : notify_take(s->stored);
	if (conn >= 0)
		stream_take_client(s, conn);
	return 0;
}

/* A connection that is kept stays open for the next attach, of this port or of
 * our successor's. */
static void stream_detach(struct port *p, bool keep)
{
	struct stream_port *s = stream_of(p);

	if (!s->attached)
		return;
	if (!keep || !stream_is_between_frames(s))
		stream_drop_client(s);
	(void)stream_mend(p, false);
	if (!keep)
		unlink(s->path);
	close(s->listener);
	wake_fini(&s->wake);
	close(s->poll);
	free(s->in);
	free(s->out.bytes);
	s->attached = false;
	port_set_state(p, PORT_ABSENT);
}

static void stream_destroy(struct port *p)
{
	struct stream_port *s = stream_of(p);

	stream_detach(p, true);
	if (s->conn >= 0)
		close(s->conn);
	pthread_mutex_destroy(&s->out.lock);
	free(s->path);
	free(s);
}

static const struct port_ops stream_ops = {
	.type = "stream",
	.attach = stream_attach,
	.detach = stream_detach,
	.destroy = stream_destroy,
	.rx_fd = stream_rx_fd,
	.rx = stream_rx,
	.tx = stream_tx,
	.mend = stream_mend,
};

struct port *stream_port_create(const char *name, const struct stream_config *c)
{
	struct stream_port *s = xzalloc(sizeof(*s));

	port_init(&s->port, &stream_ops, name);
	s->config = *c;
	s->path = xstrdup(c->path);
	s->config.path = s->path;
	s->conn = -1;
	s->unstored = NOTHING;
	pthread_mutex_init(&s->out.lock, NULL);
	snprintf(s->stored, sizeof(s->stored), "stream-%s", name);
	return &s->port;
}

const char *stream_port_path(const struct port *p)
{
	return container_of(p, struct stream_port, port)->path;
}
