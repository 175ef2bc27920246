/* SPDX-License-Identifier: Apache-2.0 */
/* The types of values that are written in several forms: VLANs of a port,
 * namespace, gateway. */
#include "model/schema.h"

#include <errno.h>
#include <stdio.h>

#include "model/types.h"

/* --- VLANs ---------------------------------------------------------------- */

static int vid_parse(const char *s, uint16_t *out)
{
	uint32_t v;

	if (types_number(s, &v) || v < 1 || v > MODEL_VLAN_MAX)
		return -EINVAL;
	*out = (uint16_t)v;
	return 0;
}

static int range_parse(const char *s, struct model_vlan_range *out)
{
	const char *dash = strchr(s, '-');
	char from[8];

	if (!dash) {
		if (vid_parse(s, &out->from))
			return -EINVAL;
		out->to = out->from;
		return 0;
	}
	if ((size_t)(dash - s) >= sizeof(from))
		return -EINVAL;
	memcpy(from, s, (size_t)(dash - s));
	from[dash - s] = '\0';
	if (vid_parse(from, &out->from) || vid_parse(dash + 1, &out->to))
		return -EINVAL;
	return out->from <= out->to ? 0 : -EINVAL;
}

static void vlan_add_ranges(struct model_vlan *v, const uint8_t *set)
{
	unsigned n = 0;

	/* at most every second VLAN starts a range */
	v->ranges.items =
		xcalloc((MODEL_VLAN_MAX + 1) / 2, sizeof(*v->ranges.items));
	for (unsigned vid = 1; vid <= MODEL_VLAN_MAX; vid++) {
		if (!set[vid])
			continue;
		if (n && v->ranges.items[n - 1].to == vid - 1)
			v->ranges.items[n - 1].to = (uint16_t)vid;
		else
			v->ranges.items[n++] =
				(struct model_vlan_range){ (uint16_t)vid,
							   (uint16_t)vid };
	}
	v->ranges.n = n;
	v->ranges.items = xrealloc(v->ranges.items,
				   MAX(n, 1u) * sizeof(*v->ranges.items));
}

static void trunk_parse(struct schema_reader *r, const struct schema_key *k,
			const struct yaml_node *n, struct model_vlan *v)
{
	unsigned count = n->kind == YAML_SEQ ? n->n : 1;
	uint8_t set[MODEL_VLAN_MAX + 1] = { 0 };
	struct model_vlan_range range;

	for (unsigned i = 0; i < count; i++) {
		const struct yaml_node *one = n;

		if (n->kind == YAML_SEQ)
			one = n->items[i].value;
		if (one->kind != YAML_SCALAR || range_parse(one->text, &range))
			types_bad(r, k, one,
				  "VLANs from 1 to 4094, as [10, 20-30]");
		else
			memset(set + range.from, 1, range.to - range.from + 1u);
	}
	v->mode = MODEL_VLAN_TRUNK;
	vlan_add_ranges(v, set);
}

static void vid_read(struct schema_reader *r, const struct schema_key *k,
		     const struct yaml_node *n, uint16_t *vid)
{
	if (n->kind != YAML_SCALAR || vid_parse(n->text, vid))
		types_bad(r, k, n, "a VLAN from 1 to 4094");
}

static void vlan_key(struct schema_reader *r, const struct schema_key *k,
		     const struct yaml_item *it, struct model_vlan *v)
{
	static const char *const names[] = { "access", "trunk", "native",
					     "native_tagged" };
	const struct yaml_node *n = it->value;
	const char *name = it->key->text;

	if (!strcmp(name, "access")) {
		v->mode = MODEL_VLAN_ACCESS;
		vid_read(r, k, n, &v->vid);
	} else if (!strcmp(name, "trunk")) {
		trunk_parse(r, k, n, v);
	} else if (!strcmp(name, "native")) {
		vid_read(r, k, n, &v->vid);
	} else if (!strcmp(name, "native_tagged")) {
		schema_bool.parse(r, k, n, &v->native_tagged);
	} else {
		const char *near = str_nearest(name, names, 4);

		schema_bad(r, it->key, "unknown key \"%s\" in vlan%s%s%s", name,
			   near ? "; did you mean \"" : "", near ? near : "",
			   near ? "\"?" : "");
	}
}

