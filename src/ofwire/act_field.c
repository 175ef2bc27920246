/* SPDX-License-Identifier: Apache-2.0 */
#include "ofwire/act_codec.h"

#include "packet/headers.h"

#define VID_PRESENT KEY_VLAN_PRESENT
#define VID_BITS 0x0fffu
#define LOAD_BITS 64u
#define PROTO_SHIFT_DSCP 2u

/* --- fields and parts of fields --- */

enum of_error act_sub_check(const struct of_sub *s, bool written)
{
	const struct field *f = field_get(s->field);

	if (!s->n_bits || s->ofs + s->n_bits > f->bits)
		return OF_OFPBAC_BAD_SET_LEN;
	return written && !f->settable ? OF_OFPBAC_BAD_SET_ARGUMENT : OF_OK;
}

enum of_error act_header_get(struct cursor *c, uint16_t *field)
{
	struct oxm_header h;
	enum of_error e = oxm_header_get(c, &h);

	if (e == OF_OFPBMC_BAD_LEN)
		return OF_OFPBAC_BAD_LEN;
	if (e || h.has_mask)
		return OF_OFPBAC_BAD_SET_TYPE;
	*field = h.oxm->field;
	return OF_OK;
}

void act_header_put(struct of_out *o, uint16_t field, unsigned version)
{
	const struct oxm *oxm = oxm_find(field, version);

	must(oxm);
	oxm_header_put(o, oxm, false);
}

bool act_header_is_short(uint16_t field)
{
	return oxm_find(field, OXM_NXM)->class != OXM_CLASS_EXPERIMENTER;
}

enum of_error act_zeros(struct cursor *c, enum of_error e)
{
	while (!cursor_at_end(c))
		if (cursor_u8(c))
			return e;
	return OF_OK;
}

void act_ofs_nbits(uint16_t v, struct of_sub *s)
{
	s->ofs = v >> 6;
	s->n_bits = (v & 0x3f) + 1;
}

uint16_t act_to_ofs_nbits(const struct of_sub *s)
{
	return (uint16_t)(s->ofs << 6 | (s->n_bits - 1));
}

/* --- set-field, load --- */

/* The lowest run of ones at or above `from`: its start and length. */
static bool next_run(const struct field_value *mask, unsigned bits,
		     unsigned *from, unsigned *n)
{
	unsigned i = *from;

#define BIT(v, i) ((v)->b[FIELD_VALUE_MAX - 1 - (i) / 8] >> ((i) % 8) & 1)
	while (i < bits && !BIT(mask, i))
		i++;
	*from = i;
	*n = 0;
	while (i < bits && *n < LOAD_BITS && BIT(mask, i)) {
		i++;
		++*n;
	}
	return *n;
}

static uint64_t bits_get(const struct field_value *v, unsigned ofs, unsigned n)
{
	uint64_t out = 0;

	for (unsigned i = n; i-- > 0;)
		out = out << 1 | BIT(v, ofs + i);
	return out;
}

void act_bits_put(struct field_value *v, unsigned ofs, unsigned n,
		  uint64_t bits)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned at = ofs + i;
		uint8_t *b = &v->b[FIELD_VALUE_MAX - 1 - at / 8];

		*b = (uint8_t)(*b & ~(1u << at % 8));
		if (i < 64)
			*b = (uint8_t)(*b | (bits >> i & 1) << at % 8);
	}
}
#undef BIT

static enum of_error entry_error(enum of_error e)
{
	switch (e) {
	case OF_OFPBMC_BAD_FIELD:
		return OF_OFPBAC_BAD_SET_TYPE;
	case OF_OFPBMC_BAD_LEN:
		return OF_OFPBAC_BAD_SET_LEN;
	case OF_OFPBMC_BAD_VALUE:
		return OF_OFPBAC_BAD_SET_ARGUMENT;
	case OF_OFPBMC_BAD_WILDCARDS:
		return OF_OFPBAC_BAD_SET_MASK;
	default:
		return e;
	}
}

