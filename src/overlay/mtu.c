/* SPDX-License-Identifier: Apache-2.0 */
#include "overlay/mtu.h"

#include <sys/socket.h>

#include "packet/headers.h"

uint32_t mtu_overhead(uint16_t family, bool inner_vlan)
{
	uint32_t ip = family == AF_INET6 ? IP6_HEADER_LEN : IP4_HEADER_LEN;

	return ip + UDP_HEADER_LEN + VXLAN_HEADER_LEN + ETH_HEADER_LEN +
	       (inner_vlan ? VLAN_HEADER_LEN : 0);
}

uint32_t mtu_inside(uint32_t underlay, uint16_t family, bool inner_vlan)
{
	uint32_t overhead = mtu_overhead(family, inner_vlan);

	if (underlay < overhead + MTU_IP4_MIN)
		return 0;
	return MIN(underlay, MTU_MAX) - overhead;
}

uint32_t mtu_needed(uint32_t inside, uint16_t family, bool inner_vlan)
{
	return inside + mtu_overhead(family, inner_vlan);
}
