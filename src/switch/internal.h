/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the switch: the running objects that its files share.
 *
 * What      runtime objects by name, each with the learned tables that outlive
 *           snapshots; the punt queue; the one timer.
 * Invariant R1 an object's id stays the same while its name is in use.
 *           R2 an object is freed only after a grace period behind the snapshot
 *           that last named it.
 * Threads   the control thread, but for what says otherwise. */
#ifndef SWITCH_INTERNAL_H
#define SWITCH_INTERNAL_H

#include "base/bucket.h"
#include "base/hmap.h"
#include "base/rcu.h"
#include "l2/loop_guard.h"
#include "l3/icmp.h"
#include "l3/ra.h"
#include "pipeline/rule.h"
#include "switch/failed.h"
#include "switch/moves.h"
#include "switch/punt.h"
#include "switch/switch.h"
#include "sys/loop.h"

#define SWITCH_POOL 4096u
#define SWITCH_COUNTERS 2097152u

/* A table of objects by id, so that ids stay small and are used again. */
struct slots {
	void **at;
	unsigned n;
};

struct sw_static {
	struct eth_addr mac;
	uint16_t vid;
};

/* A rule, told by its text, and where it counts. */
struct sw_rule {
	char *text;
	uint32_t counter;
};

struct sw_bridge {
	uint32_t id;
	char *name;
	bool wanted; /* in the configuration being applied */
	struct mac_table *macs;
	struct loop_guard *guard;   /* NULL: off */
	struct rule_table *rules;   /* NULL: none */
	struct rule_table *retired; /* of the snapshot before */
	struct sw_rule *rule_counts;
	unsigned n_rules;
	struct switch_of *of; /* NULL: not OpenFlow's */
	struct switch_of *of_retired;
	struct sw_static *statics; /* stations put by configuration */
	unsigned n_statics;
	struct rcu_head rcu;
};

struct sw_domain {
	uint32_t id;
	char *key; /* bridge and vid */
	bool wanted;
	struct neigh_table *neigh; /* NULL: never needed */
	bool resolves;             /* it is needed now */
	struct mcast *mcast;       /* NULL: never snooped */
	bool snooping;
	struct ip_addr *statics; /* neighbours put by configuration */
	unsigned n_statics;
	struct rcu_head rcu;
};

struct sw_iface {
	uint32_t id;
	char *key; /* router and place */
	bool wanted;
	bool advertises;
	struct ra ra;
	struct rcu_head rcu;
};

struct sw_router {
	uint32_t id;
	char *name;
	bool wanted;
	struct icmp_limiter icmp;
	struct rcu_head rcu;
};

struct sw_counter {
	uint64_t packets, bytes, used_ms; /* atomic */
	bool used;
};

struct vswitch {
	struct switch_config config;
	struct env *env;
	struct loop *loop;
	struct accel *accel;      /* NULL: userspace alone */
	struct err accel_refusal; /* why */
	struct stamps *stamps;    /* the accelerator's, when there is one */
	struct dp *dp;
	struct snapshot *snapshot; /* read by workers inside RCU */
	struct slots bridges, domains, ifaces, routers;
	uint64_t ports_used[(DP_MAX_PORTS + 1) / 64 + 1];
	uint32_t port_hint;
	struct sw_counter *counters; /* lazily touched */
	uint32_t counter_hint;
	struct port **attached; /* by number; lazily touched */
	struct storm storm;
	struct storm_meters *meters; /* by port number; lazily touched */
	struct punt_queue punts;
	struct failed_ports failed;
	struct packet_pool *pool; /* the control thread's */
	struct verdict *verdict;  /* scratch */
	struct acts *spare;       /* scratch beside it */
	struct timer timer;
	uint64_t armed_ms; /* when the timer runs; UINT64_MAX: not */
	struct loop_call
		tick_call; /* a worker learned something with a timer */
	struct switch_stats stats;
	struct moves moves;
	uint64_t seed;
};

static inline uint64_t sw_now(const struct vswitch *sw)
{
	return env_now_ms(sw->env);
}

static inline struct sw_bridge *sw_bridge(const struct vswitch *sw, uint32_t id)
{
	return id < sw->bridges.n ? sw->bridges.at[id] : NULL;
}

static inline struct sw_domain *sw_domain(const struct vswitch *sw, uint32_t id)
{
	return id < sw->domains.n ? sw->domains.at[id] : NULL;
}

static inline struct sw_iface *sw_iface(const struct vswitch *sw, uint32_t id)
{
	return id < sw->ifaces.n ? sw->ifaces.at[id] : NULL;
}

static inline struct sw_router *sw_router(const struct vswitch *sw, uint32_t id)
{
	return id < sw->routers.n ? sw->routers.at[id] : NULL;
}

uint32_t sw_counter_take(struct vswitch *sw);
void sw_counter_free(struct vswitch *sw, uint32_t id);

/* build.c: objects and snapshot of a desired configuration. */
void sw_rebuild(struct vswitch *sw, const struct desired *d);

/* retire.c: what is not wanted is freed behind a grace period, and what was known
 * of ports that left is forgotten. `old`: the snapshot before; may be NULL. */
void sw_mark_unwanted(struct vswitch *sw);
void sw_retire(struct vswitch *sw, struct snapshot *old);
/* Counters whose rule is gone may be given to others. */
void sw_free_rule_counts(struct vswitch *sw, struct sw_bridge *b);

/* effects.c: the datapath's callbacks. */
extern const struct dp_callbacks sw_callbacks;

/* slow.c: what was punted. */
void sw_punted(struct vswitch *sw, struct punt *p);
/* Sends a whole frame of our own into a domain, or out of one port. */
void sw_send_in_domain(struct vswitch *sw, uint32_t domain, const void *frame,
		       uint32_t len);
void sw_send_on_port(struct vswitch *sw, uint32_t port, const void *frame,
		     uint32_t len);
/* Routes an IP packet of the router's own. */
void sw_send_routed(struct vswitch *sw, uint32_t router, const void *ip,
		    uint32_t len);

/* slow_ip.c */
void sw_icmp_error(struct vswitch *sw, const struct punt *p,
		   enum icmp_kind kind, uint32_t mtu);
void sw_to_router(struct vswitch *sw, const struct punt *p);
void sw_too_big(struct vswitch *sw, struct punt *p);
/* Cuts an IPv4 packet to pieces of at most `mtu` and has them received again;
 * flooded: has them go where the whole did not, to the peers. */
void sw_fragment(struct vswitch *sw, struct packet *p, uint32_t mtu,
		 bool flooded);

/* tick.c: timers and outboxes. */
void sw_tick(void *arg);
/* The last advertisements of interfaces that are to advertise no more, by the
 * snapshot that still has them. */
void sw_say_goodbye(struct vswitch *sw);
/* What a domain's neighbour table wants done. */
void sw_drain_neigh(struct vswitch *sw, uint32_t domain);
void sw_drain_guard(struct vswitch *sw, struct sw_bridge *b);
void sw_arm(struct vswitch *sw);

#endif
