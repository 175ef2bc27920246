/* SPDX-License-Identifier: Apache-2.0 */
#include "control/control.h"

#include <errno.h>

#include "base/log.h"
#include "control/internal.h"
#include "control/journal.h"
#include "port/devio.h"
#include "store/store.h"
#include "sys/disk.h"
#include "sys/file_io.h"

/* --- what must survive --- */

/* What a person wrote is kept as written, so that the lines that explain tells
 * are the file's own; what came by command is written out. */
static int state_write(struct control *c, const struct model *m,
		       const struct control_change *ch, struct err *e)
{
	struct str text = STR_INIT;
	struct store_state st = {
		.wall_s = c->config.env->wall_s(c->config.env),
		.file = (char *)(uintptr_t)ch->file,
		.who = (char *)(uintptr_t)ch->who,
		.comment = (char *)(uintptr_t)ch->why,
	};
	int rc;

	if (ch->text)
		str_add(&text, ch->text);
	else
		model_print(m, &text);
	st.text = text.s;
	rc = store_put(c->store, &st, 1, e);
	if (rc)
		err_wrap(e, "the new state could not be made durable, so it "
			    "is not applied");
	str_fini(&text);
	return rc;
}

/* The last state that was acknowledged; the empty model when there is none. */
static struct model *state_read(struct control *c, struct err *e)
{
	const struct store_state *st = store_last(c->store);
	struct model_errors es = MODEL_ERRORS_INIT;
	struct model *m;
	char *why;

	if (!st)
		return model_create();
	m = model_parse(st->text, strlen(st->text),
			st->file ? st->file : "state", &es);
	if (!m) {
		why = model_errors_format(&es);
		err_set(e, "the saved state cannot be read: %s", why);
		free(why);
	}
	model_errors_fini(&es);
	return m;
}

static int open_store(struct control *c, struct err *e)
{
	char *said = NULL;

	c->store = store_open(c->config.state, disk_system(), &said, e);
	if (said && *said)
		log_warn("store: %s", said);
	free(said);
	return c->store ? 0 : -EINVAL;
}

/* --- applying --- */

/* The switch was given the new view: the old one may go. */
static void become(struct control *c, struct model *m, struct model_view *v)
{
	model_view_destroy(c->view);
	model_destroy(c->model);
	c->model = m;
	c->view = v;
}

/* What became of the steps before the one that failed. */
static void tell_undo(struct err *e, const char *failed_step, const char *how)
{
	struct err whole = ERR_INIT;

	err_set(&whole, "%s%s; %s", failed_step, e->text, how);
	err_place(&whole, e->file, e->line, e->column);
	err_fini(e);
	*e = whole;
}

/* Back to what was before; 0 when everything is. */
static int back(struct control *c, struct err *e)
{
	struct err why = ERR_INIT;
	char *text;
	int rc;

	if (!c->view)
		return 0;
	rc = control_realise_back(c, c->view, &why);
	if (rc) {
		text = err_format(&why);
		log_error("undoing a failed change: %s; what is left of it is "
			  "shown by weft",
			  text);
		err_set(e, "%s", text);
		free(text);
		control_rebuild(c);
	}
	err_fini(&why);
	return rc;
}

static void undo(struct control *c, struct err *e)
{
	unsigned at = c->progress.at, of = c->progress.of;
	char *step = at ? xasprintf("step %u of %u, ", at, of) : xstrdup("");
	struct err why = ERR_INIT;
	char *how;

	if (back(c, &why))
		how = xasprintf("and undoing what was done before it failed, "
				"too: %s",
				why.text);
	else
		how = xstrdup("what was done before it is undone");
	if (of)
		tell_undo(e, step, how);
	err_fini(&why);
	free(how);
	free(step);
}

int control_apply(struct control *c, struct model *m,
		  const struct control_change *ch, struct err *e)
{
	struct model_view *v = model_view_create(m, c->config.host, e);
	int rc;

	if (!v)
		return -EINVAL;
	c->progress = (struct progress){ .call = ch->call };
	rc = journal_begin(c, v, e);
	if (!rc)
		rc = control_realise(c, v, e);
	if (!rc) {
		c->progress.at = 0; /* the steps are made */
		rc = state_write(c, m, ch, e);
	}
	if (rc) {
		undo(c, e);
		c->progress.call = NULL;
		journal_end(c);
		model_view_destroy(v);
		return rc;
	}
	c->progress.call = NULL;
	journal_end(c);
	become(c, m, v);
	events_apply(&c->events, ch->who, ch->why);
	log_info("applied for %s: %s; %u bridges, %u ports, %u peers", ch->who,
		 ch->why, v->n_bridges, v->n_ports, v->n_peers);
	return 0;
}

const struct model *control_model(const struct control *c)
{
	return c->model;
}

