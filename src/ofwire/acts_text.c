/* SPDX-License-Identifier: Apache-2.0 */
#include "ofwire/acts_text.h"

#include <sys/socket.h>

#include "ofwire/oxm.h"

#define PRIORITY_DEFAULT 0x8000u
#define PACKET_TYPE_NEXT 0xfffeu /* decap: what the header says */
#define LOAD_BITS 64u

struct printer {
	struct str *out;
	const struct of_names *names;
};

const char *const of_hash_names[N_OF_HASH] = {
	"eth_src", "symmetric_l4", "symmetric_l3l4", "symmetric_l3l4+udp",
	"nw_src",  "nw_dst",       "symmetric_l3",
};
const char *const of_multipath_names[4] = { "modulo_n", "hash_threshold", "hrw",
					    "iter_hash" };
const char *const of_reason_names[6] = {
	"no_match",   "action", "invalid_ttl",
	"action_set", "group",  "packet_out",
};

const char *const of_port_names[9] = {
	"UNSET", "IN_PORT",    "TABLE", "NORMAL", "FLOOD",
	"ALL",   "CONTROLLER", "LOCAL", "NONE",
};

/* --- words --- */

void of_port_format(uint32_t port, const struct of_names *names,
		    struct str *out)
{
	const char *name =
		names && names->port ? names->port(names->ctx, port) : NULL;

	if (port >= OF_PORT_UNSET)
		name = of_port_names[port - OF_PORT_UNSET];
	if (name)
		str_add(out, name);
	else
		str_addf(out, "%u", port);
}

static void port(struct printer *p, uint32_t number)
{
	of_port_format(number, p->names, p->out);
}

static const char *field_name(uint16_t field)
{
	const struct oxm *oxm = oxm_find(field, OXM_NXM);

	return oxm ? oxm->name : field_get(field)->name;
}

/* Names as set_field has them: the field's older ones. */
static const char *short_name(uint16_t field)
{
	switch (field) {
	case FIELD_IP_PROTO:
	case FIELD_IP_TOS:
	case FIELD_IP_ECN:
	case FIELD_IP_TTL:
		return field_get(field)->alias;
	default:
		return field_get(field)->name;
	}
}

/* In older names a port has 16 bits. */
static unsigned sub_width(uint16_t field)
{
	return field == FIELD_IN_PORT ? 16 : field_get(field)->bits;
}

void of_sub_format(const struct of_sub *s, struct str *out)
{
	str_add(out, field_name(s->field));
	if (!s->ofs && s->n_bits == sub_width(s->field))
		str_add(out, "[]");
	else if (s->n_bits == 1)
		str_addf(out, "[%u]", s->ofs);
	else
		str_addf(out, "[%u..%u]", s->ofs, s->ofs + s->n_bits - 1u);
}

static void hex_dots(struct printer *p, const uint8_t *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		str_addf(p->out, "%s%02x", i ? "." : "", b[i]);
}

/* A value of any width, without leading zeros. */
static void hex_value(struct printer *p, const struct field_value *v)
{
	unsigned i = 0;

	while (i < FIELD_VALUE_MAX && !v->b[i])
		i++;
	if (i == FIELD_VALUE_MAX) {
		str_add_char(p->out, '0');
		return;
	}
	str_addf(p->out, "0x%x", v->b[i]);
	while (++i < FIELD_VALUE_MAX)
		str_addf(p->out, "%02x", v->b[i]);
}

/* Takes a comma off the end. */
static void chomp(struct printer *p)
{
	if (p->out->len && p->out->s[p->out->len - 1] == ',')
		str_truncate(p->out, p->out->len - 1);
}

static void close_list(struct printer *p)
{
	chomp(p);
	str_add_char(p->out, ')');
}

/* --- actions --- */

