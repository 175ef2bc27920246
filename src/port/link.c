/* SPDX-License-Identifier: Apache-2.0 */
#include "port/link.h"

void port_link_set(struct port *p, const struct nl_link *link)
{
	p->ifindex = link->ifindex;
	/* Workers look at it meanwhile. */
	__atomic_store_n(&p->mtu, link->mtu, __ATOMIC_RELAXED);
	p->mac = link->mac;
	port_set_state(p, nl_link_is_up(link) && link->carrier ? PORT_UP :
								 PORT_DOWN);
}

enum port_link_next port_link_new(struct port *p, const struct nl_link *link)
{
	if (!p->device[0])
		return PORT_LINK_NOTHING;
	if (p->ifindex == link->ifindex) {
		port_link_set(p, link);
		return PORT_LINK_NOTHING;
	}
	if (p->ifindex || strcmp(p->device, link->name))
		return PORT_LINK_NOTHING;
	return PORT_LINK_ATTACH;
}

enum port_link_next port_link_del(struct port *p, const struct nl_link *link)
{
	if (!p->ifindex || p->ifindex != link->ifindex)
		return PORT_LINK_NOTHING;
	port_set_state(p, PORT_ABSENT);
	return PORT_LINK_LOST;
}
