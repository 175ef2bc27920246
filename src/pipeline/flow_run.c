/* SPDX-License-Identifier: Apache-2.0 */
/* OpenFlow rules: tables, lists, outputs, groups, the action set. */
#include "pipeline/flow_run.h"

#include "base/hash.h"
#include "ofwire/flow.h"
#include "ofwire/packet.h"
#include "ofwire/port.h"
#include "packet/headers.h"

#define HASH_SEED 0x6f70656e666c6f77ull
#define SCORE_BITS 16u

static void run_list(struct flow_run *r, struct of_act_list list, bool last);
static void run_table(struct flow_run *r, uint8_t table, uint32_t of_port,
		      bool last);
static void run_set(struct flow_run *r, const struct flow_set *set, bool last);
static void run_output(struct flow_run *r, uint32_t port, uint16_t max_len,
		       bool last);

static struct acts *acts_of(struct flow_run *r)
{
	return &r->x->v->actions;
}

/* --- copies --- */

/* A list that leaves no trace on what follows, but that it was sent. */
struct copy {
	struct xlate_outside x;
	struct flow_set set;
	unsigned n_stack;
	bool nested, sent;
};

/* False: too deep. */
static bool copy_begin(struct flow_run *r, struct copy *c, bool last)
{
	c->set = r->set;
	c->n_stack = r->n_stack;
	c->nested = !last;
	if (!last && r->x->nested >= XLATE_MAX_NESTED)
		return false;
	c->sent = r->sent;
	r->sent = false;
	if (!last)
		rule_run_begin(r->x, &c->x, ACT_CLONE, 0);
	return true;
}

static void copy_end(struct flow_run *r, const struct copy *c)
{
	r->set = c->set;
	r->n_stack = c->n_stack;
	r->over = false;
	if (c->nested)
		rule_run_end(r->x, &c->x);
	if (c->nested && !r->sent)
		acts_of(r)->len = MIN(acts_of(r)->len,
				      c->x.begin); /* nothing came of it */
	r->sent |= c->sent;
}

static void run_clone(struct flow_run *r, struct of_act_list list, bool last)
{
	struct copy c;

	if (!copy_begin(r, &c, last))
		return;
	memset(&r->set, 0, sizeof(r->set));
	run_list(r, list, true);
	copy_end(r, &c);
}

/* --- outputs --- */

static uint32_t config_of(const struct snap_port *p)
{
	return p->of_config ? __atomic_load_n(p->of_config, __ATOMIC_RELAXED) :
			      0;
}

static void count(struct flow_run *r, uint32_t counter)
{
	struct effect e = { .kind = EFFECT_COUNT, .id = counter };

	verdict_add_effect(r->x->v, &e);
}

void flow_run_punt(struct flow_run *r, uint16_t id, uint16_t max_len,
		   uint8_t reason)
{
	struct act_punt *p = acts_punt(acts_of(r), PUNT_RULE);
	uint64_t cookie = r->rule ? r->rule->cookie : OF_COOKIE_KEEP;

	r->sent = true;
	if (!p)
		return;
	p->max_len = max_len == OF_LEN_NO_BUFFER ? 0 : max_len;
	p->userdata[PUNT_FLOW_PLACE] =
		r->b->id | (uint32_t)r->table << 16 | (uint32_t)reason << 24;
	p->userdata[PUNT_FLOW_CONTROLLER] = id;
	p->userdata[PUNT_FLOW_COOKIE] = (uint32_t)cookie;
	p->userdata[PUNT_FLOW_COOKIE + 1] = (uint32_t)(cookie >> 32);
	p->userdata[PUNT_FLOW_METADATA] = (uint32_t)r->x->key.metadata;
	p->userdata[PUNT_FLOW_METADATA + 1] =
		(uint32_t)(r->x->key.metadata >> 32);
	xlate_note(r->x, TRACE_SLOW, r->b, "a copy goes to the controllers");
}

