/* SPDX-License-Identifier: Apache-2.0 */
#include "ofwire/act_codec.h"

#include <sys/socket.h>

#include "ofwire/prop.h"

#define LEARN_BITS 0x3ffu
#define LEARN_SRC_IMMEDIATE (1u << 13)
#define LEARN_DST_SHIFT 11u
#define LEARN_DST_MASK 3u
#define LEARN_SPEC_KNOWN 0x3fffu
#define BUNDLE_MIN_BITS 16u

/* --- dec_ttl --- */

static enum of_error get_dec_ttl(struct cursor *c, struct act_reader *r)
{
	/* Nothing but padding: 6 bytes of Nicira's, 4 of the standard's. */
	cursor_skip(c, r->form->who == ACT_NX ? 6 : 4);
	of_acts_add(r->out, OFA_DEC_TTL, 0);
	return OF_OK;
}

static bool put_dec_ttl(struct of_out *o, const struct of_act *a,
			const struct act_form *form, unsigned version)
{
	(void)a;
	(void)form;
	(void)version;
	of_out_add(o, form->who == ACT_NX ? 6 : 4);
	return true;
}

static bool has_no_ids(const struct of_act *a)
{
	return !((const struct of_act_ids *)(const void *)a)->n;
}

static enum of_error get_ids(struct cursor *c, struct act_reader *r)
{
	uint16_t n = cursor_u16(c);
	struct of_act_ids *a;

	if (!cursor_skip(c, 4))
		return OF_OFPBAC_BAD_LEN;
	if (!n)
		return OF_OFPBAC_BAD_ARGUMENT;
	if (cursor_left(c) < n * 2u)
		return OF_OFPBAC_BAD_LEN;
	a = of_acts_add(r->out, OFA_DEC_TTL, n * sizeof(a->ids[0]));
	a->n = n;
	for (unsigned i = 0; i < n; i++)
		a->ids[i] = cursor_u16(c);
	return act_zeros(c, OF_NXBRC_MUST_BE_ZERO);
}

static bool put_ids(struct of_out *o, const struct of_act *a,
		    const struct act_form *form, unsigned version)
{
	const struct of_act_ids *ids = (const void *)a;

	(void)form;
	(void)version;
	of_out_int(o, ids->n, 2);
	of_out_add(o, 4);
	for (unsigned i = 0; i < ids->n; i++)
		of_out_int(o, ids->ids[i], 2);
	return true;
}

/* --- controller --- */

static const struct wire controller1[] = {
	W_INT(struct of_act_controller, max_len, 2),
	W_INT(struct of_act_controller, id, 2),
	W_INT(struct of_act_controller, reason, 1),
	W_PAD(1),
	W_END,
};

static bool is_controller1(const struct of_act *a)
{
	const struct of_act_controller *c = (const void *)a;

	return !c->pause && !c->userdata_len &&
	       c->meter == OF_CONTROLLER_NO_METER;
}

static struct of_act_controller *add_controller(struct of_acts *acts,
						size_t userdata)
{
	struct of_act_controller *a =
		of_acts_add(acts, OFA_CONTROLLER, userdata);

	a->extended = true;
	a->meter = OF_CONTROLLER_NO_METER;
	a->max_len = UINT16_MAX;
	a->reason = 1;
	a->userdata_len = (uint32_t)userdata;
	return a;
}

static enum of_error get_controller1(struct cursor *c, struct act_reader *r)
{
	wire_read(c, controller1, add_controller(r->out, 0));
	return OF_OK;
}

static bool put_controller1(struct of_out *o, const struct of_act *a,
			    const struct act_form *form, unsigned version)
{
	(void)form;
	(void)version;
	wire_write(o, controller1, a);
	return true;
}

enum {
	CONTROLLER_MAX_LEN,
	CONTROLLER_ID,
	CONTROLLER_REASON,
	CONTROLLER_USERDATA,
	CONTROLLER_PAUSE,
	CONTROLLER_METER
};

/* What the properties say, before it is known how long the action is. */
struct controller_props {
	struct cursor userdata;
	uint32_t meter;
	uint16_t max_len, id;
	uint8_t reason;
	bool pause;
};

