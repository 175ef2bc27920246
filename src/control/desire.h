/* SPDX-License-Identifier: Apache-2.0 */
/* From one host's view to what the switch should be.
 *
 * What      fills switch/desired.h from model/view.h and the numbers of the real
 *           ports; keeps the arrays until freed.
 * Why so    a pure step in between: it can be tested and checked before anything
 *           is touched.
 * Threads   the control thread.
 * Owns      its arrays; strings are the model's and the view's, which live as
 *           long as the switch uses what was made from them. */
#ifndef CONTROL_DESIRE_H
#define CONTROL_DESIRE_H

#include "control/real.h"
#include "switch/desired.h"

/* A peer's number, kept as long as its address is in the configuration. */
struct peer_number {
	struct ip_addr address;
	uint32_t id;
};

struct peer_numbers {
	struct peer_number *v;
	unsigned n;
};

struct desire {
	struct desired d; /* what the switch is given */
	struct desired_bridge *bridges;
	struct desired_domain *domains;
	struct desired_port *ports;
	struct desired_peer *peers;
	struct desired_router *routers;
	char **names; /* made up */
	unsigned n_names;
};

/* Numbers for the view's peers; new ones are drawn, old ones stay. */
void peer_numbers_update(struct peer_numbers *p, struct vswitch *sw,
			 const struct model_view *v);
void peer_numbers_fini(struct peer_numbers *p, struct vswitch *sw);

/* real NULL: for a check only, ports get numbers in order. */
void desire_init(struct desire *out, const struct model_view *v,
		 const struct real *real, const struct peer_numbers *peers);
void desire_fini(struct desire *d);

#endif
