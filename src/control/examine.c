/* SPDX-License-Identifier: Apache-2.0 */
#include "control/examine.h"

#include <json-c/json.h>

#include "control/internal.h"
#include "doctor/doctor.h"
#include "l2/mac_table.h"
#include "rpc/server.h"
#include "sys/thread.h"

#define ROWS 256u
/* What is older may be long mended. */
#define RECENT_MS 600000u

/* --- what weft knows ------------------------------------------------------- */

static enum subject_kind kind_of(const struct real_port *p)
{
	switch (p->kind) {
	case REAL_TAP:
		return SUBJECT_TAP;
	case REAL_TUN:
		return SUBJECT_TUN;
	case REAL_VETH:
		return SUBJECT_VETH;
	case REAL_NIC:
		return SUBJECT_NIC;
	case REAL_HOST:
		return SUBJECT_HOST;
	case REAL_TUNNEL:
		return SUBJECT_TUNNEL;
	case REAL_PATCH:
		return SUBJECT_PATCH;
	case REAL_DUMMY:
	case REAL_STREAM: /* no device either */
		return SUBJECT_DUMMY;
	}
	return SUBJECT_DUMMY;
}

static void place(struct subject *s, struct subject_port *out,
		  const struct control *c, const struct real_port *p)
{
	uint32_t i = c->view ? model_view_port(c->view, p->name) : VIEW_NONE;
	const struct view_port *v = i == VIEW_NONE ? NULL : &c->view->ports[i];

	if (!v) {
		out->bridge = p->kind == REAL_HOST ? out->name : "";
		return;
	}
	out->network = subject_text(s, v->port->network);
	if (v->bridge != VIEW_NONE)
		out->bridge = subject_text(s, c->view->bridges[v->bridge].name);
	if (p->kind == REAL_VETH)
		out->far = subject_text(s, v->far_device);
	out->mac = v->mac;
}

static void add_port(struct subject *s, const struct control *c,
		     const struct real_port *p)
{
	const struct snap_port *sp =
		snapshot_port(switch_snapshot(c->sw), p->id);
	struct subject_port *out = SUBJECT_ADD(s, ports);
	struct port_counters k;

	port_counters_sum(p->port, &k);
	*out = (struct subject_port){
		.name = subject_text(s, p->name),
		.type = p->port->ops->type,
		.device = subject_text(s, p->port->device),
		.netns = subject_text(s, p->netns),
		.far = "",
		.network = "",
		.bridge = "",
		.missing = p->missing ? subject_text(s, p->missing) : NULL,
		.kind = kind_of(p),
		.attached = p->attached,
		.blocked = sp && sp->blocked,
		.ifindex = p->port->ifindex,
		.mtu = sp ? sp->mtu : UINT32_MAX,
		.rx_packets = k.rx_packets,
		.tx_packets = k.tx_packets,
	};
	memcpy(out->drops, k.drops, sizeof(out->drops));
	place(s, out, c, p);
}

static void add_network(struct subject *s, const struct snap_domain *d,
			const struct model_network *n)
{
	struct subject_network *out = SUBJECT_ADD(s, networks);

	*out = (struct subject_network){
		.name = subject_text(s, d->name),
		.bridge = subject_text(s, d->bridge->name),
		.vni = d->vni,
		.mtu = d->mtu,
		.routed = d->iface != NULL,
	};
	if (n && n->subnets.n) {
		out->subnets = xmemdup(n->subnets.items,
				       n->subnets.n * sizeof(*out->subnets));
		out->n_subnets = n->subnets.n;
	}
}

static void add_stations(struct subject *s, struct control *c,
			 const struct snap_bridge *b)
{
	struct mac_row rows[ROWS];
	uint32_t cursor = 0;
	unsigned n;

	while (s->n_stations < SUBJECT_STATIONS_MAX &&
	       (n = mac_table_list(b->macs, &cursor, rows, ROWS,
				   env_now_ms(c->config.env))))
		for (unsigned i = 0; i < n; i++) {
			const struct snap_port *p = snapshot_port(
				switch_snapshot(c->sw), rows[i].port);
			struct subject_station *st = SUBJECT_ADD(s, stations);

			st->bridge = subject_text(s, b->name);
			st->port = subject_text(s, p ? p->name : NULL);
			st->mac = rows[i].mac;
		}
}

