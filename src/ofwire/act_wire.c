/* SPDX-License-Identifier: Apache-2.0 */
#include "ofwire/act_codec.h"

#include "packet/headers.h"

#define TYPE_EXPERIMENTER 0xffffu
#define OF_HEADER 4u

#define ALL OF10, OF15
#define V(member, n) W_INT(struct of_act_int, member, n)

/* --- layouts of one number, by header --- */

static const struct wire of_void[] = { W_PAD(4), W_END };
static const struct wire of_u8[] = { V(v, 1), W_PAD(3), W_END };
static const struct wire of_u16[] = { V(v, 2), W_PAD(2), W_END };
static const struct wire of_u32[] = { V(v, 4), W_END };
static const struct wire nx_void[] = { W_PAD(6), W_END };
static const struct wire nx_u8[] = { V(v, 1), W_PAD(5), W_END };
static const struct wire nx_u16[] = { V(v, 2), W_PAD(4), W_END };
static const struct wire nx_u32[] = { W_PAD(2), V(v, 4), W_END };

/* --- others --- */

static const struct wire output10[] = {
	W_PORT(struct of_act_output, port, 2),
	W_INT(struct of_act_output, max_len, 2),
	W_END,
};
static const struct wire output11[] = {
	W_PORT(struct of_act_output, port, 4),
	W_INT(struct of_act_output, max_len, 2),
	W_PAD(6),
	W_END,
};
static const struct wire vlan_vid[] = {
	W_INT(struct of_act_vlan, v, 2),
	W_PAD(2),
	W_END,
};
static const struct wire vlan_pcp[] = {
	W_INT(struct of_act_vlan, v, 1),
	W_PAD(3),
	W_END,
};
static const struct wire mac[] = {
	W_BYTES(struct of_act_mac, mac, 6),
	W_PAD(6),
	W_END,
};
static const struct wire tp[] = {
	W_INT(struct of_act_tp, v, 2),
	W_PAD(2),
	W_END,
};
static const struct wire enqueue[] = {
	W_PORT(struct of_act_enqueue, port, 2),
	W_PAD(6),
	W_INT(struct of_act_enqueue, queue, 4),
	W_END,
};
static const struct wire tunnel32[] = {
	W_PAD(2),
	W_INT(struct of_act_tunnel, id, 4),
	W_END,
};
static const struct wire tunnel64[] = {
	W_PAD(6),
	W_INT(struct of_act_tunnel, id, 8),
	W_END,
};
static const struct wire resubmit[] = {
	W_PORT(struct of_act_resubmit, port, 2),
	W_PAD(4),
	W_END,
};
static const struct wire resubmit_table[] = {
	W_PORT(struct of_act_resubmit, port, 2),
	W_INT(struct of_act_resubmit, table, 1),
	W_PAD(3),
	W_END,
};
static const struct wire fin_timeout[] = {
	W_INT(struct of_act_fin, idle, 2),
	W_INT(struct of_act_fin, hard, 2),
	W_PAD(2),
	W_END,
};
static const struct wire conjunction[] = {
	W_INT(struct of_act_conjunction, clause, 1),
	W_INT(struct of_act_conjunction, n_clauses, 1),
	W_INT(struct of_act_conjunction, id, 4),
	W_END,
};
static const struct wire sample1[] = {
	W_INT(struct of_act_sample, probability, 2),
	W_INT(struct of_act_sample, collector, 4),
	W_INT(struct of_act_sample, domain, 4),
	W_INT(struct of_act_sample, point, 4),
	W_END,
};
static const struct wire sample2[] = {
	W_INT(struct of_act_sample, probability, 2),
	W_INT(struct of_act_sample, collector, 4),
	W_INT(struct of_act_sample, domain, 4),
	W_INT(struct of_act_sample, point, 4),
	W_PORT(struct of_act_sample, port, 2),
	W_INT(struct of_act_sample, direction, 1),
	W_PAD(5),
	W_END,
};
static const struct wire output_trunc[] = {
	W_PORT(struct of_act_trunc, port, 2),
	W_INT(struct of_act_trunc, max_len, 4),
	W_END,
};
static const struct wire metadata[] = {
	W_PAD(6),
	W_INT(struct of_act_metadata, value, 8),
	W_INT(struct of_act_metadata, mask, 8),
	W_END,
};

