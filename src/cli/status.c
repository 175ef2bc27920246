/* SPDX-License-Identifier: Apache-2.0 */
/* `weft` alone: everything on one screen. */
#include <inttypes.h>

#include "cli/cli.h"
#include "cli/js.h"
#include "cli/table.h"

#define DROPS_SHOWN 5u
#define PORTS_SHOWN 24u /* below one network; the rest is counted */

struct signs {
	const char *branch, *last, *down, *none, *up, *off, *tunnel;
};

static const struct signs utf8_signs = { "├─ ", "└─ ", "│  ", "   ",
					 "●",   "○",   "⇄" };
static const struct signs ascii_signs = { "|- ", "`- ", "|  ", "   ",
					  "*",   "o",   "=" };

struct screen {
	struct cli *c;
	struct json_object *status;
	const struct signs *signs;
	struct str *out;
};

/* --- leaves --------------------------------------------------------------- */

static bool text_is(struct json_object *o, const char *key, const char *text)
{
	return !strcmp(js_text(o, key), text);
}

static void state_sign(const struct screen *s, struct json_object *port)
{
	bool up = text_is(port, "state", "up");

	str_addf(s->out, "%s%s%s ", cli_colour(s->c, up ? "green" : "red"),
		 up ? s->signs->up : s->signs->off, cli_colour(s->c, "end"));
}

/* "● vm1  tap  10.1.0.11/24  rx 12k tx 9k" */
static void port_line(const struct screen *s, struct json_object *port)
{
	char *rx = js_human(js_number(port, "rx_packets"));
	char *tx = js_human(js_number(port, "tx_packets"));
	char *addresses = js_join(port, "addresses");

	state_sign(s, port);
	str_addf(s->out, "%-12s %-6s", js_text(port, "name"),
		 js_text(port, "type"));
	if (!text_is(port, "state", "up"))
		str_addf(s->out, " %s%s%s", cli_colour(s->c, "red"),
			 js_text(port, "state"), cli_colour(s->c, "end"));
	if (*js_text(port, "missing"))
		str_addf(s->out, " (%s)", js_text(port, "missing"));
	if (*addresses)
		str_addf(s->out, " %s", addresses);
	str_addf(s->out, "  %srx %s tx %s%s\n", cli_colour(s->c, "dim"), rx, tx,
		 cli_colour(s->c, "end"));
	free(rx);
	free(tx);
	free(addresses);
}

static void peer_line(const struct screen *s, struct json_object *peer)
{
	str_addf(s->out, "%s %-12s tunnel %s\n", s->signs->tunnel,
		 js_text(peer, "peer"), js_text(peer, "address"));
}

/* --- one network, with what hangs on it ------------------------------------ */

static void network_title(const struct screen *s, struct json_object *n)
{
	char *subnets = js_join(n, "subnets");

	str_addf(s->out, "%s%s%s", cli_colour(s->c, "bold"), js_text(n, "name"),
		 cli_colour(s->c, "end"));
	if (*subnets)
		str_addf(s->out, "  %s", subnets);
	if (js_number(n, "vni"))
		str_addf(s->out, "  vni %" PRIu64, js_number(n, "vni"));
	if (js_number(n, "vlan"))
		str_addf(s->out, "  vlan %" PRIu64 " of %s",
			 js_number(n, "vlan"), js_text(n, "bridge"));
	str_addf(s->out, "  mtu %" PRIu64 "\n", js_number(n, "mtu"));
	free(subnets);
}

static struct json_object *port_of_name(const struct screen *s,
					const char *name)
{
	for (unsigned i = 0; i < js_count(s->status, "ports"); i++) {
		struct json_object *p = js_at(s->status, "ports", i);

		if (text_is(p, "name", name))
			return p;
	}
	return NULL;
}

/* The beginning of a line: what is left of the tree, then the branch. */
static void branch(const struct screen *s, const char *stem, bool last)
{
	str_addf(s->out, "%s%s", stem,
		 last ? s->signs->last : s->signs->branch);
}

static void network_ports(const struct screen *s, struct json_object *n,
			  const char *stem, bool more)
{
	unsigned count = js_count(n, "ports");
	unsigned shown = MIN(count, PORTS_SHOWN);

	for (unsigned i = 0; i < shown; i++) {
		struct json_object *name = js_at(n, "ports", i), *p;

		p = port_of_name(s, json_object_get_string(name));
		branch(s, stem, i + 1 == count && !more);
		if (p)
			port_line(s, p);
		else
			str_addf(s->out, "%s\n", json_object_get_string(name));
	}
	if (shown < count) {
		branch(s, stem, !more);
		str_addf(s->out, "... and %u more (weft show ports)\n",
			 count - shown);
	}
}

static void network_tree(const struct screen *s, struct json_object *n,
			 const char *stem)
{
	unsigned peers =
		js_number(n, "vni") ? js_count(s->status, "tunnels") : 0;

	network_title(s, n);
	network_ports(s, n, stem, peers > 0);
	for (unsigned i = 0; i < peers; i++) {
		branch(s, stem, i + 1 == peers);
		peer_line(s, js_at(s->status, "tunnels", i));
	}
}

/* --- routers, with networks and layer-3 ports ----------------------------- */

