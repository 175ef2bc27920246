/* SPDX-License-Identifier: Apache-2.0 */
/* `weft explain`: the way of a packet, drawn. */
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/capture.h"
#include "cli/js.h"
#include "cli/table.h"

/* --- what was asked ------------------------------------------------------- */

#define JUST_NOW_S 5

/* In `weft explain vm1 -> 10.2.0.7:80` the shell takes the arrow apart: it gives
 * us "vm1" and "-", and our output to a new file named 10.2.0.7:80. What was
 * meant is plain, so it is done: the name is the destination, the empty file
 * goes, and the answer goes to the terminal. */
static char *arrow_target(struct cli *c)
{
	char path[PATH_MAX], *name;
	struct stat st;
	ssize_t n;

	if (fstat(STDOUT_FILENO, &st) || !S_ISREG(st.st_mode) || st.st_size ||
	    st.st_ctime + JUST_NOW_S < time(NULL))
		return NULL;
	n = readlink("/proc/self/fd/1", path, sizeof(path) - 1);
	if (n <= 0)
		return NULL;
	path[n] = '\0';
	c->out = fopen("/dev/tty", "we");
	if (!c->out)
		c->out = stderr;
	c->colour = isatty(fileno(c->out)) && !getenv("NO_COLOR") &&
		    !(c->flags & CLI_NO_COLOUR);
	name = strrchr(path, '/');
	name = xstrdup(name ? name + 1 : path);
	if (unlink(path))
		fprintf(stderr, "weft: the shell made a file %s: %s\n", path,
			err_name(errno));
	return name;
}

static bool is_arrow(const char *s)
{
	return !strcmp(s, "->") || !strcmp(s, "to") || !strcmp(s, "\u2192");
}

/* Without the blanks at both ends. */
static char *trimmed(const char *s, size_t len)
{
	while (len && *s == ' ') {
		s++;
		len--;
	}
	while (len && s[len - 1] == ' ')
		len--;
	return xstrndup(s, len);
}

/* FROM TO, FROM -> TO, "FROM -> TO", and what the shell makes of them. */
static int endpoints(struct cli *c, char **from, char **to)
{
	const char *arrow;

	*from = *to = NULL;
	if (c->n_args == 2 && !strcmp(c->args[1], "-")) {
		*to = arrow_target(c);
	} else if (c->n_args == 2) {
		*to = xstrdup(c->args[1]);
	} else if (c->n_args == 3 && is_arrow(c->args[1])) {
		*to = xstrdup(c->args[2]);
	} else if (c->n_args == 1 && (arrow = strstr(c->args[0], "->"))) {
		*from = trimmed(c->args[0], (size_t)(arrow - c->args[0]));
		*to = trimmed(arrow + 2, strlen(arrow + 2));
	}
	if (!*from && c->n_args)
		*from = xstrdup(c->args[0]);
	if (*from && **from && (c->packet || c->pcap || (*to && **to)))
		return CLI_OK;
	/* the packet may say where it comes in itself */
	if (!*from && c->packet)
		return CLI_OK;
	free(*from);
	free(*to);
	cli_usage(c, "say from where and to where");
	return CLI_USAGE;
}

static void put(struct json_object *o, const char *key, const char *text)
{
	if (text)
		json_object_object_add(o, key, json_object_new_string(text));
}

/* --- the drawing ---------------------------------------------------------- */

struct signs {
	const char *way, *step, *end, *drop;
};

static const struct signs utf8_signs = { "│", "├─", "└▶", "└✗" };
static const struct signs ascii_signs = { "|", "+-", "`>", "`x" };

static void step_text(struct cli *c, struct json_object *step, const char *sign,
		      struct str *out)
{
	char *where = js_origin(step);

	str_addf(out, "%s %s%-10s%s", sign, cli_colour(c, "bold"),
		 js_text(step, "object"), cli_colour(c, "end"));
	str_addf(out, " %s", js_text(step, "text"));
	if (*where)
		str_addf(out, "  %s%s%s", cli_colour(c, "dim"), where,
			 cli_colour(c, "end"));
	str_add_char(out, '\n');
	free(where);
}

