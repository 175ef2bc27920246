/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/json_doc.h"

#define CHUNK_MIN_BYTES 256
#define CHUNK_MAX_BYTES (256u << 10)
#define REAL_TEXT_MAX 40

const struct json_member json_nothing[1];

/* -- The arena ------------------------------------------------------------ */

struct json_doc *json_doc_create(void)
{
	struct json_doc *d = xzalloc(sizeof(*d));

	d->bytes = sizeof(*d);
	return d;
}

void json_doc_destroy(struct json_doc *d)
{
	if (!d)
		return;
	while (d->chunks) {
		struct json_chunk *c = d->chunks;

		d->chunks = c->next;
		free(c);
	}
	free(d);
}

size_t json_doc_bytes(const struct json_doc *d)
{
	return d->bytes;
}

const struct json *json_root(const struct json_doc *d)
{
	return &d->root;
}

static struct json_chunk *chunk_add(struct json_doc *d, size_t size)
{
	size_t n = CLAMP(d->bytes, CHUNK_MIN_BYTES, CHUNK_MAX_BYTES);
	struct json_chunk *c;

	n = MAX(n, size + sizeof(*c));
	c = xmalloc(n);
	*c = (struct json_chunk){ d->chunks, n - sizeof(*c), 0 };
	d->chunks = c;
	d->bytes += n;
	return c;
}

static void *chunk_take(struct json_doc *d, size_t size, size_t align)
{
	struct json_chunk *c = d->chunks;
	size_t at = c ? ROUND_UP(c->used, align) : 0;

	if (!c || at > c->size || c->size - at < size) {
		c = chunk_add(d, size);
		at = 0;
	}
	c->used = at + size;
	return (char *)c->data + at;
}

void *json_doc_alloc(struct json_doc *d, size_t size)
{
	return chunk_take(d, size, sizeof(void *));
}

const char *json_doc_text(struct json_doc *d, const char *text, size_t n)
{
	char *s = chunk_take(d, n + 1, 1);

	memcpy(s, text, n);
	s[n] = '\0';
	return s;
}

/* Recursion is bounded by J4, here and below. */
static struct json value_clone(struct json_doc *d, const struct json *v)
{
	struct json_member *m;
	struct json *e, c = *v;

	if (v->type == JSON_STRING) {
		c.s = json_doc_text(d, v->s, v->n);
	} else if (v->type == JSON_ARRAY && v->n) {
		e = json_doc_alloc(d, v->n * sizeof(*e));
		for (size_t i = 0; i < v->n; i++)
			e[i] = value_clone(d, &v->elements[i]);
		c.elements = e;
	} else if (v->type == JSON_OBJECT && v->n) {
		m = json_doc_alloc(d, v->n * sizeof(*m));
		for (size_t i = 0; i < v->n; i++) {
			const char *name = v->members[i].name;

			m[i].name = json_doc_text(d, name, strlen(name));
			m[i].value = value_clone(d, &v->members[i].value);
		}
		c.members = m;
	}
	return c;
}

struct json_doc *json_doc_clone(const struct json *v)
{
	struct json_doc *d = json_doc_create();

	d->root = value_clone(d, v);
	return d;
}

/* -- Looking -------------------------------------------------------------- */

const struct json *json_find(const struct json *v, const char *name)
{
	size_t low = 0, high;

	if (!json_is_type(v, JSON_OBJECT))
		return NULL;
	for (high = v->n; low < high;) {
		size_t mid = (low + high) / 2;
		int c = strcmp(name, v->members[mid].name);

		if (!c)
			return &v->members[mid].value;
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

const struct json *json_at(const struct json *v, size_t i)
{
	return json_is_type(v, JSON_ARRAY) && i < v->n ? &v->elements[i] : NULL;
}

bool json_is(const struct json *v, const char *s)
{
	return json_is_type(v, JSON_STRING) && !strcmp(v->s, s);
}

static bool arrays_equal(const struct json *a, const struct json *b)
{
	for (size_t i = 0; i < a->n; i++)
		if (!json_equal(&a->elements[i], &b->elements[i]))
			return false;
	return true;
}

static bool objects_equal(const struct json *a, const struct json *b)
{
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->members[i].name, b->members[i].name) ||
		    !json_equal(&a->members[i].value, &b->members[i].value))
			return false;
	return true;
}

bool json_equal(const struct json *a, const struct json *b)
{
	if (a->type != b->type || a->n != b->n)
		return false;
	switch ((enum json_type)a->type) {
	case JSON_NULL:
	case JSON_FALSE:
	case JSON_TRUE:
		return true;
	case JSON_INT:
		return a->i == b->i;
	case JSON_REAL:
		return a->real == b->real;
	case JSON_STRING:
		return !memcmp(a->s, b->s, a->n);
	case JSON_ARRAY:
		return arrays_equal(a, b);
	case JSON_OBJECT:
		return objects_equal(a, b);
	}
	return false;
}

uint64_t json_hash(const struct json *v, uint64_t seed)
{
	uint64_t h = hash_add(seed, v->type);

	switch ((enum json_type)v->type) {
	case JSON_NULL:
	case JSON_FALSE:
	case JSON_TRUE:
		break;
	case JSON_INT:
	case JSON_REAL:
		h = hash_add(h, (uint64_t)v->i);
		break;
	case JSON_STRING:
		h = hash_bytes(v->s, v->n, h);
		break;
	case JSON_ARRAY:
		for (size_t i = 0; i < v->n; i++)
			h = json_hash(&v->elements[i], h);
		break;
	case JSON_OBJECT:
		for (size_t i = 0; i < v->n; i++) {
			h = hash_string(v->members[i].name, h);
			h = json_hash(&v->members[i].value, h);
		}
		break;
	}
	return h;
}

