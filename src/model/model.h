/* SPDX-License-Identifier: Apache-2.0 */
/* The model: what the network should be, as plain typed structs.
 *
 * What      networks, routers and hosts (with bridges and ports), as the file
 *           says them; parse, print, copy, compare.
 * Why so    one table (schema.c) names every key once: its place in the
 *           structs, type, default and sentence. Parser, printer, copy,
 *           difference, edits and the reference page all walk that table.
 * Invariant M1 a model that model_parse or model_edit gave is valid: every name
 *           it refers to exists, no device, address or VNI is used twice.
 *           M2 vectors of named objects are sorted by name. M3 an optional value
 *           holds its default: what is said and what is left out are equal.
 *           M4 parse(print(m)) equals m.
 * Threads   a value; whoever holds it. Never changed once others see it.
 * Owns      everything it points to.
 * See       view.h (one host's part, all defaults worked out), diff.h, edit.h. */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include "base/addr.h"
#include "base/str.h"
#include "model/errors.h"

#define MODEL_MAX_BYTES (8u << 20) /* of a file */
#define MODEL_NAME_MAX 63u         /* bytes of an object's name */
#define MODEL_DEVICE_MAX 15u       /* bytes of a device's name */
#define MODEL_VNI_MAX 0xffffffu
#define MODEL_VLAN_MAX 4094u

/* A vector of T; `items` is NULL when empty. */
#define MODEL_VEC(T)                                                           \
	struct {                                                               \
		T *items;                                                      \
		unsigned n;                                                    \
	}

/* Where an object stands. `file` is NULL when it came by a command. */
struct model_origin {
	const char *file; /* kept by the model */
	unsigned line, column;
};

/* What every object starts with. */
struct model_object {
	char *name; /* NULL in lists (routes, static addresses) */
	struct model_origin origin;
};

struct model_strings {
	char **items;
	unsigned n;
	unsigned *lines; /* where each stands, 0: unknown; NULL: nobody asked */
};

struct model_addrs {
	struct ip_addr *items;
	unsigned n;
};

struct model_prefixes {
	struct ip_prefix *items;
	unsigned n;
};

/* --- networks ------------------------------------------------------------- */
struct model_network {
	struct model_object o;
	struct model_prefixes subnets;
	uint32_t vni;  /* 0: stays on its host */
	uint32_t mtu;  /* 0: computed (view.h) */
	char *bridge;  /* NULL: a bridge of its own, named like it */
	uint32_t vlan; /* 0: none */
	/* Of its own bridge; unused when `bridge` is set. */
	uint32_t mac_table_size;
	uint32_t mac_ageing_ms;
	bool multicast_snooping;
	bool arp_suppression;
};

/* --- routers -------------------------------------------------------------- */
struct model_route {
	struct model_object o;
	struct ip_prefix to;
	struct ip_addr via; /* family 0: none */
	bool blackhole;
};

/* A router's interface; its name is the network's. */
struct model_interface {
	struct model_object o;
	struct model_prefixes addresses;
	bool advertise; /* send router advertisements */
};

struct model_router {
	struct model_object o;
	struct eth_addr mac; /* zero: model_mac of its name */
	MODEL_VEC(struct model_interface) networks;
	MODEL_VEC(struct model_route) routes;
};

/* --- bridges -------------------------------------------------------------- */
/* Which VLANs a port carries. */
enum model_vlan_mode {
	MODEL_VLAN_ALL, /* not said: untagged, and every VLAN of its bridge */
	MODEL_VLAN_ACCESS, /* `vid` untagged */
	MODEL_VLAN_TRUNK,  /* `ranges` tagged; `vid`, when not 0, as native */
};

struct model_vlan_range {
	uint16_t from, to;
};

struct model_vlan {
	enum model_vlan_mode mode;
	uint16_t vid;
	bool native_tagged;
	MODEL_VEC(struct model_vlan_range) ranges; /* sorted, disjoint */
};

/* The bridge's own device in the host, as br0 is on a Linux bridge. */
struct model_bridge_host {
	struct model_object o;
	struct model_prefixes addresses;
	MODEL_VEC(struct model_route) routes;
	struct eth_addr mac; /* zero: the adopted NIC's, or derived */
	uint32_t mtu;        /* 0: the bridge's */
	uint32_t vlan;       /* 0: untagged */
};

struct model_static_mac {
	struct model_object o;
	struct eth_addr mac;
	char *port;
	uint32_t vlan;
};

struct model_bridge {
	struct model_object o;
	uint32_t mac_table_size;
	uint32_t mac_ageing_ms;
	bool multicast_snooping;
	bool loop_guard;
	bool forward_bpdu;
	bool openflow;                  /* programmed by controllers */
	struct model_bridge_host *host; /* NULL: none asked for */
	struct model_strings rules;     /* flow rules as text */
	MODEL_VEC(struct model_static_mac) static_macs;
};