/* The presence bit has to be there, and is no part of the field we have. */
static enum of_error strip_present(struct oxm_value *v)
{
	uint64_t n = field_to_u64(&v->value), mask = field_to_u64(&v->mask);

	if (!(n & VID_PRESENT) || (!v->exact && !(mask & VID_PRESENT)))
		return OF_OFPBAC_BAD_SET_ARGUMENT;
	v->value = field_from_u64(n & VID_BITS);
	v->mask = field_from_u64(v->exact ? VID_BITS : mask & VID_BITS);
	return OF_OK;
}

static enum of_error get_entry(struct cursor *c, struct act_reader *r,
			       uint8_t load)
{
	struct oxm_header h;
	struct oxm_value v;
	struct of_act_set *a;
	enum of_error e = oxm_header_get(c, &h);

	if (!e)
		e = oxm_value_get(c, &h, &v);
	if (e)
		return entry_error(e);
	if (h.has_mask && !load && r->version < OF15)
		return OF_OFPBAC_BAD_SET_MASK;
	if (!field_get(h.oxm->field)->settable ||
	    h.oxm == oxm_find(FIELD_IN_PORT, OF15))
		return OF_OFPBAC_BAD_SET_ARGUMENT;
	if (h.oxm->shape == OXM_VID)
		e = strip_present(&v);
	if (e)
		return e;
	a = of_acts_add(r->out, OFA_SET_FIELD, 0);
	a->field = h.oxm->field;
	a->load = load;
	a->value = v.value;
	a->mask = v.mask;
	return act_zeros(c, OF_OFPBAC_BAD_SET_ARGUMENT);
}

static enum of_error get_set_field(struct cursor *c, struct act_reader *r)
{
	return get_entry(c, r, 0);
}

static enum of_error get_load2(struct cursor *c, struct act_reader *r)
{
	const uint8_t *pad = cursor_take(c, 6);

	for (unsigned i = 0; pad && i < 6; i++)
		if (pad[i])
			return OF_NXBRC_MUST_BE_ZERO;
	return get_entry(c, r, 2);
}

static uint64_t u64_get(struct cursor *c)
{
	uint64_t high = cursor_u32(c);

	return high << 32 | cursor_u32(c);
}

static enum of_error get_load(struct cursor *c, struct act_reader *r)
{
	struct of_sub s = { 0 };
	struct of_act_set *a;
	enum of_error e;
	uint64_t v;

	act_ofs_nbits(cursor_u16(c), &s);
	e = act_header_get(c, &s.field);
	if (!e)
		e = act_sub_check(&s, true);
	if (e)
		return e;
	v = u64_get(c);
	if (s.n_bits < LOAD_BITS && v >> s.n_bits)
		return OF_OFPBAC_BAD_ARGUMENT;
	a = of_acts_add(r->out, OFA_SET_FIELD, 0);
	a->field = s.field;
	a->load = 1;
	act_bits_put(&a->value, s.ofs, s.n_bits, v);
	act_bits_put(&a->mask, s.ofs, s.n_bits, UINT64_MAX);
	return OF_OK;
}

static size_t begin(struct of_out *o, uint16_t type, uint16_t nx)
{
	size_t at = o->len;

	of_out_int(o, type, 2);
	of_out_int(o, 0, 2);
	if (type != 0xffff)
		return at;
	of_out_int(o, OF_VENDOR_NICIRA, 4);
	of_out_int(o, nx, 2);
	return at;
}

static void end(struct of_out *o, size_t at)
{
	of_out_pad(o, at, 8);
	of_out_patch16(o, at + 2, o->len - at);
}

static void put_entry(struct of_out *o, const struct of_act_set *a,
		      unsigned version)
{
	/* The standard's name of the in-port is not for set-field (1.5.1
	 * 7.2.6.7); the older one is. */
	unsigned names = a->field == FIELD_IN_PORT ? OXM_NXM : version;
	const struct oxm *oxm = oxm_find(a->field, names);
	struct field_value value = a->value, mask = a->mask;

	must(oxm);
	if (oxm->shape == OXM_VID) {
		value = field_from_u64(field_to_u64(&value) | VID_PRESENT);
		mask = field_from_u64(field_to_u64(&mask) | VID_PRESENT);
	}
	oxm_put(o, oxm, &value, &mask);
}

