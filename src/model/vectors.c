/* SPDX-License-Identifier: Apache-2.0 */
/* The types of values with parts: lists, mappings, VLANs, namespaces. */
#include "model/schema.h"

#include <errno.h>
#include <stdio.h>

#include "model/types.h"

static void *vec_add(struct schema_vec *v, size_t size)
{
	/* n is a power of two or zero: it is full */
	if (!(v->n & (v->n - 1)))
		v->items = xrealloc(v->items, (v->n ? v->n * 2 : 1) * size);
	v->n++;
	return memset((char *)v->items + (v->n - 1) * size, 0, size);
}

static void vec_free(const struct schema_key *k UNUSED, void *field)
{
	struct schema_vec *v = field;

	free(v->items);
	*v = (struct schema_vec){ 0 };
}

const char *types_file(struct model *m, const char *file)
{
	struct schema_vec *v = (struct schema_vec *)&m->files;

	if (!file)
		return NULL;
	/* a file or two: newest first finds it at once */
	for (unsigned i = m->files.n; i > 0; i--) {
		if (!strcmp(m->files.items[i - 1], file))
			return m->files.items[i - 1];
	}
	return *(char **)vec_add(v, sizeof(char *)) = xstrdup(file);
}

/* --- lists of values ------------------------------------------------------ */

/* Calls `one` for each value of a list; a single value is a list of one. */
static void each_value(struct schema_reader *r, const struct schema_key *k,
		       const struct yaml_node *n, void *field,
		       bool (*one)(const char *s, struct schema_vec *v))
{
	unsigned count = n->kind == YAML_SEQ ? n->n : 1;

	if (yaml_is_null(n))
		return;
	if (n->kind == YAML_MAP) {
		types_bad(r, k, n, k->type->want);
		return;
	}
	for (unsigned i = 0; i < count; i++) {
		const struct yaml_node *v = n;

		if (n->kind == YAML_SEQ)
			v = n->items[i].value;
		if (v->kind != YAML_SCALAR || yaml_is_null(v) ||
		    !one(v->text, field))
			types_bad(r, k, v, k->type->want);
	}
}

static bool text_one(const char *s, struct schema_vec *v)
{
	if (!*s)
		return false;
	*(char **)vec_add(v, sizeof(char *)) = xstrdup(s);
	return true;
}

static bool addr_one(const char *s, struct schema_vec *v)
{
	struct ip_addr a;

	if (ip_addr_parse(s, &a))
		return false;
	*(struct ip_addr *)vec_add(v, sizeof(a)) = a;
	return true;
}

static bool prefix_one(const char *s, struct schema_vec *v)
{
	struct ip_prefix p;

	if (ip_prefix_parse(s, &p))
		return false;
	*(struct ip_prefix *)vec_add(v, sizeof(p)) = p;
	return true;
}

static void texts_parse(struct schema_reader *r, const struct schema_key *k,
			const struct yaml_node *n, void *field)
{
	struct model_strings *v = field;

	each_value(r, k, n, field, text_one);
	if (!v->n)
		return;
	v->lines = xrealloc(v->lines, v->n * sizeof(*v->lines));
	for (unsigned i = 0; i < v->n; i++)
		v->lines[i] = n->kind == YAML_SEQ && i < n->n ?
				      n->items[i].value->line :
				      n->line;
}

static void addrs_parse(struct schema_reader *r, const struct schema_key *k,
			const struct yaml_node *n, void *field)
{
	each_value(r, k, n, field, addr_one);
}

static void prefixes_parse(struct schema_reader *r, const struct schema_key *k,
			   const struct yaml_node *n, void *field)
{
	each_value(r, k, n, field, prefix_one);
}

static struct yaml_node *texts_format(const struct schema_key *k UNUSED,
				      const void *field)
{
	const struct model_strings *v = field;
	struct yaml_node *n;

	if (!v->n)
		return NULL;
	n = yaml_new(YAML_SEQ);
	for (unsigned i = 0; i < v->n; i++)
		yaml_seq_put(n, yaml_scalar(v->items[i]));
	return n;
}

static struct yaml_node *addrs_format(const struct schema_key *k UNUSED,
				      const void *field)
{
	const struct model_addrs *v = field;
	char text[IP_STR_LEN];
	struct yaml_node *n;

	if (!v->n)
		return NULL;
	n = yaml_new(YAML_SEQ);
	for (unsigned i = 0; i < v->n; i++)
		yaml_seq_put(n,
			     yaml_scalar(ip_addr_format(&v->items[i], text)));
	return n;
}

