/* SPDX-License-Identifier: Apache-2.0 */
/* Fields as text. */
#include <ctype.h>
#include <errno.h>
#include <strings.h>

#include "flow/field.h"
#include "packet/headers.h"

#define TEXT_MAX 160u

struct flag_name {
	const char *name;
	uint32_t bit;
};

static const struct flag_name tcp_flags[] = {
	{ "fin", TCP_FIN }, { "syn", TCP_SYN }, { "rst", TCP_RST },
	{ "psh", TCP_PSH }, { "ack", TCP_ACK }, { "urg", TCP_URG },
	{ "ece", TCP_ECE }, { "cwr", TCP_CWR }, { "ns", 0x100 },
};

static const struct flag_name tun_flags[] = {
	{ "df", 1 },
	{ "csum", 2 },
	{ "key", 4 },
	{ "oam", 8 },
};

static const struct flag_name ct_flags[] = {
	{ "new", 0x01 }, { "est", 0x02 }, { "rel", 0x04 },  { "rpl", 0x08 },
	{ "inv", 0x10 }, { "trk", 0x20 }, { "snat", 0x40 }, { "dnat", 0x80 },
};

static unsigned flags_of(const struct field *f, const struct flag_name **names)
{
	switch (f->form) {
	case FIELD_FORM_TCPFLAGS:
		*names = tcp_flags;
		return ARRAY_SIZE(tcp_flags);
	case FIELD_FORM_TUNFLAGS:
		*names = tun_flags;
		return ARRAY_SIZE(tun_flags);
	case FIELD_FORM_CTSTATE:
		*names = ct_flags;
		return ARRAY_SIZE(ct_flags);
	default:
		return 0;
	}
}

/* --- parsing --- */

static int bad(const struct field *f, const char *text, const char *what,
	       struct err *e)
{
	return err_set(e, "%s=%s: %s", f->name, text, what);
}

static bool fits(const struct field *f, const struct field_value *v)
{
	struct field_value ones = field_all_ones(f);

	for (unsigned i = 0; i < FIELD_VALUE_MAX; i++)
		if (v->b[i] & ~ones.b[i])
			return false;
	return true;
}

/* "+syn-ack": named bits that must be set or clear. */
static int parse_flags(const struct field *f, const char *text,
		       struct field_value *value, struct field_value *mask,
		       struct err *e)
{
	const struct flag_name *names = NULL;
	unsigned n = flags_of(f, &names);
	uint32_t v = 0, m = 0;
	const char *at = text;

	while (*at) {
		size_t len = strcspn(at + 1, "+-");
		unsigned i;

		for (i = 0; i < n; i++)
			if (strlen(names[i].name) == len &&
			    !strncasecmp(names[i].name, at + 1, len))
				break;
		if (i == n || (*at != '+' && *at != '-'))
			return bad(f, text, "flags are written as +one-other",
				   e);
		if (m & names[i].bit)
			return bad(f, text, "one flag stands there twice", e);
		m |= names[i].bit;
		if (*at == '+')
			v |= names[i].bit;
		at += 1 + len;
	}
	*value = field_from_u64(v);
	*mask = field_from_u64(m);
	return 0;
}

static int parse_hex(const struct field *f, const char *text,
		     struct field_value *v, struct err *e)
{
	size_t n;

	*v = (struct field_value){ { 0 } };
	text += !strncasecmp(text, "0x", 2) ? 2 : 0;
	n = strlen(text);
	if (!n || n > FIELD_VALUE_MAX * 2 ||
	    strspn(text, "0123456789abcdefABCDEF") != n)
		return bad(f, text, "hexadecimal digits are wanted", e);
	for (size_t i = 0; i < n; i++) {
		char c = (char)tolower((unsigned char)text[n - 1 - i]);
		unsigned d = (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
		uint8_t *b = &v->b[FIELD_VALUE_MAX - 1 - i / 2];

		*b = (uint8_t)(*b | d << (i % 2 * 4));
	}
	return 0;
}

static int parse_int(const struct field *f, const char *text,
		     struct field_value *v, struct err *e)
{
	unsigned long long n;
	char *end;

