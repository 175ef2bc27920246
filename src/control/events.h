/* SPDX-License-Identifier: Apache-2.0 */
/* Events: what happened lately, and who wants to be told.
 *
 * What      a ring of the last EVENTS_KEPT events; followers (calls of `weft
 *           watch`) are told each as it happens.
 * Why so    who comes late sees what led here; the doctor finds in it which loop
 *           and which conflict there was.
 * Invariant E1 the ring is bounded, and so is the rate, whatever happens how
 *           often: EVENTS_RATE; `more` says what was left out. E2 a follower
 *           that went away is answered at the next event or the next follower.
 * Threads   the control thread.
 * Owns      the texts of the ring; followed calls until they are answered. */
#ifndef CONTROL_EVENTS_H
#define CONTROL_EVENTS_H

#include "base/addr.h"
#include "base/env.h"

#define EVENTS_KEPT 1024u
#define EVENTS_FOLLOWERS_MAX 64u
#define EVENTS_RATE 100u /* a second and kind; the rest is counted */

struct json_object;
struct rpc_call;

enum event_kind {
	EVENT_PORT,      /* came up, went down, came, went */
	EVENT_STATION,   /* a MAC moved to another port */
	EVENT_FLAP,      /* ... too often: a loop, or two with one MAC */
	EVENT_NEIGHBOUR, /* an address is at a (new) MAC */
	EVENT_CONFLICT,  /* a station claims the router's address */
	EVENT_LOOP,      /* a port is blocked, or open again */
	EVENT_APPLY,     /* the configuration changed, or was refused */
	N_EVENT_KINDS,
};

struct event {
	uint64_t seq; /* 1 and up */
	uint64_t at_ms, wall_s;
	enum event_kind kind;
	char *object;  /* the port, network, bridge, ... */
	char *other;   /* the other port, or NULL */
	char *text;    /* a sentence */
	uint64_t more; /* of the kind since the last one told */
	struct ip_addr ip;
	struct eth_addr mac;
};

struct events {
	struct env *env;
	uint64_t n; /* that ever were: the newest has seq n */
	struct event *ring;
	struct rpc_call *followers[EVENTS_FOLLOWERS_MAX];
	unsigned n_followers;
	struct {
		uint64_t second, left_out;
		unsigned n;
	} rate[N_EVENT_KINDS];
};

void events_init(struct events *e, struct env *env);
void events_fini(struct events *e);
/* Takes what `ev` points to (object, other, text: from the heap). */
void events_add(struct events *e, const struct event *ev);
/* The same, in words. */
void events_loop(struct events *e, const char *port, const char *other,
		 bool blocked);
void events_conflict(struct events *e, const char *network,
		     const struct ip_addr *ip, struct eth_addr mac);
/* `what`: "up", "down", "gone: why", ... */
void events_port(struct events *e, const char *port, const char *what);
void events_apply(struct events *e, const char *who, const char *what);
/* A station on `bridge` is now behind `port`, and `lost` others moved; or, with
 * `other`, it jumps between the two. */
struct event_move {
	const char *bridge, *port, *other;
	struct eth_addr mac;
	uint64_t lost;
};
void events_move(struct events *e, const struct event_move *m);
void events_neighbour(struct events *e, const char *network,
		      const struct ip_addr *ip, struct eth_addr mac);
/* The newest of that kind about `object`, or NULL. */
const struct event *events_last(const struct events *e, enum event_kind kind,
				const char *object);
/* The i-th newest, from 0; NULL when there are no more. */
const struct event *events_at(const struct events *e, uint64_t i);
struct json_object *event_json(const struct event *ev);
/* Events after `since` as a list, oldest first. */
struct json_object *events_json(const struct events *e, uint64_t since);
/* Tells what came after `since`, then each as it comes. Takes the call. */
void events_follow(struct events *e, struct rpc_call *call, uint64_t since);

#endif
