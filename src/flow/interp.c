/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/interp.h"

#include "flow/edit.h"
#include "packet/offload.h"
#include "packet/segment.h"

/* One list being run on one packet, which the walk owns. */
struct walk {
	struct interp *in;
	struct packet *p; /* NULL: gone */
	bool served;      /* sent or punted: its end is no drop */
};

static void walk_list(struct walk *w, struct act_list list);

static void walk_drop(struct walk *w, enum drop reason)
{
	w->in->ops->drop(w->in->ctx, w->p, reason);
	packet_free(w->p);
	w->p = NULL;
}

/* What the list did without: the packet itself, since nothing follows, or a
 * copy. NULL when the pool is empty: counted. */
static struct packet *walk_take(struct walk *w, bool is_last)
{
	struct packet *copy;

	if (is_last) {
		copy = w->p;
		w->p = NULL;
		return copy;
	}
	copy = packet_clone(w->p, w->in->pool);
	if (unlikely(!copy))
		w->in->ops->drop(w->in->ctx, w->p, DROP_POOL_EMPTY);
	else
		w->p->max_len = 0; /* it was for this copy */
	return copy;
}

static void walk_output(struct walk *w, uint32_t port, bool is_last)
{
	struct packet *p = walk_take(w, is_last);

	w->served = true;
	if (unlikely(!p))
		return;
	if (unlikely(p->max_len)) {
		edit_truncate(p, p->max_len);
		p->max_len = 0;
	}
	w->in->ops->output(w->in->ctx, p, port);
}

/* Runs the list inside `a` on a copy; on the packet itself when `a` is last. */
static void walk_nested(struct walk *w, const struct act *a, bool is_last)
{
	struct walk inside = { .in = w->in };

	w->served = true;
	inside.p = walk_take(w, is_last);
	if (inside.p)
		walk_list(&inside, act_nested(a));
}

static void walk_sample(struct walk *w, const struct act *a, bool is_last)
{
	const struct act_sample *s = (const void *)a;
	uint32_t r = w->in->ops->random(w->in->ctx);

	/* All ones is "always". */
	if (r < s->probability || s->probability == UINT32_MAX)
		walk_nested(w, a, is_last);
}

static uint32_t l3_len_max(struct packet *p)
{
	uint32_t len = packet_l3_len_max(p);

	if (unlikely(!len)) {
		edit_relocate(p);
		len = packet_l3_len_max(p);
	}
	return len;
}

/* Too long: the nested list is run instead of what follows. */
static void walk_check_len(struct walk *w, const struct act *a)
{
	const struct act_check_len *c = (const void *)a;
	struct act_list nested = act_nested(a);

	if (likely(l3_len_max(w->p) <= c->max_l3))
		return;
	if (!nested.len)
		walk_drop(w, DROP_TOO_BIG);
	else
		walk_list(w, nested);
}

static void walk_punt(struct walk *w, const struct act *a)
{
	w->in->ops->punt(w->in->ctx, w->p, (const void *)a);
	w->served = true;
}

static void walk_meter(struct walk *w, const struct act *a)
{
	const struct act_u32 *m = (const void *)a;

	if (!w->in->ops->meter(w->in->ctx, m->value, w->p))
		walk_drop(w, DROP_METER);
}

/* The ops that edit the packet. */
static enum drop edit_run(struct packet *p, const struct act *a)
{
	const struct act_vlan *vlan = (const void *)a;
	const struct act_mpls *mpls = (const void *)a;
	const struct act_eth *eth = (const void *)a;

