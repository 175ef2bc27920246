/* SPDX-License-Identifier: Apache-2.0 */
/* Who drops what: counts of the ports, beside the datapath's notes of which
 * packets those were. */
#include <json-c/json.h>

#include "control/internal.h"
#include "packet/print.h"

struct notes {
	struct drop_note *v;
	unsigned n;
};

static void take_note(void *ctx, const struct drop_note *n)
{
	struct notes *all = ctx;

	all->v = xrealloc(all->v, (all->n + 1) * sizeof(*all->v));
	all->v[all->n++] = *n;
}

/* Several threads may have noted one kind: the first of the firsts, the last of
 * the lasts. */
static const struct drop_note *note_of(const struct notes *all, uint32_t port,
				       uint32_t reason, uint64_t *first_ms)
{
	const struct drop_note *last = NULL;

	for (unsigned i = 0; i < all->n; i++) {
		const struct drop_note *n = &all->v[i];

		if (n->in_port != port || n->reason != reason)
			continue;
		*first_ms = last ? MIN(*first_ms, n->first_ms) : n->first_ms;
		if (!last || n->last_ms > last->last_ms)
			last = n;
	}
	return last;
}

static void put_text(struct json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, json_object_new_string(text));
}

static void put_int(struct json_object *o, const char *key, uint64_t v)
{
	json_object_object_add(o, key, json_object_new_uint64(v));
}

static struct json_object *packet_json(const struct drop_note *n)
{
	struct json_object *o = json_object_new_object();
	char hex[2 * DROP_LOG_BYTES + 1];
	struct str text = STR_INIT;

	packet_format(n->data, n->kept, n->packet_type, &text);
	put_text(o, "text", str_text(&text));
	put_int(o, "len", n->len);
	for (unsigned i = 0; i < n->kept; i++) {
		hex[2 * i] = "0123456789abcdef"[n->data[i] >> 4];
		hex[2 * i + 1] = "0123456789abcdef"[n->data[i] & 15];
	}
	hex[2 * n->kept] = '\0';
	put_text(o, "head", hex);
	str_fini(&text);
	return o;
}

static uint64_t age(uint64_t now, uint64_t then)
{
	return now > then ? now - then : 0;
}

static struct json_object *drop_json(struct control *c, const struct notes *all,
				     const struct real_port *p, enum drop d)
{
	struct json_object *o = json_object_new_object();
	uint64_t now = env_now_ms(c->config.env), first = 0;
	const struct drop_note *n = note_of(all, p->id, d, &first);

	put_text(o, "port", p->name);
	put_text(o, "reason", drop_name(d));
	put_text(o, "why", drop_sentence(d));
	if (!n)
		return o;
	put_int(o, "since_ms", age(now, first));
	put_int(o, "ago_ms", age(now, n->last_ms));
	json_object_object_add(o, "last", packet_json(n));
	return o;
}

static void drops_of(struct control *c, const struct notes *all,
		     const struct real_port *p, struct json_object *a)
{
	struct port_counters k;

	port_counters_sum(p->port, &k);
	for (unsigned d = 1; d < N_DROPS; d++) {
		struct json_object *o;

		if (!k.drops[d])
			continue;
		o = drop_json(c, all, p, (enum drop)d);
		put_int(o, "packets", k.drops[d]);
		json_object_array_add(a, o);
	}
}

struct json_object *show_drops(struct control *c)
{
	const struct dp_ops *ops = switch_dp_ops(c->sw);
	struct json_object *a = json_object_new_array();
	struct notes all = { 0 };
	struct real_port *p;

	if (ops->drop_dump)
		ops->drop_dump(switch_dp(c->sw), take_note, &all);
	list_for_each(p, &c->real.ports, link)
		drops_of(c, &all, p, a);
	free(all.v);
	return a;
}
