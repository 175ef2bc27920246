/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/match.h"

#include <strings.h>

#include "packet/headers.h"

#define WORDS_MAX 128u

/* Words that stand for a type and a protocol. */
static const struct shorthand {
	const char *name;
	uint16_t type;
	uint8_t proto;
} shorthands[] = {
	{ "tcp", ETH_TYPE_IP4, IP_PROTO_TCP },
	{ "udp", ETH_TYPE_IP4, IP_PROTO_UDP },
	{ "sctp", ETH_TYPE_IP4, IP_PROTO_SCTP },
	{ "icmp", ETH_TYPE_IP4, IP_PROTO_ICMP },
	{ "igmp", ETH_TYPE_IP4, IP_PROTO_IGMP },
	{ "ip", ETH_TYPE_IP4, 0 },
	{ "ipv4", ETH_TYPE_IP4, 0 },
	{ "tcp6", ETH_TYPE_IP6, IP_PROTO_TCP },
	{ "udp6", ETH_TYPE_IP6, IP_PROTO_UDP },
	{ "sctp6", ETH_TYPE_IP6, IP_PROTO_SCTP },
	{ "icmp6", ETH_TYPE_IP6, IP_PROTO_ICMP6 },
	{ "ipv6", ETH_TYPE_IP6, 0 },
	{ "arp", ETH_TYPE_ARP, 0 },
	{ "rarp", ETH_TYPE_RARP, 0 },
	{ "mpls", ETH_TYPE_MPLS, 0 },
	{ "mplsm", ETH_TYPE_MPLS_MCAST, 0 },
};

void match_init(struct match *m)
{
	memset(m, 0, sizeof(*m));
}