/* --- which of several forms --- */

static bool is_narrow(const struct of_act *a)
{
	const struct of_act_tunnel *t = (const void *)a;

	return !t->wide && t->id <= UINT32_MAX;
}

static bool is_plain_resubmit(const struct of_act *a)
{
	const struct of_act_resubmit *r = (const void *)a;

	return r->plain && r->table == OF_TABLE_ALL && !r->ct;
}

static bool is_resubmit_ct(const struct of_act *a)
{
	return ((const struct of_act_resubmit *)(const void *)a)->ct;
}

static bool is_sample1(const struct of_act *a)
{
	return ((const struct of_act_sample *)(const void *)a)->form == 1;
}

static bool is_sample2(const struct of_act *a)
{
	return ((const struct of_act_sample *)(const void *)a)->form == 2;
}

/* --- output, which may mean a controller --- */

static enum of_error get_output(struct cursor *c, struct act_reader *r)
{
	struct of_act_output a = { 0 };

	wire_read(c, r->version == OF10 ? output10 : output11, &a);
	of_acts_output(r->out, a.port, a.max_len);
	return OF_OK;
}

static bool put_output(struct of_out *o, const struct of_act *a,
		       const struct act_form *form, unsigned version)
{
	const struct of_act_controller *c = (const void *)a;
	struct of_act_output copy = { .port = OF_PORT_CONTROLLER };

	(void)form;
	if (a->kind == OFA_CONTROLLER)
		copy.max_len = c->max_len;
	else
		memcpy(&copy, a, sizeof(copy));
	wire_write(o, version == OF10 ? output10 : output11, &copy);
	return true;
}

static bool is_plain_controller(const struct of_act *a)
{
	const struct of_act_controller *c = (const void *)a;

	return !c->extended && !c->id && c->reason == 1 && !c->pause &&
	       !c->userdata_len && c->meter == OF_CONTROLLER_NO_METER;
}

#define OUTPUT(kind, fits)                                                     \
	{                                                                      \
		ACT_OF, ALL, kind, 0, NULL, get_output, put_output, fits       \
	}

