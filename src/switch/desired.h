/* SPDX-License-Identifier: Apache-2.0 */
/* What the switch should be: the typed input of switch_apply.
 *
 * What      bridges, domains, ports, routers and peers as flat arrays that refer
 *           to each other by index.
 * Why so    the switch is told the whole, not the steps: it keeps what learned
 *           state it can (by name), builds one snapshot, publishes it once. The
 *           undo of an apply is an apply of what was before.
 * Owns      nothing. Arrays may go once switch_apply returned; strings are pointed
 *           to by the snapshot: they live until the next switch_apply returned.
 * Threads   a value of the control thread. */
#ifndef SWITCH_DESIRED_H
#define SWITCH_DESIRED_H

#include "base/addr.h"
#include "l2/storm.h"
#include "l2/vlan.h"
#include "pipeline/snapshot.h"

#define DESIRED_NONE UINT32_MAX

struct desired_mac {
	struct eth_addr mac;
	uint16_t vid;
	uint32_t port; /* index */
};

struct desired_bridge {
	const char *name;
	struct snap_origin origin;
	uint32_t mac_limit, mac_age_ms;
	bool vlan_aware, loop_guard, forward_bpdu;
	bool openflow; /* programmed by controllers (switch/of.h) */
	const char *const *rules;
	const unsigned *rule_lines; /* where each stands; NULL: unknown */
	unsigned n_rules;
	const struct desired_mac *macs;
	unsigned n_macs;
};

/* A station whose address is known without asking. */
struct desired_neigh {
	struct ip_addr ip;
	struct eth_addr mac;
};

struct desired_domain {
	const char *name; /* the network's, or the bridge's */
	struct snap_origin origin;
	uint32_t bridge; /* index */
	uint16_t vid;
	uint32_t vni;
	uint32_t mtu;
	bool suppress_arp;
	bool snooping;
	const struct desired_neigh *neighs;
	unsigned n_neighs;
};

struct desired_port {
	const char *name;
	struct snap_origin origin;
	uint32_t id;     /* number the port has in the datapath */
	uint32_t bridge; /* index, or DESIRED_NONE: a router's layer 3 port */
	struct vlan_port vlan;
	bool isolated, loop_guard;
	uint32_t loop_cost; /* loop guard: the higher is blocked first */
	uint32_t mac_limit;
	uint32_t mtu;
	struct storm_limits storm;
};

struct desired_peer {
	const char *name;
	uint32_t id; /* a port number of its own */
	struct ip_addr address;
	uint32_t mtu; /* largest packet inside the tunnel */
};

struct desired_iface {
	struct snap_origin origin;
	uint32_t domain; /* index, or DESIRED_NONE */
	uint32_t port;   /* index of a layer 3 port, or DESIRED_NONE */
	const struct ip_prefix *addresses;
	unsigned n_addresses;
	uint32_t mtu;
	bool advertise;
};

struct desired_route {
	struct snap_origin origin;
	struct ip_prefix to;
	struct ip_addr via; /* family 0: none */
	bool blackhole;
};

/* A prefix behind the same router on another host. */
struct desired_remote {
	struct snap_origin origin;
	struct ip_prefix to;
	uint32_t peer; /* index */
};

struct desired_router {
	const char *name;
	struct snap_origin origin;
	struct eth_addr mac;
	const struct desired_iface *ifaces;
	unsigned n_ifaces;
	const struct desired_route *routes;
	unsigned n_routes;
	const struct desired_remote *remotes;
	unsigned n_remotes;
};

struct desired {
	const struct desired_bridge *bridges;
	unsigned n_bridges;
	const struct desired_domain *domains;
	unsigned n_domains;
	const struct desired_port *ports;
	unsigned n_ports;
	const struct desired_peer *peers;
	unsigned n_peers;
	uint32_t tunnel_port; /* port number, 0: no overlay */
	const struct desired_router *routers;
	unsigned n_routers;
};

#endif
