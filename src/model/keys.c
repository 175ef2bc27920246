/* SPDX-License-Identifier: Apache-2.0 */
/* The tables: every key of the file. The reference page is made from them. */
#include "model/schema.h"

#define DEFAULT_MAC_TABLE 8192u
#define DEFAULT_AGEING_MS 300000u

/* A key of the struct that STRUCT names. */
#define KEY(member_, type_)                                                    \
	.name = #member_, .offset = offsetof(STRUCT, member_),                 \
	.type = &schema_##type_
#define KEY_AS(name_, member_, type_)                                          \
	.name = name_, .offset = offsetof(STRUCT, member_),                    \
	.type = &schema_##type_
#define OBJECT(keys_)                                                          \
	.size = sizeof(STRUCT), .keys = keys_, .n_keys = ARRAY_SIZE(keys_)

/* --- networks ------------------------------------------------------------- */

#define STRUCT struct model_network
static const struct schema_key network_keys[] = {
	{ KEY(subnets, prefixes), .dflt = "none: a network without IP",
	  .doc = "The address ranges used in this network. They overlap with "
		 "no other's, unless the networks are behind different "
		 "routers." },
	{ KEY(vni, number), .min = 1, .max = MODEL_VNI_MAX,
	  .dflt = "the network stays on its host",
	  .doc = "With it the network spans all hosts that have an underlay, "
		 "carried by VXLAN under this identifier." },
	{ KEY(mtu, number), .min = 576, .max = 65535, .dflt = "computed",
	  .doc = "The largest IP packet in this network. By default 1500, or "
		 "what the tunnel leaves of the underlay's MTU." },
	{ KEY(bridge, name), .dflt = "a bridge of its own, named like it",
	  .doc = "The bridge this network lives on. It is then present on the "
		 "hosts that have this bridge." },
	{ KEY(vlan, number), .min = 1, .max = MODEL_VLAN_MAX,
	  .dflt = "untagged",
	  .doc = "The VLAN of that bridge that is this network." },
	{ KEY(mac_table_size, number), .min = 16, .max = 1048576,
	  .def = DEFAULT_MAC_TABLE,
	  .doc = "How many stations are remembered at most (own bridge)." },
	{ KEY_AS("mac_ageing", mac_ageing_ms, duration), .min = 1000,
	  .max = 3600000, .def = DEFAULT_AGEING_MS,
	  .doc = "After what silence a station is forgotten (own bridge)." },
	{ KEY(multicast_snooping, bool), .def = true,
	  .doc = "Send multicast only where IGMP and MLD say that somebody "
		 "listens (own bridge)." },
	{ KEY(arp_suppression, bool), .def = true,
	  .doc = "Answer ARP and neighbour solicitations for stations that are "
		 "known, instead of flooding them." },
};
const struct schema_object schema_network = {
	.what = "network",
	OBJECT(network_keys),
	.doc = "A network is one layer-2 domain with its subnets.",
};
#undef STRUCT

/* --- routers -------------------------------------------------------------- */

#define STRUCT struct model_route
static const struct schema_key route_keys[] = {
	{ KEY(to, prefix), .required = true,
	  .doc = "The destination, as 10.9.0.0/16; 0.0.0.0/0 or ::/0 is the "
		 "default route." },
	{ KEY(via, addr), .dflt = "none",
	  .doc = "The next router: an address in one of the networks." },
	{ KEY(blackhole, bool),
	  .doc = "Drop what goes there, and say unreachable." },
};
const struct schema_object schema_route = {
	.what = "route",
	OBJECT(route_keys),
	.doc = "A static route: `to` and either `via` or `blackhole`.",
};
#undef STRUCT

#define STRUCT struct model_interface
static const struct schema_key interface_keys[] = {
	{ KEY(addresses, prefixes), .required = true,
	  .doc = "The router's addresses in this network, with the subnet's "
		 "prefix length." },
	{ KEY(advertise, bool),
	  .doc = "Send IPv6 router advertisements: guests then configure "
		 "addresses and default route by themselves." },
};
const struct schema_object schema_interface = {
	.what = "interface",
	OBJECT(interface_keys),
	.doc = "A router's interface in the network of that name.",
};
#undef STRUCT

