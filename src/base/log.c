/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdatomic.h>
#include <stdio.h>

#define LOG_LINE_MAX 1024

static void sink_stderr(enum log_level level, const char *line);

static _Atomic(int) log_max = LOG_LEVEL_INFO;
static _Atomic(log_sink_fn *) log_sink = sink_stderr;

static void sink_stderr(enum log_level level, const char *line)
{
	static const int syslog_priority[] = { 3, 4, 6, 7 };

	if (getenv("JOURNAL_STREAM"))
		fprintf(stderr, "<%d>%s\n", syslog_priority[level], line);
	else
		fprintf(stderr, "%s: %s\n", log_level_name(level), line);
}

void log_set_level(enum log_level max)
{
	atomic_store(&log_max, (int)max);
}

void log_set_sink(log_sink_fn *sink)
{
	atomic_store(&log_sink, sink ? sink : sink_stderr);
}

const char *log_level_name(enum log_level level)
{
	static const char *const names[] = { "error", "warning", "info",
					     "debug" };

	return names[level];
}

void log_write(enum log_level level, const char *fmt, ...)
{
	char line[LOG_LINE_MAX];
	va_list ap;

	if ((int)level > atomic_load(&log_max))
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	atomic_load (&log_sink)(level, line);
}