static void put_loads(struct of_out *o, const struct of_act_set *a)
{
	unsigned bits = field_get(a->field)->bits, from = 0, n;

	if (a->load == 2 || !act_header_is_short(a->field)) {
		size_t at = begin(o, 0xffff, 33);

		of_out_add(o, 6);
		put_entry(o, a, OXM_NXM);
		end(o, at);
		return;
	}
	for (; next_run(&a->mask, bits, &from, &n); from += n) {
		size_t at = begin(o, 0xffff, 7);
		struct of_sub s = { a->field, (uint16_t)from, (uint16_t)n };

		of_out_int(o, act_to_ofs_nbits(&s), 2);
		act_header_put(o, a->field, OXM_NXM);
		of_out_int(o, bits_get(&a->value, from, n), 8);
		end(o, at);
	}
}

static bool is_whole(const struct of_act_set *a)
{
	struct field_value ones = field_all_ones(field_get(a->field));

	return !memcmp(&a->mask, &ones, sizeof(ones));
}

/* Set-field as the actions that 1.0 and 1.1 had for it. */
static const struct {
	uint16_t field, kind;
	uint8_t from; /* version */
	uint8_t shift;
} legacy[] = {
	{ FIELD_VLAN_VID, OFA_SET_VLAN_VID, OF10, 0 },
	{ FIELD_VLAN_PCP, OFA_SET_VLAN_PCP, OF10, 0 },
	{ FIELD_ETH_SRC, OFA_SET_ETH_SRC, OF10, 0 },
	{ FIELD_ETH_DST, OFA_SET_ETH_DST, OF10, 0 },
	{ FIELD_IP_SRC, OFA_SET_IP4_SRC, OF10, 0 },
	{ FIELD_IP_DST, OFA_SET_IP4_DST, OF10, 0 },
	{ FIELD_IP_DSCP, OFA_SET_IP_TOS, OF10, PROTO_SHIFT_DSCP },
	{ FIELD_IP_ECN, OFA_SET_IP_ECN, OF11, 0 },
	{ FIELD_TCP_SRC, OFA_SET_TP_SRC, OF10, 0 },
	{ FIELD_TCP_DST, OFA_SET_TP_DST, OF10, 0 },
	{ FIELD_UDP_SRC, OFA_SET_TP_SRC, OF10, 0 },
	{ FIELD_UDP_DST, OFA_SET_TP_DST, OF10, 0 },
	{ FIELD_SCTP_SRC, OFA_SET_TP_SRC, OF10, 0 },
	{ FIELD_SCTP_DST, OFA_SET_TP_DST, OF10, 0 },
	{ FIELD_MPLS_LABEL, OFA_SET_MPLS_LABEL, OF10, 0 },
	{ FIELD_MPLS_TC, OFA_SET_MPLS_TC, OF10, 0 },
};

static void set_number(struct of_acts *acts, uint16_t kind, uint64_t v)
{
	struct of_act *a = of_acts_add(acts, kind, 0);

	switch (kind) {
	case OFA_SET_VLAN_VID:
	case OFA_SET_VLAN_PCP:
		((struct of_act_vlan *)(void *)a)->v = (uint16_t)v;
		return;
	case OFA_SET_ETH_SRC:
	case OFA_SET_ETH_DST:
		((struct of_act_mac *)(void *)a)->mac = eth_addr_from_u64(v);
		return;
	case OFA_SET_TP_SRC:
	case OFA_SET_TP_DST:
		((struct of_act_tp *)(void *)a)->v = (uint16_t)v;
		return;
	default:
		((struct of_act_int *)(void *)a)->v = v;
	}
}

