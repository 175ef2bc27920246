/* SPDX-License-Identifier: Apache-2.0 */
/* Text to lists: one pass, one character of look-ahead. */
#include <ctype.h>
#include <errno.h>

#include "flow/action.h"

#include "base/err.h"
#include "base/str.h"
#include "flow/action_text.h"
#include "packet/headers.h"
#include "packet/outer.h"

#define TOKEN_MAX 1024u
#define HEX_MAX 384u

struct parse {
	const char *text, *at;
	const struct act_names *names;
	struct acts *out;
	struct err *e;
	unsigned depth;
};

/* `key=value`, or `value` alone. */
struct arg {
	const char *at; /* where it stands */
	char token[TOKEN_MAX];
	const char *key; /* NULL: none; inside token, as value */
	char *value;
};

const char *const act_tunnel_flags[4] = { "df", "csum", "key", "oam" };

static const struct {
	const char *name;
	enum act_op op;
} op_names[] = {
	{ "output", ACT_OUTPUT },
	{ "drop", ACT_DROP },
	{ "push_vlan", ACT_PUSH_VLAN },
	{ "pop_vlan", ACT_POP_VLAN },
	{ "push_mpls", ACT_PUSH_MPLS },
	{ "pop_mpls", ACT_POP_MPLS },
	{ "set", ACT_SET_FIELD },
	{ "set_eth", ACT_SET_ETH },
	{ "dec_ttl", ACT_DEC_TTL },
	{ "tunnel", ACT_SET_TUNNEL },
	{ "push_outer", ACT_PUSH_OUTER },
	{ "pop_outer", ACT_POP_OUTER },
	{ "push_eth", ACT_PUSH_ETH },
	{ "pop_eth", ACT_POP_ETH },
	{ "truncate", ACT_TRUNCATE },
	{ "clone", ACT_CLONE },
	{ "sample", ACT_SAMPLE },
	{ "meter", ACT_METER },
	{ "check_len", ACT_CHECK_LEN },
	{ "punt", ACT_PUNT },
	{ "normal", ACT_NORMAL },
	{ "resubmit", ACT_RESUBMIT },
	{ "ct", ACT_CT },
	{ "nat", ACT_NAT },
	/* as others call them */
	{ "strip_vlan", ACT_POP_VLAN },
	{ "set_tunnel", ACT_SET_TUNNEL },
	{ "controller", ACT_PUNT },
	{ "ct_clear", ACT_CT },
};

const char *act_op_name(enum act_op op)
{
	for (unsigned i = 0; i < ARRAY_SIZE(op_names); i++)
		if (op_names[i].op == op)
			return op_names[i].name;
	return NULL;
}

/* --- errors --- */

