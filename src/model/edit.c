/* SPDX-License-Identifier: Apache-2.0 */
#include "model/edit.h"

#include "model/check.h"
#include "model/schema.h"

struct edit_context {
	struct yaml_node *root;
	const struct model *m;
	const char *host;
	struct model_errors *errors;
	const struct model_edit *edit;
};

static int edit_bad(struct edit_context *x, const char *fmt, ...)
	PRINTF_LIKE(2, 3);

static int edit_bad(struct edit_context *x, const char *fmt, ...)
{
	struct err *e = model_errors_next(x->errors);
	struct str s = STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	str_addv(&s, fmt, ap);
	va_end(ap);
	if (e)
		err_set(e, "%s", str_text(&s));
	str_fini(&s);
	return -1;
}

/* "port vm1" of {"ports", "vm1", ...} */
static char *object_text(const struct model_edit *e)
{
	size_t n = strlen(e->path[0]);

	if (n && e->path[0][n - 1] == 's')
		n--;
	return xasprintf("%.*s %s", (int)n, e->path[0],
			 e->depth > 1 ? e->path[1] : "");
}

/* Ports and bridges may stand at the file's top or under the host: where this
 * one stands already, else where the host has its own. */
static struct yaml_node *start_of(struct edit_context *x)
{
	const char *first = x->edit->path[0];
	struct yaml_node *hosts, *host, *top;

	if (strcmp(first, "ports") && strcmp(first, "bridges"))
		return x->root;
	top = yaml_map_find(x->root, first);
	if (top && x->edit->depth > 1 && yaml_map_find(top, x->edit->path[1]))
		return x->root;
	hosts = yaml_map_find(x->root, "hosts");
	host = hosts ? yaml_map_find(hosts, x->host) : NULL;
	return host ? host : x->root;
}

static struct yaml_node *child(struct yaml_node *n, const char *key, bool make)
{
	struct yaml_node *c = yaml_map_find(n, key);

	if (c && yaml_is_null(c)) {
		yaml_map_del(n, key);
		c = NULL;
		make = true;
	}
	if (c || !make || n->kind != YAML_MAP)
		return c;
	c = yaml_new(YAML_MAP);
	yaml_map_put(n, key, c);
	return c;
}

/* What comes by a command stands in no file. */
static void forget_place(struct yaml_node *n)
{
	n->line = n->column = 0;
	for (unsigned i = 0; i < n->n; i++) {
		if (n->items[i].key)
			forget_place(n->items[i].key);
		forget_place(n->items[i].value);
	}
}

static struct yaml_node *value_node(struct edit_context *x)
{
	const char *text = x->edit->value;
	struct err e = ERR_INIT;
	struct yaml_node *n;

	if (!text)
		return yaml_new(YAML_MAP);
	n = yaml_parse(text, strlen(text), NULL, &e);
	if (!n)
		edit_bad(x, "%s: \"%s\" is %s",
			 x->edit->path[x->edit->depth - 1], text, e.text);
	else
		forget_place(n);
	err_fini(&e);
	return n;
}

/* The object must be new for add, and there for set and del. */
static int check_object(struct edit_context *x, struct yaml_node *start)
{
	const struct model_edit *e = x->edit;
	struct yaml_node *kind = yaml_map_find(start, e->path[0]);
	bool there = kind && e->depth > 1 && yaml_map_find(kind, e->path[1]);
	char *what;

	if (e->depth < 2)
		return edit_bad(x, "an edit names an object, as ports vm1");
	if (there == (e->op != MODEL_EDIT_ADD) ||
	    (e->op == MODEL_EDIT_ADD && e->depth > 2))
		return 0;
	what = object_text(e);
	if (there)
		edit_bad(x, "%s is there already; \"set\" changes it", what);
	else
		edit_bad(x, "there is no %s; weft show %s lists them", what,
			 e->path[0]);
	free(what);
	return -1;
}

static int apply_one(struct edit_context *x)
{
	const struct model_edit *e = x->edit;
	struct yaml_node *start = start_of(x), *n = start, *v;
	const char *last = e->path[e->depth - 1];

	if (check_object(x, start))
		return -1;
	for (unsigned i = 0; i + 1 < e->depth && n; i++)
		n = child(n, e->path[i], e->op != MODEL_EDIT_DEL);
	if (!n || n->kind != YAML_MAP ||
	    (e->op == MODEL_EDIT_DEL && !yaml_map_find(n, last)))
		return e->op == MODEL_EDIT_DEL && n ?
			       0 /* a key that has its default already */
			       :
			       edit_bad(x, "%s holds no keys", last);
	if (e->op == MODEL_EDIT_DEL) {
		yaml_map_del(n, last);
		return 0;
	}
	v = value_node(x);
	if (!v)
		return -1;
	yaml_map_del(n, last);
	yaml_map_put(n, last, v);
	return 0;
}

struct model *model_edit(const struct model *m, const char *host,
			 const struct model_edit *edits, unsigned n,
			 struct model_errors *es)
{
	struct edit_context x = {
		.root = model_to_tree(m), .m = m, .host = host, .errors = es
	};
	struct model *out = NULL;
	int rc = 0;

	for (unsigned i = 0; i < n && !rc; i++) {
		must(edits[i].depth && edits[i].depth <= MODEL_EDIT_MAX_DEPTH);
		x.edit = &edits[i];
		rc = apply_one(&x);
	}
	if (!rc)
		out = model_from_tree(x.root, es);
	yaml_destroy(x.root);
	return out;
}
