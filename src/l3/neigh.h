/* SPDX-License-Identifier: Apache-2.0 */
/* Neighbours of a network: who has this IP address?
 *
 * What      IP address -> Ethernet address with the states of RFC 4861, for
 *           ARP and ND alike; one table per domain; packets that wait for an
 *           answer; solicitations to send. It also keeps what was only overheard
 *           (snooped), for answering ARP and ND locally.
 * Why so    a neighbour's place is not here: MAC -> port is the MAC table's, so
 *           an address may move between hosts without a change here.
 * States    none    -> INCOMPLETE  neigh_resolve
 *           none    -> STALE       neigh_learn: overheard
 *           INCOMPLETE -> REACHABLE  neigh_learn: an answer to us
 *           INCOMPLETE -> STALE      neigh_learn: overheard
 *           INCOMPLETE -> FAILED     tick: NEIGH_SOLICITS_MAX unanswered
 *           REACHABLE -> STALE     tick: reachable time is over
 *           STALE   -> DELAY       neigh_used
 *           DELAY   -> PROBE       tick: nobody confirmed
 *           PROBE   -> REACHABLE   neigh_learn; -> FAILED tick: unanswered
 *           FAILED  -> INCOMPLETE  neigh_resolve, after NEIGH_FAILED_MS
 *           STALE, FAILED -> none  tick, after NEIGH_STALE_MS, NEIGH_FAILED_MS
 *           PERMANENT              neigh_put_static, and only that
 * Invariant E1 entries <= limit, and an in-port that floods loses its own first
 *           (base/fair.h). E2 the router's own addresses are never entries.
 *           E3 at most NEIGH_WAIT_ENTRY packets wait for one neighbour,
 *           NEIGH_WAIT_PORT of one in-port, NEIGH_WAIT_TABLE in all. E4 whatever
 *           changes usable, failed or mac bumps the stamp of the address.
 * Threads   neigh_find: any thread inside RCU, no lock. neigh_used: any thread;
 *           a mutex when the state changes, since workers apply effects inline.
 *           All else: the control thread.
 * Owns      entries, and the packets that wait until they are taken out.
 * Refs      RFC 4861 7.2, 7.3, 10; RFC 826; RFC 1122 2.3.2; RFC 5227. */
#ifndef L3_NEIGH_H
#define L3_NEIGH_H

#include "base/addr.h"
#include "base/env.h"
#include "base/stamp.h"
#include "packet/drop.h"

#define NEIGH_LIMIT_DEFAULT 8192u
#define NEIGH_LIMIT_MAX (1u << 20)
#define NEIGH_REACHABLE_MS 30000u /* x 0.5 to 1.5 at random, RFC 4861 6.3.2 */
#define NEIGH_RETRANS_MS 1000u
#define NEIGH_DELAY_MS 5000u
#define NEIGH_SOLICITS_MAX 3u
#define NEIGH_FAILED_MS 3000u
#define NEIGH_STALE_MS 1200000u
/* A reachable entry's MAC is not overwritten by unasked claims this soon after
 * it was confirmed: one answer wins, a shower of lies does not. */
#define NEIGH_LOCK_MS 1000u
#define NEIGH_WAIT_ENTRY 16u
#define NEIGH_WAIT_PORT 128u
#define NEIGH_WAIT_TABLE 1024u
/* Solicitations a second, of a table and on behalf of one in-port. */
#define NEIGH_SOLICIT_RATE 1000u
#define NEIGH_SOLICIT_PORT_RATE 100u

struct packet;

struct neigh_config {
	uint32_t id;    /* of the domain: keeps stamps apart */
	uint32_t limit; /* 0: the default */
	uint64_t seed;
	struct env *env; /* random numbers for the reachable time */
};

enum neigh_state {
	NEIGH_NONE,
	NEIGH_INCOMPLETE,
	NEIGH_REACHABLE,
	NEIGH_STALE,
	NEIGH_DELAY,
	NEIGH_PROBE,
	NEIGH_FAILED,
	NEIGH_PERMANENT,
};

struct neigh_table;

struct neigh_table *neigh_create(const struct neigh_config *c,
				 struct stamps *stamps);
/* No reader may be left; packets still waiting are handed to `drop`. */
void neigh_destroy(struct neigh_table *t, void (*drop)(struct packet *p));
const char *neigh_state_name(enum neigh_state s);

/* The router's addresses in this network: never learned, claims about them are
 * reported as NEIGH_CONFLICT, claims with the router's own MAC ignored (it is on
 * every host). Their subnets, and IPv6 link-local addresses, are all that is
 * learned; with no addresses everything is. Replaces the list before. */
