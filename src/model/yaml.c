/* SPDX-License-Identifier: Apache-2.0 */
#include "model/yaml.h"

#include <ctype.h>
#include <errno.h>
#include <libfyaml.h>

#include "base/hash.h"
#include "base/hmap.h"

/* --- nodes ---------------------------------------------------------------- */

struct yaml_node *yaml_new(enum yaml_kind kind)
{
	struct yaml_node *n = xzalloc(sizeof(*n));

	n->kind = kind;
	return n;
}

struct yaml_node *yaml_scalar(const char *text)
{
	struct yaml_node *n = yaml_new(YAML_SCALAR);

	n->text = xstrdup(text);
	n->quoted = true;
	return n;
}

/* Depth is bounded by YAML_MAX_DEPTH. */
void yaml_destroy(struct yaml_node *n)
{
	if (!n)
		return;
	for (unsigned i = 0; i < n->n; i++) {
		yaml_destroy(n->items[i].key);
		yaml_destroy(n->items[i].value);
	}
	free(n->items);
	free(n->text);
	free(n);
}

static void node_put(struct yaml_node *n, struct yaml_node *key,
		     struct yaml_node *value)
{
	if (n->n == n->cap) {
		n->cap = n->cap ? n->cap * 2 : 4;
		n->items = xrealloc(n->items, n->cap * sizeof(*n->items));
	}
	n->items[n->n++] = (struct yaml_item){ key, value };
}

void yaml_map_put(struct yaml_node *map, const char *key,
		  struct yaml_node *value)
{
	struct yaml_node *k = yaml_scalar(key);

	k->file = value->file;
	k->line = value->line;
	k->column = value->column;
	node_put(map, k, value);
}

void yaml_map_take(struct yaml_node *map, struct yaml_node *key,
		   struct yaml_node *value)
{
	node_put(map, key, value);
}

void yaml_seq_put(struct yaml_node *seq, struct yaml_node *value)
{
	node_put(seq, NULL, value);
}

struct yaml_item *yaml_map_item(const struct yaml_node *map, const char *key)
{
	for (unsigned i = 0; map->kind == YAML_MAP && i < map->n; i++) {
		if (!strcmp(map->items[i].key->text, key))
			return &map->items[i];
	}
	return NULL;
}

struct yaml_node *yaml_map_find(const struct yaml_node *map, const char *key)
{
	struct yaml_item *it = yaml_map_item(map, key);

	return it ? it->value : NULL;
}

void yaml_map_del(struct yaml_node *map, const char *key)
{
	struct yaml_item *it = yaml_map_item(map, key);

	if (!it)
		return;
	yaml_destroy(it->key);
	yaml_destroy(it->value);
	map->n--;
	memmove(it, it + 1, (size_t)(&map->items[map->n] - it) * sizeof(*it));
}

bool yaml_is_null(const struct yaml_node *n)
{
	return n->kind == YAML_SCALAR && !n->quoted &&
	       (!*n->text || !strcmp(n->text, "~") || !strcmp(n->text, "null"));
}

const char *yaml_kind_name(enum yaml_kind k)
{
	switch (k) {
	case YAML_SCALAR:
		return "a value";
	case YAML_MAP:
		return "a mapping";
	case YAML_SEQ:
		return "a list";
	}
	return "?";
}

/* --- text -> tree --------------------------------------------------------- */

/* An anchored node, still owned by the tree. */
struct anchor {
	struct hmap_node node;
	char *name;
	const struct yaml_node *target; /* NULL while it is being read */
};

struct reader {
	struct fy_parser *fyp;
	const char *file;
	struct err *err;
	struct hmap anchors;
	unsigned n_nodes;
};

static void reader_place(struct reader *r, const struct fy_mark *m)
{
	err_place(r->err, r->file, m ? (unsigned)m->line + 1 : 0,
		  m ? (unsigned)m->column + 1 : 0);
}

/* NULL, after saying what is wrong at this event. */
static void *reader_fail(struct reader *r, struct fy_event *ev,
			 const char *what)
{
	err_set(r->err, "%s", what);
	reader_place(r, ev ? fy_event_start_mark(ev) : NULL);
	return NULL;
}

static struct yaml_node *reader_new(struct reader *r, enum yaml_kind kind,
				    const struct fy_mark *m)
{
	struct yaml_node *n;

	if (r->n_nodes++ >= YAML_MAX_NODES) {
		err_set(r->err, "the file has more than %u values",
			YAML_MAX_NODES);
		reader_place(r, m);
		return NULL;
	}
	n = yaml_new(kind);
	n->file = r->file;
	n->line = m ? (unsigned)m->line + 1 : 0;
	n->column = m ? (unsigned)m->column + 1 : 0;
	return n;
}

