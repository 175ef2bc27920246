/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: a packet as plain fields, and what each edit means for them.
 *
 * What      builds a frame byte by byte from the fields, all checksums summed
 *           anew the slow way; applies an action to the fields. What an edit does
 *           to bytes must be what it does to the fields and a rebuild.
 * Why so    the oracle shares no code with what it judges: no cursor, no
 *           incremental sum, no offsets.
 * Threads   values. */
#ifndef FLOW_PACKET_MODEL_H
#define FLOW_PACKET_MODEL_H

#include "flow/action.h"

#define MODEL_MAX 4096u
#define MODEL_VLANS 12u
#define MODEL_LABELS 12u

enum model_l3 { MODEL_IP4, MODEL_IP6, MODEL_ARP, MODEL_OTHER, N_MODEL_L3 };

struct model {
	bool no_eth;
	struct eth_addr dst, src;
	unsigned n_vlans, n_labels; /* outermost first */
	struct key_vlan vlan[MODEL_VLANS];
	uint32_t label[MODEL_LABELS]; /* with the bottom bit */
	uint16_t mpls_type;
	enum model_l3 l3;
	/* ARP: spa, tpa are ip4 */
	struct eth_addr sha, tha;
	uint16_t arp_op;
	uint32_t ip4_src, ip4_dst;
	struct ip6_addr ip6_src, ip6_dst, ip6_final;
	uint32_t flow_label;
	uint8_t tos, ttl, options; /* IPv4 options in words */
	bool hop_options, dst_options, routing, auth;
	uint8_t segments_left;
	bool fragment; /* has a fragment header, or MF or an offset */
	uint16_t frag_offset, frag_len; /* in eights; bytes of this one */
	uint8_t proto;
	uint16_t tp_src, tp_dst;
	uint32_t word; /* of ICMP and ND, behind the checksum */
	bool nd_body;  /* a solicitation or advertisement */
	struct ip6_addr target;
	bool sll, tll;
	uint8_t sll_type, tll_type;
	struct eth_addr sll_mac, tll_mac;
	bool no_csum; /* UDP without */
	uint8_t payload[512];
	uint32_t payload_len, padding;
	bool partial; /* the transport checksum is left to the device */
	/* filled by the build */
	uint32_t l4_at, csum_at;
};

/* The fields that it can set. */
extern const enum field_id model_fields[];
extern const unsigned model_n_fields;

uint16_t model_sum(const uint8_t *p, uint32_t len, uint32_t sum);
bool model_is_nd(const struct model *m);
/* The frame. Returns its length. */
uint32_t model_build(struct model *m, uint8_t *out);
/* A packet with these bytes and their metadata (layers not located). */
void model_fill(struct model *m, struct packet *p);
/* One action. DROP_NONE, or why the packet cannot have it. */
enum drop model_apply(struct model *m, const struct act *a);
/* A packet of any kind the model knows. */
void model_random(struct model *m, uint64_t *seed);
uint32_t model_rand(uint64_t *seed, uint32_t below);
/* An edit that stands a chance on this packet. */
void model_random_edit(const struct model *m, struct acts *out, uint64_t *seed);

#endif
