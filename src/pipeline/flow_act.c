/* SPDX-License-Identifier: Apache-2.0 */
/* OpenFlow actions that change the packet, or what the pipeline knows of it. */
#include "flow/edit.h"
#include "ofwire/packet.h"
#include "packet/headers.h"
#include "pipeline/flow_run.h"

#define MPLS_TTL_MASK 0xffu
#define ECN_MASK 0x03u

static struct acts *acts_of(struct flow_run *r)
{
	return &r->x->v->actions;
}

/* What was appended from `begin` on, one action, shows in the key. */
static void shows(struct flow_run *r, uint32_t begin)
{
	struct acts *a = acts_of(r);

	if (!a->overflow)
		rule_run_shows(r->x, (const void *)&a->room[begin / 8]);
}

/* Fields of the packet itself. What comes behind is the pipeline's own, or says
 * what a tunnel is to do. */
static bool is_in_packet(const struct field *f)
{
	return f->offset < offsetof(struct flow_key, tun_id) &&
	       f->offset != offsetof(struct flow_key, in_port);
}

void flow_act_look(struct flow_run *r, uint16_t field)
{
	const struct field *f = field_get((enum field_id)field);
	struct flow_mask *m = &r->x->v->mask;
	uint8_t bits[FIELD_VALUE_MAX];
	uint8_t *at = (uint8_t *)&m->bits + f->offset;

	field_prereq_mask(f, m);
	field_mask_in_key(f, bits);
	for (unsigned i = 0; i < f->n; i++)
		at[i] |= bits[i];
}

static unsigned value_bit(const struct field_value *v, unsigned i)
{
	return v->b[FIELD_VALUE_MAX - 1 - i / 8] >> i % 8 & 1u;
}

static void value_put_bit(struct field_value *v, unsigned i, unsigned bit)
{
	uint8_t *b = &v->b[FIELD_VALUE_MAX - 1 - i / 8];

	*b = (uint8_t)((*b & ~(1u << i % 8)) | bit << i % 8);
}

struct field_value flow_act_read(struct flow_run *r, const struct of_sub *sub)
{
	const struct field *f = field_get((enum field_id)sub->field);
	struct field_value all, out = { { 0 } };

	flow_act_look(r, sub->field);
	all = field_read(f, &r->x->key);
	for (unsigned i = 0; i < sub->n_bits; i++)
		value_put_bit(&out, i, value_bit(&all, sub->ofs + i));
	return out;
}

/* --- setting fields --- */

/* OpenFlow has nothing happen to a packet that lacks the field. */
static void set_field(struct flow_run *r, enum field_id id,
		      const struct field_value *value,
		      const struct field_value *mask)
{
	const struct field *f = field_get(id);
	struct flow_key v = { 0 }, m = { 0 };
	const uint8_t *vb = (const uint8_t *)&v + f->offset;
	const uint8_t *mb = (const uint8_t *)&m + f->offset;
	uint32_t begin = acts_of(r)->len;

	field_write(f, &v, value);
	field_write(f, &m, mask);
	if (!is_in_packet(f)) {
		field_set_masked(&r->x->key, id, vb, mb);
		return;
	}
	field_prereq_mask(f, &r->x->v->mask);
	if (!field_prereq_met(f, &r->x->key))
		return;
	acts_set_field(acts_of(r), id, vb, mb);
	shows(r, begin);
}

static void set_int(struct flow_run *r, enum field_id id, uint64_t v)
{
	struct field_value value = field_from_u64(v);
	struct field_value mask = field_all_ones(field_get(id));

	set_field(r, id, &value, &mask);
}

static void set_bits(struct flow_run *r, enum field_id id, uint64_t v,
		     uint64_t bits)
{
	struct field_value value = field_from_u64(v & bits);
	struct field_value mask = field_from_u64(bits);

	set_field(r, id, &value, &mask);
}

static void write_sub(struct flow_run *r, const struct of_sub *sub,
		      const struct field_value *from)
{
	struct field_value value = { { 0 } }, mask = { { 0 } };

	for (unsigned i = 0; i < sub->n_bits; i++) {
		value_put_bit(&value, sub->ofs + i, value_bit(from, i));
		value_put_bit(&mask, sub->ofs + i, 1);
	}
	set_field(r, (enum field_id)sub->field, &value, &mask);
}

