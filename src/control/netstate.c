/* SPDX-License-Identifier: Apache-2.0 */
#include "control/netstate.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "sys/netlink.h"

struct lines {
	char **v;
	size_t n, cap;
};

static void lines_take(struct lines *l, char *line)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 64;
		l->v = xrealloc(l->v, l->cap * sizeof(*l->v));
	}
	l->v[l->n++] = line;
}

static const struct nl_link *link_of(const struct nl_links *links,
				     uint32_t ifindex)
{
	for (size_t i = 0; i < links->n; i++)
		if (links->v[i].ifindex == ifindex)
			return &links->v[i];
	return NULL;
}

static const char *name_of(const struct nl_links *links, uint32_t ifindex)
{
	const struct nl_link *l = link_of(links, ifindex);

	return l ? l->name : "?";
}

static void add_links(struct lines *out, const struct nl_links *links)
{
	for (size_t i = 0; i < links->n; i++) {
		const struct nl_link *l = &links->v[i];

		lines_take(
			out,
			xasprintf("device %s, %s, MTU %u%s%s", l->name,
				  nl_link_is_up(l) ? "up" : "down", l->mtu,
				  l->master ? ", in " : "",
				  l->master ? name_of(links, l->master) : ""));
	}
}

/* What the kernel makes and drops by itself is not the operator's. */
static bool is_passing(const struct nl_addr *a)
{
	return a->flags & (IFA_F_TEMPORARY | IFA_F_TENTATIVE) ||
	       a->scope == RT_SCOPE_LINK;
}

static void add_addresses(struct lines *out, const struct nl_links *links,
			  const struct nl_addrs *addrs)
{
	char text[PREFIX_STR_LEN];

	for (size_t i = 0; i < addrs->n; i++)
		if (!is_passing(&addrs->v[i]))
			lines_take(
				out,
				xasprintf("address %s on %s",
					  ip_prefix_format(&addrs->v[i].local,
							   text),
					  name_of(links, addrs->v[i].ifindex)));
}

static bool is_local(const struct nl_route *r)
{
	return r->table == RT_TABLE_LOCAL || r->type != RTN_UNICAST ||
	       (r->dst.addr.family == AF_INET6 && r->dst.addr.a.b[0] >= 0xfe);
}

static char *route_line(const struct nl_links *links, const struct nl_route *r)
{
	char dst[PREFIX_STR_LEN], via[IP_STR_LEN];
	struct str s = STR_INIT;

	str_addf(&s, "route %s",
		 r->dst.len ? ip_prefix_format(&r->dst, dst) : "default");
	if (r->gateway.family)
		str_addf(&s, " via %s", ip_addr_format(&r->gateway, via));
	str_addf(&s, " on %s", name_of(links, r->oif));
	if (r->table != RT_TABLE_MAIN)
		str_addf(&s, " in table %u", r->table);
	if (r->metric)
		str_addf(&s, " metric %u", r->metric);
	return str_take(&s);
}

static int line_order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *join(struct lines *l)
{
	struct str s = STR_INIT;

	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), line_order);
	for (size_t i = 0; i < l->n; i++) {
		str_addf(&s, "%s\n", l->v[i]);
		free(l->v[i]);
	}
	free(l->v);
	return str_take(&s);
}

char *netstate_take(struct nl *nl)
{
	struct nl_routes routes = { 0 };
	struct nl_links links = { 0 };
	struct nl_addrs addrs = { 0 };
	struct lines l = { 0 };
	char *text = NULL;

	if (!nl_link_list(nl, &links, NULL) &&
	    !nl_addr_list(nl, 0, &addrs, NULL) &&
	    !nl_route_list(nl, 0, &routes, NULL)) {
		add_links(&l, &links);
		add_addresses(&l, &links, &addrs);
		for (size_t i = 0; i < routes.n; i++)
			if (!is_local(&routes.v[i]))
				lines_take(&l,
					   route_line(&links, &routes.v[i]));
		text = join(&l);
	}
	nl_routes_fini(&routes);
	nl_addrs_fini(&addrs);
	nl_links_fini(&links);
	return text;
}

/* --- comparing ------------------------------------------------------------ */

/* The line at `at` (up to its newline, or nothing); moves on. */
static size_t line_len(const char *at)
{
	return strcspn(at, "\n");
}

static int line_cmp(const char *a, const char *b)
{
	size_t x = line_len(a), y = line_len(b);
	int c = memcmp(a, b, MIN(x, y));

	return c ? c : (x > y) - (x < y);
}

static void tell(const char *line, const char *how, unsigned n, unsigned max,
		 struct str *out)
{
	if (n < max)
		str_addf(out, "%s%.*s %s", n ? ", " : "", (int)line_len(line),
			 line, how);
}

unsigned netstate_compare(const char *before, const char *now, unsigned max,
			  struct str *out)
{
	unsigned n = 0;
	int c;

	while (*before || *now) {
		c = !*before ? 1 : !*now ? -1 : line_cmp(before, now);
		if (c < 0)
			tell(before, "is missing", n, max, out);
		else if (c > 0)
			tell(now, "is new", n, max, out);
		n += c != 0;
		if (c <= 0)
			before += line_len(before) + 1;
		if (c >= 0)
			now += line_len(now) + 1;
	}
	return n;
}
