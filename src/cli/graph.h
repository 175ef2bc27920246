/* SPDX-License-Identifier: Apache-2.0 */
/* The network as a graph: nodes and edges, drawn in several languages.
 *
 * What      routers, networks, ports and peers of a status; text, Mermaid, dot
 *           and SVG of it.
 * Why so    one graph, so that all drawings show the same; the SVG is laid out
 *           here, with no program's help: four columns, nothing crosses more
 *           than it must.
 * Invariant G1 names come from users: each language's own escaping is applied.
 *           G2 at most GRAPH_MAX nodes are drawn; the rest is said.
 * Threads   one.
 * Owns      its nodes, edges and texts. */
#ifndef CLI_GRAPH_H
#define CLI_GRAPH_H

#include "base/str.h"

struct json_object;

#define GRAPH_MAX 4096u

/* Also the columns of the drawing, from the left. */
enum graph_kind { GRAPH_ROUTER, GRAPH_NETWORK, GRAPH_PORT, GRAPH_PEER };
#define N_GRAPH_KINDS 4u

struct graph_node {
	enum graph_kind kind;
	char *name;
	char *label; /* what else there is to say, or "" */
	bool up;
};

struct graph_edge {
	unsigned from, to; /* nodes */
	char *label;       /* "" none */
};

struct graph {
	char *host;
	struct graph_node *nodes;
	struct graph_edge *edges;
	unsigned n_nodes, n_edges, n_left_out;
};

/* From the daemon's `status`. */
void graph_read(struct graph *g, struct json_object *status);
void graph_fini(struct graph *g);

void graph_text(const struct graph *g, bool utf8, struct str *out);
void graph_mermaid(const struct graph *g, struct str *out);
void graph_dot(const struct graph *g, struct str *out);
void graph_svg(const struct graph *g, struct str *out);
struct json_object *graph_json(const struct graph *g);

/* Text where <, >, & and quotes are something else: XML, HTML, Mermaid. */
void graph_escape(const char *text, struct str *out);

#endif
