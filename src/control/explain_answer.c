/* SPDX-License-Identifier: Apache-2.0 */
/* The answer: the steps of translation, and what its actions make of the packet. */
#include <json-c/json.h>

#include "control/advice.h"
#include "control/explain.h"
#include "flow/extract.h"
#include "flow/interp.h"
#include "flow/match.h"
#include "packet/offload.h"

#define OUTPUTS_MAX 1024u /* told of; more are counted */
/* Of changed packets, all together: beyond it they are told without bytes. */
#define BYTES_MAX (256u << 10)

/* --- the steps --- */

struct telling {
	struct trace trace;
	struct json_object *steps;
};

static void put_text(struct json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key,
			       text ? json_object_new_string(text) : NULL);
}

static void put_number(struct json_object *o, const char *key, uint64_t n)
{
	json_object_object_add(o, key, json_object_new_uint64(n));
}

static void on_step(struct trace *t, const struct trace_step *step)
{
	struct telling *tell = container_of(t, struct telling, trace);
	struct json_object *o = json_object_new_object();

	put_text(o, "kind", trace_kind_name(step->kind));
	json_object_object_add(o, "hop", json_object_new_int((int)step->depth));
	put_text(o, "object", step->object);
	put_text(o, "text", step->text);
	if (step->origin.line) {
		put_text(o, "file", step->origin.file);
		json_object_object_add(
			o, "line", json_object_new_int((int)step->origin.line));
	}
	json_object_array_add(tell->steps, o);
}

/* --- what is done to the packet --- */

struct running {
	struct question *q;
	struct json_object *outputs, *punts, *drops;
	uint64_t left_out; /* outputs */
	uint32_t bytes;    /* told so far */
};

static void put_key(struct json_object *o, const struct flow_key *key)
{
	struct str text = STR_INIT;

	key_format(key, &text);
	put_text(o, "packet", str_text(&text));
	str_fini(&text);
}

static void put_bytes(struct json_object *o, const struct packet *p)
{
	static const char digits[] = "0123456789abcdef";
	struct str hex = STR_INIT;

	for (uint32_t i = 0; i < p->len; i++) {
		str_add_char(&hex, digits[p->data[i] >> 4]);
		str_add_char(&hex, digits[p->data[i] & 15]);
	}
	put_text(o, "bytes", str_text(&hex));
	str_fini(&hex);
}

/* Told by another field, or by where the packet leaves. */
static bool is_told(enum field_id id)
{
	switch (id) {
	case FIELD_IN_PORT:
	case FIELD_PACKET_TYPE:
	case FIELD_VLAN_TCI:
	case FIELD_IP_TOS:
		return true;
	default:
		return id >= FIELD_TUN_ID;
	}
}

static char *field_text(const struct field *f, const struct flow_key *k)
{
	struct field_value v = field_read(f, k), ones = field_all_ones(f);
	struct str text = STR_INIT;

	if (!field_prereq_met(f, k))
		return NULL;
	field_format(f, &v, &ones, &text);
	return str_take(&text);
}

/* [{"field", "from", "to"}]: what the actions changed, in the words of
 * --packet. */
static struct json_object *changes_of(const struct flow_key *a,
				      const struct flow_key *b)
{
	struct json_object *list = json_object_new_array();

	for (unsigned i = 0; i < N_FIELDS; i++) {
		const struct field *f = field_get(i);
		char *from, *to;
		struct json_object *o;

		if (is_told(i))
			continue;
		from = field_text(f, a);
		to = field_text(f, b);
		if ((from || to) && (!from || !to || strcmp(from, to))) {
			o = json_object_new_object();
			put_text(o, "field", f->name);
			put_text(o, "from", from);
			put_text(o, "to", to);
			json_object_array_add(list, o);
		}
		free(from);
		free(to);
	}
	return list;
}

/* As it came: nothing is said of it. */
static bool is_same(const struct packet *a, const struct packet *b)
{
	return a->packet_type == b->packet_type && a->len == b->len &&
	       !memcmp(a->data, b->data, a->len);
}