const char *json_type_name(const struct json *v)
{
	static const char *const names[] = {
		[JSON_NULL] = "null",    [JSON_FALSE] = "boolean",
		[JSON_TRUE] = "boolean", [JSON_INT] = "integer",
		[JSON_REAL] = "number",  [JSON_STRING] = "string",
		[JSON_ARRAY] = "array",  [JSON_OBJECT] = "object",
	};

	return names[v->type];
}

/* -- UTF-8 ---------------------------------------------------------------- */

/* Bytes of the sequence at the front of text[0..n), 0 when it is none. */
static size_t utf8_len(const unsigned char *t, size_t n)
{
	size_t len = t[0] < 0x80 ? 1 :
		     t[0] < 0xc2 ? 0 :
		     t[0] < 0xe0 ? 2 :
		     t[0] < 0xf0 ? 3 :
		     t[0] < 0xf5 ? 4 :
				   0;

	if (len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((t[i] & 0xc0) != 0x80)
			return 0;
	/* Longer than needed, a surrogate, above U+10FFFF (RFC 3629, 4). */
	if ((t[0] == 0xe0 && t[1] < 0xa0) || (t[0] == 0xed && t[1] > 0x9f) ||
	    (t[0] == 0xf0 && t[1] < 0x90) || (t[0] == 0xf4 && t[1] > 0x8f))
		return 0;
	return len;
}

bool json_utf8_is_valid(const char *text, size_t n)
{
	const unsigned char *t = (const unsigned char *)text;

	for (size_t i = 0; i < n;) {
		size_t len = utf8_len(&t[i], n - i);

		if (!len)
			return false;
		i += len;
	}
	return true;
}

/* -- Writing -------------------------------------------------------------- */

/* A value never ends in one of these bytes: strings end in a quote. */
static void comma_add(struct str *s)
{
	if (s->len && !strchr("[{:, \n", s->s[s->len - 1]))
		str_add_char(s, ',');
}

void json_add_open(struct str *s, char bracket)
{
	comma_add(s);
	str_add_char(s, bracket);
}

void json_add_close(struct str *s, char bracket)
{
	str_add_char(s, bracket);
}

void json_add_name(struct str *s, const char *name)
{
	json_add_string(s, name);
	str_add_char(s, ':');
}

void json_add_raw(struct str *s, const char *json, size_t n)
{
	comma_add(s);
	str_add_n(s, json, n);
}

void json_add_null(struct str *s)
{
	json_add_raw(s, "null", 4);
}

void json_add_bool(struct str *s, bool b)
{
	json_add_raw(s, b ? "true" : "false", b ? 4 : 5);
}

void json_add_int(struct str *s, int64_t i)
{
	char text[24], *at = text + sizeof(text);
	uint64_t u = i < 0 ? -(uint64_t)i : (uint64_t)i;

	do
		*--at = (char)('0' + u % 10);
	while (u /= 10);
	if (i < 0)
		*--at = '-';
	json_add_raw(s, at, (size_t)(text + sizeof(text) - at));
}

void json_add_real(struct str *s, double d)
{
	char text[REAL_TEXT_MAX];
	int n = 0;

	for (int digits = 15; digits <= 17; digits++) {
		n = snprintf(text, sizeof(text), "%.*g", digits, d);
		if (strtod(text, NULL) == d)
			break;
	}
	json_add_raw(s, text, (size_t)n);
}

static void escape_add(struct str *s, char c)
{
	static const char from[] = "\b\f\n\r\t\"\\", to[] = "bfnrt\"\\";
	const char *at = strchr(from, c);

	if (at) {
		str_add_char(s, '\\');
		str_add_char(s, to[at - from]);
	} else {
		str_addf(s, "\\u%04x", (unsigned char)c);
	}
}

void json_add_string_n(struct str *s, const char *text, size_t n)
{
	size_t plain = 0;

	comma_add(s);
	str_add_char(s, '"');
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)text[i] >= 0x20 && text[i] != '"' &&
		    text[i] != '\\')
			continue;
		str_add_n(s, text + plain, i - plain);
		escape_add(s, text[i]);
		plain = i + 1;
	}
	str_add_n(s, text + plain, n - plain);
	str_add_char(s, '"');
}

void json_add_string(struct str *s, const char *text)
{
	json_add_string_n(s, text, strlen(text));
}

static void array_add(struct str *s, const struct json *v)
{
	json_add_open(s, '[');
	json_for_each(e, v)
		json_add(s, e);
	json_add_close(s, ']');
}

static void object_add(struct str *s, const struct json *v)
{
	json_add_open(s, '{');
	json_for_each_member(m, v) {
		json_add_name(s, m->name);
		json_add(s, &m->value);
	}
	json_add_close(s, '}');
}

void json_add(struct str *s, const struct json *v)
{
	switch ((enum json_type)v->type) {
	case JSON_NULL:
		json_add_null(s);
		break;
	case JSON_FALSE:
	case JSON_TRUE:
		json_add_bool(s, v->type == JSON_TRUE);
		break;
	case JSON_INT:
		json_add_int(s, v->i);
		break;
	case JSON_REAL:
		json_add_real(s, v->real);
		break;
	case JSON_STRING:
		json_add_string_n(s, v->s, v->n);
		break;
	case JSON_ARRAY:
		array_add(s, v);
		break;
	case JSON_OBJECT:
		object_add(s, v);
		break;
	}
}
