/* SPDX-License-Identifier: Apache-2.0 */
/* The graph as text, Mermaid, dot and SVG. */
#include "cli/graph.h"
#include "cli/table.h"

void graph_escape(const char *text, struct str *out)
{
	for (; *text; text++) {
		switch (*text) {
		case '<':
			str_add(out, "&lt;");
			break;
		case '>':
			str_add(out, "&gt;");
			break;
		case '&':
			str_add(out, "&amp;");
			break;
		case '"':
			str_add(out, "&quot;");
			break;
		case '\'':
			str_add(out, "&#39;");
			break;
		default:
			/* control characters are nothing in XML */
			str_add_char(out,
				     (unsigned char)*text < ' ' ? ' ' : *text);
		}
	}
}

static void left_out(const struct graph *g, const char *before,
		     const char *after, struct str *out)
{
	if (g->n_left_out)
		str_addf(out, "%s%u more are left out%s\n", before,
			 g->n_left_out, after);
}

/* --- text ---------------------------------------------------------------------- */

struct signs {
	const char *branch, *last, *down, *none, *up, *off;
};

static const struct signs utf8_signs = { "├─ ", "└─ ", "│  ", "   ", "●", "○" };
static const struct signs ascii_signs = {
	"|- ", "`- ", "|  ", "   ", "*", "o"
};

struct text {
	const struct graph *g;
	const struct signs *signs;
	struct str *out;
};

static unsigned next_edge(const struct graph *g, unsigned node, unsigned from)
{
	while (from < g->n_edges && g->edges[from].from != node)
		from++;
	return from;
}

static void text_node(const struct text *t, const struct graph_node *n)
{
	static const char *const before[N_GRAPH_KINDS] = { "router ", "", "",
							   "host " };

	if (n->kind == GRAPH_PORT)
		str_addf(t->out, "%s ", n->up ? t->signs->up : t->signs->off);
	str_addf(t->out, "%s%s", before[n->kind], n->name);
	if (*n->label)
		str_addf(t->out, "  %s", n->label);
}

static void text_below(const struct text *t, unsigned node, const char *stem)
{
	const struct graph *g = t->g;
	unsigned e = next_edge(g, node, 0), next;

	for (; e < g->n_edges; e = next) {
		const struct graph_node *n = &g->nodes[g->edges[e].to];
		char *deeper;
		bool last;

		next = next_edge(g, node, e + 1);
		last = next == g->n_edges;
		str_addf(t->out, "%s%s", stem,
			 last ? t->signs->last : t->signs->branch);
		if (*g->edges[e].label)
			str_addf(t->out, "%s - ", g->edges[e].label);
		text_node(t, n);
		str_add_char(t->out, '\n');
		deeper = xasprintf("%s%s", stem,
				   last ? t->signs->none : t->signs->down);
		/* edges lead from the left to the right: no circles */
		text_below(t, g->edges[e].to, deeper);
		free(deeper);
	}
}

static bool is_below_another(const struct graph *g, unsigned node)
{
	for (unsigned e = 0; e < g->n_edges; e++)
		if (g->edges[e].to == node)
			return true;
	return false;
}

void graph_text(const struct graph *g, bool utf8, struct str *out)
{
	struct text t = { g, utf8 ? &utf8_signs : &ascii_signs, out };

	str_addf(out, "%s\n", g->host);
	for (unsigned k = 0; k < N_GRAPH_KINDS; k++)
		for (unsigned i = 0; i < g->n_nodes; i++) {
			if (g->nodes[i].kind != k || is_below_another(g, i))
				continue;
			str_add_char(out, '\n');
			text_node(&t, &g->nodes[i]);
			str_add_char(out, '\n');
			text_below(&t, i, "");
		}
	left_out(g, "... and ", "", out);
}

/* --- Mermaid ------------------------------------------------------------------- */