static void put_changed(struct running *r, struct json_object *o,
			struct packet *p)
{
	struct flow_key key;

	if (is_same(p, r->q->packet))
		return;
	flow_key_init(&key);
	p->flags &= ~(uint32_t)PACKET_TUNNEL;
	if (flow_extract(p, &key) != DROP_NONE)
		return;
	put_key(o, &key);
	json_object_object_add(o, "changes", changes_of(&r->q->key, &key));
	if (p->len > BYTES_MAX - r->bytes)
		return;
	r->bytes += p->len;
	put_bytes(o, p);
}

static void put_drop_row(struct running *r, enum drop why, const char *port)
{
	struct json_object *o = json_object_new_object();

	put_text(o, "reason", drop_name(why));
	put_text(o, "port", port);
	json_object_array_add(r->drops, o);
}

static const char *in_name(const struct running *r)
{
	const struct real_port *p =
		real_by_id(&r->q->c->real, r->q->key.in_port);

	return p ? p->name : "";
}

static const char *peer_name(const struct running *r, const struct ip_addr *a)
{
	const struct snap_port *p = snapshot_peer(r->q->s, a);

	return p ? p->name : "";
}

/* What the datapath and the port would refuse; false: it leaves. */
static bool refused(struct running *r, struct packet *p,
		    const struct real_port *out)
{
	if (!out || !out->attached) {
		put_drop_row(r, DROP_NO_PORT, in_name(r));
		return true;
	}
	if (packet_tx_need(p, out->port->caps, port_mtu(out->port)) ==
	    TX_TOO_BIG) {
		put_drop_row(r, DROP_TOO_BIG, in_name(r));
		return true;
	}
	if (port_get_state(out->port) == PORT_UP)
		return false;
	put_drop_row(r, DROP_PORT_DOWN, out->name);
	return true;
}

static void sink_output(void *ctx, struct packet *p, uint32_t port)
{
	struct running *r = ctx;
	const struct real_port *out = real_by_id(&r->q->c->real, port);
	struct json_object *o;

	if (refused(r, p, out)) {
		packet_free(p);
		return;
	}
	if (json_object_array_length(r->outputs) >= OUTPUTS_MAX) {
		r->left_out++;
		packet_free(p);
		return;
	}
	o = json_object_new_object();
	put_text(o, "port", out->name);
	if (out->kind == REAL_TUNNEL && p->flags & PACKET_TUNNEL) {
		put_text(o, "host", peer_name(r, &p->tun.dst));
		put_number(o, "vni", p->tun.id);
	}
	put_changed(r, o, p);
	json_object_array_add(r->outputs, o);
	packet_free(p);
}

static void sink_punt(void *ctx, const struct packet *p UNUSED,
		      const struct act_punt *a)
{
	struct running *r = ctx;

	json_object_array_add(r->punts, json_object_new_string(punt_reason_name(
						(enum punt_reason)a->reason)));
}

/* Whether it is one too many is known when it comes. */
static bool sink_meter(void *ctx UNUSED, uint32_t id UNUSED,
		       const struct packet *p UNUSED)
{
	return true;
}

static void sink_drop(void *ctx, const struct packet *p UNUSED, enum drop why)
{
	struct running *r = ctx;

	put_drop_row(r, why, in_name(r));
}

/* Samples are not told of. */
static uint32_t sink_random(void *ctx UNUSED)
{
	return UINT32_MAX;
}

static const struct interp_ops sinks = {
	.output = sink_output,
	.punt = sink_punt,
	.meter = sink_meter,
	.drop = sink_drop,
	.random = sink_random,
};

static void run_packet(struct question *q, struct verdict *v,
		       struct json_object *o)
{
	struct running r = { .q = q,
			     .outputs = json_object_new_array(),
			     .punts = json_object_new_array(),
			     .drops = json_object_new_array() };
	struct interp in = { &sinks, &r, q->pool };
	struct packet *p = packet_clone(q->packet, q->pool);

