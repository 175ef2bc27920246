/* SPDX-License-Identifier: Apache-2.0 */
/* JSON: a document read from chunks, and text written piece by piece.
 *
 * What      json_parser eats bytes as they arrive and gives one document after
 *           the other; json_doc is a tree of immutable values in one arena;
 *           the json_add functions write text straight into a struct str.
 * Why so    a value is 16 bytes and a document is freed by a handful of free()
 *           calls; replies are never built as a tree first. Members of an
 *           object are sorted when it closes, so finding one is a bisection,
 *           equality a walk, and what is printed is canonical.
 * Invariant J1 strings are valid UTF-8, NUL-terminated, without a NUL inside
 *           (\u0000 is refused).  J2 members are sorted by strcmp and unique:
 *           of equal names the last in the text won.  J3 a number whose value
 *           is an integer in int64's range is JSON_INT, exactly, also when
 *           written 1.0 or 1e3; every other number is a finite JSON_REAL.
 *           J4 values nest at most JSON_DEPTH_MAX deep, so that the functions
 *           that recurse over a document are bounded.
 * Threads   none of its own; documents that nobody changes may be read by any.
 * Owns      a document owns its values; json_parser_take gives it to the caller.
 * Refs      RFC 8259; RFC 3629 (UTF-8). */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/defs.h"
#include "base/err.h"
#include "base/str.h"

/* Arrays and objects inside each other. */
#define JSON_DEPTH_MAX 1000
/* Bytes of text of one document where the caller has no limit of its own. */
#define JSON_BYTES_MAX (1u << 30)

enum json_type {
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_INT,
	JSON_REAL,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

struct json {
	uint32_t type; /* enum json_type */
	uint32_t n;    /* bytes of a string; elements; members */
	union {
		int64_t i;
		double real;
		const char *s;
		const struct json *elements;
		const struct json_member *members;
	};
};

struct json_member {
	const char *name;
	struct json value;
};

struct json_doc; /* a tree and its arena */

const struct json *json_root(const struct json_doc *d);
void json_doc_destroy(struct json_doc *d);
/* A document of its own that equals `v`. */
struct json_doc *json_doc_clone(const struct json *v);
/* Bytes of memory that the document holds. */
size_t json_doc_bytes(const struct json_doc *d);

/* -- Reading -------------------------------------------------------------- */

/* What a document may cost. Memory is the parser's own and the document's:
 * about 32 bytes for each byte of the worst text, so a peer that is not trusted
 * gets both limits. 0 means JSON_BYTES_MAX and no limit, respectively. */
struct json_limits {
	size_t text_bytes;
	size_t memory_bytes;
};

enum json_state {
	JSON_MORE,   /* the document is not complete */
	JSON_DONE,   /* json_parser_take has it */
	JSON_FAILED, /* json_parser_error says why; it stays so */
};

struct json_parser;

struct json_parser *json_parser_create(const struct json_limits *limits);
void json_parser_destroy(struct json_parser *p);
/* Eats bytes up to the end of one document and returns how many; when that is
 * less than n, the state is no longer JSON_MORE. White space between documents
 * is skipped. A number that stands alone ends at the byte after it. */
size_t json_parser_feed(struct json_parser *p, const char *text, size_t n);
/* The input is at its end: completes a number, fails an open value. */
void json_parser_finish(struct json_parser *p);
enum json_state json_parser_state(const struct json_parser *p);
/* True when nothing but white space came since the last document. */
bool json_parser_is_idle(const struct json_parser *p);
/* A sentence with the place ("line 2, column 7: ..."); NULL: no error. */
const char *json_parser_error(const struct json_parser *p);
/* The complete document, which is the caller's; the parser starts anew. */
struct json_doc *json_parser_take(struct json_parser *p);

/* One whole text; more than white space after the value is an error. Returns 0
 * and *out, or -EINVAL with the error's sentence. */
int json_parse(const char *text, size_t n, struct json_doc **out,
	       struct err *e) MUST_CHECK;

/* -- Looking -------------------------------------------------------------- */

/* The member's value, or NULL; NULL also when `v` is NULL or no object. */
const struct json *json_find(const struct json *v, const char *name);
/* The element, or NULL when there is none or `v` is no array. */
const struct json *json_at(const struct json *v, size_t i);
/* `v` is the string `s`; false for NULL. */
bool json_is(const struct json *v, const char *s);
bool json_equal(const struct json *a, const struct json *b);
uint64_t json_hash(const struct json *v, uint64_t seed);
/* "null", "boolean", "integer", "number", "string", "array", "object". */
const char *json_type_name(const struct json *v);

static inline bool json_is_type(const struct json *v, enum json_type t)
{
	return v && v->type == t;
}

static inline bool json_is_bool(const struct json *v)
{
	return v && (v->type == JSON_TRUE || v->type == JSON_FALSE);
}

#define json_for_each_member(pos, obj)                                         \
	for (const struct json_member *pos = (obj)->members,                   \
				      *pos##_end = pos + (obj)->n;             \
	     pos != pos##_end; pos++)

#define json_for_each(pos, arr)                                                \
	for (const struct json *pos = (arr)->elements,                         \
			       *pos##_end = pos + (arr)->n;                    \
	     pos != pos##_end; pos++)

/* -- Writing -------------------------------------------------------------- */

/* Each adds one value (or a name, or an opening bracket), with a comma in front
 * when the text so far ends in a value. So they may be used on any struct str:
 *
 *     json_add_open(s, '{');  json_add_name(s, "id");  json_add_int(s, 7);
 *     json_add_close(s, '}');                             -> {"id":7}
 */
void json_add_open(struct str *s, char bracket);
void json_add_close(struct str *s, char bracket);
void json_add_name(struct str *s, const char *name);
void json_add_null(struct str *s);
void json_add_bool(struct str *s, bool b);
void json_add_int(struct str *s, int64_t i);
/* The shortest of 15 to 17 digits that reads back as the same number. */
void json_add_real(struct str *s, double d);
void json_add_string(struct str *s, const char *text);
void json_add_string_n(struct str *s, const char *text, size_t n);
/* The value, on one line, members sorted: canonical. */
void json_add(struct str *s, const struct json *v);
/* Text that is JSON already. */
void json_add_raw(struct str *s, const char *json, size_t n);

/* Is it UTF-8: shortest forms only, no surrogates, at most U+10FFFF? */
bool json_utf8_is_valid(const char *text, size_t n);

#endif