static void punt(struct flow_run *r, uint16_t id, uint16_t max_len)
{
	const struct flow_rule *rule = r->rule;
	uint8_t reason = r->reason;

	if (reason == OF_REASON_ACTION && rule && !rule->cls.priority &&
	    !rule->cls.mask->n)
		reason = OF_REASON_NO_MATCH;
	flow_run_punt(r, id, max_len, reason);
}

static void send(struct flow_run *r, const struct snap_port *p, uint32_t max)
{
	if (p->blocked || config_of(p) & (OF_PORT_DOWN | OF_PORT_NO_FWD))
		return;
	if (max)
		acts_u32(acts_of(r), ACT_TRUNCATE, max);
	acts_output(acts_of(r), p->id);
	r->sent = true;
	xlate_note(r->x, TRACE_OUTPUT, p, "leaves");
}

/* To all ports, but those whose configuration says no to `unless`. */
static void flood(struct flow_run *r, uint32_t unless, uint32_t max)
{
	for (unsigned i = 0; i < r->b->n_of_ports; i++) {
		const struct snap_port *p = r->b->of_ports[i];

		if (p->of_port != r->x->key.in_port && !(config_of(p) & unless))
			send(r, p, max);
	}
}

static void to_port(struct flow_run *r, uint32_t port, uint32_t max)
{
	const struct snap_port *p = snap_bridge_of_port(r->b, port);

	if (p && port != r->x->key.in_port)
		send(r, p, max);
}

static void to_in_port(struct flow_run *r, uint32_t max)
{
	const struct snap_port *p =
		snap_bridge_of_port(r->b, r->x->key.in_port);

	if (p)
		send(r, p, max);
}

/* Normal forwarding of what came by no port: by destination, nothing learned. */
static void normal_of_own(struct flow_run *r)
{
	struct xlate *x = r->x;
	const struct key_vlan *tag = &x->key.vlan[0];
	bool tagged = r->b->vlan_aware && tag->tpid;
	const struct snap_domain *d = snap_bridge_domain(
		r->b, tagged ? (uint16_t)(tag->tci & VLAN_VID_MASK) : 0);

	if (!d && r->b->n_domains && !tagged)
		d = r->b->domains[0];
	x->tagged = tagged;
	x->plain = !x->key.vlan[tagged].tpid;
	if (d)
		bridge_forward(x, d);
}

static void normal(struct flow_run *r, bool last)
{
	struct xlate_outside o;

	r->sent = true;
	if (r->x->in) {
		rule_run_normal(r->x, last);
		return;
	}
	rule_run_begin(r->x, &o, ACT_CLONE, 0);
	normal_of_own(r);
	rule_run_end(r->x, &o);
}

static void run_output(struct flow_run *r, uint32_t port, uint16_t max_len,
		       bool last)
{
	switch (port) {
	case OF_PORT_NORMAL:
		normal(r, last);
		break;
	case OF_PORT_FLOOD:
		flood(r, OF_PORT_NO_FLOOD, 0);
		break;
	case OF_PORT_ALL:
		flood(r, 0, 0);
		break;
	case OF_PORT_IN_PORT:
		to_in_port(r, 0);
		break;
	case OF_PORT_CONTROLLER:
		punt(r, 0, max_len);
		break;
	case OF_PORT_TABLE:
		run_table(r, 0, r->x->key.in_port, last);
		break;
	default:
		to_port(r, port, 0);
	}
}

static void output_cut(struct flow_run *r, const struct of_act_trunc *a)
{
	switch (a->port) {
	case OF_PORT_IN_PORT:
		to_in_port(r, a->max_len);
		break;
	case OF_PORT_FLOOD:
		flood(r, OF_PORT_NO_FLOOD, a->max_len);
		break;
	case OF_PORT_ALL:
		flood(r, 0, a->max_len);
		break;
	case OF_PORT_CONTROLLER:
		punt(r, 0, (uint16_t)MIN(a->max_len, 0xfffeu));
		break;
	default:
		to_port(r, a->port, a->max_len);
	}
}

