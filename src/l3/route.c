/* SPDX-License-Identifier: Apache-2.0 */
#include "l3/route.h"

#include "base/hash.h"
#include "l3/lpm.h"

struct route_table {
	struct lpm *lpm; /* prefix -> index of the route that counts */
	struct route *routes;
	size_t n;
};

/* By family, prefix and length; then the one that counts comes last. */
static int route_compare(const void *pa, const void *pb)
{
	const struct route *a = pa, *b = pb;
	struct ip_prefix net_a = ip_prefix_network(&a->prefix);
	struct ip_prefix net_b = ip_prefix_network(&b->prefix);
	int d;

	if (net_a.addr.family != net_b.addr.family)
		return net_a.addr.family < net_b.addr.family ? -1 : 1;
	d = memcmp(&net_a.addr.a, &net_b.addr.a, sizeof(net_a.addr.a));
	if (d)
		return d;
	if (net_a.len != net_b.len)
		return net_a.len < net_b.len ? -1 : 1;
	if (a->metric != b->metric)
		return a->metric > b->metric ? -1 : 1;
	if (a->kind != b->kind &&
	    (a->kind == ROUTE_CONNECTED || b->kind == ROUTE_CONNECTED))
		return a->kind == ROUTE_CONNECTED ? 1 : -1;
	return 0;
}

/* A stable order without relying on qsort's: the later of the list goes first,
 * so that the first of the list comes last, which is where the one that counts
 * stands. */
struct sort_item {
	struct route route;
	size_t place;
};

static int item_compare(const void *pa, const void *pb)
{
	const struct sort_item *a = pa, *b = pb;
	int d = route_compare(&a->route, &b->route);

	if (d)
		return d;
	return a->place > b->place ? -1 : a->place < b->place;
}

static struct route *routes_sorted(const struct route *routes, size_t n)
{
	struct sort_item *items = xcalloc(n + 1, sizeof(*items));
	struct route *sorted = xcalloc(n + 1, sizeof(*sorted));

	for (size_t i = 0; i < n; i++)
		items[i] = (struct sort_item){ routes[i], i };
	qsort(items, n, sizeof(*items), item_compare);
	for (size_t i = 0; i < n; i++)
		sorted[i] = items[i].route;
	free(items);
	return sorted;
}

struct route_table *route_table_build(const struct route *routes, size_t n)
{
	struct route_table *t = xzalloc(sizeof(*t));
	struct lpm_entry *entries = xcalloc(n + 1, sizeof(*entries));

	t->routes = routes_sorted(routes, n);
	t->n = n;
	for (size_t i = 0; i < n; i++) {
		const struct route *r = &t->routes[i];

		must(r->n_hops <= ROUTE_MAX_HOPS);
		must(r->n_hops || r->kind == ROUTE_BLACKHOLE ||
		     r->kind == ROUTE_UNREACHABLE);
		entries[i] = (struct lpm_entry){ r->prefix, (uint32_t)i };
	}
	t->lpm = lpm_build(entries, n);
	free(entries);
	return t;
}

void route_table_destroy(struct route_table *t)
{
	if (!t)
		return;
	lpm_destroy(t->lpm);
	free(t->routes);
	free(t);
}

size_t route_table_count(const struct route_table *t)
{
	return t->n;
}

const struct route *route_table_at(const struct route_table *t, size_t i)
{
	return i < t->n ? &t->routes[i] : NULL;
}

/* Highest random weight: a hop that goes moves only the flows it had. */
static const struct route_hop *route_pick(const struct route *r, uint64_t hash)
{
	const struct route_hop *best = &r->hops[0];
	uint64_t best_weight = 0;

	for (unsigned i = 0; i < r->n_hops; i++) {
		const struct route_hop *h = &r->hops[i];
		uint64_t weight =
			hash_bytes(&h->gateway.a, sizeof(h->gateway.a),
				   hash_u64(h->iface, hash));

		if (i && weight <= best_weight)
			continue;
		best = h;
		best_weight = weight;
	}
	return best;
}

struct route_found route_table_find(const struct route_table *t,
				    const struct ip_addr *dst,
				    uint64_t flow_hash)
{
	struct lpm_found l = lpm_find(t->lpm, dst);
	struct route_found f = { .bits = l.bits };

	if (!l.found)
		return f;
	f.route = &t->routes[l.value];
	if (f.route->kind == ROUTE_BLACKHOLE ||
	    f.route->kind == ROUTE_UNREACHABLE)
		return f;
	f.used_hash = f.route->n_hops > 1;
	f.hop = f.used_hash ? route_pick(f.route, flow_hash) :
			      &f.route->hops[0];
	f.next_hop = f.hop->gateway.family ? f.hop->gateway : *dst;
	return f;
}

const char *route_kind_name(enum route_kind k)
{
	static const char *const names[] = {
		[ROUTE_CONNECTED] = "connected",
		[ROUTE_VIA] = "via",
		[ROUTE_BLACKHOLE] = "blackhole",
		[ROUTE_UNREACHABLE] = "unreachable",
	};

	return names[k];
}