static void draw_drop(struct cli *c, struct json_object *o,
		      const struct signs *signs, struct str *out)
{
	str_addf(out, "%s %sdropped: %s%s (%s)\n", signs->drop,
		 cli_colour(c, "red"), js_text(o, "why"), cli_colour(c, "end"),
		 js_text(o, "drop"));
	if (*js_text(o, "advice"))
		str_addf(out, "   to let it pass: %s\n", js_text(o, "advice"));
}

/* "ip_ttl 64 to 63, vlan_vid 10 off" */
static char *changes_text(struct json_object *output)
{
	unsigned n = js_count(output, "changes");
	struct str s = STR_INIT;

	for (unsigned i = 0; i < n; i++) {
		struct json_object *o = js_at(output, "changes", i);

		str_addf(&s, "%s%s", i ? ", " : "", js_text(o, "field"));
		if (*js_text(o, "from"))
			str_addf(&s, " %s", js_text(o, "from"));
		if (*js_text(o, "to"))
			str_addf(&s, " to %s", js_text(o, "to"));
		else
			str_add(&s, " off");
	}
	return str_take(&s);
}

static const char *output_name(struct json_object *output)
{
	const char *host = js_text(output, "host");

	return *host ? host : js_text(output, "port");
}

/* Outputs that follow each other with the same changes share a line. */
static void draw_changes(struct cli *c, struct json_object *o, struct str *out)
{
	unsigned n = js_count(o, "outputs");
	struct str names = STR_INIT;

	for (unsigned i = 0; i < n; i++) {
		struct json_object *row = js_at(o, "outputs", i);
		char *text = changes_text(row), *next = NULL;

		str_addf(&names, "%s%s", names.len ? ", " : "",
			 output_name(row));
		if (i + 1 < n)
			next = changes_text(js_at(o, "outputs", i + 1));
		if (text && *text && (!next || strcmp(text, next)))
			str_addf(out, "   changed for %s: %s%s%s\n",
				 str_text(&names), cli_colour(c, "dim"), text,
				 cli_colour(c, "end"));
		if (!text || !next || strcmp(text, next))
			str_clear(&names);
		free(text);
		free(next);
	}
	str_fini(&names);
}

/* Translated, but refused at the door; a packet that goes nowhere has its reason
 * at the end of its way. */
static void draw_refused(struct cli *c, struct json_object *o,
			 const struct signs *signs, struct str *out)
{
	unsigned n = *js_text(o, "drop") ? 0 : js_count(o, "drops");

	for (unsigned i = 0; i < n; i++) {
		struct json_object *row = js_at(o, "drops", i);

		str_addf(out, "%s %sa copy is dropped%s (%s, counted at %s)\n",
			 signs->drop, cli_colour(c, "red"),
			 cli_colour(c, "end"), js_text(row, "reason"),
			 js_text(row, "port"));
	}
}

static void draw_cache(struct cli *c, struct json_object *o, struct str *out)
{
	const char *cache = js_text(o, "cache");

	if (*cache)
		str_addf(out, "   %sheld by the cache of %s%s\n",
			 cli_colour(c, "dim"),
			 strcmp(cache, "kernel") ? "a worker" : "the kernel",
			 cli_colour(c, "end"));
	else if (json_object_object_get_ex(o, "cache", NULL))
		str_addf(out, "   %sheld by no cache yet%s\n",
			 cli_colour(c, "dim"), cli_colour(c, "end"));
}

static void draw_end(struct cli *c, struct json_object *o,
		     const struct signs *signs, struct str *out)
{
	if (*js_text(o, "drop"))
		draw_drop(c, o, signs, out);
	else
		str_addf(out, "%s %s%s%s\n", signs->end, cli_colour(c, "green"),
			 js_text(o, "actions"), cli_colour(c, "end"));
	draw_refused(c, o, signs, out);
	draw_changes(c, o, out);
	draw_cache(c, o, out);
}

