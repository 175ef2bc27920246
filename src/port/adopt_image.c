/* SPDX-License-Identifier: Apache-2.0 */
#include "port/adopt_image.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <sys/socket.h>

#include "sys/nl_saved.h"
#include "sys/sysctl.h"

/* How IPv4 and IPv6 behave on a device: moves along with the addresses. */
static const struct {
	const char *family, *name;
} adopt_settings[] = {
	/* First: nothing of IPv6 can be put where it is off. */
	{ "ipv6", "disable_ipv6" },     { "ipv6", "accept_ra" },
	{ "ipv6", "accept_ra_defrtr" }, { "ipv6", "accept_ra_mtu" },
	{ "ipv6", "accept_ra_pinfo" },  { "ipv6", "accept_ra_rtr_pref" },
	{ "ipv6", "accept_redirects" }, { "ipv6", "addr_gen_mode" },
	{ "ipv6", "autoconf" },         { "ipv6", "dad_transmits" },
	{ "ipv6", "forwarding" },       { "ipv6", "hop_limit" },
	{ "ipv6", "proxy_ndp" },        { "ipv6", "temp_prefered_lft" },
	{ "ipv6", "temp_valid_lft" },   { "ipv6", "use_tempaddr" },
	{ "ipv4", "accept_redirects" }, { "ipv4", "accept_source_route" },
	{ "ipv4", "arp_accept" },       { "ipv4", "arp_announce" },
	{ "ipv4", "arp_filter" },       { "ipv4", "arp_ignore" },
	{ "ipv4", "arp_notify" },       { "ipv4", "forwarding" },
	{ "ipv4", "log_martians" },     { "ipv4", "promote_secondaries" },
	{ "ipv4", "proxy_arp" },        { "ipv4", "route_localnet" },
	{ "ipv4", "rp_filter" },        { "ipv4", "secure_redirects" },
	{ "ipv4", "send_redirects" },   { "ipv4", "shared_media" },
	{ "ipv4", "src_valid_mark" },
};

