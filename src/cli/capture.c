/* SPDX-License-Identifier: Apache-2.0 */
/* `weft capture` and `weft trace live`. */
#include "cli/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "cli/js.h"

#define FILE_MODE 0600 /* what others sent is nobody's business */

struct wanted {
	const char *file; /* -w, or NULL */
	uint64_t count, snap;
	bool in, out;
	struct json_object *ports; /* list of names */
	struct str filter;
};

/* --- what was asked ------------------------------------------------------- */

static int take_number(const struct cli *c, const char *option,
		       const char *value, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(value, &end, 10);
	if (errno || end == value || *end || *value == '-' || !*out)
		return cli_usage(c, "%s needs a number above 0, not \"%s\"",
				 option, value);
	return CLI_OK;
}

/* -w FILE, -c N, -s SNAP anywhere among the words. 1: it was one. */
static int take_short(const struct cli *c, struct wanted *w, unsigned *i,
		      int *rc)
{
	const char *arg = c->args[*i], *value;

	if (strcmp(arg, "-w") && strcmp(arg, "-c") && strcmp(arg, "-s"))
		return 0;
	if (++*i >= c->n_args) {
		*rc = cli_usage(c, "%s needs a value", arg);
		return 1;
	}
	value = c->args[*i];
	if (arg[1] == 'w')
		w->file = value;
	else
		*rc = take_number(c, arg, value,
				  arg[1] == 'c' ? &w->count : &w->snap);
	return 1;
}

static bool take_direction(struct wanted *w, const char *word)
{
	bool both = !strcmp(word, "both");

	if (!both && strcmp(word, "in") && strcmp(word, "out"))
		return false;
	w->in |= both || !strcmp(word, "in");
	w->out |= both || !strcmp(word, "out");
	return true;
}

/* What there is to name: ports, the bridges' own, the tunnel, other hosts. */
struct known {
	struct json_object *ports, *bridges, *tunnels;
};

static bool is_listed(struct json_object *list, const char *key,
		      const char *name)
{
	for (unsigned i = 0; i < js_length(list); i++)
		if (!strcmp(js_text(js_item(list, i), key), name))
			return true;
	return false;
}

static bool is_port(const struct known *k, const char *word)
{
	return !strcmp(word, "tunnel") || is_listed(k->ports, "name", word) ||
	       is_listed(k->bridges, "name", word) ||
	       is_listed(k->tunnels, "peer", word);
}

static struct json_object *ask_kind(struct cli *c, const char *kind, int *rc)
{
	struct json_object *p = json_object_new_object();

	json_object_object_add(p, "kind", json_object_new_string(kind));
	return cli_ask(c, "show", p, rc);
}

static int ask_known(struct cli *c, struct known *k)
{
	int rc;

	*k = (struct known){ 0 };
	k->ports = ask_kind(c, "ports", &rc);
	if (!rc)
		k->bridges = ask_kind(c, "bridges", &rc);
	if (!rc)
		k->tunnels = ask_kind(c, "tunnels", &rc);
	return rc;
}

/* PORT... [in|out|both] FILTER */
static int take_words(const struct cli *c, const struct known *k, unsigned from,
		      struct wanted *w)
{
	int rc = CLI_OK;

	for (unsigned i = from; i < c->n_args && !rc; i++) {
		const char *word = c->args[i];

		if (take_short(c, w, &i, &rc))
			continue;
		if (!w->filter.len && take_direction(w, word))
			continue;
		if (!w->filter.len && !w->in && !w->out && is_port(k, word)) {
			json_object_array_add(w->ports,
					      json_object_new_string(word));
			continue;
		}
		if (w->filter.len)
			str_add_char(&w->filter, ' ');
		str_add(&w->filter, word);
	}
	return rc;
}

static int read_wanted(struct cli *c, unsigned from, struct wanted *w)
{
	struct known known;
	int rc = ask_known(c, &known);

	*w = (struct wanted){ .ports = json_object_new_array() };
	if (!rc)
		rc = take_words(c, &known, from, w);
	json_object_put(known.ports);
	json_object_put(known.bridges);
	json_object_put(known.tunnels);
	return rc;
}

static void wanted_fini(struct wanted *w)
{
	json_object_put(w->ports);
	str_fini(&w->filter);
}

static void put_flag(struct json_object *o, const char *key, bool on)
{
	if (on)
		json_object_object_add(o, key, json_object_new_boolean(true));
}

static void put_number(struct json_object *o, const char *key, uint64_t v)
{
	if (v)
		json_object_object_add(o, key, json_object_new_uint64(v));
}

static int tell_bad_filter(const struct cli *c, const struct wanted *w,
			   struct err *e)
{
	char *first = xstrndup(str_text(&w->filter),
			       strcspn(str_text(&w->filter), " "));
	int rc = cli_usage(c,
			   "\"%s\" is no port (weft show ports lists them), "
			   "and \"%s\" is no filter of pcap-filter(7): %s",
			   first, str_text(&w->filter), e->text);

	free(first);
	err_fini(e);
	return rc;
}

/* Drops alone, unless a direction was named, too. */
static int params_of(struct cli *c, struct wanted *w, const char *format,
		     struct json_object **out)
{
	struct json_object *p = json_object_new_object();
	struct err e = ERR_INIT;