/* --- ports ---------------------------------------------------------------- */
enum model_port_type {
	MODEL_PORT_TAP,
	MODEL_PORT_TUN,
	MODEL_PORT_VETH,
	MODEL_PORT_NIC,
	MODEL_PORT_PATCH,
	MODEL_PORT_DUMMY,
	MODEL_PORT_STREAM,
	N_MODEL_PORT_TYPES,
};

enum model_netns_kind {
	MODEL_NETNS_NONE, /* the daemon's own */
	MODEL_NETNS_NAME, /* /run/netns/NAME */
	MODEL_NETNS_PID,
	MODEL_NETNS_PATH,
};

struct model_netns {
	enum model_netns_kind kind;
	char *text; /* name or path */
	uint32_t pid;
};

enum model_gateway_mode {
	MODEL_GATEWAY_AUTO, /* the router's addresses in the port's network */
	MODEL_GATEWAY_NONE,
	MODEL_GATEWAY_GIVEN,
};

struct model_gateway {
	enum model_gateway_mode mode;
	struct model_addrs addrs; /* GIVEN: at most one of each family */
};

/* Packets a second that a port may flood; 0: no limit. */
struct model_storm {
	struct model_object o;
	uint32_t broadcast, multicast, unknown;
};

struct model_port {
	struct model_object o;
	enum model_port_type type;
	bool enabled;
	/* Where it belongs: network or bridge; a tun port to a router. */
	char *network, *bridge, *router;

	char *device; /* NULL: default, see view.h */
	char *host_device;
	bool create; /* false: someone else makes the device */
	struct model_netns ns;
	struct eth_addr
		mac;  /* of the guest's or container's end; zero: not said */
	uint32_t mtu; /* 0: the network's */
	uint32_t queues;
	char *owner, *group; /* of the tap/tun device: a name or a number */
	struct model_prefixes
		addresses; /* tun: the router's; else the guest's */
	struct model_gateway gateway;
	bool adopt;
	char *peer; /* patch: the other port */
	char *path; /* stream: the socket; NULL: in the daemon's folder */

	struct model_vlan vlan;
	bool isolated;
	uint32_t mac_limit; /* 0: none */
	struct model_storm storm;
	bool loop_guard;
	bool accel;
};

/* --- hosts ---------------------------------------------------------------- */
struct model_underlay {
	struct model_object o;
	struct ip_addr address; /* family 0: this host has no tunnel end */
	uint32_t port;          /* UDP */
	uint32_t mtu;
};

struct model_host {
	struct model_object o;
	struct model_underlay underlay;
	struct model_addrs peers; /* tunnel ends outside the file */
	MODEL_VEC(struct model_bridge) bridges;
	MODEL_VEC(struct model_port) ports;
};

struct model {
	struct model_object o;
	uint32_t version;
	MODEL_VEC(struct model_network) networks;
	MODEL_VEC(struct model_router) routers;
	/* The keys underlay, peers, bridges and ports at the top of the file:
	 * for whichever host applies it. Its name is "". */
	struct model_host local;
	MODEL_VEC(struct model_host) hosts;
	struct model_strings files; /* what origins point to */
};

/* The empty model (the state of `weft down`). */
struct model *model_create(void);
void model_destroy(struct model *m);
/* YAML (or JSON) -> valid model, or NULL with what is wrong. `file` is what
 * messages and origins call it; fragments (fragments.h) have names of their
 * own. */
struct model *model_parse(const char *text, size_t len, const char *file,
			  struct model_errors *es) MUST_CHECK;
/* Canonical YAML: sorted, defaults left out. */
void model_print(const struct model *m, struct str *out);
struct model *model_copy(const struct model *m);
/* Do they say the same? Origins do not count. */
bool model_equal(const struct model *a, const struct model *b);

/* NULL when there is none of that name. */
const struct model_network *model_network(const struct model *m,
					  const char *name);
const struct model_router *model_router(const struct model *m,
					const char *name);
/* The router's interface in a network. */
const struct model_interface *
model_router_interface(const struct model_router *r, const char *network);
const struct model_host *model_host(const struct model *m, const char *name);
const struct model_bridge *model_host_bridge(const struct model_host *h,
					     const char *name);
const struct model_port *model_host_port(const struct model_host *h,
					 const char *name);

/* A locally administered unicast address made of a name, the same everywhere
 * and in every version. */
struct eth_addr model_mac(const char *kind, const char *name);
struct eth_addr model_router_mac(const struct model_router *r);

/* The file's words: "tap", ... */
const char *model_port_type_name(enum model_port_type t);

#endif