bool match_equal(const struct match *a, const struct match *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static const struct shorthand *shorthand_find(const char *word)
{
	for (unsigned i = 0; i < ARRAY_SIZE(shorthands); i++)
		if (!strcasecmp(shorthands[i].name, word))
			return &shorthands[i];
	return NULL;
}

static void put(struct match *m, const struct field *f,
		const struct field_value *v, const struct field_value *mask)
{
	field_write(f, &m->key, v);
	field_write(f, &m->mask.bits, mask);
}

static void put_shorthand(struct match *m, const struct shorthand *s)
{
	m->key.eth_type = s->type;
	MASK_SET(&m->mask, eth_type);
	if (s->proto) {
		m->key.ip_proto = s->proto;
		MASK_SET(&m->mask, ip_proto);
	}
}

/* tp_src and tp_dst are the ports of whatever protocol the match names. */
static int by_protocol(const struct match *m, const char *name)
{
	bool src = !strcasecmp(name, "tp_src"), dst = !strcasecmp(name, "tp_dst");

	if (!src && !dst)
		return field_by_name(name);
	switch (m->key.ip_proto) {
	case IP_PROTO_UDP:
		return src ? FIELD_UDP_SRC : FIELD_UDP_DST;
	case IP_PROTO_SCTP:
		return src ? FIELD_SCTP_SRC : FIELD_SCTP_DST;
	case IP_PROTO_ICMP:
		return src ? FIELD_ICMP_TYPE : FIELD_ICMP_CODE;
	case IP_PROTO_ICMP6:
		return src ? FIELD_ICMPV6_TYPE : FIELD_ICMPV6_CODE;
	default:
		return src ? FIELD_TCP_SRC : FIELD_TCP_DST;
	}
}

static int unknown_word(const char *word, struct err *e)
{
	const char *near = field_nearest(word);

	if (near)
		return err_set(e, "unknown field \"%s\"; did you mean \"%s\"?",
			       word, near);
	return err_set(e, "unknown field \"%s\"; the fields are those of "
			  "ovs-fields(7)", word);
}

static int parse_word(struct match *m, char *word, bool exact, struct err *e)
{
	const struct shorthand *s = shorthand_find(word);
	char *eq = strchr(word, '=');
	struct field_value v, mask, ones;
	const struct field *f;
	int id;

	if (s) {
		put_shorthand(m, s);
		return 0;
	}
	if (!eq)
		return unknown_word(word, e);
	*eq = '\0';
	id = by_protocol(m, word);
	if (id < 0)
		return unknown_word(word, e);
	f = field_get((enum field_id)id);
	if (field_parse(f, eq + 1, &v, &mask, e) ||
	    !field_prereq_demand(f, &m->key, &m->mask, e))
		return -1;
	ones = field_all_ones(f);
	if (exact && memcmp(&mask, &ones, sizeof(ones)) &&
	    f->form != FIELD_FORM_FRAG)
		return err_set(e, "%s=%s: a packet has one value, without "
				  "a mask", f->name, eq + 1);
	put(m, f, &v, &mask);
	/* "dl_vlan=10" means a tag is there. */
	if (id == FIELD_VLAN_VID || id == FIELD_VLAN_PCP) {
		m->key.vlan[0].tci |= KEY_VLAN_PRESENT;
		m->mask.bits.vlan[0].tci |= KEY_VLAN_PRESENT;
	}
	return 0;
}

static int parse_text(const char *text, struct match *m, bool exact,
		      struct err *e)
{
	char *copy = xstrdup(text), *save = NULL, *word;
	unsigned n = 0;
	int rc = 0;

	match_init(m);
	for (word = strtok_r(copy, ", \t\n", &save); word && !rc;
	     word = strtok_r(NULL, ", \t\n", &save)) {
		if (!strcasecmp(word, "any") || !strcasecmp(word, "eth"))
			continue;
		rc = ++n > WORDS_MAX
			 ? err_set(e, "more than %u words in one match",
				   WORDS_MAX)
			 : parse_word(m, word, exact, e);
	}
	free(copy);
	return rc ? -22 : 0;
}

int match_parse(const char *text, struct match *m, struct err *e)
{
	return parse_text(text, m, false, e);
}

int key_parse(const char *text, struct flow_key *k, struct err *e)
{
	struct match m;
	int rc = parse_text(text, &m, true, e);

	if (!rc)
		*k = m.key;
	return rc;
}

/* --- printing --- */

static void sep(struct str *out, size_t start)
{
	if (out->len > start)
		str_add_char(out, ',');
}

/* The most telling shorthand for type and protocol, and what it has said. */
static void format_type(const struct match *m, struct flow_mask *left,
			struct str *out, size_t start)
{
	bool proto = m->mask.bits.ip_proto == 0xff;

	if (m->mask.bits.eth_type != 0xffff)
		return;
	for (unsigned i = 0; i < ARRAY_SIZE(shorthands); i++) {
		const struct shorthand *s = &shorthands[i];

		if (s->type != m->key.eth_type ||
		    (s->proto && !(proto && s->proto == m->key.ip_proto)))
			continue;
		sep(out, start);
		str_add(out, s->name);
		left->bits.eth_type = 0;
		if (s->proto)
			left->bits.ip_proto = 0;
		return;
	}
}

static bool any_bit(const struct field_value *v)
{
	static const struct field_value zero;

	return memcmp(v, &zero, sizeof(zero));
}

/* Fields that say the same as a wider or an earlier one. */
static bool is_part_of_another(int id)
{
	switch (id) {
	case FIELD_IP_DSCP:
	case FIELD_IP_ECN:
	case FIELD_VLAN_VID:
	case FIELD_VLAN_PCP:
		return true;
	default:
		return (id >= FIELD_XREG0 && id <= FIELD_XXREG3);
	}
}

static void format_fields(const struct match *m, struct flow_mask *left,
			  struct str *out, size_t start)
{
	struct field_value zero = { { 0 } };

	for (int id = 0; id < N_FIELDS; id++) {
		const struct field *f = field_get((enum field_id)id);
		struct field_value mask = field_read(f, &left->bits), v;

		if (!any_bit(&mask) || is_part_of_another(id) ||
		    !field_prereq_met(f, &m->key))
			continue;
		v = field_read(f, &m->key);
		sep(out, start);
		str_addf(out, "%s=", f->name);
		field_format(f, &v, &mask, out);
		field_write(f, &left->bits, &zero);
	}
}

void match_format(const struct match *m, struct str *out)
{
	struct flow_mask left = m->mask;
	size_t start = out->len;

	format_type(m, &left, out, start);
	format_fields(m, &left, out, start);
	if (out->len == start)
		str_add(out, "any");
}

/* A key prints as the match that has a mask wherever it is not zero, whole
 * fields at a time, and always its type. */
void key_format(const struct flow_key *k, struct str *out)
{
	struct match m = { .key = *k };

	for (int id = 0; id < N_FIELDS; id++) {
		const struct field *f = field_get((enum field_id)id);
		struct field_value v = field_read(f, k);

		if (!any_bit(&v) || !field_prereq_met(f, k))
			continue;
		v = field_all_ones(f);
		field_write(f, &m.mask.bits, &v);
	}
	match_format(&m, out);
}
