/* SPDX-License-Identifier: Apache-2.0 */
/* `weft graph`, and the graph itself. */
#include "cli/graph.h"

#include <inttypes.h>

#include "cli/cli.h"
#include "cli/js.h"

#define NONE UINT32_MAX

static const char *const kinds[N_GRAPH_KINDS] = { "router", "network", "port",
						  "peer" };

/* --- building ---------------------------------------------------------------- */

/* Takes label. NONE when there are enough. */
static unsigned add_node(struct graph *g, enum graph_kind kind,
			 const char *name, char *label)
{
	if (g->n_nodes == GRAPH_MAX) {
		g->n_left_out++;
		free(label);
		return NONE;
	}
	g->nodes = xrealloc(g->nodes, (g->n_nodes + 1) * sizeof(*g->nodes));
	g->nodes[g->n_nodes] = (struct graph_node){
		.kind = kind, .name = xstrdup(name), .label = label, .up = true
	};
	return g->n_nodes++;
}

static void add_edge(struct graph *g, unsigned from, unsigned to,
		     const char *label)
{
	if (from == NONE || to == NONE)
		return;
	g->edges = xrealloc(g->edges, (g->n_edges + 1) * sizeof(*g->edges));
	g->edges[g->n_edges++] =
		(struct graph_edge){ from, to, xstrdup(label) };
}

static unsigned find_node(const struct graph *g, enum graph_kind kind,
			  const char *name)
{
	for (unsigned i = 0; i < g->n_nodes; i++)
		if (g->nodes[i].kind == kind && !strcmp(g->nodes[i].name, name))
			return i;
	return NONE;
}

static char *network_label(struct json_object *n)
{
	char *subnets = js_join(n, "subnets");
	struct str s = STR_INIT;

	str_add(&s, subnets);
	if (js_number(n, "vni"))
		str_addf(&s, "%svni %" PRIu64, s.len ? ", " : "",
			 js_number(n, "vni"));
	if (js_number(n, "vlan"))
		str_addf(&s, "%svlan %" PRIu64, s.len ? ", " : "",
			 js_number(n, "vlan"));
	free(subnets);
	if (s.len)
		return str_take(&s);
	str_fini(&s);
	return xstrdup("");
}

static char *port_label(struct json_object *p)
{
	char *addresses = js_join(p, "addresses"), *label;

	label = xasprintf("%s%s%s", js_text(p, "type"), *addresses ? ", " : "",
			  addresses);
	free(addresses);
	return label;
}

/* An untagged domain that nobody named and nobody is in says nothing. */
static bool is_worth_drawing(struct json_object *n)
{
	return *js_text(n, "router") || js_count(n, "ports") ||
	       js_count(n, "subnets") || js_number(n, "vni");
}

static void add_ports(struct graph *g, struct json_object *ports)
{
	for (unsigned i = 0; i < js_length(ports); i++) {
		struct json_object *p = js_item(ports, i);
		unsigned node;

		if (!strcmp(js_text(p, "type"), "tunnel"))
			continue;
		node = add_node(g, GRAPH_PORT, js_text(p, "name"),
				port_label(p));
		if (node != NONE)
			g->nodes[node].up = !strcmp(js_text(p, "state"), "up");
	}
}

static void add_networks(struct graph *g, struct json_object *status)
{
	for (unsigned i = 0; i < js_count(status, "networks"); i++) {
		struct json_object *n = js_at(status, "networks", i);
		unsigned node;

		if (!is_worth_drawing(n))
			continue;
		node = add_node(g, GRAPH_NETWORK, js_text(n, "name"),
				network_label(n));
		for (unsigned k = 0; k < js_count(n, "ports"); k++)
			add_edge(g, node,
				 find_node(g, GRAPH_PORT,
					   json_object_get_string(
						   js_at(n, "ports", k))),
				 "");
		for (unsigned k = 0;
		     js_number(n, "vni") && k < js_count(status, "tunnels");
		     k++)
			add_edge(g, node,
				 find_node(g, GRAPH_PEER,
					   js_text(js_at(status, "tunnels", k),
						   "peer")),
				 "VXLAN");
	}
}

/* Link-local addresses are on every interface: nothing to be drawn. */
static char *addresses_of(struct json_object *f)
{
	struct str s = STR_INIT;

	for (unsigned i = 0; i < js_count(f, "addresses"); i++) {
		const char *a =
			json_object_get_string(js_at(f, "addresses", i));

		if (a && strncmp(a, "fe80", 4))
			str_addf(&s, "%s%s", s.len ? ", " : "", a);
	}
	return s.len ? str_take(&s) : xstrdup("");
}

