/* SPDX-License-Identifier: Apache-2.0 */
/* IPv6 neighbour discovery: reading, deciding, answering.
 *
 * What      NS, NA, RS, RA and redirects decoded with the checks of RFC 4861
 *           6.1 and 7.1; the decision for NS and NA; NS and NA frames.
 * Why so    as arp.h: decisions are data.
 * Rules     hop limit 255 and a right checksum or it is dropped. A solicitation
 *           from :: is duplicate address detection: answered for the router's
 *           own addresses (to all nodes), never for others. An answer that
 *           speaks for a neighbour leaves the override flag clear.
 * Threads   values.
 * Refs      RFC 4861 4, 6.1, 7.1, 7.2; RFC 4862 5.4. */
#ifndef L3_ND_H
#define L3_ND_H

#include "l3/neigh.h"

#define ND_RS 133u
#define ND_RA 134u
#define ND_NS 135u
#define ND_NA 136u
#define ND_REDIRECT 137u
#define ND_FRAME_LEN 86u /* Ethernet, IPv6, NS or NA, one address option */
#define ND_MAX_OPTIONS 32u
#define ND_MAX_EXTENSIONS 8u

struct nd_msg {
	uint8_t type; /* ND_* */
	struct ip6_addr src, dst;
	struct ip6_addr target; /* NS, NA, redirect */
	bool na_router, na_solicited, na_override;
	bool has_source, has_target; /* the link-layer address options */
	struct eth_addr source, target_mac;
	uint16_t ra_lifetime_s;
};

/* `ip6`: from the IPv6 header on. DROP_NONE; DROP_TRUNCATED; DROP_MALFORMED when
 * it breaks a rule of 6.1 or 7.1; DROP_IP_CSUM; DROP_UNSUPPORTED when it is no
 * neighbour discovery at all. check_csum false: the checksum is known to be
 * right, or not finished yet (an offload). */
enum drop nd_decode(const void *ip6, uint32_t len, bool check_csum,
		    struct nd_msg *out) MUST_CHECK;

static inline bool nd_is_dad(const struct nd_msg *m)
{
	return m->type == ND_NS && ip6_addr_is_zero(m->src);
}

struct nd_ctx {
	const struct ip_prefix *own;
	unsigned n_own;
	struct eth_addr mac;
	bool for_others;
	bool from_peer;
	uint32_t in_port;
};

struct nd_decision {
	bool answer;
	bool answer_router;   /* the answer's R flag */
	bool answer_override; /* ... O flag */
	struct eth_addr answer_mac;
	bool conflict;
	bool solicits_ra; /* an RS: the RA machine wants it */
	bool learn;
	struct neigh_news news;
};

struct nd_decision nd_decide(const struct nd_msg *m, const struct nd_ctx *c,
			     const struct neigh_table *neigh);

/* Whole Ethernet frames. The answer to `m`, a solicitation that came from MAC
 * `to`; src_mac is the sender in the Ethernet header. */
void nd_answer(const struct nd_msg *m, const struct nd_decision *d,
	       struct eth_addr to, uint8_t frame[ND_FRAME_LEN]);
/* dst NULL: to the solicited-node group. `from` is an address of the router. */
void nd_solicit(struct eth_addr src, struct ip6_addr from,
		struct ip6_addr target, const struct eth_addr *dst,
		uint8_t frame[ND_FRAME_LEN]);

#endif
