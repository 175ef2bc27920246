/* SPDX-License-Identifier: Apache-2.0 */
#include "ofwire/match.h"

#include "ofwire/match_fixed.h"
#include "packet/headers.h"

#define MATCH_STANDARD 0u
#define MATCH_OXM 1u
#define VID_MASK (KEY_VLAN_PRESENT | 0x0fffu)
#define PCP_MASK 0xe000u

/* --- reading --- */

static bool any_bit(const struct field_value *v)
{
	static const struct field_value zero;

	return memcmp(v, &zero, sizeof(zero));
}

/* The key is zero outside the mask, so its value says enough: no prerequisite
 * but "code 0" is met by a zero. */
static bool prereq_met(const struct match *m, enum field_id id)
{
	uint8_t type = (uint8_t)m->key.tp_src;

	/* This is the one that says that there is a tag. */
	if (id == FIELD_VLAN_VID)
		return true;
	if (!field_prereq_met(field_get(id), &m->key))
		return false;
	if (id == FIELD_ND_SLL)
		return type == ICMP6_NS;
	return id != FIELD_ND_TLL || type == ICMP6_NA;
}

static bool is_dup(const struct match *m, enum field_id id)
{
	struct field_value had;

	if (id == FIELD_VLAN_VID)
		return m->mask.bits.vlan[0].tci & VID_MASK;
	had = field_read(field_get(id), &m->mask.bits);
	return any_bit(&had);
}

/* OXM_OF_VLAN_VID: presence is one bit more (1.5.1 7.2.3.8). */
static void put_vid(struct match *m, const struct oxm_value *v)
{
	uint16_t vid = (uint16_t)field_to_u64(&v->value);
	uint16_t mask = VID_MASK;

	if (!v->exact)
		mask = (uint16_t)field_to_u64(&v->mask) & VID_MASK;
	/* No tag has no priority either. */
	if (mask == VID_MASK && !vid)
		mask = 0xffff;
	m->key.vlan[0].tci |= vid & mask;
	m->mask.bits.vlan[0].tci |= mask;
}

static void put_field(struct match *m, const struct oxm *oxm,
		      const struct oxm_value *v)
{
	const struct field *f = field_get(oxm->field);
	struct field_value value = v->value;

	if (oxm->shape == OXM_VID) {
		put_vid(m, v);
		return;
	}
	for (unsigned i = 0; i < FIELD_VALUE_MAX; i++)
		value.b[i] &= v->mask.b[i];
	field_write(f, &m->key, &value);
	field_write(f, &m->mask.bits, &v->mask);
}

static enum of_error get_cookie(struct cursor *c, const struct oxm_header *h,
				struct of_cookie *cookie)
{
	uint64_t high = cursor_u32(c);

	if (cookie->mask)
		return OF_OFPBMC_DUP_FIELD;
	cookie->value = high << 32 | cursor_u32(c);
	cookie->mask = UINT64_MAX;
	if (h->has_mask) {
		high = cursor_u32(c);
		cookie->mask = high << 32 | cursor_u32(c);
	}
	if (cookie->value & ~cookie->mask)
		return OF_OFPBMC_BAD_WILDCARDS;
	return c->failed ? OF_OFPBMC_BAD_LEN : OF_OK;
}

static enum of_error get_field(struct cursor *c, enum of_match_rigour rigour,
			       struct match *m, struct of_cookie *cookie)
{
	struct oxm_header h;
	struct oxm_value v;
	enum of_error e = oxm_header_get(c, &h);

	if (e == OF_OFPBMC_BAD_FIELD && h.is_cookie && cookie)
		return get_cookie(c, &h, cookie);
	if (e == OF_OFPBMC_BAD_FIELD && rigour == OF_MATCH_LOOSE)
		return cursor_skip(c, h.has_mask ? h.bytes * 2u : h.bytes) ?
			       OF_OK :
			       OF_OFPBMC_BAD_LEN;
	if (!e)
		e = oxm_value_get(c, &h, &v);
	if (e)
		return e;
	if (!v.exact && !h.oxm->maskable)
		return OF_OFPBMC_BAD_MASK;
	if (rigour == OF_MATCH_STRICT && !prereq_met(m, h.oxm->field))
		return OF_OFPBMC_BAD_PREREQ;
	if (is_dup(m, h.oxm->field))
		return OF_OFPBMC_DUP_FIELD;
	put_field(m, h.oxm, &v);
	return OF_OK;
}

enum of_error of_oxm_decode(struct cursor c, enum of_match_rigour rigour,
			    struct match *m, struct of_cookie *cookie)
{
	enum of_error e = OF_OK;

	match_init(m);
	if (cookie)
		*cookie = (struct of_cookie){ 0, 0 };
	while (!e && !cursor_at_end(&c))
		e = get_field(&c, rigour, m, cookie);
	return e;
}

