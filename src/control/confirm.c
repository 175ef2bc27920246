/* SPDX-License-Identifier: Apache-2.0 */
#include "control/confirm.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>

#include "base/log.h"
#include "control/history.h"
#include "control/internal.h"
#include "store/store.h"
#include "sys/file_io.h"
#include "sys/nl_route.h"

#define TICK_MS 1000u
#define ANSWER_MS 250u
#define PING_LEN 64u
#define VERIFY_S 5u
#define FILE_MAX 128u

static uint64_t wall_s(const struct control *c)
{
	return c->config.env->wall_s(c->config.env);
}

/* --- what is written down --- */

static char *confirm_path(const struct control *c)
{
	return xasprintf("%s/confirm", c->config.state);
}

static int write_down(struct control *c, struct err *e)
{
	char *path = confirm_path(c);
	char *text = xasprintf("%" PRIu64 " %" PRIu64 "\n", c->confirm.serial,
			       c->confirm.until_s);
	struct file_content content = { text, strlen(text), 0600 };
	int rc = file_write(disk_system(), path, &content, e);

	free(text);
	free(path);
	return rc;
}

static void forget(struct control *c)
{
	char *path = confirm_path(c);
	int rc = disk_unlink(disk_system(), path);

	if (rc && rc != -ENOENT)
		log_warn("%s cannot be removed: %s; the change would be undone "
			 "at the next start: remove it by hand",
			 path, err_name(rc));
	free(path);
	c->confirm.pending = false;
}

static bool read_back(struct control *c)
{
	char *path = confirm_path(c);
	struct str text = STR_INIT;
	bool ok = !file_read(disk_system(), path, FILE_MAX, &text, NULL) &&
		  sscanf(str_text(&text), "%" SCNu64 " %" SCNu64,
			 &c->confirm.serial, &c->confirm.until_s) == 2;

	str_fini(&text);
	free(path);
	return ok;
}

/* --- who answers --- */

static bool host_answered(struct confirm_host *h, unsigned ms)
{
	struct ping_answer a;

	while (ping_wait(&h->ping, ms, &a))
		if (a.kind == PING_ECHO && ip_addr_equal(&a.from, &h->address))
			return true;
	return false;
}

static bool host_ask(struct confirm_host *h)
{
	return !ping_echo(&h->ping, &h->address, PING_LEN, ++h->seq);
}

static void unwatch(struct confirm *k)
{
	while (k->n_hosts)
		ping_close(&k->hosts[--k->n_hosts].ping);
}

/* Watched from now on, if it answers: one that never did says nothing. */
static void watch(struct confirm *k, const struct ip_addr *a, const char *what)
{
	struct confirm_host *h = &k->hosts[k->n_hosts];
	const struct ip_addr any = { 0 };

	if (!a->family || k->n_hosts == CONFIRM_WATCHED)
		return;
	*h = (struct confirm_host){ .address = *a, .what = what };
	if (ping_open(&h->ping, a->family, (uint16_t)(0x5745 + k->n_hosts),
		      &any, NULL))
		return;
	if (host_ask(h) && host_answered(h, ANSWER_MS))
		k->n_hosts++;
	else
		ping_close(&h->ping);
}

static void watch_gateways(struct control *c)
{
	struct nl_routes routes = { 0 };

	if (nl_route_list(c->nl, 0, &routes, NULL))
		return;
	for (size_t i = 0; i < routes.n; i++)
		if (!routes.v[i].dst.len && routes.v[i].table == 254)
			watch(&c->confirm, &routes.v[i].gateway, "the gateway");
	nl_routes_fini(&routes);
}

static void watch_caller(struct control *c, const char *caller)
{
	struct ip_addr a;

	if (caller && !ip_addr_parse(caller, &a))
		watch(&c->confirm, &a, "the caller's host");
}

/* --- back --- */

static void say_outcome(struct control *c, char *sentence)
{
	free(c->confirm.outcome);
	c->confirm.outcome = sentence;
	log_warn("%s", sentence);
}

static struct model *model_before(struct control *c, struct err *e)
{
	struct store_state st;
	struct model *m;

	if (!c->confirm.serial)
		return model_create();
	if (history_state(c, c->confirm.serial, &st, e))
		return NULL;
	m = history_model(&st, e);
	store_state_fini(&st);
	return m;
}

/* The same text as then, so that the file's lines are told as then. */
static int apply_before(struct control *c, struct model *m, const char *why,
			struct err *e)
{
	struct control_change ch = { .who = "weftd", .why = why };
	struct store_state st = { 0 };
	int rc = c->confirm.serial ?
			 history_state(c, c->confirm.serial, &st, e) :
			 0;

	if (!rc) {
		ch.text = st.text;
		ch.file = st.file;
		rc = control_apply(c, m, &ch, e);
	}
	if (st.text)
		store_state_fini(&st);
	return rc;
}

