/* SPDX-License-Identifier: Apache-2.0 */
#include "ovsdb/datum.h"

#include <stdio.h>

/* A string in a datum's data: where, from the start of data, and how long. */
struct text_ref {
	uint32_t off, len;
};

static const size_t atom_size[ATOM_N_TYPES] = {
	[ATOM_VOID] = 0,
	[ATOM_INT] = 8,
	[ATOM_REAL] = 8,
	[ATOM_BOOL] = 1,
	[ATOM_STRING] = sizeof(struct text_ref),
	[ATOM_UUID] = 16,
};

static const char *const atom_names[ATOM_N_TYPES] = {
	[ATOM_VOID] = "void",    [ATOM_INT] = "integer",   [ATOM_REAL] = "real",
	[ATOM_BOOL] = "boolean", [ATOM_STRING] = "string", [ATOM_UUID] = "uuid",
};

const char *atom_type_name(enum atom_type t)
{
	return atom_names[t];
}

bool atom_type_find(const char *name, enum atom_type *t)
{
	for (unsigned i = ATOM_INT; i < ATOM_N_TYPES; i++) {
		if (strcmp(atom_names[i], name))
			continue;
		*t = (enum atom_type)i;
		return true;
	}
	return false;
}

/* --- atoms -------------------------------------------------------------------------- */

static int compare_text(const struct atom *a, const struct atom *b)
{
	uint32_t n = MIN(a->len, b->len);
	int c = n ? memcmp(a->s, b->s, n) : 0;

	return c ? c : (a->len > b->len) - (a->len < b->len);
}

int atom_compare(enum atom_type t, const struct atom *a, const struct atom *b)
{
	switch (t) {
	case ATOM_VOID:
		return 0;
	case ATOM_INT:
		return (a->i > b->i) - (a->i < b->i);
	case ATOM_REAL:
		return (a->real > b->real) - (a->real < b->real);
	case ATOM_BOOL:
		return a->b - b->b;
	case ATOM_STRING:
		return compare_text(a, b);
	case ATOM_UUID:
		return uuid_compare(&a->uuid, &b->uuid);
	}
	return 0;
}

uint64_t atom_hash(enum atom_type t, const struct atom *a, uint64_t seed)
{
	double real;
	uint64_t w;

	switch (t) {
	case ATOM_VOID:
		return seed;
	case ATOM_INT:
		return hash_u64((uint64_t)a->i, seed);
	case ATOM_REAL:
		real = a->real == 0 ? 0 : a->real; /* one zero */
		memcpy(&w, &real, sizeof(w));
		return hash_u64(w, seed);
	case ATOM_BOOL:
		return hash_u64(a->b, seed);
	case ATOM_STRING:
		return hash_bytes(a->s, a->len, seed);
	case ATOM_UUID:
		return uuid_hash(&a->uuid, seed);
	}
	return seed;
}

void atom_add_json(struct str *s, enum atom_type t, const struct atom *a)
{
	char text[UUID_LEN + 1];

	switch (t) {
	case ATOM_VOID:
		return;
	case ATOM_INT:
		json_add_int(s, a->i);
		return;
	case ATOM_REAL:
		json_add_real(s, a->real);
		return;
	case ATOM_BOOL:
		json_add_bool(s, a->b);
		return;
	case ATOM_STRING:
		json_add_string_n(s, a->s, a->len);
		return;
	case ATOM_UUID:
		json_add_open(s, '[');
		json_add_string(s, "uuid");
		json_add_string(s, uuid_format(&a->uuid, text));
		json_add_close(s, ']');
		return;
	}
}

static bool is_word(const struct atom *a)
{
	struct uuid u;

	if (!a->len || !strcmp(a->s, "true") || !strcmp(a->s, "false") ||
	    uuid_parse(a->s, &u))
		return false;
	for (uint32_t i = 0; i < a->len; i++) {
		char c = a->s[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!letter && c != '_' &&
		    (!i || ((c < '0' || c > '9') && c != '-' && c != '.')))
			return false;
	}
	return true;
}

