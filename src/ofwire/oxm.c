/* SPDX-License-Identifier: Apache-2.0 */
#include "ofwire/oxm.h"

#define OXM_NUMBERS 128u
#define COOKIE_NUMBER 30u /* class NXM1, 8 bytes; MPLS TTL has 1 */
#define COOKIE_BYTES 8u
#define VID_PRESENT KEY_VLAN_PRESENT
#define VID_BITS 0x0fffu
#define TLV_BYTES 4u /* of an option that the key holds */

#define MASK_NONE false
#define MASK_ANY true

#define ROW(class_, vendor_, field_, number_, bytes_, shape_, mask_, since_,   \
	    name_)                                                             \
	[number_] = { .field = FIELD_##field_,                                 \
		      .class = class_,                                         \
		      .vendor = vendor_,                                       \
		      .number = number_,                                       \
		      .bytes = bytes_,                                         \
		      .shape = OXM_##shape_,                                   \
		      .since = since_,                                         \
		      .name = name_,                                           \
		      .maskable = MASK_##mask_ },

/* One table a class, by number; a row of zeros (no bytes, not TLV) is none. */
#define NXM0(...)
#define NXM1(...)
#define BASIC(...)
#define REGS(...)
#define ONF(...)
#define NXE(...)
#define NXE_TOO(...)
#define NSH(...)
#define ERIC(...)

#undef NXM0
#define NXM0(...) ROW(OXM_CLASS_NXM0, 0, __VA_ARGS__)
static const struct oxm nxm0[OXM_NUMBERS] = {
#include "ofwire/oxm.def"
};
#undef NXM0
#define NXM0(...)

#undef NXM1
#define NXM1(...) ROW(OXM_CLASS_NXM1, 0, __VA_ARGS__)
static const struct oxm nxm1[OXM_NUMBERS] = {
#include "ofwire/oxm.def"
};
#undef NXM1
#define NXM1(...)

#undef BASIC
#define BASIC(...) ROW(OXM_CLASS_BASIC, 0, __VA_ARGS__)
static const struct oxm basic[OXM_NUMBERS] = {
#include "ofwire/oxm.def"
};
#undef BASIC
#define BASIC(...)

#undef REGS
#define REGS(...) ROW(OXM_CLASS_REGS, 0, __VA_ARGS__)
static const struct oxm regs[OXM_NUMBERS] = {
#include "ofwire/oxm.def"
};
#undef REGS
#define REGS(...)

#undef ONF
#define ONF(...) ROW(OXM_CLASS_EXPERIMENTER, OF_VENDOR_ONF, __VA_ARGS__)
static const struct oxm onf[OXM_NUMBERS] = {
#include "ofwire/oxm.def"
};
#undef ONF
#define ONF(...)

#undef NXE
#undef NXE_TOO
#define NXE(...) ROW(OXM_CLASS_EXPERIMENTER, OF_VENDOR_NICIRA, __VA_ARGS__)
#define NXE_TOO NXE
static const struct oxm nxe[OXM_NUMBERS] = {
#include "ofwire/oxm.def"
};
#undef NXE
#undef NXE_TOO
#define NXE(...)
#define NXE_TOO(...)

#undef NSH
#define NSH(...) ROW(OXM_CLASS_EXPERIMENTER, OF_VENDOR_NSH, __VA_ARGS__)
static const struct oxm nsh[OXM_NUMBERS] = {
#include "ofwire/oxm.def"
};
#undef NSH
#define NSH(...)

#undef ERIC
#define ERIC(...) ROW(OXM_CLASS_ERIC, 0, __VA_ARGS__)
static const struct oxm eric[OXM_NUMBERS] = {
#include "ofwire/oxm.def"
};

/* The ways to write each field. */
static const struct names {
	const struct oxm *old, *onf, *standard;
} names[N_FIELDS] = {
#undef NXM0
#undef NXM1
#undef BASIC
#undef REGS
#undef ONF
#undef NXE
#undef NSH
#undef ERIC
#define NXM0(field, number, ...) [FIELD_##field].old = &nxm0[number],
#define NXM1(field, number, ...) [FIELD_##field].old = &nxm1[number],
#define NXE(field, number, ...) [FIELD_##field].old = &nxe[number],
#define NSH(field, number, ...) [FIELD_##field].old = &nsh[number],
#define ERIC(field, number, ...) [FIELD_##field].old = &eric[number],
#define BASIC(field, number, ...) [FIELD_##field].standard = &basic[number],
#define REGS(field, number, ...) [FIELD_##field].standard = &regs[number],
#define ONF(field, number, ...) [FIELD_##field].onf = &onf[number],
#include "ofwire/oxm.def"
};

const struct oxm *oxm_find(enum field_id id, unsigned version)
{
	const struct names *n = &names[id];

	if (n->standard && version >= n->standard->since)
		return n->standard;
	if (n->onf && version >= n->onf->since)
		return n->onf;
	if (n->old)
		return n->old;
	return n->onf ? n->onf : n->standard;
}

static bool is_named(const struct oxm *oxm, const char *name)
{
	return oxm && !strcmp(oxm->name, name);
}

int oxm_field_by_name(const char *name)
{
	int id;

	for (int i = 0; i < N_FIELDS; i++)
		if (is_named(names[i].old, name) ||
		    is_named(names[i].onf, name) ||
		    is_named(names[i].standard, name))
			return i;
	id = field_by_name(name);
	/* Some of ours have no name on the wire. */
	return id >= 0 && oxm_find((enum field_id)id, OF15) ? id : -1;
}

static const struct oxm *class_table(uint16_t class, uint32_t vendor)
{
	switch (class) {
	case OXM_CLASS_NXM0:
		return nxm0;
	case OXM_CLASS_NXM1:
		return nxm1;
	case OXM_CLASS_BASIC:
		return basic;
	case OXM_CLASS_REGS:
		return regs;
	case OXM_CLASS_ERIC:
		return eric;
	case OXM_CLASS_EXPERIMENTER:
		break;
	default:
		return NULL;
	}
	return vendor == OF_VENDOR_ONF    ? onf :
	       vendor == OF_VENDOR_NICIRA ? nxe :
	       vendor == OF_VENDOR_NSH    ? nsh :
					    NULL;
}

static const struct oxm *by_header(uint16_t class, uint32_t vendor,
				   uint8_t number, uint8_t bytes)
{
	const struct oxm *t = class_table(class, vendor);

	if (!t)
		return NULL;
	t += number;
	if (!t->bytes && t->shape != OXM_TLV)
		return NULL;
	/* A length that is not the field's names another field. */
	return !t->bytes || t->bytes == bytes ? t : NULL;
}

enum of_error oxm_header_get(struct cursor *c, struct oxm_header *h)
{
	uint16_t class = cursor_u16(c);
	uint8_t number = cursor_u8(c), len = cursor_u8(c);
	uint32_t vendor = 0;

	memset(h, 0, sizeof(*h));
	h->has_mask = number & 1;
	number >>= 1;
	if (class == OXM_CLASS_EXPERIMENTER) {
		vendor = cursor_u32(c);
		if (len < 4)
			return OF_OFPBMC_BAD_LEN;
		len = (uint8_t)(len - 4);
	}
	if (c->failed)
		return OF_OFPBMC_BAD_LEN;
	h->bytes = h->has_mask ? len / 2 : len;
	h->oxm = len % 2 && h->has_mask ?
			 NULL :
			 by_header(class, vendor, number, h->bytes);
	h->is_cookie = class == OXM_CLASS_NXM1 && number == COOKIE_NUMBER &&
		       h->bytes == COOKIE_BYTES;
	return h->oxm ? OF_OK : OF_OFPBMC_BAD_FIELD;
}

void oxm_header_put(struct of_out *o, const struct oxm *oxm, bool has_mask)
{
	unsigned len = oxm->shape == OXM_TLV ? TLV_BYTES : oxm->bytes;

	if (has_mask)
		len *= 2;
	if (oxm->class == OXM_CLASS_EXPERIMENTER)
		len += 4;
	of_out_int(o, oxm->class, 2);
	of_out_int(o, (uint64_t)oxm->number << 1 | has_mask, 1);
	of_out_int(o, len, 1);
	if (oxm->class == OXM_CLASS_EXPERIMENTER)
		of_out_int(o, oxm->vendor, 4);
}

/* --- values --- */

/* `bytes` bytes, right-aligned; false when more are needed than a value has. */
static bool bytes_get(struct cursor *c, unsigned bytes, struct field_value *v)
{
	unsigned skip = bytes > FIELD_VALUE_MAX ? bytes - FIELD_VALUE_MAX : 0;
	const uint8_t *high = cursor_take(c, skip);
	bool fits = true;

	memset(v, 0, sizeof(*v));
	for (unsigned i = 0; high && i < skip; i++)
		fits &= !high[i];
	cursor_copy(c, v->b + FIELD_VALUE_MAX - (bytes - skip), bytes - skip);
	return fits && !c->failed;
}

/* Has the value bits that the field has not? */
static bool too_wide(const struct field_value *v, const struct field *f)
{
	struct field_value ones = field_all_ones(f);

	for (unsigned i = 0; i < FIELD_VALUE_MAX; i++)
		if (v->b[i] & ~ones.b[i])
			return true;
	return false;
}

static void trim(struct field_value *v, const struct field *f)
{
	struct field_value ones = field_all_ones(f);

	for (unsigned i = 0; i < FIELD_VALUE_MAX; i++)
		v->b[i] &= ones.b[i];
}

/* From the shape on the wire to the field's own; masks stay bits of it. */
static enum of_error unshape(const struct oxm *oxm, struct oxm_value *v)
{
	uint64_t n = field_to_u64(&v->value);

	switch ((enum oxm_shape)oxm->shape) {
	case OXM_PORT16:
		v->value = field_from_u64(of_port_from_16((uint16_t)n));
		return OF_OK;
	case OXM_TOS:
		v->mask = field_from_u64(OXM_DSCP);
		return n & ~(uint64_t)OXM_DSCP ? OF_OFPBMC_BAD_VALUE : OF_OK;
	case OXM_VID:
		/* Presence is looked at by who puts it into a match. */
		return n & ~(uint64_t)(VID_PRESENT | VID_BITS) ?
			       OF_OFPBMC_BAD_VALUE :
			       OF_OK;
	case OXM_PLAIN:
	case OXM_TLV:
		break;
	}
	return too_wide(&v->value, field_get(oxm->field)) ?
		       OF_OFPBMC_BAD_VALUE :
		       OF_OK;
}

static bool is_ones(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != 0xff)
			return false;
	return true;
}

