/* SPDX-License-Identifier: Apache-2.0 */
/* Lists as text. What is printed here is parsed to the same bytes. */
#include <stdio.h>

#include "flow/action.h"

#include "base/str.h"
#include "flow/action_text.h"
#include "packet/outer.h"

struct format {
	const struct act_names *names;
	struct str *out;
};

static void format_list(const struct format *f, struct act_list list);

/* A name that reads as one word, and not as a number. */
static bool is_word(const char *s)
{
	return *s && strspn(s, ACT_WORD_CHARS) == strlen(s) &&
	       strspn(s, "0123456789") != strlen(s);
}

static void format_port(const struct format *f, uint32_t port)
{
	const char *name = f->names && f->names->port_name ?
				   f->names->port_name(f->names->ctx, port) :
				   NULL;

	/* A name that cannot be quoted either stays a number. */
	if (!name || strpbrk(name, "\"\n"))
		str_addf(f->out, "output:%u", port);
	else
		str_addf(f->out, is_word(name) ? "output:%s" : "output:\"%s\"",
			 name);
}

static void format_eth_pair(const struct format *f, const struct act_eth *a)
{
	char dst[ETH_STR_LEN], src[ETH_STR_LEN];

	str_addf(f->out, "dst=%s,src=%s", eth_addr_format(a->dst, dst),
		 eth_addr_format(a->src, src));
}

static void format_hex(struct str *out, const void *p, uint32_t n)
{
	const uint8_t *b = p;

	str_add(out, "0x");
	for (uint32_t i = 0; i < n; i++)
		str_addf(out, "%02x", b[i]);
}

static void format_set(const struct format *f, const struct act_set *a)
{
	const struct field *field = field_get((enum field_id)a->field);
	const uint8_t *value = (const uint8_t *)(a + 1);
	struct field_value v, m;
	struct flow_key k;

	memset(&k, 0, sizeof(k));
	memcpy((uint8_t *)&k + field->offset, value, a->n);
	v = field_read(field, &k);
	memcpy((uint8_t *)&k + field->offset, value + ROUND_UP(a->n, 8u), a->n);
	m = field_read(field, &k);
	str_addf(f->out, "set(%s=", field->name);
	field_format(field, &v, &m, f->out);
	str_add_char(f->out, ')');
}

static void format_mpls(const struct format *f, const struct act_mpls *a)
{
	if (a->op == ACT_POP_MPLS)
		str_addf(f->out, "pop_mpls(0x%04x)", a->eth_type);
	else
		str_addf(f->out, "push_mpls(type=0x%04x,label=%u,tc=%u,ttl=%u)",
			 a->eth_type, a->lse >> 12, a->lse >> 9 & 7u,
			 a->lse & 0xffu);
}

static void format_address(struct str *out, const char *name,
			   const struct ip_addr *a)
{
	char text[IP_STR_LEN];

	if (a->family)
		str_addf(out, ",%s=%s", name, ip_addr_format(a, text));
}

static void format_tunnel(const struct format *f, const struct act_tunnel *a)
{
	str_addf(f->out, "tunnel(id=%llu", (unsigned long long)a->id);
	format_address(f->out, "src", &a->src);
	format_address(f->out, "dst", &a->dst);
	if (a->tp_dst)
		str_addf(f->out, ",tp_dst=%u", a->tp_dst);
	if (a->tos)
		str_addf(f->out, ",tos=%u", a->tos);
	if (a->ttl)
		str_addf(f->out, ",ttl=%u", a->ttl);
	for (unsigned i = 0; i < 4; i++)
		if (a->flags >> i & 1)
			str_addf(f->out, ",%s", act_tunnel_flags[i]);
	if (a->options_len) {
		str_add(f->out, ",options=");
		format_hex(f->out, a + 1, a->options_len);
	}
	str_add_char(f->out, ')');
}

static void format_outer(const struct format *f, const struct act_outer *a)
{
	str_addf(f->out, "push_outer(%s,",
		 outer_kind_name((enum outer_kind)a->kind));
	format_hex(f->out, a + 1, a->n);
	str_add_char(f->out, ')');
}