/* The fields, and the zeros behind them to a multiple of 8 since `start`. */
static enum of_error get_padded(struct cursor *c, size_t len, size_t before,
				struct cursor *fields)
{
	size_t padded = ROUND_UP(before + len, 8) - before;

	*fields = cursor_sub(c, len);
	cursor_skip(c, padded - len);
	return c->failed ? OF_OFPBMC_BAD_LEN : OF_OK;
}

enum of_error of_nxm_get(struct cursor *c, size_t len,
			 enum of_match_rigour rigour, struct match *m,
			 struct of_cookie *cookie)
{
	struct cursor fields;
	enum of_error e = get_padded(c, len, 0, &fields);

	return e ? e : of_oxm_decode(fields, rigour, m, cookie);
}

static enum of_error get_oxm(struct cursor *c, enum of_match_rigour rigour,
			     struct match *m)
{
	uint16_t type = cursor_u16(c), len = cursor_u16(c);
	struct cursor fields;
	enum of_error e;

	if (c->failed || len < 4)
		return OF_OFPBMC_BAD_LEN;
	if (type != MATCH_OXM)
		return OF_OFPBMC_BAD_TYPE;
	e = get_padded(c, len - 4u, 4, &fields);
	return e ? e : of_oxm_decode(fields, rigour, m, NULL);
}

/* --- writing --- */

/* What is asked for first stands before what needs it. */
static const uint16_t order[] = {
	FIELD_PACKET_TYPE,      FIELD_DP_HASH,         FIELD_RECIRC_ID,
	FIELD_CONJ_ID,          FIELD_IN_PORT,         FIELD_ACTSET_OUTPUT,
	FIELD_ETH_SRC,          FIELD_ETH_DST,         FIELD_ETH_TYPE,
	FIELD_VLAN_TCI,         FIELD_MPLS_TC,         FIELD_MPLS_BOS,
	FIELD_MPLS_TTL,         FIELD_MPLS_LABEL,      FIELD_PBB_ISID,
	FIELD_PBB_UCA,          FIELD_IP_SRC,          FIELD_IP_DST,
	FIELD_IPV6_SRC,         FIELD_IPV6_DST,        FIELD_IP_FRAG,
	FIELD_IPV6_LABEL,       FIELD_IP_DSCP,         FIELD_IP_ECN,
	FIELD_IP_TTL,           FIELD_IP_PROTO,        FIELD_TCP_SRC,
	FIELD_TCP_DST,          FIELD_TCP_FLAGS,       FIELD_UDP_SRC,
	FIELD_UDP_DST,          FIELD_SCTP_SRC,        FIELD_SCTP_DST,
	FIELD_ICMP_TYPE,        FIELD_ICMP_CODE,       FIELD_ICMPV6_TYPE,
	FIELD_ICMPV6_CODE,      FIELD_ND_RESERVED,     FIELD_ND_TARGET,
	FIELD_ND_SLL,           FIELD_ND_TLL,          FIELD_ND_OPTIONS_TYPE,
	FIELD_ARP_OP,           FIELD_ARP_SPA,         FIELD_ARP_TPA,
	FIELD_ARP_SHA,          FIELD_ARP_THA,         FIELD_TUN_ID,
	FIELD_TUN_FLAGS,        FIELD_TUN_SRC,         FIELD_TUN_DST,
	FIELD_TUN_IPV6_SRC,     FIELD_TUN_IPV6_DST,    FIELD_TUN_GBP_ID,
	FIELD_TUN_GBP_FLAGS,    FIELD_TUN_ERSPAN_IDX,  FIELD_TUN_ERSPAN_VER,
	FIELD_TUN_ERSPAN_DIR,   FIELD_TUN_ERSPAN_HWID, FIELD_TUN_GTPU_FLAGS,
	FIELD_TUN_GTPU_MSGTYPE, FIELD_NSH_FLAGS,       FIELD_NSH_TTL,
	FIELD_NSH_MDTYPE,       FIELD_NSH_NP,          FIELD_NSH_SPI,
	FIELD_NSH_SI,           FIELD_NSH_C1,          FIELD_NSH_C2,
	FIELD_NSH_C3,           FIELD_NSH_C4,          FIELD_PKT_MARK,
	FIELD_CT_STATE,         FIELD_CT_ZONE,         FIELD_CT_MARK,
	FIELD_CT_LABEL,         FIELD_CT_NW_SRC,       FIELD_CT_IPV6_SRC,
	FIELD_CT_NW_DST,        FIELD_CT_IPV6_DST,     FIELD_CT_NW_PROTO,
	FIELD_CT_TP_SRC,        FIELD_CT_TP_DST,       FIELD_METADATA,
};

