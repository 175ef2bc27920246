/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics: what is counted, as Prometheus reads it.
 *
 * What      the exposition text of ports, drops, bridges, networks, datapath,
 *           slow path and process; served on RUN/metrics.sock and, when asked
 *           for, on a loopback address, as GET /metrics.
 * Why so    names follow Prometheus' rules (prefix weft_, base units, _total for
 *           what only grows), so that a dashboard needs no renaming.
 * Invariant M1 a text is made at most each METRICS_FRESH_MS, however often it is
 *           asked for: asking cannot slow the workers down.
 * Threads   the control thread.
 * Owns      its servers and the last text.
 * Refs      prometheus.io/docs: exposition formats (text, 0.0.4), naming. */
#ifndef CONTROL_METRICS_H
#define CONTROL_METRICS_H

#include "base/err.h"
#include "base/str.h"

#define METRICS_FRESH_MS 250u

struct control;
struct http_server;

struct metrics {
	struct http_server *local, *tcp;
	struct str text;
	uint64_t made_ms;
};

/* `address`: "127.0.0.1:9469", or NULL for the socket alone. */
int metrics_listen(struct control *c, const char *address,
		   struct err *e) MUST_CHECK;
void metrics_unlisten(struct control *c);
/* The text; valid until the next call. */
const struct str *metrics_text(struct control *c);

#endif