	if (!strncasecmp(text, "0x", 2))
		return parse_hex(f, text, v, e);
	errno = 0;
	n = strtoull(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end || errno)
		return bad(f, text, "a number is wanted", e);
	*v = field_from_u64(n);
	return 0;
}

static int parse_one(const struct field *f, const char *text,
		     struct field_value *v, struct err *e)
{
	struct eth_addr mac;
	struct ip_addr ip;

	*v = (struct field_value){ { 0 } };
	switch (f->form) {
	case FIELD_FORM_MAC:
		if (eth_addr_parse(text, &mac))
			return bad(f, text,
				   "an Ethernet address is wanted, "
				   "such as 02:00:00:00:00:01",
				   e);
		*v = field_from_u64(eth_addr_to_u64(mac));
		return 0;
	case FIELD_FORM_IP4:
		if (ip_addr_parse(text, &ip) || !ip_addr_is_ip4(&ip))
			return bad(f, text, "an IPv4 address is wanted", e);
		*v = field_from_u64(ip_addr_ip4(&ip));
		return 0;
	case FIELD_FORM_IP6:
		if (ip_addr_parse(text, &ip) || ip_addr_is_ip4(&ip))
			return bad(f, text, "an IPv6 address is wanted", e);
		memcpy(v->b, ip.a.b, 16);
		return 0;
	case FIELD_FORM_BYTES:
	case FIELD_FORM_REGS:
		return parse_hex(f, text, v, e);
	default:
		return parse_int(f, text, v, e);
	}
}

/* "/8" after an address: so many leading bits. */
static bool parse_prefix_len(const struct field *f, const char *text,
			     struct field_value *mask)
{
	unsigned long n;
	char *end;

	if (f->form != FIELD_FORM_IP4 && f->form != FIELD_FORM_IP6)
		return false;
	n = strtoul(text, &end, 10);
	if (end == text || *end || n > f->bits)
		return false;
	*mask = (struct field_value){ { 0 } };
	for (unsigned i = 0; i < n; i++) {
		unsigned bit = FIELD_VALUE_MAX * 8u - f->bits + i;

		mask->b[bit / 8] =
			(uint8_t)(mask->b[bit / 8] | 0x80u >> (bit % 8));
	}
	return true;
}

static const struct {
	const char *name;
	uint8_t value, mask;
} frag_words[] = {
	{ "no", 0, 3 },
	{ "yes", KEY_FRAG_ANY, KEY_FRAG_ANY },
	{ "first", KEY_FRAG_ANY, 3 },
	{ "later", 3, 3 },
	{ "not_later", 0, KEY_FRAG_LATER },
};

static int parse_frag(const struct field *f, const char *text,
		      struct field_value *value, struct field_value *mask,
		      struct err *e)
{
	for (unsigned i = 0; i < ARRAY_SIZE(frag_words); i++) {
		if (strcasecmp(frag_words[i].name, text))
			continue;
		*value = field_from_u64(frag_words[i].value);
		*mask = field_from_u64(frag_words[i].mask);
		return 0;
	}
	return bad(f, text, "no, yes, first, later or not_later is wanted", e);
}

static int parse_masked(const struct field *f, const char *text,
			struct field_value *value, struct field_value *mask,
			struct err *e)
{
	const char *slash = strchr(text, '/');
	char copy[TEXT_MAX];
	int rc;

	if (strlen(text) >= sizeof(copy))
		return bad(f, "...", "too long", e);
	memcpy(copy, text, strlen(text) + 1);
	if (slash)
		copy[slash - text] = '\0';
	rc = parse_one(f, copy, value, e);
	*mask = field_all_ones(f);
	if (rc || !slash)
		return rc;
	if (parse_prefix_len(f, slash + 1, mask))
		return 0;
	return parse_one(f, slash + 1, mask, e);
}

int field_parse(const struct field *f, const char *text,
		struct field_value *value, struct field_value *mask,
		struct err *e)
{
	struct field_value ones = field_all_ones(f);
	int rc;