static struct yaml_node *prefixes_format(const struct schema_key *k UNUSED,
					 const void *field)
{
	const struct model_prefixes *v = field;
	char text[PREFIX_STR_LEN];
	struct yaml_node *n;

	if (!v->n)
		return NULL;
	n = yaml_new(YAML_SEQ);
	for (unsigned i = 0; i < v->n; i++)
		yaml_seq_put(n,
			     yaml_scalar(ip_prefix_format(&v->items[i], text)));
	return n;
}

static void vec_copy(void *field, size_t size)
{
	struct schema_vec *v = field, old = *v;

	*v = (struct schema_vec){ 0 };
	for (unsigned i = 0; i < old.n; i++)
		memcpy(vec_add(v, size), (char *)old.items + i * size, size);
}

static void texts_copy(const struct schema_key *k UNUSED, void *field)
{
	struct model_strings *v = field;

	vec_copy(field, sizeof(char *));
	for (unsigned i = 0; i < v->n; i++)
		v->items[i] = xstrdup(v->items[i]);
	if (v->lines)
		v->lines = xmemdup(v->lines, v->n * sizeof(*v->lines));
}

static void addrs_copy(const struct schema_key *k UNUSED, void *field)
{
	vec_copy(field, sizeof(struct ip_addr));
}

static void prefixes_copy(const struct schema_key *k UNUSED, void *field)
{
	vec_copy(field, sizeof(struct ip_prefix));
}

static void texts_fini(const struct schema_key *k, void *field)
{
	struct model_strings *v = field;

	for (unsigned i = 0; i < v->n; i++)
		free(v->items[i]);
	free(v->lines);
	vec_free(k, field);
}

const struct schema_type schema_texts = {
	.name = "list of texts",
	.want = "a list of texts",
	.parse = texts_parse,
	.format = texts_format,
	.copy = texts_copy,
	.fini = texts_fini,
};

const struct schema_type schema_addrs = {
	.name = "list of addresses",
	.want = "a list of IPv4 or IPv6 addresses",
	.parse = addrs_parse,
	.format = addrs_format,
	.copy = addrs_copy,
	.fini = vec_free,
};

const struct schema_type schema_prefixes = {
	.name = "list of prefixes",
	.want = "a list of addresses with prefix length, as [10.1.0.1/24]",
	.parse = prefixes_parse,
	.format = prefixes_format,
	.copy = prefixes_copy,
	.fini = vec_free,
};

/* --- objects in objects --------------------------------------------------- */

static void child_read(struct schema_reader *r, const struct schema_key *k,
		       const struct yaml_node *n, void *obj)
{
	struct model_object *mo = obj;
	struct schema_reader child = *r;

	child.what = k->object->what;
	child.name = mo->name;
	mo->origin = (struct model_origin){ types_file(r->model, r->key->file),
					    r->key->line, r->key->column };
	schema_read(&child, k->object, n, obj);
}

