/* SPDX-License-Identifier: Apache-2.0 */
/* The subject: what weft itself knows, as plain data for the doctor.
 *
 * What      ports, networks, bridges, routers, peers, loops and conflicts of one
 *           moment.
 * Why so    a copy: the doctor thinks on a thread of its own and touches neither
 *           the switch nor its ports.
 * Owns      its arrays and all texts (subject_text).
 * Threads   a value. */
#ifndef DOCTOR_SUBJECT_H
#define DOCTOR_SUBJECT_H

#include "base/addr.h"
#include "packet/drop.h"

enum subject_kind {
	SUBJECT_TAP,
	SUBJECT_TUN,
	SUBJECT_VETH,
	SUBJECT_NIC,
	SUBJECT_HOST, /* a bridge's own device in the host */
	SUBJECT_TUNNEL,
	SUBJECT_PATCH,
	SUBJECT_DUMMY,
};

struct subject_port {
	const char *name, *type, *device;
	const char *netns; /* veth: how the far end's namespace is opened */
	const char *far;   /* veth: the far end's device name */
	const char *network, *bridge; /* "" none */
	const char *missing;          /* NULL: it is attached */
	enum subject_kind kind;
	bool attached, blocked;
	uint32_t ifindex, mtu; /* mtu: largest packet its networks send it */
	struct eth_addr mac;   /* configured; zero: none */
	uint64_t rx_packets, tx_packets;
	uint64_t drops[N_DROPS]; /* 0 when the last is long ago */
	/* For whoever fills it: noted long ago, noted lately. */
	bool drops_old[N_DROPS], drops_recent[N_DROPS];
};

struct subject_network {
	const char *name, *bridge;
	uint32_t vni, mtu;
	bool routed; /* a weft router is in it */
	struct ip_prefix *subnets;
	unsigned n_subnets;
};

struct subject_bridge {
	const char *name;
	uint32_t macs, mac_limit;
	uint64_t held;    /* stations that jumped; 0: not lately */
	uint64_t evicted; /* ... that gave way */
};

struct subject_peer {
	const char *name;
	struct ip_addr address;
	uint16_t udp_port;
};

/* A router's next hop. */
struct subject_via {
	const char *router;
	struct ip_addr address;
};

struct subject_router {
	const char *name;
	struct eth_addr mac;
};

/* A station seen behind a port. */
struct subject_station {
	const char *bridge, *port;
	struct eth_addr mac;
};

struct subject_loop {
	const char *port, *other;
};

/* A station claims the router's address. */
struct subject_conflict {
	const char *network;
	struct ip_addr address;
	struct eth_addr mac;
};

#define SUBJECT_STATIONS_MAX 8192u
#define SUBJECT_PEERS_MAX 256u /* more are not probed */

struct subject {
	struct ip_addr underlay; /* family 0: no tunnel end */
	uint16_t udp_port;
	uint32_t underlay_mtu; /* what the file says the path takes */
	/* Why no flows can be kept in the kernel; NULL: they can, or shall not. */
	const char *no_kernel_cache;
	struct subject_port *ports;
	struct subject_network *networks;
	struct subject_bridge *bridges;
	struct subject_peer *peers;
	struct subject_via *vias;
	struct subject_router *routers;
	struct subject_station *stations;
	struct subject_loop *loops;
	struct subject_conflict *conflicts;
	unsigned n_ports, n_networks, n_bridges, n_peers, n_vias, n_routers,
		n_stations, n_loops, n_conflicts;
	char **texts;
	unsigned n_texts;
};

/* A copy that lives as long as the subject. NULL: "". */
const char *subject_text(struct subject *s, const char *text);
/* One more zeroed element of the array at `items`, of `size` bytes each. */
void *subject_grow(void *items, unsigned *n, size_t size);
#define SUBJECT_ADD(s, what)                                                   \
	(((s)->what = subject_grow((s)->what, &(s)->n_##what,                  \
				   sizeof(*(s)->what))) +                      \
	 (s)->n_##what - 1)
void subject_fini(struct subject *s);

#endif
