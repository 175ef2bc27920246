/* SPDX-License-Identifier: Apache-2.0 */
/* Is a list well formed? What passes here is run without further questions. */
#include "flow/action.h"

#include <errno.h>

#include "base/err.h"
#include "flow/edit.h"
#include "packet/headers.h"
#include "packet/outer.h"

#define TUNNEL_FLAGS (TUNNEL_F_DF | TUNNEL_F_CSUM | TUNNEL_F_KEY | TUNNEL_F_OAM)
/* Less than this of a frame would be no frame. */
#define TRUNCATE_MIN ETH_HEADER_LEN

struct check {
	bool in_rule;
	unsigned depth;
	struct err *e;
};

static int check_list(struct check *c, struct act_list list);

static bool all_zero(const void *p, size_t n)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++)
		if (b[i])
			return false;
	return true;
}

static int check_vlan(struct check *c, const struct act_vlan *a)
{
	if (!eth_type_is_vlan(a->tpid))
		return err_set(c->e,
			       "push_vlan: 0x%04x is no VLAN tag type; "
			       "use 0x8100 or 0x88a8",
			       a->tpid);
	if (a->tci & KEY_VLAN_PRESENT)
		return err_set(c->e, "push_vlan: bit 0x1000 of the tag is not "
				     "for actions to set");
	return 0;
}

static int check_mpls(struct check *c, const struct act_mpls *a)
{
	bool push = a->op == ACT_PUSH_MPLS;

	if (a->zero || a->zero2 || (!push && a->lse) ||
	    a->lse & ACT_MPLS_BOTTOM)
		return err_set(c->e, "%s: unused bytes are not zero",
			       push ? "push_mpls" : "pop_mpls");
	if (push && !eth_type_is_mpls(a->eth_type))
		return err_set(c->e,
			       "push_mpls: 0x%04x is no MPLS type; use "
			       "0x8847 or 0x8848",
			       a->eth_type);
	if (a->eth_type < ETH_TYPE_MIN)
		return err_set(c->e,
			       "pop_mpls: 0x%04x is no Ethertype; they "
			       "begin at 0x0600",
			       a->eth_type);
	return 0;
}

static int check_eth(struct check *c, const struct act_eth *a)
{
	if (!all_zero(a->zero, sizeof(a->zero)))
		return err_set(c->e, "unused bytes are not zero");
	if (a->op == ACT_SET_ETH && a->eth_type)
		return err_set(c->e, "set_eth does not set the type");
	if (a->op == ACT_PUSH_ETH && a->eth_type < ETH_TYPE_MIN)
		return err_set(c->e,
			       "push_eth: 0x%04x is no Ethertype; they "
			       "begin at 0x0600",
			       a->eth_type);
	return 0;
}

/* Value within mask, mask within the field, padding zero. */
static int check_set_bytes(struct check *c, const struct act_set *a,
			   const struct field *f)
{
	const uint8_t *value = (const uint8_t *)(a + 1);
	uint32_t padded = ROUND_UP(f->n, 8u);
	const uint8_t *mask = value + padded;
	uint8_t own[8 * DIV_ROUND_UP(FIELD_VALUE_MAX, 8)];

	field_mask_in_key(f, own);
	for (unsigned i = 0; i < f->n; i++) {
		if (mask[i] & ~own[i])
			return err_set(c->e, "set: the mask reaches beyond %s",
				       f->name);
		if (value[i] & ~mask[i])
			return err_set(c->e,
				       "set(%s): the value has bits "
				       "outside its mask",
				       f->name);
	}
	if (!all_zero(value + f->n, padded - f->n) ||
	    !all_zero(mask + f->n, padded - f->n))
		return err_set(c->e, "set(%s): unused bytes are not zero",
			       f->name);
	if (f->mask == FIELD_MASK_NONE && memcmp(mask, own, f->n))
		return err_set(c->e, "set(%s): only the whole of it can be set",
			       f->name);
	return 0;
}

static int check_set(struct check *c, const struct act_set *a)
{
	const struct field *f;

	if (a->field >= N_FIELDS)
		return err_set(c->e, "set: there is no field %u", a->field);
	f = field_get((enum field_id)a->field);
	if (a->n != f->n || a->len != sizeof(*a) + 2 * ROUND_UP(f->n, 8u))
		return err_set(c->e, "set(%s): it is %u bytes, not %u", f->name,
			       f->n, a->n);
	if (!f->settable)
		return err_set(c->e, "set: %s can be matched, but not set",
			       f->name);
	if (!edit_can_set((enum field_id)a->field))
		return err_set(c->e, "set: setting %s is not supported yet",
			       f->name);
	return check_set_bytes(c, a, f);
}