static enum of_error controller_prop(struct of_prop *p,
				     struct controller_props *a)
{
	switch (p->type) {
	case CONTROLLER_MAX_LEN:
		a->max_len = cursor_u16(&p->body);
		break;
	case CONTROLLER_ID:
		a->id = cursor_u16(&p->body);
		break;
	case CONTROLLER_REASON:
		a->reason = cursor_u8(&p->body);
		break;
	case CONTROLLER_USERDATA:
		a->userdata = p->body;
		cursor_skip(&p->body, cursor_left(&p->body));
		break;
	case CONTROLLER_PAUSE:
		a->pause = true;
		break;
	case CONTROLLER_METER:
		a->meter = cursor_u32(&p->body);
		break;
	default:
		return of_prop_unknown(p);
	}
	return of_prop_done(p);
}

static enum of_error get_controller2(struct cursor *c, struct act_reader *r)
{
	struct controller_props props = {
		.userdata = cursor_init("", 0),
		.meter = OF_CONTROLLER_NO_METER,
		.max_len = UINT16_MAX,
		.reason = 1,
	};
	struct cursor zeros = cursor_sub(c, 6);
	struct of_act_controller *a;
	enum of_error e = act_zeros(&zeros, OF_NXBRC_MUST_BE_ZERO);
	struct of_prop p;

	while (!e && !cursor_at_end(c)) {
		e = of_prop_next(c, &p);
		if (!e)
			e = controller_prop(&p, &props);
	}
	if (e)
		return e;
	a = add_controller(r->out, cursor_left(&props.userdata));
	a->max_len = props.max_len;
	a->id = props.id;
	a->reason = props.reason;
	a->pause = props.pause;
	a->meter = props.meter;
	cursor_copy(&props.userdata, a->userdata, a->userdata_len);
	return OF_OK;
}

static void put_prop(struct of_out *o, uint16_t type, uint64_t v, unsigned n)
{
	size_t at = of_prop_begin(o, type);

	of_out_int(o, v, n);
	of_prop_end(o, at);
}

static bool put_controller2(struct of_out *o, const struct of_act *a,
			    const struct act_form *form, unsigned version)
{
	const struct of_act_controller *c = (const void *)a;
	size_t at;

	(void)form;
	(void)version;
	of_out_add(o, 6);
	if (c->max_len != UINT16_MAX)
		put_prop(o, CONTROLLER_MAX_LEN, c->max_len, 2);
	if (c->id)
		put_prop(o, CONTROLLER_ID, c->id, 2);
	if (c->reason != 1)
		put_prop(o, CONTROLLER_REASON, c->reason, 1);
	if (c->userdata_len) {
		at = of_prop_begin(o, CONTROLLER_USERDATA);
		of_out_bytes(o, c->userdata, c->userdata_len);
		of_prop_end(o, at);
	}
	if (c->pause)
		of_prop_end(o, of_prop_begin(o, CONTROLLER_PAUSE));
	if (c->meter != OF_CONTROLLER_NO_METER)
		put_prop(o, CONTROLLER_METER, c->meter, 4);
	return true;
}

/* --- bundle --- */

static const struct wire bundle_wire[] = {
	W_INT(struct of_act_bundle, algorithm, 2),
	W_INT(struct of_act_bundle, fields, 2),
	W_INT(struct of_act_bundle, basis, 2),
	W_END,
};
/* NXM_OF_IN_PORT: the ports are named by number. */
#define BUNDLE_MEMBERS 2u

static enum of_error bundle_check(const struct of_act_bundle *a)
{
	if (a->algorithm > OF_BUNDLE_HRW || a->fields >= N_OF_HASH ||
	    a->n > OF_BUNDLE_MAX)
		return OF_OFPBAC_BAD_ARGUMENT;
	return OF_OK;
}

static enum of_error bundle_dst(struct cursor *c, bool load, struct of_sub *dst)
{
	uint16_t bits = cursor_u16(c);
	struct cursor header = cursor_sub(c, 4), zero = cursor_sub(c, 4);
	enum of_error e = act_zeros(&zero, OF_OFPBAC_BAD_ARGUMENT);

	if (e)
		return e;
	if (!load)
		return bits ? OF_OFPBAC_BAD_ARGUMENT :
			      act_zeros(&header, OF_OFPBAC_BAD_ARGUMENT);
	act_ofs_nbits(bits, dst);
	e = act_header_get(&header, &dst->field);
	if (!e)
		e = act_sub_check(dst, true);
	if (!e && dst->n_bits < BUNDLE_MIN_BITS)
		e = OF_OFPBAC_BAD_ARGUMENT;
	return e;
}

