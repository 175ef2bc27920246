/* SPDX-License-Identifier: Apache-2.0 */
/* Records of the log: JSON objects with length and digest in front.
 *
 * What      "OVSDB JSON <length> <sha1>\n" and then <length> bytes of JSON that
 *           end with a newline.
 * Why so    this is the log format of ovsdb-server's standalone databases: its
 *           tools read ours, and the database engine that will use this store
 *           reads it too. The digest finds every flipped bit.
 * Invariant R1 no byte sequence inside a record looks like a header: a header
 *           ends with a raw newline, which JSON text of ours never holds but at
 *           its end.
 * Threads   none of its own.
 * Refs      ovsdb(5), "Standalone Format". */
#ifndef STORE_RECORD_H
#define STORE_RECORD_H

#include "base/str.h"

#define RECORD_MAX_BYTES 999999999u
#define RECORD_HEADER_MAX 64u /* bytes of a header line, at most */

/* Appends a record that holds `json` (without newline) to `out`. */
void record_encode(const char *json, size_t len, struct str *out);
/* The same, and it says that it is written in one go with the record before it:
 * a space behind its JSON, which readers pass over. So a reader can tell what a
 * power cut tore from what was durable once. */
void record_encode_joined(const char *json, size_t len, struct str *out);

enum record_status {
	RECORD_OK,
	RECORD_END,     /* nothing at `off` */
	RECORD_CUT,     /* begins right, and the data ends before it does */
	RECORD_DAMAGED, /* not a record, or the digest says otherwise */
};

struct record {
	size_t off, len;  /* the whole, header included */
	const char *json; /* in the data */
	size_t json_len;  /* newline included */
};

static inline bool record_is_joined(const struct record *r)
{
	return r->json_len > 1 && r->json[r->json_len - 2] == ' ';
}

/* The record at `off`. */
enum record_status record_decode(const char *data, size_t size, size_t off,
				 struct record *out);
/* The next good record at or behind `off`: false when there is none. */
bool record_search(const char *data, size_t size, size_t off,
		   struct record *out);

#endif
