/* SPDX-License-Identifier: Apache-2.0 */
#include "model/doc.h"

#include <stdio.h>

#include "model/schema.h"

/* In the order in which they are explained. */
static const struct {
	const struct schema_object *object;
	const char *title;
	const char *path; /* where it stands in the file */
} sections[] = {
	{ &schema_model, "The file", "" },
	{ &schema_network, "Networks", "networks.NAME" },
	{ &schema_router, "Routers", "routers.NAME" },
	{ &schema_interface, "Interfaces of a router",
	  "routers.NAME.networks.NETWORK" },
	{ &schema_route, "Routes", "routers.NAME.routes" },
	{ &schema_host, "Hosts", "hosts.NAME" },
	{ &schema_underlay, "Underlay", "hosts.NAME.underlay" },
	{ &schema_bridge, "Bridges", "hosts.NAME.bridges.NAME" },
	{ &schema_bridge_host, "The host on a bridge",
	  "hosts.NAME.bridges.NAME.host" },
	{ &schema_static_mac, "Static addresses",
	  "hosts.NAME.bridges.NAME.static_macs" },
	{ &schema_port, "Ports", "hosts.NAME.ports.NAME" },
	{ &schema_storm, "Storm control", "hosts.NAME.ports.NAME.storm" },
};

static const char intro[] =
	"A file says which networks there are, which routers join them, and "
	"what is "
	"on which host. It is YAML (JSON works too) and read strictly: an "
	"unknown "
	"key, a wrong type, a name that leads nowhere, an address used twice "
	"is "
	"refused with its place in the file, and nothing is changed. The file "
	"is the "
	"whole truth: what is not in it is taken away when it is applied.";

static const char rules[] =
	"Names are letters, digits, '-', '_' and '.', at most 63. A list of "
	"one value "
	"may be written as the value. Times have a unit: 500ms, 300s, 5m, 1h. "
	"An "
	"address that ends with ':' needs quotes in YAML, as do texts with ': "
	"' in "
	"them. Anchors and aliases work. A file has at most 8 MB.";

/* --- what a key's row says ------------------------------------------------ */

static void type_text(const struct schema_key *k, struct str *out)
{
	if (k->type == &schema_map || k->type == &schema_list)
		str_addf(out, "%s of %ss", k->type->name, k->object->what);
	else if (k->type == &schema_number && k->max)
		str_addf(out, "number %u-%u", k->min, k->max);
	else
		str_add(out, k->type->name);
}

static void default_text(const struct schema_key *k, struct str *out)
{
	struct yaml_node *n;
	struct schema_key shown = *k;

	if (k->required) {
		str_add(out, "required");
	} else if (k->dflt) {
		str_add(out, k->dflt);
	} else if (k->type == &schema_bool) {
		str_add(out, k->def ? "true" : "false");
	} else if (k->def) {
		/* formatted against another default, or it would be left out */
		shown.def = 0;
		n = k->type->format(&shown, &k->def);
		yaml_emit_flow(n, out);
		yaml_destroy(n);
	} else {
		str_add(out, "none");
	}
}

static void only_text(const struct schema_object *o, const struct schema_key *k,
		      struct str *out)
{
	const char *sep = "";

	if (!o->variant || !k->only)
		return;
	for (unsigned i = 0; o->variant->words[i]; i++) {
		if (!(k->only & 1u << i))
			continue;
		str_addf(out, "%s%s", sep, o->variant->words[i]);
		sep = ", ";
	}
}

/* --- Markdown ------------------------------------------------------------- */

static void markdown_key(const struct schema_object *o,
			 const struct schema_key *k, struct str *out)
{
	struct str only = STR_INIT;

	str_addf(out, "| `%s` | ", k->name);
	type_text(k, out);
	str_add(out, " | ");
	default_text(k, out);
	str_add(out, " | ");
	only_text(o, k, &only);
	if (only.len)
		str_addf(out, "*%s:* ", str_text(&only));
	str_addf(out, "%s |\n", k->doc);
	str_fini(&only);
}

void doc_markdown(struct str *out)
{
	str_addf(out,
		 "# The file\n\n"
		 "<!-- Made from src/model/keys.c by tools/gen-docs: do not "
		 "edit. "
		 "-->\n\n%s\n\n%s\n\nExamples: `examples/`. What is wrong with "
		 "a "
		 "file: `weft check FILE`. What it would change: `weft plan "
		 "FILE`.\n",
		 intro, rules);
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		const struct schema_object *o = sections[i].object;

		str_addf(out, "\n## %s\n\n", sections[i].title);
		if (*sections[i].path)
			str_addf(out, "`%s`: ", sections[i].path);
		str_addf(out,
			 "%s\n\n| key | type | default | meaning |\n"
			 "|---|---|---|---|\n",
			 o->doc);
		for (unsigned j = 0; j < o->n_keys; j++)
			markdown_key(o, &o->keys[j], out);
	}
}

/* --- scdoc ---------------------------------------------------------------- */

/* scdoc reads _ and * as marks. */
static void escape(const char *text, struct str *out)
{
	for (; *text; text++) {
		if (strchr("_*\\", *text))
			str_add_char(out, '\\');
		str_add_char(out, *text);
	}
}

static void scdoc_key(const struct schema_object *o, const struct schema_key *k,
		      struct str *out)
{
	struct str s = STR_INIT;

	str_add(out, "*");
	escape(k->name, out);
	str_add(out, "*: ");
	type_text(k, &s);
	str_add(&s, "; ");
	if (!k->required)
		str_add(&s, "default: ");
	default_text(k, &s);
	escape(str_text(&s), out);
	str_clear(&s);
	str_add(out, "\n\t");
	only_text(o, k, &s);
	if (s.len)
		str_addf(out, "(%s) ", str_text(&s));
	escape(k->doc, out);
	str_add(out, "\n\n");
	str_fini(&s);
}

void doc_scdoc(struct str *out)
{
	str_add(out, "weft.yaml(5)\n\n# NAME\n\nweft.yaml - what the network "
		     "should be\n\n# DESCRIPTION\n\n");
	escape(intro, out);
	str_add(out, "\n\n");
	escape(rules, out);
	str_add(out, "\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		const struct schema_object *o = sections[i].object;

		str_addf(out, "# %s\n\n", sections[i].title);
		if (*sections[i].path) {
			str_add(out, "_");
			escape(sections[i].path, out);
			str_add(out, "_: ");
		}
		escape(o->doc, out);
		str_add(out, "\n\n");
		for (unsigned j = 0; j < o->n_keys; j++)
			scdoc_key(o, &o->keys[j], out);
	}
	str_add(out, "# SEE ALSO\n\n*weft*(1), *weftd*(8)\n");
}

/* --- keys by name --------------------------------------------------------- */

const char *doc_key(const char *kind, unsigned i)
{
	for (size_t s = 0; s < ARRAY_SIZE(sections); s++) {
		const struct schema_object *o = sections[s].object;

		if (o->what && !strcmp(o->what, kind))
			return i < o->n_keys ? o->keys[i].name : NULL;
	}
	return NULL;
}