static enum of_error get_bundle(struct cursor *c, struct act_reader *r)
{
	struct of_act_bundle head = { 0 };
	struct of_act_bundle *a;
	uint32_t members;
	enum of_error e;

	wire_read(c, bundle_wire, &head);
	members = cursor_u32(c);
	head.n = cursor_u16(c);
	e = bundle_dst(c, r->form->number == 13, &head.dst);
	if (c->failed)
		return OF_OFPBAC_BAD_LEN;
	if (!e)
		e = members == BUNDLE_MEMBERS ? bundle_check(&head) :
						OF_OFPBAC_BAD_ARGUMENT;
	if (!e && cursor_left(c) < head.n * 2u)
		e = OF_OFPBAC_BAD_LEN;
	if (e)
		return e;
	a = of_acts_add(r->out, OFA_BUNDLE, head.n * sizeof(a->ports[0]));
	a->algorithm = head.algorithm;
	a->fields = head.fields;
	a->basis = head.basis;
	a->n = head.n;
	a->dst = head.dst;
	for (unsigned i = 0; i < a->n; i++)
		a->ports[i] = of_port_from_16(cursor_u16(c));
	return act_zeros(c, OF_OFPBAC_BAD_ARGUMENT);
}

static bool put_bundle(struct of_out *o, const struct of_act *a,
		       const struct act_form *form, unsigned version)
{
	const struct of_act_bundle *b = (const void *)a;

	(void)version;
	wire_write(o, bundle_wire, b);
	of_out_int(o, BUNDLE_MEMBERS, 4);
	of_out_int(o, b->n, 2);
	if (form->number == 13) {
		of_out_int(o, act_to_ofs_nbits(&b->dst), 2);
		act_header_put(o, b->dst.field, OXM_NXM);
	} else {
		of_out_add(o, 6);
	}
	of_out_add(o, 4);
	for (unsigned i = 0; i < b->n; i++)
		of_out_int(o, of_port_to_16(b->ports[i]), 2);
	return true;
}

static bool is_plain_bundle(const struct of_act *a)
{
	return !((const struct of_act_bundle *)(const void *)a)->dst.n_bits;
}

/* --- learn --- */

static const struct wire learn_wire[] = {
	W_INT(struct of_act_learn, idle, 2),
	W_INT(struct of_act_learn, hard, 2),
	W_INT(struct of_act_learn, priority, 2),
	W_INT(struct of_act_learn, cookie, 8),
	W_INT(struct of_act_learn, flags, 2),
	W_INT(struct of_act_learn, table, 1),
	W_PAD(1),
	W_INT(struct of_act_learn, fin_idle, 2),
	W_INT(struct of_act_learn, fin_hard, 2),
	W_END,
};

static enum of_error sub_get(struct cursor *c, uint16_t n_bits, bool written,
			     struct of_sub *s)
{
	enum of_error e = act_header_get(c, &s->field);

	s->ofs = cursor_u16(c);
	s->n_bits = n_bits;
	return e ? e : act_sub_check(s, written);
}

static void sub_put(struct of_out *o, const struct of_sub *s)
{
	act_header_put(o, s->field, OXM_NXM);
	of_out_int(o, s->ofs, 2);
}

/* The immediate's bytes: whole 16-bit words, right-aligned. */
static enum of_error imm_get(struct cursor *c, uint16_t n_bits,
			     struct field_value *imm)
{
	unsigned bytes = 2 * DIV_ROUND_UP(n_bits, 16u);

	if (n_bits > 8 * FIELD_VALUE_MAX)
		return OF_OFPBAC_BAD_ARGUMENT;
	cursor_copy(c, imm->b + FIELD_VALUE_MAX - bytes, bytes);
	if (c->failed)
		return OF_OFPBAC_BAD_LEN;
	/* What is above the bits does not count. */
	for (unsigned i = n_bits; i < bytes * 8; i++)
		imm->b[FIELD_VALUE_MAX - 1 - i / 8] &= (uint8_t) ~(1u << i % 8);
	return OF_OK;
}

