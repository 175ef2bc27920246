/* SPDX-License-Identifier: Apache-2.0 */
#include "model/schema.h"

#include <ctype.h>

#include "model/types.h"

void schema_bad(struct schema_reader *r, const struct yaml_node *n,
		const char *fmt, ...)
{
	struct err *e = model_errors_next(r->errors);
	struct str s = STR_INIT;
	va_list ap;

	if (!e)
		return;
	va_start(ap, fmt);
	str_addv(&s, fmt, ap);
	va_end(ap);
	err_set(e, "%s", str_text(&s));
	if (n->line)
		err_place(e, n->file, n->line, n->column);
	str_fini(&s);
}

bool schema_is_name(const char *s)
{
	size_t n = strlen(s);

	if (!n || n > MODEL_NAME_MAX ||
	    !(isalnum((unsigned char)s[0]) || s[0] == '_'))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!isalnum((unsigned char)s[i]) && !strchr("_-.", s[i]))
			return false;
	}
	return true;
}

/* What the kernel takes (dev_valid_name), less what no one can type. */
bool schema_is_device(const char *s)
{
	size_t n = strlen(s);

	if (!n || n > MODEL_DEVICE_MAX || !strcmp(s, ".") || !strcmp(s, ".."))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!isgraph((unsigned char)s[i]) || strchr("/:%", s[i]))
			return false;
	}
	return true;
}

const struct schema_key *schema_find(const struct schema_object *o,
				     const char *name)
{
	for (unsigned i = 0; i < o->n_keys; i++) {
		if (!strcmp(o->keys[i].name, name))
			return &o->keys[i];
	}
	return NULL;
}

void schema_init(const struct schema_object *o, void *obj)
{
	memset(obj, 0, o->size);
	for (unsigned i = 0; i < o->n_keys; i++) {
		const struct schema_key *k = &o->keys[i];

		if (k->type->init)
			k->type->init(k, schema_field(k, obj));
	}
}

void schema_fini(const struct schema_object *o, void *obj)
{
	for (unsigned i = 0; i < o->n_keys; i++) {
		const struct schema_key *k = &o->keys[i];

		if (k->type->fini)
			k->type->fini(k, schema_field(k, obj));
	}
	free(((struct model_object *)obj)->name);
}

void schema_own(const struct schema_object *o, void *obj)
{
	struct model_object *mo = obj;

	mo->name = mo->name ? xstrdup(mo->name) : NULL;
	for (unsigned i = 0; i < o->n_keys; i++) {
		const struct schema_key *k = &o->keys[i];

		if (k->type->copy)
			k->type->copy(k, schema_field(k, obj));
	}
}

void schema_walk(const struct schema_object *o, void *obj, schema_walk_fn *fn,
		 void *arg)
{
	fn(obj, arg);
	for (unsigned i = 0; i < o->n_keys; i++) {
		const struct schema_key *k = &o->keys[i];
		void *field = schema_field(k, obj);
		struct schema_vec *v = field;

		if (k->type == &schema_optional && *(void **)field)
			schema_walk(k->object, *(void **)field, fn, arg);
		if (k->type != &schema_map && k->type != &schema_list)
			continue;
		for (unsigned j = 0; j < v->n; j++)
			schema_walk(k->object,
				    (char *)v->items + j * k->object->size, fn,
				    arg);
	}
}

/* --- reading -------------------------------------------------------------- */

/* What a port of this variant may have; all when that is not known. */
static bool key_applies(const struct schema_object *o,
			const struct schema_key *k, const void *obj)
{
	const unsigned *variant;

	if (!o->variant || !k->only)
		return true;
	variant = schema_field(o->variant, obj);
	return k->only & 1u << *variant;
}

static const char *nearest_key(const struct schema_object *o, const void *obj,
			       const char *word)
{
	const char **names = xcalloc(o->n_keys + 1, sizeof(*names));
	const char *found;
	size_t n = 0;

	for (unsigned i = 0; i < o->n_keys; i++) {
		if (key_applies(o, &o->keys[i], obj))
			names[n++] = o->keys[i].name;
	}
	found = str_nearest(word, names, n);
	free(names);
	return found;
}

static void place_text(const struct schema_reader *r, struct str *out)
{
	if (r->what)
		str_addf(out, " in %s", r->what);
	if (r->what && r->name)
		str_addf(out, " %s", r->name);
}

static void bad_key(struct schema_reader *r, const struct schema_object *o,
		    const void *obj, const struct yaml_node *key)
{
	const char *near = nearest_key(o, obj, key->text);
	struct str in = STR_INIT;

	place_text(r, &in);
	if (near)
		schema_bad(r, key, "unknown key \"%s\"%s; did you mean \"%s\"?",
			   key->text, str_text(&in), near);
	else
		schema_bad(r, key, "unknown key \"%s\"%s", key->text,
			   str_text(&in));
	str_fini(&in);
}

