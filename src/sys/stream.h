/* SPDX-License-Identifier: Apache-2.0 */
/* Byte streams on the event loop: unix, TCP and TLS, accepted or dialled.
 *
 * What      stream: a connection with queued output. stream_listener: accepts.
 *           stream_dial: keeps one outward connection up, with backoff.
 * Why so    OVSDB and OpenFlow differ in what they say, not in how they come
 *           to be connected; limits on what a peer may cost live here once.
 *           An idle connection holds no buffer. One text for many readers is
 *           one stream_text, referenced by each queue.
 * Invariant T1 every descriptor is non-blocking and close-on-exec; a handshake
 *           never blocks the loop.  T2 no callback runs from inside a call of
 *           this header: they come from the loop only.  T3 after `closed`, and
 *           after stream_close, nothing is called and the stream is gone.
 *           T4 what waits to be sent stays under the limit, or the stream is
 *           closed and says so.  T5 what was received and not eaten is at most
 *           STREAM_KEEP_MAX bytes.
 * Threads   the loop's.
 * Owns      its descriptor and queue; a listener does not own its streams.
 * Refs      ovsdb(7), RFC 7047 4. */
#ifndef SYS_STREAM_H
#define SYS_STREAM_H

#include "base/err.h"
#include "sys/loop.h"
#include "sys/stream_name.h"

struct stream;
struct stream_dial;
struct stream_listener;
struct tls_config; /* sys/tls.h */

/* Bytes read at once, and bytes that may wait for the rest of their message:
 * more than an OpenFlow message can have. */
#define STREAM_READ_BYTES 65536
#define STREAM_KEEP_MAX (STREAM_READ_BYTES + 65536)
/* Output that may wait for a slow reader, unless stream_set_limit says else. */
#define STREAM_QUEUE_MAX (4u << 20)
/* A peer that has not finished its handshake by then is let go. */
#define STREAM_HANDSHAKE_MS 10000
/* Connections of one listener, unless its spec says else. */
#define STREAM_CLIENTS_MAX 16384
/* Seconds between attempts of a dial: doubles from the first to the last. */
#define STREAM_BACKOFF_MIN_MS 1000
#define STREAM_BACKOFF_MAX_MS 8000
/* Silence after which the owner is asked to probe the peer. */
#define STREAM_PROBE_MS 5000

/* --- text shared by queues ------------------------------------------------- */
struct stream_text {
	unsigned n_refs;
	size_t len;
	char bytes[];
};

/* To be filled before it is sent. */
struct stream_text *stream_text_alloc(size_t len);
struct stream_text *stream_text_create(const void *bytes, size_t len);
struct stream_text *stream_text_ref(struct stream_text *t);
void stream_text_unref(struct stream_text *t);

/* --- one connection -------------------------------------------------------- */
struct stream_ops {
	/* Bytes came. Returns how many were eaten; the rest is shown again, with
	 * what follows, when more comes or at stream_resume. May close. */
	size_t (*rx)(void *arg, const char *bytes, size_t n);
	/* Nothing came for the probe time: send something that is answered. The
	 * stream closes when nothing comes for the same time again. */
	void (*probe)(void *arg);
	/* The queue ran empty; NULL: nobody asks. */
	void (*drained)(void *arg);
	/* The connection ended; `why` is a clause without full stop. The stream
	 * is freed when this returns. */
	void (*closed)(void *arg, const char *why);
};

/* The owner of a stream that was accepted or dialled, before anything is
 * called. */
void stream_set_ops(struct stream *s, const struct stream_ops *ops, void *arg);
/* What may wait to be sent before the peer counts as too slow. It is looked at
 * before something is added: one text of any length fits an empty queue. */
void stream_set_limit(struct stream *s, size_t queue_bytes);
/* 0: never probe. */
void stream_set_probe(struct stream *s, unsigned ms);

void stream_send(struct stream *s, const void *bytes, size_t n);
/* References the text; the caller keeps its own reference. */
void stream_send_text(struct stream *s, struct stream_text *t);
/* Bytes that wait to be sent. */
size_t stream_queued(const struct stream *s);

/* Reads nothing more and calls no rx until stream_resume. */
void stream_pause(struct stream *s);
void stream_resume(struct stream *s);
/* Ends it without a call of `closed`; what waits is tried once more. */
void stream_close(struct stream *s);
/* Closes when the queue is empty, or after STREAM_HANDSHAKE_MS, without a call
 * of `closed`: the owner is gone as of now. */
void stream_close_sent(struct stream *s);

/* "tcp:192.0.2.1:40000", "unix:@pid 77"; for the log and status. */
const char *stream_peer(const struct stream *s);
enum stream_kind stream_kind(const struct stream *s);
int stream_fd(const struct stream *s);
/* The CN of the peer's certificate, or NULL. */
const char *stream_peer_cn(const struct stream *s);

/* --- listening --------------------------------------------------------------- */
struct stream_listen_spec {
	const char *name; /* "punix:...", "ptcp:...", "pssl:..." */
	uint16_t port;    /* where the name has none */
	unsigned mode;    /* of a unix socket's file; 0: 0660 */
	bool has_group;
	uint32_t group;
	unsigned max_clients;   /* 0: STREAM_CLIENTS_MAX */
	struct tls_config *tls; /* referenced; pssl needs it */
	/* A connection, its handshake done: the callee owns it and gives it ops
	 * before it returns, or closes it. */
	void (*accepted)(void *arg, struct stream *s);
	void *arg;
};

/* NULL and the sentence: bad name, no certificate, address in use. */
struct stream_listener *
stream_listener_create(struct loop *loop, const struct stream_listen_spec *spec,
		       struct err *e) MUST_CHECK;
/* Its streams live on. Removes a unix socket's file. */
void stream_listener_destroy(struct stream_listener *l);
/* The port that is listened on, 0 for a unix socket. */
uint16_t stream_listener_port(const struct stream_listener *l);
unsigned stream_listener_n_clients(const struct stream_listener *l);

/* --- dialling ---------------------------------------------------------------- */
enum stream_dial_state {
	STREAM_DIAL_BACKOFF,
	STREAM_DIAL_CONNECTING,
	STREAM_DIAL_ACTIVE,
};

struct stream_dial_spec {
	const char *const *names; /* "unix:...", "tcp:...": tried in turn */
	unsigned n_names;
	uint16_t port;
	unsigned backoff_max_ms; /* 0: STREAM_BACKOFF_MAX_MS */
	struct tls_config *tls;  /* referenced; ssl needs it */
	/* Connected: the callee owns the stream and gives it ops before it
	 * returns, or closes it. However it ends, the next attempt follows. */
	void (*connected)(void *arg, struct stream *s);
	/* An attempt failed; the callee lets the dial live. NULL: nobody
	 * asks. */
	void (*failed)(void *arg, const char *name, const char *why);
	void *arg;
};

/* NULL and the sentence when a name is wrong; otherwise the first attempt is
 * under way. */
struct stream_dial *stream_dial_create(struct loop *loop,
				       const struct stream_dial_spec *spec,
				       struct err *e) MUST_CHECK;
/* A stream that was handed out lives on. */
void stream_dial_destroy(struct stream_dial *d);
enum stream_dial_state stream_dial_state(const struct stream_dial *d);
/* The name that is connected, or is tried next. */
const char *stream_dial_name(const struct stream_dial *d);

#endif
