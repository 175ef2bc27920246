/* SPDX-License-Identifier: Apache-2.0 */
/* What changes in a namespace, as it changes.
 *
 * What      callbacks on the loop for links, addresses, routes and neighbours
 *           that come, change and go, and for tc filters that go.
 * Why so    followed, never polled. One meaning for start and for loss: when
 *           the monitor begins, and whenever the kernel says that it dropped
 *           messages (ENOBUFS), the listener is told RESYNC_BEGIN, then NEW for
 *           everything that is there, then RESYNC_END: what it knew and was not
 *           told again in between is gone.
 *           When a listing fails half-way, BEGIN comes again a second later.
 * Invariant M1 callbacks run from the loop only, never from inside a call here.
 *           M2 NEW may tell the same thing twice; listeners are idempotent.
 * Threads   the loop's.
 * Owns      the objects it shows, valid during the callback only. */
#ifndef SYS_NL_MONITOR_H
#define SYS_NL_MONITOR_H

#include "sys/loop.h"
#include "sys/nl_addr.h"
#include "sys/nl_link.h"
#include "sys/nl_route.h"

enum nl_group {
	NL_GROUP_LINK = 1 << 0,
	NL_GROUP_ADDR = 1 << 1,
	NL_GROUP_ROUTE = 1 << 2,
	NL_GROUP_NEIGH = 1 << 3,
	NL_GROUP_FILTER = 1 << 4, /* tc; no NEW at a resync */
};

enum nl_event_type {
	NL_EVENT_LINK_NEW,
	NL_EVENT_LINK_DEL,
	NL_EVENT_ADDR_NEW,
	NL_EVENT_ADDR_DEL,
	NL_EVENT_ROUTE_NEW,
	NL_EVENT_ROUTE_DEL,
	NL_EVENT_NEIGH_NEW,
	NL_EVENT_NEIGH_DEL,
	NL_EVENT_FILTER_DEL, /* a tc filter, or the qdisc it was on */
	NL_EVENT_RESYNC_BEGIN,
	NL_EVENT_RESYNC_END,
};

struct nl_event {
	enum nl_event_type type;
	union { /* by type; none for RESYNC */
		const struct nl_link *link;
		const struct nl_addr *addr;
		const struct nl_route *route;
		const struct nl_neigh *neigh;
		uint32_t ifindex; /* FILTER: of its device */
	};
};

typedef void nl_event_fn(void *arg, const struct nl_event *ev);

struct nl_monitor;

/* groups: enum nl_group. The first resync follows in the loop's next round. The
 * callback may destroy the monitor. */
int nl_monitor_create(struct nl_monitor **out, struct loop *loop, int netns_fd,
		      unsigned groups, struct err *e) MUST_CHECK;
void nl_monitor_listen(struct nl_monitor *m, nl_event_fn *fn, void *arg);
void nl_monitor_destroy(struct nl_monitor *m);

#endif