static void vlan_parse(struct schema_reader *r, const struct schema_key *k,
		       const struct yaml_node *n, void *field)
{
	struct model_vlan *v = field;
	unsigned before = r->errors->n_total;

	if (n->kind == YAML_SCALAR) {
		v->mode = MODEL_VLAN_ACCESS;
		vid_read(r, k, n, &v->vid);
		return;
	}
	if (n->kind != YAML_MAP || !n->n) {
		types_bad(r, k, n, k->type->want);
		return;
	}
	for (unsigned i = 0; i < n->n; i++)
		vlan_key(r, k, &n->items[i], v);
	if (r->errors->n_total != before)
		return;
	if (yaml_map_find(n, "access") ? n->n > 1 : !yaml_map_find(n, "trunk"))
		types_bad(r, k, n, k->type->want);
	else if (v->native_tagged && !v->vid)
		schema_bad(r, n, "native_tagged needs native");
}

static struct yaml_node *vid_node(uint16_t vid)
{
	char text[8];

	snprintf(text, sizeof(text), "%u", vid);
	return yaml_scalar(text);
}

static struct yaml_node *trunk_format(const struct model_vlan *v)
{
	struct yaml_node *n = yaml_new(YAML_SEQ);
	char text[16];

	for (unsigned i = 0; i < v->ranges.n; i++) {
		const struct model_vlan_range *g = &v->ranges.items[i];

		if (g->from == g->to)
			snprintf(text, sizeof(text), "%u", g->from);
		else
			snprintf(text, sizeof(text), "%u-%u", g->from, g->to);
		yaml_seq_put(n, yaml_scalar(text));
	}
	return n;
}

static struct yaml_node *vlan_format(const struct schema_key *k UNUSED,
				     const void *field)
{
	const struct model_vlan *v = field;
	struct yaml_node *n;

	if (v->mode == MODEL_VLAN_ALL)
		return NULL;
	n = yaml_new(YAML_MAP);
	n->flow = true;
	if (v->mode == MODEL_VLAN_ACCESS) {
		yaml_map_put(n, "access", vid_node(v->vid));
		return n;
	}
	if (v->vid)
		yaml_map_put(n, "native", vid_node(v->vid));
	if (v->native_tagged)
		yaml_map_put(n, "native_tagged", yaml_scalar("true"));
	yaml_map_put(n, "trunk", trunk_format(v));
	return n;
}

static void vlan_copy(const struct schema_key *k UNUSED, void *field)
{
	struct model_vlan *v = field;

	if (v->ranges.items)
		v->ranges.items = xmemdup(v->ranges.items,
					  MAX(v->ranges.n, 1u) *
						  sizeof(*v->ranges.items));
}

static void vlan_fini(const struct schema_key *k UNUSED, void *field)
{
	struct model_vlan *v = field;

	free(v->ranges.items);
}

const struct schema_type schema_vlan = {
	.name = "VLANs",
	.want = "{access: 10}, {trunk: [10, 20-30]} or {native: 1, trunk: "
		"[10]}",
	.parse = vlan_parse,
	.format = vlan_format,
	.copy = vlan_copy,
	.fini = vlan_fini,
};

/* --- network namespace ---------------------------------------------------- */

static void netns_map(struct schema_reader *r, const struct schema_key *k,
		      const struct yaml_node *n, struct model_netns *ns)
{
	const struct yaml_node *v = n->items[0].value;
	const char *name = n->items[0].key->text;

	if (v->kind == YAML_SCALAR && !strcmp(name, "pid") &&
	    !types_number(v->text, &ns->pid) && ns->pid &&
	    ns->pid <= INT32_MAX) {
		ns->kind = MODEL_NETNS_PID;
	} else if (v->kind == YAML_SCALAR && !strcmp(name, "path") &&
		   v->text[0] == '/') {
		ns->kind = MODEL_NETNS_PATH;
		ns->text = xstrdup(v->text);
	} else {
		types_bad(r, k, n, k->type->want);
	}
}

