/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the pipeline: one translation under way.
 *
 * What      the state that the stages (translate, bridge, router, output) share
 *           while one packet is translated. Not for other rooms.
 * Invariant T1 `key` is the packet as the actions so far have left it.
 *           T2 a stage that looks at a member of the key says so with
 *           xlate_look before it decides. T3 `mtu_seen` is a bound that the
 *           packet is known to keep: a check is emitted only below it.
 * Threads   the translating one; lives on its stack. */
#ifndef PIPELINE_XLATE_H
#define PIPELINE_XLATE_H

#include "pipeline/pipeline.h"

#define ETH_TYPE_ARP 0x0806u
#define ETH_TYPE_IP4 0x0800u
#define ETH_TYPE_IP6 0x86ddu
#define ETH_TYPE_VLAN 0x8100u

struct xlate {
	const struct snapshot *s;
	const struct snap_port *in; /* NULL: a packet of our own */
	struct verdict *v;
	struct trace *t;
	struct flow_key key;
	unsigned hops, resubmits;
	uint32_t mtu_seen;
	unsigned nested; /* lists around the action that is run */
	uint16_t pcp;    /* of the tag it came with, as in a TCI */
	bool tagged; /* the frame carries the domain's tag (or a priority tag) */
	bool plain;  /* no tags but the domain's: its eth_type speaks for it */
	bool routed; /* has been through a router */
	bool lost;   /* a rule made of it what the key cannot tell */
};

#define XLATE_PCP_MASK 0xe000u
/* Rules may nest that deep; below are what the stages add: a copy for `normal`,
 * a length check. */
#define XLATE_MAX_NESTED (ACTS_MAX_DEPTH - 2)

#define xlate_look(x, member) MASK_SET(&(x)->v->mask, member)

static inline bool xlate_from_peer(const struct xlate *x)
{
	return x->in && x->in->kind == SNAP_PORT_PEER;
}

/* Tells the trace, when there is one. */
#define xlate_note(x, kind, object, ...)                                       \
	do {                                                                   \
		if (unlikely((x)->t))                                          \
			xlate_trace(x,                                         \
				    (struct trace_at){ kind, (object)->name,   \
						       (object)->origin },     \
				    __VA_ARGS__);                              \
	} while (0)
struct trace_at {
	enum trace_kind kind;
	const char *name;
	struct snap_origin origin;
};
void xlate_trace(struct xlate *x, struct trace_at at, const char *fmt, ...)
	PRINTF_LIKE(3, 4) __attribute__((cold));

/* After the last stage: judges the list, completes the mask. */
void xlate_end(struct xlate *x);
/* Ends with a drop; what was emitted before stays. */
void xlate_drop(struct xlate *x, enum drop reason);
/* A copy for the control thread; NULL domain or iface where none is meant. */
struct act_punt *xlate_punt(struct xlate *x, enum punt_reason reason,
			    const struct snap_domain *d,
			    const struct snap_iface *i);
void xlate_punt_addr(struct act_punt *a, const struct ip_addr *addr);

/* Is the packet's IP destination (or ARP target) this kind of thing? */
struct ip_addr xlate_ip_dst(const struct xlate *x);
struct ip_addr xlate_ip_src(const struct xlate *x);
/* IPv4 or IPv6 packet without foreign tags in between? Looks at the type. */
bool xlate_is_ip(struct xlate *x);

/* Stage: the rules of the bridge that the packet came in by. */
void rule_run(struct xlate *x);
/* What happens inside a nested list stays there; only the counts that bound the
 * work go on. */
struct xlate_outside {
	struct xlate x;
	uint32_t begin;
};
void rule_run_begin(struct xlate *x, struct xlate_outside *o, enum act_op op,
		    uint32_t operand);
void rule_run_end(struct xlate *x, const struct xlate_outside *o);
/* What a rule's edit does to the packet, in the key. */
void rule_run_shows(struct xlate *x, const struct act *a);
void rule_run_normal(struct xlate *x, bool is_last);
/* Stage: the OpenFlow tables of the bridge that the packet came in by. */
void flow_run(struct xlate *x);
void flow_run_out(struct xlate *x, const struct pipeline_out *out);
/* Stage: as a bridge without rules does it. */
void xlate_normal(struct xlate *x);
/* Stage: a frame that is in a domain; learns, then forwards or routes it. */
void bridge_rx(struct xlate *x, const struct snap_domain *d);
/* Stage: forwards by destination in a domain, without learning. */
void bridge_forward(struct xlate *x, const struct snap_domain *d);
/* ARP and ND in a domain; true when the frame ends here. */
bool bridge_resolve(struct xlate *x, const struct snap_domain *d);

/* Stage: an IP packet that reached a router by one of its interfaces. */
void router_rx(struct xlate *x, const struct snap_iface *in);
/* Stage: looks up the route and sends on, for packets of a router's own too. */
void router_forward(struct xlate *x, const struct snap_router *r,
		    const struct snap_iface *in);

/* Sends to one member of a domain, with its tag or without. */
void output_member(struct xlate *x, const struct snap_domain *d,
		   const struct snap_member *m);
void output_to_peer(struct xlate *x, const struct snap_domain *d,
		    const struct snap_port *peer);
/* Takes the domain's tag off when the frame has one. */
void output_untag(struct xlate *x);
void output_flood(struct xlate *x, const struct snap_domain *d);
/* Sends to the members of a multicast group and to the routers' ports, peers among
 * them; to all peers, when every host has to know (a report). */
void output_group(struct xlate *x, const struct snap_domain *d,
		  const struct mcast_found *f, bool all_peers);
void output_peers(struct xlate *x, const struct snap_domain *d);
/* Emits the check that the packet fits `mtu`, unless it is known to. */
void output_check_len(struct xlate *x, uint32_t mtu,
		      const struct snap_domain *d, const struct snap_iface *i);

#endif
