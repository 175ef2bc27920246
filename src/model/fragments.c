/* SPDX-License-Identifier: Apache-2.0 */
#include "model/fragments.h"

#include "base/hash.h"
#include "base/hmap.h"
#include "model/schema.h"

static const char head[] = "--- # file: ";

#define HEAD_LEN (sizeof(head) - 1)

void fragments_add(struct str *out, const char *name, const char *text,
		   size_t len)
{
	if (out->len && out->s[out->len - 1] != '\n')
		str_add_char(out, '\n');
	str_addf(out, "%s%s\n", head, name);
	str_add_n(out, text, len);
}

bool fragments_are(const char *text, size_t len)
{
	return len >= HEAD_LEN && !memcmp(text, head, HEAD_LEN);
}

void fragments_names_fini(struct model_strings *names)
{
	for (unsigned i = 0; i < names->n; i++)
		free(names->items[i]);
	free(names->items);
	*names = (struct model_strings){ 0 };
}

/* --- merging -------------------------------------------------------------- */

/* A key that the merged tree has; by number, for items move as they grow. */
struct seen {
	struct hmap_node node;
	const struct yaml_node *map;
	unsigned index;
};

struct merger {
	struct hmap seen;
	struct model_errors *errors;
};

/* What the values of a mapping are. */
enum level { LEVEL_FILE, LEVEL_HOSTS, LEVEL_HOST, LEVEL_NAMES, LEVEL_VALUE };

static bool is_one_of(const char *key, const char *const *words)
{
	for (; *words; words++)
		if (!strcmp(key, *words))
			return true;
	return false;
}

/* Of the value of `key` in a mapping of this level. */
static enum level level_below(enum level l, const char *key)
{
	static const char *const of_file[] = { "networks", "routers", "bridges",
					       "ports", NULL };
	static const char *const of_host[] = { "bridges", "ports", NULL };

	switch (l) {
	case LEVEL_FILE:
		if (!strcmp(key, "hosts"))
			return LEVEL_HOSTS;
		return is_one_of(key, of_file) ? LEVEL_NAMES : LEVEL_VALUE;
	case LEVEL_HOSTS:
		return LEVEL_HOST;
	case LEVEL_HOST:
		return is_one_of(key, of_host) ? LEVEL_NAMES : LEVEL_VALUE;
	case LEVEL_NAMES:
	case LEVEL_VALUE:
		break;
	}
	return LEVEL_VALUE;
}

static uint64_t hash_of(const struct yaml_node *map, const char *key)
{
	return hash_string(key, (uint64_t)(uintptr_t)map);
}

static struct yaml_item *
merger_find(struct merger *m, const struct yaml_node *map, const char *key)
{
	struct seen *s;

	hmap_for_each_same(s, &m->seen, hash_of(map, key), node)
		if (s->map == map &&
		    !strcmp(map->items[s->index].key->text, key))
			return &map->items[s->index];
	return NULL;
}

/* Takes key and value. */
static void merger_put(struct merger *m, struct yaml_node *map,
		       struct yaml_node *key, struct yaml_node *value)
{
	struct seen *s = xzalloc(sizeof(*s));

	s->map = map;
	s->index = map->n;
	yaml_map_take(map, key, value);
	hmap_put(&m->seen, &s->node, hash_of(map, key->text));
}

static void merger_fini(struct merger *m)
{
	struct seen *s;

	hmap_for_each_safe(s, &m->seen, node) {
		hmap_del(&m->seen, &s->node);
		free(s);
	}
	hmap_fini(&m->seen);
}

static void bad_twice(struct merger *m, const struct yaml_node *key,
		      const struct yaml_node *first)
{
	struct err *e = model_errors_next(m->errors);

	if (!e)
		return;
	err_set(e, "\"%s\" is defined twice; first in %s, line %u", key->text,
		first->file, first->line);
	err_place(e, key->file, key->line, key->column);
}

static struct yaml_node *empty_map(const struct yaml_node *like)
{
	struct yaml_node *n = yaml_new(YAML_MAP);

	n->file = like->file;
	n->line = like->line;
	n->column = like->column;
	return n;
}