static void output_reg(struct flow_run *r, const struct of_act_output_reg *a,
		       bool last)
{
	struct field_value v = flow_act_read(r, &a->src);
	uint64_t port = field_to_u64(&v);

	if (a->src.n_bits <= 16)
		port = of_port_from_16((uint16_t)port);
	if (port <= UINT32_MAX)
		run_output(r, (uint32_t)port, a->max_len, last);
}

/* --- groups --- */

static bool port_is_live(const struct flow_run *r, uint32_t port)
{
	const struct snap_port *p = snap_bridge_of_port(r->b, port);

	return p && !p->blocked &&
	       !(config_of(p) & (OF_PORT_DOWN | SNAP_OF_LINK_DOWN));
}

static bool group_is_live(const struct flow_run *r, uint32_t id,
			  unsigned depth);

static bool bucket_is_live(const struct flow_run *r, const struct of_bucket *b,
			   unsigned depth)
{
	if (b->watch_port == OF_PORT_NONE && b->watch_group == OF_GROUP_ANY)
		return true;
	if (b->watch_port != OF_PORT_NONE && port_is_live(r, b->watch_port))
		return true;
	return b->watch_group != OF_GROUP_ANY &&
	       group_is_live(r, b->watch_group, depth);
}

static bool group_is_live(const struct flow_run *r, uint32_t id, unsigned depth)
{
	const struct flow_group *g = flows_group(r->b->flows, id);

	if (!g || depth > XLATE_MAX_NESTED)
		return false;
	for (size_t i = 0; i < g->g.n_buckets; i++)
		if (bucket_is_live(r, &g->g.buckets[i], depth + 1))
			return true;
	return false;
}

static uint64_t hash_field(struct flow_run *r, uint16_t field, uint64_t h)
{
	struct of_sub all = { .field = field,
			      .n_bits = field_get(field)->bits };
	struct field_value v = flow_act_read(r, &all);

	return hash_bytes(v.b, sizeof(v.b), h);
}

/* Of two ends of a conversation the same, so that both ways meet. */
static uint64_t hash_symmetric(struct flow_run *r)
{
	struct flow_key *k = &r->x->key;
	uint64_t h = HASH_SEED, ends;

	xlate_look(r->x, eth_src);
	xlate_look(r->x, eth_dst);
	xlate_look(r->x, eth_type);
	xlate_look(r->x, vlan);
	ends = eth_addr_to_u64(k->eth_src) ^ eth_addr_to_u64(k->eth_dst);
	h = hash_mix(h ^ ends, k->eth_type + 1u);
	h = hash_mix(h, (k->vlan[0].tci & VLAN_VID_MASK) + 1u);
	if (k->eth_type != ETH_TYPE_IP4 && k->eth_type != ETH_TYPE_IP6)
		return h;
	xlate_look(r->x, ip_proto);
	xlate_look(r->x, ip_frag);
	for (unsigned i = 0; i < 2; i++) {
		uint64_t a =
			hash_field(r, i ? FIELD_IPV6_SRC : FIELD_IP_SRC, 1);
		uint64_t b =
			hash_field(r, i ? FIELD_IPV6_DST : FIELD_IP_DST, 1);

		h = hash_mix(h, (a ^ b) + 1u);
	}
	h = hash_mix(h, k->ip_proto + 1u);
	if (k->ip_frag ||
	    (k->ip_proto != 6 && k->ip_proto != 17 && k->ip_proto != 132))
		return h;
	xlate_look(r->x, tp_src);
	xlate_look(r->x, tp_dst);
	return hash_mix(h, (uint64_t)(k->tp_src ^ k->tp_dst) + 1u);
}

static uint64_t hash_for(struct flow_run *r, const struct of_group *g)
{
	uint64_t h = g->method_param;

	if (strcmp(g->method, "hash") || !g->n_fields)
		return hash_symmetric(r);
	for (unsigned i = 0; i < g->n_fields; i++)
		h = hash_field(r, g->fields[i].field, h);
	return h;
}

/* The highest score wins, and is the bucket's own: when another comes or goes,
 * only its share moves. */
