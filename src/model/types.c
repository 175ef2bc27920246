/* SPDX-License-Identifier: Apache-2.0 */
/* The types of single values: numbers, names, addresses. */
#include "model/schema.h"

#include <errno.h>
#include <stdio.h>

#include "model/types.h"

void types_bad(struct schema_reader *r, const struct schema_key *k,
	       const struct yaml_node *n, const char *want)
{
	struct str s = STR_INIT;

	str_addf(&s, "\"%s\"", k->name);
	if (r->what)
		str_addf(&s, " of %s", r->what);
	if (r->what && r->name)
		str_addf(&s, " %s", r->name);
	if (n->kind == YAML_SCALAR && !yaml_is_null(n))
		schema_bad(r, n, "%s must be %s, not \"%s\"", str_text(&s),
			   want, n->text);
	else
		schema_bad(r, n, "%s must be %s, not %s", str_text(&s), want,
			   yaml_is_null(n) ? "empty" : yaml_kind_name(n->kind));
	str_fini(&s);
}

const char *types_scalar(struct schema_reader *r, const struct schema_key *k,
			 const struct yaml_node *n)
{
	if (n->kind == YAML_SCALAR && !yaml_is_null(n))
		return n->text;
	types_bad(r, k, n, k->type->want);
	return NULL;
}

int types_number(const char *s, uint32_t *out)
{
	size_t n = strlen(s);
	uint64_t v;

	if (!n || n > 10 || strspn(s, "0123456789") != n)
		return -EINVAL;
	v = strtoull(s, NULL, 10);
	if (v > UINT32_MAX)
		return -ERANGE;
	*out = (uint32_t)v;
	return 0;
}

static struct yaml_node *plain(const char *text)
{
	struct yaml_node *n = yaml_scalar(text);

	n->quoted = false;
	return n;
}

static uint32_t key_max(const struct schema_key *k)
{
	return k->max ? k->max : UINT32_MAX;
}

/* --- bool ----------------------------------------------------------------- */

static void bool_parse(struct schema_reader *r, const struct schema_key *k,
		       const struct yaml_node *n, void *field)
{
	const char *s = types_scalar(r, k, n);

	if (!s)
		return;
	if (strcmp(s, "true") && strcmp(s, "false"))
		types_bad(r, k, n, k->type->want);
	else
		*(bool *)field = !strcmp(s, "true");
}

static struct yaml_node *bool_format(const struct schema_key *k,
				     const void *field)
{
	bool v = *(const bool *)field;

	return v == !!k->def ? NULL : plain(v ? "true" : "false");
}

static void bool_init(const struct schema_key *k, void *field)
{
	*(bool *)field = k->def;
}

const struct schema_type schema_bool = {
	.name = "true or false",
	.want = "true or false",
	.parse = bool_parse,
	.format = bool_format,
	.init = bool_init,
};

/* --- number --------------------------------------------------------------- */

static void number_parse(struct schema_reader *r, const struct schema_key *k,
			 const struct yaml_node *n, void *field)
{
	const char *s = types_scalar(r, k, n);
	char want[64];
	uint32_t v;

	if (!s)
		return;
	if (types_number(s, &v) || v < k->min || v > key_max(k)) {
		snprintf(want, sizeof(want), "a number from %u to %u", k->min,
			 key_max(k));
		types_bad(r, k, n, want);
		return;
	}
	*(uint32_t *)field = v;
}

static struct yaml_node *number_format(const struct schema_key *k,
				       const void *field)
{
	uint32_t v = *(const uint32_t *)field;
	char text[16];

	if (v == k->def && !k->required)
		return NULL;
	snprintf(text, sizeof(text), "%u", v);
	return plain(text);
}

static void number_init(const struct schema_key *k, void *field)
{
	*(uint32_t *)field = k->def;
}

const struct schema_type schema_number = {
	.name = "number",
	.want = "a number",
	.parse = number_parse,
	.format = number_format,
	.init = number_init,
};

/* --- duration: milliseconds ----------------------------------------------- */

