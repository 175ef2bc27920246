/* SPDX-License-Identifier: Apache-2.0 */
/* ARP: reading a message, deciding what it calls for, writing the answer.
 *
 * What      arp_decode (bytes -> message), arp_decide (message -> answer or not,
 *           and what it tells about its sender), arp_answer, arp_request.
 * Why so    a decision is data: the switch sends the answer and hands the news
 *           to the neighbour table, explain prints the same.
 * Rules     a request for the router's address is answered with the router's
 *           MAC. A probe (sender address 0) is answered for own addresses only:
 *           somebody tests whether an address is free, and a memory of who once
 *           had it must not speak for the living (RFC 5227 2.1.1). Gratuitous
 *           ARP is never answered. A group address as sender's MAC is nonsense.
 * Threads   values.
 * Refs      RFC 826, RFC 5227, RFC 3927 2.5. */
#ifndef L3_ARP_H
#define L3_ARP_H

#include "l3/neigh.h"

#define ARP_REQUEST 1u
#define ARP_REPLY 2u
#define ARP_FRAME_LEN 60u /* Ethernet minimum without the check sequence */

struct arp_msg {
	uint16_t op;
	struct eth_addr sha, tha;
	uint32_t spa, tpa;
};

/* `arp`: from the ARP header on. DROP_NONE, DROP_TRUNCATED, or DROP_MALFORMED
 * for another hardware or protocol type, or an op that is neither. */
enum drop arp_decode(const void *arp, uint32_t len,
		     struct arp_msg *out) MUST_CHECK;

static inline bool arp_is_probe(const struct arp_msg *m)
{
	return m->op == ARP_REQUEST && !m->spa;
}

static inline bool arp_is_gratuitous(const struct arp_msg *m)
{
	return m->spa && m->spa == m->tpa;
}

/* What the decision may know. */
struct arp_ctx {
	const struct ip_prefix *own; /* the router's addresses here, or NULL */
	unsigned n_own;
	struct eth_addr mac; /* the router's */
	bool for_others;     /* answer for known neighbours (suppression) */
	bool from_peer;      /* came out of a tunnel: no answer for others */
	uint32_t in_port;
};

struct arp_decision {
	bool answer;
	struct eth_addr answer_mac; /* who has the target address */
	bool conflict;              /* the sender uses the router's address */
	bool learn;
	struct neigh_news news; /* with learn */
};

/* `neigh` may be NULL (nothing known about others). */
struct arp_decision arp_decide(const struct arp_msg *m, const struct arp_ctx *c,
			       const struct neigh_table *neigh);

/* Whole Ethernet frames, ARP_FRAME_LEN bytes. */
void arp_answer(const struct arp_msg *request, struct eth_addr mac,
		uint8_t frame[ARP_FRAME_LEN]);
/* dst NULL: broadcast. `from` is the router's address in that network. */
void arp_request(struct eth_addr src, uint32_t from, uint32_t target,
		 const struct eth_addr *dst, uint8_t frame[ARP_FRAME_LEN]);

#endif