void atom_format(struct str *s, enum atom_type t, const struct atom *a)
{
	char text[UUID_LEN + 1];

	if (t == ATOM_UUID)
		str_add(s, uuid_format(&a->uuid, text));
	else if (t == ATOM_STRING && is_word(a))
		str_add_n(s, a->s, a->len);
	else if (t == ATOM_INT)
		str_addf(s, "%lld", (long long)a->i);
	else if (t == ATOM_REAL)
		str_addf(s, "%.15g", a->real);
	else if (t == ATOM_BOOL)
		str_add(s, a->b ? "true" : "false");
	else {
		struct str one = STR_INIT;

		atom_add_json(&one, t, a);
		str_add(s, str_text(&one));
		str_fini(&one);
	}
}

/* --- looking --------------------------------------------------------------------------- */

static size_t values_at(const struct datum *d)
{
	return ROUND_UP(d->n * atom_size[d->key], 8);
}

static struct atom atom_read(const struct datum *d, enum atom_type t,
			     const char *p)
{
	struct atom a = { .len = 0 };
	struct text_ref ref;

	switch (t) {
	case ATOM_VOID:
		break;
	case ATOM_INT:
		memcpy(&a.i, p, sizeof(a.i));
		break;
	case ATOM_REAL:
		memcpy(&a.real, p, sizeof(a.real));
		break;
	case ATOM_BOOL:
		a.b = *p;
		break;
	case ATOM_STRING:
		memcpy(&ref, p, sizeof(ref));
		a.s = d->data + ref.off;
		a.len = ref.len;
		break;
	case ATOM_UUID:
		memcpy(&a.uuid, p, sizeof(a.uuid));
		break;
	}
	return a;
}

struct atom datum_key(const struct datum *d, size_t i)
{
	enum atom_type t = (enum atom_type)d->key;

	must(i < d->n);
	return atom_read(d, t, d->data + i * atom_size[t]);
}

struct atom datum_value(const struct datum *d, size_t i)
{
	enum atom_type t = (enum atom_type)d->value;

	must(i < d->n);
	return atom_read(d, t, d->data + values_at(d) + i * atom_size[t]);
}

void datum_unref(struct datum *d)
{
	if (d && !--d->refs)
		free(d);
}

ptrdiff_t datum_find(const struct datum *d, const struct atom *key)
{
	size_t lo = 0, hi = d->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		struct atom a = datum_key(d, mid);
		int c = atom_compare((enum atom_type)d->key, key, &a);

		if (!c)
			return (ptrdiff_t)mid;
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return -1;
}

const char *datum_find_string(const struct datum *d, const char *key)
{
	struct atom a = { .s = key, .len = (uint32_t)strlen(key) };
	ptrdiff_t i = datum_find(d, &a);

	return i < 0 ? NULL : datum_value(d, (size_t)i).s;
}

int datum_compare(const struct datum *a, const struct datum *b)
{
	if (a == b)
		return 0;
	if (a->n != b->n)
		return a->n < b->n ? -1 : 1;
	for (size_t i = 0; i < a->n; i++) {
		struct atom x = datum_key(a, i), y = datum_key(b, i);
		int c = atom_compare((enum atom_type)a->key, &x, &y);

		if (!c && datum_is_map(a)) {
			x = datum_value(a, i);
			y = datum_value(b, i);
			c = atom_compare((enum atom_type)a->value, &x, &y);
		}
		if (c)
			return c;
	}
	return 0;
}

bool datum_equal(const struct datum *a, const struct datum *b)
{
	return !datum_compare(a, b);
}

uint64_t datum_hash(const struct datum *d, uint64_t seed)
{
	uint64_t h = hash_u64(d->n, seed);

	for (size_t i = 0; i < d->n; i++) {
		struct atom k = datum_key(d, i);

		h = atom_hash((enum atom_type)d->key, &k, h);
		if (datum_is_map(d)) {
			struct atom v = datum_value(d, i);

			h = atom_hash((enum atom_type)d->value, &v, h);
		}
	}
	return h;
}

/* --- making ------------------------------------------------------------------------------ */

struct pair {
	struct atom key, value;
	size_t pos;
};

static _Thread_local enum atom_type sort_type;

static int pair_compare(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int c = atom_compare(sort_type, &x->key, &y->key);

	return c ? c : (x->pos > y->pos) - (x->pos < y->pos);
}

static size_t text_bytes(enum atom_type t, const struct atom *a)
{
	return t == ATOM_STRING ? a->len + 1u : 0;
}