static bool put_legacy(struct of_out *o, const struct of_act_set *a,
		       unsigned version)
{
	struct of_acts one = OF_ACTS_INIT;
	bool whole;

	for (size_t i = 0; i < ARRAY_SIZE(legacy); i++) {
		if (legacy[i].field != a->field || version < legacy[i].from)
			continue;
		set_number(&one, legacy[i].kind,
			   field_to_u64(&a->value) << legacy[i].shift);
		whole = act_list_put(o, version, of_acts_list(&one));
		of_acts_fini(&one);
		return whole;
	}
	return false;
}

static bool put_set_field(struct of_out *o, const struct of_act_set *a,
			  unsigned version)
{
	size_t at;

	if (version < OF15 && a->load) {
		put_loads(o, a);
		return true;
	}
	if (version < OF12) {
		if (!is_whole(a) || !put_legacy(o, a, version))
			put_loads(o, a);
		return true;
	}
	if (version < OF15 && !is_whole(a)) {
		put_loads(o, a);
		return true;
	}
	at = begin(o, 25, 0);
	put_entry(o, a, version);
	end(o, at);
	return true;
}

/* --- in other words --- */

static uint64_t number_of(const struct of_act *a)
{
	switch (a->kind) {
	case OFA_SET_VLAN_VID:
	case OFA_SET_VLAN_PCP:
		return ((const struct of_act_vlan *)(const void *)a)->v;
	case OFA_SET_ETH_SRC:
	case OFA_SET_ETH_DST:
		return eth_addr_to_u64(
			((const struct of_act_mac *)(const void *)a)->mac);
	case OFA_SET_TP_SRC:
	case OFA_SET_TP_DST:
		return ((const struct of_act_tp *)(const void *)a)->v;
	case OFA_SET_IP_TOS:
		return ((const struct of_act_int *)(const void *)a)->v >>
		       PROTO_SHIFT_DSCP;
	default:
		return ((const struct of_act_int *)(const void *)a)->v;
	}
}

static int transport_field(const struct of_act *a)
{
	bool src = a->kind == OFA_SET_TP_SRC;

	switch (((const struct of_act_tp *)(const void *)a)->proto) {
	case IP_PROTO_TCP:
		return src ? FIELD_TCP_SRC : FIELD_TCP_DST;
	case IP_PROTO_UDP:
		return src ? FIELD_UDP_SRC : FIELD_UDP_DST;
	case IP_PROTO_SCTP:
		return src ? FIELD_SCTP_SRC : FIELD_SCTP_DST;
	default:
		return -1;
	}
}

/* The field that an action sets; -1 when it is none of these. */
static int field_of(const struct of_act *a)
{
	if (a->kind == OFA_SET_TP_SRC || a->kind == OFA_SET_TP_DST)
		return transport_field(a);
	if (a->kind == OFA_SET_IP_TTL)
		return FIELD_IP_TTL;
	if (a->kind == OFA_SET_MPLS_TTL)
		return FIELD_MPLS_TTL;
	for (size_t i = 0; i < ARRAY_SIZE(legacy); i++)
		if (legacy[i].kind == a->kind)
			return legacy[i].field;
	return -1;
}

static bool put_as_field(struct of_out *o, const struct of_act *a,
			 unsigned version)
{
	const struct of_act_vlan *vlan = (const void *)a;
	int field = field_of(a);
	struct of_act_set set = { .field = (uint16_t)field };
	size_t at;

	if (field < 0)
		return false;
	if ((a->kind == OFA_SET_VLAN_VID || a->kind == OFA_SET_VLAN_PCP) &&
	    vlan->push && !vlan->has_vlan) {
		at = begin(o, 17, 0);
		of_out_int(o, ETH_TYPE_VLAN, 2);
		end(o, at);
	}
	set.value = field_from_u64(number_of(a));
	set.mask = field_all_ones(field_get((enum field_id)field));
	set.load = version < OF12;
	return put_set_field(o, &set, version);
}

