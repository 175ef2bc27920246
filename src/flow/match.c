/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/match.h"

#include <errno.h>
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

/* Both have to hold; a word that denies another is a mistake to be told, not a
 * rule for other packets than it seems. */
static int match_and(struct match *m, const struct match *word,
		     const char *text, struct err *e)
{
	uint64_t *key = key_words(&m->key), *mask = key_words(&m->mask.bits);
	const uint64_t *k = key_words_const(&word->key);
	const uint64_t *w = key_words_const(&word->mask.bits);

	for (unsigned i = 0; i < KEY_WORDS; i++)
		if ((key[i] ^ k[i]) & mask[i] & w[i])
			return err_set(e,
				       "%s contradicts another word of the "
				       "match: no packet is both",
				       text);
	for (unsigned i = 0; i < KEY_WORDS; i++) {
		key[i] |= k[i];
		mask[i] |= w[i];
	}
	return 0;
}

static int put(struct match *m, const struct field *f,
	       const struct field_value *v, const struct field_value *mask,
	       struct err *e)
{
	struct match word;

	match_init(&word);
	field_write(f, &word.key, v);
	field_write(f, &word.mask.bits, mask);
	/* "dl_vlan=10" means a tag is there. */
	if (f == field_get(FIELD_VLAN_VID) || f == field_get(FIELD_VLAN_PCP)) {
		word.key.vlan[0].tci |= KEY_VLAN_PRESENT;
		word.mask.bits.vlan[0].tci |= KEY_VLAN_PRESENT;
	}
	return match_and(m, &word, f->name, e);
}

static int put_shorthand(struct match *m, const struct shorthand *s,
			 struct err *e)
{
	struct match word;

	match_init(&word);
	word.key.eth_type = s->type;
	MASK_SET(&word.mask, eth_type);
	if (s->proto) {
		word.key.ip_proto = s->proto;
		MASK_SET(&word.mask, ip_proto);
	}
	return match_and(m, &word, s->name, e);
}

/* nw_src and nw_dst of ARP are its protocol addresses (ovs-ofctl(8)). */
static int by_type(const struct match *m, const char *name)
{
	int id = field_by_name(name);

	if (m->key.eth_type != ETH_TYPE_ARP && m->key.eth_type != ETH_TYPE_RARP)
		return id;
	if (id == FIELD_IP_SRC)
		return FIELD_ARP_SPA;
	return id == FIELD_IP_DST ? FIELD_ARP_TPA : id;
}

/* nw_tos is DSCP in its place: the two bits of ECN are not asked for. */
static int narrow_tos(const char *name, struct field_value *v,
		      struct field_value *mask, struct err *e)
{
	uint8_t *low = &mask->b[FIELD_VALUE_MAX - 1];

	if (strcasecmp(name, "nw_tos") || *low != 0xff)
		return 0;
	if (v->b[FIELD_VALUE_MAX - 1] & IP_ECN_MASK)
		return err_set(e,
			       "nw_tos=%u: the lower two bits are those of "
			       "ECN; write ip_tos to match them too",
			       v->b[FIELD_VALUE_MAX - 1]);
	*low = (uint8_t)~IP_ECN_MASK;
	return 0;
}

/* tp_src and tp_dst are the ports of whatever protocol the match names, and
 * icmp_type is that of either ICMP. */
static int by_protocol(const struct match *m, const char *name)
{
	bool src = !strcasecmp(name, "tp_src"),
	     dst = !strcasecmp(name, "tp_dst");

	if (m->key.ip_proto == IP_PROTO_ICMP6) {
		src |= !strcasecmp(name, "icmp_type");
		dst |= !strcasecmp(name, "icmp_code");
	}
	if (!src && !dst)
		return by_type(m, name);
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
	return err_set(e,
		       "unknown field \"%s\"; the fields are those of "
		       "ovs-fields(7)",
		       word);
}

/* Words are taken in the order in which one may be the ground for another:
 * types, protocols, what stands in their headers, neighbour discovery. */
enum word_rank { WORD_TYPE, WORD_PROTO, WORD_HEADER, WORD_ND, N_WORD_RANKS };

static enum word_rank rank_of(const char *word, size_t name_len)
{
	char name[64];
	int id;

	if (shorthand_find(word) || name_len >= sizeof(name))
		return WORD_TYPE;
	memcpy(name, word, name_len);
	name[name_len] = '\0';
	id = field_by_name(name);
	if (id == FIELD_IP_PROTO)
		return WORD_PROTO;
	if (id < 0 || field_get((enum field_id)id)->prereq < FIELD_PREREQ_MPLS)
		return WORD_TYPE;
	return field_get((enum field_id)id)->prereq == FIELD_PREREQ_ND ?
		       WORD_ND :
		       WORD_HEADER;
}

static int parse_field(struct match *m, const char *name, const char *value,
		       bool exact, struct err *e)
{
	struct field_value v, mask, ones;
	const struct field *f;
	int id = by_protocol(m, name);

	if (id < 0)
		return unknown_word(name, e);
	f = field_get((enum field_id)id);
	if (field_parse(f, value, &v, &mask, e) ||
	    !field_prereq_demand(f, &m->key, &m->mask, e))
		return -EINVAL;
	ones = field_all_ones(f);
	if (exact && memcmp(&mask, &ones, sizeof(ones)) &&
	    f->form != FIELD_FORM_FRAG)
		return err_set(e,
			       "%s=%s: a packet has one value, without "
			       "a mask",
			       f->name, value);
	if (!exact && narrow_tos(name, &v, &mask, e))
		return -EINVAL;
	return put(m, f, &v, &mask, e);
}

static int parse_word(struct match *m, char *word, bool exact, struct err *e)
{
	const struct shorthand *s = shorthand_find(word);
	char *eq = strchr(word, '=');

	if (s)
		return put_shorthand(m, s, e);
	if (!eq)
		return unknown_word(word, e);
	*eq = '\0';
	return parse_field(m, word, eq + 1, exact, e);
}

/* Cuts the text at the words that say something. Their number, or -1. */
static int split_words(char *text, char **words, struct err *e)
{
	char *save = NULL;
	int n = 0;

	for (char *word = strtok_r(text, ", \t\n", &save); word;
	     word = strtok_r(NULL, ", \t\n", &save)) {
		if (!strcasecmp(word, "any") || !strcasecmp(word, "eth"))
			continue;
		if (n == (int)WORDS_MAX)
			return err_set(e, "more than %u words in one match",
				       WORDS_MAX);
		words[n++] = word;
	}
	return n;
}

static int parse_text(const char *text, struct match *m, bool exact,
		      struct err *e)
{
	char *copy = xstrdup(text), *words[WORDS_MAX];
	enum word_rank ranks[WORDS_MAX];
	int n = split_words(copy, words, e), rc = n < 0;

	match_init(m);
	for (int i = 0; i < n; i++)
		ranks[i] = rank_of(words[i], strcspn(words[i], "="));
	for (unsigned rank = 0; rank < N_WORD_RANKS; rank++)
		for (int i = 0; i < n && !rc; i++)
			if (ranks[i] == rank)
				rc = parse_word(m, words[i], exact, e);
	free(copy);
	return rc ? -EINVAL : 0;
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
