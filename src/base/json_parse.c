/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "base/json_doc.h"

/* Buffers larger than this are given back between two documents. */
#define KEEP_BYTES 4096u
#define ERROR_MAX 200

enum where {
	AT_VALUE,      /* a value must come */
	AT_FIRST,      /* a value or the end of the array */
	AT_FIRST_NAME, /* a name or the end of the object */
	AT_NAME,
	AT_COLON,
	AT_NEXT, /* a comma or the end of what is open */
	IN_STRING,
	IN_ESCAPE, /* after a backslash */
	IN_HEX,    /* four digits */
	AT_LOW,    /* the backslash of the second half of a pair */
	AT_LOW_U,
	IN_NUMBER,
	IN_WORD,
};

struct frame {
	size_t first;     /* its first value on the stack */
	const char *name; /* its own name in what holds it */
	bool object;
};

/* A value on the stack has its name beside it; in arrays that is NULL. */
struct json_parser {
	struct json_limits limits;
	enum json_state state;
	enum where where;
	struct json_doc *doc; /* NULL before the first byte of a document */
	struct json_member *values;
	size_t n_values, cap_values;
	struct frame *frames;
	size_t n_frames, cap_frames;
	struct str text; /* of a string, number or word under way */
	const char *name;
	bool is_name;
	unsigned hex, n_hex, high;
	size_t used;        /* bytes of this document's text */
	size_t line, start; /* of `used`, where this line starts */
	char error[ERROR_MAX];
};

struct json_parser *json_parser_create(const struct json_limits *limits)
{
	struct json_parser *p = xzalloc(sizeof(*p));

	if (limits)
		p->limits = *limits;
	if (!p->limits.text_bytes || p->limits.text_bytes > JSON_BYTES_MAX)
		p->limits.text_bytes = JSON_BYTES_MAX;
	if (!p->limits.memory_bytes)
		p->limits.memory_bytes = SIZE_MAX;
	return p;
}

void json_parser_destroy(struct json_parser *p)
{
	if (!p)
		return;
	json_doc_destroy(p->doc);
	free(p->values);
	free(p->frames);
	str_fini(&p->text);
	free(p);
}

enum json_state json_parser_state(const struct json_parser *p)
{
	return p->state;
}

bool json_parser_is_idle(const struct json_parser *p)
{
	return p->state == JSON_MORE && !p->doc;
}

const char *json_parser_error(const struct json_parser *p)
{
	return p->state == JSON_FAILED ? p->error : NULL;
}

static void fail(struct json_parser *p, const char *what)
{
	if (p->state == JSON_FAILED)
		return;
	p->state = JSON_FAILED;
	snprintf(p->error, sizeof(p->error), "line %zu, column %zu: %s",
		 p->line + 1, p->used - p->start + 1, what);
}

struct json_doc *json_parser_take(struct json_parser *p)
{
	struct json_doc *d = p->doc;

	must(p->state == JSON_DONE);
	p->state = JSON_MORE;
	p->where = AT_VALUE;
	p->doc = NULL;
	p->used = p->line = p->start = 0;
	if (p->cap_values * sizeof(*p->values) > KEEP_BYTES) {
		free(p->values);
		p->values = NULL;
		p->cap_values = 0;
	}
	if (p->text.cap > KEEP_BYTES)
		str_fini(&p->text);
	return d;
}

/* -- Values --------------------------------------------------------------- */

static void check_memory(struct json_parser *p)
{
	size_t n = p->doc->bytes + p->text.cap +
		   p->cap_values * sizeof(*p->values) +
		   p->cap_frames * sizeof(*p->frames);

	if (n > p->limits.memory_bytes)
		fail(p, "the document needs more memory than is allowed");
}