static void add_bridge(struct subject *s, struct control *c,
		       const struct snap_bridge *b)
{
	struct subject_bridge *out = SUBJECT_ADD(s, bridges);
	const struct event *flap = events_last(&c->events, EVENT_FLAP, b->name);
	uint64_t now = env_now_ms(c->config.env);
	struct mac_stats m;

	mac_table_stats(b->macs, &m);
	if (!flap || now - flap->at_ms >= RECENT_MS)
		m.held = 0;
	*out = (struct subject_bridge){ .name = subject_text(s, b->name),
					.macs = m.n,
					.mac_limit = m.limit,
					.held = m.held,
					.evicted = m.evicted };
	add_stations(s, c, b);
}

static void add_router(struct subject *s, const struct snap_router *r)
{
	struct subject_router *out = SUBJECT_ADD(s, routers);

	out->name = subject_text(s, r->name);
	out->mac = r->mac;
	for (size_t i = 0; i < route_table_count(r->routes); i++) {
		const struct route *route = route_table_at(r->routes, i);
		struct subject_via *via;

		if (route->cookie == ROUTE_COOKIE_LOCAL || !route->n_hops ||
		    !route->hops[0].gateway.family)
			continue;
		via = SUBJECT_ADD(s, vias);
		via->router = out->name;
		via->address = route->hops[0].gateway;
	}
}

static void add_peers(struct subject *s, const struct control *c)
{
	for (unsigned i = 0; c->view && i < c->view->n_peers; i++) {
		const struct view_peer *p = &c->view->peers[i];
		struct subject_peer *out = SUBJECT_ADD(s, peers);
		char text[IP_STR_LEN];

		out->name = subject_text(
			s,
			p->name ? p->name : ip_addr_format(&p->address, text));
		out->address = p->address;
		out->udp_port = p->port;
	}
	if (!c->view || !c->view->underlay.address.family)
		return;
	s->underlay = c->view->underlay.address;
	s->udp_port = (uint16_t)c->view->underlay.port;
	s->underlay_mtu = c->view->underlay.mtu;
}

static void add_event(struct subject *s, const struct event *ev, uint64_t now)
{
	struct subject_conflict *conflict;
	struct subject_loop *loop;

	if (ev->kind == EVENT_LOOP && ev->other) {
		loop = SUBJECT_ADD(s, loops);
		loop->port = subject_text(s, ev->object);
		loop->other = subject_text(s, ev->other);
	} else if (ev->kind == EVENT_CONFLICT && now - ev->at_ms < RECENT_MS) {
		for (unsigned i = 0; i < s->n_conflicts; i++)
			if (ip_addr_equal(&s->conflicts[i].address, &ev->ip) &&
			    eth_addr_equal(s->conflicts[i].mac, ev->mac))
				return;
		conflict = SUBJECT_ADD(s, conflicts);
		conflict->network = subject_text(s, ev->object);
		conflict->address = ev->ip;
		conflict->mac = ev->mac;
	}
}

struct old_drops {
	struct subject *s;
	const struct control *c;
	uint64_t now;
};

/* What was noted and is not recent counts no more; what is noted by another
 * thread since then is told by that note. */
static void forget_old(void *ctx, const struct drop_note *n)
{
	const struct old_drops *o = ctx;
	const struct real_port *p = real_by_id(&o->c->real, n->in_port);

	if (!p || n->reason >= N_DROPS)
		return;
	for (unsigned i = 0; i < o->s->n_ports; i++) {
		struct subject_port *sp = &o->s->ports[i];

		if (strcmp(sp->name, p->name))
			continue;
		if (o->now > n->last_ms + RECENT_MS)
			sp->drops_old[n->reason] = true;
		else
			sp->drops_recent[n->reason] = true;
	}
}

static void recent_drops(struct control *c, struct subject *s)
{
	const struct dp_ops *ops = switch_dp_ops(c->sw);
	struct old_drops o = { s, c, env_now_ms(c->config.env) };

	if (!ops->drop_dump)
		return;
	ops->drop_dump(switch_dp(c->sw), forget_old, &o);
	for (unsigned i = 0; i < s->n_ports; i++)
		for (unsigned d = 0; d < N_DROPS; d++)
			if (s->ports[i].drops_old[d] &&
			    !s->ports[i].drops_recent[d])
				s->ports[i].drops[d] = 0;
}

void examine_subject(struct control *c, struct subject *s)
{
	const struct snapshot *sn = switch_snapshot(c->sw);
	const struct event *ev;
	struct real_port *p;

	*s = (struct subject){ 0 };
	if (switch_accel_refusal(c->sw))
		s->no_kernel_cache =
			subject_text(s, switch_accel_refusal(c->sw));
	list_for_each(p, &c->real.ports, link)
		add_port(s, c, p);
	recent_drops(c, s);
	for (unsigned i = 0; i < sn->n_domains; i++)
		if (sn->domains[i])
			add_network(
				s, sn->domains[i],
				model_network(c->model, sn->domains[i]->name));
	for (unsigned i = 0; i < sn->n_bridges; i++)
		if (sn->bridges[i])
			add_bridge(s, c, sn->bridges[i]);
	for (unsigned i = 0; i < sn->n_routers; i++)
		if (sn->routers[i])
			add_router(s, sn->routers[i]);
	add_peers(s, c);
	for (uint64_t i = 0; (ev = events_at(&c->events, i)); i++)
		add_event(s, ev, env_now_ms(c->config.env));
}

