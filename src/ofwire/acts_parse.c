/* SPDX-License-Identifier: Apache-2.0 */
#include "ofwire/acts_text.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>

#include "ofwire/act_parse.h"
#include "ofwire/oxm.h"

/* --- words --- */

bool act_number(const char *text, uint64_t max, uint64_t *v)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*v = strtoull(text, &end, 0);
	return !errno && !*end && *v <= max;
}

bool of_port_parse(const char *text, const struct of_names *names,
		   uint32_t *port)
{
	uint64_t v;

	for (unsigned i = 0; i < ARRAY_SIZE(of_port_names); i++)
		if (!strcasecmp(text, of_port_names[i])) {
			*port = OF_PORT_UNSET + i;
			return true;
		}
	if (act_number(text, UINT32_MAX, &v)) {
		*port = v <= UINT16_MAX ? of_port_from_16((uint16_t)v) :
					  (uint32_t)v;
		return true;
	}
	return names && names->number && names->number(names->ctx, text, port);
}

int act_wrong(struct act_parser *p, const char *what, const char *text)
{
	return err_set(p->e, "%s: \"%s\" is not %s; see ovs-actions(7)",
		       p->word, text, what);
}

char *act_item(char **list)
{
	char *start = *list, *s = start;
	unsigned depth = 0;

	while (*s == ',' || *s == ' ')
		start = ++s;
	if (!*s)
		return NULL;
	for (; *s && (depth || *s != ','); s++) {
		depth += *s == '(';
		depth -= *s == ')' && depth;
	}
	*list = *s ? s + 1 : s;
	*s = '\0';
	return start;
}

char *act_value(char *item)
{
	char *s = item + strcspn(item, ":=(");
	char *end;

	if (!*s)
		return s;
	if (*s == '(') {
		end = strrchr(s, ')');
		if (end)
			*end = '\0';
	}
	*s = '\0';
	return s + 1;
}

char *act_split(char *text, const char *mark)
{
	char *at = strstr(text, mark);

	if (!at)
		return NULL;
	*at = '\0';
	return at + strlen(mark);
}

int act_sub(struct act_parser *p, char *text, bool written, struct of_sub *s)
{
	char *range = strchr(text, '['), *high;
	uint64_t from = 0, to = 0;
	int id;

	if (range)
		*range++ = '\0';
	id = oxm_field_by_name(text);
	if (id < 0)
		return act_wrong(p, "a field", text);
	s->field = (uint16_t)id;
	s->ofs = 0;
	s->n_bits =
		id == FIELD_IN_PORT ? 16 : field_get((enum field_id)id)->bits;
	if (range && *range != ']') {
		range[strcspn(range, "]")] = '\0';
		high = act_split(range, "..");
		if (!act_number(range, 1023, &from) ||
		    (high && !act_number(high, 1023, &to)) ||
		    (high && to < from))
			return act_wrong(p, "a range of bits", range);
		s->ofs = (uint16_t)from;
		s->n_bits = (uint16_t)(high ? to - from + 1 : 1);
	}
	if (act_sub_check(s, written))
		return act_wrong(p, "bits of a field that can be used so",
				 text);
	return 0;
}

int act_sub_short(struct act_parser *p, char *text, bool written,
		  struct of_sub *s)
{
	if (act_sub(p, text, written, s))
		return -EINVAL;
	return s->n_bits <= 64 ? 0 : act_wrong(p, "64 bits at most", text);
}

/* --- actions of one number, and of none --- */

static const struct {
	const char *word;
	uint16_t kind;
	uint64_t max;
} numbers[] = {
	{ "group", OFA_GROUP, UINT32_MAX },
	{ "push_vlan", OFA_PUSH_VLAN, UINT16_MAX },
	{ "mod_nw_tos", OFA_SET_IP_TOS, UINT8_MAX },
	{ "mod_nw_ecn", OFA_SET_IP_ECN, 3 },
	{ "mod_nw_ttl", OFA_SET_IP_TTL, UINT8_MAX },
	{ "set_mpls_label", OFA_SET_MPLS_LABEL, 0xfffff },
	{ "set_mpls_tc", OFA_SET_MPLS_TC, 7 },
	{ "set_mpls_ttl", OFA_SET_MPLS_TTL, UINT8_MAX },
	{ "push_mpls", OFA_PUSH_MPLS, UINT16_MAX },
	{ "pop_mpls", OFA_POP_MPLS, UINT16_MAX },
	{ "push_pbb", OFA_PUSH_PBB, UINT16_MAX },
	{ "set_queue", OFA_SET_QUEUE, UINT32_MAX },
	{ "meter", OFA_METER, UINT32_MAX },
	{ "goto_table", OFA_GOTO_TABLE, 254 },
};

