/* SPDX-License-Identifier: Apache-2.0 */
/* One host's part of a model, with every default worked out.
 *
 * What      the bridges (the networks' own included), domains, ports, routers
 *           and peers that a host has to realise, in sorted arrays that refer to
 *           each other by index.
 * Why so    the model says what the user said; whoever builds the network wants
 *           to ask no further question: which device, which MTU, which VLAN.
 * Rule      a network without `bridge` is on every host, on an implicit bridge
 *           of its name; one with `bridge` is on the hosts that have the bridge.
 * Invariant V1 indexes are valid or VIEW_NONE. V2 strings point into the model,
 *           or into the view where they are not the user's own words.
 * Threads   a value; lives no longer than its model.
 * Owns      its arrays. */
#ifndef MODEL_VIEW_H
#define MODEL_VIEW_H

#include "model/model.h"

#define VIEW_NONE UINT32_MAX

struct view_bridge {
	const char *name;
	const struct model_bridge *bridge;   /* NULL: implicit, then ... */
	const struct model_network *network; /* ... this network's own */
	struct model_origin origin;
	uint32_t mac_table_size, mac_ageing_ms;
	bool multicast_snooping, loop_guard, forward_bpdu;
	/* Any VLAN in it? If not, tags are payload and its one domain is vid 0. */
	bool vlan_aware;
	/* The bridge's own device in the host: asked for, or a NIC is adopted. */
	bool has_host;
	bool adopts;                          /* a port of it adopts a NIC */
	const struct model_bridge_host *host; /* NULL: only implied by adopt */
	uint32_t mtu;                         /* the largest of its domains' */
	uint32_t host_mtu;                    /* 0: the adopted NIC's */
	struct eth_addr host_mac;             /* zero: take the adopted NIC's */
	uint32_t *domains;                    /* indexes, sorted by vid */
	unsigned n_domains;
};

struct view_domain {
	uint32_t bridge;                     /* index */
	uint16_t vid;                        /* 0: untagged */
	const struct model_network *network; /* NULL: a VLAN nobody named */
	uint32_t vni; /* 0: stays on this host (also when no tunnel end) */
	uint32_t mtu;
	bool arp_suppression;
};

#define VIEW_MAX_GATEWAYS 2u

struct view_port {
	const struct model_port *port;
	uint32_t bridge; /* index; VIEW_NONE: layer 3 */
	uint32_t domain; /* of `network:`; VIEW_NONE: by bridge and vlan */
	uint32_t router; /* index of a tun's router, or VIEW_NONE */
	/* Worked out; ranges point into the model. On a bridge with VLANs the
	 * untagged domain alone is ACCESS of vid 0. */
	struct model_vlan vlan;
	/* What the datapath attaches to: tap/tun/nic/dummy device, the near end
	 * of a veth; NULL for patch. */
	const char *device;
	const char *far_device; /* veth made by us: its far end's name */
	struct eth_addr mac;    /* veth made by us: never zero */
	uint32_t mtu;           /* 0: a NIC keeps its own */
	struct ip_addr gateways[VIEW_MAX_GATEWAYS]; /* veth: default routes */
	unsigned n_gateways;
	uint32_t peer; /* patch: index of the other port */
};

struct view_iface {
	const struct model_interface *iface;
	uint32_t domain; /* index */
};

struct view_router {
	const struct model_router *router;
	struct eth_addr mac;
	struct view_iface *ifaces; /* those whose network is on this host */
	unsigned n_ifaces;
};

struct view_peer {
	struct ip_addr address;
	uint16_t port;    /* UDP */
	const char *name; /* the host's; NULL when outside the file */
};

/* A router's tun port on another host: a subnet that is reached through it. */
struct view_remote {
	uint32_t router; /* index */
	struct ip_prefix prefix;
	uint32_t peer; /* index; VIEW_NONE: that host has no tunnel end */
	const struct model_port *port;
};

struct model_view {
	const struct model *model;
	const char *host;
	struct model_underlay underlay; /* address family 0: none */
	uint32_t
		overhead; /* bytes that the tunnel takes of the underlay's MTU */
	struct view_bridge *bridges;
	unsigned n_bridges;
	struct view_domain *domains;
	unsigned n_domains;
	struct view_port *ports;
	unsigned n_ports;
	struct view_router *routers;
	unsigned n_routers;
	struct view_peer *peers;
	unsigned n_peers;
	struct view_remote *remotes;
	unsigned n_remotes;
	struct model_strings names; /* that the view made up */
};

/* NULL with a sentence when the file has hosts and `host` is none of them. */
struct model_view *model_view_create(const struct model *m, const char *host,
				     struct err *e) MUST_CHECK;
void model_view_destroy(struct model_view *v);

/* Index or VIEW_NONE. */
uint32_t model_view_bridge(const struct model_view *v, const char *name);
uint32_t model_view_port(const struct model_view *v, const char *name);
uint32_t model_view_domain(const struct model_view *v, uint32_t bridge,
			   uint16_t vid);
/* Does the worked-out vlan of a port carry `vid`, and with its tag? */
bool model_vlan_carries(const struct model_vlan *vlan, uint16_t vid,
			bool *tagged);

#endif