static void print_controller(struct printer *p,
			     const struct of_act_controller *a)
{
	if (a->reason == 1 && !a->id && !a->userdata_len && !a->pause &&
	    a->meter == OF_CONTROLLER_NO_METER) {
		str_addf(p->out, "CONTROLLER:%u", a->max_len);
		return;
	}
	str_add(p->out, "controller(");
	if (a->reason != 1 && a->reason < ARRAY_SIZE(of_reason_names))
		str_addf(p->out, "reason=%s,", of_reason_names[a->reason]);
	else if (a->reason != 1)
		str_addf(p->out, "reason=%u,", a->reason);
	if (a->max_len != UINT16_MAX)
		str_addf(p->out, "max_len=%u,", a->max_len);
	if (a->id)
		str_addf(p->out, "id=%u,", a->id);
	if (a->userdata_len) {
		str_add(p->out, "userdata=");
		hex_dots(p, a->userdata, a->userdata_len);
		str_add_char(p->out, ',');
	}
	if (a->pause)
		str_add(p->out, "pause,");
	if (a->meter != OF_CONTROLLER_NO_METER)
		str_addf(p->out, "meter_id=%u,", a->meter);
	close_list(p);
}

static void print_bundle(struct printer *p, const struct of_act_bundle *a)
{
	str_addf(p->out, "%s(%s,%u,%s,ofport,",
		 a->dst.n_bits ? "bundle_load" : "bundle",
		 of_hash_names[a->fields], a->basis,
		 a->algorithm == OF_BUNDLE_HRW ? "hrw" : "active_backup");
	if (a->dst.n_bits) {
		of_sub_format(&a->dst, p->out);
		str_add_char(p->out, ',');
	}
	str_add(p->out, "members:");
	for (unsigned i = 0; i < a->n; i++) {
		port(p, a->ports[i]);
		str_add_char(p->out, ',');
	}
	close_list(p);
}

static bool bit(const struct field_value *v, unsigned i)
{
	return v->b[FIELD_VALUE_MAX - 1 - i / 8] >> (i % 8) & 1;
}

/* As many loads as the mask has runs of at most 64 ones. */
static void print_loads(struct printer *p, const struct of_act_set *a)
{
	struct of_sub s = { .field = a->field };
	unsigned bits = field_get(a->field)->bits, i = 0;

	while (i < bits) {
		uint64_t v = 0;

		if (!bit(&a->mask, i)) {
			i++;
			continue;
		}
		s.ofs = (uint16_t)i;
		while (i < bits && i - s.ofs < LOAD_BITS && bit(&a->mask, i)) {
			v |= (uint64_t)bit(&a->value, i) << (i - s.ofs);
			i++;
		}
		s.n_bits = (uint16_t)(i - s.ofs);
		str_addf(p->out, v ? "load:0x%lx->" : "load:%lu->", v);
		of_sub_format(&s, p->out);
		str_add_char(p->out, ',');
	}
	chomp(p);
}

static void print_set(struct printer *p, const struct of_act_set *a)
{
	const struct field *f = field_get(a->field);

	if (a->load == 1) {
		print_loads(p, a);
		return;
	}
	str_add(p->out, "set_field:");
	if (a->field == FIELD_VLAN_VID)
		str_addf(p->out, "%lu",
			 field_to_u64(&a->value) | KEY_VLAN_PRESENT);
	else
		field_format(f, &a->value, &a->mask, p->out);
	str_addf(p->out, "->%s", short_name(a->field));
}

static void print_ids(struct printer *p, const struct of_act_ids *a)
{
	str_add(p->out, "dec_ttl");
	if (!a->n)
		return;
	str_add_char(p->out, '(');
	for (unsigned i = 0; i < a->n; i++)
		str_addf(p->out, "%u,", a->ids[i]);
	close_list(p);
}

static void print_resubmit(struct printer *p, const struct of_act_resubmit *a)
{
	if (a->port != OF_PORT_IN_PORT && a->table == OF_TABLE_ALL) {
		str_add(p->out, "resubmit:");
		port(p, a->port);
		return;
	}
	str_add(p->out, "resubmit(");
	if (a->port != OF_PORT_IN_PORT)
		port(p, a->port);
	str_add_char(p->out, ',');
	if (a->table != OF_TABLE_ALL)
		str_addf(p->out, "%u", a->table);
	str_add(p->out, a->ct ? ",ct)" : ")");
}

static void print_spec_match(struct printer *p, const struct of_learn_spec *s)
{
	const struct field *f = field_get(s->dst.field);

	if (!s->immediate) {
		of_sub_format(&s->dst, p->out);
		if (!memcmp(&s->src, &s->dst, sizeof(s->src)))
			return;
		str_add_char(p->out, '=');
		of_sub_format(&s->src, p->out);
	} else if (!s->dst.ofs && s->dst.n_bits == f->bits) {
		struct field_value ones = field_all_ones(f);

		str_addf(p->out, "%s=", short_name(s->dst.field));
		field_format(f, &s->imm, &ones, p->out);
	} else {
		of_sub_format(&s->dst, p->out);
		str_add_char(p->out, '=');
		hex_value(p, &s->imm);
	}
}