static const struct {
	const char *word;
	uint16_t kind;
} words[] = {
	{ "copy_ttl_out", OFA_COPY_TTL_OUT },
	{ "copy_ttl_in", OFA_COPY_TTL_IN },
	{ "dec_mpls_ttl", OFA_DEC_MPLS_TTL },
	{ "pop_pbb", OFA_POP_PBB },
	{ "pop_queue", OFA_POP_QUEUE },
	{ "exit", OFA_EXIT },
	{ "dec_nsh_ttl", OFA_DEC_NSH_TTL },
	{ "ct_clear", OFA_CT_CLEAR },
	{ "clear_actions", OFA_CLEAR_ACTIONS },
	{ "strip_vlan", OFA_STRIP_VLAN },
	{ "pop_vlan", OFA_STRIP_VLAN },
};

/* 1: it is none of these. */
static int parse_simple(struct act_parser *p, const char *value)
{
	struct of_act *a;
	uint64_t v;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcasecmp(p->word, words[i].word)) {
			a = of_acts_add(p->out, words[i].kind, 0);
			a->form = !strcasecmp(p->word, "pop_vlan");
			return 0;
		}
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (!strcasecmp(p->word, numbers[i].word)) {
			if (!act_number(value, numbers[i].max, &v))
				return act_wrong(p, "a number it can have",
						 value);
			of_acts_int(p->out, numbers[i].kind, v);
			return 0;
		}
	return 1;
}

/* --- fields --- */

static int parse_move(struct act_parser *p, char *value)
{
	char *to = act_split(value, "->");
	struct of_sub src = { 0 }, dst = { 0 };
	struct of_act_move *a;

	if (!to)
		return act_wrong(p, "SOURCE->DESTINATION", value);
	if (act_sub(p, value, false, &src) || act_sub(p, to, true, &dst))
		return -EINVAL;
	if (src.n_bits != dst.n_bits)
		return err_set(p->e, "move: %u bits do not fit %u", src.n_bits,
			       dst.n_bits);
	a = of_acts_add(p->out, OFA_MOVE, 0);
	a->src = src;
	a->dst = dst;
	return 0;
}

static int parse_load(struct act_parser *p, char *value)
{
	char *to = act_split(value, "->");
	struct of_sub dst = { 0 };
	struct of_act_set *a;
	uint64_t v;

	if (!to)
		return act_wrong(p, "VALUE->FIELD", value);
	if (act_sub(p, to, true, &dst))
		return -EINVAL;
	if (!act_number(value, UINT64_MAX, &v) ||
	    (dst.n_bits < 64 && v >> dst.n_bits))
		return act_wrong(p, "a number of that many bits", value);
	a = of_acts_add(p->out, OFA_SET_FIELD, 0);
	a->field = dst.field;
	a->load = 1;
	act_bits_put(&a->value, dst.ofs, dst.n_bits, v);
	for (unsigned i = 0; i < dst.n_bits; i++)
		act_bits_put(&a->mask, dst.ofs + i, 1, 1);
	return 0;
}

static int parse_set_field(struct act_parser *p, char *value)
{
	char *to = act_split(value, "->");
	struct field_value v, mask;
	struct of_act_set *a;
	char vid[24];
	uint64_t n;
	int id;

	if (!to)
		return act_wrong(p, "VALUE->FIELD", value);
	id = oxm_field_by_name(to);
	if (id < 0 || !field_get((enum field_id)id)->settable)
		return act_wrong(p, "a field that can be set", to);
	/* Presence is part of the word, and not of the field. */
	if (id == FIELD_VLAN_VID && act_number(value, 0x1fff, &n)) {
		snprintf(vid, sizeof(vid), "%u", (unsigned)n & 0xfffu);
		value = vid;
	}
	if (field_parse(field_get((enum field_id)id), value, &v, &mask, p->e))
		return -EINVAL;
	a = of_acts_add(p->out, OFA_SET_FIELD, 0);
	a->field = (uint16_t)id;
	a->value = v;
	a->mask = mask;
	return 0;
}

static int parse_stack(struct act_parser *p, char *value)
{
	bool pop = !strcasecmp(p->word, "pop");
	struct of_act_sub *a;
	struct of_sub s = { 0 };

	if (act_sub(p, value, pop, &s))
		return -EINVAL;
	a = of_acts_add(p->out, pop ? OFA_STACK_POP : OFA_STACK_PUSH, 0);
	a->sub = s;
	return 0;
}

static int parse_delete(struct act_parser *p, char *value)
{
	int id = oxm_field_by_name(value);
	struct of_act_delete *a;

	if (id < 0)
		return act_wrong(p, "a field", value);
	a = of_acts_add(p->out, OFA_DELETE_FIELD, 0);
	a->field = (uint16_t)id;
	return 0;
}

