/* SPDX-License-Identifier: Apache-2.0 */
/* The host as weftd sees it: devices, addresses, routes, firewalls that drop
 * what is forwarded. For bug reports. */
#include <json-c/json.h>
#include <sys/utsname.h>

#include "control/internal.h"
#include "sys/nf_chain.h"
#include "sys/nl_addr.h"
#include "sys/nl_route.h"
#include "sys/priv.h"

#define ROUTES_MAX 1000u

static void put_text(struct json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, json_object_new_string(text));
}

static void put_int(struct json_object *o, const char *key, uint64_t v)
{
	json_object_object_add(o, key, json_object_new_uint64(v));
}

static struct json_object *addresses_of(const struct nl_addrs *all,
					uint32_t ifindex)
{
	struct json_object *a = json_object_new_array();
	char text[PREFIX_STR_LEN];

	for (size_t i = 0; i < all->n; i++)
		if (all->v[i].ifindex == ifindex)
			json_object_array_add(
				a, json_object_new_string(ip_prefix_format(
					   &all->v[i].local, text)));
	return a;
}

static struct json_object *device(const struct nl_link *l,
				  const struct nl_addrs *addrs)
{
	struct json_object *o = json_object_new_object();
	char mac[ETH_STR_LEN];

	put_text(o, "name", l->name);
	put_int(o, "number", l->ifindex);
	put_text(o, "kind", l->kind);
	put_text(o, "mac", eth_addr_format(l->mac, mac));
	put_int(o, "mtu", l->mtu);
	put_int(o, "flags", l->flags);
	json_object_object_add(o, "carrier",
			       json_object_new_boolean(l->carrier));
	put_int(o, "master", l->master);
	put_int(o, "link", l->link);
	json_object_object_add(o, "addresses", addresses_of(addrs, l->ifindex));
	return o;
}

static struct json_object *devices(struct control *c)
{
	struct json_object *a = json_object_new_array();
	struct nl_links links = { 0 };
	struct nl_addrs addrs = { 0 };

	if (nl_addr_list(c->nl, 0, &addrs, NULL))
		addrs = (struct nl_addrs){ 0 };
	if (!nl_link_list(c->nl, &links, NULL)) {
		for (size_t i = 0; i < links.n; i++)
			json_object_array_add(a, device(&links.v[i], &addrs));
		nl_links_fini(&links);
	}
	nl_addrs_fini(&addrs);
	return a;
}

static struct json_object *route(const struct nl_route *r)
{
	struct json_object *o = json_object_new_object();
	char text[PREFIX_STR_LEN], via[IP_STR_LEN];

	put_text(o, "to", ip_prefix_format(&r->dst, text));
	if (r->gateway.family)
		put_text(o, "via", ip_addr_format(&r->gateway, via));
	put_int(o, "device", r->oif);
	put_int(o, "table", r->table);
	put_int(o, "metric", r->metric);
	put_int(o, "mtu", r->mtu);
	put_int(o, "type", r->type);
	return o;
}

static struct json_object *routes(struct control *c)
{
	struct json_object *a = json_object_new_array();
	struct nl_routes all = { 0 };

	if (nl_route_list(c->nl, 0, &all, NULL))
		return a;
	for (size_t i = 0; i < MIN(all.n, ROUTES_MAX); i++)
		json_object_array_add(a, route(&all.v[i]));
	nl_routes_fini(&all);
	return a;
}

static struct json_object *firewalls(void)
{
	struct json_object *a = json_object_new_array();
	struct nf_chain v[NF_CHAINS_MAX];
	int n = nf_chain_forward_drops(v, NF_CHAINS_MAX);

	for (int i = 0; i < n; i++) {
		struct json_object *o = json_object_new_object();

		put_text(o, "family", v[i].family);
		put_text(o, "table", v[i].table);
		put_text(o, "chain", v[i].chain);
		json_object_array_add(a, o);
	}
	return a;
}

static struct json_object *rights(void)
{
	struct json_object *o = json_object_new_object();
	struct priv p;

	priv_probe(&p);
	for (unsigned i = 0; i < N_PRIVS; i++)
		json_object_object_add(o, priv_name((enum priv_cap)i),
				       json_object_new_boolean(p.has[i]));
	return o;
}

struct json_object *show_host(struct control *c)
{
	struct json_object *o = json_object_new_object();
	struct utsname u;

	put_text(o, "version", WEFT_VERSION);
	put_text(o, "host", c->config.host);
	if (!uname(&u)) {
		put_text(o, "kernel", u.release);
		put_text(o, "machine", u.machine);
	}
	json_object_object_add(o, "rights", rights());
	json_object_object_add(o, "devices", devices(c));
	json_object_object_add(o, "routes", routes(c));
	json_object_object_add(o, "forward_drops", firewalls());
	return o;
}
