/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: a snapshot built by hand, one noun after the other.
 *
 * What      bridges, domains, ports, routers and rules as short calls with text
 *           for addresses; the learned tables beside them; a translation whose
 *           verdict is read as text.
 * Why so    the builder of the real ones (switch) stands above this room, and a
 *           test should show the whole network it is about in a dozen lines.
 * Use       net_create; bridges, domains, ports, routers, rules; net_freeze; then
 *           net_learn and its kin, and net_expect.
 * Threads   one.
 * Owns      everything it gives out. */
#ifndef PIPELINE_TEST_NET_H
#define PIPELINE_TEST_NET_H

#include "base/env.h"
#include "base/str.h"
#include "pipeline/flows.h"
#include "pipeline/pipeline.h"
#include "pipeline/rule.h"

#define NET_PORTS 64u
#define NET_BRIDGES 4u
#define NET_DOMAINS 16u
#define NET_ROUTERS 4u
#define NET_IFACES 24u
#define NET_ROUTES 64u
#define NET_NAMES 128u

struct net {
	struct snapshot *s;
	struct env_test env;
	struct verdict v;
	struct trace trace;
	struct str told; /* by the trace, a line a step */
	struct str text; /* of net_actions */
	char *names[NET_NAMES];
	unsigned n_names;
	unsigned n_routes[NET_ROUTERS];
	struct route routes[NET_ROUTERS][NET_ROUTES];
	struct stamps stamps;
};

/* For a group of tests: its thread is known to RCU meanwhile. */
int net_enter(void **state);
int net_leave(void **state);

struct net *net_create(void);
void net_destroy(struct net *n);
/* Members, replication lists and route tables, from what was said before. */
void net_freeze(struct net *n);

struct snap_bridge *net_bridge(struct net *n, bool vlan_aware);
/* A domain called "net<vid>"; vni 0: stays on the host. */
struct snap_domain *net_domain(struct net *n, struct snap_bridge *b,
			       uint16_t vid, uint32_t vni);
/* With a neighbour table; with multicast snooping, whose querier we are. */
void net_resolve(struct net *n, struct snap_domain *d);
void net_snoop(struct net *n, struct snap_domain *d);

/* Ports are called "p<id>". vlan: "" (a bridge without VLANs), "access 10",
 * "trunk 10 20", "native-untagged 10 20", "native-tagged ..", "dot1q-tunnel 10":
 * own VLAN first where there is one. */
struct snap_port *net_port(struct net *n, uint32_t id, struct snap_bridge *b,
			   const char *vlan);
struct snap_port *net_tunnel(struct net *n, uint32_t id);
struct snap_port *net_peer(struct net *n, uint32_t id, const char *remote);
struct snap_port *net_routed(struct net *n, uint32_t id);

/* MAC 02:00:00:00:fe:<id>. */
struct snap_router *net_router(struct net *n);
/* An interface in a domain (with a neighbour table from now on); on a routed
 * port; or by another host's share of the router, which `to` lies behind. */
struct snap_iface *net_iface(struct net *n, struct snap_router *r,
			     struct snap_domain *d, const char *address);
struct snap_iface *net_iface_on(struct net *n, struct snap_router *r,
				struct snap_port *p, const char *address);
struct snap_iface *net_remote(struct net *n, struct snap_router *r,
			      struct snap_domain *d,
			      const struct snap_port *peer, const char *to);
/* One more address for an interface, with its connected route. */
void net_address(struct net *n, struct snap_iface *i, const char *address);
/* via NULL: blackhole; "unreachable"; or "10.0.1.9", of interface i. The same
 * route again is another next hop of it. */
void net_route(struct net *n, struct snap_router *r, const char *to,
	       const char *via, const struct snap_iface *i);
struct rule *net_rule(struct net *n, struct snap_bridge *b, const char *text);
/* "table=1,priority=5,tcp,actions=output:2", as ovs-ofctl has it; the bridge is
 * OpenFlow's from the first on, its ports have the numbers of the datapath. */
struct flow_rule *net_flow(struct net *n, struct snap_bridge *b,
			   const char *text);
/* A group of "output:1|output:2", a bucket each of weight 1, id 0, 1, ..,
 * and, of fast failover, watching port 1, 2, .. */
struct flow_group *net_group(struct net *n, struct snap_bridge *b,
			     struct of_group what, const char *buckets);

/* What is learned while it runs. */
struct eth_addr net_mac(unsigned i); /* 02:00:00:00:00:<i> */
struct ip_addr net_ip(const char *text);
void net_learn(struct net *n, const struct snap_domain *d, unsigned station,
	       uint32_t port);
void net_neigh(struct net *n, const struct snap_domain *d, const char *ip,
	       unsigned station);
/* Joins by IGMPv2 or MLDv1, as the group's family says. */
void net_join(struct net *n, const struct snap_domain *d, uint32_t port,
	      const struct ip_addr *group);

/* "in_port=1,dl_src=..": see flow/match.h. */
struct flow_key net_key(const char *text);
/* Translates into n->v, telling n->told; the actions as text, valid until the
 * next call. */
const char *net_translate(struct net *n, const char *key);
const char *net_actions(struct net *n);
/* Fails the test unless the actions are these. */
void net_expect(struct net *n, const char *key, const char *actions);
/* Is every bit that "match" names (and what it needs) in the mask? */
bool net_looked_at(const struct net *n, const char *match);
bool net_has_effect(const struct net *n, enum effect_kind kind);
/* All its dependencies stand. */
bool net_is_fresh(const struct net *n, const struct verdict *v);

#endif