static int parse_mod(struct act_parser *p, char *value)
{
	bool src = !strcasecmp(p->word + 7, "src");
	struct of_act_mac *mac;
	struct of_act_tp *tp;
	struct ip_addr ip;
	struct eth_addr eth;
	uint64_t v;

	if (!strncasecmp(p->word, "mod_dl", 6)) {
		if (eth_addr_parse(value, &eth))
			return act_wrong(p, "an Ethernet address", value);
		mac = of_acts_add(p->out,
				  src ? OFA_SET_ETH_SRC : OFA_SET_ETH_DST, 0);
		mac->mac = eth;
	} else if (!strncasecmp(p->word, "mod_nw", 6)) {
		if (ip_addr_parse(value, &ip) || !ip_addr_is_ip4(&ip))
			return act_wrong(p, "an IPv4 address", value);
		of_acts_int(p->out, src ? OFA_SET_IP4_SRC : OFA_SET_IP4_DST,
			    ip_addr_ip4(&ip));
	} else {
		if (!act_number(value, UINT16_MAX, &v))
			return act_wrong(p, "a port number", value);
		tp = of_acts_add(p->out, src ? OFA_SET_TP_SRC : OFA_SET_TP_DST,
				 0);
		tp->v = (uint16_t)v;
	}
	return 0;
}

static int parse_vlan(struct act_parser *p, char *value)
{
	bool vid = !strcasecmp(p->word + 9, "vid");
	struct of_act_vlan *a;
	uint64_t v;

	if (!act_number(value, vid ? 0xfff : 7, &v))
		return act_wrong(p, vid ? "a VLAN id" : "a priority", value);
	a = of_acts_add(p->out, vid ? OFA_SET_VLAN_VID : OFA_SET_VLAN_PCP, 0);
	a->v = (uint16_t)v;
	a->push = !strncasecmp(p->word, "mod", 3);
	return 0;
}

/* --- outputs --- */

static int parse_output(struct act_parser *p, char *value)
{
	struct of_act_output_reg *r;
	struct of_act_trunc *t;
	uint64_t max_len = 0;
	uint32_t port = 0;
	struct of_sub s = { 0 };
	char *item;

	if (strchr(value, '[')) {
		if (act_sub_short(p, value, false, &s))
			return -EINVAL;
		r = of_acts_add(p->out, OFA_OUTPUT_REG, 0);
		r->src = s;
		r->max_len = UINT16_MAX;
		return 0;
	}
	if (!strchr(value, '=')) {
		if (!of_port_parse(value, p->names, &port))
			return act_wrong(p, "a port", value);
		of_acts_output(p->out, port, 0);
		return 0;
	}
	while ((item = act_item(&value))) {
		char *v = act_value(item);

		if (!strcasecmp(item, "port") ?
			    !of_port_parse(v, p->names, &port) :
			    !act_number(v, UINT32_MAX, &max_len))
			return act_wrong(p, "port=PORT,max_len=BYTES", v);
	}
	t = of_acts_add(p->out, OFA_OUTPUT_TRUNC, 0);
	t->port = port;
	t->max_len = (uint32_t)max_len;
	return 0;
}

static int parse_enqueue(struct act_parser *p, char *value)
{
	char *queue = strpbrk(value, ":,");
	struct of_act_enqueue *a;
	uint32_t port;
	uint64_t v;

	if (!queue)
		return act_wrong(p, "PORT:QUEUE", value);
	*queue++ = '\0';
	if (!of_port_parse(value, p->names, &port) ||
	    !act_number(queue, UINT32_MAX, &v))
		return act_wrong(p, "a port and a queue", value);
	a = of_acts_add(p->out, OFA_ENQUEUE, 0);
	a->port = port;
	a->queue = (uint32_t)v;
	return 0;
}

static int parse_resubmit(struct act_parser *p, char *value)
{
	char *table = strchr(value, ','), *ct = NULL;
	struct of_act_resubmit *a = of_acts_add(p->out, OFA_RESUBMIT, 0);
	uint64_t v = OF_TABLE_ALL;

	a->port = OF_PORT_IN_PORT;
	a->plain = !table;
	if (table) {
		*table++ = '\0';
		ct = strchr(table, ',');
		if (ct)
			*ct++ = '\0';
		a->ct = ct && !strcasecmp(ct, "ct");
	}
	if (*value && !of_port_parse(value, p->names, &a->port))
		return act_wrong(p, "a port", value);
	if (table && *table && !act_number(table, 254, &v))
		return act_wrong(p, "a table", table);
	a->table = (uint8_t)v;
	return 0;
}

