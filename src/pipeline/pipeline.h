/* SPDX-License-Identifier: Apache-2.0 */
/* The pipeline: what happens to a packet, as a pure function.
 *
 * What      a snapshot and a key in; a verdict out: actions, the bits looked
 *           at, effects as data, the stamps of what was asked.
 * Why so    no side effects (decision D2): the datapath caches the verdict, the
 *           switch applies the effects, explain asks the same function.
 * Order     port -> tunnel, or rules and then VLAN -> bridge (reserved groups,
 *           learn, ARP and ND, router or snooping, forwarding) -> router ->
 *           bridge again -> port.
 * Invariant X1 every bit of the key that the outcome depends on is in the mask,
 *           and with bits of layer 3 or 4 the types that say what they are.
 *           X2 every lookup in a learned table adds its dependency, found or
 *           not. X3 bounded: at most PIPELINE_MAX_HOPS routed hops and
 *           PIPELINE_MAX_RESUBMITS table look-ups a packet.
 * Threads   any, inside RCU.
 * Refs      IEEE 802.1Q-2018 8; RFC 1812, 4861, 7348, 8200. */
#ifndef PIPELINE_PIPELINE_H
#define PIPELINE_PIPELINE_H

#include "flow/verdict.h"
#include "pipeline/snapshot.h"
#include "pipeline/trace.h"

#define PIPELINE_MAX_HOPS 8u
#define PIPELINE_MAX_RESUBMITS 64u
/* Of OpenFlow rules: how deep look-ups nest, and how many there are in all,
 * groups and their buckets among them. */
#define PIPELINE_MAX_DEPTH 64u
#define PIPELINE_MAX_LOOKUPS 4096u

/* userdata of a punt for PUNT_RULE from an OpenFlow rule: what a packet-in
 * says. */
enum punt_flow_word {
	PUNT_FLOW_PLACE,                           /* PUNT_FLOW_... below */
	PUNT_FLOW_CONTROLLER,                      /* id of the controller */
	PUNT_FLOW_COOKIE,                          /* low half, then high */
	PUNT_FLOW_METADATA = PUNT_FLOW_COOKIE + 2, /* the same */
};
#define PUNT_FLOW_BRIDGE(place) ((place)&0xffffu)
#define PUNT_FLOW_TABLE(place) ((place) >> 16 & 0xffu)
#define PUNT_FLOW_REASON(place) ((place) >> 24)

/* userdata of a punt: what the control thread needs to act on the packet. */
enum punt_word {
	PUNT_WORD_DOMAIN, /* domain it is in, or PUNT_NONE */
	PUNT_WORD_IFACE,  /* router interface concerned, or PUNT_NONE */
	PUNT_WORD_ADDR,   /* ... to +3: next hop (NEIGH_MISS), MTU (TOO_BIG) */
	PUNT_N_WORDS = 6
};
#define PUNT_NONE 0xffffffffu

/* t may be NULL. `key` is what extraction gave. */
void pipeline_translate(const struct snapshot *s, const struct flow_key *key,
			struct verdict *v, struct trace *t);

/* A packet that a controller sends, and what is to be done with it. */
struct snap_bridge;
struct of_act_list;
struct pipeline_out {
	const struct snap_bridge *bridge;
	const struct of_act_list *acts;
	uint32_t of_port; /* it counts as having come in by this */
};
/* `key`: what extraction gave, with in_port the datapath's number for of_port, 0
 * when there is none. The verdict is for this packet only. */
void pipeline_packet_out(const struct snapshot *s,
			 const struct pipeline_out *out,
			 const struct flow_key *key, struct verdict *v,
			 struct trace *t);

/* A frame of our own (ARP request, RA, ICMP error, loop probe) that starts in a
 * domain: bridged there, to ports and peers, without learning. */
void pipeline_originate(const struct snapshot *s, uint32_t domain,
			const struct flow_key *key, struct verdict *v,
			struct trace *t);

/* An IP packet of a router's own (ICMP error, echo reply): `key` is that of the
 * packet behind any Ethernet header; routed by the table of the router. */
void pipeline_route_own(const struct snapshot *s, uint32_t router,
			const struct flow_key *key, struct verdict *v,
			struct trace *t);

/* Goes on with a packet that was punted for NEIGH_MISS: out of `iface`, towards
 * `next_hop`, whose MAC may be known by now (else it is punted again). */
void pipeline_resume(const struct snapshot *s, uint32_t iface,
		     const struct ip_addr *next_hop, const struct flow_key *key,
		     struct verdict *v);

#endif