static struct anchor *anchor_find(struct reader *r, const char *name,
				  size_t len)
{
	struct anchor *a;

	hmap_for_each_same(a, &r->anchors, hash_bytes(name, len, 0), node)
		if (strlen(a->name) == len && !memcmp(a->name, name, len))
			return a;
	return NULL;
}

/* A later anchor of the same name replaces the earlier (YAML 1.2.2 3.2.2.2). */
static struct anchor *anchor_open(struct reader *r, struct fy_event *ev)
{
	struct fy_token *t = fy_event_get_anchor_token(ev);
	struct anchor *a;
	const char *name;
	size_t len;

	if (!t)
		return NULL;
	name = fy_token_get_text(t, &len);
	a = anchor_find(r, name, len);
	if (!a) {
		a = xzalloc(sizeof(*a));
		a->name = xstrndup(name, len);
		hmap_put(&r->anchors, &a->node, hash_bytes(name, len, 0));
	}
	a->target = NULL;
	return a;
}

static void anchors_fini(struct reader *r)
{
	struct anchor *a;

	hmap_for_each_safe(a, &r->anchors, node) {
		hmap_del(&r->anchors, &a->node);
		free(a->name);
		free(a);
	}
	hmap_fini(&r->anchors);
}

/* Counts against the limit: this is where an alias bomb ends. */
static struct yaml_node *copy_node(struct reader *r, const struct yaml_node *o,
				   unsigned depth)
{
	struct fy_mark m = { .line = (int)o->line - 1,
			     .column = (int)o->column - 1 };
	struct yaml_node *n = NULL, *k, *v;

	if (depth > YAML_MAX_DEPTH) {
		err_set(r->err, "nested more than %u deep", YAML_MAX_DEPTH);
		reader_place(r, &m);
	} else {
		n = reader_new(r, o->kind, &m);
	}
	if (!n)
		return NULL;
	n->quoted = o->quoted;
	n->text = o->text ? xstrdup(o->text) : NULL;
	for (unsigned i = 0; i < o->n; i++) {
		k = NULL;
		if (o->items[i].key)
			k = copy_node(r, o->items[i].key, depth + 1);
		v = copy_node(r, o->items[i].value, depth + 1);
		if (!v || (o->items[i].key && !k)) {
			yaml_destroy(k);
			yaml_destroy(v);
			yaml_destroy(n);
			return NULL;
		}
		node_put(n, k, v);
	}
	return n;
}

static struct yaml_node *read_alias(struct reader *r, struct fy_event *ev,
				    unsigned depth)
{
	struct fy_token *t = fy_event_get_token(ev);
	struct anchor *a;
	const char *name;
	size_t len;

	name = fy_token_get_text(t, &len);
	a = anchor_find(r, name, len);
	if (!a || !a->target) {
		err_set(r->err, "alias *%.*s names no anchor before it",
			(int)len, name);
		reader_place(r, fy_event_start_mark(ev));
		return NULL;
	}
	return copy_node(r, a->target, depth);
}

static struct yaml_node *read_scalar(struct reader *r, struct fy_event *ev)
{
	struct fy_token *t = fy_event_get_token(ev);
	struct yaml_node *n;
	const char *text = "";
	size_t len = 0;

	n = reader_new(r, YAML_SCALAR, fy_event_start_mark(ev));
	if (!n)
		return NULL;
	if (t) {
		text = fy_token_get_text(t, &len);
		n->quoted = fy_token_scalar_style(t) != FYSS_PLAIN;
		/* the mark stands behind the quote */
		if (fy_token_scalar_style(t) == FYSS_DOUBLE_QUOTED ||
		    fy_token_scalar_style(t) == FYSS_SINGLE_QUOTED)
			n->column--;
	}
	if (text && memchr(text, '\0', len)) {
		err_set(r->err, "a NUL character in a value");
		err_place(r->err, r->file, n->line, n->column);
		yaml_destroy(n);
		return NULL;
	}
	n->text = xstrndup(text ? text : "", len);
	return n;
}

static struct yaml_node *read_node(struct reader *r, struct fy_event *ev,
				   unsigned depth);

static struct fy_event *next_event(struct reader *r)
{
	struct fy_event *ev = fy_parser_parse(r->fyp);

	if (ev && !fy_parser_get_stream_error(r->fyp))
		return ev;
	if (ev)
		fy_parser_event_free(r->fyp, ev);
	if (!err_is_set(r->err))
		err_set(r->err, "not valid YAML");
	return NULL;
}

static int key_cmp(const void *a, const void *b)
{
	const struct yaml_node *x = *(const struct yaml_node *const *)a;
	const struct yaml_node *y = *(const struct yaml_node *const *)b;
	int c = strcmp(x->text, y->text);

	if (c)
		return c;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->column < y->column ? -1 : x->column > y->column;
}

