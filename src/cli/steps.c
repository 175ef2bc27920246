/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/steps.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/env.h"
#include "cli/cli.h"
#include "cli/js.h"
#include "rpc/client.h"

#define PATIENCE_MS 1000u /* what is done by then is not told */
#define EVERY_MS 1000u    /* lines that stay */
#define REFRESH_MS 100u   /* a line that is written anew */
#define WIDTH_DEFAULT 80u

static uint64_t now_ms(void)
{
	return env_now_ms(env_system());
}

static void show(struct steps *s)
{
	uint64_t now = now_ms();

	if (!s->line.len || now - s->began_ms < PATIENCE_MS ||
	    (s->told_ms &&
	     now - s->told_ms < (s->is_terminal ? REFRESH_MS : EVERY_MS)))
		return;
	s->told_ms = now;
	s->is_shown = true;
	if (s->is_terminal)
		fprintf(stderr, "\r%.*s\033[K", (int)s->width - 1,
			str_text(&s->line));
	else
		fprintf(stderr, "weft: %s\n", str_text(&s->line));
	fflush(stderr);
}

static void on_step(void *arg, struct json_object *o)
{
	const char *name = js_text(o, "name");
	struct steps *s = arg;

	if (!js_number(o, "of"))
		return;
	str_fini(&s->line);
	str_addf(&s->line, "%sstep %" PRIu64 " of %" PRIu64 ": %s",
		 js_flag(o, "undoing") ? "undoing, " : "", js_number(o, "step"),
		 js_number(o, "of"), js_text(o, "kind"));
	if (*name)
		str_addf(&s->line, " %s", name);
	show(s);
}

static void on_idle(void *arg)
{
	show(arg);
}

void steps_begin(struct steps *s, const struct cli *c,
		 struct rpc_client_call *call)
{
	struct winsize w;

	*s = (struct steps){ .is_terminal = isatty(STDERR_FILENO),
			     .began_ms = now_ms(),
			     .width = WIDTH_DEFAULT };
	if (c->flags & (CLI_QUIET | CLI_JSON))
		return;
	if (s->is_terminal && !ioctl(STDERR_FILENO, TIOCGWINSZ, &w) && w.ws_col)
		s->width = w.ws_col;
	call->progress = on_step;
	call->idle = on_idle;
	call->idle_ms = REFRESH_MS;
	call->arg = s;
}

void steps_end(struct steps *s)
{
	if (s->is_shown && s->is_terminal)
		fputs("\r\033[K", stderr);
	str_fini(&s->line);
}
