/* SPDX-License-Identifier: Apache-2.0 */
#include "ovsdb/type.h"

#include <errno.h>
#include <float.h>
#include <stdio.h>

/* --- base types ----------------------------------------------------------------------- */

static void base_type_init(struct base_type *t, enum atom_type type)
{
	*t = (struct base_type){ .type = type };
	if (type == ATOM_INT) {
		t->integer.min = INT64_MIN;
		t->integer.max = INT64_MAX;
	} else if (type == ATOM_REAL) {
		t->real.min = -DBL_MAX;
		t->real.max = DBL_MAX;
	} else if (type == ATOM_STRING) {
		t->string.max = UINT32_MAX;
	}
}

static void base_type_fini(struct base_type *t)
{
	datum_unref(t->enumeration);
	if (t->type == ATOM_UUID)
		free(t->uuid.table);
	*t = (struct base_type){ .type = ATOM_VOID };
}

static int type_name_parse(const struct json *v, enum atom_type *t,
			   struct fault *f)
{
	if (json_is_type(v, JSON_STRING) && atom_type_find(v->s, t))
		return 0;
	return fault_set_syntax(f, v, "%s is not an atomic-type",
				json_is_type(v, JSON_STRING) ? v->s : "this");
}

static int number_parse(const struct json *v, const char *name, double *out,
			struct fault *f)
{
	const struct json *m = json_find(v, name);

	if (!m)
		return 0;
	if (m->type == JSON_INT)
		*out = (double)m->i;
	else if (m->type == JSON_REAL)
		*out = m->real;
	else
		return fault_set_syntax(f, v, "%s must be a number", name);
	return 0;
}

static int integer_parse(const struct json *v, const char *name, int64_t *out,
			 struct fault *f)
{
	const struct json *m = json_find(v, name);

	if (m && m->type != JSON_INT)
		return fault_set_syntax(f, v, "%s must be an integer", name);
	if (m)
		*out = m->i;
	return 0;
}

static int length_parse(const struct json *v, const char *name, uint32_t *out,
			struct fault *f)
{
	int64_t n = *out;

	if (integer_parse(v, name, &n, f))
		return -EINVAL;
	if (n < 0 || n > UINT32_MAX)
		return fault_set_syntax(f, v, "%s is out of valid range", name);
	*out = (uint32_t)n;
	return 0;
}

static int ref_parse(struct base_type *t, const struct json *v, struct fault *f)
{
	const struct json *table = json_find(v, "refTable");
	const struct json *kind = json_find(v, "refType");

	if (!table)
		return 0;
	if (!json_is_type(table, JSON_STRING))
		return fault_set_syntax(f, v, "refTable must be a string");
	if (kind && !json_is(kind, "strong") && !json_is(kind, "weak"))
		return fault_set_syntax(f, v,
					"refType must be \"strong\" or "
					"\"weak\"");
	t->uuid.table = xstrdup(table->s);
	t->uuid.kind = json_is(kind, "weak") ? REF_WEAK : REF_STRONG;
	return 0;
}

static int limits_parse(struct base_type *t, const struct json *v,
			struct fault *f)
{
	int err = 0;

	switch (t->type) {
	case ATOM_INT:
		err = integer_parse(v, "minInteger", &t->integer.min, f);
		if (!err)
			err = integer_parse(v, "maxInteger", &t->integer.max,
					    f);
		if (!err && t->integer.min > t->integer.max)
			err = fault_set_syntax(f, v,
					       "minInteger exceeds maxInteger");
		break;
	case ATOM_REAL:
		err = number_parse(v, "minReal", &t->real.min, f);
		if (!err)
			err = number_parse(v, "maxReal", &t->real.max, f);
		if (!err && t->real.min > t->real.max)
			err = fault_set_syntax(f, v, "minReal exceeds maxReal");
		break;
	case ATOM_STRING:
		err = length_parse(v, "minLength", &t->string.min, f);
		if (!err)
			err = length_parse(v, "maxLength", &t->string.max, f);
		if (!err && t->string.min > t->string.max)
			err = fault_set_syntax(f, v,
					       "minLength exceeds maxLength");
		break;
	case ATOM_UUID:
		err = ref_parse(t, v, f);
		break;
	case ATOM_VOID:
	case ATOM_BOOL:
		break;
	}
	return err;
}

static int enum_parse(struct base_type *t, const struct json *v,
		      struct fault *f)
{
	struct type set = { .key = *t, .n_min = 1, .n_max = TYPE_UNLIMITED };