static int check_duplicates(struct reader *r, const struct yaml_node *map)
{
	const struct yaml_node **keys = xcalloc(map->n + 1, sizeof(*keys));
	int rc = 0;

	for (unsigned i = 0; i < map->n; i++)
		keys[i] = map->items[i].key;
	qsort(keys, map->n, sizeof(*keys), key_cmp);
	for (unsigned i = 1; i < map->n && !rc; i++) {
		if (strcmp(keys[i - 1]->text, keys[i]->text))
			continue;
		rc = err_set(r->err, "\"%s\" is here twice; first in line %u",
			     keys[i]->text, keys[i - 1]->line);
		err_place(r->err, r->file, keys[i]->line, keys[i]->column);
	}
	free(keys);
	return rc;
}

static int read_pair(struct reader *r, struct yaml_node *map,
		     struct fy_event *ev, unsigned depth)
{
	struct yaml_node *key, *value = NULL;
	struct fy_event *next;

	key = read_node(r, ev, depth + 1);
	if (key && key->kind != YAML_SCALAR)
		reader_fail(r, ev, "a key must be a plain word");
	if (key && !err_is_set(r->err)) {
		next = next_event(r);
		if (next) {
			value = read_node(r, next, depth + 1);
			fy_parser_event_free(r->fyp, next);
		}
	}
	if (!value) {
		yaml_destroy(key);
		return -EINVAL;
	}
	node_put(map, key, value);
	return 0;
}

/* Up to the end of the mapping or sequence that `n` is. */
static int read_items(struct reader *r, struct yaml_node *n, unsigned depth)
{
	struct yaml_node *value;
	struct fy_event *ev;
	int rc = 0;

	while (!rc && (ev = next_event(r))) {
		enum fy_event_type type = ev->type;

		if (type == FYET_MAPPING_END || type == FYET_SEQUENCE_END) {
			fy_parser_event_free(r->fyp, ev);
			return n->kind == YAML_MAP ? check_duplicates(r, n) : 0;
		}
		if (n->kind == YAML_MAP) {
			rc = read_pair(r, n, ev, depth);
		} else if ((value = read_node(r, ev, depth + 1))) {
			node_put(n, NULL, value);
		} else {
			rc = -EINVAL;
		}
		fy_parser_event_free(r->fyp, ev);
	}
	return -EINVAL;
}

static struct yaml_node *read_node(struct reader *r, struct fy_event *ev,
				   unsigned depth)
{
	struct anchor *a = NULL;
	struct yaml_node *n;

	if (depth > YAML_MAX_DEPTH)
		return reader_fail(r, ev, "nested too deep");
	if (ev->type == FYET_ALIAS)
		return read_alias(r, ev, depth);
	if (fy_event_get_tag_token(ev))
		return reader_fail(r, ev, "tags (!...) are not used here");
	a = anchor_open(r, ev);
	if (ev->type == FYET_SCALAR) {
		n = read_scalar(r, ev);
	} else if (ev->type == FYET_MAPPING_START ||
		   ev->type == FYET_SEQUENCE_START) {
		n = reader_new(
			r, ev->type == FYET_MAPPING_START ? YAML_MAP : YAML_SEQ,
			fy_event_start_mark(ev));
		if (n && read_items(r, n, depth)) {
			yaml_destroy(n);
			n = NULL;
		}
	} else {
		return reader_fail(r, ev, "not valid YAML");
	}
	if (a)
		a->target = n;
	return n;
}

/* What follows the first document must be the end. */
static bool read_end(struct reader *r)
{
	struct fy_event *ev;
	bool end = false;

	while (!end && (ev = next_event(r))) {
		end = ev->type == FYET_STREAM_END;
		if (ev->type == FYET_DOCUMENT_START)
			reader_fail(r, ev,
				    "a second document (---); one is enough");
		fy_parser_event_free(r->fyp, ev);
		if (err_is_set(r->err))
			return false;
	}
	return end;
}

static struct yaml_node *read_stream(struct reader *r)
{
	struct yaml_node *root = NULL;
	struct fy_event *ev;

	while (!root && (ev = next_event(r))) {
		enum fy_event_type type = ev->type;

		if (type == FYET_STREAM_END)
			root = reader_new(r, YAML_MAP, NULL);
		else if (type != FYET_STREAM_START &&
			 type != FYET_DOCUMENT_START)
			root = read_node(r, ev, 0);
		fy_parser_event_free(r->fyp, ev);
		if (type == FYET_STREAM_END || err_is_set(r->err))
			return root;
	}
	if (root && !read_end(r)) {
		yaml_destroy(root);
		return NULL;
	}
	return root;
}