static void netns_parse(struct schema_reader *r, const struct schema_key *k,
			const struct yaml_node *n, void *field)
{
	struct model_netns *ns = field;

	if (n->kind == YAML_MAP && n->n == 1) {
		netns_map(r, k, n, ns);
	} else if (n->kind == YAML_SCALAR && schema_is_name(n->text)) {
		ns->kind = MODEL_NETNS_NAME;
		ns->text = xstrdup(n->text);
	} else {
		types_bad(r, k, n, k->type->want);
	}
}

static struct yaml_node *netns_format(const struct schema_key *k UNUSED,
				      const void *field)
{
	const struct model_netns *ns = field;
	struct yaml_node *n;
	char text[16];

	if (ns->kind == MODEL_NETNS_NONE)
		return NULL;
	if (ns->kind == MODEL_NETNS_NAME)
		return yaml_scalar(ns->text);
	n = yaml_new(YAML_MAP);
	n->flow = true;
	snprintf(text, sizeof(text), "%u", ns->pid);
	if (ns->kind == MODEL_NETNS_PID)
		yaml_map_put(n, "pid", yaml_scalar(text));
	else
		yaml_map_put(n, "path", yaml_scalar(ns->text));
	return n;
}

static void netns_copy(const struct schema_key *k UNUSED, void *field)
{
	struct model_netns *ns = field;

	ns->text = ns->text ? xstrdup(ns->text) : NULL;
}

static void netns_fini(const struct schema_key *k UNUSED, void *field)
{
	struct model_netns *ns = field;

	free(ns->text);
}

const struct schema_type schema_netns = {
	.name = "namespace",
	.want = "a network namespace: NAME, {pid: NUMBER} or {path: /run/...}",
	.parse = netns_parse,
	.format = netns_format,
	.copy = netns_copy,
	.fini = netns_fini,
};

/* --- gateway -------------------------------------------------------------- */

static void gateway_parse(struct schema_reader *r, const struct schema_key *k,
			  const struct yaml_node *n, void *field)
{
	struct model_gateway *g = field;
	unsigned before = r->errors->n_total;

	if (n->kind == YAML_SCALAR && !strcmp(n->text, "auto"))
		return;
	if (n->kind == YAML_SCALAR && !strcmp(n->text, "none")) {
		g->mode = MODEL_GATEWAY_NONE;
		return;
	}
	schema_addrs.parse(r, k, n, &g->addrs);
	if (r->errors->n_total != before)
		return;
	g->mode = MODEL_GATEWAY_GIVEN;
	if (!g->addrs.n || g->addrs.n > 2 ||
	    (g->addrs.n == 2 &&
	     g->addrs.items[0].family == g->addrs.items[1].family))
		types_bad(r, k, n, k->type->want);
}

static struct yaml_node *gateway_format(const struct schema_key *k,
					const void *field)
{
	const struct model_gateway *g = field;

	switch (g->mode) {
	case MODEL_GATEWAY_AUTO:
		return NULL;
	case MODEL_GATEWAY_NONE:
		return yaml_scalar("none");
	case MODEL_GATEWAY_GIVEN:
		break;
	}
	return schema_addrs.format(k, &g->addrs);
}

static void gateway_copy(const struct schema_key *k, void *field)
{
	struct model_gateway *g = field;

	schema_addrs.copy(k, &g->addrs);
}

static void gateway_fini(const struct schema_key *k, void *field)
{
	struct model_gateway *g = field;

	schema_addrs.fini(k, &g->addrs);
}

const struct schema_type schema_gateway = {
	.name = "gateway",
	.want = "auto, none, or an address of each family",
	.parse = gateway_parse,
	.format = gateway_format,
	.copy = gateway_copy,
	.fini = gateway_fini,
};
