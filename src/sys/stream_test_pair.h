/* SPDX-License-Identifier: Apache-2.0 */
/* Two ends of a stream on one loop, for tests.
 *
 * What      a listener and a dial, and what each end got, and why it ended.
 * Threads   the test's.
 * Owns      a pair its loop, listener, dial and streams; pair_close. */
#ifndef SYS_STREAM_TEST_PAIR_H
#define SYS_STREAM_TEST_PAIR_H

#include "base/str.h"
#include "sys/stream.h"

#define PAIR_WAIT_MS 5000
#define PAIR_NAME "punix:@weft-stream-test"

struct end {
	struct loop *loop;
	struct stream *stream;
	struct str got;
	size_t want; /* the loop stops when so much has come */
	size_t eat;  /* at most so much at once; 0: all */
	bool deaf, silent;
	bool refuse; /* eats nothing */
	unsigned n_probes, n_closed, n_up, n_drained;
	char why[160];
};

struct pair {
	struct loop *loop;
	struct stream_listener *listener;
	struct stream_dial *dial;
	struct end server, client;
};

/* What listeners and dials call; arg is a struct end. */
void end_up(void *arg, struct stream *s);
void end_failed(void *arg, const char *name, const char *why);

void pair_listen(struct pair *p, const char *name, struct tls_config *tls);
void pair_dial(struct pair *p, const char *const *names, unsigned n,
	       struct tls_config *tls);
/* Listens, dials, and waits for both ends; tls is NULL, or for both. */
void pair_open(struct pair *p, const char *name, struct tls_config *tls);
void pair_close(struct pair *p);

#endif