static void move(struct flow_run *r, const struct of_act_move *a)
{
	const struct field *src = field_get((enum field_id)a->src.field);
	struct field_value v = flow_act_read(r, &a->src);

	if (field_prereq_met(src, &r->x->key))
		write_sub(r, &a->dst, &v);
}

static void stack_push(struct flow_run *r, const struct of_act_sub *a)
{
	if (r->n_stack < FLOW_RUN_STACK)
		r->stack[r->n_stack++] = flow_act_read(r, &a->sub);
}

static void stack_pop(struct flow_run *r, const struct of_act_sub *a)
{
	if (r->n_stack)
		write_sub(r, &a->sub, &r->stack[--r->n_stack]);
}

static void set_transport(struct flow_run *r, const struct of_act_tp *a,
			  bool dst)
{
	static const uint16_t fields[][2] = {
		{ FIELD_TCP_SRC, FIELD_TCP_DST },
		{ FIELD_UDP_SRC, FIELD_UDP_DST },
		{ FIELD_SCTP_SRC, FIELD_SCTP_DST },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(fields); i++)
		set_int(r, (enum field_id)fields[i][dst], a->v);
}

static void set_mac(struct flow_run *r, enum field_id id,
		    const struct of_act *a)
{
	const struct of_act_mac *m = (const void *)a;

	set_int(r, id, eth_addr_to_u64(m->mac));
}

/* --- tags and labels --- */

static bool has_tag(struct flow_run *r)
{
	xlate_look(r->x, vlan);
	return r->x->key.vlan[0].tpid;
}

static void push_tag(struct flow_run *r, uint16_t tpid)
{
	uint32_t begin = acts_of(r)->len;

	acts_push_vlan(acts_of(r), tpid, 0);
	shows(r, begin);
}

static void pop_tag(struct flow_run *r)
{
	uint32_t begin = acts_of(r)->len;

	if (!has_tag(r))
		return;
	acts_pop_vlan(acts_of(r));
	shows(r, begin);
}

static void set_tag(struct flow_run *r, const struct of_act_vlan *a,
		    enum field_id id)
{
	if (!has_tag(r) && a->push)
		push_tag(r, ETH_TYPE_VLAN);
	set_int(r, id, a->v);
}

static bool has_label(struct flow_run *r)
{
	xlate_look(r->x, eth_type);
	return r->x->key.eth_type == 0x8847 || r->x->key.eth_type == 0x8848;
}

/* The new label is a copy of the one below, or 0 with the TTL of what is. */
static void push_label(struct flow_run *r, uint16_t eth_type)
{
	struct flow_key *k = &r->x->key;
	uint32_t lse;

	xlate_look(r->x, mpls);
	if (has_label(r)) {
		lse = k->mpls[0] & ~ACT_MPLS_BOTTOM;
		k->mpls[2] = k->mpls[1];
		k->mpls[1] = k->mpls[0];
	} else {
		xlate_look(r->x, ip_ttl);
		lse = k->ip_ttl;
		k->mpls[0] = ACT_MPLS_BOTTOM;
	}
	k->mpls[0] = lse | (has_label(r) ? 0 : ACT_MPLS_BOTTOM);
	acts_push_mpls(acts_of(r), eth_type, lse);
	k->eth_type = eth_type;
}

/* Below the last label is something the key does not know. */
static void pop_label(struct flow_run *r, uint16_t eth_type)
{
	struct flow_key *k = &r->x->key;

	if (!has_label(r))
		return;
	xlate_look(r->x, mpls);
	r->x->lost |= (k->mpls[0] & ACT_MPLS_BOTTOM) || !k->mpls[1];
	k->mpls[0] = k->mpls[1];
	k->mpls[1] = k->mpls[2];
	k->mpls[2] = 0;
	k->eth_type = eth_type;
	acts_pop_mpls(acts_of(r), eth_type);
}

/* --- TTL --- */

static void ttl_ran_out(struct flow_run *r)
{
	flow_run_punt(r, 0, 0, OF_REASON_INVALID_TTL);
	r->over = true;
}

static void dec_ttl(struct flow_run *r)
{
	const struct field *f = field_get(FIELD_IP_TTL);
	uint32_t begin = acts_of(r)->len;

	flow_act_look(r, FIELD_IP_TTL);
	if (!field_prereq_met(f, &r->x->key))
		return;
	if (r->x->key.ip_ttl <= 1) {
		ttl_ran_out(r);
		return;
	}
	acts_op(acts_of(r), ACT_DEC_TTL);
	shows(r, begin);
}

