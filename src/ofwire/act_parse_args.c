/* SPDX-License-Identifier: Apache-2.0 */
#include "ofwire/act_parse.h"

#include <errno.h>
#include <strings.h>
#include <sys/socket.h>

#include "ofwire/oxm.h"

#define HEX_MAX 4096u
#define PRIORITY_DEFAULT 0x8000u

static int word_index(const char *const *words, unsigned n, const char *word)
{
	for (unsigned i = 0; i < n; i++)
		if (!strcasecmp(words[i], word))
			return (int)i;
	return -1;
}

/* An argument "name=number" of a struct: where it goes. */
struct arg {
	const char *name;
	uint8_t size;
	uint16_t off;
};

#define ARG(name, type, member)                                                \
	{                                                                      \
		name, sizeof(((struct type *)0)->member),                      \
			offsetof(struct type, member)                          \
	}

/* 1: the table has no such argument. */
static int arg_set(struct act_parser *p, const struct arg *args, void *into,
		   const char *name, const char *value)
{
	uint64_t v;

	for (; args->name; args++) {
		char *at = (char *)into + args->off;
		uint8_t v8;
		uint16_t v16;
		uint32_t v32;

		if (strcasecmp(args->name, name))
			continue;
		if (!act_number(value, UINT64_MAX >> (64 - 8 * args->size), &v))
			return act_wrong(p, "a number it can have", value);
		v8 = (uint8_t)v;
		v16 = (uint16_t)v;
		v32 = (uint32_t)v;
		memcpy(at,
		       args->size == 1 ? (void *)&v8 :
		       args->size == 2 ? (void *)&v16 :
		       args->size == 4 ? (void *)&v32 :
					 (void *)&v,
		       args->size);
		return 0;
	}
	return 1;
}

/* All arguments are numbers of the table. */
static int args_set(struct act_parser *p, const struct arg *args, void *into,
		    char *value)
{
	char *item;
	int rc = 0;

	while (!rc && (item = act_item(&value))) {
		char *v = act_value(item);

		rc = arg_set(p, args, into, item, v);
		if (rc > 0)
			return act_wrong(p, "one of its arguments", item);
	}
	return rc;
}

static int nibble(char c)
{
	const char *digits = "0123456789abcdef";
	const char *d = c ? strchr(digits, c | 0x20) : NULL;

	return d ? (int)(d - digits) : -1;
}

/* "01.02.ff" -> bytes; their number, or -1. */
static int hex_get(const char *text, uint8_t *out)
{
	unsigned n = 0;

	while (*text) {
		int high = nibble(text[0]);
		int low = high < 0 ? -1 : nibble(text[1]);

		if (low < 0 || n == HEX_MAX)
			return -1;
		out[n++] = (uint8_t)(high << 4 | low);
		text += 2;
		text += *text == '.';
	}
	return (int)n;
}

/* --- controller, notes --- */

static int controller_arg(struct act_parser *p, struct of_act_controller *a,
			  char *item, uint8_t *userdata)
{
	static const struct arg args[] = {
		ARG("max_len", of_act_controller, max_len),
		ARG("id", of_act_controller, id),
		ARG("meter_id", of_act_controller, meter),
		{ 0 },
	};
	char *value = act_value(item);
	int n;

	if (!strcasecmp(item, "pause")) {
		a->pause = true;
		return 0;
	}
	if (!strcasecmp(item, "reason")) {
		n = word_index(of_reason_names, ARRAY_SIZE(of_reason_names),
			       value);
		a->reason = (uint8_t)n;
		return n < 0 ? act_wrong(p, "a reason", value) : 0;
	}
	if (!strcasecmp(item, "userdata")) {
		n = hex_get(value, userdata);
		a->userdata_len = (uint32_t)n;
		return n < 0 ? act_wrong(p, "hexadecimal bytes", value) : 0;
	}
	n = arg_set(p, args, a, item, value);
	return n > 0 ? act_wrong(p, "one of its arguments", item) : n;
}