static const struct of_bucket *select_bucket(struct flow_run *r,
					     const struct of_group *g)
{
	const struct of_bucket *best = NULL;
	uint64_t h = hash_for(r, g), top = 0;

	for (size_t i = 0; i < g->n_buckets; i++) {
		const struct of_bucket *b = &g->buckets[i];
		uint64_t score = hash_mix(h ^ HASH_SEED, b->id + 1u) >>
				 (64 - SCORE_BITS);

		score = (score + 1) * b->weight;
		if (score > top && bucket_is_live(r, b, 0)) {
			top = score;
			best = b;
		}
	}
	return best;
}

static const struct of_bucket *first_live(struct flow_run *r,
					  const struct of_group *g)
{
	for (size_t i = 0; i < g->n_buckets; i++)
		if (bucket_is_live(r, &g->buckets[i], 0))
			return &g->buckets[i];
	return NULL;
}

static void set_add(struct flow_set *set, const struct of_act *a);

/* A bucket's actions are an action set (1.5.1 5.10). */
static void run_bucket(struct flow_run *r, const struct flow_group *g,
		       const struct of_bucket *b, bool last)
{
	struct flow_set set = { 0 };
	uint8_t reason = r->reason;
	struct copy c;

	if (r->lookups++ >= PIPELINE_MAX_LOOKUPS || !copy_begin(r, &c, last))
		return;
	count(r, g->counters[b - g->g.buckets]);
	of_act_for_each(a, of_acts_list(&b->acts))
		set_add(&set, a);
	r->reason = OF_REASON_GROUP;
	run_set(r, &set, true);
	r->reason = reason;
	copy_end(r, &c);
}

static void run_group(struct flow_run *r, uint32_t id, bool last)
{
	const struct flow_group *g = flows_group(r->b->flows, id);
	const struct of_bucket *one = NULL;

	if (!g || r->depth >= PIPELINE_MAX_DEPTH ||
	    r->lookups++ >= PIPELINE_MAX_LOOKUPS)
		return;
	r->depth++;
	count(r, g->counter);
	switch ((enum of_group_type)g->g.type) {
	case OF_GROUP_TYPE_ALL:
		for (size_t i = 0; i < g->g.n_buckets; i++)
			run_bucket(r, g, &g->g.buckets[i], false);
		break;
	case OF_GROUP_TYPE_SELECT:
		one = select_bucket(r, &g->g);
		break;
	case OF_GROUP_TYPE_INDIRECT:
		one = g->g.n_buckets ? &g->g.buckets[0] : NULL;
		break;
	case OF_GROUP_TYPE_FF:
		one = first_live(r, &g->g);
		break;
	case N_OF_GROUP_TYPES:
		break;
	}
	if (one)
		run_bucket(r, g, one, last);
	r->depth--;
}

/* --- the action set --- */

/* In this order, whatever the order they were written in (1.5.1 5.6). */
static const uint8_t set_order[] = {
	OFA_STRIP_VLAN,   OFA_DECAP,        OFA_POP_MPLS,
	OFA_ENCAP,        OFA_PUSH_MPLS,    OFA_PUSH_VLAN,
	OFA_COPY_TTL_OUT, OFA_DEC_MPLS_TTL, OFA_DEC_TTL,
	OFA_SET_VLAN_VID, OFA_SET_VLAN_PCP, OFA_SET_ETH_SRC,
	OFA_SET_ETH_DST,  OFA_SET_IP4_SRC,  OFA_SET_IP4_DST,
	OFA_SET_IP_TOS,   OFA_SET_IP_ECN,   OFA_SET_IP_TTL,
	OFA_SET_TP_SRC,   OFA_SET_TP_DST,   OFA_SET_MPLS_LABEL,
	OFA_SET_MPLS_TC,  OFA_SET_MPLS_TTL, OFA_SET_TUNNEL,
	OFA_MOVE,
};

