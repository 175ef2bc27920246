/* SPDX-License-Identifier: Apache-2.0 */
/* Building lists. Checking them is action_check.c, their text action_format.c
 * and action_parse.c. */
#include "flow/action.h"

#include "base/hash.h"

static const char *const punt_names[N_PUNT_REASONS] = {
	[PUNT_ARP] = "arp",
	[PUNT_ND] = "nd",
	[PUNT_NEIGH_MISS] = "neigh-miss",
	[PUNT_TO_ROUTER] = "to-router",
	[PUNT_TTL] = "ttl",
	[PUNT_TOO_BIG] = "too-big",
	[PUNT_NO_ROUTE] = "no-route",
	[PUNT_SNOOP] = "snoop",
	[PUNT_LOOP_PROBE] = "loop-probe",
	[PUNT_RULE] = "rule",
	[PUNT_NOTE] = "note",
};

const char *punt_reason_name(enum punt_reason r)
{
	must(r < N_PUNT_REASONS);
	return punt_names[r];
}

bool act_list_equal(struct act_list a, struct act_list b)
{
	return a.len == b.len && (!a.len || !memcmp(a.first, b.first, a.len));
}

uint64_t act_list_hash(struct act_list list, uint64_t seed)
{
	return hash_bytes(list.first, list.len, seed);
}

struct act_list act_nested(const struct act *a)
{
	if (!act_nests((enum act_op)a->op))
		return (struct act_list){ NULL, 0 };
	return (struct act_list){ a + 1, a->len - (uint32_t)sizeof(*a) };
}

void acts_clear(struct acts *a)
{
	a->len = 0;
	a->overflow = false;
}

void *acts_add(struct acts *a, enum act_op op, uint32_t len)
{
	uint32_t padded = ROUND_UP(len, 8u);
	struct act *act;

	must(len >= sizeof(*act));
	if (a->overflow || padded > ACTS_MAX_LEN - a->len) {
		a->overflow = true;
		return NULL;
	}
	act = (struct act *)(void *)&a->room[a->len / 8];
	memset(act, 0, padded);
	act->op = (uint16_t)op;
	act->len = (uint16_t)padded;
	a->len += padded;
	return act;
}

void acts_op(struct acts *a, enum act_op op)
{
	acts_add(a, op, sizeof(struct act));
}

void acts_u32(struct acts *a, enum act_op op, uint32_t value)
{
	struct act_u32 *act = acts_add(a, op, sizeof(*act));

	if (act)
		act->value = value;
}

void acts_output(struct acts *a, uint32_t port)
{
	acts_u32(a, ACT_OUTPUT, port);
}

void acts_drop(struct acts *a, enum drop reason)
{
	acts_u32(a, ACT_DROP, reason);
}

void acts_push_vlan(struct acts *a, uint16_t tpid, uint16_t tci)
{
	struct act_vlan *act = acts_add(a, ACT_PUSH_VLAN, sizeof(*act));

	if (!act)
		return;
	act->tpid = tpid;
	act->tci = (uint16_t)(tci & ~KEY_VLAN_PRESENT);
}

void acts_pop_vlan(struct acts *a)
{
	acts_op(a, ACT_POP_VLAN);
}

void acts_push_mpls(struct acts *a, uint16_t eth_type, uint32_t lse)
{
	struct act_mpls *act = acts_add(a, ACT_PUSH_MPLS, sizeof(*act));

	if (!act)
		return;
	act->eth_type = eth_type;
	act->lse = lse & ~ACT_MPLS_BOTTOM;
}

void acts_pop_mpls(struct acts *a, uint16_t eth_type)
{
	struct act_mpls *act = acts_add(a, ACT_POP_MPLS, sizeof(*act));

	if (act)
		act->eth_type = eth_type;
}

void acts_set_eth(struct acts *a, struct eth_addr dst, struct eth_addr src)
{
	struct act_eth *act = acts_add(a, ACT_SET_ETH, sizeof(*act));

	if (!act)
		return;
	act->dst = dst;
	act->src = src;
}

void acts_push_eth(struct acts *a, struct eth_addr dst, struct eth_addr src,
		   uint16_t eth_type)
{
	struct act_eth *act = acts_add(a, ACT_PUSH_ETH, sizeof(*act));

	if (!act)
		return;
	act->dst = dst;
	act->src = src;
	act->eth_type = eth_type;
}

void acts_set_field(struct acts *a, enum field_id field, const void *value,
		    const void *mask)
{
	const struct field *f = field_get(field);
	uint32_t padded = ROUND_UP(f->n, 8u);
	struct act_set *act =
		acts_add(a, ACT_SET_FIELD, (uint32_t)sizeof(*act) + 2 * padded);
	uint8_t *v, *m;

	if (!act)
		return;
	act->field = (uint16_t)field;
	act->n = f->n;
	v = (uint8_t *)(act + 1);
	m = v + padded;
	if (mask)
		memcpy(m, mask, f->n);
	else
		field_mask_in_key(f, m);
	for (unsigned i = 0; i < f->n; i++)
		v[i] = ((const uint8_t *)value)[i] & m[i];
}

static void ip_addr_note(struct ip_addr *out, const struct ip_addr *a)
{
	if (a->family)
		*out = *a;
}

void acts_set_tunnel(struct acts *a, const struct packet_tunnel *t)
{
	struct act_tunnel *act;

	must(t->options_len <= TUNNEL_OPTIONS_MAX);
	act = acts_add(a, ACT_SET_TUNNEL,
		       (uint32_t)sizeof(*act) + t->options_len);
	if (!act)
		return;
	act->tos = t->tos;
	act->ttl = t->ttl;
	act->flags = t->flags;
	act->id = t->id;
	ip_addr_note(&act->src, &t->src);
	ip_addr_note(&act->dst, &t->dst);
	act->tp_dst = t->tp_dst;
	act->options_len = t->options_len;
	memcpy(act + 1, t->options, t->options_len);
}

void acts_push_outer(struct acts *a, uint16_t kind, const void *headers,
		     uint16_t n)
{
	struct act_outer *act =
		acts_add(a, ACT_PUSH_OUTER, (uint32_t)sizeof(*act) + n);

	if (!act)
		return;
	act->kind = kind;
	act->n = n;
	memcpy(act + 1, headers, n);
}

struct act_punt *acts_punt(struct acts *a, enum punt_reason reason)
{
	struct act_punt *act = acts_add(a, ACT_PUNT, sizeof(*act));

	if (act)
		act->reason = (uint8_t)reason;
	return act;
}

uint32_t acts_begin(struct acts *a, enum act_op op, uint32_t operand)
{
	uint32_t begin = a->len;

	must(act_nests(op));
	acts_u32(a, op, operand);
	return begin;
}

void acts_end(struct acts *a, uint32_t begin)
{
	struct act *act;

	if (a->overflow)
		return;
	must(begin < a->len);
	act = (struct act *)(void *)&a->room[begin / 8];
	act->len = (uint16_t)(a->len - begin);
}

void acts_append(struct acts *a, struct act_list list)
{
	if (a->overflow || list.len > ACTS_MAX_LEN - a->len) {
		a->overflow = true;
		return;
	}
	if (list.len)
		memcpy(&a->room[a->len / 8], list.first, list.len);
	a->len += list.len;
}