static int parse_tunnel(struct act_parser *p, char *value)
{
	bool wide = !strcasecmp(p->word, "set_tunnel64");
	struct of_act_tunnel *a;
	uint64_t v;

	if (!act_number(value, UINT64_MAX, &v))
		return act_wrong(p, "a tunnel id", value);
	a = of_acts_add(p->out, OFA_SET_TUNNEL, 0);
	a->id = v;
	a->wide = wide || v > UINT32_MAX;
	return 0;
}

static int parse_metadata(struct act_parser *p, char *value)
{
	char *slash = act_split(value, "/");
	uint64_t v, mask = UINT64_MAX;
	struct of_act_metadata *a;

	if (!act_number(value, UINT64_MAX, &v) ||
	    (slash && !act_number(slash, UINT64_MAX, &mask)))
		return act_wrong(p, "VALUE or VALUE/MASK", value);
	a = of_acts_add(p->out, OFA_WRITE_METADATA, 0);
	a->value = v;
	a->mask = mask;
	return 0;
}

static int parse_nested(struct act_parser *p, char *value)
{
	size_t at = p->out->len;

	of_acts_add(p->out,
		    !strcasecmp(p->word, "clone") ? OFA_CLONE :
						    OFA_WRITE_ACTIONS,
		    0);
	if (act_list(p, value))
		return -EINVAL;
	of_acts_end(p->out, at);
	return 0;
}

/* --- dispatch --- */

static const struct {
	const char *word;
	act_parse_fn *fn;
} parsers[] = {
	{ "output", parse_output },
	{ "enqueue", parse_enqueue },
	{ "move", parse_move },
	{ "load", parse_load },
	{ "set_field", parse_set_field },
	{ "push", parse_stack },
	{ "pop", parse_stack },
	{ "delete_field", parse_delete },
	{ "mod_dl_src", parse_mod },
	{ "mod_dl_dst", parse_mod },
	{ "mod_nw_src", parse_mod },
	{ "mod_nw_dst", parse_mod },
	{ "mod_tp_src", parse_mod },
	{ "mod_tp_dst", parse_mod },
	{ "mod_vlan_vid", parse_vlan },
	{ "mod_vlan_pcp", parse_vlan },
	{ "set_vlan_vid", parse_vlan },
	{ "set_vlan_pcp", parse_vlan },
	{ "resubmit", parse_resubmit },
	{ "set_tunnel", parse_tunnel },
	{ "set_tunnel64", parse_tunnel },
	{ "write_metadata", parse_metadata },
	{ "clone", parse_nested },
	{ "write_actions", parse_nested },
	{ "controller", act_parse_controller },
	{ "dec_ttl", act_parse_dec_ttl },
	{ "fin_timeout", act_parse_fin },
	{ "learn", act_parse_learn },
	{ "conjunction", act_parse_conjunction },
	{ "multipath", act_parse_multipath },
	{ "bundle", act_parse_bundle },
	{ "bundle_load", act_parse_bundle },
	{ "note", act_parse_note },
	{ "sample", act_parse_sample },
	{ "check_pkt_larger", act_parse_larger },
	{ "encap", act_parse_encap },
	{ "decap", act_parse_decap },
	{ "ct", act_parse_ct },
	{ "nat", act_parse_nat },
};

static int parse_word(struct act_parser *p, char *item)
{
	uint32_t port;
	char *value;
	int rc;

	if (of_port_parse(item, p->names, &port) &&
	    port != OF_PORT_CONTROLLER) {
		of_acts_output(p->out, port, 0);
		return 0;
	}
	p->tail = NULL;
	if (!strncasecmp(item, "check_pkt_larger", 16))
		p->tail = act_split(item, ")->");
	value = act_value(item);
	p->word = item;
	rc = parse_simple(p, value);
	if (rc <= 0)
		return rc;
	for (size_t i = 0; i < ARRAY_SIZE(parsers); i++)
		if (!strcasecmp(item, parsers[i].word))
			return parsers[i].fn(p, value);
	return err_set(p->e,
		       "unknown action \"%s\"; the actions are those of "
		       "ovs-actions(7)",
		       item);
}

int act_list(struct act_parser *p, char *text)
{
	char *item;
	int rc = 0;

	if (p->depth++ >= OF_ACTS_DEPTH)
		return err_set(p->e, "actions nested more than %u deep",
			       OF_ACTS_DEPTH);
	while (!rc && (item = act_item(&text)))
		if (strcasecmp(item, "drop"))
			rc = parse_word(p, item);
	p->depth--;
	return rc;
}

int of_acts_parse(const char *text, const struct of_names *names,
		  struct of_acts *out, struct err *e)
{
	struct act_parser p = { .out = out, .names = names, .e = e };
	size_t before = out->len;
	char *copy = xstrdup(text);
	int rc = act_list(&p, copy);

	if (rc)
		out->len = before;
	free(copy);
	return rc;
}