static void set_add_field(struct flow_set *set, const struct of_act *a)
{
	const struct of_act_set *s = (const void *)a;

	for (unsigned i = 0; i < set->n_fields; i++) {
		const struct of_act_set *have = (const void *)set->fields[i];

		if (have->field == s->field) {
			set->fields[i] = a;
			return;
		}
	}
	if (set->n_fields < FLOW_RUN_FIELDS)
		set->fields[set->n_fields++] = a;
}

static void set_add(struct flow_set *set, const struct of_act *a)
{
	set->n++;
	if (a->kind == OFA_SET_FIELD)
		set_add_field(set, a);
	else
		set->one[a->kind] = a;
}

static void run_one(struct flow_run *r, const struct of_act *a, bool last);

/* A group goes before an output, and one of them is enough; what a bucket of
 * Open vSwitch may say besides comes last. */
static void run_set_last(struct flow_run *r, const struct flow_set *set,
			 bool last)
{
	static const uint8_t outputs[] = { OFA_GROUP,      OFA_OUTPUT_REG,
					   OFA_CONTROLLER, OFA_OUTPUT_TRUNC,
					   OFA_RESUBMIT,   OFA_CLONE };

	if (set->one[OFA_OUTPUT] && !set->one[OFA_GROUP])
		run_one(r, set->one[OFA_OUTPUT],
			last && !set->one[OFA_RESUBMIT]);
	for (unsigned i = 0; i < ARRAY_SIZE(outputs) && !r->over; i++)
		if (set->one[outputs[i]])
			run_one(r, set->one[outputs[i]], false);
}

static void run_set(struct flow_run *r, const struct flow_set *set, bool last)
{
	for (unsigned i = 0; i < ARRAY_SIZE(set_order) && !r->over; i++)
		if (set->one[set_order[i]])
			flow_act(r, set->one[set_order[i]]);
	for (unsigned i = 0; i < set->n_fields && !r->over; i++)
		flow_act(r, set->fields[i]);
	if (set->one[OFA_SET_QUEUE])
		flow_act(r, set->one[OFA_SET_QUEUE]);
	if (!r->over)
		run_set_last(r, set, last);
}

/* --- lists and tables --- */

static void resubmit(struct flow_run *r, const struct of_act_resubmit *a,
		     bool last)
{
	uint8_t table = a->table == OF_TABLE_ALL ? r->table : a->table;
	uint32_t port =
		a->port == OF_PORT_IN_PORT ? r->x->key.in_port : a->port;
	uint8_t was = r->table, next = r->next;
	const struct flow_rule *rule = r->rule;

	run_table(r, table, port, last);
	r->table = was;
	r->next = next;
	r->rule = rule;
}

static void run_one(struct flow_run *r, const struct of_act *a, bool last)
{
	const struct of_act_int *v = (const void *)a;
	const struct of_act_output *out = (const void *)a;
	const struct of_act_controller *ctl = (const void *)a;
	const struct of_act_enqueue *q = (const void *)a;

	switch (a->kind) {
	case OFA_OUTPUT:
		run_output(r, out->port, out->max_len, last);
		break;
	case OFA_CONTROLLER:
		punt(r, ctl->id, ctl->max_len);
		break;
	case OFA_ENQUEUE:
		run_output(r, q->port, 0, last);
		break;
	case OFA_OUTPUT_REG:
		output_reg(r, (const void *)a, last);
		break;
	case OFA_OUTPUT_TRUNC:
		output_cut(r, (const void *)a);
		break;
	case OFA_GROUP:
		run_group(r, (uint32_t)v->v, last);
		break;
	case OFA_RESUBMIT:
		resubmit(r, (const void *)a, last);
		break;
	case OFA_CLONE:
		run_clone(r, of_act_nested(a), last);
		break;
	case OFA_EXIT:
		r->over = true;
		break;
	case OFA_CLEAR_ACTIONS:
		memset(&r->set, 0, sizeof(r->set));
		break;
	case OFA_WRITE_ACTIONS:
		of_act_for_each(one, of_act_nested(a))
			set_add(&r->set, one);
		break;
	case OFA_GOTO_TABLE:
		r->next = (uint8_t)v->v;
		break;
	default:
		flow_act(r, a);
	}
}

