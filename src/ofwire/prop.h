/* SPDX-License-Identifier: Apache-2.0 */
/* Properties: the type-length-values that messages end with since 1.4.
 *
 * What      a cursor over properties, one at a time, with the experimenter's id
 *           folded into the type; and writing one.
 * Why so    nine messages have them, with one form and one set of errors.
 * Invariant P1 a property read has a body inside what holds it.
 * Threads   values.
 * Refs      OpenFlow 1.4.1 7.2.x ("property"), 1.5.1 6.1.2 (alignment to 8). */
#ifndef OFWIRE_PROP_H
#define OFWIRE_PROP_H

#include "ofwire/message.h"

struct of_prop {
	uint16_t type;   /* 0xffff: an experimenter's */
	uint32_t vendor; /* experimenter, then */
	uint32_t vendor_type;
	struct cursor body; /* what follows those */
};

#define OF_PROP_EXPERIMENTER 0xffffu

/* Takes the next; OFPBPC_BAD_LEN when it lies. Call while bytes are left. */
enum of_error of_prop_next(struct cursor *c, struct of_prop *p) MUST_CHECK;
/* What a property that is not known deserves. */
enum of_error of_prop_unknown(const struct of_prop *p);
/* OK when the body was read whole. */
enum of_error of_prop_done(const struct of_prop *p) MUST_CHECK;

size_t of_prop_begin(struct of_out *o, uint16_t type);
size_t of_prop_begin_vendor(struct of_out *o, uint32_t vendor, uint32_t type);
/* The length counts what was written; padding to 8 bytes follows. */
void of_prop_end(struct of_out *o, size_t begin);

#endif
