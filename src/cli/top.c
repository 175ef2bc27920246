/* SPDX-License-Identifier: Apache-2.0 */
/* `weft top`: the screen, the keys, the interval. */
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/js.h"
#include "cli/top.h"

#define INTERVAL_MS 1000u
#define INTERVAL_MAX_S 3600u
#define PLAIN_ROWS 20u
#define PLAIN_WIDTH 80u
#define FILTER_MAX 64u

struct screen {
	struct cli *c;
	enum top_view view;
	unsigned sort; /* index of the view's keys */
	char filter[FILTER_MAX];
	bool typing, paused, over, all; /* all: every view, one below another */
	uint64_t interval_ms;
	struct top_look before, now;
	struct termios saved;
	bool raw;
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* --- asking ------------------------------------------------------------------ */

static struct json_object *ask(struct screen *s, const char *kind, int *rc)
{
	struct json_object *p = json_object_new_object();

	json_object_object_add(p, "kind", json_object_new_string(kind));
	return cli_ask(s->c, "show", p, rc);
}

static int look(struct screen *s, struct top_look *l)
{
	struct top_answers a = { 0 };
	int rc;

	a.ports = ask(s, "ports", &rc);
	if (a.ports)
		a.flows = ask(s, "flows", &rc);
	if (a.flows)
		a.drops = ask(s, "drops", &rc);
	if (a.drops)
		a.neighbours = ask(s, "neighbours", &rc);
	l->at_ms = now_ms();
	if (a.neighbours)
		top_look_read(l, &a);
	json_object_put(a.ports);
	json_object_put(a.flows);
	json_object_put(a.drops);
	json_object_put(a.neighbours);
	return rc;
}

/* What was now is before; a new look is now. */
static int look_again(struct screen *s)
{
	struct top_look fresh = { 0 };
	int rc = look(s, &fresh);

	if (rc)
		return rc;
	top_look_fini(&s->before);
	s->before = s->now;
	s->now = fresh;
	for (unsigned v = 0; v < N_TOP_VIEWS; v++)
		top_sort(&s->before.tables[v], TOP_PORTS, "name");
	top_rates(&s->now, &s->before);
	return CLI_OK;
}

/* --- showing ----------------------------------------------------------------- */

static void one_table(struct screen *s, enum top_view v,
		      const struct top_shape *shape, struct str *out)
{
	const char *key = s->c->sort;

	if (s->raw)
		key = top_sort_keys(v)[v == s->view ? s->sort : 0];
	top_sort(&s->now.tables[v], v, key);
	top_format(&s->now.tables[v], v, shape, out);
}

static void plain(struct screen *s, struct str *out)
{
	struct top_shape shape = { .filter = s->filter,
				   .max = PLAIN_ROWS,
				   .width = PLAIN_WIDTH };

	for (unsigned v = 0; v < N_TOP_VIEWS; v++) {
		if (!s->all && v != s->view)
			continue;
		if (s->all && v)
			str_add_char(out, '\n');
		one_table(s, (enum top_view)v, &shape, out);
	}
}

static void title(struct screen *s, struct str *out)
{
	for (unsigned v = 0; v < N_TOP_VIEWS; v++)
		str_addf(out, "%s%s%s  ",
			 v == s->view ? cli_colour(s->c, "bold") : "",
			 top_view_name((enum top_view)v),
			 v == s->view ? cli_colour(s->c, "end") : "");
	str_addf(out, "| by %s%s%s%s%s\n", top_sort_keys(s->view)[s->sort],
		 s->typing || *s->filter ? "  filter: " : "", s->filter,
		 s->typing ? "_" : "", s->paused ? "  PAUSED" : "");
}

static void full_screen(struct screen *s, struct str *out)
{
	struct winsize w = { 0 };
	struct top_shape shape = { .filter = s->filter };

	(void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &w);
	shape.width = w.ws_col ? w.ws_col : PLAIN_WIDTH;
	shape.max = w.ws_row > 6 ? w.ws_row - 5u : 1;
	str_add(out, "\033[H\033[J");
	title(s, out);
	one_table(s, s->view, &shape, out);
	str_addf(out, "%sTAB view  s sort  / filter  SPACE pause  q quit%s",
		 cli_colour(s->c, "dim"), cli_colour(s->c, "end"));
}

static void draw(struct screen *s)
{
	struct str out = STR_INIT;

	if (s->raw)
		full_screen(s, &out);
	else
		plain(s, &out);
	cli_print(s->c, &out);
	fflush(s->c->out);
	str_fini(&out);
}

/* --- keys -------------------------------------------------------------------- */

static void type(struct screen *s, char key)
{
	size_t n = strlen(s->filter);

	if (key == '\r' || key == '\n') {
		s->typing = false;
	} else if (key == '\033') {
		s->typing = false;
		s->filter[0] = '\0';
	} else if ((key == 0x7f || key == '\b') && n) {
		s->filter[n - 1] = '\0';
	} else if (key >= ' ' && key < 0x7f && n + 1 < FILTER_MAX) {
		s->filter[n] = key;
		s->filter[n + 1] = '\0';
	}
}

static void command(struct screen *s, char key)
{
	static const char views[] = "pftd";
	const char *v = strchr(views, key);

	if (key && v) {
		s->view = (enum top_view)(v - views);
		s->sort = 0;
	} else if (key == '\t') {
		s->view = (enum top_view)((s->view + 1) % N_TOP_VIEWS);
		s->sort = 0;
	} else if (key == 's') {
		s->sort = top_sort_keys(s->view)[s->sort + 1] ? s->sort + 1 : 0;
	} else if (key == '/') {
		s->typing = true;
	} else if (key == ' ') {
		s->paused = !s->paused;
	} else if (key == 'q' || key == 3) {
		s->over = true;
	}
}

/* Waits for the rest of the interval; keys are served at once. */
static void await(struct screen *s)
{
	uint64_t end = now_ms() + s->interval_ms, now;
	struct pollfd f = { .fd = STDIN_FILENO, .events = POLLIN };
	char keys[16];

	while (!s->over && (now = now_ms()) < end) {
		ssize_t n = 0;

		if (poll(&f, s->raw ? 1 : 0, (int)(end - now)) > 0)
			n = read(STDIN_FILENO, keys, sizeof(keys));
		if (f.revents && n <= 0)
			s->over = true;
		for (ssize_t i = 0; i < n; i++) {
			if (s->typing)
				type(s, keys[i]);
			else
				command(s, keys[i]);
		}
		if (n > 0 && !s->over)
			draw(s);
	}
}

static void enter_screen(struct screen *s)
{
	struct termios t;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) ||
	    tcgetattr(STDIN_FILENO, &s->saved))
		return;
	t = s->saved;
	t.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
	if (tcsetattr(STDIN_FILENO, TCSANOW, &t))
		return;
	s->raw = true;
	fputs("\033[?1049h", s->c->out); /* the other screen */
}

