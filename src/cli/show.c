/* SPDX-License-Identifier: Apache-2.0 */
/* `weft show KIND`: one table for each kind. */
#include <inttypes.h>

#include "cli/cli.h"
#include "cli/js.h"
#include "cli/table.h"

/* --- cells ---------------------------------------------------------------- */

static void cell(struct table *t, struct json_object *o, const char *key)
{
	table_add(t, js_text(o, key));
}

/* Empty when 0. */
static void cell_number(struct table *t, struct json_object *o, const char *key)
{
	uint64_t v = js_number(o, key);

	table_take(t, v ? xasprintf("%" PRIu64, v) : xstrdup(""));
}

static void cell_human(struct table *t, struct json_object *o, const char *key)
{
	table_take(t, js_human(js_number(o, key)));
}

static void cell_age(struct table *t, struct json_object *o, const char *key)
{
	table_take(t, js_age(js_number(o, key)));
}

/* --- kinds ---------------------------------------------------------------- */

static void port_row(struct table *t, struct json_object *o)
{
	const char *network = js_text(o, "network");
	const char *bridge = js_text(o, "bridge");

	cell(t, o, "name");
	cell(t, o, "type");
	cell(t, o, "state");
	table_add(t, js_flag(o, "fast") ? "yes" : "");
	table_add(t, *network ? network :
		     *bridge  ? bridge :
				js_text(o, "router"));
	table_add(t, strcmp(js_text(o, "device"), js_text(o, "name")) ?
			     js_text(o, "device") :
			     "");
	cell_number(t, o, "mtu");
	cell_human(t, o, "rx_packets");
	cell_human(t, o, "tx_packets");
	table_take(t, js_join(o, "addresses"));
	cell(t, o, "missing");
}

static void network_row(struct table *t, struct json_object *o)
{
	cell(t, o, "name");
	cell_number(t, o, "vni");
	cell_number(t, o, "vlan");
	table_add(t, strcmp(js_text(o, "bridge"), js_text(o, "name")) ?
			     js_text(o, "bridge") :
			     "");
	cell_number(t, o, "mtu");
	cell(t, o, "router");
	table_take(t, xasprintf("%u", js_count(o, "ports")));
	table_take(t, js_join(o, "subnets"));
}

static void bridge_row(struct table *t, struct json_object *o)
{
	cell(t, o, "name");
	table_add(t, js_flag(o, "vlan_aware") ? "yes" : "no");
	table_add(t, js_flag(o, "loop_guard") ? "on" : "off");
	table_take(t, xasprintf("%" PRIu64 " of %" PRIu64, js_number(o, "macs"),
				js_number(o, "mac_limit")));
	cell_human(t, o, "mac_moves");
	cell_human(t, o, "mac_evictions");
	table_take(t, js_origin(o));
}

static void neighbour_row(struct table *t, struct json_object *o)
{
	cell(t, o, "network");
	cell(t, o, "address");
	cell(t, o, "mac");
	cell(t, o, "state");
	cell(t, o, "port");
	cell_number(t, o, "waiting");
	cell_age(t, o, "age_ms");
}

static void mac_row(struct table *t, struct json_object *o)
{
	cell(t, o, "bridge");
	cell_number(t, o, "vlan");
	cell(t, o, "mac");
	cell(t, o, "port");
	if (js_flag(o, "static"))
		table_add(t, "static");
	else
		cell_age(t, o, "age_ms");
}

static void tunnel_row(struct table *t, struct json_object *o)
{
	cell(t, o, "peer");
	cell(t, o, "address");
	cell(t, o, "local");
	cell_number(t, o, "udp_port");
	cell_number(t, o, "mtu");
}

static void drop_row(struct table *t, struct json_object *o)
{
	cell(t, o, "port");
	cell_human(t, o, "packets");
	cell(t, o, "reason");
	cell(t, o, "why");
}

/* --- kinds that are no plain table ---------------------------------------- */

static void router_text(struct cli *c, struct json_object *r, struct str *out)
{
	struct table t;

	str_addf(out, "%srouter %s%s  mac %s\n", cli_colour(c, "bold"),
		 js_text(r, "name"), cli_colour(c, "end"), js_text(r, "mac"));
	table_init(&t, "  INTERFACE|>MTU|ADDRESSES");
	for (unsigned i = 0; i < js_count(r, "interfaces"); i++) {
		struct json_object *f = js_at(r, "interfaces", i);
		const char *network = js_text(f, "network");

		table_take(&t,
			   xasprintf("  %s",
				     *network ? network : js_text(f, "port")));
		cell_number(&t, f, "mtu");
		table_take(&t, js_join(f, "addresses"));
	}
	table_format(&t, c->colour, out);
	table_fini(&t);
	table_init(&t, "  TO|KIND|VIA|OUT");
	for (unsigned i = 0; i < js_count(r, "routes"); i++) {
		struct json_object *o = js_at(r, "routes", i);

		table_take(&t, xasprintf("  %s", js_text(o, "to")));
		cell(&t, o, "kind");
		cell(&t, o, "via");
		cell(&t, o, "out");
	}
	table_format(&t, c->colour, out);
	table_fini(&t);
}