	if (!v)
		return 0;
	set.value.type = ATOM_VOID;
	t->enumeration = datum_parse_loose(&set, v, NULL, f);
	return t->enumeration ? 0 : -EINVAL;
}

int base_type_parse(struct base_type *t, const struct json *v, struct fault *f)
{
	bool plain = !json_is_type(v, JSON_OBJECT);
	enum atom_type type = ATOM_VOID;

	*t = (struct base_type){ .type = ATOM_VOID };
	if (type_name_parse(plain ? v : json_find(v, "type"), &type, f))
		return -EINVAL;
	base_type_init(t, type);
	if (plain ||
	    (!enum_parse(t, json_find(v, "enum"), f) && !limits_parse(t, v, f)))
		return 0;
	base_type_fini(t);
	return -EINVAL;
}

static bool base_type_is_plain(const struct base_type *t)
{
	struct base_type any;

	if (t->enumeration)
		return false;
	base_type_init(&any, t->type);
	switch (t->type) {
	case ATOM_INT:
		return t->integer.min == any.integer.min &&
		       t->integer.max == any.integer.max;
	case ATOM_REAL:
		return t->real.min == any.real.min &&
		       t->real.max == any.real.max;
	case ATOM_STRING:
		return !t->string.min && t->string.max == any.string.max;
	case ATOM_UUID:
		return !t->uuid.table;
	case ATOM_VOID:
	case ATOM_BOOL:
		return true;
	}
	return true;
}

void base_type_add_json(struct str *s, const struct base_type *t)
{
	struct base_type plain;

	base_type_init(&plain, t->type);
	if (base_type_is_plain(t)) {
		json_add_string(s, atom_type_name(t->type));
		return;
	}
	json_add_open(s, '{');
	if (t->enumeration) {
		json_add_name(s, "enum");
		datum_add_json(s, t->enumeration);
	}
	if (t->type == ATOM_INT && t->integer.max != plain.integer.max) {
		json_add_name(s, "maxInteger");
		json_add_int(s, t->integer.max);
	}
	if (t->type == ATOM_STRING && t->string.max != plain.string.max) {
		json_add_name(s, "maxLength");
		json_add_int(s, t->string.max);
	}
	if (t->type == ATOM_REAL && t->real.max != plain.real.max) {
		json_add_name(s, "maxReal");
		json_add_real(s, t->real.max);
	}
	if (t->type == ATOM_INT && t->integer.min != plain.integer.min) {
		json_add_name(s, "minInteger");
		json_add_int(s, t->integer.min);
	}
	if (t->type == ATOM_STRING && t->string.min) {
		json_add_name(s, "minLength");
		json_add_int(s, t->string.min);
	}
	if (t->type == ATOM_REAL && t->real.min != plain.real.min) {
		json_add_name(s, "minReal");
		json_add_real(s, t->real.min);
	}
	if (t->type == ATOM_UUID && t->uuid.table) {
		json_add_name(s, "refTable");
		json_add_string(s, t->uuid.table);
		if (t->uuid.kind == REF_WEAK) {
			json_add_name(s, "refType");
			json_add_string(s, "weak");
		}
	}
	json_add_name(s, "type");
	json_add_string(s, atom_type_name(t->type));
	json_add_close(s, '}');
}

/* --- types ------------------------------------------------------------------------------ */

static int max_parse(struct type *t, const struct json *v, struct fault *f)
{
	const struct json *max = json_find(v, "max");

	if (!max)
		return 0;
	if (json_is(max, "unlimited")) {
		t->n_max = TYPE_UNLIMITED;
		return 0;
	}
	if (max->type != JSON_INT || max->i < 1 || max->i >= TYPE_UNLIMITED)
		return fault_set_syntax(f, v,
					"max must be a positive integer "
					"or \"unlimited\"");
	t->n_max = (uint32_t)max->i;
	return 0;
}

static int counts_parse(struct type *t, const struct json *v, struct fault *f)
{
	int64_t min = 1;

	if (integer_parse(v, "min", &min, f))
		return -EINVAL;
	if (min != 0 && min != 1)
		return fault_set_syntax(f, v, "min must be 0 or 1");
	t->n_min = (uint32_t)min;
	return max_parse(t, v, f);
}