static enum of_error mask_get(struct cursor *c, const struct oxm_header *h,
			      struct oxm_value *v)
{
	const uint8_t *raw = cursor_peek(c, h->bytes);

	v->exact = raw && is_ones(raw, h->bytes);
	if (!bytes_get(c, h->bytes, &v->mask))
		return OF_OFPBMC_BAD_LEN;
	for (unsigned i = 0; i < FIELD_VALUE_MAX; i++)
		if (v->value.b[i] & ~v->mask.b[i])
			return OF_OFPBMC_BAD_WILDCARDS;
	return OF_OK;
}

enum of_error oxm_value_get(struct cursor *c, const struct oxm_header *h,
			    struct oxm_value *v)
{
	const struct field *f = field_get(h->oxm->field);
	bool fits = bytes_get(c, h->bytes, &v->value);
	enum of_error e = OF_OK;

	v->mask = field_all_ones(f);
	v->exact = !h->has_mask;
	if (h->has_mask)
		e = mask_get(c, h, v);
	if (c->failed)
		return OF_OFPBMC_BAD_LEN;
	if (!fits)
		return OF_NXFMFC_INVALID_TLV_FIELD;
	if (!e)
		e = unshape(h->oxm, v);
	if (h->oxm->shape != OXM_VID) {
		if (v->exact && h->oxm->shape != OXM_TOS)
			v->mask = field_all_ones(f);
		trim(&v->mask, f);
	}
	return e;
}