/* --- building ---------------------------------------------------------------- */
#define ADOPT_APPEND(im, v, item)                                              \
	do {                                                                   \
		(im)->v = xrealloc((im)->v,                                    \
				   ((im)->n_##v + 1) * sizeof(*(im)->v));      \
		(im)->v[(im)->n_##v++] = *(item);                              \
	} while (0)

void adopt_image_add_addr(struct adopt_image *im, const struct nl_addr *a)
{
	ADOPT_APPEND(im, addrs, a);
}

void adopt_image_add_route(struct adopt_image *im, const struct nl_route *r)
{
	ADOPT_APPEND(im, routes, r);
}

void adopt_image_add_rule(struct adopt_image *im, const struct nl_rule *r)
{
	ADOPT_APPEND(im, rules, r);
}

void adopt_image_add_neigh(struct adopt_image *im, const struct nl_neigh *n)
{
	ADOPT_APPEND(im, neighs, n);
}

void adopt_image_add_setting(struct adopt_image *im,
			     const struct adopt_setting *s)
{
	ADOPT_APPEND(im, settings, s);
}

void adopt_image_fini(struct adopt_image *im)
{
	for (unsigned i = 0; i < im->n_routes; i++)
		nl_route_fini(&im->routes[i]);
	for (unsigned i = 0; i < im->n_rules; i++)
		nl_raw_fini(&im->rules[i].raw);
	free(im->addrs);
	free(im->routes);
	free(im->rules);
	free(im->neighs);
	free(im->settings);
	memset(im, 0, sizeof(*im));
}

static struct nl_rule adopt_rule_copy(const struct nl_rule *r)
{
	struct nl_rule copy = *r;

	copy.raw.data = xmemdup(r->raw.data, r->raw.len);
	return copy;
}

/* --- taking -------------------------------------------------------------------- */
static bool adopt_is_link_local(const struct ip_prefix *p)
{
	return p->addr.family == AF_INET6 && ip6_addr_is_link_local(p->addr.a);
}

/* The kernel makes it with an address, or with the device (A4). */
static bool adopt_route_is_kernels(const struct nl_route *r)
{
	if (r->proto != RTPROT_KERNEL)
		return false;
	return r->type != RTN_UNICAST || r->table == RT_TABLE_LOCAL ||
	       adopt_is_link_local(&r->dst);
}

static int adopt_take_addrs(struct nl *nl, struct adopt_image *im,
			    struct err *e)
{
	struct nl_addrs l;
	int err = nl_addr_list(nl, im->ifindex, &l, e);

	if (err)
		return err;
	for (size_t i = 0; i < l.n; i++)
		adopt_image_add_addr(im, &l.v[i]);
	nl_addrs_fini(&l);
	return 0;
}

/* Does the kernel make this connected route with one of the addresses? */
static bool adopt_route_comes_along(const struct adopt_image *im,
				    const struct nl_route *r)
{
	if (r->proto != RTPROT_KERNEL || r->gateway.family)
		return false;
	for (unsigned i = 0; i < im->n_addrs; i++) {
		const struct nl_addr *a = &im->addrs[i];
		struct ip_prefix net = a->local;

		if (a->flags & IFA_F_NOPREFIXROUTE)
			continue;
		if (a->peer.family)
			net.addr = a->peer;
		net = ip_prefix_network(&net);
		if (ip_prefix_equal(&net, &r->dst))
			return true;
	}
	return false;
}

static int adopt_take_routes(struct nl *nl, struct adopt_image *im,
			     struct err *e)
{
	struct nl_routes l;
	int err = nl_route_list(nl, im->ifindex, &l, e);

	if (err)
		return err;
	for (size_t i = 0; i < l.n; i++) {
		struct nl_route copy;

		if (adopt_route_is_kernels(&l.v[i]) ||
		    adopt_route_comes_along(im, &l.v[i]))
			continue;
		copy = nl_route_copy(&l.v[i]);
		adopt_image_add_route(im, &copy);
	}
	nl_routes_fini(&l);
	return 0;
}

static int adopt_take_rules(struct nl *nl, struct adopt_image *im,
			    struct err *e)
{
	struct nl_rules l;
	int err = nl_rule_list(nl, &l, e);

	if (err)
		return err;
	for (size_t i = 0; i < l.n; i++) {
		struct nl_rule copy;

		if (strcmp(l.v[i].iif, im->device) &&
		    strcmp(l.v[i].oif, im->device))
			continue;
		copy = adopt_rule_copy(&l.v[i]);
		adopt_image_add_rule(im, &copy);
	}
	nl_rules_fini(&l);
	return 0;
}

/* What is known of neighbours, and what was set by hand; not what is being asked,
 * failed, or follows from the address (multicast, broadcast). */
static int adopt_take_neighs(struct nl *nl, struct adopt_image *im,
			     struct err *e)
{
	struct nl_neighs l;
	int err = nl_neigh_list(nl, im->ifindex, &l, e);

	if (err)
		return err;
	for (size_t i = 0; i < l.n; i++)
		if ((l.v[i].has_mac && !(l.v[i].state & NUD_NOARP)) ||
		    l.v[i].flags & NTF_PROXY)
			adopt_image_add_neigh(im, &l.v[i]);
	nl_neighs_fini(&l);
	return 0;
}

static void adopt_take_settings(struct adopt_image *im)
{
	for (unsigned i = 0; i < ARRAY_SIZE(adopt_settings); i++) {
		struct sysctl_device d = { .netns_fd = NL_CURRENT_NS,
					   .family = adopt_settings[i].family,
					   .device = im->device,
					   .setting = adopt_settings[i].name };
		struct adopt_setting s;

		if (sysctl_device_read(&d, &s.value, NULL))
			continue;
		snprintf(s.family, sizeof(s.family), "%s", d.family);
		snprintf(s.name, sizeof(s.name), "%s", d.setting);
		adopt_image_add_setting(im, &s);
	}
}

int adopt_image_take(struct nl *nl, const struct nl_link *link,
		     struct adopt_image *out, struct err *e)
{
	int err;

	*out = (struct adopt_image){ .ifindex = link->ifindex,
				     .mac = link->mac,
				     .mtu = link->mtu };
	snprintf(out->device, sizeof(out->device), "%s", link->name);
	err = adopt_take_addrs(nl, out, e);
	if (!err)
		err = adopt_take_routes(nl, out, e);
	if (!err)
		err = adopt_take_rules(nl, out, e);
	if (!err)
		err = adopt_take_neighs(nl, out, e);
	if (err)
		adopt_image_fini(out);
	else
		adopt_take_settings(out);
	return err;
}

/* --- sets ---------------------------------------------------------------------- */
static bool adopt_addr_equal(const struct nl_addr *a, const struct nl_addr *b)
{
	return ip_prefix_equal(&a->local, &b->local);
}

/* The same place in the same table; where it leads to is what changes. */
static bool adopt_route_equal(const struct nl_route *a,
			      const struct nl_route *b)
{
	return a->family == b->family && ip_prefix_equal(&a->dst, &b->dst) &&
	       ip_prefix_equal(&a->src, &b->src) && a->table == b->table &&
	       a->metric == b->metric && a->type == b->type &&
	       ip_addr_equal(&a->gateway, &b->gateway);
}

static bool adopt_rule_equal(const struct nl_rule *a, const struct nl_rule *b)
{
	return a->family == b->family && a->priority == b->priority &&
	       a->table == b->table && a->action == b->action &&
	       ip_prefix_equal(&a->src, &b->src) &&
	       ip_prefix_equal(&a->dst, &b->dst) && a->fwmark == b->fwmark &&
	       a->fwmask == b->fwmask && !strcmp(a->iif, b->iif) &&
	       !strcmp(a->oif, b->oif);
}

static bool adopt_has_addr(const struct adopt_image *im,
			   const struct nl_addr *a)
{
	for (unsigned i = 0; i < im->n_addrs; i++)
		if (adopt_addr_equal(&im->addrs[i], a))
			return true;
	return false;
}

static bool adopt_has_route(const struct adopt_image *im,
			    const struct nl_route *r)
{
	for (unsigned i = 0; i < im->n_routes; i++)
		if (adopt_route_equal(&im->routes[i], r))
			return true;
	return false;
}

static bool adopt_has_rule(const struct adopt_image *im,
			   const struct nl_rule *r)
{
	for (unsigned i = 0; i < im->n_rules; i++)
		if (adopt_rule_equal(&im->rules[i], r))
			return true;
	return false;
}

static bool adopt_has_neigh(const struct adopt_image *im,
			    const struct nl_neigh *n)
{
	for (unsigned i = 0; i < im->n_neighs; i++)
		if (ip_addr_equal(&im->neighs[i].addr, &n->addr))
			return true;
	return false;
}

/* An alias's label begins with its device's name. */
static void adopt_relabel(struct nl_addr *a, const char *from, const char *to)
{
	char label[sizeof(a->label)];
	size_t len = strlen(from);

	if (!a->label[0] || strncmp(a->label, from, len) ||
	    (a->label[len] && a->label[len] != ':'))
		return;
	if (snprintf(label, sizeof(label), "%s%s", to, a->label + len) >=
	    (int)sizeof(label))
		label[0] = 0;
	memcpy(a->label, label, sizeof(label));
}

void adopt_image_merge(struct adopt_image *im, const struct adopt_image *from)
{
	for (unsigned i = 0; i < from->n_addrs; i++) {
		struct nl_addr a = from->addrs[i];

		adopt_relabel(&a, from->device, im->device);
		if (!adopt_has_addr(im, &a))
			adopt_image_add_addr(im, &a);
	}
	for (unsigned i = 0; i < from->n_routes; i++) {
		struct nl_route r;

		if (adopt_has_route(im, &from->routes[i]))
			continue;
		r = nl_route_copy(&from->routes[i]);
		nl_route_retarget(&r, from->ifindex, im->ifindex);
		adopt_image_add_route(im, &r);
	}
	for (unsigned i = 0; i < from->n_rules; i++) {
		struct nl_rule r = adopt_rule_copy(&from->rules[i]);

		nl_rule_retarget(&r, from->device, im->device);
		if (adopt_has_rule(im, &r))
			nl_raw_fini(&r.raw);
		else
			adopt_image_add_rule(im, &r);
	}
	for (unsigned i = 0; i < from->n_neighs; i++)
		if (!adopt_has_neigh(im, &from->neighs[i]))
			adopt_image_add_neigh(im, &from->neighs[i]);
}

static void adopt_drop_addr(struct adopt_image *im, unsigned i)
{
	im->n_addrs--;
	memmove(&im->addrs[i], &im->addrs[i + 1],
		(im->n_addrs - i) * sizeof(im->addrs[0]));
}

static void adopt_drop_route(struct adopt_image *im, unsigned i)
{
	nl_route_fini(&im->routes[i]);
	im->n_routes--;
	memmove(&im->routes[i], &im->routes[i + 1],
		(im->n_routes - i) * sizeof(im->routes[0]));
}

static void adopt_drop_rule(struct adopt_image *im, unsigned i)
{
	nl_raw_fini(&im->rules[i].raw);
	im->n_rules--;
	memmove(&im->rules[i], &im->rules[i + 1],
		(im->n_rules - i) * sizeof(im->rules[0]));
}

void adopt_image_subtract(struct adopt_image *im, const struct adopt_image *own)
{
	for (unsigned i = im->n_addrs; i--;)
		if (adopt_has_addr(own, &im->addrs[i]))
			adopt_drop_addr(im, i);
	for (unsigned i = im->n_routes; i--;)
		if (adopt_has_route(own, &im->routes[i]))
			adopt_drop_route(im, i);
	for (unsigned i = im->n_rules; i--;)
		if (adopt_has_rule(own, &im->rules[i]))
			adopt_drop_rule(im, i);
}

/* Is the route one that the port gave? */
static bool adopt_netconf_has(const struct netconf *own,
			      const struct nl_route *r)
{
	for (unsigned i = 0; i < own->n_routes; i++)
		if (ip_prefix_equal(&own->routes[i].to, &r->dst) &&
		    ip_addr_equal(&own->routes[i].via, &r->gateway))
			return true;
	return false;
}

void adopt_image_subtract_netconf(struct adopt_image *im,
				  const struct netconf *own)
{
	for (unsigned i = im->n_addrs; i--;)
		for (unsigned k = 0; k < own->n_addresses; k++)
			if (ip_prefix_equal(&im->addrs[i].local,
					    &own->addresses[k])) {
				adopt_drop_addr(im, i);
				break;
			}
	for (unsigned i = im->n_routes; i--;)
		if (adopt_netconf_has(own, &im->routes[i]))
			adopt_drop_route(im, i);
}

void adopt_image_subtract_link_local(struct adopt_image *im,
				     const struct adopt_image *but)
{
	for (unsigned i = im->n_addrs; i--;)
		if (adopt_is_link_local(&im->addrs[i].local) &&
		    !adopt_has_addr(but, &im->addrs[i]))
			adopt_drop_addr(im, i);
}

/* --- putting ----------------------------------------------------------------------- */
static int adopt_put_addr(struct nl *nl, const struct adopt_image *im,
			  unsigned i, const struct adopt_place *to,
			  struct err *e)
{
	struct nl_addr a = im->addrs[i];
	uint32_t flags = a.flags;
	int err;

	adopt_relabel(&a, im->device, to->device);
	a.ifindex = to->ifindex;
	/* It is ours and in use: a second without it is what we are here to
	 * spare. Afterwards the flag goes, if it was not there. */
	a.flags |= IFA_F_NODAD;
	err = nl_addr_put(nl, &a, e);
	if (!err && a.local.addr.family == AF_INET6 && a.flags != flags) {
		a.flags = flags;
		err = nl_addr_put(nl, &a, e);
	}
	return err;
}

static int adopt_put_route(struct nl *nl, const struct adopt_image *im,
			   unsigned i, const struct adopt_place *to,
			   struct err *e)
{
	struct nl_route r = nl_route_copy(&im->routes[i]);
	int err;

	nl_route_retarget(&r, im->ifindex, to->ifindex);
	err = nl_route_put(nl, &r, NULL);
	/* It came with its address. */
	if (err == -EEXIST)
		err = 0;
	if (err && e)
		err = nl_route_put(nl, &r, e);
	nl_route_fini(&r);
	return err;
}

static int adopt_put_rule(struct nl *nl, const struct adopt_image *im,
			  unsigned i, const struct adopt_place *to,
			  struct err *e)
{
	struct nl_rule r = adopt_rule_copy(&im->rules[i]);
	int err;

	nl_rule_retarget(&r, im->device, to->device);
	err = nl_rule_add(nl, &r, NULL);
	if (err == -EEXIST)
		err = 0;
	if (err && e)
		err = nl_rule_add(nl, &r, e);
	nl_raw_fini(&r.raw);
	return err;
}

int adopt_image_put(struct nl *nl, const struct adopt_image *im,
		    const struct adopt_place *to, struct err *e)
{
	int err = 0;

	for (unsigned i = 0; !err && i < im->n_addrs; i++)
		err = adopt_put_addr(nl, im, i, to, e);
	/* Before the routes: the first packet finds its gateway. */
	for (unsigned i = 0; !err && i < im->n_neighs; i++) {
		struct nl_neigh n = im->neighs[i];

		n.ifindex = to->ifindex;
		/* It is learnt again when it cannot be put. */
		(void)!nl_neigh_put(nl, &n, NULL);
	}
	for (unsigned i = 0; !err && i < im->n_routes; i++)
		err = adopt_put_route(nl, im, i, to, e);
	for (unsigned i = 0; !err && i < im->n_rules; i++)
		err = adopt_put_rule(nl, im, i, to, e);
	return err;
}

/* --- stripping -------------------------------------------------------------------- */
void adopt_image_strip_rules(struct nl *nl, const struct adopt_image *im,
			     const char *device)
{
	for (unsigned i = 0; i < im->n_rules; i++) {
		struct nl_rule r = adopt_rule_copy(&im->rules[i]);

		nl_rule_retarget(&r, im->device, device);
		(void)!nl_rule_del(nl, &r, NULL);
		nl_raw_fini(&r.raw);
	}
}

void adopt_image_strip(struct nl *nl, const struct adopt_image *im,
		       const struct adopt_place *from)
{
	struct nl_addr *gone;

	adopt_image_strip_rules(nl, im, from->device);
	for (unsigned i = im->n_routes; i--;) {
		struct nl_route r = nl_route_copy(&im->routes[i]);

		nl_route_retarget(&r, im->ifindex, from->ifindex);
		(void)!nl_route_del(nl, &r, NULL);
		nl_route_fini(&r);
	}
	gone = xcalloc(im->n_addrs + 1, sizeof(*gone));
	for (unsigned i = 0; i < im->n_addrs; i++) {
		gone[i] = im->addrs[i];
		adopt_relabel(&gone[i], im->device, from->device);
		gone[i].ifindex = from->ifindex;
	}
	netconf_addresses_del(nl, from->ifindex, gone, im->n_addrs);
	free(gone);
}

void adopt_image_put_settings(const struct adopt_image *im, const char *device)
{
	for (unsigned i = 0; i < im->n_settings; i++) {
		const struct adopt_setting *s = &im->settings[i];
		struct sysctl_device d = { .netns_fd = NL_CURRENT_NS,
					   .family = s->family,
					   .device = device,
					   .setting = s->name };
		long now;

		/* Writing has effects of its own even when nothing changes. */
		if (!sysctl_device_read(&d, &now, NULL) && now != s->value)
			(void)!sysctl_device_write(&d, s->value, NULL);
	}
}
