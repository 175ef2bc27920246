/* SPDX-License-Identifier: Apache-2.0 */
/* Datum: the value of one column of one row.
 *
 * What      an atom is an integer, real, boolean, string or UUID; a datum is a
 *           scalar, an optional, a set or a map of atoms, all one thing: n keys,
 *           and n values in a map.
 * Why so    a datum is immutable and counted: a row, the change set, an old
 *           version and a column's default share one. All of it, strings too,
 *           lies in one block of memory, keys sorted; a million rows pay for
 *           what they hold and hardly more.
 * Invariant D1 keys are sorted by atom_compare and unique.  D2 nobody changes a
 *           datum that exists; functions that "change" return another one.
 * Threads   the control thread (the counts are not atomic).
 * Owns      functions that return struct datum * give a reference to the
 *           caller; arguments are borrowed. Both: datum_unref.
 * Refs      RFC 7047 5.1 <value>, <atom>, <set>, <map>. */
#ifndef OVSDB_DATUM_H
#define OVSDB_DATUM_H

#include "base/json.h"
#include "ovsdb/fault.h"
#include "ovsdb/uuid.h"

enum atom_type {
	ATOM_VOID, /* what a set has for values */
	ATOM_INT,
	ATOM_REAL,
	ATOM_BOOL,
	ATOM_STRING,
	ATOM_UUID,
};

#define ATOM_N_TYPES 6

/* "integer", "real", "boolean", "string", "uuid"; "void". */
const char *atom_type_name(enum atom_type t);
/* False when there is no such type. */
bool atom_type_find(const char *name, enum atom_type *t);

/* A value of 16 bytes. A string is borrowed, from a datum or a document; it is
 * NUL-terminated, and len is without the NUL. The type is known beside it. */
struct atom {
	union {
		int64_t i;
		double real;
		bool b;
		const char *s;
		struct uuid uuid;
	};
	uint32_t len;
};

/* Less than, equal to, greater than zero. Strings by bytes, false before true. */
int atom_compare(enum atom_type t, const struct atom *a, const struct atom *b);
uint64_t atom_hash(enum atom_type t, const struct atom *a, uint64_t seed);
/* As in RFC 7047 <atom>: 5, "x", true, ["uuid","..."]. */
void atom_add_json(struct str *s, enum atom_type t, const struct atom *a);
/* For people: as JSON, but a UUID plain, and a string without quotes when it is
 * a word. */
void atom_format(struct str *s, enum atom_type t, const struct atom *a);

struct datum {
	uint32_t refs;
	uint32_t n;
	uint8_t key;   /* enum atom_type */
	uint8_t value; /* enum atom_type; ATOM_VOID: not a map */
	uint16_t reserved;
	uint32_t text; /* where strings start in data */
	char data[];   /* keys, values, strings */
};

static inline struct datum *datum_ref(const struct datum *d)
{
	struct datum *counted = (struct datum *)d;

	counted->refs++;
	return counted;
}

/* NULL is fine. */
void datum_unref(struct datum *d);

/* The i-th key or value, i < n; O(1). */
struct atom datum_key(const struct datum *d, size_t i);
struct atom datum_value(const struct datum *d, size_t i);

static inline bool datum_is_map(const struct datum *d)
{
	return d->value != ATOM_VOID;
}

/* The position of a key, or -1; O(log n). */
ptrdiff_t datum_find(const struct datum *d, const struct atom *key);
/* The value under a string key of a map of strings to strings; NULL: none. */
const char *datum_find_string(const struct datum *d, const char *key);
/* Any total order; 0 exactly when equal. Both have the same type. */
int datum_compare(const struct datum *a, const struct datum *b);
bool datum_equal(const struct datum *a, const struct datum *b);
uint64_t datum_hash(const struct datum *d, uint64_t seed);
/* Bytes of memory. */
size_t datum_bytes(const struct datum *d);

/* -- Making --------------------------------------------------------------- */

/* A datum of n keys (and n values, when `value` is a type) in any order. Of
 * equal keys the first stays when `value` is ATOM_VOID; *duplicate, when not
 * NULL, is set to the position of a key that is there twice, or -1. */
struct datum *datum_create(enum atom_type key, enum atom_type value,
			   const struct atom *keys, const struct atom *values,
			   size_t n);
struct datum *datum_empty(enum atom_type key, enum atom_type value);
struct datum *datum_from_int(int64_t i);
struct datum *datum_from_real(double d);
struct datum *datum_from_bool(bool b);
struct datum *datum_from_string(const char *s);
struct datum *datum_from_uuid(const struct uuid *u);
/* NULL gives the empty set: an optional string. */
struct datum *datum_from_optional(const char *s);

/* A union B: for keys in both, A's value stays. */
struct datum *datum_union(const struct datum *a, const struct datum *b);
/* A without the keys of B (when B is a map: whose value is equal, too). B may be
 * a set of A's keys. */
struct datum *datum_subtract(const struct datum *a, const struct datum *b);
/* Symmetric difference, as <row-update2> of monitor_cond has it: for a set the
 * elements in one of both; for a map also the keys whose value changed, with
 * the new value. datum_apply(a, datum_diff(a, b)) equals b. */
struct datum *datum_diff(const struct datum *a, const struct datum *b);
struct datum *datum_apply(const struct datum *a, const struct datum *diff);

/* -- Text ----------------------------------------------------------------- */

/* RFC 7047 <value>: one element without a wrapping ["set",[...]]. */
void datum_add_json(struct str *s, const struct datum *d);
/* As ovs-vsctl prints it: [a, b], {k=v}, or the bare element of a scalar. */
void datum_format(struct str *s, const struct datum *d);

#endif
