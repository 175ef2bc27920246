/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "cli/capture.h"
#include "cli/js.h"
#include "rpc/client.h"
#include "sys/thread.h"

#define STOP_TIMEOUT_MS 10000u

/* The one capture of this process, for the thread that waits for signals. */
static struct {
	char *socket; /* its own: a signal may come as the program ends */
	int64_t id;   /* atomic; 0: not begun */
	sigset_t signals;
	struct thread thread;
} self;

static void ask_stop(int64_t id)
{
	struct json_object *params = json_object_new_object();
	struct rpc_client_call call = { .method = "capture_stop",
					.params = params,
					.timeout_ms = STOP_TIMEOUT_MS };
	struct rpc_client_reply reply;
	struct rpc_client *client;
	struct err e = ERR_INIT;

	json_object_object_add(params, "capture", json_object_new_int64(id));
	client = rpc_client_create(self.socket, &e);
	if (!client)
		_exit(CLI_UNREACHABLE);
	/* It may have ended by itself meanwhile. */
	(void)!rpc_client_call(client, &call, &reply);
	rpc_client_reply_fini(&reply);
	rpc_client_destroy(client);
}

/* The first signal asks the daemon for the end, so that nothing is lost on the
 * way; the second does not wait for it. */
static void wait_for_signals(void *arg UNUSED)
{
	int64_t id;
	int sig;

	if (sigwait(&self.signals, &sig))
		return;
	id = __atomic_load_n(&self.id, __ATOMIC_ACQUIRE);
	if (id)
		ask_stop(id);
	else
		_exit(CLI_OK);
	if (!sigwait(&self.signals, &sig))
		_exit(CLI_FAILED);
}

static void begun(void *arg UNUSED, struct json_object *value)
{
	__atomic_store_n(&self.id, (int64_t)js_number(value, "capture"),
			 __ATOMIC_RELEASE);
}

bool capture_write(struct capture_sink *s, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(s->fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EPIPE)
			fprintf(stderr,
				"weft: the capture cannot be written: "
				"%s\n",
				err_name(errno));
		if (n < 0)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

/* Whom we wrote to is gone: so are we, and the daemon notices. */
static void came(void *arg, const char *bytes, size_t len)
{
	struct capture_sink *s = arg;

	if (!s->take(s, bytes, len))
		_exit(errno == EPIPE ? CLI_OK : CLI_FAILED);
}

static void catch_signals(void)
{
	sigemptyset(&self.signals);
	sigaddset(&self.signals, SIGINT);
	sigaddset(&self.signals, SIGTERM);
	sigaddset(&self.signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &self.signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (thread_start(&self.thread, "signals", THREAD_ANY_CPU,
			 wait_for_signals, NULL))
		pthread_sigmask(SIG_UNBLOCK, &self.signals, NULL);
}

int capture_run(struct capture_sink *s, struct json_object *params,
		struct json_object **done)
{
	struct rpc_client_call call = { .method = "capture",
					.params = params,
					.progress = begun,
					.bytes = came,
					.arg = s };
	struct rpc_client_reply reply;
	struct rpc_client *client;
	struct err e = ERR_INIT;
	int rc = CLI_OK, failed;

	self.socket = xstrdup(s->c->socket);
	client = rpc_client_create(s->c->socket, &e);
	if (!client) {
		json_object_put(params);
		cli_tell(s->c, &e, 1);
		err_fini(&e);
		return CLI_UNREACHABLE;
	}
	catch_signals();
	failed = rpc_client_call(client, &call, &reply);
	if (failed) {
		cli_tell(s->c, reply.errors, reply.n_errors);
		rc = failed == -EINVAL ? CLI_FAILED : CLI_UNREACHABLE;
	} else {
		*done = json_object_get(reply.result);
	}
	rpc_client_reply_fini(&reply);
	rpc_client_destroy(client);
	str_fini(&s->partial);
	return rc;
}
