/* SPDX-License-Identifier: Apache-2.0 */
/* A message: from bytes to what it is, and its headers when one is written.
 *
 * What      the kinds of message over all versions (messages.def), the header,
 *           the headers of vendors and multiparts behind it; opening a received
 *           message gives its kind and a cursor over its body.
 * Why so    who decodes a body need not know which of six versions and five
 *           families of headers stood before it.
 * Invariant M1 an opened message has a body of a length that its kind allows.
 *           M2 a written message's length is patched by of_msg_end and is at
 *           most OF_MESSAGE_MAX.
 * Owns      nothing: the body points into the bytes that were opened.
 * Threads   values.
 * Refs      OpenFlow 1.5.1 7.1.1 (header), 7.3.5 (multipart), 7.5.5
 *           (experimenter); nicira-ext.h for vendor 0x2320. */
#ifndef OFWIRE_MESSAGE_H
#define OFWIRE_MESSAGE_H

#include "ofwire/ofp.h"
#include "ofwire/out.h"
#include "packet/cursor.h"

enum of_error {
	OF_OK,
#define ERROR(name) OF_##name,
#define CODE(...)
#include "ofwire/errors.def"
#undef ERROR
#undef CODE
	N_OF_ERRORS
};

enum of_kind {
	OF_KIND_NONE,
#define KIND(kind) OF_##kind,
#define ROW(...)
#include "ofwire/messages.def"
#undef KIND
#undef ROW
	N_OF_KINDS
};

enum of_family {
	OF_FAMILY_MSG,  /* the type of the header */
	OF_FAMILY_STAT, /* multipart (statistics), by its type */
	OF_FAMILY_STAT_REPLY,
	OF_FAMILY_NX, /* vendor message of 0x2320, by its subtype */
	OF_FAMILY_NXSTAT,
	OF_FAMILY_NXSTAT_REPLY,
	OF_FAMILY_ONF, /* experimenter message of ONF */
	OF_FAMILY_ONFSTAT,
	OF_FAMILY_ONFSTAT_REPLY,
};

#define OF_HEADER_LEN 8u
#define OF_STAT_MORE 1u /* another message of the same multipart follows */

struct of_header {
	uint8_t version, type;
	uint16_t length;
	uint32_t xid;
};

struct of_msg {
	struct of_header h;
	enum of_kind kind;
	enum of_family family;
	uint16_t number; /* type, multipart type or subtype */
	uint16_t flags;  /* of a multipart: OF_STAT_MORE */
	struct cursor body;
};

/* "FLOW_MOD" */
const char *of_kind_name(enum of_kind kind);

/* The header of what starts at `data`; false when fewer than 8 bytes. */
bool of_header_read(const void *data, size_t len, struct of_header *h);

/* Opens a whole message of `len` bytes. On error `m->h` is what the header says
 * as far as it was there, the rest untouched. */
enum of_error of_msg_open(const void *data, size_t len,
			  struct of_msg *m) MUST_CHECK;

/* OK when the body was read to its end; else OFPBRC_BAD_LEN. */
enum of_error of_msg_done(const struct cursor *body) MUST_CHECK;

/* Can this version say it? Of several forms the first of messages.def counts. */
bool of_kind_exists(enum of_kind kind, unsigned version);

/* Writes the headers of a message; the offset returned is for of_msg_end. The
 * kind must exist in the version. */
size_t of_msg_begin(struct of_out *o, enum of_kind kind, unsigned version,
		    uint32_t xid);
/* The same in one family and number: where a version has more forms than one. */
size_t of_msg_begin_as(struct of_out *o, enum of_family family, uint16_t number,
		       unsigned version, uint32_t xid);
/* Patches the length. Our own bug when it is above OF_MESSAGE_MAX. */
void of_msg_end(struct of_out *o, size_t begin);
/* A message without a body. */
void of_msg_encode_empty(struct of_out *o, enum of_kind kind, unsigned version,
			 uint32_t xid);

/* A multipart that may need several messages. Each part (one flow, one port)
 * is written between of_parts_begin and of_parts_end; when a message would
 * outgrow OF_MESSAGE_MAX the part moves to a new one, and the one before says
 * that more follows. */
struct of_parts {
	struct of_out *o;
	size_t message; /* offset of the message being written */
	size_t headers; /* length of its headers and of `fixed` */
	size_t part;
};

/* The first message starts; what is added before the first part is repeated
 * in each message. */
void of_parts_init(struct of_parts *p, struct of_out *o, size_t begin);
void of_parts_fixed(struct of_parts *p);
void of_parts_begin(struct of_parts *p);
/* False when the part alone is longer than a message can be; it is dropped. */
bool of_parts_end(struct of_parts *p) MUST_CHECK;
/* The last message is complete. */
void of_parts_fini(struct of_parts *p);

#endif