static void leave_screen(struct screen *s)
{
	if (!s->raw)
		return;
	fputs("\033[?1049l", s->c->out);
	fflush(s->c->out);
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &s->saved);
	s->raw = false;
}

/* --- running ----------------------------------------------------------------- */

static int choose(struct screen *s)
{
	const char *near, *names[N_TOP_VIEWS];

	s->all = !s->c->n_args;
	for (unsigned v = 0; v < N_TOP_VIEWS; v++) {
		names[v] = top_view_name((enum top_view)v);
		if (s->c->n_args && !strcmp(s->c->args[0], names[v])) {
			s->view = (enum top_view)v;
			return CLI_OK;
		}
	}
	if (s->all)
		return CLI_OK;
	near = str_nearest(s->c->args[0], names, N_TOP_VIEWS);
	return cli_usage(s->c,
			 "there is no view \"%s\"; there are ports, flows, "
			 "talkers and drops%s%s%s",
			 s->c->args[0], near ? "; did you mean " : "",
			 near ? near : "", near ? "?" : "");
}

static int read_interval(struct screen *s)
{
	const char *text = s->c->interval;
	char *end;
	double v;

	s->interval_ms = INTERVAL_MS;
	if (!text)
		return CLI_OK;
	v = strtod(text, &end);
	if (end == text || *end || !(v >= 0.1) || v > INTERVAL_MAX_S)
		return cli_usage(s->c,
				 "--interval %s: seconds from 0.1 to %u are "
				 "wanted",
				 text, INTERVAL_MAX_S);
	s->interval_ms = (uint64_t)(v * 1000);
	return CLI_OK;
}

/* In JSON one object a look, each on a line of its own unless it is the only. */
static void tell_json(struct screen *s)
{
	struct json_object *o =
		top_json(&s->now, s->now.at_ms - s->before.at_ms, s->filter);

	if (s->c->flags & CLI_ONCE)
		cli_print_json(s->c, o);
	else
		fprintf(s->c->out, "%s\n",
			json_object_to_json_string_ext(o,
						       JSON_C_TO_STRING_PLAIN));
	fflush(s->c->out);
	json_object_put(o);
}

static int run(struct screen *s)
{
	int rc = look(s, &s->now);

	while (rc == CLI_OK && !s->over) {
		await(s);
		if (s->over)
			break;
		if (!s->paused)
			rc = look_again(s);
		if (rc != CLI_OK)
			break;
		if (s->c->flags & CLI_JSON)
			tell_json(s);
		else
			draw(s);
		s->over |= (s->c->flags & CLI_ONCE) != 0;
	}
	return rc;
}

int cli_top(struct cli *c)
{
	struct screen s = { .c = c };
	int rc = choose(&s);

	if (rc == CLI_OK)
		rc = read_interval(&s);
	if (rc != CLI_OK)
		return rc;
	if (c->filter)
		snprintf(s.filter, sizeof(s.filter), "%s", c->filter);
	if (!(c->flags & (CLI_ONCE | CLI_JSON)))
		enter_screen(&s);
	rc = run(&s);
	leave_screen(&s);
	top_look_fini(&s.before);
	top_look_fini(&s.now);
	return rc;
}