/* The first that fits a version and an action is how it is written. */
static const struct act_form forms[] = {
	OUTPUT(OFA_OUTPUT, NULL),
	OUTPUT(OFA_CONTROLLER, is_plain_controller),
	{ ACT_OF, OF10, OF10, OFA_SET_VLAN_VID, 1, vlan_vid, 0, 0, 0 },
	{ ACT_OF, OF11, OF11, OFA_SET_VLAN_VID, 1, vlan_vid, 0, 0, 0 },
	{ ACT_OF, OF10, OF10, OFA_SET_VLAN_PCP, 2, vlan_pcp, 0, 0, 0 },
	{ ACT_OF, OF11, OF11, OFA_SET_VLAN_PCP, 2, vlan_pcp, 0, 0, 0 },
	{ ACT_OF, OF10, OF10, OFA_STRIP_VLAN, 3, of_void, 0, 0, 0 },
	{ ACT_OF, OF11, OF15, OFA_STRIP_VLAN, 18, of_void, 0, 0, 0 },
	{ ACT_OF, OF11, OF15, OFA_PUSH_VLAN, 17, of_u16, 0, 0, 0 },
	{ ACT_OF, OF10, OF10, OFA_SET_ETH_SRC, 4, mac, 0, 0, 0 },
	{ ACT_OF, OF11, OF11, OFA_SET_ETH_SRC, 3, mac, 0, 0, 0 },
	{ ACT_OF, OF10, OF10, OFA_SET_ETH_DST, 5, mac, 0, 0, 0 },
	{ ACT_OF, OF11, OF11, OFA_SET_ETH_DST, 4, mac, 0, 0, 0 },
	{ ACT_OF, OF10, OF10, OFA_SET_IP4_SRC, 6, of_u32, 0, 0, 0 },
	{ ACT_OF, OF11, OF11, OFA_SET_IP4_SRC, 5, of_u32, 0, 0, 0 },
	{ ACT_OF, OF10, OF10, OFA_SET_IP4_DST, 7, of_u32, 0, 0, 0 },
	{ ACT_OF, OF11, OF11, OFA_SET_IP4_DST, 6, of_u32, 0, 0, 0 },
	{ ACT_OF, OF10, OF10, OFA_SET_IP_TOS, 8, of_u8, 0, 0, 0 },
	{ ACT_OF, OF11, OF11, OFA_SET_IP_TOS, 7, of_u8, 0, 0, 0 },
	{ ACT_OF, OF11, OF11, OFA_SET_IP_ECN, 8, of_u8, 0, 0, 0 },
	{ ACT_OF, OF10, OF11, OFA_SET_TP_SRC, 9, tp, 0, 0, 0 },
	{ ACT_OF, OF10, OF11, OFA_SET_TP_DST, 10, tp, 0, 0, 0 },
	{ ACT_OF, OF10, OF10, OFA_ENQUEUE, 11, enqueue, 0, 0, 0 },
	{ ACT_OF, OF11, OF15, OFA_COPY_TTL_OUT, 11, of_void, 0, 0, 0 },
	{ ACT_OF, OF11, OF15, OFA_COPY_TTL_IN, 12, of_void, 0, 0, 0 },
	{ ACT_NX, OF10, OF10, OFA_SET_MPLS_LABEL, 30, nx_u32, 0, 0, 0 },
	{ ACT_OF, OF11, OF11, OFA_SET_MPLS_LABEL, 13, of_u32, 0, 0, 0 },
	{ ACT_NX, OF10, OF10, OFA_SET_MPLS_TC, 31, nx_u8, 0, 0, 0 },
	{ ACT_OF, OF11, OF11, OFA_SET_MPLS_TC, 14, of_u8, 0, 0, 0 },
	{ ACT_NX, OF10, OF10, OFA_SET_MPLS_TTL, 25, nx_u8, 0, 0, 0 },
	{ ACT_OF, OF11, OF15, OFA_SET_MPLS_TTL, 15, of_u8, 0, 0, 0 },
	{ ACT_NX, OF10, OF10, OFA_DEC_MPLS_TTL, 26, nx_void, 0, 0, 0 },
	{ ACT_OF, OF11, OF15, OFA_DEC_MPLS_TTL, 16, of_void, 0, 0, 0 },
	{ ACT_NX, OF10, OF10, OFA_PUSH_MPLS, 23, nx_u16, 0, 0, 0 },
	{ ACT_OF, OF11, OF15, OFA_PUSH_MPLS, 19, of_u16, 0, 0, 0 },
	{ ACT_NX, OF10, OF10, OFA_POP_MPLS, 24, nx_u16, 0, 0, 0 },
	{ ACT_OF, OF11, OF15, OFA_POP_MPLS, 20, of_u16, 0, 0, 0 },
	{ ACT_NX, OF10, OF10, OFA_SET_QUEUE, 4, nx_u32, 0, 0, 0 },
	{ ACT_OF, OF11, OF15, OFA_SET_QUEUE, 21, of_u32, 0, 0, 0 },
	{ ACT_NX, OF10, OF10, OFA_GROUP, 40, nx_u32, 0, 0, 0 },
	{ ACT_OF, OF11, OF15, OFA_GROUP, 22, of_u32, 0, 0, 0 },
	{ ACT_OF, OF11, OF15, OFA_SET_IP_TTL, 23, of_u8, 0, 0, 0 },
	{ ACT_OF, OF13, OF15, OFA_PUSH_PBB, 26, of_u16, 0, 0, 0 },
	{ ACT_OF, OF13, OF15, OFA_POP_PBB, 27, of_void, 0, 0, 0 },
	{ ACT_OF, OF15, OF15, OFA_METER, 29, of_u32, 0, 0, 0 },
	/* 1.2 and later keep reading what they no longer write. */
	{ ACT_OF, OF12, OF15, OFA_SET_VLAN_VID, 1, vlan_vid, 0, 0, 0 },
	{ ACT_OF, OF12, OF15, OFA_SET_VLAN_PCP, 2, vlan_pcp, 0, 0, 0 },
	{ ACT_OF, OF12, OF15, OFA_SET_ETH_SRC, 3, mac, 0, 0, 0 },
	{ ACT_OF, OF12, OF15, OFA_SET_ETH_DST, 4, mac, 0, 0, 0 },
	{ ACT_OF, OF12, OF15, OFA_SET_IP4_SRC, 5, of_u32, 0, 0, 0 },
	{ ACT_OF, OF12, OF15, OFA_SET_IP4_DST, 6, of_u32, 0, 0, 0 },
	{ ACT_OF, OF12, OF15, OFA_SET_IP_TOS, 7, of_u8, 0, 0, 0 },
	{ ACT_OF, OF12, OF15, OFA_SET_IP_ECN, 8, of_u8, 0, 0, 0 },
	{ ACT_OF, OF12, OF15, OFA_SET_TP_SRC, 9, tp, 0, 0, 0 },
	{ ACT_OF, OF12, OF15, OFA_SET_TP_DST, 10, tp, 0, 0, 0 },
	{ ACT_OF, OF12, OF15, OFA_SET_MPLS_LABEL, 13, of_u32, 0, 0, 0 },
	{ ACT_OF, OF12, OF15, OFA_SET_MPLS_TC, 14, of_u8, 0, 0, 0 },
	/* Nicira's of fixed length */
	{ ACT_NX, ALL, OFA_RESUBMIT, 1, resubmit, 0, 0, is_plain_resubmit },
	{ ACT_NX, ALL, OFA_RESUBMIT, 44, resubmit_table, 0, 0, is_resubmit_ct },
	{ ACT_NX, ALL, OFA_RESUBMIT, 14, resubmit_table, 0, 0, NULL },
	{ ACT_NX, ALL, OFA_SET_TUNNEL, 2, tunnel32, 0, 0, is_narrow },
	{ ACT_NX, ALL, OFA_SET_TUNNEL, 9, tunnel64, 0, 0, NULL },
	{ ACT_NX, ALL, OFA_POP_QUEUE, 5, nx_void, 0, 0, 0 },
	{ ACT_NX, ALL, OFA_EXIT, 17, nx_void, 0, 0, 0 },
	{ ACT_NX, ALL, OFA_FIN_TIMEOUT, 19, fin_timeout, 0, 0, 0 },
	{ ACT_NX, OF10, OF10, OFA_WRITE_METADATA, 22, metadata, 0, 0, 0 },
	{ ACT_NX, ALL, OFA_SAMPLE, 29, sample1, 0, 0, is_sample1 },
	{ ACT_NX, ALL, OFA_SAMPLE, 38, sample2, 0, 0, is_sample2 },
	{ ACT_NX, ALL, OFA_SAMPLE, 41, sample2, 0, 0, NULL },
	{ ACT_NX, ALL, OFA_CONJUNCTION, 34, conjunction, 0, 0, 0 },
	{ ACT_NX, ALL, OFA_OUTPUT_TRUNC, 39, output_trunc, 0, 0, 0 },
	{ ACT_NX, ALL, OFA_CT_CLEAR, 43, nx_void, 0, 0, 0 },
	{ ACT_NX, OF13, OF15, OFA_DECAP, 47, nx_u32, 0, 0, 0 },
	{ ACT_NX, OF13, OF15, OFA_DEC_NSH_TTL, 48, nx_void, 0, 0, 0 },
};