/* Unset, or of one of both families and written as ip_addr has it. */
static bool is_address(const struct ip_addr *a)
{
	switch (a->family) {
	case 0:
		return all_zero(&a->a, sizeof(a->a));
	case 2:
		return all_zero(a->a.b, 10) && a->a.b[10] == 0xff &&
		       a->a.b[11] == 0xff;
	case 10:
		return true;
	}
	return false;
}

static int check_tunnel(struct check *c, const struct act_tunnel *a)
{
	uint32_t padded = ROUND_UP(a->options_len, 8u);

	if (a->options_len > TUNNEL_OPTIONS_MAX || a->options_len % 4 ||
	    a->len != sizeof(*a) + padded)
		return err_set(c->e,
			       "tunnel: options are whole words, at most "
			       "%u bytes",
			       TUNNEL_OPTIONS_MAX);
	if (!is_address(&a->src) || !is_address(&a->dst))
		return err_set(c->e, "tunnel: an address is neither IPv4 nor "
				     "IPv6");
	if (a->src.family && a->dst.family && a->src.family != a->dst.family)
		return err_set(c->e, "tunnel: src and dst must both be IPv4 or "
				     "both IPv6");
	if (a->flags & ~TUNNEL_FLAGS)
		return err_set(c->e, "tunnel: unknown flags 0x%x",
			       a->flags & ~TUNNEL_FLAGS);
	if (a->zero || !all_zero((const uint8_t *)(a + 1) + a->options_len,
				 padded - a->options_len))
		return err_set(c->e, "tunnel: unused bytes are not zero");
	return 0;
}

static int check_outer(struct check *c, const struct act_outer *a)
{
	uint32_t padded = ROUND_UP(a->n, 8u);

	if (a->kind >= N_OUTER_KINDS)
		return err_set(c->e, "push_outer: no encapsulation %u",
			       a->kind);
	if (!a->n || a->n > OUTER_MAX || a->len != sizeof(*a) + padded)
		return err_set(c->e,
			       "push_outer: from 1 to %u bytes of "
			       "headers, not %u",
			       OUTER_MAX, a->n);
	if (!all_zero((const uint8_t *)(a + 1) + a->n, padded - a->n))
		return err_set(c->e, "push_outer: unused bytes are not zero");
	return 0;
}

static int check_punt(struct check *c, const struct act_punt *a)
{
	if (a->reason >= N_PUNT_REASONS)
		return err_set(c->e, "punt: there is no reason %u", a->reason);
	if (a->zero)
		return err_set(c->e, "punt: unused bytes are not zero");
	return 0;
}

static int check_u32(struct check *c, const struct act_u32 *a)
{
	if (a->op == ACT_OUTPUT && !a->value)
		return err_set(c->e, "output: ports are numbered from 1");
	if (a->op == ACT_DROP && (!a->value || a->value >= N_DROPS))
		return err_set(c->e, "drop: there is no reason %u", a->value);
	if (a->op == ACT_TRUNCATE && a->value < TRUNCATE_MIN)
		return err_set(c->e, "truncate: at least %u bytes must be left",
			       TRUNCATE_MIN);
	return 0;
}

static int check_nested(struct check *c, const struct act *a)
{
	struct check inside = { c->in_rule, c->depth + 1, c->e };

	if (a->op == ACT_CLONE && a->zero)
		return err_set(c->e, "clone: unused bytes are not zero");
	if (inside.depth > ACTS_MAX_DEPTH)
		return err_set(c->e, "lists inside lists more than %u deep",
			       ACTS_MAX_DEPTH);
	return check_list(&inside, act_nested(a));
}

static int check_plain(struct check *c, const struct act *a)
{
	if (a->zero)
		return err_set(c->e, "unused bytes are not zero");
	return 0;
}

static int check_pipeline_op(struct check *c, const struct act *a)
{
	if (!c->in_rule)
		return err_set(c->e, "%s stands in rules only",
			       a->op == ACT_NORMAL ? "normal" : "resubmit");
	return a->op == ACT_NORMAL ? check_plain(c, a) : 0;
}

