/* SPDX-License-Identifier: Apache-2.0 */
#include "ovsdb/mutation.h"

#include <errno.h>
#include <math.h>

static const char *const words[] = {
	[MUTATE_ADD] = "+=",        [MUTATE_SUB] = "-=",
	[MUTATE_MUL] = "*=",        [MUTATE_DIV] = "/=",
	[MUTATE_MOD] = "%=",        [MUTATE_INSERT] = "insert",
	[MUTATE_DELETE] = "delete",
};

/* --- reading ------------------------------------------------------------------------ */

static bool is_number(const struct type *t)
{
	return (t->key.type == ATOM_INT || t->key.type == ATOM_REAL) &&
	       t->value.type == ATOM_VOID;
}

static int mutator_check(const struct mutation *m, const struct json *v,
			 struct fault *f)
{
	const struct type *t = &m->column->type;
	struct str text = STR_INIT;
	bool fits = true;

	if (m->mutator < MUTATE_INSERT)
		fits = is_number(t) &&
		       (m->mutator != MUTATE_MOD || t->key.type == ATOM_INT);
	else
		fits = t->value.type != ATOM_VOID || t->n_max > 1 ||
		       t->n_min == 0;
	if (fits)
		return 0;
	type_describe(&text, t);
	fault_set_syntax(f, v,
			 "Type mismatch: \"%s\" operator may not be applied to "
			 "column %s of type %s.",
			 words[m->mutator], m->column->name, text.s);
	str_fini(&text);
	return -EINVAL;
}

/* A set of keys takes pairs out of a map, too. */
static struct datum *delete_arg_parse(const struct type *t,
				      const struct json *v,
				      const struct named_uuids *names,
				      struct fault *f)
{
	struct type arg = *t;
	struct datum *d;

	arg.n_min = 0;
	arg.n_max = TYPE_UNLIMITED;
	d = datum_parse(&arg, v, names, f);
	if (d || !type_is_map(t))
		return d;
	fault_fini(f);
	arg.value = (struct base_type){ .type = ATOM_VOID };
	return datum_parse(&arg, v, names, f);
}

static struct datum *arg_parse(const struct mutation *m, const struct json *v,
			       const struct named_uuids *names, struct fault *f)
{
	struct type arg = m->column->type;

	if (m->mutator == MUTATE_DELETE)
		return delete_arg_parse(&arg, v, names, f);
	if (m->mutator == MUTATE_INSERT) {
		arg.n_min = 0;
		return datum_parse(&arg, v, names, f);
	}
	arg.n_min = arg.n_max = 1;
	return datum_parse_unbounded(&arg, v, names, f);
}

static int mutation_read(struct mutation *m, const struct table_schema *t,
			 const struct json *v, const struct named_uuids *names,
			 struct fault *f)
{
	const struct json *column = json_at(v, 0), *word = json_at(v, 1);
	bool known = false;

	if (!json_is_type(v, JSON_ARRAY) || v->n != 3 ||
	    !json_is_type(column, JSON_STRING) ||
	    !json_is_type(word, JSON_STRING))
		return fault_set_syntax(f, v, "Parse error in mutation.");
	m->column = schema_find_column(t, column->s);
	if (!m->column)
		return fault_set_about(f, FAULT_UNKNOWN_COLUMN, v,
				       "No column %s in table %s.", column->s,
				       t->name);
	if (m->column->index < COLUMN_FIRST || !m->column->mutable)
		return fault_set_about(f, FAULT_CONSTRAINT, v,
				       "Cannot mutate immutable column %s in "
				       "table %s.",
				       column->s, t->name);
	for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(words[i], word->s))
			continue;
		m->mutator = (enum mutator)i;
		known = true;
	}
	if (!known)
		return fault_set_about(f, FAULT_UNKNOWN_MUTATOR, NULL,
				       "No mutator named %s.", word->s);
	if (mutator_check(m, v, f))
		return -EINVAL;
	m->arg = arg_parse(m, json_at(v, 2), names, f);
	return m->arg ? 0 : -EINVAL;
}