static void print_spec(struct printer *p, const struct of_learn_spec *s)
{
	str_add_char(p->out, ',');
	if (s->dst_kind == OF_LEARN_MATCH) {
		print_spec_match(p, s);
		return;
	}
	str_add(p->out, s->dst_kind == OF_LEARN_LOAD ? "load:" : "output:");
	if (s->immediate)
		hex_value(p, &s->imm);
	else
		of_sub_format(&s->src, p->out);
	if (s->dst_kind == OF_LEARN_OUTPUT)
		return;
	str_add(p->out, "->");
	of_sub_format(&s->dst, p->out);
}

static void print_learn(struct printer *p, const struct of_act_learn *a)
{
	str_addf(p->out, "learn(table=%u", a->table);
	if (a->idle)
		str_addf(p->out, ",idle_timeout=%u", a->idle);
	if (a->hard)
		str_addf(p->out, ",hard_timeout=%u", a->hard);
	if (a->fin_idle)
		str_addf(p->out, ",fin_idle_timeout=%u", a->fin_idle);
	if (a->fin_hard)
		str_addf(p->out, ",fin_hard_timeout=%u", a->fin_hard);
	if (a->priority != PRIORITY_DEFAULT)
		str_addf(p->out, ",priority=%u", a->priority);
	if (a->flags & OF_LEARN_SEND_FLOW_REM)
		str_add(p->out, ",send_flow_rem");
	if (a->flags & OF_LEARN_DELETE)
		str_add(p->out, ",delete_learned");
	if (a->cookie)
		str_addf(p->out, ",cookie=0x%lx", a->cookie);
	if (a->limit)
		str_addf(p->out, ",limit=%u", a->limit);
	if (a->flags & OF_LEARN_WRITE_RESULT) {
		str_add(p->out, ",result_dst=");
		of_sub_format(&a->result, p->out);
	}
	for (unsigned i = 0; i < a->n; i++)
		print_spec(p, &a->specs[i]);
	str_add_char(p->out, ')');
}

static void print_multipath(struct printer *p, const struct of_act_multipath *a)
{
	str_addf(p->out, "multipath(%s,%u,%s,%u,%u,", of_hash_names[a->fields],
		 a->basis, of_multipath_names[a->algorithm], a->max_link + 1u,
		 a->arg);
	of_sub_format(&a->dst, p->out);
	str_add_char(p->out, ')');
}

static void print_sample(struct printer *p, const struct of_act_sample *a)
{
	str_addf(p->out,
		 "sample(probability=%u,collector_set_id=%u,"
		 "obs_domain_id=%u,obs_point_id=%u",
		 a->probability, a->collector, a->domain, a->point);
	if (a->port != OF_PORT_NONE) {
		str_add(p->out, ",sampling_port=");
		port(p, a->port);
	}
	if (a->direction)
		str_add(p->out, a->direction == 1 ? ",ingress" : ",egress");
	str_add_char(p->out, ')');
}

static void print_fin(struct printer *p, const struct of_act_fin *a)
{
	str_add(p->out, "fin_timeout(");
	if (a->idle)
		str_addf(p->out, "idle_timeout=%u,", a->idle);
	if (a->hard)
		str_addf(p->out, "hard_timeout=%u,", a->hard);
	close_list(p);
}

static void print_encap(struct printer *p, const struct of_act_encap *a)
{
	struct cursor c = cursor_init(a->props, a->n);

	str_addf(p->out, "encap(%s",
		 !a->packet_type           ? "ethernet" :
		 a->packet_type == 0x1894f ? "nsh" :
		 a->packet_type == 0x18847 ? "mpls" :
					     "mpls_mc");
	if (a->n)
		str_add_char(p->out, '(');
	while (cursor_left(&c) >= 5) {
		uint8_t type, len;
		struct cursor body;

		cursor_skip(&c, 2);
		type = cursor_u8(&c);
		len = cursor_u8(&c);
		body = cursor_sub(&c, ROUND_UP(MAX(len, 4u), 8u) - 4u);
		if (type == 1) {
			str_addf(p->out, "md_type=%u,", cursor_u8(&body));
			continue;
		}
		str_addf(p->out, "tlv(0x%04x,", cursor_u16(&body));
		str_addf(p->out, "%u,0x", cursor_u8(&body));
		for (uint8_t n = cursor_u8(&body); n && !body.failed; n--)
			str_addf(p->out, "%02x", cursor_u8(&body));
		str_add(p->out, "),");
	}
	chomp(p);
	str_add(p->out, a->n ? "))" : ")");
}