static struct json_object *network_of_name(const struct screen *s,
					   const char *name)
{
	for (unsigned i = 0; i < js_count(s->status, "networks"); i++) {
		struct json_object *n = js_at(s->status, "networks", i);

		if (text_is(n, "name", name))
			return n;
	}
	return NULL;
}

static void interface_tree(const struct screen *s, struct json_object *f,
			   bool last)
{
	struct json_object *n = network_of_name(s, js_text(f, "network"));
	struct json_object *p = port_of_name(s, js_text(f, "port"));

	branch(s, "", last);
	if (n)
		network_tree(s, n, last ? s->signs->none : s->signs->down);
	else if (p)
		port_line(s, p);
	else
		str_add_char(s->out, '\n');
}

static void router_tree(const struct screen *s, struct json_object *r)
{
	unsigned n = js_count(r, "interfaces");

	str_addf(s->out, "\n%srouter %s%s  mac %s\n", cli_colour(s->c, "bold"),
		 js_text(r, "name"), cli_colour(s->c, "end"),
		 js_text(r, "mac"));
	for (unsigned i = 0; i < n; i++)
		interface_tree(s, js_at(r, "interfaces", i), i + 1 == n);
}

/* --- the rest ------------------------------------------------------------- */

/* An untagged domain that nobody named and nobody is in says nothing. */
static bool is_worth_showing(struct json_object *n)
{
	return !*js_text(n, "router") &&
	       (js_count(n, "ports") || js_count(n, "subnets") ||
		js_number(n, "vni"));
}

static void lone_networks(const struct screen *s)
{
	for (unsigned i = 0; i < js_count(s->status, "networks"); i++) {
		struct json_object *n = js_at(s->status, "networks", i);

		if (!is_worth_showing(n))
			continue;
		str_add_char(s->out, '\n');
		network_tree(s, n, "");
	}
}

static void drops_part(const struct screen *s)
{
	unsigned n = js_count(s->status, "drops");
	struct table t;

	if (!n)
		return;
	str_add_char(s->out, '\n');
	table_init(&t, "DROPPED BY|>PACKETS|WHY");
	for (unsigned i = 0; i < MIN(n, DROPS_SHOWN); i++) {
		struct json_object *d = js_at(s->status, "drops", i);

		table_add(&t, js_text(d, "port"));
		table_take(&t, js_human(js_number(d, "packets")));
		table_add(&t, js_text(d, "why"));
	}
	table_format(&t, s->c->colour, s->out);
	table_fini(&t);
	if (n > DROPS_SHOWN)
		str_addf(s->out, "... and %u more (weft drops)\n",
			 n - DROPS_SHOWN);
}

static void title(const struct screen *s)
{
	char *up = js_age(js_number(s->status, "uptime_ms"));
	unsigned n = js_count(s->status, "ports"), n_up = 0;

	for (unsigned i = 0; i < n; i++)
		n_up += text_is(js_at(s->status, "ports", i), "state", "up");
	str_addf(s->out, "%s%s%s  weft %s, up %s; %u of %u ports up\n",
		 cli_colour(s->c, "bold"), js_text(s->status, "host"),
		 cli_colour(s->c, "end"), js_text(s->status, "version"), up,
		 n_up, n);
	if (!n && !js_count(s->status, "networks"))
		str_add(s->out, "\nThere is no network yet. Write a file (weft "
				"help file) and: weft apply FILE,\nor begin "
				"with: weft network add blue "
				"subnets=10.1.0.0/24\n");
	free(up);
}

/* What must not be overlooked: a change that will undo itself, or just did. */
static void captures_part(const struct screen *s)
{
	uint64_t n = js_number(s->status, "captures");

	if (n)
		str_addf(s->out,
			 "%" PRIu64 " capture%s: the kernel forwards nothing "
			 "meanwhile\n",
			 n, n == 1 ? " runs" : "s run");
}

static void confirm_part(const struct screen *s)
{
	struct json_object *k = NULL;
	const char *outcome;

	json_object_object_get_ex(s->status, "confirm", &k);
	outcome = js_text(k, "outcome");
	if (js_flag(k, "pending"))
		str_addf(s->out,
			 "%sthe last change is undone in %" PRIu64
			 " s unless you say: weft confirm%s\n",
			 cli_colour(s->c, "yellow"),
			 js_number(k, "seconds_left"), cli_colour(s->c, "end"));
	else if (*outcome)
		str_addf(s->out, "%s\n", outcome);
}

int cli_status(struct cli *c)
{
	struct str text = STR_INIT;
	struct screen s = { .c = c,
			    .signs = c->utf8 ? &utf8_signs : &ascii_signs,
			    .out = &text };
	int rc;

	s.status = cli_ask(c, "status", NULL, &rc);
	if (!s.status)
		return rc;
	if (!cli_print_json(c, s.status)) {
		title(&s);
		confirm_part(&s);
		captures_part(&s);
		for (unsigned i = 0; i < js_count(s.status, "routers"); i++)
			router_tree(&s, js_at(s.status, "routers", i));
		lone_networks(&s);
		drops_part(&s);
		cli_print(c, &text);
	}
	str_fini(&text);
	json_object_put(s.status);
	return rc;
}
