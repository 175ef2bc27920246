/* SPDX-License-Identifier: Apache-2.0 */
#include "dp/accel_set.h"

#include "packet/headers.h"

#define IP_AT ETH_HEADER_LEN
#define WORD 4u

/* Where a field stands in a frame. */
struct place {
	uint8_t at;
	uint8_t sum;   /* enum kernel_sum */
	bool in_word;  /* eight bits of the two bytes at `at` ... */
	uint8_t shift; /* ... so far up */
};

struct wire {
	uint8_t value[FIELD_VALUE_MAX], mask[FIELD_VALUE_MAX];
	unsigned n;
};

static const uint8_t *set_value(const struct act_set *a)
{
	return (const uint8_t *)(a + 1);
}

static const uint8_t *set_mask(const struct act_set *a)
{
	return set_value(a) + ROUND_UP(a->n, 8u);
}

static struct place words_at(unsigned at, enum kernel_sum sum)
{
	return (struct place){ .at = (uint8_t)at, .sum = (uint8_t)sum };
}

static struct place bits_at(unsigned at, enum kernel_sum sum, uint8_t shift)
{
	return (struct place){ .at = (uint8_t)at,
			       .sum = (uint8_t)sum,
			       .in_word = true,
			       .shift = shift };
}

static bool find_l3(enum field_id field, bool ip6, struct place *p)
{
	enum kernel_sum sum = ip6 ? KERNEL_SUM_IP6 : KERNEL_SUM_IP4;

	/* Not all fields: most are nothing that the kernel can write. */
	switch ((unsigned)field) {
	case FIELD_IP_SRC:
		*p = words_at(IP_AT + 12, KERNEL_SUM_IP4_ADDR);
		return true;
	case FIELD_IP_DST:
		*p = words_at(IP_AT + 16, KERNEL_SUM_IP4_ADDR);
		return true;
	case FIELD_IPV6_SRC:
		*p = words_at(IP_AT + 8, KERNEL_SUM_IP6_ADDR);
		return true;
	case FIELD_IPV6_DST:
		*p = words_at(IP_AT + 24, KERNEL_SUM_IP6_ADDR);
		return true;
	case FIELD_IPV6_LABEL:
		*p = words_at(IP_AT, sum);
		return true;
	case FIELD_IP_TOS:
	case FIELD_IP_DSCP:
	case FIELD_IP_ECN:
		*p = bits_at(IP_AT, sum, ip6 ? 4 : 0);
		return true;
	case FIELD_IP_TTL:
		*p = bits_at(IP_AT + (ip6 ? 6 : 8), sum, ip6 ? 0 : 8);
		return true;
	}
	return false;
}

static bool find_l4(enum field_id field, bool ip6, struct place *p)
{
	enum kernel_sum sum = ip6 ? KERNEL_SUM_L4_IP6 : KERNEL_SUM_L4_IP4;
	unsigned at = IP_AT + (ip6 ? IP6_HEADER_LEN : IP4_HEADER_LEN);

	switch ((unsigned)field) {
	case FIELD_TCP_SRC:
	case FIELD_UDP_SRC:
		*p = words_at(at, sum);
		return true;
	case FIELD_TCP_DST:
	case FIELD_UDP_DST:
		*p = words_at(at + 2, sum);
		return true;
	case FIELD_ICMP_TYPE:
	case FIELD_ICMPV6_TYPE:
		*p = bits_at(at, sum, 8);
		return true;
	case FIELD_ICMP_CODE:
	case FIELD_ICMPV6_CODE:
		*p = bits_at(at, sum, 0);
		return true;
	}
	return false;
}

static bool place_find(enum field_id field, bool ip6, struct place *p)
{
	switch ((unsigned)field) {
	case FIELD_ETH_DST:
		*p = words_at(0, KERNEL_SUM_NONE);
		return true;
	case FIELD_ETH_SRC:
		*p = words_at(6, KERNEL_SUM_NONE);
		return true;
	}
	return find_l3(field, ip6, p) || find_l4(field, ip6, p);
}

/* Integers stand the other way round in the key. */
static void wire_bytes(const struct act_set *a, struct wire *w)
{
	uint8_t form = field_get((enum field_id)a->field)->form;
	bool bytes = form == FIELD_FORM_MAC || form == FIELD_FORM_IP6;

	w->n = a->n;
	for (unsigned i = 0; i < a->n; i++) {
		unsigned k = bytes ? i : a->n - 1u - i;

		w->mask[i] = set_mask(a)[k];
		w->value[i] = set_value(a)[k] & w->mask[i];
	}
}

static void wire_bits(const struct act_set *a, unsigned shift, struct wire *w)
{
	w->n = 2;
	put_be16(w->mask, (uint16_t)(*set_mask(a) << shift));
	put_be16(w->value, (uint16_t)((*set_value(a) & *set_mask(a)) << shift));
}

static bool is_whole(const struct wire *w, unsigned i)
{
	static const uint8_t ones[WORD] = { 0xff, 0xff, 0xff, 0xff };

	return i + WORD <= w->n && !memcmp(w->mask + i, ones, WORD);
}

static struct kernel_op op_whole(const uint8_t *value, uint16_t aux)
{
	struct kernel_op op = { .kind = KERNEL_SET, .aux = aux };

	memcpy(&op.arg, value, sizeof(op.arg));
	return op;
}

static struct kernel_op op_bits(const struct wire *w, unsigned i, uint16_t aux)
{
	uint16_t value, mask;

	memcpy(&value, w->value + i, sizeof(value));
	memcpy(&mask, w->mask + i, sizeof(mask));
	return (struct kernel_op){ .kind = KERNEL_SET_BITS,
				   .aux = aux,
				   .arg = value | (uint32_t)mask << 16 };
}

static void write_words(const struct wire *w, const struct place *p,
			struct accel_set *out)
{
	for (unsigned i = 0; i < w->n;) {
		bool whole = is_whole(w, i);
		uint16_t aux = (uint16_t)((p->at + i) | p->sum << 8);

		if (whole)
			out->op[out->n++] = op_whole(w->value + i, aux);
		else if (w->mask[i] | w->mask[i + 1])
			out->op[out->n++] = op_bits(w, i, aux);
		i += whole ? 4 : 2;
	}
}

bool accel_set_field(const struct act_set *a, const struct flow_key *key,
		     struct accel_set *out)
{
	const struct field *f = field_get((enum field_id)a->field);
	struct wire w = { .n = 0 };
	struct place p;

	*out = (struct accel_set){ .n = 0 };
	if (!place_find((enum field_id)a->field, key->eth_type == ETH_TYPE_IP6,
			&p) ||
	    !field_prereq_met(f, key))
		return false;
	if (p.in_word)
		wire_bits(a, p.shift, &w);
	else
		wire_bytes(a, &w);
	write_words(&w, &p, out);
	return true;
}

bool accel_set_tag(const struct act_set *a, uint16_t *value, uint16_t *mask)
{
	switch ((unsigned)a->field) {
	case FIELD_VLAN_TCI:
	case FIELD_VLAN_VID:
	case FIELD_VLAN_PCP:
		memcpy(value, set_value(a), sizeof(*value));
		memcpy(mask, set_mask(a), sizeof(*mask));
		break;
	default:
		return false;
	}
	*value &= *mask;
	/* No tag is what the value asks for. */
	if (*mask & KEY_VLAN_PRESENT && !(*value & KEY_VLAN_PRESENT))
		return false;
	/* On the wire that bit is another's. */
	*mask &= (uint16_t)~KEY_VLAN_PRESENT;
	*value &= *mask;
	return true;
}
