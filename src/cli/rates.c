/* SPDX-License-Identifier: Apache-2.0 */
/* Two looks at the counters, and the rates between them. */
#include <inttypes.h>

#include "cli/cli.h"
#include "cli/js.h"
#include "cli/table.h"
#include "cli/top.h"

/* --- looks ----------------------------------------------------------------- */

static struct top_row *add_row(struct top_table *t, char *key)
{
	struct top_row *r;

	if (t->n == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 16;
		t->rows = xrealloc(t->rows, t->cap * sizeof(*t->rows));
	}
	r = &t->rows[t->n++];
	*r = (struct top_row){ .key = key };
	return r;
}

static void port_row(struct top_table *t, struct json_object *o)
{
	struct json_object *drops = NULL;
	struct top_row *r = add_row(t, xstrdup(js_text(o, "name")));

	r->name = xstrdup(js_text(o, "name"));
	r->state = xstrdup(js_text(o, "state"));
	r->count[TOP_RX_P] = js_number(o, "rx_packets");
	r->count[TOP_RX_B] = js_number(o, "rx_bytes");
	r->count[TOP_TX_P] = js_number(o, "tx_packets");
	r->count[TOP_TX_B] = js_number(o, "tx_bytes");
	if (!json_object_object_get_ex(o, "drops", &drops) || !drops)
		return;
	json_object_object_foreach(drops, reason, n)
	{
		(void)reason;
		r->count[TOP_DROP] += json_object_get_uint64(n);
	}
}

/* Without what nearly every flow has: it is an Ethernet frame. */
static char *shorter(const char *match)
{
	static const char usual[] = "packet_type=0x0,";
	const char *at = strstr(match, usual);

	return at ? xasprintf("%.*s%s", (int)(at - match), match,
			      at + sizeof(usual) - 1) :
		    xstrdup(match);
}

static void flow_row(struct top_table *t, struct json_object *o)
{
	struct top_row *r = add_row(
		t, xasprintf("%s %s %" PRIu64, js_text(o, "port"),
			     js_text(o, "match"), js_number(o, "worker")));

	r->name = xstrdup(js_text(o, "port"));
	r->what = shorter(js_text(o, "match"));
	r->count[TOP_RX_P] = js_number(o, "packets");
	r->count[TOP_RX_B] = js_number(o, "bytes");
}

/* The value of `key=` in a match; to be freed, NULL when it is not there, or,
 * unless `part`, when only a part of the address was looked at. */
static char *value_of(const char *match, const char *key, bool part)
{
	size_t n = strlen(key);
	const char *at = match;

	for (; (at = strstr(at, key)); at += n) {
		size_t len = strcspn(at + n + 1, ",");

		if (at[n] != '=' || (at != match && at[-1] != ','))
			continue;
		if (!part && memchr(at + n + 1, '/', len))
			return NULL;
		return xstrndup(at + n + 1, len);
	}
	return NULL;
}

static const char *address_of_mac(struct json_object *neighbours,
				  const char *mac)
{
	for (unsigned i = 0; i < js_length(neighbours); i++) {
		struct json_object *n = js_item(neighbours, i);

		if (!strcmp(js_text(n, "mac"), mac))
			return js_text(n, "address");
	}
	return NULL;
}

/* Who sends: by its IP address, else by its MAC, else by what was looked at of
 * them. */
static char *sender_of(struct json_object *o, struct json_object *neighbours)
{
	static const char *const keys[] = { "ip_src", "ipv6_src", "eth_src" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		char *v = value_of(js_text(o, "match"), keys[i], false);
		const char *ip = v ? address_of_mac(neighbours, v) : NULL;

		if (ip) {
			free(v);
			return xstrdup(ip);
		}
		if (v)
			return v;
	}
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		char *v = value_of(js_text(o, "match"), keys[i], true);

		if (v)
			return v;
	}
	return xstrdup("?");
}

static struct top_row *find_row(const struct top_table *t, const char *key)
{
	for (unsigned i = 0; i < t->n; i++)
		if (!strcmp(t->rows[i].key, key))
			return &t->rows[i];
	return NULL;
}

static void talker_row(struct top_table *t, struct json_object *o,
		       struct json_object *neighbours)
{
	char *sender = sender_of(o, neighbours);
	char *key = xasprintf("%s %s", sender, js_text(o, "port"));
	struct top_row *r = find_row(t, key);

	if (r) {
		free(key);
		free(sender);
	} else {
		r = add_row(t, key);
		r->what = sender;
		r->name = xstrdup(js_text(o, "port"));
	}
	r->count[TOP_RX_P] += js_number(o, "packets");
	r->count[TOP_RX_B] += js_number(o, "bytes");
	r->n_flows++;
}

static void drop_row(struct top_table *t, struct json_object *o)
{
	struct top_row *r = add_row(t, xasprintf("%s %s", js_text(o, "port"),
						 js_text(o, "reason")));

	r->name = xstrdup(js_text(o, "port"));
	r->state = xstrdup(js_text(o, "reason"));
	r->what = xstrdup(js_text(o, "why"));
	r->count[TOP_RX_P] = js_number(o, "packets");
}