#define STRUCT struct model_router
static const struct schema_key router_keys[] = {
	{ KEY(mac, mac), .dflt = "made of the name",
	  .doc = "The router's MAC address, the same on every host." },
	{ KEY(networks, map), .object = &schema_interface,
	  .doc = "The networks it joins." },
	{ KEY(routes, list), .object = &schema_route,
	  .doc = "Static routes beside those to its networks." },
};
const struct schema_object schema_router = {
	.what = "router",
	OBJECT(router_keys),
	.doc = "A router joins networks. It is on every host at once, with the "
	       "same addresses.",
};
#undef STRUCT

/* --- bridges -------------------------------------------------------------- */

#define STRUCT struct model_bridge_host
static const struct schema_key bridge_host_keys[] = {
	{ KEY(addresses, prefixes), .dflt = "none",
	  .doc = "The host's addresses on it." },
	{ KEY(routes, list), .object = &schema_route,
	  .doc = "Routes of the host through it." },
	{ KEY(mac, mac), .dflt = "the adopted NIC's, or made of the name",
	  .doc = "The device's MAC address." },
	{ KEY(mtu, number), .min = 576, .max = 65535, .dflt = "the bridge's",
	  .doc = "The device's MTU." },
	{ KEY(vlan, number), .min = 1, .max = MODEL_VLAN_MAX,
	  .dflt = "untagged", .doc = "The VLAN the host is in." },
};
const struct schema_object schema_bridge_host = {
	.what = "host device",
	OBJECT(bridge_host_keys),
	.doc = "The bridge's own device in the host, named like the bridge.",
};
#undef STRUCT

#define STRUCT struct model_static_mac
static const struct schema_key static_mac_keys[] = {
	{ KEY(mac, mac), .required = true, .doc = "The station." },
	{ KEY(port, name), .required = true,
	  .doc = "The port of this bridge behind which it is." },
	{ KEY(vlan, number), .min = 1, .max = MODEL_VLAN_MAX,
	  .dflt = "untagged", .doc = "In which VLAN." },
};
const struct schema_object schema_static_mac = {
	.what = "static address",
	OBJECT(static_mac_keys),
	.doc = "A station that is never learned elsewhere and never ages.",
};
#undef STRUCT

#define STRUCT struct model_bridge
static const struct schema_key bridge_keys[] = {
	{ KEY(mac_table_size, number), .min = 16, .max = 1048576,
	  .def = DEFAULT_MAC_TABLE,
	  .doc = "How many stations are remembered at most." },
	{ KEY_AS("mac_ageing", mac_ageing_ms, duration), .min = 1000,
	  .max = 3600000, .def = DEFAULT_AGEING_MS,
	  .doc = "After what silence a station is forgotten." },
	{ KEY(multicast_snooping, bool), .def = true,
	  .doc = "Send multicast only where IGMP and MLD say that somebody "
		 "listens." },
	{ KEY(loop_guard, bool), .def = true,
	  .doc = "Block a port that brings our own frames back." },
	{ KEY(forward_bpdu, bool),
	  .doc = "Forward the reserved multicast addresses (spanning tree, "
		 "LLDP), which a bridge otherwise keeps to itself." },
	{ KEY(openflow, bool),
	  .doc = "Let OpenFlow 1.0 to 1.5 program this bridge, by the sockets "
		 "NAME.mgmt and NAME.snoop in the folder of sockets. It begins "
		 "with one rule, NORMAL: the bridge as it is without. Not "
		 "together with `rules`." },
	{ KEY(host, optional), .object = &schema_bridge_host,
	  .dflt = "none, or what an adopted NIC brings",
	  .doc = "The host's own place on this bridge." },
	{ KEY(rules, texts), .dflt = "none",
	  .doc = "Flow rules that come before the bridge's own decisions, as "
		 "\"priority=100,tcp,tp_dst=23 actions=drop\"; output:vm1 "
		 "sends to "
		 "a port of this host." },
	{ KEY(static_macs, list), .object = &schema_static_mac,
	  .doc = "Stations that are not to be learned." },
};
const struct schema_object schema_bridge = {
	.what = "bridge",
	OBJECT(bridge_keys),
	.doc = "A learning switch on one host. Only needed where a network's "
	       "own bridge will not do: to adopt a NIC, for VLANs, for rules.",
};
#undef STRUCT

/* --- ports ---------------------------------------------------------------- */

