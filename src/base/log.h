/* SPDX-License-Identifier: Apache-2.0 */
/* The log: few lines, each says object, event, cause, consequence.
 *
 * What      leveled lines to one sink (stderr, or what the daemon sets).
 * Why so    what a caller can be told is returned to the caller; the log is for
 *           what happened when nobody asked. Never used on the packet path.
 * Threads   any; a line is written with one call of the sink. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/defs.h"

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};

typedef void log_sink_fn(enum log_level level, const char *line);

void log_set_level(enum log_level max);
/* NULL puts the default back: stderr, systemd's "<n>" prefix when it listens. */
void log_set_sink(log_sink_fn *sink);
const char *log_level_name(enum log_level level);
void log_write(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
