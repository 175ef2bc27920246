/* SPDX-License-Identifier: Apache-2.0 */
/* Match fields on the wire: NXM, OXM and experimenters' OXM.
 *
 * What      oxm.def as tables: a header of 4 (or, an experimenter's, 8) bytes
 *           <-> a field of flow/fields.def; values with their masks.
 * Why so    matches, set-field, move, learn, table features and packet-in
 *           metadata name fields by the same header.
 * Invariant O1 a value read has no bit outside its field.
 * Threads   read-only.
 * Refs      OpenFlow 1.5.1 7.2.3 (Flow Match Structures), nicira-ext.h. */
#ifndef OFWIRE_OXM_H
#define OFWIRE_OXM_H

#include "flow/field.h"
#include "ofwire/message.h"

#define OXM_CLASS_NXM0 0x0000u
#define OXM_CLASS_NXM1 0x0001u
#define OXM_CLASS_ERIC 0x1000u
#define OXM_CLASS_BASIC 0x8000u
#define OXM_CLASS_REGS 0x8001u
#define OXM_CLASS_EXPERIMENTER 0xffffu

/* Version number for fields as 1.0's extension writes them. */
#define OXM_NXM 0u

enum oxm_shape {
	OXM_PLAIN,  /* right-aligned in its bytes */
	OXM_PORT16, /* a port of 1.0 */
	OXM_VID,    /* 12 bits and OFPVID_PRESENT */
	OXM_TOS,    /* DSCP in its place, the two bits of ECN zero */
	OXM_TLV,    /* as long as the header says */
};

/* The bits of a type of service that NXM_OF_IP_TOS matches. */
#define OXM_DSCP 0xfcu

struct oxm {
	uint16_t field; /* enum field_id */
	uint16_t class;
	uint32_t vendor; /* of class EXPERIMENTER */
	uint8_t number, bytes, shape, since;
	bool maskable;
	const char *name; /* "NXM_OF_ETH_SRC" */
};

struct oxm_header {
	const struct oxm *oxm; /* NULL: unknown */
	bool has_mask;
	bool is_cookie; /* NXM's pseudo field: the cookie of a flow */
	uint8_t bytes;  /* of the value; as many of the mask */
};

struct oxm_value {
	struct field_value value, mask; /* exact: all ones of the field */
	bool exact;
};

/* The best way for a version (OXM_NXM, enum of_version) to name a field; NULL
 * when none has a number for it. */
const struct oxm *oxm_find(enum field_id id, unsigned version);

/* The field of that name, OXM's ("NXM_OF_ETH_SRC") or ours; -1: none. */
int oxm_field_by_name(const char *name);

/* Takes a header. OFPBMC_BAD_LEN; or OFPBMC_BAD_FIELD with the bytes to pass
 * over in `h`, when it is not known. */
enum of_error oxm_header_get(struct cursor *c, struct oxm_header *h) MUST_CHECK;
void oxm_header_put(struct of_out *o, const struct oxm *oxm, bool has_mask);
/* Takes the value of a header just taken (and its mask). OFPBMC_BAD_LEN,
 * BAD_VALUE, BAD_WILDCARDS; whether a mask is allowed is the caller's. */
enum of_error oxm_value_get(struct cursor *c, const struct oxm_header *h,
			    struct oxm_value *v) MUST_CHECK;
/* Header, value, and the mask unless it is exact. */
void oxm_put(struct of_out *o, const struct oxm *oxm,
	     const struct field_value *value, const struct field_value *mask);
/* The value alone, in `bytes` bytes. */
void oxm_value_put(struct of_out *o, const struct oxm *oxm,
		   const struct field_value *value);

#endif