static void atom_write(struct datum *d, enum atom_type t, char *p,
		       const struct atom *a, size_t *text)
{
	struct text_ref ref;

	switch (t) {
	case ATOM_VOID:
		return;
	case ATOM_INT:
		memcpy(p, &a->i, sizeof(a->i));
		return;
	case ATOM_REAL:
		memcpy(p, &a->real, sizeof(a->real));
		return;
	case ATOM_BOOL:
		*p = a->b;
		return;
	case ATOM_STRING:
		ref = (struct text_ref){ (uint32_t)*text, a->len };
		memcpy(p, &ref, sizeof(ref));
		if (a->len)
			memcpy(d->data + *text, a->s, a->len);
		d->data[*text + a->len] = '\0';
		*text += a->len + 1u;
		return;
	case ATOM_UUID:
		memcpy(p, &a->uuid, sizeof(a->uuid));
		return;
	}
}

/* From pairs that are sorted and unique. */
static struct datum *datum_from_pairs(enum atom_type key, enum atom_type value,
				      const struct pair *pairs, size_t n)
{
	size_t vals = ROUND_UP(n * atom_size[key], 8);
	size_t text = vals + n * atom_size[value], total = text;
	struct datum *d;

	for (size_t i = 0; i < n; i++)
		total += text_bytes(key, &pairs[i].key) +
			 text_bytes(value, &pairs[i].value);
	d = xzalloc(sizeof(*d) + total);
	d->refs = 1;
	d->n = (uint32_t)n;
	d->key = (uint8_t)key;
	d->value = (uint8_t)value;
	d->text = (uint32_t)text;
	for (size_t i = 0; i < n; i++) {
		atom_write(d, key, d->data + i * atom_size[key], &pairs[i].key,
			   &text);
		atom_write(d, value, d->data + vals + i * atom_size[value],
			   &pairs[i].value, &text);
	}
	return d;
}

size_t datum_bytes(const struct datum *d)
{
	size_t total = values_at(d) + d->n * atom_size[d->value];

	for (size_t i = 0; i < d->n; i++) {
		struct atom k = datum_key(d, i), v = datum_value(d, i);

		total += text_bytes((enum atom_type)d->key, &k) +
			 text_bytes((enum atom_type)d->value, &v);
	}
	return sizeof(*d) + total;
}

static size_t pairs_unique(struct pair *p, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (!kept ||
		    atom_compare(sort_type, &p[kept - 1].key, &p[i].key))
			p[kept++] = p[i];
	return kept;
}

struct datum *datum_create(enum atom_type key, enum atom_type value,
			   const struct atom *keys, const struct atom *values,
			   size_t n)
{
	struct pair *p = xcalloc(n + 1, sizeof(*p));
	struct datum *d;

	for (size_t i = 0; i < n; i++) {
		p[i].key = keys[i];
		if (values)
			p[i].value = values[i];
		p[i].pos = i;
	}
	sort_type = key;
	if (n > 1)
		qsort(p, n, sizeof(*p), pair_compare);
	d = datum_from_pairs(key, value, p, pairs_unique(p, n));
	free(p);
	return d;
}

struct datum *datum_empty(enum atom_type key, enum atom_type value)
{
	return datum_from_pairs(key, value, NULL, 0);
}

static struct datum *datum_of(enum atom_type t, const struct atom *a)
{
	const struct pair p = { .key = *a };

	return datum_from_pairs(t, ATOM_VOID, &p, 1);
}

struct datum *datum_from_int(int64_t i)
{
	return datum_of(ATOM_INT, &(struct atom){ .i = i });
}

struct datum *datum_from_real(double d)
{
	return datum_of(ATOM_REAL, &(struct atom){ .real = d });
}

struct datum *datum_from_bool(bool b)
{
	return datum_of(ATOM_BOOL, &(struct atom){ .b = b });
}

struct datum *datum_from_string(const char *s)
{
	return datum_of(ATOM_STRING,
			&(struct atom){ .s = s, .len = (uint32_t)strlen(s) });
}

struct datum *datum_from_uuid(const struct uuid *u)
{
	return datum_of(ATOM_UUID, &(struct atom){ .uuid = *u });
}

struct datum *datum_from_optional(const char *s)
{
	return s ? datum_from_string(s) : datum_empty(ATOM_STRING, ATOM_VOID);
}

/* --- set operations ------------------------------------------------------------------------ */

/* A walk over two sorted data; what is kept of each. */
enum keep {
	KEEP_A = 1 << 0,           /* keys in A only */
	KEEP_B = 1 << 1,           /* keys in B only */
	KEEP_BOTH_A = 1 << 2,      /* in both, A's value */
	KEEP_DIFFERENT_A = 1 << 3, /* in both with other values, A's */
	KEEP_DIFFERENT_B = 1 << 4, /* the same, B's */
};