int act_parse_controller(struct act_parser *p, char *value)
{
	struct of_act_controller head = { .max_len = UINT16_MAX,
					  .reason = 1,
					  .meter = OF_CONTROLLER_NO_METER };
	uint8_t *userdata = xmalloc(HEX_MAX);
	struct of_act_controller *a;
	uint64_t max_len;
	char *item;
	int rc = 0;

	if (act_number(value, UINT16_MAX, &max_len))
		head.max_len = (uint16_t)max_len;
	else
		while (!rc && (item = act_item(&value)))
			rc = controller_arg(p, &head, item, userdata);
	if (!rc) {
		a = of_acts_add(p->out, OFA_CONTROLLER, head.userdata_len);
		head.h = a->h;
		memcpy(a, &head, sizeof(head));
		memcpy(a->userdata, userdata, head.userdata_len);
		a->extended = a->id || a->pause || a->userdata_len ||
			      a->reason != 1 ||
			      a->meter != OF_CONTROLLER_NO_METER;
	}
	free(userdata);
	return rc;
}

int act_parse_note(struct act_parser *p, char *value)
{
	uint8_t *bytes = xmalloc(HEX_MAX);
	int n = hex_get(value, bytes);
	struct of_act_note *a;
	size_t len;

	if (n >= 0) {
		/* As on the wire: to the end of an action of whole words. */
		len = ROUND_UP((size_t)n + 10, 8) - 10;
		a = of_acts_add(p->out, OFA_NOTE, len);
		a->n = (uint32_t)len;
		memcpy(a->data, bytes, (size_t)n);
	}
	free(bytes);
	return n < 0 ? act_wrong(p, "hexadecimal bytes", value) : 0;
}

/* --- those with few arguments --- */

int act_parse_dec_ttl(struct act_parser *p, char *value)
{
	uint16_t ids[256] = { 0 };
	struct of_act_ids *a;
	unsigned n = 0;
	uint64_t v;
	char *item;

	while ((item = act_item(&value))) {
		if (n == ARRAY_SIZE(ids) || !act_number(item, UINT16_MAX, &v))
			return act_wrong(p, "a list of controller ids", item);
		ids[n++] = (uint16_t)v;
	}
	a = of_acts_add(p->out, OFA_DEC_TTL, n * sizeof(ids[0]));
	a->n = (uint16_t)n;
	memcpy(a->ids, ids, n * sizeof(ids[0]));
	return 0;
}

int act_parse_fin(struct act_parser *p, char *value)
{
	static const struct arg args[] = {
		ARG("idle_timeout", of_act_fin, idle),
		ARG("hard_timeout", of_act_fin, hard),
		{ 0 },
	};

	return args_set(p, args, of_acts_add(p->out, OFA_FIN_TIMEOUT, 0),
			value);
}

int act_parse_conjunction(struct act_parser *p, char *value)
{
	char *clause = act_split(value, ",");
	char *of = clause ? act_split(clause, "/") : NULL;
	struct of_act_conjunction *a;
	uint64_t id, k, n;

	if (!of || !act_number(value, UINT32_MAX, &id) ||
	    !act_number(clause, 64, &k) || !act_number(of, 64, &n) || !k ||
	    k > n || n < 2)
		return act_wrong(p, "ID, CLAUSE/CLAUSES with 2 to 64 of them",
				 value);
	a = of_acts_add(p->out, OFA_CONJUNCTION, 0);
	a->id = (uint32_t)id;
	a->clause = (uint8_t)(k - 1);
	a->n_clauses = (uint8_t)n;
	return 0;
}

int act_parse_sample(struct act_parser *p, char *value)
{
	static const struct arg args[] = {
		ARG("probability", of_act_sample, probability),
		ARG("collector_set_id", of_act_sample, collector),
		ARG("obs_domain_id", of_act_sample, domain),
		ARG("obs_point_id", of_act_sample, point),
		{ 0 },
	};
	struct of_act_sample *a = of_acts_add(p->out, OFA_SAMPLE, 0);
	char *item;
	int rc = 0;

	a->port = OF_PORT_NONE;
	while (!rc && (item = act_item(&value))) {
		char *v = act_value(item);

		if (!strcasecmp(item, "ingress"))
			a->direction = 1;
		else if (!strcasecmp(item, "egress"))
			a->direction = 2;
		else if (!strcasecmp(item, "sampling_port"))
			rc = !of_port_parse(v, p->names, &a->port);
		else
			rc = arg_set(p, args, a, item, v);
		if (rc > 0)
			return act_wrong(p, "one of its arguments", item);
	}
	a->form = a->direction ? 3 : a->port == OF_PORT_NONE ? 1 : 2;
	if (!rc && !a->probability)
		return act_wrong(p, "a probability of 1 to 65535", "0");
	return rc;
}