/* --- the answer ------------------------------------------------------------ */

static void put_text(struct json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key,
			       text ? json_object_new_string(text) : NULL);
}

static struct json_object *finding_json(const struct doctor_finding *f)
{
	struct json_object *o = json_object_new_object();

	put_text(o, "check", doctor_checks[f->check].id);
	put_text(o, "severity", doctor_severity_name(f->severity));
	put_text(o, "object", f->object);
	put_text(o, "evidence", f->evidence);
	put_text(o, "fix", f->fix);
	return o;
}

static struct json_object *check_json(const struct doctor_report *r, unsigned i)
{
	struct json_object *o = json_object_new_object();
	unsigned n = r->left_out[i];

	for (unsigned k = 0; k < r->n; k++)
		n += r->findings[k].check == i;
	put_text(o, "id", doctor_checks[i].id);
	put_text(o, "looks", doctor_checks[i].looks);
	json_object_object_add(o, "findings", json_object_new_uint64(n));
	json_object_object_add(o, "left_out",
			       json_object_new_uint64(r->left_out[i]));
	return o;
}

static struct json_object *report_json(const struct control *c,
				       const struct doctor_report *r)
{
	struct json_object *o = json_object_new_object();
	struct json_object *checks = json_object_new_array();
	struct json_object *findings = json_object_new_array();

	for (unsigned i = 0; i < doctor_n_checks; i++)
		json_object_array_add(checks, check_json(r, i));
	for (unsigned i = 0; i < r->n; i++)
		json_object_array_add(findings, finding_json(&r->findings[i]));
	put_text(o, "host", c->config.host);
	json_object_object_add(o, "healthy",
			       json_object_new_boolean(!doctor_report_count(
				       r, DOCTOR_WARNING)));
	json_object_object_add(o, "findings", findings);
	json_object_object_add(o, "checks", checks);
	return o;
}

/* --- threads --------------------------------------------------------------- */

struct examination {
	struct list link;
	struct control *control;
	struct rpc_call *call;
	struct thread thread;
	struct loop_call done;
	struct subject subject;
	struct facts_world world;
	struct doctor_report report;
};

void examine_init(struct examinations *x)
{
	list_init(&x->running);
	x->n = 0;
}

/* The thread is at its end, or soon will be. */
static void examination_end(struct examination *e)
{
	struct examinations *x = &e->control->examinations;

	thread_join(&e->thread);
	loop_call_cancel(e->control->config.loop, &e->done);
	rpc_call_result(e->call, report_json(e->control, &e->report));
	doctor_report_fini(&e->report);
	subject_fini(&e->subject);
	list_del(&e->link);
	x->n--;
	free(e);
}

static void on_done(void *arg)
{
	examination_end(arg);
}

static void visit(void *arg)
{
	struct examination *e = arg;

	doctor_run(&e->subject, &e->world, &e->report);
	loop_wake(e->control->config.loop, &e->done);
}

void examine_fini(struct examinations *x)
{
	struct examination *e, *next;

	list_for_each_safe(e, next, &x->running, link)
		examination_end(e);
}

static void refuse(struct rpc_call *call, const char *why)
{
	struct err e = ERR_INIT;

	err_set(&e, "%s", why);
	rpc_call_error(call, &e);
	err_fini(&e);
}

void examine_start(struct control *c, struct rpc_call *call)
{
	struct examination *e;

	if (c->examinations.n == EXAMINE_MAX) {
		refuse(call, "the doctor is with others already; try again in "
			     "some seconds");
		return;
	}
	e = xzalloc(sizeof(*e));
	e->control = c;
	e->call = call;
	e->world.root = "";
	e->world.seed = (uint32_t)env_random(c->config.env);
	examine_subject(c, &e->subject);
	loop_call_init(&e->done, on_done, e);
	if (thread_start(&e->thread, "weft-doctor", THREAD_ANY_CPU, visit, e)) {
		refuse(call, "no thread is left for the doctor");
		subject_fini(&e->subject);
		free(e);
		return;
	}
	list_push_back(&c->examinations.running, &e->link);
	c->examinations.n++;
}