static void value_push(struct json_parser *p, struct json v)
{
	if (p->state == JSON_FAILED)
		return;
	if (!p->n_frames) {
		p->doc->root = v;
		p->state = JSON_DONE;
		return;
	}
	if (p->n_values == p->cap_values) {
		p->cap_values = MAX(p->cap_values * 2, 16u);
		p->values =
			xrealloc(p->values, p->cap_values * sizeof(*p->values));
		check_memory(p);
	}
	p->values[p->n_values++] = (struct json_member){ p->name, v };
	p->name = NULL;
	p->where = AT_NEXT;
}

static void container_open(struct json_parser *p, bool object)
{
	if (p->n_frames == JSON_DEPTH_MAX) {
		fail(p, "arrays and objects are nested too deeply");
		return;
	}
	if (p->n_frames == p->cap_frames) {
		p->cap_frames = MAX(p->cap_frames * 2, 8u);
		p->frames =
			xrealloc(p->frames, p->cap_frames * sizeof(*p->frames));
	}
	p->frames[p->n_frames++] =
		(struct frame){ p->n_values, p->name, object };
	check_memory(p);
	p->name = NULL;
	p->where = object ? AT_FIRST_NAME : AT_FIRST;
}

static const struct json *array_take(struct json_doc *d,
				     const struct json_member *v, size_t n)
{
	struct json *e;

	if (!n)
		return &json_nothing[0].value;
	e = json_doc_alloc(d, n * sizeof(*e));
	for (size_t i = 0; i < n; i++)
		e[i] = v[i].value;
	return e;
}

/* By name; of equal ones, the one that came first. */
static int member_compare(const void *a_, const void *b_)
{
	const struct json_member *const *a = a_, *const *b = b_;
	int c = strcmp((*a)->name, (*b)->name);

	return c ? c : (*a > *b) - (*a < *b);
}

/* Sorts the n members into `to` and drops all but the last of each name.
 * Returns how many are left. */
static size_t members_sort(struct json_member *to, const struct json_member *v,
			   size_t n)
{
	const struct json_member **at =
		xcalloc(n, sizeof(struct json_member *));
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		at[i] = &v[i];
	qsort(at, n, sizeof(struct json_member *), member_compare);
	for (size_t i = 0; i < n; i++) {
		if (k && !strcmp(to[k - 1].name, at[i]->name))
			k--;
		to[k++] = *at[i];
	}
	free(at);
	return k;
}

static bool members_are_sorted(const struct json_member *v, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (strcmp(v[i - 1].name, v[i].name) >= 0)
			return false;
	return true;
}

static struct json object_take(struct json_doc *d, const struct json_member *v,
			       size_t n)
{
	struct json o = { JSON_OBJECT, (uint32_t)n, .members = json_nothing };
	struct json_member *m;

	if (!n)
		return o;
	m = json_doc_alloc(d, n * sizeof(*m));
	o.members = m;
	if (members_are_sorted(v, n))
		memcpy(m, v, n * sizeof(*m));
	else
		o.n = (uint32_t)members_sort(m, v, n);
	return o;
}

static void container_close(struct json_parser *p)
{
	struct frame f = p->frames[--p->n_frames];
	size_t n = p->n_values - f.first;
	struct json v = { .type = JSON_ARRAY, .n = (uint32_t)n };

	if (f.object)
		v = object_take(p->doc, n ? &p->values[f.first] : NULL, n);
	else
		v.elements =
			array_take(p->doc, n ? &p->values[f.first] : NULL, n);
	check_memory(p);
	p->n_values = f.first;
	p->name = f.name;
	value_push(p, v);
}

/* -- Numbers and words ---------------------------------------------------- */

static size_t digits_len(const char *s)
{
	return strspn(s, "0123456789");
}

/* RFC 8259, 6. */
static bool number_is_valid(const char *s)
{
	size_t n;

	s += *s == '-';
	n = digits_len(s);
	if (!n || (n > 1 && *s == '0'))
		return false;
	s += n;
	if (*s == '.') {
		n = digits_len(++s);
		if (!n)
			return false;
		s += n;
	}
	if (*s == 'e' || *s == 'E') {
		s++;
		s += *s == '+' || *s == '-';
		n = digits_len(s);
		if (!n)
			return false;
		s += n;
	}
	return !*s;
}