static void add_router(struct graph *g, struct json_object *r)
{
	unsigned node = add_node(g, GRAPH_ROUTER, js_text(r, "name"),
				 xstrdup(js_text(r, "mac")));

	for (unsigned i = 0; i < js_count(r, "interfaces"); i++) {
		struct json_object *f = js_at(r, "interfaces", i);
		const char *network = js_text(f, "network");
		char *addresses = addresses_of(f);

		add_edge(g, node,
			 *network ?
				 find_node(g, GRAPH_NETWORK, network) :
				 find_node(g, GRAPH_PORT, js_text(f, "port")),
			 addresses);
		free(addresses);
	}
}

void graph_read(struct graph *g, struct json_object *status)
{
	*g = (struct graph){ .host = xstrdup(js_text(status, "host")) };
	for (unsigned i = 0; i < js_count(status, "tunnels"); i++) {
		struct json_object *t = js_at(status, "tunnels", i);

		add_node(g, GRAPH_PEER, js_text(t, "peer"),
			 xstrdup(js_text(t, "address")));
	}
	if (js_has(status, "ports")) {
		struct json_object *ports = NULL;

		json_object_object_get_ex(status, "ports", &ports);
		add_ports(g, ports);
	}
	add_networks(g, status);
	for (unsigned i = 0; i < js_count(status, "routers"); i++)
		add_router(g, js_at(status, "routers", i));
}

void graph_fini(struct graph *g)
{
	for (unsigned i = 0; i < g->n_nodes; i++) {
		free(g->nodes[i].name);
		free(g->nodes[i].label);
	}
	for (unsigned i = 0; i < g->n_edges; i++)
		free(g->edges[i].label);
	free(g->nodes);
	free(g->edges);
	free(g->host);
	*g = (struct graph){ 0 };
}

/* --- JSON ---------------------------------------------------------------------- */

static void put(struct json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, json_object_new_string(text));
}

struct json_object *graph_json(const struct graph *g)
{
	struct json_object *o = json_object_new_object();
	struct json_object *nodes = json_object_new_array();
	struct json_object *edges = json_object_new_array();

	for (unsigned i = 0; i < g->n_nodes; i++) {
		struct json_object *n = json_object_new_object();

		put(n, "kind", kinds[g->nodes[i].kind]);
		put(n, "name", g->nodes[i].name);
		put(n, "label", g->nodes[i].label);
		json_object_object_add(n, "up",
				       json_object_new_boolean(g->nodes[i].up));
		json_object_array_add(nodes, n);
	}
	for (unsigned i = 0; i < g->n_edges; i++) {
		struct json_object *e = json_object_new_object();

		json_object_object_add(
			e, "from", json_object_new_uint64(g->edges[i].from));
		json_object_object_add(e, "to",
				       json_object_new_uint64(g->edges[i].to));
		put(e, "label", g->edges[i].label);
		json_object_array_add(edges, e);
	}
	put(o, "host", g->host);
	json_object_object_add(o, "nodes", nodes);
	json_object_object_add(o, "edges", edges);
	return o;
}

/* --- the command ----------------------------------------------------------------- */

static const char *const languages[] = { "text", "mermaid", "dot", "svg" };

static int draw(struct cli *c, const struct graph *g, struct str *out)
{
	const char *how = c->n_args ? c->args[0] : "text", *near;

	if (!strcmp(how, "text"))
		graph_text(g, c->utf8, out);
	else if (!strcmp(how, "mermaid"))
		graph_mermaid(g, out);
	else if (!strcmp(how, "dot"))
		graph_dot(g, out);
	else if (!strcmp(how, "svg"))
		graph_svg(g, out);
	else {
		near = str_nearest(how, languages, ARRAY_SIZE(languages));
		return cli_usage(c,
				 "\"%s\" is none of text, mermaid, dot and "
				 "svg%s%s%s",
				 how, near ? "; did you mean " : "",
				 near ? near : "", near ? "?" : "");
	}
	return CLI_OK;
}

int cli_graph(struct cli *c)
{
	struct json_object *status, *json;
	struct str s = STR_INIT;
	struct graph g;
	int rc;

	status = cli_ask(c, "status", NULL, &rc);
	if (!status)
		return rc;
	graph_read(&g, status);
	json_object_put(status);
	if (c->flags & CLI_JSON) {
		json = graph_json(&g);
		cli_print_json(c, json);
		json_object_put(json);
	} else {
		rc = draw(c, &g, &s);
		cli_print(c, &s);
	}
	str_fini(&s);
	graph_fini(&g);
	return rc;
}
