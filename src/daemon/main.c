/* SPDX-License-Identifier: Apache-2.0 */
/* weftd: build the house, run it, take it down in reverse. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rcu.h"
#include "control/control.h"
#include "sys/log_sink.h"
#include "sys/confine.h"
#include "sys/folders.h"
#include "sys/loop.h"
#include "sys/notify.h"

static const char usage[] =
	"usage: weftd [--host NAME] [--state DIR] [--run DIR] [--workers N]\n"
	"             [--flows N] [--metrics A:P] [--log FORMAT]\n"
	"             [--operators] [--no-accel] [--debug] [--help]\n"
	"             [--version]\n"
	"\n"
	"  --host NAME    this host's name in the file (default: the "
	"hostname)\n"
	"  --state DIR    what must survive (default: /var/lib/weft, or\n"
	"                 ~/.local/state/weft of a user who is not root)\n"
	"  --run DIR      sockets (default: /run/weft, or\n"
	"                 $XDG_RUNTIME_DIR/weft)\n"
	"  --workers N    threads that move packets (default: half the CPUs, 4 "
	"at\n"
	"                 most)\n"
	"  --flows N      cached flows of a worker (default: 262144)\n"
	"  --operators    who is in the daemon's own group may command it\n"
	"  --no-accel     keep no flows in the kernel (for comparison)\n"
	"  --metrics A:P  serve Prometheus there, too, as 127.0.0.1:9469\n"
	"  --log FORMAT   text (default), json, or journal: with fields\n"
	"  --debug        log more\n"
	"\n"
	"See weftd(8). Configure it with weft(1).\n";

struct options {
	struct control_config control;
	char *state, *run; /* where nothing else was said */
	char hostname[sizeof(((struct utsname *)0)->nodename)];
};

static void default_options(struct options *o)
{
	struct utsname u;

	*o = (struct options){ .control = { .env = env_system(),
					    .accel = true },
			       .state = folders_state(),
			       .run = folders_run() };
	o->control.state = o->state;
	o->control.run = o->run;
	if (!uname(&u))
		snprintf(o->hostname, sizeof(o->hostname), "%s", u.nodename);
	o->control.host = o->hostname;
}

static void free_options(struct options *o)
{
	free(o->state);
	free(o->run);
}

static bool parse_count(const char *name, const char *text, uint32_t max,
			uint32_t *out)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (!*text || *end || v > max) {
		fprintf(stderr,
			"weftd: --%s %s: a number from 0 to %u is "
			"wanted\n",
			name, text, max);
		return false;
	}
	*out = (uint32_t)v;
	return true;
}

static bool choose_log(const char *format)
{
	struct err e = ERR_INIT;

	if (!log_sink_choose(format, &e))
		return true;
	fprintf(stderr, "weftd: %s\n", e.text);
	err_fini(&e);
	return false;
}

enum { EXIT_USAGE = 2, GO_ON = -1 };

/* GO_ON, or the exit status. */
static int parse_options(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "host", required_argument, NULL, 'h' },
		{ "state", required_argument, NULL, 's' },
		{ "run", required_argument, NULL, 'r' },
		{ "workers", required_argument, NULL, 'w' },
		{ "flows", required_argument, NULL, 'f' },
		{ "operators", no_argument, NULL, 'o' },
		{ "no-accel", no_argument, NULL, 'a' },
		{ "metrics", required_argument, NULL, 'm' },
		{ "log", required_argument, NULL, 'l' },
		{ "debug", no_argument, NULL, 'd' },
		{ "help", no_argument, NULL, '?' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	struct control_config *c = &o->control;
	int opt;

	while ((opt = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (opt) {
		case 'h':
			c->host = optarg;
			break;
		case 's':
			c->state = optarg;
			break;
		case 'r':
			c->run = optarg;
			break;
		case 'w':
			if (!parse_count("workers", optarg, 15, &c->n_workers))
				return EXIT_USAGE;
			break;
		case 'f':
			if (!parse_count("flows", optarg, 1u << 24,
					 &c->flows_max))
				return EXIT_USAGE;
			break;
		case 'o':
			c->operators = true;
			break;
		case 'a':
			c->accel = false;
			break;
		case 'm':
			c->metrics = optarg;
			break;
		case 'l':
			if (!choose_log(optarg))
				return EXIT_USAGE;
			break;
		case 'd':
			log_set_level(LOG_LEVEL_DEBUG);
			break;
		case 'V':
			printf("weftd %s\n", WEFT_VERSION);
			return 0;
		default:
			fputs(usage, optopt ? stderr : stdout);
			return optopt ? EXIT_USAGE : 0;
		}
	}
	if (optind < argc) {
		fprintf(stderr,
			"weftd: %s: no argument is wanted; files are "
			"applied with weft apply\n",
			argv[optind]);
		return EXIT_USAGE;
	}
	return GO_ON;
}

static void on_signal(void *arg)
{
	loop_stop(arg);
}

static void tell_manager(const char *state)
{
	int rc = notify_send(state);

	if (rc < 0)
		log_debug("the service manager does not listen: %s",
			  err_name(rc));
}

/* A sign of life twice in the time that the manager waits for one. */
struct heart {
	struct timer timer;
	uint64_t every_ms;
};

static void heart_beat(void *arg)
{
	struct heart *h = arg;

	tell_manager("WATCHDOG=1");
	timer_set(&h->timer, h->every_ms);
}

static void heart_start(struct heart *h, struct loop *loop)
{
	h->every_ms = notify_watchdog_ms() / 2;
	timer_init(&h->timer, loop, heart_beat, h);
	if (h->every_ms)
		heart_beat(h);
}

static int run(struct options *o)
{
	struct err e = ERR_INIT;
	struct heart heart;
	struct control *c;
	char *text;

	c = control_create(&o->control, &e);
	if (!c) {
		text = err_format(&e);
		fprintf(stderr, "weftd: %s\n", text);
		free(text);
		err_fini(&e);
		return EXIT_FAILURE;
	}
	notify_forget_rest();
	tell_manager("READY=1");
	heart_start(&heart, o->control.loop);
	log_info("weftd %s: ready as host %s", WEFT_VERSION, o->control.host);
	loop_run(o->control.loop);
	tell_manager("STOPPING=1");
	timer_fini(&heart.timer);
	control_destroy(c);
	return EXIT_SUCCESS;
}

/* What weft never does it shall not be able to do, whoever talks it into it. */
static void give_up_the_rest(void)
{
	struct err e = ERR_INIT;

	if (confine(&e))
		log_warn("%s: going on with more rights than needed", e.text);
	err_fini(&e);
}

static int serve(struct options *o)
{
	int status;

	give_up_the_rest();
	o->control.loop = loop_create();
	rcu_thread_register();
	if (loop_signal(o->control.loop, SIGINT, on_signal, o->control.loop) ||
	    loop_signal(o->control.loop, SIGTERM, on_signal, o->control.loop)) {
		fputs("weftd: signals cannot be handled\n", stderr);
		return EXIT_FAILURE;
	}
	signal(SIGPIPE, SIG_IGN);
	status = run(o);
	rcu_thread_unregister();
	loop_destroy(o->control.loop);
	return status;
}

int main(int argc, char **argv)
{
	struct options o;
	int status;

	default_options(&o);
	status = parse_options(&o, argc, argv);
	if (status == GO_ON)
		status = serve(&o);
	free_options(&o);
	return status;
}
