/* SPDX-License-Identifier: Apache-2.0 */
#include "control/advice.h"

#include <stddef.h>

#include "base/defs.h"

/* flat table: the compiler says so when a reason is new */
const char *advice_of_drop(enum drop d)
{
	switch (d) {
	case DROP_POOL_EMPTY:
	case DROP_RX_FULL:
	case DROP_TX_FULL:
		return "less traffic at once, or more workers (weftd "
		       "--workers)";
	case DROP_PORT_DOWN:
	case DROP_TX_ERROR:
		return "bring up the device of the port that it leaves by: "
		       "weft "
		       "show ports says what is missing";
	case DROP_NO_PORT:
		return "name a port that there is in the rule that sends it "
		       "there";
	case DROP_TOO_BIG:
		return "a smaller packet, or a larger mtu of the network and "
		       "the port that it leaves by";
	case DROP_NO_BRIDGE:
		return "give its port a network or a bridge";
	case DROP_VLAN_INGRESS:
		return "name its VLAN in the vlan of the port, or send it in "
		       "one "
		       "that is named there";
	case DROP_VLAN_NONE:
		return "give the port a native VLAN, or send it tagged";
	case DROP_RESERVED_MAC:
		return "forward_bpdu: true of the bridge";
	case DROP_ISOLATED:
		return "isolated: false of one of the two ports";
	case DROP_LOOP:
		return "take away the second way between the two ports; the "
		       "blocked one then opens by itself";
	case DROP_STORM:
		return "a higher limit in storm of the port";
	case DROP_MAC_LIMIT:
		return "a higher mac_limit of the port, or mac_table_size of "
		       "the "
		       "bridge";
	case DROP_MAC_STATIC:
		return "name the right port in static_macs of the bridge";
	case DROP_NO_MEMBERS:
		return "put another port into the network";
	case DROP_NOT_A_PEER:
		return "name the sender among hosts (underlay.address) or "
		       "peers";
	case DROP_NO_NETWORK:
		return "give the network the same vni on both hosts";
	case DROP_NO_ROUTE:
		return "a route of the router to it, or a network of the "
		       "router "
		       "that contains it";
	case DROP_ROUTE_BLACKHOLE:
		return "take the blackhole out of the router's routes, or add "
		       "a "
		       "narrower route";
	case DROP_TTL:
		return "a larger time to live; when it was large, two routers "
		       "send it to each other";
	case DROP_NEIGH_WAIT:
	case DROP_NEIGH_FAILED:
		return "the station must answer ARP or neighbour "
		       "solicitations: "
		       "is it up, and is its address right? weft show "
		       "neighbours";
	case DROP_RULE:
	case DROP_NO_RULE:
		return "change the rule, or put one with a higher priority "
		       "before it";
	case DROP_METER:
		return "a higher rate of the meter";
	case DROP_PUNT_QUOTA:
		return "less of what needs the slow path from this port: weft "
		       "drops shows what it is";
	case DROP_NONE:
	case DROP_TRUNCATED:
	case DROP_MALFORMED:
	case DROP_SOURCE_MULTICAST:
	case DROP_SAME_PORT:
	case DROP_TUNNEL_LOOP:
	case DROP_MARTIAN:
	case DROP_IP_HEADER:
	case DROP_IP_CSUM:
	case DROP_NOT_FOR_ROUTER:
	case DROP_ACTION:
	case DROP_RECURSION:
	case DROP_UNSUPPORTED:
	case DROP_SHUTDOWN:
	case N_DROPS:
		break;
	}
	return NULL;
}