static enum of_error spec_get(struct cursor *c, uint16_t header,
			      struct of_learn_spec *s)
{
	enum of_error e;

	memset(s, 0, sizeof(*s));
	s->n_bits = header & LEARN_BITS;
	s->immediate = header & LEARN_SRC_IMMEDIATE;
	s->dst_kind = header >> LEARN_DST_SHIFT & LEARN_DST_MASK;
	if (header & ~LEARN_SPEC_KNOWN || s->dst_kind > OF_LEARN_OUTPUT ||
	    (s->dst_kind == OF_LEARN_OUTPUT && s->immediate))
		return OF_OFPBAC_BAD_ARGUMENT;
	e = s->immediate ? imm_get(c, s->n_bits, &s->imm) :
			   sub_get(c, s->n_bits, false, &s->src);
	if (!e && s->dst_kind != OF_LEARN_OUTPUT)
		e = sub_get(c, s->n_bits, s->dst_kind == OF_LEARN_LOAD,
			    &s->dst);
	return e;
}

static struct of_act_learn *learn_at(struct of_acts *acts, size_t at)
{
	return (struct of_act_learn *)(void *)(acts->data + at);
}

static enum of_error specs_get(struct cursor *c, struct of_acts *acts,
			       size_t at)
{
	struct of_learn_spec spec;
	struct of_act_list one = { (const void *)&spec, sizeof(spec) };
	enum of_error e;
	uint16_t header;

	while (cursor_left(c) >= 2) {
		header = cursor_u16(c);
		if (!header)
			break;
		e = spec_get(c, header, &spec);
		if (e)
			return e;
		of_acts_append(acts, one);
		learn_at(acts, at)->n++;
		learn_at(acts, at)->h.len = (uint32_t)(acts->len - at);
	}
	return act_zeros(c, OF_OFPBAC_BAD_ARGUMENT);
}

static enum of_error learn2_get(struct cursor *c, struct of_act_learn *a)
{
	enum of_error e;

	a->form2 = 1;
	a->limit = cursor_u32(c);
	a->result.ofs = cursor_u16(c);
	if (cursor_u16(c))
		return OF_NXBAC_MUST_BE_ZERO;
	if (!(a->flags & OF_LEARN_WRITE_RESULT))
		return a->result.ofs ? OF_OFPBAC_BAD_ARGUMENT : OF_OK;
	e = act_header_get(c, &a->result.field);
	a->result.n_bits = 1;
	return e ? e : act_sub_check(&a->result, true);
}

static enum of_error get_learn(struct cursor *c, struct act_reader *r)
{
	size_t at = r->out->len;
	struct of_act_learn *a = of_acts_add(r->out, OFA_LEARN, 0);
	uint16_t known = OF_LEARN_SEND_FLOW_REM | OF_LEARN_DELETE;
	enum of_error e = OF_OK;

	if (r->form->number == 45)
		known |= OF_LEARN_WRITE_RESULT;
	wire_read(c, learn_wire, a);
	if (a->flags & ~known || a->table == OF_TABLE_ALL)
		return OF_OFPBAC_BAD_ARGUMENT;
	if (r->form->number == 45)
		e = learn2_get(c, a);
	if (c->failed)
		return OF_OFPBAC_BAD_LEN;
	return e ? e : specs_get(c, r->out, at);
}

static bool spec_put(struct of_out *o, const struct of_learn_spec *s)
{
	unsigned bytes = 2 * DIV_ROUND_UP(s->n_bits, 16u);
	unsigned header = s->n_bits | (unsigned)s->dst_kind << LEARN_DST_SHIFT;

	of_out_int(o, header | (s->immediate ? LEARN_SRC_IMMEDIATE : 0), 2);
	if (s->immediate)
		of_out_bytes(o, s->imm.b + FIELD_VALUE_MAX - bytes, bytes);
	else
		sub_put(o, &s->src);
	if (s->dst_kind != OF_LEARN_OUTPUT)
		sub_put(o, &s->dst);
	return true;
}

static bool put_learn(struct of_out *o, const struct of_act *a,
		      const struct act_form *form, unsigned version)
{
	const struct of_act_learn *l = (const void *)a;

	(void)version;
	wire_write(o, learn_wire, l);
	if (form->number == 45) {
		of_out_int(o, l->limit, 4);
		of_out_int(o, l->result.ofs, 2);
		of_out_add(o, 2);
		if (l->flags & OF_LEARN_WRITE_RESULT)
			act_header_put(o, l->result.field, OXM_NXM);
	}
	for (unsigned i = 0; i < l->n; i++)
		spec_put(o, &l->specs[i]);
	return true;
}