/* --- reading --- */

struct table {
	const struct act_form *forms;
	size_t n;
};

static struct table table_at(unsigned i)
{
	switch (i) {
	case 0:
		return (struct table){ forms, ARRAY_SIZE(forms) };
	case 1:
		return (struct table){ act_field_forms, act_n_field_forms };
	case 2:
		return (struct table){ act_vary_forms, act_n_vary_forms };
	default:
		return (struct table){ NULL, 0 };
	}
}

static const struct act_form *form_by_number(enum act_who who, uint16_t number,
					     unsigned version)
{
	for (unsigned i = 0; table_at(i).forms; i++) {
		struct table t = table_at(i);

		for (size_t j = 0; j < t.n; j++)
			if (t.forms[j].number == number &&
			    t.forms[j].who == who &&
			    version >= t.forms[j].from &&
			    version <= t.forms[j].to)
				return &t.forms[j];
	}
	return NULL;
}

/* What the form says and the layout does not. */
static void annotate(struct of_act *a, const struct act_form *form,
		     unsigned version)
{
	struct of_act_resubmit *r = (void *)a;
	struct of_act_sample *s = (void *)a;

	if (a->kind == OFA_SET_VLAN_VID || a->kind == OFA_SET_VLAN_PCP) {
		((struct of_act_vlan *)(void *)a)->push = version == OF10;
	} else if (a->kind == OFA_STRIP_VLAN) {
		a->form = version > OF10;
	} else if (a->kind == OFA_SET_TUNNEL) {
		((struct of_act_tunnel *)(void *)a)->wide = form->number == 9;
	} else if (a->kind == OFA_RESUBMIT) {
		r->ct = form->number == 44;
		r->plain = form->number == 1;
		if (r->plain)
			r->table = OF_TABLE_ALL;
	} else if (a->kind == OFA_SAMPLE) {
		s->form = form->number == 29 ? 1 : form->number == 38 ? 2 : 3;
		if (s->form == 1)
			s->port = OF_PORT_NONE;
	}
}