static int fail(struct parse *p, const char *at, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

static int fail_here(struct parse *p, const char *at)
{
	err_place(p->e, NULL, 1, (unsigned)(at - p->text) + 1);
	return -EINVAL;
}

static int fail(struct parse *p, const char *at, const char *fmt, ...)
{
	struct str s = STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	str_addv(&s, fmt, ap);
	va_end(ap);
	err_set(p->e, "%s", str_text(&s));
	str_fini(&s);
	return fail_here(p, at);
}

/* "`pots` is no ...; did you mean `port`?" */
static int fail_unknown(struct parse *p, const char *at, const char *what,
			const char *word, const char *nearest)
{
	if (nearest)
		return fail(p, at, "`%s` is no %s; did you mean `%s`?", word,
			    what, nearest);
	return fail(p, at, "`%s` is no %s", word, what);
}

/* --- tokens --- */

static void skip_space(struct parse *p)
{
	while (isspace((unsigned char)*p->at))
		p->at++;
}

static bool take(struct parse *p, char c)
{
	skip_space(p);
	if (*p->at != c)
		return false;
	p->at++;
	return true;
}

static int expect(struct parse *p, char c)
{
	if (take(p, c))
		return 0;
	if (*p->at)
		return fail(p, p->at, "`%c` is wanted before `%.10s`", c,
			    p->at);
	return fail(p, p->at, "`%c` is wanted at the end", c);
}

/* Copies what is up to the next of `stops`, without spaces around it. */
static int take_token(struct parse *p, const char *stops, char *to, size_t room)
{
	const char *start;
	size_t n;

	skip_space(p);
	start = p->at;
	n = strcspn(start, stops);
	p->at += n;
	while (n && isspace((unsigned char)start[n - 1]))
		n--;
	if (n >= room)
		return fail(p, start, "this is too long");
	memcpy(to, start, n);
	to[n] = '\0';
	return 0;
}

static int take_arg(struct parse *p, struct arg *a)
{
	char *eq;

	skip_space(p);
	a->at = p->at;
	if (take_token(p, ",()", a->token, sizeof(a->token)))
		return -EINVAL;
	a->key = NULL;
	a->value = a->token;
	eq = strchr(a->token, '=');
	if (eq) {
		*eq = '\0';
		a->key = a->token;
		a->value = eq + 1;
	}
	return 0;
}

/* Calls fn with each argument of `:arg` or `(arg,arg...)`. */
static int each_arg(struct parse *p,
		    int (*fn)(struct parse *p, struct arg *a, void *ctx),
		    void *ctx)
{
	struct arg a;

	if (take(p, ':')) {
		if (take_arg(p, &a))
			return -EINVAL;
		return fn(p, &a, ctx);
	}
	if (!take(p, '('))
		return 0;
	if (take(p, ')'))
		return 0;
	do {
		if (take_arg(p, &a) || fn(p, &a, ctx))
			return -EINVAL;
	} while (take(p, ','));
	return expect(p, ')');
}

/* --- values --- */

static int read_number(struct parse *p, const char *at, const char *text,
		       uint64_t max, uint64_t *out)
{
	unsigned long long v;
	char *end;

	errno = 0;
	v = strtoull(text, &end, strncmp(text, "0x", 2) ? 10 : 16);
	if (!isdigit((unsigned char)*text) || *end || errno)
		return fail(p, at, "a number is wanted, not `%s`", text);
	if (v > max)
		return fail(p, at, "`%s` is too large: at most %llu", text,
			    (unsigned long long)max);
	*out = v;
	return 0;
}

struct hex {
	uint32_t n;
	uint8_t b[HEX_MAX];
};

static int read_hex(struct parse *p, const char *at, const char *text,
		    uint64_t max, struct hex *out)
{
	size_t n = strlen(text);

	if (strncmp(text, "0x", 2) || n % 2 ||
	    strspn(text + 2, "0123456789abcdefABCDEF") != n - 2)
		return fail(p, at,
			    "bytes are written as 0x and pairs of "
			    "hexadecimal digits");
	n = n / 2 - 1;
	if (n > max || n > HEX_MAX)
		return fail(p, at, "%zu bytes are too many: at most %llu", n,
			    (unsigned long long)max);
	out->n = (uint32_t)n;
	for (size_t i = 0; i < n; i++) {
		char pair[3] = { text[2 + 2 * i], text[3 + 2 * i], '\0' };

		out->b[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return 0;
}

/* --- parameters --- */

enum param_kind { PARAM_NUMBER, PARAM_MAC, PARAM_IP, PARAM_HEX, PARAM_FLAG };

struct param {
	const char *name;
	enum param_kind kind;
	uint64_t max; /* NUMBER: value; HEX: bytes; FLAG: its bit */
	void *to;     /* uint64_t, eth_addr, ip_addr, hex */
	bool required;
	bool seen;
};

struct params {
	const char *op;
	struct param *v;
	size_t n;
};

static int read_param(struct parse *p, const struct param *q,
		      const struct arg *a)
{
	switch (q->kind) {
	case PARAM_NUMBER:
		return read_number(p, a->at, a->value, q->max, q->to);
	case PARAM_MAC:
		if (!eth_addr_parse(a->value, q->to))
			return 0;
		return fail(p, a->at,
			    "%s: an Ethernet address is wanted, such "
			    "as 02:00:00:00:00:01",
			    q->name);
	case PARAM_IP:
		if (!ip_addr_parse(a->value, q->to))
			return 0;
		return fail(p, a->at,
			    "%s: an IP address is wanted, such as "
			    "192.0.2.1",
			    q->name);
	case PARAM_HEX:
		return read_hex(p, a->at, a->value, q->max, q->to);
	case PARAM_FLAG:
		*(uint64_t *)q->to |= q->max;
	}
	return 0;
}

static int unknown_param(struct parse *p, const struct params *ps,
			 const struct arg *a, const char *word)
{
	const char *names[16], *nearest;
	size_t n = MIN(ps->n, ARRAY_SIZE(names));

	for (size_t i = 0; i < n; i++)
		names[i] = ps->v[i].name;
	nearest = str_nearest(word, names, n);
	if (nearest)
		return fail(p, a->at, "%s has no `%s`; did you mean `%s`?",
			    ps->op, word, nearest);
	return fail(p, a->at, "%s has no `%s`", ps->op, word);
}

/* By its name; a flag stands alone; what else stands alone is the first. */
static struct param *find_param(const struct params *ps, const struct arg *a)
{
	for (size_t i = 0; i < ps->n; i++) {
		struct param *q = &ps->v[i];
		const char *name = q->kind == PARAM_FLAG ? a->value : a->key;

		if ((q->kind == PARAM_FLAG) == !a->key && name &&
		    !strcmp(q->name, name))
			return q;
	}
	if (!a->key && isdigit((unsigned char)*a->value) && !ps->v[0].seen)
		return &ps->v[0];
	return NULL;
}

static int param_arg(struct parse *p, struct arg *a, void *ctx)
{
	const struct params *ps = ctx;
	struct param *q = find_param(ps, a);

	if (!q)
		return unknown_param(p, ps, a, a->key ? a->key : a->value);
	if (q->seen)
		return fail(p, a->at, "%s is given twice", q->name);
	q->seen = true;
	return read_param(p, q, a);
}

static int read_params(struct parse *p, const char *at, const char *op,
		       struct param *v, size_t n)
{
	struct params ps = { op, v, n };

	if (each_arg(p, param_arg, &ps))
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		if (v[i].required && !v[i].seen)
			return fail(p, at, "%s needs %s", op, v[i].name);
	return 0;
}

/* --- ops --- */

static int parse_port_name(struct parse *p, const char *at, const char *name)
{
	int64_t port = -1;

	if (p->names && p->names->port_number)
		port = p->names->port_number(p->names->ctx, name);
	if (port < 0)
		return fail(p, at, "there is no port `%s`", name);
	acts_output(p->out, (uint32_t)port);
	return 0;
}

static int parse_quoted_port(struct parse *p, const char *at)
{
	char name[TOKEN_MAX];

	if (take_token(p, "\"\n", name, sizeof(name)))
		return -EINVAL;
	if (expect(p, '"'))
		return -EINVAL;
	return parse_port_name(p, at, name);
}

static int parse_output(struct parse *p, const char *at)
{
	bool open = false;
	char name[TOKEN_MAX];
	uint64_t port;
	int rc;

	if (!take(p, ':'))
		open = take(p, '(');
	skip_space(p);
	at = p->at;
	if (take(p, '"')) {
		rc = parse_quoted_port(p, at);
		return rc || !open ? rc : expect(p, ')');
	}
	if (take_token(p, ",()", name, sizeof(name)))
		return -EINVAL;
	if (!*name)
		return fail(p, at, "output needs a port, such as output:3");
	if (strspn(name, "0123456789") != strlen(name)) {
		rc = parse_port_name(p, at, name);
	} else {
		rc = read_number(p, at, name, UINT32_MAX, &port);
		if (!rc)
			acts_output(p->out, (uint32_t)port);
	}
	return rc || !open ? rc : expect(p, ')');
}

static int drop_arg(struct parse *p, struct arg *a, void *ctx)
{
	const char *names[N_DROPS];
	uint32_t *reason = ctx;

	for (unsigned i = DROP_NONE + 1; i < N_DROPS; i++) {
		names[i] = drop_name((enum drop)i);
		if (!strcmp(names[i], a->value)) {
			*reason = i;
			return 0;
		}
	}
	return fail_unknown(p, a->at, "reason to drop", a->value,
			    str_nearest(a->value, names + 1, N_DROPS - 1));
}

static int parse_drop(struct parse *p, const char *at)
{
	uint32_t reason = DROP_RULE;

	(void)at;
	if (each_arg(p, drop_arg, &reason))
		return -EINVAL;
	acts_drop(p->out, (enum drop)reason);
	return 0;
}

static int parse_push_vlan(struct parse *p, const char *at)
{
	uint64_t tpid = ETH_TYPE_VLAN, vid = 0, pcp = 0;
	struct param v[] = {
		{ "tpid", PARAM_NUMBER, 0xffff, &tpid, false, false },
		{ "vid", PARAM_NUMBER, 4095, &vid, false, false },
		{ "pcp", PARAM_NUMBER, 7, &pcp, false, false },
	};

	if (read_params(p, at, "push_vlan", v, ARRAY_SIZE(v)))
		return -EINVAL;
	acts_push_vlan(p->out, (uint16_t)tpid, (uint16_t)(vid | pcp << 13));
	return 0;
}

static int parse_push_mpls(struct parse *p, const char *at)
{
	uint64_t type = ETH_TYPE_MPLS, label = 0, tc = 0, ttl = 0;
	struct param v[] = {
		{ "type", PARAM_NUMBER, 0xffff, &type, false, false },
		{ "label", PARAM_NUMBER, 0xfffff, &label, false, false },
		{ "tc", PARAM_NUMBER, 7, &tc, false, false },
		{ "ttl", PARAM_NUMBER, 255, &ttl, false, false },
	};

	if (read_params(p, at, "push_mpls", v, ARRAY_SIZE(v)))
		return -EINVAL;
	acts_push_mpls(p->out, (uint16_t)type,
		       (uint32_t)(label << 12 | tc << 9 | ttl));
	return 0;
}

static int parse_pop_mpls(struct parse *p, const char *at)
{
	uint64_t type = 0;
	struct param v[] = {
		{ "type", PARAM_NUMBER, 0xffff, &type, true, false },
	};

	if (read_params(p, at, "pop_mpls", v, ARRAY_SIZE(v)))
		return -EINVAL;
	acts_pop_mpls(p->out, (uint16_t)type);
	return 0;
}

static int set_arg(struct parse *p, struct arg *a, void *ctx)
{
	unsigned *n = ctx;
	const struct field *f;
	struct field_value value, mask;
	struct flow_key v, m;
	int id;

	if (!a->key)
		return fail(p, a->at, "set is written as set(ip_dst=10.0.0.1)");
	id = field_by_name(a->key);
	if (id < 0)
		return fail_unknown(p, a->at, "field", a->key,
				    field_nearest(a->key));
	f = field_get((enum field_id)id);
	if (field_parse(f, a->value, &value, &mask, p->e))
		return fail_here(p, a->at);
	memset(&v, 0, sizeof(v));
	memset(&m, 0, sizeof(m));
	field_write(f, &v, &value);
	field_write(f, &m, &mask);
	acts_set_field(p->out, (enum field_id)id,
		       (const uint8_t *)&v + f->offset,
		       (const uint8_t *)&m + f->offset);
	(*n)++;
	return 0;
}

static int parse_set(struct parse *p, const char *at)
{
	unsigned n = 0;

	if (each_arg(p, set_arg, &n))
		return -EINVAL;
	if (!n)
		return fail(p, at, "set is written as set(ip_dst=10.0.0.1)");
	return 0;
}

static int parse_set_eth(struct parse *p, const char *at)
{
	struct eth_addr dst, src;
	struct param v[] = {
		{ "dst", PARAM_MAC, 0, &dst, true, false },
		{ "src", PARAM_MAC, 0, &src, true, false },
	};

	if (read_params(p, at, "set_eth", v, ARRAY_SIZE(v)))
		return -EINVAL;
	acts_set_eth(p->out, dst, src);
	return 0;
}

static int parse_push_eth(struct parse *p, const char *at)
{
	struct eth_addr dst, src;
	uint64_t type = 0;
	struct param v[] = {
		{ "dst", PARAM_MAC, 0, &dst, true, false },
		{ "src", PARAM_MAC, 0, &src, true, false },
		{ "type", PARAM_NUMBER, 0xffff, &type, true, false },
	};

	if (read_params(p, at, "push_eth", v, ARRAY_SIZE(v)))
		return -EINVAL;
	acts_push_eth(p->out, dst, src, (uint16_t)type);
	return 0;
}

static int parse_tunnel(struct parse *p, const char *at)
{
	uint64_t id = 0, tp_dst = 0, tos = 0, ttl = 0, flags = 0;
	struct packet_tunnel t = { 0 };
	struct hex options = { 0 };
	struct param v[] = {
		{ "id", PARAM_NUMBER, UINT64_MAX, &id, false, false },
		{ "src", PARAM_IP, 0, &t.src, false, false },
		{ "dst", PARAM_IP, 0, &t.dst, false, false },
		{ "tp_dst", PARAM_NUMBER, 0xffff, &tp_dst, false, false },
		{ "tos", PARAM_NUMBER, 255, &tos, false, false },
		{ "ttl", PARAM_NUMBER, 255, &ttl, false, false },
		{ "df", PARAM_FLAG, TUNNEL_F_DF, &flags, false, false },
		{ "csum", PARAM_FLAG, TUNNEL_F_CSUM, &flags, false, false },
		{ "key", PARAM_FLAG, TUNNEL_F_KEY, &flags, false, false },
		{ "oam", PARAM_FLAG, TUNNEL_F_OAM, &flags, false, false },
		{ "options", PARAM_HEX, TUNNEL_OPTIONS_MAX, &options, false,
		  false },
	};

	if (read_params(p, at, "tunnel", v, ARRAY_SIZE(v)))
		return -EINVAL;
	t.id = id;
	t.tp_dst = (uint16_t)tp_dst;
	t.tos = (uint8_t)tos;
	t.ttl = (uint8_t)ttl;
	t.flags = (uint16_t)flags;
	t.options_len = (uint8_t)options.n;
	memcpy(t.options, options.b, options.n);
	acts_set_tunnel(p->out, &t);
	return 0;
}

struct outer_args {
	int kind;
	struct hex headers;
};

static int outer_arg(struct parse *p, struct arg *a, void *ctx)
{
	struct outer_args *o = ctx;
	const char *names[N_OUTER_KINDS];

	if (o->kind >= 0)
		return read_hex(p, a->at, a->value, OUTER_MAX, &o->headers);
	for (int i = 0; i < N_OUTER_KINDS; i++) {
		names[i] = outer_kind_name((enum outer_kind)i);
		if (!strcmp(names[i], a->value)) {
			o->kind = i;
			return 0;
		}
	}
	return fail_unknown(p, a->at, "encapsulation", a->value,
			    str_nearest(a->value, names, N_OUTER_KINDS));
}

static int parse_push_outer(struct parse *p, const char *at)
{
	struct outer_args o = { .kind = -1 };

	if (each_arg(p, outer_arg, &o))
		return -EINVAL;
	if (!o.headers.n)
		return fail(p, at,
			    "push_outer needs the encapsulation and its "
			    "headers, as in push_outer(vxlan,0x...)");
	acts_push_outer(p->out, (uint16_t)o.kind, o.headers.b,
			(uint16_t)o.headers.n);
	return 0;
}

struct punt_args {
	bool named;
	unsigned n;
	struct act_punt a;
};

static int punt_reason_arg(struct parse *p, struct arg *a, struct punt_args *u)
{
	const char *names[N_PUNT_REASONS];

	for (unsigned i = 0; i < N_PUNT_REASONS; i++) {
		names[i] = punt_reason_name((enum punt_reason)i);
		if (!strcmp(names[i], a->value)) {
			u->a.reason = (uint8_t)i;
			u->named = true;
			return 0;
		}
	}
	return fail_unknown(p, a->at, "reason to punt", a->value,
			    str_nearest(a->value, names, N_PUNT_REASONS));
}

static int punt_arg(struct parse *p, struct arg *a, void *ctx)
{
	struct punt_args *u = ctx;
	uint64_t v = 0;

	if (!a->key && !u->named && !u->n)
		return punt_reason_arg(p, a, u);
	if (a->key) {
		if (strcmp(a->key, "max_len"))
			return fail_unknown(p, a->at, "part of punt", a->key,
					    "max_len");
		if (read_number(p, a->at, a->value, 0xffff, &v))
			return -EINVAL;
		u->a.max_len = (uint16_t)v;
		return 0;
	}
	if (u->n == ARRAY_SIZE(u->a.userdata))
		return fail(p, a->at, "punt carries at most %zu words",
			    ARRAY_SIZE(u->a.userdata));
	if (read_number(p, a->at, a->value, UINT32_MAX, &v))
		return -EINVAL;
	u->a.userdata[u->n++] = (uint32_t)v;
	return 0;
}

static int parse_punt(struct parse *p, const char *at)
{
	struct punt_args u = { .a = { .reason = PUNT_RULE } };
	struct act_punt *a;

	(void)at;
	if (each_arg(p, punt_arg, &u))
		return -EINVAL;
	a = acts_punt(p->out, (enum punt_reason)u.a.reason);
	if (!a)
		return 0;
	a->max_len = u.a.max_len;
	memcpy(a->userdata, u.a.userdata, sizeof(a->userdata));
	return 0;
}

/* truncate, meter, resubmit: one number. */
static int parse_u32(struct parse *p, const char *at, enum act_op op)
{
	const char *what = op == ACT_TRUNCATE ? "max_len" :
			   op == ACT_METER    ? "id" :
						"table";
	uint64_t v = 0;
	struct param q = { what, PARAM_NUMBER, UINT32_MAX, &v, true, false };

	if (read_params(p, at, act_op_name(op), &q, 1))
		return -EINVAL;
	acts_u32(p->out, op, (uint32_t)v);
	return 0;
}

/* --- nested lists --- */

static int parse_list(struct parse *p);

static int parse_inside(struct parse *p, enum act_op op, uint32_t operand)
{
	uint32_t begin = acts_begin(p->out, op, operand);

	if (++p->depth > ACTS_MAX_DEPTH)
		return fail(p, p->at, "lists inside lists more than %u deep",
			    ACTS_MAX_DEPTH);
	if (parse_list(p) || expect(p, ')'))
		return -EINVAL;
	p->depth--;
	acts_end(p->out, begin);
	return 0;
}

static int parse_clone(struct parse *p)
{
	if (expect(p, '('))
		return -EINVAL;
	return parse_inside(p, ACT_CLONE, 0);
}

/* "p=10%", or the number itself, of 2^32. */
static int read_probability(struct parse *p, const struct arg *a, uint32_t *out)
{
	double percent;
	uint64_t v = 0;
	char *end;

	if (!a->key || strcmp(a->key, "p"))
		return fail(p, a->at,
			    "sample begins with p=, as in "
			    "sample(p=10%%,...)");
	if (!strchr(a->value, '%')) {
		if (read_number(p, a->at, a->value, UINT32_MAX, &v))
			return -EINVAL;
		*out = (uint32_t)v;
		return 0;
	}
	percent = strtod(a->value, &end);
	if (!isdigit((unsigned char)*a->value) || strcmp(end, "%") ||
	    percent > 100)
		return fail(p, a->at,
			    "a percentage from 0%% to 100%% is "
			    "wanted, not `%s`",
			    a->value);
	*out = act_probability(percent);
	return 0;
}

static int parse_operand_and_list(struct parse *p, enum act_op op)
{
	struct arg a;
	uint64_t v = 0;
	uint32_t operand = 0;

	if (expect(p, '(') || take_arg(p, &a))
		return -EINVAL;
	if (op == ACT_SAMPLE) {
		if (read_probability(p, &a, &operand))
			return -EINVAL;
	} else {
		if (read_number(p, a.at, a.value, UINT32_MAX, &v))
			return -EINVAL;
		operand = (uint32_t)v;
	}
	take(p, ',');
	return parse_inside(p, op, operand);
}

static int parse_op(struct parse *p, enum act_op op, const char *at)
{
	switch (op) {
	case ACT_OUTPUT:
		return parse_output(p, at);
	case ACT_DROP:
		return parse_drop(p, at);
	case ACT_PUSH_VLAN:
		return parse_push_vlan(p, at);
	case ACT_PUSH_MPLS:
		return parse_push_mpls(p, at);
	case ACT_POP_MPLS:
		return parse_pop_mpls(p, at);
	case ACT_SET_FIELD:
		return parse_set(p, at);
	case ACT_SET_ETH:
		return parse_set_eth(p, at);
	case ACT_PUSH_ETH:
		return parse_push_eth(p, at);
	case ACT_SET_TUNNEL:
		return parse_tunnel(p, at);
	case ACT_PUSH_OUTER:
		return parse_push_outer(p, at);
	case ACT_TRUNCATE:
	case ACT_METER:
	case ACT_RESUBMIT:
		return parse_u32(p, at, op);
	case ACT_CLONE:
		return parse_clone(p);
	case ACT_SAMPLE:
	case ACT_CHECK_LEN:
		return parse_operand_and_list(p, op);
	case ACT_PUNT:
		return parse_punt(p, at);
	case ACT_POP_VLAN:
	case ACT_DEC_TTL:
	case ACT_POP_OUTER:
	case ACT_POP_ETH:
	case ACT_NORMAL:
		acts_op(p->out, op);
		return 0;
	case ACT_CT:
	case ACT_NAT:
		return fail(p, at,
			    "connection tracking is not there yet: ct "
			    "and nat cannot be used");
	case N_ACT_OPS:
		break;
	}
	return -EINVAL;
}

static int unknown_op(struct parse *p, const char *at, const char *word)
{
	const char *names[ARRAY_SIZE(op_names)];

	if (!*word)
		return fail(p, at, "an action is wanted here");
	if (strspn(word, "0123456789") == strlen(word))
		return fail(p, at,
			    "`%s` is no action; a port is written as "
			    "output:%s",
			    word, word);
	for (size_t i = 0; i < ARRAY_SIZE(op_names); i++)
		names[i] = op_names[i].name;
	return fail_unknown(p, at, "action", word,
			    str_nearest(word, names, ARRAY_SIZE(names)));
}

static int parse_act(struct parse *p)
{
	uint32_t begin = p->out->len;
	char word[TOKEN_MAX];
	const char *at;
	size_t i;

	skip_space(p);
	at = p->at;
	if (take_token(p, ":(),", word, sizeof(word)))
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(op_names); i++)
		if (!strcmp(op_names[i].name, word))
			break;
	if (i == ARRAY_SIZE(op_names))
		return unknown_op(p, at, word);
	if (parse_op(p, op_names[i].op, at))
		return -EINVAL;
	if (p->out->overflow)
		return fail(p, at, "more than %u bytes of actions",
			    ACTS_MAX_LEN);
	if (!act_nests(op_names[i].op) &&
	    acts_check((struct act_list){ (const struct act *)(const void *)&p
						  ->out->room[begin / 8],
					  p->out->len - begin },
		       true, p->e))
		return fail_here(p, at);
	return 0;
}

/* Up to the end of the text, or the parenthesis that closes it. */
static int parse_list(struct parse *p)
{
	skip_space(p);
	if (!*p->at || *p->at == ')')
		return 0;
	do {
		if (parse_act(p))
			return -EINVAL;
	} while (take(p, ','));
	return 0;
}

int acts_parse(const char *text, const struct act_names *names,
	       struct acts *out, struct err *e)
{
	struct parse p = { text, text, names, out, e, 0 };

	int rc;

	acts_clear(out);
	rc = parse_list(&p);
	if (!rc && *p.at)
		rc = fail(&p, p.at, "a comma is wanted before `%.10s`", p.at);
	if (rc)
		acts_clear(out);
	return rc;
}
