/* SPDX-License-Identifier: Apache-2.0 */
/* Patch ports: a pair joined inside the process, between bridges.
 *
 * What      what is sent to one is received from the other.
 * Why so    a frame between bridges normally never gets here: the pipeline
 *           translates through the patch. This is the queue for what does (a
 *           flood beyond the translation's depth, frames of the control thread).
 * Bounded   PATCH_QUEUE frames a direction; beyond, TX_FULL.
 * Threads   as port.h: tx from any, rx by one. A mutex guards each direction,
 *           held for a copy only: packets belong to their thread's pool, so a
 *           hand-over between threads has to copy.
 * State     UP while both ends are attached. */
#ifndef PORT_PATCH_H
#define PORT_PATCH_H

#include "port/port.h"

#define PATCH_QUEUE 256u

struct patch_config {
	struct port *peer; /* NULL: the first of the pair */
};

struct port *patch_port_create(const char *name, const struct patch_config *c);

#endif