static void take_library_error(struct reader *r, struct fy_diag *diag)
{
	struct fy_diag_error *de;
	struct err own = *r->err;
	void *iter = NULL;

	if (!err_is_set(&own) || own.line)
		return;
	de = fy_diag_errors_iterate(diag, &iter);
	if (!de)
		return;
	*r->err = (struct err)ERR_INIT;
	err_set(r->err, "not valid YAML: %s", de->msg);
	err_place(r->err, r->file, de->line > 0 ? (unsigned)de->line : 1,
		  de->column > 0 ? (unsigned)de->column : 1);
	err_fini(&own);
}

static void discard(struct fy_diag *diag UNUSED, void *user UNUSED,
		    const char *buf UNUSED, size_t len UNUSED)
{
}

struct yaml_node *yaml_parse(const char *text, size_t len, const char *file,
			     struct err *e)
{
	struct fy_diag_cfg dcfg = { .output_fn = discard,
				    .level = FYET_ERROR,
				    .module_mask = ~0u };
	struct fy_parse_cfg cfg = { .flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG };
	struct reader r = { .file = file, .err = e };
	struct yaml_node *root = NULL;

	if (!len)
		return yaml_new(YAML_MAP);
	hmap_init(&r.anchors);
	cfg.diag = fy_diag_create(&dcfg);
	must(cfg.diag);
	fy_diag_set_collect_errors(cfg.diag, true);
	r.fyp = fy_parser_create(&cfg);
	must(r.fyp);
	if (fy_parser_set_string(r.fyp, text, len))
		err_set(e, "not valid YAML");
	else
		root = read_stream(&r);
	take_library_error(&r, cfg.diag);
	if (err_is_set(e)) {
		err_place(e, file, 1, 1);
		yaml_destroy(root);
		root = NULL;
	}
	fy_parser_destroy(r.fyp);
	fy_diag_destroy(cfg.diag);
	anchors_fini(&r);
	return root;
}

/* --- tree -> text --------------------------------------------------------- */

static bool plain_char(char c)
{
	return isalnum((unsigned char)c) || strchr("_./:-+=", c);
}

/* Plain text that reads back as itself everywhere, also inside [] and {}. */
static bool is_plain(const char *s)
{
	size_t n = strlen(s);

	if (!n || !(isalnum((unsigned char)s[0]) || s[0] == '/' || s[0] == '_'))
		return false;
	if (s[n - 1] == ':' || !strcmp(s, "null"))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!plain_char(s[i]))
			return false;
	}
	return true;
}

static void emit_scalar(const char *s, struct str *out)
{
	if (is_plain(s)) {
		str_add(out, s);
		return;
	}
	str_add_char(out, '"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			str_addf(out, "\\%c", c);
		else if (c == '\n')
			str_add(out, "\\n");
		else if (c < 0x20 || c == 0x7f)
			str_addf(out, "\\x%02x", c);
		else
			str_add_char(out, (char)c);
	}
	str_add_char(out, '"');
}

void yaml_emit_flow(const struct yaml_node *n, struct str *out)
{
	bool map = n->kind == YAML_MAP;

	if (n->kind == YAML_SCALAR) {
		if (!yaml_is_null(n))
			emit_scalar(n->text, out);
		else
			str_add_char(out, '~');
		return;
	}
	str_add_char(out, map ? '{' : '[');
	for (unsigned i = 0; i < n->n; i++) {
		str_add(out, i ? ", " : "");
		if (map) {
			emit_scalar(n->items[i].key->text, out);
			str_add(out, ": ");
		}
		yaml_emit_flow(n->items[i].value, out);
	}
	str_add_char(out, map ? '}' : ']');
}

static bool is_line(const struct yaml_node *n)
{
	if (n->kind == YAML_SCALAR || n->flow || !n->n)
		return true;
	if (n->kind == YAML_MAP)
		return false;
	for (unsigned i = 0; i < n->n; i++) {
		if (n->items[i].value->kind != YAML_SCALAR)
			return false;
	}
	return true;
}

static void emit_block(const struct yaml_node *n, unsigned indent,
		       struct str *out)
{
	for (unsigned i = 0; i < n->n; i++) {
		const struct yaml_node *v = n->items[i].value;

		str_pad(out, indent);
		if (n->kind == YAML_SEQ) {
			str_add(out, "- ");
			yaml_emit_flow(v, out);
			str_add_char(out, '\n');
			continue;
		}
		emit_scalar(n->items[i].key->text, out);
		str_add_char(out, ':');
		if (is_line(v)) {
			str_add_char(out, ' ');
			yaml_emit_flow(v, out);
			str_add_char(out, '\n');
		} else {
			str_add_char(out, '\n');
			emit_block(v, indent + 2, out);
		}
	}
}

void yaml_emit(const struct yaml_node *n, struct str *out)
{
	if (is_line(n)) {
		yaml_emit_flow(n, out);
		str_add_char(out, '\n');
	} else {
		emit_block(n, 0, out);
	}
}
