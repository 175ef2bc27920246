/* SPDX-License-Identifier: Apache-2.0 */
/* From the view's words to the port room's: one function a kind of port.
 *
 * What      makes the port object a view's port asks for, and brings to an attached
 *           one what can be changed in place.
 * Why so    the words of the file and those of the port room meet here only.
 * Threads   the control thread. */
#ifndef CONTROL_DEVICES_H
#define CONTROL_DEVICES_H

#include "control/real.h"

/* Sets p->kind and p->port (and target, netns). -EINVAL with a sentence. */
int devices_make(struct real *r, struct real_port *p, const struct real_spec *s,
		 struct err *e) MUST_CHECK;
/* What can be changed in place; 0 when nothing is to be changed. */
int devices_update(struct real_port *p, const struct real_spec *s,
		   struct err *e) MUST_CHECK;

#endif