int act_parse_larger(struct act_parser *p, char *value)
{
	struct of_act_larger *a;
	struct of_sub s = { 0 };
	uint64_t v;

	if (!act_number(value, UINT16_MAX, &v) || !p->tail)
		return act_wrong(p, "(LENGTH)->FIELD[BIT]", value);
	if (act_sub(p, p->tail, true, &s))
		return -EINVAL;
	if (s.n_bits != 1)
		return act_wrong(p, "one bit", p->tail);
	a = of_acts_add(p->out, OFA_CHECK_LARGER, 0);
	a->len = (uint16_t)v;
	a->dst = s;
	return 0;
}

int act_parse_encap(struct act_parser *p, char *value)
{
	static const char *const types[] = { "ethernet", "nsh", "mpls",
					     "mpls_mc" };
	static const uint32_t numbers[] = { 0, 0x1894f, 0x18847, 0x18848 };
	int i = word_index(types, ARRAY_SIZE(types), value);
	struct of_act_encap *a;

	if (i < 0)
		return act_wrong(p, "a header that can be put in front", value);
	a = of_acts_add(p->out, OFA_ENCAP, 0);
	a->packet_type = numbers[i];
	return 0;
}

int act_parse_decap(struct act_parser *p, char *value)
{
	uint64_t ns = 0, type = 0xfffe, v;
	char *item;

	if (*value) {
		type = 0;
		value = act_value(value); /* packet_type(...) */
	}
	while ((item = act_item(&value))) {
		char *text = act_value(item);

		if (!act_number(text, UINT16_MAX, &v))
			return act_wrong(p, "a number", text);
		*(strcasecmp(item, "ns") ? &type : &ns) = v;
	}
	of_acts_int(p->out, OFA_DECAP, ns << 16 | type);
	return 0;
}

/* --- hashing --- */

static int hash_args(struct act_parser *p, char **value, uint16_t *fields,
		     uint16_t *basis)
{
	char *name = act_item(value), *number = act_item(value);
	int i = name ? word_index(of_hash_names, N_OF_HASH, name) : -1;
	uint64_t v;

	if (i < 0)
		return act_wrong(p, "fields to hash", name ? name : "");
	if (!number || !act_number(number, UINT16_MAX, &v))
		return act_wrong(p, "a number for the basis",
				 number ? number : "");
	*fields = (uint16_t)i;
	*basis = (uint16_t)v;
	return 0;
}

int act_parse_multipath(struct act_parser *p, char *value)
{
	struct of_act_multipath m = { 0 };
	struct of_act_multipath *a;
	char *algorithm, *links, *arg, *dst;
	uint64_t n, v;
	int i;

	if (hash_args(p, &value, &m.fields, &m.basis))
		return -EINVAL;
	algorithm = act_item(&value);
	links = act_item(&value);
	arg = act_item(&value);
	dst = act_item(&value);
	i = algorithm ? word_index(of_multipath_names, 4, algorithm) : -1;
	if (i < 0 || !dst || !act_number(links, 65536, &n) || !n ||
	    !act_number(arg, UINT32_MAX, &v))
		return act_wrong(p, "ALGORITHM,LINKS,ARGUMENT,FIELD",
				 algorithm ? algorithm : "");
	if (act_sub_short(p, dst, true, &m.dst))
		return -EINVAL;
	if (m.dst.n_bits < 17 && (n - 1) >> m.dst.n_bits)
		return act_wrong(p, "wide enough for the links", dst);
	a = of_acts_add(p->out, OFA_MULTIPATH, 0);
	m.h = a->h;
	m.algorithm = (uint16_t)i;
	m.max_link = (uint16_t)(n - 1);
	m.arg = (uint32_t)v;
	*a = m;
	return 0;
}

