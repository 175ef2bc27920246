/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: a message read, and written again from what was read.
 *
 * What      every kind but those of flow.h and session.h.
 * Why so    the unit test, the fuzz target and whoever compares with a foreign
 *           program ask the same of each message.
 * Threads   tests only. */
#ifndef OFWIRE_RECODE_H
#define OFWIRE_RECODE_H

#include "ofwire/message.h"

/* What decoding says; on OF_OK the message written again is in `o`, unless it
 * cannot be said (then o is empty). Kinds without a body are not written. */
enum of_error recode(const struct of_msg *m, struct of_out *o);

#endif
