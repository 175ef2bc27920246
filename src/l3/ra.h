/* SPDX-License-Identifier: Apache-2.0 */
/* Router advertisements of one router interface.
 *
 * What      sends RAs from time to time, answers solicitations, says goodbye.
 * Why so    a station gets its prefix, its gateway and the network's MTU (less
 *           than 1500 where the network crosses a tunnel) with no DHCP.
 * States    OFF -> STARTING  ra_start: three RAs, 16 s apart at most
 *           STARTING -> RUNNING  tick: the three are sent
 *           any -> OFF         ra_stop: lifetime 0 goes out at once (6.2.5)
 * Rules     unsolicited ones at random between min and max; a solicited one is
 *           multicast within RA_DELAY_MAX_MS, and multicasts keep
 *           RA_MIN_GAP_MS between them (6.2.6).
 * Threads   the control thread.
 * Refs      RFC 4861 4.2, 6.2, 10; RFC 4862 5.5.3; RFC 8106 is not here yet. */
#ifndef L3_RA_H
#define L3_RA_H

#include "base/addr.h"
#include "base/env.h"
#include "l3/nd.h"

#define RA_MAX_PREFIXES 16u
#define RA_INTERVAL_MAX_MS 600000u
#define RA_INTERVAL_MIN_MS 200000u
#define RA_INITIAL_MAX_MS 16000u
#define RA_INITIAL_COUNT 3u
#define RA_DELAY_MAX_MS 500u
#define RA_MIN_GAP_MS 3000u
#define RA_LIFETIME_S 1800u
#define RA_VALID_S 2592000u
#define RA_PREFERRED_S 604800u
/* Ethernet, IPv6, RA, source address, MTU, prefixes. */
#define RA_FRAME_MAX (14u + 40u + 16u + 8u + 8u + 32u * RA_MAX_PREFIXES)

struct ra_prefix {
	struct ip6_addr prefix;
	uint8_t len;
	bool autonomous; /* stations make an address of it; needs a /64 */
};

struct ra_config {
	struct eth_addr mac;
	struct ip6_addr from; /* a link-local address of the router */
	uint32_t mtu;         /* 0: no MTU option */
	uint16_t lifetime_s;  /* RA_LIFETIME_S; 0: not a default router */
	bool managed, other;  /* M and O: DHCPv6 has addresses, or the rest */
	uint32_t max_ms, min_ms; /* 0: RA_INTERVAL_* */
	unsigned n_prefixes;
	struct ra_prefix prefixes[RA_MAX_PREFIXES];
};

struct ra_frame {
	uint32_t len;
	uint8_t bytes[RA_FRAME_MAX];
};

struct ra {
	struct ra_config config;
	struct env *env;
	bool running;
	bool due;         /* tick says: one is to be taken */
	bool goodbye;     /* the last one, with lifetime 0, is to be taken */
	unsigned n_sent;  /* since start or change */
	uint64_t next_ms; /* when the next goes out, whatever called for it */
	uint64_t last_ms; /* when the last one went; 0: none yet */
};

void ra_start(struct ra *r, const struct ra_config *c, struct env *env,
	      uint64_t now_ms);
/* New contents: advertised soon, as at the start (6.2.4). The same contents: no
 * news. */
void ra_change(struct ra *r, const struct ra_config *c, uint64_t now_ms);
/* Afterwards ra_take gives the last one, with lifetime 0: send it. */
void ra_stop(struct ra *r);
/* A valid RS came in (nd_decision.solicits_ra). */
void ra_solicited(struct ra *r, uint64_t now_ms);
void ra_tick(struct ra *r, uint64_t now_ms);
uint64_t ra_next_deadline(const struct ra *r);
/* A frame to all nodes, to be flooded in the domain; false when none is due. */
bool ra_take(struct ra *r, uint64_t now_ms, struct ra_frame *out);

#endif