void graph_mermaid(const struct graph *g, struct str *out)
{
	static const char *const open[N_GRAPH_KINDS] = { "{{\"", "([\"", "[\"",
							 "[[\"" };
	static const char *const close[N_GRAPH_KINDS] = { "\"}}", "\"])", "\"]",
							  "\"]]" };

	str_add(out, "flowchart LR\n");
	for (unsigned i = 0; i < g->n_nodes; i++) {
		const struct graph_node *n = &g->nodes[i];

		str_addf(out, "  n%u%s", i, open[n->kind]);
		graph_escape(n->name, out);
		if (*n->label)
			str_add(out, "<br/>");
		graph_escape(n->label, out);
		str_addf(out, "%s%s\n", close[n->kind], n->up ? "" : ":::down");
	}
	for (unsigned i = 0; i < g->n_edges; i++) {
		const struct graph_edge *e = &g->edges[i];

		str_addf(out, "  n%u ---", e->from);
		if (*e->label) {
			str_add(out, "|\"");
			graph_escape(e->label, out);
			str_add(out, "\"|");
		}
		str_addf(out, " n%u\n", e->to);
	}
	str_add(out, "  classDef down stroke-dasharray: 4 3,color:#a33\n");
	left_out(g, "  %% ", "", out);
}

/* --- dot ------------------------------------------------------------------------ */

static void dot_text(const char *text, struct str *out)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			str_add_char(out, '\\');
		str_add_char(out, *text);
	}
}

void graph_dot(const struct graph *g, struct str *out)
{
	static const char *const shapes[N_GRAPH_KINDS] = { "hexagon", "ellipse",
							   "box", "box3d" };

	str_add(out, "graph \"");
	dot_text(g->host, out);
	str_add(out, "\" {\n  rankdir=LR;\n  node [fontname=\"sans-serif\"];\n"
		     "  edge [fontname=\"sans-serif\", fontsize=10];\n");
	for (unsigned i = 0; i < g->n_nodes; i++) {
		const struct graph_node *n = &g->nodes[i];

		str_addf(out, "  n%u [shape=%s%s, label=\"", i, shapes[n->kind],
			 n->up ? "" : ", style=dashed");
		dot_text(n->name, out);
		if (*n->label)
			str_add(out, "\\n");
		dot_text(n->label, out);
		str_add(out, "\"];\n");
	}
	for (unsigned i = 0; i < g->n_edges; i++) {
		str_addf(out, "  n%u -- n%u [label=\"", g->edges[i].from,
			 g->edges[i].to);
		dot_text(g->edges[i].label, out);
		str_add(out, "\"];\n");
	}
	left_out(g, "  // ", "", out);
	str_add(out, "}\n");
}

/* --- SVG ------------------------------------------------------------------------ */

#define BOX_WIDTH 190u
#define BOX_HEIGHT 40u
#define COLUMN (BOX_WIDTH + 130u)
#define ROW (BOX_HEIGHT + 14u)
#define MARGIN 20u
#define TITLE 40u
#define LETTERS 28u /* of a line in a box */

struct place {
	unsigned x, y;
};

/* A node stands as high as the middle of those it belongs to on its left, the
 * nearest free row down: a sweep from the left, then one a column. */
struct layout {
	const struct graph *g;
	struct place *at;
	unsigned *row;
	unsigned n_rows;
};

static unsigned wish_of(const struct layout *l, unsigned node)
{
	unsigned sum = 0, n = 0;

	for (unsigned e = 0; e < l->g->n_edges; e++) {
		if (l->g->edges[e].to != node)
			continue;
		sum += l->row[l->g->edges[e].from];
		n++;
	}
	return n ? sum / n : 0;
}

struct wish {
	unsigned node, row;
};

static int by_row(const void *a, const void *b)
{
	const struct wish *x = a, *y = b;

	if (x->row != y->row)
		return x->row < y->row ? -1 : 1;
	return x->node < y->node ? -1 : x->node > y->node;
}

static void lay_column(struct layout *l, enum graph_kind kind)
{
	struct wish *w = xcalloc(l->g->n_nodes + 1, sizeof(*w));
	unsigned n = 0;

	for (unsigned i = 0; i < l->g->n_nodes; i++)
		if (l->g->nodes[i].kind == kind)
			w[n++] = (struct wish){ i, wish_of(l, i) };
	qsort(w, n, sizeof(*w), by_row);
	for (unsigned i = 0; i < n; i++) {
		l->row[w[i].node] = i;
		l->at[w[i].node] = (struct place){ MARGIN + kind * COLUMN,
						   TITLE + i * ROW };
	}
	l->n_rows = MAX(l->n_rows, n);
	free(w);
}

