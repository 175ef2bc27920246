/* SPDX-License-Identifier: Apache-2.0 */
#include "model/diff.h"

#include <json-c/json.h>

#include "model/schema.h"

static const char *const kind_names[] = {
	[MODEL_KIND_HOST] = "host",       [MODEL_KIND_BRIDGE] = "bridge",
	[MODEL_KIND_NETWORK] = "network", [MODEL_KIND_ROUTER] = "router",
	[MODEL_KIND_PORT] = "port",
};

static const struct schema_object *const kind_schemas[] = {
	[MODEL_KIND_HOST] = &schema_host,
	[MODEL_KIND_BRIDGE] = &schema_bridge,
	[MODEL_KIND_NETWORK] = &schema_network,
	[MODEL_KIND_ROUTER] = &schema_router,
	[MODEL_KIND_PORT] = &schema_port,
};

const char *model_kind_name(enum model_kind k)
{
	must(k < N_MODEL_KINDS);
	return kind_names[k];
}

/* --- comparing ------------------------------------------------------------ */

/* A host's bridges and ports are objects of their own here. */
static bool key_counts(enum model_kind kind, const struct schema_key *k)
{
	return kind != MODEL_KIND_HOST || k->type != &schema_map;
}

static void add_key(struct model_change *c, const struct schema_key *k,
		    char *from, char *to)
{
	c->keys = xrealloc(c->keys, (c->n_keys + 1) * sizeof(*c->keys));
	c->keys[c->n_keys++] = (struct model_key_change){ k->name, from, to };
}

/* A port that changes its type loses keys and wins others: those of neither
 * side's type are left out by their formatter. */
static bool key_applies(const struct schema_object *o,
			const struct schema_key *k, const void *obj)
{
	const unsigned *variant;

	if (!o->variant || !k->only)
		return true;
	variant = schema_field(o->variant, obj);
	return k->only & 1u << *variant;
}

static char *value_of(const struct schema_object *o, const struct schema_key *k,
		      const void *obj)
{
	if (!obj || !key_applies(o, k, obj))
		return NULL;
	return schema_format_key(k, obj);
}

static void compare_keys(struct model_change *c)
{
	const struct schema_object *o = kind_schemas[c->kind];

	for (unsigned i = 0; i < o->n_keys; i++) {
		const struct schema_key *k = &o->keys[i];
		char *from, *to;

		if (!key_counts(c->kind, k))
			continue;
		from = value_of(o, k, c->before);
		to = value_of(o, k, c->after);
		if (!from && !to)
			continue;
		if (from && to && !strcmp(from, to)) {
			free(from);
			free(to);
			continue;
		}
		add_key(c, k, from, to);
	}
}

static void change_fini(struct model_change *c)
{
	for (unsigned i = 0; i < c->n_keys; i++) {
		free(c->keys[i].from);
		free(c->keys[i].to);
	}
	free(c->keys);
}

/* Two objects of the same name, or one and NULL. */
static void compare(struct model_diff *d, enum model_kind kind,
		    const char *host, const struct model_object *before,
		    const struct model_object *after)
{
	struct model_change c = { .op = MODEL_CHANGE,
				  .kind = kind,
				  .host = host,
				  .before = before,
				  .after = after };

	must(before || after);
	if (before) {
		c.name = before->name;
		c.op = after ? MODEL_CHANGE : MODEL_DEL;
	} else {
		c.name = after->name;
		c.op = MODEL_ADD;
	}
	compare_keys(&c);
	/* a host that is only a place for ports is no change by itself */
	if (!c.n_keys && (c.op == MODEL_CHANGE || kind == MODEL_KIND_HOST)) {
		change_fini(&c);
		return;
	}
	if (!(d->n & (d->n - 1)))
		d->items =
			xrealloc(d->items, (d->n ? d->n * 2 : 1) * sizeof(c));
	d->items[d->n++] = c;
}

/* Both sorted by name. */
static void compare_vecs(struct model_diff *d, enum model_kind kind,
			 const char *host, const void *before,
			 const void *after)
{
	const struct schema_vec *x = before, *y = after;
	size_t size = kind_schemas[kind]->size;
	unsigned i = 0, j = 0;

	while (i < x->n || j < y->n) {
		const struct model_object *a = NULL, *b = NULL;
		int c;

		if (i < x->n)
			a = (void *)((char *)x->items + i * size);
		if (j < y->n)
			b = (void *)((char *)y->items + j * size);
		c = !a ? 1 : !b ? -1 : strcmp(a->name, b->name);
		compare(d, kind, host, c <= 0 ? a : NULL, c >= 0 ? b : NULL);
		i += c <= 0;
		j += c >= 0;
	}
}