static void bad_variant(struct schema_reader *r, const struct schema_object *o,
			const struct schema_key *k, const void *obj,
			const struct yaml_node *key)
{
	const char *const *words = o->variant->words;
	const unsigned *variant = schema_field(o->variant, obj);
	struct str s = STR_INIT;

	for (unsigned i = 0; words[i]; i++) {
		if (k->only & 1u << i)
			str_addf(&s, "%s%s", s.len ? ", " : "", words[i]);
	}
	schema_bad(r, key, "key \"%s\" is for a %s of type %s, not %s", k->name,
		   o->what, str_text(&s), words[*variant]);
	str_fini(&s);
}

static void read_key(struct schema_reader *r, const struct schema_object *o,
		     const struct yaml_item *it, void *obj)
{
	const struct schema_key *k = schema_find(o, it->key->text);

	r->key = it->key;
	if (!k)
		bad_key(r, o, obj, it->key);
	else if (!key_applies(o, k, obj))
		bad_variant(r, o, k, obj, it->key);
	else if (k != o->variant)
		k->type->parse(r, k, it->value, schema_field(k, obj));
}

static bool check_required(struct schema_reader *r,
			   const struct schema_object *o UNUSED,
			   const struct yaml_node *n,
			   const struct schema_key *k)
{
	struct str in = STR_INIT, want = STR_INIT;

	if (!k->required || yaml_map_find(n, k->name))
		return true;
	place_text(r, &in);
	if (k->words)
		types_words(k, &want);
	else
		str_add(&want, k->type->want ? k->type->want : k->doc);
	schema_bad(r, n, "\"%s\" is missing%s: %s", k->name, str_text(&in),
		   str_text(&want));
	str_fini(&want);
	str_fini(&in);
	return false;
}

/* The variant first: which keys are right depends on it. */
static bool read_variant(struct schema_reader *r, const struct schema_object *o,
			 const struct yaml_node *n, void *obj)
{
	const struct yaml_node *v;
	unsigned before = r->errors->n_total;

	if (!o->variant)
		return true;
	v = yaml_map_find(n, o->variant->name);
	if (!v)
		return check_required(r, o, n, o->variant);
	o->variant->type->parse(r, o->variant, v,
				schema_field(o->variant, obj));
	return r->errors->n_total == before;
}

void schema_read(struct schema_reader *r, const struct schema_object *o,
		 const struct yaml_node *n, void *obj)
{
	struct model_object *mo = obj;

	if (yaml_is_null(n)) {
		/* "blue:" with nothing behind it: all defaults */
		for (unsigned i = 0; i < o->n_keys; i++)
			check_required(r, o, n, &o->keys[i]);
		return;
	}
	if (n->kind != YAML_MAP) {
		schema_bad(r, n, "%s%s%s must be a mapping of keys, not %s",
			   r->what ? r->what : "the file", mo->name ? " " : "",
			   mo->name ? mo->name : "", yaml_kind_name(n->kind));
		return;
	}
	if (!read_variant(r, o, n, obj))
		return;
	for (unsigned i = 0; i < n->n; i++)
		read_key(r, o, &n->items[i], obj);
	for (unsigned i = 0; i < o->n_keys; i++) {
		if (&o->keys[i] != o->variant)
			check_required(r, o, n, &o->keys[i]);
	}
}

/* --- formatting ----------------------------------------------------------- */

static void node_origin(struct yaml_node *n, const struct model_origin *o)
{
	n->file = o->file;
	n->line = o->line;
	n->column = o->column;
	for (unsigned i = 0; i < n->n; i++) {
		if (!n->items[i].value->line)
			node_origin(n->items[i].value, o);
		if (n->items[i].key && !n->items[i].key->line)
			node_origin(n->items[i].key, o);
	}
}

struct yaml_node *schema_format(const struct schema_object *o, const void *obj)
{
	struct yaml_node *n = yaml_new(YAML_MAP);
	const struct model_object *mo = obj;

	for (unsigned i = 0; i < o->n_keys; i++) {
		const struct schema_key *k = &o->keys[i];
		struct yaml_node *v;

		if (!key_applies(o, k, obj))
			continue;
		v = k->type->format(k, schema_field(k, obj));
		if (v)
			yaml_map_put(n, k->name, v);
	}
	node_origin(n, &mo->origin);
	return n;
}

char *schema_format_key(const struct schema_key *k, const void *obj)
{
	struct yaml_node *v = k->type->format(k, schema_field(k, obj));
	struct str s = STR_INIT;

	if (!v)
		return NULL;
	yaml_emit_flow(v, &s);
	yaml_destroy(v);
	return str_take(&s);
}