static void print_address(struct printer *p, const struct of_act_nat *a,
			  const struct ip6_addr *ip)
{
	char buf[IP_STR_LEN];
	bool brackets = a->family == AF_INET6 && a->port_min;

	if (a->family == AF_INET)
		str_add(p->out, ip4_format(get_be32(ip->b), buf));
	else
		str_addf(p->out, brackets ? "[%s]" : "%s",
			 ip6_addr_format(*ip, buf));
}

static void print_nat(struct printer *p, const struct of_act_nat *a)
{
	bool range =
		!ip6_addr_is_zero(a->max) && !ip6_addr_equal(a->min, a->max);

	str_add(p->out, "nat");
	if (!(a->flags & (OF_NAT_SRC | OF_NAT_DST)))
		return;
	str_add(p->out, a->flags & OF_NAT_SRC ? "(src" : "(dst");
	if (a->family) {
		str_add_char(p->out, '=');
		print_address(p, a, &a->min);
		if (range) {
			str_add_char(p->out, '-');
			print_address(p, a, &a->max);
		}
		if (a->port_min)
			str_addf(p->out, ":%u", a->port_min);
		if (a->port_min && a->port_max && a->port_max != a->port_min)
			str_addf(p->out, "-%u", a->port_max);
		str_add_char(p->out, ',');
		if (a->flags & OF_NAT_PERSISTENT)
			str_add(p->out, "persistent,");
		if (a->flags & OF_NAT_HASH)
			str_add(p->out, "hash,");
		if (a->flags & OF_NAT_RANDOM)
			str_add(p->out, "random,");
	}
	close_list(p);
}

static void print_list(struct printer *p, struct of_act_list list);

static void print_ct_inner(struct printer *p, struct of_act_list inner)
{
	/* A translation that stands first stands outside of exec(). */
	if (inner.len && inner.first->kind == OFA_NAT) {
		size_t n = inner.first->len;

		print_nat(p, (const void *)inner.first);
		str_add_char(p->out, ',');
		inner.first = (const void *)((const char *)inner.first + n);
		inner.len -= n;
	}
	if (!inner.len)
		return;
	str_add(p->out, "exec(");
	print_list(p, inner);
	str_add(p->out, "),");
}

static void print_ct(struct printer *p, const struct of_act_ct *a)
{
	str_add(p->out, "ct(");
	if (a->flags & OF_CT_COMMIT)
		str_add(p->out, "commit,");
	if (a->flags & OF_CT_FORCE)
		str_add(p->out, "force,");
	if (a->table != OF_CT_NO_TABLE)
		str_addf(p->out, "table=%u,", a->table);
	if (a->zone_src.n_bits) {
		str_add(p->out, "zone=");
		of_sub_format(&a->zone_src, p->out);
		str_add_char(p->out, ',');
	} else if (a->zone) {
		str_addf(p->out, "zone=%u,", a->zone);
	}
	print_ct_inner(p, of_act_nested(&a->h));
	if (a->alg == 21)
		str_add(p->out, "alg=ftp,");
	else if (a->alg == 69)
		str_add(p->out, "alg=tftp,");
	else if (a->alg)
		str_addf(p->out, "alg=%u,", a->alg);
	close_list(p);
}

/* --- actions of one number --- */

static const struct {
	uint16_t kind;
	const char *format; /* of an unsigned long */
} numbers[] = {
	{ OFA_GROUP, "group:%lu" },
	{ OFA_PUSH_VLAN, "push_vlan:0x%04lx" },
	{ OFA_SET_IP_TOS, "mod_nw_tos:%lu" },
	{ OFA_SET_IP_ECN, "mod_nw_ecn:%lu" },
	{ OFA_SET_IP_TTL, "mod_nw_ttl:%lu" },
	{ OFA_SET_MPLS_LABEL, "set_mpls_label(%lu)" },
	{ OFA_SET_MPLS_TC, "set_mpls_tc(%lu)" },
	{ OFA_SET_MPLS_TTL, "set_mpls_ttl(%lu)" },
	{ OFA_PUSH_MPLS, "push_mpls:0x%04lx" },
	{ OFA_POP_MPLS, "pop_mpls:0x%04lx" },
	{ OFA_PUSH_PBB, "push_pbb:0x%04lx" },
	{ OFA_SET_QUEUE, "set_queue:%lu" },
	{ OFA_METER, "meter:%lu" },
	{ OFA_GOTO_TABLE, "goto_table:%lu" },
};

