/* SPDX-License-Identifier: Apache-2.0 */
#include "model/check.h"

#include <sys/socket.h>

#include "model/schema.h"

/* --- places --------------------------------------------------------------- */

static bool is_there(const struct yaml_node *n, const struct model_origin *o)
{
	return n->line == o->line && n->column == o->column &&
	       (n->file == o->file ||
		(n->file && o->file && !strcmp(n->file, o->file)));
}

/* The value whose key (or which itself) stands where the object does. */
static const struct yaml_node *node_at(const struct yaml_node *n,
				       const struct model_origin *o)
{
	const struct yaml_node *found;

	for (unsigned i = 0; i < n->n; i++) {
		const struct yaml_item *it = &n->items[i];
		const struct yaml_node *at = it->key ? it->key : it->value;

		if (is_there(at, o))
			return it->value;
		found = node_at(it->value, o);
		if (found)
			return found;
	}
	return NULL;
}

static const struct yaml_node *place_node(const struct check *c,
					  struct check_place p)
{
	const struct yaml_node *n = NULL, *v = NULL;

	if (p.o->origin.line)
		n = node_at(c->root, &p.o->origin);
	if (n && p.at)
		v = yaml_map_find(n, p.at);
	if (v && v->kind == YAML_SEQ && p.index < v->n)
		v = v->items[p.index].value;
	return v;
}

void check_bad(struct check *c, struct check_place p, const char *fmt, ...)
{
	struct err *e = model_errors_next(c->errors);
	const struct yaml_node *n;
	struct str s = STR_INIT;
	va_list ap;

	if (!e)
		return;
	va_start(ap, fmt);
	str_addv(&s, fmt, ap);
	va_end(ap);
	err_set(e, "%s", str_text(&s));
	str_fini(&s);
	n = place_node(c, p);
	if (n && n->line)
		err_place(e, n->file, n->line, n->column);
	else if (p.o->origin.line)
		err_place(e, p.o->origin.file, p.o->origin.line,
			  p.o->origin.column);
}

char *check_nearest(const char *word, const void *vec, size_t size)
{
	const struct schema_vec *v = vec;
	const char **names = xcalloc(v->n + 1, sizeof(*names));
	const char *found;

	for (unsigned i = 0; i < v->n; i++) {
		const struct model_object *o =
			(void *)((char *)v->items + i * size);

		names[i] = o->name;
	}
	found = str_nearest(word, names, v->n);
	free(names);
	return found ? xasprintf("; did you mean \"%s\"?", found) : xstrdup("");
}

/* --- claims --------------------------------------------------------------- */

void check_claim(struct check *c, const char *what, struct check_place p,
		 const char *fmt, ...)
{
	struct str s = STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	str_addv(&s, fmt, ap);
	va_end(ap);
	if (c->claims.n == c->cap_claims) {
		c->cap_claims = MAX(64u, c->cap_claims * 2);
		c->claims.items =
			xrealloc(c->claims.items,
				 c->cap_claims * sizeof(*c->claims.items));
	}
	c->claims.items[c->claims.n++] = (struct check_claim){
		.key = str_take(&s), .what = what, .at = p
	};
}

static int claim_cmp(const void *a, const void *b)
{
	const struct check_claim *x = a, *y = b;
	const struct model_origin *p = &x->at.o->origin;
	const struct model_origin *q = &y->at.o->origin;
	int c = strcmp(x->key, y->key);

	if (!c)
		c = strcmp(p->file ? p->file : "", q->file ? q->file : "");
	if (c)
		return c;
	if (p->line != q->line)
		return p->line < q->line ? -1 : 1;
	return p->column < q->column ? -1 : p->column > q->column;
}

static const char *claim_owner(const struct check_claim *k)
{
	if (k->at.owner)
		return k->at.owner;
	return k->at.o->name ? k->at.o->name : "";
}

/* " (line 7)", or " (a.yaml, line 7)" when that is another file. */
static void add_place(struct str *s, const struct model_origin *first,
		      const struct model_origin *second)
{
	if (first->file && second->file && strcmp(first->file, second->file))
		str_addf(s, " too (%s, line %u)", first->file, first->line);
	else
		str_addf(s, " too (line %u)", first->line);
}

static void bad_claim(struct check *c, const struct check_claim *first,
		      const struct check_claim *second)
{
	const char *name = claim_owner(first);
	struct str s = STR_INIT;

	str_addf(&s, "%s is used twice: by %s%s%s", second->key, first->what,
		 *name ? " " : "", name);
	if (first->at.o->origin.line)
		add_place(&s, &first->at.o->origin, &second->at.o->origin);
	else
		str_addf(&s, " and %s %s", second->what, claim_owner(second));
	check_bad(c, second->at, "%s", str_text(&s));
	str_fini(&s);
}

static void claims_check(struct check *c)
{
	struct check_claim *v = c->claims.items;

	if (c->claims.n)
		qsort(v, c->claims.n, sizeof(*v), claim_cmp);
	for (unsigned i = 1; i < c->claims.n; i++) {
		if (!strcmp(v[i].key, v[i - 1].key))
			bad_claim(c, &v[i - 1], &v[i]);
	}
	for (unsigned i = 0; i < c->claims.n; i++)
		free(v[i].key);
	free(v);
}

/* --- what the parts share ------------------------------------------------- */

const struct model_bridge *check_bridge(const struct check *c,
					const struct model_host *h,
					const char *name)
{
	const struct model_bridge *b = model_host_bridge(h, name);

	return b ? b : model_host_bridge(&c->m->local, name);
}

const struct model_router *check_network_router(const struct model *m,
						const char *network)
{
	for (unsigned i = 0; i < m->routers.n; i++) {
		const struct model_router *r = &m->routers.items[i];

		if (model_router_interface(r, network))
			return r;
	}
	return NULL;
}

/* May one machine have it? */
bool check_is_station(const struct ip_addr *a)
{
	uint32_t v;

	if (a->family == AF_INET6)
		return !ip6_addr_is_zero(a->a) &&
		       !ip6_addr_is_multicast(a->a) &&
		       !(a->a.b[15] == 1 && !memcmp(a->a.b,
						    "\0\0\0\0\0\0\0\0"
						    "\0\0\0\0\0\0\0",
						    15));
	v = ip_addr_ip4(a);
	return v >> 24 && v >> 24 != 127 && v >> 28 < 14;
}

void model_check(const struct model *m, const struct yaml_node *root,
		 struct model_errors *es)
{
	struct check c = { .m = m, .root = root, .errors = es };

	check_networks(&c);
	check_routers(&c);
	check_hosts(&c);
	claims_check(&c);
}