static bool put_list(struct of_out *o, struct of_acts *acts, unsigned version)
{
	bool whole = act_list_put(o, version, of_acts_list(acts));

	of_acts_fini(acts);
	return whole;
}

static bool put_enqueue(struct of_out *o, const struct of_act *a,
			unsigned version)
{
	const struct of_act_enqueue *e = (const void *)a;
	struct of_acts acts = OF_ACTS_INIT;

	of_acts_int(&acts, OFA_SET_QUEUE, e->queue);
	of_acts_output(&acts, e->port, 0);
	of_acts_add(&acts, OFA_POP_QUEUE, 0);
	return put_list(o, &acts, version);
}

static bool put_goto(struct of_out *o, const struct of_act *a, unsigned version)
{
	struct of_acts acts = OF_ACTS_INIT;
	struct of_act_resubmit *r = of_acts_add(&acts, OFA_RESUBMIT, 0);

	r->port = OF_PORT_IN_PORT;
	r->table = (uint8_t)number_of(a);
	return put_list(o, &acts, version);
}

bool act_put_otherwise(struct of_out *o, const struct of_act *a,
		       unsigned version)
{
	switch (a->kind) {
	case OFA_SET_FIELD:
		return put_set_field(o, (const void *)a, version);
	case OFA_ENQUEUE:
		return put_enqueue(o, a, version);
	case OFA_PUSH_VLAN:
		return version == OF10; /* setting the VLAN does it */
	case OFA_GOTO_TABLE:
		return version == OF10 && put_goto(o, a, version);
	default:
		return put_as_field(o, a, version);
	}
}

/* --- move, copy-field --- */

static enum of_error check_move(const struct of_act_move *m)
{
	enum of_error e = act_sub_check(&m->src, false);

	return e ? e : act_sub_check(&m->dst, true);
}

static enum of_error get_move_of(struct cursor *c, struct act_reader *r)
{
	struct of_act_move m = { 0 };
	struct of_act_move *a;
	bool nx = r->form->who == ACT_NX;
	enum of_error e;

	if (r->form->who == ACT_ONF)
		cursor_skip(c, 2);
	m.src.n_bits = cursor_u16(c);
	m.dst.n_bits = m.src.n_bits;
	m.src.ofs = cursor_u16(c);
	m.dst.ofs = cursor_u16(c);
	if (!nx)
		cursor_skip(c, 2);
	e = act_header_get(c, &m.src.field);
	if (!e)
		e = act_header_get(c, &m.dst.field);
	if (!e)
		e = check_move(&m);
	if (!e)
		e = act_zeros(c, nx ? OF_NXBRC_MUST_BE_ZERO :
				      OF_OFPBAC_BAD_SET_ARGUMENT);
	if (e)
		return e;
	a = of_acts_add(r->out, OFA_MOVE, 0);
	a->src = m.src;
	a->dst = m.dst;
	return OF_OK;
}

static bool put_move(struct of_out *o, const struct of_act *a,
		     const struct act_form *form, unsigned version)
{
	const struct of_act_move *m = (const void *)a;
	bool nx = form->who == ACT_NX;

	of_out_int(o, m->src.n_bits, 2);
	of_out_int(o, m->src.ofs, 2);
	of_out_int(o, m->dst.ofs, 2);
	if (!nx)
		of_out_add(o, 2);
	act_header_put(o, m->src.field, nx ? OXM_NXM : version);
	act_header_put(o, m->dst.field, nx ? OXM_NXM : version);
	return true;
}

/* --- stack, output to a register, delete, multipath, length --- */

static enum of_error get_stack(struct cursor *c, struct act_reader *r)
{
	struct of_sub s = { 0 };
	struct of_act_sub *a;
	enum of_error e;

	s.ofs = cursor_u16(c);
	e = act_header_get(c, &s.field);
	if (e)
		return e;
	s.n_bits = cursor_u16(c);
	e = act_sub_check(&s, r->form->kind == OFA_STACK_POP);
	if (!e)
		e = act_zeros(c, OF_NXBRC_MUST_BE_ZERO);
	if (e)
		return e;
	a = of_acts_add(r->out, r->form->kind, 0);
	a->sub = s;
	return OF_OK;
}