static const struct {
	uint16_t kind;
	const char *word;
} words[] = {
	{ OFA_COPY_TTL_OUT, "copy_ttl_out" },
	{ OFA_COPY_TTL_IN, "copy_ttl_in" },
	{ OFA_DEC_MPLS_TTL, "dec_mpls_ttl" },
	{ OFA_POP_PBB, "pop_pbb" },
	{ OFA_POP_QUEUE, "pop_queue" },
	{ OFA_EXIT, "exit" },
	{ OFA_DEC_NSH_TTL, "dec_nsh_ttl" },
	{ OFA_CT_CLEAR, "ct_clear" },
	{ OFA_CLEAR_ACTIONS, "clear_actions" },
};

static bool print_simple(struct printer *p, const struct of_act *a)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (words[i].kind == a->kind) {
			str_add(p->out, words[i].word);
			return true;
		}
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (numbers[i].kind == a->kind) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			str_addf(p->out, numbers[i].format,
				 ((const struct of_act_int *)(const void *)a)
					 ->v);
#pragma GCC diagnostic pop
			return true;
		}
	return false;
}

static void print_number_as(struct printer *p, const struct of_act *a)
{
	const struct of_act_int *n = (const void *)a;
	const struct of_act_mac *m = (const void *)a;
	const struct of_act_vlan *v = (const void *)a;
	const struct of_act_tp *t = (const void *)a;
	char buf[IP_STR_LEN];

	switch (a->kind) {
	case OFA_SET_ETH_SRC:
	case OFA_SET_ETH_DST:
		str_addf(p->out, "mod_dl_%s:%s",
			 a->kind == OFA_SET_ETH_SRC ? "src" : "dst",
			 eth_addr_format(m->mac, buf));
		return;
	case OFA_SET_IP4_SRC:
	case OFA_SET_IP4_DST:
		str_addf(p->out, "mod_nw_%s:%s",
			 a->kind == OFA_SET_IP4_SRC ? "src" : "dst",
			 ip4_format((uint32_t)n->v, buf));
		return;
	case OFA_SET_VLAN_VID:
	case OFA_SET_VLAN_PCP:
		str_addf(p->out, "%s_vlan_%s:%u", v->push ? "mod" : "set",
			 a->kind == OFA_SET_VLAN_VID ? "vid" : "pcp", v->v);
		return;
	case OFA_SET_TP_SRC:
	case OFA_SET_TP_DST:
		str_addf(p->out, "mod_tp_%s:%u",
			 a->kind == OFA_SET_TP_SRC ? "src" : "dst", t->v);
		return;
	case OFA_DECAP:
		if (n->v == PACKET_TYPE_NEXT)
			str_add(p->out, "decap()");
		else
			str_addf(p->out, "decap(packet_type(ns=%lu,type=%#lx))",
				 n->v >> 16, n->v & 0xffff);
		return;
	default:
		str_addf(p->out, "%s?", of_act_kind_name(a->kind));
	}
}

static void print_parts(struct printer *p, const struct of_act *a)
{
	const struct of_act_move *m = (const void *)a;
	const struct of_act_sub *s = (const void *)a;
	const struct of_act_output_reg *r = (const void *)a;
	const struct of_act_larger *l = (const void *)a;

	switch (a->kind) {
	case OFA_MOVE:
		str_add(p->out, "move:");
		of_sub_format(&m->src, p->out);
		str_add(p->out, "->");
		of_sub_format(&m->dst, p->out);
		return;
	case OFA_STACK_PUSH:
	case OFA_STACK_POP:
		str_add(p->out, a->kind == OFA_STACK_PUSH ? "push:" : "pop:");
		of_sub_format(&s->sub, p->out);
		return;
	case OFA_OUTPUT_REG:
		str_add(p->out, "output:");
		of_sub_format(&r->src, p->out);
		return;
	case OFA_CHECK_LARGER:
		str_addf(p->out, "check_pkt_larger(%u)->", l->len);
		of_sub_format(&l->dst, p->out);
		return;
	default:
		print_number_as(p, a);
	}
}

