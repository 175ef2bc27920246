/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and routes that a port gives to the device beyond it.
 *
 * What      the far end of a veth in its namespace, the bridge's host device and
 *           a TUN's host side are given addresses and routes by their port.
 * Why so    they are changed as a difference from what the port gave before:
 *           what others put on the device (an adopted NIC's addresses, a
 *           person's) is never touched.
 * Threads   the control thread.
 * Owns      copies own their arrays; netconf_fini frees. */
#ifndef PORT_NETCONF_H
#define PORT_NETCONF_H

#include "base/addr.h"
#include "sys/nl_addr.h"

struct netconf_route {
	struct ip_prefix to; /* len 0: the default route */
	struct ip_addr via;  /* family 0: directly connected */
};

struct netconf {
	struct ip_prefix *addresses;
	unsigned n_addresses;
	struct netconf_route *routes;
	unsigned n_routes;
	bool nodad; /* IPv6 addresses are usable at once */
};

struct netconf netconf_copy(const struct netconf *c);
void netconf_fini(struct netconf *c);
bool netconf_equal(const struct netconf *a, const struct netconf *b);

/* Adds what `to` has, then takes away what only `from` (may be NULL) had. What
 * is there already is fine, so that a restart may say it again. The device must
 * be up for its routes. */
int netconf_change(struct nl *nl, uint32_t ifindex, const struct netconf *from,
		   const struct netconf *to, struct err *e) MUST_CHECK;

/* Takes these addresses off the device, and leaves it all others. */
void netconf_addresses_del(struct nl *nl, uint32_t ifindex,
			   const struct nl_addr *gone, unsigned n);

#endif
