/* SPDX-License-Identifier: Apache-2.0 */
/* The journal of an apply: which devices it is about to make.
 *
 * What      a list of names in the state folder, written and synced before the
 *           first device is made, removed after the last step.
 * Why so    a daemon that dies half-way leaves devices that no state knows. The
 *           next one finds the list and takes away those that are not part of
 *           the state it brings up: all of an apply is there, or nothing.
 * Rule      only devices that did not exist before are listed, and only veth and
 *           TUN/TAP devices are taken away: what a user made is not ours.
 * Threads   the control thread. */
#ifndef CONTROL_JOURNAL_H
#define CONTROL_JOURNAL_H

#include "base/err.h"

struct control;
struct model_view;

int journal_begin(struct control *c, const struct model_view *v,
		  struct err *e) MUST_CHECK;
void journal_end(struct control *c);
/* After the saved state was brought up. */
void journal_recover(struct control *c);

#endif