	switch ((enum act_op)a->op) {
	case ACT_PUSH_VLAN:
		return edit_push_vlan(p, vlan->tpid, vlan->tci);
	case ACT_POP_VLAN:
		return edit_pop_vlan(p);
	case ACT_PUSH_MPLS:
		return edit_push_mpls(p, mpls->eth_type, mpls->lse);
	case ACT_POP_MPLS:
		return edit_pop_mpls(p, mpls->eth_type);
	case ACT_SET_FIELD:
		return edit_set_field(p, (const void *)a);
	case ACT_SET_ETH:
		return edit_set_eth(p, eth->dst, eth->src);
	case ACT_DEC_TTL:
		return edit_dec_ttl(p);
	case ACT_SET_TUNNEL:
		edit_set_tunnel(p, (const void *)a);
		return DROP_NONE;
	case ACT_PUSH_OUTER:
		return edit_push_outer(p, (const void *)a);
	case ACT_POP_OUTER:
		return edit_pop_outer(p);
	case ACT_PUSH_ETH:
		return edit_push_eth(p, eth);
	case ACT_POP_ETH:
		return edit_pop_eth(p);
	case ACT_TRUNCATE:
		p->max_len = ((const struct act_u32 *)(const void *)a)->value;
		return DROP_NONE;
	case ACT_OUTPUT:
	case ACT_DROP:
	case ACT_CLONE:
	case ACT_SAMPLE:
	case ACT_METER:
	case ACT_CHECK_LEN:
	case ACT_PUNT:
	case ACT_CT:
	case ACT_NAT:
	case ACT_NORMAL:
	case ACT_RESUBMIT:
	case N_ACT_OPS:
		break;
	}
	return DROP_UNSUPPORTED;
}

struct cut {
	struct walk *w;
	struct act_list rest;
};

static void walk_segment(void *ctx, struct packet *segment)
{
	const struct cut *cut = ctx;
	struct walk w = { .in = cut->w->in,
			  .p = segment,
			  .served = cut->w->served };

	walk_list(&w, cut->rest);
}

/* What cannot be done on the large frame is done on each segment of it. */
static void walk_cut(struct walk *w, struct act_list rest)
{
	struct cut cut = { w, rest };
	struct segment_plan sp;

	if (!segment_plan_init(&sp, w->p)) {
		walk_drop(w, DROP_UNSUPPORTED);
		return;
	}
	if (!packet_segment(w->p, w->in->pool, walk_segment, &cut)) {
		walk_drop(w, DROP_POOL_EMPTY);
		return;
	}
	packet_free(w->p);
	w->p = NULL;
}

static void walk_edit(struct walk *w, const struct act *a, const char *end)
{
	enum drop d = edit_run(w->p, a);

	if (likely(d == DROP_NONE))
		return;
	if (d == DROP_UNSUPPORTED && packet_is_gso(w->p))
		walk_cut(w, (struct act_list){
				    a, (uint32_t)(end - (const char *)a) });
	else
		walk_drop(w, d);
}

/* `end`: of the list that `a` stands in. */
static void walk_act(struct walk *w, const struct act *a, const char *end)
{
	const struct act_u32 *u = (const void *)a;
	bool is_last = (const char *)a + a->len == end;

	switch (a->op) {
	case ACT_OUTPUT:
		walk_output(w, u->value, is_last);
		break;
	case ACT_DROP:
		walk_drop(w, (enum drop)u->value);
		break;
	case ACT_CLONE:
		walk_nested(w, a, is_last);
		break;
	case ACT_SAMPLE:
		walk_sample(w, a, is_last);
		break;
	case ACT_METER:
		walk_meter(w, a);
		break;
	case ACT_CHECK_LEN:
		walk_check_len(w, a);
		break;
	case ACT_PUNT:
		walk_punt(w, a);
		break;
	default: /* not an enum: bytes that acts_check read */
		walk_edit(w, a, end);
	}
}

/* Takes w->p. */
static void walk_list(struct walk *w, struct act_list list)
{
	const char *end = (const char *)list.first + list.len;

	act_list_for_each(a, list) {
		walk_act(w, a, end);
		if (!w->p)
			return;
	}
	if (w->served)
		packet_free(w->p);
	else
		walk_drop(w, DROP_RULE);
	w->p = NULL;
}

void interp_run(struct interp *in, struct packet *p, struct act_list list)
{
	struct walk w = { .in = in, .p = p };

	walk_list(&w, list);
}
