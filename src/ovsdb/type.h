/* SPDX-License-Identifier: Apache-2.0 */
/* Types: what a column may hold.
 *
 * What      <base-type> and <type>: an atomic type with its constraints, twice
 *           in a map, and how many elements there may be.
 * Owns      a type owns its enum and the table's name; type_fini frees.
 * Threads   immutable after it was read.
 * Refs      RFC 7047 3.2 <base-type>, <type>; ovs-vswitchd.conf.db(5). */
#ifndef OVSDB_TYPE_H
#define OVSDB_TYPE_H

#include "ovsdb/datum.h"

#define TYPE_UNLIMITED UINT32_MAX

enum ref_kind { REF_NONE, REF_STRONG, REF_WEAK };

struct base_type {
	enum atom_type type;
	struct datum *enumeration; /* a set, or NULL */
	union {
		struct {
			int64_t min, max;
		} integer;
		struct {
			double min, max;
		} real;
		struct {
			uint32_t min, max; /* characters */
		} string;
		struct {
			char *table;          /* NULL: no reference */
			unsigned table_index; /* in the schema */
			enum ref_kind kind;
		} uuid;
	};
};

struct type {
	struct base_type key;
	struct base_type value; /* ATOM_VOID: not a map */
	uint32_t n_min;         /* 0 or 1 */
	uint32_t n_max;         /* TYPE_UNLIMITED, or at least 1 */
};

/* 0, or -EINVAL with the fault. */
int base_type_parse(struct base_type *t, const struct json *v,
		    struct fault *f) MUST_CHECK;
int type_parse(struct type *t, const struct json *v,
	       struct fault *f) MUST_CHECK;
void type_fini(struct type *t);
void base_type_add_json(struct str *s, const struct base_type *t);
void type_add_json(struct str *s, const struct type *t);
/* "set of 1 to 2 integers", for sentences. */
void type_describe(struct str *s, const struct type *t);

static inline bool type_is_scalar(const struct type *t)
{
	return t->value.type == ATOM_VOID && t->n_min == 1 && t->n_max == 1;
}

static inline bool type_is_optional(const struct type *t)
{
	return t->value.type == ATOM_VOID && t->n_min == 0 && t->n_max == 1;
}

static inline bool type_is_map(const struct type *t)
{
	return t->value.type != ATOM_VOID;
}

static inline bool type_is_set(const struct type *t)
{
	return t->value.type == ATOM_VOID && t->n_max > 1;
}

/* Is the atom within range, length and enum? -EINVAL: constraint violation. */
int base_type_check(const struct base_type *t, const struct atom *a,
		    struct fault *f) MUST_CHECK;
/* The same for all atoms of a datum, and its number of elements. */
int type_check(const struct type *t, const struct datum *d,
	       struct fault *f) MUST_CHECK;
/* The default of RFC 7047 5.2.1: 0, false, "", the zero UUID, or empty. */
struct datum *type_default(const struct type *t);

/* Who knows the names of rows that a transaction is about to make: gives the
 * UUID of ["named-uuid", name]. NULL instead of one: the name is refused. */
struct named_uuids {
	bool (*find)(const struct named_uuids *n, const char *name,
		     struct uuid *u);
};

/* Reads a <value>. With `check`, constraints of atoms hold, too; the number of
 * elements is checked always. NULL with the fault. */
struct datum *datum_parse(const struct type *t, const struct json *v,
			  const struct named_uuids *names,
			  struct fault *f) MUST_CHECK;
/* The same without constraints on atoms. */
struct datum *datum_parse_unbounded(const struct type *t, const struct json *v,
				    const struct named_uuids *names,
				    struct fault *f) MUST_CHECK;
/* The same without constraints on atoms, any number of elements: for conditions
 * and mutations. */
struct datum *datum_parse_loose(const struct type *t, const struct json *v,
				const struct named_uuids *names,
				struct fault *f) MUST_CHECK;

#endif