#define STRUCT struct model_storm
static const struct schema_key storm_keys[] = {
	{ KEY(broadcast, number), .dflt = "no limit",
	  .doc = "Broadcast packets a second." },
	{ KEY(multicast, number), .dflt = "no limit",
	  .doc = "Multicast packets a second to groups nobody joined." },
	{ KEY(unknown, number), .dflt = "no limit",
	  .doc = "Packets a second to stations not yet known." },
};
const struct schema_object schema_storm = {
	.what = "storm",
	OBJECT(storm_keys),
	.doc = "What one port may flood.",
};
#undef STRUCT

static const char *const port_types[] = { "tap",   "tun",   "veth",   "nic",
					  "patch", "dummy", "stream", NULL };

#define TAP (1u << MODEL_PORT_TAP)
#define TUN (1u << MODEL_PORT_TUN)
#define VETH (1u << MODEL_PORT_VETH)
#define NIC (1u << MODEL_PORT_NIC)
#define PATCH (1u << MODEL_PORT_PATCH)
#define DUMMY (1u << MODEL_PORT_DUMMY)
#define STREAM (1u << MODEL_PORT_STREAM)
#define BRIDGED (TAP | VETH | NIC | PATCH | DUMMY | STREAM)

#define STRUCT struct model_port
static const struct schema_key port_keys[] = {
	{ KEY(type, choice), .required = true, .words = port_types,
	  .doc = "What kind of port: tap (a virtual machine), veth (a "
		 "container, or any existing device), tun (a program that "
		 "speaks IP), nic (a network card), patch (another bridge), "
		 "dummy (for tests), stream (a virtual machine by a Unix "
		 "socket, which needs no privilege)." },
	{ KEY(network, name), .only = BRIDGED,
	  .doc = "The network it is on. One of network and bridge." },
	{ KEY(bridge, name), .only = BRIDGED, .doc = "The bridge it is on." },
	{ KEY(router, name), .only = TUN, .required = false,
	  .doc = "The router it is an interface of." },
	{ KEY(device, device), .only = TAP | TUN | VETH | NIC | DUMMY,
	  .dflt = "the port's name; eth0 in a namespace",
	  .doc = "The device. Of a veth that weft makes, the far end: the one "
		 "in the container." },
	{ KEY(host_device, device), .only = VETH,
	  .dflt = "the port's name, shortened when too long",
	  .doc = "The near end of a veth that weft makes." },
	{ KEY(create, bool), .only = TAP | TUN | VETH | DUMMY, .def = true,
	  .doc = "With false weft does not make the device: it attaches to "
		 "`device` whenever it is there." },
	{ KEY_AS("namespace", ns, netns), .only = VETH, .dflt = "weft's own",
	  .doc = "Where the far end of the veth goes: NAME (as in `ip netns`), "
		 "{pid: NUMBER} or {path: /run/...}." },
	{ KEY(mac, mac), .only = TAP | VETH | STREAM,
	  .dflt = "made of the name (veth)",
	  .doc = "The MAC address of the guest or the container." },
	{ KEY(mtu, number), .min = 576, .max = 65535, .dflt = "the network's",
	  .doc = "The largest IP packet that is sent out of this port." },
	{ KEY(queues, number), .min = 1, .max = 8, .def = 1, .only = TAP | TUN,
	  .doc = "How many queues the device has." },
	{ KEY(owner, text), .only = TAP | TUN, .dflt = "root",
	  .doc = "The user, by name or number, who may open the device." },
	{ KEY(group, text), .only = TAP | TUN | STREAM, .dflt = "none",
	  .doc = "The group that may open the device or the socket, as kvm." },
	{ KEY(path, text), .only = STREAM,
	  .dflt = "ports/NAME.sock in weft's "
		  "folder of sockets",
	  .doc = "Where the socket is that QEMU connects to with -netdev "
		 "stream,addr.type=unix,addr.path=PATH." },
	{ KEY(addresses, prefixes), .only = TAP | TUN | VETH | STREAM,
	  .dflt = "none",
	  .doc = "Of a veth: set on the far end. Of a tap or stream: what the "
		 "guest has, so that ARP is answered for it. Of a tun: the "
		 "router's "
		 "addresses on this link." },
	{ KEY(gateway, gateway), .only = VETH, .dflt = "auto",
	  .doc = "Default route of the far end's namespace: auto (the router "
		 "of its network, if any), none, or an address of each "
		 "family." },
	{ KEY(adopt, bool), .only = NIC, .def = false,
	  .doc = "Move the card's addresses and routes to the bridge's host "
		 "device, and back when the port goes." },
	{ KEY(peer, name), .only = PATCH,
	  .doc = "The patch port at the other bridge, which names this one." },
	{ KEY(vlan, vlan), .only = BRIDGED,
	  .dflt = "untagged, and every VLAN of the bridge tagged",
	  .doc = "{access: 10}, {trunk: [10, 20-30]} or {native: 1, trunk: "
		 "[10], native_tagged: false}. Only with `bridge`." },
	{ KEY(isolated, bool), .only = BRIDGED,
	  .doc = "Isolated ports do not talk to each other, only to others." },
	{ KEY(mac_limit, number), .only = BRIDGED, .dflt = "the table's size",
	  .max = 1048576, .doc = "How many stations may be learned here." },
	{ KEY(storm, inline), .only = BRIDGED, .object = &schema_storm,
	  .dflt = "no limits", .doc = "What this port may flood." },
	{ KEY(loop_guard, bool), .only = BRIDGED, .def = true,
	  .doc = "Whether the bridge's loop guard watches this port." },
	{ KEY(accel, bool), .only = TAP | VETH | NIC, .def = true,
	  .doc = "With false its frames never stay in the kernel: for "
		 "comparison, or to find out where a fault is." },
	{ KEY(enabled, bool), .def = true,
	  .doc = "With false the port is there and carries nothing." },
};
const struct schema_object schema_port = {
	.what = "port",
	OBJECT(port_keys),
	.variant = &port_keys[0],
	.doc = "A port is where frames enter and leave.",
};
#undef STRUCT