/* Most of these are 24 bytes, whatever the field's header takes of them. */
static void fill_24(struct of_out *o, size_t body)
{
	size_t used = o->len - body;

	of_out_add(o, used < 14 ? 14 - used : 0);
}

static bool put_stack(struct of_out *o, const struct of_act *a,
		      const struct act_form *form, unsigned version)
{
	const struct of_sub *s =
		&((const struct of_act_sub *)(const void *)a)->sub;
	size_t body = o->len;

	(void)form;
	(void)version;
	of_out_int(o, s->ofs, 2);
	act_header_put(o, s->field, OXM_NXM);
	of_out_int(o, s->n_bits, 2);
	fill_24(o, body);
	return true;
}

static enum of_error get_output_reg(struct cursor *c, struct act_reader *r)
{
	bool second = r->form->number == 32;
	struct of_act_output_reg *a;
	struct of_sub s = { 0 };
	uint16_t max_len = 0;
	enum of_error e;

	act_ofs_nbits(cursor_u16(c), &s);
	if (second)
		max_len = cursor_u16(c);
	e = act_header_get(c, &s.field);
	if (!e)
		e = act_sub_check(&s, false);
	if (e)
		return e;
	if (!second)
		max_len = cursor_u16(c);
	e = act_zeros(c, OF_NXBRC_MUST_BE_ZERO);
	if (e)
		return e;
	a = of_acts_add(r->out, OFA_OUTPUT_REG, 0);
	a->src = s;
	a->max_len = max_len;
	return OF_OK;
}

static bool put_output_reg(struct of_out *o, const struct of_act *a,
			   const struct act_form *form, unsigned version)
{
	const struct of_act_output_reg *r = (const void *)a;
	bool second = form->number == 32;
	size_t body = o->len;

	(void)version;
	of_out_int(o, act_to_ofs_nbits(&r->src), 2);
	if (second)
		of_out_int(o, r->max_len, 2);
	act_header_put(o, r->src.field, OXM_NXM);
	if (!second)
		of_out_int(o, r->max_len, 2);
	fill_24(o, body);
	return true;
}

static bool reg_is_short(const struct of_act *a)
{
	const struct of_act_output_reg *r = (const void *)a;

	return act_header_is_short(r->src.field);
}

static enum of_error get_delete(struct cursor *c, struct act_reader *r)
{
	struct of_act_delete *a;
	uint16_t field;
	enum of_error e = act_header_get(c, &field);

	if (!e)
		e = act_zeros(c, OF_NXBRC_MUST_BE_ZERO);
	if (e)
		return e;
	a = of_acts_add(r->out, OFA_DELETE_FIELD, 0);
	a->field = field;
	return OF_OK;
}

static bool put_delete(struct of_out *o, const struct of_act *a,
		       const struct act_form *form, unsigned version)
{
	size_t body = o->len;

	(void)form;
	(void)version;
	act_header_put(o,
		       ((const struct of_act_delete *)(const void *)a)->field,
		       OXM_NXM);
	fill_24(o, body);
	return true;
}

static enum of_error get_larger(struct cursor *c, struct act_reader *r)
{
	struct of_sub s = { .n_bits = 1 };
	struct of_act_larger *a;
	uint16_t len = cursor_u16(c);
	enum of_error e;

	s.ofs = cursor_u16(c);
	e = act_header_get(c, &s.field);
	if (!e)
		e = act_sub_check(&s, true);
	if (!e)
		e = act_zeros(c, OF_NXBRC_MUST_BE_ZERO);
	if (e)
		return e;
	a = of_acts_add(r->out, OFA_CHECK_LARGER, 0);
	a->len = len;
	a->dst = s;
	return OF_OK;
}