void oxm_value_put(struct of_out *o, const struct oxm *oxm,
		   const struct field_value *value)
{
	unsigned n = oxm->shape == OXM_TLV ? TLV_BYTES : oxm->bytes;

	if (oxm->shape == OXM_PORT16)
		of_out_int(o, of_port_to_16((uint32_t)field_to_u64(value)), n);
	else
		of_out_bytes(o, value->b + FIELD_VALUE_MAX - n, n);
}

void oxm_put(struct of_out *o, const struct oxm *oxm,
	     const struct field_value *value, const struct field_value *mask)
{
	struct field_value ones = field_all_ones(field_get(oxm->field));
	bool exact = !memcmp(mask, &ones, sizeof(ones));

	if (oxm->shape == OXM_VID)
		exact = field_to_u64(mask) == (VID_PRESENT | VID_BITS);
	else if (oxm->shape == OXM_TOS)
		exact = true;
	oxm_header_put(o, oxm, !exact);
	oxm_value_put(o, oxm, value);
	if (!exact)
		of_out_bytes(o,
			     mask->b + FIELD_VALUE_MAX -
				     (oxm->shape == OXM_TLV ? TLV_BYTES :
							      oxm->bytes),
			     oxm->shape == OXM_TLV ? TLV_BYTES : oxm->bytes);
}