static int by_key(const void *a, const void *b)
{
	const struct top_row *x = a, *y = b;

	return strcmp(x->key, y->key);
}

static void sort_by_key(struct top_table *t)
{
	if (t->n)
		qsort(t->rows, t->n, sizeof(*t->rows), by_key);
}

void top_look_read(struct top_look *l, const struct top_answers *a)
{
	memset(l->tables, 0, sizeof(l->tables));
	for (unsigned i = 0; i < js_length(a->ports); i++)
		port_row(&l->tables[TOP_PORTS], js_item(a->ports, i));
	for (unsigned i = 0; i < js_length(a->flows); i++) {
		flow_row(&l->tables[TOP_FLOWS], js_item(a->flows, i));
		talker_row(&l->tables[TOP_TALKERS], js_item(a->flows, i),
			   a->neighbours);
	}
	for (unsigned i = 0; i < js_length(a->drops); i++)
		drop_row(&l->tables[TOP_DROPS], js_item(a->drops, i));
	for (unsigned v = 0; v < N_TOP_VIEWS; v++)
		sort_by_key(&l->tables[v]);
}

void top_look_fini(struct top_look *l)
{
	for (unsigned v = 0; v < N_TOP_VIEWS; v++) {
		for (unsigned i = 0; i < l->tables[v].n; i++) {
			free(l->tables[v].rows[i].key);
			free(l->tables[v].rows[i].name);
			free(l->tables[v].rows[i].what);
			free(l->tables[v].rows[i].state);
		}
		free(l->tables[v].rows);
	}
	*l = (struct top_look){ 0 };
}

/* --- rates ----------------------------------------------------------------- */

/* `before` is sorted by key: looks are, until they are shown. */
static void rate_row(struct top_row *r, const struct top_table *before,
		     uint64_t ms)
{
	const struct top_row *old =
		before->n ? bsearch(r, before->rows, before->n,
				    sizeof(*before->rows), by_key) :
			    NULL;

	for (unsigned i = 0; i < TOP_COUNTERS; i++) {
		uint64_t was = old ? old->count[i] : 0;
		uint64_t n =
			r->count[i] >= was ? r->count[i] - was : r->count[i];

		r->rate[i] = (uint64_t)((double)n * 1000 / (double)ms);
	}
}

void top_rates(struct top_look *now, const struct top_look *before)
{
	uint64_t ms = now->at_ms - before->at_ms;

	if (!ms)
		ms = 1;
	for (unsigned v = 0; v < N_TOP_VIEWS; v++)
		for (unsigned i = 0; i < now->tables[v].n; i++)
			rate_row(&now->tables[v].rows[i], &before->tables[v],
				 ms);
}

/* --- order ------------------------------------------------------------------ */

static const char *const names[N_TOP_VIEWS] = { "ports", "flows", "talkers",
						"drops" };
static const char *const port_keys[] = { "bits",  "rx",   "tx",
					 "drops", "name", NULL };
static const char *const other_keys[] = { "bits", "packets", "name", NULL };
static const char *const drop_keys[] = { "packets", "total", "name", NULL };

const char *top_view_name(enum top_view v)
{
	return names[v];
}

const char *const *top_sort_keys(enum top_view v)
{
	return v == TOP_PORTS ? port_keys :
	       v == TOP_DROPS ? drop_keys :
				other_keys;
}

static uint64_t weight(const struct top_row *r, const char *key)
{
	if (!strcmp(key, "bits"))
		return r->rate[TOP_RX_B] + r->rate[TOP_TX_B];
	if (!strcmp(key, "tx"))
		return r->rate[TOP_TX_P];
	if (!strcmp(key, "drops"))
		return r->rate[TOP_DROP];
	if (!strcmp(key, "total"))
		return r->count[TOP_RX_P];
	return r->rate[TOP_RX_P];
}

static int compare(const void *a, const void *b, void *key)
{
	const struct top_row *x = a, *y = b;
	uint64_t n = weight(x, key), m = weight(y, key);

	if (strcmp(key, "name") && n != m)
		return n > m ? -1 : 1;
	return strcmp(x->key, y->key);
}

void top_sort(struct top_table *t, enum top_view v, const char *key)
{
	const char *const *keys = top_sort_keys(v), *chosen = keys[0];

	for (unsigned i = 0; key && keys[i]; i++)
		if (!strcmp(keys[i], key))
			chosen = keys[i];
	if (t->n)
		qsort_r(t->rows, t->n, sizeof(*t->rows), compare,
			(void *)(uintptr_t)chosen);
}

bool top_matches(const struct top_row *r, const char *filter)
{
	return !filter || !*filter || (r->name && strstr(r->name, filter)) ||
	       (r->what && strstr(r->what, filter)) ||
	       (r->state && strstr(r->state, filter));
}

/* --- tables ----------------------------------------------------------------- */

