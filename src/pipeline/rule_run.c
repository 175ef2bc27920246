/* SPDX-License-Identifier: Apache-2.0 */
/* Rules: the best one for the packet, and its actions run on the key. */
#include "packet/headers.h"
#include "pipeline/rule.h"
#include "pipeline/xlate.h"

static void run_list(struct xlate *x, struct act_list list, bool is_last);

/* The key has room for two tags; with a third it no longer tells the packet. */
static void edit_push_vlan(struct xlate *x, const struct act_vlan *a)
{
	struct key_vlan *tags = x->key.vlan;

	xlate_look(x, vlan);
	x->lost |= tags[1].tpid != 0;
	tags[1] = tags[0];
	tags[0] = (struct key_vlan){ a->tpid, a->tci | KEY_VLAN_PRESENT };
}

static void edit_pop_vlan(struct xlate *x)
{
	struct key_vlan *tags = x->key.vlan;

	xlate_look(x, vlan);
	xlate_look(x, eth_type);
	x->lost |= eth_type_is_vlan(x->key.eth_type);
	tags[0] = tags[1];
	tags[1] = (struct key_vlan){ 0 };
}

/* The whole word of a tag: says too whether there is one. */
static void edit_tci(struct xlate *x, uint16_t value, uint16_t mask)
{
	struct act_vlan push = {
		.tpid = ETH_TYPE_VLAN,
		.tci = (uint16_t)(value & ~KEY_VLAN_PRESENT),
	};
	struct key_vlan *tag = &x->key.vlan[0];

	xlate_look(x, vlan);
	if (!(mask & KEY_VLAN_PRESENT))
		tag->tci = (uint16_t)((tag->tci & ~mask) | value);
	else if (!(value & KEY_VLAN_PRESENT) && tag->tpid)
		edit_pop_vlan(x);
	else if (value & KEY_VLAN_PRESENT && !tag->tpid)
		edit_push_vlan(x, &push);
	else if (tag->tpid)
		tag->tci = (uint16_t)((tag->tci & ~mask) | value);
}

static void edit_field(struct xlate *x, const struct act_set *a)
{
	const uint8_t *value = (const uint8_t *)(a + 1);
	const uint8_t *mask = value + ROUND_UP(a->n, 8);
	uint16_t v, m;

	switch (a->field) {
	case FIELD_VLAN_TCI:
		memcpy(&v, value, sizeof(v));
		memcpy(&m, mask, sizeof(m));
		edit_tci(x, v, m);
		return;
	case FIELD_ICMPV6_TYPE: /* these say what the fields behind them are */
	case FIELD_ICMPV6_CODE:
	case FIELD_ND_OPTIONS_TYPE:
		x->lost = true;
		return;
	default:
		field_set_masked(&x->key, a->field, value, mask);
	}
}

static void edit_dec_ttl(struct xlate *x)
{
	xlate_look(x, ip_ttl);
	if (x->key.ip_ttl)
		x->key.ip_ttl--;
}

/* What a rule's edit does to the packet shows in the key, so that what follows
 * sees it (T1). A packet that the edit does not fit is dropped by the datapath:
 * then nothing follows. */
void rule_run_shows(struct xlate *x, const struct act *a)
{
	const struct act_eth *eth = (const void *)a;

	switch (a->op) {
	case ACT_SET_FIELD:
		edit_field(x, (const void *)a);
		break;
	case ACT_PUSH_VLAN:
		edit_push_vlan(x, (const void *)a);
		break;
	case ACT_POP_VLAN:
		edit_pop_vlan(x);
		break;
	case ACT_SET_ETH:
		x->key.eth_dst = eth->dst;
		x->key.eth_src = eth->src;
		break;
	case ACT_DEC_TTL:
		edit_dec_ttl(x);
		break;
	default: /* pushes and pops of other headers */
		x->lost = true;
	}
}

static void edit(struct xlate *x, const struct act *a)
{
	acts_append(&x->v->actions, (struct act_list){ a, a->len });
	rule_run_shows(x, a);
}

void rule_run_begin(struct xlate *x, struct xlate_outside *o, enum act_op op,
		    uint32_t operand)
{
	o->x = *x;
	o->begin = acts_begin(&x->v->actions, op, operand);
	x->nested++;
}

void rule_run_end(struct xlate *x, const struct xlate_outside *o)
{
	unsigned hops = x->hops, resubmits = x->resubmits;

	acts_end(&x->v->actions, o->begin);
	*x = o->x;
	x->hops = hops;
	x->resubmits = resubmits;
}

/* Normal forwarding leaves no trace on the packet that the next action sees. */
void rule_run_normal(struct xlate *x, bool is_last)
{
	struct xlate_outside o;

	if (x->lost) {
		xlate_drop(x, DROP_UNSUPPORTED);
		return;
	}
	if (is_last) {
		xlate_normal(x);
		return;
	}
	rule_run_begin(x, &o, ACT_CLONE, 0);
	xlate_normal(x);
	rule_run_end(x, &o);
}

static void run_nested(struct xlate *x, const struct act *a)
{
	struct xlate_outside o;

	if (x->nested >= XLATE_MAX_NESTED) {
		xlate_drop(x, DROP_RECURSION);
		return;
	}
	rule_run_begin(x, &o, a->op, a->zero);
	run_list(x, act_nested(a), true);
	rule_run_end(x, &o);
}

static void run_table(struct xlate *x, uint32_t table, bool is_last)
{
	const struct snap_bridge *b = x->in->bridge;
	struct effect count = { .kind = EFFECT_COUNT };
	const struct rule *r;

	if (x->lost) {
		xlate_drop(x, DROP_UNSUPPORTED);
		return;
	}
	if (table || x->resubmits++ >= PIPELINE_MAX_RESUBMITS) {
		xlate_drop(x, DROP_RECURSION);
		return;
	}
	r = rule_table_find(b->rules, &x->key, &x->v->mask);
	if (!r) {
		rule_run_normal(x, is_last);
		return;
	}
	if (unlikely(x->t))
		xlate_trace(x,
			    (struct trace_at){ TRACE_RULE, b->name, r->origin },
			    "priority %u", r->cls.priority);
	count.id = r->counter;
	verdict_add_effect(x->v, &count);
	run_list(x, rule_actions(r), is_last);
}

static void run_act(struct xlate *x, const struct act *a, bool is_last)
{
	switch (a->op) {
	case ACT_NORMAL:
		rule_run_normal(x, is_last);
		break;
	case ACT_RESUBMIT:
		run_table(x, ((const struct act_u32 *)(const void *)a)->value,
			  is_last);
		break;
	case ACT_CLONE:
	case ACT_SAMPLE:
	case ACT_CHECK_LEN:
		run_nested(x, a);
		break;
	case ACT_OUTPUT:
	case ACT_DROP:
	case ACT_SET_TUNNEL:
	case ACT_TRUNCATE:
	case ACT_METER:
	case ACT_PUNT:
		acts_append(&x->v->actions, (struct act_list){ a, a->len });
		break;
	default: /* not an enum: bytes that acts_check read */
		edit(x, a);
	}
}

/* is_last: nothing follows the list in the one around it. */
static void run_list(struct xlate *x, struct act_list list, bool is_last)
{
	const char *end = (const char *)list.first + list.len;

	act_list_for_each(a, list)
		run_act(x, a, is_last && (const char *)a + a->len == end);
}

void rule_run(struct xlate *x)
{
	run_table(x, 0, true);
	if (!x->v->actions.len)
		xlate_drop(x, DROP_RULE);
}