/* Every fragment may say which format it is of. */
static bool is_same_version(const struct yaml_item *a,
			    const struct yaml_item *b)
{
	return !strcmp(a->key->text, "weft") && a->value->kind == YAML_SCALAR &&
	       b->value->kind == YAML_SCALAR &&
	       !strcmp(a->value->text, b->value->text);
}

static void merge(struct merger *m, struct yaml_node *into,
		  struct yaml_node *from, enum level level);

static void merge_item(struct merger *m, struct yaml_node *into,
		       struct yaml_item *it, enum level level)
{
	struct yaml_item *had = merger_find(m, into, it->key->text);
	enum level below = level_below(level, it->key->text);
	bool is_section =
		below != LEVEL_VALUE &&
		(it->value->kind == YAML_MAP || yaml_is_null(it->value));
	struct yaml_node *section = NULL;

	if (had && level == LEVEL_FILE && is_same_version(had, it))
		return;
	if (had && !(is_section && had->value->kind == YAML_MAP)) {
		bad_twice(m, it->key, had->key);
		return;
	}
	if (had)
		section = had->value;
	else if (is_section)
		section = empty_map(it->value);
	if (!had)
		merger_put(m, into, it->key, section ? section : it->value);
	if (section && it->value->kind == YAML_MAP)
		merge(m, section, it->value, below);
	if (!had) {
		if (section)
			yaml_destroy(it->value);
		*it = (struct yaml_item){ 0 };
	}
}

/* Depth is that of the levels. What is taken is taken out of `from`. */
static void merge(struct merger *m, struct yaml_node *into,
		  struct yaml_node *from, enum level level)
{
	for (unsigned i = 0; i < from->n; i++)
		merge_item(m, into, &from->items[i], level);
}

/* --- parsing -------------------------------------------------------------- */

/* The next head at the beginning of a line, or the end. */
static const char *next_head(const char *at, const char *end)
{
	while (at < end) {
		if (fragments_are(at, (size_t)(end - at)))
			return at;
		at = memchr(at, '\n', (size_t)(end - at));
		if (!at)
			break;
		at++;
	}
	return end;
}

static const char *keep_name(struct model_strings *names, const char *name,
			     size_t len)
{
	names->items =
		xrealloc(names->items, (names->n + 1) * sizeof(*names->items));
	names->items[names->n] = xstrndup(name, len);
	return names->items[names->n++];
}

static struct yaml_node *parse_one(const char *text, size_t len,
				   const char *name, struct model_errors *es)
{
	struct err spare = ERR_INIT, *e = &spare;
	struct yaml_node *n;

	if (es->n < MODEL_MAX_ERRORS)
		e = &es->items[es->n];
	n = yaml_parse(text, len, name, e);
	if (n && n->kind != YAML_MAP && !yaml_is_null(n)) {
		err_set(e, "the file must be a mapping of keys, not %s",
			yaml_kind_name(n->kind));
		err_place(e, name, n->line, n->column);
		yaml_destroy(n);
		n = NULL;
	}
	if (!n)
		model_errors_next(es);
	err_fini(&spare);
	return n;
}

static void too_many(struct model_errors *es)
{
	struct err *e = model_errors_next(es);

	if (e)
		err_set(e, "more than %u files in one folder", FRAGMENTS_MAX);
}

struct yaml_node *fragments_parse(const char *text, size_t len,
				  struct model_strings *names,
				  struct model_errors *es)
{
	struct merger m = { .errors = es };
	struct yaml_node *root = NULL, *one;
	const char *at = text, *end = text + len, *body, *next;

	hmap_init(&m.seen);
	for (; at < end; at = next) {
		const char *name = at + HEAD_LEN;

		body = memchr(name, '\n', (size_t)(end - name));
		body = body ? body : end;
		next = next_head(body, end);
		if (names->n == FRAGMENTS_MAX) {
			too_many(es);
			break;
		}
		name = keep_name(names, name, (size_t)(body - name));
		body += body < end;
		one = parse_one(body, (size_t)(next - body), name, es);
		if (!one)
			continue;
		if (!root) {
			root = empty_map(one);
			root->file = name;
		}
		merge(&m, root, one, LEVEL_FILE);
		yaml_destroy(one);
	}
	merger_fini(&m);
	if (!es->n_total && root)
		return root;
	yaml_destroy(root);
	return NULL;
}