static const struct {
	const char *unit;
	uint32_t ms;
} units[] = { { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 } };

static int duration(const char *s, uint32_t *ms)
{
	size_t digits = strspn(s, "0123456789");
	char number[11];
	uint32_t v;

	if (!digits || digits >= sizeof(number))
		return -EINVAL;
	memcpy(number, s, digits);
	number[digits] = '\0';
	if (types_number(number, &v))
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(s + digits, units[i].unit))
			continue;
		if ((uint64_t)v * units[i].ms > UINT32_MAX)
			return -ERANGE;
		*ms = v * units[i].ms;
		return 0;
	}
	return -EINVAL;
}

static void duration_text(uint32_t ms, char *buf, size_t size)
{
	size_t i = 0;

	while (ms % units[i].ms)
		i++;
	snprintf(buf, size, "%u%s", ms / units[i].ms, units[i].unit);
}

static void duration_parse(struct schema_reader *r, const struct schema_key *k,
			   const struct yaml_node *n, void *field)
{
	const char *s = types_scalar(r, k, n);
	char min[16], max[16], want[96];
	uint32_t ms;

	if (!s)
		return;
	if (duration(s, &ms) || ms < k->min || ms > key_max(k)) {
		duration_text(k->min, min, sizeof(min));
		duration_text(key_max(k), max, sizeof(max));
		snprintf(want, sizeof(want),
			 "a time with its unit (ms, s, m, h) from %s to %s",
			 min, max);
		types_bad(r, k, n, want);
		return;
	}
	*(uint32_t *)field = ms;
}

static struct yaml_node *duration_format(const struct schema_key *k,
					 const void *field)
{
	uint32_t ms = *(const uint32_t *)field;
	char text[16];

	if (ms == k->def)
		return NULL;
	duration_text(ms, text, sizeof(text));
	return plain(text);
}

const struct schema_type schema_duration = {
	.name = "time",
	.want = "a time with its unit, as 300s or 5m",
	.parse = duration_parse,
	.format = duration_format,
	.init = number_init,
};

/* --- text, names ---------------------------------------------------------- */

static void text_set(void *field, const char *s)
{
	free(*(char **)field);
	*(char **)field = xstrdup(s);
}

static void text_parse(struct schema_reader *r, const struct schema_key *k,
		       const struct yaml_node *n, void *field)
{
	const char *s = types_scalar(r, k, n);

	if (s && !*s)
		types_bad(r, k, n, k->type->want);
	else if (s)
		text_set(field, s);
}

static void name_parse(struct schema_reader *r, const struct schema_key *k,
		       const struct yaml_node *n, void *field)
{
	const char *s = types_scalar(r, k, n);

	if (s && !schema_is_name(s))
		types_bad(r, k, n, k->type->want);
	else if (s)
		text_set(field, s);
}

static void device_parse(struct schema_reader *r, const struct schema_key *k,
			 const struct yaml_node *n, void *field)
{
	const char *s = types_scalar(r, k, n);

	if (s && !schema_is_device(s))
		types_bad(r, k, n, k->type->want);
	else if (s)
		text_set(field, s);
}

static struct yaml_node *text_format(const struct schema_key *k UNUSED,
				     const void *field)
{
	const char *s = *(char *const *)field;

	return s ? yaml_scalar(s) : NULL;
}

static void text_copy(const struct schema_key *k UNUSED, void *field)
{
	char **s = field;

	*s = *s ? xstrdup(*s) : NULL;
}

static void text_fini(const struct schema_key *k UNUSED, void *field)
{
	free(*(char **)field);
	*(char **)field = NULL;
}

const struct schema_type schema_text = {
	.name = "text",
	.want = "text",
	.parse = text_parse,
	.format = text_format,
	.copy = text_copy,
	.fini = text_fini,
};

const struct schema_type schema_name = {
	.name = "name",
	.want = "a name (letters, digits, - _ .; at most 63)",
	.parse = name_parse,
	.format = text_format,
	.copy = text_copy,
	.fini = text_fini,
};

