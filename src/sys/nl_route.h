/* SPDX-License-Identifier: Apache-2.0 */
/* Routes and policy rules by netlink, kept so that they go back as they were.
 *
 * What      list, add, delete routes of all tables and both families; rules.
 * Why so    a route is held as the kernel's own message (struct nl_raw) beside
 *           the members read from it: metrics, encapsulations, multipath and
 *           attributes this code has never heard of survive a move and its
 *           undoing. The members are for reading; what is sent is the raw.
 * Invariant R1 cached (cloned) routes are never listed.
 *           R2 a list is in an order in which it can be added again: what needs
 *           no gateway comes before what does.
 * Owns      raw; *_fini frees.
 * Threads   as nl.h. */
#ifndef SYS_NL_ROUTE_H
#define SYS_NL_ROUTE_H

#include "base/addr.h"
#include "sys/nl.h"

struct nl_route {
	uint16_t family;
	struct ip_prefix dst; /* family set even for the default route, len 0 */
	struct ip_prefix src; /* IPv6 source routes; len 0 none */
	struct ip_addr gateway; /* first hop's; family 0: directly connected */
	struct ip_addr prefsrc; /* family 0: none */
	uint32_t oif;           /* first hop's device, 0 none (blackhole...) */
	uint32_t table;         /* RT_TABLE_*: 254 main, 255 local */
	uint32_t metric;
	uint32_t mtu;        /* metric MTU, 0 none */
	uint8_t type;        /* RTN_* */
	uint8_t scope;       /* RT_SCOPE_* */
	uint8_t proto;       /* RTPROT_* */
	uint8_t pref;        /* RFC 4191 preference, ICMPV6_ROUTER_PREF_* */
	uint16_t n_hops;     /* > 1: multipath */
	uint32_t expires_s;  /* IPv6 from router advertisements; 0 never */
	uint32_t nexthop_id; /* nexthop object, 0 none */
	struct nl_raw raw;
};

struct nl_routes {
	struct nl_route *v;
	size_t n;
};

/* Routes of all tables that name `ifindex` in any hop; 0: all routes. */
int nl_route_list(struct nl *nl, uint32_t ifindex, struct nl_routes *out,
		  struct err *e) MUST_CHECK;
void nl_routes_fini(struct nl_routes *r);
void nl_route_fini(struct nl_route *r);
struct nl_route nl_route_copy(const struct nl_route *r);
/* A unicast route in table main, protocol static; via->family 0 (or via NULL):
 * directly connected, scope link. */
struct nl_route nl_route_plain(const struct ip_prefix *dst,
			       const struct ip_addr *via, uint32_t oif);
/* Every hop on device `from` becomes one on `to`. A nexthop object, being bound
 * to `from`, is replaced by the hops it stood for. True when anything changed. */
bool nl_route_retarget(struct nl_route *r, uint32_t from, uint32_t to);
/* Did the kernel make it by itself from an address (it comes back with it)? */
bool nl_route_is_automatic(const struct nl_route *r);
bool nl_route_names(const struct nl_route *r, uint32_t ifindex);
/* -EEXIST when an equal one is there. */
int nl_route_add(struct nl *nl, const struct nl_route *r,
		 struct err *e) MUST_CHECK;
/* Adds, or replaces the one with the same destination, table and metric. */
int nl_route_put(struct nl *nl, const struct nl_route *r,
		 struct err *e) MUST_CHECK;
/* -ESRCH when it is not there. */
int nl_route_del(struct nl *nl, const struct nl_route *r,
		 struct err *e) MUST_CHECK;

struct nl_rule {
	uint16_t family;
	struct ip_prefix src, dst;               /* len 0: any */
	char iif[NL_NAME_MAX], oif[NL_NAME_MAX]; /* "" any */
	uint32_t priority;
	uint32_t table;
	uint32_t fwmark, fwmask;
	uint8_t action; /* FR_ACT_* */
	struct nl_raw raw;
};

struct nl_rules {
	struct nl_rule *v;
	size_t n;
};

int nl_rule_list(struct nl *nl, struct nl_rules *out, struct err *e) MUST_CHECK;
void nl_rules_fini(struct nl_rules *r);
/* The rule as listed, with device name `from` replaced by `to` where it stands
 * in iif or oif (names of the raw copy too). True when anything changed. */
bool nl_rule_retarget(struct nl_rule *r, const char *from, const char *to);
int nl_rule_add(struct nl *nl, const struct nl_rule *r,
		struct err *e) MUST_CHECK;
int nl_rule_del(struct nl *nl, const struct nl_rule *r,
		struct err *e) MUST_CHECK;

#endif