/* An integer without a fraction or exponent that int64 holds. */
static bool plain_integer(const char *s, int64_t *i)
{
	char *end;

	errno = 0;
	*i = strtoll(s, &end, 10);
	return !errno && !*end;
}

/* The value of a number that has a fraction or an exponent, when it is an
 * integer of int64: its digits without trailing zeros, times a power of ten. */
static bool scaled_integer(const char *s, int64_t *i)
{
	bool negative = *s == '-', fraction = false;
	long exponent = 0, zeros = 0;
	uint64_t u = 0;

	for (s += negative; *s && *s != 'e' && *s != 'E'; s++) {
		if (*s == '.') {
			fraction = true;
			continue;
		}
		exponent -= fraction;
		zeros++;
		if (*s == '0')
			continue;
		for (; zeros; zeros--)
			if (__builtin_mul_overflow(u, 10u, &u))
				return false;
		if (__builtin_add_overflow(u, (uint64_t)(*s - '0'), &u))
			return false;
	}
	if (*s)
		exponent += CLAMP(strtol(s + 1, NULL, 10), -1000000, 1000000);
	exponent += zeros;
	if (!u)
		exponent = 0;
	if (exponent < 0)
		return false;
	for (; exponent; exponent--)
		if (__builtin_mul_overflow(u, 10u, &u))
			return false;
	if (u > (uint64_t)INT64_MAX + negative)
		return false;
	*i = (int64_t)(negative ? -u : u);
	return true;
}

static bool real_integer(double d, int64_t *i)
{
	static const double limit = 9223372036854775808.0; /* 2^63 */

	if (d < -limit || d >= limit || d != trunc(d))
		return false;
	*i = (int64_t)d;
	return true;
}

static void number_end(struct json_parser *p)
{
	const char *s = str_text(&p->text);
	struct json v = { .type = JSON_INT };

	if (!number_is_valid(s)) {
		fail(p, "this is no JSON number");
		return;
	}
	if (!plain_integer(s, &v.i) && !scaled_integer(s, &v.i)) {
		double d = strtod(s, NULL);

		if (!isfinite(d)) {
			fail(p, "the number is too large");
			return;
		}
		if (!real_integer(d, &v.i)) {
			v.type = JSON_REAL;
			v.real = d;
		}
	}
	value_push(p, v);
}

static void word_end(struct json_parser *p)
{
	static const struct {
		const char *word;
		enum json_type type;
	} words[] = { { "null", JSON_NULL },
		      { "false", JSON_FALSE },
		      { "true", JSON_TRUE } };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!strcmp(str_text(&p->text), words[i].word)) {
			value_push(p, (struct json){ .type = words[i].type });
			return;
		}
	}
	fail(p, "the only words are null, true and false");
}

/* -- Strings -------------------------------------------------------------- */

static void string_end(struct json_parser *p, const char *text, size_t n)
{
	const char *s;

	if (!json_utf8_is_valid(text, n)) {
		fail(p, "the string is not UTF-8");
		return;
	}
	s = json_doc_text(p->doc, text, n);
	check_memory(p);
	if (p->is_name) {
		p->name = s;
		p->where = AT_COLON;
	} else {
		value_push(p,
			   (struct json){ JSON_STRING, (uint32_t)n, .s = s });
	}
}

