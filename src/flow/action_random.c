/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/action_random.h"

#include "flow/edit.h"
#include "flow/packet_model.h"
#include "packet/outer.h"

/* A number of random size. */
static uint32_t any(uint64_t *seed)
{
	return model_rand(seed, UINT32_MAX) >> model_rand(seed, 32);
}

static struct eth_addr any_eth(uint64_t *seed)
{
	return eth_addr_from_u64((uint64_t)any(seed) << 20 | any(seed));
}

static struct ip_addr any_ip(uint64_t *seed, bool ip6)
{
	struct ip6_addr a = { { 0 } };

	if (!ip6)
		return ip_addr_from_ip4(any(seed));
	for (unsigned i = 0; i < 16; i++)
		a.b[i] = (uint8_t)(model_rand(seed, 2) ? any(seed) : 0);
	return ip_addr_from_ip6(a);
}

static void random_set(struct acts *out, uint64_t *seed)
{
	uint8_t value[16], mask[16], own[16];
	enum field_id id;

	do
		id = (enum field_id)model_rand(seed, N_FIELDS);
	while (!field_get(id)->settable || !edit_can_set(id));
	field_mask_in_key(field_get(id), own);
	for (unsigned i = 0; i < sizeof(mask); i++) {
		value[i] = (uint8_t)any(seed);
		mask[i] = (uint8_t)(own[i] & any(seed));
	}
	acts_set_field(out, id, value,
		       field_get(id)->mask == FIELD_MASK_ANY &&
				       model_rand(seed, 2) ?
			       mask :
			       NULL);
}

static void random_tunnel(struct acts *out, uint64_t *seed)
{
	struct packet_tunnel t = { .id = any(seed) };
	bool ip6 = model_rand(seed, 2);

	if (model_rand(seed, 2))
		t.src = any_ip(seed, ip6);
	if (model_rand(seed, 4))
		t.dst = any_ip(seed, ip6);
	t.tos = (uint8_t)any(seed);
	t.ttl = (uint8_t)any(seed);
	t.tp_dst = (uint16_t)any(seed);
	t.flags = (uint16_t)model_rand(seed, 16);
	t.options_len = (uint8_t)(4 * model_rand(seed, 64));
	for (unsigned i = 0; i < t.options_len; i++)
		t.options[i] = (uint8_t)any(seed);
	acts_set_tunnel(out, &t);
}

static void random_outer(struct acts *out, uint64_t *seed)
{
	enum outer_kind kind = (enum outer_kind)model_rand(seed, N_OUTER_KINDS);
	struct packet_tunnel t = { .id = any(seed) };
	bool ip6 = model_rand(seed, 2);
	uint8_t headers[OUTER_MAX] = { 0 };
	uint32_t n;

	t.src = any_ip(seed, ip6);
	t.dst = any_ip(seed, ip6);
	t.flags = (uint16_t)model_rand(seed, 16);
	n = outer_build(kind,
			(struct eth_addr[]){ any_eth(seed), any_eth(seed) }, &t,
			headers, sizeof(headers));
	if (!n || !model_rand(seed, 8))
		n = 1 + model_rand(seed, OUTER_MAX);
	acts_push_outer(out, (uint16_t)kind, headers, (uint16_t)n);
}

static void random_punt(struct acts *out, uint64_t *seed)
{
	struct act_punt *a = acts_punt(
		out, (enum punt_reason)model_rand(seed, N_PUNT_REASONS));

	if (!a)
		return;
	a->max_len = (uint16_t)any(seed);
	for (unsigned i = 0; i < ARRAY_SIZE(a->userdata); i++)
		a->userdata[i] = any(seed);
}

static void random_nested(struct acts *out, uint64_t *seed, unsigned depth,
			  bool in_rule)
{
	static const enum act_op ops[] = { ACT_CLONE, ACT_SAMPLE,
					   ACT_CHECK_LEN };
	enum act_op op = ops[model_rand(seed, ARRAY_SIZE(ops))];
	uint32_t operand = op == ACT_CLONE ? 0 : any(seed);
	uint32_t begin;

	if (depth >= ACTS_MAX_DEPTH)
		return;
	begin = acts_begin(out, op, operand);
	action_random(out, seed, depth + 1, in_rule);
	acts_end(out, begin);
}

static void random_plain(struct acts *out, uint64_t *seed, bool in_rule)
{
	static const enum act_op ops[] = { ACT_POP_VLAN, ACT_DEC_TTL,
					   ACT_POP_OUTER, ACT_POP_ETH,
					   ACT_NORMAL };

	acts_op(out, ops[model_rand(seed, ARRAY_SIZE(ops) - !in_rule)]);
}

static void random_tags(struct acts *out, uint64_t *seed)
{
	static const uint16_t tpids[] = { 0x8100, 0x88a8, 0x9100 };
	static const uint16_t types[] = { 0x0800, 0x86dd, 0x8847, 0x8848 };

	switch (model_rand(seed, 3)) {
	case 0:
		acts_push_vlan(out, tpids[model_rand(seed, 3)],
			       (uint16_t)any(seed));
		break;
	case 1:
		acts_push_mpls(out, types[2 + model_rand(seed, 2)], any(seed));
		break;
	case 2:
		acts_pop_mpls(out, types[model_rand(seed, 4)]);
	}
}

static void random_op(struct acts *out, uint64_t *seed, unsigned depth,
		      bool in_rule)
{
	switch (model_rand(seed, 14)) {
	case 0:
		acts_output(out, 1 + any(seed) / 2);
		break;
	case 1:
		acts_drop(out, (enum drop)(1 + model_rand(seed, N_DROPS - 1)));
		break;
	case 2:
		random_tags(out, seed);
		break;
	case 3:
	case 4:
		random_set(out, seed);
		break;
	case 5:
		acts_set_eth(out, any_eth(seed), any_eth(seed));
		break;
	case 6:
		random_tunnel(out, seed);
		break;
	case 7:
		random_outer(out, seed);
		break;
	case 8:
		acts_push_eth(out, any_eth(seed), any_eth(seed),
			      model_rand(seed, 2) ? 0x0800 : 0x86dd);
		break;
	case 9:
		acts_u32(out, ACT_TRUNCATE, 14 + any(seed) / 2);
		break;
	case 10:
		random_nested(out, seed, depth, in_rule);
		break;
	case 11:
		acts_u32(out, in_rule ? ACT_RESUBMIT : ACT_METER, any(seed));
		break;
	case 12:
		random_punt(out, seed);
		break;
	case 13:
		random_plain(out, seed, in_rule);
	}
}

void action_random(struct acts *out, uint64_t *seed, unsigned depth,
		   bool in_rule)
{
	for (unsigned n = model_rand(seed, 12); n; n--)
		random_op(out, seed, depth, in_rule);
}