int confirm_undo(struct control *c, const char *why, struct err *e)
{
	struct confirm *k = &c->confirm;
	struct model *m = model_before(c, e);
	char *said;
	int rc = -EINVAL;

	if (m) {
		rc = apply_before(c, m, why, e);
		if (rc)
			model_destroy(m);
	}
	said = rc ? xasprintf("the change is not confirmed (%s) and could not "
			      "be undone: %s",
			      why, e->text) :
		    xasprintf("the change is undone: %s", why);
	say_outcome(c, said);
	forget(c);
	k->verifying = !rc && k->n_hosts;
	k->verify_left = VERIFY_S;
	timer_set(&k->timer, k->verifying ? TICK_MS : 0);
	if (!k->verifying) {
		timer_cancel(&k->timer);
		unwatch(k);
	}
	return rc;
}

static void undo_because(struct control *c, char *why)
{
	struct err e = ERR_INIT;

	(void)!confirm_undo(c, why, &e);
	err_fini(&e);
	free(why);
}

/* --- every second --- */

static struct confirm_host *silent_host(struct confirm *k)
{
	struct confirm_host *found = NULL;

	for (unsigned i = 0; i < k->n_hosts; i++) {
		struct confirm_host *h = &k->hosts[i];

		h->silent = host_answered(h, 0) ? 0 : h->silent + 1;
		host_ask(h);
		if (h->silent >= CONFIRM_SILENT)
			found = h;
	}
	return found;
}

static void verify(struct control *c)
{
	struct confirm *k = &c->confirm;
	char text[IP_STR_LEN];
	unsigned n_back = 0;

	silent_host(k);
	for (unsigned i = 0; i < k->n_hosts; i++)
		n_back += !k->hosts[i].silent;
	if (n_back < k->n_hosts && --k->verify_left) {
		timer_set(&k->timer, TICK_MS);
		return;
	}
	for (unsigned i = 0; i < k->n_hosts; i++)
		log_info("after the undo %s %s %s", k->hosts[i].what,
			 ip_addr_format(&k->hosts[i].address, text),
			 k->hosts[i].silent ? "still does not answer" :
					      "answers");
	k->verifying = false;
	unwatch(k);
}

static void tick(void *arg)
{
	struct control *c = arg;
	struct confirm *k = &c->confirm;
	struct confirm_host *h;
	char text[IP_STR_LEN];

	if (k->verifying) {
		verify(c);
		return;
	}
	if (!k->pending)
		return;
	h = silent_host(k);
	if (h)
		undo_because(c, xasprintf("%s %s stopped answering", h->what,
					  ip_addr_format(&h->address, text)));
	else if (wall_s(c) >= k->until_s)
		undo_because(c, xstrdup("nobody confirmed it in time"));
	else
		timer_set(&k->timer, TICK_MS);
}

/* --- the doors --- */

int confirm_begin(struct control *c, uint64_t seconds, const char *caller,
		  struct err *e)
{
	struct confirm *k = &c->confirm;
	int rc;

	if (!seconds || seconds > CONFIRM_MAX_S)
		return err_set(e,
			       "a confirmation is waited for 1 to %u seconds",
			       CONFIRM_MAX_S);
	unwatch(k);
	k->verifying = false;
	k->serial = history_now(c);
	k->until_s = wall_s(c) + seconds;
	watch_gateways(c);
	watch_caller(c, caller);
	rc = write_down(c, e);
	if (rc) {
		unwatch(k);
		return rc;
	}
	k->pending = true;
	timer_set(&k->timer, TICK_MS);
	return 0;
}

void confirm_abandon(struct control *c)
{
	timer_cancel(&c->confirm.timer);
	unwatch(&c->confirm);
	forget(c);
}

int confirm_accept(struct control *c, struct err *e)
{
	struct confirm *k = &c->confirm;

	if (!k->pending) {
		err_set(e, "no change waits for a confirmation%s%s",
			k->outcome ? "; of the last: " : "",
			k->outcome ? k->outcome : "");
		return -ENOENT;
	}
	confirm_abandon(c);
	free(k->outcome);
	k->outcome = xstrdup("the change was confirmed");
	log_info("%s", k->outcome);
	return 0;
}

void confirm_recover(struct control *c)
{
	if (!read_back(c))
		return;
	c->confirm.pending = true;
	if (wall_s(c) >= c->confirm.until_s) {
		undo_because(c,
			     xstrdup("nobody confirmed it in time (weftd was "
				     "not running)"));
		return;
	}
	log_info("a change waits for its confirmation: weft confirm");
	timer_set(&c->confirm.timer, TICK_MS);
}

struct json_object *confirm_json(const struct control *c)
{
	const struct confirm *k = &c->confirm;
	struct json_object *o = json_object_new_object();
	uint64_t now = wall_s(c);

	json_object_object_add(o, "pending",
			       json_object_new_boolean(k->pending));
	if (k->pending) {
		json_object_object_add(
			o, "seconds_left",
			json_object_new_uint64(
				k->until_s > now ? k->until_s - now : 0));
		json_object_object_add(o, "serial",
				       json_object_new_uint64(k->serial));
		json_object_object_add(o, "watched",
				       json_object_new_int64(k->n_hosts));
	}
	if (k->outcome)
		json_object_object_add(o, "outcome",
				       json_object_new_string(k->outcome));
	return o;
}

void confirm_init(struct control *c)
{
	timer_init(&c->confirm.timer, c->config.loop, tick, c);
}

void confirm_fini(struct control *c)
{
	timer_fini(&c->confirm.timer);
	unwatch(&c->confirm);
	free(c->confirm.outcome);
	c->confirm.outcome = NULL;
}
