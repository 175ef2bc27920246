/* SPDX-License-Identifier: Apache-2.0 */
/* `weft drops`: who, why, how many, since when, and the last packet of each
 * kind. The most frequent first. */
#include "cli/cli.h"
#include "cli/js.h"
#include "cli/table.h"

static int by_packets(const void *a, const void *b)
{
	struct json_object *const *x = a, *const *y = b;
	uint64_t n = js_number(*x, "packets"), m = js_number(*y, "packets");

	return n > m ? -1 : n < m;
}

static void age_cell(struct table *t, struct json_object *o, const char *key)
{
	if (js_has(o, key))
		table_take(t, js_age(js_number(o, key)));
	else
		table_add(t, "");
}

static void drops_table(const struct cli *c, struct json_object **v, unsigned n,
			struct str *out)
{
	struct table t;

	table_init(&t, "PORT|>PACKETS|>SINCE|>LAST|REASON|WHY");
	for (unsigned i = 0; i < n; i++) {
		table_add(&t, js_text(v[i], "port"));
		table_take(&t, js_human(js_number(v[i], "packets")));
		age_cell(&t, v[i], "since_ms");
		age_cell(&t, v[i], "ago_ms");
		table_add(&t, js_text(v[i], "reason"));
		table_add(&t, js_text(v[i], "why"));
	}
	table_format(&t, c->colour, out);
	table_fini(&t);
}

static void last_packets(const struct cli *c, struct json_object **v,
			 unsigned n, struct str *out)
{
	bool first = true;

	for (unsigned i = 0; i < n; i++) {
		struct json_object *last = NULL;

		if (!json_object_object_get_ex(v[i], "last", &last) || !last)
			continue;
		if (first)
			str_addf(out, "\n%sThe last of each:%s\n",
				 cli_colour(c, "bold"), cli_colour(c, "end"));
		first = false;
		str_addf(out, "%s, %s:\n  %s\n", js_text(v[i], "port"),
			 js_text(v[i], "reason"), js_text(last, "text"));
	}
}

static void drops_text(const struct cli *c, struct json_object *list,
		       struct str *out)
{
	unsigned n = js_length(list);
	struct json_object **v = xcalloc(n + 1, sizeof(struct json_object *));

	for (unsigned i = 0; i < n; i++)
		v[i] = js_item(list, i);
	qsort(v, n, sizeof(struct json_object *), by_packets);
	if (n) {
		drops_table(c, v, n, out);
		last_packets(c, v, n, out);
	} else {
		str_add(out, "nothing was dropped\n");
	}
	free(v);
}

int cli_drops(struct cli *c)
{
	struct json_object *p = json_object_new_object(), *list;
	struct str s = STR_INIT;
	int rc;

	json_object_object_add(p, "kind", json_object_new_string("drops"));
	list = cli_ask(c, "show", p, &rc);
	if (list && !cli_print_json(c, list)) {
		drops_text(c, list, &s);
		cli_print(c, &s);
	}
	str_fini(&s);
	json_object_put(list);
	return rc;
}