const struct schema_type schema_device = {
	.name = "device name",
	.want = "a device's name (at most 15 characters, no / : % or space)",
	.parse = device_parse,
	.format = text_format,
	.copy = text_copy,
	.fini = text_fini,
};

/* --- addresses ------------------------------------------------------------ */

static void mac_parse(struct schema_reader *r, const struct schema_key *k,
		      const struct yaml_node *n, void *field)
{
	const char *s = types_scalar(r, k, n);
	struct eth_addr mac;

	if (!s)
		return;
	if (eth_addr_parse(s, &mac) || eth_addr_is_multicast(mac) ||
	    eth_addr_is_zero(mac))
		types_bad(r, k, n, k->type->want);
	else
		*(struct eth_addr *)field = mac;
}

static struct yaml_node *mac_format(const struct schema_key *k UNUSED,
				    const void *field)
{
	struct eth_addr mac = *(const struct eth_addr *)field;
	char text[ETH_STR_LEN];

	if (eth_addr_is_zero(mac))
		return NULL;
	return yaml_scalar(eth_addr_format(mac, text));
}

const struct schema_type schema_mac = {
	.name = "MAC address",
	.want = "a station's MAC address, as 02:00:00:12:34:56",
	.parse = mac_parse,
	.format = mac_format,
};

static void addr_parse(struct schema_reader *r, const struct schema_key *k,
		       const struct yaml_node *n, void *field)
{
	const char *s = types_scalar(r, k, n);

	if (s && ip_addr_parse(s, field))
		types_bad(r, k, n, k->type->want);
}

static struct yaml_node *addr_format(const struct schema_key *k UNUSED,
				     const void *field)
{
	const struct ip_addr *a = field;
	char text[IP_STR_LEN];

	return a->family ? yaml_scalar(ip_addr_format(a, text)) : NULL;
}

const struct schema_type schema_addr = {
	.name = "address",
	.want = "an IPv4 or IPv6 address",
	.parse = addr_parse,
	.format = addr_format,
};

static void prefix_parse(struct schema_reader *r, const struct schema_key *k,
			 const struct yaml_node *n, void *field)
{
	const char *s = types_scalar(r, k, n);

	if (s && ip_prefix_parse(s, field))
		types_bad(r, k, n, k->type->want);
}

static struct yaml_node *prefix_format(const struct schema_key *k UNUSED,
				       const void *field)
{
	const struct ip_prefix *p = field;
	char text[PREFIX_STR_LEN];

	return p->addr.family ? yaml_scalar(ip_prefix_format(p, text)) : NULL;
}

const struct schema_type schema_prefix = {
	.name = "prefix",
	.want = "an address with its prefix length, as 10.1.0.0/24",
	.parse = prefix_parse,
	.format = prefix_format,
};

/* --- one word of several -------------------------------------------------- */

unsigned types_words(const struct schema_key *k, struct str *out)
{
	unsigned i;

	for (i = 0; k->words[i]; i++)
		str_addf(out, "%s%s", i ? ", " : "one of ", k->words[i]);
	return i;
}

static void choice_parse(struct schema_reader *r, const struct schema_key *k,
			 const struct yaml_node *n, void *field)
{
	const char *s = types_scalar(r, k, n), *near;
	struct str want = STR_INIT;

	if (!s)
		return;
	for (unsigned i = 0; k->words[i]; i++) {
		if (!strcmp(s, k->words[i])) {
			*(unsigned *)field = i;
			return;
		}
	}
	near = str_nearest(s, k->words, types_words(k, &want));
	if (near)
		str_addf(&want, " (did you mean \"%s\"?)", near);
	types_bad(r, k, n, str_text(&want));
	str_fini(&want);
}

static struct yaml_node *choice_format(const struct schema_key *k,
				       const void *field)
{
	unsigned v = *(const unsigned *)field;

	return v == k->def && !k->required ? NULL : yaml_scalar(k->words[v]);
}

const struct schema_type schema_choice = {
	.name = "word",
	.want = "one word",
	.parse = choice_parse,
	.format = choice_format,
	.init = number_init,
};