int type_parse(struct type *t, const struct json *v, struct fault *f)
{
	int err;

	*t = (struct type){ .n_min = 1, .n_max = 1 };
	t->value.type = ATOM_VOID;
	if (!json_is_type(v, JSON_OBJECT))
		return base_type_parse(&t->key, v, f);
	err = base_type_parse(&t->key, json_find(v, "key"), f);
	if (!err && json_find(v, "value"))
		err = base_type_parse(&t->value, json_find(v, "value"), f);
	if (!err)
		err = counts_parse(t, v, f);
	if (err)
		type_fini(t);
	return err;
}

void type_fini(struct type *t)
{
	base_type_fini(&t->key);
	base_type_fini(&t->value);
}

void type_add_json(struct str *s, const struct type *t)
{
	if (type_is_scalar(t)) {
		struct str key = STR_INIT;

		base_type_add_json(&key, &t->key);
		if (key.s[0] == '"') {
			json_add_raw(s, key.s, key.len);
			str_fini(&key);
			return;
		}
		str_fini(&key);
	}
	json_add_open(s, '{');
	json_add_name(s, "key");
	base_type_add_json(s, &t->key);
	if (t->n_max == TYPE_UNLIMITED) {
		json_add_name(s, "max");
		json_add_string(s, "unlimited");
	} else if (t->n_max != 1) {
		json_add_name(s, "max");
		json_add_int(s, t->n_max);
	}
	if (t->n_min != 1) {
		json_add_name(s, "min");
		json_add_int(s, t->n_min);
	}
	if (type_is_map(t)) {
		json_add_name(s, "value");
		base_type_add_json(s, &t->value);
	}
	json_add_close(s, '}');
}

void type_describe(struct str *s, const struct type *t)
{
	const char *key = atom_type_name(t->key.type);

	if (type_is_scalar(t)) {
		str_add(s, key);
		return;
	}
	str_add(s, type_is_map(t) ? "map of" : "set of");
	if (t->n_max == TYPE_UNLIMITED && t->n_min)
		str_addf(s, " %u or more", t->n_min);
	else if (t->n_max != TYPE_UNLIMITED && t->n_min)
		str_addf(s, " %u to %u", t->n_min, t->n_max);
	else if (t->n_max != TYPE_UNLIMITED)
		str_addf(s, " up to %u", t->n_max);
	if (type_is_map(t))
		str_addf(s, " (%s, %s) pairs", key,
			 atom_type_name(t->value.type));
	else
		str_addf(s, " %ss", key);
}

struct datum *type_default(const struct type *t)
{
	struct atom a = { .len = 0 }, v = { .len = 0 };

	if (t->key.type == ATOM_STRING)
		a.s = "";
	if (t->value.type == ATOM_STRING)
		v.s = "";
	return datum_create(t->key.type, t->value.type, &a, &v, t->n_min);
}

/* --- constraints ------------------------------------------------------------------------- */

static uint32_t characters(const struct atom *a)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < a->len; i++)
		n += (a->s[i] & 0xc0) != 0x80;
	return n;
}

static int string_check(const struct base_type *t, const struct atom *a,
			struct fault *f)
{
	uint32_t n = characters(a);

	if (n < t->string.min)
		return fault_set(f, FAULT_CONSTRAINT,
				 "\"%s\" length %u is less than minimum "
				 "allowed length %u",
				 a->s, n, t->string.min);
	if (n > t->string.max)
		return fault_set(f, FAULT_CONSTRAINT,
				 "\"%s\" length %u is greater than maximum "
				 "allowed length %u",
				 a->s, n, t->string.max);
	return 0;
}

static int range_fault(const struct base_type *t, const struct atom *a,
		       struct fault *f)
{
	struct base_type any;
	struct str is = STR_INIT, lo = STR_INIT, hi = STR_INIT;
	struct atom min = { .len = 0 }, max = { .len = 0 };
	bool has_min, has_max, is_int = t->type == ATOM_INT;