static void format_punt(const struct format *f, const struct act_punt *a)
{
	unsigned n = ARRAY_SIZE(a->userdata);

	str_addf(f->out, "punt(%s",
		 punt_reason_name((enum punt_reason)a->reason));
	if (a->max_len)
		str_addf(f->out, ",max_len=%u", a->max_len);
	while (n && !a->userdata[n - 1])
		n--;
	for (unsigned i = 0; i < n; i++)
		str_addf(f->out, ",0x%x", a->userdata[i]);
	str_add_char(f->out, ')');
}

/* The shortest percentage that means just this probability. */
static void format_probability(struct str *out, uint32_t p)
{
	char text[32];

	for (int digits = 0; digits < 16; digits++) {
		snprintf(text, sizeof(text), "%.*f", digits,
			 (double)p / ACT_PROBABILITY_ONE * 100);
		if (act_probability(strtod(text, NULL)) == p)
			break;
	}
	str_addf(out, "p=%s%%", text);
}

/* "name(operand,list)", after "name(operand". */
static void format_nested(const struct format *f, const struct act *a)
{
	struct act_list nested = act_nested(a);

	if (nested.len && a->op != ACT_CLONE)
		str_add_char(f->out, ',');
	format_list(f, nested);
	str_add_char(f->out, ')');
}

/* flat table */
static void format_act(const struct format *f, const struct act *a)
{
	const struct act_u32 *u = (const void *)a;
	const struct act_vlan *vlan = (const void *)a;
	const struct act_eth *eth = (const void *)a;

	switch ((enum act_op)a->op) {
	case ACT_OUTPUT:
		format_port(f, u->value);
		break;
	case ACT_DROP:
		str_addf(f->out, "drop(%s)", drop_name((enum drop)u->value));
		break;
	case ACT_PUSH_VLAN:
		str_addf(f->out, "push_vlan(tpid=0x%04x,vid=%u,pcp=%u)",
			 vlan->tpid, vlan->tci & 0xfffu, vlan->tci >> 13);
		break;
	case ACT_PUSH_MPLS:
	case ACT_POP_MPLS:
		format_mpls(f, (const void *)a);
		break;
	case ACT_SET_FIELD:
		format_set(f, (const void *)a);
		break;
	case ACT_SET_ETH:
		str_add(f->out, "set_eth(");
		format_eth_pair(f, eth);
		str_add_char(f->out, ')');
		break;
	case ACT_PUSH_ETH:
		str_add(f->out, "push_eth(");
		format_eth_pair(f, eth);
		str_addf(f->out, ",type=0x%04x)", eth->eth_type);
		break;
	case ACT_SET_TUNNEL:
		format_tunnel(f, (const void *)a);
		break;
	case ACT_PUSH_OUTER:
		format_outer(f, (const void *)a);
		break;
	case ACT_TRUNCATE:
		str_addf(f->out, "truncate(%u)", u->value);
		break;
	case ACT_CLONE:
		str_add(f->out, "clone(");
		format_nested(f, a);
		break;
	case ACT_SAMPLE:
		str_add(f->out, "sample(");
		format_probability(f->out, u->value);
		format_nested(f, a);
		break;
	case ACT_METER:
		str_addf(f->out, "meter:%u", u->value);
		break;
	case ACT_CHECK_LEN:
		str_addf(f->out, "check_len(%u", u->value);
		format_nested(f, a);
		break;
	case ACT_PUNT:
		format_punt(f, (const void *)a);
		break;
	case ACT_RESUBMIT:
		str_addf(f->out, "resubmit(%u)", u->value);
		break;
	case ACT_POP_VLAN:
	case ACT_DEC_TTL:
	case ACT_POP_OUTER:
	case ACT_POP_ETH:
	case ACT_NORMAL:
	case ACT_CT:
	case ACT_NAT:
		str_add(f->out, act_op_name((enum act_op)a->op));
		break;
	case N_ACT_OPS:
		break;
	}
}

static void format_list(const struct format *f, struct act_list list)
{
	act_list_for_each(a, list) {
		if (a != list.first)
			str_add_char(f->out, ',');
		format_act(f, a);
	}
}

void acts_format(struct act_list list, const struct act_names *names,
		 struct str *out)
{
	struct format f = { names, out };

	format_list(&f, list);
}