void neigh_set_own(struct neigh_table *t, const struct ip_prefix *own,
		   unsigned n, struct eth_addr mac);

/* usable: mac may be used. failed: does not answer, asked just now. Neither:
 * being asked, or unknown (found is false). stale is not part of the stamp. */
struct neigh_found {
	bool found, usable, failed, stale, router;
	struct eth_addr mac;
	uint32_t id; /* for EFFECT_NEIGH and neigh_used; 0 when not found */
};
struct neigh_found neigh_find(const struct neigh_table *t,
			      const struct ip_addr *ip, struct dep *dep);
/* A packet was sent by this entry. An id of an entry that is no more is
 * harmless. True: a timer was started that is due before what next_deadline
 * said; wake the control thread. */
bool neigh_used(struct neigh_table *t, uint32_t id, uint64_t now_ms);

/* Control thread: a packet from `in_port` wants to go to `ip`. */
enum neigh_resolve {
	NEIGH_READY,   /* it is usable; the packet stays the caller's */
	NEIGH_WAITS,   /* the table keeps the packet */
	NEIGH_NO,      /* asked in vain: ICMP unreachable is due; caller's */
	NEIGH_REFUSED, /* over a limit (DROP_NEIGH_WAIT); caller's */
};
/* p may be NULL: just ask. When READY, neigh_find has the MAC. */
enum neigh_resolve neigh_resolve(struct neigh_table *t,
				 const struct ip_addr *ip, uint32_t in_port,
				 struct packet *p, uint64_t now_ms);

/* What a message tells about a neighbour. */
enum neigh_news_kind {
	NEIGH_ASKS,    /* sender of an ARP request or NS: it is there */
	NEIGH_ANSWERS, /* an answer addressed to us, solicited */
	NEIGH_CLAIMS,  /* gratuitous ARP, unsolicited NA, answers to others */
};
struct neigh_news {
	enum neigh_news_kind kind;
	bool override; /* NA's O flag; true for ARP */
	bool router;   /* NA's R flag */
	bool has_mac;  /* an NA may come without */
	bool create;   /* also when nobody asked for it so far */
	uint32_t in_port;
	struct ip_addr ip;
	struct eth_addr mac;
};
enum neigh_learn {
	NEIGH_LEARNED, /* new, or changed */
	NEIGH_SAME,    /* nothing new; timers refreshed */
	NEIGH_IGNORED, /* the rules say so (override, lock time, nonsense) */
	NEIGH_OWN,     /* somebody claims an address of the router */
	NEIGH_FIXED,   /* a static entry says otherwise */
};
enum neigh_learn neigh_learn(struct neigh_table *t, const struct neigh_news *n,
			     uint64_t now_ms);

/* 0, or -ENOSPC, or -EINVAL for an address of the router or a group MAC. */
int neigh_put_static(struct neigh_table *t, const struct ip_addr *ip,
		     struct eth_addr mac) MUST_CHECK;
bool neigh_del(struct neigh_table *t, const struct ip_addr *ip);
/* All dynamic entries go. */
void neigh_flush(struct neigh_table *t);

void neigh_tick(struct neigh_table *t, uint64_t now_ms);
uint64_t neigh_next_deadline(const struct neigh_table *t);

enum neigh_out_kind {
	NEIGH_SOLICIT,     /* ask for ip; multicast, or to mac when unicast */
	NEIGH_SEND,        /* packet may go, to mac; it is the caller's now */
	NEIGH_UNREACHABLE, /* packet: ICMP host unreachable is due; caller's */
	NEIGH_DROP,        /* packet: over a limit or flushed; caller's */
	NEIGH_CONFLICT,    /* mac claims the router's address ip */
};
struct neigh_out {
	enum neigh_out_kind kind;
	bool unicast;
	uint16_t drop; /* enum drop, of DROP */
	uint32_t in_port;
	struct ip_addr ip;
	struct eth_addr mac;
	struct packet *packet;
};
/* Oldest first; false when there is no more. */
bool neigh_take(struct neigh_table *t, struct neigh_out *out);

struct neigh_row {
	struct ip_addr ip;
	struct eth_addr mac;
	enum neigh_state state;
	uint32_t in_port; /* behind which it was heard first */
	unsigned n_waiting;
	uint64_t age_ms; /* since last confirmed */
};
unsigned neigh_list(struct neigh_table *t, uint32_t *cursor,
		    struct neigh_row *rows, unsigned max, uint64_t now_ms);

struct neigh_stats {
	uint32_t n, limit, n_waiting;
	uint64_t learned, changed, evicted, failed, refused, conflicts,
		solicits, solicits_held;
};
void neigh_stats(struct neigh_table *t, struct neigh_stats *out);

#endif