	if (f->form == FIELD_FORM_FRAG)
		rc = parse_frag(f, text, value, mask, e);
	else if ((*text == '+' || *text == '-') &&
		 f->form >= FIELD_FORM_TCPFLAGS)
		rc = parse_flags(f, text, value, mask, e);
	else
		rc = parse_masked(f, text, value, mask, e);
	if (rc)
		return rc;
	if (!fits(f, value) || !fits(f, mask))
		return err_set(e, "%s=%s: the field has only %u bits", f->name,
			       text, f->bits);
	if (f->mask == FIELD_MASK_NONE && memcmp(mask, &ones, sizeof(ones)))
		return bad(f, text, "this field cannot be masked", e);
	for (unsigned i = 0; i < FIELD_VALUE_MAX; i++)
		value->b[i] &= mask->b[i];
	return 0;
}

/* --- printing --- */

static void format_hex(const struct field_value *v, struct str *out)
{
	unsigned i = 0;

	while (i < FIELD_VALUE_MAX - 1 && !v->b[i])
		i++;
	str_addf(out, "0x%x", v->b[i]);
	for (i++; i < FIELD_VALUE_MAX; i++)
		str_addf(out, "%02x", v->b[i]);
}

static void format_one(const struct field *f, const struct field_value *v,
		       struct str *out)
{
	char text[IP_STR_LEN];
	struct ip6_addr ip6;

	switch (f->form) {
	case FIELD_FORM_MAC:
		str_add(out, eth_addr_format(eth_addr_from_u64(field_to_u64(v)),
					     text));
		break;
	case FIELD_FORM_IP4:
		str_add(out, ip4_format((uint32_t)field_to_u64(v), text));
		break;
	case FIELD_FORM_IP6:
		memcpy(ip6.b, v->b, 16);
		str_add(out, ip6_addr_format(ip6, text));
		break;
	case FIELD_FORM_DEC:
	case FIELD_FORM_PORT:
		str_addf(out, "%llu", (unsigned long long)field_to_u64(v));
		break;
	default:
		format_hex(v, out);
	}
}

/* The number of leading ones when the mask is a prefix, else -1. */
static int prefix_len(const struct field *f, const struct field_value *mask)
{
	unsigned first = FIELD_VALUE_MAX * 8u - f->bits, n = 0;
	bool ended = false;

	for (unsigned bit = first; bit < FIELD_VALUE_MAX * 8u; bit++) {
		bool one = mask->b[bit / 8] & 0x80u >> (bit % 8);

		if (one && ended)
			return -1;
		ended |= !one;
		n += one;
	}
	return (int)n;
}

/* True when every bit of the mask has a name, and it was written so. */
static bool format_flags(const struct field *f, const struct field_value *v,
			 const struct field_value *mask, struct str *out)
{
	const struct flag_name *names = NULL;
	unsigned n = flags_of(f, &names);
	uint32_t m = (uint32_t)field_to_u64(mask), known = 0;

	for (unsigned i = 0; i < n; i++)
		known |= names[i].bit;
	if (!n || m & ~known)
		return false;
	for (unsigned i = 0; i < n; i++)
		if (m & names[i].bit)
			str_addf(out, "%c%s",
				 field_to_u64(v) & names[i].bit ? '+' : '-',
				 names[i].name);
	return true;
}

/* Any mask has a word: not a fragment is not a later one either. */
static void format_frag(const struct field_value *value,
			const struct field_value *mask, struct str *out)
{
	uint64_t m = field_to_u64(mask), v = field_to_u64(value) & m;

	if (m == KEY_FRAG_LATER)
		str_add(out, v ? "later" : "not_later");
	else if (v & KEY_FRAG_LATER)
		str_add(out, "later");
	else if (!v)
		str_add(out, "no");
	else
		str_add(out, m == KEY_FRAG_ANY ? "yes" : "first");
}

void field_format(const struct field *f, const struct field_value *value,
		  const struct field_value *mask, struct str *out)
{
	struct field_value ones = field_all_ones(f);
	int len;

	if (f->form == FIELD_FORM_FRAG) {
		format_frag(value, mask, out);
		return;
	}
	if (memcmp(mask, &ones, sizeof(ones)) &&
	    format_flags(f, value, mask, out))
		return;
	format_one(f, value, out);
	if (!memcmp(mask, &ones, sizeof(ones)))
		return;
	len = f->form == FIELD_FORM_IP4 || f->form == FIELD_FORM_IP6 ?
		      prefix_len(f, mask) :
		      -1;
	if (len >= 0) {
		str_addf(out, "/%d", len);
		return;
	}
	str_add_char(out, '/');
	format_one(f, mask, out);
}
