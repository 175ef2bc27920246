/* SPDX-License-Identifier: Apache-2.0 */
#include "control/captures.h"

#include <errno.h>
#include <json-c/json.h>
#include <unistd.h>

#include "control/capture_out.h"
#include "control/internal.h"
#include "packet/pcapng.h"
#include "rpc/server.h"

#define TUNNEL_NAME "tunnel"
#define CHUNK 65536u /* bytes sent at a time */
#define ROUND 2048u  /* records before others have their turn */
#define SNAP_MIN 14u

struct running {
	struct list link;
	unsigned id;
	struct control *c;
	struct rpc_call *call;
	struct capture *capture;
	struct capture_out out;
	struct loop_call wake; /* by workers */
	struct timer look;     /* is the client there; is there room again */
	char **ports;          /* by name; none: all */
	uint32_t *ids;         /* of them, as last looked up; 0: not there */
	unsigned n_ports;
	struct ip_addr peer; /* family 0: none was named */
	char *filter;
	uint64_t limit; /* packets; 0: no limit */
	bool stopping;  /* what the rings have is still sent */
};

/* --- the end --- */

static struct json_object *summary(const struct running *r, uint64_t lost)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "captured",
			       json_object_new_uint64(r->out.n_given));
	json_object_object_add(o, "lost", json_object_new_uint64(lost));
	json_object_object_add(o, "skipped",
			       json_object_new_uint64(r->out.n_skipped));
	return o;
}

static void running_free(struct running *r)
{
	for (unsigned i = 0; i < r->n_ports; i++)
		free(r->ports[i]);
	free(r->ports);
	free(r->ids);
	free(r->filter);
	timer_fini(&r->look);
	capture_out_fini(&r->out);
	free(r);
}

/* Answers the call; what the client has no room for any more is not sent. */
static void running_end(struct running *r)
{
	struct control *c = r->c;
	uint64_t lost = capture_lost(r->capture);

	capture_out_end(&r->out, lost);
	if (r->out.bytes.len &&
	    !rpc_call_bytes(r->call, r->out.bytes.s, r->out.bytes.len))
		str_clear(&r->out.bytes);
	rpc_call_result(r->call, summary(r, lost));
	switch_dp_ops(c->sw)->capture_stop(switch_dp(c->sw), r->capture);
	loop_call_cancel(c->config.loop, &r->wake);
	list_del(&r->link);
	running_free(r);
}

/* --- passing on --- */

/* True when all that was made is on its way. */
static bool send_bytes(struct running *r)
{
	struct str *b = &r->out.bytes;

	if (b->len && !rpc_call_bytes(r->call, b->s, b->len))
		return false;
	str_clear(b);
	return true;
}

static bool has_enough(const struct running *r)
{
	return r->limit && r->out.n_given >= r->limit;
}

/* What the rings have, a round at most. True when they may have more. */
static bool take_round(struct running *r)
{
	const struct capture_record *rec;

	for (unsigned i = 0; i < ROUND; i++) {
		rec = has_enough(r) ? NULL : capture_peek(r->capture);
		if (!rec)
			return false;
		if (r->out.bytes.len > CHUNK && !send_bytes(r))
			return false;
		capture_out_add(&r->out, rec, capture_lost(r->capture));
		capture_next(r->capture);
	}
	return true;
}

static void running_drain(void *arg)
{
	struct running *r = arg;
	bool more;

	if (rpc_call_is_abandoned(r->call)) {
		running_end(r);
		return;
	}
	more = take_round(r);
	if (!send_bytes(r)) {
		timer_set(&r->look, CAPTURES_RETRY_MS);
		return;
	}
	if (has_enough(r) || (r->stopping && !more))
		running_end(r);
	else if (more)
		loop_wake(r->c->config.loop, &r->wake);
}

static void running_look(void *arg)
{
	struct running *r = arg;

	timer_set(&r->look, CAPTURES_LOOK_MS);
	running_drain(r);
}

/* A worker has put something into a ring. */
static void notify(void *ctx)
{
	struct running *r = ctx;

	loop_wake(r->c->config.loop, &r->wake);
}

/* --- what was asked --- */

static const char *text_of(struct json_object *params, const char *key)
{
	struct json_object *v;

	return params && json_object_object_get_ex(params, key, &v) &&
			       json_object_is_type(v, json_type_string) ?
		       json_object_get_string(v) :
		       "";
}