static void print_outputs(struct printer *p, const struct of_act *a)
{
	const struct of_act_output *o = (const void *)a;
	const struct of_act_enqueue *e = (const void *)a;
	const struct of_act_trunc *t = (const void *)a;

	if (a->kind == OFA_ENQUEUE) {
		str_add(p->out, "enqueue:");
		port(p, e->port);
		str_addf(p->out, ":%u", e->queue);
	} else if (a->kind == OFA_OUTPUT_TRUNC) {
		str_add(p->out, "output(port=");
		port(p, t->port);
		str_addf(p->out, ",max_len=%u)", t->max_len);
	} else {
		if (o->port < OF_PORT_MAX)
			str_add(p->out, "output:");
		port(p, o->port);
	}
}

static void print_misc(struct printer *p, const struct of_act *a)
{
	const struct of_act_metadata *md = (const void *)a;
	const struct of_act_tunnel *t = (const void *)a;
	const struct of_act_conjunction *c = (const void *)a;
	const struct of_act_note *n = (const void *)a;
	const struct of_act_delete *d = (const void *)a;

	switch (a->kind) {
	case OFA_SET_TUNNEL:
		str_addf(p->out, "set_tunnel%s:0x%lx",
			 t->wide || t->id > UINT32_MAX ? "64" : "", t->id);
		return;
	case OFA_CONJUNCTION:
		str_addf(p->out, "conjunction(%u,%u/%u)", c->id, c->clause + 1u,
			 c->n_clauses);
		return;
	case OFA_NOTE:
		str_add(p->out, "note:");
		hex_dots(p, n->data, n->n);
		return;
	case OFA_DELETE_FIELD:
		str_addf(p->out, "delete_field:%s", short_name(d->field));
		return;
	case OFA_STRIP_VLAN:
		str_add(p->out, a->form ? "pop_vlan" : "strip_vlan");
		return;
	case OFA_WRITE_METADATA:
		str_addf(p->out, "write_metadata:0x%lx", md->value);
		if (md->mask != UINT64_MAX)
			str_addf(p->out, "/0x%lx", md->mask);
		return;
	default:
		print_parts(p, a);
	}
}

static void print_act(struct printer *p, const struct of_act *a)
{
	const void *any = a;

	switch (a->kind) {
	case OFA_OUTPUT:
	case OFA_ENQUEUE:
	case OFA_OUTPUT_TRUNC:
		print_outputs(p, a);
		return;
	case OFA_CONTROLLER:
		print_controller(p, any);
		return;
	case OFA_BUNDLE:
		print_bundle(p, any);
		return;
	case OFA_SET_FIELD:
		print_set(p, any);
		return;
	case OFA_DEC_TTL:
		print_ids(p, any);
		return;
	case OFA_FIN_TIMEOUT:
		print_fin(p, any);
		return;
	case OFA_RESUBMIT:
		print_resubmit(p, any);
		return;
	case OFA_LEARN:
		print_learn(p, any);
		return;
	case OFA_MULTIPATH:
		print_multipath(p, any);
		return;
	case OFA_SAMPLE:
		print_sample(p, any);
		return;
	case OFA_ENCAP:
		print_encap(p, any);
		return;
	case OFA_CT:
		print_ct(p, any);
		return;
	case OFA_NAT:
		print_nat(p, any);
		return;
	case OFA_CLONE:
	case OFA_WRITE_ACTIONS:
		str_add(p->out,
			a->kind == OFA_CLONE ? "clone(" : "write_actions(");
		print_list(p, of_act_nested(a));
		str_add_char(p->out, ')');
		return;
	default:
		print_misc(p, a);
	}
}

static void print_list(struct printer *p, struct of_act_list list)
{
	size_t start = p->out->len;

	of_act_for_each(a, list) {
		if (p->out->len > start)
			str_add_char(p->out, ',');
		if (!print_simple(p, a))
			print_act(p, a);
	}
}

void of_acts_format(struct of_act_list list, const struct of_names *names,
		    struct str *out)
{
	struct printer p = { out, names };

	if (list.len)
		print_list(&p, list);
	else
		str_add(out, "drop");
}
