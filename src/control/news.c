/* SPDX-License-Identifier: Apache-2.0 */
/* What the switch tells of, as events. */
#include "control/internal.h"

static const char *name_of(const struct control *c, uint32_t port)
{
	const struct snap_port *p = snapshot_port(switch_snapshot(c->sw), port);

	return p ? p->name : "?";
}

void news_moved(void *arg, const char *bridge, const struct move *m,
		uint64_t lost)
{
	struct control *c = arg;

	events_move(&c->events,
		    &(struct event_move){ .bridge = bridge,
					  .port = name_of(c, m->port),
					  .mac = m->mac,
					  .lost = lost });
}

void news_flap(void *arg, const char *bridge, const struct mac_flap *f)
{
	struct control *c = arg;

	events_move(&c->events,
		    &(struct event_move){ .bridge = bridge,
					  .port = name_of(c, f->port_a),
					  .other = name_of(c, f->port_b),
					  .mac = f->mac });
}

void news_neighbour(void *arg, const char *domain, const struct ip_addr *ip,
		    struct eth_addr mac)
{
	struct control *c = arg;

	events_neighbour(&c->events, domain, ip, mac);
}