static bool word_set(const struct flow_words *w, unsigned offset)
{
	unsigned word = offset / 8;

	return w->w[word / 64] >> (word % 64) & 1;
}

struct writer {
	struct of_out *o;
	const struct match *m;
	struct flow_words words; /* of the mask */
	unsigned version;
};

static void write_field(struct writer *w, enum field_id id)
{
	const struct field *f = field_get(id);
	unsigned last = (unsigned)f->offset + f->n - 1;
	struct field_value mask, value;

	if (!word_set(&w->words, f->offset) && !word_set(&w->words, last))
		return;
	mask = field_read(f, &w->m->mask.bits);
	if (!any_bit(&mask) || !prereq_met(w->m, id))
		return;
	value = field_read(f, &w->m->key);
	if (id == FIELD_IP_DSCP && w->version < OF12) {
		/* In its place: NXM_OF_IP_TOS. */
		id = FIELD_IP_TOS;
		value = field_from_u64(w->m->key.ip_tos & OXM_DSCP);
	}
	oxm_put(w->o, oxm_find(id, w->version), &value, &mask);
}

static void write_vlan(struct writer *w)
{
	uint16_t tci = w->m->key.vlan[0].tci,
		 bits = w->m->mask.bits.vlan[0].tci;
	struct field_value value = field_from_u64(tci & VID_MASK);
	struct field_value mask = field_from_u64(bits & VID_MASK);

	if (w->version < OF12) {
		write_field(w, FIELD_VLAN_TCI);
		return;
	}
	if (bits & VID_MASK)
		oxm_put(w->o, oxm_find(FIELD_VLAN_VID, w->version), &value,
			&mask);
	if (tci & KEY_VLAN_PRESENT && bits & PCP_MASK)
		write_field(w, FIELD_VLAN_PCP);
}

static void write_range(struct writer *w, enum field_id first, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		write_field(w, (enum field_id)(first + i));
}

void of_oxm_encode(struct of_out *o, unsigned version, const struct match *m)
{
	struct writer w = { o, m, mask_words(&m->mask), version };

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		if (order[i] == FIELD_VLAN_TCI)
			write_vlan(&w);
		else
			write_field(&w, order[i]);
	write_range(&w, FIELD_TUN_METADATA0, 64);
	if (version >= OF15)
		write_range(&w, FIELD_XREG0, KEY_N_REGS / 2);
	else
		write_range(&w, FIELD_REG0, KEY_N_REGS);
}

static void put_cookie(struct of_out *o, const struct of_cookie *cookie)
{
	bool exact = cookie->mask == UINT64_MAX;

	if (!cookie->mask)
		return;
	of_out_int(o, OXM_CLASS_NXM1, 2);
	of_out_int(o, 30u << 1 | !exact, 1);
	of_out_int(o, exact ? 8 : 16, 1);
	of_out_int(o, cookie->value & cookie->mask, 8);
	if (!exact)
		of_out_int(o, cookie->mask, 8);
}

size_t of_nxm_put(struct of_out *o, const struct match *m,
		  const struct of_cookie *cookie)
{
	size_t begin = o->len, len;

	of_oxm_encode(o, OXM_NXM, m);
	if (cookie)
		put_cookie(o, cookie);
	len = o->len - begin;
	of_out_pad(o, begin, 8);
	return len;
}

static void put_oxm(struct of_out *o, unsigned version, const struct match *m)
{
	size_t begin = o->len;

	of_out_int(o, MATCH_OXM, 2);
	of_out_int(o, 0, 2);
	of_oxm_encode(o, version, m);
	of_out_patch16(o, begin + 2, o->len - begin);
	of_out_pad(o, begin, 8);
}

/* --- by version --- */

enum of_error of_match_get(struct cursor *c, unsigned version,
			   enum of_match_rigour rigour, struct match *m)
{
	const void *type = cursor_peek(c, 2);

	if (version == OF10)
		return of_match10_get(c, m);
	if (type && get_be16(type) == MATCH_STANDARD)
		return of_match11_get(c, m);
	return get_oxm(c, rigour, m);
}

void of_match_put(struct of_out *o, unsigned version, const struct match *m)
{
	if (version == OF10)
		of_match10_put(o, m);
	else if (version == OF11)
		of_match11_put(o, m);
	else
		put_oxm(o, version, m);
}

bool of_match_fits(const struct match *m, unsigned version)
{
	struct of_out o = OF_OUT_INIT;
	struct match back;
	struct cursor c;
	bool same;

	if (version >= OF12)
		return true;
	of_match_put(&o, version, m);
	c = cursor_init(o.b, o.len);
	same = of_match_get(&c, version, OF_MATCH_STRICT, &back) == OF_OK &&
	       match_equal(m, &back);
	of_out_fini(&o);
	return same;
}