static int bundle_ports(struct act_parser *p, struct of_act_bundle *head,
			char *item, char *rest)
{
	size_t at = p->out->len;
	struct of_act_bundle *a = of_acts_add(p->out, OFA_BUNDLE,
					      OF_BUNDLE_MAX * sizeof(uint32_t));
	char *first = item ? act_value(item) : NULL;
	size_t len;

	if (!first ||
	    (strcasecmp(item, "members") && strcasecmp(item, "slaves")))
		return act_wrong(p, "members:PORTS", item ? item : "");
	for (item = first; item && *item; item = act_item(&rest)) {
		if (head->n == OF_BUNDLE_MAX ||
		    !of_port_parse(item, p->names, &a->ports[head->n]))
			return act_wrong(p, "a port", item);
		head->n++;
	}
	len = ROUND_UP(sizeof(*a) + head->n * sizeof(uint32_t), 8);
	p->out->len = at + len;
	head->h = a->h;
	head->h.len = (uint32_t)len;
	memcpy(a, head, offsetof(struct of_act_bundle, ports));
	return 0;
}

int act_parse_bundle(struct act_parser *p, char *value)
{
	struct of_act_bundle head = { 0 };
	char *algorithm, *type, *dst;

	if (hash_args(p, &value, &head.fields, &head.basis))
		return -EINVAL;
	algorithm = act_item(&value);
	type = act_item(&value);
	if (!type || strcasecmp(type, "ofport") ||
	    (strcasecmp(algorithm, "hrw") &&
	     strcasecmp(algorithm, "active_backup")))
		return act_wrong(p, "hrw or active_backup, ofport",
				 algorithm ? algorithm : "");
	head.algorithm = strcasecmp(algorithm, "hrw") ?
				 OF_BUNDLE_ACTIVE_BACKUP :
				 OF_BUNDLE_HRW;
	if (!strcasecmp(p->word, "bundle_load")) {
		dst = act_item(&value);
		if (!dst)
			return act_wrong(p, "a field", "");
		if (act_sub_short(p, dst, true, &head.dst))
			return -EINVAL;
		if (head.dst.n_bits < 16)
			return act_wrong(p, "of 16 bits", dst);
	}
	type = act_item(&value);
	return bundle_ports(p, &head, type, value);
}

/* --- learn --- */

static int spec_value(struct act_parser *p, struct of_learn_spec *s,
		      char *value)
{
	const struct field *f = field_get(s->dst.field);
	struct field_value mask;
	uint64_t v;

	s->immediate = true;
	if (!s->dst.ofs && s->n_bits == f->bits)
		return field_parse(f, value, &s->imm, &mask, p->e);
	if (!act_number(value, UINT64_MAX, &v) ||
	    (s->n_bits < 64 && v >> s->n_bits))
		return act_wrong(p, "a number of that many bits", value);
	s->imm = field_from_u64(v);
	return 0;
}

static bool is_field(const char *text)
{
	char name[64];
	size_t n = strcspn(text, "[");

	if (n >= sizeof(name))
		return false;
	memcpy(name, text, n);
	name[n] = '\0';
	return oxm_field_by_name(name) >= 0;
}

static int spec_load(struct act_parser *p, struct of_learn_spec *s, char *value)
{
	char *to = act_split(value, "->");
	uint64_t v;

	s->dst_kind = OF_LEARN_LOAD;
	if (!to)
		return act_wrong(p, "VALUE->FIELD", value);
	if (act_sub(p, to, true, &s->dst))
		return -EINVAL;
	s->n_bits = s->dst.n_bits;
	if (is_field(value)) {
		if (act_sub(p, value, false, &s->src))
			return -EINVAL;
		s->src.n_bits = s->n_bits;
		return act_sub_check(&s->src, false) ?
			       act_wrong(p, "as wide as what it is loaded to",
					 value) :
			       0;
	}
	s->immediate = true;
	if (!act_number(value, UINT64_MAX, &v) ||
	    (s->n_bits < 64 && v >> s->n_bits))
		return act_wrong(p, "a number of that many bits", value);
	s->imm = field_from_u64(v);
	return 0;
}