/* At start a port that cannot be made is no reason to have no network at all:
 * the others come up, this one says what is wrong. */
static int start(struct control *c, struct err *e)
{
	struct model *m = state_read(c, e);
	struct model_view *v;
	char *text;

	if (!m)
		return -EINVAL;
	v = model_view_create(m, c->config.host, e);
	if (!v) {
		model_destroy(m);
		return -EINVAL;
	}
	if (control_realise(c, v, e)) {
		text = err_format(e);
		log_error("the saved state could not be brought up whole: %s",
			  text);
		free(text);
		err_fini(e);
		become(c, m, v);
		control_rebuild(c);
	} else {
		become(c, m, v);
	}
	journal_recover(c);
	return 0;
}

/* --- life --- */

static void on_rebuild(void *arg)
{
	struct control *c = arg;

	defer_set(&c->rebuild);
}

static const char *port_name(struct control *c, uint32_t id)
{
	struct real_port *p = real_by_id(&c->real, id);

	return p ? p->name : "?";
}

static void on_loop(void *arg, uint32_t port, uint32_t other, bool blocked)
{
	struct control *c = arg;

	if (blocked)
		log_warn("port %s: brings back what left by %s: blocked until "
			 "the loop is gone",
			 port_name(c, port), port_name(c, other));
	else
		log_info("port %s: the loop is gone: open again",
			 port_name(c, port));
	events_loop(&c->events, port_name(c, port), port_name(c, other),
		    blocked);
}

static void on_conflict(void *arg, const char *domain, const struct ip_addr *ip,
			struct eth_addr mac)
{
	char text[IP_STR_LEN], m[ETH_STR_LEN];
	struct control *c = arg;

	events_conflict(&c->events, domain, ip, mac);
	log_warn("network %s: %s claims the router's address %s; give that "
		 "station another",
		 domain, eth_addr_format(mac, m), ip_addr_format(ip, text));
}

static struct vswitch *make_switch(struct control *c)
{
	struct switch_config s = {
		.env = c->config.env,
		.loop = c->config.loop,
		.dp = &dp_user_ops,
		.accel = c->config.accel,
		.n_workers = c->config.n_workers,
		.flows_max = c->config.flows_max,
		.events = { .rebuild = on_rebuild,
			    .port_failed = control_port_failed,
			    .loop = on_loop,
			    .conflict = on_conflict,
			    .moved = news_moved,
			    .flap = news_flap,
			    .neighbour = news_neighbour,
			    .note = explain_far_note,
			    .ctx = c },
	};

	return switch_create(&s);
}

static int open_all(struct control *c, struct err *e)
{
	struct adopt a = { .disk = disk_system(), .folder = c->config.state };
	int rc = file_make_dir(disk_system(), c->config.run, 0755, e);

	if (!rc)
		rc = open_store(c, e);
	if (!rc)
		rc = nl_open(&c->nl, NL_CURRENT_NS, e);
	if (rc)
		return rc;
	c->sw = make_switch(c);
	if (!c->sw)
		return err_set(e, "the datapath could not be made: no memory "
				  "or no threads are left");
	a.nl = c->nl;
	real_init(&c->real, c->sw, &a);
	control_watch_processes(c);
	/* Devices that the last daemon left at work go on until all is there. */
	devio_hold();
	rc = start(c, e);
	devio_release();
	if (!rc)
		confirm_recover(c);
	if (!rc)
		rc = control_watch(c, e);
	if (!rc)
		rc = control_listen(c, e);
	if (!rc)
		rc = metrics_listen(c, c->config.metrics, e);
	return rc;
}

struct control *control_create(const struct control_config *config,
			       struct err *e)
{
	struct control *c = xzalloc(sizeof(*c));

	c->config = *config;
	c->started_ms = env_now_ms(config->env);
	defer_init(&c->rebuild, config->loop, control_rebuild, c);
	events_init(&c->events, config->env);
	examine_init(&c->examinations);
	captures_init(&c->captures);
	explain_far_init(&c->far);
	confirm_init(c);
	if (!open_all(c, e))
		return c;
	control_destroy(c);
	return NULL;
}

void control_destroy(struct control *c)
{
	if (!c)
		return;
	captures_fini(&c->captures);
	explain_far_fini(&c->far);
	confirm_fini(c);
	examine_fini(&c->examinations);
	metrics_unlisten(c);
	control_unlisten(c);
	control_unwatch(c);
	defer_fini(&c->rebuild);
	if (c->sw) {
		switch_leave(c->sw);
		control_clear(c, true);
		switch_destroy(c->sw);
	}
	if (c->nl)
		nl_close(c->nl);
	if (c->store)
		store_close(c->store);
	events_fini(&c->events);
	model_view_destroy(c->view);
	model_destroy(c->model);
	free(c);
}