static const char *const heads[N_TOP_VIEWS] = {
	[TOP_PORTS] = "PORT|STATE|>RX/S|>RX BIT/S|>TX/S|>TX BIT/S|>DROP/S",
	[TOP_FLOWS] = "PORT|>PKT/S|>BIT/S|MATCH",
	[TOP_TALKERS] = "FROM|PORT|>PKT/S|>BIT/S|>FLOWS",
	[TOP_DROPS] = "PORT|>PKT/S|>TOTAL|REASON|WHY",
};

static void number(struct table *t, uint64_t n)
{
	table_take(t, js_human(n));
}

static void add_cells(struct table *t, enum top_view v, const struct top_row *r)
{
	if (v == TOP_TALKERS)
		table_add(t, r->what);
	table_add(t, r->name);
	if (v == TOP_PORTS)
		table_add(t, r->state);
	number(t, r->rate[TOP_RX_P]);
	if (v == TOP_DROPS) {
		number(t, r->count[TOP_RX_P]);
		table_add(t, r->state);
		table_add(t, r->what);
		return;
	}
	number(t, r->rate[TOP_RX_B] * 8);
	if (v == TOP_FLOWS) {
		table_add(t, r->what);
	} else if (v == TOP_TALKERS) {
		number(t, r->n_flows);
	} else {
		number(t, r->rate[TOP_TX_P]);
		number(t, r->rate[TOP_TX_B] * 8);
		number(t, r->rate[TOP_DROP]);
	}
}

/* Lines that are too long end in "...". */
static void cut_lines(const char *text, unsigned width, struct str *out)
{
	while (*text) {
		size_t n = strcspn(text, "\n");
		char *line = xstrndup(text, n);

		if (table_width(line) > width && width > 3 && n > width - 3) {
			str_add_n(out, text, width - 3);
			str_add(out, "...");
		} else {
			str_add(out, line);
		}
		str_add_char(out, '\n');
		free(line);
		text += n + (text[n] == '\n');
	}
}

void top_format(const struct top_table *t, enum top_view v,
		const struct top_shape *shape, struct str *out)
{
	struct str text = STR_INIT;
	unsigned shown = 0, left = 0;
	struct table table;

	table_init(&table, heads[v]);
	for (unsigned i = 0; i < t->n; i++) {
		if (!top_matches(&t->rows[i], shape->filter))
			continue;
		if (shown == shape->max) {
			left++;
			continue;
		}
		add_cells(&table, v, &t->rows[i]);
		shown++;
	}
	if (shown)
		table_format(&table, false, &text);
	else
		str_addf(&text, "no %s%s\n", top_view_name(v),
			 shape->filter && *shape->filter ? " that match" : "");
	table_fini(&table);
	cut_lines(str_text(&text), shape->width, out);
	if (left)
		str_addf(out, "... and %u more\n", left);
	str_fini(&text);
}

/* --- JSON -------------------------------------------------------------------- */

static void put(struct json_object *o, const char *key, uint64_t v)
{
	json_object_object_add(o, key, json_object_new_uint64(v));
}

static void put_text(struct json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, json_object_new_string(text));
}

static struct json_object *row_json(enum top_view v, const struct top_row *r)
{
	struct json_object *o = json_object_new_object();

	put_text(o, "port", r->name);
	switch (v) {
	case TOP_PORTS:
		put_text(o, "state", r->state);
		put(o, "rx_packets_s", r->rate[TOP_RX_P]);
		put(o, "rx_bits_s", r->rate[TOP_RX_B] * 8);
		put(o, "tx_packets_s", r->rate[TOP_TX_P]);
		put(o, "tx_bits_s", r->rate[TOP_TX_B] * 8);
		put(o, "drops_s", r->rate[TOP_DROP]);
		return o;
	case TOP_FLOWS:
		put_text(o, "match", r->what);
		break;
	case TOP_TALKERS:
		put_text(o, "from", r->what);
		put(o, "flows", r->n_flows);
		break;
	case TOP_DROPS:
		put_text(o, "reason", r->state);
		put(o, "packets_s", r->rate[TOP_RX_P]);
		put(o, "packets", r->count[TOP_RX_P]);
		return o;
	case N_TOP_VIEWS:
		break;
	}
	put(o, "packets_s", r->rate[TOP_RX_P]);
	put(o, "bits_s", r->rate[TOP_RX_B] * 8);
	return o;
}

struct json_object *top_json(const struct top_look *l, uint64_t interval_ms,
			     const char *filter)
{
	struct json_object *o = json_object_new_object();

	put(o, "interval_ms", interval_ms);
	for (unsigned v = 0; v < N_TOP_VIEWS; v++) {
		struct json_object *a = json_object_new_array();
		const struct top_table *t = &l->tables[v];

		for (unsigned i = 0; i < t->n; i++)
			if (top_matches(&t->rows[i], filter))
				json_object_array_add(a,
						      row_json((enum top_view)v,
							       &t->rows[i]));
		json_object_object_add(o, names[v], a);
	}
	return o;
}
