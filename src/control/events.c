/* SPDX-License-Identifier: Apache-2.0 */
#include "control/events.h"

#include <json-c/json.h>

#include "rpc/server.h"

static const char *const names[N_EVENT_KINDS] = {
	[EVENT_PORT] = "port",         [EVENT_STATION] = "station",
	[EVENT_FLAP] = "flap",         [EVENT_NEIGHBOUR] = "neighbour",
	[EVENT_CONFLICT] = "conflict", [EVENT_LOOP] = "loop",
	[EVENT_APPLY] = "apply",
};

static void event_fini(struct event *ev)
{
	free(ev->object);
	free(ev->other);
	free(ev->text);
}

void events_init(struct events *e, struct env *env)
{
	*e = (struct events){ .env = env };
	e->ring = xcalloc(EVENTS_KEPT, sizeof(*e->ring));
}

/* Who went away is answered into nothing, so that its call is freed. */
static void drop_abandoned(struct events *e)
{
	unsigned n = 0;

	for (unsigned i = 0; i < e->n_followers; i++)
		if (rpc_call_is_abandoned(e->followers[i]))
			rpc_call_result(e->followers[i],
					json_object_new_object());
		else
			e->followers[n++] = e->followers[i];
	e->n_followers = n;
}

void events_fini(struct events *e)
{
	for (unsigned i = 0; i < e->n_followers; i++)
		rpc_call_result(e->followers[i], json_object_new_object());
	for (unsigned i = 0; e->ring && i < EVENTS_KEPT; i++)
		event_fini(&e->ring[i]);
	free(e->ring);
	*e = (struct events){ 0 };
}

/* False: too many of its kind in this second. */
static bool may_tell(struct events *e, const struct event *ev, uint64_t *more)
{
	uint64_t second = env_now_ms(e->env) / 1000;

	if (e->rate[ev->kind].second != second) {
		e->rate[ev->kind].second = second;
		e->rate[ev->kind].n = 0;
	}
	if (e->rate[ev->kind].n++ >= EVENTS_RATE) {
		e->rate[ev->kind].left_out += 1 + ev->more;
		return false;
	}
	*more = ev->more + e->rate[ev->kind].left_out;
	e->rate[ev->kind].left_out = 0;
	return true;
}

void events_add(struct events *e, const struct event *ev)
{
	struct event *slot = &e->ring[e->n % EVENTS_KEPT], copy = *ev;

	if (!may_tell(e, ev, &copy.more)) {
		event_fini(&copy);
		return;
	}
	event_fini(slot);
	*slot = copy;
	slot->seq = ++e->n;
	slot->at_ms = env_now_ms(e->env);
	slot->wall_s = e->env->wall_s(e->env);
	drop_abandoned(e);
	for (unsigned i = 0; i < e->n_followers; i++)
		rpc_call_progress(e->followers[i], event_json(slot));
}

/* --- in words -------------------------------------------------------------- */

void events_loop(struct events *e, const char *port, const char *other,
		 bool blocked)
{
	events_add(e,
		   &(struct event){
			   .kind = EVENT_LOOP,
			   .object = xstrdup(port),
			   .other = xstrdup(other),
			   .text = blocked ? xasprintf("blocked: it brings "
						       "back what left by %s",
						       other) :
					     xstrdup("the loop is gone: open "
						     "again") });
}

void events_conflict(struct events *e, const char *network,
		     const struct ip_addr *ip, struct eth_addr mac)
{
	char a[IP_STR_LEN], m[ETH_STR_LEN];

	events_add(e,
		   &(struct event){ .kind = EVENT_CONFLICT,
				    .object = xstrdup(network),
				    .text = xasprintf("%s claims the router's "
						      "address %s",
						      eth_addr_format(mac, m),
						      ip_addr_format(ip, a)),
				    .ip = *ip,
				    .mac = mac });
}

void events_port(struct events *e, const char *port, const char *what)
{
	events_add(e, &(struct event){ .kind = EVENT_PORT,
				       .object = xstrdup(port),
				       .text = xstrdup(what) });
}