/* Bytes that an op has at least; those with `more` may have more. */
struct shape {
	uint16_t len;
	bool more;
	int (*check)(struct check *c, const struct act *a);
};

#define CHECK_AS(name, type)                                                   \
	static int shape_##name(struct check *c, const struct act *a)          \
	{                                                                      \
		return check_##name(c, (const struct type *)(const void *)a);  \
	}

CHECK_AS(vlan, act_vlan)
CHECK_AS(mpls, act_mpls)
CHECK_AS(eth, act_eth)
CHECK_AS(set, act_set)
CHECK_AS(tunnel, act_tunnel)
CHECK_AS(outer, act_outer)
CHECK_AS(punt, act_punt)
CHECK_AS(u32, act_u32)

static const struct shape shapes[N_ACT_OPS] = {
	[ACT_OUTPUT] = { sizeof(struct act_port), false, shape_u32 },
	[ACT_DROP] = { sizeof(struct act_drop), false, shape_u32 },
	[ACT_PUSH_VLAN] = { sizeof(struct act_vlan), false, shape_vlan },
	[ACT_POP_VLAN] = { sizeof(struct act), false, check_plain },
	[ACT_PUSH_MPLS] = { sizeof(struct act_mpls), false, shape_mpls },
	[ACT_POP_MPLS] = { sizeof(struct act_mpls), false, shape_mpls },
	[ACT_SET_FIELD] = { sizeof(struct act_set), true, shape_set },
	[ACT_SET_ETH] = { sizeof(struct act_eth), false, shape_eth },
	[ACT_DEC_TTL] = { sizeof(struct act), false, check_plain },
	[ACT_SET_TUNNEL] = { sizeof(struct act_tunnel), true, shape_tunnel },
	[ACT_PUSH_OUTER] = { sizeof(struct act_outer), true, shape_outer },
	[ACT_POP_OUTER] = { sizeof(struct act), false, check_plain },
	[ACT_PUSH_ETH] = { sizeof(struct act_eth), false, shape_eth },
	[ACT_POP_ETH] = { sizeof(struct act), false, check_plain },
	[ACT_TRUNCATE] = { sizeof(struct act_u32), false, shape_u32 },
	[ACT_CLONE] = { sizeof(struct act_nest), true, check_nested },
	[ACT_SAMPLE] = { sizeof(struct act_sample), true, check_nested },
	[ACT_METER] = { sizeof(struct act_u32), false, shape_u32 },
	[ACT_CHECK_LEN] = { sizeof(struct act_check_len), true, check_nested },
	[ACT_PUNT] = { sizeof(struct act_punt), false, shape_punt },
	[ACT_NORMAL] = { sizeof(struct act), false, check_pipeline_op },
	[ACT_RESUBMIT] = { sizeof(struct act_u32), false, check_pipeline_op },
};

static int check_act(struct check *c, const struct act *a)
{
	const struct shape *s;

	if (a->op == ACT_CT || a->op == ACT_NAT)
		return err_set(c->e, "connection tracking is not there yet");
	if (!a->op || a->op >= N_ACT_OPS)
		return err_set(c->e, "there is no action %u", a->op);
	s = &shapes[a->op];
	if (a->len < s->len || (a->len > s->len && !s->more))
		return err_set(c->e, "action %u has %u bytes, not %u", a->op,
			       a->len, s->len);
	return s->check(c, a);
}

static int check_list(struct check *c, struct act_list list)
{
	const char *at = (const char *)list.first;
	uint32_t left = list.len;

	while (left) {
		const struct act *a = (const struct act *)(const void *)at;

		if (left < sizeof(*a) || a->len < sizeof(*a) || a->len % 8 ||
		    a->len > left)
			return err_set(c->e, "an action's length does not fit "
					     "its list");
		if (check_act(c, a))
			return -EINVAL;
		at += a->len;
		left -= a->len;
	}
	return 0;
}

int acts_check(struct act_list list, bool in_rule, struct err *e)
{
	struct check c = { in_rule, 0, e };

	if (list.len > ACTS_MAX_LEN || list.len % 8)
		return err_set(e,
			       "a list of actions has at most %u bytes, in "
			       "eights",
			       ACTS_MAX_LEN);
	return check_list(&c, list);
}
