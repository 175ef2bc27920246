/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/field.h"

#include <strings.h>

#include "packet/headers.h"

static const struct field fields[] = {
#define FIELD(id, name_, alias_, member, bits_, shift_, mask_, form_, pre,     \
	      set)                                                             \
	[FIELD_##id] = { .name = name_,                                        \
			 .alias = alias_,                                      \
			 .offset = offsetof(struct flow_key, member),          \
			 .n = FIELD_FORM_##form_ >= FIELD_FORM_BYTES ?         \
				      (bits_) / 8 :                            \
				      sizeof(((struct flow_key *)0)->member),  \
			 .bits = bits_,                                        \
			 .shift = shift_,                                      \
			 .mask = FIELD_MASK_##mask_,                           \
			 .form = FIELD_FORM_##form_,                           \
			 .prereq = FIELD_PREREQ_##pre,                         \
			 .settable = set },
#include "flow/fields.def"
#undef FIELD
};

const struct field *field_get(enum field_id id)
{
	must((unsigned)id < N_FIELDS);
	return &fields[id];
}

int field_by_name(const char *name)
{
	for (int i = 0; i < N_FIELDS; i++)
		if (!strcasecmp(fields[i].name, name) ||
		    (fields[i].alias && !strcasecmp(fields[i].alias, name)))
			return i;
	return -1;
}

const char *field_nearest(const char *name)
{
	const char *names[N_FIELDS];

	for (unsigned i = 0; i < N_FIELDS; i++)
		names[i] = fields[i].name;
	return str_nearest(name, names, N_FIELDS);
}

/* --- values --- */

struct field_value field_from_u64(uint64_t v)
{
	struct field_value out = { { 0 } };

	for (unsigned i = 0; i < 8; i++)
		out.b[FIELD_VALUE_MAX - 1 - i] = (uint8_t)(v >> (8 * i));
	return out;
}

uint64_t field_to_u64(const struct field_value *v)
{
	uint64_t out = 0;

	for (unsigned i = 8; i < FIELD_VALUE_MAX; i++)
		out = out << 8 | v->b[i];
	return out;
}

static uint8_t *value_at(struct field_value *v, unsigned bytes)
{
	return v->b + FIELD_VALUE_MAX - bytes;
}

struct field_value field_all_ones(const struct field *f)
{
	struct field_value v = { { 0 } };
	unsigned n = field_bytes(f);

	memset(value_at(&v, n), 0xff, n);
	if (f->bits % 8)
		*value_at(&v, n) = (uint8_t)(0xff >> (8 - f->bits % 8));
	return v;
}

static bool is_integer(const struct field *f)
{
	return f->form != FIELD_FORM_MAC && f->form != FIELD_FORM_IP6 &&
	       f->form != FIELD_FORM_BYTES && f->form != FIELD_FORM_REGS;
}

/* An integer member of any width, in host order. */
static uint64_t load_int(const struct field *f, const struct flow_key *k)
{
	const uint8_t *p = (const uint8_t *)k + f->offset;
	uint64_t v = 0;

	memcpy(&v, p, f->n); /* little-endian: the low bytes come first */
	return v;
}

static void store_int(const struct field *f, struct flow_key *k, uint64_t v)
{
	memcpy((uint8_t *)k + f->offset, &v, f->n);
}

static uint64_t int_mask(const struct field *f)
{
	uint64_t ones = f->bits == 64 ? ~0ull : (1ull << f->bits) - 1;

	return ones << f->shift;
}

struct field_value field_read(const struct field *f, const struct flow_key *k)
{
	const uint8_t *p = (const uint8_t *)k + f->offset;
	unsigned n = f->n;
	struct field_value v = { { 0 } };

	if (is_integer(f))
		return field_from_u64((load_int(f, k) & int_mask(f)) >>
				      f->shift);
	memcpy(value_at(&v, n), p, n);
	if (f->form == FIELD_FORM_REGS) {
		for (unsigned i = 0; i < n; i += 4) {
			uint32_t reg;

			memcpy(&reg, p + i, 4);
			put_be32(value_at(&v, n) + i, reg);
		}
	}
	return v;
}

void field_write(const struct field *f, struct flow_key *k,
		 const struct field_value *v)
{
	uint8_t *p = (uint8_t *)k + f->offset;
	unsigned n = f->n;
	const uint8_t *from = v->b + FIELD_VALUE_MAX - n;

	if (is_integer(f)) {
		uint64_t m = int_mask(f), x = field_to_u64(v) << f->shift;

		store_int(f, k, (load_int(f, k) & ~m) | (x & m));
		return;
	}
	if (f->form != FIELD_FORM_REGS) {
		memcpy(p, from, n);
		return;
	}
	for (unsigned i = 0; i < n; i += 4) {
		uint32_t reg = get_be32(from + i);

		memcpy(p + i, &reg, 4);
	}
}

void field_mask_in_key(const struct field *f, uint8_t *mask)
{
	uint64_t m;

	if (!is_integer(f)) {
		memset(mask, 0xff, f->n);
		return;
	}
	m = int_mask(f);
	memcpy(mask, &m, f->n);
}

void field_set_masked(struct flow_key *k, enum field_id id,
		      const uint8_t *value, const uint8_t *mask)
{
	const struct field *f = field_get(id);
	uint8_t *p = (uint8_t *)k + f->offset;

	for (unsigned i = 0; i < f->n; i++)
		p[i] = (uint8_t)((p[i] & ~mask[i]) | (value[i] & mask[i]));
}

/* --- prerequisites --- */