void events_apply(struct events *e, const char *who, const char *what)
{
	events_add(e, &(struct event){ .kind = EVENT_APPLY,
				       .object = xstrdup(who),
				       .text = xstrdup(what) });
}

void events_move(struct events *e, const struct event_move *m)
{
	struct event ev = { .kind = m->other ? EVENT_FLAP : EVENT_STATION,
			    .object = xstrdup(m->bridge),
			    .other = xstrdup(m->port),
			    .mac = m->mac,
			    .more = m->lost };
	char mac[ETH_STR_LEN];

	eth_addr_format(m->mac, mac);
	if (m->other)
		ev.text = xasprintf("%s jumps between %s and %s: a loop, or "
				    "two with one MAC",
				    mac, m->port, m->other);
	else
		ev.text = xasprintf("%s moved to port %s", mac, m->port);
	events_add(e, &ev);
}

void events_neighbour(struct events *e, const char *network,
		      const struct ip_addr *ip, struct eth_addr mac)
{
	char a[IP_STR_LEN], m[ETH_STR_LEN];
	bool there = !eth_addr_is_zero(mac);

	events_add(e,
		   &(struct event){
			   .kind = EVENT_NEIGHBOUR,
			   .object = xstrdup(network),
			   .text = there ? xasprintf("%s is at %s",
						     ip_addr_format(ip, a),
						     eth_addr_format(mac, m)) :
					   xasprintf("%s does not answer",
						     ip_addr_format(ip, a)),
			   .ip = *ip,
			   .mac = mac });
}

const struct event *events_at(const struct events *e, uint64_t i)
{
	if (i >= e->n || i >= EVENTS_KEPT)
		return NULL;
	return &e->ring[(e->n - 1 - i) % EVENTS_KEPT];
}

const struct event *events_last(const struct events *e, enum event_kind kind,
				const char *object)
{
	const struct event *ev;

	for (uint64_t i = 0; (ev = events_at(e, i)); i++)
		if (ev->kind == kind && !strcmp(ev->object, object))
			return ev;
	return NULL;
}

static void put_text(struct json_object *o, const char *key, const char *text)
{
	if (text)
		json_object_object_add(o, key, json_object_new_string(text));
}

struct json_object *event_json(const struct event *ev)
{
	struct json_object *o = json_object_new_object();
	char ip[IP_STR_LEN], mac[ETH_STR_LEN];

	json_object_object_add(o, "seq", json_object_new_uint64(ev->seq));
	json_object_object_add(o, "time_s", json_object_new_uint64(ev->wall_s));
	put_text(o, "kind", names[ev->kind]);
	put_text(o, "object", ev->object);
	put_text(o, "other", ev->other);
	if (ev->ip.family)
		put_text(o, "address", ip_addr_format(&ev->ip, ip));
	if (!eth_addr_is_zero(ev->mac))
		put_text(o, "mac", eth_addr_format(ev->mac, mac));
	put_text(o, "text", ev->text);
	if (ev->more)
		json_object_object_add(o, "more",
				       json_object_new_uint64(ev->more));
	return o;
}

struct json_object *events_json(const struct events *e, uint64_t since)
{
	struct json_object *a = json_object_new_array();
	uint64_t left = MIN(e->n, EVENTS_KEPT);

	for (; left; left--) {
		const struct event *ev = events_at(e, left - 1);

		if (ev->seq > since)
			json_object_array_add(a, event_json(ev));
	}
	return a;
}

void events_follow(struct events *e, struct rpc_call *call, uint64_t since)
{
	uint64_t left = MIN(e->n, EVENTS_KEPT);
	struct err err = ERR_INIT;

	drop_abandoned(e);
	if (e->n_followers == EVENTS_FOLLOWERS_MAX) {
		err_set(&err, "%u others watch already; end one of them",
			EVENTS_FOLLOWERS_MAX);
		rpc_call_error(call, &err);
		err_fini(&err);
		return;
	}
	e->followers[e->n_followers++] = call;
	for (; left; left--)
		if (events_at(e, left - 1)->seq > since)
			rpc_call_progress(call,
					  event_json(events_at(e, left - 1)));
}