static void draw_way(struct cli *c, struct json_object *o,
		     const struct signs *signs, struct str *out)
{
	unsigned n = js_count(o, "steps");
	uint64_t hop = 0;

	str_addf(out, "%s%s%s  %s%s%s\n", cli_colour(c, "bold"),
		 js_text(o, "from"), cli_colour(c, "end"), cli_colour(c, "dim"),
		 js_text(o, "packet"), cli_colour(c, "end"));
	for (unsigned i = 0; i < n; i++) {
		struct json_object *step = js_at(o, "steps", i);

		if (js_number(step, "hop") != hop)
			str_addf(out, "%s\n", signs->way);
		hop = js_number(step, "hop");
		step_text(c, step, signs->step, out);
	}
	draw_end(c, o, signs, out);
}

static void draw_indented(const char *text, struct str *out)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		str_add(out, "   ");
		str_add_n(out, text, n);
		str_add_char(out, '\n');
		text += n + (text[n] == '\n');
	}
}

/* Each host that it goes to, as that host tells it. */
void cli_draw_path(struct cli *c, struct json_object *o, struct str *out)
{
	const struct signs *signs = c->utf8 ? &utf8_signs : &ascii_signs;
	unsigned n = js_count(o, "hosts");

	draw_way(c, o, signs, out);
	for (unsigned i = 0; i < n; i++) {
		struct json_object *row = js_at(o, "hosts", i), *far = NULL;
		struct str sub = STR_INIT;

		if (json_object_object_get_ex(row, "answer", &far)) {
			str_addf(out, "\n%s goes on:\n", js_text(row, "host"));
			cli_draw_path(c, far, &sub);
			draw_indented(str_text(&sub), out);
		} else {
			str_addf(out, "\n%s%s was not asked:%s %s\n",
				 cli_colour(c, "red"), js_text(row, "host"),
				 cli_colour(c, "end"),
				 js_text(row, "not_asked"));
		}
		str_fini(&sub);
	}
}

/* -n N, wherever it stands: which packet of the file. Taken out of the words. */
static int take_number(struct cli *c, uint64_t *n)
{
	unsigned i = 0;
	char *end;

	*n = 1;
	while (i < c->n_args && strcmp(c->args[i], "-n"))
		i++;
	if (i >= c->n_args)
		return CLI_OK;
	*n = i + 1 < c->n_args ? strtoull(c->args[i + 1], &end, 10) : 0;
	if (!*n || *end || !c->pcap)
		return cli_usage(c, "-n N is the number of a packet, from 1, "
				    "and goes with --pcap");
	c->n_args -= 2;
	for (; i < c->n_args; i++)
		c->args[i] = c->args[i + 2];
	return CLI_OK;
}

static struct json_object *question(struct cli *c, const char *from,
				    const char *to, uint64_t n, int *rc)
{
	struct json_object *p = json_object_new_object();

	put(p, "from", from);
	put(p, "to", to);
	put(p, "packet", c->packet);
	put(p, "proto", c->flags & CLI_UDP ? "udp" : "tcp");
	if (c->pcap)
		*rc = pcap_put(c, n, p);
	if (!*rc)
		return p;
	json_object_put(p);
	return NULL;
}

int cli_explain(struct cli *c)
{
	struct json_object *p, *o = NULL;
	struct str s = STR_INIT;
	char *from, *to;
	uint64_t n;
	int rc;

	rc = take_number(c, &n);
	if (!rc)
		rc = endpoints(c, &from, &to);
	if (rc)
		return rc;
	p = question(c, from, to, n, &rc);
	free(from);
	free(to);
	if (p)
		o = cli_ask(c, "explain", p, &rc);
	if (o && !cli_print_json(c, o)) {
		cli_draw_path(c, o, &s);
		cli_print(c, &s);
	}
	str_fini(&s);
	json_object_put(o);
	return rc;
}