static bool is_learn1(const struct of_act *a)
{
	const struct of_act_learn *l = (const void *)a;

	return !l->form2 && !l->limit && !(l->flags & OF_LEARN_WRITE_RESULT);
}

/* --- note, clone, encap --- */

static enum of_error get_note(struct cursor *c, struct act_reader *r)
{
	size_t n = cursor_left(c);
	struct of_act_note *a = of_acts_add(r->out, OFA_NOTE, n);

	a->n = (uint32_t)n;
	cursor_copy(c, a->data, n);
	return OF_OK;
}

static bool put_note(struct of_out *o, const struct of_act *a,
		     const struct act_form *form, unsigned version)
{
	const struct of_act_note *n = (const void *)a;

	(void)form;
	(void)version;
	of_out_bytes(o, n->data, n->n);
	return true;
}

/* Actions to the end of the action, nested in the one at `at`. */
static enum of_error nested_get(struct cursor *c, struct act_reader *r,
				size_t at)
{
	const struct act_form *form = r->form;
	struct cursor all = cursor_sub(c, cursor_left(c));
	enum of_error e = act_list_get(all, r);

	r->form = form;
	if (!e)
		of_acts_end(r->out, at);
	return e;
}

static enum of_error get_clone(struct cursor *c, struct act_reader *r)
{
	size_t at = r->out->len;

	if (!cursor_skip(c, 6))
		return OF_OFPBAC_BAD_LEN;
	of_acts_add(r->out, OFA_CLONE, 0);
	return nested_get(c, r, at);
}

static bool put_clone(struct of_out *o, const struct of_act *a,
		      const struct act_form *form, unsigned version)
{
	(void)form;
	of_out_add(o, 6);
	return act_list_put(o, version, of_act_nested(a));
}

#define PACKET_TYPE_ETH 0u
#define PACKET_TYPE_NSH 0x1894fu
#define PACKET_TYPE_MPLS 0x18847u
#define PACKET_TYPE_MPLS_MCAST 0x18848u
#define ED_CLASS_NSH 4u

/* Properties of what is put in front: NSH's metadata type and its TLVs. */
static enum of_error ed_props_check(struct cursor c)
{
	while (!cursor_at_end(&c)) {
		uint16_t class = cursor_u16(&c);
		uint8_t type = cursor_u8(&c), len = cursor_u8(&c);

		if (c.failed || len < 4)
			return OF_NXBAC_BAD_ED_PROP;
		if (class != ED_CLASS_NSH || !type || type > 2)
			return OF_NXBAC_UNKNOWN_ED_PROP;
		if (!cursor_skip(&c, ROUND_UP(len, 8u) - 4u))
			return OF_NXBAC_BAD_ED_PROP;
	}
	return OF_OK;
}

static enum of_error get_encap(struct cursor *c, struct act_reader *r)
{
	uint16_t size = cursor_u16(c);
	uint32_t type = cursor_u32(c);
	size_t n = cursor_left(c);
	struct of_act_encap *a;
	enum of_error e;

	if (c->failed)
		return OF_OFPBAC_BAD_LEN;
	if (type != PACKET_TYPE_ETH && type != PACKET_TYPE_NSH &&
	    type != PACKET_TYPE_MPLS && type != PACKET_TYPE_MPLS_MCAST)
		return OF_NXBAC_BAD_HEADER_TYPE;
	e = ed_props_check(*c);
	if (e)
		return e;
	a = of_acts_add(r->out, OFA_ENCAP, n);
	a->packet_type = type;
	a->header_size = size;
	a->n = (uint16_t)n;
	cursor_copy(c, a->props, n);
	return OF_OK;
}

static bool put_encap(struct of_out *o, const struct of_act *a,
		      const struct act_form *form, unsigned version)
{
	const struct of_act_encap *e = (const void *)a;

	(void)form;
	(void)version;
	of_out_int(o, e->header_size, 2);
	of_out_int(o, e->packet_type, 4);
	of_out_bytes(o, e->props, e->n);
	return true;
}