	base_type_init(&any, t->type);
	if (is_int) {
		min.i = t->integer.min;
		max.i = t->integer.max;
	} else {
		min.real = t->real.min;
		max.real = t->real.max;
	}
	has_min = is_int ? min.i != any.integer.min : min.real != any.real.min;
	has_max = is_int ? max.i != any.integer.max : max.real != any.real.max;
	atom_format(&is, t->type, a);
	atom_format(&lo, t->type, &min);
	atom_format(&hi, t->type, &max);
	if (has_min && has_max)
		fault_set(f, FAULT_CONSTRAINT,
			  "%s is not in the valid range %s to %s (inclusive)",
			  is.s, lo.s, hi.s);
	else if (has_min)
		fault_set(f, FAULT_CONSTRAINT,
			  "%s is less than minimum allowed value %s", is.s,
			  lo.s);
	else
		fault_set(f, FAULT_CONSTRAINT,
			  "%s is greater than maximum allowed value %s", is.s,
			  hi.s);
	str_fini(&is);
	str_fini(&lo);
	str_fini(&hi);
	return -EINVAL;
}

int base_type_check(const struct base_type *t, const struct atom *a,
		    struct fault *f)
{
	if (t->enumeration && datum_find(t->enumeration, a) < 0) {
		struct str one = STR_INIT, all = STR_INIT;

		atom_format(&one, t->type, a);
		datum_format(&all, t->enumeration);
		fault_set(f, FAULT_CONSTRAINT,
			  "%s is not one of the allowed values (%s)", one.s,
			  all.s);
		str_fini(&one);
		str_fini(&all);
		return -EINVAL;
	}
	switch (t->type) {
	case ATOM_INT:
		if (a->i < t->integer.min || a->i > t->integer.max)
			return range_fault(t, a, f);
		return 0;
	case ATOM_REAL:
		if (a->real < t->real.min || a->real > t->real.max)
			return range_fault(t, a, f);
		return 0;
	case ATOM_STRING:
		return string_check(t, a, f);
	case ATOM_VOID:
	case ATOM_BOOL:
	case ATOM_UUID:
		return 0;
	}
	return 0;
}

int type_check(const struct type *t, const struct datum *d, struct fault *f)
{
	if (d->n < t->n_min || d->n > t->n_max) {
		struct str s = STR_INIT;

		type_describe(&s, t);
		fault_set(f, FAULT_CONSTRAINT,
			  "Attempted to store %u elements in %s.", d->n, s.s);
		str_fini(&s);
		return -EINVAL;
	}
	for (size_t i = 0; i < d->n; i++) {
		struct atom k = datum_key(d, i), v;

		if (base_type_check(&t->key, &k, f))
			return -EINVAL;
		if (!datum_is_map(d))
			continue;
		v = datum_value(d, i);
		if (base_type_check(&t->value, &v, f))
			return -EINVAL;
	}
	return 0;
}

/* --- values from JSON --------------------------------------------------------------------- */

/* The text of ["uuid","..."]; NULL: it is none. */
static const char *tagged(const struct json *v, const char *word)
{
	if (!json_is_type(v, JSON_ARRAY) || v->n != 2 ||
	    !json_is(json_at(v, 0), word) ||
	    !json_is_type(json_at(v, 1), JSON_STRING))
		return NULL;
	return json_at(v, 1)->s;
}

static int uuid_from(const struct json *v, const struct named_uuids *names,
		     struct uuid *u, struct fault *f)
{
	const char *text = tagged(v, "uuid");
	const char *name = names ? tagged(v, "named-uuid") : NULL;

	if (text && uuid_parse(text, u))
		return 0;
	if (name && names->find(names, name, u))
		return 0;
	if (text)
		return fault_set_syntax(f, v, "\"%s\" is not a valid UUID",
					text);
	if (name)
		return fault_set_syntax(
			f, v, "named-uuid string is not a valid <id>");
	return fault_set_syntax(f, v, "expected [\"uuid\", <string>]");
}

static int atom_from(enum atom_type t, const struct json *v,
		     const struct named_uuids *names, struct atom *a,
		     struct fault *f)
{
	*a = (struct atom){ .len = 0 };
	switch (t) {
	case ATOM_INT:
		a->i = json_is_type(v, JSON_INT) ? v->i : 0;
		if (json_is_type(v, JSON_INT))
			return 0;
		break;
	case ATOM_REAL:
		if (json_is_type(v, JSON_INT) || json_is_type(v, JSON_REAL)) {
			a->real = v->type == JSON_INT ? (double)v->i : v->real;
			return 0;
		}
		break;
	case ATOM_BOOL:
		a->b = json_is_type(v, JSON_TRUE);
		if (json_is_bool(v))
			return 0;
		break;
	case ATOM_STRING:
		if (json_is_type(v, JSON_STRING)) {
			a->s = v->s;
			a->len = v->n;
			return 0;
		}
		break;
	case ATOM_UUID:
		return uuid_from(v, names, &a->uuid, f);
	case ATOM_VOID:
		break;
	}
	return fault_set_syntax(f, v, "expected %s", atom_type_name(t));
}