/* Matches are long: each flow has two lines. */
static void flow_text(struct cli *c, struct json_object *f, struct str *out)
{
	char *packets = js_human(js_number(f, "packets"));
	char *bytes = js_human(js_number(f, "bytes"));
	char *idle = js_age(js_number(f, "idle_ms"));

	str_addf(out,
		 "%s%s%s  %s\n    %s  %s(%s packets, %s bytes, idle %s)%s\n",
		 cli_colour(c, "bold"), js_text(f, "port"),
		 cli_colour(c, "end"), js_text(f, "match"),
		 js_text(f, "actions"), cli_colour(c, "dim"), packets, bytes,
		 idle, cli_colour(c, "end"));
	free(packets);
	free(bytes);
	free(idle);
}

static const struct {
	const char *kind, *head;
	void (*row)(struct table *t, struct json_object *o);
	void (*text)(struct cli *c, struct json_object *o, struct str *out);
	const char *none;
} views[] = {
	{ "ports",
	  "PORT|TYPE|STATE|FAST|ON|DEVICE|>MTU|>RX|>TX|ADDRESSES|MISSING",
	  port_row, NULL, "no ports" },
	{ "networks", "NETWORK|>VNI|>VLAN|BRIDGE|>MTU|ROUTER|>PORTS|SUBNETS",
	  network_row, NULL, "no networks" },
	{ "bridges", "BRIDGE|VLANS|LOOP GUARD|MACS|>MOVES|>EVICTED|FROM",
	  bridge_row, NULL, "no bridges" },
	{ "routers", NULL, NULL, router_text, "no routers" },
	{ "neighbours", "NETWORK|ADDRESS|MAC|STATE|PORT|>WAITING|>AGE",
	  neighbour_row, NULL, "no neighbours are known" },
	{ "macs", "BRIDGE|>VLAN|MAC|PORT|>AGE", mac_row, NULL,
	  "no stations were learned" },
	{ "flows", NULL, NULL, flow_text, "no flows are cached" },
	{ "tunnels", "PEER|ADDRESS|FROM|>UDP PORT|>MTU", tunnel_row, NULL,
	  "no tunnels" },
	{ "drops", "PORT|>PACKETS|REASON|WHY", drop_row, NULL,
	  "nothing was dropped" },
};

static void kind_text(struct cli *c, unsigned view, struct json_object *list,
		      struct str *out)
{
	struct table t;

	if (!js_length(list)) {
		str_addf(out, "%s\n", views[view].none);
		return;
	}
	if (!views[view].row) {
		for (unsigned i = 0; i < js_length(list); i++)
			views[view].text(c, js_item(list, i), out);
		return;
	}
	table_init(&t, views[view].head);
	for (unsigned i = 0; i < js_length(list); i++)
		views[view].row(&t, js_item(list, i));
	table_format(&t, c->colour, out);
	table_fini(&t);
}

static int show(struct cli *c, unsigned view)
{
	struct json_object *p = json_object_new_object(), *list;
	struct str s = STR_INIT;
	int rc;

	json_object_object_add(p, "kind",
			       json_object_new_string(views[view].kind));
	list = cli_ask(c, "show", p, &rc);
	if (list && !cli_print_json(c, list)) {
		kind_text(c, view, list, &s);
		cli_print(c, &s);
	}
	str_fini(&s);
	json_object_put(list);
	return rc;
}

static int show_kind(struct cli *c, const char *kind)
{
	const char *near;
	unsigned n = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(views); i++) {
		if (!strcmp(views[i].kind, kind))
			return show(c, i);
	}
	while (cli_kinds[n])
		n++;
	near = str_nearest(kind, cli_kinds, n);
	return cli_usage(c, "\"%s\" cannot be shown%s%s%s", kind,
			 near ? "; did you mean \"" : "", near ? near : "",
			 near ? "\"?" : "");
}

static int show_nothing(struct cli *c)
{
	struct str s = STR_INIT;
	int rc;

	for (unsigned i = 0; cli_kinds[i]; i++)
		str_addf(&s, "%s%s", i ? ", " : "", cli_kinds[i]);
	rc = cli_usage(c, "show needs one of %s", str_text(&s));
	str_fini(&s);
	return rc;
}

int cli_show(struct cli *c)
{
	return c->n_args ? show_kind(c, c->args[0]) : show_nothing(c);
}
