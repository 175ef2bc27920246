/* SPDX-License-Identifier: Apache-2.0 */
/* Advice: what would let a packet pass.
 *
 * What      for each reason of a drop, what to change, in the words of the file.
 * Why so    who asks why a packet dies asks next what to do about it.
 * Threads   any. */
#ifndef CONTROL_ADVICE_H
#define CONTROL_ADVICE_H

#include "packet/drop.h"

/* NULL: nothing lets it pass, and nothing should. */
const char *advice_of_drop(enum drop d);

#endif