struct parsing {
	const struct type *type;
	const struct named_uuids *names;
	struct atom *keys, *values;
	bool check;
};

static int element_parse(struct parsing *p, const struct json *v, size_t i,
			 struct fault *f)
{
	const struct type *t = p->type;
	const struct json *key = v, *value = NULL;

	if (type_is_map(t)) {
		if (!json_is_type(v, JSON_ARRAY) || v->n != 2)
			return fault_set_syntax(f, v,
						"expected 2-element array");
		key = json_at(v, 0);
		value = json_at(v, 1);
	}
	if (atom_from(t->key.type, key, p->names, &p->keys[i], f) ||
	    (p->check && base_type_check(&t->key, &p->keys[i], f)))
		return -EINVAL;
	if (!value)
		return 0;
	if (atom_from(t->value.type, value, p->names, &p->values[i], f))
		return -EINVAL;
	return p->check ? base_type_check(&t->value, &p->values[i], f) : 0;
}

static struct datum *elements_parse(struct parsing *p, const struct json *v,
				    bool bare, struct fault *f)
{
	size_t n = bare ? 1 : v->n;
	const struct type *t = p->type;
	struct datum *d = NULL;
	int err = 0;

	p->keys = xcalloc(n + 1, sizeof(*p->keys));
	p->values = xcalloc(n + 1, sizeof(*p->values));
	for (size_t i = 0; i < n && !err; i++)
		err = element_parse(p, bare ? v : &v->elements[i], i, f);
	if (!err)
		d = datum_create(t->key.type, t->value.type, p->keys, p->values,
				 n);
	if (d && d->n < n) {
		fault_set(f, FAULT_OVSDB,
			  type_is_map(t) ? "map contains duplicate key" :
					   "set contains duplicate");
		datum_unref(d);
		d = NULL;
	}
	free(p->keys);
	free(p->values);
	return d;
}

/* Is it written as ["set",...], or must it be written as ["map",...]? */
static bool is_wrapped(const struct type *t, const struct json *v)
{
	return type_is_map(t) ||
	       (json_is_type(v, JSON_ARRAY) && json_is(json_at(v, 0), "set"));
}

static int size_check(const struct type *t, const struct json *v, size_t n,
		      struct fault *f)
{
	const char *word = type_is_map(t) ? "map" : "set";

	if (n >= t->n_min && n <= t->n_max)
		return 0;
	if (t->n_min == 1 && t->n_max == 1)
		return fault_set_syntax(f, v,
					"%s must have exactly one member but "
					"%zu are present",
					word, n);
	return fault_set_syntax(f, v,
				"%s must have %u to %u members but %zu are "
				"present",
				word, t->n_min, t->n_max, n);
}

static struct datum *value_parse(struct parsing *p, const struct json *v,
				 struct fault *f)
{
	const struct type *t = p->type;
	const char *word = type_is_map(t) ? "map" : "set";
	const struct json *in = json_at(v, 1);

	if (!is_wrapped(t, v))
		return elements_parse(p, v, true, f);
	if (!json_is_type(v, JSON_ARRAY) || v->n != 2 ||
	    !json_is(json_at(v, 0), word) || !json_is_type(in, JSON_ARRAY)) {
		fault_set_syntax(f, v, "expected [\"%s\", <array>]", word);
		return NULL;
	}
	if (size_check(t, v, in->n, f))
		return NULL;
	return elements_parse(p, in, false, f);
}

struct datum *datum_parse(const struct type *t, const struct json *v,
			  const struct named_uuids *names, struct fault *f)
{
	struct parsing p = { .type = t, .names = names, .check = true };

	return value_parse(&p, v, f);
}

struct datum *datum_parse_unbounded(const struct type *t, const struct json *v,
				    const struct named_uuids *names,
				    struct fault *f)
{
	struct parsing p = { .type = t, .names = names };

	return value_parse(&p, v, f);
}

struct datum *datum_parse_loose(const struct type *t, const struct json *v,
				const struct named_uuids *names,
				struct fault *f)
{
	struct type any = *t;
	struct parsing p = { .type = &any, .names = names };

	any.n_min = 0;
	any.n_max = TYPE_UNLIMITED;
	return value_parse(&p, v, f);
}