static enum of_error header_get(struct cursor *c, enum act_who *who,
				uint16_t *number, struct cursor *body)
{
	uint16_t len;
	uint32_t vendor;

	*who = ACT_OF;
	*number = cursor_u16(c);
	len = cursor_u16(c);
	if (c->failed || len < 8 || len % 8)
		return OF_OFPBAC_BAD_LEN;
	*body = cursor_sub(c, len - OF_HEADER);
	if (body->failed)
		return OF_OFPBAC_BAD_LEN;
	if (*number != TYPE_EXPERIMENTER)
		return OF_OK;
	vendor = cursor_u32(body);
	if (vendor == OF_VENDOR_NICIRA)
		*who = ACT_NX;
	else if (vendor == OF_VENDOR_ONF)
		*who = ACT_ONF;
	else
		return OF_OFPBAC_BAD_VENDOR;
	*number = cursor_u16(body);
	return body->failed ? OF_OFPBAC_BAD_LEN : OF_OK;
}

static enum of_error body_get(struct cursor *body, struct act_reader *r)
{
	size_t at = r->out->len;
	struct of_act *a;
	enum of_error e;

	if (r->form->get) {
		e = r->form->get(body, r);
	} else {
		a = of_acts_add(r->out, r->form->kind, 0);
		wire_read(body, r->form->wire, a);
		annotate(a, r->form, r->version);
		e = OF_OK;
	}
	if (!e && (body->failed || !cursor_at_end(body)))
		e = OF_OFPBAC_BAD_LEN;
	if (e || r->out->len == at)
		return e;
	return act_check((const void *)(r->out->data + at));
}

static enum of_error act_get(struct cursor *c, struct act_reader *r)
{
	struct cursor body;
	enum act_who who;
	uint16_t number;
	enum of_error e = header_get(c, &who, &number, &body);

	if (e)
		return e;
	r->form = form_by_number(who, number, r->version);
	if (!r->form)
		return who == ACT_OF ? OF_OFPBAC_BAD_TYPE :
				       OF_OFPBAC_BAD_VENDOR_TYPE;
	return body_get(&body, r);
}

enum of_error act_list_get(struct cursor c, struct act_reader *r)
{
	enum of_error e = OF_OK;

	if (r->depth >= OF_ACTS_DEPTH)
		return OF_OFPBAC_TOO_MANY;
	r->depth++;
	while (!e && !cursor_at_end(&c))
		e = act_get(&c, r);
	r->depth--;
	return e;
}

enum of_error of_acts_decode(struct cursor c, unsigned version,
			     struct of_acts *out)
{
	struct act_reader r = { .out = out, .version = version };
	size_t before = out->len;
	enum of_error e = act_list_get(c, &r);

	if (e)
		out->len = before;
	return e;
}

/* --- arguments --- */

static bool is_vlan_type(uint64_t type)
{
	return type == ETH_TYPE_VLAN || type == ETH_TYPE_QINQ;
}

static bool is_mpls_type(uint64_t type)
{
	return type == ETH_TYPE_MPLS || type == ETH_TYPE_MPLS_MCAST;
}

