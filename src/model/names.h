/* SPDX-License-Identifier: Apache-2.0 */
/* Which devices a port has: the defaults in one place.
 *
 * What      near device (what the datapath attaches to) and far device.
 * Threads   none of its own. */
#ifndef MODEL_NAMES_H
#define MODEL_NAMES_H

#include "model/model.h"

struct names {
	char near[MODEL_DEVICE_MAX + 1]; /* "": none, or no valid name */
	char far[MODEL_DEVICE_MAX + 1];  /* "": none */
};

void names_of_port(const struct model_port *p, struct names *out);

#endif
