/* SPDX-License-Identifier: Apache-2.0 */
/* Fields: the parts of a key by name.
 *
 * What      fields.def as a table: where each field lies in the key, how wide it
 *           is, how it is masked and written, what must hold for it to exist.
 * Why so    matching, setting, printing and every wire codec go through one
 *           table; a field that is not in it does not exist.
 * Shapes    a value is big-endian bytes, right-aligned in field_bytes(f); *in
 *           the key's memory* a field is `n` bytes at `offset`: the member that
 *           holds it, and field_mask_in_key says which bits of them are its own.
 * Threads   read-only.
 * Refs      OpenFlow 1.5.1 7.2.3.7 (OXM fields), ovs-fields(7). */
#ifndef FLOW_FIELD_H
#define FLOW_FIELD_H

#include "base/err.h"
#include "base/str.h"
#include "flow/key.h"

enum field_id {
#define FIELD(id, name, alias, member, bits, shift, mask, form, pre, set)      \
	FIELD_##id,
#include "flow/fields.def"
#undef FIELD
	N_FIELDS
};

enum field_mask_kind { FIELD_MASK_NONE, FIELD_MASK_ANY };

enum field_form {
	FIELD_FORM_DEC,
	FIELD_FORM_HEX,
	FIELD_FORM_PORT,
	FIELD_FORM_MAC,
	FIELD_FORM_IP4,
	FIELD_FORM_IP6,
	FIELD_FORM_FRAG,
	FIELD_FORM_TCPFLAGS,
	FIELD_FORM_TUNFLAGS,
	FIELD_FORM_CTSTATE,
	/* From here on the member is wider than the element at its place. */
	FIELD_FORM_BYTES, /* hex; the member is bytes, not an integer */
	FIELD_FORM_REGS,  /* several 32-bit registers, the first is highest */
};

enum field_prereq {
	FIELD_PREREQ_NONE,
	FIELD_PREREQ_ETH,
	FIELD_PREREQ_VLAN,
	FIELD_PREREQ_MPLS,
	FIELD_PREREQ_PBB,
	FIELD_PREREQ_NSH,
	FIELD_PREREQ_IP, /* IPv4 or IPv6 */
	FIELD_PREREQ_IP4,
	FIELD_PREREQ_IP6,
	FIELD_PREREQ_ARP,
	FIELD_PREREQ_TCP, /* and what follows: not a later fragment */
	FIELD_PREREQ_UDP,
	FIELD_PREREQ_SCTP,
	FIELD_PREREQ_ICMP,
	FIELD_PREREQ_IGMP,
	FIELD_PREREQ_ICMP6,
	FIELD_PREREQ_ND,
};

struct field {
	const char *name, *alias;
	uint16_t offset, n; /* the member, in bytes */
	uint16_t bits;
	uint8_t shift;
	uint8_t mask; /* enum field_mask_kind */
	uint8_t form;
	uint8_t prereq;
	bool settable;
};

#define FIELD_VALUE_MAX 16u

/* Right-aligned big-endian: the last field_bytes(f) bytes count. */
struct field_value {
	uint8_t b[FIELD_VALUE_MAX];
};

const struct field *field_get(enum field_id id);
/* By name or alias; -1 when there is none. Case does not matter. tp_src and
 * tp_dst are TCP's; match_parse knows which protocol is meant. */
int field_by_name(const char *name);
/* The nearest name, for "did you mean"; NULL when none is near. */
const char *field_nearest(const char *name);

static inline unsigned field_bytes(const struct field *f)
{
	return DIV_ROUND_UP(f->bits, 8u);
}

/* Value of a field in a key (or, of a mask, which of its bits are set). */
struct field_value field_read(const struct field *f, const struct flow_key *k);
void field_write(const struct field *f, struct flow_key *k,
		 const struct field_value *v);
struct field_value field_all_ones(const struct field *f);
struct field_value field_from_u64(uint64_t v);
/* The low 64 bits. */
uint64_t field_to_u64(const struct field_value *v);

/* The bits of the member's n bytes that are the field's own, as in memory. */
void field_mask_in_key(const struct field *f, uint8_t *mask);
/* Sets the bits of `mask` to those of `value`, both n bytes as in memory. */
void field_set_masked(struct flow_key *k, enum field_id id,
		      const uint8_t *value, const uint8_t *mask);

/* Does the field exist in a packet with this key? */
bool field_prereq_met(const struct field *f, const struct flow_key *k);
/* The bits that field_prereq_met looks at. */
void field_prereq_mask(const struct field *f, struct flow_mask *m);
/* Demands the prerequisite of a match: fills key and mask where it has one
 * possible value; false with a sentence when the match says otherwise. */
bool field_prereq_demand(const struct field *f, struct flow_key *key,
			 struct flow_mask *mask, struct err *e);

/* "10.0.0.0/8", "0x10/0xff", "+syn-ack", "01:00:00:00:00:00/..." */
int field_parse(const struct field *f, const char *text,
		struct field_value *value, struct field_value *mask,
		struct err *e) MUST_CHECK;
/* Bits outside the mask are zero in `value`. */
void field_format(const struct field *f, const struct field_value *value,
		  const struct field_value *mask, struct str *out);

#endif