	if (filter_put(str_text(&w->filter), p, &e)) {
		json_object_put(p);
		return tell_bad_filter(c, w, &e);
	}
	json_object_object_add(p, "ports", json_object_get(w->ports));
	json_object_object_add(p, "format", json_object_new_string(format));
	put_flag(p, "in", w->in);
	put_flag(p, "out", w->out);
	put_flag(p, "drops", c->flags & CLI_DROPS);
	put_flag(p, "outer", c->flags & CLI_OUTER);
	put_flag(p, "wire", c->flags & CLI_WIRE);
	put_number(p, "count", w->count);
	put_number(p, "snap", w->snap);
	*out = p;
	return CLI_OK;
}

/* --- weft capture --------------------------------------------------------- */

static int open_file(const char *file, int *fd)
{
	if (!file || !strcmp(file, "-")) {
		*fd = STDOUT_FILENO;
		return CLI_OK;
	}
	*fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
	if (*fd >= 0)
		return CLI_OK;
	fprintf(stderr, "weft: %s cannot be written: %s\n", file,
		err_name(errno));
	return CLI_FAILED;
}

static void tell_done(struct json_object *done)
{
	unsigned long long lost = js_number(done, "lost");

	fprintf(stderr, "%llu packets captured, %llu lost%s\n",
		(unsigned long long)js_number(done, "captured"), lost,
		lost ? ": a shorter snap length (-s) or a filter loses less" :
		       "");
}

static int capture(struct cli *c, struct wanted *w)
{
	bool text = !w->file && (c->flags & CLI_TEXT || isatty(STDOUT_FILENO));
	struct capture_sink s = { .c = c, .take = capture_write };
	struct json_object *params = NULL, *done = NULL;
	int rc;

	rc = params_of(c, w, text ? "text" : "pcapng", &params);
	if (rc)
		return rc;
	rc = open_file(w->file, &s.fd);
	if (rc) {
		json_object_put(params);
		return rc;
	}
	rc = capture_run(&s, params, &done);
	if (!rc)
		tell_done(done);
	json_object_put(done);
	if (s.fd != STDOUT_FILENO && close(s.fd)) {
		fprintf(stderr, "weft: %s: %s\n", w->file, err_name(errno));
		rc = CLI_FAILED;
	}
	return rc;
}

int cli_capture(struct cli *c)
{
	struct wanted w;
	int rc = read_wanted(c, 0, &w);

	if (!rc)
		rc = capture(c, &w);
	wanted_fini(&w);
	return rc;
}

/* --- weft trace live ------------------------------------------------------ */

static void draw_trace(struct capture_sink *s, const char *line)
{
	struct json_object *o = json_tokener_parse(line);
	struct cli *c = s->c;
	struct str out = STR_INIT;

	if (!o)
		return;
	str_addf(&out, "%s%s%s%s  %s\n", s->n++ ? "\n" : "",
		 cli_colour(c, "bold"), js_text(o, "time"),
		 cli_colour(c, "end"), js_text(o, "line"));
	cli_draw_path(c, o, &out);
	if (strcmp(js_text(o, "done"), js_text(o, "actions")) &&
	    !*js_text(o, "drop"))
		str_addf(&out, "   done then: %s\n", js_text(o, "done"));
	cli_print(c, &out);
	fflush(c->out);
	str_fini(&out);
	json_object_put(o);
}

static void take_line(struct capture_sink *s, const char *line)
{
	if (s->c->flags & CLI_JSON) {
		fprintf(s->c->out, "%s\n", line);
		fflush(s->c->out);
	} else {
		draw_trace(s, line);
	}
}

/* One JSON object a line; a piece may end amid one. */
static bool take_traces(struct capture_sink *s, const char *bytes, size_t len)
{
	size_t done = 0;
	char *end;

	str_add_n(&s->partial, bytes, len);
	while ((end = memchr(s->partial.s + done, '\n',
			     s->partial.len - done))) {
		*end = '\0';
		take_line(s, s->partial.s + done);
		done = (size_t)(end - s->partial.s) + 1;
	}
	memmove(s->partial.s, s->partial.s + done, s->partial.len - done);
	str_truncate(&s->partial, s->partial.len - done);
	return !ferror(s->c->out);
}

static int trace(struct cli *c, struct wanted *w)
{
	struct capture_sink s = { .c = c, .take = take_traces };
	struct json_object *params = NULL, *done = NULL;
	unsigned long long skipped;
	int rc;

	w->in = true;
	w->out = false;
	rc = params_of(c, w, "trace", &params);
	if (!rc)
		rc = capture_run(&s, params, &done);
	skipped = js_number(done, "skipped");
	if (!rc && skipped)
		fprintf(stderr,
			"%llu more packets passed, too many to be traced; a "
			"filter chooses\n",
			skipped);
	json_object_put(done);
	return rc;
}

int cli_trace(struct cli *c)
{
	struct wanted w;
	int rc;

	if (strcmp(c->args[0], "live"))
		return cli_usage(c, "trace is live: weft trace live FILTER; "
				    "for a packet that does not exist, weft "
				    "explain");
	rc = read_wanted(c, 1, &w);
	if (!rc && w.file)
		rc = cli_usage(c, "-w is for weft capture");
	if (!rc)
		rc = trace(c, &w);
	wanted_fini(&w);
	return rc;
}