static struct pair pair_of(const struct datum *d, size_t i)
{
	struct pair p = { .key = datum_key(d, i) };

	if (datum_is_map(d))
		p.value = datum_value(d, i);
	return p;
}

static bool same_value(const struct datum *a, const struct pair *x,
		       const struct pair *y)
{
	return !atom_compare((enum atom_type)a->value, &x->value, &y->value);
}

static struct datum *datum_merge(const struct datum *a, const struct datum *b,
				 unsigned keep)
{
	struct pair *out = xcalloc((size_t)a->n + b->n + 1, sizeof(*out));
	size_t i = 0, k = 0, n = 0;
	struct datum *d;

	while (i < a->n || k < b->n) {
		struct pair x = { 0 }, y = { 0 };
		int c;

		if (i < a->n)
			x = pair_of(a, i);
		if (k < b->n)
			y = pair_of(b, k);
		c = i == a->n ? 1 :
		    k == b->n ? -1 :
				atom_compare((enum atom_type)a->key, &x.key,
					     &y.key);
		if (c < 0 && keep & KEEP_A)
			out[n++] = x;
		if (c > 0 && keep & KEEP_B)
			out[n++] = y;
		if (!c && keep & KEEP_BOTH_A)
			out[n++] = x;
		else if (!c && !same_value(a, &x, &y)) {
			if (keep & KEEP_DIFFERENT_A)
				out[n++] = x;
			else if (keep & KEEP_DIFFERENT_B)
				out[n++] = y;
		}
		i += c <= 0;
		k += c >= 0;
	}
	d = datum_from_pairs((enum atom_type)a->key, (enum atom_type)a->value,
			     out, n);
	free(out);
	return d;
}

struct datum *datum_union(const struct datum *a, const struct datum *b)
{
	return datum_merge(a, b, KEEP_A | KEEP_B | KEEP_BOTH_A);
}

struct datum *datum_subtract(const struct datum *a, const struct datum *b)
{
	/* A set of keys takes a map's pairs whatever their values. */
	if (datum_is_map(a) && datum_is_map(b))
		return datum_merge(a, b, KEEP_A | KEEP_DIFFERENT_A);
	return datum_merge(a, b, KEEP_A);
}

struct datum *datum_diff(const struct datum *a, const struct datum *b)
{
	return datum_merge(a, b, KEEP_A | KEEP_B | KEEP_DIFFERENT_B);
}

struct datum *datum_apply(const struct datum *a, const struct datum *diff)
{
	return datum_diff(a, diff);
}

/* --- text -------------------------------------------------------------------------------------- */

static void add_pair(struct str *s, const struct datum *d, size_t i)
{
	struct atom k = datum_key(d, i), v;

	if (!datum_is_map(d)) {
		atom_add_json(s, (enum atom_type)d->key, &k);
		return;
	}
	v = datum_value(d, i);
	json_add_open(s, '[');
	atom_add_json(s, (enum atom_type)d->key, &k);
	atom_add_json(s, (enum atom_type)d->value, &v);
	json_add_close(s, ']');
}

void datum_add_json(struct str *s, const struct datum *d)
{
	if (d->n == 1 && !datum_is_map(d)) {
		add_pair(s, d, 0);
		return;
	}
	json_add_open(s, '[');
	json_add_string(s, datum_is_map(d) ? "map" : "set");
	json_add_open(s, '[');
	for (size_t i = 0; i < d->n; i++)
		add_pair(s, d, i);
	json_add_close(s, ']');
	json_add_close(s, ']');
}

void datum_format(struct str *s, const struct datum *d)
{
	bool map = datum_is_map(d), bare = !map && d->n == 1;

	if (!bare)
		str_add_char(s, map ? '{' : '[');
	for (size_t i = 0; i < d->n; i++) {
		struct atom k = datum_key(d, i), v;

		if (i)
			str_add(s, ", ");
		atom_format(s, (enum atom_type)d->key, &k);
		if (!map)
			continue;
		v = datum_value(d, i);
		str_add_char(s, '=');
		atom_format(s, (enum atom_type)d->value, &v);
	}
	if (!bare)
		str_add_char(s, map ? '}' : ']');
}
