/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a host's devices as text, to be compared.
 *
 * What      a sorted line for each device, address and route, made of what a
 *           person would call its state: no counters, no numbers of devices.
 * Why so    an undo is verified against it.
 * Threads   none of its own. */
#ifndef CONTROL_NETSTATE_H
#define CONTROL_NETSTATE_H

#include "base/str.h"

struct nl;

/* To be freed; NULL when the kernel cannot be asked. */
char *netstate_take(struct nl *nl);
/* Adds "X is missing", "Y is new", at most `max` of them, with ", " between.
 * Returns how many there are. */
unsigned netstate_compare(const char *before, const char *now, unsigned max,
			  struct str *out);

#endif