int mutations_parse(struct mutations *m, const struct table_schema *t,
		    const struct json *v, const struct named_uuids *names,
		    struct fault *f)
{
	*m = (struct mutations){ 0 };
	if (!json_is_type(v, JSON_ARRAY))
		return fault_set_syntax(f, v, "array of mutations expected");
	m->list = xcalloc(v->n + 1, sizeof(*m->list));
	json_for_each(one, v) {
		if (!mutation_read(&m->list[m->n++], t, one, names, f))
			continue;
		mutations_fini(m);
		return -EINVAL;
	}
	return 0;
}

void mutations_fini(struct mutations *m)
{
	for (unsigned i = 0; i < m->n; i++)
		datum_unref(m->list[i].arg);
	free(m->list);
	*m = (struct mutations){ 0 };
}

/* --- applying ------------------------------------------------------------------------- */

static int apply_int(enum mutator m, int64_t a, int64_t b, int64_t *out,
		     struct fault *f)
{
	bool over = false;

	if ((m == MUTATE_DIV || m == MUTATE_MOD) && !b)
		return fault_set(f, FAULT_DOMAIN, "Division by zero.");
	if (m == MUTATE_ADD)
		over = __builtin_add_overflow(a, b, out);
	else if (m == MUTATE_SUB)
		over = __builtin_sub_overflow(a, b, out);
	else if (m == MUTATE_MUL)
		over = __builtin_mul_overflow(a, b, out);
	else if (a == INT64_MIN && b == -1)
		over = true;
	else
		*out = m == MUTATE_DIV ? a / b : a % b;
	if (!over)
		return 0;
	return fault_set(f, FAULT_RANGE,
			 "Result of \"%s\" operation is out of range.",
			 words[m]);
}

static int apply_real(enum mutator m, double a, double b, double *out,
		      struct fault *f)
{
	if (m == MUTATE_DIV && b == 0)
		return fault_set(f, FAULT_DOMAIN, "Division by zero.");
	if (m == MUTATE_ADD)
		*out = a + b;
	else if (m == MUTATE_SUB)
		*out = a - b;
	else if (m == MUTATE_MUL)
		*out = a * b;
	else
		*out = a / b;
	if (isfinite(*out))
		return 0;
	return fault_set(f, FAULT_RANGE,
			 "Result of \"%s\" operation is out of range.",
			 words[m]);
}

static struct datum *apply_number(const struct mutation *m,
				  const struct datum *old, struct fault *f)
{
	struct atom *keys = xcalloc(old->n + 1, sizeof(*keys));
	struct atom arg = datum_key(m->arg, 0);
	bool is_int = old->key == ATOM_INT;
	struct datum *d = NULL;
	int err = 0;

	for (size_t i = 0; i < old->n && !err; i++) {
		struct atom a = datum_key(old, i);

		err = is_int ?
			      apply_int(m->mutator, a.i, arg.i, &keys[i].i, f) :
			      apply_real(m->mutator, a.real, arg.real,
					 &keys[i].real, f);
	}
	if (!err)
		d = datum_create((enum atom_type)old->key, ATOM_VOID, keys,
				 NULL, old->n);
	free(keys);
	if (d && d->n < old->n) {
		fault_set(f, FAULT_CONSTRAINT,
			  "Result of \"%s\" operation contains duplicates.",
			  words[m->mutator]);
		datum_unref(d);
		d = NULL;
	}
	return d;
}

struct datum *mutation_apply(const struct mutation *m, const struct datum *old,
			     struct fault *f)
{
	struct datum *d;

	if (m->mutator == MUTATE_INSERT)
		d = datum_union(old, m->arg);
	else if (m->mutator == MUTATE_DELETE)
		d = datum_subtract(old, m->arg);
	else
		d = apply_number(m, old, f);
	if (d && type_check(&m->column->type, d, f)) {
		datum_unref(d);
		d = NULL;
	}
	return d;
}
