/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model.h"

#include "model/check.h"
#include "model/fragments.h"
#include "model/schema.h"
#include "model/types.h"

static int err_cmp(const void *a, const void *b)
{
	const struct err *x = a, *y = b;
	int c = strcmp(x->file ? x->file : "", y->file ? y->file : "");

	if (c)
		return c;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->column < y->column ? -1 : x->column > y->column;
}

struct model *model_create(void)
{
	struct model *m = xmalloc(sizeof(*m));

	schema_init(&schema_model, m);
	schema_init(&schema_host, &m->local);
	m->local.o.name = xstrdup("");
	return m;
}

void model_destroy(struct model *m)
{
	if (!m)
		return;
	schema_fini(&schema_model, m);
	free(m->local.o.name);
	schema_texts.fini(NULL, &m->files);
	free(m);
}

struct model *model_from_tree(const struct yaml_node *root,
			      struct model_errors *es)
{
	struct model *m = model_create();
	struct schema_reader r = { .model = m, .errors = es };

	schema_read(&r, &schema_model, root, m);
	if (!es->n_total)
		model_check(m, root, es);
	if (!es->n_total)
		return m;
	qsort(es->items, es->n, sizeof(es->items[0]), err_cmp);
	model_destroy(m);
	return NULL;
}

struct yaml_node *model_to_tree(const struct model *m)
{
	return schema_format(&schema_model, m);
}

struct model *model_parse(const char *text, size_t len, const char *file,
			  struct model_errors *es)
{
	struct model_strings names = { 0 };
	struct yaml_node *root = NULL;
	struct model *m = NULL;

	if (len > MODEL_MAX_BYTES) {
		struct err *e = model_errors_next(es);

		if (e)
			err_set(e, "%s: %zu bytes; at most %u are read", file,
				len, MODEL_MAX_BYTES);
		return NULL;
	}
	if (fragments_are(text, len)) {
		root = fragments_parse(text, len, &names, es);
	} else if (es->n < MODEL_MAX_ERRORS) {
		root = yaml_parse(text, len, file, &es->items[es->n]);
		if (!root)
			model_errors_next(es);
	}
	if (root)
		m = model_from_tree(root, es);
	yaml_destroy(root);
	fragments_names_fini(&names);
	return m;
}

void model_print(const struct model *m, struct str *out)
{
	struct yaml_node *root = model_to_tree(m);

	yaml_emit(root, out);
	yaml_destroy(root);
}

static void own_origin(struct model_object *o, void *model)
{
	o->origin.file = types_file(model, o->origin.file);
}

struct model *model_copy(const struct model *m)
{
	struct model *c = xmemdup(m, sizeof(*m));

	schema_own(&schema_model, c);
	c->local.o.name = xstrdup("");
	c->files = (struct model_strings){ 0 };
	schema_walk(&schema_model, c, own_origin, c);
	return c;
}

bool model_equal(const struct model *a, const struct model *b)
{
	struct str x = STR_INIT, y = STR_INIT;
	bool equal;

	model_print(a, &x);
	model_print(b, &y);
	equal = !strcmp(str_text(&x), str_text(&y));
	str_fini(&x);
	str_fini(&y);
	return equal;
}

/* --- finding -------------------------------------------------------------- */

static int name_cmp(const void *name, const void *object)
{
	return strcmp(name, ((const struct model_object *)object)->name);
}

/* M2: sorted by name. */
static const void *find(const void *items, unsigned n, size_t size,
			const char *name)
{
	return n && name ? bsearch(name, items, n, size, name_cmp) : NULL;
}

#define FIND(vec, name) find((vec).items, (vec).n, sizeof(*(vec).items), name)

const struct model_network *model_network(const struct model *m,
					  const char *name)
{
	return FIND(m->networks, name);
}

const struct model_router *model_router(const struct model *m, const char *name)
{
	return FIND(m->routers, name);
}

const struct model_interface *
model_router_interface(const struct model_router *r, const char *network)
{
	return FIND(r->networks, network);
}

const struct model_host *model_host(const struct model *m, const char *name)
{
	return FIND(m->hosts, name);
}

const struct model_bridge *model_host_bridge(const struct model_host *h,
					     const char *name)
{
	return FIND(h->bridges, name);
}

const struct model_port *model_host_port(const struct model_host *h,
					 const char *name)
{
	return FIND(h->ports, name);
}

/* --- names and addresses made of names ------------------------------------ */

/* FNV-1a: written here because its result is part of the format. */
static uint64_t fnv1a(uint64_t h, const char *s)
{
	do {
		h = (h ^ (unsigned char)*s) * 0x100000001b3ull;
	} while (*s++);
	return h;
}

struct eth_addr model_mac(const char *kind, const char *name)
{
	uint64_t h = fnv1a(fnv1a(0xcbf29ce484222325ull, kind), name);

	h ^= h >> 40;
	return eth_addr_from_u64(0x020000000000ull | (h & 0xffffffffffull));
}

struct eth_addr model_router_mac(const struct model_router *r)
{
	if (!eth_addr_is_zero(r->mac))
		return r->mac;
	return model_mac("router", r->o.name);
}

const char *model_port_type_name(enum model_port_type t)
{
	must(t < N_MODEL_PORT_TYPES);
	return schema_port.variant->words[t];
}
