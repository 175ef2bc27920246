/* SPDX-License-Identifier: Apache-2.0 */
#include "control/explain.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>

#include "flow/compose.h"
#include "rpc/server.h"

/* Enough for the packet, and copies one inside the other. */
#define POOL (2 * ACTS_MAX_DEPTH + 2)

void question_init(struct question *q, struct control *c)
{
	*q = (struct question){ .c = c,
				.s = switch_snapshot(c->sw),
				.pool = packet_pool_create(POOL),
				.flows_max = EXPLAIN_FLOWS };
}

void question_fini(struct question *q)
{
	if (q->packet)
		packet_free(q->packet);
	if (q->pool)
		packet_pool_destroy(q->pool);
	*q = (struct question){ 0 };
}

const char *explain_param(struct json_object *o, const char *key)
{
	struct json_object *v;

	return o && json_object_object_get_ex(o, key, &v) &&
			       json_object_is_type(v, json_type_string) ?
		       json_object_get_string(v) :
		       NULL;
}

/* A packet told in words, made. */
static void compose(struct question *q)
{
	q->packet = packet_alloc(q->pool);
	if (!q->packet || compose_packet(&q->key, q->packet))
		return;
	packet_free(q->packet);
	q->packet = NULL;
}

struct json_object *explain_key(struct control *c, const struct flow_key *key,
				const char *from)
{
	struct json_object *o;
	struct question q;

	question_init(&q, c);
	q.key = *key;
	snprintf(q.from.name, sizeof(q.from.name), "%s", from);
	if (q.pool)
		compose(&q);
	o = explain_answer(&q);
	/* It is not the packet that was seen, only one of its kind. */
	json_object_object_del(o, "bytes");
	question_fini(&q);
	return o;
}

static int read_question(struct question *q, struct json_object *params,
			 struct err *e)
{
	const char *from = explain_param(params, "from");
	const char *to = explain_param(params, "to");
	const char *proto = explain_param(params, "proto");
	const char *packet = explain_param(params, "packet");
	const char *bytes = explain_param(params, "bytes");
	struct json_object *link = NULL;

	if (!q->pool)
		return err_set(e, "no memory is left for a packet");
	json_object_object_get_ex(params, "link", &link);
	if (bytes)
		return explain_bytes(q, bytes, json_object_get_int64(link),
				     from, e);
	if (packet)
		return explain_words(q, packet, from, e);
	if (from && to)
		return explain_pair(q, from, to, proto ? proto : "tcp", e);
	return err_set(e, "say from where and to where: weft explain A -> B");
}

void explain_start(struct control *c, struct rpc_call *call,
		   struct json_object *params)
{
	struct json_object *o = NULL;
	struct err e = ERR_INIT;
	struct question q;

	question_init(&q, c);
	if (read_question(&q, params, &e)) {
		rpc_call_error(call, &e);
		err_fini(&e);
	} else {
		if (!q.packet)
			compose(&q);
		o = explain_answer(&q);
		explain_put_cache(&q, o);
	}
	question_fini(&q);
	if (o)
		explain_far_ask(c, call, o);
}

/* --- the rule behind a verdict --- */

struct rule_seen {
	struct trace trace;
	struct explain_rule *out;
	bool found;
};

static void on_rule(struct trace *t, const struct trace_step *step)
{
	struct rule_seen *seen = container_of(t, struct rule_seen, trace);
	struct explain_rule *to = seen->out;

	if (step->kind != TRACE_RULE)
		return;
	seen->found = true;
	snprintf(to->bridge, sizeof(to->bridge), "%s", step->object);
	snprintf(to->text, sizeof(to->text), "%s", step->text);
	to->line = step->origin.line;
	if (to->line)
		snprintf(to->file, sizeof(to->file), "%s", step->origin.file);
}

bool explain_rule_of(struct control *c, const struct flow_key *key,
		     struct act_list done, struct explain_rule *out)
{
	struct rule_seen seen = { { on_rule }, out, false };
	struct verdict *v = xzalloc(sizeof(*v));
	bool same;

	switch_explain(c->sw, key, v, &seen.trace);
	/* As the datapath says it. */
	if (!v->actions.len)
		acts_drop(&v->actions,
			  v->drop ? (enum drop)v->drop : DROP_NO_RULE);
	same = act_list_equal(done, acts_list(&v->actions));
	free(v);
	return seen.found && same;
}