static int object_cmp(const void *a, const void *b)
{
	const struct model_object *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void map_one(struct schema_reader *r, const struct schema_key *k,
		    const struct yaml_item *it, struct schema_vec *v)
{
	struct model_object *mo;

	if (!schema_is_name(it->key->text)) {
		schema_bad(r, it->key,
			   "\"%s\" cannot be the name of a %s: use letters, "
			   "digits, - _ . and at most %u of them",
			   it->key->text, k->object->what, MODEL_NAME_MAX);
		return;
	}
	mo = vec_add(v, k->object->size);
	schema_init(k->object, mo);
	mo->name = xstrdup(it->key->text);
	r->key = it->key;
	child_read(r, k, it->value, mo);
}

static void map_parse(struct schema_reader *r, const struct schema_key *k,
		      const struct yaml_node *n, void *field)
{
	struct schema_vec *v = field;

	if (yaml_is_null(n))
		return;
	if (n->kind != YAML_MAP) {
		types_bad(r, k, n, k->type->want);
		return;
	}
	for (unsigned i = 0; i < n->n; i++)
		map_one(r, k, &n->items[i], v);
	if (v->n)
		qsort(v->items, v->n, k->object->size, object_cmp);
}

static struct yaml_node *map_format(const struct schema_key *k,
				    const void *field)
{
	const struct schema_vec *v = field;
	struct yaml_node *n;

	if (!v->n)
		return NULL;
	n = yaml_new(YAML_MAP);
	for (unsigned i = 0; i < v->n; i++) {
		const struct model_object *mo =
			(void *)((char *)v->items + i * k->object->size);

		yaml_map_put(n, mo->name, schema_format(k->object, mo));
	}
	return n;
}

static void objects_copy(const struct schema_key *k, void *field)
{
	struct schema_vec *v = field;

	vec_copy(field, k->object->size);
	for (unsigned i = 0; i < v->n; i++)
		schema_own(k->object, (char *)v->items + i * k->object->size);
}

static void objects_fini(const struct schema_key *k, void *field)
{
	struct schema_vec *v = field;

	for (unsigned i = 0; i < v->n; i++)
		schema_fini(k->object, (char *)v->items + i * k->object->size);
	vec_free(k, field);
}

const struct schema_type schema_map = {
	.name = "mapping",
	.want = "a mapping of names",
	.parse = map_parse,
	.format = map_format,
	.copy = objects_copy,
	.fini = objects_fini,
};

static void list_parse(struct schema_reader *r, const struct schema_key *k,
		       const struct yaml_node *n, void *field)
{
	if (yaml_is_null(n))
		return;
	if (n->kind != YAML_SEQ) {
		types_bad(r, k, n, k->type->want);
		return;
	}
	for (unsigned i = 0; i < n->n; i++) {
		void *obj = vec_add(field, k->object->size);

		schema_init(k->object, obj);
		r->key = n->items[i].value;
		child_read(r, k, n->items[i].value, obj);
	}
}

static struct yaml_node *list_format(const struct schema_key *k,
				     const void *field)
{
	const struct schema_vec *v = field;
	struct yaml_node *n, *one;

	if (!v->n)
		return NULL;
	n = yaml_new(YAML_SEQ);
	for (unsigned i = 0; i < v->n; i++) {
		one = schema_format(k->object,
				    (char *)v->items + i * k->object->size);
		yaml_seq_put(n, one);
	}
	return n;
}

const struct schema_type schema_list = {
	.name = "list",
	.want = "a list",
	.parse = list_parse,
	.format = list_format,
	.copy = objects_copy,
	.fini = objects_fini,
};

static void inline_parse(struct schema_reader *r, const struct schema_key *k,
			 const struct yaml_node *n, void *field)
{
	child_read(r, k, n, field);
}

static struct yaml_node *inline_format(const struct schema_key *k,
				       const void *field)
{
	struct yaml_node *n = schema_format(k->object, field);

	n->flow = true;
	if (n->n)
		return n;
	yaml_destroy(n);
	return NULL;
}

static void inline_copy(const struct schema_key *k, void *field)
{
	schema_own(k->object, field);
}

static void inline_fini(const struct schema_key *k, void *field)
{
	schema_fini(k->object, field);
}

static void inline_init(const struct schema_key *k, void *field)
{
	schema_init(k->object, field);
}

const struct schema_type schema_inline = {
	.name = "mapping",
	.want = "a mapping of keys",
	.parse = inline_parse,
	.format = inline_format,
	.copy = inline_copy,
	.fini = inline_fini,
	.init = inline_init,
};

static void optional_parse(struct schema_reader *r, const struct schema_key *k,
			   const struct yaml_node *n, void *field)
{
	void *obj = xmalloc(k->object->size);

	schema_init(k->object, obj);
	*(void **)field = obj;
	child_read(r, k, n, obj);
}

static struct yaml_node *optional_format(const struct schema_key *k,
					 const void *field)
{
	const void *obj = *(void *const *)field;

	return obj ? schema_format(k->object, obj) : NULL;
}

static void optional_copy(const struct schema_key *k, void *field)
{
	void **obj = field;

	if (!*obj)
		return;
	*obj = xmemdup(*obj, k->object->size);
	schema_own(k->object, *obj);
}

static void optional_fini(const struct schema_key *k, void *field)
{
	void **obj = field;

	if (*obj)
		schema_fini(k->object, *obj);
	free(*obj);
	*obj = NULL;
}

const struct schema_type schema_optional = {
	.name = "mapping",
	.want = "a mapping of keys",
	.parse = optional_parse,
	.format = optional_format,
	.copy = optional_copy,
	.fini = optional_fini,
};