static void utf8_add(struct str *s, unsigned c)
{
	if (c < 0x80) {
		str_add_char(s, (char)c);
	} else if (c < 0x800) {
		str_add_char(s, (char)(0xc0 | c >> 6));
		str_add_char(s, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		str_add_char(s, (char)(0xe0 | c >> 12));
		str_add_char(s, (char)(0x80 | (c >> 6 & 0x3f)));
		str_add_char(s, (char)(0x80 | (c & 0x3f)));
	} else {
		str_add_char(s, (char)(0xf0 | c >> 18));
		str_add_char(s, (char)(0x80 | (c >> 12 & 0x3f)));
		str_add_char(s, (char)(0x80 | (c >> 6 & 0x3f)));
		str_add_char(s, (char)(0x80 | (c & 0x3f)));
	}
}

static void escape_eat(struct json_parser *p, char c)
{
	static const char from[] = "bfnrt\"\\/", to[] = "\b\f\n\r\t\"\\/";
	const char *at = c ? strchr(from, c) : NULL;

	if (c == 'u') {
		p->hex = p->n_hex = 0;
		p->where = IN_HEX;
	} else if (at) {
		str_add_char(&p->text, to[at - from]);
		p->where = IN_STRING;
	} else {
		fail(p, "no such escape in a string");
	}
}

/* Four digits are read (RFC 8259, 7: a pair of surrogates is one character). */
static void hex_end(struct json_parser *p)
{
	bool low = p->hex >= 0xdc00 && p->hex < 0xe000;

	p->where = IN_STRING;
	if (!p->hex) {
		fail(p, "\\u0000 is not allowed in a string");
	} else if (low != !!p->high) {
		fail(p, "half of a surrogate pair stands alone");
	} else if (low) {
		utf8_add(&p->text, 0x10000 + ((p->high - 0xd800) << 10) +
					   (p->hex - 0xdc00));
		p->high = 0;
	} else if (p->hex >= 0xd800 && p->hex < 0xdc00) {
		p->high = p->hex;
		p->where = AT_LOW;
	} else {
		utf8_add(&p->text, p->hex);
	}
}

static void hex_eat(struct json_parser *p, char c)
{
	unsigned digit = c >= '0' && c <= '9' ? (unsigned)(c - '0') :
			 c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10) :
			 c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10) :
						16;

	if (digit == 16) {
		fail(p, "four hexadecimal digits belong after \\u");
		return;
	}
	p->hex = p->hex << 4 | digit;
	if (++p->n_hex == 4)
		hex_end(p);
}

/* -- Bytes ---------------------------------------------------------------- */

static void value_start(struct json_parser *p, char c)
{
	str_clear(&p->text);
	p->high = 0;
	p->is_name = p->where == AT_FIRST_NAME || p->where == AT_NAME;
	if (c == '"') {
		p->where = IN_STRING;
	} else if (p->is_name) {
		fail(p, "a name in quotes must stand here");
	} else if (c == '{' || c == '[') {
		container_open(p, c == '{');
	} else if (c == '-' || (c >= '0' && c <= '9')) {
		str_add_char(&p->text, c);
		p->where = IN_NUMBER;
	} else if (c >= 'a' && c <= 'z') {
		str_add_char(&p->text, c);
		p->where = IN_WORD;
	} else {
		fail(p, "a value must stand here");
	}
}

static void next_eat(struct json_parser *p, char c)
{
	bool object = p->frames[p->n_frames - 1].object;

	if (c == ',')
		p->where = object ? AT_NAME : AT_VALUE;
	else if (c == (object ? '}' : ']'))
		container_close(p);
	else
		fail(p, object ? "a comma or } must stand here" :
				 "a comma or ] must stand here");
}