/* What is matched is not a word "a=b" cut by act_value: brackets first. */
static int spec_match(struct act_parser *p, struct of_learn_spec *s, char *item)
{
	char *value = act_split(item, "=");

	s->dst_kind = OF_LEARN_MATCH;
	if (act_sub(p, item, false, &s->dst))
		return -EINVAL;
	s->n_bits = s->dst.n_bits;
	if (!value) {
		s->src = s->dst;
		return 0;
	}
	if (!is_field(value))
		return spec_value(p, s, value);
	if (act_sub(p, value, false, &s->src))
		return -EINVAL;
	return s->src.n_bits == s->n_bits ?
		       0 :
		       act_wrong(p, "as wide as what it is matched to", value);
}

static int learn_spec(struct act_parser *p, struct of_learn_spec *s, char *item)
{
	memset(s, 0, sizeof(*s));
	if (!strncasecmp(item, "load:", 5))
		return spec_load(p, s, item + 5);
	if (strncasecmp(item, "output:", 7))
		return spec_match(p, s, item);
	s->dst_kind = OF_LEARN_OUTPUT;
	if (act_sub(p, item + 7, false, &s->src))
		return -EINVAL;
	s->n_bits = s->src.n_bits;
	return 0;
}

/* 1: it is a spec. */
static int learn_option(struct act_parser *p, struct of_act_learn *a,
			char *item)
{
	static const struct arg args[] = {
		ARG("table", of_act_learn, table),
		ARG("idle_timeout", of_act_learn, idle),
		ARG("hard_timeout", of_act_learn, hard),
		ARG("fin_idle_timeout", of_act_learn, fin_idle),
		ARG("fin_hard_timeout", of_act_learn, fin_hard),
		ARG("priority", of_act_learn, priority),
		ARG("cookie", of_act_learn, cookie),
		ARG("limit", of_act_learn, limit),
		{ 0 },
	};
	char *eq = strchr(item, '=');
	int rc;

	if (!strcasecmp(item, "send_flow_rem") ||
	    !strcasecmp(item, "delete_learned")) {
		a->flags |=
			*item == 's' ? OF_LEARN_SEND_FLOW_REM : OF_LEARN_DELETE;
		return 0;
	}
	if (!eq)
		return 1;
	*eq = '\0';
	if (!strcasecmp(item, "result_dst")) {
		a->flags |= OF_LEARN_WRITE_RESULT;
		return act_sub(p, eq + 1, true, &a->result);
	}
	rc = arg_set(p, args, a, item, eq + 1);
	if (rc > 0)
		*eq = '=';
	return rc;
}

int act_parse_learn(struct act_parser *p, char *value)
{
	struct of_act_learn head = { .priority = PRIORITY_DEFAULT, .table = 1 };
	struct of_learn_spec spec;
	struct of_act_list one = { (const void *)&spec, sizeof(spec) };
	size_t at = p->out->len;
	char *item;
	int rc = 0;

	of_acts_add(p->out, OFA_LEARN, 0);
	while (!rc && (item = act_item(&value))) {
		rc = learn_option(p, &head, item);
		if (rc <= 0)
			continue;
		rc = learn_spec(p, &spec, item);
		if (rc)
			break;
		of_acts_append(p->out, one);
		head.n++;
	}
	if (rc)
		return rc;
	head.h.kind = OFA_LEARN;
	head.h.len = (uint32_t)(p->out->len - at);
	head.form2 = head.limit || head.flags & OF_LEARN_WRITE_RESULT;
	memcpy(p->out->data + at, &head, sizeof(head));
	return 0;
}

/* --- connections --- */

static int nat_addresses(struct act_parser *p, struct of_act_nat *a, char *text)
{
	char *max = act_split(text, "-");
	struct ip_addr from, to;
	uint32_t v;

	if (ip_addr_parse(text, &from) || (max && ip_addr_parse(max, &to)) ||
	    (max && to.family != from.family))
		return act_wrong(p, "an address or a range of them", text);
	a->family = from.family;
	a->min = from.a;
	if (max)
		a->max = to.a;
	if (from.family != AF_INET)
		return 0;
	v = ip_addr_ip4(&from);
	memset(&a->min, 0, sizeof(a->min));
	memset(&a->max, 0, sizeof(a->max));
	put_be32(a->min.b, v);
	if (max)
		put_be32(a->max.b, ip_addr_ip4(&to));
	return 0;
}

