/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/nl_saved.h"

#include "sys/nl_message.h"

/* The bytes as the message they came from, for the parser of messages. */
static bool nl_load(const void *raw, size_t len, uint16_t type,
		    bool (*parse)(const struct nlmsghdr *h, void *out),
		    void *out)
{
	struct nlmsghdr *h;
	bool ok;

	if (len > NL_REQ_MAX)
		return false;
	/* The walk over attributes goes on to the next multiple of 4. */
	h = xzalloc(NLMSG_HDRLEN + ROUND_UP(len, 4u));
	h->nlmsg_len = (uint32_t)(NLMSG_HDRLEN + len);
	h->nlmsg_type = type;
	memcpy(NLMSG_DATA(h), raw, len);
	ok = parse(h, out);
	free(h);
	return ok;
}

bool nl_route_load(const void *raw, size_t len, struct nl_route *out)
{
	return nl_load(raw, len, RTM_NEWROUTE, nl_route_parse, out);
}

bool nl_rule_load(const void *raw, size_t len, struct nl_rule *out)
{
	return nl_load(raw, len, RTM_NEWRULE, nl_rule_parse, out);
}