static void compare_hosts(struct model_diff *d, const struct model_host *a,
			  const struct model_host *b)
{
	static const struct schema_vec none;
	const char *name = a ? a->o.name : b->o.name;

	compare(d, MODEL_KIND_HOST, name, a ? &a->o : NULL, b ? &b->o : NULL);
	compare_vecs(d, MODEL_KIND_BRIDGE, name,
		     a ? (const void *)&a->bridges : &none,
		     b ? (const void *)&b->bridges : &none);
	compare_vecs(d, MODEL_KIND_PORT, name,
		     a ? (const void *)&a->ports : &none,
		     b ? (const void *)&b->ports : &none);
}

static void compare_all_hosts(struct model_diff *d, const struct model *a,
			      const struct model *b)
{
	compare_hosts(d, &a->local, &b->local);
	for (unsigned i = 0; i < a->hosts.n; i++)
		compare_hosts(d, &a->hosts.items[i],
			      model_host(b, a->hosts.items[i].o.name));
	for (unsigned i = 0; i < b->hosts.n; i++) {
		if (!model_host(a, b->hosts.items[i].o.name))
			compare_hosts(d, NULL, &b->hosts.items[i]);
	}
}

/* Deletions first, from the ports inwards; then the rest, outwards. */
static int change_rank(const struct model_change *c)
{
	int kind = (int)c->kind;

	return c->op == MODEL_DEL ? -kind - 1 : kind;
}

static int change_cmp(const void *a, const void *b)
{
	const struct model_change *x = a, *y = b;
	int c = change_rank(x) - change_rank(y);

	if (c)
		return c;
	c = strcmp(x->host ? x->host : "", y->host ? y->host : "");
	return c ? c : strcmp(x->name, y->name);
}

void model_diff_init(struct model_diff *d, const struct model *before,
		     const struct model *after)
{
	*d = (struct model_diff){ 0 };
	compare_vecs(d, MODEL_KIND_NETWORK, NULL, &before->networks,
		     &after->networks);
	compare_vecs(d, MODEL_KIND_ROUTER, NULL, &before->routers,
		     &after->routers);
	compare_all_hosts(d, before, after);
	if (d->n)
		qsort(d->items, d->n, sizeof(*d->items), change_cmp);
}

void model_diff_fini(struct model_diff *d)
{
	for (unsigned i = 0; i < d->n; i++)
		change_fini(&d->items[i]);
	free(d->items);
	*d = (struct model_diff){ 0 };
}

/* --- telling -------------------------------------------------------------- */

static const struct {
	const char *sign, *word, *colour;
} ops[] = {
	[MODEL_ADD] = { "+", "add", "\033[32m" },
	[MODEL_DEL] = { "-", "del", "\033[31m" },
	[MODEL_CHANGE] = { "~", "change", "\033[33m" },
};

static void format_keys(const struct model_change *c, struct str *out)
{
	for (unsigned i = 0; i < c->n_keys; i++) {
		const struct model_key_change *k = &c->keys[i];

		str_add(out, i ? ", " : ": ");
		if (c->op == MODEL_ADD)
			str_addf(out, "%s %s", k->key, k->to);
		else
			str_addf(out, "%s %s -> %s", k->key,
				 k->from ? k->from : "default",
				 k->to ? k->to : "default");
	}
}

void model_diff_format(const struct model_diff *d, bool colour, struct str *out)
{
	for (unsigned i = 0; i < d->n; i++) {
		const struct model_change *c = &d->items[i];

		str_addf(out, "%s%s %s", colour ? ops[c->op].colour : "",
			 ops[c->op].sign, kind_names[c->kind]);
		if (*c->name)
			str_addf(out, " %s", c->name);
		if (c->host && *c->host && c->kind != MODEL_KIND_HOST)
			str_addf(out, " (%s)", c->host);
		if (c->op != MODEL_DEL)
			format_keys(c, out);
		str_addf(out, "%s\n", colour ? "\033[0m" : "");
	}
}

static void put_text(struct json_object *o, const char *key, const char *text)
{
	if (text)
		json_object_object_add(o, key, json_object_new_string(text));
}

static struct json_object *keys_json(const struct model_change *c)
{
	struct json_object *keys = json_object_new_array();

	for (unsigned i = 0; i < c->n_keys; i++) {
		struct json_object *k = json_object_new_object();

		put_text(k, "key", c->keys[i].key);
		put_text(k, "from", c->keys[i].from);
		put_text(k, "to", c->keys[i].to);
		json_object_array_add(keys, k);
	}
	return keys;
}

struct json_object *model_diff_json(const struct model_diff *d)
{
	struct json_object *all = json_object_new_array();

	for (unsigned i = 0; i < d->n; i++) {
		const struct model_change *c = &d->items[i];
		const struct model_object *at = c->after ? c->after : c->before;
		struct json_object *o = json_object_new_object();

		put_text(o, "op", ops[c->op].word);
		put_text(o, "kind", kind_names[c->kind]);
		put_text(o, "name", c->name);
		put_text(o, "host", c->host);
		put_text(o, "file", at->origin.file);
		if (at->origin.line)
			json_object_object_add(
				o, "line",
				json_object_new_int64(at->origin.line));
		json_object_object_add(o, "keys", keys_json(c));
		json_object_array_add(all, o);
	}
	return all;
}
