/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/log_sink.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "sys/fail.h"

static int journal_fd = -1; /* set once, before threads are */

/* --- whom a line is about ------------------------------------------------------- */

static const char *const kinds[] = { "port",   "network", "bridge", "router",
				     "peer",   "tunnel",  "store",  "host",
				     "worker", "switch" };

struct about {
	const char *kind; /* NULL: nobody in particular */
	const char *object;
	size_t object_len;
	const char *text; /* the line behind it */
};

/* "port vm1: text" */
static struct about about_of(const char *line)
{
	struct about a = { .text = line };
	const char *colon = strstr(line, ": ");

	for (size_t i = 0; colon && i < ARRAY_SIZE(kinds); i++) {
		size_t n = strlen(kinds[i]);

		if (strncmp(line, kinds[i], n))
			continue;
		if (line + n == colon) {
			a = (struct about){ kinds[i], "", 0, colon + 2 };
		} else if (line[n] == ' ' && line + n + 1 < colon &&
			   !memchr(line + n + 1, ' ',
				   (size_t)(colon - line) - n - 1)) {
			a = (struct about){ kinds[i], line + n + 1,
					    (size_t)(colon - line) - n - 1,
					    colon + 2 };
		}
	}
	return a;
}

/* --- JSON ------------------------------------------------------------------------ */

static void json_text(const char *text, size_t len, struct str *out)
{
	str_add_char(out, '"');
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '"' || c == '\\')
			str_addf(out, "\\%c", c);
		else if (c < ' ' || c == 0x7f)
			str_addf(out, "\\u%04x", c);
		else
			str_add_char(out, (char)c);
	}
	str_add_char(out, '"');
}

void log_sink_json(enum log_level level, const char *line, uint64_t wall_ms,
		   struct str *out)
{
	struct about a = about_of(line);

	str_addf(out, "{\"time_ms\":%" PRIu64 ",\"level\":\"%s\"", wall_ms,
		 log_level_name(level));
	if (a.kind)
		str_addf(out, ",\"kind\":\"%s\"", a.kind);
	if (a.object_len) {
		str_add(out, ",\"object\":");
		json_text(a.object, a.object_len, out);
	}
	str_add(out, ",\"message\":");
	json_text(line, strlen(line), out);
	str_add(out, "}\n");
}

static void sink_json(enum log_level level, const char *line)
{
	struct str s = STR_INIT;
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	log_sink_json(level, line,
		      (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000,
		      &s);
	(void)!write(STDERR_FILENO, s.s, s.len);
	str_fini(&s);
}

/* --- the journal ------------------------------------------------------------------ */

/* NAME\n, the length as 64 bits little-endian, the bytes, \n. */
static void journal_field(const char *name, const char *value, size_t len,
			  struct str *out)
{
	uint64_t n = len;

	str_addf(out, "%s\n", name);
	for (unsigned i = 0; i < 8; i++, n >>= 8)
		str_add_char(out, (char)(n & 0xff));
	str_add_n(out, value, len);
	str_add_char(out, '\n');
}

void log_sink_journal(enum log_level level, const char *line, struct str *out)
{
	static const char *const priorities[] = { "3", "4", "6", "7" };
	struct about a = about_of(line);

	journal_field("MESSAGE", line, strlen(line), out);
	journal_field("PRIORITY", priorities[level], 1, out);
	journal_field("SYSLOG_IDENTIFIER", "weftd", 5, out);
	if (a.kind)
		journal_field("WEFT_KIND", a.kind, strlen(a.kind), out);
	if (a.object_len)
		journal_field("WEFT_OBJECT", a.object, a.object_len, out);
}

static void sink_journal(enum log_level level, const char *line)
{
	struct str s = STR_INIT;

	log_sink_journal(level, line, &s);
	if (send(journal_fd, s.s, s.len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		fprintf(stderr, "%s: %s\n", log_level_name(level), line);
	str_fini(&s);
}

static int open_journal(const char *path, struct err *e)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd, rc;

	if (strlen(path) >= sizeof(a.sun_path))
		return fail_say(e, ENAMETOOLONG, "%s is too long", path);
	memcpy(a.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail_errno(e, errno, "no socket for the journal");
	if (connect(fd, (void *)&a, sizeof(a))) {
		rc = fail_errno(e, errno,
				"no journal listens at %s; use --log text or "
				"--log json",
				path);
		close(fd);
		return rc;
	}
	if (journal_fd >= 0)
		close(journal_fd);
	journal_fd = fd;
	return 0;
}

/* --- choosing ------------------------------------------------------------------------ */

int log_sink_choose_at(const char *format, const char *journal, struct err *e)
{
	int rc;

	if (!strcmp(format, "text")) {
		log_set_sink(NULL);
		return 0;
	}
	if (!strcmp(format, "json")) {
		log_set_sink(sink_json);
		return 0;
	}
	if (strcmp(format, "journal"))
		return fail_say(e, EINVAL,
				"--log %s: text, json or journal is wanted",
				format);
	rc = open_journal(journal, e);
	if (!rc)
		log_set_sink(sink_journal);
	return rc;
}

int log_sink_choose(const char *format, struct err *e)
{
	return log_sink_choose_at(format, LOG_JOURNAL_SOCKET, e);
}
