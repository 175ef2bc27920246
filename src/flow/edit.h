/* SPDX-License-Identifier: Apache-2.0 */
/* Edits: one change to one packet, done right.
 *
 * What      push and pop tags, labels, Ethernet and whole encapsulations; set a
 *           field; count the TTL down; cut. One function an action.
 * Why so    the interpreter walks lists, and this knows headers. Every edit
 *           finds its place anew from the bytes, so it is right on any packet,
 *           also on one whose key was taken before other edits.
 * Invariant D1 nothing outside data..data + len is read or written. D2 when an
 *           edit fails the packet is as it was, or fit only for dropping.
 *           D3 a checksum that was right stays right, a partial one stays
 *           partial, one that was wrong stays wrong: sums are updated, never
 *           taken anew. D4 l3, l4, inner and csum_start are right after it.
 * Returns   DROP_NONE; DROP_ACTION when the edit does not fit the packet;
 *           DROP_UNSUPPORTED, with the packet as it was, when it cannot be done
 *           on a GSO packet, but on each of its segments: labels, a second
 *           encapsulation, taking one off that many datagrams have.
 * Threads   values.
 * Refs      RFC 1624 (eqn 3), RFC 768 (zero), RFC 8200 8.1, RFC 3032. */
#ifndef FLOW_EDIT_H
#define FLOW_EDIT_H

#include "flow/action.h"

/* Where the network header is, and what it says it is. Finds at most
 * KEY_N_VLANS tags, as the key does. */
struct edit_at {
	uint32_t type_at; /* of the innermost Ethertype; 0 of an L3 packet */
	uint32_t l3;      /* what follows it; may be the packet's end */
	uint16_t type;
};

bool edit_find(const struct packet *p, struct edit_at *at);
/* Sets p->l3 and p->l4 from the bytes, after a change of what is in front. */
void edit_relocate(struct packet *p);

enum drop edit_push_vlan(struct packet *p, uint16_t tpid, uint16_t tci);
enum drop edit_pop_vlan(struct packet *p);
/* After the tags. TTL 0 in `lse`: as below; the bottom bit is found out. */
enum drop edit_push_mpls(struct packet *p, uint16_t eth_type, uint32_t lse);
/* eth_type: of what is below; a label when the popped one is not the last. */
enum drop edit_pop_mpls(struct packet *p, uint16_t eth_type);
enum drop edit_set_eth(struct packet *p, struct eth_addr dst,
		       struct eth_addr src);
/* Of a layer 3 packet only; eth_type has to say what it is. */
enum drop edit_push_eth(struct packet *p, const struct act_eth *a);
/* Of an untagged IPv4 or IPv6 frame only. */
enum drop edit_pop_eth(struct packet *p);
/* DROP_TTL when it would reach zero. */
enum drop edit_dec_ttl(struct packet *p);
void edit_set_tunnel(struct packet *p, const struct act_tunnel *a);
enum drop edit_push_outer(struct packet *p, const struct act_outer *a);
enum drop edit_pop_outer(struct packet *p);
/* Keeps the first n bytes at most. A checksum that could not be finished any
 * more is finished before. */
void edit_truncate(struct packet *p, uint32_t n);

/* A field, or bits of it. L4 fields of later fragments are left alone (they
 * have none), as are absent ND options and what only the pipeline has. */
enum drop edit_set_field(struct packet *p, const struct act_set *a);
/* Is there a place for it in a packet (or is it the pipeline's own)? */
bool edit_can_set(enum field_id field);

#endif
