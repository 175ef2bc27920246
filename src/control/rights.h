/* SPDX-License-Identifier: Apache-2.0 */
/* What a daemon without privilege cannot make.
 *
 * What      refuses a view that asks for devices when the process may make none.
 * Why so    an ordinary user's daemon serves fewer kinds of ports (decision D10);
 *           it says which, at the line that asks, before it changes anything.
 * Threads   the control thread. */
#ifndef CONTROL_RIGHTS_H
#define CONTROL_RIGHTS_H

#include "model/view.h"
#include "sys/priv.h"

/* 0, or -EPERM with a sentence and the place of the first that cannot be. */
int rights_check(const struct model_view *v, const struct priv *has,
		 struct err *e) MUST_CHECK;

#endif
