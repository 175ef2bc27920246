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

#define TICK_MS 1000u
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
	char *undone = xasprintf("undone: %s", why);
	struct control_change ch = { .who = "weftd", .why = undone };
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
	free(undone);
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
	k->is_verified = false;
	/* A daemon that was started since the change knows of no before. */
	k->verifying = k->lookout.before;
	k->verify_left = CONFIRM_VERIFY_S;
	if (k->verifying)
		timer_set(&k->timer, TICK_MS);
	else
		timer_cancel(&k->timer);
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

/* What becomes of it is part of the sentence. */
static void verify(struct control *c)
{
	struct confirm *k = &c->confirm;
	struct str said = STR_INIT;

	k->is_back = lookout_is_back(&k->lookout, c->nl, &said);
	if (!k->is_back && --k->verify_left) {
		timer_set(&k->timer, TICK_MS);
	} else {
		say_outcome(c, xasprintf("%s; %s: %s", k->outcome,
					 k->is_back ? "verified" :
						      "not all is back",
					 str_text(&said)));
		events_apply(&c->events, "weftd", k->outcome);
		k->is_verified = true;
		k->verifying = false;
		lookout_end(&k->lookout);
	}
	str_fini(&said);
}

static void tick(void *arg)
{
	struct control *c = arg;
	struct confirm *k = &c->confirm;
	char *why;

	if (k->verifying) {
		verify(c);
		return;
	}
	if (!k->pending)
		return;
	why = lookout_lost(&k->lookout, c->nl);
	if (!why && wall_s(c) >= k->until_s)
		why = xstrdup("nobody confirmed it in time");
	if (why)
		undo_because(c, why);
	else
		timer_set(&k->timer, TICK_MS);
}

/* --- the doors --- */

void confirm_settle(struct control *c)
{
	if (!c->confirm.verifying)
		return;
	timer_cancel(&c->confirm.timer);
	c->confirm.verify_left = 1;
	verify(c);
}

int confirm_begin(struct control *c, uint64_t seconds,
		  const struct confirm_caller *caller, struct err *e)
{
	struct confirm *k = &c->confirm;
	int rc;

	if (!seconds || seconds > CONFIRM_MAX_S)
		return err_set(e,
			       "a confirmation is waited for 1 to %u seconds",
			       CONFIRM_MAX_S);
	confirm_settle(c);
	lookout_end(&k->lookout);
	k->is_verified = false;
	k->serial = history_now(c);
	k->until_s = wall_s(c) + seconds;
	lookout_begin(&k->lookout, c->nl, caller->address, caller->connection);
	rc = write_down(c, e);
	if (rc) {
		lookout_end(&k->lookout);
		return rc;
	}
	k->pending = true;
	timer_set(&k->timer, TICK_MS);
	return 0;
}

void confirm_abandon(struct control *c)
{
	timer_cancel(&c->confirm.timer);
	lookout_end(&c->confirm.lookout);
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
		json_object_object_add(
			o, "watched",
			json_object_new_int64(lookout_n_watched(&k->lookout)));
	}
	if (k->outcome)
		json_object_object_add(o, "outcome",
				       json_object_new_string(k->outcome));
	if (k->is_verified)
		json_object_object_add(o, "as_before",
				       json_object_new_boolean(k->is_back));
	return o;
}

void confirm_init(struct control *c)
{
	timer_init(&c->confirm.timer, c->config.loop, tick, c);
}

void confirm_fini(struct control *c)
{
	timer_fini(&c->confirm.timer);
	lookout_end(&c->confirm.lookout);
	free(c->confirm.outcome);
	c->confirm.outcome = NULL;
}
