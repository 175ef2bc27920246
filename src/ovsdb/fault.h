/* SPDX-License-Identifier: Apache-2.0 */
/* A fault: what was wrong with a request, in the protocol's words.
 *
 * What      an <error> of RFC 7047: a tag of the standard ("constraint
 *           violation"), a sentence, and the JSON that is meant.
 * Why so    clients compare the tag, people read the sentence.
 * Owns      its text; fault_fini frees. A zeroed struct means no fault.
 * Threads   none of its own.
 * Refs      RFC 7047 3.1 <error>, 5. */
#ifndef OVSDB_FAULT_H
#define OVSDB_FAULT_H

#include "base/json.h"

#define FAULT_ABORTED "aborted"
#define FAULT_CONSTRAINT "constraint violation"
#define FAULT_DOMAIN "domain error"
#define FAULT_DUPLICATE_NAME "duplicate uuid-name"
#define FAULT_DUPLICATE_ROW "duplicate uuid"
#define FAULT_INTEGRITY "referential integrity violation"
#define FAULT_IO "I/O error"
#define FAULT_NOT_ALLOWED "not allowed"
#define FAULT_NOT_OWNER "not owner"
#define FAULT_NOT_SUPPORTED "not supported"
#define FAULT_OVSDB "ovsdb error"
#define FAULT_RANGE "range error"
#define FAULT_RESOURCES "resources exhausted"
#define FAULT_SYNTAX "syntax error"
#define FAULT_TIMED_OUT "timed out"
#define FAULT_UNKNOWN_COLUMN "unknown column"
#define FAULT_UNKNOWN_DATABASE "unknown database"
#define FAULT_UNKNOWN_FUNCTION "unknown function"
#define FAULT_UNKNOWN_MUTATOR "unknown mutator"
#define FAULT_UNKNOWN_TABLE "unknown table"

struct fault {
	const char *tag; /* one of the above; NULL: no fault */
	char *details;   /* a sentence, or NULL */
	char *syntax;    /* the JSON that is meant, or NULL */
};

/* Sets the fault unless one is set already. Returns -EINVAL. */
int fault_set(struct fault *f, const char *tag, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
/* A syntax error about `v`, which may be NULL. Returns -EINVAL. */
int fault_set_syntax(struct fault *f, const struct json *v, const char *fmt,
		     ...) PRINTF_LIKE(3, 4);
/* The same under another tag. */
int fault_set_about(struct fault *f, const char *tag, const struct json *v,
		    const char *fmt, ...) PRINTF_LIKE(4, 5);
void fault_fini(struct fault *f);
static inline bool fault_is_set(const struct fault *f)
{
	return f->tag;
}

/* {"details":...,"error":...,"syntax":...} */
void fault_add_json(const struct fault *f, struct str *s);
/* "tag: details", for people; to be freed by the caller. */
char *fault_format(const struct fault *f);

#endif