/* --- ct, nat --- */

static enum of_error ct_inner_check(struct of_act_list list)
{
	of_act_for_each(a, list) {
		const struct of_act_set *set = (const void *)a;
		const struct of_act_move *m = (const void *)a;
		uint16_t field = a->kind == OFA_SET_FIELD ? set->field :
				 a->kind == OFA_MOVE      ? m->dst.field :
							    N_FIELDS;

		if (a->kind != OFA_NAT && field != FIELD_CT_MARK &&
		    field != FIELD_CT_LABEL)
			return OF_OFPBAC_BAD_ARGUMENT;
	}
	return OF_OK;
}

static enum of_error ct_zone_get(struct cursor *c, struct of_act_ct *a)
{
	struct cursor header = cursor_sub(c, 4);
	uint16_t bits = cursor_u16(c);
	struct cursor peek = header;
	enum of_error e;

	if (!cursor_u32(&peek)) {
		a->zone = bits;
		return OF_OK;
	}
	act_ofs_nbits(bits, &a->zone_src);
	e = act_header_get(&header, &a->zone_src.field);
	if (!e)
		e = act_sub_check(&a->zone_src, false);
	if (!e && a->zone_src.n_bits != 16)
		e = OF_OFPBAC_BAD_SET_LEN;
	return e;
}

static enum of_error get_ct(struct cursor *c, struct act_reader *r)
{
	size_t at = r->out->len;
	struct of_act_ct *a = of_acts_add(r->out, OFA_CT, 0);
	struct cursor pad;
	enum of_error e;

	a->flags = cursor_u16(c);
	e = ct_zone_get(c, a);
	a->table = cursor_u8(c);
	pad = cursor_sub(c, 3);
	a->alg = cursor_u16(c);
	if (c->failed)
		return OF_OFPBAC_BAD_LEN;
	if (!e)
		e = act_zeros(&pad, OF_NXBRC_MUST_BE_ZERO);
	if (e)
		return e;
	if (a->flags & ~(OF_CT_COMMIT | OF_CT_FORCE) ||
	    (a->flags & OF_CT_FORCE && !(a->flags & OF_CT_COMMIT)))
		return OF_OFPBAC_BAD_ARGUMENT;
	e = nested_get(c, r, at);
	if (e)
		return e;
	return ct_inner_check(of_act_nested((const void *)(r->out->data + at)));
}

static bool put_ct(struct of_out *o, const struct of_act *a,
		   const struct act_form *form, unsigned version)
{
	const struct of_act_ct *ct = (const void *)a;

	(void)form;
	of_out_int(o, ct->flags, 2);
	if (ct->zone_src.n_bits) {
		act_header_put(o, ct->zone_src.field, OXM_NXM);
		of_out_int(o, act_to_ofs_nbits(&ct->zone_src), 2);
	} else {
		of_out_int(o, 0, 4);
		of_out_int(o, ct->zone, 2);
	}
	of_out_int(o, ct->table, 1);
	of_out_add(o, 3);
	of_out_int(o, ct->alg, 2);
	return act_list_put(o, version, of_act_nested(a));
}

enum {
	NAT_IP4_MIN = 1,
	NAT_IP4_MAX = 2,
	NAT_IP6_MIN = 4,
	NAT_IP6_MAX = 8,
	NAT_PORT_MIN = 16,
	NAT_PORT_MAX = 32,
};
#define NAT_FLAGS 0x1fu
#define NAT_PRESENT 0x3fu

/* A maximum needs its minimum, one family at a time, a range a direction. */
static bool nat_is_good(uint16_t flags, uint16_t present)
{
	bool ip4 = present & (NAT_IP4_MIN | NAT_IP4_MAX);
	bool ip6 = present & (NAT_IP6_MIN | NAT_IP6_MAX);
	uint16_t both = OF_NAT_SRC | OF_NAT_DST;

	if (flags & ~NAT_FLAGS || present & ~NAT_PRESENT ||
	    (flags & both) == both || (ip4 && ip6))
		return false;
	if ((present & NAT_IP4_MAX && !(present & NAT_IP4_MIN)) ||
	    (present & NAT_IP6_MAX && !(present & NAT_IP6_MIN)) ||
	    (present & NAT_PORT_MAX && !(present & NAT_PORT_MIN)))
		return false;
	return flags & both || (!present && !flags);
}