static bool put_larger(struct of_out *o, const struct of_act *a,
		       const struct act_form *form, unsigned version)
{
	const struct of_act_larger *l = (const void *)a;
	size_t body = o->len;

	(void)form;
	(void)version;
	of_out_int(o, l->len, 2);
	of_out_int(o, l->dst.ofs, 2);
	act_header_put(o, l->dst.field, OXM_NXM);
	fill_24(o, body);
	return true;
}

static const struct wire multipath_wire[] = {
	W_INT(struct of_act_multipath, fields, 2),
	W_INT(struct of_act_multipath, basis, 2),
	W_PAD(2),
	W_INT(struct of_act_multipath, algorithm, 2),
	W_INT(struct of_act_multipath, max_link, 2),
	W_INT(struct of_act_multipath, arg, 4),
	W_PAD(2),
	W_END,
};

static enum of_error get_multipath(struct cursor *c, struct act_reader *r)
{
	struct of_act_multipath *a = of_acts_add(r->out, OFA_MULTIPATH, 0);
	enum of_error e;

	wire_read(c, multipath_wire, a);
	act_ofs_nbits(cursor_u16(c), &a->dst);
	e = act_header_get(c, &a->dst.field);
	if (!e)
		e = act_sub_check(&a->dst, true);
	if (e)
		return e;
	if (a->fields >= N_OF_HASH || a->algorithm > OF_MP_ITER ||
	    (a->dst.n_bits < 17 && a->max_link >> a->dst.n_bits))
		return OF_OFPBAC_BAD_ARGUMENT;
	return OF_OK;
}

static bool put_multipath(struct of_out *o, const struct of_act *a,
			  const struct act_form *form, unsigned version)
{
	const struct of_act_multipath *m = (const void *)a;

	(void)form;
	(void)version;
	wire_write(o, multipath_wire, m);
	of_out_int(o, act_to_ofs_nbits(&m->dst), 2);
	act_header_put(o, m->dst.field, OXM_NXM);
	return act_header_is_short(m->dst.field);
}

/* Set-field is written by put_set_field alone: these are read. */
static bool never(const struct of_act *a)
{
	(void)a;
	return false;
}

#define FORM(who, from, to, kind, number, get, put, fits)                      \
	{                                                                      \
		who, from, to, kind, number, NULL, get, put, fits              \
	}

const struct act_form act_field_forms[] = {
	FORM(ACT_OF, OF12, OF15, OFA_SET_FIELD, 25, get_set_field, 0, never),
	FORM(ACT_NX, OF10, OF14, OFA_SET_FIELD, 7, get_load, 0, never),
	FORM(ACT_NX, OF10, OF14, OFA_SET_FIELD, 33, get_load2, 0, never),
	FORM(ACT_OF, OF15, OF15, OFA_MOVE, 28, get_move_of, put_move, NULL),
	FORM(ACT_NX, OF10, OF14, OFA_MOVE, 6, get_move_of, put_move, NULL),
	FORM(ACT_ONF, OF13, OF14, OFA_MOVE, 3200, get_move_of, put_move, NULL),
	FORM(ACT_NX, OF10, OF15, OFA_STACK_PUSH, 27, get_stack, put_stack,
	     NULL),
	FORM(ACT_NX, OF10, OF15, OFA_STACK_POP, 28, get_stack, put_stack, NULL),
	FORM(ACT_NX, OF10, OF15, OFA_OUTPUT_REG, 15, get_output_reg,
	     put_output_reg, reg_is_short),
	FORM(ACT_NX, OF10, OF15, OFA_OUTPUT_REG, 32, get_output_reg,
	     put_output_reg, NULL),
	FORM(ACT_NX, OF10, OF15, OFA_MULTIPATH, 10, get_multipath,
	     put_multipath, NULL),
	FORM(ACT_NX, OF10, OF15, OFA_DELETE_FIELD, 50, get_delete, put_delete,
	     NULL),
	FORM(ACT_NX, OF10, OF15, OFA_CHECK_LARGER, 49, get_larger, put_larger,
	     NULL),
};
const size_t act_n_field_forms = ARRAY_SIZE(act_field_forms);