static uint64_t number_of(struct json_object *params, const char *key)
{
	struct json_object *v;

	return params && json_object_object_get_ex(params, key, &v) ?
		       json_object_get_uint64(v) :
		       0;
}

static bool flag_of(struct json_object *params, const char *key)
{
	struct json_object *v;

	return params && json_object_object_get_ex(params, key, &v) &&
	       json_object_get_boolean(v);
}

/* Another host's name: the tunnel, and of it only what that host sends and is
 * sent. */
static bool read_peer(struct running *r, const char *name)
{
	const struct model_view *v = r->c->view;

	for (unsigned i = 0; v && i < v->n_peers; i++) {
		if (!v->peers[i].name || strcmp(v->peers[i].name, name) != 0)
			continue;
		r->peer = v->peers[i].address;
		r->ports[r->n_ports++] = xstrdup(TUNNEL_NAME);
		return true;
	}
	return false;
}

static int read_port(struct running *r, const char *name, struct err *e)
{
	const struct real_port *p;
	const char *names[64], *near;
	unsigned n = 0;

	if (real_find(&r->c->real, name)) {
		r->ports[r->n_ports++] = xstrdup(name);
		return 0;
	}
	if (read_peer(r, name))
		return 0;
	list_for_each(p, &r->c->real.ports, link)
		if (n < ARRAY_SIZE(names))
			names[n++] = p->name;
	near = str_nearest(name, names, n);
	return err_set(e, "there is no port \"%s\"%s%s%s", name,
		       near ? "; did you mean \"" : "; see weft show ports",
		       near ? near : "", near ? "\"?" : "");
}

static int read_ports(struct running *r, struct json_object *params,
		      struct err *e)
{
	struct json_object *list = NULL;
	size_t n;

	if (!params || !json_object_object_get_ex(params, "ports", &list) ||
	    !json_object_is_type(list, json_type_array))
		return 0;
	n = json_object_array_length(list);
	if (n > CAPTURES_PORTS_MAX)
		return err_set(e,
			       "at most %u ports are named at once; name none "
			       "for all",
			       CAPTURES_PORTS_MAX);
	r->ports = xcalloc(n + 1, sizeof(*r->ports));
	r->ids = xcalloc(n + 1, sizeof(*r->ids));
	for (size_t i = 0; i < n; i++) {
		const char *name = json_object_get_string(
			json_object_array_get_idx(list, i));

		if (read_port(r, name ? name : "", e))
			return -EINVAL;
	}
	return 0;
}

static int read_format(struct running *r, struct json_object *params,
		       struct err *e)
{
	const char *format = text_of(params, "format");

	if (!*format || !strcmp(format, "pcapng"))
		r->out.format = CAPTURE_PCAPNG;
	else if (!strcmp(format, "text"))
		r->out.format = CAPTURE_TEXT;
	else if (!strcmp(format, "trace"))
		r->out.format = CAPTURE_TRACE;
	else
		return err_set(e, "format is pcapng, text or trace, not \"%s\"",
			       format);
	return 0;
}

static unsigned read_points(struct json_object *params)
{
	unsigned points = 0;

	points |= flag_of(params, "in") ? CAPTURE_IN : 0;
	points |= flag_of(params, "out") ? CAPTURE_OUT : 0;
	points |= flag_of(params, "drops") ? CAPTURE_DROP : 0;
	return points ? points : CAPTURE_IN | CAPTURE_OUT;
}

/* The compiled filters; `ops` has room for two. */
static int read_filters(struct json_object *params, struct filter_op *ops,
			struct capture_spec *s, struct err *e)
{
	struct filter_op *ip = ops + FILTER_MAX;
	int n = filter_parse(text_of(params, "ethernet"), ops, e);
	int m = n < 0 ? n : filter_parse(text_of(params, "ip"), ip, e);

	if (m < 0)
		return m;
	s->ethernet = (struct filter){ (unsigned)n, ops };
	s->ip = (struct filter){ (unsigned)m, ip };
	if (filter_check(&s->ethernet, e))
		return -EINVAL;
	return filter_check(&s->ip, e);
}

static int read_all(struct running *r, struct json_object *params,
		    struct capture_spec *s, struct err *e)
{
	uint64_t snap = number_of(params, "snap");
	const char *filter = text_of(params, "filter");