static enum of_error get_nat(struct cursor *c, struct act_reader *r)
{
	struct of_act_nat *a = of_acts_add(r->out, OFA_NAT, 0);
	uint16_t present;

	cursor_skip(c, 2);
	a->flags = cursor_u16(c);
	present = cursor_u16(c);
	if (c->failed)
		return OF_OFPBAC_BAD_LEN;
	if (!nat_is_good(a->flags, present))
		return OF_OFPBAC_BAD_ARGUMENT;
	if (present & NAT_IP4_MIN)
		cursor_copy(c, a->min.b, 4);
	if (present & NAT_IP4_MAX)
		cursor_copy(c, a->max.b, 4);
	if (present & NAT_IP6_MIN)
		cursor_copy(c, a->min.b, 16);
	if (present & NAT_IP6_MAX)
		cursor_copy(c, a->max.b, 16);
	if (present & NAT_PORT_MIN)
		a->port_min = cursor_u16(c);
	if (present & NAT_PORT_MAX)
		a->port_max = cursor_u16(c);
	a->family = present & NAT_IP4_MIN ? AF_INET :
		    present & NAT_IP6_MIN ? AF_INET6 :
					    0;
	if (c->failed)
		return OF_OFPBAC_BAD_LEN;
	return act_zeros(c, OF_OFPBAC_BAD_LEN);
}

static bool put_nat(struct of_out *o, const struct of_act *a,
		    const struct act_form *form, unsigned version)
{
	const struct of_act_nat *n = (const void *)a;
	size_t bytes = n->family == AF_INET ? 4 : n->family ? 16 : 0;
	bool max = n->family && !ip6_addr_is_zero(n->max);
	unsigned present = 0;

	(void)form;
	(void)version;
	if (n->family)
		present |= n->family == AF_INET ? NAT_IP4_MIN : NAT_IP6_MIN;
	if (max)
		present |= n->family == AF_INET ? NAT_IP4_MAX : NAT_IP6_MAX;
	if (n->port_min)
		present |= NAT_PORT_MIN;
	if (n->port_min && n->port_max)
		present |= NAT_PORT_MAX;
	of_out_add(o, 2);
	of_out_int(o, n->flags, 2);
	of_out_int(o, present, 2);
	of_out_bytes(o, n->min.b, bytes);
	of_out_bytes(o, n->max.b, max ? bytes : 0);
	if (present & NAT_PORT_MIN)
		of_out_int(o, n->port_min, 2);
	if (present & NAT_PORT_MAX)
		of_out_int(o, n->port_max, 2);
	return true;
}

#define NX(kind, number, get, put, fits)                                       \
	{                                                                      \
		ACT_NX, OF10, OF15, kind, number, NULL, get, put, fits         \
	}

const struct act_form act_vary_forms[] = {
	{ ACT_NX, OF10, OF10, OFA_DEC_TTL, 18, NULL, get_dec_ttl, put_dec_ttl,
	  has_no_ids },
	{ ACT_OF, OF11, OF15, OFA_DEC_TTL, 24, NULL, get_dec_ttl, put_dec_ttl,
	  has_no_ids },
	NX(OFA_DEC_TTL, 21, get_ids, put_ids, NULL),
	NX(OFA_CONTROLLER, 20, get_controller1, put_controller1,
	   is_controller1),
	NX(OFA_CONTROLLER, 37, get_controller2, put_controller2, NULL),
	NX(OFA_BUNDLE, 12, get_bundle, put_bundle, is_plain_bundle),
	NX(OFA_BUNDLE, 13, get_bundle, put_bundle, NULL),
	NX(OFA_LEARN, 16, get_learn, put_learn, is_learn1),
	NX(OFA_LEARN, 45, get_learn, put_learn, NULL),
	NX(OFA_NOTE, 8, get_note, put_note, NULL),
	NX(OFA_CLONE, 42, get_clone, put_clone, NULL),
	{ ACT_NX, OF13, OF15, OFA_ENCAP, 46, NULL, get_encap, put_encap, NULL },
	NX(OFA_CT, 35, get_ct, put_ct, NULL),
	NX(OFA_NAT, 36, get_nat, put_nat, NULL),
};
const size_t act_n_vary_forms = ARRAY_SIZE(act_vary_forms);
