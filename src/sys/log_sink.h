/* SPDX-License-Identifier: Apache-2.0 */
/* Structured logs: the same lines with fields that programs can ask for.
 *
 * What      sinks for base/log.h: "text" (stderr, as ever), "json" (a line an
 *           object, on stderr) and "journal" (systemd's journal, by its own
 *           protocol).
 * Why so    a line begins with whom it is about ("port vm1: ..."): that becomes
 *           the fields `kind` and `object` (WEFT_KIND, WEFT_OBJECT), so that
 *           `journalctl WEFT_OBJECT=vm1` is the story of one port.
 * Invariant G1 a line is one write; when the journal does not take it, it goes to
 *           stderr. G2 nothing in a line can add a field: newlines are sent by
 *           length, and escaped in JSON.
 * Threads   choose: before threads are. The sinks: any.
 * Refs      systemd JOURNAL_NATIVE_PROTOCOL; RFC 8259. */
#ifndef SYS_LOG_SINK_H
#define SYS_LOG_SINK_H

#include "base/err.h"
#include "base/log.h"
#include "base/str.h"

#define LOG_JOURNAL_SOCKET "/run/systemd/journal/socket"

/* -EINVAL for another word; -ENOENT and the like when no journal listens. */
int log_sink_choose(const char *format, struct err *e) MUST_CHECK;
/* The same with the journal at another place ("" none). For tests. */
int log_sink_choose_at(const char *format, const char *journal,
		       struct err *e) MUST_CHECK;

/* What a line becomes. */
void log_sink_json(enum log_level level, const char *line, uint64_t wall_ms,
		   struct str *out);
void log_sink_journal(enum log_level level, const char *line, struct str *out);

#endif