/* What must hold: a type, a protocol, an ICMPv6 type range. */
static const struct {
	uint16_t type;    /* 0: any */
	uint8_t proto;    /* 0: any */
	const char *text; /* what to write in a match */
} prereqs[] = {
	[FIELD_PREREQ_NONE] = { 0, 0, "" },
	[FIELD_PREREQ_ETH] = { 0, 0, "eth" },
	[FIELD_PREREQ_VLAN] = { 0, 0, "vlan_tci=0x1000/0x1000" },
	[FIELD_PREREQ_MPLS] = { ETH_TYPE_MPLS, 0, "mpls" },
	[FIELD_PREREQ_PBB] = { ETH_TYPE_PBB, 0, "eth_type=0x88e7" },
	[FIELD_PREREQ_NSH] = { ETH_TYPE_NSH, 0, "eth_type=0x894f" },
	[FIELD_PREREQ_IP] = { 0, 0, "ip or ipv6" },
	[FIELD_PREREQ_IP4] = { ETH_TYPE_IP4, 0, "ip" },
	[FIELD_PREREQ_IP6] = { ETH_TYPE_IP6, 0, "ipv6" },
	[FIELD_PREREQ_ARP] = { ETH_TYPE_ARP, 0, "arp" },
	[FIELD_PREREQ_TCP] = { 0, IP_PROTO_TCP, "tcp or tcp6" },
	[FIELD_PREREQ_UDP] = { 0, IP_PROTO_UDP, "udp or udp6" },
	[FIELD_PREREQ_SCTP] = { 0, IP_PROTO_SCTP, "sctp or sctp6" },
	[FIELD_PREREQ_ICMP] = { ETH_TYPE_IP4, IP_PROTO_ICMP, "icmp" },
	[FIELD_PREREQ_IGMP] = { ETH_TYPE_IP4, IP_PROTO_IGMP, "igmp" },
	[FIELD_PREREQ_ICMP6] = { ETH_TYPE_IP6, IP_PROTO_ICMP6, "icmp6" },
	[FIELD_PREREQ_ND] = { ETH_TYPE_IP6, IP_PROTO_ICMP6,
			      "icmp6,icmpv6_type=135 (or 136)" },
};

static bool type_is(uint16_t want, uint16_t type)
{
	if (want == ETH_TYPE_MPLS)
		return eth_type_is_mpls(type);
	if (want == ETH_TYPE_ARP)
		return type == ETH_TYPE_ARP || type == ETH_TYPE_RARP;
	return want == type;
}

static bool is_ip_type(uint16_t type)
{
	return type == ETH_TYPE_IP4 || type == ETH_TYPE_IP6;
}

static bool needs_ip(uint8_t prereq)
{
	return prereq == FIELD_PREREQ_IP || prereqs[prereq].proto;
}

bool field_prereq_met(const struct field *f, const struct flow_key *k)
{
	uint8_t p = f->prereq;

	if (p == FIELD_PREREQ_ETH)
		return k->packet_type == 0;
	if (p == FIELD_PREREQ_VLAN)
		return k->vlan[0].tci & KEY_VLAN_PRESENT;
	if (prereqs[p].type && !type_is(prereqs[p].type, k->eth_type))
		return false;
	if (needs_ip(p) && !is_ip_type(k->eth_type))
		return false;
	if (prereqs[p].proto &&
	    (k->ip_proto != prereqs[p].proto || k->ip_frag & KEY_FRAG_LATER))
		return false;
	return p != FIELD_PREREQ_ND || (((k->tp_src & 0xff) == ICMP6_NS ||
					 (k->tp_src & 0xff) == ICMP6_NA) &&
					!(k->tp_dst & 0xff));
}

void field_prereq_mask(const struct field *f, struct flow_mask *m)
{
	uint8_t p = f->prereq;

	if (p == FIELD_PREREQ_ETH)
		MASK_SET(m, packet_type);
	else if (p == FIELD_PREREQ_VLAN)
		m->bits.vlan[0].tci |= KEY_VLAN_PRESENT;
	else if (p != FIELD_PREREQ_NONE)
		MASK_SET(m, eth_type);
	if (prereqs[p].proto) {
		MASK_SET(m, ip_proto);
		m->bits.ip_frag |= KEY_FRAG_LATER;
	}
	if (p == FIELD_PREREQ_ND) {
		m->bits.tp_src |= 0xff; /* type and code are bytes */
		m->bits.tp_dst |= 0xff;
	}
}

bool field_prereq_demand(const struct field *f, struct flow_key *key,
			 struct flow_mask *mask, struct err *e)
{
	uint8_t p = f->prereq;
	uint16_t type = prereqs[p].type;
	struct flow_mask looks = { { 0 } };

	if (p == FIELD_PREREQ_NONE || p == FIELD_PREREQ_ETH)
		return true;
	if (type && !mask->bits.eth_type) {
		key->eth_type = type;
		MASK_SET(mask, eth_type);
	}
	if (p == FIELD_PREREQ_VLAN) {
		key->vlan[0].tci |= KEY_VLAN_PRESENT;
		mask->bits.vlan[0].tci |= KEY_VLAN_PRESENT;
	}
	if (prereqs[p].proto && !mask->bits.ip_proto) {
		key->ip_proto = prereqs[p].proto;
		MASK_SET(mask, ip_proto);
	}
	if (p == FIELD_PREREQ_ND && !mask->bits.tp_dst)
		mask->bits.tp_dst = 0xff; /* the code is 0 */
	field_prereq_mask(f, &looks);
	looks.bits.ip_frag = 0;
	if (field_prereq_met(f, key) && mask_is_subset(&looks, mask))
		return true;
	err_set(e, "%s needs %s in the same match", f->name, prereqs[p].text);
	return false;
}