	r->limit = number_of(params, "count");
	r->out.wire = flag_of(params, "wire");
	r->out.outer = flag_of(params, "outer");
	r->filter = *filter ? xstrdup(filter) : NULL;
	r->out.filter = r->filter;
	r->out.snap = (uint32_t)CLAMP(snap ? snap : PCAPNG_SNAP_MAX, SNAP_MIN,
				      PCAPNG_SNAP_MAX);
	s->snap = r->out.snap;
	s->offloads_whole = r->out.wire || r->out.outer;
	s->points = read_points(params);
	if (read_ports(r, params, e))
		return -EINVAL;
	s->all_ports = !r->n_ports;
	s->peer = r->peer;
	if (r->peer.family && r->n_ports > 1)
		return err_set(e, "another host is captured by itself: name no "
				  "other port with it");
	return read_format(r, params, e);
}

/* --- the beginning --- */

static void set_ports(struct running *r)
{
	struct real_port *p;

	capture_out_forget_ports(&r->out);
	for (unsigned i = 0; i < r->n_ports; i++)
		if (r->ids[i])
			capture_set_port(r->capture, r->ids[i], false);
	for (unsigned i = 0; i < r->n_ports; i++) {
		p = real_find(&r->c->real, r->ports[i]);
		r->ids[i] = p ? p->id : 0;
		if (!p)
			continue;
		capture_set_port(r->capture, p->id, true);
		capture_out_port(&r->out, p->id);
	}
	if (!r->n_ports)
		list_for_each(p, &r->c->real.ports, link)
			capture_out_port(&r->out, p->id);
}

static int begin(struct running *r, struct json_object *params, struct err *e)
{
	struct capture_spec s = { .env = r->c->config.env,
				  .with_keys = true,
				  .notify = notify,
				  .ctx = r };
	struct filter_op *ops = xcalloc(2 * FILTER_MAX, sizeof(*ops));
	int rc = read_all(r, params, &s, e);

	if (!rc)
		rc = read_filters(params, ops, &s, e);
	if (!rc && !capture_out_init(&r->out))
		rc = err_set(e, "there is no memory for another capture");
	if (!rc)
		r->capture = switch_dp_ops(r->c->sw)->capture_start(
			switch_dp(r->c->sw), &s);
	free(ops);
	if (!rc && !r->capture)
		rc = err_set(e,
			     "%u captures run already; end one of them "
			     "first",
			     CAPTURE_MAX);
	return rc;
}

/* Looking at what others send is not for everybody. */
static int may_capture(struct rpc_call *call, struct err *e)
{
	if (rpc_call_is_trusted(call))
		return 0;
	return err_set(e,
		       "captures show what others send, so they are for root "
		       "and operators; user %u is neither: use sudo",
		       rpc_call_peer(call)->uid);
}

static void tell_begun(struct running *r)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "capture", json_object_new_int64(r->id));
	rpc_call_progress(r->call, o);
	capture_out_begin(&r->out);
	set_ports(r);
	running_look(r);
}

void captures_start(struct control *c, struct rpc_call *call,
		    struct json_object *params)
{
	struct running *r = xzalloc(sizeof(*r));
	struct err e = ERR_INIT;

	r->c = c;
	r->call = call;
	r->out.c = c;
	r->id = ++c->captures.last_id;
	loop_call_init(&r->wake, running_drain, r);
	timer_init(&r->look, c->config.loop, running_look, r);
	if (may_capture(call, &e) || begin(r, params, &e)) {
		rpc_call_error(call, &e);
		err_fini(&e);
		running_free(r);
		return;
	}
	list_push_back(&c->captures.running, &r->link);
	tell_begun(r);
}

void captures_stop(struct control *c, struct rpc_call *call,
		   struct json_object *params)
{
	uint64_t id = number_of(params, "capture");
	struct err e = ERR_INIT;
	struct running *r;

	list_for_each(r, &c->captures.running, link) {
		if (r->id != id || may_capture(call, &e))
			continue;
		capture_end(r->capture);
		r->stopping = true;
		loop_wake(c->config.loop, &r->wake);
		rpc_call_result(call, json_object_new_object());
		return;
	}
	err_set(&e, "there is no capture %llu", (unsigned long long)id);
	rpc_call_error(call, &e);
	err_fini(&e);
}

void captures_ports_changed(struct captures *all)
{
	struct running *r;

	list_for_each(r, &all->running, link)
		set_ports(r);
}

unsigned captures_count(const struct captures *all)
{
	return (unsigned)list_count(&all->running);
}

void captures_init(struct captures *all)
{
	list_init(&all->running);
}

void captures_fini(struct captures *all)
{
	struct running *r, *next;

	list_for_each_safe(r, next, &all->running, link)
		running_end(r);
}