static bool number_is_good(const struct of_act *a)
{
	uint64_t v = ((const struct of_act_int *)(const void *)a)->v;

	switch (a->kind) {
	case OFA_SET_IP_TOS:
		return !(v & ~(uint64_t)OXM_DSCP);
	case OFA_SET_IP_ECN:
		return v <= 3;
	case OFA_SET_MPLS_LABEL:
		return v < 1u << 20;
	case OFA_SET_MPLS_TC:
		return v <= 7;
	case OFA_PUSH_VLAN:
		return is_vlan_type(v);
	case OFA_PUSH_MPLS:
		return is_mpls_type(v);
	default:
		return true;
	}
}

enum of_error act_check(const struct of_act *a)
{
	const struct of_act_vlan *vlan = (const void *)a;
	const struct of_act_sample *s = (const void *)a;
	bool good;

	switch (a->kind) {
	case OFA_SET_VLAN_VID:
		good = vlan->v <= 0xfff;
		break;
	case OFA_SET_VLAN_PCP:
		good = vlan->v <= 7;
		break;
	case OFA_SAMPLE:
		good = s->probability && s->direction <= 2;
		break;
	default:
		good = of_act_struct_size(a->kind) !=
			       sizeof(struct of_act_int) ||
		       number_is_good(a);
	}
	return good ? OF_OK : OF_OFPBAC_BAD_ARGUMENT;
}

/* --- writing --- */

static const struct act_form *form_for(const struct of_act *a, unsigned version)
{
	for (unsigned i = 0; table_at(i).forms; i++) {
		struct table t = table_at(i);

		for (size_t j = 0; j < t.n; j++) {
			const struct act_form *f = &t.forms[j];

			if (f->kind == a->kind && version >= f->from &&
			    version <= f->to && (!f->fits || f->fits(a)))
				return f;
		}
	}
	return NULL;
}

static void header_put(struct of_out *o, const struct act_form *f)
{
	of_out_int(o, f->who == ACT_OF ? f->number : TYPE_EXPERIMENTER, 2);
	of_out_int(o, 0, 2);
	if (f->who == ACT_OF)
		return;
	of_out_int(o, f->who == ACT_NX ? OF_VENDOR_NICIRA : OF_VENDOR_ONF, 4);
	of_out_int(o, f->number, 2);
}

static bool form_put(struct of_out *o, const struct of_act *a,
		     const struct act_form *f, unsigned version)
{
	size_t begin = o->len;
	bool whole = true;

	header_put(o, f);
	if (f->wire)
		wire_write(o, f->wire, a);
	else
		whole = f->put(o, a, f, version);
	of_out_pad(o, begin, 8);
	if (o->len - begin > UINT16_MAX) {
		of_out_truncate(o, begin);
		return false;
	}
	of_out_patch16(o, begin + 2, o->len - begin);
	return whole;
}

/* Written as something else since 1.2, where the field can be named. */
static bool is_legacy(const struct of_act *a, unsigned version)
{
	if (version < OF12)
		return false;
	switch (a->kind) {
	case OFA_SET_VLAN_VID:
	case OFA_SET_VLAN_PCP:
	case OFA_SET_ETH_SRC:
	case OFA_SET_ETH_DST:
	case OFA_SET_IP4_SRC:
	case OFA_SET_IP4_DST:
	case OFA_SET_IP_TOS:
	case OFA_SET_IP_ECN:
	case OFA_SET_TP_SRC:
	case OFA_SET_TP_DST:
	case OFA_SET_MPLS_LABEL:
	case OFA_SET_MPLS_TC:
		return true;
	default:
		return false;
	}
}

bool act_list_put(struct of_out *o, unsigned version, struct of_act_list list)
{
	bool whole = true;

	of_act_for_each(a, list) {
		const struct act_form *f;

		if (is_legacy(a, version) && act_put_otherwise(o, a, version))
			continue;
		f = form_for(a, version);
		if (f)
			whole &= form_put(o, a, f, version);
		else
			whole &= act_put_otherwise(o, a, version);
	}
	return whole;
}

bool of_acts_encode(struct of_out *o, unsigned version, struct of_act_list list)
{
	return act_list_put(o, version, list);
}