static bool space_eat(struct json_parser *p, char c)
{
	if (c == '\n' && p->doc) {
		p->line++;
		p->start = p->used + 1;
	}
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* One byte outside strings, numbers and words. */
static void mark_eat(struct json_parser *p, char c)
{
	if (space_eat(p, c))
		return;
	if (!p->doc)
		p->doc = json_doc_create();
	if (p->where == AT_NEXT) {
		next_eat(p, c);
	} else if (p->where == AT_COLON) {
		p->where = AT_VALUE;
		if (c != ':')
			fail(p, "a colon must follow a name");
	} else if ((p->where == AT_FIRST && c == ']') ||
		   (p->where == AT_FIRST_NAME && c == '}')) {
		container_close(p);
	} else {
		value_start(p, c);
	}
}

/* Each of these eats from t[0..n), n > 0, and returns how much. */
static size_t string_eat(struct json_parser *p, const char *t, size_t n)
{
	size_t i = 0;

	while (i < n && (unsigned char)t[i] >= 0x20 && t[i] != '"' &&
	       t[i] != '\\')
		i++;
	if (i < n && t[i] == '"' && !p->text.len) {
		string_end(p, t, i);
		return i + 1;
	}
	str_add_n(&p->text, t, i);
	if (i == n) {
		check_memory(p);
		return i;
	}
	if (t[i] == '"')
		string_end(p, str_text(&p->text), p->text.len);
	else if (t[i] == '\\')
		p->where = IN_ESCAPE;
	else
		fail(p, "a control character stands in a string");
	return i + 1;
}

static bool token_goes_on(enum where where, char c)
{
	if (where == IN_WORD)
		return c >= 'a' && c <= 'z';
	return (c >= '0' && c <= '9') || (c && strchr("+-.eE", c));
}

static void token_end(struct json_parser *p)
{
	if (p->where == IN_NUMBER)
		number_end(p);
	else
		word_end(p);
}

static size_t token_eat(struct json_parser *p, const char *t, size_t n)
{
	size_t i = 0;

	while (i < n && token_goes_on(p->where, t[i]))
		i++;
	str_add_n(&p->text, t, i);
	check_memory(p);
	if (i < n)
		token_end(p);
	return i;
}

static size_t some_eat(struct json_parser *p, const char *t, size_t n)
{
	switch (p->where) {
	case IN_STRING:
		return string_eat(p, t, n);
	case IN_NUMBER:
	case IN_WORD:
		return token_eat(p, t, n);
	case IN_ESCAPE:
		escape_eat(p, t[0]);
		return 1;
	case IN_HEX:
		hex_eat(p, t[0]);
		return 1;
	case AT_LOW:
	case AT_LOW_U:
		if (t[0] != (p->where == AT_LOW ? '\\' : 'u'))
			fail(p, "half of a surrogate pair stands alone");
		p->hex = p->n_hex = 0;
		p->where = p->where == AT_LOW ? AT_LOW_U : IN_HEX;
		return 1;
	case AT_VALUE:
	case AT_FIRST:
	case AT_FIRST_NAME:
	case AT_NAME:
	case AT_COLON:
	case AT_NEXT:
		mark_eat(p, t[0]);
		return 1;
	}
	return 0;
}

size_t json_parser_feed(struct json_parser *p, const char *text, size_t n)
{
	size_t at = 0;

	while (at < n && p->state == JSON_MORE) {
		size_t left = p->limits.text_bytes - p->used, k;

		if (!left) {
			fail(p, "the document is longer than is allowed");
			break;
		}
		k = some_eat(p, text + at, MIN(n - at, left));
		at += k;
		p->used = p->doc ? p->used + k : 0;
	}
	return at;
}

void json_parser_finish(struct json_parser *p)
{
	if (p->state != JSON_MORE)
		return;
	if (p->doc && (p->where == IN_NUMBER || p->where == IN_WORD))
		token_end(p);
	if (p->state == JSON_MORE)
		fail(p, p->doc ? "the text ends inside a value" :
				 "there is no value");
}

static bool is_blank(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!text[i] || !strchr(" \t\r\n", text[i]))
			return false;
	return true;
}

int json_parse(const char *text, size_t n, struct json_doc **out, struct err *e)
{
	struct json_parser *p = json_parser_create(NULL);
	size_t at = json_parser_feed(p, text, n);
	int ret = 0;

	json_parser_finish(p);
	if (p->state == JSON_DONE && !is_blank(text + at, n - at))
		fail(p, "something follows the value");
	if (p->state == JSON_DONE)
		*out = json_parser_take(p);
	else
		ret = err_set(e, "%s", json_parser_error(p));
	json_parser_destroy(p);
	return ret;
}
