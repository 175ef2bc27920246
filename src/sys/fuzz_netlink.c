/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: the parsers of the kernel's messages, and what rewrites routes.
 * Input: one byte chooses the message, the rest is its payload. */
#include <stddef.h>
#include <stdint.h>

#include "sys/nl_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use_route(struct nl_route *r)
{
	struct nl_route copy = nl_route_copy(r);
	uint32_t oif = r->oif;

	(void)nl_route_is_automatic(r);
	must(nl_route_names(r, oif));
	if (nl_route_retarget(&copy, oif, oif ^ 1))
		must(!nl_route_retarget(&copy, oif, oif ^ 1));
	nl_route_fini(&copy);
	nl_route_fini(r);
}

static void parse(const struct nlmsghdr *h)
{
	union {
		struct nl_link link;
		struct nl_addr addr;
		struct nl_neigh neigh;
		struct nl_route route;
		struct nl_rule rule;
	} u;

	if (nl_link_parse(h, &u.link))
		must(strlen(u.link.name) < NL_NAME_MAX);
	if (nl_addr_parse(h, &u.addr))
		must(u.addr.local.addr.family);
	if (nl_neigh_parse(h, &u.neigh))
		must(u.neigh.addr.family);
	if (nl_route_parse(h, &u.route))
		use_route(&u.route);
	if (nl_rule_parse(h, &u.rule)) {
		(void)nl_rule_retarget(&u.rule, u.rule.iif, "eth9");
		nl_raw_fini(&u.rule.raw);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t types[] = { RTM_NEWLINK,  RTM_DELLINK,
					  RTM_NEWADDR,  RTM_NEWNEIGH,
					  RTM_NEWROUTE, RTM_DELROUTE,
					  RTM_NEWRULE };
	struct nlmsghdr *h;

	if (!size || size > 65536)
		return 0;
	/* Messages lie aligned in their buffer: libmnl reads up to there. */
	h = xzalloc(MNL_ALIGN(sizeof(*h) + size - 1));
	h->nlmsg_len = (uint32_t)(sizeof(*h) + size - 1);
	h->nlmsg_type = types[data[0] % ARRAY_SIZE(types)];
	memcpy(h + 1, data + 1, size - 1);
	parse(h);
	free(h);
	return 0;
}