/* UTF-8 is not cut inside a character. */
static void svg_cut(const char *text, struct str *out)
{
	size_t n = strlen(text);
	char *part;

	if (table_width(text) <= LETTERS) {
		graph_escape(text, out);
		return;
	}
	n = MIN(n, LETTERS - 1);
	while (n && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	part = xstrndup(text, n);
	graph_escape(part, out);
	str_add(out, "…");
	free(part);
}

static void svg_text(const struct place *at, const char *class,
		     const char *text, struct str *out)
{
	if (!*text)
		return;
	str_addf(out, "<text x=\"%u\" y=\"%u\" class=\"%s\">", at->x, at->y,
		 class);
	svg_cut(text, out);
	str_add(out, "</text>\n");
}

static void svg_node(const struct layout *l, unsigned i, struct str *out)
{
	static const unsigned round[N_GRAPH_KINDS] = { 4, 20, 4, 0 };
	static const char *const classes[N_GRAPH_KINDS] = { "router", "network",
							    "port", "peer" };
	const struct graph_node *n = &l->g->nodes[i];
	struct place name = { l->at[i].x + 10, l->at[i].y + 17 };
	struct place label = { l->at[i].x + 10, l->at[i].y + 32 };

	str_addf(out,
		 "<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" rx=\"%u\" "
		 "class=\"%s%s\"><title>",
		 l->at[i].x, l->at[i].y, BOX_WIDTH, BOX_HEIGHT, round[n->kind],
		 classes[n->kind], n->up ? "" : " down");
	graph_escape(n->name, out);
	str_add_char(out, ' ');
	graph_escape(n->label, out);
	str_add(out, "</title></rect>\n");
	svg_text(&name, "name", n->name, out);
	svg_text(&label, "label", n->label, out);
}

static void svg_edge(const struct layout *l, const struct graph_edge *e,
		     struct str *out)
{
	unsigned x1 = l->at[e->from].x + BOX_WIDTH, x2 = l->at[e->to].x;
	unsigned y1 = l->at[e->from].y + BOX_HEIGHT / 2;
	unsigned y2 = l->at[e->to].y + BOX_HEIGHT / 2;
	unsigned mid = (x1 + x2) / 2;
	struct place at = { x2 - 6, y2 - 5 };

	str_addf(out, "<path d=\"M%u %uC%u %u %u %u %u %u\" class=\"edge\"/>\n",
		 x1, y1, mid, y1, mid, y2, x2, y2);
	svg_text(&at, "label at", e->label, out);
}

static const char svg_style[] =
	"<style>text{font:12px sans-serif;fill:#222}.label{font-size:10px;"
	"fill:#666}.title{font-size:16px;font-weight:bold}rect{stroke:#456;"
	"fill:#fff}.router{fill:#fde8c8}.network{fill:#d6e8fa}.port{fill:"
	"#eef6ea}.peer{fill:#eee6f6}.down{stroke-dasharray:4 3;fill:#fbe4e4}"
	".at{text-anchor:end}.edge{fill:none;stroke:#789}@media(prefers-color-"
	"scheme:dark){svg{"
	"background:#1c1f24}.edge{stroke:#9ab}.title,.at{fill:#ddd}}"
	"</style>\n";

void graph_svg(const struct graph *g, struct str *out)
{
	struct layout l = { .g = g };
	struct place title = { MARGIN, 24 };

	l.at = xcalloc(g->n_nodes + 1, sizeof(*l.at));
	l.row = xcalloc(g->n_nodes + 1, sizeof(*l.row));
	for (unsigned k = 0; k < N_GRAPH_KINDS; k++)
		lay_column(&l, (enum graph_kind)k);
	str_addf(out,
		 "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" "
		 "height=\"%u\" role=\"img\">\n",
		 2 * MARGIN + 3 * COLUMN + BOX_WIDTH,
		 TITLE + MARGIN + l.n_rows * ROW);
	str_add(out, svg_style);
	svg_text(&title, "title", g->host, out);
	for (unsigned i = 0; i < g->n_edges; i++)
		svg_edge(&l, &g->edges[i], out);
	for (unsigned i = 0; i < g->n_nodes; i++)
		svg_node(&l, i, out);
	left_out(g, "<!-- ", " -->", out);
	str_add(out, "</svg>\n");
	free(l.at);
	free(l.row);
}