	put_bytes(o, q->packet);
	json_object_object_add(o, "outputs", r.outputs);
	json_object_object_add(o, "punts", r.punts);
	json_object_object_add(o, "drops", r.drops);
	/* As the datapath has it. */
	if (!v->actions.len)
		acts_drop(&v->actions,
			  v->drop ? (enum drop)v->drop : DROP_NO_RULE);
	if (p)
		interp_run(&in, p, acts_list(&v->actions));
	if (r.left_out)
		put_number(o, "outputs_left_out", r.left_out);
}

/* --- the end --- */

static const char *port_name(void *ctx, uint32_t port)
{
	const struct snap_port *p = snapshot_port(ctx, port);

	return p ? p->name : NULL;
}

/* Refused by what comes behind translation, and nowhere else to go. */
static enum drop drop_of_run(struct json_object *o)
{
	struct json_object *drops, *row;

	if (!json_object_object_get_ex(o, "drops", &drops) ||
	    !json_object_array_length(drops) ||
	    json_object_array_length(json_object_object_get(o, "outputs")))
		return DROP_NONE;
	row = json_object_array_get_idx(drops, 0);
	for (unsigned d = 0; d < N_DROPS; d++)
		if (!strcmp(drop_name((enum drop)d),
			    explain_param(row, "reason")))
			return (enum drop)d;
	return DROP_NONE;
}

/* A list that only drops is a drop. */
static void say_drop(struct verdict *v)
{
	struct act_list list = acts_list(&v->actions);
	const struct act_u32 *drop = (const void *)list.first;

	if (!v->drop && list.len && list.first->op == ACT_DROP)
		v->drop = (uint16_t)drop->value;
}

/* --- which cache holds it --- */

struct cache_look {
	const struct flow_key *key;
	unsigned n;
	const char *where; /* NULL: nowhere */
	uint64_t packets;
};

static void look_at_flow(void *ctx, const struct dp_flow *f)
{
	struct cache_look *l = ctx;

	l->n++;
	if (!f->fresh || !key_equal_under(l->key, f->key, f->mask))
		return;
	l->where = f->in_kernel ? "kernel" : "worker";
	l->packets = f->packets;
}

/* Not said when there are more flows than may be looked through. */
void explain_put_cache(struct question *q, struct json_object *o)
{
	struct cache_look l = { .key = &q->key };

	switch_dp_ops(q->c->sw)->flow_dump(switch_dp(q->c->sw), q->flows_max,
					   look_at_flow, &l);
	if (!l.where && l.n == q->flows_max)
		return;
	put_text(o, "cache", l.where);
	if (l.where)
		json_object_object_add(o, "cached_packets",
				       json_object_new_uint64(l.packets));
}

static void put_drop(struct json_object *o, enum drop d)
{
	put_text(o, "drop", d ? drop_name(d) : NULL);
	put_text(o, "why", d ? drop_sentence(d) : NULL);
	if (d)
		put_text(o, "advice", advice_of_drop(d));
}

static void put_run(struct question *q, struct verdict *v,
		    struct json_object *o)
{
	if (!q->packet)
		return;
	run_packet(q, v, o);
	if (!v->drop)
		v->drop = (uint16_t)drop_of_run(o);
}

struct json_object *explain_answer(struct question *q)
{
	struct telling tell = { { on_step }, json_object_new_array() };
	struct act_names names = {
		.port_name = port_name,
		.ctx = (void *)(uintptr_t)q->s,
	};
	struct json_object *o = json_object_new_object();
	struct verdict *v = xzalloc(sizeof(*v));
	struct str text = STR_INIT;

	put_key(o, &q->key);
	switch_explain(q->c->sw, &q->key, v, &tell.trace);
	acts_format(acts_list(&v->actions), &names, &text);
	say_drop(v);
	put_text(o, "from", q->from.name);
	put_text(o, "to", q->to.name);
	json_object_object_add(o, "steps", tell.steps);
	put_text(o, "actions", str_text(&text));
	put_run(q, v, o);
	put_drop(o, (enum drop)v->drop);
	str_fini(&text);
	free(v);
	return o;
}