static void dec_label_ttl(struct flow_run *r)
{
	uint32_t ttl = r->x->key.mpls[0] & MPLS_TTL_MASK;

	if (!has_label(r))
		return;
	xlate_look(r->x, mpls);
	if (ttl <= 1)
		ttl_ran_out(r);
	else
		set_int(r, FIELD_MPLS_TTL, ttl - 1);
}

/* --- all of them --- */

static uint64_t int_of(const struct of_act *a)
{
	return ((const struct of_act_int *)(const void *)a)->v;
}

static void act_header(struct flow_run *r, const struct of_act *a)
{
	switch (a->kind) {
	case OFA_SET_VLAN_VID:
		set_tag(r, (const void *)a, FIELD_VLAN_VID);
		break;
	case OFA_SET_VLAN_PCP:
		set_tag(r, (const void *)a, FIELD_VLAN_PCP);
		break;
	case OFA_STRIP_VLAN:
		pop_tag(r);
		break;
	case OFA_PUSH_VLAN:
		push_tag(r, (uint16_t)int_of(a));
		break;
	case OFA_PUSH_MPLS:
		push_label(r, (uint16_t)int_of(a));
		break;
	case OFA_POP_MPLS:
		pop_label(r, (uint16_t)int_of(a));
		break;
	case OFA_SET_MPLS_LABEL:
		set_int(r, FIELD_MPLS_LABEL, int_of(a));
		break;
	case OFA_SET_MPLS_TC:
		set_int(r, FIELD_MPLS_TC, int_of(a));
		break;
	case OFA_SET_MPLS_TTL:
		set_int(r, FIELD_MPLS_TTL, int_of(a));
		break;
	case OFA_DEC_MPLS_TTL:
		dec_label_ttl(r);
		break;
	default: /* flow_run.c knows it, or it says nothing to a packet */
		break;
	}
}

static void act_ip(struct flow_run *r, const struct of_act *a)
{
	switch (a->kind) {
	case OFA_SET_ETH_SRC:
		set_mac(r, FIELD_ETH_SRC, a);
		break;
	case OFA_SET_ETH_DST:
		set_mac(r, FIELD_ETH_DST, a);
		break;
	case OFA_SET_IP4_SRC:
		set_int(r, FIELD_IP_SRC, int_of(a));
		break;
	case OFA_SET_IP4_DST:
		set_int(r, FIELD_IP_DST, int_of(a));
		break;
	case OFA_SET_IP_TOS:
		set_bits(r, FIELD_IP_TOS, int_of(a), OXM_DSCP);
		break;
	case OFA_SET_IP_ECN:
		set_bits(r, FIELD_IP_TOS, int_of(a), ECN_MASK);
		break;
	case OFA_SET_IP_TTL:
		set_int(r, FIELD_IP_TTL, int_of(a));
		break;
	case OFA_SET_TP_SRC:
		set_transport(r, (const void *)a, false);
		break;
	case OFA_SET_TP_DST:
		set_transport(r, (const void *)a, true);
		break;
	case OFA_DEC_TTL:
		dec_ttl(r);
		break;
	default:
		act_header(r, a);
	}
}

static void write_metadata(struct flow_run *r, const struct of_act *a)
{
	const struct of_act_metadata *m = (const void *)a;
	uint64_t *own = &r->x->key.metadata;

	*own = (*own & ~m->mask) | (m->value & m->mask);
}

void flow_act(struct flow_run *r, const struct of_act *a)
{
	const struct of_act_set *set = (const void *)a;

	switch (a->kind) {
	case OFA_SET_FIELD:
		set_field(r, (enum field_id)set->field, &set->value,
			  &set->mask);
		break;
	case OFA_MOVE:
		move(r, (const void *)a);
		break;
	case OFA_STACK_PUSH:
		stack_push(r, (const void *)a);
		break;
	case OFA_STACK_POP:
		stack_pop(r, (const void *)a);
		break;
	case OFA_SET_TUNNEL:
		r->x->key.tun_id =
			((const struct of_act_tunnel *)(const void *)a)->id;
		break;
	case OFA_SET_QUEUE:
		r->x->key.skb_priority = (uint32_t)int_of(a);
		break;
	case OFA_POP_QUEUE:
		r->x->key.skb_priority = 0;
		break;
	case OFA_WRITE_METADATA:
		write_metadata(r, a);
		break;
	default:
		act_ip(r, a);
	}
}