/* "1.2.3.4-1.2.3.9:100-200", "[fe80::1]:80", "fe80::1" */
static int nat_range(struct act_parser *p, struct of_act_nat *a, char *text)
{
	char *bracket = strrchr(text, ']');
	char *colon = bracket ? strchr(bracket, ':') : strrchr(text, ':');
	char *max, *out = text;
	uint64_t low = 0, high = 0;

	/* Several colons without brackets are an IPv6 address's own. */
	if (colon && !bracket && strchr(text, ':') != colon)
		colon = NULL;
	if (colon) {
		*colon++ = '\0';
		max = act_split(colon, "-");
		if (!act_number(colon, UINT16_MAX, &low) ||
		    (max && !act_number(max, UINT16_MAX, &high)))
			return act_wrong(p, "a port or a range of them", colon);
	}
	for (const char *s = text; *s; s++)
		if (*s != '[' && *s != ']')
			*out++ = *s;
	*out = '\0';
	a->port_min = (uint16_t)low;
	a->port_max = (uint16_t)high;
	return nat_addresses(p, a, text);
}

int act_parse_nat(struct act_parser *p, char *value)
{
	struct of_act_nat *a = of_acts_add(p->out, OFA_NAT, 0);
	char *item;
	int rc = 0;

	while (!rc && (item = act_item(&value))) {
		char *range = act_split(item, "=");

		if (!strcasecmp(item, "src"))
			a->flags |= OF_NAT_SRC;
		else if (!strcasecmp(item, "dst"))
			a->flags |= OF_NAT_DST;
		else if (!strcasecmp(item, "persistent"))
			a->flags |= OF_NAT_PERSISTENT;
		else if (!strcasecmp(item, "hash"))
			a->flags |= OF_NAT_HASH;
		else if (!strcasecmp(item, "random"))
			a->flags |= OF_NAT_RANDOM;
		else
			return act_wrong(p, "one of its arguments", item);
		if (range)
			rc = nat_range(p, a, range);
	}
	return rc;
}

static int ct_zone(struct act_parser *p, struct of_act_ct *a, char *value)
{
	uint64_t v;

	if (act_number(value, UINT16_MAX, &v)) {
		a->zone = (uint16_t)v;
		return 0;
	}
	if (act_sub(p, value, false, &a->zone_src))
		return -EINVAL;
	return a->zone_src.n_bits == 16 ? 0 : act_wrong(p, "16 bits", value);
}

static int ct_option(struct act_parser *p, struct of_act_ct *a, char *item)
{
	static const struct arg args[] = { ARG("table", of_act_ct, table),
					   { 0 } };
	char *value = act_value(item);
	int rc;

	if (!strcasecmp(item, "commit"))
		a->flags |= OF_CT_COMMIT;
	else if (!strcasecmp(item, "force"))
		a->flags |= OF_CT_FORCE;
	else if (!strcasecmp(item, "alg"))
		a->alg = !strcasecmp(value, "ftp")  ? 21 :
			 !strcasecmp(value, "tftp") ? 69 :
						      0;
	else if (!strcasecmp(item, "zone"))
		return ct_zone(p, a, value);
	else if (strcasecmp(item, "nat") && strcasecmp(item, "exec")) {
		rc = arg_set(p, args, a, item, value);
		return rc > 0 ? act_wrong(p, "one of its arguments", item) : rc;
	}
	if (!strcasecmp(item, "alg") && !a->alg)
		return act_wrong(p, "ftp or tftp", value);
	return 0;
}

int act_parse_ct(struct act_parser *p, char *value)
{
	struct of_act_ct head = { .table = OF_CT_NO_TABLE };
	size_t at = p->out->len;
	char *item, *exec = NULL;
	int rc = 0;

	of_acts_add(p->out, OFA_CT, 0);
	while (!rc && (item = act_item(&value))) {
		if (!strncasecmp(item, "exec(", 5)) {
			exec = act_value(item);
		} else if (!strncasecmp(item, "nat", 3)) {
			rc = act_parse_nat(p, act_value(item));
		} else {
			rc = ct_option(p, &head, item);
		}
	}
	/* What is done comes behind the translation, wherever it was written. */
	if (!rc && exec)
		rc = act_list(p, exec);
	if (rc)
		return rc;
	head.h.kind = OFA_CT;
	memcpy(p->out->data + at, &head, sizeof(head));
	of_acts_end(p->out, at);
	return 0;
}