/* --- hosts ---------------------------------------------------------------- */

#define STRUCT struct model_underlay
static const struct schema_key underlay_keys[] = {
	{ KEY(address, addr), .required = true,
	  .doc = "The host's own address, where tunnels end." },
	{ KEY(port, number), .min = 1, .max = 65535, .def = 4789,
	  .doc = "The UDP port." },
	{ KEY(mtu, number), .min = 1280, .max = 65535, .def = 1500,
	  .doc = "The largest IP packet that the way between the hosts "
		 "takes." },
};
const struct schema_object schema_underlay = {
	.what = "underlay",
	OBJECT(underlay_keys),
	.doc = "The network between the hosts, that tunnels cross.",
};
#undef STRUCT

#define STRUCT struct model_host
static const struct schema_key host_keys[] = {
	{ KEY(underlay, inline), .object = &schema_underlay,
	  .dflt = "none: no tunnels",
	  .doc = "This host's end of the tunnels to the others." },
	{ KEY(peers, addrs), .dflt = "none",
	  .doc = "Further tunnel ends, beside the file's other hosts. Their "
		 "daemons are not asked, or answered, when explain follows a "
		 "packet." },
	{ KEY(bridges, map), .object = &schema_bridge,
	  .doc = "Bridges beside the networks' own." },
	{ KEY(ports, map), .object = &schema_port,
	  .doc = "The ports on this host." },
};
const struct schema_object schema_host = {
	.what = "host",
	OBJECT(host_keys),
	.doc = "What is on one host. A daemon takes the host of its own name "
	       "(weftd --host, by default the machine's name).",
};
#undef STRUCT

#define STRUCT struct model
static const struct schema_key model_keys[] = {
	{ KEY_AS("weft", version, number), .required = true, .min = 1, .max = 1,
	  .def = 1, .doc = "The version of this format: 1." },
	{ KEY(networks, map), .object = &schema_network,
	  .doc = "The networks." },
	{ KEY(routers, map), .object = &schema_router, .doc = "The routers." },
	{ KEY(hosts, map), .object = &schema_host,
	  .doc = "What is on which host." },
	{ KEY_AS("underlay", local.underlay, inline),
	  .object = &schema_underlay,
	  .doc = "The same for whichever host takes this file." },
	{ KEY_AS("peers", local.peers, addrs),
	  .doc = "The same for whichever host takes this file." },
	{ KEY_AS("bridges", local.bridges, map), .object = &schema_bridge,
	  .doc = "The same for whichever host takes this file." },
	{ KEY_AS("ports", local.ports, map), .object = &schema_port,
	  .doc = "The same for whichever host takes this file." },
};
const struct schema_object schema_model = {
	OBJECT(model_keys),
	.doc = "A file for one host may leave `hosts` out and have the keys of "
	       "a host at its top.",
};
#undef STRUCT
