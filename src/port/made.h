/* SPDX-License-Identifier: Apache-2.0 */
/* TAPs and TUNs whose descriptor others hold: found, or made for them.
 *
 * What      what tap and tun (for a program) have in common: the persistent
 *           device, made once with its owner and queues, found again later.
 * Threads   the control thread. */
#ifndef PORT_MADE_H
#define PORT_MADE_H

#include "sys/nl_link.h"

struct made_spec {
	const char *name;
	bool tun;  /* else TAP */
	bool make; /* when it is not there */
	unsigned queues;
	bool has_owner, has_group;
	uint32_t owner, group;
	uint32_t mtu; /* 0: as it is */
};

/* The device, up, without addresses of its own. -ENODEV when it is not there and
 * not to be made; -EINVAL when a device of that name is of another kind. */
int made_find(const struct made_spec *m, struct nl_link *out,
	      struct err *e) MUST_CHECK;

#endif