/* last: nothing follows the list. What the action set has follows all lists. */
static void run_list(struct flow_run *r, struct of_act_list list, bool last)
{
	const char *end = (const char *)list.first + list.len;

	of_act_for_each(a, list) {
		bool is_last =
			last && !r->set.n && (const char *)a + a->len == end;

		if (r->over || acts_of(r)->overflow)
			return;
		run_one(r, a, is_last);
	}
}

static const struct flow_rule *find(struct flow_run *r, uint8_t table,
				    uint32_t of_port)
{
	struct flow_key *k = &r->x->key;
	uint32_t was = k->in_port;
	const struct flow_rule *rule;

	k->in_port = of_port;
	k->actset_output = OF_PORT_UNSET;
	rule = flows_find(r->b->flows, table, k, &r->x->v->mask);
	k->in_port = was;
	return rule;
}

static void note_rule(struct flow_run *r)
{
	if (unlikely(r->x->t))
		xlate_trace(r->x,
			    (struct trace_at){ TRACE_RULE, r->b->name,
					       r->b->origin },
			    "table %u, priority %u, cookie 0x%llx", r->table,
			    r->rule->cls.priority,
			    (unsigned long long)r->rule->cookie);
}

/* From one table on, as far as goto leads. */
static void run_table(struct flow_run *r, uint8_t table, uint32_t of_port,
		      bool last)
{
	if (r->x->lost || r->depth >= PIPELINE_MAX_DEPTH) {
		r->over = true;
		return;
	}
	r->depth++;
	for (r->next = table; r->next != FLOW_RUN_NO_TABLE;) {
		if (r->lookups++ >= PIPELINE_MAX_LOOKUPS) {
			r->over = true;
			break;
		}
		r->table = r->next;
		r->next = FLOW_RUN_NO_TABLE;
		r->rule = find(r, r->table, of_port);
		if (!r->rule)
			break;
		note_rule(r);
		count(r, r->rule->counter);
		run_list(r, flow_rule_acts(r->rule), last);
		if (r->over)
			break;
	}
	r->depth--;
}

/* --- the doors --- */

static void begin(struct flow_run *r, struct xlate *x,
		  const struct snap_bridge *b)
{
	memset(r, 0, offsetof(struct flow_run, stack));
	r->x = x;
	r->b = b;
	r->reason = OF_REASON_ACTION;
	r->next = FLOW_RUN_NO_TABLE;
	verdict_add_dep(x->v, stamp_read(b->flows->stamps, b->flows->slot));
}

/* No packet has what only the pipeline knows: these bits say nothing to a cache.
 */
static void forget_own(struct flow_key *m)
{
	m->metadata = 0;
	memset(m->reg, 0, sizeof(m->reg));
	m->conj_id = 0;
	m->actset_output = 0;
}

static void end(struct flow_run *r)
{
	struct flow_set set = r->set;

	if (!r->over && set.n) {
		memset(&r->set, 0, sizeof(r->set));
		r->reason = OF_REASON_ACTION_SET;
		run_set(r, &set, true);
	}
	forget_own(&r->x->v->mask.bits);
	if (r->sent && r->x->v->actions.len)
		return;
	if (!r->x->v->actions.overflow)
		acts_clear(&r->x->v->actions);
	xlate_drop(r->x, DROP_RULE);
}

void flow_run(struct xlate *x)
{
	struct flow_run r;

	begin(&r, x, x->in->bridge);
	x->key.in_port = x->in->of_port;
	if (!(config_of(x->in) & (OF_PORT_DOWN | OF_PORT_NO_RECV)))
		run_table(&r, 0, x->key.in_port, true);
	end(&r);
}

void flow_run_out(struct xlate *x, const struct pipeline_out *out)
{
	struct flow_run r;

	begin(&r, x, out->bridge);
	r.reason = OF_REASON_PACKET_OUT;
	x->key.in_port = out->of_port;
	x->v->cacheable = false;
	run_list(&r, *out->acts, true);
	end(&r);
}
