/* SPDX-License-Identifier: Apache-2.0 */
/* A snapshot: the whole configuration that translation reads, frozen.
 *
 * What      ports, bridges, domains, routers, rules, as arrays of plain structs
 *           that refer to each other by index or pointer, and pointers to the
 *           learned tables that live beside it.
 * Why so    it is built anew at each change, published by one pointer, and
 *           never edited after (decision D2): translation on any thread sees
 *           one consistent configuration.
 * Invariant N1 every pointer inside leads into the same snapshot or to a
 *           learned table that outlives it. N2 members of a domain are sorted
 *           untagged first, so that a flood pushes a tag at most once.
 *           N3 a port number leads to at most one snap_port.
 * Threads   built by the control thread; read by all inside RCU; freed after a
 *           grace period.
 * Owns      all that it points to but the learned tables, rules and flows;
 *           snapshot_free gives it back. */
#ifndef PIPELINE_SNAPSHOT_H
#define PIPELINE_SNAPSHOT_H

#include "base/addr.h"
#include "base/rcu.h"
#include "base/stamp.h"
#include "l2/mac_table.h"
#include "l2/mcast.h"
#include "l2/vlan.h"
#include "l3/neigh.h"
#include "l3/route.h"
#include "overlay/peers.h"

struct rule_table;
struct flows;

enum snap_port_kind {
	SNAP_PORT_BRIDGED, /* a port of a bridge */
	SNAP_PORT_TUNNEL,  /* where packets from all peers enter */
	SNAP_PORT_PEER,    /* one peer behind the tunnel port */
	SNAP_PORT_ROUTED,  /* layer 3: an interface of a router by itself */
};

/* In a port's of_config beside OpenFlow's own bits: it has no link. */
#define SNAP_OF_LINK_DOWN 0x80000000u

/* Where an object stands in the user's file; line 0: not from a file. */
struct snap_origin {
	const char *file;
	unsigned line;
};

struct snap_port {
	uint32_t id;
	enum snap_port_kind kind;
	const char *name;
	struct snap_origin origin;
	struct snap_bridge *bridge; /* BRIDGED */
	struct vlan_port vlan;      /* BRIDGED */
	bool isolated;
	bool blocked; /* the loop guard says so */
	uint32_t mtu; /* largest L3 packet that leaves here */
	uint32_t meter_broadcast, meter_multicast, meter_unknown; /* 0: none */
	struct ip_addr remote;                                    /* PEER */
	uint32_t tunnel_port;      /* PEER: the datapath port that reaches it */
	struct snap_iface *iface;  /* ROUTED */
	uint32_t of_port;          /* what OpenFlow calls it; 0: nothing */
	const uint32_t *of_config; /* its OFPPC bits, as of now; or NULL */
};

struct snap_member {
	const struct snap_port *port;
	bool tagged; /* leaves with the domain's tag */
};

struct snap_domain {
	uint32_t id; /* what effects and punts call it */
	const char *name;
	struct snap_origin origin;
	struct snap_bridge *bridge;
	uint16_t vid; /* 0: untagged domain of a bridge without VLANs */
	uint32_t vni; /* 0: stays on this host */
	uint32_t mtu; /* what the stations may send */
	struct snap_member *members;
	unsigned n_members;
	const struct snap_port **peers; /* replicated to, one by one */
	unsigned n_peers;
	struct snap_iface *iface;  /* the router in it, or NULL */
	struct neigh_table *neigh; /* NULL: neither routed nor suppressed */
	struct mcast *mcast;       /* NULL: multicast is flooded */
	bool suppress_arp;
};

struct snap_bridge {
	uint32_t id;
	const char *name;
	struct snap_origin origin;
	bool vlan_aware;
	bool forward_bpdu; /* reserved groups are flooded (l2/reserved.h) */
	struct mac_table *macs;
	struct rule_table *rules;          /* NULL: plain bridge */
	struct flows *flows;               /* NULL: no OpenFlow */
	const struct snap_port **of_ports; /* by OpenFlow number, sorted */
	unsigned n_of_ports;
	struct snap_domain **domains; /* sorted by vid */
	unsigned n_domains;
	struct eth_addr probe_mac; /* destination of the loop guard's probes */
	bool loop_guard;
};

/* A router's interface: in a domain; on a layer 3 port; or on another host,
 * where `peer` has the same router: packets go there addressed to it, through
 * `domain`, which both hosts share. */
struct snap_iface {
	uint32_t id;
	struct snap_router *router;
	struct snap_domain *domain; /* NULL: `port` it is */
	const struct snap_port *port;
	const struct snap_port *peer;
	uint32_t mtu;
	struct snap_origin origin;
	struct ip_prefix *addresses; /* IPv6 link-local included */
	unsigned n_addresses;
};

/* A route's cookie is the number of its origin; that of a route to an address of
 * the router itself: */
#define ROUTE_COOKIE_LOCAL 0xffffffffu

struct snap_router {
	uint32_t id;
	const char *name;
	struct snap_origin origin;
	struct eth_addr mac;
	struct route_table *routes;
	struct snap_origin *origins; /* of the routes, by cookie */
	unsigned n_origins;
};

struct snapshot {
	/* The value of the snapshot's stamp while this one is the newest. Taken
	 * from here, not from the table: whoever still holds an old snapshot
	 * when the next is published must produce verdicts that are stale. */
	uint32_t generation;
	struct snap_port **ports; /* by port number */
	unsigned n_ports;         /* size of that array */
	struct snap_bridge **bridges;
	unsigned n_bridges;
	struct snap_domain **domains; /* by domain id */
	unsigned n_domains;
	struct snap_router **routers;
	unsigned n_routers;
	struct snap_iface **ifaces; /* by interface id */
	unsigned n_ifaces;
	struct peers *peers; /* NULL: no tunnels */
	struct rcu_head rcu;
};

static inline const struct snap_port *snapshot_port(const struct snapshot *s,
						    uint32_t id)
{
	return id < s->n_ports ? s->ports[id] : NULL;
}

static inline const struct snap_domain *
snapshot_domain(const struct snapshot *s, uint32_t id)
{
	return id < s->n_domains ? s->domains[id] : NULL;
}

static inline const struct snap_iface *snapshot_iface(const struct snapshot *s,
						      uint32_t id)
{
	return id < s->n_ifaces ? s->ifaces[id] : NULL;
}

/* The domain of a VLAN on a bridge, or NULL. */
const struct snap_domain *snap_bridge_domain(const struct snap_bridge *b,
					     uint16_t vid);
/* By its OpenFlow number, or NULL. */
const struct snap_port *snap_bridge_of_port(const struct snap_bridge *b,
					    uint32_t of_port);
/* All of it; only once no reader is left. NULL is fine. */
void snapshot_free(struct snapshot *s);
const struct snap_port *snapshot_peer(const struct snapshot *s,
				      const struct ip_addr *remote);
const struct snap_domain *snapshot_vni(const struct snapshot *s, uint32_t vni);
/* Does the interface have this address? */
bool snap_iface_has(const struct snap_iface *i, const struct ip_addr *a);

#endif
